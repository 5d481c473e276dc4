/* Text and figures as a terminal shows them, whatever a sender wrote. */
#include "cli/terminal.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "cli/figures.h"
#include "cli/table.h"

enum { OUT_MAX = 1 << 20 };

static const struct terminal plain = { .width = 80, .has_unicode = true };
static const struct terminal ascii = { .width = 80 };
static const struct terminal colourful = { .width = 80, .has_unicode = true, .has_colours = true };
static struct buf out;

static void begin(void)
{
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
	setenv("TZ", "UTC", 1);
	tzset();
	buf_init(&out, OUT_MAX, NULL);
}

static void end(void)
{
	buf_done(&out);
}

TestSuite(terminal, .init = begin, .fini = end);

static const char *text_of(struct buf *buf)
{
	buf_append(buf, "", 1);
	buf->len = 0;
	cr_assert_eq(buf->error, 0);
	return (const char *)buf->at;
}

static const char *put(const struct terminal *terminal, const char *text, size_t columns)
{
	terminal_put(terminal, &out, STYLE_PLAIN, bytes_of(text), columns);
	return text_of(&out);
}

Test(terminal, plain_text_is_as_it_was)
{
	cr_expect_str_eq(put(&plain, "claude_code.tool", 16), "claude_code.tool");
	cr_expect_str_eq(put(&plain, "Grüße 你好 👋", 80), "Grüße 你好 👋");
	cr_expect_str_eq(put(&plain, "", 80), "");
}

Test(terminal, what_does_not_fit_is_cut_with_a_mark)
{
	cr_expect_str_eq(put(&plain, "abcdef", 6), "abcdef");
	cr_expect_str_eq(put(&plain, "abcdef", 5), "abcd…");
	cr_expect_str_eq(put(&plain, "abcdef", 2), "a…");
	cr_expect_str_eq(put(&plain, "abcdef", 1), "a");
	cr_expect_str_eq(put(&plain, "abcdef", 0), "");
	cr_expect_str_eq(put(&ascii, "abcdef", 5), "ab...");
	cr_expect_str_eq(put(&ascii, "abcdef", 3), "abc");
}

Test(terminal, wide_characters_take_two_columns)
{
	cr_expect_eq(terminal_columns(&plain, bytes_of("你好")), 4);
	cr_expect_eq(terminal_columns(&plain, bytes_of("👋")), 2);
	cr_expect_str_eq(put(&plain, "你好吗", 5), "你好…");
	cr_expect_str_eq(put(&plain, "你好吗", 4), "你…");
	cr_expect_str_eq(put(&plain, "你好", 1), "");
}

Test(terminal, marks_that_take_no_column_are_bounded)
{
	char zalgo[512] = "e";
	for (int i = 0; i < 100; i++)
		strcat(zalgo, "\u0301");
	strcat(zalgo, "x");
	cr_expect_eq(terminal_columns(&plain, bytes_of(zalgo)), 2);
	cr_expect_str_eq(put(&plain, zalgo, 80), "e\u0301\u0301\u0301\u0301x");
}

Test(terminal, nothing_is_obeyed)
{
	cr_expect_str_eq(put(&plain, "a\033[2Jb", 80), "a?[2Jb");
	cr_expect_str_eq(put(&plain, "\033]0;title\a", 80), "?]0;title?");
	cr_expect_str_eq(put(&plain,
				 "a\tb\nc\rd\x7f"
				 "e",
				 80),
		"a b c d?e");
	cr_expect_str_eq(put(&plain,
				 "\xc2\x9b"
				 "2J",
				 80),
		"?2J", "the one-character CSI");
	cr_expect_str_eq(put(&plain, "\u202egnp.exe", 80), "gnp.exe", "right to left");
	cr_expect_str_eq(put(&plain, "\u2066x\u2069\u200b\ufeff\u2028", 80), "x");
	cr_expect_str_eq(put(&plain, "\xff\xc3", 80), "??", "no UTF-8");
	cr_expect_str_eq(put(&plain, "\xf0\x9f\x91", 80), "???", "a character cut in two");
	terminal_put(&plain, &out, STYLE_PLAIN, (struct bytes)BYTES("a\0b"), 80);
	cr_expect_str_eq(text_of(&out), "a?b");
}

Test(terminal, every_byte_and_pair_of_bytes_is_harmless)
{
	for (unsigned first = 0; first < 256; first++)
		for (unsigned second = 0; second < 256; second++) {
			uint8_t pair[] = { (uint8_t)first, (uint8_t)second };
			size_t columns = terminal_put(
				&plain, &out, STYLE_PLAIN, (struct bytes){ pair, 2 }, 80);
			wchar_t wide[8];
			const char *text = text_of(&out);
			size_t count = mbstowcs(wide, text, 8);
			cr_assert(count <= 2, "%02x %02x", first, second);
			cr_assert_eq(
				wcswidth(wide, count), (int)columns, "%02x %02x", first, second);
			terminal_put(&ascii, &out, STYLE_PLAIN, (struct bytes){ pair, 2 }, 80);
			for (text = text_of(&out); *text; text++)
				cr_assert(*text >= ' ' && *text <= '~', "%02x %02x", first, second);
		}
}

Test(terminal, without_unicode_a_character_is_one_question_mark)
{
	cr_expect_str_eq(put(&ascii, "Grüße 你好", 80), "Gr??e ??");
	cr_expect_str_eq(terminal_separator(&ascii), ", ");
	cr_expect_str_eq(terminal_at_least(&ascii), ">=");
}

Test(terminal, colours_are_ended_and_take_no_column)
{
	cr_expect_eq(terminal_put(&colourful, &out, STYLE_RED, bytes_of("abc"), 80), 3);
	cr_expect_str_eq(text_of(&out), "\033[31mabc\033[0m");
	terminal_put(&colourful, &out, STYLE_PLAIN, bytes_of("abc"), 80);
	cr_expect_str_eq(text_of(&out), "abc");
	terminal_put(&plain, &out, STYLE_RED, bytes_of("abc"), 80);
	cr_expect_str_eq(text_of(&out), "abc");
}

Test(terminal, lines_are_taken_one_by_one)
{
	cr_expect_eq(terminal_fit(&plain, bytes_of("abcdef"), 4).len, 4);
	cr_expect_eq(terminal_fit(&plain, bytes_of("ab\ncdef"), 4).len, 2);
	cr_expect_eq(terminal_fit(&plain, bytes_of("\nab"), 4).len, 0);
	cr_expect_eq(terminal_fit(&plain, bytes_of("你好吗"), 5).len, 6);
	cr_expect_eq(terminal_fit(&plain, bytes_of(""), 5).len, 0);
}

static const char *put_words(size_t width, const char *text)
{
	struct terminal terminal = { .width = width, .has_unicode = true };
	terminal_put_words(&terminal, &out, STYLE_PLAIN, bytes_of(text), 2);
	return text_of(&out);
}

Test(terminal, lines_are_broken_between_words)
{
	cr_expect_str_eq(put_words(80, "one line"), "one line\n");
	cr_expect_str_eq(put_words(8, "one line"), "one line\n");
	cr_expect_str_eq(put_words(7, "one line"), "one\n  line\n");
	cr_expect_str_eq(put_words(7, "a b c d e f g"), "a b c d\n  e f g\n");
	cr_expect_str_eq(put_words(5, "überlang über"), "über…\n  üb…\n");
	cr_expect_str_eq(put_words(1, "a b"), "a\n  b\n");
	cr_expect_str_eq(put_words(8, " a\nb  c"), " a b  c\n");
	cr_expect_str_eq(put_words(8, ""), "");
}

Test(terminal, the_environment_says_how_wide_where_no_terminal_does)
{
	setenv("COLUMNS", "132", 1);
	cr_expect_eq(terminal_of_stdout().width, 132);
	setenv("COLUMNS", "0", 1);
	cr_expect_eq(terminal_of_stdout().width, 80);
	setenv("COLUMNS", "99999999999999999999999", 1);
	cr_expect_eq(terminal_of_stdout().width, 80);
	setenv("TERM", "xterm", 1);
	cr_expect_not(terminal_of_stdout().has_colours, "the output is no terminal");
	setenv("LC_ALL", "C", 1);
	cr_expect_not(terminal_of_stdout().has_unicode);
	setenv("LC_ALL", "C.UTF-8", 1);
	cr_expect(terminal_of_stdout().has_unicode);
}

TestSuite(figures, .init = begin, .fini = end);

static char figure[FIGURE_MAX];

Test(figures, counts_have_commas)
{
	cr_expect_str_eq(figure_count(figure, 0), "0");
	cr_expect_str_eq(figure_count(figure, 999), "999");
	cr_expect_str_eq(figure_count(figure, 1000), "1,000");
	cr_expect_str_eq(figure_count(figure, 12345678), "12,345,678");
	cr_expect_str_eq(figure_count(figure, -123456), "-123,456");
	cr_expect_str_eq(figure_count(figure, INT64_MAX), "9,223,372,036,854,775,807");
}

Test(figures, money_is_exact_and_has_cents)
{
	cr_expect_str_eq(figure_cost(figure, 0), "$0.00");
	cr_expect_str_eq(figure_cost(figure, 1), "$0.000000000000001");
	cr_expect_str_eq(figure_cost(figure, 13346400000000), "$0.0133464");
	cr_expect_str_eq(figure_cost(figure, 500000000000000), "$0.50");
	cr_expect_str_eq(figure_cost(figure, 12000000000000000), "$12.00");
	cr_expect_str_eq(figure_cost(figure, -500000000000000), "-$0.50");
	cr_expect_str_eq(figure_cost(figure, (fusd)INT64_MAX * 1000), "$9223372.036854775807");
}

static fusd cost_in(const char *json, bool *ret_is_known)
{
	json_t *object = json_loads(json, 0, NULL);
	fusd amount = -1;
	*ret_is_known = json_cost(object, &amount);
	json_decref(object);
	return amount;
}

Test(figures, a_cost_may_be_a_number_or_a_long_text_or_unknown)
{
	bool is_known;
	cr_expect(cost_in("{\"cost_fusd\":0}", &is_known) == 0 && is_known);
	cr_expect(cost_in("{\"cost_fusd\":17}", &is_known) == 17 && is_known);
	cr_expect(cost_in("{\"cost_fusd\":\"27670116110564327421\"}", &is_known) ==
			(fusd)INT64_MAX * 3 &&
		is_known);
	cr_expect(cost_in("{\"cost_fusd\":\"-18446744073709551616\"}", &is_known) ==
			(fusd)INT64_MIN * 2 &&
		is_known);
	static const char *const unknown[] = { "{}", "{\"cost_fusd\":null}", "{\"cost_fusd\":1.5}",
		"{\"cost_fusd\":\"\"}", "{\"cost_fusd\":\"-\"}", "{\"cost_fusd\":\"1x\"}",
		"{\"cost_fusd\":\"999999999999999999999999999999999999999\"}" };
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		cr_expect(cost_in(unknown[i], &is_known) == -1 && !is_known, "%s", unknown[i]);
}

Test(figures, durations)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} durations[] = {
		{ 0, "0.0 ms" },
		{ 349999, "0.3 ms" },
		{ 999999, "0.9 ms" },
		{ 1000000, "1 ms" },
		{ 340000000, "340 ms" },
		{ 999999999, "999 ms" },
		{ 1000000000, "1.0 s" },
		{ 1250000000, "1.3 s" },
		{ 59940000000, "59.9 s" },
		{ 59950000000, "1 m 00 s" },
		{ 125000000000, "2 m 05 s" },
		{ 3599400000000, "59 m 59 s" },
		{ 3599500000000, "1 h 00 m" },
		{ 90000000000000, "1 d 01 h" },
		{ UINT64_MAX, "213503 d 23 h" },
	};
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
		cr_expect_str_eq(figure_duration(figure, durations[i].ns), durations[i].text);
}

Test(figures, ages_and_times)
{
	const uint64_t second = 1000000000, now = 1795262525 * second;
	cr_expect_str_eq(figure_age(figure, now - 12 * second, now), "12 s");
	cr_expect_str_eq(figure_age(figure, now - 200 * second, now), "3 m");
	cr_expect_str_eq(figure_age(figure, now - 7200 * second, now), "2 h");
	cr_expect_str_eq(figure_age(figure, now - 5 * 86400 * second, now), "5 d");
	cr_expect_str_eq(figure_age(figure, now + second, now), "now");
	cr_expect_str_eq(figure_time(figure, now), "2026-11-21 12:02:05");
	cr_expect_str_eq(figure_time(figure, UINT64_MAX), "2554-07-21 23:34:33");
}

TestSuite(table, .init = begin, .fini = end);

static struct table table;

static void fill_table(void)
{
	table_init(&table);
	table.has_titles = true;
	table_column(&table, (struct table_column){ "name", .min_columns = 4 });
	table_column(&table, (struct table_column){ "never", .rank = 1 });
	table_column(&table, (struct table_column){ "count", .is_right = true, .rank = 2 });
	table_column(&table, (struct table_column){ "cost", .is_right = true, .rank = 1 });
	table_cell(&table, 0, STYLE_PLAIN, "", bytes_of("a long name"));
	table_cell(&table, 2, STYLE_PLAIN, "", bytes_of("7"));
	table_cell(&table, 3, STYLE_PLAIN, "", bytes_of("$0.50"));
	table_note(&table, STYLE_PLAIN, "- ", bytes_of("a note wider than all the columns"));
	table_cell(&table, 0, STYLE_PLAIN, "> ", bytes_of("b"));
}

static const char *print(size_t width)
{
	struct terminal terminal = { .width = width, .has_unicode = true };
	cr_assert_eq(table_print(&table, &terminal, &out), 0);
	return text_of(&out);
}

Test(table, columns_are_as_wide_as_what_stands_in_them)
{
	fill_table();
	cr_expect_str_eq(print(80),
		"name         count   cost\n"
		"a long name      7  $0.50\n"
		"- a note wider than all the columns\n"
		"> b\n");
	table_done(&table);
}

Test(table, too_wide_it_is_cut_and_then_loses_columns)
{
	fill_table();
	cr_expect_str_eq(print(20),
		"name    count   cost\n"
		"a lon…      7  $0.50\n"
		"- a note wider than…\n"
		"> b\n");
	cr_expect_str_eq(print(15),
		"name       cost\n"
		"a long …  $0.50\n"
		"- a note wider…\n"
		"> b\n");
	cr_expect_str_eq(print(8),
		"name\n"
		"a long …\n"
		"- a not…\n"
		"> b\n");
	cr_expect_str_eq(print(1), "n\na\n-\n>\n");
	table_done(&table);
}

Test(table, decimals_stand_with_their_points_below_one_another)
{
	static const char *const costs[] = { "$10.50", "≥$0.0635856", "free", "-$3", "" };
	table_init(&table);
	table.has_titles = true;
	table_column(&table, (struct table_column){ "name" });
	table_column(&table, (struct table_column){ "cost", .is_decimal = true });
	table_column(&table, (struct table_column){ "a wide title", .is_decimal = true });
	for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
		table_cell(&table, 0, STYLE_PLAIN, "", bytes_of("x"));
		table_cell(&table, 1, STYLE_PLAIN, "", bytes_of(costs[i]));
		table_cell(&table, 2, STYLE_PLAIN, "", bytes_of("1.5"));
	}
	cr_expect_str_eq(print(80),
		"name          cost  a wide title\n"
		"x      $10.50                1.5\n"
		"x      ≥$0.0635856           1.5\n"
		"x     free                   1.5\n"
		"x      -$3                   1.5\n"
		"x                            1.5\n");
	table_done(&table);
}

Test(table, an_empty_one_prints_nothing)
{
	table_init(&table);
	cr_expect_str_eq(print(80), "");
	table_done(&table);
}
