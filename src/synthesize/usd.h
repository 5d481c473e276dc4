/* Sums of the CLIs' own costs, which they send as doubles: added up as the decimals that those mean. */
#ifndef TG_SYNTHESIZE_USD_H
#define TG_SYNTHESIZE_USD_H

#include "base/arena.h"
#include "base/bytes.h"

/* The shortest decimal that means the double, in 1e-15 USD; what is no amount is 0. */
__int128 usd_read(double usd, struct arena *arena);

/* "0.014446" */
struct bytes usd_text(__int128 amount, struct arena *arena);

#endif
