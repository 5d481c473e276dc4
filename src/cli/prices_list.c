/* tollgate prices list: what a table has prices for, and what the daemon met that has none. */
#include "config.h" /* FNM_CASEFOLD */

#include "cli/prices.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/figures.h"
#include "cli/page.h"
#include "pricing/explain.h"

enum { PATTERN_TEXT_MAX = 512, TOKENS_SHOWN = 1000000 };

/* ---- the table ---- */

struct wanted {
	const struct prices_choice *choice;
	char pattern[PATTERN_TEXT_MAX]; /* for fnmatch */
	const char *id; /* of the record that the pattern names as models do; NULL: none */
};

static bool is_wanted(const struct wanted *wanted, const char *name)
{
	return fnmatch(wanted->pattern, name, FNM_CASEFOLD) == 0 ||
		(wanted->id && strcmp(wanted->id, name) == 0);
}

static json_t *prices_json(const struct listed_record *record)
{
	json_t *prices = json_object();
	char text[FUSD_TEXT_MAX];
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		if (!record->has_own[class])
			continue;
		fusd_text(text, record->prices[class]);
		json_object_set_new(prices, token_class_name(class), json_string(text));
	}
	return prices;
}

static json_t *records_json(const struct wanted *wanted, const struct prices *prices)
{
	json_t *rows = json_array();
	const char *provider = wanted->choice->provider;
	for (size_t i = 0; i < prices_count(prices); i++) {
		struct listed_record record;
		prices_record(prices, i, wanted->choice->at_ns, &record);
		if (!is_wanted(wanted, record.id) ||
			(provider && strcasecmp(provider, record.provider) != 0))
			continue;
		json_array_append_new(rows,
			json_pack("{s:s, s:s, s:s?, s:b, s:b, s:s, s:s?, s:o}", "id", record.id,
				"provider", record.provider, "since", record.period_from,
				"is_override", record.is_override, "is_deprecated",
				record.is_deprecated, "confidence", record.confidence, "notes",
				record.notes, "prices", prices_json(&record)));
	}
	return rows;
}

/* Only of what was asked for by name. */
static json_t *unpriced_json(const struct wanted *wanted, const struct prices *prices)
{
	json_t *rows = json_array();
	const char *name, *words;
	bool is_asked = wanted->choice->operand && !wanted->choice->provider;
	for (size_t i = 0; is_asked && prices_unpriced(prices, i, &name, &words); i++)
		if (is_wanted(wanted, name))
			json_array_append_new(
				rows, json_pack("{s:s, s:s}", "name", name, "why", words));
	return rows;
}

static json_t *list_json(const struct prices_choice *choice, const struct prices *prices)
{
	struct wanted wanted = { .choice = choice };
	const char *pattern = choice->operand ? choice->operand : "";
	struct explanation explanation;
	struct price_question question = {
		.model = bytes_of(pattern), .at_ns = choice->at_ns, .usage = &choice->usage
	};
	price_explain(prices, &question, &explanation);
	wanted.id = explanation.id;
	snprintf(wanted.pattern, sizeof wanted.pattern, "*%s*", pattern);
	return json_pack("{s:s, s:I, s:I, s:o, s:o}", "as_of", prices_as_of(prices), "age_days",
		(json_int_t)prices_age_days(prices, clock_unix_ns()), "at_ns",
		(json_int_t)choice->at_ns, "models", records_json(&wanted, prices), "unpriced",
		unpriced_json(&wanted, prices));
}

enum column { ID, PROVIDER, INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, SINCE, OWN };

static const struct table_column columns[] = {
	[ID] = { "model", .min_columns = 20 },
	[PROVIDER] = { "provider", .rank = 1 },
	[INPUT] = { "input", .is_decimal = true },
	[OUTPUT] = { "output", .is_decimal = true },
	[CACHE_READ] = { "cached", .is_decimal = true },
	[CACHE_WRITE] = { "write", .is_decimal = true },
	[SINCE] = { "since", .rank = 2 },
	[OWN] = { "" },
};

static void add_price(
	struct table *table, enum column column, const json_t *record, enum token_class class)
{
	char figure[FIGURE_MAX];
	const json_t *prices = json_object_get(record, "prices");
	fusd price;
	if (fusd_parse(json_text(prices, token_class_name(class)), &price) == 0)
		table_cell(table, column, STYLE_PLAIN, "",
			bytes_of(figure_cost(figure, price * TOKENS_SHOWN) + strlen("$")));
}

static void add_record(struct table *table, const json_t *record)
{
	table_cell(table, ID, STYLE_BOLD, "", bytes_of(json_text(record, "id")));
	table_cell(table, PROVIDER, STYLE_PLAIN, "", bytes_of(json_text(record, "provider")));
	add_price(table, INPUT, record, TOKENS_INPUT);
	add_price(table, OUTPUT, record, TOKENS_OUTPUT);
	add_price(table, CACHE_READ, record, TOKENS_CACHE_READ);
	add_price(table, CACHE_WRITE, record, TOKENS_CACHE_WRITE_5M);
	if (*json_text(record, "since"))
		table_cell(table, SINCE, STYLE_DIM, "", bytes_of(json_text(record, "since")));
	if (json_is_true(json_object_get(record, "is_override")))
		table_cell(table, OWN, STYLE_GREEN, "", bytes_of("own"));
}

static void put_summary(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	char figure[FIGURE_MAX], line[256];
	size_t count = json_array_size(json_object_get(answer, "models")), i;
	json_t *row;
	json_array_foreach(json_object_get(answer, "unpriced"), i, row) {
		snprintf(line, sizeof line, "%.100s is not priced on purpose: %.100s",
			json_text(row, "name"), json_text(row, "why"));
		terminal_put_words(terminal, out, STYLE_PLAIN, bytes_of(line), 2);
	}
	snprintf(line, sizeof line, "%s %s, USD per 1M tokens, as of %s.",
		figure_count(figure, (int64_t)count), count == 1 ? "model" : "models",
		json_text(answer, "as_of"));
	terminal_put_words(terminal, out, STYLE_DIM, bytes_of(line), 2);
	prices_remark_age(answer, terminal, out);
}

int prices_list_print(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	struct table table;
	json_t *record;
	size_t i;
	table_init(&table);
	for (i = 0; i < sizeof columns / sizeof *columns; i++)
		table_column(&table, columns[i]);
	table.has_titles = json_array_size(json_object_get(answer, "models")) > 0;
	json_array_foreach(json_object_get(answer, "models"), i, record)
		add_record(&table, record);
	int error = table_print(&table, terminal, out);
	table_done(&table);
	put_summary(answer, terminal, out);
	return error ? error : out->error;
}

int prices_list_run(const struct prices_choice *choice)
{
	struct page page = { .is_json = choice->is_json };
	struct prices *prices;
	int status = prices_configured(choice, &prices);
	if (status != EXIT_DONE)
		return status;
	json_t *answer = list_json(choice, prices);
	status = page_print(&page, answer, prices_list_print);
	json_decref(answer);
	prices_free(prices);
	return status;
}

/* ---- what the daemon met ---- */

static const char *words_for(const char *why)
{
	static const struct {
		const char *why, *words;
	} known[] = {
		{ "unknown_model", "no such model in the table" },
		{ "unknown_tier", "no price for its service tier" },
		{ "not_evaluated", "no certain price at its time of day" },
		{ "missing_class", "no price for some of its tokens" },
		{ "usage_withheld", "its tokens are not said" },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].why, why) == 0)
			return known[i].words;
	return why;
}

static void add_name(struct table *table, const json_t *row)
{
	char figure[FIGURE_MAX];
	table_cell(table, 0, STYLE_BOLD, "", bytes_of(json_text(row, "model")));
	table_cell(table, 1, STYLE_PLAIN, "",
		bytes_of(figure_count(figure, (int64_t)json_uint(row, "calls"))));
	table_cell(table, 2, STYLE_PLAIN, "", bytes_of(words_for(json_text(row, "why"))));
}

static void add_others(struct table *table, const json_t *answer)
{
	char figure[FIGURE_MAX];
	uint64_t others = json_uint(answer, "other_calls");
	if (!others)
		return;
	table_cell(table, 0, STYLE_PLAIN, "", bytes_of("(further names)"));
	table_cell(table, 1, STYLE_PLAIN, "", bytes_of(figure_count(figure, (int64_t)others)));
}

int prices_unknown_print(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	char line[256], count[FIGURE_MAX], age[FIGURE_MAX];
	struct table table;
	json_t *row;
	size_t i;
	table_init(&table);
	table_column(&table, (struct table_column){ "model", .min_columns = 20 });
	table_column(&table, (struct table_column){ "calls", .is_right = true });
	table_column(&table, (struct table_column){ "why" });
	table.has_titles = json_array_size(json_object_get(answer, "names")) > 0;
	if (!table.has_titles)
		table_note(&table, STYLE_PLAIN, "",
			bytes_of("Every call had a price since the daemon's start."));
	json_array_foreach(json_object_get(answer, "names"), i, row)
		add_name(&table, row);
	add_others(&table, answer);
	int error = table_print(&table, terminal, out);
	table_done(&table);
	snprintf(line, sizeof line,
		"Since the daemon's start, %s ago; its table has %s models as of %s.",
		figure_age(age, json_uint(answer, "since_ns"), json_uint(answer, "now_ns")),
		figure_count(count, (int64_t)json_uint(answer, "records")),
		json_text(answer, "as_of"));
	terminal_put_words(terminal, out, STYLE_DIM, bytes_of(line), 2);
	prices_remark_age(answer, terminal, out);
	return error ? error : out->error;
}

int prices_unknown_run(const struct prices_choice *choice)
{
	struct page page = { choice->socket, choice->is_json, "/v1/prices" };
	json_t *answer = NULL;
	int status = control_ask(page.socket, "GET", page.path, &answer);
	if (status == EXIT_DONE)
		status = page_print(&page, answer, prices_unknown_print);
	json_decref(answer);
	return status;
}
