/*
 * Tokens: how each sender counts, what the counts become, and where Langfuse may see them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/counters.h"
#include "base/names.h"
#include "enrich/enrich.h"
#include "enrich/subject.h"
#include "support/enriched_span.h"
#include "support/fixture.h"
#include "support/one_span.h"
#include "support/oracle.h"
#include "vocabularies/counting.h"

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table)
		cr_assert_eq(prices_builtin(&table, &complaint), 0, "%s", complaint.text);
	return table;
}

/* ---- facts to buckets ---- */

enum mark { PLAIN, ASSUMED, CONTRADICTORY };

/* A call as a vocabulary leaves it: enrich_usage sees nothing else. */
struct call {
	const char *provider, *model;
	enum counting input_counting, output_counting;
	struct {
		enum fact fact;
		int64_t count;
	} said[FACT_COUNT];
};

static uint64_t marks(enum mark mark)
{
	return mark == PLAIN ?
		0 :
		counter_read(mark == ASSUMED ? COUNTER_USAGE_ASSUMED : COUNTER_USAGE_CONTRADICTORY);
}

static struct subject read_call(const struct call *call, enum mark *ret_mark)
{
	static struct span span;
	struct arena arena;
	struct splice splice;
	struct buf scratch;
	arena_init(&arena, 1 << 20, NULL);
	splice_init(&splice, &arena, (struct bytes){ 0 });
	buf_init(&scratch, 1 << 16, NULL);
	struct writer writer = { .arena = &arena };
	struct subject subject = {
		.arena = &arena,
		.splice = &splice,
		.writer = &writer,
		.scratch = &scratch,
		.span = &span,
		.model = bytes_of(call->model),
		.provider = bytes_of(call->provider),
		.facts = { .kind = KIND_LLM,
			.input_counting = call->input_counting,
			.output_counting = call->output_counting },
	};
	for (size_t i = 0; call->said[i].fact; i++)
		subject.facts.said[call->said[i].fact] =
			(struct value){ .type = VALUE_INT, .integer = call->said[i].count };
	uint64_t assumed = marks(ASSUMED), contradictory = marks(CONTRADICTORY);
	enrich_usage(&subject);
	*ret_mark = marks(CONTRADICTORY) > contradictory ? CONTRADICTORY :
		marks(ASSUMED) > assumed                 ? ASSUMED :
							   PLAIN;
	cr_assert_eq(arena.error, 0);
	buf_done(&scratch);
	arena_done(&arena);
	return subject;
}

#define SAID(...) \
	{ \
		__VA_ARGS__, \
		{ \
			FACT_NONE, 0 \
		} \
	}
#define IN FACT_INPUT_TOKENS
#define OUT FACT_OUTPUT_TOKENS
#define READ FACT_CACHE_READ_TOKENS
#define WRITE FACT_CACHE_WRITE_TOKENS
#define WRITE_5M FACT_CACHE_WRITE_5M_TOKENS
#define WRITE_1H FACT_CACHE_WRITE_1H_TOKENS
#define REASON FACT_REASONING_TOKENS
#define TOTAL FACT_TOTAL_TOKENS

static const struct {
	const char *title;
	struct call call;
	uint64_t tokens[TOKEN_CLASS_COUNT];
	enum mark mark;
} cases[] = {
	{ "OpenAI: everything is a part",
		{ "openai", "gpt-5.6-sol",
			.said = SAID({ IN, 20000 }, { OUT, 3000 }, { READ, 10000 }, { WRITE, 5000 },
				{ REASON, 2000 }) },
		{ [TOKENS_INPUT] = 5000,
			[TOKENS_CACHE_READ] = 10000,
			[TOKENS_CACHE_WRITE_5M] = 5000,
			[TOKENS_OUTPUT] = 1000,
			[TOKENS_REASONING] = 2000 },
		PLAIN },
	{ "OpenAI: audio on both sides",
		{ "openai", "gpt-4o-audio-preview",
			.said = SAID({ IN, 100 }, { OUT, 50 }, { FACT_AUDIO_INPUT_TOKENS, 30 },
				{ FACT_AUDIO_OUTPUT_TOKENS, 5 }) },
		{ [TOKENS_INPUT] = 70,
			[TOKENS_AUDIO_INPUT] = 30,
			[TOKENS_OUTPUT] = 45,
			[TOKENS_AUDIO_OUTPUT] = 5 },
		PLAIN },
	{ "Gemini: thoughts beside candidates, what tools brought beside the prompt",
		{ "gcp.gemini", "gemini-2.5-pro",
			.said = SAID({ IN, 200001 }, { OUT, 1000 }, { READ, 150000 },
				{ REASON, 500 }, { FACT_TOOL_INPUT_TOKENS, 70 },
				{ TOTAL, 201571 }) },
		{ [TOKENS_INPUT] = 50071,
			[TOKENS_CACHE_READ] = 150000,
			[TOKENS_OUTPUT] = 1000,
			[TOKENS_REASONING] = 500 },
		PLAIN },
	{ "Gemini: parts of the cache by modality",
		{ "gcp.gemini", "gemini-2.5-flash",
			.said = SAID({ IN, 5000 }, { OUT, 200 }, { READ, 2000 },
				{ FACT_AUDIO_INPUT_TOKENS, 3000 },
				{ FACT_AUDIO_CACHE_READ_TOKENS, 1500 }) },
		{ [TOKENS_INPUT] = 1500,
			[TOKENS_CACHE_READ] = 500,
			[TOKENS_AUDIO_INPUT] = 1500,
			[TOKENS_CACHED_AUDIO_INPUT] = 1500,
			[TOKENS_OUTPUT] = 200 },
		PLAIN },
	{ "Gemini: images on both sides",
		{ "gcp.gemini", "gemini-2.5-flash",
			.said = SAID({ IN, 1000 }, { OUT, 1300 }, { FACT_IMAGE_INPUT_TOKENS, 258 },
				{ FACT_IMAGE_OUTPUT_TOKENS, 1290 }) },
		{ [TOKENS_INPUT] = 742,
			[TOKENS_IMAGE_INPUT] = 258,
			[TOKENS_OUTPUT] = 10,
			[TOKENS_IMAGE_OUTPUT] = 1290 },
		PLAIN },
	{ "Gemini by OpenAI's API: the gap in the total is reasoning",
		{ "gcp.gen_ai", "gemini-2.5-pro",
			.said = SAID({ IN, 100 }, { OUT, 20 }, { TOTAL, 420 }) },
		{ [TOKENS_INPUT] = 100, [TOKENS_OUTPUT] = 20, [TOKENS_REASONING] = 300 }, PLAIN },
	{ "Gemini in the conventions' words: the total proves reasoning a part",
		{ "gcp.gemini", "gemini-2.5-pro",
			.said = SAID({ IN, 100 }, { OUT, 320 }, { REASON, 300 }, { TOTAL, 420 }) },
		{ [TOKENS_INPUT] = 100, [TOKENS_OUTPUT] = 20, [TOKENS_REASONING] = 300 }, PLAIN },
	{ "xAI: reasoning beside the output",
		{ "x_ai", "grok-4.6",
			.said = SAID({ IN, 200000 }, { OUT, 1000 }, { READ, 100000 },
				{ REASON, 2000 }) },
		{ [TOKENS_INPUT] = 100000,
			[TOKENS_CACHE_READ] = 100000,
			[TOKENS_OUTPUT] = 1000,
			[TOKENS_REASONING] = 2000 },
		PLAIN },
	{ "xAI: less reasoning than output is beside it as well",
		{ "x_ai", "grok-4.6",
			.said = SAID({ IN, 10120 }, { OUT, 2809 }, { READ, 128 }, { REASON, 1499 },
				{ TOTAL, 14428 }) },
		{ [TOKENS_INPUT] = 9992,
			[TOKENS_CACHE_READ] = 128,
			[TOKENS_OUTPUT] = 2809,
			[TOKENS_REASONING] = 1499 },
		PLAIN },
	{ "Bedrock Converse: cached tokens beside",
		{ "aws.bedrock", "anthropic.claude-sonnet-4-5",
			.said = SAID(
				{ IN, 10000 }, { OUT, 1000 }, { READ, 5000 }, { WRITE, 2000 }) },
		{ [TOKENS_INPUT] = 10000,
			[TOKENS_CACHE_READ] = 5000,
			[TOKENS_CACHE_WRITE_5M] = 2000,
			[TOKENS_OUTPUT] = 1000 },
		PLAIN },
	{ "Bedrock, converted: the total proves it",
		{ "aws.bedrock", "anthropic.claude-sonnet-4-5",
			.said = SAID({ IN, 17000 }, { OUT, 1000 }, { READ, 5000 }, { WRITE, 2000 },
				{ TOTAL, 18000 }) },
		{ [TOKENS_INPUT] = 10000,
			[TOKENS_CACHE_READ] = 5000,
			[TOKENS_CACHE_WRITE_5M] = 2000,
			[TOKENS_OUTPUT] = 1000 },
		PLAIN },
	{ "known to leave cached tokens out, with a total that merely adds up",
		{ "aws.bedrock", "anthropic.claude-sonnet-4-5", COUNTING_EXCLUSIVE,
			.said = SAID({ IN, 12 }, { OUT, 40 }, { READ, 1000 }, { TOTAL, 52 }) },
		{ [TOKENS_INPUT] = 12, [TOKENS_CACHE_READ] = 1000, [TOKENS_OUTPUT] = 40 }, PLAIN },
	{ "Anthropic: input smaller than its cached tokens leaves them out",
		{ "anthropic", "claude-opus-5-5",
			.said = SAID({ IN, 12 }, { OUT, 14 }, { READ, 8192 }, { WRITE, 2048 }) },
		{ [TOKENS_INPUT] = 12,
			[TOKENS_CACHE_READ] = 8192,
			[TOKENS_CACHE_WRITE_5M] = 2048,
			[TOKENS_OUTPUT] = 14 },
		PLAIN },
	{ "Anthropic: the total proves that they are left out",
		{ "anthropic", "claude-opus-5-5",
			.said = SAID({ IN, 9000 }, { OUT, 14 }, { READ, 500 }, { TOTAL, 9514 }) },
		{ [TOKENS_INPUT] = 9000, [TOKENS_CACHE_READ] = 500, [TOKENS_OUTPUT] = 14 }, PLAIN },
	{ "Anthropic: the total proves that they are in",
		{ "anthropic", "claude-opus-5-5",
			.said = SAID({ IN, 9000 }, { OUT, 14 }, { READ, 500 }, { TOTAL, 9014 }) },
		{ [TOKENS_INPUT] = 8500, [TOKENS_CACHE_READ] = 500, [TOKENS_OUTPUT] = 14 }, PLAIN },
	{ "Anthropic: nothing proves either",
		{ "anthropic", "claude-opus-5-5",
			.said = SAID({ IN, 9000 }, { OUT, 14 }, { READ, 500 }) },
		{ [TOKENS_INPUT] = 8500, [TOKENS_CACHE_READ] = 500, [TOKENS_OUTPUT] = 14 },
		ASSUMED },
	{ "nobody known: reasoning may be a part or not",
		{ "mine", "mine", .said = SAID({ IN, 90 }, { OUT, 14 }, { REASON, 4 }) },
		{ [TOKENS_INPUT] = 90, [TOKENS_OUTPUT] = 10, [TOKENS_REASONING] = 4 }, ASSUMED },
	{ "nobody known, but nothing to doubt",
		{ "mine", "mine",
			.said = SAID({ IN, 90 }, { OUT, 14 }, { READ, 0 }, { REASON, 0 }) },
		{ [TOKENS_INPUT] = 90, [TOKENS_OUTPUT] = 14 }, PLAIN },
	{ "writes of both lives, all of them beside",
		{ "anthropic", "claude-sonnet-4-5", COUNTING_EXCLUSIVE,
			.said = SAID({ IN, 1000 }, { OUT, 500 }, { READ, 10000 }, { WRITE, 2000 },
				{ WRITE_5M, 1500 }, { WRITE_1H, 500 }) },
		{ [TOKENS_INPUT] = 1000,
			[TOKENS_CACHE_READ] = 10000,
			[TOKENS_CACHE_WRITE_5M] = 1500,
			[TOKENS_CACHE_WRITE_1H] = 500,
			[TOKENS_OUTPUT] = 500 },
		PLAIN },
	{ "writes of both lives, and no more",
		{ "anthropic", "claude-sonnet-4-5", COUNTING_EXCLUSIVE,
			.said = SAID({ IN, 1000 }, { OUT, 500 }, { WRITE_5M, 1500 },
				{ WRITE_1H, 500 }) },
		{ [TOKENS_INPUT] = 1000,
			[TOKENS_CACHE_WRITE_5M] = 1500,
			[TOKENS_CACHE_WRITE_1H] = 500,
			[TOKENS_OUTPUT] = 500 },
		PLAIN },
	{ "writes of no said life are those that are left",
		{ "anthropic", "claude-sonnet-4-5", COUNTING_EXCLUSIVE,
			.said = SAID(
				{ IN, 1000 }, { OUT, 500 }, { WRITE, 300 }, { WRITE_1H, 500 }) },
		{ [TOKENS_INPUT] = 1000,
			[TOKENS_CACHE_WRITE_5M] = 300,
			[TOKENS_CACHE_WRITE_1H] = 500,
			[TOKENS_OUTPUT] = 500 },
		PLAIN },
	{ "the total tells that the writes of no said life are beside the others",
		{ "anthropic", "claude-sonnet-4-5", COUNTING_EXCLUSIVE,
			.said = SAID({ IN, 1000 }, { OUT, 500 }, { WRITE, 700 }, { WRITE_1H, 500 },
				{ TOTAL, 2700 }) },
		{ [TOKENS_INPUT] = 1000,
			[TOKENS_CACHE_WRITE_5M] = 700,
			[TOKENS_CACHE_WRITE_1H] = 500,
			[TOKENS_OUTPUT] = 500 },
		PLAIN },
	{ "all buckets apart, as in Langfuse's details",
		{ "openai", "gpt-4o-audio-preview", COUNTING_DISJOINT, COUNTING_DISJOINT,
			.said = SAID({ IN, 10 }, { OUT, 20 }, { READ, 30 },
				{ FACT_AUDIO_INPUT_TOKENS, 40 }, { REASON, 50 },
				{ FACT_AUDIO_OUTPUT_TOKENS, 60 },
				{ FACT_AUDIO_CACHE_READ_TOKENS, 0 }, { TOTAL, 210 }) },
		{ [TOKENS_INPUT] = 10,
			[TOKENS_CACHE_READ] = 30,
			[TOKENS_AUDIO_INPUT] = 40,
			[TOKENS_OUTPUT] = 20,
			[TOKENS_REASONING] = 50,
			[TOKENS_AUDIO_OUTPUT] = 60 },
		PLAIN },
	{ "audio beyond what is fresh was cached",
		{ "openai", "gpt-4o-audio-preview",
			.said = SAID({ IN, 100 }, { OUT, 1 }, { READ, 80 },
				{ FACT_AUDIO_INPUT_TOKENS, 60 }) },
		{ [TOKENS_CACHE_READ] = 40,
			[TOKENS_CACHED_AUDIO_INPUT] = 40,
			[TOKENS_AUDIO_INPUT] = 20,
			[TOKENS_OUTPUT] = 1 },
		ASSUMED },
	{ "images beyond what is fresh were cached",
		{ "openai", "gpt-5",
			.said = SAID({ IN, 1000 }, { OUT, 1 }, { READ, 900 },
				{ FACT_IMAGE_INPUT_TOKENS, 258 }) },
		{ [TOKENS_CACHE_READ] = 900, [TOKENS_IMAGE_INPUT] = 100, [TOKENS_OUTPUT] = 1 },
		PLAIN },
	{ "audio beyond the input",
		{ "openai", "gpt-4o-audio-preview",
			.said = SAID({ IN, 100 }, { OUT, 1 }, { FACT_AUDIO_INPUT_TOKENS, 101 }) },
		{ [TOKENS_INPUT] = 100, [TOKENS_AUDIO_INPUT] = 101, [TOKENS_OUTPUT] = 1 },
		CONTRADICTORY },
	{ "said to be in it, but larger",
		{ "openai", "gpt-5", COUNTING_INCLUSIVE, COUNTING_INCLUSIVE,
			.said = SAID({ IN, 10 }, { OUT, 5 }, { READ, 11 }, { REASON, 5 }) },
		{ [TOKENS_INPUT] = 10, [TOKENS_CACHE_READ] = 11, [TOKENS_REASONING] = 5 },
		CONTRADICTORY },
	{ "a total that no reading explains: nothing is priced too low",
		{ "mine", "mine",
			.said = SAID({ IN, 100 }, { OUT, 10 }, { READ, 50 }, { REASON, 5 },
				{ TOTAL, 1000 }) },
		{ [TOKENS_INPUT] = 100,
			[TOKENS_CACHE_READ] = 50,
			[TOKENS_OUTPUT] = 10,
			[TOKENS_REASONING] = 5 },
		CONTRADICTORY },
	{ "a total that no reading explains leaves what is known of the API",
		{ "openai", "gpt-5",
			.said = SAID({ IN, 100 }, { OUT, 10 }, { READ, 50 }, { TOTAL, 1000 }) },
		{ [TOKENS_INPUT] = 50, [TOKENS_CACHE_READ] = 50, [TOKENS_OUTPUT] = 10 },
		CONTRADICTORY },
	{ "cached tokens alone",
		{ "openai", "gpt-5", COUNTING_INCLUSIVE, COUNTING_INCLUSIVE,
			.said = SAID({ OUT, 10 }, { READ, 50 }) },
		{ [TOKENS_CACHE_READ] = 50, [TOKENS_OUTPUT] = 10 }, PLAIN },
};

Test(usage, counts_of_every_convention_become_disjoint_buckets)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum mark mark;
		struct subject subject = read_call(&cases[i].call, &mark);
		for (enum token_class class = 0; class < TOKEN_CLASS_COUNT; class ++)
			cr_expect_eq(subject.usage.tokens[class], cases[i].tokens[class],
				"%s: %s is %lu", cases[i].title, token_class_name(class),
				(unsigned long)subject.usage.tokens[class]);
		cr_expect_eq(mark, cases[i].mark, "%s: mark %d", cases[i].title, mark);
	}
}

Test(usage, what_is_paid_by_the_piece_is_counted)
{
	static const struct call call = { "anthropic", "claude-sonnet-5",
		.said = SAID({ IN, 5000 }, { OUT, 800 }, { FACT_WEB_SEARCHES, 3 },
			{ FACT_FILE_SEARCHES, 2 }, { FACT_GROUNDED_PROMPTS, 1 }) };
	enum mark mark;
	struct subject subject = read_call(&call, &mark);
	cr_expect_eq(subject.usage.units[UNITS_WEB_SEARCHES], 3);
	cr_expect_eq(subject.usage.units[UNITS_FILE_SEARCHES], 2);
	cr_expect_eq(subject.usage.units[UNITS_GROUNDED_PROMPTS], 1);
}

/* ---- whatever is sent ---- */

typedef unsigned __int128 wide;

static uint64_t random_state;

static uint64_t random_below(uint64_t bound)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (random_state >> 33) % bound;
}

static int64_t random_count(void)
{
	static const int64_t bounds[] = { 1, 4, 100, 100000, INT64_MAX };
	int64_t bound = bounds[random_below(random_below(20) ? 4 : 5)];
	return bound == INT64_MAX ? INT64_MAX - (int64_t)random_below(3) :
				    (int64_t)random_below((uint64_t)bound);
}

static const enum fact counted[] = { IN, OUT, READ, WRITE, WRITE_5M, WRITE_1H, REASON,
	FACT_AUDIO_INPUT_TOKENS, FACT_AUDIO_CACHE_READ_TOKENS, FACT_AUDIO_OUTPUT_TOKENS,
	FACT_IMAGE_INPUT_TOKENS, FACT_IMAGE_OUTPUT_TOKENS, FACT_TOOL_INPUT_TOKENS, TOTAL };
enum { COUNTED = sizeof counted / sizeof *counted };

static wide said(const struct call *call, enum fact fact)
{
	for (size_t i = 0; call->said[i].fact; i++)
		if (call->said[i].fact == fact)
			return (uint64_t)call->said[i].count;
	return 0;
}

static bool has(const struct call *call, enum fact fact)
{
	size_t i = 0;
	while (call->said[i].fact && call->said[i].fact != fact)
		i++;
	return call->said[i].fact == fact;
}

static struct call random_call(void)
{
	static const char *const names[] = { "openai", "anthropic", "gcp.gemini", "x_ai",
		"aws.bedrock", "mine", "" };
	struct call call = { .provider = names[random_below(7)], .model = "m" };
	if (random_below(3) == 0)
		call.input_counting = (enum counting)random_below(4);
	if (random_below(3) == 0)
		call.output_counting = (enum counting)random_below(4);
	size_t count = 0;
	for (size_t i = 0; i < COUNTED; i++)
		if (random_below(i < 3 ? 8 : 3) > (i < 3 ? 0 : 1)) {
			call.said[count].fact = counted[i];
			call.said[count++].count = random_count();
		}
	/* Half of the totals are one of the sums that senders form. */
	if (count && call.said[count - 1].fact == TOTAL && random_below(2)) {
		wide total = said(&call, IN) + said(&call, OUT);
		if (random_below(2))
			total += said(&call, READ) + said(&call, WRITE);
		if (random_below(2))
			total += said(&call, REASON);
		call.said[count - 1].count = total > INT64_MAX ? 1 : (int64_t)total;
	}
	return call;
}

static void expect_nothing_lost(
	const struct call *call, const struct subject *subject, enum mark mark)
{
	const uint64_t *tokens = subject->usage.tokens;
	wide lives = said(call, WRITE_5M) + said(call, WRITE_1H);
	wide written = (wide)tokens[TOKENS_CACHE_WRITE_5M] + tokens[TOKENS_CACHE_WRITE_1H];
	wide audio = (wide)tokens[TOKENS_AUDIO_INPUT] + tokens[TOKENS_CACHED_AUDIO_INPUT];
	wide read = (wide)tokens[TOKENS_CACHE_READ] + tokens[TOKENS_CACHED_AUDIO_INPUT];
	wide input = tokens[TOKENS_INPUT] + written + tokens[TOKENS_CACHE_READ] + audio +
		tokens[TOKENS_IMAGE_INPUT];
	wide output = (wide)tokens[TOKENS_OUTPUT] + tokens[TOKENS_REASONING] +
		tokens[TOKENS_AUDIO_OUTPUT] + tokens[TOKENS_IMAGE_OUTPUT];
	wide sent_input = said(call, IN) + said(call, FACT_TOOL_INPUT_TOKENS);
	wide sent_output = said(call, OUT), sent_cached = said(call, READ) + written;
	if (call->input_counting == COUNTING_DISJOINT && has(call, IN))
		sent_input +=
			said(call, FACT_AUDIO_INPUT_TOKENS) + said(call, FACT_IMAGE_INPUT_TOKENS);
	if (call->output_counting == COUNTING_DISJOINT && has(call, OUT))
		sent_output +=
			said(call, FACT_AUDIO_OUTPUT_TOKENS) + said(call, FACT_IMAGE_OUTPUT_TOKENS);

	/* Of sums beyond an int64 the mark is all that can be right. */
	if (mark == CONTRADICTORY && input + output >= INT64_MAX)
		return;
	cr_assert_geq(input, sent_input);
	cr_assert_geq(output, sent_output);
	cr_assert(written == lives || written == said(call, WRITE) ||
		written == said(call, WRITE) + lives);
	cr_assert_geq(written, said(call, WRITE));
	cr_assert_geq(written, lives);
	if (mark == CONTRADICTORY)
		return;
	cr_assert_eq(audio, said(call, FACT_AUDIO_INPUT_TOKENS));
	cr_assert_eq(read, said(call, READ));
	cr_assert_eq(tokens[TOKENS_AUDIO_OUTPUT], said(call, FACT_AUDIO_OUTPUT_TOKENS));
	cr_assert_eq(tokens[TOKENS_IMAGE_OUTPUT], said(call, FACT_IMAGE_OUTPUT_TOKENS));
	cr_assert(input == sent_input || input == sent_input + sent_cached);
	if (has(call, REASON))
		cr_assert_eq(tokens[TOKENS_REASONING], said(call, REASON));
	cr_assert(output == sent_output || output == sent_output + tokens[TOKENS_REASONING]);
	if (has(call, IN) && has(call, OUT) && has(call, TOTAL))
		cr_assert(said(call, TOTAL) == input + output ||
			said(call, TOTAL) == sent_input + sent_output);
}

Test(usage, buckets_add_up_and_nothing_is_cut_without_a_mark)
{
	size_t seen[3] = { 0 };
	random_state = 4;
	for (int i = 0; i < 200000; i++) {
		struct call call = random_call();
		enum mark mark;
		struct subject subject = read_call(&call, &mark);
		if (subject.has_input || subject.has_output)
			expect_nothing_lost(&call, &subject, mark);
		seen[mark]++;
	}
	cr_expect(seen[PLAIN] > 10000 && seen[ASSUMED] > 10000 && seen[CONTRADICTORY] > 10000,
		"%zu plain, %zu assumed, %zu contradictory", seen[0], seen[1], seen[2]);
}

/* ---- who counts how ---- */

static enum counting input_of(const char *name, const char *version)
{
	struct scope scope = { bytes_of(name), bytes_of(version) };
	return counting_by_scope(&scope).input;
}

Test(usage, an_instrumentation_is_known_by_its_name_and_version)
{
	const char *bedrock = "opentelemetry.instrumentation.bedrock";
	cr_expect_eq(input_of(bedrock, "0.62.3"), COUNTING_EXCLUSIVE);
	cr_expect_eq(input_of(bedrock, "0.9"), COUNTING_EXCLUSIVE);
	cr_expect_eq(input_of(bedrock, "0.62b1"), COUNTING_EXCLUSIVE);
	cr_expect_eq(input_of(bedrock, "0.63"), COUNTING_UNSAID);
	cr_expect_eq(input_of(bedrock, "0.63.0"), COUNTING_UNSAID);
	cr_expect_eq(input_of(bedrock, "0.100.0"), COUNTING_UNSAID);
	cr_expect_eq(input_of(bedrock, "1"), COUNTING_UNSAID);
	cr_expect_eq(input_of(bedrock, ""), COUNTING_UNSAID);
	cr_expect_eq(input_of(bedrock, "main"), COUNTING_UNSAID);
	cr_expect_eq(input_of("opentelemetry.instrumentation.anthropic", ""), COUNTING_INCLUSIVE);
	cr_expect_eq(input_of("pydantic-ai", "1.39.0"), COUNTING_INCLUSIVE);
	cr_expect_eq(input_of("my own", "1"), COUNTING_UNSAID);
	cr_expect_eq(input_of("", ""), COUNTING_UNSAID);
}

#define CHAT "gen_ai.operation.name=chat"
#define ANTHROPIC CHAT, "gen_ai.provider.name=anthropic", "gen_ai.request.model=claude-opus-5-5"

Test(usage, what_the_instrumentation_is_known_for_is_no_assumption)
{
	expect_enriched("opentelemetry.instrumentation.anthropic", "chat",
		SENT(ANTHROPIC, "gen_ai.usage.input_tokens:=9000", "gen_ai.usage.output_tokens:=14",
			"gen_ai.usage.cache_read.input_tokens:=500"),
		EXPECTED("langfuse.observation.usage_details={\"input\":8500,\"output\":14,"
			 "\"input_cached_tokens\":500,\"total\":9014}",
			"tollgate.usage.convention"));
	expect_enriched("opentelemetry.instrumentation.botocore.bedrock-runtime", "chat",
		SENT(ANTHROPIC, "gen_ai.usage.input_tokens:=9000", "gen_ai.usage.output_tokens:=14",
			"gen_ai.usage.cache_read.input_tokens:=500"),
		EXPECTED("langfuse.observation.usage_details={\"input\":9000,\"output\":14,"
			 "\"input_cached_tokens\":500,\"total\":9514}",
			"llm.token_count.prompt:=9500", "gen_ai.usage.input_tokens:=9000",
			"tollgate.usage.convention"));
	expect_enriched("my own", "chat",
		SENT(ANTHROPIC, "gen_ai.usage.input_tokens:=9000", "gen_ai.usage.output_tokens:=14",
			"gen_ai.usage.cache_read.input_tokens:=500"),
		EXPECTED("tollgate.usage.convention=assumed"));
}

/* ---- what leaves ---- */

Test(usage, what_was_counted_without_the_cache_stays_and_the_truth_stands_beside_it)
{
	expect_enriched(NULL, "chat",
		SENT(ANTHROPIC, "gen_ai.usage.input_tokens:=12", "gen_ai.usage.output_tokens:=14",
			"gen_ai.usage.cache_read_input_tokens:=8192",
			"gen_ai.usage.cache_creation_input_tokens:=2048"),
		EXPECTED("gen_ai.usage.input_tokens:=12", "llm.token_count.prompt:=10252",
			"llm.token_count.completion:=14", "llm.token_count.total:=10266",
			"llm.token_count.prompt_details.cache_read:=8192",
			"llm.token_count.prompt_details.cache_write:=2048",
			"gen_ai.usage.cache_read.input_tokens:=8192",
			"gen_ai.usage.cache_creation.input_tokens:=2048",
			"langfuse.observation.usage_details={\"input\":12,\"output\":14,"
			"\"input_cached_tokens\":8192,\"input_cache_creation\":2048,\"total\":10266}",
			"tollgate.usage.convention"));
}

Test(usage, reasoning_of_claude_models_stays_in_the_output_wherever_they_are_hosted)
{
	static const char *const hosts[] = { "anthropic", "aws.bedrock", "gcp.vertex_ai" };
	for (size_t i = 0; i < 3; i++) {
		char provider[64];
		snprintf(provider, sizeof provider, "gen_ai.provider.name=%s", hosts[i]);
		expect_enriched(NULL, "chat",
			SENT(CHAT, provider, "gen_ai.request.model=claude-opus-5-5",
				"gen_ai.usage.input_tokens:=10", "gen_ai.usage.output_tokens:=50",
				"gen_ai.usage.reasoning.output_tokens:=20"),
			EXPECTED("langfuse.observation.usage_details={\"input\":10,\"output\":50,"
				 "\"total\":60}",
				"llm.token_count.completion_details.reasoning:=20"));
	}
	/* 10 × 4 and 50 × 20 dollars per million */
	expect_enriched(NULL, "chat",
		SENT(ANTHROPIC, "gen_ai.usage.input_tokens:=10", "gen_ai.usage.output_tokens:=50",
			"gen_ai.usage.reasoning.output_tokens:=20"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.00004,\"output\":0.001,"
			 "\"total\":0.00104}"));
}

Test(usage, google_and_openai_have_a_price_for_reasoning)
{
	expect_enriched(NULL, "chat",
		SENT(CHAT, "gen_ai.provider.name=gcp.gemini", "gen_ai.request.model=gemini-2.5-pro",
			"gen_ai.usage.input_tokens:=100", "gen_ai.usage.output_tokens:=20",
			"gen_ai.usage.total_tokens:=420"),
		EXPECTED("langfuse.observation.usage_details={\"input\":100,\"output\":20,"
			 "\"output_reasoning_tokens\":300,\"total\":420}",
			"llm.token_count.completion:=320",
			"llm.token_count.completion_details.reasoning:=300",
			"gen_ai.usage.output_tokens:=20", "tollgate.usage.convention"));
	expect_enriched(NULL, "chat",
		SENT(CHAT, "gen_ai.provider.name=openai", "gen_ai.request.model=gpt-5",
			"gen_ai.usage.input_tokens:=100", "gen_ai.usage.output_tokens:=320",
			"gen_ai.usage.reasoning.output_tokens:=300"),
		EXPECTED("langfuse.observation.usage_details={\"input\":100,\"output\":20,"
			 "\"output_reasoning_tokens\":300,\"total\":420}"));
}

Test(usage, an_embedding_has_input_alone)
{
	const char *details = "langfuse.observation.usage_details={\"input\":33,\"total\":33}";
	expect_enriched(NULL, "embed",
		SENT("gen_ai.operation.name=embeddings", "gen_ai.usage.input_tokens:=33",
			"gen_ai.usage.output_tokens:=0", "gen_ai.usage.total_tokens:=33"),
		EXPECTED(details, "llm.token_count.prompt:=33", "llm.token_count.completion",
			"tollgate.usage.convention"));
	expect_enriched(NULL, "embed",
		SENT("gen_ai.operation.name=embeddings", "gen_ai.usage.total_tokens:=33"),
		EXPECTED(details, "gen_ai.usage.input_tokens:=33"));
}

Test(usage, contradictions_are_told)
{
	uint64_t before = counter_read(COUNTER_USAGE_CONTRADICTORY);
	expect_enriched(NULL, "chat",
		SENT("openinference.span.kind=LLM", "llm.model_name=m",
			"llm.token_count.prompt:=10", "llm.token_count.completion:=1",
			"llm.token_count.prompt_details.audio:=30"),
		EXPECTED("tollgate.usage.convention=contradictory",
			"langfuse.observation.usage_details={\"input\":10,\"output\":1,"
			"\"input_audio_tokens\":30,\"total\":41}"));
	cr_expect_eq(counter_read(COUNTER_USAGE_CONTRADICTORY), before + 1);
}

/* ---- withheld ---- */

static uint64_t withheld(const char *name)
{
	struct names names;
	names_read(NAMES_WITHHELD_USAGE, &names);
	for (size_t i = 0; i < names.count; i++)
		if (strcmp(names.at[i].text, name) == 0)
			return names.at[i].count;
	return 0;
}

Test(usage, a_call_that_withholds_its_usage_is_counted_and_named)
{
	uint64_t before = counter_read(COUNTER_USAGE_WITHHELD);
	expect_enriched(NULL, "chat", SENT(CHAT, "gen_ai.request.model=gpt-quiet"),
		EXPECTED("langfuse.observation.usage_details"));
	expect_enriched(NULL, "quiet call", SENT(CHAT), EXPECTED("llm.token_count.prompt"));
	cr_expect_eq(withheld("gpt-quiet"), 1);
	cr_expect_eq(withheld("quiet call"), 1);
	cr_expect_eq(counter_read(COUNTER_USAGE_WITHHELD), before + 2);

	expect_enriched(NULL, "chat",
		SENT(CHAT, "gen_ai.request.model=gpt-quiet", "error.type=timeout"),
		EXPECTED("langfuse.observation.cost_details={\"total\":0}"));
	expect_enriched(NULL, "chat",
		SENT(CHAT, "gen_ai.request.model=gpt-quiet",
			"langfuse.observation.usage_details={\"input\":1}"),
		EXPECTED("llm.token_count.total"));
	expect_enriched(NULL, "agent",
		SENT("gen_ai.operation.name=invoke_agent", "gen_ai.request.model=gpt-quiet"),
		EXPECTED("llm.token_count.total"));
	cr_expect_eq(withheld("gpt-quiet"), 1);
	cr_expect_eq(counter_read(COUNTER_USAGE_WITHHELD), before + 2);
}

/* ---- a second pass ---- */

static void expect_settled(const char *scope, const char *name, const char *const *sent)
{
	struct config config = fixture_config();
	struct bytes request = one_span_of(scope, name, sent);
	struct enriched once, twice;
	struct arena arena;
	arena_init(&arena, 8 << 20, NULL);
	cr_assert_eq(enrich(request, &config, prices(), &arena, &once), 0);
	cr_assert_eq(enrich(once.plain, &config, prices(), &arena, &twice), 0);
	if (!bytes_equal(once.plain, twice.plain)) {
		cr_expect_fail("%s is not settled:", name);
		for (size_t i = 0; sent[i]; i++)
			fprintf(stderr, "    %s\n", sent[i]);
	}
	arena_done(&arena);
	free((void *)request.at);
}

Test(usage, enriching_again_changes_nothing)
{
	expect_settled(NULL, "chat",
		SENT(ANTHROPIC, "gen_ai.usage.input_tokens:=12", "gen_ai.usage.output_tokens:=14",
			"gen_ai.usage.cache_read_input_tokens:=8192"));
	expect_settled(NULL, "chat",
		SENT(ANTHROPIC, "gen_ai.usage.input_tokens:=9000", "gen_ai.usage.output_tokens:=14",
			"gen_ai.usage.cache_read_input_tokens:=500"));
	expect_settled("opentelemetry.instrumentation.botocore", "chat",
		SENT(ANTHROPIC, "gen_ai.usage.input_tokens:=9000", "gen_ai.usage.output_tokens:=14",
			"gen_ai.usage.cache_read_input_tokens:=500"));
	expect_settled(NULL, "claude_code.llm_request",
		SENT("model=claude-nobody-knows", "input_tokens:=12", "output_tokens:=14",
			"cache_read_tokens:=8192", "cache_creation_tokens:=2048"));
	expect_settled(NULL, "chat",
		SENT(CHAT, "gen_ai.provider.name=gcp.gemini", "gen_ai.request.model=gemini-2.5-pro",
			"gen_ai.usage.input_tokens:=100", "gen_ai.usage.output_tokens:=20",
			"gen_ai.usage.total_tokens:=420"));
}

/* The price of a model that was unknown at the first pass is that of the first pass's buckets. */
Test(usage, a_second_pass_reads_what_the_first_one_wrote)
{
	expect_enriched(NULL, "claude_code.llm_request",
		SENT("model=claude-opus-5-5", "input_tokens:=12", "output_tokens:=14",
			"cache_read_tokens:=8192", "cache_creation_tokens:=2048",
			"llm.token_count.prompt:=10252", "llm.token_count.completion:=14",
			"llm.token_count.total:=10266",
			"llm.token_count.prompt_details.cache_read:=8192",
			"llm.token_count.prompt_details.cache_write:=2048",
			"gen_ai.usage.input_tokens:=10252", "gen_ai.usage.output_tokens:=14"),
		EXPECTED("langfuse.observation.usage_details={\"input\":12,\"output\":14,"
			 "\"input_cached_tokens\":8192,\"input_cache_creation\":2048,"
			 "\"total\":10266}",
			"langfuse.observation.cost_details={\"input\":0.000048,\"output\":0.00028,"
			"\"input_cached_tokens\":0.0016384,\"input_cache_creation\":0.01024,"
			"\"total\":0.0122064}",
			"tollgate.usage.convention"));
}

Test(usage, whatever_was_sent_is_settled_after_one_pass)
{
	static const char *const names[] = { "gen_ai.usage.input_tokens",
		"gen_ai.usage.output_tokens", "gen_ai.usage.prompt_tokens",
		"gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens",
		"gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.audio.input_tokens",
		"gen_ai.usage.audio.output_tokens", "gen_ai.usage.total_tokens", "input_tokens",
		"output_tokens", "cache_read_tokens", "cache_creation_tokens",
		"llm.token_count.prompt", "llm.token_count.completion", "llm.token_count.total",
		"llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.audio",
		"llm.token_count.completion_details.reasoning" };
	static const char *const spans[] = { "chat", "claude_code.llm_request", "embeddings" };
	static const char *const providers[] = { "openai", "anthropic", "gcp.gemini", "x_ai",
		"aws.bedrock", "mine" };
	enum { NAMES = sizeof names / sizeof *names };
	random_state = 9;
	for (int i = 0; i < 5000; i++) {
		char texts[NAMES + 3][96];
		const char *sent[NAMES + 4] = { 0 };
		size_t count = 0;
		const char *span = spans[random_below(3)];
		snprintf(texts[count++], 96, "gen_ai.operation.name=%s",
			strcmp(span, "embeddings") == 0 ? span : "chat");
		snprintf(texts[count++], 96, "gen_ai.provider.name=%s", providers[random_below(6)]);
		snprintf(texts[count++], 96, "gen_ai.request.model=unknown");
		for (size_t n = 0; n < NAMES; n++)
			if (random_below(3) == 0)
				snprintf(texts[count++], 96, "%s:=%lld", names[n],
					(long long)random_count());
		for (size_t n = 0; n < count; n++)
			sent[n] = texts[n];
		expect_settled(NULL, span, sent);
	}
}

/* ---- Langfuse's copy ---- */

struct copies {
	struct arena arena;
	oracle_request *plain, *langfuse; /* the latter NULL: plain is Langfuse's, too */
};

static struct copies copies_of(const char *name, const char *const *sent)
{
	struct copies copies = { 0 };
	struct config config = fixture_config();
	struct bytes request = one_span(name, sent);
	struct enriched enriched;
	const char *why;
	arena_init(&copies.arena, 8 << 20, NULL);
	cr_assert_eq(enrich(request, &config, prices(), &copies.arena, &enriched), 0);
	cr_expect(oracle_only_added(request, enriched.plain, &why), "%s", why);
	copies.plain = oracle_decode(enriched.plain);
	if (enriched.langfuse.at)
		copies.langfuse = oracle_decode(enriched.langfuse);
	free((void *)request.at);
	return copies;
}

static void copies_done(struct copies *copies)
{
	oracle_free(copies->plain);
	if (copies->langfuse)
		oracle_free(copies->langfuse);
	arena_done(&copies->arena);
}

/* All of `sent` is in the plain copy, and in Langfuse's but for what is marked with a "-". */
static void expect_defused(const char *name, const char *const *sent)
{
	const char *marked[24], *plain[24];
	size_t count = 0;
	for (; sent[count]; count++) {
		marked[count] = sent[count];
		plain[count] = sent[count] + (*sent[count] == '-');
	}
	plain[count] = NULL;
	uint64_t before = counter_read(COUNTER_REPAIRED_REPEATED_USAGE);
	struct copies copies = copies_of(name, plain);
	bool repaired = false;
	for (size_t i = 0; i < count; i++) {
		char key[128];
		size_t len = strcspn(plain[i], "=:~");
		snprintf(key, sizeof key, "%.*s", (int)len, plain[i]);
		bool is_out = *marked[i] == '-';
		const oracle_request *second = copies.langfuse ? copies.langfuse : copies.plain;
		cr_expect_not_null(oracle_find(oracle_span_at(copies.plain, 0), key), "%s", key);
		cr_expect_eq(oracle_find(oracle_span_at(second, 0), key) == NULL, is_out,
			"%s: %s is %s Langfuse's copy", name, key, is_out ? "in" : "not in");
		repaired |= is_out;
	}
	cr_expect_eq(copies.langfuse != NULL, repaired, "%s", name);
	cr_expect_eq(counter_read(COUNTER_REPAIRED_REPEATED_USAGE), before + repaired);
	copies_done(&copies);
}

Test(usage, what_repeats_its_model_calls_is_defused_for_langfuse_alone)
{
	expect_defused("an agent that sums up",
		SENT("openinference.span.kind=AGENT", "-llm.model_name=gpt-4o",
			"-llm.token_count.prompt:=1000", "-llm.token_count.completion:=10",
			"-llm.token_count.total:=1010",
			"-llm.token_count.prompt_details.cache_read:=5", "-llm.cost.total~=0.5",
			"llm.cost.prompt~=0.1", "input.value=x"));
	expect_defused("a chain in GenAI's words",
		SENT("traceloop.span.kind=workflow", "openinference.span.kind=CHAIN",
			"-gen_ai.request.model=gpt-4o", "-gen_ai.response.model=gpt-4o",
			"-gen_ai.usage.input_tokens:=1000", "-gen_ai.usage.output_tokens:=10",
			"-gen_ai.usage.made_up_tokens:=7", "-gen_ai.usage.cost~=0.5",
			"gen_ai.usage_of_mine=x"));
	expect_defused("a tool with a bare model",
		SENT("gen_ai.operation.name=execute_tool", "-model=gpt-4o", "gen_ai.tool.name=t"));
	expect_defused("Vercel's outer span",
		SENT("openinference.span.kind=AGENT", "-ai.model.id=gpt-4o",
			"gen_ai.operation.name=ai.generateText"));
	static const char *const kinds[] = { "RETRIEVER", "GUARDRAIL", "EVALUATOR", "PROMPT" };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char kind[64];
		snprintf(kind, sizeof kind, "openinference.span.kind=%s", kinds[i]);
		expect_defused(kinds[i],
			SENT(kind, "-llm.model_name=gpt-4o", "-gen_ai.usage.input_tokens:=1"));
	}
}

Test(usage, what_langfuse_drops_by_itself_needs_no_copy)
{
	static const char *const operations[] = { "invoke_agent", "agent_step" };
	for (size_t i = 0; i < 2; i++) {
		char operation[64];
		snprintf(operation, sizeof operation, "gen_ai.operation.name=%s", operations[i]);
		expect_defused(operations[i],
			SENT(operation, "gen_ai.request.model=gpt-4o",
				"gen_ai.usage.input_tokens:=90", "llm.model_name=gpt-4o"));
	}
	/* To an agent without usage we say invoke_agent ourselves. */
	expect_defused("agent", SENT("openinference.span.kind=AGENT", "llm.model_name=gpt-4o"));
}

Test(usage, what_a_sender_says_to_langfuse_itself_stays)
{
	expect_defused("tool",
		SENT("openinference.span.kind=TOOL",
			"langfuse.observation.usage_details={\"input\":1}",
			"langfuse.observation.cost_details={\"total\":2}",
			"langfuse.observation.model.name=mine"));
	expect_defused("its own usage, with the model to price it by",
		SENT("openinference.span.kind=TOOL",
			"langfuse.observation.usage_details={\"input\":1}",
			"gen_ai.request.model=gpt-4o", "gen_ai.usage.input_tokens:=3",
			"-gen_ai.usage.cost~=0.5"));
	expect_defused("its own cost",
		SENT("openinference.span.kind=TOOL", "-llm.token_count.prompt:=3",
			"llm.model_name=gpt-4o", "llm.cost.total~=0.5",
			"langfuse.observation.cost_details={\"total\":2}"));
}

Test(usage, a_reranker_keeps_the_name_of_a_model_that_costs_nothing_there)
{
	expect_defused("rerank",
		SENT("openinference.span.kind=RERANKER", "reranker.model_name=rerank-v3.5",
			"gen_ai.response.model=rerank-v3.5"));
	expect_defused("rerank",
		SENT("openinference.span.kind=RERANKER", "reranker.model_name=rerank-v3.5",
			"gen_ai.request.model=rerank-v3.5", "-gen_ai.usage.input_tokens:=5"));
	expect_defused("rerank",
		SENT("openinference.span.kind=RERANKER", "reranker.model_name=gpt-4o",
			"-gen_ai.request.model=gpt-4o"));
	expect_enriched(NULL, "rerank",
		SENT("openinference.span.kind=RERANKER", "reranker.model_name=gpt-4o"),
		EXPECTED("gen_ai.request.model", "gen_ai.response.model",
			"gen_ai.provider.name=openai"));
}

Test(usage, what_is_no_ai_span_or_of_a_kind_unknown_to_its_sender_is_let_be)
{
	expect_defused("GET /", SENT("model=T", "gen_ai.usage.input_tokens:=5"));
	expect_defused("step",
		SENT("openinference.span.kind=UNKNOWN", "llm.token_count.prompt:=3",
			"llm.model_name=gpt-4o"));
}

Test(usage, a_model_call_that_says_invoke_agent_keeps_its_usage_in_langfuse)
{
	uint64_t before = counter_read(COUNTER_REPAIRED_LOST_USAGE);
	struct copies copies = copies_of("call",
		SENT("openinference.span.kind=LLM", "gen_ai.operation.name=invoke_agent",
			"llm.model_name=gpt-4o", "llm.token_count.prompt:=3"));
	cr_assert_not_null(copies.langfuse);
	const oracle_span *plain = oracle_span_at(copies.plain, 0);
	const oracle_span *langfuse = oracle_span_at(copies.langfuse, 0);
	cr_expect_str_eq(oracle_text(plain, "gen_ai.operation.name"), "invoke_agent");
	cr_expect_str_eq(oracle_text(langfuse, "gen_ai.operation.name"), "chat");
	cr_expect_str_eq(oracle_text(langfuse, "langfuse.observation.type"), "generation");
	cr_expect_str_eq(
		oracle_text(langfuse, "langfuse.observation.usage_details"), "{\"input\":3}");
	cr_expect_eq(counter_read(COUNTER_REPAIRED_LOST_USAGE), before + 1);
	copies_done(&copies);
}

/* What was sent empty is replaced in both copies, and not once more in Langfuse's. */
Test(usage, a_time_that_was_filled_in_is_no_bad_time)
{
	static const char name[] = "langfuse.observation.completion_start_time";
	static const char *const times[] = { "langfuse.observation.completion_start_time=",
		"langfuse.observation.completion_start_time" };
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct copies copies = copies_of("call",
			SENT("openinference.span.kind=LLM", times[i],
				"gen_ai.response.time_to_first_chunk~=0.5"));
		cr_assert_not_null(copies.plain);
		cr_expect_str_eq(oracle_text(oracle_span_at(copies.plain, 0), name),
			"2026-11-17T00:00:00.500Z");
		if (copies.langfuse)
			cr_expect_str_eq(oracle_text(oracle_span_at(copies.langfuse, 0), name),
				"2026-11-17T00:00:00.500Z");
		copies_done(&copies);
	}
}

/* An operation without a value, or an empty one, is there and yet says nothing. */
Test(usage, an_agent_whose_sums_are_left_out_says_that_it_is_one)
{
	static const char *const operations[] = { "gen_ai.operation.name",
		"gen_ai.operation.name=", "gen_ai.agent.id=a" };
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
		struct copies copies = copies_of("agent",
			SENT("openinference.span.kind=AGENT", operations[i],
				"llm.token_count.prompt:=3", "llm.token_count.completion:=4"));
		cr_assert_not_null(copies.langfuse);
		const oracle_span *langfuse = oracle_span_at(copies.langfuse, 0);
		cr_expect_str_eq(oracle_text(langfuse, "gen_ai.operation.name"), "invoke_agent");
		cr_expect_null(oracle_find(langfuse, "llm.token_count.prompt"));
		copies_done(&copies);
	}
}

Test(usage, an_attribute_is_left_out_of_langfuses_copy_once)
{
	/* Twice the same name, one of them empty. */
	struct copies copies = copies_of("agent",
		SENT("openinference.span.kind=CHAIN", "llm.model_name=gpt-4o",
			"llm.model_name=", "llm.model_name=gpt-4o-mini"));
	cr_assert_not_null(copies.langfuse);
	const oracle_span *langfuse = oracle_span_at(copies.langfuse, 0);
	cr_expect_str_eq(oracle_text(langfuse, "llm.model_name"), "");
	copies_done(&copies);
}
