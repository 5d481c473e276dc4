/* The inside of delivery: its state in memory (delivery.c) and its SQLite file (delivery_file.c). */
#ifndef TG_SPOOL_DELIVERIES_H
#define TG_SPOOL_DELIVERIES_H

#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>

#include "base/buf.h"
#include "spool/delivery.h"

enum { DELIVERY_NAME_MAX = 63 };

/* Spans [from, to) of a record. */
struct range {
	uint32_t from, to;
};

/* A record at or beyond the cursor. */
struct entry {
	uint64_t sequence;
	uint32_t units; /* spans, at least 1; 0 when known from the file and not expected yet */
	uint32_t range_count;
	struct range *finished; /* in order, apart from each other */
};

/* All guarded by deliveries->lock but the names, which never change. */
struct delivery {
	struct deliveries *all;
	struct delivery *next;
	char destination[DELIVERY_NAME_MAX + 1];
	char lane[DELIVERY_NAME_MAX + 1];
	uint64_t cursor;
	uint64_t barrier; /* a record that could not be noted: the cursor stays at or below it */
	struct entry *entries; /* in order */
	size_t count, capacity;
	bool is_changed; /* since the last commit */
	struct ledger *ledger;
};

/* Of one destination; the one with no name has what was accepted. */
struct ledger {
	struct ledger *next;
	char destination[DELIVERY_NAME_MAX + 1];
	struct ledger_totals totals;
	struct ledger_totals pending; /* of them, what is not in the file yet */
};

struct dead_letter {
	char destination[DELIVERY_NAME_MAX + 1], lane[DELIVERY_NAME_MAX + 1], reason[128];
	uint64_t sequence, time_ns;
	uint32_t span, bytes;
	int status;
};

struct deliveries {
	char *directory;
	pthread_mutex_t lock;
	struct delivery *first; /* guarded by lock, as all below */
	struct ledger *ledgers;
	struct buf dead;                     /* struct dead_letter, not in the file yet */
	uint64_t dead_bytes, dead_max_bytes; /* of all letters */

	/* Of the thread that commits. */
	sqlite3 *db;
	uint64_t pruned_minute;
};

/* With lock held, or before there are threads; NULL: no memory. */
struct delivery *delivery_find(
	struct deliveries *deliveries, const char *destination, const char *lane);
struct ledger *ledger_find(struct deliveries *deliveries, const char *destination);
int delivery_add_finished(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to);
void ledger_add(struct ledger_totals *to, const struct ledger_totals *more);

/* Opens the file and fills `deliveries` from it; what is damaged or not ours is moved aside. */
int delivery_file_open(struct deliveries *deliveries);

#endif
