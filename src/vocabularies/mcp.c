/* Model Context Protocol. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ 0 },
};

const struct vocabulary vocabulary_mcp = {
	.name = "mcp",
	.words = words,
};
