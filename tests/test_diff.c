/* Differences as `diff -u` prints them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/diff.h"

enum { OUTPUT_MAX_BYTES = 64 << 20, LINES = 24, ROUNDS = 2000 };

TestSuite(diff, .timeout = 60);

static struct buf difference(struct bytes before, struct bytes after)
{
	struct buf out;
	buf_init(&out, OUTPUT_MAX_BYTES, NULL);
	diff_put(NULL, &out, "a", before, "b", after);
	cr_assert_eq(out.error, 0);
	return out;
}

static void expect_diff(const char *before, const char *after, const char *wanted)
{
	struct buf out = difference(bytes_of(before), bytes_of(after));
	cr_expect(bytes_are(buf_bytes(&out), wanted), "%.*s", (int)out.len, (char *)out.at);
	buf_done(&out);
}

Test(diff, equal_texts_have_none)
{
	expect_diff("", "", "");
	expect_diff("a\nb", "a\nb", "");
}

Test(diff, what_is_new_gone_and_changed_has_its_sign)
{
	expect_diff("", "x\ny\n", "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+x\n+y\n");
	expect_diff("x\n", "", "--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n");
	expect_diff("a\nb\nc\n", "a\nB\nc\n", "--- a\n+++ b\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
}

Test(diff, three_lines_stand_around_a_change)
{
	expect_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n5\n6\n7\n8\n9\n",
		"--- a\n+++ b\n@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+x\n 5\n 6\n 7\n");
}

Test(diff, changes_that_are_far_apart_stand_apart)
{
	expect_diff("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
		"--- a\n+++ b\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
	expect_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
		"--- a\n+++ b\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

Test(diff, a_missing_end_of_the_last_line_is_told)
{
	expect_diff(
		"a", "a\n", "--- a\n+++ b\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
	expect_diff(
		"a", "b\na", "--- a\n+++ b\n@@ -1 +1,2 @@\n+b\n a\n\\ No newline at end of file\n");
}

Test(diff, a_terminal_gets_nothing_that_it_would_obey)
{
	const struct terminal terminal = { 80, true, true };
	struct buf out;
	buf_init(&out, OUTPUT_MAX_BYTES, NULL);
	diff_put(&terminal, &out, "a\033", bytes_of(""), "b", bytes_of("\t\033[2Jx\n"));
	buf_append(&out, "", 1);
	cr_expect_str_eq((char *)out.at,
		"--- \033[1ma?\033[0m\n+++ \033[1mb\033[0m\n@@ -0,0 +1 @@\n"
		"\033[32m+\033[0m        \033[32m?[2Jx\033[0m\n");
	buf_done(&out);
}

Test(diff, texts_without_anything_in_common_are_replaced)
{
	struct buf before, after;
	buf_init(&before, OUTPUT_MAX_BYTES, NULL);
	buf_init(&after, OUTPUT_MAX_BYTES, NULL);
	for (unsigned i = 0; i < 20000; i++) {
		buf_printf(&before, "a%u\n", i);
		buf_printf(&after, "b%u\n", i);
	}
	struct buf out = difference(buf_bytes(&before), buf_bytes(&after));
	static const char head[] = "--- a\n+++ b\n@@ -1,20000 +1,20000 @@\n-a0\n";
	cr_expect(bytes_start_with(buf_bytes(&out), head));
	cr_expect_eq(out.len, before.len + after.len + 40000 + strlen(head) - strlen("-a0\n"));
	buf_done(&out);
	buf_done(&before);
	buf_done(&after);
}

/* The text that a difference leads to, by its own lines alone. */
static void apply(struct bytes text, struct bytes patch, struct buf *out)
{
	size_t line = 0;
	char *copy = strndup((const char *)patch.at, patch.len), *next;
	for (char *at = strstr(copy, "@@"); *at; at = next) {
		unsigned from, count = 1;
		next = strchr(at, '\n') + 1;
		if (sscanf(at, "@@ -%u,%u", &from, &count) >= 1) {
			for (size_t until = count ? from - 1 : from; line < until; line++) {
				const uint8_t *feed = memchr(text.at, '\n', text.len);
				size_t len = (size_t)(feed - text.at) + 1;
				buf_append(out, text.at, len);
				text.at += len, text.len -= len;
			}
		} else if (*at == ' ' || *at == '+') {
			buf_append(out, at + 1, (size_t)(next - at) - 1);
		}
		if (*at == ' ' || *at == '-') {
			size_t len = (size_t)(next - at) - 1;
			cr_assert(len <= text.len && memcmp(text.at, at + 1, len) == 0, "%s", at);
			text.at += len, text.len -= len;
			line++;
		}
	}
	buf_append(out, text.at, text.len);
	free(copy);
}

static void write_lines(struct buf *out, uint64_t *random)
{
	unsigned count = 0;
	buf_init(out, OUTPUT_MAX_BYTES, NULL);
	do {
		*random = *random * 6364136223846793005u + 1442695040888963407u;
		buf_printf(out, "%u\n", (unsigned)(*random >> 33) % 5);
	} while (++count < LINES && (*random >> 40) % LINES);
}

Test(diff, it_leads_from_any_text_to_any_other)
{
	uint64_t random = 1;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct buf before, after, patched;
		write_lines(&before, &random);
		write_lines(&after, &random);
		struct buf out = difference(buf_bytes(&before), buf_bytes(&after));
		buf_init(&patched, OUTPUT_MAX_BYTES, NULL);
		if (out.len)
			apply(buf_bytes(&before), buf_bytes(&out), &patched);
		else
			buf_append(&patched, before.at, before.len);
		cr_assert(bytes_equal(buf_bytes(&patched), buf_bytes(&after)), "%.*s", (int)out.len,
			(char *)out.at);
		buf_done(&out);
		buf_done(&before);
		buf_done(&after);
		buf_done(&patched);
	}
}
