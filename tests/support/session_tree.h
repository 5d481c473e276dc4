/* Spans of coding sessions as JSON, and whether they are what a capture has to become (expected.json). */
#ifndef TG_TESTS_SUPPORT_SESSION_TREE_H
#define TG_TESTS_SUPPORT_SESSION_TREE_H

#include <jansson.h>

#include "support/oracle.h"

/*
 * One span with everything that expectations speak of, under their names: ids in hex, times in ns, links as
 * [type, span id], tokens in disjoint buckets, cost as an exact decimal; and all of its attributes as they are.
 */
json_t *span_json(const oracle_span *span, const char *lane);

/*
 * The tree that a capture has to become; NULL when it has none of that kind. A new reference.
 *
 *   kind  "native", "logs"
 */
json_t *expected_tree(const char *capture, const char *kind);

/*
 * Compares spans with what they have to be, and says each difference on a line of `out`. The number of
 * differences.
 *
 *   has_session  one trace holds the session, whose span is the parent of what else would be a root
 */
unsigned tree_compare(const json_t *expected, const json_t *spans, bool has_session, FILE *out);

/* Two sets of spans without regard to order: ids, names, all attributes. Says what differs as above. */
unsigned spans_compare(const json_t *expected, const json_t *spans, FILE *out);

#endif
