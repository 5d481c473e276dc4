#include "enrich/roots.h"

#include <stdlib.h>

#include "enrich/subject.h"

/* Field numbers of ExportTraceServiceRequest, ResourceSpans and ScopeSpans. */
enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, SCOPE = 1, SPANS = 2 };

/* One look through a request. */
struct look {
	struct roots *roots;
	uint64_t spans_left;
	unsigned depth; /* levels left below a ResourceSpans */
	struct span span;
	struct attributes attributes; /* of the resource or scope at hand */
	bool has_resource;            /* the next two are those of the ResourceSpans at hand */
	struct facts resource_facts;
	struct identity resource;
	struct surroundings around;
};

static void read_resource(struct look *look, struct bytes resource_spans)
{
	struct subject subject = {
		.config = look->roots->config,
		.arena = look->roots->arena,
		.scratch = look->roots->scratch,
		.resource = &look->resource_facts,
	};
	struct wire wire = wire_of(resource_spans);
	struct field field;
	look->attributes.count = 0;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, RESOURCE, WIRE_BYTES))
			resource_read(
				field.body, look->depth - 1, subject.arena, &look->attributes);
	facts_read_resource(&look->attributes, &look->resource_facts);
	identity_of_resource(&subject, &look->attributes, &look->resource);
	look->has_resource = true;
}

/* The first piece alone: nobody sends more, and to be sure of that all spans would have to be passed. */
static void read_scope(struct look *look, struct bytes scope_spans)
{
	struct wire wire = wire_of(scope_spans);
	struct field field;
	look->around.scope = (struct scope){ 0 };
	look->attributes.count = 0;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, SCOPE, WIRE_BYTES)) {
			scope_read(field.body, look->depth - 2, look->roots->arena,
				&look->around.scope, &look->attributes);
			return;
		}
}

bool roots_may_be_below(const struct scope *scope)
{
	return bytes_start_with(scope->name, "langfuse-sdk");
}

static bool is_true(const struct value *value)
{
	return (value->type == VALUE_BOOL && value->integer) ||
		(value->type == VALUE_STRING && bytes_are(value->bytes, "true"));
}

/* As what the span speaks for its trace; it does not when it is left with NAMES_TRACE and no name. */
static struct root root_of(const struct span *span)
{
	struct root root = {
		.trace_id = span->trace_id,
		.span_id = span->span_id,
		.start_ns = span->start_ns,
		.rank = NAMES_TRACE,
	};
	for (size_t i = 0; i < span->attributes.count; i++) {
		const struct attribute *attribute = &span->attributes.at[i];
		if (bytes_are(attribute->key, "langfuse.trace.name") &&
			attribute->value.type == VALUE_STRING)
			root.identity.trace_name = identity_text(attribute->value.bytes);
		else if ((bytes_are(attribute->key, "langfuse.internal.as_root") ||
				 bytes_are(attribute->key, "langfuse.internal.is_app_root")) &&
			is_true(&attribute->value))
			root.rank = MARKED_AS_ROOT;
	}
	if (span_is_root(span))
		root.rank = BEGINS_TRACE;
	return root;
}

/* Where an SDK puts the name on every span, one of a trace is enough: as if it began with the first. */
static bool repeats_last(struct roots *roots, const struct root *root)
{
	struct root *last = roots->count ? &roots->at[roots->count - 1] : NULL;
	if (!last || last->rank != NAMES_TRACE || root->rank != NAMES_TRACE ||
		!bytes_equal(last->trace_id, root->trace_id) ||
		!bytes_equal(last->identity.trace_name, root->identity.trace_name))
		return false;
	if (root->start_ns < last->start_ns)
		last->start_ns = root->start_ns;
	return true;
}

static void add(struct roots *roots, const struct root *root)
{
	if (roots->count == roots->capacity) {
		size_t capacity = roots->capacity ? roots->capacity * 2 : 8;
		struct root *more = arena_alloc(roots->arena, capacity * sizeof *more);
		if (!more)
			return;
		if (roots->count)
			memcpy(more, roots->at, roots->count * sizeof *more);
		roots->at = more;
		roots->capacity = capacity;
	}
	roots->at[roots->count++] = *root;
}

static void look_at_span(struct look *look, const struct field *field)
{
	struct roots *roots = look->roots;
	if (span_read(field, look->depth - 1, roots->arena, &look->span) < 0 ||
		!span_has_ids(&look->span))
		return;
	struct root root = root_of(&look->span);
	if (root.rank == NAMES_TRACE) {
		if (root.identity.trace_name.len && !repeats_last(roots, &root))
			add(roots, &root);
		return;
	}
	struct subject subject = {
		.config = roots->config,
		.arena = roots->arena,
		.scratch = roots->scratch,
		.span = &look->span,
		.around = &look->around,
		.resource = &look->resource_facts,
		.of_resource = &look->resource,
	};
	facts_read(&look->span, &look->around, roots->arena, &subject.facts);
	identity_of_root(&subject, &root.identity);
	add(roots, &root);
}

static bool is_enough(const struct look *look)
{
	return look->spans_left == 0 || look->roots->count == ROOTS_MAX;
}

static void look_at_scope(struct look *look, struct bytes resource_spans, struct bytes scope_spans)
{
	struct wire wire = wire_of(scope_spans);
	struct field field;
	read_scope(look, scope_spans);
	bool below = roots_may_be_below(&look->around.scope);
	while (!is_enough(look) && wire_next(&wire, &field) > 0) {
		if (!field_is(&field, SPANS, WIRE_BYTES))
			continue;
		look->spans_left--;
		if (!below && !span_bytes_are_root(field.body))
			continue;
		if (!look->has_resource)
			read_resource(look, resource_spans);
		look_at_span(look, &field);
	}
}

static void look_at_resource(struct look *look, struct bytes resource_spans)
{
	struct wire wire = wire_of(resource_spans);
	struct field field;
	look->has_resource = false;
	while (!is_enough(look) && wire_next(&wire, &field) > 0)
		if (field_is(&field, SCOPE_SPANS, WIRE_BYTES))
			look_at_scope(look, resource_spans, field.body);
}

/* By trace; within one the same comes first in whatever order they were sent. */
static int compare(const void *left, const void *right)
{
	const struct root *a = left, *b = right;
	int order = memcmp(a->trace_id.at, b->trace_id.at, a->trace_id.len);
	if (order)
		return order;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return memcmp(a->span_id.at, b->span_id.at, a->span_id.len);
}

static void one_of_each_trace(struct roots *roots)
{
	size_t kept = 0;
	qsort(roots->at, roots->count, sizeof *roots->at, compare);
	for (size_t i = 1; i < roots->count; i++) {
		if (bytes_equal(roots->at[i].trace_id, roots->at[kept].trace_id))
			identity_fill(&roots->at[kept].identity, &roots->at[i].identity);
		else
			roots->at[++kept] = roots->at[i];
	}
	roots->count = kept + 1;
}

static void read_roots(struct roots *roots)
{
	struct look look = {
		.roots = roots,
		.spans_left = roots->config->limits.max_spans,
		.depth = (unsigned)roots->config->limits.max_depth - 2,
	};
	look.around.resource = &look.resource_facts;
	struct wire wire = wire_of(roots->request);
	struct field field;
	while (!is_enough(&look) && wire_next(&wire, &field) > 0)
		if (field_is(&field, RESOURCE_SPANS, WIRE_BYTES))
			look_at_resource(&look, field.body);
	if (roots->count)
		one_of_each_trace(roots);
	roots->is_read = true;
}

static int compare_id(const void *trace_id, const void *root)
{
	const struct bytes *id = trace_id;
	return memcmp(id->at, ((const struct root *)root)->trace_id.at, id->len);
}

const struct identity *roots_find(struct roots *roots, struct bytes trace_id)
{
	static const struct identity nothing;
	if (!roots->is_read)
		read_roots(roots);
	if (roots->count && (!roots->last || !bytes_equal(roots->last->trace_id, trace_id)))
		roots->last =
			bsearch(&trace_id, roots->at, roots->count, sizeof *roots->at, compare_id);
	return roots->last ? &roots->last->identity : &nothing;
}
