/* A request with one span, encoded by the generated code, from attributes as a test writes them down. */
#ifndef TG_TESTS_SUPPORT_ONE_SPAN_H
#define TG_TESTS_SUPPORT_ONE_SPAN_H

#include "base/bytes.h"

/*
 *   attributes  "key=text", "key:=12" for an int, "key~=0.5" for a double; up to NULL
 *
 * Starts on 2026-11-17. To be freed as .at.
 */
struct bytes one_span(const char *name, const char *const *attributes);

#endif
