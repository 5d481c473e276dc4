/* Femtodollars to exact decimals and back. */
#include "pricing/price.h"

#include <errno.h>

enum { DECIMALS = 15 }; /* 1 USD is 1e15 fUSD */

/* Divisions of 128 bits cost tens of times those of 64, and amounts below 18,000 USD fit into 64. */
static char take_digit(unsigned __int128 *rest)
{
	uint64_t small = (uint64_t)*rest;
	char digit = (char)('0' + (int)(*rest == small ? small % 10 : *rest % 10));
	*rest = *rest == small ? small / 10 : *rest / 10;
	return digit;
}

size_t fusd_text(char out[FUSD_TEXT_MAX], fusd amount)
{
	unsigned __int128 rest =
		amount < 0 ? -(unsigned __int128)amount : (unsigned __int128)amount;
	char text[FUSD_TEXT_MAX], *at = text + sizeof text; /* written from its end */
	int place = 0;
	for (; place < DECIMALS && rest <= UINT64_MAX && (uint64_t)rest % 1000 == 0; place += 3)
		rest = (uint64_t)rest / 1000;
	for (; place < DECIMALS; place++) {
		char digit = take_digit(&rest);
		if (digit != '0' ||
			at < text + sizeof text) /* zeros behind the last decimal are left out */
			*--at = digit;
	}
	if (at < text + sizeof text)
		*--at = '.';
	do
		*--at = take_digit(&rest);
	while (rest > 0);
	if (amount < 0)
		*--at = '-';

	size_t len = (size_t)(text + sizeof text - at);
	memcpy(out, at, len);
	out[len] = '\0';
	return len;
}

void buf_fusd(struct buf *buf, fusd amount)
{
	char text[FUSD_TEXT_MAX];
	buf_append(buf, text, fusd_text(text, amount));
}

/* Appends up to DECIMALS digits to `value`; returns how many there were, or -EINVAL for none or too many. */
static int read_digits(const char **text, fusd *value)
{
	int count = 0;
	for (; **text >= '0' && **text <= '9'; (*text)++, count++) {
		if (count == DECIMALS)
			return -EINVAL;
		*value = *value * 10 + (**text - '0');
	}
	return count > 0 ? count : -EINVAL;
}

int fusd_parse(const char *text, fusd *ret_amount)
{
	fusd amount = 0;
	int decimals = 0;
	if (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
		return -EINVAL;
	if (read_digits(&text, &amount) < 0)
		return -EINVAL;
	if (*text == '.') {
		text++;
		decimals = read_digits(&text, &amount);
	}
	if (decimals < 0 || *text)
		return -EINVAL;
	for (; decimals < DECIMALS; decimals++)
		amount *= 10;
	*ret_amount = amount;
	return 0;
}

enum { EXPONENT_MAX = 64 };

/* What follows e or E; beyond what any amount could have it is no matter how far. */
static int read_exponent(struct bytes text)
{
	bool is_negative = text.len && *text.at == '-';
	int exponent = 0;
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] >= '0' && text.at[i] <= '9' && exponent < EXPONENT_MAX)
			exponent = exponent * 10 + (text.at[i] - '0');
	if (exponent > EXPONENT_MAX)
		exponent = EXPONENT_MAX;
	return is_negative ? -exponent : exponent;
}

int fusd_read(struct bytes number, fusd *ret_amount)
{
	const fusd most = (fusd)1 << 120;
	fusd amount = 0;
	int shift = DECIMALS;
	bool is_fraction = false;
	for (size_t i = 0; i < number.len; i++) {
		uint8_t byte = number.at[i];
		if (byte == '.') {
			is_fraction = true;
		} else if (byte == 'e' || byte == 'E') {
			shift += read_exponent(
				(struct bytes){ number.at + i + 1, number.len - i - 1 });
			break;
		} else if (byte < '0' || byte > '9') {
			return -EINVAL;
		} else if (amount < most / 10) {
			amount = amount * 10 + (byte - '0');
			shift -= is_fraction;
		} else if (!is_fraction) {
			return -ERANGE;
		}
	}
	for (; shift > 0 && amount; shift--) {
		if (amount >= most / 10)
			return -ERANGE;
		amount *= 10;
	}
	for (; shift < 0 && amount; shift++)
		amount = (amount + (shift == -1 ? 5 : 0)) / 10;
	*ret_amount = amount;
	return 0;
}
