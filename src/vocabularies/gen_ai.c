/*
 * OpenTelemetry's GenAI conventions, all three generations: up to 1.36 (gen_ai.system, prompt_tokens,
 * message events), 1.37 to 1.41 (provider.name, input.messages), and the newest (cache_write). Input
 * counts include cached tokens, output counts include reasoning.
 */
#include "base/json_skim.h"
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "gen_ai.operation.name", FACT_OPERATION },
	{ "gen_ai.conversation.id", FACT_SESSION },
	{ "gen_ai.request.model", FACT_REQUEST_MODEL },
	{ "gen_ai.response.model", FACT_RESPONSE_MODEL },
	{ "gen_ai.provider.name", FACT_PROVIDER },
	{ "gen_ai.system", FACT_PROVIDER },
	{ "openai.response.service_tier", FACT_SERVICE_TIER },
	{ "gen_ai.openai.response.service_tier", FACT_SERVICE_TIER },
	{ "openai.request.service_tier", FACT_SERVICE_TIER },
	{ "gen_ai.openai.request.service_tier", FACT_SERVICE_TIER },
	{ "gen_ai.usage.input_tokens", FACT_INPUT_TOKENS },
	{ "gen_ai.usage.prompt_tokens", FACT_INPUT_TOKENS },
	{ "gen_ai.usage.output_tokens", FACT_OUTPUT_TOKENS },
	{ "gen_ai.usage.completion_tokens", FACT_OUTPUT_TOKENS },
	{ "gen_ai.usage.cache_read.input_tokens", FACT_CACHE_READ_TOKENS },
	{ "gen_ai.usage.cache_read_input_tokens", FACT_CACHE_READ_TOKENS },
	{ "gen_ai.usage.details.cache_read_tokens", FACT_CACHE_READ_TOKENS },
	{ "gen_ai.usage.cache_write.input_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "gen_ai.usage.cache_creation.input_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "gen_ai.usage.cache_creation_input_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "gen_ai.usage.details.cache_write_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "gen_ai.usage.reasoning.output_tokens", FACT_REASONING_TOKENS },
	{ "gen_ai.usage.reasoning_tokens", FACT_REASONING_TOKENS },
	{ "gen_ai.usage.details.reasoning_tokens", FACT_REASONING_TOKENS },
	{ "gen_ai.usage.audio.input_tokens", FACT_AUDIO_INPUT_TOKENS },
	{ "gen_ai.usage.audio.cache_read.input_tokens", FACT_AUDIO_CACHE_READ_TOKENS },
	{ "gen_ai.usage.audio.output_tokens", FACT_AUDIO_OUTPUT_TOKENS },
	{ "gen_ai.usage.image.input_tokens", FACT_IMAGE_INPUT_TOKENS },
	{ "gen_ai.usage.image.output_tokens", FACT_IMAGE_OUTPUT_TOKENS },
	{ "gen_ai.usage.total_tokens", FACT_TOTAL_TOKENS },
	{ "gen_ai.usage.cost", FACT_COST_TOTAL },
	{ "gen_ai.agent.name", FACT_AGENT_NAME },
	{ "gen_ai.agent.id", FACT_AGENT_ID },
	{ "gen_ai.retrieval.documents", FACT_RETRIEVAL },
	{ "db.vector.query.top_k", FACT_RETRIEVAL },
	{ "gen_ai.input.messages", FACT_INPUT_MESSAGES },
	{ "gen_ai.output.messages", FACT_OUTPUT_MESSAGES },
	{ "gen_ai.system_instructions", FACT_SYSTEM_INSTRUCTIONS },
	{ "gen_ai.prompt", FACT_PROMPT },
	{ "gen_ai.retrieval.query.text", FACT_PROMPT },
	{ "gen_ai.completion", FACT_COMPLETION },
	{ "gen_ai.tool.name", FACT_TOOL_NAME },
	{ "gen_ai.tool.call.id", FACT_TOOL_CALL_ID },
	{ "gen_ai.tool.call_id", FACT_TOOL_CALL_ID },
	{ "gen_ai.tool.description", FACT_TOOL_DESCRIPTION },
	{ "gen_ai.tool.call.arguments", FACT_TOOL_ARGUMENTS },
	{ "gen_ai.tool.call.result", FACT_TOOL_RESULT },
	{ "gen_ai.tool.definitions", FACT_TOOL_DEFINITIONS },
	{ "gen_ai.response.finish_reasons", FACT_FINISH_REASON },
	{ "gen_ai.response.finish_reason", FACT_FINISH_REASON },
	{ "gen_ai.request.temperature", FACT_TEMPERATURE },
	{ "gen_ai.request.top_p", FACT_TOP_P },
	{ "gen_ai.request.top_k", FACT_TOP_K },
	{ "gen_ai.request.presence_penalty", FACT_PRESENCE_PENALTY },
	{ "gen_ai.request.frequency_penalty", FACT_FREQUENCY_PENALTY },
	{ "gen_ai.request.seed", FACT_SEED },
	{ "gen_ai.openai.request.seed", FACT_SEED },
	{ "gen_ai.request.stop_sequences", FACT_STOP_SEQUENCES },
	{ "gen_ai.request.max_tokens", FACT_MAX_TOKENS },
	{ "gen_ai.response.time_to_first_chunk", FACT_FIRST_TOKEN_SECONDS },
	{ "gen_ai.prompt.name", FACT_PROMPT_NAME },
	{ "gen_ai.prompt.version", FACT_PROMPT_VERSION },
	{ 0 },
};

/* The conventions' operations, and names met in the field. */
static enum kind kind(const struct span *span, const struct facts *facts)
{
	static const struct {
		struct bytes operation;
		enum kind kind;
	} kinds[] = {
		{ BYTES("chat"), KIND_LLM },
		{ BYTES("text_completion"), KIND_LLM },
		{ BYTES("generate_content"), KIND_LLM },
		{ BYTES("completion"), KIND_LLM },
		{ BYTES("generate"), KIND_LLM },
		{ BYTES("llm_call"), KIND_LLM },
		{ BYTES("llm_request"), KIND_LLM },
		{ BYTES("embeddings"), KIND_EMBEDDING },
		{ BYTES("embedding"), KIND_EMBEDDING },
		{ BYTES("retrieval"), KIND_RETRIEVER },
		{ BYTES("search_memory"), KIND_RETRIEVER },
		{ BYTES("vector_db_retrieve"), KIND_RETRIEVER },
		{ BYTES("execute_tool"), KIND_TOOL },
		{ BYTES("tool_call"), KIND_TOOL },
		{ BYTES("invoke_agent"), KIND_AGENT },
		{ BYTES("create_agent"), KIND_AGENT },
		{ BYTES("plan"), KIND_AGENT },
		{ BYTES("agent_call"), KIND_AGENT },
		{ BYTES("user_prompt"), KIND_AGENT },
		{ BYTES("invoke_workflow"), KIND_CHAIN },
		{ BYTES("agent_step"), KIND_CHAIN },
		{ BYTES("execute_task"), KIND_CHAIN },
		{ BYTES("fetch_response"), KIND_CHAIN },
		{ BYTES("system_prompt"), KIND_CHAIN },
		{ BYTES("schedule_tool_calls"), KIND_CHAIN },
		{ BYTES("create_memory"), KIND_CHAIN },
		{ BYTES("update_memory"), KIND_CHAIN },
		{ BYTES("upsert_memory"), KIND_CHAIN },
		{ BYTES("delete_memory"), KIND_CHAIN },
		{ BYTES("create_memory_store"), KIND_CHAIN },
		{ BYTES("delete_memory_store"), KIND_CHAIN },
		{ BYTES("rerank"), KIND_RERANKER },
	};
	const struct value *operation = &facts->said[FACT_OPERATION];
	if (operation->type != VALUE_STRING)
		return KIND_NONE;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (bytes_equal(operation->bytes, kinds[i].operation))
			return kinds[i].kind;
	return KIND_NONE;
}

/* What one event of the first generation says of its message; each may be missing. */
struct message {
	struct bytes role;
	const struct value *content, *whole, *tool_calls, *call_id;
};

static struct message read_message(const char *role, const struct attributes *attributes)
{
	struct message message = { .role = bytes_of(role) };
	const struct {
		const char *name;
		const struct value **value;
	} members[] = {
		{ "content", &message.content },
		{ "gen_ai.prompt", &message.content },
		{ "gen_ai.completion", &message.content },
		{ "message", &message.whole },
		{ "tool_calls", &message.tool_calls },
		{ "id", &message.call_id },
	};
	for (size_t i = 0; i < attributes->count; i++) {
		const struct attribute *attribute = &attributes->at[i];
		if (value_is_empty(&attribute->value) || is_redacted(&attribute->value))
			continue;
		if (bytes_are(attribute->key, "role") && attribute->value.type == VALUE_STRING)
			message.role = attribute->value.bytes;
		for (size_t m = 0; m < sizeof members / sizeof *members; m++)
			if (bytes_are(attribute->key, members[m].name))
				*members[m].value = &attribute->value;
	}
	return message;
}

/* As JSON: text that is JSON already stays as it is. */
static void append_json(struct buf *json, const struct value *value)
{
	if (value->type == VALUE_STRING && json_is_container(value->bytes))
		buf_append(json, value->bytes.at, value->bytes.len);
	else
		buf_value_json(json, value);
}

static void append_member(struct buf *json, const char *name, const struct value *value)
{
	if (!value)
		return;
	buf_text(json, name);
	append_json(json, value);
}

/*
 * A message of the later conventions, [{"role", "parts": […]}], with calls of tools beside the parts, as
 * they came. A choice may come as a whole.
 */
static void append_message(struct buf *json, const struct message *message)
{
	if (!message->content && !message->whole && !message->tool_calls)
		return;
	buf_text(json, json->len ? "," : "[");
	if (message->whole) {
		append_json(json, message->whole);
		return;
	}
	buf_text(json, "{\"role\":");
	buf_json_string(json, message->role);
	if (message->content) {
		buf_text(json, ",\"parts\":[{\"type\":\"text\",\"content\":");
		buf_value_json(json, message->content);
		buf_text(json, "}]");
	}
	append_member(json, ",\"tool_calls\":", message->tool_calls);
	append_member(json, ",\"tool_call_id\":", message->call_id);
	buf_text(json, "}");
}

/* Unless that side is there in another form. */
static void say_messages(struct facts *facts, enum fact fact, enum fact other_form,
	struct buf *json, struct arena *arena)
{
	if (json->len)
		buf_text(json, "]");
	if (is_said(facts, fact) || is_said(facts, other_form))
		buf_done(json);
	else
		facts_say(facts, fact, json, arena);
}

/* Content that was sent as span events instead of attributes. */
static void read_message_events(const struct span *span, struct arena *arena, struct facts *facts)
{
	static const struct {
		const char *event;
		const char *role;
		bool is_output;
	} messages[] = {
		{ "gen_ai.system.message", "system", false },
		{ "gen_ai.user.message", "user", false },
		{ "gen_ai.assistant.message", "assistant", false },
		{ "gen_ai.tool.message", "tool", false },
		{ "gen_ai.content.prompt", "user", false },
		{ "gen_ai.choice", "assistant", true },
		{ "gen_ai.content.completion", "assistant", true },
	};
	struct buf json[2];
	buf_init(&json[0], arena->limit_bytes, arena->budget);
	buf_init(&json[1], arena->limit_bytes, arena->budget);
	for (size_t i = 0; i < span->event_count; i++) {
		struct attributes attributes = { 0 };
		for (size_t m = 0; m < sizeof messages / sizeof *messages; m++) {
			if (!bytes_are(span->events[i].name, messages[m].event) ||
				span_event_attributes(&span->events[i], arena, &attributes) < 0)
				continue;
			struct message message = read_message(messages[m].role, &attributes);
			append_message(&json[messages[m].is_output], &message);
		}
	}
	say_messages(facts, FACT_INPUT_MESSAGES, FACT_PROMPT, &json[0], arena);
	say_messages(facts, FACT_OUTPUT_MESSAGES, FACT_COMPLETION, &json[1], arena);
}

/* The current generation's one event, for SDKs that cannot put structures on spans. */
static void read_details_event(const struct span *span, struct arena *arena, struct facts *facts)
{
	static const struct word details[] = {
		{ "gen_ai.input.messages", FACT_INPUT_MESSAGES },
		{ "gen_ai.output.messages", FACT_OUTPUT_MESSAGES },
		{ "gen_ai.system_instructions", FACT_SYSTEM_INSTRUCTIONS },
	};
	for (size_t i = 0; i < span->event_count; i++) {
		struct attributes attributes = { 0 };
		if (!bytes_are(span->events[i].name, "gen_ai.client.inference.operation.details") ||
			span_event_attributes(&span->events[i], arena, &attributes) < 0)
			continue;
		for (size_t a = 0; a < attributes.count; a++)
			for (size_t d = 0; d < sizeof details / sizeof *details; d++)
				if (bytes_are(attributes.at[a].key, details[d].name))
					facts_say_value(
						facts, details[d].fact, &attributes.at[a].value);
	}
}

static bool has_content(const struct facts *facts)
{
	return (is_said(facts, FACT_INPUT_MESSAGES) || is_said(facts, FACT_PROMPT)) &&
		(is_said(facts, FACT_OUTPUT_MESSAGES) || is_said(facts, FACT_COMPLETION));
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	if (span->event_count && !has_content(facts))
		read_details_event(span, arena, facts);
	if (span->event_count && !has_content(facts))
		read_message_events(span, arena, facts);
	/* Who counts reasoning in these very words has it in the output, as they want it. */
	if (is_said(facts, FACT_REASONING_TOKENS) && facts->present[TARGET_USAGE_REASONING] &&
		facts->output_counting == COUNTING_UNSAID)
		facts->output_counting = COUNTING_INCLUSIVE;
	if (facts->kind == KIND_RETRIEVER && !is_said(facts, FACT_COMPLETION)) {
		const struct attribute *found =
			attribute_find(&span->attributes, "gen_ai.retrieval.documents");
		if (found)
			facts_say_value(facts, FACT_COMPLETION, &found->value);
	}
}

const struct vocabulary vocabulary_gen_ai = {
	.name = "gen_ai",
	.words = words,
	.kind = kind,
	.complete = complete,
};
