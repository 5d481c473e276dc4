#include "dialects/saying.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_MAX_BYTES = 40, CANONICAL_MAX_DEPTH = 64 };
enum { TREE_MAX_VALUES = 1 << 18 }; /* each takes some 200 bytes */

/* Fifteen digits: a decimal that somebody wrote comes out as it was written. */
enum { AS_SENT = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) };
enum { IN_ORDER = AS_SENT | JSON_SORT_KEYS };

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

/* ---- JSON ---- */

static bool is_modest(struct bytes text, unsigned max_depth)
{
	size_t depth = 0, values = 0;
	bool in_string = false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = text.at[i];
		bool opens = !in_string && (byte == '{' || byte == '[');
		bool closes = !in_string && (byte == '}' || byte == ']');
		if (in_string && byte == '\\')
			i++;
		else if (byte == '"')
			in_string = !in_string;
		values += opens || (!in_string && byte == ',');
		depth += opens;
		depth -= closes && depth;
		if (depth > max_depth || values > TREE_MAX_VALUES)
			return false;
	}
	return true;
}

/* The UTF-16 unit that "\uD83D" at this place stands for; 0 when it is no such escape. */
static uint32_t unit_at(const uint8_t *at, const uint8_t *end)
{
	char digits[5] = { 0 }, *stop;
	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return 0;
	memcpy(digits, at + 2, 4);
	unsigned long unit = strtoul(digits, &stop, 16);
	return stop == digits + 4 ? (uint32_t)unit : 0;
}

static void mend_surrogates(uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		uint32_t unit = unit_at(at, end);
		bool is_high = unit >> 10 == 0xd800 >> 10, is_low = unit >> 10 == 0xdc00 >> 10;
		if (is_high && unit_at(at + 6, end) >> 10 == 0xdc00 >> 10) {
			at += 12;
		} else if (is_high || is_low) {
			memcpy(at + 2, "fffd", 4);
			at += 6;
		} else {
			at += *at == '\\' ? 2 : 1;
		}
	}
}

json_t *json_of_text(struct bytes text, unsigned max_depth, struct arena *arena)
{
	if (!text.len || !is_modest(text, max_depth))
		return NULL;
	json_t *json = json_loadb((const char *)text.at, text.len, JSON_ALLOW_NUL, NULL);
	if (json || !memmem(text.at, text.len, "\\u", 2))
		return json;
	uint8_t *copy = arena_copy(arena, text.at, text.len);
	if (!copy)
		return NULL;
	mend_surrogates(copy, copy + text.len);
	return json_loadb((const char *)copy, text.len, JSON_ALLOW_NUL, NULL);
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

static struct bytes text_of_json(const json_t *json, size_t flags, struct arena *arena)
{
	size_t len = json_dumpb(json, NULL, 0, flags);
	char *text = len ? arena_alloc(arena, len) : NULL;
	if (!text)
		return (struct bytes){ 0 };
	json_dumpb(json, text, len, flags);
	return (struct bytes){ (const uint8_t *)text, len };
}

static struct bytes member(
	const json_t *object, const char *name, size_t flags, struct arena *arena)
{
	const json_t *found = json_object_get(object, name);
	if (!found || json_is_null(found))
		return (struct bytes){ 0 };
	return json_is_string(found) ? kept_text(member_text(object, name), arena) :
				       text_of_json(found, flags, arena);
}

struct bytes member_as_text(const json_t *object, const char *name, struct arena *arena)
{
	return member(object, name, IN_ORDER, arena);
}

struct bytes member_as_sent(const json_t *object, const char *name, struct arena *arena)
{
	return member(object, name, AS_SENT, arena);
}

struct bytes canonical_json(struct bytes text, struct arena *arena)
{
	json_t *json = json_of_text(text, CANONICAL_MAX_DEPTH, arena);
	struct bytes canonical = json ? text_of_json(json, IN_ORDER, arena) : text;
	json_decref(json);
	return canonical.len ? canonical : text;
}
