#include "watch/watch.h"

extern const struct view view_status, view_spans, view_sessions, view_cost;

const struct view *const views[] = {
	&view_status,
	&view_spans,
	&view_sessions,
	&view_cost,
	NULL,
};
