/*
 * The check of requests that are stored as they came, on any bytes as each signal. What it takes everybody
 * behind it reads: the dialects, the wire walk, and who cuts it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dialects/dialect.h"
#include "enrich/enrich.h"
#include "otlp/check.h"
#include "otlp/request.h"
#include "pricing/price.h"
#include "support/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table)
		demand(prices_builtin(&table, &complaint) == 0, "there are prices");
	return table;
}

static void check_reading(struct bytes request, enum signal signal, unsigned max_depth)
{
	struct arena arena;
	struct bytes theirs, others;
	arena_init(&arena, 32 << 20, NULL);
	struct events events = { .arena = &arena };
	demand(dialects_read(request, signal, max_depth, &events) != -EBADMSG,
		"the dialects read it");
	demand(dialects_split(request, true, &arena, &theirs, &others) != -EBADMSG,
		"it can be split");
	arena_done(&arena);
}

static void check_spans(
	struct bytes request, const struct config *config, const struct checked *checked)
{
	struct arena arena;
	struct enriched enriched;
	arena_init(&arena, 32 << 20, NULL);
	int error = enrich(request, config, prices(), &arena, &enriched);
	demand(error != -EBADMSG, "the wire walk takes it");
	demand(error || enriched.rejected_count == checked->without_ids,
		"and rejects as many spans");
	arena_done(&arena);
}

static void check_cut(struct bytes request, uint32_t items)
{
	struct arena arena;
	struct bytes cut;
	uint32_t to, count;
	arena_init(&arena, 32 << 20, NULL);
	demand(request_fit(request, 0, request.len / 2, &to) == 0 && to <= items,
		"its half is found");
	if (request_cut(request, 0, to, &arena, &cut) == 0) /* else the arena is full */
		demand(request_count_items(cut, &count) == 0 && count == to, "and cut off");
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = fixture_config();
	unsigned max_depth = (unsigned)config.limits.max_depth;
	struct bytes request = { data, size };
	struct checked checked;
	uint32_t count;
	for (int signal = SIGNAL_TRACES; signal <= SIGNAL_METRICS; signal++) {
		if (request_check(request, (enum signal)signal, max_depth, config.limits.max_spans,
			    &checked) < 0)
			continue;
		demand(request_count_items(request, &count) == 0 && count == checked.items,
			"its items are counted");
		check_cut(request, count);
		if (signal != SIGNAL_METRICS)
			check_reading(request, (enum signal)signal, max_depth);
		if (signal == SIGNAL_TRACES)
			check_spans(request, &config, &checked);
	}
	return 0;
}
