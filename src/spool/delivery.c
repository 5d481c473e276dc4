#include "spool/deliveries.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LETTERS_WAITING_MAX_BYTES = 1 << 20 };

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOME_COUNT] = {
		[OUTCOME_DELIVERED] = "delivered",
		[OUTCOME_REJECTED] = "rejected",
		[OUTCOME_DEAD] = "dead",
		[OUTCOME_DROPPED] = "dropped",
		[OUTCOME_DAMAGED] = "damaged",
	};
	return names[outcome];
}

int deliveries_open(const char *directory, struct deliveries **ret)
{
	struct deliveries *deliveries = calloc(1, sizeof *deliveries);
	if (!deliveries)
		return -ENOMEM;
	pthread_mutex_init(&deliveries->lock, NULL);
	buf_init(&deliveries->letters, LETTERS_WAITING_MAX_BYTES, NULL);
	deliveries->dead_max_bytes = UINT64_MAX;
	deliveries->directory = strdup(directory);
	int error = deliveries->directory ? delivery_file_open(deliveries) : -ENOMEM;
	if (error) {
		deliveries_close(deliveries);
		return error;
	}
	*ret = deliveries;
	return 0;
}

static void delivery_free(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->count; i++)
		free(delivery->entries[i].finished);
	free(delivery->entries);
	free(delivery);
}

void deliveries_close(struct deliveries *deliveries)
{
	if (!deliveries)
		return;
	if (deliveries->db)
		deliveries_commit(deliveries);
	sqlite3_close(deliveries->db);
	for (struct delivery *delivery = deliveries->first, *next; delivery; delivery = next) {
		next = delivery->next;
		delivery_free(delivery);
	}
	buf_done(&deliveries->letters);
	pthread_mutex_destroy(&deliveries->lock);
	free(deliveries->directory);
	free(deliveries);
}

void sums_add(struct ledger_sums *to, const struct ledger_sums *more)
{
	to->accepted += more->accepted;
	for (int i = 0; i < OUTCOME_COUNT; i++)
		to->finished[i] += more->finished[i];
}

struct delivery *delivery_find(
	struct deliveries *deliveries, const char *destination, const char *lane)
{
	assert(strlen(destination) <= DELIVERY_NAME_MAX && strlen(lane) <= DELIVERY_NAME_MAX);
	struct delivery *delivery = deliveries->first;
	while (delivery &&
		(strcmp(delivery->destination, destination) != 0 ||
			strcmp(delivery->lane, lane) != 0))
		delivery = delivery->next;
	if (delivery)
		return delivery;
	delivery = calloc(1, sizeof *delivery);
	if (!delivery)
		return NULL;
	delivery->all = deliveries;
	snprintf(delivery->destination, sizeof delivery->destination, "%s", destination);
	snprintf(delivery->lane, sizeof delivery->lane, "%s", lane);
	delivery->cursor = 1;
	delivery->barrier = UINT64_MAX;
	delivery->next = deliveries->first;
	deliveries->first = delivery;
	return delivery;
}

struct delivery *delivery_of(
	struct deliveries *deliveries, const char *destination, const char *lane)
{
	pthread_mutex_lock(&deliveries->lock);
	struct delivery *delivery = delivery_find(deliveries, destination, lane);
	pthread_mutex_unlock(&deliveries->lock);
	return delivery;
}

struct delivery *deliveries_next(
	struct deliveries *deliveries, const char *destination, struct delivery *after)
{
	pthread_mutex_lock(&deliveries->lock);
	struct delivery *at = after ? after->next : deliveries->first;
	while (at && strcmp(at->destination, destination) != 0)
		at = at->next;
	pthread_mutex_unlock(&deliveries->lock);
	return at;
}

const char *delivery_lane(const struct delivery *delivery)
{
	return delivery->lane;
}

void delivery_begin(struct delivery *delivery, unsigned shapes, unsigned signals)
{
	unsigned takes = shapes | signals << SHAPE_BITS;
	pthread_mutex_lock(&delivery->all->lock);
	if (!delivery->counted)
		delivery->counted = delivery->cursor;
	delivery->is_unsettled = delivery->takes != takes;
	delivery->takes = takes;
	delivery->is_live = delivery->is_changed = true;
	pthread_mutex_unlock(&delivery->all->lock);
}

void delivery_yield(struct delivery *delivery)
{
	pthread_mutex_lock(&delivery->all->lock);
	delivery->is_yielding = true;
	pthread_mutex_unlock(&delivery->all->lock);
}

struct ledger_sums delivery_sums(struct delivery *delivery)
{
	pthread_mutex_lock(&delivery->all->lock);
	struct ledger_sums sums = delivery->sums;
	pthread_mutex_unlock(&delivery->all->lock);
	return sums;
}

uint64_t deliveries_end(struct deliveries *deliveries)
{
	uint64_t end = 1;
	pthread_mutex_lock(&deliveries->lock);
	for (const struct delivery *at = deliveries->first; at; at = at->next) {
		if (at->cursor > end)
			end = at->cursor;
		if (at->counted > end)
			end = at->counted;
		if (at->count > 0 && at->entries[at->count - 1].last >= end)
			end = at->entries[at->count - 1].last + 1;
	}
	pthread_mutex_unlock(&deliveries->lock);
	return end;
}

uint64_t delivery_cursor(struct delivery *delivery)
{
	pthread_mutex_lock(&delivery->all->lock);
	uint64_t cursor = delivery->cursor;
	pthread_mutex_unlock(&delivery->all->lock);
	return cursor;
}

bool entry_is_run(const struct entry *entry)
{
	return entry->last > entry->sequence;
}

static bool is_finished(const struct entry *entry)
{
	return entry_is_run(entry) ||
		(entry->range_count == 1 && entry->finished[0].from == 0 &&
			entry->finished[0].to >= entry->units);
}

/* Index of the first entry that ends at or behind `sequence`, or the count. */
static size_t lower_bound(const struct delivery *delivery, uint64_t sequence)
{
	size_t low = 0, high = delivery->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (delivery->entries[middle].last < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *find_entry(const struct delivery *delivery, uint64_t sequence)
{
	size_t at = lower_bound(delivery, sequence);
	bool found = at < delivery->count && delivery->entries[at].sequence <= sequence;
	return found ? &delivery->entries[at] : NULL;
}

/* Finds or makes; NULL: no memory. */
static struct entry *note_entry(struct delivery *delivery, uint64_t sequence)
{
	struct entry *entry = find_entry(delivery, sequence);
	if (entry)
		return entry;
	if (delivery->count == delivery->capacity) {
		size_t capacity = delivery->capacity ? delivery->capacity * 2 : 16;
		struct entry *entries = realloc(delivery->entries, capacity * sizeof *entries);
		if (!entries)
			return NULL;
		delivery->entries = entries;
		delivery->capacity = capacity;
	}
	size_t at = lower_bound(delivery, sequence);
	entry = &delivery->entries[at];
	memmove(entry + 1, entry, (delivery->count++ - at) * sizeof *entry);
	*entry = (struct entry){ .sequence = sequence, .last = sequence };
	return entry;
}

static uint32_t overlap(struct range one, struct range other)
{
	uint32_t from = one.from > other.from ? one.from : other.from;
	uint32_t to = one.to < other.to ? one.to : other.to;
	return to > from ? to - from : 0;
}

/* Adds to the finished ranges, joining what touches. How many were not finished before, or -ENOMEM. */
static int64_t finish_range(struct entry *entry, struct range more)
{
	struct range added = more;
	int64_t count = added.to - added.from;
	uint32_t at = 0, joined = 0;
	while (at < entry->range_count && entry->finished[at].to < more.from)
		at++;
	for (; at + joined < entry->range_count && entry->finished[at + joined].from <= more.to;
		joined++) {
		const struct range *range = &entry->finished[at + joined];
		count -= overlap(*range, added);
		more.from = range->from < more.from ? range->from : more.from;
		more.to = range->to > more.to ? range->to : more.to;
	}
	uint32_t behind = entry->range_count - at - joined;
	if (joined == 0) {
		struct range *ranges =
			realloc(entry->finished, (entry->range_count + 1) * sizeof *ranges);
		if (!ranges)
			return -ENOMEM;
		entry->finished = ranges;
		memmove(ranges + at + 1, ranges + at, behind * sizeof more);
	} else {
		memmove(entry->finished + at + 1, entry->finished + at + joined,
			behind * sizeof more);
	}
	entry->finished[at] = more;
	entry->range_count = at + 1 + behind;
	return count;
}

/*
 * Makes one row of two neighbours that are finished, so that what one late record keeps waiting takes no
 * memory and no place in the file. What the file told of may follow a record that was not read again
 * yet: it is joined with what stands behind it, never with what stands before.
 */
static bool join_with_next(struct delivery *delivery, size_t at)
{
	if (at + 1 >= delivery->count)
		return false;
	struct entry *entry = &delivery->entries[at], *next = entry + 1;
	bool is_done = entry_is_run(entry) || (entry->units > 0 && is_finished(entry));
	bool is_known = next->units > 0 && is_finished(next);
	if (!is_done || !is_known ||
		(delivery->barrier > entry->last && delivery->barrier < next->sequence))
		return false;
	free(entry->finished);
	free(next->finished);
	*entry = (struct entry){ entry->sequence, next->last, 1, 0, NULL };
	memmove(next, next + 1, (--delivery->count - at - 1) * sizeof *next);
	return true;
}

static void join_neighbours(struct delivery *delivery, uint64_t sequence)
{
	size_t at = lower_bound(delivery, sequence);
	join_with_next(delivery, at);
	if (at > 0)
		join_with_next(delivery, at - 1);
}

/*
 * Moves the cursor over what is finished. An entry that the file told of and that was not expected
 * again, though later ones were, is a record that is gone.
 */
static void move_cursor(struct delivery *delivery)
{
	uint64_t expected = 0; /* the last one that was */
	for (size_t i = delivery->count; i-- > 0 && !expected;)
		if (delivery->entries[i].units > 0)
			expected = delivery->entries[i].last;
	size_t gone = 0;
	for (; gone < delivery->count; gone++) {
		struct entry *entry = &delivery->entries[gone];
		bool is_past = entry->sequence < delivery->cursor ||
			(entry->units > 0 ? is_finished(entry) : entry->sequence < expected);
		if (!is_past || entry->sequence >= delivery->barrier)
			break;
		if (entry->last >= delivery->cursor)
			delivery->cursor = entry->last + 1;
		free(entry->finished);
	}
	delivery->count -= gone;
	if (delivery->count > 0)
		memmove(delivery->entries, delivery->entries + gone,
			delivery->count * sizeof *delivery->entries);
}

void delivery_pass(struct delivery *delivery, uint64_t below)
{
	delivery->cursor = below;
	delivery->is_changed = true;
	move_cursor(delivery);
}

void delivery_advance(struct delivery *delivery, uint64_t sequence)
{
	pthread_mutex_lock(&delivery->all->lock);
	if (sequence > delivery->barrier)
		sequence = delivery->barrier;
	for (size_t i = 0; i < delivery->count; i++) {
		const struct entry *entry = &delivery->entries[i];
		if (entry->units > 0 && !is_finished(entry) && entry->sequence < sequence)
			sequence = entry->sequence;
	}
	if (sequence > delivery->cursor) {
		delivery->cursor = sequence;
		delivery->is_changed = true;
		move_cursor(delivery);
	}
	pthread_mutex_unlock(&delivery->all->lock);
}

void delivery_expect(struct delivery *delivery, uint64_t sequence, uint32_t span_count)
{
	pthread_mutex_lock(&delivery->all->lock);
	if (sequence >= delivery->cursor) {
		struct entry *entry = note_entry(delivery, sequence);
		if (!entry && sequence < delivery->barrier)
			delivery->barrier = sequence;
		if (entry && !entry_is_run(entry))
			entry->units = span_count > 0 ? span_count : 1;
		move_cursor(delivery);
		delivery->is_changed = true;
	}
	pthread_mutex_unlock(&delivery->all->lock);
}

int delivery_add_finished(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to)
{
	struct entry *entry = note_entry(delivery, sequence);
	if (entry && entry_is_run(entry))
		return 0;
	return !entry || finish_range(entry, (struct range){ from, to }) < 0 ? -ENOMEM : 0;
}

int delivery_add_run(struct delivery *delivery, uint64_t first, uint64_t last)
{
	struct entry *entry = note_entry(delivery, first);
	if (entry && last > entry->last)
		entry->last = last;
	return entry ? 0 : -ENOMEM;
}

void delivery_finish(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to,
	enum outcome outcome)
{
	struct entry *entry = find_entry(delivery, sequence);
	if (!entry || entry_is_run(entry) || from >= to)
		return;
	int64_t count = finish_range(entry, (struct range){ from, to });
	if (count < 0) /* it stays open, and is sent again after a restart */
		return;
	delivery->sums.finished[outcome] += count;
	delivery->pending.finished[outcome] += count;
	join_neighbours(delivery, sequence);
	move_cursor(delivery);
	delivery->is_changed = true;
}

void delivery_mark(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to,
	enum outcome outcome)
{
	pthread_mutex_lock(&delivery->all->lock);
	/* A record without spans is one unit. */
	delivery_finish(delivery, sequence, from, to > 0 ? to : 1, outcome);
	pthread_mutex_unlock(&delivery->all->lock);
}

bool delivery_open_range(struct delivery *delivery, uint64_t sequence, uint32_t span_count,
	uint32_t at, uint32_t *ret_from, uint32_t *ret_to)
{
	uint32_t units = span_count > 0 ? span_count : 1, to = units;
	pthread_mutex_lock(&delivery->all->lock);
	const struct entry *entry = find_entry(delivery, sequence);
	if (sequence < delivery->cursor || (entry && entry_is_run(entry)))
		at = units;
	for (uint32_t i = 0; entry && i < entry->range_count; i++) {
		const struct range *range = &entry->finished[i];
		if (range->from > at) {
			to = range->from < to ? range->from : to;
			break;
		}
		if (range->to > at)
			at = range->to;
	}
	pthread_mutex_unlock(&delivery->all->lock);
	if (at >= units)
		return false;
	*ret_from = at;
	*ret_to = to;
	return true;
}

uint32_t delivery_give_up(
	struct delivery *delivery, uint64_t sequence, uint32_t span_count, enum outcome outcome)
{
	uint32_t from, to = 0, count = 0;
	while (delivery_open_range(delivery, sequence, span_count, to, &from, &to)) {
		delivery_expect(delivery, sequence, span_count);
		delivery_mark(delivery, sequence, from, to, outcome);
		count += to - from;
	}
	return count;
}
