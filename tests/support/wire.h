/*
 * Reads protobuf fields one after another. The tests' own reader, so that what the daemon wrote is
 * judged by other code than the daemon's.
 */
#ifndef TG_TESTS_SUPPORT_WIRE_H
#define TG_TESTS_SUPPORT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

struct wire {
	const uint8_t *at;
	const uint8_t *end;
	bool is_broken; /* stopped before the end: cut short, or a group */
};

struct wire_field {
	uint32_t number;
	uint32_t type;      /* 0 varint, 1 fixed64, 2 bytes, 5 fixed32 */
	uint64_t integer;   /* of types 0, 1 and 5 */
	struct bytes bytes; /* of type 2 */
};

static inline struct wire wire_of(struct bytes message)
{
	return (struct wire){ message.at, message.at + message.len, false };
}

static inline bool wire_varint(struct wire *wire, uint64_t *ret)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && wire->at < wire->end; shift += 7) {
		uint8_t byte = *wire->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* The next field; false at the end, and where the bytes make no sense (is_broken). */
static inline bool wire_next(struct wire *wire, struct wire_field *ret)
{
	uint64_t tag, len = 0;
	if (wire->at == wire->end)
		return false;
	wire->is_broken = true;
	if (!wire_varint(wire, &tag))
		return false;
	ret->number = (uint32_t)(tag >> 3);
	ret->type = tag & 7;
	size_t left = (size_t)(wire->end - wire->at);
	switch (ret->type) {
	case 0:
		if (!wire_varint(wire, &ret->integer))
			return false;
		break;
	case 1:
	case 5:
		len = ret->type == 1 ? 8 : 4;
		if (left < len)
			return false;
		ret->integer = 0;
		memcpy(&ret->integer, wire->at, len);
		wire->at += len;
		break;
	case 2:
		if (!wire_varint(wire, &len) || len > (size_t)(wire->end - wire->at))
			return false;
		ret->bytes = (struct bytes){ wire->at, len };
		wire->at += len;
		break;
	default:
		return false;
	}
	wire->is_broken = false;
	return true;
}

#endif
