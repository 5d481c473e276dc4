/*
 * Ids are hashes of what the CLI itself wrote: SHA-256 of "tollgate/1" and parts, a NUL before each part, of
 * which the first bytes are taken.
 */
#ifndef TG_SYNTHESIZE_IDS_H
#define TG_SYNTHESIZE_IDS_H

#include <openssl/evp.h>

#include "base/bytes.h"

struct ids {
	EVP_MD_CTX *context;
	EVP_MD *sha256;
	struct bytes cli, session; /* parts of every id */
	int error;                 /* -ENOMEM: some id is not what it should be */
};

void ids_init(struct ids *ids, struct bytes cli, struct bytes session);
void ids_done(struct ids *ids);

/* The id of a kind of thing ("turn") of this CLI and session, never all zero. */
void ids_make(struct ids *ids, const char *kind, const struct bytes *parts, size_t count,
	uint8_t *ret_id, size_t size);

/* SHA-256 of a text in hex. */
enum { DIGEST_TEXT = 64 };
void ids_digest(struct ids *ids, struct bytes text, char ret_hex[DIGEST_TEXT]);

#endif
