/*
 * Requests to a destination beside its lanes: other threads ask for them and wait, the exporter's thread
 * sends them as it sends everything, so that they have its keys, its connections and its time limit.
 */
#ifndef TG_EXPORT_ERRANDS_H
#define TG_EXPORT_ERRANDS_H

#include <pthread.h>

#include "export/verdict.h"
#include "spool/spool.h"

/* Lives where its thread waits. */
struct errand {
	const void *sender; /* whose keys it has; of the exporter */
	enum signal signal;
	enum encoding encoding;
	const struct bytes *pieces; /* the body, end to end */
	size_t piece_count;
	uint32_t event_count; /* of SIGNAL_INGESTION; its pieces are as in export/ingestion.h */

	struct errand *next; /* guarded by errands->lock, as all below */
	bool is_sent, is_answered;
	struct reply reply;
};

struct errands {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct errand *first; /* guarded by lock, as the next */
	bool is_closed;
};

void errands_init(struct errands *errands);
void errands_done(struct errands *errands);

/* Hands it over, calls wake(arg), and waits for errand->reply. */
void errands_run(
	struct errands *errands, struct errand *errand, void (*wake)(void *arg), void *arg);

/* ---- for the exporter's thread ---- */

/* The next one to be sent; NULL: none. */
struct errand *errands_next(struct errands *errands);

/* Whether `owner` is an errand; then it has its answer. */
bool errands_settle(struct errands *errands, const void *owner, const struct reply *reply);

/* Nothing is sent any more: who waits, or comes later, is told so. */
void errands_close(struct errands *errands);

#endif
