/*
 * What Codex says.
 *
 * Its logs name threads and no turns: a turn is a prompt and what follows in its thread. Threads of subagents have
 * sessions of their own until agent_communication says who spawned them. Hooks and notify name turns by UUIDs
 * that hold the time at which the turn began, which is how such a signal finds the prompt it is about.
 *
 * Of two names for one thing in logs and hooks ("exec_command", "Bash") the logs' is taken.
 */
#include "dialects/dialect.h"
#include "dialects/saying.h"

static const char prompt_is_withheld[] = "redacted by Codex, set otel.log_user_prompt=true";
static const char title_prompt[] = "Generate a concise, single-line task title";

enum { HEAD_LINES = 4, EXIT_CODE_DIGITS = 10 };

static bool owns_scope(struct bytes name)
{
	return bytes_start_with(name, "codex_") || bytes_start_with(name, "codex-") ||
		bytes_are(name, "codex");
}

/* ---- texts ---- */

/* The interface opens a hidden thread for the title of each prompt. */
static struct bytes side_of(struct bytes prompt)
{
	static const struct bytes title = BYTES("title");
	return bytes_start_with(prompt, title_prompt) ? title : (struct bytes){ 0 };
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A UUID of version 7 begins with 48 bits of Unix milliseconds. 0: it is none. */
static uint64_t time_in_uuid(struct bytes uuid)
{
	enum {
		UUID_BYTES = 36,
		TIME_BYTES = 13,
		DASH_AT = 8,
		VERSION_AT = 14,
		NS_PER_MS = 1000000
	};
	uint64_t ms = 0;
	if (uuid.len != UUID_BYTES || uuid.at[VERSION_AT] != '7')
		return 0;
	for (size_t i = 0; i < TIME_BYTES; i++) {
		int digit = hex_digit(uuid.at[i]);
		if (i == DASH_AT ? uuid.at[i] != '-' : digit < 0)
			return 0;
		if (i != DASH_AT)
			ms = ms << 4 | (uint64_t)digit;
	}
	return ms <= UINT64_MAX / NS_PER_MS ? ms * NS_PER_MS : 0;
}

static struct bytes joined(struct bytes a, struct bytes b, struct arena *arena)
{
	uint8_t *text = arena_alloc(arena, a.len + b.len);
	if (!text)
		return (struct bytes){ 0 };
	if (a.len)
		memcpy(text, a.at, a.len);
	if (b.len)
		memcpy(text + a.len, b.at, b.len);
	return (struct bytes){ text, a.len + b.len };
}

static struct bytes with_cut(struct bytes text, bool is_cut, const char *note, struct arena *arena)
{
	return is_cut ? joined(text, bytes_of(note), arena) : text;
}

/* ---- logs ---- */

static void add(const struct event *event, struct events *events)
{
	if (event->session.len)
		events_add(events, event);
}

static void read_thread(const struct attributes *said, struct event *event, struct events *events)
{
	event->kind = EVENT_SESSION;
	event->may_be_side = bytes_are(said_text(said, "sandbox_policy"), "read-only");
	add(event, events);
}

static void read_prompt(const struct attributes *said, struct event *event, struct events *events)
{
	event->kind = EVENT_PROMPT;
	event->text.text = said_text(said, "prompt");
	event->text_length = said_count_or_0(said, "prompt_length");
	event->side = side_of(event->text.text);
	if (bytes_are(event->text.text, "[REDACTED]"))
		event->text = (struct said){ .mark = prompt_is_withheld };
	add(event, events);
}

static void become_begin(struct event *event)
{
	event->kind = EVENT_CALL_BEGIN;
	if (event->duration_ns < event->time_ns)
		event->time_ns -= event->duration_ns;
	event->duration_ns = 0;
	event->has_duration = false;
}

/*
 * Written when the headers have come, for each attempt. Of what was not to be streamed that is all; other
 * endpoints are no model calls.
 */
static void read_request(const struct attributes *said, struct event *event, struct events *events)
{
	static const struct bytes compact = BYTES("compact");
	struct bytes endpoint = said_text(said, "endpoint");
	bool is_compaction = bytes_are(endpoint, "/responses/compact");
	uint64_t attempt;
	if (endpoint.len && !is_compaction && !bytes_are(endpoint, "/responses"))
		return;
	event->kind = EVENT_CALL;
	event->model = said_text(said, "model");
	event->has_duration = true;
	said_ms(said, "duration_ms", &event->duration_ns);
	event->status_code = said_count_or_0(said, "http.response.status_code");
	event->error = said_text(said, "error.message");
	if (said_count(said, "attempt", &attempt))
		event->attempts = attempt + 1;
	if (is_compaction)
		event->side = compact;
	if (event->error.len || (event->status_code && event->status_code / 100 != 2)) {
		event->ending = ENDING_FAILED;
	} else if (!is_compaction) {
		event->first_token_ns = event->duration_ns;
		become_begin(event);
	}
	add(event, events);
}

/* One that could not be sent is ended by the failure of its stream. */
static void read_websocket_request(
	const struct attributes *said, struct event *event, struct events *events)
{
	event->model = said_text(said, "model");
	said_ms(said, "duration_ms", &event->duration_ns);
	become_begin(event);
	add(event, events);
}

/* Input holds what a cache had and what went into one; output holds reasoning. */
static void read_tokens(const struct attributes *said, struct tokens *tokens)
{
	uint64_t input;
	tokens->are_said = said_count(said, "input_token_count", &input);
	if (!tokens->are_said)
		return;
	tokens->cache_read = said_count_or_0(said, "cached_token_count");
	tokens->cache_write = said_count_or_0(said, "cache_write_token_count");
	tokens->output = said_count_or_0(said, "output_token_count");
	tokens->reasoning = said_count_or_0(said, "reasoning_token_count");
	uint64_t cached = tokens->cache_read + tokens->cache_write;
	tokens->input = input > cached ? input - cached : 0;
}

/*
 * "response.completed" comes as one of the stream's many events, then again with tokens or with the error of a
 * stream that broke, whose own events may have said it before.
 */
static void read_stream(const struct attributes *said, struct event *event, struct events *events)
{
	if (!bytes_are(said_text(said, "event.kind"), "response.completed"))
		return;
	event->kind = EVENT_CALL;
	event->model = said_text(said, "model");
	event->error = said_text(said, "error.message");
	event->ending = event->error.len ? ENDING_FAILED : ENDING_OK;
	read_tokens(said, &event->tokens);
	said_ms(said, "ttft_ms", &event->first_token_ns);
	if (event->tokens.are_said || event->ending == ENDING_FAILED)
		add(event, events);
}

/* As hooks name them: "mcp__server__tool". */
static struct bytes tool_name(const struct attributes *said, struct arena *arena)
{
	static const struct bytes prefix = BYTES("mcp__"), between = BYTES("__");
	struct bytes name = said_text(said, "tool_name"), server = said_text(said, "mcp_server");
	if (!server.len || bytes_start_with(name, "mcp__"))
		return name;
	server = joined(prefix, joined(server, between, arena), arena);
	return joined(server, name, arena);
}

/* Decisions are "approved", "approved_for_session" …, "denied …", "timed_out", "abort". */
static void read_decision(const struct attributes *said, struct event *event, struct events *events)
{
	event->kind = EVENT_TOOL_BEGIN;
	event->tool = said_text(said, "call_id");
	event->name = said_text(said, "tool_name");
	event->is_by_person = bytes_are(said_text(said, "source"), "User");
	if (!bytes_start_with(said_text(said, "decision"), "approved"))
		event->ending = ENDING_REJECTED;
	add(event, events);
}

static bool read_number(struct bytes text, int64_t *ret_number)
{
	bool is_negative = text.len && *text.at == '-';
	int64_t number = 0;
	if (text.len == is_negative || text.len > EXIT_CODE_DIGITS)
		return false;
	for (const uint8_t *at = text.at + is_negative; at != bytes_end(text); at++) {
		if (*at < '0' || *at > '9')
			return false;
		number = number * 10 + (*at - '0');
	}
	*ret_number = is_negative ? -number : number;
	return true;
}

static bool is_exit(struct bytes line, int64_t *ret_code)
{
	static const struct bytes words[] = { BYTES("Process exited with code "),
		BYTES("Exit code: ") };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (line.len > words[i].len && memcmp(line.at, words[i].at, words[i].len) == 0)
			return read_number(
				(struct bytes){ line.at + words[i].len, line.len - words[i].len },
				ret_code);
	return false;
}

/* How a command exited stands in the head of its output only: "success" is true of all that could be run. */
static void read_exit(struct event *event)
{
	const uint8_t *at = event->output.text.at, *end = bytes_end(event->output.text);
	for (int i = 0; i < HEAD_LINES && at != end; i++) {
		const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
		struct bytes line = { at, (size_t)((newline ? newline : end) - at) };
		if (bytes_are(line, "Output:"))
			return;
		event->has_exit_code = is_exit(line, &event->exit_code);
		if (event->has_exit_code && event->exit_code) {
			event->ending = ENDING_FAILED;
			event->error = line;
		}
		if (event->has_exit_code)
			return;
		at = newline ? newline + 1 : end;
	}
}

static void read_tool(const struct attributes *said, struct event *event, struct events *events)
{
	event->kind = EVENT_TOOL;
	event->tool = said_text(said, "call_id");
	event->name = tool_name(said, events->arena);
	event->has_duration = said_ms(said, "duration_ms", &event->duration_ns);
	event->input.text = said_text(said, "arguments");
	event->output.text = said_text(said, "output");
	event->ending = said_flag(said, "success") == 0 ? ENDING_FAILED : ENDING_OK;
	read_exit(event);
	event->output.text = with_cut(event->output.text, said_flag(said, "output_truncated") == 1,
		"\n[cut by Codex, see otel.tool_result.max_bytes]", events->arena);
	add(event, events);
}

/* What was received says no more than what was sent. */
static void read_message(const struct attributes *said, struct event *event, struct events *events)
{
	struct bytes kind = said_text(said, "kind"), content = said_text(said, "content");
	struct bytes sender = said_text(said, "sender_thread_id");
	struct bytes receiver = said_text(said, "receiver_thread_id");
	bool is_result = bytes_are(kind, "result");
	if (!sender.len || !receiver.len || bytes_equal(sender, receiver) ||
		(!is_result && !bytes_are(kind, "spawn")))
		return;
	if (bytes_are(content, "[plaintext]"))
		content = (struct bytes){ 0 };
	event->kind = is_result ? EVENT_AGENT : EVENT_AGENT_BEGIN;
	event->session = is_result ? receiver : sender;
	event->agent = is_result ? sender : receiver;
	*(is_result ? &event->output.text : &event->text.text) = content;
	add(event, events);
}

/* The last words of a turn; of a subagent's turn they are its result as well. */
static void read_answer(const struct attributes *said, struct event *event, struct events *events)
{
	struct bytes parent = said_text(said, "parent.conversation.id");
	event->kind = EVENT_ANSWER;
	event->output.text = with_cut(said_text(said, "response"),
		said_flag(said, "response_truncated") == 1, "\n[cut by Codex]", events->arena);
	add(event, events);
	if (!parent.len || bytes_equal(parent, event->session))
		return;
	event->kind = EVENT_AGENT;
	event->agent = event->session;
	event->session = parent;
	event->thread = (struct bytes){ 0 };
	add(event, events);
}

static const struct {
	const char *name;
	void (*read)(const struct attributes *said, struct event *event, struct events *events);
} records[] = {
	{ "codex.sse_event", read_stream },
	{ "codex.conversation_starts", read_thread },
	{ "codex.user_prompt", read_prompt },
	{ "codex.api_request", read_request },
	{ "codex.websocket_request", read_websocket_request },
	{ "codex.tool_decision", read_decision },
	{ "codex.tool_result", read_tool },
	{ "codex.agent_communication", read_message },
	{ "codex.agent_response", read_answer },
};

static void read_log(
	const struct log_record *record, const struct source *source, struct events *events)
{
	(void)source;
	const struct attributes *said = &record->attributes;
	struct bytes name = said_text(said, "event.name");
	struct event event = {
		.cli = &dialect_codex.cli,
		.session = said_text(said, "conversation.id"),
		.trace_id = record->trace_id,
		.span_id = record->span_id,
		.time_ns = log_record_when(record),
	};
	event.thread = event.session;
	if (!event.time_ns)
		return;
	for (size_t i = 0; i < sizeof records / sizeof *records; i++)
		if (bytes_are(name, records[i].name)) {
			records[i].read(said, &event, events);
			return;
		}
}

static bool session_of_log(const struct log_record *record, struct bytes *ret_session)
{
	struct bytes thread = said_text(&record->attributes, "conversation.id");
	if (!thread.len || is_there(&record->attributes, "session.id"))
		return false;
	*ret_session = thread;
	return true;
}

/* ---- native spans ---- */

/* Internals, some hundreds a turn; "thread.id" may be the operating system's, and then is a number. */
static void read_span(const struct span *span, const struct source *source, struct events *events)
{
	struct event event = event_of_span(span, source);
	event.cli = &dialect_codex.cli;
	event.session = said_text(&span->attributes, "conversation.id");
	if (!event.session.len)
		event.session = said_text(&span->attributes, "thread.id");
	events_add(events, &event);
}

/* ---- hooks and notify ---- */

static struct bytes text_of(const json_t *payload, const char *member, struct events *events)
{
	return kept_text(member_text(payload, member), events->arena);
}

static struct event signal_of(
	const json_t *payload, const char *session, const char *turn, struct events *events)
{
	struct event event = {
		.cli = &dialect_codex.cli,
		.session = text_of(payload, session, events),
		.agent = text_of(payload, "agent_id", events),
	};
	/* A subagent's turns are its own, and none of the session's. */
	if (!event.agent.len)
		event.turn = text_of(payload, turn, events);
	event.turn_ns = time_in_uuid(event.turn);
	return event;
}

/* What is read from where in which hook; the rest of them say nothing about what was done. */
static const struct hook {
	const char *name;
	enum event_kind kind;
	const char *called, *text, *input, *output; /* members; NULL: none */
} hooks[] = {
	{ "SessionStart", EVENT_PLACE, .text = "cwd" },
	{ "UserPromptSubmit", EVENT_PLACE, .text = "cwd" },
	{ "UserPromptSubmit", EVENT_PROMPT_NAMED, .text = "prompt" },
	{ "PreToolUse", EVENT_TOOL_SAID, .input = "tool_input" },
	{ "PostToolUse", EVENT_TOOL_SAID, .input = "tool_input", .output = "tool_response" },
	{ "PermissionRequest", EVENT_WAITING, .called = "tool_name" },
	{ "SubagentStart", EVENT_AGENT_NAMED, .called = "agent_type" },
	{ "SubagentStop", EVENT_AGENT_NAMED, .called = "agent_type",
		.output = "last_assistant_message" },
	{ "Stop", EVENT_TURN_END, .output = "last_assistant_message" },
	{ "SessionEnd", .kind = EVENT_SESSION_END },
};

/* Commands are told of in Claude Code's words; the model said "cmd", as the logs have it. */
static struct bytes input_of(const json_t *payload, const char *member, struct events *events)
{
	json_t *input = member ? json_object_get(payload, member) : NULL;
	json_t *command = json_object_get(input, "command");
	if (json_object_size(input) != 1 || !json_is_string(command))
		return member_as_sent(payload, member, events->arena);
	json_t *renamed = json_pack("{s:{s:O}}", member, "cmd", command);
	struct bytes text = member_as_sent(renamed, member, events->arena);
	json_decref(renamed);
	return text;
}

/* Agents of no type are called "default". */
static void add_signal(
	const struct hook *hook, const json_t *payload, struct event event, struct events *events)
{
	event.kind = hook->kind;
	event.tool = text_of(payload, "tool_use_id", events);
	event.name = text_of(payload, hook->called, events);
	if (hook->kind == EVENT_AGENT_NAMED && bytes_are(event.name, "default"))
		event.name = (struct bytes){ 0 };
	event.text.text = text_of(payload, hook->text, events);
	event.input.text = input_of(payload, hook->input, events);
	event.output.text = member_as_sent(payload, hook->output, events->arena);
	if (hook->kind != EVENT_PLACE || event.text.text.len)
		add(&event, events);
}

static void read_signal(const json_t *payload, struct events *events)
{
	struct bytes name = member_text(payload, "hook_event_name");
	struct event event = signal_of(payload, "session_id", "turn_id", events);
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
		if (bytes_are(name, hooks[i].name))
			add_signal(&hooks[i], payload, event, events);
}

/* The program that is run at the end of each turn, of child and title threads too. */
static void read_notify(const json_t *payload, struct events *events)
{
	static const struct hook place = { .kind = EVENT_PLACE, .text = "cwd" };
	const json_t *messages = json_object_get(payload, "input-messages");
	const json_t *last = json_array_get(messages, json_array_size(messages) - 1);
	struct bytes prompt = { (const uint8_t *)json_string_value(last),
		json_string_length(last) };
	struct event event = signal_of(payload, "thread-id", "turn-id", events);
	add_signal(&place, payload, event, events);
	event.kind = EVENT_TURN_END;
	event.side = side_of(prompt);
	/* Without a client it is a child's thread, and begins with its parent's messages. */
	if (json_is_string(json_object_get(payload, "client")))
		event.text.text = kept_text(prompt, events->arena);
	event.output.text = text_of(payload, "last-assistant-message", events);
	add(&event, events);
}

static void read_hook(const json_t *payload, struct events *events)
{
	if (bytes_are(member_text(payload, "type"), "agent-turn-complete"))
		read_notify(payload, events);
	else
		read_signal(payload, events);
}

const struct dialect dialect_codex = {
	.cli = { .name = "codex", .title = "Codex", .system = "openai", .provider = "openai" },
	.native = NATIVE_REPLACE,
	.owns_scope = owns_scope,
	.read_log = read_log,
	.read_span = read_span,
	.read_hook = read_hook,
	.session_of_log = session_of_log,
};
