#include "base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_CHUNK_BYTES = 16 << 10,
	LARGEST_STEP_BYTES = 1 << 20, /* chunks double up to here, so that little is held in vain */
};

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* of data */
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

int budget_take(struct budget *budget, size_t bytes)
{
	if (!budget)
		return 0;
	size_t used = atomic_fetch_add_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
	if (used <= budget->limit_bytes && bytes <= budget->limit_bytes - used)
		return 0;
	budget_give(budget, bytes);
	return -ENOMEM;
}

void budget_give(struct budget *budget, size_t bytes)
{
	if (budget)
		atomic_fetch_sub_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
}

void arena_init(struct arena *arena, size_t limit_bytes, struct budget *budget)
{
	*arena = (struct arena){ .limit_bytes = limit_bytes, .budget = budget };
}

void arena_done(struct arena *arena)
{
	for (struct arena_chunk *chunk = arena->chunk, *older; chunk; chunk = older) {
		older = chunk->older;
		free(chunk);
	}
	budget_give(arena->budget, arena->held_bytes);
	arena->chunk = NULL;
	arena->held_bytes = 0;
}

static void *refuse(struct arena *arena, int error)
{
	if (!arena->error)
		arena->error = error;
	return NULL;
}

static struct arena_chunk *grow(struct arena *arena, size_t bytes)
{
	size_t size = arena->chunk ? arena->chunk->size * 2 : FIRST_CHUNK_BYTES;
	if (size > LARGEST_STEP_BYTES)
		size = LARGEST_STEP_BYTES;
	if (size < bytes)
		size = bytes;
	if (bytes > arena->limit_bytes - arena->held_bytes)
		return refuse(arena, -E2BIG);
	if (size > arena->limit_bytes - arena->held_bytes)
		size = bytes;
	if (budget_take(arena->budget, size) < 0)
		return refuse(arena, -ENOMEM);
	struct arena_chunk *chunk = malloc(sizeof *chunk + size);
	if (!chunk) {
		budget_give(arena->budget, size);
		return refuse(arena, -ENOMEM);
	}
	chunk->older = arena->chunk;
	chunk->size = size;
	chunk->used = 0;
	arena->chunk = chunk;
	arena->held_bytes += size;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	if (bytes > SIZE_MAX - alignof(max_align_t))
		return refuse(arena, -E2BIG);
	bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct arena_chunk *chunk = arena->chunk;
	if (!chunk || bytes > chunk->size - chunk->used) {
		chunk = grow(arena, bytes);
		if (!chunk)
			return NULL;
	}
	void *at = chunk->data + chunk->used;
	chunk->used += bytes;
	return at;
}

void *arena_copy(struct arena *arena, const void *from, size_t bytes)
{
	void *to = arena_alloc(arena, bytes);
	if (to && bytes)
		memcpy(to, from, bytes);
	return to;
}
