#include "enrich/wrappers.h"

static bool is_call(const struct facts *facts)
{
	return facts->kind == KIND_LLM || facts->kind == KIND_EMBEDDING;
}

static bool states_counts(const struct facts *facts)
{
	return facts->said[FACT_INPUT_TOKENS].integer || facts->said[FACT_OUTPUT_TOKENS].integer;
}

/* By an earlier pass, and by it alone where its counts are left out. */
static bool is_marked(const struct facts *facts)
{
	const struct attribute *status = facts->present[TARGET_COST_STATUS];
	return status && status->value.type == VALUE_STRING &&
		bytes_are(status->value.bytes, "repeated");
}

/* Both ids are chance, and a span's is unique in its trace. */
static uint64_t name_of(struct bytes trace_id, struct bytes span_id)
{
	uint64_t trace, span;
	memcpy(&trace, trace_id.at, sizeof trace);
	memcpy(&span, span_id.at, sizeof span);
	return trace ^ span;
}

void inner_calls_note(struct inner_calls *calls, const struct span *span, const struct facts *facts)
{
	struct bytes parent = span->parent.body;
	if (!is_call(facts) || !states_counts(facts) || parent.len != span->span_id.len)
		return;
	size_t place = calls->noted++ % INNER_CALLS_MAX;
	calls->parents[place] = name_of(span->trace_id, parent);
	calls->counts[place].input = facts->said[FACT_INPUT_TOKENS].integer;
	calls->counts[place].output = facts->said[FACT_OUTPUT_TOKENS].integer;
}

bool is_wrapper(const struct inner_calls *calls, const struct span *span, const struct facts *facts)
{
	size_t count = calls->noted < INNER_CALLS_MAX ? calls->noted : INNER_CALLS_MAX;
	if (!is_call(facts))
		return false;
	if (is_marked(facts))
		return true;
	uint64_t name = name_of(span->trace_id, span->span_id);
	for (size_t i = 0; i < count; i++)
		if (calls->parents[i] == name &&
			calls->counts[i].input == facts->said[FACT_INPUT_TOKENS].integer &&
			calls->counts[i].output == facts->said[FACT_OUTPUT_TOKENS].integer)
			return true;
	return false;
}
