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
#include "otlp/reply.h"
#include "pipeline.h"
#include "spool/spool.h"

enum { REPLY_MAX_BYTES = 64 << 10, REPEAT_LOG_MS = 60 * 1000 };

static const char pseudonym[] = "tollgate"; /* ours in the Via header of what we send */

/* Content types in the order in which they are tried; the answer has the type of the request. */
static const struct media {
	const char *type;
	enum reply_encoding encoding;
	const char *refusal; /* NULL: taken */
} medias[] = {
	{ "application/x-protobuf", REPLY_PROTOBUF, NULL },
	{ "application/protobuf", REPLY_PROTOBUF, NULL },
	{ "application/json", REPLY_JSON,
		"OTLP/JSON is not taken by this version; send protobuf: OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" },
};
static const struct media unknown_media = {
	"application/json", REPLY_JSON,
	"Content-Type must be application/x-protobuf; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
};

/* One request between its body and its reply; freed when the request is over. */
struct intake {
	struct batch batch;
	struct buf inflated;
	struct http_request *request;
	const struct media *media;
};

/* Whether a header's value up to its parameters is `word`, in any letter case. */
static bool value_is(const char *value, const char *word)
{
	value += strspn(value, " \t");
	size_t len = strcspn(value, " \t;");
	return len == strlen(word) && strncasecmp(value, word, len) == 0;
}

static const struct media *media_of(const struct http_request *request)
{
	const char *type = http_request_header(request, "Content-Type");
	for (size_t i = 0; type && i < sizeof medias / sizeof medias[0]; i++)
		if (value_is(type, medias[i].type))
			return &medias[i];
	return &unknown_media;
}

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_UNKNOWN };

static enum coding coding_of(const struct http_request *request)
{
	const char *coding = http_request_header(request, "Content-Encoding");
	if (!coding || value_is(coding, "") || value_is(coding, "identity"))
		return CODING_IDENTITY;
	return value_is(coding, "gzip") || value_is(coding, "x-gzip") ? CODING_GZIP :
									CODING_UNKNOWN;
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
		why = "nothing is served at this path; OTLP traces go to POST /v1/traces";
	refuse(request, media_of(request), status, why, headers);
}

static void refuse_for(struct http_request *request, const struct media *media, int error)
{
	switch (error) {
	case -EBADMSG:
		refuse(request, media, 400,
			"the body is not an ExportTraceServiceRequest in protobuf", NULL);
		break;
	case -E2BIG:
		refuse(request, media, 413,
			"the request has more spans or bytes than this server takes", NULL);
		break;
	case -ENOMEM:
		refuse(request, media, 503, "other requests hold the memory", NULL);
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
	if (media->refusal) {
		refuse(request, media, 415, media->refusal, NULL);
		return;
	}
	if (coding_of(request) == CODING_UNKNOWN) {
		refuse(request, media, 415, "Content-Encoding must be gzip, or absent or identity",
			NULL);
		return;
	}
	int error = spool_status(door->spool);
	if (error)
		refuse_for(request, media, error);
}

static void free_intake(void *owned)
{
	struct intake *intake = owned;
	arena_done(&intake->batch.arena);
	buf_done(&intake->inflated);
	free(intake);
}

static void on_committed(struct batch *batch, int error)
{
	struct intake *intake = batch->owner;
	if (error) {
		refuse_for(intake->request, intake->media, error);
		return;
	}
	counter_add(COUNTER_REQUESTS_RECEIVED, 1);
	struct buf body;
	buf_init(&body, REPLY_MAX_BYTES, NULL);
	reply_write_success(&body, intake->media->encoding, REPLY_TRACES, batch->rejected_count,
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
	arena_init(
		&intake->batch.arena, door->config->limits.max_request_memory_bytes, door->budget);
	intake->batch.lane = "default";
	intake->batch.signal = SIGNAL_TRACES;
	intake->batch.stage = STAGE_OUT;
	intake->batch.received_ns = clock_unix_ns();
	intake->batch.committed = on_committed;
	intake->batch.owner = intake;
	http_request_own(request, intake, free_intake);
	return intake;
}

static void handle_traces(struct http_request *request, struct bytes body, void *owner)
{
	struct otlp_door *door = owner;
	struct intake *intake = intake_new(door, request);
	if (!intake) {
		refuse_for(request, media_of(request), -ENOMEM);
		return;
	}
	int error = 0;
	if (coding_of(request) == CODING_GZIP) {
		error = gzip_inflate(body, &intake->inflated);
		body = buf_bytes(&intake->inflated);
	}
	if (error == -EBADMSG)
		refuse(request, intake->media, 400, "the gzip data of the body is damaged", NULL);
	else if (error || (error = pipeline_accept(door->pipeline, &intake->batch, body)) < 0)
		refuse_for(request, intake->media, error);
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
}
