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

/* Behind the ASCII that nearly every text begins with and comes back to. */
static const uint8_t *skip_ascii(const uint8_t *at, const uint8_t *end)
{
	uint64_t words[4];
	for (; (size_t)(end - at) >= sizeof words; at += sizeof words) {
		memcpy(words, at, sizeof words);
		if ((words[0] | words[1] | words[2] | words[3]) & UINT64_C(0x8080808080808080))
			break;
	}
	while (at < end && *at < 0x80)
		at++;
	return at;
}

size_t utf8_valid_bytes(struct bytes text)
{
	const uint8_t *at = text.at, *end = bytes_end(text);
	while ((at = skip_ascii(at, end)) < end) {
		size_t length = utf8_length(at, end);
		if (!length)
			break;
		at += length;
	}
	return (size_t)(at - text.at);
}

size_t utf8_span(struct bytes text)
{
	const uint8_t *nul = text.len ? memchr(text.at, '\0', text.len) : NULL;
	if (nul)
		text.len = (size_t)(nul - text.at);
	return utf8_valid_bytes(text);
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

uint8_t *utf8_put(uint8_t *to, uint32_t point)
{
	if (point < 0x80) {
		*to++ = (uint8_t)point;
		return to;
	}
	if (point < 0x800) {
		*to++ = (uint8_t)(0xc0 | point >> 6);
	} else {
		if (point < 0x10000) {
			*to++ = (uint8_t)(0xe0 | point >> 12);
		} else {
			*to++ = (uint8_t)(0xf0 | point >> 18);
			*to++ = (uint8_t)(0x80 | (point >> 12 & 0x3f));
		}
		*to++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
	}
	*to++ = (uint8_t)(0x80 | (point & 0x3f));
	return to;
}
