/* The spans of an encoded ExportTraceServiceRequest, read in place: a sink walks millions of them. */
#ifndef TG_TESTS_SUPPORT_SPANS_H
#define TG_TESTS_SUPPORT_SPANS_H

#include "base/bytes.h"

/*
 * Calls back for each span in document order, with an empty id for a span that has none. False when
 * the request is not well formed; some spans may have been told by then.
 */
bool spans_each(struct bytes request, void (*each)(struct bytes span_id, void *arg), void *arg);

size_t spans_count(struct bytes request);

#endif
