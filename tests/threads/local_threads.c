/*
 * The local view with everybody else around it: two threads append and wake it, one asks for figures, the
 * log says now and then that it is too far behind. A plain program: it also runs under the thread sanitizer.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "export/local.h"
#include "support/fake_spool.h"
#include "support/scratch.h"

enum { RECORDS = 200, SPANS = 3, MAX_LAG_BYTES = 1000, WAIT_MS = 30000 };

static void *run(void *local)
{
	local_run(local);
	return NULL;
}

static void *append(void *spool)
{
	for (int i = 0; i < RECORDS; i++)
		fake_spool_add(spool, (struct fake_record){ .spans = SPANS });
	return NULL;
}

static void *watch(void *arg)
{
	uint64_t seen = 0;
	for (int i = 0; i < 1000; i++) {
		struct local_figures figures = local_figures(arg);
		if (figures.stored < seen || !local_path(arg)[0])
			abort();
		seen = figures.stored;
	}
	return NULL;
}

static void check(const char *what, uint64_t is, uint64_t wanted)
{
	if (is == wanted)
		return;
	fprintf(stderr, "%s: %llu, not %llu\n", what, (unsigned long long)is,
		(unsigned long long)wanted);
	exit(1);
}

int main(void)
{
	static const char *const lanes[] = { "default" };
	char directory[SCRATCH_PATH_MAX];
	check("directory", (uint64_t)scratch_make(directory), 0);
	struct spool *spool = fake_spool_new();
	const struct local_options options = { .directory = directory,
		.max_bytes = 64 << 20,
		.content_max_bytes = 1024,
		.max_lag_bytes = MAX_LAG_BYTES,
		.spool = spool,
		.deliveries = fake_spool_deliveries(spool),
		.lanes = lanes,
		.lane_count = 1 };
	struct local *local;
	check("local_open", (uint64_t)local_open(&options, &local), 0);
	pthread_t running, appending[2], watching;
	pthread_create(&running, NULL, run, local);
	pthread_create(&appending[0], NULL, append, spool);
	pthread_create(&appending[1], NULL, append, spool);
	pthread_create(&watching, NULL, watch, local);
	pthread_join(appending[0], NULL);
	fake_spool_set_share(spool, RECORDS, MAX_LAG_BYTES + 1);
	pthread_join(appending[1], NULL);
	pthread_join(watching, NULL);
	local_stop(local, clock_monotonic_ms() + WAIT_MS);
	fake_spool_set_share(spool, RECORDS, 0);
	pthread_join(running, NULL);

	struct local_figures figures = local_figures(local);
	check("stored and skipped", figures.stored + figures.skipped, 2 * RECORDS * SPANS);
	check("delivered", fake_spool_count(spool, OUTCOME_DELIVERED), figures.stored);
	check("dropped", fake_spool_count(spool, OUTCOME_DROPPED), figures.skipped);
	local_free(local);
	check("records not given back", fake_spool_records_out(spool), 0);
	check("faults", fake_spool_faults(spool), 0);
	fake_spool_free(spool);
	scratch_remove(directory);
	return 0;
}
