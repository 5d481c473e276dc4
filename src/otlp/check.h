/*
 * Whether a request is what it claims to be, for what is stored as it came: no destination shall find out
 * later that a message inside cannot be read. The tables that read JSON say which bytes are messages.
 */
#ifndef TG_OTLP_CHECK_H
#define TG_OTLP_CHECK_H

#include "base/bytes.h"
#include "otlp/signal.h"

/* What is in a request. */
struct checked {
	uint32_t items;       /* spans, log records or metrics */
	uint32_t without_ids; /* spans of them that lack a valid trace id or span id */
};

/*
 *   max_depth  messages within messages
 *   max_items  in the request
 *
 * 0; -EBADMSG when it is malformed or nested deeper; -E2BIG over max_items.
 */
int request_check(struct bytes request, enum signal signal, unsigned max_depth, uint64_t max_items,
	struct checked *ret_checked);

#endif
