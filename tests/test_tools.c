/* What tools get written into their settings, in whatever form those are, and that it goes again. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/effort.h"
#include "support/scratch.h"
#include "support/settings_judge.h"
#include "tools/json_settings.h"

enum { TEXT_MAX = 64 << 10, TEXTS = EFFORT(4000) };

TestSuite(tools, .timeout = 120);

static const struct wish all = { "http://127.0.0.1:4318", "tollgate", true, true, true };
static const struct wish least = { "http://127.0.0.1:4318", "tollgate", false, false, false };

/* To be freed. */
static char *add(const struct tool *tool, const struct wish *wish, const char *text)
{
	struct buf out;
	struct complaint complaint = { 0 };
	buf_init(&out, TEXT_MAX, NULL);
	cr_assert_eq(tool->files[0].add(wish, bytes_of(text), &out, &complaint), 0, "%d: %s",
		complaint.line, complaint.text);
	buf_append(&out, "", 1);
	return (char *)out.at;
}

static char *take_out(
	const struct tool *tool, const char *url, const char *text, const char *before)
{
	struct buf out;
	struct complaint complaint = { 0 };
	buf_init(&out, TEXT_MAX, NULL);
	cr_assert_eq(tool->files[0].remove(url, bytes_of(text), bytes_of(before), &out, &complaint),
		0, "%d: %s", complaint.line, complaint.text);
	buf_append(&out, "", 1);
	return (char *)out.at;
}

static void expect_added(
	const struct tool *tool, const struct wish *wish, const char *text, const char *wanted)
{
	char *added = add(tool, wish, text);
	cr_expect_str_eq(added, wanted);
	free(added);
	const char *broken = settings_judge(&tool->files[0], wish, bytes_of(text), NULL);
	cr_expect_null(broken, "%s: %s", text, broken);
}

static void expect_taken_out(const struct tool *tool, const char *url, const char *text,
	const char *before, const char *wanted)
{
	char *rest = take_out(tool, url, text, before);
	cr_expect_str_eq(rest, wanted);
	free(rest);
}

Test(tools, each_is_found_by_its_name)
{
	for (const struct tool *const *tool = tools; *tool; tool++) {
		cr_expect_eq(tool_named((*tool)->name), *tool);
		cr_expect((*tool)->title && (*tool)->files[0].path);
	}
	cr_expect_null(tool_named("claude"));
}

static void expect_path(const struct tool *tool, char *const *environment, const char *wanted)
{
	const struct home home = { "/home/me", environment, "/src/app" };
	char path[TOOL_PATH_MAX];
	cr_assert_eq(tool_path(tool, &home, &tool->files[0], path), 0);
	cr_expect_str_eq(path, wanted);
}

Test(tools, settings_are_in_the_home_or_where_a_variable_says)
{
	char *none[] = { NULL }, *other[] = { "CLAUDE_CONFIG_DIR=/else", NULL };
	expect_path(&tool_claude_code, none, "/home/me/.claude/settings.json");
	expect_path(&tool_claude_code, other, "/else/settings.json");
	expect_path(&tool_gemini, other, "/home/me/.gemini/settings.json");
	expect_path(&tool_langfuse_sdk, other, "/src/app/.env");
}

Test(tools, a_path_that_is_too_long_is_an_error)
{
	char home[TOOL_PATH_MAX + 8], *none[] = { NULL };
	memset(home, 'a', sizeof home - 1);
	home[sizeof home - 1] = '\0';
	for (size_t len = TOOL_PATH_MAX - 24; len < sizeof home; len++) {
		char path[TOOL_PATH_MAX], cut[sizeof home];
		snprintf(cut, sizeof cut, "%.*s", (int)len, home);
		const struct home long_home = { cut, none, cut };
		const struct tool_file *file = &tool_claude_code.files[0];
		int error = tool_path(&tool_claude_code, &long_home, file, path);
		cr_expect_eq(error,
			len + strlen("/.claude/settings.json") < TOOL_PATH_MAX ? 0 : -ENAMETOOLONG,
			"%zu", len);
	}
}

Test(tools, one_is_used_where_its_directory_is)
{
	char directory[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 32], *none[] = { NULL };
	cr_assert_eq(scratch_make(directory), 0);
	const struct home home = { directory, none, directory };
	cr_expect_not(tool_is_used(&tool_claude_code, &home));
	cr_expect_not(tool_is_used(&tool_langfuse_sdk, &home));
	snprintf(path, sizeof path, "%s/.claude", directory);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/.env", directory);
	fclose(fopen(path, "we"));
	cr_expect(tool_is_used(&tool_claude_code, &home));
	cr_expect(tool_is_used(&tool_langfuse_sdk, &home));
	scratch_remove(directory);
}

#define HOOK(event, command) \
	"    \"" event "\": [\n      {\n        \"hooks\": [\n          {\n" \
	"            \"type\": \"command\",\n            \"command\": \"" command "\"\n" \
	"          }\n        ]\n      }\n    ]"

#define ENV_ALWAYS \
	"    \"CLAUDE_CODE_ENABLE_TELEMETRY\": \"1\",\n" \
	"    \"OTEL_METRICS_EXPORTER\": \"otlp\",\n" \
	"    \"OTEL_LOGS_EXPORTER\": \"otlp\",\n"
#define ENV_WHERE \
	"    \"OTEL_EXPORTER_OTLP_PROTOCOL\": \"http/protobuf\",\n" \
	"    \"OTEL_EXPORTER_OTLP_ENDPOINT\": \"http://127.0.0.1:4318\",\n"
#define ENV_INTERVALS \
	"    \"OTEL_METRIC_EXPORT_INTERVAL\": \"10000\",\n" \
	"    \"OTEL_LOGS_EXPORT_INTERVAL\": \"2000\",\n" \
	"    \"OTEL_TRACES_EXPORT_INTERVAL\": \"2000\"\n"

static const char claude_least[] =
	"{\n  \"env\": {\n" ENV_ALWAYS ENV_WHERE ENV_INTERVALS "  }\n}\n";
static const char claude_all[] =
	"{\n  \"env\": {\n" ENV_ALWAYS "    \"OTEL_TRACES_EXPORTER\": \"otlp\",\n"
	"    \"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA\": \"1\",\n" ENV_WHERE
	"    \"OTEL_LOG_USER_PROMPTS\": \"1\",\n"
	"    \"OTEL_LOG_TOOL_DETAILS\": \"1\",\n" ENV_INTERVALS
	"  },\n  \"hooks\": {\n" HOOK("SessionStart", "tollgate hook claude-code") ",\n" HOOK(
		"UserPromptSubmit", "tollgate hook claude-code") ",\n" HOOK("PreToolUse",
		"tollgate hook claude-code") ",\n" HOOK("PostToolUse",
		"tollgate hook claude-code") ",\n" HOOK("PostToolUseFailure",
		"tollgate hook claude-code") ",\n" HOOK("PermissionRequest",
		"tollgate hook claude-code") ",\n" HOOK("Notification",
		"tollgate hook claude-code") ",\n" HOOK("SubagentStop",
		"tollgate hook claude-code") ",\n" HOOK("Stop",
		"tollgate hook claude-code") ",\n" HOOK("StopFailure",
		"tollgate hook claude-code") ",\n" HOOK("SessionEnd",
		"tollgate hook claude-code") "\n  }\n}\n";

Test(tools, claude_code_gets_its_variables_and_hooks)
{
	expect_added(&tool_claude_code, &all, "", claude_all);
	expect_added(&tool_claude_code, &least, "", claude_least);
}

#define GEMINI(prompts) \
	"{\n  \"telemetry\": {\n    \"enabled\": true,\n    \"target\": \"local\",\n" \
	"    \"otlpProtocol\": \"http\",\n" \
	"    \"otlpEndpoint\": \"http://127.0.0.1:4318\",\n    \"logPrompts\": " prompts "\n  }"

/* Its prompts are on by default. */
Test(tools, gemini_gets_its_telemetry_and_hooks)
{
	expect_added(&tool_gemini, &all, "",
		GEMINI("true") ",\n  \"hooks\": {\n" HOOK(
			"SessionStart", "tollgate hook gemini") ",\n" HOOK("BeforeAgent",
			"tollgate hook gemini") ",\n" HOOK("AfterAgent",
			"tollgate hook gemini") ",\n" HOOK("Notification",
			"tollgate hook gemini") ",\n" HOOK("SessionEnd",
			"tollgate hook gemini") "\n  }\n}\n");
	expect_added(&tool_gemini, &least, "", GEMINI("false") "\n}\n");
	expect_added(&tool_gemini, &least, "{\"telemetry\":{\"outfile\":\"/tmp/x\"}}",
		"{\"telemetry\":{\"outfile\":\"\",\"enabled\":true,\"target\":\"local\",\"otlpProtocol\":\"http\","
		"\"otlpEndpoint\":\"http://127.0.0.1:4318\",\"logPrompts\":false}}");
}

Test(tools, a_wish_that_is_taken_back_is_said_out_loud)
{
	char *text = add(&tool_claude_code, &all, "");
	char *less = add(&tool_claude_code, &least, text);
	json_t *tree = json_loads(less, 0, NULL), *env = json_object_get(tree, "env");
	static const char *const off[][2] = { { "OTEL_LOG_USER_PROMPTS", "0" },
		{ "OTEL_LOG_TOOL_DETAILS", "0" }, { "OTEL_TRACES_EXPORTER", "none" },
		{ "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "0" } };
	for (size_t i = 0; i < sizeof off / sizeof *off; i++)
		cr_expect_str_eq(json_string_value(json_object_get(env, off[i][0])), off[i][1]);
	cr_expect_null(json_object_get(tree, "hooks"));
	json_decref(tree);
	expect_taken_out(&tool_claude_code, all.url, less, "", "");
	free(less);
	free(text);
}

Test(tools, hooks_stand_behind_a_persons_own)
{
	static const char own[] =
		"{\n  \"hooks\": {\n    \"Stop\": [\n      { \"hooks\": [{ \"type\": \"command\", \"command\": \"beep\" }] }\n    ]\n  }\n}\n";
	char *text = add(&tool_claude_code, &all, own);
	json_t *tree = json_loads(text, 0, NULL);
	json_t *stop = json_object_get(json_object_get(tree, "hooks"), "Stop");
	cr_expect_eq(json_array_size(stop), 2);
	cr_expect(
		strstr(text, "{ \"hooks\": [{ \"type\": \"command\", \"command\": \"beep\" }] },"));
	json_decref(tree);
	expect_taken_out(&tool_claude_code, all.url, text, own, own);
	free(text);
}

Test(tools, a_hook_that_hands_over_elsewhere_is_left_and_no_second_one_made)
{
	static const char own[] =
		"{\"hooks\": {\"AfterAgent\": [{\"hooks\": [{\"command\": \"/opt/tollgate hook --to http://a gemini\"}]}]}}";
	char *text = add(&tool_gemini, &all, own);
	cr_expect(
		strstr(text,
			"\"AfterAgent\": [{\"hooks\": [{\"command\": \"/opt/tollgate hook --to http://a gemini\"}]}],"),
		"%s", text);
	expect_taken_out(&tool_gemini, all.url, text, own, own);
	free(text);
}

Test(tools, a_hook_that_the_cli_posts_itself_is_enough)
{
	char *text = add(&tool_claude_code, &all,
		"{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"http\", \"url\": "
		"\"http://127.0.0.1:4318/hooks/claude-code\"}]}]}}");
	json_t *tree = json_loads(text, 0, NULL);
	const json_t *stop = json_object_get(json_object_get(tree, "hooks"), "Stop");
	cr_expect_eq(json_array_size(stop), 1, "%s", text);
	json_decref(tree);
	free(text);
}

Test(tools, hooks_follow_the_program_that_moved)
{
	static const struct wish moved = { "http://127.0.0.1:4318", "/opt/it's here/bin/tollgate",
		true, true, true };
	char *text = add(&tool_claude_code, &all, ""),
	     *renewed = add(&tool_claude_code, &moved, text);
	cr_expect_null(strstr(renewed, "\"tollgate hook"));
	cr_expect(strstr(renewed, "\"'/opt/it'\\\\''s here/bin/tollgate' hook claude-code\""));
	expect_taken_out(&tool_claude_code, all.url, renewed, "", "");
	const char *broken =
		settings_judge(&tool_claude_code.files[0], &moved, bytes_of("{}"), NULL);
	cr_expect_null(broken, "%s", broken);
	free(renewed);
	free(text);
}

Test(tools, hooks_are_told_where_the_configuration_does_not_say_it)
{
	static const struct wish far = { "https://gateway:4318/a'b", "tollgate", true, true, true,
		"https://gateway:4318/a'b" };
	char *near = add(&tool_claude_code, &all, ""), *text = add(&tool_claude_code, &far, near),
	     *back = add(&tool_claude_code, &all, text);
	cr_expect(
		strstr(text, "\"tollgate hook claude-code --to 'https://gateway:4318/a'\\\\''b'\""),
		"%s", text);
	cr_expect_null(strstr(text, "hook claude-code\""));
	cr_expect_str_eq(back, near);
	expect_taken_out(&tool_claude_code, far.url, text, "", "");
	const char *broken = settings_judge(&tool_claude_code.files[0], &far, bytes_of("{}"), NULL);
	cr_expect_null(broken, "%s", broken);
	free(back);
	free(text);
	free(near);
}

Test(tools, a_hook_that_was_moved_into_a_group_of_ones_own_leaves_that_group)
{
	expect_taken_out(&tool_gemini, all.url,
		"{\"hooks\": {\"AfterAgent\": [{\"hooks\": [{\"command\": \"tollgate hook gemini\"}, "
		"{\"command\": \"beep\"}, {\"command\": \"/bin/tollgate hook gemini\"}]}, 1]}}",
		"", "{\"hooks\": {\"AfterAgent\": [{\"hooks\": [ {\"command\": \"beep\"}]}, 1]}}");
}

Test(tools, what_a_person_changed_meanwhile_is_theirs)
{
	static const char before[] =
		"{\"env\": {\"OTEL_LOGS_EXPORTER\": \"console\", \"OTEL_METRIC_EXPORT_INTERVAL\": \"5\"}}";
	char *text = add(&tool_claude_code, &least, before);
	cr_expect(strstr(text, "\"OTEL_METRIC_EXPORT_INTERVAL\": \"5\""),
		"a person's own interval stays");
	free(text);
	expect_taken_out(&tool_claude_code, all.url,
		"{\"env\": {\"OTEL_LOGS_EXPORTER\": \"otlp\", \"OTEL_METRICS_EXPORTER\": \"prometheus\", "
		"\"OTEL_EXPORTER_OTLP_ENDPOINT\": \"http://mine\"}, \"x\": 1}",
		before,
		"{\"env\": {\"OTEL_LOGS_EXPORTER\": \"console\", \"OTEL_METRICS_EXPORTER\": \"prometheus\", "
		"\"OTEL_EXPORTER_OTLP_ENDPOINT\": \"http://mine\"}, \"x\": 1}");
	expect_taken_out(&tool_claude_code, NULL,
		"{\"env\": {\"OTEL_EXPORTER_OTLP_ENDPOINT\": \"http://mine\"}, \"x\": 1}", "",
		"{ \"x\": 1}");
}

Test(tools, the_sdk_gets_the_base_url_by_all_its_names)
{
	static const char three[] = "LANGFUSE_BASE_URL=http://127.0.0.1:4318\n"
				    "LANGFUSE_HOST=http://127.0.0.1:4318\n"
				    "LANGFUSE_BASEURL=http://127.0.0.1:4318\n";
	expect_added(&tool_langfuse_sdk, &all, "", three);
	expect_added(&tool_langfuse_sdk, &all, three, three);
	expect_added(&tool_langfuse_sdk, &all,
		"# keys\nexport LANGFUSE_HOST = 'https://cloud.langfuse.com' # EU\nLANGFUSE_PUBLIC_KEY=pk\n"
		"LANGFUSE_BASEURL=   # none\nPEM=\"a\nLANGFUSE_BASE_URL=b\nc\"",
		"# keys\nexport LANGFUSE_HOST = http://127.0.0.1:4318 # EU\nLANGFUSE_PUBLIC_KEY=pk\n"
		"LANGFUSE_BASEURL=http://127.0.0.1:4318   # none\nPEM=\"a\nLANGFUSE_BASE_URL=b\nc\"\n"
		"LANGFUSE_BASE_URL=http://127.0.0.1:4318");
	expect_added(&tool_langfuse_sdk, &all, "A='\r\nLANGFUSE_HOST=\"http://127.0.0.1:4318\"\r\n",
		"A='\r\nLANGFUSE_HOST=\"http://127.0.0.1:4318\"\r\n"
		"LANGFUSE_BASE_URL=http://127.0.0.1:4318\r\nLANGFUSE_BASEURL=http://127.0.0.1:4318\r\n");
	expect_taken_out(&tool_langfuse_sdk, all.url,
		"LANGFUSE_HOST=https://mine\nB=1\nLANGFUSE_BASE_URL=http://127.0.0.1:4318\nC=2",
		"B=1", "LANGFUSE_HOST=https://mine\nB=1\nC=2");
}

/* A text that nobody wrote: any layout, and names that matter among others. */
struct writer {
	struct buf out;
	uint64_t random;
	bool has_comments;
};

static unsigned pick(struct writer *writer, unsigned count)
{
	writer->random = writer->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(writer->random >> 33) % count;
}

#define PICK(writer, words) (words)[pick(writer, sizeof(words) / sizeof *(words))]

static void write_blanks(struct writer *writer)
{
	static const char *const blanks[] = { "", "", "", " ", "\n", "\n  ", "\t", "\r\n", "\n\t\t",
		"\r" };
	static const char *const comments[] = { "/**/", "// c\n", "/* \"a\": { */", "//\r\n",
		"/*\n*/", "//\t\t \r\r\n" };
	buf_text(&writer->out, PICK(writer, blanks));
	if (writer->has_comments && pick(writer, 6) == 0) {
		buf_text(&writer->out, PICK(writer, comments));
		buf_text(&writer->out, PICK(writer, blanks));
	}
}

static const char *const names[] = { "env", "hooks", "telemetry", "\\u0065nv", "Stop", "AfterAgent",
	"SessionEnd", "CLAUDE_CODE_ENABLE_TELEMETRY", "OTEL_LOGS_EXPORTER", "outfile", "enabled",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "otlpEndpoint", "logPrompts", "x", "y" };
static const char *const scalars[] = { "1", "\"1\"", "true", "false", "null", "\"otlp\"",
	"\"none\"", "\"http://127.0.0.1:4318\"", "\"https://other\"", "-1.5e3", "\"\\\"{//\"", "{}",
	"[]", "{ }", "[\n]", "{\"hooks\":[{\"command\":\"beep\"}]}" };

static void write_value(struct writer *writer, unsigned depth)
{
	unsigned kind = pick(writer, depth ? 4 : 1);
	unsigned count = pick(writer, 4);
	if (kind == 0) {
		buf_text(&writer->out, PICK(writer, scalars));
		return;
	}
	bool is_object = kind < 3;
	buf_text(&writer->out, is_object ? "{" : "[");
	for (unsigned i = 0; i < count; i++) {
		buf_text(&writer->out, i ? "," : "");
		write_blanks(writer);
		if (is_object) {
			buf_printf(&writer->out, "\"%s\"", PICK(writer, names));
			write_blanks(writer);
			buf_text(&writer->out, ":");
			write_blanks(writer);
		}
		write_value(writer, depth - 1);
		write_blanks(writer);
	}
	write_blanks(writer);
	buf_text(&writer->out, is_object ? "}" : "]");
}

static void judge_texts(const struct tool *tool, bool has_comments)
{
	unsigned taken = 0;
	for (unsigned i = 0; i < TEXTS; i++) {
		struct writer writer = { .random = i, .has_comments = has_comments };
		const struct wish wish = { all.url, "tollgate", i & 1, i & 2, i & 4 };
		bool was_taken;
		buf_init(&writer.out, TEXT_MAX, NULL);
		write_blanks(&writer);
		write_value(&writer, 4);
		write_blanks(&writer);
		const char *broken =
			settings_judge(&tool->files[0], &wish, buf_bytes(&writer.out), &was_taken);
		cr_expect_null(
			broken, "%s: %.*s", broken, (int)writer.out.len, (char *)writer.out.at);
		taken += was_taken;
		buf_done(&writer.out);
	}
	cr_expect_gt(taken, TEXTS / 8, "%u", taken);
}

Test(tools, what_is_written_into_any_settings_goes_without_a_trace)
{
	judge_texts(&tool_claude_code, false);
	judge_texts(&tool_claude_code, true);
	judge_texts(&tool_gemini, true);
}

Test(tools, what_is_written_into_any_variables_goes_without_a_trace)
{
	static const char *const pieces[] = { "LANGFUSE_HOST", "LANGFUSE_BASE_URL", "A", "=", "=",
		"'", "\"", "`", "\n", "\n", "\r\n", "\r", " ", "# c", "export ", "https://a", "\\",
		"http://127.0.0.1:4318", ":" };
	for (unsigned i = 0; i < TEXTS; i++) {
		struct writer writer = { .random = i };
		buf_init(&writer.out, TEXT_MAX, NULL);
		for (unsigned count = pick(&writer, 24); count; count--)
			buf_text(&writer.out, PICK(&writer, pieces));
		const char *broken = settings_judge(
			&tool_langfuse_sdk.files[0], &all, buf_bytes(&writer.out), NULL);
		cr_expect_null(
			broken, "%s: %.*s", broken, (int)writer.out.len, (char *)writer.out.at);
		buf_done(&writer.out);
	}
}
