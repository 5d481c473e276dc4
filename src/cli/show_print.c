#include "cli/show.h"

#include <stdio.h>
#include <string.h>

#include "cli/figures.h"
#include "cli/table.h"
#include "cli/tokens.h"
#include "cli/tree.h"

enum {
	NAME_COLUMNS_MIN = 28,
	MODEL_COLUMNS_MIN = 8,
	COLUMNS_PER_LEVEL = 8, /* of the terminal: deeper spans are moved to the left */
	LEVELS_MAX = 40,
	LEAD_MAX = 256,
	CONTENT_LINES_MAX = 10,
	CONTENT_COLUMNS_MIN = 10,
	FIGURES_MAX_BYTES = 8192, /* of one line */
};

struct page_part {
	const struct terminal *terminal;
	struct table table;
	size_t name, kind, model, duration, cost; /* its columns */
};

/* ---- figures of a trace, or of the traces of a session ---- */

struct totals {
	uint64_t calls, unpriced, lower_bounds, errors;
	bool has_cost;
	fusd cost;
	json_t *usage;
};

static bool is_model_call(const json_t *span)
{
	const char *kind = json_text(span, "kind");
	bool repeats = strcmp(json_text(span, "cost_status"), "repeated") == 0;
	return !repeats &&
		(strcmp(kind, "LLM") == 0 || strcmp(kind, "EMBEDDING") == 0 ||
			strcmp(kind, "RERANKER") == 0);
}

static bool is_lower_bound(const json_t *span)
{
	return strcmp(json_text(span, "cost_status"), "lower_bound") == 0;
}

static void add_span(struct totals *totals, const json_t *span)
{
	fusd cost;
	totals->errors += strcmp(json_text(span, "level"), "ERROR") == 0;
	if (!is_model_call(span))
		return;
	totals->calls++;
	tokens_add(totals->usage, json_object_get(span, "usage"));
	if (!json_cost(span, &cost)) {
		totals->unpriced++;
		return;
	}
	totals->has_cost = true;
	totals->cost += cost;
	totals->lower_bounds += is_lower_bound(span);
}

static void add_trace(struct totals *totals, const json_t *trace)
{
	size_t i;
	json_t *span;
	json_array_foreach(json_object_get(trace, "spans"), i, span)
		add_span(totals, span);
}

static void append_count(const struct terminal *terminal, struct buf *text, uint64_t count,
	const char *one, const char *more)
{
	char figure[FIGURE_MAX];
	if (count)
		buf_printf(text, "%s%s %s", text->len ? terminal_separator(terminal) : "",
			figure_count(figure, (int64_t)count), count == 1 ? one : more);
}

static void append_cost(const struct terminal *terminal, struct buf *text, fusd cost, bool is_least)
{
	char figure[FIGURE_MAX];
	buf_printf(text, "%s%s", is_least ? terminal_at_least(terminal) : "",
		figure_cost(figure, cost));
}

/* Two lines: tokens of many kinds need one of their own. */
static void note_totals(struct page_part *part, const struct totals *totals)
{
	struct buf text;
	buf_init(&text, FIGURES_MAX_BYTES, NULL);
	append_count(part->terminal, &text, totals->calls, "model call", "model calls");
	if (totals->has_cost) {
		buf_text(&text, terminal_separator(part->terminal));
		append_cost(part->terminal, &text, totals->cost,
			totals->lower_bounds || totals->unpriced);
	}
	append_count(part->terminal, &text, totals->unpriced, "without known cost",
		"without known cost");
	append_count(part->terminal, &text, totals->errors, "error", "errors");
	if (text.len)
		table_note(&part->table, STYLE_PLAIN, "  ", buf_bytes(&text));
	text.len = 0;
	tokens_append(part->terminal, &text, totals->usage);
	if (text.len)
		table_note(&part->table, STYLE_PLAIN, "  ", buf_bytes(&text));
	buf_done(&text);
}

/* ---- the lines of a span ---- */

struct drawing {
	const char *tee, *corner, *bar, *blank;
};

static const struct drawing *drawing_of(const struct terminal *terminal)
{
	static const struct drawing unicode = { "\u251c\u2500 ", "\u2514\u2500 ", "\u2502  ",
		"   " },
				    ascii = { "|- ", "`- ", "|  ", "   " };
	return terminal->has_unicode ? &unicode : &ascii;
}

/*
 * What stands before a span's name, or before further lines of it. Where it is too deep only the inner
 * levels are drawn, behind the number of those that are not.
 */
static void write_lead(const struct page_part *part, const struct tree *tree, size_t node,
	bool is_first, char lead[LEAD_MAX])
{
	const struct drawing *drawing = drawing_of(part->terminal);
	const struct tree_node *nodes = tree->nodes, *at = &nodes[node];
	const char *levels[LEVELS_MAX + 1];
	size_t max = part->terminal->width / COLUMNS_PER_LEVEL, count = 0, len = 0;
	if (!is_first)
		levels[count++] = at->first_child == TREE_NONE ? drawing->blank : drawing->bar;
	for (; at->depth && count < max && count < LEVELS_MAX; at = &nodes[at->parent]) {
		bool is_last = at->next == TREE_NONE;
		if (is_first && at == &nodes[node])
			levels[count++] = is_last ? drawing->corner : drawing->tee;
		else
			levels[count++] = is_last ? drawing->blank : drawing->bar;
	}
	lead[0] = '\0';
	if (at->depth)
		len = (size_t)snprintf(lead, LEAD_MAX, "+%zu ", at->depth);
	if (!is_first)
		memset(lead, ' ', len);
	while (count--)
		len += (size_t)snprintf(lead + len, LEAD_MAX - len, "%s", levels[count]);
}

static enum style style_of_name(const json_t *span)
{
	const char *level = json_text(span, "level");
	if (strcmp(level, "ERROR") == 0)
		return STYLE_RED;
	if (strcmp(level, "WARNING") == 0)
		return STYLE_YELLOW;
	return strcmp(json_text(span, "kind"), "AGENT") == 0 ? STYLE_BOLD : STYLE_PLAIN;
}

static enum style style_of_kind(const char *kind)
{
	static const struct {
		const char *kind;
		enum style style;
	} styles[] = {
		{ "AGENT", STYLE_GREEN },
		{ "LLM", STYLE_MAGENTA },
		{ "EMBEDDING", STYLE_MAGENTA },
		{ "TOOL", STYLE_CYAN },
		{ "CHAIN", STYLE_BLUE },
		{ "RETRIEVER", STYLE_YELLOW },
		{ "RERANKER", STYLE_YELLOW },
	};
	for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
		if (strcmp(styles[i].kind, kind) == 0)
			return styles[i].style;
	return STYLE_PLAIN;
}

static void add_cells(struct page_part *part, const json_t *span, const char *lead)
{
	const char *kind = json_text(span, "kind");
	uint64_t start_ns = json_uint(span, "start_ns"), end_ns = json_uint(span, "end_ns");
	struct table *table = &part->table;
	struct buf cost;
	fusd amount;
	table_cell(table, part->name, style_of_name(span), lead, bytes_of(json_text(span, "name")));
	table_cell(table, part->kind, style_of_kind(kind), "", bytes_of(kind));
	if (!strstr(json_text(span, "name"), json_text(span, "model"))) /* said once */
		table_cell(table, part->model, STYLE_PLAIN, "", bytes_of(json_text(span, "model")));
	if (start_ns && end_ns >= start_ns) {
		char figure[FIGURE_MAX];
		table_cell(table, part->duration, STYLE_PLAIN, "",
			bytes_of(figure_duration(figure, end_ns - start_ns)));
	}
	buf_init(&cost, 2 * FIGURE_MAX, NULL);
	if (json_cost(span, &amount))
		append_cost(part->terminal, &cost, amount, is_lower_bound(span));
	else if (is_model_call(span))
		buf_text(&cost, "-");
	table_cell(table, part->cost, STYLE_PLAIN, "", buf_bytes(&cost));
	buf_done(&cost);
}

static struct bytes bytes_after(struct bytes text, size_t taken)
{
	return (struct bytes){ text.at + taken, text.len - taken };
}

static void note_place(
	struct page_part *part, const struct tree_node *node, const json_t *span, const char *lead)
{
	char text[128];
	if (node->place == TREE_RING)
		table_note(&part->table, STYLE_YELLOW, lead, bytes_of("(its parents form a ring)"));
	if (node->place != TREE_ORPHAN)
		return;
	snprintf(text, sizeof text, "(its parent %s is not here)",
		json_text(span, "parent_span_id"));
	table_note(&part->table, STYLE_DIM, lead, bytes_of(text));
}

static void note_level(struct page_part *part, const json_t *span, const char *lead)
{
	const char *level = json_text(span, "level"), *message = json_text(span, "status_message");
	struct buf text;
	if (strcmp(level, "ERROR") != 0 && strcmp(level, "WARNING") != 0)
		return;
	buf_init(&text, FIGURES_MAX_BYTES, NULL);
	buf_printf(&text, "%s%s%s", level, *message ? ": " : "", message);
	table_note(&part->table, style_of_name(span), lead, buf_bytes(&text));
	buf_done(&text);
}

static void note_tokens(struct page_part *part, const json_t *span, const char *lead)
{
	struct buf text;
	fusd cost;
	buf_init(&text, FIGURES_MAX_BYTES, NULL);
	tokens_append(part->terminal, &text, json_object_get(span, "usage"));
	const char *why = json_text(span, "cost_status");
	if (*why && !json_cost(span, &cost))
		buf_printf(&text, "%sno cost: %s",
			text.len ? terminal_separator(part->terminal) : "", why);
	if (text.len)
		table_note(&part->table, STYLE_DIM, lead, buf_bytes(&text));
	buf_done(&text);
}

/* The first lines of an input or output; `bytes_key` says how long it was before it was cut. */
static void note_content(struct page_part *part, const json_t *span, const char *key,
	const char *bytes_key, const char *lead)
{
	const json_t *content = json_object_get(span, key);
	struct bytes rest = { (const uint8_t *)json_string_value(content),
		json_string_length(content) };
	char first[LEAD_MAX + 16], further[LEAD_MAX + 16];
	snprintf(first, sizeof first, "%s%-8s", lead, key);
	snprintf(further, sizeof further, "%s%-8s", lead, "");
	size_t used = terminal_columns(part->terminal, bytes_of(first)),
	       room = part->terminal->width > used ? part->terminal->width - used : 0,
	       columns = room > CONTENT_COLUMNS_MIN ? room : CONTENT_COLUMNS_MIN;
	for (unsigned i = 0; rest.len && i < CONTENT_LINES_MAX; i++) {
		struct bytes line = terminal_fit(part->terminal, rest, columns);
		table_note(&part->table, STYLE_PLAIN, i ? further : first, line);
		rest = bytes_after(rest, line.len);
		if (rest.len && rest.at[0] == '\n')
			rest = bytes_after(rest, 1);
	}
	uint64_t shown = json_string_length(content) - rest.len, whole = json_uint(span, bytes_key);
	char figure[FIGURE_MAX], more[FIGURE_MAX + 16];
	if (!rest.len && whole <= shown)
		return;
	uint64_t left = whole > shown ? whole - shown : rest.len;
	snprintf(more, sizeof more, "(%s bytes more)", figure_count(figure, (int64_t)left));
	table_note(&part->table, STYLE_DIM, further, bytes_of(more));
}

static void add_span_lines(
	struct page_part *part, const json_t *spans, const struct tree *tree, size_t node)
{
	char lead[LEAD_MAX];
	const json_t *span = json_array_get(spans, node);
	write_lead(part, tree, node, true, lead);
	add_cells(part, span, lead);
	write_lead(part, tree, node, false, lead);
	note_place(part, &tree->nodes[node], span, lead);
	note_level(part, span, lead);
	note_tokens(part, span, lead);
	note_content(part, span, "input", "input_bytes", lead);
	note_content(part, span, "output", "output_bytes", lead);
}

/* ---- traces and sessions ---- */

static void part_begin(struct page_part *part, const struct terminal *terminal)
{
	*part = (struct page_part){ .terminal = terminal };
	table_init(&part->table);
	part->name = table_column(
		&part->table, (struct table_column){ .min_columns = NAME_COLUMNS_MIN });
	part->kind = table_column(&part->table, (struct table_column){ .rank = 4 });
	part->model = table_column(
		&part->table, (struct table_column){ .rank = 3, .min_columns = MODEL_COLUMNS_MIN });
	part->duration =
		table_column(&part->table, (struct table_column){ .rank = 2, .is_right = true });
	part->cost =
		table_column(&part->table, (struct table_column){ .rank = 1, .is_right = true });
}

static int part_end(struct page_part *part, struct buf *out)
{
	int error = table_print(&part->table, part->terminal, out);
	table_done(&part->table);
	return error;
}

static void note_trace(struct page_part *part, const json_t *trace)
{
	uint64_t start_ns = json_uint(trace, "start_ns"), end_ns = json_uint(trace, "end_ns");
	char time[FIGURE_MAX], duration[FIGURE_MAX], text[3 * FIGURE_MAX];
	snprintf(text, sizeof text, "%.32s  %s  %s", json_text(trace, "trace_id"),
		figure_time(time, start_ns),
		figure_duration(duration, end_ns > start_ns ? end_ns - start_ns : 0));
	table_note(&part->table, STYLE_PLAIN, "trace ", bytes_of(text));
}

static void note_missing(struct page_part *part, const json_t *trace)
{
	uint64_t there = json_uint(trace, "span_count"),
		 here = json_array_size(json_object_get(trace, "spans"));
	char figure[FIGURE_MAX], text[FIGURE_MAX + 64];
	if (there <= here)
		return;
	snprintf(text, sizeof text, "(%s more spans of this trace do not fit in here)",
		figure_count(figure, (int64_t)(there - here)));
	table_note(&part->table, STYLE_YELLOW, "", bytes_of(text));
}

static int print_trace(const json_t *trace, const struct terminal *terminal, struct buf *out)
{
	const json_t *spans = json_object_get(trace, "spans");
	struct totals totals = { .usage = json_object() };
	struct page_part part;
	struct tree tree;
	int error = tree_build(spans, &tree);
	if (error) {
		json_decref(totals.usage);
		return error;
	}
	part_begin(&part, terminal);
	note_trace(&part, trace);
	add_trace(&totals, trace);
	note_totals(&part, &totals);
	for (size_t i = tree.first; i != TREE_NONE; i = tree_next(&tree, i))
		add_span_lines(&part, spans, &tree, i);
	note_missing(&part, trace);
	json_decref(totals.usage);
	tree_done(&tree);
	return part_end(&part, out);
}

/* Traces from `from` on that are of the same session as the first of them. */
static size_t count_session(const json_t *traces, size_t from)
{
	const char *session = json_text(json_array_get(traces, from), "session_id");
	size_t count = 1;
	while (*session && from + count < json_array_size(traces) &&
		strcmp(session, json_text(json_array_get(traces, from + count), "session_id")) == 0)
		count++;
	return count;
}

static int print_session(const json_t *traces, size_t from, size_t count,
	const struct terminal *terminal, struct buf *out)
{
	const json_t *first = json_array_get(traces, from);
	const char *service = json_text(first, "service"), *user = json_text(first, "user_id");
	struct totals totals = { .usage = json_object() };
	struct page_part part;
	struct buf text;
	part_begin(&part, terminal);
	buf_init(&text, FIGURES_MAX_BYTES, NULL);
	buf_printf(&text, "%s%s%s%s%s", json_text(first, "session_id"), *service ? "  " : "",
		service, *user ? "  " : "", user);
	table_note(&part.table, STYLE_BOLD, "session ", buf_bytes(&text));
	for (size_t i = 0; i < count; i++)
		add_trace(&totals, json_array_get(traces, from + i));
	if (count > 1)
		note_totals(&part, &totals);
	buf_done(&text);
	json_decref(totals.usage);
	return part_end(&part, out);
}

int show_print(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	const json_t *traces = json_object_get(answer, "traces");
	size_t count = json_array_size(traces), in_session = 0;
	int error = 0;
	for (size_t i = 0; i < count && !error; i++, in_session--) {
		if (i)
			buf_text(out, "\n");
		if (!in_session) {
			in_session = count_session(traces, i);
			if (*json_text(json_array_get(traces, i), "session_id"))
				error = print_session(traces, i, in_session, terminal, out);
		}
		if (!error)
			error = print_trace(json_array_get(traces, i), terminal, out);
	}
	if (json_is_true(json_object_get(answer, "is_cut")))
		buf_text(out, "\nThere is more than one answer holds: ask for single traces.\n");
	return error;
}
