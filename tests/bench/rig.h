/*
 * One gateway between a generator and two sinks, and what it cost to carry the spans through.
 *
 * The figure to compare is CPU seconds of the gateway's process per million spans: on two cores that
 * it shares with generator and sinks, spans per second say as much about those.
 */
#ifndef TG_TESTS_BENCH_RIG_H
#define TG_TESTS_BENCH_RIG_H

#include <signal.h>

#include "bench/gateway.h"
#include "bench/load.h"
#include "bench/sink.h"

struct rig {
	char directory[SCRATCH_PATH_MAX];
	const struct gateway *gateway;
	struct gateway_setup setup;
	struct daemon daemon;
	struct child sinks[2], load;
	struct tally *acknowledged, *received[2];
	struct sink_report *sink_reports[2];
	struct load_report *load_report; /* of the newest phase */
	uint64_t anonymous_peak_bytes;
	uint64_t next_span;
	unsigned made_spans; /* of the newest phase */
};

/*
 * A directory, tallies and two running sinks; the gateway does not run yet. Ended with rig_close, after
 * a failure too.
 *
 *   environment    further settings of Tollgate, NULL at the end; lives as long as the rig
 *   span_capacity  no more spans than these are ever sent
 */
int rig_open(struct rig *rig, const struct gateway *gateway, bool is_gzip,
	const char *const *environment, uint64_t span_capacity);
void rig_close(struct rig *rig);

/* Starts the gateway; after its end again, on the state that it left. */
int rig_start(struct rig *rig);

/* What both sinks answer from now on; 200 counts spans. */
void rig_answer(struct rig *rig, int status);

struct phase {
	enum payload_case payload;
	bool is_json;
	unsigned connections;
	uint64_t spans;
	double spans_per_second; /* 0: closed-loop */
	bool is_drained;         /* ends when both sinks have all that was ever acknowledged */
	unsigned made_spans;     /* of each request, which has none itself; else 0 */
};

struct figures {
	double cpu_seconds;    /* of the gateway, in this phase */
	double seconds;        /* until the last acknowledgement, or the last new span at a sink */
	uint64_t acknowledged; /* spans, in this phase */
	uint64_t delivered[2]; /* new spans at each sink, in this phase */
	uint64_t refused;      /* requests asked to come again */
	uint64_t failed;       /* requests answered otherwise */
	uint64_t anonymous_peak_bytes; /* since the gateway started */
	double p50_ms, p99_ms;         /* acknowledgement */
};

/* Set by a signal handler: the phase that runs ends with -EINTR, so that the caller can close the rig. */
extern volatile sig_atomic_t rig_is_interrupted;

/* The generator's job for a phase; its spans follow those of the phase before. */
struct load_job rig_job(const struct rig *rig, const struct phase *phase);

/* 0; -ETIMEDOUT when nothing moves for a minute; -ESRCH when the gateway died; -EINTR. */
int rig_run(struct rig *rig, const struct phase *phase, struct figures *ret_figures);

/* Waits until both sinks have all that was acknowledged. As rig_run. */
int rig_drain(struct rig *rig);

struct tally_difference rig_compare(const struct rig *rig);

#endif
