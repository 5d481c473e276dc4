/* tollgate cost: what model calls cost, by model, CLI, day or session. */
#include "cli/cost.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/figures.h"
#include "cli/page.h"
#include "cli/table.h"
#include "cli/tokens.h"

enum { FLAG_BY, FLAG_SINCE, FLAG_JSON, FLAG_SOCKET };
enum { OTHER_BUCKETS_MAX = 8, KEY_COLUMNS_MIN = 12, RANK_OTHER = 12 };

static const struct flag flags[] = {
	[FLAG_BY] = { "--by", "WHAT", "By what it is added up (model); days are local.",
		"model cli day session" },
	[FLAG_SINCE] = { "--since", "TIME", "7d, 24h, 30m, 90s or 2026-11-01 (7d)." },
	[FLAG_JSON] = { "--json", NULL, "The daemon's answer as it is." },
	[FLAG_SOCKET] = { "--socket", "PATH", "The daemon's control socket." },
	{ NULL },
};

/* A column for each kind of tokens that occurs. */
struct bill {
	const struct terminal *terminal;
	struct table table;
	size_t key, calls, unpriced, cost;
	struct {
		const char *key;
		size_t column;
	} buckets[TABLE_COLUMNS_MAX];
	size_t bucket_count;
};

static void add_bucket(struct bill *bill, const char *key, const char *words, unsigned rank)
{
	bill->buckets[bill->bucket_count].key = key;
	bill->buckets[bill->bucket_count++].column = table_column(
		&bill->table, (struct table_column){ words, .is_right = true, .rank = rank });
}

static void add_buckets(struct bill *bill, const json_t *usage)
{
	const char *key;
	json_t *tokens;
	unsigned rank = 2;
	for (const struct bucket *bucket = buckets; bucket->key; bucket++, rank++)
		add_bucket(bill, bucket->key, bucket->words, rank);
	size_t max = bill->bucket_count + OTHER_BUCKETS_MAX;
	json_object_foreach((json_t *)usage, key, tokens)
		if (!tokens_are_named(key) && bill->bucket_count < max)
			add_bucket(bill, key, key, RANK_OTHER);
}

static void add_row(struct bill *bill, const char *key, enum style style, const json_t *row)
{
	const json_t *usage = json_object_get(row, "usage");
	struct table *table = &bill->table;
	char figure[FIGURE_MAX];
	table_cell(table, bill->key, style, "", bytes_of(key));
	table_cell(table, bill->calls, style, "",
		bytes_of(figure_count(figure, (int64_t)json_uint(row, "calls"))));
	for (size_t i = 0; i < bill->bucket_count; i++) {
		uint64_t tokens = json_uint(usage, bill->buckets[i].key);
		if (tokens)
			table_cell(table, bill->buckets[i].column, style, "",
				bytes_of(figure_count(figure, (int64_t)tokens)));
	}
	if (json_uint(row, "unpriced"))
		table_cell(table, bill->unpriced, STYLE_YELLOW, "",
			bytes_of(figure_count(figure, (int64_t)json_uint(row, "unpriced"))));
	table_cell(table, bill->cost, style, "",
		bytes_of(figure_cost_of(figure, row, bill->terminal)));
}

static void add_rows(struct bill *bill, const json_t *answer)
{
	const json_t *total = json_object_get(answer, "total");
	json_t *row;
	size_t i;
	bill->key = table_column(&bill->table,
		(struct table_column){ json_text(answer, "by"), .min_columns = KEY_COLUMNS_MIN });
	bill->calls = table_column(
		&bill->table, (struct table_column){ "calls", .is_right = true, .rank = 1 });
	add_buckets(bill, json_object_get(total, "usage"));
	bill->unpriced = table_column(
		&bill->table, (struct table_column){ "unknown", .is_right = true, .rank = 1 });
	bill->cost = table_column(&bill->table, (struct table_column){ "cost", .is_right = true });
	bill->table.has_titles = true;
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		const char *key = json_text(row, "key");
		add_row(bill, *key ? key : "(none)", STYLE_PLAIN, row);
	}
	add_row(bill, "total", STYLE_BOLD, total);
}

static void remark_unpriced(struct table *table, const json_t *answer)
{
	char figure[FIGURE_MAX], text[FIGURE_MAX + 64];
	uint64_t calls = json_uint(json_object_get(answer, "total"), "unpriced");
	json_t *model;
	size_t i;
	if (!calls)
		return;
	snprintf(text, sizeof text, "%s %s no known cost, which is not in the sums:",
		figure_count(figure, (int64_t)calls), calls == 1 ? "call has" : "calls have");
	table_note(table, STYLE_YELLOW, "", bytes_of(text));
	json_array_foreach(json_object_get(answer, "unpriced"), i, model) {
		const char *name = json_text(model, "model"),
			   *why = json_text(model, "cost_status");
		struct buf line;
		buf_init(&line, 8192, NULL);
		buf_printf(&line, "  %s %s%s%s",
			figure_count(figure, (int64_t)json_uint(model, "calls")),
			*name ? name : "without a model", *why ? ": " : "", why);
		table_note(table, STYLE_PLAIN, "", buf_bytes(&line));
		buf_done(&line);
	}
}

static void remark_lower_bounds(struct table *table, const json_t *answer)
{
	char figure[FIGURE_MAX], text[FIGURE_MAX + 64];
	uint64_t calls = json_uint(json_object_get(answer, "total"), "lower_bounds");
	if (!calls)
		return;
	snprintf(text, sizeof text, "%s %s counted at the least that %s can have cost.",
		figure_count(figure, (int64_t)calls), calls == 1 ? "call is" : "calls are",
		calls == 1 ? "it" : "they");
	table_note(table, STYLE_DIM, "", bytes_of(text));
}

static void put_heading(const json_t *answer, struct buf *out)
{
	char time[FIGURE_MAX];
	uint64_t since_ns = json_uint(answer, "since_ns"),
		 begins_ns = json_uint(answer, "begins_ns");
	bool is_short = begins_ns > since_ns;
	buf_printf(out, "Model calls since %s%s\n\n",
		figure_time(time, is_short ? begins_ns : since_ns),
		is_short ? ", where the local view begins" : "");
}

int cost_print(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	struct bill bill = { .terminal = terminal };
	put_heading(answer, out);
	table_init(&bill.table);
	if (json_array_size(json_object_get(answer, "rows")))
		add_rows(&bill, answer);
	else
		table_note(&bill.table, STYLE_PLAIN, "", bytes_of("None."));
	remark_unpriced(&bill.table, answer);
	remark_lower_bounds(&bill.table, answer);
	page_remark_skipped(&bill.table, answer);
	int error = table_print(&bill.table, terminal, out);
	table_done(&bill.table);
	return error;
}

/* Days are those of this time zone, as it is now. */
static void add_utc_offset(struct page *page)
{
	time_t now = time(NULL);
	struct tm local;
	char offset[24];
	if (!localtime_r(&now, &local))
		return;
	snprintf(offset, sizeof offset, "%ld", local.tm_gmtoff);
	control_argument(page->path, sizeof page->path, "utc_offset_s", offset);
}

static int run(struct arguments *arguments)
{
	struct page page = { .path = "/v1/cost" };
	const char *value = NULL, *by = "model", *since = "7d";
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_BY) {
			by = value;
		} else if (argument == FLAG_SINCE) {
			since = value;
		} else if (argument == FLAG_JSON) {
			page.is_json = true;
		} else if (argument == FLAG_SOCKET) {
			page.socket = value;
		} else {
			return arguments_refuse(arguments, argument, value);
		}
	}
	control_argument(page.path, sizeof page.path, "by", by);
	if (page_since(&page, since) < 0)
		return EXIT_USAGE;
	add_utc_offset(&page);
	return page_show(&page, cost_print);
}

const struct command command_cost = {
	.name = "cost",
	.sentence = "Adds up tokens and cost of model calls.",
	.operands = "",
	.flags = flags,
	.manual =
		"Of the model calls that the running daemon's local view holds. A cost behind ≥ is the "
		"least that it can be, because some call has no known cost.",
	.run = run,
};
