/* Logs, metrics and hooks from the door to who takes them. */
#include "stories/story.h"

#include <stdlib.h>
#include <unistd.h>

#include "support/capture.h"
#include "support/exposition.h"

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(signals, .init = begin, .fini = end, .timeout = 120);

/* One log record of an application, in both encodings. */
static const char log_json[] =
	"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"n\"}}]}]}]}";
static const struct bytes log_protobuf = BYTES("\x0a\x09\x12\x07\x12\x05\x2a\x03\x0a\x01n");

static void post(const char *path, const char *type, struct bytes body)
{
	cr_assert_eq(story_send(&story, path, type, NULL, body).status, 200, "%s", path);
}

static void post_log(void)
{
	post("/v1/logs", "application/x-protobuf", log_protobuf);
}

/* The n-th request that came to a path; waits for it. */
static const struct fake_request *request_at(
	struct fake_destination *destination, const char *path, size_t n)
{
	for (size_t i = 0;; i++) {
		cr_assert(fake_destination_wait_requests(destination, i + 1, STORY_PATIENCE_MS),
			"request %zu to %s did not come", n, path);
		const struct fake_request *request = fake_destination_request(destination, i);
		if (strcmp(request->path, path) == 0 && n-- == 0)
			return request;
	}
}

Test(signals, what_is_no_span_reaches_who_takes_it_as_it_was)
{
	struct capture capture = capture_open("claude/b-tool");
	struct bytes metrics = { 0 };
	for (size_t i = 0; i < capture.count; i++)
		if (capture.deliveries[i].signal == SIGNAL_METRICS)
			metrics = capture.deliveries[i].body;
	story.tempo_signals = "[\"traces\",\"logs\",\"metrics\"]";
	story_start(&story, NULL);
	post("/v1/metrics", "application/x-protobuf", metrics);
	cr_expect(bytes_equal(request_at(story.tempo, "/v1/metrics", 0)->body, metrics));
	post_log();
	cr_expect(bytes_equal(request_at(story.tempo, "/v1/logs", 0)->body, log_protobuf));
	post("/", "application/json", bytes_of(log_json));
	cr_expect(bytes_equal(request_at(story.tempo, "/v1/logs", 1)->body, log_protobuf));
	story_post_spans(&story, 0, 5);
	story_expect_each_once(story.langfuse, 0, 5);
	cr_expect_eq(fake_destination_request_count(story.langfuse), 1, "it takes traces alone");
	struct story_books books = story_verify_sent(&story, "tempo", 0);
	cr_expect_geq(books.accepted, 8);
	cr_expect_eq(books.accepted, books.delivered);
	cr_expect_eq(story_verify(&story, "langfuse").accepted, 5);
	story_stop(&story);
	capture_close(&capture);
}

static struct fake_answer refuse_logs(const struct fake_request *request, void *status)
{
	return (struct fake_answer){
		.status = strcmp(request->path, "/v1/logs") == 0 ? *(int *)status : 200
	};
}

Test(signals, who_has_no_place_for_logs_gets_its_traces)
{
	int status = 404;
	size_t logs = 0;
	fake_destination_rule(story.tempo, refuse_logs, &status);
	story.tempo_signals = "[\"traces\",\"logs\"]";
	story_start(&story, NULL);
	post_log();
	story_expect_log(&story, "event=export_held destination=tempo lane=default signal=logs");
	story_post_spans(&story, 0, 50);
	story_expect_each_once(story.tempo, 0, 50);
	cr_expect_eq(story_verify_sent(&story, "tempo", 1).waiting, 1);
	story_stop(&story);

	fake_destination_rule(story.tempo, NULL, NULL);
	story_start(&story, NULL);
	story_post_spans(&story, 50, 5);
	story_expect_each_once(story.tempo, 50, 5);
	while (request_at(story.tempo, "/v1/logs", logs)->status != 200)
		logs++;
	cr_expect(bytes_equal(request_at(story.tempo, "/v1/logs", logs)->body, log_protobuf));
	story_stop(&story);
	cr_expect_eq(fake_destination_duplicate_count(story.tempo), 0);
}

Test(signals, acknowledged_logs_survive_a_crash)
{
	int status = 503;
	fake_destination_rule(story.tempo, refuse_logs, &status);
	story.tempo_signals = "[\"traces\",\"logs\"]";
	story_start(&story, NULL);
	post_log();
	story_post_spans(&story, 0, 5);
	story_expect_each_once(story.tempo, 0, 5);
	daemon_kill(&story.daemon);
	fake_destination_rule(story.tempo, NULL, NULL);
	size_t before = fake_destination_request_count(story.tempo);
	story_start(&story, NULL);
	for (size_t n = 0;; n++) {
		const struct fake_request *request = request_at(story.tempo, "/v1/logs", n);
		if (request->status != 200)
			continue;
		cr_expect(bytes_equal(request->body, log_protobuf));
		break;
	}
	cr_expect_gt(fake_destination_request_count(story.tempo), before);
	story_stop(&story);
}

static double figure(const char *series)
{
	char *page, why[256];
	cr_assert_eq(story_get(&story, "/metrics", &page), 200);
	cr_expect(exposition_check(page, why), "%s in\n%s", why, page);
	double value = exposition_value(page, series);
	free(page);
	return value;
}

Test(signals, what_nobody_takes_is_acknowledged_and_counted)
{
	story_start(&story, NULL);
	post_log();
	post("/v1/logs", "application/json", bytes_of(log_json));
	post("/v1/metrics", "application/json", bytes_of("{}"));
	cr_expect_eq(figure("tollgate_log_records_received_total"), 2);
	cr_expect_eq(figure("tollgate_unwanted_total{signal=\"logs\"}"), 2);
	cr_expect_eq(figure("tollgate_unwanted_total{signal=\"metrics\"}"), 0);
	cr_expect_eq(story_send(&story, "/v1/logs", "text/plain", NULL, log_protobuf).status, 415);
	cr_expect_eq(story_get(&story, "/v1/logs", NULL), 405);
	story_stop(&story);
	cr_expect_eq(fake_destination_request_count(story.tempo), 0);
}

Test(signals, hooks_are_taken_with_and_without_sessions)
{
	static const struct bytes hook =
		BYTES("{\"hook_event_name\":\"Stop\",\"session_id\":\"secret\"}");
	for (int is_off = 0; is_off < 2; is_off++) {
		story.is_sessions_off = is_off;
		story_start(&story, (const char *const[]){ "TOLLGATE_LOG_LEVEL=debug", NULL });
		post("/hooks/claude-code", "application/json", hook);
		post("/hooks/codex", "application/json", hook);
		post("/hooks/gemini", "text/plain", hook);
		cr_expect_eq(
			story_send(&story, "/hooks/cursor", "application/json", NULL, hook).status,
			404);
		cr_expect_eq(figure("tollgate_hooks_received_total"), 3);
		story_stop(&story);
		char *log = daemon_log(&story.daemon);
		cr_expect_null(strstr(log, "secret"), "%s", log);
		free(log);
	}
}
