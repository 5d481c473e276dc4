#include <errno.h>

#include "base/counters.h"
#include "dialects/dialect.h"
#include "otlp/splice.h"
#include "otlp/writer.h"

extern const struct dialect dialect_claude_code, dialect_codex, dialect_gemini;

const struct dialect *const dialects[] = {
	&dialect_claude_code,
	&dialect_codex,
	&dialect_gemini,
	NULL,
};

/* Requests of traces and of logs have their parts under the same numbers. */
enum { RESOURCES = 1, RESOURCE = 1, SCOPES = 2, SCOPE = 1, ITEMS = 2 };
enum { SCOPE_NAME = 1, FIRST_EVENTS = 32 };
enum { HOOK_MAX_DEPTH = 64, HOOK_MAX_BYTES = 16 << 20 };

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
	return (struct event){ .kind = EVENT_SPAN,
		.time_ns = span->end_ns,
		.native = { .resource = source->resource_message,
			.scope = source->scope_message,
			.span = span->field.body,
			.name = span->name,
			.trace_id = span->trace_id,
			.span_id = span->span_id,
			.parent_id = has_parent ? span->parent.body : (struct bytes){ 0 },
			.start_ns = span->start_ns,
			.end_ns = span->end_ns } };
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

static struct bytes wrapped(struct writer *writer, unsigned field, struct bytes message)
{
	uint8_t *start = arena_alloc(writer->arena, 1 + varint_size(message.len) + message.len);
	if (!start)
		return (struct bytes){ 0 };
	uint8_t *at = varint_put(start, (uint64_t)field << 3 | WIRE_BYTES);
	at = varint_put(at, message.len);
	if (message.len)
		memcpy(at, message.at, message.len);
	return (struct bytes){ start, (size_t)(at - start) + message.len };
}

static struct bytes joined(struct writer *writer, struct bytes a, struct bytes b)
{
	uint8_t *at = arena_alloc(writer->arena, a.len + b.len + 1);
	if (!at)
		return (struct bytes){ 0 };
	if (a.len)
		memcpy(at, a.at, a.len);
	if (b.len)
		memcpy(at + a.len, b.at, b.len);
	return (struct bytes){ at, a.len + b.len };
}

static struct bytes fixed64(struct writer *writer, unsigned field, uint64_t value)
{
	uint8_t *at = arena_alloc(writer->arena, 9);
	if (!at)
		return (struct bytes){ 0 };
	at[0] = (uint8_t)(field << 3 | WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		at[1 + i] = (uint8_t)(value >> (8 * i));
	return (struct bytes){ at, 9 };
}

struct bytes hook_as_logs(const struct dialect *dialect, struct bytes payload, uint64_t received_ns,
	struct arena *arena)
{
	enum { STRING_VALUE = 1, LOG_BODY = 5, LOG_OBSERVED = 11, LOG_EVENT_NAME = 12 };
	static const struct bytes hook_scope = BYTES(HOOK_SCOPE);
	struct writer writer = { .arena = arena };
	struct bytes body = wrapped(&writer, LOG_BODY, wrapped(&writer, STRING_VALUE, payload));
	struct bytes name = wrapped(&writer, LOG_EVENT_NAME, bytes_of(dialect->cli.name));
	struct bytes record = joined(
		&writer, joined(&writer, body, fixed64(&writer, LOG_OBSERVED, received_ns)), name);
	struct bytes scope = wrapped(&writer, SCOPE, wrapped(&writer, SCOPE_NAME, hook_scope));
	struct bytes logs = joined(&writer, scope, wrapped(&writer, ITEMS, record));
	struct bytes request = wrapped(&writer, RESOURCES, wrapped(&writer, SCOPES, logs));
	return arena->error ? (struct bytes){ 0 } : request;
}

/* ---- whose a request is ---- */

/* The first member of this number, or an empty message. */
static struct bytes member_of(struct bytes message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct field field;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, number, WIRE_BYTES))
			return field.body;
	return (struct bytes){ 0 };
}

/* A process speaks for itself: one scope of a CLI makes all of its resource the CLI's. */
static bool is_theirs(struct bytes resource_items)
{
	struct wire wire = wire_of(resource_items);
	struct field field;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, SCOPES, WIRE_BYTES) &&
			dialect_of_scope(member_of(member_of(field.body, SCOPE), SCOPE_NAME)))
			return true;
	return false;
}

static void leave_out(struct splice *splice, const struct field *field)
{
	splice_edit(splice, SPLICE_BOTH, field->start, (size_t)(field->end - field->start),
		(struct bytes){ 0 });
}

int dialects_split(struct bytes request, struct arena *arena, struct bytes *ret_theirs,
	struct bytes *ret_others)
{
	struct splice theirs, others;
	struct wire wire = wire_of(request);
	struct field field;
	size_t their_count = 0, other_count = 0;
	int more;
	splice_init(&theirs, arena, request);
	splice_init(&others, arena, request);
	while ((more = wire_next(&wire, &field)) > 0) {
		if (!field_is(&field, RESOURCES, WIRE_BYTES))
			continue;
		bool are_theirs = is_theirs(field.body);
		their_count += are_theirs;
		other_count += !are_theirs;
		leave_out(are_theirs ? &others : &theirs, &field);
	}
	if (more < 0)
		return more;
	*ret_theirs = their_count ? splice_write(&theirs, false) : (struct bytes){ 0 };
	*ret_others =
		other_count || !their_count ? splice_write(&others, false) : (struct bytes){ 0 };
	return arena->error;
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

static bool is_shallow(const char *text, size_t len)
{
	unsigned depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!in_string && depth && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > HOOK_MAX_DEPTH)
			return false;
	}
	return true;
}

static void read_hook(struct reading *reading)
{
	const struct dialect *dialect = dialect_named(reading->record.event_name);
	struct bytes text = reading->record.body.bytes;
	if (!dialect || reading->record.body.type != VALUE_STRING || text.len > HOOK_MAX_BYTES ||
		!is_shallow((const char *)text.at, text.len))
		return;
	json_t *payload = json_loadb((const char *)text.at, text.len, JSON_ALLOW_NUL, NULL);
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
	source->scope_message = member_of(scope_items, SCOPE);
	reading->scope.count = 0;
	int error = scope_read(source->scope_message, reading->depth - 2, reading->events->arena,
		&source->scope, &reading->scope);
	const struct dialect *dialect = dialect_of_scope(source->scope.name);
	bool is_hook = bytes_are(source->scope.name, HOOK_SCOPE);
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
	source->resource_message = member_of(resource_items, RESOURCE);
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
