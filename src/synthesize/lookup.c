#include "synthesize/lookup.h"

#include <stdlib.h>

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.at, b.at, len) : 0;
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

void lookup_add(struct lookup *lookup, struct bytes key, size_t value)
{
	if (lookup->count == lookup->capacity) {
		size_t capacity = lookup->capacity ? lookup->capacity * 2 : 64;
		struct lookup_entry *at = arena_alloc(lookup->arena, capacity * sizeof *at);
		if (!at)
			return;
		if (lookup->count)
			memcpy(at, lookup->at, lookup->count * sizeof *at);
		lookup->at = at;
		lookup->capacity = capacity;
	}
	lookup->at[lookup->count++] = (struct lookup_entry){ key, value };
}

static int compare(const void *a, const void *b)
{
	const struct lookup_entry *first = a, *second = b;
	int order = bytes_compare(first->key, second->key);
	return order ? order : (first->value > second->value) - (first->value < second->value);
}

void lookup_sort(struct lookup *lookup)
{
	if (lookup->count)
		qsort(lookup->at, lookup->count, sizeof *lookup->at, compare);
}

/* Where the first entry is whose key is not less, or with `above` greater. */
static size_t bound(const struct lookup *lookup, struct bytes key, bool above)
{
	size_t low = 0, high = lookup->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(lookup->at[middle].key, key);
		if (order < 0 || (above && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct lookup_entry *lookup_all(
	const struct lookup *lookup, struct bytes key, size_t *ret_count)
{
	size_t first = bound(lookup, key, false);
	*ret_count = bound(lookup, key, true) - first;
	return first ? lookup->at + first : lookup->at; /* an empty one has no address */
}

size_t lookup_first(const struct lookup *lookup, struct bytes key)
{
	size_t at = key.len ? bound(lookup, key, false) : lookup->count;
	bool is_there = at < lookup->count && bytes_equal(lookup->at[at].key, key);
	return is_there ? lookup->at[at].value : NONE;
}
