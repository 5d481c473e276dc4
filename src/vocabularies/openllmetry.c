/* OpenLLMetry (Traceloop). */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ 0 },
};

const struct vocabulary vocabulary_openllmetry = {
	.name = "openllmetry",
	.words = words,
};
