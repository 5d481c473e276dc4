/* tollgate prices as a person and a program meet it. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/prices.h"
#include "support/scratch.h"

static uint64_t now_ns = UINT64_C(1795167000000000000); /* 2026-11-20 09:30 */

uint64_t __wrap_clock_unix_ns(void);
uint64_t __wrap_clock_unix_ns(void)
{
	return now_ns;
}

static char directory[SCRATCH_PATH_MAX], config[SCRATCH_PATH_MAX + 16];

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* Nobody's own settings: an empty file. */
static void begin(void)
{
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(config, sizeof config, "%s/tollgate.json", directory);
	write_file(config, "{}\n");
	unsetenv("TOLLGATE_PRICING_FILE");
	unsetenv("TOLLGATE_PRICING_OVERRIDES");
	setenv("TOLLGATE_CONFIG", config, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("COLUMNS", "80", 1);
}

static void end(void)
{
	scratch_remove(directory);
}

TestSuite(prices_cli, .init = begin, .fini = end);

static char *said, *complained; /* by the last command */

/* An exit status. */
static int run(char **argv)
{
	FILE *out = stdout, *err = stderr;
	size_t size;
	free(said);
	free(complained);
	stdout = open_memstream(&said, &size);
	stderr = open_memstream(&complained, &size);
	int status = commands_run(argv);
	fclose(stdout);
	fclose(stderr);
	stdout = out;
	stderr = err;
	return status;
}

#define RUN(...) run((char *[]){ "tollgate", "prices", __VA_ARGS__, NULL })

static void expect_narrow(const char *text)
{
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		size_t columns = 0;
		for (const char *at = line; at < end; at++)
			columns += (*at & 0xc0) != 0x80;
		cr_expect_leq(columns, 80, "%.*s", (int)(end - line), line);
	}
}

#define EXPECT_SAID(wanted, wanted_status, ...) \
	do { \
		int status = RUN(__VA_ARGS__); \
		cr_expect_eq(status, wanted_status, "%d: %s", status, complained); \
		cr_expect_str_eq(said, wanted); \
		cr_expect_str_eq(complained, ""); \
		expect_narrow(said); \
	} while (0)

#define EXPECT_REFUSED(wanted, ...) \
	do { \
		cr_expect_eq(RUN(__VA_ARGS__), EXIT_USAGE); \
		cr_expect_str_eq(said, ""); \
		cr_expect_str_eq(complained, "tollgate: " wanted "\n"); \
	} while (0)

/* ---- the worked examples ---- */

static json_t *read_fixture(const char *path)
{
	char whole[512];
	json_error_t error;
	snprintf(whole, sizeof whole, "%s/%s", getenv("srcdir") ? getenv("srcdir") : ".", path);
	json_t *json = json_load_file(whole, 0, &error);
	cr_assert(json, "%s: %s", whole, error.text);
	return json;
}

/* Quotes in `text` are written as '. */
static json_t *json_of(const char *text)
{
	json_error_t error;
	char *copy = strdup(text);
	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *json = json_loads(copy, 0, &error);
	cr_assert(json, "%s", error.text);
	free(copy);
	return json;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* What counts a class or a fee of the examples. */
static const char *flag_for(const char *name)
{
	static const struct {
		const char *name, *flag;
	} flags[] = {
		{ "input", "--input" },
		{ "cache_read", "--cached" },
		{ "cache_write_5m", "--cache-write-5m" },
		{ "cache_write_1h", "--cache-write-1h" },
		{ "output", "--output" },
		{ "reasoning", "--reasoning" },
		{ "audio_input", "--audio-input" },
		{ "cached_audio_input", "--cached-audio-input" },
		{ "audio_output", "--audio-output" },
		{ "image_input", "--image-input" },
		{ "image_output", "--image-output" },
		{ "web_search_request", "--web-searches" },
		{ "google_search_query", "--web-searches" },
	};
	size_t i = 0;
	while (i < sizeof flags / sizeof *flags && strcmp(flags[i].name, name) != 0)
		i++;
	cr_assert_lt(i, sizeof flags / sizeof *flags, "no flag for %s", name);
	return flags[i].flag;
}

struct asked {
	char *argv[64];
	size_t count;
	char numbers[16][24];
	size_t number_count;
};

static void add_counts(struct asked *asked, const json_t *counts)
{
	const char *name;
	json_t *count;
	json_object_foreach((json_t *)counts, name, count) {
		char *number = asked->numbers[asked->number_count++];
		snprintf(number, sizeof *asked->numbers, "%lld", json_integer_value(count));
		asked->argv[asked->count++] = (char *)flag_for(name);
		asked->argv[asked->count++] = number;
	}
}

static void add_flag(struct asked *asked, const char *flag, const char *value)
{
	if (!value)
		return;
	asked->argv[asked->count++] = (char *)flag;
	asked->argv[asked->count++] = (char *)value;
}

static int ask_for(const json_t *example)
{
	struct asked asked = { .argv = { "tollgate", "prices", "explain", "--json" }, .count = 4 };
	/* A Friday that is no holiday. */
	bool is_peak = json_object_get(example, "schedule");
	add_flag(&asked, "--at", is_peak ? "2026-11-20T02:00:00Z" : text_of(example, "date"));
	add_flag(&asked, "--provider", text_of(example, "provider"));
	add_flag(&asked, "--tier", text_of(example, "service_tier"));
	add_counts(&asked, json_object_get(example, "classes"));
	add_counts(&asked, json_object_get(example, "units"));
	asked.argv[asked.count++] = (char *)text_of(example, "model");
	return run(asked.argv);
}

static void check_example(const json_t *example)
{
	const char *id = text_of(example, "id"), *reason = text_of(example, "reason");
	const json_t *expect = json_object_get(example, "expect");
	json_t *details = json_object_get(expect, "cost_details");
	reason = text_of(expect, "reason");
	cr_expect_eq(ask_for(example), reason ? EXIT_FAILED : EXIT_DONE, "%s", id);
	json_t *answer = json_loads(said, 0, NULL);
	cr_assert(answer, "%s: %s", id, said);
	if (reason) {
		bool is_model = strcmp(reason, "unknown_model") == 0;
		cr_expect_str_eq(text_of(answer, "status"),
			is_model ? "unknown_model" : "unknown_tier", "%s", id);
		cr_expect(json_is_null(json_object_get(answer, "cost_details")), "%s", id);
	} else {
		cr_expect_str_eq(
			text_of(answer, "status"), "ok", "%s: %s", id, text_of(answer, "sentence"));
		cr_expect_str_eq(text_of(json_object_get(answer, "record"), "id"),
			text_of(expect, "model_id"), "%s", id);
		cr_expect(json_equal(json_object_get(answer, "cost_details"), details), "%s: %s",
			id, said);
	}
	json_decref(answer);
}

Test(prices_cli, explain_works_each_example_out_to_the_last_digit, .timeout = 120)
{
	json_t *file = read_fixture("tests/fixtures/pricing/vectors.json"), *example;
	size_t i;
	cr_expect_eq(json_array_size(json_object_get(file, "vectors")), 57);
	json_array_foreach(json_object_get(file, "vectors"), i, example)
		check_example(example);
	json_decref(file);
}

/* ---- wrong arguments ---- */

Test(prices_cli, a_wrong_argument_is_told_in_one_line)
{
	EXPECT_REFUSED("prices needs check, explain or list", "--json");
	EXPECT_REFUSED("prices does not know chekc; the nearest is check", "chekc", "x");
	EXPECT_REFUSED("prices has no flag --inptu; the nearest is --input", "explain", "gpt-5",
		"--inptu", "1");
	EXPECT_REFUSED("--input needs a value: --input N", "explain", "gpt-5", "--input");
	EXPECT_REFUSED("--json takes no value", "explain", "gpt-5", "--json=1");
	EXPECT_REFUSED("prices check needs a FILE", "check");
	EXPECT_REFUSED("prices check does not take b", "check", "a", "b");
	EXPECT_REFUSED("prices check does not take --json", "check", "a", "--json");
	EXPECT_REFUSED("prices explain needs a MODEL", "explain", "--input", "1");
	EXPECT_REFUSED("prices explain does not take gpt-4", "explain", "gpt-5", "gpt-4");
	EXPECT_REFUSED("prices explain does not take --unknown", "explain", "gpt-5", "--unknown");
	EXPECT_REFUSED("prices explain does not take --socket", "explain", "gpt-5", "--socket=/x");
	EXPECT_REFUSED("prices list does not take --input", "list", "--input", "1");
	EXPECT_REFUSED("prices list does not take --socket", "list", "--socket", "/x");
	EXPECT_REFUSED("prices list does not take b", "list", "a", "b");
	EXPECT_REFUSED("prices list --unknown does not take a", "list", "a", "--unknown");
	EXPECT_REFUSED(
		"prices list --unknown does not take --at", "list", "--unknown", "--at=2026-11-20");
}

Test(prices_cli, a_count_is_a_whole_number)
{
	static char *const wrong[] = { "", "-1", "+1", "1.5", "1k", " 1", "1,001", "0x10",
		"1234567890123" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char wanted[128];
		snprintf(wanted, sizeof wanted,
			"tollgate: --cached %s is no count: write a whole number such as 1001\n",
			wrong[i]);
		cr_expect_eq(RUN("explain", "gpt-5", "--cached", wrong[i]), EXIT_USAGE);
		cr_expect_str_eq(complained, wanted);
	}
}

static const char *at_of(char *written)
{
	static char at[32];
	cr_assert_eq(RUN("explain", "claude-sonnet-4-5", "--json", "--at", written), EXIT_DONE,
		"%s", complained);
	json_t *answer = json_loads(said, 0, NULL);
	snprintf(at, sizeof at, "%lld",
		json_integer_value(json_object_get(answer, "at_ns")) / 1000000000);
	json_decref(answer);
	return at;
}

Test(prices_cli, a_time_is_a_date_or_as_rfc_3339_has_it)
{
	static char *const wrong[] = { "", "yesterday", "2026-11", "2026-02-30", "2026-13-01",
		"2026-11-20T", "2026-11-20T25:00", "2026-11-20T09:30:00Zulu", "2026-11-20 x",
		"1969-12-31", "1970-01-01T00:00:00+01:00", "9999-01-01", "20261120" };
	cr_expect_str_eq(at_of("2026-11-20"), "1795132800");
	cr_expect_str_eq(at_of("2026-11-20T09:30"), "1795167000");
	cr_expect_str_eq(at_of("2026-11-20 09:30:07"), "1795167007");
	cr_expect_str_eq(at_of("2026-11-20T09:30:07.999Z"), "1795167007");
	cr_expect_str_eq(at_of("2026-11-20T09:30:07+05:30"), "1795147207");
	cr_expect_str_eq(at_of("2026-11-20T09:30:07-08:00"), "1795195807");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char wanted[128];
		snprintf(wanted, sizeof wanted,
			"tollgate: --at %s is no time: write 2026-11-20 or 2026-11-20T09:30:00Z\n",
			wrong[i]);
		cr_expect_eq(RUN("explain", "gpt-5", "--at", wrong[i]), EXIT_USAGE, "%s", wrong[i]);
		cr_expect_str_eq(complained, wanted);
	}
}

/* ---- what a person reads ---- */

Test(prices_cli, a_dated_claude_id)
{
	EXPECT_SAID("claude-sonnet-4-5-20250929 is claude-sonnet-4-5 (anthropic), by an alias\n"
		    "2026-11-20 00:00 UTC: standard prices, above 200,000 input tokens\n"
		    "  input             1,001  tokens x   $6.00  / 1M =  $0.006006\n"
		    "  cache read      198,000  tokens x   $0.60  / 1M =  $0.1188\n"
		    "  cache write 5m    1,000  tokens x   $7.50  / 1M =  $0.0075\n"
		    "  output              100  tokens x  $22.50  / 1M =  $0.00225\n"
		    "  total                                              $0.134556\n",
		EXIT_DONE, "explain", "claude-sonnet-4-5-20250929", "--at=2026-11-20", "--input",
		"1001", "--cached", "198000", "--cache-write-5m", "1000", "--output", "100");
}

Test(prices_cli, a_bedrock_id_with_a_region_and_writes_of_unknown_life)
{
	EXPECT_SAID("us.anthropic.claude-sonnet-4-5-20250929-v1:0 is\n"
		    "  bedrock-regional/claude-sonnet-4-5 (aws.bedrock), by a pattern\n"
		    "2026-11-20 00:00 UTC: standard prices\n"
		    "  input           10,000  tokens x   $3.30   / 1M =   $0.033\n"
		    "  cache write 5m     500  tokens x   $4.125  / 1M =   $0.0020625\n"
		    "  output           1,000  tokens x  $16.50   / 1M =   $0.0165\n"
		    "  total                                              ≥$0.0515625\n"
		    "Up to $0.0528 when what was written to the cache is kept for an hour.\n",
		EXIT_DONE, "explain", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "--provider",
		"aws.bedrock", "--at", "2026-11-20", "--input", "10000", "--cache-write", "500",
		"--output", "1000");
}

Test(prices_cli, a_vertex_id_with_its_date)
{
	EXPECT_SAID("claude-sonnet-4-5@20250929 is claude-sonnet-4-5 (anthropic), by a pattern\n"
		    "2026-11-20 00:00 UTC: standard prices\n"
		    "  input   1,000  tokens x   $3.00  / 1M =  $0.003\n"
		    "  output    500  tokens x  $15.00  / 1M =  $0.0075\n"
		    "  total                                    $0.0105\n",
		EXIT_DONE, "explain", "claude-sonnet-4-5@20250929", "--provider", "gcp.vertex_ai",
		"--at", "2026-11-20", "--input", "1000", "--output", "500");
}

/* V007 of the worked examples. */
Test(prices_cli, a_name_with_the_mark_of_a_long_context)
{
	EXPECT_SAID("claude-sonnet-4-5[1m] is claude-sonnet-4-5 (anthropic), by an alias\n"
		    "2026-11-20 00:00 UTC: standard prices, above 200,000 input tokens\n"
		    "  input             5,000  tokens x   $6.00  / 1M =  $0.03\n"
		    "  cache read      250,000  tokens x   $0.60  / 1M =  $0.15\n"
		    "  cache write 5m    3,000  tokens x   $7.50  / 1M =  $0.0225\n"
		    "  cache write 1h    2,000  tokens x  $12.00  / 1M =  $0.024\n"
		    "  output            2,000  tokens x  $22.50  / 1M =  $0.045\n"
		    "  total                                              $0.2715\n",
		EXIT_DONE, "explain", "claude-sonnet-4-5[1m]", "--at", "2026-11-20", "--input",
		"5000", "--cached", "250000", "--cache-write-5m", "3000", "--cache-write-1h",
		"2000", "--output", "2000");
}

/* V039 */
Test(prices_cli, a_codex_model_with_reasoning_at_the_price_of_output)
{
	EXPECT_SAID("gpt-5-codex (openai)\n"
		    "2026-11-20 00:00 UTC: standard prices\n"
		    "  input       11,111  tokens x   $1.25   / 1M =  $0.01388875\n"
		    "  cache read  87,654  tokens x   $0.125  / 1M =  $0.01095675\n"
		    "  output       1,111  tokens x  $10.00   / 1M =  $0.01111\n"
		    "  reasoning    3,210  tokens x  $10.00   / 1M =  $0.0321      as output\n"
		    "  total                                          $0.0680555\n",
		EXIT_DONE, "explain", "gpt-5-codex", "--at", "2026-11-20", "--input", "11111",
		"--cached", "87654", "--output", "1111", "--reasoning", "3210");
}

/* V061 */
Test(prices_cli, a_gemini_id_above_200_000_tokens)
{
	EXPECT_SAID("gemini-2.5-pro (google)\n"
		    "2026-11-20 00:00 UTC: standard prices, above 200,000 input tokens\n"
		    "  input        50,001  tokens x   $2.50  / 1M =  $0.1250025\n"
		    "  cache read  150,000  tokens x   $0.25  / 1M =  $0.0375\n"
		    "  output        1,000  tokens x  $15.00  / 1M =  $0.015\n"
		    "  reasoning       500  tokens x  $15.00  / 1M =  $0.0075     as output\n"
		    "  total                                          $0.1850025\n",
		EXIT_DONE, "explain", "gemini-2.5-pro", "--provider", "gcp.gemini", "--at",
		"2026-11-20", "--input", "50001", "--cached", "150000", "--output", "1000",
		"--reasoning", "500");
}

Test(prices_cli, an_unknown_name_has_no_cost_and_at_most_a_hint)
{
	EXPECT_SAID(
		"No cost. No record has the name claude-opus-9-20270101, and the nearest one is\n"
		"  not guessed.\n",
		EXIT_FAILED, "explain", "claude-opus-9-20270101", "--input", "1000");
	EXPECT_SAID("No cost. No record has the name claude-sonet-4-5, and the nearest one is not\n"
		    "  guessed.\n"
		    "The nearest is claude-sonnet-4-5.\n",
		EXIT_FAILED, "explain", "claude-sonet-4-5");
	EXPECT_SAID("No cost. gpt-oss-120b is unpriced on purpose: open weights, price depends on\n"
		    "  host.\n",
		EXIT_FAILED, "explain", "gpt-oss-120b");
	EXPECT_SAID("No cost. The name of a model is 1 to 255 printable ASCII characters.\n",
		EXIT_FAILED, "explain", "a\033[31m\xff");
	EXPECT_SAID(
		"llama-3.3-70b-versatile is groq/llama-3.3-70b-versatile (groq), by an alias\n"
		"No cost. llama-3.3-70b-versatile is in the list of groq, by which the provider\n"
		"  of this call does not charge.\n",
		EXIT_FAILED, "explain", "llama-3.3-70b-versatile", "--provider", "openai");
}

Test(prices_cli, a_free_model_costs_0_which_is_a_cost)
{
	EXPECT_SAID("glm-4.5-flash (zai)\n"
		    "2026-11-20 00:00 UTC: standard prices\n"
		    "  input   1,000  tokens x  $0.00  / 1M =  $0.00\n"
		    "  output  1,000  tokens x  $0.00  / 1M =  $0.00\n"
		    "  total                                   $0.00  free\n",
		EXIT_DONE, "explain", "glm-4.5-flash", "--provider", "zai", "--at", "2026-11-20",
		"--input", "1000", "--output", "1000");
}

Test(prices_cli, what_the_record_does_not_price_has_no_cost)
{
	EXPECT_SAID("claude-haiku-4-5 (anthropic)\n"
		    "No cost. claude-haiku-4-5 has no price for the service tier fast, and the\n"
		    "  standard one is not assumed.\n",
		EXIT_FAILED, "explain", "claude-haiku-4-5", "--tier", "fast", "--input", "1");
	EXPECT_SAID(
		"text-embedding-3-large (openai)\n"
		"No cost. text-embedding-3-large has no price for output tokens, and none to fall\n"
		"  back to.\n",
		EXIT_FAILED, "explain", "text-embedding-3-large", "--output", "1000");
}

Test(prices_cli, regions_fees_and_hours_are_said)
{
	EXPECT_SAID("claude-sonnet-5 (anthropic)\n"
		    "2026-11-20 00:00 UTC: standard prices, x 1.1 for inference_geo=us\n"
		    "  input       5,000  tokens x   $2.20  / 1M =   $0.011\n"
		    "  output        800  tokens x  $11.00  / 1M =   $0.0088\n"
		    "  web search      3         x   $0.01       =   $0.03\n"
		    "  total                                        ≥$0.0498\n"
		    "Without what the provider takes for each file search: no fee is known.\n",
		EXIT_DONE, "explain", "claude-sonnet-5", "--at", "2026-11-20", "--region",
		"inference_geo=us", "--input", "5000", "--output", "800", "--web-searches", "3",
		"--file-searches", "2");
	EXPECT_SAID("deepseek-flash (deepseek)\n"
		    "2026-11-20 02:00 UTC: standard prices since 2026-09-10, in peak hours\n"
		    "  input  1,000  tokens x  $0.30  / 1M =  $0.0003\n"
		    "  total                                  $0.0003\n",
		EXIT_DONE, "explain", "deepseek-flash", "--at", "2026-11-20T02:00Z", "--input",
		"1000");
	EXPECT_SAID("deepseek-flash (deepseek)\n"
		    "2026-10-01 02:00 UTC: standard prices since 2026-09-10, on a day of the PRC\n"
		    "  public holidays\n"
		    "  input  1,000  tokens x  $0.15  / 1M =  $0.00015\n"
		    "  total                                  $0.00015\n",
		EXIT_DONE, "explain", "deepseek-flash", "--at", "2026-10-01T02:00Z", "--input",
		"1000");
	EXPECT_SAID("gpt-4o (openai)\n"
		    "2026-11-20 00:00 UTC: batch prices, the same for inference_geo=us\n"
		    "  input        1,000  tokens x  $1.25  / 1M =  $0.00125\n"
		    "  cache read  10,000  tokens x  $1.25  / 1M =  $0.0125   standard price\n"
		    "  total                                        $0.01375\n",
		EXIT_DONE, "explain", "gpt-4o", "--at", "2026-11-20", "--tier", "batch", "--region",
		"inference_geo=us", "--input", "1000", "--cached", "10000");
}

Test(prices_cli, without_counts_the_record_is_shown)
{
	EXPECT_SAID("claude-sonnet-4-5 (anthropic)\n"
		    "2026-11-20 00:00 UTC: standard prices\n"
		    "  USD per 1M tokens  standard  above 200,000\n"
		    "  input                 $3.00          $6.00\n"
		    "  cache read            $0.30          $0.60\n"
		    "  cache write 5m        $3.75          $7.50\n"
		    "  cache write 1h        $6.00         $12.00\n"
		    "  output               $15.00         $22.50\n"
		    "Other prices by --tier: batch\n"
		    "1M beta retired 2026-04-30 on the Claude API; >200K tier applies to earlier\n"
		    "  spans and to gateways that still offer it\n",
		EXIT_DONE, "explain", "claude-sonnet-4-5", "--at", "2026-11-20");
	/* Of xAI the threshold itself is above; Qwen has several. */
	EXPECT_SAID("grok-4.6 (xai)\n"
		    "2026-11-20 00:00 UTC: standard prices\n"
		    "  USD per 1M tokens  standard  from 200,000\n"
		    "  input                 $2.00         $4.00\n"
		    "  cache read            $0.50         $1.00\n"
		    "  output                $6.00        $12.00\n"
		    "Other prices by --tier: batch\n",
		EXIT_DONE, "explain", "grok-4.6", "--at", "2026-11-20");
	EXPECT_SAID("qwen3-max (alibaba)\n"
		    "2026-11-20 00:00 UTC: standard prices\n"
		    "  USD per 1M tokens  standard  above 32,000  above 128,000\n"
		    "  input                 $1.20         $2.40          $3.00\n"
		    "  cache read            $0.24         $0.48          $0.60\n"
		    "  output                $6.00        $12.00         $15.00\n"
		    "Confidence is medium, from models.dev, vercel-gateway\n",
		EXIT_DONE, "explain", "qwen3-max", "--at", "2026-11-20");
}

Test(prices_cli, a_price_that_is_not_certain_says_where_it_is_from)
{
	EXPECT_SAID(
		"gpt-6.2-astra (openai)\n"
		"2026-11-20 00:00 UTC: standard prices\n"
		"  input  1,000  tokens x  $8.00  / 1M =  $0.008\n"
		"  total                                  $0.008\n"
		"Confidence is medium, from litellm-announcement, third-party-docs: input/output\n"
		"  attested twice; cached 0.40 derived from '60% cheaper than GPT-6 Astra'\n"
		"  ($1.00); cache write and tier multipliers assumed as for GPT-6.x\n",
		EXIT_DONE, "explain", "gpt-6.2-astra", "--at", "2026-11-20", "--input", "1000");
}

/* Nothing is rounded, cut or doubled, however many tokens there are. */
Test(prices_cli, large_counts_stay_exact)
{
	EXPECT_SAID("gpt-6-luna (openai)\n"
		    "2026-11-20 00:00 UTC: standard prices, above 272,000 input tokens\n"
		    "  input   999,999,999,999  tokens x  $0.20  / 1M =  $199999.9999998\n"
		    "  output                1  tokens x  $0.75  / 1M =       $0.00000075\n"
		    "  total                                             $200000.00000055\n",
		EXIT_DONE, "explain", "gpt-6-luna", "--at", "2026-11-20", "--input", "999999999999",
		"--output", "1");
}

Test(prices_cli, a_program_gets_exact_decimals_and_what_decided_them)
{
	static const char wanted[] =
		"{'model': 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',"
		" 'provider_asked': 'aws.bedrock', 'tier_asked': null, 'region_asked': null,"
		" 'at_ns': 1795132800000000000, 'status': 'ok',"
		" 'sentence': 'The call costs $0.0350625 by bedrock-regional/claude-sonnet-4-5."
		" At least: something was paid by the piece that it has no fee for.',"
		" 'record': {'id': 'bedrock-regional/claude-sonnet-4-5', 'provider': 'aws.bedrock',"
		" 'found_by': 'pattern', 'confidence': 'high', 'is_override': false},"
		" 'nearest': null, 'since': null, 'tier': 'standard', 'schedule': null,"
		" 'holiday': null, 'region': null, 'multiplier': '1', 'input_tokens': 10500,"
		" 'threshold_tokens': 0, 'is_inclusive': false,"
		" 'lines': [{'class': 'input', 'tokens': 10000, 'price': '0.0000033',"
		" 'priced_as': 'input', 'is_standard': false, 'amount': '0.033'},"
		" {'class': 'cache_write_5m', 'tokens': 500, 'price': '0.000004125',"
		" 'priced_as': 'cache_write_5m', 'is_standard': false, 'amount': '0.0020625'}],"
		" 'fees': [], 'without_fee': ['file_search'],"
		" 'cost_details': {'input': '0.033', 'cache_write_5m': '0.0020625',"
		" 'total': '0.0350625'}, 'is_lower_bound': true, 'at_most': '0.0363',"
		" 'as_of': '2026-11-20', 'age_days': 0}";
	cr_expect_eq(RUN("explain", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "--provider",
			     "aws.bedrock", "--at", "2026-11-20", "--input", "10000",
			     "--cache-write", "500", "--file-searches", "1", "--json"),
		EXIT_DONE);
	json_t *answer = json_loads(said, 0, NULL), *expected = json_of(wanted);
	json_t *record = json_object_get(answer, "record");
	/* As the table has them, and long. */
	cr_expect(json_string_length(json_object_get(record, "pattern")) > 0);
	cr_expect(json_string_length(json_object_get(record, "notes")) > 0);
	cr_expect(json_string_length(json_object_get(record, "sources")) > 0);
	json_object_del(record, "pattern");
	json_object_del(record, "notes");
	json_object_del(record, "sources");
	cr_expect(json_equal(answer, expected), "%s", said);
	json_decref(answer);
	json_decref(expected);

	cr_expect_eq(RUN("explain", "gpt-5.9\xff", "--json"), EXIT_FAILED);
	answer = json_loads(said, 0, NULL);
	cr_expect_str_eq(text_of(answer, "model"), "?");
	cr_expect_str_eq(text_of(answer, "status"), "unknown_model");
	cr_expect(json_is_null(json_object_get(answer, "cost_details")));
	cr_expect(json_is_null(json_object_get(answer, "record")));
	json_decref(answer);

	cr_expect_eq(RUN("explain", "grok-4.6", "--at=2026-11-20", "--json"), EXIT_DONE);
	answer = json_loads(said, 0, NULL);
	expected =
		json_of("[{'threshold_tokens': 0, 'is_inclusive': false, 'prices':"
			" {'input': '0.000002', 'cache_read': '0.0000005', 'output': '0.000006'}},"
			" {'threshold_tokens': 200000, 'is_inclusive': true, 'prices':"
			" {'input': '0.000004', 'cache_read': '0.000001', 'output': '0.000012'}}]");
	cr_expect(json_equal(json_object_get(answer, "contexts"), expected), "%s", said);
	json_decref(answer);
	json_decref(expected);
}

Test(prices_cli, an_old_table_says_so)
{
	now_ns += 90 * 24 * UINT64_C(3600000000000);
	EXPECT_SAID("gpt-4 (openai)\n"
		    "2027-02-18 09:30 UTC: standard prices\n"
		    "  input  1  tokens x  $30.00  / 1M =  $0.00003\n"
		    "  total                               $0.00003\n"
		    "The price table is 90 days old: prices may have changed.\n",
		EXIT_DONE, "explain", "gpt-4", "--input", "1");
	EXPECT_SAID("model      provider  input  output\n"
		    "gpt-4-32k  openai    60.00  120.00\n"
		    "1 model, USD per 1M tokens, as of 2026-11-20.\n"
		    "The price table is 90 days old: prices may have changed.\n",
		EXIT_DONE, "list", "gpt-4-32k");
}

/* ---- the list ---- */

Test(prices_cli, the_list_has_a_line_for_each_record_in_80_columns)
{
	cr_expect_eq(RUN("list", "--at", "2026-11-20"), EXIT_DONE);
	size_t lines = 0;
	for (const char *at = said; (at = strchr(at, '\n')); at++)
		lines++;
	cr_expect_eq(lines, 1 + 300 + 1);
	expect_narrow(said);
	cr_expect(strstr(said, "\n300 models, USD per 1M tokens, as of 2026-11-20.\n"));
}

Test(prices_cli, the_list_is_of_names_with_the_pattern_in_them)
{
	EXPECT_SAID("model          provider  input  output  cached  write  since\n"
		    "gpt-5.6-terra  openai     2.00   12.00    0.20   2.50  2026-07-30\n"
		    "gpt-5.6-luna   openai     0.20    1.20    0.02   0.25  2026-07-30\n"
		    "2 models, USD per 1M tokens, as of 2026-11-20.\n",
		EXIT_DONE, "list", "T-5.6-?*a", "--at=2026-11-20", "--provider", "OpenAI");
}

Test(prices_cli, a_name_that_models_are_called_by_leads_to_its_record)
{
	EXPECT_SAID("model              provider   input  output  cached  write\n"
		    "claude-sonnet-4-5  anthropic   3.00   15.00    0.30   3.75\n"
		    "1 model, USD per 1M tokens, as of 2026-11-20.\n",
		EXIT_DONE, "list", "claude-sonnet-4-5-20250929");
}

Test(prices_cli, what_is_unpriced_on_purpose_is_listed_when_it_is_asked_for)
{
	EXPECT_SAID("model                    provider  input  output  cached\n"
		    "groq/openai/gpt-oss-20b  groq      0.075    0.30  0.0375\n"
		    "gpt-oss-20b is not priced on purpose: open weights\n"
		    "1 model, USD per 1M tokens, as of 2026-11-20.\n",
		EXIT_DONE, "list", "gpt-oss-20b");
	EXPECT_SAID("0 models, USD per 1M tokens, as of 2026-11-20.\n", EXIT_DONE, "list",
		"no-such-model");
}

/* ---- the table that is used ---- */

#define OWN_PRICES \
	"{\"models\": [\n" \
	"  {\"id\": \"my-llama\", \"provider\": \"any\",\n" \
	"   \"prices_per_million\": {\"input\": \"0.10\", \"output\": \"0.40\"}},\n" \
	"  {\"id\": \"claude-sonnet-4-5\",\n" \
	"   \"prices_per_million\": {\"input\": \"2.40\", \"output\": \"12\"}}\n" \
	"]}\n"

static char own[SCRATCH_PATH_MAX + 16];

/* In the settings, with keys that cannot be read: they are not asked for. */
static void take_own_prices(const char *text)
{
	char settings[1024];
	snprintf(own, sizeof own, "%s/own.json", directory);
	write_file(own, text);
	snprintf(settings, sizeof settings,
		"{\"pricing\": {\"overrides\": \"%s\"}, \"destinations\": {\"langfuse\":"
		" {\"type\": \"langfuse\", \"secret_key_file\": \"/no/such\"}}}",
		own);
	write_file(config, settings);
}

Test(prices_cli, prices_of_your_own_come_first_and_say_so)
{
	take_own_prices(OWN_PRICES);
	EXPECT_SAID("my-llama (any), a price of your own\n"
		    "2026-11-20 00:00 UTC: standard prices\n"
		    "  input   1,000  tokens x  $0.10  / 1M =  $0.0001\n"
		    "  output    100  tokens x  $0.40  / 1M =  $0.00004\n"
		    "  total                                   $0.00014\n",
		EXIT_DONE, "explain", "my-llama", "--at", "2026-11-20", "--input", "1000",
		"--output", "100");
	EXPECT_SAID(
		"model                             provider     input  output  cached  write\n"
		"claude-sonnet-4-5                 anthropic     2.40   12.00                 own\n"
		"bedrock-regional/claude-sonnet-…  aws.bedrock   3.30   16.50    0.33  4.125\n"
		"2 models, USD per 1M tokens, as of 2026-11-20.\n",
		EXIT_DONE, "list", "claude-sonnet-4-5");
	cr_expect_eq(RUN("list", "my-", "--provider", "ANY", "--json"), EXIT_DONE);
	json_t *answer = json_loads(said, 0, NULL),
	       *wanted = json_pack("{s:s, s:i, s:I, s:[{s:s, s:s, s:n, s:b, s:b, s:s, s:n,"
				   " s:{s:s, s:s}}], s:[]}",
		       "as_of", "2026-11-20", "age_days", 0, "at_ns", (json_int_t)now_ns, "models",
		       "id", "my-llama", "provider", "any", "since", "is_override", 1,
		       "is_deprecated", 0, "confidence", "high", "notes", "prices", "input",
		       "0.0000001", "output", "0.0000004", "unpriced");
	cr_expect(json_equal(answer, wanted), "%s", said);
	json_decref(answer);
	json_decref(wanted);
}

Test(prices_cli, the_variable_and_the_flag_win_over_the_found_file)
{
	char other[SCRATCH_PATH_MAX + 16];
	take_own_prices(OWN_PRICES);
	snprintf(other, sizeof other, "%s/other.json", directory);
	write_file(other, "{}");
	cr_expect_eq(RUN("explain", "my-llama"), EXIT_DONE);
	cr_expect_eq(RUN("explain", "my-llama", "--config", other), EXIT_FAILED);
	setenv("TOLLGATE_PRICING_OVERRIDES", own, 1);
	cr_expect_eq(RUN("explain", "my-llama", "--config", other), EXIT_DONE);
	setenv("TOLLGATE_PRICING_OVERRIDES", other, 1);
	cr_expect_eq(RUN("explain", "my-llama"), EXIT_FAILED);
}

Test(prices_cli, settings_and_tables_that_cannot_be_used_are_named)
{
	char wanted[1024];
	take_own_prices("{\"models\": [\n  {\"id\": \"a\",\n   \"price\": \"1\"}\n]}\n");
	snprintf(wanted, sizeof wanted, "tollgate: %s:3: models[a]: unknown key 'price'\n", own);
	cr_expect_eq(RUN("explain", "gpt-4"), EXIT_USAGE);
	cr_expect_str_eq(complained, wanted);
	cr_expect_eq(RUN("list"), EXIT_USAGE);
	cr_expect_str_eq(complained, wanted);
	write_file(config, "{\n\"pricing\": }");
	snprintf(wanted, sizeof wanted, "tollgate: %s:2: no valid JSON at column 12\n", config);
	cr_expect_eq(RUN("explain", "gpt-4"), EXIT_USAGE);
	cr_expect_str_eq(complained, wanted);
	EXPECT_REFUSED("/no/such: the configuration cannot be read: No such file or directory",
		"list", "--config", "/no/such");
	setenv("TOLLGATE_PRICING_FILE", "/no/such", 1);
	write_file(config, "{}");
	EXPECT_REFUSED(
		"/no/such: the price table cannot be read: No such file or directory", "list");
}

/* ---- check ---- */

#define EXPECT_CHECKED(text, form, status) \
	do { \
		char wanted_line[1024]; \
		snprintf(own, sizeof own, "%s/own.json", directory); \
		write_file(own, text); \
		snprintf(wanted_line, sizeof wanted_line, form, own); \
		cr_expect_eq(RUN("check", own), status); \
		cr_expect_str_eq((status) == EXIT_DONE ? said : complained, wanted_line); \
		cr_expect_str_eq((status) == EXIT_DONE ? complained : said, ""); \
	} while (0)

Test(prices_cli, check_says_what_a_file_is_or_where_its_first_mistake_is)
{
	char table[512], wanted[1024];
	snprintf(table, sizeof table, "%s/pricing/models.json",
		getenv("srcdir") ? getenv("srcdir") : ".");
	cr_expect_eq(RUN("check", table), EXIT_DONE);
	snprintf(wanted, sizeof wanted,
		"ok: %s is the table as of 2026-11-20: 300 records, 1001 aliases, 215 patterns\n",
		table);
	cr_expect_str_eq(said, wanted);
	EXPECT_CHECKED("{\"models\": [{\"id\": \"m\", \"provider\": \"any\","
		       " \"prices_per_million\": {\"input\": \"1\"}}]}",
		"ok: %s overrides the table as of 2026-11-20: 1 record, 1 alias, 0 patterns\n",
		EXIT_DONE);
	EXPECT_CHECKED(OWN_PRICES "x",
		"tollgate: %s:7: no valid JSON at column 1: end of file expected\n", EXIT_USAGE);
	EXPECT_CHECKED(
		"{\n\"models\": [{\"id\": \"m\",\n\"provider\": \"any\",\n\"prices_per_million\":\n"
		"{\"input\": 1}}]}",
		"tollgate: %s:5: models[m].prices_per_million.input: must be a string\n",
		EXIT_USAGE);
	EXPECT_REFUSED("/no/such: the price table cannot be read: No such file or directory",
		"check", "/no/such");
}

/* ---- what the daemon met ---- */

static const char *unknown_page(const char *answer)
{
	static struct buf out;
	struct terminal terminal = { .width = 80, .has_unicode = true };
	json_t *json = json_of(answer);
	buf_done(&out);
	buf_init(&out, 1 << 20, NULL);
	cr_assert_eq(prices_unknown_print(json, &terminal, &out), 0);
	buf_append(&out, "", 1);
	json_decref(json);
	expect_narrow((const char *)out.at);
	return (const char *)out.at;
}

#define TABLE_OF \
	"'now_ns': 1795167000000000000, 'since_ns': 1795163400000000000, 'as_of': '2026-11-20'," \
	" 'records': 300, "

Test(prices_cli, names_without_a_price_are_listed_with_why)
{
	cr_expect_str_eq(
		unknown_page(
			"{" TABLE_OF "'age_days': 0, 'other_calls': 1234, 'names': ["
			"{'model': 'claude-opus-9-20270101', 'why': 'unknown_model', 'calls': 41},"
			"{'model': 'claude-haiku-4-5', 'why': 'unknown_tier', 'calls': 3},"
			"{'model': 'gpt-5', 'why': 'usage_withheld', 'calls': 100000}]}"),
		"model                     calls  why\n"
		"claude-opus-9-20270101       41  no such model in the table\n"
		"claude-haiku-4-5              3  no price for its service tier\n"
		"gpt-5                   100,000  its tokens are not said\n"
		"(further names)           1,234\n"
		"Since the daemon's start, 1 h ago; its table has 300 models as of 2026-11-20.\n");
	cr_expect_str_eq(
		unknown_page("{" TABLE_OF "'age_days': 91, 'other_calls': 0, 'names': []}"),
		"Every call had a price since the daemon's start.\n"
		"Since the daemon's start, 1 h ago; its table has 300 models as of 2026-11-20.\n"
		"The price table is 91 days old: prices may have changed.\n");
}

Test(prices_cli, a_check_of_the_settings_counts_prices_of_your_own)
{
	char wanted[1024];
	take_own_prices(OWN_PRICES);
	snprintf(wanted, sizeof wanted, "{\"pricing\": {\"overrides\": \"%s\"}}", own);
	write_file(config, wanted);
	setenv("TOLLGATE_STATE_DIRECTORY", directory, 1);
	cr_expect_eq(run((char *[]){ "tollgate", "config", "--check", NULL }), EXIT_DONE, "%s",
		complained);
	snprintf(wanted, sizeof wanted,
		"ok: %s (0 destinations, 301 prices as of 2026-11-20, 2 of them your own)\n",
		config);
	cr_expect_str_eq(said, wanted);
	cr_expect_eq(run((char *[]){ "tollgate", "config", "--check", "--json", NULL }), EXIT_DONE);
	json_t *answer = json_loads(said, 0, NULL);
	cr_expect_eq(json_integer_value(json_object_get(answer, "own_prices")), 2);
	json_decref(answer);
}
