/*
 * New attributes, encoded one behind the other: KeyValue fields as they stand in a span, resource or
 * scope. What is written lies in the arena in one or more pieces.
 */
#ifndef TG_OTLP_WRITER_H
#define TG_OTLP_WRITER_H

#include "base/arena.h"
#include "otlp/value.h"

enum { SPAN_ATTRIBUTES = 9, RESOURCE_ATTRIBUTES_FIELD = 1, SCOPE_ATTRIBUTES_FIELD = 3 };

struct writer {
	struct arena *arena;
	uint8_t *at, *end; /* free room */
};

/* Each returns the encoded field, which lies right behind the last one where room allowed it. */
struct bytes write_string(
	struct writer *writer, unsigned field, struct bytes key, struct bytes text);
/* A field of bytes or text that is no attribute. */
struct bytes write_bytes(struct writer *writer, unsigned field, struct bytes bytes);
struct bytes write_int(struct writer *writer, unsigned field, struct bytes key, int64_t integer);
struct bytes write_double(struct writer *writer, unsigned field, struct bytes key, double number);
struct bytes write_strings(struct writer *writer, unsigned field, struct bytes key,
	const struct bytes *texts, size_t count);

#endif
