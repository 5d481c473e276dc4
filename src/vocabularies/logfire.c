/* Pydantic Logfire and Pydantic AI: what they add to the GenAI names, under names that are theirs alone. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ "logfire.tags", FACT_TAGS },
	{ "logfire.level_num", FACT_LEVEL_NUMBER },
	{ "logfire.msg", FACT_SPAN_NAME },
	{ "operation.cost", FACT_COST_TOTAL },
	{ "pydantic_ai.all_messages", FACT_INPUT_MESSAGES },
	{ "gen_ai.usage.details.cache_read_input_tokens", FACT_CACHE_READ_TOKENS },
	{ "gen_ai.usage.details.cached_tokens", FACT_CACHE_READ_TOKENS },
	{ "gen_ai.usage.details.cache_creation_input_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "gen_ai.usage.details.input_audio_tokens", FACT_AUDIO_INPUT_TOKENS },
	{ "gen_ai.usage.details.cache_audio_read_tokens", FACT_AUDIO_CACHE_READ_TOKENS },
	{ "gen_ai.usage.details.output_audio_tokens", FACT_AUDIO_OUTPUT_TOKENS },
	{ 0 },
};

const struct vocabulary vocabulary_logfire = {
	.name = "logfire",
	.words = words,
};
