#include "pricing/price.h"

#include <strings.h>

#include "pricing/match.h"
#include "pricing/table.h"

const char *price_status_name(enum price_status status)
{
	static const char *const names[] = {
		[PRICE_FOUND] = "ok",
		[PRICE_UNKNOWN_MODEL] = "unknown_model",
		[PRICE_UNKNOWN_TIER] = "unknown_tier",
		[PRICE_NOT_EVALUATED] = "not_evaluated",
		[PRICE_MISSING_CLASS] = "missing_class",
	};
	return names[status];
}

size_t prices_count(const struct prices *prices)
{
	return prices->record_count;
}

const char *prices_as_of(const struct prices *prices)
{
	return prices->as_of;
}

static const struct period *period_at(const struct record *record, uint64_t at_ns)
{
	size_t last = record->period_count - 1;
	while (last > 0 && record->periods[last].from_ns > at_ns)
		last--;
	return &record->periods[last];
}

/* SERVICE_COUNT for a tier that no table has. */
static enum service service_of(struct bytes tier)
{
	static const struct {
		struct bytes name;
		enum service service;
	} tiers[] = {
		{ BYTES("default"), SERVICE_STANDARD },
		{ BYTES("auto"), SERVICE_STANDARD },
		{ BYTES("standard"), SERVICE_STANDARD },
		{ BYTES("on_demand"), SERVICE_STANDARD },
		{ BYTES("batch"), SERVICE_BATCH },
		{ BYTES("flex"), SERVICE_FLEX },
		{ BYTES("priority"), SERVICE_PRIORITY },
		{ BYTES("fast"), SERVICE_FAST },
	};
	if (tier.len == 0)
		return SERVICE_STANDARD;
	for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++)
		if (tier.len == tiers[i].name.len &&
			strncasecmp((const char *)tier.at, (const char *)tiers[i].name.at,
				tier.len) == 0)
			return tiers[i].service;
	return SERVICE_COUNT;
}

/* All that was sent to the model; what came back never makes a context longer. */
static unsigned __int128 input_tokens(const struct usage *usage)
{
	static const enum token_class inputs[] = { TOKENS_INPUT, TOKENS_CACHE_READ,
		TOKENS_CACHE_WRITE_5M, TOKENS_CACHE_WRITE_1H, TOKENS_AUDIO_INPUT,
		TOKENS_CACHED_AUDIO_INPUT, TOKENS_IMAGE_INPUT };
	unsigned __int128 sum = 0;
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		sum += usage->tokens[inputs[i]];
	return sum;
}

static const struct price_set *prices_for_context(
	const struct rates *rates, const struct usage *usage)
{
	const struct price_set *prices = &rates->prices;
	if (rates->tier_count == 0)
		return prices;
	unsigned __int128 tokens = input_tokens(usage);
	for (size_t i = 0; i < rates->tier_count; i++) {
		const struct context_tier *tier = &rates->tiers[i];
		if (tokens > tier->threshold_tokens ||
			(tier->is_inclusive && tokens == tier->threshold_tokens))
			prices = &tier->prices;
	}
	return prices;
}

static const struct schedule *schedule_at(const struct period *period, uint64_t at_ns)
{
	for (size_t i = 0; i < period->schedule_count; i++) {
		const struct schedule *schedule = &period->schedules[i];
		if (!weekdays_hold(schedule->weekdays, at_ns))
			continue;
		for (size_t w = 0; w < schedule->window_count; w++)
			if (window_holds(schedule->windows[w], at_ns))
				return schedule;
	}
	return NULL;
}

static enum price_status choose_prices(const struct period *period,
	const struct price_question *question, const struct price_set **ret_prices)
{
	enum service service = service_of(question->service_tier);
	if (service == SERVICE_COUNT || !period->services[service])
		return PRICE_UNKNOWN_TIER;
	const struct schedule *schedule = schedule_at(period, question->at_ns);
	if (schedule && schedule->has_exceptions)
		return PRICE_NOT_EVALUATED;
	*ret_prices = prices_for_context(period->services[service], question->usage);
	if (schedule)
		*ret_prices = &schedule->prices;
	return PRICE_FOUND;
}

/* Cannot overflow: a price is below 1e17 fUSD (rates.c), a count below 2e19; there are 11 of them. */
static enum price_status charge(
	const struct price_set *prices, const struct usage *usage, struct cost *ret_cost)
{
	struct cost cost = { .total = 0 };
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		if (usage->tokens[class] == 0)
			continue;
		if (prices->fusd[class] == NO_PRICE)
			return PRICE_MISSING_CLASS;
		cost.by_class[class] = (fusd)prices->fusd[class] * usage->tokens[class];
		cost.total += cost.by_class[class];
	}
	*ret_cost = cost;
	return PRICE_FOUND;
}

enum price_status price_call(
	const struct prices *prices, const struct price_question *question, struct cost *ret_cost)
{
	const struct record *record = match_model(prices, question->provider, question->model);
	if (!record)
		return PRICE_UNKNOWN_MODEL;
	const struct period *period = period_at(record, question->at_ns);
	const struct price_set *set;
	enum price_status status = choose_prices(period, question, &set);
	if (status == PRICE_FOUND)
		status = charge(set, question->usage, ret_cost);
	if (status == PRICE_FOUND)
		ret_cost->model_id = record->id;
	return status;
}
