/*
 * Memory of one batch: taken piece by piece, given back all at once.
 *
 * Every arena has a byte limit of its own, and may share a budget with all others of the process, so
 * that many connections together stay bounded too. Nothing in an arena is freed alone.
 */
#ifndef TG_BASE_ARENA_H
#define TG_BASE_ARENA_H

#include <stdatomic.h>
#include <stddef.h>

/* Bytes that arenas and buffers may hold together; limit_bytes is constant after start. */
struct budget {
	_Atomic size_t used_bytes;
	size_t limit_bytes;
};

/* Both are safe from any thread. take: 0, or -ENOMEM when the budget has no room for `bytes` more. */
int budget_take(struct budget *budget, size_t bytes);
void budget_give(struct budget *budget, size_t bytes);

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk;
	size_t held_bytes; /* in chunks, what the limit counts */
	size_t limit_bytes;
	struct budget *budget;
	int error; /* the first refusal: -E2BIG by the own limit, -ENOMEM by budget or system */
};

/*
 *   budget  shared with other arenas; NULL for none
 */
void arena_init(struct arena *arena, size_t limit_bytes, struct budget *budget);
void arena_done(struct arena *arena);

/*
 * Aligned for any type; not cleared. NULL when over a limit, and arena->error says which. A refusal
 * is final: callers may go on and ask arena->error once at their end.
 */
void *arena_alloc(struct arena *arena, size_t bytes);

/* arena_alloc and copy; a copy of zero bytes is not NULL. */
void *arena_copy(struct arena *arena, const void *from, size_t bytes);

#endif
