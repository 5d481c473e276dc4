#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "support/price_tables.h"
#include "pricing/match.h"
#include "pricing/table.h"

static struct prices *builtin;
static const struct book *book;

static void load(void)
{
	builtin = builtin_table();
	book = &builtin->books[BOOK_TABLE];
}

static void unload(void)
{
	prices_free(builtin);
}

TestSuite(match, .init = load, .fini = unload);

static const char *id_of(const struct record *record)
{
	return record ? record->id : "unknown";
}

static const char *named(const struct prices *prices, const char *provider, const char *model)
{
	return id_of(match_model(prices, bytes_of(provider), bytes_of(model)).record);
}

Test(match, a_name_is_found_in_every_form_that_the_rules_allow)
{
	static const struct {
		const char *provider, *model, *id;
	} cases[] = {
		{ "", "claude-sonnet-4-5", "claude-sonnet-4-5" },
		{ "", "Claude-Sonnet-4-5", "claude-sonnet-4-5" },
		{ "", " \tclaude-sonnet-4-5\r\n", "claude-sonnet-4-5" },
		{ "", "claude-sonnet-4-5[1m]", "claude-sonnet-4-5" },
		{ "", "claude-sonnet-4-5[1M]", "claude-sonnet-4-5" },
		{ "", "anthropic/claude-sonnet-4-5-20250929", "claude-sonnet-4-5" },
		{ "", "models/gemini-2.5-pro", "gemini-2.5-pro" },
		{ "", "publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro" },
		{ "", "projects/p/locations/eu/publishers/google/models/gemini-2.5-pro",
			"gemini-2.5-pro" },
		{ "", "projects/p/locations/eu/publishers/anthropic/models/claude-opus-4-8@20260528",
			"claude-opus-4-8" },
		{ "", "vertex_ai/gemini-2.5-pro", "gemini-2.5-pro" },
		{ "", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5" },
		{ "", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
			"bedrock-regional/claude-sonnet-4-5" },
		{ "", "bedrock/converse/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
			"bedrock-regional/claude-sonnet-4-5" },
		{ "anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5" },
		{ " ANTHROPIC ", "claude-sonnet-4-5", "claude-sonnet-4-5" },
		{ "openai", "openai/gpt-4o", "gpt-4o" },
		{ "groq", "llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile" },
		{ "a proxy of our own", "gpt-4o", "gpt-4o" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *id = named(builtin, cases[i].provider, cases[i].model);
		cr_expect_str_eq(
			id, cases[i].id, "%s %s: %s", cases[i].provider, cases[i].model, id);
	}
}

Test(match, a_name_that_only_resembles_one_stays_unknown)
{
	static const struct {
		const char *provider, *model;
	} cases[] = {
		{ "", "" },
		{ "", "   " },
		{ "", "[1m]" },
		{ "", "models/" },
		{ "", "gpt-5x1" },         /* a dot is a dot */
		{ "", "gpt-4o-mini-pro" }, /* no suffix is dropped */
		{ "", "claude-sonnet-4-5-thinking" },
		{ "", "claude-sonnet" }, /* no prefix is enough */
		{ "", "my-claude-sonnet-4-5" },
		{ "", "claude-sonnet-4-5 [2m]" },
		{ "", "projects/p/models/gemini-2.5-pro" },
		{ "", "projects//locations/l/publishers/g/models/gemini-2.5-pro" },
		{ "", "publishers/models/gemini-2.5-pro" },
		{ "", "gpt-oss-120b" }, /* its price depends on the host */
		{ "", "<synthetic>" },
		{ "anthropic", "gpt-4o" }, /* nobody is charged by another's list */
		{ "openai", "claude-sonnet-4-5" },
		{ "ollama", "gpt-4o" },
		{ "zhipuai", "glm-4.6" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *id = named(builtin, cases[i].provider, cases[i].model);
		cr_expect_str_eq(
			id, "unknown", "'%s' '%s': %s", cases[i].provider, cases[i].model, id);
	}
}

Test(match, the_name_with_its_provider_is_tried_before_the_bare_name)
{
	struct prices *prices = table(
		TABLE("'provider_scopes':{'host':{'prefix':'h','allow':['a','b']},"
		      "'picky':{'prefix':'h','allow':['b']}},'unpriced_on_purpose':{'x':'why'},"
		      "'models':[" RECORD("m", NAMED("m", "b") "," CHEAP) "," RECORD(
			      "h/m", NAMED("h/m", "a") "," CHEAP) "," RECORD("h/x",
			      NAMED("h/x", "a") "," CHEAP) "]"));
	cr_expect_str_eq(named(prices, "", "m"), "m");
	cr_expect_str_eq(named(prices, "host", "m"), "h/m");
	cr_expect_str_eq(named(prices, "host", "h/m"), "h/m");
	cr_expect_str_eq(named(prices, "other", "m"), "m");
	cr_expect_str_eq(
		named(prices, "picky", "m"), "unknown", "a hit that may not be charged is no hit");
	cr_expect_str_eq(named(prices, "", "x"), "unknown");
	cr_expect_str_eq(named(prices, "host", "x"), "h/x");
	prices_free(prices);
}

Test(match, a_name_that_two_records_claim_belongs_to_none)
{
	struct prices *prices = table(TABLE("'models':[" RECORD("m",
		"'provider':'p','aliases':['m'],'patterns':['^x-[0-9]+$']," CHEAP) "," RECORD("n",
		"'provider':'p','aliases':['n'],'patterns':['^x-1*$','^x-[1-3]$']," CHEAP) "]"));
	cr_expect_str_eq(named(prices, "", "x-1"), "unknown");
	cr_expect_str_eq(named(prices, "", "x-9"), "m");
	cr_expect_str_eq(named(prices, "", "x-"), "n");
	prices_free(prices);
}

Test(match, each_alias_leads_to_its_own_record)
{
	cr_expect_eq(prices_count(builtin), 300);
	cr_expect_eq(book->pattern_count, 215);
	size_t priced = 0;
	for (size_t i = 0; i < book->alias_count; i++) {
		const struct alias *alias = &book->aliases[i];
		cr_expect_str_eq(
			named(builtin, "", alias->name), id_of(alias->record), "%s", alias->name);
		priced += alias->record != NULL;
	}
	cr_expect_eq(priced, 1001);
}

/* Independent of match.c: plain regexec over all, without the literal that is looked for first. */
Test(match, no_name_matches_patterns_of_two_records)
{
	for (size_t i = 0; i < book->alias_count; i++) {
		const struct alias *alias = &book->aliases[i];
		for (size_t p = 0; p < book->pattern_count; p++) {
			const struct model_pattern *one = &book->patterns[p];
			bool matches = regexec(&one->pattern.regex, alias->name, 0, NULL, 0) == 0;
			cr_expect_eq(matches, pattern_matches(&one->pattern, alias->name),
				"'%s' is not in every match", one->pattern.literal);
			if (matches)
				cr_expect_eq(one->record, alias->record, "%s", alias->name);
		}
	}
}

Test(match, a_snapshot_of_a_day_to_come_is_found_by_pattern)
{
	size_t seen = 0;
	for (size_t i = 0; i < book->record_count; i++) {
		const char *id = book->records[i].id;
		if (strncmp(id, "claude-", 7) != 0)
			continue;
		char name[128];
		snprintf(name, sizeof name, "%s-20991231", id);
		cr_expect_str_eq(named(builtin, "anthropic", name), id, "%s", name);
		snprintf(name, sizeof name, "vertex_ai/%s@20991231", id);
		cr_expect_str_eq(named(builtin, "gcp.vertex_ai", name), id, "%s", name);
		seen++;
	}
	cr_expect_gt(seen, 20);
	cr_expect_str_eq(named(builtin, "azure", "gpt-5.4-2099-12-31"), "gpt-5.4");
	cr_expect_str_eq(named(builtin, "azure", "gpt-5.4-2199-12-31"), "unknown");
}

Test(match, a_pattern_knows_a_literal_part_of_all_its_matches)
{
	static const struct {
		const char *expression, *literal, *match;
	} cases[] = {
		{ "^(a/)?gpt-5\\.1(-x)?$", "gpt-5.1", "a/gpt-5.1" },
		{ "^abc?de$", "ab", "abde" },
		{ "^ab*cd$", "cd", "acd" },
		{ "^a{0}bc$", "bc", "bc" },
		{ "^a{1,12}bc$", "bc", "aaabc" },
		{ "^[+*]{2}bc[)]?$", "bc", "+*bc" },
		{ "^a+bc$", "bc", "aabc" },
		{ "^(ab|(cd[)|])e)f$", "f", "cd)ef" },
		{ "^[]a]xy[^]b]$", "xy", "]xyz" },
		{ "^a.bc$", "bc", "a-bc" },
		{ "^(a|b)$", "", "b" },
		{ "^\\(xy\\[1m\\]$", "(xy[1m]", "(xy[1m]" },
	};
	struct complaint complaint = { 0 };
	struct place place = { .complaint = &complaint };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pattern pattern;
		cr_assert_eq(pattern_compile(&pattern, cases[i].expression, &place), 0, "%s",
			complaint.text);
		cr_expect_str_eq(pattern.literal, cases[i].literal, "%s: '%s'", cases[i].expression,
			pattern.literal);
		cr_expect(pattern_matches(&pattern, cases[i].match), "%s", cases[i].expression);
		pattern_done(&pattern);
	}
}

Test(match, a_pattern_that_could_take_all_memory_is_refused)
{
	static const struct {
		const char *expression, *words;
	} cases[] = {
		{ "^a++++++++++++++++++++++++++++++++++++++++$",
			"a quantifier follows a quantifier" },
		{ "^(a+)+$", "only ? may follow a group" },
		{ "^((((a{9}){9}){9}){9})$", "only ? may follow a group" },
		{ "^(a){9}$", "only ? may follow a group" },
		{ "^a{32767}$", "counts further than 99" },
		{ "^a{1,100}$", "counts further than 99" },
		{ "^a{1$", "counts further than 99" },
		{ "^a\\1$", "escapes what POSIX does not let be escaped" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct complaint complaint = { 0 };
		struct place place = { .complaint = &complaint };
		struct pattern pattern;
		cr_assert_eq(pattern_compile(&pattern, cases[i].expression, &place), -EINVAL, "%s",
			cases[i].expression);
		cr_expect_str_eq(complaint.text, cases[i].words);
	}
}

Test(match, a_hostile_name_is_unknown_and_costs_little)
{
	size_t len = 1 << 20;
	uint8_t *huge = malloc(len);
	memset(huge, 'a', len);
	cr_expect_null(match_model(builtin, bytes_of(""), (struct bytes){ huge, len }).record);
	memset(huge, ' ', len);
	memcpy(huge + len - 6, "gpt-4o", 6);
	cr_expect_null(match_model(builtin, bytes_of(""), (struct bytes){ huge, len }).record);
	cr_expect_str_eq(
		id_of(match_model(builtin, (struct bytes){ huge, len }, bytes_of("gpt-4o")).record),
		"gpt-4o", "a provider without end is one that is not listed");
	free(huge);

	static const struct bytes names[] = { BYTES("gpt-4o\0"), BYTES("\0gpt-4o"),
		BYTES("gpt\0-4o"), BYTES(".*"), BYTES("^gpt-4o$"), BYTES("(gpt-4o)"),
		BYTES("gpt-4o|o3"), BYTES("[[:alpha:]]*"), BYTES("gpt-4o\\"),
		BYTES("gpt-4\xc3\xb6"), BYTES("\xff\xfe"), BYTES("gpt-4o\x1b[31m"), BYTES("%s%n"),
		BYTES("../gpt-4o"), BYTES("////"), BYTES("projects/////"), BYTES("[1m][1m]") };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cr_expect_null(
			match_model(builtin, bytes_of("openai"), names[i]).record, "name %zu", i);
}

Test(match, what_was_found_is_found_again_when_more_names_came_than_can_be_remembered)
{
	char name[64];
	for (int i = 0; i < 6000; i++) {
		snprintf(name, sizeof name, "no-such-model-%d", i);
		cr_assert_str_eq(named(builtin, "openai", name), "unknown");
		snprintf(name, sizeof name, "claude-sonnet-4-5-%08d", i);
		cr_assert_str_eq(named(builtin, "anthropic", name), "claude-sonnet-4-5");
	}
	for (int i = 0; i < 6000; i += 7) {
		snprintf(name, sizeof name, "no-such-model-%d", i);
		cr_assert_str_eq(named(builtin, "openai", name), "unknown");
		snprintf(name, sizeof name, "claude-sonnet-4-5-%08d", i);
		cr_assert_str_eq(named(builtin, "anthropic", name), "claude-sonnet-4-5");
		cr_assert_str_eq(named(builtin, "openai", name), "unknown",
			"remembered for another provider");
	}
	cr_expect_str_eq(named(builtin, "openai", "gpt-4o"), "gpt-4o");
}
