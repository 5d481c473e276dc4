#include "watch/local_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/complaint.h"
#include "export/local.h"
#include "http/server.h"
#include "watch/local_sums.h"
#include "watch/watch.h"

enum {
	TIMEOUT_MS = 10 * 1000,
	BUSY_TIMEOUT_MS = 1000,
	STEPS_PER_LOOK = 10000, /* of SQLite's machine, between two looks at the clock */
	ROWS_MAX = 5000,
	BYTES_MAX = 16 << 20,
};

const char *local_query_path(const struct watch *watch, struct complaint *complaint)
{
	if (watch->local)
		return local_path(watch->local);
	complain(complaint, "the local view is off: set local.enabled");
	return NULL;
}

void local_query_fail(struct local_query *query, int error, const char *why, const char *detail)
{
	if (query->error)
		return;
	query->error = error;
	complain(query->complaint, "%s%s", why, detail);
}

static void fail_memory(struct local_query *query)
{
	local_query_fail(query, -ENOMEM, "no memory for an answer", "");
}

static void fail_sqlite(struct local_query *query, int result)
{
	switch (result & 0xff) {
	case SQLITE_INTERRUPT:
		local_query_fail(
			query, -EAGAIN, "this takes too long: ask about a shorter time", "");
		break;
	case SQLITE_BUSY:
		local_query_fail(query, -EAGAIN, "the local view is busy: ask again", "");
		break;
	case SQLITE_NOMEM:
		fail_memory(query);
		break;
	default:
		local_query_fail(
			query, -EIO, "the local view cannot be read: ", sqlite3_errstr(result));
	}
}

static int is_late(void *query)
{
	return clock_monotonic_ms() > ((struct local_query *)query)->deadline_ms;
}

void local_query_begin(struct local_query *query, const char *path, struct complaint *complaint)
{
	*query = (struct local_query){
		.deadline_ms = clock_monotonic_ms() + TIMEOUT_MS,
		.rows_left = ROWS_MAX,
		.bytes_left = BYTES_MAX,
		.complaint = complaint,
	};
	int result = sqlite3_open_v2(path, &query->db, SQLITE_OPEN_READONLY, NULL);
	if (!result)
		result = sqlite3_busy_timeout(query->db, BUSY_TIMEOUT_MS);
	if (!result)
		result = local_sums_register(query->db);
	if (!result)
		result = sqlite3_exec(query->db, "PRAGMA query_only = 1; BEGIN", NULL, NULL, NULL);
	if (result)
		fail_sqlite(query, result);
	else
		sqlite3_progress_handler(query->db, STEPS_PER_LOOK, is_late, query);
}

int local_query_end(struct local_query *query, json_t *answer, json_t **ret_answer)
{
	json_t *view = local_query_one(query,
		local_query_prepare(query,
			"SELECT (SELECT min(start_ns) FROM span) AS begins_ns, (SELECT sum(spans) FROM skipped"
			" WHERE minute >= (SELECT min(start_ns) FROM span) / 60000000000) AS skipped_spans"));
	if (view && json_object_update(answer, view) < 0)
		fail_memory(query);
	json_decref(view);
	local_query_set(query, answer, "is_cut", json_boolean(query->is_cut));
	sqlite3_close(query->db);
	if (query->error)
		json_decref(answer);
	else
		*ret_answer = answer;
	return query->error;
}

sqlite3_stmt *local_query_prepare(struct local_query *query, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int result =
		query->error ? SQLITE_OK : sqlite3_prepare_v2(query->db, sql, -1, &statement, NULL);
	if (result)
		fail_sqlite(query, result);
	return statement;
}

bool local_query_next(struct local_query *query, sqlite3_stmt *statement)
{
	int result = query->error ? SQLITE_DONE : sqlite3_step(statement);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		fail_sqlite(query, result);
	return result == SQLITE_ROW;
}

void local_query_set(struct local_query *query, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		fail_memory(query);
}

/* Names and prompts are a sender's bytes: what is not UTF-8 becomes U+FFFD. */
static json_t *text_json(struct bytes text)
{
	json_t *json = json_stringn((const char *)text.at, text.len);
	if (json)
		return json;
	struct buf repaired;
	buf_init(&repaired, 6 * text.len + 2, NULL);
	buf_json_string(&repaired, text);
	if (!repaired.error)
		json = json_loadb((const char *)repaired.at, repaired.len,
			JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	buf_done(&repaired);
	return json;
}

static json_t *column_json(sqlite3_stmt *row, int column, const char *name)
{
	if (sqlite3_column_type(row, column) == SQLITE_INTEGER)
		return json_integer(sqlite3_column_int64(row, column));
	const void *at = sqlite3_column_text(row, column);
	struct bytes text = { at, (size_t)sqlite3_column_bytes(row, column) };
	json_t *usage = strcmp(name, "usage") == 0 ? json_loadb(at, text.len, 0, NULL) : NULL;
	return usage ? usage : text_json(text);
}

static json_t *read_row(struct local_query *query, sqlite3_stmt *statement)
{
	json_t *row = json_object();
	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		const char *name = sqlite3_column_name(statement, i);
		if (sqlite3_column_type(statement, i) != SQLITE_NULL)
			local_query_set(query, row, name, column_json(statement, i, name));
	}
	return row;
}

static size_t row_bytes(sqlite3_stmt *row)
{
	size_t bytes = 0;
	for (int i = 0; i < sqlite3_column_count(row); i++)
		if (sqlite3_column_type(row, i) == SQLITE_TEXT)
			bytes += (size_t)sqlite3_column_bytes(row, i);
	return bytes;
}

json_t *local_query_rows(struct local_query *query, sqlite3_stmt *statement)
{
	json_t *rows = json_array();
	while (!query->is_cut && local_query_next(query, statement)) {
		size_t bytes = row_bytes(statement);
		query->is_cut = !query->rows_left || bytes > query->bytes_left;
		if (query->is_cut)
			break;
		query->rows_left--;
		query->bytes_left -= bytes;
		if (json_array_append_new(rows, read_row(query, statement)) < 0)
			fail_memory(query);
	}
	sqlite3_finalize(statement);
	return rows;
}

json_t *local_query_one(struct local_query *query, sqlite3_stmt *statement)
{
	json_t *row = local_query_next(query, statement) ? read_row(query, statement) : NULL;
	sqlite3_finalize(statement);
	return row;
}

int local_query_argument(const struct http_request *request, const char *name, int64_t min,
	int64_t max, int64_t *number, struct complaint *complaint)
{
	const char *text = http_request_argument(request, name);
	char *end;
	if (!text)
		return 0;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		return complain(complaint, "%s must be a number from %lld to %lld", name,
			(long long)min, (long long)max);
	*number = value;
	return 0;
}
