#include "receive/otlp.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/counters.h"
#include "batch.h"
#include "config/config.h"
#include "http/compression.h"
#include "otlp/json.h"
#include "otlp/reply.h"
#include "otlp/request.h"
#include "pipeline.h"
#include "receive/hooks.h"
#include "receive/refusal.h"
#include "spool/spool.h"

enum { REPLY_MAX_BYTES = 64 << 10 };

static const char no_such_path[] =
	"nothing is served at this path; OTLP goes to POST /v1/traces, /v1/logs and /v1/metrics";

/* The answer has the type of the request. */
static const struct media {
	const char *type;
	enum reply_encoding encoding;
} medias[] = {
	{ "application/x-protobuf", REPLY_PROTOBUF },
	{ "application/protobuf", REPLY_PROTOBUF },
	{ "application/json", REPLY_JSON },
};
static const struct media unknown_media = { "application/json", REPLY_JSON };

/* One request between its body and its reply; freed when the request is over. */
struct intake {
	struct batch batch;
	struct buf inflated;
	struct buf protobuf; /* made from JSON */
	struct http_request *request;
	const struct media *media;
};

/* Whether a header's value up to its parameters is `word`, in any letter case; a list is not. */
static bool value_is(const char *value, const char *word)
{
	value += strspn(value, " \t");
	size_t len = strcspn(value, " \t;");
	const char *rest = value + len + strspn(value + len, " \t");
	return len == strlen(word) && strncasecmp(value, word, len) == 0 &&
		(!*rest || *rest == ';');
}

static const struct media *media_of(const struct http_request *request)
{
	const char *type = http_request_header(request, "Content-Type");
	for (size_t i = 0; type && i < sizeof medias / sizeof medias[0]; i++)
		if (value_is(type, medias[i].type))
			return &medias[i];
	return &unknown_media;
}

/* NULL for a coding that is not ours, and for a list of codings. */
static const struct coding *coding_of(const struct http_request *request)
{
	const char *value = http_request_header(request, "Content-Encoding");
	if (!value || value_is(value, ""))
		value = "identity";
	const struct coding *coding = codings;
	while (coding->name && !value_is(value, coding->name))
		coding++;
	return coding->name ? coding : NULL;
}

/* The one way in which an answer other than success leaves. */
static void refuse_for(
	struct http_request *request, const struct media *media, struct refusal refusal)
{
	struct buf body;
	buf_init(&body, REPLY_MAX_BYTES, NULL);
	reply_write_status(&body, media->encoding, refusal.status, refusal.why);
	refusal_note(&refusal);
	http_reply(request, refusal.status, media->type, buf_bytes(&body), refusal.headers);
	buf_done(&body);
}

static void refuse(struct http_request *request, const struct media *media, unsigned status,
	const char *why, const struct http_header *headers)
{
	refuse_for(request, media, refusal_of_status(status, why, headers));
}

void receive_otlp_refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	if (is_for_hooks(request))
		receive_hooks_refuse(request, status, why, headers);
	else
		refuse(request, media_of(request), status, status == 404 ? no_such_path : why,
			headers);
}

static void begin(struct http_request *request, void *owner)
{
	struct otlp_door *door = owner;
	const struct media *media = media_of(request);
	if (is_our_own(request)) {
		refuse(request, media, 508, "this request was sent by Tollgate itself", NULL);
		return;
	}
	if (media == &unknown_media) {
		refuse(request, media, 415,
			"Content-Type must be application/x-protobuf or application/json", NULL);
		return;
	}
	if (!coding_of(request)) {
		refuse(request, media, 415,
			"Content-Encoding must be one of gzip, deflate and zstd, or absent or identity",
			NULL);
		return;
	}
	int error = spool_status(door->spool);
	if (error)
		refuse_for(request, media, refusal_of_error(error, ""));
}

/* Without a type that we know the body cannot say what it is. */
static void begin_root(struct http_request *request, void *owner)
{
	if (media_of(request) == &unknown_media)
		refuse(request, &unknown_media, 404, no_such_path, NULL);
	else
		begin(request, owner);
}

/* Nothing of it is kept, so that its body is not either. */
static void forget(struct http_request *request, void *owner)
{
	static const struct bytes langfuse_does_so = BYTES("{\"message\":\"OK\"}");
	(void)owner;
	counter_add(COUNTER_REQUESTS_RECEIVED, 1);
	http_reply(request, 200, "application/json", langfuse_does_so, NULL);
}

static void free_intake(void *owned)
{
	struct intake *intake = owned;
	arena_done(&intake->batch.arena);
	buf_done(&intake->inflated);
	buf_done(&intake->protobuf);
	free(intake);
}

static void on_committed(struct batch *batch, int error)
{
	struct intake *intake = batch->owner;
	if (error) {
		refuse_for(intake->request, intake->media, refusal_of_error(error, ""));
		return;
	}
	counter_add(COUNTER_REQUESTS_RECEIVED, 1);
	struct buf body;
	buf_init(&body, REPLY_MAX_BYTES, NULL);
	reply_write_success(&body, intake->media->encoding, batch->signal, batch->rejected_count,
		batch->rejected_why);
	http_reply(intake->request, 200, intake->media->type, buf_bytes(&body), NULL);
	buf_done(&body);
}

static struct intake *intake_new(struct otlp_door *door, struct http_request *request)
{
	struct intake *intake = calloc(1, sizeof *intake);
	if (!intake)
		return NULL;
	intake->request = request;
	intake->media = media_of(request);
	buf_init(&intake->inflated, door->config->limits.max_decompressed_bytes, door->budget);
	buf_init(&intake->protobuf, door->config->limits.max_decompressed_bytes, door->budget);
	arena_init(
		&intake->batch.arena, door->config->limits.max_request_memory_bytes, door->budget);
	intake->batch.lane = access_caller(request)->lane;
	intake->batch.received_ns = clock_unix_ns();
	intake->batch.committed = on_committed;
	intake->batch.owner = intake;
	http_request_own(request, intake, free_intake);
	return intake;
}

static int inflate(struct intake *intake, struct bytes *body, struct complaint *complaint)
{
	const struct coding *coding = coding_of(intake->request);
	if (!coding->inflate)
		return 0;
	int error = coding->inflate(*body, &intake->inflated);
	*body = buf_bytes(&intake->inflated);
	if (error == -EBADMSG)
		complain(complaint, "the %s data of the body is damaged", coding->name);
	return error;
}

/* Where the path does not say it. */
static bool find_signal(const struct intake *intake, struct bytes body, enum signal *ret_signal)
{
	if (intake->media->encoding == REPLY_JSON)
		return json_find_signal(body, ret_signal);
	*ret_signal = SIGNAL_TRACES;
	return request_has_span(body);
}

static int make_protobuf(struct otlp_door *door, struct intake *intake, struct bytes *body,
	struct complaint *complaint)
{
	if (intake->media->encoding != REPLY_JSON)
		return 0;
	int error = json_to_request(*body, intake->batch.signal,
		(unsigned)door->config->limits.max_depth, &intake->protobuf, complaint);
	*body = buf_bytes(&intake->protobuf);
	buf_done(&intake->inflated);
	return error;
}

static int pass_on(struct otlp_door *door, struct intake *intake, struct bytes body,
	struct complaint *complaint)
{
	static const char *const mistakes[] = {
		[SIGNAL_TRACES] = "the body is not an ExportTraceServiceRequest in protobuf",
		[SIGNAL_LOGS] = "the body is not an ExportLogsServiceRequest in protobuf",
		[SIGNAL_METRICS] = "the body is not an ExportMetricsServiceRequest in protobuf",
	};
	int error = make_protobuf(door, intake, &body, complaint);
	if (error)
		return error;
	complain(complaint, "%s", mistakes[intake->batch.signal]);
	return pipeline_accept(door->pipeline, &intake->batch, body);
}

/*   signal  0: the body has to say it */
static void take(
	struct otlp_door *door, struct http_request *request, struct bytes body, int signal)
{
	struct intake *intake = intake_new(door, request);
	struct complaint complaint = { 0 };
	if (!intake) {
		refuse_for(request, media_of(request), refusal_of_error(-ENOMEM, ""));
		return;
	}
	intake->batch.signal = (enum signal)signal;
	int error = inflate(intake, &body, &complaint);
	if (!error && !signal && !find_signal(intake, body, &intake->batch.signal)) {
		refuse(request, intake->media, 404, no_such_path, NULL);
		return;
	}
	if (!error)
		error = pass_on(door, intake, body, &complaint);
	if (error)
		refuse_for(request, intake->media, refusal_of_error(error, complaint.text));
}

static void handle_traces(struct http_request *request, struct bytes body, void *owner)
{
	take(owner, request, body, SIGNAL_TRACES);
}

static void handle_logs(struct http_request *request, struct bytes body, void *owner)
{
	take(owner, request, body, SIGNAL_LOGS);
}

static void handle_metrics(struct http_request *request, struct bytes body, void *owner)
{
	take(owner, request, body, SIGNAL_METRICS);
}

static void handle_root(struct http_request *request, struct bytes body, void *owner)
{
	take(owner, request, body, 0);
}

void receive_otlp_routes(struct otlp_door *door, struct http_route ret_routes[OTLP_ROUTE_COUNT])
{
	ret_routes[0] = (struct http_route){ "POST", "/v1/traces", begin, handle_traces, door };
	ret_routes[1] = (struct http_route){ "POST", "/v1/logs", begin, handle_logs, door };
	ret_routes[2] = (struct http_route){ "POST", "/v1/metrics", begin, handle_metrics, door };
	ret_routes[3] = (struct http_route){ "POST", "/", begin_root, handle_root, door };
	ret_routes[4] = (struct http_route){ "POST", "/api/public/otel/v1/traces", begin,
		handle_traces, door };
	ret_routes[5] = (struct http_route){ "POST", "/api/public/otel/v1/metrics", forget };
}
