/*
 * What OTLP/JSON writes as text and protobuf as bytes or numbers. Nothing goes through a double that is
 * none. Each says false for a text that is not of its kind.
 */
#ifndef TG_OTLP_JSON_SCALAR_H
#define TG_OTLP_JSON_SCALAR_H

#include "base/bytes.h"

/*
 * A string whose escapes were checked, spelled out; half a surrogate pair becomes U+FFFD.
 *
 *   to  has room for raw.len bytes
 *
 * Returns the end.
 */
uint8_t *scalar_unescape(struct bytes raw, uint8_t *to);

/* Both write less than they read: `to` may be the text itself, or lie before it. */
bool scalar_hex(struct bytes text, uint8_t *to, size_t bytes);
/* Both alphabets, with or without padding. */
bool scalar_base64(struct bytes text, uint8_t *to, size_t *ret_len);

/*
 * A whole number without fraction and exponent.
 *
 *   lowest  of its range, as the amount below zero
 *
 * Negative ones are returned in two's complement of 64 bits.
 */
bool scalar_integer(struct bytes text, uint64_t lowest, uint64_t highest, uint64_t *ret_value);

/* A number, NaN, Infinity or -Infinity; something that is no part of a number must follow the text. */
bool scalar_double(struct bytes text, double *ret_value);

#endif
