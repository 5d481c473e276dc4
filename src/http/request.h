/*
 * Between server.c, which owns sockets and threads, and request.c, which takes one request from its
 * first header to its reply. Nobody else includes this.
 */
#ifndef TG_HTTP_REQUEST_H
#define TG_HTTP_REQUEST_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/server.h"

struct http_server {
	struct http_server_options options;
	struct MHD_Daemon *mhd;
	unsigned port;
	atomic_bool stopping; /* connections close after their next reply */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* of the two numbers */
	unsigned in_progress;   /* requests begun and not over; guarded by lock */
	unsigned handed_out; /* of those, given to `handle` and not replied to; guarded by lock */
	bool closed;         /* nothing is handed out any more; guarded by lock */
	struct http_request *requests; /* of every open connection; guarded by lock */
};

enum reply_state {
	AWAITED,   /* no reply yet, the connection is in its thread's hands */
	SUSPENDED, /* no reply yet, whoever replies must resume the connection */
	REPLIED,
};

/* A connection, and the request that is on it now: HTTP/1.1 has one at a time. */
struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	int fd;
	struct http_request *next, **link; /* in server->requests */

	/*
	 * When the peer must have sent what it has to send, or taken the reply; 0 while the turn is ours.
	 * Between requests it is the end of the longest silence allowed, and the time of a request after it.
	 */
	_Atomic uint64_t due_ms;

	const char *path; /* from here on of one request */
	const struct http_route *route;
	struct buf body;
	uint64_t dropped_bytes; /* of the body, after a reply was found early */
	bool is_handed_out;
	void *owned;
	void (*free_owned)(void *owned);

	_Atomic int state; /* enum reply_state; a reply is published by the change to REPLIED */
	unsigned status;
	struct MHD_Response *response; /* NULL when there was no memory for it */
	struct bytes reply_body;       /* lives as long as the response */
};

/* The steps of a request, as libmicrohttpd calls for them, in the connection's thread. */
enum MHD_Result http_request_begin(
	struct http_request *request, const char *method, const char *path);
enum MHD_Result http_request_read(struct http_request *request, const char *data, size_t *size);
enum MHD_Result http_request_finish(struct http_request *request);
void http_request_end(struct http_request *request);

#endif
