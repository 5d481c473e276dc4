/* What setup writes into Codex' files, what it takes out again, and what an inspection says of them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
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
