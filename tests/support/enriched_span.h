/*
 * What enrichment makes of one span, as a test writes both down. Fails the test with the span's attributes
 * where something is not as expected, or where anything else than adding was done.
 */
#ifndef TG_TESTS_SUPPORT_ENRICHED_SPAN_H
#define TG_TESTS_SUPPORT_ENRICHED_SPAN_H

#include "support/one_span.h"

/*
 *   scope     the instrumentation's name, or NULL
 *   sent      attributes as in support/one_span.h
 *   expected  the same signs ("key=text", "key:=12", "key~=0.5", "key@=a,b"), or "key" alone for what must
 *             not be there; up to NULL
 */
void expect_enriched(
	const char *scope, const char *name, const char *const *sent, const char *const *expected);

/* The same of the copy that Langfuse gets, where there is one. */
void expect_for_langfuse(
	const char *scope, const char *name, const char *const *sent, const char *const *expected);

/* Of the first span of a request, which is freed; with or without flattening of its messages. */
void expect_request(struct bytes request, bool flattens, const char *const *expected);

#define SENT(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define EXPECTED(...) ((const char *const[]){ __VA_ARGS__, NULL })

#endif
