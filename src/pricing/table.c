#include "pricing/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "pricing/fields.h"
#include "pricing/match.h"
#include "pricing/memo.h"
#include "pricing/rates.h"

enum { ARENA_MAX_BYTES = 64 << 20, FILE_MAX_BYTES = 16 << 20 };

static const char *take_text(struct prices *prices, const json_t *text)
{
	return arena_copy(&prices->arena, json_string_value(text), json_string_length(text) + 1);
}

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

static int check_date(const json_t *record, const char *key, const struct place *within)
{
	const json_t *date = json_object_get(record, key);
	struct place place = place_key(within, key);
	uint64_t start_ns;
	if (!date || date_parse(json_string_value(date), &start_ns) == 0)
		return 0;
	return refuse_at(&place, "'%.40s' is no date like 2026-11-20", json_string_value(date));
}

/* Fees and multipliers are checked only: what they depend on is in no question (price.h). */
static int check_amounts(const json_t *record, const char *key, const struct member *names,
	const struct place *within)
{
	const json_t *amounts = json_object_get(record, key), *value;
	struct place place = place_key(within, key);
	const char *name;
	int error = amounts ? check_members(amounts, names, &place) : 0;
	json_object_foreach((json_t *)amounts, name, value) {
		struct place at = place_key(&place, name);
		fusd amount;
		if (error == 0)
			error = rates_read_amount(value, &at, &amount);
	}
	return error;
}

/* All of a record that has no bearing on a price. */
static int check_rest(const json_t *record, const json_t *sources, const struct place *place)
{
	static const struct member fees[] = {
		{ "web_search_request", A_STRING },
		{ "web_search_call", A_STRING },
		{ "file_search_call", A_STRING },
		{ "google_search_query", A_STRING },
		{ "google_search_grounded_prompt", A_STRING },
		{ 0 },
	};
	static const struct member multipliers[] = {
		{ "inference_geo=us", A_STRING },
		{ "data_residency=us", A_STRING },
		{ "data_residency=eu", A_STRING },
		{ 0 },
	};
	int error = check_word(record, "kind",
		(const char *[]){ "chat", "embedding", "audio", "image", NULL }, place);
	if (error == 0)
		error = check_word(record, "confidence",
			(const char *[]){ "high", "medium", "low", NULL }, place);
	if (error == 0)
		error = check_sources(json_object_get(record, "sources"), sources, place);
	if (error == 0)
		error = check_amounts(record, "per_unit_fees", fees, place);
	if (error == 0)
		error = check_amounts(record, "region_multipliers", multipliers, place);
	if (error == 0)
		error = check_date(record, "released", place);
	if (error == 0)
		error = check_date(record, "retired", place);
	return error;
}

static int add_alias(struct prices *prices, const json_t *name, const struct record *record,
	const struct place *place)
{
	int error = check_type(name, A_STRING, place);
	if (error < 0)
		return error;
	char normal[MODEL_NAME_MAX + 1];
	if (model_normalise(bytes_of(json_string_value(name)), normal) == 0 ||
		strcmp(normal, json_string_value(name)) != 0)
		return refuse_at(
			place, "'%.60s' is no name in normal form", json_string_value(name));
	const char *text = take_text(prices, name);
	if (!text)
		return -ENOMEM;
	prices->aliases[prices->alias_count++] = (struct alias){ text, record };
	return 0;
}

static int read_aliases(struct prices *prices, const json_t *array, const struct place *within,
	const struct record *record)
{
	struct place all = place_key(within, "aliases");
	bool has_id = false;
	int error = 0;
	size_t i;
	const json_t *name;
	json_array_foreach(array, i, name) {
		struct place at = place_item(&all, i);
		error = add_alias(prices, name, record, &at);
		if (error < 0)
			return error;
		has_id = has_id || strcmp(json_string_value(name), record->id) == 0;
	}
	return has_id ? 0 : refuse_at(&all, "the id itself is missing");
}

static int read_patterns(struct prices *prices, const json_t *array, const struct place *within,
	const struct record *record)
{
	struct place all = place_key(within, "patterns");
	size_t i;
	const json_t *expression;
	json_array_foreach(array, i, expression) {
		struct place at = place_item(&all, i);
		struct model_pattern *pattern = &prices->patterns[prices->pattern_count];
		int error = check_type(expression, A_STRING, &at);
		if (error == 0)
			error = pattern_compile(
				&pattern->pattern, json_string_value(expression), &at);
		if (error < 0)
			return error;
		pattern->record = record;
		prices->pattern_count++;
	}
	return 0;
}

static int read_record(struct prices *prices, const json_t *object, const json_t *sources,
	struct place *place, struct record *record)
{
	static const struct member members[] = {
		{ "id", A_STRING, true },
		{ "provider", A_STRING, true },
		{ "kind", A_STRING, true },
		{ "aliases", AN_ARRAY, true },
		{ "patterns", AN_ARRAY, true },
		{ "periods", AN_ARRAY, true },
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
	place->item = json_string_value(json_object_get(object, "id"));
	int error = check_type(object, AN_OBJECT, place);
	if (error == 0)
		error = check_members(object, members, place);
	if (error == 0)
		error = check_rest(object, sources, place);
	if (error < 0)
		return error;
	record->id = take_text(prices, json_object_get(object, "id"));
	record->provider = take_text(prices, json_object_get(object, "provider"));
	if (!record->id || !record->provider)
		return -ENOMEM;
	error = read_aliases(prices, json_object_get(object, "aliases"), place, record);
	if (error == 0)
		error = read_patterns(prices, json_object_get(object, "patterns"), place, record);
	if (error == 0)
		error = rates_read_periods(
			prices, json_object_get(object, "periods"), place, record);
	return error;
}

/* The arrays that all records share; json_array_size of what is no array is 0. */
static int take_arrays(struct prices *prices, const json_t *models, const json_t *unpriced)
{
	size_t aliases = json_object_size(unpriced), patterns = 0, i;
	const json_t *model;
	json_array_foreach(models, i, model) {
		aliases += json_array_size(json_object_get(model, "aliases"));
		patterns += json_array_size(json_object_get(model, "patterns"));
	}
	prices->records = table_take(prices, json_array_size(models), sizeof *prices->records);
	prices->aliases = table_take(prices, aliases, sizeof *prices->aliases);
	prices->patterns = table_take(prices, patterns, sizeof *prices->patterns);
	return prices->records && prices->aliases && prices->patterns ? 0 : -ENOMEM;
}

static int read_models(struct prices *prices, const json_t *document, const struct place *within)
{
	const json_t *models = json_object_get(document, "models"), *model;
	const json_t *sources = json_object_get(document, "sources");
	struct place all = place_key(within, "models");
	size_t i;
	json_array_foreach(models, i, model) {
		struct place at = place_item(&all, i);
		int error = read_record(prices, model, sources, &at, &prices->records[i]);
		if (error < 0)
			return error;
		prices->record_count++;
	}
	return 0;
}

static int read_unpriced(struct prices *prices, const json_t *object, const struct place *within)
{
	struct place place = place_key(within, "unpriced_on_purpose");
	const char *name;
	json_t *why;
	int error = 0;
	json_object_foreach((json_t *)object, name, why) {
		struct place at = place_key(&place, name);
		json_t *text = json_string(name);
		error = check_type(why, A_STRING, &at);
		if (error == 0)
			error = text ? add_alias(prices, text, NULL, &at) : -ENOMEM;
		json_decref(text);
		if (error < 0)
			break;
	}
	return error;
}

static bool is_normal_provider(const char *name)
{
	char normal[PROVIDER_NAME_MAX + 1];
	return provider_normalise(bytes_of(name), normal) > 0 && strcmp(normal, name) == 0;
}

static int read_scope(struct prices *prices, const char *provider, const json_t *object,
	const struct place *place)
{
	static const struct member members[] = {
		{ "prefix", A_STRING, true },
		{ "allow", AN_ARRAY, true },
		{ 0 },
	};
	int error = check_type(object, AN_OBJECT, place);
	if (error == 0)
		error = check_members(object, members, place);
	if (error < 0)
		return error;
	const json_t *allow = json_object_get(object, "allow"), *one;
	const char *prefix = json_string_value(json_object_get(object, "prefix"));
	if (!is_normal_provider(provider) || !is_normal_provider(prefix))
		return refuse_at(place, "provider or prefix is no name in normal form");
	struct scope *scope = &prices->scopes[prices->scope_count];
	scope->provider = arena_copy(&prices->arena, provider, strlen(provider) + 1);
	scope->prefix = take_text(prices, json_object_get(object, "prefix"));
	scope->allow = table_take(prices, json_array_size(allow) + 1, sizeof *scope->allow);
	if (!scope->provider || !scope->prefix || !scope->allow)
		return -ENOMEM;
	size_t i;
	json_array_foreach(allow, i, one) {
		if (!json_is_string(one))
			return refuse_at(place, "allow must hold strings");
		scope->allow[i] = take_text(prices, one);
		if (!scope->allow[i])
			return -ENOMEM;
	}
	prices->scope_count++;
	return 0;
}

static int compare_scopes(const void *a, const void *b)
{
	return strcmp(((const struct scope *)a)->provider, ((const struct scope *)b)->provider);
}

static int read_scopes(struct prices *prices, const json_t *object, const struct place *within)
{
	struct place place = place_key(within, "provider_scopes");
	const char *provider;
	json_t *value;
	prices->scopes = table_take(prices, json_object_size(object), sizeof *prices->scopes);
	if (!prices->scopes)
		return -ENOMEM;
	json_object_foreach((json_t *)object, provider, value) {
		struct place at = place_key(&place, provider);
		bool is_comment = provider[0] == '_';
		int error = is_comment ? check_type(value, A_STRING, &at) :
					 read_scope(prices, provider, value, &at);
		if (error < 0)
			return error;
	}
	qsort(prices->scopes, prices->scope_count, sizeof *prices->scopes, compare_scopes);
	return 0;
}

static int compare_aliases(const void *a, const void *b)
{
	return strcmp(((const struct alias *)a)->name, ((const struct alias *)b)->name);
}

static const char *name_of(const struct record *record)
{
	return record ? record->id : "unpriced_on_purpose";
}

/* No name may belong to two records, by alias or by pattern. */
static int settle_aliases(struct prices *prices, const struct place *place)
{
	qsort(prices->aliases, prices->alias_count, sizeof *prices->aliases, compare_aliases);
	for (size_t i = 0; i < prices->alias_count; i++) {
		const struct alias *alias = &prices->aliases[i];
		if (i > 0 && strcmp(alias[-1].name, alias->name) == 0)
			return refuse_at(place, "'%.60s' names both %.60s and %.60s", alias->name,
				name_of(alias[-1].record), name_of(alias->record));
		for (size_t p = 0; p < prices->pattern_count; p++) {
			const struct model_pattern *pattern = &prices->patterns[p];
			if (pattern->record != alias->record &&
				pattern_matches(&pattern->pattern, alias->name))
				return refuse_at(place,
					"'%.60s' of %.60s matches a pattern of %.60s", alias->name,
					name_of(alias->record), pattern->record->id);
		}
	}
	return 0;
}

/* That the file prices what this program prices: USD per token, in the classes known here. */
static int check_terms(const json_t *document, const struct place *place)
{
	int error = check_word(
		document, "schema", (const char *[]){ "tollgate-prices/1", NULL }, place);
	if (error == 0)
		error = check_word(document, "currency", (const char *[]){ "USD", NULL }, place);
	if (error == 0)
		error = check_date(document, "as_of", place);
	const json_t *classes = json_object_get(document, "price_keys");
	for (size_t i = 0; error == 0 && i < json_array_size(classes); i++) {
		const char *name = json_string_value(json_array_get(classes, i));
		size_t class = 0;
		while (name && class < TOKEN_CLASS_COUNT &&
			strcmp(token_class_name(class), name) != 0)
			class ++;
		if (!name || class == TOKEN_CLASS_COUNT)
			error = refuse_at(place, "price_keys has '%.60s', which is unknown here",
				name ? name : "");
	}
	return error;
}

static int read_document(struct prices *prices, const json_t *document, const struct place *place)
{
	static const struct member members[] = {
		{ "schema", A_STRING, true },
		{ "as_of", A_STRING, true },
		{ "currency", A_STRING, true },
		{ "unit", A_STRING },
		{ "price_keys", AN_ARRAY },
		{ "semantics", AN_OBJECT },
		{ "matching", AN_OBJECT },
		{ "provider_scopes", AN_OBJECT },
		{ "sources", AN_OBJECT, true },
		{ "unpriced_on_purpose", AN_OBJECT },
		{ "models", AN_ARRAY, true },
		{ 0 },
	};
	const json_t *unpriced = json_object_get(document, "unpriced_on_purpose");
	int error = check_type(document, AN_OBJECT, place);
	if (error == 0)
		error = check_members(document, members, place);
	if (error == 0)
		error = check_terms(document, place);
	if (error == 0)
		error = take_arrays(prices, json_object_get(document, "models"), unpriced);
	if (error == 0)
		error = read_models(prices, document, place);
	if (error == 0)
		error = read_unpriced(prices, unpriced, place);
	if (error == 0)
		error = read_scopes(prices, json_object_get(document, "provider_scopes"), place);
	if (error == 0)
		error = settle_aliases(prices, place);
	if (error < 0)
		return error;
	prices->as_of = take_text(prices, json_object_get(document, "as_of"));
	return prices->as_of ? 0 : -ENOMEM;
}

int prices_parse(struct bytes json, const char *name, struct prices **ret_prices,
	struct complaint *complaint)
{
	snprintf(complaint->file, sizeof complaint->file, "%s", name);
	json_error_t where;
	json_t *document =
		json_loadb((const char *)json.at, json.len, JSON_REJECT_DUPLICATES, &where);
	if (!document) {
		complaint->line = where.line;
		return complain(complaint, "%s", where.text);
	}
	int error = -ENOMEM;
	struct place place = { .complaint = complaint };
	struct prices *prices = calloc(1, sizeof *prices);
	if (!prices)
		goto out;
	arena_init(&prices->arena, ARENA_MAX_BYTES, NULL);
	prices->memo = memo_new();
	if (prices->memo)
		error = read_document(prices, document, &place);
	if (error == 0) {
		*ret_prices = prices;
		prices = NULL;
		complaint->file[0] = '\0';
	}
out:
	prices_free(prices);
	json_decref(document);
	return error;
}

int prices_builtin(struct prices **ret_prices, struct complaint *complaint)
{
	struct bytes json = { prices_builtin_json, prices_builtin_json_bytes };
	return prices_parse(json, "built-in price table", ret_prices, complaint);
}

int prices_load(const char *file, struct prices **ret_prices, struct complaint *complaint)
{
	if (!file)
		return prices_builtin(ret_prices, complaint);
	struct buf json;
	buf_init(&json, FILE_MAX_BYTES, NULL);
	int error = file_read(file, &json);
	if (!error)
		error = prices_parse(buf_bytes(&json), file, ret_prices, complaint);
	else
		snprintf(complaint->file, sizeof complaint->file, "%s", file);
	buf_done(&json);
	if (error == -E2BIG)
		complain(
			complaint, "larger than %d bytes, which no price table is", FILE_MAX_BYTES);
	else if (error)
		complain(complaint, "the price table cannot be read: %s", strerror(-error));
	return error;
}

void prices_free(struct prices *prices)
{
	if (!prices)
		return;
	for (size_t i = 0; i < prices->pattern_count; i++)
		pattern_done(&prices->patterns[i].pattern);
	memo_free(prices->memo);
	arena_done(&prices->arena);
	free(prices);
}
