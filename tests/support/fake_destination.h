/*
 * A destination in the test's own process: takes OTLP/HTTP on a port of 127.0.0.1, answers as it is
 * told, and remembers everything, so that a test can ask what arrived, in which order and how often.
 *
 * What it answers: first the script, one answer per request; then the rule, for every further one. The
 * rule is 200 with an empty ExportTraceServiceResponse until another is set; fake_langfuse is one.
 *
 * Every function may be called while requests come in; those that return pointers return what stays
 * until fake_destination_stop.
 */
#ifndef TG_TESTS_SUPPORT_FAKE_DESTINATION_H
#define TG_TESTS_SUPPORT_FAKE_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct fake_destination;

struct fake_header {
	struct fake_header *next;
	char *name;
	char *value;
};

/* One request as it came in. */
struct fake_request {
	char *method;
	char *path;
	struct fake_header *headers;
	struct bytes body;    /* inflated; empty when bodies are not kept */
	size_t sent_bytes;    /* of the body, before inflating */
	uint64_t received_ms; /* clock_monotonic_ms */
	int status;           /* as answered; 0 when it was not */

	size_t span_count;
	bool is_protobuf; /* the body inflates and decodes */
	bool has_span_without_ids;
	bool has_valueless; /* an attribute without value: Langfuse says 200 and loses the whole request */
};

struct fake_answer {
	int status;
	const char *retry_after;  /* header; NULL for none */
	const char *content_type; /* NULL: application/x-protobuf */
	const char *date;         /* header; NULL for that of now */
	struct bytes body;        /* lives until the destination is stopped */
	unsigned delay_ms;        /* before it is sent */
	bool is_cut; /* the connection is closed instead; a 2xx counts as accepted all the same */
};

/* Decides on a request; it is complete but for its status. Called with one request at a time. */
typedef struct fake_answer fake_rule(const struct fake_request *request, void *arg);

/*   port  0: a free one; else that one, to come back where another was stopped */
struct fake_destination *fake_destination_start(uint16_t port);
void fake_destination_stop(struct fake_destination *fake);

uint16_t fake_destination_port(const struct fake_destination *fake);
const char *fake_destination_url(const struct fake_destination *fake); /* http://127.0.0.1:port */

/* Adds answers to the script; they are copied. */
void fake_destination_script(
	struct fake_destination *fake, const struct fake_answer *answers, size_t count);
void fake_destination_rule(struct fake_destination *fake, fake_rule *rule, void *arg);

/*
 * Answers as Langfuse does (facts: langfuse 1): its path, method, content type, ingestion version; 401
 * unless the Authorization header is `arg`, a string, or arg is NULL; 400 for the whole request when a
 * span lacks an id; 200 with JSON of its own. Asked for the projects of a pair it names one.
 */
fake_rule fake_langfuse;

/* For long stories: bodies are forgotten once they are counted. */
void fake_destination_forget_bodies(struct fake_destination *fake);

/* ---- what arrived ---- */

size_t fake_destination_request_count(struct fake_destination *fake);
const struct fake_request *fake_destination_request(struct fake_destination *fake, size_t n);
const char *fake_request_header(const struct fake_request *request, const char *name); /* or NULL */

/* Accepted: answered with 2xx, once or more. */
size_t fake_destination_span_count(struct fake_destination *fake);      /* different ids */
size_t fake_destination_duplicate_count(struct fake_destination *fake); /* accepted again */
size_t fake_destination_times(struct fake_destination *fake, const uint8_t span_id[8]);
size_t fake_destination_lost_count(
	struct fake_destination *fake); /* requests with a valueless attribute */

/* The most requests that were in here at once. */
size_t fake_destination_most_at_once(struct fake_destination *fake);

/* Waits for so many requests, or so many different accepted spans. False when the time is over. */
bool fake_destination_wait_requests(
	struct fake_destination *fake, size_t count, unsigned timeout_ms);
bool fake_destination_wait_spans(struct fake_destination *fake, size_t count, unsigned timeout_ms);

#endif
