#include "enrich/subject.h"

bool is_tool_with_name(const struct subject *subject)
{
	return subject->facts.kind == KIND_TOOL &&
		(bytes_are(subject->around->scope.name, SESSION_SCOPE) ||
			attribute_find(&subject->span->attributes, "tollgate.native_name"));
}

bool is_open(const struct subject *subject, enum target target)
{
	const struct attribute *present = subject->facts.present[target];
	return !present || value_is_empty(&present->value);
}

static void flush_tail(struct subject *subject)
{
	if (subject->tail.len)
		splice_edit(
			subject->splice, SPLICE_BOTH, subject->span->field.end, 0, subject->tail);
	subject->tail = (struct bytes){ 0 };
}

/* An empty attribute is replaced where it stands, so that there are never two of a name; it has a value now. */
static void place(struct subject *subject, enum target target, struct bytes field)
{
	struct attribute *present = target == TARGET_NONE ? NULL : subject->facts.present[target];
	if (present) {
		splice_edit(subject->splice, SPLICE_BOTH, present->start,
			(size_t)(present->end - present->start), field);
		present->has_value = present->is_replaced = true;
		present->value = (struct value){ .type = VALUE_STRING, .bytes = field };
	} else if (subject->tail.len && subject->tail.at + subject->tail.len == field.at) {
		subject->tail.len += field.len;
	} else {
		flush_tail(subject);
		subject->tail = field;
	}
}

void add_text(struct subject *subject, enum target target, struct bytes text)
{
	if (text.len && is_open(subject, target))
		place(subject, target,
			write_string(subject->writer, SPAN_ATTRIBUTES, target_name(target), text));
}

static bool scratch_failed(struct subject *subject)
{
	if (subject->scratch->error && !subject->arena->error)
		subject->arena->error = subject->scratch->error;
	return subject->scratch->error != 0;
}

void add_scratch(struct subject *subject, enum target target)
{
	if (!scratch_failed(subject))
		add_text(subject, target, buf_bytes(subject->scratch));
	subject->scratch->len = 0;
}

void add_int(struct subject *subject, enum target target, uint64_t number)
{
	struct attribute *present = subject->facts.present[target];
	if (!is_open(subject, target))
		return;
	place(subject, target,
		write_int(subject->writer, SPAN_ATTRIBUTES, target_name(target), (int64_t)number));
	if (present)
		present->value = (struct value){ .type = VALUE_INT, .integer = (int64_t)number };
}

void add_double(struct subject *subject, enum target target, double number)
{
	if (is_open(subject, target))
		place(subject, target,
			write_double(
				subject->writer, SPAN_ATTRIBUTES, target_name(target), number));
}

void add_texts(struct subject *subject, enum target target, const struct bytes *texts, size_t count)
{
	if (count && is_open(subject, target))
		place(subject, target,
			write_strings(subject->writer, SPAN_ATTRIBUTES, target_name(target), texts,
				count));
}

void add_named(struct subject *subject, struct bytes name, struct bytes text)
{
	place(subject, TARGET_NONE, write_string(subject->writer, SPAN_ATTRIBUTES, name, text));
}

void replace_value(struct subject *subject, enum splice_variant variant,
	const struct attribute *attribute, struct bytes text)
{
	splice_edit(subject->splice, variant, attribute->start,
		(size_t)(attribute->end - attribute->start),
		write_string(subject->writer, SPAN_ATTRIBUTES, attribute->key, text));
}

void subject_finish(struct subject *subject)
{
	flush_tail(subject);
}

struct bytes take_scratch(struct subject *subject)
{
	struct buf *scratch = subject->scratch;
	struct bytes text = { 0 };
	if (!scratch_failed(subject) && scratch->len)
		text = (struct bytes){ arena_copy(subject->arena, scratch->at, scratch->len),
			scratch->len };
	scratch->len = 0;
	return text.at ? text : (struct bytes){ 0 };
}

struct bytes text_of(struct subject *subject, const struct value *value)
{
	if (value->type == VALUE_NONE || value->type == VALUE_UNKNOWN)
		return (struct bytes){ 0 };
	if (value->type == VALUE_STRING)
		return value->bytes;
	buf_value_json(subject->scratch, value);
	return take_scratch(subject);
}

struct bytes fact_text(struct subject *subject, enum fact fact)
{
	return text_of(subject, &subject->facts.said[fact]);
}
