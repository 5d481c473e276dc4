/* Pace, hold and splitting of one lane, with the clock, chance and replies in the test's hand. */
#include "export/lane.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "config/config.h"
#include "support/fake_spool.h"

enum { MINUTE_MS = 60 * 1000, LARGEST = UINT32_MAX };

struct road {
	struct destination_config config;
	struct exporter_counts counts;
	struct spool *spool;
	struct lane *lane;
};

static void wake(void *arg)
{
}

static void open_lane(struct road *road)
{
	struct lane_options options = {
		.name = "default",
		.config = &road->config,
		.shapes = SHAPE_ANY | SHAPE_PLAIN,
		.signal = SIGNAL_TRACES,
		.takes = { [SIGNAL_TRACES] = true },
		.hold_initial_ms = 30 * 1000,
		.hold_max_ms = 5 * MINUTE_MS,
		.spool = road->spool,
		.deliveries = fake_spool_deliveries(road->spool),
		.counts = &road->counts,
		.wake = wake,
	};
	cr_assert(lane_new(&options, &road->lane) == 0);
}

/* One record is one request, unless a test says otherwise. */
static void start(struct road *road)
{
	*road = (struct road){
		.config = { .name = "tempo",
			.batch_size = 1,
			.max_request_bytes = 4 << 20,
			.in_flight = 4,
			.retry_initial_ms = 1000,
			.retry_max_ms = 30 * 1000 },
		.spool = fake_spool_new(),
	};
	open_lane(road);
}

static void add(struct road *road, unsigned records, uint32_t spans)
{
	while (records--)
		fake_spool_add(road->spool, (struct fake_record){ .spans = spans });
}

static void finish(struct road *road)
{
	lane_free(road->lane);
	cr_expect(fake_spool_records_out(road->spool) == 0, "a record was not given back");
	cr_expect(fake_spool_faults(road->spool) == 0);
	fake_spool_free(road->spool);
}

static uint64_t sequence(const struct job *job)
{
	return job->slices[0].sequence;
}

/* The next request must be of this record. */
static struct job *take(struct road *road, uint64_t now_ms, uint64_t record)
{
	struct job *job = lane_take(road->lane, now_ms);
	cr_assert(job, "nothing to send at %llu", (unsigned long long)now_ms);
	cr_assert(sequence(job) == record, "record %llu, not %llu",
		(unsigned long long)sequence(job), (unsigned long long)record);
	return job;
}

static void answer(struct road *road, struct job *job, int status, uint64_t now_ms)
{
	struct reply reply = { .outcome = status ? HTTP_ANSWERED : HTTP_FAILED, .status = status };
	lane_settle(road->lane, job, &reply, now_ms, LARGEST);
}

/* Not earlier than `at`, but then. */
static void expect_silence_until(struct road *road, uint64_t now_ms, uint64_t at_ms)
{
	cr_expect_null(lane_take(road->lane, now_ms));
	cr_expect(lane_next_ms(road->lane) == at_ms, "next %llu",
		(unsigned long long)lane_next_ms(road->lane));
	cr_expect_null(lane_take(road->lane, at_ms - 1));
}

static uint64_t chance(uint64_t ceiling)
{
	return 1 + LARGEST % ceiling;
}

Test(lane, backs_off_further_with_every_failure_and_begins_again_after_a_delivery)
{
	struct road road;
	start(&road);
	add(&road, 2, 1);
	uint64_t now = 1000;
	answer(&road, take(&road, now, 1), 503, now);
	expect_silence_until(&road, now, now + chance(1000));
	now += chance(1000);
	answer(&road, take(&road, now, 1), 0, now);
	expect_silence_until(&road, now, now + chance(2000));
	now += chance(2000);
	struct job *scout = take(&road, now, 2);
	answer(&road, scout, 200, now);
	answer(&road, take(&road, now, 1), 503, now);
	expect_silence_until(&road, now, now + chance(1000));
	cr_expect(fake_spool_cursor(road.spool) == 1);
	finish(&road);
}

Test(lane, requests_that_fail_together_are_one_step_back)
{
	struct road road;
	start(&road);
	add(&road, 4, 1);
	struct job *jobs[4];
	for (int i = 0; i < 4; i++)
		jobs[i] = take(&road, 10, (uint64_t)i + 1);
	cr_expect_null(lane_take(road.lane, 10), "no more than in_flight at once");
	for (int i = 0; i < 4; i++)
		answer(&road, jobs[i], 500, 20);
	expect_silence_until(&road, 20, 20 + chance(1000));
	take(&road, 5000, 1);
	cr_expect_null(lane_take(road.lane, 5000), "one request probes");
	finish(&road);
}

Test(lane, retry_after_is_a_minimum_for_the_whole_lane)
{
	struct road road;
	start(&road);
	add(&road, 3, 1);
	struct job *first = take(&road, 0, 1), *second = take(&road, 0, 2);
	struct reply slow_down = { .status = 429, .retry_after_ms = 60000 };
	lane_settle(road.lane, first, &slow_down, 100, 0);
	answer(&road, second, 200, 200);
	expect_silence_until(&road, 200, 60100);
	take(&road, 60100, 1);
	finish(&road);
}

Test(lane, gives_no_batch_up_for_the_length_of_an_outage)
{
	struct road road;
	start(&road);
	add(&road, 3, 1);
	uint64_t now = 0;
	for (int i = 0; i < 3000; i++, now += MINUTE_MS) {
		struct job *job = lane_take(road.lane, now);
		cr_assert(job);
		answer(&road, job, i % 2 ? 503 : 0, now);
	}
	cr_expect(fake_spool_records_out(road.spool) == 0, "what waits holds no memory");
	for (uint64_t record = 1; record <= 3; record++) {
		struct job *job = lane_take(road.lane, now);
		answer(&road, job, 200, now);
	}
	cr_expect(fake_spool_count(road.spool, OUTCOME_DELIVERED) == 3);
	cr_expect(fake_spool_cursor(road.spool) == 4);
	finish(&road);
}

Test(lane, a_batch_that_never_passes_does_not_stand_in_the_way)
{
	struct road road;
	start(&road);
	add(&road, 20, 2);
	unsigned delivered = 0, refused = 0;
	for (uint64_t now = 0; now < 5 * MINUTE_MS; now += 100)
		for (struct job *job; (job = lane_take(road.lane, now));) {
			bool is_poison = sequence(job) == 1;
			delivered += !is_poison;
			refused += is_poison;
			answer(&road, job, is_poison ? 429 : 200, now);
		}
	cr_expect(delivered == 19);
	cr_expect(refused > 2);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DEAD) == 0, "too early to give it up");
	finish(&road);
}

Test(lane, nor_do_several_when_nothing_new_comes)
{
	struct road road;
	start(&road);
	add(&road, 5, 1);
	uint64_t now = 0;
	for (; now < 10 * MINUTE_MS; now += 1000)
		for (struct job *job; (job = lane_take(road.lane, now));)
			answer(&road, job, 503, now);
	unsigned delivered = 0;
	for (; now < 20 * MINUTE_MS; now += 1000)
		for (struct job *job; (job = lane_take(road.lane, now));) {
			bool is_poison = sequence(job) <= 3;
			delivered += !is_poison;
			answer(&road, job, is_poison ? 429 : 200, now);
		}
	cr_expect(delivered == 2, "%u", delivered);
	finish(&road);
}

Test(lane, what_fails_for_ten_minutes_while_later_ones_pass_is_split)
{
	struct road road;
	start(&road);
	uint64_t now = 0, poison_span = 2;
	unsigned cuts = 0;
	add(&road, 1, 4);
	for (; now < 40 * MINUTE_MS && fake_spool_count(road.spool, OUTCOME_DEAD) == 0;
		now += 10000) {
		add(&road, 1, 1);
		for (struct job *job; (job = lane_take(road.lane, now));) {
			const struct slice *slice = &job->slices[0];
			bool is_poison = slice->sequence == 1 && slice->from <= poison_span &&
				poison_span < slice->to;
			cuts += slice->sequence == 1 && slice->to - slice->from < 4;
			cr_assert(!(cuts && now < 10 * MINUTE_MS), "split too early, at %llu",
				(unsigned long long)now);
			answer(&road, job, is_poison ? 429 : 200, now);
		}
	}
	cr_expect(fake_spool_count(road.spool, OUTCOME_DEAD) == 1, "only the span at fault");
	cr_expect(fake_spool_count(road.spool, OUTCOME_DELIVERED) >= 3);
	finish(&road);
}

Test(lane, a_hold_tries_slowly_and_ever_slower)
{
	struct road road;
	start(&road);
	add(&road, 9, 1);
	uint64_t now = 1, wait = 30000;
	for (int i = 0; i < 9; i++) {
		struct job *job = lane_take(road.lane, now);
		cr_assert(job);
		answer(&road, job, 401, now);
		expect_silence_until(&road, now, now + wait);
		cr_expect(lane_held_since_ms(road.lane) == 1);
		now += wait;
		wait = wait * 2 < 300000 ? wait * 2 : 300000;
	}
	struct job *job = lane_take(road.lane, now);
	answer(&road, job, 200, now);
	cr_expect(lane_held_since_ms(road.lane) == 0);
	unsigned more = 0;
	while ((job = lane_take(road.lane, now))) {
		answer(&road, job, 200, now);
		more++;
	}
	cr_expect(more == 8, "everything was kept");
	add(&road, 1, 1);
	answer(&road, take(&road, now, 10), 401, now);
	expect_silence_until(&road, now, now + 30000);
	finish(&road);
}

Test(lane, answers_that_were_under_way_do_not_lengthen_a_hold)
{
	struct road road;
	start(&road);
	add(&road, 4, 1);
	struct job *jobs[4];
	for (int i = 0; i < 4; i++)
		jobs[i] = take(&road, 0, (uint64_t)i + 1);
	for (int i = 0; i < 4; i++)
		answer(&road, jobs[i], 403, 10);
	expect_silence_until(&road, 10, 30010);
	finish(&road);
}

/* Answers by span: refuses whatever holds one that is poison. Returns the requests it took. */
static unsigned run_refusing(
	struct road *road, bool (*is_poison)(uint64_t record, uint32_t span), int status)
{
	unsigned requests = 0;
	for (struct job *job; requests < 10000 && (job = lane_take(road->lane, 0)); requests++) {
		bool is_refused = false;
		for (size_t i = 0; i < job->slice_count; i++)
			for (uint32_t span = job->slices[i].from; span < job->slices[i].to; span++)
				is_refused |= is_poison(job->slices[i].sequence, span);
		answer(road, job, is_refused ? status : 200, 0);
	}
	return requests;
}

static bool third_of_second(uint64_t record, uint32_t span)
{
	return record == 2 && span == 3;
}

Test(lane, other_keys_are_tried_at_once_and_refusals_of_the_old_ones_do_not_count)
{
	struct road road;
	start(&road);
	add(&road, 3, 1);
	struct job *first = take(&road, 1000, 1), *second = take(&road, 1000, 2),
		   *third = take(&road, 1000, 3);
	answer(&road, first, 401, 1000);
	lane_rekey(road.lane);
	answer(&road, second, 401, 2000);
	answer(&road, third, 403, 2000);
	struct job *again = take(&road, 2000, 1);
	cr_expect_null(lane_take(road.lane, 2000), "one at a time until one is taken");
	answer(&road, again, 200, 2000);
	answer(&road, take(&road, 2000, 2), 200, 2000);
	answer(&road, take(&road, 2000, 3), 200, 2000);
	cr_expect(lane_held_since_ms(road.lane) == 0);
	finish(&road);
}

Test(lane, other_keys_do_not_end_a_back_off_that_has_nothing_to_do_with_keys)
{
	struct road road;
	start(&road);
	add(&road, 1, 1);
	answer(&road, take(&road, 1000, 1), 401, 1000);
	answer(&road, take(&road, 31000, 1), 200, 31000);
	add(&road, 1, 1);
	answer(&road, take(&road, 31000, 2), 503, 31000);
	lane_rekey(road.lane);
	expect_silence_until(&road, 31000, 31000 + chance(1000));
	finish(&road);
}

Test(lane, joined_records_separate_before_one_is_halved)
{
	struct road road;
	start(&road);
	lane_free(road.lane);
	road.config.batch_size = 300;
	open_lane(&road);
	add(&road, 3, 100);
	unsigned requests = run_refusing(&road, third_of_second, 413);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DELIVERED) == 299);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DEAD) == 1);
	cr_expect(requests <= 1 + 3 + 2 * 7, "%u requests", requests);
	cr_expect(fake_spool_cursor(road.spool) == 4);
	finish(&road);
}

static bool all(uint64_t record, uint32_t span)
{
	return true;
}

Test(lane, three_records_refused_running_hold_all_others_back)
{
	struct road road;
	start(&road);
	road.config.in_flight = 1;
	add(&road, 10, 4);
	run_refusing(&road, all, 400);
	cr_expect(fake_spool_dead_letters(road.spool) == 12, "of three records, not of ten");
	cr_expect(lane_held_since_ms(road.lane) > 0);
	uint64_t now = 0, probes = 0;
	for (; now < 30 * MINUTE_MS; now += 1000)
		for (struct job *job; (job = lane_take(road.lane, now)); probes++) {
			cr_expect(job->span_count == 4, "nothing is split any more");
			answer(&road, job, 400, now);
		}
	cr_expect(fake_spool_dead_letters(road.spool) == 12);
	cr_expect(probes >= 5 && probes <= 10, "%llu probes", (unsigned long long)probes);

	/* Mended: what was kept arrives. */
	for (; now < 40 * MINUTE_MS; now += 1000)
		for (struct job *job; (job = lane_take(road.lane, now));)
			answer(&road, job, 200, now);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DELIVERED) == 28);
	cr_expect(lane_held_since_ms(road.lane) == 0);

	/* And a bad span is a bad span again. */
	add(&road, 1, 1);
	answer(&road, take(&road, now, 11), 400, now);
	cr_expect(fake_spool_dead_letters(road.spool) == 13);
	finish(&road);
}

static bool all_but_one(uint64_t record, uint32_t span)
{
	return span != 0;
}

Test(lane, records_of_which_one_span_is_taken_do_not_hold)
{
	struct road road;
	start(&road);
	add(&road, 10, 4);
	run_refusing(&road, all_but_one, 400);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DEAD) == 30);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DELIVERED) == 10);
	cr_expect(lane_held_since_ms(road.lane) == 0);
	finish(&road);
}

Test(lane, a_hold_of_refusals_lets_later_batches_prove_the_destination_well)
{
	struct road road;
	start(&road);
	road.config.in_flight = 1;
	add(&road, 5, 2);
	uint64_t now = 0;
	unsigned delivered = 0;
	for (; now < 60 * MINUTE_MS && delivered < 1; now += 1000)
		for (struct job *job; (job = lane_take(road.lane, now));) {
			bool is_good = sequence(job) == 5;
			delivered += is_good;
			answer(&road, job, is_good ? 200 : 400, now);
		}
	cr_expect(delivered == 1, "record 4 is bad too, and waits in front of it");
	finish(&road);
}

Test(lane, nothing_is_given_up_when_the_dead_letter_cannot_be_kept)
{
	struct road road;
	start(&road);
	add(&road, 1, 1);
	fake_spool_refuse_dead_letters(road.spool, -ENOSPC);
	answer(&road, take(&road, 0, 1), 400, 0);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DEAD) == 0);
	fake_spool_refuse_dead_letters(road.spool, 0);
	answer(&road, take(&road, MINUTE_MS, 1), 400, MINUTE_MS);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DEAD) == 1);
	finish(&road);
}

Test(lane, a_dead_letter_is_one_span_in_plain_protobuf)
{
	struct road road;
	start(&road);
	fake_spool_add(road.spool, (struct fake_record){ .spans = 1, .encoding = ENCODING_GZIP });
	answer(&road, take(&road, 0, 1), 413, 0);
	int status;
	struct bytes letter = fake_spool_dead_letter(road.spool, &status);
	cr_expect(status == 413);
	cr_expect(letter.len > 2 && letter.at[0] == 0x0a, "field 1: resource_spans");
	finish(&road);
}

Test(lane, a_record_that_cannot_be_cut_is_set_aside_whole)
{
	struct road road;
	start(&road);
	fake_spool_add(road.spool, (struct fake_record){ .spans = 5, .is_garbage = true });
	add(&road, 1, 1);
	answer(&road, take(&road, 0, 1), 400, 0);
	answer(&road, take(&road, 0, 2), 200, 0);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DEAD) == 5);
	cr_expect(fake_spool_cursor(road.spool) == 3);
	finish(&road);
}

Test(lane, a_record_damaged_while_it_waited_is_counted_and_passed_over)
{
	struct road road;
	start(&road);
	lane_free(road.lane);
	road.config.batch_size = 2;
	open_lane(&road);
	add(&road, 4, 1);
	answer(&road, take(&road, 0, 1), 503, 0);
	fake_spool_damage(road.spool, 1);
	struct job *job = take(&road, MINUTE_MS, 2);
	cr_expect(job->span_count == 1);
	answer(&road, job, 200, MINUTE_MS);
	answer(&road, take(&road, MINUTE_MS, 3), 200, MINUTE_MS);
	cr_expect_null(lane_take(road.lane, MINUTE_MS));
	cr_expect(fake_spool_count(road.spool, OUTCOME_DAMAGED) == 1);
	cr_expect(fake_spool_cursor(road.spool) == 5);
	finish(&road);
}

Test(lane, goes_on_after_a_restart_with_what_is_open)
{
	struct road road;
	start(&road);
	add(&road, 3, 10);
	lane_free(road.lane);
	struct delivery *delivery =
		delivery_of(fake_spool_deliveries(road.spool), "tempo", "default");
	delivery_expect(delivery, 1, 10);
	delivery_mark(delivery, 1, 2, 5, OUTCOME_DELIVERED);
	delivery_expect(delivery, 2, 10);
	delivery_mark(delivery, 2, 0, 10, OUTCOME_DELIVERED);
	open_lane(&road);
	struct job *first = take(&road, 0, 1), *second = take(&road, 0, 1),
		   *third = take(&road, 0, 3);
	cr_expect(first->slices[0].from == 0 && first->slices[0].to == 2);
	cr_expect(second->slices[0].from == 5 && second->slices[0].to == 10);
	answer(&road, third, 200, 0);
	answer(&road, second, 200, 0);
	answer(&road, first, 200, 0);
	cr_expect(fake_spool_cursor(road.spool) == 4);
	finish(&road);
}

Test(lane, a_record_over_the_request_limit_is_cut_beforehand)
{
	struct road road;
	start(&road);
	lane_free(road.lane);
	road.config.max_request_bytes = 10 * 1000;
	open_lane(&road);
	fake_spool_add(road.spool, (struct fake_record){ .spans = 40, .padding_bytes = 950 });
	unsigned requests = 0;
	for (struct job *job; (job = lane_take(road.lane, 0)); requests++) {
		cr_expect(job->pieces[0].len <= 10 * 1000);
		answer(&road, job, 200, 0);
	}
	cr_expect(requests == 5 || requests == 4, "%u", requests);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DELIVERED) == 40);
	finish(&road);
}

Test(lane, waits_for_more_but_not_long)
{
	struct road road;
	start(&road);
	lane_free(road.lane);
	road.config.batch_size = 10;
	road.config.batch_timeout_ms = 500;
	open_lane(&road);
	add(&road, 1, 4);
	expect_silence_until(&road, 100, 600);
	add(&road, 1, 3);
	struct job *job = take(&road, 600, 1);
	cr_expect(job->span_count == 7);
	add(&road, 3, 4);
	cr_expect(take(&road, 601, 3)->span_count == 12, "at once when it is enough");
	finish(&road);
}

Test(lane, joins_only_what_is_alike_and_fits)
{
	struct road road;
	start(&road);
	lane_free(road.lane);
	road.config.batch_size = 1000;
	road.config.max_request_bytes = 5000;
	open_lane(&road);
	lane_hurry(road.lane);
	fake_spool_add(road.spool, (struct fake_record){ .spans = 1 });
	fake_spool_add(road.spool, (struct fake_record){ .spans = 1 });
	fake_spool_add(road.spool, (struct fake_record){ .spans = 1, .encoding = ENCODING_GZIP });
	fake_spool_add(road.spool,
		(struct fake_record){
			.spans = 1, .encoding = ENCODING_GZIP, .padding_bytes = 4950 });
	cr_expect(take(&road, 0, 1)->slice_count == 2);
	cr_expect(take(&road, 0, 3)->slice_count == 1);
	cr_expect(take(&road, 0, 4)->slice_count == 1);
	finish(&road);
}

Test(lane, passes_over_what_the_destination_does_not_take)
{
	struct road road;
	start(&road);
	fake_spool_add(road.spool, (struct fake_record){ .spans = 1, .signal = SIGNAL_LOGS });
	fake_spool_add(road.spool, (struct fake_record){ .spans = 1, .shape = SHAPE_LANGFUSE });
	fake_spool_add(road.spool, (struct fake_record){ .spans = 1, .shape = SHAPE_PLAIN });
	answer(&road, take(&road, 0, 3), 200, 0);
	fake_spool_add(road.spool, (struct fake_record){ .spans = 1, .signal = SIGNAL_METRICS });
	cr_expect_null(lane_take(road.lane, 0));
	cr_expect(fake_spool_cursor(road.spool) == 5 && fake_spool_kept_from(road.spool) == 5);
	finish(&road);
}

Test(lane, a_record_without_spans_is_one_thing_to_deliver)
{
	struct road road;
	start(&road);
	add(&road, 2, 0);
	answer(&road, take(&road, 0, 1), 400, 0);
	answer(&road, take(&road, 0, 2), 200, 0);
	cr_expect(fake_spool_dead_letters(road.spool) == 1);
	cr_expect(fake_spool_cursor(road.spool) == 3);
	finish(&road);
}

Test(lane, rejected_spans_are_counted_and_never_more_than_were_sent)
{
	struct road road;
	start(&road);
	lane_free(road.lane);
	road.config.batch_size = 8;
	open_lane(&road);
	add(&road, 2, 4);
	struct reply reply = { .status = 200, .rejected = 5 };
	lane_settle(road.lane, take(&road, 0, 1), &reply, 0, 0);
	cr_expect(fake_spool_count(road.spool, OUTCOME_REJECTED) == 5);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DELIVERED) == 3);
	add(&road, 2, 4);
	reply.rejected = 1ull << 62;
	lane_settle(road.lane, take(&road, 0, 3), &reply, 0, 0);
	cr_expect(fake_spool_count(road.spool, OUTCOME_REJECTED) == 13);
	cr_expect(fake_spool_cursor(road.spool) == 5);
	finish(&road);
}

Test(lane, over_its_share_gives_up_only_what_another_has)
{
	struct road road;
	start(&road);
	add(&road, 10, 2);
	struct job *flying = take(&road, 0, 1);
	answer(&road, take(&road, 0, 2), 503, 0);
	fake_spool_set_share(road.spool, 8, 1000);
	lane_enforce_share(road.lane, 2000, 100);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DROPPED) == 0, "not over its share");
	lane_enforce_share(road.lane, 500, 6);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DROPPED) == 8, "records 2 to 5");
	lane_enforce_share(road.lane, 500, 100);
	cr_expect(fake_spool_count(road.spool, OUTCOME_DROPPED) == 12, "up to 7");
	answer(&road, flying, 200, 1);
	cr_expect(fake_spool_cursor(road.spool) == 8, "what was on its way was left alone");
	unsigned left = 0;
	for (struct job *job; (job = lane_take(road.lane, MINUTE_MS)); left++)
		answer(&road, job, 200, MINUTE_MS);
	cr_expect(left == 3);
	finish(&road);
}
