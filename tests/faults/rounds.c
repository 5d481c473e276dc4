#include "faults/rounds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/rig.h"

enum {
	SPANS_PER_ROUND = 200000, /* more than are sent */
	REQUESTS_PER_SECOND = 400,
	CONNECTIONS = 16,
	SHORTEST_MS = 200,
	LONGEST_MS = 1500,
	/* Delivery progress is committed each second; a quarter more for a busy machine. */
	PROGRESS_MS = 1260,
	STEP_MS = 20,
	/* Four requests of a thousand spans, on their way when the daemon dies and not yet counted. */
	IN_FLIGHT_SPANS = 4 * 1000,
};

/* Marks of one sink over time, to know how many fell into the last second before a kill. */
struct history {
	uint64_t marks[LONGEST_MS / STEP_MS + 2];
	uint64_t safe; /* marks up to here are committed for sure */
};

struct state {
	struct rig rig;
	struct history history[2];
	uint64_t allowed;
};

static const char *const settings[] = {
	"TOLLGATE_SPOOL_SEGMENT_BYTES=8MiB", /* so that many are recycled */
	NULL,
};

static void choose_answers(struct rig *rig, unsigned round)
{
	rig->sink_reports[0]->answer = round % 4 == 3 ? 503 : 200;
	rig->sink_reports[1]->answer = round % 4 == 1 ? 503 : 200;
}

/* Lets the load run for a while and kills the daemon. */
static int run_round(struct state *state, unsigned round, unsigned alive_ms)
{
	struct rig *rig = &state->rig;
	struct phase phase = {
		.payload = round % PAYLOAD_CASE_COUNT,
		.connections = CONNECTIONS,
		.spans = SPANS_PER_ROUND,
	};
	phase.spans_per_second = REQUESTS_PER_SECOND * payload_case_spans(phase.payload);
	*rig->load_report = (struct load_report){ 0 };
	struct load_job job = rig_job(rig, &phase);
	job.ends_with_server = true;
	choose_answers(rig, round);
	int error = child_start(&rig->load, load_child, &job);
	if (error < 0)
		return error;

	unsigned steps = alive_ms / STEP_MS;
	for (unsigned step = 0; step < steps; step++) {
		for (int i = 0; i < 2; i++)
			state->history[i].marks[step] = rig->received[i]->spans;
		if (child_wait(&rig->daemon.child, STEP_MS) != -ETIMEDOUT)
			return -ESRCH;
	}
	daemon_kill(&rig->daemon);
	int status = child_wait(&rig->load, 30000);
	if (status != 0)
		return status < 0 ? status : -ECHILD;
	rig->next_span = rig->load_report->next;
	if (rig->load_report->failed > 0)
		return -EPROTO;
	for (int i = 0; i < 2; i++) {
		struct history *history = &state->history[i];
		if (alive_ms >= PROGRESS_MS)
			history->safe = history->marks[steps - PROGRESS_MS / STEP_MS];
		state->allowed += rig->received[i]->spans - history->safe + IN_FLIGHT_SPANS;
	}
	return 0;
}

static void read_result(const struct state *state, struct rounds_result *result)
{
	const struct rig *rig = &state->rig;
	struct tally_difference difference = rig_compare(rig);
	result->acknowledged = rig->acknowledged->distinct;
	result->lost = difference.lost;
	result->duplicated = difference.duplicated;
	result->duplicated_most = state->allowed;
	result->strangers = rig->received[0]->strangers + rig->received[1]->strangers;
	result->malformed = rig->sink_reports[0]->malformed + rig->sink_reports[1]->malformed;
}

static void print_round(
	const struct state *state, unsigned round, const struct rounds_result *result)
{
	const struct rig *rig = &state->rig;
	if (round == 0)
		printf("%6s %12s %12s %12s %10s %14s\n", "kills", "acknowledged", "at sink 1",
			"at sink 2", "twice", "longest start");
	printf("%6u %12llu %12llu %12llu %10llu %11.0f ms\n", round + 1,
		(unsigned long long)rig->acknowledged->distinct,
		(unsigned long long)rig->received[0]->distinct,
		(unsigned long long)rig->received[1]->distinct,
		(unsigned long long)rig_compare(rig).duplicated, result->start_ms_longest);
	fflush(stdout);
}

static int start(struct state *state, struct rounds_result *result)
{
	uint64_t before_ns = monotonic_ns();
	int error = rig_start(&state->rig);
	double start_ms = (double)(monotonic_ns() - before_ns) / 1e6;
	if (start_ms > result->start_ms_longest)
		result->start_ms_longest = start_ms;
	return error;
}

int rounds_run(const struct rounds_job *job, struct rounds_result *ret_result)
{
	struct rounds_result result = { 0 };
	unsigned short chance[3] = { (unsigned short)job->seed, (unsigned short)(job->seed >> 16),
		1 };
	struct state *state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	int error = rig_open(
		&state->rig, &gateways[0], true, settings, (uint64_t)job->rounds * SPANS_PER_ROUND);
	if (error == 0)
		error = start(state, &result);
	for (unsigned round = 0; round < job->rounds && !error; round++) {
		unsigned alive_ms =
			SHORTEST_MS + (unsigned)(nrand48(chance) % (LONGEST_MS - SHORTEST_MS));
		/* Each fourth lives long enough to commit its progress for sure. */
		error = run_round(state, round, round % 4 == 0 ? LONGEST_MS : alive_ms);
		if (error == 0)
			error = start(state, &result);
		if (error == 0 && job->print_each &&
			(round == 0 || (round + 1) % job->print_each == 0))
			print_round(state, round, &result);
	}
	if (error == 0) {
		rig_answer(&state->rig, 200);
		error = rig_drain(&state->rig);
		/* What never arrives is what is looked for: it is counted, not an error. */
		if (error == -ETIMEDOUT)
			error = 0;
		result.exit_status = daemon_stop(&state->rig.daemon);
		read_result(state, &result);
		*ret_result = result;
	}
	if (error < 0 || result.lost > 0 || result.exit_status != 0)
		daemon_print_log(&state->rig.daemon);
	rig_close(&state->rig);
	free(state);
	return error;
}
