#include "support/session_events.h"

#include <stdio.h>
#include <stdlib.h>

#include "otlp/writer.h"

const struct cli test_cli = { .name = "claude-code",
	.title = "Claude Code",
	.system = "anthropic",
	.provider = "anthropic" };

enum { ARENA_BYTES = 1 << 30 };

void scene_begin(struct scene *scene)
{
	*scene = (struct scene){ .question = { .cli = &test_cli,
					 .session = BYTES("session-1"),
					 .project = BYTES("project"),
					 .preview_chars = 60 } };
	arena_init(&scene->arena, ARENA_BYTES, NULL);
}

void scene_end(struct scene *scene)
{
	free(scene->held);
	arena_done(&scene->arena);
}

void scene_add(struct scene *scene, struct event event)
{
	if (scene->count == scene->capacity) {
		scene->capacity = scene->capacity * 2 + 64;
		scene->held = realloc(scene->held, scene->capacity * sizeof *scene->held);
		if (!scene->held)
			abort();
	}
	event.cli = &test_cli;
	scene->held[scene->count] = (struct held){
		.event = event, .received_ns = TEN + MS(scene->count), .sequence = scene->count + 1
	};
	scene->count++;
}

static int compare(const void *a, const void *b)
{
	return held_compare(*(const struct held *const *)a, *(const struct held *const *)b);
}

void scene_plan(struct scene *scene)
{
	arena_done(&scene->arena);
	arena_init(&scene->arena, ARENA_BYTES, NULL);
	const struct held **held =
		arena_alloc(&scene->arena, (scene->count + 1) * sizeof(struct held *));
	size_t count = 0;
	for (size_t i = 0; i < scene->count; i++)
		held[i] = &scene->held[i];
	qsort(held, scene->count, sizeof *held, compare);
	for (size_t i = 0; i < scene->count; i++)
		if (!i || held_compare(held[i], held[count - 1]) != 0)
			held[count++] = held[i];
	scene->question.held = held;
	scene->question.held_count = count;
	if (plan_make(&scene->question, &scene->arena, &scene->plan) != 0)
		abort();
}

const struct unit *scene_unit(const struct scene *scene, enum unit_kind kind, const char *name)
{
	for (size_t i = 0; i < scene->plan.unit_count; i++) {
		const struct unit *unit = &scene->plan.units[i];
		if (unit->kind == kind && (!name || bytes_are(unit->name, name)))
			return unit;
	}
	return NULL;
}

size_t scene_count(const struct scene *scene, enum unit_kind kind)
{
	size_t count = 0;
	for (size_t i = 0; i < scene->plan.unit_count; i++)
		count += scene->plan.units[i].kind == kind;
	return count;
}

const struct planned_turn *scene_turn(const struct scene *scene, unsigned number)
{
	for (size_t i = 0; i < scene->plan.turn_count; i++)
		if (scene->plan.turns[i].number == number)
			return &scene->plan.turns[i];
	return NULL;
}

struct bytes scene_span(struct scene *scene, const struct unit *unit)
{
	static const struct span_options options = { .readable_names = true };
	return span_of_unit(&scene->question, &scene->plan, unit, &options, &scene->arena);
}

struct bytes scene_spans(struct scene *scene)
{
	struct buf all;
	buf_init(&all, ARENA_BYTES, NULL);
	for (size_t i = 0; i < scene->plan.unit_count; i++) {
		struct bytes span = scene_span(scene, &scene->plan.units[i]);
		buf_append(&all, span.at, span.len);
	}
	return buf_bytes(&all);
}

const uint8_t *repeated(char c)
{
	static uint8_t ids[256][16];
	memset(ids[(uint8_t)c], c, sizeof *ids);
	return ids[(uint8_t)c];
}

static uint8_t *put_id(uint8_t *at, unsigned field, char c, size_t len)
{
	*at++ = (uint8_t)(field << 3 | WIRE_BYTES);
	*at++ = (uint8_t)len;
	memset(at, c, len);
	return at + len;
}

static uint8_t *put_time(uint8_t *at, unsigned field, uint64_t ns)
{
	*at++ = (uint8_t)(field << 3 | WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		*at++ = (uint8_t)(ns >> (8 * i));
	return at;
}

struct event native_event(enum role role, const char *name, char trace, char id, char parent,
	unsigned start_ms, unsigned end_ms)
{
	static uint8_t spans[256][128]; /* of the last of them; more are not in one scene */
	static size_t next;
	uint8_t *span = spans[next++ % 256], *at = span;
	size_t len = strlen(name);
	at = put_id(at, 1, trace, 16);
	at = put_id(at, 2, id, 8);
	if (parent)
		at = put_id(at, 4, parent, 8);
	*at++ = 5 << 3 | WIRE_BYTES;
	*at++ = (uint8_t)len;
	memcpy(at, name, len);
	struct bytes own_name = { at, len };
	at = put_time(at + len, 7, TEN + MS(start_ms));
	at = put_time(at, 8, TEN + MS(end_ms));
	static const struct bytes scope = BYTES("\x0a\x21"
						"com.anthropic.claude_code.tracing");
	return (struct event){ .kind = EVENT_SPAN,
		.session = BYTES("session-1"),
		.time_ns = TEN + MS(end_ms),
		.native = { .role = role,
			.scope = scope,
			.span = { span, (size_t)(at - span) },
			.name = own_name,
			.trace_id = { repeated(trace), 16 },
			.span_id = { repeated(id), 8 },
			.parent_id = { parent ? repeated(parent) : NULL, parent ? 8 : 0 },
			.start_ns = TEN + MS(start_ms),
			.end_ns = TEN + MS(end_ms) } };
}
