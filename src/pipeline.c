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
	unsigned wanted; /* signals that a destination takes */
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
	*pipeline = (struct pipeline){ config, tariff, spool, false, false, 0 };
	for (size_t i = 0; i < config->destination_count; i++) {
		const struct destination_config *destination = &config->destinations[i];
		pipeline->wants_langfuse |=
			destination->enabled && destination->type == DESTINATION_LANGFUSE;
		pipeline->wants_plain |=
			destination->enabled && destination->type != DESTINATION_LANGFUSE;
		pipeline->wanted |= destination->enabled ? destination->signals : 0;
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

static int add_part(struct batch *batch, struct part part)
{
	if (batch->part_count == batch->part_capacity) {
		size_t capacity = batch->part_capacity ? batch->part_capacity * 2 : 4;
		struct part *parts = arena_alloc(&batch->arena, capacity * sizeof *parts);
		if (!parts)
			return batch->arena.error;
		for (size_t i = 0; i < batch->part_count; i++)
			parts[i] = batch->parts[i];
		batch->parts = parts;
		batch->part_capacity = capacity;
	}
	batch->parts[batch->part_count++] = part;
	return 0;
}

/* A copy of the request, in as many parts as the longest record demands. */
static int add_copy(const struct pipeline *pipeline, struct batch *batch, struct part copy)
{
	size_t max_bytes = pipeline->config->spool.max_record_bytes;
	if (copy.bytes.len <= max_bytes)
		return add_part(batch, copy);
	for (uint32_t from = 0, to; from < copy.span_count; from = to) {
		struct part part = copy;
		int error = request_fit(copy.bytes, from, max_bytes, &to);
		if (!error)
			error = request_cut(copy.bytes, from, to, &batch->arena, &part.bytes);
		part.span_count = to - from;
		if (!error)
			error = add_part(batch, part);
		if (error)
			return error;
	}
	return 0;
}

static int add_copies(
	const struct pipeline *pipeline, struct batch *batch, const struct enriched *enriched)
{
	struct part plain = { enriched->plain, enriched->span_count, SHAPE_ANY, STAGE_OUT };
	struct part langfuse = plain;
	if (!enriched->span_count)
		return 0;
	if (!enriched->langfuse.at || !pipeline->wants_langfuse)
		return add_copy(pipeline, batch, plain);
	langfuse.bytes = enriched->langfuse;
	if (!pipeline->wants_plain)
		return add_copy(pipeline, batch, langfuse);
	plain.shape = SHAPE_PLAIN;
	langfuse.shape = SHAPE_LANGFUSE;
	int error = add_copy(pipeline, batch, plain);
	return error ? error : add_copy(pipeline, batch, langfuse);
}

static int add_spans(const struct pipeline *pipeline, struct batch *batch, struct bytes request,
	struct enriched *ret_enriched)
{
	struct prices *prices = tariff_hold(pipeline->tariff);
	int error = enrich(request, pipeline->config, prices, &batch->arena, ret_enriched);
	tariff_release(pipeline->tariff, prices);
	if (error)
		return error;
	batch->span_count = ret_enriched->span_count;
	return add_copies(pipeline, batch, ret_enriched);
}

/* Langfuse and the local view have no use for what is no span. */
static int add_travellers(
	const struct pipeline *pipeline, struct batch *batch, struct bytes request, uint32_t count)
{
	struct part part = { request, count, SHAPE_PLAIN, STAGE_OUT };
	batch->span_count = count;
	return pipeline_wants(pipeline, batch->signal) && count > 0 ?
		add_copy(pipeline, batch, part) :
		0;
}

static void store(struct pipeline *pipeline, struct batch *batch)
{
	if (batch->part_count > 0)
		spool_append(pipeline->spool, batch);
	else
		batch->committed(batch, 0);
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

static int count_when_stored(struct batch *batch)
{
	struct passage *passage = arena_alloc(&batch->arena, sizeof *passage);
	if (!passage)
		return batch->arena.error;
	*passage = (struct passage){ batch->committed, batch->owner };
	batch->owner = passage;
	batch->committed = committed;
	return 0;
}

int pipeline_accept(struct pipeline *pipeline, struct batch *batch, struct bytes request)
{
	struct enriched enriched;
	int error = add_spans(pipeline, batch, request, &enriched);
	if (!error)
		error = count_when_stored(batch);
	if (error)
		return error;
	counter_add(COUNTER_SPANS_RECEIVED, enriched.span_count + enriched.rejected_count);
	counter_add(enriched.looks_like_logs ? COUNTER_REJECTED_LOOKS_LIKE_LOGS :
					       COUNTER_REJECTED_WITHOUT_IDS,
		enriched.rejected_count);
	batch->rejected_count = enriched.rejected_count;
	batch->rejected_why = why_rejected(&enriched);
	store(pipeline, batch);
	return 0;
}

int pipeline_emit(struct pipeline *pipeline, struct batch *batch, struct bytes request)
{
	struct enriched enriched;
	int error = add_spans(pipeline, batch, request, &enriched);
	if (!error)
		store(pipeline, batch);
	return error;
}

bool pipeline_wants(const struct pipeline *pipeline, enum signal signal)
{
	return pipeline->wanted & signal_bit(signal);
}

int pipeline_forward(
	struct pipeline *pipeline, struct batch *batch, struct bytes request, uint32_t count)
{
	int error = add_travellers(pipeline, batch, request, count);
	if (!error)
		store(pipeline, batch);
	return error;
}
