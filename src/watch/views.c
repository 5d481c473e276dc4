#include "watch/watch.h"

extern const struct view view_status;

const struct view *const views[] = {
	&view_status,
	NULL,
};
