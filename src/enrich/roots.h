/*
 * The roots of the traces in one request, and what they say for the spans below them.
 *
 * Instrumentations name session and user where a trace begins, and a root is sent last, when it ends. So
 * the request is looked through once more, but only when the first span asks, and of spans that have a
 * parent no more is read than that. Langfuse's SDKs alone name a trace on any of its spans, and mark the
 * one that is a root to them though it has a parent: theirs are read all.
 */
#ifndef TG_ENRICH_ROOTS_H
#define TG_ENRICH_ROOTS_H

#include <stdint.h>

#include "enrich/identity.h"

struct config;

/* More traces than a Collector's usual batch of 8,192 spans is likely to have. */
enum { ROOTS_MAX = 4096 };

/* The earlier the more it counts. */
enum root_rank { BEGINS_TRACE, MARKED_AS_ROOT, NAMES_TRACE };

struct root {
	struct bytes trace_id, span_id;
	uint64_t start_ns;
	enum root_rank rank;
	struct identity identity;
};

struct roots {
	struct bytes request;
	const struct config *config;
	struct arena *arena;
	struct buf *scratch;

	/* Nothing before the first question. */
	bool is_read;
	struct root *at; /* one of each trace, in the order of their ids */
	size_t count, capacity;
	const struct root *last; /* found: the spans of a trace come together */
};

/* Whether spans of this scope speak for their trace even below its root. */
bool roots_may_be_below(const struct scope *scope);

/*
 * What the root of a trace says; of several the one that began first, and what it leaves open the others.
 * Nothing when the request holds none or more than ROOTS_MAX others. What is malformed is passed over:
 * finding it is the walk's.
 */
const struct identity *roots_find(struct roots *roots, struct bytes trace_id);

#endif
