/*
 * Models that the price table does not know, by the names that spans gave them: so that an operator can add
 * them, or see what sends nonsense. Only the first hundred names are kept; whoever sends more of them fills
 * one number, not the memory.
 */
#ifndef TG_PRICING_UNKNOWN_H
#define TG_PRICING_UNKNOWN_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { UNKNOWN_MODELS_MAX = 100, UNKNOWN_NAME_MAX = 200 };

struct unknown_models {
	struct {
		char name[UNKNOWN_NAME_MAX + 1]; /* printable ASCII, cut, "?" for other bytes */
		uint64_t calls;
	} at[UNKNOWN_MODELS_MAX]; /* each name once, in the order of their coming */
	size_t count;
	uint64_t other_calls; /* of names that found no room */
};

/* One call of a model without a price. From any thread, as the next. */
void unknown_models_add(struct bytes name);

/* What was noted since the start. */
void unknown_models_read(struct unknown_models *ret_models);

#endif
