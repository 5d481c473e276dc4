/* The wire: reading fields, splicing messages, cutting requests. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/json_skim.h"
#include "base/utf8.h"
#include "otlp/request.h"
#include "otlp/splice.h"
#include "otlp/value.h"
#include "support/fixture.h"
#include "support/oracle.h"

static int drain(const void *at, size_t len)
{
	struct wire wire = wire_of((struct bytes){ at, len });
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0)
		;
	return more;
}

Test(wire, a_varint_has_at_most_ten_bytes)
{
	static const uint8_t ten[] = { 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0x01 };
	static const uint8_t eleven[] = { 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
		0x80, 0x80, 0x00 };
	cr_expect_eq(drain(ten, sizeof ten), 0);
	cr_expect_eq(drain(eleven, sizeof eleven), -EBADMSG);
}

Test(wire, a_length_behind_the_end_is_malformed)
{
	cr_expect_eq(drain("\x0a\x03"
			   "ab",
			     4),
		-EBADMSG);
	cr_expect_eq(drain("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11), -EBADMSG);
}

Test(wire, groups_are_skipped_when_balanced_and_not_too_deep)
{
	uint8_t deep[200];
	memset(deep, 0x0b, 100);
	memset(deep + 100, 0x0c, 100);
	cr_expect_eq(drain("\x0b\x10\x01\x0c", 4), 0);
	cr_expect_eq(drain("\x0b\x10\x01\x14", 4), -EBADMSG, "the end of another group");
	cr_expect_eq(drain("\x0b\x10\x01", 3), -EBADMSG, "no end");
	cr_expect_eq(drain(deep + 70, 60), 0);
	cr_expect_eq(drain(deep, 200), -EBADMSG);
}

Test(wire, a_varint_reads_back_as_it_was_written)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t value = UINT64_C(1) << bit, read = 0;
		for (int step = -1; step <= 1; step++) {
			uint8_t bytes[10], *end = varint_put(bytes, value + (uint64_t)step);
			struct wire wire = { bytes, end };
			cr_assert_eq(wire_varint(&wire, &read), 0);
			cr_expect_eq(read, value + (uint64_t)step);
			cr_expect_eq((size_t)(end - bytes), varint_size(value + (uint64_t)step));
		}
	}
}

/* Splices text into the body of an outer and an inner message, whose lengths then need more bytes. */
Test(splice, lengths_around_an_edit_grow_with_it)
{
	static const uint8_t input[] = { 0x0a, 4, 0x12, 2, 'a', 'b', 0x18, 1 };
	struct arena arena;
	struct splice splice;
	struct field outer, inner;
	uint8_t text[300];
	memset(text, 'x', sizeof text);
	arena_init(&arena, 1 << 20, NULL);
	splice_init(&splice, &arena, (struct bytes){ input, sizeof input });
	struct wire wire = wire_of(splice.input);
	cr_assert_eq(wire_next(&wire, &outer), 1);
	wire = wire_of(outer.body);
	cr_assert_eq(wire_next(&wire, &inner), 1);

	splice_open(&splice, &outer);
	splice_open(&splice, &inner);
	splice_edit(&splice, SPLICE_BOTH, inner.end, 0, (struct bytes){ text, sizeof text });
	splice_edit(&splice, SPLICE_SECOND, inner.body.at, 1, (struct bytes){ 0 });
	splice_close(&splice);
	splice_close(&splice);

	struct bytes first = splice_write(&splice, false), second = splice_write(&splice, true);
	static const uint8_t head[] = { 0x0a, 0xb1, 0x02, 0x12, 0xae, 0x02, 'a', 'b', 'x' };
	static const uint8_t second_head[] = { 0x0a, 0xb0, 0x02, 0x12, 0xad, 0x02, 'b', 'x' };
	cr_assert_eq(first.len, 3 + 3 + 2 + 300 + 2);
	cr_expect_eq(memcmp(first.at, head, sizeof head), 0);
	cr_expect_eq(memcmp(first.at + first.len - 2, "\x18\x01", 2), 0);
	cr_assert_eq(second.len, first.len - 1);
	cr_expect_eq(memcmp(second.at, second_head, sizeof second_head), 0);
	arena_done(&arena);
}

Test(splice, without_edits_the_input_itself_is_the_output)
{
	static const uint8_t input[] = { 0x0a, 0x80, 0x00 };
	struct arena arena;
	struct splice splice;
	struct field field;
	arena_init(&arena, 1 << 20, NULL);
	splice_init(&splice, &arena, (struct bytes){ input, sizeof input });
	struct wire wire = wire_of(splice.input);
	cr_assert_eq(wire_next(&wire, &field), 1);
	splice_open(&splice, &field);
	splice_close(&splice);
	cr_expect_eq(splice_write(&splice, false).at, (const uint8_t *)input);
	arena_done(&arena);
}

Test(splice, edits_that_overlap_are_an_error_and_nothing_is_written)
{
	static const uint8_t input[] = { 0x0a, 3, 'a', 'b', 'c' };
	struct arena arena;
	struct splice splice;
	struct field field;
	arena_init(&arena, 1 << 20, NULL);
	splice_init(&splice, &arena, (struct bytes){ input, sizeof input });
	struct wire wire = wire_of(splice.input);
	cr_assert_eq(wire_next(&wire, &field), 1);
	splice_open(&splice, &field);
	splice_edit(&splice, SPLICE_BOTH, field.body.at, 2, (struct bytes){ 0 });
	splice_edit(&splice, SPLICE_SECOND, field.body.at + 1, 1, (struct bytes){ 0 });
	splice_close(&splice);
	cr_expect_not_null(splice_write(&splice, false).at, "one of them alone");
	cr_expect_null(splice_write(&splice, true).at);
	cr_expect_eq(arena.error, -EINVAL);
	arena_done(&arena);
}

Test(splice, an_overlong_length_stays_when_the_size_does)
{
	static const uint8_t input[] = { 0x0a, 0x83, 0x00, 'a', 'b', 'c' };
	struct arena arena;
	struct splice splice;
	struct field field;
	arena_init(&arena, 1 << 20, NULL);
	splice_init(&splice, &arena, (struct bytes){ input, sizeof input });
	struct wire wire = wire_of(splice.input);
	cr_assert_eq(wire_next(&wire, &field), 1);
	splice_open(&splice, &field);
	splice_edit(&splice, SPLICE_BOTH, field.body.at, 1, (struct bytes)BYTES("X"));
	splice_close(&splice);
	struct bytes output = splice_write(&splice, false);
	cr_assert_eq(output.len, sizeof input);
	cr_expect_eq(memcmp(output.at, "\x0a\x83\x00Xbc", sizeof input), 0);
	arena_done(&arena);
}

/* Every way to cut a captured request in two gives two requests with the same spans in order. */
Test(request, two_halves_hold_what_the_whole_held)
{
	struct bytes input = fixture("captures/claude/b-tool/0003-traces.pb");
	oracle_request *whole = oracle_decode(input);
	uint32_t count;
	cr_assert_eq(request_count_items(input, &count), 0);
	cr_assert_eq(count, oracle_span_count(whole));
	for (uint32_t cut = 1; cut < count; cut++) {
		struct arena arena;
		struct bytes half[2];
		arena_init(&arena, 1 << 20, NULL);
		cr_assert_eq(request_cut(input, 0, cut, &arena, &half[0]), 0);
		cr_assert_eq(request_cut(input, cut, count, &arena, &half[1]), 0);
		oracle_request *parts[2] = { oracle_decode(half[0]), oracle_decode(half[1]) };
		cr_assert_eq(oracle_span_count(parts[0]), cut);
		cr_assert_eq(oracle_span_count(parts[1]), count - cut);
		for (uint32_t i = 0; i < count; i++) {
			const oracle_span *from = oracle_span_at(whole, i);
			const oracle_span *to =
				oracle_span_at(parts[i >= cut], i >= cut ? i - cut : i);
			cr_expect_eq(memcmp(from->span_id.data, to->span_id.data, 8), 0);
			cr_expect_eq(from->n_attributes, to->n_attributes);
		}
		cr_expect_eq(parts[1]->resource_spans[0]->resource->n_attributes,
			whole->resource_spans[0]->resource->n_attributes);
		oracle_free(parts[0]);
		oracle_free(parts[1]);
		arena_done(&arena);
	}
	oracle_free(whole);
	free((void *)input.at);
}

Test(request, envelopes_without_wanted_spans_are_left_out)
{
	/* Two ResourceSpans, each with one ScopeSpans with one empty span. */
	static const uint8_t input[] = { 0x0a, 4, 0x12, 2, 0x12, 0, 0x0a, 4, 0x12, 2, 0x12, 0 };
	struct arena arena;
	struct bytes cut;
	arena_init(&arena, 1 << 20, NULL);
	cr_assert_eq(request_cut((struct bytes){ input, sizeof input }, 1, 2, &arena, &cut), 0);
	cr_expect_eq(cut.len, 6);
	arena_done(&arena);
}

Test(request, cuts_that_fit_cover_every_span_once_and_stay_within_the_limit)
{
	struct bytes input = fixture("captures/claude/b-tool/0003-traces.pb");
	uint32_t count, to = 0, rounds = 0;
	cr_assert_eq(request_count_items(input, &count), 0);
	for (uint32_t from = 0; from < count; from = to, rounds++) {
		struct arena arena;
		struct bytes cut;
		arena_init(&arena, 1 << 20, NULL);
		cr_assert_eq(request_fit(input, from, 2000, &to), 0);
		cr_assert(to > from && to <= count);
		cr_assert_eq(request_cut(input, from, to, &arena, &cut), 0);
		cr_expect(cut.len <= 2000 || to == from + 1, "%zu bytes", cut.len);
		arena_done(&arena);
	}
	cr_expect(rounds > 1);
	cr_assert_eq(request_fit(input, 0, 1 << 20, &to), 0);
	cr_expect_eq(to, count);
	free((void *)input.at);
}

Test(request, only_what_has_a_span_says_that_it_has_spans)
{
	static const struct {
		const char *path;
		bool has_span;
	} cases[] = {
		{ "otlp/valid/01-no-attributes.pb", true },
		{ "otlp/valid/33-missing-ids.pb", true }, /* two of six have ids */
		{ "otlp/valid/40-empty-request.pb", false },
		{ "otlp/raw-pb/p22-traceid-15.pb", false },
		{ "otlp/raw-pb/p33-logs-as-traces.pb", false },
		{ "captures/claude/b-tool/0001-logs.pb", false },
		{ "captures/claude/b-tool/0003-traces.pb", true },
		{ "captures/claude/b-tool/0004-metrics.pb", false },
		{ "otlp/encodings/ok.pb.gz", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct bytes request = fixture(cases[i].path);
		cr_expect_eq(request_has_span(request), cases[i].has_span, "%s", cases[i].path);
		free((void *)request.at);
	}
}

/* Metric: name (1), description (2) and sum (7), where a span has two ids and a time. */
Test(request, a_metric_with_names_as_long_as_ids_is_no_span)
{
	static const uint8_t request[] = "\x0a\x22\x12\x20\x12\x1e\x0a\x10"
					 "process.cpu.time"
					 "\x12\x08"
					 "CPU time"
					 "\x3a";
	cr_expect_not(request_has_span((struct bytes){ request, sizeof request }));
}

Test(value, counts_are_read_from_ints_doubles_and_digits)
{
	static const struct {
		struct value value;
		bool is_count;
		uint64_t count;
	} cases[] = {
		{ { .type = VALUE_INT, .integer = 5 }, true, 5 },
		{ { .type = VALUE_INT, .integer = -5 }, false, 0 },
		{ { .type = VALUE_DOUBLE, .number = 7.9 }, true, 7 },
		{ { .type = VALUE_DOUBLE, .number = -0.5 }, false, 0 },
		{ { .type = VALUE_DOUBLE, .number = 0.0 / 0.0 }, false, 0 },
		{ { .type = VALUE_DOUBLE, .number = 1e300 }, false, 0 },
		{ { .type = VALUE_STRING, .bytes = BYTES(" 12 ") }, true, 12 },
		{ { .type = VALUE_STRING, .bytes = BYTES("9223372036854775807") }, true,
			INT64_MAX },
		{ { .type = VALUE_STRING, .bytes = BYTES("9223372036854775808") }, false, 0 },
		{ { .type = VALUE_STRING, .bytes = BYTES("12a") }, false, 0 },
		{ { .type = VALUE_STRING, .bytes = BYTES(" ") }, false, 0 },
		{ { .type = VALUE_BOOL, .integer = 1 }, false, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t count = 0;
		cr_expect_eq(
			value_count(&cases[i].value, &count), cases[i].is_count, "case %zu", i);
		cr_expect_eq(count, cases[i].count, "case %zu", i);
	}
}

Test(json_skim, tells_containers_from_everything_else)
{
	static const char *const yes[] = { "{}", " [ ] ",
		"[1,2.5e-3,-0,\"a\\u00e9\\n\",true,false,null]",
		"{\"a\":{\"b\":[{}]},\"c\":\"0123456789abcdef0123456789\"}", "[[],[[]]]\n" };
	static const char *const no[] = { "", " ", "1", "\"a\"", "{", "[1,]", "{\"a\"}", "{\"a\":}",
		"{a:1}", "[1 2]", "[\"\\x\"]", "[\"\\u12g4\"]", "[01]", "[1.]", "[tru]", "[]]",
		"[\"a\nb\"]", "{\"a\":1,}", "[}", "[\"abc", "[-]" };
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		cr_expect(json_is_container(bytes_of(yes[i])), "%s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		cr_expect_not(json_is_container(bytes_of(no[i])), "%s", no[i]);
	cr_expect(json_text_is_array(bytes_of(" [1]")));
	cr_expect_not(json_text_is_array(bytes_of("{}")));
}

Test(json_skim, is_bounded_in_depth)
{
	char deep[2000];
	memset(deep, '[', 1000);
	memset(deep + 1000, ']', 1000);
	cr_expect_not(json_is_container((struct bytes){ (uint8_t *)deep, 2000 }));
	cr_expect(json_is_container((struct bytes){ (uint8_t *)deep + 500, 1000 }));
}

Test(json_skim, finds_a_number_of_the_outermost_object)
{
	static const struct {
		const char *text, *number; /* NULL: none */
	} cases[] = {
		{ "{\"input\":1,\"total\":0.25}", "0.25" },
		{ " { \"total\" : -1e-5 , \"x\" : [] } ", "-1e-5" },
		{ "{\"a\":{\"total\":1},\"b\":[{\"total\":2}]}", NULL },
		{ "{\"a\":{\"total\":1},\"total\":2}", "2" },
		{ "{\"total\":1,\"total\":2}", "2" },
		{ "{\"total\":\"1\"}", NULL },
		{ "{\"total\":{}}", NULL },
		{ "[{\"total\":1}]", NULL },
		{ "{\"total\":1", NULL },
		{ "{\"total\":1} x", NULL },
		{ "{\"total\":01}", NULL },
		{ "{}", NULL },
		{ "", NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes number = { 0 };
		bool found = json_find_number(bytes_of(cases[i].text), "total", &number);
		cr_expect_eq(found, cases[i].number != NULL, "%s", cases[i].text);
		cr_expect(bytes_equal(number, bytes_of(cases[i].number)), "%s", cases[i].text);
	}
	cr_expect(json_text_is_object(bytes_of(" {}")));
	cr_expect_not(json_text_is_object(bytes_of("[1]")));
}

Test(utf8, what_is_text_ends_at_the_first_byte_that_is_none)
{
	static const struct {
		struct bytes text;
		size_t span;
	} cases[] = {
		{ BYTES("plain text of some length"), 25 },
		{ BYTES("12345678\0"), 8 },
		{ BYTES("1234567\0"
			"9012345678"),
			7 },
		{ BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 9 },
		{ BYTES("ab\xc3"), 2 },
		{ BYTES("ab\xc0\x80"), 2 },
		{ BYTES("ab\xed\xa0\x80"), 2 },
		{ BYTES("ab\xf4\x90\x80\x80"), 2 },
		{ BYTES("123456789012345\x80"), 15 },
		{ BYTES(""), 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_eq(utf8_span(cases[i].text), cases[i].span, "%zu: %zu", i,
			utf8_span(cases[i].text));
}
