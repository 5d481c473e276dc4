/*
 * Facts that stand inside an attribute's JSON instead of under names of their own.
 */
#ifndef TG_VOCABULARIES_READING_H
#define TG_VOCABULARIES_READING_H

#include <jansson.h>

#include "vocabularies/vocabulary.h"

/*
 * The object that a value is the JSON text of, to be given back with json_decref. NULL when it is none, and
 * when it is longer than any record of facts.
 */
json_t *value_object(const struct value *value);
/* The same of the attribute of this name. */
json_t *attribute_object(const struct attributes *attributes, const char *name);

/* What stands in an object at the end of a way of names with dots between them, or NULL. */
const json_t *member_at(const json_t *object, const char *path);

/*
 * Says what is still unsaid from members of an object; a word's name is the way to its member:
 * "usage.cache_read_input_tokens". No object says nothing.
 */
void facts_read_members(
	struct facts *facts, const json_t *object, const struct word *words, struct arena *arena);

/* Whether it is worth while to look for a tier in this text. */
bool value_mentions_tier(const struct value *value);
/* Says at which tier a call is served, by the members that requests and answers have for that. */
void facts_read_tier(struct facts *facts, const json_t *object, struct arena *arena);

/* What a JSON text says as text: of a string itself, in the arena where it had escapes; all else as it is. */
struct value value_of_json_text(struct bytes text, struct arena *arena);

#endif
