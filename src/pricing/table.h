/*
 * A price table as it is used: every fall-back of the schema is already applied, so that pricing a call
 * is a choice between finished price sets. Private to this folder.
 */
#ifndef TG_PRICING_TABLE_H
#define TG_PRICING_TABLE_H

#include <jansson.h>

#include "base/arena.h"
#include "pricing/calendar.h"
#include "pricing/pattern.h"
#include "pricing/price.h"

enum { NO_PRICE = -1 };

/* fUSD per token. NO_PRICE: neither this class nor one that it falls back to has a price. */
struct price_set {
	int64_t fusd[TOKEN_CLASS_COUNT];
	/* Where each is from, for explanations: the class that has it, and whether the set itself or the
	 * standard one. */
	uint8_t from[TOKEN_CLASS_COUNT];
	bool is_standard[TOKEN_CLASS_COUNT];
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
	const char *name;
	uint8_t weekdays;
	struct window *windows;
	size_t window_count;
	const char *exclude;     /* what days it does not hold on, in words; NULL: on none */
	uint64_t *excluded_days; /* starts of those days, ascending */
	size_t excluded_count;
	uint64_t
		known_to_ns; /* from here on only the words say: inside a window nothing is certain */
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
	const char *from; /* as it is written; NULL in the first */
	uint64_t from_ns;
	struct rates *services[SERVICE_COUNT]; /* NULL: not listed; standard always is */
	struct schedule *schedules;
	size_t schedule_count;
};

/* What one unit costs. */
struct fee {
	const char *name; /* NULL: the record has none */
	int64_t fusd;
};

/* What a region makes of every token price; each product is a whole number of fUSD (surcharges.c). */
struct multiplier {
	const char *region;
	fusd factor; /* 1.1 as fusd */
};

struct record {
	const char *id;
	const char *provider; /* ANY_PROVIDER: charged whoever is called */
	const char *confidence;
	const char *notes;   /* NULL: none */
	const char *sources; /* "langfuse, litellm" */
	bool is_override;
	bool is_deprecated;
	struct period *periods; /* ascending; the first holds since ever */
	size_t period_count;
	struct fee fees[UNIT_COUNT];
	struct multiplier *multipliers;
	size_t multiplier_count;
};

#define ANY_PROVIDER "any"

struct alias {
	const char *name;
	const struct record *record; /* NULL: unpriced on purpose */
	const char *words;           /* why it is */
};

struct model_pattern {
	struct pattern pattern;
	const char *expression;
	const struct record *record;
};

/* Which records a provider's calls may be charged by. */
struct scope {
	const char *provider; /* as the span names it, lower case */
	const char *prefix;   /* with which tables write its models: "prefix/name" */
	const char **allow;   /* record.provider, NULL ends them */
};

/* What one file says. */
struct book {
	struct record *records;
	size_t record_count;
	struct alias *aliases; /* sorted by name */
	size_t alias_count;
	struct model_pattern *patterns;
	size_t pattern_count;
	struct scope *scopes; /* sorted by provider */
	size_t scope_count;
};

/* In the order in which they are asked. */
enum { BOOK_OVERRIDES, BOOK_TABLE, BOOK_COUNT };

struct prices {
	struct arena arena; /* of all below but what regcomp and memo own */
	const char *as_of;  /* of the table */
	uint64_t as_of_ns;
	struct book books[BOOK_COUNT];
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

/* A copy of a JSON string in the arena; NULL: no memory. */
const char *table_text(struct prices *prices, const json_t *text);

/* The table that was built in: pricing/models.json, made into C by pricing/local.mk. */
extern const unsigned char prices_builtin_json[];
extern const size_t prices_builtin_json_bytes;

#endif
