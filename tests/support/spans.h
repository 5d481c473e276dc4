/* Spans of an encoded ExportTraceServiceRequest, for tests that ask what a destination received. */
#ifndef TG_TESTS_SUPPORT_SPANS_H
#define TG_TESTS_SUPPORT_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct span_seen {
	struct bytes id;
	struct bytes trace_id;
	struct bytes parent_id;
	struct bytes name;
	struct bytes message; /* the whole encoded Span */
};

/*
 * Calls back for each span in document order. False when the request is not well formed.
 */
bool spans_each(struct bytes request, void (*each)(const struct span_seen *span, void *arg), void *arg);

/* The span with this id, the first one; its ranges point into the request. */
bool spans_find(struct bytes request, const uint8_t id[8], struct span_seen *ret_span);

size_t spans_count(struct bytes request);

/* The encoded AnyValue of an attribute, the last of that name; false when the span has none. */
bool span_attribute(const struct span_seen *span, const char *key, struct bytes *ret_value);

/* How often an attribute of this name stands on the span. */
size_t span_attribute_count(const struct span_seen *span, const char *key);

/* string_value; empty when the attribute is missing or of another type. */
struct bytes span_text(const struct span_seen *span, const char *key);

/* int_value, or `otherwise`. */
int64_t span_integer(const struct span_seen *span, const char *key, int64_t otherwise);

#endif
