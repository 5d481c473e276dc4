/* A model call that repeats the one below it. The whole way is in fixtures/vocabularies/nested-calls.json. */
#include <criterion/criterion.h>

#include "enrich/wrappers.h"

static struct inner_calls calls;

static void begin(void)
{
	memset(&calls, 0, sizeof calls);
}

TestSuite(wrappers, .init = begin);

/* Spans are called by one byte, in a trace that is called so too. */
static struct span span_of(const uint8_t ids[3])
{
	static uint8_t room[64][3][16];
	static unsigned next;
	struct bytes id[3];
	unsigned at = next++ % 64;
	for (int i = 0; i < 3; i++) {
		memset(room[at][i], ids[i], sizeof room[at][i]);
		id[i] = (struct bytes){ room[at][i], i ? 8 : 16 };
	}
	struct span span = { .trace_id = id[0], .span_id = id[1] };
	if (ids[2])
		span.parent.body = id[2];
	return span;
}

static struct facts facts_of(enum kind kind, int64_t input, int64_t output)
{
	struct facts facts = { .kind = kind };
	facts.said[FACT_INPUT_TOKENS] = (struct value){ .type = VALUE_INT, .integer = input };
	facts.said[FACT_OUTPUT_TOKENS] = (struct value){ .type = VALUE_INT, .integer = output };
	return facts;
}

static void note(const uint8_t ids[3], enum kind kind, int64_t input, int64_t output)
{
	struct span span = span_of(ids);
	struct facts facts = facts_of(kind, input, output);
	inner_calls_note(&calls, &span, &facts);
}

static bool wraps(const uint8_t ids[3], enum kind kind, int64_t input, int64_t output)
{
	struct span span = span_of(ids);
	struct facts facts = facts_of(kind, input, output);
	return is_wrapper(&calls, &span, &facts);
}

#define IDS(trace, span, parent) ((const uint8_t[]){ trace, span, parent })

Test(wrappers, a_call_with_one_of_the_same_counts_below_it_is_one)
{
	note(IDS(1, 3, 2), KIND_LLM, 100, 20);
	cr_expect(wraps(IDS(1, 2, 9), KIND_LLM, 100, 20));
	cr_expect(wraps(IDS(1, 2, 0), KIND_LLM, 100, 20), "a root too");
}

Test(wrappers, other_counts_other_spans_and_other_traces_are_none)
{
	note(IDS(1, 3, 2), KIND_LLM, 100, 20);
	cr_expect_not(wraps(IDS(1, 2, 9), KIND_LLM, 100, 21));
	cr_expect_not(wraps(IDS(1, 2, 9), KIND_LLM, 101, 20));
	cr_expect_not(wraps(IDS(1, 4, 9), KIND_LLM, 100, 20));
	cr_expect_not(wraps(IDS(5, 2, 9), KIND_LLM, 100, 20));
	cr_expect_not(wraps(IDS(1, 3, 2), KIND_LLM, 100, 20), "nor is the inner one");
}

Test(wrappers, only_model_calls_wrap_and_are_wrapped)
{
	note(IDS(1, 3, 2), KIND_AGENT, 100, 20);
	cr_expect_not(wraps(IDS(1, 2, 9), KIND_LLM, 100, 20));
	note(IDS(1, 3, 2), KIND_EMBEDDING, 100, 0);
	cr_expect_not(wraps(IDS(1, 2, 9), KIND_AGENT, 100, 0));
	cr_expect(wraps(IDS(1, 2, 9), KIND_EMBEDDING, 100, 0));
}

Test(wrappers, what_states_no_counts_repeats_nothing)
{
	note(IDS(1, 3, 2), KIND_LLM, 0, 0);
	cr_expect_not(wraps(IDS(1, 2, 9), KIND_LLM, 0, 0));
}

Test(wrappers, the_newest_are_remembered)
{
	note(IDS(1, 3, 2), KIND_LLM, 100, 20);
	for (int i = 0; i < INNER_CALLS_MAX - 1; i++)
		note(IDS(1, 4, 5), KIND_LLM, 7, 7);
	cr_expect(wraps(IDS(1, 2, 9), KIND_LLM, 100, 20));
	note(IDS(1, 4, 5), KIND_LLM, 7, 7);
	cr_expect_not(wraps(IDS(1, 2, 9), KIND_LLM, 100, 20));
	cr_expect(wraps(IDS(1, 5, 9), KIND_LLM, 7, 7));
}

Test(wrappers, what_was_one_stays_one_without_its_counts)
{
	struct attribute mark = { .value = { .type = VALUE_STRING, .bytes = BYTES("repeated") } };
	struct span span = span_of(IDS(1, 2, 9));
	struct facts facts = facts_of(KIND_LLM, 0, 0);
	facts.present[TARGET_COST_STATUS] = &mark;
	cr_expect(is_wrapper(&calls, &span, &facts));
	facts.kind = KIND_AGENT;
	cr_expect_not(is_wrapper(&calls, &span, &facts));
}
