#include "export/local_row.h"

#include "base/buf.h"
#include "base/json_skim.h"
#include "base/utf8.h"
#include "pricing/price.h"
#include "vocabularies/vocabulary.h"

/* Field numbers of ExportTraceServiceRequest, ResourceSpans and ScopeSpans. */
enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, SCOPE = 1, SPANS = 2 };

enum {
	DEPTH_MAX = 1000,       /* what was let in may be nested as deep as the setting's bound */
	LABEL_MAX_BYTES = 1024, /* of names, ids and the like */
	MESSAGE_MAX_BYTES = 4096,
};

struct walk {
	struct arena *arena;
	size_t content_max_bytes;
	int (*take)(void *arg, const struct local_row *row);
	void *arg;
	struct span span;
	struct facts facts, resource_facts;
	struct surroundings around;
	struct attributes attributes; /* of the resource or scope at hand */
	struct bytes service;
};

/* ---- texts ---- */

/* With U+FFFD for each byte that is no text. */
static struct bytes mended(struct walk *walk, struct bytes text)
{
	struct buf buf;
	buf_init(&buf, walk->arena->limit_bytes, NULL);
	while (text.len) {
		size_t good = utf8_span(text);
		buf_append(&buf, text.at, good);
		if (good == text.len)
			break;
		buf_text(&buf, "\xef\xbf\xbd");
		text = (struct bytes){ text.at + good + 1, text.len - good - 1 };
	}
	return buf_move(&buf, walk->arena);
}

static struct bytes as_text(struct walk *walk, struct bytes text, size_t max_bytes)
{
	struct bytes cut = utf8_cut(text, max_bytes);
	if (!cut.len)
		return (struct bytes){ 0 };
	return utf8_span(cut) == cut.len ? cut : mended(walk, cut);
}

static struct bytes label(struct walk *walk, const struct value *value)
{
	return as_text(walk, value_text(value, walk->arena), LABEL_MAX_BYTES);
}

static struct bytes said(struct walk *walk, enum fact fact)
{
	return label(walk, &walk->facts.said[fact]);
}

/* What the span has under a name that enrichment writes, whoever wrote it. */
static const struct value *present(const struct walk *walk, enum target target)
{
	static const struct value nothing;
	const struct attribute *attribute = walk->facts.present[target];
	return attribute ? &attribute->value : &nothing;
}

/* ---- columns ---- */

/* As Langfuse calls it: a tool by its name. */
static struct bytes name_of(struct walk *walk)
{
	struct bytes shown = label(walk, present(walk, TARGET_OBSERVATION_NAME));
	return shown.len ? shown : as_text(walk, walk->span.name, LABEL_MAX_BYTES);
}

static void write_hex(char *to, struct bytes id)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < id.len; i++) {
		*to++ = digits[id.at[i] >> 4];
		*to++ = digits[id.at[i] & 15];
	}
	*to = '\0';
}

static bool is_zero(struct bytes id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.at[i])
			return false;
	return true;
}

/* SQLite's integers are signed, and later than 2262 is no time. */
static uint64_t time_of(uint64_t ns)
{
	return ns <= INT64_MAX ? ns : 0;
}

static struct bytes level_of(struct walk *walk)
{
	struct bytes level = label(walk, present(walk, TARGET_LEVEL));
	if (level.len)
		return level;
	return bytes_of(walk->span.status_code == STATUS_CODE_ERROR ? "ERROR" : "DEFAULT");
}

static struct bytes message_of(struct walk *walk)
{
	struct bytes message = value_text(present(walk, TARGET_STATUS_MESSAGE), walk->arena);
	return as_text(walk, message.len ? message : walk->span.status_message, MESSAGE_MAX_BYTES);
}

static struct bytes model_of(struct walk *walk)
{
	static const enum fact names[] = { FACT_SHOWN_MODEL, FACT_EMBEDDING_MODEL,
		FACT_RERANKER_MODEL, FACT_RESPONSE_MODEL, FACT_REQUEST_MODEL };
	struct bytes model = label(walk, present(walk, TARGET_OBSERVATION_MODEL_NAME));
	for (size_t i = 0; i < sizeof names / sizeof *names && !model.len; i++)
		model = said(walk, names[i]);
	return model;
}

static struct bytes environment_of(struct walk *walk)
{
	struct bytes own = said(walk, FACT_ENVIRONMENT);
	return own.len ? own : label(walk, &walk->resource_facts.said[FACT_ENVIRONMENT]);
}

/* Readers compute with it, so it is an object or nothing. */
static struct bytes usage_of(struct walk *walk)
{
	struct bytes json = value_text(present(walk, TARGET_USAGE_DETAILS), walk->arena);
	if (json.len > MESSAGE_MAX_BYTES || !json_text_is_object(json))
		return (struct bytes){ 0 };
	return as_text(walk, json, MESSAGE_MAX_BYTES);
}

static int64_t cost_of(struct walk *walk)
{
	struct bytes json = value_text(present(walk, TARGET_COST_DETAILS), walk->arena), number;
	fusd amount;
	if (!json_find_number(json, "total", &number) || fusd_read(number, &amount) < 0 ||
		amount > INT64_MAX)
		return -1;
	return (int64_t)amount;
}

static struct bytes content(struct walk *walk, enum fact fact, uint64_t *ret_bytes)
{
	struct bytes whole = value_text(&walk->facts.said[fact], walk->arena);
	*ret_bytes = whole.len;
	return as_text(walk, whole, walk->content_max_bytes);
}

static int take_span(struct walk *walk, const struct field *field)
{
	const struct span *span = &walk->span;
	int error = span_read(field, DEPTH_MAX, walk->arena, &walk->span);
	if (error)
		return error;
	if (!span_has_ids(span))
		return -EBADMSG;
	facts_read(span, &walk->around, walk->arena, &walk->facts);

	struct local_row row = {
		.start_ns = time_of(span->start_ns),
		.end_ns = time_of(span->end_ns),
		.name = name_of(walk),
		.kind = kind_name(walk->facts.kind),
		.level = level_of(walk),
		.status_message = message_of(walk),
		.session_id = said(walk, FACT_SESSION),
		.user_id = said(walk, FACT_USER),
		.environment = environment_of(walk),
		.service = walk->service,
		.scope = as_text(walk, walk->around.scope.name, LABEL_MAX_BYTES),
		.provider = said(walk, FACT_PROVIDER),
		.model = model_of(walk),
		.usage = usage_of(walk),
		.cost_fusd = cost_of(walk),
		.cost_source = label(walk, present(walk, TARGET_COST_SOURCE)),
		.cost_status = label(walk, present(walk, TARGET_COST_STATUS)),
	};
	row.input = content(walk, FACT_INPUT, &row.input_bytes);
	row.output = content(walk, FACT_OUTPUT, &row.output_bytes);
	write_hex(row.trace_id, span->trace_id);
	write_hex(row.span_id, span->span_id);
	if (span->parent.start && span->parent.body.len == 8 && !is_zero(span->parent.body))
		write_hex(row.parent_span_id, span->parent.body);
	return walk->arena->error ? walk->arena->error : walk->take(walk->arg, &row);
}

/* ---- what is around ---- */

static int walk_scope(struct walk *walk, struct bytes scope_spans)
{
	struct wire wire = wire_of(scope_spans);
	struct field field;
	int more, error = 0;
	walk->around.scope = (struct scope){ 0 };
	while (!error && (more = wire_next(&wire, &field)) > 0) {
		walk->attributes.count = 0;
		if (field_is(&field, SCOPE, WIRE_BYTES))
			error = scope_read(field.body, DEPTH_MAX, walk->arena, &walk->around.scope,
				&walk->attributes);
	}
	wire = wire_of(scope_spans);
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, SPANS, WIRE_BYTES))
			error = take_span(walk, &field);
	return error ? error : more;
}

static void conclude_resource(struct walk *walk)
{
	walk->service = (struct bytes){ 0 };
	for (size_t i = 0; i < walk->attributes.count; i++)
		if (bytes_are(walk->attributes.at[i].key, "service.name"))
			walk->service = label(walk, &walk->attributes.at[i].value);
	facts_read_resource(&walk->attributes, &walk->resource_facts);
}

/* Resource and scope may stand behind what they are of. */
static int walk_resource(struct walk *walk, struct bytes resource_spans)
{
	struct wire wire = wire_of(resource_spans);
	struct field field;
	int more, error = 0;
	walk->attributes.count = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, RESOURCE, WIRE_BYTES))
			error = resource_read(
				field.body, DEPTH_MAX, walk->arena, &walk->attributes);
	if (error)
		return error;
	conclude_resource(walk);
	wire = wire_of(resource_spans);
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, SCOPE_SPANS, WIRE_BYTES))
			error = walk_scope(walk, field.body);
	return error ? error : more;
}

int local_rows(struct bytes request, size_t content_max_bytes, struct arena *arena,
	int (*take)(void *arg, const struct local_row *row), void *arg)
{
	struct walk walk = {
		.arena = arena,
		.content_max_bytes = content_max_bytes,
		.take = take,
		.arg = arg,
	};
	walk.around.resource = &walk.resource_facts;
	struct wire wire = wire_of(request);
	struct field field;
	int more, error = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, RESOURCE_SPANS, WIRE_BYTES))
			error = walk_resource(&walk, field.body);
	return error ? error : more;
}
