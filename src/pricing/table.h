/*
 * A price table as it is used: every fall-back of the schema is already applied, so that pricing a call
 * is a choice between finished price sets. Private to this folder.
 */
#ifndef TG_PRICING_TABLE_H
#define TG_PRICING_TABLE_H

#include "base/arena.h"
#include "pricing/calendar.h"
#include "pricing/pattern.h"
#include "pricing/price.h"

enum { NO_PRICE = -1 };

/* fUSD per token. NO_PRICE: neither this class nor one that it falls back to has a price. */
struct price_set {
	int64_t fusd[TOKEN_CLASS_COUNT];
};

struct context_tier {
	uint64_t threshold_tokens;
	bool is_inclusive; /* holds at the threshold, not only above it */
	struct price_set prices;
};

/* What one way of being served costs. */
struct rates {
	struct price_set prices;
	struct context_tier *tiers; /* ascending; the last that holds prices the whole request */
	size_t tier_count;
};

/* Prices of certain hours; in place of rates.prices. */
struct schedule {
	uint8_t weekdays;
	bool has_exceptions; /* days that only words describe: inside a window nothing is certain */
	struct window *windows;
	size_t window_count;
	struct price_set prices;
};

enum service {
	SERVICE_STANDARD,
	SERVICE_BATCH,
	SERVICE_FLEX,
	SERVICE_PRIORITY,
	SERVICE_FAST,
	SERVICE_COUNT
};

struct period {
	uint64_t from_ns;
	struct rates *services[SERVICE_COUNT]; /* NULL: not listed; standard always is */
	struct schedule *schedules;
	size_t schedule_count;
};

struct record {
	const char *id;
	const char *provider;
	struct period *periods; /* ascending; the first holds since ever */
	size_t period_count;
};

struct alias {
	const char *name;
	const struct record *record; /* NULL: unpriced on purpose */
};

struct model_pattern {
	struct pattern pattern;
	const struct record *record;
};

/* Which records a provider's calls may be charged by. */
struct scope {
	const char *provider; /* as the span names it, lower case */
	const char *prefix;   /* with which tables write its models: "prefix/name" */
	const char **allow;   /* record.provider, NULL ends them */
};

struct prices {
	struct arena arena; /* of all below but what regcomp and memo own */
	const char *as_of;
	struct record *records;
	size_t record_count;
	struct alias *aliases; /* sorted by name */
	size_t alias_count;
	struct model_pattern *patterns;
	size_t pattern_count;
	struct scope *scopes; /* sorted by provider */
	size_t scope_count;
	struct memo *memo;
	unsigned holders; /* tariff.c */
};

/* Room for `count` cleared things in the arena; never NULL for a count of 0. NULL: no memory. */
static inline void *table_take(struct prices *prices, size_t count, size_t size)
{
	size_t bytes = (count ? count : 1) * size;
	void *at = arena_alloc(&prices->arena, bytes);
	return at ? memset(at, 0, bytes) : NULL;
}

/* The table that was built in: pricing/models.json, made into C by pricing/local.mk. */
extern const unsigned char prices_builtin_json[];
extern const size_t prices_builtin_json_bytes;

#endif
