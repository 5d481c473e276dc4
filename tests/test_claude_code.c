#include "support/captured_events.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { ARENA_BYTES = 4 << 20, MAX_DEPTH = 100 };

/* ---- what was captured ---- */

Test(claude_code, a_prompt_and_its_answer)
{
	expect_captured_events("claude/a-plain", true);
}

Test(claude_code, a_tool_is_decided_while_the_call_that_asks_for_it_still_answers)
{
	expect_captured_events("claude/b-tool", true);
	expect_captured_events("claude/g2-httpjson", true);
	expect_captured_events("claude/g3-grpc", true);
}

Test(claude_code, two_tools_at_once_and_one_that_fails)
{
	expect_captured_events("claude/c-parallel", true);
}

Test(claude_code, attempts_that_were_repeated_are_known_to_the_span_alone)
{
	expect_captured_events("claude/d1-retry529", true);
}

Test(claude_code, a_call_that_fails)
{
	expect_captured_events("claude/d3-error400", true);
}

Test(claude_code, subagents_that_are_waited_for)
{
	expect_captured_events("claude/e1-subagents-fg", true);
}

Test(claude_code, subagents_in_the_background_report_as_prompts)
{
	expect_captured_events("claude/e4-subagents-logsonly-nohooks", true);
}

Test(claude_code, a_session_that_is_resumed_in_another_process)
{
	expect_captured_events("claude/f1-resume", true);
}

Test(claude_code, what_is_withheld_is_marked_and_said_by_hooks)
{
	expect_captured_events("claude/g1-default-redacted", true);
}

Test(claude_code, a_terminal_s_session_ends_with_a_command)
{
	expect_captured_events("claude/h1-interactive", true);
}

Test(claude_code, a_person_rejects_a_tool)
{
	expect_captured_events("claude/h3-interactive-reject", true);
}

Test(claude_code, titles_and_compaction_are_beside_the_conversation)
{
	expect_captured_events("claude/h5-interactive-background", true);
}

/* ---- what was not ---- */

static struct arena arena;
static struct events events;
static const uint64_t some_time = UINT64_C(1795206130000000000);

static void begin(void)
{
	arena_init(&arena, ARENA_BYTES, NULL);
	events = (struct events){ .arena = &arena };
}

static void end(void)
{
	arena_done(&arena);
}

TestSuite(claude_code, .init = begin, .fini = end);

/* And what comes next is read alone. */
static void expect_lines(const char *expected)
{
	char *actual = events_text(&events);
	cr_expect_str_eq(actual, expected);
	free(actual);
	events.count = 0;
}

#define LOG(...) \
	events_of_log(&dialect_claude_code, some_time, \
		(const char *const[]){ "session.id=s", "prompt.id=p", __VA_ARGS__, NULL }, \
		&events)
#define SPAN(name, ...) \
	events_of_span(&dialect_claude_code, name, \
		(const char *const[]){ "session.id=s", __VA_ARGS__, NULL }, &events)

static void hook(const char *payload)
{
	struct bytes request =
		hook_as_logs(&dialect_claude_code, bytes_of(payload), some_time, &arena);
	cr_assert_eq(dialects_read(request, SIGNAL_LOGS, MAX_DEPTH, &events), 0);
}

Test(claude_code, a_background_command_reports_as_a_subagent_does)
{
	LOG("event.name=user_prompt",
		"prompt=<task-notification>\n<task-id>b1</task-id>\n"
		"<status>completed</status>\n<result><tool-use-id>x"
		"</tool-use-id></result>");
	expect_lines("+0 continuation session=s turn=p agent=b1 text=\"<task-notification>\\n"
		     "<task-id>b1</task-id>\\n<status>completed</status>\\n<result><to\"(114)\n"
		     "- agent_named session=s agent=b1\n");
}

Test(claude_code, a_person_may_write_as_a_task_does)
{
	LOG("event.name=user_prompt", "prompt=<task-notification> what is that?");
	LOG("event.name=user_prompt", "prompt=<task-notification><task-id></task-id>");
	LOG("event.name=user_prompt", "prompt=<task-notification><task-id>a1");
	LOG("event.name=user_prompt", "prompt=see <task-notification><task-id>a1</task-id>");
	expect_lines("+0 prompt session=s turn=p text=\"<task-notification> what is that?\"\n"
		     "+0 prompt session=s turn=p text=\"<task-notification><task-id></task-id>\"\n"
		     "+0 prompt session=s turn=p text=\"<task-notification><task-id>a1\"\n"
		     "+0 prompt session=s turn=p"
		     " text=\"see <task-notification><task-id>a1</task-id>\"\n");
}

Test(claude_code, a_hook_names_a_prompt_that_no_person_wrote)
{
	hook("{\"hook_event_name\":\"UserPromptSubmit\",\"session_id\":\"s\",\"prompt_id\":\"p\","
	     "\"prompt\":\"<task-notification><task-id>a1</task-id>"
	     "<tool-use-id>t1</tool-use-id>\"}");
	expect_lines("- prompt_named session=s turn=p agent=a1 tool=t1"
		     " text=\"<task-notification><task-id>a1</task-id><tool-use-id>t1"
		     "</tool-use-id>\"\n"
		     "- agent_named session=s agent=a1 tool=t1\n");
}

Test(claude_code, a_span_s_prompt_may_be_a_task_s_report_too)
{
	SPAN("claude_code.interaction", "user_prompt=<task-notification><task-id>a1</task-id>");
	expect_lines("+0 span role=turn native=\"claude_code.interaction\" trace=30313233"
		     " span=31323334 parent=61626364 took=20 session=s agent=a1"
		     " text=\"<task-notification><task-id>a1</task-id>\"\n");
}

Test(claude_code, calls_beside_the_conversation_are_called_by_their_reason)
{
	static const struct {
		const char *source, *side;
	} cases[] = {
		{ "query_source=sdk", "" },
		{ "query_source=repl_main_thread:outputStyle:custom", "" },
		{ "query_source=agent:custom", "" },
		{ "query_source=generate_session_title", " side=\"title\"" },
		{ "query_source=compact", " side=\"compact\"" },
		{ "query_source=web_search_tool", " side=\"web_search_tool\"" },
		{ "query_source=", "" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[128];
		LOG("event.name=api_request", cases[i].source);
		snprintf(line, sizeof line, "+0 call session=s turn=p%s\n", cases[i].side);
		expect_lines(line);
	}
	SPAN("claude_code.llm_request", "query_source_safe=agent.builtin.general-purpose");
	expect_lines("+0 span role=call native=\"claude_code.llm_request\" trace=30313233"
		     " span=31323334 parent=61626364 took=20 session=s\n");
}

Test(claude_code, a_call_s_figures_are_taken_in_any_type_and_not_believed)
{
	LOG("event.name=api_request", "duration_ms=1500", "input_tokens=12", "output_tokens~=7",
		"cache_creation_tokens:=30", "cache_creation_5m_tokens:=10",
		"cache_creation_1h_tokens:=20", "speed=fast", "cost_usd=0.25", "ttft_ms~=0.5");
	expect_lines("+0 call session=s turn=p took=1500 first_token=0.5 in=12 out=7"
		     " cache_write=30 5m=10 1h=20 cost=0.25 tier=\"fast\"\n");
	LOG("event.name=api_request", "duration_ms:=-5", "input_tokens:=-1", "output_tokens:=3",
		"cache_creation_tokens:=30", "cache_creation_5m_tokens:=10", "cost_usd~=-1");
	expect_lines("+0 call session=s turn=p in=0 out=3 cache_write=30\n");
	LOG("event.name=api_request", "duration_ms=soon", "cost_usd=nan", "ttft_ms=1e300",
		"input_tokens=many");
	expect_lines("+0 call session=s turn=p\n");
}

Test(claude_code, a_call_may_fail_without_a_status_or_a_key)
{
	LOG("event.name=api_error", "error=Connection error.", "duration_ms:=30", "attempt:=11",
		"status_code=undefined", "agent_id=a1", "query_source=agent:x");
	LOG("event.name=api_retries_exhausted", "error=Connection error.", "total_attempts:=11");
	expect_lines("+0 call session=s turn=p agent=a1 took=30 failed attempts=11"
		     " error=\"Connection error.\"\n");
}

Test(claude_code, rules_and_people_decide)
{
	LOG("event.name=tool_decision", "tool_use_id=t", "decision=accept",
		"source=user_permanent");
	LOG("event.name=tool_decision", "tool_use_id=t", "decision=reject", "source=config");
	LOG("event.name=tool_decision", "tool_use_id=t", "decision=reject", "source=user_abort");
	LOG("event.name=tool_result", "tool_use_id=t", "success=true",
		"decision_source=user_temporary");
	expect_lines("+0 tool_begin session=s turn=p tool=t by_person\n"
		     "+0 tool_begin session=s turn=p tool=t rejected\n"
		     "+0 tool_begin session=s turn=p tool=t by_person rejected\n"
		     "+0 tool session=s turn=p tool=t by_person\n");
	SPAN("claude_code.tool.blocked_on_user", "decision=accept", "source=user_temporary");
	expect_lines("+0 span role=wait native=\"claude_code.tool.blocked_on_user\""
		     " trace=30313233 span=31323334 parent=61626364 took=20 session=s"
		     " waited=20 by_person\n");
}

Test(claude_code, an_input_of_no_bytes_is_absent_and_not_withheld)
{
	LOG("event.name=tool_result", "tool_use_id=t", "tool_input_size_bytes=0");
	LOG("event.name=tool_result", "tool_use_id=t", "tool_input_size_bytes=9");
	LOG("event.name=tool_result", "tool_use_id=t", "tool_input_size_bytes=9",
		"tool_input={\"a\":\"b\"}");
	expect_lines("+0 tool session=s turn=p tool=t\n"
		     "+0 tool session=s turn=p tool=t"
		     " input=<redacted by Claude Code, set OTEL_LOG_TOOL_DETAILS=1>\n"
		     "+0 tool session=s turn=p tool=t input=\"{\\\"a\\\":\\\"b\\\"}\"\n");
}

Test(claude_code, a_nested_subagent_names_the_one_above)
{
	LOG("event.name=subagent_completed", "agent_id=a2", "parent_agent_id=a1",
		"agent_type=explore", "is_async?=false", "duration_ms:=9");
	expect_lines("+0 agent session=s turn=p agent=a2 parent_agent=a1 took=9"
		     " name=\"explore\"\n");
}

Test(claude_code, without_a_session_s_id_the_prompt_s_is_left)
{
	events_of_log(&dialect_claude_code, some_time,
		(const char *const[]){ "event.name=user_prompt", "prompt.id=p", "prompt=Hi", NULL },
		&events);
	expect_lines("+0 prompt turn=p text=\"Hi\"\n");
}

Test(claude_code, what_has_no_time_or_another_name_is_nothing)
{
	events_of_log(&dialect_claude_code, 0,
		(const char *const[]){ "event.name=user_prompt", "prompt=Hi", NULL }, &events);
	LOG("event.name=hook_registered");
	LOG("event.name=permission_mode_changed");
	LOG("prompt=Hi");
	expect_lines("");
}

Test(claude_code, it_waits_for_a_permission_or_for_words)
{
	hook("{\"hook_event_name\":\"Notification\",\"session_id\":\"s\","
	     "\"notification_type\":\"permission_prompt\","
	     "\"message\":\"Claude needs your permission to use Bash\"}");
	hook("{\"hook_event_name\":\"Notification\",\"session_id\":\"s\","
	     "\"notification_type\":\"permission_prompt\",\"message\":\"May I?\"}");
	hook("{\"hook_event_name\":\"Notification\",\"session_id\":\"s\","
	     "\"notification_type\":\"idle_prompt\",\"message\":\"Claude is waiting\"}");
	hook("{\"hook_event_name\":\"Notification\",\"session_id\":\"s\","
	     "\"notification_type\":\"auth_success\",\"message\":\"Welcome\"}");
	expect_lines("- waiting session=s name=\"Bash\"\n"
		     "- waiting session=s name=\"May I?\"\n"
		     "- waiting session=s\n");
}

Test(claude_code, a_turn_stops_with_work_in_the_background)
{
	hook("{\"hook_event_name\":\"Stop\",\"session_id\":\"s\",\"prompt_id\":\"p\","
	     "\"last_assistant_message\":\"Later.\",\"background_tasks\":[{\"id\":\"a1\"}]}");
	expect_lines("- turn_end session=s turn=p in_background output=\"Later.\"\n");
}

Test(claude_code, a_tool_is_interrupted)
{
	hook("{\"hook_event_name\":\"PostToolUseFailure\",\"session_id\":\"s\","
	     "\"tool_use_id\":\"t\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"sleep 9\"},"
	     "\"error\":\"Interrupted\",\"is_interrupt\":true}");
	expect_lines("- tool_said session=s tool=t name=\"Bash\" interrupted"
		     " error=\"Interrupted\" input=\"{\\\"command\\\":\\\"sleep 9\\\"}\"\n");
}

Test(claude_code, an_agent_without_a_type_is_the_cli_s_own)
{
	hook("{\"hook_event_name\":\"SubagentStop\",\"session_id\":\"s\",\"agent_id\":\"a1\","
	     "\"agent_type\":\"\",\"last_assistant_message\":\"A summary\"}");
	expect_lines("");
}

Test(claude_code, a_hook_of_wrong_types_says_what_can_be_read)
{
	hook("{\"hook_event_name\":\"PostToolUse\",\"session_id\":7,\"tool_use_id\":null,"
	     "\"tool_name\":[\"x\"],\"tool_response\":\"agentId\",\"tool_input\":0.1}");
	expect_lines("- tool_said session=7 name=\"[\\\"x\\\"]\" input=\"0.1\""
		     " output=\"agentId\"\n");
	hook("{\"hook_event_name\":[],\"session_id\":\"s\"}");
	hook("[\"hook_event_name\"]");
	hook("{\"hook_event_name\":\"Stop\"");
	hook("");
	expect_lines("");
}
