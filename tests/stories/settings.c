/* What a person does with settings: gets them wrong, asks about them, changes them under way. */
#include "stories/story.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pricing/price.h"
#include "support/fixture.h"
#include "support/oracle.h"

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(settings, .init = begin, .fini = end, .timeout = 120);

/* In the story's directory. */
static const char *path_of(const char *name)
{
	static char path[SCRATCH_PATH_MAX + 32];
	snprintf(path, sizeof(path), "%s/%s", story.directory, name);
	return path;
}

static void write_file(const char *name, mode_t mode, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void write_file(const char *name, mode_t mode, const char *format, ...)
{
	FILE *file = fopen(path_of(name), "we");
	va_list args;
	cr_assert_not_null(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	cr_assert_eq(fchmod(fileno(file), mode), 0);
	cr_assert_eq(fclose(file), 0);
}

/* Both destinations; `more` are further members of the file, each with a comma behind it. */
static void write_config(const char *more)
{
	write_file("own.json", 0600,
		"{ %s \"state_directory\": \"%s/state\", \"shutdown_timeout_ms\": 2000,\n"
		"  \"destinations\": {\n"
		"    \"langfuse\": { \"type\": \"langfuse\", \"endpoint\": \"%s\", \"public_key\": \"%s\",\n"
		"      \"secret_key_file\": \"%s/key\", \"batch_timeout_ms\": 10 },\n"
		"    \"tempo\": { \"type\": \"otlp\", \"endpoint\": \"%s\", \"batch_timeout_ms\": 10 } } }\n",
		more, story.directory, fake_destination_url(story.langfuse), STORY_PUBLIC_KEY,
		story.directory, fake_destination_url(story.tempo));
}

static struct daemon_start start_of(const char *const *arguments, const char *const *settings)
{
	static const char *const none[] = { NULL };
	return (struct daemon_start){ .arguments = arguments,
		.environment = settings ? settings : none,
		.directory = story.directory };
}

static void serve(const char *more)
{
	char config[SCRATCH_PATH_MAX + 32];
	write_config(more);
	snprintf(config, sizeof(config), "%s", path_of("own.json"));
	const struct daemon_start start = start_of(
		(const char *const[]){ daemon_program(), "serve", "--config", config, NULL },
		(const char *const[]){ "TOLLGATE_LISTEN=127.0.0.1:0", NULL });
	int error = daemon_start(&story.daemon, &start);
	if (error < 0)
		cr_assert_fail("the daemon does not listen: %s", daemon_log(&story.daemon));
}

/* Runs it to its end: the exit status; what it printed is the log. */
static int run(const char *const *arguments, const char *const *settings)
{
	const struct daemon_start start = start_of(arguments, settings);
	cr_assert_eq(daemon_spawn(&story.daemon, &start), 0);
	return child_wait(&story.daemon.child, DAEMON_START_MS);
}

static void expect_log(const char *wanted)
{
	char *log = daemon_log(&story.daemon);
	cr_expect_str_eq(log, wanted);
	free(log);
}

static const struct {
	const char *json;
	mode_t mode;
	int line;
	const char *words; /* one %s is the story's directory */
} mistakes[] = {
	{ "{\"http\": {\n\"thread\": 2}}", 0600, 2,
		"http.thread is no setting; the nearest is http.threads" },
	{ "{\"spool\": {\"max_bytes\": true}}", 0600, 1,
		"spool.max_bytes must be a number of bytes such as 67108864 or \"64MiB\", not true" },
	{ "{\"http\": {\n\n\"threads\": 65}}", 0600, 3,
		"http.threads must be from 1 to 64 threads, not 65" },
	{ "{\"pricing\": {\"file\": \"open.json\"}}", 0600, 1,
		"pricing.file must be the path of a file that can be read, not open.json" },
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\", \"public_key\": \"pk\",\n"
	  "\"secret_key\": \"sk\"}}}",
		0644, 2,
		"destinations.a.secret_key stands in a file that everyone can read: chmod o= %s/wrong.json" },
	{ "{\"control_group\": \"root\"}", 0600, 1,
		"control_group cannot reach %s/state/control.sock: the state directory is its owner's alone; "
		"set control_socket, such as /run/tollgate/control.sock" },
};

Test(settings, a_mistake_is_one_line_and_nothing_is_started)
{
	char config[SCRATCH_PATH_MAX + 32], state[SCRATCH_PATH_MAX + 64];
	snprintf(config, sizeof(config), "%s", path_of("wrong.json"));
	snprintf(state, sizeof(state), "TOLLGATE_STATE_DIRECTORY=%s", path_of("state"));
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		char words[1024], line[2048];
		write_file("wrong.json", mistakes[i].mode, "%s", mistakes[i].json);
		int status = run((const char *const[]){ daemon_program(), "serve", "--config",
					 config, NULL },
			(const char *const[]){ state, NULL });
		cr_expect_eq(status, 2, "%s: status %d", mistakes[i].json, status);
		const char *here = strstr(mistakes[i].words, "%s");
		int before = here ? (int)(here - mistakes[i].words) : -1;
		snprintf(words, sizeof(words), "%.*s%s%s", before, mistakes[i].words,
			here ? story.directory : "", here ? here + 2 : "");
		snprintf(line, sizeof(line), "tollgate: %s:%d: %s\n", config, mistakes[i].line,
			words);
		expect_log(line);
		cr_expect_neq(access(path_of("state"), F_OK), 0, "%s", mistakes[i].json);
	}
}

Test(settings, a_price_file_that_is_none_is_named_with_its_line)
{
	char prices[SCRATCH_PATH_MAX + 64], line[512];
	write_file("prices.json", 0644, "{\n\"models\" []}");
	snprintf(prices, sizeof(prices), "pricing.file=%s", path_of("prices.json"));
	cr_expect_eq(run((const char *const[]){ daemon_program(), "serve", "--set", prices, NULL },
			     (const char *const[]){ "HOME=/nonexistent", NULL }),
		2);
	snprintf(line, sizeof(line), "tollgate: %s:2: no valid JSON at column 10: ':' expected\n",
		path_of("prices.json"));
	expect_log(line);
}

/* The example is written where the program looks for the file, and taken as it is. */
Test(settings, the_example_passes_the_check)
{
	char state[SCRATCH_PATH_MAX + 64], *example;
	const char *const environment[] = { state, NULL };
	snprintf(state, sizeof(state), "TOLLGATE_STATE_DIRECTORY=%s", path_of("state"));
	cr_assert_eq(
		run((const char *const[]){ daemon_program(), "config", "--example", NULL }, NULL),
		0);
	example = daemon_log(&story.daemon);
	cr_assert_eq(mkdir(path_of("tollgate"), 0700), 0);
	write_file("tollgate/tollgate.json", 0644, "%s", example);
	free(example);

	int status = run(
		(const char *const[]){ daemon_program(), "config", "--check", NULL }, environment);
	char *log = daemon_log(&story.daemon), wanted[SCRATCH_PATH_MAX + 128];
	snprintf(wanted, sizeof(wanted), "ok: %s (0 destinations, ",
		path_of("tollgate/tollgate.json"));
	cr_expect_eq(status, 0, "%s", log);
	cr_expect_eq(strncmp(log, wanted, strlen(wanted)), 0, "%s", log);
	cr_expect_eq(strcspn(log, "\n"), strlen(log) - 1, "one line: %s", log);
	cr_expect_neq(access(path_of("state"), F_OK), 0);
	free(log);
}

static void hang_up(void)
{
	child_signal(&story.daemon.child, SIGHUP);
}

static void wait_log(const char *text)
{
	story_expect_log(&story, text);
}

/* The hold after a refused key is longer than a story waits. */
Test(settings, a_rotated_key_is_taken_over_and_what_waited_is_delivered)
{
	write_file("key", 0600, "sk-lf-old\n");
	serve("");
	story_post_spans(&story, 0, 20);
	story_expect_each_once(story.tempo, 0, 20);
	wait_log("event=export_held destination=langfuse");
	write_file("key", 0600, "%s\n", STORY_SECRET_KEY);
	hang_up();
	story_expect_each_once(story.langfuse, 0, 20);
	wait_log("event=reloaded changed=destinations.langfuse.secret_key");
	story_stop(&story);
	cr_expect_eq(fake_destination_duplicate_count(story.langfuse), 0);
	char *log = daemon_log(&story.daemon);
	cr_expect_null(strstr(log, "sk-lf"), "%s", log);
	free(log);
}

static void write_prices(const char *amount)
{
	write_file("prices.json", 0644,
		"{\"schema\":\"tollgate-prices/1\",\"as_of\":\"2026-11-20\",\"currency\":\"USD\","
		"\"sources\":{\"s\":{}},\"models\":[{\"id\":\"claude-opus-5-5\",\"kind\":\"chat\",\"deprecated\":false,"
		"\"sources\":[\"s\"],\"confidence\":\"high\",\"provider\":\"anthropic\","
		"\"aliases\":[\"claude-opus-5-5\"],\"patterns\":[],"
		"\"periods\":[{\"from\":null,\"prices\":{\"input\":\"%s\",\"output\":\"%s\"}}]}]}",
		amount, amount);
}

/* Of all model calls that a request of Tempo's holds. */
static fusd cost_of_request(size_t n)
{
	oracle_request *request = oracle_decode(fake_destination_request(story.tempo, n)->body);
	fusd sum = 0, amount;
	for (size_t i = 0; request && i < oracle_span_count(request); i++) {
		const char *cost = oracle_text(
			oracle_span_at(request, i), "langfuse.observation.cost_details");
		const char *total = cost ? strstr(cost, "\"total\":") : NULL;
		char text[64] = "0";
		if (total)
			snprintf(text, sizeof(text), "%.*s", (int)strcspn(total + 8, ",}"),
				total + 8);
		cr_assert_eq(fusd_parse(text, &amount), 0, "%s", cost);
		sum += amount;
	}
	oracle_free(request);
	return sum;
}

Test(settings, the_next_span_has_the_new_price)
{
	struct bytes spans = fixture("captures/claude/b-tool/0003-traces.pb");
	char more[SCRATCH_PATH_MAX + 128];
	snprintf(more, sizeof(more),
		"\"sessions\": {\"enabled\": false}, \"pricing\": {\"file\": \"%s\"},",
		path_of("prices.json"));
	write_file("key", 0600, STORY_SECRET_KEY);
	write_prices("0.000001");
	serve(more);
	cr_assert_eq(story_post(&story, spans).status, 200);
	cr_assert(fake_destination_wait_requests(story.tempo, 1, STORY_PATIENCE_MS));
	write_prices("0.000003");
	hang_up();
	wait_log("event=reloaded changed=\"\" models=1");
	cr_assert_eq(story_post(&story, spans).status, 200);
	cr_assert(fake_destination_wait_requests(story.tempo, 2, STORY_PATIENCE_MS));
	cr_expect_gt(cost_of_request(0), 0);
	cr_expect(cost_of_request(1) == 3 * cost_of_request(0));
	story_stop(&story);
	free((void *)spans.at);
}

Test(settings, an_old_price_table_is_named_at_start_and_at_each_reload)
{
	char more[SCRATCH_PATH_MAX + 128];
	snprintf(more, sizeof(more), "\"pricing\": {\"file\": \"%s\"},", path_of("prices.json"));
	write_file("key", 0600, STORY_SECRET_KEY);
	write_prices("0.000001");
	serve(more);
	write_file("prices.json", 0644,
		"{\"schema\":\"tollgate-prices/1\",\"as_of\":\"2020-01-01\",\"currency\":\"USD\","
		"\"sources\":{},\"models\":[]}");
	hang_up();
	wait_log("level=warning event=prices_old as_of=2020-01-01 age_days=");
	story_stop(&story);
	serve(more);
	wait_log("level=warning event=prices_old as_of=2020-01-01 age_days=");
	story_stop(&story);
}

static void write_overrides(const char *dollars)
{
	write_file("overrides.json", 0644,
		"{\"models\": [\n{\"id\": \"claude-opus-5-5\",\n\"prices_per_million\": {\"input\": "
		"\"%s\", \"output\": \"%s\"}}]}",
		dollars, dollars);
}

static void post_and_wait(struct bytes spans, size_t requests)
{
	cr_assert_eq(story_post(&story, spans).status, 200);
	cr_assert(fake_destination_wait_requests(story.tempo, requests, STORY_PATIENCE_MS));
}

Test(settings, prices_of_ones_own_win_and_a_broken_file_keeps_those_before)
{
	struct bytes spans = fixture("captures/claude/b-tool/0003-traces.pb");
	char text[SCRATCH_PATH_MAX + 192];
	snprintf(text, sizeof(text),
		"\"sessions\": {\"enabled\": false}, \"pricing\": {\"overrides\": \"%s\"},",
		path_of("overrides.json"));
	write_file("key", 0600, STORY_SECRET_KEY);
	write_overrides("1");
	serve(text);
	post_and_wait(spans, 1);
	write_overrides("3");
	hang_up();
	wait_log("event=reloaded changed=\"\" models=300 prices_as_of=");
	post_and_wait(spans, 2);
	write_overrides("3,5");
	hang_up();
	snprintf(text, sizeof(text),
		"event=reload_failed file=%s line=3 why=\"models[claude-opus-5-5].prices_per_million."
		"input: '3,5' is no decimal",
		path_of("overrides.json"));
	wait_log(text);
	post_and_wait(spans, 3);
	cr_expect_gt(cost_of_request(0), 0);
	cr_expect(cost_of_request(1) == 3 * cost_of_request(0));
	cr_expect(cost_of_request(2) == cost_of_request(1));
	story_stop(&story);
	free((void *)spans.at);
}

Test(settings, the_log_level_changes_and_what_cannot_is_named)
{
	write_file("key", 0600, STORY_SECRET_KEY);
	serve("");
	write_config("\"log_level\": \"warning\", \"http\": {\"threads\": 3},");
	hang_up();
	wait_log("level=warning event=setting_needs_restart name=http.threads");
	story_post_spans(&story, 0, 5);
	story_expect_each_once(story.langfuse, 0, 5);
	story_stop(&story);
	char *log = daemon_log(&story.daemon);
	cr_expect_null(strstr(log, "event=stopped"), "that is info: %s", log);
	cr_expect_null(strstr(strstr(log, "needs_restart") + 1, "needs_restart"), "%s", log);
	free(log);
}

Test(settings, a_wrong_file_at_reload_leaves_all_as_it_was)
{
	char line[SCRATCH_PATH_MAX + 256];
	write_file("key", 0600, STORY_SECRET_KEY);
	serve("");
	write_file("key", 0644, "sk-lf-other\n");
	hang_up();
	snprintf(line, sizeof(line),
		"level=error event=reload_failed file=%s line=4 why=", path_of("own.json"));
	wait_log(line);
	write_file("key", 0600, "sk-lf-other\n");
	write_config("\"log_levl\": \"error\",");
	hang_up();
	snprintf(line, sizeof(line),
		"file=%s line=1 why=\"log_levl is no setting; the nearest is log_level\"",
		path_of("own.json"));
	wait_log(line);
	story_post_spans(&story, 0, 5);
	story_expect_each_once(story.langfuse, 0, 5);
	story_stop(&story);
	char *log = daemon_log(&story.daemon);
	cr_expect_null(strstr(log, "event=reloaded"), "%s", log);
	cr_expect_not_null(strstr(log, "event=stopped"));
	free(log);
}

/* A key is for the address that it was given with, and goes to no other. */
Test(settings, a_key_waits_for_the_restart_that_its_address_waits_for)
{
	write_file("key", 0600, STORY_SECRET_KEY);
	serve("");
	struct fake_destination *other = fake_destination_start(0);
	struct fake_destination *langfuse = story.langfuse;
	story.langfuse = other;
	write_config("");
	story.langfuse = langfuse;
	write_file("key", 0600, "sk-lf-of-the-other\n");
	hang_up();
	wait_log("event=keys_need_restart destination=langfuse");
	wait_log("event=setting_needs_restart name=destinations.langfuse.endpoint");
	story_post_spans(&story, 0, 5);
	story_expect_each_once(story.langfuse, 0, 5);
	cr_expect_eq(fake_destination_request_count(other), 0);
	story_stop(&story);
	fake_destination_stop(other);
}
