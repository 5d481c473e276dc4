#include "http/flow.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 16 << 10 };

struct piece {
	struct piece *next;
	size_t begin, end; /* of what is still to be read */
	uint8_t bytes[PIECE_BYTES - sizeof(struct piece *) - 2 * sizeof(size_t)];
};

struct flow {
	atomic_uint holders;
	size_t capacity;
	struct budget *budget;

	pthread_mutex_t lock; /* guards what follows, and is held while somebody is told */
	struct piece *first, *last;
	size_t len;
	enum { OPEN, ENDED, BROKEN } state;
	struct {
		void (*moved)(void *arg);
		void *arg;
		bool is_waiting;
	} sides[2];
};

struct flow *flow_new(size_t capacity, struct budget *budget)
{
	struct flow *flow = calloc(1, sizeof *flow);
	if (!flow)
		return NULL;
	atomic_init(&flow->holders, 1);
	pthread_mutex_init(&flow->lock, NULL);
	flow->capacity = capacity;
	flow->budget = budget;
	flow->sides[FLOW_READER].is_waiting = true;
	return flow;
}

struct flow *flow_hold(struct flow *flow)
{
	atomic_fetch_add(&flow->holders, 1);
	return flow;
}

static struct piece *add_piece(struct flow *flow)
{
	if (flow->budget && budget_take(flow->budget, sizeof(struct piece)) < 0)
		return NULL;
	struct piece *piece = malloc(sizeof *piece);
	if (!piece) {
		if (flow->budget)
			budget_give(flow->budget, sizeof *piece);
		return NULL;
	}
	piece->next = NULL;
	piece->begin = piece->end = 0;
	if (flow->last)
		flow->last->next = piece;
	else
		flow->first = piece;
	flow->last = piece;
	return piece;
}

static void drop_first(struct flow *flow)
{
	struct piece *piece = flow->first;
	flow->first = piece->next;
	if (!flow->first)
		flow->last = NULL;
	free(piece);
	if (flow->budget)
		budget_give(flow->budget, sizeof *piece);
}

void flow_release(struct flow *flow)
{
	if (!flow || atomic_fetch_sub(&flow->holders, 1) > 1)
		return;
	while (flow->first)
		drop_first(flow);
	pthread_mutex_destroy(&flow->lock);
	free(flow);
}

void flow_watch(struct flow *flow, enum flow_side side, void (*moved)(void *arg), void *arg)
{
	pthread_mutex_lock(&flow->lock);
	flow->sides[side].moved = moved;
	flow->sides[side].arg = arg;
	pthread_mutex_unlock(&flow->lock);
}

static void tell(struct flow *flow, enum flow_side side)
{
	flow->sides[side].is_waiting = false;
	if (flow->sides[side].moved)
		flow->sides[side].moved(flow->sides[side].arg);
}

static size_t put(struct flow *flow, const uint8_t *bytes, size_t len)
{
	size_t done = 0;
	while (done < len) {
		struct piece *piece = flow->last;
		if (!piece || piece->end == sizeof piece->bytes)
			piece = add_piece(flow);
		if (!piece)
			break;
		size_t room = sizeof piece->bytes - piece->end;
		size_t part = len - done < room ? len - done : room;
		memcpy(piece->bytes + piece->end, bytes + done, part);
		piece->end += part;
		done += part;
	}
	flow->len += done;
	return done;
}

ssize_t flow_write(struct flow *flow, const void *bytes, size_t len)
{
	pthread_mutex_lock(&flow->lock);
	assert(flow->state != ENDED);
	ssize_t result = -EPIPE;
	if (flow->state == OPEN) {
		size_t room = flow->capacity - flow->len;
		size_t taken = put(flow, bytes, len < room ? len : room);
		flow->sides[FLOW_WRITER].is_waiting |= taken < len;
		/* Of an empty flow nobody would tell the writer that there is memory again. */
		result = len && !flow->len ? -ENOMEM : (ssize_t)taken;
		if (taken && flow->sides[FLOW_READER].is_waiting)
			tell(flow, FLOW_READER);
	}
	pthread_mutex_unlock(&flow->lock);
	return result;
}

void flow_end(struct flow *flow)
{
	pthread_mutex_lock(&flow->lock);
	if (flow->state == OPEN) {
		flow->state = ENDED;
		tell(flow, FLOW_READER);
	}
	pthread_mutex_unlock(&flow->lock);
}

static size_t take(struct flow *flow, uint8_t *to, size_t max)
{
	size_t done = 0;
	while (flow->first && done < max) {
		struct piece *piece = flow->first;
		size_t held = piece->end - piece->begin;
		size_t part = max - done < held ? max - done : held;
		memcpy(to + done, piece->bytes + piece->begin, part);
		piece->begin += part;
		done += part;
		if (piece->begin == piece->end)
			drop_first(flow);
	}
	flow->len -= done;
	return done;
}

ssize_t flow_read(struct flow *flow, void *to, size_t max)
{
	static const ssize_t nothing[] = {
		[OPEN] = FLOW_NOTHING_YET,
		[ENDED] = FLOW_ENDED,
		[BROKEN] = FLOW_BROKEN,
	};
	pthread_mutex_lock(&flow->lock);
	ssize_t got = flow->len ? (ssize_t)take(flow, to, max) : nothing[flow->state];
	if (got == FLOW_NOTHING_YET)
		flow->sides[FLOW_READER].is_waiting = true;
	/* With half of it free, so that the two do not wake each other for every piece. */
	else if (flow->sides[FLOW_WRITER].is_waiting && flow->len <= flow->capacity / 2)
		tell(flow, FLOW_WRITER);
	pthread_mutex_unlock(&flow->lock);
	return got;
}

void flow_break(struct flow *flow)
{
	pthread_mutex_lock(&flow->lock);
	if (flow->state == OPEN || flow->len) {
		flow->state = BROKEN;
		flow->len = 0;
		while (flow->first)
			drop_first(flow);
		tell(flow, FLOW_WRITER);
		tell(flow, FLOW_READER);
	}
	pthread_mutex_unlock(&flow->lock);
}
