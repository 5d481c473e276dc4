/* Small price tables for tests, written with ' for ". */
#ifndef TG_TESTS_PRICE_TABLES_H
#define TG_TESTS_PRICE_TABLES_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pricing/price.h"

#define TABLE(members) \
	"{'schema':'tollgate-prices/1','as_of':'2026-11-20','currency':'USD','sources':{'s':{}}," members \
	"}"
#define RECORD(id, more) \
	"{'id':'" id \
	"','kind':'chat','deprecated':false,'sources':['s'],'confidence':'high'," more "}"
#define NAMED(id, provider) "'provider':'" provider "','aliases':['" id "'],'patterns':[]"
#define PERIODS(periods) "'periods':[" periods "]"
#define CHEAP PERIODS("{'from':null,'prices':{'input':'0.0000001'}}")
/* One record, "m" of provider "p". */
#define ONE(periods) TABLE("'models':[" RECORD("m", NAMED("m", "p") "," PERIODS(periods)) "]")

static inline int try_table(
	const char *text, struct prices **ret_prices, struct complaint *complaint)
{
	char *json = strdup(text);
	for (char *at = json; (at = strchr(at, '\''));)
		*at = '"';
	*complaint = (struct complaint){ 0 };
	int error = prices_parse(bytes_of(json), "test.json", ret_prices, complaint);
	free(json);
	return error;
}

static inline struct prices *table(const char *text)
{
	struct prices *prices = NULL;
	struct complaint complaint;
	cr_assert_eq(try_table(text, &prices, &complaint), 0, "%s", complaint.text);
	return prices;
}

static inline struct prices *builtin_table(void)
{
	struct prices *prices = NULL;
	struct complaint complaint = { 0 };
	cr_assert_eq(prices_builtin(&prices, &complaint), 0, "%s", complaint.text);
	return prices;
}

/* "2026-11-20" or "2026-11-20 01:00:00" */
static inline uint64_t utc(const char *text)
{
	struct tm tm = { 0 };
	int read = sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		&tm.tm_hour, &tm.tm_min, &tm.tm_sec);
	cr_assert(read == 3 || read == 6, "%s", text);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (uint64_t)timegm(&tm) * 1000000000u;
}

/* One standard call on the day of the table. */
static inline struct price_question ask(const char *model, const struct usage *usage)
{
	return (struct price_question){
		.model = bytes_of(model), .at_ns = utc("2026-11-20"), .usage = usage
	};
}

/* The total as text, or the status when there is none; good until the next call. */
static inline const char *total_of(const struct prices *prices, struct price_question question)
{
	static char text[FUSD_TEXT_MAX];
	struct cost cost;
	enum price_status status = price_call(prices, &question, &cost);
	if (status != PRICE_FOUND)
		return price_status_name(status);
	fusd_text(text, cost.total);
	return text;
}

#endif
