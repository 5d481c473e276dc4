#include "pricing/hours.h"

#include <errno.h>
#include <stdlib.h>

#include "pricing/rates.h"

static int read_windows(struct prices *prices, const json_t *array, const struct place *within,
	struct schedule *schedule)
{
	struct place all = place_key(within, "windows_utc");
	schedule->windows = table_take(prices, json_array_size(array), sizeof *schedule->windows);
	if (!schedule->windows)
		return -ENOMEM;
	size_t i;
	const json_t *window;
	json_array_foreach(array, i, window) {
		struct place at = place_item(&all, i);
		int error = check_type(window, A_STRING, &at);
		if (error < 0)
			return error;
		if (window_parse(json_string_value(window), &schedule->windows[i]) < 0)
			return refuse_at(&at, "'%.40s' is no time of day like 01:00-04:00",
				json_string_value(window));
	}
	schedule->window_count = json_array_size(array);
	return 0;
}

static int compare_days(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
	return (one > other) - (one < other);
}

/* The days that the words of "exclude" mean, as far as they are known. */
static int read_excluded(struct prices *prices, const json_t *object, const struct place *within,
	struct schedule *schedule)
{
	const json_t *days = json_object_get(object, "exclude_dates"), *day;
	const json_t *known_to = json_object_get(object, "exclude_known_to");
	struct place all = place_key(within, "exclude_dates");
	const json_t *words = json_object_get(object, "exclude");
	if (!days != !known_to || (days && !words))
		return refuse_at(within,
			"'exclude_dates' and 'exclude_known_to' stand beside 'exclude', or neither does");
	schedule->known_to_ns = words ? 0 : UINT64_MAX;
	schedule->excluded_days =
		table_take(prices, json_array_size(days), sizeof *schedule->excluded_days);
	if (!schedule->excluded_days || (words && !(schedule->exclude = table_text(prices, words))))
		return -ENOMEM;
	size_t i;
	json_array_foreach(days, i, day) {
		struct place at = place_item(&all, i);
		int error = check_type(day, A_STRING, &at);
		if (error == 0)
			error = read_date(json_string_value(day), &at, &schedule->excluded_days[i]);
		if (error < 0)
			return error;
	}
	schedule->excluded_count = json_array_size(days);
	qsort(schedule->excluded_days, schedule->excluded_count, sizeof *schedule->excluded_days,
		compare_days);
	if (!known_to)
		return 0;
	struct place at = place_key(within, "exclude_known_to");
	int error = read_date(json_string_value(known_to), &at, &schedule->known_to_ns);
	schedule->known_to_ns += DAY_NS; /* that day included */
	return error;
}

static int read_schedule(struct prices *prices, const json_t *object,
	const struct price_set *standard, const struct place *place, struct schedule *schedule)
{
	static const struct member members[] = {
		{ "name", A_STRING, true },
		{ "days", A_STRING, true },
		{ "windows_utc", AN_ARRAY, true },
		{ "exclude", A_STRING },
		{ "exclude_dates", AN_ARRAY },
		{ "exclude_known_to", A_STRING },
		{ PER_TOKEN, AN_OBJECT },
		{ PER_MILLION, AN_OBJECT },
		{ 0 },
	};
	int error = check_type(object, AN_OBJECT, place);
	if (error == 0)
		error = check_members(object, members, place);
	if (error == 0)
		error = read_windows(
			prices, json_object_get(object, "windows_utc"), place, schedule);
	if (error == 0)
		error = read_excluded(prices, object, place, schedule);
	if (error == 0)
		error = rates_read_set(object, standard, place, &schedule->prices);
	if (error < 0)
		return error;
	const char *days = json_string_value(json_object_get(object, "days"));
	if (weekdays_parse(days, &schedule->weekdays) < 0)
		return refuse_at(place, "days '%.40s' are not like mon-fri", days);
	schedule->name = table_text(prices, json_object_get(object, "name"));
	return schedule->name ? 0 : -ENOMEM;
}

int hours_read(struct prices *prices, const json_t *object, const struct price_set *standard,
	const struct place *place, struct period *period)
{
	const json_t *array = json_object_get(object, "schedules"), *schedule;
	if (!array)
		return 0;
	if (json_object_get(object, "context_tiers") || json_object_get(object, "service_tiers"))
		return refuse_at(
			place, "schedules and tiers in one period have no defined meaning");
	period->schedules = table_take(prices, json_array_size(array), sizeof *period->schedules);
	if (!period->schedules)
		return -ENOMEM;
	period->schedule_count = json_array_size(array);
	struct place all = place_key(place, "schedules");
	int error = 0;
	size_t i;
	json_array_foreach(array, i, schedule) {
		struct place at = place_item(&all, i);
		error = read_schedule(prices, schedule, standard, &at, &period->schedules[i]);
		if (error < 0)
			break;
	}
	return error;
}

static bool is_excluded(const struct schedule *schedule, uint64_t at_ns)
{
	uint64_t day_ns = at_ns - at_ns % DAY_NS;
	return bsearch(&day_ns, schedule->excluded_days, schedule->excluded_count,
		       sizeof *schedule->excluded_days, compare_days) != NULL;
}

static bool is_inside(const struct schedule *schedule, uint64_t at_ns)
{
	if (!weekdays_hold(schedule->weekdays, at_ns))
		return false;
	for (size_t i = 0; i < schedule->window_count; i++)
		if (window_holds(schedule->windows[i], at_ns))
			return true;
	return false;
}

enum hours hours_at(
	const struct period *period, uint64_t at_ns, const struct schedule **ret_schedule)
{
	for (size_t i = 0; i < period->schedule_count; i++) {
		const struct schedule *schedule = &period->schedules[i];
		if (!is_inside(schedule, at_ns))
			continue;
		*ret_schedule = schedule;
		if (at_ns >= schedule->known_to_ns)
			return HOURS_UNCERTAIN;
		return is_excluded(schedule, at_ns) ? HOURS_EXCLUDED : HOURS_HOLD;
	}
	*ret_schedule = NULL;
	return HOURS_OUTSIDE;
}
