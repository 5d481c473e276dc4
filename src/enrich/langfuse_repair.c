/*
 * Langfuse's own copy, where it would refuse or lose the original: an attribute without a value stops its
 * whole request, a field that is not as it must be costs the observation, a parent of zeros leaves a trace
 * without root, and lists of pairs and bytes would be shown as dumps of the wire format. Nor may it count
 * twice: it prices every span that has a model or usage, also an agent's, which repeats the sums of its
 * model calls. Source: facts about Langfuse, sections 0, 2 and 3.
 */
#include <strings.h>

#include "base/counters.h"
#include "enrich/subject.h"

bool loses_usage(struct bytes operation)
{
	return bytes_are(operation, "invoke_agent") || bytes_are(operation, "agent_step");
}

bool is_tokenized(struct bytes model)
{
	static const char *const starts[] = { "gpt-", "chatgpt-", "o1", "o3", "o4", "text-",
		"claude" };
	const uint8_t *slash = model.len ? memrchr(model.at, '/', model.len) : NULL;
	struct bytes name =
		slash ? (struct bytes){ slash + 1, (size_t)(bytes_end(model) - slash - 1) } : model;
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (name.len >= strlen(starts[i]) &&
			strncasecmp((const char *)name.at, starts[i], strlen(starts[i])) == 0)
			return true;
	return model.len && memmem(model.at, model.len, ".claude", strlen(".claude"));
}

static void leave_out(struct subject *subject, const uint8_t *start, const uint8_t *end)
{
	splice_edit(
		subject->splice, SPLICE_SECOND, start, (size_t)(end - start), (struct bytes){ 0 });
}

static bool is_model_name(struct bytes key)
{
	static const struct bytes models[] = { BYTES("gen_ai.request.model"),
		BYTES("gen_ai.response.model"), BYTES("llm.model_name"),
		BYTES("llm.response.model"), BYTES("ai.model.id"), BYTES("model") };
	for (size_t i = 0; i < sizeof models / sizeof *models; i++)
		if (bytes_equal(key, models[i]))
			return true;
	return false;
}

/*
 * What Langfuse would make usage, cost or a model of. Who says langfuse.observation.usage_details or
 * cost_details means them: then that stays, with the model, and hides what says the same by other names.
 */
static bool is_costly(const struct subject *subject, const struct attribute *attribute)
{
	struct bytes key = attribute->key;
	if (value_is_empty(&attribute->value))
		return false;
	if (bytes_are(key, "gen_ai.usage.cost") || bytes_are(key, "llm.cost.total"))
		return is_open(subject, TARGET_COST_DETAILS);
	if (bytes_start_with(key, "gen_ai.usage.") || bytes_start_with(key, "llm.token_count."))
		return is_open(subject, TARGET_USAGE_DETAILS);
	return is_model_name(key) && is_open(subject, TARGET_USAGE_DETAILS) &&
		is_open(subject, TARGET_COST_DETAILS) &&
		(subject->facts.kind != KIND_RERANKER ||
			(attribute->value.type == VALUE_STRING &&
				is_tokenized(attribute->value.bytes)));
}

/*
 * A span whose model, usage and cost are not its own, unless Langfuse drops them anyway. A reranker's model is
 * its own, and shown where no cost is made up from it. A kind that its sender does not know is let be.
 */
static bool is_repeating(const struct subject *subject)
{
	enum kind kind = subject->facts.kind;
	return kind != KIND_NONE && kind != KIND_UNKNOWN && !is_model_call(subject) &&
		!loses_usage(subject->operation);
}

/* The other way round: a model call that Langfuse takes for an agent. */
static bool is_mistaken(const struct subject *subject, const struct attribute *attribute)
{
	(void)subject;
	return bytes_are(attribute->key, "gen_ai.operation.name") &&
		attribute->value.type == VALUE_STRING && loses_usage(attribute->value.bytes);
}

/* Which attributes of this span Langfuse must not see; NULL: it may see all. */
typedef bool unwanted(const struct subject *subject, const struct attribute *attribute);

static unwanted *find_unwanted(const struct subject *subject)
{
	if (is_model_call(subject))
		return is_mistaken;
	return is_repeating(subject) ? is_costly : NULL;
}

/* 2026-05-28T20:26:41.500Z, or with an offset; bare or as JSON text. */
static bool is_iso_time(struct bytes text)
{
	static const char form[] = "0000-00-00T00:00:00";
	bool is_quoted = text.len > 1 && text.at[0] == '"' && text.at[text.len - 1] == '"';
	const uint8_t *at = text.at + is_quoted, *end = bytes_end(text) - is_quoted;
	for (const char *c = form; *c; c++, at++)
		if (at >= end || (*c == '0' ? *at < '0' || *at > '9' : *at != (uint8_t)*c))
			return false;
	if (at < end && *at == '.')
		do
			at++;
		while (at < end && *at >= '0' && *at <= '9');
	return at < end && memchr("Z+-", *at, 3);
}

/* A time in another form costs the whole observation; without it the rest is shown. */
static bool is_bad_time(const struct attribute *attribute)
{
	return bytes_equal(attribute->key, target_name(TARGET_COMPLETION_START_TIME)) &&
		(attribute->value.type != VALUE_STRING || !is_iso_time(attribute->value.bytes));
}

/* A managed prompt, by any name under which Langfuse looks for one. */
static bool is_prompt(struct bytes key)
{
	static const char *const names[] = { "langfuse.observation.prompt.name",
		"langfuse.observation.prompt.version", "langfuse.prompt.name",
		"langfuse.prompt.version", "ai.telemetry.metadata.langfusePrompt" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_are(key, names[i]))
			return true;
	return false;
}

/*
 * Langfuse loses an observation whose prompt is not a text with a whole number. A number that came as text is
 * made one; of anything less than both nothing is left.
 */
enum prompt { PROMPT_FITS, PROMPT_NUMBER_IS_TEXT, PROMPT_BROKEN };

static enum prompt find_prompt(const struct subject *subject)
{
	const struct facts *facts = &subject->facts;
	const struct attribute *name = facts->present[TARGET_PROMPT_NAME];
	const struct attribute *version = facts->present[TARGET_PROMPT_VERSION];
	if (!name && !version && !is_said(facts, FACT_PROMPT_NAME) &&
		!is_said(facts, FACT_PROMPT_VERSION))
		return PROMPT_FITS;
	if (facts->said[FACT_PROMPT_NAME].type != VALUE_STRING ||
		facts->said[FACT_PROMPT_VERSION].integer <= 0)
		return PROMPT_BROKEN;
	return version && version->value.type != VALUE_INT ? PROMPT_NUMBER_IS_TEXT : PROMPT_FITS;
}

/* True when the attribute is part of a prompt that does not fit, and was seen to. */
static bool repair_prompt(
	struct subject *subject, const struct attribute *attribute, enum prompt prompt)
{
	if (prompt == PROMPT_BROKEN && is_prompt(attribute->key)) {
		leave_out(subject, attribute->start, attribute->end);
		return true;
	}
	if (prompt != PROMPT_NUMBER_IS_TEXT ||
		attribute != subject->facts.present[TARGET_PROMPT_VERSION])
		return false;
	splice_edit(subject->splice, SPLICE_SECOND, attribute->start,
		(size_t)(attribute->end - attribute->start),
		write_int(subject->writer, SPAN_ATTRIBUTES, attribute->key,
			subject->facts.said[FACT_PROMPT_VERSION].integer));
	return true;
}

/* Langfuse would read tags from the text of a structure. */
static bool is_tags(struct bytes key)
{
	return bytes_equal(key, target_name(TARGET_TRACE_TAGS)) ||
		bytes_equal(key, target_name(TARGET_TAG_TAGS)) || bytes_are(key, "langfuse.tags");
}

/* What an unwanted attribute says instead, where there is something that it may say. */
static struct bytes instead_of(struct subject *subject, const struct attribute *attribute)
{
	struct bytes own = fact_text(subject, FACT_RERANKER_MODEL);
	if (is_model_call(subject))
		return operation_names[subject->facts.kind];
	bool is_its_model = subject->facts.kind == KIND_RERANKER && !is_tokenized(own) &&
		bytes_equal(attribute->key, target_name(TARGET_REQUEST_MODEL));
	return is_its_model ? own : (struct bytes){ 0 };
}

/* True when it said something of usage, cost or model that Langfuse must not be told, or not so. */
static bool repair_attribute(struct subject *subject, const struct attribute *attribute,
	unwanted *is_unwanted, enum prompt prompt)
{
	enum value_type type = attribute->value.type;
	if (!attribute->has_value) {
		leave_out(subject, attribute->start, attribute->end);
		counter_add(COUNTER_REPAIRED_VALUELESS, 1);
	} else if (repair_prompt(subject, attribute, prompt)) {
		counter_add(COUNTER_REPAIRED_PROMPT, 1);
	} else if (is_bad_time(attribute)) {
		leave_out(subject, attribute->start, attribute->end);
		counter_add(COUNTER_REPAIRED_TIME, 1);
	} else if (is_unwanted && is_unwanted(subject, attribute)) {
		struct bytes instead = instead_of(subject, attribute);
		if (instead.len)
			replace_value(subject, SPLICE_SECOND, attribute, instead);
		else
			leave_out(subject, attribute->start, attribute->end);
		return true;
	} else if ((type == VALUE_KVLIST || type == VALUE_BYTES) && is_tags(attribute->key)) {
		leave_out(subject, attribute->start, attribute->end);
		counter_add(COUNTER_REPAIRED_STRUCTURED, 1);
	} else if (type == VALUE_KVLIST || type == VALUE_BYTES) {
		replace_value(
			subject, SPLICE_SECOND, attribute, text_of(subject, &attribute->value));
		counter_add(COUNTER_REPAIRED_STRUCTURED, 1);
	}
	return false;
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

/* An agent whose sums were left out says what one without any would have been made to say. */
static void add_operation(struct subject *subject)
{
	const struct attribute *empty = subject->facts.present[TARGET_OPERATION_NAME];
	struct bytes operation = operation_names[KIND_AGENT];
	if (subject->facts.kind != KIND_AGENT || !is_open(subject, TARGET_OPERATION_NAME))
		return;
	if (empty && empty->has_value) /* what has none was left out */
		replace_value(subject, SPLICE_SECOND, empty, operation);
	else
		splice_edit(subject->splice, SPLICE_SECOND, subject->span->field.end, 0,
			write_string(subject->writer, SPAN_ATTRIBUTES,
				target_name(TARGET_OPERATION_NAME), operation));
}

/* Langfuse prefers a tool's name to its span's, which says what the tool did. tool.name stays. */
static void prefer_own_name(struct subject *subject)
{
	const struct attribute *name = subject->facts.present[TARGET_GEN_AI_TOOL_NAME];
	if (name && !name->is_replaced && name->value.type == VALUE_STRING &&
		is_tool_with_name(subject))
		leave_out(subject, name->start, name->end);
}

void enrich_for_langfuse(struct subject *subject)
{
	const struct span *span = subject->span;
	unwanted *is_unwanted = find_unwanted(subject);
	enum prompt prompt = find_prompt(subject);
	bool is_mended = false;
	for (size_t i = 0; i < span->attributes.count; i++)
		is_mended |= !span->attributes.at[i].is_replaced &&
			repair_attribute(subject, &span->attributes.at[i], is_unwanted, prompt);
	if (is_mended && is_model_call(subject)) {
		counter_add(COUNTER_REPAIRED_LOST_USAGE, 1);
	} else if (is_mended) {
		counter_add(COUNTER_REPAIRED_REPEATED_USAGE, 1);
		add_operation(subject);
	}
	prefer_own_name(subject);
	for (size_t i = 0; i < span->event_count; i++)
		if (span->events[i].has_valueless)
			repair_event(subject, &span->events[i]);
	if (span->parent.start && span->parent.body.len && is_zero(span->parent.body)) {
		leave_out(subject, span->parent.start, span->parent.end);
		counter_add(COUNTER_REPAIRED_ZERO_PARENT, 1);
	}
}
