#include "otlp/reply.h"

#include <criterion/criterion.h>

static void expect(struct buf *out, const void *bytes, size_t len)
{
	cr_expect_eq(out->error, 0);
	cr_expect(bytes_equal(buf_bytes(out), (struct bytes){ bytes, len }), "%.*s", (int)out->len,
		(char *)out->at);
	out->len = 0;
}

#define expect_bytes(out, literal) expect(out, literal, sizeof(literal) - 1)

Test(reply, a_status_has_code_and_message_in_both_encodings)
{
	struct buf out;
	buf_init(&out, 4096, NULL);
	reply_write_status(&out, REPLY_PROTOBUF, 503, "full");
	expect_bytes(&out,
		"\x08\x0e\x12\x04"
		"full");
	reply_write_status(&out, REPLY_JSON, 400, "say \"why\"\n");
	expect_bytes(&out, "{\"code\":3,\"message\":\"say \\\"why\\\"\\n\"}");
	buf_done(&out);
}

Test(reply, long_messages_have_long_lengths)
{
	char message[301];
	memset(message, 'm', 300);
	message[300] = '\0';
	struct buf out;
	buf_init(&out, 4096, NULL);
	reply_write_status(&out, REPLY_PROTOBUF, 500, message);
	cr_expect_eq(out.len, 2 + 3 + 300);
	cr_expect_eq(memcmp(out.at, "\x08\x02\x12\xac\x02mmm", 8), 0);
	out.len = 0;
	reply_write_success(&out, REPLY_PROTOBUF, SIGNAL_LOGS, UINT64_MAX, message);
	cr_expect_eq(out.len, 3 + 11 + 3 + 300);
	cr_expect_eq(
		memcmp(out.at,
			"\x0a\xba\x02\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\xac\x02m",
			18),
		0);
	buf_done(&out);
}

Test(reply, full_success_is_an_empty_message)
{
	struct buf out;
	buf_init(&out, 4096, NULL);
	reply_write_success(&out, REPLY_PROTOBUF, SIGNAL_TRACES, 0, NULL);
	expect_bytes(&out, "");
	reply_write_success(&out, REPLY_PROTOBUF, SIGNAL_TRACES, 0, "");
	expect_bytes(&out, "");
	reply_write_success(&out, REPLY_JSON, SIGNAL_TRACES, 0, NULL);
	expect_bytes(&out, "{}");
	buf_done(&out);
}

Test(reply, what_was_rejected_is_counted_under_the_name_of_its_signal)
{
	struct buf out;
	buf_init(&out, 4096, NULL);
	reply_write_success(&out, REPLY_PROTOBUF, SIGNAL_METRICS, 3, "bad");
	expect_bytes(&out,
		"\x0a\x07\x08\x03\x12\x03"
		"bad");
	reply_write_success(&out, REPLY_JSON, SIGNAL_TRACES, 3, "bad");
	expect_bytes(
		&out, "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"bad\"}}");
	reply_write_success(&out, REPLY_JSON, SIGNAL_LOGS, 3, NULL);
	expect_bytes(&out, "{\"partialSuccess\":{\"rejectedLogRecords\":\"3\"}}");
	reply_write_success(&out, REPLY_JSON, SIGNAL_METRICS, UINT64_MAX, NULL);
	expect_bytes(
		&out, "{\"partialSuccess\":{\"rejectedDataPoints\":\"18446744073709551615\"}}");
	buf_done(&out);
}

Test(reply, a_warning_has_a_message_and_no_count)
{
	struct buf out;
	buf_init(&out, 4096, NULL);
	reply_write_success(&out, REPLY_PROTOBUF, SIGNAL_TRACES, 0, "old");
	expect_bytes(&out,
		"\x0a\x05\x12\x03"
		"old");
	reply_write_success(&out, REPLY_JSON, SIGNAL_TRACES, 0, "old");
	expect_bytes(&out, "{\"partialSuccess\":{\"errorMessage\":\"old\"}}");
	buf_done(&out);
}

Test(reply, http_statuses_have_their_google_codes)
{
	static const unsigned pairs[][2] = { { 400, 3 }, { 401, 16 }, { 403, 7 }, { 404, 12 },
		{ 429, 8 }, { 502, 14 }, { 503, 14 }, { 504, 14 }, { 500, 2 }, { 413, 2 },
		{ 415, 2 } };
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		cr_expect_eq(reply_status_code(pairs[i][0]), pairs[i][1], "%u", pairs[i][0]);
}
