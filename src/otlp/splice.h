/*
 * A message rewritten without being decoded: the input, with some ranges left out, others put in, and
 * the lengths of the messages around each change corrected. All other bytes leave as they came —
 * unknown fields, field order, duplicates, overlong varints.
 *
 * Two variants are made in one walk: edits for BOTH, and edits for the SECOND alone (Langfuse's
 * repaired copy).
 */
#ifndef TG_OTLP_SPLICE_H
#define TG_OTLP_SPLICE_H

#include "base/arena.h"
#include "otlp/wire.h"

enum splice_variant { SPLICE_BOTH, SPLICE_SECOND };

enum { SPLICE_MAX_OPEN = 8 };

struct edit {
	const uint8_t *at;   /* in the input */
	size_t cut;          /* bytes left out from there */
	struct bytes put[2]; /* what comes instead, in the first and the second variant */
	uint32_t order;      /* of two at the same place the earlier one comes first */
	bool second_only;
};

struct splice {
	struct arena *arena; /* holds the edits and what is put in; its error is the splice's */
	struct bytes input;
	struct edit *edits; /* by `at` */
	size_t count, capacity;
	struct {
		size_t edit; /* of its length */
		struct field message;
		int64_t growth[2];
	} open[SPLICE_MAX_OPEN];
	unsigned depth;
	bool second_differs;
};

void splice_init(struct splice *splice, struct arena *arena, struct bytes input);

/*
 * Edits lie between the open and the close of every message around them, and messages are opened in
 * the order of the input. Inside the innermost message edits may come in any order.
 */
void splice_open(struct splice *splice, const struct field *message);
void splice_close(struct splice *splice);

/* `put` must live as long as the splice. Edits must not overlap. */
void splice_edit(struct splice *splice, enum splice_variant variant, const uint8_t *at, size_t cut,
	struct bytes put);

/*
 * Bytes that have no edits are not copied: then this is the input itself. NULL .at on arena error, which is
 * -EINVAL where edits overlap.
 */
struct bytes splice_write(const struct splice *splice, bool second);

#endif
