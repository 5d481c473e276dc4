/*
 * What kind of span it is, which model and provider, which managed prompt, how it ended: R1, R4 to
 * R6, R9, R11 and R12 of the mapping.
 */
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "base/json_skim.h"
#include "enrich/subject.h"

/* Langfuse has no type for two of them, and would guess generation. */
static const struct bytes observation_types[KIND_COUNT] = {
	[KIND_LLM] = BYTES("generation"),
	[KIND_EMBEDDING] = BYTES("embedding"),
	[KIND_CHAIN] = BYTES("chain"),
	[KIND_RETRIEVER] = BYTES("retriever"),
	[KIND_TOOL] = BYTES("tool"),
	[KIND_AGENT] = BYTES("agent"),
	[KIND_RERANKER] = BYTES("span"),
	[KIND_GUARDRAIL] = BYTES("guardrail"),
	[KIND_EVALUATOR] = BYTES("evaluator"),
	[KIND_PROMPT] = BYTES("span"),
};

const struct bytes operation_names[KIND_COUNT] = {
	[KIND_LLM] = BYTES("chat"),
	[KIND_EMBEDDING] = BYTES("embeddings"),
	[KIND_RETRIEVER] = BYTES("retrieval"),
	[KIND_TOOL] = BYTES("execute_tool"),
	[KIND_AGENT] = BYTES("invoke_agent"),
};

static void add_kind(struct subject *subject)
{
	enum kind kind = subject->facts.kind;
	const struct attribute *sent = subject->facts.present[TARGET_SPAN_KIND];
	struct bytes name = kind_name(kind);
	add_text(subject, TARGET_SPAN_KIND, name);

	/* Readers know the upper-case names alone; "llm" is the same word. */
	if (sent && sent->value.type == VALUE_STRING && kind_named(sent->value.bytes) == kind &&
		!bytes_equal(sent->value.bytes, name))
		replace_value(subject, SPLICE_BOTH, sent, name);
	add_text(subject, TARGET_OBSERVATION_TYPE, observation_types[kind]);
}

/* Langfuse drops usage and cost of what says invoke_agent, so what has usage of its own must not. */
static void add_operation(struct subject *subject)
{
	const struct facts *facts = &subject->facts;
	const struct attribute *sent = facts->present[TARGET_OPERATION_NAME];
	bool has_usage = is_said(facts, FACT_INPUT_TOKENS) || is_said(facts, FACT_OUTPUT_TOKENS) ||
		!is_open(subject, TARGET_USAGE_DETAILS) || !is_open(subject, TARGET_COST_DETAILS);
	if (!is_open(subject, TARGET_OPERATION_NAME)) {
		subject->operation = text_of(subject, &sent->value);
	} else if (facts->kind != KIND_AGENT || !has_usage) {
		struct bytes said = fact_text(subject, FACT_OPERATION);
		bool fits = said.len && !(is_model_call(subject) && loses_usage(said));
		subject->operation = fits ? said : operation_names[facts->kind];
		add_text(subject, TARGET_OPERATION_NAME, subject->operation);
	}
}

/* Where OpenInference names the model of each kind: as a fact that was sent, and as a target. */
static const struct {
	enum fact fact;
	enum target target;
} model_names[KIND_COUNT] = {
	[KIND_LLM] = { FACT_NONE, TARGET_LLM_MODEL_NAME }, /* FACT_SHOWN_MODEL, which wins */
	[KIND_EMBEDDING] = { FACT_EMBEDDING_MODEL, TARGET_EMBEDDING_MODEL_NAME },
	[KIND_RERANKER] = { FACT_RERANKER_MODEL, TARGET_RERANKER_MODEL_NAME },
};

/* A wrapper's model is shown on the call that it wraps: Langfuse would price it here as well. */
static void add_model(struct subject *subject)
{
	const struct facts *facts = &subject->facts;
	struct bytes request = fact_text(subject, FACT_REQUEST_MODEL);
	struct bytes response = fact_text(subject, FACT_RESPONSE_MODEL);
	struct bytes shown = fact_text(subject, FACT_SHOWN_MODEL);
	/* Under the kind's own name may stand any of them. */
	struct bytes named = fact_text(subject, model_names[facts->kind].fact);
	if (!request.len && !bytes_equal(named, response) && !bytes_equal(named, shown))
		request = named;
	if (!shown.len)
		shown = response.len ? response : request;
	subject->model = shown;
	if (subject->is_wrapper)
		return;

	add_text(subject, model_names[facts->kind].target, shown);
	if (facts->kind != KIND_RERANKER)
		add_text(subject, TARGET_OBSERVATION_MODEL_NAME, shown);
	else if (is_tokenized(shown))
		return;
	add_text(subject, TARGET_REQUEST_MODEL, request.len || response.len ? request : shown);
	add_text(subject, TARGET_RESPONSE_MODEL, response);
}

/* One provider under the three names that readers use for it. */
struct provider {
	struct bytes sent; /* gen_ai.provider.name or gen_ai.system, also of older conventions */
	struct bytes name; /* gen_ai.provider.name today */
	struct bytes llm_provider;
	struct bytes llm_system; /* empty: by the model */
};

/* The first of several with the same pair is what the pair means. */
static const struct provider providers[] = {
	{ BYTES("anthropic"), BYTES("anthropic"), BYTES("anthropic"), BYTES("anthropic") },
	{ BYTES("openai"), BYTES("openai"), BYTES("openai"), BYTES("openai") },
	{ BYTES("azure.ai.openai"), BYTES("azure.ai.openai"), BYTES("azure"), BYTES("openai") },
	{ BYTES("az.ai.openai"), BYTES("azure.ai.openai"), BYTES("azure"), BYTES("openai") },
	{ BYTES("azure.ai.inference"), BYTES("azure.ai.inference"), BYTES("azure"), { 0 } },
	{ BYTES("az.ai.inference"), BYTES("azure.ai.inference"), BYTES("azure"), { 0 } },
	{ BYTES("aws.bedrock"), BYTES("aws.bedrock"), BYTES("aws"), { 0 } },
	{ BYTES("gcp.gen_ai"), BYTES("gcp.gen_ai"), BYTES("google"), BYTES("google") },
	{ BYTES("gcp.vertex_ai"), BYTES("gcp.vertex_ai"), BYTES("google"), BYTES("vertexai") },
	{ BYTES("vertex_ai"), BYTES("gcp.vertex_ai"), BYTES("google"), BYTES("vertexai") },
	{ BYTES("gcp.gemini"), BYTES("gcp.gemini"), BYTES("google"), BYTES("google") },
	{ BYTES("gemini"), BYTES("gcp.gemini"), BYTES("google"), BYTES("google") },
	{ BYTES("x_ai"), BYTES("x_ai"), BYTES("xai"), BYTES("xai") },
	{ BYTES("xai"), BYTES("x_ai"), BYTES("xai"), BYTES("xai") },
	{ BYTES("mistral_ai"), BYTES("mistral_ai"), BYTES("mistralai"), BYTES("mistralai") },
	{ BYTES("moonshot_ai"), BYTES("moonshot_ai"), BYTES("moonshot"), BYTES("moonshot") },
	{ BYTES("groq"), BYTES("groq"), BYTES("groq"), { 0 } },
};

/* Whose model a name is; where it begins, or what it contains. */
static const struct {
	const char *word;
	bool anywhere;
	const char *provider; /* gen_ai.provider.name */
	const char *system;   /* llm.system on clouds that host many */
} models[] = {
	{ "claude", true, "anthropic", "anthropic" },
	{ "gpt-", false, "openai", "openai" },
	{ "o1", false, "openai", "openai" },
	{ "o3", false, "openai", "openai" },
	{ "o4", false, "openai", "openai" },
	{ "o5", false, "openai", "openai" },
	{ "chatgpt", false, "openai", "openai" },
	{ "text-embedding-", false, "openai", "openai" },
	{ "codex", false, "openai", "openai" },
	{ "gemini", false, "gcp.gen_ai", "google" },
	{ "mistral", true, "mistral_ai", "mistralai" },
	{ "mixtral", true, "mistral_ai", "mistralai" },
	{ "deepseek", true, "deepseek", "deepseek" },
	{ "grok", false, "x_ai", "xai" },
	{ "command-", false, "cohere", "cohere" },
	{ "llama", true, NULL, "meta" },
	{ "meta.", true, NULL, "meta" },
	{ "cohere.", true, NULL, "cohere" },
	{ "ai21", true, NULL, "ai21" },
	{ "nova", true, NULL, "amazon" },
	{ "titan", true, NULL, "amazon" },
	{ "amazon.", true, NULL, "amazon" },
};

static int model_index(struct bytes model)
{
	if (!model.len)
		return -1;
	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		const char *word = models[i].word;
		if (bytes_start_with(model, word) ||
			(models[i].anywhere && memmem(model.at, model.len, word, strlen(word))))
			return (int)i;
	}
	return -1;
}

/*
 * OpenInference's pair as one name. A pair that is in no row goes by its provider, a system without one by
 * itself; what no row knows stays as it is.
 */
static struct bytes provider_of_pair(struct bytes llm_provider, struct bytes llm_system)
{
	struct bytes said = llm_provider.len ? llm_provider : llm_system;
	const struct provider *near = NULL;
	for (size_t i = 0; said.len && i < sizeof providers / sizeof *providers; i++) {
		const struct provider *row = &providers[i];
		if (!bytes_equal(said, llm_provider.len ? row->llm_provider : row->llm_system))
			continue;
		if (!row->llm_system.len || bytes_equal(llm_system, row->llm_system))
			return row->name;
		if (!near)
			near = row;
	}
	return near ? near->name : said;
}

/* As the span says it, or as the model's name gives it away; empty when neither does. */
static struct bytes provider_name(struct subject *subject)
{
	struct bytes name = fact_text(subject, FACT_PROVIDER);
	if (!name.len)
		name = provider_of_pair(
			fact_text(subject, FACT_LLM_PROVIDER), fact_text(subject, FACT_LLM_SYSTEM));
	int guess = name.len ? -1 : model_index(subject->model);
	return guess >= 0 && models[guess].provider ? bytes_of(models[guess].provider) : name;
}

/* Whose model it is: the provider's own, or on a cloud that hosts many what the model's name says. */
static struct bytes system_of(const struct provider *provider, struct bytes model)
{
	if (provider->llm_system.len)
		return provider->llm_system;
	int index = model_index(model);
	if (index >= 0)
		return bytes_of(models[index].system);
	return bytes_of(bytes_are(provider->name, "aws.bedrock") ? "amazon" : "");
}

static void add_provider(struct subject *subject)
{
	struct bytes name = provider_name(subject);
	if (!name.len)
		return;
	struct bytes llm_provider = name, llm_system = name;
	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
		if (!bytes_equal(name, providers[i].sent))
			continue;
		llm_provider = providers[i].llm_provider;
		llm_system = system_of(&providers[i], subject->model);
		name = providers[i].name;
		break;
	}
	subject->provider = name;
	add_text(subject, TARGET_PROVIDER_NAME, name);
	add_text(subject, TARGET_GEN_AI_SYSTEM, name);
	if (subject->facts.kind == KIND_LLM) {
		add_text(subject, TARGET_LLM_PROVIDER, llm_provider);
		add_text(subject, TARGET_LLM_SYSTEM, llm_system);
	}
}

static bool says_failure(const struct value *success)
{
	return (success->type == VALUE_BOOL && !success->integer) ||
		(success->type == VALUE_STRING && bytes_are(success->bytes, "false"));
}

/* Langfuse's SDKs write a level and leave the span's status alone. */
static bool says_error(const struct attribute *level)
{
	return level && level->value.type == VALUE_STRING && bytes_are(level->value.bytes, "ERROR");
}

static struct bytes exception_message(struct subject *subject)
{
	for (size_t i = 0; i < subject->span->event_count; i++) {
		struct attributes attributes = { 0 };
		if (!bytes_are(subject->span->events[i].name, "exception") ||
			span_event_attributes(
				&subject->span->events[i], subject->arena, &attributes) < 0)
			continue;
		for (size_t a = 0; a < attributes.count; a++)
			if (bytes_are(attributes.at[a].key, "exception.message"))
				return text_of(subject, &attributes.at[a].value);
	}
	return (struct bytes){ 0 };
}

/* Severity numbers of OpenTelemetry: 1 to 8 trace and debug, 9 info, 13 warning, 17 and above error. */
enum { SEVERITY_INFO = 9, SEVERITY_WARNING = 13, SEVERITY_ERROR = 17 };

/* Langfuse does not look into exception events, so their text is brought to where it does. */
static void add_level(struct subject *subject)
{
	const struct facts *facts = &subject->facts;
	int64_t severity = SEVERITY_INFO;
	if (is_said(facts, FACT_LEVEL_NUMBER))
		severity = facts->said[FACT_LEVEL_NUMBER].integer;
	subject->is_error = subject->span->status_code == STATUS_CODE_ERROR ||
		is_said(facts, FACT_ERROR_TYPE) || says_failure(&facts->said[FACT_SUCCESS]) ||
		says_error(facts->present[TARGET_LEVEL]) || severity >= SEVERITY_ERROR;
	if (subject->is_error)
		add_text(subject, TARGET_LEVEL, bytes_of("ERROR"));
	else if (severity >= SEVERITY_WARNING)
		add_text(subject, TARGET_LEVEL, bytes_of("WARNING"));
	else if (severity < SEVERITY_INFO)
		add_text(subject, TARGET_LEVEL, bytes_of("DEBUG"));
	if (!subject->is_error || !is_open(subject, TARGET_STATUS_MESSAGE))
		return;
	struct bytes why = subject->span->status_message;
	if (!why.len)
		why = exception_message(subject);
	if (!why.len)
		why = text_of(subject, said_first(facts, FACT_ERROR_MESSAGE, FACT_ERROR_TYPE));
	add_text(subject, TARGET_STATUS_MESSAGE, why);
}

/* The first reason of a list, of JSON text that is one, or the reason itself. */
static void add_finish_reason(struct subject *subject)
{
	const struct value *said = &subject->facts.said[FACT_FINISH_REASON];
	struct bytes reason = { 0 };
	if (said->type == VALUE_ARRAY) {
		struct wire list = wire_of(said->bytes);
		struct value first;
		if (value_next_item(&list, &first))
			reason = text_of(subject, &first);
	} else {
		reason = text_of(subject, said);
		const uint8_t *end = NULL;
		if (bytes_start_with(reason, "[\""))
			end = memchr(reason.at + 2, '"', reason.len - 2);
		if (end)
			reason = (struct bytes){ reason.at + 2, (size_t)(end - reason.at - 2) };
	}
	add_text(subject, TARGET_FINISH_REASON, reason);
}

static void add_parameters(struct subject *subject)
{
	static const struct {
		enum fact fact;
		const char *name;
	} parameters[] = {
		{ FACT_TEMPERATURE, "temperature" },
		{ FACT_TOP_P, "top_p" },
		{ FACT_TOP_K, "top_k" },
		{ FACT_PRESENCE_PENALTY, "presence_penalty" },
		{ FACT_FREQUENCY_PENALTY, "frequency_penalty" },
		{ FACT_SEED, "seed" },
		{ FACT_STOP_SEQUENCES, "stop_sequences" },
		{ FACT_MAX_TOKENS, "max_tokens" },
	};
	struct buf *json = subject->scratch;
	struct bytes model = text_of(
		subject, said_first(&subject->facts, FACT_REQUEST_MODEL, FACT_RESPONSE_MODEL));
	if (!is_open(subject, TARGET_INVOCATION_PARAMETERS))
		return;
	struct bytes sent = fact_text(subject, FACT_PARAMETERS);
	if (json_text_is_object(sent)) {
		add_text(subject, TARGET_INVOCATION_PARAMETERS, sent);
		return;
	}
	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
		if (!is_said(&subject->facts, parameters[i].fact))
			continue;
		if (json->len == 0) {
			buf_text(json, "{\"model\":");
			buf_json_string(json, model);
		}
		buf_text(json, ",\"");
		buf_text(json, parameters[i].name);
		buf_text(json, "\":");
		buf_value_json(json, &subject->facts.said[parameters[i].fact]);
	}
	if (json->len == 0)
		return;
	buf_text(json, "}");
	add_scratch(subject, TARGET_INVOCATION_PARAMETERS);
}

/* When the first token came: ISO 8601 with T and Z, the one form that all of Langfuse's paths take. */
static void add_first_token_time(struct subject *subject)
{
	const struct facts *facts = &subject->facts;
	const struct value *seconds = &facts->said[FACT_FIRST_TOKEN_SECONDS];
	uint64_t after_ns = 0;
	if (is_said(facts, FACT_FIRST_TOKEN_MS) &&
		facts->said[FACT_FIRST_TOKEN_MS].integer < INT64_C(1) << 40)
		after_ns = (uint64_t)facts->said[FACT_FIRST_TOKEN_MS].integer * 1000000;
	else if (seconds->type == VALUE_DOUBLE && seconds->number >= 0 && seconds->number < 1e9)
		after_ns = (uint64_t)(seconds->number * 1e9);
	else
		return;
	if (subject->span->start_ns == 0 || subject->span->start_ns > INT64_MAX)
		return;
	uint64_t at_ns = subject->span->start_ns + after_ns;
	time_t at = (time_t)(at_ns / 1000000000);
	struct tm utc;
	char text[64];
	if (!gmtime_r(&at, &utc))
		return;
	size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	len += (size_t)snprintf(
		text + len, sizeof text - len, ".%03uZ", (unsigned)(at_ns / 1000000 % 1000));
	add_text(subject, TARGET_COMPLETION_START_TIME, (struct bytes){ (uint8_t *)text, len });
}

/*
 * Langfuse loses the whole observation where one of name and version stands alone, 0 being none. So an id
 * per prompt under the prompt's name, which Gemini CLI writes, is never taken for one.
 */
static void add_prompt(struct subject *subject)
{
	const struct value *name = &subject->facts.said[FACT_PROMPT_NAME];
	int64_t version = subject->facts.said[FACT_PROMPT_VERSION].integer;
	if (name->type == VALUE_STRING && version > 0) {
		add_text(subject, TARGET_PROMPT_NAME, name->bytes);
		add_int(subject, TARGET_PROMPT_VERSION, (uint64_t)version);
	}
	add_text(subject, TARGET_PROMPT_TEMPLATE, fact_text(subject, FACT_PROMPT_TEMPLATE));
	add_text(subject, TARGET_PROMPT_VARIABLES, fact_text(subject, FACT_PROMPT_VARIABLES));
}

void enrich_conventions(struct subject *subject)
{
	enum kind kind = subject->facts.kind;
	if (kind == KIND_NONE)
		return;
	add_kind(subject);
	add_operation(subject);
	add_level(subject);
	if (is_model_call(subject) || subject->is_wrapper || kind == KIND_RERANKER) {
		add_model(subject);
		add_provider(subject);
	}
	if (kind == KIND_LLM) {
		add_finish_reason(subject);
		add_parameters(subject);
		add_first_token_time(subject);
		add_prompt(subject);
	}
	struct bytes agent = fact_text(subject, FACT_AGENT_NAME);
	add_text(subject, TARGET_AGENT_NAME, agent);
	if (kind == KIND_AGENT)
		add_text(subject, TARGET_GEN_AI_AGENT_NAME, agent);
}
