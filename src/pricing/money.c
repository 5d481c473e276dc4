/* Femtodollars to exact decimals and back. */
#include "pricing/price.h"

#include <errno.h>

enum { DECIMALS = 15 };
static const uint64_t dollar = UINT64_C(1000000000000000);

/* Writes digits backwards from before `at`, and zeros in front of them up to `least`. */
static char *put_digits(char *at, uint64_t rest, int least)
{
	for (; rest || least > 0; rest /= 10, least--)
		*--at = (char)('0' + rest % 10);
	return at;
}

/* Divisions of 128 bits cost tens of times those of 64, and amounts below 18,000 USD fit into 64. */
static unsigned __int128 split(unsigned __int128 amount, uint64_t *ret_fraction)
{
	uint64_t small = (uint64_t)amount;
	*ret_fraction = amount == small ? small % dollar : (uint64_t)(amount % dollar);
	return amount == small ? small / dollar : amount / dollar;
}

size_t fusd_text(char out[FUSD_TEXT_MAX], fusd amount)
{
	char text[FUSD_TEXT_MAX], *at = text + sizeof text; /* written from its end */
	uint64_t fraction, low;
	unsigned __int128 dollars = split(
		amount < 0 ? -(unsigned __int128)amount : (unsigned __int128)amount, &fraction);
	int places = fraction ? DECIMALS : 0; /* zeros behind the last decimal are left out */
	for (; places && fraction % 1000 == 0; places -= 3)
		fraction /= 1000;
	for (; places && fraction % 10 == 0; places--)
		fraction /= 10;
	if (places) {
		at = put_digits(at, fraction, places);
		*--at = '.';
	}
	uint64_t high = (uint64_t)split(dollars, &low);
	at = put_digits(at, low, high ? DECIMALS : 1);
	at = put_digits(at, high, 0);
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
