/*
 * Dead letters: requests that a destination refused for good, each a file and a row of the index, kept
 * until a person says what shall become of them.
 *
 * Who changes one holds it first, so that two never send it at once. What becomes of it is written with
 * the next commit, in the same transaction as the ledger; until then a crash leaves the letter as it was,
 * and it may be sent again.
 *
 * Threads: all from any; they read the index over a connection of their own.
 */
#ifndef TG_SPOOL_DEAD_LETTER_H
#define TG_SPOOL_DEAD_LETTER_H

#include "base/buf.h"
#include "batch.h"
#include "spool/delivery.h"
#include "spool/spool.h"

enum { DEAD_REASON_MAX = 127, DEAD_ID_MAX = DELIVERY_NAME_MAX + 40 };

struct dead_letter {
	char destination[DELIVERY_NAME_MAX + 1], lane[DELIVERY_NAME_MAX + 1];
	uint64_t sequence;   /* the record that it was in, */
	uint32_t span;       /* and its first span there */
	uint32_t span_count; /* 1 for what has no spans */
	enum signal signal;
	enum encoding encoding;
	uint32_t bytes;
	uint64_t time_ns;                 /* when it was refused last */
	int status;                       /* HTTP; 0 when there was none */
	char reason[DEAD_REASON_MAX + 1]; /* a few words, from us; never from the payload */
};

/* "tempo/17-4": destination, record and span. Returns `out`. */
const char *dead_letter_id(const struct dead_letter *letter, char out[DEAD_ID_MAX]);

/*
 * The letters in the order of destination, record and span.
 *
 *   after   id of the letter behind which to begin; NULL: with the first
 *   each    returns other than 0 to end it, which is returned
 *
 * 0, -EINVAL when `after` is no id, -EIO and the like when the index cannot be read.
 */
int dead_letters_list(struct deliveries *deliveries, const char *after,
	int (*each)(void *arg, const struct dead_letter *letter), void *arg);

/* -EINVAL: no id; -ENOENT. */
int dead_letter_find(struct deliveries *deliveries, const char *id, struct dead_letter *ret_letter);

/* Appends its request. -ENOENT when the file is gone. */
int dead_letter_read(
	struct deliveries *deliveries, const struct dead_letter *letter, struct buf *request);

/* Finds it and keeps others from changing it. -EBUSY when somebody holds it; -ENOMEM. */
int dead_letter_hold(struct deliveries *deliveries, const char *id, struct dead_letter *ret_letter);

/* Ends the hold: it stays, with status, reason and time as they are in `letter` now. */
void dead_letter_keep(struct deliveries *deliveries, const struct dead_letter *letter);

/* Ends the hold: it is gone, and its spans are no longer dead but `outcome`. */
void dead_letter_end(
	struct deliveries *deliveries, const struct dead_letter *letter, enum outcome outcome);

#endif
