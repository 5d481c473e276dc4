/* A payload as OTLP/JSON, written as the exporters for Node and browsers do: compact, integers as text. */
#include "bench/payload.h"

#include <inttypes.h>

#include "otlp/span.h"

enum { MAX_DEPTH = 100, ONE_MEGABYTE = 1 << 20, REQUEST_MAX_BYTES = 1 << 24 };

static void put_attributes(struct buf *out, const struct attributes *attributes)
{
	for (size_t i = 0; i < attributes->count; i++) {
		const struct attribute *attribute = &attributes->at[i];
		bool is_int = attribute->value.type == VALUE_INT;
		buf_text(out, i ? ",{\"key\":" : "{\"key\":");
		buf_json_string(out, attribute->key);
		buf_text(out,
			is_int ? ",\"value\":{\"intValue\":\"" : ",\"value\":{\"stringValue\":");
		if (is_int)
			buf_printf(out, "%" PRId64 "\"", attribute->value.integer);
		else
			buf_json_string(out, attribute->value.bytes);
		buf_text(out, "}}");
	}
}

/* With blank ids, which payload_stamp fills in. */
static void put_span(struct buf *out, const struct span *span)
{
	buf_printf(out, "{\"traceId\":\"%032d\",\"spanId\":\"%016d\",", 0, 0);
	if (span->parent.start)
		buf_printf(out, "\"parentSpanId\":\"%016d\",", 0);
	buf_text(out, "\"name\":");
	buf_json_string(out, span->name);
	buf_printf(out,
		",\"kind\":3,\"startTimeUnixNano\":\"%" PRIu64 "\",\"endTimeUnixNano\":\"%" PRIu64
		"\",\"attributes\":[",
		span->start_ns, span->end_ns);
	put_attributes(out, &span->attributes);
	buf_text(out,
		"],\"droppedAttributesCount\":0,\"events\":[],\"droppedEventsCount\":0,"
		"\"links\":[],\"droppedLinksCount\":0}");
}

/* The first field of this number. */
static struct bytes inner(struct bytes message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct field field;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, number, WIRE_BYTES))
			return field.body;
	return (struct bytes){ 0 };
}

static int put_spans(struct buf *out, struct bytes scope, size_t *span_at, struct arena *arena,
	unsigned *ret_spans)
{
	struct wire wire = wire_of(scope);
	struct field field;
	struct span span = { 0 };
	unsigned i = 0;
	while (wire_next(&wire, &field) > 0) {
		if (!field_is(&field, 2, WIRE_BYTES))
			continue;
		int error = span_read(&field, MAX_DEPTH, arena, &span);
		if (error < 0)
			return error;
		buf_text(out, i ? "," : "");
		span_at[i++] = out->len;
		put_span(out, &span);
	}
	*ret_spans = i;
	return 0;
}

/* The scopes of one resource; *first is the number of its first span, and then of the first behind. */
static int put_scopes(struct buf *out, struct bytes resource, struct payload *payload,
	unsigned *first, struct arena *arena)
{
	struct wire wire = wire_of(resource);
	struct field field;
	const char *between = "";
	int error = 0;
	while (!error && wire_next(&wire, &field) > 0) {
		unsigned spans = 0;
		if (!field_is(&field, 2, WIRE_BYTES))
			continue;
		buf_printf(out, "%s{\"scope\":{\"name\":", between);
		buf_json_string(out, inner(inner(field.body, 1), 1));
		buf_text(out, "},\"spans\":[");
		error = put_spans(out, field.body, payload->span_at + *first, arena, &spans);
		buf_text(out, "]}");
		between = ",";
		*first += spans;
	}
	return error;
}

static int put_resources(struct buf *out, struct payload *payload, struct arena *arena)
{
	struct wire wire = wire_of(buf_bytes(&payload->request));
	struct field field;
	const char *between = "";
	unsigned first = 0;
	int error = 0;
	while (!error && wire_next(&wire, &field) > 0) {
		buf_printf(out,
			"%s{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
			"{\"stringValue\":\"tollgate!\"}}],\"droppedAttributesCount\":0},\"scopeSpans\":[",
			between);
		error = put_scopes(out, field.body, payload, &first, arena);
		buf_text(out, "]}");
		between = ",";
	}
	return error;
}

int payload_to_json(struct payload *payload)
{
	struct buf out;
	struct arena arena;
	buf_init(&out, REQUEST_MAX_BYTES, NULL);
	arena_init(&arena, ONE_MEGABYTE, NULL);
	buf_text(&out, "{\"resourceSpans\":[");
	int error = put_resources(&out, payload, &arena);
	buf_text(&out, "]}");
	arena_done(&arena);
	buf_done(&payload->request);
	payload->request = out;
	payload->is_json = true;
	payload_find_sessions(payload);
	return error ? error : out.error;
}
