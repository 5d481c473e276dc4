#include "pricing/calendar.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static const uint64_t minute_ns = 60 * UINT64_C(1000000000);
enum { MINUTES_A_DAY = 24 * 60, THURSDAY = 3 }; /* the first day of Unix time was a Thursday */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "dd" as a number; -1 when there are no two digits. */
static int two_digits(const char *text)
{
	return is_digit(text[0]) && is_digit(text[1]) ? (text[0] - '0') * 10 + text[1] - '0' : -1;
}

int date_parse(const char *text, uint64_t *ret_start_ns)
{
	if (strlen(text) != strlen("2026-11-20") || text[4] != '-' || text[7] != '-')
		return -EINVAL;
	int century = two_digits(text), year = two_digits(text + 2);
	int month = two_digits(text + 5), day = two_digits(text + 8);
	if (century < 19 || century > 24 || year < 0 || (century == 19 && year < 70))
		return -EINVAL;
	struct tm tm = {
		.tm_year = century * 100 + year - 1900, .tm_mon = month - 1, .tm_mday = day
	};
	time_t start_s = timegm(&tm);
	if (tm.tm_mon != month - 1 || tm.tm_mday != day) /* 30 February became 2 March */
		return -EINVAL;
	*ret_start_ns = (uint64_t)start_s * UINT64_C(1000000000);
	return 0;
}

/* 0 for Monday; -1 when the text does not start with a day. */
static int weekday_of(const char *text)
{
	static const char names[][4] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	for (int day = 0; day < 7; day++)
		if (strncmp(text, names[day], 3) == 0)
			return day;
	return -1;
}

int weekdays_parse(const char *text, uint8_t *ret_weekdays)
{
	int first = weekday_of(text), last = first;
	if (first >= 0 && text[3] == '-')
		last = weekday_of(text + 4);
	if (first < 0 || last < first ||
		strlen(text) != (text[3] ? strlen("mon-fri") : strlen("mon")))
		return -EINVAL;
	*ret_weekdays = (uint8_t)((2u << last) - (1u << first));
	return 0;
}

/* "hh:mm" in minutes; -1 when it is no time of a day. */
static int minute_of(const char *text)
{
	int hour = two_digits(text);
	int minute = text[2] == ':' ? two_digits(text + 3) : -1;
	if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > MINUTES_A_DAY)
		return -1;
	return hour * 60 + minute;
}

int window_parse(const char *text, struct window *ret_window)
{
	if (strlen(text) != strlen("01:00-04:00") || text[5] != '-')
		return -EINVAL;
	int from = minute_of(text), to = minute_of(text + 6);
	if (from < 0 || to <= from)
		return -EINVAL;
	*ret_window = (struct window){ (uint16_t)from, (uint16_t)to };
	return 0;
}

bool weekdays_hold(uint8_t weekdays, uint64_t at_ns)
{
	uint64_t day = at_ns / DAY_NS;
	return weekdays >> (day + THURSDAY) % 7 & 1;
}

bool window_holds(struct window window, uint64_t at_ns)
{
	uint64_t minute = at_ns / minute_ns % MINUTES_A_DAY;
	return minute >= window.from_minute && minute < window.to_minute;
}
