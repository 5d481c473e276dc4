#include "synthesizer.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "http/compression.h"
#include "otlp/request.h"
#include "pipeline.h"
#include "spool/spool.h"
#include "synthesize/synthesis.h"

enum {
	ADVANCE_MS = 200, /* between two looks at what is due */
	GATHER_MS = 50,   /* what comes meanwhile is taken together */
	TAKE_MS = 100,    /* at most, before what is due is given */
	COMMIT_MS = 1000,
	IDLE_COMMIT_MS = 10 * 1000, /* when nothing was taken or given, but others wrote */
	RECALL_SPANS = 10000,       /* that are remembered between two commits */
	REPEAT_LOG_MS = 60 * 1000,

	ARENA_FACTOR = 16, /* bytes of working memory per byte of a request */
	ARENA_BYTES = 16 << 20,
};

struct synthesizer {
	struct synthesizer_options options;
	struct memory *memory;
	struct synthesis *synthesis;
	struct spool_reader *inbox;
	struct spool_reader *outbox; /* keeps what a crash would make unknown */
	sem_t work;
	_Atomic bool is_woken, is_stopping;
	_Atomic uint64_t waiting_since_ns;

	struct buf inflated;
	uint64_t last_received_ns; /* of what was taken */
	uint64_t advanced_ms, committed_ms;
	bool is_changed; /* since the last commit */
	bool is_failing; /* what was given was not taken */
	uint32_t recalled;
	struct log_gate store_gate, commit_gate, read_gate;
};

static void wake(void *arg)
{
	struct synthesizer *synthesizer = arg;
	if (!atomic_exchange(&synthesizer->is_woken, true))
		sem_post(&synthesizer->work);
}

static int open_readers(struct synthesizer *synthesizer)
{
	enum { SHAPES = SHAPE_ANY | SHAPE_PLAIN | SHAPE_LANGFUSE };
	struct spool *spool = synthesizer->options.spool;
	struct memory_position position = memory_position(synthesizer->memory);
	synthesizer->inbox =
		spool_reader_new(spool, NULL, STAGE_IN, SHAPES, position.inbox, wake, synthesizer);
	synthesizer->outbox =
		spool_reader_new(spool, NULL, STAGE_OUT, SHAPES, position.outbox, NULL, NULL);
	if (!synthesizer->inbox || !synthesizer->outbox)
		return -ENOMEM;
	/* A full log is emptied by giving what is taken from it: that must not be refused for its own sake. */
	spool_reader_uncounted(synthesizer->inbox);
	spool_reader_uncounted(synthesizer->outbox);
	return 0;
}

int synthesizer_new(const struct synthesizer_options *options, struct synthesizer **ret_synthesizer)
{
	const struct memory_options remember = {
		.directory = options->config->state_directory,
		.max_age_days = options->config->sessions.remember_days,
		.max_spans = options->config->sessions.remember_max_spans,
	};
	struct synthesizer *synthesizer = calloc(1, sizeof *synthesizer);
	if (!synthesizer)
		return -ENOMEM;
	synthesizer->options = *options;
	sem_init(&synthesizer->work, 0, 0);
	buf_init(&synthesizer->inflated, SIZE_MAX / 2, NULL);
	int error = memory_open(&remember, &synthesizer->memory);
	if (!error)
		error = open_readers(synthesizer);
	if (!error)
		error = synthesis_new(options->config, synthesizer->memory,
			pipeline_wants(options->pipeline, SIGNAL_LOGS), options->sources,
			&synthesizer->synthesis);
	if (error) {
		synthesizer_free(synthesizer);
		return error;
	}
	*ret_synthesizer = synthesizer;
	return 0;
}

void synthesizer_free(struct synthesizer *synthesizer)
{
	if (!synthesizer)
		return;
	synthesis_free(synthesizer->synthesis);
	memory_close(synthesizer->memory);
	spool_reader_free(synthesizer->inbox);
	spool_reader_free(synthesizer->outbox);
	buf_done(&synthesizer->inflated);
	sem_destroy(&synthesizer->work);
	free(synthesizer);
}

/* ---- giving ---- */

struct outgoing {
	struct batch batch;
	sem_t is_done;
	int error;
};

static void committed(struct batch *batch, int error)
{
	struct outgoing *outgoing = batch->owner;
	outgoing->error = error;
	sem_post(&outgoing->is_done);
}

static int wait_for(struct outgoing *outgoing)
{
	while (sem_wait(&outgoing->is_done) < 0 && errno == EINTR)
		;
	return outgoing->error;
}

/* What can never be stored is let go, so that it holds up nothing. */
static int say_failed(struct synthesizer *synthesizer, int error, uint32_t count)
{
	bool is_hopeless = error == -EBADMSG || error == -E2BIG;
	char text[LOG_TEXT_MAX];
	uint64_t held;
	if (error && log_gate_open(&synthesizer->store_gate, REPEAT_LOG_MS, &held))
		log_event(is_hopeless ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			is_hopeless ? "synthesized_lost" : "synthesized_waits",
			"items=%u error=%s lines_held=%llu", count,
			log_text(text, strerror(-error)), (unsigned long long)held);
	return is_hopeless ? 0 : error;
}

/* One at a time, and on disk when it returns. */
static int store(struct synthesizer *synthesizer, enum signal signal, const char *lane,
	struct bytes request, uint32_t count)
{
	struct pipeline *pipeline = synthesizer->options.pipeline;
	struct outgoing outgoing = {
		.batch = { .lane = lane,
			.signal = signal,
			.received_ns = clock_unix_ns(),
			.committed = committed,
			.owner = &outgoing },
	};
	arena_init(&outgoing.batch.arena, request.len * ARENA_FACTOR + ARENA_BYTES, NULL);
	sem_init(&outgoing.is_done, 0, 0);
	int error = signal == SIGNAL_TRACES ?
		pipeline_emit(pipeline, &outgoing.batch, request) :
		pipeline_forward(pipeline, &outgoing.batch, request, count);
	if (!error)
		error = wait_for(&outgoing);
	sem_destroy(&outgoing.is_done);
	arena_done(&outgoing.batch.arena);
	synthesizer->is_changed = true;
	return say_failed(synthesizer, error, count);
}

static int store_spans(void *arg, const char *lane, struct bytes request, uint32_t span_count)
{
	return store(arg, SIGNAL_TRACES, lane, request, span_count);
}

static int store_logs(void *arg, const char *lane, struct bytes request, uint32_t record_count)
{
	return store(arg, SIGNAL_LOGS, lane, request, record_count);
}

/* While there is more to take, it is as late as what was taken last. */
static void advance(struct synthesizer *synthesizer, bool is_end)
{
	const struct synthesis_sink sink = { store_spans, store_logs, synthesizer };
	uint64_t now_ns = is_end ? clock_unix_ns() : synthesizer->last_received_ns;
	synthesizer->advanced_ms = clock_monotonic_ms();
	synthesizer->is_failing = synthesis_advance(synthesizer->synthesis, now_ns, &sink) < 0;
}

/* ---- taking ---- */

static int inflate(
	struct synthesizer *synthesizer, const struct record *record, struct bytes *ret_request)
{
	struct buf *inflated = &synthesizer->inflated;
	*ret_request = record->body;
	if (record->encoding == ENCODING_IDENTITY)
		return 0;
	inflated->len = 0;
	inflated->error = 0;
	inflated->max_bytes = record->raw_bytes;
	int error = gzip_inflate(record->body, inflated);
	*ret_request = buf_bytes(inflated);
	return error;
}

static int take_record(struct synthesizer *synthesizer, const struct record *record)
{
	struct stored_request request = {
		.signal = record->signal,
		.lane = record->lane,
		.sequence = record->sequence,
		.received_ns = record->received_ns,
	};
	synthesizer->last_received_ns = record->received_ns;
	synthesizer->is_changed = true;
	atomic_store(&synthesizer->waiting_since_ns, record->received_ns);
	int error = inflate(synthesizer, record, &request.body);
	return error == -ENOMEM ? error :
		error           ? 0 :
				  synthesis_take(synthesizer->synthesis, &request);
}

static void say_unread(struct synthesizer *synthesizer, int error)
{
	char text[LOG_TEXT_MAX];
	uint64_t held;
	if (log_gate_open(&synthesizer->read_gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_WARNING, "sessions_wait", "error=%s lines_held=%llu",
			log_text(text, strerror(-error)), (unsigned long long)held);
}

/* True at the end of the log. */
static bool take_some(struct synthesizer *synthesizer)
{
	uint64_t until_ms = clock_monotonic_ms() + TAKE_MS;
	struct record *record;
	int error = 0;
	atomic_store(&synthesizer->is_woken, false);
	while (!error && !synthesis_is_full(synthesizer->synthesis) &&
		clock_monotonic_ms() < until_ms) {
		error = spool_reader_next(synthesizer->inbox, &record);
		if (error)
			break;
		error = take_record(synthesizer, record);
		if (error)
			spool_reader_seek(synthesizer->inbox, record->sequence);
		record_release(record);
	}
	if (error == -EAGAIN)
		atomic_store(&synthesizer->waiting_since_ns, 0);
	else if (error)
		say_unread(synthesizer, error);
	return error == -EAGAIN;
}

/* ---- remembering ---- */

static void commit(struct synthesizer *synthesizer)
{
	uint64_t needed_from = synthesis_needed_from(synthesizer->synthesis);
	uint64_t read_below = spool_reader_position(synthesizer->inbox);
	const struct memory_position position = {
		.inbox = needed_from < read_below ? needed_from : read_below,
		.outbox = spool_figures(synthesizer->options.spool).next_sequence,
		.travelled = synthesis_travelled(synthesizer->synthesis),
	};
	char text[LOG_TEXT_MAX];
	uint64_t held;
	memory_set_position(synthesizer->memory, position);
	int error = memory_commit(synthesizer->memory);
	synthesizer->committed_ms = clock_monotonic_ms();
	synthesizer->is_changed = error < 0;
	/*
	 * Whether it was written or not: a full disk must be drained. What is let go has become spans that are on
	 * disk; a crash before the next commit may send those of them again that come again.
	 */
	spool_reader_keep(synthesizer->inbox, position.inbox);
	spool_reader_keep(synthesizer->outbox, position.outbox);
	if (error && log_gate_open(&synthesizer->commit_gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_ERROR, "sessions_state_not_written", "error=%s lines_held=%llu",
			log_text(text, strerror(-error)), (unsigned long long)held);
}

struct recall {
	struct synthesizer *synthesizer;
	const char *lane;
};

static void recall_span(void *arg, struct bytes trace_id, struct bytes span_id)
{
	const struct recall *recall = arg;
	memory_add_span(recall->synthesizer->memory, recall->lane, trace_id.at, span_id.at);
	recall->synthesizer->recalled++;
}

/* What was stored after the last commit before this start went out. */
static void recall_outbox(struct synthesizer *synthesizer)
{
	uint64_t end = spool_figures(synthesizer->options.spool).next_sequence;
	struct record *record;
	while (spool_reader_position(synthesizer->outbox) < end &&
		spool_reader_next(synthesizer->outbox, &record) == 0) {
		struct recall recall = { synthesizer, record->lane };
		struct bytes request;
		if (record->signal == SIGNAL_TRACES && inflate(synthesizer, record, &request) == 0)
			request_each_span(request, recall_span, &recall);
		record_release(record);
		if (synthesizer->recalled >= RECALL_SPANS) {
			memory_commit(synthesizer->memory);
			synthesizer->recalled = 0;
		}
	}
}

/* ---- the thread ---- */

static void sleep_until(struct synthesizer *synthesizer, uint64_t until_ms)
{
	const struct timespec until = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000 };
	while (sem_clockwait(&synthesizer->work, CLOCK_MONOTONIC, &until) < 0 && errno == EINTR)
		;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t commit_due_ms(const struct synthesizer *synthesizer)
{
	return synthesizer->committed_ms + (synthesizer->is_changed ? COMMIT_MS : IDLE_COMMIT_MS);
}

/* Until something comes or is due, and a little longer for what comes with it. */
static void rest(struct synthesizer *synthesizer)
{
	uint64_t now_ms = clock_monotonic_ms(), now_ns = clock_unix_ns();
	uint64_t due_ns = synthesis_due(synthesizer->synthesis);
	uint64_t due_ms = due_ns <= now_ns ? now_ms : now_ms + (due_ns - now_ns) / 1000000 + 1;
	uint64_t earliest_ms = synthesizer->advanced_ms + ADVANCE_MS;
	sleep_until(synthesizer,
		smaller(due_ms < earliest_ms ? earliest_ms : due_ms, commit_due_ms(synthesizer)));
	if (!atomic_load(&synthesizer->is_stopping))
		sleep_until(synthesizer, clock_monotonic_ms() + GATHER_MS);
}

/* What is not taken then is taken by the next start. */
static bool has_stopped(const struct synthesizer *synthesizer, bool is_end, uint64_t *since_ms)
{
	uint64_t now_ms = clock_monotonic_ms();
	if (!*since_ms)
		*since_ms = now_ms;
	return is_end || synthesizer->is_failing ||
		now_ms >= *since_ms + synthesizer->options.config->shutdown_timeout_ms;
}

void synthesizer_run(struct synthesizer *synthesizer)
{
	bool is_stopping, is_end;
	uint64_t stopping_ms = 0;
	recall_outbox(synthesizer);
	do {
		is_stopping = atomic_load(&synthesizer->is_stopping);
		is_end = take_some(synthesizer);
		if (!is_end || is_stopping ||
			clock_monotonic_ms() >= synthesizer->advanced_ms + ADVANCE_MS)
			advance(synthesizer, is_end);
		if (clock_monotonic_ms() >= commit_due_ms(synthesizer))
			commit(synthesizer);
		if (!is_stopping && (is_end || synthesizer->is_failing))
			rest(synthesizer);
	} while (!is_stopping || !has_stopped(synthesizer, is_end, &stopping_ms));
	commit(synthesizer);
}

void synthesizer_stop(struct synthesizer *synthesizer)
{
	atomic_store(&synthesizer->is_stopping, true);
	sem_post(&synthesizer->work);
}

int synthesizer_live(struct synthesizer *synthesizer, struct live_view *ret_view)
{
	return synthesis_live(synthesizer->synthesis, ret_view);
}

struct live_view synthesizer_figures(struct synthesizer *synthesizer)
{
	return synthesis_figures(synthesizer->synthesis);
}

uint64_t synthesizer_waiting_since_ns(const struct synthesizer *synthesizer)
{
	return atomic_load(&synthesizer->waiting_since_ns);
}
