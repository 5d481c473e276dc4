/* Latencies counted in buckets of about 3 %, from one microsecond to days. */
#ifndef TG_TESTS_BENCH_LATENCY_H
#define TG_TESTS_BENCH_LATENCY_H

#include <stdint.h>

struct latency {
	uint64_t samples;
	uint32_t buckets[1312];
};

void latency_add(struct latency *latency, uint64_t ns);

/* The value in milliseconds that `share` (0.5, 0.99) of the samples do not exceed; 0 without samples. */
double latency_ms(const struct latency *latency, double share);

#endif
