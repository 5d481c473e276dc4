#include "synthesize/timing.h"

#include "config/config.h"

static uint64_t after_ms(uint64_t from_ns, uint64_t ms)
{
	return from_ns + ms * 1000000;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t timing_settled_ns(const struct timing *timing, uint64_t received_ns)
{
	return after_ms(received_ns, timing->config->sessions.join_wait_ms) + EXPORT_INTERVAL_NS;
}

uint64_t timing_session_idle_ns(const struct timing *timing, uint64_t received_ns)
{
	return after_ms(received_ns, timing->config->sessions.session_idle_ms);
}

uint64_t timing_session_forgotten_ns(const struct timing *timing, uint64_t received_ns)
{
	enum { IDLE_TIMES = 6 };
	return after_ms(received_ns, timing->config->sessions.session_idle_ms * IDLE_TIMES);
}

/* Silence tells less where hooks will tell, and nothing of a command that may be about to call a model. */
static bool is_over_when_idle(const struct timing *timing, const struct planned_turn *turn)
{
	enum turn_end_setting mode = timing->config->sessions.turn_end;
	bool has_hooks = timing->has_hooks || turn->has_hooks;
	if (turn->is_busy || turn->is_nothing)
		return false;
	return mode == TURN_END_HEURISTIC || (mode == TURN_END_AUTO && !has_hooks);
}

uint64_t timing_turn_closes_ns(const struct timing *timing, const struct planned_turn *turn)
{
	bool is_heuristic = timing->config->sessions.turn_end == TURN_END_HEURISTIC;
	bool is_ended = turn->end != TURN_IS_OPEN && !(is_heuristic && turn->end == TURN_STOPPED);
	uint64_t at_ns = timing_session_idle_ns(timing, turn->received_ns);
	if (is_ended) {
		uint64_t last_ns = turn->received_ns > turn->end_received_ns ?
			turn->received_ns :
			turn->end_received_ns;
		at_ns = smaller(at_ns, timing_settled_ns(timing, last_ns));
	}
	if (is_over_when_idle(timing, turn))
		at_ns = smaller(
			at_ns, after_ms(turn->received_ns, timing->config->sessions.turn_idle_ms));
	return at_ns;
}

uint64_t timing_unit_goes_ns(const struct timing *timing, bool is_complete, uint64_t received_ns)
{
	if (is_complete && !timing->is_young)
		return after_ms(received_ns, timing->config->sessions.join_wait_ms);
	return timing_settled_ns(timing, received_ns);
}
