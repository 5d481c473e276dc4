/*
 * Synthesized spans have a scope of their own, by which enrichment knows how to read them. To native ones
 * attributes are only added, and none that they have.
 */
#include "synthesize/span.h"

#include "otlp/wire.h"
#include "otlp/writer.h"
#include "synthesize/names.h"
#include "synthesize/usd.h"
#include "vocabularies/vocabulary.h"

enum {
	RESOURCE_SPANS = 1,
	RESOURCE = 1,
	SCOPE_SPANS = 2,
	SCOPE = 1,
	SPANS = 2,
	SCOPE_NAME = 1,
	TRACE_ID = 1,
	SPAN_ID = 2,
	PARENT_ID = 4,
	NAME = 5,
	SPAN_KIND = 6,
	START = 7,
	END = 8,
	LINKS = 13,
	STATUS = 15,
	LINK_TRACE_ID = 1,
	LINK_SPAN_ID = 2,
	LINK_ATTRIBUTES = 4,
	STATUS_MESSAGE = 2,
	STATUS_CODE = 3,
	STATUS_IS_ERROR = 2,
	ATTRIBUTE_KEY = 1,
	ATTRIBUTE_VALUE = 2,
	VALUE_OF_BOOL = 2,
	KIND_INTERNAL = 1,
	KIND_CLIENT = 3,
};

/* A span in the making. */
struct making {
	const struct plan_question *question;
	const struct unit *unit;
	const struct planned_turn *turn; /* NULL: the session's */
	struct writer writer;
	struct buf span;
};

/* ---- wire ---- */

static void put_tag(struct buf *buf, unsigned field, enum wire_type type)
{
	uint8_t tag[10];
	buf_append(buf, tag, (size_t)(varint_put(tag, (uint64_t)field << 3 | type) - tag));
}

static void put_varint(struct buf *buf, unsigned field, uint64_t value)
{
	uint8_t encoded[10];
	put_tag(buf, field, WIRE_VARINT);
	buf_append(buf, encoded, (size_t)(varint_put(encoded, value) - encoded));
}

static void put_bytes(struct buf *buf, unsigned field, const void *at, size_t len)
{
	uint8_t length[10];
	put_tag(buf, field, WIRE_BYTES);
	buf_append(buf, length, (size_t)(varint_put(length, len) - length));
	buf_append(buf, at, len);
}

static void put_message(struct buf *buf, unsigned field, struct bytes message)
{
	put_bytes(buf, field, message.at, message.len);
}

static void put_time(struct buf *buf, unsigned field, uint64_t value)
{
	put_tag(buf, field, WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		buf_append(buf, &(uint8_t){ (uint8_t)(value >> (8 * i)) }, 1);
}

static void start(struct buf *buf, struct arena *arena)
{
	buf_init(buf, arena->limit_bytes, arena->budget);
}

/* ---- attributes ---- */

/* The key of an attribute is its first field. */
static bool has_key(struct bytes attribute, struct bytes key)
{
	struct wire wire = wire_of(attribute);
	struct field field;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, 1, WIRE_BYTES))
			return bytes_equal(field.body, key);
	return false;
}

static bool is_there(const struct making *making, struct bytes key)
{
	struct field field;
	if (!making->unit->native)
		return false;
	struct wire wire = wire_of(making->unit->native->native.span);
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, SPAN_ATTRIBUTES, WIRE_BYTES) && has_key(field.body, key))
			return true;
	return false;
}

static void put(struct making *making, struct bytes attribute)
{
	buf_append(&making->span, attribute.at, attribute.len);
}

static void put_text(struct making *making, const char *name, struct bytes text)
{
	struct bytes key = bytes_of(name);
	if (text.len && !is_there(making, key))
		put(making, write_string(&making->writer, SPAN_ATTRIBUTES, key, text));
}

static void put_int(struct making *making, const char *name, uint64_t number)
{
	struct bytes key = bytes_of(name);
	if (!is_there(making, key))
		put(making,
			write_int(&making->writer, SPAN_ATTRIBUTES, key,
				number > INT64_MAX ? INT64_MAX : (int64_t)number));
}

static void put_count(struct making *making, const char *name, uint64_t number)
{
	if (number)
		put_int(making, name, number);
}

static void put_said(struct making *making, const char *name, const struct said *said)
{
	put_text(making, name, said->text.len ? said->text : bytes_of(said->mark));
}

static uint64_t in_ms(uint64_t ns)
{
	return ns / 1000000;
}

/* ---- what all have ---- */

static const char *kind_word(const struct unit *unit, const struct planned_turn *turn)
{
	switch (unit->kind) {
	case UNIT_CALL:
		return "LLM";
	case UNIT_TOOL:
		return "TOOL";
	case UNIT_AGENT:
		return "AGENT";
	case UNIT_TURN:
		return turn->number ? "AGENT" : "CHAIN";
	default:
		return "CHAIN";
	}
}

/* Who asked, where nothing of it says who did it. */
static struct bytes user_of(const struct making *making)
{
	const struct held *prompt = making->turn ? making->turn->prompt : NULL;
	struct bytes user = making->unit->said.user;
	return user.len || !prompt ? user : prompt->event.user;
}

static void put_identity(struct making *making)
{
	const struct plan_question *question = making->question;
	const struct unit *unit = making->unit;
	bool has_turn = making->turn && !unit->said.side.len;
	put_text(making, "openinference.span.kind", bytes_of(kind_word(unit, making->turn)));
	put_text(making, "session.id", question->session);
	put_text(making, "gen_ai.conversation.id", question->session);
	if (!question->session.len)
		put_text(making, "tollgate.session", bytes_of("unknown"));
	if (!unit->native)
		put_text(making, "user.id", user_of(making));
	put_text(making, "gen_ai.system", bytes_of(question->cli->system));
	put_text(making, "gen_ai.provider.name", bytes_of(question->cli->provider));
	put_text(making, "langfuse.trace.name", unit->trace_name);
	if (unit->kind != UNIT_SESSION)
		put_int(making, "turn.number", has_turn ? making->turn->number : 0);
	put_text(making, "tollgate.side_call", unit->said.side);
}

static void put_level(struct making *making, enum ending ending, struct bytes why)
{
	if (ending == ENDING_OK)
		return;
	put_text(making, "langfuse.observation.level",
		bytes_of(ending == ENDING_FAILED ? "ERROR" : "WARNING"));
	put_text(making, "langfuse.observation.status_message", why);
}

/* ---- turns and agents ---- */

static void put_figures(struct making *making, bool is_turn, const struct turn_figures *figures)
{
	static const struct {
		const char *turn, *agent;
		size_t offset;
	} rows[] = {
#define FIGURE(name, member) \
	{ "tollgate.turn." name, "tollgate.agent." name, offsetof(struct turn_figures, member) }
		FIGURE("llm_calls", calls),
		FIGURE("tool_calls", tools),
		FIGURE("subagents", agents),
		FIGURE("errors", errors),
		FIGURE("input_tokens", tokens.input),
		FIGURE("output_tokens", tokens.output),
		FIGURE("cache_read_tokens", tokens.cache_read),
		FIGURE("cache_write_tokens", tokens.cache_write),
#undef FIGURE
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t number;
		memcpy(&number, (const char *)figures + rows[i].offset, sizeof number);
		put_int(making, is_turn ? rows[i].turn : rows[i].agent, number);
	}
	if (figures->priced && !figures->unpriced)
		put_text(making, is_turn ? "tollgate.turn.cost_usd" : "tollgate.agent.cost_usd",
			usd_text(figures->cost_fusd, making->writer.arena));
	put_int(making, is_turn ? "tollgate.turn.duration_ms" : "tollgate.agent.duration_ms",
		in_ms(making->unit->end_ns - making->unit->start_ns));
}

static void put_turn(struct making *making)
{
	static const char *const reasons[] = { [TURN_IS_OPEN] = "idle",
		[TURN_STOPPED] = "stop",
		[TURN_NEXT_PROMPT] = "next_prompt",
		[TURN_SESSION_END] = "session_end" };
	const struct planned_turn *turn = making->turn;
	const struct event *prompt = turn->prompt ? &turn->prompt->event : NULL;
	put_text(making, "input.value",
		turn->input.text.len ? turn->input.text : bytes_of(turn->input.mark));
	if (prompt) {
		put_text(making, "prompt.id", prompt->turn);
		put_count(making, "prompt.length", prompt->text_length);
	}
	if (!turn->number)
		return;
	put_text(making, "gen_ai.operation.name", bytes_of("invoke_agent"));
	put_said(making, "output.value", &turn->output);
	put_text(making, "turn.end.reason", bytes_of(reasons[turn->reason]));
	put_figures(making, true, &turn->figures);
	put_level(making, turn->ending, turn->why);
}

static void put_agent(struct making *making)
{
	const struct event *said = &making->unit->said;
	put_text(making, "gen_ai.operation.name", bytes_of("invoke_agent"));
	put_text(making, "gen_ai.agent.id", said->agent);
	put_text(making, "gen_ai.agent.name", said->name);
	put_text(making, "claude.parent_session_id", making->question->session);
	put_said(making, "input.value", &said->input);
	put_said(making, "output.value", &said->output);
	put_figures(making, false, &making->unit->figures);
}

/* ---- calls and tools ---- */

/* As vocabularies/tollgate.c reads them; to Claude Code's own spans what those leave out, in their words. */
static void put_tokens(struct making *making)
{
	const struct event *said = &making->unit->said;
	const struct tokens *tokens = &said->tokens;
	bool is_native = making->unit->native;
	if (tokens->are_said && !is_native) {
		put_int(making, "tollgate.tokens.input", tokens->input);
		put_int(making, "tollgate.tokens.output", tokens->output);
		put_count(making, "tollgate.tokens.cache_read", tokens->cache_read);
		put_count(making, "tollgate.tokens.cache_write", tokens->cache_write);
		put_count(making, "tollgate.tokens.reasoning", tokens->reasoning);
	}
	if (tokens->are_said && tokens->has_cache_lives) {
		put_int(making,
			is_native ? "cache_creation_5m_tokens" : "tollgate.tokens.cache_write_5m",
			tokens->cache_write_5m);
		put_int(making,
			is_native ? "cache_creation_1h_tokens" : "tollgate.tokens.cache_write_1h",
			tokens->cache_write_1h);
	}
	if (said->has_cost)
		put_text(making, is_native ? "cost_usd" : "tollgate.cost.reported",
			usd_text(usd_read(said->cost_usd, making->writer.arena),
				making->writer.arena));
}

/* "auth", "rate_limit", …: what a status means to whoever filters by it. */
static struct bytes type_of_error(const struct event *said)
{
	uint64_t code = said->status_code;
	if (code == 401 || code == 403)
		return bytes_of("auth");
	if (code == 429)
		return bytes_of("rate_limit");
	if (code == 408 || code == 504)
		return bytes_of("timeout");
	if (code >= 500)
		return bytes_of("server");
	if (code >= 400)
		return bytes_of("validation");
	return said->error_type;
}

static void put_call(struct making *making)
{
	const struct unit *unit = making->unit;
	const struct event *said = &unit->said;
	put_text(making, "gen_ai.operation.name", bytes_of("chat"));
	put_text(making, "gen_ai.request.model", said->model);
	put_text(making, "gen_ai.response.id", said->call);
	put_text(making, "gen_ai.agent.id", said->agent);
	put_tokens(making);
	put_text(making, "tollgate.service_tier", said->tier);
	if (unit->first_token_ns && !unit->native)
		put_int(making, "tollgate.first_token_ms",
			in_ms(unit->first_token_ns - unit->start_ns));
	put_count(making, "llm.request.attempts", said->attempts);
	put_count(making, "http.response.status_code", said->status_code);
	if (said->ending == ENDING_FAILED)
		put_text(making, "error.type", type_of_error(said));
}

static void put_tool(struct making *making)
{
	static const char *const statuses[] = { [ENDING_OK] = "success",
		[ENDING_FAILED] = "error",
		[ENDING_REJECTED] = "rejected",
		[ENDING_INTERRUPTED] = "interrupted" };
	const struct unit *unit = making->unit;
	const struct event *said = &unit->said;
	put_text(making, "gen_ai.operation.name", bytes_of("execute_tool"));
	put_text(making, "gen_ai.tool.name", said->name);
	put_text(making, "gen_ai.tool.call.id", said->tool);
	put_text(making, "gen_ai.agent.id", said->agent);
	put_text(making, "tool.status", bytes_of(statuses[said->ending]));
	put_text(making, "tool.decision",
		bytes_of(said->ending == ENDING_REJECTED ? "reject" : "accept"));
	put_int(making, "tool.duration_ms", in_ms(unit->end_ns - unit->start_ns));
	put_count(making, "tollgate.permission.wait_ms", in_ms(said->wait_ns));
	if (said->has_exit_code && !is_there(making, bytes_of("tool.execution.exit_code")))
		put(making,
			write_int(&making->writer, SPAN_ATTRIBUTES,
				bytes_of("tool.execution.exit_code"), said->exit_code));
	if (said->ending == ENDING_FAILED)
		put_text(making, "error.type", type_of_error(said));
}

static void put_attributes(struct making *making)
{
	const struct unit *unit = making->unit;
	const struct event *said = &unit->said;
	put_identity(making);
	if (unit->kind == UNIT_TURN)
		put_turn(making);
	else if (unit->kind == UNIT_AGENT)
		put_agent(making);
	else if (unit->kind == UNIT_CALL)
		put_call(making);
	else if (unit->kind == UNIT_TOOL)
		put_tool(making);
	if (unit->kind == UNIT_CALL || unit->kind == UNIT_TOOL) {
		put_said(making, "input.value", &said->input);
		put_said(making, "output.value", &said->output);
	}
	if (unit->kind != UNIT_TURN && unit->kind != UNIT_SESSION && unit->kind != UNIT_NATIVE)
		put_level(making, said->ending, said->error);
	if (unit->native || unit->kind == UNIT_CALL || unit->kind == UNIT_TOOL)
		put_text(making, "prompt.id", said->turn);
	if (unit->native && making->turn->prompt)
		put_text(making, "prompt.id", making->turn->prompt->event.turn);
}

/* ---- links and status ---- */

static void put_links(struct making *making)
{
	struct arena *arena = making->writer.arena;
	for (size_t i = 0; i < making->unit->link_count; i++) {
		const struct unit_link *link = &making->unit->links[i];
		struct buf message;
		start(&message, arena);
		put_bytes(&message, LINK_TRACE_ID, link->trace_id, sizeof link->trace_id);
		put_bytes(&message, LINK_SPAN_ID, link->span_id, sizeof link->span_id);
		struct bytes type = write_string(&making->writer, LINK_ATTRIBUTES,
			bytes_of("link.type"), bytes_of(link->type));
		buf_append(&message, type.at, type.len);
		if (link->tool.len) {
			struct bytes tool = write_string(&making->writer, LINK_ATTRIBUTES,
				bytes_of("gen_ai.tool.call.id"), link->tool);
			buf_append(&message, tool.at, tool.len);
		}
		put_message(&making->span, LINKS, buf_move(&message, arena));
	}
}

static bool status_is_unset(struct bytes span)
{
	struct wire wire = wire_of(span), status;
	struct field field, code;
	bool is_unset = true;
	while (wire_next(&wire, &field) > 0) {
		if (!field_is(&field, STATUS, WIRE_BYTES))
			continue;
		status = wire_of(field.body);
		while (wire_next(&status, &code) > 0)
			if (field_is(&code, STATUS_CODE, WIRE_VARINT))
				is_unset = code.value == 0;
	}
	return is_unset;
}

static void put_status(struct making *making)
{
	const struct unit *unit = making->unit;
	bool is_turn = unit->kind == UNIT_TURN && making->turn->number;
	enum ending ending = is_turn ? making->turn->ending : unit->said.ending;
	struct bytes why = is_turn ? making->turn->why : unit->said.error;
	struct buf message;
	if (ending != ENDING_FAILED || unit->kind == UNIT_NATIVE ||
		(unit->native && !status_is_unset(unit->native->native.span)))
		return;
	start(&message, making->writer.arena);
	if (why.len)
		put_bytes(&message, STATUS_MESSAGE, why.at, why.len);
	put_varint(&message, STATUS_CODE, STATUS_IS_ERROR);
	put_message(&making->span, STATUS, buf_move(&message, making->writer.arena));
}

/* ---- spans ---- */

static void put_synthesized(struct making *making)
{
	const struct unit *unit = making->unit;
	struct buf *span = &making->span;
	put_bytes(span, TRACE_ID, unit->trace_id, sizeof unit->trace_id);
	put_bytes(span, SPAN_ID, unit->span_id, sizeof unit->span_id);
	if (unit->has_parent)
		put_bytes(span, PARENT_ID, unit->parent_id, sizeof unit->parent_id);
	put_message(span, NAME, unit->name);
	put_varint(span, SPAN_KIND, unit->kind == UNIT_CALL ? KIND_CLIENT : KIND_INTERNAL);
	put_time(span, START, unit->start_ns);
	put_time(span, END, unit->end_ns);
}

/* Its own fields as they came, but for the name. */
static void put_native(struct making *making, bool readable_name)
{
	const struct native_span *native = &making->unit->native->native;
	struct wire wire = wire_of(native->span);
	struct field field;
	bool is_renamed = readable_name && making->unit->name.len &&
		!bytes_equal(making->unit->name, native->name);
	while (wire_next(&wire, &field) > 0)
		if (!is_renamed || !field_is(&field, NAME, WIRE_BYTES))
			buf_append(&making->span, field.start, (size_t)(field.end - field.start));
	if (!is_renamed)
		return;
	put_message(&making->span, NAME, making->unit->name);
	put_text(making, "tollgate.native_name", native->name);
}

/* A trace that somebody else began goes on with our spans; there Langfuse is told which is the application's. */
static void put_root_mark(struct making *making)
{
	static const uint8_t is_true[] = { VALUE_OF_BOOL << 3 | WIRE_VARINT, 1 };
	static const struct bytes key = BYTES("langfuse.internal.is_app_root");
	struct buf attribute;
	if (making->unit->kind != UNIT_TURN || !making->unit->native || !making->unit->has_parent ||
		is_there(making, key))
		return;
	start(&attribute, making->writer.arena);
	put_message(&attribute, ATTRIBUTE_KEY, key);
	put_bytes(&attribute, ATTRIBUTE_VALUE, is_true, sizeof is_true);
	put_message(&making->span, SPAN_ATTRIBUTES, buf_move(&attribute, making->writer.arena));
}

static struct bytes wrapped(struct arena *arena, unsigned first, struct bytes before,
	unsigned field, struct bytes message)
{
	struct buf buf;
	start(&buf, arena);
	if (before.len)
		put_message(&buf, first, before);
	put_message(&buf, field, message);
	return buf_move(&buf, arena);
}

static struct bytes request_of(
	struct arena *arena, struct bytes resource, struct bytes scope, struct bytes span)
{
	struct bytes spans = wrapped(arena, SCOPE, scope, SPANS, span);
	struct bytes resource_spans = wrapped(arena, RESOURCE, resource, SCOPE_SPANS, spans);
	struct bytes request =
		wrapped(arena, 0, (struct bytes){ 0 }, RESOURCE_SPANS, resource_spans);
	return arena->error ? (struct bytes){ 0 } : request;
}

static struct bytes own_scope(struct arena *arena)
{
	return wrapped(arena, 0, (struct bytes){ 0 }, SCOPE_NAME, bytes_of(SESSION_SCOPE));
}

struct bytes span_of_unit(const struct plan_question *question, const struct plan *plan,
	const struct unit *unit, const struct span_options *options, struct arena *arena)
{
	struct making making = { .question = question,
		.unit = unit,
		.turn = unit->kind == UNIT_SESSION ? NULL : &plan->turns[unit->turn],
		.writer = { .arena = arena } };
	struct bytes resource = options->resource, scope;
	start(&making.span, arena);
	if (unit->native) {
		resource = unit->native->native.resource;
		scope = unit->native->native.scope;
		put_native(&making, options->readable_names);
		put_root_mark(&making);
	} else {
		if (!resource.len)
			resource = write_string(&making.writer, RESOURCE_ATTRIBUTES_FIELD,
				bytes_of("service.name"), bytes_of(question->cli->name));
		scope = own_scope(arena);
		put_synthesized(&making);
	}
	put_attributes(&making);
	put_links(&making);
	put_status(&making);
	return request_of(arena, resource, scope, buf_move(&making.span, arena));
}

struct bytes span_as_it_came(const struct native_span *native, struct arena *arena)
{
	return request_of(arena, native->resource, native->scope, native->span);
}
