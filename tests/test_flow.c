#include "http/flow.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

TestSuite(flow, .timeout = 60);

static void count(void *times)
{
	++*(int *)times;
}

static void expect_read(struct flow *flow, const char *text)
{
	char got[64];
	ssize_t len = flow_read(flow, got, sizeof got);
	cr_assert_eq(len, (ssize_t)strlen(text), "%zd", len);
	cr_expect_arr_eq(got, text, strlen(text));
}

Test(flow, what_is_written_is_read_in_order_and_then_the_end)
{
	struct flow *flow = flow_new(100, NULL);
	char none;
	cr_expect_eq(flow_read(flow, &none, 1), FLOW_NOTHING_YET);
	cr_expect_eq(flow_write(flow, "one ", 4), 4);
	cr_expect_eq(flow_write(flow, "two", 3), 3);
	expect_read(flow, "one two");
	cr_expect_eq(flow_write(flow, "last", 4), 4);
	flow_end(flow);
	expect_read(flow, "last");
	cr_expect_eq(flow_read(flow, &none, 1), FLOW_ENDED);
	flow_release(flow);
}

Test(flow, no_more_is_in_it_than_its_capacity)
{
	struct flow *flow = flow_new(10, NULL);
	cr_expect_eq(flow_write(flow, "0123456789ab", 12), 10);
	cr_expect_eq(flow_write(flow, "ab", 2), 0);
	expect_read(flow, "0123456789");
	cr_expect_eq(flow_write(flow, "ab", 2), 2);
	expect_read(flow, "ab");
	flow_release(flow);
}

Test(flow, pieces_of_any_size_come_out_as_they_went_in)
{
	enum { TOTAL = 1 << 20 };
	struct flow *flow = flow_new(70000, NULL);
	static unsigned char piece[50000];
	size_t in = 0, out = 0, step = 1;
	while (out < TOTAL) {
		step = step * 31 % 49999 + 1;
		size_t len = TOTAL - in < step ? TOTAL - in : step;
		for (size_t i = 0; i < len; i++)
			piece[i] = (unsigned char)((in + i) % 251);
		in += (size_t)flow_write(flow, piece, len);
		ssize_t got = flow_read(flow, piece, step / 2 + 1);
		for (ssize_t i = 0; i < got; i++)
			cr_assert_eq(piece[i], (out + (size_t)i) % 251);
		out += got > 0 ? (size_t)got : 0;
	}
	flow_release(flow);
}

Test(flow, a_reader_that_found_it_empty_is_told_once)
{
	struct flow *flow = flow_new(100, NULL);
	int told = 0;
	flow_watch(flow, FLOW_READER, count, &told);
	flow_write(flow, "a", 1);
	flow_write(flow, "b", 1);
	cr_expect_eq(told, 1);
	expect_read(flow, "ab");
	flow_write(flow, "c", 1);
	cr_expect_eq(told, 1, "it has not looked in vain");
	expect_read(flow, "c");
	char none;
	cr_expect_eq(flow_read(flow, &none, 1), FLOW_NOTHING_YET);
	flow_end(flow);
	cr_expect_eq(told, 2);
	flow_release(flow);
}

Test(flow, a_writer_that_found_it_full_is_told_when_half_is_free)
{
	struct flow *flow = flow_new(10, NULL);
	int told = 0;
	char got[10];
	flow_watch(flow, FLOW_WRITER, count, &told);
	flow_write(flow, "0123456789", 10);
	flow_read(flow, got, 10);
	cr_expect_eq(told, 0, "it was never short");
	flow_write(flow, "0123456789a", 11);
	cr_expect_eq(flow_write(flow, NULL, 0), 0, "which only asks whether it is broken");
	flow_read(flow, got, 4);
	cr_expect_eq(told, 0);
	flow_read(flow, got, 1);
	cr_expect_eq(told, 1);
	flow_read(flow, got, 5);
	cr_expect_eq(told, 1);
	flow_release(flow);
}

Test(flow, a_break_is_known_to_both_sides_and_leaves_nothing)
{
	struct budget budget = { .limit_bytes = 1 << 20 };
	struct flow *flow = flow_new(100, &budget);
	int writer = 0, reader = 0;
	flow_watch(flow, FLOW_WRITER, count, &writer);
	flow_watch(flow, FLOW_READER, count, &reader);
	flow_write(flow, "lost", 4);
	flow_end(flow);
	reader = 0;
	flow_break(flow);
	flow_break(flow);
	cr_expect_eq(writer, 1);
	cr_expect_eq(reader, 1);
	cr_expect_eq(budget.used_bytes, 0);
	char none;
	cr_expect_eq(flow_read(flow, &none, 1), FLOW_BROKEN);
	flow_release(flow);

	flow = flow_new(100, NULL);
	flow_break(flow);
	cr_expect_eq(flow_write(flow, "x", 1), -EPIPE);
	flow_release(flow);
}

Test(flow, what_was_read_to_its_end_does_not_break_any_more)
{
	struct flow *flow = flow_new(100, NULL);
	int told = 0;
	flow_write(flow, "whole", 5);
	flow_end(flow);
	expect_read(flow, "whole");
	flow_watch(flow, FLOW_WRITER, count, &told);
	flow_break(flow);
	cr_expect_eq(told, 0);
	char none;
	cr_expect_eq(flow_read(flow, &none, 1), FLOW_ENDED);
	flow_release(flow);
}

Test(flow, the_last_holder_takes_what_is_in_it_along)
{
	struct budget budget = { .limit_bytes = 1 << 20 };
	struct flow *flow = flow_hold(flow_new(100, &budget));
	flow_write(flow, "kept", 4);
	flow_release(flow);
	cr_expect_gt(budget.used_bytes, 0);
	expect_read(flow, "kept");
	cr_expect_eq(budget.used_bytes, 0, "an empty one holds no memory");
	flow_write(flow, "more", 4);
	flow_release(flow);
	cr_expect_eq(budget.used_bytes, 0);
	flow_release(NULL);
}

Test(flow, without_budget_a_write_is_short_and_into_an_empty_one_refused)
{
	struct budget budget = { .limit_bytes = 20 << 10 };
	struct flow *flow = flow_new(100 << 10, &budget), *other = flow_new(100, &budget);
	static char bytes[30 << 10];
	int told = 0;
	flow_watch(flow, FLOW_WRITER, count, &told);
	ssize_t taken = flow_write(flow, bytes, sizeof bytes);
	cr_expect(taken > 0 && (size_t)taken < sizeof bytes, "%zd", taken);
	cr_expect_eq(flow_write(flow, bytes, 1), 0);
	cr_expect_eq(flow_write(other, bytes, 1), -ENOMEM);
	cr_expect_eq(flow_read(flow, bytes, sizeof bytes), taken);
	cr_expect_eq(told, 1);
	cr_expect_eq(flow_write(other, bytes, 1), 1);
	flow_release(flow);
	flow_release(other);
	cr_expect_eq(budget.used_bytes, 0);
}
