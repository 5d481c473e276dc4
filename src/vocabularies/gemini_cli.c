/* Spans that Gemini CLI writes itself. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ 0 },
};

const struct vocabulary vocabulary_gemini_cli = {
	.name = "gemini_cli",
	.words = words,
};
