/*
 * The file of the local view: rows in, the oldest out. Used by one thread; those who read it have
 * connections of their own.
 *
 * All functions return 0 or negative errno: -EBADMSG when the file is damaged or not ours, -EBUSY while
 * another program is in the way, -ESTALE when the path is another file's now, -ENOSPC.
 */
#ifndef TG_EXPORT_LOCAL_FILE_H
#define TG_EXPORT_LOCAL_FILE_H

#include <stdint.h>

#include "export/local_row.h"

struct local_file;

/* local_schema.sql, made into C by src/local.mk. */
extern const char local_schema[];

/* Opens or makes it. */
int local_file_open(const char *path, struct local_file **ret_file);
void local_file_close(struct local_file *file);

/* Reads all of it; takes a second for half a gigabyte. */
int local_file_check(struct local_file *file);

/* One transaction: begin, put for each row, and commit; or rollback, also after a failed commit. */
int local_file_begin(struct local_file *file);
int local_file_put(struct local_file *file, const struct local_row *row, const char *lane,
	uint64_t received_ns);
/*   skipped  spans that are not here, to be noted in the minute of `now_ns` */
int local_file_commit(struct local_file *file, uint64_t skipped, uint64_t now_ns);
void local_file_rollback(struct local_file *file);

/*
 * Removes some of the oldest rows, when the file is larger than `max_bytes` or they came before
 * `oldest_ns`, and gives space back. A short transaction each time; 1 when there is more to remove.
 */
int local_file_trim(struct local_file *file, uint64_t max_bytes, uint64_t oldest_ns);

/* Its size, without what is not yet moved into it. */
uint64_t local_file_bytes(struct local_file *file);

#endif
