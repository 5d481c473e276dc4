#include "spool/block.h"

#include <stdlib.h>
#include <string.h>

#include "spool/frame.h"

struct block *block_new(uint64_t generation, uint64_t offset, size_t bytes)
{
	struct block *block = malloc(sizeof *block);
	void *at;
	if (!block || posix_memalign(&at, BLOCK_BYTES, bytes) != 0) {
		free(block);
		return NULL;
	}
	*block = (struct block){
		.refs = 1,
		.generation = generation,
		.offset = offset,
		.bytes = bytes,
		.at = at,
	};
	return block;
}

struct block *block_ref(struct block *block)
{
	atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
	return block;
}

void block_unref(struct block *block)
{
	if (!block || atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) > 1)
		return;
	free(block->at);
	free(block);
}

void cache_init(struct cache *cache, size_t limit_bytes)
{
	*cache = (struct cache){ .limit_bytes = limit_bytes };
	pthread_mutex_init(&cache->lock, NULL);
}

static void drop_oldest(struct cache *cache)
{
	struct block *oldest = cache->blocks[cache->first++];
	cache->count--;
	cache->held_bytes -= oldest->bytes;
	block_unref(oldest);
}

void cache_done(struct cache *cache)
{
	while (cache->count > 0)
		drop_oldest(cache);
	free(cache->blocks);
	pthread_mutex_destroy(&cache->lock);
}

/* A place behind the newest; blocks move to the front only when half of the places before are free. */
static bool make_room(struct cache *cache)
{
	if (cache->first + cache->count < cache->capacity)
		return true;
	if (cache->first > cache->count) {
		memmove(cache->blocks, cache->blocks + cache->first,
			cache->count * sizeof *cache->blocks);
		cache->first = 0;
		return true;
	}
	size_t capacity = cache->capacity ? cache->capacity * 2 : 64;
	struct block **blocks = realloc(cache->blocks, capacity * sizeof *blocks);
	if (!blocks)
		return false;
	cache->blocks = blocks;
	cache->capacity = capacity;
	return true;
}

void cache_add(struct cache *cache, struct block *block)
{
	if (block->bytes > cache->limit_bytes)
		return;
	pthread_mutex_lock(&cache->lock);
	if (make_room(cache)) {
		cache->blocks[cache->first + cache->count++] = block_ref(block);
		cache->held_bytes += block->bytes;
	}
	while (cache->held_bytes > cache->limit_bytes)
		drop_oldest(cache);
	pthread_mutex_unlock(&cache->lock);
}

static bool begins_after(const struct block *block, uint64_t generation, uint64_t offset)
{
	return block->generation > generation ||
		(block->generation == generation && block->offset > offset);
}

struct block *cache_find(struct cache *cache, uint64_t generation, uint64_t offset, uint64_t bytes)
{
	struct block *found = NULL;
	pthread_mutex_lock(&cache->lock);
	struct block **blocks = cache->blocks + cache->first;
	size_t low = 0, high = cache->count; /* the last block that begins at or before: blocks[low - 1] */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (begins_after(blocks[middle], generation, offset))
			high = middle;
		else
			low = middle + 1;
	}
	if (low > 0 && block_covers(blocks[low - 1], generation, offset, bytes))
		found = block_ref(blocks[low - 1]);
	pthread_mutex_unlock(&cache->lock);
	return found;
}
