/*
 * What requests to others have in common, whether client.c makes them or upstream.c. Only these three
 * files know curl; nobody else includes this.
 */
#ifndef TG_HTTP_CURL_H
#define TG_HTTP_CURL_H

#include <curl/curl.h>

#include "http/client.h"

struct http_headers {
	struct curl_slist *list;
	unsigned holders; /* the owner and requests that have no answer yet */
};

/* Connections of one thread, and what every request on them begins with. */
struct http_connections {
	CURLM *multi;
	char *no_proxy;
	const char *ca_file;
	uint64_t connect_timeout_ms;
};

/*
 *   ca_file  NULL: the system's
 *   limit    connections in use and kept, above which those not in use are closed
 *
 * 0 or -ENOMEM; http_connections_done is right after both.
 */
int http_connections_init(struct http_connections *connections, const char *ca_file, unsigned limit,
	uint64_t connect_timeout_ms);
void http_connections_done(struct http_connections *connections);

/* A handle for requests with nothing to send yet; NULL: no memory. */
CURL *http_connections_request(const struct http_connections *connections, void *owner);

/*
 * Waits until something can move, somebody wakes it or the time is over, and then moves everything on.
 *
 *   fd  ends the wait too when it is readable; -1: none
 */
void http_connections_run(struct http_connections *connections, uint64_t wait_ms, int fd);

/* The next request that has ended, which is off the connections now; NULL when there is none. */
CURL *http_connections_ended(
	struct http_connections *connections, void **ret_owner, CURLcode *ret_code);

enum http_outcome http_outcome_of(CURLcode code);

/* What methods and names of headers are made of (RFC 9110, 5.6.2). */
bool http_is_token(const char *text);

#endif
