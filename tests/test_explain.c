/* What a person is told of a price: each step, and the sentence. */
#include <criterion/criterion.h>

#include "base/names.h"
#include "pricing/explain.h"
#include "support/price_tables.h"

static struct prices *builtin;
static struct usage usage;
static struct explanation explained;

static void load(void)
{
	builtin = builtin_table();
	usage = (struct usage){ { [TOKENS_INPUT] = 1000, [TOKENS_OUTPUT] = 10 } };
}

static void unload(void)
{
	prices_free(builtin);
}

TestSuite(explain, .init = load, .fini = unload);

static const struct explanation *explain(
	const struct prices *prices, struct price_question question)
{
	price_explain(prices, &question, &explained);
	return &explained;
}

static struct price_question from(const char *provider, const char *model)
{
	struct price_question question = ask(model, &usage);
	question.provider = bytes_of(provider);
	return question;
}

Test(explain, each_way_to_find_a_name_is_told)
{
	static const struct {
		const char *provider, *model;
		enum match_way way;
		const char *found, *id;
	} cases[] = {
		{ "anthropic", "claude-opus-4-8-20260528", MATCH_PATTERN,
			"anthropic/claude-opus-4-8-20260528", "claude-opus-4-8" },
		{ "aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", MATCH_PATTERN,
			"bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
			"bedrock-regional/claude-sonnet-4-5" },
		{ "", "projects/p/locations/eu/publishers/anthropic/models/Claude-Opus-4-8@20260528",
			MATCH_PATTERN, "claude-opus-4-8@20260528", "claude-opus-4-8" },
		{ "", "claude-sonnet-4-5[1m]", MATCH_ALIAS, "claude-sonnet-4-5",
			"claude-sonnet-4-5" },
		{ "a proxy", "gpt-5.1-codex", MATCH_ALIAS, "gpt-5.1-codex", "gpt-5.1-codex" },
		{ "groq", "llama-3.3-70b-versatile", MATCH_ALIAS, "groq/llama-3.3-70b-versatile",
			"groq/llama-3.3-70b-versatile" },
		{ "openai", "gpt-9", MATCH_NOTHING, "", NULL },
		{ "", "  ", MATCH_NO_NAME, "", NULL },
		{ "", "gpt-oss-120b", MATCH_UNPRICED, "gpt-oss-120b", NULL },
		{ "ollama", "gpt-4o", MATCH_NOT_ALLOWED, "gpt-4o", "gpt-4o" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		explain(builtin, from(cases[i].provider, cases[i].model));
		const struct match *match = &explained.match;
		cr_expect_eq(match->way, cases[i].way, "%s: %s", cases[i].model,
			match_way_name(match->way));
		cr_expect_str_eq(
			match->found, cases[i].found, "%s: %s", cases[i].model, match->found);
		cr_expect(!cases[i].id == !explained.id &&
				(!cases[i].id || strcmp(cases[i].id, explained.id) == 0),
			"%s: %s", cases[i].model, explained.id ? explained.id : "none");
		cr_expect_eq(match->way == MATCH_PATTERN, match->pattern != NULL);
	}
}

Test(explain, a_sentence_says_what_came_of_it)
{
	struct prices *ambiguous = table(TABLE("'models':[" RECORD("m",
		"'provider':'p','aliases':['m'],'patterns':['^x-[0-9]+$']," CHEAP) "," RECORD("n",
		"'provider':'p','aliases':['n'],'patterns':['^x-1*$']," CHEAP) "]"));
	struct price_question fast = from("anthropic", "claude-haiku-4-5");
	struct price_question holiday = from("deepseek", "deepseek-v4-pro");
	fast.service_tier = bytes_of("fast");
	holiday.at_ns = utc("2027-10-01 02:00:00");
	const struct {
		const struct prices *prices;
		struct price_question question;
		enum price_status status;
		const char *sentence;
	} cases[] = {
		{ builtin, from("", "claude-opus-4-8"), PRICE_FOUND,
			"The call costs $0.00525 by claude-opus-4-8." },
		{ builtin, from("", "glm-4.5-flash"), PRICE_FOUND,
			"The call costs $0 by glm-4.5-flash." },
		{ builtin, from("", "gpt-9"), PRICE_UNKNOWN_MODEL,
			"No record has the name gpt-9, and the nearest one is not guessed." },
		{ builtin, from("", ""), PRICE_UNKNOWN_MODEL,
			"The name of a model is 1 to 255 printable ASCII characters." },
		{ builtin, from("", "gpt-oss-120b"), PRICE_UNKNOWN_MODEL,
			"gpt-oss-120b is unpriced on purpose: open weights, price depends on host." },
		{ builtin, from("ollama", "gpt-4o"), PRICE_UNKNOWN_MODEL,
			"gpt-4o is in the list of openai, by which the provider of this call does "
			"not charge." },
		{ ambiguous, from("", "x-1"), PRICE_UNKNOWN_MODEL,
			"x-1 matches patterns of both m and n; nothing may decide that." },
		{ builtin, fast, PRICE_UNKNOWN_TIER,
			"claude-haiku-4-5 has no price for the service tier fast, and the standard "
			"one is not assumed." },
		{ builtin, holiday, PRICE_NOT_EVALUATED,
			"In the hours \"peak\" the price depends on whether the day is one of the PRC "
			"public holidays, and for that day the table does not know." },
		{ builtin, from("", "text-embedding-3-large"), PRICE_MISSING_CLASS,
			"text-embedding-3-large has no price for output tokens, and none to fall "
			"back to." },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		explain(cases[i].prices, cases[i].question);
		cr_expect_eq(explained.status, cases[i].status, "%zu", i);
		cr_expect_str_eq(
			explained.sentence, cases[i].sentence, "%zu: %s", i, explained.sentence);
	}
	prices_free(ambiguous);
}

Test(explain, what_decided_the_prices_is_told)
{
	struct price_question question = from("anthropic", "claude-opus-4-8");
	question.region = bytes_of("inference_geo=us");
	question.service_tier = bytes_of("Fast");
	explain(builtin, question);
	cr_expect_str_eq(explained.tier_asked, "Fast");
	cr_expect_str_eq(explained.tier, "fast");
	cr_expect_str_eq(explained.region, "inference_geo=us");
	cr_expect(explained.multiplier == (fusd)1100000000000000);
	cr_expect_null(explained.period_from);
	cr_expect_str_eq(explained.confidence, "high");
	cr_expect_str_eq(explained.provider, "anthropic");
	cr_expect(strstr(explained.notes, "fast mode 2x"), "%s", explained.notes);
	cr_expect_str_eq(explained.as_of, "2026-11-20");
	cr_expect_eq(explained.total_input, 1000);
	cr_expect_eq(explained.threshold_tokens, 0);
	cr_expect_not(explained.is_override);

	question = from("deepseek", "deepseek-v4-pro");
	question.at_ns = utc("2026-10-02 02:00:00");
	explain(builtin, question);
	cr_expect_str_eq(explained.period_from, "2026-08-17");
	cr_expect_str_eq(explained.holiday, "PRC public holidays");
	cr_expect_null(explained.schedule);
	cr_expect_null(explained.region);
}

Test(explain, a_line_says_whose_price_it_took)
{
	struct prices *prices =
		table(ONE("{'from':null,'prices':{'input':'4','output':'8','cache_read':'3'},"
			  "'service_tiers':{'batch':{'prices':{'input':'2'}}}}"));
	usage = (struct usage){ { [TOKENS_INPUT] = 1,
		[TOKENS_CACHE_READ] = 1,
		[TOKENS_CACHE_WRITE_1H] = 1,
		[TOKENS_REASONING] = 1 } };
	struct price_question question = ask("m", &usage);
	question.service_tier = bytes_of("batch");
	explain(prices, question);
	static const struct price_line lines[] = {
		{ TOKENS_INPUT, TOKENS_INPUT, false, 1, 0, 0 },
		{ TOKENS_CACHE_READ, TOKENS_CACHE_READ, true, 1, 0, 0 },
		{ TOKENS_CACHE_WRITE_1H, TOKENS_INPUT, false, 1, 0, 0 },
		{ TOKENS_REASONING, TOKENS_OUTPUT, true, 1, 0, 0 },
	};
	cr_assert_eq(explained.line_count, sizeof lines / sizeof *lines);
	for (size_t i = 0; i < explained.line_count; i++) {
		const struct price_line *line = &explained.lines[i];
		cr_expect_eq(line->class, lines[i].class, "%zu", i);
		cr_expect_eq(line->priced_as, lines[i].priced_as, "%zu", i);
		cr_expect_eq(line->is_standard, lines[i].is_standard, "%zu", i);
	}
	prices_free(prices);
}

Test(explain, a_question_is_not_counted_as_a_call)
{
	struct names names;
	explain(builtin, from("", "no-such-model"));
	names_read(NAMES_UNKNOWN_MODELS, &names);
	cr_expect_eq(names.count, 0);
	for (int i = 0; i < 3; i++)
		cr_expect_str_eq(total_of(builtin, from("", "no-such-model")), "unknown_model");
	cr_expect_str_eq(total_of(builtin, from("openai", "no-such-model")), "unknown_model");
	cr_expect_str_eq(total_of(builtin, from("", "gpt-4o")), "0.0026");
	names_read(NAMES_UNKNOWN_MODELS, &names);
	cr_assert_eq(names.count, 1);
	cr_expect_str_eq(names.at[0].text, "no-such-model");
	cr_expect_eq(names.at[0].count, 4);
}

Test(explain, a_list_has_each_record_with_the_prices_of_a_day)
{
	struct listed_record record;
	size_t free_count = 0;
	for (size_t i = 0; i < prices_count(builtin); i++) {
		prices_record(builtin, i, utc("2026-11-20"), &record);
		cr_expect(record.id && record.provider && !record.is_override);
		free_count += record.prices[TOKENS_INPUT] == 0;
		if (strcmp(record.id, "gemini-4-argon") != 0)
			continue;
		cr_expect(record.prices[TOKENS_INPUT] * 1000000 == (fusd)2 * 1000000000000000);
		prices_record(builtin, i, utc("2026-12-01"), &record);
		cr_expect(record.prices[TOKENS_INPUT] * 1000000 == (fusd)4 * 1000000000000000);
		cr_expect_str_eq(record.period_from, "2026-12-01");
	}
	cr_expect_gt(free_count, 0);
	const char *name, *words;
	size_t unpriced = 0;
	while (prices_unpriced(builtin, unpriced, &name, &words))
		unpriced++;
	cr_expect_eq(unpriced, 10);
}

Test(explain, a_table_says_how_old_it_is)
{
	cr_expect_eq(prices_age_days(builtin, utc("2026-11-20 23:59:59")), 0);
	cr_expect_eq(prices_age_days(builtin, utc("2026-11-21")), 1);
	cr_expect_eq(prices_age_days(builtin, utc("2027-02-18")), 90);
	cr_expect_eq(prices_age_days(builtin, utc("2025-01-01")), 0, "a table of the future");
}
