/*
 * Whose a key is. Keys are kept as SHA-256 alone, and a question looks at all of its kind, so that neither memory
 * nor the time of an answer says anything of them. Being random, they need no slower hash.
 *
 * A file of gateway keys has a line for each, NAME sha256:HEX, as `tollgate key` prints it; lines that are blank
 * or begin with # say nothing. The name is for who reads the file.
 */
#ifndef TG_ACCESS_KEYS_H
#define TG_ACCESS_KEYS_H

#include "base/buf.h"
#include "base/complaint.h"

enum {
	KEY_HASH_BYTES = 32,
	KEY_NAME_MAX = 64,
	KEYS_MAX_LINES = 10000,        /* of one file */
	KEYS_FILE_MAX_BYTES = 4 << 20, /* comments included */
};

enum key_kind {
	KEY_GATEWAY,
	KEY_PUBLIC, /* of a project's pair; lets nobody in */
	KEY_PAIR,   /* public:secret */
	KEY_KIND_COUNT,
};

struct key {
	uint8_t hash[KEY_HASH_BYTES];
	unsigned project; /* a number of the caller's */
	unsigned line;    /* of its file; 0: it came from none */
};

/* Begins all zero. */
struct keyring {
	struct keys {
		struct key *at;
		size_t count, capacity;
	} of[KEY_KIND_COUNT];
};
void keyring_done(struct keyring *keys);

/* 0 or -ENOMEM. */
int key_hash(struct bytes key, uint8_t ret_hash[KEY_HASH_BYTES]);
int keyring_add(struct keyring *keys, enum key_kind kind, struct bytes key, unsigned project);

/*
 * Adds the gateway keys that a file lists. 0, -ENOMEM, or -EINVAL with words and a line, which say nothing of
 * what stands there: it may be a key.
 */
int keyring_read(
	struct keyring *keys, struct bytes text, unsigned project, struct complaint *complaint);
int keyring_read_file(
	struct keyring *keys, const char *path, unsigned project, struct complaint *complaint);

/*
 * Whether two lines have the same gateway key: the first such two, in the order of projects and lines. Puts the
 * keys into another order.
 */
bool keyring_has_twins(struct keyring *keys, struct key ret_twins[2]);

/* The project of a key, or -ENOENT. */
int keyring_find(
	const struct keyring *keys, enum key_kind kind, const uint8_t hash[KEY_HASH_BYTES]);

/* Whether a key may be called so: 1 to 64 letters, digits and . _ @ - */
bool key_is_name(struct bytes text);

/* The line of a file, with its end. 0 or -ENOMEM. */
int key_write_line(const char *name, struct bytes key, struct buf *line);

#endif
