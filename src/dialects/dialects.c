#include <errno.h>

#include "dialects/dialect.h"
#include "dialects/saying.h"
#include "otlp/splice.h"

const struct dialect *const dialects[] = {
	&dialect_claude_code,
	&dialect_codex,
	&dialect_gemini,
	NULL,
};

/* Requests of traces and of logs have their parts under the same numbers. */
enum { RESOURCES = 1, RESOURCE = 1, SCOPES = 2, SCOPE = 1, ITEMS = 2 };
enum { SCOPE_NAME = 1, FIRST_EVENTS = 32 };

void events_add(struct events *events, const struct event *event)
{
	if (events->count == events->capacity) {
		size_t capacity = events->capacity ? events->capacity * 2 : FIRST_EVENTS;
		struct event *at = arena_alloc(events->arena, capacity * sizeof *at);
		if (!at)
			return;
		if (events->count)
			memcpy(at, events->at, events->count * sizeof *at);
		events->at = at;
		events->capacity = capacity;
	}
	events->at[events->count] = *event;
	events->at[events->count++].item = events->item;
}

struct event event_of_span(const struct span *span, const struct source *source)
{
	bool has_parent = span->parent.body.len == 8 && !span_is_root(span);
	uint64_t end_ns = span->end_ns > span->start_ns ? span->end_ns : span->start_ns;
	return (struct event){
		.kind = EVENT_SPAN,
		.time_ns = end_ns,
		.native = {
			.resource = source->resource_message,
			.scope = source->scope_message,
			.span = span->field.body,
			.name = span->name,
			.trace_id = span->trace_id,
			.span_id = span->span_id,
			.parent_id = has_parent ? span->parent.body : (struct bytes){ 0 },
			.start_ns = span->start_ns,
			.end_ns = end_ns,
		},
	};
}

const struct dialect *dialect_named(struct bytes name)
{
	for (const struct dialect *const *at = dialects; *at; at++)
		if (bytes_are(name, (*at)->cli.name))
			return *at;
	return NULL;
}

const struct dialect *dialect_of_scope(struct bytes scope_name)
{
	for (const struct dialect *const *at = dialects; *at; at++)
		if ((*at)->owns_scope(scope_name))
			return *at;
	return NULL;
}

/* ---- hooks as logs ---- */

/* Written from its end, so that each message's length is known when its head is. Each returns the new start. */
static uint8_t *put_before(uint8_t *at, struct bytes bytes)
{
	at -= bytes.len;
	if (bytes.len)
		memcpy(at, bytes.at, bytes.len);
	return at;
}

static uint8_t *put_head(uint8_t *at, unsigned field, size_t len)
{
	at -= 1 + varint_size(len);
	*at = (uint8_t)(field << 3 | WIRE_BYTES);
	varint_put(at + 1, len);
	return at;
}

static uint8_t *put_fixed64(uint8_t *at, unsigned field, uint64_t value)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		*--at = (uint8_t)(value >> shift);
	*--at = (uint8_t)(field << 3 | WIRE_FIXED64);
	return at;
}

struct bytes hook_as_logs(const struct dialect *dialect, struct bytes payload, uint64_t received_ns,
	struct arena *arena)
{
	enum { STRING_VALUE = 1, LOG_BODY = 5, LOG_OBSERVED = 11, LOG_EVENT_NAME = 12 };
	enum { HEADS = 8, HEAD_MAX = 11, FIXED64_BYTES = 9 };
	static const struct bytes scope = BYTES(HOOK_SCOPE);
	struct bytes name = bytes_of(dialect->cli.name);
	size_t room = payload.len + name.len + scope.len + HEADS * HEAD_MAX + FIXED64_BYTES;
	uint8_t *start = arena_alloc(arena, room);
	if (!start)
		return (struct bytes){ 0 };
	uint8_t *const end = start + room;
	uint8_t *at = put_head(put_before(end, name), LOG_EVENT_NAME, name.len);
	at = put_fixed64(at, LOG_OBSERVED, received_ns);
	at = put_head(put_before(at, payload), STRING_VALUE, payload.len);
	at = put_head(at, LOG_BODY, 1 + varint_size(payload.len) + payload.len);
	at = put_head(at, ITEMS, (size_t)(end - at));
	at = put_head(put_before(at, scope), SCOPE_NAME, scope.len);
	at = put_head(at, SCOPE, 2 + scope.len);
	at = put_head(at, SCOPES, (size_t)(end - at));
	at = put_head(at, RESOURCES, (size_t)(end - at));
	return (struct bytes){ at, (size_t)(end - at) };
}

/* ---- whose a request is ---- */

/* A process speaks for itself: one scope of a CLI makes all of its resource the CLI's. */
static bool is_theirs(struct bytes resource_items, bool takes_replaced)
{
	struct wire wire = wire_of(resource_items);
	struct field field;
	while (wire_next(&wire, &field) > 0) {
		if (!field_is(&field, SCOPES, WIRE_BYTES))
			continue;
		const struct dialect *dialect =
			dialect_of_scope(wire_member(wire_member(field.body, SCOPE), SCOPE_NAME));
		if (dialect && (takes_replaced || dialect->native != NATIVE_REPLACE))
			return true;
	}
	return false;
}

/* The request without the resources that are not wanted. */
static struct bytes only(
	struct bytes request, bool theirs, bool takes_replaced, struct arena *arena)
{
	struct splice splice;
	struct wire wire = wire_of(request);
	struct field field;
	splice_init(&splice, arena, request);
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, RESOURCES, WIRE_BYTES) &&
			is_theirs(field.body, takes_replaced) != theirs)
			splice_edit(&splice, SPLICE_BOTH, field.start,
				(size_t)(field.end - field.start), (struct bytes){ 0 });
	return splice_write(&splice, false);
}

int dialects_split(struct bytes request, bool takes_replaced, struct arena *arena,
	struct bytes *ret_theirs, struct bytes *ret_others)
{
	struct wire wire = wire_of(request);
	struct field field;
	size_t count = 0, their_count = 0;
	int more;
	while ((more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, RESOURCES, WIRE_BYTES)) {
			count++;
			their_count += is_theirs(field.body, takes_replaced);
		}
	if (more < 0)
		return more;
	bool are_mixed = their_count && their_count < count;
	struct bytes theirs = are_mixed ? only(request, true, takes_replaced, arena) : request;
	struct bytes others = are_mixed ? only(request, false, takes_replaced, arena) : request;
	if (arena->error)
		return arena->error;
	*ret_theirs = their_count ? theirs : (struct bytes){ 0 };
	*ret_others = are_mixed || !their_count ? others : (struct bytes){ 0 };
	return 0;
}

/* ---- reading ---- */

struct reading {
	struct source source;
	struct events *events;
	struct attributes resource, scope; /* lists that are used again */
	struct log_record record;
	struct span span;
	enum signal signal;
	unsigned depth; /* levels left below a resource */
};

static void read_hook(struct reading *reading)
{
	const struct dialect *dialect = dialect_named(reading->record.event_name);
	if (!dialect || reading->record.body.type != VALUE_STRING)
		return;
	json_t *payload =
		json_of_text(reading->record.body.bytes, reading->depth, reading->events->arena);
	if (json_is_object(payload))
		dialect->read_hook(payload, reading->events);
	json_decref(payload);
}

static int read_item(struct reading *reading, const struct dialect *dialect, bool is_hook,
	const struct field *field)
{
	struct arena *arena = reading->events->arena;
	if (reading->signal == SIGNAL_TRACES) {
		int error = span_read(field, reading->depth - 1, arena, &reading->span);
		if (!error && span_has_ids(&reading->span))
			dialect->read_span(&reading->span, &reading->source, reading->events);
		return error ? error : arena->error;
	}
	int error = log_record_read(field, reading->depth - 1, arena, &reading->record);
	if (error)
		return error;
	if (is_hook)
		read_hook(reading);
	else
		dialect->read_log(&reading->record, &reading->source, reading->events);
	return arena->error;
}

static int read_scope(struct reading *reading, struct bytes scope_items)
{
	struct source *source = &reading->source;
	source->scope = (struct scope){ 0 };
	source->scope_message = wire_member(scope_items, SCOPE);
	reading->scope.count = 0;
	int error = scope_read(source->scope_message, reading->depth - 2, reading->events->arena,
		&source->scope, &reading->scope);
	const struct dialect *dialect = dialect_of_scope(source->scope.name);
	bool is_hook = reading->signal == SIGNAL_LOGS && bytes_are(source->scope.name, HOOK_SCOPE);
	struct wire wire = wire_of(scope_items);
	struct field field;
	int more = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, ITEMS, WIRE_BYTES)) {
			if (dialect || is_hook)
				error = read_item(reading, dialect, is_hook, &field);
			reading->events->item++;
		}
	return error ? error : more;
}

static int read_resource(struct reading *reading, struct bytes resource_items)
{
	struct source *source = &reading->source;
	source->resource_message = wire_member(resource_items, RESOURCE);
	reading->resource.count = 0;
	int error = resource_read(source->resource_message, reading->depth - 1,
		reading->events->arena, &reading->resource);
	struct wire wire = wire_of(resource_items);
	struct field field;
	int more = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, SCOPES, WIRE_BYTES))
			error = read_scope(reading, field.body);
	return error ? error : more;
}

int dialects_read(
	struct bytes request, enum signal signal, unsigned max_depth, struct events *events)
{
	struct reading reading = { .events = events, .signal = signal, .depth = max_depth - 2 };
	reading.source.resource = &reading.resource;
	struct wire wire = wire_of(request);
	struct field field;
	int more, error = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, RESOURCES, WIRE_BYTES))
			error = read_resource(&reading, field.body);
	return error ? error : more;
}
