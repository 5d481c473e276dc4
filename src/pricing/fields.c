#include "pricing/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *words;
	unsigned kinds; /* one bit per json_type */
} types[] = {
	[A_STRING] = { "a string", 1u << JSON_STRING },
	[A_STRING_OR_NULL] = { "a string or null", 1u << JSON_STRING | 1u << JSON_NULL },
	[AN_INTEGER] = { "an integer", 1u << JSON_INTEGER },
	[A_BOOLEAN] = { "true or false", 1u << JSON_TRUE | 1u << JSON_FALSE },
	[AN_OBJECT] = { "an object", 1u << JSON_OBJECT },
	[AN_ARRAY] = { "an array", 1u << JSON_ARRAY },
};

/* Writes the path down to `place` and returns its length, at most max - 1. */
static size_t write_path(const struct place *place, char *path, size_t max)
{
	if (!place->within) {
		path[0] = '\0';
		return 0;
	}
	size_t len = write_path(place->within, path, max);
	if (place->key)
		snprintf(path + len, max - len, "%s%.60s", len ? "." : "", place->key);
	else if (place->item)
		snprintf(path + len, max - len, "[%.80s]", place->item);
	else
		snprintf(path + len, max - len, "[%zu]", place->index);
	return len + strlen(path + len);
}

int refuse_at(const struct place *place, const char *format, ...)
{
	char path[256], what[256];
	size_t len = write_path(place, path, sizeof path);
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	while (place->within)
		place = place->within;
	return complain(place->complaint, "%s%s%s", path, len ? ": " : "", what);
}

int check_type(const json_t *value, enum member_type type, const struct place *place)
{
	if (types[type].kinds >> json_typeof(value) & 1)
		return 0;
	return refuse_at(place, "must be %s", types[type].words);
}

static const struct member *find_member(const struct member *members, const char *name)
{
	for (; members->name; members++)
		if (strcmp(members->name, name) == 0)
			return members;
	return NULL;
}

int check_members(const json_t *object, const struct member *members, const struct place *place)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)object, key, value) {
		const struct member *member = find_member(members, key);
		if (!member)
			return refuse_at(place, "unknown key '%.60s'", key);
		struct place at = place_key(place, key);
		int error = check_type(value, member->type, &at);
		if (error < 0)
			return error;
	}
	for (; members->name; members++)
		if (members->is_required && !json_object_get(object, members->name))
			return refuse_at(place, "'%s' is missing", members->name);
	return 0;
}

int check_word(
	const json_t *object, const char *key, const char *const *words, const struct place *place)
{
	struct place at = place_key(place, key);
	const char *word = json_string_value(json_object_get(object, key));
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return 0;
	return refuse_at(&at, "unknown value '%.60s'", word);
}
