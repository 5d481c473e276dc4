#include "pricing/memo.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
	PLACES = 4096, /* a power of two */
	PROBES = 8,    /* places that a pair may stand in; bounds what colliding names can cost */
	UNKNOWN_MAX = 1024, /* pairs without record */
};

/* Immutable once it is in its place. */
struct entry {
	uint64_t hash;
	struct resolution resolution;
	size_t provider_bytes;
	size_t model_bytes;
	uint8_t text[]; /* provider, model */
};

struct memo {
	_Atomic(struct entry *) places[PLACES];
	_Atomic unsigned unknown_count;
};

struct memo *memo_new(void)
{
	return calloc(1, sizeof(struct memo));
}

void memo_free(struct memo *memo)
{
	if (!memo)
		return;
	for (size_t i = 0; i < PLACES; i++)
		free(atomic_load_explicit(&memo->places[i], memory_order_relaxed));
	free(memo);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static uint64_t hash_bytes(uint64_t hash, struct bytes bytes)
{
	uint64_t word;
	hash = mix(hash, bytes.len);
	for (; bytes.len >= sizeof word; bytes.at += sizeof word, bytes.len -= sizeof word) {
		memcpy(&word, bytes.at, sizeof word);
		hash = mix(hash, word);
	}
	word = 0;
	if (bytes.len)
		memcpy(&word, bytes.at, bytes.len);
	return mix(hash, word);
}

static bool is_of(
	const struct entry *entry, uint64_t hash, struct bytes provider, struct bytes model)
{
	return entry->hash == hash &&
		bytes_equal((struct bytes){ entry->text, entry->provider_bytes }, provider) &&
		bytes_equal(
			(struct bytes){ entry->text + entry->provider_bytes, entry->model_bytes },
			model);
}

bool memo_find(const struct memo *memo, struct bytes provider, struct bytes model,
	struct resolution *ret_resolution)
{
	uint64_t hash = hash_bytes(hash_bytes(0, provider), model);
	for (size_t probe = 0; probe < PROBES; probe++) {
		const struct entry *entry = atomic_load_explicit(
			&memo->places[(hash + probe) % PLACES], memory_order_acquire);
		if (!entry)
			return false;
		if (is_of(entry, hash, provider, model)) {
			*ret_resolution = entry->resolution;
			return true;
		}
	}
	return false;
}

static struct entry *entry_new(
	uint64_t hash, struct bytes provider, struct bytes model, struct resolution resolution)
{
	struct entry *entry = malloc(sizeof *entry + provider.len + model.len);
	if (!entry)
		return NULL;
	*entry = (struct entry){ hash, resolution, provider.len, model.len };
	if (provider.len)
		memcpy(entry->text, provider.at, provider.len);
	if (model.len)
		memcpy(entry->text + provider.len, model.at, model.len);
	return entry;
}

void memo_add(
	struct memo *memo, struct bytes provider, struct bytes model, struct resolution resolution)
{
	/* Threads that pass here together may exceed the share by their number. */
	if (!resolution.record &&
		atomic_load_explicit(&memo->unknown_count, memory_order_relaxed) >= UNKNOWN_MAX)
		return;
	uint64_t hash = hash_bytes(hash_bytes(0, provider), model);
	struct entry *entry = entry_new(hash, provider, model, resolution);
	for (size_t probe = 0; entry && probe < PROBES; probe++) {
		struct entry *other = NULL;
		if (atomic_compare_exchange_strong_explicit(&memo->places[(hash + probe) % PLACES],
			    &other, entry, memory_order_acq_rel, memory_order_acquire)) {
			if (!resolution.record)
				atomic_fetch_add_explicit(
					&memo->unknown_count, 1, memory_order_relaxed);
			return;
		}
		if (is_of(other, hash, provider, model)) /* another thread was first */
			break;
	}
	free(entry);
}
