/* Google's Agent Development Kit: what it adds to the GenAI names. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ 0 },
};

const struct vocabulary vocabulary_adk = {
	.name = "adk",
	.words = words,
};
