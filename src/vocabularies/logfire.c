/* Pydantic Logfire: what it adds to every span beside the GenAI names. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ "logfire.tags", FACT_TAGS },
	{ "logfire.level_num", FACT_LEVEL_NUMBER },
	{ "operation.cost", FACT_COST_TOTAL },
	{ 0 },
};

const struct vocabulary vocabulary_logfire = {
	.name = "logfire",
	.words = words,
};
