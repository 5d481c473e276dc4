#include "export/lane.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "config/config.h"
#include "export/ingestion.h"
#include "export/intake.h"
#include "spool/dead_letter.h"

enum {
	WAITING_MAX = 256,         /* jobs for another try, before no new ones are begun */
	REFUSED_RECORDS_MAX = 3,   /* running, until the fault is taken to be the destination's */
	REPEAT_LOG_MS = 60 * 1000, /* between lines that say the same */
	REMIND_HELD_MS = 10 * 60 * 1000,
	ASIDE_MAX = 64, /* letters in one go: each is synced */
};

struct lane {
	struct lane_options options;
	bool is_ordered;
	struct delivery *delivery;
	struct intake intake;
	struct job *waiting; /* for another try; by sequence */
	size_t waiting_count;
	struct job *flying;
	unsigned flying_count;

	/* Pace. */
	unsigned failures;      /* since the last delivery, one per wave */
	unsigned wave;          /* requests sent before a failure do not count it again */
	uint64_t not_before_ms; /* nothing is sent earlier */
	uint64_t next_ms;
	uint64_t deliveries;

	/* Hold. */
	uint64_t held_since_ms; /* 0: not held */
	unsigned holds;         /* for the wait to double */
	int held_status;
	unsigned refused_records; /* running, with no span accepted */
	/* Read by any thread. */
	struct {
		_Atomic uint64_t held_since_ms, failing_since_ms, finished_below;
		_Atomic int status;
		_Atomic(const char *) why;
	} seen;
	struct log_gate held_gate, retry_gate, rejected_gate, dead_gate, not_kept_gate, lost_gate,
		dropped_gate;
};

static void lose(void *intake, const struct record *head)
{
	intake_lose(intake, head);
}

/* What joins them is the outage; when it is over nothing is waited for. */
static void bound_events(struct intake *intake)
{
	intake->batch_timeout_ms = 0;
	intake->batch_size = intake->max_units = INGESTION_MAX_EVENTS;
	if (intake->max_request_bytes > INGESTION_MAX_BYTES)
		intake->max_request_bytes = INGESTION_MAX_BYTES;
}

int lane_new(const struct lane_options *options, struct lane **ret_lane)
{
	struct lane *lane = calloc(1, sizeof *lane);
	if (!lane)
		return -ENOMEM;
	const struct destination_config *config = options->config;
	lane->options = *options;
	lane->is_ordered = options->signal == SIGNAL_INGESTION;
	lane->delivery = delivery_of(options->deliveries, config->name, options->name);
	if (lane->delivery)
		lane->intake.reader =
			spool_reader_new(options->spool, options->name, STAGE_OUT, options->shapes,
				delivery_cursor(lane->delivery), options->wake, options->wake_arg);
	if (!lane->intake.reader) {
		free(lane);
		return -ENOMEM;
	}
	spool_reader_report_loss(lane->intake.reader, lose, &lane->intake);
	lane->intake.delivery = lane->delivery;
	lane->intake.signal = options->signal;
	lane->intake.takes = lane->options.takes;
	lane->intake.batch_size = config->batch_size;
	lane->intake.batch_timeout_ms = config->batch_timeout_ms;
	lane->intake.max_request_bytes = config->max_request_bytes;
	lane->intake.max_units = UINT32_MAX;
	if (options->signal == SIGNAL_INGESTION)
		bound_events(&lane->intake);
	*ret_lane = lane;
	return 0;
}

void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	intake_done(&lane->intake);
	job_free_all(lane->waiting);
	job_free_all(lane->flying);
	spool_reader_free(lane->intake.reader);
	free(lane);
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static bool comes_before(const struct job *one, const struct job *other)
{
	const struct slice *a = &one->slices[0], *b = &other->slices[0];
	return a->sequence < b->sequence || (a->sequence == b->sequence && a->from < b->from);
}

static void queue(struct lane *lane, struct job *job)
{
	struct job **at = &lane->waiting;
	while (*at && comes_before(*at, job))
		at = &(*at)->next;
	job->next = *at;
	*at = job;
	lane->waiting_count++;
}

static void queue_all(struct lane *lane, struct job *jobs)
{
	while (jobs) {
		struct job *job = jobs;
		jobs = job->next;
		queue(lane, job);
	}
}

static void unlink_job(struct job **list, const struct job *job)
{
	while (*list != job)
		list = &(*list)->next;
	*list = job->next;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t finished_below(const struct lane *lane)
{
	uint64_t below = intake_handed_below(&lane->intake);
	if (lane->waiting)
		below = smaller(below, lane->waiting->slices[0].sequence);
	for (const struct job *job = lane->flying; job; job = job->next)
		below = smaller(below, job->slices[0].sequence);
	return below;
}

/* What others see of what is through, and of trouble. */
static void show(struct lane *lane)
{
	atomic_store(&lane->seen.finished_below, finished_below(lane));
	atomic_store(&lane->seen.held_since_ms, lane->held_since_ms);
	if (lane->failures == 0 && !lane->held_since_ms)
		atomic_store(&lane->seen.failing_since_ms, 0);
}

static void show_trouble(
	struct lane *lane, const struct reply *reply, const char *why, uint64_t now_ms)
{
	if (!atomic_load(&lane->seen.failing_since_ms))
		atomic_store(&lane->seen.failing_since_ms, now_ms ? now_ms : 1);
	atomic_store(&lane->seen.status, reply->status);
	atomic_store(&lane->seen.why, why);
}

/* What is finished need not be kept. */
static void keep(struct lane *lane)
{
	if (!lane->waiting && !lane->flying && intake_is_empty(&lane->intake))
		delivery_advance(lane->delivery, spool_reader_position(lane->intake.reader));
	spool_reader_keep(lane->intake.reader, delivery_cursor(lane->delivery));
}

/* ---- what becomes of a job ---- */

/* When all of a record is through, whether anything was accepted tells bad data from a bad destination. */
static void conclude(struct lane *lane, struct job *job, bool is_accepted)
{
	if (job->trial) {
		job->trial->is_accepted |= is_accepted;
		job->trial->open_spans -= job->span_count;
		is_accepted = job->trial->is_accepted;
	}
	if (is_accepted)
		lane->refused_records = 0;
	else if (!job->trial || job->trial->open_spans == 0)
		lane->refused_records++;
	job_free(job);
}

static void resume(struct lane *lane)
{
	char text[LOG_TEXT_MAX];
	lane->failures = 0;
	lane->holds = 0;
	if (!lane->held_since_ms)
		return;
	lane->held_since_ms = 0;
	log_event(LOG_LEVEL_INFO, "export_resumed", "destination=%s lane=%s signal=%s",
		lane->options.config->name, log_text(text, lane->options.name),
		signal_name(lane->options.signal));
}

static void deliver(struct lane *lane, struct job *job, uint64_t rejected)
{
	char name[LOG_TEXT_MAX];
	uint64_t held;
	if (rejected > job->span_count)
		rejected = job->span_count;
	/* The text beside the count may quote what was sent, so it is not logged. */
	if (rejected && log_gate_open(&lane->rejected_gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_WARNING, "export_rejected",
			"destination=%s lane=%s spans=%llu of=%u lines_held=%llu",
			lane->options.config->name, log_text(name, lane->options.name),
			(unsigned long long)rejected, job->span_count, (unsigned long long)held);
	count(&lane->options.counts->rejected, rejected);
	count(&lane->options.counts->delivered, job->span_count - rejected);
	/* Which spans were rejected is not said; the first ones stand for them. */
	for (size_t i = 0; i < job->slice_count; i++) {
		const struct slice *slice = &job->slices[i];
		uint32_t some = slice->to - slice->from;
		if (rejected < some)
			some = (uint32_t)rejected;
		uint32_t middle = slice->from + some;
		if (some)
			delivery_mark(lane->delivery, slice->sequence, slice->from, middle,
				OUTCOME_REJECTED);
		if (middle < slice->to)
			delivery_mark(lane->delivery, slice->sequence, middle, slice->to,
				OUTCOME_DELIVERED);
		rejected -= some;
	}
	lane->deliveries++;
	resume(lane);
	conclude(lane, job, true);
}

/* False when the letter could not be kept: then nothing is given up. */
static bool keep_letter(
	struct lane *lane, struct dead_letter letter, struct bytes request, const char *why)
{
	char name[LOG_TEXT_MAX], text[LOG_TEXT_MAX];
	uint64_t held;
	letter.signal = lane->options.signal;
	snprintf(letter.reason, sizeof letter.reason, "%s", why);
	int error = delivery_set_aside(lane->delivery, &letter, request);
	if (log_gate_open(error ? &lane->not_kept_gate : &lane->dead_gate, REPEAT_LOG_MS, &held))
		log_event(error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			error ? "dead_letter_not_kept" : "dead_letter",
			"destination=%s lane=%s record=%llu span=%u spans=%u status=%d why=%s "
			"error=%d lines_held=%llu",
			lane->options.config->name, log_text(name, lane->options.name),
			(unsigned long long)letter.sequence, letter.span, letter.span_count,
			letter.status, log_text(text, why), error, (unsigned long long)held);
	if (!error)
		count(&lane->options.counts->dead, letter.span_count);
	return !error;
}

/* One slice as a dead letter. */
static bool set_aside(struct lane *lane, struct job *job, struct bytes request,
	enum encoding encoding, int status, const char *why)
{
	const struct slice *slice = &job->slices[0];
	const struct dead_letter letter = { .sequence = slice->sequence,
		.span = slice->from,
		.span_count = job->span_count,
		.encoding = encoding,
		.status = status };
	if (!keep_letter(lane, letter, request, why))
		return false;
	conclude(lane, job, false);
	return true;
}

static bool set_span_aside(struct lane *lane, struct job *job, int status, const char *why)
{
	struct bytes request;
	enum encoding encoding = ENCODING_IDENTITY;
	if (job_plain(job, &request) < 0) {
		request = job->pieces[0];
		encoding = job->encoding;
	}
	return set_aside(lane, job, request, encoding, status, why);
}

static bool take_apart(struct lane *lane, struct job *job)
{
	struct job *pieces;
	if (job_split(job, &pieces) < 0)
		return false;
	job_free(job);
	queue_all(lane, pieces);
	return true;
}

static bool split(struct lane *lane, struct job *job)
{
	if (!take_apart(lane, job))
		return false;
	lane->failures = 0; /* it does answer */
	return true;
}

static void wait_again(struct lane *lane, struct job *job, uint64_t not_before_ms)
{
	job->not_before_ms = not_before_ms;
	job_unload(job);
	queue(lane, job);
}

/* ---- what goes next ---- */

static struct job *take_fresh(struct lane *lane, uint64_t now_ms)
{
	if (lane->waiting_count >= WAITING_MAX)
		return NULL;
	struct job *job = intake_next(&lane->intake, now_ms);
	if (job)
		job->lane = lane;
	else if (lane->intake.filling && lane->intake.due_ms < lane->next_ms)
		lane->next_ms = lane->intake.due_ms;
	return job;
}

/* Oldest first; as a scout the one that failed least. */
static struct job *take_waiting(struct lane *lane, bool is_scout, uint64_t now_ms)
{
	struct job *best = NULL;
	for (struct job *job = lane->waiting; job; job = job->next) {
		if (job->not_before_ms > now_ms) {
			if (job->not_before_ms < lane->next_ms)
				lane->next_ms = job->not_before_ms;
		} else if (!best || (is_scout && job->failures < best->failures)) {
			best = job;
		}
	}
	if (best) {
		unlink_job(&lane->waiting, best);
		lane->waiting_count--;
	}
	return best;
}

static struct job *take_first(struct lane *lane, uint64_t now_ms)
{
	struct job *job = lane->waiting;
	if (job->not_before_ms > now_ms) {
		lane->next_ms = job->not_before_ms;
		return NULL;
	}
	lane->waiting = job->next;
	lane->waiting_count--;
	return job;
}

static struct job *choose(struct lane *lane, uint64_t now_ms)
{
	if (lane->is_ordered)
		return lane->waiting ? take_first(lane, now_ms) : take_fresh(lane, now_ms);
	bool is_scout = lane->failures > 0 && lane->failures % 2 == 0;
	struct job *job = is_scout ? take_fresh(lane, now_ms) : NULL;
	if (!job)
		job = take_waiting(lane, is_scout, now_ms);
	if (!job && !is_scout)
		job = take_fresh(lane, now_ms);
	return job;
}

static int load(struct lane *lane, struct job *job)
{
	uint64_t position = spool_reader_position(lane->intake.reader);
	int error = job_load(job, lane->intake.reader, lane->options.config);
	if (spool_reader_position(lane->intake.reader) != position)
		spool_reader_seek(lane->intake.reader, position);
	return error;
}

/* What a job becomes whose bytes cannot be had. */
static void cope(struct lane *lane, struct job *job, int error, uint64_t now_ms)
{
	if (error == -ENOENT && job->slice_count > 1 && split(lane, job))
		return;
	if (error == -EBADMSG &&
		set_aside(lane, job, job->pieces[0], job->encoding, 0, "not well formed"))
		return;
	if (error != -ENOENT || job->slice_count > 1) {
		wait_again(lane, job, now_ms + lane->options.config->retry_max_ms);
		return;
	}
	char name[LOG_TEXT_MAX];
	uint64_t held;
	if (log_gate_open(&lane->lost_gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_ERROR, "export_lost",
			"destination=%s lane=%s record=%llu spans=%u why=damaged lines_held=%llu",
			lane->options.config->name, log_text(name, lane->options.name),
			(unsigned long long)job->slices[0].sequence, job->span_count,
			(unsigned long long)held);
	count(&lane->options.counts->dropped, intake_drop_job(&lane->intake, job, OUTCOME_DAMAGED));
	job_free(job);
}

struct job *lane_take(struct lane *lane, uint64_t now_ms)
{
	bool is_single = lane->is_ordered || lane->failures > 0 || lane->held_since_ms;
	unsigned most = is_single ? 1 : (unsigned)lane->options.config->in_flight;
	lane->next_ms = UINT64_MAX;
	if (lane->flying_count >= most)
		return NULL;
	if (now_ms < lane->not_before_ms) {
		lane->next_ms = lane->not_before_ms;
		keep(lane); /* another signal may have moved the cursor */
		return NULL;
	}
	struct job *job;
	while ((job = choose(lane, now_ms))) {
		int error = load(lane, job);
		if (!error) {
			job->wave = lane->wave;
			job->next = lane->flying;
			lane->flying = job;
			lane->flying_count++;
			count(&lane->options.counts->in_flight, 1);
			return job;
		}
		cope(lane, job, error, now_ms);
	}
	keep(lane);
	show(lane);
	return NULL;
}

uint64_t lane_next_ms(const struct lane *lane)
{
	return lane->next_ms;
}

/* ---- what a reply means ---- */

static void begin_wave(struct lane *lane)
{
	lane->wave++;
	lane->failures++;
}

/* Requests that were on their way together fail together: that is one failure, and one step back. */
static bool is_first_of_wave(struct lane *lane, const struct job *job)
{
	if (job->wave != lane->wave)
		return false;
	begin_wave(lane);
	return true;
}

static void be_quiet_until(struct lane *lane, uint64_t ms)
{
	if (ms > lane->not_before_ms)
		lane->not_before_ms = ms;
}

static void back_off(struct lane *lane, struct job *job, const struct reply *reply, uint64_t now_ms,
	uint32_t random)
{
	const struct destination_config *config = lane->options.config;
	char name[LOG_TEXT_MAX], text[LOG_TEXT_MAX];
	uint64_t held;
	show_trouble(lane, reply, verdict_why(reply), now_ms);
	if (is_first_of_wave(lane, job))
		be_quiet_until(lane,
			now_ms +
				backoff_ms(config->retry_initial_ms, config->retry_max_ms,
					lane->failures, random));
	if (log_gate_open(&lane->retry_gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_WARNING, "export_retried",
			"destination=%s lane=%s status=%d why=%s failures=%u wait_ms=%llu "
			"lines_held=%llu",
			config->name, log_text(name, lane->options.name), reply->status,
			log_text(text, verdict_why(reply)), lane->failures,
			(unsigned long long)(lane->not_before_ms > now_ms ?
					lane->not_before_ms - now_ms :
					0),
			(unsigned long long)held);
	count(&lane->options.counts->retried, 1);
	/* What fails while others pass steps back further than its lane. */
	uint64_t more = job->overtaken > 1 ?
		backoff_ms(config->retry_initial_ms, config->retry_max_ms, job->overtaken - 1,
			random) :
		0;
	wait_again(lane, job, lane->not_before_ms + more);
}

static void hold(struct lane *lane, const struct reply *reply, const char *why, uint64_t now_ms)
{
	char name[LOG_TEXT_MAX], text[LOG_TEXT_MAX];
	uint64_t held, wait_ms = lane->options.hold_initial_ms;
	for (unsigned i = 0; i < lane->holds && wait_ms < lane->options.hold_max_ms; i++)
		wait_ms *= 2;
	if (wait_ms > lane->options.hold_max_ms)
		wait_ms = lane->options.hold_max_ms;
	lane->holds++;
	show_trouble(lane, reply, why, now_ms);
	be_quiet_until(lane, now_ms + wait_ms);

	bool is_news = !lane->held_since_ms || lane->held_status != reply->status;
	if (!lane->held_since_ms)
		lane->held_since_ms = now_ms ? now_ms : 1;
	lane->held_status = reply->status;
	if (log_gate_open(&lane->held_gate, is_news ? 0 : REMIND_HELD_MS, &held))
		log_event(LOG_LEVEL_ERROR, "export_held",
			"destination=%s lane=%s signal=%s status=%d why=%s wait_ms=%llu",
			lane->options.config->name, log_text(name, lane->options.name),
			signal_name(lane->options.signal), reply->status, log_text(text, why),
			(unsigned long long)wait_ms);
}

static void note_attempt(struct lane *lane, struct job *job, uint64_t now_ms)
{
	if (job->failures++ == 0)
		job->overtaken_since_ms = now_ms;
	if (job->failures == 1 || job->is_left_behind || job->deliveries_seen != lane->deliveries)
		job->overtaken++;
	job->deliveries_seen = lane->deliveries;
}

/* One request's reply, or what was said of the events in this one. */
static void judge(struct lane *lane, struct job *job, const struct reply *reply, uint64_t now_ms,
	uint32_t random)
{
	const struct attempt attempt = {
		.span_count = job->span_count,
		.may_split = lane->refused_records < REFUSED_RECORDS_MAX,
		.overtaken = job->overtaken,
		.overtaken_ms = now_ms - job->overtaken_since_ms,
	};
	enum verdict verdict = verdict_of(reply, &attempt);
	if (verdict != DELIVERED)
		be_quiet_until(lane, now_ms + reply->retry_after_ms);
	switch (verdict) {
	case DELIVERED:
		deliver(lane, job, reply->rejected);
		break;
	case RETRY_LATER:
		back_off(lane, job, reply, now_ms, random);
		break;
	case SPLIT:
		if (!split(lane, job))
			back_off(lane, job, reply, now_ms, random);
		break;
	case HOLD:
		if (is_first_of_wave(lane, job))
			hold(lane, reply,
				attempt.may_split ? verdict_why(reply) : "everything is refused",
				now_ms);
		wait_again(lane, job, 0);
		break;
	case SET_ASIDE:
		if (!set_span_aside(lane, job, reply->status, verdict_why(reply))) {
			back_off(lane, job, reply, now_ms, random);
		} else if (lane->refused_records == REFUSED_RECORDS_MAX) {
			begin_wave(lane);
			hold(lane, reply, "everything is refused", now_ms);
		}
		break;
	}
}

/* Whether nothing is to be done about the event any more. */
static bool finish_event(
	struct lane *lane, const struct slice *slice, uint32_t at, struct bytes event, int status)
{
	const struct dead_letter letter = {
		.sequence = slice->sequence, .span = at, .span_count = 1, .status = status
	};
	switch (ingestion_verdict(status)) {
	case DELIVERED:
		delivery_mark(lane->delivery, slice->sequence, at, at + 1, OUTCOME_DELIVERED);
		count(&lane->options.counts->delivered, 1);
		return true;
	case SET_ASIDE:
		return keep_letter(lane, letter, event, ingestion_why(status));
	default:
		return false;
	}
}

/* How many are left, and what is said of the first of those. */
static uint32_t finish_events(struct lane *lane, const struct job *job, const int *statuses,
	bool *is_left, int *ret_first)
{
	uint32_t left = 0, n = 0;
	for (size_t i = 0; i < job->slice_count; i++) {
		const struct slice *slice = &job->slices[i];
		for (uint32_t at = slice->from; at < slice->to; at++, n++) {
			is_left[n] = !finish_event(
				lane, slice, at, job->pieces[2 * (size_t)n + 1], statuses[n]);
			if (is_left[n] && left++ == 0)
				*ret_first = statuses[n];
		}
	}
	return left;
}

/* What is left of a request goes before all else; how the first of it fared decides when. */
static void go_on_with(struct lane *lane, struct job *jobs, const struct reply *first,
	uint64_t now_ms, uint32_t random)
{
	for (struct job *job = jobs; job; job = job->next)
		job->is_left_behind = true;
	jobs->wave = lane->wave;
	queue_all(lane, jobs->next);
	if (first)
		judge(lane, jobs, first, now_ms, random);
	else
		queue(lane, jobs);
}

/* Nothing came of a request that was answered. */
static void try_again(struct lane *lane, struct job *job, const struct reply *reply,
	const struct reply *first, uint64_t now_ms, uint32_t random)
{
	bool is_said = first->outcome == HTTP_ANSWERED;
	bool is_too_long = reply->body.len >= HTTP_ANSWER_MAX_BYTES;
	if (!is_said && split(lane, job))
		return;
	if (is_said || !is_too_long ||
		!set_span_aside(lane, job, reply->status, "its answer is too long"))
		judge(lane, job, first, now_ms, random);
}

/* Langfuse has read the request, and says of each event what became of it. */
static void settle_events(struct lane *lane, struct job *job, const struct reply *reply,
	uint64_t now_ms, uint32_t random)
{
	int statuses[INGESTION_MAX_EVENTS], first = 0;
	bool is_left[INGESTION_MAX_EVENTS];
	struct job *rest = NULL;
	assert(job->span_count <= INGESTION_MAX_EVENTS);
	enum answer_kind kind = ingestion_read(reply->body, job->pieces, job->span_count, statuses);
	uint32_t left = finish_events(lane, job, statuses, is_left, &first);
	const struct reply said = ingestion_said(kind, first);
	if (left == job->span_count && kind == ANSWER_FOREIGN) {
		judge(lane, job, &said, now_ms, random);
	} else if (left == job->span_count) {
		try_again(lane, job, reply, &said, now_ms, random);
	} else if (left > 0 && job_leave(job, is_left, &rest) < 0) {
		back_off(lane, job, reply, now_ms, random);
	} else {
		lane->deliveries++;
		resume(lane);
		conclude(lane, job, true);
		if (rest)
			go_on_with(lane, rest, first ? &said : NULL, now_ms, random);
	}
}

void lane_settle(struct lane *lane, struct job *job, const struct reply *reply, uint64_t now_ms,
	uint32_t random)
{
	bool is_taken =
		reply->outcome == HTTP_ANSWERED && reply->status >= 200 && reply->status < 300;
	unlink_job(&lane->flying, job);
	lane->flying_count--;
	atomic_fetch_sub_explicit(&lane->options.counts->in_flight, 1, memory_order_relaxed);

	note_attempt(lane, job, now_ms);
	if (is_taken && job->signal == SIGNAL_INGESTION)
		settle_events(lane, job, reply, now_ms, random);
	else
		judge(lane, job, reply, now_ms, random);
	keep(lane);
	show(lane);
}

/* ---- the rest ---- */

void lane_rekey(struct lane *lane)
{
	lane->wave++; /* refusals that are still to come are of the old keys */
	int status = lane->held_status;
	if (!lane->held_since_ms || (status != 0 && status != 401 && status != 403))
		return;
	lane->not_before_ms = 0;
	lane->holds = 0;
}

void lane_hurry(struct lane *lane)
{
	lane->intake.in_hurry = true;
}

bool lane_is_done(const struct lane *lane)
{
	return !lane->waiting && !lane->flying && intake_is_empty(&lane->intake);
}

struct spool_lag lane_lag(const struct lane *lane)
{
	return spool_reader_lag(lane->intake.reader);
}

struct exporter_counts *lane_counts(const struct lane *lane)
{
	return lane->options.counts;
}

struct lane_trouble lane_trouble(const struct lane *lane)
{
	struct lane_trouble trouble = {
		.held_since_ms = atomic_load(&lane->seen.held_since_ms),
		.failing_since_ms = atomic_load(&lane->seen.failing_since_ms),
	};
	if (!trouble.failing_since_ms)
		return (struct lane_trouble){ 0 };
	trouble.status = atomic_load(&lane->seen.status);
	trouble.why = atomic_load(&lane->seen.why);
	return trouble;
}

enum signal lane_signal(const struct lane *lane)
{
	return lane->options.signal;
}

uint64_t lane_finished_below(const struct lane *lane)
{
	return atomic_load(&lane->seen.finished_below);
}

uint64_t lane_held_since_ms(const struct lane *lane)
{
	return lane->held_since_ms;
}

/* Drops what waits below; a job that reaches beyond is taken apart first. */
static uint64_t drop_waiting(struct lane *lane, uint64_t below)
{
	uint64_t dropped = 0;
	while (lane->waiting && lane->waiting->slices[0].sequence < below) {
		struct job *job = lane->waiting, *pieces = NULL;
		bool is_beyond = job->slices[job->slice_count - 1].sequence >= below;
		if (is_beyond && job_split(job, &pieces) < 0)
			break; /* no memory: the next second */
		lane->waiting = job->next;
		lane->waiting_count--;
		if (is_beyond)
			queue_all(lane, pieces);
		else
			dropped += intake_drop_job(&lane->intake, job, OUTCOME_DROPPED);
		job_free(job);
	}
	return dropped;
}

/* A record alone as a dead letter, though nobody refused it. */
static bool set_record_aside(struct lane *lane, struct job *job)
{
	const struct slice *slice = &job->slices[0];
	const struct dead_letter letter = {
		.sequence = slice->sequence, .span = slice->from, .span_count = job->span_count
	};
	struct bytes lines;
	int error = load(lane, job);
	if (!error)
		error = job_plain(job, &lines);
	if (error) {
		cope(lane, job, error, 0);
		return error == -ENOENT; /* it is gone */
	}
	bool is_kept = keep_letter(lane, letter, lines, "over its share of the disk");
	if (is_kept)
		job_free(job);
	else
		wait_again(lane, job, 0);
	return is_kept;
}

/* Nobody else has events: those that the log has to let go are kept as dead letters. */
static void set_old_aside(struct lane *lane, uint64_t below)
{
	bool goes_on = true;
	for (unsigned i = 0; i < ASIDE_MAX && goes_on; i++) {
		struct job *job = lane->waiting ? NULL : take_fresh(lane, UINT64_MAX);
		if (job)
			queue(lane, job);
		job = lane->waiting;
		if (!job || job->slices[0].sequence >= below)
			break;
		unlink_job(&lane->waiting, job);
		lane->waiting_count--;
		goes_on =
			job->slice_count > 1 ? take_apart(lane, job) : set_record_aside(lane, job);
	}
	keep(lane);
	show(lane);
}

void lane_enforce_share(struct lane *lane, uint64_t max_bytes, uint64_t safe_below)
{
	struct spool_reader *reader = lane->intake.reader;
	if (spool_reader_lag(reader).bytes <= max_bytes)
		return;
	uint64_t below = spool_sequence_within(lane->options.spool, max_bytes);
	if (below > safe_below)
		below = safe_below;

	if (lane->is_ordered) {
		set_old_aside(lane, below);
		return;
	}

	char text[LOG_TEXT_MAX];
	uint64_t dropped = drop_waiting(lane, below);
	dropped += intake_drop(&lane->intake, below);
	keep(lane);
	show(lane);
	if (!dropped)
		return;
	count(&lane->options.counts->dropped, dropped);
	uint64_t held;
	if (log_gate_open(&lane->dropped_gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_ERROR, "export_dropped",
			"destination=%s lane=%s spans=%llu below=%llu "
			"why=\"over its share of the disk\" lines_held=%llu",
			lane->options.config->name, log_text(text, lane->options.name),
			(unsigned long long)dropped, (unsigned long long)below,
			(unsigned long long)held);
}
