/* Langfuse's own names: what its SDKs write, and what anybody may set to have the last word there. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ "langfuse.session.id", FACT_SESSION },
	{ "langfuse.user.id", FACT_USER },
	{ "langfuse.trace.tags", FACT_TAGS },
	{ "langfuse.tags", FACT_TAGS },
	{ "langfuse.environment", FACT_ENVIRONMENT },
	{ "langfuse.release", FACT_RELEASE },
	{ "langfuse.version", FACT_VERSION },
	{ "langfuse.trace.name", FACT_TRACE_NAME },
	{ "langfuse.observation.input", FACT_INPUT },
	{ "langfuse.observation.output", FACT_OUTPUT },
	{ 0 },
};

/* OpenInference's word for it comes first; "span" and "event" say nothing about AI. */
static enum kind kind(const struct span *span, const struct facts *facts)
{
	const struct attribute *sent = facts->present[TARGET_OBSERVATION_TYPE];
	if (!sent || sent->value.type != VALUE_STRING || kind_said(facts) != KIND_NONE)
		return KIND_NONE;
	if (bytes_are(sent->value.bytes, "generation"))
		return KIND_LLM;
	enum kind named = kind_named(sent->value.bytes);
	return named == KIND_LLM || named == KIND_PROMPT || named == KIND_UNKNOWN ? KIND_NONE :
										    named;
}

const struct vocabulary vocabulary_langfuse = {
	.name = "langfuse",
	.words = words,
	.kind = kind,
};
