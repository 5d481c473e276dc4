#include "otlp/value.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

/* AnyValue's members by field number; ArrayValue.values and KeyValueList.values are both field 1. */
enum { STRING = 1, BOOL = 2, INT = 3, DOUBLE = 4, ARRAY = 5, KVLIST = 6, BYTES_VALUE = 7 };
enum { LIST_VALUES = 1, KEY = 1, VALUE = 2 };
enum { EMPTY_STRING_BYTES = 2 }; /* an AnyValue with it: tag and length */

static int check_array(struct bytes list, unsigned depth)
{
	struct wire wire = wire_of(list);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0) {
		struct value item = { 0 };
		if (field_is(&field, LIST_VALUES, WIRE_BYTES) &&
			value_read(field.body, depth, &item) < 0)
			return -EBADMSG;
	}
	return more;
}

static int check_kvlist(struct bytes list, unsigned depth)
{
	struct wire wire = wire_of(list);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0) {
		struct attribute member;
		if (field_is(&field, LIST_VALUES, WIRE_BYTES) &&
			attribute_read(&field, depth, &member) < 0)
			return -EBADMSG;
	}
	return more;
}

int value_read(struct bytes any_value, unsigned depth, struct value *value)
{
	if (depth < 1)
		return -EBADMSG;
	struct wire wire = wire_of(any_value);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0) {
		int error = 0;
		if (field_is(&field, STRING, WIRE_BYTES)) {
			*value = (struct value){ .type = VALUE_STRING, .bytes = field.body };
		} else if (field_is(&field, BOOL, WIRE_VARINT)) {
			*value = (struct value){ .type = VALUE_BOOL, .integer = field.value != 0 };
		} else if (field_is(&field, INT, WIRE_VARINT)) {
			*value = (struct value){ .type = VALUE_INT,
				.integer = (int64_t)field.value };
		} else if (field_is(&field, DOUBLE, WIRE_FIXED64)) {
			*value = (struct value){ .type = VALUE_DOUBLE };
			memcpy(&value->number, &field.value, sizeof value->number);
		} else if (field_is(&field, ARRAY, WIRE_BYTES)) {
			*value = (struct value){ .type = VALUE_ARRAY, .bytes = field.body };
			error = depth < 2 ? -EBADMSG : check_array(field.body, depth - 2);
		} else if (field_is(&field, KVLIST, WIRE_BYTES)) {
			*value = (struct value){ .type = VALUE_KVLIST, .bytes = field.body };
			error = depth < 2 ? -EBADMSG : check_kvlist(field.body, depth - 2);
		} else if (field_is(&field, BYTES_VALUE, WIRE_BYTES)) {
			*value = (struct value){ .type = VALUE_BYTES, .bytes = field.body };
		}
		if (error)
			return error;
	}
	/* What is empty may be replaced, so nothing unknown may stand beside the emptiness. */
	if ((value->type == VALUE_NONE && any_value.len > 0) ||
		(value->type == VALUE_STRING && value->bytes.len == 0 &&
			any_value.len > EMPTY_STRING_BYTES))
		*value = (struct value){ .type = VALUE_UNKNOWN };
	return more;
}

/* A tag of one byte. */
#define TAG(number, type) ((uint8_t)((number) << 3 | (type)))

/*
 * Where the content of a field begins that has this tag and a length of one or two bytes, and ends where the
 * message does; NULL for anything else.
 */
static inline const uint8_t *content_to(const uint8_t *at, const uint8_t *end, uint8_t tag)
{
	size_t left = (size_t)(end - at);
	if (left < 3 || at[0] != tag)
		return NULL;
	if (at[1] < 0x80)
		return at[1] == left - 2 ? at + 2 : NULL;
	bool is_all = at[2] < 0x80 && (at[1] & 0x7fu) + ((size_t)at[2] << 7) == left - 3;
	return is_all ? at + 3 : NULL;
}

/*
 * Nearly every attribute is a key and a value of one string or int, in this order, and a request has
 * thousands of them. False for anything else, which the general way then reads from the beginning.
 */
static bool read_usual(const struct field *key_value, struct attribute *ret_attribute)
{
	const uint8_t *at = key_value->body.at, *end = key_value->end, *text;
	struct value value = { .type = VALUE_STRING };
	if (end - at < 2 || at[0] != TAG(KEY, WIRE_BYTES) || at[1] >= 0x80 || at[1] > end - at - 2)
		return false;
	struct bytes key = { at + 2, at[1] };
	at = content_to(bytes_end(key), end, TAG(VALUE, WIRE_BYTES));
	if (at && (text = content_to(at, end, TAG(STRING, WIRE_BYTES)))) {
		value.bytes = (struct bytes){ text, (size_t)(end - text) };
	} else if (at && at[0] == TAG(INT, WIRE_VARINT)) {
		struct wire wire = { at + 1, end };
		uint64_t integer;
		if (wire_varint(&wire, &integer) < 0 || wire.at != end)
			return false;
		value.type = VALUE_INT;
		value.integer = (int64_t)integer;
	} else {
		return false;
	}
	*ret_attribute = (struct attribute){
		.key = key,
		.value = value,
		.has_value = true,
		.start = key_value->start,
		.end = key_value->end,
	};
	return true;
}

int attribute_read(const struct field *key_value, unsigned depth, struct attribute *ret_attribute)
{
	if (depth < 2)
		return -EBADMSG;
	if (read_usual(key_value, ret_attribute))
		return 0;
	struct attribute attribute = { .start = key_value->start, .end = key_value->end };
	struct wire wire = wire_of(key_value->body);
	struct field field;
	bool has_more = false;
	int more;
	while ((more = wire_next(&wire, &field)) > 0) {
		if (field_is(&field, KEY, WIRE_BYTES)) {
			attribute.key = field.body;
		} else if (field_is(&field, VALUE, WIRE_BYTES)) {
			has_more |= attribute.has_value; /* of two, the other may not be empty */
			attribute.has_value = true;
			if (value_read(field.body, depth - 1, &attribute.value) < 0)
				return -EBADMSG;
		} else {
			has_more = true;
		}
	}
	if (has_more && value_is_empty(&attribute.value))
		attribute.value = (struct value){ .type = VALUE_UNKNOWN };
	*ret_attribute = attribute;
	return more;
}

/* What was read before needs no second look at its depth. */
enum { ANY_DEPTH = 1 << 20 };

int value_next_item(struct wire *list, struct value *ret_item)
{
	struct field field;
	while (wire_next(list, &field) > 0) {
		if (!field_is(&field, LIST_VALUES, WIRE_BYTES))
			continue;
		*ret_item = (struct value){ 0 };
		return value_read(field.body, ANY_DEPTH, ret_item) < 0 ? 0 : 1;
	}
	return 0;
}

int value_next_member(struct wire *list, struct attribute *ret_member)
{
	struct field field;
	while (wire_next(list, &field) > 0)
		if (field_is(&field, LIST_VALUES, WIRE_BYTES))
			return attribute_read(&field, ANY_DEPTH, ret_member) < 0 ? 0 : 1;
	return 0;
}

static void base64(struct buf *buf, struct bytes bytes)
{
	buf_text(buf, "\"");
	/* EVP_EncodeBlock writes a NUL behind its text. */
	uint8_t *to = bytes.len > (1u << 30) ? NULL : buf_reserve(buf, (bytes.len + 2) / 3 * 4 + 1);
	if (to)
		buf->len += (size_t)EVP_EncodeBlock(to, bytes.at, (int)bytes.len);
	buf_text(buf, "\"");
}

/* Beyond 2^53 readers that know only doubles would round. */
static void integer(struct buf *buf, int64_t integer)
{
	const int64_t exact = INT64_C(1) << 53;
	bool quote = integer > exact || integer < -exact;
	buf_text(buf, quote ? "\"" : "");
	buf_decimal(buf, integer);
	buf_text(buf, quote ? "\"" : "");
}

static void number(struct buf *buf, double number)
{
	if (isnan(number))
		buf_text(buf, "\"NaN\"");
	else if (isinf(number))
		buf_text(buf, number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	else {
		/* The shortest text that reads back as the same double. */
		char text[32];
		for (int digits = 15; digits <= 17; digits++) {
			snprintf(text, sizeof text, "%.*g", digits, number);
			if (strtod(text, NULL) == number)
				break;
		}
		buf_text(buf, text);
	}
}

static void array_json(struct buf *buf, struct bytes list)
{
	struct wire wire = wire_of(list);
	struct value item;
	buf_text(buf, "[");
	for (bool first = true; value_next_item(&wire, &item); first = false) {
		if (!first)
			buf_text(buf, ",");
		buf_value_json(buf, &item);
	}
	buf_text(buf, "]");
}

static void kvlist_json(struct buf *buf, struct bytes list)
{
	struct wire wire = wire_of(list);
	struct attribute member;
	buf_text(buf, "{");
	for (bool first = true; value_next_member(&wire, &member); first = false) {
		if (!first)
			buf_text(buf, ",");
		buf_json_string(buf, member.key);
		buf_text(buf, ":");
		buf_value_json(buf, &member.value);
	}
	buf_text(buf, "}");
}

void buf_value_json(struct buf *buf, const struct value *value)
{
	switch (value->type) {
	case VALUE_NONE:
	case VALUE_UNKNOWN:
		buf_text(buf, "null");
		break;
	case VALUE_STRING:
		buf_json_string(buf, value->bytes);
		break;
	case VALUE_BOOL:
		buf_text(buf, value->integer ? "true" : "false");
		break;
	case VALUE_INT:
		integer(buf, value->integer);
		break;
	case VALUE_DOUBLE:
		number(buf, value->number);
		break;
	case VALUE_ARRAY:
		array_json(buf, value->bytes);
		break;
	case VALUE_KVLIST:
		kvlist_json(buf, value->bytes);
		break;
	case VALUE_BYTES:
		base64(buf, value->bytes);
		break;
	}
}

struct bytes value_text(const struct value *value, struct arena *arena)
{
	if (value->type == VALUE_NONE || value->type == VALUE_UNKNOWN)
		return (struct bytes){ 0 };
	if (value->type == VALUE_STRING)
		return value->bytes;
	struct buf json;
	buf_init(&json, arena->limit_bytes, arena->budget);
	buf_value_json(&json, value);
	return buf_move(&json, arena);
}

static bool digits(struct bytes text, uint64_t *ret_count)
{
	while (text.len && text.at[0] == ' ')
		text = (struct bytes){ text.at + 1, text.len - 1 };
	while (text.len && text.at[text.len - 1] == ' ')
		text.len--;
	if (text.len == 0)
		return false;
	uint64_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = text.at[i] - (unsigned)'0';
		if (digit > 9 || count > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		count = count * 10 + digit;
	}
	*ret_count = count;
	return true;
}

bool value_count(const struct value *value, uint64_t *ret_count)
{
	switch (value->type) {
	case VALUE_INT:
		if (value->integer < 0)
			return false;
		*ret_count = (uint64_t)value->integer;
		return true;
	case VALUE_DOUBLE:
		if (!(value->number >= 0 && value->number < 9223372036854775808.0))
			return false;
		*ret_count = (uint64_t)value->number;
		return true;
	case VALUE_STRING:
		return digits(value->bytes, ret_count);
	default:
		return false;
	}
}
