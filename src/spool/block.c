#include "spool/block.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Memory comes from the kernel and goes back to it: in malloc's heap, aligned blocks of all sizes that
 * come and go in turn would leave holes as large as themselves. The last few are kept instead, because
 * fresh pages cost more than the copy into them.
 */
enum { SPARE_COUNT = 8, SPARE_BLOCK_MAX = 2 << 20 };
static struct {
	pthread_mutex_t lock;
	struct block *blocks[SPARE_COUNT];
	size_t oldest;
} spare = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct block *take_spare(size_t bytes)
{
	struct block *block = NULL;
	pthread_mutex_lock(&spare.lock);
	for (size_t i = 0; i < SPARE_COUNT && !block; i++) {
		struct block *at = spare.blocks[i];
		if (at && at->capacity >= bytes && at->capacity / 2 <= bytes) {
			block = at;
			spare.blocks[i] = NULL;
		}
	}
	pthread_mutex_unlock(&spare.lock);
	return block;
}

static struct block *map_block(size_t bytes)
{
	struct block *block = malloc(sizeof *block);
	if (!block)
		return NULL;
	block->capacity = bytes;
	block->at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block->at == MAP_FAILED) {
		free(block);
		return NULL;
	}
	return block;
}

static void unmap_block(struct block *block)
{
	if (!block)
		return;
	munmap(block->at, block->capacity);
	free(block);
}

struct block *block_new(uint64_t generation, uint64_t offset, size_t bytes)
{
	struct block *block = take_spare(bytes);
	if (!block)
		block = map_block(bytes);
	if (!block)
		return NULL;
	atomic_init(&block->refs, 1);
	block->is_own = false;
	block->generation = generation;
	block->offset = offset;
	block->bytes = bytes;
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
	if (block->capacity <= SPARE_BLOCK_MAX) {
		pthread_mutex_lock(&spare.lock);
		size_t at = spare.oldest++ % SPARE_COUNT;
		struct block *older = spare.blocks[at];
		spare.blocks[at] = block;
		pthread_mutex_unlock(&spare.lock);
		block = older;
	}
	unmap_block(block);
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
	cache->held_bytes -= oldest->capacity;
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
	if (block->capacity > cache->limit_bytes)
		return;
	pthread_mutex_lock(&cache->lock);
	if (make_room(cache)) {
		cache->blocks[cache->first + cache->count++] = block_ref(block);
		cache->held_bytes += block->capacity;
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
	size_t low = cache->first, high = cache->first + cache->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (begins_after(cache->blocks[middle], generation, offset))
			high = middle;
		else
			low = middle + 1;
	}
	/* Only the last one that begins at or before the offset can hold it. */
	if (low > cache->first && block_covers(cache->blocks[low - 1], generation, offset, bytes))
		found = block_ref(cache->blocks[low - 1]);
	pthread_mutex_unlock(&cache->lock);
	return found;
}
