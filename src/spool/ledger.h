/*
 * The ledger: proves for each destination and lane that nothing is lost,
 *
 *   accepted = delivered + rejected + dead + dropped + damaged + waiting
 *
 * Three sources that know nothing of each other meet in it. `accepted` is counted from the heads of the
 * log's records, up to a number that is committed beside it: what was not counted before a crash is
 * counted after it. What became of spans is booked where it happens, in one transaction with the
 * cursors. `waiting` is measured, when somebody asks, by reading the heads from the cursor on.
 *
 * So that this holds after a crash as well, the log lets nothing go before it is committed that nobody
 * needs it. It lets go all the same when a commit fails: a full disk must be drained, be the books right
 * or not.
 *
 * Only what is known to be gone is ever settled, with a line in the log: records that went before their
 * destination came, came back or took them, and records whose heads cannot be read.
 *
 * Threads: open, begin, commit and free belong to the thread that commits; ledger_read to any.
 */
#ifndef TG_SPOOL_LEDGER_H
#define TG_SPOOL_LEDGER_H

#include "spool/delivery.h"

struct ledger;
struct spool;

/* Before spool_write, and freed after it. Both outlive it. 0 or -ENOMEM. */
int ledger_open(struct spool *spool, struct deliveries *deliveries, struct ledger **ret_ledger);
void ledger_free(struct ledger *ledger);

/* When every destination has begun (delivery_begin), and before spool_write. 0 or -ENOMEM. */
int ledger_begin(struct ledger *ledger);

/* Counts what came, deliveries_commit, and lets go. Each second, and at the end. As deliveries_commit. */
int ledger_commit(struct ledger *ledger);

/* The books of one destination and lane, all of one moment. */
struct balance {
	char destination[DELIVERY_NAME_MAX + 1], lane[DELIVERY_NAME_MAX + 1];
	bool is_live; /* false: not configured any more; what it left behind is not measured */
	struct ledger_sums sums; /* since the ledger began, or since the time that was asked for */
	int64_t waiting_before;  /* at that time; 0 when the ledger began */
	int64_t waiting;         /* by the books */
	int64_t measured;        /* in the log; as `waiting` when it was not asked for */
	uint64_t records, bytes; /* that hold them; measured */
	uint64_t oldest_ns;      /* received_ns of the first of them; 0: none. Measured */
};

/*
 * The books, in an array to be freed. The difference of `waiting` and `measured` is what does not add up;
 * it is exact while data flows, because what comes meanwhile is in both or in neither.
 *
 *   since_ns     sums from the minute of this time on; 0: all
 *   is_measured  reads the log from the oldest cursor to where it ends now, which takes its time when much
 *                waits, however much comes meanwhile
 *
 * 0 or negative errno.
 */
int ledger_read(struct ledger *ledger, uint64_t since_ns, bool is_measured,
	struct balance **ret_balances, size_t *ret_count);

/* The earliest time for ledger_read, older ones are kept as one sum; a whole minute, not after since_ns. */
uint64_t ledger_since(uint64_t since_ns);

#endif
