/*
 * LiteLLM's OpenTelemetry callback: what it adds to the names of GenAI and of OpenLLMetry. What it knows of
 * cached tokens stands in a JSON object of its own. Counts are as OpenAI counts, whoever served the call.
 */
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "metadata.user_api_key_end_user_id", FACT_USER },
	{ "metadata.user_api_key_user_id", FACT_USER },
	{ "metadata.session_id", FACT_SESSION },
	{ "gen_ai.cost.input_cost", FACT_COST_INPUT },
	{ "gen_ai.cost.output_cost", FACT_COST_OUTPUT },
	{ "gen_ai.cost.total_cost", FACT_COST_TOTAL },
	{ 0 },
};

static bool speaks(const struct span *span, const struct surroundings *around)
{
	return bytes_are(around->scope.name, "litellm") || bytes_are(span->name, "litellm_request");
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	static const struct word members[] = {
		{ "usage_object.prompt_tokens_details.cached_tokens", FACT_CACHE_READ_TOKENS },
		{ "usage_object.cache_read_input_tokens", FACT_CACHE_READ_TOKENS },
		{ "usage_object.cache_creation_input_tokens", FACT_CACHE_WRITE_TOKENS },
		{ "usage_object.completion_tokens_details.reasoning_tokens",
			FACT_REASONING_TOKENS },
		{ "response_cost", FACT_COST_TOTAL },
		{ 0 },
	};
	if (facts->kind != KIND_LLM && facts->kind != KIND_EMBEDDING)
		return;
	json_t *hidden = attribute_object(&span->attributes, "hidden_params");
	facts_read_members(facts, hidden, members, arena);
	json_decref(hidden);
}

const struct vocabulary vocabulary_litellm = {
	.name = "litellm",
	.speaks = speaks,
	.words = words,
	.complete = complete,
};
