/* tollgate sessions: the newest sessions, a line each. */
#include "cli/sessions.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/figures.h"
#include "cli/page.h"
#include "cli/table.h"
#include "cli/tokens.h"

enum { FLAG_SINCE, FLAG_LIMIT, FLAG_LIVE, FLAG_JSON, FLAG_SOCKET };

static const struct flag flags[] = {
	[FLAG_SINCE] = { "--since", "TIME", "Only those since 7d, 24h, 30m, 90s or 2026-11-01." },
	[FLAG_LIMIT] = { "--limit", "N", "At most so many (20)." },
	[FLAG_LIVE] = { "--live", NULL, "Those that are open, and what each is doing now." },
	[FLAG_JSON] = { "--json", NULL, "The daemon's answer as it is." },
	[FLAG_SOCKET] = { "--socket", "PATH", "The daemon's control socket." },
	{ NULL },
};

enum column { SESSION, CLI, AGE, TRACES, CALLS, TOOLS, ERRORS, TOKENS, COST, USER };

static const struct table_column columns[] = {
	[SESSION] = { "session", .min_columns = 9 },
	[CLI] = { "cli", .min_columns = 11, .rank = 1 },
	[AGE] = { "ago", .is_right = true, .rank = 2 },
	[TRACES] = { "traces", .is_right = true, .rank = 4 },
	[CALLS] = { "calls", .is_right = true, .rank = 3 },
	[TOOLS] = { "tools", .is_right = true, .rank = 6 },
	[ERRORS] = { "errors", .is_right = true, .rank = 5 },
	[TOKENS] = { "tokens", .is_right = true, .rank = 1 },
	[COST] = { "cost", .is_right = true, .rank = 1 },
	[USER] = { "user", .min_columns = 8, .rank = 7 },
};

static void add_count(struct table *table, size_t column, enum style style, uint64_t count)
{
	char figure[FIGURE_MAX];
	table_cell(table, column, style, "", bytes_of(figure_count(figure, (int64_t)count)));
}

static void add_session(struct table *table, const json_t *session, uint64_t now_ns,
	const struct terminal *terminal)
{
	char figure[FIGURE_MAX];
	uint64_t errors = json_uint(session, "errors");
	table_cell(table, SESSION, STYLE_BOLD, "", bytes_of(json_text(session, "session_id")));
	table_cell(table, CLI, STYLE_PLAIN, "", bytes_of(json_text(session, "service")));
	table_cell(table, AGE, STYLE_PLAIN, "",
		bytes_of(figure_age(figure, json_uint(session, "last_ns"), now_ns)));
	add_count(table, TRACES, STYLE_PLAIN, json_uint(session, "traces"));
	add_count(table, CALLS, STYLE_PLAIN, json_uint(session, "calls"));
	add_count(table, TOOLS, STYLE_PLAIN, json_uint(session, "tools"));
	add_count(table, ERRORS, errors ? STYLE_RED : STYLE_PLAIN, errors);
	add_count(table, TOKENS, STYLE_PLAIN, tokens_total(json_object_get(session, "usage")));
	table_cell(
		table, COST, STYLE_PLAIN, "", bytes_of(figure_cost_of(figure, session, terminal)));
	table_cell(table, USER, STYLE_PLAIN, "", bytes_of(json_text(session, "user_id")));
}

static void add_remarks(struct table *table, const json_t *answer)
{
	char text[128];
	uint64_t without = json_uint(answer, "traces_without_session");
	if (json_is_true(json_object_get(answer, "is_cut")))
		table_note(table, STYLE_DIM, "", bytes_of("There are more: --limit N."));
	snprintf(text, sizeof text, "%llu %s to no session: tollgate show --last N.",
		(unsigned long long)without, without == 1 ? "trace belongs" : "traces belong");
	if (without)
		table_note(table, STYLE_DIM, "", bytes_of(text));
	page_remark_skipped(table, answer);
}

int sessions_print(
	const json_t *answer, uint64_t now_ns, const struct terminal *terminal, struct buf *out)
{
	const json_t *sessions = json_object_get(answer, "sessions");
	struct table table;
	json_t *session;
	size_t i;
	table_init(&table);
	for (i = 0; i < sizeof columns / sizeof *columns; i++)
		table_column(&table, columns[i]);
	table.has_titles = json_array_size(sessions) > 0;
	if (!table.has_titles)
		table_note(&table, STYLE_PLAIN, "", bytes_of("No session in this time."));
	json_array_foreach(sessions, i, session)
		add_session(&table, session, now_ns, terminal);
	add_remarks(&table, answer);
	int error = table_print(&table, terminal, out);
	table_done(&table);
	return error;
}

/* ---- live ---- */

enum live_column {
	LIVE_SESSION,
	LIVE_CLI,
	LIVE_STATE,
	LIVE_AGE,
	LIVE_CALLS,
	LIVE_TOOLS,
	LIVE_ERRORS,
	LIVE_TOKENS,
	LIVE_PROJECT,
	LIVE_TURN,
};

static const struct table_column live_columns[] = {
	[LIVE_SESSION] = { "session", .min_columns = 9 },
	[LIVE_CLI] = { "cli", .rank = 2 },
	[LIVE_STATE] = { "state" },
	[LIVE_AGE] = { "ago", .is_right = true, .rank = 1 },
	[LIVE_CALLS] = { "calls", .is_right = true, .rank = 5 },
	[LIVE_TOOLS] = { "tools", .is_right = true, .rank = 6 },
	[LIVE_ERRORS] = { "errors", .is_right = true, .rank = 4 },
	[LIVE_TOKENS] = { "tokens", .is_right = true, .rank = 3 },
	[LIVE_PROJECT] = { "project", .min_columns = 7, .rank = 2 },
	[LIVE_TURN] = { "turn", .min_columns = 10, .rank = 1 },
};

/* As the daemon says it, in words. */
static const struct {
	const char *state, *words;
	enum style style;
} live_states[] = {
	{ "working", "working", STYLE_GREEN },
	{ "waiting_for_permission", "wants permission", STYLE_YELLOW },
	{ "waiting_for_user", "your turn", STYLE_CYAN },
	{ "finished", "finished", STYLE_DIM },
	{ "unknown", "silent", STYLE_DIM },
};

enum { STATES = sizeof live_states / sizeof *live_states };

/* A state that we do not know is the last of them. */
static size_t state_of(const json_t *session)
{
	const char *state = json_text(session, "state");
	size_t i = 0;
	while (i < STATES - 1 && strcmp(live_states[i].state, state) != 0)
		i++;
	return i;
}

static void add_state(struct table *table, const json_t *session)
{
	const char *tool = json_text(session, "waits_for");
	char words[128];
	size_t i = state_of(session);
	snprintf(words, sizeof words, "%s%s%.60s", live_states[i].words, *tool ? ": " : "", tool);
	table_cell(table, LIVE_STATE, live_states[i].style, "", bytes_of(words));
}

static void add_live(struct table *table, const json_t *session, uint64_t now_ns)
{
	char figure[FIGURE_MAX];
	uint64_t errors = json_uint(session, "errors");
	bool is_unknown = json_is_true(json_object_get(session, "session_unknown"));
	table_cell(table, LIVE_SESSION, is_unknown ? STYLE_DIM : STYLE_BOLD, "",
		bytes_of(is_unknown ? "(unknown)" : json_text(session, "session_id")));
	table_cell(table, LIVE_CLI, STYLE_PLAIN, "", bytes_of(json_text(session, "cli")));
	add_state(table, session);
	table_cell(table, LIVE_AGE, STYLE_PLAIN, "",
		bytes_of(figure_age(figure, json_uint(session, "last_ns"), now_ns)));
	add_count(table, LIVE_CALLS, STYLE_PLAIN, json_uint(session, "calls"));
	add_count(table, LIVE_TOOLS, STYLE_PLAIN, json_uint(session, "tools"));
	add_count(table, LIVE_ERRORS, errors ? STYLE_RED : STYLE_PLAIN, errors);
	add_count(table, LIVE_TOKENS, STYLE_PLAIN, json_uint(session, "tokens"));
	table_cell(table, LIVE_PROJECT, STYLE_PLAIN, "", bytes_of(json_text(session, "project")));
	table_cell(table, LIVE_TURN, STYLE_PLAIN, "", bytes_of(json_text(session, "turn")));
}

static int print_live(
	const json_t *answer, size_t most, const struct terminal *terminal, struct buf *out)
{
	const json_t *sessions = json_object_get(answer, "sessions");
	size_t i, count = json_array_size(sessions);
	struct table table;
	table_init(&table);
	for (i = 0; i < sizeof live_columns / sizeof *live_columns; i++)
		table_column(&table, live_columns[i]);
	table.has_titles = count > 0;
	if (!table.has_titles)
		table_note(&table, STYLE_PLAIN, "", bytes_of("No session is open."));
	for (i = 0; i < count && i < most; i++)
		add_live(&table, json_array_get(sessions, i), json_uint(answer, "now_ns"));
	int error = table_print(&table, terminal, out);
	table_done(&table);
	return error;
}

int sessions_print_live(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	return print_live(answer, SIZE_MAX, terminal, out);
}

/* "sessions: 1 working, 2 your turn" */
static void put_states(const json_t *sessions, const struct terminal *terminal, struct buf *out)
{
	size_t counts[STATES] = { 0 }, i;
	json_t *session;
	struct buf line;
	buf_init(&line, PAGE_OUTPUT_MAX, NULL);
	json_array_foreach(sessions, i, session)
		counts[state_of(session)]++;
	for (i = 0; i < STATES; i++)
		if (counts[i])
			buf_printf(&line, "%s %zu %s", line.len ? "," : "sessions:", counts[i],
				live_states[i].words);
	if (line.len)
		terminal_put_words(terminal, out, STYLE_PLAIN, buf_bytes(&line), 2);
	buf_done(&line);
}

int sessions_print_newest(
	const json_t *answer, size_t most, const struct terminal *terminal, struct buf *out)
{
	put_states(json_object_get(answer, "sessions"), terminal, out);
	return print_live(answer, most, terminal, out);
}

static int show_live(struct page *page)
{
	json_t *answer = NULL;
	int status = control_ask(page->socket, "GET", "/v1/live", &answer);
	if (status == EXIT_DONE)
		status = page_print(page, answer, sessions_print_live);
	json_decref(answer);
	return status;
}

static int print_now(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	return sessions_print(answer, clock_unix_ns(), terminal, out);
}

static int run(struct arguments *arguments)
{
	struct page page = { .path = "/v1/sessions" };
	const char *value = NULL;
	bool is_live = false;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_SINCE) {
			if (page_since(&page, value) < 0)
				return EXIT_USAGE;
		} else if (argument == FLAG_LIMIT) {
			control_argument(page.path, sizeof page.path, "limit", value);
		} else if (argument == FLAG_LIVE) {
			is_live = true;
		} else if (argument == FLAG_JSON) {
			page.is_json = true;
		} else if (argument == FLAG_SOCKET) {
			page.socket = value;
		} else {
			return arguments_refuse(arguments, argument, value);
		}
	}
	return is_live ? show_live(&page) : page_show(&page, print_now);
}

const struct command command_sessions = {
	.name = "sessions",
	.sentence = "Lists the newest sessions with their figures.",
	.operands = "",
	.flags = flags,
	.manual =
		"The sessions that the running daemon's local view holds. `--live` lists the sessions of "
		"coding CLIs that are open, with what each is doing now: working, wanting a permission, "
		"waiting for the person, finished, or silent.",
	.run = run,
};
