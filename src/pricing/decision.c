#include "pricing/decision.h"

#include <strings.h>

#include "pricing/surcharges.h"

const struct period *period_at(const struct record *record, uint64_t at_ns)
{
	size_t last = record->period_count - 1;
	while (last > 0 && record->periods[last].from_ns > at_ns)
		last--;
	return &record->periods[last];
}

/* The names of one service stand together; the first is the one that is shown. */
static const struct {
	struct bytes name;
	enum service service;
} tiers[] = {
	{ BYTES("standard"), SERVICE_STANDARD },
	{ BYTES("default"), SERVICE_STANDARD },
	{ BYTES("auto"), SERVICE_STANDARD },
	{ BYTES("on_demand"), SERVICE_STANDARD },
	{ BYTES("batch"), SERVICE_BATCH },
	{ BYTES("flex"), SERVICE_FLEX },
	{ BYTES("priority"), SERVICE_PRIORITY },
	{ BYTES("fast"), SERVICE_FAST },
};
enum { TIER_COUNT = sizeof tiers / sizeof *tiers };

enum service service_named(struct bytes tier)
{
	if (tier.len == 0)
		return SERVICE_STANDARD;
	for (size_t i = 0; i < TIER_COUNT; i++)
		if (tier.len == tiers[i].name.len &&
			strncasecmp((const char *)tier.at, (const char *)tiers[i].name.at,
				tier.len) == 0)
			return tiers[i].service;
	return SERVICE_COUNT;
}

const char *service_name(enum service service)
{
	size_t i = 0;
	while (tiers[i].service != service)
		i++;
	return (const char *)tiers[i].name.at;
}

/* What came back never makes a context longer. */
uint64_t input_tokens(const struct usage *usage)
{
	static const enum token_class inputs[] = { TOKENS_INPUT, TOKENS_CACHE_READ,
		TOKENS_CACHE_WRITE_5M, TOKENS_CACHE_WRITE_1H, TOKENS_AUDIO_INPUT,
		TOKENS_CACHED_AUDIO_INPUT, TOKENS_IMAGE_INPUT };
	uint64_t sum = 0;
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		if (__builtin_add_overflow(sum, usage->tokens[inputs[i]], &sum))
			return UINT64_MAX;
	return sum;
}

static const struct context_tier *context_tier_of(
	const struct rates *rates, const struct usage *usage)
{
	const struct context_tier *found = NULL;
	uint64_t tokens = rates->tier_count ? input_tokens(usage) : 0;
	for (size_t i = 0; i < rates->tier_count; i++) {
		const struct context_tier *tier = &rates->tiers[i];
		if (tokens > tier->threshold_tokens ||
			(tier->is_inclusive && tokens == tier->threshold_tokens))
			found = tier;
	}
	return found;
}

enum price_status decide(
	const struct record *record, const struct price_question *question, struct decision *ret)
{
	struct decision *decision = ret;
	*decision = (struct decision){
		.record = record,
		.period = period_at(record, question->at_ns),
		.service = service_named(question->service_tier),
		.multiplier = multiplier_of(record, question->region),
	};
	const struct rates *rates = decision->service == SERVICE_COUNT ?
		NULL :
		decision->period->services[decision->service];
	if (!rates)
		return PRICE_UNKNOWN_TIER;
	decision->hours = hours_at(decision->period, question->at_ns, &decision->schedule);
	if (decision->hours == HOURS_UNCERTAIN)
		return PRICE_NOT_EVALUATED;
	decision->tier = context_tier_of(rates, question->usage);
	decision->prices = decision->tier ? &decision->tier->prices : &rates->prices;
	if (decision->hours == HOURS_HOLD)
		decision->prices = &decision->schedule->prices;
	return PRICE_FOUND;
}

fusd decided_price(const struct decision *decision, enum token_class class)
{
	return multiplied(decision->multiplier, decision->prices->fusd[class]);
}

/*
 * Cannot overflow: a price or fee, multiplied or not, is below 1e17 fUSD (rates.h), a count below 2e19, and
 * there are 14 products.
 */
enum price_status charge(
	const struct decision *decision, const struct usage *usage, struct cost *ret_cost)
{
	const struct record *record = decision->record;
	struct cost cost = { .model_id = record->id };
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		if (usage->tokens[class] == 0)
			continue;
		if (decision->prices->fusd[class] == NO_PRICE)
			return PRICE_MISSING_CLASS;
		cost.by_class[class] = decided_price(decision, class) * usage->tokens[class];
		cost.total += cost.by_class[class];
	}
	for (enum unit unit = 0; unit < UNIT_COUNT; unit++) {
		uint64_t count = units_charged(record, usage, unit);
		cost.by_unit[unit] = (fusd)record->fees[unit].fusd * count;
		cost.total += cost.by_unit[unit];
	}
	cost.hour_costs_more = decision->prices->fusd[TOKENS_CACHE_WRITE_1H] >
		decision->prices->fusd[TOKENS_CACHE_WRITE_5M];
	cost.is_lower_bound = has_uncharged_units(record, usage);
	*ret_cost = cost;
	return PRICE_FOUND;
}
