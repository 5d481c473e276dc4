/*
 * Spans that Gemini CLI writes itself: GenAI's names with meanings of its own. Output counts leave thoughts
 * out, which no span counts; a prompt's name is the id of a turn; the agent's is the product's on all spans.
 */
#include "base/json_skim.h"
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ 0 },
};

static const struct bytes product = BYTES("gemini-cli");

static bool speaks(const struct span *span, const struct surroundings *around)
{
	const struct value *service = &around->resource->said[FACT_SERVICE_NAME];
	return bytes_equal(around->scope.name, product) ||
		(service->type == VALUE_STRING && bytes_equal(service->bytes, product));
}

static bool find_member(
	const struct facts *facts, enum fact fact, const char *name, struct bytes *ret_json)
{
	const struct value *said = &facts->said[fact];
	return said->type == VALUE_STRING && json_find(said->bytes, name, ret_json);
}

/* The request's object has the arguments; the response's says what the span's status does not. */
static void read_tool(struct arena *arena, struct facts *facts)
{
	struct bytes json;
	if (find_member(facts, FACT_INPUT_MESSAGES, "args", &json)) {
		struct value arguments = value_of_json_text(json, arena);
		facts_say_value(facts, FACT_TOOL_ARGUMENTS, &arguments);
	}
	if (find_member(facts, FACT_OUTPUT_MESSAGES, "status", &json) &&
		bytes_are(json, "\"error\"")) {
		struct value failed = { .type = VALUE_BOOL, .integer = false };
		facts_say_value(facts, FACT_SUCCESS, &failed);
	}
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	struct value *agent = &facts->said[FACT_AGENT_NAME];
	struct bytes json;
	facts->said[FACT_PROMPT_NAME] = (struct value){ 0 };
	if (facts->kind == KIND_LLM)
		facts->output_counting = COUNTING_EXCLUSIVE;
	if (facts->kind == KIND_TOOL)
		read_tool(arena, facts);
	if (facts->kind != KIND_AGENT)
		*agent = (struct value){ 0 };
	else if (find_member(facts, FACT_INPUT_MESSAGES, "agent_name", &json))
		*agent = value_of_json_text(json, arena);
}

const struct vocabulary vocabulary_gemini_cli = {
	.name = "gemini_cli",
	.speaks = speaks,
	.words = words,
	.complete = complete,
};
