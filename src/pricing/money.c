/* Femtodollars to exact decimals and back. */
#include "pricing/price.h"

#include <errno.h>

enum { DECIMALS = 15 }; /* 1 USD is 1e15 fUSD */

size_t fusd_text(char out[FUSD_TEXT_MAX], fusd amount)
{
	unsigned __int128 rest =
		amount < 0 ? -(unsigned __int128)amount : (unsigned __int128)amount;
	char reversed[FUSD_TEXT_MAX];
	size_t len = 0;
	bool is_significant = false; /* zeros behind the last decimal are left out */
	for (int place = 0; place <= DECIMALS || rest > 0; place++, rest /= 10) {
		char digit = (char)('0' + (int)(rest % 10));
		if (place == DECIMALS && is_significant)
			reversed[len++] = '.';
		is_significant = is_significant || digit != '0' || place >= DECIMALS;
		if (is_significant)
			reversed[len++] = digit;
	}
	if (amount < 0)
		reversed[len++] = '-';
	for (size_t i = 0; i < len; i++)
		out[i] = reversed[len - 1 - i];
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
