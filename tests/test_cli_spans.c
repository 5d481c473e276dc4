/*
 * What becomes of spans that coding agents and tools' servers write themselves: Claude Code, Codex CLI, Gemini
 * CLI and MCP. The captures of real sessions say what they look like.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/enriched_span.h"

/* Claude Code. */

static void expect_claude(const char *name, const char *const *sent, const char *const *expected)
{
	expect_enriched("com.anthropic.claude_code.tracing", name, sent, expected);
}

Test(claude_code, a_call_is_priced_without_what_the_cache_had)
{
	expect_claude("claude_code.llm_request",
		SENT("model=claude-opus-5-5", "gen_ai.system=anthropic", "speed=normal",
			"input_tokens:=12", "output_tokens:=14", "cache_read_tokens:=8192",
			"cache_creation_tokens:=2048", "stop_reason=end_turn", "ttft_ms:=97",
			"success?=true", "attempt:=3", "agent_id=abc6dbd2c8a101454"),
		EXPECTED("openinference.span.kind=LLM", "llm.token_count.prompt:=10252",
			"llm.token_count.prompt_details.cache_read:=8192",
			"gen_ai.provider.name=anthropic", "llm.finish_reason=end_turn",
			"agent_id=abc6dbd2c8a101454", "attempt:=3", "agent.name",
			"langfuse.observation.level",
			"langfuse.observation.model.name=claude-opus-5-5"));
}

Test(claude_code, a_fast_call_costs_more)
{
	const char *model = "model=claude-opus-5-5", *input = "input_tokens:=1000";
	expect_claude("claude_code.llm_request", SENT(model, input, "speed=fast"),
		EXPECTED("llm.cost.total~=0.008"));
	expect_claude("claude_code.llm_request", SENT(model, input, "speed=normal"),
		EXPECTED("llm.cost.total~=0.004"));
}

Test(claude_code, a_failed_call_says_why)
{
	expect_claude("claude_code.llm_request",
		SENT("model=claude-opus-5-5", "success=false", "status_code:=400",
			"error=invalid_request_error", "attempt:=1"),
		EXPECTED("langfuse.observation.level=ERROR",
			"langfuse.observation.status_message=invalid_request_error"));
}

Test(claude_code, withheld_prompts_are_no_content)
{
	expect_claude("claude_code.interaction",
		SENT("user_prompt=<REDACTED>", "user_prompt_length:=28"),
		EXPECTED("input.value", "input.mime_type", "openinference.span.kind=AGENT"));
	expect_claude("claude_code.interaction",
		SENT("user_prompt=2+2?", "new_context=[USER PROMPT]\n2+2?"),
		EXPECTED("input.value=2+2?", "langfuse.observation.type=agent"));
	expect_claude("claude_code.llm_request",
		SENT("new_context=[USER]\n2+2?", "response.model_output=4"),
		EXPECTED("input.value=[USER]\n2+2?", "output.value=4"));
}

Test(claude_code, a_tool_has_its_arguments_and_its_result)
{
	expect_claude("claude_code.tool",
		SENT("tool_name=Bash", "tool_use_id=toolu_1", "full_command=echo hi"),
		EXPECTED("tool.name=Bash", "gen_ai.tool.name=Bash", "tool.id=toolu_1",
			"gen_ai.tool.call.id=toolu_1", "input.value={\"full_command\":\"echo hi\"}",
			"tool.parameters={\"full_command\":\"echo hi\"}", "output.value"));
	expect_claude("claude_code.tool",
		SENT("tool_name=Bash", "tool_input=[TOOL INPUT: Bash]\n{}",
			"new_context=[TOOL RESULT: Bash]\nhi"),
		EXPECTED("input.value=[TOOL INPUT: Bash]\n{}", "tool.parameters",
			"output.value=[TOOL RESULT: Bash]\nhi"));
	expect_request(
		sent_request(&(struct sent){ .name = "claude_code.tool",
			.attributes = SENT("tool_name=Bash", "new_context=context"),
			.events = { { "tool.output", SENT("content=content", "output=hi") } } }),
		false, EXPECTED("output.value=hi"));
	expect_request(sent_request(&(struct sent){ .name = "claude_code.tool",
			       .attributes = SENT("tool_name=Bash"),
			       .events = { { "tool.output", SENT("output=<REDACTED>") } } }),
		false, EXPECTED("output.value"));
}

Test(claude_code, a_subagent_is_named_where_it_is_called)
{
	expect_claude("claude_code.tool",
		SENT("tool_name=Agent", "subagent_type=general-purpose", "agent_id=a1"),
		EXPECTED("agent.name=general-purpose", "gen_ai.agent.name",
			"input.value={\"subagent_type\":\"general-purpose\"}",
			"openinference.span.kind=TOOL"));
}

Test(claude_code, the_rest_of_a_turn_is_steps)
{
	static const char *const names[] = { "claude_code.tool.execution",
		"claude_code.tool.blocked_on_user", "claude_code.hook" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		expect_claude(names[i], SENT("tool_use_id=t", "decision=accept"),
			EXPECTED("openinference.span.kind=CHAIN", "gen_ai.operation.name"));
	expect_claude("claude_code.tool.execution", SENT("success?=false", "error=File not found"),
		EXPECTED("langfuse.observation.level=ERROR",
			"langfuse.observation.status_message=File not found"));
}

Test(claude_code, its_bare_names_mean_nothing_elsewhere)
{
	expect_enriched(NULL, "GET /",
		SENT("model=T-800", "input_tokens:=1", "output_tokens:=2", "tool_name=x",
			"success?=false", "error=x", "speed=fast", "user_prompt=x",
			"subagent_type=x", "new_context=x"),
		EXPECTED("openinference.span.kind", "langfuse.observation.type", "input.value",
			"langfuse.observation.level", "agent.name", "gen_ai.operation.name"));
}

/* Codex CLI. */

static struct bytes codex(const char *service, const char *const *attributes)
{
	return sent_request(&(struct sent){
		.service = service, .name = "session_task.turn", .attributes = attributes });
}

Test(codex, a_conversation_is_a_session_on_its_spans_alone)
{
	const char *const *sent = SENT("conversation.id=01a1", "turn.id=t", "model=gpt-5.5",
		"codex.turn.token_usage.input_tokens:=10000", "tool_name=exec_command",
		"gen_ai.usage.input_tokens:=10000", "gen_ai.usage.output_tokens:=69");
	const char *const *expected = EXPECTED("session.id=01a1", "langfuse.session.id=01a1",
		"gen_ai.conversation.id", "openinference.span.kind", "llm.token_count.prompt",
		"langfuse.observation.usage_details", "tool.name");
	expect_request(codex("codex_exec", sent), false, expected);
	expect_request(codex("codex_cli_rs", sent), false, expected);
	expect_request(
		codex("chat-app", sent), false, EXPECTED("session.id", "langfuse.session.id"));
	expect_request(codex(NULL, sent), false, EXPECTED("session.id", "langfuse.session.id"));
}

/* Gemini CLI. */

static void expect_gemini(const char *name, const char *const *sent, const char *const *expected)
{
	expect_enriched("gemini-cli", name, sent, expected);
}

Test(gemini_cli, each_operation_has_its_kind)
{
	static const char *const kinds[][2] = { { "llm_call", "LLM" }, { "tool_call", "TOOL" },
		{ "user_prompt", "AGENT" }, { "agent_call", "AGENT" }, { "system_prompt", "CHAIN" },
		{ "schedule_tool_calls", "CHAIN" } };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char operation[64], kind[64];
		snprintf(operation, sizeof operation, "gen_ai.operation.name=%s", kinds[i][0]);
		snprintf(kind, sizeof kind, "openinference.span.kind=%s", kinds[i][1]);
		expect_gemini(kinds[i][0],
			SENT(operation, "gen_ai.conversation.id=s", "gen_ai.agent.name=gemini-cli"),
			EXPECTED(kind, operation, "session.id=s"));
	}
}

Test(gemini_cli, a_call_has_no_prompt_name_and_no_agent)
{
	expect_gemini("llm_call",
		SENT("gen_ai.operation.name=llm_call", "gen_ai.request.model=gemini-2.5-pro",
			"gen_ai.prompt.name=165b3418########0", "gen_ai.prompt.version:=1",
			"gen_ai.agent.name=gemini-cli", "gen_ai.usage.input_tokens:=9000",
			"gen_ai.usage.output_tokens:=23"),
		EXPECTED("langfuse.observation.prompt.name", "langfuse.observation.prompt.version",
			"agent.name", "llm.token_count.prompt:=9000",
			"gen_ai.provider.name=gcp.gen_ai", "llm.model_name=gemini-2.5-pro"));
	expect_enriched("other", "chat",
		SENT("gen_ai.operation.name=chat", "gen_ai.prompt.name=greeting",
			"gen_ai.prompt.version:=1"),
		EXPECTED("langfuse.observation.prompt.name=greeting"));
}

Test(gemini_cli, agents_have_their_own_names)
{
	expect_gemini("user_prompt",
		SENT("gen_ai.operation.name=user_prompt", "gen_ai.agent.name=gemini-cli"),
		EXPECTED("agent.name=gemini-cli"));
	expect_gemini("agent_call",
		SENT("gen_ai.operation.name=agent_call", "gen_ai.agent.name=gemini-cli",
			"gen_ai.input.messages={\"agent_name\":\"generalist\",\"prompt\":\"go\"}"),
		EXPECTED("agent.name=generalist", "gen_ai.agent.name=gemini-cli",
			"input.value={\"agent_name\":\"generalist\",\"prompt\":\"go\"}"));
}

Test(gemini_cli, a_tool_has_the_arguments_of_its_request)
{
	expect_gemini("tool_call",
		SENT("gen_ai.operation.name=tool_call", "gen_ai.tool.name=read_file",
			"gen_ai.tool.call_id=read_file_1", "gen_ai.tool.description=Reads.",
			"gen_ai.input.messages={\"callId\":\"read_file_1\",\"name\":\"read_file\","
			"\"args\":{\"file_path\":\"a\"}}",
			"gen_ai.output.messages={\"status\":\"success\",\"request\":{}}"),
		EXPECTED("tool.name=read_file", "tool.id=read_file_1",
			"gen_ai.tool.call.id=read_file_1", "tool.description=Reads.",
			"input.value={\"file_path\":\"a\"}",
			"tool.parameters={\"file_path\":\"a\"}",
			"output.value={\"status\":\"success\",\"request\":{}}",
			"langfuse.observation.level", "agent.name"));
	expect_gemini("tool_call",
		SENT("gen_ai.operation.name=tool_call",
			"gen_ai.input.messages={\"callId\":\"c\",\"args\":{\"a\"...[truncated]",
			"gen_ai.output.messages={\"status\":\"error\",\"response\":{}}"),
		EXPECTED("input.value={\"callId\":\"c\",\"args\":{\"a\"...[truncated]",
			"tool.parameters", "langfuse.observation.level=ERROR"));
}

Test(gemini_cli, its_meanings_hold_by_service_name_too)
{
	expect_request(sent_request(&(struct sent){ .service = "gemini-cli",
			       .name = "llm_call",
			       .attributes = SENT("gen_ai.operation.name=llm_call",
				       "gen_ai.prompt.name=p", "gen_ai.prompt.version:=1") }),
		false, EXPECTED("langfuse.observation.prompt.name"));
}

Test(gemini_cli, instructions_that_are_a_text_in_quotes_go_before_the_messages)
{
	expect_gemini("llm_call",
		SENT("gen_ai.operation.name=llm_call",
			"gen_ai.system_instructions=\"You are \\\"kind\\\".\"",
			"gen_ai.input.messages=[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]"),
		EXPECTED("input.value=[{\"role\":\"system\",\"parts\":[{\"type\":\"text\","
			 "\"content\":\"You are \\\"kind\\\".\"}]},"
			 "{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]"));
	expect_gemini("llm_call",
		SENT("gen_ai.operation.name=llm_call", "gen_ai.system_instructions=\"cut sho",
			"gen_ai.input.messages={\"role\":\"user\",\"parts\":[]}"),
		EXPECTED("input.value=[{\"role\":\"system\",\"parts\":[{\"type\":\"text\","
			 "\"content\":\"\\\"cut sho\"}]},{\"role\":\"user\",\"parts\":[]}]"));
}

/* Model Context Protocol. */

Test(mcp, a_call_is_a_tool_and_all_else_a_step)
{
	expect_enriched(NULL, "tools/call get_weather", SENT("mcp.method.name=tools/call"),
		EXPECTED("openinference.span.kind=TOOL", "tool.name=get_weather",
			"gen_ai.operation.name=execute_tool"));
	expect_enriched(NULL, "tools/call get_weather",
		SENT("mcp.method.name=tools/call", "gen_ai.tool.name=own"),
		EXPECTED("tool.name=own"));
	expect_enriched(NULL, "tools/call ", SENT("mcp.method.name=tools/call"),
		EXPECTED("openinference.span.kind=TOOL", "tool.name"));
	expect_enriched(NULL, "call", SENT("mcp.method.name=tools/call"), EXPECTED("tool.name"));
	expect_enriched(NULL, "tools/list",
		SENT("mcp.method.name=tools/list", "mcp.session.id=transport",
			"jsonrpc.request.id=1"),
		EXPECTED("openinference.span.kind=CHAIN", "gen_ai.operation.name", "session.id",
			"gen_ai.conversation.id", "langfuse.session.id"));
	expect_enriched(NULL, "tools/call x", SENT("mcp.method.name:=1"),
		EXPECTED("openinference.span.kind", "tool.name"));
	expect_enriched(NULL, "tools/call x", SENT("rpc.method=tools/call"),
		EXPECTED("openinference.span.kind", "tool.name"));
}

Test(mcp, a_tool_that_failed_says_so)
{
	expect_enriched(NULL, "tools/call x",
		SENT("mcp.method.name=tools/call", "error.type=tool_error"),
		EXPECTED("langfuse.observation.level=ERROR",
			"langfuse.observation.status_message=tool_error"));
}

Test(cli_spans, langfuse_shows_what_a_tool_did_where_a_session_says_it)
{
	static const char *const named[] = { "openinference.span.kind=TOOL",
		"gen_ai.tool.name=Bash", "tollgate.native_name=claude_code.tool", NULL };
	expect_enriched(NULL, "Execute command: echo", named,
		EXPECTED("gen_ai.tool.name=Bash", "tool.name=Bash",
			"langfuse.observation.name=Execute command: echo"));
	expect_for_langfuse(NULL, "Execute command: echo", named,
		EXPECTED("gen_ai.tool.name", "tool.name=Bash",
			"langfuse.observation.name=Execute command: echo"));
	expect_for_langfuse("tollgate.sessions", "Execute command: echo",
		SENT("openinference.span.kind=TOOL", "gen_ai.tool.name=exec_command"),
		EXPECTED("gen_ai.tool.name", "tool.name=exec_command"));
	expect_enriched("other", "execute_tool",
		SENT("openinference.span.kind=TOOL", "gen_ai.tool.name=Bash"),
		EXPECTED("gen_ai.tool.name=Bash", "langfuse.observation.name=Bash"));
}
