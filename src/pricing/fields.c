#include "pricing/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_line.h"
#include "pricing/calendar.h"

enum { STEPS_MAX = 16 };

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

static const struct place *document_of(const struct place *place)
{
	while (place->within)
		place = place->within;
	return place;
}

/* The steps down to `place`; returns how many. No schema here is as deep as that. */
static size_t write_steps(const struct place *place, struct json_step steps[STEPS_MAX])
{
	if (!place->within)
		return 0;
	size_t count = write_steps(place->within, steps);
	if (count < STEPS_MAX)
		steps[count++] = (struct json_step){ place->key, place->index };
	return count;
}

/* The first line that is noted stays. */
static void note_line(const struct place *place)
{
	const struct place *document = document_of(place);
	struct json_step steps[STEPS_MAX];
	if (!document->complaint->line && document->text.len)
		document->complaint->line =
			json_line(document->text, steps, write_steps(place, steps));
}

int refuse_at(const struct place *place, const char *format, ...)
{
	char path[256], what[256];
	size_t len = write_path(place, path, sizeof path);
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	note_line(place);
	return complain(document_of(place)->complaint, "%s%s%s", path, len ? ": " : "", what);
}

int refuse_key(const struct place *place, const char *key)
{
	struct place at = place_key(place, key);
	note_line(&at);
	return refuse_at(place, "unknown key '%.60s'", key);
}

int read_date(const char *text, const struct place *place, uint64_t *ret_start_ns)
{
	if (date_parse(text, ret_start_ns) < 0)
		return refuse_at(place, "'%.40s' is no date like 2026-11-20", text);
	return 0;
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
		struct place at = place_key(place, key);
		if (!member)
			return refuse_key(place, key);
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

int check_date(const json_t *object, const char *key, const struct place *within)
{
	const json_t *date = json_object_get(object, key);
	struct place place = place_key(within, key);
	uint64_t start_ns;
	return date ? read_date(json_string_value(date), &place, &start_ns) : 0;
}
