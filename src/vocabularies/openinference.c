/*
 * OpenInference: the names that Phoenix, Arize and their instrumentations write. Input counts include
 * cached tokens, output counts include reasoning.
 */
#include "vocabularies/flattened.h"
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "openinference.span.kind", FACT_KIND },
	{ "session.id", FACT_SESSION },
	{ "user.id", FACT_USER },
	{ "tag.tags", FACT_TAGS },
	{ "llm.model_name", FACT_SHOWN_MODEL },
	{ "llm.request.model_name", FACT_REQUEST_MODEL },
	{ "llm.response.model_name", FACT_RESPONSE_MODEL },
	{ "llm.response.model", FACT_RESPONSE_MODEL },
	{ "embedding.model_name", FACT_EMBEDDING_MODEL },
	{ "reranker.model_name", FACT_RERANKER_MODEL },
	{ "llm.provider", FACT_LLM_PROVIDER },
	{ "llm.system", FACT_LLM_SYSTEM },
	{ "llm.token_count.prompt", FACT_INPUT_TOKENS },
	{ "llm.token_count.completion", FACT_OUTPUT_TOKENS },
	{ "llm.token_count.prompt_details.cache_read", FACT_CACHE_READ_TOKENS },
	{ "llm.token_count.prompt_details.cache_input", FACT_CACHE_READ_TOKENS },
	{ "llm.token_count.prompt_details.cache_write", FACT_CACHE_WRITE_TOKENS },
	{ "llm.token_count.prompt_details.audio", FACT_AUDIO_INPUT_TOKENS },
	{ "llm.token_count.completion_details.reasoning", FACT_REASONING_TOKENS },
	{ "llm.token_count.completion_details.audio", FACT_AUDIO_OUTPUT_TOKENS },
	{ "llm.token_count.total", FACT_TOTAL_TOKENS },
	{ "llm.cost.prompt", FACT_COST_INPUT },
	{ "llm.cost.completion", FACT_COST_OUTPUT },
	{ "llm.cost.total", FACT_COST_TOTAL },
	{ "agent.name", FACT_AGENT_NAME },
	{ "input.value", FACT_INPUT },
	{ "output.value", FACT_OUTPUT },
	{ "llm.prompts", FACT_TEXT_PROMPT },
	{ "llm.prompts.0.prompt.text", FACT_TEXT_PROMPT },
	{ "llm.choices.0.completion.text", FACT_LISTS },
	{ "llm.input_messages.0.message.role", FACT_LISTS },
	{ "llm.input_messages.0.message.content", FACT_LISTS },
	{ "llm.output_messages.0.message.role", FACT_LISTS },
	{ "llm.output_messages.0.message.content", FACT_LISTS },
	{ "reranker.input_documents.0.document.id", FACT_LISTS },
	{ "reranker.input_documents.0.document.content", FACT_LISTS },
	{ "reranker.output_documents.0.document.id", FACT_LISTS },
	{ "reranker.output_documents.0.document.content", FACT_LISTS },
	{ "retrieval.documents.0.document.id", FACT_RETRIEVAL },
	{ "retrieval.documents.0.document.content", FACT_RETRIEVAL },
	{ "retrieval.documents.0.document.score", FACT_RETRIEVAL },
	{ "tool.name", FACT_TOOL_NAME },
	{ "tool.id", FACT_TOOL_CALL_ID },
	{ "tool_call.id", FACT_TOOL_CALL_ID },
	{ "tool.description", FACT_TOOL_DESCRIPTION },
	{ "llm.finish_reason", FACT_FINISH_REASON },
	{ "llm.invocation_parameters", FACT_PARAMETERS },
	{ 0 },
};

/* An unknown value stays as it was sent, and other rules go on. */
static enum kind kind(const struct span *span, const struct facts *facts)
{
	return kind_said(facts);
}

/*
 * Langfuse takes both sides of a span's content from one form, so a side that is there as a flattened list
 * alone would be lost beside an input.value or output.value.
 */
static void read_lists(const struct span *span, struct arena *arena, struct facts *facts)
{
	static const struct {
		const char *prefix;
		enum fact fact;
	} lists[] = {
		{ "llm.input_messages.", FACT_PROMPT },
		{ "llm.prompts.", FACT_PROMPT },
		{ "reranker.input_documents.", FACT_PROMPT },
		{ "llm.output_messages.", FACT_COMPLETION },
		{ "llm.choices.", FACT_COMPLETION },
		{ "retrieval.documents.", FACT_COMPLETION },
		{ "reranker.output_documents.", FACT_COMPLETION },
	};
	bool has_input = is_said(facts, FACT_INPUT) || is_said(facts, FACT_INPUT_MESSAGES);
	bool has_output = is_said(facts, FACT_OUTPUT) || is_said(facts, FACT_OUTPUT_MESSAGES);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		bool has_side = lists[i].fact == FACT_PROMPT ? has_input : has_output;
		if (has_side || is_said(facts, lists[i].fact))
			continue;
		struct buf json;
		buf_init(&json, arena->limit_bytes, arena->budget);
		flattened_json(&json, span, lists[i].prefix, arena);
		facts_say(facts, lists[i].fact, &json, arena);
	}
}

/* What the call asked to be served as, which decides its price, stands among the parameters. */
static void read_tier(struct arena *arena, struct facts *facts)
{
	const struct value *said = &facts->said[FACT_PARAMETERS];
	if (is_said(facts, FACT_SERVICE_TIER) || !value_mentions_tier(said))
		return;
	json_t *parameters = value_object(said);
	facts_read_tier(facts, parameters, arena);
	json_decref(parameters);
}

static bool has_lists(const struct facts *facts)
{
	return is_said(facts, FACT_LISTS) || is_said(facts, FACT_RETRIEVAL) ||
		is_said(facts, FACT_TEXT_PROMPT);
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	static const struct value operation = { .type = VALUE_STRING,
		.bytes = BYTES("text_completion") };
	if (has_lists(facts))
		read_lists(span, arena, facts);
	if (facts->kind != KIND_LLM)
		return;
	read_tier(arena, facts);
	if (is_said(facts, FACT_TEXT_PROMPT))
		facts_say_value(facts, FACT_OPERATION, &operation);
}

const struct vocabulary vocabulary_openinference = {
	.name = "openinference",
	.words = words,
	.kind = kind,
	.complete = complete,
};
