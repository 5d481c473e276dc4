/* A person points tools at the gateway in a home full of other settings, sees what comes, and takes it out again. */
#include "stories/story.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

enum { TEXT_MAX = 1 << 20 };

static struct story story;
static char home[SCRATCH_PATH_MAX + 8], said[TEXT_MAX];

/* Settings as people have them. */
static const struct {
	const char *tool, *path, *text;
} tools[] = {
	{ "claude-code", ".claude/settings.json",
		"{\n\t\"model\": \"opus\",\n\t\"env\": {\n\t\t\"OTEL_LOGS_EXPORTER\": \"console\",\n"
		"\t\t\"EDITOR\": \"vi\"\n\t},\n\t\"hooks\": {\n\t\t\"Stop\": [\n\t\t\t{ \"hooks\": [{ "
		"\"type\": \"command\", \"command\": \"beep\" }] }\n\t\t]\n\t},\n\t\"permissions\": "
		"{}\n}" },
	{ "codex", ".codex/config.toml",
		"# mine\nmodel = \"gpt-5\"\nnotify = [\"notify-send\", \"Codex\"]\n\n[otel]\n"
		"environment = \"dev\"   # of mine\nexporter = \"none\"\n\n[mcp_servers.x]\ncommand = "
		"\"y\"\n" },
	{ "gemini", ".gemini/settings.json",
		"// of mine\r\n{\r\n  \"telemetry\": {\r\n    \"enabled\": false, // not yet\r\n"
		"    \"target\": \"gcp\"\r\n  },\r\n  \"theme\": \"x\" // the last\r\n}\r\n" },
	{ "langfuse-sdk", ".env",
		"LANGFUSE_PUBLIC_KEY=pk-lf-1\nexport LANGFUSE_HOST='https://cloud.langfuse.com' # EU\n"
		"OTHER=\"two\nlines\"" },
};
enum { CLAUDE_CODE, CODEX, GEMINI, LANGFUSE_SDK, TOOLS };

static const char *path_of(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, PATH_MAX, "%s/%s", home, name);
	return path;
}

/* The program and the captures are found from everywhere. */
static void make_absolute(const char *variable)
{
	const char *value = getenv(variable);
	char *path = realpath(value ? value : ".", NULL);
	cr_assert(path && setenv(variable, path, 1) == 0);
	free(path);
}

static void begin(void)
{
	static const char *const directories[] = { "", ".claude", ".codex", ".gemini" };
	story_begin(&story);
	snprintf(home, sizeof home, "%s/home", story.directory);
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		cr_assert_eq(mkdir(path_of(directories[i]), 0755), 0);
	make_absolute("builddir");
	make_absolute("srcdir");
	cr_assert_eq(chdir(home), 0); /* where the project is */
}

static void end(void)
{
	cr_assert_eq(chdir("/"), 0);
	story_end(&story);
}

TestSuite(setup, .init = begin, .fini = end, .timeout = 240);

static void write_file(const char *name, mode_t mode, const char *text)
{
	cr_assert_eq(file_replace(path_of(name), bytes_of(text), mode), 0);
}

/* To be freed; NULL: it is not there. */
static char *read_file(const char *name)
{
	struct buf text;
	buf_init(&text, TEXT_MAX, NULL);
	if (file_read(path_of(name), &text) < 0)
		return NULL;
	buf_append(&text, "", 1);
	return (char *)text.at;
}

static void expect_file(const char *name, const char *wanted)
{
	char *text = read_file(name);
	cr_assert(text, "there is no %s", name);
	cr_expect_str_eq(text, wanted);
	free(text);
}

static void expect_no_file(const char *name)
{
	struct stat status;
	cr_expect_eq(lstat(path_of(name), &status), -1, "there is %s", name);
}

static void expect_no_traces(const char *name)
{
	char backup[PATH_MAX];
	snprintf(backup, sizeof backup, "%s.before-tollgate", name);
	expect_no_file(backup);
	expect_no_file(".local/state/tollgate/setup.json");
}

/* `tollgate setup TOOL ARGUMENT...`; what it says is in `said`. Its exit status. */
static int setup(const char *tool, const char *first, const char *second, const char *third)
{
	char *text;
	int status = story_command(
		&story, &text, "setup", tool, "--home", home, first, second, third, NULL);
	snprintf(said, sizeof said, "%s", text);
	free(text);
	return status;
}

static void expect_setup(const char *tool, const char *deed)
{
	cr_assert_eq(setup(tool, deed, NULL, NULL), 0, "%s", said);
}

static void expect_said(const char *wanted)
{
	cr_expect(strstr(said, wanted), "not \"%s\" in: %s", wanted, said);
}

Test(setup, it_is_shown_written_once_and_comes_out_byte_for_byte)
{
	for (size_t i = 0; i < TOOLS; i++) {
		write_file(tools[i].path, 0664, tools[i].text);
		expect_setup(tools[i].tool, NULL);
		expect_said("+++ ");
		expect_said(" --apply");
		expect_file(tools[i].path, tools[i].text);
		expect_no_traces(tools[i].path);

		expect_setup(tools[i].tool, "--apply");
		expect_said("Written: ");
		char *written = read_file(tools[i].path);
		cr_assert_str_neq(written, tools[i].text);
		expect_setup(tools[i].tool, "--apply");
		cr_expect_eq(strncmp(said, "Nothing to do: ", 15), 0, "%s", said);
		expect_file(tools[i].path, written);
		free(written);

		expect_setup(tools[i].tool, "--remove");
		expect_file(tools[i].path, tools[i].text);
		expect_no_traces(tools[i].path);
		struct stat status;
		cr_assert_eq(stat(path_of(tools[i].path), &status), 0);
		cr_expect_eq(status.st_mode & 0777, 0664);
		expect_setup(tools[i].tool, "--remove");
		cr_expect_eq(strncmp(said, "Nothing to do: ", 15), 0, "%s", said);
	}
}

Test(setup, the_change_is_a_diff)
{
	write_file(".gemini/settings.json", 0600, "{\n  \"telemetry\": {},\n  \"ui\": 1\n}\n");
	cr_assert_eq(setup("gemini", "--url=http://gateway:4318/", "--without-content",
			     "--without-hooks"),
		0);
	char wanted[2048];
	snprintf(wanted, sizeof wanted,
		"--- %s\n+++ %s\n@@ -1,4 +1,10 @@\n {\n-  \"telemetry\": {},\n+  \"telemetry\": {\n"
		"+    \"enabled\": true,\n+    \"target\": \"local\",\n+    \"otlpProtocol\": \"http\",\n"
		"+    \"otlpEndpoint\": \"http://gateway:4318\",\n+    \"logPrompts\": false\n+  },\n"
		"   \"ui\": 1\n }\n",
		path_of(".gemini/settings.json"), path_of(".gemini/settings.json"));
	cr_expect_eq(strncmp(said, wanted, strlen(wanted)), 0, "%s", said);
	expect_said("    tollgate setup gemini --apply --url http://gateway:4318/ --home ");
	expect_said(" --without-content --without-hooks\n");
}

Test(setup, files_and_directories_that_were_not_there_are_gone_again)
{
	for (size_t i = 0; i < TOOLS; i++) {
		const char *slash = strchr(tools[i].path, '/');
		char directory[64];
		snprintf(directory, sizeof directory, "%.*s",
			(int)(slash ? slash - tools[i].path : 0), tools[i].path);
		if (slash)
			cr_assert_eq(rmdir(path_of(directory)), 0);
		expect_setup(tools[i].tool, "--apply");
		expect_said("--- /dev/null\n");
		expect_setup(tools[i].tool, "--remove");
		expect_said("Deleted: ");
		if (slash)
			expect_no_file(directory);
		expect_no_file(tools[i].path);
		expect_no_traces(tools[i].path);
	}
}

Test(setup, what_a_person_writes_meanwhile_stays)
{
	static const char *const own[] = { "\"cleanupPeriodDays\": 1,\n\t\"model\"", "# two\nmodel",
		"\"vimMode\": true, \"theme\"", "OWN=1\nOTHER" };
	static const char *const behind[] = { "\"model\"", "model", "\"theme\"", "OTHER" };
	for (size_t i = 0; i < TOOLS; i++) {
		char before[4096], after[8192];
		write_file(tools[i].path, 0600, tools[i].text);
		expect_setup(tools[i].tool, "--apply");
		char *written = read_file(tools[i].path);
		const char *at = strstr(written, behind[i]),
			   *then = strstr(tools[i].text, behind[i]);
		snprintf(after, sizeof after, "%.*s%s%s", (int)(at - written), written, own[i],
			at + strlen(behind[i]));
		snprintf(before, sizeof before, "%.*s%s%s", (int)(then - tools[i].text),
			tools[i].text, own[i], then + strlen(behind[i]));
		free(written);
		write_file(tools[i].path, 0600, after);
		expect_setup(tools[i].tool, "--remove");
		expect_file(tools[i].path, before);
		expect_no_traces(tools[i].path);
	}
}

Test(setup, what_it_said_first_comes_back_after_several_wishes)
{
	write_file(".claude/settings.json", 0600, tools[CLAUDE_CODE].text);
	expect_setup("claude-code", "--apply");
	cr_assert_eq(setup("claude-code", "--apply", "--without-content", "--url=http://b:1"), 0);
	expect_said("-\t\t\"OTEL_LOG_USER_PROMPTS\": \"1\"");
	expect_said("+\t\t\"OTEL_LOG_USER_PROMPTS\": \"0\"");
	expect_file(".claude/settings.json.before-tollgate", tools[CLAUDE_CODE].text);
	expect_setup("claude-code", "--remove");
	expect_file(".claude/settings.json", tools[CLAUDE_CODE].text);
	expect_no_traces(".claude/settings.json");
}

Test(setup, what_was_written_between_two_wishes_stays)
{
	write_file(".env", 0600, "A=1\n");
	expect_setup("langfuse-sdk", "--apply");
	char *written = read_file(".env"), more[4096];
	snprintf(more, sizeof more, "%sB=2\n", written);
	free(written);
	write_file(".env", 0600, more);
	cr_assert_eq(setup("langfuse-sdk", "--apply", "--url=http://b:1", NULL), 0);
	expect_setup("langfuse-sdk", "--remove");
	expect_file(".env", "A=1\nB=2\n");
	expect_no_traces(".env");
}

Test(setup, without_its_record_it_goes_by_what_is_kept_and_else_touches_nothing)
{
	write_file(".gemini/settings.json", 0600, tools[GEMINI].text);
	expect_setup("gemini", "--apply");
	cr_assert_eq(unlink(path_of(".local/state/tollgate/setup.json")), 0);
	expect_setup("gemini", "--remove");
	expect_file(".gemini/settings.json", tools[GEMINI].text);
	expect_no_traces(".gemini/settings.json");

	static const char own[] =
		"{\"telemetry\": {\"enabled\": true, \"otlpEndpoint\": \"http://me\"}}";
	write_file(".gemini/settings.json", 0600, own);
	expect_setup("gemini", "--remove");
	expect_file(".gemini/settings.json", own);
}

Test(setup, a_file_that_was_deleted_stays_away_and_what_it_said_is_kept)
{
	write_file(".gemini/settings.json", 0600, tools[GEMINI].text);
	expect_setup("gemini", "--apply");
	cr_assert_eq(unlink(path_of(".gemini/settings.json")), 0);
	expect_setup("gemini", "--remove");
	expect_no_file(".gemini/settings.json");
	expect_no_file(".local/state/tollgate/setup.json");
	expect_file(".gemini/settings.json.before-tollgate", tools[GEMINI].text);
}

Test(setup, a_link_stays_a_link)
{
	write_file("dotfile", 0600, tools[CLAUDE_CODE].text);
	cr_assert_eq(symlink("../dotfile", path_of(".claude/settings.json")), 0);
	expect_setup("claude-code", "--apply");
	expect_said("/home/.claude/settings.json, which is ");
	char *written = read_file("dotfile");
	cr_expect(strstr(written, "CLAUDE_CODE_ENABLE_TELEMETRY"));
	free(written);
	expect_setup("claude-code", "--remove");
	expect_file("dotfile", tools[CLAUDE_CODE].text);
	struct stat status;
	cr_assert_eq(lstat(path_of(".claude/settings.json"), &status), 0);
	cr_expect(S_ISLNK(status.st_mode));
	expect_no_traces(".claude/settings.json");
}

static void expect_refused(size_t tool, const char *words)
{
	cr_expect_eq(setup(tools[tool].tool, "--apply", NULL, NULL), 1, "%s", said);
	expect_said(words);
	expect_no_traces(tools[tool].path);
}

Test(setup, what_is_managed_elsewhere_is_told_and_left_alone)
{
	write_file("store", 0444, tools[CLAUDE_CODE].text);
	cr_assert_eq(symlink("../store", path_of(".claude/settings.json")), 0);
	expect_refused(CLAUDE_CODE,
		"/home/store is read-only, so it is managed elsewhere: put there what the lines above have\n");
	expect_said("+\t\t\"CLAUDE_CODE_ENABLE_TELEMETRY\": \"1\"");
	expect_file("store", tools[CLAUDE_CODE].text);
}

Test(setup, what_cannot_be_followed_read_or_replaced_is_refused)
{
	cr_assert_eq(symlink("nowhere", path_of(".claude/settings.json")), 0);
	expect_refused(CLAUDE_CODE, "/.claude/settings.json: it cannot be followed: No such file");
	cr_assert_eq(mkdir(path_of(".gemini/settings.json"), 0700), 0);
	expect_refused(GEMINI, "/.gemini/settings.json: no file");
	write_file(".env", 0600, "A=1\n");
	write_file(".env.new", 0600, "theirs\n");
	expect_refused(LANGFUSE_SDK, "/home/.env.new is in the way: move it elsewhere\n");
	expect_file(".env.new", "theirs\n");
	expect_file(".env", "A=1\n");
}

Test(setup, a_mistake_in_one_file_leaves_all_as_they_were)
{
	write_file(".gemini/settings.json", 0600, "{\n  \"a\": 1,\n}\n");
	expect_refused(GEMINI, "/.gemini/settings.json:3: no valid JSON\n");
	write_file(".codex/config.toml", 0600, tools[CODEX].text);
	write_file(".codex/hooks.json", 0600, "{\"hooks\":\n[]}");
	expect_refused(CODEX, "/.codex/hooks.json:2: hooks has to be an object\n");
	expect_file(".codex/config.toml", tools[CODEX].text);
	expect_file(".codex/hooks.json", "{\"hooks\":\n[]}");
}

static void expect_usage(const char *tool, const char *first, const char *second, const char *words)
{
	cr_expect_eq(setup(tool, first, second, NULL), 2, "%s", said);
	expect_said(words);
}

Test(setup, wrong_usage_is_told)
{
	expect_usage("claude", NULL, NULL, "setup does not know claude; the nearest is ");
	expect_usage("gemini", "codex", NULL, "setup does not take codex");
	expect_usage("gemini", "--apply", "--remove", "one of --apply and --remove");
	expect_usage("gemini", "--remove", "--wait", "nothing to wait for");
	expect_usage("gemini", "--timeout=1m", NULL,
		"--timeout must be from 0 to 86400 seconds, not 1m");
	expect_usage("gemini", "--url=gateway", NULL,
		"--url must be a URL such as http://127.0.0.1:4318");
	expect_usage("gemini", "--home=here", NULL, "begins with /");
	expect_usage("--apply", NULL, NULL,
		"setup needs a tool: claude-code, codex, gemini or langfuse-sdk");
}

/* Another person's home is that person's to change: what root writes there would be root's. */
Test(setup, a_home_of_somebody_else_is_refused)
{
	if (geteuid() != 0)
		cr_skip_test("only root can give a home away");
	cr_assert_eq(chown(home, 65534, 65534), 0);
	cr_expect_eq(setup("gemini", "--apply", NULL, NULL), 1);
	expect_said("who has to do this");
	expect_no_file(".gemini/settings.json");
}

/* A tool is started with another PATH than the shell that setup runs in. */
Test(setup, hooks_name_the_program_by_its_path)
{
	char path[PATH_MAX], wanted[PATH_MAX + 64];
	cr_assert_eq(mkdir(path_of("bin"), 0755), 0);
	cr_assert_eq(symlink(daemon_program(), path_of("bin/tollgate")), 0);
	snprintf(path, sizeof path, "relative:%s:/usr/bin:/bin", path_of("bin"));
	cr_assert_eq(setenv("PATH", path, 1), 0);
	cr_expect_eq(setup("claude-code", NULL, NULL, NULL), 0, "%s", said);
	snprintf(wanted, sizeof wanted, "\"%s hook claude-code\"", path_of("bin/tollgate"));
	expect_said(wanted);
	cr_assert_eq(unlink(path_of("bin/tollgate")), 0);
	cr_expect_eq(setup("claude-code", NULL, NULL, NULL), 0, "%s", said);
	snprintf(wanted, sizeof wanted, "\"%s hook claude-code\"", daemon_program());
	expect_said(wanted);
}

/* A project may be a stranger's. */
Test(setup, what_a_project_says_is_nothing_that_a_terminal_obeys)
{
	write_file(".claude/settings.local.json", 0644,
		"{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", "
		"\"command\": \"\\u001b[2Jtollgate hook claude-code\"}]}]}}");
	cr_expect_eq(setup("claude-code", "--apply", NULL, NULL), 0, "%s", said);
	expect_said("Note: The program of its hooks, ");
	expect_said("[2Jtollgate");
	cr_expect_null(strchr(said, '\033'), "%s", said);
}

/* ---- waiting ---- */

static void send_capture(const char *name)
{
	char url[64], path[4096], *text;
	snprintf(url, sizeof url, "http://127.0.0.1:%d", story.daemon.port);
	snprintf(path, sizeof path, "%s/tests/fixtures/captures/%s",
		getenv("srcdir") ? getenv("srcdir") : ".", name);
	cr_assert_eq(story_command(&story, &text, "send", path, "--to", url, NULL), 0, "%s", text);
	free(text);
}

/* Its exit status, once a capture came while it waited. */
static int wait_while_sending(const char *tool, const char *capture)
{
	char state[SCRATCH_PATH_MAX + 48], directory[SCRATCH_PATH_MAX + 8];
	struct daemon waiting;
	snprintf(state, sizeof state, "TOLLGATE_STATE_DIRECTORY=%s/state", story.directory);
	snprintf(directory, sizeof directory, "%s/waiting", story.directory);
	cr_assert(mkdir(directory, 0700) == 0 || errno == EEXIST);
	const struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "setup", tool, "--home", home,
			"--apply", "--wait", "--timeout", "60", NULL },
		.environment = (const char *const[]){ state, "LC_ALL=C.UTF-8", NULL },
		.directory = directory,
	};
	cr_assert_eq(daemon_spawn(&waiting, &start), 0);
	cr_assert_eq(daemon_wait_log(&waiting, "Waiting for ", STORY_PATIENCE_MS, NULL), 0);
	usleep(100 * 1000); /* so that its first look is before what comes */
	send_capture(capture);
	int status = child_wait(&waiting.child, 90000);
	char *text = daemon_log(&waiting);
	snprintf(said, sizeof said, "%s", text);
	free(text);
	child_kill(&waiting.child);
	return status;
}

Test(setup, it_waits_for_what_comes_and_says_what_it_was)
{
	story_start(&story, NULL);
	cr_expect_eq(wait_while_sending("claude-code", "claude/b-tool"), 0, "%s", said);
	expect_said(
		"Heard: Claude Code 2.1.329 as claude-code, by its logs, traces, metrics, hooks.\n");
	expect_said("Session: ec2b56f7-18c0-423c-9d00-7c992f425d30 (tollgate show");
	expect_said("Prompts can be read.\n");
	cr_expect_eq(wait_while_sending("gemini", "gemini/a-plain"), 0, "%s", said);
	expect_said("Heard: Gemini CLI ");
	story_stop(&story);
}

/* What came before does not count. */
Test(setup, silence_ends_the_waiting_with_what_to_look_at)
{
	story_start(&story, NULL);
	send_capture("claude/a-plain");
	cr_expect_eq(setup("claude-code", "--apply", "--wait", "--timeout=1"), 1, "%s", said);
	expect_said(
		"tollgate: nothing came from Claude Code within 1 s; tollgate doctor says what to "
		"look at first\n");
	story_stop(&story);
	cr_expect_eq(setup("claude-code", "--wait", NULL, NULL), 1, "%s", said);
	expect_said("the daemon is not running");
}
