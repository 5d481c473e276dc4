/*
 * What instrumentations call things, and what a span says in those words.
 *
 * A vocabulary is a list of attribute names, each with the fact that it states; the table's order (and
 * within a vocabulary the list's) decides which of several statements counts. Enrichment reads facts and
 * never a sender's attribute name; what it writes are targets, whose presence is noted in the same
 * look-up. Source of names and order: facts of the mapping, rules R1 to R11.
 */
#ifndef TG_VOCABULARIES_VOCABULARY_H
#define TG_VOCABULARIES_VOCABULARY_H

#include "otlp/span.h"

/* The instrumentation scope of spans that Tollgate makes of coding sessions; vocabularies/tollgate.c reads them. */
#define SESSION_SCOPE "tollgate.sessions"

/* OpenInference span kinds. */
enum kind {
	KIND_NONE, /* not an AI span */
	KIND_LLM,
	KIND_EMBEDDING,
	KIND_CHAIN,
	KIND_RETRIEVER,
	KIND_TOOL,
	KIND_AGENT,
	KIND_RERANKER,
	KIND_GUARDRAIL,
	KIND_EVALUATOR,
	KIND_PROMPT,
	KIND_UNKNOWN,
	KIND_COUNT,
};
/* "LLM"; empty for KIND_NONE. The reverse ignores letter case. */
struct bytes kind_name(enum kind kind);
enum kind kind_named(struct bytes name);

enum fact {
	FACT_NONE,
	FACT_KIND, /* openinference.span.kind; read by kind_said */
	FACT_OPERATION,
	FACT_SESSION,
	FACT_USER,
	FACT_TAGS,
	FACT_ENVIRONMENT,
	FACT_RELEASE,
	FACT_VERSION,
	FACT_TRACE_NAME,
	FACT_SPAN_NAME,    /* a better one than the span's own */
	FACT_SERVICE_NAME, /* of resources, as the next */
	FACT_SERVICE_VERSION,
	FACT_REQUEST_MODEL,
	FACT_RESPONSE_MODEL,
	FACT_SHOWN_MODEL,
	FACT_EMBEDDING_MODEL,
	FACT_RERANKER_MODEL,
	FACT_PROVIDER,
	FACT_LLM_PROVIDER, /* OpenInference's pair, who hosts it and whose it is */
	FACT_LLM_SYSTEM,
	FACT_SERVICE_TIER, /* asked for or, better, billed; a fast mode too */
	FACT_REGION,       /* as price tables name it: "inference_geo=us", "data_residency=eu" */
	FACT_INPUT_TOKENS,
	FACT_OUTPUT_TOKENS,
	FACT_CACHE_READ_TOKENS,
	FACT_CACHE_WRITE_TOKENS, /* of any life: the next two are parts of it */
	FACT_CACHE_WRITE_5M_TOKENS,
	FACT_CACHE_WRITE_1H_TOKENS,
	FACT_REASONING_TOKENS,
	FACT_AUDIO_INPUT_TOKENS,
	FACT_AUDIO_CACHE_READ_TOKENS,
	FACT_AUDIO_OUTPUT_TOKENS,
	FACT_IMAGE_INPUT_TOKENS,
	FACT_IMAGE_OUTPUT_TOKENS,
	FACT_TOOL_INPUT_TOKENS, /* beside the input: what tools brought to the prompt (Gemini) */
	FACT_TOTAL_TOKENS,
	FACT_WEB_SEARCHES, /* what is paid by the piece; up to GROUNDED_PROMPTS */
	FACT_FILE_SEARCHES,
	FACT_GROUNDED_PROMPTS,
	FACT_COST_INPUT,
	FACT_COST_OUTPUT,
	FACT_COST_TOTAL,
	FACT_AGENT_NAME,
	FACT_AGENT_ID,
	FACT_RETRIEVAL,
	FACT_INPUT, /* already in a form that backends show */
	FACT_OUTPUT,
	FACT_INPUT_MESSAGES, /* GenAI message JSON */
	FACT_OUTPUT_MESSAGES,
	FACT_SYSTEM_INSTRUCTIONS,
	FACT_TEXT_PROMPT, /* of a completion of plain text, the API before chat */
	FACT_PROMPT,      /* content in a form of its own */
	FACT_COMPLETION,
	FACT_TOOL_NAME,
	FACT_TOOL_CALL_ID,
	FACT_TOOL_DESCRIPTION,
	FACT_TOOL_ARGUMENTS,
	FACT_TOOL_RESULT,
	FACT_TOOL_DEFINITIONS,
	FACT_FINISH_REASON,
	FACT_TEMPERATURE,
	FACT_TOP_P,
	FACT_TOP_K,
	FACT_PRESENCE_PENALTY,
	FACT_FREQUENCY_PENALTY,
	FACT_SEED,
	FACT_STOP_SEQUENCES,
	FACT_MAX_TOKENS,
	FACT_FIRST_TOKEN_MS,
	FACT_FIRST_TOKEN_SECONDS,
	FACT_SUCCESS,
	FACT_LEVEL_NUMBER, /* an OpenTelemetry severity number */
	FACT_ERROR_MESSAGE,
	FACT_ERROR_TYPE,
	FACT_PROMPT_NAME, /* of a managed prompt */
	FACT_PROMPT_VERSION,
	FACT_PROMPT_TEMPLATE,
	FACT_PROMPT_VARIABLES,
	FACT_PARAMETERS,       /* of the call, all of them as one JSON object */
	FACT_LISTS,            /* that there are some, which came as one attribute per leaf */
	FACT_VERCEL_OPERATION, /* "ai.generateText.doGenerate", for that vocabulary alone */
	FACT_TRACELOOP_KIND,   /* what sort of step, also for one alone; to MCP_METHOD */
	FACT_REQUEST_TYPE,
	FACT_MLFLOW_TYPE,
	FACT_MCP_METHOD,
	FACT_ENTITY_NAME,    /* of a workflow, task, agent or tool */
	FACT_INDEXED_PROMPT, /* the first leaf of messages that came as one attribute per leaf */
	FACT_INDEXED_COMPLETION,
	FACT_COUNT,
};

/* The attributes that Tollgate writes. */
enum target {
	TARGET_NONE,
	TARGET_SPAN_KIND,
	TARGET_OBSERVATION_TYPE,
	TARGET_SESSION_ID,
	TARGET_LANGFUSE_SESSION_ID,
	TARGET_CONVERSATION_ID,
	TARGET_USER_ID,
	TARGET_LANGFUSE_USER_ID,
	TARGET_TRACE_TAGS,
	TARGET_TAG_TAGS,
	TARGET_ENVIRONMENT,
	TARGET_RELEASE,
	TARGET_VERSION,
	TARGET_TRACE_NAME,
	TARGET_OBSERVATION_NAME,
	TARGET_OPERATION_NAME,
	TARGET_LLM_MODEL_NAME,
	TARGET_EMBEDDING_MODEL_NAME,
	TARGET_RERANKER_MODEL_NAME,
	TARGET_OBSERVATION_MODEL_NAME,
	TARGET_REQUEST_MODEL,
	TARGET_RESPONSE_MODEL,
	TARGET_PROVIDER_NAME,
	TARGET_GEN_AI_SYSTEM,
	TARGET_LLM_PROVIDER,
	TARGET_LLM_SYSTEM,
	TARGET_TOKENS_PROMPT,
	TARGET_TOKENS_COMPLETION,
	TARGET_TOKENS_TOTAL,
	TARGET_TOKENS_CACHE_READ,
	TARGET_TOKENS_CACHE_WRITE,
	TARGET_TOKENS_REASONING,
	TARGET_TOKENS_AUDIO_INPUT,
	TARGET_TOKENS_AUDIO_OUTPUT,
	TARGET_USAGE_INPUT,
	TARGET_USAGE_OUTPUT,
	TARGET_USAGE_CACHE_READ,
	TARGET_USAGE_CACHE_CREATION,
	TARGET_USAGE_REASONING,
	TARGET_USAGE_DETAILS,
	TARGET_USAGE_CONVENTION,
	TARGET_COST_PROMPT,
	TARGET_COST_COMPLETION,
	TARGET_COST_TOTAL,
	TARGET_COST_DETAILS,
	TARGET_COST_SOURCE,
	TARGET_COST_STATUS,
	TARGET_COST_SENDER,
	TARGET_COST_DIFFERENCE,
	TARGET_AGENT_NAME,
	TARGET_GEN_AI_AGENT_NAME,
	TARGET_INPUT_VALUE,
	TARGET_INPUT_MIME_TYPE,
	TARGET_OUTPUT_VALUE,
	TARGET_OUTPUT_MIME_TYPE,
	TARGET_TOOL_NAME,
	TARGET_GEN_AI_TOOL_NAME,
	TARGET_TOOL_ID,
	TARGET_GEN_AI_TOOL_CALL_ID,
	TARGET_TOOL_DESCRIPTION,
	TARGET_TOOL_PARAMETERS,
	TARGET_INVOCATION_PARAMETERS,
	TARGET_FINISH_REASON,
	TARGET_LEVEL,
	TARGET_STATUS_MESSAGE,
	TARGET_COMPLETION_START_TIME,
	TARGET_PROMPT_NAME,
	TARGET_PROMPT_VERSION,
	TARGET_PROMPT_TEMPLATE,
	TARGET_PROMPT_VARIABLES,
	TARGET_COUNT,
};
struct bytes target_name(enum target target);

/* Whether a count contains its parts: cached tokens in input, reasoning in output. */
enum counting {
	COUNTING_UNSAID,
	COUNTING_INCLUSIVE,
	COUNTING_EXCLUSIVE, /* but audio and images, which are kinds of the same tokens, are in it */
	COUNTING_DISJOINT,  /* nor those */
};

struct facts {
	enum kind kind;
	enum counting input_counting, output_counting; /* where the vocabulary knows */
	struct value
		said[FACT_COUNT];  /* VALUE_NONE: not said, or empty, or not of the fact's type */
	uint16_t rank[FACT_COUNT]; /* the word that said it: its vocabulary's index, then its own */
	uint8_t vocabulary;        /* index of the one that the kind is from */
	struct attribute *present[TARGET_COUNT]; /* the last of its name; NULL when absent */
};

struct word {
	const char *name;
	enum fact fact;
};

/* Where a span stands. */
struct surroundings {
	struct scope scope;
	const struct facts *resource; /* facts of its resource's attributes */
};

struct vocabulary {
	const char *name;

	/* Whether bare names ("model", "input_tokens") are to be read in this sense. NULL: always. */
	bool (*speaks)(const struct span *span, const struct surroundings *around);
	const struct word *words; /* by preference, up to one without a name */
	bool texts_are_quoted;    /* a text is sent as JSON, in quotes of its own */

	/* What kind of span it is by this vocabulary's own rule, else KIND_NONE. May be NULL. */
	enum kind (*kind)(const struct span *span, const struct facts *facts);

	/* What no single attribute says: sets facts that are still unsaid. May be NULL. */
	void (*complete)(const struct span *span, struct arena *arena, struct facts *facts);
};

/* The table, in order of preference; ends with NULL. */
extern const struct vocabulary *const vocabularies[];
enum { VOCABULARIES_MAX = 32 };

/* How many spans each vocabulary, by its index, made AI spans since the start. From any thread. */
void vocabularies_count(const uint32_t spans[VOCABULARIES_MAX]);
uint64_t vocabulary_spans(unsigned vocabulary);

/* Reads what a span says. Values point into the span's bytes or into the arena. */
void facts_read(const struct span *span, const struct surroundings *around, struct arena *arena,
	struct facts *facts);

/* Reads what the attributes of a resource say. */
void facts_read_resource(const struct attributes *attributes, struct facts *facts);

/*
 * What the buffer holds becomes what is said, moved to the arena; nothing when it is empty or failed. The
 * buffer is done afterwards.
 */
void facts_say(struct facts *facts, enum fact fact, struct buf *text, struct arena *arena);

/* Says what is still unsaid, if the value is fit for it; what it points to has to live as long as the facts. */
void facts_say_value(struct facts *facts, enum fact fact, const struct value *value);

/* Whether a text says no more than that there was one; facts of content take it for nothing by themselves. */
bool is_redacted(const struct value *content);

/* The kind by OpenInference's own attribute in any letter case, else KIND_NONE. */
enum kind kind_said(const struct facts *facts);

/* Any attribute of the span whose name starts like this. */
bool span_has_prefix(const struct span *span, const char *prefix);

/* What an attribute of this name holds, by what enrichment takes it for and the list of content_names.h. */
enum holding { HOLDS_UNSAID, HOLDS_FACTS, HOLDS_CONTENT };
enum holding name_holding(struct bytes name);

static inline bool is_said(const struct facts *facts, enum fact fact)
{
	return facts->said[fact].type != VALUE_NONE;
}

/* The first of two that is said; VALUE_NONE when neither is. */
static inline const struct value *said_first(
	const struct facts *facts, enum fact first, enum fact second)
{
	return &facts->said[is_said(facts, first) ? first : second];
}

#endif
