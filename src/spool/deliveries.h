/*
 * The inside of delivery: its state in memory (delivery.c, dead_letter.c), its SQLite file
 * (delivery_file.c), and its books (ledger.c).
 */
#ifndef TG_SPOOL_DELIVERIES_H
#define TG_SPOOL_DELIVERIES_H

#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>

#include "base/buf.h"
#include "spool/dead_letter.h"
#include "spool/delivery.h"

enum { LEDGER_MINUTES = 90 * 24 * 60 }; /* how long the ledger is kept by the minute */
enum { SHAPE_BITS = 3 };                /* of enum shape, or-ed */

/* Spans [from, to) of a record. */
struct range {
	uint32_t from, to;
};

/* A record at or beyond the cursor; or a row of them, all finished. */
struct entry {
	uint64_t sequence;
	uint64_t last;  /* of the row; else the same */
	uint32_t units; /* spans, at least 1; 0 when known from the file and not expected yet */
	uint32_t range_count;
	struct range *finished; /* in order, apart from each other; nothing for a row */
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

	/* Its books. */
	bool is_live;      /* delivery_begin was called */
	bool is_yielding;  /* as delivery_yield says */
	bool is_unsettled; /* they cannot add up, for a cause that is known: ledger.c settles them */
	unsigned takes; /* shapes, and signals above them; as the file says until delivery_begin */
	uint64_t settled_below; /* what went below is booked */
	uint64_t counted; /* sequence up to which sums.accepted has everything; 0: no books yet */
	struct ledger_sums sums;
	struct ledger_sums pending; /* of them, what is not in the file yet */
};

/* What is to be done to the index of dead letters, or is held back until somebody is done with a letter. */
struct letter_change {
	struct dead_letter letter;
	enum { LETTER_STAYS, LETTER_PUT, LETTER_REMOVE } action;
	bool is_held;
	uint64_t serial; /* of this change */
};

struct deliveries {
	char *directory;
	pthread_mutex_t lock;
	struct delivery *first; /* guarded by lock, as all below */
	struct buf letters;     /* struct letter_change, until they are in the file */
	uint64_t letter_serial;
	uint64_t dead_bytes, dead_max_bytes; /* of all letters */

	/* Of the thread that commits. */
	sqlite3 *db;
	uint64_t pruned_minute;
	uint64_t
		needed_from; /* as of the last commit: no start needs a record below. 0: nobody said */
};

/* With lock held, or before there are threads; NULL: no memory. */
struct delivery *delivery_find(
	struct deliveries *deliveries, const char *destination, const char *lane);
int delivery_add_finished(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to);
int delivery_add_run(struct delivery *delivery, uint64_t first, uint64_t last);

/* With lock held. */
void delivery_finish(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to,
	enum outcome outcome);
bool entry_is_run(const struct entry *entry);
void delivery_pass(struct delivery *delivery, uint64_t below);
void sums_add(struct ledger_sums *to, const struct ledger_sums *more);
struct letter_change *letter_find(struct deliveries *deliveries, const struct dead_letter *letter);

/* These changes are in the file: deletes what was removed, forgets what did not change again. */
void letters_committed(struct deliveries *deliveries, struct bytes changes);

/* Opens the file and fills `deliveries` from it; what is damaged or not ours is moved aside. */
int delivery_file_open(struct deliveries *deliveries);

/*
 * Questions to the file, from any thread, as of the last commit. 0 or negative errno.
 *
 *   after  the letter behind which to begin; NULL: with the first
 */
int delivery_file_sums(struct deliveries *deliveries, uint64_t before_minute,
	void (*each)(void *arg, const char *destination, const char *lane,
		const struct ledger_sums *sums),
	void *arg);
int delivery_file_letters(struct deliveries *deliveries, const struct dead_letter *after,
	int (*each)(void *arg, const struct dead_letter *letter), void *arg);
/* -ENOENT: there is none with the name that `letter` has. */
int delivery_file_letter(struct deliveries *deliveries, struct dead_letter *letter);

#endif
