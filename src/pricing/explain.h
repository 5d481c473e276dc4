/*
 * Why a call costs what it costs, for a person: from the name to the record, from the record to the prices,
 * and the arithmetic line by line. The decisions and figures are those of price_call itself.
 */
#ifndef TG_PRICING_EXPLAIN_H
#define TG_PRICING_EXPLAIN_H

#include "pricing/match.h"
#include "pricing/price.h"

enum { SENTENCE_MAX = 512, TIER_NAME_MAX = 31 };

struct price_line {
	enum token_class class;
	enum token_class priced_as; /* whose price it is, when this class has none of its own */
	bool is_standard; /* the tier or context does not state it: taken from the standard prices */
	uint64_t tokens;
	fusd price; /* per token, with the multiplier of the region */
	fusd amount;
};

struct fee_line {
	const char *name; /* of the fee: "web_search_request" */
	enum unit unit;
	uint64_t count;
	fusd fee; /* of one */
	fusd amount;
};

/* Texts live as long as the table; members of what was not reached are zero or NULL. */
struct explanation {
	enum price_status status;
	char sentence[SENTENCE_MAX]; /* the status in plain words, for this call */

	/* From the name to the record (match.h). */
	struct match match;
	const char *id, *provider; /* of the record, also of one that may not be charged */
	const char *confidence;    /* "high", "medium", "low"; empty when it is not said */
	const char *notes;         /* NULL: none */
	const char *sources;       /* "langfuse, litellm" */
	bool is_override;          /* stands in pricing.overrides */
	const char *as_of;         /* of the built-in table or the one in its place */

	/* From the record to the prices. */
	const char *period_from;            /* "2026-08-17"; NULL: since ever */
	char tier_asked[TIER_NAME_MAX + 1]; /* as it was sent, cut; empty: nothing was said */
	const char *tier;          /* "standard", "batch", ...; NULL: the record lists no such */
	uint64_t total_input;      /* tokens, of which thresholds speak; at most UINT64_MAX */
	uint64_t threshold_tokens; /* of the context tier in force; 0: none is */
	bool is_inclusive;         /* total_input >= threshold, else > */
	const char *schedule;      /* name of the hours whose prices hold; NULL: none */
	const char *holiday;       /* why hours do not hold on that day; NULL: nothing does */
	const char *region;        /* "inference_geo=us" as the record lists it; NULL: not listed */
	fusd multiplier;           /* of the region: 1.1 as fusd; 1 when it changes nothing */

	/* The arithmetic; cost.total is the sum. Only with PRICE_FOUND. */
	struct price_line lines[TOKEN_CLASS_COUNT]; /* of classes that have tokens */
	size_t line_count;
	struct fee_line fees[UNIT_COUNT];
	size_t fee_count;
	struct cost cost;
};

/* As price_call, and why. Also from many threads; searches anew each time and counts nothing. */
void price_explain(const struct prices *prices, const struct price_question *question,
	struct explanation *ret);

/* A record as a list shows it. Texts live as long as the table. */
struct listed_record {
	const char *id, *provider;
	const char *confidence; /* as above */
	const char *notes;
	bool is_override;
	bool is_deprecated;
	const char *period_from;        /* as above */
	fusd prices[TOKEN_CLASS_COUNT]; /* standard, per token, fall-backs applied; below 0: none */
	bool has_own[TOKEN_CLASS_COUNT]; /* a price that is not that of another class */
};

/*
 * The record of an index below prices_count, with the prices valid at `at_ns`: overrides first, then in the
 * order of the table.
 */
void prices_record(const struct prices *prices, size_t index, uint64_t at_ns,
	struct listed_record *ret_record);

/* A name that is unpriced on purpose, and why; false beyond the last. */
bool prices_unpriced(
	const struct prices *prices, size_t index, const char **ret_name, const char **ret_words);

enum prices_kind { PRICES_TABLE, PRICES_OVERRIDES };

/* How much stands in the table, or in the overrides of it. */
struct prices_figures {
	size_t records, aliases, patterns;
};
struct prices_figures prices_figures(const struct prices *prices, enum prices_kind kind);

/*
 * Reads a file as a start would: as a whole table (pricing.file) when it names its sources, else as
 * overrides of the built-in one (pricing.overrides). Errors as prices_load.
 */
int prices_check(const char *file, struct prices **ret_prices, enum prices_kind *ret_kind,
	struct complaint *complaint);

#endif
