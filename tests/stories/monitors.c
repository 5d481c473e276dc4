/* What a monitor sees: whether the daemon is there and ready, and figures that tell what happened. */
#include "stories/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/exposition.h"
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

TestSuite(monitors, .init = begin, .fini = end, .timeout = 120);

static void post_call(const char *model)
{
	char name[64];
	snprintf(name, sizeof name, "llm.model_name=%s", model);
	struct bytes request = one_span("ChatCompletion",
		(const char *const[]){ "openinference.span.kind=LLM", name,
			"session.id=a-private-session", "input.value=a private prompt",
			"llm.token_count.prompt:=100", "llm.token_count.completion:=10", NULL });
	cr_assert_eq(story_post(&story, request).status, 200);
	free((void *)request.at);
}

static char *metrics(void)
{
	char *page, why[256];
	cr_assert_eq(story_get(&story, "/metrics", &page), 200);
	cr_expect(exposition_check(page, why), "%s in\n%s", why, page);
	return page;
}

static void expect(const char *page, const char *series, double wanted)
{
	double value = exposition_value(page, series);
	cr_expect_eq(value, wanted, "%s is %g, not %g", series, value, wanted);
}

Test(monitors, metrics_tell_what_came_what_it_was_and_where_it_went)
{
	story_start(&story, NULL);
	post_call("gpt-4o");
	post_call("nobody\"knows");
	post_call("nobody\"knows");
	cr_assert_eq(story_post(&story, (struct bytes)BYTES("no protobuf")).status, 400);
	cr_assert_eq(story_get(&story, "/nowhere", NULL), 404);
	cr_assert_eq(story_get(&story, "/v1/traces", NULL), 405);
	char *page = metrics();
	for (unsigned waited = 0; waited < 200; waited++) {
		if (exposition_value(
			    page, "tollgate_exported_spans_total{destination=\"tempo\"}") == 3 &&
			exposition_value(page,
				"tollgate_exported_spans_total{destination=\"langfuse\"}") == 3)
			break;
		usleep(50000);
		free(page);
		page = metrics();
	}
	expect(page, "tollgate_requests_total", 6);
	expect(page, "tollgate_requests_refused_total{reason=\"malformed\"}", 1);
	expect(page, "tollgate_requests_refused_total{reason=\"not_found\"}", 1);
	expect(page, "tollgate_requests_refused_total{reason=\"method\"}", 1);
	expect(page, "tollgate_requests_refused_total{reason=\"disk_full\"}", 0);
	expect(page, "tollgate_spans_accepted_total", 3);
	expect(page, "tollgate_spans_enriched_total{vocabulary=\"openinference\"}", 3);
	expect(page, "tollgate_spans_enriched_total{vocabulary=\"gen_ai\"}", 0);
	expect(page, "tollgate_model_calls_total{price=\"priced\"}", 1);
	expect(page, "tollgate_model_calls_total{price=\"unknown_model\"}", 2);
	expect(page, "tollgate_unknown_model_calls_total{model=\"nobody\\\"knows\"}", 2);
	expect(page, "tollgate_exported_spans_total{destination=\"tempo\"}", 3);
	expect(page, "tollgate_exported_spans_total{destination=\"langfuse\"}", 3);
	expect(page, "tollgate_destination_last_status{destination=\"langfuse\"}", 200);
	expect(page, "tollgate_spool_writable", 1);
	cr_expect_null(strstr(page, "private"), "%s", page);
	cr_expect_null(strstr(page, STORY_SECRET_KEY), "%s", page);
	free(page);
	story_stop(&story);
}

Test(monitors, a_destination_that_is_away_ages_but_the_daemon_stays_ready)
{
	char *body;
	story_start(&story, NULL);
	fake_destination_stop(story.langfuse);
	story.langfuse = NULL;
	cr_assert_eq(story_get(&story, "/healthz", &body), 200);
	cr_expect_str_eq(body, "ok\n");
	free(body);
	post_call("gpt-4o");
	usleep(1100000);
	cr_assert_eq(story_get(&story, "/readyz", &body), 200);
	cr_expect_str_eq(body, "ok\n");
	free(body);
	char *page = metrics();
	cr_expect_geq(exposition_value(
			      page, "tollgate_spool_oldest_age_seconds{destination=\"langfuse\"}"),
		1);
	cr_expect_gt(
		exposition_value(page, "tollgate_spool_waiting_bytes{destination=\"langfuse\"}"),
		0);
	cr_expect_gt(
		exposition_value(page, "tollgate_export_retries_total{destination=\"langfuse\"}"),
		0);
	expect(page, "tollgate_destination_last_status{destination=\"langfuse\"}", 0);
	expect(page, "tollgate_exported_spans_total{destination=\"langfuse\"}", 0);
	free(page);
}

Test(monitors, a_mistake_that_is_repeated_is_logged_once_and_counted_each_time)
{
	story_start(&story, NULL);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(story_post(&story, (struct bytes)BYTES("no protobuf")).status, 400);
	char *page = metrics();
	expect(page, "tollgate_requests_refused_total{reason=\"malformed\"}", 20);
	free(page);
	story_stop(&story);
	char *log = daemon_log(&story.daemon), *first = strstr(log, "event=request_refused");
	cr_assert_not_null(first, "%s", log);
	cr_expect_null(strstr(first + 1, "event=request_refused"), "%s", log);
	cr_expect_not_null(strstr(log, "refused_malformed=20"), "%s", log);
	free(log);
}
