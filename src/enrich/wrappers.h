/*
 * Model calls that are there twice: the instrumentation of a framework wraps the span of the client that it
 * calls, and both state the same counts. The inner one is the call; the outer one repeats it, as an agent
 * repeats the calls below it, and has neither usage nor cost of its own.
 *
 * Told within one request, where the inner one comes first because it ends first.
 */
#ifndef TG_ENRICH_WRAPPERS_H
#define TG_ENRICH_WRAPPERS_H

#include "vocabularies/vocabulary.h"

/* More are not in flight at once in one sender, or few enough. */
enum { INNER_CALLS_MAX = 128 };

/* The newest model calls of a request. Empty when cleared. */
struct inner_calls {
	uint64_t parents[INNER_CALLS_MAX];
	struct {
		int64_t input, output;
	} counts[INNER_CALLS_MAX];
	size_t noted; /* ever */
};

/* Remembers a model call that states counts and has a parent; does nothing with any other span. */
void inner_calls_note(
	struct inner_calls *calls, const struct span *span, const struct facts *facts);

/*
 * Whether this is a model call with one below it that states the same counts, or one that was found to be that
 * before: its tollgate.cost.status is "repeated".
 */
bool is_wrapper(
	const struct inner_calls *calls, const struct span *span, const struct facts *facts);

#endif
