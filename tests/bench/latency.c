#include "bench/latency.h"

#include <stddef.h>

enum { BUCKETS = sizeof(((struct latency *)0)->buckets) / sizeof(uint32_t) };

/* 64 buckets of 1 us, then 32 for each doubling. */
static size_t bucket_of(uint64_t us)
{
	if (us < 64)
		return us;
	unsigned shift = 58 - (unsigned)__builtin_clzll(us);
	size_t bucket = shift * 32 + (size_t)(us >> shift);
	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double upper_edge_us(size_t bucket)
{
	if (bucket < 64)
		return (double)(bucket + 1);
	unsigned shift = (unsigned)(bucket / 32 - 1);
	return (double)((uint64_t)(bucket % 32 + 33) << shift);
}

void latency_add(struct latency *latency, uint64_t ns)
{
	latency->buckets[bucket_of(ns / 1000)]++;
	latency->samples++;
}

double latency_ms(const struct latency *latency, double share)
{
	double wanted = share * (double)latency->samples, seen = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		seen += latency->buckets[i];
		if (latency->samples && seen >= wanted)
			return upper_edge_us(i) / 1000;
	}
	return 0;
}
