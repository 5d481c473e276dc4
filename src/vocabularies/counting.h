/*
 * How senders count: whether their input contains cached tokens, and their output reasoning. What no
 * attribute says, the instrumentation's name and version tell, or the API that it took its figures from.
 */
#ifndef TG_VOCABULARIES_COUNTING_H
#define TG_VOCABULARIES_COUNTING_H

#include "vocabularies/vocabulary.h"

struct countings {
	enum counting input, output;
};

/* By who wrote the span. */
struct countings counting_by_scope(const struct scope *scope);

/*
 * By the API that was called: true of instrumentations that copy its figures, and nearly all do.
 *
 *   provider  gen_ai.provider.name; empty when unknown
 */
struct countings counting_by_provider(struct bytes provider, struct bytes model);

#endif
