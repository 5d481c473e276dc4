/*
 * What came, given to the synthesis as the daemon does it, with a clock that is moved: each request is stored
 * under a number, what is due goes out, is enriched and kept. So a test decides about order, time and death.
 */
#ifndef TG_TESTS_SUPPORT_REPLAY_H
#define TG_TESTS_SUPPORT_REPLAY_H

#include <jansson.h>

#include "config/config.h"
#include "support/capture.h"
#include "support/scratch.h"
#include "synthesize/synthesis.h"

struct replay {
	struct config *config;
	char directory[SCRATCH_PATH_MAX]; /* of memory */
	struct memory *memory;
	struct synthesis *synthesis;
	json_t *spans;   /* what went out, in that order, as span_json of support/session_tree.h */
	uint64_t now_ns; /* of the moved clock */
	struct stored *stored; /* all that was taken, in order: the log */
	size_t stored_count;
	bool is_counting; /* keeps no spans, counts them alone */
	size_t span_count;
};

/*
 *   settings  "name=value" with names of settings, NULL at the end; NULL for none
 */
void replay_begin(struct replay *replay, const char *const *settings);
void replay_end(struct replay *replay);

/* Moves the clock; what falls due on the way goes out when it is due. */
void replay_until(struct replay *replay, uint64_t now_ns);
/* The same, until nothing will be due any more. */
void replay_out(struct replay *replay);

/* One request at its time, and what it makes due. */
void replay_take(struct replay *replay, const struct delivery *delivery, const char *lane);

/* All of a capture in its order. */
void replay_capture(struct replay *replay, const struct capture *capture, bool with_spans);

/* A stop and a start: nothing of the process is left, memory and the log are. */
void replay_restart(struct replay *replay);

#endif
