/* Spans that Codex CLI writes itself: its model facts are in its logs. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ "conversation.id", FACT_SESSION },
	{ 0 },
};

const struct vocabulary vocabulary_codex = {
	.name = "codex",
	.words = words,
};
