/*
 * What a model call costs by list price.
 *
 * Money is femtodollars (1e-15 USD) in integers, prices are exact decimals, and matching never
 * guesses: an unknown model, tier or step gives no cost and says why, which is not the same as zero.
 * Source of the rules: pricing/README.md.
 */
#ifndef TG_PRICING_PRICE_H
#define TG_PRICING_PRICE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/complaint.h"

/* Disjoint: every token of a call is in exactly one. */
enum token_class {
	TOKENS_INPUT,
	TOKENS_CACHE_READ,
	TOKENS_CACHE_WRITE_5M,
	TOKENS_CACHE_WRITE_1H,
	TOKENS_OUTPUT,
	TOKENS_REASONING,
	TOKENS_AUDIO_INPUT,
	TOKENS_AUDIO_OUTPUT,
	TOKENS_CACHED_AUDIO_INPUT,
	TOKENS_IMAGE_INPUT,
	TOKENS_IMAGE_OUTPUT,
	TOKEN_CLASS_COUNT,
};

/* As price tables spell it: "input", "cache_read", … */
const char *token_class_name(enum token_class class);

/* What is paid by the piece. A search is one whoever makes it; a prompt is grounded once. */
enum unit { UNITS_WEB_SEARCHES, UNITS_FILE_SEARCHES, UNITS_GROUNDED_PROMPTS, UNIT_COUNT };

/* "web_search", "file_search", "grounded_prompt" */
const char *unit_name(enum unit unit);
/*
 * By that name, or by a fee that price tables charge for it: "web_search_request", "web_search_call",
 * "google_search_query", "file_search_call", "google_search_grounded_prompt". UNIT_COUNT: none.
 */
enum unit unit_named(const char *name);

struct usage {
	uint64_t tokens[TOKEN_CLASS_COUNT];
	uint64_t units[UNIT_COUNT];
};

typedef __int128 fusd;

struct cost {
	fusd by_class[TOKEN_CLASS_COUNT];
	fusd by_unit[UNIT_COUNT];
	fusd total;
	bool is_lower_bound;  /* units were counted for which the record has no fee */
	bool hour_costs_more; /* a cache write for an hour costs more than one for five minutes */
	const char *model_id; /* of the table; lives as long as it */
};

struct price_question {
	struct bytes model;        /* as the span names it */
	struct bytes provider;     /* gen_ai.provider.name or alike; empty when unknown */
	struct bytes service_tier; /* empty when the span says nothing: standard */
	struct bytes region;       /* "inference_geo=us", "data_residency=eu"; empty: none said */
	uint64_t at_ns;            /* start of the call, Unix time; the price valid then is used */
	const struct usage *usage;
};

enum price_status {
	PRICE_FOUND,
	PRICE_UNKNOWN_MODEL,
	PRICE_UNKNOWN_TIER,  /* the record does not list the service tier */
	PRICE_NOT_EVALUATED, /* whether a price of the record applies cannot be decided here */
	PRICE_MISSING_CLASS, /* tokens of a class that has no price, and none to fall back to */
};
/* "ok", "unknown_model", "unknown_tier", "not_evaluated", "missing_class" */
const char *price_status_name(enum price_status status);

struct prices;

/*
 * Reads a price table (schema tollgate-prices/1), every record of it.
 * -EINVAL with a complaint that names record and key when it is not well formed.
 */
int prices_parse(struct bytes json, const char *name, struct prices **ret_prices,
	struct complaint *complaint);
/* The built-in table with overrides. */
int prices_parse_overrides(struct bytes json, const char *name, struct prices **ret_prices,
	struct complaint *complaint);
/* The table that was built in (pricing/models.json). */
int prices_builtin(struct prices **ret_prices, struct complaint *complaint);
/*
 * The table of a file, or for NULL the one that was built in; with overrides from another file, or NULL for
 * none. -EINVAL with a complaint that names file, line and key, also for what cannot be read; -ENOMEM.
 */
int prices_load(const char *file, const char *overrides, struct prices **ret_prices,
	struct complaint *complaint);
void prices_free(struct prices *prices);
size_t prices_count(const struct prices *prices);
/* The date that the table states for itself, as text. */
const char *prices_as_of(const struct prices *prices);
/* Days since that date; 0 when it is to come. */
unsigned prices_age_days(const struct prices *prices, uint64_t now_ns);
/* Older than this a table is worth a warning. */
enum { PRICES_OLD_DAYS = 90 };

/*
 * Prices one call. Safe from many threads at once on the same table. ret_cost is set only with
 * PRICE_FOUND. Costs about a hash look-up for a name that was seen before, and counts the name with
 * PRICE_UNKNOWN_MODEL (base/names.h).
 */
enum price_status price_call(
	const struct prices *prices, const struct price_question *question, struct cost *ret_cost);

/* The exact decimal in USD, without exponent or trailing zeros: "0.0105", "0", "12.5". */
void buf_fusd(struct buf *buf, fusd amount);

enum { FUSD_TEXT_MAX = 64 };
/* The same into a char array; returns its length. */
size_t fusd_text(char out[FUSD_TEXT_MAX], fusd amount);

/*
 * A plain decimal in USD ("0.0105", no sign, no exponent), exactly. -EINVAL for anything else, also for
 * more than 15 digits on either side of the point.
 */
int fusd_parse(const char *text, fusd *ret_amount);

/*
 * A well-formed JSON number in USD, with fraction and exponent as senders write them, rounded to a
 * femtodollar. -EINVAL when it is negative, -ERANGE when it is beyond all money.
 */
int fusd_read(struct bytes number, fusd *ret_amount);

#endif
