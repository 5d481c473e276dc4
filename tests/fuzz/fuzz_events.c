/* What is posted to Langfuse's ingestion and scores, as any bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "support/events_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_none(const char *wrong)
{
	if (!wrong)
		return;
	fprintf(stderr, "not so: %s\n", wrong);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct events_limits limits = { .max_depth = 20, .max_events = 50 };
	demand_none(events_judge_batch((struct bytes){ data, size }, &limits));
	demand_none(events_judge_scores((struct bytes){ data, size }, &limits));
	return 0;
}
