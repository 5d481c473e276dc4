/*
 * One span while it is being enriched, as the enrichers share it: what it says, what was concluded from
 * that so far, and how to add to it.
 */
#ifndef TG_ENRICH_SUBJECT_H
#define TG_ENRICH_SUBJECT_H

#include "config/config.h"
#include "enrich/identity.h"
#include "otlp/splice.h"
#include "otlp/writer.h"
#include "pricing/price.h"
#include "vocabularies/vocabulary.h"

struct subject {
	const struct config *config;
	const struct prices *prices;
	struct arena *arena;
	struct splice *splice;
	struct writer *writer;
	struct buf *scratch; /* empty when an enricher begins */

	struct span *span;
	struct facts facts;
	bool is_wrapper; /* of a model call that is a span of its own */
	const struct surroundings *around;
	const struct facts *resource;
	const struct identity *of_resource;
	struct roots *roots; /* of the request's traces */
	uint32_t *lacking;   /* spans, from COUNTER_LACKING_SESSION on */
	struct bytes tail;   /* written, to stand at the span's end; not yet an edit */

	/* Concluded by conventions.c for those after it. */
	bool is_error;
	struct bytes model;     /* the one shown and priced; empty when none */
	struct bytes provider;  /* gen_ai.provider.name; empty when unknown */
	struct bytes operation; /* gen_ai.operation.name as it leaves; empty when it has none */

	/* Concluded by usage.c. */
	bool has_input, has_output;
	bool writes_of_unknown_age; /* cache writes that the sender does not split by lifetime */
	struct usage usage;
};

/* An enricher looks at every span, in the order of the table in enrich.c. */
typedef void enricher(struct subject *subject);
enricher enrich_conventions, enrich_identity, enrich_usage, enrich_cost, enrich_content,
	enrich_messages, enrich_for_langfuse;

/*
 * What Langfuse makes of a span by itself. Of such operations it drops model, usage and cost; to a span with
 * such a model, but without usage and cost, it gives those that it counts from the text.
 */
bool loses_usage(struct bytes operation);
bool is_tokenized(struct bytes model);

/* gen_ai.operation.name of a span that says none; empty where GenAI has no word. */
extern const struct bytes operation_names[KIND_COUNT];

/* One that usage and cost belong to. */
static inline bool is_model_call(const struct subject *subject)
{
	return (subject->facts.kind == KIND_LLM || subject->facts.kind == KIND_EMBEDDING) &&
		!subject->is_wrapper;
}

/* Whether it is a tool's span that is named after what the tool did, as those of coding sessions are. */
bool is_tool_with_name(const struct subject *subject);

/* The buckets of Langfuse's usage_details and cost_details, in the order in which they are written. */
enum detail {
	DETAIL_INPUT,
	DETAIL_OUTPUT,
	DETAIL_CACHE_READ,
	DETAIL_CACHE_WRITE, /* of any life */
	DETAIL_CACHE_WRITE_5M,
	DETAIL_CACHE_WRITE_1H,
	DETAIL_AUDIO_INPUT,
	DETAIL_REASONING,
	DETAIL_AUDIO_OUTPUT,
	DETAIL_COUNT,
};
/* Keys that Langfuse's own price list has for the providers whose tokens are in them. */
extern const char *const detail_names[DETAIL_COUNT];

/* Where tokens of a class are shown: those that Langfuse has no price for are with those of their side. */
enum detail detail_of(const struct subject *subject, enum token_class class);

/* Whether the target may be written: it is absent or empty. */
bool is_open(const struct subject *subject, enum target target);

/* Each adds when the target is open, and does nothing otherwise; so does add_text with an empty text. */
void add_text(struct subject *subject, enum target target, struct bytes text);
void add_int(struct subject *subject, enum target target, uint64_t number);
void add_double(struct subject *subject, enum target target, double number);
/* add_text of what `scratch` holds, which is empty afterwards. */
void add_scratch(struct subject *subject, enum target target);
void add_texts(
	struct subject *subject, enum target target, const struct bytes *texts, size_t count);

/* An attribute under a name that is made up on the way; the caller knows that it is absent. */
void add_named(struct subject *subject, struct bytes name, struct bytes text);

/* Puts `text` in the place of an attribute's value, in both copies or in Langfuse's alone. */
void replace_value(struct subject *subject, enum splice_variant variant,
	const struct attribute *attribute, struct bytes text);

/* What was written at the end becomes an edit; the last thing done to a span. */
void subject_finish(struct subject *subject);

/*
 * The value as text: of a string itself, of anything else its JSON (in the arena). Empty when not said.
 */
struct bytes text_of(struct subject *subject, const struct value *value);
struct bytes fact_text(struct subject *subject, enum fact fact);

/* What `scratch` holds, moved to the arena; scratch is empty again. */
struct bytes take_scratch(struct subject *subject);

#endif
