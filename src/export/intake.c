#include "export/intake.h"

#include <errno.h>

enum { DROP_MAX_BYTES = 64 << 20 }; /* read in one go only to be given up: a fraction of a second */

static void append(struct job **list, struct job *job)
{
	while (*list)
		list = &(*list)->next;
	*list = job;
}

static void close_filling(struct intake *intake)
{
	if (intake->filling)
		append(&intake->ready, intake->filling);
	intake->filling = NULL;
}

/* A record without spans (metrics, logs) is one thing to deliver, as it is for struct delivery. */
static uint32_t units_of(const struct record *record)
{
	return record->span_count > 0 ? record->span_count : 1;
}

static bool fits(const struct intake *intake, const struct job *job, const struct record *record)
{
	return job->signal == record->signal && job->encoding == record->encoding &&
		job->slice_count < JOB_SLICES_MAX &&
		(uint64_t)job->span_count + units_of(record) <= intake->max_units &&
		job->raw_bytes + record->raw_bytes <= intake->max_request_bytes;
}

static struct slice slice_of(const struct record *record, uint32_t from, uint32_t to)
{
	return (struct slice){ .sequence = record->sequence,
		.from = from,
		.to = to,
		.span_count = units_of(record),
		.raw_bytes = record->raw_bytes };
}

static int join(struct intake *intake, struct record *record, uint64_t now_ms)
{
	if (intake->filling && !fits(intake, intake->filling, record))
		close_filling(intake);
	if (!intake->filling) {
		intake->filling = job_new(record->signal, record->encoding);
		intake->due_ms = now_ms + intake->batch_timeout_ms;
	}
	struct slice slice = slice_of(record, 0, units_of(record));
	slice.record = record;
	if (!intake->filling || job_add(intake->filling, &slice) < 0)
		return -ENOMEM;
	if (intake->filling->span_count >= intake->batch_size)
		close_filling(intake);
	return 0;
}

/* What is open of a record that is too large, or that was begun before a restart. */
static int take_parts(struct intake *intake, const struct record *record)
{
	struct job *parts = NULL, **tail = &parts;
	uint32_t from, to, at = 0;
	uint64_t most =
		intake->max_request_bytes * units_of(record) / (record->raw_bytes + (uint64_t)1);
	if (most == 0)
		most = 1;
	if (most > intake->max_units)
		most = intake->max_units;
	while (delivery_open_range(
		intake->delivery, record->sequence, units_of(record), at, &from, &to)) {
		at = to - from > most ? from + (uint32_t)most : to;
		struct slice slice = slice_of(record, from, at);
		struct job *part = job_new(record->signal, record->encoding);
		if (!part || job_add(part, &slice) < 0) {
			job_free(part);
			job_free_all(parts);
			return -ENOMEM;
		}
		*tail = part;
		tail = &part->next;
	}
	close_filling(intake);
	append(&intake->ready, parts);
	return 0;
}

static bool is_taken(const struct intake *intake, const struct record *record)
{
	return record->signal >= SIGNAL_TRACES && (int)record->signal < SIGNAL_COUNT &&
		intake->takes[record->signal];
}

static bool is_ours(const struct intake *intake, const struct record *record)
{
	return is_taken(intake, record) && record->signal == intake->signal;
}

/* Takes the record or gives it back. */
static int take(struct intake *intake, struct record *record, uint64_t now_ms)
{
	uint32_t from, to, count = units_of(record);
	int error = 0;
	bool is_open = is_taken(intake, record) &&
		delivery_open_range(intake->delivery, record->sequence, count, 0, &from, &to);
	if (is_open)
		delivery_expect(intake->delivery, record->sequence, count);
	if (!is_open || !is_ours(intake, record)) {
		record_release(record);
		return 0;
	}
	bool is_whole = from == 0 && to == count && count <= intake->max_units;
	if (is_whole && (record->raw_bytes <= intake->max_request_bytes || count == 1)) {
		error = join(intake, record, now_ms);
		if (!error)
			return 0;
	} else {
		error = take_parts(intake, record);
	}
	if (error)
		spool_reader_seek(intake->reader, record->sequence);
	record_release(record);
	return error;
}

struct job *intake_next(struct intake *intake, uint64_t now_ms)
{
	struct record *record;
	while (!intake->ready && spool_reader_next(intake->reader, &record) == 0) {
		uint64_t sequence = record->sequence;
		if (take(intake, record, now_ms) < 0)
			return NULL;
		intake->taken_below = sequence + 1;
	}
	if (!intake->ready && intake->filling && (intake->in_hurry || now_ms >= intake->due_ms))
		close_filling(intake);
	struct job *job = intake->ready;
	if (job) {
		intake->ready = job->next;
		job->next = NULL;
	}
	return job;
}

uint64_t intake_handed_below(const struct intake *intake)
{
	const struct job *next = intake->ready ? intake->ready : intake->filling;
	return next ? next->slices[0].sequence : spool_reader_position(intake->reader);
}

bool intake_is_empty(const struct intake *intake)
{
	return !intake->ready && !intake->filling;
}

void intake_done(struct intake *intake)
{
	job_free_all(intake->ready);
	job_free(intake->filling);
	intake->ready = intake->filling = NULL;
}

uint64_t intake_drop_job(struct intake *intake, const struct job *job, enum outcome outcome)
{
	for (size_t i = 0; i < job->slice_count; i++) {
		const struct slice *slice = &job->slices[i];
		delivery_mark(intake->delivery, slice->sequence, slice->from, slice->to, outcome);
	}
	return job->span_count;
}

void intake_lose(struct intake *intake, const struct record *head)
{
	if (is_ours(intake, head) && head->sequence >= intake->taken_below)
		delivery_give_up(intake->delivery, head->sequence, units_of(head), OUTCOME_DAMAGED);
}

uint64_t intake_drop(struct intake *intake, uint64_t sequence)
{
	uint64_t dropped = 0, bytes = 0;
	close_filling(intake);
	while (intake->ready &&
		intake->ready->slices[intake->ready->slice_count - 1].sequence < sequence) {
		struct job *job = intake->ready;
		intake->ready = job->next;
		dropped += intake_drop_job(intake, job, OUTCOME_DROPPED);
		job_free(job);
	}
	struct record *record;
	while (!intake->ready && bytes < DROP_MAX_BYTES &&
		spool_reader_position(intake->reader) < sequence &&
		spool_reader_next(intake->reader, &record) == 0) {
		if (record->sequence >= sequence)
			spool_reader_seek(intake->reader, record->sequence);
		else if (is_ours(intake, record))
			dropped += delivery_give_up(intake->delivery, record->sequence,
				units_of(record), OUTCOME_DROPPED);
		bytes += record->raw_bytes;
		record_release(record);
	}
	return dropped;
}
