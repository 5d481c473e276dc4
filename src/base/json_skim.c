#include "base/json_skim.h"

#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { CONTAINER_MAX_DEPTH = 512 };

/*
 * How many of the STRIDE bytes at `at` come before the first quote, backslash or control character.
 * Prompts are long, and nearly all of their bytes are none of these.
 */
#ifdef __SSE2__
enum { STRIDE = 16 };
static unsigned plain_bytes(const uint8_t *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)at), controls = _mm_set1_epi8(0x1f);
	__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(bytes, controls), bytes),
		_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
			_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
	unsigned mask = (unsigned)_mm_movemask_epi8(hit);
	return mask ? (unsigned)__builtin_ctz(mask) : STRIDE;
}
#else
enum { STRIDE = 8 };
static unsigned plain_bytes(const uint8_t *at)
{
	/* The subtractions mark such a byte in its top bit, and may mark others above it, never below. */
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t word;
	memcpy(&word, at, sizeof word);
	word = le64toh(word);
	uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
	uint64_t hit = (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
			       ((word - ones * 0x20) & ~word)) &
		tops;
	return hit ? (unsigned)__builtin_ctzll(hit) / 8 : STRIDE;
}
#endif

static bool is_hex(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

static bool escape(struct skim *s)
{
	if (s->at == s->end)
		return false;
	uint8_t kind = *s->at++;
	if (kind != 'u')
		return memchr("\"\\/bfnrt", kind, 8) != NULL;
	for (int i = 0; i < 4; i++)
		if (s->at == s->end || !is_hex(*s->at++))
			return false;
	return true;
}

bool skim_string(struct skim *s, struct bytes *ret_raw, bool *ret_has_escapes)
{
	if (!skim_byte(s, '"'))
		return false;
	const uint8_t *start = s->at;
	bool has_escapes = false;
	for (;;) {
		for (unsigned plain = STRIDE; plain == STRIDE && s->end - s->at >= STRIDE;
			s->at += plain)
			plain = plain_bytes(s->at);
		if (s->at == s->end || *s->at < 0x20)
			return false;
		uint8_t byte = *s->at++;
		if (byte == '"')
			break;
		if (byte != '\\')
			continue;
		has_escapes = true;
		if (!escape(s))
			return false;
	}
	*ret_raw = (struct bytes){ start, (size_t)(s->at - start) - 1 };
	*ret_has_escapes = has_escapes;
	return true;
}

static bool string(struct skim *s)
{
	struct bytes raw;
	bool has_escapes;
	return skim_string(s, &raw, &has_escapes);
}

static bool digits(struct skim *s)
{
	const uint8_t *first = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > first;
}

bool skim_number(struct skim *s)
{
	skim_byte(s, '-');
	if (!skim_byte(s, '0') && !digits(s))
		return false;
	if (skim_byte(s, '.') && !digits(s))
		return false;
	if (skim_byte(s, 'e') || skim_byte(s, 'E')) {
		if (!skim_byte(s, '+'))
			skim_byte(s, '-');
		return digits(s);
	}
	return true;
}

bool skim_word(struct skim *s, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

static bool scalar(struct skim *s)
{
	switch (*s->at) {
	case '"':
		return string(s);
	case 't':
		return skim_word(s, "true");
	case 'f':
		return skim_word(s, "false");
	case 'n':
		return skim_word(s, "null");
	default:
		return skim_number(s);
	}
}

/* What is open: a bit for each level, set for an object. */
struct nest {
	unsigned depth, max_depth;
	uint8_t is_object[SKIM_MAX_DEPTH / 8];
};

static bool in_object(const struct nest *nest)
{
	return nest->is_object[(nest->depth - 1) / 8] >> ((nest->depth - 1) % 8) & 1;
}

static bool open_container(struct skim *s, struct nest *nest)
{
	bool object = *s->at++ == '{';
	if (nest->depth == nest->max_depth)
		return false;
	uint8_t bit = (uint8_t)(1u << (nest->depth % 8));
	if (object)
		nest->is_object[nest->depth / 8] |= bit;
	else
		nest->is_object[nest->depth / 8] &= (uint8_t)~bit;
	nest->depth++;
	return true;
}

static bool member_name(struct skim *s)
{
	skim_blanks(s);
	if (!string(s))
		return false;
	skim_blanks(s);
	return skim_byte(s, ':');
}

/* Behind a value: closes what ends here; true with *ret_more when another value follows. */
static bool after_value(struct skim *s, struct nest *nest, bool *ret_more)
{
	*ret_more = false;
	while (nest->depth) {
		skim_blanks(s);
		bool object = in_object(nest);
		if (skim_byte(s, ',')) {
			*ret_more = true;
			return !object || member_name(s);
		}
		if (!skim_byte(s, object ? '}' : ']'))
			return false;
		nest->depth--;
	}
	return true;
}

bool skim_value(struct skim *s, unsigned max_depth)
{
	struct nest nest;
	nest.depth = 0;
	nest.max_depth = max_depth < SKIM_MAX_DEPTH ? max_depth : SKIM_MAX_DEPTH;
	for (bool more = true; more;) {
		skim_blanks(s);
		if (s->at == s->end)
			return false;
		if (*s->at == '{' || *s->at == '[') {
			if (!open_container(s, &nest))
				return false;
			skim_blanks(s);
			if (skim_byte(s, in_object(&nest) ? '}' : ']'))
				nest.depth--;
			else if (!in_object(&nest) || member_name(s))
				continue;
			else
				return false;
		} else if (!scalar(s)) {
			return false;
		}
		if (!after_value(s, &nest, &more))
			return false;
	}
	return true;
}

static struct skim skim_of(struct bytes text)
{
	struct skim s = { text.at, bytes_end(text) };
	skim_blanks(&s);
	return s;
}

static bool starts_with(const struct skim *s, uint8_t byte)
{
	return s->at < s->end && *s->at == byte;
}

static bool is_one_value(struct skim *s)
{
	if (!skim_value(s, CONTAINER_MAX_DEPTH))
		return false;
	skim_blanks(s);
	return s->at == s->end;
}

bool json_is_container(struct bytes text)
{
	struct skim s = skim_of(text);
	return (starts_with(&s, '{') || starts_with(&s, '[')) && is_one_value(&s);
}

bool json_text_is_array(struct bytes text)
{
	struct skim s = skim_of(text);
	return starts_with(&s, '[') && is_one_value(&s);
}

bool json_text_is_object(struct bytes text)
{
	struct skim s = skim_of(text);
	return starts_with(&s, '{') && is_one_value(&s);
}

/* Behind the opening brace of an object that is well formed. */
static struct bytes find_member(struct skim *s, const char *name)
{
	struct bytes value = { 0 }, member;
	bool has_escapes;
	do {
		skim_blanks(s);
		if (!skim_string(s, &member, &has_escapes))
			break;
		skim_blanks(s);
		skim_byte(s, ':');
		skim_blanks(s);
		const uint8_t *start = s->at;
		skim_value(s, CONTAINER_MAX_DEPTH);
		if (bytes_are(member, name))
			value = (struct bytes){ start, (size_t)(s->at - start) };
		skim_blanks(s);
	} while (skim_byte(s, ','));
	return value;
}

bool json_find(struct bytes text, const char *name, struct bytes *ret_value)
{
	if (!json_text_is_object(text))
		return false;
	struct skim s = skim_of(text);
	skim_byte(&s, '{');
	struct bytes value = find_member(&s, name);
	if (!value.len)
		return false;
	*ret_value = value;
	return true;
}

bool json_find_number(struct bytes text, const char *name, struct bytes *ret_number)
{
	struct bytes value;
	if (!json_find(text, name, &value) ||
		!(*value.at == '-' || (*value.at >= '0' && *value.at <= '9')))
		return false;
	*ret_number = value;
	return true;
}
