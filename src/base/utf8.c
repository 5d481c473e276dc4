#include "base/utf8.h"

size_t utf8_length(const uint8_t *at, const uint8_t *end)
{
	uint8_t lead = at[0];
	size_t length = 0;
	if (lead < 0x80)
		length = 1;
	else if (lead >= 0xc2 && lead < 0xf5)
		length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (!length || (size_t)(end - at) < length)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if (lead == 0xe0 && at[1] < 0xa0) /* overlong */
		return 0;
	if (lead == 0xed && at[1] >= 0xa0) /* surrogate */
		return 0;
	if (lead == 0xf0 && at[1] < 0x90) /* overlong */
		return 0;
	if (lead == 0xf4 && at[1] >= 0x90) /* above U+10FFFF */
		return 0;
	return length;
}

/* Eight bytes of ASCII at once, none of them NUL: most of what is written is this. */
static bool is_ascii(const uint8_t *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return !((word | (word - ones)) & tops);
}

size_t utf8_span(struct bytes text)
{
	const uint8_t *at = text.at, *end = bytes_end(text);
	while (at < end) {
		if (end - at >= 8 && is_ascii(at)) {
			at += 8;
			continue;
		}
		size_t length = *at ? utf8_length(at, end) : 0;
		if (!length)
			break;
		at += length;
	}
	return (size_t)(at - text.at);
}

struct bytes utf8_cut(struct bytes text, size_t max_bytes)
{
	if (text.len <= max_bytes)
		return text;
	size_t len = max_bytes;
	while (len > 0 && max_bytes - len < 3 && (text.at[len] & 0xc0) == 0x80)
		len--;
	if ((text.at[len] & 0xc0) == 0x80) /* no sequence of UTF-8 is that long */
		len = max_bytes;
	return (struct bytes){ text.at, len };
}
