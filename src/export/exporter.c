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

struct exporter {
	struct exporter_options options;
	struct endpoint *endpoints;         /* by enum signal */
	_Atomic(struct endpoint *) rekeyed; /* to take their place; NULL: nothing new */
	struct http_client *client;
	struct lane **lanes; /* of each name one for each signal that is taken */
	const char **names;  /* of the lanes */
	size_t lane_count;
	struct exporter_counts counts;
	uint64_t held_since_ms;

	struct errands errands;

	_Atomic uint64_t deadline_ms; /* 0: not to stop */
	_Atomic uint64_t share_max_bytes, share_safe_below;
	_Atomic bool is_share_asked;
};

static void wake(void *arg)
{
	struct exporter *exporter = arg;
	http_client_wake(exporter->client);
}

static int make_lane(struct exporter *exporter, const struct lane_options *options)
{
	int error = lane_new(options, &exporter->lanes[exporter->lane_count]);
	if (!error)
		exporter->names[exporter->lane_count++] = options->name;
	return error;
}

/* That of traces is there in any case: it moves the cursor where nothing is taken. */
static int make_lanes_named(struct exporter *exporter, struct lane_options *options)
{
	unsigned signals = 0;
	struct delivery *delivery =
		delivery_of(options->deliveries, options->config->name, options->name);
	if (!delivery)
		return -ENOMEM;
	for (int signal = SIGNAL_TRACES; signal < SIGNAL_COUNT; signal++)
		signals |= options->takes[signal] ? 1U << signal : 0;
	delivery_begin(delivery, options->shapes, signals);
	int error = 0;
	for (int signal = SIGNAL_TRACES; signal < SIGNAL_COUNT && !error; signal++) {
		options->signal = (enum signal)signal;
		if (signal == SIGNAL_TRACES || options->takes[signal])
			error = make_lane(exporter, options);
	}
	return error;
}

static int make_lanes(struct exporter *exporter)
{
	const struct exporter_options *options = &exporter->options;
	struct lane_options lane = {
		.config = options->config,
		.shapes = destination_of(options->config->type)->shapes,
		.hold_initial_ms = options->hold_initial_ms,
		.hold_max_ms = options->hold_max_ms,
		.spool = options->spool,
		.deliveries = options->deliveries,
		.counts = &exporter->counts,
		.wake = wake,
		.wake_arg = exporter,
	};
	for (int signal = SIGNAL_TRACES; signal < SIGNAL_COUNT; signal++)
		lane.takes[signal] = exporter->endpoints[signal].url &&
			content_lets_pass(options->config, (enum signal)signal) &&
			(signal != SIGNAL_INGESTION || options->takes_events);
	exporter->lanes = calloc(options->lane_count * SIGNAL_COUNT, sizeof(struct lane *));
	exporter->names = calloc(options->lane_count * SIGNAL_COUNT, sizeof(char *));
	int error = exporter->lanes && exporter->names ? 0 : -ENOMEM;
	for (size_t i = 0; i < options->lane_count && !error; i++) {
		lane.name = options->lanes[i];
		error = make_lanes_named(exporter, &lane);
	}
	return error;
}

static void endpoints_free(struct endpoint *endpoints)
{
	if (endpoints)
		endpoints_done(endpoints);
	free(endpoints);
}

static int endpoints_make(const struct destination_config *config, struct endpoint **ret_endpoints,
	struct complaint *complaint)
{
	struct endpoint *endpoints = calloc(SIGNAL_COUNT, sizeof *endpoints);
	int error = endpoints ? endpoints_init(endpoints, config, complaint) : -ENOMEM;
	if (error)
		free(endpoints);
	else
		*ret_endpoints = endpoints;
	return error;
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
	int error = endpoints_make(options->config, &exporter->endpoints, complaint);
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
	for (size_t i = 0; i < exporter->lane_count; i++)
		lane_free(exporter->lanes[i]);
	free(exporter->lanes);
	free(exporter->names);
	http_client_free(exporter->client);
	endpoints_free(exporter->endpoints);
	endpoints_free(atomic_load(&exporter->rekeyed));
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
	atomic_store(&exporter->counts.last_status, (uint64_t)reply->status);
	if (reply->status >= 200 && reply->status < 300)
		atomic_store(&exporter->counts.last_success_ns, clock_unix_ns());
	lane_settle(job->lane, job, reply, clock_monotonic_ms(), draw_random());
}

static const struct reply no_memory = { .outcome = HTTP_FAILED, .error = "out of memory" };
static const struct reply no_endpoint = { .outcome = HTTP_UNUSABLE,
	.error = "the destination does not take this signal" };

static const struct reply not_withheld = { .outcome = HTTP_UNUSABLE,
	.error = "content cannot be withheld from it" };

static void send_jobs(struct exporter *exporter, struct lane *lane, uint64_t now_ms)
{
	struct job *job;
	while ((job = lane_take(lane, now_ms))) {
		const struct endpoint *endpoint = &exporter->endpoints[job->signal];
		const struct http_post post = {
			.url = endpoint->url,
			.headers = endpoint->headers[job->encoding],
			.pieces = job->pieces,
			.piece_count = job->piece_count,
			.owner = job,
		};
		if (http_client_post(exporter->client, &post) < 0)
			settle(exporter, job, &no_memory);
	}
}

static void send_errands(struct exporter *exporter)
{
	struct errand *errand;
	while ((errand = errands_next(&exporter->errands))) {
		const struct endpoint *endpoint = &exporter->endpoints[errand->signal];
		const struct http_post post = {
			.url = endpoint->url,
			.headers = endpoint->headers[errand->encoding],
			.pieces = errand->pieces,
			.piece_count = errand->piece_count,
			.owner = errand,
		};
		if (!endpoint->url)
			errands_settle(&exporter->errands, errand, &no_endpoint);
		else if (http_client_post(exporter->client, &post) < 0)
			errands_settle(&exporter->errands, errand, &no_memory);
	}
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

static void enforce_share(struct exporter *exporter)
{
	if (!atomic_exchange(&exporter->is_share_asked, false))
		return;
	for (size_t i = 0; i < exporter->lane_count; i++)
		lane_enforce_share(exporter->lanes[i], atomic_load(&exporter->share_max_bytes),
			atomic_load(&exporter->share_safe_below));
}

/* Requests on their way keep the headers that they were sent with. */
static void take_keys(struct exporter *exporter)
{
	struct endpoint *endpoints = atomic_exchange(&exporter->rekeyed, NULL);
	if (!endpoints)
		return;
	endpoints_free(exporter->endpoints);
	exporter->endpoints = endpoints;
	for (size_t i = 0; i < exporter->lane_count; i++)
		lane_rekey(exporter->lanes[i]);
}

/* Tells the figures since when the longest hold lasts. */
static void note_holds(struct exporter *exporter, uint64_t now_ms)
{
	uint64_t longest_ms = 0;
	for (size_t i = 0; i < exporter->lane_count; i++) {
		uint64_t since_ms = lane_held_since_ms(exporter->lanes[i]);
		if (since_ms && (!longest_ms || since_ms < longest_ms))
			longest_ms = since_ms;
	}
	if (longest_ms == exporter->held_since_ms)
		return;
	exporter->held_since_ms = longest_ms;
	atomic_store(&exporter->counts.held_since_ns,
		longest_ms ? clock_unix_ns() - (now_ms - longest_ms) * 1000000 : 0);
}

/* True when nothing more can be sent before the deadline. */
static bool is_over(
	struct exporter *exporter, uint64_t now_ms, uint64_t next_ms, uint64_t deadline_ms)
{
	if (!deadline_ms)
		return false;
	bool is_done = true;
	for (size_t i = 0; i < exporter->lane_count; i++)
		is_done = is_done && lane_is_done(exporter->lanes[i]);
	bool is_waiting = atomic_load(&exporter->counts.in_flight) == 0 && next_ms > deadline_ms;
	return is_done || is_waiting || now_ms >= deadline_ms;
}

void exporter_run(struct exporter *exporter)
{
	for (;;) {
		uint64_t deadline_ms = atomic_load(&exporter->deadline_ms);
		uint64_t now_ms = clock_monotonic_ms(), next_ms = now_ms + IDLE_WAIT_MS;
		take_keys(exporter);
		enforce_share(exporter);
		send_errands(exporter);
		for (size_t i = 0; i < exporter->lane_count; i++) {
			struct lane *lane = exporter->lanes[i];
			if (deadline_ms)
				lane_hurry(lane);
			send_jobs(exporter, lane, now_ms);
			if (lane_next_ms(lane) < next_ms)
				next_ms = lane_next_ms(lane);
		}
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
	struct complaint *complaint)
{
	struct endpoint *endpoints;
	int error = endpoints_make(config, &endpoints, complaint);
	if (error)
		return error;
	endpoints_free(atomic_exchange(&exporter->rekeyed, endpoints));
	http_client_wake(exporter->client);
	return 0;
}

void exporter_enforce_share(struct exporter *exporter, uint64_t max_bytes, uint64_t safe_below)
{
	atomic_store(&exporter->share_max_bytes, max_bytes);
	atomic_store(&exporter->share_safe_below, safe_below);
	atomic_store(&exporter->is_share_asked, true);
	http_client_wake(exporter->client);
}

struct exporter_figures exporter_figures(const struct exporter *exporter)
{
	const struct exporter_counts *counts = &exporter->counts;
	return (struct exporter_figures){
		.delivered = atomic_load(&counts->delivered),
		.rejected = atomic_load(&counts->rejected),
		.dead = atomic_load(&counts->dead),
		.dropped = atomic_load(&counts->dropped),
		.retried = atomic_load(&counts->retried),
		.in_flight = atomic_load(&counts->in_flight),
		.last_success_ns = atomic_load(&counts->last_success_ns),
		.held_since_ns = atomic_load(&counts->held_since_ns),
		.last_status = (int)atomic_load(&counts->last_status),
	};
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

/* Its signals share one delivery state; what the first of them keeps is what all do, or a little more. */
static bool is_first_of_name(const struct exporter *exporter, size_t i)
{
	return i == 0 || strcmp(exporter->names[i], exporter->names[i - 1]) != 0;
}

static bool is_worse(const struct lane_trouble *one, const struct lane_trouble *other)
{
	if (!one->held_since_ms != !other->held_since_ms)
		return one->held_since_ms;
	return one->failing_since_ms &&
		(!other->failing_since_ms || one->failing_since_ms < other->failing_since_ms);
}

struct lane_figures exporter_lane_figures(const struct exporter *exporter, size_t lane)
{
	struct lane_figures figures = { .name = exporter->options.lanes[lane] };
	struct lane_trouble worst = { 0 };
	for (size_t i = 0; i < exporter->lane_count; i++) {
		const struct lane *at = exporter->lanes[i];
		if (strcmp(exporter->names[i], figures.name) != 0)
			continue;
		struct lane_trouble trouble = lane_trouble(at);
		if (is_worse(&trouble, &worst))
			worst = trouble;
		if (is_first_of_name(exporter, i))
			figures.lag = lane_lag(at);
		figures.in_flight += lane_in_flight(at);
	}
	figures.held_since_ns = to_unix_ns(worst.held_since_ms);
	figures.failing_since_ns = to_unix_ns(worst.failing_since_ms);
	figures.status = worst.status;
	figures.why = worst.why;
	return figures;
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
	struct bytes line;
	for (struct bytes rest = lines; lines_next(&rest, &line);)
		errand->event_count++;
	errand->piece_count = ingestion_piece_count(errand->event_count);
	struct bytes *pieces = arena_alloc(arena, errand->piece_count * sizeof *pieces);
	errand->pieces = pieces;
	return pieces ? ingestion_wrap(lines, errand->event_count, pieces) : arena->error;
}

struct reply exporter_send_once(
	struct exporter *exporter, enum signal signal, enum encoding encoding, struct bytes body)
{
	struct errand errand = {
		.signal = signal, .encoding = encoding, .pieces = &body, .piece_count = 1
	};
	struct arena arena;
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

struct spool_lag exporter_lag(const struct exporter *exporter)
{
	struct spool_lag all = { 0 };
	for (size_t i = 0; i < exporter->lane_count; i++) {
		if (!is_first_of_name(exporter, i))
			continue;
		struct spool_lag lag = lane_lag(exporter->lanes[i]);
		all.records += lag.records;
		all.bytes += lag.bytes;
		if (lag.oldest_ns && (!all.oldest_ns || lag.oldest_ns < all.oldest_ns))
			all.oldest_ns = lag.oldest_ns;
	}
	return all;
}

uint64_t exporter_finished_below(
	const struct exporter *exporter, const char *name, enum signal signal)
{
	for (size_t i = 0; i < exporter->lane_count; i++)
		if (lane_signal(exporter->lanes[i]) == signal &&
			strcmp(exporter->names[i], name) == 0)
			return lane_finished_below(exporter->lanes[i]);
	return 0;
}
