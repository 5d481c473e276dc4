/*
 * One request on its way through, between proxy.c, which owns the thread, and the two manners of taking one
 * through: stream.c as it comes, post.c whole. Nobody else includes this.
 *
 * A relay is opened in a server's thread and handed over; from then on it belongs to the proxy's thread, until
 * it is closed, once, after its request was replied to.
 */
#ifndef TG_PROXY_RELAY_H
#define TG_PROXY_RELAY_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/upstream.h"
#include "proxy/proxy.h"

struct copies;
struct relay;

enum { COPY_MAX_BYTES = 1 << 20 }; /* of one prompt */

/* Whose keys a request gets. */
struct project {
	const char *lane;
	char *public_key, *authorization; /* guarded by proxy->lock */
	_Atomic uint64_t owed_below;      /* its events on disk have smaller sequences */
};

struct family_counts {
	_Atomic uint64_t ended[PASSAGE_COUNT];
	_Atomic uint64_t last_ns;
	_Atomic int last_status;
};

struct proxy {
	struct proxy_options options;
	char *base_url;           /* of Langfuse; NULL: nothing is passed through */
	const char *why_closed;   /* where base_url is NULL */
	struct project *projects; /* the default one first */
	size_t project_count;
	struct http_header *added; /* that the destination's configuration adds; guarded by lock */
	pthread_mutex_t lock;

	struct upstream *upstream; /* of the proxy's thread, as all up to the inbox */
	struct copies *copies;     /* NULL: none are kept */
	struct relay *relays;      /* that are on their way */

	struct relay *_Atomic inbox; /* new ones, and those with a flow that has moved */
	atomic_bool stops;
	_Atomic uint64_t deadline_ms; /* of stopping */
	_Atomic uint64_t open;        /* relays */
	struct family_counts families[FAMILY_COUNT];
};

/* How a relay is taken through; all in the proxy's thread. */
struct manner {
	void (*start)(struct relay *relay);
	void (*moved)(struct relay *relay);     /* one of its flows */
	void (*break_off)(struct relay *relay); /* the proxy stops: it has to be closed now */
	void (*free)(struct relay *relay);
};

struct relay {
	const struct manner *manner;
	struct proxy *proxy;
	struct project *project;
	enum request_family family;
	struct http_request *request; /* NULL once it is replied to */
	struct upstream_request asked;
	struct upstream_call *call; /* NULL: none is on its way */
	enum passage passage;       /* as it is replied to */

	struct relay *next, **link; /* in proxy->relays; link is NULL while it is not there */
	struct relay *next_in_inbox;
	atomic_bool is_in_inbox;
	bool is_closed;
};

/*
 * Made of a request for Langfuse, with what will be asked of it: method, URL and headers.
 *
 *   relay      the first member of what the manner frees; cleared. Freed on failure.
 *   left_out   a header that does not go on; NULL for none
 *
 * False: the request is replied to.
 */
bool relay_open(struct relay *relay, const struct manner *manner, struct proxy *proxy,
	struct http_request *request, const char *left_out);

/* Where a request goes at Langfuse, ended by NUL; the buffer is begun here, and has the error. */
void relay_make_url(const struct proxy *proxy, const struct http_request *request, struct buf *url);

/* Puts it into the proxy's inbox, when it is new and whenever one of its flows moves. From any thread. */
void relay_wake(struct relay *relay);
void relay_flow_moved(void *relay);

/* Asks Langfuse. False: it cannot be asked that, and the request is replied to. */
bool relay_ask(struct relay *relay);

/* It is not in the proxy's list any more: another thread goes on with it. */
void relay_leave_thread(struct relay *relay);

/* The end: counts it, and frees it with the manner's `free`. It must not be touched afterwards. */
void relay_close(struct relay *relay);

/* Notes what Langfuse said, or that it said nothing whole; with a log line now and then where that is a fault. */
void relay_note_status(struct relay *relay, int status);
void relay_note_failure(struct relay *relay, enum http_outcome outcome, const char *error);

/* Replies, where no answer is to be had of Langfuse: 502 or 504. */
void relay_fail(struct relay *relay, enum http_outcome outcome);

/* Replies with an error of our own. */
void relay_refuse(struct relay *relay, unsigned status, const char *why);

/* Replies to a client that has left, because every request is replied to. */
void relay_depart(struct relay *relay);

/* Status of an answer that is as good as none: later it may be another one. */
bool is_away(int status);

/* The project's keys are. */
bool is_refused(int status);

#endif
