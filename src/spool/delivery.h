/*
 * Who has what: per destination and lane a cursor, what beyond it is already delivered, a ledger per
 * minute, and the index of dead letters.
 *
 * It lives in memory, where exporters change it, and is written to SQLite in one transaction a second
 * and at stop. It is derived state: losing the file costs records sent twice, never data.
 *
 * Threads: the functions of struct delivery may be called from any thread; they take a short lock and
 * never touch the disk. open, commit and close belong to one thread.
 */
#ifndef TG_SPOOL_DELIVERY_H
#define TG_SPOOL_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

struct deliveries;

/* Opens (or makes, or replaces when it is damaged: a log line) delivery.sqlite in `directory`. */
int deliveries_open(const char *directory, struct deliveries **ret);
/* Writes what changed. Negative errno: it is not written, and is tried again by the next commit. */
int deliveries_commit(struct deliveries *deliveries);
/* Commits. */
void deliveries_close(struct deliveries *deliveries);

/*
 * The state of one destination and lane (names of at most 63 bytes); made on first use, lives as long as
 * `deliveries`. NULL: no memory.
 */
struct delivery;
struct delivery *delivery_of(
	struct deliveries *deliveries, const char *destination, const char *lane);

/* Above every number that any destination knows of, for spool_begin_at; at least 1. */
uint64_t deliveries_end(struct deliveries *deliveries);

/* Every record below is finished here; 1 for a new destination. */
uint64_t delivery_cursor(struct delivery *delivery);

/*
 * The cursor for a destination that was never seen before begins where the log begins; this moves it
 * up, and never down. Called with the reader's position while nothing is outstanding.
 */
void delivery_advance(struct delivery *delivery, uint64_t sequence);

enum outcome {
	OUTCOME_DELIVERED,
	OUTCOME_REJECTED, /* counted by the destination's partial success: gone, and known to be */
	OUTCOME_DEAD,     /* set aside as a dead letter */
	OUTCOME_DROPPED,  /* over the destination's share of the disk */
};

/*
 * Spans [from, to) of a record are finished. When all span_count are, the record is, and the cursor
 * moves over every finished record that follows it without a gap — a gap being a sequence that
 * delivery_expect named and that is not finished. A record without spans counts as one: [0, 1).
 *
 * Expect is called for each record that a reader gives, in order, again after a seek or a restart too;
 * `count` is what the ledger adds, and may differ from to - from (partial success).
 */
void delivery_expect(struct delivery *delivery, uint64_t sequence, uint32_t span_count);
void delivery_mark(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to,
	enum outcome outcome, uint32_t count);

/*
 * Which spans of a record are not finished yet, after a restart too: the first such range at or after
 * `at`. False when there is none.
 */
bool delivery_open_range(struct delivery *delivery, uint64_t sequence, uint32_t span_count,
	uint32_t at, uint32_t *ret_from, uint32_t *ret_to);

/* Accepted by a door, for the ledger. */
void deliveries_accepted(struct deliveries *deliveries, const char *lane, uint32_t span_count);

struct ledger_totals {
	uint64_t accepted; /* since the ledger began, all lanes */
	uint64_t delivered;
	uint64_t rejected;
	uint64_t dead;
	uint64_t dropped;
};
/*   destination  NULL: only `accepted` is set */
struct ledger_totals deliveries_totals(struct deliveries *deliveries, const char *destination);

/*
 * A request that a destination will never take: its encoded bytes go to a file of their own under
 * <directory>/dead/<destination>/, at once and durably, named by record and span, so that doing it
 * twice is the same as once; the index row follows with the next commit.
 *
 *   status   HTTP status, 0 when there was none
 *   reason   a few words, from us; never from the payload
 *
 * 0 or negative errno, -ENOSPC when all letters would be more than deliveries_limit_dead allows; only
 * after 0 may the spans be marked OUTCOME_DEAD.
 */
int delivery_set_aside(struct delivery *delivery, uint64_t sequence, uint32_t span,
	const void *request, uint32_t request_bytes, int status, const char *reason);

/* Bounds what dead letters may take together; without it they are not bounded. Once, at start. */
void deliveries_limit_dead(struct deliveries *deliveries, uint64_t max_bytes);

#endif
