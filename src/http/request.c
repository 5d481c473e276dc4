#include "http/request.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/head.h"
#include "http/tls.h"

enum {
	/* Trusted from Content-Length before any of it came; beyond, the buffer grows with the body. */
	FIRST_BODY_BYTES = 256 << 10,
	LAST_WORD_MAX_BYTES = 64 << 10,
};

const struct http_header http_retry_soon[] = { { MHD_HTTP_HEADER_RETRY_AFTER, "5" },
	{ NULL, NULL } };

bool http_request_is_replied(struct http_request *request)
{
	return atomic_load(&request->state) & REPLIED;
}

void http_request_await_peer(struct http_request *request)
{
	atomic_store(&request->due_ms,
		clock_monotonic_ms() + request->server->options.request_timeout_ms);
}

void http_request_refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		headers = http_retry_soon;
	buf_done(&request->body);
	if (request->server->options.refuse)
		request->server->options.refuse(request, status, why, headers);
	else
		http_reply(request, status, "text/plain", bytes_of(why), headers);
	assert(http_request_is_replied(request));
}

static bool path_is_of(const char *route, const char *path)
{
	size_t len = strlen(route);
	bool has_below = len > 1 && route[len - 1] == '/';
	len -= has_below;
	const char *rest = path + len;
	return strncmp(route, path, len) == 0 &&
		(!*rest || (*rest == '/' && (has_below || !rest[1])));
}

/* Refuses with 404, or with 405 and what would be allowed. */
static const struct http_route *find_route(struct http_request *request)
{
	const struct http_server_options *options = &request->server->options;
	char allow[128] = "";
	size_t len = 0;
	for (size_t i = 0; i < options->route_count; i++) {
		const struct http_route *route = &options->routes[i];
		if (!path_is_of(route->path, request->path))
			continue;
		if (!route->method || strcmp(route->method, request->method) == 0)
			return route;
		if (len < sizeof allow)
			len += (size_t)snprintf(allow + len, sizeof allow - len, "%s%s",
				len ? ", " : "", route->method);
	}
	if (len)
		http_request_refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed here",
			(const struct http_header[]){ { "Allow", allow }, { NULL, NULL } });
	else
		http_request_refuse(
			request, MHD_HTTP_NOT_FOUND, "nothing is served at this path", NULL);
	return NULL;
}

/* So much is read and thrown away, for the sake of senders that look for a reply only after sending. */
static int64_t drain_bytes(const struct http_request *request)
{
	return 2 * (int64_t)request->server->options.max_body_bytes;
}

static enum MHD_Result queue_reply(struct http_request *request)
{
	struct MHD_Response *response = request->response;
	if (!response)
		return MHD_NO;
	http_request_await_peer(request);
	if (atomic_load(&request->server->stopping))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return MHD_queue_response(request->connection, request->status, response);
}

static bool is_let_in(struct http_request *request)
{
	const struct http_server_options *options = &request->server->options;
	const char *why = NULL;
	const struct http_header *headers = NULL;
	unsigned status =
		options->admit ? options->admit(request, options->admit_owner, &why, &headers) : 0;
	if (status)
		http_request_refuse(request, status, why, headers);
	return status == 0;
}

static void begin_body(struct http_request *request)
{
	const struct http_server_options *options = &request->server->options;
	size_t length = request->length > 0 ? (size_t)request->length : 0;
	if (length > options->max_body_bytes) {
		http_request_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE,
			"the body is larger than this server takes", NULL);
		return;
	}
	buf_init(&request->body, options->max_body_bytes, options->budget);
	if (length &&
		!buf_reserve(&request->body, length < FIRST_BODY_BYTES ? length : FIRST_BODY_BYTES))
		http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
			"other requests hold the memory", NULL);
}

static void begin_route(struct http_request *request)
{
	request->route = is_let_in(request) ? find_route(request) : NULL;
	if (!request->route)
		return;
	if (request->route->begin)
		request->route->begin(request, request->route->owner);
	if (http_request_is_replied(request))
		return;
	if (request->route->stream)
		http_stream_begin(request);
	else
		begin_body(request);
}

void http_request_aim(struct http_request *request, const char *target)
{
	struct buf *text = &request->target;
	text->len = 0;
	request->target_len = strlen(target);
	buf_append(text, target, request->target_len + 1);
	size_t path = text->len;
	request->fault = http_target_path(target, text);
	request->path = request->fault ? "/" : (const char *)text->at + path;
}

enum MHD_Result http_request_begin(
	struct http_request *request, const char *method, const char *version)
{
	struct http_server *server = request->server;
	pthread_mutex_lock(&server->lock);
	server->in_progress++;
	server->begun++;
	request->is_begun = true;
	pthread_mutex_unlock(&server->lock);

	atomic_store(&request->state, 0);
	http_request_await_peer(request);
	request->method = method;
	request->is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	request->knows_chunks = strcmp(version, MHD_HTTP_VERSION_1_0) != 0;

	struct http_framing framing;
	const char *why = http_head_check(
		request->connection, method, request->target_len, version, &framing);
	request->length = framing.length;
	if (why || request->fault)
		http_request_refuse(
			request, MHD_HTTP_BAD_REQUEST, why ? why : request->fault, NULL);
	else
		begin_route(request);
	/* The body of a stream has its reader, however early the reply began. */
	if (!http_request_is_replied(request) || request->reply_flow)
		return MHD_YES;

	/*
	 * A reply queued now makes libmicrohttpd close the connection without reading on. That is right
	 * when the body would not come, has no end, or is too long to be thrown away. Otherwise the reply
	 * waits for the end of the body, and the connection stays usable.
	 */
	bool now = framing.is_unclear || request->length > drain_bytes(request) ||
		http_request_has_word(request, MHD_HTTP_HEADER_EXPECT, "100-continue");
	return now ? queue_reply(request) : MHD_YES;
}

static enum MHD_Result append_header(
	void *out, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	buf_printf(out, "%s: %s\r\n", name, value);
	return MHD_YES;
}

static bool send_past_library(struct http_request *request, struct bytes word)
{
	if (request->server->options.certificate)
		return http_tls_send_last(request->connection, word);
	return send(request->fd, word.at, word.len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

/*
 * Replies past libmicrohttpd, which takes no reply in the middle of a body, for a connection that is
 * closed next. What has arrived is thrown away, because closing a socket with unread bytes sends a
 * reset, which can overtake the reply.
 */
static void say_last_word(struct http_request *request)
{
	if (!request->response)
		return;
	struct buf word, body;
	buf_init(&word, LAST_WORD_MAX_BYTES, NULL);
	buf_init(&body, LAST_WORD_MAX_BYTES, NULL);
	buf_append(&body, request->reply_body.at, request->reply_body.len);
	bool is_whole = http_stream_rest(request, &body);
	buf_printf(&word, "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: %zu\r\n",
		request->status, MHD_get_reason_phrase_for(request->status), body.len);
	MHD_get_response_headers(request->response, append_header, &word);
	buf_text(&word, "\r\n");
	buf_append(&word, body.at, body.len);
	if (is_whole && !word.error && send_past_library(request, buf_bytes(&word))) {
		shutdown(request->fd, SHUT_WR);
		recv(request->fd, NULL, (size_t)drain_bytes(request), MSG_DONTWAIT | MSG_TRUNC);
	}
	buf_done(&word);
	buf_done(&body);
}

static bool is_late(struct http_request *request)
{
	return clock_monotonic_ms() > atomic_load(&request->due_ms);
}

static void keep(struct http_request *request, const char *data, size_t len)
{
	buf_append(&request->body, data, len);
	if (is_late(request))
		http_request_refuse(request, MHD_HTTP_REQUEST_TIMEOUT,
			"the request took too long to arrive", NULL);
	else if (request->body.error == -E2BIG)
		http_request_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE,
			"the body is larger than this server takes", NULL);
	else if (request->body.error)
		http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
			"other requests hold the memory", NULL);
}

enum MHD_Result http_request_read(struct http_request *request, const char *data, size_t *size)
{
	if (request->body_flow && http_stream_read(request, data, size))
		return MHD_YES;
	if (!http_request_is_replied(request)) {
		keep(request, data, *size);
		if (!http_request_is_replied(request)) {
			*size = 0;
			return MHD_YES;
		}
	}
	if (!atomic_load(&request->due_ms))
		http_request_await_peer(request);
	request->dropped_bytes += (int64_t)*size;
	*size = 0;
	if (request->dropped_bytes <= drain_bytes(request) && !is_late(request))
		return MHD_YES;
	say_last_word(request);
	return MHD_NO;
}

bool http_request_hand_out(struct http_request *request)
{
	struct http_server *server = request->server;
	pthread_mutex_lock(&server->lock);
	request->is_handed_out = !server->closed;
	server->handed_out += request->is_handed_out;
	server->starting += request->is_handed_out && request->route->stream;
	pthread_mutex_unlock(&server->lock);
	return request->is_handed_out;
}

static void handle(struct http_request *request)
{
	struct bytes body = request->body.at ? buf_bytes(&request->body) : bytes_of("");
	atomic_store(&request->due_ms, 0);
	if (http_request_hand_out(request))
		request->route->handle(request, body, request->route->owner);
	else
		http_request_refuse(
			request, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping", NULL);
}

enum MHD_Result http_request_finish(struct http_request *request)
{
	if (request->body_flow) {
		flow_end(request->body_flow);
		request->is_body_whole = true;
	} else if (!http_request_is_replied(request) && !request->is_handed_out) {
		handle(request);
	}
	if (http_request_look(request) & REPLIED)
		return queue_reply(request);
	http_request_park(request);
	return MHD_YES;
}

unsigned http_request_look(struct http_request *request)
{
	return atomic_fetch_and(&request->state, ~(unsigned)(WOKEN | SUSPENDED));
}

void http_request_park(struct http_request *request)
{
	atomic_store(&request->due_ms, 0);
	/* Suspended before anybody may resume it; what came in between leaves that to us. */
	MHD_suspend_connection(request->connection);
	unsigned state = atomic_load(&request->state);
	while (!(state & WOKEN))
		if (atomic_compare_exchange_weak(&request->state, &state, state | SUSPENDED))
			return;
	MHD_resume_connection(request->connection);
}

/* From the change on, the connection's thread may finish the request, and even free it. */
static unsigned change(struct http_request *request, unsigned to)
{
	struct MHD_Connection *connection = request->connection;
	unsigned before = atomic_fetch_or(&request->state, to | WOKEN);
	if ((before & (SUSPENDED | WOKEN)) == SUSPENDED)
		MHD_resume_connection(connection);
	return before;
}

void http_request_wake(struct http_request *request)
{
	change(request, 0);
}

static void clear(struct http_request *request)
{
	if (request->response)
		MHD_destroy_response(request->response);
	buf_done(&request->body);
	if (request->owned)
		request->free_owned(request->owned);
	request->response = NULL;
	request->reply_body = (struct bytes){ 0 };
	request->owned = NULL;
	request->route = NULL;
	request->caller = NULL;
	request->is_handed_out = false;
	request->is_body_whole = false;
	request->dropped_bytes = 0;
}

void http_request_end(struct http_request *request)
{
	struct http_server *server = request->server;
	bool is_stream = request->is_handed_out && request->route->stream;
	request->is_owed = is_stream && !http_stream_end(request);
	if (!request->is_owed)
		clear(request);
	atomic_store(&request->due_ms,
		clock_monotonic_ms() + server->options.idle_timeout_ms +
			server->options.request_timeout_ms);

	pthread_mutex_lock(&server->lock);
	request->is_begun = false;
	if (--server->in_progress == 0)
		pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
}

static void free_request(struct http_request *request)
{
	http_stream_forget(request);
	clear(request);
	buf_done(&request->target);
	free(request);
}

void http_request_leave(struct http_request *request)
{
	unsigned before = request->is_owed ? atomic_fetch_or(&request->state, GONE) : REPLIED;
	if (before & REPLIED)
		free_request(request);
}

void http_request_add_headers(struct MHD_Response *response, const struct http_header *headers)
{
	for (; headers && headers->name; headers++)
		/* An empty value would be refused. */
		MHD_add_response_header(
			response, headers->name, *headers->value ? headers->value : " ");
}

static struct MHD_Response *make_response(const char *content_type, struct bytes body,
	const struct http_header *headers, struct bytes *ret_body)
{
	uint8_t *copy = malloc(body.len ? body.len : 1);
	if (!copy)
		return NULL;
	if (body.len)
		memcpy(copy, body.at, body.len);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body.len, copy, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(copy);
		return NULL;
	}
	if (content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	http_request_add_headers(response, headers);
	*ret_body = (struct bytes){ copy, body.len };
	return response;
}

unsigned http_request_publish(struct http_request *request)
{
	struct http_server *server = request->server;
	bool was_handed_out = request->is_handed_out;
	unsigned before = change(request, REPLIED);
	assert(!(before & REPLIED));
	if (before & GONE)
		free_request(request);
	if (was_handed_out) {
		pthread_mutex_lock(&server->lock);
		if (--server->handed_out == 0)
			pthread_cond_broadcast(&server->changed);
		pthread_mutex_unlock(&server->lock);
	}
	return before;
}

void http_reply(struct http_request *request, unsigned status, const char *content_type,
	struct bytes body, const struct http_header *headers)
{
	request->status = status;
	request->response = make_response(content_type, body, headers, &request->reply_body);
	http_request_publish(request);
}
