/*
 * What to do after an attempt to deliver: pure functions, so that the whole rule is one table in
 * tests/test_verdict.c.
 *
 * The rule leans to keeping. Only what a destination refuses for its content is ever given up, and then
 * span by span, as dead letters; whatever a person can mend (keys, URL, certificate, plan) holds the
 * lane with everything in it. Unlike OTLP's text every 5xx is tried again: Langfuse answers overload
 * with 500 (facts: langfuse 1.2, otlp 6).
 */
#ifndef TG_EXPORT_VERDICT_H
#define TG_EXPORT_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/bytes.h"
#include "http/client.h"

enum verdict {
	DELIVERED,
	RETRY_LATER, /* unchanged, after a back-off */
	SPLIT,       /* in smaller requests, down to the span at fault */
	HOLD,        /* keep everything, try slowly, say it loudly */
	SET_ASIDE,   /* this one span will never be taken: a dead letter */
};

/* What came back, in our words. */
struct reply {
	enum http_outcome outcome;
	int status;
	uint64_t retry_after_ms; /* 0: none given */
	uint64_t rejected;       /* spans, by OTLP partial success; may exceed what was sent */
	const char *error;       /* static words when there is no status */
	struct bytes body;       /* of an answer of 2xx; until the next one is taken */
};

/* What was sent, and how it fared before. */
struct attempt {
	uint32_t span_count;
	bool may_split; /* false while a destination seems to refuse everything */
	unsigned
		overtaken; /* retryable failures with later deliveries between them, this one too */
	uint64_t overtaken_ms; /* since the first of them */
};

/* Tempo answers 429 to what can never fit: so much failing beside others that pass is a refusal. */
enum { OVERTAKEN_MAX = 8, OVERTAKEN_MAX_MS = 10 * 60 * 1000 };

enum verdict verdict_of(const struct reply *reply, const struct attempt *attempt);

/* A few static words on a reply that is not DELIVERED, for log and dead letters. */
const char *verdict_why(const struct reply *reply);

/*   now  Unix time, for a Retry-After that is a date */
struct reply reply_read(const struct http_answer *answer, time_t now);

/*
 * The wait that a Retry-After asks for: seconds or an HTTP date (RFC 9110, 10.2.3, all three forms). 0
 * when it is neither or has passed; at most an hour, so that no header can stop a lane for good.
 */
enum { RETRY_AFTER_MAX_MS = 60 * 60 * 1000 };
uint64_t retry_after_read(const char *value, time_t now);

/*
 * rejected_spans of an ExportTraceServiceResponse in protobuf. 0 without one, and for whatever else is
 * there: Langfuse answers with JSON of its own and has no partial success.
 */
uint64_t partial_success_read(struct bytes body);

/*
 * Exponential back-off with full jitter: anything up to initial * 2^(failures - 1), at most `max_ms`.
 * At least 1.
 */
uint64_t backoff_ms(uint64_t initial_ms, uint64_t max_ms, unsigned failures, uint32_t random);

#endif
