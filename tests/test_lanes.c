/* Projects as lanes, from a real log to destinations on sockets: each with its own keys, and nobody's trouble another's. */
#include "export/lanes.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/complaint.h"
#include "export/destination.h"
#include "export/exporter.h"
#include "export/local.h"
#include "spool/ledger.h"
#include "support/fake_destination.h"
#include "support/spool_fixture.h"

enum { PATIENCE_MS = 20000, REQUEST_BYTES = 34, HOLD_MS = 50 };
enum { LANGFUSE, TEMPO, DESTINATIONS };

/* "pk-x:sk-x" for the letter that a lane's spans begin with. */
static const struct lane_of {
	char letter;
	const char *lane, *authorization;
} all[] = {
	{ 'd', "default", "Basic cGstZDpzay1k" },
	{ 'a', "team-a", "Basic cGstYTpzay1h" },
	{ 'b', "team-b", "Basic cGstYjpzay1i" },
};
enum { ALL = sizeof all / sizeof *all };

static struct project_config projects[] = {
	{ .name = "team-a", .public_key = "pk-a", .secret_key = "sk-a" },
	{ .name = "team-b", .public_key = "pk-b", .secret_key = "sk-b" },
};
static struct destination_config configs[DESTINATIONS];
static struct config config;
static struct fixture disk;
static struct deliveries *deliveries;
static struct ledger *ledger;
static struct fake_destination *fakes[DESTINATIONS];
static struct lanes lanes[DESTINATIONS];
static struct exporter *exporters[DESTINATIONS];
static pthread_t threads[DESTINATIONS];

/* ---- the stage ---- */

static _Atomic(const char *) refused; /* an Authorization */
static _Atomic int tempo_status;

static struct fake_answer answer_langfuse(const struct fake_request *request, void *arg)
{
	(void)arg;
	const char *shown = fake_request_header(request, "Authorization"), *bad = refused;
	bool is_bad = !shown || (bad && strcmp(shown, bad) == 0);
	return (struct fake_answer){ .status = is_bad ? 401 : 200 };
}

static struct fake_answer answer_tempo(const struct fake_request *request, void *arg)
{
	(void)request;
	(void)arg;
	return (struct fake_answer){ .status = tempo_status };
}

static void *run(void *exporter)
{
	exporter_run(exporter);
	return NULL;
}

static void start_exporter(size_t at)
{
	struct complaint complaint = { 0 };
	cr_assert_eq(lanes_find(&config, &configs[at], disk.spool, deliveries, &lanes[at]), 0);
	struct exporter_options options = {
		.config = &configs[at],
		.spool = disk.spool,
		.deliveries = deliveries,
		.lanes = lanes[at].names,
		.lane_count = lanes[at].count,
		.projects = config.projects,
		.project_count = config.project_count,
		.hold_initial_ms = HOLD_MS,
		.hold_max_ms = HOLD_MS,
	};
	cr_assert_eq(exporter_new(&options, &exporters[at], &complaint), 0, "%s", complaint.text);
}

static void start(void)
{
	fixture_open(&disk);
	cr_assert_eq(deliveries_open(disk.directory, &deliveries), 0);
	spool_begin_at(disk.spool, deliveries_end(deliveries));
	cr_assert_eq(ledger_open(disk.spool, deliveries, &ledger), 0);
	for (size_t i = 0; i < DESTINATIONS; i++)
		start_exporter(i);
	cr_assert_eq(ledger_begin(ledger), 0);
	fixture_start_writer(&disk);
	for (size_t i = 0; i < DESTINATIONS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, run, exporters[i]), 0);
}

static void stop(void)
{
	spool_stop(disk.spool);
	pthread_join(disk.writer, NULL);
	disk.is_writing = false;
	for (size_t i = 0; i < DESTINATIONS; i++) {
		exporter_stop(exporters[i], clock_monotonic_ms());
		pthread_join(threads[i], NULL);
		exporter_free(exporters[i]);
		lanes_done(&lanes[i]);
	}
	ledger_commit(ledger);
	ledger_free(ledger);
	deliveries_close(deliveries);
	fixture_close(&disk);
}

static void set_up(void)
{
	static const struct destination_config usual = { .enabled = true,
		.signals = 1,
		.batch_size = 8,
		.batch_timeout_ms = 5,
		.max_request_bytes = 4 << 20,
		.in_flight = 2,
		.timeout_ms = 10000,
		.retry_initial_ms = 5,
		.retry_max_ms = 20 };
	fixture_init(&disk);
	for (size_t i = 0; i < DESTINATIONS; i++) {
		fakes[i] = fake_destination_start(0);
		configs[i] = usual;
		configs[i].endpoint = (char *)fake_destination_url(fakes[i]);
	}
	configs[LANGFUSE].name = "langfuse";
	configs[LANGFUSE].type = DESTINATION_LANGFUSE;
	configs[LANGFUSE].public_key = "pk-d";
	configs[LANGFUSE].secret_key = "sk-d";
	configs[TEMPO].name = "tempo";
	configs[TEMPO].type = DESTINATION_OTLP;
	config = (struct config){ .destinations = configs,
		.destination_count = DESTINATIONS,
		.projects = projects,
		.project_count = 2 };
	tempo_status = 200;
	fake_destination_rule(fakes[LANGFUSE], answer_langfuse, NULL);
	fake_destination_rule(fakes[TEMPO], answer_tempo, NULL);
}

static void tear_down(void)
{
	for (size_t i = 0; i < DESTINATIONS; i++)
		fake_destination_stop(fakes[i]);
	fixture_done(&disk);
}

TestSuite(lanes, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- what comes and goes ---- */

/* So many requests of one span each, numbered from `first` on. */
static void send(const char *lane, char letter, unsigned first, unsigned count)
{
	struct request *requests[64];
	static uint8_t bytes[64][REQUEST_BYTES];
	for (unsigned i = 0; i < count; i++) {
		const uint8_t head[] = { 0x0a, 32, 0x12, 30, 0x12, 28, 0x0a, 16 };
		memset(bytes[i], 1, REQUEST_BYTES);
		memcpy(bytes[i], head, sizeof head);
		memcpy(bytes[i] + 24, "\x12\x08", 2);
		bytes[i][26] = (uint8_t)letter;
		bytes[i][33] = (uint8_t)(first + i);
		requests[i] = request_new(lane, bytes[i], REQUEST_BYTES);
		spool_append(disk.spool, &requests[i]->batch);
	}
	for (unsigned i = 0; i < count; i++)
		cr_assert_eq(request_wait(requests[i]), 0);
}

static void send_all(unsigned first, unsigned count)
{
	for (size_t i = 0; i < ALL; i++)
		send(all[i].lane, all[i].letter, first, count);
}

static void expect_spans(size_t at, size_t count)
{
	cr_assert(fake_destination_wait_spans(fakes[at], count, PATIENCE_MS), "%zu of %zu spans",
		fake_destination_span_count(fakes[at]), count);
}

/* Of each request to Langfuse: the spans are of the project whose keys it shows. */
static void expect_own_keys(void)
{
	size_t count = fake_destination_request_count(fakes[LANGFUSE]);
	for (size_t n = 0; n < count; n++) {
		const struct fake_request *request = fake_destination_request(fakes[LANGFUSE], n);
		const char *shown = fake_request_header(request, "Authorization");
		for (size_t at = 26; at < request->body.len; at += REQUEST_BYTES)
			for (size_t i = 0; i < ALL; i++)
				if (request->body.at[at] == all[i].letter)
					cr_expect_str_eq(shown, all[i].authorization);
	}
}

static struct lane_figures figures_of(size_t at, const char *lane)
{
	size_t i = 0;
	while (i < lanes[at].count && strcmp(lanes[at].names[i], lane) != 0)
		i++;
	cr_assert_lt(i, lanes[at].count, "there is no lane %s", lane);
	return exporter_lane_figures(exporters[at], i);
}

static struct lane_figures wait_held(size_t at, const char *lane)
{
	struct lane_figures figures = figures_of(at, lane);
	for (uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
		!figures.held_since_ns && clock_monotonic_ms() < end_ms;
		figures = figures_of(at, lane))
		usleep(1000);
	cr_assert(figures.held_since_ns > 0, "%s is not held", lane);
	return figures;
}

/* By the books, which have to add up. */
static int64_t waiting_in(const char *destination, const char *lane)
{
	struct balance *balances;
	size_t count;
	int64_t waiting = -1;
	cr_assert_eq(ledger_read(ledger, 0, true, &balances, &count), 0);
	for (size_t i = 0; i < count; i++) {
		cr_expect_eq(balances[i].waiting, balances[i].measured, "%s/%s",
			balances[i].destination, balances[i].lane);
		if (strcmp(balances[i].destination, destination) == 0 &&
			strcmp(balances[i].lane, lane) == 0)
			waiting = balances[i].waiting;
	}
	free(balances);
	return waiting;
}

static void expect_waiting(const char *destination, const char *lane, int64_t spans)
{
	int64_t waiting = waiting_in(destination, lane);
	for (uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
		waiting != spans && clock_monotonic_ms() < end_ms;
		waiting = waiting_in(destination, lane))
		usleep(1000);
	cr_expect_eq(waiting, spans, "%s/%s: %lld", destination, lane, (long long)waiting);
}

/* ---- which there are ---- */

static void expect_lanes(const struct destination_config *destination, size_t count)
{
	struct lanes found;
	cr_assert_eq(lanes_find(&config, destination, disk.spool, deliveries, &found), 0);
	cr_assert_eq(found.count, count);
	cr_expect_eq(found.configured, count);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(found.names[i], all[i].lane);
	lanes_done(&found);
}

Test(lanes, all_projects_go_everywhere_but_to_a_langfuse_that_they_have_no_keys_of)
{
	fixture_open(&disk);
	cr_assert_eq(deliveries_open(disk.directory, &deliveries), 0);
	expect_lanes(&configs[LANGFUSE], 3);
	expect_lanes(&configs[TEMPO], 3);
	expect_lanes(NULL, 3);
	configs[TEMPO].type = DESTINATION_LANGFUSE; /* the second one */
	expect_lanes(&configs[LANGFUSE], 3);
	expect_lanes(&configs[TEMPO], 1);
	config.proxy.destination = "tempo";
	expect_lanes(&configs[LANGFUSE], 1);
	expect_lanes(&configs[TEMPO], 3);
	deliveries_close(deliveries);
	fixture_close(&disk);
}

Test(lanes, a_langfuse_has_the_pair_of_the_lanes_project)
{
	struct destination_config own;
	cr_assert(destination_in_lane(&configs[LANGFUSE], projects, 2, "team-b", &own));
	cr_expect_str_eq(own.public_key, "pk-b");
	cr_expect_str_eq(own.secret_key, "sk-b");
	cr_expect_str_eq(own.endpoint, configs[LANGFUSE].endpoint);
	cr_assert(destination_in_lane(&configs[LANGFUSE], projects, 2, "default", &own));
	cr_expect_str_eq(own.public_key, "pk-d");
	cr_expect_not(destination_in_lane(&configs[LANGFUSE], projects, 1, "team-b", &own));
	cr_assert(destination_in_lane(&configs[TEMPO], NULL, 0, "team-b", &own));
	cr_expect_null(own.public_key);
}

/* ---- isolation ---- */

Test(lanes, each_project_is_sent_with_its_own_keys_and_the_others_get_all)
{
	start();
	send_all(0, 20);
	expect_spans(LANGFUSE, 60);
	expect_spans(TEMPO, 60);
	expect_own_keys();
	for (size_t i = 0; i < ALL; i++) {
		expect_waiting("langfuse", all[i].lane, 0);
		expect_waiting("tempo", all[i].lane, 0);
	}
	for (size_t n = 0; n < fake_destination_request_count(fakes[TEMPO]); n++)
		cr_expect_null(fake_request_header(
			fake_destination_request(fakes[TEMPO], n), "Authorization"));
	stop();
	cr_expect_eq(fake_destination_duplicate_count(fakes[LANGFUSE]), 0);
}

Test(lanes, keys_that_are_refused_hold_their_own_project_alone)
{
	refused = all[1].authorization;
	start();
	send_all(0, 10);
	expect_spans(LANGFUSE, 20);
	expect_spans(TEMPO, 30);
	struct lane_figures held = wait_held(LANGFUSE, "team-a");
	cr_expect_eq(held.status, 401);
	cr_expect_eq(held.last_success_ns, 0);
	cr_expect_eq(figures_of(LANGFUSE, "team-b").held_since_ns, 0);
	expect_waiting("langfuse", "team-a", 10);
	expect_waiting("langfuse", "team-b", 0);
	expect_waiting("langfuse", "default", 0);
	cr_expect_eq(figures_of(LANGFUSE, "default").delivered, 10);
	refused = NULL;
	expect_spans(LANGFUSE, 30);
	expect_own_keys();
	stop();
}

Test(lanes, a_project_goes_on_with_new_keys_and_the_others_with_theirs)
{
	struct project_config now[] = { { .name = "new", .public_key = "pk-n", .secret_key = "n" },
		{ .name = "team-a", .public_key = "pk-b", .secret_key = "sk-b" } };
	struct complaint complaint = { 0 };
	refused = all[1].authorization;
	start();
	send_all(0, 1);
	wait_held(LANGFUSE, "team-a");
	cr_assert_eq(exporter_rekey(exporters[LANGFUSE], &configs[LANGFUSE], now, 2, &complaint), 0,
		"%s", complaint.text);
	expect_spans(LANGFUSE, 3);
	size_t last = fake_destination_request_count(fakes[LANGFUSE]) - 1;
	cr_expect_str_eq(fake_request_header(
				 fake_destination_request(fakes[LANGFUSE], last), "Authorization"),
		all[2].authorization);
	/* Its own is not among them: it keeps what it has. */
	send("team-b", 'b', 1, 1);
	expect_spans(LANGFUSE, 4);
	stop();
}

Test(lanes, one_request_more_has_the_keys_of_its_lane)
{
	start();
	for (size_t i = 0; i < ALL; i++) {
		struct reply reply = exporter_send_once(exporters[LANGFUSE], all[i].lane,
			SIGNAL_TRACES, ENCODING_IDENTITY, (struct bytes){ 0 });
		cr_expect_eq(reply.status, 200);
		cr_expect_str_eq(fake_request_header(fake_destination_request(fakes[LANGFUSE], i),
					 "Authorization"),
			all[i].authorization);
	}
	struct reply reply = exporter_send_once(exporters[LANGFUSE], "team-c", SIGNAL_TRACES,
		ENCODING_IDENTITY, (struct bytes){ 0 });
	cr_expect_eq(reply.outcome, HTTP_UNUSABLE);
	cr_expect_str_eq(reply.error, "its project is not configured any more");
	cr_expect_eq(fake_destination_request_count(fakes[LANGFUSE]), ALL);
	stop();
}

/* ---- what is left behind ---- */

static void leave_behind(unsigned count)
{
	refused = all[2].authorization;
	tempo_status = 503;
	start();
	send_all(0, count);
	wait_held(LANGFUSE, "team-b");
	expect_spans(LANGFUSE, 2 * count);
	expect_waiting("langfuse", "default", 0); /* the answers are here too */
	expect_waiting("langfuse", "team-a", 0);
	stop();
	refused = NULL;
	tempo_status = 200;
	config.project_count = 1;
}

Test(lanes, what_a_project_left_behind_reaches_the_others_and_waits_for_its_keys)
{
	leave_behind(10);
	start();
	cr_expect_eq(lanes[LANGFUSE].configured, 2);
	cr_expect_eq(lanes[LANGFUSE].count, 3);
	expect_spans(TEMPO, 30);
	expect_waiting("tempo", "team-b", 0); /* the answer is here too */
	struct lane_figures held = wait_held(LANGFUSE, "team-b");
	cr_expect_str_eq(held.why, "its project is not configured any more");
	expect_waiting("langfuse", "team-b", 10);
	cr_expect_eq(fake_destination_span_count(fakes[LANGFUSE]), 20);
	expect_own_keys();
	stop();

	start();
	cr_expect_eq(lanes[TEMPO].count, 2, "it has everything");
	cr_expect_eq(lanes[LANGFUSE].count, 3, "it has not");
	stop();

	config.project_count = 2;
	start();
	expect_spans(LANGFUSE, 30);
	expect_own_keys();
	stop();
	cr_expect_eq(fake_destination_duplicate_count(fakes[LANGFUSE]), 0);
}

Test(lanes, what_a_project_left_behind_goes_when_there_is_no_room)
{
	leave_behind(10);
	start();
	wait_held(LANGFUSE, "team-b");
	exporter_enforce_share(exporters[LANGFUSE], 2, 0, UINT64_MAX);
	for (uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
		exporter_figures(exporters[LANGFUSE]).dropped < 10 && clock_monotonic_ms() < end_ms;
		usleep(1000))
		;
	cr_expect_eq(exporter_figures(exporters[LANGFUSE]).dropped, 10);
	expect_waiting("langfuse", "team-b", 0);
	stop();
	start();
	cr_expect_eq(lanes[LANGFUSE].count, 2);
	stop();
}

Test(lanes, a_project_that_has_said_what_is_still_to_be_made_of_has_lanes)
{
	start();
	struct request *request = request_new("team-b", "said", 4);
	request->batch.signal = SIGNAL_LOGS;
	request->parts[0].stage = STAGE_IN;
	spool_append(disk.spool, &request->batch);
	cr_assert_eq(request_wait(request), 0);
	stop();
	config.project_count = 1;
	start();
	cr_expect_eq(lanes[TEMPO].count, 3);
	send("team-b", 'b', 0, 5);
	expect_spans(TEMPO, 5);
	stop();
}
