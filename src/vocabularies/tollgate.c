/*
 * What Tollgate itself says on spans that it makes of the CLIs' events. Tokens are exact: input leaves out what was
 * read from or written to a cache, output has reasoning in it.
 */
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "tollgate.tokens.input", FACT_INPUT_TOKENS },
	{ "tollgate.tokens.output", FACT_OUTPUT_TOKENS },
	{ "tollgate.tokens.cache_read", FACT_CACHE_READ_TOKENS },
	{ "tollgate.tokens.cache_write", FACT_CACHE_WRITE_TOKENS },
	{ "tollgate.tokens.cache_write_5m", FACT_CACHE_WRITE_5M_TOKENS },
	{ "tollgate.tokens.cache_write_1h", FACT_CACHE_WRITE_1H_TOKENS },
	{ "tollgate.tokens.reasoning", FACT_REASONING_TOKENS },
	{ "tollgate.cost.reported", FACT_COST_TOTAL },
	{ "tollgate.service_tier", FACT_SERVICE_TIER },
	{ "tollgate.first_token_ms", FACT_FIRST_TOKEN_MS },
	{ 0 },
};

static bool speaks(const struct span *span, const struct surroundings *around)
{
	return bytes_are(around->scope.name, SESSION_SCOPE);
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	facts->input_counting = COUNTING_EXCLUSIVE;
	facts->output_counting = COUNTING_INCLUSIVE;
}

const struct vocabulary vocabulary_tollgate = {
	.name = "tollgate",
	.speaks = speaks,
	.words = words,
	.complete = complete,
};
