/*
 * What becomes of spans that follow OpenTelemetry's GenAI conventions, of any of their generations, beyond
 * what the vectors of test_enrich.c say. Messages are test_messages.c's.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/enriched_span.h"

static void expect(const char *const *sent, const char *const *expected)
{
	expect_enriched(NULL, "step", sent, expected);
}

Test(gen_ai, each_operation_has_its_kind)
{
	static const char *const kinds[][2] = { { "chat", "LLM" }, { "text_completion", "LLM" },
		{ "generate_content", "LLM" }, { "completion", "LLM" }, { "generate", "LLM" },
		{ "llm_request", "LLM" }, { "embeddings", "EMBEDDING" },
		{ "embedding", "EMBEDDING" }, { "retrieval", "RETRIEVER" },
		{ "search_memory", "RETRIEVER" }, { "vector_db_retrieve", "RETRIEVER" },
		{ "execute_tool", "TOOL" }, { "invoke_agent", "AGENT" },
		{ "create_agent", "AGENT" }, { "plan", "AGENT" }, { "invoke_workflow", "CHAIN" },
		{ "agent_step", "CHAIN" }, { "execute_task", "CHAIN" },
		{ "fetch_response", "CHAIN" }, { "delete_memory_store", "CHAIN" },
		{ "rerank", "RERANKER" } };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char operation[64], kind[64];
		snprintf(operation, sizeof operation, "gen_ai.operation.name=%s", kinds[i][0]);
		snprintf(kind, sizeof kind, "openinference.span.kind=%s", kinds[i][1]);
		expect(SENT(operation), EXPECTED(kind, operation));
	}
	expect(SENT("gen_ai.operation.name=something"), EXPECTED("openinference.span.kind"));
	expect(SENT("gen_ai.operation.name:=1"), EXPECTED("openinference.span.kind"));
}

Test(gen_ai, what_it_carries_tells_what_a_span_is)
{
	expect(SENT("gen_ai.tool.name=t"), EXPECTED("openinference.span.kind=TOOL"));
	expect(SENT("gen_ai.tool.call.id=c"), EXPECTED("openinference.span.kind=TOOL"));
	expect(SENT("db.vector.query.top_k:=3"), EXPECTED("openinference.span.kind=RETRIEVER"));
	expect(SENT("gen_ai.request.model=m"), EXPECTED("openinference.span.kind=LLM"));
	expect(SENT("gen_ai.agent.id=a"), EXPECTED("openinference.span.kind=AGENT"));
	expect(SENT("http.request.method=GET", "db.system=redis", "url.path=/chat"),
		EXPECTED("openinference.span.kind", "langfuse.observation.type"));
}

Test(gen_ai, tokens_have_three_generations_of_names)
{
	static const char *const generations[][4] = {
		{ "gen_ai.usage.prompt_tokens:=100", "gen_ai.usage.completion_tokens:=20",
			"gen_ai.usage.cache_read_input_tokens:=40",
			"gen_ai.usage.cache_creation_input_tokens:=10" },
		{ "gen_ai.usage.input_tokens:=100", "gen_ai.usage.output_tokens:=20",
			"gen_ai.usage.cache_read.input_tokens:=40",
			"gen_ai.usage.cache_creation.input_tokens:=10" },
		{ "gen_ai.usage.input_tokens=100", "gen_ai.usage.output_tokens~=20.0",
			"gen_ai.usage.details.cache_read_tokens:=40",
			"gen_ai.usage.cache_write.input_tokens:=10" },
	};
	for (size_t i = 0; i < sizeof generations / sizeof *generations; i++)
		expect(SENT("gen_ai.operation.name=chat", "gen_ai.request.model=claude-opus-5-5",
			       generations[i][0], generations[i][1], generations[i][2],
			       generations[i][3]),
			EXPECTED("llm.token_count.prompt:=100", "llm.token_count.completion:=20",
				"llm.token_count.prompt_details.cache_read:=40",
				"llm.token_count.prompt_details.cache_write:=10",
				"llm.token_count.total:=120"));
}

Test(gen_ai, a_retrieval_has_its_query_and_its_documents)
{
	expect(SENT("gen_ai.operation.name=retrieval", "gen_ai.retrieval.query.text=capital?",
		       "gen_ai.retrieval.documents=[{\"id\":\"d1\",\"score\":0.9}]"),
		EXPECTED("input.value=capital?", "output.value=[{\"id\":\"d1\",\"score\":0.9}]",
			"output.mime_type=application/json"));
	expect(SENT("gen_ai.retrieval.documents=[]", "db.vector.query.top_k:=3"),
		EXPECTED("openinference.span.kind=RETRIEVER", "output.value=[]"));
	expect(SENT("db.vector.query.top_k:=3"), EXPECTED("output.value"));
}

Test(gen_ai, the_tier_that_was_served_decides_the_price)
{
	const char *kind = "gen_ai.operation.name=chat", *model = "gen_ai.request.model=gpt-5",
		   *tokens = "gen_ai.usage.input_tokens:=1000";
	expect(SENT(kind, model, tokens, "openai.request.service_tier=flex",
		       "openai.response.service_tier=default"),
		EXPECTED("llm.cost.total~=0.00125"));
	expect(SENT(kind, model, tokens, "openai.response.service_tier=flex"),
		EXPECTED("llm.cost.total~=0.000625"));
	expect(SENT(kind, model, tokens, "gen_ai.openai.request.service_tier=flex"),
		EXPECTED("llm.cost.total~=0.000625"));
}

Test(gen_ai, a_call_has_parameters_a_reason_and_a_first_chunk)
{
	expect(SENT("gen_ai.operation.name=chat", "gen_ai.request.model=m",
		       "gen_ai.request.temperature~=0.5", "gen_ai.request.max_tokens:=10",
		       "gen_ai.openai.request.seed:=7", "gen_ai.response.finish_reasons@=stop,stop",
		       "gen_ai.response.time_to_first_chunk~=0.25"),
		EXPECTED("llm.invocation_parameters={\"model\":\"m\",\"temperature\":0.5,"
			 "\"seed\":7,\"max_tokens\":10}",
			"llm.finish_reason=stop",
			"langfuse.observation.completion_start_time=2026-11-17T00:00:00.250Z"));
	expect(SENT("gen_ai.operation.name=chat", "gen_ai.response.finish_reason=length"),
		EXPECTED("llm.finish_reason=length", "llm.invocation_parameters"));
}

Test(gen_ai, a_managed_prompt_is_linked)
{
	expect(SENT("gen_ai.operation.name=chat", "gen_ai.prompt.name=greeting",
		       "gen_ai.prompt.version=2"),
		EXPECTED("langfuse.observation.prompt.name=greeting",
			"langfuse.observation.prompt.version:=2"));
}
