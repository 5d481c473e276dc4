/*
 * One request to a destination: whole records joined, or a part of one.
 *
 * A job names its spans by record and range; the bytes are there only while it is loaded. A job that
 * waits for another try gives them back and reads them again from the spool, so that an outage costs
 * no memory, however long it lasts.
 */
#ifndef TG_EXPORT_JOB_H
#define TG_EXPORT_JOB_H

#include "base/arena.h"
#include "base/buf.h"
#include "batch.h"
#include "spool/spool.h"

/* Spans [from, to) of a record. */
struct slice {
	uint64_t sequence;
	uint32_t from, to;
	uint32_t span_count;   /* of the whole record; 1 for a record without spans */
	uint32_t raw_bytes;    /* of the whole record */
	struct record *record; /* while loaded */
};

/* Shared by all pieces of a record that was split: whether anything of it was accepted. */
struct trial {
	unsigned holders; /* jobs; the last one frees it */
	uint32_t open_spans;
	bool is_accepted;
};

struct destination_config;
struct lane;

enum { JOB_SLICES_MAX = 256 };

struct job {
	struct job *next;
	enum signal signal;
	enum encoding encoding;
	struct slice *slices; /* by sequence; a part of a record stands alone */
	size_t slice_count;
	uint32_t span_count;
	uint64_t raw_bytes;
	struct trial *trial; /* NULL until its record was split */

	/* While loaded. */
	struct bytes *
		pieces; /* the body, end to end; one per slice, of events as in export/ingestion.h */
	size_t piece_count;
	struct arena arena; /* what was made of records, or in `packed` */
	struct buf inflated, packed;

	/* How it fared (lane.c). */
	struct lane *lane;
	unsigned wave; /* of the lane, when it was sent last */
	unsigned failures;
	unsigned overtaken; /* failures with deliveries of others between them */
	uint64_t overtaken_since_ms;
	uint64_t deliveries_seen; /* the lane's at the last failure */
	uint64_t not_before_ms;
	bool is_left_behind; /* others of its request were taken */
};

/* Empty; NULL without memory. */
struct job *job_new(enum signal signal, enum encoding encoding);

/* Gives the records back too. */
void job_free(struct job *job);
void job_free_all(struct job *jobs);

/* Adds spans, and takes slice->record when it is there. 0 or -ENOMEM, when nothing is taken. */
int job_add(struct job *job, const struct slice *slice);

/*
 * Reads what is not there, and makes of it what the destination gets. Moves the reader, which its owner sets
 * back.
 *
 * -ENOENT: a record is not in the spool any more (damaged), or it is not well formed and content in it
 * cannot be withheld: nothing of it may leave. -EBADMSG: a part whose record is not well formed, so that it
 * cannot be cut: pieces[0] is the whole record as stored. -ENOMEM.
 */
int job_load(struct job *job, struct spool_reader *reader, const struct destination_config *config);
void job_unload(struct job *job);

/* What is sent, as protobuf or lines, of a loaded job with one slice; in its memory. 0, -EBADMSG or -ENOMEM. */
int job_plain(struct job *job, struct bytes *ret_plain);

/*
 * Smaller jobs for the same spans: one per record, or the halves of one, which begin or continue its
 * trial. They have no history. -EINVAL for a single span, -ENOMEM.
 */
int job_split(struct job *job, struct job **ret_jobs);

/*
 * Jobs for those spans alone that `is_left` says, in their order; at least one is. They have no history.
 * -ENOMEM.
 */
int job_leave(const struct job *job, const bool *is_left, struct job **ret_jobs);

#endif
