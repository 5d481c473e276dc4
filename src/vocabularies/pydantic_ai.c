/*
 * The bare names of Pydantic AI and of Logfire's own instrumentations, read where the scope says who speaks.
 */
#include "base/json_skim.h"
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ "agent_name", FACT_AGENT_NAME },
	{ "prompt", FACT_PROMPT },
	{ "request_data", FACT_PROMPT },
	{ "final_result", FACT_COMPLETION },
	{ "all_messages_events", FACT_COMPLETION },
	{ "response_data", FACT_COMPLETION },
	{ "tool_arguments", FACT_TOOL_ARGUMENTS },
	{ "tool_response", FACT_TOOL_RESULT },
	{ "model_request_parameters", FACT_TOOL_DEFINITIONS },
	{ 0 },
};

static bool speaks(const struct span *span, const struct surroundings *around)
{
	struct bytes scope = around->scope.name;
	return bytes_are(scope, "pydantic-ai") || bytes_are(scope, "logfire") ||
		bytes_start_with(scope, "logfire.");
}

/* Of all that a request is made with, the tools are what other vocabularies have a name for. */
static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	struct value *said = &facts->said[FACT_TOOL_DEFINITIONS];
	struct bytes tools;
	if (said->type != VALUE_STRING || !bytes_start_with(said->bytes, "{"))
		return;
	if (json_find(said->bytes, "function_tools", &tools))
		said->bytes = tools;
	else
		*said = (struct value){ 0 };
}

const struct vocabulary vocabulary_pydantic_ai = {
	.name = "pydantic_ai",
	.speaks = speaks,
	.words = words,
	.complete = complete,
};
