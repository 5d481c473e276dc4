/*
 * What becomes of spans of Langfuse's own SDKs and of names under which anybody may tell Langfuse something,
 * beyond what the vectors of test_enrich.c say.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/enriched_span.h"

static void expect(const char *const *sent, const char *const *expected)
{
	expect_enriched("langfuse-sdk", "step", sent, expected);
}

static const char generation[] = "langfuse.observation.type=generation",
		  haiku[] = "langfuse.observation.model.name=claude-haiku-4-5";

Test(langfuse_sdk, its_types_are_kinds)
{
	static const struct {
		const char *type, *kind;
	} types[] = {
		{ "generation", "=LLM" },
		{ "embedding", "=EMBEDDING" },
		{ "agent", "=AGENT" },
		{ "tool", "=TOOL" },
		{ "chain", "=CHAIN" },
		{ "retriever", "=RETRIEVER" },
		{ "guardrail", "=GUARDRAIL" },
		{ "evaluator", "=EVALUATOR" },
		{ "span", "" },
		{ "event", "" },
		{ "llm", "" },
		{ "unheard of", "" },
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		char type[64], kind[64];
		snprintf(type, sizeof type, "langfuse.observation.type=%s", types[i].type);
		snprintf(kind, sizeof kind, "openinference.span.kind%s", types[i].kind);
		expect(SENT(type), EXPECTED(kind, type));
	}
}

Test(langfuse_sdk, what_it_says_of_a_trace_stands_under_every_name)
{
	expect(SENT(generation, "langfuse.session.id=s", "langfuse.user.id=u",
		       "langfuse.trace.tags@=a,b"),
		EXPECTED("session.id=s", "gen_ai.conversation.id=s", "user.id=u", "tag.tags@=a,b"));
	expect(SENT("langfuse.trace.metadata.langfuse_session_id=s",
		       "langfuse.trace.metadata.langfuse_user_id=u",
		       "langfuse.observation.metadata.langfuse_tags=[\"a\",\"b\"]"),
		EXPECTED(
			"langfuse.session.id=s", "langfuse.user.id=u", "langfuse.trace.tags@=a,b"));
	expect(SENT("langfuse.observation.metadata.langfuse_session_id=s",
		       "langfuse.observation.metadata.langfuse_user_id=u",
		       "mlflow.trace.session=other"),
		EXPECTED("session.id=s", "user.id=u"));
	expect(SENT("enduser.id=general", "langfuse.trace.metadata.langfuse_user_id=handed"),
		EXPECTED("user.id=general"));
}

Test(langfuse_sdk, its_model_is_the_one_shown_and_priced)
{
	expect(SENT(generation, haiku, "gen_ai.response.model=other"),
		EXPECTED("llm.model_name=claude-haiku-4-5", "gen_ai.response.model=other",
			"gen_ai.provider.name=anthropic"));
	expect(SENT(haiku), EXPECTED("openinference.span.kind=LLM"));
	expect(SENT("langfuse.observation.type=agent", haiku), EXPECTED("llm.model_name"));
}

/* The cost is that of 1000 × 1, 400 × 0.1, 200 × 1.25 and 100 × 5 dollars per million. */
Test(langfuse_sdk, usage_that_it_details_is_priced_and_stays)
{
	const char *details = "langfuse.observation.usage_details={\"input\":1000,\"output\":100,"
			      "\"input_cached_tokens\":400,\"input_cache_creation\":200}";
	expect(SENT(generation, haiku, details),
		EXPECTED(details, "llm.token_count.prompt:=1600", "llm.token_count.completion:=100",
			"llm.token_count.total:=1700", "gen_ai.usage.input_tokens:=1600",
			"llm.token_count.prompt_details.cache_read:=400",
			"llm.token_count.prompt_details.cache_write:=200",
			"llm.cost.total~=0.00179"));
}

Test(langfuse_sdk, usage_has_the_keys_of_many_apis)
{
	static const char *const details[] = {
		"{\"input\":1000,\"output\":100,\"cache_read_input_tokens\":400,"
		"\"cache_creation_input_tokens\":200,\"total\":1700}",
		"{\"input_tokens\":1000,\"output_tokens\":100,\"cache_read_input_tokens\":400,"
		"\"cache_creation_input_tokens\":200}",
		"{\"input\":1000,\"output\":100,\"input_cache_read\":400,"
		"\"cache_write_tokens\":200}",
		"{\"input\":\"1000\",\"output\":1e2,\"input_cached_tokens\":400.0,"
		"\"input_cache_creation\":200,\"note\":{},\"output_audio\":-5}",
		"{\"prompt_tokens\":1600,\"completion_tokens\":100,\"total_tokens\":1700,"
		"\"prompt_tokens_details\":{\"cached_tokens\":400,\"cache_write_tokens\":200},"
		"\"completion_tokens_details\":null}",
		"{\"input_tokens\":1600,\"output_tokens\":100,\"total_tokens\":1700,"
		"\"input_tokens_details\":{\"cached_tokens\":400,\"cache_write_tokens\":200}}",
	};
	for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
		char sent[320];
		snprintf(sent, sizeof sent, "langfuse.observation.usage_details=%s", details[i]);
		expect(SENT(generation, haiku, sent),
			EXPECTED(sent, "llm.token_count.prompt:=1600",
				"llm.token_count.completion:=100", "llm.cost.total~=0.00179"));
	}
}

Test(langfuse_sdk, reasoning_beside_output_is_output_too)
{
	const char *details = "langfuse.observation.usage_details={\"input\":10,\"output\":100,"
			      "\"output_reasoning_tokens\":30}";
	expect(SENT(generation, "langfuse.observation.model.name=gpt-5", details),
		EXPECTED(details, "llm.token_count.completion_details.reasoning:=30"));
	const char *openai = "langfuse.observation.usage_details={\"prompt_tokens\":10,"
			     "\"completion_tokens\":130,\"total_tokens\":140,"
			     "\"completion_tokens_details\":{\"reasoning_tokens\":30}}";
	expect(SENT(generation, "langfuse.observation.model.name=gpt-5", openai),
		EXPECTED(openai, "llm.token_count.completion:=130",
			"llm.token_count.completion_details.reasoning:=30"));
}

/* 1000 × 1, 400 × 0.1, 100 × 1.25, 50 × 1.25, 30 × 2 and 100 × 5 dollars per million. */
Test(langfuse_sdk, writes_of_a_known_life_stand_beside_the_others)
{
	const char *details = "langfuse.observation.usage_details={\"input\":1000,\"output\":100,"
			      "\"input_cached_tokens\":400,\"input_cache_creation\":100,"
			      "\"input_cache_creation_5m\":50,\"input_cache_creation_1h\":30}";
	expect(SENT(generation, haiku, details),
		EXPECTED(details, "llm.token_count.prompt:=1580",
			"llm.token_count.prompt_details.cache_write:=180",
			"llm.cost.total~=0.0017875"));
}

Test(langfuse_sdk, audio_stands_beside_what_is_not)
{
	const char *model = "langfuse.observation.model.name=gpt-4o-audio-preview",
		   *details = "langfuse.observation.usage_details={\"input\":70,\"output\":45,"
			      "\"input_audio_tokens\":30,\"output_audio\":5}";
	expect(SENT(generation, model, details),
		EXPECTED(details, "llm.token_count.prompt:=100", "llm.token_count.completion:=50",
			"llm.cost.prompt~=0.001375", "llm.cost.completion~=0.00085"));
}

Test(langfuse_sdk, usage_of_no_such_form_is_none)
{
	static const char *const details[] = { "", "x", "7", "[]", "{}", "{\"input\":", "null",
		"{\"input\":-1}", "{\"input\":\"many\"}", "{\"input\":[1]}",
		"{\"input\":99999999999999999999}" };
	for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
		char sent[96];
		snprintf(sent, sizeof sent, "langfuse.observation.usage_details=%s", details[i]);
		expect(SENT(generation, haiku, sent),
			EXPECTED("llm.token_count.prompt", "langfuse.observation.cost_details"));
	}
}

Test(langfuse_sdk, counts_under_other_names_are_not_mixed_with_its)
{
	const char *details = "langfuse.observation.usage_details={\"input\":1,"
			      "\"input_cached_tokens\":7}";
	expect(SENT(generation, haiku, details, "gen_ai.usage.input_tokens:=1000"),
		EXPECTED(details, "llm.token_count.prompt:=1000",
			"llm.token_count.prompt_details.cache_read"));
}

Test(langfuse_sdk, its_cost_has_the_last_word)
{
	const char *cost = "langfuse.observation.cost_details={\"total\":7}",
		   *usage = "langfuse.observation.usage_details={\"input\":1000}";
	expect(SENT(generation, haiku, usage, cost), EXPECTED(usage, cost, "llm.cost.total"));
}

Test(langfuse_sdk, an_agent_with_usage_of_its_own_does_not_say_what_loses_it)
{
	const char *agent = "langfuse.observation.type=agent";
	expect(SENT(agent), EXPECTED("gen_ai.operation.name=invoke_agent"));
	expect(SENT(agent, "langfuse.observation.usage_details={\"input\":1000}"),
		EXPECTED("gen_ai.operation.name", "llm.token_count.prompt"));
	expect(SENT(agent, "langfuse.observation.cost_details={\"total\":1}"),
		EXPECTED("gen_ai.operation.name"));
}

Test(langfuse_sdk, its_parameters_are_the_parameters_and_say_the_tier)
{
	const char *model = "langfuse.observation.model.name=claude-opus-5-5",
		   *usage = "langfuse.observation.usage_details={\"input\":1000}";
	expect(SENT(generation, model, usage,
		       "langfuse.observation.model.parameters={\"temperature\":1,"
		       "\"speed\":\"fast\"}"),
		EXPECTED("llm.invocation_parameters={\"temperature\":1,\"speed\":\"fast\"}",
			"langfuse.observation.cost_details={\"input\":0.008,\"total\":0.008}"));
	expect(SENT(generation, model, usage, "langfuse.observation.model.parameters=none"),
		EXPECTED("llm.invocation_parameters",
			"langfuse.observation.cost_details={\"input\":0.004,\"total\":0.004}"));
}

Test(langfuse_sdk, content_and_level_are_known_to_other_readers)
{
	expect(SENT(generation, "langfuse.observation.input={\"q\":1}",
		       "langfuse.observation.output=a", "input.value=theirs"),
		EXPECTED("input.value=theirs", "output.value=a", "output.mime_type=text/plain"));
	expect(SENT(generation, "langfuse.observation.level=ERROR",
		       "langfuse.observation.input=text that would be counted"),
		EXPECTED("langfuse.observation.cost_details={\"total\":0}"));
	expect(SENT(generation, "langfuse.observation.level=WARNING"),
		EXPECTED("langfuse.observation.cost_details"));
}

Test(langfuse_sdk, a_managed_prompt_stands_whole_or_not_at_all)
{
	static const char name[] = "langfuse.observation.prompt.name",
			  version[] = "langfuse.observation.prompt.version";
	expect(SENT(generation, "langfuse.prompt.name=greet", "langfuse.prompt.version:=3"),
		EXPECTED("langfuse.observation.prompt.name=greet",
			"langfuse.observation.prompt.version:=3"));
	expect(SENT(generation, "langfuse.prompt.name=greet", "langfuse.prompt.version=3"),
		EXPECTED("langfuse.observation.prompt.version:=3"));
	expect(SENT(generation, "langfuse.observation.prompt.name=ours",
		       "langfuse.prompt.name=theirs", "langfuse.prompt.version:=3"),
		EXPECTED("langfuse.observation.prompt.name=ours",
			"langfuse.observation.prompt.version:=3"));
	expect(SENT(generation, "langfuse.prompt.name=greet"), EXPECTED(name, version));
	expect(SENT(generation, "langfuse.prompt.name=greet", "langfuse.prompt.version=latest"),
		EXPECTED(name, version));
	expect(SENT(generation, "langfuse.prompt.version:=3"), EXPECTED(name, version));
	expect(SENT("langfuse.observation.type=span", "langfuse.prompt.name=greet",
		       "langfuse.prompt.version:=3"),
		EXPECTED(name, version));
}

Test(langfuse_sdk, langfuse_never_gets_half_a_prompt)
{
	static const char name[] = "langfuse.observation.prompt.name",
			  version[] = "langfuse.observation.prompt.version",
			  other[] = "langfuse.prompt.version";
	static const char *const halves[][4] = {
		{ "langfuse.observation.prompt.name=greet" },
		{ "langfuse.observation.prompt.version:=3" },
		{ "langfuse.observation.prompt.name=greet",
			"langfuse.observation.prompt.version=latest" },
		{ "langfuse.observation.prompt.name=greet",
			"langfuse.observation.prompt.version:=0" },
		{ "langfuse.observation.prompt.name:=7", "langfuse.prompt.version:=3" },
		{ "langfuse.prompt.name=greet" },
		{ "ai.telemetry.metadata.langfusePrompt={\"name\":\"greet\"}",
			"ai.operationId=ai.generateText.doGenerate" },
	};
	for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
		expect_for_langfuse("langfuse-sdk", "step",
			SENT(generation, halves[i][0], halves[i][1] ? halves[i][1] : "a=b"),
			EXPECTED(name, version, other, "langfuse.prompt.name",
				"ai.telemetry.metadata.langfusePrompt"));
		expect(SENT(generation, halves[i][0]), EXPECTED(halves[i][0]));
	}
	expect_for_langfuse("langfuse-sdk", "step",
		SENT(generation, "langfuse.observation.prompt.name=greet",
			"langfuse.observation.prompt.version=3"),
		EXPECTED("langfuse.observation.prompt.name=greet",
			"langfuse.observation.prompt.version:=3"));
	expect_for_langfuse("langfuse-sdk", "step",
		SENT(generation, "langfuse.observation.prompt.name=greet",
			"langfuse.observation.prompt.version=", "langfuse.prompt.version:=3"),
		EXPECTED("langfuse.observation.prompt.name=greet",
			"langfuse.observation.prompt.version:=3"));
}
