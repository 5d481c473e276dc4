/*
 * The load generator: keep-alive connections that post stamped payloads and mark in a tally what was
 * acknowledged. Closed-loop (each connection sends again when it is answered) or paced.
 *
 * A refusal that asks to come again (429, 502, 503, 504) is tried again with the same ids.
 */
#ifndef TG_TESTS_BENCH_LOAD_H
#define TG_TESTS_BENCH_LOAD_H

#include <stdbool.h>

#include "bench/latency.h"
#include "bench/payload.h"
#include "bench/tally.h"

struct load_job {
	int port; /* on 127.0.0.1 */
	enum payload_case payload;
	bool is_json;
	unsigned connections;
	uint64_t seed;
	uint64_t first;          /* number of the first span */
	uint64_t spans;          /* send these many, rounded up to whole requests */
	double spans_per_second; /* 0: closed-loop */
	bool ends_with_server;   /* a broken connection is not opened again */
	struct tally *acknowledged;
	struct load_report *report;
};

/* In memory shared with the driver. */
struct load_report {
	_Atomic uint64_t requests; /* acknowledged */
	_Atomic uint64_t refused;  /* asked to come again */
	_Atomic uint64_t failed;   /* answered otherwise: these are not sent again */
	_Atomic uint64_t broken;   /* connections that ended before the answer */
	_Atomic uint64_t next;     /* first span number that was not sent */
	uint64_t began_ns;
	uint64_t ended_ns;
	/* From when a request was due, so that a paced generator which falls behind shows it. */
	struct latency latency;
};

/* A report that children share; NULL when there is no memory. */
struct load_report *load_report_new(void);
void load_report_free(struct load_report *report);

/* Returns when all is acknowledged or failed, or no connection is left; negative errno when it cannot begin. */
int load_run(const struct load_job *job);

/* load_run for child_start; the process ends with 1 when it could not begin. */
void load_child(void *load_job);

#endif
