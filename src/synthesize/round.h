/*
 * Some sessions that are due, planned together, so that what they give is one request. Only when that was
 * taken is it remembered, and are turns over.
 */
#ifndef TG_SYNTHESIZE_ROUND_H
#define TG_SYNTHESIZE_ROUND_H

#include "synthesize/parcel.h"
#include "synthesize/session.h"

struct config;
struct synthesis_sink;

enum { ROUND_SESSIONS = 64 };

struct round {
	const struct config *config;
	struct memory *memory;
	struct sessions *sessions;
	struct parcels *parcels;
	struct live *live;
	const struct synthesis_sink *sink;
	uint64_t now_ns;

	/* Its own. */
	struct planned *planned[ROUND_SESSIONS];
	size_t count;
	struct buf request; /* all for one lane */
	uint32_t span_count;
};

/* Plans the session. What it has to give goes at the latest with round_flush. As round_flush. */
int round_add(struct round *round, struct session *session);

/* 0; or negative errno of the sink or for want of memory: nothing was given, and the sessions are due again. */
int round_flush(struct round *round);

#endif
