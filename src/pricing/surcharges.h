/* What is paid beside the tokens: fees by the piece, and what a region makes of every price. */
#ifndef TG_PRICING_SURCHARGES_H
#define TG_PRICING_SURCHARGES_H

#include "pricing/fields.h"
#include "pricing/table.h"

/*
 * The members "per_unit_fees" and "region_multipliers" of a record whose periods are read. -EINVAL with a
 * complaint, also when a price times a multiplier is no whole number of fUSD; -ENOMEM.
 */
int surcharges_read(struct prices *prices, const json_t *object, const struct place *place,
	struct record *record);

/* NULL: the record charges the region like any other. */
const struct multiplier *multiplier_of(const struct record *record, struct bytes region);

/* Exact, because it was checked when the table was read. */
fusd multiplied(const struct multiplier *multiplier, int64_t price);

/*
 * How many of a unit the record's fee is paid for. A call that searched is one grounded prompt, where that is
 * what is paid and nobody counted them.
 */
uint64_t units_charged(const struct record *record, const struct usage *usage, enum unit unit);

/* Units were counted that no fee of the record covers. */
bool has_uncharged_units(const struct record *record, const struct usage *usage);

#endif
