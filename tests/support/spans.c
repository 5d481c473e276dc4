#include "support/spans.h"

#include "support/wire.h"

/* Field numbers of opentelemetry/proto/trace/v1/trace.proto and common/v1/common.proto. */
enum {
	REQUEST_RESOURCE_SPANS = 1,
	RESOURCE_SPANS_SCOPE_SPANS = 2,
	SCOPE_SPANS_SPANS = 2,
	SPAN_TRACE_ID = 1,
	SPAN_SPAN_ID = 2,
	SPAN_PARENT_SPAN_ID = 4,
	SPAN_NAME = 5,
	SPAN_ATTRIBUTES = 9,
	KEY_VALUE_KEY = 1,
	KEY_VALUE_VALUE = 2,
	ANY_VALUE_STRING = 1,
	ANY_VALUE_INT = 3,
};

/* The next field of this number that holds bytes. */
static bool next_of(struct wire *wire, uint32_t number, struct bytes *ret)
{
	struct wire_field field;
	while (wire_next(wire, &field))
		if (field.number == number && field.type == 2) {
			*ret = field.bytes;
			return true;
		}
	return false;
}

static bool read_span(struct bytes message, struct span_seen *ret)
{
	struct wire wire = wire_of(message);
	struct wire_field field;
	*ret = (struct span_seen){ .message = message };
	while (wire_next(&wire, &field)) {
		if (field.type != 2)
			continue;
		switch (field.number) {
		case SPAN_TRACE_ID:
			ret->trace_id = field.bytes;
			break;
		case SPAN_SPAN_ID:
			ret->id = field.bytes;
			break;
		case SPAN_PARENT_SPAN_ID:
			ret->parent_id = field.bytes;
			break;
		case SPAN_NAME:
			ret->name = field.bytes;
			break;
		}
	}
	return !wire.is_broken;
}

bool spans_each(struct bytes request, void (*each)(const struct span_seen *span, void *arg), void *arg)
{
	struct wire resources = wire_of(request);
	struct bytes resource, scope, message;
	while (next_of(&resources, REQUEST_RESOURCE_SPANS, &resource)) {
		struct wire scopes = wire_of(resource);
		while (next_of(&scopes, RESOURCE_SPANS_SCOPE_SPANS, &scope)) {
			struct wire spans = wire_of(scope);
			while (next_of(&spans, SCOPE_SPANS_SPANS, &message)) {
				struct span_seen span;
				if (!read_span(message, &span))
					return false;
				each(&span, arg);
			}
			if (spans.is_broken)
				return false;
		}
		if (scopes.is_broken)
			return false;
	}
	return !resources.is_broken;
}

struct search {
	const uint8_t *id;
	struct span_seen *found;
	bool is_found;
};

static void compare(const struct span_seen *span, void *arg)
{
	struct search *search = arg;
	if (!search->is_found && bytes_equal(span->id, (struct bytes){ search->id, 8 })) {
		*search->found = *span;
		search->is_found = true;
	}
}

bool spans_find(struct bytes request, const uint8_t id[8], struct span_seen *ret_span)
{
	struct search search = { .id = id, .found = ret_span };
	return spans_each(request, compare, &search) && search.is_found;
}

static void count(const struct span_seen *span, void *arg)
{
	*(size_t *)arg += 1;
}

size_t spans_count(struct bytes request)
{
	size_t n = 0;
	spans_each(request, count, &n);
	return n;
}

static size_t look_up(const struct span_seen *span, const char *key, struct bytes *value)
{
	struct wire attributes = wire_of(span->message);
	struct bytes pair;
	size_t n = 0;
	while (next_of(&attributes, SPAN_ATTRIBUTES, &pair)) {
		struct wire members = wire_of(pair);
		struct bytes name = { 0 };
		if (!next_of(&members, KEY_VALUE_KEY, &name) || !bytes_are(name, key))
			continue;
		members = wire_of(pair);
		*value = (struct bytes){ 0 };
		next_of(&members, KEY_VALUE_VALUE, value);
		n++;
	}
	return n;
}

bool span_attribute(const struct span_seen *span, const char *key, struct bytes *ret_value)
{
	struct bytes value = { 0 };
	if (look_up(span, key, &value) == 0)
		return false;
	*ret_value = value;
	return true;
}

size_t span_attribute_count(const struct span_seen *span, const char *key)
{
	struct bytes value;
	return look_up(span, key, &value);
}

struct bytes span_text(const struct span_seen *span, const char *key)
{
	struct bytes value, text = { 0 };
	if (!span_attribute(span, key, &value))
		return text;
	struct wire wire = wire_of(value);
	next_of(&wire, ANY_VALUE_STRING, &text);
	return text;
}

int64_t span_integer(const struct span_seen *span, const char *key, int64_t otherwise)
{
	struct bytes value;
	struct wire_field field;
	if (!span_attribute(span, key, &value))
		return otherwise;
	struct wire wire = wire_of(value);
	while (wire_next(&wire, &field))
		if (field.number == ANY_VALUE_INT && field.type == 0)
			return (int64_t)field.integer;
	return otherwise;
}
