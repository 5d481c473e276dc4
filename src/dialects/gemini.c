/*
 * What Gemini CLI says, in its logs and hooks; the spans that it writes itself say the same again, most of them
 * without a tree.
 *
 * A call is told by two records, at its start and at its end; one is in flight for each prompt id and role. No
 * record has a key of a turn that would hold with -p, where all turns share one prompt id, nor of a call or a
 * tool call.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/json_skim.h"
#include "dialects/dialect.h"
#include "dialects/saying.h"

enum { MAX_DEPTH = 64, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

static const char withheld[] = "redacted by Gemini CLI, set telemetry.logPrompts=true";

static bool owns_scope(struct bytes name)
{
	return bytes_are(name, "gemini-cli");
}

/* ---- JSON within attributes: requests and responses of the API ---- */

/*
 * The items of an array one after the other, as they are written; an object is the one item of itself. The
 * list was found to be well formed.
 */
static bool next_item(struct skim *list, struct bytes *ret_item)
{
	skim_blanks(list);
	if (!skim_byte(list, '['))
		skim_byte(list, ',');
	skim_blanks(list);
	const uint8_t *start = list->at;
	if (!skim_value(list, SKIM_MAX_DEPTH))
		return false;
	*ret_item = (struct bytes){ start, (size_t)(list->at - start) };
	return true;
}

/* Of parts that are nothing but text, each on lines of its own; else empty. */
static struct bytes text_of_parts(const json_t *parts, struct arena *arena)
{
	struct buf text;
	size_t i;
	json_t *part;
	buf_init(&text, arena->limit_bytes, NULL);
	json_array_foreach(parts, i, part) {
		struct bytes words = member_text(part, "text");
		if (!words.at) {
			buf_done(&text);
			return words;
		}
		if (i)
			buf_text(&text, "\n");
		buf_append(&text, words.at, words.len);
	}
	return buf_move(&text, arena);
}

/* A request repeats the conversation: only its last message is new. It may answer the one before. */
static void last_messages(struct bytes request, struct bytes *ret_before, struct bytes *ret_last)
{
	struct skim list = { request.at, bytes_end(request) };
	struct bytes before = { 0 }, last = { 0 }, next;
	bool is_read = json_is_container(request);
	while (is_read && next_item(&list, &next)) {
		before = last;
		last = next;
	}
	*ret_before = before;
	*ret_last = is_read ? last : request;
}

static const json_t *next_call(const json_t *parts, size_t *i)
{
	const json_t *call = NULL;
	while (!call && *i < json_array_size(parts))
		call = json_object_get(json_array_get(parts, (*i)++), "functionCall");
	return call;
}

/* Results of tools stand in the order in which they were called for. What went wrong, a tool's own record says. */
static void read_results(struct bytes message_before, const json_t *parts,
	const struct event *request, struct events *events)
{
	size_t i, next = 0;
	json_t *part, *before = json_of_text(message_before, MAX_DEPTH, events->arena);
	json_array_foreach(parts, i, part) {
		const json_t *result = json_object_get(part, "functionResponse"), *call = NULL;
		struct bytes name = member_text(result, "name");
		if (result)
			call = next_call(json_object_get(before, "parts"), &next);
		if (!name.len || !bytes_equal(name, member_text(call, "name")))
			continue;
		struct event event = { .kind = EVENT_TOOL_SAID,
			.cli = request->cli,
			.session = request->session,
			.agent = request->agent,
			.said_ns = request->time_ns,
			.name = kept_text(name, events->arena),
			.input.text = member_as_text(call, "args", events->arena),
			.output.text = member_as_sent(
				json_object_get(result, "response"), "output", events->arena) };
		if (event.output.text.len)
			events_add(events, &event);
	}
	json_decref(before);
}

/* What a response says. */
struct response {
	struct buf text;  /* without thoughts */
	struct buf calls; /* of functions: a JSON array without its end */
};

static bool read_chunk(struct bytes chunk, struct response *response, struct arena *arena)
{
	size_t i;
	json_t *part, *tree = json_of_text(chunk, MAX_DEPTH, arena);
	json_t *candidate = json_array_get(json_object_get(tree, "candidates"), 0);
	json_t *parts = json_object_get(json_object_get(candidate, "content"), "parts");
	json_array_foreach(parts, i, part) {
		struct bytes text = member_text(part, "text");
		struct bytes call = member_as_sent(part, "functionCall", arena);
		if (!json_is_true(json_object_get(part, "thought")))
			buf_append(&response->text, text.at, text.len);
		if (call.len) {
			buf_text(&response->calls, response->calls.len ? "," : "[");
			buf_append(&response->calls, call.at, call.len);
		}
	}
	json_decref(tree);
	return tree != NULL;
}

/* What the model said; if it said nothing, the functions that it called. As it is when it cannot be read. */
static void say_response(struct event *event, struct arena *arena)
{
	struct bytes chunks = event->output.text, chunk;
	struct skim list = { chunks.at, bytes_end(chunks) };
	struct response response;
	bool is_read = json_is_container(chunks);
	buf_init(&response.text, arena->limit_bytes, NULL);
	buf_init(&response.calls, arena->limit_bytes, NULL);
	while (is_read && next_item(&list, &chunk))
		is_read = read_chunk(chunk, &response, arena);
	event->is_wordless = is_read && !response.text.len && response.calls.len;
	if (event->is_wordless)
		buf_text(&response.calls, "]");
	if (is_read)
		event->output.text =
			buf_move(event->is_wordless ? &response.calls : &response.text, arena);
	buf_done(&response.text);
	buf_done(&response.calls);
}

/* The words in an error of the API, which may be such an error again. */
static struct bytes words_of_error(struct bytes error, struct arena *arena)
{
	struct bytes words = error;
	while (words.len) {
		error = words;
		json_t *tree = json_of_text(error, MAX_DEPTH, arena);
		words = kept_text(member_text(json_object_get(tree, "error"), "message"), arena);
		json_decref(tree);
	}
	return error;
}

/* ---- log records ---- */

static struct said said_or_withheld(const struct attributes *said, const char *name)
{
	return (struct said){ .text = said_text(said, name),
		.mark = is_there(said, name) ? NULL : withheld };
}

/* A subagent's prompts are "<agent>#<n>"; a person's "<session>########<n>" in a terminal, "<session>" with -p. */
static struct bytes agent_of_prompt(struct bytes prompt_id)
{
	const uint8_t *mark = prompt_id.len ? memrchr(prompt_id.at, '#', prompt_id.len) : NULL;
	bool is_agents = mark && mark > prompt_id.at && mark[-1] != '#';
	return is_agents ? (struct bytes){ prompt_id.at, (size_t)(mark - prompt_id.at) } :
			   (struct bytes){ 0 };
}

static struct bytes thread_of(struct bytes prompt_id, struct bytes role, struct arena *arena)
{
	uint8_t *thread = arena_alloc(arena, prompt_id.len + 1 + role.len);
	if (!thread)
		return (struct bytes){ 0 };
	if (prompt_id.len)
		memcpy(thread, prompt_id.at, prompt_id.len);
	thread[prompt_id.len] = ' ';
	if (role.len)
		memcpy(thread + prompt_id.len + 1, role.at, role.len);
	return (struct bytes){ thread, prompt_id.len + 1 + role.len };
}

/* What a call is for beside the main loop and subagents: "utility_router". */
static struct bytes side_of_role(struct bytes role)
{
	static const struct bytes utility = BYTES("utility_");
	if (!bytes_start_with(role, "utility_"))
		return (struct bytes){ 0 };
	if (bytes_are(role, "utility_summarizer"))
		return bytes_of("summary");
	if (bytes_are(role, "utility_compressor"))
		return bytes_of("compact");
	return (struct bytes){ role.at + utility.len, role.len - utility.len };
}

/* Input counts what was read from the cache as well; what tools brought in and thoughts are counted beside. */
static struct tokens tokens_of(const struct attributes *said)
{
	uint64_t input = said_count_or_0(said, "input_token_count");
	uint64_t cached = said_count_or_0(said, "cached_content_token_count");
	uint64_t thoughts = said_count_or_0(said, "thoughts_token_count");
	struct tokens tokens = {
		.input = (cached <= input ? input - cached : input) +
			said_count_or_0(said, "tool_token_count"),
		.cache_read = cached,
		.output = said_count_or_0(said, "output_token_count") + thoughts,
		.reasoning = thoughts,
	};
	tokens.are_said = tokens.input || tokens.cache_read || tokens.output;
	return tokens;
}

static void read_prompt(const struct attributes *said, struct event *event, struct events *events)
{
	event->text = said_or_withheld(said, "prompt");
	event->text_length = said_count_or_0(said, "prompt_length");
}

static void read_call(const struct attributes *said, struct event *event, struct events *events)
{
	struct bytes prompt_id = said_text(said, "prompt_id");
	struct bytes role = said_text(said, "role");
	event->agent = agent_of_prompt(prompt_id);
	event->thread = thread_of(prompt_id, role, events->arena);
	event->side = side_of_role(role);
	event->model = said_text(said, "model");
	event->status_code = said_count_or_0(said, "status_code");
}

static void read_request(const struct attributes *said, struct event *event, struct events *events)
{
	struct bytes before, last;
	read_call(said, event, events);
	event->input = said_or_withheld(said, "request_text");
	last_messages(event->input.text, &before, &last);
	json_t *message = json_of_text(last, MAX_DEPTH, events->arena);
	const json_t *parts = json_object_get(message, "parts");
	struct bytes text = text_of_parts(parts, events->arena);
	event->input.text = text.len ? text : last;
	read_results(before, parts, event, events);
	json_decref(message);
}

static void read_response(const struct attributes *said, struct event *event, struct events *events)
{
	read_call(said, event, events);
	event->tokens = tokens_of(said);
	event->output = said_or_withheld(said, "response_text");
	say_response(event, events->arena);
}

static void read_failure(const struct attributes *said, struct event *event, struct events *events)
{
	read_call(said, event, events);
	event->ending = ENDING_FAILED;
	event->error = words_of_error(said_text(said, "error.message"), events->arena);
	event->error_type = said_text(said, "error.type");
}

/* A failed tool has an error; without one, it was cancelled while it ran. */
static enum ending ending_of_tool(const struct attributes *said)
{
	if (bytes_are(said_text(said, "decision"), "reject"))
		return ENDING_REJECTED;
	if (said_flag(said, "success") != 0)
		return ENDING_OK;
	return is_there(said, "error.type") || is_there(said, "error.message") ? ENDING_FAILED :
										 ENDING_INTERRUPTED;
}

/* The answer of a subagent is what it hands to its last tool. */
static void read_answer(struct bytes answer, const struct event *tool, struct events *events)
{
	struct event event = { .kind = EVENT_AGENT_NAMED,
		.cli = tool->cli,
		.session = tool->session,
		.agent = tool->agent,
		.output.text = canonical_json(kept_text(answer, events->arena), events->arena) };
	if (answer.len && event.agent.len)
		events_add(events, &event);
}

/* A command that exits with an error was a success of its tool. */
static void read_exit(const json_t *exit_code, struct event *event, struct arena *arena)
{
	char words[40];
	event->has_exit_code = json_is_integer(exit_code);
	event->exit_code = json_integer_value(exit_code);
	if (!event->exit_code || event->ending != ENDING_OK)
		return;
	snprintf(words, sizeof words, "exit code %" PRId64, event->exit_code);
	event->ending = ENDING_FAILED;
	event->error = kept_text(bytes_of(words), arena);
}

/* What a tool says of itself. */
static void read_metadata(struct bytes text, struct event *event, struct events *events)
{
	json_t *metadata = json_of_text(text, MAX_DEPTH, events->arena);
	event->started_agent = kept_text(member_text(metadata, "agentId"), events->arena);
	read_exit(json_object_get(metadata, "exitCode"), event, events->arena);
	read_answer(member_text(metadata, "submittedOutput"), event, events);
	json_decref(metadata);
}

static void read_tool(const struct attributes *said, struct event *event, struct events *events)
{
	event->thread = said_text(said, "prompt_id");
	event->agent = agent_of_prompt(event->thread);
	event->name = said_text(said, "function_name");
	event->has_duration = said_ms(said, "duration_ms", &event->duration_ns);
	event->input = said_or_withheld(said, "function_args");
	event->input.text = canonical_json(event->input.text, events->arena);
	event->ending = ending_of_tool(said);
	event->is_by_person = event->ending == ENDING_REJECTED;
	event->error = said_text(said, "error.message");
	event->error_type = said_text(said, "error.type");
	read_metadata(said_text(said, "metadata"), event, events);
}

static void read_agent_begin(
	const struct attributes *said, struct event *event, struct events *events)
{
	event->agent = said_text(said, "agent_id");
	event->name = said_text(said, "agent_name");
}

static void read_agent(const struct attributes *said, struct event *event, struct events *events)
{
	struct bytes reason = said_text(said, "terminate_reason");
	read_agent_begin(said, event, events);
	event->has_duration = said_ms(said, "duration_ms", &event->duration_ns);
	if (reason.len && !bytes_are(reason, "GOAL")) {
		event->ending = bytes_are(reason, "ABORTED") ? ENDING_INTERRUPTED : ENDING_FAILED;
		event->error = reason;
	}
}

/* All else is about the process, or tells what these tell again. */
static const struct {
	const char *name;
	enum event_kind kind;
	void (*read)(const struct attributes *said, struct event *event, struct events *events);
} logs[] = {
	{ "gemini_cli.user_prompt", EVENT_PROMPT, read_prompt },
	{ "gemini_cli.api_request", EVENT_CALL_BEGIN, read_request },
	{ "gemini_cli.api_response", EVENT_CALL, read_response },
	{ "gemini_cli.api_error", EVENT_CALL, read_failure },
	{ "gemini_cli.tool_call", EVENT_TOOL, read_tool },
	{ "gemini_cli.agent.start", EVENT_AGENT_BEGIN, read_agent_begin },
	{ "gemini_cli.agent.finish", EVENT_AGENT, read_agent },
};

static struct bytes session_of(
	const struct attributes *said, const char *name, const struct source *source)
{
	struct bytes session = said_text(said, name);
	return session.len ? session : said_text(source->resource, "session.id");
}

static void read_log(
	const struct log_record *record, const struct source *source, struct events *events)
{
	const struct attributes *said = &record->attributes;
	struct bytes name = said_text(said, "event.name");
	struct event event = { .cli = &dialect_gemini.cli,
		.session = session_of(said, "session.id", source),
		.time_ns = log_record_when(record) };
	if (!event.time_ns || !event.session.len)
		return;
	for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
		if (bytes_are(name, logs[i].name)) {
			event.kind = logs[i].kind;
			logs[i].read(said, &event, events);
			events_add(events, &event);
			return;
		}
}

/* ---- hooks ---- */

static struct bytes text_of(const json_t *object, const char *name, struct arena *arena)
{
	return kept_text(member_text(object, name), arena);
}

static bool read_place(const json_t *payload, struct event *event, struct arena *arena)
{
	event->text.text = text_of(payload, "cwd", arena);
	return event->text.text.len != 0;
}

static bool read_turn(const json_t *payload, struct event *event, struct arena *arena)
{
	event->text.text = text_of(payload, "prompt", arena);
	event->output.text = text_of(payload, "prompt_response", arena);
	return true;
}

/* Its output is what the model sees of it. */
static bool read_tool_said(const json_t *payload, struct event *event, struct arena *arena)
{
	const json_t *response = json_object_get(payload, "tool_response");
	struct bytes text = text_of_parts(json_object_get(response, "llmContent"), arena);
	event->name = text_of(payload, "tool_name", arena);
	event->input.text = member_as_text(payload, "tool_input", arena);
	event->output.text = text.len ? text : member_as_sent(response, "llmContent", arena);
	return true;
}

/* Only tools of servers are named; of the others the kind of question is told. */
static struct bytes tool_of_question(const json_t *details)
{
	struct bytes name = member_text(details, "toolName"), kind = member_text(details, "type");
	if (name.len)
		return name;
	return bytes_are(kind, "exec")  ? bytes_of("run_shell_command") :
		bytes_are(kind, "info") ? bytes_of("web_fetch") :
					  kind;
}

static bool read_notification(const json_t *payload, struct event *event, struct arena *arena)
{
	const json_t *details = json_object_get(payload, "details");
	event->name = kept_text(tool_of_question(details), arena);
	return bytes_are(member_text(payload, "notification_type"), "ToolPermission");
}

static const struct {
	const char *name;
	enum event_kind kind;
	/* Whether it is one. NULL: it says nothing more. */
	bool (*read)(const json_t *payload, struct event *event, struct arena *arena);
} hooks[] = {
	{ "SessionStart", EVENT_PLACE, read_place },
	{ "BeforeAgent", EVENT_PLACE, read_place },
	{ "BeforeAgent", EVENT_PROMPT_NAMED, read_turn },
	{ "AfterAgent", EVENT_TURN_END, read_turn },
	{ "BeforeTool", EVENT_TOOL_SAID, read_tool_said },
	{ "AfterTool", EVENT_TOOL_SAID, read_tool_said },
	{ "Notification", EVENT_WAITING, read_notification },
	{ "SessionEnd", EVENT_SESSION_END, NULL },
};

/* "2026-11-20T20:38:29.648Z"; 0: it is none. */
static uint64_t time_of(const char *text)
{
	struct tm tm = { 0 };
	const char *ms = text ? strptime(text, "%Y-%m-%dT%H:%M:%S.", &tm) : NULL;
	if (!ms || strspn(ms, "0123456789") != 3 || strcmp(ms + 3, "Z") != 0)
		return 0;
	time_t seconds = timegm(&tm);
	bool fits = seconds > 0 && (uint64_t)seconds < UINT64_MAX / NS_PER_S;
	return fits ? (uint64_t)seconds * NS_PER_S + strtoul(ms, NULL, 10) * NS_PER_MS : 0;
}

static void read_hook(const json_t *payload, struct events *events)
{
	struct arena *arena = events->arena;
	uint64_t said_ns = time_of(json_string_value(json_object_get(payload, "timestamp")));
	struct bytes name = member_text(payload, "hook_event_name");
	struct bytes session = text_of(payload, "session_id", arena);
	for (size_t i = 0; session.len && i < sizeof hooks / sizeof *hooks; i++)
		if (bytes_are(name, hooks[i].name)) {
			struct event event = { .kind = hooks[i].kind,
				.cli = &dialect_gemini.cli,
				.session = session,
				.said_ns = said_ns };
			if (!hooks[i].read || hooks[i].read(payload, &event, arena))
				events_add(events, &event);
		}
}

/* ---- its own spans ---- */

static void read_span(const struct span *span, const struct source *source, struct events *events)
{
	struct event event = event_of_span(span, source);
	event.cli = &dialect_gemini.cli;
	event.session = session_of(&span->attributes, "gen_ai.conversation.id", source);
	events_add(events, &event);
}

const struct dialect dialect_gemini = {
	.cli = { .name = "gemini",
		.title = "Gemini",
		.system = "google",
		.provider = "gcp.gemini" },
	.native = NATIVE_REPLACE,
	.owns_scope = owns_scope,
	.read_log = read_log,
	.read_span = read_span,
	.read_hook = read_hook,
};
