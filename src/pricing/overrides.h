/*
 * A file that people write by hand for what they pay themselves: a contract, a model of their own, a free one.
 * It may leave out most of what a whole table has to state; here that is filled in, so that one reader reads
 * both.
 */
#ifndef TG_PRICING_OVERRIDES_H
#define TG_PRICING_OVERRIDES_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Fills in what the document does not state: of a record with the id of one in the table what that one
 * states (names, provider, fees, also its prices when it gives none), else defaults. What is of the wrong
 * type is left for the reader to refuse. -ENOMEM.
 */
int overrides_complete(json_t *document, const json_t *table);

/* Whether a record of this id stands in the document. */
bool overrides_have(const json_t *document, const json_t *id);

#endif
