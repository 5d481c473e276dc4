#include "support/events.h"

#include <inttypes.h>
#include <stdlib.h>

enum { KEY_MAX = 16, KEY_SHOWN = 8, TEXT_SHOWN = 80 };

static const char *const kinds[] = {
	[EVENT_SESSION] = "session",
	[EVENT_PROMPT] = "prompt",
	[EVENT_CONTINUATION] = "continuation",
	[EVENT_CALL_BEGIN] = "call_begin",
	[EVENT_CALL] = "call",
	[EVENT_ANSWER] = "answer",
	[EVENT_TOOL_BEGIN] = "tool_begin",
	[EVENT_TOOL] = "tool",
	[EVENT_AGENT_BEGIN] = "agent_begin",
	[EVENT_AGENT] = "agent",
	[EVENT_COMPACTION] = "compaction",
	[EVENT_SPAN] = "span",
	[EVENT_PLACE] = "place",
	[EVENT_PROMPT_NAMED] = "prompt_named",
	[EVENT_TOOL_SAID] = "tool_said",
	[EVENT_AGENT_NAMED] = "agent_named",
	[EVENT_TURN_END] = "turn_end",
	[EVENT_WAITING] = "waiting",
	[EVENT_SESSION_END] = "session_end",
};

static const char *const roles[] = {
	[ROLE_OTHER] = "other",
	[ROLE_TURN] = "turn",
	[ROLE_CALL] = "call",
	[ROLE_TOOL] = "tool",
	[ROLE_EXECUTION] = "execution",
	[ROLE_WAIT] = "wait",
};

static const char *const endings[] = {
	[ENDING_OK] = NULL,
	[ENDING_FAILED] = "failed",
	[ENDING_REJECTED] = "rejected",
	[ENDING_INTERRUPTED] = "interrupted",
};

static void put_letters(struct bytes text, FILE *out)
{
	for (const uint8_t *at = text.at; at != bytes_end(text); at++)
		if (*at == '\n')
			fputs("\\n", out);
		else if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at < ' ' || *at == 0x7f)
			fprintf(out, "\\x%02x", *at);
		else
			fputc(*at, out);
}

static void put_key(const char *name, struct bytes key, FILE *out)
{
	if (!key.len)
		return;
	fprintf(out, " %s=%s", name, key.len > KEY_MAX ? "~" : "");
	if (key.len > KEY_MAX)
		key = (struct bytes){ bytes_end(key) - KEY_SHOWN, KEY_SHOWN };
	put_letters(key, out);
}

static void put_id(const char *name, struct bytes id, FILE *out)
{
	if (!id.len)
		return;
	fprintf(out, " %s=", name);
	for (size_t i = 0; i < id.len && i < 4; i++)
		fprintf(out, "%02x", id.at[i]);
}

static void put_text(const char *name, struct bytes text, FILE *out)
{
	if (!text.len)
		return;
	fprintf(out, " %s=\"", name);
	put_letters((struct bytes){ text.at, text.len < TEXT_SHOWN ? text.len : TEXT_SHOWN }, out);
	fputc('"', out);
	if (text.len > TEXT_SHOWN)
		fprintf(out, "(%zu)", text.len);
}

static void put_said(const char *name, const struct said *said, FILE *out)
{
	put_text(name, said->text, out);
	if (said->mark)
		fprintf(out, " %s=<%s>", name, said->mark);
}

static void put_count(const char *name, uint64_t count, FILE *out)
{
	if (count)
		fprintf(out, " %s=%" PRIu64, name, count);
}

static void put_word(const char *word, bool is_so, FILE *out)
{
	if (is_so)
		fprintf(out, " %s", word);
}

/* Microseconds are as much as a double keeps. */
static void put_ms(uint64_t ns, FILE *out)
{
	fprintf(out, "%.10g", (double)((int64_t)ns / 1000) / 1e3);
}

static void put_time(const char *name, uint64_t time_ns, uint64_t zero_ns, FILE *out)
{
	if (!time_ns)
		return;
	fprintf(out, " %s=+", name);
	put_ms(time_ns - zero_ns, out);
}

static void put_duration(const char *name, uint64_t ns, bool is_said, FILE *out)
{
	if (!is_said)
		return;
	fprintf(out, " %s=", name);
	put_ms(ns, out);
}

static void put_tokens(const struct tokens *tokens, FILE *out)
{
	if (!tokens->are_said)
		return;
	fprintf(out, " in=%" PRIu64 " out=%" PRIu64, tokens->input, tokens->output);
	put_count("reasoning", tokens->reasoning, out);
	put_count("cache_read", tokens->cache_read, out);
	put_count("cache_write", tokens->cache_write, out);
	if (tokens->has_cache_lives)
		fprintf(out, " 5m=%" PRIu64 " 1h=%" PRIu64, tokens->cache_write_5m,
			tokens->cache_write_1h);
}

static void put_native(const struct native_span *native, FILE *out)
{
	fprintf(out, " role=%s", roles[native->role]);
	put_text("native", native->name, out);
	put_id("trace", native->trace_id, out);
	put_id("span", native->span_id, out);
	put_id("parent", native->parent_id, out);
	put_duration("took", native->end_ns - native->start_ns, true, out);
}

static void put_keys(const struct event *event, FILE *out)
{
	put_key("session", event->session, out);
	put_key("turn", event->turn, out);
	put_key("thread", event->thread, out);
	put_key("agent", event->agent, out);
	put_key("parent_agent", event->parent_agent, out);
	put_key("started_agent", event->started_agent, out);
	put_key("call", event->call, out);
	put_key("tool", event->tool, out);
	put_id("trace", event->trace_id, out);
	put_id("span", event->span_id, out);
}

static void put_facts(const struct event *event, uint64_t zero_ns, FILE *out)
{
	put_time("turn_at", event->turn_ns, zero_ns, out);
	put_time("said", event->said_ns, zero_ns, out);
	put_duration("took", event->duration_ns, event->has_duration, out);
	put_duration("first_token", event->first_token_ns, event->first_token_ns != 0, out);
	put_duration("waited", event->wait_ns, event->wait_ns != 0, out);
	put_word("by_person", event->is_by_person, out);
	put_word("in_background", event->is_background, out);
	put_text("model", event->model, out);
	put_text("name", event->name, out);
	put_text("side", event->side, out);
	put_word("may_be_side", event->may_be_side, out);
	put_tokens(&event->tokens, out);
	if (event->has_cost)
		fprintf(out, " cost=%.12g", event->cost_usd);
	put_text("tier", event->tier, out);
	put_word(endings[event->ending], event->ending != ENDING_OK, out);
	put_count("status", event->status_code, out);
	put_count("attempts", event->attempts, out);
	if (event->has_exit_code)
		fprintf(out, " exit=%" PRId64, event->exit_code);
	put_text("error_type", event->error_type, out);
	put_text("error", event->error, out);
	put_count("length", event->text_length, out);
	put_said("text", &event->text, out);
	put_said("input", &event->input, out);
	put_word("wordless", event->is_wordless, out);
	put_said("output", &event->output, out);
}

void event_print(const struct event *event, uint64_t zero_ns, FILE *out)
{
	if (event->time_ns) {
		fputc('+', out);
		put_ms(event->time_ns - zero_ns, out);
	} else {
		fputc('-', out);
	}
	fprintf(out, " %s", kinds[event->kind]);
	if (event->kind == EVENT_SPAN)
		put_native(&event->native, out);
	put_keys(event, out);
	put_facts(event, zero_ns, out);
	fputc('\n', out);
}

char *events_text(const struct events *events)
{
	char *text;
	size_t len;
	uint64_t zero_ns = UINT64_MAX;
	FILE *out = open_memstream(&text, &len);
	for (size_t i = 0; i < events->count; i++)
		if (events->at[i].time_ns && events->at[i].time_ns < zero_ns)
			zero_ns = events->at[i].time_ns;
	for (size_t i = 0; i < events->count; i++)
		event_print(&events->at[i], zero_ns, out);
	fclose(out);
	return text;
}

static struct attribute attribute_of(const char *said)
{
	const char *equals = strchr(said, '=');
	char sign = equals[-1];
	struct attribute attribute = { .has_value = true };
	attribute.key = (struct bytes){ (const uint8_t *)said, (size_t)(equals - said) };
	attribute.key.len -= strchr(":~?", sign) != NULL;
	if (sign == ':') {
		attribute.value.type = VALUE_INT;
		attribute.value.integer = strtoll(equals + 1, NULL, 10);
	} else if (sign == '~') {
		attribute.value.type = VALUE_DOUBLE;
		attribute.value.number = strtod(equals + 1, NULL);
	} else if (sign == '?') {
		attribute.value.type = VALUE_BOOL;
		attribute.value.integer = equals[1] == 't';
	} else {
		attribute.value.type = VALUE_STRING;
		attribute.value.bytes = bytes_of(equals + 1);
	}
	return attribute;
}

static struct attributes attributes_of(const char *const *said, struct arena *arena)
{
	struct attributes attributes = { 0 };
	while (said[attributes.capacity])
		attributes.capacity++;
	attributes.at = arena_alloc(arena, (attributes.capacity + 1) * sizeof *attributes.at);
	for (; attributes.count < attributes.capacity; attributes.count++)
		attributes.at[attributes.count] = attribute_of(said[attributes.count]);
	return attributes;
}

void events_of_log(const struct dialect *dialect, uint64_t time_ns, const char *const *said,
	struct events *events)
{
	static const struct attributes nothing;
	const struct source source = { .resource = &nothing };
	const struct log_record record = {
		.time_ns = time_ns,
		.attributes = attributes_of(said, events->arena),
	};
	dialect->read_log(&record, &source, events);
}

void events_of_span(const struct dialect *dialect, const char *name, const char *const *said,
	struct events *events)
{
	static const struct bytes trace_id = BYTES("0123456789abcdef");
	static const struct bytes span_id = BYTES("12345678"), parent_id = BYTES("abcdefgh");
	static const struct attributes nothing;
	const struct source source = { .resource = &nothing };
	const struct span span = {
		.name = bytes_of(name),
		.trace_id = trace_id,
		.span_id = span_id,
		.parent = { .start = parent_id.at, .body = parent_id },
		.start_ns = UINT64_C(1795206130000000000),
		.end_ns = UINT64_C(1795206130020000000),
		.attributes = attributes_of(said, events->arena),
	};
	dialect->read_span(&span, &source, events);
}
