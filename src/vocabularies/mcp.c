/* Model Context Protocol. Its session is one of the transport, which says nothing of a conversation. */
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "mcp.method.name", FACT_MCP_METHOD },
	{ 0 },
};

static enum kind kind(const struct span *span, const struct facts *facts)
{
	const struct value *method = &facts->said[FACT_MCP_METHOD];
	if (method->type != VALUE_STRING)
		return KIND_NONE;
	return bytes_are(method->bytes, "tools/call") ? KIND_TOOL : KIND_CHAIN;
}

/* A span is named by its method and, behind that, by what was called. */
static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	static const char call[] = "tools/call ";
	size_t skip = strlen(call);
	if (facts->kind != KIND_TOOL || !is_said(facts, FACT_MCP_METHOD) ||
		!bytes_start_with(span->name, call))
		return;
	struct value tool = { .type = VALUE_STRING,
		.bytes = { span->name.at + skip, span->name.len - skip } };
	facts_say_value(facts, FACT_TOOL_NAME, &tool);
}

const struct vocabulary vocabulary_mcp = {
	.name = "mcp",
	.words = words,
	.kind = kind,
	.complete = complete,
};
