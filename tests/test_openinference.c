/*
 * What becomes of spans of OpenInference's instrumentations, kind by kind, beyond what the vectors of
 * test_enrich.c say. Each case is a span as it is sent and what has to be on it afterwards.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/enriched_span.h"

static void expect(const char *const *sent, const char *const *expected)
{
	expect_enriched(NULL, "step", sent, expected);
}

Test(openinference, every_kind_has_its_langfuse_type_and_its_operation)
{
	static const struct {
		const char *kind, *type, *operation;
	} kinds[] = {
		{ "LLM", "generation", "chat" },
		{ "EMBEDDING", "embedding", "embeddings" },
		{ "CHAIN", "chain", NULL },
		{ "RETRIEVER", "retriever", "retrieval" },
		{ "RERANKER", "span", NULL },
		{ "TOOL", "tool", "execute_tool" },
		{ "AGENT", "agent", "invoke_agent" },
		{ "GUARDRAIL", "guardrail", NULL },
		{ "EVALUATOR", "evaluator", NULL },
		{ "PROMPT", "span", NULL },
		{ "UNKNOWN", NULL, NULL },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char sent[64], lower[64], type[64], operation[64], kind[64];
		snprintf(kind, sizeof kind, "openinference.span.kind=%s", kinds[i].kind);
		snprintf(sent, sizeof sent, "%s", kind);
		snprintf(lower, sizeof lower, "%s", kind);
		for (char *at = strchr(lower, '=') + 1; *at; at++)
			*at = (char)(*at + ('a' - 'A'));
		snprintf(type, sizeof type, "langfuse.observation.type%s%s",
			kinds[i].type ? "=" : "", kinds[i].type ? kinds[i].type : "");
		snprintf(operation, sizeof operation, "gen_ai.operation.name%s%s",
			kinds[i].operation ? "=" : "",
			kinds[i].operation ? kinds[i].operation : "");
		expect(SENT(sent), EXPECTED(kind, type, operation));
		expect(SENT(lower), EXPECTED(kind, type, operation));
	}
}

Test(openinference, a_kind_that_nobody_knows_stays_and_other_signs_decide)
{
	expect(SENT("openinference.span.kind=Workflow", "llm.model_name=gpt-4o"),
		EXPECTED("openinference.span.kind=Workflow",
			"langfuse.observation.type=generation"));
	expect(SENT("openinference.span.kind=Workflow"), EXPECTED("langfuse.observation.type"));
}

Test(openinference, its_kind_comes_before_langfuses_but_langfuses_identity_before_its)
{
	expect(SENT("openinference.span.kind=CHAIN", "langfuse.observation.type=generation",
		       "session.id=theirs", "langfuse.session.id=ours", "user.id=them",
		       "langfuse.user.id=us"),
		EXPECTED("openinference.span.kind=CHAIN", "gen_ai.operation.name",
			"gen_ai.conversation.id=ours", "session.id=theirs"));
	expect(SENT("langfuse.observation.type=generation"),
		EXPECTED("openinference.span.kind=LLM"));
	expect(SENT("langfuse.trace.metadata.langfuse_session_id=old", "session.id=s"),
		EXPECTED("langfuse.session.id=s"));
	expect(SENT("langfuse.trace.metadata.langfuse_session_id=old"),
		EXPECTED("langfuse.session.id=old", "session.id=old"));
}

Test(openinference, names_alone_tell_the_kind_where_none_was_sent)
{
	expect(SENT("llm.model_name=gpt-4o"), EXPECTED("openinference.span.kind=LLM"));
	expect(SENT("embedding.model_name=text-embedding-3-small"),
		EXPECTED("openinference.span.kind=EMBEDDING"));
	expect(SENT("retrieval.documents.0.document.content=x"),
		EXPECTED("openinference.span.kind=RETRIEVER"));
	expect(SENT("tool.name=search"), EXPECTED("openinference.span.kind=TOOL"));
	expect(SENT("agent.name=planner"), EXPECTED("openinference.span.kind=AGENT"));
	expect(SENT("input.value=x", "metadata={}"), EXPECTED("openinference.span.kind"));
}

Test(openinference, a_model_call_is_counted_and_priced_with_its_cache)
{
	expect(SENT("openinference.span.kind=LLM", "llm.system=anthropic", "llm.provider=anthropic",
		       "llm.model_name=claude-opus-5-5", "llm.token_count.prompt:=10252",
		       "llm.token_count.completion:=14", "llm.token_count.total:=10266",
		       "llm.token_count.prompt_details.cache_read:=8192",
		       "llm.token_count.prompt_details.cache_write:=2048"),
		EXPECTED(
			"langfuse.observation.usage_details={\"input\":12,\"output\":14,"
			"\"input_cached_tokens\":8192,\"input_cache_creation\":2048,\"total\":10266}",
			"langfuse.observation.cost_details={\"input\":0.000048,\"output\":0.00028,"
			"\"input_cached_tokens\":0.0016384,\"input_cache_creation\":0.01024,"
			"\"total\":0.0122064}",
			"gen_ai.usage.input_tokens:=10252", "gen_ai.usage.output_tokens:=14",
			"gen_ai.usage.cache_read.input_tokens:=8192",
			"gen_ai.usage.cache_creation.input_tokens:=2048",
			"gen_ai.provider.name=anthropic",
			"langfuse.observation.model.name=claude-opus-5-5"));
}

Test(openinference, reasoning_and_audio_are_parts_of_what_they_are_in)
{
	expect(SENT("openinference.span.kind=LLM", "llm.system=openai",
		       "llm.model_name=gpt-audio-or-so", "llm.token_count.prompt:=100",
		       "llm.token_count.completion:=50", "llm.token_count.prompt_details.audio:=30",
		       "llm.token_count.completion_details.audio:=5",
		       "llm.token_count.completion_details.reasoning:=20"),
		EXPECTED("langfuse.observation.usage_details={\"input\":70,\"output\":25,"
			 "\"input_audio_tokens\":30,\"output_reasoning_tokens\":20,"
			 "\"output_audio_tokens\":5,\"total\":150}",
			"gen_ai.usage.reasoning.output_tokens:=20", "llm.token_count.total:=150",
			"gen_ai.usage.input_tokens:=100", "gen_ai.usage.output_tokens:=50"));
}

Test(openinference, audio_that_came_from_the_cache_is_counted_once)
{
	expect(SENT("openinference.span.kind=LLM", "llm.model_name=gpt-audio-or-so",
		       "llm.token_count.prompt:=100", "llm.token_count.completion:=1",
		       "llm.token_count.prompt_details.cache_read:=80",
		       "llm.token_count.prompt_details.audio:=60"),
		EXPECTED("langfuse.observation.usage_details={\"input\":0,\"output\":1,"
			 "\"input_cached_tokens\":80,\"input_audio_tokens\":20,\"total\":101}"));
}

Test(openinference, audio_has_its_own_price)
{
	/* 70 × 2.50, 30 × 40, 45 × 10 and 5 × 80 dollars per million */
	expect(SENT("openinference.span.kind=LLM", "llm.system=openai",
		       "llm.model_name=gpt-4o-audio-preview", "llm.token_count.prompt:=100",
		       "llm.token_count.completion:=50", "llm.token_count.prompt_details.audio:=30",
		       "llm.token_count.completion_details.audio:=5"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.000175,\"output\":0.00045,"
			 "\"input_audio_tokens\":0.0012,\"output_audio_tokens\":0.0004,"
			 "\"total\":0.002225}",
			"llm.cost.prompt~=0.001375", "llm.cost.completion~=0.00085"));
}

Test(openinference, counts_beyond_all_bounds_do_not_wrap)
{
	expect(SENT("openinference.span.kind=LLM", "llm.model_name=m",
		       "llm.token_count.prompt:=9223372036854775807",
		       "llm.token_count.prompt_details.cache_read:=9223372036854775807",
		       "llm.token_count.prompt_details.cache_write:=9223372036854775807"),
		EXPECTED("langfuse.observation.usage_details={\"input\":9223372036854775807,"
			 "\"input_cached_tokens\":9223372036854775807,"
			 "\"input_cache_creation\":9223372036854775807}",
			"tollgate.usage.convention=contradictory"));
}

Test(openinference, the_parameters_say_at_which_tier_a_call_was_served)
{
	const char *model = "llm.model_name=claude-opus-5-5", *kind = "openinference.span.kind=LLM",
		   *tokens = "llm.token_count.prompt:=1000",
		   *none = "llm.token_count.completion:=0";
	expect(SENT(kind, model, tokens, none, "llm.invocation_parameters={\"speed\":\"fast\"}"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.008,\"total\":0.008}"));
	expect(SENT(kind, model, tokens, none,
		       "llm.invocation_parameters={\"service_tier\":\"standard_only\"}"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.004,\"total\":0.004}"));
	expect(SENT(kind, model, tokens, none,
		       "llm.invocation_parameters={\"service_tier\":\"of my own\"}"),
		EXPECTED("langfuse.observation.cost_details", "tollgate.cost.status=unknown_tier"));
	expect(SENT(kind, model, tokens, none,
		       "llm.invocation_parameters={\"note\":\"service_tier\"}"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.004,\"total\":0.004}"));
	expect(SENT(kind, model, tokens, none, "llm.invocation_parameters={\"service_tier\":"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.004,\"total\":0.004}"));
}

Test(openinference, the_senders_cost_is_told_in_its_parts_where_we_know_none)
{
	expect(SENT("openinference.span.kind=LLM", "llm.model_name=my-own",
		       "llm.token_count.prompt:=10", "llm.cost.prompt~=0.25",
		       "llm.cost.completion~=0.5"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.25,\"output\":0.5,"
			 "\"total\":0.75}",
			"llm.cost.total~=0.75", "tollgate.cost.source=sender"));
}

Test(openinference, request_and_response_models_are_told_apart)
{
	expect(SENT("openinference.span.kind=LLM", "llm.model_name=gpt-4o-2024-11-20",
		       "llm.request.model_name=gpt-4o",
		       "llm.response.model_name=gpt-4o-2024-11-20"),
		EXPECTED("gen_ai.request.model=gpt-4o", "gen_ai.response.model=gpt-4o-2024-11-20",
			"langfuse.observation.model.name=gpt-4o-2024-11-20"));
	expect(SENT("openinference.span.kind=LLM", "llm.request.model_name=gpt-4o"),
		EXPECTED("gen_ai.request.model=gpt-4o", "gen_ai.response.model",
			"llm.model_name=gpt-4o"));
}

Test(openinference, provider_and_system_are_one_provider)
{
	static const struct {
		const char *provider, *system, *name;
	} pairs[] = {
		{ "azure", "openai", "azure.ai.openai" },
		{ "azure", "mistralai", "azure.ai.inference" },
		{ "azure", "", "azure.ai.inference" },
		{ "aws", "anthropic", "aws.bedrock" },
		{ "google", "vertexai", "gcp.vertex_ai" },
		{ "google", "google", "gcp.gen_ai" },
		{ "google", "", "gcp.gen_ai" },
		{ "google", "anthropic", "gcp.gen_ai" },
		{ "", "vertexai", "gcp.vertex_ai" },
		{ "", "openai", "openai" },
		{ "", "mistralai", "mistral_ai" },
		{ "xai", "", "x_ai" },
		{ "moonshot", "moonshot", "moonshot_ai" },
		{ "groq", "meta", "groq" },
		{ "fireworks", "deepseek", "fireworks" },
		{ "", "ai21", "ai21" },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		char provider[64], system[64], name[64], old[64];
		snprintf(provider, sizeof provider, "llm.provider=%s", pairs[i].provider);
		snprintf(system, sizeof system, "llm.system=%s", pairs[i].system);
		snprintf(name, sizeof name, "gen_ai.provider.name=%s", pairs[i].name);
		snprintf(old, sizeof old, "gen_ai.system=%s", pairs[i].name);
		expect(SENT("openinference.span.kind=LLM", provider, system, "llm.model_name=m"),
			EXPECTED(name, old));
	}
	expect(SENT("openinference.span.kind=LLM", "llm.model_name=m"),
		EXPECTED("gen_ai.provider.name", "gen_ai.system"));
}

Test(openinference, messages_that_came_flattened_alone_become_input_and_output)
{
	expect(SENT("openinference.span.kind=LLM", "llm.input_messages.0.message.role=user",
		       "llm.input_messages.0.message.content=weather?",
		       "llm.input_messages.1.message.role=assistant",
		       "llm.input_messages.1.message.tool_calls.0.tool_call.id=c1",
		       "llm.input_messages.1.message.tool_calls.0.tool_call.function.name=get",
		       "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments={}",
		       "llm.input_messages.2.message.role=tool",
		       "llm.input_messages.2.message.tool_call_id=c1",
		       "llm.output_messages.0.message.role=assistant",
		       "llm.output_messages.0.message.contents.0.message_content.type=text",
		       "llm.output_messages.0.message.contents.0.message_content.text=sunny"),
		EXPECTED(
			"input.value=[{\"content\":\"weather?\",\"role\":\"user\"},"
			"{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"arguments\":\"{}\","
			"\"name\":\"get\"},\"id\":\"c1\"}]},{\"role\":\"tool\","
			"\"tool_call_id\":\"c1\"}]",
			"output.value=[{\"contents\":[{\"text\":\"sunny\",\"type\":\"text\"}],"
			"\"role\":\"assistant\"}]",
			"input.mime_type=application/json", "output.mime_type=application/json"));
}

Test(openinference, one_side_that_came_flattened_is_not_lost_beside_the_other)
{
	expect(SENT("openinference.span.kind=LLM", "input.value=hi",
		       "llm.input_messages.0.message.content=hi",
		       "llm.output_messages.0.message.content=hello"),
		EXPECTED("input.value=hi", "output.value=[{\"content\":\"hello\"}]"));
}

Test(openinference, flattened_lists_come_in_any_order_and_shape)
{
	const char *kind = "openinference.span.kind=LLM",
		   *list = "llm.output_messages.0.message.role=assistant";
	expect(SENT(kind, list, "llm.input_messages.10.message.content=k",
		       "llm.input_messages.2.message.content=c",
		       "llm.input_messages.1.message.content=b",
		       "llm.input_messages.1.message.content=B"),
		EXPECTED(
			"input.value=[{\"content\":\"B\"},{\"content\":\"c\"},{\"content\":\"k\"}]"));
	expect(SENT(kind, list, "llm.input_messages.0.message.contents.0.message_content.text=a",
		       "llm.input_messages.0.message.contents.0.tool_call.id=b"),
		EXPECTED("input.value=[{\"contents\":[{\"message_content\":{\"text\":\"a\"},"
			 "\"tool_call\":{\"id\":\"b\"}}]}]"));
	expect(SENT(kind, list, "llm.input_messages.0.message.content=x",
		       "llm.input_messages.zero.message.content=y", "llm.input_messages.=z",
		       "llm.input_messages.0.message.content.deeper=w", "llm.input_messages..=v"),
		EXPECTED("input.value=[{\"content\":\"x\"}]"));
	expect(SENT(kind, list, "llm.input_messages.0=x", "llm.input_messages.1:=7"),
		EXPECTED("input.value=[\"x\",7]"));
	expect(SENT(kind, list, "llm.input_messages.role=x"),
		EXPECTED("input.value={\"role\":\"x\"}"));
}

Test(openinference, lists_are_read_whoever_said_what_kind_it_is)
{
	expect(SENT("gen_ai.operation.name=chat", "llm.input_messages.0.message.role=user"),
		EXPECTED("input.value=[{\"role\":\"user\"}]"));
	expect(SENT("gen_ai.operation.name=chat", "llm.input_messages.1.message.role=user"),
		EXPECTED("input.value"));
	expect(SENT("llm.model_name=m", "llm.prompts.0.prompt.text=x"),
		EXPECTED(
			"gen_ai.operation.name=text_completion", "input.value=[{\"text\":\"x\"}]"));
}

Test(openinference, completions_of_plain_text_are_that_operation)
{
	expect(SENT("openinference.span.kind=LLM", "llm.prompts.0.prompt.text=once upon",
		       "llm.choices.0.completion.text=a time"),
		EXPECTED("gen_ai.operation.name=text_completion",
			"input.value=[{\"text\":\"once upon\"}]",
			"output.value=[{\"text\":\"a time\"}]"));
	expect(SENT("openinference.span.kind=LLM", "llm.prompts.0.prompt.text=x",
		       "gen_ai.operation.name=generate"),
		EXPECTED("gen_ai.operation.name=generate"));
}

Test(openinference, documents_are_what_a_retriever_and_a_reranker_return)
{
	expect(SENT("openinference.span.kind=RETRIEVER", "input.value=who?",
		       "retrieval.documents.0.document.id=d1",
		       "retrieval.documents.0.document.content=text",
		       "retrieval.documents.0.document.score~=0.5",
		       "retrieval.documents.1.document.id:=2"),
		EXPECTED("input.value=who?", "input.mime_type=text/plain",
			"output.value=[{\"content\":\"text\",\"id\":\"d1\",\"score\":0.5},{\"id\":2}]"));
	expect(SENT("openinference.span.kind=RERANKER", "reranker.model_name=rerank-v3.5",
		       "reranker.input_documents.0.document.content=a",
		       "reranker.output_documents.0.document.content=b"),
		EXPECTED("input.value=[{\"content\":\"a\"}]", "output.value=[{\"content\":\"b\"}]",
			"gen_ai.request.model=rerank-v3.5", "langfuse.observation.model.name",
			"langfuse.observation.cost_details"));
	expect(SENT("openinference.span.kind=RETRIEVER", "output.value=[]",
		       "retrieval.documents.0.document.id=d1"),
		EXPECTED("output.value=[]", "output.mime_type=application/json"));
}

Test(openinference, an_embedding_is_priced_and_has_no_llm_names)
{
	expect(SENT("openinference.span.kind=EMBEDDING",
		       "embedding.model_name=text-embedding-3-small",
		       "llm.token_count.prompt:=1000", "llm.token_count.total:=1000"),
		EXPECTED("gen_ai.request.model=text-embedding-3-small",
			"langfuse.observation.model.name=text-embedding-3-small", "llm.model_name",
			"llm.system", "llm.provider", "gen_ai.provider.name=openai",
			"langfuse.observation.usage_details={\"input\":1000,\"total\":1000}",
			"langfuse.observation.cost_details={\"input\":0.00002,\"total\":0.00002}"));
}

Test(openinference, a_tool_keeps_its_definition_and_gets_its_other_names)
{
	expect(SENT("openinference.span.kind=TOOL", "tool.name=search", "tool_call.id=c1",
		       "tool.parameters={\"type\":\"object\"}", "input.value={\"q\":1}",
		       "output.value=found"),
		EXPECTED("gen_ai.tool.name=search", "gen_ai.tool.call.id=c1", "tool.id=c1",
			"tool.parameters={\"type\":\"object\"}", "input.mime_type=application/json",
			"output.mime_type=text/plain"));
	expect(SENT("openinference.span.kind=TOOL", "tool.name=search", "input.value={\"q\":1}"),
		EXPECTED("tool.parameters={\"q\":1}"));
}

Test(openinference, an_agent_and_a_chain_get_neither_model_nor_usage_nor_cost)
{
	static const char *const kinds[] = { "openinference.span.kind=AGENT",
		"openinference.span.kind=CHAIN" };
	for (size_t i = 0; i < 2; i++)
		expect(SENT(kinds[i], "agent.name=planner", "llm.model_name=gpt-4o",
			       "llm.token_count.prompt:=1000", "llm.token_count.completion:=1000",
			       "llm.cost.total~=1"),
			EXPECTED("langfuse.observation.model.name",
				"langfuse.observation.usage_details",
				"langfuse.observation.cost_details", "gen_ai.request.model",
				"gen_ai.usage.input_tokens", "gen_ai.operation.name"));
	expect(SENT("openinference.span.kind=AGENT", "agent.name=planner"),
		EXPECTED("gen_ai.agent.name=planner", "gen_ai.operation.name=invoke_agent"));
}

Test(openinference, hidden_content_is_none)
{
	expect(SENT("openinference.span.kind=LLM", "input.value=__REDACTED__",
		       "output.value=__REDACTED__"),
		EXPECTED("input.value=__REDACTED__", "input.mime_type", "output.mime_type"));
}

Test(openinference, context_of_the_trace_reaches_every_span)
{
	expect(SENT("openinference.span.kind=GUARDRAIL", "session.id=s", "user.id=u",
		       "tag.tags=[\"a\",\"b\"]", "metadata={\"k\":\"v\"}"),
		EXPECTED("langfuse.session.id=s", "gen_ai.conversation.id=s", "langfuse.user.id=u",
			"metadata={\"k\":\"v\"}"));
}

Test(openinference, the_parameters_stay_as_they_were_sent)
{
	expect(SENT("openinference.span.kind=LLM", "gen_ai.request.temperature~=0.5",
		       "llm.invocation_parameters={\"temperature\":0.2}"),
		EXPECTED("llm.invocation_parameters={\"temperature\":0.2}"));
}
