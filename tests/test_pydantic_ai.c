/*
 * What becomes of spans of Pydantic AI and Logfire, and of Google's ADK: frameworks that write GenAI's names
 * and some of their own. Beyond what the vectors of test_enrich.c say.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/enriched_span.h"

Test(pydantic_ai, an_agents_run_has_name_content_and_no_usage)
{
	expect_enriched("pydantic-ai", "agent run",
		SENT("agent_name=support", "model_name=gpt-5", "logfire.msg=support run",
			"gen_ai.usage.input_tokens:=70", "gen_ai.usage.output_tokens:=7",
			"pydantic_ai.all_messages=[{\"role\":\"user\",\"parts\":[]}]",
			"final_result=done"),
		EXPECTED("openinference.span.kind=AGENT", "langfuse.observation.type=agent",
			"agent.name=support", "gen_ai.agent.name=support",
			"input.value=[{\"role\":\"user\",\"parts\":[]}]",
			"input.mime_type=application/json", "output.value=done",
			"llm.token_count.prompt", "langfuse.observation.usage_details",
			"langfuse.observation.model.name", "langfuse.observation.cost_details"));
}

Test(pydantic_ai, its_first_generation_has_its_answer_among_events)
{
	expect_enriched("pydantic-ai", "agent run",
		SENT("agent_name=support", "all_messages_events=[{\"content\":\"hi\"}]"),
		EXPECTED("output.value=[{\"content\":\"hi\"}]"));
	expect_enriched("pydantic-ai", "agent run",
		SENT("agent_name=support", "all_messages_events=[]", "final_result=done"),
		EXPECTED("output.value=done"));
}

Test(pydantic_ai, a_tool_has_its_bare_names)
{
	expect_enriched("pydantic-ai", "running tool",
		SENT("gen_ai.tool.name=lookup", "gen_ai.tool.call.id=c7",
			"tool_arguments={\"id\":1}", "tool_response=row"),
		EXPECTED("openinference.span.kind=TOOL", "tool.name=lookup", "tool.id=c7",
			"tool.parameters={\"id\":1}", "input.value={\"id\":1}", "output.value=row",
			"gen_ai.operation.name=execute_tool"));
	expect_enriched("pydantic-ai", "execute_tool lookup",
		SENT("gen_ai.tool.name=lookup", "tool_arguments=old",
			"gen_ai.tool.call.arguments={\"id\":2}", "tool_response=old",
			"gen_ai.tool.call.result=new"),
		EXPECTED("input.value={\"id\":2}", "output.value=new"));
}

Test(pydantic_ai, bare_names_are_read_of_its_scopes_alone)
{
	static const char *const others[] = { "requests", "pydantic", "pydantic-ai.mine",
		"logfires", "" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		expect_enriched(others[i], "GET /",
			SENT("http.request.method=GET", "agent_name=support", "prompt=p",
				"request_data={}", "tool_arguments={}", "tool_response=row",
				"final_result=done", "model_request_parameters={}"),
			EXPECTED("openinference.span.kind", "langfuse.observation.type",
				"agent.name", "input.value", "output.value", "tool.parameters"));
	expect_enriched(NULL, "SELECT", SENT("agent_name=support", "db.system=postgresql"),
		EXPECTED("openinference.span.kind", "agent.name"));
	expect_enriched(others[0], "chat",
		SENT("gen_ai.operation.name=chat", "prompt=p", "final_result=done"),
		EXPECTED("openinference.span.kind=LLM", "input.value", "output.value"));
	expect_enriched("logfire.openai", "chat",
		SENT("gen_ai.operation.name=chat", "request_data={\"model\":\"m\"}",
			"response_data={\"usage\":1}"),
		EXPECTED("input.value={\"model\":\"m\"}", "output.value={\"usage\":1}"));
	expect_enriched("logfire", "chat", SENT("gen_ai.operation.name=chat", "prompt=p"),
		EXPECTED("input.value=p"));
}

Test(pydantic_ai, a_call_counts_its_details_once)
{
	expect_enriched("pydantic-ai", "chat claude-sonnet-4-5",
		SENT("gen_ai.operation.name=chat", "gen_ai.system=anthropic",
			"gen_ai.request.model=claude-sonnet-4-5", "gen_ai.usage.input_tokens:=100",
			"gen_ai.usage.output_tokens:=10",
			"gen_ai.usage.cache_read.input_tokens:=40",
			"gen_ai.usage.details.cache_read_tokens:=40",
			"gen_ai.usage.details.cache_read_input_tokens:=40",
			"gen_ai.usage.details.cache_write_tokens:=20"),
		EXPECTED("langfuse.observation.usage_details={\"input\":40,\"output\":10,"
			 "\"input_cached_tokens\":40,\"input_cache_creation\":20,\"total\":110}"));
	expect_enriched("pydantic-ai", "chat gpt-4o",
		SENT("gen_ai.operation.name=chat", "gen_ai.system=openai",
			"gen_ai.request.model=gpt-4o", "gen_ai.usage.input_tokens:=100",
			"gen_ai.usage.output_tokens:=10", "gen_ai.usage.details.cached_tokens:=64",
			"gen_ai.usage.details.reasoning_tokens:=4"),
		EXPECTED(
			"langfuse.observation.usage_details={\"input\":36,\"output\":6,"
			"\"input_cached_tokens\":64,\"output_reasoning_tokens\":4,\"total\":110}"));
	expect_enriched("pydantic-ai", "chat claude-3-5-haiku-latest",
		SENT("gen_ai.operation.name=chat", "gen_ai.request.model=claude-3-5-haiku-latest",
			"gen_ai.usage.input_tokens:=100", "gen_ai.usage.output_tokens:=10",
			"gen_ai.usage.details.cache_creation_input_tokens:=30",
			"gen_ai.usage.details.cache_read_input_tokens:=20"),
		EXPECTED("langfuse.observation.usage_details={\"input\":50,\"output\":10,"
			 "\"input_cached_tokens\":20,\"input_cache_creation\":30,\"total\":110}"));
}

Test(pydantic_ai, tools_stand_among_the_parameters_of_a_request)
{
	static const char *const sent[] = { "gen_ai.operation.name=chat",
		"model_request_parameters={\"function_tools\":[{\"name\":\"lookup\","
		"\"parameters_json_schema\":{\"type\":\"object\"}}],\"output_mode\":\"text\"}",
		NULL };
	expect_request(one_span_of("pydantic-ai", "chat", sent), true,
		EXPECTED("llm.tools.0.tool.json_schema={\"type\":\"function\",\"function\":"
			 "{\"name\":\"lookup\",\"parameters\":{\"type\":\"object\"}}}",
			"llm.tools.1.tool.json_schema"));
	static const char *const others[] = { "", "{}", "{\"function_tools\":7}",
		"{\"function_tools", "[]", "7" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		char parameters[96];
		snprintf(parameters, sizeof parameters, "model_request_parameters=%s", others[i]);
		expect_request(one_span_of("pydantic-ai", "chat",
				       SENT("gen_ai.operation.name=chat", parameters)),
			true, EXPECTED("llm.tools.0.tool.json_schema"));
	}
}

Test(pydantic_ai, its_cost_stands_where_ours_knows_none)
{
	expect_enriched("pydantic-ai", "chat mine",
		SENT("gen_ai.operation.name=chat", "gen_ai.request.model=nobody-knows",
			"gen_ai.usage.input_tokens:=1", "operation.cost~=0.25"),
		EXPECTED("langfuse.observation.cost_details={\"total\":0.25}",
			"tollgate.cost.source=sender"));
}

Test(logfire, tags_and_level_are_told_of_any_span)
{
	expect_enriched("logfire", "step", SENT("logfire.tags@=a,b"),
		EXPECTED("tag.tags@=a,b", "langfuse.trace.tags@=a,b"));
	expect_enriched("pydantic-ai", "chat",
		SENT("gen_ai.operation.name=chat", "logfire.level_num:=17"),
		EXPECTED("langfuse.observation.level=ERROR"));
	expect_enriched("pydantic-ai", "chat",
		SENT("gen_ai.operation.name=chat", "logfire.level_num:=13"),
		EXPECTED("langfuse.observation.level=WARNING"));
	expect_enriched("pydantic-ai", "chat",
		SENT("gen_ai.operation.name=chat", "logfire.level_num:=5"),
		EXPECTED("langfuse.observation.level=DEBUG"));
	expect_enriched("pydantic-ai", "chat",
		SENT("gen_ai.operation.name=chat", "logfire.level_num=loud"),
		EXPECTED("langfuse.observation.level"));
}

Test(adk, a_call_is_the_models_and_not_the_kits)
{
	expect_enriched("gcp.vertex.agent", "call_llm",
		SENT("gen_ai.system=gcp.vertex.agent", "gen_ai.request.model=gemini-2.5-flash",
			"gcp.vertex.agent.session_id=s1", "gcp.vertex.agent.invocation_id=i1",
			"gcp.vertex.agent.llm_request={\"contents\":[]}",
			"gcp.vertex.agent.llm_response={\"content\":{\"parts\":[]}}",
			"gen_ai.usage.input_tokens:=100", "gen_ai.usage.output_tokens:=10",
			"gen_ai.response.finish_reasons@=stop"),
		EXPECTED("openinference.span.kind=LLM", "session.id=s1",
			"gen_ai.conversation.id=s1", "gen_ai.provider.name=gcp.gen_ai",
			"llm.provider=google", "llm.finish_reason=stop",
			"input.value={\"contents\":[]}",
			"output.value={\"content\":{\"parts\":[]}}",
			"langfuse.observation.usage_details={\"input\":100,\"output\":10,"
			"\"total\":110}"));
	expect_enriched("gcp.vertex.agent", "call_llm",
		SENT("gen_ai.system=gcp.vertex.agent", "gen_ai.request.model=openai/mine"),
		EXPECTED("gen_ai.provider.name"));
}

Test(adk, the_answer_counts_what_its_attributes_leave_out)
{
	const char *system = "gen_ai.system=gcp.vertex.agent",
		   *model = "gen_ai.request.model=gemini-2.5-flash",
		   *input = "gen_ai.usage.input_tokens:=100",
		   *output = "gen_ai.usage.output_tokens:=50";
	expect_enriched("gcp.vertex.agent", "call_llm",
		SENT(system, model, input, output,
			"gcp.vertex.agent.llm_response={\"usage_metadata\":"
			"{\"cached_content_token_count\":60,\"thoughts_token_count\":5,"
			"\"candidates_token_count\":50}}"),
		EXPECTED("llm.token_count.prompt_details.cache_read:=60",
			"llm.token_count.completion_details.reasoning:=5",
			"llm.token_count.prompt:=100", "llm.token_count.completion:=55"));
	expect_enriched("gcp.vertex.agent", "call_llm",
		SENT(system, model, input, output, "gen_ai.usage.experimental.reasoning_tokens:=5"),
		EXPECTED("llm.token_count.completion:=55"));
	expect_enriched("gcp.vertex.agent", "generate_content gemini-2.5-flash",
		SENT(system, model, input, output, "gen_ai.usage.reasoning.output_tokens:=5"),
		EXPECTED("llm.token_count.completion:=50"));
	expect_enriched("gcp.vertex.agent", "call_llm",
		SENT(system, model, input, output, "gen_ai.usage.cache_read.input_tokens:=60",
			"gcp.vertex.agent.llm_response={\"usage_metadata\":"
			"{\"cached_content_token_count\":61}}"),
		EXPECTED("llm.token_count.prompt_details.cache_read:=60"));
	expect_enriched("gcp.vertex.agent", "call_llm",
		SENT(system, model, input, output, "gcp.vertex.agent.llm_response={\"usage_m"),
		EXPECTED("llm.token_count.prompt_details.cache_read", "output.value={\"usage_m"));
}

Test(adk, a_tool_has_arguments_and_result_and_nothing_is_nothing)
{
	expect_enriched("gcp.vertex.agent", "execute_tool find",
		SENT("gen_ai.operation.name=execute_tool", "gen_ai.tool.name=find",
			"gcp.vertex.agent.llm_request={}", "gcp.vertex.agent.llm_response={}",
			"gcp.vertex.agent.tool_call_args={\"q\":1}",
			"gcp.vertex.agent.tool_response={\"result\":\"row\"}"),
		EXPECTED("input.value={\"q\":1}", "output.value={\"result\":\"row\"}",
			"tool.parameters={\"q\":1}"));
	expect_enriched("gcp.vertex.agent", "call_llm",
		SENT("gen_ai.request.model=gemini-2.5-flash", "gcp.vertex.agent.llm_request={}",
			"gcp.vertex.agent.llm_response={}"),
		EXPECTED("input.value", "output.value"));
}
