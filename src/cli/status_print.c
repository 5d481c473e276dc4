/* One page on the whole of it: who sends, what is open, what waits, what it cost, what is wrong. */
#include <stdio.h>
#include <string.h>

#include "cli/figures.h"
#include "cli/page.h"
#include "cli/sessions.h"
#include "cli/spool.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/tokens.h"

enum { SOURCES_SHOWN = 10, SESSIONS_SHOWN = 5, KEYS_SHOWN = 5, MODELS_SHOWN = 3, LINE_MAX = 512 };

static void put_line(
	struct buf *out, const struct terminal *terminal, enum style style, const char *text)
{
	terminal_put_words(terminal, out, style, bytes_of(text), 2);
}

/* ---- the daemon ---- */

static void put_heading(const json_t *views, const struct terminal *terminal, struct buf *out)
{
	const json_t *status = json_object_get(views, "status");
	uint64_t now_ns = json_uint(status, "now_ns"), started_ns = json_uint(status, "started_ns");
	char time[FIGURE_MAX], up[FIGURE_MAX], line[LINE_MAX];
	snprintf(line, sizeof line, "tollgate %.40s at %.200s, up %s, %s",
		json_text(status, "version"), json_text(status, "listen"),
		figure_duration(up, now_ns > started_ns ? now_ns - started_ns : 0),
		figure_time(time, now_ns));
	put_line(out, terminal, STYLE_BOLD, line);
	const char *refusing =
		json_text(json_object_get(json_object_get(views, "spool"), "spool"), "refusing");
	snprintf(line, sizeof line, "Nothing is taken now: %.100s.", refusing);
	if (*refusing)
		put_line(out, terminal, STYLE_RED, line);
	buf_text(out, "\n");
}

/* ---- sources ---- */

enum source_column { SOURCE, VERSION, AGE, RATE, SIGNALS };

static const struct table_column source_columns[] = {
	[SOURCE] = { "source", .min_columns = 12 },
	[VERSION] = { "version", .min_columns = 7, .rank = 2 },
	[AGE] = { "ago", .is_right = true },
	[RATE] = { "a minute", .is_right = true, .rank = 1 },
	[SIGNALS] = { "signals" },
};

/* What a source lacks now, and not only once. */
static const struct {
	const char *name, *words;
} lacks[] = {
	{ "prompts", "withholds prompts" },
	{ "tool_details", "withholds inputs of tools" },
	{ "session", "sends no session ids" },
};

static const char *rate_of(char out[FIGURE_MAX], const json_t *signals)
{
	const char *name;
	json_t *signal;
	double rate = 0;
	json_object_foreach((json_t *)signals, name, signal)
		rate += json_number_value(json_object_get(signal, "per_minute"));
	if (rate < 9.95)
		snprintf(out, FIGURE_MAX, rate > 0 ? "%.1f" : "0", rate);
	else
		figure_count(out, rate < 1e15 ? (int64_t)(rate + 0.5) : (int64_t)1e15);
	return out;
}

static void add_source(struct table *table, const json_t *source, uint64_t now_ns)
{
	const json_t *signals = json_object_get(source, "signals");
	char figure[FIGURE_MAX], words[LINE_MAX];
	const char *name;
	json_t *signal;
	size_t len = 0;
	words[0] = '\0';
	json_object_foreach((json_t *)signals, name, signal)
		if (len < sizeof words)
			len += (size_t)snprintf(
				words + len, sizeof words - len, "%s%s", len ? " " : "", name);
	table_cell(table, SOURCE, STYLE_BOLD, "", bytes_of(json_text(source, "name")));
	table_cell(table, VERSION, STYLE_PLAIN, "", bytes_of(json_text(source, "version")));
	table_cell(table, AGE, STYLE_PLAIN, "",
		bytes_of(figure_age(figure, json_uint(source, "last_ns"), now_ns)));
	table_cell(table, RATE, STYLE_PLAIN, "", bytes_of(rate_of(figure, signals)));
	table_cell(table, SIGNALS, STYLE_PLAIN, "", bytes_of(words));
}

static void put_lacks(const json_t *source, const struct terminal *terminal, struct buf *out)
{
	char line[LINE_MAX];
	for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
		const json_t *lack =
			json_object_get(json_object_get(source, "lacks"), lacks[i].name);
		snprintf(line, sizeof line, "%.128s %s: tollgate doctor says what mends it",
			json_text(source, "name"), lacks[i].words);
		if (json_uint(lack, "last_ns") > json_uint(lack, "there_last_ns"))
			put_line(out, terminal, STYLE_YELLOW, line);
	}
}

static int put_sources(const json_t *views, const struct terminal *terminal, struct buf *out)
{
	const json_t *answer = json_object_get(views, "sources");
	const json_t *sources = json_object_get(answer, "sources");
	size_t i, count = json_array_size(sources);
	json_t *source;
	struct table table;
	char line[LINE_MAX];
	snprintf(line, sizeof line, "Nothing came yet: point a CLI at %.200s.",
		json_text(json_object_get(views, "status"), "listen"));
	if (!count) {
		put_line(out, terminal, STYLE_PLAIN, line);
		return out->error;
	}
	table_init(&table);
	for (i = 0; i < sizeof source_columns / sizeof *source_columns; i++)
		table_column(&table, source_columns[i]);
	table.has_titles = true;
	for (i = 0; i < count && i < SOURCES_SHOWN; i++)
		add_source(&table, json_array_get(sources, i), json_uint(answer, "now_ns"));
	snprintf(line, sizeof line, "And %zu more.", count - i);
	if (i < count)
		table_note(&table, STYLE_DIM, "", bytes_of(line));
	int error = table_print(&table, terminal, out);
	table_done(&table);
	json_array_foreach(sources, i, source)
		if (i < SOURCES_SHOWN)
			put_lacks(source, terminal, out);
	return error;
}

/* ---- sessions, destinations ---- */

static int put_sessions(const json_t *views, const struct terminal *terminal, struct buf *out)
{
	const json_t *live = json_object_get(views, "live");
	if (live)
		return sessions_print_newest(live, SESSIONS_SHOWN, terminal, out);
	put_line(out, terminal, STYLE_DIM, "Sessions are switched off (sessions.enabled).");
	return out->error;
}

static int put_destinations(const json_t *views, const struct terminal *terminal, struct buf *out)
{
	return spool_print_waiting(json_object_get(views, "spool"), terminal, out);
}

/* ---- today ---- */

enum cost_column { KEY, CALLS, TOKENS, COST };

static void add_figures(struct table *table, const char *key, enum style style, const json_t *row,
	const struct terminal *terminal)
{
	char figure[FIGURE_MAX];
	table_cell(table, KEY, style, "", bytes_of(*key ? key : "(none)"));
	table_cell(table, CALLS, style, "",
		bytes_of(figure_count(figure, (int64_t)json_uint(row, "calls"))));
	table_cell(table, TOKENS, style, "",
		bytes_of(figure_count(
			figure, (int64_t)tokens_total(json_object_get(row, "usage")))));
	table_cell(table, COST, style, "", bytes_of(figure_cost_of(figure, row, terminal)));
}

static void add_rows(struct table *table, const json_t *answer, const struct terminal *terminal)
{
	const json_t *rows = json_object_get(answer, "rows");
	size_t i, count = json_array_size(rows);
	char line[LINE_MAX];
	for (i = 0; i < count && i < KEYS_SHOWN; i++) {
		const json_t *row = json_array_get(rows, i);
		add_figures(table, json_text(row, "key"), STYLE_PLAIN, row, terminal);
	}
	snprintf(line, sizeof line, "And %zu more: tollgate cost --by %.20s", count - i,
		json_text(answer, "by"));
	if (i < count)
		table_note(table, STYLE_DIM, "", bytes_of(line));
}

/* By CLI, then by model, which are two ways to the same sum. */
static int put_today(const json_t *views, const struct terminal *terminal, struct buf *out)
{
	const json_t *by_cli = json_object_get(views, "cost_by_cli");
	const json_t *total = json_object_get(by_cli, "total");
	struct table table;
	if (!by_cli || !json_uint(total, "calls")) {
		put_line(out, terminal, STYLE_DIM,
			by_cli ? "No model call today." :
				 "No figures of today: the local view is switched off "
				 "(local.enabled).");
		return out->error;
	}
	table_init(&table);
	table_column(&table, (struct table_column){ "today", .min_columns = 12 });
	table_column(&table, (struct table_column){ "calls", .is_right = true, .rank = 1 });
	table_column(&table, (struct table_column){ "tokens", .is_right = true });
	table_column(&table, (struct table_column){ "cost", .is_right = true });
	table.has_titles = true;
	add_rows(&table, by_cli, terminal);
	table_note(&table, STYLE_PLAIN, "", bytes_of(""));
	add_rows(&table, json_object_get(views, "cost_by_model"), terminal);
	add_figures(&table, "total", STYLE_BOLD, total, terminal);
	page_remark_skipped(&table, by_cli);
	int error = table_print(&table, terminal, out);
	table_done(&table);
	return error;
}

/* ---- what is wrong ---- */

static void put_unknown_models(
	const json_t *prices, const struct terminal *terminal, struct buf *out)
{
	struct buf line;
	json_t *name;
	size_t i, count = 0;
	buf_init(&line, LINE_MAX * MODELS_SHOWN, NULL);
	json_array_foreach(json_object_get(prices, "names"), i, name)
		if (strcmp(json_text(name, "why"), "unknown_model") == 0 && count++ < MODELS_SHOWN)
			buf_printf(&line, "%s%.200s", count > 1 ? ", " : "No price for ",
				json_text(name, "model"));
	if (count > MODELS_SHOWN)
		buf_printf(&line, " and %zu more", count - MODELS_SHOWN);
	buf_text(&line, ": tollgate prices list --unknown");
	if (count)
		terminal_put_words(terminal, out, STYLE_YELLOW, buf_bytes(&line), 2);
	buf_done(&line);
}

static void put_old_prices(const json_t *prices, const struct terminal *terminal, struct buf *out)
{
	char line[LINE_MAX];
	uint64_t days = json_uint(prices, "age_days");
	snprintf(line, sizeof line, "The price table is of %.20s, %llu days old.",
		json_text(prices, "as_of"), (unsigned long long)days);
	if (days >= PRICES_OLD_DAYS)
		put_line(out, terminal, STYLE_YELLOW, line);
}

/* Adds "12 dropped" to a line that is empty or begun. */
static void add_sum(struct buf *line, const char *begin, uint64_t sum, const char *words)
{
	char figure[FIGURE_MAX];
	if (sum)
		buf_printf(line, "%s %s %s", line->len ? "," : begin,
			figure_count(figure, (int64_t)sum), words);
}

static void put_sums(
	struct buf *line, const char *end, const struct terminal *terminal, struct buf *out)
{
	if (line->len) {
		buf_text(line, end);
		terminal_put_words(terminal, out, STYLE_YELLOW, buf_bytes(line), 2);
	}
	buf_done(line);
}

/* Spans that a destination will not get. */
static void put_lost(const json_t *row, const struct terminal *terminal, struct buf *out)
{
	static const char *const sums[] = { "dropped", "dead", "rejected", "damaged" };
	char begin[LINE_MAX];
	struct buf line;
	snprintf(begin, sizeof begin, "Not delivered to %.63s:", json_text(row, "destination"));
	buf_init(&line, LINE_MAX, NULL);
	for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
		add_sum(&line, begin, json_uint(row, sums[i]), sums[i]);
	put_sums(&line, "; see tollgate spool", terminal, out);
}

/* Counters of a group, whose names begin with its word: "refused_too_large". */
static void put_counted(const json_t *counters, const char *group, const char *begin,
	const struct terminal *terminal, struct buf *out)
{
	const char *name;
	json_t *count;
	struct buf line;
	buf_init(&line, 4 * LINE_MAX, NULL);
	json_object_foreach((json_t *)counters, name, count) {
		char words[FIGURE_MAX];
		if (strncmp(name, group, strlen(group)) != 0)
			continue;
		snprintf(words, sizeof words, "%s", name + strlen(group));
		for (char *at = words; *at; at++)
			*at = *at == '_' ? ' ' : *at;
		add_sum(&line, begin, json_uint(counters, name), words);
	}
	put_sums(&line, "", terminal, out);
}

static void put_wrong(const json_t *views, const struct terminal *terminal, struct buf *out)
{
	const json_t *counters = json_object_get(json_object_get(views, "status"), "counters");
	const json_t *prices = json_object_get(views, "prices");
	size_t i;
	json_t *row;
	put_unknown_models(prices, terminal, out);
	put_old_prices(prices, terminal, out);
	json_array_foreach(json_object_get(json_object_get(views, "spool"), "destinations"), i, row)
		put_lost(row, terminal, out);
	put_counted(counters, "refused_", "Requests refused since the start:", terminal, out);
	put_counted(counters, "rejected_", "Spans rejected since the start:", terminal, out);
}

/* ---- the page ---- */

int status_print(const json_t *views, const struct terminal *terminal, struct buf *out)
{
	static int (*const parts[])(const json_t *views, const struct terminal *terminal,
		struct buf *out) = { put_sources, put_sessions, put_destinations, put_today };
	struct buf wrong;
	int error = 0;
	put_heading(views, terminal, out);
	for (size_t i = 0; i < sizeof parts / sizeof *parts && !error; i++) {
		buf_text(out, i ? "\n" : "");
		error = parts[i](views, terminal, out);
	}
	buf_init(&wrong, PAGE_OUTPUT_MAX, NULL);
	put_wrong(views, terminal, &wrong);
	if (wrong.len)
		buf_text(out, "\n");
	buf_append(out, wrong.at, wrong.len);
	if (!error)
		error = wrong.error;
	buf_done(&wrong);
	return error ? error : out->error;
}
