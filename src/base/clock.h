/* The two clocks: Unix time for what is stored and priced, monotonic time for waiting. */
#ifndef TG_BASE_CLOCK_H
#define TG_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_unix_ns(void);
uint64_t clock_monotonic_ms(void);

#endif
