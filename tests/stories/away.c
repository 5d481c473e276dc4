/*
 * Langfuse is away while applications are at work: none of their calls fails, and afterwards every span, event and
 * score has arrived, once and in its caller's order. Applications are as SDKs: one call after the other, sent again
 * where the connection breaks.
 */
#include "stories/story.h"

#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/http_peer.h"

#define PROMPT "/api/public/v2/prompts/be%2Fkind"

enum {
	CALLERS = 4,
	MAX_ROUNDS = 1000,
	ROUND_EVENTS = 3, /* two of a batch and a score */
	PAUSE_US = 5000,
	PATIENCE_MS = 60000,
	SPANS_APART = 1000000, /* from one caller's numbers to the next one's */
};

struct caller {
	pthread_t thread;
	unsigned number;
	struct peer peer;
	struct payload payload;
	atomic_uint rounds; /* that are through */
	unsigned repeats;   /* calls sent again, since nothing came back */
	unsigned once_from; /* the first round that no crash can have brought twice */
	char failure[512];  /* the first; empty: none */
	unsigned times[MAX_ROUNDS * ROUND_EVENTS]; /* each event arrived */
};

static const struct fake_project project = { "story", STORY_PUBLIC_KEY, STORY_SECRET_KEY };

static struct story story;
static struct caller callers[CALLERS];
static atomic_int port;
static atomic_bool is_over;

static void begin(void)
{
	story_begin(&story);
	story.is_tempo_off = true;
	/* Whoever is asked in vain may have heard: only where nobody answers at all is that to be cut short. */
	story.further = "\"proxy\": { \"answer_timeout_ms\": 20000 },";
	story.front = fake_langfuse_start(
		&(struct fake_langfuse_options){ .projects = &project, .project_count = 1 });
	fake_langfuse_write_prompt(story.front, "story", "be/kind", "Be kind.");
}

static void end(void)
{
	story_end(&story);
}

TestSuite(away, .init = begin, .fini = end, .timeout = 300);

/* ---- an application ---- */

static struct peer_reply try_call(
	struct caller *caller, const char *head, struct bytes body, const char *type)
{
	if (caller->peer.fd < 0 && !peer_open(&caller->peer, (unsigned)atomic_load(&port)))
		return (struct peer_reply){ .status = -1 };
	peer_printf(&caller->peer,
		"%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
		head, type, body.len);
	peer_send(&caller->peer, body.at, body.len);
	struct peer_reply reply = peer_reply(&caller->peer);
	if (reply.status < 0)
		peer_close(&caller->peer);
	return reply;
}

/* One call of an SDK, which tries again what nobody answered. */
static void call(
	struct caller *caller, const char *head, struct bytes body, const char *type, int wanted)
{
	struct peer_reply reply = try_call(caller, head, body, type);
	while (reply.status < 0 && !atomic_load(&is_over)) {
		caller->repeats++;
		usleep(PAUSE_US);
		reply = try_call(caller, head, body, type);
	}
	if (reply.status != wanted && !caller->failure[0])
		snprintf(caller->failure, sizeof caller->failure, "round %u, %s: %d %.300s",
			atomic_load(&caller->rounds), head, reply.status, reply.body);
}

static void call_json(struct caller *caller, const char *head, int wanted, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void call_json(struct caller *caller, const char *head, int wanted, const char *format, ...)
{
	char body[1024];
	va_list list;
	va_start(list, format);
	vsnprintf(body, sizeof body, format, list);
	va_end(list);
	call(caller, head, bytes_of(body), "application/json", wanted);
}

static uint64_t first_span(const struct caller *caller, unsigned round)
{
	return (uint64_t)caller->number * SPANS_APART +
		(uint64_t)round * caller->payload.span_count;
}

/* Ids are the caller and which of its events it is: "2-37". */
static void work(struct caller *caller, unsigned round)
{
	unsigned of = caller->number, at = round * ROUND_EVENTS;
	payload_stamp(&caller->payload, caller->payload.request.at, first_span(caller, round));
	call(caller, "POST /api/public/otel/v1/traces", buf_bytes(&caller->payload.request),
		"application/x-protobuf", 200);
	call_json(caller, "POST /api/public/ingestion", 207,
		"{\"batch\":[{\"id\":\"%u-%u\",\"timestamp\":\"2026-08-22T12:00:00.000Z\","
		"\"type\":\"trace-create\",\"body\":{\"id\":\"t%u\"}},{\"id\":\"%u-%u\","
		"\"timestamp\":\"2026-08-22T12:00:00.000Z\",\"type\":\"span-create\",\"body\":{}}],"
		"\"metadata\":{}}",
		of, at, round, of, at + 1);
	call_json(caller, "POST /api/public/scores", 200,
		"{\"id\":\"%u-%u\",\"traceId\":\"t%u\",\"name\":\"quality\",\"value\":0.5}", of,
		at + 2, round);
	call(caller, "GET " PROMPT, (struct bytes){ 0 }, "application/json", 200);
}

static void *run_caller(void *arg)
{
	struct caller *caller = arg;
	while (!atomic_load(&is_over) && atomic_load(&caller->rounds) < MAX_ROUNDS) {
		work(caller, atomic_load(&caller->rounds));
		atomic_fetch_add(&caller->rounds, 1);
		usleep(PAUSE_US);
	}
	peer_close(&caller->peer);
	return NULL;
}

static void start_callers(void)
{
	atomic_store(&port, story.daemon.port);
	for (unsigned i = 0; i < CALLERS; i++) {
		callers[i].number = i;
		callers[i].peer.fd = -1;
		cr_assert_eq(payload_init(&callers[i].payload, PAYLOAD_TINY, i), 0);
		cr_assert_eq(pthread_create(&callers[i].thread, NULL, run_caller, &callers[i]), 0);
	}
}

/* Lets each of them do so many rounds more. */
static void let_work(unsigned rounds)
{
	unsigned until[CALLERS], waited_ms = 0;
	for (unsigned i = 0; i < CALLERS; i++)
		until[i] = atomic_load(&callers[i].rounds) + rounds;
	for (unsigned i = 0; i < CALLERS; i++)
		while (atomic_load(&callers[i].rounds) < until[i]) {
			cr_assert_lt(waited_ms, PATIENCE_MS, "caller %u does not get on", i);
			usleep(10000);
			waited_ms += 10;
		}
}

static void end_callers(void)
{
	atomic_store(&is_over, true);
	for (unsigned i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		payload_done(&callers[i].payload);
		cr_expect_str_empty(callers[i].failure, "caller %u: %s", i, callers[i].failure);
	}
}

/* ---- what arrived ---- */

static unsigned total_rounds(void)
{
	unsigned rounds = 0;
	for (unsigned i = 0; i < CALLERS; i++)
		rounds += atomic_load(&callers[i].rounds);
	return rounds;
}

static unsigned total_repeats(void)
{
	unsigned repeats = 0;
	for (unsigned i = 0; i < CALLERS; i++)
		repeats += callers[i].repeats;
	return repeats;
}

/* Notes an event or score, which is not to come before what its caller posted before. */
static void note(const char *id)
{
	static unsigned newest[CALLERS];
	unsigned of, at;
	if (!id || sscanf(id, "%u-%u", &of, &at) != 2 || of >= CALLERS ||
		at >= MAX_ROUNDS * ROUND_EVENTS)
		return;
	struct caller *caller = &callers[of];
	if (!caller->times[at]++) {
		cr_expect_geq(at, newest[of], "%s came after %u-%u", id, of, newest[of]);
		newest[of] = at;
	}
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void note_arrival(const struct fake_arrival *arrival)
{
	size_t i;
	json_t *event, *body = NULL;
	if (arrival->status / 100 == 2 && strcmp(arrival->method, "POST") == 0)
		body = json_loadb((const char *)arrival->body.at, arrival->body.len, 0, NULL);
	if (strcmp(arrival->target, "/api/public/scores") == 0)
		note(text_of(body, "id"));
	json_array_foreach(json_object_get(body, "batch"), i, event) {
		bool is_score = strcmp(text_of(event, "type"), "score-create") == 0;
		note(text_of(is_score ? json_object_get(event, "body") : event, "id"));
	}
	json_decref(body);
}

static void expect_times(
	const struct caller *caller, unsigned round, const char *what, unsigned n, size_t times)
{
	if (round < caller->once_from)
		cr_expect_geq(
			times, 1, "%s %u of caller %u never arrived", what, n, caller->number);
	else
		cr_expect_eq(times, 1, "%s %u of caller %u arrived %zu times", what, n,
			caller->number, times);
}

static void expect_spans(const struct caller *caller)
{
	unsigned in_round = caller->payload.span_count;
	for (unsigned i = 0; i < atomic_load(&caller->rounds) * in_round; i++) {
		uint8_t id[8];
		char hex[17];
		span_number_to_id(first_span(caller, 0) + i, id);
		for (unsigned b = 0; b < sizeof id; b++)
			snprintf(hex + 2 * (size_t)b, 3, "%02x", id[b]);
		expect_times(caller, i / in_round, "span", i,
			fake_langfuse_times(story.front, "story", FAKE_SPAN, hex));
	}
}

static void expect_events(const struct caller *caller)
{
	for (unsigned i = 0; i < atomic_load(&caller->rounds) * ROUND_EVENTS; i++)
		expect_times(caller, i / ROUND_EVENTS, "event", i, caller->times[i]);
}

static void expect_all(void)
{
	unsigned rounds = total_rounds();
	cr_assert(fake_langfuse_wait_count(story.front, "story", FAKE_SPAN,
		(size_t)rounds * callers[0].payload.span_count, PATIENCE_MS));
	cr_assert(fake_langfuse_wait_count(story.front, "story", FAKE_SCORE, rounds, PATIENCE_MS));
	cr_assert(fake_langfuse_wait_open(story.front, 0, PATIENCE_MS));
	for (size_t i = 0; i < fake_langfuse_arrival_count(story.front); i++)
		note_arrival(fake_langfuse_arrival(story.front, i));
	for (unsigned i = 0; i < CALLERS; i++) {
		expect_spans(&callers[i]);
		expect_events(&callers[i]);
	}
}

/* ---- the stories ---- */

static void live_through(const struct fake_trouble *trouble, unsigned rounds)
{
	story_start(&story, NULL);
	start_callers();
	let_work(10);
	fake_langfuse_trouble(story.front, trouble);
	let_work(rounds);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ 0 });
	let_work(10);
	end_callers();
	cr_expect_eq(total_repeats(), 0);
	expect_all();
	story_stop(&story);
}

Test(away, langfuse_hangs)
{
	story.further = "\"proxy\": { \"answer_timeout_ms\": 2000 },";
	live_through(&(struct fake_trouble){ .is_hanging = true }, 3);
}

Test(away, langfuse_limits_the_rate)
{
	live_through(&(struct fake_trouble){ .status = 429, .retry_after = "1" }, 12);
}

Test(away, langfuse_has_faults)
{
	live_through(&(struct fake_trouble){ .status = 500 }, 12);
}

Test(away, nobody_listens)
{
	story_start(&story, NULL);
	start_callers();
	for (int i = 0; i < 3; i++) {
		let_work(8);
		fake_langfuse_leave(story.front);
		let_work(8);
		fake_langfuse_return(story.front);
	}
	let_work(8);
	end_callers();
	cr_expect_eq(total_repeats(), 0);
	expect_all();
	story_stop(&story);
}

/*
 * What was posted before a crash may come twice: a call that was not answered then, and what Langfuse had taken in
 * the second before.
 */
static void crash(void)
{
	daemon_kill(&story.daemon);
	story_start(&story, NULL);
	for (unsigned i = 0; i < CALLERS; i++)
		callers[i].once_from = atomic_load(&callers[i].rounds) + 1;
	atomic_store(&port, story.daemon.port);
}

Test(away, the_gateway_crashes_meanwhile)
{
	story_start(&story, NULL);
	start_callers();
	let_work(8);
	fake_langfuse_leave(story.front);
	for (int i = 0; i < 3; i++) {
		let_work(8);
		crash();
	}
	let_work(8);
	fake_langfuse_return(story.front);
	let_work(8);
	crash();
	let_work(8);
	end_callers();
	cr_expect_geq(total_repeats(), 1);
	expect_all();
	story_stop(&story);
}
