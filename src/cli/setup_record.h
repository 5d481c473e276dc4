/*
 * What setup wrote into whose files: in setup.json in this person's own state directory. It says what may be put
 * back byte for byte; without it what is ours is found in the text.
 */
#ifndef TG_CLI_SETUP_RECORD_H
#define TG_CLI_SETUP_RECORD_H

#include <jansson.h>
#include <limits.h>

#include "base/bytes.h"

enum { SETUP_HASH_MAX = 65 };

struct setup_record {
	char directory[PATH_MAX];
	json_t *files;
};

/* One file that was written. */
struct setup_mark {
	char sha256
		[SETUP_HASH_MAX]; /* of what was written; empty: more than that was changed since the first time */
	const char *url; /* of the gateway */
	bool is_made;    /* there was no file */
	bool is_directory_made;
};

void setup_hash(struct bytes text, char hash[SETUP_HASH_MAX]);

/*
 *   home  another one than this person's; NULL: none
 *
 * 0 or negative errno. A record that cannot be read is begun anew.
 */
int setup_record_open(const char *home, struct setup_record *ret_record);
void setup_record_close(struct setup_record *record);

/* False: it was not written, or nobody knows. The mark lives as long as nothing else is put. */
bool setup_record_find(
	const struct setup_record *record, const char *path, struct setup_mark *ret_mark);

/* On disk when it returns. A NULL mark forgets the file. 0 or negative errno. */
int setup_record_put(struct setup_record *record, const char *path, const struct setup_mark *mark);

#endif
