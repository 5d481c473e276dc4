/*
 * A destination that keeps nothing but a mark per span. It reads requests as cheaply as it can,
 * because it shares the machine with what is measured.
 */
#ifndef TG_TESTS_BENCH_SINK_H
#define TG_TESTS_BENCH_SINK_H

#include "bench/tally.h"

/* In memory shared with the driver, which may set `answer` at any time. */
struct sink_report {
	_Atomic int answer;        /* HTTP status; 0: 200. Spans count only when it is 200 */
	_Atomic uint64_t requests; /* answered with 200 */
	_Atomic uint64_t refused;
	_Atomic uint64_t malformed;  /* no whole gzip or protobuf: answered 400 */
	_Atomic uint64_t body_bytes; /* as sent, of those answered with 200 */
	_Atomic uint64_t raw_bytes;  /* inflated */
};

struct sink_job {
	int listener; /* from listener_open */
	struct tally *received;
	struct sink_report *report;
};

struct sink_report *sink_report_new(void);
void sink_report_free(struct sink_report *report);

/* Serves until the process is ended; returns only when it cannot begin. Fits child_start. */
void sink_run(void *sink_job);

#endif
