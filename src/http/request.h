/*
 * Between server.c, which owns sockets and threads, request.c, which takes one request from its first header to
 * its reply, stream.c, in which bodies are on their way, and question.c, which knows what a request says.
 * Nobody else includes this.
 */
#ifndef TG_HTTP_REQUEST_H
#define TG_HTTP_REQUEST_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/flow.h"
#include "http/server.h"

struct http_server {
	struct http_server_options options;
	struct MHD_Daemon *mhd;
	unsigned port;
	atomic_bool stopping; /* connections close after their next reply */
	int departures;       /* epoll on the sockets of streams */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* of the three numbers */
	unsigned in_progress;   /* requests begun and not over; guarded by lock */
	unsigned begun;         /* connections and requests since the start; guarded by lock */
	unsigned handed_out; /* given to `handle` or `stream` and not replied to; guarded by lock */
	unsigned starting;   /* in a route's `stream`; guarded by lock */
	bool closed;         /* nothing is handed out any more; guarded by lock */
	struct http_request *requests; /* of every open connection; guarded by lock */
};

/* How a request stands, as far as more than one thread must know. */
enum {
	REPLIED = 1,   /* the reply is there to be sent */
	WOKEN = 2,     /* something has changed since the connection's thread looked */
	SUSPENDED = 4, /* so whoever changes something first must resume the connection */
	DEPARTED = 8,  /* the client has left */
	GONE = 16,     /* and the connection with it: whoever replies frees the request */
};

/* A connection, and the request that is on it now: HTTP/1.1 has one at a time. */
struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	int fd;
	struct http_identity *identity;    /* that it was shown; NULL without TLS */
	struct http_request *next, **link; /* in server->requests */

	/*
	 * When the peer must have sent what it has to send, or taken the reply; 0 while the turn is ours.
	 * Between requests it is the end of the longest silence allowed, and the time of a request after it.
	 */
	_Atomic uint64_t due_ms;

	struct buf target; /* as it came, and its path behind it; from here on of one request */
	size_t target_len;
	const char *path;  /* in it */
	const char *fault; /* of the target; NULL: none */
	const char *method;
	int64_t length; /* of the body; -1: chunked */
	bool is_head;
	bool knows_chunks; /* HTTP/1.1 */
	bool is_begun;     /* and not over; guarded by the server's lock */
	const void *caller;
	const struct http_route *route;
	struct buf body;
	int64_t dropped_bytes; /* of the body, after a reply was found early */
	bool is_handed_out;
	bool is_owed; /* it ended without a reply, which is still to come */
	void *owned;
	void (*free_owned)(void *owned);

	_Atomic unsigned state; /* a reply is published by the change to REPLIED */
	unsigned status;
	struct MHD_Response *response; /* NULL when there was no memory for it */
	struct bytes reply_body;       /* lives as long as the response */

	/* The two directions of a stream; NULL without. Other threads look at them with the server's lock. */
	struct flow *body_flow;
	bool is_body_whole;      /* all of it is in the flow, or was */
	struct flow *reply_flow; /* published with the reply */
	int64_t reply_length;    /* -1: not known */
	bool is_reply_read;      /* to its end */
};

/* The steps of a request, as libmicrohttpd calls for them, in the connection's thread. */
void http_request_aim(struct http_request *request, const char *target);
enum MHD_Result http_request_begin(
	struct http_request *request, const char *method, const char *version);
enum MHD_Result http_request_read(struct http_request *request, const char *data, size_t *size);
enum MHD_Result http_request_finish(struct http_request *request);
void http_request_end(struct http_request *request);

/* The connection is closed: with a reply that is owed the request waits for that. */
void http_request_leave(struct http_request *request);

/* For request.c and stream.c. */
void http_request_refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers);
bool http_request_is_replied(struct http_request *request);

/* Counts it as handed out; false: the server is closed. */
bool http_request_hand_out(struct http_request *request);

/* From here on, what changes is noticed by http_request_park. Returns the state. */
unsigned http_request_look(struct http_request *request);

/* Suspends the connection until something has changed since the last look. */
void http_request_park(struct http_request *request);
void http_request_wake(struct http_request *request);

/*
 * Gives the reply to the connection's thread; the request must not be touched afterwards. Returns the state
 * before.
 */
unsigned http_request_publish(struct http_request *request);

void http_request_add_headers(struct MHD_Response *response, const struct http_header *headers);

/* Has the time of a peer whose turn it is begin again. */
void http_request_await_peer(struct http_request *request);

void http_stream_begin(struct http_request *request);

/* Takes what fits, and waits where that is not all. False: nobody wants it, and the reply is there. */
bool http_stream_read(struct http_request *request, const char *data, size_t *size);

/* Ends both directions; what is not complete breaks. False: there is no reply yet. */
bool http_stream_end(struct http_request *request);

/* The same for a reply that came too late, to a request that no other thread knows any more. */
void http_stream_forget(struct http_request *request);

/* What there is of a reply; false: that is not all of it. */
bool http_stream_rest(struct http_request *request, struct buf *rest);

/* Breaks all streams, with the server's lock. */
void http_streams_break(struct http_server *server);

#endif
