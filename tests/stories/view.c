/* What a person sees of three captured sessions: show, sessions and cost against the running daemon. */
#include "stories/story.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(view, .init = begin, .fini = end, .timeout = 120);

static void send_captures(void)
{
	static const char *const captures[] = { "b-tool/0003-traces.pb",
		"c-parallel/0003-traces.pb", "f1-resume/0001-traces.pb",
		"f1-resume/0006-traces.pb" };
	char url[64], *said;
	snprintf(url, sizeof url, "http://127.0.0.1:%d", story.daemon.port);
	for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/tests/fixtures/captures/claude/%s",
			getenv("srcdir") ? getenv("srcdir") : ".", captures[i]);
		cr_assert_eq(story_command(&story, &said, "send", path, "--to", url, NULL), 0, "%s",
			said);
		free(said);
	}
}

/* Asks until it is said, as the local view comes a little after the acknowledgement, and a session later. */
static void expect_said(const char *wanted, const char *name, const char *first, const char *second)
{
	char *said = NULL;
	int status = 0;
	for (unsigned waited_ms = 0; waited_ms < STORY_PATIENCE_MS; waited_ms += 100) {
		free(said);
		status = story_command(&story, &said, name, first, second, NULL);
		if (strcmp(said, wanted) == 0)
			break;
		usleep(100 * 1000);
	}
	cr_expect_eq(status, 0);
	cr_expect_str_eq(said, wanted);
	free(said);
}

static void expect_refused(int status, const char *wanted, const char *name, const char *operand)
{
	char *said;
	cr_expect_eq(story_command(&story, &said, name, operand, NULL), status);
	cr_expect_str_eq(said, wanted);
	free(said);
}

Test(view, before_anything_came_it_says_where_to_send)
{
	story_start(&story, NULL);
	char *said;
	cr_expect_eq(story_command(&story, &said, "cost", NULL), 0);
	cr_expect(strstr(said, "Nothing seen yet: point a CLI at http://127.0.0.1:") == said, "%s",
		said);
	free(said);
}

/* All of a capture, hooks too. */
static void send_capture(const char *name)
{
	char url[64], path[4096], *said;
	snprintf(url, sizeof url, "http://127.0.0.1:%d", story.daemon.port);
	snprintf(path, sizeof path, "%s/tests/fixtures/captures/%s",
		getenv("srcdir") ? getenv("srcdir") : ".", name);
	cr_assert_eq(story_command(&story, &said, "send", path, "--to", url, NULL), 0, "%s", said);
	free(said);
}

Test(view, sessions_made_of_logs_and_hooks_read_like_others)
{
	story_start(&story, NULL);
	send_capture("codex/c-parallel");
	expect_said("session 01a1faaa-1b25-71b2-b285-b42288486c53  codex_exec\n"
		    "trace f0fd46a16ce18e42f67b67e74e158975  2026-11-20 20:33:34  453 ms\n"
		    "  2 model calls · $0.026486 · 1 error\n"
		    "  in 2,408 · cache read 17,792 · out 153 · reasoning 32\n"
		    "Turn #1: Check both files in parallel    AGENT  453 ms\n"
		    "├─ LLM Call: gpt-5.5 (10000→113 tokens)  LLM    170 ms  $0.016526\n"
		    "│     in 1,808 · cache read 8,192 · out 97 · reasoning 16\n"
		    "├─ Execute command: cat                  TOOL    55 ms\n"
		    "├─ Execute command: cat                  TOOL    42 ms\n"
		    "│     ERROR: Process exited with code 1\n"
		    "└─ LLM Call: gpt-5.5 (10200→72 tokens)   LLM    180 ms   $0.00996\n"
		    "      in 600 · cache read 9,600 · out 56 · reasoning 16\n",
		"show", "01a1", NULL);
	send_capture("gemini/b-tool");
	expect_said("session 56abd286-2d20-464b-9021-c5636ed44eee  gemini-cli\n"
		    "trace 3eae765e6063fecddfa12646e9f12c0c  2026-11-20 20:38:33  509 ms\n"
		    "  2 model calls · $0.01473\n"
		    "  in 10,200 · cache read 8,000 · out 74 · reasoning 24\n"
		    "Turn #1: Please run echo hi                   AGENT  509 ms\n"
		    "├─ LLM Call: gemini-2.5-pro (9000→61 tokens)  LLM    223 ms  $0.01186\n"
		    "│     in 9,000 · out 49 · reasoning 12\n"
		    "├─ Execute command: echo                      TOOL    67 ms\n"
		    "└─ LLM Call: gemini-2.5-pro (9200→37 tokens)  LLM    138 ms  $0.00287\n"
		    "      in 1,200 · cache read 8,000 · out 25 · reasoning 12\n",
		"show", "56ab", NULL);
}

Test(view, what_waits_for_its_partners_is_told_of)
{
	char *said;
	story_start(&story, (const char *const[]){ "TOLLGATE_SESSIONS_JOIN_WAIT_MS=60000", NULL });
	send_capture("claude/a-plain");
	for (unsigned waited_ms = 0;; waited_ms += 100) {
		cr_assert_eq(story_command(&story, &said, "show", NULL), 0);
		if (strncmp(said, "Nothing to show yet, but 1 session is open:", 43) == 0)
			break;
		cr_assert_lt(waited_ms, STORY_PATIENCE_MS, "%s", said);
		free(said);
		usleep(100 * 1000);
	}
	free(said);
	cr_assert_eq(story_command(&story, &said, "sessions", "--live", NULL), 0);
	cr_expect(strstr(said, "claude-code"), "%s", said);
	free(said);
}

/* The prices are worked out by hand in first_contact. */
Test(view, captured_sessions_are_shown_as_they_were_with_their_exact_cost)
{
	story_start(&story, NULL);
	send_captures();
	expect_said("Model calls since 2026-11-20 20:22:10, where the local view begins\n"
		    "\n"
		    "model            calls  in  cache read  cache write  out         cost\n"
		    "claude-opus-5-5      7  87      63,488        8,960  287  ≥$0.0635856\n"
		    "total                7  87      63,488        8,960  287  ≥$0.0635856\n"
		    "7 calls are counted at the least that they can have cost.\n",
		"cost", "--since", "2026-11-01");
	expect_said(
		"session ec2b56f7-18c0-423c-9d00-7c992f425d30  claude-code  dee6aed26c4456ad7145…\n"
		"trace 7420824641bb65fe3515d0b9f3acc595  2026-11-20 20:22:10  558 ms\n"
		"  2 model calls · ≥$0.0170664\n"
		"  in 25 · cache read 18,432 · cache write 2,304 · out 88\n"
		"Turn #1: Please run echo hi                     AGENT  558 ms\n"
		"├─ LLM Call: claude-opus-5-5 (10252→71 tokens)  LLM    217 ms  ≥$0.0133464\n"
		"│     in 12 · cache read 8,192 · cache write 2,048 · out 71\n"
		"├─ Execute command                              TOOL    39 ms\n"
		"│  ├─ claude_code.tool.blocked_on_user          CHAIN    7 ms\n"
		"│  └─ claude_code.tool.execution                CHAIN   32 ms\n"
		"└─ LLM Call: claude-opus-5-5 (10509→17 tokens)  LLM    153 ms    ≥$0.00372\n"
		"      in 13 · cache read 10,240 · cache write 256 · out 17\n",
		"show", "ec2b", NULL);
}

Test(view, sessions_are_listed_and_lead_to_their_spans)
{
	story_start(&story, NULL);
	send_captures();
	json_t *answer = NULL, *session;
	for (unsigned waited_ms = 0; waited_ms < STORY_PATIENCE_MS; waited_ms += 100) {
		char *said;
		json_decref(answer);
		cr_assert_eq(
			story_command(&story, &said, "sessions", "--json", NULL), 0, "%s", said);
		cr_assert((answer = json_loads(said, 0, NULL)), "%s", said);
		free(said);
		session = json_array_get(json_object_get(answer, "sessions"), 0);
		if (json_integer_value(json_object_get(session, "traces")) == 2)
			break;
		usleep(100 * 1000);
	}
	cr_expect_eq(json_array_size(json_object_get(answer, "sessions")), 3);
	cr_expect_eq(json_integer_value(json_object_get(session, "traces")), 2);
	cr_expect_eq(json_integer_value(json_object_get(session, "calls")), 3);
	cr_expect_eq(json_integer_value(json_object_get(session, "cost_fusd")), 29272800000000);
	const char *id = json_string_value(json_object_get(session, "session_id"));
	char *said, beginning[16];
	snprintf(beginning, sizeof beginning, "%.9s…", id);
	cr_expect_eq(story_command(&story, &said, "show", beginning, NULL), 0);
	cr_expect(strstr(said, "\n  3 model calls · ≥$0.0292728\n"), "%s", said);
	cr_expect(strstr(said, "\n\ntrace "), "%s", said);
	free(said);
	json_decref(answer);
}

Test(view, what_cannot_be_answered_is_told_in_one_line)
{
	story_start(&story, NULL);
	expect_refused(1, "tollgate: no session or trace begins with abcdef\n", "show", "abcdef");
	expect_refused(2, "tollgate: an id needs at least its first four characters, not abc\n",
		"show", "abc");
	expect_refused(2, "tollgate: by must be model, cli, day or session\n", "cost", "--by=moon");
	expect_refused(
		2, "tollgate: limit must be a number from 1 to 1000\n", "sessions", "--limit=0");
	story_stop(&story);
	story_start(&story, (const char *const[]){ "TOLLGATE_LOCAL_ENABLED=false", NULL });
	expect_refused(1, "tollgate: the local view is off: set local.enabled\n", "sessions", NULL);
}

/* The terminal's escape sequences in a sender's words do not reach it. */
Test(view, a_hostile_name_is_harmless)
{
	static const uint8_t request[] = "\x0a\x31\x12\x2f\x12\x2d"
					 "\x0a\x10"
					 "0123456789abcdef"
					 "\x12\x08"
					 "01234567"
					 "\x2a\x06"
					 "\x1b[2J\x07x"
					 "\x39\x01\0\0\0\0\0\0\0";
	story_start(&story, NULL);
	cr_assert_eq(story_post(&story, (struct bytes){ request, sizeof request - 1 }).status, 200);
	expect_said("trace 30313233343536373839616263646566  1970-01-01 00:00:00  0.0 ms\n"
		    "?[2J?x\n",
		"show", NULL, NULL);
}
