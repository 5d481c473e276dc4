#include "pricing/price.h"

#include <stdatomic.h>

#include "pricing/decision.h"
#include "pricing/match.h"

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
	return prices->books[BOOK_OVERRIDES].record_count + prices->books[BOOK_TABLE].record_count;
}

const char *prices_as_of(const struct prices *prices)
{
	return prices->as_of;
}

unsigned prices_age_days(const struct prices *prices, uint64_t now_ns)
{
	return now_ns > prices->as_of_ns ? (unsigned)((now_ns - prices->as_of_ns) / DAY_NS) : 0;
}

enum price_status price_call(
	const struct prices *prices, const struct price_question *question, struct cost *ret_cost)
{
	struct resolution named = match_model(prices, question->provider, question->model);
	if (!named.record) {
		atomic_fetch_add_explicit(named.unknown, 1, memory_order_relaxed);
		return PRICE_UNKNOWN_MODEL;
	}
	struct decision decision;
	enum price_status status = decide(named.record, question, &decision);
	return status == PRICE_FOUND ? charge(&decision, question->usage, ret_cost) : status;
}
