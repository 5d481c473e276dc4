#include "pricing/record.h"

#include <errno.h>
#include <string.h>

#include "pricing/match.h"
#include "pricing/rates.h"
#include "pricing/surcharges.h"

static int check_sources(const json_t *names, const json_t *sources, const struct place *within)
{
	struct place all = place_key(within, "sources");
	size_t i;
	const json_t *name;
	json_array_foreach(names, i, name) {
		struct place at = place_item(&all, i);
		int error = check_type(name, A_STRING, &at);
		if (error < 0)
			return error;
		if (!json_object_get(sources, json_string_value(name)))
			return refuse_at(
				&at, "'%.60s' is not among the sources", json_string_value(name));
	}
	return json_array_size(names) > 0 ? 0 : refuse_at(&all, "must not be empty");
}

/* All of a record that has no bearing on a price. */
static int check_rest(const json_t *record, const json_t *sources, const struct place *place)
{
	int error = check_word(record, "kind",
		(const char *[]){ "chat", "embedding", "audio", "image", NULL }, place);
	if (error == 0)
		error = check_word(record, "confidence",
			(const char *[]){ "high", "medium", "low", NULL }, place);
	if (error == 0)
		error = check_sources(json_object_get(record, "sources"), sources, place);
	if (error == 0)
		error = check_date(record, "released", place);
	if (error == 0)
		error = check_date(record, "retired", place);
	return error;
}

int record_add_alias(struct prices *prices, struct book *book, const json_t *name,
	const struct alias *alias, const struct place *place)
{
	int error = check_type(name, A_STRING, place);
	if (error < 0)
		return error;
	char normal[MODEL_NAME_MAX + 1];
	if (model_normalise(bytes_of(json_string_value(name)), normal) == 0 ||
		strcmp(normal, json_string_value(name)) != 0)
		return refuse_at(place,
			"'%.60s' is no name in normal form: lower case, without path and [1m]",
			json_string_value(name));
	struct alias *added = &book->aliases[book->alias_count];
	*added = *alias;
	added->name = table_text(prices, name);
	if (!added->name)
		return -ENOMEM;
	book->alias_count++;
	return 0;
}

static int read_aliases(struct prices *prices, struct book *book, const json_t *array,
	const struct place *within, const struct record *record)
{
	const struct alias alias = { .record = record };
	struct place all = place_key(within, "aliases");
	bool has_id = false;
	int error = 0;
	size_t i;
	const json_t *name;
	json_array_foreach(array, i, name) {
		struct place at = place_item(&all, i);
		error = record_add_alias(prices, book, name, &alias, &at);
		if (error < 0)
			return error;
		has_id = has_id || strcmp(json_string_value(name), record->id) == 0;
	}
	return has_id ? 0 : refuse_at(&all, "the id itself is missing");
}

static int read_patterns(struct prices *prices, struct book *book, const json_t *array,
	const struct place *within, const struct record *record)
{
	struct place all = place_key(within, "patterns");
	size_t i;
	const json_t *expression;
	json_array_foreach(array, i, expression) {
		struct place at = place_item(&all, i);
		struct model_pattern *pattern = &book->patterns[book->pattern_count];
		int error = check_type(expression, A_STRING, &at);
		if (error == 0)
			error = pattern_compile(
				&pattern->pattern, json_string_value(expression), &at);
		if (error < 0)
			return error;
		book->pattern_count++;
		pattern->record = record;
		pattern->expression = table_text(prices, expression);
		if (!pattern->expression)
			return -ENOMEM;
	}
	return 0;
}

/* "langfuse, litellm"; NULL without memory. */
static const char *join_sources(struct prices *prices, const json_t *names)
{
	struct buf text;
	size_t i;
	const json_t *name;
	buf_init(&text, SIZE_MAX, NULL);
	json_array_foreach(names, i, name)
		buf_printf(&text, "%s%s", i ? ", " : "", json_string_value(name));
	buf_append(&text, "", 1);
	const char *joined =
		text.error ? NULL : arena_copy(&prices->arena, (const char *)text.at, text.len);
	buf_done(&text);
	return joined;
}

/* What people are told of a record. */
static int take_words(
	struct prices *prices, const struct book *book, const json_t *object, struct record *record)
{
	const json_t *notes = json_object_get(object, "notes");
	record->id = table_text(prices, json_object_get(object, "id"));
	record->provider = table_text(prices, json_object_get(object, "provider"));
	record->confidence = table_text(prices, json_object_get(object, "confidence"));
	record->notes = notes ? table_text(prices, notes) : NULL;
	record->sources = join_sources(prices, json_object_get(object, "sources"));
	record->is_override = book == &prices->books[BOOK_OVERRIDES];
	record->is_deprecated = json_is_true(json_object_get(object, "deprecated"));
	bool has_all = record->id && record->provider && record->confidence && record->sources &&
		(record->notes || !notes);
	return has_all ? 0 : -ENOMEM;
}

int record_read(struct prices *prices, struct book *book, const json_t *object,
	const json_t *sources, const struct place *place)
{
	static const struct member members[] = {
		{ "id", A_STRING, true },
		{ "provider", A_STRING, true },
		{ "kind", A_STRING, true },
		{ "aliases", AN_ARRAY, true },
		{ "patterns", AN_ARRAY, true },
		{ "periods", AN_ARRAY },
		{ PER_TOKEN, AN_OBJECT },
		{ PER_MILLION, AN_OBJECT },
		{ "service_tiers", AN_OBJECT },
		{ "context_tiers", AN_ARRAY },
		{ "schedules", AN_ARRAY },
		{ "per_unit_fees", AN_OBJECT },
		{ "region_multipliers", AN_OBJECT },
		{ "context_window", AN_INTEGER },
		{ "deprecated", A_BOOLEAN, true },
		{ "released", A_STRING },
		{ "retired", A_STRING },
		{ "sources", AN_ARRAY, true },
		{ "confidence", A_STRING, true },
		{ "notes", A_STRING },
		{ 0 },
	};
	struct record *record = &book->records[book->record_count];
	int error = check_type(object, AN_OBJECT, place);
	if (error == 0)
		error = check_members(object, members, place);
	if (error == 0)
		error = check_rest(object, sources, place);
	if (error == 0)
		error = take_words(prices, book, object, record);
	if (error == 0)
		error = read_aliases(
			prices, book, json_object_get(object, "aliases"), place, record);
	if (error == 0)
		error = read_patterns(
			prices, book, json_object_get(object, "patterns"), place, record);
	if (error == 0)
		error = rates_read(prices, object, place, record);
	if (error == 0)
		error = surcharges_read(prices, object, place, record);
	if (error == 0)
		book->record_count++;
	return error;
}
