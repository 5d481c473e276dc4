#include "cli/answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/wire.h"

/* Field numbers of the two messages; partial_success is field 1 of the response. */
enum {
	RESPONSE_PARTIAL_SUCCESS = 1,
	PARTIAL_REJECTED = 1,
	PARTIAL_MESSAGE = 2,
	STATUS_MESSAGE = 2
};

/* A terminal shall not obey what a server says. */
static void set_message(struct answer *answer, struct bytes text)
{
	size_t len = text.len < sizeof answer->message ? text.len : sizeof answer->message - 1;
	for (size_t i = 0; i < len; i++)
		answer->message[i] =
			text.at[i] < ' ' || text.at[i] == 0x7f ? ' ' : (char)text.at[i];
	while (len && answer->message[len - 1] == ' ')
		len--;
	answer->message[len] = '\0';
}

static void read_partial(struct bytes message, struct answer *answer)
{
	struct wire wire = wire_of(message);
	struct field field;
	while (wire_next(&wire, &field) > 0) {
		if (field_is(&field, PARTIAL_REJECTED, WIRE_VARINT))
			answer->rejected = field.value;
		if (field_is(&field, PARTIAL_MESSAGE, WIRE_BYTES))
			set_message(answer, field.body);
	}
}

static void read_protobuf(int status, struct bytes body, struct answer *answer)
{
	struct wire wire = wire_of(body);
	struct field field;
	while (wire_next(&wire, &field) > 0) {
		if (status == 200 && field_is(&field, RESPONSE_PARTIAL_SUCCESS, WIRE_BYTES))
			read_partial(field.body, answer);
		if (status != 200 && field_is(&field, STATUS_MESSAGE, WIRE_BYTES))
			set_message(answer, field.body);
	}
}

/* OTLP/JSON writes 64-bit numbers as strings and takes both. */
static uint64_t number_of(const json_t *json)
{
	if (json_is_string(json))
		return strtoull(json_string_value(json), NULL, 10);
	return json_integer_value(json) > 0 ? (uint64_t)json_integer_value(json) : 0;
}

static void read_json(struct bytes body, struct answer *answer)
{
	static const char *const rejected[] = { "rejectedSpans", "rejectedLogRecords",
		"rejectedDataPoints" };
	json_t *json = json_loadb((const char *)body.at, body.len, 0, NULL);
	const json_t *partial = json_object_get(json, "partialSuccess");
	const char *message = json_string_value(partial ? json_object_get(partial, "errorMessage") :
							  json_object_get(json, "message"));
	for (size_t i = 0; i < 3; i++)
		answer->rejected += number_of(json_object_get(partial, rejected[i]));
	if (message)
		set_message(answer, bytes_of(message));
	json_decref(json);
}

void answer_read(int status, const char *content_type, struct bytes body, struct answer *ret_answer)
{
	*ret_answer = (struct answer){ 0 };
	if (body.len == 0)
		return;
	if (strstr(content_type, "json"))
		read_json(body, ret_answer);
	else if (strstr(content_type, "protobuf"))
		read_protobuf(status, body, ret_answer);
	else if (strstr(content_type, "text/plain"))
		set_message(ret_answer, body);
}
