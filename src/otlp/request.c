#include "otlp/request.h"

#include "otlp/splice.h"

/* Such as ExportTraceServiceRequest.resource_spans, ResourceSpans.scope_spans and ScopeSpans.spans. */
enum { RESOURCES = 1, SCOPES = 2, ITEMS = 2 };

static int count_in_scope(struct bytes scope, uint32_t *count)
{
	struct wire wire = wire_of(scope);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, ITEMS, WIRE_BYTES))
			++*count;
	return more;
}

static int count_in_resource(struct bytes resource, uint32_t *count)
{
	struct wire wire = wire_of(resource);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, SCOPES, WIRE_BYTES) && count_in_scope(field.body, count) < 0)
			return -EBADMSG;
	return more;
}

int request_count_items(struct bytes request, uint32_t *ret_count)
{
	uint32_t count = 0;
	struct wire wire = wire_of(request);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, RESOURCES, WIRE_BYTES) &&
			count_in_resource(field.body, &count) < 0)
			return -EBADMSG;
	if (more < 0)
		return more;
	*ret_count = count;
	return 0;
}

/* A metric may have a name of 16 and a description of 8 bytes, but no number in field 7. */
static bool is_span(struct bytes message)
{
	enum { TRACE_ID = 1, SPAN_ID = 2, START = 7 };
	struct wire wire = wire_of(message);
	struct field field;
	size_t trace_id_bytes = 0, span_id_bytes = 0;
	bool has_start = false;
	while (wire_next(&wire, &field) > 0) {
		if (field_is(&field, TRACE_ID, WIRE_BYTES))
			trace_id_bytes = field.body.len;
		else if (field_is(&field, SPAN_ID, WIRE_BYTES))
			span_id_bytes = field.body.len;
		else if (field_is(&field, START, WIRE_FIXED64))
			has_start = true;
	}
	return trace_id_bytes == 16 && span_id_bytes == 8 && has_start;
}

static bool holds_span(struct bytes message, unsigned depth)
{
	static const uint32_t path[] = { RESOURCES, SCOPES, ITEMS };
	if (depth == sizeof path / sizeof path[0])
		return is_span(message);
	struct wire wire = wire_of(message);
	struct field field;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, path[depth], WIRE_BYTES) && holds_span(field.body, depth + 1))
			return true;
	return false;
}

bool request_has_span(struct bytes request)
{
	return holds_span(request, 0);
}

struct visit {
	void (*each)(void *arg, struct bytes trace_id, struct bytes span_id);
	void *arg;
};

static void visit_span(struct bytes message, const struct visit *visit)
{
	enum { TRACE_ID = 1, SPAN_ID = 2 };
	struct wire wire = wire_of(message);
	struct field field;
	struct bytes trace_id = { 0 }, span_id = { 0 };
	while (wire_next(&wire, &field) > 0) {
		if (field_is(&field, TRACE_ID, WIRE_BYTES))
			trace_id = field.body;
		else if (field_is(&field, SPAN_ID, WIRE_BYTES))
			span_id = field.body;
	}
	if (trace_id.len == 16 && span_id.len == 8)
		visit->each(visit->arg, trace_id, span_id);
}

static void visit_spans(struct bytes message, unsigned depth, const struct visit *visit)
{
	static const uint32_t path[] = { RESOURCES, SCOPES, ITEMS };
	if (depth == sizeof path / sizeof path[0]) {
		visit_span(message, visit);
		return;
	}
	struct wire wire = wire_of(message);
	struct field field;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, path[depth], WIRE_BYTES))
			visit_spans(field.body, depth + 1, visit);
}

void request_each_span(struct bytes request,
	void (*each)(void *arg, struct bytes trace_id, struct bytes span_id), void *arg)
{
	visit_spans(request, 0, &(struct visit){ each, arg });
}

/* What of the items is wanted, and how many were passed. */
struct window {
	uint32_t from, to, at;
};

static void leave_out(struct splice *splice, const struct field *field)
{
	splice_edit(splice, SPLICE_BOTH, field->start, (size_t)(field->end - field->start),
		(struct bytes){ 0 });
}

static int cut_scope(struct splice *splice, const struct field *scope, struct window *window)
{
	struct wire wire = wire_of(scope->body);
	struct field field;
	int more;
	splice_open(splice, scope);
	while ((more = wire_next(&wire, &field)) > 0) {
		if (!field_is(&field, ITEMS, WIRE_BYTES))
			continue;
		if (window->at < window->from || window->at >= window->to)
			leave_out(splice, &field);
		window->at++;
	}
	splice_close(splice);
	return more;
}

/* A message with `items` items that has none of the wanted ones goes as a whole. */
static bool is_outside(struct window *window, uint32_t items)
{
	bool outside = window->at + items <= window->from || window->at >= window->to || items == 0;
	if (outside)
		window->at += items;
	return outside;
}

static int cut_resource(struct splice *splice, const struct field *resource, struct window *window)
{
	struct wire wire = wire_of(resource->body);
	struct field field;
	int more, error = 0;
	splice_open(splice, resource);
	while (!error && (more = wire_next(&wire, &field)) > 0) {
		uint32_t items = 0;
		if (!field_is(&field, SCOPES, WIRE_BYTES))
			continue;
		error = count_in_scope(field.body, &items);
		if (error)
			break;
		if (is_outside(window, items))
			leave_out(splice, &field);
		else
			error = cut_scope(splice, &field, window);
	}
	splice_close(splice);
	return error ? error : more;
}

int request_cut(struct bytes request, uint32_t from, uint32_t to, struct arena *arena,
	struct bytes *ret_request)
{
	struct splice splice;
	splice_init(&splice, arena, request);
	struct window window = { .from = from, .to = to };
	struct wire wire = wire_of(request);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0) {
		uint32_t items = 0;
		if (!field_is(&field, RESOURCES, WIRE_BYTES))
			continue;
		int error = count_in_resource(field.body, &items);
		if (error)
			return error;
		if (is_outside(&window, items))
			leave_out(&splice, &field);
		else if ((error = cut_resource(&splice, &field, &window)) < 0)
			return error;
	}
	if (more < 0)
		return more;
	struct bytes cut = splice_write(&splice, false);
	if (arena->error)
		return arena->error;
	*ret_request = cut;
	return 0;
}

/* Bytes taken so far, and those that stand around the item at hand: counted once one of theirs is taken. */
struct fit {
	uint32_t from, at;
	size_t bytes, max_bytes;
	size_t around_resource, around_scope;
	bool is_full;
};

static size_t size_of(const struct field *field)
{
	return (size_t)(field->end - field->start);
}

static void take(struct fit *fit, const struct field *item)
{
	if (fit->at >= fit->from) {
		size_t more = size_of(item) + fit->around_resource + fit->around_scope;
		if (fit->at > fit->from && more > fit->max_bytes - fit->bytes) {
			fit->is_full = true;
			return;
		}
		fit->bytes =
			more > fit->max_bytes - fit->bytes ? fit->max_bytes : fit->bytes + more;
		fit->around_resource = fit->around_scope = 0;
	}
	fit->at++;
}

/* All of a message but its parts of this number. */
static int size_without(const struct field *message, uint32_t parts, size_t *ret_size)
{
	size_t size = size_of(message);
	struct wire wire = wire_of(message->body);
	struct field field;
	int more;
	while ((more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, parts, WIRE_BYTES))
			size -= size_of(&field);
	*ret_size = size;
	return more;
}

static int fit_scope(struct fit *fit, const struct field *scope)
{
	struct wire wire = wire_of(scope->body);
	struct field field;
	int more = size_without(scope, ITEMS, &fit->around_scope);
	while (more == 0 && !fit->is_full && (more = wire_next(&wire, &field)) > 0) {
		more = 0;
		if (field_is(&field, ITEMS, WIRE_BYTES))
			take(fit, &field);
	}
	return more;
}

static int fit_resource(struct fit *fit, const struct field *resource)
{
	struct wire wire = wire_of(resource->body);
	struct field field;
	int more = size_without(resource, SCOPES, &fit->around_resource);
	while (more == 0 && !fit->is_full && (more = wire_next(&wire, &field)) > 0)
		more = field_is(&field, SCOPES, WIRE_BYTES) ? fit_scope(fit, &field) : 0;
	return more;
}

int request_fit(struct bytes request, uint32_t from, size_t max_bytes, uint32_t *ret_to)
{
	struct fit fit = { .from = from, .max_bytes = max_bytes };
	struct wire wire = wire_of(request);
	struct field field;
	int more = 0;
	while (more == 0 && !fit.is_full && (more = wire_next(&wire, &field)) > 0)
		more = field_is(&field, RESOURCES, WIRE_BYTES) ? fit_resource(&fit, &field) : 0;
	if (more < 0)
		return more;
	*ret_to = fit.at;
	return 0;
}
