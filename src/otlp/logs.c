#include "otlp/logs.h"

/* Field numbers of LogRecord. */
enum {
	TIME = 1,
	BODY = 5,
	ATTRIBUTES = 6,
	TRACE_ID = 9,
	SPAN_ID = 10,
	OBSERVED_TIME = 11,
	EVENT_NAME = 12
};

/* An id of another length, or of zeros, is none. */
static struct bytes id_of(struct bytes id, size_t len)
{
	static const uint8_t zeros[16];
	bool is_id = id.len == len && memcmp(id.at, zeros, len) != 0;
	return is_id ? id : (struct bytes){ 0 };
}

static int read_bytes_field(
	struct log_record *record, const struct field *field, unsigned depth, struct arena *arena)
{
	switch (field->number) {
	case BODY:
		return value_read(field->body, depth, &record->body);
	case ATTRIBUTES:
		return attributes_add(&record->attributes, field, depth, arena);
	case TRACE_ID:
		record->trace_id = id_of(field->body, 16);
		return 0;
	case SPAN_ID:
		record->span_id = id_of(field->body, 8);
		return 0;
	case EVENT_NAME:
		record->event_name = field->body;
		return 0;
	default:
		return 0;
	}
}

int log_record_read(const struct field *record_field, unsigned depth, struct arena *arena,
	struct log_record *record)
{
	if (depth < 2)
		return -EBADMSG;
	*record = (struct log_record){
		.field = *record_field,
		.attributes = { record->attributes.at, 0, record->attributes.capacity },
	};
	struct wire wire = wire_of(record_field->body);
	struct field field;
	int more, error = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0) {
		if (field.type == WIRE_BYTES)
			error = read_bytes_field(record, &field, depth - 1, arena);
		else if (field_is(&field, TIME, WIRE_FIXED64))
			record->time_ns = field.value;
		else if (field_is(&field, OBSERVED_TIME, WIRE_FIXED64))
			record->observed_ns = field.value;
	}
	return error ? error : more;
}
