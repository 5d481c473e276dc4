/* What show, sessions and cost print for an answer of the daemon: every line, at 80 columns and at others. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "cli/cost.h"
#include "cli/sessions.h"
#include "cli/show.h"
#include "cli/tree.h"

enum { OUT_MAX = 16 << 20 };

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

TestSuite(pages, .init = begin, .fini = end);

/* Quotes in `text` are written as '. */
static json_t *json_of(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *json = json_loads(copy, 0, &error);
	cr_assert(json, "%s", error.text);
	free(copy);
	return json;
}

static const char *text_of_out(void)
{
	buf_append(&out, "", 1);
	cr_assert_eq(out.error, 0);
	out.len = 0;
	return (const char *)out.at;
}

static const char *show(const char *answer)
{
	json_t *json = json_of(answer);
	cr_assert_eq(show_print(json, &terminal, &out), 0);
	json_decref(json);
	return text_of_out();
}

static const char *sessions(const char *answer, uint64_t now_ns)
{
	json_t *json = json_of(answer);
	cr_assert_eq(sessions_print(json, now_ns, &terminal, &out), 0);
	json_decref(json);
	return text_of_out();
}

static const char *live(const char *answer)
{
	json_t *json = json_of(answer);
	cr_assert_eq(sessions_print_live(json, &terminal, &out), 0);
	json_decref(json);
	return text_of_out();
}

static const char *cost(const char *answer)
{
	json_t *json = json_of(answer);
	cr_assert_eq(cost_print(json, &terminal, &out), 0);
	json_decref(json);
	return text_of_out();
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

#define TRACE "'trace_id': '0af7651916cd43dd8448eb211c80319c'"
#define START "'start_ns': 1795262525000000000"

static const char turn[] =
	"{'traces': [{" TRACE ", 'session_id': 'c9dbcdce-9401-4a3f-9e1f-e2f4acce5338',"
	" 'service': 'claude-code', 'user_id': 'ada', " START ", 'end_ns': 1795262537300000000,"
	" 'span_count': 5, 'spans': ["
	"{'span_id': '1', 'name': 'claude_code.interaction', 'kind': 'AGENT', 'level': 'DEFAULT', " START
	", 'end_ns': 1795262537300000000},"
	"{'span_id': '2', 'parent_span_id': '1', 'name': 'claude_code.llm_request', 'kind': 'LLM',"
	" 'model': 'claude-opus-5-5', 'level': 'DEFAULT', " START
	", 'end_ns': 1795262527100000000, 'usage': {'input': 12, 'output': 71,"
	" 'input_cached_tokens': 8192, 'input_cache_creation': 2048, 'total': 10323},"
	" 'cost_fusd': 13346400000000, 'cost_status': 'lower_bound'},"
	"{'span_id': '3', 'parent_span_id': '1', 'name': 'claude_code.tool', 'kind': 'TOOL',"
	" 'level': 'DEFAULT', " START ", 'end_ns': 1795262525340000000},"
	"{'span_id': '4', 'parent_span_id': '3', 'name': 'claude_code.tool.execution', 'kind': 'CHAIN',"
	" 'level': 'ERROR', 'status_message': 'no\\nsuch file', " START
	", 'end_ns': 1795262525330000000},"
	"{'span_id': '5', 'parent_span_id': '1', 'name': 'ask', 'kind': 'LLM', 'model': 'gpt-new',"
	" 'level': 'DEFAULT', " START
	", 'end_ns': 0, 'usage': {'input': 1234567, 'rare_tokens': 5},"
	" 'cost_status': 'unknown_model'}]}], 'is_cut': false, 'begins_ns': 1}";

Test(pages, a_turn_is_a_tree_in_eighty_columns)
{
	const char *text = show(turn);
	expect_fits(text);
	cr_expect_str_eq(text,
		"session c9dbcdce-9401-4a3f-9e1f-e2f4acce5338  claude-code  ada\n"
		"trace 0af7651916cd43dd8448eb211c80319c  2026-11-21 12:02:05  12.3 s\n"
		"  2 model calls · ≥$0.0133464 · 1 without known cost · 1 error\n"
		"  in 1,234,579 · cache read 8,192 · cache write 2,048 · out 71 · rare_tokens 5\n"
		"claude_code.interaction           AGENT                   12.3 s\n"
		"├─ claude_code.llm_request        LLM    claude-opus-5-5   2.1 s  ≥$0.0133464\n"
		"│     in 12 · cache read 8,192 · cache write 2,048 · out 71\n"
		"├─ claude_code.tool               TOOL                    340 ms\n"
		"│  └─ claude_code.tool.execution  CHAIN                   330 ms\n"
		"│        ERROR: no such file\n"
		"└─ ask                            LLM    gpt-new                            -\n"
		"      in 1,234,567 · rare_tokens 5 · no cost: unknown_model\n");
}

Test(pages, a_narrow_terminal_loses_what_matters_least)
{
	terminal.width = 44;
	const char *text = show(turn);
	expect_fits(text);
	cr_expect_str_eq(text,
		"session c9dbcdce-9401-4a3f-9e1f-e2f4acce533…\n"
		"trace 0af7651916cd43dd8448eb211c80319c  202…\n"
		"  2 model calls · ≥$0.0133464 · 1 without k…\n"
		"  in 1,234,579 · cache read 8,192 · cache w…\n"
		"claude_code.interaction\n"
		"├─ claude_code.llm_request       ≥$0.0133464\n"
		"│     in 12 · cache read 8,192 · cache writ…\n"
		"├─ claude_code.tool\n"
		"│  └─ claude_code.tool.executi…\n"
		"│        ERROR: no such file\n"
		"└─ ask                                     -\n"
		"      in 1,234,567 · rare_tokens 5 · no cos…\n");
}

Test(pages, without_unicode_the_tree_is_drawn_in_ascii)
{
	terminal.has_unicode = false;
	const char *text = show(turn);
	expect_fits(text);
	for (const char *at = text; *at; at++)
		cr_assert(*at == '\n' || (*at >= ' ' && *at <= '~'));
	cr_expect(strstr(text, "\n|  `- claude_code.tool.execution  CHAIN"));
	cr_expect(strstr(text, "\n|- claude_code.llm_request "));
	cr_expect(strstr(text, ">=$0.0133464"));
}

Test(pages, colours_change_nothing_but_colours)
{
	char *before = strdup(show(turn)), *to;
	terminal.has_colours = true;
	char *after = strdup(show(turn));
	cr_expect(strstr(after, "\033[1mclaude_code.interaction\033[0m"));
	cr_expect(strstr(after, "\033[31mclaude_code.tool.execution\033[0m"));
	cr_expect(strstr(after, "\033[2m├─ \033[0mclaude_code.llm_request"));
	to = after;
	for (const char *at = after; *at;) {
		if (*at == '\033')
			at += strcspn(at, "m") + 1;
		else
			*to++ = *at++;
	}
	*to = '\0';
	cr_expect_str_eq(after, before);
	free(before);
	free(after);
}

Test(pages, traces_of_a_session_have_their_sum_above_them)
{
	static const char span[] = "'spans': [{'span_id': '1', 'name': 'x', 'kind': 'LLM',"
				   " 'cost_fusd': 250000000000000, " START ", 'end_ns': 0}]";
	char answer[2048];
	snprintf(answer, sizeof answer,
		"{'traces': [{'trace_id': 'a', 'session_id': 's', %s, " START "},"
		" {'trace_id': 'b', 'session_id': 's', %s, " START "},"
		" {'trace_id': 'c', %s, " START "}], 'is_cut': true}",
		span, span, span);
	cr_expect_str_eq(show(answer),
		"session s\n"
		"  2 model calls · $0.50\n"
		"trace a  2026-11-21 12:02:05  0.0 ms\n"
		"  1 model call · $0.25\n"
		"x  LLM  $0.25\n"
		"\n"
		"trace b  2026-11-21 12:02:05  0.0 ms\n"
		"  1 model call · $0.25\n"
		"x  LLM  $0.25\n"
		"\n"
		"trace c  2026-11-21 12:02:05  0.0 ms\n"
		"  1 model call · $0.25\n"
		"x  LLM  $0.25\n"
		"\n"
		"There is more than one answer holds: ask for single traces.\n");
}

Test(pages, a_span_whose_parent_is_missing_stands_at_the_root)
{
	cr_expect_str_eq(
		show("{'traces': [{'trace_id': 'a', " START ", 'span_count': 1002, 'spans': ["
		     "{'span_id': '1', 'name': 'root', " START "},"
		     "{'span_id': '2', 'parent_span_id': 'beef', 'name': 'orphan', " START "},"
		     "{'span_id': '3', 'parent_span_id': '2', 'name': 'child', " START "}]}]}"),
		"trace a  2026-11-21 12:02:05  0.0 ms\n"
		"root\n"
		"orphan\n"
		"│  (its parent beef is not here)\n"
		"└─ child\n"
		"(999 more spans of this trace do not fit in here)\n");
}

Test(pages, parents_that_form_a_ring_are_shown_once_each)
{
	cr_expect_str_eq(
		show("{'traces': [{'trace_id': 'a', " START ", 'spans': ["
		     "{'span_id': '0', 'parent_span_id': '2', 'name': 'beside', " START "},"
		     "{'span_id': '1', 'parent_span_id': '3', 'name': 'one', " START "},"
		     "{'span_id': '2', 'parent_span_id': '1', 'name': 'two', " START "},"
		     "{'span_id': '3', 'parent_span_id': '2', 'name': 'three', " START "},"
		     "{'span_id': '4', 'parent_span_id': '4', 'name': 'self', " START "}]}]}"),
		"trace a  2026-11-21 12:02:05  0.0 ms\n"
		"two\n"
		"│  (its parents form a ring)\n"
		"├─ beside\n"
		"└─ three\n"
		"   └─ one\n"
		"self\n"
		"   (its parents form a ring)\n");
}

/* A chain of so many spans, each the parent of the next. */
static json_t *chain(size_t count)
{
	json_t *spans = json_array();
	for (size_t i = 0; i < count; i++) {
		char id[24], parent[24];
		snprintf(id, sizeof id, "%zu", i + 1);
		snprintf(parent, sizeof parent, "%zu", i);
		json_t *span =
			json_pack("{s:s, s:s, s:s}", "span_id", id, "name", "n", "level", "ERROR");
		if (i)
			json_object_set_new(span, "parent_span_id", json_string(parent));
		json_array_append_new(spans, span);
	}
	return json_pack("{s:[{s:s, s:o}]}", "traces", "trace_id", "a", "spans", spans);
}

Test(pages, deep_trees_stay_in_the_terminal)
{
	json_t *answer = chain(5000);
	cr_assert_eq(show_print(answer, &terminal, &out), 0);
	json_decref(answer);
	const char *text = text_of_out();
	expect_fits(text);
	cr_expect(strstr(text, "\n+4989                            └─ n\n"));
	cr_expect(strstr(text, "\n                                    ERROR\n"));
}

Test(pages, hostile_names_neither_wrap_nor_command)
{
	char wide[2048] = "", answer[32768];
	for (int i = 0; i < 100; i++)
		strcat(wide, i % 2 ? "好" : "👩‍👩‍👧");
	snprintf(answer, sizeof answer,
		"{'traces': [{'trace_id': 'x\\u001b[2J', 'session_id': '%s', 'service': '\\u001b]0;x\\u0007',"
		" 'user_id': '%s', " START ", 'spans': ["
		"{'span_id': '1', 'name': '\\u001b[31m%s', 'kind': '%s', 'model': '%s', 'level': 'ERROR',"
		" 'status_message': '\\u202e\\u009b2J%s', 'usage': {'\\u001b[2J': 7},"
		" 'cost_status': '\\u001b', 'input': '\\u001b[2J\\r\\n%s'},"
		"{'span_id': '2', 'parent_span_id': '\\u001b[2J', 'name': '%s'}]}]}",
		wide, wide, wide, wide, wide, wide, wide, wide);
	for (terminal.width = 1; terminal.width < 200; terminal.width += 7)
		expect_fits(show(answer));
}

Test(pages, content_is_cut_to_its_first_lines)
{
	char answer[4096], words[1200];
	memset(words, 'w', sizeof words - 1);
	words[sizeof words - 1] = '\0';
	snprintf(answer, sizeof answer,
		"{'traces': [{'trace_id': 'a', " START ", 'spans': [{'span_id': '1', 'name': 'n',"
		" 'input': 'first\\n\\nthird', 'input_bytes': 12, 'output': '%s', 'output_bytes': 5000}]}]}",
		words);
	const char *text = show(answer);
	expect_fits(text);
	cr_expect(strstr(text,
		"\nn\n"
		"   input   first\n"
		"           \n"
		"           third\n"
		"   output  www"));
	cr_expect(strstr(text, "www\n           (4,310 bytes more)\n"));
	const char *output = strstr(text, "output");
	size_t lines = 0;
	while ((output = strchr(output, '\n'))) {
		output++;
		lines++;
	}
	cr_expect_eq(lines, 11);
}

Test(pages, open_sessions_say_what_they_do)
{
	const char *answer =
		"{'now_ns': 1795206300000000000, 'sessions': ["
		"{'cli': 'claude-code', 'session_id': '079c59be-343d-4cac-8b4f-4e6cb715e35f',"
		" 'project': 'tollgate', 'state': 'waiting_for_permission', 'waits_for': 'Bash',"
		" 'turn': 'Turn #3: Please run the tests', 'last_ns': 1795206290000000000,"
		" 'calls': 12, 'tools': 9, 'errors': 1, 'tokens': 123456},"
		"{'cli': 'codex', 'session_id': '01a1faaa-819b-76f2-b471-80cacd4b817f',"
		" 'project': '', 'state': 'working', 'waits_for': '', 'turn': '',"
		" 'last_ns': 1795206299000000000, 'calls': 1, 'tools': 0, 'errors': 0, 'tokens': 7},"
		"{'cli': 'gemini', 'session_id': '', 'session_unknown': true,"
		" 'state': 'of another version', 'last_ns': 1795206299000000000}]}";
	terminal.width = 160;
	cr_expect_str_eq(live(answer),
		"session                               cli          state                    ago  calls  tools  errors   tokens  project   turn\n"
		"079c59be-343d-4cac-8b4f-4e6cb715e35f  claude-code  wants permission: Bash  10 s     12      9       1  123,456  tollgate  Turn #3: Please run the tests\n"
		"01a1faaa-819b-76f2-b471-80cacd4b817f  codex        working                  1 s      1      0       0        7\n"
		"(unknown)                             gemini       silent                   1 s      0      0       0        0\n");
	terminal.width = 80;
	expect_fits(live(answer));
	cr_expect_str_eq(live("{'sessions': []}"), "No session is open.\n");
	cr_expect(live("{'sessions': [3, null]}"));
}

Test(pages, sessions_in_eighty_columns)
{
	const char *text = sessions(
		"{'sessions': [{'session_id': 'c9dbcdce-9401-4a3f-9e1f-e2f4acce5338',"
		" 'service': 'claude-code', 'user_id': '88a6405f02606c19f677', 'traces': 12,"
		" 'spans': 99, 'calls': 30, 'tools': 14, 'errors': 2, 'usage': {'input': 25,"
		" 'input_cached_tokens': 1843200, 'total': 1843225}, 'cost_fusd': 13346400000000,"
		" 'unpriced': 1, 'lower_bounds': 0, 'first_ns': 1, 'last_ns': 1795262525000000000},"
		"{'session_id': 's', 'traces': 1, 'calls': 0, 'tools': 0, 'errors': 0, 'unpriced': 0,"
		" 'last_ns': 1795262525000000000},"
		"{'session_id': 't', 'service': 'codex', 'traces': 1, 'calls': 3, 'tools': 0, 'errors': 0,"
		" 'unpriced': 3, 'last_ns': 1795262525000000000}],"
		" 'traces_without_session': 3, 'skipped_spans': 1234, 'is_cut': true}",
		1795262705ull * 1000000000);
	expect_fits(text);
	cr_expect_str_eq(text,
		"session          cli          ago  traces  calls  errors     tokens         cost\n"
		"c9dbcdce-9401-…  claude-code  3 m      12     30       2  1,843,225  ≥$0.0133464\n"
		"s                             3 m       1      0       0          0\n"
		"t                codex        3 m       1      3       0          0            -\n"
		"There are more: --limit N.\n"
		"3 traces belong to no session: tollgate show --last N.\n"
		"Without 1,234 spans: the local view could not keep up.\n");
}

Test(pages, no_session_is_said)
{
	cr_expect_str_eq(sessions("{'sessions': [], 'traces_without_session': 1}", 0),
		"No session in this time.\n"
		"1 trace belongs to no session: tollgate show --last N.\n");
}

static const char bill[] =
	"{'by': 'model', 'since_ns': 1795262525000000000, 'begins_ns': 1, 'is_cut': false,"
	" 'rows': [{'key': 'claude-opus-5-5', 'calls': 14, 'usage': {'input': 162, 'output': 571,"
	" 'input_cached_tokens': 118784, 'input_cache_creation': 15872, 'output_reasoning_tokens': 3,"
	" 'input_audio_tokens': 9, 'total': 135392}, 'cost_fusd': 115184800000000, 'unpriced': 0,"
	" 'lower_bounds': 13},"
	"{'key': 'new', 'calls': 2, 'usage': {'input': 5}, 'unpriced': 2, 'lower_bounds': 0},"
	"{'calls': 1, 'cost_fusd': 0, 'unpriced': 0, 'lower_bounds': 0}],"
	" 'total': {'calls': 17, 'usage': {'input': 167, 'output': 571, 'input_cached_tokens': 118784,"
	" 'input_cache_creation': 15872, 'output_reasoning_tokens': 3, 'input_audio_tokens': 9,"
	" 'total': 135397}, 'cost_fusd': 115184800000000, 'unpriced': 2, 'lower_bounds': 13},"
	" 'unpriced': [{'model': 'new', 'provider': 'p', 'cost_status': 'unknown_model', 'calls': 2}]}";

Test(pages, a_bill_in_eighty_columns)
{
	const char *text = cost(bill);
	expect_fits(text);
	cr_expect_str_eq(text,
		"Model calls since 2026-11-21 12:02:05\n"
		"\n"
		"model            calls   in  cache read  cache write  out  unknown         cost\n"
		"claude-opus-5-5     14  162     118,784       15,872  571           ≥$0.1151848\n"
		"new                  2    5                                      2            -\n"
		"(none)               1                                                    $0.00\n"
		"total               17  167     118,784       15,872  571        2  ≥$0.1151848\n"
		"2 calls have no known cost, which is not in the sums:\n"
		"  2 new: unknown_model\n"
		"13 calls are counted at the least that they can have cost.\n");
}

Test(pages, a_wide_terminal_shows_every_kind_of_tokens)
{
	terminal.width = 120;
	const char *text = cost(bill);
	expect_fits(text);
	cr_expect(strstr(text,
		"\nmodel            calls   in  cache read  cache write  out  reasoning"
		"  audio in  unknown         cost\n"
		"claude-opus-5-5     14  162     118,784       15,872  571          3"
		"         9           ≥$0.1151848\n"));
}

Test(pages, no_call_is_said)
{
	cr_expect_str_eq(cost("{'by': 'day', 'since_ns': 1795262525000000000, 'rows': [],"
			      " 'begins_ns': 1795262526000000000, 'total': {'calls': 0}}"),
		"Model calls since 2026-11-21 12:02:06, where the local view begins\n\nNone.\n");
}

Test(pages, an_answer_that_is_not_as_expected_is_no_danger)
{
	static const char *const answers[] = { "{}", "[]", "{'traces': 1}", "{'traces': [1, null]}",
		"{'traces': [{'spans': [1, {}, {'span_id': 5, 'usage': [1], 'cost_fusd': {}}]}]}",
		"{'rows': [null], 'sessions': [3], 'total': 7, 'unpriced': [[]]}" };
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		expect_fits(show(answers[i]));
		expect_fits(sessions(answers[i], 0));
		expect_fits(cost(answers[i]));
	}
}
