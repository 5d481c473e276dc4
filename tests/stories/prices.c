/* Which calls got no cost and why, asked of the running daemon. */
#include "stories/story.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "support/one_span.h"

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(prices, .init = begin, .fini = end, .timeout = 120);

static void post_call(const char *model, const char *tier)
{
	char name[128], service[64];
	snprintf(name, sizeof name, "gen_ai.request.model=%s", model);
	snprintf(service, sizeof service, "gen_ai.openai.request.service_tier=%s", tier);
	struct bytes request = one_span("chat",
		(const char *const[]){ "gen_ai.operation.name=chat", name, service,
			"gen_ai.usage.input_tokens:=100", "gen_ai.usage.output_tokens:=10", NULL });
	cr_assert_eq(story_post(&story, request).status, 200);
	free((void *)request.at);
}

/* Of its tokens. */
static void post_silent_call(const char *model)
{
	char name[128];
	snprintf(name, sizeof name, "gen_ai.request.model=%s", model);
	struct bytes request =
		one_span("chat", (const char *const[]){ "gen_ai.operation.name=chat", name, NULL });
	cr_assert_eq(story_post(&story, request).status, 200);
	free((void *)request.at);
}

Test(prices, calls_without_a_cost_are_listed_by_name_with_why)
{
	char *said;
	story_start(&story, NULL);
	cr_expect_eq(story_command(&story, &said, "prices", "list", "--unknown", NULL), 0);
	cr_expect(strstr(said, "Every call had a price since the daemon's start.\n") == said, "%s",
		said);
	free(said);

	post_call("gpt-5", "default");
	post_call("nobody\033[31mknows: it", "default");
	post_call("claude-haiku-4-5", "turbo");
	post_call("claude-haiku-4-5", "turbo");
	post_silent_call("gpt-5-mini");
	cr_expect_eq(story_command(&story, &said, "prices", "list", "--unknown", NULL), 0);
	static const char wanted[] = "model                 calls  why\n"
				     "claude-haiku-4-5          2  no price for its service tier\n"
				     "nobody?[31mknows: it      1  no such model in the table\n"
				     "gpt-5-mini                1  its tokens are not said\n"
				     "Since the daemon's start, ";
	cr_expect(strncmp(said, wanted, strlen(wanted)) == 0, "%s", said);
	cr_expect(strstr(said, " ago; its table has 300 models as of 2026-11-20.\n"), "%s", said);
	free(said);

	cr_expect_eq(
		story_command(&story, &said, "prices", "list", "--unknown", "--json", NULL), 0);
	json_t *answer = json_loads(said, 0, NULL);
	cr_assert(answer, "%s", said);
	json_t *names = json_pack("[{s:s, s:s, s:i}, {s:s, s:s, s:i}, {s:s, s:s, s:i}]", "model",
		"claude-haiku-4-5", "why", "unknown_tier", "calls", 2, "model",
		"nobody?[31mknows: it", "why", "unknown_model", "calls", 1, "model", "gpt-5-mini",
		"why", "usage_withheld", "calls", 1);
	cr_expect(json_equal(json_object_get(answer, "names"), names), "%s", said);
	json_decref(names);
	json_decref(answer);
	free(said);
	story_stop(&story);

	cr_expect_eq(story_command(&story, &said, "prices", "list", "--unknown", NULL), 1);
	cr_expect(strstr(said, "tollgate: the daemon is not running"), "%s", said);
	free(said);
}
