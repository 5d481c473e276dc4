#include "spool/dead_letter.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "spool/deliveries.h"

const char *dead_letter_id(const struct dead_letter *letter, char out[DEAD_ID_MAX])
{
	snprintf(out, DEAD_ID_MAX, "%s/%llu-%u", letter->destination,
		(unsigned long long)letter->sequence, letter->span);
	return out;
}

static int parse_id(const char *id, struct dead_letter *ret_letter)
{
	struct dead_letter letter = { 0 };
	char canonical[DEAD_ID_MAX];
	const char *slash = strchr(id, '/');
	unsigned long long sequence;
	if (!slash || slash == id || slash - id > DELIVERY_NAME_MAX ||
		sscanf(slash, "/%19llu-%9u", &sequence, &letter.span) != 2)
		return -EINVAL;
	memcpy(letter.destination, id, (size_t)(slash - id));
	letter.sequence = sequence;
	if (strcmp(dead_letter_id(&letter, canonical), id) != 0)
		return -EINVAL;
	*ret_letter = letter;
	return 0;
}

static int compare(const struct dead_letter *one, const struct dead_letter *other)
{
	int order = strcmp(one->destination, other->destination);
	if (order)
		return order;
	if (one->sequence != other->sequence)
		return one->sequence < other->sequence ? -1 : 1;
	return (one->span > other->span) - (one->span < other->span);
}

/* -EINVAL: a name that would leave the directory. */
static int name_file(const struct deliveries *all, const struct dead_letter *letter, size_t size,
	char directory[], char path[])
{
	if (strchr(letter->destination, '/') || letter->destination[0] == '.')
		return -EINVAL;
	if (snprintf(directory, size, "%s/dead/%s", all->directory, letter->destination) >=
			(int)size ||
		snprintf(path, size, "%s/%llu-%u.%s", directory,
			(unsigned long long)letter->sequence, letter->span,
			letter->signal == SIGNAL_INGESTION ? "jsonl" : "pb") >= (int)size)
		return -ENAMETOOLONG;
	return 0;
}

/* ---- what waits to be written to the index ---- */

struct letter_change *letter_find(struct deliveries *deliveries, const struct dead_letter *letter)
{
	struct letter_change *changes = (void *)deliveries->letters.at;
	for (size_t i = 0; i < deliveries->letters.len / sizeof *changes; i++)
		if (compare(&changes[i].letter, letter) == 0)
			return &changes[i];
	return NULL;
}

/* Finds or adds; NULL: too many wait already. */
static struct letter_change *note_change(
	struct deliveries *deliveries, const struct dead_letter *letter)
{
	struct letter_change *change = letter_find(deliveries, letter);
	if (!change) {
		struct letter_change made = { .letter = *letter };
		buf_append(&deliveries->letters, &made, sizeof made);
		if (!deliveries->letters.error)
			change = letter_find(deliveries, letter);
		deliveries->letters.error = 0;
	}
	return change;
}

static void forget_change(struct deliveries *deliveries, struct letter_change *change)
{
	uint8_t *end = deliveries->letters.at + deliveries->letters.len;
	memmove(change, change + 1, (size_t)(end - (uint8_t *)(change + 1)));
	deliveries->letters.len -= sizeof *change;
}

void letters_committed(struct deliveries *deliveries, struct bytes changes)
{
	char directory[PATH_MAX], path[PATH_MAX];
	const struct letter_change *done = (const void *)changes.at;
	size_t count = changes.len / sizeof *done;
	for (size_t i = 0; i < count; i++)
		if (done[i].action == LETTER_REMOVE &&
			name_file(deliveries, &done[i].letter, PATH_MAX, directory, path) == 0)
			unlink(path);
	pthread_mutex_lock(&deliveries->lock);
	for (size_t i = 0; i < count; i++) {
		struct letter_change *change = letter_find(deliveries, &done[i].letter);
		if (change->serial != done[i].serial)
			continue;
		change->action = LETTER_STAYS;
		if (!change->is_held)
			forget_change(deliveries, change);
	}
	pthread_mutex_unlock(&deliveries->lock);
}

/* ---- setting aside ---- */

void deliveries_limit_dead(struct deliveries *deliveries, uint64_t max_bytes)
{
	pthread_mutex_lock(&deliveries->lock);
	deliveries->dead_max_bytes = max_bytes;
	pthread_mutex_unlock(&deliveries->lock);
}

/* Takes the room for a letter, or gives it back when it came to nothing. */
static bool take_room(struct deliveries *all, uint32_t bytes)
{
	pthread_mutex_lock(&all->lock);
	bool has_room = all->dead_bytes <= all->dead_max_bytes &&
		bytes <= all->dead_max_bytes - all->dead_bytes;
	if (has_room)
		all->dead_bytes += bytes;
	pthread_mutex_unlock(&all->lock);
	return has_room;
}

static void give_room(struct deliveries *all, uint32_t bytes)
{
	pthread_mutex_lock(&all->lock);
	all->dead_bytes -= bytes;
	pthread_mutex_unlock(&all->lock);
}

static int write_file(
	struct deliveries *all, const struct dead_letter *letter, struct bytes request)
{
	char dead[PATH_MAX], directory[PATH_MAX], path[PATH_MAX];
	int error = name_file(all, letter, PATH_MAX, directory, path);
	if (error)
		return error;
	snprintf(dead, sizeof dead, "%s/dead", all->directory);
	error = directory_make_private(dead);
	if (!error)
		error = directory_make_private(directory);
	if (!error)
		error = directory_sync(all->directory);
	if (!error)
		error = directory_sync(dead);
	return error ? error : file_replace(path, request, 0600);
}

int delivery_set_aside(
	struct delivery *delivery, const struct dead_letter *what, struct bytes request)
{
	struct deliveries *all = delivery->all;
	struct dead_letter letter = *what;
	letter.time_ns = clock_unix_ns();
	letter.bytes = (uint32_t)request.len;
	memcpy(letter.destination, delivery->destination, sizeof letter.destination);
	memcpy(letter.lane, delivery->lane, sizeof letter.lane);
	if (!take_room(all, letter.bytes))
		return -ENOSPC;
	int error = write_file(all, &letter, request);

	pthread_mutex_lock(&all->lock);
	struct letter_change *change = error ? NULL : note_change(all, &letter);
	if (change) {
		change->letter = letter;
		change->action = LETTER_PUT;
		change->serial = ++all->letter_serial;
		delivery_finish(delivery, letter.sequence, letter.span,
			letter.span + letter.span_count, OUTCOME_DEAD);
	}
	pthread_mutex_unlock(&all->lock);
	if (!change)
		give_room(all, letter.bytes);
	return change ? 0 : error ? error : -ENOSPC;
}

/* ---- reading ---- */

/* The index as it will be after the next commit: its rows, and what waits beside them. */
struct listing {
	struct letter_change *changes; /* in order */
	size_t count, at;
	int (*each)(void *arg, const struct dead_letter *letter);
	void *arg;
};

static int by_name(const void *one, const void *other)
{
	const struct letter_change *a = one, *b = other;
	return compare(&a->letter, &b->letter);
}

static int copy_changes(
	struct deliveries *deliveries, const struct dead_letter *after, struct listing *listing)
{
	pthread_mutex_lock(&deliveries->lock);
	size_t bytes = deliveries->letters.len;
	listing->changes = malloc(bytes + 1);
	if (listing->changes && bytes)
		memcpy(listing->changes, deliveries->letters.at, bytes);
	pthread_mutex_unlock(&deliveries->lock);
	if (!listing->changes)
		return -ENOMEM;
	listing->count = bytes / sizeof *listing->changes;
	qsort(listing->changes, listing->count, sizeof *listing->changes, by_name);
	while (after && listing->at < listing->count &&
		compare(&listing->changes[listing->at].letter, after) <= 0)
		listing->at++;
	return 0;
}

/* What is put and stands before `row`; all of it when that is NULL. */
static int list_changes(struct listing *listing, const struct dead_letter *row)
{
	int result = 0;
	for (; listing->at < listing->count && !result; listing->at++) {
		const struct letter_change *change = &listing->changes[listing->at];
		if (row && compare(&change->letter, row) >= 0)
			break;
		if (change->action == LETTER_PUT)
			result = listing->each(listing->arg, &change->letter);
	}
	return result;
}

static int list_row(void *arg, const struct dead_letter *row)
{
	struct listing *listing = arg;
	int result = list_changes(listing, row);
	if (result)
		return result;
	const struct letter_change *change = &listing->changes[listing->at];
	if (listing->at == listing->count || compare(&change->letter, row) != 0)
		return listing->each(listing->arg, row);
	listing->at++;
	if (change->action == LETTER_REMOVE)
		return 0;
	return listing->each(listing->arg, change->action == LETTER_PUT ? &change->letter : row);
}

int dead_letters_list(struct deliveries *deliveries, const char *after,
	int (*each)(void *arg, const struct dead_letter *letter), void *arg)
{
	struct dead_letter begin;
	struct listing listing = { .each = each, .arg = arg };
	if (after && parse_id(after, &begin) < 0)
		return -EINVAL;
	/* First what waits: what is written meanwhile is met again as a row, and nothing is missed. */
	int result = copy_changes(deliveries, after ? &begin : NULL, &listing);
	if (!result)
		result = delivery_file_letters(
			deliveries, after ? &begin : NULL, list_row, &listing);
	if (!result)
		result = list_changes(&listing, NULL);
	free(listing.changes);
	return result;
}

int dead_letter_find(struct deliveries *deliveries, const char *id, struct dead_letter *ret_letter)
{
	struct dead_letter letter;
	if (parse_id(id, &letter) < 0)
		return -EINVAL;
	pthread_mutex_lock(&deliveries->lock);
	const struct letter_change *change = letter_find(deliveries, &letter);
	bool is_put = change && change->action == LETTER_PUT;
	bool is_removed = change && change->action == LETTER_REMOVE;
	if (is_put)
		letter = change->letter;
	pthread_mutex_unlock(&deliveries->lock);
	int error = is_removed ? -ENOENT : is_put ? 0 : delivery_file_letter(deliveries, &letter);
	if (!error)
		*ret_letter = letter;
	return error;
}

int dead_letter_read(
	struct deliveries *deliveries, const struct dead_letter *letter, struct buf *request)
{
	char directory[PATH_MAX], path[PATH_MAX];
	int error = name_file(deliveries, letter, PATH_MAX, directory, path);
	return error ? error : file_read(path, request);
}

/* ---- changing ---- */

int dead_letter_hold(struct deliveries *deliveries, const char *id, struct dead_letter *ret_letter)
{
	struct dead_letter letter;
	if (parse_id(id, &letter) < 0)
		return -EINVAL;
	pthread_mutex_lock(&deliveries->lock);
	struct letter_change *change = note_change(deliveries, &letter);
	int error = !change                     ? -ENOMEM :
		change->is_held                 ? -EBUSY :
		change->action == LETTER_REMOVE ? -ENOENT :
						  0;
	if (!error)
		change->is_held = true;
	pthread_mutex_unlock(&deliveries->lock);
	if (error)
		return error;
	error = dead_letter_find(deliveries, id, &letter);
	if (!error) {
		*ret_letter = letter;
		return 0;
	}
	pthread_mutex_lock(&deliveries->lock);
	forget_change(deliveries, letter_find(deliveries, &letter));
	pthread_mutex_unlock(&deliveries->lock);
	return error;
}

static void end_hold(struct deliveries *deliveries, const struct dead_letter *letter, int action)
{
	struct letter_change *change = letter_find(deliveries, letter);
	assert(change && change->is_held);
	change->letter = *letter;
	change->action = action;
	change->is_held = false;
	change->serial = ++deliveries->letter_serial;
}

void dead_letter_keep(struct deliveries *deliveries, const struct dead_letter *letter)
{
	pthread_mutex_lock(&deliveries->lock);
	end_hold(deliveries, letter, LETTER_PUT);
	pthread_mutex_unlock(&deliveries->lock);
}

void dead_letter_end(
	struct deliveries *deliveries, const struct dead_letter *letter, enum outcome outcome)
{
	struct ledger_sums moved = { 0 };
	moved.finished[OUTCOME_DEAD] -= letter->span_count;
	moved.finished[outcome] += letter->span_count;
	pthread_mutex_lock(&deliveries->lock);
	struct delivery *delivery = delivery_find(deliveries, letter->destination, letter->lane);
	end_hold(deliveries, letter, LETTER_REMOVE);
	deliveries->dead_bytes -= letter->bytes;
	if (delivery) {
		sums_add(&delivery->sums, &moved);
		sums_add(&delivery->pending, &moved);
		delivery->is_changed = true;
	}
	pthread_mutex_unlock(&deliveries->lock);
}
