#include "spool/deliveries.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/files.h"

enum { DEAD_PENDING_MAX_BYTES = 1 << 20 };

int deliveries_open(const char *directory, struct deliveries **ret)
{
	struct deliveries *deliveries = calloc(1, sizeof *deliveries);
	if (!deliveries)
		return -ENOMEM;
	pthread_mutex_init(&deliveries->lock, NULL);
	buf_init(&deliveries->dead, DEAD_PENDING_MAX_BYTES, NULL);
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
	for (struct ledger *ledger = deliveries->ledgers, *next; ledger; ledger = next) {
		next = ledger->next;
		free(ledger);
	}
	buf_done(&deliveries->dead);
	pthread_mutex_destroy(&deliveries->lock);
	free(deliveries->directory);
	free(deliveries);
}

struct ledger *ledger_find(struct deliveries *deliveries, const char *destination)
{
	struct ledger *ledger = deliveries->ledgers;
	while (ledger && strcmp(ledger->destination, destination) != 0)
		ledger = ledger->next;
	if (ledger || !(ledger = calloc(1, sizeof *ledger)))
		return ledger;
	snprintf(ledger->destination, sizeof ledger->destination, "%s", destination);
	ledger->next = deliveries->ledgers;
	deliveries->ledgers = ledger;
	return ledger;
}

void ledger_add(struct ledger_totals *to, const struct ledger_totals *more)
{
	to->accepted += more->accepted;
	to->delivered += more->delivered;
	to->rejected += more->rejected;
	to->dead += more->dead;
	to->dropped += more->dropped;
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
	struct ledger *ledger = ledger_find(deliveries, destination);
	delivery = ledger ? calloc(1, sizeof *delivery) : NULL;
	if (!delivery)
		return NULL;
	delivery->all = deliveries;
	snprintf(delivery->destination, sizeof delivery->destination, "%s", destination);
	snprintf(delivery->lane, sizeof delivery->lane, "%s", lane);
	delivery->cursor = 1;
	delivery->barrier = UINT64_MAX;
	delivery->ledger = ledger;
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

uint64_t deliveries_end(struct deliveries *deliveries)
{
	uint64_t end = 1;
	pthread_mutex_lock(&deliveries->lock);
	for (const struct delivery *at = deliveries->first; at; at = at->next) {
		if (at->cursor > end)
			end = at->cursor;
		if (at->count > 0 && at->entries[at->count - 1].sequence >= end)
			end = at->entries[at->count - 1].sequence + 1;
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

static bool is_finished(const struct entry *entry)
{
	return entry->range_count == 1 && entry->finished[0].from == 0 &&
		entry->finished[0].to >= entry->units;
}

/* Index of the first entry at or behind `sequence`, or the count. */
static size_t lower_bound(const struct delivery *delivery, uint64_t sequence)
{
	size_t low = 0, high = delivery->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (delivery->entries[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *find_entry(const struct delivery *delivery, uint64_t sequence)
{
	size_t at = lower_bound(delivery, sequence);
	bool found = at < delivery->count && delivery->entries[at].sequence == sequence;
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
	*entry = (struct entry){ .sequence = sequence };
	return entry;
}

/* Adds [from, to) to the finished ranges, joining what touches. */
static int finish_range(struct entry *entry, struct range more)
{
	uint32_t at = 0, joined = 0;
	while (at < entry->range_count && entry->finished[at].to < more.from)
		at++;
	for (; at + joined < entry->range_count && entry->finished[at + joined].from <= more.to;
		joined++) {
		const struct range *range = &entry->finished[at + joined];
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
	}
	memmove(entry->finished + at + 1, entry->finished + at + joined, behind * sizeof more);
	entry->finished[at] = more;
	entry->range_count = at + 1 + behind;
	return 0;
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
			expected = delivery->entries[i].sequence;
	size_t gone = 0;
	for (; gone < delivery->count; gone++) {
		struct entry *entry = &delivery->entries[gone];
		bool is_past = entry->sequence < delivery->cursor ||
			(entry->units > 0 ? is_finished(entry) : entry->sequence < expected);
		if (!is_past || entry->sequence >= delivery->barrier)
			break;
		if (entry->sequence >= delivery->cursor)
			delivery->cursor = entry->sequence + 1;
		free(entry->finished);
	}
	delivery->count -= gone;
	if (delivery->count > 0)
		memmove(delivery->entries, delivery->entries + gone,
			delivery->count * sizeof *delivery->entries);
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
		if (entry)
			entry->units = span_count > 0 ? span_count : 1;
		else if (sequence < delivery->barrier)
			delivery->barrier = sequence;
		move_cursor(delivery);
		delivery->is_changed = true;
	}
	pthread_mutex_unlock(&delivery->all->lock);
}

int delivery_add_finished(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to)
{
	struct entry *entry = note_entry(delivery, sequence);
	return entry ? finish_range(entry, (struct range){ from, to }) : -ENOMEM;
}

static uint64_t *count_of(struct ledger_totals *totals, enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_DELIVERED:
		return &totals->delivered;
	case OUTCOME_REJECTED:
		return &totals->rejected;
	case OUTCOME_DEAD:
		return &totals->dead;
	case OUTCOME_DROPPED:
		break;
	}
	return &totals->dropped;
}

void delivery_mark(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to,
	enum outcome outcome, uint32_t count)
{
	pthread_mutex_lock(&delivery->all->lock);
	*count_of(&delivery->ledger->totals, outcome) += count;
	*count_of(&delivery->ledger->pending, outcome) += count;
	struct entry *entry = find_entry(delivery, sequence);
	if (to == 0)
		to = 1; /* a record without spans is one unit */
	if (entry && from < to) {
		/* Without memory the record stays open, and is sent again after a restart. */
		finish_range(entry, (struct range){ from, to });
		move_cursor(delivery);
		delivery->is_changed = true;
	}
	pthread_mutex_unlock(&delivery->all->lock);
}

bool delivery_open_range(struct delivery *delivery, uint64_t sequence, uint32_t span_count,
	uint32_t at, uint32_t *ret_from, uint32_t *ret_to)
{
	uint32_t units = span_count > 0 ? span_count : 1, to = units;
	pthread_mutex_lock(&delivery->all->lock);
	const struct entry *entry = find_entry(delivery, sequence);
	if (sequence < delivery->cursor)
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

void deliveries_accepted(struct deliveries *deliveries, const char *lane, uint32_t span_count)
{
	pthread_mutex_lock(&deliveries->lock);
	struct ledger *ledger = ledger_find(deliveries, "");
	if (ledger) {
		ledger->totals.accepted += span_count;
		ledger->pending.accepted += span_count;
	}
	pthread_mutex_unlock(&deliveries->lock);
}

struct ledger_totals deliveries_totals(struct deliveries *deliveries, const char *destination)
{
	struct ledger_totals totals = { 0 };
	pthread_mutex_lock(&deliveries->lock);
	struct ledger *all = ledger_find(deliveries, "");
	struct ledger *one = destination ? ledger_find(deliveries, destination) : NULL;
	if (one)
		totals = one->totals;
	totals.accepted = all ? all->totals.accepted : 0;
	pthread_mutex_unlock(&deliveries->lock);
	return totals;
}

void deliveries_limit_dead(struct deliveries *deliveries, uint64_t max_bytes)
{
	pthread_mutex_lock(&deliveries->lock);
	deliveries->dead_max_bytes = max_bytes;
	pthread_mutex_unlock(&deliveries->lock);
}

/* Takes the room for a letter, or gives it back when it came to nothing. */
static bool take_dead_room(struct deliveries *all, uint32_t bytes)
{
	pthread_mutex_lock(&all->lock);
	bool has_room = all->dead_bytes <= all->dead_max_bytes &&
		bytes <= all->dead_max_bytes - all->dead_bytes;
	if (has_room)
		all->dead_bytes += bytes;
	pthread_mutex_unlock(&all->lock);
	return has_room;
}

static void give_dead_room(struct deliveries *all, uint32_t bytes)
{
	pthread_mutex_lock(&all->lock);
	all->dead_bytes -= bytes;
	pthread_mutex_unlock(&all->lock);
}

int delivery_set_aside(struct delivery *delivery, uint64_t sequence, uint32_t span,
	const void *request, uint32_t request_bytes, int status, const char *reason)
{
	struct deliveries *all = delivery->all;
	char dead[PATH_MAX / 2], directory[PATH_MAX - 64], path[PATH_MAX];
	if (strchr(delivery->destination, '/') || delivery->destination[0] == '.' ||
		snprintf(dead, sizeof dead, "%s/dead", all->directory) >= (int)sizeof dead)
		return -EINVAL;
	snprintf(directory, sizeof directory, "%s/%s", dead, delivery->destination);
	snprintf(path, sizeof path, "%s/%llu-%u.pb", directory, (unsigned long long)sequence, span);
	if (!take_dead_room(all, request_bytes))
		return -ENOSPC;
	int error = directory_make_private(dead);
	if (!error)
		error = directory_make_private(directory);
	if (!error)
		error = directory_sync(all->directory);
	if (!error)
		error = directory_sync(dead);
	if (!error)
		error = file_replace(path, (struct bytes){ request, request_bytes }, 0600);
	if (error) {
		give_dead_room(all, request_bytes);
		return error;
	}

	struct dead_letter letter = {
		.sequence = sequence,
		.time_ns = clock_unix_ns(),
		.span = span,
		.bytes = request_bytes,
		.status = status,
	};
	memcpy(letter.destination, delivery->destination, sizeof letter.destination);
	memcpy(letter.lane, delivery->lane, sizeof letter.lane);
	snprintf(letter.reason, sizeof letter.reason, "%s", reason);
	pthread_mutex_lock(&all->lock);
	buf_append(&all->dead, &letter, sizeof letter);
	all->dead.error = 0; /* when it is full the file is there still, only its row is not */
	pthread_mutex_unlock(&all->lock);
	return 0;
}
