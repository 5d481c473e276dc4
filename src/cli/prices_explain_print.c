/* The page of tollgate prices explain: the record, its circumstances, the arithmetic line by line. */
#include "cli/prices.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/figures.h"
#include "cli/page.h"
#include "cli/table.h"

enum { NS_PER_S = 1000000000, TOKENS_SHOWN = 1000000 /* that prices are said for */ };

static bool is_priced(const json_t *answer)
{
	return strcmp(json_text(answer, "status"), price_status_name(PRICE_FOUND)) == 0;
}

/* "cache read" for "cache_read" */
static const char *words_of(const char *name, char out[FIGURE_MAX])
{
	snprintf(out, FIGURE_MAX, "%s", name);
	for (char *at = out; *at; at++)
		*at = *at == '_' ? ' ' : *at;
	return out;
}

/* Of so many, as it is where it is too much for an amount. */
static const char *cost_of(char out[FIGURE_MAX], const json_t *row, const char *key, unsigned count)
{
	fusd amount;
	const char *text = json_text(row, key);
	return fusd_parse(text, &amount) < 0 ? text : figure_cost(out, amount * count);
}

static void put_line(
	const struct terminal *terminal, struct buf *out, enum style style, struct buf *line)
{
	terminal_put_words(terminal, out, style, buf_bytes(line), 2);
	line->len = 0;
}

static void put_record(
	const json_t *answer, const struct terminal *terminal, struct buf *out, struct buf *line)
{
	const json_t *record = json_object_get(answer, "record");
	const char *model = json_text(answer, "model"), *id = json_text(record, "id");
	bool is_pattern = json_is_string(json_object_get(record, "pattern"));
	if (strcmp(model, id) != 0)
		buf_printf(line, "%s is ", model);
	buf_printf(line, "%s (%s)", id, json_text(record, "provider"));
	if (strcmp(model, id) != 0)
		buf_printf(line, ", by %s", is_pattern ? "a pattern" : "an alias");
	if (json_is_true(json_object_get(record, "is_override")))
		buf_text(line, ", a price of your own");
	put_line(terminal, out, STYLE_BOLD, line);
}

/* "above 200,000", or `other` where no threshold is in force. */
static void threshold_words(char out[FIGURE_MAX], const json_t *row, const char *other)
{
	char figure[FIGURE_MAX];
	uint64_t tokens = json_uint(row, "threshold_tokens");
	bool is_inclusive = json_is_true(json_object_get(row, "is_inclusive"));
	if (tokens)
		snprintf(out, FIGURE_MAX, "%s %.40s", is_inclusive ? "from" : "above",
			figure_count(figure, (int64_t)tokens));
	else
		snprintf(out, FIGURE_MAX, "%s", other);
}

/* "2026-11-20 02:00 UTC: standard prices since 2026-08-17, above 200,000 input tokens" */
static void put_circumstances(
	const json_t *answer, const struct terminal *terminal, struct buf *out, struct buf *line)
{
	time_t at = (time_t)(json_uint(answer, "at_ns") / NS_PER_S);
	char time[FIGURE_MAX], threshold[FIGURE_MAX];
	struct tm utc;
	gmtime_r(&at, &utc);
	strftime(time, sizeof time, "%Y-%m-%d %H:%M UTC", &utc);
	buf_printf(line, "%s: %s prices", time, json_text(answer, "tier"));
	if (*json_text(answer, "since"))
		buf_printf(line, " since %s", json_text(answer, "since"));
	if (json_uint(answer, "threshold_tokens")) {
		threshold_words(threshold, answer, "");
		buf_printf(line, ", %s input tokens", threshold);
	}
	if (*json_text(answer, "schedule"))
		buf_printf(line, ", in %s hours", json_text(answer, "schedule"));
	if (*json_text(answer, "holiday"))
		buf_printf(line, ", on a day of the %s", json_text(answer, "holiday"));
	if (*json_text(answer, "region"))
		buf_printf(line, ", x %s for %s", json_text(answer, "multiplier"),
			json_text(answer, "region"));
	else if (*json_text(answer, "region_asked"))
		buf_printf(line, ", the same for %s", json_text(answer, "region_asked"));
	put_line(terminal, out, STYLE_PLAIN, line);
}

enum column { WHAT, COUNT, OF, PRICE, PER, AMOUNT, REMARK };

static const struct table_column columns[] = {
	[WHAT] = { "" },
	[COUNT] = { "", .is_right = true },
	[OF] = { "", .is_right = true },
	[PRICE] = { "", .is_decimal = true },
	[PER] = { "", .is_right = true },
	[AMOUNT] = { "", .is_decimal = true },
	[REMARK] = { "", .min_columns = 8 },
};

static void add_text(struct table *table, enum column column, const char *text)
{
	table_cell(table, column, STYLE_PLAIN, "", bytes_of(text));
}

static void add_tokens(struct table *table, const json_t *line)
{
	char figure[FIGURE_MAX], remark[2 * FIGURE_MAX];
	const char *class = json_text(line, "class"), *priced_as = json_text(line, "priced_as");
	bool is_standard = json_is_true(json_object_get(line, "is_standard"));
	table_cell(table, WHAT, STYLE_PLAIN, "  ", bytes_of(words_of(class, figure)));
	add_text(table, COUNT, figure_count(figure, (int64_t)json_uint(line, "tokens")));
	add_text(table, OF, "tokens x");
	add_text(table, PRICE, cost_of(figure, line, "price", TOKENS_SHOWN));
	add_text(table, PER, "/ 1M =");
	add_text(table, AMOUNT, cost_of(figure, line, "amount", 1));
	bool has_own = strcmp(class, priced_as) == 0;
	snprintf(remark, sizeof remark, "%s%s%s%s", has_own ? "" : "as ",
		has_own ? "" : words_of(priced_as, figure), !has_own && is_standard ? ", " : "",
		is_standard ? "standard price" : "");
	if (*remark)
		table_cell(table, REMARK, STYLE_DIM, "", bytes_of(remark));
}

static void add_fee(struct table *table, const json_t *fee)
{
	char figure[FIGURE_MAX];
	table_cell(
		table, WHAT, STYLE_PLAIN, "  ", bytes_of(words_of(json_text(fee, "unit"), figure)));
	add_text(table, COUNT, figure_count(figure, (int64_t)json_uint(fee, "count")));
	add_text(table, OF, "x");
	add_text(table, PRICE, cost_of(figure, fee, "price", 1));
	add_text(table, PER, "=");
	add_text(table, AMOUNT, cost_of(figure, fee, "amount", 1));
}

/* The table says 0, and there is something that it says it for. */
static bool is_free(const json_t *answer)
{
	const char *total = json_text(json_object_get(answer, "cost_details"), "total");
	return strcmp(total, "0") == 0 && json_array_size(json_object_get(answer, "lines")) > 0;
}

static int put_arithmetic(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	char figure[FIGURE_MAX], total[FIGURE_MAX + 8];
	bool is_least = json_is_true(json_object_get(answer, "is_lower_bound"));
	struct table table;
	json_t *row;
	size_t i;
	table_init(&table);
	for (i = 0; i < sizeof columns / sizeof *columns; i++)
		table_column(&table, columns[i]);
	json_array_foreach(json_object_get(answer, "lines"), i, row)
		add_tokens(&table, row);
	json_array_foreach(json_object_get(answer, "fees"), i, row)
		add_fee(&table, row);
	snprintf(total, sizeof total, "%s%s", is_least ? terminal_at_least(terminal) : "",
		cost_of(figure, json_object_get(answer, "cost_details"), "total", 1));
	table_cell(&table, WHAT, STYLE_BOLD, "  ", bytes_of("total"));
	table_cell(&table, AMOUNT, STYLE_BOLD, "", bytes_of(total));
	if (is_free(answer))
		table_cell(&table, REMARK, STYLE_DIM, "", bytes_of("free"));
	int error = table_print(&table, terminal, out);
	table_done(&table);
	return error;
}

/* Rows are classes, a column for each length of input that has prices of its own. */
static int put_prices(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	char figure[FIGURE_MAX], titles[PRICES_CONTEXTS_MAX][FIGURE_MAX];
	const json_t *contexts = json_object_get(answer, "contexts");
	struct table table;
	json_t *context;
	size_t i;
	table_init(&table);
	table.has_titles = true;
	table_column(&table, (struct table_column){ "  USD per 1M tokens" });
	json_array_foreach(contexts, i, context) {
		threshold_words(titles[i], context, json_text(answer, "tier"));
		table_column(&table,
			(struct table_column){
				titles[i], .is_decimal = true, .rank = (unsigned)i });
	}
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		const char *name = token_class_name(class);
		if (!json_object_get(json_object_get(json_array_get(contexts, 0), "prices"), name))
			continue;
		table_cell(&table, 0, STYLE_PLAIN, "  ", bytes_of(words_of(name, figure)));
		json_array_foreach(contexts, i, context)
			table_cell(&table, i + 1, STYLE_PLAIN, "",
				bytes_of(cost_of(figure, json_object_get(context, "prices"), name,
					TOKENS_SHOWN)));
	}
	int error = table_print(&table, terminal, out);
	table_done(&table);
	return error;
}

static void put_other_tiers(
	const json_t *answer, const struct terminal *terminal, struct buf *out, struct buf *line)
{
	json_t *tier;
	size_t i;
	json_array_foreach(json_object_get(answer, "tiers"), i, tier)
		if (strcmp(json_string_value(tier), json_text(answer, "tier")) != 0)
			buf_printf(line, "%s%s", line->len ? ", " : "Other prices by --tier: ",
				json_string_value(tier));
	put_line(terminal, out, STYLE_PLAIN, line);
}

static void put_bounds(
	const json_t *answer, const struct terminal *terminal, struct buf *out, struct buf *line)
{
	char figure[FIGURE_MAX];
	json_t *unit;
	size_t i;
	if (*json_text(answer, "at_most"))
		buf_printf(line, "Up to %s when what was written to the cache is kept for an hour.",
			cost_of(figure, answer, "at_most", 1));
	put_line(terminal, out, STYLE_YELLOW, line);
	json_array_foreach(json_object_get(answer, "without_fee"), i, unit) {
		buf_printf(line, "Without what the provider takes for each %s: no fee is known.",
			words_of(json_string_value(unit), figure));
		put_line(terminal, out, STYLE_YELLOW, line);
	}
}

static void put_remarks(
	const json_t *answer, const struct terminal *terminal, struct buf *out, struct buf *line)
{
	const json_t *record = json_object_get(answer, "record");
	const char *confidence = json_text(record, "confidence"),
		   *notes = json_text(record, "notes");
	bool is_sure = !*confidence || strcmp(confidence, "high") == 0;
	if (!is_sure)
		buf_printf(line, "Confidence is %s, from %s", confidence,
			json_text(record, "sources"));
	if (*notes && (!is_sure || json_object_get(answer, "contexts")))
		buf_printf(line, "%s%s", line->len ? ": " : "", notes);
	put_line(terminal, out, is_sure ? STYLE_DIM : STYLE_YELLOW, line);
	prices_remark_age(answer, terminal, out);
}

static int put_cost(
	const json_t *answer, const struct terminal *terminal, struct buf *out, struct buf *line)
{
	int error;
	put_record(answer, terminal, out, line);
	put_circumstances(answer, terminal, out, line);
	if (json_object_get(answer, "contexts")) {
		error = put_prices(answer, terminal, out);
		put_other_tiers(answer, terminal, out, line);
	} else {
		error = put_arithmetic(answer, terminal, out);
		put_bounds(answer, terminal, out, line);
	}
	put_remarks(answer, terminal, out, line);
	return error;
}

static void put_refusal(
	const json_t *answer, const struct terminal *terminal, struct buf *out, struct buf *line)
{
	if (json_is_object(json_object_get(answer, "record")))
		put_record(answer, terminal, out, line);
	buf_printf(line, "No cost. %s", json_text(answer, "sentence"));
	put_line(terminal, out, STYLE_YELLOW, line);
	if (*json_text(answer, "nearest"))
		buf_printf(line, "The nearest is %s.", json_text(answer, "nearest"));
	put_line(terminal, out, STYLE_PLAIN, line);
	prices_remark_age(answer, terminal, out);
}

int prices_explain_print(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	struct buf line;
	int error = 0;
	buf_init(&line, PAGE_OUTPUT_MAX, NULL);
	if (is_priced(answer))
		error = put_cost(answer, terminal, out, &line);
	else
		put_refusal(answer, terminal, out, &line);
	error = error ? error : line.error;
	buf_done(&line);
	return error ? error : out->error;
}
