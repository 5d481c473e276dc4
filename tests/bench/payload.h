/*
 * Requests for a generator: model calls in the OpenTelemetry GenAI vocabulary, or in ten of them, or calls of
 * another kind, encoded once, whose ids are patched for each use so that every span that is ever sent is another one.
 *
 * The text comes from 4,160 pseudo-words whose frequency falls as in a natural language, because
 * gzip is the largest part of the cost: repeated sample text would flatter everybody.
 */
#ifndef TG_TESTS_BENCH_PAYLOAD_H
#define TG_TESTS_BENCH_PAYLOAD_H

#include "base/buf.h"

enum payload_case {
	PAYLOAD_SMALL,        /* 100 spans of 1.19 KB, as an SDK's batch */
	PAYLOAD_LARGE,        /* 20 spans of 8.9 KB, long prompts */
	PAYLOAD_TINY,         /* 5 spans of 1.19 KB, many small senders */
	PAYLOAD_VOCABULARIES, /* 100 spans of 1.19 KB, ten from each of ten processes, each in its words */
	PAYLOAD_OTHERS, /* 100 spans of 1.19 KB that are no model calls */
	PAYLOAD_CASE_COUNT,
	PAYLOAD_CLAUDE_LOGS =
		PAYLOAD_CASE_COUNT, /* no spans: 39 log events, a turn of ten calls and nine tools */
};

enum { CLAUDE_LOGS_SPANS = 20 }; /* that such a turn becomes */

const char *payload_case_name(enum payload_case which);
/* Where its requests are posted to. */
const char *payload_case_path(enum payload_case which);
/* Spans (or events) in one request of this case. */
unsigned payload_case_spans(enum payload_case which);

enum { PAYLOAD_SESSIONS_MAX = 32 };

struct payload {
	struct buf request; /* encoded */
	bool is_json, is_logs;
	unsigned span_count;
	size_t span_at
		[100]; /* where each encoded Span begins; of an event, the end of its session's id */
	size_t session_at[PAYLOAD_SESSIONS_MAX]; /* ends of ids of sessions that are stamped too */
	unsigned session_count;
};

/* 0 or -ENOMEM. The same case and seed make the same text. */
int payload_init(struct payload *payload, enum payload_case which, uint64_t seed);
void payload_done(struct payload *payload);

/*
 * Where the request names the session of a coding CLI. Its spans are held until their turn is over, so each
 * request is one of its own: a session that grew for ever would be none that there is.
 */
void payload_find_sessions(struct payload *payload);

/* The same spans in the other encoding. 0 or -ENOMEM. */
int payload_to_json(struct payload *payload);

/*
 * Gives the spans the numbers from `first` on and one trace id; the first span is the others' parent. Events
 * become a turn of a session of that number, and so do spans of a coding CLI.
 *
 *   request  the request as it is sent: payload->request, or a copy of it
 */
void payload_stamp(const struct payload *payload, uint8_t *request, uint64_t first);

#endif
