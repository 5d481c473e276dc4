/*
 * The inside of the spool: what the writer, the readers and the recovery share.
 *
 *   recover.c  what is on the disk at start
 *   space.c    which files there are: full ones, free ones, the next one; limits
 *   writer.c   batches → groups → disk → callbacks
 *   reader.c   records in order, and what may be let go
 *
 * One lock guards the lists, and is never held while the disk works. What only the writer changes is
 * read by it without the lock and changed under it.
 */
#ifndef TG_SPOOL_LOG_H
#define TG_SPOOL_LOG_H

#include <stdatomic.h>

#include "base/buf.h"
#include "spool/block.h"
#include "spool/segment.h"
#include "spool/spool.h"
#include "spool/walk.h"

enum { SEEN_COUNT = 64 }; /* power of two */

struct spool_reader {
	struct spool *spool;
	struct spool_reader
		*next; /* guarded by readers_lock and lock: one to read, both to change */
	bool has_lane;
	char lane[LANE_NAME_MAX + 1];
	uint64_t lane_bit;
	enum stage stage;
	unsigned shapes;
	void (*wake)(void *arg);
	void *wake_arg;
	void (*lost)(void *arg, const struct record *head); /* its thread's alone; may be NULL */
	void *lost_arg;
	bool is_freed;     /* what it kept stays kept */
	bool is_uncounted; /* guarded by lock */

	_Atomic uint64_t position;
	uint64_t keep;      /* guarded by lock, as all up to `walk` */
	uint64_t max_bytes; /* kept for it; UINT64_MAX: as much as it needs */
	/* What was read and is kept, oldest first, as far as there is room: tells the age of what waits. */
	struct {
		uint64_t sequence, received_ns;
	} seen[SEEN_COUNT];
	size_t seen_first, seen_count;
	uint64_t finished_ns; /* received_ns of the last that is no longer kept */

	struct walk walk; /* its thread's alone */
};

struct spool {
	struct spool_options options;
	int directory;
	struct cache cache;

	pthread_mutex_t lock;
	pthread_cond_t work; /* with lock: the writer has something to do */

	/* Guarded by lock. */
	struct segment **segments; /* oldest first; the last one is written to, or was */
	size_t segment_count, segment_capacity;
	struct segment *free; /* files that hold nothing any more */
	uint64_t next_sequence;
	uint64_t floor;        /* all below is let go */
	uint64_t counted_from; /* what is kept from here on counts to max_bytes */
	uint64_t commits;
	uint64_t written_ms; /* when the last commit was, monotonic */
	struct batch *waiting, **waiting_end;
	bool is_writing; /* nothing is let go before */
	bool is_stopping;
	bool wants_shrink;
	struct spool_reader *readers;

	pthread_mutex_t readers_lock; /* held while readers are woken; taken before lock */

	_Atomic int refusal; /* of the last write, which appends get without trying, */
	_Atomic uint64_t refusal_until_ms;
	_Atomic uint64_t kept_bytes;
	_Atomic bool is_disk_low;

	/* The writer's. */
	struct segment *active; /* the last segment, when fd is open */
	int fd;                 /* -1: the next commit starts another segment */
	uint32_t uses;          /* of segments so far: upper half of the generation */
	uint32_t next_id;
	struct buf joined, packed;
};

static inline struct segment *spool_last(struct spool *spool)
{
	return spool->segment_count ? spool->segments[spool->segment_count - 1] : NULL;
}

/* Bytes of the records from `sequence` on: an estimate, as if all were of one size. */
uint64_t segment_bytes_from(const struct segment *segment, uint64_t sequence);

/* spool_sequence_within, with lock held. */
uint64_t space_sequence_within(const struct spool *spool, uint64_t bytes);

/* Reads the directory. 0 or negative errno: never because of what a segment holds. */
int recover(struct spool *spool);

/* Puts a segment at the end of the list; with lock held, or before there are threads. */
int space_push(struct spool *spool, struct segment *segment);

/* Lets go what no reader keeps. With lock held. */
void space_release(struct spool *spool);

/* Why nothing can be stored now, or 0; looks at the disk. */
int space_check(struct spool *spool);

/* Remembers a failure for a moment, so that not each request runs into it. */
void space_refuse(struct spool *spool, int error);

/*
 * Makes spool->active a segment with room for so many bytes behind what it holds, whose last sequence
 * is the one before spool->next_sequence. In the writer.
 */
int space_reserve(struct spool *spool, uint64_t bytes);

/* Seals the active segment and leaves it. */
void space_retire(struct spool *spool);

/* Starts the log over in the same file when all is finished, and gives its blocks back. */
void space_shrink(struct spool *spool);

#endif
