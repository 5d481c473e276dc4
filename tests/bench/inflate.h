/* All members of a gzip body, with another binding of the library than the daemon's own. */
#ifndef TG_TESTS_BENCH_INFLATE_H
#define TG_TESTS_BENCH_INFLATE_H

#include "base/buf.h"

/* Replaces what `out` holds. False when the body is not whole gzip, or too large for `out`. */
bool inflate_all(struct bytes body, struct buf *out);

#endif
