/* tollgate verify: whether everything that was accepted is accounted for. */
#include "cli/verify.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/figures.h"
#include "cli/page.h"

enum { FLAG_SINCE, FLAG_JSON, FLAG_SOCKET };
enum { LABEL_COLUMNS = 19 };

static const struct flag flags[] = {
	[FLAG_SINCE] = { "--since", "TIME", "Sums since 7d, 24h, 30m, 90s or 2026-11-01." },
	[FLAG_JSON] = { "--json", NULL, "The daemon's answer as it is." },
	[FLAG_SOCKET] = { "--socket", "PATH", "The daemon's control socket." },
	{ NULL },
};

/* In the order of the sum. */
static const struct {
	const char *key, *words;
	bool is_bad; /* when it is not 0 */
} lines[] = {
	{ "accepted", "accepted", false },
	{ "delivered", "delivered", false },
	{ "rejected", "rejected", true },
	{ "dead", "dead letters", true },
	{ "dropped", "dropped", true },
	{ "damaged", "damaged on disk", true },
	{ "waiting", "waiting", false },
};

static int64_t number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static void add_line(struct table *table, const char *words, int64_t spans, bool is_bad)
{
	char figure[FIGURE_MAX], label[FIGURE_MAX];
	snprintf(label, sizeof label, "  %-*s", LABEL_COLUMNS, words);
	table_cell(table, 0, STYLE_PLAIN, "", bytes_of(label));
	table_cell(table, 1, is_bad && spans ? STYLE_YELLOW : STYLE_PLAIN, "",
		bytes_of(figure_count(figure, spans)));
}

static void add_heading(struct table *table, const json_t *row)
{
	char figure[FIGURE_MAX], verdict[FIGURE_MAX + 32], name[320];
	int64_t difference = number(row, "difference");
	const char *lane = json_text(row, "lane");
	bool is_configured = json_is_true(json_object_get(row, "configured"));
	snprintf(verdict, sizeof verdict, "differs by %s",
		figure_count(figure, difference < 0 ? -difference : difference));
	const char *words = !is_configured ? "not configured any more" :
		difference                 ? verdict :
					     "adds up";
	enum style style = !is_configured ? STYLE_DIM : difference ? STYLE_RED : STYLE_GREEN;
	snprintf(name, sizeof name, "%.63s%s%.63s: %s", json_text(row, "destination"),
		strcmp(lane, "default") == 0 ? "" : "/", strcmp(lane, "default") == 0 ? "" : lane,
		words);
	table_note(table, style, "", bytes_of(name));
}

static void explain_difference(struct table *table, const json_t *row)
{
	int64_t difference = number(row, "difference");
	if (difference > 0)
		table_note(table, STYLE_RED, "  ",
			bytes_of("Accepted, and neither booked nor in the log: they are lost."));
	if (difference < 0)
		table_note(table, STYLE_RED, "  ",
			bytes_of(
				"Booked or in the log, and never accepted: something counted twice."));
}

static void add_block(struct table *table, const json_t *row, bool has_since)
{
	bool is_configured = json_is_true(json_object_get(row, "configured"));
	add_heading(table, row);
	if (has_since)
		add_line(table, "waiting then", number(row, "waiting_before"), false);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		bool is_left = !is_configured && strcmp(lines[i].key, "waiting") == 0;
		add_line(table, is_left ? "left behind" : lines[i].words, number(row, lines[i].key),
			lines[i].is_bad);
	}
	explain_difference(table, row);
}

static void add_damage(struct table *table, const json_t *answer)
{
	char figure[FIGURE_MAX], text[FIGURE_MAX + 64];
	uint64_t records = json_uint(answer, "records_damaged");
	if (!records)
		return;
	snprintf(text, sizeof text, "%s damaged %s found on the disk since the start.",
		figure_count(figure, (int64_t)records), records == 1 ? "record" : "records");
	table_note(table, STYLE_YELLOW, "", bytes_of(text));
}

int verify_print(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	const json_t *rows = json_object_get(answer, "destinations");
	uint64_t since_ns = json_uint(answer, "since_ns");
	char time[FIGURE_MAX];
	struct table table;
	json_t *row;
	size_t i;
	if (since_ns)
		buf_printf(out, "Since %s\n\n", figure_time(time, since_ns));
	table_init(&table);
	table_column(&table, (struct table_column){ "" });
	table_column(&table, (struct table_column){ "", .is_right = true });
	if (!json_array_size(rows))
		table_note(&table, STYLE_PLAIN, "", bytes_of("No destination yet."));
	json_array_foreach(rows, i, row) {
		if (i)
			table_note(&table, STYLE_PLAIN, "", bytes_of(""));
		add_block(&table, row, since_ns > 0);
	}
	add_damage(&table, answer);
	int error = table_print(&table, terminal, out);
	table_done(&table);
	return error;
}

static int run(struct arguments *arguments)
{
	struct page page = { .path = "/v1/verify" };
	const char *value = NULL;
	json_t *answer = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_SINCE) {
			if (page_since(&page, value) < 0)
				return EXIT_USAGE;
		} else if (argument == FLAG_JSON) {
			page.is_json = true;
		} else if (argument == FLAG_SOCKET) {
			page.socket = value;
		} else {
			return arguments_refuse(arguments, argument, value);
		}
	}
	int status = control_ask(page.socket, "GET", page.path, &answer);
	if (status != EXIT_DONE)
		return status;
	status = page_print(&page, answer, verify_print);
	if (status == EXIT_DONE && !json_is_true(json_object_get(answer, "adds_up")))
		status = EXIT_FAILED;
	json_decref(answer);
	return status;
}

const struct command command_verify = {
	.name = "verify",
	.sentence = "Proves that nothing that was accepted is lost.",
	.operands = "",
	.flags = flags,
	.manual =
		"Proves for each destination, in spans:\n\n"
		"\taccepted = delivered + rejected + dead + dropped + damaged + waiting\n\n"
		"`accepted` is counted from the heads of the log's records, `waiting` is measured in "
		"the log when it is asked for, and the others are booked where they happen, in one "
		"transaction with the progress of delivery: three sources, which agree after a crash "
		"too, and while data flows.\n\n"
		"`rejected` was refused by partial success, `dropped` given up over the destination's"
		" share of the disk, by a person, or because it was not configured, `damaged` could "
		"not be read from the disk any more. With `--since` sums begin at that minute, at "
		"most 90 days ago, and what waited then counts as accepted. A destination that is not"
		" configured any more is listed with what it left behind. The exit status is 1 when "
		"something does not add up.",
	.run = run,
};
