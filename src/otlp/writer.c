#include "otlp/writer.h"

enum {
	PIECE_BYTES = 8 << 10,
	SHORT_BYTES = 128, /* from here on a length takes more than one byte */
};

static uint8_t *new_piece(struct writer *writer, size_t bytes)
{
	size_t piece = bytes > PIECE_BYTES ? bytes : PIECE_BYTES;
	writer->at = arena_alloc(writer->arena, piece);
	writer->end = writer->at ? writer->at + piece : NULL;
	return writer->at;
}

static inline uint8_t *room(struct writer *writer, size_t bytes)
{
	bool fits = writer->at && bytes <= (size_t)(writer->end - writer->at);
	return fits ? writer->at : new_piece(writer, bytes);
}

static uint8_t *tag(uint8_t *to, unsigned field, enum wire_type type)
{
	return varint_put(to, (uint64_t)field << 3 | type);
}

static inline uint8_t *put(uint8_t *to, struct bytes text)
{
	if (text.len) /* an attribute may come without a key */
		memcpy(to, text.at, text.len);
	return to + text.len;
}

static inline uint8_t *text_field(uint8_t *to, unsigned field, struct bytes text)
{
	return put(varint_put(tag(to, field, WIRE_BYTES), text.len), text);
}

static size_t text_field_size(struct bytes text)
{
	return 1 + varint_size(text.len) + text.len;
}

static uint8_t *begin_long(struct writer *writer, unsigned field, struct bytes key,
	size_t value_size, uint8_t **ret_start)
{
	size_t size = text_field_size(key) + 1 + varint_size(value_size) + value_size;
	uint8_t *to = *ret_start = room(writer, 1 + varint_size(size) + size);
	if (!to)
		return NULL;
	to = varint_put(tag(to, field, WIRE_BYTES), size);
	to = text_field(to, 1, key);
	return varint_put(tag(to, 2, WIRE_BYTES), value_size);
}

/*
 * Writes what precedes the AnyValue's content, which takes `value_size` bytes, and sets where that goes.
 * Tags of KeyValue and AnyValue are one byte each; so are those of the attribute lists.
 */
static inline uint8_t *begin(struct writer *writer, unsigned field, struct bytes key,
	size_t value_size, uint8_t **ret_start)
{
	size_t size = 4 + key.len + value_size;
	if (size >= SHORT_BYTES)
		return begin_long(writer, field, key, value_size, ret_start);
	uint8_t *to = *ret_start = room(writer, 2 + size);
	if (!to)
		return NULL;
	*to++ = (uint8_t)(field << 3 | WIRE_BYTES);
	*to++ = (uint8_t)size;
	*to++ = 1 << 3 | WIRE_BYTES;
	*to++ = (uint8_t)key.len;
	to = put(to, key);
	*to++ = 2 << 3 | WIRE_BYTES;
	*to++ = (uint8_t)value_size;
	return to;
}

static struct bytes finish(struct writer *writer, uint8_t *start, uint8_t *end)
{
	writer->at = end;
	return (struct bytes){ start, (size_t)(end - start) };
}

struct bytes write_string(
	struct writer *writer, unsigned field, struct bytes key, struct bytes text)
{
	uint8_t *start, *to = begin(writer, field, key, text_field_size(text), &start);
	return to ? finish(writer, start, text_field(to, 1, text)) : (struct bytes){ 0 };
}

struct bytes write_bytes(struct writer *writer, unsigned field, struct bytes bytes)
{
	uint8_t *start = room(writer, text_field_size(bytes));
	return start ? finish(writer, start, text_field(start, field, bytes)) : (struct bytes){ 0 };
}

struct bytes write_int(struct writer *writer, unsigned field, struct bytes key, int64_t integer)
{
	uint8_t *start, *to = begin(writer, field, key, 1 + varint_size((uint64_t)integer), &start);
	return to ? finish(writer, start, varint_put(tag(to, 3, WIRE_VARINT), (uint64_t)integer)) :
		    (struct bytes){ 0 };
}

struct bytes write_double(struct writer *writer, unsigned field, struct bytes key, double number)
{
	uint8_t *start, *to = begin(writer, field, key, 9, &start);
	if (!to)
		return (struct bytes){ 0 };
	uint64_t bits;
	memcpy(&bits, &number, sizeof bits);
	to = tag(to, 4, WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		*to++ = (uint8_t)(bits >> (8 * i));
	return finish(writer, start, to);
}

struct bytes write_strings(struct writer *writer, unsigned field, struct bytes key,
	const struct bytes *texts, size_t count)
{
	size_t list = 0;
	for (size_t i = 0; i < count; i++) {
		size_t item = text_field_size(texts[i]);
		list += 1 + varint_size(item) + item;
	}
	uint8_t *start, *to = begin(writer, field, key, 1 + varint_size(list) + list, &start);
	if (!to)
		return (struct bytes){ 0 };
	to = varint_put(tag(to, 5, WIRE_BYTES), list);
	for (size_t i = 0; i < count; i++) {
		to = varint_put(tag(to, 1, WIRE_BYTES), text_field_size(texts[i]));
		to = text_field(to, 1, texts[i]);
	}
	return finish(writer, start, to);
}
