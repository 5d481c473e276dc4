/*
 * Tokens: whatever a vocabulary counts becomes disjoint buckets here (R7 of the mapping), and leaves in the
 * terms of each reader: OpenInference and GenAI inclusive, Langfuse disjoint.
 */
#include "enrich/subject.h"

static uint64_t count_of(const struct subject *subject, enum fact fact)
{
	return (uint64_t)subject->facts.said[fact].integer; /* 0 when not said */
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t total = a + b;
	return total > INT64_MAX ? INT64_MAX : total;
}

struct counts {
	uint64_t input, output, total;                 /* inclusive */
	uint64_t cache_read, cache_write, audio_input; /* parts of input */
	uint64_t reasoning, audio_output;              /* parts of output */
	bool has_total;
};

/*
 * Inclusive counts from what was said. An input smaller than its cached parts was counted without them; so
 * was output smaller than its reasoning. A total sent beside such a count sums other things.
 */
static struct counts read_counts(const struct subject *subject)
{
	const struct facts *facts = &subject->facts;
	struct counts counts = {
		.input = count_of(subject, FACT_INPUT_TOKENS),
		.output = count_of(subject, FACT_OUTPUT_TOKENS),
		.cache_read = count_of(subject, FACT_CACHE_READ_TOKENS),
		.cache_write = count_of(subject, FACT_CACHE_WRITE_TOKENS),
		.audio_input = count_of(subject, FACT_AUDIO_INPUT_TOKENS),
		.reasoning = count_of(subject, FACT_REASONING_TOKENS),
		.audio_output = count_of(subject, FACT_AUDIO_OUTPUT_TOKENS),
		.has_total = is_said(facts, FACT_TOTAL_TOKENS),
		.total = count_of(subject, FACT_TOTAL_TOKENS),
	};
	uint64_t cached = sum(counts.cache_read, counts.cache_write);
	if (facts->input_counting == COUNTING_EXCLUSIVE || counts.input < cached) {
		counts.input = sum(counts.input, cached);
		counts.has_total &= cached == 0;
	}
	if (counts.output < counts.reasoning) {
		counts.output = sum(counts.output, counts.reasoning);
		counts.has_total = false;
	}
	if (!counts.has_total && subject->has_input && subject->has_output) {
		counts.total = sum(counts.input, counts.output);
		counts.has_total = true;
	}
	return counts;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void conclude(struct subject *subject, const struct counts *counts)
{
	/* Langfuse has no price for reasoning of Claude models: there it stays part of output. */
	subject->splits_reasoning = counts->reasoning && !bytes_are(subject->provider, "anthropic");
	uint64_t reasoning = subject->splits_reasoning ? counts->reasoning : 0;
	uint64_t cached = least(sum(counts->cache_read, counts->cache_write), counts->input);
	uint64_t fresh = counts->input - cached, written = counts->output - reasoning;
	/* Audio beyond what is fresh was cached, and counted there. */
	uint64_t heard = least(counts->audio_input, fresh);
	uint64_t spoken = least(counts->audio_output, written);
	uint64_t *tokens = subject->usage.tokens;
	tokens[TOKENS_INPUT] = fresh - heard;
	tokens[TOKENS_CACHE_READ] = counts->cache_read;
	tokens[TOKENS_CACHE_WRITE_5M] = counts->cache_write;
	tokens[TOKENS_AUDIO_INPUT] = heard;
	tokens[TOKENS_OUTPUT] = written - spoken;
	tokens[TOKENS_REASONING] = reasoning;
	tokens[TOKENS_AUDIO_OUTPUT] = spoken;
	subject->writes_of_unknown_age = counts->cache_write > 0;
}

static void add_inclusive(struct subject *subject, const struct counts *counts)
{
	if (subject->has_input) {
		add_int(subject, TARGET_TOKENS_PROMPT, counts->input);
		add_int(subject, TARGET_USAGE_INPUT, counts->input);
	}
	if (subject->has_output) {
		add_int(subject, TARGET_TOKENS_COMPLETION, counts->output);
		add_int(subject, TARGET_USAGE_OUTPUT, counts->output);
	}
	if (counts->has_total)
		add_int(subject, TARGET_TOKENS_TOTAL, counts->total);
	if (is_said(&subject->facts, FACT_CACHE_READ_TOKENS)) {
		add_int(subject, TARGET_TOKENS_CACHE_READ, counts->cache_read);
		add_int(subject, TARGET_USAGE_CACHE_READ, counts->cache_read);
	}
	if (is_said(&subject->facts, FACT_CACHE_WRITE_TOKENS)) {
		add_int(subject, TARGET_TOKENS_CACHE_WRITE, counts->cache_write);
		add_int(subject, TARGET_USAGE_CACHE_CREATION, counts->cache_write);
	}
	if (is_said(&subject->facts, FACT_REASONING_TOKENS)) {
		add_int(subject, TARGET_TOKENS_REASONING, counts->reasoning);
		add_int(subject, TARGET_USAGE_REASONING, counts->reasoning);
	}
}

static void append_count(struct buf *json, const char *key, uint64_t count)
{
	buf_text(json, json->len == 0 ? "{\"" : ",\"");
	buf_text(json, key);
	buf_text(json, "\":");
	buf_decimal(json, (int64_t)count);
}

/* The keys that Langfuse's own price table knows for every provider. */
static void add_details(struct subject *subject, const struct counts *counts)
{
	const uint64_t *tokens = subject->usage.tokens;
	struct buf *json = subject->scratch;
	if (!is_open(subject, TARGET_USAGE_DETAILS))
		return;
	if (subject->has_input)
		append_count(json, "input", tokens[TOKENS_INPUT]);
	if (subject->has_output)
		append_count(json, "output", tokens[TOKENS_OUTPUT]);
	if (tokens[TOKENS_CACHE_READ])
		append_count(json, "input_cached_tokens", tokens[TOKENS_CACHE_READ]);
	if (tokens[TOKENS_CACHE_WRITE_5M])
		append_count(json, "input_cache_creation", tokens[TOKENS_CACHE_WRITE_5M]);
	if (tokens[TOKENS_AUDIO_INPUT])
		append_count(json, "input_audio_tokens", tokens[TOKENS_AUDIO_INPUT]);
	if (tokens[TOKENS_REASONING])
		append_count(json, "output_reasoning_tokens", tokens[TOKENS_REASONING]);
	if (tokens[TOKENS_AUDIO_OUTPUT])
		append_count(json, "output_audio_tokens", tokens[TOKENS_AUDIO_OUTPUT]);
	if (counts->has_total)
		append_count(json, "total", counts->total);
	buf_text(json, "}");
	add_scratch(subject, TARGET_USAGE_DETAILS);
}

void enrich_usage(struct subject *subject)
{
	if (!is_model_call(subject))
		return;
	subject->has_input = is_said(&subject->facts, FACT_INPUT_TOKENS);
	subject->has_output = is_said(&subject->facts, FACT_OUTPUT_TOKENS);
	if (!subject->has_input && !subject->has_output)
		return;
	struct counts counts = read_counts(subject);
	conclude(subject, &counts);
	add_inclusive(subject, &counts);
	add_details(subject, &counts);
}
