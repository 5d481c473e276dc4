#include "vocabularies/vocabulary.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>

#include "vocabularies/content_names.h"
#include "vocabularies/counting.h"

extern const struct vocabulary vocabulary_langfuse, vocabulary_openinference,
	vocabulary_opentelemetry, vocabulary_claude_code, vocabulary_gen_ai, vocabulary_vercel,
	vocabulary_openllmetry, vocabulary_langfuse_metadata, vocabulary_litellm, vocabulary_mlflow,
	vocabulary_mcp, vocabulary_pydantic_ai, vocabulary_logfire, vocabulary_adk,
	vocabulary_gemini_cli, vocabulary_codex, vocabulary_tollgate;

/*
 * Words for kinds decide this order (R1), and then those for users and sessions (R2, R3): general names
 * before frameworks', what was handed to Langfuse as metadata before what platforms add of their own.
 */
const struct vocabulary *const vocabularies[] = {
	&vocabulary_langfuse,
	&vocabulary_openinference,
	&vocabulary_opentelemetry,
	&vocabulary_claude_code,
	&vocabulary_gen_ai,
	&vocabulary_openllmetry,
	&vocabulary_langfuse_metadata,
	&vocabulary_litellm,
	&vocabulary_mlflow,
	&vocabulary_vercel,
	&vocabulary_mcp,
	&vocabulary_pydantic_ai,
	&vocabulary_logfire,
	&vocabulary_adk,
	&vocabulary_gemini_cli,
	&vocabulary_codex,
	&vocabulary_tollgate,
	NULL,
};

static const struct bytes kind_names[KIND_COUNT] = {
	[KIND_LLM] = BYTES("LLM"),
	[KIND_EMBEDDING] = BYTES("EMBEDDING"),
	[KIND_CHAIN] = BYTES("CHAIN"),
	[KIND_RETRIEVER] = BYTES("RETRIEVER"),
	[KIND_TOOL] = BYTES("TOOL"),
	[KIND_AGENT] = BYTES("AGENT"),
	[KIND_RERANKER] = BYTES("RERANKER"),
	[KIND_GUARDRAIL] = BYTES("GUARDRAIL"),
	[KIND_EVALUATOR] = BYTES("EVALUATOR"),
	[KIND_PROMPT] = BYTES("PROMPT"),
	[KIND_UNKNOWN] = BYTES("UNKNOWN"),
};

static const struct bytes targets[TARGET_COUNT] = {
	[TARGET_SPAN_KIND] = BYTES("openinference.span.kind"),
	[TARGET_OBSERVATION_TYPE] = BYTES("langfuse.observation.type"),
	[TARGET_SESSION_ID] = BYTES("session.id"),
	[TARGET_LANGFUSE_SESSION_ID] = BYTES("langfuse.session.id"),
	[TARGET_CONVERSATION_ID] = BYTES("gen_ai.conversation.id"),
	[TARGET_USER_ID] = BYTES("user.id"),
	[TARGET_LANGFUSE_USER_ID] = BYTES("langfuse.user.id"),
	[TARGET_TRACE_TAGS] = BYTES("langfuse.trace.tags"),
	[TARGET_TAG_TAGS] = BYTES("tag.tags"),
	[TARGET_ENVIRONMENT] = BYTES("langfuse.environment"),
	[TARGET_RELEASE] = BYTES("langfuse.release"),
	[TARGET_VERSION] = BYTES("langfuse.version"),
	[TARGET_TRACE_NAME] = BYTES("langfuse.trace.name"),
	[TARGET_OBSERVATION_NAME] = BYTES("langfuse.observation.name"),
	[TARGET_OPERATION_NAME] = BYTES("gen_ai.operation.name"),
	[TARGET_LLM_MODEL_NAME] = BYTES("llm.model_name"),
	[TARGET_EMBEDDING_MODEL_NAME] = BYTES("embedding.model_name"),
	[TARGET_RERANKER_MODEL_NAME] = BYTES("reranker.model_name"),
	[TARGET_OBSERVATION_MODEL_NAME] = BYTES("langfuse.observation.model.name"),
	[TARGET_REQUEST_MODEL] = BYTES("gen_ai.request.model"),
	[TARGET_RESPONSE_MODEL] = BYTES("gen_ai.response.model"),
	[TARGET_PROVIDER_NAME] = BYTES("gen_ai.provider.name"),
	[TARGET_GEN_AI_SYSTEM] = BYTES("gen_ai.system"),
	[TARGET_LLM_PROVIDER] = BYTES("llm.provider"),
	[TARGET_LLM_SYSTEM] = BYTES("llm.system"),
	[TARGET_TOKENS_PROMPT] = BYTES("llm.token_count.prompt"),
	[TARGET_TOKENS_COMPLETION] = BYTES("llm.token_count.completion"),
	[TARGET_TOKENS_TOTAL] = BYTES("llm.token_count.total"),
	[TARGET_TOKENS_CACHE_READ] = BYTES("llm.token_count.prompt_details.cache_read"),
	[TARGET_TOKENS_CACHE_WRITE] = BYTES("llm.token_count.prompt_details.cache_write"),
	[TARGET_TOKENS_REASONING] = BYTES("llm.token_count.completion_details.reasoning"),
	[TARGET_TOKENS_AUDIO_INPUT] = BYTES("llm.token_count.prompt_details.audio"),
	[TARGET_TOKENS_AUDIO_OUTPUT] = BYTES("llm.token_count.completion_details.audio"),
	[TARGET_USAGE_INPUT] = BYTES("gen_ai.usage.input_tokens"),
	[TARGET_USAGE_OUTPUT] = BYTES("gen_ai.usage.output_tokens"),
	[TARGET_USAGE_CACHE_READ] = BYTES("gen_ai.usage.cache_read.input_tokens"),
	[TARGET_USAGE_CACHE_CREATION] = BYTES("gen_ai.usage.cache_creation.input_tokens"),
	[TARGET_USAGE_REASONING] = BYTES("gen_ai.usage.reasoning.output_tokens"),
	[TARGET_USAGE_DETAILS] = BYTES("langfuse.observation.usage_details"),
	[TARGET_USAGE_CONVENTION] = BYTES("tollgate.usage.convention"),
	[TARGET_COST_PROMPT] = BYTES("llm.cost.prompt"),
	[TARGET_COST_COMPLETION] = BYTES("llm.cost.completion"),
	[TARGET_COST_TOTAL] = BYTES("llm.cost.total"),
	[TARGET_COST_DETAILS] = BYTES("langfuse.observation.cost_details"),
	[TARGET_COST_SOURCE] = BYTES("tollgate.cost.source"),
	[TARGET_COST_STATUS] = BYTES("tollgate.cost.status"),
	[TARGET_COST_SENDER] = BYTES("tollgate.cost.sender"),
	[TARGET_COST_DIFFERENCE] = BYTES("tollgate.cost.difference"),
	[TARGET_AGENT_NAME] = BYTES("agent.name"),
	[TARGET_GEN_AI_AGENT_NAME] = BYTES("gen_ai.agent.name"),
	[TARGET_INPUT_VALUE] = BYTES("input.value"),
	[TARGET_INPUT_MIME_TYPE] = BYTES("input.mime_type"),
	[TARGET_OUTPUT_VALUE] = BYTES("output.value"),
	[TARGET_OUTPUT_MIME_TYPE] = BYTES("output.mime_type"),
	[TARGET_TOOL_NAME] = BYTES("tool.name"),
	[TARGET_GEN_AI_TOOL_NAME] = BYTES("gen_ai.tool.name"),
	[TARGET_TOOL_ID] = BYTES("tool.id"),
	[TARGET_GEN_AI_TOOL_CALL_ID] = BYTES("gen_ai.tool.call.id"),
	[TARGET_TOOL_DESCRIPTION] = BYTES("tool.description"),
	[TARGET_TOOL_PARAMETERS] = BYTES("tool.parameters"),
	[TARGET_INVOCATION_PARAMETERS] = BYTES("llm.invocation_parameters"),
	[TARGET_FINISH_REASON] = BYTES("llm.finish_reason"),
	[TARGET_LEVEL] = BYTES("langfuse.observation.level"),
	[TARGET_STATUS_MESSAGE] = BYTES("langfuse.observation.status_message"),
	[TARGET_COMPLETION_START_TIME] = BYTES("langfuse.observation.completion_start_time"),
	[TARGET_PROMPT_NAME] = BYTES("langfuse.observation.prompt.name"),
	[TARGET_PROMPT_VERSION] = BYTES("langfuse.observation.prompt.version"),
	[TARGET_PROMPT_TEMPLATE] = BYTES("llm.prompt_template.template"),
	[TARGET_PROMPT_VARIABLES] = BYTES("llm.prompt_template.variables"),
};

struct bytes kind_name(enum kind kind)
{
	return kind_names[kind];
}

enum kind kind_named(struct bytes name)
{
	for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
		struct bytes known = kind_names[kind];
		if (known.len == name.len &&
			strncasecmp((const char *)known.at, (const char *)name.at, name.len) == 0)
			return kind;
	}
	return KIND_NONE;
}

struct bytes target_name(enum target target)
{
	return targets[target];
}

enum fact_type { TEXT, CONTENT, COUNT, MONEY };

static enum fact_type type_of(enum fact fact)
{
	if ((fact >= FACT_INPUT_TOKENS && fact <= FACT_GROUNDED_PROMPTS) ||
		fact == FACT_FIRST_TOKEN_MS || fact == FACT_LEVEL_NUMBER ||
		fact == FACT_PROMPT_VERSION)
		return COUNT;
	if (fact >= FACT_COST_INPUT && fact <= FACT_COST_TOTAL)
		return MONEY;
	if ((fact >= FACT_INPUT && fact <= FACT_COMPLETION) || fact == FACT_TOOL_ARGUMENTS ||
		fact == FACT_TOOL_RESULT)
		return CONTENT;
	return TEXT;
}

/* Every name that is a word, a target or both, found by one look-up. Filled once, then constant. */
struct entry {
	struct bytes name;
	enum fact fact;
	enum fact_type type;
	enum target target;
	uint16_t rank; /* vocabulary * MAX_WORDS + place in its list */
	bool is_content;
	bool is_quoted;
};

enum { INDEX_SIZE = 1024, LONGEST_NAME = 64, MAX_WORDS = 256 };
static struct entry names[INDEX_SIZE];
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

/* Attribute names share their beginnings and differ at the end: that, and the length, is what counts. */
static unsigned slot_of(struct bytes name)
{
	uint64_t tail = 0;
	if (name.len >= 8)
		memcpy(&tail, name.at + name.len - 8, 8);
	else if (name.len)
		memcpy(&tail, name.at, name.len);
	uint64_t mixed = (tail ^ (uint64_t)name.len << 56 ^ (uint64_t)name.at[name.len / 2] << 40) *
		UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(mixed >> 54) % INDEX_SIZE;
}

static struct entry *look_up(struct bytes name)
{
	unsigned slot = slot_of(name);
	while (names[slot].name.len && !bytes_equal(names[slot].name, name))
		slot = (slot + 1) % INDEX_SIZE;
	return &names[slot];
}

static void fill_index(void)
{
	for (unsigned v = 0; vocabularies[v]; v++) {
		assert(v < VOCABULARIES_MAX);
		for (unsigned w = 0; vocabularies[v]->words[w].name; w++) {
			const struct word *word = &vocabularies[v]->words[w];
			struct bytes name = bytes_of(word->name);
			struct entry *entry = look_up(name);
			assert(entry->fact == FACT_NONE && name.len <= LONGEST_NAME);
			assert(w < MAX_WORDS);
			*entry = (struct entry){ .name = name,
				.fact = word->fact,
				.type = type_of(word->fact),
				.rank = (uint16_t)(v * MAX_WORDS + w),
				.is_quoted = vocabularies[v]->texts_are_quoted };
		}
	}
	for (enum target target = TARGET_NONE + 1; target < TARGET_COUNT; target++) {
		struct entry *entry = look_up(targets[target]);
		entry->name = targets[target];
		entry->target = target;
	}
	for (const char *const *name = content_names; *name; name++) {
		struct entry *entry = look_up(bytes_of(*name));
		assert(strlen(*name) <= LONGEST_NAME);
		entry->name = bytes_of(*name);
		entry->is_content = true;
	}
}

bool is_redacted(const struct value *content)
{
	return content->type == VALUE_STRING &&
		(bytes_are(content->bytes, "<REDACTED>") || bytes_are(content->bytes, "REDACTED") ||
			bytes_are(content->bytes, "__REDACTED__"));
}

/* A finite amount that is not negative, as a number or as its text. */
static bool is_money(const struct value *value)
{
	if (value->type == VALUE_DOUBLE)
		return value->number >= 0 && value->number < 1e15;
	if (value->type == VALUE_INT)
		return value->integer >= 0;
	if (value->type != VALUE_STRING || value->bytes.len > 40)
		return false;
	bool digit = false;
	for (size_t i = 0; i < value->bytes.len; i++) {
		uint8_t byte = value->bytes.at[i];
		digit |= byte >= '0' && byte <= '9';
		if (!memchr("0123456789.eE+-", byte, 15) || (i == 0 && byte == '-'))
			return false;
	}
	return digit;
}

static bool is_usable(enum fact_type type, const struct value *value, struct value *ret)
{
	uint64_t count;
	if (value_is_empty(value) || value->type == VALUE_UNKNOWN)
		return false;
	*ret = *value;
	switch (type) {
	case COUNT:
		if (!value_count(value, &count) || count > INT64_MAX)
			return false;
		*ret = (struct value){ .type = VALUE_INT, .integer = (int64_t)count };
		return true;
	case MONEY:
		return is_money(value);
	case CONTENT:
		return !is_redacted(value);
	default:
		return true;
	}
}

/* A text that has escapes keeps its quotes: to take them off it would have to be written anew. */
static struct value unquoted(struct value value)
{
	struct bytes text = value.bytes;
	if (value.type == VALUE_STRING && text.len >= 2 && text.at[0] == '"' &&
		text.at[text.len - 1] == '"' && !memchr(text.at, '\\', text.len))
		value.bytes = (struct bytes){ text.at + 1, text.len - 2 };
	return value;
}

static void read_attribute(struct attribute *attribute, uint32_t speaking, struct facts *facts)
{
	if (attribute->key.len == 0 || attribute->key.len > LONGEST_NAME)
		return;
	const struct entry *entry = look_up(attribute->key);
	enum fact fact = entry->fact;
	facts->present[entry->target] = attribute;
	if (fact == FACT_NONE || !(speaking >> entry->rank / MAX_WORDS & 1) ||
		(is_said(facts, fact) && entry->rank > facts->rank[fact]))
		return;
	struct value sent = entry->is_quoted ? unquoted(attribute->value) : attribute->value;
	if (!is_usable(entry->type, &sent, &sent))
		return;
	facts->said[fact] = sent;
	facts->rank[fact] = entry->rank;
}

/* R1's last rule: what a span carries tells what it is. */
static void find_kind_by_presence(struct facts *facts)
{
	static const struct {
		enum fact fact;
		enum kind kind;
	} signs[] = {
		{ FACT_TOOL_NAME, KIND_TOOL },
		{ FACT_TOOL_CALL_ID, KIND_TOOL },
		{ FACT_EMBEDDING_MODEL, KIND_EMBEDDING },
		{ FACT_RETRIEVAL, KIND_RETRIEVER },
		{ FACT_REQUEST_MODEL, KIND_LLM },
		{ FACT_RESPONSE_MODEL, KIND_LLM },
		{ FACT_SHOWN_MODEL, KIND_LLM },
		{ FACT_AGENT_NAME, KIND_AGENT },
		{ FACT_AGENT_ID, KIND_AGENT },
	};
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		if (!is_said(facts, signs[i].fact))
			continue;
		facts->kind = signs[i].kind;
		facts->vocabulary = (uint8_t)(facts->rank[signs[i].fact] / MAX_WORDS);
		return;
	}
}

static void find_kind(const struct span *span, uint32_t speaking, struct facts *facts)
{
	for (unsigned v = 0; vocabularies[v]; v++) {
		if (!(speaking >> v & 1) || !vocabularies[v]->kind)
			continue;
		facts->kind = vocabularies[v]->kind(span, facts);
		facts->vocabulary = (uint8_t)v;
		if (facts->kind != KIND_NONE)
			return;
	}
	find_kind_by_presence(facts);
}

static bool is_openinferences(const struct facts *facts, enum fact fact)
{
	return is_said(facts, fact) &&
		vocabularies[facts->rank[fact] / MAX_WORDS] == &vocabulary_openinference;
}

/*
 * OpenInference's counts contain all their parts, whatever the names beside them mean: so read also those that
 * we added to a span ourselves. Otherwise the vocabulary knows, or the instrumentation's name tells.
 */
static void settle_counting(const struct surroundings *around, struct facts *facts)
{
	struct countings told = counting_by_scope(&around->scope);
	if (facts->input_counting == COUNTING_UNSAID)
		facts->input_counting = told.input;
	if (facts->output_counting == COUNTING_UNSAID)
		facts->output_counting = told.output;
	if (is_openinferences(facts, FACT_INPUT_TOKENS)) {
		facts->input_counting = COUNTING_INCLUSIVE;
		facts->said[FACT_TOOL_INPUT_TOKENS] = (struct value){ 0 };
	}
	if (is_openinferences(facts, FACT_OUTPUT_TOKENS))
		facts->output_counting = COUNTING_INCLUSIVE;
}

void facts_read(const struct span *span, const struct surroundings *around, struct arena *arena,
	struct facts *facts)
{
	pthread_once(&names_once, fill_index);
	memset(facts, 0, sizeof *facts);
	uint32_t speaking = 0;
	for (unsigned v = 0; vocabularies[v]; v++)
		if (!vocabularies[v]->speaks || vocabularies[v]->speaks(span, around))
			speaking |= UINT32_C(1) << v;
	for (size_t i = 0; i < span->attributes.count; i++)
		read_attribute(&span->attributes.at[i], speaking, facts);

	find_kind(span, speaking, facts);
	if (facts->kind == KIND_NONE)
		return;
	for (unsigned v = 0; vocabularies[v]; v++)
		if (speaking >> v & 1 && vocabularies[v]->complete)
			vocabularies[v]->complete(span, arena, facts);
	if (facts->kind == KIND_LLM || facts->kind == KIND_EMBEDDING)
		settle_counting(around, facts);
}

void facts_read_resource(const struct attributes *attributes, struct facts *facts)
{
	pthread_once(&names_once, fill_index);
	memset(facts, 0, sizeof *facts);
	for (size_t i = 0; i < attributes->count; i++)
		read_attribute(&attributes->at[i], UINT32_MAX, facts);
}

/* Facts that say no more than that something is there: what that holds, the name has to tell. */
static bool is_sign(enum fact fact)
{
	return fact == FACT_RETRIEVAL || fact == FACT_LISTS || fact == FACT_INDEXED_PROMPT ||
		fact == FACT_INDEXED_COMPLETION;
}

enum holding name_holding(struct bytes name)
{
	if (name.len == 0 || name.len > LONGEST_NAME)
		return HOLDS_UNSAID;
	pthread_once(&names_once, fill_index);
	const struct entry *entry = look_up(name);
	enum fact fact = entry->fact;
	if (entry->is_content || type_of(fact) == CONTENT || fact == FACT_TOOL_DEFINITIONS ||
		fact == FACT_PROMPT_TEMPLATE || fact == FACT_PROMPT_VARIABLES)
		return HOLDS_CONTENT;
	bool is_fact = (fact != FACT_NONE && !is_sign(fact)) || entry->target;
	return is_fact ? HOLDS_FACTS : HOLDS_UNSAID;
}

static _Atomic uint64_t spans_made[VOCABULARIES_MAX];

void vocabularies_count(const uint32_t spans[VOCABULARIES_MAX])
{
	for (unsigned v = 0; vocabularies[v]; v++)
		if (spans[v])
			atomic_fetch_add_explicit(&spans_made[v], spans[v], memory_order_relaxed);
}

uint64_t vocabulary_spans(unsigned vocabulary)
{
	return atomic_load_explicit(&spans_made[vocabulary], memory_order_relaxed);
}

void facts_say(struct facts *facts, enum fact fact, struct buf *text, struct arena *arena)
{
	if (text->len && !text->error) {
		const void *copy = arena_copy(arena, text->at, text->len);
		if (copy)
			facts->said[fact] = (struct value){ .type = VALUE_STRING,
				.bytes = { copy, text->len } };
	}
	buf_done(text);
}

void facts_say_value(struct facts *facts, enum fact fact, const struct value *value)
{
	struct value usable;
	if (!is_said(facts, fact) && is_usable(type_of(fact), value, &usable))
		facts->said[fact] = usable;
}

enum kind kind_said(const struct facts *facts)
{
	const struct value *said = &facts->said[FACT_KIND];
	return said->type == VALUE_STRING ? kind_named(said->bytes) : KIND_NONE;
}

bool span_has_prefix(const struct span *span, const char *prefix)
{
	for (size_t i = 0; i < span->attributes.count; i++)
		if (bytes_start_with(span->attributes.at[i].key, prefix))
			return true;
	return false;
}
