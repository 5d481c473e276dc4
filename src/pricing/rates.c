#include "pricing/rates.h"

#include <errno.h>
#include <string.h>

#include "pricing/hours.h"

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
	if (fusd_parse(json_string_value(value), ret_amount) < 0 || *ret_amount >= RATES_LIMIT)
		return refuse_at(place, "'%.40s' is no decimal below 100 with at most 15 decimals",
			json_string_value(value));
	return 0;
}

/* As provider's pages write it: "3" is 0.000003 for a token. */
static int read_amount_per_million(const json_t *value, const struct place *place, fusd *ret_amount)
{
	const fusd million = 1000000;
	fusd amount;
	int error = check_type(value, A_STRING, place);
	if (error < 0)
		return error;
	if (fusd_parse(json_string_value(value), &amount) < 0 || amount % million != 0 ||
		amount / million >= RATES_LIMIT)
		return refuse_at(place,
			"'%.40s' is no decimal below 100000000 with at most 9 decimals",
			json_string_value(value));
	*ret_amount = amount / million;
	return 0;
}

static const char per_token[] = PER_TOKEN, per_million[] = PER_MILLION;

/*
 * The prices that stand in `object`, by the token or by the million. Only what is written: a class that is
 * not named has NO_PRICE.
 */
static int read_prices(const json_t *object, const struct place *within, struct price_set *ret_set)
{
	const json_t *prices = json_object_get(object, per_token);
	const json_t *by_million = json_object_get(object, per_million);
	if (!prices == !by_million)
		return refuse_at(within, "needs either '%s' or '%s'", per_token, per_million);
	struct place place = place_key(within, prices ? per_token : per_million);
	struct price_set set = { 0 };
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++)
		set.fusd[class] = NO_PRICE;
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(prices ? prices : by_million), name, value) {
		struct place at = place_key(&place, name);
		size_t class = class_of(name);
		if (class == TOKEN_CLASS_COUNT)
			return refuse_key(&place, name);
		fusd amount;
		int error = prices ? rates_read_amount(value, &at, &amount) :
				     read_amount_per_million(value, &at, &amount);
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
	struct price_set merged = *written, set;
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		merged.is_standard[class] = written->fusd[class] == NO_PRICE;
		if (merged.is_standard[class])
			merged.fusd[class] = standard->fusd[class];
	}
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		size_t from = class;
		while (merged.fusd[from] == NO_PRICE && classes[from].falls_back_to != from)
			from = classes[from].falls_back_to;
		set.fusd[class] = merged.fusd[from];
		set.from[class] = (uint8_t)from;
		set.is_standard[class] = merged.is_standard[from];
	}
	return set;
}

int rates_read_set(const json_t *object, const struct price_set *standard,
	const struct place *place, struct price_set *ret_set)
{
	struct price_set written;
	int error = read_prices(object, place, &written);
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
		{ per_token, AN_OBJECT },
		{ per_million, AN_OBJECT },
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
		error = rates_read_set(object, standard, place, &ret_tier->prices);
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
	int error = rates_read_set(object, standard, place, &rates->prices);
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
		{ per_token, AN_OBJECT },
		{ per_million, AN_OBJECT },
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

/*
 *   before  the period before, NULL for the first
 */
static int read_from(struct prices *prices, const json_t *from, const struct period *before,
	const struct place *within, struct period *period)
{
	struct place place = place_key(within, "from");
	if (json_is_null(from) != !before)
		return refuse_at(
			&place, "must be null in the first period and a date in all others");
	if (!before)
		return 0;
	int error = read_date(json_string_value(from), &place, &period->from_ns);
	if (error < 0)
		return error;
	if (period->from_ns <= before->from_ns)
		return refuse_at(&place, "must be later than in the period before");
	period->from = table_text(prices, from);
	return period->from ? 0 : -ENOMEM;
}

/* All of a period but the day from which it holds. */
static int read_terms(struct prices *prices, const json_t *object, const struct place *place,
	struct period *period)
{
	struct price_set standard;
	int error = read_prices(object, place, &standard);
	if (error == 0 && standard.fusd[TOKENS_INPUT] == NO_PRICE) {
		struct place at = place_key(
			place, json_object_get(object, per_token) ? per_token : per_million);
		error = refuse_at(&at, "'input' is missing");
	}
	if (error == 0)
		error = read_rates(
			prices, object, &standard, place, &period->services[SERVICE_STANDARD]);
	if (error == 0)
		error = read_services(
			prices, json_object_get(object, "service_tiers"), &standard, place, period);
	if (error == 0)
		error = hours_read(prices, object, &standard, place, period);
	return error;
}

static int read_period(struct prices *prices, const json_t *object, const struct period *before,
	const struct place *place, struct period *period)
{
	static const struct member members[] = {
		{ "from", A_STRING_OR_NULL, true },
		{ per_token, AN_OBJECT },
		{ per_million, AN_OBJECT },
		{ "context_tiers", AN_ARRAY },
		{ "service_tiers", AN_OBJECT },
		{ "schedules", AN_ARRAY },
		{ 0 },
	};
	int error = check_type(object, AN_OBJECT, place);
	if (error == 0)
		error = check_members(object, members, place);
	if (error == 0)
		error = read_from(prices, json_object_get(object, "from"), before, place, period);
	if (error == 0)
		error = read_terms(prices, object, place, period);
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

static int read_periods(struct prices *prices, const json_t *array, const struct place *within,
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
	}
	record->period_count = count;
	return 0;
}

static int read_only_period(struct prices *prices, const json_t *object, const struct place *place,
	struct record *record)
{
	record->periods = table_take(prices, 1, sizeof *record->periods);
	record->period_count = 1;
	return record->periods ? read_terms(prices, object, place, record->periods) : -ENOMEM;
}

int rates_read(struct prices *prices, const json_t *object, const struct place *place,
	struct record *record)
{
	const json_t *periods = json_object_get(object, "periods");
	bool has_prices =
		json_object_get(object, per_token) || json_object_get(object, per_million);
	if (!periods == !has_prices)
		return refuse_at(
			place, "needs either 'periods', '%s' or '%s'", per_token, per_million);
	for (const char *const *terms = (const char *const[]){ "service_tiers", "context_tiers",
		     "schedules", NULL };
		periods && *terms; terms++)
		if (json_object_get(object, *terms))
			return refuse_at(place, "'%s' must stand in one of the periods", *terms);
	int error = periods ? read_periods(prices, periods, place, record) :
			      read_only_period(prices, object, place, record);
	for (size_t i = 0; error == 0 && i < record->period_count; i++)
		if (strcmp(record->provider, "openai") == 0)
			join_fast_and_priority(&record->periods[i]);
	return error;
}

static int each_of_rates(
	const struct rates *rates, int (*look)(const struct price_set *set, void *arg), void *arg)
{
	int error = rates ? look(&rates->prices, arg) : 0;
	for (size_t i = 0; rates && error == 0 && i < rates->tier_count; i++)
		error = look(&rates->tiers[i].prices, arg);
	return error;
}

int rates_each(
	const struct record *record, int (*look)(const struct price_set *set, void *arg), void *arg)
{
	int error = 0;
	for (size_t p = 0; p < record->period_count; p++) {
		const struct period *period = &record->periods[p];
		for (size_t i = 0; error == 0 && i < SERVICE_COUNT; i++)
			error = each_of_rates(period->services[i], look, arg);
		for (size_t i = 0; error == 0 && i < period->schedule_count; i++)
			error = look(&period->schedules[i].prices, arg);
	}
	return error;
}
