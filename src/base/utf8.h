/* UTF-8 as RFC 3629 has it: nothing overlong, no surrogates, nothing above U+10FFFF. */
#ifndef TG_BASE_UTF8_H
#define TG_BASE_UTF8_H

#include "base/bytes.h"

/* The length of the valid sequence at `at`, which is before `end`; 0 when it is none. */
size_t utf8_length(const uint8_t *at, const uint8_t *end);

/* How many bytes at the beginning of the text are valid: all of them when it is UTF-8. */
size_t utf8_valid_bytes(struct bytes text);

/* Writes a code point that is no surrogate; `to` has room for four bytes. Returns the end. */
uint8_t *utf8_put(uint8_t *to, uint32_t point);

#endif
