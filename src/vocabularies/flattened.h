/*
 * OpenInference's lists of objects: one attribute per leaf, "llm.input_messages.0.message.role", because an
 * attribute may be a scalar only. The word behind an index names the type of the item ("message",
 * "tool_call", "document") and is left out, which makes messages what chat APIs make of them.
 */
#ifndef TG_VOCABULARIES_FLATTENED_H
#define TG_VOCABULARIES_FLATTENED_H

#include "otlp/span.h"

/* One attribute of a list. */
struct leaf {
	struct bytes path; /* behind the prefix: steps with dots between them */
	const struct value *value;
};

/*
 * What stands below `prefix` (its dot included), in the arena and in the order that the lists had: items by
 * their indexes, members behind them by name, of equals the one sent first. Names of absurd length and
 * leaves beyond some thousands are passed over.
 */
size_t flattened_leaves(
	const struct span *span, const char *prefix, struct arena *arena, struct leaf **ret_leaves);

/* Whether its path begins with an index. */
bool leaf_is_item(const struct leaf *leaf);

/*
 * How many leaves in their order have the same step as the first one at `at` in their paths.
 *
 *   ret_below  where the step behind it begins
 */
size_t leaves_same_step(const struct leaf *leaves, size_t count, size_t at, size_t *ret_below);

/*
 * Appends, as one JSON value, what the attributes below `prefix` (its dot included) were; nothing when there
 * are none. Of two attributes of one name the last counts.
 */
void flattened_json(
	struct buf *json, const struct span *span, const char *prefix, struct arena *arena);

#endif
