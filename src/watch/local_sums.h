/*
 * Sums that SQL lacks: sum_fusd(cost_fusd) is exact in 128 bits, as text where 64 are too few;
 * sum_usage(usage) adds JSON objects of tokens bucket by bucket and counts their total anew. Both are
 * NULL over nothing but NULLs.
 */
#ifndef TG_WATCH_LOCAL_SUMS_H
#define TG_WATCH_LOCAL_SUMS_H

#include <sqlite3.h>

/* A result of SQLite. */
int local_sums_register(sqlite3 *db);

#endif
