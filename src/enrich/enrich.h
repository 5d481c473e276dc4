/*
 * Rewrites spans on their way to the disk: adds what a span means in the words that Langfuse and
 * OpenInference readers look for, and what the call costs; makes a repaired copy where Langfuse would
 * refuse or lose the original.
 *
 * Only adds. A target that is there with a value is never changed, all else leaves byte for byte.
 */
#ifndef TG_ENRICH_ENRICH_H
#define TG_ENRICH_ENRICH_H

#include "base/arena.h"
#include "base/bytes.h"

struct config;
struct prices;

struct enriched {
	struct bytes plain;
	struct bytes langfuse;   /* .at NULL: plain suits Langfuse too */
	uint32_t span_count;     /* left in each copy */
	uint32_t rejected_count; /* spans without valid ids, left out of both */
	bool looks_like_logs; /* no span had any id or a start: a logs request at the wrong path */
};

/*
 * Takes an ExportTraceServiceRequest; result and intermediate state lie in the arena, or are the request
 * itself where nothing changed. Safe from many threads at once.
 *
 * 0; -EBADMSG when it is malformed or nested deeper than limits.max_depth; -E2BIG over limits.max_spans
 * or the arena's limit; -ENOMEM when the arena's budget is exhausted; -EINVAL for a mistake of our own.
 */
int enrich(struct bytes request, const struct config *config, const struct prices *prices,
	struct arena *arena, struct enriched *ret);

#endif
