/*
 * One request on its way from a door to the disk: an arena and some byte ranges in it.
 *
 * A door makes the batch, the pipeline fills in what shall be stored, the spool's writer calls
 * `committed` once it is on disk (or cannot be). Whoever made it frees it, after that call.
 */
#ifndef TG_BATCH_H
#define TG_BATCH_H

#include "base/arena.h"
#include "base/bytes.h"
#include "otlp/signal.h"

/* out: enriched, for the destinations. in: as it came, waits for its partner. */
enum stage { STAGE_OUT = 1, STAGE_IN = 2 };

/* Which destinations a record is for; most requests suit all and are stored once. */
enum shape {
	SHAPE_ANY = 1,   /* every destination */
	SHAPE_PLAIN = 2, /* other destinations than Langfuse: as sent, with the additions */
	SHAPE_LANGFUSE =
		4, /* Langfuse and the local view: repaired where it would refuse or lose it */
};

enum { LANE_NAME_MAX = 63 };

/* One encoded ExportTraceServiceRequest (or logs, metrics) to be stored. */
struct part {
	struct bytes bytes;
	uint32_t span_count; /* or log records, or metrics, as everywhere below */
	enum shape shape;
	enum stage stage;
};

struct batch {
	struct arena arena;
	const char *lane; /* project, at most LANE_NAME_MAX bytes; outlives the batch */
	enum signal signal;
	uint64_t received_ns; /* Unix time */

	struct part *parts; /* in the arena; stored together or not at all */
	size_t part_count, part_capacity;
	uint32_t span_count;      /* accepted */
	uint32_t rejected_count;  /* spans without valid ids, left out of the parts */
	const char *rejected_why; /* a sentence for the sender; NULL when nothing was rejected */

	/* Set before `committed`: its records have smaller sequences; 0: none was stored. */
	uint64_t stored_below;

	/* Called once, in the spool's writer thread: 0 when all parts are on disk, else negative errno. */
	void (*committed)(struct batch *batch, int error);
	void *owner;        /* of `committed` */
	struct batch *next; /* the spool's, while the batch waits there */
};

#endif
