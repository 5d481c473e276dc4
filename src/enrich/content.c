/*
 * What went in and what came out, as input.value and output.value, and what a tool was (R10 of the mapping).
 * Langfuse looks at input.value before the GenAI attributes, so the system prompt has to be in it.
 */
#include "enrich/content.h"

#include "base/json_skim.h"

static void add_content(
	struct subject *subject, enum target value, enum target mime_type, struct bytes text)
{
	if (!text.len)
		return;
	add_text(subject, value, text);
	if (is_open(subject, mime_type))
		add_text(subject, mime_type,
			bytes_of(json_is_container(text) ? "application/json" : "text/plain"));
}

static bool is_json_string(struct bytes text)
{
	struct skim skim = { text.at, bytes_end(text) };
	struct bytes raw;
	bool has_escapes;
	return skim_string(&skim, &raw, &has_escapes) && skim.at == skim.end;
}

/* Of well-formed JSON: what is between the brackets of an array; an object as it is. */
static struct bytes items_of(struct bytes json)
{
	const uint8_t *start = json.at, *end = bytes_end(json);
	while (memchr(" \n\t\r", *start, 4))
		start++;
	while (memchr(" \n\t\r", end[-1], 4))
		end--;
	if (*start != '[')
		return (struct bytes){ start, (size_t)(end - start) };
	for (start++, end--; start < end && memchr(" \n\t\r", *start, 4);)
		start++;
	return (struct bytes){ start, (size_t)(end - start) };
}

static void append(struct buf *json, const char *before, struct bytes text, const char *behind)
{
	buf_text(json, before);
	buf_append(json, text.at, text.len);
	buf_text(json, behind);
}

/* Parts; or one text, as JSON or not (Gemini CLI); or a message that has parts (LiteLLM). */
static void append_system_message(struct buf *json, struct bytes instructions)
{
	bool is_json = json_is_container(instructions);
	struct bytes items = is_json ? items_of(instructions) : instructions, parts;
	buf_text(json, "{\"role\":\"system\",\"parts\":");
	if (is_json && json_find(items, "parts", &parts)) {
		append(json, "", parts, "}");
	} else if (is_json) {
		append(json, "[", items, "]}");
	} else {
		buf_text(json, "[{\"type\":\"text\",\"content\":");
		if (is_json_string(instructions))
			buf_append(json, instructions.at, instructions.len);
		else
			buf_json_string(json, instructions);
		buf_text(json, "}]}");
	}
}

/* Messages that were cut short are no JSON, and stay as they are. */
static struct bytes input_messages(struct subject *subject)
{
	struct bytes messages = fact_text(subject, FACT_INPUT_MESSAGES);
	struct bytes instructions = fact_text(subject, FACT_SYSTEM_INSTRUCTIONS);
	if (!instructions.len || !json_is_container(messages))
		return messages;
	struct bytes items = items_of(messages);
	buf_text(subject->scratch, "[");
	append_system_message(subject->scratch, instructions);
	append(subject->scratch, items.len ? "," : "", items, "]");
	return take_scratch(subject);
}

struct bytes first_said(struct subject *subject, const enum fact *facts)
{
	for (; *facts != FACT_NONE; facts++)
		if (is_said(&subject->facts, *facts))
			return *facts == FACT_INPUT_MESSAGES ? input_messages(subject) :
							       fact_text(subject, *facts);
	return (struct bytes){ 0 };
}

static void add_tool(struct subject *subject, struct bytes arguments)
{
	struct bytes name = fact_text(subject, FACT_TOOL_NAME),
		     id = fact_text(subject, FACT_TOOL_CALL_ID);
	add_text(subject, TARGET_TOOL_NAME, name);
	if (!is_tool_with_name(subject))
		add_text(subject, TARGET_GEN_AI_TOOL_NAME, name);
	add_text(subject, TARGET_TOOL_ID, id);
	add_text(subject, TARGET_GEN_AI_TOOL_CALL_ID, id);
	add_text(subject, TARGET_TOOL_DESCRIPTION, fact_text(subject, FACT_TOOL_DESCRIPTION));
	if (is_open(subject, TARGET_TOOL_PARAMETERS) && json_is_container(arguments))
		add_text(subject, TARGET_TOOL_PARAMETERS, arguments);
}

void enrich_content(struct subject *subject)
{
	static const enum fact input[] = { FACT_INPUT, FACT_INPUT_MESSAGES, FACT_PROMPT,
		FACT_NONE };
	static const enum fact output[] = { FACT_OUTPUT, FACT_OUTPUT_MESSAGES, FACT_COMPLETION,
		FACT_NONE };
	static const enum fact tool_input[] = { FACT_INPUT, FACT_TOOL_ARGUMENTS,
		FACT_INPUT_MESSAGES, FACT_NONE };
	static const enum fact tool_output[] = { FACT_OUTPUT, FACT_TOOL_RESULT,
		FACT_OUTPUT_MESSAGES, FACT_NONE };
	if (subject->facts.kind == KIND_NONE)
		return;
	bool is_tool = subject->facts.kind == KIND_TOOL;
	struct bytes sent = first_said(subject, is_tool ? tool_input : input);
	struct bytes came = first_said(subject, is_tool ? tool_output : output);
	add_content(subject, TARGET_INPUT_VALUE, TARGET_INPUT_MIME_TYPE, sent);
	add_content(subject, TARGET_OUTPUT_VALUE, TARGET_OUTPUT_MIME_TYPE, came);
	if (is_tool)
		add_tool(subject, sent);
}
