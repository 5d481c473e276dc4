/*
 * The wire walk on any bytes: no crash, the same verdict twice, and — with the generated protobuf code as
 * judge — an output that is its input plus additions. Cuts of the output hold its spans.
 */
#include <stdlib.h>

#include "enrich/enrich.h"
#include "otlp/request.h"
#include "pricing/price.h"
#include "support/fixture.h"
#include "support/oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table && prices_builtin(&table, &complaint) < 0)
		abort();
	return table;
}

static void check_cuts(struct bytes request, uint32_t spans, struct arena *arena)
{
	uint32_t count, half = spans / 2, got = 0;
	struct bytes cut;
	if (request_count_spans(request, &count) < 0 || count != spans)
		abort();
	for (uint32_t from = 0; from < spans; from = from < half ? half : spans) {
		uint32_t to = from < half ? half : spans;
		if (request_cut(request, from, to, arena, &cut) < 0)
			return; /* the arena is full */
		if (request_count_spans(cut, &count) < 0 || count != to - from)
			abort();
		got += count;
	}
	if (got != spans)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = fixture_config();
	struct bytes input = { data, size };
	struct arena arena;
	struct enriched enriched;
	const char *why;
	config.content.flatten_messages = size & 1;
	config.identity.user_id = "user";
	arena_init(&arena, 32 << 20, NULL);
	if (enrich(input, &config, prices(), &arena, &enriched) == 0) {
		if (!oracle_only_added(input, enriched.plain, &why))
			abort();
		check_cuts(enriched.plain, enriched.span_count, &arena);
		if (enriched.langfuse.at)
			check_cuts(enriched.langfuse, enriched.span_count, &arena);
	}
	arena_done(&arena);
	return 0;
}
