/*
 * AnyValue and KeyValue, read in place.
 *
 * Reading a value walks all of it, so that what was read once is known to be well formed and not
 * nested deeper than allowed.
 */
#ifndef TG_OTLP_VALUE_H
#define TG_OTLP_VALUE_H

#include "base/buf.h"
#include "otlp/wire.h"

enum value_type {
	VALUE_NONE,    /* no member set */
	VALUE_UNKNOWN, /* something is there that this version does not know: kept, never read */
	VALUE_STRING,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_DOUBLE,
	VALUE_ARRAY,
	VALUE_KVLIST,
	VALUE_BYTES,
};

struct value {
	enum value_type type;
	union {
		struct bytes bytes; /* STRING and BYTES: the content; ARRAY and KVLIST: the list */
		int64_t integer;    /* INT; BOOL as 0 or 1 */
		double number;      /* DOUBLE */
	};
};

struct attribute {
	struct bytes key;
	struct value value;
	bool has_value;       /* a value was sent, be it one without a member */
	bool is_replaced;     /* by whoever read it: no more edits are to lie in its range */
	const uint8_t *start; /* the whole field in its message, tag and all */
	const uint8_t *end;
};

/* How deep messages may nest below here; a refusal is -EBADMSG, as for everything malformed. */
int value_read(struct bytes any_value, unsigned depth, struct value *value);
int attribute_read(const struct field *key_value, unsigned depth, struct attribute *ret_attribute);

/* "" and "no member" count as if the attribute were not there. */
static inline bool value_is_empty(const struct value *value)
{
	return value->type == VALUE_NONE || (value->type == VALUE_STRING && value->bytes.len == 0);
}

/*
 * The items of an array: call with `list` = wire_of(value.bytes) until 0. The value was read before, so
 * it is well formed.
 */
int value_next_item(struct wire *list, struct value *ret_item);
int value_next_member(struct wire *list, struct attribute *ret_member);

/*
 * The value as JSON: bytes as base64, integers beyond 2^53 as decimal strings, NaN and infinities as
 * their names in quotes. A string is a JSON string; see value_text for plain text.
 */
void buf_value_json(struct buf *buf, const struct value *value);

/* The value as plain text: a string itself, of anything else its JSON, in the arena. Empty for neither. */
struct bytes value_text(const struct value *value, struct arena *arena);

/*
 * A count of tokens or milliseconds: an int, a double (its fraction cut off), or digits in a string.
 * False for everything else: negative, NaN, infinite, bool, above INT64_MAX.
 */
bool value_count(const struct value *value, uint64_t *ret_count);

#endif
