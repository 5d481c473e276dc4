#include <config.h> /* strptime */

#include "export/verdict.h"

#include <ctype.h>
#include <stddef.h>

#include "otlp/wire.h"

static enum verdict refuse(const struct attempt *attempt)
{
	if (!attempt->may_split)
		return HOLD;
	return attempt->span_count > 1 ? SPLIT : SET_ASIDE;
}

static enum verdict retry(const struct attempt *attempt)
{
	if (attempt->overtaken >= OVERTAKEN_MAX && attempt->overtaken_ms >= OVERTAKEN_MAX_MS)
		return refuse(attempt);
	return RETRY_LATER;
}

static enum verdict judge_status(int status, const struct attempt *attempt)
{
	if (status >= 200 && status < 300)
		return DELIVERED;
	if (status >= 500 && status < 600)
		return retry(attempt);
	switch (status) {
	case 408: /* request time-out */
	case 429: /* too many requests */
		return retry(attempt);
	case 400: /* bad request */
	case 413: /* content too large */
	case 422: /* unprocessable content */
		return refuse(attempt);
	default:
		return HOLD;
	}
}

enum verdict verdict_of(const struct reply *reply, const struct attempt *attempt)
{
	switch (reply->outcome) {
	case HTTP_ANSWERED:
		return judge_status(reply->status, attempt);
	case HTTP_FAILED:
	case HTTP_LATE:
	case HTTP_UNWANTED:
		return retry(attempt);
	case HTTP_UNTRUSTED:
	case HTTP_UNUSABLE:
		break;
	}
	return HOLD;
}

const char *verdict_why(const struct reply *reply)
{
	if (reply->outcome != HTTP_ANSWERED)
		return reply->error ? reply->error : "no answer";
	switch (reply->status) {
	case 400:
	case 422:
		return "refused as malformed";
	case 401:
		return "the key is not accepted";
	case 403:
		return "the key has no access, or the plan is used up";
	case 404:
	case 405:
		return "nothing takes telemetry at this URL";
	case 408:
		return "the destination waited too long for the request";
	case 413:
		return "too large for the destination";
	case 415:
		return "the destination does not take protobuf or its compression";
	case 429:
		return "rate limited";
	}
	if (reply->status >= 300 && reply->status < 400)
		return "redirected: the URL is not the final one";
	return reply->status >= 500 ? "the destination failed" : "refused";
}

struct reply reply_read(const struct http_answer *answer, time_t now)
{
	bool is_taken = answer->status >= 200 && answer->status < 300;
	return (struct reply){
		.outcome = answer->outcome,
		.status = answer->status,
		.retry_after_ms = retry_after_read(answer->retry_after, now),
		.rejected = is_taken ? partial_success_read(answer->body) : 0,
		.error = answer->error,
		.body = is_taken ? answer->body : (struct bytes){ 0 },
	};
}

static bool read_seconds(const char *text, uint64_t *ret_ms)
{
	uint64_t ms = 0;
	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++)
		if (ms < RETRY_AFTER_MAX_MS)
			ms = ms * 10 + (uint64_t)(*text - '0') * 1000;
	while (*text == ' ' || *text == '\t')
		text++;
	if (*text)
		return false;
	*ret_ms = ms;
	return true;
}

uint64_t retry_after_read(const char *value, time_t now)
{
	static const char *const formats[] = {
		"%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
		"%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
		"%a %b %e %H:%M:%S %Y",      /* asctime */
	};
	uint64_t ms = 0;
	if (read_seconds(value, &ms))
		return ms < RETRY_AFTER_MAX_MS ? ms : RETRY_AFTER_MAX_MS;
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(value, formats[i], &tm);
		if (!end || *end)
			continue;
		time_t at = timegm(&tm);
		if (at <= now)
			return 0;
		return at - now < RETRY_AFTER_MAX_MS / 1000 ? (uint64_t)(at - now) * 1000 :
							      RETRY_AFTER_MAX_MS;
	}
	return 0;
}

uint64_t partial_success_read(struct bytes body)
{
	enum { PARTIAL_SUCCESS = 1, REJECTED_SPANS = 1 };
	if (body.len == 0)
		return 0;
	struct wire response = wire_of(body);
	struct field partial, field;
	uint64_t rejected = 0;
	while (wire_next(&response, &partial) > 0) {
		if (!field_is(&partial, PARTIAL_SUCCESS, WIRE_BYTES))
			continue;
		struct wire inner = wire_of(partial.body);
		while (wire_next(&inner, &field) > 0)
			if (field_is(&field, REJECTED_SPANS, WIRE_VARINT) &&
				field.value <= INT64_MAX)
				rejected = field.value;
	}
	return rejected;
}

uint64_t backoff_ms(uint64_t initial_ms, uint64_t max_ms, unsigned failures, uint32_t random)
{
	uint64_t ceiling = initial_ms;
	for (unsigned i = 1; i < failures && ceiling < max_ms; i++)
		ceiling *= 2;
	if (ceiling > max_ms)
		ceiling = max_ms;
	return 1 + (ceiling > 1 ? random % ceiling : 0);
}
