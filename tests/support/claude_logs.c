#include "support/claude_logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/otlp_logs.pb-c.h"

enum { ATTRIBUTES_MAX = 32, MS = 1000000 };

/* The records of one request, and the texts that they point to. */
struct writing {
	const struct claude_turn *turn;
	Otlp__LogRecord **records;
	size_t count;
	Otlp__LogRecord *record; /* that is being written */
};

static ProtobufCBinaryData text_data(const char *text)
{
	return (ProtobufCBinaryData){ strlen(text), (uint8_t *)strdup(text) };
}

static Otlp__AnyValue *put(struct writing *writing, const char *key)
{
	Otlp__LogRecord *record = writing->record;
	Otlp__KeyValue *attribute = malloc(sizeof *attribute);
	otlp__key_value__init(attribute);
	attribute->key = text_data(key);
	attribute->value = malloc(sizeof *attribute->value);
	otlp__any_value__init(attribute->value);
	record->attributes[record->n_attributes++] = attribute;
	return attribute->value;
}

static void put_text(struct writing *writing, const char *key, const char *text)
{
	Otlp__AnyValue *value = put(writing, key);
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = text_data(text);
}

static void put_key(struct writing *writing, const char *key, const char *prefix, unsigned number)
{
	char text[40];
	snprintf(text, sizeof text, "%s%010u", prefix, number);
	put_text(writing, key, text);
}

static void put_count(struct writing *writing, const char *key, int64_t count)
{
	Otlp__AnyValue *value = put(writing, key);
	value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	value->int_value = count;
}

static void begin(struct writing *writing, const char *event, uint64_t at_ns)
{
	char body[64];
	Otlp__LogRecord *record = writing->record = malloc(sizeof *record);
	otlp__log_record__init(record);
	record->attributes = calloc(ATTRIBUTES_MAX, sizeof *record->attributes);
	record->time_unix_nano = record->observed_time_unix_nano = at_ns;
	snprintf(body, sizeof body, "claude_code.%s", event);
	record->body = malloc(sizeof *record->body);
	otlp__any_value__init(record->body);
	record->body->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	record->body->string_value = text_data(body);
	put_text(writing, "user.id",
		"dee6aed26c4456ad714543fea551f8a5238027a2372d6dff6de70d69bb9928ff");
	put_text(writing, "session.id", writing->turn->session);
	put_text(writing, "anthropic.provider", "firstParty");
	put_text(writing, "terminal.type", "xterm-256color");
	put_text(writing, "event.name", event);
	put_count(writing, "event.sequence", (int64_t)writing->count);
	put_text(writing, "prompt.id", writing->turn->prompt);
	writing->records[writing->count++] = record;
}

static void put_call(struct writing *writing, unsigned number, uint64_t end_ns)
{
	begin(writing, "api_request", end_ns);
	put_text(writing, "model", "claude-opus-5-5");
	put_count(writing, "input_tokens", 12);
	put_count(writing, "output_tokens", 71);
	put_count(writing, "cache_read_tokens", 8192);
	put_count(writing, "cache_creation_tokens", 2048);
	put_count(writing, "cache_creation_5m_tokens", 2048);
	put_count(writing, "cache_creation_1h_tokens", 0);
	put_count(writing, "duration_ms", 200);
	put_count(writing, "ttft_ms", 97);
	put_key(writing, "request_id", "req_", number);
	put_text(writing, "speed", "normal");
	put_text(writing, "query_source", "sdk");
	put_text(writing, "effort", "medium");

	begin(writing, "assistant_response", end_ns);
	put_text(writing, "response", "I will look at the next file and say what stands in it.");
	put_count(writing, "response_length", 55);
	put_key(writing, "request_id", "req_", number);
	put_text(writing, "model", "claude-opus-5-5");
	put_text(writing, "query_source", "sdk");
}

static void put_tool(struct writing *writing, unsigned number, uint64_t begin_ns)
{
	begin(writing, "tool_decision", begin_ns);
	put_text(writing, "decision", "accept");
	put_text(writing, "source", "config");
	put_text(writing, "tool_name", "Bash");
	put_key(writing, "tool_use_id", "toolu_", number);
	put_key(writing, "request_id", "req_", number);

	begin(writing, "tool_result", begin_ns + 32 * MS);
	put_text(writing, "tool_name", "Bash");
	put_key(writing, "tool_use_id", "toolu_", number);
	put_key(writing, "request_id", "req_", number);
	put_text(writing, "success", "true");
	put_text(writing, "duration_ms", "32");
	put_text(writing, "tool_input",
		"{\"command\":\"head -n 40 notes.txt\",\"description\":\"Read\"}");
	put_text(writing, "tool_result_size_bytes", "1812");
}

unsigned claude_turn_events(const struct claude_turn *turn)
{
	unsigned tools = turn->calls - (turn->calls && !turn->goes_on);
	return turn->has_prompt + 2 * turn->calls + 2 * tools;
}

static struct bytes encode(struct writing *writing)
{
	Otlp__ExportLogsServiceRequest request = OTLP__EXPORT_LOGS_SERVICE_REQUEST__INIT;
	Otlp__ResourceLogs resource_logs = OTLP__RESOURCE_LOGS__INIT, *resources = &resource_logs;
	Otlp__ScopeLogs scope_logs = OTLP__SCOPE_LOGS__INIT, *scopes = &scope_logs;
	Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;
	static const char name[] = "com.anthropic.claude_code.events";
	scope.name = (ProtobufCBinaryData){ sizeof name - 1, (uint8_t *)name };
	scope_logs.scope = &scope;
	scope_logs.log_records = writing->records;
	scope_logs.n_log_records = writing->count;
	resource_logs.scope_logs = &scopes;
	resource_logs.n_scope_logs = 1;
	request.resource_logs = &resources;
	request.n_resource_logs = 1;
	size_t len = otlp__export_logs_service_request__get_packed_size(&request);
	uint8_t *at = malloc(len + 1);
	otlp__export_logs_service_request__pack(&request, at);
	return (struct bytes){ at, len };
}

struct bytes claude_turn_logs(const struct claude_turn *turn)
{
	struct writing writing = { .turn = turn };
	writing.records = calloc(claude_turn_events(turn) + 1, sizeof *writing.records);
	if (turn->has_prompt) {
		begin(&writing, "user_prompt", turn->at_ns);
		put_text(&writing, "prompt", "Please read all the notes");
		put_text(&writing, "prompt_length", "25");
	}
	for (unsigned i = 0; i < turn->calls; i++) {
		uint64_t end_ns = turn->at_ns + (uint64_t)(i + 1) * CLAUDE_CALL_MS * MS;
		put_call(&writing, turn->first_call + i, end_ns);
		if (i + 1 < turn->calls || turn->goes_on)
			put_tool(&writing, turn->first_call + i, end_ns + MS);
	}
	struct bytes request = encode(&writing);
	for (size_t i = 0; i < writing.count; i++)
		otlp__log_record__free_unpacked(writing.records[i], NULL);
	free(writing.records);
	return request;
}
