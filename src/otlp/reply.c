#include "otlp/reply.h"

#include <inttypes.h>

enum {
	WIRE_VARINT = 0,
	WIRE_LENGTH = 2,
	STATUS_CODE = 1, /* google.rpc.Status */
	STATUS_MESSAGE = 2,
	RESPONSE_PARTIAL_SUCCESS = 1, /* Export…ServiceResponse */
	PARTIAL_REJECTED = 1,         /* Export…PartialSuccess */
	PARTIAL_ERROR_MESSAGE = 2,
};

static size_t varint_length(uint64_t value)
{
	size_t length = 1;
	while (value >>= 7)
		length++;
	return length;
}

static void append_varint(struct buf *out, uint64_t value)
{
	uint8_t bytes[10];
	size_t len = 0;
	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (uint8_t)(value | 0x80);
	bytes[len++] = (uint8_t)value;
	buf_append(out, bytes, len);
}

/* Both messages are a number in field 1 and a text in field 2; zero and empty are left out. */
static size_t pair_length(uint64_t number, size_t text_bytes)
{
	return (number ? 1 + varint_length(number) : 0) +
		(text_bytes ? 1 + varint_length(text_bytes) + text_bytes : 0);
}

static void append_pair(struct buf *out, uint64_t number, struct bytes text)
{
	_Static_assert((int)STATUS_CODE == (int)PARTIAL_REJECTED, "");
	_Static_assert((int)STATUS_MESSAGE == (int)PARTIAL_ERROR_MESSAGE, "");
	if (number) {
		append_varint(out, STATUS_CODE << 3 | WIRE_VARINT);
		append_varint(out, number);
	}
	if (text.len) {
		append_varint(out, STATUS_MESSAGE << 3 | WIRE_LENGTH);
		append_varint(out, text.len);
		buf_append(out, text.at, text.len);
	}
}

unsigned reply_status_code(unsigned http_status)
{
	switch (http_status) {
	case 400:
		return 3; /* INVALID_ARGUMENT */
	case 401:
		return 16; /* UNAUTHENTICATED */
	case 403:
		return 7; /* PERMISSION_DENIED */
	case 404:
		return 12; /* UNIMPLEMENTED */
	case 429:
		return 8; /* RESOURCE_EXHAUSTED */
	case 502:
	case 503:
	case 504:
		return 14; /* UNAVAILABLE */
	default:
		return 2; /* UNKNOWN */
	}
}

void reply_write_status(
	struct buf *out, enum reply_encoding encoding, unsigned http_status, const char *message)
{
	unsigned code = reply_status_code(http_status);
	if (encoding == REPLY_PROTOBUF) {
		append_pair(out, code, bytes_of(message));
		return;
	}
	buf_printf(out, "{\"code\":%u,\"message\":", code);
	buf_json_string(out, bytes_of(message));
	buf_text(out, "}");
}

static void write_json_success(
	struct buf *out, enum signal signal, uint64_t rejected, struct bytes why)
{
	static const char *const names[] = {
		[SIGNAL_TRACES] = "rejectedSpans",
		[SIGNAL_LOGS] = "rejectedLogRecords",
		[SIGNAL_METRICS] = "rejectedDataPoints",
	};
	if (!rejected && !why.len) {
		buf_text(out, "{}");
		return;
	}
	buf_text(out, "{\"partialSuccess\":{");
	if (rejected)
		buf_printf(out, "\"%s\":\"%" PRIu64 "\"", names[signal], rejected);
	if (rejected && why.len)
		buf_text(out, ",");
	if (why.len) {
		buf_text(out, "\"errorMessage\":");
		buf_json_string(out, why);
	}
	buf_text(out, "}}");
}

void reply_write_success(struct buf *out, enum reply_encoding encoding, enum signal signal,
	uint64_t rejected, const char *why)
{
	struct bytes text = bytes_of(why);
	if (encoding == REPLY_JSON) {
		write_json_success(out, signal, rejected, text);
		return;
	}
	size_t length = pair_length(rejected, text.len);
	if (!length)
		return;
	append_varint(out, RESPONSE_PARTIAL_SUCCESS << 3 | WIRE_LENGTH);
	append_varint(out, length);
	append_pair(out, rejected, text);
}
