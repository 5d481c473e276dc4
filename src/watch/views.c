#include "watch/watch.h"

extern const struct view view_status, view_sources, view_spans, view_sessions, view_live, view_cost,
	view_prices, view_spool, view_dead, view_dead_letter, view_dead_retry, view_dead_drop,
	view_verify;

const struct view *const views[] = {
	&view_status,
	&view_sources,
	&view_spans,
	&view_sessions,
	&view_live,
	&view_cost,
	&view_prices,
	&view_spool,
	&view_dead,
	&view_dead_letter,
	&view_dead_retry,
	&view_dead_drop,
	&view_verify,
	NULL,
};
