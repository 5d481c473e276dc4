/* The page that status prints for the answers of the daemon: every line, at 80 columns and at others. */
#include "cli/status.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

enum { OUT_MAX = 1 << 20 };

static struct terminal terminal = { .width = 80, .has_unicode = true };
static struct buf out;

static void begin(void)
{
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
	setenv("TZ", "UTC", 1);
	tzset();
	buf_init(&out, OUT_MAX, NULL);
}

static void end(void)
{
	buf_done(&out);
}

TestSuite(status, .init = begin, .fini = end);

/* Quotes in `text` are written as '. */
static const char *printed(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *views = json_loads(copy, 0, &error);
	cr_assert(views, "%s at %d", error.text, error.position);
	free(copy);
	out.len = 0;
	cr_assert_eq(status_print(views, &terminal, &out), 0);
	json_decref(views);
	buf_append(&out, "", 1);
	cr_assert_eq(out.error, 0);
	return (const char *)out.at;
}

#define NOW "'now_ns': 1700000600000000000"
#define STATUS(counters) \
	"'status': {'version': '1.2', 'listen': '127.0.0.1:4318', " NOW \
	", 'started_ns': 1699993200000000000, 'sessions': true, 'local_view': true," \
	" 'counters': {" counters "}}"
#define SIGNAL(name, rate) "'" name "': {'items': 1, 'per_minute': " rate "}"
#define CLAUDE \
	"{'name': 'claude-code', 'cli': 'claude-code', 'version': '2.1.329'," \
	" 'last_ns': 1700000588000000000, 'signals': {" SIGNAL("traces", "10.25") "," SIGNAL( \
		"logs", "2.2") "," SIGNAL("hooks", "0") "}, 'lacks': {"
#define CODEX \
	"{'name': 'codex_exec', 'cli': 'codex', 'version': null," \
	" 'last_ns': 1699990000000000000, 'signals': {" SIGNAL("logs", "0.2") "}, 'lacks': {}}"
#define SOURCES(rows) "'sources': {" NOW ", 'forgotten': 0, 'sources': [" rows "]}"
#define LIVE(rows) "'live': {" NOW ", 'sessions': [" rows "]}"
#define SESSION(id, state) \
	"{'session_id': '" id "', 'cli': 'codex', 'state': '" state \
	"', 'last_ns': 1700000540000000000, 'project': 'shop', 'turn': 'Turn #1', 'tokens': 1200}"
#define ROW(name, rest) \
	"{'destination': '" name "', 'lane': 'default', 'waiting': 0, 'last_status': 200, " rest "}"
#define SPOOL(refusing, rows) \
	"'spool': {" NOW ", 'spool': {'refusing': " refusing "}, 'destinations': [" rows "]}"
#define CALLS "'calls': 12, 'usage': {'input': 1000, 'output': 234}"
#define PRICES(age, names) \
	"'prices': {" NOW ", 'as_of': '2026-01-01', 'age_days': " age ", 'names': [" names "]}"
#define NO_COST \
	"'cost_by_cli': {'by': 'cli', 'total': {'calls': 0}, 'rows': []}," \
	"'cost_by_model': {'by': 'model', 'total': {'calls': 0}, 'rows': []}"
#define QUIET_SPOOL SPOOL("null", ROW("tempo", "'dead': 0"))
#define QUIET_PRICES PRICES("12", "")

Test(status, a_page_when_all_is_well)
{
	cr_expect_str_eq(
		printed("{" STATUS("'refused_malformed': 0, 'spans_received': 7") "," SOURCES(CLAUDE
			"}}," CODEX) "," LIVE(SESSION("01a1faaa", "working") "," SESSION("471517de",
			"waiting_for_user") "," SESSION("ec2b56f7",
			"working")) "," QUIET_SPOOL ",'cost_by_cli': {'by': 'cli', 'total': {" CALLS
				    ", 'cost_fusd': 1500000000000000},"
				    " 'rows': [{'key': 'claude-code', " CALLS
				    ", 'cost_fusd': 1500000000000000}]},"
				    "'cost_by_model': {'by': 'model', 'total': {}, 'rows': [{'key': 'opus', " CALLS
				    ", 'cost_fusd': 1490000000000000}, {'key': '', 'calls': 1}]}," QUIET_PRICES
				    "}"),
		"tollgate 1.2 at 127.0.0.1:4318, up 2 h 03 m, 2023-11-14 22:23:20\n"
		"\n"
		"source       version   ago  a minute  signals\n"
		"claude-code  2.1.329  12 s        12  traces logs hooks\n"
		"codex_exec             2 h       0.2  logs\n"
		"\n"
		"sessions: 2 working, 1 your turn\n"
		"session   cli    state      ago  calls  tools  errors  tokens  project  turn\n"
		"01a1faaa  codex  working    1 m      0      0       0   1,200  shop     Turn #1\n"
		"471517de  codex  your turn  1 m      0      0       0   1,200  shop     Turn #1\n"
		"ec2b56f7  codex  working    1 m      0      0       0   1,200  shop     Turn #1\n"
		"\n"
		"destination  waiting  answer\n"
		"tempo              0     200\n"
		"\n"
		"today        calls  tokens   cost\n"
		"claude-code     12   1,234  $1.50\n"
		"\n"
		"opus            12   1,234  $1.49\n"
		"(none)           1       0      -\n"
		"total           12   1,234  $1.50\n");
}

Test(status, a_page_when_nothing_is_well)
{
	cr_expect_str_eq(
		printed("{" STATUS(
			"'refused_malformed': 2, 'refused_too_large': 12345, 'accepted': 7,"
			"'rejected_without_ids': 1") "," SOURCES(CLAUDE
			"'prompts': {'last_ns': 2, 'there_last_ns': 1},"
			"'session': {'last_ns': 2, 'there_last_ns': 3},"
			"'tool_details': {'last_ns': 2, 'there_last_ns': 0}}}") "," LIVE("") "," SPOOL("'no space'",
			ROW("langfuse",
				"'dropped': 12, 'dead': 3, 'rejected': 0, 'damaged': 1,"
				" 'failing_since_ns': 1700000480000000000, 'failure_status': 503,"
				" 'failure_why': 'overloaded'") "," ROW("tempo",
				"'dead': 0")) "," NO_COST "," PRICES("90",
			"{'model': 'm-1', 'why': 'unknown_model', 'calls': 7},"
			"{'model': 'm-x', 'why': 'usage_withheld', 'calls': 6},"
			"{'model': 'm-2', 'why': 'unknown_model', 'calls': 5},"
			"{'model': 'm-3', 'why': 'unknown_model', 'calls': 4},"
			"{'model': 'm-4', 'why': 'unknown_model', 'calls': 3}") "}"),
		"tollgate 1.2 at 127.0.0.1:4318, up 2 h 03 m, 2023-11-14 22:23:20\n"
		"Nothing is taken now: no space.\n"
		"\n"
		"source       version   ago  a minute  signals\n"
		"claude-code  2.1.329  12 s        12  traces logs hooks\n"
		"claude-code withholds prompts: tollgate doctor says what mends it\n"
		"claude-code withholds inputs of tools: tollgate doctor says what mends it\n"
		"\n"
		"No session is open.\n"
		"\n"
		"destination  waiting  answer\n"
		"langfuse           0     200\n"
		"tempo              0     200\n"
		"langfuse fails for 2 m: 503, overloaded\n"
		"\n"
		"No model call today.\n"
		"\n"
		"No price for m-1, m-2, m-3 and 1 more: tollgate prices list --unknown\n"
		"The price table is of 2026-01-01, 90 days old.\n"
		"Not delivered to langfuse: 12 dropped, 3 dead, 1 damaged; see tollgate spool\n"
		"Requests refused since the start: 2 malformed, 12,345 too large\n"
		"Spans rejected since the start: 1 without ids\n");
}

Test(status, says_what_is_switched_off_and_what_is_not_there_yet)
{
	const char *page =
		printed("{" STATUS("") "," SOURCES("") "," SPOOL("null", "") "," QUIET_PRICES "}");
	cr_expect_str_eq(page,
		"tollgate 1.2 at 127.0.0.1:4318, up 2 h 03 m, 2023-11-14 22:23:20\n"
		"\n"
		"Nothing came yet: point a CLI at 127.0.0.1:4318.\n"
		"\n"
		"Sessions are switched off (sessions.enabled).\n"
		"\n"
		"No destination: everything is kept until there is one.\n"
		"\n"
		"No figures of today: the local view is switched off (local.enabled).\n");
}

#define FIVE(row) row "," row "," row "," row "," row

Test(status, shows_a_few_of_many)
{
	const char *page = printed("{" STATUS("") "," SOURCES(FIVE(CODEX) "," FIVE(
		CODEX) "," CODEX) "," LIVE(FIVE(SESSION("s", "finished")) "," SESSION("s",
		"odd")) "," QUIET_SPOOL ",'cost_by_cli': {'by': 'cli', 'total': {" CALLS
			"}, 'rows': [" FIVE("{" CALLS "}") ",{" CALLS "},{" CALLS
							   "}]}," QUIET_PRICES "}");
	cr_expect(strstr(page, "\nAnd 1 more.\n"), "%s", page);
	cr_expect(strstr(page, "\nsessions: 5 finished, 1 silent\n"), "%s", page);
	cr_expect(!strstr(page, "silent  "), "the sixth: %s", page);
	cr_expect(strstr(page, "\nAnd 2 more: tollgate cost --by cli\n"), "%s", page);
}

/* No line is wider than the terminal, and nothing in it is for the terminal to obey. */
static void expect_fits(const char *text)
{
	for (; *text; text += strcspn(text, "\n") + 1) {
		wchar_t wide[4096];
		char *line = strndup(text, strcspn(text, "\n"));
		size_t count = mbstowcs(wide, line, 4096);
		cr_assert(count < 4096, "%s", line);
		int columns = wcswidth(wide, count);
		cr_expect(columns >= 0 && columns <= (int)terminal.width, "%d: %s", columns, line);
		free(line);
	}
}

Test(status, fits_whatever_a_sender_wrote)
{
	static const char odd[] = "{" STATUS("'refused_malformed': 123456789012345678") "," SOURCES(
		"{'name': 'a\\u001b[2Jb-\\u202e-with-a-name-that-goes-on-and-on-and-on-and-on-and-on',"
		" 'version': '1\\n2\\u0007 of a version that goes on and on', 'last_ns': 1, 'signals':"
		" {" SIGNAL("traces", "1e300") "," SIGNAL("logs", "-1") "," SIGNAL("hooks",
			"1e300") "}, 'lacks': {'prompts': {'last_ns': 1}}}") "," LIVE("{'session_id': 'x\\u001b]0;y', 'cli': '\\u009b', 'project': '\\u001b[1m'}") "," SPOOL("'\\u001b[31m'",
		ROW("t\\u001b",
			"'dropped': 123456789012345678")) ","
							  "'cost_by_cli': {'by': '\\u001b', 'total': {" CALLS
							  "}, 'rows': [{'key': '\\u001b[0m', " CALLS
							  "}]}," PRICES("123456789012",
								  "{'model': '\\u001b[5m', 'why': 'unknown_model'}") "}";
	for (terminal.width = 20; terminal.width < 130; terminal.width += 7)
		expect_fits(printed(odd));
	terminal.width = 80;
	printed("{}");
	printed("{'status': 7, 'sources': [], 'live': 1, 'spool': null, 'cost_by_cli': [], 'prices': 2}");
}
