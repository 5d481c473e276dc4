/*
 * Events of one session as a test writes them down, and the plan of them. Times are milliseconds after TEN, texts
 * are literals.
 */
#ifndef TG_TESTS_SUPPORT_SESSION_EVENTS_H
#define TG_TESTS_SUPPORT_SESSION_EVENTS_H

#include "synthesize/span.h"

#define TEN UINT64_C(1795206000000000000)
#define MS(ms) ((uint64_t)(ms)*1000000)
#define AT(ms) .time_ns = TEN + MS(ms)
#define TOOK(ms) .duration_ns = MS(ms), .has_duration = true
#define T(literal) ((struct bytes)BYTES(literal))
#define SAYS(literal) \
	{ \
		.text = BYTES(literal) \
	}
#define TOKENS(in, out) .tokens = { .are_said = true, .input = (in), .output = (out) }

extern const struct cli test_cli; /* "claude-code" */

struct scene {
	struct held *held; /* as they were added */
	size_t count, capacity;
	struct plan_question question; /* to be changed before planning; its events are set there */
	struct arena arena;
	struct plan plan;
};

/* Of session "session-1" of the project "project". */
void scene_begin(struct scene *scene);
void scene_end(struct scene *scene);

/* It arrives a millisecond after the one before. */
void scene_add(struct scene *scene, struct event event);
#define ADD(scene, ...) scene_add((scene), (struct event){ __VA_ARGS__ })

/* Sorts, leaves out what is there twice, and plans anew. */
void scene_plan(struct scene *scene);

/* The first of this kind whose name is this, or NULL; of this kind at all without a name. */
const struct unit *scene_unit(const struct scene *scene, enum unit_kind kind, const char *name);
size_t scene_count(const struct scene *scene, enum unit_kind kind);
/* The turn of this number, or NULL. */
const struct planned_turn *scene_turn(const struct scene *scene, unsigned number);

/* The request of a unit, with readable names; lives as long as the plan. */
struct bytes scene_span(struct scene *scene, const struct unit *unit);
/* Those of all units, one behind the other; to be freed as .at. */
struct bytes scene_spans(struct scene *scene);

/* A native span of Claude Code: its ids are the given characters repeated; no parent where that is 0. */
struct event native_event(enum role role, const char *name, char trace, char id, char parent,
	unsigned start_ms, unsigned end_ms);
/* The ids of a log record that was written in that span. */
#define IN(trace_char, span_char) \
	.trace_id = { repeated(trace_char), 16 }, .span_id = { repeated(span_char), 8 }
const uint8_t *repeated(char c);

#endif
