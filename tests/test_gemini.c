/*
 * What is read of what Gemini CLI says: everything captured of it, to the letter, and what a sender may say
 * that it never said.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/captured_events.h"
#include "synthesize/plan.h"

enum { ARENA_BYTES = 64 << 20, MAX_ATTRIBUTES = 16 };

static const uint64_t second_ns = 1000000000;
static uint64_t now_ns; /* of the next log record */
static struct arena arena;
static struct events events;

static void begin(void)
{
	now_ns = second_ns;
	arena_init(&arena, ARENA_BYTES, NULL);
	events = (struct events){ .arena = &arena };
}

static void end(void)
{
	cr_expect_eq(arena.error, 0);
	arena_done(&arena);
}

TestSuite(gemini, .init = begin, .fini = end);

/* ---- what was captured ---- */

Test(gemini, says_a_prompt_a_call_and_its_answer)
{
	expect_captured_events("gemini/a-plain", true);
}

Test(gemini, says_a_tool_between_two_calls)
{
	expect_captured_events("gemini/b-tool", true);
}

Test(gemini, says_two_tools_at_once_of_which_one_fails)
{
	expect_captured_events("gemini/c-parallel", true);
}

Test(gemini, says_each_attempt_that_fails)
{
	expect_captured_events("gemini/d1-retry500", true);
}

Test(gemini, says_which_tool_started_which_agent_and_what_that_answered)
{
	expect_captured_events("gemini/e1-agents", true);
}

Test(gemini, says_a_second_process_under_the_same_session)
{
	expect_captured_events("gemini/f1-resume", true);
}

Test(gemini, says_what_a_person_rejected_and_a_summary_beside_the_turns)
{
	expect_captured_events("gemini/h1-interactive", true);
}

/* ---- what may be said ---- */

#define SAID(...) \
	(const char *const[]) \
	{ \
		__VA_ARGS__, NULL \
	}

static struct attribute text_attribute(const char *name, const char *text)
{
	return (struct attribute){ .key = bytes_of(name),
		.value = { .type = VALUE_STRING, .bytes = bytes_of(text) },
		.has_value = true };
}

/*
 * Reads one log record of the session "s".
 *
 *   said  "key=text", "key:=12" for an int, "key?=true" for a bool
 */
static void read_record(const char *name, const char *const *said)
{
	struct attribute attributes[MAX_ATTRIBUTES] = {
		text_attribute("event.name", name),
	};
	struct attribute session = text_attribute("session.id", "s");
	struct attributes resource = { &session, 1, 1 };
	struct source source = { .resource = &resource };
	struct log_record record = { .time_ns = now_ns,
		.attributes = { attributes, 1, MAX_ATTRIBUTES } };
	for (; *said; said++) {
		struct attribute *attribute = &attributes[record.attributes.count++];
		const char *equals = strchr(*said, '='), sign = equals[-1];
		size_t key_len = (size_t)(equals - *said) - (sign == ':' || sign == '?');
		cr_assert_lt(record.attributes.count, MAX_ATTRIBUTES);
		*attribute = (struct attribute){ .key = { (const uint8_t *)*said, key_len },
			.has_value = true };
		attribute->value.type = sign == ':' ? VALUE_INT :
			sign == '?'                 ? VALUE_BOOL :
						      VALUE_STRING;
		if (sign == ':')
			attribute->value.integer = strtoll(equals + 1, NULL, 10);
		else if (sign == '?')
			attribute->value.integer = strcmp(equals + 1, "true") == 0;
		else
			attribute->value.bytes = bytes_of(equals + 1);
	}
	dialect_gemini.read_log(&record, &source, &events);
}

static void read_hook(const char *payload)
{
	json_t *json = json_loads(payload, 0, NULL);
	cr_assert(json);
	dialect_gemini.read_hook(json, &events);
	json_decref(json);
}

static void expect_events(const char *expected)
{
	char *lines = events_text(&events);
	cr_expect_str_eq(lines, expected, "%s", lines);
	free(lines);
	events.count = 0;
}

Test(gemini, says_what_it_withholds)
{
	read_record("gemini_cli.user_prompt", SAID("prompt_id=s", "prompt_length:=28"));
	read_record("gemini_cli.api_request", SAID("prompt_id=s", "role=main"));
	read_record(
		"gemini_cli.api_response", SAID("prompt_id=s", "role=main", "status_code:=200"));
	read_record("gemini_cli.tool_call",
		SAID("prompt_id=s", "function_name=ls", "success?=true", "decision=accept"));
#define WITHHELD "<redacted by Gemini CLI, set telemetry.logPrompts=true>\n"
	expect_events("+0 prompt session=s length=28 text=" WITHHELD
		      "+0 call_begin session=s thread=s main input=" WITHHELD
		      "+0 call session=s thread=s main status=200 output=" WITHHELD
		      "+0 tool session=s thread=s name=\"ls\" input=" WITHHELD);
}

Test(gemini, counts_each_token_once)
{
	read_record("gemini_cli.api_response",
		SAID("response_text=[]", "input_token_count:=9200", "output_token_count:=25",
			"cached_content_token_count:=8000", "thoughts_token_count:=12",
			"tool_token_count:=7", "total_token_count:=9244"));
	expect_events("+0 call session=s thread=  in=1207 out=37 reasoning=12 cache_read=8000\n");
	read_record("gemini_cli.api_response",
		SAID("response_text=[]", "input_token_count=100",
			"cached_content_token_count:=8000"));
	expect_events("+0 call session=s thread=  in=100 out=0 cache_read=8000\n");
	read_record("gemini_cli.api_response",
		SAID("response_text=[]", "input_token_count:=0", "output_token_count:=-5"));
	expect_events("+0 call session=s thread= \n");
}

Test(gemini, tells_calls_beside_the_turn_from_those_in_it)
{
	static const struct {
		const char *role, *expected;
	} cases[] = {
		{ "role=main", "+0 call_begin session=s thread=s main input=\"hi\"\n" },
		{ "role=utility_summarizer",
			"+0 call_begin session=s thread=~mmarizer side=\"summary\" input=\"hi\"\n" },
		{ "role=utility_compressor",
			"+0 call_begin session=s thread=~mpressor side=\"compact\" input=\"hi\"\n" },
		{ "role=utility_router",
			"+0 call_begin session=s thread=s utility_router side=\"router\" "
			"input=\"hi\"\n" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		read_record("gemini_cli.api_request",
			SAID("prompt_id=s", cases[i].role, "request_text=hi"));
		expect_events(cases[i].expected);
	}
}

Test(gemini, knows_agents_by_their_prompts)
{
	static const struct {
		const char *prompt, *expected;
	} cases[] = {
		{ "prompt_id=ab12#0", "+0 tool session=s thread=ab12#0 agent=ab12 input=\"{}\"\n" },
		{ "prompt_id=a#b#31", "+0 tool session=s thread=a#b#31 agent=a#b input=\"{}\"\n" },
		{ "prompt_id=ab12########3",
			"+0 tool session=s thread=ab12########3 input=\"{}\"\n" },
		{ "prompt_id=#3", "+0 tool session=s thread=#3 input=\"{}\"\n" },
		{ "prompt_id=ab12", "+0 tool session=s thread=ab12 input=\"{}\"\n" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		read_record("gemini_cli.tool_call",
			SAID(cases[i].prompt, "success?=true", "function_args={ }"));
		expect_events(cases[i].expected);
	}
}

Test(gemini, says_how_a_tool_ended)
{
	const struct {
		const char *const *said;
		const char *expected;
	} cases[] = {
		{ SAID("success?=true", "decision=auto_accept"), "" },
		{ SAID("success?=false", "decision=reject"), " by_person rejected" },
		{ SAID("success?=false", "decision=accept"), " interrupted" },
		{ SAID("success?=false", "error.type=file_not_found", "error.message=no"),
			" failed error_type=\"file_not_found\" error=\"no\"" },
		{ SAID("success?=true", "metadata={\n  \"exitCode\": 2,\n  \"isError\": true\n}"),
			" failed exit=2 error=\"exit code 2\"" },
		{ SAID("success?=true", "metadata={\"exitCode\":0}"), " exit=0" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *said[8] = { "duration_ms:=67", "function_args={}" }, *const * more;
		char expected[256];
		size_t n = 2;
		for (more = cases[i].said; *more; more++)
			said[n++] = *more;
		read_record("gemini_cli.tool_call", said);
		snprintf(expected, sizeof expected, "+0 tool session=s took=67%s input=\"{}\"\n",
			cases[i].expected);
		expect_events(expected);
	}
}

Test(gemini, says_how_an_agent_ended)
{
	read_record("gemini_cli.agent.finish",
		SAID("agent_id=a", "duration_ms:=5", "terminate_reason=GOAL"));
	read_record("gemini_cli.agent.finish", SAID("agent_id=a", "terminate_reason=MAX_TURNS"));
	read_record("gemini_cli.agent.finish", SAID("agent_id=a", "terminate_reason=ABORTED"));
	expect_events("+0 agent session=s agent=a took=5\n"
		      "+0 agent session=s agent=a failed error=\"MAX_TURNS\"\n"
		      "+0 agent session=s agent=a interrupted error=\"ABORTED\"\n");
}

/* What the API says of an error is JSON, at times within JSON. */
Test(gemini, says_errors_in_words)
{
	static const struct {
		const char *message, *expected;
	} cases[] = {
		{ "error.message=fetch failed", "fetch failed" },
		{ "error.message={\"error\":{\"code\":429,\"message\":\"slow down\"}}",
			"slow down" },
		{ "error.message={\"error\":{\"message\":\"{\\\"error\\\":{\\\"message\\\":"
		  "\\\"slow down\\\"}}\"}}",
			"slow down" },
		{ "error.message={\"error\":{}}", "{\\\"error\\\":{}}" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char expected[256];
		read_record("gemini_cli.api_error",
			SAID(cases[i].message, "status_code:=429", "error.type=ApiError"));
		snprintf(expected, sizeof expected,
			"+0 call session=s thread=  failed status=429 error_type=\"ApiError\" error=\"%s\"\n",
			cases[i].expected);
		expect_events(expected);
	}
}

Test(gemini, shows_of_a_request_what_is_new_in_it)
{
	static const struct {
		const char *request, *expected;
	} cases[] = {
		{ "request_text=[{\"parts\":[{\"text\":\"old\"}]},"
		  "{\"parts\":[{\"text\":\"new\"},{\"text\":\"er\"}]}]",
			"new\\ner" },
		{ "request_text={\"parts\":[{\"text\":\"alone\"}]}", "alone" },
		{ "request_text=[ 1 , {\"parts\":[{\"text\":\"a\"}, {\"inlineData\":1}]} ]",
			"{\\\"parts\\\":[{\\\"text\\\":\\\"a\\\"}, {\\\"inlineData\\\":1}]}" },
		{ "request_text=no JSON", "no JSON" },
		{ "request_text=[{\"parts\":[{\"text\":\"cut",
			"[{\\\"parts\\\":[{\\\"text\\\":\\\"cut" },
		{ "request_text=[[\"a\"],[\"b\"]]", "[\\\"b\\\"]" },
		{ "request_text=[1]", "1" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char expected[256];
		read_record("gemini_cli.api_request", SAID(cases[i].request));
		snprintf(expected, sizeof expected,
			"+0 call_begin session=s thread=  input=\"%s\"\n", cases[i].expected);
		expect_events(expected);
	}
}

#define PART(part) "{\"candidates\":[{\"content\":{\"parts\":[" part "]}}]}"

Test(gemini, shows_of_a_response_what_was_said_else_which_functions_were_called)
{
	static const struct {
		const char *response, *expected;
	} cases[] = {
		{ "response_text=[" PART("{\"text\":\"Hello\"}") "," PART(
			  "{\"text\":\" you\"}") "]",
			" output=\"Hello you\"" },
		{ "response_text=" PART("{\"text\":\"hm\",\"thought\":true},{\"text\":\"yes\"}"),
			" output=\"yes\"" },
		{ "response_text=[" PART(
			  "{\"text\":\"so\"},{\"functionCall\":{\"name\":\"f\"}}") "]",
			" output=\"so\"" },
		{ "response_text=[" PART("{\"functionCall\":{\"name\":\"f\",\"args\":{}}}") "," PART(
			  "{\"functionCall\":{\"name\":\"g\"}}") "]",
			" wordless output=\"[{\\\"name\\\":\\\"f\\\",\\\"args\\\":{}},{\\\"name\\\":\\\"g\\\"}]\"" },
		{ "response_text=no JSON", " output=\"no JSON\"" },
		{ "response_text=[" PART("{\"text\":\"Hello\"}") ",7]",
			" output=\"[{\\\"candidates\\\":[{\\\"content\\\":{\\\"parts\\\":[{\\\"text\\\":"
			"\\\"Hello\\\"}]}}]},7]\"" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char expected[256];
		read_record("gemini_cli.api_response", SAID(cases[i].response));
		snprintf(expected, sizeof expected, "+0 call session=s thread= %s\n",
			cases[i].expected);
		expect_events(expected);
	}
	read_record("gemini_cli.api_response", SAID("response_text=[]"));
	read_record("gemini_cli.api_response",
		SAID("response_text=" PART("{\"text\":\"hm\",\"thought\":true}")));
	expect_events("+0 call session=s thread= \n+0 call session=s thread= \n");
}

#define CALL(name) "{\"functionCall\":{\"name\":\"" name "\",\"args\":{\"b\":1,\"a\":2}}}"
#define RESULT(name, response) \
	"{\"functionResponse\":{\"name\":\"" name "\",\"response\":" response "}}"
#define EXCHANGE(calls, results) \
	"request_text=[{\"parts\":[{\"text\":\"I will\"}," calls "]},{\"parts\":[" results "]}]"

Test(gemini, finds_what_tools_answered_in_the_next_request)
{
	static const struct {
		const char *request, *expected;
	} cases[] = {
		{ EXCHANGE(CALL("ls"), RESULT("ls", "{\"output\":\"a.c\"}")), "\"a.c\"" },
		{ EXCHANGE(CALL("cat") "," CALL("ls"),
			  RESULT("cat", "{\"error\":\"no file\"}") ",{\"text\":\"wait\"}," RESULT(
				  "ls", "{\"output\":\"a.c\"}")),
			"\"a.c\"" },
		{ EXCHANGE(CALL("ls"), RESULT("ls", "{\"output\":{\"n\":[1,2]}}")),
			"\"{\\\"n\\\":[1,2]}\"" },
		{ EXCHANGE(CALL("cat"), RESULT("ls", "{\"output\":\"a.c\"}")), NULL },
		{ EXCHANGE(CALL("ls"), RESULT("cat", "7") "," RESULT("ls", "{\"output\":\"a.c\"}")),
			NULL },
		{ "request_text=[{\"parts\":[" RESULT("ls", "{\"output\":\"a.c\"}") "]}]", NULL },
		{ "request_text=[7,{\"parts\":[{\"functionResponse\":7},7]}]", NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char expected[256] = "";
		read_record("gemini_cli.api_request", SAID("prompt_id=ab12#0", cases[i].request));
		if (cases[i].expected)
			snprintf(expected, sizeof expected,
				"- tool_said session=s agent=ab12 said=+0 name=\"ls\" "
				"input=\"{\\\"a\\\":2,\\\"b\\\":1}\" output=%s\n",
				cases[i].expected);
		char *lines = events_text(&events);
		cr_expect_eq(strncmp(lines, expected, strlen(expected)), 0, "%s", lines);
		cr_expect_eq(events.count, cases[i].expected ? 2 : 1, "%s", lines);
		free(lines);
		events.count = 0;
	}
}

/* A megabyte of conversation is passed over for its last words; what nests too deep stays text. */
Test(gemini, reads_large_and_deep_texts_within_bounds)
{
	enum { MESSAGES = 20000, DEEP = 100000 };
	static const char message[] =
		"{\"role\":\"user\",\"parts\":[{\"text\":\"again and again\"}]},";
	char *large = malloc(64 + MESSAGES * sizeof message), *at = large;
	at = stpcpy(at, "request_text=[");
	for (size_t i = 0; i < MESSAGES; i++)
		at = stpcpy(at, message);
	stpcpy(at, "{\"parts\":[{\"text\":\"last words\"}]}]");
	read_record("gemini_cli.api_request", SAID(large));
	expect_events("+0 call_begin session=s thread=  input=\"last words\"\n");
	cr_expect_lt(arena.held_bytes, 1 << 20);
	free(large);

	static const char *const names[] = {
		"request_text=", "response_text=", "function_args=", "metadata=", "error.message="
	};
	char *deep = malloc(64 + DEEP);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		memset(stpcpy(deep, names[i]), i % 2 ? '[' : '{', DEEP);
		deep[strlen(names[i]) + DEEP] = '\0';
		read_record("gemini_cli.api_request", SAID(deep));
		read_record("gemini_cli.api_response", SAID(deep));
		read_record("gemini_cli.api_error", SAID(deep));
		read_record("gemini_cli.tool_call", SAID(deep));
	}
	cr_expect_eq(events.count, 4 * sizeof names / sizeof *names);
	cr_expect_eq(events.at[0].input.text.len, DEEP);
	free(deep);
}

Test(gemini, passes_over_what_tells_nothing_new)
{
	read_record("gemini_cli.config", SAID("model=gemini-2.5-pro"));
	read_record("gemini_cli.hook_call", SAID("hook_input={}"));
	read_record(
		"gen_ai.client.inference.operation.details", SAID("gen_ai.usage.input_tokens:=1"));
	read_record("gemini_cli.user_prompt.", SAID("prompt=no"));
	read_hook("{\"hook_event_name\":\"AfterModel\",\"session_id\":\"s\"}");
	read_hook(
		"{\"hook_event_name\":\"Notification\",\"session_id\":\"s\",\"notification_type\":\"Other\"}");
	read_hook("{\"hook_event_name\":7}");
	read_hook("{\"hook_event_name\":\"SessionEnd\"}");
	read_hook("{\"hook_event_name\":\"SessionStart\",\"session_id\":\"s\"}");
	read_hook("{}");
	expect_events("");
}

Test(gemini, says_when_a_hook_spoke)
{
	static const struct {
		const char *timestamp;
		uint64_t said_ns;
	} cases[] = {
		{ "\"2026-11-20T20:38:29.648Z\"", UINT64_C(1795207109648000000) },
		{ "\"2026-11-20T20:38:29Z\"", 0 },
		{ "\"2026-11-20T20:38:29.648+01:00\"", 0 },
		{ "\"2026-11-20T20:38:29.-48Z\"", 0 },
		{ "\"9999-12-31T00:00:00.000Z\"", 0 },
		{ "\"1960-01-01T00:00:00.000Z\"", 0 },
		{ "\"now\"", 0 },
		{ "1795207109648", 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char payload[160];
		snprintf(payload, sizeof payload,
			"{\"hook_event_name\":\"SessionEnd\",\"session_id\":\"s\",\"timestamp\":%s}",
			cases[i].timestamp);
		read_hook(payload);
		cr_assert_eq(events.count, i + 1);
		cr_expect_eq(events.at[i].said_ns, cases[i].said_ns, "%s", cases[i].timestamp);
	}
}

Test(gemini, names_the_tool_that_a_person_is_asked_about)
{
	static const struct {
		const char *details, *expected;
	} cases[] = {
		{ "{\"type\":\"exec\",\"title\":\"Confirm\"}", "run_shell_command" },
		{ "{\"type\":\"mcp\",\"toolName\":\"query\"}", "query" },
		{ "{\"type\":\"info\"}", "web_fetch" },
		{ "{\"type\":\"edit\"}", "edit" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char payload[256], expected[128];
		snprintf(payload, sizeof payload,
			"{\"hook_event_name\":\"Notification\",\"session_id\":\"s\","
			"\"notification_type\":\"ToolPermission\",\"details\":%s}",
			cases[i].details);
		snprintf(expected, sizeof expected, "- waiting session=s name=\"%s\"\n",
			cases[i].expected);
		read_hook(payload);
		expect_events(expected);
	}
}

Test(gemini, shows_of_a_tool_what_the_model_sees)
{
	static const struct {
		const char *seen, *expected;
	} cases[] = {
		{ "\"Output: hi\"", "Output: hi" },
		{ "[{\"text\":\"one\"},{\"text\":\"two\"}]", "one\\ntwo" },
		{ "[{\"inlineData\":{\"mimeType\":\"image/png\"}}]",
			"[{\\\"inlineData\\\":{\\\"mimeType\\\":\\\"image/png\\\"}}]" },
		{ "{\"text\":\"one\"}", "{\\\"text\\\":\\\"one\\\"}" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char payload[256], expected[256];
		snprintf(payload, sizeof payload,
			"{\"hook_event_name\":\"AfterTool\",\"session_id\":\"s\",\"tool_name\":\"t\","
			"\"tool_input\":{\"b\":1,\"a\":2},\"tool_response\":{\"llmContent\":%s}}",
			cases[i].seen);
		snprintf(expected, sizeof expected,
			"- tool_said session=s name=\"t\" input=\"{\\\"a\\\":2,\\\"b\\\":1}\" "
			"output=\"%s\"\n",
			cases[i].expected);
		read_hook(payload);
		expect_events(expected);
	}
}

/* ---- what belongs together without a key ---- */

enum { MAX_HELD = 32 };

static int compare_held(const void *a, const void *b)
{
	return held_compare(*(const struct held *const *)a, *(const struct held *const *)b);
}

static struct plan planned(void)
{
	static struct held held[MAX_HELD];
	static const struct held *order[MAX_HELD];
	struct plan plan;
	cr_assert_leq(events.count, MAX_HELD);
	for (size_t i = 0; i < events.count; i++) {
		held[i] = (struct held){ .event = events.at[i] };
		order[i] = &held[i];
	}
	qsort(order, events.count, sizeof *order, compare_held);
	struct plan_question question = { .cli = &dialect_gemini.cli,
		.session = bytes_of("s"),
		.held = order,
		.held_count = events.count,
		.preview_chars = 40 };
	cr_assert_eq(plan_make(&question, &arena, &plan), 0);
	return plan;
}

static void expect_outputs(enum unit_kind kind, const char *first, const char *second)
{
	const char *const expected[] = { first, second };
	struct plan plan = planned();
	size_t n = 0;
	for (size_t i = 0; i < plan.unit_count; i++) {
		const struct unit *unit = &plan.units[i];
		if (unit->kind != kind)
			continue;
		struct bytes output = kind == UNIT_TURN ? plan.turns[unit->turn].output.text :
							  unit->said.output.text;
		cr_assert_lt(n, 2);
		cr_expect(bytes_are(output, expected[n]), "%zu: %.*s", n, (int)output.len,
			(const char *)output.at);
		n++;
	}
	cr_expect_eq(n, 2);
}

static void read_after_tool(const char *second, const char *output)
{
	char payload[256];
	snprintf(payload, sizeof payload,
		"{\"hook_event_name\":\"AfterTool\",\"session_id\":\"s\",\"tool_name\":\"date\","
		"\"timestamp\":\"1970-01-01T00:00:%sZ\",\"tool_input\":{},"
		"\"tool_response\":{\"llmContent\":\"%s\"}}",
		second, output);
	read_hook(payload);
}

static void read_two_runs(const char *const *said)
{
	for (uint64_t run = 0; run < 2; run++) {
		now_ns = (3 + 3 * run) * second_ns;
		read_record("gemini_cli.tool_call", said);
	}
	now_ns = second_ns;
	read_record("gemini_cli.user_prompt", SAID("prompt=go"));
}

Test(gemini, hooks_say_which_of_two_equal_tool_calls_they_are_about)
{
	read_after_tool("05.900", "two");
	read_two_runs(SAID("function_name=date", "function_args={}", "duration_ms:=1000"));
	read_after_tool("02.900", "one");
	expect_outputs(UNIT_TOOL, "one", "two");
}

Test(gemini, hooks_say_what_the_logs_withhold_of_tools)
{
	read_two_runs(SAID("function_name=date", "duration_ms:=1000"));
	read_after_tool("02.900", "one");
	read_after_tool("05.900", "two");
	expect_outputs(UNIT_TOOL, "one", "two");
}

Test(gemini, tools_have_what_the_next_request_says_of_them)
{
	static const char *const requests[] = {
		EXCHANGE(CALL("date"), RESULT("date", "{\"output\":\"one\"}")),
		EXCHANGE(CALL("date"), RESULT("date", "{\"output\":\"two\"}")),
	};
	for (uint64_t run = 2; run-- > 0;) {
		now_ns = (4 + 3 * run) * second_ns;
		read_record("gemini_cli.api_request", SAID(requests[run]));
	}
	read_two_runs(
		SAID("function_name=date", "function_args={\"a\":2,\"b\":1}", "duration_ms:=1000"));
	expect_outputs(UNIT_TOOL, "one", "two");
}

/* A turn that a person stopped has no hook at its end. */
Test(gemini, hooks_say_which_of_two_equal_prompts_they_are_about)
{
	read_record("gemini_cli.user_prompt", SAID("prompt=go"));
	now_ns = 10 * second_ns;
	read_record("gemini_cli.user_prompt", SAID("prompt=go"));
	read_hook("{\"hook_event_name\":\"AfterAgent\",\"session_id\":\"s\",\"prompt\":\"go\","
		  "\"timestamp\":\"1970-01-01T00:00:12.000Z\",\"prompt_response\":\"done\"}");
	expect_outputs(UNIT_TURN, "", "done");
}
