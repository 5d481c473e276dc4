/* How long ago: what people write after --since. */
#include "base/duration.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t second = 1000000000, now = 1793534400ull * 1000000000 + 5;

static void begin(void)
{
	setenv("TZ", "UTC-2", 1); /* two hours east of Greenwich */
	tzset();
}

TestSuite(duration, .init = begin);

static uint64_t since(const char *text)
{
	struct complaint complaint = { 0 };
	uint64_t at = 1;
	cr_expect_eq(duration_since(text, now, &at, &complaint), 0, "%s: %s", text, complaint.text);
	return at;
}

Test(duration, counts_back_from_now)
{
	cr_expect_eq(since("90s"), now - 90 * second);
	cr_expect_eq(since("30m"), now - 30 * 60 * second);
	cr_expect_eq(since("24h"), now - 24 * 3600 * second);
	cr_expect_eq(since("7d"), now - 7 * 86400 * second);
	cr_expect_eq(since("0s"), now);
}

Test(duration, longer_ago_than_1970_is_everything)
{
	cr_expect_eq(since("99999999d"), 0);
	cr_expect_eq(since("99999999999999999999999999s"), 0);
	cr_expect_eq(since("1960-01-01"), 0);
}

Test(duration, a_date_is_its_midnight_here)
{
	cr_expect_eq(since("2026-11-01"), (1793491200 - 7200) * second);
	cr_expect_eq(since("2024-02-29"), (1709164800 - 7200) * second);
}

Test(duration, nothing_is_later_than_now)
{
	cr_expect_eq(since("9999-12-31"), now);
}

Test(duration, anything_else_is_refused_with_what_to_write)
{
	static const char *const wrong[] = { "", "7", "d", "7w", "7d ", " 7d", "-7d", "7.5d",
		"1d12h", "yesterday", "2026-11", "2026-11-31", "2025-02-29", "2026-13-01",
		"2026-11-01x", "2026-11-01T10:00" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct complaint complaint = { 0 };
		uint64_t at = 42;
		cr_expect_eq(
			duration_since(wrong[i], now, &at, &complaint), -EINVAL, "%s", wrong[i]);
		cr_expect_eq(at, 42);
		cr_expect(strstr(complaint.text, "is no time: write how long ago, as 7d"));
	}
}
