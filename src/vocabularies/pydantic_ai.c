/* Pydantic AI. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ 0 },
};

const struct vocabulary vocabulary_pydantic_ai = {
	.name = "pydantic_ai",
	.words = words,
};
