#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>

#include "support/price_tables.h"

static struct prices *builtin;

static void load(void)
{
	builtin = builtin_table();
}

static void unload(void)
{
	prices_free(builtin);
}

TestSuite(price, .init = load, .fini = unload);

static json_t *fixture(const char *path)
{
	char whole[512];
	snprintf(whole, sizeof whole, "%s/%s", getenv("srcdir"), path);
	json_error_t error;
	json_t *json = json_load_file(whole, 0, &error);
	cr_assert(json, "%s: %s", whole, error.text);
	return json;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static size_t class_named(const char *name)
{
	size_t class = 0;
	while (class < TOKEN_CLASS_COUNT && strcmp(token_class_name(class), name) != 0)
		class ++;
	return class;
}

static struct usage usage_of(const json_t *classes)
{
	struct usage usage = { { 0 } };
	const char *name;
	json_t *count;
	json_object_foreach((json_t *)classes, name, count) {
		cr_assert_lt(class_named(name), TOKEN_CLASS_COUNT, "%s", name);
		usage.tokens[class_named(name)] = (uint64_t)json_integer_value(count);
	}
	return usage;
}

/* Every class that is expected and no other, and the total unless a fee is in it. */
static void expect_details(
	const char *id, const struct cost *cost, const json_t *details, bool has_fee)
{
	char text[FUSD_TEXT_MAX];
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		const char *expected = text_of(details, token_class_name(class));
		fusd_text(text, cost->by_class[class]);
		cr_expect_str_eq(text, expected ? expected : "0", "%s: %s %s", id,
			token_class_name(class), text);
	}
	fusd_text(text, cost->total);
	if (!has_fee)
		cr_expect_str_eq(text, text_of(details, "total"), "%s: total %s", id, text);
}

/* Examples that need what a question cannot say; all else of them is asserted. */
enum lack { NOTHING, FEES, HOLIDAYS };

static enum lack lack_of(const char *id)
{
	if (strcmp(id, "V025") == 0) /* 3 web searches */
		return FEES;
	if (strcmp(id, "V070") == 0) /* 2 Google searches */
		return FEES;
	if (strcmp(id, "V076") == 0) /* peak hours; whether on a holiday of the PRC is not said */
		return HOLIDAYS;
	return NOTHING;
}

static void check_example(const json_t *example)
{
	const char *id = text_of(example, "id");
	const json_t *expect = json_object_get(example, "expect");
	const char *reason = text_of(expect, "reason");
	enum lack lack = lack_of(id);
	cr_expect_eq(lack == FEES, json_object_get(example, "units") != NULL, "%s", id);
	cr_expect_eq(lack == HOLIDAYS, json_object_get(example, "schedule") != NULL, "%s", id);

	struct usage usage = usage_of(json_object_get(example, "classes"));
	struct price_question question = {
		.model = bytes_of(text_of(example, "model")),
		.provider = bytes_of(text_of(example, "provider")),
		.service_tier = bytes_of(text_of(example, "service_tier")),
		.at_ns = utc(text_of(example, "date")),
		.usage = &usage,
	};
	enum price_status expected = PRICE_FOUND;
	if (lack == HOLIDAYS) {
		question.at_ns += 2 * UINT64_C(3600000000000);
		expected = PRICE_NOT_EVALUATED;
	} else if (reason) {
		expected = strcmp(reason, "unknown_model") == 0 ? PRICE_UNKNOWN_MODEL :
								  PRICE_UNKNOWN_TIER;
	}
	struct cost cost = { 0 };
	enum price_status status = price_call(builtin, &question, &cost);
	cr_assert_eq(status, expected, "%s: %s", id, price_status_name(status));
	if (status != PRICE_FOUND) {
		cr_expect(cost.total == 0 && !cost.model_id, "%s: no price, and yet a cost", id);
		return;
	}
	cr_expect_str_eq(cost.model_id, text_of(expect, "model_id"), "%s: %s", id, cost.model_id);
	expect_details(id, &cost, json_object_get(expect, "cost_details"), lack == FEES);
}

Test(price, each_worked_example_comes_out_to_the_last_digit)
{
	json_t *file = fixture("tests/fixtures/pricing/vectors.json");
	const json_t *examples = json_object_get(file, "vectors"), *example;
	cr_expect_eq(json_array_size(examples), 57);
	size_t i;
	json_array_foreach(examples, i, example)
		check_example(example);
	json_decref(file);
}

/* V076 again, with the exception taken out of the record: then nothing is uncertain. */
Test(price, hours_without_exceptions_have_their_own_price)
{
	struct prices *prices = table(
		ONE("{'from':null,'prices':{'input':'0.00000015',"
		    "'output':'0.0000006','cache_read':'0.000000003'},'schedules':[{'name':'peak',"
		    "'days':'mon-fri','windows_utc':['01:00-04:00','06:00-10:00'],'prices':{"
		    "'input':'0.0000003','output':'0.0000012','cache_read':'0.000000006'}}]}"));
	struct usage usage = {
		{ [TOKENS_CACHE_READ] = 45000, [TOKENS_INPUT] = 5000, [TOKENS_OUTPUT] = 2000 }
	};
	static const struct {
		const char *utc, *total;
	} times[] = {
		{ "2026-11-20 00:59:59", "0.002085" },
		{ "2026-11-20 01:00:00", "0.00417" },
		{ "2026-11-20 03:59:59", "0.00417" },
		{ "2026-11-20 04:00:00", "0.002085" },
		{ "2026-11-20 06:00:00", "0.00417" },
		{ "2026-11-20 10:00:00", "0.002085" },
		{ "2026-11-21 02:00:00", "0.002085" }, /* Saturday */
		{ "2026-11-22 02:00:00", "0.002085" },
		{ "2026-11-23 02:00:00", "0.00417" },
	};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct price_question question = ask("m", &usage);
		question.at_ns = utc(times[i].utc);
		const char *total = total_of(prices, question);
		cr_expect_str_eq(total, times[i].total, "%s: %s", times[i].utc, total);
	}
	prices_free(prices);
}

Test(price, hours_with_exceptions_in_words_have_no_price_and_all_others_do)
{
	struct usage usage = { { [TOKENS_INPUT] = 1000000 } };
	struct price_question question = ask("deepseek-v4-pro", &usage);
	question.at_ns = utc("2026-11-20 09:59:59");
	cr_expect_str_eq(total_of(builtin, question), "not_evaluated");
	question.at_ns = utc("2026-11-20 10:00:00");
	cr_expect_str_eq(total_of(builtin, question), "0.66");
	question.at_ns = utc("2026-11-21 09:59:59");
	cr_expect_str_eq(total_of(builtin, question), "0.66");
	question.at_ns = utc("2026-08-14 09:00:00"); /* a Friday, before there were peak hours */
	cr_expect_str_eq(total_of(builtin, question), "0.435");
}

Test(price, a_period_begins_at_midnight_utc)
{
	struct usage usage = { { [TOKENS_INPUT] = 20000, [TOKENS_CACHE_READ] = 30000 } };
	struct price_question question = ask("gemini-4-argon", &usage);
	question.at_ns = utc("2026-12-01");
	cr_expect_str_eq(total_of(builtin, question), "0.086");
	question.at_ns--;
	cr_expect_str_eq(total_of(builtin, question), "0.043");
	question.at_ns = 0;
	cr_expect_str_eq(total_of(builtin, question), "0.043");
	question.at_ns = UINT64_MAX;
	cr_expect_str_eq(total_of(builtin, question), "0.086");
}

#define WITH_CONTEXT(compare) \
	ONE("{'from':null,'prices':{'input':'0.01','output':'0.02'}," \
	    "'context_tiers':[{'threshold':10,'compare':'" compare \
	    "','counts':'all_input_including_cache'," \
	    "'applies_to':'whole_request','prices':{'input':'0.03'}},{'threshold':20,'compare':'gt'," \
	    "'counts':'all_input_including_cache','applies_to':'whole_request','prices':{'input':'0.05'," \
	    "'output':'0.07'}}]}")

Test(price, a_longer_context_raises_the_price_of_the_whole_request)
{
	struct prices *above = table(WITH_CONTEXT("gt")), *from = table(WITH_CONTEXT("ge"));
	static const struct {
		uint64_t input;
		const char *above, *from;
	} cases[] = {
		{ 9, "0.09", "0.09" },
		{ 10, "0.1", "0.3" },
		{ 11, "0.33", "0.33" },
		{ 20, "0.6", "0.6" },
		{ 21, "1.05", "1.05" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct usage usage = { { [TOKENS_INPUT] = cases[i].input } };
		cr_expect_str_eq(total_of(above, ask("m", &usage)), cases[i].above, "%zu", i);
		cr_expect_str_eq(total_of(from, ask("m", &usage)), cases[i].from, "%zu", i);
	}
	prices_free(above);
	prices_free(from);
}

Test(price, all_input_lengthens_the_context_and_no_output_does)
{
	struct prices *prices = table(WITH_CONTEXT("gt"));
	static const bool is_input[TOKEN_CLASS_COUNT] = {
		[TOKENS_INPUT] = true,
		[TOKENS_CACHE_READ] = true,
		[TOKENS_CACHE_WRITE_5M] = true,
		[TOKENS_CACHE_WRITE_1H] = true,
		[TOKENS_AUDIO_INPUT] = true,
		[TOKENS_CACHED_AUDIO_INPUT] = true,
		[TOKENS_IMAGE_INPUT] = true,
	};
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		struct usage usage = { { [TOKENS_INPUT] = 1 } };
		usage.tokens[class] += 20;
		struct price_question question = ask("m", &usage);
		struct cost cost;
		cr_assert_eq(price_call(prices, &question, &cost), PRICE_FOUND);
		fusd one_input = cost.by_class[TOKENS_INPUT] / (fusd)usage.tokens[TOKENS_INPUT];
		cr_expect(one_input == (is_input[class] ? 5 : 1) * (fusd)10000000000000, "%s",
			token_class_name(class));
	}
	struct usage most = { { [TOKENS_INPUT] = UINT64_MAX, [TOKENS_CACHE_READ] = 2 } };
	struct price_question question = ask("m", &most);
	struct cost cost;
	cr_assert_eq(price_call(prices, &question, &cost), PRICE_FOUND);
	cr_expect(cost.by_class[TOKENS_CACHE_READ] == 2 * (fusd)50000000000000,
		"the sum of tokens wrapped");
	prices_free(prices);
}

Test(price, service_tiers_that_mean_standard_and_only_they_take_the_standard_price)
{
	static const struct {
		const char *model, *tier, *total;
	} cases[] = {
		{ "claude-opus-4-8", "", "5" },
		{ "claude-opus-4-8", "default", "5" },
		{ "claude-opus-4-8", "auto", "5" },
		{ "claude-opus-4-8", "standard", "5" },
		{ "claude-opus-4-8", "on_demand", "5" },
		{ "claude-opus-4-8", "STANDARD", "5" },
		{ "claude-opus-4-8", "batch", "2.5" },
		{ "claude-opus-4-8", "fast", "10" },
		{ "claude-opus-4-8", "priority",
			"unknown_tier" }, /* a contract, not the fast mode */
		{ "claude-opus-4-8", "flex", "unknown_tier" },
		{ "claude-opus-4-8", "scale", "unknown_tier" },
		{ "claude-opus-4-8", "standard_only", "unknown_tier" },
		{ "gpt-4o", "priority", "4.25" },
		{ "gpt-4o", "fast", "4.25" }, /* OpenAI's newer name */
		{ "gpt-4.1", "flex", "unknown_tier" },
	};
	struct usage usage = { { [TOKENS_INPUT] = 1000000 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct price_question question = ask(cases[i].model, &usage);
		question.service_tier = bytes_of(cases[i].tier);
		const char *total = total_of(builtin, question);
		cr_expect_str_eq(
			total, cases[i].total, "%s %s: %s", cases[i].model, cases[i].tier, total);
	}
}

/* gpt-5.4 has a long-context price, and its priority tier has none. */
Test(price, a_service_tier_has_its_own_context_tiers)
{
	struct usage usage = { { [TOKENS_INPUT] = 300000 } };
	struct price_question question = ask("gpt-5.5", &usage);
	cr_expect_str_eq(total_of(builtin, question), "3");
	question.service_tier = bytes_of("batch");
	cr_expect_str_eq(total_of(builtin, question), "1.5");
	question.service_tier = bytes_of("priority");
	cr_expect_str_eq(total_of(builtin, question), "3.75");
}

/* ---- which class ---- */

Test(price, a_class_without_price_takes_that_of_its_parent)
{
	static const struct {
		const char *prices;
		enum token_class class;
		const char *total;
	} cases[] = {
		{ "'input':'1','output':'2'", TOKENS_CACHE_READ, "1" },
		{ "'input':'1','output':'2'", TOKENS_CACHE_WRITE_5M, "1" },
		{ "'input':'1','output':'2'", TOKENS_CACHE_WRITE_1H, "1" },
		{ "'input':'1','cache_write_5m':'3'", TOKENS_CACHE_WRITE_1H, "3" },
		{ "'input':'1','cache_write_1h':'3'", TOKENS_CACHE_WRITE_5M, "1" },
		{ "'input':'1','output':'2'", TOKENS_REASONING, "2" },
		{ "'input':'1','output':'2','reasoning':'4'", TOKENS_REASONING, "4" },
		{ "'input':'1','output':'2'", TOKENS_AUDIO_INPUT, "1" },
		{ "'input':'1','output':'2'", TOKENS_AUDIO_OUTPUT, "2" },
		{ "'input':'1','output':'2'", TOKENS_IMAGE_INPUT, "1" },
		{ "'input':'1','output':'2'", TOKENS_IMAGE_OUTPUT, "2" },
		{ "'input':'1','output':'2'", TOKENS_CACHED_AUDIO_INPUT, "1" },
		{ "'input':'1','cache_read':'5'", TOKENS_CACHED_AUDIO_INPUT, "5" },
		{ "'input':'1','audio_input':'5'", TOKENS_CACHED_AUDIO_INPUT, "1" },
		{ "'input':'1'", TOKENS_OUTPUT, "missing_class" },
		{ "'input':'1'", TOKENS_REASONING, "missing_class" },
		{ "'input':'1','reasoning':'2'", TOKENS_OUTPUT, "missing_class" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char json[1024];
		snprintf(json, sizeof json, ONE("{'from':null,'prices':{%s}}"), cases[i].prices);
		struct prices *prices = table(json);
		struct usage usage = { { 0 } };
		usage.tokens[cases[i].class] = 1;
		const char *total = total_of(prices, ask("m", &usage));
		cr_expect_str_eq(total, cases[i].total, "%s of {%s}: %s",
			token_class_name(cases[i].class), cases[i].prices, total);
		prices_free(prices);
	}
}

Test(price, a_tier_without_a_class_asks_the_standard_prices_before_the_parent)
{
	struct prices *prices =
		table(ONE("{'from':null,'prices':{'input':'4','output':'8','cache_read':'3'},"
			  "'service_tiers':{'batch':{'prices':{'input':'2'}}}}"));
	static const struct {
		enum token_class class;
		const char *total;
	} cases[] = {
		{ TOKENS_INPUT, "2" },
		{ TOKENS_CACHE_READ, "3" },
		{ TOKENS_CACHE_WRITE_5M, "2" }, /* no one has it: the parent, in the tier */
		{ TOKENS_OUTPUT, "8" },
		{ TOKENS_REASONING, "8" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct usage usage = { { 0 } };
		usage.tokens[cases[i].class] = 1;
		struct price_question question = ask("m", &usage);
		question.service_tier = bytes_of("batch");
		cr_expect_str_eq(total_of(prices, question), cases[i].total, "%s",
			token_class_name(cases[i].class));
	}
	prices_free(prices);
}

/* ---- no cost is not zero ---- */

Test(price, a_free_model_costs_nothing_and_an_unknown_one_has_no_cost)
{
	struct usage usage = { { [TOKENS_INPUT] = 1000, [TOKENS_OUTPUT] = 1000 } };
	cr_expect_str_eq(total_of(builtin, ask("glm-4.5-flash", &usage)), "0");
	cr_expect_str_eq(total_of(builtin, ask("glm-4.5-flash-x", &usage)), "unknown_model");
	struct usage none = { { 0 } };
	cr_expect_str_eq(total_of(builtin, ask("gpt-4o", &none)), "0");
}

Test(price, a_refusal_leaves_the_cost_untouched)
{
	struct usage usage = { { [TOKENS_INPUT] = 1000, [TOKENS_OUTPUT] = 1 } };
	struct cost cost = { .total = 42, .model_id = "before" };
	struct price_question questions[] = { ask("no-such-model", &usage), ask("gpt-4o", &usage),
		ask("text-embedding-3-large", &usage) };
	questions[1].service_tier = bytes_of("scale");
	static const enum price_status expected[] = { PRICE_UNKNOWN_MODEL, PRICE_UNKNOWN_TIER,
		PRICE_MISSING_CLASS };
	for (size_t i = 0; i < 3; i++) {
		cr_expect_eq(price_call(builtin, &questions[i], &cost), expected[i], "%zu", i);
		cr_expect(cost.total == 42);
		cr_expect_str_eq(cost.model_id, "before");
	}
}

Test(price, the_dearest_call_there_can_be_is_summed_exactly)
{
	struct prices *prices = table(ONE("{'from':null,'prices':{'input':'99.999999999999999',"
					  "'output':'99.999999999999999'}}"));
	struct usage usage;
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++)
		usage.tokens[class] = UINT64_MAX;
	/* 11 * (2^64 - 1) * 99.999999999999999 */
	cr_expect_str_eq(
		total_of(prices, ask("m", &usage)), "20291418481080506573585.815189194932235");
	prices_free(prices);
}
