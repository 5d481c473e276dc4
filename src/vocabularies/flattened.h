/*
 * OpenInference's lists of objects: one attribute per leaf, "llm.input_messages.0.message.role", because an
 * attribute may be a scalar only. The word behind an index names the type of the item ("message",
 * "tool_call", "document") and is left out, which makes messages what chat APIs make of them.
 */
#ifndef TG_VOCABULARIES_FLATTENED_H
#define TG_VOCABULARIES_FLATTENED_H

#include "otlp/span.h"

/*
 * Appends, as one JSON value, what the attributes below `prefix` (its dot included) were; nothing when there
 * are none. Lists are in the order of their indexes, members in that of their names; of two attributes of
 * one name the last counts. Names of absurd length and leaves beyond some thousands are passed over.
 */
void flattened_json(
	struct buf *json, const struct span *span, const char *prefix, struct arena *arena);

#endif
