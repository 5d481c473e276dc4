/*
 * What becomes of spans of LiteLLM's callback, beyond what vector 19 of test_enrich.c says.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/enriched_span.h"

static void expect(const char *const *sent, const char *const *expected)
{
	expect_enriched("litellm", "litellm_request", sent, expected);
}

Test(litellm, a_type_of_request_is_a_kind_also_where_it_is_asynchronous)
{
	static const struct {
		const char *type, *kind;
	} kinds[] = {
		{ "completion", "LLM" },
		{ "acompletion", "LLM" },
		{ "atext_completion", "LLM" },
		{ "embedding", "EMBEDDING" },
		{ "aembedding", "EMBEDDING" },
		{ "rerank", "RERANKER" },
		{ "arerank", "RERANKER" },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char type[64], operation[64], kind[64];
		snprintf(type, sizeof type, "llm.request.type=%s", kinds[i].type);
		snprintf(operation, sizeof operation, "gen_ai.operation.name=%s", kinds[i].type);
		snprintf(kind, sizeof kind, "openinference.span.kind=%s", kinds[i].kind);
		expect(SENT(type, operation, "gen_ai.request.model=m"), EXPECTED(kind, operation));
	}
}

Test(litellm, its_users_and_sessions_are_read_on_its_spans_alone)
{
	expect(SENT("metadata.user_api_key_end_user_id=end", "metadata.user_api_key_user_id=key",
		       "metadata.session_id=s"),
		EXPECTED("langfuse.user.id=end", "user.id=end", "langfuse.session.id=s",
			"openinference.span.kind"));
	expect(SENT("metadata.user_api_key_end_user_id=", "metadata.user_api_key_user_id=key"),
		EXPECTED("langfuse.user.id=key"));
	expect(SENT("llm.user=u", "metadata.user_api_key_user_id=key"),
		EXPECTED("langfuse.user.id=u"));
	expect_enriched("my.http.client", "GET /",
		SENT("metadata.session_id=s", "metadata.user_api_key_user_id=key"),
		EXPECTED("langfuse.session.id", "session.id", "langfuse.user.id"));
	expect_enriched("a tracer of another name", "litellm_request",
		SENT("metadata.session_id=s"), EXPECTED("langfuse.session.id=s"));
}

Test(litellm, what_it_paid_is_told_where_we_know_no_price)
{
	expect(SENT("llm.request.type=acompletion", "gen_ai.request.model=my-own",
		       "gen_ai.usage.input_tokens:=10", "gen_ai.cost.input_cost~=0.25",
		       "gen_ai.cost.output_cost~=0.5", "gen_ai.cost.total_cost~=0.75"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.25,\"output\":0.5,"
			 "\"total\":0.75}",
			"llm.cost.total~=0.75", "tollgate.cost.source=sender"));
	expect(SENT("llm.request.type=acompletion", "gen_ai.request.model=my-own",
		       "gen_ai.usage.input_tokens:=10",
		       "hidden_params={\"response_cost\":0.5,\"model_id\":\"x\"}"),
		EXPECTED("llm.cost.total~=0.5", "tollgate.cost.source=sender"));
	expect(SENT("llm.request.type=acompletion", "gen_ai.request.model=my-own",
		       "gen_ai.usage.input_tokens:=10", "gen_ai.cost.total_cost~=-1",
		       "hidden_params={\"response_cost\":"),
		EXPECTED("llm.cost.total", "tollgate.cost.source"));
}

Test(litellm, cached_tokens_are_found_where_it_hides_them)
{
	expect(SENT("llm.request.type=acompletion", "gen_ai.system=anthropic",
		       "gen_ai.request.model=claude-opus-5-5", "gen_ai.usage.input_tokens:=10252",
		       "gen_ai.usage.output_tokens:=14",
		       "hidden_params={\"usage_object\":{\"prompt_tokens\":10252,"
		       "\"prompt_tokens_details\":{\"cached_tokens\":8192},"
		       "\"cache_creation_input_tokens\":2048,"
		       "\"completion_tokens_details\":{\"reasoning_tokens\":null}}}"),
		EXPECTED("llm.token_count.prompt:=10252",
			"llm.token_count.prompt_details.cache_read:=8192",
			"llm.token_count.prompt_details.cache_write:=2048",
			"llm.token_count.completion_details.reasoning"));
	expect(SENT("llm.request.type=acompletion", "gen_ai.request.model=m",
		       "gen_ai.usage.input_tokens:=5", "hidden_params={\"usage_object\":[1]}"),
		EXPECTED("llm.token_count.prompt:=5", "llm.token_count.prompt_details.cache_read"));
	expect_enriched("other", "chat",
		SENT("gen_ai.operation.name=chat", "gen_ai.usage.input_tokens:=5",
			"hidden_params={\"usage_object\":{\"cache_read_input_tokens\":1}}"),
		EXPECTED("llm.token_count.prompt_details.cache_read"));
}

Test(litellm, calls_beside_the_parts_are_calls)
{
	expect_request(
		sent_request(&(struct sent){ .scope = "litellm",
			.name = "litellm_request",
			.attributes = SENT("llm.request.type=acompletion",
				"gen_ai.system_instructions=[{\"role\": \"system\", \"parts\": "
				"[{\"type\": \"text\", \"content\": \"be kind\"}]}]",
				"gen_ai.input.messages=[{\"role\": \"tool\", \"parts\": "
				"[{\"type\": \"text\", \"content\": \"7\"}], \"tool_call_id\": \"c0\"}]",
				"gen_ai.output.messages=[{\"role\": \"assistant\", \"parts\": [], "
				"\"tool_calls\": [{\"id\": \"c1\", \"type\": \"function\", \"function\": "
				"{\"name\": \"get\", \"arguments\": \"{\\\"a\\\":1}\"}}]}]") }),
		true,
		EXPECTED("input.value=[{\"role\":\"system\",\"parts\":[{\"type\": \"text\", "
			 "\"content\": \"be kind\"}]},{\"role\": \"tool\", \"parts\": [{\"type\": "
			 "\"text\", \"content\": \"7\"}], \"tool_call_id\": \"c0\"}]",
			"llm.input_messages.0.message.role=system",
			"llm.input_messages.0.message.content=be kind",
			"llm.input_messages.1.message.role=tool",
			"llm.input_messages.1.message.content=7",
			"llm.input_messages.1.message.tool_call_id=c0",
			"llm.output_messages.0.message.role=assistant",
			"llm.output_messages.0.message.tool_calls.0.tool_call.id=c1",
			"llm.output_messages.0.message.tool_calls.0.tool_call.function.name=get",
			"llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments="
			"{\"a\":1}"));
}
