/*
 * Questions to the local view's file. Each has a read-only connection and a snapshot of its own, so that
 * neither the writer nor another question waits for it, and bounds on its time, rows and bytes.
 * SQL has the sums of local_sums.h too.
 */
#ifndef TG_WATCH_LOCAL_QUERY_H
#define TG_WATCH_LOCAL_QUERY_H

#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct complaint;
struct http_request;
struct watch;

/* Tokens and cost stand on these spans alone, and not on those that wrap another such. */
#define IS_MODEL_CALL "kind IN ('LLM', 'EMBEDDING', 'RERANKER') AND cost_status IS NOT 'repeated'"

/* The first failure stays inside and makes every later call do nothing. */
struct local_query {
	sqlite3 *db;
	uint64_t deadline_ms;
	size_t rows_left, bytes_left; /* of local_query_rows, all together */
	bool is_cut;                  /* there was more */
	struct complaint *complaint;
	int error;
};

/* The view's file; NULL after a complaint when there is no local view (-ENOENT). */
const char *local_query_path(const struct watch *watch, struct complaint *complaint);

/* Opens; local_query_end follows in any case. */
void local_query_begin(struct local_query *query, const char *path, struct complaint *complaint);

/*
 * Closes, and takes `answer` over: 0 with it in `ret_answer`, or the first error. Every answer says
 * "is_cut"; "begins_ns", the start of the oldest span in the view, missing when that is empty; and
 * "skipped_spans", with which the view could not keep up since then.
 */
int local_query_end(struct local_query *query, json_t *answer, json_t **ret_answer);

/* `why` and `detail` are the words for the person, one behind the other. */
void local_query_fail(struct local_query *query, int error, const char *why, const char *detail);

/* To be bound with sqlite3_bind_*; NULL after an error, which those take. */
sqlite3_stmt *local_query_prepare(struct local_query *query, const char *sql);
bool local_query_next(struct local_query *query, sqlite3_stmt *statement);

/*
 * The rows that the bounds allow, and the one row that there is; the statement is finalized. A row is an
 * object without the columns that are NULL; "usage" is an object in it.
 */
json_t *local_query_rows(struct local_query *query, sqlite3_stmt *statement);
json_t *local_query_one(struct local_query *query, sqlite3_stmt *statement);

/* As json_object_set_new; no memory is the query's error. */
void local_query_set(struct local_query *query, json_t *object, const char *key, json_t *value);

/*
 * A number among the arguments of a request; `number` stays when it is absent. -EINVAL with words
 * when it is none from `min` to `max`.
 */
int local_query_argument(const struct http_request *request, const char *name, int64_t min,
	int64_t max, int64_t *number, struct complaint *complaint);

#endif
