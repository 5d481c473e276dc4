/* Langfuse's own names: what its SDKs write, and what anybody may set to have the last word there. */
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "langfuse.session.id", FACT_SESSION },
	{ "langfuse.user.id", FACT_USER },
	{ "langfuse.trace.tags", FACT_TAGS },
	{ "langfuse.tags", FACT_TAGS },
	{ "langfuse.environment", FACT_ENVIRONMENT },
	{ "langfuse.release", FACT_RELEASE },
	{ "langfuse.version", FACT_VERSION },
	{ "langfuse.trace.name", FACT_TRACE_NAME },
	{ "langfuse.observation.model.name", FACT_SHOWN_MODEL },
	{ "langfuse.observation.model.parameters", FACT_PARAMETERS },
	{ "langfuse.observation.input", FACT_INPUT },
	{ "langfuse.observation.output", FACT_OUTPUT },
	{ "langfuse.observation.prompt.name", FACT_PROMPT_NAME },
	{ "langfuse.prompt.name", FACT_PROMPT_NAME },
	{ "langfuse.observation.prompt.version", FACT_PROMPT_VERSION },
	{ "langfuse.prompt.version", FACT_PROMPT_VERSION },
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

/* Keys of usage_details that Langfuse prices: each token is in one of them. */
static const struct word disjoint_words[] = {
	{ "input", FACT_INPUT_TOKENS },
	{ "input_tokens", FACT_INPUT_TOKENS },
	{ "input_cached_tokens", FACT_CACHE_READ_TOKENS },
	{ "input_cache_read", FACT_CACHE_READ_TOKENS },
	{ "cache_read_input_tokens", FACT_CACHE_READ_TOKENS },
	{ "input_cache_creation", FACT_CACHE_WRITE_TOKENS },
	{ "cache_creation_input_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "cache_write_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "input_cache_creation_5m", FACT_CACHE_WRITE_5M_TOKENS },
	{ "input_cache_creation_1h", FACT_CACHE_WRITE_1H_TOKENS },
	{ "input_audio_tokens", FACT_AUDIO_INPUT_TOKENS },
	{ "input_audio", FACT_AUDIO_INPUT_TOKENS },
	{ "output", FACT_OUTPUT_TOKENS },
	{ "output_tokens", FACT_OUTPUT_TOKENS },
	{ "output_reasoning_tokens", FACT_REASONING_TOKENS },
	{ "output_reasoning", FACT_REASONING_TOKENS },
	{ "reasoning_tokens", FACT_REASONING_TOKENS },
	{ "output_audio_tokens", FACT_AUDIO_OUTPUT_TOKENS },
	{ "output_audio", FACT_AUDIO_OUTPUT_TOKENS },
	{ "total", FACT_TOTAL_TOKENS },
	{ 0 },
};

/* OpenAI's two shapes, whose details are parts of what they are details of. */
static const struct word inclusive_words[] = {
	{ "prompt_tokens", FACT_INPUT_TOKENS },
	{ "input_tokens", FACT_INPUT_TOKENS },
	{ "prompt_tokens_details.cached_tokens", FACT_CACHE_READ_TOKENS },
	{ "input_tokens_details.cached_tokens", FACT_CACHE_READ_TOKENS },
	{ "prompt_tokens_details.cache_write_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "input_tokens_details.cache_write_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "prompt_tokens_details.audio_tokens", FACT_AUDIO_INPUT_TOKENS },
	{ "input_tokens_details.audio_tokens", FACT_AUDIO_INPUT_TOKENS },
	{ "completion_tokens", FACT_OUTPUT_TOKENS },
	{ "output_tokens", FACT_OUTPUT_TOKENS },
	{ "completion_tokens_details.reasoning_tokens", FACT_REASONING_TOKENS },
	{ "output_tokens_details.reasoning_tokens", FACT_REASONING_TOKENS },
	{ "completion_tokens_details.audio_tokens", FACT_AUDIO_OUTPUT_TOKENS },
	{ "output_tokens_details.audio_tokens", FACT_AUDIO_OUTPUT_TOKENS },
	{ "total_tokens", FACT_TOTAL_TOKENS },
	{ 0 },
};

static bool is_openai_shape(const json_t *details)
{
	static const char *const signs[] = { "prompt_tokens", "completion_tokens",
		"input_tokens_details", "output_tokens_details" };
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (json_object_get(details, signs[i]))
			return true;
	return false;
}

/* Writes whose life is told stand beside the others here, and among all writes everywhere else. */
static void add_up_writes(struct facts *facts)
{
	const struct value *said = facts->said;
	struct value all = said[FACT_CACHE_WRITE_TOKENS];
	if (is_said(facts, FACT_CACHE_WRITE_TOKENS) &&
		!__builtin_add_overflow(
			all.integer, said[FACT_CACHE_WRITE_5M_TOKENS].integer, &all.integer) &&
		!__builtin_add_overflow(
			all.integer, said[FACT_CACHE_WRITE_1H_TOKENS].integer, &all.integer))
		facts->said[FACT_CACHE_WRITE_TOKENS] = all;
}

/* Where nothing else counts the tokens, what Langfuse is to show is what there is to price. */
static void read_usage_details(const struct span *span, struct arena *arena, struct facts *facts)
{
	json_t *details = attribute_object(&span->attributes, "langfuse.observation.usage_details");
	if (!details)
		return;
	bool is_openai = is_openai_shape(details);
	facts_read_members(facts, details, is_openai ? inclusive_words : disjoint_words, arena);
	facts->input_counting = is_openai ? COUNTING_INCLUSIVE : COUNTING_DISJOINT;
	facts->output_counting = facts->input_counting;
	add_up_writes(facts);
	json_decref(details);
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	bool is_call = facts->kind == KIND_LLM || facts->kind == KIND_EMBEDDING;
	if (is_call && facts->present[TARGET_USAGE_DETAILS] && !is_said(facts, FACT_INPUT_TOKENS) &&
		!is_said(facts, FACT_OUTPUT_TOKENS))
		read_usage_details(span, arena, facts);
}

const struct vocabulary vocabulary_langfuse = {
	.name = "langfuse",
	.words = words,
	.kind = kind,
	.complete = complete,
};
