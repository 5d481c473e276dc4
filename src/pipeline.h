/* The life of one batch: enriched, repaired for Langfuse, cut to size, stored. */
#ifndef TG_PIPELINE_H
#define TG_PIPELINE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "batch.h"

struct config;
struct pipeline;
struct spool;
struct tariff;

/* All arguments outlive the pipeline. */
struct pipeline *pipeline_new(
	const struct config *config, struct tariff *tariff, struct spool *spool);
void pipeline_free(struct pipeline *pipeline);

/*
 * Takes one ExportTraceServiceRequest in protobuf. From many threads at once.
 *
 *   batch    initialised by the door (arena, lane, signal, received_ns, committed, owner)
 *   request  must live until batch->committed is called
 *
 * 0: batch->committed will be called, once, from another thread (span counts are set already; a
 *    request that leaves nothing to store is called back at once, from this one).
 * Negative, and the batch is not taken: -EBADMSG not protobuf of this kind or nested too deep (400),
 * -E2BIG more spans or memory than one request may have (413), -ENOMEM others hold the memory (503),
 * -ENOSPC or -EIO as in spool_append (503).
 */
int pipeline_accept(struct pipeline *pipeline, struct batch *batch, struct bytes request);

/*
 * The synthesizer's way in: spans that it made are enriched and stored for the destinations. As
 * pipeline_accept, but for what they are counted as.
 */
int pipeline_emit(struct pipeline *pipeline, struct batch *batch, struct bytes request);

/* Whether a destination takes the signal. */
bool pipeline_wants(const struct pipeline *pipeline, enum signal signal);

/*
 * Logs or metrics (as batch->signal says) travel on as they are, to the destinations that take them; where
 * there is none they are called back at once, stored nowhere.
 *
 *   request  well formed
 *   count    items in it
 *
 * As pipeline_accept.
 */
int pipeline_forward(
	struct pipeline *pipeline, struct batch *batch, struct bytes request, uint32_t count);

#endif
