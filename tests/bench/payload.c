#include "bench/payload.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/tally.h"

static const struct {
	const char *name;
	unsigned spans;
	size_t span_bytes;
} cases[PAYLOAD_CASE_COUNT] = {
	[PAYLOAD_SMALL] = { "small", 100, 1190 },
	[PAYLOAD_LARGE] = { "large", 20, 8900 },
	[PAYLOAD_TINY] = { "tiny", 5, 1190 },
};

/* The three ids open the Span, so that each has a fixed place in it. */
enum { TRACE_ID_AT = 2, SPAN_ID_AT = 20, PARENT_ID_AT = 30 };
enum { JSON_TRACE_ID_AT = 12, JSON_SPAN_ID_AT = 56, JSON_PARENT_ID_AT = 90 };

enum { ONE_SYLLABLE_WORDS = 64, WORDS = ONE_SYLLABLE_WORDS + 64 * 64 };

const char *payload_case_name(enum payload_case which)
{
	return cases[which].name;
}

unsigned payload_case_spans(enum payload_case which)
{
	return cases[which].spans;
}

/* splitmix64: a few operations, and any seed will do. */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Consonant, vowel and perhaps a closing consonant: any two syllables can be told apart again. */
static void put_syllable(struct buf *out, unsigned n)
{
	char letters[] = { "bdfgklmnprstvzhj"[n % 16], "aeio"[n / 16], "\0nrs"[n * 7 / 16 % 4] };
	buf_append(out, letters, letters[2] ? 3 : 2);
}

/* The word with rank n: frequent ones are short. */
static void put_word(struct buf *out, unsigned n)
{
	if (n >= ONE_SYLLABLE_WORDS) {
		n -= ONE_SYLLABLE_WORDS;
		put_syllable(out, n / 64);
		if (n % 3 == 0)
			put_syllable(out, n * 31 % 64);
	}
	put_syllable(out, n % 64);
}

/* `bytes` of sentences that need no JSON escapes. */
static void put_text(struct buf *out, size_t bytes, uint64_t *random)
{
	size_t end = out->len + bytes;
	while (out->len < end && !out->error) {
		double u = (double)(draw(random) >> 11) / (double)(UINT64_C(1) << 53);
		/* Equal steps of the logarithm: frequency falls with the rank, as Zipf says. */
		put_word(out, (unsigned)exp(u * log(WORDS)) - 1);
		uint64_t mark = draw(random) % 16;
		buf_text(out, mark == 0 ? ". " : mark == 1 ? ", " : " ");
	}
	out->len = out->error ? out->len : end;
}

static void put_varint(struct buf *out, uint64_t value)
{
	uint8_t bytes[10];
	size_t len = 0;
	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (uint8_t)(value | 0x80);
	bytes[len++] = (uint8_t)value;
	buf_append(out, bytes, len);
}

static void put_bytes(struct buf *out, unsigned field, const void *from, size_t len)
{
	put_varint(out, field << 3 | 2);
	put_varint(out, len);
	buf_append(out, from, len);
}

static void put_fixed64(struct buf *out, unsigned field, uint64_t value)
{
	put_varint(out, field << 3 | 1);
	buf_append(out, &value, 8);
}

/* KeyValue { key, AnyValue } as field 9 of a Span, around an AnyValue that is encoded already. */
static void put_attribute(struct buf *out, const char *key, const struct buf *value)
{
	struct buf pair;
	buf_init(&pair, 1 << 20, NULL);
	put_bytes(&pair, 1, key, strlen(key));
	put_bytes(&pair, 2, value->at, value->len);
	put_bytes(out, 9, pair.at, pair.len);
	if (pair.error)
		out->error = pair.error;
	buf_done(&pair);
}

static void put_string_attribute(struct buf *out, const char *key, const char *text, size_t len)
{
	struct buf value;
	buf_init(&value, 1 << 20, NULL);
	put_bytes(&value, 1, text, len);
	put_attribute(out, key, &value);
	buf_done(&value);
}

static void put_integer_attribute(struct buf *out, const char *key, uint64_t integer)
{
	struct buf value;
	buf_init(&value, 64, NULL);
	put_varint(&value, 3 << 3);
	put_varint(&value, integer);
	put_attribute(out, key, &value);
	buf_done(&value);
}

static void put_messages(
	struct buf *out, const char *key, const char *role, size_t text_bytes, uint64_t *random)
{
	struct buf json;
	buf_init(&json, 1 << 20, NULL);
	buf_printf(&json, "[{\"role\":\"%s\",\"parts\":[{\"type\":\"text\",\"content\":\"", role);
	put_text(&json, text_bytes, random);
	buf_text(&json, "\"}]}]");
	put_string_attribute(out, key, (const char *)json.at, json.len);
	buf_done(&json);
}

/* One model call with 16 attributes, whose two texts have `text_bytes` together. */
static void put_span(struct buf *out, size_t text_bytes, bool is_root, uint64_t *random)
{
	static const uint8_t blank[16] = { 0 };
	static const struct {
		const char *key, *text;
	} texts[] = {
		{ "gen_ai.operation.name", "chat" },
		{ "gen_ai.provider.name", "anthropic" },
		{ "gen_ai.request.model", "claude-sonnet-4-5" },
		{ "gen_ai.response.model", "claude-sonnet-4-5-20250929" },
		{ "gen_ai.conversation.id", "5d1c6a4e-6a53-4f0b-9d8f-2f4a1c7e9b30" },
		{ "user.id", "bench" },
		{ "server.address", "api.anthropic.com" },
	};
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t start_ns = (uint64_t)now.tv_sec * 1000000000;

	put_bytes(out, 1, blank, 16);
	put_bytes(out, 2, blank, 8);
	if (!is_root)
		put_bytes(out, 4, blank, 8);
	put_bytes(out, 5, "chat claude-sonnet-4-5", 22);
	put_varint(out, 6 << 3);
	put_varint(out, 3); /* SPAN_KIND_CLIENT */
	put_fixed64(out, 7, start_ns);
	put_fixed64(out, 8, start_ns + draw(random) % 9000000000);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		put_string_attribute(out, texts[i].key, texts[i].text, strlen(texts[i].text));
	char response_id[32];
	int id_len = snprintf(
		response_id, sizeof(response_id), "msg_%016llx", (unsigned long long)draw(random));
	put_string_attribute(out, "gen_ai.response.id", response_id, (size_t)id_len);
	put_integer_attribute(out, "gen_ai.request.max_tokens", 8192);
	put_integer_attribute(out, "server.port", 443);
	put_integer_attribute(out, "gen_ai.usage.input_tokens", 60000 + draw(random) % 60000);
	put_integer_attribute(out, "gen_ai.usage.output_tokens", 128 + draw(random) % 1024);
	put_integer_attribute(out, "gen_ai.usage.cache_read.input_tokens", draw(random) % 30000);
	put_integer_attribute(
		out, "gen_ai.usage.cache_creation.input_tokens", draw(random) % 30000);
	put_messages(out, "gen_ai.input.messages", "user", text_bytes * 2 / 3, random);
	put_messages(out, "gen_ai.output.messages", "assistant", text_bytes - text_bytes * 2 / 3,
		random);
}

static void put_resource(struct buf *out)
{
	static const char resource[] = "\x0a\x1b\x0a\x0cservice.name\x12\x0b\x0a\x09tollgate!";
	put_bytes(out, 1, resource, sizeof(resource) - 1);
}

int payload_init(struct payload *payload, enum payload_case which, uint64_t seed)
{
	uint64_t random = seed;
	struct buf span, scope, resource;
	size_t span_at[100];
	buf_init(&span, 1 << 20, NULL);
	buf_init(&scope, 1 << 24, NULL);
	buf_init(&resource, 1 << 24, NULL);
	buf_init(&payload->request, 1 << 24, NULL);
	payload->span_count = cases[which].spans;
	payload->is_json = false;

	put_span(&span, 0, false, &random);
	size_t overhead = span.len;
	put_bytes(&scope, 1, "\n\x05tollg", 7);
	for (unsigned i = 0; i < payload->span_count; i++) {
		span.len = 0;
		put_span(&span, cases[which].span_bytes - overhead, i == 0, &random);
		put_bytes(&scope, 2, span.at, span.len);
		span_at[i] = scope.len - span.len;
	}
	put_resource(&resource);
	put_bytes(&resource, 2, scope.at, scope.len);
	put_bytes(&payload->request, 1, resource.at, resource.len);
	size_t before_scope = payload->request.len - scope.len;
	for (unsigned i = 0; i < payload->span_count; i++)
		payload->span_at[i] = before_scope + span_at[i];

	int error = span.error || scope.error || resource.error ? -ENOMEM : payload->request.error;
	buf_done(&span);
	buf_done(&scope);
	buf_done(&resource);
	return error;
}

void payload_done(struct payload *payload)
{
	buf_done(&payload->request);
}

static void put_id(uint8_t *to, const void *id, size_t len, bool in_hex)
{
	const uint8_t *bytes = id;
	for (size_t i = 0; i < len; i++) {
		if (!in_hex) {
			to[i] = bytes[i];
			continue;
		}
		to[2 * i] = (uint8_t) "0123456789abcdef"[bytes[i] >> 4];
		to[2 * i + 1] = (uint8_t) "0123456789abcdef"[bytes[i] & 0xf];
	}
}

void payload_stamp(const struct payload *payload, uint8_t *request, uint64_t first)
{
	bool is_json = payload->is_json;
	uint8_t trace_id[16] = "tollgate", parent[8], id[8];
	span_number_to_id(first, parent);
	memcpy(trace_id + 8, parent, 8);
	for (unsigned i = 0; i < payload->span_count; i++) {
		uint8_t *span = request + payload->span_at[i];
		span_number_to_id(first + i, id);
		put_id(span + (is_json ? JSON_TRACE_ID_AT : TRACE_ID_AT), trace_id, 16, is_json);
		put_id(span + (is_json ? JSON_SPAN_ID_AT : SPAN_ID_AT), id, 8, is_json);
		if (i > 0)
			put_id(span + (is_json ? JSON_PARENT_ID_AT : PARENT_ID_AT), parent, 8,
				is_json);
	}
}
