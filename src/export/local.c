#include "export/local.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sqlite.h"
#include "export/local_file.h"
#include "http/compression.h"
#include "spool/delivery.h"
#include "spool/spool.h"

enum {
	LOWEST_PRIORITY = 19,
	CPU_SHARE = 20,  /* it takes a twentieth of one processor, however much there is to show */
	GATHER_MS = 200, /* what comes meanwhile goes into one transaction */
	RETRY_MS = 1000, /* after a failure */
	TRIM_MS = 10 * 1000,
	REPEAT_LOG_MS = 60 * 1000,

	/* One transaction. */
	SPANS_MAX = 20000,
	RECORDS_MAX = 1024,
	BYTES_MAX = 16 << 20, /* of requests; less when the file is small: */
	FILE_SHARE = 8,       /* that part of it */
	DURATION_MS = 1000,

	LOOK_SPANS = 128, /* so often is looked at how far behind it is */
	HARD_FACTOR = 4,  /* beyond so many times max_lag_bytes the spool asks nobody */
	ARENA_FACTOR = 8, /* bytes of working memory per byte of a request */
	ARENA_BYTES = 1 << 20,
};

/* A record whose rows are in the open transaction, or that is skipped. */
struct taken {
	size_t lane;
	uint64_t sequence;
	uint32_t units;
	uint32_t written; /* spans; the rest is skipped */
};

struct local_lane {
	struct spool_reader *reader;
	struct delivery *delivery;
};

struct local {
	struct local_options options;
	char path[LOCAL_PATH_MAX];
	struct local_lane *lanes;
	struct local_file *file; /* NULL: could not be opened */
	sem_t work;
	_Atomic bool is_woken;
	_Atomic uint64_t deadline_ms; /* 0: not to stop */
	_Atomic uint64_t stored, skipped, file_bytes, last_write_ns;

	/* The open transaction. */
	struct taken taken[RECORDS_MAX];
	size_t taken_count;
	uint32_t spans;
	uint64_t bytes, began_ms;
	bool is_open;

	/* The record at hand. */
	const struct record *record;
	uint32_t rows;
	int put_error;
	struct buf inflated;

	uint64_t not_before_ms; /* nothing is written earlier */
	uint64_t paid_ms;       /* of the thread's processor time, so much was waited for */
	uint64_t trim_ms;       /* when the file's bounds are looked at */
	bool is_trimming;
	uint64_t skipped_unsaid; /* not in the file yet */
	struct log_gate failed_gate, skipped_gate;
};

static void wake(void *arg)
{
	struct local *local = arg;
	if (!atomic_exchange(&local->is_woken, true))
		sem_post(&local->work);
}

static void say_failed(struct local *local, int error)
{
	uint64_t held;
	if (log_gate_open(&local->failed_gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_WARNING, "local_view_failed",
			"error=\"%s\" wait_ms=%d lines_held=%llu", strerror(-error), RETRY_MS,
			(unsigned long long)held);
}

static int replace_file(struct local *local)
{
	int error = sqlite_move_aside(local->path);
	log_event(LOG_LEVEL_ERROR, "local_view_replaced",
		"moved_to=local.sqlite.damaged why=\"damaged, or not made by this version\"");
	return error ? error : local_file_open(local->path, &local->file);
}

static void note_opened(struct local *local, int error)
{
	if (error)
		say_failed(local, error);
	else
		atomic_store(&local->file_bytes, local_file_bytes(local->file));
}

static void open_file(struct local *local)
{
	int error = local_file_open(local->path, &local->file);
	note_opened(local, error == -EBADMSG ? replace_file(local) : error);
}

/* What was read before it is told of first, so that the cursor does not pass it. */
static void lose(void *arg, const struct record *head)
{
	struct local *local = arg;
	for (size_t i = 0; i < local->taken_count; i++)
		delivery_expect(local->lanes[local->taken[i].lane].delivery,
			local->taken[i].sequence, local->taken[i].units);
	for (size_t i = 0; i < local->options.lane_count; i++)
		if (strcmp(local->options.lanes[i], head->lane) == 0 &&
			head->signal == SIGNAL_TRACES)
			delivery_give_up(local->lanes[i].delivery, head->sequence, head->span_count,
				OUTCOME_DAMAGED);
}

static int open_lane(struct local *local, size_t index)
{
	const struct local_options *options = &local->options;
	struct local_lane *lane = &local->lanes[index];
	lane->delivery = delivery_of(options->deliveries, LOCAL_NAME, options->lanes[index]);
	if (!lane->delivery)
		return -ENOMEM;
	lane->reader = spool_reader_new(options->spool, options->lanes[index], STAGE_OUT,
		SHAPE_ANY | SHAPE_LANGFUSE, delivery_cursor(lane->delivery), wake, local);
	if (!lane->reader)
		return -ENOMEM;
	spool_reader_bound(lane->reader, options->max_lag_bytes * HARD_FACTOR);
	spool_reader_report_loss(lane->reader, lose, local);
	delivery_begin(lane->delivery, SHAPE_ANY | SHAPE_LANGFUSE, 1U << SIGNAL_TRACES);
	delivery_yield(lane->delivery);
	return 0;
}

int local_open(const struct local_options *options, struct local **ret_local)
{
	struct local *local = calloc(1, sizeof *local);
	if (!local)
		return -ENOMEM;
	local->options = *options;
	snprintf(local->path, sizeof local->path, "%s/local.sqlite", options->directory);
	sem_init(&local->work, 0, 0);
	buf_init(&local->inflated, SIZE_MAX / 2, NULL);
	local->lanes = calloc(options->lane_count, sizeof *local->lanes);
	int error = local->lanes ? 0 : -ENOMEM;
	for (size_t i = 0; i < options->lane_count && !error; i++)
		error = open_lane(local, i);
	if (error) {
		local_free(local);
		return error;
	}
	open_file(local);
	*ret_local = local;
	return 0;
}

void local_free(struct local *local)
{
	if (!local)
		return;
	for (size_t i = 0; local->lanes && i < local->options.lane_count; i++)
		spool_reader_free(local->lanes[i].reader);
	free(local->lanes);
	local_file_close(local->file);
	buf_done(&local->inflated);
	sem_destroy(&local->work);
	free(local);
}

const char *local_path(const struct local *local)
{
	return local->path;
}

struct local_figures local_figures(const struct local *local)
{
	return (struct local_figures){
		.stored = atomic_load(&local->stored),
		.skipped = atomic_load(&local->skipped),
		.file_bytes = atomic_load(&local->file_bytes),
		.last_write_ns = atomic_load(&local->last_write_ns),
	};
}

/* ---- what is finished ---- */

/* Says of a record which spans are stored and which are not, unless that was said before. */
static void settle(struct local *local, const struct taken *taken)
{
	struct delivery *delivery = local->lanes[taken->lane].delivery;
	uint32_t from, to = 0;
	delivery_expect(delivery, taken->sequence, taken->units);
	while (delivery_open_range(delivery, taken->sequence, taken->units, to, &from, &to)) {
		uint32_t middle = taken->written < from ? from :
			taken->written < to             ? taken->written :
							  to;
		if (from < middle)
			delivery_mark(delivery, taken->sequence, from, middle, OUTCOME_DELIVERED);
		if (middle < to)
			delivery_mark(delivery, taken->sequence, middle, to, OUTCOME_DROPPED);
		atomic_fetch_add(&local->stored, middle - from);
		atomic_fetch_add(&local->skipped, to - middle);
		local->skipped_unsaid += to - middle;
	}
}

/* With nothing outstanding: what was read need not be kept. */
static void let_go(struct local *local)
{
	for (size_t i = 0; i < local->options.lane_count; i++) {
		struct local_lane *lane = &local->lanes[i];
		delivery_advance(lane->delivery, spool_reader_position(lane->reader));
		spool_reader_keep(lane->reader, delivery_cursor(lane->delivery));
	}
}

static void end_transaction(struct local *local)
{
	local->is_open = false;
	local->taken_count = 0;
	local->spans = 0;
	local->bytes = 0;
}

/* What was read since the last commit comes again. */
static void fail(struct local *local, int error, uint64_t now_ms)
{
	local_file_rollback(local->file);
	end_transaction(local);
	for (size_t i = 0; i < local->options.lane_count; i++)
		spool_reader_seek(
			local->lanes[i].reader, delivery_cursor(local->lanes[i].delivery));
	local->is_trimming = false;
	local->not_before_ms = now_ms + RETRY_MS;
	if (error == -EBADMSG || error == -ESTALE) {
		local_file_close(local->file);
		local->file = NULL;
	}
	if (error == -EBADMSG)
		note_opened(local, replace_file(local));
	else
		say_failed(local, error);
}

static int commit(struct local *local)
{
	if (!local->is_open) {
		let_go(local);
		return 0;
	}
	uint64_t now_ns = clock_unix_ns();
	int error = local_file_commit(local->file, local->skipped_unsaid, now_ns);
	if (error)
		return error;
	local->skipped_unsaid = 0;
	for (size_t i = 0; i < local->taken_count; i++)
		settle(local, &local->taken[i]);
	let_go(local);
	end_transaction(local);
	atomic_store(&local->last_write_ns, now_ns);
	atomic_store(&local->file_bytes, local_file_bytes(local->file));
	return 0;
}

/* ---- what cannot be kept up with ---- */

static bool is_behind(const struct local *local)
{
	for (size_t i = 0; i < local->options.lane_count; i++)
		if (spool_reader_lag(local->lanes[i].reader).bytes > local->options.max_lag_bytes)
			return true;
	return false;
}

static uint32_t units_of(const struct record *record)
{
	return record->span_count > 0 ? record->span_count : 1;
}

/* On to `sequence`, by the heads of the records, which say how many spans are left out. */
static void skip_lane(struct local *local, size_t index, uint64_t sequence)
{
	struct spool_reader *reader = local->lanes[index].reader;
	struct record head;
	while (spool_reader_position(reader) < sequence &&
		spool_reader_next_head(reader, &head) == 0) {
		const struct taken taken = { index, head.sequence, units_of(&head), 0 };
		if (head.sequence >= sequence) {
			spool_reader_seek(reader, head.sequence);
			break;
		}
		if (head.signal == SIGNAL_TRACES)
			settle(local, &taken);
	}
}

/* Nothing is open. Keeps at most so many bytes of what is oldest. */
static void skip(struct local *local, uint64_t max_bytes, const char *why)
{
	uint64_t held, before = atomic_load(&local->skipped);
	uint64_t sequence = spool_sequence_within(local->options.spool, max_bytes);
	for (size_t i = 0; i < local->options.lane_count; i++)
		skip_lane(local, i, sequence);
	let_go(local);
	uint64_t skipped = atomic_load(&local->skipped);
	if (skipped > before && log_gate_open(&local->skipped_gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_WARNING, "local_view_skipped",
			"spans=%llu since_start=%llu why=\"%s\" lines_held=%llu",
			(unsigned long long)(skipped - before), (unsigned long long)skipped, why,
			(unsigned long long)held);
}

/* ---- one record ---- */

static int take_row(void *arg, const struct local_row *row)
{
	struct local *local = arg;
	if (local->rows % LOOK_SPANS == LOOK_SPANS - 1 && is_behind(local))
		return -EAGAIN;
	local->put_error =
		local_file_put(local->file, row, local->record->lane, local->record->received_ns);
	local->rows += !local->put_error;
	return local->put_error;
}

static int inflate(struct local *local, struct bytes *ret_request)
{
	*ret_request = local->record->body;
	if (local->record->encoding == ENCODING_IDENTITY)
		return 0;
	local->inflated.len = 0;
	local->inflated.error = 0;
	local->inflated.max_bytes = local->record->raw_bytes;
	int error = gzip_inflate(local->record->body, &local->inflated);
	*ret_request = buf_bytes(&local->inflated);
	return error;
}

/* A record that cannot be read, or that there is no time for, is stored as far as that went. */
static int write_rows(struct local *local)
{
	struct bytes request;
	local->rows = 0;
	local->put_error = 0;
	if (inflate(local, &request) < 0)
		return 0;
	struct arena arena;
	arena_init(&arena, (size_t)local->record->raw_bytes * ARENA_FACTOR + ARENA_BYTES, NULL);
	local_rows(request, local->options.content_max_bytes, &arena, take_row, local);
	arena_done(&arena);
	return local->put_error;
}

static int begin(struct local *local, uint64_t now_ms)
{
	const struct local_options *options = &local->options;
	struct statvfs disk;
	if (local->is_open)
		return 0;
	if (options->min_free_bytes > 0 && statvfs(options->directory, &disk) == 0 &&
		(uint64_t)disk.f_bavail * disk.f_frsize < options->min_free_bytes)
		return -ENOSPC;
	int error = local_file_begin(local->file);
	if (error)
		return error;
	local->is_open = true;
	local->began_ms = now_ms;
	return 0;
}

static int write_record(struct local *local, size_t lane, uint64_t now_ms)
{
	const struct record *record = local->record;
	uint32_t from, to, units = units_of(record);
	if (record->signal != SIGNAL_TRACES ||
		!delivery_open_range(
			local->lanes[lane].delivery, record->sequence, units, 0, &from, &to))
		return 0;
	int error = begin(local, now_ms);
	if (!error)
		error = write_rows(local);
	if (error)
		return error;
	local->taken[local->taken_count++] =
		(struct taken){ lane, record->sequence, units, local->rows };
	local->spans += local->rows;
	local->bytes += record->raw_bytes;
	return 0;
}

static bool is_full(const struct local *local)
{
	uint64_t share = local->options.max_bytes / FILE_SHARE;
	return local->taken_count == RECORDS_MAX || local->spans >= SPANS_MAX ||
		local->bytes >= (share < BYTES_MAX ? share : BYTES_MAX) ||
		(local->is_open && clock_monotonic_ms() >= local->began_ms + DURATION_MS);
}

/* One transaction at most. 0 at the end of the log, 1 when there may be more. */
static int write_some(struct local *local, uint64_t now_ms)
{
	bool is_end = false;
	atomic_store(&local->is_woken, false);
	int error = local->skipped_unsaid ? begin(local, now_ms) : 0;
	while (!error && !is_end && !is_full(local)) {
		is_end = true;
		for (size_t i = 0; i < local->options.lane_count && !error && !is_full(local);
			i++) {
			struct record *record;
			if (spool_reader_next(local->lanes[i].reader, &record) < 0)
				continue;
			is_end = false;
			local->record = record;
			error = write_record(local, i, now_ms);
			record_release(record);
		}
	}
	if (!error)
		error = commit(local);
	return error ? error : !is_end;
}

/* ---- the thread ---- */

static int trim_some(struct local *local, uint64_t now_ms)
{
	const struct local_options *options = &local->options;
	const uint64_t day_ns = UINT64_C(24) * 60 * 60 * 1000000000;
	uint64_t now_ns = clock_unix_ns(), oldest_ns = 0;
	if (options->max_age_days > 0 && now_ns / day_ns > options->max_age_days)
		oldest_ns = now_ns - options->max_age_days * day_ns;
	int more = local_file_trim(local->file, options->max_bytes, oldest_ns);
	local->is_trimming = more > 0;
	local->trim_ms = now_ms + TRIM_MS;
	atomic_store(&local->file_bytes, local_file_bytes(local->file));
	return more;
}

static int write_or_trim(struct local *local, uint64_t now_ms)
{
	bool is_trim_due = local->is_trimming || now_ms >= local->trim_ms ||
		atomic_load(&local->file_bytes) > local->options.max_bytes;
	int more = is_trim_due ? trim_some(local, now_ms) : 0;
	return more ? more : write_some(local, now_ms);
}

/* Of this thread, since its start. */
static uint64_t cpu_ms(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Does a little of what there is to do. True when there may be more. */
static bool work(struct local *local, uint64_t now_ms)
{
	if (!local->file)
		open_file(local);
	if (!local->file) {
		local->not_before_ms = now_ms + RETRY_MS;
		return false;
	}
	int more = write_or_trim(local, now_ms);
	uint64_t used_ms = cpu_ms();
	local->not_before_ms = clock_monotonic_ms() + (used_ms - local->paid_ms) * (CPU_SHARE - 1);
	local->paid_ms = used_ms;
	if (more < 0)
		fail(local, more, now_ms);
	if (more == -ENOSPC)
		skip(local, 0, "no room on the disk");
	return more > 0;
}

static void sleep_until(struct local *local, uint64_t until_ms)
{
	const struct timespec until = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000 };
	while (sem_clockwait(&local->work, CLOCK_MONOTONIC, &until) < 0 && errno == EINTR)
		;
}

/* Until there is something new, and a little longer; memory is for those who need it. */
static void rest(struct local *local)
{
	buf_done(&local->inflated);
	sleep_until(local, local->trim_ms);
	if (!atomic_load(&local->deadline_ms))
		sleep_until(local, clock_monotonic_ms() + GATHER_MS);
}

static void step_back(void)
{
	const struct sched_param none = { 0 };
	setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
	sched_setscheduler(0, SCHED_BATCH, &none);
}

void local_run(struct local *local)
{
	int error = local->file ? local_file_check(local->file) : 0;
	if (error)
		fail(local, error, clock_monotonic_ms());
	step_back(); /* not before: what is damaged is to be known soon */
	local->paid_ms = cpu_ms();
	for (;;) {
		uint64_t deadline_ms = atomic_load(&local->deadline_ms);
		uint64_t now_ms = clock_monotonic_ms();
		if (is_behind(local))
			skip(local, local->options.max_lag_bytes / 2, "too far behind");
		if (now_ms < local->not_before_ms && !deadline_ms) {
			sleep_until(local, now_ms + GATHER_MS);
			continue;
		}
		bool has_more = work(local, now_ms);
		if (deadline_ms && (!has_more || now_ms >= deadline_ms))
			break;
		if (!has_more && !deadline_ms)
			rest(local);
	}
}

void local_stop(struct local *local, uint64_t deadline_ms)
{
	atomic_store(&local->deadline_ms, deadline_ms ? deadline_ms : 1);
	sem_post(&local->work);
}
