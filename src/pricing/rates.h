/*
 * What a record of a price table costs: its periods with their tiers and schedules, read from JSON and
 * made complete, so that nothing is left to fall back to when a call is priced.
 */
#ifndef TG_PRICING_RATES_H
#define TG_PRICING_RATES_H

#include "pricing/fields.h"
#include "pricing/table.h"

/* A decimal string below 100 USD: with that, sums of a whole call stay within 128 bits. */
int rates_read_amount(const json_t *value, const struct place *place, fusd *ret_amount);

/*
 * The member "periods" of a record, into record->periods; record->provider is set.
 * -EINVAL with a complaint, -ENOMEM.
 */
int rates_read_periods(struct prices *prices, const json_t *array, const struct place *within,
	struct record *record);

#endif
