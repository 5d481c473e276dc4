/*
 * Protobuf as it lies on the wire: fields one after the other, each a range of the input.
 *
 * Nothing is copied and nothing is believed: a length is checked before it is used, a group is skipped
 * only when it is balanced. Whoever rewrites a message needs to know where each field began, because
 * tags and lengths may be written longer than necessary. Rules: facts of the protobuf encoding and
 * OTLP's use of it.
 */
#ifndef TG_OTLP_WIRE_H
#define TG_OTLP_WIRE_H

#include <errno.h>

#include "base/bytes.h"

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_GROUP = 3,
	WIRE_FIXED32 = 5
};

struct field {
	uint32_t number;
	enum wire_type type;
	const uint8_t *start;  /* its tag */
	const uint8_t *end;    /* the first byte behind it */
	const uint8_t *length; /* WIRE_BYTES: where its length is written */
	struct bytes body;     /* WIRE_BYTES: the content, right behind its length */
	uint64_t value;        /* numbers */
};

struct wire {
	const uint8_t *at;
	const uint8_t *end;
};

static inline struct wire wire_of(struct bytes message)
{
	return (struct wire){ message.at, bytes_end(message) };
}

/* A varint of at most ten bytes. 0 or -EBADMSG. */
int wire_varint_slow(struct wire *wire, uint64_t *ret_value);

static inline int wire_varint(struct wire *wire, uint64_t *ret_value)
{
	const uint8_t *at = wire->at;
	if (wire->end - at < 2 || (at[0] & at[1] & 0x80))
		return wire_varint_slow(wire, ret_value);
	bool is_long = at[0] & 0x80;
	*ret_value = is_long ? (at[0] & 0x7fu) | (unsigned)at[1] << 7 : at[0];
	wire->at = at + 1 + is_long;
	return 0;
}

/* The rest of a field of type WIRE_BYTES, from its length on. 1 or -EBADMSG. */
static inline int wire_next_bytes(struct wire *wire, struct field *field)
{
	uint64_t length;
	field->length = wire->at;
	if (wire_varint(wire, &length) < 0 || length > (uint64_t)(wire->end - wire->at))
		return -EBADMSG;
	field->body = (struct bytes){ wire->at, (size_t)length };
	wire->at += length;
	field->end = wire->at;
	return 1;
}

/* wire_next for every field. */
int wire_next_slow(struct wire *wire, struct field *field);

/*
 * The next field: 1 and the field, 0 at the end of the message, -EBADMSG when it is malformed. A
 * balanced group is one field of type WIRE_GROUP.
 */
static inline int wire_next(struct wire *wire, struct field *field)
{
	if (wire->at == wire->end)
		return 0;
	uint8_t tag = *wire->at;
	if ((tag & 0x87) != WIRE_BYTES || tag < 1 << 3)
		return wire_next_slow(wire, field);
	field->number = tag >> 3;
	field->type = WIRE_BYTES;
	field->start = wire->at++;
	return wire_next_bytes(wire, field);
}

static inline bool field_is(const struct field *field, uint32_t number, enum wire_type type)
{
	return field->number == number && field->type == type;
}

/* The first message or text of this number in a message; empty when there is none. */
struct bytes wire_member(struct bytes message, uint32_t number);

/* How many bytes a varint takes, and writing one; `to` has room for ten. Returns the end. */
static inline size_t varint_size(uint64_t value)
{
	return (size_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

static inline uint8_t *varint_put(uint8_t *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*to++ = (uint8_t)value;
	return to;
}

#endif
