#include "base/clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id, uint64_t per_second)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * per_second +
		(uint64_t)now.tv_nsec / (1000000000 / per_second);
}

uint64_t clock_unix_ns(void)
{
	return read_clock(CLOCK_REALTIME, 1000000000);
}

uint64_t clock_monotonic_ms(void)
{
	return read_clock(CLOCK_MONOTONIC, 1000);
}
