/* Sessions of the CLIs through the whole daemon: what was captured is posted, what arrives is a tree. */
#include "stories/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/capture.h"
#include "support/session_tree.h"

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(sessions, .init = begin, .fini = end, .timeout = 240);

/* What waits for its partners does so for as long as these posts take, and a session ends soon. */
static const char *const quick[] = { "TOLLGATE_SESSIONS_JOIN_WAIT_MS=1500",
	"TOLLGATE_SESSIONS_TURN_IDLE_MS=1000", "TOLLGATE_SESSIONS_SESSION_IDLE_MS=8000", NULL };

/* The same where a daemon starts between any two of them. */
static const char *const patient[] = { "TOLLGATE_SESSIONS_JOIN_WAIT_MS=6000",
	"TOLLGATE_SESSIONS_TURN_IDLE_MS=6000", "TOLLGATE_SESSIONS_SESSION_IDLE_MS=12000", NULL };

static void post(const struct delivery *delivery)
{
	struct story_answer answer = story_send(&story, delivery->path,
		delivery->is_hook ? "application/json" : "application/x-protobuf", NULL,
		delivery->body);
	cr_assert_eq(answer.status, 200, "%s: %d", delivery->path, answer.status);
}

static void post_capture(const char *name)
{
	struct capture capture = capture_open(name);
	for (size_t i = 0; i < capture.count; i++)
		post(&capture.deliveries[i]);
	capture_close(&capture);
}

static bool has_span(const json_t *spans, const json_t *like)
{
	size_t i;
	json_t *span;
	json_array_foreach(spans, i, span)
		if (json_equal(json_object_get(span, "id"), json_object_get(like, "id")) &&
			json_equal(json_object_get(span, "trace"), json_object_get(like, "trace")))
			return true;
	return false;
}

/* Each span that a destination has of a session, once. */
static json_t *received(struct fake_destination *destination, const json_t *session)
{
	json_t *spans = json_array();
	size_t requests = fake_destination_request_count(destination);
	for (size_t n = 0; n < requests; n++) {
		oracle_request *request =
			oracle_decode(fake_destination_request(destination, n)->body);
		for (size_t i = 0; request && i < oracle_span_count(request); i++) {
			json_t *span = span_json(oracle_span_at(request, i), "default");
			if (json_equal(json_object_get(span, "session"), session) &&
				!has_span(spans, span))
				json_array_append(spans, span);
			json_decref(span);
		}
		oracle_free(request);
	}
	return spans;
}

static json_t *tree_of(const char *name)
{
	json_t *tree = expected_tree(name, "native");
	return tree ? tree : expected_tree(name, "logs");
}

static void expect_arrived(struct fake_destination *destination, const char *name)
{
	char *text;
	size_t len;
	json_t *expected = tree_of(name);
	json_t *spans =
		received(destination, json_object_get(json_array_get(expected, 0), "session"));
	FILE *out = open_memstream(&text, &len);
	unsigned differences = tree_compare(expected, spans, false, out);
	fclose(out);
	cr_expect_eq(differences, 0, "%s: %u differences\n%s", name, differences, text);
	free(text);
	json_decref(expected);
	json_decref(spans);
}

/* Waits for the spans of these captures at both destinations, and a little for what should not come. */
static void expect_all(const char *const *names)
{
	struct fake_destination *destinations[] = { story.langfuse, story.tempo };
	size_t spans = 0;
	for (const char *const *name = names; *name; name++) {
		json_t *tree = tree_of(*name);
		spans += json_array_size(tree);
		json_decref(tree);
	}
	for (size_t d = 0; d < 2; d++)
		cr_expect(fake_destination_wait_spans(destinations[d], spans, 30000),
			"%zu spans, not %zu", fake_destination_span_count(destinations[d]), spans);
	sleep(1);
	for (size_t d = 0; d < 2; d++)
		cr_expect_eq(fake_destination_span_count(destinations[d]), spans);
	for (const char *const *name = names; *name; name++)
		expect_arrived(story.tempo, *name);
}

static void expect_none_twice(void)
{
	cr_expect_eq(fake_destination_duplicate_count(story.langfuse), 0);
	cr_expect_eq(fake_destination_duplicate_count(story.tempo), 0);
}

Test(sessions, of_all_three_clis_arrive_as_trees)
{
	static const char *const names[] = { "claude/e1-subagents-fg",
		"claude/e4-subagents-logsonly-nohooks", "claude/g1-default-redacted",
		"claude/h3-interactive-reject", "codex/c-parallel", "codex/h1-interactive",
		"gemini/e1-agents", "gemini/h1-interactive", NULL };
	story_start(&story, quick);
	for (const char *const *name = names; *name; name++)
		post_capture(*name);
	expect_all(names);
	expect_none_twice();
	story_stop(&story);
}

Test(sessions, sent_again_after_a_restart_arrive_once)
{
	static const char *const names[] = { "claude/c-parallel", "codex/e1-agents",
		"gemini/c-parallel", NULL };
	story_start(&story, quick);
	for (const char *const *name = names; *name; name++)
		post_capture(*name);
	expect_all(names);
	story_stop(&story);
	story_start(&story, quick);
	for (const char *const *name = names; *name; name++)
		post_capture(*name);
	sleep(12); /* longer than any of it may wait */
	expect_all(names);
	expect_none_twice();
	story_stop(&story);
}

Test(sessions, survive_kill_9_between_any_two_requests)
{
	static const char *const names[] = { "claude/b-tool", "codex/b-tool", "gemini/b-tool",
		NULL };
	story_start(&story, patient);
	for (const char *const *name = names; *name; name++) {
		struct capture capture = capture_open(*name);
		for (size_t i = 0; i < capture.count; i++) {
			post(&capture.deliveries[i]);
			daemon_kill(&story.daemon);
			story_start(&story, patient);
		}
		capture_close(&capture);
	}
	expect_all(names);
	story_stop(&story);
}
