/* Whether the ledger adds up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/complaint.h"
#include "base/counters.h"
#include "spool/ledger.h"
#include "watch/balance.h"
#include "watch/local_query.h"
#include "watch/watch.h"

static json_t *row_of(const struct balance *balance)
{
	json_t *row = balance_json(balance);
	json_t *measured = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "waiting_before",
		(json_int_t)balance->waiting_before, "waiting", (json_int_t)balance->measured,
		"difference", (json_int_t)(balance->waiting - balance->measured), "records",
		(json_int_t)balance->records, "bytes", (json_int_t)balance->bytes, "oldest_ns",
		(json_int_t)balance->oldest_ns);
	if (!row || !measured || json_object_update(row, measured) < 0) {
		json_decref(row);
		row = NULL;
	}
	json_decref(measured);
	return row;
}

static json_t *answer_of(const struct balance *balances, size_t count, uint64_t since_ns)
{
	bool adds_up = true;
	json_t *rows = json_array();
	for (size_t i = 0; i < count; i++) {
		adds_up = adds_up && balances[i].waiting == balances[i].measured;
		if (json_array_append_new(rows, row_of(&balances[i])) < 0) {
			json_decref(rows);
			return NULL;
		}
	}
	return json_pack("{s:b, s:I, s:I, s:I, s:o}", "adds_up", adds_up, "since_ns",
		(json_int_t)since_ns, "now_ns", (json_int_t)clock_unix_ns(), "records_damaged",
		(json_int_t)counter_read(COUNTER_SPOOL_RECORDS_DAMAGED), "destinations", rows);
}

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	int64_t since_ns = 0;
	struct balance *balances;
	size_t count;
	int error = local_query_argument(request, "since_ns", 1, INT64_MAX, &since_ns, complaint);
	if (error < 0)
		return error;
	uint64_t since = since_ns ? ledger_since((uint64_t)since_ns) : 0;
	error = ledger_read(watch->ledger, since, true, &balances, &count);
	if (error) {
		complain(complaint, "the ledger cannot be read: %s", strerror(-error));
		return error;
	}
	*ret_answer = answer_of(balances, count, since);
	free(balances);
	return *ret_answer ? 0 : -ENOMEM;
}

static const char *const arguments[] = { "since_ns", NULL };

const struct view view_verify = {
	.method = "GET",
	.path = "/v1/verify",
	.answer = answer,
	.arguments = arguments,
};
