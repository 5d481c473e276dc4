/*
 * What is posted to Langfuse's /api/public/ingestion and /api/public/scores, as far as it must be kept while
 * Langfuse is away: pure functions on JSON.
 *
 * Kept is one event a line, as it stands in a batch: {"id":..., "timestamp":..., "type":..., "body":{...}}
 * and a line feed, none within. A score is the event "score-create" that Langfuse makes of it itself.
 */
#ifndef TG_PROXY_EVENTS_H
#define TG_PROXY_EVENTS_H

#include "base/buf.h"
#include "base/complaint.h"

/* Bounds on what is read. No more is written than that, and a fixed part for each event. */
struct events_limits {
	unsigned max_depth;
	uint32_t max_events;   /* in one batch */
	struct budget *budget; /* charged with what is written; NULL for none */
};

struct events {
	struct buf lines;   /* to be stored */
	struct buf answer;  /* as Langfuse's to a batch, a score, a list of scores */
	unsigned status;    /* of the answer: 207, 200, 202 */
	uint32_t count;     /* of lines; what has no id or no type stands in the answer's errors */
	uint32_t of_traces; /* of them about traces and observations: what OTLP carries better */
};

/*
 * A batch as it was posted, decoded. 0; -EBADMSG with words: no such JSON; -E2BIG: beyond the limits; -ENOMEM.
 */
int events_of_batch(struct bytes body, const struct events_limits *limits,
	struct events *ret_events, struct complaint *complaint);

/*
 * A score as it was posted, or a list of them. Each has an id: its own, or one that events_name_scores gave it.
 *
 *   now_ns  Unix time, the events' timestamp
 */
int events_of_scores(struct bytes body, uint64_t now_ns, const struct events_limits *limits,
	struct events *ret_events, struct complaint *complaint);
void events_done(struct events *events);

/*
 * Writes each score with an id of our making where it has none, so that a second try is not a second score; all
 * else stays byte for byte. As events_of_batch.
 */
int events_name_scores(struct bytes body, const struct events_limits *limits, struct buf *named,
	struct complaint *complaint);

#endif
