/*
 * OpenInference's flattened messages (llm.input_messages.0.message.role …), for readers that show nothing
 * else. A setting, off by default: one message becomes two to ten attributes.
 */
#include <jansson.h>
#include <stdio.h>

#include "enrich/subject.h"

enum { MAX_MESSAGES = 128, MAX_PARTS = 64 };

struct flattening {
	struct subject *subject;
	const char *prefix; /* llm.input_messages or llm.output_messages */
	unsigned index;     /* of the message being written */
};

static void put(struct flattening *f, struct bytes text, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put(struct flattening *f, struct bytes text, const char *format, ...)
{
	char name[256];
	int len = snprintf(name, sizeof name, "%s.%u.message.", f->prefix, f->index);
	va_list args;
	va_start(args, format);
	len += vsnprintf(name + len, sizeof name - (size_t)len, format, args);
	va_end(args);
	if (text.len && len < (int)sizeof name)
		add_named(f->subject, (struct bytes){ (uint8_t *)name, (size_t)len }, text);
}

/* Strings as they are, everything else as JSON; in the arena. */
static struct bytes json_text(struct subject *subject, const json_t *value)
{
	if (json_is_string(value)) {
		buf_append(subject->scratch, json_string_value(value), json_string_length(value));
	} else if (value && !json_is_null(value)) {
		char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		buf_text(subject->scratch, dump ? dump : "");
		free(dump);
	}
	return take_scratch(subject);
}

static struct bytes member(struct flattening *f, const json_t *object, const char *name)
{
	return json_text(f->subject, json_object_get(object, name));
}

static bool is_type(const json_t *part, const char *type)
{
	const char *sent = json_string_value(json_object_get(part, "type"));
	return sent && strcmp(sent, type) == 0;
}

static void put_tool_call(struct flattening *f, const json_t *part, unsigned index)
{
	struct bytes arguments = member(f, part, "arguments");
	put(f, member(f, part, "id"), "tool_calls.%u.tool_call.id", index);
	put(f, member(f, part, "name"), "tool_calls.%u.tool_call.function.name", index);
	put(f, arguments.len ? arguments : bytes_of("{}"),
		"tool_calls.%u.tool_call.function.arguments", index);
}

static void put_part(struct flattening *f, const json_t *part, unsigned index)
{
	struct subject *subject = f->subject;
	if (is_type(part, "text") || is_type(part, "reasoning")) {
		put(f, member(f, part, "type"), "contents.%u.message_content.type", index);
		put(f, member(f, part, "content"), "contents.%u.message_content.text", index);
		return;
	}
	bool is_image = strcmp(json_string_value(json_object_get(part, "modality")) ?
					json_string_value(json_object_get(part, "modality")) :
					"",
				"image") == 0;
	if (is_image && (is_type(part, "blob") || is_type(part, "uri"))) {
		struct bytes url = member(f, part, "uri");
		if (is_type(part, "blob")) {
			struct bytes mime = member(f, part, "mime_type"),
				     content = member(f, part, "content");
			buf_text(subject->scratch, "data:");
			buf_append(subject->scratch, mime.at, mime.len);
			buf_text(subject->scratch, ";base64,");
			buf_append(subject->scratch, content.at, content.len);
			url = take_scratch(subject);
		}
		put(f, bytes_of("image"), "contents.%u.message_content.type", index);
		put(f, url, "contents.%u.message_content.image.image.url", index);
		return;
	}
	put(f, member(f, part, "type"), "contents.%u.message_content.type", index);
	put(f, json_text(subject, part), "contents.%u.message_content.text", index);
}

/* What a tool gave back is a message of its own. */
static void put_tool_response(struct flattening *f, const json_t *part)
{
	static const char *const names[] = { "response", "result", "content" };
	struct bytes content = { 0 };
	for (size_t i = 0; i < 3 && !content.len; i++)
		content = member(f, part, names[i]);
	put(f, bytes_of("tool"), "role");
	put(f, member(f, part, "id"), "tool_call_id");
	put(f, content, "content");
	f->index++;
}

/* What is left of a message once its tool responses are messages: role, content, tool calls. */
static void put_rest(struct flattening *f, const json_t *message, const json_t *parts)
{
	const json_t *contents[MAX_PARTS];
	unsigned content_count = 0, tool_calls = 0;
	size_t i;
	json_t *part;
	put(f, member(f, message, "role"), "role");
	put(f, member(f, message, "name"), "name");
	json_array_foreach(parts, i, part) {
		if (is_type(part, "tool_call"))
			put_tool_call(f, part, tool_calls++);
		else if (!is_type(part, "tool_call_response") && content_count < MAX_PARTS)
			contents[content_count++] = part;
	}
	if (content_count == 1 && is_type(contents[0], "text"))
		put(f, member(f, contents[0], "content"), "content");
	else
		for (unsigned c = 0; c < content_count; c++)
			put_part(f, contents[c], c);
	if (!parts)
		put(f, member(f, message, "content"), "content");
	f->index++;
}

static void put_message(struct flattening *f, const json_t *message)
{
	const json_t *parts = json_object_get(message, "parts");
	size_t i, responses = 0;
	json_t *part;
	if (!json_is_array(parts))
		parts = NULL;
	json_array_foreach(parts, i, part) {
		if (is_type(part, "tool_call_response") && f->index < MAX_MESSAGES) {
			put_tool_response(f, part);
			responses++;
		}
	}
	if ((!parts || responses < json_array_size(parts)) && f->index < MAX_MESSAGES)
		put_rest(f, message, parts);
}

static json_t *parse(struct bytes text)
{
	return text.len ? json_loadb((const char *)text.at, text.len, JSON_ALLOW_NUL, NULL) : NULL;
}

static void flatten(
	struct subject *subject, const char *prefix, enum fact fact, bool with_instructions)
{
	struct flattening f = { .subject = subject, .prefix = prefix };
	json_t *messages = parse(said_text(subject, fact)), *message;
	json_t *instructions =
		with_instructions ? parse(said_text(subject, FACT_SYSTEM_INSTRUCTIONS)) : NULL;
	size_t i;
	if (json_is_array(instructions) && json_array_size(instructions)) {
		json_t *system = json_pack("{s:s, s:O}", "role", "system", "parts", instructions);
		put_message(&f, system);
		json_decref(system);
	}
	if (json_is_object(messages))
		put_message(&f, messages);
	else
		json_array_foreach(messages, i, message)
			if (f.index < MAX_MESSAGES)
				put_message(&f, message);
	json_decref(instructions);
	json_decref(messages);
}

/* Definitions in the shape that OpenAI gave them, {"type": "function", "function": {…}}. */
static void add_tool_definitions(struct subject *subject)
{
	json_t *tools = parse(said_text(subject, FACT_TOOL_DEFINITIONS)), *tool;
	size_t i;
	json_array_foreach(tools, i, tool) {
		char name[64];
		json_t *shaped = json_incref(tool);
		if (i >= MAX_MESSAGES) {
			json_decref(shaped);
			break;
		}
		if (is_type(tool, "function") && !json_object_get(tool, "function")) {
			json_t *function = json_copy(tool);
			json_object_del(function, "type");
			json_decref(shaped);
			shaped = json_pack("{s:s, s:o}", "type", "function", "function", function);
		}
		int len = snprintf(name, sizeof name, "llm.tools.%zu.tool.json_schema", i);
		struct bytes text = json_text(subject, shaped);
		if (text.len)
			add_named(subject, (struct bytes){ (uint8_t *)name, (size_t)len }, text);
		json_decref(shaped);
	}
	json_decref(tools);
}

void enrich_messages(struct subject *subject)
{
	if (!subject->config->content.flatten_messages || subject->facts.kind != KIND_LLM)
		return;
	if (!span_has_prefix(subject->span, "llm.input_messages."))
		flatten(subject, "llm.input_messages", FACT_INPUT_MESSAGES, true);
	if (!span_has_prefix(subject->span, "llm.output_messages."))
		flatten(subject, "llm.output_messages", FACT_OUTPUT_MESSAGES, false);
	if (!span_has_prefix(subject->span, "llm.tools."))
		add_tool_definitions(subject);
}
