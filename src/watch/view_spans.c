/* The spans of a session, of a trace, or of the newest traces. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/complaint.h"
#include "http/server.h"
#include "watch/local_query.h"
#include "watch/local_questions.h"
#include "watch/watch.h"

enum { LAST_MAX = 1000, PREFIX_MIN = 4, CANDIDATES_MAX = 8, SHOWN_ID_MAX = 40 };

/* Each gives trace ids, the newest trace first, for an id or a number. */
static const char traces_of_session[] =
	"SELECT trace_id FROM span WHERE session_id = ? GROUP BY trace_id ORDER BY max(start_ns) DESC";
static const char trace_of_id[] = "SELECT DISTINCT trace_id FROM span WHERE trace_id = ?";
static const char newest_traces[] =
	"SELECT trace_id FROM span GROUP BY trace_id ORDER BY max(arrival) DESC LIMIT ?";

static const char trace_itself[] =
	"SELECT trace_id, max(session_id) AS session_id, max(service) AS service, max(user_id) AS user_id,"
	" max(environment) AS environment, min(start_ns) AS start_ns,"
	" max(max(start_ns, end_ns)) AS end_ns, count(*) AS span_count"
	" FROM span WHERE trace_id = ?";

#define SPAN \
	"SELECT span_id, parent_span_id, name, kind, level, status_message, start_ns, end_ns, lane," \
	" service, scope, provider, model, usage, cost_fusd, cost_source, cost_status"
#define OF_TRACE " FROM span WHERE trace_id = ? ORDER BY start_ns, arrival"
static const char spans[] = SPAN OF_TRACE;
static const char spans_with_content[] =
	SPAN ", input, nullif(input_bytes, 0) AS input_bytes, output,"
	     " nullif(output_bytes, 0) AS output_bytes" OF_TRACE;

/* The ids that begin so. The id itself, where it is there, is the shortest and comes first. */
static const char candidates[] =
	"SELECT id, min(what) AS what FROM ("
	"SELECT session_id AS id, 'session' AS what FROM span"
	" WHERE session_id >= ?1 AND session_id < ?1 || char(1114111) "
	"UNION ALL SELECT trace_id, 'trace' FROM span"
	" WHERE trace_id >= lower(?1) AND trace_id < lower(?1) || char(1114111)"
	") GROUP BY id ORDER BY length(id), id LIMIT ?2";

static sqlite3_stmt *prepare_for(struct local_query *query, const char *sql, const char *id)
{
	sqlite3_stmt *statement = local_query_prepare(query, sql);
	sqlite3_bind_text(statement, 1, id, -1, SQLITE_TRANSIENT);
	return statement;
}

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* A session's id is a sender's text: at most so many of its bytes, and none but printable ones. */
static void print_id(char out[SHOWN_ID_MAX + 1], const char *id)
{
	size_t len = strnlen(id, SHOWN_ID_MAX);
	for (size_t i = 0; i < len; i++)
		out[i] = id[i] < ' ' || id[i] > '~' ? '?' : id[i];
	out[len] = '\0';
}

static void refuse(struct local_query *query, const char *id, const json_t *found)
{
	char text[SHOWN_ID_MAX + 1], list[CANDIDATES_MAX * (SHOWN_ID_MAX + 2) + 8] = "";
	size_t count = json_array_size(found), len = 0;
	print_id(text, id);
	if (strlen(id) < PREFIX_MIN) {
		local_query_fail(query, -EINVAL,
			"an id needs at least its first four characters, not ", text);
		return;
	}
	if (!count) {
		local_query_fail(query, -ENOENT, "no session or trace begins with ", text);
		return;
	}
	for (size_t i = 0; i < count && i < CANDIDATES_MAX; i++) {
		print_id(text, member(json_array_get(found, i), "id"));
		len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", text);
	}
	if (count > CANDIDATES_MAX)
		snprintf(list + len, sizeof list - len, ", ...");
	local_query_fail(query, -EINVAL, "this is the beginning of more than one id: ", list);
}

static sqlite3_stmt *traces_of(struct local_query *query, const char *id)
{
	sqlite3_stmt *search = prepare_for(query, candidates, id), *traces = NULL;
	sqlite3_bind_int(search, 2, CANDIDATES_MAX + 1);
	json_t *found = local_query_rows(query, search);
	const json_t *first = json_array_get(found, 0);
	const char *first_id = member(first, "id");
	bool is_it = first_id && strcasecmp(first_id, id) == 0;
	if (is_it || (json_array_size(found) == 1 && strlen(id) >= PREFIX_MIN))
		traces = prepare_for(query,
			strcmp(member(first, "what"), "session") == 0 ? traces_of_session :
									trace_of_id,
			first_id);
	else
		refuse(query, id, found);
	json_decref(found);
	return traces;
}

static json_t *read_trace(struct local_query *query, const char *id, bool has_content)
{
	json_t *trace = local_query_one(query, prepare_for(query, trace_itself, id));
	json_t *list = local_query_rows(
		query, prepare_for(query, has_content ? spans_with_content : spans, id));
	local_query_set(query, trace, "spans", list);
	return trace;
}

int local_ask_spans(const char *path, const struct spans_question *question, json_t **ret_answer,
	struct complaint *complaint)
{
	struct local_query query;
	local_query_begin(&query, path, complaint);
	sqlite3_stmt *ids = question->id ? traces_of(&query, question->id) :
					   local_query_prepare(&query, newest_traces);
	if (!question->id)
		sqlite3_bind_int64(ids, 1, question->last);
	json_t *answer = json_object(), *traces = json_array();
	while (!query.is_cut && local_query_next(&query, ids)) {
		const char *id = (const char *)sqlite3_column_text(ids, 0);
		if (json_array_insert_new(
			    traces, 0, read_trace(&query, id, question->has_content)) < 0)
			local_query_fail(&query, -ENOMEM, "no memory for an answer", "");
	}
	sqlite3_finalize(ids);
	local_query_set(&query, answer, "traces", traces);
	return local_query_end(&query, answer, ret_answer);
}

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	const char *path = local_query_path(watch, complaint);
	struct spans_question question = { .id = http_request_argument(request, "id"), .last = 1 };
	int64_t has_content = 0;
	if (!path)
		return -ENOENT;
	if (local_query_argument(request, "last", 1, LAST_MAX, &question.last, complaint) < 0 ||
		local_query_argument(request, "content", 0, 1, &has_content, complaint) < 0)
		return -EINVAL;
	question.has_content = has_content;
	return local_ask_spans(path, &question, ret_answer, complaint);
}

const struct view view_spans = { "GET", "/v1/spans", answer };
