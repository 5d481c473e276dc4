#include "dialects/saying.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_MAX_BYTES = 40, CANONICAL_MAX_BYTES = 1 << 20 };
enum { JSON_FLAGS = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY };

static const double ns_per_ms = 1e6;
static const double most_ms = 1e12; /* thirty years */

struct bytes said_text(const struct attributes *attributes, const char *name)
{
	const struct attribute *found = attribute_find(attributes, name);
	return found && found->value.type == VALUE_STRING ? found->value.bytes :
							    (struct bytes){ 0 };
}

bool is_there(const struct attributes *attributes, const char *name)
{
	return attribute_find(attributes, name) != NULL;
}

bool said_count(const struct attributes *attributes, const char *name, uint64_t *ret_count)
{
	const struct attribute *found = attribute_find(attributes, name);
	return found && value_count(&found->value, ret_count);
}

uint64_t said_count_or_0(const struct attributes *attributes, const char *name)
{
	uint64_t count;
	return said_count(attributes, name, &count) ? count : 0;
}

static bool number_of_text(struct bytes text, double *ret_number)
{
	char digits[NUMBER_MAX_BYTES + 1], *end;
	if (text.len == 0 || text.len > NUMBER_MAX_BYTES)
		return false;
	memcpy(digits, text.at, text.len);
	digits[text.len] = '\0';
	*ret_number = strtod(digits, &end);
	return end == digits + text.len && isfinite(*ret_number);
}

bool said_number(const struct attributes *attributes, const char *name, double *ret_number)
{
	const struct attribute *found = attribute_find(attributes, name);
	if (!found)
		return false;
	switch (found->value.type) {
	case VALUE_INT:
		*ret_number = (double)found->value.integer;
		return true;
	case VALUE_DOUBLE:
		*ret_number = found->value.number;
		return isfinite(*ret_number);
	case VALUE_STRING:
		return number_of_text(found->value.bytes, ret_number);
	default:
		return false;
	}
}

bool said_ms(const struct attributes *attributes, const char *name, uint64_t *ret_ns)
{
	double ms;
	if (!said_number(attributes, name, &ms) || ms < 0 || ms > most_ms)
		return false;
	*ret_ns = (uint64_t)(ms * ns_per_ms + 0.5);
	return true;
}

int said_flag(const struct attributes *attributes, const char *name)
{
	const struct attribute *found = attribute_find(attributes, name);
	if (!found)
		return -1;
	if (found->value.type == VALUE_BOOL)
		return found->value.integer != 0;
	if (found->value.type != VALUE_STRING)
		return -1;
	return bytes_are(found->value.bytes, "true")   ? 1 :
		bytes_are(found->value.bytes, "false") ? 0 :
							 -1;
}

struct bytes member_text(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);
	return (struct bytes){ (const uint8_t *)json_string_value(member),
		json_string_length(member) };
}

struct bytes kept_text(struct bytes text, struct arena *arena)
{
	const uint8_t *copy = text.len ? arena_copy(arena, text.at, text.len) : NULL;
	return (struct bytes){ copy, copy ? text.len : 0 };
}

static struct bytes text_of_json(const json_t *json, struct arena *arena)
{
	size_t len = json_dumpb(json, NULL, 0, JSON_FLAGS);
	char *text = len ? arena_alloc(arena, len) : NULL;
	if (!text)
		return (struct bytes){ 0 };
	json_dumpb(json, text, len, JSON_FLAGS);
	return (struct bytes){ (const uint8_t *)text, len };
}

struct bytes member_as_text(const json_t *object, const char *name, struct arena *arena)
{
	const json_t *member = json_object_get(object, name);
	if (!member || json_is_null(member))
		return (struct bytes){ 0 };
	return json_is_string(member) ? kept_text(member_text(object, name), arena) :
					text_of_json(member, arena);
}

struct bytes canonical_json(struct bytes text, struct arena *arena)
{
	if (text.len > CANONICAL_MAX_BYTES)
		return text;
	json_t *json = json_loadb(
		(const char *)text.at, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	struct bytes canonical = json ? text_of_json(json, arena) : text;
	json_decref(json);
	return canonical.len ? canonical : text;
}
