/* Log records read in place, with the generated code as their writer. */
#include "otlp/logs.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "otlp_logs.pb-c.h"

enum { ARENA_BYTES = 1 << 20, DEPTH = 10 };

static struct arena arena;
static struct log_record record;

static void begin(void)
{
	arena_init(&arena, ARENA_BYTES, NULL);
	record = (struct log_record){ 0 };
}

static void end(void)
{
	arena_done(&arena);
}

TestSuite(logs, .init = begin, .fini = end);

static ProtobufCBinaryData data(const char *text)
{
	return (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
}

static struct bytes packed(const Otlp__LogRecord *from)
{
	size_t len = otlp__log_record__get_packed_size(from);
	uint8_t *at = arena_alloc(&arena, len + 1);
	otlp__log_record__pack(from, at);
	return (struct bytes){ at, len };
}

static int read_bytes(struct bytes message, unsigned depth)
{
	const struct field field = { .type = WIRE_BYTES, .body = message };
	return log_record_read(&field, depth, &arena, &record);
}

static void expect_text(struct bytes text, const char *expected)
{
	cr_expect(bytes_are(text, expected), "\"%.*s\" is not \"%s\"", (int)text.len,
		(const char *)text.at, expected);
}

/* Everything that is read, with one attribute. */
static struct bytes whole_record(void)
{
	static Otlp__AnyValue body = OTLP__ANY_VALUE__INIT, value = OTLP__ANY_VALUE__INIT;
	static Otlp__KeyValue attribute = OTLP__KEY_VALUE__INIT, *attributes[] = { &attribute };
	Otlp__LogRecord from = OTLP__LOG_RECORD__INIT;
	body.value_case = value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	body.string_value = data("claude_code.user_prompt");
	value.string_value = data("user_prompt");
	attribute.key = data("event.name");
	attribute.value = &value;
	from.time_unix_nano = 7;
	from.observed_time_unix_nano = 8;
	from.severity_text = data("INFO");
	from.body = &body;
	from.attributes = attributes;
	from.n_attributes = 1;
	from.trace_id = data("0123456789abcdef");
	from.span_id = data("01234567");
	from.event_name = data("prompt");
	return packed(&from);
}

Test(logs, what_a_record_says_is_read)
{
	cr_assert_eq(read_bytes(whole_record(), DEPTH), 0);
	cr_expect_eq(record.time_ns, 7);
	cr_expect_eq(record.observed_ns, 8);
	cr_expect_eq(log_record_when(&record), 7);
	cr_expect_eq(record.body.type, VALUE_STRING);
	expect_text(record.body.bytes, "claude_code.user_prompt");
	expect_text(record.event_name, "prompt");
	expect_text(record.trace_id, "0123456789abcdef");
	expect_text(record.span_id, "01234567");
	cr_assert_eq(record.attributes.count, 1);
	expect_text(record.attributes.at[0].key, "event.name");
	expect_text(record.attributes.at[0].value.bytes, "user_prompt");
}

Test(logs, a_record_without_a_time_happened_when_it_was_observed)
{
	Otlp__LogRecord from = OTLP__LOG_RECORD__INIT;
	from.observed_time_unix_nano = 8;
	cr_assert_eq(read_bytes(packed(&from), DEPTH), 0);
	cr_expect_eq(log_record_when(&record), 8);
}

Test(logs, ids_of_zeros_or_of_another_length_are_none)
{
	static uint8_t zeros[16];
	const ProtobufCBinaryData none[][2] = {
		{ { 16, zeros }, { 8, zeros } },
		{ { 15, (uint8_t *)"0123456789abcde" }, { 7, (uint8_t *)"0123456" } },
		{ { 17, (uint8_t *)"0123456789abcdefg" }, { 16, (uint8_t *)"0123456789abcdef" } },
		{ { 0, NULL }, { 0, NULL } },
	};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		Otlp__LogRecord from = OTLP__LOG_RECORD__INIT;
		from.trace_id = none[i][0];
		from.span_id = none[i][1];
		cr_assert_eq(read_bytes(packed(&from), DEPTH), 0);
		cr_expect(!record.trace_id.len && !record.span_id.len, "%zu", i);
	}
}

Test(logs, nothing_of_the_last_record_stays_in_the_next)
{
	cr_assert_eq(read_bytes(whole_record(), DEPTH), 0);
	cr_assert_eq(read_bytes((struct bytes){ 0 }, DEPTH), 0);
	cr_expect_eq(log_record_when(&record), 0);
	cr_expect_eq(record.body.type, VALUE_NONE);
	cr_expect_eq(record.attributes.count, 0);
	cr_expect(!record.event_name.len && !record.trace_id.len && !record.span_id.len);
}

Test(logs, a_record_that_was_cut_off_is_whole_or_malformed)
{
	struct bytes whole = whole_record();
	size_t read = 0;
	for (size_t len = 0; len < whole.len; len++) {
		uint8_t *copy =
			malloc(len + !len); /* for the sanitizer to see what is read beyond it */
		memcpy(copy, whole.at, len);
		int error = read_bytes((struct bytes){ copy, len }, DEPTH);
		cr_expect(error == 0 || error == -EBADMSG);
		read += error == 0;
		free(copy);
	}
	cr_expect_eq(read, 8, "it may end behind each of its fields: %zu", read);
}

Test(logs, a_body_nests_as_deep_as_is_allowed)
{
	enum { LISTS = 3, LEVELS = 2 + 2 * LISTS };
	Otlp__AnyValue values[LISTS + 1], *items[LISTS];
	Otlp__ArrayValue lists[LISTS];
	Otlp__LogRecord from = OTLP__LOG_RECORD__INIT;
	otlp__any_value__init(&values[LISTS]);
	for (int i = LISTS - 1; i >= 0; i--) {
		otlp__any_value__init(&values[i]);
		otlp__array_value__init(&lists[i]);
		items[i] = &values[i + 1];
		lists[i].values = &items[i];
		lists[i].n_values = 1;
		values[i].value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
		values[i].array_value = &lists[i];
	}
	from.body = &values[0];
	struct bytes message = packed(&from);
	cr_expect_eq(read_bytes(message, LEVELS), 0);
	for (unsigned depth = 0; depth < LEVELS; depth++)
		cr_expect_eq(read_bytes(message, depth), -EBADMSG, "%u", depth);
}
