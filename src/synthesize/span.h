/*
 * A unit of a plan as an encoded request of one span, ready to be enriched. Synthesized ones have the scope
 * SESSION_SCOPE, by which vocabularies/tollgate.c reads them.
 */
#ifndef TG_SYNTHESIZE_SPAN_H
#define TG_SYNTHESIZE_SPAN_H

#include "base/arena.h"
#include "synthesize/plan.h"

struct span_options {
	bool readable_names; /* of native spans; synthesized ones have no other */
	struct bytes
		resource; /* encoded Resource of the session's records; empty: service.name alone */
};

/*
 * An ExportTraceServiceRequest with this one span: a synthesized one, or the native one with everything that
 * it had, completed by attributes, links, status and (readable_names) a name; tollgate.native_name is then
 * what it was called. In the arena; empty on the arena's error.
 */
struct bytes span_of_unit(const struct plan_question *question, const struct plan *plan,
	const struct unit *unit, const struct span_options *options, struct arena *arena);

/* A native span as it came, for those that are neither joined nor dropped. */
struct bytes span_as_it_came(const struct native_span *native, struct arena *arena);

#endif
