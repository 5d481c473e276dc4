/*
 * Sessions that are open: takes stored requests of the CLIs, gives spans that are complete.
 *
 * The only owner of sessions, in one thread, without a clock of its own: `now_ns` is told, so that tests
 * move it. An event waits for its partners at most sessions.join_wait_ms after it came; a turn's own span goes
 * out when the turn is over. What went out is remembered (memory.h) and never given again.
 */
#ifndef TG_SYNTHESIZE_SYNTHESIS_H
#define TG_SYNTHESIZE_SYNTHESIS_H

#include "batch.h"
#include "synthesize/live.h"
#include "synthesize/memory.h"

struct config;
struct sources;
struct synthesis;

/* Gives requests away; each call is one batch for one lane. The bytes are the synthesis' until it returns. */
struct synthesis_sink {
	/*
	 * Encoded ExportTraceServiceRequest. 0: it is where a crash does not lose it. Negative errno: it could not
	 * be taken now and is offered again.
	 */
	int (*spans)(void *arg, const char *lane, struct bytes request, uint32_t span_count);
	/* Encoded ExportLogsServiceRequest that travels on; only with wants_logs. */
	int (*logs)(void *arg, const char *lane, struct bytes request, uint32_t record_count);
	void *arg;
};

/*
 * The memory is the caller's and outlives it, as the configuration, and as `sources`, which it tells what is
 * withheld unless that is NULL. 0 or negative errno.
 */
int synthesis_new(const struct config *config, struct memory *memory, bool wants_logs,
	struct sources *sources, struct synthesis **ret_synthesis);
void synthesis_free(struct synthesis *synthesis);

/* One stored request of the inbox. */
struct stored_request {
	struct bytes body; /* decoded; read here and not kept */
	enum signal signal;
	const char *lane;
	uint64_t sequence;
	uint64_t received_ns;
};

/* 0, or -ENOMEM: to be offered again before others. What is malformed is counted and passed over. */
int synthesis_take(struct synthesis *synthesis, const struct stored_request *request);

/*
 * Gives what is due at this time. To be called after taking, when time has passed, and at synthesis_due. While
 * older records are still being taken, now is when the last of them came: what belongs to it may follow.
 *
 * Negative errno of the sink: what was not taken is given the next time.
 */
int synthesis_advance(
	struct synthesis *synthesis, uint64_t now_ns, const struct synthesis_sink *sink);

/* When something will be due if nothing comes; UINT64_MAX: never. */
uint64_t synthesis_due(const struct synthesis *synthesis);

/* Whether it holds more than the settings allow: it should advance before it takes more. */
bool synthesis_is_full(const struct synthesis *synthesis);

/* The first record that is still needed: a restart begins there. UINT64_MAX: none. */
uint64_t synthesis_needed_from(const struct synthesis *synthesis);

/* Of all records below, logs have travelled on; for memory_position. */
uint64_t synthesis_travelled(const struct synthesis *synthesis);

/* What people ask for while it runs: a copy, to be freed with live_view_free; from any thread. 0 or -ENOMEM. */
int synthesis_live(struct synthesis *synthesis, struct live_view *ret_view);
/* The same without the sessions. */
struct live_view synthesis_figures(struct synthesis *synthesis);

#endif
