/*
 * Whole requests as bytes: how many items they hold, and how to cut them. An item is a span, a log record or
 * a metric, which stand under the same field numbers.
 */
#ifndef TG_OTLP_REQUEST_H
#define TG_OTLP_REQUEST_H

#include "base/arena.h"
#include "base/bytes.h"

/* Items in a request. -EBADMSG when it is not well formed as far as they are counted. */
int request_count_items(struct bytes request, uint32_t *ret_count);

/*
 * Whether the bytes are beyond doubt a request with a span: one with a trace id, a span id and a start. What
 * encodes logs or metrics under the same field numbers has none.
 */
bool request_has_span(struct bytes request);

/* Calls `each` with the ids of every span that has a trace id of 16 and a span id of 8 bytes. */
void request_each_span(struct bytes request,
	void (*each)(void *arg, struct bytes trace_id, struct bytes span_id), void *arg);

/*
 * A request with only the items [from, to) of `request`, counted in document order, each with its
 * resource and scope; everything else as it was. In the arena. -EBADMSG, -ENOMEM or -E2BIG.
 */
int request_cut(struct bytes request, uint32_t from, uint32_t to, struct arena *arena,
	struct bytes *ret_request);

/*
 * How far a cut that begins at item `from` may go and stay within max_bytes: *ret_to is the first that does
 * not fit, at least from + 1, at most the number of items.
 */
int request_fit(struct bytes request, uint32_t from, size_t max_bytes, uint32_t *ret_to);

#endif
