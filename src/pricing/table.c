#include "pricing/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "pricing/explain.h"
#include "pricing/fields.h"
#include "pricing/match.h"
#include "pricing/memo.h"
#include "pricing/overrides.h"
#include "pricing/record.h"

enum { ARENA_MAX_BYTES = 64 << 20, FILE_MAX_BYTES = 16 << 20 };

/* One file on its way into the table. */
struct source {
	const char *name;
	struct bytes text;
	json_t *json;
	struct complaint *complaint;
};

const char *table_text(struct prices *prices, const json_t *text)
{
	return arena_copy(&prices->arena, json_string_value(text), json_string_length(text) + 1);
}

/* The arrays that all records share; of no document, or of what is no array, empty ones. */
static int take_arrays(struct prices *prices, struct book *book, const json_t *document)
{
	const json_t *models = json_object_get(document, "models"), *model;
	size_t aliases = json_object_size(json_object_get(document, "unpriced_on_purpose"));
	size_t patterns = 0, i;
	json_array_foreach(models, i, model) {
		aliases += json_array_size(json_object_get(model, "aliases"));
		patterns += json_array_size(json_object_get(model, "patterns"));
	}
	book->records = table_take(prices, json_array_size(models), sizeof *book->records);
	book->aliases = table_take(prices, aliases, sizeof *book->aliases);
	book->patterns = table_take(prices, patterns, sizeof *book->patterns);
	book->scopes =
		table_take(prices, json_object_size(json_object_get(document, "provider_scopes")),
			sizeof *book->scopes);
	return book->records && book->aliases && book->patterns && book->scopes ? 0 : -ENOMEM;
}

/*
 *   replaced  the document whose records stand for those of the same id here; NULL for none
 */
static int read_models(struct prices *prices, struct book *book, const json_t *document,
	const json_t *replaced, const struct place *within)
{
	const json_t *models = json_object_get(document, "models"), *model;
	const json_t *sources = json_object_get(document, "sources");
	struct place all = place_key(within, "models");
	size_t i;
	json_array_foreach(models, i, model) {
		const json_t *id = json_object_get(model, "id");
		if (overrides_have(replaced, id))
			continue;
		struct place at = place_item(&all, i);
		at.item = json_string_value(id);
		int error = record_read(prices, book, model, sources, &at);
		if (error < 0)
			return error;
	}
	return 0;
}

static int read_unpriced(
	struct prices *prices, struct book *book, const json_t *object, const struct place *within)
{
	struct place place = place_key(within, "unpriced_on_purpose");
	const char *name;
	json_t *why;
	json_object_foreach((json_t *)object, name, why) {
		struct place at = place_key(&place, name);
		int error = check_type(why, A_STRING, &at);
		if (error < 0)
			return error;
		struct alias alias = { .words = table_text(prices, why) };
		json_t *text = json_string(name);
		error = alias.words && text ? record_add_alias(prices, book, text, &alias, &at) :
					      -ENOMEM;
		json_decref(text);
		if (error < 0)
			return error;
	}
	return 0;
}

static bool is_normal_provider(const char *name)
{
	char normal[PROVIDER_NAME_MAX + 1];
	return provider_normalise(bytes_of(name), normal) > 0 && strcmp(normal, name) == 0;
}

static int read_scope(struct prices *prices, struct book *book, const char *provider,
	const json_t *object, const struct place *place)
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
	struct scope *scope = &book->scopes[book->scope_count];
	scope->provider = arena_copy(&prices->arena, provider, strlen(provider) + 1);
	scope->prefix = table_text(prices, json_object_get(object, "prefix"));
	scope->allow = table_take(prices, json_array_size(allow) + 1, sizeof *scope->allow);
	if (!scope->provider || !scope->prefix || !scope->allow)
		return -ENOMEM;
	size_t i;
	json_array_foreach(allow, i, one) {
		if (!json_is_string(one))
			return refuse_at(place, "allow must hold strings");
		scope->allow[i] = table_text(prices, one);
		if (!scope->allow[i])
			return -ENOMEM;
	}
	book->scope_count++;
	return 0;
}

static int compare_scopes(const void *a, const void *b)
{
	return strcmp(((const struct scope *)a)->provider, ((const struct scope *)b)->provider);
}

static int read_scopes(
	struct prices *prices, struct book *book, const json_t *object, const struct place *within)
{
	struct place place = place_key(within, "provider_scopes");
	const char *provider;
	json_t *value;
	json_object_foreach((json_t *)object, provider, value) {
		struct place at = place_key(&place, provider);
		bool is_comment = provider[0] == '_';
		int error = is_comment ? check_type(value, A_STRING, &at) :
					 read_scope(prices, book, provider, value, &at);
		if (error < 0)
			return error;
	}
	qsort(book->scopes, book->scope_count, sizeof *book->scopes, compare_scopes);
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

/* No name may belong to two records of a file, by alias or by pattern. */
static int settle_aliases(struct book *book, const struct place *place)
{
	qsort(book->aliases, book->alias_count, sizeof *book->aliases, compare_aliases);
	for (size_t i = 0; i < book->alias_count; i++) {
		const struct alias *alias = &book->aliases[i];
		if (i > 0 && strcmp(alias[-1].name, alias->name) == 0)
			return refuse_at(place, "'%.60s' names both %.60s and %.60s", alias->name,
				name_of(alias[-1].record), name_of(alias->record));
		for (size_t p = 0; p < book->pattern_count; p++) {
			const struct model_pattern *pattern = &book->patterns[p];
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

static void blame(const struct source *source)
{
	snprintf(source->complaint->file, sizeof source->complaint->file, "%s", source->name);
}

/*
 *   overrides  what stands over this document; NULL for none
 */
static int read_document(struct prices *prices, struct book *book, const struct source *source,
	const struct source *overrides)
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
	const json_t *document = source->json;
	struct place place = { .complaint = source->complaint, .text = source->text };
	int error = check_type(document, AN_OBJECT, &place);
	if (error == 0)
		error = check_members(document, members, &place);
	if (error == 0)
		error = check_terms(document, &place);
	if (error == 0)
		error = take_arrays(prices, book, document);
	if (error == 0)
		error = read_models(
			prices, book, document, overrides ? overrides->json : NULL, &place);
	if (error == 0)
		error = read_unpriced(
			prices, book, json_object_get(document, "unpriced_on_purpose"), &place);
	if (error == 0)
		error = read_scopes(
			prices, book, json_object_get(document, "provider_scopes"), &place);
	if (error == 0)
		error = settle_aliases(book, &place);
	if (error == -EINVAL)
		blame(source);
	return error;
}

/* Once. */
static int source_parse(struct source *source)
{
	json_error_t where;
	if (source->json)
		return 0;
	source->json = json_loadb(
		(const char *)source->text.at, source->text.len, JSON_REJECT_DUPLICATES, &where);
	if (source->json)
		return 0;
	/* jansson repeats what stands there, which in a wrong file could be a key. */
	char *near = strstr(where.text, " near '");
	if (near && json_error_code(&where) != json_error_duplicate_key)
		*near = '\0';
	blame(source);
	source->complaint->line = where.line;
	return complain(
		source->complaint, "no valid JSON at column %d: %s", where.column, where.text);
}

static int read_table(
	struct prices *prices, const struct source *table, const struct source *overrides)
{
	int error = read_document(prices, &prices->books[BOOK_TABLE], table, overrides);
	if (error < 0)
		return error;
	const json_t *as_of = json_object_get(table->json, "as_of");
	prices->as_of = table_text(prices, as_of);
	date_parse(json_string_value(as_of), &prices->as_of_ns); /* checked before */
	return prices->as_of ? 0 : -ENOMEM;
}

static int read_overrides(
	struct prices *prices, const struct source *table, const struct source *overrides)
{
	int error = overrides_complete(overrides->json, table->json);
	return error == 0 ? read_document(prices, &prices->books[BOOK_OVERRIDES], overrides, NULL) :
			    error;
}

/*   overrides  NULL for none */
static int read_all(struct prices *prices, struct source *table, struct source *overrides)
{
	int error = overrides ? source_parse(overrides) : 0;
	if (error == 0)
		error = source_parse(table);
	if (error == 0)
		error = read_table(prices, table, overrides);
	if (error == 0)
		error = overrides ? read_overrides(prices, table, overrides) :
				    take_arrays(prices, &prices->books[BOOK_OVERRIDES], NULL);
	return error;
}

static struct prices *prices_new(void)
{
	struct prices *prices = calloc(1, sizeof *prices);
	if (!prices)
		return NULL;
	arena_init(&prices->arena, ARENA_MAX_BYTES, NULL);
	prices->memo = memo_new();
	if (prices->memo)
		return prices;
	prices_free(prices);
	return NULL;
}

/* Ends with both sources. */
static int build(struct source *table, struct source *overrides, struct prices **ret_prices)
{
	struct prices *prices = prices_new();
	int error = prices ? read_all(prices, table, overrides) : -ENOMEM;
	if (error == -ENOMEM)
		complain(table->complaint, "no memory for the price table");
	if (error == 0)
		*ret_prices = prices;
	else
		prices_free(prices);
	json_decref(table->json);
	if (overrides)
		json_decref(overrides->json);
	return error;
}

static struct source builtin_source(struct complaint *complaint)
{
	return (struct source){ .name = "built-in price table",
		.text = { prices_builtin_json, prices_builtin_json_bytes },
		.complaint = complaint };
}

int prices_parse(struct bytes json, const char *name, struct prices **ret_prices,
	struct complaint *complaint)
{
	struct source table = { .name = name, .text = json, .complaint = complaint };
	return build(&table, NULL, ret_prices);
}

int prices_parse_overrides(struct bytes json, const char *name, struct prices **ret_prices,
	struct complaint *complaint)
{
	struct source table = builtin_source(complaint);
	struct source overrides = { .name = name, .text = json, .complaint = complaint };
	return build(&table, &overrides, ret_prices);
}

int prices_builtin(struct prices **ret_prices, struct complaint *complaint)
{
	struct source table = builtin_source(complaint);
	return build(&table, NULL, ret_prices);
}

static int read_file(struct source *source, struct buf *text)
{
	int error = file_read(source->name, text);
	source->text = buf_bytes(text);
	if (error == 0)
		return 0;
	blame(source);
	if (error == -E2BIG)
		return complain(source->complaint, "larger than %d bytes, which no price table is",
			FILE_MAX_BYTES);
	return complain(source->complaint, "the price table cannot be read: %s", strerror(-error));
}

int prices_load(const char *file, const char *overrides, struct prices **ret_prices,
	struct complaint *complaint)
{
	struct source table = builtin_source(complaint);
	struct source own = { .name = overrides, .complaint = complaint };
	struct buf text, own_text;
	buf_init(&text, FILE_MAX_BYTES, NULL);
	buf_init(&own_text, FILE_MAX_BYTES, NULL);
	int error = 0;
	if (file) {
		table.name = file;
		error = read_file(&table, &text);
	}
	if (error == 0 && overrides)
		error = read_file(&own, &own_text);
	if (error == 0)
		error = build(&table, overrides ? &own : NULL, ret_prices);
	buf_done(&text);
	buf_done(&own_text);
	return error;
}

int prices_check(const char *file, struct prices **ret_prices, enum prices_kind *ret_kind,
	struct complaint *complaint)
{
	struct source source = { .name = file, .complaint = complaint };
	struct source builtin = builtin_source(complaint);
	struct buf text;
	buf_init(&text, FILE_MAX_BYTES, NULL);
	int error = read_file(&source, &text);
	if (error == 0)
		error = source_parse(&source);
	if (error == 0) {
		bool is_table = json_object_get(source.json, "sources");
		error = is_table ? build(&source, NULL, ret_prices) :
				   build(&builtin, &source, ret_prices);
		if (error == 0)
			*ret_kind = is_table ? PRICES_TABLE : PRICES_OVERRIDES;
	}
	buf_done(&text);
	return error;
}

void prices_free(struct prices *prices)
{
	if (!prices)
		return;
	for (size_t i = 0; i < BOOK_COUNT; i++)
		for (size_t p = 0; p < prices->books[i].pattern_count; p++)
			pattern_done(&prices->books[i].patterns[p].pattern);
	memo_free(prices->memo);
	arena_done(&prices->arena);
	free(prices);
}
