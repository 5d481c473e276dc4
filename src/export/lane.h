/*
 * One signal of one lane of one destination: what is waiting, what is on its way, and when the next request may go.
 *
 * It knows no network and no clock; the exporter asks it for a job, sends it and tells it the reply.
 * Everything a destination can do to us ends in lane_settle, in one verdict.
 *
 * While a lane fails, one request at a time probes it. Every second probe is a later batch, so that a
 * batch which can never pass does not stand in the way of the others for ever.
 *
 * Stored events (SIGNAL_INGESTION) change what came before them, so their lane keeps the order: one request at
 * a time, and what has to be sent again goes before all that came later.
 */
#ifndef TG_EXPORT_LANE_H
#define TG_EXPORT_LANE_H

#include <stdatomic.h>

#include "export/job.h"
#include "export/verdict.h"
#include "spool/delivery.h"

struct destination_config;
struct lane;

/* Of one project at one destination, all signals together; written by its thread, read by any. */
struct exporter_counts {
	_Atomic uint64_t delivered; /* spans, also the next three */
	_Atomic uint64_t rejected;
	_Atomic uint64_t dead;
	_Atomic uint64_t dropped;
	_Atomic uint64_t retried;         /* requests */
	_Atomic uint64_t in_flight;       /* requests */
	_Atomic uint64_t last_status;     /* HTTP; 0 when there was no answer */
	_Atomic uint64_t last_success_ns; /* Unix time; 0 never */
};

/* All outlive the lane. */
struct lane_options {
	const char *name; /* as in the records */
	const struct destination_config *config;
	unsigned shapes;
	enum signal signal;       /* a destination that has no place for logs still takes traces */
	bool takes[SIGNAL_COUNT]; /* by enum signal: what its lanes of this name take together */
	uint64_t hold_initial_ms, hold_max_ms;
	struct spool *spool;
	struct deliveries *deliveries;
	struct exporter_counts *counts;
	void (*wake)(void *arg); /* called from the spool's writer thread; may be NULL */
	void *wake_arg;
};

/* Goes on where the delivery cursor stands; after delivery_begin. 0 or -ENOMEM. */
int lane_new(const struct lane_options *options, struct lane **ret_lane);
void lane_free(struct lane *lane);

/* The next request that may go now, loaded; the lane's until it is settled. NULL for none. */
struct job *lane_take(struct lane *lane, uint64_t now_ms);

/*
 * When lane_take may have something although neither spool nor reply came; UINT64_MAX for never. As of
 * the last lane_take.
 */
uint64_t lane_next_ms(const struct lane *lane);

/* What became of a job that lane_take gave.   random  for the back-off's jitter */
void lane_settle(struct lane *lane, struct job *job, const struct reply *reply, uint64_t now_ms,
	uint32_t random);

/* The keys are others now: what was refused with the old ones, or without any, goes at once. */
void lane_rekey(struct lane *lane);

/* What waits to be joined goes at once from now on. */
void lane_hurry(struct lane *lane);

/* Nothing was left to send or to wait for, as of the last lane_take. */
bool lane_is_done(const struct lane *lane);

/* What is kept for it in the log; from any thread. */
struct spool_lag lane_lag(const struct lane *lane);

/* Monotonic time since when it is held; 0 when it is not. */
uint64_t lane_held_since_ms(const struct lane *lane);

/* Where it counts. */
struct exporter_counts *lane_counts(const struct lane *lane);

/* What went wrong since the last delivery; all 0 when nothing did. From any thread. */
struct lane_trouble {
	uint64_t held_since_ms; /* monotonic; 0 when it is not held */
	uint64_t failing_since_ms;
	int status; /* of the last failure; 0 when there was no answer */
	const char *why;
};
struct lane_trouble lane_trouble(const struct lane *lane);

/*
 * Gives up what is not on its way, oldest first, until at most `max_bytes` are kept for this lane, but
 * nothing at or above `safe_below`: the sequence below which another destination has everything. Events,
 * which no other one has, become dead letters.
 */
void lane_enforce_share(struct lane *lane, uint64_t max_bytes, uint64_t safe_below);

enum signal lane_signal(const struct lane *lane);

/* Every record for it with a smaller sequence is finished; 0 until it has read. From any thread. */
uint64_t lane_finished_below(const struct lane *lane);

#endif
