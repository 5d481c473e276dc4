/*
 * One destination's thread: sends what its lanes have to it, and tells them what came back.
 *
 * It waits in one place, the HTTP client, for replies, for back-offs to pass and for the spool to wake
 * it. What one lane or one batch meets never stops the others.
 */
#ifndef TG_EXPORT_EXPORTER_H
#define TG_EXPORT_EXPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/verdict.h"
#include "spool/spool.h"

struct complaint;
struct deliveries;
struct destination_config;
struct exporter;
struct project_config;
struct spool;

/* All outlive the exporter. */
struct exporter_options {
	const struct destination_config *config;
	struct spool *spool;
	struct deliveries *deliveries;
	const char *const *lanes; /* their names, that of the default project first */
	size_t lane_count;
	const struct project_config *projects; /* as destination_in_lane; read at the start alone */
	size_t project_count;
	bool takes_events;        /* of Langfuse's own API: config_langfuse() does */
	uint64_t hold_initial_ms; /* between tries while held, doubling */
	uint64_t hold_max_ms;
};

enum { EXPORTER_HOLD_INITIAL_MS = 30 * 1000, EXPORTER_HOLD_MAX_MS = 5 * 60 * 1000 };

/* 0; -EINVAL with words about the configuration; -ENOMEM. Keeps what it has not delivered from here on. */
int exporter_new(const struct exporter_options *options, struct exporter **ret_exporter,
	struct complaint *complaint);
void exporter_free(struct exporter *exporter);

/* The thread's body; returns after exporter_stop. */
void exporter_run(struct exporter *exporter);

/*
 * Asks exporter_run to send what is there and return: at the latest at `deadline_ms` (clock_monotonic_ms),
 * and as soon as nothing more can be sent before. What has no answer then is sent again after a
 * restart. From any thread, as the following.
 */
void exporter_stop(struct exporter *exporter, uint64_t deadline_ms);

/*
 * The same destination, with other keys and headers: requests from now on have them, and a lane that
 * was held because of the old ones tries at once. From one thread at a time.
 *
 *   config    read here and not kept, as the next; its addresses are those that the exporter was made with
 *   projects  as destination_in_lane; a lane whose project is not among them keeps the keys that it has
 *
 * 0, or as exporter_new, when nothing has changed.
 */
int exporter_rekey(struct exporter *exporter, const struct destination_config *config,
	const struct project_config *projects, size_t project_count, struct complaint *complaint);

/*
 * Lets a lane give up its oldest records when more than `max_bytes` are kept for it; soon, in the exporter's
 * own thread. To be called each second.
 *
 *   lane        by its place in exporter_options.lanes
 *   safe_below  nothing is given up from this sequence on
 */
void exporter_enforce_share(
	struct exporter *exporter, size_t lane, uint64_t max_bytes, uint64_t safe_below);

struct exporter_figures {
	uint64_t delivered; /* spans, also the next three */
	uint64_t rejected;  /* by partial success */
	uint64_t dead;
	uint64_t dropped;
	uint64_t retried;         /* requests */
	uint64_t in_flight;       /* requests */
	uint64_t last_success_ns; /* Unix time; 0 never */
	uint64_t held_since_ns;   /* Unix time, of the lane held longest; 0 when none is */
	int last_status;          /* HTTP; 0 when there was no answer, or nothing was sent */
};
struct exporter_figures exporter_figures(const struct exporter *exporter);

/* One lane of it, as it is now. */
struct lane_figures {
	const char *name;
	struct spool_lag lag;
	uint64_t delivered; /* spans */
	uint64_t retried;   /* requests, also the next */
	uint64_t in_flight;
	uint64_t last_success_ns; /* Unix time; 0 never */
	int last_status;          /* HTTP; 0 when there was no answer, or nothing was sent */
	uint64_t held_since_ns;   /* Unix time; 0 when it is not held */
	uint64_t
		failing_since_ns; /* Unix time of the first failure since the last delivery; 0: none */
	int status;               /* of the last failure; 0 when there was no answer */
	const char *why;          /* words on it, static; NULL while nothing fails */
};
size_t exporter_lane_count(const struct exporter *exporter);
struct lane_figures exporter_lane_figures(const struct exporter *exporter, size_t lane);

/* The same in short. */
struct lane_health {
	uint64_t last_success_ns, failing_since_ns;
	int status;
};
struct lane_health exporter_lane_health(const struct exporter *exporter, size_t lane);

/*
 * Sends one request beside the lanes, once, whatever holds those, with the keys of one of them, and waits for
 * what comes back; from any thread while exporter_run runs. HTTP_UNUSABLE when the destination does not take the
 * signal, or has not got that lane.
 */
struct reply exporter_send_once(struct exporter *exporter, const char *lane, enum signal signal,
	enum encoding encoding, struct bytes body);

/*
 * Every record of this lane and signal with a smaller sequence is finished. From any thread, and at once after the
 * reply to the last one. 0: there is no such lane, or nothing was read yet.
 */
uint64_t exporter_finished_below(
	const struct exporter *exporter, const char *lane, enum signal signal);

/* What is kept for it, for all lanes together. */
struct spool_lag exporter_lag(const struct exporter *exporter);

#endif
