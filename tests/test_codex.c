#include "dialects/dialect.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/captured_events.h"

enum { ARENA_BYTES = 64 << 20, MAX_DEPTH = 64 };

static struct arena arena;
static struct events events;

static void set_up(void)
{
	arena_init(&arena, ARENA_BYTES, NULL);
	events = (struct events){ .arena = &arena };
}

static void tear_down(void)
{
	arena_done(&arena);
}

TestSuite(codex, .init = set_up, .fini = tear_down);

/* ---- what was captured: logs, hooks and notify ---- */

Test(codex, a_prompt_is_answered)
{
	expect_captured_events("codex/a-plain", false);
}

Test(codex, answers_are_told_where_they_are_logged)
{
	expect_captured_events("codex/a2-agentresponse", false);
}

Test(codex, a_tool_call_is_told_by_logs_and_hooks_under_one_key)
{
	expect_captured_events("codex/b-tool", false);
}

Test(codex, a_command_that_exits_with_1_has_failed_though_codex_calls_it_a_success)
{
	expect_captured_events("codex/c-parallel", false);
}

Test(codex, each_failed_attempt_is_a_call_of_its_own)
{
	expect_captured_events("codex/d1-retry500", false);
}

Test(codex, a_subagent_is_a_thread_that_another_spawned)
{
	expect_captured_events("codex/e1-agents", false);
}

Test(codex, a_session_goes_on_in_another_process)
{
	expect_captured_events("codex/f1-resume", false);
}

Test(codex, a_withheld_prompt_is_marked_and_found_by_the_time_in_its_turns_name)
{
	expect_captured_events("codex/g1-default-logsonly", false);
}

Test(codex, title_threads_are_no_work_and_an_interrupted_turn_just_stops)
{
	expect_captured_events("codex/h1-interactive", false);
}

Test(codex, tools_inside_of_a_script_have_keys_of_their_own)
{
	expect_captured_events("codex/m1-codemode", false);
}

Test(codex, a_websocket_is_warmed_up_by_a_call_without_tokens)
{
	expect_captured_events("codex/w1-websocket", false);
}

Test(codex, what_comes_as_json_says_the_same)
{
	expect_captured_events("codex/g2-httpjson", false);
}

Test(codex, its_own_spans_are_internals_of_a_thread_that_few_of_them_name)
{
	size_t spans = 0, named = 0;
	char *lines = captured_events("codex/b-tool", true);
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
		spans += strstr(line, " span role=other ") != NULL;
		named += strstr(line, " span role=other ") && strstr(line, " session=~fe2419a7");
		cr_assert(!strstr(line, " span ") || strstr(line, " role=other "));
	}
	cr_expect_eq(spans, 695);
	cr_expect_eq(named, 9);
	free(lines);
}

/* ---- what was not captured ---- */

enum { MOST_SAID = 12 };
static const uint64_t some_time = 1795206808000000000;

/* "key=text", "key:=12" for an int, "key?=true" for a bool. */
static struct attribute attribute_of(const char *said)
{
	const char *equals = strchr(said, '=');
	struct attribute attribute = { .has_value = true };
	attribute.key = (struct bytes){ (const uint8_t *)said, (size_t)(equals - said) };
	attribute.key.len -= equals[-1] == ':' || equals[-1] == '?';
	if (equals[-1] == ':') {
		attribute.value.type = VALUE_INT;
		attribute.value.integer = strtoll(equals + 1, NULL, 10);
	} else if (equals[-1] == '?') {
		attribute.value.type = VALUE_BOOL;
		attribute.value.integer = equals[1] == 't';
	} else {
		attribute.value.type = VALUE_STRING;
		attribute.value.bytes = bytes_of(equals + 1);
	}
	return attribute;
}

static void log_at(uint64_t time_ns, const char *const *said)
{
	struct attribute attributes[MOST_SAID];
	struct log_record record = { .observed_ns = time_ns, .attributes.at = attributes };
	for (; said[record.attributes.count]; record.attributes.count++)
		attributes[record.attributes.count] = attribute_of(said[record.attributes.count]);
	dialect_codex.read_log(&record, NULL, &events);
}

#define LOG(...) \
	log_at(some_time, (const char *const[]){ "conversation.id=main", __VA_ARGS__, NULL })

static void hook(const char *payload)
{
	struct bytes request = hook_as_logs(&dialect_codex, bytes_of(payload), some_time, &arena);
	cr_assert_eq(dialects_read(request, SIGNAL_LOGS, MAX_DEPTH, &events), 0);
}

static void assert_said(const char *expected)
{
	char *actual = events_text(&events);
	cr_expect_str_eq(actual, expected);
	free(actual);
	events.count = 0;
}

Test(codex, a_stream_that_broke_is_told_twice_and_read_once)
{
	LOG("event.name=codex.sse_event", "duration_ms=3", "error.message=Transport error");
	LOG("event.name=codex.sse_event", "event.kind=response.failed", "error.message=overloaded");
	assert_said("");
	LOG("event.name=codex.sse_event", "event.kind=response.completed", "model=gpt-5.5",
		"error.message=stream disconnected before completion");
	assert_said("+0 call session=main thread=main model=\"gpt-5.5\" failed"
		    " error=\"stream disconnected before completion\"\n");
}

Test(codex, a_request_without_an_answer_has_failed_and_ends_no_other)
{
	LOG("event.name=codex.api_request", "endpoint=/responses",
		"error.message=connection refused", "attempt:=0");
	assert_said("+0 call session=main thread=main took=0 failed attempts=1"
		    " error=\"connection refused\"\n");
	LOG("event.name=codex.api_request", "http.response.status_code:=429", "duration_ms=80");
	assert_said("+0 call session=main thread=main took=80 failed status=429\n");
}

Test(codex, a_list_of_models_is_no_call_and_a_compaction_is_a_whole_one)
{
	LOG("event.name=codex.api_request", "endpoint=/models", "duration_ms=80",
		"http.response.status_code:=200");
	assert_said("");
	LOG("event.name=codex.api_request", "endpoint=/responses/compact", "duration_ms=4000",
		"http.response.status_code:=200", "model=gpt-5.5");
	assert_said("+0 call session=main thread=main took=4000 model=\"gpt-5.5\" side=\"compact\""
		    " status=200\n");
}

Test(codex, whoever_does_not_approve_rejects)
{
	LOG("event.name=codex.tool_decision", "call_id=call_1", "tool_name=exec_command",
		"decision=approved_for_session", "source=User");
	assert_said("+0 tool_begin session=main thread=main tool=call_1 by_person"
		    " name=\"exec_command\"\n");
	LOG("event.name=codex.tool_decision", "call_id=call_1", "tool_name=exec_command",
		"decision=abort", "source=User");
	assert_said("+0 tool_begin session=main thread=main tool=call_1 by_person"
		    " name=\"exec_command\" rejected\n");
	LOG("event.name=codex.tool_decision", "call_id=call_1", "tool_name=exec_command",
		"decision=denied_with_network_policy_deny", "source=Config");
	assert_said("+0 tool_begin session=main thread=main tool=call_1 name=\"exec_command\""
		    " rejected\n");
}

Test(codex, how_a_command_exited_stands_in_the_head_of_its_output_alone)
{
	LOG("event.name=codex.tool_result", "success=true",
		"output=Wall time: 1 seconds\nProcess exited with code -9\nOutput:\n");
	assert_said(
		"+0 tool session=main thread=main failed exit=-9"
		" error=\"Process exited with code -9\""
		" output=\"Wall time: 1 seconds\\nProcess exited with code -9\\nOutput:\\n\"\n");
	LOG("event.name=codex.tool_result", "output=Exit code: 2");
	assert_said("+0 tool session=main thread=main failed exit=2 error=\"Exit code: 2\""
		    " output=\"Exit code: 2\"\n");
	LOG("event.name=codex.tool_result", "output=Output:\nProcess exited with code 1");
	assert_said("+0 tool session=main thread=main"
		    " output=\"Output:\\nProcess exited with code 1\"\n");
	LOG("event.name=codex.tool_result", "output=1\n2\n3\n4\nExit code: 1");
	assert_said("+0 tool session=main thread=main output=\"1\\n2\\n3\\n4\\nExit code: 1\"\n");
	LOG("event.name=codex.tool_result", "output=Exit code: 99999999999999999999");
	assert_said(
		"+0 tool session=main thread=main output=\"Exit code: 99999999999999999999\"\n");
	LOG("event.name=codex.tool_result", "output=Exit code: -");
	assert_said("+0 tool session=main thread=main output=\"Exit code: -\"\n");
	LOG("event.name=codex.tool_result", "success=false", "output=Exit code: 0");
	assert_said("+0 tool session=main thread=main failed exit=0 output=\"Exit code: 0\"\n");
}

Test(codex, a_text_that_was_cut_says_so)
{
	LOG("event.name=codex.tool_result", "output=abc", "output_truncated?=true");
	assert_said("+0 tool session=main thread=main"
		    " output=\"abc\\n[cut by Codex, see otel.tool_result.max_bytes]\"\n");
	LOG("event.name=codex.agent_response", "response=abc", "response_truncated?=true");
	assert_said("+0 answer session=main thread=main output=\"abc\\n[cut by Codex]\"\n");
}

Test(codex, a_servers_tool_has_the_name_that_hooks_give_it)
{
	LOG("event.name=codex.tool_result", "tool_name=find", "mcp_server=docs");
	assert_said("+0 tool session=main thread=main name=\"mcp__docs__find\"\n");
	LOG("event.name=codex.tool_result", "tool_name=mcp__docs__find", "mcp_server=docs");
	assert_said("+0 tool session=main thread=main name=\"mcp__docs__find\"\n");
}

Test(codex, the_answer_of_a_subagent_is_its_result_too)
{
	LOG("event.name=codex.agent_response", "agent.type=subagent", "response=done",
		"parent.conversation.id=root");
	assert_said("+0 answer session=main thread=main output=\"done\"\n"
		    "+0 agent session=root agent=main output=\"done\"\n");
}

Test(codex, messages_between_agents_say_who_began_and_what_came_of_it)
{
	log_at(some_time,
		(const char *const[]){ "event.name=codex.agent_communication", "kind=spawn",
			"state=send", "sender_thread_id=root", "receiver_thread_id=child",
			"content=look", NULL });
	assert_said("+0 agent_begin session=root agent=child text=\"look\"\n");
	log_at(some_time,
		(const char *const[]){ "event.name=codex.agent_communication", "kind=result",
			"state=send", "sender_thread_id=child", "receiver_thread_id=root",
			"content=seen", NULL });
	assert_said("+0 agent session=root agent=child output=\"seen\"\n");
	LOG("event.name=codex.agent_communication", "kind=message", "sender_thread_id=root",
		"receiver_thread_id=child");
	LOG("event.name=codex.agent_communication", "kind=spawn", "sender_thread_id=root",
		"receiver_thread_id=root");
	LOG("event.name=codex.agent_communication", "kind=spawn", "state=receive");
	assert_said("");
}

Test(codex, tokens_are_disjoint_and_never_below_nothing)
{
	LOG("event.name=codex.sse_event", "event.kind=response.completed", "input_token_count=100",
		"cached_token_count:=30", "cache_write_token_count:=20", "output_token_count=9",
		"reasoning_token_count:=4");
	assert_said("+0 call session=main thread=main in=50 out=9 reasoning=4 cache_read=30"
		    " cache_write=20\n");
	LOG("event.name=codex.sse_event", "event.kind=response.completed", "input_token_count=1",
		"cached_token_count:=9223372036854775807",
		"cache_write_token_count:=9223372036854775807", "output_token_count=-5");
	assert_said("+0 call session=main thread=main in=0 out=0 cache_read=9223372036854775807"
		    " cache_write=9223372036854775807\n");
	LOG("event.name=codex.sse_event", "event.kind=response.completed",
		"input_token_count=many");
	assert_said("");
}

Test(codex, what_has_no_time_or_no_thread_is_nobodys)
{
	log_at(0,
		(const char *const[]){ "event.name=codex.user_prompt", "conversation.id=main",
			"prompt=hi", NULL });
	log_at(some_time,
		(const char *const[]){ "event.name=codex.user_prompt", "prompt=hi", NULL });
	LOG("event.name=codex.startup_phase");
	LOG("prompt=flushing OTEL metrics");
	assert_said("");
}

Test(codex, a_call_does_not_begin_before_time_does)
{
	log_at(1000000,
		(const char *const[]){ "event.name=codex.websocket_request", "conversation.id=main",
			"duration_ms=5", NULL });
	assert_said("+0 call_begin session=main thread=main\n");
	LOG("event.name=codex.websocket_request", "duration_ms=NaN");
	assert_said("+0 call_begin session=main thread=main\n");
}

Test(codex, a_log_gets_its_thread_as_session_where_it_names_none)
{
	struct bytes session;
	struct attribute said[] = { attribute_of("conversation.id=main"),
		attribute_of("session.id=s") };
	struct log_record record = { .attributes = { said, 1, 1 } };
	cr_assert(dialect_codex.session_of_log(&record, &session));
	cr_assert(bytes_are(session, "main"));
	record.attributes.count = 2;
	cr_assert_not(dialect_codex.session_of_log(&record, &session));
	record.attributes.count = 0;
	cr_assert_not(dialect_codex.session_of_log(&record, &session));
}

Test(codex, only_a_uuid_of_version_7_says_when_a_turn_began)
{
	static const char *const without[] = {
		"01a1faaa-0524-4d00-9619-7570b539ea3a",
		"ffffffff-ffff-7fff-9619-7570b539ea3a",
		"00001faa10524-7d00-9619-7570b539ea3a",
		"01A1FAAA-0524-7d00-9619-7570b539ea3a",
		"01a1faaa-0524-7d00-9619-7570b539ea3a0",
		"7",
	};
	char payload[200];
	hook("{\"hook_event_name\":\"Stop\",\"session_id\":\"main\","
	     "\"turn_id\":\"01a1faaa-0524-7d00-9619-7570b539ea3a\"}");
	cr_assert_eq(events.at[0].turn_ns, 1795206808868000000);
	for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
		events.count = 0;
		snprintf(payload, sizeof payload,
			"{\"hook_event_name\":\"Stop\",\"session_id\":\"main\",\"turn_id\":\"%s\"}",
			without[i]);
		hook(payload);
		cr_assert_eq(events.count, 1);
		cr_assert(bytes_are(events.at[0].turn, without[i]));
		cr_assert_eq(events.at[0].turn_ns, 0, "%s", without[i]);
	}
}

Test(codex, hooks_of_a_subagent_name_it_and_no_turn_of_the_session)
{
	hook("{\"hook_event_name\":\"PostToolUse\",\"session_id\":\"main\",\"turn_id\":\"t\","
	     "\"agent_id\":\"child\",\"tool_use_id\":\"call_1\",\"tool_input\":{\"b\":1,\"a\":2},"
	     "\"tool_response\":[\"x\"]}");
	assert_said(
		"- tool_said session=main agent=child tool=call_1 input=\"{\\\"b\\\":1,\\\"a\\\":2}\""
		" output=\"[\\\"x\\\"]\"\n");
	hook("{\"hook_event_name\":\"SubagentStop\",\"session_id\":\"main\",\"turn_id\":\"t\","
	     "\"agent_id\":\"child\",\"agent_type\":\"reviewer\",\"last_assistant_message\":\"fine\"}");
	assert_said("- agent_named session=main agent=child name=\"reviewer\" output=\"fine\"\n");
	hook("{\"hook_event_name\":\"PermissionRequest\",\"session_id\":\"main\",\"turn_id\":\"t\","
	     "\"tool_name\":\"Bash\"}");
	assert_said("- waiting session=main turn=t name=\"Bash\"\n");
}

Test(codex, a_childs_notify_says_its_answer_and_not_its_parents_prompt)
{
	hook("{\"type\":\"agent-turn-complete\",\"thread-id\":\"child\",\"turn-id\":\"t\","
	     "\"input-messages\":[\"of the parent\"],\"last-assistant-message\":\"fine\"}");
	assert_said("- turn_end session=child turn=t output=\"fine\"\n");
}

Test(codex, payloads_of_any_shape_are_read)
{
	hook("[]");
	hook("{}");
	hook("null");
	hook("{\"type\":\"agent-turn-complete\"}");
	hook("{\"hook_event_name\":\"Stop\"}");
	hook("{\"hook_event_name\":[\"Stop\"],\"session_id\":{}}");
	hook("{\"type\":7,\"hook_event_name\":\"Unheard\",\"session_id\":\"main\"}");
	assert_said("");
	hook("{\"type\":\"agent-turn-complete\",\"thread-id\":\"main\",\"input-messages\":[],"
	     "\"cwd\":[1],\"client\":\"x\",\"last-assistant-message\":null}");
	hook("{\"type\":\"agent-turn-complete\",\"thread-id\":\"main\",\"input-messages\":[7],"
	     "\"client\":\"x\",\"turn-id\":{}}");
	assert_said("- turn_end session=main\n- turn_end session=main\n");
}
