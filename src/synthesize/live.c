#include "synthesize/live.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROWS = 16 };

struct live {
	pthread_mutex_t lock; /* guards all but idle_ns */
	struct live_session *rows;
	bool *is_used;
	size_t count, capacity;
	size_t free_from; /* no row below is free */
	struct live_view figures;
	uint64_t now_ns;
	uint64_t idle_ns;
};

const char *live_state_name(enum live_state state)
{
	static const char *const names[] = {
		[LIVE_UNKNOWN] = "unknown",
		[LIVE_WORKING] = "working",
		[LIVE_WAITING_PERMISSION] = "waiting_for_permission",
		[LIVE_WAITING_USER] = "waiting_for_user",
		[LIVE_FINISHED] = "finished",
	};
	return names[state];
}

struct live *live_new(uint64_t idle_ns)
{
	struct live *live = calloc(1, sizeof *live);
	if (!live)
		return NULL;
	live->idle_ns = idle_ns;
	pthread_mutex_init(&live->lock, NULL);
	return live;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	pthread_mutex_destroy(&live->lock);
	free(live->rows);
	free(live->is_used);
	free(live);
}

static bool grow(struct live *live)
{
	size_t capacity = live->capacity ? live->capacity * 2 : FIRST_ROWS;
	struct live_session *rows = realloc(live->rows, capacity * sizeof *rows);
	if (rows)
		live->rows = rows;
	bool *is_used = realloc(live->is_used, capacity * sizeof *is_used);
	if (is_used)
		live->is_used = is_used;
	if (!rows || !is_used)
		return false;
	memset(is_used + live->capacity, 0, (capacity - live->capacity) * sizeof *is_used);
	live->capacity = capacity;
	return true;
}

/* LIVE_NOWHERE: there is no memory, and the session is not shown. */
static size_t free_row(struct live *live)
{
	while (live->free_from < live->capacity && live->is_used[live->free_from])
		live->free_from++;
	if (live->free_from == live->capacity && !grow(live))
		return LIVE_NOWHERE;
	live->count++;
	live->is_used[live->free_from] = true;
	return live->free_from++;
}

void live_put(struct live *live, size_t *at, const struct live_session *session)
{
	pthread_mutex_lock(&live->lock);
	if (*at == LIVE_NOWHERE)
		*at = free_row(live);
	if (*at != LIVE_NOWHERE)
		live->rows[*at] = *session;
	pthread_mutex_unlock(&live->lock);
}

void live_remove(struct live *live, size_t *at)
{
	if (*at == LIVE_NOWHERE)
		return;
	pthread_mutex_lock(&live->lock);
	live->is_used[*at] = false;
	live->count--;
	if (*at < live->free_from)
		live->free_from = *at;
	pthread_mutex_unlock(&live->lock);
	*at = LIVE_NOWHERE;
}

void live_set_figures(struct live *live, const struct live_view *figures, uint64_t now_ns)
{
	pthread_mutex_lock(&live->lock);
	live->figures = *figures;
	live->now_ns = now_ns;
	pthread_mutex_unlock(&live->lock);
}

struct live_view live_figures(struct live *live)
{
	pthread_mutex_lock(&live->lock);
	struct live_view figures = live->figures;
	pthread_mutex_unlock(&live->lock);
	return figures;
}

static int compare_latest(const void *a, const void *b)
{
	uint64_t left = ((const struct live_session *)a)->last_ns;
	uint64_t right = ((const struct live_session *)b)->last_ns;
	return (left < right) - (left > right);
}

static void say_unknown(struct live_session *session, uint64_t idle_ns, uint64_t now_ns)
{
	if (session->state != LIVE_FINISHED && now_ns > session->received_ns + idle_ns)
		session->state = LIVE_UNKNOWN;
}

int live_copy(struct live *live, struct live_view *ret_view)
{
	pthread_mutex_lock(&live->lock);
	struct live_view view = live->figures;
	uint64_t now_ns = live->now_ns;
	view.count = 0;
	view.at = malloc((live->count + 1) * sizeof *view.at);
	for (size_t i = 0; view.at && i < live->capacity; i++)
		if (live->is_used[i])
			view.at[view.count++] = live->rows[i];
	pthread_mutex_unlock(&live->lock);
	if (!view.at)
		return -ENOMEM;
	for (size_t i = 0; i < view.count; i++)
		say_unknown(&view.at[i], live->idle_ns, now_ns);
	qsort(view.at, view.count, sizeof *view.at, compare_latest);
	*ret_view = view;
	return 0;
}

void live_view_free(struct live_view *view)
{
	free(view->at);
	*view = (struct live_view){ 0 };
}
