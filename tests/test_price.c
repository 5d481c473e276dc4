#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>

#include "support/price_tables.h"
#include "pricing/explain.h"

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

static struct usage usage_of(const json_t *example)
{
	struct usage usage = { { 0 } };
	const char *name;
	json_t *count;
	json_object_foreach(json_object_get(example, "classes"), name, count) {
		cr_assert_lt(class_named(name), TOKEN_CLASS_COUNT, "%s", name);
		usage.tokens[class_named(name)] = (uint64_t)json_integer_value(count);
	}
	json_object_foreach(json_object_get(example, "units"), name, count) {
		cr_assert_lt(unit_named(name), UNIT_COUNT, "%s", name);
		usage.units[unit_named(name)] = (uint64_t)json_integer_value(count);
	}
	return usage;
}

static void expect_amount(const char *id, const char *key, fusd amount, const json_t *details)
{
	char text[FUSD_TEXT_MAX];
	const char *expected = text_of(details, key);
	fusd_text(text, amount);
	cr_expect_str_eq(text, expected ? expected : "0", "%s: %s %s", id, key, text);
}

/* Every amount that is expected and no other. */
static void expect_details(
	const char *id, const struct explanation *explained, const json_t *details)
{
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++)
		expect_amount(
			id, token_class_name(class), explained->cost.by_class[class], details);
	for (size_t i = 0; i < explained->fee_count; i++)
		expect_amount(id, explained->fees[i].name, explained->fees[i].amount, details);
	expect_amount(id, "total", explained->cost.total, details);
	cr_expect_eq(explained->line_count + explained->fee_count + 1, json_object_size(details),
		"%s", id);
}

/* "base", "context>200000", "context>=200000", "schedule:peak": what an explanation says of the choice. */
static void expect_price_set(
	const char *id, const struct explanation *explained, const char *price_set)
{
	char text[64] = "base";
	if (explained->threshold_tokens)
		snprintf(text, sizeof text, "context>%s%llu", explained->is_inclusive ? "=" : "",
			(unsigned long long)explained->threshold_tokens);
	else if (explained->schedule)
		snprintf(text, sizeof text, "schedule:%s", explained->schedule);
	cr_expect_str_eq(text, price_set, "%s: %s", id, text);
}

/* The lines add up to what price_call says. */
static void expect_arithmetic(const char *id, const struct explanation *explained)
{
	fusd sum = 0;
	for (size_t i = 0; i < explained->line_count; i++) {
		const struct price_line *line = &explained->lines[i];
		cr_expect(line->amount == line->price * line->tokens, "%s", id);
		sum += line->amount;
	}
	for (size_t i = 0; i < explained->fee_count; i++) {
		const struct fee_line *line = &explained->fees[i];
		cr_expect(line->amount == line->fee * line->count, "%s", id);
		sum += line->amount;
	}
	cr_expect(sum == explained->cost.total, "%s", id);
}

static enum price_status expected_status(const char *reason)
{
	if (!reason)
		return PRICE_FOUND;
	return strcmp(reason, "unknown_model") == 0 ? PRICE_UNKNOWN_MODEL : PRICE_UNKNOWN_TIER;
}

static void check_example(const json_t *example)
{
	const char *id = text_of(example, "id");
	const json_t *expect = json_object_get(example, "expect");
	struct usage usage = usage_of(example);
	struct price_question question = {
		.model = bytes_of(text_of(example, "model")),
		.provider = bytes_of(text_of(example, "provider")),
		.service_tier = bytes_of(text_of(example, "service_tier")),
		.at_ns = utc(text_of(example, "date")),
		.usage = &usage,
	};
	if (json_object_get(example, "schedule")) /* peak hours, which begin at one o'clock */
		question.at_ns += UINT64_C(3600000000000);
	struct cost cost = { 0 };
	struct explanation explained;
	enum price_status status = price_call(builtin, &question, &cost);
	price_explain(builtin, &question, &explained);
	cr_assert_eq(status, expected_status(text_of(expect, "reason")), "%s: %s", id,
		price_status_name(status));
	cr_expect_eq(explained.status, status, "%s", id);
	cr_expect_arr_eq(&explained.cost, &cost, sizeof cost, "%s", id);
	if (status != PRICE_FOUND) {
		cr_expect(cost.total == 0 && !cost.model_id, "%s: no price, and yet a cost", id);
		return;
	}
	cr_expect_str_eq(cost.model_id, text_of(expect, "model_id"), "%s: %s", id, cost.model_id);
	expect_details(id, &explained, json_object_get(expect, "cost_details"));
	expect_price_set(id, &explained, text_of(expect, "price_set"));
	expect_arithmetic(id, &explained);
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

#define SOME_DAYS(more) \
	ONE("{'from':null,'prices':{'input':'0.01'},'schedules':[{'name':'peak','days':'mon-fri'," \
	    "'windows_utc':['01:00-04:00'],'exclude':'some days'," more \
	    "'prices':{'input':'0.02'}}]}")

Test(price, hours_with_exceptions_in_words_alone_have_no_price_and_all_others_do)
{
	struct prices *prices = table(SOME_DAYS(""));
	struct usage usage = { { [TOKENS_INPUT] = 1 } };
	struct price_question question = ask("m", &usage);
	question.at_ns = utc("2026-11-20 03:59:59");
	cr_expect_str_eq(total_of(prices, question), "not_evaluated");
	question.at_ns = utc("2026-11-20 04:00:00");
	cr_expect_str_eq(total_of(prices, question), "0.01");
	question.at_ns = utc("2026-11-21 03:59:59");
	cr_expect_str_eq(total_of(prices, question), "0.01");
	prices_free(prices);
}

Test(price, days_that_are_named_are_excluded_as_far_as_they_are_known)
{
	struct prices *prices = table(SOME_DAYS(
		"'exclude_dates':['2026-11-20','2026-11-18'],'exclude_known_to':'2026-11-24',"));
	static const struct {
		const char *utc, *total;
	} times[] = {
		{ "2026-11-17 01:00:00", "0.02" },
		{ "2026-11-18 01:00:00", "0.01" },
		{ "2026-11-19 01:00:00", "0.02" },
		{ "2026-11-20 01:00:00", "0.01" },
		{ "2026-11-20 23:00:00", "0.01" },
		{ "2026-11-24 03:59:59", "0.02" },
		{ "2026-11-25 00:59:59", "0.01" },
		{ "2026-11-25 01:00:00", "not_evaluated" },
	};
	struct usage usage = { { [TOKENS_INPUT] = 1 } };
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct price_question question = ask("m", &usage);
		question.at_ns = utc(times[i].utc);
		cr_expect_str_eq(total_of(prices, question), times[i].total, "%s", times[i].utc);
	}
	prices_free(prices);
}

Test(price, deepseek_doubles_its_price_in_the_hours_that_it_names)
{
	static const struct {
		const char *utc, *total;
	} times[] = {
		{ "2026-11-20 09:59:59", "1.32" }, { "2026-11-20 10:00:00", "0.66" },
		{ "2026-11-21 09:59:59", "0.66" }, /* Saturday */
		{ "2026-10-01 02:00:00", "0.66" }, /* National Day, a Thursday */
		{ "2026-10-08 02:00:00", "1.32" }, { "2026-12-31 02:00:00", "1.32" },
		{ "2027-01-01 02:00:00", "not_evaluated" }, /* holidays not known yet */
		{ "2027-01-01 05:00:00", "0.66" },
		{ "2026-08-14 09:00:00", "0.435" }, /* a Friday, before there were peak hours */
	};
	struct usage usage = { { [TOKENS_INPUT] = 1000000 } };
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct price_question question = ask("deepseek-v4-pro", &usage);
		question.at_ns = utc(times[i].utc);
		cr_expect_str_eq(total_of(builtin, question), times[i].total, "%s", times[i].utc);
	}
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

/* ---- what is paid beside the tokens ---- */

#define SURCHARGED(members) \
	TABLE("'models':[" RECORD("m", \
		NAMED("m", \
			"p") ",'periods':[{'from':null,'prices':{'input':'0.00001','output':'0.00002','cache_read':" \
			     "'0.00000001'},'service_tiers':{'batch':{'prices':{'input':'0.000005'}}}}]," members) "]")

Test(price, a_region_multiplies_every_token_price_and_no_fee)
{
	struct prices *prices = table(SURCHARGED(
		"'per_unit_fees':{'web_search_call':'0.01'},"
		"'region_multipliers':{'inference_geo=us':'1.1','data_residency=eu':'1.25'}"));
	static const struct {
		const char *region, *tier, *total;
	} cases[] = {
		{ "", "", "0.0302" },
		{ "inference_geo=us", "", "0.03222" },
		{ "Inference_Geo=US", "", "0.03222" },
		{ "data_residency=eu", "", "0.03525" },
		{ "inference_geo=us", "batch", "0.02672" },
		{ "inference_geo=eu", "", "0.0302" }, /* not listed: charged like any other */
		{ "inference_geo=global", "", "0.0302" },
		{ "inference_geo=us ", "", "0.0302" },
	};
	struct usage usage = { .tokens = { [TOKENS_INPUT] = 1000,
				       [TOKENS_OUTPUT] = 500,
				       [TOKENS_CACHE_READ] = 20000 },
		.units = { [UNITS_WEB_SEARCHES] = 1 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct price_question question = ask("m", &usage);
		question.region = bytes_of(cases[i].region);
		question.service_tier = bytes_of(cases[i].tier);
		cr_expect_str_eq(total_of(prices, question), cases[i].total, "%s %s: %s",
			cases[i].region, cases[i].tier, total_of(prices, question));
	}
	prices_free(prices);
}

/* Prices of the built-in table, worked out by hand. */
Test(price, regions_of_the_providers_cost_a_tenth_more_where_they_say_so)
{
	static const struct {
		const char *model, *region, *total;
	} cases[] = {
		{ "claude-opus-4-8", "inference_geo=us", "0.55" },
		{ "claude-opus-4-8", "data_residency=us", "0.5" },
		{ "claude-sonnet-4-5", "inference_geo=us", "0.3" }, /* no such offer before 4.6 */
		{ "gpt-5.5", "data_residency=eu", "0.55" },
		{ "gpt-4o", "data_residency=eu", "0.25" },
	};
	struct usage usage = { { [TOKENS_INPUT] = 100000 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct price_question question = ask(cases[i].model, &usage);
		question.region = bytes_of(cases[i].region);
		cr_expect_str_eq(total_of(builtin, question), cases[i].total, "%s %s: %s",
			cases[i].model, cases[i].region, total_of(builtin, question));
	}
}

Test(price, what_is_paid_by_the_piece_is_paid_for_what_was_counted)
{
	static const struct {
		const char *fees;
		uint64_t units[UNIT_COUNT];
		const char *total;
		bool is_lower_bound;
	} cases[] = {
		{ "'web_search_request':'0.01'", { 3 }, "0.03", false },
		{ "'web_search_call':'0.01'", { 2 }, "0.02", false },
		{ "'google_search_query':'0.014'", { 2 }, "0.028", false },
		{ "'file_search_call':'0.0025'", { 0, 4 }, "0.01", false },
		{ "'web_search_call':'0.01','file_search_call':'0.0025'", { 1, 1 }, "0.0125",
			false },
		{ "'google_search_grounded_prompt':'0.035'", { 0, 0, 1 }, "0.035", false },
		/* One call is one prompt, however often it searched. */
		{ "'google_search_grounded_prompt':'0.035'", { 5 }, "0.035", false },
		{ "'google_search_grounded_prompt':'0.035'", { 5, 0, 1 }, "0.035", false },
		{ "'google_search_query':'0.014'", { 0, 0, 1 }, "0", true },
		{ "'web_search_call':'0.01'", { 1, 1 }, "0.01", true },
		{ "", { 1 }, "0", true },
		{ "'web_search_call':'0.01'", { 0 }, "0", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char json[1024], total[FUSD_TEXT_MAX];
		snprintf(json, sizeof json, SURCHARGED("'per_unit_fees':{%s}"), cases[i].fees);
		struct prices *prices = table(json);
		struct usage usage = { { 0 } };
		memcpy(usage.units, cases[i].units, sizeof usage.units);
		struct price_question question = ask("m", &usage);
		struct cost cost;
		cr_assert_eq(price_call(prices, &question, &cost), PRICE_FOUND);
		fusd_text(total, cost.total);
		cr_expect_str_eq(total, cases[i].total, "case %zu: %s", i, total);
		cr_expect_eq(cost.is_lower_bound, cases[i].is_lower_bound, "case %zu", i);
		prices_free(prices);
	}
}

Test(price, a_unit_is_known_by_its_name_and_by_its_fees)
{
	for (enum unit unit = 0; unit < UNIT_COUNT; unit++)
		cr_expect_eq(unit_named(unit_name(unit)), unit);
	cr_expect_eq(unit_named("web_search_call"), UNITS_WEB_SEARCHES);
	cr_expect_eq(unit_named("google_search_query"), UNITS_WEB_SEARCHES);
	cr_expect_eq(unit_named("google_search_grounded_prompt"), UNITS_GROUNDED_PROMPTS);
	cr_expect_eq(unit_named("search"), UNIT_COUNT);
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
	struct prices *prices = table(TABLE("'models':[" RECORD("m",
		NAMED("m",
			"p") ",'prices':{'input':'99.999999999999998','output':'99.999999999999998'},"
			     "'per_unit_fees':{'web_search_call':'99.999999999999999','file_search_call':"
			     "'99.999999999999999','google_search_grounded_prompt':'99.999999999999999'},"
			     "'region_multipliers':{'geo=half':'0.5'}") "]"));
	struct usage usage;
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++)
		usage.tokens[class] = UINT64_MAX;
	for (enum unit unit = 0; unit < UNIT_COUNT; unit++)
		usage.units[unit] = UINT64_MAX;
	struct price_question question = ask("m", &usage);
	/* (2^64 - 1) * (11 * 99.999999999999998 + 3 * 99.999999999999999) */
	cr_expect_str_eq(total_of(prices, question), "25825441703193371799831.398157261209625");
	question.region = bytes_of("geo=half");
	cr_expect_str_eq(total_of(prices, question), "15679732462653118614495.58296806627739");
	prices_free(prices);
}
