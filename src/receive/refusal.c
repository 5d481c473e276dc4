#include "receive/refusal.h"

#include <errno.h>

#include "base/log.h"

enum { REPEAT_LOG_MS = 60 * 1000 };

static enum counter reason_of(unsigned status)
{
	switch (status) {
	case 400:
		return COUNTER_REFUSED_MALFORMED;
	case 401:
		return COUNTER_REFUSED_UNAUTHORIZED;
	case 403:
		return COUNTER_REFUSED_FORBIDDEN;
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

struct refusal refusal_of_status(
	unsigned status, const char *why, const struct http_header *headers)
{
	return (struct refusal){ status, why, reason_of(status),
		status == 503 ? http_retry_soon : headers };
}

static struct refusal for_now(enum counter reason, const char *why)
{
	return (struct refusal){ 503, why, reason, http_retry_soon };
}

struct refusal refusal_of_error(int error, const char *mistake)
{
	switch (error) {
	case -EBADMSG:
		return refusal_of_status(400, mistake, NULL);
	case -E2BIG:
		return refusal_of_status(413,
			"the request has more spans, log records, metrics or bytes than this server takes",
			NULL);
	case -ENOMEM:
		return for_now(COUNTER_REFUSED_OVERLOADED, "other requests hold the memory");
	case -EINVAL:
		return refusal_of_status(500,
			"the request makes tollgate contradict itself; please report it", NULL);
	case -ENOSPC:
		return for_now(COUNTER_REFUSED_DISK_FULL, "the disk buffer is full");
	case -ESHUTDOWN:
		return for_now(COUNTER_REFUSED_STOPPING, "the server is stopping");
	default:
		return for_now(COUNTER_REFUSED_DISK_ERROR, "the disk buffer cannot be written");
	}
}

bool is_our_own(const struct http_request *request)
{
	static const char pseudonym[] = "tollgate"; /* ours in the Via header of what we send */
	return http_request_has_word(request, "Via", pseudonym);
}

/* A sender may repeat its mistake with every request: one line for each kind of it now and then. */
void refusal_note(const struct refusal *refusal)
{
	static struct log_gate gates[COUNTER_COUNT];
	char text[LOG_TEXT_MAX];
	uint64_t held;
	counter_add(COUNTER_REQUESTS_RECEIVED, 1);
	counter_add(refusal->reason, 1);
	if (log_gate_open(&gates[refusal->reason], REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_WARNING, "request_refused", "status=%u why=%s lines_held=%llu",
			refusal->status, log_text(text, refusal->why), (unsigned long long)held);
}
