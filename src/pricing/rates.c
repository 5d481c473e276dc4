#include "pricing/rates.h"

#include <errno.h>
#include <string.h>

/* 100 USD a token: keeps sums in 128 bits. */
static const fusd price_limit = (fusd)100 * 1000000000000000;

static const struct {
	const char *name;
	enum token_class falls_back_to; /* itself: nowhere */
} classes[TOKEN_CLASS_COUNT] = {
	[TOKENS_INPUT] = { "input", TOKENS_INPUT },
	[TOKENS_CACHE_READ] = { "cache_read", TOKENS_INPUT },
	[TOKENS_CACHE_WRITE_5M] = { "cache_write_5m", TOKENS_INPUT },
	[TOKENS_CACHE_WRITE_1H] = { "cache_write_1h", TOKENS_CACHE_WRITE_5M },
	[TOKENS_OUTPUT] = { "output", TOKENS_OUTPUT },
	[TOKENS_REASONING] = { "reasoning", TOKENS_OUTPUT },
	[TOKENS_AUDIO_INPUT] = { "audio_input", TOKENS_INPUT },
	[TOKENS_AUDIO_OUTPUT] = { "audio_output", TOKENS_OUTPUT },
	[TOKENS_CACHED_AUDIO_INPUT] = { "cached_audio_input", TOKENS_CACHE_READ },
	[TOKENS_IMAGE_INPUT] = { "image_input", TOKENS_INPUT },
	[TOKENS_IMAGE_OUTPUT] = { "image_output", TOKENS_OUTPUT },
};

const char *token_class_name(enum token_class class)
{
	return classes[class].name;
}

/* TOKEN_CLASS_COUNT for a name of none. */
static size_t class_of(const char *name)
{
	size_t class = 0;
	while (class < TOKEN_CLASS_COUNT && strcmp(classes[class].name, name) != 0)
		class ++;
	return class;
}

int rates_read_amount(const json_t *value, const struct place *place, fusd *ret_amount)
{
	int error = check_type(value, A_STRING, place);
	if (error < 0)
		return error;
	if (fusd_parse(json_string_value(value), ret_amount) < 0 || *ret_amount >= price_limit)
		return refuse_at(place, "'%.40s' is no decimal below 100 with at most 15 decimals",
			json_string_value(value));
	return 0;
}

/* Only what is written: a class that is not named has NO_PRICE. */
static int read_price_set(
	const json_t *object, const struct place *place, struct price_set *ret_set)
{
	struct price_set set;
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++)
		set.fusd[class] = NO_PRICE;
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)object, name, value) {
		size_t class = class_of(name);
		if (class == TOKEN_CLASS_COUNT)
			return refuse_at(place, "unknown key '%.60s'", name);
		struct place at = place_key(place, name);
		fusd amount;
		int error = rates_read_amount(value, &at, &amount);
		if (error < 0)
			return error;
		set.fusd[class] = (int64_t)amount;
	}
	*ret_set = set;
	return 0;
}

/* What a set does not name it takes from the standard set, and then from the class's parent. */
static struct price_set complete(const struct price_set *written, const struct price_set *standard)
{
	struct price_set merged, set;
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++)
		merged.fusd[class] = written->fusd[class] != NO_PRICE ? written->fusd[class] :
									standard->fusd[class];
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		size_t from = class;
		while (merged.fusd[from] == NO_PRICE && classes[from].falls_back_to != from)
			from = classes[from].falls_back_to;
		set.fusd[class] = merged.fusd[from];
	}
	return set;
}

static int read_complete_set(const json_t *object, const char *key,
	const struct price_set *standard, const struct place *within, struct price_set *ret_set)
{
	struct place place = place_key(within, key);
	struct price_set written;
	int error = read_price_set(json_object_get(object, key), &place, &written);
	if (error == 0)
		*ret_set = complete(&written, standard);
	return error;
}

static int read_context_tier(const json_t *object, const struct price_set *standard,
	const struct place *place, struct context_tier *ret_tier)
{
	static const struct member members[] = {
		{ "threshold", AN_INTEGER, true },
		{ "compare", A_STRING, true },
		{ "counts", A_STRING, true },
		{ "applies_to", A_STRING, true },
		{ "prices", AN_OBJECT, true },
		{ 0 },
	};
	int error = check_type(object, AN_OBJECT, place);
	if (error == 0)
		error = check_members(object, members, place);
	if (error == 0)
		error = check_word(object, "compare", (const char *[]){ "gt", "ge", NULL }, place);
	if (error == 0)
		error = check_word(object, "counts",
			(const char *[]){ "all_input_including_cache", NULL }, place);
	if (error == 0)
		error = check_word(
			object, "applies_to", (const char *[]){ "whole_request", NULL }, place);
	if (error == 0)
		error = read_complete_set(object, "prices", standard, place, &ret_tier->prices);
	if (error < 0)
		return error;
	json_int_t threshold = json_integer_value(json_object_get(object, "threshold"));
	if (threshold <= 0)
		return refuse_at(place, "threshold must be above 0");
	ret_tier->threshold_tokens = (uint64_t)threshold;
	ret_tier->is_inclusive =
		strcmp(json_string_value(json_object_get(object, "compare")), "ge") == 0;
	return 0;
}

/* The members "prices" and "context_tiers" of `object`, a period or a service tier. */
static int read_rates(struct prices *prices, const json_t *object, const struct price_set *standard,
	const struct place *place, struct rates **ret_rates)
{
	const json_t *tiers = json_object_get(object, "context_tiers"), *tier;
	struct rates *rates = table_take(prices, 1, sizeof *rates);
	struct context_tier *read = table_take(prices, json_array_size(tiers), sizeof *read);
	if (!rates || !read)
		return -ENOMEM;
	int error = read_complete_set(object, "prices", standard, place, &rates->prices);
	if (error < 0)
		return error;
	struct place all = place_key(place, "context_tiers");
	size_t i;
	json_array_foreach(tiers, i, tier) {
		struct place at = place_item(&all, i);
		error = read_context_tier(tier, standard, &at, &read[i]);
		if (error < 0)
			return error;
		if (i > 0 && read[i].threshold_tokens <= read[i - 1].threshold_tokens)
			return refuse_at(&at, "threshold must be above the one before");
	}
	rates->tiers = read;
	rates->tier_count = json_array_size(tiers);
	*ret_rates = rates;
	return 0;
}

static int read_services(struct prices *prices, const json_t *object,
	const struct price_set *standard, const struct place *within, struct period *period)
{
	static const struct member services[] = {
		{ "batch", AN_OBJECT },
		{ "flex", AN_OBJECT },
		{ "priority", AN_OBJECT },
		{ "fast", AN_OBJECT },
		{ 0 },
	};
	static const struct member members[] = {
		{ "prices", AN_OBJECT, true },
		{ "context_tiers", AN_ARRAY },
		{ 0 },
	};
	struct place place = place_key(within, "service_tiers");
	int error = check_members(object, services, &place);
	for (size_t i = 0; error == 0 && services[i].name; i++) {
		const json_t *service = json_object_get(object, services[i].name);
		if (!service)
			continue;
		struct place at = place_key(&place, services[i].name);
		error = check_members(service, members, &at);
		if (error == 0)
			error = read_rates(prices, service, standard, &at,
				&period->services[SERVICE_BATCH + i]);
	}
	return error;
}

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

static int read_schedule(struct prices *prices, const json_t *object,
	const struct price_set *standard, const struct place *place, struct schedule *schedule)
{
	static const struct member members[] = {
		{ "name", A_STRING, true },
		{ "days", A_STRING, true },
		{ "windows_utc", AN_ARRAY, true },
		{ "exclude", A_STRING },
		{ "prices", AN_OBJECT, true },
		{ 0 },
	};
	int error = check_type(object, AN_OBJECT, place);
	if (error == 0)
		error = check_members(object, members, place);
	if (error == 0)
		error = read_windows(
			prices, json_object_get(object, "windows_utc"), place, schedule);
	if (error == 0)
		error = read_complete_set(object, "prices", standard, place, &schedule->prices);
	if (error < 0)
		return error;
	const char *days = json_string_value(json_object_get(object, "days"));
	if (weekdays_parse(days, &schedule->weekdays) < 0)
		return refuse_at(place, "days '%.40s' are not like mon-fri", days);
	schedule->has_exceptions = json_object_get(object, "exclude");
	return 0;
}

static int read_schedules(struct prices *prices, const json_t *object,
	const struct price_set *standard, const struct place *place, struct period *period)
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

/*
 *   before  the period before, NULL for the first
 */
static int read_from(const json_t *from, const struct period *before, const struct place *within,
	struct period *period)
{
	struct place place = place_key(within, "from");
	if (json_is_null(from) != !before)
		return refuse_at(
			&place, "must be null in the first period and a date in all others");
	if (!before)
		return 0;
	if (date_parse(json_string_value(from), &period->from_ns) < 0)
		return refuse_at(
			&place, "'%.40s' is no date like 2026-11-20", json_string_value(from));
	if (period->from_ns <= before->from_ns)
		return refuse_at(&place, "must be later than in the period before");
	return 0;
}

static int read_period(struct prices *prices, const json_t *object, const struct period *before,
	const struct place *place, struct period *period)
{
	static const struct member members[] = {
		{ "from", A_STRING_OR_NULL, true },
		{ "prices", AN_OBJECT, true },
		{ "context_tiers", AN_ARRAY },
		{ "service_tiers", AN_OBJECT },
		{ "schedules", AN_ARRAY },
		{ 0 },
	};
	struct price_set standard;
	struct place at = place_key(place, "prices");
	int error = check_type(object, AN_OBJECT, place);
	if (error == 0)
		error = check_members(object, members, place);
	if (error == 0)
		error = read_from(json_object_get(object, "from"), before, place, period);
	if (error == 0)
		error = read_price_set(json_object_get(object, "prices"), &at, &standard);
	if (error == 0 && standard.fusd[TOKENS_INPUT] == NO_PRICE)
		error = refuse_at(&at, "'input' is missing");
	if (error == 0)
		error = read_rates(
			prices, object, &standard, place, &period->services[SERVICE_STANDARD]);
	if (error == 0)
		error = read_services(
			prices, json_object_get(object, "service_tiers"), &standard, place, period);
	if (error == 0)
		error = read_schedules(prices, object, &standard, place, period);
	return error;
}

/* OpenAI says "fast" for what it called "priority"; elsewhere these are two things. */
static void join_fast_and_priority(struct period *period)
{
	struct rates **fast = &period->services[SERVICE_FAST];
	struct rates **priority = &period->services[SERVICE_PRIORITY];
	if (!*fast)
		*fast = *priority;
	if (!*priority)
		*priority = *fast;
}

int rates_read_periods(struct prices *prices, const json_t *array, const struct place *within,
	struct record *record)
{
	struct place all = place_key(within, "periods");
	size_t count = json_array_size(array), i;
	const json_t *period;
	if (count == 0)
		return refuse_at(&all, "must not be empty");
	record->periods = table_take(prices, count, sizeof *record->periods);
	if (!record->periods)
		return -ENOMEM;
	json_array_foreach(array, i, period) {
		struct place at = place_item(&all, i);
		struct period *before = i > 0 ? &record->periods[i - 1] : NULL;
		int error = read_period(prices, period, before, &at, &record->periods[i]);
		if (error < 0)
			return error;
		if (strcmp(record->provider, "openai") == 0)
			join_fast_and_priority(&record->periods[i]);
	}
	record->period_count = count;
	return 0;
}
