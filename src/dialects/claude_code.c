/*
 * What Claude Code says in its logs. All of it is stamped when it ends; a tool's words stand beside
 * the id of the call that asked for it, which may be logged after it.
 */
#include "dialects/claude_code.h"

#include "dialects/saying.h"

static const char prompt_mark[] = "redacted by Claude Code, set OTEL_LOG_USER_PROMPTS=1";
static const char answer_mark[] = "redacted by Claude Code, set OTEL_LOG_ASSISTANT_RESPONSES=1";
static const char input_mark[] = "redacted by Claude Code, set OTEL_LOG_TOOL_DETAILS=1";

static bool owns_scope(struct bytes name)
{
	return bytes_start_with(name, "com.anthropic.claude_code.") ||
		bytes_are(name, "com.anthropic.claude_code");
}

/* ---- what logs, hooks and spans have in common ---- */

static struct said said_or_mark(struct bytes text, const char *mark)
{
	return bytes_are(text, "<REDACTED>") ? (struct said){ .mark = mark } :
					       (struct said){ .text = text };
}

struct said claude_code_prompt(struct bytes prompt)
{
	return said_or_mark(prompt, prompt_mark);
}

/* What stands in the first element of this name. */
static struct bytes element(struct bytes text, const char *open, const char *close)
{
	const uint8_t *start = memmem(text.at, text.len, open, strlen(open));
	if (!start)
		return (struct bytes){ 0 };
	start += strlen(open);
	size_t left = (size_t)(bytes_end(text) - start);
	const uint8_t *end = memmem(start, left, close, strlen(close));
	return end ? (struct bytes){ start, (size_t)(end - start) } : (struct bytes){ 0 };
}

bool claude_code_is_notification(
	struct bytes prompt, struct bytes *ret_agent, struct bytes *ret_tool)
{
	if (!bytes_start_with(prompt, "<task-notification>"))
		return false;
	/* What the task answered comes behind its keys and may hold anything. */
	const uint8_t *result = memmem(prompt.at, prompt.len, "<result>", strlen("<result>"));
	struct bytes keys = { prompt.at, result ? (size_t)(result - prompt.at) : prompt.len };
	struct bytes agent = element(keys, "<task-id>", "</task-id>");
	if (!agent.len)
		return false;
	*ret_agent = agent;
	*ret_tool = element(keys, "<tool-use-id>", "</tool-use-id>");
	return true;
}

struct bytes claude_code_side(struct bytes query_source)
{
	bool is_main = query_source.len == 0 || bytes_are(query_source, "sdk") ||
		bytes_start_with(query_source, "repl_main_thread");
	bool is_agent = bytes_start_with(query_source, "agent:") ||
		bytes_start_with(query_source, "agent.");
	if (is_main || is_agent)
		return (struct bytes){ 0 };
	return bytes_are(query_source, "generate_session_title") ? bytes_of("title") : query_source;
}

struct tokens claude_code_tokens(const struct attributes *attributes)
{
	struct tokens tokens = {
		.cache_read = said_count_or_0(attributes, "cache_read_tokens"),
		.cache_write = said_count_or_0(attributes, "cache_creation_tokens"),
		.cache_write_5m = said_count_or_0(attributes, "cache_creation_5m_tokens"),
		.cache_write_1h = said_count_or_0(attributes, "cache_creation_1h_tokens"),
	};
	bool has_input = said_count(attributes, "input_tokens", &tokens.input);
	bool has_output = said_count(attributes, "output_tokens", &tokens.output);
	tokens.are_said = has_input || has_output;
	tokens.has_cache_lives = tokens.cache_write &&
		tokens.cache_write_5m + tokens.cache_write_1h == tokens.cache_write;
	return tokens;
}

struct bytes claude_code_tier(struct bytes speed)
{
	return bytes_are(speed, "normal") ? (struct bytes){ 0 } : speed;
}

bool claude_code_is_by_person(struct bytes source)
{
	return bytes_start_with(source, "user_");
}

/* ---- logs ---- */

static struct event event_of(const struct log_record *record, enum event_kind kind)
{
	const struct attributes *attributes = &record->attributes;
	struct event event = {
		.kind = kind,
		.cli = &dialect_claude_code.cli,
		.session = said_text(attributes, "session.id"),
		.turn = said_text(attributes, "prompt.id"),
		.agent = said_text(attributes, "agent_id"),
		.call = said_text(attributes, "request_id"),
		.tool = said_text(attributes, "tool_use_id"),
		.user = said_text(attributes, "user.id"),
		.trace_id = record->trace_id,
		.span_id = record->span_id,
		.time_ns = log_record_when(record),
		.error = said_text(attributes, "error"),
		.error_type = said_text(attributes, "error_type"),
	};
	event.has_duration = said_ms(attributes, "duration_ms", &event.duration_ns);
	return event;
}

static void read_prompt(const struct log_record *record, struct events *events)
{
	const struct attributes *attributes = &record->attributes;
	struct event event = event_of(record, EVENT_PROMPT);
	event.text = claude_code_prompt(said_text(attributes, "prompt"));
	event.text_length = said_count_or_0(attributes, "prompt_length");
	event.name = said_text(attributes, "command_name");
	if (claude_code_is_notification(event.text.text, &event.agent, &event.tool)) {
		event.kind = EVENT_CONTINUATION;
		events_add(events, &event);
		event = (struct event){
			.kind = EVENT_AGENT_NAMED,
			.cli = event.cli,
			.session = event.session,
			.agent = event.agent,
			.tool = event.tool,
		};
	}
	events_add(events, &event);
}

static void read_call(const struct log_record *record, struct events *events)
{
	const struct attributes *attributes = &record->attributes;
	struct event event = event_of(record, EVENT_CALL);
	said_ms(attributes, "ttft_ms", &event.first_token_ns);
	event.model = said_text(attributes, "model");
	event.side = claude_code_side(said_text(attributes, "query_source"));
	event.tokens = claude_code_tokens(attributes);
	event.has_cost =
		said_number(attributes, "cost_usd", &event.cost_usd) && event.cost_usd >= 0;
	event.tier = claude_code_tier(said_text(attributes, "speed"));
	events_add(events, &event);
}

/* Stands for all attempts of the call. */
static void read_failed_call(const struct log_record *record, struct events *events)
{
	const struct attributes *attributes = &record->attributes;
	struct event event = event_of(record, EVENT_CALL);
	event.model = said_text(attributes, "model");
	event.side = claude_code_side(said_text(attributes, "query_source"));
	event.tier = claude_code_tier(said_text(attributes, "speed"));
	event.ending = ENDING_FAILED;
	event.status_code = said_count_or_0(attributes, "status_code");
	event.attempts = said_count_or_0(attributes, "attempt");
	events_add(events, &event);
}

static void read_answer(const struct log_record *record, struct events *events)
{
	const struct attributes *attributes = &record->attributes;
	struct event event = event_of(record, EVENT_ANSWER);
	event.side = claude_code_side(said_text(attributes, "query_source"));
	event.output = said_or_mark(said_text(attributes, "response"), answer_mark);
	events_add(events, &event);
}

static void read_decision(const struct log_record *record, struct events *events)
{
	const struct attributes *attributes = &record->attributes;
	struct event event = event_of(record, EVENT_TOOL_BEGIN);
	event.name = said_text(attributes, "tool_name");
	event.is_by_person = claude_code_is_by_person(said_text(attributes, "source"));
	if (bytes_are(said_text(attributes, "decision"), "reject"))
		event.ending = ENDING_REJECTED;
	events_add(events, &event);
}

/* What is withheld has a size. What a tool gave back is never logged. */
static void read_tool(const struct log_record *record, struct events *events)
{
	const struct attributes *attributes = &record->attributes;
	struct event event = event_of(record, EVENT_TOOL);
	event.name = said_text(attributes, "tool_name");
	event.is_by_person = claude_code_is_by_person(said_text(attributes, "decision_source"));
	event.input.text = said_text(attributes, "tool_input");
	if (!event.input.text.len && said_count_or_0(attributes, "tool_input_size_bytes"))
		event.input.mark = input_mark;
	if (said_flag(attributes, "success") == 0)
		event.ending = ENDING_FAILED;
	events_add(events, &event);
}

static void read_agent(const struct log_record *record, struct events *events)
{
	const struct attributes *attributes = &record->attributes;
	struct event event = event_of(record, EVENT_AGENT);
	event.parent_agent = said_text(attributes, "parent_agent_id");
	event.name = said_text(attributes, "agent_type");
	event.model = said_text(attributes, "model");
	event.is_background = said_flag(attributes, "is_async") == 1;
	events_add(events, &event);
}

static void read_compaction(const struct log_record *record, struct events *events)
{
	struct event event = event_of(record, EVENT_COMPACTION);
	event.name = said_text(&record->attributes, "trigger");
	if (said_flag(&record->attributes, "success") == 0)
		event.ending = ENDING_FAILED;
	events_add(events, &event);
}

/* The others tell of the CLI's own works; an attempt that was repeated is not logged at all. */
static const struct {
	const char *name;
	void (*read)(const struct log_record *record, struct events *events);
} logs[] = {
	{ "user_prompt", read_prompt },
	{ "api_request", read_call },
	{ "api_error", read_failed_call },
	{ "assistant_response", read_answer },
	{ "tool_decision", read_decision },
	{ "tool_result", read_tool },
	{ "subagent_completed", read_agent },
	{ "compaction", read_compaction },
};

static void read_log(
	const struct log_record *record, const struct source *source, struct events *events)
{
	struct bytes name = said_text(&record->attributes, "event.name");
	if (log_record_when(record) == 0)
		return;
	for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
		if (bytes_are(name, logs[i].name))
			logs[i].read(record, events);
}

const struct dialect dialect_claude_code = {
	.cli = { .name = "claude-code",
		.title = "Claude Code",
		.system = "anthropic",
		.provider = "anthropic" },
	.native = NATIVE_COMPLETE,
	.owns_scope = owns_scope,
	.read_log = read_log,
	.read_span = claude_code_read_span,
	.read_hook = claude_code_read_hook,
};
