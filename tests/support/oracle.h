/*
 * The generated protobuf code as judge of the wire walk: what left must decode to what came, plus additions.
 */
#ifndef TG_TESTS_ORACLE_H
#define TG_TESTS_ORACLE_H

#include "base/bytes.h"
#include "proto/otlp_trace.pb-c.h"

typedef Otlp__ExportTraceServiceRequest oracle_request;
typedef Otlp__Span oracle_span;
typedef Otlp__KeyValue oracle_attribute;

/* NULL when the generated code refuses it. */
oracle_request *oracle_decode(struct bytes request);
void oracle_free(oracle_request *request);

size_t oracle_span_count(const oracle_request *request);
/* The n-th span in document order. */
oracle_span *oracle_span_at(const oracle_request *request, size_t n);

/* Takes out the spans without valid ids, which are not passed on. */
void oracle_drop_rejected(oracle_request *request);

/* The last attribute of this name, or NULL. */
const oracle_attribute *oracle_find(const oracle_span *span, const char *key);

bool oracle_same_attribute(const oracle_attribute *a, const oracle_attribute *b);

/* The string value of an attribute in a static buffer ring; NULL when absent or no string. */
const char *oracle_text(const oracle_span *span, const char *key);

/* Without a value, or with one that is empty, and nothing unknown beside it. */
bool oracle_is_empty(const oracle_attribute *attribute);

/* To the byte, as the generated code writes them. */
bool oracle_same_attribute(const oracle_attribute *a, const oracle_attribute *b);
bool oracle_same_request(const oracle_request *a, const oracle_request *b);

/*
 * Whether `output` is `input` without its spans that lack valid ids, with attributes added at the end of
 * spans, or put in the place of one that was empty, or in the place of openinference.span.kind.
 * Otherwise says why. True as well when the generated code cannot read the input.
 */
bool oracle_only_added(struct bytes input, struct bytes output, const char **ret_why);

#endif
