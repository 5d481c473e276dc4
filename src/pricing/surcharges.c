#include "pricing/surcharges.h"

#include <errno.h>
#include <strings.h>

#include "pricing/rates.h"

static const fusd one = (fusd)1000000000000000;

static const struct {
	const char *name;
	enum unit unit;
} fees[] = {
	{ "web_search_request", UNITS_WEB_SEARCHES },
	{ "web_search_call", UNITS_WEB_SEARCHES },
	{ "google_search_query", UNITS_WEB_SEARCHES },
	{ "file_search_call", UNITS_FILE_SEARCHES },
	{ "google_search_grounded_prompt", UNITS_GROUNDED_PROMPTS },
};
enum { FEE_COUNT = sizeof fees / sizeof *fees };

static const char *const units[UNIT_COUNT] = {
	[UNITS_WEB_SEARCHES] = "web_search",
	[UNITS_FILE_SEARCHES] = "file_search",
	[UNITS_GROUNDED_PROMPTS] = "grounded_prompt",
};

const char *unit_name(enum unit unit)
{
	return units[unit];
}

/* UNIT_COUNT: no such fee. */
static enum unit unit_of_fee(const char *name)
{
	for (size_t i = 0; i < FEE_COUNT; i++)
		if (strcmp(fees[i].name, name) == 0)
			return fees[i].unit;
	return UNIT_COUNT;
}

enum unit unit_named(const char *name)
{
	for (enum unit unit = 0; unit < UNIT_COUNT; unit++)
		if (strcmp(units[unit], name) == 0)
			return unit;
	return unit_of_fee(name);
}

static int read_fees(struct prices *prices, const json_t *object, const struct place *within,
	struct record *record)
{
	struct place place = place_key(within, "per_unit_fees");
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)object, name, value) {
		struct place at = place_key(&place, name);
		enum unit unit = unit_of_fee(name);
		fusd amount;
		if (unit == UNIT_COUNT)
			return refuse_key(&place, name);
		struct fee *fee = &record->fees[unit];
		int error = rates_read_amount(value, &at, &amount);
		if (error < 0)
			return error;
		if (fee->name)
			return refuse_at(&at, "is paid for the same as '%s'", fee->name);
		fee->name = arena_copy(&prices->arena, name, strlen(name) + 1);
		fee->fusd = (int64_t)amount;
		if (!fee->name)
			return -ENOMEM;
	}
	return 0;
}

/* With both operands below 1e17, no product here is near the end of 128 bits. */
static int check_exact(const struct price_set *set, void *factor)
{
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		if (set->fusd[class] == NO_PRICE)
			continue;
		fusd product = set->fusd[class] * *(const fusd *)factor;
		if (product % one != 0 || product / one >= RATES_LIMIT)
			return -ERANGE;
	}
	return 0;
}

static int read_multiplier(struct prices *prices, const char *region, const json_t *value,
	const struct place *place, struct record *record)
{
	struct multiplier *multiplier = &record->multipliers[record->multiplier_count];
	int error = rates_read_amount(value, place, &multiplier->factor);
	if (error < 0)
		return error;
	if (!strchr(region, '='))
		return refuse_at(place, "is no region like inference_geo=us");
	if (rates_each(record, check_exact, &multiplier->factor) < 0)
		return refuse_at(place, "times a price of the record has more than 15 decimals");
	multiplier->region = arena_copy(&prices->arena, region, strlen(region) + 1);
	record->multiplier_count++;
	return multiplier->region ? 0 : -ENOMEM;
}

int surcharges_read(struct prices *prices, const json_t *object, const struct place *place,
	struct record *record)
{
	const json_t *multipliers = json_object_get(object, "region_multipliers");
	struct place all = place_key(place, "region_multipliers");
	int error = read_fees(prices, json_object_get(object, "per_unit_fees"), place, record);
	record->multipliers =
		table_take(prices, json_object_size(multipliers), sizeof *record->multipliers);
	if (error == 0 && !record->multipliers)
		error = -ENOMEM;
	const char *region;
	json_t *value;
	json_object_foreach((json_t *)multipliers, region, value) {
		struct place at = place_key(&all, region);
		if (error == 0)
			error = read_multiplier(prices, region, value, &at, record);
	}
	return error;
}

const struct multiplier *multiplier_of(const struct record *record, struct bytes region)
{
	for (size_t i = 0; region.len && i < record->multiplier_count; i++) {
		const struct multiplier *multiplier = &record->multipliers[i];
		if (strlen(multiplier->region) == region.len &&
			strncasecmp(multiplier->region, (const char *)region.at, region.len) == 0)
			return multiplier;
	}
	return NULL;
}

fusd multiplied(const struct multiplier *multiplier, int64_t price)
{
	return multiplier ? price * multiplier->factor / one : price;
}

uint64_t units_charged(const struct record *record, const struct usage *usage, enum unit unit)
{
	if (!record->fees[unit].name)
		return 0;
	if (unit == UNITS_GROUNDED_PROMPTS && !usage->units[unit])
		return usage->units[UNITS_WEB_SEARCHES] > 0;
	return usage->units[unit];
}

bool has_uncharged_units(const struct record *record, const struct usage *usage)
{
	for (enum unit unit = 0; unit < UNIT_COUNT; unit++)
		if (usage->units[unit] && !record->fees[unit].name &&
			!(unit == UNITS_WEB_SEARCHES && record->fees[UNITS_GROUNDED_PROMPTS].name))
			return true;
	return false;
}
