/*
 * What becomes of spans of Vercel's AI SDK, in the words of v4 to v6 and in those of v7, beyond what the
 * vectors of test_enrich.c say. Its tracer is named "ai" and states no version.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/enriched_span.h"
#include "support/one_span.h"
#include "vocabularies/vocabulary.h"

static void expect(const char *const *sent, const char *const *expected)
{
	expect_enriched("ai", "ai", sent, expected);
}

Test(vercel, each_step_has_its_kind)
{
	static const struct {
		const char *operation, *kind, *type;
	} kinds[] = {
		{ "ai.generateText", "AGENT", "agent" },
		{ "ai.streamText", "AGENT", "agent" },
		{ "ai.generateObject", "AGENT", "agent" },
		{ "ai.streamObject", "AGENT", "agent" },
		{ "ai.generateText.doGenerate", "LLM", "generation" },
		{ "ai.streamText.doStream", "LLM", "generation" },
		{ "ai.generateObject.doGenerate", "LLM", "generation" },
		{ "ai.streamObject.doStream", "LLM", "generation" },
		{ "ai.embed", "CHAIN", "chain" },
		{ "ai.embedMany", "CHAIN", "chain" },
		{ "ai.embed.doEmbed", "EMBEDDING", "embedding" },
		{ "ai.embedMany.doEmbed", "EMBEDDING", "embedding" },
		{ "ai.rerank", "CHAIN", "chain" },
		{ "ai.rerank.doRerank", "RERANKER", "span" },
		{ "ai.toolCall", "TOOL", "tool" },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char id[64], name[96], kind[64], type[64];
		snprintf(id, sizeof id, "ai.operationId=%s", kinds[i].operation);
		snprintf(name, sizeof name, "operation.name=%s my.fn", kinds[i].operation);
		snprintf(kind, sizeof kind, "openinference.span.kind=%s", kinds[i].kind);
		snprintf(type, sizeof type, "langfuse.observation.type=%s", kinds[i].type);
		expect(SENT(id), EXPECTED(kind, type));
		expect(SENT(name), EXPECTED(kind, type));
	}
}

Test(vercel, what_is_no_operation_of_its_says_nothing)
{
	static const char *const others[] = { "ai.operationId=ai.", "ai.operationId=ai.nothing",
		"ai.operationId=generateText", "ai.operationId:=7",
		"ai.operationId=", "operation.name=http.server.request", "operation.name=ai",
		"operation.name= ai.toolCall" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		expect(SENT(others[i], "ai.usage.inputTokens:=5"),
			EXPECTED("openinference.span.kind", "langfuse.observation.usage_details",
				"llm.token_count.prompt"));
}

Test(vercel, the_words_of_others_for_a_kind_come_first)
{
	expect(SENT("ai.operationId=ai.generateText", "openinference.span.kind=CHAIN"),
		EXPECTED("langfuse.observation.type=chain"));
	expect(SENT("ai.operationId=ai.generateText", "gen_ai.operation.name=chat"),
		EXPECTED("openinference.span.kind=LLM"));
	expect(SENT("ai.model.id=gpt-4o"), EXPECTED("openinference.span.kind=LLM"));
	expect(SENT("ai.toolCall.name=find"), EXPECTED("openinference.span.kind=TOOL"));
}

Test(vercel, the_metadata_that_an_application_hands_over_says_whose_it_is)
{
	expect(SENT("ai.telemetry.metadata.sessionId=s", "ai.telemetry.metadata.userId=u",
		       "ai.telemetry.metadata.tags@=beta,web"),
		EXPECTED("session.id=s", "langfuse.session.id=s", "user.id=u", "langfuse.user.id=u",
			"langfuse.trace.tags@=beta,web", "tag.tags@=beta,web",
			"gen_ai.conversation.id", "openinference.span.kind"));
	expect(SENT("ai.telemetry.metadata.sessionId=theirs", "langfuse.session.id=ours",
		       "ai.operationId=ai.toolCall"),
		EXPECTED("session.id=ours", "gen_ai.conversation.id=ours"));
}

Test(vercel, a_call_has_model_provider_usage_and_cost)
{
	/* 7 × 2.50, 4 × 1.25 and 9 × 10 dollars per million; gpt-4o has reasoning at the price of output */
	expect(SENT("ai.operationId=ai.generateText.doGenerate", "ai.model.id=gpt-4o",
		       "ai.response.model=gpt-4o-2024-11-20", "ai.model.provider=openai.responses",
		       "gen_ai.system=openai.responses", "ai.usage.inputTokens:=11",
		       "ai.usage.outputTokens:=9", "ai.usage.totalTokens:=20",
		       "ai.usage.cachedInputTokens:=4", "ai.usage.reasoningTokens:=6"),
		EXPECTED("gen_ai.request.model=gpt-4o", "gen_ai.response.model=gpt-4o-2024-11-20",
			"llm.model_name=gpt-4o-2024-11-20",
			"langfuse.observation.model.name=gpt-4o-2024-11-20",
			"gen_ai.provider.name=openai", "llm.provider=openai", "llm.system=openai",
			"gen_ai.system=openai.responses", "llm.token_count.prompt:=11",
			"llm.token_count.completion:=9", "llm.token_count.total:=20",
			"llm.token_count.prompt_details.cache_read:=4",
			"llm.token_count.completion_details.reasoning:=6",
			"langfuse.observation.usage_details={\"input\":7,\"output\":3,"
			"\"input_cached_tokens\":4,\"output_reasoning_tokens\":6,\"total\":20}",
			"llm.cost.total~=0.0001125"));
}

Test(vercel, counts_come_in_the_spellings_of_each_version)
{
	static const char *const inputs[] = { "ai.usage.inputTokens:=11",
		"ai.usage.promptTokens:=11", "ai.usage.inputTokens=11",
		"ai.usage.promptTokens~=11.9", "gen_ai.usage.prompt_tokens:=11" };
	static const char *const outputs[] = { "ai.usage.outputTokens:=5",
		"ai.usage.completionTokens:=5", "ai.usage.outputTokens=5",
		"ai.usage.completionTokens~=5.1", "gen_ai.usage.completion_tokens:=5" };
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		expect(SENT("ai.operationId=ai.streamText.doStream", "ai.model.id=m", inputs[i],
			       outputs[i]),
			EXPECTED("llm.token_count.prompt:=11", "llm.token_count.completion:=5",
				"llm.token_count.total:=16"));
	expect(SENT("ai.operationId=ai.streamText.doStream", "ai.model.id=m",
		       "ai.model.provider=openai.chat", "ai.usage.inputTokens:=11",
		       "ai.usage.outputTokens:=5", "ai.usage.inputTokenDetails.noCacheTokens:=4",
		       "ai.usage.inputTokenDetails.cacheReadTokens:=5",
		       "ai.usage.inputTokenDetails.cacheWriteTokens:=2",
		       "ai.usage.cachedInputTokens:=5",
		       "ai.usage.outputTokenDetails.reasoningTokens:=3",
		       "ai.usage.outputTokenDetails.textTokens:=2"),
		EXPECTED("langfuse.observation.usage_details={\"input\":4,\"output\":2,"
			 "\"input_cached_tokens\":5,\"input_cache_creation\":2,"
			 "\"output_reasoning_tokens\":3,\"total\":16}"));
}

Test(vercel, counts_that_are_none_are_not_read)
{
	static const char *const counts[] = { "ai.usage.inputTokens:=-5",
		"ai.usage.inputTokens=many", "ai.usage.inputTokens?=true",
		"ai.usage.inputTokens~=nan", "ai.usage.inputTokens~=inf",
		"ai.usage.inputTokens=", "ai.usage.inputTokens@=1,2",
		"ai.usage.inputTokens=9223372036854775808" };
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		expect(SENT("ai.operationId=ai.streamText.doStream", "ai.model.id=m", counts[i]),
			EXPECTED("llm.token_count.prompt", "langfuse.observation.usage_details"));
}

Test(vercel, up_to_v5_claude_is_counted_without_its_cache)
{
	const char *operation = "ai.operationId=ai.generateText.doGenerate",
		   *model = "ai.model.id=claude-sonnet-4-5", *input = "ai.usage.inputTokens:=100",
		   *output = "ai.usage.outputTokens:=10";
	static const char *const providers[] = { "ai.model.provider=anthropic.messages",
		"ai.model.provider=anthropic", "ai.model.provider=vertex.anthropic.messages",
		"ai.model.provider=amazon-bedrock", "gen_ai.system=anthropic.messages" };
	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
		expect(SENT(operation, model, providers[i], input, output,
			       "ai.usage.cachedInputTokens:=40"),
			EXPECTED("langfuse.observation.usage_details={\"input\":100,\"output\":10,"
				 "\"input_cached_tokens\":40,\"total\":150}",
				"llm.token_count.prompt:=140"));
	expect(SENT(operation, model, providers[0], input, output,
		       "ai.usage.inputTokenDetails.cacheReadTokens:=40"),
		EXPECTED("llm.token_count.prompt:=100"));
	expect(SENT(operation, "ai.model.id=gpt-4o", "ai.model.provider=openai.chat", input, output,
		       "ai.usage.cachedInputTokens:=40"),
		EXPECTED("llm.token_count.prompt:=100"));
}

Test(vercel, up_to_v5_gemini_counts_its_thoughts_beside_the_output)
{
	const char *operation = "ai.operationId=ai.generateText.doGenerate",
		   *model = "ai.model.id=gemini-2.5-flash",
		   *provider = "ai.model.provider=google.generative-ai",
		   *input = "ai.usage.inputTokens:=100", *output = "ai.usage.outputTokens:=50";
	expect(SENT(operation, model, provider, input, output, "ai.usage.reasoningTokens:=20"),
		EXPECTED("llm.token_count.completion:=70"));
	expect(SENT(operation, model, provider, input, output, "ai.usage.reasoningTokens:=20",
		       "ai.usage.outputTokenDetails.reasoningTokens:=20"),
		EXPECTED("llm.token_count.completion:=50"));
}

Test(vercel, the_providers_own_count_proves_what_the_sdks_contains)
{
	const char *operation = "ai.operationId=ai.generateObject.doGenerate",
		   *model = "ai.model.id=claude-sonnet-4-5",
		   *provider = "ai.model.provider=anthropic.messages",
		   *output = "ai.usage.outputTokens:=10",
		   *cached = "ai.usage.cachedInputTokens:=40";
	expect(SENT(operation, model, provider, "ai.usage.inputTokens:=140", output, cached,
		       "ai.response.providerMetadata={\"anthropic\":{\"usage\":"
		       "{\"input_tokens\":100,\"cache_read_input_tokens\":40}}}"),
		EXPECTED("llm.token_count.prompt:=140"));
	expect(SENT(operation, model, provider, "ai.usage.inputTokens:=100", output, cached,
		       "ai.response.providerMetadata={\"anthropic\":{\"usage\":"
		       "{\"input_tokens\":100,\"cache_read_input_tokens\":40}}}"),
		EXPECTED("llm.token_count.prompt:=140"));
}

Test(vercel, the_providers_metadata_has_what_the_sdk_does_not_count)
{
	const char *operation = "ai.operationId=ai.generateText.doGenerate",
		   *input = "ai.usage.promptTokens:=7", *output = "ai.usage.completionTokens:=445";
	expect(SENT(operation, input, output, "ai.model.id=claude-sonnet-4-5",
		       "ai.model.provider=anthropic.messages",
		       "ai.response.providerMetadata={\"anthropic\":{\"cacheReadInputTokens\":16399,"
		       "\"cacheCreationInputTokens\":2089}}"),
		EXPECTED("llm.token_count.prompt:=18495",
			"llm.token_count.prompt_details.cache_read:=16399",
			"llm.token_count.prompt_details.cache_write:=2089"));
	expect(SENT(operation, input, output, "ai.model.id=anthropic.claude-sonnet-4-5",
		       "ai.model.provider=amazon-bedrock",
		       "ai.response.providerMetadata={\"bedrock\":{\"usage\":"
		       "{\"cacheReadInputTokens\":4482,\"cacheWriteInputTokens\":3}}}"),
		EXPECTED("llm.token_count.prompt:=4492", "gen_ai.provider.name=aws.bedrock",
			"llm.token_count.prompt_details.cache_read:=4482",
			"llm.token_count.prompt_details.cache_write:=3"));
	expect(SENT(operation, "ai.usage.promptTokens:=100", output, "ai.model.id=o4-mini",
		       "ai.model.provider=openai.chat",
		       "ai.response.providerMetadata={\"openai\":{\"cachedPromptTokens\":64,"
		       "\"reasoningTokens\":400,\"serviceTier\":\"default\"}}"),
		EXPECTED("llm.token_count.prompt:=100",
			"llm.token_count.prompt_details.cache_read:=64",
			"llm.token_count.completion_details.reasoning:=400"));
}

/* 7 × 4, 5 × 0.2, 4 × 5, 6 × 8 and 10 × 20 dollars per million: an hour's write costs more. */
Test(vercel, metadata_tells_the_lives_of_writes)
{
	expect(SENT("ai.operationId=ai.generateText.doGenerate", "ai.model.id=claude-opus-5-5",
		       "ai.model.provider=anthropic.messages", "ai.usage.inputTokens:=7",
		       "ai.usage.outputTokens:=10",
		       "ai.response.providerMetadata={\"anthropic\":{\"usage\":{\"input_tokens\":7,"
		       "\"cache_read_input_tokens\":5,\"cache_creation_input_tokens\":10,"
		       "\"cache_creation\":{\"ephemeral_5m_input_tokens\":4,"
		       "\"ephemeral_1h_input_tokens\":6}}}}"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.000028,\"output\":0.0002,"
			 "\"input_cached_tokens\":0.000001,\"input_cache_creation_5m\":0.00002,"
			 "\"input_cache_creation_1h\":0.000048,\"total\":0.000297}",
			"llm.token_count.prompt:=22", "tollgate.cost.status"));
}

Test(vercel, metadata_decides_the_tier)
{
	const char *operation = "ai.operationId=ai.generateText.doGenerate",
		   *model = "ai.model.id=claude-opus-5-5",
		   *provider = "ai.model.provider=anthropic.messages",
		   *input = "ai.usage.inputTokens:=1000", *output = "ai.usage.outputTokens:=0";
	expect(SENT(operation, model, provider, input, output,
		       "ai.response.providerMetadata={\"anthropic\":{\"usage\":"
		       "{\"service_tier\":\"standard\",\"speed\":\"fast\"}}}"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.008,\"total\":0.008}"));
	expect(SENT(operation, model, provider, input, output,
		       "ai.response.providerMetadata={\"anthropic\":{\"usage\":"
		       "{\"service_tier\":\"batch\",\"speed\":\"standard\"}}}"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.002,\"total\":0.002}"));
}

Test(vercel, metadata_of_any_other_form_is_passed_over)
{
	static const char *const others[] = { "", "null", "[]", "{", "{}", "{\"anthropic\":7}",
		"{\"anthropic\":{\"cacheReadInputTokens\":-1}}",
		"{\"anthropic\":{\"cacheReadInputTokens\":\"many\"}}",
		"{\"anthropic\":{\"cacheReadInputTokens\":{}}}",
		"{\"anthropic\":{\"usage\":{\"cache_creation\":\"x\"}}}",
		"{\"anthropic\":{\"cacheReadInputTokens\":99999999999999999999}}" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		char metadata[128];
		snprintf(metadata, sizeof metadata, "ai.response.providerMetadata=%s", others[i]);
		expect(SENT("ai.operationId=ai.generateText.doGenerate", "ai.model.id=m",
			       "ai.model.provider=anthropic.messages", "ai.usage.inputTokens:=5",
			       metadata),
			EXPECTED("langfuse.observation.usage_details={\"input\":5}",
				"llm.token_count.prompt_details.cache_read"));
	}
}

Test(vercel, providers_have_the_names_of_genai)
{
	static const struct {
		const char *sent, *name;
	} providers[] = {
		{ "openai.chat", "openai" },
		{ "openai", "openai" },
		{ "anthropic.messages", "anthropic" },
		{ "google.vertex.chat", "gcp.vertex_ai" },
		{ "google.generative-ai", "gcp.gemini" },
		{ "amazon-bedrock", "aws.bedrock" },
		{ "azure-openai.chat", "azure.ai.openai" },
		{ "azure.chat", "azure.ai.inference" },
		{ "mistral.chat", "mistral_ai" },
		{ "cohere.chat", "cohere" },
		{ "groq.chat", "groq" },
		{ "deepseek.chat", "deepseek" },
		{ "perplexity", "perplexity" },
		{ "xai.chat", "x_ai" },
		{ "openai-like", "openai-like" },
		{ "gateway", "gateway" },
	};
	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
		char sent[64], name[64];
		snprintf(sent, sizeof sent, "ai.model.provider=%s", providers[i].sent);
		snprintf(name, sizeof name, "gen_ai.provider.name=%s", providers[i].name);
		expect(SENT("ai.operationId=ai.embed.doEmbed", "ai.model.id=m", sent),
			EXPECTED(name));
	}
}

Test(vercel, the_outer_span_repeats_the_sums_and_gets_none)
{
	expect(SENT("ai.operationId=ai.generateText", "ai.telemetry.functionId=chat-fn",
		       "ai.model.id=gpt-4o", "ai.model.provider=openai.chat",
		       "ai.usage.promptTokens:=11", "ai.usage.completionTokens:=3",
		       "ai.prompt={\"prompt\":\"hi\"}", "ai.response.text=hey"),
		EXPECTED("agent.name=chat-fn", "gen_ai.agent.name=chat-fn", "gen_ai.operation.name",
			"llm.token_count.prompt", "langfuse.observation.usage_details",
			"langfuse.observation.cost_details", "langfuse.observation.model.name",
			"gen_ai.request.model", "input.value={\"prompt\":\"hi\"}",
			"input.mime_type=application/json", "output.value=hey",
			"output.mime_type=text/plain"));
	expect(SENT("ai.operationId=ai.generateText.doGenerate", "ai.telemetry.functionId=chat-fn"),
		EXPECTED("agent.name"));
}

static void expect_name(const char *const *sent, const char *expected)
{
	struct bytes request = one_span("ai", sent);
	struct field field = { .body = request };
	struct facts resource = { 0 }, facts;
	struct surroundings around = { .resource = &resource };
	struct span span = { 0 };
	struct arena arena;
	arena_init(&arena, 1 << 20, NULL);
	for (int depth = 0; depth < 3; depth++) { /* ResourceSpans, ScopeSpans, Span: one of each */
		struct wire wire = wire_of(field.body);
		cr_assert_eq(wire_next(&wire, &field), 1);
	}
	cr_assert_eq(span_read(&field, 8, &arena, &span), 0);
	facts_read(&span, &around, &arena, &facts);
	struct bytes name = facts.said[FACT_SPAN_NAME].bytes;
	cr_expect(bytes_are(name, expected), "%.*s", (int)name.len, (const char *)name.at);
	arena_done(&arena);
	free((void *)request.at);
}

Test(vercel, a_step_is_named_after_its_function)
{
	expect_name(SENT("ai.operationId=ai.generateText", "ai.telemetry.functionId=fn"),
		"fn:ai.generateText");
	expect_name(SENT("operation.name=ai.generateText fn", "ai.telemetry.functionId=fn"),
		"fn:ai.generateText");
	expect_name(SENT("ai.operationId=ai.embed.doEmbed"), "ai.embed.doEmbed");
	expect_name(SENT("ai.operationId=ai.embed.doEmbed", "ai.telemetry.functionId:=7"),
		"ai.embed.doEmbed");
	expect_name(SENT("ai.operationId=ai.toolCall", "ai.toolCall.name=find",
			    "ai.telemetry.functionId=fn"),
		"find");
	expect_name(SENT("ai.operationId=ai.generateText", "logfire.msg=told"), "told");
	expect_name(SENT("ai.telemetry.functionId=fn"), "");
}

Test(vercel, content_is_the_first_that_is_there)
{
	const char *operation = "ai.operationId=ai.generateText.doGenerate";
	expect(SENT(operation, "ai.prompt={}", "ai.prompt.messages=[{\"role\":\"user\"}]",
		       "ai.response.toolCalls=[{\"toolName\":\"t\"}]",
		       "ai.response.text=", "ai.response.object={\"a\":1}"),
		EXPECTED("input.value=[{\"role\":\"user\"}]", "output.value={\"a\":1}"));
	expect(SENT(operation, "ai.response.toolCalls=[{\"toolName\":\"t\"}]", "ai.response.text="),
		EXPECTED("output.value=[{\"toolName\":\"t\"}]"));
	expect(SENT("ai.operationId=ai.embed", "ai.value=\"text\""),
		EXPECTED("input.value=\"text\""));
	expect(SENT("ai.operationId=ai.embedMany.doEmbed", "ai.values@=a,b"),
		EXPECTED("input.value=[\"a\",\"b\"]", "input.mime_type=application/json"));
	expect(SENT(operation, "ai.prompt=<REDACTED>", "ai.response.text=__REDACTED__"),
		EXPECTED("input.value", "output.value"));
}

Test(vercel, a_tool_has_name_call_arguments_and_result)
{
	expect(SENT("ai.operationId=ai.toolCall", "ai.toolCall.name=find", "ai.toolCall.id=c1",
		       "ai.toolCall.args={\"q\":1}", "ai.toolCall.result=\"row\""),
		EXPECTED("tool.name=find", "gen_ai.tool.name=find", "tool.id=c1",
			"gen_ai.tool.call.id=c1", "tool.parameters={\"q\":1}",
			"input.value={\"q\":1}", "output.value=\"row\"",
			"gen_ai.operation.name=execute_tool"));
}

Test(vercel, settings_are_the_parameters)
{
	expect(SENT("ai.operationId=ai.streamText.doStream", "ai.model.id=m",
		       "ai.settings.temperature:=0", "ai.settings.topP~=0.5",
		       "ai.settings.topK:=40", "ai.settings.presencePenalty:=1",
		       "ai.settings.frequencyPenalty:=2", "ai.settings.seed:=3",
		       "ai.settings.stopSequences@=a,b", "ai.settings.maxOutputTokens:=9",
		       "ai.settings.maxTokens:=8", "ai.settings.maxRetries:=2",
		       "ai.response.finishReason=stop", "ai.response.msToFirstChunk~=1500.75"),
		EXPECTED("llm.invocation_parameters={\"model\":\"m\",\"temperature\":0,"
			 "\"top_p\":0.5,\"top_k\":40,\"presence_penalty\":1,"
			 "\"frequency_penalty\":2,\"seed\":3,\"stop_sequences\":[\"a\",\"b\"],"
			 "\"max_tokens\":9}",
			"llm.finish_reason=stop",
			"langfuse.observation.completion_start_time=2026-11-17T00:00:01.500Z"));
}

Test(vercel, a_managed_prompt_has_name_and_version_or_neither)
{
	const char *operation = "ai.operationId=ai.generateText.doGenerate";
	expect(SENT(operation,
		       "ai.telemetry.metadata.langfusePrompt={\"name\":\"greet\",\"version\":2,"
		       "\"prompt\":\"Hi {{name}}\"}"),
		EXPECTED("langfuse.observation.prompt.name=greet",
			"langfuse.observation.prompt.version:=2"));
	static const char *const broken[] = { "{\"name\":\"greet\"}", "{\"version\":2}",
		"{\"name\":\"greet\",\"version\":0}", "{\"name\":\"greet\",\"version\":-2}",
		"{\"name\":\"greet\",\"version\":\"latest\"}", "{\"name\":\"\",\"version\":2}",
		"{\"name\":\"greet\",\"version\":2", "greet", "[\"greet\",2]" };
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		char prompt[128];
		snprintf(prompt, sizeof prompt, "ai.telemetry.metadata.langfusePrompt=%s",
			broken[i]);
		expect(SENT(operation, prompt),
			EXPECTED("langfuse.observation.prompt.name",
				"langfuse.observation.prompt.version"));
	}
	expect(SENT("ai.operationId=ai.generateText",
		       "ai.telemetry.metadata.langfusePrompt={\"name\":\"greet\",\"version\":2}"),
		EXPECTED("langfuse.observation.prompt.name"));
}

Test(vercel, v7_says_it_in_the_words_of_genai)
{
	expect_enriched("ai", "invoke_agent fn",
		SENT("gen_ai.operation.name=invoke_agent", "gen_ai.agent.name=fn",
			"gen_ai.provider.name=anthropic", "gen_ai.request.model=claude-sonnet-4-5",
			"gen_ai.usage.input_tokens:=90"),
		EXPECTED("openinference.span.kind=AGENT", "agent.name=fn", "llm.token_count.prompt",
			"langfuse.observation.usage_details", "langfuse.observation.model.name"));
	expect_enriched("ai", "step 1", SENT("gen_ai.operation.name=agent_step"),
		EXPECTED("openinference.span.kind=CHAIN"));
	expect_enriched("ai", "chat",
		SENT("gen_ai.operation.name=chat", "gen_ai.provider.name=anthropic",
			"gen_ai.request.model=claude-sonnet-4-5", "gen_ai.usage.input_tokens:=90",
			"gen_ai.usage.output_tokens:=10",
			"gen_ai.usage.cache_creation.input_tokens:=40"),
		EXPECTED("langfuse.observation.usage_details={\"input\":50,\"output\":10,"
			 "\"input_cache_creation\":40,\"total\":100}",
			"tollgate.usage.convention"));
	expect_enriched("gen_ai", "chat",
		SENT("gen_ai.operation.name=chat", "gen_ai.provider.name=gcp.gen_ai",
			"gen_ai.request.model=gemini-2.5-flash", "gen_ai.usage.input_tokens:=90",
			"gen_ai.usage.output_tokens:=10",
			"gen_ai.usage.reasoning.output_tokens:=4"),
		EXPECTED("llm.token_count.completion:=10", "tollgate.usage.convention"));
}
