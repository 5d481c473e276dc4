#include "otlp/wire.h"

#include <endian.h>

enum { MAX_GROUP_DEPTH = 64, WIRE_GROUP_END = 4 };

int wire_varint_slow(struct wire *wire, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < 10 && wire->at < wire->end; i++) {
		uint8_t byte = *wire->at++;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*ret_value = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int fixed(struct wire *wire, size_t size, uint64_t *ret_value)
{
	if ((size_t)(wire->end - wire->at) < size)
		return -EBADMSG;
	uint64_t value = 0;
	memcpy(&value, wire->at, size);
	wire->at += size;
	*ret_value = le64toh(value);
	return 0;
}

/* Behind the start of a group: skips to behind the end that fits. */
static int skip_group(struct wire *wire, uint32_t number, unsigned depth)
{
	if (depth == MAX_GROUP_DEPTH)
		return -EBADMSG;
	for (;;) {
		uint64_t tag, ignored;
		if (wire->at == wire->end || wire_varint(wire, &tag) < 0 || tag >> 3 == 0 ||
			tag >> 3 > 0x1fffffff)
			return -EBADMSG;
		int error = 0;
		switch (tag & 7) {
		case WIRE_VARINT:
			error = wire_varint(wire, &ignored);
			break;
		case WIRE_FIXED64:
			error = fixed(wire, 8, &ignored);
			break;
		case WIRE_FIXED32:
			error = fixed(wire, 4, &ignored);
			break;
		case WIRE_BYTES:
			error = wire_varint(wire, &ignored);
			if (!error && ignored > (uint64_t)(wire->end - wire->at))
				return -EBADMSG;
			if (!error)
				wire->at += ignored;
			break;
		case WIRE_GROUP:
			error = skip_group(wire, (uint32_t)(tag >> 3), depth + 1);
			break;
		case WIRE_GROUP_END:
			return tag >> 3 == number ? 0 : -EBADMSG;
		default:
			return -EBADMSG;
		}
		if (error)
			return error;
	}
}

int wire_next_slow(struct wire *wire, struct field *field)
{
	uint64_t tag;
	*field = (struct field){ .start = wire->at };
	if (wire_varint(wire, &tag) < 0 || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return -EBADMSG;
	field->number = (uint32_t)(tag >> 3);
	field->type = (enum wire_type)(tag & 7);
	if (field->type == WIRE_BYTES)
		return wire_next_bytes(wire, field);
	int error;
	field->body = (struct bytes){ wire->at, 0 };
	switch ((int)field->type) {
	case WIRE_VARINT:
		error = wire_varint(wire, &field->value);
		break;
	case WIRE_FIXED64:
		error = fixed(wire, 8, &field->value);
		break;
	case WIRE_FIXED32:
		error = fixed(wire, 4, &field->value);
		break;
	case WIRE_GROUP:
		error = skip_group(wire, field->number, 0);
		break;
	default: /* the end of a group that never began, or a type that does not exist */
		error = -EBADMSG;
	}
	field->end = wire->at;
	return error ? error : 1;
}

struct bytes wire_member(struct bytes message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct field field;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, number, WIRE_BYTES))
			return field.body;
	return (struct bytes){ 0 };
}
