/* Prices by the hour: weekdays and windows of the day in UTC, but for days that are excluded. */
#ifndef TG_PRICING_HOURS_H
#define TG_PRICING_HOURS_H

#include "pricing/fields.h"
#include "pricing/table.h"

/* The member "schedules" of a period, if it is there. -EINVAL with a complaint, -ENOMEM. */
int hours_read(struct prices *prices, const json_t *object, const struct price_set *standard,
	const struct place *place, struct period *period);

enum hours {
	HOURS_OUTSIDE, /* of every window */
	HOURS_HOLD,
	HOURS_EXCLUDED,  /* inside, on a day that does not count */
	HOURS_UNCERTAIN, /* inside, and whether the day counts is not known */
};

/*   ret_schedule  the one whose window the time is in; NULL when outside */
enum hours hours_at(
	const struct period *period, uint64_t at_ns, const struct schedule **ret_schedule);

#endif
