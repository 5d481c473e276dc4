#include "support/fake_destination.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/compression.h"
#include "proto/otlp_trace.pb-c.h"

enum { BODY_MAX_BYTES = 64 << 20 };

/* Span ids with how often each was accepted: a table of open addresses, a power of two large. */
struct tally {
	struct tally_entry {
		uint64_t id;
		size_t times; /* 0: free */
	} * entries;
	size_t capacity, used, duplicates;
};

struct fake_destination {
	struct MHD_Daemon *daemon;
	uint16_t port;
	char url[64];

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	bool is_stopping, forgets_bodies;
	struct fake_answer *script;
	size_t script_count, script_at;
	fake_rule *rule;
	void *rule_arg;
	struct fake_request **requests;
	size_t request_count;
	size_t here, most_here, lost;
	struct tally tally;
};

/* ---- the tally ---- */

static struct tally_entry *tally_find(struct tally *tally, uint64_t id)
{
	size_t at = (size_t)((id ^ id >> 29) * 0x9e3779b97f4a7c15u >> 20) & (tally->capacity - 1);
	while (tally->entries[at].times && tally->entries[at].id != id)
		at = (at + 1) & (tally->capacity - 1);
	return &tally->entries[at];
}

static void tally_grow(struct tally *tally)
{
	struct tally old = *tally;
	tally->capacity = old.capacity ? old.capacity * 2 : 1024;
	tally->entries = calloc(tally->capacity, sizeof *tally->entries);
	for (size_t i = 0; i < old.capacity; i++)
		if (old.entries[i].times)
			*tally_find(tally, old.entries[i].id) = old.entries[i];
	free(old.entries);
}

static void tally_add(struct tally *tally, uint64_t id)
{
	if (tally->used * 2 >= tally->capacity)
		tally_grow(tally);
	struct tally_entry *entry = tally_find(tally, id);
	entry->id = id;
	if (entry->times++)
		tally->duplicates++;
	else
		tally->used++;
}

/* ---- one request ---- */

struct upload {
	struct fake_request *request;
	struct buf body;
};

static enum MHD_Result add_header(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct fake_request *request = arg;
	struct fake_header *header = malloc(sizeof *header);
	*header =
		(struct fake_header){ request->headers, strdup(name), strdup(value ? value : "") };
	request->headers = header;
	return MHD_YES;
}

static void free_request(struct fake_request *request)
{
	while (request->headers) {
		struct fake_header *header = request->headers;
		request->headers = header->next;
		free(header->name);
		free(header->value);
		free(header);
	}
	free(request->method);
	free(request->path);
	free((void *)request->body.at);
	free(request);
}

static struct upload *begin(struct MHD_Connection *connection, const char *method, const char *path)
{
	struct upload *upload = calloc(1, sizeof *upload);
	upload->request = calloc(1, sizeof *upload->request);
	upload->request->method = strdup(method);
	upload->request->path = strdup(path);
	upload->request->received_ms = clock_monotonic_ms();
	MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, upload->request);
	buf_init(&upload->body, BODY_MAX_BYTES, NULL);
	return upload;
}

/* Calls for each span of the request. */
static void each_span(const Otlp__ExportTraceServiceRequest *message,
	void (*call)(const Otlp__Span *span, void *arg), void *arg)
{
	for (size_t r = 0; r < message->n_resource_spans; r++)
		for (size_t s = 0; s < message->resource_spans[r]->n_scope_spans; s++) {
			const Otlp__ScopeSpans *scope = message->resource_spans[r]->scope_spans[s];
			for (size_t i = 0; i < scope->n_spans; i++)
				call(scope->spans[i], arg);
		}
}

static bool has_valueless(Otlp__KeyValue *const *attributes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!attributes[i]->value ||
			attributes[i]->value->value_case == OTLP__ANY_VALUE__VALUE__NOT_SET)
			return true;
	return false;
}

static void inspect(const Otlp__Span *span, void *arg)
{
	struct fake_request *request = arg;
	request->span_count++;
	if (span->trace_id.len == 0 || span->span_id.len == 0)
		request->has_span_without_ids = true;
	if (has_valueless(span->attributes, span->n_attributes))
		request->has_valueless = true;
	for (size_t i = 0; i < span->n_events; i++)
		if (has_valueless(span->events[i]->attributes, span->events[i]->n_attributes))
			request->has_valueless = true;
}

static void accept_span(const Otlp__Span *span, void *arg)
{
	uint64_t id = 0;
	if (span->span_id.len) /* what is no span has none */
		memcpy(&id, span->span_id.data,
			span->span_id.len < sizeof id ? span->span_id.len : sizeof id);
	tally_add(arg, id);
}

/* The body inflated and decoded; NULL when it is not what it should be. */
static Otlp__ExportTraceServiceRequest *decode(struct upload *upload)
{
	struct fake_request *request = upload->request;
	const char *encoding = fake_request_header(request, "Content-Encoding");
	request->sent_bytes = upload->body.len;
	if (encoding && strcasecmp(encoding, "gzip") == 0) {
		struct buf plain;
		buf_init(&plain, BODY_MAX_BYTES, NULL);
		int error = gzip_inflate(buf_bytes(&upload->body), &plain);
		buf_done(&upload->body);
		upload->body = plain;
		if (error)
			return NULL;
	}
	return otlp__export_trace_service_request__unpack(
		NULL, upload->body.len, upload->body.at ? upload->body.at : (const uint8_t *)"");
}

static struct fake_answer choose_answer(
	struct fake_destination *fake, const struct fake_request *request)
{
	if (fake->script_at < fake->script_count)
		return fake->script[fake->script_at++];
	if (fake->rule)
		return fake->rule(request, fake->rule_arg);
	return (struct fake_answer){ .status = 200 };
}

static void remember(struct fake_destination *fake, struct upload *upload)
{
	fake->requests =
		realloc(fake->requests, (fake->request_count + 1) * sizeof(struct fake_request *));
	fake->requests[fake->request_count++] = upload->request;
	if (fake->forgets_bodies)
		upload->request->body = (struct bytes){ 0 };
	else
		upload->body.at = NULL;
	upload->request = NULL;
}

/* Decides, counts and remembers; from here on tests see the request. */
static struct fake_answer take_in(struct fake_destination *fake, struct upload *upload)
{
	struct fake_request *request = upload->request;
	Otlp__ExportTraceServiceRequest *message = decode(upload);
	request->body = buf_bytes(&upload->body);
	request->is_protobuf = message != NULL;
	if (message)
		each_span(message, inspect, request);

	pthread_mutex_lock(&fake->lock);
	struct fake_answer answer = choose_answer(fake, request);
	request->status = answer.is_cut ? 0 : answer.status;
	if (message && answer.status >= 200 && answer.status < 300) {
		each_span(message, accept_span, &fake->tally);
		fake->lost += request->has_valueless;
	}
	remember(fake, upload);
	fake->here++;
	if (fake->here > fake->most_here)
		fake->most_here = fake->here;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	if (message)
		otlp__export_trace_service_request__free_unpacked(message, NULL);
	return answer;
}

static struct timespec deadline_in(unsigned ms)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

static void delay(struct fake_destination *fake, unsigned ms)
{
	struct timespec until = deadline_in(ms);
	pthread_mutex_lock(&fake->lock);
	while (!fake->is_stopping &&
		pthread_cond_timedwait(&fake->changed, &fake->lock, &until) == 0)
		;
	fake->here--;
	pthread_mutex_unlock(&fake->lock);
}

static enum MHD_Result respond(struct MHD_Connection *connection, const struct fake_answer *answer)
{
	if (answer->is_cut)
		return MHD_NO;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->body.len, (void *)answer->body.at, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(response, "Content-Type",
		answer->content_type ? answer->content_type : "application/x-protobuf");
	if (answer->retry_after)
		MHD_add_response_header(response, "Retry-After", answer->retry_after);
	if (answer->date)
		MHD_add_response_header(response, "Date", answer->date);
	enum MHD_Result result = MHD_queue_response(connection, (unsigned)answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data, size_t *bytes, void **state)
{
	struct upload *upload = *state;
	if (!upload) {
		*state = begin(connection, method, path);
		return MHD_YES;
	}
	if (*bytes) {
		buf_append(&upload->body, data, *bytes);
		*bytes = 0;
		return MHD_YES;
	}
	struct fake_answer answer = take_in(arg, upload);
	delay(arg, answer.delay_ms);
	return respond(connection, &answer);
}

static void completed(void *arg, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct upload *upload = *state;
	if (!upload)
		return;
	if (upload->request)
		free_request(upload->request);
	buf_done(&upload->body);
	free(upload);
	*state = NULL;
}

/* ---- start and stop ---- */

struct fake_destination *fake_destination_start(uint16_t port)
{
	struct fake_destination *fake = calloc(1, sizeof *fake);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&fake->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&fake->lock, NULL);
	tally_grow(&fake->tally);

	/* A thread per connection, so that an answer can be delayed by waiting. */
	fake->daemon = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL,
		port, NULL, NULL, handle, fake, MHD_OPTION_SOCK_ADDR, &at,
		MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_LISTENING_ADDRESS_REUSE,
		1u, MHD_OPTION_END);
	if (!fake->daemon) {
		perror("fake destination");
		abort();
	}
	fake->port = MHD_get_daemon_info(fake->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%u", fake->port);
	return fake;
}

void fake_destination_stop(struct fake_destination *fake)
{
	if (!fake)
		return;
	pthread_mutex_lock(&fake->lock);
	fake->is_stopping = true;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	MHD_stop_daemon(fake->daemon);
	for (size_t i = 0; i < fake->request_count; i++)
		free_request(fake->requests[i]);
	free(fake->requests);
	free(fake->script);
	free(fake->tally.entries);
	pthread_cond_destroy(&fake->changed);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

uint16_t fake_destination_port(const struct fake_destination *fake)
{
	return fake->port;
}

const char *fake_destination_url(const struct fake_destination *fake)
{
	return fake->url;
}

void fake_destination_script(
	struct fake_destination *fake, const struct fake_answer *answers, size_t count)
{
	pthread_mutex_lock(&fake->lock);
	fake->script = realloc(fake->script, (fake->script_count + count) * sizeof *answers);
	memcpy(fake->script + fake->script_count, answers, count * sizeof *answers);
	fake->script_count += count;
	pthread_mutex_unlock(&fake->lock);
}

void fake_destination_rule(struct fake_destination *fake, fake_rule *rule, void *arg)
{
	pthread_mutex_lock(&fake->lock);
	fake->rule = rule;
	fake->rule_arg = arg;
	pthread_mutex_unlock(&fake->lock);
}

void fake_destination_forget_bodies(struct fake_destination *fake)
{
	pthread_mutex_lock(&fake->lock);
	fake->forgets_bodies = true;
	pthread_mutex_unlock(&fake->lock);
}

/* ---- Langfuse ---- */

static struct fake_answer json(int status, struct bytes body)
{
	return (struct fake_answer){
		.status = status, .content_type = "application/json", .body = body
	};
}

struct fake_answer fake_langfuse(const struct fake_request *request, void *arg)
{
	static const struct bytes
		taken = BYTES("{\"id\":\"otel-ingestion-queue\",\"data\":{}}"),
		projects = BYTES("{\"data\":[{\"id\":\"p\",\"name\":\"a project\"}]}"),
		no_key = BYTES(
			"{\"message\":\"Invalid credentials. Confirm that you've configured the correct host.\"}"),
		no_method = BYTES("{\"message\":\"Method not allowed\"}"),
		no_page = BYTES("This page could not be found"),
		bad_type = BYTES("{\"error\":\"Invalid content type\"}"),
		bad_version = BYTES("{\"error\":\"Unsupported x-langfuse-ingestion-version\"}"),
		bad_body = BYTES("{\"error\":\"Failed to parse OTel Protobuf Trace\"}"),
		bad_span = BYTES("{\"error\":\"Invalid spans: missing traceId or spanId\"}");
	const char *authorization = fake_request_header(request, "Authorization");
	const char *type = fake_request_header(request, "Content-Type");
	const char *version = fake_request_header(request, "x-langfuse-ingestion-version");

	bool is_question = strcmp(request->path, "/api/public/projects") == 0;
	if (!is_question && strcmp(request->path, "/api/public/otel/v1/traces") != 0)
		return json(404, no_page);
	if (strcmp(request->method, is_question ? "GET" : "POST") != 0)
		return json(405, no_method);
	if (arg && (!authorization || strcmp(authorization, arg) != 0))
		return json(401, no_key);
	if (is_question)
		return json(200, projects);
	if (version && (strlen(version) != 1 || *version < '0' || *version > '4'))
		return json(400, bad_version);
	if (!type || !strcasestr(type, "application/x-protobuf"))
		return json(400, bad_type);
	if (!request->is_protobuf)
		return json(400, bad_body);
	if (request->has_span_without_ids)
		return json(400, bad_span);
	return json(200, taken);
}

/* ---- questions ---- */

size_t fake_destination_request_count(struct fake_destination *fake)
{
	pthread_mutex_lock(&fake->lock);
	size_t count = fake->request_count;
	pthread_mutex_unlock(&fake->lock);
	return count;
}

const struct fake_request *fake_destination_request(struct fake_destination *fake, size_t n)
{
	pthread_mutex_lock(&fake->lock);
	const struct fake_request *request = n < fake->request_count ? fake->requests[n] : NULL;
	pthread_mutex_unlock(&fake->lock);
	return request;
}

const char *fake_request_header(const struct fake_request *request, const char *name)
{
	for (const struct fake_header *header = request->headers; header; header = header->next)
		if (strcasecmp(header->name, name) == 0)
			return header->value;
	return NULL;
}

static size_t read_count(struct fake_destination *fake, const size_t *count)
{
	pthread_mutex_lock(&fake->lock);
	size_t value = *count;
	pthread_mutex_unlock(&fake->lock);
	return value;
}

size_t fake_destination_span_count(struct fake_destination *fake)
{
	return read_count(fake, &fake->tally.used);
}

size_t fake_destination_duplicate_count(struct fake_destination *fake)
{
	return read_count(fake, &fake->tally.duplicates);
}

size_t fake_destination_lost_count(struct fake_destination *fake)
{
	return read_count(fake, &fake->lost);
}

size_t fake_destination_most_at_once(struct fake_destination *fake)
{
	return read_count(fake, &fake->most_here);
}

size_t fake_destination_times(struct fake_destination *fake, const uint8_t span_id[8])
{
	uint64_t id;
	memcpy(&id, span_id, sizeof id);
	pthread_mutex_lock(&fake->lock);
	size_t times = tally_find(&fake->tally, id)->times;
	pthread_mutex_unlock(&fake->lock);
	return times;
}

static bool wait_for(
	struct fake_destination *fake, const size_t *count, size_t wanted, unsigned timeout_ms)
{
	struct timespec until = deadline_in(timeout_ms);
	int error = 0;
	pthread_mutex_lock(&fake->lock);
	while (*count < wanted && !error)
		error = pthread_cond_timedwait(&fake->changed, &fake->lock, &until);
	bool reached = *count >= wanted;
	pthread_mutex_unlock(&fake->lock);
	return reached;
}

bool fake_destination_wait_requests(
	struct fake_destination *fake, size_t count, unsigned timeout_ms)
{
	return wait_for(fake, &fake->request_count, count, timeout_ms);
}

bool fake_destination_wait_spans(struct fake_destination *fake, size_t count, unsigned timeout_ms)
{
	return wait_for(fake, &fake->tally.used, count, timeout_ms);
}
