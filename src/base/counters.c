#include "base/counters.h"

#include <stdatomic.h>

static const char *const names[COUNTER_COUNT] = {
	[COUNTER_REQUESTS_RECEIVED] = "requests_received",
	[COUNTER_REQUESTS_REFUSED] = "requests_refused",
	[COUNTER_SPANS_RECEIVED] = "spans_received",
	[COUNTER_SPANS_REJECTED] = "spans_rejected",
	[COUNTER_SPANS_STORED] = "spans_stored",
	[COUNTER_SPANS_PRICED] = "spans_priced",
	[COUNTER_SPANS_UNKNOWN_MODEL] = "spans_unknown_model",
	[COUNTER_SPANS_UNPRICED] = "spans_unpriced",
	[COUNTER_REPAIRED_VALUELESS] = "repaired_valueless",
	[COUNTER_REPAIRED_ZERO_PARENT] = "repaired_zero_parent",
	[COUNTER_REPAIRED_STRUCTURED] = "repaired_structured",
	[COUNTER_SPOOL_RECORDS_DAMAGED] = "spool_records_damaged",
	[COUNTER_SPOOL_TAILS_CUT] = "spool_tails_cut",
	[COUNTER_SPOOL_SYNC_FAILURES] = "spool_sync_failures",
};

static _Atomic uint64_t values[COUNTER_COUNT];

void counter_add(enum counter counter, uint64_t n)
{
	atomic_fetch_add_explicit(&values[counter], n, memory_order_relaxed);
}

uint64_t counter_read(enum counter counter)
{
	return atomic_load_explicit(&values[counter], memory_order_relaxed);
}

const char *counter_name(enum counter counter)
{
	return names[counter];
}
