/*
 * What a record of a price table costs: its periods with their tiers and schedules, read from JSON and
 * made complete, so that nothing is left to fall back to when a call is priced.
 */
#ifndef TG_PRICING_RATES_H
#define TG_PRICING_RATES_H

#include "pricing/fields.h"
#include "pricing/table.h"

/* 100 USD, below which every price, fee and factor is: with that, sums of a call stay within 128 bits. */
#define RATES_LIMIT ((fusd)100 * 1000000000000000)

/* A decimal string below that limit. */
int rates_read_amount(const json_t *value, const struct place *place, fusd *ret_amount);

/* How prices are written: by the token, or by a million of them. Either stands wherever prices do. */
#define PER_TOKEN "prices"
#define PER_MILLION "prices_per_million"

/* The prices that stand in `object`, made complete. */
int rates_read_set(const json_t *object, const struct price_set *standard,
	const struct place *place, struct price_set *ret_set);

/*
 * The member "periods" of a record, or in its place the prices of one that holds since ever, into
 * record->periods; record->provider is set. -EINVAL with a complaint, -ENOMEM.
 */
int rates_read(struct prices *prices, const json_t *object, const struct place *place,
	struct record *record);

/* Calls with each complete set of prices that a record can come to; the first error ends it. */
int rates_each(const struct record *record, int (*look)(const struct price_set *set, void *arg),
	void *arg);

#endif
