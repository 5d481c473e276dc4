#include "otlp/check.h"

#include "otlp/json_schema.h"
#include "otlp/span.h"

struct check {
	const struct json_message *item; /* a span, a log record or a metric */
	bool has_ids;
	unsigned max_depth;
	uint64_t max_items;
	struct checked result;
};

static bool has_ids(struct bytes message)
{
	enum { TRACE_ID = 1, SPAN_ID = 2 };
	struct span span = { 0 };
	struct wire wire = wire_of(message);
	struct field field;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, TRACE_ID, WIRE_BYTES))
			span.trace_id = field.body;
		else if (field_is(&field, SPAN_ID, WIRE_BYTES))
			span.span_id = field.body;
	return span_has_ids(&span);
}

static int count(struct check *check, struct bytes item)
{
	if (check->result.items == check->max_items)
		return -E2BIG;
	check->result.items++;
	check->result.without_ids += check->has_ids && !has_ids(item);
	return 0;
}

/* Numbers that one field holds. */
static int check_packed(struct bytes numbers, enum json_type type)
{
	struct wire wire = wire_of(numbers);
	uint64_t ignored;
	if (type != TYPE_UINT64)
		return numbers.len % sizeof(uint64_t) ? -EBADMSG : 0;
	while (wire.at < wire.end)
		if (wire_varint(&wire, &ignored) < 0)
			return -EBADMSG;
	return 0;
}

static int check_message(struct check *check, struct bytes bytes,
	const struct json_message *message, unsigned level);

static int check_field(
	struct check *check, struct bytes body, const struct json_field *field, unsigned level)
{
	if (field->is_packed)
		return check_packed(body, field->type);
	if (field->type != TYPE_MESSAGE)
		return 0;
	return check_message(check, body, field->message, level);
}

static const struct json_field *field_numbered(const struct json_message *message, uint32_t number)
{
	const struct json_field *field = message->fields;
	const struct json_field *end = field + message->field_count;
	while (field < end && field->number != number)
		field++;
	return field < end ? field : NULL;
}

static int check_message(
	struct check *check, struct bytes bytes, const struct json_message *message, unsigned level)
{
	struct wire wire = wire_of(bytes);
	struct field field;
	int more, error = level > check->max_depth ? -EBADMSG : 0;
	if (!error && message == check->item)
		error = count(check, bytes);
	while (!error && (more = wire_next(&wire, &field)) != 0) {
		if (more < 0)
			return more;
		const struct json_field *known = field_numbered(message, field.number);
		if (known && field.type == WIRE_BYTES)
			error = check_field(check, field.body, known, level + 1);
	}
	return error;
}

/* The tables have resources, scopes and items in these places. */
static const struct json_message *item_of(const struct json_message *request)
{
	const struct json_message *resource = request->fields[0].message;
	const struct json_message *scope = resource->fields[1].message;
	return scope->fields[1].message;
}

int request_check(struct bytes request, enum signal signal, unsigned max_depth, uint64_t max_items,
	struct checked *ret_checked)
{
	const struct json_message *message = json_request(signal);
	struct check check = {
		.item = item_of(message),
		.has_ids = signal == SIGNAL_TRACES,
		.max_depth = max_depth,
		.max_items = max_items,
	};
	int error = check_message(&check, request, message, 1);
	if (!error)
		*ret_checked = check.result;
	return error;
}
