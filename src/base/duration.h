/* Spans of time as people write them on a command line. */
#ifndef TG_BASE_DURATION_H
#define TG_BASE_DURATION_H

#include <stdint.h>

#include "base/complaint.h"

/*
 * The moment that "since" means: "7d", "24h", "30m" or "90s" ago, or a date such as "2026-11-01", which is
 * its midnight in the local time zone. Never before 1970 or after now.
 *
 *   now_ns, ret_ns  Unix time
 *
 * -EINVAL with words.
 */
int duration_since(
	const char *text, uint64_t now_ns, uint64_t *ret_ns, struct complaint *complaint);

#endif
