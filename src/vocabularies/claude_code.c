/*
 * The spans that Claude Code writes itself (beta tracing). Their names are bare, so they are read in this
 * sense only where the span's name says who speaks, or the one that it had. Input counts leave cached tokens out.
 */
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "model", FACT_REQUEST_MODEL },
	{ "input_tokens", FACT_INPUT_TOKENS },
	{ "output_tokens", FACT_OUTPUT_TOKENS },
	{ "cache_read_tokens", FACT_CACHE_READ_TOKENS },
	{ "cache_creation_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "cache_creation_5m_tokens", FACT_CACHE_WRITE_5M_TOKENS },
	{ "cache_creation_1h_tokens", FACT_CACHE_WRITE_1H_TOKENS },
	{ "cost_usd", FACT_COST_TOTAL },
	{ "speed", FACT_SERVICE_TIER },
	{ "stop_reason", FACT_FINISH_REASON },
	{ "ttft_ms", FACT_FIRST_TOKEN_MS },
	{ "subagent_type", FACT_AGENT_NAME },
	{ "user_prompt", FACT_PROMPT },
	{ "new_context", FACT_PROMPT },
	{ "response.model_output", FACT_COMPLETION },
	{ "tool_name", FACT_TOOL_NAME },
	{ "tool_use_id", FACT_TOOL_CALL_ID },
	{ "success", FACT_SUCCESS },
	{ "error", FACT_ERROR_MESSAGE },
	{ 0 },
};

/* Its own name, also where it was given one to read. */
static struct bytes native_name(const struct span *span)
{
	const struct attribute *kept = attribute_find(&span->attributes, "tollgate.native_name");
	return kept && kept->value.type == VALUE_STRING ? kept->value.bytes : span->name;
}

static bool speaks(const struct span *span, const struct surroundings *around)
{
	return bytes_start_with(span->name, "claude_code.") ||
		(bytes_start_with(around->scope.name, "com.anthropic.claude_code") &&
			bytes_start_with(native_name(span), "claude_code."));
}

static enum kind kind(const struct span *span, const struct facts *facts)
{
	static const struct {
		const char *name;
		enum kind kind;
	} kinds[] = {
		{ "claude_code.llm_request", KIND_LLM },
		{ "claude_code.tool", KIND_TOOL },
		{ "claude_code.tool.execution", KIND_CHAIN },
		{ "claude_code.tool.blocked_on_user", KIND_CHAIN },
		{ "claude_code.interaction", KIND_AGENT },
		{ "claude_code.hook", KIND_CHAIN },
	};
	struct bytes name = native_name(span);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (bytes_are(name, kinds[i].name))
			return kinds[i].kind;
	return KIND_NONE;
}

/* The arguments come as attributes of their own, when the CLI is told to send details. */
static void read_arguments(const struct span *span, struct arena *arena, struct facts *facts)
{
	static const char *const arguments[] = { "full_command", "file_path", "skill_name",
		"subagent_type" };
	struct buf json;
	buf_init(&json, arena->limit_bytes, arena->budget);
	for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
		const struct attribute *argument = attribute_find(&span->attributes, arguments[i]);
		if (!argument)
			continue;
		buf_printf(&json, "%s\"%s\":", json.len ? "," : "{", arguments[i]);
		buf_value_json(&json, &argument->value);
	}
	if (json.len)
		buf_text(&json, "}");
	facts_say(facts, FACT_TOOL_ARGUMENTS, &json, arena);
}

static void say_attribute(
	struct facts *facts, enum fact fact, const struct attributes *attributes, const char *name)
{
	const struct attribute *found = attribute_find(attributes, name);
	if (found)
		facts_say_value(facts, fact, &found->value);
}

/* The result comes as an event; detailed tracing has both sides as attributes, with a line of its own. */
static void read_result(const struct span *span, struct arena *arena, struct facts *facts)
{
	for (size_t i = 0; i < span->event_count; i++) {
		struct attributes attributes = { 0 };
		if (!bytes_are(span->events[i].name, "tool.output") ||
			span_event_attributes(&span->events[i], arena, &attributes) < 0)
			continue;
		say_attribute(facts, FACT_TOOL_RESULT, &attributes, "output");
		say_attribute(facts, FACT_TOOL_RESULT, &attributes, "content");
	}
	say_attribute(facts, FACT_TOOL_ARGUMENTS, &span->attributes, "tool_input");
	say_attribute(facts, FACT_TOOL_RESULT, &span->attributes, "new_context");
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	if (facts->kind == KIND_LLM) {
		facts->input_counting = COUNTING_EXCLUSIVE;
		static const struct value provider = { .type = VALUE_STRING,
			.bytes = BYTES("anthropic") };
		facts_say_value(facts, FACT_PROVIDER, &provider);
		const struct value *speed = &facts->said[FACT_SERVICE_TIER];
		if (speed->type == VALUE_STRING && bytes_are(speed->bytes, "normal"))
			facts->said[FACT_SERVICE_TIER] = (struct value){ 0 };
	} else if (facts->kind == KIND_TOOL) {
		read_arguments(span, arena, facts);
		read_result(span, arena, facts);
	}
}

const struct vocabulary vocabulary_claude_code = {
	.name = "claude_code",
	.speaks = speaks,
	.words = words,
	.kind = kind,
	.complete = complete,
};
