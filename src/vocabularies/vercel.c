/* Vercel's AI SDK: the ai.* names of v4 to v6, and what v7 writes in the words of GenAI. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ 0 },
};

const struct vocabulary vocabulary_vercel = {
	.name = "vercel",
	.words = words,
};
