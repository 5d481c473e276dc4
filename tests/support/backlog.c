#include "support/backlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/complaint.h"
#include "export/exporter.h"
#include "pipeline.h"
#include "spool/delivery.h"
#include "spool/ledger.h"
#include "spool/spool.h"

enum { PATIENCE_MS = 60 * 1000, COMMIT_MS = 10, LOOK_MS = 1 };

static void check(bool is_good, const char *what)
{
	if (is_good)
		return;
	fprintf(stderr, "backlog: %s\n", what);
	abort();
}

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)ms * 1000000 }, NULL);
}

static void configure(struct backlog *backlog, const char *url)
{
	const struct destination_config langfuse = { .name = "langfuse",
		.type = DESTINATION_LANGFUSE,
		.enabled = true,
		.signals = signal_bit(SIGNAL_TRACES),
		.endpoint = (char *)url,
		.public_key = "pk-a",
		.secret_key = "sk-a",
		.batch_size = 500,
		.batch_timeout_ms = 200,
		.max_request_bytes = 4 << 20,
		.in_flight = 4,
		.timeout_ms = PATIENCE_MS,
		.retry_initial_ms = 5,
		.retry_max_ms = 20 };
	struct destination_config otlp = langfuse;
	otlp.name = "tempo";
	otlp.type = DESTINATION_OTLP;
	otlp.endpoint = "http://127.0.0.1:9";
	backlog->destinations[BACKLOG_OTLP] = otlp;
	backlog->destinations[BACKLOG_LANGFUSE] = langfuse;
	backlog->config = (struct config){ .destinations = backlog->destinations,
		.destination_count = BACKLOG_DESTINATIONS,
		.spool.max_record_bytes = 64 << 10 };
}

static void *run_writer(void *spool)
{
	spool_write(spool);
	return NULL;
}

static void *run_exporter(void *exporter)
{
	exporter_run(exporter);
	return NULL;
}

static void *keep_books(void *arg)
{
	struct backlog *backlog = arg;
	while (!atomic_load(&backlog->is_closing)) {
		ledger_commit(backlog->ledger);
		pause_ms(COMMIT_MS);
	}
	return NULL;
}

static void make_exporter(struct backlog *backlog, int which)
{
	static const char *const lanes[] = { "default", "team-b" };
	static const struct project_config projects[] = {
		{ .name = "team-b", .public_key = "pk-b", .secret_key = "sk-b" }
	};
	struct complaint complaint = { 0 };
	const struct exporter_options options = {
		.config = &backlog->destinations[which],
		.spool = backlog->spool,
		.deliveries = backlog->deliveries,
		.lanes = lanes,
		.lane_count = 2,
		.projects = projects,
		.project_count = 1,
		.takes_events = which == BACKLOG_LANGFUSE,
		.hold_initial_ms = 5,
		.hold_max_ms = 20,
	};
	check(exporter_new(&options, &backlog->exporters[which], &complaint) == 0, complaint.text);
}

void backlog_open(struct backlog *backlog, const char *directory, const char *url)
{
	const struct spool_options options = {
		.directory = directory,
		.segment_bytes = 256 << 10,
		.max_bytes = UINT64_C(1) << 30,
		.max_record_bytes = 64 << 10,
		.cache_bytes = 64 << 10,
		.compress = true,
	};
	*backlog = (struct backlog){ 0 };
	configure(backlog, url);
	check(deliveries_open(directory, &backlog->deliveries) == 0, "deliveries_open");
	check(spool_open(&options, &backlog->spool) == 0, "spool_open");
	spool_begin_at(backlog->spool, deliveries_end(backlog->deliveries));
	check(ledger_open(backlog->spool, backlog->deliveries, &backlog->ledger) == 0,
		"ledger_open");
	backlog->pipeline = pipeline_new(&backlog->config, NULL, backlog->spool, NULL);
	for (int i = 0; i < BACKLOG_DESTINATIONS; i++)
		make_exporter(backlog, i);
	check(ledger_begin(backlog->ledger) == 0, "ledger_begin");
	pthread_create(&backlog->writer, NULL, run_writer, backlog->spool);
	pthread_create(&backlog->bookkeeper, NULL, keep_books, backlog);
	for (int i = 0; i < BACKLOG_DESTINATIONS; i++)
		pthread_create(&backlog->exporting[i], NULL, run_exporter, backlog->exporters[i]);
}

void backlog_close(struct backlog *backlog, unsigned within_ms)
{
	spool_stop(backlog->spool);
	pthread_join(backlog->writer, NULL);
	for (int i = 0; i < BACKLOG_DESTINATIONS; i++)
		exporter_stop(backlog->exporters[i], clock_monotonic_ms() + within_ms);
	for (int i = 0; i < BACKLOG_DESTINATIONS; i++)
		pthread_join(backlog->exporting[i], NULL);
	atomic_store(&backlog->is_closing, true);
	pthread_join(backlog->bookkeeper, NULL);
	check(ledger_commit(backlog->ledger) == 0, "ledger_commit");
	for (int i = 0; i < BACKLOG_DESTINATIONS; i++)
		exporter_free(backlog->exporters[i]);
	pipeline_free(backlog->pipeline);
	ledger_free(backlog->ledger);
	spool_close(backlog->spool);
	deliveries_close(backlog->deliveries);
}

/* A request on its way to the disk. */
struct storing {
	struct batch batch;
	pthread_mutex_t lock;
	pthread_cond_t called;
	bool is_called; /* guarded by lock */
};

static void committed(struct batch *batch, int error)
{
	struct storing *storing = batch->owner;
	check(error == 0, "an event was not stored");
	pthread_mutex_lock(&storing->lock);
	storing->is_called = true;
	pthread_cond_signal(&storing->called);
	pthread_mutex_unlock(&storing->lock);
}

uint64_t backlog_store(
	struct backlog *backlog, const char *lane, const char *name, unsigned from, unsigned count)
{
	struct storing storing = {
		.batch = { .lane = lane,
			.signal = SIGNAL_INGESTION,
			.received_ns = clock_unix_ns(),
			.committed = committed },
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.called = PTHREAD_COND_INITIALIZER,
	};
	struct buf lines;
	storing.batch.owner = &storing;
	arena_init(&storing.batch.arena, 1 << 20, NULL);
	buf_init(&lines, 64 << 20, NULL);
	for (unsigned i = from; i < from + count; i++)
		buf_printf(&lines,
			"{\"id\":\"%s-%u\",\"type\":\"score-create\","
			"\"timestamp\":\"2026-11-21T12:00:00.000Z\",\"body\":{\"id\":\"score-%s-%u\","
			"\"traceId\":\"t\",\"name\":\"quality\",\"value\":%u}}\n",
			name, i, name, i, i);
	check(pipeline_accept_events(backlog->pipeline, &storing.batch, buf_bytes(&lines), count) ==
			0,
		"pipeline_accept_events");
	pthread_mutex_lock(&storing.lock);
	while (!storing.is_called)
		pthread_cond_wait(&storing.called, &storing.lock);
	pthread_mutex_unlock(&storing.lock);
	uint64_t below = storing.batch.stored_below;
	check(below > 1, "nobody said where it is");
	arena_done(&storing.batch.arena);
	buf_done(&lines);
	return below;
}

bool backlog_is_through(const struct backlog *backlog, const char *lane, uint64_t below)
{
	return exporter_finished_below(
		       backlog->exporters[BACKLOG_LANGFUSE], lane, SIGNAL_INGESTION) >= below;
}

void backlog_wait(const struct backlog *backlog, const char *lane, uint64_t below)
{
	uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	while (!backlog_is_through(backlog, lane, below)) {
		check(clock_monotonic_ms() < until_ms, "it does not end");
		pause_ms(LOOK_MS);
	}
}
