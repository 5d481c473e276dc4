/* What setup writes into Codex' files, what it takes out again, and what an inspection says of them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "support/scratch.h"
#include "tools/toml.h"
#include "tools/tool.h"

enum { TEXT_MAX_BYTES = 4 << 20 };

#define URL "http://127.0.0.1:4318"
#define BY " # by tollgate setup"
#define WAS "# before tollgate setup: "

static const struct wish all = { URL, "tollgate", true, true, true };
static char *held; /* the last text that was made */

static void let_go(void)
{
	free(held);
	held = NULL;
}

static const char *hold(struct buf *text)
{
	buf_append(text, "", 1);
	cr_assert_not(text->error);
	free(held);
	held = strdup((const char *)text->at);
	buf_done(text);
	return held;
}

static const char *add(const char *text, const struct wish *wish)
{
	struct buf out;
	struct complaint complaint = { 0 };
	buf_init(&out, TEXT_MAX_BYTES, NULL);
	cr_assert_eq(tool_codex.files[0].add(wish, bytes_of(text), &out, &complaint), 0, "%d: %s",
		complaint.line, complaint.text);
	return hold(&out);
}

static const char *take_out(const char *text)
{
	struct buf out;
	struct complaint complaint = { 0 };
	buf_init(&out, TEXT_MAX_BYTES, NULL);
	cr_assert_eq(tool_codex.files[0].remove(
			     NULL, bytes_of(text), (struct bytes){ 0 }, &out, &complaint),
		0, "%d: %s", complaint.line, complaint.text);
	return hold(&out);
}

static char *read_fixture(const char *name, const char *end)
{
	char path[512];
	struct buf text;
	const char *srcdir = getenv("srcdir");
	snprintf(path, sizeof path, "%s/tests/fixtures/codex-settings/%s%s", srcdir ? srcdir : ".",
		name, end);
	buf_init(&text, TEXT_MAX_BYTES, NULL);
	cr_assert_eq(file_read(path, &text), 0, "%s", path);
	char *copy = strdup(hold(&text));
	return copy;
}

static void expect_refusal(const char *text, int line, const char *words)
{
	struct buf out;
	struct complaint complaint = { 0 };
	buf_init(&out, TEXT_MAX_BYTES, NULL);
	cr_expect_eq(tool_codex.files[0].add(&all, bytes_of(text), &out, &complaint), -EINVAL);
	cr_expect_eq(complaint.line, line, "%d: %s", complaint.line, complaint.text);
	cr_expect(strstr(complaint.text, words), "%s", complaint.text);
	cr_expect_eq(out.len, 0);
	buf_done(&out);
}

TestSuite(codex_settings, .fini = let_go);

/* NAME.toml of somebody, and NAME.added with what is ours. */
Test(codex_settings, what_is_added_goes_again_without_a_trace)
{
	static const char *const names[] = { "new", "only-comments", "typical", "notify",
		"notify-empty", "exporter-inline", "exporter-tables", "exporter-last",
		"exporter-dotted", "below-otel", "dotted", "mark", "strings", "by-hand" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *text = read_fixture(names[i], ".toml");
		char *added = read_fixture(names[i], ".added");
		cr_expect_str_eq(add(text, &all), added, "%s becomes\n%s", names[i], held);
		cr_expect_str_eq(add(added, &all), added, "%s: there is nothing to do", names[i]);
		cr_expect_str_eq(take_out(added), text, "%s becomes\n%s", names[i], held);
		free(text);
		free(added);
	}
}

Test(codex_settings, programs_and_addresses_are_written_as_toml_has_them)
{
	const struct wish odd = { "http://[::1]:4318/a\"b", "/opt/a \"b\"/tollgate", true, true,
		true };
	cr_expect(strstr(add("", &odd), "notify = [\"/opt/a \\\"b\\\"/tollgate\", \"hook\""));
	cr_expect(strstr(held, "endpoint = \"http://[::1]:4318/a\\\"b/v1/logs\""));
}

Test(codex_settings, notify_is_told_where_the_configuration_does_not_say_it)
{
	const struct wish far = { "http://far:1", "tollgate", true, true, true, "http://far:1" };
	static const char text[] = "notify = [\"mine\"]\n";
	char *added = strdup(add(text, &far));
	cr_expect(strstr(added,
			  "notify = [\"tollgate\", \"hook\", \"codex\", \"--to\", "
			  "\"http://far:1\", \"--\", \"mine\"]"),
		"%s", added);
	cr_expect_str_eq(add(added, &far), added);
	cr_expect_str_eq(take_out(added), text);
	free(added);
}

Test(codex_settings, another_wish_takes_out_what_is_not_wished_any_more)
{
	const struct wish less = { URL, "tollgate", false, false, false };
	static const char text[] = "notify = [\"mine\"]\n[otel]\nlog_user_prompt = false\n";
	char *with_less = strdup(add(text, &less));
	cr_expect(strstr(with_less, text) == with_less);
	add(text, &all);
	cr_expect_str_eq(add(held, &less), with_less);
	free(with_less);
}

Test(codex_settings, without_content_means_none)
{
	const struct wish less = { URL, "tollgate", false, false, true };
	cr_expect(strstr(add("[otel]\nlog_user_prompt = true\n", &less),
		"\n" WAS "log_user_prompt = true\nlog_user_prompt = false" BY));
	cr_expect_not(strstr(held, "log_agent_responses"));
}

Test(codex_settings, another_address_takes_the_place_of_the_first)
{
	const struct wish moved = { "https://box:4318", "tollgate", true, true, true };
	static const char text[] = "notify = [\"mine\"]\n[otel]\nexporter = \"none\"\n";
	add(text, &all);
	cr_expect(strstr(add(held, &moved), "\"https://box:4318/v1/logs\""));
	cr_expect_not(strstr(held, URL));
	cr_expect_str_eq(take_out(held), text);
}

/* As Codex does it: at the end, or behind keys of the same table. */
Test(codex_settings, what_was_added_since_stays)
{
	char *edited = NULL;
	add("notify = [\"mine\"]\n", &all);
	cr_assert_gt(asprintf(&edited,
			     "model = \"a\"\n%senvironment = \"dev\"\n\n[projects.\"/a\"]\nt = 1\n",
			     held),
		0);
	cr_expect_str_eq(take_out(edited),
		"model = \"a\"\nnotify = [\"mine\"]\n\n[otel]\nenvironment = \"dev\"\n\n"
		"[projects.\"/a\"]\nt = 1\n");
	free(edited);
}

Test(codex_settings, nothing_comes_into_another_table_by_what_is_put_back)
{
	struct buf out;
	struct complaint complaint = { 0 };
	char *edited = NULL;
	add("[otel]\n[otel.exporter.otlp-http]\nendpoint = 'a'\n", &all);
	cr_assert_gt(asprintf(&edited, "%senvironment = \"dev\"\n", held), 0);
	buf_init(&out, TEXT_MAX_BYTES, NULL);
	cr_expect_eq(tool_codex.files[0].remove(
			     NULL, bytes_of(edited), (struct bytes){ 0 }, &out, &complaint),
		-EINVAL);
	cr_expect_eq(complaint.line, 9);
	cr_expect(strstr(complaint.text, "otel.environment"), "%s", complaint.text);
	buf_done(&out);
	free(edited);
}

Test(codex_settings, nothing_is_said_twice_by_what_is_put_back)
{
	expect_refusal(
		"[otel]\n" WAS "exporter = \"none\"\nexporter = { mine = 1 }\n", 3, "second time");
}

Test(codex_settings, comments_that_are_no_toml_any_more_are_not_put_back)
{
	struct buf out;
	struct complaint complaint = { 0 };
	buf_init(&out, TEXT_MAX_BYTES, NULL);
	cr_expect_eq(tool_codex.files[0].remove(NULL, bytes_of(WAS "notify = [\n"),
			     (struct bytes){ 0 }, &out, &complaint),
		-EINVAL);
	cr_expect(strstr(complaint.text, "comments"), "%s", complaint.text);
	buf_done(&out);
}

Test(codex_settings, what_is_not_understood_is_refused_with_its_line)
{
	expect_refusal("a = 1\n\nnotify = \"prog\"\n", 3, "notify");
	expect_refusal("notify = [\"a\", 1]", 1, "notify");
	expect_refusal("a = 1\notel = { exporter = \"none\" }\n", 2, "[otel]");
	expect_refusal("otel = 1\n", 1, "[otel]");
	expect_refusal("[[otel]]\n", 1, "[otel]");
	expect_refusal("[otel]\n[a]\n[otel]\n", 3, "second time");
	expect_refusal("notify = []\na = 1\nnotify = []\n", 3, "second time");
	expect_refusal("[otel]\nexporter.a = 1\nexporter = 1\n", 3, "second time");
	expect_refusal("otel.exporter = 1\n[otel.exporter.a]\n", 2, "second time");
	expect_refusal("a = [1, 2\n\nb = 2\n", 3, "array");
	expect_refusal("a = \"x\n", 1, "string");
	expect_refusal("a = \"\"\"x\ny\n", 3, "string");
	expect_refusal("a = \"\\q\"\n", 1, "escape");
	expect_refusal("a = \"\\ud800\"\n", 1, "escape");
	expect_refusal("\na b\n", 2, "=");
	expect_refusal("a = 1 b\n", 1, "line");
	expect_refusal("[a\n", 1, "head");
	expect_refusal("a = yes\n", 1, "value");
	expect_refusal("a = \n", 1, "value");
	expect_refusal("a = 1\nb = \"\x01\"\n", 2, "byte");
	expect_refusal("a = 1\n# \xff\n", 2, "byte");
	expect_refusal("a = 1\rb = 2\n", 1, "byte");
}

Test(codex_settings, what_is_too_large_or_too_deep_is_refused)
{
	char *large = calloc(1, TOML_MAX_BYTES + 2), deep[2 * TOML_MAX_DEPTH + 16] = "a = ";
	memset(large, '\n', TOML_MAX_BYTES + 1);
	expect_refusal(large, 0, "bytes");
	large[TOML_MAX_BYTES] = '\0';
	expect_refusal(large, 0, "bytes"); /* with ours it would be */
	memset(deep + 4, '[', TOML_MAX_DEPTH + 1);
	expect_refusal(deep, 1, "brackets");
	free(large);
}

Test(codex_settings, hooks_come_behind_the_persons_own_and_go_again)
{
	static const char text[] =
		"{\n  \"hooks\": {\n    \"Stop\": [\n      "
		"{ \"hooks\": [ { \"type\": \"command\", \"command\": \"mine\" } ] }\n"
		"    ]\n  }\n}\n";
	const struct tool_file *file = &tool_codex.files[1];
	struct buf added, removed;
	struct complaint complaint = { 0 };
	buf_init(&added, TEXT_MAX_BYTES, NULL);
	buf_init(&removed, TEXT_MAX_BYTES, NULL);
	cr_assert_eq(file->add(&all, bytes_of(text), &added, &complaint), 0);
	json_t *tree = json_loadb((const char *)added.at, added.len, 0, NULL), *groups;
	const char *event;
	cr_assert(tree);
	cr_expect_eq(json_object_size(json_object_get(tree, "hooks")), 9);
	json_object_foreach(json_object_get(tree, "hooks"), event, groups) {
		const json_t *last = json_array_get(groups, json_array_size(groups) - 1);
		const json_t *hook = json_array_get(json_object_get(last, "hooks"), 0);
		cr_expect_eq(json_array_size(groups), strcmp(event, "Stop") == 0 ? 2 : 1);
		cr_expect_str_eq(
			json_string_value(json_object_get(hook, "command")), "tollgate hook codex");
	}
	json_decref(tree);
	cr_assert_eq(
		file->remove(NULL, buf_bytes(&added), bytes_of(text), &removed, &complaint), 0);
	cr_expect(bytes_are(buf_bytes(&removed), text));
	buf_done(&added);
	buf_done(&removed);
}

/* ---- inspection ---- */

static char scratch[SCRATCH_PATH_MAX], path_variable[SCRATCH_PATH_MAX + 32];
static char *environment[] = { path_variable, NULL };
static struct home home = { .environment = environment };
static struct findings findings;
static bool is_on;

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[SCRATCH_PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", scratch, name);
	cr_assert_eq(file_replace(path, bytes_of(text), mode), 0, "%s", path);
}

static void make_directory(const char *name)
{
	char path[SCRATCH_PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", scratch, name);
	cr_assert_eq(mkdir(path, 0700), 0);
}

/* A person who has Codex, and Tollgate in PATH. */
static void begin(void)
{
	cr_assert_eq(scratch_make(scratch), 0);
	home.path = home.place = scratch;
	snprintf(path_variable, sizeof path_variable, "PATH=/nowhere:%s/bin", scratch);
	make_directory(".codex");
	make_directory("bin");
	write_file("bin/tollgate", "", 0700);
}

static void end(void)
{
	findings_done(&findings);
	scratch_remove(scratch);
	let_go();
}

TestSuite(codex_inspection, .init = begin, .fini = end);

static void inspect(void)
{
	findings_done(&findings);
	is_on = false;
	tool_codex.inspect(&home, URL, &findings, &is_on);
}

static void inspect_config(const char *text)
{
	write_file(".codex/config.toml", text, 0600);
	inspect();
}

/* That one, and nothing else. */
static void expect_finding(enum finding_kind kind, const char *words)
{
	cr_assert_eq(findings.count, 1, "%zu findings, %s first", findings.count,
		findings.count ? findings.at[0].what : "none");
	cr_expect_eq(findings.at[0].kind, kind, "%s", findings.at[0].what);
	cr_expect_str_eq(findings.at[0].about, "codex");
	cr_expect(strstr(findings.at[0].what, words), "%s", findings.at[0].what);
}

Test(codex_inspection, what_setup_writes_is_healthy)
{
	inspect_config(add("", &all));
	cr_expect_eq(findings.count, 0);
	cr_expect(is_on);
}

Test(codex_inspection, who_does_not_use_codex_hears_nothing_of_it)
{
	home.path = "/nowhere";
	inspect();
	cr_expect_eq(findings.count, 0);
	cr_expect_not(is_on);
}

Test(codex_inspection, its_telemetry_is_off_until_it_is_switched_on)
{
	static const char *const texts[] = { "", "model = \"a\"\n", "[otel]\nexporter = \"none\"\n",
		"otel = { log_user_prompt = true }\n" };
	inspect();
	cr_expect_not(is_on, "without a file");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		inspect_config(texts[i]);
		cr_expect_eq(findings.count, 0, "%s", texts[i]);
		cr_expect_not(is_on, "%s", texts[i]);
	}
}

#define HEALTHY "notify = [\"tollgate\", \"hook\", \"codex\"]\n[otel]\nlog_user_prompt = true\n"

static void inspect_exporter(const char *exporter)
{
	char text[1024];
	snprintf(text, sizeof text, HEALTHY "exporter = %s\n", exporter);
	inspect_config(text);
	cr_expect(is_on);
}

Test(codex_inspection, any_name_of_loopback_is_right)
{
	inspect_exporter("{ otlp-http = { endpoint = 'http://LocalHost:4318/v1/logs' } }");
	cr_expect_eq(findings.count, 0);
	inspect_exporter("{ otlp-http = { endpoint = 'http://[::1]:4318/v1/logs' } }");
	cr_expect_eq(findings.count, 0);
}

Test(codex_inspection, logs_may_go_elsewhere)
{
	inspect_exporter("{ otlp-http = { endpoint = \"http://127.0.0.1:4319/v1/logs\" } }");
	expect_finding(FINDING_ENDPOINT_ELSEWHERE, "port 4319 of 127.0.0.1");
	inspect_exporter("{ otlp-http = { endpoint = \"https://127.0.0.1:4318/v1/logs\" } }");
	expect_finding(FINDING_ENDPOINT_ELSEWHERE, "port 4318");
	inspect_exporter(
		"{ otlp-http = { endpoint = \"https://me:secret@box/v1/logs?key=secret\" } }");
	expect_finding(FINDING_ENDPOINT_ELSEWHERE, URL);
	cr_expect_not(strstr(findings.at[0].what, "secret"));
}

Test(codex_inspection, an_endpoint_needs_the_path_of_its_signal)
{
	inspect_exporter("{ otlp-http = { endpoint = \"" URL "\" } }");
	expect_finding(FINDING_SIGNAL_PATH_MISSING, "otel.exporter has to be " URL "/v1/logs");
	inspect_exporter("{ otlp-http = { endpoint = \"" URL "/otlp/v1/logs\" } }");
	expect_finding(FINDING_SIGNAL_PATH_MISSING, "otel.exporter has to be " URL "/v1/logs");
	inspect_config(HEALTHY "[otel.exporter.otlp-http]\nendpoint = \"" URL "/v1/logs\"\n"
			       "[otel.trace_exporter.otlp-http]\nendpoint = \"" URL "/\"\n"
			       "[otel.metrics_exporter.otlp-http]\nendpoint = \"https://box\"\n");
	expect_finding(FINDING_SIGNAL_PATH_MISSING, "otel.trace_exporter has to be");
}

Test(codex_inspection, grpc_is_not_taken)
{
	inspect_exporter("{ otlp-grpc = { endpoint = \"" URL "\" } }");
	expect_finding(FINDING_PROTOCOL_GRPC, "otlp-grpc");
}

Test(codex_inspection, spans_alone_are_not_enough)
{
	inspect_config("[otel.trace_exporter.otlp-http]\nendpoint = \"" URL "/v1/traces\"\n");
	expect_finding(FINDING_LOGS_OFF, "otel.exporter");
	cr_expect(is_on);
}

Test(codex_inspection, prompts_are_withheld_unless_asked_for)
{
	inspect_config("notify = [\"tollgate\", \"hook\", \"codex\"]\n"
		       "otel.exporter.otlp-http.endpoint = \"" URL "/v1/logs\"\n");
	expect_finding(FINDING_PROMPTS_REDACTED, "log_user_prompt");
	cr_expect_str_eq(findings.at[0].mend, "tollgate setup codex --apply");
}

#define LOGS "{ otlp-http = { endpoint = \"" URL "/v1/logs\" } }"
#define OTEL "[otel]\nlog_user_prompt = true\nexporter = " LOGS "\n"

Test(codex_inspection, something_has_to_say_when_a_turn_is_over)
{
	inspect_config(OTEL);
	expect_finding(FINDING_HOOKS_MISSING, "notify");
	inspect_config("notify = [\"mine\"]\n" OTEL);
	expect_finding(FINDING_HOOKS_MISSING, "notify");
	write_file(".codex/hooks.json",
		"{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"mine\"},"
		"{\"type\":\"command\",\"command\":\"tollgate hook codex\"}]}]}}",
		0600);
	inspect();
	cr_expect_eq(findings.count, 0);
}

Test(codex_inspection, the_program_of_a_hook_may_be_gone)
{
	static const char *const gone[] = { "/nowhere/tollgate", "'/no where/tollgate'" };
	char text[512];
	inspect_config("notify = [\"/no where/tollgate\", \"hook\", \"codex\"]\n" OTEL);
	expect_finding(FINDING_HOOK_NOT_FOUND, "/no where/tollgate");
	for (size_t i = 0; i < 2; i++) {
		snprintf(text, sizeof text,
			"{\"hooks\":{\"Stop\":[{\"hooks\":[{\"command\":\"%s hook codex\"}]}]}}",
			gone[i]);
		write_file(".codex/hooks.json", text, 0600);
		inspect();
		expect_finding(FINDING_HOOK_NOT_FOUND, "where/tollgate, which");
	}
	write_file(".codex/hooks.json",
		"{\"hooks\":{\"Stop\":[{\"hooks\":[{\"url\":\"" URL "/hooks/codex\"}]}]}}", 0600);
	inspect();
	cr_expect_eq(findings.count, 0);
	write_file(".codex/hooks.json", "{}", 0600);
	inspect_config(HEALTHY "exporter = " LOGS "\n");
	cr_expect_eq(findings.count, 0);
	snprintf(path_variable, sizeof path_variable, "PATH=/nowhere");
	inspect();
	expect_finding(FINDING_HOOK_NOT_FOUND, "tollgate, which");
}

Test(codex_inspection, a_file_that_cannot_be_read_is_named_with_its_line)
{
	inspect_config("a = 1\nb\n");
	expect_finding(FINDING_SETTINGS_UNREADABLE, ".codex/config.toml:2: ");
	cr_expect(is_on, "nobody knows");
	inspect_config(HEALTHY "exporter = " LOGS "\n");
	write_file(".codex/hooks.json", "{\n]", 0600);
	inspect();
	expect_finding(FINDING_SETTINGS_UNREADABLE, ".codex/hooks.json:2: ");
	write_file(".codex/hooks.json", "{}", 0600);
	environment[0] = (char[]){ "CODEX_HOME=/dev/null" };
	inspect();
	expect_finding(FINDING_SETTINGS_UNREADABLE, "/dev/null/config.toml: Not a directory");
	environment[0] = path_variable;
}
