#include "bench/rig.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

volatile sig_atomic_t rig_is_interrupted;

enum { POLL_MS = 20, SAMPLE_EACH = 5, STALLED_MS = 60000 };

static int open_sink(struct rig *rig, int i, uint64_t span_capacity)
{
	rig->received[i] = tally_new(span_capacity);
	rig->sink_reports[i] = sink_report_new();
	if (!rig->received[i] || !rig->sink_reports[i])
		return -ENOMEM;
	struct sink_job job = {
		.listener = listener_open(&rig->setup.sink_ports[i]),
		.received = rig->received[i],
		.report = rig->sink_reports[i],
	};
	if (job.listener < 0)
		return job.listener;
	int error = child_start(&rig->sinks[i], sink_run, &job);
	close(job.listener);
	return error;
}

int rig_open(struct rig *rig, const struct gateway *gateway, bool is_gzip,
	const char *const *environment, uint64_t span_capacity)
{
	*rig = (struct rig){ .gateway = gateway };
	rig->setup = (struct gateway_setup){
		.directory = rig->directory, .is_gzip = is_gzip, .environment = environment
	};
	int error = scratch_make(rig->directory);
	if (error < 0)
		return error;
	rig->acknowledged = tally_new(span_capacity);
	rig->load_report = load_report_new();
	if (!rig->acknowledged || !rig->load_report)
		return -ENOMEM;
	error = open_sink(rig, 0, span_capacity);
	return error < 0 ? error : open_sink(rig, 1, span_capacity);
}

int rig_start(struct rig *rig)
{
	return rig->gateway->start(&rig->setup, &rig->daemon);
}

void rig_close(struct rig *rig)
{
	child_kill(&rig->load);
	if (rig->daemon.child.pid > 0)
		daemon_stop(&rig->daemon);
	for (int i = 0; i < 2; i++) {
		child_kill(&rig->sinks[i]);
		tally_free(rig->received[i]);
		sink_report_free(rig->sink_reports[i]);
	}
	tally_free(rig->acknowledged);
	load_report_free(rig->load_report);
	scratch_remove(rig->directory);
}

void rig_answer(struct rig *rig, int status)
{
	for (int i = 0; i < 2; i++)
		rig->sink_reports[i]->answer = status;
}

/* Their ids are none of ours, so that they can only be counted. */
static struct tally_difference compare_made(const struct rig *rig, int i)
{
	uint64_t made = rig->load_report->requests * rig->made_spans;
	uint64_t received = rig->received[i]->strangers;
	return (struct tally_difference){
		.lost = made > received ? made - received : 0,
		.duplicated = received > made ? received - made : 0,
	};
}

struct tally_difference rig_compare(const struct rig *rig)
{
	struct tally_difference sum = { 0 };
	for (int i = 0; i < 2; i++) {
		struct tally_difference one = rig->made_spans ?
			compare_made(rig, i) :
			tally_compare(rig->acknowledged, rig->received[i]);
		sum.lost += one.lost;
		sum.duplicated += one.duplicated;
	}
	return sum;
}

static void sample_memory(struct rig *rig)
{
	uint64_t bytes = daemon_anonymous_bytes(&rig->daemon);
	if (bytes > rig->anonymous_peak_bytes)
		rig->anonymous_peak_bytes = bytes;
}

/* A number that changes while anything moves. */
static uint64_t progress(const struct rig *rig)
{
	return rig->acknowledged->spans + rig->received[0]->spans + rig->received[1]->spans +
		rig->received[0]->strangers + rig->received[1]->strangers;
}

/*
 * The counts tell it nearly for free; the comparison is for what arrived without ever being
 * acknowledged, as after a kill.
 */
static bool is_all_delivered(const struct rig *rig)
{
	uint64_t acknowledged = rig->made_spans ? 0 : rig->acknowledged->distinct;
	return rig->received[0]->distinct >= acknowledged &&
		rig->received[1]->distinct >= acknowledged && rig_compare(rig).lost == 0;
}

/* Waits for the generator's end, then for the sinks if they are to have everything. */
static int wait_for_end(struct rig *rig, bool is_drained)
{
	uint64_t before = progress(rig);
	int idle_ms = 0;
	for (unsigned tick = 0;; tick++) {
		if (tick % SAMPLE_EACH == 0)
			sample_memory(rig);
		if (rig->load.pid > 0) {
			int status = child_wait(&rig->load, POLL_MS);
			if (status > 0)
				return -ECHILD;
		} else if (!is_drained || is_all_delivered(rig)) {
			break;
		} else {
			usleep(POLL_MS * 1000);
		}
		if (child_has_ended(&rig->daemon.child))
			return -ESRCH;
		if (rig_is_interrupted)
			return -EINTR;
		uint64_t now = progress(rig);
		idle_ms = now == before ? idle_ms + POLL_MS : 0;
		before = now;
		if (idle_ms >= STALLED_MS)
			return -ETIMEDOUT;
	}
	sample_memory(rig);
	return 0;
}

int rig_drain(struct rig *rig)
{
	return wait_for_end(rig, true);
}

struct load_job rig_job(const struct rig *rig, const struct phase *phase)
{
	return (struct load_job){
		.port = rig->daemon.port,
		.payload = phase->payload,
		.is_json = phase->is_json,
		.connections = phase->connections,
		.seed = rig->next_span + 1,
		.first = rig->next_span,
		.spans = phase->spans,
		.spans_per_second = phase->spans_per_second,
		.acknowledged = rig->acknowledged,
		.report = rig->load_report,
	};
}

int rig_run(struct rig *rig, const struct phase *phase, struct figures *ret_figures)
{
	*rig->load_report = (struct load_report){ 0 };
	rig->made_spans = phase->made_spans;
	struct load_job job = rig_job(rig, phase);
	double cpu_seconds = daemon_cpu_seconds(&rig->daemon);
	uint64_t acknowledged = rig->acknowledged->distinct;
	uint64_t delivered[2] = { rig->received[0]->distinct, rig->received[1]->distinct };
	int error = child_start(&rig->load, load_child, &job);
	if (error == 0)
		error = wait_for_end(rig, phase->is_drained);
	if (error < 0)
		return error;

	rig->next_span = rig->load_report->next;
	uint64_t ended_ns = rig->load_report->ended_ns;
	for (int i = 0; i < 2; i++) {
		delivered[i] = rig->received[i]->distinct - delivered[i];
		if (phase->is_drained && rig->received[i]->newest_ns > ended_ns)
			ended_ns = rig->received[i]->newest_ns;
	}
	*ret_figures = (struct figures){
		.cpu_seconds = daemon_cpu_seconds(&rig->daemon) - cpu_seconds,
		.seconds = (double)(ended_ns - rig->load_report->began_ns) / 1e9,
		.acknowledged = rig->acknowledged->distinct - acknowledged,
		.delivered = { delivered[0], delivered[1] },
		.refused = rig->load_report->refused,
		.failed = rig->load_report->failed,
		.anonymous_peak_bytes = rig->anonymous_peak_bytes,
		.p50_ms = latency_ms(&rig->load_report->latency, 0.5),
		.p99_ms = latency_ms(&rig->load_report->latency, 0.99),
	};
	return 0;
}
