/* Everything that was captured of the CLIs, through dialects, plan, synthesis and enrichment. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/replay.h"
#include "support/session_tree.h"

TestSuite(sessions, .timeout = 600);

/* What a difference says is shown with the test that it fails. */
struct said {
	char *text;
	size_t len;
	FILE *out;
};

static void said_begin(struct said *said)
{
	*said = (struct said){ 0 };
	said->out = open_memstream(&said->text, &said->len);
}

static void expect_none(struct said *said, unsigned differences, const char *name, const char *how)
{
	fclose(said->out);
	cr_expect_eq(
		differences, 0, "%s, %s: %u differences\n%s", name, how, differences, said->text);
	free(said->text);
}

static json_t *spans_of(const char *name, bool with_spans, const char *const *settings)
{
	struct capture capture = capture_open(name);
	struct replay replay;
	replay_begin(&replay, settings);
	replay_capture(&replay, &capture, with_spans);
	replay_out(&replay);
	json_t *spans = json_incref(replay.spans);
	replay_end(&replay);
	capture_close(&capture);
	return spans;
}

static const char *const session_scope[] = { "sessions.trace_scope=session", NULL };

static void expect_tree(const char *name, bool with_spans, bool has_session)
{
	json_t *expected = expected_tree(name, with_spans ? "native" : "logs");
	if (!expected)
		expected = expected_tree(name, "logs");
	json_t *spans = spans_of(name, with_spans, has_session ? session_scope : NULL);
	struct said said;
	said_begin(&said);
	unsigned differences = tree_compare(expected, spans, has_session, said.out);
	expect_none(
		&said, differences, name, with_spans ? "with its spans" : "logs and hooks alone");
	json_decref(expected);
	json_decref(spans);
}

Test(sessions, every_capture_becomes_its_tree)
{
	for (const char *const *name = capture_names(); *name; name++)
		expect_tree(*name, true, false);
}

Test(sessions, every_capture_becomes_its_tree_without_the_spans_that_the_cli_wrote)
{
	for (const char *const *name = capture_names(); *name; name++)
		expect_tree(*name, false, false);
}

Test(sessions, one_trace_holds_a_session_where_that_is_wanted)
{
	for (const char *const *name = capture_names(); *name; name++)
		expect_tree(*name, false, true);
}
