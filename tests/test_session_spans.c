/* What enrichment makes of the spans of sessions: usage, cost, kinds and content come out as they were said. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/enriched_span.h"
#include "support/session_events.h"

static struct scene scene;

static void begin(void)
{
	scene_begin(&scene);
	ADD(&scene, .kind = EVENT_PROMPT, .turn = T("p1"), AT(0), .text = SAYS("hi"));
}

static void end(void)
{
	scene_end(&scene);
}

TestSuite(session_spans, .init = begin, .fini = end);

/* Of the first span of this kind. */
static void expect_span(enum unit_kind kind, const char *const *expected)
{
	scene_plan(&scene);
	const struct unit *unit = scene_unit(&scene, kind, NULL);
	cr_assert_not_null(unit);
	struct bytes request = scene_span(&scene, unit);
	uint8_t *copy = malloc(request.len);
	cr_assert_not_null(copy);
	memcpy(copy, request.at, request.len);
	expect_request((struct bytes){ copy, request.len }, false, expected);
}

static const struct tokens cached = { .are_said = true,
	.input = 12,
	.cache_read = 8192,
	.cache_write = 2048,
	.cache_write_5m = 1024,
	.cache_write_1h = 1024,
	.has_cache_lives = true,
	.output = 126 };

Test(session_spans, a_calls_tokens_are_disjoint_buckets_with_both_lives_of_the_cache)
{
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .call = T("req1"), AT(300), TOOK(200),
		.model = T("claude-opus-4-5"), .tokens = cached, .first_token_ns = MS(40),
		.cost_usd = 0.02, .has_cost = true, .output = SAYS("hello"));
	expect_span(UNIT_CALL,
		EXPECTED("openinference.span.kind=LLM", "langfuse.observation.type=generation",
			"langfuse.observation.usage_details="
			"{\"input\":12,\"output\":126,\"input_cached_tokens\":8192,"
			"\"input_cache_creation_5m\":1024,\"input_cache_creation_1h\":1024,"
			"\"total\":10378}",
			"gen_ai.usage.input_tokens:=10252", "gen_ai.usage.output_tokens:=126",
			"tollgate.usage.convention", "tollgate.cost.sender=0.02",
			"gen_ai.request.model=claude-opus-4-5", "output.value=hello",
			"langfuse.observation.completion_start_time=2026-11-20T20:20:00.140Z",
			"langfuse.observation.level"));
}

Test(session_spans, reasoning_is_a_part_of_the_output)
{
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .call = T("req1"), AT(300), TOOK(200),
		.model = T("claude-opus-4-5"),
		.tokens = { .are_said = true,
			.input = 800,
			.cache_read = 200,
			.output = 70,
			.reasoning = 50 });
	expect_span(UNIT_CALL,
		EXPECTED("gen_ai.usage.input_tokens:=1000", "gen_ai.usage.output_tokens:=70",
			"gen_ai.usage.reasoning.output_tokens:=50", "llm.token_count.total:=1070",
			"tollgate.usage.convention"));
}

Test(session_spans, a_call_that_failed_costs_nothing)
{
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .call = T("req1"), AT(300), TOOK(200),
		.model = T("claude-opus-4-5"), .status_code = 529, .error = T("overloaded"));
	expect_span(UNIT_CALL,
		EXPECTED("langfuse.observation.cost_details={\"total\":0}",
			"langfuse.observation.level=ERROR",
			"langfuse.observation.status_message=overloaded",
			"langfuse.observation.usage_details"));
}

Test(session_spans, a_fast_call_is_priced_at_its_tier)
{
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .call = T("req1"), AT(300), TOOK(200),
		.model = T("claude-opus-4-6"), TOKENS(1000, 1000), .tier = T("fast"));
	expect_span(UNIT_CALL,
		EXPECTED("tollgate.service_tier=fast",
			"langfuse.observation.cost_details="
			"{\"input\":0.03,\"output\":0.15,\"total\":0.18}"));
}

Test(session_spans, a_turn_has_neither_usage_nor_cost)
{
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .call = T("req1"), AT(300), TOOK(200),
		.model = T("claude-opus-4-5"), .tokens = cached, .cost_usd = 0.02, .has_cost = true,
		.output = SAYS("hello"));
	expect_span(UNIT_TURN,
		EXPECTED("langfuse.observation.type=agent", "langfuse.observation.usage_details",
			"langfuse.observation.cost_details", "gen_ai.usage.input_tokens",
			"llm.token_count.total", "llm.cost.total", "gen_ai.request.model",
			"tollgate.turn.cost_usd=0.02", "tollgate.turn.input_tokens:=12",
			"tollgate.turn.cache_write_tokens:=2048", "input.value=hi",
			"output.value=hello", "langfuse.session.id=session-1",
			"langfuse.trace.name=project #1: hi"));
}

Test(session_spans, a_tool_call_is_a_tool_with_its_facts)
{
	ADD(&scene, .kind = EVENT_TOOL, .turn = T("p1"), .tool = T("toolu1"), AT(300), TOOK(20),
		.name = T("Bash"), .input = SAYS("{\"command\":\"ls\"}"), .output = SAYS("a\nb"),
		.has_exit_code = true);
	expect_span(UNIT_TOOL,
		EXPECTED("openinference.span.kind=TOOL", "langfuse.observation.type=tool",
			"gen_ai.operation.name=execute_tool", "tool.name=Bash",
			"gen_ai.tool.name=Bash", "gen_ai.tool.call.id=toolu1", "tool.id=toolu1",
			"input.value={\"command\":\"ls\"}", "output.value=a\nb",
			"tool.status=success", "tool.duration_ms:=20",
			"tool.execution.exit_code:=0", "langfuse.observation.usage_details",
			"langfuse.observation.cost_details"));
}

Test(session_spans, a_rejected_tool_call_is_a_warning)
{
	ADD(&scene, .kind = EVENT_TOOL_BEGIN, .turn = T("p1"), .tool = T("toolu1"), AT(300),
		.name = T("Write"), .ending = ENDING_REJECTED, .is_by_person = true);
	expect_span(UNIT_TOOL,
		EXPECTED("langfuse.observation.level=WARNING",
			"langfuse.observation.status_message=rejected by the user: Write",
			"error.type"));
}

Test(session_spans, a_subagent_is_an_agent_without_usage)
{
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .agent = T("agent1"), .call = T("req1"),
		AT(300), TOOK(200), .model = T("claude-opus-4-5"), .tokens = cached);
	ADD(&scene, .kind = EVENT_AGENT, .turn = T("p1"), .agent = T("agent1"), AT(400), TOOK(350),
		.name = T("Explore"), .output = SAYS("seen"));
	expect_span(UNIT_AGENT,
		EXPECTED("openinference.span.kind=AGENT", "langfuse.observation.type=agent",
			"gen_ai.agent.name=Explore", "gen_ai.agent.id=agent1",
			"claude.parent_session_id=session-1", "output.value=seen",
			"tollgate.agent.llm_calls:=1", "langfuse.observation.usage_details",
			"langfuse.observation.cost_details"));
}

Test(session_spans, a_native_call_with_a_new_name_is_still_read_as_what_it_is)
{
	struct event span =
		native_event(ROLE_CALL, "claude_code.llm_request", 't', 'c', 'i', 100, 300);
	span.call = T("req1");
	scene_add(&scene, span);
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .call = T("req1"), AT(300), TOOK(200),
		.model = T("claude-opus-4-5"), .tokens = cached, .cost_usd = 0.02, .has_cost = true,
		.output = SAYS("hello"));
	expect_span(UNIT_CALL,
		EXPECTED("openinference.span.kind=LLM", "output.value=hello", "cost_usd=0.02",
			"cache_creation_5m_tokens:=1024", "cache_creation_1h_tokens:=1024",
			"tollgate.native_name=claude_code.llm_request"));
}
