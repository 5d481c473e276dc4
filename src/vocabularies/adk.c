/* Google's Agent Development Kit: what it adds to the GenAI names. */
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "gcp.vertex.agent.session_id", FACT_SESSION },
	{ "gen_ai.usage.experimental.reasoning_tokens", FACT_REASONING_TOKENS },
	{ "gcp.vertex.agent.llm_request", FACT_PROMPT },
	{ "gcp.vertex.agent.data", FACT_PROMPT },
	{ "gcp.vertex.agent.llm_response", FACT_COMPLETION },
	{ "gcp.vertex.agent.tool_call_args", FACT_TOOL_ARGUMENTS },
	{ "gcp.vertex.agent.tool_response", FACT_TOOL_RESULT },
	{ 0 },
};

/* It writes {} where it has no content to show. */
static void unsay_nothing(
	const struct span *span, const char *name, struct facts *facts, enum fact fact)
{
	struct value *said = &facts->said[fact];
	if (said->type != VALUE_STRING || !bytes_are(said->bytes, "{}"))
		return;
	const struct attribute *sent = attribute_find(&span->attributes, name);
	if (sent && sent->value.type == VALUE_STRING && sent->value.bytes.at == said->bytes.at)
		*said = (struct value){ 0 };
}

/*
 * Up to 2.2 counts are Gemini's: output without thoughts, and the cache in the answer alone. Later ones name
 * their reasoning as GenAI does, and count so.
 */
static void read_usage(const struct span *span, struct arena *arena, struct facts *facts)
{
	static const struct word usage_words[] = {
		{ "usage_metadata.cached_content_token_count", FACT_CACHE_READ_TOKENS },
		{ "usage_metadata.thoughts_token_count", FACT_REASONING_TOKENS },
		{ 0 },
	};
	json_t *answer = attribute_object(&span->attributes, "gcp.vertex.agent.llm_response");
	facts_read_members(facts, answer, usage_words, arena);
	json_decref(answer);
	if (is_said(facts, FACT_REASONING_TOKENS) && !facts->present[TARGET_USAGE_REASONING])
		facts->output_counting = COUNTING_EXCLUSIVE;
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	unsay_nothing(span, "gcp.vertex.agent.llm_request", facts, FACT_PROMPT);
	unsay_nothing(span, "gcp.vertex.agent.llm_response", facts, FACT_COMPLETION);
	struct value *provider = &facts->said[FACT_PROVIDER];
	if (provider->type != VALUE_STRING || !bytes_are(provider->bytes, "gcp.vertex.agent"))
		return;
	/* The kit's own name: whose model it is, the model's tells. */
	*provider = (struct value){ 0 };
	read_usage(span, arena, facts);
}

const struct vocabulary vocabulary_adk = {
	.name = "adk",
	.words = words,
	.complete = complete,
};
