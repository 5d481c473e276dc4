#include "pipeline.h"

#include <errno.h>
#include <stdlib.h>

#include "base/counters.h"
#include "config/config.h"
#include "enrich/enrich.h"
#include "otlp/request.h"
#include "pricing/tariff.h"
#include "spool/spool.h"

struct pipeline {
	const struct config *config;
	struct tariff *tariff;
	struct spool *spool;
	bool wants_plain; /* a destination takes SHAPE_PLAIN */
	bool wants_langfuse;
};

/* What `committed` was before the pipeline stepped in between, to count. */
struct passage {
	void (*committed)(struct batch *batch, int error);
	void *owner;
};

struct pipeline *pipeline_new(
	const struct config *config, struct tariff *tariff, struct spool *spool)
{
	struct pipeline *pipeline = calloc(1, sizeof *pipeline);
	if (!pipeline)
		return NULL;
	*pipeline = (struct pipeline){ config, tariff, spool, false, false };
	for (size_t i = 0; i < config->destination_count; i++) {
		const struct destination_config *destination = &config->destinations[i];
		pipeline->wants_langfuse |=
			destination->enabled && destination->type == DESTINATION_LANGFUSE;
		pipeline->wants_plain |=
			destination->enabled && destination->type != DESTINATION_LANGFUSE;
	}
	return pipeline;
}

void pipeline_free(struct pipeline *pipeline)
{
	free(pipeline);
}

static void committed(struct batch *batch, int error)
{
	struct passage *passage = batch->owner;
	if (!error)
		counter_add(COUNTER_SPANS_STORED, batch->span_count);
	batch->owner = passage->owner;
	batch->committed = passage->committed;
	batch->committed(batch, error);
}

static int add_part(struct batch *batch, size_t *capacity, struct part part)
{
	if (batch->part_count == *capacity) {
		size_t more = *capacity ? *capacity * 2 : 4;
		struct part *parts = arena_alloc(&batch->arena, more * sizeof *parts);
		if (!parts)
			return batch->arena.error;
		for (size_t i = 0; i < batch->part_count; i++)
			parts[i] = batch->parts[i];
		batch->parts = parts;
		*capacity = more;
	}
	batch->parts[batch->part_count++] = part;
	return 0;
}

/* One copy of the request, in as many parts as the longest record demands. */
static int add_copy(struct pipeline *pipeline, struct batch *batch, size_t *capacity,
	struct bytes copy, enum shape shape)
{
	size_t max_bytes = pipeline->config->spool.max_record_bytes;
	if (copy.len <= max_bytes)
		return add_part(batch, capacity, (struct part){ copy, batch->span_count, shape });
	for (uint32_t from = 0, to; from < batch->span_count; from = to) {
		struct part part = { .shape = shape };
		int error = request_fit(copy, from, max_bytes, &to);
		if (!error)
			error = request_cut(copy, from, to, &batch->arena, &part.bytes);
		part.span_count = to - from;
		if (!error)
			error = add_part(batch, capacity, part);
		if (error)
			return error;
	}
	return 0;
}

static int add_copies(
	struct pipeline *pipeline, struct batch *batch, const struct enriched *enriched)
{
	size_t capacity = 0;
	int error = 0;
	if (!enriched->langfuse.at || !pipeline->wants_langfuse)
		return add_copy(pipeline, batch, &capacity, enriched->plain, SHAPE_ANY);
	if (!pipeline->wants_plain)
		return add_copy(pipeline, batch, &capacity, enriched->langfuse, SHAPE_ANY);
	error = add_copy(pipeline, batch, &capacity, enriched->plain, SHAPE_PLAIN);
	if (!error)
		error = add_copy(pipeline, batch, &capacity, enriched->langfuse, SHAPE_LANGFUSE);
	return error;
}

static const char *why_rejected(const struct enriched *enriched)
{
	if (enriched->looks_like_logs)
		return "no span has a trace_id, a span_id or a start time: this looks like a logs request, which "
		       "belongs to /v1/logs";
	if (enriched->rejected_count)
		return "spans without a valid trace_id (16 bytes) and span_id (8 bytes) were rejected";
	return NULL;
}

int pipeline_accept(struct pipeline *pipeline, struct batch *batch, struct bytes request)
{
	struct enriched enriched;
	struct prices *prices = tariff_hold(pipeline->tariff);
	int error = enrich(request, pipeline->config, prices, &batch->arena, &enriched);
	tariff_release(pipeline->tariff, prices);
	if (error)
		return error;
	counter_add(COUNTER_SPANS_RECEIVED, enriched.span_count + enriched.rejected_count);
	counter_add(enriched.looks_like_logs ? COUNTER_REJECTED_LOOKS_LIKE_LOGS :
					       COUNTER_REJECTED_WITHOUT_IDS,
		enriched.rejected_count);
	batch->stage = STAGE_OUT;
	batch->span_count = enriched.span_count;
	batch->rejected_count = enriched.rejected_count;
	batch->rejected_why = why_rejected(&enriched);
	if (batch->span_count == 0) {
		batch->committed(batch, 0);
		return 0;
	}
	error = add_copies(pipeline, batch, &enriched);
	if (error)
		return error;

	struct passage *passage = arena_alloc(&batch->arena, sizeof *passage);
	if (!passage)
		return batch->arena.error;
	*passage = (struct passage){ batch->committed, batch->owner };
	batch->owner = passage;
	batch->committed = committed;
	spool_append(pipeline->spool, batch);
	return 0;
}
