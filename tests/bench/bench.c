/*
 * The benchmark: the same load through Tollgate and through the peers whose programs are named in the
 * environment (FLUENT_BIT, OTELCOL), one after the other, in one table.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/proxy.h"
#include "bench/rig.h"

static const char usage[] =
	"usage: tests/bench/run BUILD_DIR [options]\n"
	"  --quick             a hundredth of everything: does it run at all?\n"
	"  --spans N           of the small case; the others in proportion (2000000)\n"
	"  --connections N     of the small and large case; tiny has eight times as many (8)\n"
	"  --rate N            spans per second of the paced case (15000)\n"
	"  --backlog-bytes N   raw bytes that pile up while both sinks refuse (5000000000)\n"
	"  --requests N        of each kind in front of Langfuse (20000)\n"
	"  --streams N         open at once in front of Langfuse, at most 500 (200)\n"
	"  --body-bytes N      of a body that passes, each way (1000000000)\n"
	"  --repeat N          each case N times; the run with the median s/M is shown (1)\n"
	"  --case NAME         only this one: small, json, large, tiny, vocabularies, others, claude-logs,\n"
	"                      paced, backlog, proxy-latency, proxy-streams, proxy-bodies\n"
	"environment: FLUENT_BIT, OTELCOL name peers' programs; TMPDIR is where state is kept (/var/tmp)\n";

struct options {
	uint64_t spans;
	unsigned connections;
	double rate;
	uint64_t backlog_bytes;
	uint64_t requests;
	unsigned streams;
	uint64_t body_bytes;
	unsigned repeat;
	const char *only;
};

static const char *const as_shipped[] = { NULL };
static const char *const without_local[] = { "TOLLGATE_LOCAL_ENABLED=false", NULL };
/* What coding CLIs say waits for its partners, which never come here, for seconds only. */
static const char *const hasty[] = { "TOLLGATE_SESSIONS_JOIN_WAIT_MS=500",
	"TOLLGATE_SESSIONS_TURN_IDLE_MS=1000", NULL };

enum { SMALL_SPAN_BYTES = 1198, REPEAT_MAX = 9, GATEWAYS_MAX = 4 };

/* One line of the table. */
struct row {
	char name[40];
	double cpu_per_million; /* CPU seconds of the gateway per million spans acknowledged */
	struct figures figures;
	struct tally_difference difference;
};

static void print_head(void)
{
	printf("%-11s %-22s %8s %6s %9s %9s %9s %8s %6s %6s\n", "gateway", "case", "s/M", "ratio",
		"spans/s", "ack p50", "ack p99", "anon MB", "lost", "twice");
}

/*   base  Tollgate's figure for the same case, 0 for itself */
static void print_row(const char *gateway, const struct row *row, double base)
{
	const struct figures *f = &row->figures;
	char ratio[16] = "";
	if (base > 0)
		snprintf(ratio, sizeof(ratio), "%.1fx", row->cpu_per_million / base);
	printf("%-11s %-22s %8.2f %6s %9.0f %9.2f %9.2f %8.1f %6llu %6llu", gateway, row->name,
		row->cpu_per_million, ratio, (double)f->acknowledged / f->seconds, f->p50_ms,
		f->p99_ms, (double)f->anonymous_peak_bytes / 1e6,
		(unsigned long long)row->difference.lost,
		(unsigned long long)row->difference.duplicated);
	if (f->refused)
		printf("  %llu requests told to come again", (unsigned long long)f->refused);
	if (f->failed)
		printf("  %llu requests FAILED", (unsigned long long)f->failed);
	printf("\n");
	fflush(stdout);
}

static void fill_row(struct row *row, const struct rig *rig, const struct figures *figures)
{
	row->figures = *figures;
	row->cpu_per_million = figures->acknowledged ?
		figures->cpu_seconds * 1e6 / (double)figures->acknowledged :
		NAN;
	row->difference = rig_compare(rig);
}

static int run_plainly(const struct gateway *gateway, bool is_gzip, const char *const *settings,
	const struct phase *phase, struct row *row)
{
	struct rig rig;
	struct figures figures;
	int error = rig_open(&rig, gateway, is_gzip, settings, phase->spans + 1000);
	if (error == 0)
		error = rig_start(&rig);
	if (error == 0)
		error = rig_run(&rig, phase, &figures);
	if (error == 0)
		fill_row(row, &rig, &figures);
	rig_close(&rig);
	return error;
}

static int compare_cpu(const void *a, const void *b)
{
	double left = ((const struct row *)a)->cpu_per_million,
	       right = ((const struct row *)b)->cpu_per_million;
	return (left > right) - (left < right);
}

/*   ret_row  of the run with the median */
static int repeat(const struct options *options, const struct gateway *gateway, const char *name,
	bool is_gzip, const char *const *settings, const struct phase *phase, struct row *ret_row)
{
	struct row rows[REPEAT_MAX];
	for (unsigned i = 0; i < options->repeat; i++) {
		int error = run_plainly(gateway, is_gzip, settings, phase, &rows[i]);
		if (error < 0) {
			fprintf(stderr, "bench: %s, %s: %s\n", gateway->name, name,
				strerror(-error));
			return error;
		}
	}
	qsort(rows, options->repeat, sizeof(rows[0]), compare_cpu);
	*ret_row = rows[options->repeat / 2];
	snprintf(ret_row->name, sizeof(ret_row->name), "%s", name);
	return 0;
}

/* The same phase through every gateway. */
static int measure(const struct options *options, const char *name, bool is_gzip,
	const char *const *settings, const struct phase *phase)
{
	double base = 0;
	int error = 0;
	for (const struct gateway *gateway = gateways; gateway->name && !error; gateway++) {
		struct row row;
		if (!gateway_is_present(gateway))
			continue;
		error = repeat(options, gateway, name, is_gzip, settings, phase, &row);
		if (!error)
			print_row(gateway->name, &row, base);
		if (!error && gateway == gateways)
			base = row.cpu_per_million;
	}
	return error;
}

/* What the local view costs is the difference to the row before. */
static int measure_without_local(const struct options *options, const struct phase *phase)
{
	struct row row;
	int error = repeat(options, &gateways[0], "  local off", true, without_local, phase, &row);
	if (!error)
		print_row(gateways[0].name, &row, 0);
	return error;
}

static bool is_wanted(const struct options *options, const char *name)
{
	return !options->only || strcmp(options->only, name) == 0;
}

/* As fast as it goes, to two destinations, until both have everything. */
static int measure_throughput(const struct options *options)
{
	static const struct {
		const char *name;
		enum payload_case payload;
		bool is_json;
		double share;         /* of the spans of the small case */
		unsigned connections; /* times those of the small case */
		const char *const *settings;
	} cases[] = {
		{ "small", PAYLOAD_SMALL, false, 1, 1, as_shipped },
		{ "json", PAYLOAD_SMALL, true, 1, 1, as_shipped },
		{ "large", PAYLOAD_LARGE, false, 0.1, 1, as_shipped },
		{ "tiny", PAYLOAD_TINY, false, 0.25, 8, as_shipped },
		{ "vocabularies", PAYLOAD_VOCABULARIES, false, 1, 1, hasty },
		{ "others", PAYLOAD_OTHERS, false, 1, 1, as_shipped },
	};
	int error = 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) && !error; i++) {
		struct phase phase = {
			.payload = cases[i].payload,
			.is_json = cases[i].is_json,
			.spans = (uint64_t)((double)options->spans * cases[i].share),
			.connections = options->connections * cases[i].connections,
			.is_drained = true,
		};
		for (int is_gzip = 1; is_gzip >= 0 && !error && is_wanted(options, cases[i].name);
			is_gzip--) {
			char name[40];
			snprintf(name, sizeof(name), "%s %s", cases[i].name,
				is_gzip ? "gzip" : "plain");
			error = measure(options, name, is_gzip, cases[i].settings, &phase);
			if (!error && is_gzip && cases[i].payload == PAYLOAD_SMALL)
				error = measure_without_local(options, &phase);
		}
	}
	return error;
}

/*
 * Log events of Claude Code, of which spans are made; s/M is for each event. The peers would carry the
 * events on.
 */
static int measure_sessions(const struct options *options)
{
	struct row row;
	struct phase phase = {
		.payload = PAYLOAD_CLAUDE_LOGS,
		.spans = options->spans,
		.connections = options->connections,
		.is_drained = true,
		.made_spans = CLAUDE_LOGS_SPANS,
	};
	int error = repeat(options, &gateways[0], "claude-logs gzip", true, hasty, &phase, &row);
	if (!error)
		print_row(gateways[0].name, &row, 0);
	return error;
}

/* What a client feels: at a steady pace, and when there is next to nothing to do. */
static int measure_pace(const struct options *options)
{
	struct phase phase = {
		.payload = PAYLOAD_SMALL,
		.connections = options->connections,
		.is_drained = true,
	};
	double seconds = fmax(0.5, (double)options->spans / 100000);
	const struct {
		const char *name;
		double rate;
	} paces[] = { { "paced", options->rate }, { "idle", 1000 } };
	int error = 0;
	for (size_t i = 0; i < 2 && !error; i++) {
		char name[40];
		snprintf(name, sizeof(name), "%s %.0f/s gzip", paces[i].name, paces[i].rate);
		phase.spans_per_second = paces[i].rate;
		phase.spans = (uint64_t)(seconds * paces[i].rate);
		error = measure(options, name, true, as_shipped, &phase);
		if (!error)
			error = measure_without_local(options, &phase);
	}
	return error;
}

/*
 * Both sinks answer 503 until the backlog stands, then it drains while new spans arrive. Plain, so
 * that the raw bytes are what lies on the disk. Tollgate alone: it is its own promise that is tested.
 */
static int measure_backlog(const struct options *options)
{
	struct rig rig;
	struct figures build, drain, whole;
	struct row row;
	struct phase phase = {
		.payload = PAYLOAD_SMALL,
		.connections = options->connections,
		.spans = options->backlog_bytes / SMALL_SPAN_BYTES,
		.spans_per_second = 150000,
	};
	int error = rig_open(&rig, &gateways[0], false, as_shipped, phase.spans * 2 + 1000);
	if (error == 0)
		error = rig_start(&rig);
	if (error < 0)
		goto out;
	rig_answer(&rig, 503);
	error = rig_run(&rig, &phase, &build);
	if (error < 0)
		goto out;
	rig_answer(&rig, 200);
	phase.spans /= 4;
	phase.spans_per_second = 100000;
	phase.is_drained = true;
	error = rig_run(&rig, &phase, &drain);
	if (error < 0)
		goto out;

	snprintf(row.name, sizeof(row.name), "backlog build %.1f GB",
		(double)options->backlog_bytes / 1e9);
	fill_row(&row, &rig, &build);
	print_row(gateways[0].name, &row, 0);
	whole = drain;
	whole.cpu_seconds += build.cpu_seconds;
	whole.seconds += build.seconds;
	whole.acknowledged += build.acknowledged;
	snprintf(row.name, sizeof(row.name), "backlog whole");
	fill_row(&row, &rig, &whole);
	print_row(gateways[0].name, &row, 0);
	printf("            drained at %.0f spans/s to each sink under %.0f/s of new load; %.1f MB anonymous after\n",
		(double)drain.delivered[0] / drain.seconds, phase.spans_per_second,
		(double)daemon_anonymous_bytes(&rig.daemon) / 1e6);
out:
	if (error < 0)
		fprintf(stderr, "bench: backlog: %s\n", strerror(-error));
	rig_close(&rig);
	return error;
}

static int measure_spans(const struct options *options)
{
	puts("s/M: CPU seconds of the gateway per million spans, load and drain; two destinations; ms; MB");
	print_head();
	int error = measure_throughput(options);
	if (!error && is_wanted(options, "claude-logs"))
		error = measure_sessions(options);
	if (!error && is_wanted(options, "paced"))
		error = measure_pace(options);
	if (!error && is_wanted(options, "backlog"))
		error = measure_backlog(options);
	return error;
}

static int measure_proxy(const struct options *options)
{
	const struct proxy_load load = {
		.requests = options->requests,
		.streams = options->streams,
		.body_bytes = options->body_bytes,
		.connections = options->connections,
		.spans_per_second = options->rate,
		.seconds = fmax(0.5, (double)options->spans / 200000),
	};
	int error = 0;
	if (is_wanted(options, "proxy-latency"))
		error = proxy_measure_latency(&load);
	if (!error && is_wanted(options, "proxy-streams"))
		error = proxy_measure_streams(&load);
	if (!error && is_wanted(options, "proxy-bodies"))
		error = proxy_measure_bodies(&load);
	return error;
}

static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "spans", required_argument, NULL, 's' },
		{ "connections", required_argument, NULL, 'c' },
		{ "rate", required_argument, NULL, 'r' },
		{ "backlog-bytes", required_argument, NULL, 'b' },
		{ "requests", required_argument, NULL, 'g' },
		{ "streams", required_argument, NULL, 't' },
		{ "body-bytes", required_argument, NULL, 'y' },
		{ "repeat", required_argument, NULL, 'n' },
		{ "case", required_argument, NULL, 'o' },
		{ 0 },
	};
	int option;
	*options = (struct options){ .spans = 2000000,
		.connections = 8,
		.rate = 15000,
		.backlog_bytes = 5000000000,
		.requests = 20000,
		.streams = 200,
		.body_bytes = 1000000000,
		.repeat = 1 };
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		double number = optarg ? strtod(optarg, NULL) : 0;
		switch (option) {
		case 'q':
			options->spans /= 100;
			options->backlog_bytes /= 100;
			options->requests /= 100;
			options->body_bytes /= 100;
			break;
		case 's':
			options->spans = (uint64_t)number;
			break;
		case 'c':
			options->connections = (unsigned)number;
			break;
		case 'r':
			options->rate = number;
			break;
		case 'b':
			options->backlog_bytes = (uint64_t)number;
			break;
		case 'g':
			options->requests = (uint64_t)number;
			break;
		case 't':
			options->streams = (unsigned)number;
			break;
		case 'y':
			options->body_bytes = (uint64_t)number;
			break;
		case 'n':
			options->repeat = (unsigned)number;
			break;
		case 'o':
			options->only = optarg;
			break;
		default:
			return -EINVAL;
		}
	}
	bool is_sound = options->spans >= 100 && options->connections >= 1 &&
		options->connections <= 1000 && options->rate >= 1 && options->repeat >= 1 &&
		options->repeat <= REPEAT_MAX && options->requests >= 1 && options->streams >= 1 &&
		options->streams <= 500 && options->body_bytes >= 1;
	return is_sound && optind == argc ? 0 : -EINVAL;
}

static void interrupt(int signal)
{
	rig_is_interrupted = 1;
}

int main(int argc, char **argv)
{
	struct options options;
	if (read_options(argc, argv, &options) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = interrupt }, NULL);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = interrupt }, NULL);
#ifdef __SANITIZE_ADDRESS__
	puts("built with sanitizers: these figures say nothing about speed");
#endif
	int error = 0;
	if (!options.only || strncmp(options.only, "proxy-", 6) != 0)
		error = measure_spans(&options);
	if (!error)
		error = measure_proxy(&options);
	return error < 0;
}
