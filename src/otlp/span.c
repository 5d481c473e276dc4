#include "otlp/span.h"

/* Field numbers of Span, Event, Link, Status, Resource and InstrumentationScope. */
enum {
	TRACE_ID = 1,
	SPAN_ID = 2,
	PARENT_SPAN_ID = 4,
	NAME = 5,
	START = 7,
	END = 8,
	ATTRIBUTES = 9,
	EVENTS = 11,
	LINKS = 13,
	STATUS = 15
};
enum { EVENT_NAME = 2, EVENT_ATTRIBUTES = 3, LINK_ATTRIBUTES = 4 };
enum { STATUS_MESSAGE = 2, STATUS_CODE = 3 };
enum { RESOURCE_ATTRIBUTES = 1, SCOPE_NAME = 1, SCOPE_VERSION = 2, SCOPE_ATTRIBUTES = 3 };

/* Room for one more item in a list of the arena; the older list is left behind in it. */
static void *grown(void *list, size_t count, size_t *capacity, size_t size, struct arena *arena)
{
	if (count < *capacity)
		return list;
	size_t more = *capacity ? *capacity * 2 : 32;
	void *grown_list = arena_alloc(arena, more * size);
	if (!grown_list)
		return NULL;
	if (count)
		memcpy(grown_list, list, count * size);
	*capacity = more;
	return grown_list;
}

int attributes_add(struct attributes *attributes, const struct field *key_value, unsigned depth,
	struct arena *arena)
{
	struct attribute *at =
		grown(attributes->at, attributes->count, &attributes->capacity, sizeof *at, arena);
	if (!at)
		return arena->error;
	attributes->at = at;
	int error = attribute_read(key_value, depth, &at[attributes->count]);
	if (!error)
		attributes->count++;
	return error;
}

const struct attribute *attribute_find(const struct attributes *attributes, const char *name)
{
	const struct attribute *found = NULL;
	for (size_t i = 0; i < attributes->count; i++)
		if (bytes_are(attributes->at[i].key, name) &&
			!value_is_empty(&attributes->at[i].value))
			found = &attributes->at[i];
	return found;
}

static int read_all(struct bytes message, uint32_t number, unsigned depth, struct arena *arena,
	struct attributes *attributes)
{
	struct wire wire = wire_of(message);
	struct field field;
	int more, error = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, number, WIRE_BYTES))
			error = attributes_add(attributes, &field, depth, arena);
	return error ? error : more;
}

/* Only whether it is well formed: the attributes of an event are read when somebody asks. */
static int check_event(struct span_event *event, unsigned depth)
{
	struct wire wire = wire_of(event->field.body);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0) {
		struct attribute attribute;
		if (field_is(&field, EVENT_NAME, WIRE_BYTES)) {
			event->name = field.body;
		} else if (field_is(&field, EVENT_ATTRIBUTES, WIRE_BYTES)) {
			if (attribute_read(&field, depth, &attribute) < 0)
				return -EBADMSG;
			event->has_valueless |= !attribute.has_value;
		}
	}
	return more;
}

static int check_link(struct bytes link, unsigned depth)
{
	struct wire wire = wire_of(link);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0) {
		struct attribute ignored;
		if (field_is(&field, LINK_ATTRIBUTES, WIRE_BYTES) &&
			attribute_read(&field, depth, &ignored) < 0)
			return -EBADMSG;
	}
	return more;
}

static int add_event(
	struct span *span, const struct field *field, unsigned depth, struct arena *arena)
{
	struct span_event *events = grown(
		span->events, span->event_count, &span->event_capacity, sizeof *events, arena);
	if (!events)
		return arena->error;
	span->events = events;
	struct span_event *event = &events[span->event_count++];
	*event = (struct span_event){ .field = *field };
	return check_event(event, depth);
}

static int read_status(struct span *span, struct bytes status)
{
	struct wire wire = wire_of(status);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0) {
		if (field_is(&field, STATUS_MESSAGE, WIRE_BYTES))
			span->status_message = field.body;
		else if (field_is(&field, STATUS_CODE, WIRE_VARINT))
			span->status_code = field.value;
	}
	return more;
}

static int read_bytes_field(
	struct span *span, const struct field *field, unsigned depth, struct arena *arena)
{
	switch (field->number) {
	case TRACE_ID:
		span->trace_id = field->body;
		return 0;
	case SPAN_ID:
		span->span_id = field->body;
		return 0;
	case PARENT_SPAN_ID:
		span->parent = *field;
		return 0;
	case NAME:
		span->name = field->body;
		return 0;
	case ATTRIBUTES:
		return attributes_add(&span->attributes, field, depth, arena);
	case EVENTS:
		return add_event(span, field, depth - 1, arena);
	case LINKS:
		return check_link(field->body, depth - 1);
	case STATUS:
		return read_status(span, field->body);
	default:
		return 0;
	}
}

int span_read(
	const struct field *span_field, unsigned depth, struct arena *arena, struct span *span)
{
	if (depth < 2)
		return -EBADMSG;
	struct span fresh = {
		.field = *span_field,
		.attributes = { span->attributes.at, 0, span->attributes.capacity },
		.events = span->events,
		.event_capacity = span->event_capacity,
	};
	*span = fresh;
	struct wire wire = wire_of(span_field->body);
	struct field field;
	int more, error = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0) {
		if (field.type == WIRE_BYTES)
			error = read_bytes_field(span, &field, depth - 1, arena);
		else if (field_is(&field, START, WIRE_FIXED64))
			span->start_ns = field.value;
		else if (field_is(&field, END, WIRE_FIXED64))
			span->end_ns = field.value;
	}
	return error ? error : more;
}

static bool is_id(struct bytes id, size_t len)
{
	static const uint8_t zero[16];
	return id.len == len && memcmp(id.at, zero, len) != 0;
}

bool span_has_ids(const struct span *span)
{
	return is_id(span->trace_id, 16) && is_id(span->span_id, 8);
}

static bool names_a_span(struct bytes id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.at[i])
			return true;
	return false;
}

bool span_is_root(const struct span *span)
{
	return !names_a_span(span->parent.body);
}

bool span_bytes_are_root(struct bytes span)
{
	struct wire wire = wire_of(span);
	struct field field;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, PARENT_SPAN_ID, WIRE_BYTES) && names_a_span(field.body))
			return false;
	return true;
}

int span_event_attributes(
	const struct span_event *event, struct arena *arena, struct attributes *attributes)
{
	return read_all(event->field.body, EVENT_ATTRIBUTES, 1 << 20, arena, attributes);
}

int resource_read(
	struct bytes resource, unsigned depth, struct arena *arena, struct attributes *attributes)
{
	return read_all(resource, RESOURCE_ATTRIBUTES, depth, arena, attributes);
}

int scope_read(struct bytes message, unsigned depth, struct arena *arena, struct scope *ret_scope,
	struct attributes *attributes)
{
	struct wire wire = wire_of(message);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0) {
		if (field_is(&field, SCOPE_NAME, WIRE_BYTES))
			ret_scope->name = field.body;
		else if (field_is(&field, SCOPE_VERSION, WIRE_BYTES))
			ret_scope->version = field.body;
	}
	return more < 0 ? more : read_all(message, SCOPE_ATTRIBUTES, depth, arena, attributes);
}
