/*
 * When what was planned goes out. Pure functions of a plan and the settings; what is said is the time from
 * which on, if nothing else comes.
 */
#ifndef TG_SYNTHESIZE_TIMING_H
#define TG_SYNTHESIZE_TIMING_H

#include "synthesize/plan.h"

struct config;

struct timing {
	const struct config *config;
	bool has_hooks; /* the session has sent some */
	bool is_young; /* what its source sends is not known well yet: partners are waited for in full */
};

/* CLIs send what they have every five seconds. */
#define EXPORT_INTERVAL_NS (UINT64_C(5) * 1000000000)

/* From when on nothing that belongs to what came at this time is to be expected. */
uint64_t timing_settled_ns(const struct timing *timing, uint64_t received_ns);

uint64_t timing_session_idle_ns(const struct timing *timing, uint64_t received_ns);

/* How long people may want to see that a session was there. */
uint64_t timing_session_forgotten_ns(const struct timing *timing, uint64_t received_ns);

/* When the turn is over. */
uint64_t timing_turn_closes_ns(const struct timing *timing, const struct planned_turn *turn);

/*
 * When a unit goes that its turn or session does not hold back.
 *
 *   is_complete  nothing is missing that its source is known to send
 */
uint64_t timing_unit_goes_ns(const struct timing *timing, bool is_complete, uint64_t received_ns);

#endif
