#include "proxy/target.h"

#include <criterion/criterion.h>

static void expect_family(enum request_family family, const char *method, const char *path)
{
	cr_expect_str_eq(family_name(family_of(method, path)), family_name(family), "%s %s: %s",
		method, path, family_name(family_of(method, path)));
}

Test(proxy_target, what_can_be_kept_is_told_from_what_is_read_at_the_same_path)
{
	expect_family(FAMILY_INGESTION, "POST", "/api/public/ingestion");
	expect_family(FAMILY_INGESTION, "POST", "/api/public/ingestion/");
	expect_family(FAMILY_READS, "GET", "/api/public/ingestion");
	expect_family(FAMILY_SCORES, "POST", "/api/public/scores");
	expect_family(FAMILY_READS, "GET", "/api/public/scores");
	expect_family(FAMILY_WRITES, "DELETE", "/api/public/scores/a");
	expect_family(FAMILY_WRITES, "POST", "/api/public/scores/a");
}

Test(proxy_target, each_room_of_the_api_is_a_family)
{
	expect_family(FAMILY_PROMPTS, "GET", "/api/public/v2/prompts/a%2Fb");
	expect_family(FAMILY_PROMPTS, "POST", "/api/public/v2/prompts");
	expect_family(FAMILY_PROMPTS, "PATCH", "/api/public/v2/prompts/a/versions/1");
	expect_family(FAMILY_DATASETS, "GET", "/api/public/v2/datasets/a%20b");
	expect_family(FAMILY_DATASETS, "POST", "/api/public/dataset-run-items");
	expect_family(FAMILY_MEDIA, "PATCH", "/api/public/media/a");
	expect_family(FAMILY_MCP, "POST", "/api/public/mcp");
	expect_family(FAMILY_READS, "GET", "/api/public/projects");
	expect_family(FAMILY_READS, "HEAD", "/api/public/traces/a");
	expect_family(FAMILY_WRITES, "DELETE", "/api/public/traces/a");
	expect_family(FAMILY_WRITES, "PURGE", "/api/public/traces/a");
}

Test(proxy_target, a_name_that_only_begins_like_a_room_is_another)
{
	expect_family(FAMILY_READS, "GET", "/api/public/mediation");
	expect_family(FAMILY_READS, "GET", "/api/public/mcpx");
	expect_family(FAMILY_WRITES, "POST", "/api/public/ingestions");
	expect_family(FAMILY_PAGES, "GET", "/api/publicity");
	expect_family(FAMILY_PAGES, "GET", "/project/a/traces/b");
}

Test(proxy_target, one_prompt_is_kept_and_nothing_beside_it)
{
	cr_expect(is_prompt_read("GET", "/api/public/v2/prompts/a%2Fb"));
	cr_expect(is_prompt_read("HEAD", "/api/public/v2/prompts/a"));
	cr_expect(is_prompt_read("GET", "/api/public/prompts"));
	cr_expect_not(is_prompt_read("POST", "/api/public/prompts"));
	cr_expect_not(is_prompt_read("DELETE", "/api/public/v2/prompts/a"));
	cr_expect_not(is_prompt_read("GET", "/api/public/v2/prompts"));
	cr_expect_not(is_prompt_read("GET", "/api/public/v2/prompts/"));
	cr_expect_not(is_prompt_read("GET", "/api/public/v2/prompts/a/versions/1"));
	cr_expect_not(is_prompt_read("GET", "/api/public/v2/promptsy/a"));
	cr_expect_not(is_prompt_read("GET", "/v2/prompts/a"));
}
