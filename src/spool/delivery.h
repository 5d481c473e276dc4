/*
 * Who has what: per destination and lane a cursor, what beyond it is already delivered, and what became
 * of every span.
 *
 * It lives in memory, where exporters change it, and is written to SQLite in one transaction a second
 * and at stop. It is derived state: losing the file costs records sent twice, never data. All of a
 * moment is written together, so that after a crash cursor and sums are old together.
 *
 * Threads: the functions of struct delivery may be called from any thread; they take a short lock and
 * never touch the disk. open, commit and close belong to one thread.
 */
#ifndef TG_SPOOL_DELIVERY_H
#define TG_SPOOL_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { DELIVERY_NAME_MAX = 63 };

struct dead_letter;
struct deliveries;

/* Opens (or makes, or replaces when it is damaged: a log line) delivery.sqlite in `directory`. */
int deliveries_open(const char *directory, struct deliveries **ret);
/*
 * Writes what changed; the daemon does it by ledger_commit. Negative errno: it is not written, and is
 * tried again by the next commit.
 */
int deliveries_commit(struct deliveries *deliveries);
/* Commits. */
void deliveries_close(struct deliveries *deliveries);

/*
 * The state of one destination and lane (names of at most DELIVERY_NAME_MAX bytes); made on first use,
 * lives as long as `deliveries`. NULL: no memory.
 */
struct delivery;
struct delivery *delivery_of(
	struct deliveries *deliveries, const char *destination, const char *lane);

/*
 * The states of one destination, those of former starts too.
 *
 *   after  the one behind which to go on; NULL: from the first
 */
struct delivery *deliveries_next(
	struct deliveries *deliveries, const char *destination, struct delivery *after);
const char *delivery_lane(const struct delivery *delivery);

/*
 * It takes part from here on: records of these shapes (or-ed) and signals (1 << enum signal, or-ed) in its
 * lane are booked as accepted for it, and kept until they are finished. Once at each start.
 */
void delivery_begin(struct delivery *delivery, unsigned shapes, unsigned signals);

/* The log need not keep for it what it has not finished: what goes before is dropped. After delivery_begin. */
void delivery_yield(struct delivery *delivery);

/* Above every number that any destination knows of, for spool_begin_at; at least 1. */
uint64_t deliveries_end(struct deliveries *deliveries);

/* Every record below is finished here; 1 for a new destination. */
uint64_t delivery_cursor(struct delivery *delivery);

/*
 * The cursor for a destination that was never seen before begins where the log begins; this moves it
 * up, and never down, nor over what is expected and not finished. Called with the position of a reader that
 * has nothing outstanding.
 */
void delivery_advance(struct delivery *delivery, uint64_t sequence);

enum outcome {
	OUTCOME_DELIVERED,
	OUTCOME_REJECTED, /* counted by the destination's partial success: gone, and known to be */
	OUTCOME_DEAD,     /* set aside as a dead letter */
	OUTCOME_DROPPED,  /* over the destination's share of the disk */
	OUTCOME_DAMAGED,  /* could not be read from the disk any more */
	OUTCOME_COUNT,
};

/* The word for it, as in the ledger and in JSON: "delivered". */
const char *outcome_name(enum outcome outcome);

/*
 * Spans [from, to) of a record are finished. When all span_count are, the record is, and the cursor
 * moves over every finished record that follows it without a gap — a gap being a sequence that
 * delivery_expect named and that is not finished. A record without spans counts as one: [0, 1).
 *
 * Expect is called for each record that a reader gives, in order, again after a seek or a restart too.
 * What is finished already is not counted again, whatever is said about it later.
 */
void delivery_expect(struct delivery *delivery, uint64_t sequence, uint32_t span_count);
void delivery_mark(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to,
	enum outcome outcome);

/* Expects a record and finishes all that is open of it. Returns the number of spans. */
uint32_t delivery_give_up(
	struct delivery *delivery, uint64_t sequence, uint32_t span_count, enum outcome outcome);

/*
 * Which spans of a record are not finished yet, after a restart too: the first such range at or after
 * `at`. False when there is none.
 */
bool delivery_open_range(struct delivery *delivery, uint64_t sequence, uint32_t span_count,
	uint32_t at, uint32_t *ret_from, uint32_t *ret_to);

/*
 * A request that a destination will never take becomes a dead letter, and its spans are finished so. Its
 * bytes go to a file of their own under <directory>/dead/<destination>/, at once and durably, named by
 * record and span, so that doing it twice is the same as once; the index row follows with the commit.
 *
 *   letter  all but destination, lane, time and size
 *
 * 0 or negative errno, and then nothing is finished: -ENOSPC when all letters would be more than
 * deliveries_limit_dead allows.
 */
int delivery_set_aside(
	struct delivery *delivery, const struct dead_letter *letter, struct bytes request);

/* Bounds what dead letters may take together; without it they are not bounded. Once, at start. */
void deliveries_limit_dead(struct deliveries *deliveries, uint64_t max_bytes);

/*
 * Spans of one destination and lane since the ledger began; a record without spans counts as one. Those
 * of a part of the time may be negative: a letter that was delivered after all is dead no more.
 */
struct ledger_sums {
	int64_t accepted;
	int64_t finished[OUTCOME_COUNT];
};
struct ledger_sums delivery_sums(struct delivery *delivery);

#endif
