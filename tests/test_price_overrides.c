#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pricing/explain.h"
#include "support/price_tables.h"
#include "support/scratch.h"

/* Overrides of the built-in table, written with ' for ". */
static int try_overrides(const char *text, struct prices **ret_prices, struct complaint *complaint)
{
	char *json = strdup(text);
	for (char *at = json; (at = strchr(at, '\''));)
		*at = '"';
	*complaint = (struct complaint){ 0 };
	int error = prices_parse_overrides(bytes_of(json), "own.json", ret_prices, complaint);
	free(json);
	return error;
}

static struct prices *overrides(const char *text)
{
	struct prices *prices = NULL;
	struct complaint complaint;
	cr_assert_eq(try_overrides(text, &prices, &complaint), 0, "%s", complaint.text);
	return prices;
}

/* The price of a million tokens of input. */
static const char *million(const struct prices *prices, const char *provider, const char *model)
{
	static const struct usage usage = { { [TOKENS_INPUT] = 1000000 } };
	struct price_question question = ask(model, &usage);
	question.provider = bytes_of(provider);
	return total_of(prices, question);
}

struct call {
	const char *provider, *model, *total;
};

static void expect_calls(const char *json, const struct call *calls)
{
	struct prices *prices = overrides(json);
	for (; calls->model; calls++) {
		const char *total = million(prices, calls->provider, calls->model);
		cr_expect_str_eq(total, calls->total, "%s '%s' '%s': %s", json, calls->provider,
			calls->model, total);
	}
	prices_free(prices);
}

#define CALLS(...) ((const struct call[]){ __VA_ARGS__, { 0 } })

Test(overrides, a_few_words_make_a_model)
{
	expect_calls("{'models':[{'id':'my-model','prices':{'input':'0.000001'}}]}",
		CALLS({ "", "my-model", "1" }, { "", "My-Model[1m]", "1" },
			{ "ollama", "my-model", "1" }, { "openai", "my-model", "1" },
			{ "", "my-model-2", "unknown_model" }, { "", "gpt-4o", "2.5" }));
}

Test(overrides, prices_may_be_written_by_the_million)
{
	struct prices *prices = overrides(
		"{'models':[{'id':'m','prices_per_million':{'input':'2.5','output':'0.000000001'},"
		"'service_tiers':{'batch':{'prices_per_million':{'input':'1.25'}}}}]}");
	struct usage usage = { { [TOKENS_INPUT] = 3, [TOKENS_OUTPUT] = 1 } };
	struct price_question question = ask("m", &usage);
	cr_expect_str_eq(total_of(prices, question), "0.000007500000001");
	question.service_tier = bytes_of("batch");
	cr_expect_str_eq(total_of(prices, question), "0.000003750000001");
	prices_free(prices);
}

Test(overrides, a_model_for_nothing_costs_nothing)
{
	expect_calls("{'models':[{'id':'llama3.3','prices':{'input':'0','output':'0'}}]}",
		CALLS({ "ollama", "llama3.3", "0" }, { "ollama", "llama3.2", "unknown_model" }));
}

Test(overrides, a_record_of_a_known_id_keeps_the_names_and_changes_the_price)
{
	expect_calls("{'models':[{'id':'claude-opus-4-8','prices_per_million':{'input':'4'}}]}",
		CALLS({ "", "claude-opus-4-8", "4" }, { "anthropic", "claude-opus-4-8", "4" },
			{ "anthropic", "claude-opus-4-8-20991231", "4" },
			{ "gcp.vertex_ai", "claude-opus-4-8@20991231", "4" },
			{ "", "anthropic/claude-opus-4.8", "4" },
			{ "openai", "claude-opus-4-8", "unknown_model" },
			{ "", "claude-opus-4-7", "5" }));
}

Test(overrides, what_a_record_states_itself_is_not_taken_from_the_one_it_stands_for)
{
	expect_calls(
		"{'models':[{'id':'claude-opus-4-8','aliases':['claude-opus-4-8'],'patterns':[],"
		"'provider':'any','prices_per_million':{'input':'4'}}]}",
		CALLS({ "", "claude-opus-4-8", "4" }, { "openai", "claude-opus-4-8", "4" },
			{ "anthropic", "claude-opus-4-8-20991231", "unknown_model" },
			{ "", "claude-4.8-opus", "unknown_model" }));
}

Test(overrides, a_record_without_prices_keeps_them_and_may_add_names)
{
	expect_calls("{'models':[{'id':'gpt-4o','aliases':['gpt-4o','our-deployment']}]}",
		CALLS({ "azure", "our-deployment", "2.5" }, { "", "gpt-4o", "2.5" },
			{ "openai", "gpt-4o-2024-05-13", "5" }));
}

Test(overrides, names_of_theirs_win_over_those_of_the_table_with_and_without_provider)
{
	static const char json[] =
		"{'models':[{'id':'ours','aliases':['claude-opus-4-8'],'patterns':['^gpt-4o.*$'],"
		"'prices_per_million':{'input':'1'}}]}";
	expect_calls(json,
		CALLS({ "", "claude-opus-4-8", "1" }, { "anthropic", "claude-opus-4-8", "1" },
			{ "aws.bedrock", "claude-opus-4-8", "1" }, { "", "ours", "1" },
			{ "", "gpt-4o", "1" }, { "openai", "gpt-4o-mini", "1" },
			/* Another name of the table's own record. */
			{ "", "claude-opus-4-8-20991231", "5" },
			{ "", "anthropic/claude-opus-4-8", "5" }));
}

Test(overrides, a_provider_that_is_named_is_held_to)
{
	static const char json[] =
		"{'models':[{'id':'llama','provider':'groq','prices_per_million':{'input':'1'}}]}";
	expect_calls(json,
		CALLS({ "groq", "llama", "1" }, { "", "llama", "1" },
			{ "ollama", "llama", "unknown_model" }));
	static const char with_scope[] =
		"{'provider_scopes':{'ollama':{'prefix':'local','allow':['groq']}},"
		"'models':[{'id':'local/llama','provider':'groq','prices_per_million':{'input':'1'}}]}";
	expect_calls(
		with_scope, CALLS({ "ollama", "llama", "1" }, { "", "llama", "unknown_model" }));
}

Test(overrides, a_name_may_be_taken_out_of_the_table)
{
	expect_calls("{'unpriced_on_purpose':{'gpt-4o':'by subscription'}}",
		CALLS({ "openai", "gpt-4o", "unknown_model" }, { "", "openai/gpt-4o", "2.5" }));
}

Test(overrides, fees_and_regions_of_the_record_it_stands_for_hold)
{
	struct prices *prices = overrides(
		"{'models':[{'id':'claude-opus-4-8','prices_per_million':{'input':'4'}}]}");
	struct usage usage = { .tokens = { [TOKENS_INPUT] = 1000000 },
		.units = { [UNITS_WEB_SEARCHES] = 2 } };
	struct price_question question = ask("claude-opus-4-8", &usage);
	question.region = bytes_of("inference_geo=us");
	cr_expect_str_eq(total_of(prices, question), "4.42");
	question.service_tier = bytes_of("fast"); /* at what price, nobody said */
	cr_expect_str_eq(total_of(prices, question), "unknown_tier");
	prices_free(prices);
}

Test(overrides, a_mistake_is_named_with_its_line)
{
	static const struct {
		const char *json, *words;
		int line;
	} cases[] = {
		{ "{'models':[\n{'id':'m'\n'prices':{}}]}", "'}' expected", 3 },
		{ "[]", "must be an object", 1 },
		{ "{\n'modles':[]}", "unknown key 'modles'", 2 },
		{ "{'schema':'tollgate-prices/2'}", "schema: unknown value", 1 },
		{ "{'models':[{'id':'a','prices':{'input':'1'}},\n{'id':'b',\n'prices':{'inptu':'1'}}]}",
			"models[b].prices: unknown key 'inptu'", 3 },
		{ "{'models':[{'id':'a','prices':{'input':'1'}},\n{'id':'b',\n'prices':{\n'input':'1,5'}}]}",
			"models[b].prices.input: '1,5' is no decimal", 4 },
		{ "{'models':[\n\n{'id':'b','prices_per_million':{'input':'0.0000000001'}}]}",
			"models[b].prices_per_million.input: '0.0000000001' is no decimal below "
			"100000000 with at most 9 decimals",
			3 },
		{ "{'models':[\n{'prices':{'input':'1'}}]}", "models[0]: 'id' is missing", 2 },
		{ "{'models':[\n{'id':'b'}]}",
			"models[b]: needs either 'periods', 'prices' or 'prices_per_million'", 2 },
		{ "{'models':[{'id':'b','prices':{'input':'1'},\n'prices_per_million':{'input':'1'}}]}",
			"models[b]: needs either 'prices' or 'prices_per_million'", 1 },
		{ "{'models':[{'id':'b','prices':{'input':'1'},\n'periods':[]}]}",
			"models[b]: needs either 'periods', 'prices' or", 1 },
		{ "{'models':[{'id':'b',\n'periods':[{'from':null,'prices':{'input':'1'}}],"
		  "'service_tiers':{}}]}",
			"models[b]: 'service_tiers' must stand in one of the periods", 1 },
		{ "{'models':[{'id':'My Model','prices':{'input':'1'}}]}",
			"models[My Model].aliases[0]: 'My Model' is no name in normal form", 1 },
		{ "{'models':[{'id':'a','prices':{'input':'1'}},\n{'id':'a','prices':{'input':'1'}}]}",
			"'a' names both a and a", 1 },
		{ "{'models':[{'id':'m','prices':{'input':'0.000000000000001'},\n"
		  "'region_multipliers':{\n'geo=us':'1.1'}}]}",
			"models[m].region_multipliers.geo=us: times a price of the record has more "
			"than 15 decimals",
			3 },
		{ "{'models':[{'id':'m','prices':{'input':'1'},'region_multipliers':{'us':'1.1'}}]}",
			"region_multipliers.us: is no region like inference_geo=us", 1 },
		{ "{'models':[{'id':'m','prices':{'input':'1'},'per_unit_fees':{\n"
		  "'web_search_call':'0.01',\n'web_search_request':'0.01'}}]}",
			"per_unit_fees.web_search_request: is paid for the same as 'web_search_call'",
			3 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prices *prices = NULL;
		struct complaint complaint;
		cr_assert_eq(try_overrides(cases[i].json, &prices, &complaint), -EINVAL, "%s",
			cases[i].json);
		cr_expect(strstr(complaint.text, cases[i].words), "%s\n says: %s", cases[i].json,
			complaint.text);
		cr_expect_eq(complaint.line, cases[i].line, "%s\n says: %s in line %d",
			cases[i].json, complaint.text, complaint.line);
		cr_expect_str_eq(complaint.file, "own.json");
		cr_expect_null(prices);
	}
}

Test(overrides, what_jansson_quotes_of_a_wrong_file_is_not_repeated)
{
	struct prices *prices = NULL;
	struct complaint complaint;
	cr_expect_eq(try_overrides("sk-lf-secret", &prices, &complaint), -EINVAL);
	cr_expect_null(strstr(complaint.text, "sk-lf"), "%s", complaint.text);
}

/* ---- files ---- */

static char directory[SCRATCH_PATH_MAX];

static const char *write_file(const char *name, const char *text)
{
	static char paths[2][SCRATCH_PATH_MAX + 32];
	static size_t next;
	char *path = paths[next++ % 2];
	snprintf(path, sizeof paths[0], "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	cr_assert(file);
	for (; *text; text++)
		fputc(*text == '\'' ? '"' : *text, file);
	fclose(file);
	return path;
}

static void begin(void)
{
	cr_assert_eq(scratch_make(directory), 0);
}

static void end(void)
{
	scratch_remove(directory);
}

TestSuite(files, .init = begin, .fini = end);

#define OWN_TABLE TABLE("'models':[" RECORD("m", NAMED("m", "p") "," CHEAP) "]")

Test(files, a_table_and_its_overrides_are_read_together)
{
	struct prices *prices = NULL;
	struct complaint complaint = { 0 };
	const char *file = write_file("table.json", OWN_TABLE);
	const char *own = write_file("own.json", "{'models':[{'id':'n','prices':{'input':'0'}}]}");
	cr_assert_eq(prices_load(file, own, &prices, &complaint), 0, "%s", complaint.text);
	cr_expect_eq(prices_count(prices), 2);
	cr_expect_str_eq(prices_as_of(prices), "2026-11-20");
	cr_expect_str_eq(million(prices, "", "m"), "0.1");
	cr_expect_str_eq(million(prices, "", "n"), "0");
	cr_expect_str_eq(million(prices, "", "gpt-4o"), "unknown_model");
	prices_free(prices);
}

Test(files, the_example_of_the_readme_is_read)
{
	char path[512], text[4096] = "", line[512];
	bool is_inside = false;
	snprintf(path, sizeof path, "%s/pricing/README.md", getenv("srcdir"));
	FILE *readme = fopen(path, "r");
	cr_assert(readme, "%s", path);
	while (fgets(line, sizeof line, readme)) {
		if (strncmp(line, "```", 3) == 0)
			is_inside = strcmp(line, "```json\n") == 0;
		else if (is_inside)
			strcat(text, line);
	}
	fclose(readme);
	expect_calls(text,
		CALLS({ "anthropic", "claude-opus-4-8-20260528", "4" },
			{ "ollama", "llama3.3", "0" }, { "openai", "ft:gpt-4o:acme", "3.75" },
			{ "openai", "gpt-5", "unknown_model" }));
}

Test(files, the_file_that_is_wrong_is_the_one_that_is_named)
{
	struct prices *prices = NULL;
	struct complaint complaint = { 0 };
	const char *broken = write_file("broken.json", "{\n'models':[}");
	cr_expect_eq(prices_load(broken, NULL, &prices, &complaint), -EINVAL);
	cr_expect_str_eq(complaint.file, broken);
	cr_expect_eq(complaint.line, 2);
	complaint = (struct complaint){ 0 };
	cr_expect_eq(prices_load(NULL, broken, &prices, &complaint), -EINVAL);
	cr_expect_str_eq(complaint.file, broken);
	complaint = (struct complaint){ 0 };
	cr_expect_eq(prices_load(NULL, "/no/such", &prices, &complaint), -EINVAL);
	cr_expect_str_eq(complaint.file, "/no/such");
	cr_expect(strstr(complaint.text, "No such file"), "%s", complaint.text);
	cr_expect_null(prices);
}

Test(files, a_check_tells_a_table_from_overrides)
{
	struct prices *prices = NULL;
	struct complaint complaint = { 0 };
	enum prices_kind kind;
	const char *file = write_file("table.json", OWN_TABLE);
	cr_assert_eq(prices_check(file, &prices, &kind, &complaint), 0, "%s", complaint.text);
	cr_expect_eq(kind, PRICES_TABLE);
	cr_expect_eq(prices_count(prices), 1);
	prices_free(prices);
	file = write_file("own.json", "{'models':[{'id':'n','prices':{'input':'0'}}]}");
	cr_assert_eq(prices_check(file, &prices, &kind, &complaint), 0, "%s", complaint.text);
	cr_expect_eq(kind, PRICES_OVERRIDES);
	cr_expect_eq(prices_count(prices), 301);
	prices_free(prices);
	file = write_file("broken.json", "{'sources':{},\n'models':1}");
	cr_expect_eq(prices_check(file, &prices, &kind, &complaint), -EINVAL);
	cr_expect_str_eq(complaint.file, file);
	cr_expect_eq(complaint.line, 2, "%s", complaint.text);
}
