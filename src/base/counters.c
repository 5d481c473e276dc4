#include "base/counters.h"

#include <stdatomic.h>

static const char *const names[COUNTER_COUNT] = {
	[COUNTER_REQUESTS_RECEIVED] = "requests_received",
	[COUNTER_REFUSED_MALFORMED] = "refused_malformed",
	[COUNTER_REFUSED_UNAUTHORIZED] = "refused_unauthorized",
	[COUNTER_REFUSED_FORBIDDEN] = "refused_forbidden",
	[COUNTER_REFUSED_NOT_FOUND] = "refused_not_found",
	[COUNTER_REFUSED_METHOD] = "refused_method",
	[COUNTER_REFUSED_TIMEOUT] = "refused_timeout",
	[COUNTER_REFUSED_TOO_LARGE] = "refused_too_large",
	[COUNTER_REFUSED_UNSUPPORTED] = "refused_unsupported",
	[COUNTER_REFUSED_LOOP] = "refused_loop",
	[COUNTER_REFUSED_OVERLOADED] = "refused_overloaded",
	[COUNTER_REFUSED_DISK_FULL] = "refused_disk_full",
	[COUNTER_REFUSED_DISK_ERROR] = "refused_disk_error",
	[COUNTER_REFUSED_STOPPING] = "refused_stopping",
	[COUNTER_SPANS_RECEIVED] = "spans_received",
	[COUNTER_REJECTED_WITHOUT_IDS] = "rejected_without_ids",
	[COUNTER_REJECTED_LOOKS_LIKE_LOGS] = "rejected_looks_like_logs",
	[COUNTER_SPANS_STORED] = "spans_stored",
	[COUNTER_SPANS_PRICED] = "spans_priced",
	[COUNTER_SPANS_UNKNOWN_MODEL] = "spans_unknown_model",
	[COUNTER_SPANS_UNPRICED] = "spans_unpriced",
	[COUNTER_LACKING_SESSION] = "lacking_session",
	[COUNTER_LACKING_USER] = "lacking_user",
	[COUNTER_LACKING_TAGS] = "lacking_tags",
	[COUNTER_LACKING_TRACE_NAME] = "lacking_trace_name",
	[COUNTER_LACKING_ENVIRONMENT] = "lacking_environment",
	[COUNTER_LACKING_RELEASE] = "lacking_release",
	[COUNTER_LACKING_VERSION] = "lacking_version",
	[COUNTER_COST_SAME] = "cost_same",
	[COUNTER_COST_HIGHER] = "cost_higher",
	[COUNTER_COST_LOWER] = "cost_lower",
	[COUNTER_COST_THEIRS] = "cost_theirs",
	[COUNTER_USAGE_ASSUMED] = "usage_assumed",
	[COUNTER_USAGE_CONTRADICTORY] = "usage_contradictory",
	[COUNTER_USAGE_WITHHELD] = "usage_withheld",
	[COUNTER_REPAIRED_VALUELESS] = "repaired_valueless",
	[COUNTER_REPAIRED_ZERO_PARENT] = "repaired_zero_parent",
	[COUNTER_REPAIRED_STRUCTURED] = "repaired_structured",
	[COUNTER_REPAIRED_TIME] = "repaired_time",
	[COUNTER_REPAIRED_REPEATED_USAGE] = "repaired_repeated_usage",
	[COUNTER_REPAIRED_LOST_USAGE] = "repaired_lost_usage",
	[COUNTER_REPAIRED_PROMPT] = "repaired_prompt",
	[COUNTER_LOGS_RECEIVED] = "logs_received",
	[COUNTER_METRICS_RECEIVED] = "metrics_received",
	[COUNTER_HOOKS_RECEIVED] = "hooks_received",
	[COUNTER_INGESTION_OF_TRACES] = "ingestion_of_traces",
	[COUNTER_UNWANTED_LOGS] = "unwanted_logs",
	[COUNTER_UNWANTED_METRICS] = "unwanted_metrics",
	[COUNTER_INGESTION_STORED] = "ingestion_stored",
	[COUNTER_EVENTS_TAKEN] = "events_taken",
	[COUNTER_EVENTS_REPEATED] = "events_repeated",
	[COUNTER_EVENTS_LATE] = "events_late",
	[COUNTER_EVENTS_ALONE] = "events_alone",
	[COUNTER_EVENTS_SESSIONLESS] = "events_sessionless",
	[COUNTER_EVENTS_UNREADABLE] = "events_unreadable",
	[COUNTER_EVENTS_CROWDED_OUT] = "events_crowded_out",
	[COUNTER_NATIVE_COMPLETED] = "native_completed",
	[COUNTER_NATIVE_KEPT] = "native_kept",
	[COUNTER_NATIVE_DROPPED] = "native_dropped",
	[COUNTER_TURNS_ENDED] = "turns_ended",
	[COUNTER_SPANS_SYNTHESIZED] = "spans_synthesized",
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

uint64_t counter_sum(enum counter first, enum counter last)
{
	uint64_t sum = 0;
	for (enum counter counter = first; counter <= last; counter++)
		sum += counter_read(counter);
	return sum;
}

const char *counter_name(enum counter counter)
{
	return names[counter];
}
