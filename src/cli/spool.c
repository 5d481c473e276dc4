/* tollgate spool: what the log holds and for whom; and its dead letters. */
#include "cli/spool.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/dead.h"
#include "cli/figures.h"
#include "cli/page.h"

enum {
	FLAG_DESTINATION,
	FLAG_REASON,
	FLAG_ALL,
	FLAG_LIMIT,
	FLAG_CONTENT,
	FLAG_YES,
	FLAG_JSON,
	FLAG_SOCKET,
};

static const struct flag flags[] = {
	[FLAG_DESTINATION] = { "--destination", "NAME", "The dead letters of this destination." },
	[FLAG_REASON] = { "--reason", "TEXT", "Those whose reason contains the text." },
	[FLAG_ALL] = { "--all", NULL, "All dead letters." },
	[FLAG_LIMIT] = { "--limit", "N", "Lists at most so many (100)." },
	[FLAG_CONTENT] = { "--content", NULL, "Attributes too, prompts among them." },
	[FLAG_YES] = { "--yes", NULL, "Drops without asking." },
	[FLAG_JSON] = { "--json", NULL, "The daemon's answer as it is." },
	[FLAG_SOCKET] = { "--socket", "PATH", "The daemon's control socket." },
	{ NULL },
};

enum {
	TAKES_ANSWER = 1u << FLAG_JSON | 1u << FLAG_SOCKET,
	TAKES_LETTERS = 1u << FLAG_DESTINATION | 1u << FLAG_REASON | 1u << FLAG_ALL,
};

static const struct verb verbs[] = {
	{ "", "", "", TAKES_ANSWER },
	{ "dead list", "", "Lists dead letters, and why they are.",
		1u << FLAG_DESTINATION | 1u << FLAG_REASON | 1u << FLAG_LIMIT | TAKES_ANSWER },
	{ "dead show", "LETTER", "Prints the spans in one.", 1u << FLAG_CONTENT | TAKES_ANSWER },
	{ "dead retry", "[LETTER...]", "Sends each once more; what is taken is dead no longer.",
		TAKES_LETTERS | TAKES_ANSWER },
	{ "dead drop", "[LETTER...]", "Gives them up.",
		TAKES_LETTERS | 1u << FLAG_YES | TAKES_ANSWER },
	{ "dead export", "DIR [LETTER...]", "Writes them to files, for tollgate send DIR.",
		TAKES_LETTERS | 1u << FLAG_SOCKET },
	{ NULL },
};

/* ---- the disk ---- */

static void put_disk(const json_t *disk, struct buf *out, const struct terminal *terminal)
{
	char kept[FIGURE_MAX], most[FIGURE_MAX], used[FIGURE_MAX], free[FIGURE_MAX], line[512];
	uint64_t segments = json_uint(disk, "segments");
	terminal_put(
		terminal, out, STYLE_BOLD, bytes_of(json_text(disk, "directory")), terminal->width);
	snprintf(line, sizeof line, "%s kept of at most %s; %llu %s, %s on disk; %s free",
		figure_bytes(kept, json_uint(disk, "kept_bytes")),
		figure_bytes(most, json_uint(disk, "max_bytes")), (unsigned long long)segments,
		segments == 1 ? "file" : "files", figure_bytes(used, json_uint(disk, "disk_bytes")),
		figure_bytes(free, json_uint(disk, "free_bytes")));
	buf_text(out, "\n");
	terminal_put(terminal, out, STYLE_PLAIN, bytes_of(line), terminal->width);
	buf_text(out, "\n");
	const char *refusing = json_text(disk, "refusing");
	snprintf(line, sizeof line, "Nothing is taken now: %s.", refusing);
	if (*refusing) {
		terminal_put(terminal, out, STYLE_RED, bytes_of(line), terminal->width);
		buf_text(out, "\n");
	}
	buf_text(out, "\n");
}

/* ---- destinations ---- */

enum column { NAME, WAITING, RECORDS, BYTES, OLDEST, SENDING, ANSWER, SUCCESS };

static const struct table_column columns[] = {
	[NAME] = { "destination", .min_columns = 9 },
	[WAITING] = { "waiting", .is_right = true },
	[RECORDS] = { "records", .is_right = true, .rank = 4 },
	[BYTES] = { "bytes", .is_right = true, .rank = 2 },
	[OLDEST] = { "oldest", .is_right = true, .rank = 1 },
	[SENDING] = { "sending", .is_right = true, .rank = 5 },
	[ANSWER] = { "answer", .is_right = true, .rank = 3 },
	[SUCCESS] = { "success", .is_right = true, .rank = 6 },
};

static const char *name_of(const json_t *row, char out[FIGURE_MAX * 2])
{
	const char *lane = json_text(row, "lane");
	bool is_usual = strcmp(lane, "default") == 0;
	snprintf(out, FIGURE_MAX * 2, "%.63s%s%.63s", json_text(row, "destination"),
		is_usual ? "" : "/", is_usual ? "" : lane);
	return out;
}

static void add_count(
	struct table *table, size_t column, enum style style, const json_t *row, const char *key)
{
	char figure[FIGURE_MAX];
	const json_t *count = json_object_get(row, key);
	if (count)
		table_cell(table, column, style, "",
			bytes_of(figure_count(figure, json_integer_value(count))));
}

static void add_age(struct table *table, enum column column, enum style style, const json_t *row,
	const char *key, uint64_t now_ns)
{
	char figure[FIGURE_MAX];
	uint64_t then_ns = json_uint(row, key);
	if (then_ns)
		table_cell(table, column, style, "", bytes_of(figure_age(figure, then_ns, now_ns)));
}

static bool is_failing(const json_t *row)
{
	return json_uint(row, "failing_since_ns") > 0;
}

static void add_waiting(struct table *table, const json_t *row, uint64_t now_ns)
{
	char figure[FIGURE_MAX], name[FIGURE_MAX * 2];
	enum style style = is_failing(row) ? STYLE_RED : STYLE_PLAIN;
	table_cell(table, NAME, is_failing(row) ? STYLE_RED : STYLE_BOLD, "",
		bytes_of(name_of(row, name)));
	add_count(table, WAITING, STYLE_PLAIN, row, "waiting");
	bool is_waiting = json_uint(row, "records") > 0;
	if (is_waiting) {
		add_count(table, RECORDS, STYLE_PLAIN, row, "records");
		table_cell(table, BYTES, STYLE_PLAIN, "",
			bytes_of(figure_bytes(figure, json_uint(row, "bytes"))));
		add_age(table, OLDEST, STYLE_PLAIN, row, "oldest_ns", now_ns);
	}
	if (json_uint(row, "in_flight"))
		add_count(table, SENDING, STYLE_PLAIN, row, "in_flight");
	if (json_uint(row, "last_status"))
		add_count(table, ANSWER, style, row, "last_status");
	add_age(table, SUCCESS, STYLE_PLAIN, row, "last_success_ns", now_ns);
}

static void add_trouble(struct table *table, const json_t *row, uint64_t now_ns)
{
	char name[FIGURE_MAX * 2], age[FIGURE_MAX], status[32] = "", line[512];
	uint64_t held_ns = json_uint(row, "held_since_ns");
	if (!is_failing(row))
		return;
	if (json_uint(row, "failure_status"))
		snprintf(status, sizeof status, "%llu, ",
			(unsigned long long)json_uint(row, "failure_status"));
	snprintf(line, sizeof line, "%s %s for %s: %s%s", name_of(row, name),
		held_ns ? "is held" : "fails",
		figure_age(age, held_ns ? held_ns : json_uint(row, "failing_since_ns"), now_ns),
		status, json_text(row, "failure_why"));
	table_note(table, STYLE_RED, "", bytes_of(line));
}

int spool_print_waiting(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	const json_t *rows = json_object_get(answer, "destinations");
	uint64_t now_ns = json_uint(answer, "now_ns");
	struct table table;
	json_t *row;
	size_t i;
	if (!json_array_size(rows)) {
		buf_text(out, "No destination: everything is kept until there is one.\n");
		return out->error;
	}
	table_init(&table);
	for (i = 0; i < sizeof columns / sizeof *columns; i++)
		table_column(&table, columns[i]);
	table.has_titles = true;
	json_array_foreach(rows, i, row)
		add_waiting(&table, row, now_ns);
	json_array_foreach(rows, i, row)
		add_trouble(&table, row, now_ns);
	int error = table_print(&table, terminal, out);
	table_done(&table);
	return error;
}

/* ---- what became of it ---- */

static const char *const sums[] = { "accepted", "delivered", "retried", "rejected", "dead",
	"dropped", "damaged" };
enum { SUM_COUNT = sizeof sums / sizeof *sums, SUM_RETRIED = 2 };

static int put_sums(const json_t *rows, struct buf *out, const struct terminal *terminal)
{
	char name[FIGURE_MAX * 2];
	struct table table;
	json_t *row;
	size_t i;
	table_init(&table);
	table_column(&table, columns[NAME]);
	for (i = 0; i < SUM_COUNT; i++)
		table_column(&table,
			(struct table_column){ sums[i], .is_right = true, .rank = (unsigned)i });
	table.has_titles = true;
	json_array_foreach(rows, i, row) {
		table_cell(&table, 0, STYLE_BOLD, "", bytes_of(name_of(row, name)));
		for (size_t k = 0; k < SUM_COUNT; k++) {
			bool is_bad = k > SUM_RETRIED && json_uint(row, sums[k]);
			add_count(&table, k + 1, is_bad ? STYLE_RED : STYLE_PLAIN, row, sums[k]);
		}
	}
	int error = table_print(&table, terminal, out);
	table_done(&table);
	return error;
}

int spool_print(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	const json_t *rows = json_object_get(answer, "destinations");
	put_disk(json_object_get(answer, "spool"), out, terminal);
	int error = spool_print_waiting(answer, terminal, out);
	if (error || !json_array_size(rows))
		return error;
	buf_text(out, "\n");
	return put_sums(rows, out, terminal);
}

/* ---- the command ---- */

static int show_spool(const struct dead_choice *choice)
{
	struct page page = {
		.socket = choice->socket, .is_json = choice->is_json, .path = "/v1/spool"
	};
	json_t *answer = NULL;
	int status = control_ask(page.socket, "GET", page.path, &answer);
	if (status == EXIT_DONE)
		status = page_print(&page, answer, spool_print);
	json_decref(answer);
	return status;
}

static void take_flag(struct dead_choice *choice, int flag, const char *value)
{
	switch (flag) {
	case FLAG_DESTINATION:
		choice->destination = value;
		break;
	case FLAG_REASON:
		choice->reason = value;
		break;
	case FLAG_ALL:
		choice->is_all = true;
		break;
	case FLAG_LIMIT:
		choice->limit = value;
		break;
	case FLAG_CONTENT:
		choice->has_content = true;
		break;
	case FLAG_YES:
		choice->is_sure = true;
		break;
	case FLAG_JSON:
		choice->is_json = true;
		break;
	default:
		choice->socket = value;
	}
}

/* Operands are moved to the front of argv, in their order. */
static int run(struct arguments *arguments)
{
	struct dead_choice choice = { .operands = arguments->next };
	char **end = arguments->next;
	const char *value = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == ARGUMENT_WRONG)
			return EXIT_USAGE;
		if (argument == ARGUMENT_OPERAND)
			*end++ = (char *)value;
		else
			take_flag(&choice, argument, value);
	}
	*end = NULL;
	if (!*choice.operands)
		return show_spool(&choice);
	static const char *const words[] = { "dead", NULL };
	if (word_find(words, *choice.operands, "spool") < 0)
		return EXIT_USAGE;
	choice.operands++;
	return dead_run(&choice);
}

const struct command command_spool = {
	.name = "spool",
	.sentence = "Shows what waits for whom, and handles dead letters.",
	.flags = flags,
	.verbs = verbs,
	.manual =
		"Without operands: the disk, and each destination with what waits for it, since when,"
		" why nothing goes when nothing does, and what became of everything else, in spans. "
		"`retried` counts requests since the start.\n\n"
		"Dead letters are spans that a destination refused for good, each kept as a file and "
		"named by an id such as `tempo/17-4`; more than one letter is named by "
		"`--destination`, `--reason` or `--all`. `dead retry` sends whatever the "
		"destination's other requests wait for; what is refused again stays with its new "
		"reason, and it stops after three letters running at which the destination takes "
		"nothing at all. `dead export` writes a folder with a `manifest.json` for `tollgate "
		"send`: sent so, letters go to every destination. Nothing is written over.",
	.run = run,
};
