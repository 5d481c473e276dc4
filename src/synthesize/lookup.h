/*
 * Which of many things has a key: filled, sorted once, then asked. Sorted rather than hashed, because senders
 * choose the keys.
 */
#ifndef TG_SYNTHESIZE_LOOKUP_H
#define TG_SYNTHESIZE_LOOKUP_H

#include "base/arena.h"
#include "base/bytes.h"

#define NONE SIZE_MAX

struct lookup_entry {
	struct bytes key;
	size_t value;
};

struct lookup {
	struct arena *arena;
	struct lookup_entry *at;
	size_t count, capacity;
};

/* What does not fit into the arena is left out; its error tells. The key has to live as long. */
void lookup_add(struct lookup *lookup, struct bytes key, size_t value);
void lookup_sort(struct lookup *lookup);

/* After sorting: all entries of a key, by value; where they begin and how many. */
const struct lookup_entry *lookup_all(
	const struct lookup *lookup, struct bytes key, size_t *ret_count);

/* The least value of a key, or NONE; of an empty key always NONE. */
size_t lookup_first(const struct lookup *lookup, struct bytes key);

/* As memcmp, the shorter one first. */
int bytes_compare(struct bytes a, struct bytes b);

#endif
