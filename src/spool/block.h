/*
 * A stretch of a segment in memory, shared by all who read in it, and the cache of the newest ones.
 *
 * The writer's staging buffer, once on disk, is such a block; so readers right behind the writer
 * take what it wrote without a copy and without the disk.
 */
#ifndef TG_SPOOL_BLOCK_H
#define TG_SPOOL_BLOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
	_Atomic unsigned refs;
	bool is_own; /* as we wrote it; what came from the disk has its checksums checked */
	uint64_t generation;
	uint64_t offset; /* in the segment */
	size_t bytes;
	size_t capacity;
	uint8_t *at; /* aligned for O_DIRECT */
};

/* Not cleared; `bytes` is a multiple of BLOCK_BYTES. NULL: no memory. The caller has the one reference. */
struct block *block_new(uint64_t generation, uint64_t offset, size_t bytes);
struct block *block_ref(struct block *block);
void block_unref(struct block *block);

static inline bool block_covers(
	const struct block *block, uint64_t generation, uint64_t offset, uint64_t bytes)
{
	return block->generation == generation && offset >= block->offset &&
		bytes <= block->bytes && offset - block->offset <= block->bytes - bytes;
}

struct cache {
	pthread_mutex_t lock;
	struct block **blocks; /* guarded by lock, as all below; in the order of the log */
	size_t first, count, capacity;
	size_t held_bytes;
	size_t limit_bytes;
};

void cache_init(struct cache *cache, size_t limit_bytes);
void cache_done(struct cache *cache);

/* Keeps the newest block, as long as memory allows, and lets the oldest go. */
void cache_add(struct cache *cache, struct block *block);

/* The block that holds this range, with a reference for the caller, or NULL. */
struct block *cache_find(struct cache *cache, uint64_t generation, uint64_t offset, uint64_t bytes);

#endif
