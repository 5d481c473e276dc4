#include "export/content.h"

#include <assert.h>
#include <stdio.h>

#include "base/utf8.h"
#include "otlp/splice.h"
#include "otlp/value.h"
#include "otlp/writer.h"
#include "synthesize/names.h"
#include "vocabularies/content_names.h"

enum { DEPTH_MAX = 1000 }; /* what was let in may be nested as deep as the setting's bound */

/* Where attributes are: fields of messages within messages. Each list ends with field 0. */
struct place {
	uint32_t field;
	const struct place *inside; /* NULL: an attribute */
};

static const struct place in_resource[] = { { 1, NULL }, { 0 } };
static const struct place in_scope[] = { { 3, NULL }, { 0 } };
static const struct place in_event[] = { { 3, NULL }, { 0 } };
static const struct place in_link[] = { { 4, NULL }, { 0 } };
static const struct place in_span[] = { { 9, NULL }, { 11, in_event }, { 13, in_link }, { 0 } };
static const struct place in_scope_spans[] = { { 1, in_scope }, { 2, in_span }, { 0 } };
static const struct place in_resource_spans[] = { { 1, in_resource }, { 2, in_scope_spans },
	{ 0 } };
static const struct place in_request[] = { { 1, in_resource_spans }, { 0 } };

enum { EVENT_NAME = 2, SPAN_NAME = 5 };

/* Coding sessions are named after what was said in them; these attributes say such names once more. */
static const char of_a_session[] = "turn.number";
static const char *const names_of_spans[] = { "langfuse.trace.name", "langfuse.observation.name" };
enum { NAMES = sizeof names_of_spans / sizeof *names_of_spans };

/* What destinations show as input and output, the first two with what says in which form it is. */
static const char *const shown[] = { "input.value", "output.value", "langfuse.observation.input",
	"langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output" };
static const char *const mime_types[] = { "input.mime_type", "output.mime_type" };
enum { SHOWN = sizeof shown / sizeof *shown, SIDES = sizeof mime_types / sizeof *mime_types };

struct rewriting {
	const struct destination_config *config;
	struct arena *arena;
	struct splice splice;
	struct writer writer;
	bool is_event_said; /* the event at hand is content */
	bool is_name_said;  /* the name of the span at hand is */

	/* Of the span at hand, by side. */
	bool is_rewritten[SIDES];
	struct field mime_type[SIDES]; /* .start NULL: there is none */
};

static size_t index_of(struct bytes key, const char *const *names, size_t count)
{
	size_t i = 0;
	while (i < count && !bytes_are(key, names[i]))
		i++;
	return i;
}

static void put(struct rewriting *rewriting, const struct field *field, struct bytes attribute)
{
	splice_edit(&rewriting->splice, SPLICE_BOTH, field->start,
		(size_t)(field->end - field->start), attribute);
}

static void say(
	struct rewriting *rewriting, const struct field *field, struct bytes key, struct bytes text)
{
	put(rewriting, field, write_string(&rewriting->writer, field->number, key, text));
}

/* All of the attribute goes, not its value alone: a sender may have written more into it than is read. */
static void withhold(struct rewriting *rewriting, const struct field *field, struct bytes key)
{
	if (index_of(key, shown, SHOWN) < SHOWN)
		say(rewriting, field, key, (struct bytes)BYTES(CONTENT_MARK));
	else
		put(rewriting, field, (struct bytes){ 0 });
}

static struct bytes cut(struct rewriting *rewriting, struct bytes text)
{
	char mark[64];
	size_t max_bytes = rewriting->config->content_max_bytes;
	size_t mark_bytes = (size_t)snprintf(mark, sizeof mark, "… [cut from %zu bytes]", text.len);
	assert(mark_bytes < sizeof mark && mark_bytes <= max_bytes);
	struct bytes head = utf8_cut(text, max_bytes - mark_bytes);
	uint8_t *at = arena_alloc(rewriting->arena, head.len + mark_bytes);
	if (!at)
		return (struct bytes){ 0 };
	memcpy(at, head.at, head.len);
	memcpy(at + head.len, mark, mark_bytes);
	return (struct bytes){ at, head.len + mark_bytes };
}

/* False when it may stay as it is. */
static bool rewrite(
	struct rewriting *rewriting, const struct field *field, const struct attribute *attribute)
{
	if (rewriting->config->content == CONTENT_NONE) {
		withhold(rewriting, field, attribute->key);
		return true;
	}
	struct bytes text = value_text(&attribute->value, rewriting->arena);
	if (text.len <= rewriting->config->content_max_bytes)
		return false;
	say(rewriting, field, attribute->key, cut(rewriting, text));
	return true;
}

static bool is_content(const struct rewriting *rewriting, struct bytes key)
{
	return rewriting->is_event_said ? name_is_content_of_event(key) : name_is_content(key);
}

static void shorten_name(
	struct rewriting *rewriting, const struct field *field, const struct attribute *attribute)
{
	if (attribute->value.type == VALUE_STRING)
		say(rewriting, field, attribute->key, name_without_content(attribute->value.bytes));
}

static int take_attribute(
	struct rewriting *rewriting, const struct field *field, const struct place *places)
{
	struct attribute attribute;
	int error = attribute_read(field, DEPTH_MAX, &attribute);
	if (error || value_is_empty(&attribute.value))
		return error;
	bool is_rewritten =
		is_content(rewriting, attribute.key) && rewrite(rewriting, field, &attribute);
	if (places != in_span)
		return 0;
	if (rewriting->is_name_said && index_of(attribute.key, names_of_spans, NAMES) < NAMES)
		shorten_name(rewriting, field, &attribute);
	size_t side = index_of(attribute.key, shown, SIDES);
	if (side < SIDES)
		rewriting->is_rewritten[side] = is_rewritten;
	side = index_of(attribute.key, mime_types, SIDES);
	if (side < SIDES)
		rewriting->mime_type[side] = *field;
	return 0;
}

/* JSON that was cut or withheld is text. */
static void conclude_span(struct rewriting *rewriting)
{
	for (size_t side = 0; side < SIDES; side++) {
		const struct field *mime_type = &rewriting->mime_type[side];
		if (rewriting->is_rewritten[side] && mime_type->start)
			say(rewriting, mime_type, bytes_of(mime_types[side]),
				bytes_of("text/plain"));
		rewriting->is_rewritten[side] = false;
		rewriting->mime_type[side].start = NULL;
	}
}

static bool says_content(struct bytes event)
{
	struct wire wire = wire_of(event);
	struct field field;
	struct bytes name = { 0 };
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, EVENT_NAME, WIRE_BYTES))
			name = field.body;
	return event_is_content(name);
}

static bool is_of_session(struct bytes span)
{
	struct wire wire = wire_of(span);
	struct field field;
	struct attribute attribute;
	while (wire_next(&wire, &field) > 0)
		if (field_is(&field, in_span[0].field, WIRE_BYTES) &&
			attribute_read(&field, DEPTH_MAX, &attribute) == 0 &&
			bytes_are(attribute.key, of_a_session))
			return true;
	return false;
}

/* The name itself is no attribute. */
static void take_span_name(struct rewriting *rewriting, struct bytes span)
{
	struct wire wire = wire_of(span);
	struct field field;
	rewriting->is_name_said = rewriting->config->content == CONTENT_NONE && is_of_session(span);
	while (rewriting->is_name_said && wire_next(&wire, &field) > 0)
		if (field_is(&field, SPAN_NAME, WIRE_BYTES))
			put(rewriting, &field,
				write_bytes(&rewriting->writer, SPAN_NAME,
					name_without_content(field.body)));
}

static int walk(struct rewriting *rewriting, struct bytes message, const struct place *places);

static int walk_inside(
	struct rewriting *rewriting, const struct field *field, const struct place *places)
{
	splice_open(&rewriting->splice, field);
	rewriting->is_event_said = places == in_event && says_content(field->body);
	if (places == in_span)
		take_span_name(rewriting, field->body);
	int error = walk(rewriting, field->body, places);
	rewriting->is_event_said = false;
	if (places == in_span)
		conclude_span(rewriting);
	splice_close(&rewriting->splice);
	return error ? error : rewriting->arena->error;
}

static int walk(struct rewriting *rewriting, struct bytes message, const struct place *places)
{
	struct wire wire = wire_of(message);
	struct field field;
	int more, error = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0) {
		const struct place *place = places;
		while (place->field && !field_is(&field, place->field, WIRE_BYTES))
			place++;
		if (place->inside)
			error = walk_inside(rewriting, &field, place->inside);
		else if (place->field)
			error = take_attribute(rewriting, &field, places);
	}
	return error ? error : more;
}

int content_rewrite(const struct destination_config *config, struct bytes request,
	struct arena *arena, struct bytes *ret_request)
{
	struct rewriting rewriting = {
		.config = config, .arena = arena, .writer = { .arena = arena }
	};
	splice_init(&rewriting.splice, arena, request);
	int error = walk(&rewriting, request, in_request);
	struct bytes rewritten = error ? request : splice_write(&rewriting.splice, false);
	if (!error)
		error = arena->error;
	if (!error)
		*ret_request = rewritten;
	return error;
}
