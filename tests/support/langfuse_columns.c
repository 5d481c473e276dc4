#include "support/langfuse_row.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct mapped {
	const char *value, *type;
};

static const char *look_up(const struct mapped *table, const char *value)
{
	for (; value && table->value; table++)
		if (strcmp(table->value, value) == 0)
			return table->type;
	return NULL;
}

static const struct mapped own_types[] = { { "span", "SPAN" }, { "generation", "GENERATION" },
	{ "event", "EVENT" }, { "embedding", "EMBEDDING" }, { "agent", "AGENT" },
	{ "tool", "TOOL" }, { "chain", "CHAIN" }, { "retriever", "RETRIEVER" },
	{ "guardrail", "GUARDRAIL" }, { "evaluator", "EVALUATOR" }, { NULL } };
static const struct mapped kinds[] = { { "CHAIN", "CHAIN" }, { "RETRIEVER", "RETRIEVER" },
	{ "LLM", "GENERATION" }, { "EMBEDDING", "EMBEDDING" }, { "AGENT", "AGENT" },
	{ "TOOL", "TOOL" }, { "GUARDRAIL", "GUARDRAIL" }, { "EVALUATOR", "EVALUATOR" }, { NULL } };
static const struct mapped operations[] = { { "chat", "GENERATION" },
	{ "completion", "GENERATION" }, { "text_completion", "GENERATION" },
	{ "generate_content", "GENERATION" }, { "generate", "GENERATION" },
	{ "embeddings", "EMBEDDING" }, { "invoke_agent", "AGENT" }, { "create_agent", "AGENT" },
	{ "execute_tool", "TOOL" }, { NULL } };

static bool is_old_python_sdk(const struct row *row)
{
	const char *language =
		json_string_value(json_object_get(row->resource, "telemetry.sdk.language"));
	if (!row->scope || !language || strcmp(language, "python") != 0)
		return false;
	char *name = row_clean(row->scope->name), *version = row_clean(row->scope->version);
	int major = 0, minor = 0, patch = 0;
	bool is_old = strcmp(name, "langfuse-sdk") == 0 &&
		sscanf(version, "%d.%d.%d", &major, &minor, &patch) >= 2 &&
		major * 1000000 + minor * 1000 + patch <= 3003000;
	free(name);
	free(version);
	return is_old;
}

static const char *type_of_vercel(const char *operation)
{
	const char *step = operation ? strrchr(operation, '.') : NULL;
	if (!operation || strncmp(operation, "ai.", 3) != 0)
		return NULL;
	if (strcmp(step, ".doGenerate") == 0 || strcmp(step, ".doStream") == 0)
		return "GENERATION";
	if (strcmp(step, ".doEmbed") == 0)
		return "EMBEDDING";
	return strcmp(operation, "ai.toolCall") == 0 ? "TOOL" : NULL;
}

static const char *type_of(const struct row *row)
{
	const json_t *own = row->own;
	const char *said = row_first_text(own, NAMES("langfuse.observation.type"));
	if (is_old_python_sdk(row) && said && strcmp(said, "span") == 0 &&
		row_first(own,
			NAMES("langfuse.observation.model.name",
				"langfuse.observation.usage_details",
				"langfuse.observation.cost_details",
				"langfuse.observation.model.parameters",
				"langfuse.observation.completion_start_time")))
		return "GENERATION";
	const char *type = look_up(own_types, said);
	if (!type)
		type = look_up(kinds, row_first_text(own, NAMES("openinference.span.kind")));
	if (!type)
		type = look_up(operations, row_first_text(own, NAMES("gen_ai.operation.name")));
	if (!type)
		type = type_of_vercel(row_first_text(own, NAMES("ai.operationId")));
	if (!type && row_first(own, NAMES("gen_ai.tool.name", "gen_ai.tool.call.id")))
		type = "TOOL";
	if (!type &&
		row_first(own,
			NAMES("langfuse.observation.model.name", "gen_ai.request.model",
				"gen_ai.response.model", "llm.model_name", "model")))
		type = "GENERATION";
	return type ? type : "SPAN";
}

static json_t *name_of(const struct row *row)
{
	const json_t *name = row_first(row->own,
		NAMES("gen_ai.tool.name", "genkit:name", "logfire.msg", "ai.toolCall.name"));
	const char *function = row_first_text(row->own, NAMES("ai.telemetry.functionId"));
	const char *operation = row_first_text(row->own, NAMES("ai.operationId"));
	if (name)
		return row_as_text(name);
	if (operation)
		return json_sprintf(
			"%s%s%s", function ? function : "", function ? ":" : "", operation);
	return row_json_text(row->span->name);
}

/* An array, a JSON array as text, a comma list or a single word. */
static json_t *tags_of(const struct row *row)
{
	const json_t *said = row_first(row->own,
		NAMES("langfuse.trace.tags", "langfuse.tags",
			"langfuse.observation.metadata.langfuse_tags",
			"langfuse.trace.metadata.langfuse_tags", "ai.telemetry.metadata.tags",
			"tag.tags"));
	json_t *list = json_is_array(said) ? json_deep_copy(said) : row_parsed(said), *tags, *tag;
	size_t i;
	if (!said)
		return json_null();
	if (!json_is_array(list)) {
		json_decref(list);
		list = json_array();
		for (const char *at = json_string_value(said); at && *at;) {
			size_t len = strcspn(at, ",");
			json_array_append_new(list, json_stringn(at, len));
			at += len + (at[len] == ',');
		}
	}
	tags = json_array();
	json_array_foreach(list, i, tag) {
		json_t *text = row_as_text(tag);
		const char *at = json_string_value(text);
		size_t len = at ? strlen(at) : 0;
		for (; len && *at == ' '; at++)
			len--;
		while (len && at[len - 1] == ' ')
			len--;
		if (len)
			json_array_append_new(tags, json_stringn(at, len));
		json_decref(text);
	}
	json_decref(list);
	return tags;
}

static json_t *environment_of(const struct row *row)
{
	static const char *const names[] = { "langfuse.environment", "deployment.environment.name",
		"deployment.environment" };
	const char *said = NULL;
	char text[41] = "";
	for (size_t i = 0; i < 3 && !said; i++) {
		said = row_first_text(row->own, NAMES(names[i]));
		if (!said)
			said = row_first_text(row->resource, NAMES(names[i]));
	}
	if (said && strncasecmp(said, "langfuse", 8) == 0)
		said += 8 + (said[8] == '-' || said[8] == '_');
	for (size_t i = 0; said && said[i] && i < sizeof text - 1; i++)
		text[i] = (char)tolower((unsigned char)said[i]);
	bool is_fit =
		*text && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(text);
	return json_string(is_fit ? text : "default");
}

static json_t *level_of(const struct row *row)
{
	static const struct mapped levels[] = { { "debug", "DEBUG" }, { "trace", "DEBUG" },
		{ "verbose", "DEBUG" }, { "default", "DEFAULT" }, { "info", "DEFAULT" },
		{ "log", "DEFAULT" }, { "notice", "DEFAULT" }, { "ok", "DEFAULT" },
		{ "success", "DEFAULT" }, { "warning", "WARNING" }, { "warn", "WARNING" },
		{ "error", "ERROR" }, { "fatal", "ERROR" }, { "critical", "ERROR" }, { NULL } };
	const char *said = row_first_text(row->own, NAMES("langfuse.observation.level"));
	for (const struct mapped *level = levels; said && level->value; level++)
		if (strcasecmp(level->value, said) == 0)
			return json_string(level->type);
	bool is_error = row->span->status && row->span->status->code == 2;
	return json_string(is_error ? "ERROR" : "DEFAULT");
}

static json_t *status_message_of(const struct row *row)
{
	const json_t *said = row_first(row->own, NAMES("langfuse.observation.status_message"));
	if (said)
		return json_deep_copy(said);
	if (row->span->status && row->span->status->message.len)
		return row_json_text(row->span->status->message);
	return json_null();
}

/*
 * In this order; the first with either side wins, and the other side then stays empty. A name that ends
 * with '*' stands for all that begin so.
 */
static const struct content {
	const char *inputs[4], *outputs[4];
	const char *scope;                      /* of this scope's spans alone; NULL: of all */
	const char *input_event, *output_event; /* or span events with this in their names */
} contents[] = {
	{ { "langfuse.observation.input" }, { "langfuse.observation.output" } },
	{ { "ai.prompt.messages", "ai.prompt", "ai.toolCall.args" },
		{ "ai.response.text", "ai.response.object", "ai.response.toolCalls",
			"ai.toolCall.result" },
		"ai" },
	{ .input_event = ".inference.operation.details",
		.output_event = ".inference.operation.details" },
	{ .input_event = ".message", .output_event = ".choice" },
	{ .input_event = ".content.prompt", .output_event = ".content.completion" },
	{ { "gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args" },
		{ "gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_response" } },
	{ { "prompt" }, { "all_messages_events" } },
	{ { "events" }, { NULL } },
	{ { "mlflow.spanInputs" }, { "mlflow.spanOutputs" } },
	{ { "traceloop.entity.input" }, { "traceloop.entity.output" } },
	{ { "input.value" }, { "output.value" } },
	{ { "input" }, { "output" } },
	{ { "pydantic_ai.all_messages" }, { "final_result" } },
	{ { "tool_arguments" }, { "tool_response" } },
	{ { "gen_ai.prompt", "gen_ai.prompt.0.*" },
		{ "gen_ai.completion", "gen_ai.completion.0.*" } },
	{ { "llm.input_messages.0.*" }, { "llm.output_messages.0.*" } },
	{ { "gen_ai.input.messages" }, { "gen_ai.output.messages" } },
	{ { "gen_ai.tool.call.arguments" }, { "gen_ai.tool.call.result" } },
};

static json_t *content_text(const json_t *own, const char *const names[4])
{
	for (size_t i = 0; i < 4 && names[i]; i++) {
		size_t len = strlen(names[i]);
		const char *key;
		json_t *value;
		if (names[i][len - 1] != '*') {
			if (!row_is_empty(json_object_get(own, names[i])))
				return row_as_text(json_object_get(own, names[i]));
			continue;
		}
		json_object_foreach((json_t *)own, key, value)
			if (strncmp(key, names[i], len - 1) == 0)
				return row_as_text(value);
	}
	return json_null();
}

static json_t *event_text(const struct row *row, const char *part)
{
	for (size_t i = 0; part && i < row->span->n_events; i++) {
		char *name = row_clean(row->span->events[i]->name);
		bool is_it = strncmp(name, "gen_ai.", 7) == 0 && strstr(name, part);
		free(name);
		if (is_it)
			return json_string("(events)");
	}
	return json_null();
}

static bool is_of_scope(const struct row *row, const char *scope)
{
	char *name = row->scope ? row_clean(row->scope->name) : NULL;
	bool is_of = !scope || (name && strcmp(name, scope) == 0);
	free(name);
	return is_of;
}

static void add_content(struct row *row)
{
	json_t *input = json_null(), *output = json_null();
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		const struct content *group = &contents[i];
		bool is_event = group->input_event != NULL;
		if (!is_of_scope(row, group->scope))
			continue;
		input = is_event ? event_text(row, group->input_event) :
				   content_text(row->own, group->inputs);
		output = is_event ? event_text(row, group->output_event) :
				    content_text(row->own, group->outputs);
		if (!json_is_null(input) || !json_is_null(output))
			break;
	}
	row_set(row, "input", input);
	row_set(row, "output", output);
}

/* ---- one row ---- */

static json_t *hex(ProtobufCBinaryData id)
{
	char text[2 * 64 + 1] = "";
	for (size_t i = 0; i < id.len && i < 64; i++)
		sprintf(text + 2 * i, "%02x", id.data[i]);
	return id.len ? json_string(text) : json_null();
}

static void set_said(struct row *row, const char *column, const char *const *names)
{
	row_set(row, column, row_as_text(row_first(row->own, names)));
}

/* ISO 8601 with T and zone, bare or in JSON quotes. */
static bool is_iso_time(const json_t *value)
{
	int year, month, day, hour, minute, second, end = 0;
	const char *text = json_string_value(value);
	if (!text)
		return false;
	text += *text == '"';
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
		    &end) != 6)
		return false;
	text += end;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	return *text == 'Z' || *text == '+' || *text == '-';
}

static bool is_whole_number(const json_t *value)
{
	const char *text = json_string_value(value);
	return json_is_integer(value) ||
		(text && *text && strspn(text, "0123456789") == strlen(text));
}

/* Why the legacy path drops this observation with no more than a line in its log; NULL when it does not. */
static const char *dropped_by_legacy(const struct row *row, const char *type)
{
	const json_t *start =
		row_first(row->own, NAMES("langfuse.observation.completion_start_time"));
	const json_t *version = row_first(row->own, NAMES("langfuse.version"));
	const json_t *status = row_first(row->own, NAMES("langfuse.observation.status_message"));
	const json_t *prompt = row_first(
		row->own, NAMES("langfuse.observation.prompt.name", "langfuse.prompt.name"));
	const json_t *prompt_version = row_first(
		row->own, NAMES("langfuse.observation.prompt.version", "langfuse.prompt.version"));
	const json_t *trace_name = row_first(row->own, NAMES("langfuse.trace.name"));
	if (!version)
		version = row_first(row->resource, NAMES("service.version"));
	if (start && !is_iso_time(start))
		return "its completion start is not ISO 8601";
	if (version && !json_is_string(version))
		return "its version is no text";
	if (status && !json_is_string(status))
		return "its status message is no text";
	if (strcmp(type, "GENERATION") == 0 && (prompt || prompt_version) &&
		!is_whole_number(prompt_version))
		return "its prompt has no whole number as version";
	if (trace_name && json_string_length(trace_name) > 1000)
		return "its trace's name is longer than 1,000 characters";
	return NULL;
}

static json_t *prompt_of(const struct row *row, const char *type)
{
	const json_t *name = row_first(
		row->own, NAMES("langfuse.observation.prompt.name", "langfuse.prompt.name"));
	const json_t *version = row_first(
		row->own, NAMES("langfuse.observation.prompt.version", "langfuse.prompt.version"));
	if (strcmp(type, "GENERATION") != 0 || !name)
		return json_null();
	return json_pack("{s:o, s:o}", "name", row_as_text(name), "version", row_as_text(version));
}

/* What lands under attributes.*, but for spans of Langfuse's own SDKs, where it vanishes. */
static json_t *metadata_of(const struct row *row)
{
	static const char *const prefixes[] = { "langfuse.trace.metadata.",
		"langfuse.observation.metadata.", "langfuse.metadata.", "ai.telemetry.metadata." };
	json_t *names = json_array(), *value;
	const char *key;
	char *scope = row->scope ? row_clean(row->scope->name) : NULL;
	bool is_own_sdk = scope && strncmp(scope, "langfuse-sdk", 12) == 0;
	json_object_foreach((json_t *)row->own, key, value) {
		const char *name = NULL;
		for (size_t i = 0; i < 4; i++)
			if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0)
				name = key + strlen(prefixes[i]);
		if (name)
			json_array_append_new(names, json_string(name));
		else if (!is_own_sdk && strncmp(key, "langfuse.", 9) != 0)
			json_array_append_new(names, json_sprintf("attributes.%s", key));
	}
	free(scope);
	return names;
}

/* The first as text, of the span and then of its resource. */
static json_t *own_or_resource(const struct row *row, const char *own, const char *resource)
{
	const json_t *value = row_first(row->own, NAMES(own));
	return row_as_text(value ? value : row_first(row->resource, NAMES(resource)));
}

void row_add_columns(struct row *row)
{
	const char *type = type_of(row);
	const char *dropped = dropped_by_legacy(row, type);
	row_set(row, "id", hex(row->span->span_id));
	row_set(row, "trace_id", hex(row->span->trace_id));
	row_set(row, "parent_id", hex(row->span->parent_span_id));
	row_set(row, "start_ns", json_integer((json_int_t)row->span->start_time_unix_nano));
	row_set(row, "type", json_string(type));
	row_set(row, "name", name_of(row));
	set_said(row, "trace_name", NAMES("langfuse.trace.name"));
	set_said(row, "user_id",
		NAMES("langfuse.user.id", "user.id",
			"langfuse.observation.metadata.langfuse_user_id",
			"langfuse.trace.metadata.langfuse_user_id",
			"ai.telemetry.metadata.userId"));
	set_said(row, "session_id",
		NAMES("langfuse.session.id", "session.id", "gen_ai.conversation.id",
			"langfuse.observation.metadata.langfuse_session_id",
			"langfuse.trace.metadata.langfuse_session_id",
			"ai.telemetry.metadata.sessionId"));
	row_set(row, "tags", tags_of(row));
	row_set(row, "release", own_or_resource(row, "langfuse.release", "langfuse.release"));
	row_set(row, "version", own_or_resource(row, "langfuse.version", "service.version"));
	row_set(row, "environment", environment_of(row));
	row_set(row, "level", level_of(row));
	row_set(row, "status_message", status_message_of(row));
	set_said(row, "completion_start", NAMES("langfuse.observation.completion_start_time"));
	row_set(row, "prompt", prompt_of(row, type));
	row_set(row, "metadata", metadata_of(row));
	row_set(row, "dropped", dropped ? json_string(dropped) : json_null());
	add_content(row);
}
