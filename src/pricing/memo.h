/*
 * Which record a (provider, model) pair was found to name, so that the search is done once per name and
 * not once per span. Whoever names models can be hostile: the table has a fixed number of places,
 * entries are never changed or dropped, and names that no record has may take only a share of them. A
 * pair that finds no place is searched for each time: slower, never wrong.
 */
#ifndef TG_PRICING_MEMO_H
#define TG_PRICING_MEMO_H

#include "base/bytes.h"

struct memo;
struct record;

struct resolution {
	const struct record *record; /* NULL: no record names this model */
	_Atomic uint64_t *unknown;   /* then where its calls are counted; else NULL */
};

struct memo *memo_new(void); /* NULL without memory */
void memo_free(struct memo *memo);

/* Both are safe from many threads at once. find: false when the pair is not remembered. */
bool memo_find(const struct memo *memo, struct bytes provider, struct bytes model,
	struct resolution *ret_resolution);
void memo_add(
	struct memo *memo, struct bytes provider, struct bytes model, struct resolution resolution);

#endif
