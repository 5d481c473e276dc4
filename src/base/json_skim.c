#include "base/json_skim.h"

#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { MAX_DEPTH = 512 };

struct skim {
	const uint8_t *at, *end;
	unsigned depth;
	uint8_t is_object[MAX_DEPTH / 8]; /* what is open, a bit each */
	struct bytes name;                /* of the member read last, as it is written */
};

static void blanks(struct skim *s)
{
	while (s->at < s->end &&
		(*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

static bool take(struct skim *s, uint8_t byte)
{
	if (s->at == s->end || *s->at != byte)
		return false;
	s->at++;
	return true;
}

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

static bool string(struct skim *s)
{
	if (!take(s, '"'))
		return false;
	for (;;) {
		for (unsigned plain = STRIDE; plain == STRIDE && s->end - s->at >= STRIDE;
			s->at += plain)
			plain = plain_bytes(s->at);
		if (s->at == s->end || *s->at < 0x20)
			return false;
		uint8_t byte = *s->at++;
		if (byte == '"')
			return true;
		if (byte == '\\' && !escape(s))
			return false;
	}
}

static bool digits(struct skim *s)
{
	const uint8_t *first = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > first;
}

static bool number(struct skim *s)
{
	take(s, '-');
	if (!take(s, '0') && !digits(s))
		return false;
	if (take(s, '.') && !digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		return digits(s);
	}
	return true;
}

static bool literal(struct skim *s, const char *word)
{
	for (; *word; word++)
		if (!take(s, (uint8_t)*word))
			return false;
	return true;
}

static bool scalar(struct skim *s)
{
	switch (*s->at) {
	case '"':
		return string(s);
	case 't':
		return literal(s, "true");
	case 'f':
		return literal(s, "false");
	case 'n':
		return literal(s, "null");
	default:
		return number(s);
	}
}

static bool in_object(const struct skim *s)
{
	return s->is_object[(s->depth - 1) / 8] >> ((s->depth - 1) % 8) & 1;
}

static bool open_container(struct skim *s)
{
	bool object = *s->at++ == '{';
	if (s->depth == MAX_DEPTH)
		return false;
	uint8_t bit = (uint8_t)(1u << (s->depth % 8));
	if (object)
		s->is_object[s->depth / 8] |= bit;
	else
		s->is_object[s->depth / 8] &= (uint8_t)~bit;
	s->depth++;
	return true;
}

static bool member_name(struct skim *s)
{
	blanks(s);
	const uint8_t *quote = s->at;
	if (!string(s))
		return false;
	s->name = (struct bytes){ quote + 1, (size_t)(s->at - quote) - 2 };
	blanks(s);
	return take(s, ':');
}

/* Behind a value: closes what ends here; true with *ret_more when another value follows. */
static bool after_value(struct skim *s, bool *ret_more)
{
	*ret_more = false;
	while (s->depth) {
		blanks(s);
		bool object = in_object(s);
		if (take(s, ',')) {
			*ret_more = true;
			return !object || member_name(s);
		}
		if (!take(s, object ? '}' : ']'))
			return false;
		s->depth--;
	}
	return true;
}

/* A number that is wanted from an outermost object. */
struct wanted {
	const char *name;
	struct bytes number;
};

static void look(struct wanted *wanted, const struct skim *s, const uint8_t *value)
{
	bool is_number = *value == '-' || (*value >= '0' && *value <= '9');
	if (s->depth == 1 && in_object(s) && is_number && bytes_are(s->name, wanted->name))
		wanted->number = (struct bytes){ value, (size_t)(s->at - value) };
}

/*   wanted  may be NULL */
static bool container(struct bytes text, struct wanted *wanted)
{
	struct skim s = { .at = text.at, .end = bytes_end(text) };
	for (bool more = true; more;) {
		blanks(&s);
		if (s.at == s.end)
			return false;
		if (*s.at == '{' || *s.at == '[') {
			if (!open_container(&s))
				return false;
			blanks(&s);
			if (take(&s, in_object(&s) ? '}' : ']'))
				s.depth--;
			else if (!in_object(&s) || member_name(&s))
				continue;
			else
				return false;
		} else {
			const uint8_t *value = s.at;
			if (!scalar(&s))
				return false;
			if (wanted)
				look(wanted, &s, value);
		}
		if (!after_value(&s, &more))
			return false;
	}
	blanks(&s);
	return s.at == s.end;
}

static uint8_t first_byte(struct bytes text)
{
	struct skim s = { .at = text.at, .end = bytes_end(text) };
	blanks(&s);
	return s.at < s.end ? *s.at : 0;
}

bool json_is_container(struct bytes text)
{
	uint8_t first = first_byte(text);
	return (first == '{' || first == '[') && container(text, NULL);
}

bool json_is_array(struct bytes text)
{
	return first_byte(text) == '[' && container(text, NULL);
}

bool json_is_object(struct bytes text)
{
	return first_byte(text) == '{' && container(text, NULL);
}

bool json_find_number(struct bytes text, const char *name, struct bytes *ret_number)
{
	struct wanted wanted = { .name = name };
	if (first_byte(text) != '{' || !container(text, &wanted) || !wanted.number.len)
		return false;
	*ret_number = wanted.number;
	return true;
}
