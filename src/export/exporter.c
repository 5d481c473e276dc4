#include "export/exporter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/lines.h"
#include "config/config.h"
#include "export/content.h"
#include "export/destination.h"
#include "export/errands.h"
#include "export/ingestion.h"
#include "export/lane.h"

enum { IDLE_WAIT_MS = 60 * 1000 };

/* What the destination has of one project: a lane for each signal that it takes, and the keys. */
struct project {
	const char *name;
	struct endpoint *endpoints;         /* by enum signal; NULL: there are no keys */
	_Atomic(struct endpoint *) rekeyed; /* to take their place; NULL: nothing new */
	struct lane *lanes[SIGNAL_COUNT];   /* that of traces first */
	size_t lane_count;
	struct exporter_counts counts;
	_Atomic uint64_t share_max_bytes, share_safe_below;
	_Atomic bool is_share_asked;
};

struct exporter {
	struct exporter_options options;
	struct http_client *client;
	struct project *projects; /* by options.lanes */
	uint64_t held_since_ms;
	_Atomic uint64_t held_since_ns; /* Unix time, of the lane held longest; 0 when none is */
	_Atomic int last_status;
	struct errands errands;
	_Atomic uint64_t deadline_ms; /* 0: not to stop */
};

static void wake(void *arg)
{
	struct exporter *exporter = arg;
	http_client_wake(exporter->client);
}

static int make_lane(struct project *project, const struct lane_options *options)
{
	int error = lane_new(options, &project->lanes[project->lane_count]);
	project->lane_count += !error;
	return error;
}

/* That of traces is there in any case: it moves the cursor where nothing is taken. */
static int make_lanes_of(struct project *project, struct lane_options *options)
{
	unsigned signals = 0;
	options->name = project->name;
	options->counts = &project->counts;
	struct delivery *delivery =
		delivery_of(options->deliveries, options->config->name, project->name);
	if (!delivery)
		return -ENOMEM;
	for (int signal = SIGNAL_TRACES; signal < SIGNAL_COUNT; signal++)
		signals |= options->takes[signal] ? 1U << signal : 0;
	delivery_begin(delivery, options->shapes, signals);
	int error = 0;
	for (int signal = SIGNAL_TRACES; signal < SIGNAL_COUNT && !error; signal++) {
		options->signal = (enum signal)signal;
		if (signal == SIGNAL_TRACES || options->takes[signal])
			error = make_lane(project, options);
		options->wake = NULL; /* one for all is enough */
	}
	return error;
}

static int make_lanes(struct exporter *exporter)
{
	const struct exporter_options *options = &exporter->options;
	const struct endpoint *endpoints = exporter->projects[0].endpoints;
	struct lane_options lane = {
		.config = options->config,
		.shapes = destination_of(options->config->type)->shapes,
		.hold_initial_ms = options->hold_initial_ms,
		.hold_max_ms = options->hold_max_ms,
		.spool = options->spool,
		.deliveries = options->deliveries,
		.wake = wake,
		.wake_arg = exporter,
	};
	for (int signal = SIGNAL_TRACES; signal < SIGNAL_COUNT; signal++)
		lane.takes[signal] = endpoints[signal].url &&
			content_lets_pass(options->config, (enum signal)signal) &&
			(signal != SIGNAL_INGESTION || options->takes_events);
	int error = 0;
	for (size_t i = 0; i < options->lane_count && !error; i++)
		error = make_lanes_of(&exporter->projects[i], &lane);
	return error;
}

static void endpoints_free(struct endpoint *endpoints)
{
	if (endpoints)
		endpoints_done(endpoints);
	free(endpoints);
}

/* -ENOENT: the lane has no keys. */
static int endpoints_make(const struct destination_config *config,
	const struct project_config *projects, size_t project_count, const char *lane,
	struct endpoint **ret_endpoints, struct complaint *complaint)
{
	struct destination_config own;
	if (!destination_in_lane(config, projects, project_count, lane, &own))
		return -ENOENT;
	struct endpoint *endpoints = calloc(SIGNAL_COUNT, sizeof *endpoints);
	int error = endpoints ? endpoints_init(endpoints, &own, complaint) : -ENOMEM;
	if (error)
		free(endpoints);
	else
		*ret_endpoints = endpoints;
	return error;
}

static int make_projects(struct exporter *exporter, struct complaint *complaint)
{
	const struct exporter_options *options = &exporter->options;
	exporter->projects = calloc(options->lane_count, sizeof *exporter->projects);
	if (!exporter->projects)
		return -ENOMEM;
	int error = 0;
	for (size_t i = 0; i < options->lane_count && (!error || error == -ENOENT); i++) {
		struct project *project = &exporter->projects[i];
		project->name = options->lanes[i];
		error = endpoints_make(options->config, options->projects, options->project_count,
			project->name, &project->endpoints, complaint);
	}
	return error == -ENOENT ? 0 : error;
}

static unsigned count_signals(const struct exporter_options *options)
{
	unsigned signals = options->config->signals | signal_bit(SIGNAL_TRACES);
	return (unsigned)__builtin_popcount(signals) + options->takes_events;
}

int exporter_new(const struct exporter_options *options, struct exporter **ret_exporter,
	struct complaint *complaint)
{
	struct exporter *exporter = calloc(1, sizeof *exporter);
	if (!exporter)
		return -ENOMEM;
	exporter->options = *options;
	errands_init(&exporter->errands);
	const struct http_client_options client = {
		.ca_file = options->config->ca_file,
		.timeout_ms = options->config->timeout_ms,
		.connections = (unsigned)(options->config->in_flight * options->lane_count *
			count_signals(options)),
	};
	int error = make_projects(exporter, complaint);
	if (!error)
		error = http_client_new(&client, &exporter->client);
	if (!error)
		error = make_lanes(exporter);
	if (error) {
		exporter_free(exporter);
		return error;
	}
	*ret_exporter = exporter;
	return 0;
}

void exporter_free(struct exporter *exporter)
{
	if (!exporter)
		return;
	/* The lanes' readers call wake until they are gone; the client's requests use the lanes' jobs. */
	if (exporter->client)
		http_client_cancel(exporter->client);
	size_t count = exporter->projects ? exporter->options.lane_count : 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < exporter->projects[i].lane_count; k++)
			lane_free(exporter->projects[i].lanes[k]);
	http_client_free(exporter->client);
	for (size_t i = 0; i < count; i++) {
		endpoints_free(exporter->projects[i].endpoints);
		endpoints_free(atomic_load(&exporter->projects[i].rekeyed));
	}
	free(exporter->projects);
	errands_done(&exporter->errands);
	free(exporter);
}

static uint32_t draw_random(void)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
		random = (uint32_t)clock_unix_ns();
	return random;
}

static struct reply read_reply(const struct http_answer *answer)
{
	return reply_read(answer, (time_t)(clock_unix_ns() / 1000000000));
}

static void settle(struct exporter *exporter, struct job *job, const struct reply *reply)
{
	struct exporter_counts *counts = lane_counts(job->lane);
	atomic_store(&exporter->last_status, reply->status);
	atomic_store(&counts->last_status, (uint64_t)reply->status);
	if (reply->status >= 200 && reply->status < 300)
		atomic_store(&counts->last_success_ns, clock_unix_ns());
	lane_settle(job->lane, job, reply, clock_monotonic_ms(), draw_random());
}

static const struct reply no_memory = { .outcome = HTTP_FAILED, .error = "out of memory" };
static const struct reply no_endpoint = { .outcome = HTTP_UNUSABLE,
	.error = "the destination does not take this signal" };
static const struct reply no_keys = { .outcome = HTTP_UNUSABLE,
	.error = "its project is not configured any more" };
static const struct reply not_withheld = { .outcome = HTTP_UNUSABLE,
	.error = "content cannot be withheld from it" };

static int send_job(struct exporter *exporter, const struct endpoint *endpoint, struct job *job)
{
	const struct http_post post = {
		.url = endpoint->url,
		.headers = endpoint->headers[job->encoding],
		.pieces = job->pieces,
		.piece_count = job->piece_count,
		.owner = job,
	};
	return http_client_post(exporter->client, &post);
}

static void send_jobs(
	struct exporter *exporter, struct project *project, struct lane *lane, uint64_t now_ms)
{
	struct job *job;
	while ((job = lane_take(lane, now_ms))) {
		if (!project->endpoints)
			settle(exporter, job, &no_keys);
		else if (send_job(exporter, &project->endpoints[job->signal], job) < 0)
			settle(exporter, job, &no_memory);
	}
}

static void send_errand(struct exporter *exporter, struct errand *errand)
{
	const struct project *project = errand->sender;
	const struct endpoint *endpoint =
		project->endpoints ? &project->endpoints[errand->signal] : NULL;
	if (!endpoint || !endpoint->url) {
		errands_settle(&exporter->errands, errand, endpoint ? &no_endpoint : &no_keys);
		return;
	}
	const struct http_post post = {
		.url = endpoint->url,
		.headers = endpoint->headers[errand->encoding],
		.pieces = errand->pieces,
		.piece_count = errand->piece_count,
		.owner = errand,
	};
	if (http_client_post(exporter->client, &post) < 0)
		errands_settle(&exporter->errands, errand, &no_memory);
}

static void send_errands(struct exporter *exporter)
{
	struct errand *errand;
	while ((errand = errands_next(&exporter->errands)))
		send_errand(exporter, errand);
}

static void settle_all(struct exporter *exporter)
{
	struct http_answer answer;
	void *owner;
	while (http_client_next(exporter->client, &owner, &answer)) {
		struct reply reply = read_reply(&answer);
		if (!errands_settle(&exporter->errands, owner, &reply))
			settle(exporter, owner, &reply);
	}
}

static void enforce_share(struct project *project)
{
	if (!atomic_exchange(&project->is_share_asked, false))
		return;
	for (size_t i = 0; i < project->lane_count; i++)
		lane_enforce_share(project->lanes[i], atomic_load(&project->share_max_bytes),
			atomic_load(&project->share_safe_below));
}

/* Requests on their way keep the headers that they were sent with. */
static void take_keys(struct project *project)
{
	struct endpoint *endpoints = atomic_exchange(&project->rekeyed, NULL);
	if (!endpoints)
		return;
	endpoints_free(project->endpoints);
	project->endpoints = endpoints;
	for (size_t i = 0; i < project->lane_count; i++)
		lane_rekey(project->lanes[i]);
}

/* Tells the figures since when the longest hold lasts. */
static void note_holds(struct exporter *exporter, uint64_t now_ms)
{
	uint64_t longest_ms = 0;
	for (size_t i = 0; i < exporter->options.lane_count; i++) {
		const struct project *project = &exporter->projects[i];
		for (size_t k = 0; k < project->lane_count; k++) {
			uint64_t since_ms = lane_held_since_ms(project->lanes[k]);
			if (since_ms && (!longest_ms || since_ms < longest_ms))
				longest_ms = since_ms;
		}
	}
	if (longest_ms == exporter->held_since_ms)
		return;
	exporter->held_since_ms = longest_ms;
	atomic_store(&exporter->held_since_ns,
		longest_ms ? clock_unix_ns() - (now_ms - longest_ms) * 1000000 : 0);
}

/* True when nothing more can be sent before the deadline. */
static bool is_over(
	struct exporter *exporter, uint64_t now_ms, uint64_t next_ms, uint64_t deadline_ms)
{
	if (!deadline_ms)
		return false;
	bool is_done = true;
	uint64_t in_flight = 0;
	for (size_t i = 0; i < exporter->options.lane_count; i++) {
		const struct project *project = &exporter->projects[i];
		in_flight += atomic_load(&project->counts.in_flight);
		for (size_t k = 0; k < project->lane_count; k++)
			is_done = is_done && lane_is_done(project->lanes[k]);
	}
	return is_done || (in_flight == 0 && next_ms > deadline_ms) || now_ms >= deadline_ms;
}

/* When there may be more to send, though nothing comes. */
static uint64_t serve(
	struct exporter *exporter, struct project *project, bool in_hurry, uint64_t now_ms)
{
	uint64_t next_ms = UINT64_MAX;
	take_keys(project);
	enforce_share(project);
	for (size_t i = 0; i < project->lane_count; i++) {
		struct lane *lane = project->lanes[i];
		if (in_hurry)
			lane_hurry(lane);
		send_jobs(exporter, project, lane, now_ms);
		if (lane_next_ms(lane) < next_ms)
			next_ms = lane_next_ms(lane);
	}
	return next_ms;
}

void exporter_run(struct exporter *exporter)
{
	for (;;) {
		uint64_t deadline_ms = atomic_load(&exporter->deadline_ms);
		uint64_t now_ms = clock_monotonic_ms(), next_ms = now_ms + IDLE_WAIT_MS;
		for (size_t i = 0; i < exporter->options.lane_count; i++) {
			uint64_t own_ms =
				serve(exporter, &exporter->projects[i], deadline_ms > 0, now_ms);
			next_ms = own_ms < next_ms ? own_ms : next_ms;
		}
		send_errands(exporter);
		note_holds(exporter, now_ms);
		if (is_over(exporter, now_ms, next_ms, deadline_ms))
			break;
		if (deadline_ms && deadline_ms < next_ms)
			next_ms = deadline_ms;
		http_client_run(exporter->client, next_ms > now_ms ? next_ms - now_ms : 0);
		settle_all(exporter);
	}
	errands_close(&exporter->errands);
}

void exporter_stop(struct exporter *exporter, uint64_t deadline_ms)
{
	atomic_store(&exporter->deadline_ms, deadline_ms ? deadline_ms : 1);
	http_client_wake(exporter->client);
}

int exporter_rekey(struct exporter *exporter, const struct destination_config *config,
	const struct project_config *projects, size_t project_count, struct complaint *complaint)
{
	size_t count = exporter->options.lane_count;
	struct endpoint **made = calloc(count, sizeof *made);
	int error = made ? 0 : -ENOMEM;
	for (size_t i = 0; i < count && !error; i++) {
		error = endpoints_make(config, projects, project_count, exporter->projects[i].name,
			&made[i], complaint);
		error = error == -ENOENT ? 0 : error;
	}
	for (size_t i = 0; made && i < count; i++) {
		_Atomic(struct endpoint *) *rekeyed = &exporter->projects[i].rekeyed;
		endpoints_free(error || !made[i] ? made[i] : atomic_exchange(rekeyed, made[i]));
	}
	free(made);
	if (!error)
		http_client_wake(exporter->client);
	return error;
}

void exporter_enforce_share(
	struct exporter *exporter, size_t lane, uint64_t max_bytes, uint64_t safe_below)
{
	struct project *project = &exporter->projects[lane];
	atomic_store(&project->share_max_bytes, max_bytes);
	atomic_store(&project->share_safe_below, safe_below);
	atomic_store(&project->is_share_asked, true);
	http_client_wake(exporter->client);
}

struct exporter_figures exporter_figures(const struct exporter *exporter)
{
	struct exporter_figures figures = {
		.held_since_ns = atomic_load(&exporter->held_since_ns),
		.last_status = atomic_load(&exporter->last_status),
	};
	for (size_t i = 0; i < exporter->options.lane_count; i++) {
		const struct exporter_counts *counts = &exporter->projects[i].counts;
		uint64_t success_ns = atomic_load(&counts->last_success_ns);
		figures.delivered += atomic_load(&counts->delivered);
		figures.rejected += atomic_load(&counts->rejected);
		figures.dead += atomic_load(&counts->dead);
		figures.dropped += atomic_load(&counts->dropped);
		figures.retried += atomic_load(&counts->retried);
		figures.in_flight += atomic_load(&counts->in_flight);
		if (success_ns > figures.last_success_ns)
			figures.last_success_ns = success_ns;
	}
	return figures;
}

size_t exporter_lane_count(const struct exporter *exporter)
{
	return exporter->options.lane_count;
}

/* A moment of the monotonic clock as Unix time; 0 stays 0. */
static uint64_t to_unix_ns(uint64_t at_ms)
{
	return at_ms ? clock_unix_ns() - (clock_monotonic_ms() - at_ms) * 1000000 : 0;
}

static bool is_worse(const struct lane_trouble *one, const struct lane_trouble *other)
{
	if (!one->held_since_ms != !other->held_since_ms)
		return one->held_since_ms;
	return one->failing_since_ms &&
		(!other->failing_since_ms || one->failing_since_ms < other->failing_since_ms);
}

/* Its signals share one delivery state; what the first of them keeps is what all do, or a little more. */
static struct spool_lag lag_of(const struct project *project)
{
	return lane_lag(project->lanes[0]);
}

static struct lane_trouble trouble_of(const struct project *project)
{
	struct lane_trouble worst = { 0 };
	for (size_t i = 0; i < project->lane_count; i++) {
		struct lane_trouble trouble = lane_trouble(project->lanes[i]);
		if (is_worse(&trouble, &worst))
			worst = trouble;
	}
	return worst;
}

struct lane_figures exporter_lane_figures(const struct exporter *exporter, size_t lane)
{
	const struct project *project = &exporter->projects[lane];
	const struct exporter_counts *counts = &project->counts;
	struct lane_trouble worst = trouble_of(project);
	return (struct lane_figures){
		.name = project->name,
		.lag = lag_of(project),
		.delivered = atomic_load(&counts->delivered),
		.retried = atomic_load(&counts->retried),
		.in_flight = atomic_load(&counts->in_flight),
		.last_success_ns = atomic_load(&counts->last_success_ns),
		.last_status = (int)atomic_load(&counts->last_status),
		.held_since_ns = to_unix_ns(worst.held_since_ms),
		.failing_since_ns = to_unix_ns(worst.failing_since_ms),
		.status = worst.status,
		.why = worst.why,
	};
}

struct lane_health exporter_lane_health(const struct exporter *exporter, size_t lane)
{
	const struct project *project = &exporter->projects[lane];
	struct lane_trouble worst = trouble_of(project);
	return (struct lane_health){ atomic_load(&project->counts.last_success_ns),
		to_unix_ns(worst.failing_since_ms), worst.status };
}

/* It was kept when the destination might have had more. What is kept compressed could not be read then. */
static int withhold(const struct destination_config *config, enum signal signal,
	enum encoding encoding, struct bytes *body, struct arena *arena)
{
	if (config->content == CONTENT_FULL)
		return 0;
	if (encoding != ENCODING_IDENTITY || !content_lets_pass(config, signal))
		return -EBADMSG;
	return content_rewrite(config, *body, arena, body);
}

/* Kept as lines. */
static int wrap_events(struct errand *errand, struct bytes lines, struct arena *arena)
{
	errand->event_count = lines_count(lines);
	errand->piece_count = ingestion_piece_count(errand->event_count);
	struct bytes *pieces = arena_alloc(arena, errand->piece_count * sizeof *pieces);
	errand->pieces = pieces;
	return pieces ? ingestion_wrap(lines, errand->event_count, pieces) : arena->error;
}

static const struct project *find_project(const struct exporter *exporter, const char *lane)
{
	for (size_t i = 0; i < exporter->options.lane_count; i++)
		if (strcmp(exporter->projects[i].name, lane) == 0)
			return &exporter->projects[i];
	return NULL;
}

struct reply exporter_send_once(struct exporter *exporter, const char *lane, enum signal signal,
	enum encoding encoding, struct bytes body)
{
	struct errand errand = { .sender = find_project(exporter, lane),
		.signal = signal,
		.encoding = encoding,
		.pieces = &body,
		.piece_count = 1 };
	struct arena arena;
	if (!errand.sender)
		return no_keys;
	arena_init(&arena, CONTENT_WORK_BYTES + CONTENT_WORK_FACTOR * body.len, NULL);
	int error = signal == SIGNAL_INGESTION ?
		wrap_events(&errand, body, &arena) :
		withhold(exporter->options.config, signal, encoding, &body, &arena);
	if (error)
		errand.reply = error == -ENOMEM ? no_memory : not_withheld;
	else
		errands_run(&exporter->errands, &errand, wake, exporter);
	arena_done(&arena);
	return errand.reply;
}

/* Lanes keep one log together: the one that is furthest behind keeps what all do. */
struct spool_lag exporter_lag(const struct exporter *exporter)
{
	struct spool_lag all = { 0 };
	for (size_t i = 0; i < exporter->options.lane_count; i++) {
		struct spool_lag lag = lag_of(&exporter->projects[i]);
		if (lag.records > all.records)
			all = lag;
	}
	return all;
}

uint64_t exporter_finished_below(
	const struct exporter *exporter, const char *name, enum signal signal)
{
	const struct project *project = find_project(exporter, name);
	for (size_t i = 0; project && i < project->lane_count; i++)
		if (lane_signal(project->lanes[i]) == signal)
			return lane_finished_below(project->lanes[i]);
	return 0;
}
