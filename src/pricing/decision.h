/*
 * The one way from a record to a cost, for price_call and for price_explain. Private to this folder.
 */
#ifndef TG_PRICING_DECISION_H
#define TG_PRICING_DECISION_H

#include "pricing/hours.h"
#include "pricing/table.h"

/* What decides the prices of a call; members of what was not reached are zero. */
struct decision {
	const struct record *record;
	const struct period *period;
	enum service service;            /* SERVICE_COUNT: a tier that no table has */
	const struct context_tier *tier; /* NULL: the context raises nothing */
	enum hours hours;                /* with `schedule`, which is NULL outside of all hours */
	const struct schedule *schedule;
	const struct multiplier *multiplier; /* NULL: the region changes nothing */
	const struct price_set *prices;
};

/* Standard for an empty name, SERVICE_COUNT for one that no table has. */
enum service service_named(struct bytes tier);
/* "standard", "batch", ... */
const char *service_name(enum service service);

/* All tokens that were sent to the model, of which thresholds speak; at most UINT64_MAX. */
uint64_t input_tokens(const struct usage *usage);

const struct period *period_at(const struct record *record, uint64_t at_ns);

/* Fills `ret` as far as it comes. */
enum price_status decide(
	const struct record *record, const struct price_question *question, struct decision *ret);

/* Per token, with the region's multiplier. */
fusd decided_price(const struct decision *decision, enum token_class class);

/* ret_cost is set only with PRICE_FOUND. */
enum price_status charge(
	const struct decision *decision, const struct usage *usage, struct cost *ret_cost);

#endif
