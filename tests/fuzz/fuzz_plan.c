/*
 * Any events of a session: they are planned without a crash, in any order to the same spans, each id is there
 * once, no parent is missing that is not somebody else's, and none ends before it starts. Keys, agents and times
 * are few, so that they meet.
 */
#include <stdlib.h>

#include "support/session_events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENT_BYTES = 12, EVENTS_MAX = 200 };

static struct bytes one_of(const char *const *texts, unsigned count, uint8_t choice)
{
	return bytes_of(texts[choice % count]);
}
#define ONE_OF(choice, ...) \
	one_of((const char *const[]){ __VA_ARGS__ }, \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), (choice))

static struct event event_of(const uint8_t *data)
{
	static const uint64_t odd_times[] = { 0, 1, UINT64_MAX, TEN };
	enum event_kind kind = data[0] % (EVENT_SESSION_END + 1);
	unsigned ms = data[7] * 4u;
	struct event event = { 0 };
	if (kind == EVENT_SPAN)
		event = native_event(data[1] % (ROLE_WAIT + 1), "claude_code.span",
			'a' + data[2] % 2, 'a' + data[3] % 8, data[4] % 4 ? 'a' + data[4] % 8 : 0,
			ms, data[8] % 16 ? ms + data[8] : 0);
	event.kind = kind;
	event.turn = ONE_OF(data[1] >> 4, "", "", "p1", "p2", "p3");
	event.agent = ONE_OF(data[2] >> 4, "", "", "", "one", "two", "three");
	event.parent_agent = ONE_OF(data[2], "", "", "one", "two");
	event.started_agent = ONE_OF(data[3] >> 6, "", "", "one", "two");
	event.thread = ONE_OF(data[3] >> 4, "", "main");
	event.call = ONE_OF(data[4] >> 4, "", "", "c1", "c2", "c3");
	event.tool = ONE_OF(data[5], "", "", "t1", "t2", "exec-1", "t3");
	event.name = ONE_OF(data[5] >> 4, "", "Bash", "Agent", "exec", "exit");
	event.side = ONE_OF(data[6], "", "", "", "", "title");
	event.text.text = ONE_OF(data[6] >> 4, "", "hi", "again");
	event.text.mark = data[6] >> 4 == 15 ? "withheld" : NULL;
	event.input.text = ONE_OF(data[9], "", "{\"command\":\"ls\"}", "{}");
	event.output.text = ONE_OF(data[9] >> 4, "", "out");
	event.ending = data[10] % 8 < 4 ? data[10] % 8 : ENDING_OK;
	event.has_duration = data[10] & 16;
	event.duration_ns = MS(data[8]);
	event.is_background = data[10] & 32;
	event.is_by_person = data[10] & 64;
	event.tokens.are_said = data[10] & 128;
	event.tokens.input = data[11];
	if (kind < EVENT_SPAN)
		event.time_ns = data[7] > 250 ? odd_times[data[7] % 4] : TEN + MS(ms);
	if (kind < EVENT_SPAN && data[11] & 1) {
		event.trace_id = (struct bytes){ repeated('a' + (data[11] >> 1) % 2), 16 };
		event.span_id = (struct bytes){ repeated('a' + (data[11] >> 2) % 8), 8 };
	}
	return event;
}

static bool is_same_span(const struct unit *a, const uint8_t trace[16], const uint8_t span[8])
{
	return memcmp(a->span_id, span, 8) == 0 && memcmp(a->trace_id, trace, 16) == 0;
}

static void judge(struct scene *scene)
{
	const struct plan *plan = &scene->plan;
	for (size_t i = 0; i < plan->unit_count; i++) {
		const struct unit *one = &plan->units[i];
		bool is_foreign = one->native || one->is_late || scene->question.has_spans;
		bool has_parent = !one->has_parent || is_foreign;
		for (size_t k = 0; k < plan->unit_count; k++) {
			const struct unit *other = &plan->units[k];
			has_parent |= is_same_span(other, one->trace_id, one->parent_id);
			if (i != k && is_same_span(other, one->trace_id, one->span_id))
				abort();
		}
		if (!has_parent || one->end_ns < one->start_ns ||
			(one->kind != UNIT_SESSION && one->turn >= plan->turn_count) ||
			!scene_span(scene, one).len)
			abort();
	}
	for (size_t i = 0; i < scene->question.held_count; i++)
		if ((plan->unit_of[i] != SIZE_MAX && plan->unit_of[i] >= plan->unit_count) ||
			(plan->turn_of[i] != SIZE_MAX && plan->turn_of[i] >= plan->turn_count))
			abort();
}

static void turn_around(struct scene *scene)
{
	for (size_t i = 0; i < scene->count / 2; i++) {
		struct held first = scene->held[i];
		scene->held[i] = scene->held[scene->count - 1 - i];
		scene->held[scene->count - 1 - i] = first;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct past_turn past[] = { { BYTES("p3"), 1, TEN + MS(100) },
		{ BYTES("@1795206000200000000"), 2, TEN + MS(200) } };
	struct scene scene;
	if (size == 0)
		return 0;
	scene_begin(&scene);
	scene.question.scope = data[0] & 1 ? TRACE_PER_SESSION : TRACE_PER_TURN;
	scene.question.has_spans = data[0] & 2;
	scene.question.has_logs = data[0] & 4;
	if (data[0] & 8)
		scene.question.session = (struct bytes){ 0 };
	if (data[0] & 16) {
		scene.question.past = past;
		scene.question.past_count = scene.question.last_number = 2;
	}
	for (size_t at = 1; at + EVENT_BYTES <= size && scene.count < EVENTS_MAX; at += EVENT_BYTES)
		scene_add(&scene, event_of(data + at));
	scene_plan(&scene);
	judge(&scene);
	struct bytes spans = scene_spans(&scene);
	turn_around(&scene);
	scene_plan(&scene);
	struct bytes again = scene_spans(&scene);
	if (!bytes_equal(spans, again))
		abort();
	free((void *)spans.at);
	free((void *)again.at);
	scene_end(&scene);
	return 0;
}
