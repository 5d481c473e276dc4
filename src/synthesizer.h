/*
 * The synthesizer's thread: reads the inbox, keeps sessions, writes to the outbox.
 *
 * What it gives out is on disk before it is remembered, and remembered before the inbox lets go, but on a disk
 * that is too full for that. After a crash it reads what it wrote since the last commit back from the outbox, so
 * that nothing goes out twice.
 */
#ifndef TG_SYNTHESIZER_H
#define TG_SYNTHESIZER_H

#include <stdint.h>

#include "synthesize/live.h"

struct config;
struct pipeline;
struct sources;
struct spool;
struct synthesizer;

/* All outlive it. */
struct synthesizer_options {
	const struct config *config;
	struct spool *spool;
	struct pipeline *pipeline;
	struct sources *sources; /* NULL: nobody asks */
};

/* Before spool_write: keeps of the inbox what is still needed. 0 or negative errno. */
int synthesizer_new(
	const struct synthesizer_options *options, struct synthesizer **ret_synthesizer);
void synthesizer_free(struct synthesizer *synthesizer);

/* The thread's body; returns after synthesizer_stop, when what came is taken and what is due is given. */
void synthesizer_run(struct synthesizer *synthesizer);
/* After the doors have closed, before spool_stop. From any thread. */
void synthesizer_stop(struct synthesizer *synthesizer);

/* As synthesis_live. */
int synthesizer_live(struct synthesizer *synthesizer, struct live_view *ret_view);

/* The same without the sessions. */
struct live_view synthesizer_figures(struct synthesizer *synthesizer);

/* How far it is behind, in received time of the oldest record that it has not taken; 0: not at all. */
uint64_t synthesizer_waiting_since_ns(const struct synthesizer *synthesizer);

#endif
