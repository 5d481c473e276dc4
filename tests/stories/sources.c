/* Who sends, as people are told while real CLIs do; and the page on the whole of it. */
#include "stories/story.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "otlp/request.h"
#include "support/capture.h"

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(sources, .init = begin, .fini = end, .timeout = 240);

/* What came of a signal, counted by the client. */
struct sent {
	json_int_t items, requests;
};

static struct sent *sent_as(const struct delivery *delivery, struct sent sent[4])
{
	return &sent[delivery->is_hook ? 3 : delivery->signal - SIGNAL_TRACES];
}

/* Adds up in `sent`: traces, logs, metrics, hooks. */
static void post_capture(const char *name, struct sent sent[4])
{
	struct capture capture = capture_open(name);
	for (size_t i = 0; i < capture.count; i++) {
		const struct delivery *delivery = &capture.deliveries[i];
		uint32_t items = 1;
		cr_assert(delivery->is_hook || request_count_items(delivery->body, &items) == 0);
		sent_as(delivery, sent)->items += items;
		sent_as(delivery, sent)->requests++;
		struct story_answer answer = story_send(&story, delivery->path,
			delivery->is_hook ? "application/json" : "application/x-protobuf", NULL,
			delivery->body);
		cr_assert_eq(answer.status, 200, "%s: %d", delivery->path, answer.status);
	}
	capture_close(&capture);
}

static json_t *ask(void)
{
	char *said;
	int status = story_command(&story, &said, "status", "--json", NULL);
	cr_assert_eq(status, 0, "%s", said);
	json_t *views = json_loads(said, 0, NULL);
	cr_assert(views, "%s", said);
	free(said);
	return views;
}

static const json_t *at(const json_t *json, const char *a, const char *b, const char *c)
{
	return json_object_get(json_object_get(json_object_get(json, a), b), c);
}

/* NULL: it is not known. */
static const json_t *source_of(const json_t *views, const char *name)
{
	size_t i;
	json_t *source;
	json_array_foreach(json_object_get(json_object_get(views, "sources"), "sources"), i, source)
		if (strcmp(json_string_value(json_object_get(source, "name")), name) == 0)
			return source;
	return NULL;
}

static void expect_source(
	const char *name, const char *cli, const char *version, const struct sent sent[4])
{
	static const char *const signals[] = { "traces", "logs", "metrics", "hooks" };
	json_t *views = ask();
	const json_t *source = source_of(views, name);
	cr_assert(source, "%s", name);
	cr_expect_str_eq(json_string_value(json_object_get(source, "cli")), cli);
	cr_expect_str_eq(json_string_value(json_object_get(source, "version")), version);
	for (size_t i = 0; i < 4; i++) {
		const json_t *signal = at(source, "signals", signals[i], "items");
		const json_t *requests = at(source, "signals", signals[i], "requests");
		cr_expect_eq(
			json_integer_value(signal), sent[i].items, "%s of %s", signals[i], name);
		cr_expect_eq(json_integer_value(requests), sent[i].requests, "%s of %s", signals[i],
			name);
	}
	json_decref(views);
}

/* Whether it lacks something now. */
static bool lacks(const char *name, const char *lack)
{
	json_t *views = ask();
	const json_t *source = source_of(views, name);
	json_int_t last_ns = json_integer_value(at(source, "lacks", lack, "last_ns"));
	json_int_t there_ns = json_integer_value(at(source, "lacks", lack, "there_last_ns"));
	json_decref(views);
	return last_ns > there_ns;
}

/* The synthesizer comes to it a little after the answer. */
static void expect_lacks(const char *name, const char *lack, bool is_lacking)
{
	for (unsigned waited_ms = 0;
		waited_ms < STORY_PATIENCE_MS && lacks(name, lack) != is_lacking; waited_ms += 100)
		usleep(100 * 1000);
	cr_expect_eq(lacks(name, lack), is_lacking, "%s: %s", name, lack);
}

Test(sources, of_the_three_clis_each_is_told_with_what_came)
{
	struct sent claude[4] = { 0 }, codex[4] = { 0 }, gemini[4] = { 0 };
	story_start(&story, NULL);
	post_capture("claude/b-tool", claude);
	post_capture("codex/b-tool", codex);
	post_capture("gemini/b-tool", gemini);
	expect_source("claude-code", "claude-code", "2.1.329", claude);
	expect_source("codex_exec", "codex", "0.169.0", codex);
	expect_source("gemini-cli", "gemini", "v20.20.2", gemini);
	json_t *views = ask();
	cr_expect_eq(json_array_size(json_object_get(json_object_get(views, "sources"), "sources")),
		3, "and nobody else");
	json_decref(views);
	story_stop(&story);
}

Test(sources, what_is_withheld_is_told_until_it_is_there)
{
	struct sent sent[4] = { 0 };
	story_start(&story, NULL);
	post_capture("claude/g1-default-redacted", sent);
	expect_lacks("claude-code", "prompts", true);
	expect_lacks("claude-code", "tool_details", true);
	expect_lacks("claude-code", "session", false);
	post_capture("claude/b-tool", sent);
	expect_lacks("claude-code", "prompts", false);
	expect_lacks("claude-code", "tool_details", false);
	post_capture("codex/g1-default-logsonly", sent);
	expect_lacks("codex_exec", "prompts", true);
	expect_lacks("codex_exec", "tool_details", false);
	story_stop(&story);
}

Test(sources, records_without_a_session_id_are_told)
{
	static const char logs[] =
		"{\"resourceLogs\": [{\"resource\": {\"attributes\": [{\"key\": \"service.name\","
		" \"value\": {\"stringValue\": \"claude-code\"}}]}, \"scopeLogs\": [{\"scope\":"
		" {\"name\": \"com.anthropic.claude_code.events\"}, \"logRecords\": [{"
		"\"timeUnixNano\": \"1795262525000000000\", \"attributes\": [{\"key\":"
		" \"event.name\", \"value\": {\"stringValue\": \"api_request\"}}, {\"key\":"
		" \"prompt.id\", \"value\": {\"stringValue\": \"p-1\"}}]}]}]}]}";
	story_start(&story, NULL);
	struct story_answer answer =
		story_send(&story, "/v1/logs", "application/json", NULL, bytes_of(logs));
	cr_assert_eq(answer.status, 200);
	expect_lacks("claude-code", "session", true);
	story_stop(&story);
}

Test(sources, what_is_refused_is_no_source)
{
	story_start(&story, NULL);
	static const struct bytes broken = BYTES("\x0a\x05\x0a\x7f");
	cr_expect_eq(
		story_send(&story, "/v1/logs", "application/x-protobuf", NULL, broken).status, 400);
	cr_expect_eq(
		story_send(&story, "/hooks/codex", "application/json", NULL, broken).status, 400);
	json_t *views = ask();
	cr_expect_eq(
		json_array_size(json_object_get(json_object_get(views, "sources"), "sources")), 0);
	cr_expect_eq(json_integer_value(at(views, "status", "counters", "refused_malformed")), 2);
	json_decref(views);
	story_stop(&story);
}

/* Until the file of sources holds this text. */
static void wait_for_file(const char *text)
{
	char path[SCRATCH_PATH_MAX + 32], found[64 << 10] = "";
	snprintf(path, sizeof path, "%s/state/sources.json", story.directory);
	for (unsigned waited_ms = 0; waited_ms < STORY_PATIENCE_MS && !strstr(found, text);
		waited_ms += 100) {
		FILE *file = fopen(path, "r");
		size_t len = file ? fread(found, 1, sizeof found - 1, file) : 0;
		found[len] = '\0';
		if (file)
			fclose(file);
		usleep(100 * 1000);
	}
	cr_assert(strstr(found, text), "%s in %s", text, found);
}

Test(sources, are_remembered_over_kill_9_and_over_a_stop)
{
	struct sent sent[4] = { 0 };
	story_start(&story, NULL);
	post_capture("codex/g1-default-logsonly", sent);
	expect_lacks("codex_exec", "prompts", true);
	wait_for_file("\"prompts\"");
	daemon_kill(&story.daemon);

	story_start(&story, NULL);
	json_t *views = ask();
	cr_expect(source_of(views, "codex_exec"), "a source that was known for a second");
	json_decref(views);
	expect_lacks("codex_exec", "prompts", true);
	story_stop(&story);

	story_start(&story, NULL);
	struct sent more[4] = { 0 };
	post_capture("claude/b-tool", more);
	story_stop(&story);
	story_start(&story, NULL);
	expect_source("claude-code", "claude-code", "2.1.329", more);
	story_stop(&story);
}

/* ---- the page ---- */

static void expect_page(const char *wanted)
{
	char *said;
	cr_expect_eq(story_command(&story, &said, "status", NULL), 0);
	cr_expect(strstr(said, wanted), "no \"%s\" in\n%s", wanted, said);
	free(said);
}

Test(sources, a_page_says_who_sends_what_is_open_and_what_waits)
{
	struct sent sent[4] = { 0 };
	story_start(&story, NULL);
	expect_page("Nothing came yet: point a CLI at ");
	post_capture("codex/b-tool", sent);
	post_capture("claude/g1-default-redacted", sent);
	expect_lacks("claude-code", "prompts", true);
	expect_page("\nclaude-code  2.1.329  ");
	expect_page("  logs metrics hooks\n");
	expect_page("\ncodex_exec   0.169.0  ");
	expect_page("  traces logs metrics hooks\n");
	expect_page("\nclaude-code withholds prompts: tollgate doctor says what mends it\n");
	expect_page("\nsessions: 2 ");
	expect_page("\nlangfuse  ");
	expect_page("\ntempo  ");
	expect_page("\nNo model call today.\n");
	story_get(&story, "/nowhere", NULL);
	expect_page("\nRequests refused since the start: 1 not found\n");
	story_stop(&story);
}

Test(sources, a_page_says_what_is_switched_off)
{
	static const char *const settings[] = { "TOLLGATE_LOCAL_ENABLED=false", NULL };
	story.is_sessions_off = true;
	story_start(&story, settings);
	expect_page("\nSessions are switched off (sessions.enabled).\n");
	expect_page("\nNo figures of today: the local view is switched off (local.enabled).\n");
	json_t *views = ask();
	cr_expect(!json_object_get(views, "live") && !json_object_get(views, "cost_by_cli"));
	cr_expect(json_object_get(views, "prices"));
	json_decref(views);
	story_stop(&story);
}

Test(sources, a_page_without_a_daemon_says_so)
{
	char *said;
	cr_expect_eq(story_command(&story, &said, "status", "--watch", NULL), 1);
	cr_expect(strstr(said, "the daemon is not running"), "%s", said);
	free(said);
	cr_expect_eq(story_command(&story, &said, "status", "--interval", "0", NULL), 2);
	cr_expect_str_eq(said, "tollgate: --interval 0 is no number of seconds from 1 to 3600\n");
	free(said);
}

/* ---- again and again ---- */

static unsigned count(const char *text, const char *word)
{
	unsigned times = 0;
	for (; (text = strstr(text, word)); text++)
		times++;
	return times;
}

static void wait_for(const struct daemon *watch, const char *word, unsigned times)
{
	char *said = NULL;
	for (unsigned waited_ms = 0; waited_ms < STORY_PATIENCE_MS; waited_ms += 100) {
		free(said);
		said = daemon_log(watch);
		if (count(said, word) >= times)
			break;
		usleep(100 * 1000);
	}
	cr_assert(count(said, word) >= times, "%u times %s in\n%s", times, word, said);
	free(said);
}

Test(sources, pages_follow_each_other_over_a_restart_until_sigint)
{
	char directory[SCRATCH_PATH_MAX], state[SCRATCH_PATH_MAX + 48];
	struct daemon watch;
	story_start(&story, NULL);
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(state, sizeof state, "TOLLGATE_STATE_DIRECTORY=%s/state", story.directory);
	const struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "status", "--interval", "1",
			NULL },
		.environment = (const char *const[]){ state, "LC_ALL=C.UTF-8", "TZ=UTC", NULL },
		.directory = directory,
	};
	cr_assert_eq(daemon_spawn(&watch, &start), 0);
	wait_for(&watch, "No session is open.", 2);
	story_stop(&story);
	wait_for(&watch, "the daemon is not running", 1);
	struct sent sent[4] = { 0 };
	story_start(&story, NULL);
	post_capture("codex/b-tool", sent);
	wait_for(&watch, "\ncodex_exec", 1);
	child_signal(&watch.child, SIGINT);
	cr_expect_eq(child_wait(&watch.child, DAEMON_START_MS), 0);
	char *said = daemon_log(&watch);
	cr_expect(!strchr(said, '\033'), "nothing for a terminal where there is none");
	free(said);
	scratch_remove(directory);
	story_stop(&story);
}

/* What a terminal was told, until it holds this text. */
static void read_until(int terminal, char *text, size_t size, const char *wanted)
{
	size_t len = strlen(text);
	struct pollfd ready = { .fd = terminal, .events = POLLIN };
	while (!strstr(text, wanted) && len < size - 1 && poll(&ready, 1, STORY_PATIENCE_MS) > 0) {
		ssize_t got = read(terminal, text + len, size - 1 - len);
		if (got <= 0)
			break;
		len += (size_t)got;
		text[len] = '\0';
	}
	cr_assert(strstr(text, wanted), "no %s in %s", wanted, text);
}

static struct {
	int fd;
	char state[SCRATCH_PATH_MAX + 48];
} stage;

static void watch_on_terminal(void *unused)
{
	(void)unused;
	char *const arguments[] = { "tollgate", "status", "--watch", NULL };
	char *const environment[] = { stage.state, "LC_ALL=C.UTF-8", "TERM=xterm", NULL };
	if (dup2(stage.fd, STDOUT_FILENO) < 0)
		_exit(126);
	execve(daemon_program(), arguments, environment);
	_exit(127);
}

Test(sources, a_terminal_is_as_it_was_after_sigint)
{
	char text[64 << 10] = "";
	struct child child;
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	stage.fd = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(stage.fd, 0);
	cr_assert_eq(ioctl(terminal, TIOCSWINSZ, &(struct winsize){ 10, 80, 0, 0 }), 0);
	snprintf(stage.state, sizeof stage.state, "TOLLGATE_STATE_DIRECTORY=%s/state",
		story.directory);
	story_start(&story, NULL);
	cr_assert_eq(child_start(&child, watch_on_terminal, NULL), 0);
	read_until(terminal, text, sizeof text, "No session is open.");
	cr_expect(strstr(text, "\033[?1049h\033[?25l\033[H\033[J") == text,
		"a screen of its own: %s", text);
	cr_expect(!strstr(text, "No model call today."), "more than its ten lines: %s", text);
	child_signal(&child, SIGINT);
	cr_expect_eq(child_wait(&child, DAEMON_START_MS), 0);
	read_until(terminal, text, sizeof text, "\033[?25h\033[?1049l");
	close(stage.fd);
	close(terminal);
	story_stop(&story);
}
