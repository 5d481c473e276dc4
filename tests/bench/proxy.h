/* What it costs to stand in front of Langfuse: Tollgate alone, for no peer does that. */
#ifndef TG_TESTS_BENCH_PROXY_H
#define TG_TESTS_BENCH_PROXY_H

#include <stdint.h>

struct proxy_load {
	uint64_t requests;       /* of each kind, directly and through Tollgate */
	unsigned streams;        /* open at once */
	uint64_t body_bytes;     /* of one body */
	unsigned connections;    /* of the spans beside the streams */
	double spans_per_second; /* of them */
	double seconds;          /* that they come */
};

/* Each prints its lines. 0 or negative errno, which is told. */
int proxy_measure_latency(const struct proxy_load *load);
int proxy_measure_streams(const struct proxy_load *load);
int proxy_measure_bodies(const struct proxy_load *load);

#endif
