/*
 * HTTP requests of one thread, several at a time: a thin layer over one curl multi handle.
 *
 * Bodies are borrowed and sent from where they lie, in pieces laid end to end: stored records go out
 * without being copied together. Redirects are not followed (a redirected POST is a wrong base URL,
 * which somebody has to see), certificates are always verified, connections are kept and used again.
 * A proxy comes from the environment as curl reads it, never for loopback.
 */
#ifndef TG_HTTP_CLIENT_H
#define TG_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct http_client;
struct http_headers;

struct http_client_options {
	const char *ca_file;  /* NULL: the system's */
	uint64_t timeout_ms;  /* of one request, from connecting to the last byte of the answer */
	unsigned connections; /* to keep open */
};

enum {
	HTTP_ANSWER_MAX_BYTES =
		64 * 1024, /* of an answer's body are kept, the rest is read and forgotten */
	HTTP_RETRY_AFTER_MAX = 64,
	HTTP_HOST_MAX = 256,
};

/* How a request ended, as far as it concerns what to do next. */
enum http_outcome {
	HTTP_ANSWERED,  /* the status is valid, even when the body broke off behind it */
	HTTP_FAILED,    /* no answer: name, connection, TLS handshake, broken off */
	HTTP_LATE,      /* no answer in time */
	HTTP_UNWANTED,  /* who asked has left: one of its flows was broken (upstream.h) */
	HTTP_UNTRUSTED, /* the peer's certificate does not verify */
	HTTP_UNUSABLE,  /* cannot be tried as configured: URL, CA file */
};

struct http_answer {
	enum http_outcome outcome;
	int status;                             /* 0 unless answered */
	char retry_after[HTTP_RETRY_AFTER_MAX]; /* the header's value; empty without */
	struct bytes body; /* at most HTTP_ANSWER_MAX_BYTES; until the next call */
	const char *error; /* static words; NULL when answered */
	int64_t date_s;    /* Unix time, as the peer's clock has it; -1: none was given */
};

struct http_post {
	const char *url;
	struct http_headers *headers; /* kept until the answer, also when it is freed before */
	const struct bytes *pieces;   /* the body, sent end to end; lives until the answer */
	size_t piece_count;
	void *owner; /* comes back with the answer */
};

int http_client_new(const struct http_client_options *options, struct http_client **ret_client);

void http_client_free(struct http_client *client);

/* Breaks off all requests; their owners are not told, and may free what was borrowed. */
void http_client_cancel(struct http_client *client);

/* Starts a request. 0 or -ENOMEM. */
int http_client_post(struct http_client *client, const struct http_post *post);

/* The same for a GET; headers and owner as those of a post. */
int http_client_get(
	struct http_client *client, const char *url, struct http_headers *headers, void *owner);

/* Moves everything on; waits until something happens, http_client_wake or the time is over. */
void http_client_run(struct http_client *client, uint64_t wait_ms);

/* The next request that has ended since; false when there is none. */
bool http_client_next(struct http_client *client, void **ret_owner, struct http_answer *ret_answer);

/* Ends the wait of http_client_run, now or the next one. From any thread. */
void http_client_wake(struct http_client *client);

struct http_headers *http_headers_new(void);
void http_headers_free(struct http_headers *headers);

/* -EINVAL: the name is no token or the value holds control bytes; -ENOMEM. */
int http_headers_add(struct http_headers *headers, const char *name, const char *value);

/*
 * Takes an http:// or https:// URL apart. The port is the scheme's when none is given.
 * -EINVAL: no such URL, or one with a query or a fragment, behind which no path can be appended.
 */
int http_url_read(const char *url, char ret_host[HTTP_HOST_MAX], uint16_t *ret_port);

#endif
