#include "http/request.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"

enum {
	/* Trusted from Content-Length before any of it came; beyond, the buffer grows with the body. */
	FIRST_BODY_BYTES = 256 << 10,
	LAST_WORD_MAX_BYTES = 64 << 10,
};

const struct http_header http_retry_soon[] = { { MHD_HTTP_HEADER_RETRY_AFTER, "5" },
	{ NULL, NULL } };

static bool is_replied(struct http_request *request)
{
	return atomic_load(&request->state) == REPLIED;
}

static void refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		headers = http_retry_soon;
	buf_done(&request->body);
	if (request->server->options.refuse)
		request->server->options.refuse(request, status, why, headers);
	else
		http_reply(request, status, "text/plain", bytes_of(why), headers);
	assert(is_replied(request));
}

static bool paths_equal(const char *route, const char *path)
{
	size_t len = strlen(route);
	return strncmp(route, path, len) == 0 &&
		(!path[len] || (path[len] == '/' && !path[len + 1]));
}

/* Refuses with 404, or with 405 and what would be allowed. */
static const struct http_route *find_route(struct http_request *request, const char *method)
{
	const struct http_server_options *options = &request->server->options;
	char allow[128] = "";
	size_t len = 0;
	for (size_t i = 0; i < options->route_count; i++) {
		const struct http_route *route = &options->routes[i];
		if (!paths_equal(route->path, request->path))
			continue;
		if (strcmp(route->method, method) == 0)
			return route;
		if (len < sizeof allow)
			len += (size_t)snprintf(allow + len, sizeof allow - len, "%s%s",
				len ? ", " : "", route->method);
	}
	if (len)
		refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed here",
			(const struct http_header[]){ { "Allow", allow }, { NULL, NULL } });
	else
		refuse(request, MHD_HTTP_NOT_FOUND, "nothing is served at this path", NULL);
	return NULL;
}

enum framing {
	FRAMING_PLAIN, /* Content-Length or no body */
	FRAMING_CHUNKED,
	FRAMING_UNCLEAR, /* where the body ends is open to opinion: request smuggling */
};

static enum framing find_framing(const struct http_request *request, uint64_t *ret_length)
{
	const char *length = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *transfer = http_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
	*ret_length = length ? strtoull(length, NULL, 10) :
			       0; /* libmicrohttpd has refused other than digits */
	if (!transfer)
		return FRAMING_PLAIN;
	return length || strcasecmp(transfer, "chunked") != 0 ? FRAMING_UNCLEAR : FRAMING_CHUNKED;
}

/* So much is read and thrown away, for the sake of senders that look for a reply only after sending. */
static uint64_t drain_bytes(const struct http_request *request)
{
	return 2 * (uint64_t)request->server->options.max_body_bytes;
}

static enum MHD_Result queue_reply(struct http_request *request)
{
	struct MHD_Response *response = request->response;
	if (!response)
		return MHD_NO;
	atomic_store(&request->due_ms,
		clock_monotonic_ms() + request->server->options.request_timeout_ms);
	if (atomic_load(&request->server->stopping))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return MHD_queue_response(request->connection, request->status, response);
}

static void check_headers(
	struct http_request *request, const char *method, enum framing framing, uint64_t length)
{
	const struct http_server_options *options = &request->server->options;
	if (framing == FRAMING_UNCLEAR) {
		refuse(request, MHD_HTTP_BAD_REQUEST,
			"either Content-Length or chunked Transfer-Encoding is needed", NULL);
		return;
	}
	request->route = find_route(request, method);
	if (!request->route)
		return;
	if (request->route->begin)
		request->route->begin(request, request->route->owner);
	if (is_replied(request))
		return;
	if (length > options->max_body_bytes) {
		refuse(request, MHD_HTTP_CONTENT_TOO_LARGE,
			"the body is larger than this server takes", NULL);
		return;
	}
	buf_init(&request->body, options->max_body_bytes, options->budget);
	if (length &&
		!buf_reserve(&request->body, length < FIRST_BODY_BYTES ? length : FIRST_BODY_BYTES))
		refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "other requests hold the memory",
			NULL);
}

enum MHD_Result http_request_begin(
	struct http_request *request, const char *method, const char *path)
{
	struct http_server *server = request->server;
	pthread_mutex_lock(&server->lock);
	server->in_progress++;
	pthread_mutex_unlock(&server->lock);

	atomic_store(&request->state, AWAITED);
	atomic_store(&request->due_ms, clock_monotonic_ms() + server->options.request_timeout_ms);
	request->path = path;

	uint64_t length;
	enum framing framing = find_framing(request, &length);
	check_headers(request, method, framing, length);
	if (!is_replied(request))
		return MHD_YES;

	/*
	 * A reply queued now makes libmicrohttpd close the connection without reading on. That is right
	 * when the body would not come, has no end, or is too long to be thrown away. Otherwise the reply
	 * waits for the end of the body, and the connection stays usable.
	 */
	bool now = framing == FRAMING_UNCLEAR || length > drain_bytes(request) ||
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

/*
 * Replies past libmicrohttpd, which takes no reply in the middle of a body, for a connection that is
 * closed next. What has arrived is thrown away, because closing a socket with unread bytes sends a
 * reset, which can overtake the reply.
 */
static void say_last_word(struct http_request *request)
{
	if (!request->response)
		return;
	struct buf word;
	buf_init(&word, LAST_WORD_MAX_BYTES, NULL);
	buf_printf(&word, "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: %zu\r\n",
		request->status, MHD_get_reason_phrase_for(request->status),
		request->reply_body.len);
	MHD_get_response_headers(request->response, append_header, &word);
	buf_text(&word, "\r\n");
	buf_append(&word, request->reply_body.at, request->reply_body.len);
	if (!word.error && send(request->fd, word.at, word.len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
		shutdown(request->fd, SHUT_WR);
		recv(request->fd, NULL, drain_bytes(request), MSG_DONTWAIT | MSG_TRUNC);
	}
	buf_done(&word);
}

enum MHD_Result http_request_read(struct http_request *request, const char *data, size_t *size)
{
	size_t len = *size;
	*size = 0;
	bool late = clock_monotonic_ms() > atomic_load(&request->due_ms);
	if (!is_replied(request)) {
		buf_append(&request->body, data, len);
		if (late)
			refuse(request, MHD_HTTP_REQUEST_TIMEOUT,
				"the request took too long to arrive", NULL);
		else if (request->body.error == -E2BIG)
			refuse(request, MHD_HTTP_CONTENT_TOO_LARGE,
				"the body is larger than this server takes", NULL);
		else if (request->body.error)
			refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				"other requests hold the memory", NULL);
		else
			return MHD_YES;
	}
	request->dropped_bytes += len;
	if (!late && request->dropped_bytes <= drain_bytes(request))
		return MHD_YES;
	say_last_word(request);
	return MHD_NO;
}

static bool hand_out(struct http_request *request)
{
	struct http_server *server = request->server;
	pthread_mutex_lock(&server->lock);
	bool open = !server->closed;
	server->handed_out += open;
	pthread_mutex_unlock(&server->lock);
	return open;
}

enum MHD_Result http_request_finish(struct http_request *request)
{
	if (!is_replied(request) && !request->is_handed_out) {
		atomic_store(&request->due_ms, 0);
		request->is_handed_out = hand_out(request);
		if (request->is_handed_out) {
			struct bytes body =
				request->body.at ? buf_bytes(&request->body) : bytes_of("");
			request->route->handle(request, body, request->route->owner);
		} else {
			refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping",
				NULL);
		}
	}
	if (is_replied(request))
		return queue_reply(request);

	/* Suspended before anybody may resume it; a reply that came in between leaves that to us. */
	MHD_suspend_connection(request->connection);
	int awaited = AWAITED;
	if (!atomic_compare_exchange_strong(&request->state, &awaited, SUSPENDED))
		MHD_resume_connection(request->connection);
	return MHD_YES;
}

void http_request_end(struct http_request *request)
{
	struct http_server *server = request->server;
	if (request->response)
		MHD_destroy_response(request->response);
	buf_done(&request->body);
	if (request->owned)
		request->free_owned(request->owned);
	request->response = NULL;
	request->owned = NULL;
	request->route = NULL;
	request->is_handed_out = false;
	request->dropped_bytes = 0;
	atomic_store(&request->due_ms,
		clock_monotonic_ms() + server->options.idle_timeout_ms +
			server->options.request_timeout_ms);

	pthread_mutex_lock(&server->lock);
	if (--server->in_progress == 0)
		pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
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
	for (; headers && headers->name; headers++)
		MHD_add_response_header(response, headers->name, headers->value);
	*ret_body = (struct bytes){ copy, body.len };
	return response;
}

void http_reply(struct http_request *request, unsigned status, const char *content_type,
	struct bytes body, const struct http_header *headers)
{
	struct http_server *server = request->server;
	bool was_handed_out = request->is_handed_out;
	request->status = status;
	request->response = make_response(content_type, body, headers, &request->reply_body);

	/* From the exchange on, the connection's thread may finish the request and even the connection. */
	struct MHD_Connection *connection = request->connection;
	int before = atomic_exchange(&request->state, REPLIED);
	assert(before != REPLIED);
	if (before == SUSPENDED)
		MHD_resume_connection(connection);
	if (!was_handed_out)
		return;
	pthread_mutex_lock(&server->lock);
	if (--server->handed_out == 0)
		pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
}

const char *http_request_path(const struct http_request *request)
{
	return request->path;
}

const char *http_request_argument(const struct http_request *request, const char *name)
{
	const char *value = NULL;
	enum MHD_Result found = MHD_lookup_connection_value_n(
		request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, NULL);
	return found == MHD_YES && !value ? "" : value;
}

struct argument_search {
	const char *const *known;
	const char *odd;
};

static enum MHD_Result search_argument(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	(void)value;
	struct argument_search *search = arg;
	for (const char *const *known = search->known; *known; known++)
		if (strcmp(*known, name) == 0)
			return MHD_YES;
	search->odd = name;
	return MHD_NO;
}

const char *http_request_odd_argument(const struct http_request *request, const char *const *known)
{
	struct argument_search search = { .known = known };
	MHD_get_connection_values(
		request->connection, MHD_GET_ARGUMENT_KIND, search_argument, &search);
	return search.odd;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct word_search {
	const char *header;
	const char *word;
	bool found;
};

static enum MHD_Result search_line(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	static const char between[] = " \t,;";
	struct word_search *search = arg;
	if (!value || strcasecmp(name, search->header) != 0)
		return MHD_YES;
	size_t len = strlen(search->word);
	for (const char *at = value; *(at += strspn(at, between)); at += strcspn(at, between))
		if (strcspn(at, between) == len && strncasecmp(at, search->word, len) == 0)
			search->found = true;
	return search->found ? MHD_NO : MHD_YES;
}

bool http_request_has_word(const struct http_request *request, const char *header, const char *word)
{
	struct word_search search = { .header = header, .word = word };
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, search_line, &search);
	return search.found;
}

void http_request_own(struct http_request *request, void *owned, void (*free_owned)(void *owned))
{
	assert(!request->owned);
	request->owned = owned;
	request->free_owned = free_owned;
}
