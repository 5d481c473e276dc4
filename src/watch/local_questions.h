/*
 * What can be asked of the local view, apart from HTTP. `path` is its file. Each returns 0 with a new
 * reference, or negative errno with words, as a view does; what every answer says is in local_query.h.
 */
#ifndef TG_WATCH_LOCAL_QUESTIONS_H
#define TG_WATCH_LOCAL_QUESTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct complaint;

struct spans_question {
	const char *id; /* of a session or trace, or its beginning; NULL: the newest traces */
	int64_t last;   /* how many of those */
	bool has_content;
};
/* {"traces": [{"trace_id", ..., "spans": [...]}]} in order of time; at a bound the oldest are missing. */
int local_ask_spans(const char *path, const struct spans_question *question, json_t **ret_answer,
	struct complaint *complaint);

struct sessions_question {
	int64_t since_ns; /* those with a span that began then or later, as they are in whole */
	int64_t limit;
};
/* {"sessions": [...], "traces_without_session"}, the newest session first. */
int local_ask_sessions(const char *path, const struct sessions_question *question,
	json_t **ret_answer, struct complaint *complaint);

struct cost_question {
	const char *by; /* model, cli, day or session */
	int64_t since_ns;
	int64_t utc_offset_s; /* of the time zone whose days are meant */
};
/*
 * {"by", "since_ns", "total": {...}, "unpriced": [...], "rows": [...]} of model calls: the dearest first, days in their
 * order. "unpriced" are the models of calls whose cost is not known.
 */
int local_ask_cost(const char *path, const struct cost_question *question, json_t **ret_answer,
	struct complaint *complaint);

#endif
