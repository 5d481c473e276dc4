/* The newest sessions, each in one line of figures. */
#include <errno.h>

#include "base/complaint.h"
#include "watch/local_query.h"
#include "watch/local_questions.h"
#include "watch/watch.h"

enum { LIMIT = 20, LIMIT_MAX = 1000 };

/* The index on session and start finds the newest; only those are read. */
static const char sessions[] =
	"WITH newest AS (SELECT session_id AS id, max(start_ns) AS started FROM span"
	" WHERE session_id IS NOT NULL GROUP BY session_id HAVING started >= ?1"
	" ORDER BY started DESC, id LIMIT ?2) "
	"SELECT session_id, max(service) AS service, max(user_id) AS user_id,"
	" count(DISTINCT trace_id) AS traces, count(*) AS spans,"
	" count(*) FILTER (WHERE " IS_MODEL_CALL ") AS calls,"
	" count(*) FILTER (WHERE kind = 'TOOL') AS tools,"
	" count(*) FILTER (WHERE level = 'ERROR') AS errors,"
	" sum_usage(usage) FILTER (WHERE " IS_MODEL_CALL ") AS usage,"
	" sum_fusd(cost_fusd) FILTER (WHERE " IS_MODEL_CALL ") AS cost_fusd,"
	" count(*) FILTER (WHERE " IS_MODEL_CALL " AND cost_fusd IS NULL) AS unpriced,"
	" count(*) FILTER (WHERE " IS_MODEL_CALL
	" AND cost_status = 'lower_bound') AS lower_bounds,"
	" min(start_ns) AS first_ns, max(max(start_ns, end_ns)) AS last_ns "
	"FROM newest JOIN span ON session_id = id GROUP BY session_id ORDER BY started DESC, id";

static const char traces_without_session[] =
	"SELECT count(DISTINCT trace_id) AS traces_without_session FROM span"
	" WHERE session_id IS NULL AND start_ns >= ?1";

static sqlite3_stmt *prepare_since(struct local_query *query, const char *sql, int64_t since_ns)
{
	sqlite3_stmt *statement = local_query_prepare(query, sql);
	sqlite3_bind_int64(statement, 1, since_ns);
	return statement;
}

int local_ask_sessions(const char *path, const struct sessions_question *question,
	json_t **ret_answer, struct complaint *complaint)
{
	struct local_query query;
	local_query_begin(&query, path, complaint);
	query.rows_left = (size_t)question->limit;
	json_t *answer = local_query_one(
		&query, prepare_since(&query, traces_without_session, question->since_ns));
	sqlite3_stmt *statement = prepare_since(&query, sessions, question->since_ns);
	sqlite3_bind_int64(statement, 2, question->limit + 1);
	local_query_set(&query, answer, "sessions", local_query_rows(&query, statement));
	return local_query_end(&query, answer, ret_answer);
}

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	const char *path = local_query_path(watch, complaint);
	struct sessions_question question = { .limit = LIMIT };
	if (!path)
		return -ENOENT;
	if (local_query_argument(request, "since_ns", 0, INT64_MAX, &question.since_ns, complaint) <
			0 ||
		local_query_argument(request, "limit", 1, LIMIT_MAX, &question.limit, complaint) <
			0)
		return -EINVAL;
	return local_ask_sessions(path, &question, ret_answer, complaint);
}

const struct view view_sessions = { "GET", "/v1/sessions", answer };
