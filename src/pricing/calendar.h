/* Days and times of day in UTC, as price tables write them. */
#ifndef TG_PRICING_CALENDAR_H
#define TG_PRICING_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define DAY_NS (24 * 3600 * UINT64_C(1000000000))

/* Part of a day, in minutes since midnight: from <= now < to. */
struct window {
	uint16_t from_minute;
	uint16_t to_minute;
};

/* "2026-11-20": the start of that day. -EINVAL for what is no date from 1970 to 2499. */
int date_parse(const char *text, uint64_t *ret_start_ns);

/* "mon-fri" or "sun": one bit per day, Monday is bit 0. -EINVAL for anything else, also "fri-mon". */
int weekdays_parse(const char *text, uint8_t *ret_weekdays);

/* "01:00-04:00", "22:30-24:00". -EINVAL for anything else, also when it ends before it starts. */
int window_parse(const char *text, struct window *ret_window);

bool weekdays_hold(uint8_t weekdays, uint64_t at_ns);
bool window_holds(struct window window, uint64_t at_ns);

#endif
