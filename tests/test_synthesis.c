#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/counters.h"
#include "base/names.h"
#include "dialects/dialect.h"
#include "otlp/json.h"
#include "otlp/request.h"
#include "support/capture.h"
#include "support/fixture.h"
#include "support/scratch.h"
#include "synthesize/synthesis.h"

enum { MAX_DEPTH = 100, SPANS_MAX = 60000, RECORDS_MAX = 400 };
#define SECOND_NS UINT64_C(1000000000)
#define START_NS (UINT64_C(1790000000) * SECOND_NS)

/* A span that was given. */
struct given {
	char id[49]; /* trace and span, in hex */
	char parent[17];
	char name[96];
	char lane[16];
	uint64_t at_ns; /* when it was given */
};

/* A synthesis with what is around it: a clock, an inbox, and somebody who takes. */
static char directory[SCRATCH_PATH_MAX];
static struct config config;
static struct memory *memory;
static struct synthesis *synthesis;
static uint64_t now_ns;
static struct given *given;
static size_t given_count;
static struct buf travelled; /* logs */
static size_t travelled_count;
static int refusal; /* what the sink says instead of taking */

static struct inbox_record {
	struct bytes body;
	enum signal signal;
	const char *lane;
	uint64_t received_ns;
} inbox[RECORDS_MAX];
static size_t inbox_count;

/* ---- who takes ---- */

static void print_hex(char *to, struct bytes bytes)
{
	*to = '\0';
	for (size_t i = 0; i < bytes.len; i++)
		snprintf(to + 2 * i, 3, "%02x", bytes.at[i]);
}

static void note_span(struct bytes span)
{
	enum { TRACE_ID = 1, SPAN_ID = 2, PARENT_ID = 4, NAME = 5 };
	cr_assert_lt(given_count, SPANS_MAX);
	struct given *to = &given[given_count++];
	struct bytes name = wire_member(span, NAME);
	print_hex(to->id, wire_member(span, TRACE_ID));
	print_hex(to->id + 32, wire_member(span, SPAN_ID));
	print_hex(to->parent, wire_member(span, PARENT_ID));
	snprintf(to->name, sizeof to->name, "%.*s", (int)name.len, (const char *)name.at);
	to->at_ns = now_ns;
}

static void note_spans(struct bytes message, unsigned depth)
{
	static const uint32_t path[] = { 1, 2, 2 };
	struct wire wire = wire_of(message);
	struct field field;
	if (depth == 3) {
		note_span(message);
		return;
	}
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, path[depth], WIRE_BYTES))
			note_spans(field.body, depth + 1);
}

static int take_spans(void *arg, const char *lane, struct bytes request, uint32_t span_count)
{
	size_t before = given_count;
	if (refusal)
		return refusal;
	note_spans(request, 0);
	cr_assert_eq(given_count - before, span_count);
	for (size_t i = before; i < given_count; i++)
		snprintf(given[i].lane, sizeof given[i].lane, "%s", lane);
	return 0;
}

static int take_logs(void *arg, const char *lane, struct bytes request, uint32_t record_count)
{
	if (refusal)
		return refusal;
	buf_append(&travelled, request.at, request.len);
	travelled_count += record_count;
	return 0;
}

static const struct synthesis_sink sink = { take_spans, take_logs, NULL };

/* ---- the world ---- */

static void open_all(void)
{
	const struct memory_options options = {
		.directory = directory, .max_age_days = 30, .max_spans = 100000
	};
	cr_assert_eq(memory_open(&options, &memory), 0);
	cr_assert_eq(synthesis_new(&config, memory, true, NULL, &synthesis), 0);
}

static void close_all(void)
{
	synthesis_free(synthesis);
	memory_close(memory);
}

static void set_up(void)
{
	config = fixture_config();
	config.sessions.enabled = true;
	config.sessions.join_wait_ms = 10000;
	config.sessions.turn_idle_ms = 15000;
	config.sessions.session_idle_ms = 600000;
	config.sessions.max_open_turns = 10000;
	config.sessions.max_held_bytes = 256 << 20;
	config.sessions.preview_chars = 60;
	config.sessions.readable_names = true;
	given = calloc(SPANS_MAX, sizeof *given);
	buf_init(&travelled, SIZE_MAX / 2, NULL);
	now_ns = START_NS;
	cr_assert_eq(scratch_make(directory), 0);
	open_all();
}

static void tear_down(void)
{
	close_all();
	for (size_t i = 0; i < inbox_count; i++)
		free((void *)inbox[i].body.at);
	free(given);
	buf_done(&travelled);
	scratch_remove(directory);
}

TestSuite(synthesis, .init = set_up, .fini = tear_down, .timeout = 300);

static void take_record(size_t i)
{
	const struct stored_request request = { inbox[i].body, inbox[i].signal, inbox[i].lane,
		i + 1, inbox[i].received_ns };
	cr_assert_eq(synthesis_take(synthesis, &request), 0);
}

/* Into the inbox, and read from it. */
static void receive(struct bytes body, enum signal signal, const char *lane)
{
	cr_assert_lt(inbox_count, RECORDS_MAX);
	inbox[inbox_count] = (struct inbox_record){ body, signal, lane, now_ns };
	take_record(inbox_count++);
}

static int advance(void)
{
	return synthesis_advance(synthesis, now_ns, &sink);
}

/* The time goes by; whatever is due is given when it is. */
static void wait_until(uint64_t until_ns)
{
	for (uint64_t due_ns; (due_ns = synthesis_due(synthesis)) <= until_ns;) {
		now_ns = due_ns > now_ns ? due_ns : now_ns;
		uint64_t before_ns = due_ns;
		cr_assert_eq(advance(), 0);
		cr_assert(synthesis_due(synthesis) > before_ns, "due, and nothing was done");
	}
	if (until_ns > now_ns)
		now_ns = until_ns;
	cr_assert_eq(advance(), 0);
}

static void wait_s(double seconds)
{
	wait_until(now_ns + (uint64_t)(seconds * 1e9));
}

static void keep_position(void)
{
	uint64_t needed_from = synthesis_needed_from(synthesis);
	uint64_t end = inbox_count + 1;
	memory_set_position(memory,
		(struct memory_position){
			needed_from < end ? needed_from : end, 1, synthesis_travelled(synthesis) });
	cr_assert_eq(memory_commit(memory), 0);
}

/* Another process reads from where the last commit says that it must. */
static void start_again(void)
{
	close_all();
	open_all();
	uint64_t from = memory_position(memory).inbox;
	for (size_t i = from ? from - 1 : 0; i < inbox_count; i++)
		take_record(i);
}

/* ---- what Claude Code might say ---- */

static FILE *saying;
static char *said;
static size_t said_len;

static void begin(void)
{
	saying = open_memstream(&said, &said_len);
	fputs("{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
	      "{\"stringValue\":\"claude-code\"}}]},\"scopeLogs\":[{\"scope\":{\"name\":"
	      "\"com.anthropic.claude_code.events\"},\"logRecords\":[",
		saying);
}

/* One record, `ago_ms` before now; attributes in pairs, ended by NULL. */
static void record(unsigned ago_ms, const char *name, ...)
{
	va_list pairs;
	uint64_t time_ns = now_ns - ago_ms * UINT64_C(1000000);
	fprintf(saying,
		"{\"timeUnixNano\":\"%llu\",\"attributes\":[{\"key\":\"event.name\",\"value\":"
		"{\"stringValue\":\"%s\"}}",
		(unsigned long long)time_ns, name);
	va_start(pairs, name);
	for (const char *key; (key = va_arg(pairs, const char *));)
		fprintf(saying, ",{\"key\":\"%s\",\"value\":{\"stringValue\":\"%s\"}}", key,
			va_arg(pairs, const char *));
	va_end(pairs);
	fputs("]},", saying);
}

static struct bytes protobuf_of(const char *json)
{
	struct buf out;
	struct complaint complaint = { 0 };
	buf_init(&out, SIZE_MAX / 2, NULL);
	cr_assert_eq(json_to_request(bytes_of(json), SIGNAL_LOGS, MAX_DEPTH, &out, &complaint), 0,
		"%s", complaint.text);
	return buf_bytes(&out);
}

static void send_to(const char *lane)
{
	fflush(saying);
	fseek(saying, -1, SEEK_CUR); /* the comma */
	fputs("]}]}]}", saying);
	fclose(saying);
	struct bytes body = protobuf_of(said);
	free(said);
	receive(body, SIGNAL_LOGS, lane);
}

static void prompt(const char *session, const char *turn, const char *text)
{
	record(0, "user_prompt", "session.id", session, "prompt.id", turn, "prompt", text, NULL);
}

static void call(const char *session, const char *turn, const char *key)
{
	record(0, "api_request", "session.id", session, "prompt.id", turn, "request_id", key,
		"model", "claude-x", "duration_ms", "100", "input_tokens", "10", "output_tokens",
		"5", "query_source", "sdk", NULL);
	record(0, "assistant_response", "session.id", session, "prompt.id", turn, "request_id", key,
		"response", "Done.", "query_source", "sdk", NULL);
}

static void say_turn(const char *session, const char *turn, const char *key)
{
	begin();
	prompt(session, turn, "Do it");
	call(session, turn, key);
	send_to("default");
}

static void hook(const char *payload)
{
	struct arena arena;
	arena_init(&arena, 1 << 20, NULL);
	struct bytes logs = hook_as_logs(
		dialect_named(bytes_of("claude-code")), bytes_of(payload), now_ns, &arena);
	uint8_t *copy = malloc(logs.len);
	memcpy(copy, logs.at, logs.len);
	arena_done(&arena);
	receive((struct bytes){ copy, logs.len }, SIGNAL_LOGS, "default");
}

/* ---- asking ---- */

static size_t count_of(const char *start)
{
	size_t count = 0;
	for (size_t i = 0; i < given_count; i++)
		count += strncmp(given[i].name, start, strlen(start)) == 0;
	return count;
}

static const struct given *the(const char *start)
{
	cr_assert_eq(count_of(start), 1, "%zu of %s", count_of(start), start);
	for (size_t i = 0; i < given_count; i++)
		if (strncmp(given[i].name, start, strlen(start)) == 0)
			return &given[i];
	return NULL;
}

static void assert_after(const struct given *span, double seconds)
{
	double after = (double)(span->at_ns - START_NS) / 1e9;
	cr_assert(after >= seconds && after < seconds + 0.5, "%s after %f s", span->name, after);
}

/* ---- when ---- */

Test(synthesis, a_call_goes_when_its_partners_could_have_come_and_a_turn_when_it_is_silent)
{
	say_turn("one", "t1", "r1");
	wait_s(60);
	cr_assert_eq(given_count, 2);
	/* The source is new: what it sends is not known, and is waited for in full. */
	assert_after(the("LLM Call"), 15);
	assert_after(the("Turn #1: Do it"), 15);
	cr_assert_eq(counter_read(COUNTER_TURNS_ENDED), 1);
}

Test(synthesis, a_source_that_is_known_to_send_logs_alone_is_not_waited_for_longer)
{
	say_turn("old", "t0", "r0");
	wait_s(100);
	given_count = 0;
	say_turn("one", "t1", "r1");
	wait_s(60);
	assert_after(the("LLM Call"), 110);
	assert_after(the("Turn #1"), 115);
}

Test(synthesis, a_turn_with_hooks_is_over_when_they_say_so)
{
	hook("{\"hook_event_name\":\"UserPromptSubmit\",\"session_id\":\"one\",\"prompt_id\":\"t1\","
	     "\"cwd\":\"/home/me/project\",\"prompt\":\"Do it\"}");
	say_turn("one", "t1", "r1");
	wait_s(100);
	cr_assert_eq(count_of("Turn"), 0);
	hook("{\"hook_event_name\":\"Stop\",\"session_id\":\"one\",\"prompt_id\":\"t1\","
	     "\"cwd\":\"/home/me/project\",\"last_assistant_message\":\"Done.\"}");
	wait_s(60);
	assert_after(the("Turn #1"), 115);
}

Test(synthesis, the_next_prompt_ends_a_turn)
{
	config.sessions.turn_end = TURN_END_HOOKS;
	say_turn("one", "t1", "r1");
	wait_s(100);
	cr_assert_eq(count_of("Turn"), 0);
	say_turn("one", "t2", "r2");
	wait_s(60);
	assert_after(the("Turn #1"), 115);
	cr_assert_eq(count_of("Turn #2"), 0);
	wait_s(700);
	assert_after(the("Turn #2"), 700);
}

Test(synthesis, a_tool_that_has_not_ended_goes_with_its_turn)
{
	begin();
	prompt("one", "t1", "Do it");
	call("one", "t1", "r1");
	record(0, "tool_decision", "session.id", "one", "prompt.id", "t1", "request_id", "r1",
		"tool_use_id", "u1", "tool_name", "Bash", "decision", "accept", "source", "config",
		NULL);
	send_to("default");
	wait_s(500);
	cr_assert_eq(given_count, 1);
	wait_s(200);
	cr_assert_eq(given_count, 3);
	assert_after(the("Execute command"), 600);
}

/* ---- once ---- */

Test(synthesis, what_came_twice_is_one)
{
	say_turn("one", "t1", "r1");
	wait_s(1);
	take_record(0);
	cr_assert_eq(counter_read(COUNTER_EVENTS_REPEATED), 3);
	cr_assert_eq(counter_read(COUNTER_EVENTS_TAKEN), 3);
	wait_s(60);
	cr_assert_eq(given_count, 2);
}

Test(synthesis, what_comes_again_when_the_turn_is_over_is_not_given_again)
{
	say_turn("one", "t1", "r1");
	wait_s(100);
	take_record(0);
	now_ns += SECOND_NS;
	struct stored_request again = { inbox[0].body, SIGNAL_LOGS, "default", 2, now_ns };
	cr_assert_eq(synthesis_take(synthesis, &again), 0);
	wait_s(100);
	cr_assert_eq(given_count, 2);
}

Test(synthesis, what_is_late_is_given_and_the_turn_is_not_given_again)
{
	say_turn("one", "t1", "r1");
	wait_s(100);
	begin();
	call("one", "t1", "r2");
	send_to("default");
	wait_s(100);
	cr_assert_eq(given_count, 3);
	cr_assert_str_eq(given[2].parent, the("Turn #1")->id + 32);
	cr_assert_eq(counter_read(COUNTER_EVENTS_LATE), 1);
}

Test(synthesis, a_start_goes_on_where_the_last_one_was)
{
	say_turn("one", "t1", "r1");
	wait_s(12);
	keep_position();
	start_again();
	wait_s(60);
	cr_assert_eq(given_count, 2);
	keep_position();
	start_again();
	say_turn("one", "t2", "r2");
	wait_s(60);
	cr_assert_eq(given_count, 4);
	the("Turn #2");
}

Test(synthesis, what_was_not_committed_is_given_again_under_the_same_ids)
{
	say_turn("one", "t1", "r1");
	wait_s(60);
	start_again();
	wait_s(60);
	cr_assert_eq(given_count, 4);
	for (size_t i = 0; i < 2; i++)
		cr_assert(strcmp(given[i].id, given[2].id) == 0 ||
			strcmp(given[i].id, given[3].id) == 0);
}

Test(synthesis, what_nobody_takes_is_offered_until_somebody_does)
{
	say_turn("one", "t1", "r1");
	refusal = -ENOSPC;
	for (int i = 0; i < 100; i++) {
		now_ns += SECOND_NS;
		int error = advance();
		cr_assert_eq(error, now_ns < START_NS + 10 * SECOND_NS ? 0 : -ENOSPC,
			"%d after %d s", error, i + 1);
	}
	cr_assert_eq(synthesis_needed_from(synthesis), 1);
	refusal = 0;
	wait_s(1);
	cr_assert_eq(given_count, 2);
	wait_s(60);
	cr_assert_eq(synthesis_needed_from(synthesis), UINT64_MAX);
	cr_assert_eq(given_count, 2);
}

Test(synthesis, the_inbox_is_needed_from_the_first_open_turn_on)
{
	say_turn("one", "t1", "r1");
	wait_s(10);
	say_turn("two", "t2", "r2");
	cr_assert_eq(synthesis_needed_from(synthesis), 1);
	wait_s(10);
	cr_assert_eq(synthesis_needed_from(synthesis), 2);
	wait_s(10);
	cr_assert_eq(synthesis_needed_from(synthesis), UINT64_MAX);
}

/* ---- whose ---- */

Test(synthesis, two_lanes_have_sessions_of_their_own)
{
	for (int i = 0; i < 2; i++) {
		begin();
		prompt("one", "t1", "Do it");
		send_to(i ? "other" : "default");
	}
	struct live_view view;
	wait_s(2);
	cr_assert_eq(synthesis_live(synthesis, &view), 0);
	cr_assert_eq(view.count, 2);
	live_view_free(&view);
}

/* A session that a CLI tells two projects of: the ids are the same, and neither takes the other's for its own. */
Test(synthesis, each_lane_is_given_the_spans_of_its_session)
{
	for (int i = 0; i < 2; i++) {
		begin();
		prompt("one", "t1", "Do it");
		send_to(i ? "other" : "default");
	}
	wait_s(700);
	cr_assert_eq(given_count, 2, "%zu", given_count);
	cr_expect_str_eq(given[0].id, given[1].id);
	cr_expect_str_neq(given[0].lane, given[1].lane);
}

Test(synthesis, without_a_session_a_turn_stands_for_itself)
{
	begin();
	record(0, "user_prompt", "prompt.id", "t1", "prompt", "One", NULL);
	record(0, "user_prompt", "prompt.id", "t2", "prompt", "Two", NULL);
	send_to("default");
	wait_s(700);
	cr_assert_eq(count_of("Turn #1"), 2);
	cr_assert_eq(counter_read(COUNTER_EVENTS_SESSIONLESS), 2);
}

/* ---- bounds ---- */

Test(synthesis, of_too_many_turns_the_one_that_was_silent_longest_ends)
{
	config.sessions.max_open_turns = 2;
	config.sessions.turn_end = TURN_END_HOOKS;
	say_turn("one", "t1", "r1");
	wait_s(2);
	say_turn("two", "t2", "r2");
	wait_s(2);
	say_turn("three", "t3", "r3");
	wait_s(2);
	cr_assert_eq(given_count, 2);
	assert_after(the("Turn #1"), 4);
	cr_assert_eq(counter_read(COUNTER_EVENTS_CROWDED_OUT), 3);
	wait_s(700);
	cr_assert_eq(given_count, 6);
}

Test(synthesis, of_too_many_bytes_too)
{
	static char text[300 << 10];
	config.sessions.max_held_bytes = 1 << 20;
	memset(text, 'x', sizeof text - 1);
	for (int i = 0; i < 10; i++) {
		char session[16];
		snprintf(session, sizeof session, "s%d", i);
		begin();
		prompt(session, "t", text);
		send_to("default");
		wait_s(2);
		struct live_view figures = synthesis_figures(synthesis);
		cr_assert_leq(figures.held_bytes, config.sessions.max_held_bytes);
	}
	wait_s(700);
	cr_assert_eq(count_of("Turn #1"), 10);
}

Test(synthesis, of_too_many_sessions_that_rest_the_newest_goes)
{
	config.sessions.max_open_turns = 10;
	for (int i = 0; i < 30; i++) {
		char session[16];
		snprintf(session, sizeof session, "s%d", i);
		say_turn(session, "t", "r");
		wait_s(60);
		cr_assert_leq(synthesis_figures(synthesis).open_sessions, 10);
	}
	cr_assert_eq(count_of("Turn #1"), 30);
}

Test(synthesis, a_thousand_sessions_are_open_at_once)
{
	char session[32], turn[32], key[32];
	for (int i = 0; i < 1000; i++) {
		if (i % 50 == 0)
			begin();
		snprintf(session, sizeof session, "session-%d", i);
		snprintf(turn, sizeof turn, "turn-%d", i);
		snprintf(key, sizeof key, "call-%d", i);
		prompt(session, turn, "Do it");
		call(session, turn, key);
		if (i % 50 == 49) {
			send_to("default");
			wait_s(0.2);
		}
	}
	wait_s(2);
	struct live_view view;
	cr_assert_eq(synthesis_live(synthesis, &view), 0);
	cr_assert_eq(view.count, 1000);
	cr_assert_eq(view.open_turns, 1000);
	live_view_free(&view);
	wait_s(60);
	cr_assert_eq(count_of("Turn #1"), 1000);
	cr_assert_eq(count_of("LLM Call"), 1000);
	struct live_view figures = synthesis_figures(synthesis);
	cr_assert_eq(figures.open_turns, 0);
	cr_assert_eq(figures.held_events, 0);
	wait_s(7200);
	figures = synthesis_figures(synthesis);
	cr_assert_eq(figures.open_sessions, 0);
}

/* ---- what is seen ---- */

static struct live_session live_one(void)
{
	struct live_view view;
	cr_assert_eq(synthesis_live(synthesis, &view), 0);
	cr_assert_eq(view.count, 1);
	struct live_session session = view.at[0];
	live_view_free(&view);
	return session;
}

Test(synthesis, people_see_what_a_session_does)
{
	hook("{\"hook_event_name\":\"SessionStart\",\"session_id\":\"one\",\"source\":\"startup\","
	     "\"cwd\":\"/home/me/project\"}");
	say_turn("one", "t1", "r1");
	wait_s(2);
	struct live_session live = live_one();
	cr_assert_eq(live.state, LIVE_WORKING);
	cr_assert_str_eq(live.turn_name, "Turn #1: Do it");
	cr_assert_str_eq(live.cli, "claude-code");
	cr_assert_eq(live.calls, 1);
	cr_assert_eq(live.tokens, 15);
	hook("{\"hook_event_name\":\"Notification\",\"session_id\":\"one\",\"cwd\":\"/home/me/project\","
	     "\"notification_type\":\"permission_prompt\",\"message\":\"Claude needs your permission to use Bash\"}");
	cr_assert_eq(live_one().state, LIVE_WAITING_PERMISSION);
	cr_assert_str_eq(live_one().project, "project");
	wait_s(1);
	begin();
	record(0, "tool_decision", "session.id", "one", "prompt.id", "t1", "request_id", "r1",
		"tool_use_id", "u1", "tool_name", "Bash", "decision", "accept", "source", "config",
		NULL);
	send_to("default");
	cr_assert_eq(live_one().state, LIVE_WORKING);
	wait_s(1);
	hook("{\"hook_event_name\":\"Stop\",\"session_id\":\"one\",\"prompt_id\":\"t1\","
	     "\"last_assistant_message\":\"Done.\"}");
	begin();
	record(500, "api_request", "session.id", "one", "prompt.id", "t1", "request_id", "r2",
		NULL);
	send_to("default");
	cr_assert_eq(live_one().state, LIVE_WAITING_USER);
	wait_s(700);
	cr_assert_eq(live_one().state, LIVE_UNKNOWN);
	hook("{\"hook_event_name\":\"SessionEnd\",\"session_id\":\"one\",\"reason\":\"exit\"}");
	cr_assert_eq(live_one().state, LIVE_FINISHED);
}

/* ---- what was captured ---- */

/* As it would lie in the inbox: what the dialects own, hooks as logs. */
static void receive_delivery(const struct capture *capture, const struct delivery *delivery)
{
	struct arena arena;
	struct bytes theirs = { 0 }, others;
	arena_init(&arena, 64 << 20, NULL);
	if (delivery->is_hook)
		theirs = hook_as_logs(
			dialect_named(bytes_of(capture->cli)), delivery->body, now_ns, &arena);
	else
		cr_assert_eq(dialects_split(delivery->body, true, &arena, &theirs, &others), 0);
	if (theirs.len) {
		uint8_t *copy = malloc(theirs.len);
		memcpy(copy, theirs.at, theirs.len);
		receive((struct bytes){ copy, theirs.len }, delivery->signal, "default");
	}
	arena_done(&arena);
}

static bool is_of_interest(const struct delivery *delivery)
{
	return delivery->signal == SIGNAL_TRACES || delivery->signal == SIGNAL_LOGS;
}

/* In the order of `order`, or as it came, each at the time when the one in its place came. */
static void replay(const char *name, const size_t *order, void (*between)(void))
{
	struct capture capture = capture_open(name);
	uint64_t zero_ns = capture.deliveries[0].time_ns;
	uint64_t begin_ns = now_ns > zero_ns ? now_ns : zero_ns;
	for (size_t i = 0; i < capture.count; i++) {
		const struct delivery *delivery = &capture.deliveries[order ? order[i] : i];
		if (!is_of_interest(delivery))
			continue;
		wait_until(begin_ns + capture.deliveries[i].time_ns - zero_ns);
		receive_delivery(&capture, delivery);
		if (between)
			between();
	}
	capture_close(&capture);
	wait_s(1400);
}

static int compare_given(const void *a, const void *b)
{
	const struct given *left = a, *right = b;
	int order = strcmp(left->id, right->id);
	order = order ? order : strcmp(left->parent, right->parent);
	return order ? order : strcmp(left->name, right->name);
}

struct expected {
	struct given *at;
	size_t count;
};

static struct expected take_given(void)
{

	struct expected expected = { malloc((given_count + 1) * sizeof *given), given_count };
	memcpy(expected.at, given, given_count * sizeof *given);
	qsort(expected.at, expected.count, sizeof *given, compare_given);
	given_count = 0;
	return expected;
}

static void assert_given(const struct expected *expected, const char *what)
{
	qsort(given, given_count, sizeof *given, compare_given);
	for (size_t i = 0; i < expected->count || i < given_count; i++) {
		cr_assert_lt(i, given_count, "%s: %s is missing", what, expected->at[i].name);
		cr_assert_lt(i, expected->count, "%s: %s is too many", what, given[i].name);
		cr_assert_eq(compare_given(&expected->at[i], &given[i]), 0, "%s: %s %s, not %s %s",
			what, given[i].id, given[i].name, expected->at[i].id, expected->at[i].name);
	}
}

/* Another world, as new. */
static void forget_all(void)
{
	tear_down();
	inbox_count = given_count = travelled_count = 0;
	set_up();
}

static void assert_none_twice(const char *what)
{
	for (size_t i = 1; i < given_count; i++)
		cr_assert_str_neq(
			given[i - 1].id, given[i].id, "%s: %s twice", what, given[i].name);
}

static void commit_and_start_again(void)
{
	keep_position();
	start_again();
}

Test(synthesis, every_capture_gives_its_spans_once_and_again_nothing)
{
	for (const char *const *name = capture_names(); *name; name++) {
		replay(*name, NULL, NULL);
		struct expected expected = take_given();
		cr_assert_gt(expected.count, 0, "%s: nothing", *name);
		cr_assert_eq(synthesis_figures(synthesis).held_events, 0, "%s", *name);
		replay(*name, NULL, NULL);

		cr_assert_eq(given_count, 0, "%s: %s again", *name, given[0].name);
		free(expected.at);
		forget_all();
	}
}

Test(synthesis, a_restart_between_any_two_requests_changes_nothing)
{
	for (const char *const *name = capture_names(); *name; name++) {
		replay(*name, NULL, NULL);
		struct expected expected = take_given();
		forget_all();
		replay(*name, NULL, commit_and_start_again);
		assert_given(&expected, *name);
		assert_none_twice(*name);
		free(expected.at);
		forget_all();
	}
}

/* Nothing was committed: all comes again, and is the same. */
Test(synthesis, a_crash_between_any_two_requests_gives_the_same_spans)
{
	for (const char *const *name = capture_names(); *name; name++) {
		replay(*name, NULL, NULL);
		struct expected expected = take_given();
		forget_all();
		replay(*name, NULL, start_again);
		qsort(given, given_count, sizeof *given, compare_given);
		size_t kept = 0;
		for (size_t i = 0; i < given_count; i++)
			if (!kept || compare_given(&given[kept - 1], &given[i]) != 0)
				given[kept++] = given[i];
		given_count = kept;
		assert_given(&expected, *name);
		free(expected.at);
		forget_all();
	}
}

/* ---- what travels on, and what a CLI writes of its insides ---- */

struct records {
	struct bytes at[4000];
	size_t count;
};

static void add_records(struct records *records, struct bytes message, unsigned depth)
{
	static const uint32_t path[] = { 1, 2, 2 };
	struct wire wire = wire_of(message);
	struct field field;
	while (wire_next(&wire, &field) > 0) {
		if (!field_is(&field, path[depth], WIRE_BYTES))
			continue;
		if (depth < 2)
			add_records(records, field.body, depth + 1);
		else
			records->at[records->count++] = field.body;
	}
}

static bool is_given(struct bytes trace_id, struct bytes span_id)
{
	char id[49];
	print_hex(id, trace_id);
	print_hex(id + 32, span_id);
	for (size_t i = 0; i < given_count; i++)
		if (strcmp(given[i].id, id) == 0)
			return true;
	return false;
}

Test(synthesis, logs_travel_as_they_came_but_for_what_is_added)
{
	static struct records sent, arrived;
	enum { LOG_ATTRIBUTES = 6, LOG_TRACE_ID = 9, LOG_SPAN_ID = 10 };
	size_t with_session = 0, with_span = 0;
	replay("codex/g1-default-logsonly", NULL, NULL);
	for (size_t i = 0; i < inbox_count; i++) {
		struct bytes scope = wire_member(
			wire_member(wire_member(wire_member(inbox[i].body, 1), 2), 1), 1);
		if (!bytes_are(scope, HOOK_SCOPE))
			add_records(&sent, inbox[i].body, 0);
	}
	add_records(&arrived, buf_bytes(&travelled), 0);
	cr_assert_gt(sent.count, 10);
	cr_assert_eq(arrived.count, sent.count);
	cr_assert_eq(travelled_count, sent.count);
	for (size_t i = 0; i < sent.count; i++) {
		struct bytes before = sent.at[i], after = arrived.at[i];
		cr_assert_geq(after.len, before.len);
		cr_assert_arr_eq(after.at, before.at, before.len);
		struct bytes added = { after.at + before.len, after.len - before.len };
		struct bytes session = wire_member(added, LOG_ATTRIBUTES);
		struct bytes trace_id = wire_member(added, LOG_TRACE_ID);
		with_session += bytes_are(wire_member(session, 1), "session.id");
		with_span += trace_id.len && is_given(trace_id, wire_member(added, LOG_SPAN_ID));
		cr_assert(!trace_id.len || is_given(trace_id, wire_member(added, LOG_SPAN_ID)));
	}
	cr_assert_gt(with_session, sent.count / 2);
	cr_assert_gt(with_span, 2);
}

Test(synthesis, logs_that_travelled_do_not_travel_again_after_a_start)
{
	say_turn("one", "t1", "r1");
	wait_s(12);
	cr_assert_eq(travelled_count, 3);
	keep_position();
	start_again();
	wait_s(60);
	cr_assert_eq(travelled_count, 3);
	cr_assert_eq(given_count, 2);
}

static void replay_spans_alone(const char *name)
{
	struct capture capture = capture_open(name);
	for (size_t i = 0; i < capture.count; i++)
		if (capture.deliveries[i].signal == SIGNAL_TRACES)
			receive_delivery(&capture, &capture.deliveries[i]);
	capture_close(&capture);
	wait_s(700);
}

Test(synthesis, the_insides_of_a_cli_are_dropped_where_its_logs_come)
{
	static struct names names;
	replay("codex/b-tool", NULL, NULL);
	cr_assert_gt(counter_read(COUNTER_NATIVE_DROPPED), 100);
	cr_assert_eq(counter_read(COUNTER_NATIVE_KEPT), 0);
	names_read(NAMES_DROPPED_SPANS, &names);
	cr_assert_gt(names.count, 10);
	cr_assert_lt(given_count, 10);
}

Test(synthesis, the_insides_of_a_cli_are_all_there_is_without_logs)
{
	replay_spans_alone("codex/b-tool");
	cr_assert_eq(counter_read(COUNTER_NATIVE_DROPPED), 0);
	cr_assert_gt(given_count, 100);
	cr_assert_eq(counter_read(COUNTER_NATIVE_KEPT), given_count);
	size_t once = given_count;
	replay_spans_alone("codex/b-tool");
	cr_assert_eq(given_count, once);
}

Test(synthesis, the_insides_of_a_cli_are_dropped_or_kept_where_that_is_set)
{
	config.sessions.native_spans = NATIVE_SPANS_DROP;
	replay_spans_alone("codex/b-tool");
	cr_assert_eq(given_count, 0);
	forget_all();
	config.sessions.native_spans = NATIVE_SPANS_KEEP;
	replay("codex/b-tool", NULL, NULL);
	cr_assert_gt(given_count, 100);
	cr_assert_eq(count_of("LLM Call"), 0);
}

Test(synthesis, the_logs_of_a_call_whose_own_span_went_long_ago_make_no_other)
{
	struct capture capture = capture_open("claude/b-tool");
	now_ns = capture.deliveries[0].time_ns;
	for (int round = 0; round < 2; round++, wait_s(700))
		for (size_t i = 0; i < capture.count; i++)
			if (!capture.deliveries[i].is_hook &&
				capture.deliveries[i].signal ==
					(round ? SIGNAL_LOGS : SIGNAL_TRACES))
				receive_delivery(&capture, &capture.deliveries[i]);
	capture_close(&capture);
	cr_assert_eq(count_of("LLM Call"), 2);
	cr_assert_eq(count_of("Execute command"), 1);
	cr_assert_eq(count_of("Turn"), 1);
}
