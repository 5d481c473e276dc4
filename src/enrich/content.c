/*
 * What went in and what came out, as input.value and output.value, and what a tool was (R10 of the mapping).
 * Langfuse looks at input.value before the GenAI attributes, so the system prompt has to be in it.
 */
#include "base/json_skim.h"
#include "enrich/subject.h"

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

/* [messages], with {"role":"system","parts":instructions} before them. Both texts are JSON arrays. */
static struct bytes with_instructions(
	struct subject *subject, struct bytes messages, struct bytes instructions)
{
	const uint8_t *open = memchr(messages.at, '[', messages.len);
	struct bytes rest = { open + 1, messages.len - (size_t)(open + 1 - messages.at) };
	size_t blanks = 0;
	while (blanks < rest.len && memchr(" \n\t\r", rest.at[blanks], 4))
		blanks++;
	buf_text(subject->scratch, "[{\"role\":\"system\",\"parts\":");
	buf_append(subject->scratch, instructions.at, instructions.len);
	buf_text(subject->scratch, rest.at[blanks] == ']' ? "}" : "},");
	buf_append(subject->scratch, rest.at, rest.len);
	return take_scratch(subject);
}

static struct bytes input_messages(struct subject *subject)
{
	struct bytes messages = said_text(subject, FACT_INPUT_MESSAGES);
	struct bytes instructions = said_text(subject, FACT_SYSTEM_INSTRUCTIONS);
	if (instructions.len && json_is_array(instructions) && json_is_array(messages))
		return with_instructions(subject, messages, instructions);
	return messages;
}

static struct bytes first_said(struct subject *subject, const enum fact *facts)
{
	for (; *facts != FACT_NONE; facts++)
		if (is_said(&subject->facts, *facts))
			return *facts == FACT_INPUT_MESSAGES ? input_messages(subject) :
							       said_text(subject, *facts);
	return (struct bytes){ 0 };
}

static void add_tool(struct subject *subject, struct bytes arguments)
{
	struct bytes name = said_text(subject, FACT_TOOL_NAME),
		     id = said_text(subject, FACT_TOOL_CALL_ID);
	add_text(subject, TARGET_TOOL_NAME, name);
	add_text(subject, TARGET_GEN_AI_TOOL_NAME, name);
	add_text(subject, TARGET_TOOL_ID, id);
	add_text(subject, TARGET_GEN_AI_TOOL_CALL_ID, id);
	add_text(subject, TARGET_TOOL_DESCRIPTION, said_text(subject, FACT_TOOL_DESCRIPTION));
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
