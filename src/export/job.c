#include "export/job.h"

#include <errno.h>
#include <stdlib.h>

#include "http/compression.h"
#include "otlp/request.h"

enum { PART_SLACK_BYTES = 64 * 1024 };

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

static int inflate(struct job *job, const struct record *record)
{
	buf_done(&job->inflated);
	buf_init(&job->inflated, record->raw_bytes, NULL);
	int error = gzip_inflate(record->body, &job->inflated);
	return error == -E2BIG ? -EBADMSG : error;
}

/* Stored compressed, sent compressed: a limit on bytes sent must not refuse a half that is smaller. */
static int cut(struct job *job, const struct slice *slice, struct bytes *ret_piece)
{
	const struct record *record = slice->record;
	struct bytes whole = record->body;
	size_t limit = (size_t)record->raw_bytes + PART_SLACK_BYTES;
	int error = 0;
	if (record->encoding == ENCODING_GZIP) {
		error = inflate(job, record);
		whole = buf_bytes(&job->inflated);
	}
	if (error)
		return error;
	arena_init(&job->arena, 2 * limit, NULL);
	error = request_cut(whole, slice->from, slice->to, &job->arena, &job->part);
	buf_done(&job->inflated);
	if (error)
		return error == -ENOMEM ? error : -EBADMSG;
	*ret_piece = job->part;
	if (record->encoding == ENCODING_GZIP) {
		buf_init(&job->packed, limit, NULL);
		error = gzip_compress(job->part, &job->packed);
		*ret_piece = buf_bytes(&job->packed);
	}
	return error;
}

int job_load(struct job *job, struct spool_reader *reader)
{
	if (job->pieces)
		return 0;
	int error = 0;
	for (size_t i = 0; i < job->slice_count && !error; i++)
		error = fetch(&job->slices[i], reader);
	if (!error && !(job->pieces = calloc(job->slice_count, sizeof *job->pieces)))
		error = -ENOMEM;
	if (error)
		goto out;
	for (size_t i = 0; i < job->slice_count; i++)
		job->pieces[i] = job->slices[i].record->body;
	if (is_part(&job->slices[0]))
		error = cut(job, &job->slices[0], &job->pieces[0]);
out:
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
	job->part = (struct bytes){ 0 };
}

int job_plain(struct job *job, struct bytes *ret_plain)
{
	const struct record *record = job->slices[0].record;
	if (is_part(&job->slices[0])) {
		*ret_plain = job->part;
	} else if (record->encoding == ENCODING_IDENTITY) {
		*ret_plain = record->body;
	} else {
		int error = inflate(job, record);
		if (error)
			return error;
		*ret_plain = buf_bytes(&job->inflated);
	}
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
