/*
 * The road of stored events with everything real on it but the doors: pipeline, spool, ledger, and the
 * exporter to a Langfuse. Each thread that the daemon has for it runs. What goes wrong ends the program.
 */
#ifndef TG_TESTS_SUPPORT_BACKLOG_H
#define TG_TESTS_SUPPORT_BACKLOG_H

#include <pthread.h>
#include <stdatomic.h>

#include "config/config.h"

enum { BACKLOG_OTLP, BACKLOG_LANGFUSE, BACKLOG_DESTINATIONS };

struct backlog {
	struct config config;
	struct destination_config destinations[BACKLOG_DESTINATIONS];
	struct spool *spool;
	struct deliveries *deliveries;
	struct ledger *ledger;
	struct pipeline *pipeline;
	struct exporter *exporters[BACKLOG_DESTINATIONS];
	pthread_t writer, bookkeeper, exporting[BACKLOG_DESTINATIONS];
	_Atomic bool is_closing;
};

/*
 * Goes on with what the directory holds. Langfuse at `url` has the pair pk-a:sk-a for the
 * lane "default" and pk-b:sk-b for "team-b"; a destination for OTLP at an
 * address where nobody listens stands beside it.
 */
void backlog_open(struct backlog *backlog, const char *directory, const char *url);

/* Stops in the daemon's order; exporters get so long. */
void backlog_close(struct backlog *backlog, unsigned within_ms);

/* Stores events "<name>-<from>" and on, in one request, and waits until they are on disk. Returns stored_below. */
uint64_t backlog_store(
	struct backlog *backlog, const char *lane, const char *name, unsigned from, unsigned count);

/* Whether nothing of the lane that came before this sequence is left to be sent. */
bool backlog_is_through(const struct backlog *backlog, const char *lane, uint64_t below);

/* Waits until it is, which is a matter of seconds. */
void backlog_wait(const struct backlog *backlog, const char *lane, uint64_t below);

#endif
