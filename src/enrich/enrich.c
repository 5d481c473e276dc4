#include "enrich/enrich.h"

#include "base/counters.h"
#include "enrich/roots.h"
#include "enrich/subject.h"
#include "enrich/wrappers.h"

/* In this order: each may use what those before it concluded. */
static enricher *const enrichers[] = {
	enrich_conventions,
	enrich_identity,
	enrich_usage,
	enrich_cost,
	enrich_content,
	enrich_messages,
	enrich_for_langfuse,
};

/* Field numbers of ExportTraceServiceRequest, ResourceSpans and ScopeSpans. */
enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, SCOPE = 1, SPANS = 2 };

enum { LACKING_COUNT = COUNTER_LACKING_VERSION - COUNTER_LACKING_SESSION + 1 };

/* One request on its way through. */
struct walk {
	const struct config *config;
	const struct prices *prices;
	struct arena *arena;
	struct splice splice;
	struct writer writer;
	struct buf scratch;
	struct span span;
	struct facts resource_facts;
	struct identity resource_identity;
	struct surroundings around;
	struct roots roots;
	struct inner_calls inner_calls;
	struct attributes attributes; /* of the resource or scope at hand */
	uint32_t max_spans;
	unsigned depth;       /* levels left below a ResourceSpans */
	uint32_t without_ids; /* rejected spans with no id and no start, as log records decode */
	uint32_t ai_spans[VOCABULARIES_MAX]; /* by the vocabulary that says so */
	uint32_t lacking[LACKING_COUNT];
	struct enriched result;
};

/* Langfuse reads resource and scope attributes with the same code that fails on spans. */
static void drop_valueless(struct walk *walk, size_t from)
{
	for (size_t i = from; i < walk->attributes.count; i++) {
		const struct attribute *attribute = &walk->attributes.at[i];
		if (attribute->has_value)
			continue;
		splice_edit(&walk->splice, SPLICE_SECOND, attribute->start,
			(size_t)(attribute->end - attribute->start), (struct bytes){ 0 });
		counter_add(COUNTER_REPAIRED_VALUELESS, 1);
	}
}

static int reject(struct walk *walk, const struct span *span)
{
	walk->result.rejected_count++;
	walk->without_ids +=
		span->trace_id.len == 0 && span->span_id.len == 0 && span->start_ns == 0;
	splice_edit(&walk->splice, SPLICE_BOTH, span->field.start,
		(size_t)(span->field.end - span->field.start), (struct bytes){ 0 });
	return walk->arena->error;
}

static int enrich_span(struct walk *walk, const struct field *field)
{
	int error = span_read(field, walk->depth - 1, walk->arena, &walk->span);
	if (error)
		return error;
	if (walk->result.span_count + walk->result.rejected_count == walk->max_spans)
		return -E2BIG;
	if (!span_has_ids(&walk->span))
		return reject(walk, &walk->span);

	struct subject subject = {
		.config = walk->config,
		.prices = walk->prices,
		.arena = walk->arena,
		.splice = &walk->splice,
		.writer = &walk->writer,
		.scratch = &walk->scratch,
		.span = &walk->span,
		.around = &walk->around,
		.resource = &walk->resource_facts,
		.of_resource = &walk->resource_identity,
		.roots = &walk->roots,
		.lacking = walk->lacking,
	};
	walk->result.span_count++;
	splice_open(&walk->splice, field);
	facts_read(&walk->span, &walk->around, walk->arena, &subject.facts);
	walk->ai_spans[subject.facts.vocabulary] += subject.facts.kind != KIND_NONE;
	subject.is_wrapper = is_wrapper(&walk->inner_calls, &walk->span, &subject.facts);
	inner_calls_note(&walk->inner_calls, &walk->span, &subject.facts);
	for (size_t i = 0; i < sizeof enrichers / sizeof *enrichers; i++)
		enrichers[i](&subject);
	subject_finish(&subject);
	splice_close(&walk->splice);
	return walk->arena->error;
}

static int walk_scope(struct walk *walk, const struct field *scope_spans)
{
	struct wire wire = wire_of(scope_spans->body);
	struct field field;
	int more, error = 0;
	walk->around.scope = (struct scope){ 0 };
	splice_open(&walk->splice, scope_spans);

	/* The scope may stand behind its spans. */
	while (!error && (more = wire_next(&wire, &field)) > 0) {
		if (!field_is(&field, SCOPE, WIRE_BYTES))
			continue;
		walk->attributes.count = 0;
		splice_open(&walk->splice, &field);
		error = scope_read(field.body, walk->depth - 2, walk->arena, &walk->around.scope,
			&walk->attributes);
		if (!error)
			drop_valueless(walk, 0);
		splice_close(&walk->splice);
	}
	if (error || more < 0)
		return error ? error : more;

	wire = wire_of(scope_spans->body);
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, SPANS, WIRE_BYTES))
			error = enrich_span(walk, &field);
	splice_close(&walk->splice);
	return error ? error : more;
}

/* Facts and identity outlive the list: they copy what was said, and `present` is not asked for resources. */
static void read_resource(struct walk *walk)
{
	struct subject subject = {
		.config = walk->config,
		.arena = walk->arena,
		.scratch = &walk->scratch,
		.resource = &walk->resource_facts,
	};
	facts_read_resource(&walk->attributes, &walk->resource_facts);
	identity_of_resource(&subject, &walk->attributes, &walk->resource_identity);
}

static int walk_resource(struct walk *walk, const struct field *resource_spans)
{
	struct wire wire = wire_of(resource_spans->body);
	struct field field;
	int more, error = 0;
	splice_open(&walk->splice, resource_spans);

	/* The resource may stand behind its spans, and in several pieces, which are then one. */
	walk->attributes.count = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0) {
		if (!field_is(&field, RESOURCE, WIRE_BYTES))
			continue;
		size_t before = walk->attributes.count;
		splice_open(&walk->splice, &field);
		error = resource_read(field.body, walk->depth - 1, walk->arena, &walk->attributes);
		if (!error)
			drop_valueless(walk, before);
		splice_close(&walk->splice);
	}
	if (error || more < 0)
		return error ? error : more;

	read_resource(walk);
	wire = wire_of(resource_spans->body);
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, SCOPE_SPANS, WIRE_BYTES))
			error = walk_scope(walk, &field);
	splice_close(&walk->splice);
	return error ? error : more;
}

static void count_spans(const struct walk *walk)
{
	vocabularies_count(walk->ai_spans);
	for (unsigned i = 0; i < LACKING_COUNT; i++)
		if (walk->lacking[i])
			counter_add(COUNTER_LACKING_SESSION + i, walk->lacking[i]);
}

int enrich(struct bytes request, const struct config *config, const struct prices *prices,
	struct arena *arena, struct enriched *ret)
{
	struct walk walk = {
		.config = config,
		.prices = prices,
		.arena = arena,
		.writer = { .arena = arena },
		.max_spans = (uint32_t)config->limits.max_spans,
		.depth = (unsigned)config->limits.max_depth - 2,
	};
	walk.around.resource = &walk.resource_facts;
	walk.roots = (struct roots){
		.request = request, .config = config, .arena = arena, .scratch = &walk.scratch
	};
	splice_init(&walk.splice, arena, request);
	buf_init(&walk.scratch, arena->limit_bytes, arena->budget);

	struct wire wire = wire_of(request);
	struct field field;
	int more, error = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, RESOURCE_SPANS, WIRE_BYTES))
			error = walk_resource(&walk, &field);
	buf_done(&walk.scratch);
	if (!error)
		error = more < 0 ? more : arena->error;
	if (error)
		return error;

	walk.result.plain = splice_write(&walk.splice, false);
	if (walk.splice.second_differs)
		walk.result.langfuse = splice_write(&walk.splice, true);
	walk.result.looks_like_logs = walk.result.rejected_count &&
		walk.without_ids == walk.result.rejected_count && walk.result.span_count == 0;
	if (arena->error)
		return arena->error;
	count_spans(&walk);
	*ret = walk.result;
	return 0;
}
