/* Text that came from others: how much of it is UTF-8. */
#ifndef TG_BASE_UTF8_H
#define TG_BASE_UTF8_H

#include "base/bytes.h"

/* The length of the valid sequence at `at`, which is before `end`; 0 when there is none. */
size_t utf8_length(const uint8_t *at, const uint8_t *end);

/* The bytes up to the first that is not valid, or NUL: those that any reader of text takes. */
size_t utf8_span(struct bytes text);

/* The first at most `max_bytes` bytes, less a sequence that the end would cut in two. */
struct bytes utf8_cut(struct bytes text, size_t max_bytes);

#endif
