/* Whatever happens, `tollgate verify` finds every span that was accepted. */
#include "stories/story.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPANS = 100 };

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(ledger, .init = begin, .fini = end, .timeout = 180);

static const struct fake_answer unavailable = { .status = 503 };

static struct fake_answer always(const struct fake_request *request, void *answer)
{
	return *(const struct fake_answer *)answer;
}

#define EXPECT_BOOKS(destination, ...) \
	expect_books(destination, (struct story_books){ __VA_ARGS__ })

static void expect_books(const char *destination, struct story_books wanted)
{
	struct story_books books = story_verify_sent(&story, destination, wanted.waiting);
	cr_expect_eq(books.accepted, wanted.accepted, "%s accepted %lld", destination,
		(long long)books.accepted);
	cr_expect_eq(books.delivered, wanted.delivered, "%s delivered %lld", destination,
		(long long)books.delivered);
	cr_expect_eq(books.rejected, wanted.rejected, "%s rejected %lld", destination,
		(long long)books.rejected);
	cr_expect_eq(books.dead, wanted.dead, "%s dead %lld", destination, (long long)books.dead);
	cr_expect_eq(books.dropped, wanted.dropped, "%s dropped %lld", destination,
		(long long)books.dropped);
	cr_expect_eq(books.damaged, 0);
	cr_expect_eq(books.waiting, wanted.waiting, "%s waiting %lld", destination,
		(long long)books.waiting);
}

Test(ledger, everything_is_delivered_and_it_is_said_for_a_person)
{
	char *said;
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	EXPECT_BOOKS("langfuse", .accepted = SPANS, .delivered = SPANS);
	EXPECT_BOOKS("tempo", .accepted = SPANS, .delivered = SPANS);
	EXPECT_BOOKS("local", .accepted = SPANS, .delivered = SPANS);
	cr_expect_eq(story_command(&story, &said, "verify", NULL), 0);
	cr_expect_str_eq(said,
		"langfuse: adds up\n"
		"  accepted             100\n"
		"  delivered            100\n"
		"  rejected               0\n"
		"  dead letters           0\n"
		"  dropped                0\n"
		"  damaged on disk        0\n"
		"  waiting                0\n"
		"\n"
		"local: adds up\n"
		"  accepted             100\n"
		"  delivered            100\n"
		"  rejected               0\n"
		"  dead letters           0\n"
		"  dropped                0\n"
		"  damaged on disk        0\n"
		"  waiting                0\n"
		"\n"
		"tempo: adds up\n"
		"  accepted             100\n"
		"  delivered            100\n"
		"  rejected               0\n"
		"  dead letters           0\n"
		"  dropped                0\n"
		"  damaged on disk        0\n"
		"  waiting                0\n");
	free(said);
	cr_expect_eq(story_command(&story, &said, "verify", "--since", "yore", NULL), 2);
	free(said);
	cr_expect_eq(story_command(&story, &said, "verify", "--since", "2h", NULL), 0);
	cr_expect(strstr(said, "  waiting then           0\n"), "%s", said);
	cr_expect(strstr(said, "  delivered            100\n"), "%s", said);
	free(said);
	story_stop(&story);
}

Test(ledger, a_destination_is_away_and_comes_back_after_restarts)
{
	fake_destination_rule(story.tempo, always, (void *)&unavailable);
	for (uint64_t round = 0; round < 3; round++) {
		story_start(&story, NULL);
		story_post_spans(&story, round * SPANS, SPANS);
		EXPECT_BOOKS("tempo", .accepted = (int64_t)(round + 1) * SPANS,
			.waiting = (int64_t)(round + 1) * SPANS);
		story_stop(&story);
	}
	fake_destination_rule(story.tempo, NULL, NULL);
	story_start(&story, NULL);
	EXPECT_BOOKS("tempo", .accepted = 3 * SPANS, .delivered = 3 * SPANS);
	EXPECT_BOOKS("langfuse", .accepted = 3 * SPANS, .delivered = 3 * SPANS);
}

/* Posts as fast as it is answered, whoever is there to answer, until it is told to end. */
static struct load {
	pthread_t thread;
	atomic_bool ends;
	_Atomic int port;
	uint64_t next, acknowledged; /* the thread's until it is joined */
} load;

static void *run_load(void *unused)
{
	struct payload payload;
	payload_init(&payload, PAYLOAD_TINY, 1);
	while (!load.ends) {
		struct story to = { .daemon.port = load.port };
		payload_stamp(&payload, payload.request.at, load.next);
		if (story_post(&to, buf_bytes(&payload.request)).status == 200)
			load.acknowledged += payload.span_count;
		else
			usleep(1000);
		load.next += payload.span_count;
	}
	payload_done(&payload);
	return NULL;
}

Test(ledger, it_is_killed_again_and_again_under_load)
{
	enum { ROUNDS = 8 };
	load = (struct load){ 0 };
	story_start(&story, NULL);
	load.port = story.daemon.port;
	pthread_create(&load.thread, NULL, run_load, NULL);
	for (unsigned round = 0; round < ROUNDS; round++) {
		fake_destination_rule(
			story.tempo, round % 3 == 1 ? always : NULL, (void *)&unavailable);
		usleep(200 * 1000 + round * 150 * 1000);
		story_verify(&story, "tempo"); /* adds up while it flows */
		daemon_kill(&story.daemon);
		story_start(&story, NULL);
		load.port = story.daemon.port;
		story_verify(&story, "tempo");
	}
	load.ends = true;
	pthread_join(load.thread, NULL);
	fake_destination_rule(story.tempo, NULL, NULL);

	struct story_books books = story_verify_sent(&story, "tempo", 0);
	cr_expect_eq(books.delivered, books.accepted, "%lld of %lld", (long long)books.delivered,
		(long long)books.accepted);
	cr_expect_gt(load.acknowledged, 0);
	cr_expect_geq(books.accepted, (int64_t)load.acknowledged);
	cr_expect_leq(books.accepted, (int64_t)load.next);
	story_stop(&story);
}

static struct fake_answer all_but_one(const struct fake_request *request, void *id)
{
	bool is_in = memmem(request->body.at, request->body.len, id, 8) != NULL;
	return (struct fake_answer){ .status = is_in ? 400 : 200 };
}

Test(ledger, a_dead_letter_is_booked_across_a_kill)
{
	uint8_t id[8];
	span_number_to_id(42, id);
	fake_destination_rule(story.tempo, all_but_one, id);
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	EXPECT_BOOKS("tempo", .accepted = SPANS, .delivered = SPANS - 1, .dead = 1);
	daemon_kill(&story.daemon);
	story_start(&story, NULL);
	EXPECT_BOOKS("tempo", .accepted = SPANS, .delivered = SPANS - 1, .dead = 1);
}

/* ExportTraceServiceResponse { partial_success { rejected_spans: 1 } } */
static struct fake_answer one_rejected(const struct fake_request *request, void *unused)
{
	return (struct fake_answer){ .status = 200, .body = BYTES("\x0a\x02\x08\x01") };
}

Test(ledger, partial_success_is_booked)
{
	fake_destination_rule(story.tempo, one_rejected, NULL);
	story_start(&story, NULL);
	story_post_spans(&story, 0, 5);
	EXPECT_BOOKS("tempo", .accepted = 5, .delivered = 4, .rejected = 1);
}

static struct fake_answer small_ones_only(const struct fake_request *request, void *unused)
{
	return (struct fake_answer){ .status = request->span_count > 3 ? 413 : 200 };
}

Test(ledger, what_is_split_is_booked_once)
{
	fake_destination_rule(story.tempo, small_ones_only, NULL);
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	EXPECT_BOOKS("tempo", .accepted = SPANS, .delivered = SPANS);
}

Test(ledger, what_is_given_up_over_its_share_is_booked)
{
	static const char *const small_log[] = { "TOLLGATE_SPOOL_MAX_BYTES=1MiB",
		"TOLLGATE_SPOOL_MAX_RECORD_BYTES=64KiB", "TOLLGATE_SPOOL_SEGMENT_BYTES=128KiB",
		"TOLLGATE_SPOOL_COMPRESSION=none", "TOLLGATE_SPOOL_SILENCE_TIMEOUT_MS=500", NULL };
	fake_destination_rule(story.tempo, always, (void *)&unavailable);
	story_start(&story, small_log);
	struct payload payload;
	cr_assert_eq(payload_init(&payload, PAYLOAD_TINY, 1), 0);
	int64_t accepted = 0;
	for (uint64_t next = 0; next < 1000; next += payload.span_count) {
		payload_stamp(&payload, payload.request.at, next);
		while (story_post(&story, buf_bytes(&payload.request)).status != 200)
			usleep(100 * 1000);
		accepted += payload.span_count;
	}
	payload_done(&payload);
	EXPECT_BOOKS("langfuse", .accepted = accepted, .delivered = accepted);
	fake_destination_rule(story.tempo, NULL, NULL);
	struct story_books books = story_verify(&story, "tempo");
	cr_expect_eq(books.accepted, accepted);
	cr_expect_gt(books.dropped, 0);
	EXPECT_BOOKS("tempo", .accepted = accepted, .delivered = accepted - books.dropped,
		.dropped = books.dropped);
}

Test(ledger, a_destination_that_is_taken_out_and_put_in_again)
{
	fake_destination_rule(story.tempo, always, (void *)&unavailable);
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	EXPECT_BOOKS("tempo", .accepted = SPANS, .waiting = SPANS);
	story_stop(&story);

	story.is_tempo_off = true;
	story_start(&story, NULL);
	story_post_spans(&story, SPANS, SPANS);
	EXPECT_BOOKS("langfuse", .accepted = 2 * SPANS, .delivered = 2 * SPANS);
	char *said;
	cr_expect_eq(story_command(&story, &said, "verify", NULL), 0);
	cr_expect(strstr(said, "tempo: not configured any more\n"), "%s", said);
	cr_expect(strstr(said, "  left behind          100\n"), "%s", said);
	free(said);
	story_stop(&story);

	/* In this short time nothing went, so it has missed nothing. */
	story.is_tempo_off = false;
	fake_destination_rule(story.tempo, NULL, NULL);
	story_start(&story, NULL);
	EXPECT_BOOKS("tempo", .accepted = 2 * SPANS, .delivered = 2 * SPANS);
}
