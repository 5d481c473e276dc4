/* The price table, and calls that it had no price for. */
#include "doctor/doctor.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pricing/price.h"

enum { NAMES_TOLD = 5, LIST_BYTES = 1024 };

static void check_age(const struct patient *patient, struct findings *findings)
{
	const struct prices *prices = patient->startup.prices;
	const char *as_of = json_string_value(json_object_get(patient->prices, "as_of"));
	json_int_t age_days = json_integer_value(json_object_get(patient->prices, "age_days"));
	if (!as_of && prices) {
		as_of = prices_as_of(prices);
		age_days = (json_int_t)prices_age_days(prices, clock_unix_ns());
	}
	if (as_of && age_days >= PRICES_OLD_DAYS)
		findings_add(findings, FINDING_PRICES_OLD, "prices", NULL,
			"the price table is of %s, %lld days ago", as_of, (long long)age_days);
}

/* A call that says nothing of its tokens has no cost either, but no price is missing. */
static bool lacks_price(const json_t *row)
{
	const char *why = json_string_value(json_object_get(row, "why"));
	return why && strcmp(why, "usage_withheld") != 0;
}

static void check_models(const json_t *names, struct findings *findings)
{
	char list[LIST_BYTES] = "";
	size_t len = 0, told = 0, count = 0, i;
	json_int_t calls = 0;
	const json_t *row;
	json_array_foreach(names, i, row) {
		if (!lacks_price(row))
			continue;
		count++;
		calls += json_integer_value(json_object_get(row, "calls"));
		if (told++ < NAMES_TOLD)
			len += (size_t)snprintf(list + len, sizeof list - len, "%s%.120s",
				len ? ", " : "", json_string_value(json_object_get(row, "model")));
	}
	if (count)
		findings_add(findings, FINDING_UNKNOWN_MODELS, "prices", NULL,
			"%lld %s got no cost, of %zu %s: %s%s", (long long)calls,
			calls == 1 ? "call" : "calls", count, count == 1 ? "model" : "models", list,
			count > NAMES_TOLD ? ", ..." : "");
}

void check_prices(const struct patient *patient, struct findings *findings)
{
	check_age(patient, findings);
	check_models(json_object_get(patient->prices, "names"), findings);
}
