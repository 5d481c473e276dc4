/* Bodies that are on their way: the test is the owner of streams, and each client's other end. */
#include "http/flow.h"
#include "http/server.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/http_peer.h"

enum { FLOW_BYTES = 64 << 10, STREAMS_MAX = 512, MAX_BODY = 100000 };

struct exchange {
	struct http_request *request;
	struct flow *body, *reply;
	int64_t length;
	sem_t moved;
};

/* Requests that came to a streamed route and wait for the test to take them. */
static struct {
	pthread_mutex_t lock;
	struct exchange *waiting[STREAMS_MAX];
	size_t count;
	sem_t came;
} streams = { .lock = PTHREAD_MUTEX_INITIALIZER };

static atomic_int freed;

static void set_up(void)
{
	sem_init(&streams.came, 0, 0);
}

TestSuite(http_stream, .init = set_up, .timeout = 120);

static void on_moved(void *exchange)
{
	sem_post(&((struct exchange *)exchange)->moved);
}

static bool await(sem_t *semaphore)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PEER_WAIT_MS / 1000;
	return sem_timedwait(semaphore, &until) == 0;
}

static void count_freed(void *owned)
{
	(void)owned;
	atomic_fetch_add(&freed, 1);
}

static void stream(struct http_request *request, struct flow *body, void *owner)
{
	struct exchange *exchange = calloc(1, sizeof *exchange);
	sem_init(&exchange->moved, 0, 0);
	exchange->request = request;
	exchange->length = http_request_length(request);
	exchange->body = body ? flow_hold(body) : NULL;
	http_request_own(request, owner ? owner : exchange, count_freed);
	if (body)
		flow_watch(body, FLOW_READER, on_moved, exchange);
	pthread_mutex_lock(&streams.lock);
	streams.waiting[streams.count++] = exchange;
	pthread_mutex_unlock(&streams.lock);
	sem_post(&streams.came);
}

static struct exchange *take_exchange(void)
{
	cr_assert(await(&streams.came));
	pthread_mutex_lock(&streams.lock);
	struct exchange *exchange = streams.waiting[--streams.count];
	pthread_mutex_unlock(&streams.lock);
	return exchange;
}

static void begin_reply(struct exchange *exchange, unsigned status, int64_t length)
{
	static const struct http_header headers[] = { { "X-From", "upstream" }, { "X-Empty", "" },
		{ NULL, NULL } };
	exchange->reply = flow_new(FLOW_BYTES, NULL);
	flow_watch(exchange->reply, FLOW_WRITER, on_moved, exchange);
	http_reply_stream(exchange->request, status, headers, exchange->reply, length);
}

static void exchange_free(struct exchange *exchange)
{
	if (exchange->body)
		flow_watch(exchange->body, FLOW_READER, NULL, NULL);
	if (exchange->reply)
		flow_watch(exchange->reply, FLOW_WRITER, NULL, NULL);
	flow_release(exchange->body);
	flow_release(exchange->reply);
	sem_destroy(&exchange->moved);
	free(exchange);
}

/* As flow_read, but waits. */
static ssize_t await_body(struct exchange *exchange, void *to, size_t max)
{
	ssize_t got;
	while ((got = flow_read(exchange->body, to, max)) == FLOW_NOTHING_YET)
		if (!await(&exchange->moved))
			break;
	return got;
}

static void write_all(struct exchange *exchange, const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len) {
		ssize_t taken = flow_write(exchange->reply, at, len);
		cr_assert_geq(taken, 0);
		at += taken;
		len -= (size_t)taken;
		if (len)
			cr_assert(await(&exchange->moved));
	}
}

static void say(struct exchange *exchange, const char *text)
{
	write_all(exchange, text, strlen(text));
}

static void echo(struct http_request *request, struct bytes body, void *owner)
{
	(void)owner;
	http_reply(request, 200, "text/plain", body, NULL);
}

static const struct http_route routes[] = {
	{ .method = "POST", .path = "/whole", .handle = echo },
	{ .method = "POST", .path = "/api/own", .handle = echo },
	{ .method = NULL, .path = "/api/", .stream = stream },
};

static struct http_server *start(struct http_server_options options)
{
	options.listen = "127.0.0.1:0";
	options.routes = routes;
	options.route_count = sizeof routes / sizeof routes[0];
	options.threads = 2;
	options.max_connections = 1024;
	options.flow_bytes = FLOW_BYTES;
	options.max_body_bytes = MAX_BODY;
	if (!options.request_timeout_ms)
		options.request_timeout_ms = 20000;
	if (!options.idle_timeout_ms)
		options.idle_timeout_ms = 60000;
	struct http_server *server = NULL;
	struct complaint complaint = { 0 };
	cr_assert_eq(http_server_start(&options, &server, &complaint), 0, "%s", complaint.text);
	return server;
}

static struct peer connected(struct http_server *server)
{
	struct peer peer;
	cr_assert(peer_open(&peer, http_server_port(server)));
	return peer;
}

static void post(struct peer *peer, const char *path, const char *body)
{
	cr_assert(peer_printf(peer, "POST %s HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n%s",
		path, strlen(body), body));
}

static void get(struct peer *peer, const char *path)
{
	cr_assert(peer_printf(peer, "GET %s HTTP/1.1\r\nHost: t\r\n\r\n", path));
}

/* Everything until the other side closes, or what came in time. */
static size_t receive_all(struct peer *peer, char *to, size_t max, int wait_ms)
{
	size_t len = 0;
	struct pollfd ready = { .fd = peer->fd, .events = POLLIN };
	while (len < max - 1 && poll(&ready, 1, wait_ms) > 0) {
		ssize_t got = recv(peer->fd, to + len, max - 1 - len, 0);
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	to[len] = '\0';
	return len;
}

/* Waits for a text to arrive. */
static void expect_text(struct peer *peer, const char *text)
{
	uint64_t start_ms = clock_monotonic_ms();
	for (;;) {
		peer->received[peer->len < sizeof peer->received ? peer->len : peer->len - 1] =
			'\0';
		if (strstr(peer->received, text))
			return;
		cr_assert_lt(clock_monotonic_ms() - start_ms, PEER_WAIT_MS, "no %s in %s", text,
			peer->received);
		struct pollfd ready = { .fd = peer->fd, .events = POLLIN };
		poll(&ready, 1, 100);
		ssize_t got = recv(peer->fd, peer->received + peer->len,
			sizeof peer->received - peer->len - 1, MSG_DONTWAIT);
		peer->len += got > 0 ? (size_t)got : 0;
	}
}

Test(http_stream, a_body_is_passed_on_before_it_has_ended_and_so_is_the_reply)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	char got[64];
	peer_send_text(&peer,
		"POST /api/x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
	struct exchange *exchange = take_exchange();
	cr_expect_eq(exchange->length, -1);
	cr_expect_eq(await_body(exchange, got, sizeof got), 3);
	peer_send_text(&peer, "2\r\nlo\r\n0\r\n\r\n");
	cr_expect_eq(await_body(exchange, got, sizeof got), 2);
	cr_expect_eq(await_body(exchange, got, sizeof got), FLOW_ENDED);

	begin_reply(exchange, 201, -1);
	expect_text(&peer, "HTTP/1.1 201");
	say(exchange, "first");
	expect_text(&peer, "5\r\nfirst\r\n");
	say(exchange, "second");
	expect_text(&peer, "6\r\nsecond\r\n");
	flow_end(exchange->reply);
	expect_text(&peer, "0\r\n\r\n");
	cr_expect(strstr(peer.received, "X-From: upstream\r\n"));
	cr_expect(strstr(peer.received, "X-Empty: "));
	exchange_free(exchange);

	peer.len = 0;
	post(&peer, "/whole", "the connection goes on");
	cr_expect_eq(peer_reply(&peer).status, 200);
	peer_close(&peer);
	http_server_free(server);
	cr_expect_eq(atomic_load(&freed), 1);
}

Test(http_stream, a_reply_of_known_length_says_so)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	get(&peer, "/api/x");
	struct exchange *exchange = take_exchange();
	cr_expect_null(exchange->body);
	cr_expect_eq(exchange->length, 0);
	begin_reply(exchange, 200, 10);
	say(exchange, "01234");
	say(exchange, "56789");
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 200);
	cr_expect(reply_has(&reply, "Content-Length", "10"));
	cr_expect_str_eq(reply.body, "0123456789");
	exchange_free(exchange);
	peer_close(&peer);
	http_server_free(server);
}

Test(http_stream, a_reply_that_breaks_ends_the_connection_without_an_end_of_its_body)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	char got[4096];
	for (int64_t length = -1; length < 100; length += 51) {
		struct peer peer = connected(server);
		get(&peer, "/api/x");
		struct exchange *exchange = take_exchange();
		begin_reply(exchange, 200, length);
		say(exchange, "half");
		expect_text(&peer, "half");
		flow_break(exchange->reply);
		receive_all(&peer, got, sizeof got, PEER_WAIT_MS);
		cr_expect_not(strstr(got, "0\r\n\r\n"), "%s", got);
		cr_expect(peer_is_closed(&peer));
		exchange_free(exchange);
		peer_close(&peer);
	}
	http_server_free(server);
}

static void await_departure(struct http_server *server)
{
	struct pollfd ready = { .fd = http_server_departures(server), .events = POLLIN };
	cr_assert_eq(poll(&ready, 1, PEER_WAIT_MS), 1);
	http_server_drop_departed(server);
	cr_expect_eq(poll(&ready, 1, 0), 0, "it is said once");
}

Test(http_stream, a_client_that_leaves_while_nothing_is_sent_breaks_both_flows)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	post(&peer, "/api/x", "unread");
	struct exchange *exchange = take_exchange();
	begin_reply(exchange, 200, -1);
	say(exchange, "event");
	expect_text(&peer, "event");
	peer_close(&peer);
	await_departure(server);
	char got;
	cr_expect_eq(flow_read(exchange->body, &got, 1), FLOW_BROKEN);
	cr_expect_lt(flow_write(exchange->reply, "x", 1), 0);
	exchange_free(exchange);
	http_server_free(server);
	cr_expect_eq(atomic_load(&freed), 1);
}

Test(http_stream, a_client_that_leaves_before_the_reply_is_known_to_have_left)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	get(&peer, "/api/x");
	struct exchange *exchange = take_exchange();
	cr_expect_not(http_request_is_departed(exchange->request));
	peer_close(&peer);
	await_departure(server);
	cr_expect(http_request_is_departed(exchange->request));
	begin_reply(exchange, 200, -1);
	cr_expect_lt(flow_write(exchange->reply, "x", 1), 0);
	exchange_free(exchange);
	http_server_free(server);
	cr_expect_eq(atomic_load(&freed), 1);
}

Test(http_stream, a_client_that_leaves_in_the_middle_of_its_body_is_still_owed_a_reply)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	for (int kind = 0; kind < 2; kind++) {
		struct peer peer = connected(server);
		peer_send_text(
			&peer, "POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf");
		struct exchange *exchange = take_exchange();
		char got[16];
		cr_expect_eq(await_body(exchange, got, sizeof got), 4);
		peer_close(&peer);
		cr_expect_eq(await_body(exchange, got, sizeof got), FLOW_BROKEN);
		cr_expect(http_request_is_departed(exchange->request));
		cr_expect_eq(http_server_stop(server, PEER_WAIT_MS), 0);
		cr_expect_eq(atomic_load(&freed), kind);
		if (kind)
			begin_reply(exchange, 200, -1);
		else
			http_reply(exchange->request, 502, NULL, bytes_of("gone"), NULL);
		cr_expect_eq(atomic_load(&freed), kind + 1);
		if (kind)
			cr_expect_lt(flow_write(exchange->reply, "x", 1), 0);
		exchange_free(exchange);
		http_server_free(server);
		if (!kind)
			server = start((struct http_server_options){ 0 });
	}
}
