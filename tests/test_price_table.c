#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "support/price_tables.h"

#define FREE "'prices':{'input':'0'}"
#define TIER(members) ONE("{'from':null," FREE ",'context_tiers':[{" members "}]}")
#define TIER_WORDS "'counts':'all_input_including_cache','applies_to':'whole_request','prices':{}"
#define HOURS(members) \
	ONE("{'from':null," FREE ",'schedules':[{'name':'n','prices':{}," members "}]}")
#define MODEL(id, members) TABLE("'models':[" RECORD(id, members) "]")
#define PRICE(text) ONE("{'from':null,'prices':{'input':" text "}}")

Test(price_table, the_built_in_table_is_read_whole)
{
	struct prices *prices = builtin_table();
	cr_expect_eq(prices_count(prices), 300);
	cr_expect_str_eq(prices_as_of(prices), "2026-11-20");
	prices_free(prices);
}

Test(price_table, a_broken_table_is_refused_in_words_that_say_where)
{
	static const struct {
		const char *json, *words;
	} cases[] = {
		{ "", "'[' or '{' expected near end of file" },
		{ "[]", "must be an object" },
		{ "{'schema':'x'}", "'as_of' is missing" },
		{ "{'schema':'tollgate-prices/2','as_of':'2026-11-20','currency':'USD','sources':{},'models':[]}",
			"schema: unknown value 'tollgate-prices/2'" },
		{ "{'schema':'tollgate-prices/1','as_of':'today','currency':'USD','sources':{},'models':[]}",
			"as_of: 'today' is no date like 2026-11-20" },
		{ "{'schema':'tollgate-prices/1','as_of':'2026-11-20','currency':'EUR','sources':{},'models':[]}",
			"currency: unknown value 'EUR'" },
		{ TABLE("'models':[],'models':[]"), "duplicate object key near '\"models\"'" },
		{ TABLE("'models':[],'modles':[]"), "unknown key 'modles'" },
		{ TABLE("'models':{}"), "models: must be an array" },
		{ TABLE("'models':[7]"), "models[0]: must be an object" },
		{ TABLE("'models':[],'price_keys':['input','thinking']"),
			"price_keys has 'thinking', which is unknown here" },
		{ TABLE("'models':[],'provider_scopes':{'x':{'prefix':'x'}}"),
			"provider_scopes.x: 'allow' is missing" },
		{ TABLE("'models':[],'provider_scopes':{'x':{'prefix':'x','allow':[1]}}"),
			"provider_scopes.x: allow must hold strings" },
		{ TABLE("'models':[],'provider_scopes':{'X':{'prefix':'x','allow':[]}}"),
			"provider_scopes.X: provider or prefix is no name in normal form" },
		{ TABLE("'models':[],'unpriced_on_purpose':{'x':1}"),
			"unpriced_on_purpose.x: must be a string" },
		{ TABLE("'models':[],'unpriced_on_purpose':{'X':'w'}"),
			"unpriced_on_purpose.X: 'X' is no name in normal form" },
		{ MODEL("m", NAMED("m", "p") "," CHEAP ",'alias':[]"),
			"models[m]: unknown key 'alias'" },
		{ MODEL("m", NAMED("m", "p")),
			"models[m]: needs either 'periods', 'prices' or 'prices_per_million'" },
		{ MODEL("m", NAMED("m", "p") ",'periods':[]"),
			"models[m].periods: must not be empty" },
		{ MODEL("m", NAMED("n", "p") "," CHEAP),
			"models[m].aliases: the id itself is missing" },
		{ MODEL("m", "'provider':'p','aliases':['m','M '],'patterns':[]," CHEAP),
			"models[m].aliases[1]: 'M ' is no name in normal form" },
		{ MODEL("m", "'provider':'p','aliases':['m','m'],'patterns':[]," CHEAP),
			"'m' names both m and m" },
		{ TABLE("'models':[" RECORD("m", NAMED("m", "p") "," CHEAP) "," RECORD(
			  "n", "'provider':'p','aliases':['n','m'],'patterns':[]," CHEAP) "]"),
			"'m' names both" },
		{ TABLE("'models':[" RECORD(
			  "m", NAMED("m", "p") "," CHEAP) "],'unpriced_on_purpose':{'m':'w'}"),
			"'m' names both" },
		{ TABLE("'models':[" RECORD("m", NAMED("m", "p") "," CHEAP) "," RECORD(
			  "n", "'provider':'p','aliases':['n'],'patterns':['^[a-m]$']," CHEAP) "]"),
			"'m' of m matches a pattern of n" },
		{ MODEL("m", "'provider':'p','aliases':['m'],'patterns':['m$']," CHEAP),
			"models[m].patterns[0]: must start with ^ and end with $" },
		{ MODEL("m", "'provider':'p','aliases':['m'],'patterns':['^m|n$']," CHEAP),
			"models[m].patterns[0]: alternatives must stand in parentheses" },
		{ MODEL("m", "'provider':'p','aliases':['m'],'patterns':['^(m$']," CHEAP),
			"models[m].patterns[0]: Unmatched ( or \\(" },
		{ MODEL("m", "'provider':'p','aliases':['m'],'patterns':['^m\\\\d$']," CHEAP),
			"models[m].patterns[0]: escapes what POSIX does not let be escaped" },
		{ MODEL("m",
			  NAMED("m", "p") "," CHEAP ",'per_unit_fees':{'web_serch_call':'0.01'}"),
			"models[m].per_unit_fees: unknown key 'web_serch_call'" },
		{ MODEL("m",
			  NAMED("m", "p") "," CHEAP
					  ",'region_multipliers':{'inference_geo=us':'1,1'}"),
			"models[m].region_multipliers.inference_geo=us: '1,1' is no decimal" },
		{ MODEL("m", NAMED("m", "p") "," CHEAP ",'retired':'2026-02-30'"),
			"models[m].retired: '2026-02-30' is no date" },
		{ ONE("{'from':'2026-01-01'," FREE "}"),
			"models[m].periods[0].from: must be null in the first" },
		{ ONE("{'from':null," FREE "},{'from':null," FREE "}"),
			"models[m].periods[1].from: must be null" },
		{ ONE("{'from':null," FREE "},{'from':'2026-13-01'," FREE "}"),
			"models[m].periods[1].from: '2026-13-01' is no date" },
		{ ONE("{'from':null," FREE "},{'from':'2026-02-01'," FREE
		      "},{'from':'2026-02-01'," FREE "}"),
			"models[m].periods[2].from: must be later than in the period before" },
		{ ONE("{'from':null,'prices':{'output':'1'}}"),
			"models[m].periods[0].prices: 'input' is missing" },
		{ ONE("{'from':null,'prices':{'input':'1','inptu':'1'}}"),
			"models[m].periods[0].prices: unknown key 'inptu'" },
		{ PRICE("0.1"), "models[m].periods[0].prices.input: must be a string" },
		{ PRICE("'1e-7'"),
			"models[m].periods[0].prices.input: '1e-7' is no decimal below 100" },
		{ PRICE("''"), "'' is no decimal" },
		{ PRICE("'.5'"), "'.5' is no decimal" },
		{ PRICE("'5.'"), "'5.' is no decimal" },
		{ PRICE("'-1'"), "'-1' is no decimal" },
		{ PRICE("'+1'"), "'+1' is no decimal" },
		{ PRICE("' 1'"), "' 1' is no decimal" },
		{ PRICE("'01'"), "'01' is no decimal" },
		{ PRICE("'100'"), "'100' is no decimal" },
		{ PRICE("'0.1234567890123456'"),
			"is no decimal below 100 with at most 15 decimals" },
		{ PRICE("'0x1'"), "'0x1' is no decimal" },
		{ PRICE("'inf'"), "'inf' is no decimal" },
		{ TIER("'threshold':1,'compare':'lt'," TIER_WORDS),
			"models[m].periods[0].context_tiers[0].compare: unknown value 'lt'" },
		{ TIER("'threshold':0,'compare':'gt'," TIER_WORDS), "threshold must be above 0" },
		{ TIER("'threshold':'1','compare':'gt'," TIER_WORDS),
			"threshold: must be an integer" },
		{ TIER("'threshold':5,'compare':'gt'," TIER_WORDS
		       "},{'threshold':5,'compare':'gt'," TIER_WORDS),
			"context_tiers[1]: threshold must be above the one before" },
		{ ONE("{'from':null," FREE ",'service_tiers':{'turbo':{'prices':{}}}}"),
			"models[m].periods[0].service_tiers: unknown key 'turbo'" },
		{ ONE("{'from':null," FREE ",'service_tiers':{'batch':{'price':{}}}}"),
			"models[m].periods[0].service_tiers.batch: unknown key 'price'" },
		{ HOURS("'days':'mon-fry','windows_utc':[]"),
			"models[m].periods[0].schedules[0]: days 'mon-fry' are not like mon-fri" },
		{ HOURS("'days':'fri-mon','windows_utc':[]"), "days 'fri-mon' are not like" },
		{ HOURS("'days':'','windows_utc':[]"), "days '' are not like" },
		{ HOURS("'days':'mon-fri','windows_utc':['4:00-5:00']"),
			"schedules[0].windows_utc[0]: '4:00-5:00' is no time of day" },
		{ HOURS("'days':'sun','windows_utc':['05:00-04:00']"),
			"'05:00-04:00' is no time of day" },
		{ HOURS("'days':'sun','windows_utc':['23:00-24:01']"),
			"'23:00-24:01' is no time of day" },
		{ ONE("{'from':null," FREE ",'service_tiers':{},'schedules':[]}"),
			"models[m].periods[0]: schedules and tiers in one period have no defined meaning" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prices *prices = NULL;
		struct complaint complaint;
		int error = try_table(cases[i].json, &prices, &complaint);
		cr_expect_eq(error, -EINVAL, "%s: %d", cases[i].json, error);
		cr_expect_null(prices);
		cr_expect(strstr(complaint.text, cases[i].words), "%s\n says: %s", cases[i].words,
			complaint.text);
		cr_expect_str_eq(complaint.file, "test.json");
	}
}

Test(price_table, a_syntax_error_is_named_with_its_line)
{
	struct prices *prices = NULL;
	struct complaint complaint;
	cr_expect_eq(
		try_table("{\n'schema': 'tollgate-prices/1',\n'as_of' 1}", &prices, &complaint),
		-EINVAL);
	cr_expect_eq(complaint.line, 3);
}

Test(price_table, a_source_that_is_not_listed_is_refused)
{
	struct prices *prices = NULL;
	struct complaint complaint;
	cr_expect_eq(
		try_table(
			"{'schema':'tollgate-prices/1','as_of':'2026-11-20','currency':'USD',"
			"'sources':{'t':{}},'models':[" RECORD("m", NAMED("m", "p") "," CHEAP) "]}",
			&prices, &complaint),
		-EINVAL);
	cr_expect_str_eq(complaint.text, "models[m].sources[0]: 's' is not among the sources");
}

Test(price_table, a_cut_table_is_refused_wherever_it_is_cut)
{
	static const char whole[] = ONE("{'from':null,'prices':{'input':'0.5'}}");
	char cut[sizeof whole];
	for (size_t len = 0; len + 1 < sizeof whole; len++) {
		struct prices *prices = NULL;
		struct complaint complaint;
		memcpy(cut, whole, len);
		cut[len] = '\0';
		cr_expect_eq(try_table(cut, &prices, &complaint), -EINVAL, "%s", cut);
		cr_expect_null(prices);
	}
	prices_free(table(whole));
}

/* ---- money ---- */

static void expect_text(fusd amount, const char *expected)
{
	char text[FUSD_TEXT_MAX];
	size_t len = fusd_text(text, amount);
	cr_expect_str_eq(text, expected);
	cr_expect_eq(len, strlen(expected));
	struct buf buf;
	buf_init(&buf, 100, NULL);
	buf_fusd(&buf, amount);
	cr_expect(bytes_are(buf_bytes(&buf), expected));
	buf_done(&buf);
}

Test(money, an_amount_is_printed_exactly_and_shortest)
{
	const fusd usd = 1000000000000000, most = (fusd)(~(unsigned __int128)0 >> 1);
	expect_text(0, "0");
	expect_text(1, "0.000000000000001");
	expect_text(-1, "-0.000000000000001");
	expect_text(10500000000000, "0.0105");
	expect_text(usd, "1");
	expect_text(10 * usd, "10");
	expect_text(12 * usd + usd / 2, "12.5");
	expect_text(-12 * usd - usd / 2, "-12.5");
	expect_text(100 * usd + 1, "100.000000000000001");
	expect_text(most, "170141183460469231731687.303715884105727");
	expect_text(-most - 1, "-170141183460469231731687.303715884105728");
}

Test(money, a_decimal_is_read_exactly_and_printed_as_it_was)
{
	static const char *const texts[] = { "0", "0.000000000000001", "0.000000003625", "0.0105",
		"1", "12.5", "999999999999999.999999999999999" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		fusd amount;
		cr_assert_eq(fusd_parse(texts[i], &amount), 0, "%s", texts[i]);
		expect_text(amount, texts[i]);
	}
	fusd amount;
	cr_assert_eq(fusd_parse("0.500", &amount), 0);
	expect_text(amount, "0.5");
	cr_assert_eq(fusd_parse("00.5", &amount), -EINVAL);
	cr_assert_eq(fusd_parse("1000000000000000", &amount), -EINVAL);
	cr_assert_eq(fusd_parse("0.0000000000000001", &amount), -EINVAL);
}

Test(money, a_number_as_senders_write_it_is_read_to_the_femtodollar)
{
	static const struct {
		const char *number, *amount;
	} cases[] = {
		{ "0", "0" },
		{ "0.0105", "0.0105" },
		{ "12.50", "12.5" },
		{ "1e-05", "0.00001" },
		{ "1.25E+2", "125" },
		{ "3.6249999999999997e-09", "0.000000003625" },
		{ "0.00000000000000049", "0" },
		{ "0.0000000000000005", "0.000000000000001" },
		{ "1e-999999999999", "0" },
		{ "0e99", "0" },
		{ "0.1000000000000000055511151231257827021181583404541015625", "0.1" },
		{ "99999999999999999", "99999999999999999" },
	};
	fusd amount;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_assert_eq(
			fusd_read(bytes_of(cases[i].number), &amount), 0, "%s", cases[i].number);
		expect_text(amount, cases[i].amount);
	}
	cr_assert_eq(fusd_read(bytes_of("-0.5"), &amount), -EINVAL);
	cr_assert_eq(fusd_read(bytes_of("1e40"), &amount), -ERANGE);
	cr_assert_eq(fusd_read(bytes_of("1e9999"), &amount), -ERANGE);
	cr_assert_eq(
		fusd_read(bytes_of("99999999999999999999999999999999999999999"), &amount), -ERANGE);
}
