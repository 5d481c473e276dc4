#include "export/shares.h"

#include <string.h>

#include "spool/delivery.h"
#include "spool/spool.h"

/*
 * A cursor passes what is not taken: only who takes the same signals of the same lane has what another one
 * would lose.
 */
static bool has_what(const struct share *one, const struct share *other)
{
	return one->exporter != other->exporter && strcmp(one->name, other->name) == 0 &&
		(one->signals & other->signals) == other->signals;
}

/* Sequence below which some other destination has everything. */
static uint64_t safe_below(const struct shares *shares, const struct share *but)
{
	uint64_t safe = 0;
	for (const struct share *share = shares->at; share < shares->at + shares->count; share++)
		if (share->cursor > safe && has_what(share, but))
			safe = share->cursor;
	return safe;
}

static uint64_t later(uint64_t one_ns, uint64_t other_ns)
{
	return one_ns > other_ns ? one_ns : other_ns;
}

/*
 * Its keys are refused, and since they were those of others have not been. Where the doors are closed for it,
 * there is no other sign.
 */
static bool is_refused_alone(const struct share *share, uint64_t siblings_ns)
{
	const struct lane_health *health = &share->health;
	return health->failing_since_ns && siblings_ns > health->failing_since_ns &&
		(health->status == 401 || health->status == 403);
}

/* Counts only the time in which another one is well: when all are away, none of them is missed. */
static void look(const struct shares *shares, struct share *share, uint64_t end, uint64_t now_ms)
{
	uint64_t heard_ns = share->health.last_success_ns, siblings_ns = 0, others_ns = 0;
	for (const struct share *other = shares->at; other < shares->at + shares->count; other++) {
		if (other == share)
			continue;
		others_ns = later(others_ns, other->health.last_success_ns);
		if (other->exporter == share->exporter)
			siblings_ns = later(siblings_ns, other->health.last_success_ns);
	}
	bool is_shut_out =
		siblings_ns != share->siblings_ns || is_refused_alone(share, siblings_ns);
	bool is_another_well = others_ns != share->others_ns || safe_below(shares, share) >= end;
	uint64_t passed_ms = share->looked_ms ? now_ms - share->looked_ms : 0;
	bool is_well = heard_ns != share->heard_ns || share->cursor >= end;
	share->missed_ms = is_well ? 0 : share->missed_ms + (is_another_well ? passed_ms : 0);
	share->shut_out_ms = is_well ? 0 : share->shut_out_ms + (is_shut_out ? passed_ms : 0);
	share->heard_ns = heard_ns;
	share->siblings_ns = siblings_ns;
	share->others_ns = others_ns;
	share->looked_ms = now_ms;
}

static bool is_over(const struct shares *shares, uint64_t time_ms)
{
	return time_ms >= shares->silence_timeout_ms && time_ms > 0;
}

static void enforce(const struct shares *shares, const struct share *share)
{
	uint64_t eighth = shares->max_bytes / 8;
	if (share->is_left_behind)
		exporter_enforce_share(share->exporter, share->lane, eighth, UINT64_MAX);
	else if (is_over(shares, share->shut_out_ms))
		exporter_enforce_share(
			share->exporter, share->lane, shares->max_bytes - eighth, UINT64_MAX);
	else if (is_over(shares, share->missed_ms))
		exporter_enforce_share(share->exporter, share->lane, shares->max_bytes - eighth,
			safe_below(shares, share));
}

void shares_enforce(struct shares *shares, uint64_t now_ms)
{
	uint64_t end = spool_figures(shares->spool).next_sequence;
	for (struct share *share = shares->at; share < shares->at + shares->count; share++) {
		share->cursor = delivery_cursor(share->delivery);
		share->health = exporter_lane_health(share->exporter, share->lane);
	}
	for (struct share *share = shares->at; share < shares->at + shares->count; share++) {
		look(shares, share, end, now_ms);
		enforce(shares, share);
	}
}
