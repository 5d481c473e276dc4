/*
 * One exporter with everybody else around it: two threads append and wake it, one asks for figures,
 * shares and other keys, one ends it in the middle. A plain program: it also runs under the thread sanitizer.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/complaint.h"
#include "config/config.h"
#include "export/exporter.h"
#include "support/fake_destination.h"
#include "support/fake_spool.h"

static char *endpoint;

enum { RECORDS = 200, SPANS = 3, WAIT_MS = 30000 };

static void *run(void *exporter)
{
	exporter_run(exporter);
	return NULL;
}

static void *append(void *spool)
{
	for (int i = 0; i < RECORDS; i++)
		fake_spool_add(spool, (struct fake_record){ .spans = SPANS });
	return NULL;
}

/* With a copy of the configuration that is gone when this returns. */
static void rekey(struct exporter *exporter, int number)
{
	char value[16];
	snprintf(value, sizeof value, "%d", number);
	struct header_setting key = { "X-Key", value };
	struct destination_config config = { .name = "tempo",
		.type = DESTINATION_OTLP,
		.signals = signal_bit(SIGNAL_TRACES),
		.endpoint = endpoint,
		.headers = &key,
		.header_count = 1 };
	struct complaint complaint = { 0 };
	if (exporter_rekey(exporter, &config, NULL, 0, &complaint) < 0)
		abort();
}

static void *watch(void *arg)
{
	struct exporter *exporter = arg;
	uint64_t seen = 0;
	for (int i = 0; i < 1000; i++) {
		struct exporter_figures figures = exporter_figures(exporter);
		if (figures.delivered < seen)
			abort();
		seen = figures.delivered;
		exporter_enforce_share(exporter, 0, UINT64_MAX, 1);
		if (i % 10 == 0)
			rekey(exporter, i);
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
	struct spool *spool = fake_spool_new();
	struct fake_destination *fake = fake_destination_start(0);
	struct destination_config config = { .name = "tempo",
		.type = DESTINATION_OTLP,
		.signals = signal_bit(SIGNAL_TRACES),
		.batch_size = 30,
		.batch_timeout_ms = 5,
		.max_request_bytes = 4 << 20,
		.in_flight = 4,
		.timeout_ms = WAIT_MS,
		.retry_initial_ms = 1,
		.retry_max_ms = 10,
		.endpoint = endpoint = (char *)fake_destination_url(fake) };
	const struct exporter_options options = { .config = &config,
		.spool = spool,
		.deliveries = fake_spool_deliveries(spool),
		.lanes = lanes,
		.lane_count = 1,
		.hold_initial_ms = 5,
		.hold_max_ms = 10 };
	static const int statuses[] = { 503, 401, 429, 200, 500 };
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		fake_destination_script(fake, &(struct fake_answer){ .status = statuses[i] }, 1);

	struct complaint complaint = { 0 };
	struct exporter *exporter;
	check("exporter_new", (uint64_t)exporter_new(&options, &exporter, &complaint), 0);
	pthread_t exporting, appending[2], watching;
	pthread_create(&exporting, NULL, run, exporter);
	pthread_create(&appending[0], NULL, append, spool);
	pthread_create(&appending[1], NULL, append, spool);
	pthread_create(&watching, NULL, watch, exporter);
	pthread_join(appending[0], NULL);
	pthread_join(appending[1], NULL);
	pthread_join(watching, NULL);
	exporter_stop(exporter, clock_monotonic_ms() + WAIT_MS);
	pthread_join(exporting, NULL);

	check("delivered", exporter_figures(exporter).delivered, 2 * RECORDS * SPANS);
	check("arrived", fake_destination_span_count(fake), 2 * RECORDS * SPANS);
	check("twice", fake_destination_duplicate_count(fake), 0);
	exporter_free(exporter);
	check("records not given back", fake_spool_records_out(spool), 0);
	check("faults", fake_spool_faults(spool), 0);
	fake_destination_stop(fake);
	fake_spool_free(spool);
	return 0;
}
