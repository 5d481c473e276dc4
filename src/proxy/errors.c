#include "proxy/errors.h"

#include "proxy/proxy.h"
#include "receive/otlp.h"
#include "receive/refusal.h"

enum { REPLY_MAX_BYTES = 64 << 10 };

/* As Langfuse says them, where it says such a thing. */
static const struct {
	unsigned status;
	const char *name;
} names[] = {
	{ 400, "InvalidRequestError" },
	{ 401, "UnauthorizedError" },
	{ 403, "ForbiddenError" },
	{ 404, "LangfuseNotFoundError" },
	{ 405, "MethodNotAllowedError" },
	{ 408, "RequestTimeoutError" },
	{ 413, "PayloadTooLargeError" },
	{ 431, "HeadersTooLargeError" },
	{ 502, "BadGatewayError" },
	{ 503, "ServiceUnavailableError" },
	{ 504, "GatewayTimeoutError" },
	{ 508, "LoopDetectedError" },
};

static const char *name_of(unsigned status)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].status == status)
			return names[i].name;
	return "InternalServerError";
}

void reply_error(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	struct buf body;
	buf_init(&body, REPLY_MAX_BYTES, NULL);
	buf_text(&body, "{\"message\":");
	buf_json_string(&body, bytes_of(why));
	buf_printf(&body, ",\"error\":\"%s\"}", name_of(status));
	bool may_pass = status >= 502 && status <= 504;
	http_reply(request, status, "application/json", buf_bytes(&body),
		may_pass ? http_retry_soon : headers);
	buf_done(&body);
}

void refuse_error(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	const struct refusal refusal = refusal_of_status(status, why, headers);
	refusal_note(&refusal);
	reply_error(request, status, why, headers);
}

void proxy_refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	static const char ours[] = "/api/public/", otlp[] = "/api/public/otel/";
	static const char nobody[] = /* in Langfuse's words, which people look for */
		"Invalid credentials. Confirm that you've configured the correct host.";
	const char *path = http_request_path(request);
	if (strncmp(path, ours, sizeof ours - 1) == 0 && strncmp(path, otlp, sizeof otlp - 1) != 0)
		refuse_error(request, status, status == 401 ? nobody : why, headers);
	else
		receive_otlp_refuse(request, status, why, headers);
}
