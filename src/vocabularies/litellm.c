/* LiteLLM's OpenTelemetry callback. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ 0 },
};

const struct vocabulary vocabulary_litellm = {
	.name = "litellm",
	.words = words,
};
