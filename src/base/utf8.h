/* UTF-8 as RFC 3629 has it: nothing overlong, no surrogates, nothing above U+10FFFF. */
#ifndef TG_BASE_UTF8_H
#define TG_BASE_UTF8_H

#include "base/bytes.h"

/* The length of the valid sequence at `at`, which is before `end`; 0 when there is none. */
size_t utf8_length(const uint8_t *at, const uint8_t *end);

/* How many bytes at the beginning of the text are valid: all of them when it is UTF-8. */
size_t utf8_valid_bytes(struct bytes text);

/* The same up to the first NUL: what any reader of text takes. */
size_t utf8_span(struct bytes text);

/* The first at most `max_bytes` bytes, less a sequence that the end would cut in two. */
struct bytes utf8_cut(struct bytes text, size_t max_bytes);

/* Writes a code point that is no surrogate; `to` has room for four bytes. Returns the end. */
uint8_t *utf8_put(uint8_t *to, uint32_t point);

#endif
