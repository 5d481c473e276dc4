/*
 * Vercel's AI SDK: the ai.* names of v4 to v6; v7 writes the names of GenAI. From v6 on counts
 * contain their parts; before, they are what each provider's API says.
 */
#include "vocabularies/counting.h"
#include "vocabularies/reading.h"

#define INCLUSIVE COUNTING_INCLUSIVE
#define EXCLUSIVE COUNTING_EXCLUSIVE

static const struct word words[] = {
	{ "ai.operationId", FACT_VERCEL_OPERATION },
	{ "operation.name", FACT_VERCEL_OPERATION },
	{ "ai.telemetry.metadata.sessionId", FACT_SESSION },
	{ "ai.telemetry.metadata.userId", FACT_USER },
	{ "ai.telemetry.metadata.tags", FACT_TAGS },
	{ "ai.model.id", FACT_REQUEST_MODEL },
	{ "ai.response.model", FACT_RESPONSE_MODEL },
	{ "ai.model.provider", FACT_PROVIDER },
	{ "ai.usage.inputTokens", FACT_INPUT_TOKENS },
	{ "ai.usage.promptTokens", FACT_INPUT_TOKENS },
	{ "ai.usage.tokens", FACT_INPUT_TOKENS },
	{ "ai.usage.outputTokens", FACT_OUTPUT_TOKENS },
	{ "ai.usage.completionTokens", FACT_OUTPUT_TOKENS },
	{ "ai.usage.inputTokenDetails.cacheReadTokens", FACT_CACHE_READ_TOKENS },
	{ "ai.usage.cachedInputTokens", FACT_CACHE_READ_TOKENS },
	{ "ai.usage.inputTokenDetails.cacheWriteTokens", FACT_CACHE_WRITE_TOKENS },
	{ "ai.usage.outputTokenDetails.reasoningTokens", FACT_REASONING_TOKENS },
	{ "ai.usage.reasoningTokens", FACT_REASONING_TOKENS },
	{ "ai.usage.totalTokens", FACT_TOTAL_TOKENS },
	{ "ai.prompt.messages", FACT_INPUT_MESSAGES },
	{ "ai.prompt", FACT_PROMPT },
	{ "ai.value", FACT_PROMPT },
	{ "ai.values", FACT_PROMPT },
	{ "ai.documents", FACT_PROMPT },
	{ "ai.prompt.tools", FACT_TOOL_DEFINITIONS },
	{ "ai.response.text", FACT_COMPLETION },
	{ "ai.response.object", FACT_COMPLETION },
	{ "ai.response.toolCalls", FACT_COMPLETION },
	{ "ai.response.finishReason", FACT_FINISH_REASON },
	{ "ai.response.msToFirstChunk", FACT_FIRST_TOKEN_MS },
	{ "ai.stream.msToFirstChunk", FACT_FIRST_TOKEN_MS },
	{ "ai.toolCall.name", FACT_TOOL_NAME },
	{ "ai.toolCall.id", FACT_TOOL_CALL_ID },
	{ "ai.toolCall.args", FACT_TOOL_ARGUMENTS },
	{ "ai.toolCall.result", FACT_TOOL_RESULT },
	{ "ai.settings.temperature", FACT_TEMPERATURE },
	{ "ai.settings.topP", FACT_TOP_P },
	{ "ai.settings.topK", FACT_TOP_K },
	{ "ai.settings.presencePenalty", FACT_PRESENCE_PENALTY },
	{ "ai.settings.frequencyPenalty", FACT_FREQUENCY_PENALTY },
	{ "ai.settings.seed", FACT_SEED },
	{ "ai.settings.stopSequences", FACT_STOP_SEQUENCES },
	{ "ai.settings.maxOutputTokens", FACT_MAX_TOKENS },
	{ "ai.settings.maxTokens", FACT_MAX_TOKENS },
	{ 0 },
};

/* The first word: operation.name goes on with the function's. Empty on spans of others. */
static struct bytes own_operation(const struct facts *facts)
{
	const struct value *said = &facts->said[FACT_VERCEL_OPERATION];
	if (said->type != VALUE_STRING || !bytes_start_with(said->bytes, "ai."))
		return (struct bytes){ 0 };
	const uint8_t *blank = memchr(said->bytes.at, ' ', said->bytes.len);
	return (struct bytes){ said->bytes.at,
		blank ? (size_t)(blank - said->bytes.at) : said->bytes.len };
}

static enum kind kind(const struct span *span, const struct facts *facts)
{
	static const struct {
		const char *step; /* the operation's last */
		enum kind kind;
	} kinds[] = {
		{ ".doGenerate", KIND_LLM },
		{ ".doStream", KIND_LLM },
		{ ".doEmbed", KIND_EMBEDDING },
		{ ".doRerank", KIND_RERANKER },
		{ ".toolCall", KIND_TOOL },
		{ ".generateText", KIND_AGENT },
		{ ".streamText", KIND_AGENT },
		{ ".generateObject", KIND_AGENT },
		{ ".streamObject", KIND_AGENT },
		{ ".embed", KIND_CHAIN },
		{ ".embedMany", KIND_CHAIN },
		{ ".rerank", KIND_CHAIN },
	};
	struct bytes operation = own_operation(facts);
	const uint8_t *dot = operation.len ? memrchr(operation.at, '.', operation.len) : NULL;
	struct bytes step = { dot, dot ? (size_t)(bytes_end(operation) - dot) : 0 };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (bytes_are(step, kinds[i].step))
			return kinds[i].kind;
	return KIND_NONE;
}

/* As Langfuse builds it: "function:operation", or the tool's own. */
static void read_names(
	const struct span *span, struct bytes operation, struct arena *arena, struct facts *facts)
{
	const struct attribute *sent = attribute_find(&span->attributes, "ai.telemetry.functionId");
	struct bytes function = { 0 };
	if (sent && sent->value.type == VALUE_STRING)
		function = sent->value.bytes;
	if (facts->kind == KIND_AGENT && function.len)
		facts_say_value(facts, FACT_AGENT_NAME, &sent->value);
	if (facts->kind == KIND_TOOL)
		facts_say_value(facts, FACT_SPAN_NAME, &facts->said[FACT_TOOL_NAME]);
	if (is_said(facts, FACT_SPAN_NAME))
		return;
	struct buf name;
	buf_init(&name, arena->limit_bytes, arena->budget);
	buf_append(&name, function.at, function.len);
	buf_text(&name, function.len ? ":" : "");
	buf_append(&name, operation.at, operation.len);
	facts_say(facts, FACT_SPAN_NAME, &name, arena);
}

/* Providers by how their names begin ("openai.chat"), and how their tokens were counted before v6. */
static const struct provider {
	const char *prefix;
	struct bytes name;
	struct countings countings;
} providers[] = {
	{ "anthropic", BYTES("anthropic"), { EXCLUSIVE, INCLUSIVE } },
	{ "vertex.anthropic", BYTES("gcp.vertex_ai"), { EXCLUSIVE, INCLUSIVE } },
	{ "google.vertex.anthropic", BYTES("gcp.vertex_ai"), { EXCLUSIVE, INCLUSIVE } },
	{ "googleVertex.anthropic", BYTES("gcp.vertex_ai"), { EXCLUSIVE, INCLUSIVE } },
	{ "amazon-bedrock", BYTES("aws.bedrock"), { EXCLUSIVE, INCLUSIVE } },
	{ "bedrock", BYTES("aws.bedrock"), { EXCLUSIVE, INCLUSIVE } },
	{ "openai", BYTES("openai"), { INCLUSIVE, INCLUSIVE } },
	{ "azure-openai", BYTES("azure.ai.openai"), { INCLUSIVE, INCLUSIVE } },
	{ "azure", BYTES("azure.ai.inference"), { INCLUSIVE, INCLUSIVE } },
	{ "google.vertex", BYTES("gcp.vertex_ai"), { INCLUSIVE, EXCLUSIVE } },
	{ "google-vertex", BYTES("gcp.vertex_ai"), { INCLUSIVE, EXCLUSIVE } },
	{ "google", BYTES("gcp.gemini"), { INCLUSIVE, EXCLUSIVE } },
	{ "mistral", BYTES("mistral_ai"), { INCLUSIVE, INCLUSIVE } },
	{ "cohere", BYTES("cohere"), { INCLUSIVE, INCLUSIVE } },
	{ "groq", BYTES("groq"), { INCLUSIVE, INCLUSIVE } },
	{ "deepseek", BYTES("deepseek"), { INCLUSIVE, INCLUSIVE } },
	{ "perplexity", BYTES("perplexity"), { INCLUSIVE, INCLUSIVE } },
	{ "xai", BYTES("x_ai"), { INCLUSIVE, EXCLUSIVE } },
};

/* The SDK's own name of it stands in gen_ai.system too. */
static const struct provider *read_provider(struct facts *facts)
{
	struct value *said = &facts->said[FACT_PROVIDER];
	if (said->type != VALUE_STRING)
		return NULL;
	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
		size_t len = strlen(providers[i].prefix);
		if (!bytes_start_with(said->bytes, providers[i].prefix) ||
			(said->bytes.len > len && said->bytes.at[len] != '.'))
			continue;
		said->bytes = providers[i].name;
		return &providers[i];
	}
	return NULL;
}

/* What the SDK hands through of the provider's own answer, beside or instead of counts of its own. */
static const struct word metadata_words[] = {
	{ "anthropic.usage.cache_read_input_tokens", FACT_CACHE_READ_TOKENS },
	{ "anthropic.cacheReadInputTokens", FACT_CACHE_READ_TOKENS },
	{ "anthropic.usage.cache_creation_input_tokens", FACT_CACHE_WRITE_TOKENS },
	{ "anthropic.cacheCreationInputTokens", FACT_CACHE_WRITE_TOKENS },
	{ "anthropic.usage.cache_creation.ephemeral_5m_input_tokens", FACT_CACHE_WRITE_5M_TOKENS },
	{ "anthropic.usage.cache_creation.ephemeral_1h_input_tokens", FACT_CACHE_WRITE_1H_TOKENS },
	{ "anthropic.usage.server_tool_use.web_search_requests", FACT_WEB_SEARCHES },
	{ "bedrock.usage.cacheReadInputTokens", FACT_CACHE_READ_TOKENS },
	{ "bedrock.usage.cacheWriteInputTokens", FACT_CACHE_WRITE_TOKENS },
	{ "openai.cachedPromptTokens", FACT_CACHE_READ_TOKENS },
	{ "openai.reasoningTokens", FACT_REASONING_TOKENS },
	{ "openai.serviceTier", FACT_SERVICE_TIER },
	{ 0 },
};

/*
 * Details, which came with v6, tell that their whole contains them; of Claude also the API's own count beside
 * the SDK's.
 */
static void read_counting(const struct span *span, const struct provider *provider,
	const json_t *metadata, struct facts *facts)
{
	const json_t *raw = member_at(metadata, "anthropic.usage.input_tokens");
	struct countings countings = { 0 };
	if (provider)
		countings = provider->countings;
	if (json_is_integer(raw))
		countings.input =
			json_integer_value(raw) == facts->said[FACT_INPUT_TOKENS].integer ?
			EXCLUSIVE :
			INCLUSIVE;
	if (span_has_prefix(span, "ai.usage.inputTokenDetails."))
		countings.input = INCLUSIVE;
	if (span_has_prefix(span, "ai.usage.outputTokenDetails."))
		countings.output = INCLUSIVE;
	facts->input_counting = countings.input;
	facts->output_counting = countings.output;
}

static void read_call(const struct span *span, const struct provider *provider, struct arena *arena,
	struct facts *facts)
{
	static const struct word prompt_words[] = { { "name", FACT_PROMPT_NAME },
		{ "version", FACT_PROMPT_VERSION }, { 0 } };
	json_t *metadata = attribute_object(&span->attributes, "ai.response.providerMetadata");
	json_t *prompt =
		attribute_object(&span->attributes, "ai.telemetry.metadata.langfusePrompt");
	facts_read_members(facts, metadata, metadata_words, arena);
	facts_read_tier(facts, member_at(metadata, "anthropic.usage"), arena);
	facts_read_members(facts, prompt, prompt_words, arena);
	read_counting(span, provider, metadata, facts);
	json_decref(prompt);
	json_decref(metadata);
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	struct bytes operation = own_operation(facts);
	if (!operation.len)
		return;
	read_names(span, operation, arena, facts);
	const struct provider *provider = read_provider(facts);
	if (facts->kind == KIND_LLM)
		read_call(span, provider, arena, facts);
}

const struct vocabulary vocabulary_vercel = {
	.name = "vercel",
	.words = words,
	.kind = kind,
	.complete = complete,
};
