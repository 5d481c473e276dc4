#include "otlp/json_scalar.h"

#include <math.h>
#include <stdlib.h>

#include "base/json_skim.h"
#include "base/utf8.h"

enum { REPLACEMENT = 0xfffd, NO_DIGIT = 0xff };

static uint8_t hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : NO_DIGIT;
}

/* Behind \u: four digits. */
static uint32_t code_unit(const uint8_t *at)
{
	return (uint32_t)(hex_digit(at[0]) << 12 | hex_digit(at[1]) << 8 | hex_digit(at[2]) << 4 |
		hex_digit(at[3]));
}

/* *at is behind \u, and comes to lie behind the code point, which may be two such escapes. */
static uint32_t code_point(const uint8_t **at, const uint8_t *end)
{
	uint32_t unit = code_unit(*at);
	*at += 4;
	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	if (unit > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return REPLACEMENT;
	uint32_t low = code_unit(*at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return REPLACEMENT;
	*at += 6;
	return 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00));
}

static uint8_t escaped_byte(uint8_t letter)
{
	switch (letter) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return letter; /* quote, slash and backslash stand for themselves */
	}
}

uint8_t *scalar_unescape(struct bytes raw, uint8_t *to)
{
	const uint8_t *at = raw.at, *end = bytes_end(raw);
	while (at < end) {
		const uint8_t *backslash = memchr(at, '\\', (size_t)(end - at));
		size_t plain = (size_t)((backslash ? backslash : end) - at);
		memcpy(to, at, plain);
		to += plain;
		at += plain;
		if (at == end)
			break;
		uint8_t letter = at[1];
		at += 2;
		if (letter == 'u')
			to = utf8_put(to, code_point(&at, end));
		else
			*to++ = escaped_byte(letter);
	}
	return to;
}

bool scalar_hex(struct bytes text, uint8_t *to, size_t bytes)
{
	if (text.len != 2 * bytes)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		uint8_t high = hex_digit(text.at[2 * i]), low = hex_digit(text.at[2 * i + 1]);
		if (high == NO_DIGIT || low == NO_DIGIT)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static uint8_t base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint8_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0' + 52);
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : NO_DIGIT;
}

bool scalar_base64(struct bytes text, uint8_t *to, size_t *ret_len)
{
	size_t padded = text.len;
	while (text.len && padded - text.len < 2 && text.at[text.len - 1] == '=')
		text.len--;
	if (text.len % 4 == 1 || (padded > text.len && padded % 4))
		return false;
	uint32_t bits = 0;
	unsigned count = 0;
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t digit = base64_digit(text.at[i]);
		if (digit == NO_DIGIT)
			return false;
		bits = bits << 6 | digit;
		count += 6;
		if (count >= 8)
			to[len++] = (uint8_t)(bits >> (count -= 8));
	}
	*ret_len = len;
	return true;
}

bool scalar_integer(struct bytes text, uint64_t lowest, uint64_t highest, uint64_t *ret_value)
{
	bool is_negative = text.len && text.at[0] == '-';
	const uint8_t *at = text.at + is_negative, *end = bytes_end(text);
	uint64_t most = is_negative ? lowest : highest, value = 0;
	if (at == end)
		return false;
	for (; at < end; at++) {
		unsigned digit = *at - (unsigned)'0';
		if (digit > 9 || value > UINT64_MAX / 10 || value * 10 > UINT64_MAX - digit)
			return false;
		value = value * 10 + digit;
	}
	if (value > most)
		return false;
	*ret_value = is_negative ? -value : value;
	return true;
}

bool scalar_double(struct bytes text, double *ret_value)
{
	static const struct {
		struct bytes name;
		double value;
	} names[] = {
		{ BYTES("NaN"), NAN },
		{ BYTES("Infinity"), INFINITY },
		{ BYTES("-Infinity"), -INFINITY },
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (bytes_equal(text, names[i].name)) {
			*ret_value = names[i].value;
			return true;
		}
	struct skim s = { text.at, bytes_end(text) };
	if (!skim_number(&s) || s.at != s.end)
		return false;
	double value = strtod((const char *)text.at, NULL);
	if (isinf(value))
		return false;
	*ret_value = value;
	return true;
}
