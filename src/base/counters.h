/*
 * What happened since the start, in numbers that any thread may add to and anyone may read.
 * What belongs to one destination is counted there (export/exporter.h).
 */
#ifndef TG_BASE_COUNTERS_H
#define TG_BASE_COUNTERS_H

#include <stdint.h>

enum counter {
	COUNTER_REQUESTS_RECEIVED,
	COUNTER_REQUESTS_REFUSED,
	COUNTER_SPANS_RECEIVED,
	COUNTER_SPANS_REJECTED,
	COUNTER_SPANS_STORED,
	COUNTER_SPANS_PRICED,
	COUNTER_SPANS_UNKNOWN_MODEL,
	COUNTER_SPANS_UNPRICED,
	COUNTER_REPAIRED_VALUELESS,
	COUNTER_REPAIRED_ZERO_PARENT,
	COUNTER_REPAIRED_STRUCTURED,
	COUNTER_SPOOL_RECORDS_DAMAGED,
	COUNTER_SPOOL_TAILS_CUT,
	COUNTER_SPOOL_SYNC_FAILURES,
	COUNTER_COUNT,
};

void counter_add(enum counter counter, uint64_t n);
uint64_t counter_read(enum counter counter);

/* The stable snake_case name: in log lines now, in metrics with a prefix. */
const char *counter_name(enum counter counter);

#endif
