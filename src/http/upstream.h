/*
 * HTTP requests of one thread that pass through as they come, both ways, many at a time: the proxy's side of a
 * curl multi handle.
 *
 * Bodies go in pieces, none is kept; a side that does not keep up holds up its own request alone. Redirects
 * and cookies are the caller's, certificates are always verified, connections are kept and used again.
 */
#ifndef TG_HTTP_UPSTREAM_H
#define TG_HTTP_UPSTREAM_H

#include "base/bytes.h"
#include "http/client.h"
#include "http/flow.h"
#include "http/server.h"

struct upstream;
struct upstream_call;

struct upstream_options {
	const char *ca_file;  /* NULL: the system's */
	unsigned connections; /* in use and kept; above, those not in use are closed */
	uint64_t connect_timeout_ms;
};

/* What came back before its body; until on_head returns. */
struct upstream_head {
	int status;
	const struct http_header *headers; /* in their order, NULL at the end; all of them */
	int64_t length;                    /* of the body, as the peer says; -1 when it does not */
	char retry_after[HTTP_RETRY_AFTER_MAX]; /* empty without */
};

/* How a call is told what happens; all in the thread of upstream_run, never from upstream_begin. */
struct upstream_listener {
	/*
	 * The final status and headers. Returns where the body goes, which the call holds for itself until it
	 * ends it or breaks it; NULL: the body is read and forgotten.
	 */
	struct flow *(*on_head)(void *owner, const struct upstream_head *head);

	/* A piece of the body, as it goes into the flow or is forgotten. May be NULL. */
	void (*on_body)(void *owner, struct bytes piece);

	/*
	 * Once, last; the call is gone. HTTP_ANSWERED after a whole answer; otherwise on_head may have been
	 * called, and the flow is broken already.
	 *
	 *   error  static words; NULL when answered
	 */
	void (*on_end)(void *owner, enum http_outcome outcome, const char *error);
};

struct upstream_request {
	const char *method;
	const char *url;              /* sent as it is: dots and escapes are the caller's; copied */
	struct http_headers *headers; /* kept until the end; Host and framing are added */
	struct bytes body;            /* whole, and lives until the end; where body_flow is NULL */
	struct flow *body_flow;       /* held until the end, then broken if not read to its own */
	int64_t length;               /* of the flow; -1: chunked */
	uint64_t head_timeout_ms;     /* from the start to the head; 0: none */
	uint64_t silence_timeout_ms;  /* of the peer, while it is its turn; 0: none */
	const struct upstream_listener *listener;
	void *owner;
};

int upstream_new(const struct upstream_options *options, struct upstream **ret_upstream);

/* Ends all calls; nobody is told, their flows are broken. */
void upstream_free(struct upstream *upstream);

/*
 * 0, -EINVAL (URL, method, a body on HEAD), -ENOMEM; then nothing is told to the listener. Not from on_head or
 * on_body.
 *
 * What goes out is what `headers` say, Host and the framing of the body; POST, PUT and PATCH have one always.
 * A request is sent again when a kept connection turns out to be closed before the first byte of an answer,
 * unless some of its flow is gone by then.
 */
int upstream_begin(struct upstream *upstream, const struct upstream_request *request,
	struct upstream_call **ret_call);

/* Ends a call whose client has left: nobody is told, its flows are broken. Not from a listener. */
void upstream_cancel(struct upstream_call *call);

/* In place of what its request said, from now on. */
void upstream_allow_silence(struct upstream_call *call, uint64_t silence_timeout_ms);

/* One of the call's flows has moved: the next upstream_run goes on with it. */
void upstream_moved(struct upstream_call *call);

/*
 * Moves everything on and tells the listeners; waits until something happens, upstream_wake, or the time is
 * over.
 *
 *   fd  ends the wait too when it is readable; -1: none
 */
void upstream_run(struct upstream *upstream, uint64_t wait_ms, int fd);

/* Ends the wait of upstream_run, now or the next one. From any thread. */
void upstream_wake(struct upstream *upstream);

#endif
