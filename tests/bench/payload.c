#include "bench/payload.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/tally.h"
#include "support/claude_logs.h"

static const struct {
	const char *name;
	unsigned spans;
	size_t span_bytes;
	unsigned dialects; /* of those below, with as many spans each */
	unsigned first;    /* of them */
} cases[] = {
	[PAYLOAD_SMALL] = { "small", 100, 1190, 1 },
	[PAYLOAD_LARGE] = { "large", 20, 8900, 1 },
	[PAYLOAD_TINY] = { "tiny", 5, 1190, 1 },
	[PAYLOAD_VOCABULARIES] = { "vocabularies", 100, 1190, 10 },
	[PAYLOAD_OTHERS] = { "others", 100, 1190, 1, 10 },
	[PAYLOAD_CLAUDE_LOGS] = { "claude-logs", 39 },
};

/* The three ids open the Span, so that each has a fixed place in it. */
enum { TRACE_ID_AT = 2, SPAN_ID_AT = 20, PARENT_ID_AT = 30 };
enum { JSON_TRACE_ID_AT = 12, JSON_SPAN_ID_AT = 56, JSON_PARENT_ID_AT = 90 };

enum { ONE_SYLLABLE_WORDS = 64, WORDS = ONE_SYLLABLE_WORDS + 64 * 64 };

const char *payload_case_name(enum payload_case which)
{
	return cases[which].name;
}

const char *payload_case_path(enum payload_case which)
{
	return which == PAYLOAD_CLAUDE_LOGS ? "/v1/logs" : "/v1/traces";
}

unsigned payload_case_spans(enum payload_case which)
{
	return cases[which].spans;
}

/* splitmix64: a few operations, and any seed will do. */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Consonant, vowel and perhaps a closing consonant: any two syllables can be told apart again. */
static void put_syllable(struct buf *out, unsigned n)
{
	char letters[] = { "bdfgklmnprstvzhj"[n % 16], "aeio"[n / 16], "\0nrs"[n * 7 / 16 % 4] };
	buf_append(out, letters, letters[2] ? 3 : 2);
}

/* The word with rank n: frequent ones are short. */
static void put_word(struct buf *out, unsigned n)
{
	if (n >= ONE_SYLLABLE_WORDS) {
		n -= ONE_SYLLABLE_WORDS;
		put_syllable(out, n / 64);
		if (n % 3 == 0)
			put_syllable(out, n * 31 % 64);
	}
	put_syllable(out, n % 64);
}

/* `bytes` of sentences that need no JSON escapes. */
static void put_text(struct buf *out, size_t bytes, uint64_t *random)
{
	size_t end = out->len + bytes;
	while (out->len < end && !out->error) {
		double u = (double)(draw(random) >> 11) / (double)(UINT64_C(1) << 53);
		/* Equal steps of the logarithm: frequency falls with the rank, as Zipf says. */
		put_word(out, (unsigned)exp(u * log(WORDS)) - 1);
		uint64_t mark = draw(random) % 16;
		buf_text(out, mark == 0 ? ". " : mark == 1 ? ", " : " ");
	}
	out->len = out->error ? out->len : end;
}

static void put_varint(struct buf *out, uint64_t value)
{
	uint8_t bytes[10];
	size_t len = 0;
	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (uint8_t)(value | 0x80);
	bytes[len++] = (uint8_t)value;
	buf_append(out, bytes, len);
}

static void put_bytes(struct buf *out, unsigned field, const void *from, size_t len)
{
	put_varint(out, field << 3 | 2);
	put_varint(out, len);
	buf_append(out, from, len);
}

static void put_fixed64(struct buf *out, unsigned field, uint64_t value)
{
	put_varint(out, field << 3 | 1);
	buf_append(out, &value, 8);
}

/* KeyValue { key, AnyValue } as field 9 of a Span, around an AnyValue that is encoded already. */
static void put_attribute(struct buf *out, const char *key, const struct buf *value)
{
	struct buf pair;
	buf_init(&pair, 1 << 20, NULL);
	put_bytes(&pair, 1, key, strlen(key));
	put_bytes(&pair, 2, value->at, value->len);
	put_bytes(out, 9, pair.at, pair.len);
	if (pair.error)
		out->error = pair.error;
	buf_done(&pair);
}

static void put_string_attribute(struct buf *out, const char *key, const char *text, size_t len)
{
	struct buf value;
	buf_init(&value, 1 << 20, NULL);
	put_bytes(&value, 1, text, len);
	put_attribute(out, key, &value);
	buf_done(&value);
}

static void put_integer_attribute(struct buf *out, const char *key, uint64_t integer)
{
	struct buf value;
	buf_init(&value, 64, NULL);
	put_varint(&value, 3 << 3);
	put_varint(&value, integer);
	put_attribute(out, key, &value);
	buf_done(&value);
}

/* How a value is made. */
enum form {
	TEXT,     /* as it stands in the table */
	COUNT,    /* `least` and up to `range` more */
	IDENTITY, /* what stands in the table, and a number of its own */
	PROSE,    /* `share` thirds of the span's text, within `text` and `end` */
};

struct word {
	const char *key;
	enum form form;
	const char *text, *end;
	uint64_t least, range;
	unsigned share;
};

#define USER_MESSAGES "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\""
#define ASSISTANT_MESSAGES "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\""
#define MESSAGES_END "\"}]}]"
#define SESSION "5d1c6a4e-6a53-4f0b-9d8f-2f4a1c7e9b30"
#define CLI_SESSION "7a3e1f52-0c9d-4b86-8e21-c0de00000000"

/* A kind of span: what calls come as in one vocabulary, with as many attributes as its senders write. */
struct dialect {
	const char *scope;
	const char *name;
	struct word words[32];
};

static const struct dialect dialects[] = {
	{ "tollg", "chat claude-sonnet-4-5",
		{
			{ "gen_ai.operation.name", TEXT, "chat" },
			{ "gen_ai.provider.name", TEXT, "anthropic" },
			{ "gen_ai.request.model", TEXT, "claude-sonnet-4-5" },
			{ "gen_ai.response.model", TEXT, "claude-sonnet-4-5-20250929" },
			{ "gen_ai.conversation.id", TEXT, SESSION },
			{ "user.id", TEXT, "bench" },
			{ "server.address", TEXT, "api.anthropic.com" },
			{ "gen_ai.response.id", IDENTITY, "msg_" },
			{ "gen_ai.request.max_tokens", COUNT, .least = 8192 },
			{ "server.port", COUNT, .least = 443 },
			{ "gen_ai.usage.input_tokens", COUNT, .least = 60000, .range = 60000 },
			{ "gen_ai.usage.output_tokens", COUNT, .least = 128, .range = 1024 },
			{ "gen_ai.usage.cache_read.input_tokens", COUNT, .range = 30000 },
			{ "gen_ai.usage.cache_creation.input_tokens", COUNT, .range = 30000 },
			{ "gen_ai.input.messages", PROSE, USER_MESSAGES, MESSAGES_END, .share = 2 },
			{ "gen_ai.output.messages", PROSE, ASSISTANT_MESSAGES, MESSAGES_END,
				.share = 1 },
		} },
	{ "openinference.instrumentation.openai", "ChatCompletion",
		{
			{ "openinference.span.kind", TEXT, "LLM" },
			{ "llm.system", TEXT, "openai" },
			{ "llm.provider", TEXT, "openai" },
			{ "llm.model_name", TEXT, "gpt-4o-2024-11-20" },
			{ "llm.invocation_parameters", TEXT, "{\"temperature\":0.2}" },
			{ "session.id", TEXT, SESSION },
			{ "user.id", TEXT, "bench" },
			{ "input.mime_type", TEXT, "application/json" },
			{ "output.mime_type", TEXT, "application/json" },
			{ "llm.input_messages.0.message.role", TEXT, "user" },
			{ "llm.output_messages.0.message.role", TEXT, "assistant" },
			{ "llm.token_count.prompt", COUNT, .least = 1024, .range = 30000 },
			{ "llm.token_count.completion", COUNT, .least = 128, .range = 1024 },
			{ "llm.token_count.prompt_details.cache_read", COUNT, .range = 1024 },
			{ "input.value", PROSE, "{\"messages\":[{\"role\":\"user\",\"content\":\"",
				"\"}]}", .share = 1 },
			{ "llm.input_messages.0.message.content", PROSE, "", "", .share = 1 },
			{ "llm.output_messages.0.message.content", PROSE, "", "", .share = 1 },
		} },
	{ "opentelemetry.instrumentation.openai.v1", "openai.chat",
		{
			{ "llm.request.type", TEXT, "chat" },
			{ "gen_ai.system", TEXT, "openai" },
			{ "gen_ai.request.model", TEXT, "gpt-4o-mini" },
			{ "gen_ai.response.model", TEXT, "gpt-4o-mini-2024-07-18" },
			{ "gen_ai.prompt.0.role", TEXT, "user" },
			{ "gen_ai.completion.0.role", TEXT, "assistant" },
			{ "gen_ai.completion.0.finish_reason", TEXT, "stop" },
			{ "traceloop.workflow.name", TEXT, "bench" },
			{ "traceloop.association.properties.session_id", TEXT, SESSION },
			{ "traceloop.association.properties.user_id", TEXT, "bench" },
			{ "gen_ai.response.id", IDENTITY, "chatcmpl-" },
			{ "gen_ai.usage.prompt_tokens", COUNT, .least = 1024, .range = 30000 },
			{ "gen_ai.usage.completion_tokens", COUNT, .least = 128, .range = 1024 },
			{ "gen_ai.usage.cache_read_input_tokens", COUNT, .range = 1024 },
			{ "gen_ai.prompt.0.content", PROSE, "", "", .share = 2 },
			{ "gen_ai.completion.0.content", PROSE, "", "", .share = 1 },
		} },
	{ "ai", "ai.generateText.doGenerate",
		{
			{ "operation.name", TEXT, "ai.generateText.doGenerate bench" },
			{ "ai.operationId", TEXT, "ai.generateText.doGenerate" },
			{ "ai.telemetry.functionId", TEXT, "bench" },
			{ "ai.telemetry.metadata.sessionId", TEXT, SESSION },
			{ "ai.telemetry.metadata.userId", TEXT, "bench" },
			{ "ai.model.id", TEXT, "gpt-4o" },
			{ "ai.model.provider", TEXT, "openai.chat" },
			{ "ai.response.model", TEXT, "gpt-4o-2024-11-20" },
			{ "ai.response.finishReason", TEXT, "stop" },
			{ "gen_ai.system", TEXT, "openai.chat" },
			{ "gen_ai.request.model", TEXT, "gpt-4o" },
			{ "ai.response.id", IDENTITY, "chatcmpl-" },
			{ "ai.usage.inputTokens", COUNT, .least = 1024, .range = 30000 },
			{ "ai.usage.outputTokens", COUNT, .least = 128, .range = 1024 },
			{ "ai.usage.cachedInputTokens", COUNT, .range = 1024 },
			{ "ai.prompt.messages", PROSE, "[{\"role\":\"user\",\"content\":\"", "\"}]",
				.share = 2 },
			{ "ai.response.text", PROSE, "", "", .share = 1 },
		} },
	{ "pydantic-ai", "chat gpt-5",
		{
			{ "gen_ai.operation.name", TEXT, "chat" },
			{ "gen_ai.system", TEXT, "openai" },
			{ "gen_ai.provider.name", TEXT, "openai" },
			{ "gen_ai.request.model", TEXT, "gpt-5" },
			{ "gen_ai.response.model", TEXT, "gpt-5-2025-08-07" },
			{ "gen_ai.agent.name", TEXT, "bench" },
			{ "gen_ai.conversation.id", TEXT, SESSION },
			{ "logfire.msg", TEXT, "chat gpt-5" },
			{ "operation.cost", TEXT, "0.01" },
			{ "gen_ai.response.id", IDENTITY, "resp_" },
			{ "gen_ai.usage.input_tokens", COUNT, .least = 1024, .range = 30000 },
			{ "gen_ai.usage.output_tokens", COUNT, .least = 1024, .range = 1024 },
			{ "gen_ai.usage.details.reasoning_tokens", COUNT, .range = 1024 },
			{ "gen_ai.input.messages", PROSE, USER_MESSAGES, MESSAGES_END, .share = 2 },
			{ "gen_ai.output.messages", PROSE, ASSISTANT_MESSAGES, MESSAGES_END,
				.share = 1 },
		} },
	{ "litellm", "litellm_request",
		{
			{ "gen_ai.operation.name", TEXT, "acompletion" },
			{ "llm.request.type", TEXT, "acompletion" },
			{ "gen_ai.system", TEXT, "anthropic" },
			{ "gen_ai.request.model", TEXT, "claude-sonnet-4-5" },
			{ "gen_ai.response.model", TEXT, "claude-sonnet-4-5-20250929" },
			{ "llm.is_streaming", TEXT, "False" },
			{ "llm.user", TEXT, "bench" },
			{ "metadata.user_api_key_user_id", TEXT, "bench" },
			{ "gen_ai.cost.total_cost", TEXT, "0.0123" },
			{ "gen_ai.response.id", IDENTITY, "chatcmpl-" },
			{ "gen_ai.usage.input_tokens", COUNT, .least = 1024, .range = 30000 },
			{ "gen_ai.usage.output_tokens", COUNT, .least = 128, .range = 1024 },
			{ "gen_ai.input.messages", PROSE, USER_MESSAGES, MESSAGES_END, .share = 2 },
			{ "gen_ai.output.messages", PROSE, ASSISTANT_MESSAGES, MESSAGES_END,
				.share = 1 },
		} },
	{ "mlflow", "Completions",
		{
			{ "mlflow.spanType", TEXT, "\"CHAT_MODEL\"" },
			{ "mlflow.llm.model", TEXT, "\"gpt-4o-mini\"" },
			{ "mlflow.llm.provider", TEXT, "\"openai\"" },
			{ "mlflow.message.format", TEXT, "\"openai\"" },
			{ "mlflow.trace.session", TEXT, "\"" SESSION "\"" },
			{ "mlflow.trace.user", TEXT, "\"bench\"" },
			{ "mlflow.traceRequestId", IDENTITY, "tr-" },
			{ "mlflow.chat.tokenUsage", TEXT,
				"{\"input_tokens\":4000,\"output_tokens\":500,\"total_tokens\":4500}" },
			{ "mlflow.spanInputs", PROSE,
				"{\"messages\":[{\"role\":\"user\",\"content\":\"", "\"}]}",
				.share = 2 },
			{ "mlflow.spanOutputs", PROSE, "{\"content\":\"", "\"}", .share = 1 },
		} },
	{ "mcp", "tools/call search",
		{
			{ "mcp.method.name", TEXT, "tools/call" },
			{ "mcp.session.id", TEXT, "transport" },
			{ "mcp.protocol.version", TEXT, "2025-06-18" },
			{ "gen_ai.operation.name", TEXT, "execute_tool" },
			{ "gen_ai.tool.name", TEXT, "search" },
			{ "session.id", TEXT, SESSION },
			{ "jsonrpc.request.id", IDENTITY, "" },
			{ "gen_ai.tool.call.arguments", PROSE, "{\"query\":\"", "\"}", .share = 1 },
			{ "gen_ai.tool.call.result", PROSE, "", "", .share = 2 },
		} },
	{ "com.anthropic.claude_code.tracing", "claude_code.llm_request",
		{
			{ "user.id", TEXT,
				"dee6aed26c4456ad714543fea551f8a5238027a2372d6dff6de70d69bb9928ff" },
			{ "session.id", TEXT, CLI_SESSION },
			{ "anthropic.provider", TEXT, "firstParty" },
			{ "terminal.type", TEXT, "xterm-256color" },
			{ "gen_ai.provider.name", TEXT, "anthropic" },
			{ "span.type", TEXT, "llm_request" },
			{ "model", TEXT, "claude-opus-5-5" },
			{ "gen_ai.system", TEXT, "anthropic" },
			{ "gen_ai.request.model", TEXT, "claude-opus-5-5" },
			{ "llm_request.context", TEXT, "interaction" },
			{ "speed", TEXT, "normal" },
			{ "gen_ai.conversation.id", TEXT, CLI_SESSION },
			{ "query_source_safe", TEXT, "sdk" },
			{ "duration_ms", COUNT, .least = 1000, .range = 9000 },
			{ "input_tokens", COUNT, .least = 2, .range = 20 },
			{ "output_tokens", COUNT, .least = 128, .range = 1024 },
			{ "cache_read_tokens", COUNT, .range = 90000 },
			{ "cache_creation_tokens", COUNT, .range = 9000 },
			{ "success", TEXT, "true" },
			{ "attempt", COUNT, .least = 1 },
			{ "request_id", IDENTITY, "req_" },
			{ "gen_ai.response.id", IDENTITY, "req_" },
			{ "ttft_ms", COUNT, .least = 200, .range = 900 },
			{ "stop_reason", TEXT, "end_turn" },
		} },
	{ "langfuse-sdk", "generate",
		{
			{ "langfuse.observation.type", TEXT, "generation" },
			{ "langfuse.observation.model.name", TEXT, "gpt-4o" },
			{ "langfuse.observation.model.parameters", TEXT,
				"{\"temperature\":\"0\"}" },
			{ "langfuse.observation.usage_details", TEXT,
				"{\"input\":4000,\"output\":500,\"total\":4500}" },
			{ "langfuse.trace.name", TEXT, "bench" },
			{ "langfuse.environment", TEXT, "production" },
			{ "session.id", TEXT, SESSION },
			{ "user.id", TEXT, "bench" },
			{ "langfuse.observation.metadata.request", IDENTITY, "" },
			{ "langfuse.observation.input", PROSE, "[{\"role\":\"user\",\"content\":\"",
				"\"}]", .share = 2 },
			{ "langfuse.observation.output", PROSE, "", "", .share = 1 },
		} },
	{ "opentelemetry.instrumentation.requests", "POST",
		{
			{ "http.request.method", TEXT, "POST" },
			{ "url.full", TEXT, "https://search.example/v1/documents/query" },
			{ "url.scheme", TEXT, "https" },
			{ "server.address", TEXT, "search.example" },
			{ "server.port", COUNT, .least = 443 },
			{ "network.protocol.name", TEXT, "http" },
			{ "network.protocol.version", TEXT, "1.1" },
			{ "network.peer.address", TEXT, "192.0.2.17" },
			{ "user_agent.original", TEXT, "python-requests/2.32.3" },
			{ "http.response.status_code", COUNT, .least = 200 },
			{ "http.request.body.size", COUNT, .least = 300, .range = 100 },
			{ "http.response.body.size", COUNT, .least = 200, .range = 100 },
			{ "http.request.header.x-request-id", IDENTITY, "" },
			{ "http.request.resend_count", COUNT, .range = 2 },
			{ "http.request.body.text", PROSE, "{\"query\":\"", "\"}", .share = 2 },
			{ "http.response.body.text", PROSE, "{\"found\":\"", "\"}", .share = 1 },
		} },
};

static void put_prose(struct buf *out, const struct word *word, size_t text_bytes, uint64_t *random)
{
	struct buf text;
	size_t bytes = word->share == 2 ? text_bytes * 2 / 3 : text_bytes - text_bytes * 2 / 3;
	buf_init(&text, 1 << 20, NULL);
	buf_text(&text, word->text);
	put_text(&text, bytes, random);
	buf_text(&text, word->end);
	put_string_attribute(out, word->key, (const char *)text.at, text.len);
	buf_done(&text);
}

static void put_word_of(
	struct buf *out, const struct word *word, size_t text_bytes, uint64_t *random)
{
	char id[64];
	switch (word->form) {
	case TEXT:
		put_string_attribute(out, word->key, word->text, strlen(word->text));
		break;
	case COUNT:
		put_integer_attribute(out, word->key,
			word->least + (word->range ? draw(random) % word->range : 0));
		break;
	case IDENTITY:
		snprintf(id, sizeof id, "%s%016llx", word->text, (unsigned long long)draw(random));
		put_string_attribute(out, word->key, id, strlen(id));
		break;
	case PROSE:
		put_prose(out, word, text_bytes, random);
	}
}

/* One call, whose texts have about `text_bytes` together. */
static void put_span(struct buf *out, const struct dialect *dialect, size_t text_bytes,
	bool is_root, uint64_t *random)
{
	static const uint8_t blank[16] = { 0 };
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t start_ns = (uint64_t)now.tv_sec * 1000000000;

	put_bytes(out, 1, blank, 16);
	put_bytes(out, 2, blank, 8);
	if (!is_root)
		put_bytes(out, 4, blank, 8);
	put_bytes(out, 5, dialect->name, strlen(dialect->name));
	put_varint(out, 6 << 3);
	put_varint(out, 3); /* SPAN_KIND_CLIENT */
	put_fixed64(out, 7, start_ns);
	put_fixed64(out, 8, start_ns + draw(random) % 9000000000);
	for (const struct word *word = dialect->words; word->key; word++)
		put_word_of(out, word, text_bytes, random);
}

static void put_resource(struct buf *out)
{
	static const char resource[] = "\x0a\x1b\x0a\x0cservice.name\x12\x0b\x0a\x09tollgate!";
	put_bytes(out, 1, resource, sizeof(resource) - 1);
}

/* The spans of one scope, each of about the case's size. */
static void put_scope(struct buf *out, struct payload *payload, const struct dialect *dialect,
	unsigned first, unsigned spans, size_t span_bytes, uint64_t *random)
{
	struct buf span, name;
	buf_init(&span, 1 << 20, NULL);
	buf_init(&name, 256, NULL);
	put_bytes(&name, 1, dialect->scope, strlen(dialect->scope));
	put_bytes(out, 1, name.at, name.len);
	put_span(&span, dialect, 0, false, random);
	size_t text_bytes = span_bytes > span.len ? span_bytes - span.len : 0;
	for (unsigned i = first; i < first + spans; i++) {
		span.len = 0;
		put_span(&span, dialect, text_bytes, i == 0, random);
		put_bytes(out, 2, span.at, span.len);
		payload->span_at[i] = out->len - span.len;
	}
	if (span.error || name.error)
		out->error = -ENOMEM;
	buf_done(&span);
	buf_done(&name);
}

/* As the exporter of one process sends it; the session's id is found in each event. */
static int init_claude_logs(struct payload *payload)
{
	static const char session[] = "5d1c6a4e-6a53-4f0b-9d8f-000000000000";
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct bytes logs = claude_turn_logs(&(struct claude_turn){
		.session = session,
		.prompt = "1d0cc743-c1bc-46ff-a223-86bf008d77d7",
		.at_ns = (uint64_t)now.tv_sec * 1000000000,
		.calls = 10,
		.has_prompt = true,
	});
	buf_init(&payload->request, 1 << 24, NULL);
	buf_append(&payload->request, logs.at, logs.len);
	free((void *)logs.at);
	const uint8_t *at = payload->request.at, *end = at + payload->request.len;
	payload->span_count = 0;
	while ((at = memmem(at, (size_t)(end - at), session, sizeof session - 1))) {
		at += sizeof session - 1;
		payload->span_at[payload->span_count++] = (size_t)(at - payload->request.at);
	}
	return payload->request.error;
}

/* The last digits of each session's id become the number. */
static void stamp_sessions(uint8_t *request, const size_t *ends, unsigned count, uint64_t number)
{
	enum { DIGITS = 12 };
	for (unsigned i = 0; i < count; i++)
		for (unsigned digit = 1; digit <= DIGITS; digit++)
			request[ends[i] - digit] =
				(uint8_t) "0123456789abcdef"[number >> 4 * (digit - 1) & 0xf];
}

void payload_find_sessions(struct payload *payload)
{
	const uint8_t *start = payload->request.at, *end = start + payload->request.len,
		      *at = start;
	payload->session_count = 0;
	while ((at = memmem(at, (size_t)(end - at), CLI_SESSION, strlen(CLI_SESSION))) &&
		payload->session_count < PAYLOAD_SESSIONS_MAX) {
		at += strlen(CLI_SESSION);
		payload->session_at[payload->session_count++] = (size_t)(at - start);
	}
}

int payload_init(struct payload *payload, enum payload_case which, uint64_t seed)
{
	payload->is_logs = which == PAYLOAD_CLAUDE_LOGS;
	if (payload->is_logs)
		return init_claude_logs(payload);
	uint64_t random = seed;
	unsigned scopes = cases[which].dialects, each = cases[which].spans / scopes;
	struct buf scope, resource;
	buf_init(&scope, 1 << 24, NULL);
	buf_init(&resource, 1 << 24, NULL);
	buf_init(&payload->request, 1 << 24, NULL);
	payload->span_count = cases[which].spans;
	payload->is_json = false;

	for (unsigned d = 0; d < scopes; d++) {
		scope.len = resource.len = 0;
		put_scope(&scope, payload, &dialects[cases[which].first + d], d * each, each,
			cases[which].span_bytes, &random);
		put_resource(&resource);
		put_bytes(&resource, 2, scope.at, scope.len);
		put_bytes(&payload->request, 1, resource.at, resource.len);
		for (unsigned i = d * each; i < (d + 1) * each; i++)
			payload->span_at[i] += payload->request.len - scope.len;
	}
	payload_find_sessions(payload);

	int error = scope.error || resource.error ? -ENOMEM : payload->request.error;
	buf_done(&scope);
	buf_done(&resource);
	return error;
}

void payload_done(struct payload *payload)
{
	buf_done(&payload->request);
}

static void put_id(uint8_t *to, const void *id, size_t len, bool in_hex)
{
	const uint8_t *bytes = id;
	for (size_t i = 0; i < len; i++) {
		if (!in_hex) {
			to[i] = bytes[i];
			continue;
		}
		to[2 * i] = (uint8_t) "0123456789abcdef"[bytes[i] >> 4];
		to[2 * i + 1] = (uint8_t) "0123456789abcdef"[bytes[i] & 0xf];
	}
}

void payload_stamp(const struct payload *payload, uint8_t *request, uint64_t first)
{
	if (payload->is_logs) {
		stamp_sessions(request, payload->span_at, payload->span_count, first);
		return;
	}
	stamp_sessions(request, payload->session_at, payload->session_count, first);
	bool is_json = payload->is_json;
	uint8_t trace_id[16] = "tollgate", parent[8], id[8];
	span_number_to_id(first, parent);
	memcpy(trace_id + 8, parent, 8);
	for (unsigned i = 0; i < payload->span_count; i++) {
		uint8_t *span = request + payload->span_at[i];
		span_number_to_id(first + i, id);
		put_id(span + (is_json ? JSON_TRACE_ID_AT : TRACE_ID_AT), trace_id, 16, is_json);
		put_id(span + (is_json ? JSON_SPAN_ID_AT : SPAN_ID_AT), id, 8, is_json);
		if (i > 0)
			put_id(span + (is_json ? JSON_PARENT_ID_AT : PARENT_ID_AT), parent, 8,
				is_json);
	}
}
