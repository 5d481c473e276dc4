#include "export/shares.h"

#include <stdbool.h>

#include "export/exporter.h"
#include "spool/delivery.h"
#include "spool/spool.h"

/* Sequence below which a destination has everything, of all lanes. */
static uint64_t cursor_of(const struct shares *shares, const struct share *share)
{
	uint64_t cursor = UINT64_MAX;
	for (size_t i = 0; i < shares->lane_count; i++) {
		uint64_t at = delivery_cursor(
			delivery_of(shares->deliveries, share->destination, shares->lanes[i]));
		if (at < cursor)
			cursor = at;
	}
	return cursor;
}

/* A cursor passes what is not taken: only who takes the same signals has what another one would lose. */
static bool has_what(const struct share *one, const struct share *other)
{
	return one != other && (one->signals & other->signals) == other->signals;
}

/* Sequence below which some other destination has everything. */
static uint64_t safe_below(const struct shares *shares, const struct share *but)
{
	uint64_t safe = 0;
	for (struct share *share = shares->at; share < shares->at + shares->count; share++) {
		uint64_t cursor = has_what(share, but) ? cursor_of(shares, share) : 0;
		if (cursor > safe)
			safe = cursor;
	}
	return safe;
}

/* Counts only the time in which another one is well: when all are away, none of them is missed. */
static bool is_missed(const struct shares *shares, struct share *share, uint64_t now_ms)
{
	uint64_t heard_ns = exporter_figures(share->exporter).last_success_ns, others_ns = 0;
	for (struct share *other = shares->at; other < shares->at + shares->count; other++) {
		uint64_t other_ns = exporter_figures(other->exporter).last_success_ns;
		if (other != share && other_ns > others_ns)
			others_ns = other_ns;
	}
	uint64_t end = spool_figures(shares->spool).next_sequence;
	bool is_another_well = others_ns != share->others_ns || safe_below(shares, share) >= end;
	if (heard_ns != share->heard_ns || cursor_of(shares, share) >= end)
		share->missed_ms = 0;
	else if (is_another_well && share->looked_ms)
		share->missed_ms += now_ms - share->looked_ms;
	share->heard_ns = heard_ns;
	share->others_ns = others_ns;
	share->looked_ms = now_ms;
	return share->missed_ms >= shares->silence_timeout_ms && share->missed_ms > 0;
}

void shares_enforce(struct shares *shares, uint64_t now_ms)
{
	uint64_t share_bytes = shares->max_bytes - shares->max_bytes / 8;
	for (struct share *share = shares->at; share < shares->at + shares->count; share++)
		if (is_missed(shares, share, now_ms))
			exporter_enforce_share(
				share->exporter, share_bytes, safe_below(shares, share));
}
