#include "config.h" /* for POLLRDHUP */

#include "support/fake_langfuse.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "support/fake_langfuse_api.h"

enum {
	LEAVE_MS = 2000, /* for answers that are in progress */
	GLANCE_MS = 50,  /* how often one who waits looks whether the client is still there */
	WAITING_CONNECTIONS = 1024,
	PIECE_BYTES = 32 << 10,
	AUTHORIZATION_MAX = 256,
};

struct project {
	struct fake_project is;
	char authorization[AUTHORIZATION_MAX];
	json_t *things, *taken;
};

struct fake_langfuse {
	struct fake_langfuse_options options;
	struct MHD_Daemon *daemon; /* NULL while it is away */
	uint16_t port;
	char url[64];
	atomic_bool is_leaving;
	char letters[PIECE_BYTES + 26]; /* the alphabet, again and again */

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	struct project *projects;
	struct fake_trouble trouble;
	uint64_t trouble_number;
	json_t *refused;
	struct fake_arrival **arrivals;
	size_t arrival_count, open, in_progress;
};

/* ---- one request ---- */

struct call {
	struct fake_langfuse *fake;
	struct fake_arrival *arrival;
	struct buf body;
	bool is_begun, is_in_journal, is_in_progress;
};

static void free_arrival(struct fake_arrival *arrival)
{
	for (size_t i = 0; i < arrival->header_count; i++) {
		free(arrival->headers[i].name);
		free(arrival->headers[i].value);
	}
	free(arrival->headers);
	free(arrival->method);
	free(arrival->target);
	free((void *)arrival->body.at);
	free(arrival);
}

/* The only one that is shown the target as it came. */
static void *begin(void *arg, const char *target, struct MHD_Connection *connection)
{
	struct fake_langfuse *fake = arg;
	struct call *call = calloc(1, sizeof *call);
	call->fake = fake;
	call->arrival = calloc(1, sizeof *call->arrival);
	call->arrival->target = strdup(target);
	buf_init(&call->body, FAKE_KEPT_BYTES, NULL);
	pthread_mutex_lock(&fake->lock);
	fake->open++;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	return call;
}

static enum MHD_Result add_header(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct fake_arrival *arrival = arg;
	arrival->headers =
		realloc(arrival->headers, (arrival->header_count + 2) * sizeof *arrival->headers);
	arrival->headers[arrival->header_count++] =
		(struct fake_line){ strdup(name), strdup(value ? value : "") };
	arrival->headers[arrival->header_count] = (struct fake_line){ 0 };
	return MHD_YES;
}

static enum MHD_Result add_argument(
	void *query, enum MHD_ValueKind kind, const char *name, const char *value)
{
	json_object_set_new(query, name, json_string(value ? value : ""));
	return MHD_YES;
}

static const struct project *project_of(
	const struct fake_langfuse *fake, const struct fake_arrival *arrival)
{
	const char *authorization = fake_arrival_header(arrival, "Authorization");
	for (size_t i = 0; authorization && i < fake->options.project_count; i++)
		if (strcmp(fake->projects[i].authorization, authorization) == 0)
			return &fake->projects[i];
	return NULL;
}

static void enter_journal(struct call *call)
{
	struct fake_langfuse *fake = call->fake;
	call->arrival->body = buf_bytes(&call->body);
	call->arrival->received_ms = clock_monotonic_ms();
	call->body = (struct buf){ 0 };
	pthread_mutex_lock(&fake->lock);
	if (!fake->options.forgets) {
		size_t size = (fake->arrival_count + 1) * sizeof(struct fake_arrival *);
		fake->arrivals = realloc(fake->arrivals, size);
		fake->arrivals[fake->arrival_count] = call->arrival;
		call->is_in_journal = true;
	}
	fake->arrival_count++;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
}

static void completed(void *arg, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct fake_langfuse *fake = arg;
	struct call *call = *state;
	if (!call)
		return;
	if (!call->is_in_journal)
		free_arrival(call->arrival);
	buf_done(&call->body);
	pthread_mutex_lock(&fake->lock);
	fake->open--;
	fake->in_progress -= call->is_in_progress;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	free(call);
	*state = NULL;
}

/* ---- waiting, while the client may leave ---- */

/* Whether client and stand-in are there so much later. */
static bool stay(struct fake_langfuse *fake, struct MHD_Connection *connection, uint64_t ms)
{
	struct pollfd client = {
		.fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
			      ->connect_fd,
		.events = POLLRDHUP,
	};
	uint64_t now = clock_monotonic_ms(), until = now + ms;
	for (; now < until && !fake->is_leaving; now = clock_monotonic_ms())
		if (poll(&client, 1, (int)(until - now < GLANCE_MS ? until - now : GLANCE_MS)) != 0)
			return false;
	return !fake->is_leaving;
}

/* The trouble that this request is in; its number changes with it. */
static struct fake_trouble trouble_of(
	struct fake_langfuse *fake, const char *target, uint64_t *ret_number)
{
	pthread_mutex_lock(&fake->lock);
	struct fake_trouble trouble = fake->trouble;
	*ret_number = fake->trouble_number;
	pthread_mutex_unlock(&fake->lock);
	if (trouble.below && strncmp(target, trouble.below, strlen(trouble.below)) != 0)
		return (struct fake_trouble){ 0 };
	return trouble;
}

/* Waits while it hangs. False when the client or the stand-in left. */
static bool live_through(struct fake_langfuse *fake, struct MHD_Connection *connection,
	const char *target, struct fake_trouble *ret_trouble)
{
	uint64_t began, number;
	*ret_trouble = trouble_of(fake, target, &began);
	for (number = began; ret_trouble->is_hanging && number == began;) {
		if (!stay(fake, connection, GLANCE_MS))
			return false;
		trouble_of(fake, target, &number);
	}
	if (ret_trouble->is_hanging)
		return live_through(fake, connection, target, ret_trouble);
	return true;
}

/* ---- streams ---- */

struct stream {
	struct fake_langfuse *fake;
	struct MHD_Connection *connection;
	uint64_t count, done; /* 0: endless */
	uint64_t interval_ms;
};

static ssize_t next_event(void *arg, uint64_t at, char *to, size_t max)
{
	struct stream *stream = arg;
	if (stream->count && stream->done == stream->count)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (stream->done && !stay(stream->fake, stream->connection, stream->interval_ms))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return snprintf(to, max, "id: %llu\ndata: {}\n\n", (unsigned long long)++stream->done);
}

static ssize_t next_bytes(void *arg, uint64_t at, char *to, size_t max)
{
	const struct fake_langfuse *fake = arg;
	memcpy(to, fake->letters + at % 26, max);
	return (ssize_t)max;
}

static ssize_t next_of_echo(void *arg, uint64_t at, char *to, size_t max)
{
	const struct fake_arrival *arrival = arg;
	size_t left = arrival->body.len - at;
	if (left == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	memcpy(to, arrival->body.at + at, left < max ? left : max);
	return (ssize_t)(left < max ? left : max);
}

static uint64_t argument(struct MHD_Connection *connection, const char *name, uint64_t otherwise)
{
	const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
	return text ? strtoull(text, NULL, 10) : otherwise;
}

static struct MHD_Response *stream_events(struct call *call, struct MHD_Connection *connection)
{
	struct stream *stream = malloc(sizeof *stream);
	*stream = (struct stream){
		.fake = call->fake,
		.connection = connection,
		.count = argument(connection, "events", 0),
		.interval_ms = argument(connection, "interval_ms", 100),
	};
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, PIECE_BYTES, next_event, stream, free);
	MHD_add_response_header(response, "Content-Type", "text/event-stream");
	return response;
}

/* The arrival lives as long as the request. */
static struct MHD_Response *echo(struct call *call, struct MHD_Connection *connection)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, PIECE_BYTES, next_of_echo, call->arrival, NULL);
	for (const struct fake_line *line = call->arrival->headers; line && line->name; line++)
		if (strncasecmp(line->name, "x-echo-", 7) == 0 ||
			strncasecmp(line->name, "x_echo_", 7) == 0 ||
			strcasecmp(line->name, "Content-Type") == 0)
			MHD_add_response_header(response, line->name, line->value);
	return response;
}

static bool is_path(const char *target, const char *path)
{
	size_t len = strlen(path);
	return strncmp(target, path, len) == 0 && (target[len] == '\0' || target[len] == '?');
}

/* NULL when it is none of these. */
static struct MHD_Response *answer_by_stream(
	struct call *call, struct MHD_Connection *connection, unsigned *status)
{
	const char *target = call->arrival->target;
	bool is_get = strcmp(call->arrival->method, "GET") == 0;
	bool is_mcp = is_path(target, "/api/public/mcp");
	if (is_path(target, "/api/public/stand-in/events") || (is_mcp && is_get))
		return stream_events(call, connection);
	if (is_path(target, "/api/public/stand-in/echo") || is_mcp) {
		*status = (unsigned)argument(connection, "status", 200);
		return echo(call, connection);
	}
	if (is_path(target, "/api/public/stand-in/source"))
		return MHD_create_response_from_callback(argument(connection, "bytes", 0),
			PIECE_BYTES, next_bytes, call->fake, NULL);
	return NULL;
}

/* ---- answers ---- */

static struct MHD_Response *response_of(struct fake_visit *visit)
{
	char *text = visit->json ? json_dumps(visit->json, JSON_COMPACT) : strdup(visit->text);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (visit->json)
		MHD_add_response_header(response, "Content-Type", "application/json");
	json_decref(visit->json);
	return response;
}

/* What is open to all: health, and storage, which is not Langfuse's. NULL: neither. */
static struct MHD_Response *answer_anybody(struct call *call)
{
	const char *target = call->arrival->target;
	struct fake_visit visit = { .text = "" };
	if (is_path(target, "/api/public/health") || is_path(target, "/api/public/ready"))
		visit.json = json_pack("{s:s, s:s}", "status", "OK", "version", "4.16.0");
	else if (strncmp(target, "/storage/", 9) != 0)
		return NULL;
	return response_of(&visit);
}

static struct MHD_Response *answer_project(struct call *call, struct MHD_Connection *connection,
	const struct project *project, unsigned *status)
{
	struct fake_langfuse *fake = call->fake;
	struct fake_visit visit = {
		.method = call->arrival->method,
		.query = json_object(),
		.arrival = call->arrival,
		.url = fake->url,
		.project = &project->is,
		.refused = fake->refused,
		.things = project->things,
		.taken = project->taken,
		.status = 200,
		.text = "",
	};
	static const char base[] = "/api/public/";
	char *path = strndup(call->arrival->target, strcspn(call->arrival->target, "?"));
	visit.path = strncmp(path, base, sizeof base - 1) == 0 ? path + sizeof base - 1 : "";
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_argument, visit.query);
	pthread_mutex_lock(&fake->lock);
	fake_langfuse_answer(&visit);
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	json_decref(visit.query);
	free(path);
	*status = (unsigned)visit.status;
	return response_of(&visit);
}

static struct MHD_Response *answer_stranger(unsigned *status)
{
	struct fake_visit visit = {
		.json = json_pack("{s:s}", "message",
			"Invalid credentials. Confirm that you've configured the correct host.")
	};
	*status = 401;
	return response_of(&visit);
}

/* As Langfuse's limiter and its faults say it. */
static struct MHD_Response *answer_in_trouble(const struct fake_trouble *trouble)
{
	struct fake_visit visit = { .text = "" };
	if (trouble->status == 429)
		visit.json = json_pack(
			"{s:s, s:s}", "message", "Rate limit exceeded", "code", "rate_limited");
	else
		visit.json = json_pack("{s:s, s:s}", "message", "Internal Server Error", "error",
			"as the test wants it");
	struct MHD_Response *response = response_of(&visit);
	if (trouble->retry_after)
		MHD_add_response_header(response, "Retry-After", trouble->retry_after);
	return response;
}

static struct MHD_Response *answer(struct call *call, struct MHD_Connection *connection,
	const struct fake_trouble *trouble, unsigned *status)
{
	*status = 200;
	if (trouble->status) {
		*status = (unsigned)trouble->status;
		return answer_in_trouble(trouble);
	}
	struct MHD_Response *response = answer_anybody(call);
	if (response)
		return response;
	const struct project *project = project_of(call->fake, call->arrival);
	if (!project)
		return answer_stranger(status);
	response = answer_by_stream(call, connection, status);
	return response ? response : answer_project(call, connection, project, status);
}

/* Whether it may be done: then it is, to the end of its answer, before the stand-in leaves. */
static bool enter(struct call *call)
{
	struct fake_langfuse *fake = call->fake;
	pthread_mutex_lock(&fake->lock);
	call->is_in_progress = !fake->is_leaving;
	fake->in_progress += call->is_in_progress;
	pthread_mutex_unlock(&fake->lock);
	return call->is_in_progress;
}

static void tell(struct call *call, unsigned status)
{
	struct fake_langfuse *fake = call->fake;
	call->arrival->status = (int)status;
	if (!fake->options.on_answered)
		return;
	pthread_mutex_lock(&fake->lock);
	fake->options.on_answered(call->arrival, fake->options.arg);
	pthread_mutex_unlock(&fake->lock);
}

static enum MHD_Result reply(struct call *call, struct MHD_Connection *connection)
{
	struct fake_trouble trouble;
	unsigned status;
	if (!live_through(call->fake, connection, call->arrival->target, &trouble) || !enter(call))
		return MHD_NO;
	struct MHD_Response *response = answer(call, connection, &trouble, &status);
	bool is_to_be_answered = !trouble.is_cut &&
		(!trouble.delay_ms || stay(call->fake, connection, trouble.delay_ms));
	if (is_to_be_answered)
		tell(call, status);
	enum MHD_Result result =
		is_to_be_answered ? MHD_queue_response(connection, status, response) : MHD_NO;
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data, size_t *bytes, void **state)
{
	struct call *call = *state;
	if (!call->is_begun) {
		call->is_begun = true;
		call->arrival->method = strdup(method);
		MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, call->arrival);
		const struct project *project = project_of(arg, call->arrival);
		call->arrival->project = project ? project->is.name : NULL;
		return MHD_YES;
	}
	if (*bytes) {
		call->arrival->body_bytes += *bytes;
		if (call->arrival->body_bytes <= FAKE_KEPT_BYTES)
			buf_append(&call->body, data, *bytes);
		else
			buf_done(&call->body);
		*bytes = 0;
		return MHD_YES;
	}
	enter_journal(call);
	return reply(call, connection);
}

/* ---- waiting until something is so ---- */

struct wish {
	const char *project;
	enum fake_kind kind;
	size_t count;
};

typedef bool is_granted(struct fake_langfuse *fake, const struct wish *wish);

static bool wait_for(
	struct fake_langfuse *fake, is_granted *is, const struct wish *wish, unsigned timeout_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	uint64_t ns = (uint64_t)until.tv_nsec + (uint64_t)(timeout_ms % 1000) * 1000000;
	until.tv_sec += (time_t)(timeout_ms / 1000 + ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	int error = 0;
	pthread_mutex_lock(&fake->lock);
	while (!is(fake, wish) && !error)
		error = pthread_cond_timedwait(&fake->changed, &fake->lock, &until);
	bool is_there = is(fake, wish);
	pthread_mutex_unlock(&fake->lock);
	return is_there;
}

/* ---- start and stop ---- */

static void listen_on(struct fake_langfuse *fake, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fake->is_leaving = false;
	/* A thread per connection, so that each can wait. */
	fake->daemon = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL,
		port, NULL, NULL, handle, fake, MHD_OPTION_SOCK_ADDR, &at,
		MHD_OPTION_NOTIFY_COMPLETED, completed, fake, MHD_OPTION_URI_LOG_CALLBACK, begin,
		fake, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_LISTEN_BACKLOG_SIZE,
		(unsigned)WAITING_CONNECTIONS, MHD_OPTION_END);
	if (!fake->daemon) {
		perror("fake Langfuse");
		abort();
	}
}

static void set_authorization(struct project *project)
{
	char pair[AUTHORIZATION_MAX / 2];
	int len = snprintf(
		pair, sizeof pair, "%s:%s", project->is.public_key, project->is.secret_key);
	strcpy(project->authorization, "Basic ");
	EVP_EncodeBlock((unsigned char *)project->authorization + 6, (unsigned char *)pair, len);
}

struct fake_langfuse *fake_langfuse_start(const struct fake_langfuse_options *options)
{
	struct fake_langfuse *fake = calloc(1, sizeof *fake);
	for (size_t i = 0; i < sizeof fake->letters; i++)
		fake->letters[i] = (char)('a' + i % 26);
	fake->options = *options;
	fake->refused = json_object();
	fake->projects = calloc(options->project_count, sizeof *fake->projects);
	for (size_t i = 0; i < options->project_count; i++) {
		fake->projects[i].is = options->projects[i];
		fake->projects[i].things = json_object();
		fake->projects[i].taken = fake_taken_new();
		set_authorization(&fake->projects[i]);
	}
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&fake->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&fake->lock, NULL);
	listen_on(fake, options->port);
	fake->port = MHD_get_daemon_info(fake->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%u", fake->port);
	return fake;
}

static bool is_idle(struct fake_langfuse *fake, const struct wish *wish)
{
	return fake->in_progress == 0;
}

void fake_langfuse_leave(struct fake_langfuse *fake)
{
	pthread_mutex_lock(&fake->lock);
	fake->is_leaving = true;
	pthread_mutex_unlock(&fake->lock);
	wait_for(fake, is_idle, &(struct wish){ 0 }, LEAVE_MS);
	if (fake->daemon)
		MHD_stop_daemon(fake->daemon);
	fake->daemon = NULL;
}

void fake_langfuse_return(struct fake_langfuse *fake)
{
	if (!fake->daemon)
		listen_on(fake, fake->port);
}

void fake_langfuse_stop(struct fake_langfuse *fake)
{
	if (!fake)
		return;
	fake_langfuse_leave(fake);
	for (size_t i = 0; i < fake->arrival_count && !fake->options.forgets; i++)
		free_arrival(fake->arrivals[i]);
	free(fake->arrivals);
	for (size_t i = 0; i < fake->options.project_count; i++) {
		json_decref(fake->projects[i].things);
		json_decref(fake->projects[i].taken);
	}
	free(fake->projects);
	json_decref(fake->refused);
	pthread_cond_destroy(&fake->changed);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

uint16_t fake_langfuse_port(const struct fake_langfuse *fake)
{
	return fake->port;
}

const char *fake_langfuse_url(const struct fake_langfuse *fake)
{
	return fake->url;
}

void fake_langfuse_trouble(struct fake_langfuse *fake, const struct fake_trouble *trouble)
{
	pthread_mutex_lock(&fake->lock);
	fake->trouble = *trouble;
	fake->trouble_number++;
	pthread_mutex_unlock(&fake->lock);
}

void fake_langfuse_refuse_event(struct fake_langfuse *fake, const char *event_id, int status)
{
	pthread_mutex_lock(&fake->lock);
	if (status)
		json_object_set_new(fake->refused, event_id, json_integer(status));
	else
		json_object_del(fake->refused, event_id);
	pthread_mutex_unlock(&fake->lock);
}

static struct project *project_named(struct fake_langfuse *fake, const char *name)
{
	for (size_t i = 0; i < fake->options.project_count; i++)
		if (strcmp(fake->projects[i].is.name, name) == 0)
			return &fake->projects[i];
	fprintf(stderr, "fake Langfuse: no project %s\n", name);
	abort();
}

void fake_langfuse_write_prompt(
	struct fake_langfuse *fake, const char *project, const char *name, const char *text)
{
	json_t *body = json_pack(
		"{s:s, s:s, s:[s]}", "name", name, "prompt", text, "labels", "production");
	char *sent = json_dumps(body, 0);
	struct fake_arrival arrival = { .body = bytes_of(sent) };
	struct project *of = project_named(fake, project);
	struct fake_visit visit = {
		.method = "POST",
		.path = "v2/prompts",
		.arrival = &arrival,
		.project = &of->is,
		.things = of->things,
	};
	pthread_mutex_lock(&fake->lock);
	fake_langfuse_answer(&visit);
	pthread_mutex_unlock(&fake->lock);
	json_decref(visit.json);
	json_decref(body);
	free(sent);
}

/* ---- questions ---- */

const char *fake_arrival_header(const struct fake_arrival *arrival, const char *name)
{
	for (const struct fake_line *line = arrival->headers; line && line->name; line++)
		if (strcasecmp(line->name, name) == 0)
			return line->value;
	return NULL;
}

size_t fake_langfuse_arrival_count(struct fake_langfuse *fake)
{
	pthread_mutex_lock(&fake->lock);
	size_t count = fake->arrival_count;
	pthread_mutex_unlock(&fake->lock);
	return count;
}

const struct fake_arrival *fake_langfuse_arrival(struct fake_langfuse *fake, size_t n)
{
	pthread_mutex_lock(&fake->lock);
	const struct fake_arrival *arrival = n < fake->arrival_count ? fake->arrivals[n] : NULL;
	pthread_mutex_unlock(&fake->lock);
	return arrival;
}

static json_t *taken_of(
	struct fake_langfuse *fake, const char *project, enum fake_kind kind, const char *what)
{
	return json_object_get(json_array_get(project_named(fake, project)->taken, kind), what);
}

size_t fake_langfuse_times(
	struct fake_langfuse *fake, const char *project, enum fake_kind kind, const char *id)
{
	pthread_mutex_lock(&fake->lock);
	json_t *times = json_object_get(taken_of(fake, project, kind, "times"), id);
	size_t value = (size_t)json_integer_value(times);
	pthread_mutex_unlock(&fake->lock);
	return value;
}

size_t fake_langfuse_count(struct fake_langfuse *fake, const char *project, enum fake_kind kind)
{
	pthread_mutex_lock(&fake->lock);
	size_t count = json_object_size(taken_of(fake, project, kind, "times"));
	pthread_mutex_unlock(&fake->lock);
	return count;
}

json_t *fake_langfuse_order(struct fake_langfuse *fake, const char *project, enum fake_kind kind)
{
	pthread_mutex_lock(&fake->lock);
	json_t *order = json_deep_copy(taken_of(fake, project, kind, "order"));
	pthread_mutex_unlock(&fake->lock);
	return order;
}

/* ---- waiting for what comes ---- */

static bool has_arrivals(struct fake_langfuse *fake, const struct wish *wish)
{
	return fake->arrival_count >= wish->count;
}

static bool has_open(struct fake_langfuse *fake, const struct wish *wish)
{
	return fake->open == wish->count;
}

static bool has_taken(struct fake_langfuse *fake, const struct wish *wish)
{
	json_t *times = taken_of(fake, wish->project, wish->kind, "times");
	return json_object_size(times) >= wish->count;
}

bool fake_langfuse_wait_arrivals(struct fake_langfuse *fake, size_t count, unsigned timeout_ms)
{
	return wait_for(fake, has_arrivals, &(struct wish){ .count = count }, timeout_ms);
}

bool fake_langfuse_wait_open(struct fake_langfuse *fake, size_t count, unsigned timeout_ms)
{
	return wait_for(fake, has_open, &(struct wish){ .count = count }, timeout_ms);
}

bool fake_langfuse_wait_count(struct fake_langfuse *fake, const char *project, enum fake_kind kind,
	size_t count, unsigned timeout_ms)
{
	const struct wish wish = { project, kind, count };
	return wait_for(fake, has_taken, &wish, timeout_ms);
}
