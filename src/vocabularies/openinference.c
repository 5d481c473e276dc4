/* OpenInference: the names that Phoenix, Arize and most Python instrumentations of theirs write. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ "openinference.span.kind", FACT_KIND },
	{ "session.id", FACT_SESSION },
	{ "user.id", FACT_USER },
	{ "tag.tags", FACT_TAGS },
	{ "llm.model_name", FACT_SHOWN_MODEL },
	{ "embedding.model_name", FACT_EMBEDDING_MODEL },
	{ "reranker.model_name", FACT_RERANKER_MODEL },
	{ "llm.provider", FACT_LLM_PROVIDER },
	{ "llm.system", FACT_LLM_SYSTEM },
	{ "llm.token_count.prompt", FACT_INPUT_TOKENS },
	{ "llm.token_count.completion", FACT_OUTPUT_TOKENS },
	{ "llm.token_count.prompt_details.cache_read", FACT_CACHE_READ_TOKENS },
	{ "llm.token_count.prompt_details.cache_write", FACT_CACHE_WRITE_TOKENS },
	{ "llm.token_count.completion_details.reasoning", FACT_REASONING_TOKENS },
	{ "llm.token_count.total", FACT_TOTAL_TOKENS },
	{ "llm.cost.prompt", FACT_COST_INPUT },
	{ "llm.cost.completion", FACT_COST_OUTPUT },
	{ "llm.cost.total", FACT_COST_TOTAL },
	{ "agent.name", FACT_AGENT_NAME },
	{ "input.value", FACT_INPUT },
	{ "output.value", FACT_OUTPUT },
	{ "tool.name", FACT_TOOL_NAME },
	{ "tool.id", FACT_TOOL_CALL_ID },
	{ "tool_call.id", FACT_TOOL_CALL_ID },
	{ "tool.description", FACT_TOOL_DESCRIPTION },
	{ "llm.finish_reason", FACT_FINISH_REASON },
	{ 0 },
};

/* An unknown value stays as it was sent, and other rules go on. */
static enum kind kind(const struct span *span, const struct facts *facts)
{
	const struct attribute *sent = facts->present[TARGET_SPAN_KIND];
	return sent && sent->value.type == VALUE_STRING ? kind_named(sent->value.bytes) : KIND_NONE;
}

const struct vocabulary vocabulary_openinference = {
	.name = "openinference",
	.words = words,
	.kind = kind,
};
