/* One destination gets everything, another no content or a part of it: that, on the wire, and the same figures. */
#include "stories/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/content.h"
#include "support/content_judge.h"
#include "support/fixture.h"
#include "support/one_span.h"

#define SECRET "the-launch-code-is-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000"

static struct story story;
static const struct destination_config none = { .content = CONTENT_NONE },
				       cut = { .content = CONTENT_CUT, .content_max_bytes = 64 };

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(content, .init = begin, .fini = end, .timeout = 120);

/* A call that says its secret in the words of several vocabularies. */
static struct bytes secret_call(void)
{
	return one_span("chat",
		(const char *const[]){ "openinference.span.kind=LLM", "llm.model_name=gpt-4o",
			"llm.token_count.prompt:=1000", "llm.token_count.completion:=500",
			"input.value={\"question\":\"" SECRET "\"}",
			"input.mime_type=application/json",
			"llm.input_messages.0.message.role=user",
			"llm.input_messages.0.message.content=" SECRET,
			"llm.output_messages.0.message.content=" SECRET,
			"gen_ai.prompt.0.content=" SECRET, "gen_ai.completion=" SECRET,
			"gen_ai.input.messages=[\"" SECRET "\"]", "ai.prompt.messages=" SECRET,
			"ai.response.text=" SECRET, "traceloop.entity.input=" SECRET,
			"mlflow.spanOutputs=\"" SECRET "\"", "user_prompt=" SECRET,
			"tool_response=" SECRET, "llm.openai.messages=" SECRET, NULL });
}

static void post(struct bytes request)
{
	cr_assert_eq(story_post(&story, request).status, 200);
}

static void post_secret(void)
{
	struct bytes request = secret_call();
	post(request);
	free((void *)request.at);
}

static struct bytes body(struct fake_destination *destination, size_t n)
{
	cr_assert(fake_destination_wait_requests(destination, n + 1, STORY_PATIENCE_MS));
	return fake_destination_request(destination, n)->body;
}

static bool holds(struct bytes body, const char *text)
{
	return memmem(body.at, body.len, text, strlen(text));
}

static void expect_only_content_differs(
	const struct destination_config *config, struct bytes whole, struct bytes less)
{
	const char *why;
	cr_expect(content_judge(config, whole, less, &why), "%s", why);
	cr_expect(holds(less, "langfuse.observation.cost_details"));
	cr_expect(holds(less, "langfuse.observation.usage_details"));
}

Test(content, one_destination_gets_everything_and_another_no_word_of_it)
{
	static const char *const said[] = { "Please run echo hi", "echo hi" };
	struct bytes capture = fixture("captures/claude/b-tool/0003-traces.pb");
	story_start(&story, (const char *const[]){ "TOLLGATE_TEMPO_CONTENT=none", NULL });
	post_secret();
	struct bytes whole = body(story.langfuse, 0), less = body(story.tempo, 0);
	cr_expect(holds(whole, SECRET));
	cr_expect_not(holds(less, SECRET));
	expect_only_content_differs(&none, whole, less);

	post(capture);
	whole = body(story.langfuse, 1);
	less = body(story.tempo, 1);
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		cr_expect(holds(whole, said[i]));
		cr_expect_not(holds(less, said[i]));
	}
	/* Of a tool's span Langfuse has a copy of its own: the two cannot be compared. */
	cr_expect(holds(less, "langfuse.observation.cost_details"));
	cr_expect(holds(less, "Turn #1"));
	free((void *)capture.at);
}

Test(content, one_destination_gets_a_part_of_it_and_another_nothing)
{
	story_start(&story, NULL);
	post_secret();
	struct bytes whole = body(story.tempo, 0);
	body(story.langfuse, 0);
	story_stop(&story);
	story_start(&story,
		(const char *const[]){ "TOLLGATE_TEMPO_CONTENT=cut",
			"TOLLGATE_TEMPO_CONTENT_MAX_BYTES=64", "TOLLGATE_LANGFUSE_CONTENT=none",
			"TOLLGATE_SPOOL_COMPRESSION=none", NULL });
	post_secret();
	struct bytes part = body(story.tempo, 1);
	cr_expect(holds(part, "the-launch-code-is"));
	cr_expect_not(holds(part, SECRET));
	expect_only_content_differs(&cut, whole, part);
	expect_only_content_differs(&none, whole, body(story.langfuse, 1));
}

static struct fake_answer always(const struct fake_request *request, void *status)
{
	return (struct fake_answer){ .status = *(const int *)status };
}

/* Posts a call that Tempo refuses. The id of its dead letter, to be freed. */
static char *refused_letter(void)
{
	static int refused = 400;
	char *said = NULL, id[64] = "";
	fake_destination_rule(story.tempo, always, &refused);
	post_secret();
	for (unsigned tries = 0; story_verify(&story, "tempo").dead < 1; tries++) {
		cr_assert_lt(tries, 100);
		usleep(100 * 1000);
	}
	cr_assert_eq(story_command(&story, &said, "spool", "dead", "list", "--json", NULL), 0);
	const char *found = strstr(said, "\"tempo/");
	cr_assert(found && sscanf(found, "\"%63[^\"]", id) == 1, "%s", said);
	free(said);
	return strdup(id);
}

/* What was received and what was set aside before the setting goes without content as well. */
Test(content, what_waited_when_content_was_switched_off_goes_without_it)
{
	static int failing = 503;
	char *said;
	struct bytes capture = fixture("captures/claude/b-tool/0003-traces.pb");
	story_start(&story, NULL);
	char *id = refused_letter();
	fake_destination_rule(story.tempo, always, &failing);
	post(capture);
	cr_expect(holds(body(story.tempo, 1), "echo hi"));
	story_stop(&story);
	size_t before = fake_destination_request_count(story.tempo);

	fake_destination_rule(story.tempo, NULL, NULL);
	story_start(&story, (const char *const[]){ "TOLLGATE_TEMPO_CONTENT=none", NULL });
	cr_expect_not(holds(body(story.tempo, before), "echo hi"));
	cr_expect_eq(
		story_command(&story, &said, "spool", "dead", "retry", id, NULL), 0, "%s", said);
	struct bytes letter = body(story.tempo, before + 1);
	cr_expect_not(holds(letter, SECRET));
	cr_expect(holds(letter, CONTENT_MARK));
	free(said);
	free(id);
	free((void *)capture.at);
}

Test(content, a_dead_letter_holds_no_more_than_was_sent)
{
	char *said;
	story_start(&story, (const char *const[]){ "TOLLGATE_TEMPO_CONTENT=none", NULL });
	char *id = refused_letter();
	cr_assert_eq(
		story_command(&story, &said, "spool", "dead", "show", id, "--content", NULL), 0);
	cr_expect(strstr(said, CONTENT_MARK), "%s", said);
	cr_expect_null(strstr(said, "launch"), "%s", said);
	free(said);
	free(id);
}
