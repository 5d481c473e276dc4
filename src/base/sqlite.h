/*
 * What our SQLite files have in common: one connection writes, the owner alone may read, a crash leaves
 * what was committed, and a file that is damaged or not ours gives way to a new one.
 */
#ifndef TG_BASE_SQLITE_H
#define TG_BASE_SQLITE_H

#include <sqlite3.h>

/* A result code as negative errno: -EBADMSG when the file is not as we made it. 0 for OK, ROW and DONE. */
int sqlite_errno(int result);

/*
 * Opens or makes a file in WAL mode; used by one thread at a time.
 *
 *   pragmas  run before the journal mode is set, "" for none
 */
int sqlite_open(const char *path, const char *pragmas, sqlite3 **ret_db);

/*
 * Checks that a file is whole, and either ours and of this version, or new: then it is marked as that.
 * 0, -EBADMSG: it is not; or another error of reading it.
 */
int sqlite_claim(sqlite3 *db, int application_id, int version);

/* Moves the file to `path`.damaged, in place of an earlier one, without what lies beside it. */
int sqlite_move_aside(const char *path);

#endif
