/*
 * The wire walk on any bytes: no crash, the same verdict twice, and — with the generated protobuf code as
 * judge — an output that is its input plus additions. Cuts of the output hold its spans, and the local view
 * has a row for each, in which all text is text.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "enrich/enrich.h"
#include "export/local_row.h"
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
	if (request_count_items(request, &count) < 0 || count != spans)
		abort();
	for (uint32_t from = 0; from < spans; from = from < half ? half : spans) {
		uint32_t to = from < half ? half : spans;
		if (request_cut(request, from, to, arena, &cut) < 0)
			return; /* the arena is full */
		if (request_count_items(cut, &count) < 0 || count != to - from)
			abort();
		got += count;
	}
	if (got != spans)
		abort();
}

static int check_row(void *arg, const struct local_row *row)
{
	const struct bytes texts[] = { row->name, row->kind, row->level, row->status_message,
		row->session_id, row->user_id, row->environment, row->service, row->scope,
		row->provider, row->model, row->usage, row->cost_source, row->cost_status,
		row->input, row->output };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (utf8_span(texts[i]) != texts[i].len || texts[i].len > 3 * 4096)
			abort();
	if (strlen(row->trace_id) != 32 || strlen(row->span_id) != 16 || row->cost_fusd < -1)
		abort();
	++*(uint32_t *)arg;
	return 0;
}

static void check_rows(struct bytes request, uint32_t spans)
{
	uint32_t rows = 0;
	struct arena arena;
	arena_init(&arena, 32 << 20, NULL);
	int error = local_rows(request, 100, &arena, check_row, &rows);
	if (!arena.error && (error || rows != spans))
		abort();
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *names[] = { "team", "k", "user.email" };
	struct config config = fixture_config();
	struct bytes input = { data, size };
	struct arena arena;
	struct enriched enriched;
	const char *why;
	config.content.flatten_messages = size & 1;
	config.identity.user_id = "user";
	config.identity.tags_from_resource = config.identity.user_from = names;
	config.identity.tags_from_resource_count = config.identity.user_from_count = 3;
	arena_init(&arena, 32 << 20, NULL);
	int error = enrich(input, &config, prices(), &arena, &enriched);
	if (error == -EINVAL)
		abort();
	if (!error) {
		if (!oracle_only_added(input, enriched.plain, &why))
			abort();
		check_cuts(enriched.plain, enriched.span_count, &arena);
		check_rows(enriched.plain, enriched.span_count);
		if (enriched.langfuse.at) {
			check_cuts(enriched.langfuse, enriched.span_count, &arena);
			check_rows(enriched.langfuse, enriched.span_count);
		}
	}
	arena_done(&arena);
	return 0;
}
