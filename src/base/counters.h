/*
 * What happened since the start, in numbers that any thread may add to and anyone may read.
 * What belongs to one destination is counted there (export/exporter.h), what to a vocabulary there.
 */
#ifndef TG_BASE_COUNTERS_H
#define TG_BASE_COUNTERS_H

#include <stdint.h>

enum counter {
	COUNTER_REQUESTS_RECEIVED,

	COUNTER_REFUSED_MALFORMED, /* requests, by why; up to STOPPING */
	COUNTER_REFUSED_UNAUTHORIZED,
	COUNTER_REFUSED_FORBIDDEN,
	COUNTER_REFUSED_NOT_FOUND,
	COUNTER_REFUSED_METHOD,
	COUNTER_REFUSED_TIMEOUT,
	COUNTER_REFUSED_TOO_LARGE,
	COUNTER_REFUSED_UNSUPPORTED,
	COUNTER_REFUSED_LOOP,
	COUNTER_REFUSED_OVERLOADED,
	COUNTER_REFUSED_DISK_FULL,
	COUNTER_REFUSED_DISK_ERROR,
	COUNTER_REFUSED_STOPPING,

	COUNTER_SPANS_RECEIVED,
	COUNTER_REJECTED_WITHOUT_IDS, /* spans, by why; up to LOOKS_LIKE_LOGS */
	COUNTER_REJECTED_LOOKS_LIKE_LOGS,
	COUNTER_SPANS_STORED,

	COUNTER_SPANS_PRICED, /* model calls with usage, by what the price table says; up to UNPRICED */
	COUNTER_SPANS_UNKNOWN_MODEL,
	COUNTER_SPANS_UNPRICED,

	COUNTER_LACKING_SESSION, /* AI spans, by what nobody says of them; up to VERSION */
	COUNTER_LACKING_USER,
	COUNTER_LACKING_TAGS,
	COUNTER_LACKING_TRACE_NAME,
	COUNTER_LACKING_ENVIRONMENT,
	COUNTER_LACKING_RELEASE,
	COUNTER_LACKING_VERSION,
	COUNTER_COST_SAME, /* model calls whose sender said a cost too, by what ours is; up to THEIRS */
	COUNTER_COST_HIGHER,
	COUNTER_COST_LOWER,
	COUNTER_COST_THEIRS, /* there is none of ours */

	COUNTER_USAGE_ASSUMED, /* model calls whose tokens are not plain; up to WITHHELD */
	COUNTER_USAGE_CONTRADICTORY,
	COUNTER_USAGE_WITHHELD,

	COUNTER_REPAIRED_VALUELESS, /* for Langfuse; up to PROMPT */
	COUNTER_REPAIRED_ZERO_PARENT,
	COUNTER_REPAIRED_STRUCTURED,
	COUNTER_REPAIRED_TIME,
	COUNTER_REPAIRED_REPEATED_USAGE, /* spans, as the next */
	COUNTER_REPAIRED_LOST_USAGE,
	COUNTER_REPAIRED_PROMPT,

	COUNTER_LOGS_RECEIVED,    /* log records */
	COUNTER_METRICS_RECEIVED, /* metrics */
	COUNTER_HOOKS_RECEIVED,
	COUNTER_INGESTION_OF_TRACES, /* events that OTLP carries better */
	COUNTER_UNWANTED_LOGS,       /* that no destination takes; the next too */
	COUNTER_UNWANTED_METRICS,
	COUNTER_INGESTION_STORED, /* events of Langfuse's own API, until it takes them */

	COUNTER_EVENTS_TAKEN, /* of coding CLIs, by what became of them; up to CROWDED_OUT */
	COUNTER_EVENTS_REPEATED,
	COUNTER_EVENTS_LATE,  /* their turn was over */
	COUNTER_EVENTS_ALONE, /* their partner did not come in time */
	COUNTER_EVENTS_SESSIONLESS,
	COUNTER_EVENTS_UNREADABLE,  /* requests */
	COUNTER_EVENTS_CROWDED_OUT, /* their turn was ended for want of room */
	COUNTER_NATIVE_COMPLETED,   /* spans of coding CLIs; up to DROPPED */
	COUNTER_NATIVE_KEPT,
	COUNTER_NATIVE_DROPPED,
	COUNTER_TURNS_ENDED,
	COUNTER_SPANS_SYNTHESIZED,

	COUNTER_SPOOL_RECORDS_DAMAGED,
	COUNTER_SPOOL_TAILS_CUT,
	COUNTER_SPOOL_SYNC_FAILURES,
	COUNTER_COUNT,
};

void counter_add(enum counter counter, uint64_t n);
uint64_t counter_read(enum counter counter);

/* All of a group, first and last included. */
uint64_t counter_sum(enum counter first, enum counter last);

/* The stable snake_case name. Of a group all begin with the same word: "refused_", "rejected_", "spans_". */
const char *counter_name(enum counter counter);

#endif
