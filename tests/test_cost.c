/*
 * What enrich_cost writes, given what was concluded before it: the facts of a call are set here, so that no
 * vocabulary and no reading of usage has a say.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/counters.h"
#include "base/names.h"
#include "enrich/subject.h"
#include "support/one_span.h"
#include "support/oracle.h"
#include "support/price_tables.h"

struct said {
	enum fact fact;
	struct value value;
};

#define TEXT(text) \
	{ \
		.type = VALUE_STRING, .bytes = BYTES(text) \
	}
#define DOUBLE(x) \
	{ \
		.type = VALUE_DOUBLE, .number = x \
	}
#define INT(x) \
	{ \
		.type = VALUE_INT, .integer = x \
	}

/* A call of a model; what is left out is nothing. */
struct call {
	const char *model, *provider;
	const char *cost_details; /* that the sender wrote for Langfuse */
	struct said said[4];
	uint64_t tokens[TOKEN_CLASS_COUNT];
	uint64_t units[UNIT_COUNT];
	bool has_no_usage, is_error, writes_of_unknown_age, is_no_model_call;
};

static struct prices *builtin;
static oracle_request *out;

static void load(void)
{
	builtin = builtin_table();
}

static void unload(void)
{
	oracle_free(out);
	prices_free(builtin);
}

TestSuite(cost, .init = load, .fini = unload);

static struct field open_only(struct splice *splice, struct bytes message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct field field;
	while (wire_next(&wire, &field) > 0 && !field_is(&field, number, WIRE_BYTES))
		;
	splice_open(splice, &field);
	return field;
}

/* The span with what was added; good until the next call. */
static const oracle_span *enriched(const struct call *call)
{
	char details[128];
	snprintf(details, sizeof details, "langfuse.observation.cost_details=%s",
		call->cost_details ? call->cost_details : "");
	struct bytes request = one_span("step", (const char *const[]){ details, NULL });
	struct arena arena;
	struct splice splice;
	struct buf scratch;
	struct span span = { 0 };
	arena_init(&arena, 1 << 20, NULL);
	buf_init(&scratch, 1 << 20, NULL);
	splice_init(&splice, &arena, request);
	struct field resource = open_only(&splice, request, 1);
	struct field scope = open_only(&splice, resource.body, 2);
	struct field field = open_only(&splice, scope.body, 2);
	cr_assert_eq(span_read(&field, 100, &arena, &span), 0);

	struct writer writer = { .arena = &arena };
	struct subject subject = {
		.prices = builtin,
		.arena = &arena,
		.splice = &splice,
		.writer = &writer,
		.scratch = &scratch,
		.span = &span,
		.facts.kind = call->is_no_model_call ? KIND_AGENT : KIND_LLM,
		.facts.present[TARGET_COST_DETAILS] = &span.attributes.at[0],
		.is_error = call->is_error,
		.model = bytes_of(call->model ? call->model : "claude-opus-4-8"),
		.provider = bytes_of(call->provider),
		.has_input = !call->has_no_usage,
		.has_output = !call->has_no_usage,
		.writes_of_unknown_age = call->writes_of_unknown_age,
	};
	memcpy(subject.usage.tokens, call->tokens, sizeof subject.usage.tokens);
	memcpy(subject.usage.units, call->units, sizeof subject.usage.units);
	for (size_t i = 0; i < sizeof call->said / sizeof *call->said; i++)
		if (call->said[i].fact)
			subject.facts.said[call->said[i].fact] = call->said[i].value;
	enrich_cost(&subject);
	subject_finish(&subject);
	for (int i = 0; i < 3; i++)
		splice_close(&splice);

	oracle_free(out);
	out = oracle_decode(splice_write(&splice, false));
	cr_assert_not_null(out);
	buf_done(&scratch);
	arena_done(&arena);
	free((void *)request.at);
	return oracle_span_at(out, 0);
}

/*   text  NULL: must not be there */
static void expect_text(const oracle_span *span, const char *key, const char *text)
{
	const char *found = oracle_text(span, key);
	if (found && !*found)
		found = NULL;
	cr_expect(!found == !text && (!text || strcmp(found, text) == 0), "%s: %s, not %s", key,
		found ? found : "none", text ? text : "none");
}

static void expect_double(const oracle_span *span, const char *key, double number)
{
	const oracle_attribute *found = oracle_find(span, key);
	cr_assert(found, "%s is missing", key);
	cr_expect_eq(found->value->double_value, number, "%s: %.17g, not %.17g", key,
		found->value->double_value, number);
}

#define ENRICHED(...) enriched(&(struct call){ __VA_ARGS__ })
#define TOKENS(...) .tokens = { __VA_ARGS__ }
#define SAID(...) .said = { __VA_ARGS__ }
#define DETAILS "langfuse.observation.cost_details"

Test(cost, ours_is_written_exactly_with_a_key_for_each_class)
{
	const oracle_span *span = ENRICHED(
		TOKENS([TOKENS_INPUT] = 12, [TOKENS_OUTPUT] = 1534, [TOKENS_CACHE_READ] = 98211,
			[TOKENS_CACHE_WRITE_5M] = 100, [TOKENS_CACHE_WRITE_1H] = 8420));
	expect_text(span, DETAILS,
		"{\"input\":0.00006,\"output\":0.03835,\"input_cached_tokens\":0.0491055,"
		"\"input_cache_creation_5m\":0.000625,\"input_cache_creation_1h\":0.0842,"
		"\"total\":0.1723405}");
	expect_double(span, "llm.cost.prompt", 0.1339905);
	expect_double(span, "llm.cost.completion", 0.03835);
	expect_double(span, "llm.cost.total", 0.1723405);
	expect_text(span, "tollgate.cost.status", NULL);
	expect_text(span, "tollgate.cost.source", NULL);
	expect_text(span, "tollgate.cost.sender", NULL);
	expect_text(span, "tollgate.cost.difference", NULL);
}

Test(cost, amounts_go_where_langfuse_shows_their_tokens)
{
	const oracle_span *span = ENRICHED(.model = "gemini-2.5-flash",
		TOKENS([TOKENS_INPUT] = 1500, [TOKENS_OUTPUT] = 200, [TOKENS_CACHE_READ] = 500,
			[TOKENS_AUDIO_INPUT] = 1500, [TOKENS_CACHED_AUDIO_INPUT] = 1500,
			[TOKENS_IMAGE_INPUT] = 1000, [TOKENS_REASONING] = 100,
			[TOKENS_AUDIO_OUTPUT] = 10, [TOKENS_IMAGE_OUTPUT] = 10));
	expect_text(span, DETAILS,
		"{\"input\":0.00075,\"output\":0.000525,\"input_cached_tokens\":0.000165,"
		"\"input_audio_tokens\":0.0015,\"output_reasoning_tokens\":0.00025,"
		"\"output_audio_tokens\":0.000025,\"total\":0.003215}");
	expect_double(span, "llm.cost.prompt", 0.002415);
	expect_double(span, "llm.cost.completion", 0.0008);
	span = ENRICHED(TOKENS([TOKENS_OUTPUT] = 100, [TOKENS_REASONING] = 100));
	expect_text(span, DETAILS, "{\"output\":0.005,\"total\":0.005}");
}

Test(cost, tier_region_and_searches_are_of_the_call)
{
	const oracle_span *span = ENRICHED(TOKENS([TOKENS_INPUT] = 1000, [TOKENS_OUTPUT] = 100),
		SAID({ FACT_SERVICE_TIER, TEXT("batch") },
			{ FACT_REGION, TEXT("inference_geo=us") }),
		.units = { [UNITS_WEB_SEARCHES] = 3 });
	expect_text(span, DETAILS,
		"{\"input\":0.00275,\"output\":0.001375,\"web_search\":0.03,\"total\":0.034125}");
	expect_double(span, "llm.cost.prompt", 0.00275);
	expect_double(span, "llm.cost.total", 0.034125);
	expect_text(span, "tollgate.cost.status", NULL);
}

Test(cost, a_free_model_costs_nothing_and_an_unknown_one_has_no_cost)
{
	const oracle_span *span = ENRICHED(.model = "glm-4.5-flash", TOKENS([TOKENS_INPUT] = 1000));
	expect_text(span, DETAILS, "{\"input\":0,\"total\":0}");
	expect_double(span, "llm.cost.total", 0);
	span = ENRICHED(.model = "glm-4.5-flush", TOKENS([TOKENS_INPUT] = 1000));
	expect_text(span, DETAILS, NULL);
	expect_text(span, "tollgate.cost.status", "unknown_model");
	cr_expect_null(oracle_find(span, "llm.cost.total"));
}

Test(cost, what_could_have_cost_more_is_a_lower_bound)
{
	static const struct {
		struct call call;
		const char *status;
	} cases[] = {
		{ { TOKENS([TOKENS_CACHE_WRITE_5M] = 10), .writes_of_unknown_age = true },
			"lower_bound" },
		{ { .provider = "aws.bedrock",
			  TOKENS([TOKENS_CACHE_WRITE_5M] = 10),
			  .writes_of_unknown_age = true },
			"lower_bound" },
		{ { TOKENS([TOKENS_CACHE_WRITE_5M] = 10) }, NULL },
		/* A write has one price there. */
		{ { .model = "gpt-4o",
			  TOKENS([TOKENS_CACHE_WRITE_5M] = 10),
			  .writes_of_unknown_age = true },
			NULL },
		{ { .units = { [UNITS_FILE_SEARCHES] = 1 }, TOKENS([TOKENS_INPUT] = 10) },
			"lower_bound" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_text(enriched(&cases[i].call), "tollgate.cost.status", cases[i].status);
	expect_text(ENRICHED(TOKENS([TOKENS_CACHE_WRITE_5M] = 10), .writes_of_unknown_age = true),
		DETAILS, "{\"input_cache_creation\":0.0000625,\"total\":0.0000625}");
}

/* ---- whose ---- */

Test(cost, what_was_sent_to_langfuse_stays_alone)
{
	const oracle_span *span = ENRICHED(.cost_details = "{\"total\":7}",
		TOKENS([TOKENS_INPUT] = 1000), SAID({ FACT_COST_TOTAL, DOUBLE(0.5) }));
	expect_text(span, DETAILS, "{\"total\":7}");
	cr_expect_eq(span->n_attributes, 1);
}

Test(cost, the_senders_figure_stands_beside_ours)
{
	const oracle_span *span = ENRICHED(TOKENS([TOKENS_INPUT] = 1000, [TOKENS_OUTPUT] = 100),
		SAID({ FACT_COST_TOTAL, DOUBLE(0.00042) }));
	expect_text(span, DETAILS, "{\"input\":0.005,\"output\":0.0025,\"total\":0.0075}");
	expect_double(span, "llm.cost.total", 0.00042);
	cr_expect_null(oracle_find(span, "llm.cost.prompt"), "ours would not add up with theirs");
	expect_text(span, "tollgate.cost.sender", "0.00042");
	expect_text(span, "tollgate.cost.difference", "0.00708");
	expect_text(span, "tollgate.cost.source", NULL);
}

Test(cost, the_senders_figure_is_read_in_every_form)
{
	static const struct {
		struct said said[4];
		const char *sender, *difference;
	} cases[] = {
		{ { { FACT_COST_TOTAL, DOUBLE(0.1) } }, "0.1", "-0.095" },
		{ { { FACT_COST_TOTAL, DOUBLE(1e-9) } }, "0.000000001", "0.004999999" },
		{ { { FACT_COST_TOTAL, DOUBLE(3.6249999999999997e-09) } }, "0.000000003625",
			"0.004999996375" },
		{ { { FACT_COST_TOTAL, DOUBLE(0.005) } }, "0.005", "0" },
		{ { { FACT_COST_TOTAL, INT(2) } }, "2", "-1.995" },
		{ { { FACT_COST_TOTAL, TEXT("0.0050000000001") } }, "0.0050000000001",
			"-0.0000000000001" },
		{ { { FACT_COST_TOTAL, TEXT("5e-3") } }, "0.005", "0" },
		{ { { FACT_COST_INPUT, DOUBLE(0.001) }, { FACT_COST_OUTPUT, TEXT("0.002") } },
			"0.003", "0.002" },
		{ { { FACT_COST_INPUT, DOUBLE(0.001) } }, "0.001", "0.004" },
		{ { { FACT_COST_INPUT, DOUBLE(0.001) }, { FACT_COST_TOTAL, DOUBLE(0.25) } }, "0.25",
			"-0.245" },
		{ { { FACT_COST_TOTAL, DOUBLE(0) } }, "0", "0.005" },
		/* What is no number is not said. */
		{ { { FACT_COST_TOTAL, TEXT("1.2.3") } }, NULL, NULL },
		{ { { FACT_COST_TOTAL, TEXT("1-2") } }, NULL, NULL },
		{ { { FACT_COST_TOTAL, TEXT("e5") } }, NULL, NULL },
		{ { { FACT_COST_TOTAL, TEXT("1e40") } }, NULL, NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct call call = { TOKENS([TOKENS_INPUT] = 1000) };
		memcpy(call.said, cases[i].said, sizeof call.said);
		const oracle_span *span = enriched(&call);
		expect_text(span, "tollgate.cost.sender", cases[i].sender);
		expect_text(span, "tollgate.cost.difference", cases[i].difference);
		expect_text(span, DETAILS, "{\"input\":0.005,\"total\":0.005}");
	}
}

Test(cost, where_ours_is_unknown_the_senders_figure_is_the_cost)
{
	const oracle_span *span = ENRICHED(.model = "their-own", TOKENS([TOKENS_INPUT] = 1000),
		SAID({ FACT_COST_INPUT, DOUBLE(0.0003) }, { FACT_COST_OUTPUT, DOUBLE(0.00015) },
			{ FACT_COST_TOTAL, DOUBLE(0.00046) }));
	expect_text(span, DETAILS, "{\"input\":0.0003,\"output\":0.00015,\"total\":0.00046}");
	expect_double(span, "llm.cost.prompt", 0.0003);
	expect_double(span, "llm.cost.completion", 0.00015);
	expect_double(span, "llm.cost.total", 0.00046);
	expect_text(span, "tollgate.cost.source", "sender");
	expect_text(span, "tollgate.cost.status", "unknown_model");
	expect_text(span, "tollgate.cost.sender", NULL);
	span = ENRICHED(.has_no_usage = true, SAID({ FACT_COST_TOTAL, DOUBLE(0.25) }));
	expect_text(span, DETAILS, "{\"total\":0.25}");
	expect_text(span, "tollgate.cost.status", NULL);
}

Test(cost, senders_that_differ_are_counted)
{
	static const struct {
		double theirs;
		enum counter counter;
	} cases[] = {
		{ 0.005, COUNTER_COST_SAME },
		{ 0.0050009, COUNTER_COST_SAME }, /* by less than a millionth of a dollar */
		{ 0.0050051, COUNTER_COST_LOWER },
		{ 0.0049949, COUNTER_COST_HIGHER },
		{ 0, COUNTER_COST_HIGHER },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t before = counter_read(cases[i].counter);
		ENRICHED(TOKENS([TOKENS_INPUT] = 1000),
			SAID({ FACT_COST_TOTAL, DOUBLE(cases[i].theirs) }));
		cr_expect_eq(counter_read(cases[i].counter), before + 1, "%g", cases[i].theirs);
	}
	ENRICHED(TOKENS([TOKENS_INPUT] = 1000000), SAID({ FACT_COST_TOTAL, DOUBLE(5.004) }));
	cr_expect_eq(counter_read(COUNTER_COST_SAME), 3, "within a thousandth");
	ENRICHED(.model = "x", TOKENS([TOKENS_INPUT] = 1), SAID({ FACT_COST_TOTAL, DOUBLE(1) }));
	cr_expect_eq(counter_read(COUNTER_COST_THEIRS), 1);
	ENRICHED(TOKENS([TOKENS_INPUT] = 1000));
	cr_expect_eq(counter_sum(COUNTER_COST_SAME, COUNTER_COST_THEIRS), 7);
}

/* ---- none ---- */

Test(cost, a_failed_call_that_used_nothing_costs_nothing)
{
	expect_text(ENRICHED(.is_error = true, .has_no_usage = true), DETAILS, "{\"total\":0}");
	expect_text(ENRICHED(.is_error = true), DETAILS, "{\"total\":0}");
	expect_text(ENRICHED(.is_error = true, .model = "no-such"), DETAILS, "{\"total\":0}");
	expect_text(ENRICHED(.is_error = true, TOKENS([TOKENS_INPUT] = 1000)), DETAILS,
		"{\"input\":0.005,\"total\":0.005}");
	expect_text(ENRICHED(.is_error = true, .has_no_usage = true,
			    SAID({ FACT_COST_TOTAL, DOUBLE(0.5) })),
		DETAILS, "{\"total\":0.5}");
	expect_text(ENRICHED(.has_no_usage = true), DETAILS, NULL);
	expect_text(
		ENRICHED(.is_no_model_call = true, TOKENS([TOKENS_INPUT] = 1000)), DETAILS, NULL);
}

Test(cost, a_call_without_price_is_counted_by_name_and_reason)
{
	struct names names;
	char longest[300];
	ENRICHED(.model = "no-such", TOKENS([TOKENS_INPUT] = 1));
	ENRICHED(.model = "claude-haiku-4-5", TOKENS([TOKENS_INPUT] = 1),
		SAID({ FACT_SERVICE_TIER, TEXT("fast") }));
	ENRICHED(.model = "text-embedding-3-large", TOKENS([TOKENS_OUTPUT] = 1));
	memset(longest, ' ', sizeof longest);
	memcpy(longest + sizeof longest - sizeof "text-embedding-3-large", "text-embedding-3-large",
		sizeof "text-embedding-3-large");
	ENRICHED(.model = longest + 50, TOKENS([TOKENS_OUTPUT] = 1));
	names_read(NAMES_UNKNOWN_MODELS, &names);
	cr_assert_eq(names.count, 1);
	cr_expect_str_eq(names.at[0].text, "no-such");
	names_read(NAMES_UNPRICED_MODELS, &names);
	cr_assert_eq(names.count, 3);
	cr_expect_str_eq(names.at[0].text, "claude-haiku-4-5: unknown_tier");
	cr_expect_str_eq(names.at[1].text, "text-embedding-3-large: missing_class");
	cr_expect(strstr(names.at[2].text, ": missing_class"), "%s", names.at[2].text);
	cr_expect_eq(counter_read(COUNTER_SPANS_UNKNOWN_MODEL), 1);
	cr_expect_eq(counter_read(COUNTER_SPANS_UNPRICED), 3);
}
