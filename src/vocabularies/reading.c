#include "vocabularies/reading.h"

enum { MAX_OBJECT_BYTES = 1 << 20, MAX_STEP_BYTES = 64 };

json_t *value_object(const struct value *value)
{
	if (value->type != VALUE_STRING || value->bytes.len > MAX_OBJECT_BYTES ||
		!bytes_start_with(value->bytes, "{"))
		return NULL;
	return json_loadb((const char *)value->bytes.at, value->bytes.len, JSON_ALLOW_NUL, NULL);
}

json_t *attribute_object(const struct attributes *attributes, const char *name)
{
	const struct attribute *found = attribute_find(attributes, name);
	return found ? value_object(&found->value) : NULL;
}

const json_t *member_at(const json_t *object, const char *path)
{
	char step[MAX_STEP_BYTES];
	for (size_t len; object && *path; path += path[len] == '.' ? len + 1 : len) {
		len = strcspn(path, ".");
		if (len >= sizeof step)
			return NULL;
		memcpy(step, path, len);
		step[len] = '\0';
		object = json_object_get(object, step);
	}
	return object;
}

static struct value value_of_text(const char *text, size_t len, struct arena *arena)
{
	const void *copy = len ? arena_copy(arena, text, len) : NULL;
	return copy ? (struct value){ .type = VALUE_STRING, .bytes = { copy, len } } :
		      (struct value){ 0 };
}

/* Scalars alone: what is a tree has words of its own for what is in it. */
static struct value value_of_json(const json_t *json, struct arena *arena)
{
	switch (json ? json_typeof(json) : JSON_NULL) {
	case JSON_STRING:
		return value_of_text(json_string_value(json), json_string_length(json), arena);
	case JSON_INTEGER:
		return (struct value){ .type = VALUE_INT, .integer = json_integer_value(json) };
	case JSON_REAL:
		return (struct value){ .type = VALUE_DOUBLE, .number = json_real_value(json) };
	case JSON_TRUE:
	case JSON_FALSE:
		return (struct value){ .type = VALUE_BOOL, .integer = json_is_true(json) };
	default:
		return (struct value){ 0 };
	}
}

void facts_read_members(
	struct facts *facts, const json_t *object, const struct word *words, struct arena *arena)
{
	for (; object && words->name; words++) {
		if (is_said(facts, words->fact))
			continue;
		struct value value = value_of_json(member_at(object, words->name), arena);
		facts_say_value(facts, words->fact, &value);
	}
}

/* By the one that is there; what only says that there is no tier leaves it to the next. */
static const struct {
	const char *member;
	const char *no_tier;
} tiers[] = { { "speed", "standard" }, { "service_tier", "standard_only" } };
enum { TIER_COUNT = sizeof tiers / sizeof *tiers };

bool value_mentions_tier(const struct value *value)
{
	for (size_t i = 0; value->type == VALUE_STRING && i < TIER_COUNT; i++)
		if (memmem(value->bytes.at, value->bytes.len, tiers[i].member,
			    strlen(tiers[i].member)))
			return true;
	return false;
}

void facts_read_tier(struct facts *facts, const json_t *object, struct arena *arena)
{
	for (size_t i = 0; i < TIER_COUNT; i++) {
		const char *tier = json_string_value(json_object_get(object, tiers[i].member));
		if (!tier || strcmp(tier, tiers[i].no_tier) == 0)
			continue;
		struct value value = value_of_text(tier, strlen(tier), arena);
		facts_say_value(facts, FACT_SERVICE_TIER, &value);
	}
}

struct value value_of_json_text(struct bytes text, struct arena *arena)
{
	struct value value = { .type = VALUE_STRING, .bytes = text };
	if (text.len < 2 || text.at[0] != '"')
		return value;
	json_t *decoded =
		json_loadb((const char *)text.at, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (json_is_string(decoded))
		value = value_of_json(decoded, arena);
	json_decref(decoded);
	return value;
}
