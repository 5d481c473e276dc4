#include "receive/otlp.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "batch.h"
#include "config/config.h"
#include "http/compression.h"
#include "otlp/json.h"
#include "otlp/reply.h"
#include "otlp/request.h"
#include "pipeline.h"
#include "spool/spool.h"

enum { REPLY_MAX_BYTES = 64 << 10, REPEAT_LOG_MS = 60 * 1000 };

static const char pseudonym[] = "tollgate"; /* ours in the Via header of what we send */

static const char no_such_path[] =
	"nothing is served at this path; OTLP traces go to POST /v1/traces";

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

/* A sender may repeat its mistake with every request: one line for each kind of it now and then. */
static void note_refusal(enum counter reason, unsigned status, const char *why)
{
	static struct log_gate gates[COUNTER_COUNT];
	char text[LOG_TEXT_MAX];
	uint64_t held;
	counter_add(COUNTER_REQUESTS_RECEIVED, 1);
	counter_add(reason, 1);
	if (log_gate_open(&gates[reason], REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_WARNING, "request_refused", "status=%u why=%s lines_held=%llu",
			status, log_text(text, why), (unsigned long long)held);
}

/* The one way in which an answer other than success leaves. */
static void refuse_as(enum counter reason, struct http_request *request, const struct media *media,
	unsigned status, const char *why, const struct http_header *headers)
{
	struct buf body;
	buf_init(&body, REPLY_MAX_BYTES, NULL);
	reply_write_status(&body, media->encoding, status, why);
	note_refusal(reason, status, why);
	http_reply(request, status, media->type, buf_bytes(&body),
		status == 503 ? http_retry_soon : headers);
	buf_done(&body);
}

static enum counter reason_of(unsigned status)
{
	switch (status) {
	case 400:
		return COUNTER_REFUSED_MALFORMED;
	case 404:
		return COUNTER_REFUSED_NOT_FOUND;
	case 405:
		return COUNTER_REFUSED_METHOD;
	case 408:
		return COUNTER_REFUSED_TIMEOUT;
	case 413:
		return COUNTER_REFUSED_TOO_LARGE;
	case 415:
		return COUNTER_REFUSED_UNSUPPORTED;
	case 508:
		return COUNTER_REFUSED_LOOP;
	default:
		return COUNTER_REFUSED_OVERLOADED;
	}
}

static void refuse(struct http_request *request, const struct media *media, unsigned status,
	const char *why, const struct http_header *headers)
{
	refuse_as(reason_of(status), request, media, status, why, headers);
}

void receive_otlp_refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	if (status == 404)
		why = no_such_path;
	refuse(request, media_of(request), status, why, headers);
}

/*   mistake  what a body that is no request has wrong, where somebody found words for it; else empty */
static void refuse_for(
	struct http_request *request, const struct media *media, int error, const char *mistake)
{
	switch (error) {
	case -EBADMSG:
		refuse(request, media, 400,
			*mistake ? mistake :
				   "the body is not an ExportTraceServiceRequest in protobuf",
			NULL);
		break;
	case -E2BIG:
		refuse(request, media, 413,
			"the request has more spans or bytes than this server takes", NULL);
		break;
	case -ENOMEM:
		refuse(request, media, 503, "other requests hold the memory", NULL);
		break;
	case -EINVAL:
		refuse(request, media, 500,
			"the request makes tollgate contradict itself; please report it", NULL);
		break;
	case -ENOSPC:
		refuse_as(COUNTER_REFUSED_DISK_FULL, request, media, 503, "the disk buffer is full",
			NULL);
		break;
	case -ESHUTDOWN:
		refuse_as(COUNTER_REFUSED_STOPPING, request, media, 503, "the server is stopping",
			NULL);
		break;
	default:
		refuse_as(COUNTER_REFUSED_DISK_ERROR, request, media, 503,
			"the disk buffer cannot be written", NULL);
	}
}

static void begin_traces(struct http_request *request, void *owner)
{
	struct otlp_door *door = owner;
	const struct media *media = media_of(request);
	if (http_request_has_word(request, "Via", pseudonym)) {
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
		refuse_for(request, media, error, "");
}

/* Without a type that we know the body cannot say what it is. */
static void begin_root(struct http_request *request, void *owner)
{
	if (media_of(request) == &unknown_media)
		refuse(request, &unknown_media, 404, no_such_path, NULL);
	else
		begin_traces(request, owner);
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
		refuse_for(intake->request, intake->media, error, "");
		return;
	}
	counter_add(COUNTER_REQUESTS_RECEIVED, 1);
	struct buf body;
	buf_init(&body, REPLY_MAX_BYTES, NULL);
	reply_write_success(&body, intake->media->encoding, SIGNAL_TRACES, batch->rejected_count,
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
	intake->batch.lane = "default";
	intake->batch.signal = SIGNAL_TRACES;
	intake->batch.received_ns = clock_unix_ns();
	intake->batch.committed = on_committed;
	intake->batch.owner = intake;
	http_request_own(request, intake, free_intake);
	return intake;
}

/* From the body as it was sent to protobuf. */
static int decode(struct otlp_door *door, struct intake *intake, struct bytes *body,
	struct complaint *complaint)
{
	const struct coding *coding = coding_of(intake->request);
	int error = 0;
	if (coding->inflate) {
		error = coding->inflate(*body, &intake->inflated);
		*body = buf_bytes(&intake->inflated);
	}
	if (error == -EBADMSG)
		complain(complaint, "the %s data of the body is damaged", coding->name);
	if (error || intake->media->encoding != REPLY_JSON)
		return error;
	error = json_to_request(*body, SIGNAL_TRACES, (unsigned)door->config->limits.max_depth,
		&intake->protobuf, complaint);
	*body = buf_bytes(&intake->protobuf);
	buf_done(&intake->inflated);
	return error;
}

/* JSON has names: what is left of it has come from resourceSpans. */
static bool says_spans(const struct intake *intake, struct bytes protobuf)
{
	return intake->media->encoding == REPLY_JSON ? protobuf.len > 0 :
						       request_has_span(protobuf);
}

static void take(
	struct otlp_door *door, struct http_request *request, struct bytes body, bool is_root)
{
	struct intake *intake = intake_new(door, request);
	struct complaint complaint = { 0 };
	if (!intake) {
		refuse_for(request, media_of(request), -ENOMEM, "");
		return;
	}
	int error = decode(door, intake, &body, &complaint);
	if (!error && is_root && !says_spans(intake, body)) {
		refuse(request, intake->media, 404, no_such_path, NULL);
		return;
	}
	if (!error)
		error = pipeline_accept(door->pipeline, &intake->batch, body);
	if (error)
		refuse_for(request, intake->media, error, complaint.text);
}

static void handle_traces(struct http_request *request, struct bytes body, void *owner)
{
	take(owner, request, body, false);
}

static void handle_root(struct http_request *request, struct bytes body, void *owner)
{
	take(owner, request, body, true);
}

static void begin_other_signal(struct http_request *request, void *owner)
{
	(void)owner;
	refuse(request, media_of(request), 404,
		"this version takes traces only (POST /v1/traces); set OTEL_LOGS_EXPORTER=none and OTEL_METRICS_EXPORTER=none",
		NULL);
}

void receive_otlp_routes(struct otlp_door *door, struct http_route ret_routes[OTLP_ROUTE_COUNT])
{
	ret_routes[0] =
		(struct http_route){ "POST", "/v1/traces", begin_traces, handle_traces, door };
	ret_routes[1] = (struct http_route){ "POST", "/v1/logs", begin_other_signal, NULL, door };
	ret_routes[2] =
		(struct http_route){ "POST", "/v1/metrics", begin_other_signal, NULL, door };
	ret_routes[3] = (struct http_route){ "POST", "/", begin_root, handle_root, door };
}
