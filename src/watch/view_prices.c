/* Which price table is in force, and the models of calls that it could not price. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "pricing/price.h"
#include "pricing/tariff.h"
#include "watch/watch.h"

static const struct {
	enum sort sort;
	const char *why; /* NULL: behind the name, as "model: why" */
} sorts[] = {
	{ NAMES_UNKNOWN_MODELS, "unknown_model" },
	{ NAMES_UNPRICED_MODELS, NULL },
	{ NAMES_WITHHELD_USAGE, "usage_withheld" },
};

/* Behind all that have at least as many calls. */
static size_t place_for(const json_t *rows, json_int_t calls)
{
	size_t i;
	const json_t *row;
	json_array_foreach(rows, i, row)
		if (json_integer_value(json_object_get(row, "calls")) < calls)
			break;
	return i;
}

static json_t *row_of(const char *name, const char *why, json_int_t calls)
{
	static const char colon[] = ": ";
	const char *end = name + strlen(name);
	for (const char *at = name; !why && (at = strstr(at, colon)); at++)
		end = at;
	if (!why)
		why = *end ? end + strlen(colon) : "";
	return json_pack("{s:s%, s:s, s:I}", "model", name, (size_t)(end - name), "why", why,
		"calls", calls);
}

static int add_names(json_t *rows, const struct names *names, const char *why)
{
	for (size_t i = 0; i < names->count; i++) {
		json_int_t calls = (json_int_t)names->at[i].count;
		json_t *row = row_of(names->at[i].text, why, calls);
		if (json_array_insert_new(rows, place_for(rows, calls), row) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* All names in one list, the most called first, and how many calls had names that found no room there. */
static json_t *read_names(json_int_t *ret_others)
{
	struct names *names = malloc(sizeof *names);
	json_t *rows = json_array();
	int error = names && rows ? 0 : -ENOMEM;
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts && !error; i++) {
		names_read(sorts[i].sort, names);
		*ret_others += (json_int_t)names->others;
		error = add_names(rows, names, sorts[i].why);
	}
	free(names);
	if (!error)
		return rows;
	json_decref(rows);
	return NULL;
}

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	(void)request;
	(void)complaint;
	uint64_t now_ns = clock_unix_ns();
	json_int_t others = 0;
	json_t *names = read_names(&others);
	struct prices *prices = tariff_hold(watch->tariff);
	*ret_answer = json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:o}", "now_ns", (json_int_t)now_ns,
		"as_of", prices_as_of(prices), "age_days",
		(json_int_t)prices_age_days(prices, now_ns), "records",
		(json_int_t)prices_count(prices), "since_ns", (json_int_t)watch->started_ns,
		"other_calls", others, "names", names);
	tariff_release(watch->tariff, prices);
	return *ret_answer ? 0 : -ENOMEM;
}

static const char *const no_arguments[] = { NULL };

const struct view view_prices = {
	.method = "GET",
	.path = "/v1/prices",
	.answer = answer,
	.arguments = no_arguments,
};
