/*
 * HTTP/1.1 on one address: a table of routes, bodies collected up to their limits or passed on as they come,
 * and one reply to each request, at once or later and from any thread.
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

struct flow;
struct http_certificate;
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
	const char *method; /* NULL: any */
	/*
	 * One slash more at the end of a request's path is the same path. One that ends in a slash: all below
	 * too, but for "/", which is itself alone. The first route that fits is taken.
	 */
	const char *path;

	/* The headers are here, the body is not: may http_reply, and then `handle` is not called. Or NULL. */
	void (*begin)(struct http_request *request, void *owner);

	/*
	 * The body is whole. Exactly one http_reply must follow, from here or from any thread later; the
	 * body lives until then.
	 */
	void (*handle)(struct http_request *request, struct bytes body, void *owner);
	void *owner;

	/*
	 * In place of `handle`, where the body is passed on as it comes: called once the headers are here.
	 * Exactly one http_reply or http_reply_stream must follow, from here or from any thread later. The
	 * client may leave before: only until this returns the request can be asked what it says, and given
	 * what it owns; later http_request_is_departed alone.
	 *
	 *   body  to be read by the owner, who holds it (flow_hold) to keep it; NULL for a request
	 *         without a body
	 */
	void (*stream)(struct http_request *request, struct flow *body, void *owner);
};

struct http_server_options {
	const char *listen; /* host:port, [::1]:port; port 0 takes any free one */
	int listen_fd;      /* a socket that listens, taken over; where listen is NULL */
	bool is_inherited;  /* that socket is the service manager's too, for who serves after us */
	const struct http_route *routes; /* outlives the server */
	size_t route_count;
	unsigned threads;
	unsigned max_connections; /* shared out to the threads; more wait in the listen queue */
	/* From the first byte of a request to its last; of a reply too. Of a stream's body: of silence. */
	uint64_t request_timeout_ms;
	uint64_t idle_timeout_ms; /* of silence */
	size_t max_body_bytes;    /* 413 above; not of streams */
	size_t flow_bytes;        /* of a stream that are on their way, each direction */
	struct budget *budget;    /* bodies that wait are charged to it; 503 when it is used up */

	/* TLS, with what it holds at the moment; NULL: none. */
	struct http_certificate *certificate;

	/*
	 * Asked before the routes, once the headers are here: 0 lets the request in, else it is refused with
	 * this status. NULL lets all in.
	 */
	unsigned (*admit)(struct http_request *request, void *owner, const char **ret_why,
		const struct http_header **ret_headers);
	void *admit_owner;

	/*
	 * Replies in place of the routes: 400, 404, 405, 408, 413, 503, and what `admit` says. Must http_reply
	 * at once with `status` and `headers` (may be NULL). NULL for a line of plain text. What is not HTTP at
	 * all, or has too large headers, libmicrohttpd refuses by itself with 400 or 431.
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
 * Closes the listening socket, then waits for the requests in progress, at most timeout_ms. `handle` and `stream`
 * are not called any more afterwards. Returns the number of requests still in progress.
 *
 * An inherited socket goes on listening, and who connects now waits there for the next server. So everybody else
 * is led there: connections close after their next reply, and those that are silent for a moment without one.
 */
unsigned http_server_stop(struct http_server *server, uint64_t timeout_ms);

/* Stops, waits until every request that was handed out is replied to, then closes all connections. */
void http_server_free(struct http_server *server);

/*
 * Of streams whose client may leave while nothing is sent to it: readable when one has left, and then
 * http_server_drop_departed breaks both of its flows, and returns how many have. To be used by one thread.
 */
int http_server_departures(const struct http_server *server);
unsigned http_server_drop_departed(struct http_server *server);

/* Whether the client of a stream is known to have left. Until the reply, which must come all the same. */
bool http_request_is_departed(const struct http_request *request);

const char *http_request_method(const struct http_request *request);

/* The target as the sender wrote it, with its query: always a path. */
const char *http_request_target(const struct http_request *request);

/*
 * The path of it, in which an unreserved character is never escaped (RFC 3986, 6.2.2.2) and all else is as
 * the sender wrote it. No segment is empty, "." or "..": whatever has one is refused.
 */
const char *http_request_path(const struct http_request *request);

/* Whether it comes from this machine: a loopback address, and no Forwarded or X-Forwarded-For on it. */
bool http_request_is_local(const struct http_request *request);

/* Calls `each` for every header line in their order, until it returns false. */
void http_request_each_header(const struct http_request *request,
	bool (*each)(void *arg, const char *name, const char *value), void *arg);

/* -1: chunked; 0 without a body. */
int64_t http_request_length(const struct http_request *request);

/* Who sent it, as `admit` found; lives longer than the request. NULL before. */
void http_request_set_caller(struct http_request *request, const void *caller);
const void *http_request_caller(const struct http_request *request);

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
 * over, answered or not; that of a stream not before the reply, and then maybe in its thread. Once per
 * request.
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

/*
 * The same with a body that is still to come. It may begin before the body of the request has ended, but is not
 * sent before: what is left of that is passed on until its flow breaks, then thrown away within bounds, as after
 * http_reply at once. So whoever does not read it to its end breaks it.
 *
 *   body    its writer is the caller, who holds it; it is broken when the client leaves. A body that breaks
 *           ends the connection in the middle. NULL: none comes. Not read where HTTP knows no body: HEAD,
 *           204, 304.
 *   length  of the body, or what HEAD says of it; -1 when it is not known
 */
void http_reply_stream(struct http_request *request, unsigned status,
	const struct http_header *headers, struct flow *body, int64_t length);

#endif
