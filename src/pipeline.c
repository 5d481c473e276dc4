#include "pipeline.h"

#include <errno.h>
#include <stdlib.h>

#include "base/counters.h"
#include "base/lines.h"
#include "config/config.h"
#include "dialects/dialect.h"
#include "enrich/enrich.h"
#include "otlp/check.h"
#include "otlp/request.h"
#include "pricing/tariff.h"
#include "sources.h"
#include "spool/spool.h"

struct pipeline {
	const struct config *config;
	struct tariff *tariff;
	struct spool *spool;
	struct sources *sources; /* NULL: nobody asks */
	bool wants_plain;        /* a destination takes SHAPE_PLAIN */
	bool wants_langfuse;
	unsigned wanted; /* signals that a destination takes */
};

/* What `committed` was before the pipeline stepped in between, to count. */
struct passage {
	void (*committed)(struct batch *batch, int error);
	void *owner;
	enum counter counter; /* of what is on disk */
};

struct pipeline *pipeline_new(const struct config *config, struct tariff *tariff,
	struct spool *spool, struct sources *sources)
{
	struct pipeline *pipeline = calloc(1, sizeof *pipeline);
	if (!pipeline)
		return NULL;
	*pipeline = (struct pipeline){ config, tariff, spool, sources, false, false, 0 };
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
		counter_add(passage->counter, batch->span_count);
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

/* What waits in the inbox for its partner: as it came. */
static int add_to_inbox(
	const struct pipeline *pipeline, struct batch *batch, struct bytes request, uint32_t count)
{
	struct part part = { request, count, SHAPE_ANY, STAGE_IN };
	return add_copy(pipeline, batch, part);
}

/* Langfuse and the local view have no use for what is no span. */
static int add_travellers(
	const struct pipeline *pipeline, struct batch *batch, struct bytes request, uint32_t count)
{
	struct part part = { request, count, SHAPE_PLAIN, STAGE_OUT };
	if (pipeline_wants(pipeline, batch->signal))
		return add_copy(pipeline, batch, part);
	counter_add(batch->signal == SIGNAL_LOGS ? COUNTER_UNWANTED_LOGS : COUNTER_UNWANTED_METRICS,
		count);
	return 0;
}

/* Lines in as many parts as the longest record demands; none is ever cut. */
static int add_lines(const struct pipeline *pipeline, struct batch *batch, struct bytes lines)
{
	size_t max_bytes = pipeline->config->spool.max_record_bytes;
	struct part part = { { lines.at, 0 }, 0, SHAPE_LANGFUSE, STAGE_OUT };
	struct bytes line;
	int error = 0;
	while (!error && lines_next(&lines, &line)) {
		if (part.span_count > 0 && part.bytes.len + line.len > max_bytes) {
			error = add_part(batch, part);
			part.bytes = (struct bytes){ line.at, 0 };
			part.span_count = 0;
		}
		part.bytes.len += line.len;
		part.span_count++;
	}
	return !error && part.span_count > 0 ? add_part(batch, part) : error;
}

static void store(struct pipeline *pipeline, struct batch *batch)
{
	if (batch->part_count > 0)
		spool_append(pipeline->spool, batch);
	else
		batch->committed(batch, 0);
}

static void note(const struct pipeline *pipeline, const struct batch *batch, struct bytes request,
	uint32_t items)
{
	sources_note(pipeline->sources, batch->signal, request, items, batch->received_ns);
}

static int count_when_stored(struct batch *batch, enum counter counter)
{
	struct passage *passage = arena_alloc(&batch->arena, sizeof *passage);
	if (!passage)
		return batch->arena.error;
	*passage = (struct passage){ batch->committed, batch->owner, counter };
	batch->owner = passage;
	batch->committed = committed;
	return 0;
}

static int check(const struct pipeline *pipeline, struct bytes request, enum signal signal,
	struct checked *ret_checked)
{
	const struct config *config = pipeline->config;
	return request_check(request, signal, (unsigned)config->limits.max_depth,
		config->limits.max_spans, ret_checked);
}

/* Which part of a request is the coding CLIs' own, and goes to the inbox. */
static int split(const struct pipeline *pipeline, struct batch *batch, struct bytes request,
	struct bytes *ret_theirs, struct bytes *ret_others)
{
	const struct config *config = pipeline->config;
	bool takes_replaced =
		batch->signal == SIGNAL_LOGS || config->sessions.native_spans != NATIVE_SPANS_KEEP;
	*ret_theirs = (struct bytes){ 0 };
	*ret_others = request;
	if (!config->sessions.enabled)
		return 0;
	return dialects_split(request, takes_replaced, &batch->arena, ret_theirs, ret_others);
}

static const char *why_rejected(const struct batch *batch, bool looks_like_logs)
{
	if (looks_like_logs)
		return "no span has a trace_id, a span_id or a start time: this looks like a logs request, which "
		       "belongs to /v1/logs";
	if (batch->rejected_count)
		return "spans without a valid trace_id (16 bytes) and span_id (8 bytes) were rejected";
	return NULL;
}

static int accept_traces(struct pipeline *pipeline, struct batch *batch, struct bytes request)
{
	struct bytes theirs, others;
	struct checked checked = { 0 };
	struct enriched enriched;
	int error = split(pipeline, batch, request, &theirs, &others);
	if (!error)
		error = check(pipeline, theirs, SIGNAL_TRACES, &checked);
	uint32_t native_count = checked.items - checked.without_ids;
	if (!error && native_count > 0)
		error = add_to_inbox(pipeline, batch, theirs, checked.items);
	if (!error)
		error = add_spans(pipeline, batch, others, &enriched);
	if (error)
		return error;
	uint64_t count = (uint64_t)checked.items + enriched.span_count + enriched.rejected_count;
	if (count > pipeline->config->limits.max_spans)
		return -E2BIG;
	error = count_when_stored(batch, COUNTER_SPANS_STORED);
	if (error)
		return error;
	bool looks_like_logs = enriched.looks_like_logs && checked.items == 0;
	batch->span_count = enriched.span_count + native_count;
	batch->rejected_count = enriched.rejected_count + checked.without_ids;
	batch->rejected_why = why_rejected(batch, looks_like_logs);
	counter_add(COUNTER_SPANS_RECEIVED, count);
	counter_add(
		looks_like_logs ? COUNTER_REJECTED_LOOKS_LIKE_LOGS : COUNTER_REJECTED_WITHOUT_IDS,
		batch->rejected_count);
	note(pipeline, batch, request, (uint32_t)count);
	store(pipeline, batch);
	return 0;
}

static int accept_logs(struct pipeline *pipeline, struct batch *batch, struct bytes request)
{
	struct bytes theirs, others;
	struct checked checked;
	uint32_t own_count = 0;
	int error = check(pipeline, request, SIGNAL_LOGS, &checked);
	if (!error)
		error = split(pipeline, batch, request, &theirs, &others);
	if (!error)
		error = request_count_items(theirs, &own_count);
	if (!error && own_count > 0)
		error = add_to_inbox(pipeline, batch, theirs, own_count);
	if (!error && checked.items > own_count)
		error = add_travellers(pipeline, batch, others, checked.items - own_count);
	if (error)
		return error;
	batch->span_count = checked.items;
	counter_add(COUNTER_LOGS_RECEIVED, checked.items);
	note(pipeline, batch, request, checked.items);
	store(pipeline, batch);
	return 0;
}

static int accept_metrics(struct pipeline *pipeline, struct batch *batch, struct bytes request)
{
	struct checked checked;
	int error = check(pipeline, request, SIGNAL_METRICS, &checked);
	if (!error && checked.items > 0)
		error = add_travellers(pipeline, batch, request, checked.items);
	if (error)
		return error;
	batch->span_count = checked.items;
	counter_add(COUNTER_METRICS_RECEIVED, checked.items);
	note(pipeline, batch, request, checked.items);
	store(pipeline, batch);
	return 0;
}

int pipeline_accept(struct pipeline *pipeline, struct batch *batch, struct bytes request)
{
	switch (batch->signal) {
	case SIGNAL_TRACES:
		return accept_traces(pipeline, batch, request);
	case SIGNAL_LOGS:
		return accept_logs(pipeline, batch, request);
	case SIGNAL_METRICS:
		return accept_metrics(pipeline, batch, request);
	case SIGNAL_INGESTION:
		break;
	}
	return -EINVAL;
}

int pipeline_accept_hook(struct pipeline *pipeline, struct batch *batch,
	const struct dialect *dialect, struct bytes payload)
{
	struct bytes request = hook_as_logs(dialect, payload, batch->received_ns, &batch->arena);
	int error = request.at ? add_to_inbox(pipeline, batch, request, 1) : batch->arena.error;
	if (error)
		return error;
	batch->span_count = 1;
	counter_add(COUNTER_HOOKS_RECEIVED, 1);
	sources_note_hook(pipeline->sources, dialect, batch->received_ns);
	store(pipeline, batch);
	return 0;
}

int pipeline_accept_events(
	struct pipeline *pipeline, struct batch *batch, struct bytes lines, uint32_t count)
{
	int error = add_lines(pipeline, batch, lines);
	if (!error)
		error = count_when_stored(batch, COUNTER_INGESTION_STORED);
	if (error)
		return error;
	batch->span_count = count;
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
	int error = count > 0 ? add_travellers(pipeline, batch, request, count) : 0;
	batch->span_count = count;
	if (!error)
		store(pipeline, batch);
	return error;
}
