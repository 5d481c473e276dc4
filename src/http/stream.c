#include "http/request.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
	REPLY_BLOCK_BYTES = 32 << 10, /* of a reply with a length, between flow and socket */
	DEPARTED_AT_ONCE = 64,
};

static void on_moved(void *request)
{
	http_request_wake(request);
}

/* False: no memory for the flow. */
static bool open_body(struct http_request *request)
{
	const struct http_server_options *options = &request->server->options;
	if (!request->length)
		return true;
	struct flow *body = flow_new(options->flow_bytes, options->budget);
	if (!body)
		return false;
	flow_watch(body, FLOW_WRITER, on_moved, request);
	pthread_mutex_lock(&request->server->lock);
	request->body_flow = body;
	pthread_mutex_unlock(&request->server->lock);
	return true;
}

static void start(struct http_request *request)
{
	if (!open_body(request)) {
		http_request_refuse(
			request, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory for the body", NULL);
		return;
	}
	/* Once: what departs stays departed. */
	struct epoll_event departure = { .events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = request };
	epoll_ctl(request->server->departures, EPOLL_CTL_ADD, request->fd, &departure);
	request->route->stream(request, request->body_flow, request->route->owner);
}

void http_stream_begin(struct http_request *request)
{
	struct http_server *server = request->server;
	if (!http_request_hand_out(request)) {
		http_request_refuse(
			request, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping", NULL);
		return;
	}
	start(request);
	pthread_mutex_lock(&server->lock);
	if (--server->starting == 0)
		pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
}

bool http_stream_read(struct http_request *request, const char *data, size_t *size)
{
	bool is_replied = http_request_look(request) & REPLIED;
	/* A reply that is whole says enough of what its owner wants with the rest. */
	if (is_replied && !request->reply_flow)
		flow_break(request->body_flow);
	ssize_t taken = flow_write(request->body_flow, data, *size);
	if (taken < 0) {
		if (is_replied)
			return false;
		/* Without memory for it as without a reader, the reply is all that is left. */
		flow_break(request->body_flow);
		taken = 0;
	}
	*size -= (size_t)taken;
	if (*size)
		http_request_park(request);
	/* With the reply there, whoever reads has no more time than the peer. */
	if (!*size || is_replied)
		http_request_await_peer(request);
	return true;
}

/* They would wait in the kernel for the body, a fifth of a second, and that one may be longer in coming. */
static void push_headers(struct http_request *request)
{
	const int on = 1;
	setsockopt(request->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* A body that ends with its connection would look whole if that were closed as always. */
static void reset(struct http_request *request)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	connect(request->fd, &nobody, sizeof nobody);
}

static ssize_t read_reply(void *arg, uint64_t position, char *to, size_t max)
{
	struct http_request *request = arg;
	/* However long it takes; that the peer takes nothing for long, libmicrohttpd sees by itself. */
	atomic_store(&request->due_ms, 0);
	http_request_look(request);
	ssize_t got = flow_read(request->reply_flow, to, max);
	if (got == FLOW_NOTHING_YET) {
		if (!position)
			push_headers(request);
		http_request_park(request);
		return 0;
	}
	if (got == FLOW_BROKEN) {
		if (request->reply_length < 0 && !request->knows_chunks)
			reset(request);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	request->is_reply_read =
		got == FLOW_ENDED || position + (uint64_t)got == (uint64_t)request->reply_length;
	return got == FLOW_ENDED ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

/* libmicrohttpd ends a reply in chunks with the last one even where no body may be. */
static struct MHD_Response *make_response(
	struct http_request *request, const struct http_header *headers, bool is_bodiless)
{
	uint64_t size =
		request->reply_length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)request->reply_length;
	struct MHD_Response *response = MHD_create_response_from_callback(
		size, REPLY_BLOCK_BYTES, read_reply, request, NULL);
	if (!response)
		return NULL;
	if (is_bodiless && size == MHD_SIZE_UNKNOWN)
		MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	http_request_add_headers(response, headers);
	return response;
}

void http_reply_stream(struct http_request *request, unsigned status,
	const struct http_header *headers, struct flow *body, int64_t length)
{
	bool is_bodiless = request->is_head || status == MHD_HTTP_NO_CONTENT ||
		status == MHD_HTTP_NOT_MODIFIED;
	if (status == MHD_HTTP_NO_CONTENT || (!body && !is_bodiless))
		length = 0;
	request->status = status;
	request->reply_length = length;
	request->is_reply_read = is_bodiless || length == 0;
	request->response = make_response(request, headers, is_bodiless);
	if (body) {
		request->reply_flow = flow_hold(body);
		flow_watch(body, FLOW_READER, on_moved, request);
	}
	unsigned before = http_request_publish(request);
	if (body && before & DEPARTED)
		flow_break(body);
}

bool http_stream_rest(struct http_request *request, struct buf *rest)
{
	enum { PIECE_BYTES = 4096 };
	ssize_t got = 1;
	while (request->reply_flow && !request->is_reply_read && got > 0) {
		uint8_t *to = buf_reserve(rest, PIECE_BYTES);
		got = to ? flow_read(request->reply_flow, to, PIECE_BYTES) : FLOW_BROKEN;
		if (got > 0)
			rest->len += (size_t)got;
		request->is_reply_read =
			got == FLOW_ENDED || rest->len == (size_t)request->reply_length;
	}
	return !request->reply_flow || request->is_reply_read;
}

static void close_flow(struct flow *flow, enum flow_side side, bool is_complete)
{
	if (!flow)
		return;
	flow_watch(flow, side, NULL, NULL);
	if (!is_complete)
		flow_break(flow);
	flow_release(flow);
}

bool http_stream_end(struct http_request *request)
{
	struct http_server *server = request->server;
	/* Out of reach of other threads first: whoever is told of a break may look at nothing here. */
	pthread_mutex_lock(&server->lock);
	epoll_ctl(server->departures, EPOLL_CTL_DEL, request->fd, NULL);
	bool is_replied = http_request_is_replied(request);
	struct flow *body = request->body_flow;
	struct flow *reply = is_replied ? request->reply_flow : NULL;
	request->body_flow = NULL;
	if (is_replied)
		request->reply_flow = NULL;
	else
		atomic_fetch_or(&request->state, DEPARTED);
	pthread_mutex_unlock(&server->lock);
	/* A reply that is over before its request was read leaves the rest of that to the reader. */
	close_flow(body, FLOW_WRITER, reply && request->is_body_whole);
	close_flow(reply, FLOW_READER, is_replied && request->is_reply_read);
	return is_replied;
}

void http_stream_forget(struct http_request *request)
{
	close_flow(request->reply_flow, FLOW_READER, false);
	request->reply_flow = NULL;
}

/* With the server's lock. */
static void break_flows(struct http_request *request)
{
	if (request->body_flow)
		flow_break(request->body_flow);
	unsigned before = atomic_fetch_or(&request->state, DEPARTED);
	if (before & REPLIED && request->reply_flow)
		flow_break(request->reply_flow);
}

int http_server_departures(const struct http_server *server)
{
	return server->departures;
}

unsigned http_server_drop_departed(struct http_server *server)
{
	struct epoll_event departed[DEPARTED_AT_ONCE];
	/* With the lock no stream ends, so that these are still there. */
	pthread_mutex_lock(&server->lock);
	int count = epoll_wait(server->departures, departed, DEPARTED_AT_ONCE, 0);
	for (int i = 0; i < count; i++)
		break_flows(departed[i].data.ptr);
	pthread_mutex_unlock(&server->lock);
	return count > 0 ? (unsigned)count : 0;
}

bool http_request_is_departed(const struct http_request *request)
{
	return atomic_load(&request->state) & DEPARTED;
}

void http_streams_break(struct http_server *server)
{
	for (struct http_request *request = server->requests; request; request = request->next)
		break_flows(request);
}
