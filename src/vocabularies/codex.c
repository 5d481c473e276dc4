/*
 * Spans that Codex CLI writes itself, hundreds for each turn and none of them a model call as such: what it
 * knows of those is in its logs. They are kept together by their session, and are no AI spans.
 */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ "conversation.id", FACT_SESSION },
	{ 0 },
};

static bool speaks(const struct span *span, const struct surroundings *around)
{
	const struct value *service = &around->resource->said[FACT_SERVICE_NAME];
	return service->type == VALUE_STRING && bytes_start_with(service->bytes, "codex");
}

const struct vocabulary vocabulary_codex = {
	.name = "codex",
	.speaks = speaks,
	.words = words,
};
