/* The lane of stored events: order above all, and each event's own end. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "config/config.h"
#include "export/ingestion.h"
#include "export/lane.h"
#include "support/fake_spool.h"

enum { MINUTE_MS = 60 * 1000, LARGEST = UINT32_MAX };

struct road {
	struct destination_config config;
	struct exporter_counts counts;
	struct spool *spool;
	struct lane *lane;
	struct buf answer;
};

static void wake(void *arg)
{
}

static void start(struct road *road)
{
	*road = (struct road){
		.config = { .name = "langfuse",
			.batch_size = 500,
			.batch_timeout_ms = 200,
			.max_request_bytes = 4 << 20,
			.in_flight = 4,
			.retry_initial_ms = 1000,
			.retry_max_ms = 30 * 1000 },
		.spool = fake_spool_new(),
	};
	const struct lane_options options = {
		.name = "default",
		.config = &road->config,
		.shapes = SHAPE_ANY | SHAPE_LANGFUSE,
		.signal = SIGNAL_INGESTION,
		.takes = { [SIGNAL_TRACES] = true, [SIGNAL_INGESTION] = true },
		.hold_initial_ms = 30 * 1000,
		.hold_max_ms = 5 * MINUTE_MS,
		.spool = road->spool,
		.deliveries = fake_spool_deliveries(road->spool),
		.counts = &road->counts,
		.wake = wake,
	};
	buf_init(&road->answer, 1 << 20, NULL);
	cr_assert(lane_new(&options, &road->lane) == 0);
}

static void finish(struct road *road)
{
	lane_free(road->lane);
	cr_expect(fake_spool_records_out(road->spool) == 0, "a record was not given back");
	cr_expect(fake_spool_faults(road->spool) == 0);
	fake_spool_free(road->spool);
	buf_done(&road->answer);
}

static void add(struct road *road, unsigned records, uint32_t events)
{
	while (records--)
		fake_spool_add(road->spool,
			(struct fake_record){ .spans = events, .signal = SIGNAL_INGESTION });
}

/* The number that an event says. */
static unsigned long number(const struct job *job, uint32_t n)
{
	struct bytes event = job->pieces[2 * (size_t)n + 1];
	const char *value = memmem(event.at, event.len, "\"value\":", 8);
	return strtoul(value + 8, NULL, 10);
}

/* The next request must have these events, end to end. */
static struct job *take(struct road *road, uint64_t now_ms, unsigned long from, unsigned long to)
{
	struct job *job = lane_take(road->lane, now_ms);
	cr_assert(job, "nothing to send at %llu", (unsigned long long)now_ms);
	cr_assert(job->span_count == to - from, "%u events, not %lu", job->span_count, to - from);
	for (uint32_t i = 0; i < job->span_count; i++)
		cr_assert(
			number(job, i) == from + i, "event %lu, not %lu", number(job, i), from + i);
	cr_expect_null(lane_take(road->lane, now_ms), "one at a time");
	return job;
}

static void answer(struct road *road, struct job *job, int status, uint64_t now_ms)
{
	struct reply reply = { .outcome = status ? HTTP_ANSWERED : HTTP_FAILED, .status = status };
	lane_settle(road->lane, job, &reply, now_ms, LARGEST);
}

static void answer_text(struct road *road, struct job *job, struct bytes text, uint64_t now_ms)
{
	struct reply reply = { .outcome = HTTP_ANSWERED, .status = 207, .body = text };
	lane_settle(road->lane, job, &reply, now_ms, LARGEST);
}

/* A status for each event; 0: nothing is said of it. */
static void answer_each(struct road *road, struct job *job, const int *statuses, uint64_t now_ms)
{
	struct buf *text = &road->answer;
	text->len = 0;
	buf_text(text, "{\"successes\":[{\"id\":\"nobody\",\"status\":201}");
	for (uint32_t i = 0; i < job->span_count; i++)
		if (statuses[i] == 201)
			buf_printf(text, ",{\"id\":\"event-%lu\",\"status\":201}", number(job, i));
	buf_text(text, "],\"errors\":[{\"id\":\"nobody\",\"status\":400}");
	for (uint32_t i = 0; i < job->span_count; i++)
		if (statuses[i] != 201 && statuses[i])
			buf_printf(text, ",{\"id\":\"event-%lu\",\"status\":%d,\"message\":\"no\"}",
				number(job, i), statuses[i]);
	buf_text(text, "]}");
	answer_text(road, job, buf_bytes(text), now_ms);
}

static void answer_all(struct road *road, struct job *job, int status, uint64_t now_ms)
{
	int statuses[INGESTION_MAX_EVENTS];
	for (uint32_t i = 0; i < job->span_count; i++)
		statuses[i] = status;
	if (job->span_count == 1)
		answer_text(road, job,
			bytes_of(status == 201 ? "{\"successes\":[{\"id\":\"x\",\"status\":201}]}" :
						 "{\"errors\":[{\"id\":\"x\",\"status\":500}]}"),
			now_ms);
	else
		answer_each(road, job, statuses, now_ms);
}

static uint64_t delivered(struct road *road)
{
	return fake_spool_count(road->spool, OUTCOME_DELIVERED);
}

static uint64_t dead(struct road *road)
{
	return fake_spool_count(road->spool, OUTCOME_DEAD);
}

Test(lane_events, nothing_overtakes_what_fails)
{
	struct road road;
	start(&road);
	add(&road, 1, 60);
	uint64_t now = 0;
	for (int i = 0; i < 20; i++) {
		answer(&road, take(&road, now, 1, 61), i % 3 ? 503 : 0, now);
		add(&road, 1, 60);
		cr_expect_null(lane_take(road.lane, now));
		cr_expect(lane_finished_below(road.lane) == 1);
		now = lane_next_ms(road.lane);
		cr_assert(now < UINT64_MAX);
	}
	cr_expect(fake_spool_records_out(road.spool) == 0, "what waits holds no memory");
	for (unsigned long n = 0; n < 21; n++)
		answer_all(&road, take(&road, now, 60 * n + 1, 60 * n + 61), 201, now);
	cr_expect_null(lane_take(road.lane, now));
	cr_expect(delivered(&road) == 21 * 60 && fake_spool_cursor(road.spool) == 22);
	finish(&road);
}

Test(lane_events, requests_are_joined_and_cut_to_a_hundred_events)
{
	struct road road;
	start(&road);
	add(&road, 3, 30);
	add(&road, 1, 250);
	add(&road, 2, 50);
	answer_all(&road, take(&road, 0, 1, 91), 201, 0);
	answer_all(&road, take(&road, 0, 91, 191), 201, 0);
	answer_all(&road, take(&road, 0, 191, 291), 201, 0);
	answer_all(&road, take(&road, 0, 291, 341), 201, 0);
	answer_all(&road, take(&road, 0, 341, 441), 201, 0);
	cr_expect_null(lane_take(road.lane, 0));
	cr_expect(delivered(&road) == 440);
	finish(&road);
}

Test(lane_events, requests_are_bounded_in_bytes)
{
	struct road road;
	start(&road);
	for (int i = 0; i < 6; i++)
		fake_spool_add(road.spool,
			(struct fake_record){ .spans = 1,
				.padding_bytes = 1000 * 1000,
				.signal = SIGNAL_INGESTION });
	answer_all(&road, take(&road, 0, 1, 4), 201, 0);
	answer_all(&road, take(&road, 0, 4, 7), 201, 0);
	finish(&road);
}

Test(lane_events, compressed_records_are_sent_as_they_were_said)
{
	struct road road;
	start(&road);
	for (int i = 0; i < 2; i++)
		fake_spool_add(road.spool,
			(struct fake_record){ .spans = 130,
				.encoding = ENCODING_GZIP,
				.signal = SIGNAL_INGESTION });
	for (unsigned long from = 1; from < 261; from += from % 130 == 1 ? 100 : 30)
		answer_all(&road, take(&road, 0, from, from % 130 == 1 ? from + 100 : from + 30),
			201, 0);
	cr_expect(delivered(&road) == 260);
	finish(&road);
}

Test(lane_events, each_event_of_a_207_meets_its_own_end)
{
	static const int statuses[] = { 201, 400, 500, 500, 201, 404, 429 };
	struct road road;
	int status;
	start(&road);
	add(&road, 1, 3);
	add(&road, 2, 2);
	struct job *job = take(&road, 0, 1, 8);
	add(&road, 1, 1);
	answer_each(&road, job, statuses, 0);
	cr_expect(delivered(&road) == 2 && dead(&road) == 2);
	struct bytes letter = fake_spool_dead_letter(road.spool, &status);
	cr_expect(status == 404);
	cr_expect(bytes_start_with(letter, "{\"id\":\"event-6\""), "%.*s", (int)letter.len,
		(const char *)letter.at);
	cr_expect(lane_finished_below(road.lane) == 1, "its third event is open");
	cr_expect_null(lane_take(road.lane, 0), "500 and the like wait");
	uint64_t now = lane_next_ms(road.lane);
	answer_all(&road, take(&road, now, 3, 4), 201, now);
	cr_expect(lane_finished_below(road.lane) == 2);
	answer_all(&road, take(&road, now, 4, 5), 201, now);
	answer_all(&road, take(&road, now, 7, 8), 201, now);
	answer_all(&road, take(&road, now, 8, 9), 201, now);
	cr_expect_null(lane_take(road.lane, now));
	cr_expect(delivered(&road) == 6 && fake_spool_cursor(road.spool) == 5);
	finish(&road);
}

Test(lane_events, an_event_that_is_in_a_request_twice_has_one_answer)
{
	struct road road;
	start(&road);
	for (int i = 0; i < 2; i++)
		fake_spool_add(road.spool,
			(struct fake_record){
				.spans = 2, .said = "same", .signal = SIGNAL_INGESTION });
	answer_text(&road, take(&road, 0, 1, 5),
		bytes_of("{\"successes\":[{\"id\":\"same\",\"status\":201}],"
			 "\"errors\":[{\"id\":\"same\",\"status\":400}]}"),
		0);
	cr_expect(delivered(&road) == 4 && dead(&road) == 0);
	finish(&road);
}

Test(lane_events, what_is_not_said_is_asked_again_at_once_and_in_its_place)
{
	struct road road;
	start(&road);
	add(&road, 2, 5);
	answer_each(&road, take(&road, 0, 1, 11),
		(int[]){ 201, 201, 201, 201, 201, 201, 0, 0, 201, 0 }, 0);
	answer_each(&road, take(&road, 0, 7, 9), (int[]){ 0, 0 }, 0);
	answer_text(&road, take(&road, 0, 7, 8), bytes_of("{\"successes\":[],\"errors\":[]}"), 0);
	answer_text(&road, take(&road, 0, 8, 9), bytes_of("{\"successes\":[],\"errors\":[]}"), 0);
	answer_all(&road, take(&road, 0, 10, 11), 201, 0);
	cr_expect(delivered(&road) == 10);
	finish(&road);
}

Test(lane_events, a_207_that_cannot_be_read_is_asked_again_in_parts)
{
	struct road road;
	start(&road);
	add(&road, 1, 4);
	answer_text(&road, take(&road, 0, 1, 5), bytes_of("{\"succ"), 0);
	answer_text(&road, take(&road, 0, 1, 3),
		bytes_of(
			"{\"successes\":[],\"errors\":[{\"id\":\"event-1\",\"status\":400,\"message\":\""),
		0);
	cr_expect(dead(&road) == 1, "what was read counts");
	answer_text(&road, take(&road, 0, 2, 3), (struct bytes){ 0 }, 0);
	cr_expect_null(lane_take(road.lane, 0), "of one alone it is the network");
	uint64_t now = lane_next_ms(road.lane);
	answer_all(&road, take(&road, now, 2, 3), 201, now);
	answer_all(&road, take(&road, now, 3, 5), 201, now);
	cr_expect(delivered(&road) == 3);
	finish(&road);
}

Test(lane_events, an_event_whose_answer_is_longer_than_any_does_not_block_the_way)
{
	struct road road;
	start(&road);
	add(&road, 2, 1);
	buf_text(&road.answer, "{\"successes\":[],\"errors\":[{\"message\":\"");
	while (road.answer.len < HTTP_ANSWER_MAX_BYTES)
		buf_text(&road.answer, "x");
	const struct bytes endless = buf_bytes(&road.answer);
	answer_text(&road, take(&road, 0, 1, 3), endless, 0);
	answer_text(&road, take(&road, 0, 1, 2), endless, 0);
	cr_expect(dead(&road) == 1);
	answer_all(&road, take(&road, 0, 2, 3), 201, 0);
	finish(&road);
}

Test(lane_events, an_answer_that_is_not_langfuses_holds_the_lane)
{
	struct road road;
	start(&road);
	add(&road, 1, 3);
	answer_text(&road, take(&road, 1, 1, 4), bytes_of("<html>welcome</html>"), 1);
	cr_expect(lane_held_since_ms(road.lane) == 1);
	cr_expect_str_eq(lane_trouble(road.lane).why, "the answer is not Langfuse's");
	cr_expect_null(lane_take(road.lane, 30000));
	answer_all(&road, take(&road, 30001, 1, 4), 201, 30001);
	cr_expect(lane_held_since_ms(road.lane) == 0);
	finish(&road);
}

Test(lane_events, a_key_without_access_holds_the_lane_with_everything_in_it)
{
	struct road road;
	start(&road);
	add(&road, 1, 3);
	answer(&road, take(&road, 1, 1, 4), 401, 1);
	cr_expect(lane_held_since_ms(road.lane) == 1);
	lane_rekey(road.lane);
	/* The key may score, and not trace. */
	answer_each(&road, take(&road, 2, 1, 4), (int[]){ 201, 401, 201 }, 2);
	cr_expect(delivered(&road) == 2 && lane_held_since_ms(road.lane) == 2);
	cr_expect(lane_trouble(road.lane).status == 401);
	cr_expect_null(lane_take(road.lane, 30001));
	lane_rekey(road.lane);
	answer_all(&road, take(&road, 30001, 2, 3), 201, 30001);
	cr_expect(lane_held_since_ms(road.lane) == 0 && delivered(&road) == 3);
	finish(&road);
}

/* Refuses with the status what has the third event in it. Returns the requests that it took. */
static unsigned run_refusing_third(struct road *road, int status)
{
	unsigned requests = 0;
	for (struct job *job; requests < 100 && (job = lane_take(road->lane, 0)); requests++) {
		bool is_poison = number(job, 0) <= 3 && 3 <= number(job, job->span_count - 1);
		if (is_poison)
			answer(road, job, status, 0);
		else
			answer_all(road, job, 201, 0);
	}
	return requests;
}

Test(lane_events, a_request_that_is_refused_is_split_down_to_the_event_at_fault)
{
	static const int statuses[] = { 400, 413 };
	for (int i = 0; i < 2; i++) {
		struct road road;
		int status;
		start(&road);
		add(&road, 2, 8);
		unsigned requests = run_refusing_third(&road, statuses[i]);
		cr_expect(requests < 12, "%u", requests);
		cr_expect(delivered(&road) == 15 && dead(&road) == 1);
		struct bytes letter = fake_spool_dead_letter(road.spool, &status);
		cr_expect(status == statuses[i] && bytes_start_with(letter, "{\"id\":\"event-3\""));
		cr_expect(letter.at[letter.len - 1] == '\n');
		finish(&road);
	}
}

Test(lane_events, an_event_that_alone_fails_is_given_up_at_last)
{
	struct road road;
	uint64_t now = 0;
	start(&road);
	add(&road, 1, 3);
	answer_each(&road, take(&road, now, 1, 4), (int[]){ 201, 500, 201 }, now);
	for (unsigned tries = 0; dead(&road) == 0; tries++) {
		struct job *job = lane_take(road.lane, now);
		if (job) {
			cr_assert(number(job, 0) == 2 && job->span_count == 1);
			cr_expect(now < 11 * MINUTE_MS);
			answer_all(&road, job, 500, now);
			cr_expect(dead(&road) == 0 || now >= 10 * MINUTE_MS, "too early");
		}
		now += 1000;
		cr_assert(tries < 3600);
	}
	add(&road, 1, 1);
	answer_all(&road, take(&road, now + MINUTE_MS, 4, 5), 201, now + MINUTE_MS);
	finish(&road);
}

Test(lane_events, an_outage_in_which_each_event_fails_gives_nothing_up)
{
	struct road road;
	uint64_t now = 0;
	start(&road);
	add(&road, 1, 3);
	for (int i = 0; i < 200; i++, now += MINUTE_MS)
		answer_all(&road, take(&road, now, 1, 4), 500, now);
	cr_expect(dead(&road) == 0);
	answer_all(&road, take(&road, now, 1, 4), 201, now);
	finish(&road);
}

Test(lane_events, a_dead_letter_that_cannot_be_kept_is_not_given_up)
{
	struct road road;
	start(&road);
	add(&road, 1, 3);
	fake_spool_refuse_dead_letters(road.spool, -28);
	answer_each(&road, take(&road, 0, 1, 4), (int[]){ 201, 400, 201 }, 0);
	cr_expect(delivered(&road) == 2 && dead(&road) == 0);
	cr_expect_null(lane_take(road.lane, 0));
	uint64_t now = lane_next_ms(road.lane);
	fake_spool_refuse_dead_letters(road.spool, 0);
	answer(&road, take(&road, now, 2, 3), 400, now);
	cr_expect(dead(&road) == 1);
	finish(&road);
}

Test(lane_events, what_is_kept_too_long_for_the_disk_becomes_dead_letters)
{
	struct road road;
	start(&road);
	add(&road, 4, 10);
	struct job *flying = take(&road, 0, 1, 41);
	fake_spool_set_share(road.spool, 3, 1000);
	lane_enforce_share(road.lane, 100, 100);
	cr_expect(dead(&road) == 0, "what is on its way is waited for");
	cr_expect(lane_finished_below(road.lane) == 1);
	answer(&road, flying, 503, 0);
	lane_enforce_share(road.lane, 100, 2);
	cr_expect(dead(&road) == 10, "no more than another destination has");
	lane_enforce_share(road.lane, 100, 100);
	cr_expect(dead(&road) == 20 && fake_spool_dead_letters(road.spool) == 2);
	cr_expect(lane_finished_below(road.lane) == 3);
	int status;
	struct bytes letter = fake_spool_dead_letter(road.spool, &status);
	cr_expect(status == 0 && bytes_start_with(letter, "{\"id\":\"event-11\""));
	cr_expect(fake_spool_count(road.spool, OUTCOME_DROPPED) == 0);
	uint64_t now = 5 * MINUTE_MS;
	answer_all(&road, take(&road, now, 21, 31), 201, now);
	finish(&road);
}

Test(lane_events, how_far_it_is_through_is_known_at_once)
{
	struct road road;
	start(&road);
	cr_expect(lane_finished_below(road.lane) == 0, "nothing was read");
	cr_expect_null(lane_take(road.lane, 0));
	cr_expect(lane_finished_below(road.lane) == 1);
	fake_spool_add(road.spool, (struct fake_record){ .spans = 2 });
	cr_expect_null(lane_take(road.lane, 0));
	cr_expect(lane_finished_below(road.lane) == 2, "spans are not its own");
	add(&road, 2, 1);
	struct job *job = take(&road, 0, 3, 5);
	cr_expect(lane_finished_below(road.lane) == 2);
	add(&road, 1, 1);
	answer_all(&road, job, 201, 0);
	cr_expect(lane_finished_below(road.lane) == 4);
	answer_all(&road, take(&road, 0, 5, 6), 201, 0);
	cr_expect(lane_finished_below(road.lane) == 5);
	add(&road, 1, 150);
	answer_all(&road, take(&road, 0, 6, 106), 201, 0);
	cr_expect(lane_finished_below(road.lane) == 5, "a third of it is left");
	answer_all(&road, take(&road, 0, 106, 156), 201, 0);
	cr_expect(lane_finished_below(road.lane) == 6);
	finish(&road);
}
