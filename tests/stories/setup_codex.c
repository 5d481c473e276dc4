/*
 * Somebody with a Codex of their own habits: setup shows the change, makes it, makes it once, and takes it back; what
 * Codex then does arrives, and the program that it told before is still told.
 */
#include "stories/story.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "support/exposition.h"
#include "tools/toml.h"

enum { FILE_MAX_BYTES = 1 << 20, WORDS_MAX = 16 };

#define PAYLOAD "{\"type\":\"agent-turn-complete\",\"thread-id\":\"t\",\"turn-id\":\"u\"}"

/* What there is before, with a program that writes down what it is told. */
static const char config[] = "#:schema https://example.com/codex.schema.json\n"
			     "model = \"gpt-5.2-codex\" # for now\n"
			     "notify = [\n"
			     "  'sh', \"-c\",\n"
			     "  \"\"\"printf %%s \"$1\" >%s/told\"\"\", # where I read it\n"
			     "  \"me\"\n"
			     "]\n"
			     "\n"
			     "[otel]\n"
			     "environment = \"laptop\"\n"
			     "log_user_prompt = false\n"
			     "\n"
			     "[otel.exporter.otlp-grpc]\n"
			     "endpoint = \"http://127.0.0.1:4317\"\n"
			     "\n"
			     "[projects.\"/home/me\"]\n"
			     "trust_level = \"trusted\"";
static const char hooks[] =
	"{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"true\"}]}]}}\n";

static struct story story;
static char home[SCRATCH_PATH_MAX], url[64], before[4096];

static const char *path_of(const char *name)
{
	static char path[SCRATCH_PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", home, name);
	return path;
}

static char *read_file(const char *name)
{
	struct buf text;
	buf_init(&text, FILE_MAX_BYTES, NULL);
	cr_assert_eq(file_read(path_of(name), &text), 0, "%s", name);
	buf_append(&text, "", 1);
	cr_assert_not(text.error);
	return (char *)text.at;
}

static void write_file(const char *name, const char *text)
{
	cr_assert_eq(file_replace(path_of(name), bytes_of(text), 0600), 0, "%s", name);
}

static void begin(void)
{
	story_begin(&story);
	cr_assert_eq(scratch_make(home), 0);
	cr_assert_eq(mkdir(path_of(".codex"), 0700), 0);
	snprintf(before, sizeof before, config, home);
	write_file(".codex/config.toml", before);
	write_file(".codex/hooks.json", hooks);
	story_start(&story, NULL);
	snprintf(url, sizeof url, "http://127.0.0.1:%d", story.daemon.port);
}

static void end(void)
{
	story_end(&story);
	scratch_remove(home);
}

TestSuite(setup_codex, .init = begin, .fini = end, .timeout = 120);

/* Its words, to be freed. */
static char *set_up(const char *deed)
{
	char *said = NULL;
	int status = story_command(
		&story, &said, "setup", "codex", "--home", home, "--url", url, deed, NULL);
	cr_assert_eq(status, 0, "%s", said);
	return said;
}

static void expect_file(const char *name, const char *text)
{
	char *found = read_file(name);
	cr_expect_str_eq(found, text);
	free(found);
}

/* As Codex does at the end of a turn. The exit status. */
static int notify(void)
{
	struct bytes value;
	struct toml_list list;
	char *argv[WORDS_MAX + 2] = { NULL }, *text = read_file(".codex/config.toml");
	char to[96], whose[SCRATCH_PATH_MAX + 8];
	char *environment[] = { to, whose, "PATH=/usr/bin:/bin", NULL };
	size_t count = 0;
	int status = -1;
	pid_t pid;
	cr_assert(toml_find(bytes_of(text), "notify", &value) && toml_list_begin(value, &list));
	for (struct bytes word; toml_list_next(&list, &word) && count < WORDS_MAX;) {
		struct buf meant;
		buf_init(&meant, FILE_MAX_BYTES, NULL);
		cr_assert(toml_string(word, &meant));
		buf_append(&meant, "", 1);
		argv[count++] = (char *)meant.at;
	}
	argv[count] = PAYLOAD;
	snprintf(to, sizeof to, "TOLLGATE_URL=%s", url);
	snprintf(whose, sizeof whose, "HOME=%s", home);
	cr_assert_eq(posix_spawnp(&pid, argv[0], NULL, NULL, argv, environment), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	while (count)
		free(argv[--count]);
	free(text);
	return status;
}

static bool has_come(double hooks_wanted)
{
	double hooks_come = 0;
	uint64_t began = clock_monotonic_ms();
	while (hooks_come < hooks_wanted && clock_monotonic_ms() - began < STORY_PATIENCE_MS) {
		char *page = NULL;
		usleep(10000);
		cr_assert_eq(story_get(&story, "/metrics", &page), 200);
		hooks_come = exposition_value(page, "tollgate_hooks_received_total");
		free(page);
	}
	return hooks_come == hooks_wanted;
}

Test(setup_codex, the_change_is_shown_made_once_and_taken_back)
{
	char *shown = set_up(NULL), *said;
	expect_file(".codex/config.toml", before);
	expect_file(".codex/hooks.json", hooks);
	cr_expect(strstr(shown, "\n-[otel.exporter.otlp-grpc]\n"), "%s", shown);
	cr_expect(strstr(shown, " hook codex --to http"), "%s", shown);
	cr_expect(strstr(shown, "tollgate setup codex"), "%s", shown);
	free(shown);
	free(set_up("--apply"));
	char *config_now = read_file(".codex/config.toml"),
	     *hooks_now = read_file(".codex/hooks.json");
	cr_expect_neq(strcmp(config_now, before), 0);
	cr_expect_neq(strcmp(hooks_now, hooks), 0);
	said = set_up("--apply");
	cr_expect(strstr(said, "othing to do"), "%s", said);
	expect_file(".codex/config.toml", config_now);
	expect_file(".codex/hooks.json", hooks_now);
	free(said);
	free(config_now);
	free(hooks_now);
	free(set_up("--remove"));
	expect_file(".codex/config.toml", before);
	expect_file(".codex/hooks.json", hooks);
	cr_expect_eq(access(path_of(".codex/config.toml.before-tollgate"), F_OK), -1);
}

Test(setup_codex, what_codex_adds_meanwhile_stays)
{
	char changed[sizeof before + 64];
	static const char added[] = "\n[projects.\"/home/me/new\"]\ntrust_level = \"trusted\"\n";
	free(set_up("--apply"));
	char *text = read_file(".codex/config.toml");
	snprintf(changed, sizeof changed, "%s%s", text, added);
	free(text);
	write_file(".codex/config.toml", changed);
	free(set_up("--remove"));
	snprintf(changed, sizeof changed, "%s%s", before, added);
	expect_file(".codex/config.toml", changed);
}

Test(setup_codex, what_codex_sends_is_taken_where_it_is_sent)
{
	static const char *const endpoints[] = { "otel.exporter.otlp-http.endpoint",
		"otel.metrics_exporter.otlp-http.endpoint" };
	free(set_up("--apply"));
	char *text = read_file(".codex/config.toml");
	for (size_t i = 0; i < 2; i++) {
		struct bytes value;
		struct buf endpoint;
		buf_init(&endpoint, FILE_MAX_BYTES, NULL);
		cr_assert(toml_find(bytes_of(text), endpoints[i], &value));
		cr_assert(toml_string(value, &endpoint));
		buf_append(&endpoint, "", 1);
		const char *to = (const char *)endpoint.at;
		cr_assert(strncmp(to, url, strlen(url)) == 0, "%s", to);
		struct story_answer answer = story_send(&story, to + strlen(url),
			"application/x-protobuf", NULL, (struct bytes){ 0 });
		cr_expect_eq(answer.status, 200, "%s", to);
		buf_done(&endpoint);
	}
	free(text);
}

Test(setup_codex, both_programs_hear_that_a_turn_is_over)
{
	free(set_up("--apply"));
	cr_expect_eq(notify(), 0);
	expect_file("told", PAYLOAD);
	cr_expect(has_come(1));
}

Test(setup_codex, the_persons_program_hears_it_without_a_daemon_too)
{
	free(set_up("--apply"));
	story_stop(&story);
	cr_expect_eq(notify(), 0);
	expect_file("told", PAYLOAD);
}
