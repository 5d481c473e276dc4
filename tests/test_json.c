/*
 * OTLP/JSON becomes the protobuf that the same sender would have sent: against the vectors in both
 * encodings, and against the generated code.
 */
#include "otlp/json.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrich/enrich.h"
#include "otlp/check.h"
#include "otlp/json_schema.h"
#include "pricing/price.h"
#include "support/fixture.h"
#include "proto/otlp_logs.pb-c.h"
#include "proto/otlp_metrics.pb-c.h"
#include "support/oracle.h"

enum { MAX_DEPTH = 100, MEGABYTE = 1 << 20 };

/* What became of a text. */
struct outcome {
	int error;
	struct buf out;
	struct complaint complaint;
};

/* From a copy of just that size, so that the sanitizer sees what reads past the end. */
static struct outcome convert_to(enum signal signal, struct bytes text)
{
	struct outcome outcome = { 0 };
	uint8_t *copy = malloc(text.len ? text.len : 1);
	memcpy(copy, text.at, text.len);
	buf_init(&outcome.out, 64 * MEGABYTE, NULL);
	outcome.error = json_to_request((struct bytes){ copy, text.len }, signal, MAX_DEPTH,
		&outcome.out, &outcome.complaint);
	free(copy);
	return outcome;
}

static struct outcome convert(struct bytes text)
{
	return convert_to(SIGNAL_TRACES, text);
}

static const char head[] = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{";
static const char tail[] = "}]}]}]}";

/* The members of one span. */
static struct outcome convert_span(const char *members)
{
	struct buf text;
	buf_init(&text, 64 * MEGABYTE, NULL);
	buf_printf(&text, "%s%s%s", head, members, tail);
	struct outcome outcome = convert(buf_bytes(&text));
	buf_done(&text);
	return outcome;
}

static struct bytes vector(const char *id, const char *suffix)
{
	char path[128];
	snprintf(path, sizeof path, "otlp/valid/%s.%s", id, suffix);
	return fixture(path);
}

/* As the generated code writes it again: one spelling for whatever means the same. */
static struct buf canonical(struct bytes request)
{
	struct buf out;
	buf_init(&out, 64 * MEGABYTE, NULL);
	oracle_request *decoded = oracle_decode(request);
	cr_assert_not_null(decoded);
	uint8_t *to =
		buf_reserve(&out, otlp__export_trace_service_request__get_packed_size(decoded));
	out.len = otlp__export_trace_service_request__pack(decoded, to);
	oracle_free(decoded);
	return out;
}

static void expect_same(const char *id, struct bytes a, struct bytes b)
{
	struct buf left = canonical(a), right = canonical(b);
	cr_expect(bytes_equal(buf_bytes(&left), buf_bytes(&right)), "%s: other spans", id);
	buf_done(&left);
	buf_done(&right);
}

/* Calls for every vector, by its name in the manifest. */
static void each_vector(void (*call)(const char *id))
{
	struct bytes text = fixture("otlp/valid/MANIFEST.json");
	json_t *manifest = json_loadb((const char *)text.at, text.len, 0, NULL), *item;
	size_t i;
	cr_assert_gt(json_array_size(manifest), 30);
	json_array_foreach(manifest, i, item)
		call(json_string_value(json_object_get(item, "id")));
	json_decref(manifest);
	free((void *)text.at);
}

static void compare_encodings(const char *id)
{
	struct bytes text = vector(id, "json"), protobuf = vector(id, "pb");
	struct outcome outcome = convert(text);
	cr_assert_eq(outcome.error, 0, "%s: %s", id, outcome.complaint.text);
	expect_same(id, buf_bytes(&outcome.out), protobuf);
	buf_done(&outcome.out);
	free((void *)text.at);
	free((void *)protobuf.at);
}

Test(json, every_vector_gives_the_spans_of_its_protobuf)
{
	each_vector(compare_encodings);
}

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table)
		cr_assert_eq(prices_builtin(&table, &complaint), 0, "%s", complaint.text);
	return table;
}

static void compare_enriched(const char *id)
{
	struct config config = fixture_config();
	struct bytes text = vector(id, "json"), protobuf = vector(id, "pb");
	struct outcome outcome = convert(text);
	struct arena arena;
	struct enriched one, other;
	arena_init(&arena, 64 * MEGABYTE, NULL);
	cr_assert_eq(enrich(buf_bytes(&outcome.out), &config, prices(), &arena, &one), 0);
	cr_assert_eq(enrich(protobuf, &config, prices(), &arena, &other), 0);
	cr_expect_eq(one.span_count, other.span_count, "%s", id);
	cr_expect_eq(one.rejected_count, other.rejected_count, "%s", id);
	expect_same(id, one.plain, other.plain);
	cr_expect_eq(!one.langfuse.at, !other.langfuse.at, "%s", id);
	if (one.langfuse.at && other.langfuse.at)
		expect_same(id, one.langfuse, other.langfuse);
	arena_done(&arena);
	buf_done(&outcome.out);
	free((void *)text.at);
	free((void *)protobuf.at);
}

Test(json, every_vector_is_enriched_as_its_protobuf_is)
{
	each_vector(compare_enriched);
}

/* Where the vectors leave the choice. */
static bool is_taken_though_either(const char *id)
{
	static const char *const taken[] = { "j07-bom", "j14-enum-name", "j15-enum-string-number",
		"j23-base64url" };
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
		if (strcmp(id, taken[i]) == 0)
			return true;
	return false;
}

Test(json, unusual_bodies_get_their_verdict)
{
	struct bytes list = fixture("otlp/json-wire/MANIFEST.json");
	json_t *manifest = json_loadb((const char *)list.at, list.len, 0, NULL), *item;
	size_t i;
	cr_assert_gt(json_array_size(manifest), 30);
	json_array_foreach(manifest, i, item) {
		const char *id = json_string_value(json_object_get(item, "id"));
		const char *verdict = json_string_value(json_object_get(item, "verdict"));
		char path[128];
		snprintf(path, sizeof path, "otlp/json-wire/%s.json", id);
		struct bytes text = fixture(path);
		struct outcome outcome = convert(text);
		bool is_taken = strcmp(verdict, "accept") == 0 ||
			(strcmp(verdict, "either") == 0 && is_taken_though_either(id));
		cr_expect_eq(outcome.error, is_taken ? 0 : -EBADMSG, "%s: %d %s", id, outcome.error,
			outcome.complaint.text);
		cr_expect_eq(!outcome.complaint.text[0], is_taken, "%s", id);
		buf_done(&outcome.out);
		free((void *)text.at);
	}
	json_decref(manifest);
	free((void *)list.at);
}

#define VALUE(any) "\"attributes\":[{\"key\":\"k\",\"value\":{" any "}}]"
#define TRACE_ID "\"traceId\":\"5b8efff798038103d269b633813fc60c\""

/* Two spellings of one span. */
Test(json, what_means_the_same_becomes_the_same)
{
	static const char *const pairs[][2] = {
		{ TRACE_ID, "\"traceId\":\"5B8EFFF798038103D269B633813fC60C\"" },
		{ TRACE_ID, "\"trace\\u0049d\":\"5b8eff\\u0066798038103d269b633813fc60c\"" },
		{ "", "\"parentSpanId\":\"\",\"spanId\":null,\"attributes\":[],\"status\":null" },
		{ "", "\"name\":\"\",\"kind\":0,\"flags\":0,\"droppedLinksCount\":\"0\",\"links\":null" },
		{ "\"kind\":3", "\"kind\":\"SPAN_KIND_CLIENT\"" },
		{ "\"kind\":3", "\"kind\":\"3\"" },
		{ "\"status\":{\"code\":2}", "\"status\":{\"code\":\"STATUS_CODE_ERROR\"}" },
		{ "\"startTimeUnixNano\":\"18446744073709551615\"",
			"\"startTimeUnixNano\":18446744073709551615" },
		{ "\"startTimeUnixNano\":\"1767225600001000001\"",
			"\"startTimeUnixNano\":1767225600001000001" },
		{ "\"flags\":257", "\"flags\":\"257\"" },
		{ VALUE("\"intValue\":\"-9223372036854775808\""),
			VALUE("\"intValue\":-9223372036854775808") },
		{ VALUE("\"intValue\":\"9007199254740993\""),
			VALUE("\"intValue\":9007199254740993") },
		{ VALUE("\"intValue\":7"), VALUE("\"intValue\":\"\\u0037\"") },
		{ VALUE("\"doubleValue\":1.5"), VALUE("\"doubleValue\":\"1.5\"") },
		{ VALUE("\"doubleValue\":1.5"), VALUE("\"doubleValue\":\"\\u0031.5\"") },
		{ VALUE("\"doubleValue\":1000"), VALUE("\"doubleValue\":1e3") },
		{ VALUE("\"doubleValue\":0"), VALUE("\"doubleValue\":1e-999") },
		{ VALUE("\"bytesValue\":\"+/+/AQ==\""), VALUE("\"bytesValue\":\"-_-_AQ\"") },
		{ VALUE("\"bytesValue\":\"+/+/AQ==\""), VALUE("\"bytesValue\":\"+\\/+\\/AQ\"") },
		{ VALUE(""), "\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":null}}]" },
		{ "\"attributes\":[{\"key\":\"k\"}]",
			"\"attributes\":[{\"key\":\"k\",\"value\":null}]" },
		{ "\"name\":\"n\"",
			"\"future\":{\"a\":[1,{\"b\":null}],\"c\":\"\\ud800\"},\"name\":\"n\"" },
		{ "\"name\":\"n\"", "\"spanID\":7,\"Name\":\"x\",\"name\":\"n\",\"name_\":1" },
		{ "\"name\":\"n\"", " \t\r\n \"name\" \n : \t \"n\" " },
		/* A name that comes again: the last one counts, and nothing of the first is left. */
		{ "\"name\":\"n\"", "\"name\":\"first\",\"name\":\"n\"" },
		{ "\"kind\":1", "\"name\":\"first\",\"kind\":1,\"name\":null" },
		{ "\"status\":{\"message\":\"m\"}",
			"\"status\":{\"code\":1},\"status\":{\"message\":\"m\"}" },
		{ "\"kind\":2,\"flags\":1," VALUE("\"intValue\":1") ",\"name\":\"n\"",
			VALUE("\"intValue\":9") ",\"kind\":1,\"name\":\"f\",\"flags\":1," VALUE(
				"\"intValue\":1") ",\"kind\":2,\"name\":\"n\"" },
		/* Two members of a oneof: the last one counts; null chooses nothing. */
		{ VALUE("\"intValue\":1"), VALUE("\"stringValue\":\"s\",\"intValue\":1") },
		{ VALUE("\"intValue\":1"), VALUE("\"intValue\":1,\"stringValue\":null") },
		{ VALUE("\"arrayValue\":{\"values\":[{\"intValue\":2}]}"),
			VALUE("\"arrayValue\":{\"values\":[{\"intValue\":1}]},\"arrayValue\":{\"values\":[{"
			      "\"intValue\":2}]}") },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct outcome one = convert_span(pairs[i][0]), other = convert_span(pairs[i][1]);
		cr_expect_eq(one.error, 0, "%s: %s", pairs[i][0], one.complaint.text);
		cr_expect_eq(other.error, 0, "%s: %s", pairs[i][1], other.complaint.text);
		expect_same(pairs[i][1], buf_bytes(&one.out), buf_bytes(&other.out));
		buf_done(&one.out);
		buf_done(&other.out);
	}
}

static const oracle_span *only_span(oracle_request *request)
{
	cr_assert_eq(oracle_span_count(request), 1);
	return oracle_span_at(request, 0);
}

Test(json, numbers_of_64_bits_are_exact)
{
	struct outcome outcome = convert_span(
		"\"startTimeUnixNano\":18446744073709551615,\"endTimeUnixNano\":\"1767225600001000001\","
		"\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":-9223372036854775808}},"
		"{\"key\":\"b\",\"value\":{\"intValue\":\"9223372036854775807\"}}]");
	cr_assert_eq(outcome.error, 0, "%s", outcome.complaint.text);
	oracle_request *request = oracle_decode(buf_bytes(&outcome.out));
	const oracle_span *span = only_span(request);
	cr_expect(span->start_time_unix_nano == UINT64_MAX);
	cr_expect(span->end_time_unix_nano == UINT64_C(1767225600001000001));
	cr_expect(oracle_find(span, "a")->value->int_value == INT64_MIN);
	cr_expect(oracle_find(span, "b")->value->int_value == INT64_MAX);
	oracle_free(request);
	buf_done(&outcome.out);
}

Test(json, doubles_have_names_where_json_has_no_number)
{
	static const struct {
		const char *text;
		double value;
	} cases[] = { { "\"Infinity\"", INFINITY }, { "\"-Infinity\"", -INFINITY }, { "0.1", 0.1 },
		{ "\"-2.5e-3\"", -2.5e-3 }, { "17976931348623157e292", 1.7976931348623157e308 },
		{ "5e-324", 5e-324 }, { "-0", -0.0 } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char members[256];
		snprintf(members, sizeof members, VALUE("\"doubleValue\":%s"), cases[i].text);
		struct outcome outcome = convert_span(members);
		cr_assert_eq(outcome.error, 0, "%s", outcome.complaint.text);
		oracle_request *request = oracle_decode(buf_bytes(&outcome.out));
		double got = oracle_find(only_span(request), "k")->value->double_value;
		cr_expect_eq(memcmp(&got, &cases[i].value, sizeof got), 0, "%s: %.17g",
			cases[i].text, got);
		oracle_free(request);
		buf_done(&outcome.out);
	}
	struct outcome outcome = convert_span(VALUE("\"doubleValue\":\"NaN\""));
	oracle_request *request = oracle_decode(buf_bytes(&outcome.out));
	cr_expect(isnan(oracle_find(only_span(request), "k")->value->double_value));
	oracle_free(request);
	buf_done(&outcome.out);
}

Test(json, strings_are_counted_and_their_escapes_resolved)
{
	static const struct {
		const char *json;
		struct bytes text;
	} cases[] = {
		{ "a\\u0000b", BYTES("a\0b") },
		{ "\\\"\\\\\\/\\b\\f\\n\\r\\t", BYTES("\"\\/\b\f\n\r\t") },
		{ "\\u0041\\u00e4\\u20AC\\uD83D\\ude00",
			BYTES("A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") },
		{ "\xc3\xa4\xf0\x9f\x98\x80", BYTES("\xc3\xa4\xf0\x9f\x98\x80") },
		{ "\\ud800", BYTES("\xef\xbf\xbd") },
		{ "\\udc00x", BYTES("\xef\xbf\xbdx") },
		{ "\\ud800\\ud83d\\ude00", BYTES("\xef\xbf\xbd\xf0\x9f\x98\x80") },
		{ "\\ud800\\u0041",
			BYTES("\xef\xbf\xbd"
			      "A") },
		{ "\\ud83d\\n", BYTES("\xef\xbf\xbd\n") },
		{ "\\ud83d ude00", BYTES("\xef\xbf\xbd ude00") },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char members[256];
		snprintf(members, sizeof members, "\"name\":\"%s\"", cases[i].json);
		struct outcome outcome = convert_span(members);
		cr_assert_eq(outcome.error, 0, "%s", outcome.complaint.text);
		oracle_request *request = oracle_decode(buf_bytes(&outcome.out));
		const oracle_span *span = only_span(request);
		struct bytes name = { span->name.data, span->name.len };
		cr_expect(bytes_equal(name, cases[i].text), "%s", cases[i].json);
		oracle_free(request);
		buf_done(&outcome.out);
	}
}

/* Lengths around the borders of their own encoding, plain and with escapes that shrink. */
Test(json, every_length_is_written_as_short_as_it_goes)
{
	static const size_t lengths[] = { 0, 1, 100, 126, 127, 128, 129, 16382, 16383, 16384, 16385,
		2097150, 2097151, 2097152, 3000000 };
	char *filler = malloc(3000001), *members = malloc(3000101);
	for (size_t i = 0; i < 2 * (sizeof lengths / sizeof lengths[0]); i++) {
		size_t len = lengths[i / 2];
		memset(filler, 'x', len);
		filler[len] = '\0';
		if (i % 2 && len >= 6)
			memcpy(filler, "\\u0078", 6);
		sprintf(members, VALUE("\"kvlistValue\":{\"values\":[{\"key\":\"%s\"}]}"), filler);
		struct outcome outcome = convert_span(members);
		cr_assert_eq(outcome.error, 0, "%s", outcome.complaint.text);
		struct buf shortest = canonical(buf_bytes(&outcome.out));
		cr_expect_eq(outcome.out.len, shortest.len, "%zu", len);
		buf_done(&shortest);
		buf_done(&outcome.out);
	}
	free(filler);
	free(members);
}

#define AT "resourceSpans[0].scopeSpans[0].spans[0]"

/* Members of a span that has SECRET in it, and what its sender is told. */
Test(json, a_refusal_says_where_and_what_and_nothing_of_the_content)
{
	static const struct {
		const char *members, *complaint;
		size_t offset; /* in the members */
	} cases[] = {
		{ "\"traceId\":\"SECRET\"", AT ".traceId: must be 32 hex digits", 10 },
		{ "\"spanId\":\"0\"", AT ".spanId: must be 16 hex digits", 9 },
		{ "\"spanId\":7", AT ".spanId: must be a string", 9 },
		{ "\"links\":[{},{\"spanId\":\"SECRET00SECRET00\"}]",
			AT ".links[1].spanId: must be 16 hex digits", 22 },
		{ "\"trace_id\":\"SECRET\"",
			AT ": OTLP/JSON has no names in snake_case: write traceId", 0 },
		{ "\"start_time_unix_nano\":1",
			AT ": OTLP/JSON has no names in snake_case: write startTimeUnixNano", 0 },
		{ "\"dropped\\u005fevents_count\":1",
			AT ": OTLP/JSON has no names in snake_case: write droppedEventsCount", 0 },
		{ "\"attributes\":{\"SECRET\":\"SECRET\"}",
			AT ".attributes: must be a list of values such as "
			   "{\"key\":\"...\",\"value\":{\"stringValue\":\"...\"}}",
			13 },
		{ "\"attributes\":[{\"key\":\"SECRET\",\"value\":\"SECRET\"}]",
			AT
			".attributes[0].value: must be an object such as {\"stringValue\":\"...\"}",
			38 },
		{ "\"attributes\":[null]",
			AT ".attributes[0]: must be an object such as "
			   "{\"key\":\"...\",\"value\":{\"stringValue\":\"...\"}}",
			14 },
		{ "\"events\":{}", AT ".events: must be a list of values", 9 },
		{ "\"name\":[\"SECRET\"]", AT ".name: must be a string", 7 },
		{ "\"kind\":\"SECRET\"",
			AT ".kind: must be a number or a name such as SPAN_KIND_INTERNAL", 7 },
		{ "\"kind\":2147483648",
			AT ".kind: must be a number or a name such as SPAN_KIND_INTERNAL", 7 },
		{ "\"kind\":true", AT ".kind: must be a number", 7 },
		{ "\"flags\":4294967296",
			AT ".flags: must be a whole number of 32 bits, not negative", 8 },
		{ "\"flags\":-1", AT ".flags: must be a whole number of 32 bits, not negative", 8 },
		{ "\"endTimeUnixNano\":18446744073709551616",
			AT ".endTimeUnixNano: must be a whole number of 64 bits, not negative",
			18 },
		{ "\"endTimeUnixNano\":\"\"",
			AT ".endTimeUnixNano: must be a whole number of 64 bits, not negative",
			18 },
		{ VALUE("\"intValue\":1.0"),
			AT ".attributes[0].value.intValue: must be a whole number of 64 bits", 45 },
		{ VALUE("\"intValue\":\" 1\""),
			AT ".attributes[0].value.intValue: must be a whole number of 64 bits", 45 },
		{ VALUE("\"intValue\":9223372036854775808"),
			AT ".attributes[0].value.intValue: must be a whole number of 64 bits", 45 },
		{ VALUE("\"intValue\":-9223372036854775809"),
			AT ".attributes[0].value.intValue: must be a whole number of 64 bits", 45 },
		{ VALUE("\"doubleValue\":1e999"),
			AT ".attributes[0].value.doubleValue: must be a number", 48 },
		{ VALUE("\"doubleValue\":\"0x10\""),
			AT ".attributes[0].value.doubleValue: must be a number", 48 },
		{ VALUE("\"doubleValue\":NaN"),
			AT ".attributes[0].value.doubleValue: must be a number", 48 },
		{ VALUE("\"boolValue\":\"true\""),
			AT ".attributes[0].value.boolValue: must be true or false", 46 },
		{ VALUE("\"bytesValue\":\"SECRET*\""),
			AT ".attributes[0].value.bytesValue: must be base64", 47 },
		{ VALUE("\"bytesValue\":\"AAA=A\""),
			AT ".attributes[0].value.bytesValue: must be base64", 47 },
		{ VALUE("\"bytesValue\":\"AA=\""),
			AT ".attributes[0].value.bytesValue: must be base64", 47 },
		{ "\"name\":\"SECRET\\x\"", AT ".name: this is no valid JSON", 16 },
		{ "\"name\":\"SECRET\" \"kind\":1", AT ".name: this is no valid JSON", 16 },
		{ "\"name\" \"SECRET\"", AT ": this is no valid JSON", 7 },
		{ "\"name\":\"a\",", AT ": this is no valid JSON", 11 },
		{ "name:1", AT ": this is no valid JSON", 0 },
		{ "\"SECRET\":[1,]",
			AT ": what an unknown name holds is no valid JSON, or nested too deep",
			12 },
		{ "\"name\":\"\xed\xa0\x80\"", "this is no UTF-8", 8 },
		{ "\"SECRET\":\"\xff\"", "this is no UTF-8", 10 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct outcome outcome = convert_span(cases[i].members);
		cr_expect_eq(outcome.error, -EBADMSG, "%s: %d", cases[i].members, outcome.error);
		char complaint[512];
		snprintf(complaint, sizeof complaint, "%s (offset %zu)", cases[i].complaint,
			strlen(head) + cases[i].offset);
		cr_expect_str_eq(outcome.complaint.text, complaint, "%s: %s", cases[i].members,
			outcome.complaint.text);
		cr_expect_null(strstr(outcome.complaint.text, "SECRET"));
		buf_done(&outcome.out);
	}
}

Test(json, a_request_is_one_object_and_nothing_behind_it)
{
	static const char *const texts[][2] = {
		{ "", "the body is empty; a request of nothing is {} (offset 0)" },
		{ " \n", "the body is empty; a request of nothing is {} (offset 2)" },
		{ "[]", "must be an object (offset 0)" },
		{ "null", "must be an object (offset 0)" },
		{ "{}{}", "the request ends before here (offset 2)" },
		{ "{}\xef\xbb\xbf", "the request ends before here (offset 2)" },
		{ "{\"resource_spans\":[]}",
			"OTLP/JSON has no names in snake_case: write resourceSpans (offset 1)" },
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct outcome outcome = convert(bytes_of(texts[i][0]));
		cr_expect_eq(outcome.error, -EBADMSG, "%s", texts[i][0]);
		cr_expect_str_eq(outcome.complaint.text, texts[i][1]);
		buf_done(&outcome.out);
	}
}

/* In front of and behind the strides in which ASCII is passed over. */
Test(json, what_is_no_utf8_is_refused_wherever_it_stands)
{
	static const char *const wrong[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf",
		"\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff" };
	static const char *const right[] = { "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	enum { WRONG = sizeof wrong / sizeof wrong[0], RIGHT = sizeof right / sizeof right[0] };
	for (size_t i = 0; i < WRONG + RIGHT; i++)
		for (int filler = 0; filler < 70; filler++) {
			char text[128];
			snprintf(text, sizeof text, "{\"x\":\"%*s%s\"}", filler, "",
				i < WRONG ? wrong[i] : right[i - WRONG]);
			struct outcome outcome = convert(bytes_of(text));
			cr_expect_eq(outcome.error, i < WRONG ? -EBADMSG : 0, "%zu %d", i, filler);
			buf_done(&outcome.out);
		}
}

Test(json, a_request_that_is_cut_anywhere_is_refused)
{
	struct bytes text = vector("36-full-message", "json");
	while (text.len && text.at[text.len - 1] != '}')
		text.len--;
	for (size_t len = 0; len < text.len; len++) {
		struct outcome outcome = convert((struct bytes){ text.at, len });
		cr_expect_eq(outcome.error, -EBADMSG, "%zu", len);
		buf_done(&outcome.out);
	}
	free((void *)text.at);
}

static int convert_within(struct bytes text, unsigned max_depth, size_t max_bytes)
{
	struct budget budget = { .limit_bytes = max_bytes };
	struct complaint complaint = { 0 };
	struct buf out;
	buf_init(&out, max_bytes, &budget);
	int error = json_to_request(text, SIGNAL_TRACES, max_depth, &out, &complaint);
	cr_expect(error != -EBADMSG || complaint.text[0]);
	cr_expect_leq(budget.used_bytes, max_bytes);
	buf_done(&out);
	cr_expect_eq(budget.used_bytes, 0);
	return error;
}

/* Levels are counted as the wire walk counts them, which reads the same request next. */
Test(json, messages_nest_as_deep_as_in_protobuf)
{
	struct bytes text = vector("32-deep-nesting", "json"),
		     protobuf = vector("32-deep-nesting", "pb");
	struct config config = fixture_config();
	unsigned refused = 0;
	for (unsigned depth = 10; depth <= 100; depth++) {
		struct arena arena;
		struct enriched enriched;
		config.limits.max_depth = depth;
		arena_init(&arena, 64 * MEGABYTE, NULL);
		int error = enrich(protobuf, &config, prices(), &arena, &enriched);
		cr_expect_eq(convert_within(text, depth, MEGABYTE), error, "%u", depth);
		refused += error == -EBADMSG;
		arena_done(&arena);
	}
	cr_expect(refused > 10 && refused < 91, "%u", refused);
	free((void *)text.at);
	free((void *)protobuf.at);
}

/* `unit` again and again between a beginning and an end. */
static struct buf repeated(const char *beginning, const char *unit, const char *end, size_t bytes)
{
	struct buf text;
	buf_init(&text, bytes + 1024, NULL);
	buf_text(&text, beginning);
	while (text.len < bytes)
		buf_text(&text, unit);
	buf_text(&text, end);
	cr_assert_eq(text.error, 0);
	return text;
}

Test(json, no_depth_of_brackets_is_followed_beyond_the_limit)
{
	static const char *const beginnings[][2] = {
		{ "{\"unknown\":", "[" },
		{ "{\"unknown\":", "{\"a\":" },
		{ "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"value\":",
			"{\"arrayValue\":{\"values\":[" },
		{ "{\"resourceSpans\":[{\"resource\":{\"attributes\":[",
			"{\"value\":{\"kvlistValue\":{\"values\":[" },
		{ "", "[" },
		{ "", "{\"resourceSpans\":[" },
	};
	for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
		struct buf text = repeated(beginnings[i][0], beginnings[i][1], "", MEGABYTE);
		cr_expect_eq(
			convert_within(buf_bytes(&text), 1000, 2 * MEGABYTE), -EBADMSG, "%zu", i);
		buf_done(&text);
	}
}

Test(json, no_text_takes_more_memory_than_its_own_length)
{
	static const char *const bodies[][3] = {
		{ "{\"resourceSpans\":[{}", ",{}", "]}" },
		{ "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{}", ",{}", "]}]}]}" },
		{ "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{}", ",{}", "]}}]}" },
		{ "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"value\":{\"arrayValue\":{\"values\":[{}",
			",{}", "]}}}]}}]}" },
		{ "{\"resourceSpans\":[{\"schemaUrl\":\"", "\\n", "\"}]}" },
		{ "{\"resourceSpans\":[{\"schemaUrl\":\"", "\\ud800", "\"}]}" },
		{ "{\"resourceSpans\":[{\"schemaUrl\":\"", "x", "\"}]}" },
		{ "{\"resourceSpans\":[{\"schemaUrl\":\"x\"", ",\"schemaUrl\":\"\"", "}]}" },
		{ "{\"resourceSpans\":[{\"resource\":{\"entityRefs\":[{\"idKeys\":[\"\"", ",\"\"",
			"]}]}}]}" },
		{ "{\"x\":[0", ",0", "]}" },
		{ "{\"\\n", "\\n", "\":1}" },
	};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		size_t bytes = i == 0 ? 64 * MEGABYTE : 5 * MEGABYTE;
		struct buf text = repeated(bodies[i][0], bodies[i][1], bodies[i][2], bytes);
		cr_expect_eq(convert_within(buf_bytes(&text), MAX_DEPTH, text.len), 0, "%zu", i);
		cr_expect_eq(convert_within(buf_bytes(&text), MAX_DEPTH, text.len - 1), -E2BIG);
		buf_done(&text);
	}
}

static void fit_into_own_length(const char *id)
{
	struct bytes text = vector(id, "json");
	cr_expect_eq(convert_within(text, MAX_DEPTH, text.len), 0, "%s", id);
	free((void *)text.at);
}

Test(json, every_vector_fits_into_as_many_bytes_as_it_had)
{
	each_vector(fit_into_own_length);
}

Test(json, a_used_up_budget_is_no_memory)
{
	struct budget budget = { .limit_bytes = 100 };
	struct complaint complaint = { 0 };
	struct buf out;
	struct bytes text = vector("36-full-message", "json");
	buf_init(&out, MEGABYTE, &budget);
	cr_expect_eq(json_to_request(text, SIGNAL_TRACES, MAX_DEPTH, &out, &complaint), -ENOMEM);
	cr_expect_eq(budget.used_bytes, 0);
	buf_done(&out);
	free((void *)text.at);
}

/* Repeating the large field before small ones must not move it again and again. */
Test(json, names_that_come_again_and_again_take_no_time, .timeout = 60)
{
	struct buf text = repeated("{\"resourceSpans\":[{\"resource\":{\"attributes\":[{}", ",{}",
		"]},\"schemaUrl\":\"a\"", 8 * MEGABYTE);
	text.max_bytes = 32 * MEGABYTE;
	while (text.len < 24 * MEGABYTE)
		buf_text(&text, ",\"schemaUrl\":\"b\",\"scopeSpans\":[]");
	buf_text(&text, "}]}");
	cr_expect_eq(convert_within(buf_bytes(&text), MAX_DEPTH, 32 * MEGABYTE), 0);
	buf_done(&text);
}

/* ---- the schema's rows against the generated code ---- */

static bool is_camel_case_of(struct bytes name, const char *snake)
{
	size_t i = 0;
	for (; *snake; snake++) {
		char c = *snake;
		if (c == '_')
			c = (char)toupper(*++snake);
		if (i == name.len || name.at[i++] != (uint8_t)c)
			return false;
	}
	return i == name.len;
}

static bool types_agree(enum json_type type, ProtobufCType generated)
{
	switch (generated) {
	case PROTOBUF_C_TYPE_BYTES:
		return type == TYPE_STRING || type == TYPE_ID || type == TYPE_BASE64;
	case PROTOBUF_C_TYPE_MESSAGE:
		return type == TYPE_MESSAGE;
	case PROTOBUF_C_TYPE_BOOL:
		return type == TYPE_BOOL;
	case PROTOBUF_C_TYPE_ENUM:
		return type == TYPE_ENUM;
	case PROTOBUF_C_TYPE_INT32:
		return type == TYPE_INT32;
	case PROTOBUF_C_TYPE_UINT32:
		return type == TYPE_UINT32;
	case PROTOBUF_C_TYPE_FIXED32:
		return type == TYPE_FIXED32;
	case PROTOBUF_C_TYPE_INT64:
		return type == TYPE_INT64;
	case PROTOBUF_C_TYPE_FIXED64:
		return type == TYPE_FIXED64;
	case PROTOBUF_C_TYPE_DOUBLE:
		return type == TYPE_DOUBLE;
	case PROTOBUF_C_TYPE_SINT32:
		return type == TYPE_SINT32;
	case PROTOBUF_C_TYPE_UINT64:
		return type == TYPE_UINT64;
	case PROTOBUF_C_TYPE_SFIXED64:
		return type == TYPE_SFIXED64;
	default:
		return false;
	}
}

static void compare_names(const struct json_field *field, const ProtobufCEnumDescriptor *generated)
{
	for (unsigned i = 0; i < generated->n_values; i++) {
		cr_expect_eq(generated->values[i].value, (int)i);
		cr_expect(
			strstr(generated->values[i].name, field->names[i]), "%s", field->names[i]);
	}
	cr_expect_null(field->names[generated->n_values]);
}

/* A oneof of a single member is how proto3 said that a number is there. */
static bool stands_alone(
	const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	unsigned together = 0;
	for (unsigned i = 0; i < message->n_fields; i++)
		together += message->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
			message->fields[i].quantifier_offset == field->quantifier_offset;
	return together == 1;
}

static void compare_message(const struct json_message *message,
	const ProtobufCMessageDescriptor *generated, unsigned depth)
{
	cr_expect_eq(message->field_count, generated->n_fields, "%s", generated->name);
	cr_assert_leq(message->field_count, JSON_FIELDS_MAX);
	for (unsigned i = 0; i < message->field_count; i++) {
		const struct json_field *field = &message->fields[i];
		const char *name = (const char *)field->name.at;
		const ProtobufCFieldDescriptor *other =
			protobuf_c_message_descriptor_get_field(generated, field->number);
		cr_assert_not_null(other, "%s", name);
		cr_expect(is_camel_case_of(field->name, other->name), "%s", name);
		cr_expect(types_agree(field->type, other->type), "%s", name);
		cr_expect_eq(
			field->is_repeated, other->label == PROTOBUF_C_LABEL_REPEATED, "%s", name);
		bool is_of_oneof = other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
		bool is_alone = is_of_oneof && stands_alone(generated, other);
		cr_expect_eq(field->is_member, is_of_oneof && !is_alone, "%s", name);
		cr_expect_eq(field->has_presence, is_alone, "%s", name);
		cr_expect_eq(field->is_packed, (other->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0,
			"%s", name);
		if (field->type == TYPE_ENUM)
			compare_names(field, other->descriptor);
		if (field->type == TYPE_MESSAGE && depth)
			compare_message(field->message, other->descriptor, depth - 1);
	}
}

Test(json, the_schema_is_that_of_the_protobuf)
{
	compare_message(
		json_request(SIGNAL_TRACES), &otlp__export_trace_service_request__descriptor, 10);
	compare_message(
		json_request(SIGNAL_LOGS), &otlp__export_logs_service_request__descriptor, 10);
	compare_message(json_request(SIGNAL_METRICS),
		&otlp__export_metrics_service_request__descriptor, 10);
}

/* ---- logs and metrics ---- */

static const char one_log[] =
	"{\"resourceLogs\":[{\"resource\":{\"attributes\":[]},\"scopeLogs\":[{\"scope\":{\"name\":"
	"\"s\"},\"logRecords\":[{\"timeUnixNano\":\"0\",\"observedTimeUnixNano\":"
	"1767225600001000001,\"severityNumber\":\"SEVERITY_NUMBER_INFO\",\"severityText\":\"INFO\","
	"\"body\":{\"stringValue\":\"b\"},\"eventName\":\"e\",\"attributes\":[{\"key\":\"k\",\"value\":"
	"{\"intValue\":155}}],\"flags\":1,\"traceId\":\"\",\"spanId\":\"00f067aa0ba902b7\"},"
	"{\"body\":null}]}]}]}";

Test(json, a_log_record_is_read_field_by_field)
{
	struct outcome outcome = convert_to(SIGNAL_LOGS, bytes_of(one_log));
	cr_assert_eq(outcome.error, 0, "%s", outcome.complaint.text);
	Otlp__ExportLogsServiceRequest *request =
		otlp__export_logs_service_request__unpack(NULL, outcome.out.len, outcome.out.at);
	cr_assert_not_null(request);
	const Otlp__ScopeLogs *scope = request->resource_logs[0]->scope_logs[0];
	cr_assert_eq(scope->n_log_records, 2);
	const Otlp__LogRecord *record = scope->log_records[0];
	cr_expect_eq(record->time_unix_nano, 0);
	cr_expect_eq(record->observed_time_unix_nano, UINT64_C(1767225600001000001));
	cr_expect_eq(record->severity_number, 9);
	cr_expect_eq(record->body->string_value.len, 1);
	cr_expect_eq(record->event_name.data[0], 'e');
	cr_expect_eq(record->attributes[0]->value->int_value, 155);
	cr_expect_eq(record->flags, 1);
	cr_expect_eq(record->trace_id.len, 0);
	cr_expect_eq(record->span_id.len, 8);
	cr_expect_null(scope->log_records[1]->body);
	otlp__export_logs_service_request__free_unpacked(request, NULL);
	buf_done(&outcome.out);
}

/* The members of one metric. */
static Otlp__ExportMetricsServiceRequest *convert_metric(const char *members)
{
	struct buf text;
	buf_init(&text, MEGABYTE, NULL);
	buf_printf(&text, "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{%s}]}]}]}",
		members);
	struct outcome outcome = convert_to(SIGNAL_METRICS, buf_bytes(&text));
	cr_assert_eq(outcome.error, 0, "%s: %s", members, outcome.complaint.text);
	Otlp__ExportMetricsServiceRequest *request =
		otlp__export_metrics_service_request__unpack(NULL, outcome.out.len, outcome.out.at);
	cr_assert_not_null(request, "%s", members);
	cr_expect_eq(outcome.out.len,
		otlp__export_metrics_service_request__get_packed_size(request), "%s", members);
	buf_done(&text);
	buf_done(&outcome.out);
	return request;
}

static const Otlp__Metric *only_metric(const Otlp__ExportMetricsServiceRequest *request)
{
	return request->resource_metrics[0]->scope_metrics[0]->metrics[0];
}

static void metrics_free(Otlp__ExportMetricsServiceRequest *request)
{
	otlp__export_metrics_service_request__free_unpacked(request, NULL);
}

Test(json, numbers_of_points_are_exact_and_zero_is_not_absent)
{
	Otlp__ExportMetricsServiceRequest *request = convert_metric(
		"\"name\":\"n\",\"sum\":{\"dataPoints\":[{\"asInt\":\"-9223372036854775808\"},"
		"{\"asInt\":5,\"asDouble\":0},{\"asInt\":0}],\"aggregationTemporality\":"
		"\"AGGREGATION_TEMPORALITY_DELTA\",\"isMonotonic\":true}");
	const Otlp__Sum *sum = only_metric(request)->sum;
	cr_assert_not_null(sum);
	cr_expect_eq(sum->data_points[0]->as_int, INT64_MIN);
	cr_expect_eq(sum->data_points[1]->value_case, OTLP__NUMBER_DATA_POINT__VALUE_AS_DOUBLE);
	cr_expect_eq(sum->data_points[2]->value_case, OTLP__NUMBER_DATA_POINT__VALUE_AS_INT);
	cr_expect_eq(sum->aggregation_temporality, 1);
	cr_expect(sum->is_monotonic);
	metrics_free(request);
}

Test(json, lists_of_numbers_are_packed)
{
	Otlp__ExportMetricsServiceRequest *request = convert_metric(
		"\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[\"1\",2,18446744073709551615],"
		"\"explicitBounds\":[0.5,\"Infinity\"],\"sum\":0,\"max\":\"NaN\"},"
		"{\"bucketCounts\":[7],\"bucketCounts\":[]}]}");
	const Otlp__Histogram *histogram = only_metric(request)->histogram;
	const Otlp__HistogramDataPoint *point = histogram->data_points[0];
	cr_assert_eq(point->n_bucket_counts, 3);
	cr_expect_eq(point->bucket_counts[2], UINT64_MAX);
	cr_assert_eq(point->n_explicit_bounds, 2);
	cr_expect_eq(point->explicit_bounds[0], 0.5);
	cr_expect(isinf(point->explicit_bounds[1]));
	cr_expect_eq(point->sum_presence_case, OTLP__HISTOGRAM_DATA_POINT__SUM_PRESENCE_SUM);
	cr_expect_eq(point->min_presence_case, OTLP__HISTOGRAM_DATA_POINT__MIN_PRESENCE__NOT_SET);
	cr_expect(isnan(point->max));
	cr_expect_eq(histogram->data_points[1]->n_bucket_counts, 0);
	metrics_free(request);

	request = convert_metric(
		"\"exponentialHistogram\":{\"dataPoints\":[{\"scale\":-2147483648,\"positive\":"
		"{\"offset\":\"-3\",\"bucketCounts\":[0,300,\"18446744073709551615\"]}}]}");
	const Otlp__ExponentialHistogramDataPoint *other =
		only_metric(request)->exponential_histogram->data_points[0];
	cr_expect_eq(other->scale, INT32_MIN);
	cr_expect_eq(other->positive->offset, -3);
	cr_assert_eq(other->positive->n_bucket_counts, 3);
	cr_expect_eq(other->positive->bucket_counts[1], 300);
	cr_expect_eq(other->positive->bucket_counts[2], UINT64_MAX);
	metrics_free(request);
}

Test(json, the_last_kind_of_a_metric_is_its_kind)
{
	Otlp__ExportMetricsServiceRequest *request = convert_metric(
		"\"gauge\":{\"dataPoints\":[{\"asInt\":1}]},\"summary\":{\"dataPoints\":[{"
		"\"quantileValues\":[{\"quantile\":0.5,\"value\":2}]}]}");
	const Otlp__Metric *metric = only_metric(request);
	cr_assert_eq(metric->data_case, OTLP__METRIC__DATA_SUMMARY);
	cr_expect_eq(metric->summary->data_points[0]->quantile_values[0]->value, 2);
	metrics_free(request);
}

Test(json, a_request_says_by_its_first_known_name_what_it_is)
{
	static const struct {
		const char *text;
		int signal; /* 0: none */
	} cases[] = {
		{ "{\"resourceSpans\":[]}", SIGNAL_TRACES },
		{ "\xef\xbb\xbf {\n \"resourceLogs\" : [", SIGNAL_LOGS },
		{ "{\"a\":{\"resourceSpans\":1},\"b\":\"\\\"\",\"resourceMetrics\":[]}",
			SIGNAL_METRICS },
		{ "{}", 0 },
		{ "", 0 },
		{ "[\"resourceLogs\"]", 0 },
		{ "{\"a\":\"resourceLogs\"}", 0 },
		{ "{\"a\" \"resourceLogs\":[]}", 0 },
		{ "{\"resourceLogsx\":[]", 0 },
		{ "{\"a\":[1,\"resourceLogs\":[]}", 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum signal signal;
		bool is_found = json_find_signal(bytes_of(cases[i].text), &signal);
		cr_expect_eq(is_found, cases[i].signal != 0, "%s", cases[i].text);
		cr_expect(!is_found || (int)signal == cases[i].signal, "%s", cases[i].text);
	}
}
