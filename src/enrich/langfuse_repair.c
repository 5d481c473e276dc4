/*
 * Langfuse's own copy, where it would refuse or lose the original: an attribute without a value stops its
 * whole request, a parent of zeros leaves a trace without root, and lists of pairs and bytes would be shown
 * as dumps of the wire format. Source: facts about Langfuse, sections 0 and 2.
 */
#include "base/counters.h"
#include "enrich/subject.h"

static void leave_out(struct subject *subject, const uint8_t *start, const uint8_t *end)
{
	splice_edit(
		subject->splice, SPLICE_SECOND, start, (size_t)(end - start), (struct bytes){ 0 });
}

static void repair_attribute(struct subject *subject, const struct attribute *attribute)
{
	enum value_type type = attribute->value.type;
	if (!attribute->has_value) {
		leave_out(subject, attribute->start, attribute->end);
		counter_add(COUNTER_REPAIRED_VALUELESS, 1);
	} else if (type == VALUE_KVLIST || type == VALUE_BYTES) {
		replace_value(
			subject, SPLICE_SECOND, attribute, text_of(subject, &attribute->value));
		counter_add(COUNTER_REPAIRED_STRUCTURED, 1);
	}
}

static void repair_event(struct subject *subject, const struct span_event *event)
{
	struct attributes attributes = { 0 };
	if (span_event_attributes(event, subject->arena, &attributes) < 0)
		return;
	splice_open(subject->splice, &event->field);
	for (size_t i = 0; i < attributes.count; i++) {
		if (attributes.at[i].has_value)
			continue;
		leave_out(subject, attributes.at[i].start, attributes.at[i].end);
		counter_add(COUNTER_REPAIRED_VALUELESS, 1);
	}
	splice_close(subject->splice);
}

static bool is_zero(struct bytes id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.at[i])
			return false;
	return true;
}

void enrich_for_langfuse(struct subject *subject)
{
	const struct span *span = subject->span;
	for (size_t i = 0; i < span->attributes.count; i++)
		repair_attribute(subject, &span->attributes.at[i]);
	for (size_t i = 0; i < span->event_count; i++)
		if (span->events[i].has_valueless)
			repair_event(subject, &span->events[i]);
	if (span->parent.start && span->parent.body.len && is_zero(span->parent.body)) {
		leave_out(subject, span->parent.start, span->parent.end);
		counter_add(COUNTER_REPAIRED_ZERO_PARENT, 1);
	}
}
