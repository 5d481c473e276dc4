/*
 * Which record names a model. Rules, in the order in which they are tried, in pricing/README.md; what
 * they do not decide stays unknown: no prefix, no family, no nearest name.
 */
#ifndef TG_PRICING_MATCH_H
#define TG_PRICING_MATCH_H

#include "base/bytes.h"
#include "pricing/table.h"

enum { MODEL_NAME_MAX = 255, PROVIDER_NAME_MAX = 63 };

/*
 * The name without blanks around it, in lower case, without path and without the marker of a long
 * context. Returns its length; 0 when no record can have it: empty, too long, not printable ASCII.
 */
size_t model_normalise(struct bytes model, char out[MODEL_NAME_MAX + 1]);

/* The same for what a span calls its provider, which has neither path nor marker. */
size_t provider_normalise(struct bytes provider, char out[PROVIDER_NAME_MAX + 1]);

/* NULL: unknown, or not to be charged by what was found (provider_scopes). Safe from many threads. */
const struct record *match_model(
	const struct prices *prices, struct bytes provider, struct bytes model);

#endif
