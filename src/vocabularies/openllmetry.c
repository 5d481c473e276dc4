/*
 * OpenLLMetry (Traceloop), and names of its that others took over. Before 0.55 it wrote messages as one
 * attribute per leaf: gen_ai.prompt.0.content, gen_ai.completion.0.tool_calls.0.name.
 */
#include "base/json_skim.h"
#include "vocabularies/flattened.h"
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "traceloop.span.kind", FACT_TRACELOOP_KIND },
	{ "llm.request.type", FACT_REQUEST_TYPE },
	{ "traceloop.association.properties.session_id", FACT_SESSION },
	{ "traceloop.association.properties.sessionId", FACT_SESSION },
	{ "traceloop.association.properties.conversation_id", FACT_SESSION },
	{ "traceloop.association.properties.thread_id", FACT_SESSION },
	{ "traceloop.association.properties.user_id", FACT_USER },
	{ "traceloop.association.properties.userId", FACT_USER },
	{ "llm.user", FACT_USER },
	{ "gen_ai.user", FACT_USER },
	{ "traceloop.association.properties.tags", FACT_TAGS },
	{ "llm.usage.prompt_tokens", FACT_INPUT_TOKENS },
	{ "llm.usage.completion_tokens", FACT_OUTPUT_TOKENS },
	{ "llm.usage.reasoning_tokens", FACT_REASONING_TOKENS },
	{ "llm.usage.total_tokens", FACT_TOTAL_TOKENS },
	{ "gen_ai.prompt.0.role", FACT_INDEXED_PROMPT },
	{ "gen_ai.prompt.0.content", FACT_INDEXED_PROMPT },
	{ "gen_ai.completion.0.role", FACT_INDEXED_COMPLETION },
	{ "gen_ai.completion.0.content", FACT_INDEXED_COMPLETION },
	{ "gen_ai.completion.0.tool_calls.0.name", FACT_INDEXED_COMPLETION },
	{ "traceloop.entity.name", FACT_ENTITY_NAME },
	{ "traceloop.entity.input", FACT_PROMPT },
	{ "traceloop.entity.output", FACT_COMPLETION },
	{ "llm.response.finish_reason", FACT_FINISH_REASON },
	{ "gen_ai.completion.0.finish_reason", FACT_FINISH_REASON },
	{ "llm.top_k", FACT_TOP_K },
	{ "llm.presence_penalty", FACT_PRESENCE_PENALTY },
	{ "llm.frequency_penalty", FACT_FREQUENCY_PENALTY },
	{ "llm.chat.stop_sequences", FACT_STOP_SEQUENCES },
	{ "traceloop.prompt.key", FACT_PROMPT_NAME },
	{ "traceloop.prompt.version", FACT_PROMPT_VERSION },
	{ "traceloop.prompt.template", FACT_PROMPT_TEMPLATE },
	{ "traceloop.prompt.template_variables", FACT_PROMPT_VARIABLES },
	{ 0 },
};

/* LiteLLM's types of request are these too, with an "a" before those of its asynchronous calls. */
static enum kind kind(const struct span *span, const struct facts *facts)
{
	static const struct {
		enum fact fact;
		const char *word;
		enum kind kind;
	} kinds[] = {
		{ FACT_TRACELOOP_KIND, "workflow", KIND_CHAIN },
		{ FACT_TRACELOOP_KIND, "task", KIND_CHAIN },
		{ FACT_TRACELOOP_KIND, "agent", KIND_AGENT },
		{ FACT_TRACELOOP_KIND, "tool", KIND_TOOL },
		{ FACT_TRACELOOP_KIND, "llm", KIND_LLM },
		{ FACT_REQUEST_TYPE, "chat", KIND_LLM },
		{ FACT_REQUEST_TYPE, "completion", KIND_LLM },
		{ FACT_REQUEST_TYPE, "acompletion", KIND_LLM },
		{ FACT_REQUEST_TYPE, "text_completion", KIND_LLM },
		{ FACT_REQUEST_TYPE, "atext_completion", KIND_LLM },
		{ FACT_REQUEST_TYPE, "embedding", KIND_EMBEDDING },
		{ FACT_REQUEST_TYPE, "aembedding", KIND_EMBEDDING },
		{ FACT_REQUEST_TYPE, "rerank", KIND_RERANKER },
		{ FACT_REQUEST_TYPE, "arerank", KIND_RERANKER },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct value *said = &facts->said[kinds[i].fact];
		if (said->type == VALUE_STRING && bytes_are(said->bytes, kinds[i].word))
			return kinds[i].kind;
	}
	return KIND_NONE;
}

/* Of the leaves of one message, the one at the end of this path; NULL when it is not there or empty. */
static const struct value *find_leaf(
	const struct leaf *leaves, size_t count, size_t skip, const char *path)
{
	const struct value *found = NULL;
	for (size_t i = 0; i < count; i++) {
		struct bytes whole = leaves[i].path;
		if (whole.len > skip &&
			bytes_are((struct bytes){ whole.at + skip, whole.len - skip }, path))
			found = leaves[i].value;
	}
	return found;
}

static void append_member(struct buf *json, const char *name, const struct value *value)
{
	if (!value)
		return;
	buf_text(json, ",\"");
	buf_text(json, name);
	buf_text(json, "\":");
	buf_value_json(json, value);
}

/* A text, or what a tool gave back to the model. */
static void append_content(struct buf *json, const struct value *content, const struct value *call)
{
	if (!content)
		return;
	buf_text(json, call ? "{\"type\":\"tool_call_response\"" : "{\"type\":\"text\"");
	append_member(json, "id", call);
	append_member(json, call ? "response" : "content", content);
	buf_text(json, "}");
}

static void append_tool_calls(
	struct buf *json, const struct leaf *leaves, size_t count, size_t skip, bool is_first)
{
	static const char prefix[] = "tool_calls.";
	for (size_t i = 0, same; i < count; i += same) {
		struct bytes path = leaves[i].path;
		same = 1;
		if (path.len <= skip ||
			!bytes_start_with(
				(struct bytes){ path.at + skip, path.len - skip }, prefix))
			continue;
		size_t below = skip + sizeof prefix - 1;
		same = leaves_same_step(leaves + i, count - i, below, &below);
		buf_text(json, is_first ? "{\"type\":\"tool_call\"" : ",{\"type\":\"tool_call\"");
		append_member(json, "id", find_leaf(leaves + i, same, below, "id"));
		append_member(json, "name", find_leaf(leaves + i, same, below, "name"));
		append_member(json, "arguments", find_leaf(leaves + i, same, below, "arguments"));
		buf_text(json, "}");
		is_first = false;
	}
}

static void append_message(
	struct buf *json, const struct leaf *leaves, size_t count, size_t skip, const char *role)
{
	const struct value *said_role = find_leaf(leaves, count, skip, "role");
	const struct value *content = find_leaf(leaves, count, skip, "content");
	if (content && is_redacted(content))
		content = NULL;
	buf_text(json, json->len ? ",{\"role\":" : "[{\"role\":");
	if (said_role)
		buf_value_json(json, said_role);
	else
		buf_json_string(json, bytes_of(role));
	buf_text(json, ",\"parts\":[");
	append_content(json, content, find_leaf(leaves, count, skip, "tool_call_id"));
	append_tool_calls(json, leaves, count, skip, !content);
	buf_text(json, "]}");
}

/* The messages that a list of leaves was, in the form of later conventions. */
static void read_messages(const struct span *span, const char *prefix, const char *role,
	enum fact fact, struct arena *arena, struct facts *facts)
{
	struct buf json;
	struct leaf *leaves;
	size_t count = flattened_leaves(span, prefix, arena, &leaves);
	buf_init(&json, arena->limit_bytes, arena->budget);
	for (size_t i = 0, same, below; i < count && leaf_is_item(&leaves[i]); i += same) {
		same = leaves_same_step(leaves + i, count - i, 0, &below);
		append_message(&json, leaves + i, same, below, role);
	}
	if (json.len)
		buf_text(&json, "]");
	facts_say(facts, fact, &json, arena);
}

/* Whether the list is there and nothing that comes before it in order of preference. */
static bool is_preferred(
	const struct facts *facts, enum fact list, enum fact messages, enum fact other)
{
	return is_said(facts, list) && !is_said(facts, messages) &&
		(!is_said(facts, other) || facts->rank[list] < facts->rank[other]);
}

/* What a tool took and gave is a member of an object that says more than that. */
static void unwrap(
	struct facts *facts, enum fact from, const char *member, enum fact to, struct arena *arena)
{
	struct value value = facts->said[from];
	struct bytes inner;
	if (value.type == VALUE_STRING && json_find(value.bytes, member, &inner))
		value = value_of_json_text(inner, arena);
	facts_say_value(facts, to, &value);
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	if (is_preferred(facts, FACT_INDEXED_PROMPT, FACT_INPUT_MESSAGES, FACT_PROMPT))
		read_messages(span, "gen_ai.prompt.", "user", FACT_PROMPT, arena, facts);
	if (is_preferred(facts, FACT_INDEXED_COMPLETION, FACT_OUTPUT_MESSAGES, FACT_COMPLETION))
		read_messages(
			span, "gen_ai.completion.", "assistant", FACT_COMPLETION, arena, facts);
	if (facts->kind == KIND_TOOL) {
		facts_say_value(facts, FACT_TOOL_NAME, &facts->said[FACT_ENTITY_NAME]);
		unwrap(facts, FACT_PROMPT, "inputs", FACT_TOOL_ARGUMENTS, arena);
		unwrap(facts, FACT_COMPLETION, "output", FACT_TOOL_RESULT, arena);
	} else if (facts->kind == KIND_AGENT) {
		facts_say_value(facts, FACT_AGENT_NAME, &facts->said[FACT_ENTITY_NAME]);
	}
}

const struct vocabulary vocabulary_openllmetry = {
	.name = "openllmetry",
	.words = words,
	.kind = kind,
	.complete = complete,
};
