/* The exporter's thread between a spool in memory and a destination on a socket. */
#include "export/exporter.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/complaint.h"
#include "config/config.h"
#include "support/fake_destination.h"
#include "support/fake_spool.h"

enum { LONG_MS = 20000 }; /* only ever waited for when something is broken */

struct road {
	struct destination_config config;
	struct spool *spool;
	struct fake_destination *fake;
	struct exporter *exporter;
	pthread_t thread;
	bool is_running;
	uint64_t hold_ms;
};

static void *run(void *arg)
{
	exporter_run(arg);
	return NULL;
}

/* A destination, and a configuration in which one record is one request and waits are short. */
static void prepare(struct road *road)
{
	*road = (struct road){
		.config = { .name = "tempo",
			.type = DESTINATION_OTLP,
			.signals = signal_bit(SIGNAL_TRACES) | signal_bit(SIGNAL_LOGS),
			.batch_size = 1,
			.max_request_bytes = 4 << 20,
			.in_flight = 4,
			.timeout_ms = 10000,
			.retry_initial_ms = 5,
			.retry_max_ms = 50 },
		.spool = fake_spool_new(),
		.fake = fake_destination_start(0),
		.hold_ms = 20,
	};
	road->config.endpoint = (char *)fake_destination_url(road->fake);
}

static void start(struct road *road)
{
	static const char *const lanes[] = { "default" };
	struct complaint complaint = { 0 };
	struct exporter_options options = { .config = &road->config,
		.spool = road->spool,
		.deliveries = fake_spool_deliveries(road->spool),
		.lanes = lanes,
		.lane_count = 1,
		.hold_initial_ms = road->hold_ms,
		.hold_max_ms = 2 * road->hold_ms };
	cr_assert(exporter_new(&options, &road->exporter, &complaint) == 0, "%s", complaint.text);
	cr_assert(pthread_create(&road->thread, NULL, run, road->exporter) == 0);
	road->is_running = true;
}

static void stop(struct road *road, unsigned within_ms)
{
	exporter_stop(road->exporter, clock_monotonic_ms() + within_ms);
	pthread_join(road->thread, NULL);
	road->is_running = false;
}

static void finish(struct road *road)
{
	if (road->is_running)
		stop(road, LONG_MS);
	exporter_free(road->exporter);
	cr_expect(fake_spool_records_out(road->spool) == 0, "a record was not given back");
	cr_expect(fake_spool_faults(road->spool) == 0);
	fake_destination_stop(road->fake);
	fake_spool_free(road->spool);
}

static void add(struct road *road, unsigned records, uint32_t spans)
{
	while (records--)
		fake_spool_add(road->spool, (struct fake_record){ .spans = spans });
}

static void script(struct road *road, int status, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fake_destination_script(road->fake, &(struct fake_answer){ .status = status }, 1);
}

static void expect_delivered(struct road *road, uint64_t spans)
{
	cr_assert(fake_spool_wait(road->spool, OUTCOME_DELIVERED, spans, LONG_MS),
		"%llu of %llu delivered",
		(unsigned long long)fake_spool_count(road->spool, OUTCOME_DELIVERED),
		(unsigned long long)spans);
	cr_expect(fake_destination_span_count(road->fake) == spans);
	cr_expect(
		fake_destination_duplicate_count(road->fake) == 0, "nothing failed, nothing twice");
}

static uint64_t first_span(const struct fake_request *request)
{
	/* The id's tag and length stand before it in each span; the first one is the request's first. */
	const uint8_t *at = memmem(request->body.at, request->body.len, "\x12\x08", 2);
	uint64_t n = 0;
	for (int i = 0; at && i < 8; i++)
		n = n << 8 | at[2 + i];
	return n;
}

Test(exporter, delivers_in_order_and_once)
{
	struct road road;
	prepare(&road);
	road.config.in_flight = 1;
	add(&road, 20, 3);
	start(&road);
	add(&road, 20, 3);
	expect_delivered(&road, 120);
	cr_expect(fake_destination_request_count(road.fake) == 40);
	for (size_t i = 0; i < 40; i++)
		cr_expect(first_span(fake_destination_request(road.fake, i)) == 1 + 3 * i,
			"request %zu", i);
	stop(&road, LONG_MS);
	cr_expect(fake_spool_cursor(road.spool) == 41 && fake_spool_kept_from(road.spool) == 41);
	struct exporter_figures figures = exporter_figures(road.exporter);
	cr_expect(figures.delivered == 120 && figures.last_status == 200 &&
		figures.last_success_ns > 0);
	cr_expect(figures.in_flight == 0 && figures.retried == 0 && figures.held_since_ns == 0);
	finish(&road);
}

Test(exporter, sends_what_a_destination_needs_to_know)
{
	struct road road;
	prepare(&road);
	struct header_setting tenant = { "X-Scope-OrgID", "team-a" };
	road.config.headers = &tenant;
	road.config.header_count = 1;
	add(&road, 1, 1);
	fake_spool_add(road.spool, (struct fake_record){ .spans = 1, .encoding = ENCODING_GZIP });
	road.config.in_flight = 1;
	start(&road);
	expect_delivered(&road, 2);
	const struct fake_request *plain = fake_destination_request(road.fake, 0),
				  *packed = fake_destination_request(road.fake, 1);
	cr_expect_str_eq(plain->method, "POST");
	cr_expect_str_eq(plain->path, "/v1/traces");
	cr_expect_str_eq(fake_request_header(plain, "Content-Type"), "application/x-protobuf");
	cr_expect_null(fake_request_header(plain, "Content-Encoding"));
	cr_expect_null(fake_request_header(plain, "Expect"));
	cr_expect_str_eq(fake_request_header(plain, "Via"), "1.1 tollgate");
	cr_expect_str_eq(fake_request_header(plain, "X-Scope-OrgID"), "team-a");
	cr_expect(strncmp(fake_request_header(plain, "User-Agent"), "tollgate/", 9) == 0);
	cr_expect_str_eq(fake_request_header(packed, "Content-Encoding"), "gzip");
	cr_expect(packed->sent_bytes < packed->body.len || packed->body.len < 100);
	finish(&road);
}

Test(exporter, langfuse_takes_what_it_gets)
{
	struct road road;
	prepare(&road);
	road.config.type = DESTINATION_LANGFUSE;
	road.config.public_key = "pk-lf-1";
	road.config.secret_key = "sk-lf-2";
	fake_destination_rule(road.fake, fake_langfuse, "Basic cGstbGYtMTpzay1sZi0y");
	fake_spool_add(road.spool, (struct fake_record){ .spans = 5, .shape = SHAPE_PLAIN });
	add(&road, 1, 2);
	start(&road);
	cr_assert(fake_spool_wait(road.spool, OUTCOME_DELIVERED, 2, LONG_MS));
	cr_expect(fake_destination_request_count(road.fake) == 1, "the plain copy is for others");
	const struct fake_request *request = fake_destination_request(road.fake, 0);
	cr_expect(request->status == 200);
	cr_expect_str_eq(request->path, "/api/public/otel/v1/traces");
	cr_expect_str_eq(fake_request_header(request, "x-langfuse-ingestion-version"), "4");
	finish(&road);
}

Test(exporter, joins_small_records_plain_and_packed)
{
	struct road road;
	prepare(&road);
	road.config.batch_size = 100;
	for (int i = 0; i < 50; i++)
		fake_spool_add(
			road.spool, (struct fake_record){ .spans = 2, .padding_bytes = 3000 });
	for (int i = 0; i < 50; i++)
		fake_spool_add(
			road.spool, (struct fake_record){ .spans = 2, .encoding = ENCODING_GZIP });
	start(&road);
	expect_delivered(&road, 200);
	cr_expect(fake_destination_request_count(road.fake) == 2);
	finish(&road);
}

Test(exporter, lingers_for_more_and_then_goes)
{
	struct road road;
	prepare(&road);
	road.config.batch_size = 100;
	road.config.batch_timeout_ms = 200;
	start(&road);
	uint64_t began = clock_monotonic_ms();
	add(&road, 1, 1);
	expect_delivered(&road, 1);
	cr_expect(fake_destination_request(road.fake, 0)->received_ms >= began + 200);
	road.config.batch_timeout_ms = 60000;
	add(&road, 4, 25);
	expect_delivered(&road, 101);
	cr_expect(fake_destination_request_count(road.fake) == 2, "one request, at once");
	finish(&road);
}

Test(exporter, holds_while_the_key_is_wrong_and_loses_nothing)
{
	struct road road;
	prepare(&road);
	script(&road, 401, 12);
	add(&road, 10, 3);
	start(&road);
	cr_assert(fake_destination_wait_requests(road.fake, 9, LONG_MS));
	cr_expect(fake_spool_cursor(road.spool) == 1);
	cr_expect(exporter_figures(road.exporter).held_since_ns > 0);
	expect_delivered(&road, 30);
	stop(&road, LONG_MS);
	struct exporter_figures figures = exporter_figures(road.exporter);
	cr_expect(figures.held_since_ns == 0 && figures.dead == 0 && figures.delivered == 30);
	finish(&road);
}

static void expect_rekeyed(struct road *road, struct header_setting *headers)
{
	struct complaint complaint = { 0 };
	struct destination_config config = road->config;
	config.headers = headers;
	config.header_count = 1;
	cr_assert(exporter_rekey(road->exporter, &config, NULL, 0, &complaint) == 0, "%s",
		complaint.text);
}

static struct fake_answer want_second_key(const struct fake_request *request, void *arg)
{
	const char *key = fake_request_header(request, "X-Key");
	return (struct fake_answer){ .status = key && strcmp(key, "second") == 0 ? 200 : 401 };
}

/* Nothing of what was given points into the exporter; the hold is far longer than the test. */
Test(exporter, another_key_is_tried_at_once)
{
	struct road road;
	prepare(&road);
	fake_destination_rule(road.fake, want_second_key, NULL);
	add(&road, 5, 2);
	road.hold_ms = 10 * LONG_MS;
	start(&road);
	cr_assert(fake_destination_wait_requests(road.fake, 4, LONG_MS));
	char value[] = "first";
	struct header_setting key = { "X-Key", value };
	expect_rekeyed(&road, &key);
	cr_assert(fake_destination_wait_requests(road.fake, 5, LONG_MS));
	expect_rekeyed(&road, &(struct header_setting){ "X-Key", "second" });
	memset(value, 'x', sizeof value - 1);
	expect_delivered(&road, 10);
	finish(&road);
}

Test(exporter, a_request_on_its_way_keeps_the_headers_it_was_sent_with)
{
	struct road road;
	prepare(&road);
	road.config.in_flight = 1;
	struct header_setting old = { "X-Key", "first" };
	road.config.headers = &old;
	road.config.header_count = 1;
	fake_destination_script(
		road.fake, &(struct fake_answer){ .status = 200, .delay_ms = 300 }, 1);
	add(&road, 2, 1);
	start(&road);
	cr_assert(fake_destination_wait_requests(road.fake, 1, LONG_MS));
	expect_rekeyed(&road, &(struct header_setting){ "X-Key", "never sent" });
	expect_rekeyed(&road, &(struct header_setting){ "X-Key", "second" });
	expect_delivered(&road, 2);
	cr_expect_str_eq(
		fake_request_header(fake_destination_request(road.fake, 0), "X-Key"), "first");
	cr_expect_str_eq(
		fake_request_header(fake_destination_request(road.fake, 1), "X-Key"), "second");
	finish(&road);
}

Test(exporter, a_redirect_is_not_followed)
{
	struct road road;
	prepare(&road);
	script(&road, 308, 1);
	add(&road, 1, 1);
	start(&road);
	expect_delivered(&road, 1);
	cr_expect(fake_destination_request_count(road.fake) == 2);
	finish(&road);
}

Test(exporter, retry_after_is_waited_for)
{
	struct road road;
	prepare(&road);
	road.config.in_flight = 1;
	fake_destination_script(
		road.fake, &(struct fake_answer){ .status = 429, .retry_after = "1" }, 1);
	add(&road, 5, 1);
	start(&road);
	expect_delivered(&road, 5);
	const struct fake_request *refused = fake_destination_request(road.fake, 0),
				  *next = fake_destination_request(road.fake, 1);
	cr_expect(next->received_ms >= refused->received_ms + 1000, "after %llu ms",
		(unsigned long long)(next->received_ms - refused->received_ms));
	finish(&road);
}

Test(exporter, tries_again_after_500_and_after_a_connection_cut)
{
	struct road road;
	prepare(&road);
	script(&road, 500, 3);
	fake_destination_script(road.fake, &(struct fake_answer){ .is_cut = true }, 1);
	script(&road, 524, 2);
	add(&road, 3, 2);
	start(&road);
	expect_delivered(&road, 6);
	cr_expect(fake_destination_request_count(road.fake) == 6 + 3);
	finish(&road);
}

Test(exporter, a_lost_acknowledgement_is_the_one_reason_for_a_duplicate)
{
	struct road road;
	prepare(&road);
	fake_destination_script(
		road.fake, &(struct fake_answer){ .status = 200, .is_cut = true }, 1);
	add(&road, 1, 4);
	start(&road);
	cr_assert(fake_spool_wait(road.spool, OUTCOME_DELIVERED, 4, LONG_MS));
	cr_expect(fake_destination_duplicate_count(road.fake) == 4);
	finish(&road);
}

Test(exporter, an_unreachable_destination_is_waited_for)
{
	struct road road;
	prepare(&road);
	uint16_t port = fake_destination_port(road.fake);
	char url[64];
	snprintf(url, sizeof url, "%s", fake_destination_url(road.fake));
	road.config.endpoint = url;
	fake_destination_stop(road.fake);
	road.fake = NULL;
	add(&road, 5, 2);
	start(&road);
	while (exporter_figures(road.exporter).retried < 5)
		sched_yield();
	cr_expect(fake_spool_count(road.spool, OUTCOME_DELIVERED) == 0);
	road.fake = fake_destination_start(port);
	expect_delivered(&road, 10);
	finish(&road);
}

Test(exporter, a_destination_that_does_not_answer_times_out_and_is_tried_again)
{
	struct road road;
	prepare(&road);
	road.config.timeout_ms = 100;
	fake_destination_script(
		road.fake, &(struct fake_answer){ .status = 503, .delay_ms = 5000 }, 1);
	add(&road, 1, 1);
	start(&road);
	expect_delivered(&road, 1);
	finish(&road);
}

/* Refuses every request with one of the bad spans in it. */
struct poison {
	uint64_t spans[4];
	size_t count;
	int status;
};

static struct fake_answer refuse_poison(const struct fake_request *request, void *arg)
{
	const struct poison *poison = arg;
	for (size_t i = 0; i < poison->count; i++) {
		uint8_t id[8];
		fake_span_id(poison->spans[i], id);
		if (memmem(request->body.at, request->body.len, id, sizeof id))
			return (struct fake_answer){ .status = poison->status };
	}
	return (struct fake_answer){ .status = 200 };
}

static void refuse(struct poison *poison, enum encoding encoding)
{
	struct road road;
	prepare(&road);
	road.config.batch_size = 100;
	fake_destination_rule(road.fake, refuse_poison, poison);
	for (int i = 0; i < 10; i++)
		fake_spool_add(
			road.spool, (struct fake_record){ .spans = 50, .encoding = encoding });
	start(&road);
	cr_assert(fake_spool_wait(road.spool, OUTCOME_DEAD, poison->count, LONG_MS));
	expect_delivered(&road, 500 - poison->count);
	for (size_t i = 0; i < poison->count; i++) {
		uint8_t id[8];
		fake_span_id(poison->spans[i], id);
		cr_expect(fake_destination_times(road.fake, id) == 0);
	}
	stop(&road, LONG_MS);
	cr_expect(fake_spool_cursor(road.spool) == 11);
	cr_expect(fake_spool_dead_letters(road.spool) == poison->count);
	cr_expect(exporter_figures(road.exporter).held_since_ns == 0);
	finish(&road);
}

Test(exporter, too_large_a_span_is_found_and_all_others_arrive_once)
{
	refuse(&(struct poison){ { 137 }, 1, 413 }, ENCODING_IDENTITY);
	refuse(&(struct poison){ { 137 }, 1, 413 }, ENCODING_GZIP);
}

Test(exporter, malformed_spans_are_found_and_all_others_arrive_once)
{
	refuse(&(struct poison){ { 1, 2, 250, 500 }, 4, 400 }, ENCODING_GZIP);
}

Test(exporter, a_destination_that_refuses_everything_gets_no_queue_of_dead_letters)
{
	struct road road;
	prepare(&road);
	road.config.in_flight = 1;
	script(&road, 400, 3 * 15 + 6);
	add(&road, 20, 8);
	start(&road);
	cr_assert(fake_spool_wait(road.spool, OUTCOME_DELIVERED, 17 * 8, LONG_MS));
	cr_expect(fake_spool_dead_letters(road.spool) == 3 * 8);
	cr_expect(fake_destination_duplicate_count(road.fake) == 0);
	finish(&road);
}

Test(exporter, a_slow_destination_has_no_more_than_in_flight)
{
	struct road road;
	prepare(&road);
	for (int i = 0; i < 24; i++)
		fake_destination_script(
			road.fake, &(struct fake_answer){ .status = 200, .delay_ms = 50 }, 1);
	add(&road, 24, 1);
	start(&road);
	expect_delivered(&road, 24);
	cr_expect(fake_destination_most_at_once(road.fake) <= 4);
	cr_expect(fake_destination_most_at_once(road.fake) >= 2, "but more than one");
	finish(&road);
}

Test(exporter, partial_success_is_counted_and_not_repeated)
{
	struct road road;
	prepare(&road);
	fake_destination_script(road.fake,
		&(struct fake_answer){ .status = 200,
			.body = BYTES("\x0a\x0a\x08\x02\x12\x06"
				      "prompt") },
		1);
	add(&road, 1, 10);
	start(&road);
	cr_assert(fake_spool_wait(road.spool, OUTCOME_DELIVERED, 8, LONG_MS));
	cr_expect(fake_spool_count(road.spool, OUTCOME_REJECTED) == 2);
	stop(&road, LONG_MS);
	cr_expect(fake_destination_request_count(road.fake) == 1);
	cr_expect(exporter_figures(road.exporter).rejected == 2);
	cr_expect(fake_spool_cursor(road.spool) == 2);
	finish(&road);
}

Test(exporter, an_endless_answer_is_bounded)
{
	static uint8_t page[4 << 20];
	struct road road;
	prepare(&road);
	fake_destination_script(road.fake,
		&(struct fake_answer){ .status = 502, .body = { page, sizeof page } }, 1);
	add(&road, 1, 1);
	start(&road);
	expect_delivered(&road, 1);
	finish(&road);
}

Test(exporter, stop_sends_what_lingers)
{
	struct road road;
	prepare(&road);
	road.config.batch_size = 1000;
	road.config.batch_timeout_ms = 600 * 1000;
	add(&road, 7, 2);
	start(&road);
	stop(&road, LONG_MS);
	cr_expect(fake_destination_span_count(road.fake) == 14);
	cr_expect(fake_spool_cursor(road.spool) == 8);
	finish(&road);
}

Test(exporter, stop_does_not_wait_for_a_back_off_beyond_its_deadline)
{
	struct road road;
	prepare(&road);
	fake_destination_script(
		road.fake, &(struct fake_answer){ .status = 503, .retry_after = "600" }, 1);
	add(&road, 1, 1);
	start(&road);
	cr_assert(fake_destination_wait_requests(road.fake, 1, LONG_MS));
	uint64_t began = clock_monotonic_ms();
	stop(&road, LONG_MS);
	cr_expect(clock_monotonic_ms() - began < LONG_MS / 2);
	cr_expect(fake_spool_cursor(road.spool) == 1);
	finish(&road);
}

Test(exporter, stop_keeps_its_deadline_with_requests_on_their_way)
{
	struct road road;
	prepare(&road);
	fake_destination_script(
		road.fake, &(struct fake_answer){ .status = 200, .delay_ms = LONG_MS }, 1);
	add(&road, 1, 1);
	start(&road);
	cr_assert(fake_destination_wait_requests(road.fake, 1, LONG_MS));
	uint64_t began = clock_monotonic_ms();
	stop(&road, 100);
	uint64_t took = clock_monotonic_ms() - began;
	cr_expect(took >= 100 && took < 1000 + 100, "%llu ms", (unsigned long long)took);
	cr_expect(fake_spool_cursor(road.spool) == 1, "unanswered is not delivered");
	finish(&road);
}

Test(exporter, gives_up_over_its_share_what_another_destination_has)
{
	struct road road;
	prepare(&road);
	fake_destination_rule(road.fake, refuse_poison, &(struct poison){ { 1, 2, 3 }, 3, 401 });
	add(&road, 5, 1);
	road.config.in_flight = 1;
	start(&road);
	fake_spool_set_share(road.spool, 4, 1000);
	cr_assert(fake_destination_wait_requests(road.fake, 2, LONG_MS));
	uint64_t until = clock_monotonic_ms() + LONG_MS;
	while (fake_spool_count(road.spool, OUTCOME_DROPPED) < 3 && clock_monotonic_ms() < until) {
		exporter_enforce_share(road.exporter, 0, 500, 4);
		fake_spool_wait(road.spool, OUTCOME_DROPPED, 3, 1000);
	}
	expect_delivered(&road, 2);
	stop(&road, LONG_MS);
	cr_expect(exporter_figures(road.exporter).dropped == 3);
	finish(&road);
}

Test(exporter, a_record_of_the_smallest_spans_can_be_cut)
{
	struct road road;
	prepare(&road);
	script(&road, 413, 1);
	add(&road, 1, 20000);
	start(&road);
	expect_delivered(&road, 20000);
	cr_expect(fake_spool_dead_letters(road.spool) == 0);
	cr_expect(fake_destination_request_count(road.fake) == 3);
	finish(&road);
}

/* ---- content ---- */

#define SECRET "a secret that nobody else must know, and that is longer than sixty-four bytes"

static bool holds(const struct fake_request *request, const char *text)
{
	return memmem(request->body.at, request->body.len, text, strlen(text));
}

/* That all that was ever sent was compressed as its records are, is well formed, and has no secret in it. */
static void expect_withheld(struct road *road, enum encoding encoding, const char *mark)
{
	for (size_t i = 0; i < fake_destination_request_count(road->fake); i++) {
		const struct fake_request *request = fake_destination_request(road->fake, i);
		const char *coding = fake_request_header(request, "Content-Encoding");
		cr_expect(request->is_protobuf);
		cr_expect(!coding == (encoding == ENCODING_IDENTITY));
		cr_expect_not(holds(request, SECRET));
		cr_expect(holds(request, mark));
	}
}

static void add_said(struct road *road, unsigned records, uint32_t spans, enum encoding encoding)
{
	while (records--)
		fake_spool_add(road->spool,
			(struct fake_record){
				.spans = spans, .encoding = encoding, .said = SECRET });
}

/* Records joined, tried again after a failure, and cut into halves. */
static void withhold(enum content content, enum encoding encoding, const char *mark)
{
	struct road road;
	prepare(&road);
	road.config.batch_size = 100;
	road.config.content = content;
	road.config.content_max_bytes = 64;
	script(&road, 503, 1);
	script(&road, 413, 3);
	add_said(&road, 10, 25, encoding);
	start(&road);
	expect_delivered(&road, 250);
	expect_withheld(&road, encoding, mark);
	finish(&road);
}

Test(exporter, content_that_a_destination_shall_not_have_does_not_reach_it)
{
	withhold(CONTENT_NONE, ENCODING_IDENTITY, "[content withheld by tollgate]");
	withhold(CONTENT_NONE, ENCODING_GZIP, "[content withheld by tollgate]");
}

Test(exporter, content_that_a_destination_shall_have_in_part_reaches_it_in_part)
{
	withhold(CONTENT_CUT, ENCODING_IDENTITY,
		"a secret that nobody else must know, and … [cut from 77 bytes]");
	withhold(CONTENT_CUT, ENCODING_GZIP,
		"a secret that nobody else must know, and … [cut from 77 bytes]");
}

Test(exporter, a_destination_that_may_have_all_gets_the_bytes_that_are_stored)
{
	struct road road;
	prepare(&road);
	add_said(&road, 1, 2, ENCODING_IDENTITY);
	start(&road);
	expect_delivered(&road, 2);
	cr_expect(holds(fake_destination_request(road.fake, 0), SECRET));
	finish(&road);
}

static void set_aside(enum encoding encoding)
{
	struct road road;
	int status;
	prepare(&road);
	road.config.content = CONTENT_NONE;
	fake_destination_rule(road.fake, refuse_poison, &(struct poison){ { 3 }, 1, 400 });
	add_said(&road, 1, 4, encoding);
	start(&road);
	cr_assert(fake_spool_wait(road.spool, OUTCOME_DEAD, 1, LONG_MS));
	expect_delivered(&road, 3);
	struct bytes letter = fake_spool_dead_letter(road.spool, &status);
	cr_expect_null(memmem(letter.at, letter.len, SECRET, sizeof SECRET - 1));
	cr_expect_not_null(memmem(letter.at, letter.len, "[content withheld", 17));
	expect_withheld(&road, encoding, "[content withheld");
	finish(&road);
}

Test(exporter, a_dead_letter_holds_no_more_than_was_sent)
{
	set_aside(ENCODING_IDENTITY);
	set_aside(ENCODING_GZIP);
}

/* Joined with others, which go without it. It cannot be told what in it is content, so it is not kept either. */
Test(exporter, what_cannot_be_read_is_neither_sent_nor_set_aside_where_content_is_withheld)
{
	struct road road;
	prepare(&road);
	road.config.batch_size = 100;
	road.config.content = CONTENT_NONE;
	add_said(&road, 1, 25, ENCODING_GZIP);
	fake_spool_add(road.spool,
		(struct fake_record){ .spans = 5, .encoding = ENCODING_GZIP, .is_garbage = true });
	add_said(&road, 3, 25, ENCODING_GZIP);
	start(&road);
	cr_assert(fake_spool_wait(road.spool, OUTCOME_DELIVERED, 100, LONG_MS));
	cr_assert(fake_spool_wait(road.spool, OUTCOME_DAMAGED, 5, LONG_MS));
	cr_expect(fake_spool_dead_letters(road.spool) == 0);
	expect_withheld(&road, ENCODING_GZIP, "[content withheld");
	stop(&road, LONG_MS);
	cr_expect(fake_spool_cursor(road.spool) == 6);
	finish(&road);
}

Test(exporter, a_signal_whose_content_is_not_known_is_passed_over_where_content_is_withheld)
{
	struct road road;
	prepare(&road);
	road.config.content = CONTENT_CUT;
	road.config.content_max_bytes = 64;
	fake_spool_add(road.spool, (struct fake_record){ .spans = 0, .signal = SIGNAL_LOGS });
	add_said(&road, 1, 1, ENCODING_IDENTITY);
	start(&road);
	expect_delivered(&road, 1);
	cr_expect(fake_destination_request_count(road.fake) == 1);
	finish(&road);
}

/* ---- beside the lanes ---- */

static struct fake_answer letters_only(const struct fake_request *request, void *unused)
{
	return (struct fake_answer){ .status = bytes_are(request->body, "letter") ? 200 : 401 };
}

Test(exporter, an_errand_goes_at_once_while_its_lane_is_held)
{
	struct road road;
	prepare(&road);
	fake_destination_rule(road.fake, letters_only, NULL);
	start(&road);
	add(&road, 1, 1);
	cr_assert(fake_destination_wait_requests(road.fake, 1, LONG_MS));
	struct reply reply = exporter_send_once(
		road.exporter, "default", SIGNAL_TRACES, ENCODING_IDENTITY, bytes_of("letter"));
	cr_expect_eq(reply.status, 200);
	cr_expect_eq(fake_spool_count(road.spool, OUTCOME_DELIVERED), 0);
	stop(&road, 0); /* what is held is not waited for */
	finish(&road);
}

Test(exporter, an_errand_has_the_answer_of_its_own_request)
{
	struct road road;
	prepare(&road);
	start(&road);
	script(&road, 429, 1);
	struct reply reply = exporter_send_once(
		road.exporter, "default", SIGNAL_TRACES, ENCODING_IDENTITY, bytes_of("\x0a\x00"));
	cr_expect_eq(reply.outcome, HTTP_ANSWERED);
	cr_expect_eq(reply.status, 429);
	reply = exporter_send_once(
		road.exporter, "default", SIGNAL_LOGS, ENCODING_IDENTITY, bytes_of("\x0a\x00"));
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(fake_destination_request(road.fake, 0)->path, "/v1/traces");
	cr_expect_str_eq(fake_destination_request(road.fake, 1)->path, "/v1/logs");
	add(&road, 3, 2);
	expect_delivered(&road, 6);
	finish(&road);
}

/* A letter may be from a time when the destination was to have more. */
Test(exporter, an_errand_leaves_content_behind_as_well)
{
	static const uint8_t letter[] = "\x0a\x1d\x12\x1b\x12\x19\x4a\x17"
					"\x0a\x0b"
					"input.value"
					"\x12\x08\x0a\x06"
					"secret";
	const struct bytes body = { letter, sizeof letter - 1 };
	struct road road;
	prepare(&road);
	road.config.content = CONTENT_NONE;
	start(&road);
	script(&road, 400, 1);
	struct reply reply = exporter_send_once(
		road.exporter, "default", SIGNAL_TRACES, ENCODING_IDENTITY, body);
	cr_expect_eq(reply.status, 400);
	cr_expect_not(holds(fake_destination_request(road.fake, 0), "secret"));
	cr_expect(holds(fake_destination_request(road.fake, 0), "[content withheld"));
	const struct {
		enum signal signal;
		enum encoding encoding;
		struct bytes body;
	} refused[] = {
		{ SIGNAL_TRACES, ENCODING_GZIP, body },
		{ SIGNAL_LOGS, ENCODING_IDENTITY, body },
		{ SIGNAL_TRACES, ENCODING_IDENTITY, bytes_of("secret") },
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		reply = exporter_send_once(road.exporter, "default", refused[i].signal,
			refused[i].encoding, refused[i].body);
		cr_expect_eq(reply.outcome, HTTP_UNUSABLE, "%zu", i);
	}
	cr_expect(fake_destination_request_count(road.fake) == 1);
	finish(&road);
}

Test(exporter, an_errand_to_nobody_is_told_why)
{
	struct road road;
	prepare(&road);
	road.config.endpoint = "http://127.0.0.1:1";
	start(&road);
	struct reply reply = exporter_send_once(
		road.exporter, "default", SIGNAL_TRACES, ENCODING_IDENTITY, bytes_of("x"));
	cr_expect_eq(reply.outcome, HTTP_FAILED);
	cr_expect_not_null(reply.error);
	stop(&road, LONG_MS);
	reply = exporter_send_once(
		road.exporter, "default", SIGNAL_TRACES, ENCODING_IDENTITY, bytes_of("x"));
	cr_expect_eq(reply.outcome, HTTP_FAILED);
	cr_expect_str_eq(reply.error, "the daemon stops");
	finish(&road);
}

Test(exporter, a_signal_that_is_not_taken_is_told_to_an_errand)
{
	struct road road;
	prepare(&road);
	road.config.type = DESTINATION_LANGFUSE;
	road.config.public_key = "a";
	road.config.secret_key = "b";
	start(&road);
	struct reply reply = exporter_send_once(
		road.exporter, "default", SIGNAL_LOGS, ENCODING_IDENTITY, bytes_of("x"));
	cr_expect_eq(reply.outcome, HTTP_UNUSABLE);
	finish(&road);
}

static struct fake_answer without_logs(const struct fake_request *request, void *unused)
{
	return (struct fake_answer){ .status = strcmp(request->path, "/v1/logs") == 0 ? 404 : 200 };
}

Test(exporter, a_destination_that_has_no_place_for_logs_takes_traces)
{
	struct road road;
	prepare(&road);
	fake_destination_rule(road.fake, without_logs, NULL);
	start(&road);
	fake_spool_add(road.spool, (struct fake_record){ .spans = 2, .signal = SIGNAL_LOGS });
	cr_assert(fake_destination_wait_requests(road.fake, 1, LONG_MS));
	add(&road, 3, 1);
	expect_delivered(&road, 3);
	cr_expect_eq(fake_spool_cursor(road.spool), 1, "the logs are still to come");
	struct lane_figures lane = exporter_lane_figures(road.exporter, 0);
	cr_expect(lane.held_since_ns);
	cr_expect_eq(lane.status, 404);
	fake_destination_rule(road.fake, NULL, NULL);
	expect_delivered(&road, 5);
	cr_expect_eq(fake_spool_cursor(road.spool), 5);
	finish(&road);
}

Test(exporter, metrics_that_are_not_taken_hold_up_nobody)
{
	struct road road;
	prepare(&road);
	start(&road);
	for (unsigned i = 0; i < 3; i++) {
		fake_spool_add(
			road.spool, (struct fake_record){ .spans = 1, .signal = SIGNAL_METRICS });
		fake_spool_add(
			road.spool, (struct fake_record){ .spans = 1, .signal = SIGNAL_LOGS });
		add(&road, 1, 1);
	}
	expect_delivered(&road, 6);
	cr_expect_eq(fake_spool_cursor(road.spool), 10);
	finish(&road);
}

Test(exporter, its_lanes_tell_since_when_and_why_they_fail)
{
	struct road road;
	prepare(&road);
	fake_destination_rule(road.fake, letters_only, NULL);
	start(&road);
	struct lane_figures lane = exporter_lane_figures(road.exporter, 0);
	cr_assert_eq(exporter_lane_count(road.exporter), 1);
	cr_expect_str_eq(lane.name, "default");
	cr_expect(lane.held_since_ns == 0 && lane.failing_since_ns == 0 && !lane.why);
	add(&road, 1, 1);
	cr_assert(fake_destination_wait_requests(road.fake, 2, LONG_MS));
	lane = exporter_lane_figures(road.exporter, 0);
	uint64_t now_ns = clock_unix_ns();
	cr_expect(lane.held_since_ns && now_ns - lane.held_since_ns < UINT64_C(60000000000));
	cr_expect_str_eq(lane.why, "the key is not accepted");
	cr_expect_eq(lane.status, 401);
	fake_destination_rule(road.fake, NULL, NULL);
	expect_delivered(&road, 1);
	for (int tries = 0; lane.failing_since_ns && tries < 1000; tries++) {
		usleep(1000);
		lane = exporter_lane_figures(road.exporter, 0);
	}
	cr_expect(lane.held_since_ns == 0 && lane.failing_since_ns == 0 && !lane.why);
	finish(&road);
}
