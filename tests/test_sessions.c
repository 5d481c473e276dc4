/* Everything that was captured of the CLIs, through dialects, plan, synthesis and enrichment. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/claude_logs.h"
#include "support/effort.h"
#include "support/replay.h"
#include "support/session_tree.h"

TestSuite(sessions, .timeout = 600);

/* What a difference says is shown with the test that it fails. */
struct said {
	char *text;
	size_t len;
	FILE *out;
};

static void said_begin(struct said *said)
{
	*said = (struct said){ 0 };
	said->out = open_memstream(&said->text, &said->len);
}

static void expect_none(struct said *said, unsigned differences, const char *name, const char *how)
{
	fclose(said->out);
	cr_expect_eq(
		differences, 0, "%s, %s: %u differences\n%s", name, how, differences, said->text);
	free(said->text);
}

static json_t *spans_of(const char *name, bool with_spans, const char *const *settings)
{
	struct capture capture = capture_open(name);
	struct replay replay;
	replay_begin(&replay, settings);
	replay_capture(&replay, &capture, with_spans);
	replay_out(&replay);
	json_t *spans = json_incref(replay.spans);
	replay_end(&replay);
	capture_close(&capture);
	return spans;
}

static const char *const session_scope[] = { "sessions.trace_scope=session", NULL };

static void expect_tree(const char *name, bool with_spans, bool has_session)
{
	json_t *expected = expected_tree(name, with_spans ? "native" : "logs");
	if (!expected)
		expected = expected_tree(name, "logs");
	json_t *spans = spans_of(name, with_spans, has_session ? session_scope : NULL);
	struct said said;
	said_begin(&said);
	unsigned differences = tree_compare(expected, spans, has_session, said.out);
	expect_none(
		&said, differences, name, with_spans ? "with its spans" : "logs and hooks alone");
	json_decref(expected);
	json_decref(spans);
}

Test(sessions, every_capture_becomes_its_tree)
{
	for (const char *const *name = capture_names(); *name; name++)
		expect_tree(*name, true, false);
}

Test(sessions, every_capture_becomes_its_tree_without_the_spans_that_the_cli_wrote)
{
	for (const char *const *name = capture_names(); *name; name++)
		expect_tree(*name, false, false);
}

Test(sessions, one_trace_holds_a_session_where_that_is_wanted)
{
	for (const char *const *name = capture_names(); *name; name++)
		expect_tree(*name, false, true);
}

/* ---- properties ---- */

static const char *text_of(const json_t *span, const char *key)
{
	const char *text = json_string_value(json_object_get(span, key));
	return text ? text : "";
}

static bool is_kind(const json_t *span, const char *kind)
{
	return strcmp(text_of(span, "kind"), kind) == 0;
}

static json_int_t sum_of(const json_t *spans, const char *bucket)
{
	size_t i;
	json_t *span;
	json_int_t sum = 0;
	json_array_foreach(spans, i, span)
		sum += json_integer_value(json_object_get(json_object_get(span, "tokens"), bucket));
	return sum;
}

static json_int_t count_of(const json_t *spans, const char *kind)
{
	size_t i;
	json_t *span;
	json_int_t count = 0;
	json_array_foreach(spans, i, span)
		count += is_kind(span, kind);
	return count;
}

static void expect_reported(const char *name, const json_t *spans)
{
	static const char *const buckets[] = { "input", "cache_read", "cache_write", "output" };
	json_t *reported = expected_tree(name, "reported");
	for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++)
		cr_expect_eq(sum_of(spans, buckets[i]),
			json_integer_value(json_object_get(reported, buckets[i])), "%s: %s", name,
			buckets[i]);
	cr_expect_eq(count_of(spans, "LLM"), json_integer_value(json_object_get(reported, "calls")),
		"%s: calls", name);
	cr_expect_eq(count_of(spans, "TOOL"),
		json_integer_value(json_object_get(reported, "tools")), "%s: tools", name);
	json_decref(reported);
}

/* Names under which somebody adds up. */
static bool is_summed(const char *name)
{
	static const char *const prefixes[] = { "langfuse.observation.usage_details",
		"langfuse.observation.cost_details", "gen_ai.usage.", "llm.token_count.",
		"llm.cost.", "llm.usage." };
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static void expect_usage_on_calls_alone(const char *name, const json_t *spans)
{
	size_t i;
	json_t *span, *value;
	const char *key;
	json_array_foreach(spans, i, span)
		json_object_foreach(json_object_get(span, "attributes"), key, value)
			cr_expect(is_kind(span, "LLM") || !is_summed(key), "%s: %s has %s", name,
				text_of(span, "name"), key);
}

static const json_t *span_of_id(const json_t *spans, const char *trace, const char *id)
{
	size_t i;
	json_t *span;
	json_array_foreach(spans, i, span)
		if (strcmp(text_of(span, "id"), id) == 0 &&
			strcmp(text_of(span, "trace"), trace) == 0)
			return span;
	return NULL;
}

static void expect_one_tree(const char *name, const json_t *spans)
{
	size_t i, k;
	json_t *span, *link;
	json_array_foreach(spans, i, span) {
		const char *trace = text_of(span, "trace"), *parent = text_of(span, "parent");
		cr_expect_eq(span_of_id(spans, trace, text_of(span, "id")), span, "%s: %s twice",
			name, text_of(span, "name"));
		cr_expect(!*parent || span_of_id(spans, trace, parent), "%s: %s has no parent",
			name, text_of(span, "name"));
		cr_expect_leq(json_integer_value(json_object_get(span, "start")),
			json_integer_value(json_object_get(span, "end")), "%s: %s", name,
			text_of(span, "name"));
		json_array_foreach(json_object_get(span, "links"), k, link)
			cr_expect(span_of_id(
					  spans, trace, json_string_value(json_array_get(link, 1))),
				"%s: %s links to nothing", name, text_of(span, "name"));
	}
}

static void expect_properties(const char *name, const json_t *spans)
{
	expect_reported(name, spans);
	expect_usage_on_calls_alone(name, spans);
	expect_one_tree(name, spans);
}

Test(sessions, what_the_clis_reported_is_on_calls_once_and_nowhere_else)
{
	for (const char *const *name = capture_names(); *name; name++)
		for (int how = 0; how < 3; how++) {
			json_t *spans = spans_of(*name, how > 0, how == 2 ? session_scope : NULL);
			expect_properties(*name, spans);
			json_decref(spans);
		}
}

/* ---- with and without spans of the CLI's own ---- */

/* What only they have. */
static bool is_native_alone(const json_t *span)
{
	return is_kind(span, "CHAIN") || strncmp(text_of(span, "name"), "Command: ", 9) == 0;
}

/* What a turn has, in words that can be sorted. */
static json_t *essence(const json_t *span)
{
	static const char *const members[] = { "turn", "kind", "name", "tokens", "cost", "level",
		"side", "tool", "key", "input", "output" };
	json_t *object = json_object();
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (json_object_get(span, members[i]))
			json_object_set(object, members[i], json_object_get(span, members[i]));
	return object;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **essences(const json_t *spans, size_t *ret_count)
{
	char **lines = calloc(json_array_size(spans) + 1, sizeof *lines);
	size_t i, count = 0;
	json_t *span;
	json_array_foreach(spans, i, span) {
		if (is_native_alone(span))
			continue;
		json_t *object = essence(span);
		lines[count++] = json_dumps(object, JSON_SORT_KEYS);
		json_decref(object);
	}
	qsort(lines, count, sizeof *lines, by_text);
	*ret_count = count;
	return lines;
}

static void expect_same_essence(const char *name, const json_t *with, const json_t *without)
{
	size_t count, other_count;
	char **lines = essences(with, &count), **others = essences(without, &other_count);
	cr_expect_eq(count, other_count, "%s", name);
	for (size_t i = 0; i < count || i < other_count; i++) {
		if (i < count && i < other_count)
			cr_expect_str_eq(
				lines[i], others[i], "%s:\n  %s\n  %s", name, lines[i], others[i]);
		if (i < count)
			free(lines[i]);
		if (i < other_count)
			free(others[i]);
	}
	free(lines);
	free(others);
}

Test(sessions, turns_are_the_same_with_and_without_the_spans_that_the_cli_wrote)
{
	for (const char *const *name = capture_names(); *name; name++) {
		json_t *with = spans_of(*name, true, NULL);
		json_t *without = spans_of(*name, false, NULL);
		expect_same_essence(*name, with, without);
		json_decref(with);
		json_decref(without);
	}
}

/* ---- order, repetition, death ---- */

static void expect_same(
	const json_t *expected, const json_t *spans, const char *name, const char *how)
{
	struct said said;
	said_begin(&said);
	expect_none(&said, spans_compare(expected, spans, said.out), name, how);
}

static struct capture later(const char *name, uint64_t by_ns)
{
	struct capture capture = capture_open(name);
	for (size_t i = 0; i < capture.count; i++)
		capture.deliveries[i].time_ns += by_ns;
	return capture;
}

Test(sessions, what_comes_twice_goes_out_once_also_after_a_restart)
{
	for (const char *const *name = capture_names(); *name; name++) {
		json_t *once = spans_of(*name, true, NULL);
		struct capture capture = capture_open(*name);
		struct capture again = later(*name, UINT64_C(3600000000000));
		struct replay replay;
		replay_begin(&replay, NULL);
		replay_capture(&replay, &capture, true);
		replay_out(&replay);
		replay_restart(&replay);
		replay_capture(&replay, &again, true);
		replay_out(&replay);
		expect_same(once, replay.spans, *name, "sent twice");
		replay_end(&replay);
		capture_close(&capture);
		capture_close(&again);
		json_decref(once);
	}
}

/* splitmix64: a seed is enough to see an order again. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static int by_time(const void *a, const void *b)
{
	const struct delivery *x = a, *y = b;
	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/* Each comes up to join_wait_ms later than it came. */
static struct capture shuffled(const char *name, uint64_t seed, uint64_t join_wait_ms)
{
	struct capture capture = capture_open(name);
	uint64_t state = seed;
	for (size_t i = 0; i < capture.count; i++)
		capture.deliveries[i].time_ns +=
			next_random(&state) % (join_wait_ms * UINT64_C(1000000));
	qsort(capture.deliveries, capture.count, sizeof *capture.deliveries, by_time);
	return capture;
}

enum { ORDERS = EFFORT(200) };

Test(sessions, the_order_in_which_things_come_does_not_matter)
{
	size_t captures = 0;
	while (capture_names()[captures])
		captures++;
	for (size_t c = 0; c < captures; c++) {
		const char *name = capture_names()[c];
		json_t *in_order = spans_of(name, true, NULL);
		for (uint64_t seed = c; seed < ORDERS; seed += captures) {
			struct replay replay;
			char how[32];
			replay_begin(&replay, NULL);
			struct capture capture =
				shuffled(name, seed, replay.config->sessions.join_wait_ms);
			replay_capture(&replay, &capture, true);
			replay_out(&replay);
			snprintf(how, sizeof how, "seed %llu", (unsigned long long)seed);
			expect_same(in_order, replay.spans, name, how);
			replay_end(&replay);
			capture_close(&capture);
		}
		json_decref(in_order);
	}
}

static json_t *spans_after_death(const struct capture *capture, size_t death)
{
	struct replay replay;
	replay_begin(&replay, NULL);
	for (size_t i = 0; i < capture->count; i++) {
		if (capture->deliveries[i].signal != SIGNAL_METRICS)
			replay_take(&replay, &capture->deliveries[i], "default");
		if (i == death)
			replay_restart(&replay);
	}
	replay_out(&replay);
	json_t *spans = json_incref(replay.spans);
	replay_end(&replay);
	return spans;
}

Test(sessions, death_between_any_two_requests_loses_nothing_and_repeats_nothing)
{
	for (const char *const *name = capture_names(); *name; name++) {
		struct capture capture = capture_open(*name);
		json_t *undisturbed = spans_of(*name, true, NULL);
		for (size_t death = 0; death < capture.count; death++) {
			char how[48];
			if (capture.deliveries[death].signal == SIGNAL_METRICS)
				continue;
			json_t *spans = spans_after_death(&capture, death);
			snprintf(how, sizeof how, "killed after request %zu", death);
			expect_same(undisturbed, spans, *name, how);
			json_decref(spans);
		}
		json_decref(undisturbed);
		capture_close(&capture);
	}
}

/* The one after the other, beginning together. */
static void take_both(struct replay *replay, const struct capture *a, const struct capture *b)
{
	uint64_t shift = a->deliveries[0].time_ns - b->deliveries[0].time_ns;
	size_t i = 0, k = 0;
	while (i < a->count || k < b->count) {
		struct delivery next;
		if (k == b->count ||
			(i < a->count &&
				a->deliveries[i].time_ns <= b->deliveries[k].time_ns + shift)) {
			next = a->deliveries[i++];
		} else {
			next = b->deliveries[k++];
			next.time_ns += shift;
		}
		if (next.signal != SIGNAL_METRICS)
			replay_take(replay, &next, "default");
	}
}

Test(sessions, two_sessions_at_once_are_two_sessions)
{
	static const char *const pairs[][2] = {
		{ "claude/e1-subagents-fg", "claude/h5-interactive-background" },
		{ "claude/e4-subagents-logsonly-nohooks", "claude/g1-default-redacted" },
		{ "codex/e1-agents", "codex/h1-interactive" },
		{ "codex/b-tool", "codex/m1-codemode" },
		{ "gemini/e1-agents", "gemini/h1-interactive" },
		{ "gemini/f1-resume", "claude/f1-resume" },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct capture a = capture_open(pairs[i][0]), b = capture_open(pairs[i][1]);
		json_t *alone = spans_of(pairs[i][0], true, NULL);
		json_t *other = spans_of(pairs[i][1], true, NULL);
		struct replay replay;
		json_array_extend(alone, other);
		replay_begin(&replay, NULL);
		take_both(&replay, &a, &b);
		replay_out(&replay);
		expect_same(alone, replay.spans, pairs[i][0], pairs[i][1]);
		replay_end(&replay);
		json_decref(alone);
		json_decref(other);
		capture_close(&a);
		capture_close(&b);
	}
}

/* ---- size ---- */

static struct delivery logs_at(uint64_t time_ns, struct bytes body)
{
	return (struct delivery){
		.path = "/v1/logs", .signal = SIGNAL_LOGS, .time_ns = time_ns, .body = body
	};
}

static void take_turn(struct replay *replay, const struct claude_turn *turn)
{
	uint64_t end_ns = turn->at_ns + turn->calls * CLAUDE_CALL_MS * UINT64_C(1000000);
	struct delivery delivery = logs_at(end_ns, claude_turn_logs(turn));
	replay_take(replay, &delivery, "default");
	free((void *)delivery.body.at);
}

enum { SESSIONS = 1000, CALLS = EFFORT(5000), CALLS_IN_ONE = 25 };
static const uint64_t some_day_ns = UINT64_C(1795206128000000000);

static void take_turn_of(struct replay *replay, unsigned session, unsigned number)
{
	char id[40], prompt[40];
	snprintf(id, sizeof id, "72eca1bb-3d3d-439a-a4f9-%012x", session);
	snprintf(prompt, sizeof prompt, "%08x-c1bc-46ff-a223-%012x", number, session);
	take_turn(replay,
		&(struct claude_turn){
			.session = id,
			.prompt = prompt,
			.at_ns = some_day_ns + number * UINT64_C(20000000000),
			.first_call = number * 10,
			.calls = 2,
			.has_prompt = true,
		});
}

Test(sessions, a_thousand_are_open_at_once)
{
	struct replay replay;
	struct live_view view;
	replay_begin(&replay, NULL);
	replay.is_counting = true;
	for (unsigned session = 0; session < SESSIONS; session++)
		take_turn_of(&replay, session, 0);
	cr_assert_eq(synthesis_live(replay.synthesis, &view), 0);
	cr_expect_eq(view.open_sessions, SESSIONS);
	cr_expect_eq(view.open_turns, SESSIONS);
	fprintf(stderr, "%u open sessions of 2 calls: %llu bytes held of each\n", SESSIONS,
		(unsigned long long)view.held_bytes / SESSIONS);
	cr_expect_lt(view.held_bytes, (uint64_t)SESSIONS * 64 << 10);
	live_view_free(&view);
	for (unsigned session = 0; session < SESSIONS; session++)
		take_turn_of(&replay, session, 1);
	replay_out(&replay);
	cr_expect_eq(replay.span_count, 2 * SESSIONS * 4);
	cr_assert_eq(synthesis_live(replay.synthesis, &view), 0);
	cr_expect_eq(view.open_turns, 0);
	cr_expect_eq(view.held_bytes, 0);
	live_view_free(&view);
	replay_end(&replay);
}

Test(sessions, five_thousand_calls_of_one_turn_stay_within_memory)
{
	struct replay replay;
	struct live_view view;
	replay_begin(&replay, NULL);
	replay.is_counting = true;
	for (unsigned call = 0; call < CALLS; call += CALLS_IN_ONE)
		take_turn(&replay,
			&(struct claude_turn){
				.session = "72eca1bb-3d3d-439a-a4f9-949b04bbe1b4",
				.prompt = "1d0cc743-c1bc-46ff-a223-86bf008d77d7",
				.at_ns = some_day_ns +
					(uint64_t)call * CLAUDE_CALL_MS * UINT64_C(1000000),
				.first_call = call,
				.calls = CALLS_IN_ONE,
				.has_prompt = call == 0,
				.goes_on = call + CALLS_IN_ONE < CALLS,
			});
	cr_assert_eq(synthesis_live(replay.synthesis, &view), 0);
	fprintf(stderr, "%u calls of one turn: %llu events, %llu bytes held\n", CALLS,
		(unsigned long long)view.held_events, (unsigned long long)view.held_bytes);
	cr_expect_lt(view.held_bytes, replay.config->sessions.max_held_bytes);
	live_view_free(&view);
	replay_out(&replay);
	cr_expect_eq(replay.span_count, 1 + CALLS + CALLS - 1);
	replay_end(&replay);
}
