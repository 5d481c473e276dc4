/*
 * The durable log between doors and destinations.
 *
 * A log of recycled segments, written with O_DIRECT by one writer that commits everything that waits
 * with one fdatasync, and then calls each batch back. Chosen over a database because damage stays in
 * one record, disk and memory come back after an outage, and a full disk can always be drained. It
 * never refuses to start: torn tails are cut, bad records are skipped and counted.
 *
 * Records are numbered from 1 without gaps in the order of commit. A reader walks the records of one
 * lane; what no reader keeps any more is recycled, a segment at a time.
 *
 * Threads: append, readers and the figures from any thread (each reader from one at a time, but its lag
 * from any); spool_write is the writer's body; open, stop and close from the thread that starts the others.
 *
 * Order at start: open, ALL readers that have something waiting, then spool_write. Nothing is let go
 * before spool_write runs; after that, what the readers there are do not keep is gone.
 */
#ifndef TG_SPOOL_SPOOL_H
#define TG_SPOOL_SPOOL_H

#include <stdbool.h>

#include "batch.h"

struct spool;
struct spool_reader;

struct spool_options {
	const char *directory; /* exists, private; the segments are made in it */
	uint64_t segment_bytes;
	uint64_t max_bytes;        /* of kept records; over it appends fail with -ENOSPC */
	uint64_t min_free_bytes;   /* of the file system; below it appends fail with -ENOSPC */
	uint64_t max_record_bytes; /* raw bytes that merging may reach */
	uint64_t cache_bytes;      /* newest stored bytes kept in memory for readers */
	bool compress;             /* gzip, else as they are */
};

enum encoding { ENCODING_IDENTITY = 0, ENCODING_GZIP = 1 };

/* What is known of a stored record, and its bytes. */
struct record {
	uint64_t sequence;
	uint64_t received_ns; /* of the oldest request in it */
	char lane[LANE_NAME_MAX + 1];
	enum signal signal;
	enum stage stage;
	enum shape shape;
	enum encoding encoding;
	uint32_t span_count;
	uint32_t raw_bytes; /* length of the request when decoded */
	struct bytes body;  /* as stored, whole and checked */
};

/* 0 or negative errno (the directory cannot be read, no memory): never because of what a file holds. */
int spool_open(const struct spool_options *options, struct spool **ret_spool);
/* After spool_write has returned, or instead of it; readers are freed before, records may be released later. */
void spool_close(struct spool *spool);

/*
 * No number below `sequence` is given any more. For the start, with deliveries_end: after the loss of the
 * log's files new records must not get numbers that count as delivered somewhere.
 */
void spool_begin_at(struct spool *spool, uint64_t sequence);

/* The writer: returns after spool_stop, when all that waited is committed. */
void spool_write(struct spool *spool);
void spool_stop(struct spool *spool);

/*
 * Hands the batch over until batch->committed is called (always, once, in the writer's thread; after
 * spool_stop in the caller's or that of spool_close). Batches equal in lane, stage, signal and shape that
 * wait together become one record.
 *
 * Errors reported there: -ENOSPC over max_bytes, below min_free_bytes or disk full; -EIO after a failed
 * write or sync (nothing is acknowledged until another segment's header has reached the disk); -ENOMEM;
 * -ESHUTDOWN after spool_stop. Each passes; the sender is asked to come again.
 */
void spool_append(struct spool *spool, struct batch *batch);

/*
 * Why an append would fail now, without trying: 0, -ENOSPC or -EIO. For doors that want to refuse
 * before they read a body. Cheap.
 */
int spool_status(struct spool *spool);

/*
 * A reader of the records of one lane and stage that have one of the shapes.
 *
 *   lane      NULL: of every lane
 *   shapes    enum shape values or-ed
 *   from      sequence to begin with, also for spool_begin_at; what is gone already is passed over
 *   wake      called (in the writer's thread, briefly) after each commit; may be NULL; calls nothing here
 *
 * Everything from `from` on is kept until spool_reader_keep says otherwise, beyond spool_reader_free too,
 * so that the order in which readers end lets nothing go that another start needs. NULL: no memory.
 */
struct spool_reader *spool_reader_new(struct spool *spool, const char *lane, enum stage stage,
	unsigned shapes, uint64_t from, void (*wake)(void *arg), void *wake_arg);
void spool_reader_free(struct spool_reader *reader);

/*
 * The next record, in order: 0 and a record to be given back with record_release (from any thread,
 * also after the reader's end), -EAGAIN at the end of the log, or -ENOMEM when memory or descriptors are
 * short for the moment. A damaged record is skipped and counted, never returned.
 */
int spool_reader_next(struct spool_reader *reader, struct record **ret_record);
void record_release(struct record *record);

/*
 * The same without the body, which is not read and not checked: body.at is NULL, body.len what is stored.
 * Nothing is to be given back.
 */
int spool_reader_next_head(struct spool_reader *reader, struct record *ret_head);

/*
 * Tells, in the reader's thread, of each record that is skipped because its body is damaged; again when
 * it comes by again. Of one whose head is damaged nothing is known.
 */
void spool_reader_report_loss(
	struct spool_reader *reader, void (*lost)(void *arg, const struct record *head), void *arg);

/* Where the reader stands: every record below is read or was not for it. */
uint64_t spool_reader_position(const struct spool_reader *reader);

/* Goes on at `sequence`, forward or back (not below what is kept). */
void spool_reader_seek(struct spool_reader *reader, uint64_t sequence);

/*
 * All records below are finished with; segments that nobody keeps are recycled. Never goes back. A reader
 * that stands before `sequence` goes on there. After SPOOL_KEEP_NOTHING it is only to be freed, and then
 * nothing is kept for it.
 */
#define SPOOL_KEEP_NOTHING UINT64_MAX
void spool_reader_keep(struct spool_reader *reader, uint64_t sequence);

/*
 * From now on the reader keeps at most the newest `max_bytes`, read or not, for as long as it lives: one
 * whose slowness must never cost the others room. What is gone when it comes there is passed over.
 */
void spool_reader_bound(struct spool_reader *reader, uint64_t max_bytes);

/*
 * What it alone keeps does not count to the spool's max_bytes: for one that lets go soon whatever comes, so
 * that no door closes for it.
 */
void spool_reader_uncounted(struct spool_reader *reader);

/* How far a reader is behind; approximate to a segment for bytes. */
struct spool_lag {
	uint64_t records; /* of all lanes, from what is kept to the end */
	uint64_t bytes;
	uint64_t oldest_ns; /* received_ns of the oldest kept record, or a little before; 0: none */
};
struct spool_lag spool_reader_lag(struct spool_reader *reader);

/* The smallest sequence such that at most `bytes` are stored from it on (to a segment). */
uint64_t spool_sequence_within(struct spool *spool, uint64_t bytes);

struct spool_figures {
	uint64_t whole_from; /* from here on nothing was let go and no file is missing */
	uint64_t next_sequence;
	uint64_t kept_bytes; /* in records that somebody keeps, but for readers that do not count */
	uint64_t disk_bytes; /* of all segment files, the free ones too */
	uint64_t segments;
	uint64_t commits;
	int failure; /* of the last write: 0, -ENOSPC or -EIO */
};
struct spool_figures spool_figures(struct spool *spool);

/*
 * Looks at the free space, and gives free segments back to the file system when there are many or nothing
 * was written for half a minute. Call it each second: spool_status does not look at the disk itself.
 */
void spool_tick(struct spool *spool);

#endif
