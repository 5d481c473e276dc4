/*
 * The synthesizer between two doors that write to its inbox, the log's writer, and people who ask what is going
 * on; it is stopped in the middle and started again. A plain program: it also runs under the thread sanitizer.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/counters.h"
#include "pipeline.h"
#include "pricing/price.h"
#include "pricing/tariff.h"
#include "support/claude_logs.h"
#include "support/fixture.h"
#include "support/spool_fixture.h"
#include "synthesizer.h"

enum { DOORS = 2, TURNS = 40, CALLS = 3, SPANS = CALLS + CALLS - 1 + 1, WAIT_MS = 60000 };

static struct fixture fixture_of_spool;
static struct config config;
static struct tariff *tariff;
static struct pipeline *pipeline;
static struct synthesizer *synthesizer;
static pthread_t thread;

static void require(bool is_good, const char *what)
{
	if (is_good)
		return;
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void *run(void *arg)
{
	synthesizer_run(arg);
	return NULL;
}

static void start(void)
{
	const struct synthesizer_options options = { &config, fixture_of_spool.spool, pipeline };
	require(synthesizer_new(&options, &synthesizer) == 0, "synthesizer_new");
}

static void start_thread(void)
{
	require(pthread_create(&thread, NULL, run, synthesizer) == 0, "thread");
}

static void stop(void)
{
	synthesizer_stop(synthesizer);
	pthread_join(thread, NULL);
	synthesizer_free(synthesizer);
}

static void *send_turns(void *arg)
{
	size_t door = (size_t)arg;
	for (unsigned i = 0; i < TURNS; i++) {
		char session[40], prompt[40];
		snprintf(session, sizeof session, "session-%zu-%u", door, i);
		snprintf(prompt, sizeof prompt, "prompt-%zu-%u", door, i);
		const struct claude_turn turn = { .session = session,
			.prompt = prompt,
			.at_ns = clock_unix_ns(),
			.calls = CALLS,
			.has_prompt = true };
		struct bytes logs = claude_turn_logs(&turn);
		struct request *request = request_new("default", logs.at, logs.len);
		request->parts[0].stage = STAGE_IN;
		request->batch.signal = SIGNAL_LOGS;
		request->batch.received_ns = clock_unix_ns();
		spool_append(fixture_of_spool.spool, &request->batch);
		require(request_wait(request) == 0, "append");
		free((void *)logs.at);
	}
	return NULL;
}

static void send_all(void)
{
	pthread_t doors[DOORS];
	for (size_t i = 0; i < DOORS; i++)
		require(pthread_create(&doors[i], NULL, send_turns, (void *)i) == 0, "thread");
	for (size_t i = 0; i < DOORS; i++)
		pthread_join(doors[i], NULL);
}

static void ask(void)
{
	struct live_view view;
	require(synthesizer_live(synthesizer, &view) == 0, "live");
	require(view.count <= DOORS * TURNS, "sessions");
	live_view_free(&view);
	synthesizer_figures(synthesizer);
	synthesizer_waiting_since_ns(synthesizer);
}

static void set_up(void)
{
	struct complaint complaint = { 0 };
	struct prices *prices;
	fixture_init(&fixture_of_spool);
	config = fixture_config();
	config.state_directory = fixture_of_spool.directory;
	config.shutdown_timeout_ms = WAIT_MS;
	config.sessions.enabled = true;
	config.sessions.join_wait_ms = 100;
	config.sessions.turn_idle_ms = 300;
	config.sessions.session_idle_ms = 600000;
	config.sessions.max_open_turns = 10000;
	config.sessions.max_held_bytes = 64 << 20;
	config.sessions.remember_days = 30;
	config.sessions.remember_max_spans = 100000;
	require(prices_builtin(&prices, &complaint) == 0, "prices");
	tariff = tariff_new(prices);
	fixture_open(&fixture_of_spool);
	pipeline = pipeline_new(&config, tariff, fixture_of_spool.spool, NULL);
	start();
	fixture_start_writer(&fixture_of_spool);
}

int main(void)
{
	const uint64_t wanted = DOORS * TURNS * SPANS;
	set_up();
	start_thread();
	send_all();
	stop();
	start();
	start_thread();
	uint64_t end_ms = clock_monotonic_ms() + WAIT_MS;
	while (counter_read(COUNTER_SPANS_SYNTHESIZED) < wanted && clock_monotonic_ms() < end_ms)
		ask();
	stop();
	require(counter_read(COUNTER_SPANS_SYNTHESIZED) == wanted, "spans");
	require(counter_read(COUNTER_TURNS_ENDED) == DOORS * TURNS, "turns");
	pipeline_free(pipeline);
	tariff_free(tariff);
	fixture_done(&fixture_of_spool);
	return 0;
}
