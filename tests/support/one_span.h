/* A request with one span, encoded by the generated code, from attributes as a test writes them down. */
#ifndef TG_TESTS_SUPPORT_ONE_SPAN_H
#define TG_TESTS_SUPPORT_ONE_SPAN_H

#include "base/bytes.h"

/*
 *   attributes  "key=text", "key:=12" for an int, "key~=0.5" for a double, "key?=true" for a bool,
 *               "key@=a,b" for a list of texts, "key" for no value at all; up to NULL
 *
 * Starts on 2026-11-17. To be freed as .at.
 */
struct bytes one_span(const char *name, const char *const *attributes);
/* The same from an instrumentation of that name; NULL for none. */
struct bytes one_span_of(const char *scope, const char *name, const char *const *attributes);

/* A span, who writes it and what happened in it; all but the name may be NULL. */
enum { SENT_EVENTS = 6 };
struct sent {
	const char *service, *scope, *name;
	const char *const *attributes;
	struct {
		const char *name;
		const char *const *attributes;
	} events[SENT_EVENTS];
};
struct bytes sent_request(const struct sent *sent);

#endif
