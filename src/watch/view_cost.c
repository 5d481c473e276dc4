/* What model calls cost, and how many of them have no known cost. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/complaint.h"
#include "http/server.h"
#include "watch/local_query.h"
#include "watch/local_questions.h"
#include "watch/watch.h"

enum { SQL_MAX = 1024, UTC_OFFSET_MAX_S = 24 * 3600, UNPRICED_MAX = 20 };

#define FIGURES \
	" count(*) AS calls, sum_usage(usage) AS usage, sum_fusd(cost_fusd) AS cost_fusd," \
	" count(*) - count(cost_fusd) AS unpriced," \
	" count(*) FILTER (WHERE cost_status = 'lower_bound') AS lower_bounds"
#define CALLS_SINCE " FROM span WHERE " IS_MODEL_CALL " AND start_ns >= ?1"
#define DEAREST_FIRST "total(cost_fusd) DESC, calls DESC, 1"

static const struct grouping {
	const char *by, *key, *order;
} groupings[] = {
	{ "model", "model", DEAREST_FIRST },
	{ "cli", "service", DEAREST_FIRST },
	{ "day", "date(start_ns / 1000000000 + ?2, 'unixepoch')", "1" },
	{ "session", "session_id", DEAREST_FIRST },
};

static const char total[] = "SELECT" FIGURES CALLS_SINCE;

static const char unpriced[] =
	"SELECT model, provider, cost_status, count(*) AS calls" CALLS_SINCE
	" AND cost_fusd IS NULL GROUP BY 1, 2, 3 ORDER BY calls DESC, 1, 2, 3 LIMIT ?2";

static const struct grouping *find_grouping(const char *by)
{
	for (size_t i = 0; i < sizeof groupings / sizeof *groupings; i++)
		if (strcmp(groupings[i].by, by) == 0)
			return &groupings[i];
	return NULL;
}

static sqlite3_stmt *prepare_with(
	struct local_query *query, const char *sql, int64_t since_ns, int64_t second)
{
	sqlite3_stmt *statement = local_query_prepare(query, sql);
	sqlite3_bind_int64(statement, 1, since_ns);
	sqlite3_bind_int64(statement, 2, second); /* refused, and not missed, where there is none */
	return statement;
}

static json_t *read_rows(struct local_query *query, const struct cost_question *question)
{
	const struct grouping *grouping = find_grouping(question->by);
	char sql[SQL_MAX];
	snprintf(sql, sizeof sql, "SELECT %s AS key," FIGURES CALLS_SINCE " GROUP BY 1 ORDER BY %s",
		grouping->key, grouping->order);
	return local_query_rows(
		query, prepare_with(query, sql, question->since_ns, question->utc_offset_s));
}

int local_ask_cost(const char *path, const struct cost_question *question, json_t **ret_answer,
	struct complaint *complaint)
{
	if (!find_grouping(question->by))
		return complain(complaint, "by must be model, cli, day or session");
	struct local_query query;
	local_query_begin(&query, path, complaint);
	int64_t since_ns = question->since_ns;
	json_t *answer = json_object();
	local_query_set(&query, answer, "by", json_string(question->by));
	local_query_set(&query, answer, "since_ns", json_integer(since_ns));
	local_query_set(&query, answer, "total",
		local_query_one(&query, prepare_with(&query, total, since_ns, 0)));
	local_query_set(&query, answer, "unpriced",
		local_query_rows(&query, prepare_with(&query, unpriced, since_ns, UNPRICED_MAX)));
	local_query_set(&query, answer, "rows", read_rows(&query, question));
	return local_query_end(&query, answer, ret_answer);
}

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	const char *path = local_query_path(watch, complaint),
		   *by = http_request_argument(request, "by");
	struct cost_question question = { .by = by ? by : "model" };
	if (!path)
		return -ENOENT;
	if (local_query_argument(request, "since_ns", 0, INT64_MAX, &question.since_ns, complaint) <
			0 ||
		local_query_argument(request, "utc_offset_s", -UTC_OFFSET_MAX_S, UTC_OFFSET_MAX_S,
			&question.utc_offset_s, complaint) < 0)
		return -EINVAL;
	return local_ask_cost(path, &question, ret_answer, complaint);
}

const struct view view_cost = { "GET", "/v1/cost", answer };
