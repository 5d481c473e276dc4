/*
 * HTTP/1.1 on one address: a table of routes, bodies collected up to their limits, and one reply to
 * each request, at once or later and from any thread.
 *
 * Built on libmicrohttpd in poll mode, because its epoll mode (0.9.75) hangs when a multiple of 128
 * sockets become ready at once. Between `handle` and http_reply the connection is suspended, which
 * costs no thread; a suspended connection never times out, so whoever is given a request replies,
 * on every path. Bodies, queries and header values never reach the log.
 */
#ifndef TG_HTTP_SERVER_H
#define TG_HTTP_SERVER_H

#include "base/buf.h"
#include "base/complaint.h"

struct http_server;
struct http_request;

/* Lists of headers end with a NULL name. */
struct http_header {
	const char *name;
	const char *value;
};

/* Retry-After, for what may pass: goes with 503. */
extern const struct http_header http_retry_soon[];

struct http_route {
	const char *method;
	const char *path; /* one slash more at the end of a request's path is the same path */

	/* The headers are here, the body is not: may http_reply, and then `handle` is not called. Or NULL. */
	void (*begin)(struct http_request *request, void *owner);

	/*
	 * The body is whole. Exactly one http_reply must follow, from here or from any thread later; the
	 * body lives until then.
	 */
	void (*handle)(struct http_request *request, struct bytes body, void *owner);
	void *owner;
};

struct http_server_options {
	const char *listen; /* host:port, [::1]:port; port 0 takes any free one */
	int listen_fd;      /* a socket that listens, taken over; where listen is NULL */
	const struct http_route *routes; /* outlives the server */
	size_t route_count;
	unsigned threads;
	unsigned max_connections; /* shared out to the threads; more wait in the listen queue */
	uint64_t
		request_timeout_ms; /* from the first byte of a request to its last; of a reply too */
	uint64_t idle_timeout_ms;   /* of silence */
	size_t max_body_bytes;      /* 413 above */
	struct budget *budget;      /* bodies that wait are charged to it; 503 when it is used up */

	/*
	 * Replies in place of the routes: 400, 404, 405, 408, 413, 503. Must http_reply at once with
	 * `status` and `headers` (may be NULL). NULL for a line of plain text. What is not HTTP at all, or
	 * has too large headers, libmicrohttpd refuses by itself with 400 or 431.
	 */
	void (*refuse)(struct http_request *request, unsigned status, const char *why,
		const struct http_header *headers);
};

/*
 * Listens and serves from here on, in threads of its own. 0, or negative errno with words about the
 * address in `complaint`.
 */
int http_server_start(const struct http_server_options *options, struct http_server **ret_server,
	struct complaint *complaint);

unsigned http_server_port(const struct http_server *server);

/* Closes connections that do not send a request, or take a reply, in time; call it each second. */
void http_server_tick(struct http_server *server);

/*
 * Closes the listening socket, then waits for the requests in progress, at most timeout_ms. `handle`
 * is not called any more afterwards. Returns the number of requests still in progress.
 */
unsigned http_server_stop(struct http_server *server, uint64_t timeout_ms);

/* Stops, waits until every request that was handed out is replied to, then closes all connections. */
void http_server_free(struct http_server *server);

/* The path as the sender wrote it, without the query. */
const char *http_request_path(const struct http_request *request);

/* An argument of the query, decoded ("" for one without a value); NULL when it is not there. */
const char *http_request_argument(const struct http_request *request, const char *name);

/* The first argument of the query that is not in a list, which ends with NULL; NULL when all are. */
const char *http_request_odd_argument(const struct http_request *request, const char *const *known);

/* The first header of that name, in any letter case; NULL when there is none. */
const char *http_request_header(const struct http_request *request, const char *name);

/* Whether any line of a header has the word, in any letter case, between blanks, commas or semicolons. */
bool http_request_has_word(
	const struct http_request *request, const char *header, const char *word);

/*
 * Ties something to the request: `free_owned` is called in the server's thread when the request is
 * over, answered or not. Once per request.
 */
void http_request_own(struct http_request *request, void *owned, void (*free_owned)(void *owned));

/*
 * The reply; everything is copied. The request must not be touched afterwards.
 *
 *   content_type  NULL for none
 *   headers       further ones; NULL for none
 */
void http_reply(struct http_request *request, unsigned status, const char *content_type,
	struct bytes body, const struct http_header *headers);

#endif
