#include "export/job.h"

#include <errno.h>
#include <stdlib.h>

#include "base/lines.h"
#include "export/content.h"
#include "export/ingestion.h"
#include "http/compression.h"
#include "otlp/request.h"

/* What cutting and rewriting may take. */
static size_t work_bytes(const struct job *job)
{
	size_t bytes = CONTENT_WORK_BYTES;
	for (size_t i = 0; i < job->slice_count; i++)
		bytes += (size_t)CONTENT_WORK_FACTOR * job->slices[i].raw_bytes;
	return bytes;
}

struct job *job_new(enum signal signal, enum encoding encoding)
{
	struct job *job = calloc(1, sizeof *job);
	if (job) {
		job->signal = signal;
		job->encoding = encoding;
	}
	return job;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	job_unload(job);
	if (job->trial && --job->trial->holders == 0)
		free(job->trial);
	free(job->slices);
	free(job);
}

void job_free_all(struct job *jobs)
{
	while (jobs) {
		struct job *job = jobs;
		jobs = job->next;
		job_free(job);
	}
}

int job_add(struct job *job, const struct slice *slice)
{
	size_t count = job->slice_count;
	if ((count & (count - 1)) == 0) { /* full at every power of two */
		struct slice *more = realloc(job->slices, (count ? count * 2 : 1) * sizeof *more);
		if (!more)
			return -ENOMEM;
		job->slices = more;
	}
	uint32_t spans = slice->to - slice->from;
	job->slices[job->slice_count++] = *slice;
	job->span_count += spans;
	job->raw_bytes += (uint64_t)slice->raw_bytes * spans / slice->span_count;
	return 0;
}

static bool is_part(const struct slice *slice)
{
	return slice->to - slice->from < slice->span_count;
}

static int fetch(struct slice *slice, struct spool_reader *reader)
{
	struct record *record;
	if (slice->record)
		return 0;
	if (spool_reader_position(reader) != slice->sequence)
		spool_reader_seek(reader, slice->sequence);
	int error = spool_reader_next(reader, &record);
	if (error)
		return error == -EAGAIN ? -ENOENT : error;
	if (record->sequence != slice->sequence) {
		record_release(record);
		return -ENOENT;
	}
	slice->record = record;
	return 0;
}

static int inflate(struct job *job, struct bytes body, size_t max_bytes)
{
	buf_done(&job->inflated);
	buf_init(&job->inflated, max_bytes, NULL);
	int error = gzip_inflate(body, &job->inflated);
	return error == -E2BIG ? -EBADMSG : error;
}

/* The spans of a slice as the destination may have them, in the job's memory or the record's. */
static int make_plain(struct job *job, const struct slice *slice,
	const struct destination_config *config, struct bytes *ret_plain)
{
	const struct record *record = slice->record;
	struct bytes plain = record->body;
	int error = 0;
	if (record->encoding == ENCODING_GZIP) {
		error = inflate(job, plain, record->raw_bytes);
		plain = buf_bytes(&job->inflated);
	}
	if (!error && is_part(slice))
		error = request_cut(plain, slice->from, slice->to, &job->arena, &plain);
	if (!error && config->content != CONTENT_FULL)
		error = content_rewrite(config, plain, &job->arena, &plain);
	if (error)
		return error == -ENOMEM ? error : -EBADMSG;
	*ret_plain = plain;
	return 0;
}

/* Appends to `packed`; where that will be at the end is not known before. */
static int pack(struct job *job, struct bytes *piece)
{
	size_t before = job->packed.len;
	int error = gzip_compress(*piece, &job->packed);
	*piece = (struct bytes){ NULL, job->packed.len - before };
	buf_done(&job->inflated);
	arena_done(&job->arena);
	return error;
}

/* Stored compressed, sent compressed: a limit on bytes sent must not refuse a half that is smaller. */
static int make_pieces(struct job *job, const struct destination_config *config)
{
	bool is_packed = job->encoding == ENCODING_GZIP;
	int error = 0;
	arena_init(&job->arena, work_bytes(job), NULL);
	buf_init(&job->packed, SIZE_MAX / 2, NULL);
	for (size_t i = 0; i < job->slice_count && !error; i++) {
		error = make_plain(job, &job->slices[i], config, &job->pieces[i]);
		if (!error && is_packed)
			error = pack(job, &job->pieces[i]);
	}
	const uint8_t *at = job->packed.at;
	for (size_t i = 0; i < job->slice_count && is_packed && !error; i++) {
		job->pieces[i].at = at;
		at += job->pieces[i].len;
	}
	return error;
}

static int add_lines(struct job *job, const struct slice *slice)
{
	const struct record *record = slice->record;
	struct bytes lines = record->body;
	int error = 0;
	if (record->encoding == ENCODING_GZIP) {
		error = inflate(job, lines, record->raw_bytes);
		lines = buf_bytes(&job->inflated);
	}
	if (!error && is_part(slice))
		lines = lines_cut(lines, slice->from, slice->to);
	if (!error)
		buf_append(&job->packed, lines.at, lines.len);
	return error ? error : job->packed.error;
}

/* Records of events are not what is sent: JSON stands around and between them. */
static int make_events(struct job *job)
{
	int error = 0;
	buf_init(&job->packed, SIZE_MAX / 2, NULL);
	for (size_t i = 0; i < job->slice_count && !error; i++)
		error = add_lines(job, &job->slices[i]);
	buf_done(&job->inflated);
	if (!error)
		error = ingestion_wrap(buf_bytes(&job->packed), job->span_count, job->pieces);
	return error == -ENOMEM ? error : error ? -ENOENT : 0;
}

static int make_requests(struct job *job, const struct destination_config *config)
{
	bool is_full = config->content == CONTENT_FULL;
	int error = 0;
	for (size_t i = 0; i < job->slice_count; i++)
		job->pieces[i] = job->slices[i].record->body;
	if (!is_full || is_part(&job->slices[0]))
		error = make_pieces(job, config);
	return error == -EBADMSG && !is_full ? -ENOENT : error;
}

int job_load(struct job *job, struct spool_reader *reader, const struct destination_config *config)
{
	if (job->pieces)
		return 0;
	bool is_events = job->signal == SIGNAL_INGESTION;
	int error = 0;
	for (size_t i = 0; i < job->slice_count && !error; i++)
		error = fetch(&job->slices[i], reader);
	job->piece_count = is_events ? ingestion_piece_count(job->span_count) : job->slice_count;
	if (!error && !(job->pieces = calloc(job->piece_count, sizeof *job->pieces)))
		error = -ENOMEM;
	if (!error)
		error = is_events ? make_events(job) : make_requests(job, config);
	if (error && error != -EBADMSG)
		job_unload(job);
	return error;
}

void job_unload(struct job *job)
{
	for (size_t i = 0; i < job->slice_count; i++) {
		if (job->slices[i].record)
			record_release(job->slices[i].record);
		job->slices[i].record = NULL;
	}
	free(job->pieces);
	job->pieces = NULL;
	arena_done(&job->arena);
	buf_done(&job->inflated);
	buf_done(&job->packed);
}

int job_plain(struct job *job, struct bytes *ret_plain)
{
	struct bytes plain =
		job->signal == SIGNAL_INGESTION ? buf_bytes(&job->packed) : job->pieces[0];
	if (job->signal != SIGNAL_INGESTION && job->encoding == ENCODING_GZIP) {
		int error = inflate(job, plain, work_bytes(job));
		if (error)
			return error;
		plain = buf_bytes(&job->inflated);
	}
	*ret_plain = plain;
	return 0;
}

static struct job *make_piece(const struct job *from, struct slice slice, struct trial *trial)
{
	struct job *job = job_new(from->signal, from->encoding);
	slice.record = NULL;
	if (!job || job_add(job, &slice) < 0) {
		job_free(job);
		return NULL;
	}
	job->lane = from->lane;
	job->is_left_behind = from->is_left_behind;
	job->trial = trial;
	if (trial)
		trial->holders++;
	return job;
}

static int separate(const struct job *job, struct job **ret_jobs)
{
	struct job *made = NULL, **tail = &made;
	for (size_t i = 0; i < job->slice_count; i++, tail = &(*tail)->next)
		if (!(*tail = make_piece(job, job->slices[i], NULL))) {
			job_free_all(made);
			return -ENOMEM;
		}
	*ret_jobs = made;
	return 0;
}

static int halve(struct job *job, struct job **ret_jobs)
{
	if (!job->trial) {
		job->trial = calloc(1, sizeof *job->trial);
		if (!job->trial)
			return -ENOMEM;
		*job->trial = (struct trial){ .holders = 1, .open_spans = job->span_count };
	}
	struct slice first = job->slices[0], second = first;
	first.to = second.from = first.from + job->span_count / 2;
	struct job *one = make_piece(job, first, job->trial);
	struct job *other = make_piece(job, second, job->trial);
	if (!one || !other) {
		job_free(one);
		job_free(other);
		return -ENOMEM;
	}
	one->next = other;
	*ret_jobs = one;
	return 0;
}

int job_split(struct job *job, struct job **ret_jobs)
{
	if (job->span_count < 2)
		return -EINVAL;
	return job->slice_count > 1 ? separate(job, ret_jobs) : halve(job, ret_jobs);
}

/* The run of spans that are left at or behind `*at` of a slice; false: none is. */
static bool next_run(
	const struct slice *slice, const bool *is_left, uint32_t *at, struct slice *ret_run)
{
	uint32_t from = *at;
	while (from < slice->to && !is_left[from - slice->from])
		from++;
	for (*at = from; *at < slice->to && is_left[*at - slice->from];)
		(*at)++;
	*ret_run = *slice;
	ret_run->from = from;
	ret_run->to = *at;
	return from < *at;
}

int job_leave(const struct job *job, const bool *is_left, struct job **ret_jobs)
{
	struct job *made = NULL, **tail = &made;
	struct slice run;
	for (size_t i = 0; i < job->slice_count; i++) {
		const struct slice *slice = &job->slices[i];
		for (uint32_t at = slice->from; next_run(slice, is_left, &at, &run);
			tail = &(*tail)->next)
			if (!(*tail = make_piece(job, run, NULL))) {
				job_free_all(made);
				return -ENOMEM;
			}
		is_left += slice->to - slice->from;
	}
	*ret_jobs = made;
	return 0;
}
