/*
 * Tokens: whatever a vocabulary counts becomes disjoint buckets here (R7 of the mapping), and leaves in the
 * terms of each reader: OpenInference and GenAI inclusive, Langfuse disjoint.
 *
 * Counts can be read in several ways, because a part (cached tokens, reasoning) stands in its whole with one
 * sender and beside it with the next. Ways that cannot be are struck out, then those that do not agree with
 * what is known, in the order of its weight: what the vocabulary and the instrumentation say of themselves,
 * the sent total, the API's habit. Where more than one is left the conventions' is taken and the span says
 * "assumed"; where what is known excludes all, parts stand beside their whole, so that none is priced too low,
 * and the span says "contradictory". No count is ever cut to fit.
 */
#include "base/counters.h"
#include "base/names.h"
#include "enrich/subject.h"
#include "vocabularies/counting.h"

typedef unsigned __int128 wide; /* sums of counts up to 2^63 */

static uint64_t count_of(const struct subject *subject, enum fact fact)
{
	return (uint64_t)subject->facts.said[fact].integer; /* 0 when not said */
}

static uint64_t bounded(wide sum)
{
	return sum > INT64_MAX ? INT64_MAX : (uint64_t)sum;
}

static void say(struct subject *subject, enum fact fact, wide count)
{
	subject->facts.said[fact] =
		(struct value){ .type = VALUE_INT, .integer = (int64_t)bounded(count) };
}

/* ---- what the counts say by themselves ---- */

/* What follows from them whichever way they are read. */
static void complete_counts(struct subject *subject)
{
	struct facts *facts = &subject->facts;
	bool has_lives = is_said(facts, FACT_CACHE_WRITE_5M_TOKENS) ||
		is_said(facts, FACT_CACHE_WRITE_1H_TOKENS);
	if (has_lives && !is_said(facts, FACT_CACHE_WRITE_TOKENS))
		say(subject, FACT_CACHE_WRITE_TOKENS,
			(wide)count_of(subject, FACT_CACHE_WRITE_5M_TOKENS) +
				count_of(subject, FACT_CACHE_WRITE_1H_TOKENS));
	if (facts->input_counting == COUNTING_DISJOINT && is_said(facts, FACT_INPUT_TOKENS))
		say(subject, FACT_INPUT_TOKENS,
			(wide)count_of(subject, FACT_INPUT_TOKENS) +
				count_of(subject, FACT_AUDIO_INPUT_TOKENS) +
				count_of(subject, FACT_IMAGE_INPUT_TOKENS));
	if (facts->output_counting == COUNTING_DISJOINT && is_said(facts, FACT_OUTPUT_TOKENS))
		say(subject, FACT_OUTPUT_TOKENS,
			(wide)count_of(subject, FACT_OUTPUT_TOKENS) +
				count_of(subject, FACT_AUDIO_OUTPUT_TOKENS) +
				count_of(subject, FACT_IMAGE_OUTPUT_TOKENS));
	if (facts->kind == KIND_EMBEDDING && !is_said(facts, FACT_INPUT_TOKENS))
		facts->said[FACT_INPUT_TOKENS] = facts->said[FACT_TOTAL_TOKENS];
}

/* Where an API counts reasoning beside its output, what the total has beyond input and output is reasoning. */
static void find_reasoning(struct subject *subject, enum counting habit)
{
	enum counting output = subject->facts.output_counting;
	if (output == COUNTING_UNSAID)
		output = habit;
	wide told = (wide)count_of(subject, FACT_INPUT_TOKENS) +
		count_of(subject, FACT_TOOL_INPUT_TOKENS) + count_of(subject, FACT_OUTPUT_TOKENS);
	uint64_t total = count_of(subject, FACT_TOTAL_TOKENS);
	if (output == COUNTING_EXCLUSIVE && !is_said(&subject->facts, FACT_REASONING_TOKENS) &&
		subject->has_input && subject->has_output && total > told)
		say(subject, FACT_REASONING_TOKENS, total - told);
}

/* ---- the ways to read them ---- */

/* Numbered by what stands beside its whole instead of in it; a set of them has a bit for each. */
enum { CACHE_BESIDE = 1, REASONING_BESIDE = 2, LIVES_BESIDE = 4, READINGS = 8 };
enum { ALL_CACHE_BESIDE = 0xaa, ALL_REASONING_BESIDE = 0xcc, ALL_LIVES_BESIDE = 0xf0, ALL = 0xff };

struct readings {
	uint8_t left;
	bool is_assumed, is_contradictory;
};

/* Writes of a known life are part of all writes, unless they are more, or the total says otherwise. */
static wide writes(const struct subject *subject, unsigned reading)
{
	wide lives = (wide)count_of(subject, FACT_CACHE_WRITE_5M_TOKENS) +
		count_of(subject, FACT_CACHE_WRITE_1H_TOKENS);
	return count_of(subject, FACT_CACHE_WRITE_TOKENS) + (reading & LIVES_BESIDE ? lives : 0);
}

static wide cached(const struct subject *subject, unsigned reading)
{
	return count_of(subject, FACT_CACHE_READ_TOKENS) + writes(subject, reading);
}

static wide sum(const struct subject *subject, unsigned reading)
{
	return (wide)count_of(subject, FACT_INPUT_TOKENS) +
		count_of(subject, FACT_TOOL_INPUT_TOKENS) + count_of(subject, FACT_OUTPUT_TOKENS) +
		(reading & CACHE_BESIDE ? cached(subject, reading) : 0) +
		(reading & REASONING_BESIDE ? count_of(subject, FACT_REASONING_TOKENS) : 0);
}

/*
 * All but those in which a part is larger than its whole, and those that come to the same as another one
 * because there is no such part.
 */
static uint8_t possible_readings(const struct subject *subject)
{
	uint64_t reasoning = count_of(subject, FACT_REASONING_TOKENS);
	wide output_parts = (wide)reasoning + count_of(subject, FACT_AUDIO_OUTPUT_TOKENS) +
		count_of(subject, FACT_IMAGE_OUTPUT_TOKENS);
	wide all_writes = writes(subject, 0), lives = writes(subject, LIVES_BESIDE) - all_writes;
	uint8_t left = ALL;
	if (reasoning == 0)
		left &= ALL & ~ALL_REASONING_BESIDE;
	else if (output_parts > count_of(subject, FACT_OUTPUT_TOKENS))
		left &= ALL_REASONING_BESIDE;
	if (lives == 0 || lives == all_writes)
		left &= ALL & ~ALL_LIVES_BESIDE;
	else if (lives > all_writes)
		left &= ALL_LIVES_BESIDE;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t others = i ? ALL & ~ALL_LIVES_BESIDE : ALL_LIVES_BESIDE;
		wide part = cached(subject, i ? LIVES_BESIDE : 0);
		if (part == 0)
			left &= others | (ALL & ~ALL_CACHE_BESIDE);
		else if (part > count_of(subject, FACT_INPUT_TOKENS))
			left &= others | ALL_CACHE_BESIDE;
	}
	return left;
}

/* Keeps those of a set that are in `wanted`, when there are any. */
static bool narrow(struct readings *readings, uint8_t wanted)
{
	if (!(readings->left & wanted))
		return false;
	readings->left &= wanted;
	return true;
}

/* False when the parts do not fit into the whole that is said to contain them. */
static bool apply(struct readings *readings, enum counting counting, uint8_t beside)
{
	if (counting == COUNTING_INCLUSIVE)
		return narrow(readings, (uint8_t)~beside);
	if (counting != COUNTING_UNSAID)
		narrow(readings, beside);
	return true;
}

/*
 * A total tells the reading that it is the sum of. One that merely adds up input and output, where cached
 * tokens are known to stand beside, is a sender's sloppiness and tells nothing.
 */
static bool apply_total(struct readings *readings, const struct subject *subject)
{
	uint8_t explaining = 0, asked = readings->left | 1;
	for (unsigned reading = 0; reading < READINGS; reading++)
		if (asked >> reading & 1 &&
			sum(subject, reading) == count_of(subject, FACT_TOTAL_TOKENS))
			explaining |= (uint8_t)(1 << reading);
	return narrow(readings, explaining) || explaining & 1;
}

static bool has_both_sides(const struct subject *subject)
{
	return subject->has_input && (subject->has_output || subject->facts.kind == KIND_EMBEDDING);
}

static struct readings find_readings(const struct subject *subject, struct countings habit)
{
	const struct facts *facts = &subject->facts;
	struct readings readings = { .left = possible_readings(subject) };
	bool fits =
		!subject->has_input || apply(&readings, facts->input_counting, ALL_CACHE_BESIDE);
	fits &= !subject->has_output ||
		apply(&readings, facts->output_counting, ALL_REASONING_BESIDE);
	if (is_said(facts, FACT_TOTAL_TOKENS) && has_both_sides(subject))
		fits &= apply_total(&readings, subject);
	apply(&readings, habit.input, ALL_CACHE_BESIDE);
	apply(&readings, habit.output, ALL_REASONING_BESIDE);
	readings.is_contradictory = !fits;
	if (!fits) {
		narrow(&readings, ALL_CACHE_BESIDE);
		narrow(&readings, ALL_REASONING_BESIDE);
	}
	readings.is_assumed = fits && readings.left & (readings.left - 1);
	narrow(&readings, ALL & ~ALL_CACHE_BESIDE);
	narrow(&readings, ALL & ~ALL_REASONING_BESIDE);
	narrow(&readings, ALL & ~ALL_LIVES_BESIDE);
	return readings;
}

/* ---- buckets ---- */

/* A part that is larger than its whole stands beside it. */
static uint64_t without(uint64_t whole, uint64_t part, struct readings *readings)
{
	if (part <= whole)
		return whole - part;
	readings->is_contradictory = true;
	return whole;
}

/* What of a part comes from the cache: what it has more than is fresh, when that was read. */
static uint64_t beyond(uint64_t part, uint64_t fresh, uint64_t read)
{
	uint64_t excess = part > fresh ? part - fresh : 0;
	return excess <= read ? excess : 0;
}

static void fill_input(struct subject *subject, unsigned reading, struct readings *readings)
{
	uint64_t *tokens = subject->usage.tokens;
	uint64_t fresh = count_of(subject, FACT_INPUT_TOKENS);
	uint64_t read = count_of(subject, FACT_CACHE_READ_TOKENS);
	uint64_t audio = count_of(subject, FACT_AUDIO_INPUT_TOKENS);
	uint64_t image = count_of(subject, FACT_IMAGE_INPUT_TOKENS);
	uint64_t cached_audio = count_of(subject, FACT_AUDIO_CACHE_READ_TOKENS);
	if (!(reading & CACHE_BESIDE))
		fresh -= (uint64_t)cached(subject, reading);
	read = without(read, cached_audio, readings);
	audio = without(audio, cached_audio, readings);
	if (audio && read && !is_said(&subject->facts, FACT_AUDIO_CACHE_READ_TOKENS))
		readings->is_assumed = true; /* as little of it cached as can be */

	uint64_t more = beyond(audio, fresh, read);
	tokens[TOKENS_AUDIO_INPUT] = audio - more;
	tokens[TOKENS_CACHED_AUDIO_INPUT] = cached_audio + more;
	tokens[TOKENS_CACHE_READ] = read - more;
	fresh = without(fresh, audio - more, readings);
	image -= beyond(image, fresh, read - more);
	tokens[TOKENS_IMAGE_INPUT] = image;
	fresh = without(fresh, image, readings);
	tokens[TOKENS_INPUT] = bounded((wide)fresh + count_of(subject, FACT_TOOL_INPUT_TOKENS));
}

static void fill_writes(struct subject *subject, unsigned reading)
{
	uint64_t *tokens = subject->usage.tokens;
	uint64_t rest = count_of(subject, FACT_CACHE_WRITE_TOKENS);
	uint64_t short_lived = count_of(subject, FACT_CACHE_WRITE_5M_TOKENS);
	tokens[TOKENS_CACHE_WRITE_1H] = count_of(subject, FACT_CACHE_WRITE_1H_TOKENS);
	if (!(reading & LIVES_BESIDE))
		rest -= short_lived + tokens[TOKENS_CACHE_WRITE_1H];
	tokens[TOKENS_CACHE_WRITE_5M] = bounded((wide)short_lived + rest);
	subject->writes_of_unknown_age = rest > 0;
}

static void fill_output(struct subject *subject, unsigned reading, struct readings *readings)
{
	uint64_t *tokens = subject->usage.tokens;
	uint64_t text = count_of(subject, FACT_OUTPUT_TOKENS);
	tokens[TOKENS_REASONING] = count_of(subject, FACT_REASONING_TOKENS);
	tokens[TOKENS_AUDIO_OUTPUT] = count_of(subject, FACT_AUDIO_OUTPUT_TOKENS);
	tokens[TOKENS_IMAGE_OUTPUT] = count_of(subject, FACT_IMAGE_OUTPUT_TOKENS);
	if (!(reading & REASONING_BESIDE))
		text -= tokens[TOKENS_REASONING];
	text = without(text, tokens[TOKENS_AUDIO_OUTPUT], readings);
	tokens[TOKENS_OUTPUT] = without(text, tokens[TOKENS_IMAGE_OUTPUT], readings);
}

static void fill_units(struct subject *subject)
{
	for (enum unit unit = 0; unit < UNIT_COUNT; unit++)
		subject->usage.units[unit] = count_of(subject, FACT_WEB_SEARCHES + unit);
}

/* ---- what leaves ---- */

/* The sides as a whole, every part in it. */
struct sums {
	uint64_t input, output, total;
	bool has_total;
};

static bool is_output(enum token_class class)
{
	return class == TOKENS_OUTPUT || class == TOKENS_REASONING ||
		class == TOKENS_AUDIO_OUTPUT || class == TOKENS_IMAGE_OUTPUT;
}

/* Of one side alone a sent total is more than the buckets; of both it is their sum. */
static struct sums add_up(const struct subject *subject, struct readings *readings)
{
	wide input = 0, output = 0;
	for (enum token_class class = 0; class < TOKEN_CLASS_COUNT; class ++)
		*(is_output(class) ? &output : &input) += subject->usage.tokens[class];
	wide total = input + output;
	bool has_sent = is_said(&subject->facts, FACT_TOTAL_TOKENS);
	if (has_sent && !has_both_sides(subject)) {
		uint64_t sent = count_of(subject, FACT_TOTAL_TOKENS);
		readings->is_contradictory |= sent < total;
		total = sent < total ? total : sent;
	}
	readings->is_contradictory |= total >= INT64_MAX; /* cut, there or on the way */
	return (struct sums){
		.input = bounded(input),
		.output = bounded(output),
		.total = bounded(total),
		.has_total = has_sent || (subject->has_input && subject->has_output),
	};
}

static void add_inclusive(struct subject *subject, const struct sums *sums)
{
	const uint64_t *tokens = subject->usage.tokens;
	const struct facts *facts = &subject->facts;
	if (subject->has_input) {
		add_int(subject, TARGET_TOKENS_PROMPT, sums->input);
		add_int(subject, TARGET_USAGE_INPUT, sums->input);
	}
	if (subject->has_output) {
		add_int(subject, TARGET_TOKENS_COMPLETION, sums->output);
		add_int(subject, TARGET_USAGE_OUTPUT, sums->output);
	}
	if (sums->has_total)
		add_int(subject, TARGET_TOKENS_TOTAL, sums->total);
	if (is_said(facts, FACT_CACHE_READ_TOKENS)) {
		uint64_t read = bounded(
			(wide)tokens[TOKENS_CACHE_READ] + tokens[TOKENS_CACHED_AUDIO_INPUT]);
		add_int(subject, TARGET_TOKENS_CACHE_READ, read);
		add_int(subject, TARGET_USAGE_CACHE_READ, read);
	}
	if (is_said(facts, FACT_CACHE_WRITE_TOKENS)) {
		uint64_t written = bounded(
			(wide)tokens[TOKENS_CACHE_WRITE_5M] + tokens[TOKENS_CACHE_WRITE_1H]);
		add_int(subject, TARGET_TOKENS_CACHE_WRITE, written);
		add_int(subject, TARGET_USAGE_CACHE_CREATION, written);
	}
	if (is_said(facts, FACT_REASONING_TOKENS)) {
		add_int(subject, TARGET_TOKENS_REASONING, tokens[TOKENS_REASONING]);
		add_int(subject, TARGET_USAGE_REASONING, tokens[TOKENS_REASONING]);
	}
	if (is_said(facts, FACT_AUDIO_INPUT_TOKENS))
		add_int(subject, TARGET_TOKENS_AUDIO_INPUT,
			bounded((wide)tokens[TOKENS_AUDIO_INPUT] +
				tokens[TOKENS_CACHED_AUDIO_INPUT]));
	if (is_said(facts, FACT_AUDIO_OUTPUT_TOKENS))
		add_int(subject, TARGET_TOKENS_AUDIO_OUTPUT, tokens[TOKENS_AUDIO_OUTPUT]);
}

static bool is_claude(const struct subject *subject)
{
	struct bytes model = subject->model;
	return bytes_are(subject->provider, "anthropic") ||
		(model.len && memmem(model.at, model.len, "claude", strlen("claude")));
}

const char *const detail_names[DETAIL_COUNT] = {
	[DETAIL_INPUT] = "input",
	[DETAIL_OUTPUT] = "output",
	[DETAIL_CACHE_READ] = "input_cached_tokens",
	[DETAIL_CACHE_WRITE] = "input_cache_creation",
	[DETAIL_CACHE_WRITE_5M] = "input_cache_creation_5m",
	[DETAIL_CACHE_WRITE_1H] = "input_cache_creation_1h",
	[DETAIL_AUDIO_INPUT] = "input_audio_tokens",
	[DETAIL_REASONING] = "output_reasoning_tokens",
	[DETAIL_AUDIO_OUTPUT] = "output_audio_tokens",
};

enum detail detail_of(const struct subject *subject, enum token_class class)
{
	switch (class) {
	case TOKENS_CACHE_READ:
	case TOKENS_CACHED_AUDIO_INPUT:
		return DETAIL_CACHE_READ;
	case TOKENS_CACHE_WRITE_5M:
		return subject->writes_of_unknown_age ? DETAIL_CACHE_WRITE : DETAIL_CACHE_WRITE_5M;
	case TOKENS_CACHE_WRITE_1H:
		return DETAIL_CACHE_WRITE_1H;
	case TOKENS_AUDIO_INPUT:
		return DETAIL_AUDIO_INPUT;
	case TOKENS_REASONING:
		return is_claude(subject) ? DETAIL_OUTPUT : DETAIL_REASONING;
	case TOKENS_AUDIO_OUTPUT:
		return DETAIL_AUDIO_OUTPUT;
	default:
		return is_output(class) ? DETAIL_OUTPUT : DETAIL_INPUT;
	}
}

static void append_count(struct buf *json, const char *key, uint64_t count)
{
	buf_text(json, json->len == 0 ? "{\"" : ",\"");
	buf_text(json, key);
	buf_text(json, "\":");
	buf_decimal(json, (int64_t)count);
}

static void add_details(struct subject *subject, const struct sums *sums)
{
	struct buf *json = subject->scratch;
	wide counts[DETAIL_COUNT] = { 0 };
	for (enum token_class class = 0; class < TOKEN_CLASS_COUNT; class ++)
		if (subject->usage.tokens[class])
			counts[detail_of(subject, class)] += subject->usage.tokens[class];
	for (enum detail detail = 0; detail < DETAIL_COUNT; detail++)
		if (counts[detail] || (detail == DETAIL_INPUT && subject->has_input) ||
			(detail == DETAIL_OUTPUT && subject->has_output))
			append_count(json, detail_names[detail], bounded(counts[detail]));
	if (sums->has_total)
		append_count(json, "total", sums->total);
	buf_text(json, "}");
	add_scratch(subject, TARGET_USAGE_DETAILS);
}

static void tell_doubt(struct subject *subject, const struct readings *readings)
{
	if (readings->is_contradictory) {
		add_text(subject, TARGET_USAGE_CONVENTION, bytes_of("contradictory"));
		counter_add(COUNTER_USAGE_CONTRADICTORY, 1);
	} else if (readings->is_assumed) {
		add_text(subject, TARGET_USAGE_CONVENTION, bytes_of("assumed"));
		counter_add(COUNTER_USAGE_ASSUMED, 1);
	}
}

static void tell_withheld(const struct subject *subject)
{
	counter_add(COUNTER_USAGE_WITHHELD, 1);
	names_add(NAMES_WITHHELD_USAGE, subject->model.len ? subject->model : subject->span->name);
}

void enrich_usage(struct subject *subject)
{
	const struct facts *facts = &subject->facts;
	if (!is_model_call(subject))
		return;
	complete_counts(subject);
	subject->has_input = is_said(facts, FACT_INPUT_TOKENS);
	/* An embedding has no output: a zero there says nothing. */
	subject->has_output = is_said(facts, FACT_OUTPUT_TOKENS) &&
		(facts->kind == KIND_LLM || count_of(subject, FACT_OUTPUT_TOKENS));
	fill_units(subject);

	/* Details that are there are the sender's own word to Langfuse, or ours of an earlier pass. */
	bool is_told = !is_open(subject, TARGET_USAGE_DETAILS);
	if (!subject->has_input && !subject->has_output) {
		if (!subject->is_error && !is_told)
			tell_withheld(subject);
		return;
	}
	struct countings habit = counting_by_provider(subject->provider, subject->model);
	find_reasoning(subject, habit.output);
	struct readings readings = find_readings(subject, habit);
	unsigned reading = (unsigned)__builtin_ctz(readings.left);
	fill_input(subject, reading, &readings);
	fill_writes(subject, reading);
	fill_output(subject, reading, &readings);
	struct sums sums = add_up(subject, &readings);
	add_inclusive(subject, &sums);
	if (!is_told) {
		add_details(subject, &sums);
		tell_doubt(subject, &readings);
	}
}
