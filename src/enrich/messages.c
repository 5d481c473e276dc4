/*
 * OpenInference's flattened messages (llm.input_messages.0.message.role …), for readers that show nothing
 * else. A setting, off by default: one message becomes two to ten attributes.
 *
 * Senders write messages in the shapes of GenAI, of the providers' own APIs and of frameworks, and mix them.
 * So nothing asks for a shape as a whole: each value is looked for under every name that it has in one of
 * them. Messages are cut out of the text without parsing it, so that a long conversation costs no more than
 * the newest messages that the settings admit.
 */
#include <jansson.h>
#include <stdio.h>

#include "base/json_skim.h"
#include "enrich/content.h"

enum { MAX_PARTS = 64 };

struct flattening {
	struct subject *subject;
	bool is_output;
	unsigned index; /* of the message being written */
	json_t *loose;  /* parts that came without a message: one when they end */
};

static void put(struct flattening *f, struct bytes text, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put(struct flattening *f, struct bytes text, const char *format, ...)
{
	char name[256];
	int len = snprintf(name, sizeof name, "llm.%s_messages.%u.message.",
		f->is_output ? "output" : "input", f->index);
	va_list args;
	va_start(args, format);
	len += vsnprintf(name + len, sizeof name - (size_t)len, format, args);
	va_end(args);
	if (text.len && len < (int)sizeof name)
		add_named(f->subject, (struct bytes){ (uint8_t *)name, (size_t)len }, text);
}

/* Of messages that say none. */
static struct bytes role_of(const struct flattening *f)
{
	return bytes_of(f->is_output ? "assistant" : "user");
}

static bool has_room(const struct flattening *f)
{
	return f->index < f->subject->config->content.flatten_max_messages;
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

/* The member of the first of these names that there is; NULL ends them. */
#define MEMBER(object, ...) member(object, (const char *const[]){ __VA_ARGS__, NULL })
static const json_t *member(const json_t *object, const char *const *names)
{
	const json_t *found = NULL;
	for (; !found && *names; names++)
		found = json_object_get(object, *names);
	return found;
}

static const char *text_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

enum part { PART_UNKNOWN, PART_TEXT, PART_REASONING, PART_IMAGE, PART_CALL, PART_RESULT };

/* By its type, or where parts have none (Gemini) by a member that no other has. */
static enum part part_of(const json_t *part)
{
	static const struct {
		const char *type; /* NULL: any object that has the member */
		const char *member;
		enum part part;
	} signs[] = {
		{ "text", NULL, PART_TEXT },
		{ "input_text", NULL, PART_TEXT },
		{ "output_text", NULL, PART_TEXT },
		{ "reasoning", NULL, PART_REASONING },
		{ "thinking", NULL, PART_REASONING },
		{ "tool_call", NULL, PART_CALL },
		{ "tool-call", NULL, PART_CALL },
		{ "tool_use", NULL, PART_CALL },
		{ "function_call", NULL, PART_CALL },
		{ "tool_call_response", NULL, PART_RESULT },
		{ "tool-result", NULL, PART_RESULT },
		{ "tool_result", NULL, PART_RESULT },
		{ "function_call_output", NULL, PART_RESULT },
		{ "image", NULL, PART_IMAGE },
		{ "image_url", NULL, PART_IMAGE },
		{ "input_image", NULL, PART_IMAGE },
		{ NULL, "functionCall", PART_CALL },
		{ NULL, "functionResponse", PART_RESULT },
		{ NULL, "inlineData", PART_IMAGE },
		{ NULL, "fileData", PART_IMAGE },
		{ NULL, "thought", PART_REASONING },
		{ NULL, "toolCallId", PART_CALL },
		{ NULL, "function", PART_CALL },
	};
	const char *type = text_member(part, "type");
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		const json_t *sign = json_object_get(part, signs[i].member);
		if (signs[i].type ? strcmp(type, signs[i].type) == 0 : sign && !json_is_false(sign))
			return signs[i].part;
	}
	if (strcmp(text_member(part, "modality"), "image") == 0)
		return PART_IMAGE;
	return json_is_string(part) || (!*type && json_object_get(part, "text")) ? PART_TEXT :
										   PART_UNKNOWN;
}

static struct bytes part_text(struct flattening *f, const json_t *part)
{
	return json_text(f->subject,
		json_is_string(part) ? part :
				       MEMBER(part, "content", "text", "thinking", "summary"));
}

/* OpenAI and Gemini have what is called in an object of its own. */
static void put_tool_call(struct flattening *f, const json_t *part, unsigned index)
{
	const json_t *inner = MEMBER(part, "function", "functionCall");
	const json_t *call = inner ? inner : part;
	const json_t *id = MEMBER(part, "toolCallId", "call_id", "id");
	struct bytes arguments = json_text(f->subject, MEMBER(call, "arguments", "args", "input"));
	put(f, json_text(f->subject, id ? id : MEMBER(call, "id")), "tool_calls.%u.tool_call.id",
		index);
	put(f, json_text(f->subject, MEMBER(call, "name", "toolName")),
		"tool_calls.%u.tool_call.function.name", index);
	put(f, arguments.len ? arguments : bytes_of("{}"),
		"tool_calls.%u.tool_call.function.arguments", index);
}

/* What a tool gave back is a message of its own; Vercel wraps it once more. */
static void put_tool_result(struct flattening *f, const json_t *part)
{
	const json_t *inner = MEMBER(part, "functionResponse");
	const json_t *result = inner ? inner : part;
	const json_t *id = MEMBER(result, "toolCallId", "tool_use_id", "call_id", "id");
	const json_t *content = MEMBER(result, "response", "result", "output", "content");
	if (!has_room(f))
		return;
	if (strcmp(text_member(part, "type"), "tool-result") == 0 && MEMBER(content, "value"))
		content = MEMBER(content, "value");
	put(f, bytes_of("tool"), "role");
	put(f, json_text(f->subject, id), "tool_call_id");
	put(f, json_text(f->subject, content), "content");
	f->index++;
}

/* Where an image is, or a data URI of what it is; every API has words of its own for both. */
static struct bytes image_url(struct flattening *f, const json_t *part)
{
	const json_t *inner = MEMBER(part, "inlineData", "fileData", "source", "image_url");
	const json_t *image = json_is_object(inner) ? inner : part;
	const json_t *url = MEMBER(image, "uri", "url", "fileUri", "image_url", "image");
	const json_t *data = MEMBER(image, "content", "data");
	const json_t *mime = MEMBER(image, "mime_type", "media_type", "mimeType", "mediaType");
	struct buf *scratch = f->subject->scratch;
	if (url || !json_is_string(data))
		return json_text(f->subject, url);
	const char *type = json_string_value(mime);
	buf_text(scratch, "data:");
	buf_text(scratch, type ? type : "image/*");
	buf_text(scratch, ";base64,");
	buf_append(scratch, json_string_value(data), json_string_length(data));
	return take_scratch(f->subject);
}

static void put_part(struct flattening *f, const json_t *part, unsigned index)
{
	enum part kind = part_of(part);
	struct bytes url = kind == PART_IMAGE ? image_url(f, part) : (struct bytes){ 0 };
	struct bytes type, text = { 0 };
	if (url.len) {
		type = bytes_of("image");
		put(f, url, "contents.%u.message_content.image.image.url", index);
	} else if (kind == PART_TEXT || kind == PART_REASONING) {
		type = bytes_of(kind == PART_TEXT ? "text" : "reasoning");
		text = part_text(f, part);
	} else {
		type = json_text(f->subject, MEMBER(part, "type"));
		text = json_text(f->subject, part);
	}
	put(f, type, "contents.%u.message_content.type", index);
	put(f, text, "contents.%u.message_content.text", index);
}

/* What is left of a message once its tools' results are messages: role, content, tool calls. */
static void put_rest(struct flattening *f, const json_t *message, const json_t *parts)
{
	const json_t *contents[MAX_PARTS], *content = MEMBER(message, "content");
	struct bytes role = json_text(f->subject, MEMBER(message, "role"));
	unsigned content_count = 0, calls = 0;
	size_t i;
	json_t *part;
	put(f, role.len ? role : role_of(f), "role");
	put(f, json_text(f->subject, MEMBER(message, "name")), "name");
	put(f, json_text(f->subject, MEMBER(message, "tool_call_id")), "tool_call_id");
	json_array_foreach(parts, i, part) {
		enum part kind = part_of(part);
		if (kind == PART_CALL && calls < MAX_PARTS)
			put_tool_call(f, part, calls++);
		else if (kind != PART_CALL && kind != PART_RESULT && content_count < MAX_PARTS)
			contents[content_count++] = part;
	}
	json_array_foreach(json_object_get(message, "tool_calls"), i, part)
		if (calls < MAX_PARTS)
			put_tool_call(f, part, calls++);
	if (!parts)
		put(f, json_text(f->subject, content), "content");
	else if (content_count == 1 && part_of(contents[0]) == PART_TEXT)
		put(f, part_text(f, contents[0]), "content");
	else
		for (unsigned c = 0; c < content_count; c++)
			put_part(f, contents[c], c);
	f->index++;
}

/* An array of parts; or NULL where the content is one text. */
static const json_t *parts_of(const json_t *message)
{
	const json_t *parts = MEMBER(message, "parts", "content");
	return json_is_array(parts) ? parts : NULL;
}

static void put_message(struct flattening *f, const json_t *message)
{
	const json_t *parts = parts_of(message);
	size_t i, results = 0;
	json_t *part;
	json_array_foreach(parts, i, part) {
		if (part_of(part) == PART_RESULT) {
			put_tool_result(f, part);
			results++;
		}
	}
	bool has_rest = !parts || results < json_array_size(parts) ||
		json_object_get(message, "tool_calls");
	if (has_rest && has_room(f))
		put_rest(f, message, parts);
}

static void put_loose_parts(struct flattening *f)
{
	json_t *message = json_array_size(f->loose) ? json_pack("{s:O}", "parts", f->loose) : NULL;
	if (message)
		put_message(f, message);
	json_decref(message);
	json_array_clear(f->loose);
}

/* One of a list: a message, what has one in it (a choice, a candidate), or a part without its message. */
static void put_item(struct flattening *f, json_t *item)
{
	static const char *const wrappings[] = { "message", "content" };
	for (size_t i = 0; i < 2 && !json_object_get(item, "role"); i++) {
		json_t *inner = json_object_get(item, wrappings[i]);
		if (json_is_object(inner) && part_of(item) == PART_UNKNOWN)
			item = inner;
	}
	enum part kind = part_of(item);
	bool is_message = MEMBER(item, "role", "parts") || kind == PART_UNKNOWN;
	if (!is_message && kind != PART_RESULT) {
		json_array_append(f->loose, item);
		return;
	}
	put_loose_parts(f);
	if (!is_message)
		put_tool_result(f, item);
	else if (MEMBER(item, "role", "parts", "content", "tool_calls"))
		put_message(f, item);
}

static json_t *parse(struct bytes text)
{
	return text.len ? json_loadb((const char *)text.at, text.len,
				  JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) :
			  NULL;
}

static void put_json(struct flattening *f, struct bytes json)
{
	json_t *item = parse(json);
	put_item(f, item);
	json_decref(item);
}

/* The last `size` items of a well-formed array go round in `ring`; how many there were in all. */
static size_t cut_items(struct bytes array, struct bytes *ring, size_t size)
{
	struct skim skim = { array.at, bytes_end(array) };
	size_t count = 0;
	skim_blanks(&skim);
	skim_byte(&skim, '[');
	do {
		skim_blanks(&skim);
		const uint8_t *start = skim.at;
		if (*start == ']')
			break;
		skim_value(&skim, SKIM_MAX_DEPTH);
		ring[count++ % size] = (struct bytes){ start, (size_t)(skim.at - start) };
		skim_blanks(&skim);
	} while (skim_byte(&skim, ','));
	return count;
}

/* The newest items of a list that the settings admit. */
static void put_list(struct flattening *f, struct bytes array)
{
	size_t size = f->subject->config->content.flatten_max_messages,
	       room_bytes = f->subject->config->content.flatten_max_bytes;
	struct bytes *ring = arena_alloc(f->subject->arena, size * sizeof *ring);
	size_t count = ring ? cut_items(array, ring, size) : 0, first = count;
	for (; first > 0 && count - first < size; first--) {
		size_t len = ring[(first - 1) % size].len;
		if (len > room_bytes)
			break;
		room_bytes -= len;
	}
	for (; first < count; first++)
		put_json(f, ring[first % size]);
}

/* A message, or a request or an answer that has them as a member. */
static void put_object(struct flattening *f, struct bytes object)
{
	static const char *const lists[] = { "messages", "contents", "choices", "candidates" };
	struct bytes system, list;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		if (!json_find(object, lists[i], &list) || !json_text_is_array(list))
			continue;
		if (json_find(object, "system", &system)) {
			json_t *message = json_pack(
				"{s:s, s:o*}", "role", "system", "content", parse(system));
			put_item(f, message);
			json_decref(message);
		}
		put_list(f, list);
		return;
	}
	put_json(f, object);
}

/* An answer of plain text is a message; what begins like JSON was cut short, and is none. */
static void put_text(struct flattening *f, struct bytes text)
{
	if (!f->is_output || !text.len || text.at[0] == '[' || text.at[0] == '{')
		return;
	put(f, role_of(f), "role");
	put(f, text, "content");
}

static void flatten(struct subject *subject, bool is_output, struct bytes text)
{
	struct flattening f = { subject, is_output, .loose = json_array() };
	if (json_text_is_array(text))
		put_list(&f, text);
	else if (json_text_is_object(text))
		put_object(&f, text);
	else
		put_text(&f, text);
	put_loose_parts(&f);
	json_decref(f.loose);
}

/* Definitions in the shape that OpenAI gave them, {"type": "function", "function": {…}}. */
static json_t *shaped_tool(json_t *tool)
{
	static const char *const schemas[] = { "inputSchema", "input_schema",
		"parametersJsonSchema", "parameters_json_schema" };
	const char *type = text_member(tool, "type");
	if (json_object_get(tool, "function") || !json_object_get(tool, "name") ||
		(*type && strcmp(type, "function") != 0 && strcmp(type, "custom") != 0))
		return json_incref(tool);
	json_t *function = json_copy(tool);
	json_object_del(function, "type");
	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
		json_t *schema = json_object_get(tool, schemas[i]);
		if (schema) {
			json_object_set(function, "parameters", schema);
			json_object_del(function, schemas[i]);
		}
	}
	return json_pack("{s:s, s:o}", "type", "function", "function", function);
}

static void put_tool(struct subject *subject, json_t *tool, unsigned *index)
{
	char name[64];
	json_t *shaped = shaped_tool(tool);
	struct bytes text = json_text(subject, shaped);
	int len = snprintf(name, sizeof name, "llm.tools.%u.tool.json_schema", *index);
	if (text.len && *index < subject->config->content.flatten_max_messages) {
		add_named(subject, (struct bytes){ (uint8_t *)name, (size_t)len }, text);
		++*index;
	}
	json_decref(shaped);
}

/* Gemini has several in one item, Vercel each as JSON text. */
static void add_tool_definitions(struct subject *subject)
{
	json_t *tools = parse(fact_text(subject, FACT_TOOL_DEFINITIONS)), *tool, *one;
	unsigned index = 0;
	size_t i, d;
	json_array_foreach(tools, i, tool) {
		json_t *declared = json_object_get(tool, "functionDeclarations");
		json_array_foreach(declared, d, one)
			put_tool(subject, one, &index);
		if (json_is_string(tool)) {
			one = json_loadb(
				json_string_value(tool), json_string_length(tool), 0, NULL);
			put_tool(subject, one, &index);
			json_decref(one);
		} else if (!declared) {
			put_tool(subject, tool, &index);
		}
	}
	json_decref(tools);
}

void enrich_messages(struct subject *subject)
{
	static const enum fact input[] = { FACT_INPUT_MESSAGES, FACT_INPUT, FACT_PROMPT,
		FACT_NONE };
	static const enum fact output[] = { FACT_OUTPUT_MESSAGES, FACT_OUTPUT, FACT_COMPLETION,
		FACT_NONE };
	if (!subject->config->content.flatten_messages || subject->facts.kind != KIND_LLM)
		return;
	if (!span_has_prefix(subject->span, "llm.input_messages."))
		flatten(subject, false, first_said(subject, input));
	if (!span_has_prefix(subject->span, "llm.output_messages."))
		flatten(subject, true, first_said(subject, output));
	if (!span_has_prefix(subject->span, "llm.tools."))
		add_tool_definitions(subject);
}
