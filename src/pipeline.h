/*
 * The life of one batch: told apart by who has to see it first, enriched, repaired for Langfuse, cut to size,
 * stored.
 */
#ifndef TG_PIPELINE_H
#define TG_PIPELINE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "batch.h"

struct config;
struct dialect;
struct pipeline;
struct sources;
struct spool;
struct tariff;

/* All arguments outlive the pipeline. It tells `sources`, unless that is NULL, who sends. */
struct pipeline *pipeline_new(const struct config *config, struct tariff *tariff,
	struct spool *spool, struct sources *sources);
void pipeline_free(struct pipeline *pipeline);

/*
 * Takes one request in protobuf, of the signal that batch->signal says. From many threads at once.
 *
 * What the coding CLIs say in logs and spans goes to the inbox as it came, to the synthesizer; other spans are
 * enriched, other logs and metrics go as they are to the destinations that take them. Together or not at all.
 *
 *   batch    initialised by the door (arena, lane, signal, received_ns, committed, owner)
 *   request  must live until batch->committed is called
 *
 * 0: batch->committed will be called, once, from another thread (span counts are set already; a
 *    request that leaves nothing to store is called back at once, from this one).
 * Negative, and the batch is not taken: -EBADMSG not protobuf of this kind or nested too deep (400),
 * -E2BIG more spans, records or metrics, or more memory, than one request may have (413), -ENOMEM others
 * hold the memory (503), -ENOSPC or -EIO as in spool_append (503).
 */
int pipeline_accept(struct pipeline *pipeline, struct batch *batch, struct bytes request);

/* The same for the JSON that a CLI gave its hook. batch->signal is SIGNAL_LOGS. */
int pipeline_accept_hook(struct pipeline *pipeline, struct batch *batch,
	const struct dialect *dialect, struct bytes payload);

/*
 * Events of Langfuse's ingestion API (proxy/events.h) for the Langfuse that the proxy stands in front of,
 * stored in their order. batch->signal is SIGNAL_INGESTION.
 *
 *   lines  one event a line; must live until batch->committed is called
 *   count  of them
 *
 * As pipeline_accept.
 */
int pipeline_accept_events(
	struct pipeline *pipeline, struct batch *batch, struct bytes lines, uint32_t count);

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
