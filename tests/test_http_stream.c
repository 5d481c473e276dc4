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

#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_WHAT_IS_FREED 1
#elif defined(__has_feature)
#define KEEPS_WHAT_IS_FREED __has_feature(address_sanitizer)
#else
#define KEEPS_WHAT_IS_FREED 0
#endif

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
		http_server_free(server);
		cr_expect_eq(atomic_load(&freed), kind + 1);
		if (kind)
			cr_expect_lt(flow_write(exchange->reply, "x", 1), 0);
		exchange_free(exchange);
		if (!kind)
			server = start((struct http_server_options){ 0 });
	}
}

/* As much as goes in until the other side takes no more; stops when nothing moved for a while. */
static size_t fill(struct peer *peer, const char *bytes, size_t len, size_t max)
{
	size_t sent = 0;
	struct pollfd ready = { .fd = peer->fd, .events = POLLOUT };
	while (sent < max && poll(&ready, 1, 300) > 0) {
		ssize_t put = send(peer->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += put > 0 ? (size_t)put : 0;
	}
	return sent;
}

Test(http_stream, a_body_that_nobody_reads_stops_its_sender)
{
	enum { MUCH = 64 << 20 };
	struct budget budget = { .limit_bytes = 1 << 20 };
	struct http_server *server = start((struct http_server_options){ .budget = &budget });
	struct peer peer = connected(server);
	static char zeros[64 << 10];
	peer_printf(&peer, "POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n", MUCH);
	struct exchange *exchange = take_exchange();
	size_t sent = fill(&peer, zeros, sizeof zeros, MUCH);
	cr_expect_lt(sent, (size_t)MUCH / 2);
	cr_expect_leq(budget.used_bytes, FLOW_BYTES + (32 << 10));

	/* It goes on when somebody does. */
	size_t taken = 0;
	ssize_t got = 0;
	while (taken < sent && (got = await_body(exchange, zeros, sizeof zeros)) > 0)
		taken += (size_t)got;
	cr_expect_eq(taken, sent, "%zu of %zu", taken, sent);
	cr_expect_gt(fill(&peer, zeros, sizeof zeros, 1 << 20), 0);
	http_reply(exchange->request, 200, NULL, bytes_of(""), NULL);
	exchange_free(exchange);
	peer_close(&peer);
	http_server_free(server);
	cr_expect_eq(budget.used_bytes, 0);
}

Test(http_stream, a_reply_that_nobody_reads_stops_its_writer)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server), other = connected(server);
	static char zeros[64 << 10];
	get(&peer, "/api/x");
	struct exchange *exchange = take_exchange();
	begin_reply(exchange, 200, -1);
	size_t written = 0;
	ssize_t taken;
	struct timespec until;
	do {
		taken = flow_write(exchange->reply, zeros, sizeof zeros);
		cr_assert_geq(taken, 0);
		written += (size_t)taken;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
	} while (written < 256 << 20 &&
		(taken == sizeof zeros || sem_timedwait(&exchange->moved, &until) == 0));
	cr_expect_lt(written, 64 << 20);

	post(&other, "/whole", "meanwhile");
	cr_expect_eq(peer_reply(&other).status, 200);
	struct pollfd ready = { .fd = peer.fd, .events = POLLIN };
	while (sem_trywait(&exchange->moved) < 0 && poll(&ready, 1, PEER_WAIT_MS) > 0)
		recv(peer.fd, zeros, sizeof zeros, 0);
	cr_expect_gt(flow_write(exchange->reply, zeros, sizeof zeros), 0);
	peer_close(&peer);
	peer_close(&other);
	flow_end(exchange->reply);
	exchange_free(exchange);
	http_server_free(server);
}

static void *send_much(void *peer)
{
	static char zeros[64 << 10];
	for (int i = 0; i < 1600; i++)
		if (!peer_send(peer, zeros, sizeof zeros))
			break;
	return NULL;
}

static void *read_much(void *arg)
{
	static char bytes[256 << 10];
	struct peer *peer = arg;
	size_t len = 0;
	for (ssize_t got; len < 100 << 20 && (got = recv(peer->fd, bytes, sizeof bytes, 0)) > 0;)
		len += (size_t)got;
	return len >= 100 << 20 ? arg : NULL;
}

static long peak_kb(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

Test(http_stream, a_hundred_megabytes_pass_both_ways_in_little_memory)
{
	enum { LENGTH = 100 << 20 };
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	static char bytes[48 << 10];
	size_t len = 0;
	ssize_t got;
	peer_printf(&peer, "POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n", LENGTH);
	struct exchange *exchange = take_exchange();
	long before_kb = peak_kb();
	pthread_t other_end;
	pthread_create(&other_end, NULL, send_much, &peer);
	while ((got = await_body(exchange, bytes, sizeof bytes)) > 0)
		len += (size_t)got;
	pthread_join(other_end, NULL);
	cr_expect_eq(len, (size_t)LENGTH);
	cr_expect_eq(got, FLOW_ENDED);

	begin_reply(exchange, 200, -1);
	pthread_create(&other_end, NULL, read_much, &peer);
	for (len = 0; len < LENGTH; len += sizeof bytes)
		write_all(exchange, bytes, sizeof bytes);
	flow_end(exchange->reply);
	void *is_whole;
	pthread_join(other_end, &is_whole);
	cr_expect(is_whole);
	cr_expect(KEEPS_WHAT_IS_FREED || peak_kb() - before_kb < 8 << 10);
	exchange_free(exchange);
	peer_close(&peer);
	http_server_free(server);
}

Test(http_stream, an_early_reply_waits_for_a_short_body_and_cuts_a_long_one)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	static char zeros[10000];
	for (int is_streamed = 0; is_streamed < 2; is_streamed++) {
		for (int is_long = 0; is_long < 2; is_long++) {
			struct peer peer = connected(server);
			peer_printf(&peer,
				"POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\nx",
				is_long ? 100 * MAX_BODY : 10001);
			struct exchange *exchange = take_exchange();
			char got;
			cr_assert_eq(await_body(exchange, &got, 1), 1);
			peer_send(&peer, zeros, 5000);
			if (is_streamed) {
				flow_break(exchange->body);
				begin_reply(exchange, 413, is_long ? 8 : -1);
				say(exchange, "too much");
				flow_end(exchange->reply);
			} else {
				http_reply(
					exchange->request, 413, NULL, bytes_of("too much"), NULL);
			}
			cr_expect_eq(peer_reply_within(&peer, 100).status, -1);
			if (is_long)
				for (int i = 0; i < 100 && peer_send(&peer, zeros, 10000); i++)
					;
			else
				peer_send(&peer, zeros, 5000);
			expect_text(&peer, "HTTP/1.1 413");
			expect_text(&peer, "too much");
			peer.len = 0;
			if (is_long) {
				cr_expect(peer_is_closed(&peer));
			} else {
				post(&peer, "/whole", "goes on");
				expect_text(&peer, "HTTP/1.1 200");
			}
			exchange_free(exchange);
			peer_close(&peer);
		}
	}
	http_server_free(server);
	cr_expect_eq(atomic_load(&freed), 4);
}

Test(http_stream, a_reply_that_begins_early_leaves_the_body_to_its_reader)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	static char zeros[FLOW_BYTES];
	char got[4096];
	size_t len = 0;
	peer_send_text(&peer, "POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n");
	struct exchange *exchange = take_exchange();
	begin_reply(exchange, 200, -1);
	say(exchange, "early");
	flow_end(exchange->reply);
	for (size_t sent = 0; sent < 1000000; sent += 50000) {
		peer_send(&peer, zeros, 50000);
		while (len < sent) {
			ssize_t part = await_body(exchange, got, sizeof got);
			cr_assert_gt(part, 0);
			len += (size_t)part;
		}
	}
	ssize_t part;
	while ((part = await_body(exchange, got, sizeof got)) > 0)
		len += (size_t)part;
	cr_expect_eq(part, FLOW_ENDED);
	cr_expect_eq(len, 1000000);
	expect_text(&peer, "\r\nearly\r\n");
	exchange_free(exchange);
	peer_close(&peer);
	http_server_free(server);
}

Test(http_stream, a_reply_that_is_over_leaves_the_rest_of_the_body_to_its_reader)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	char got[64];
	peer_send_text(&peer, "POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 7\r\n\r\n");
	struct exchange *exchange = take_exchange();
	begin_reply(exchange, 200, -1);
	say(exchange, "early");
	flow_end(exchange->reply);
	peer_send_text(&peer, "a whole");
	expect_text(&peer, "\r\nearly\r\n0\r\n\r\n");
	post(&peer, "/whole", "the request after it");
	expect_text(&peer, "the request after it");
	cr_expect_eq(await_body(exchange, got, sizeof got), 7);
	cr_expect_eq(await_body(exchange, got, sizeof got), FLOW_ENDED);
	exchange_free(exchange);
	peer_close(&peer);
	http_server_free(server);
}

Test(http_stream, an_owner_that_does_not_want_the_body_can_break_it_and_reply)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	static char zeros[20000];
	peer_printf(&peer, "POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 20000\r\n\r\n");
	struct exchange *exchange = take_exchange();
	flow_break(exchange->body);
	peer_send(&peer, zeros, sizeof zeros);
	cr_expect_eq(peer_reply_within(&peer, 100).status, -1);
	http_reply(exchange->request, 503, NULL, bytes_of("no"), NULL);
	cr_expect_eq(peer_reply(&peer).status, 503);
	exchange_free(exchange);
	post(&peer, "/whole", "x");
	cr_expect_eq(peer_reply(&peer).status, 200);
	peer_close(&peer);
	http_server_free(server);
}

Test(http_stream, replies_without_a_body_end_where_their_headers_end)
{
	static const struct {
		const char *method;
		unsigned status;
		int length;
		bool has_flow, says_length;
	} cases[] = {
		{ "HEAD", 200, 1234, false, true },
		{ "HEAD", 200, 1234, true, true },
		{ "HEAD", 200, -1, false, false },
		{ "HEAD", 200, -1, true, false },
		{ "GET", 204, -1, false, false },
		{ "GET", 204, -1, true, false },
		{ "GET", 304, 7, false, true },
		{ "GET", 304, -1, true, false },
		{ "DELETE", 200, -1, false, true },
	};
	struct http_server *server = start((struct http_server_options){ 0 });
	char got[4096];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct peer peer = connected(server);
		peer_printf(&peer,
			"%s /api/x HTTP/1.1\r\nHost: t\r\n\r\n"
			"POST /whole HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
			cases[i].method);
		struct exchange *exchange = take_exchange();
		if (cases[i].has_flow)
			begin_reply(exchange, cases[i].status, cases[i].length);
		else
			http_reply_stream(
				exchange->request, cases[i].status, NULL, NULL, cases[i].length);
		receive_all(&peer, got, sizeof got, PEER_WAIT_MS);
		char *end = strstr(got, "\r\n\r\n");
		cr_assert(end, "%s", got);
		cr_expect(!end[4] || strncmp(end + 4, "HTTP/1.1 200", 12) == 0, "%zu: %s", i, got);
		cr_expect(end[4] || strstr(got, "Connection: close"), "%zu: %s", i, got);
		*end = '\0';
		cr_expect_not(strstr(got, "Transfer-Encoding"), "%zu: %s", i, got);
		cr_expect_eq(strstr(got, "Content-Length") != NULL, cases[i].says_length, "%zu: %s",
			i, got);
		exchange_free(exchange);
		peer_close(&peer);
	}
	http_server_free(server);
}

Test(http_stream, http_1_0_gets_its_body_without_chunks_and_a_reset_when_it_breaks)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	for (int breaks = 0; breaks < 2; breaks++) {
		struct peer peer = connected(server);
		peer_send_text(&peer, "GET /api/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
		struct exchange *exchange = take_exchange();
		begin_reply(exchange, 200, -1);
		say(exchange, "body");
		expect_text(&peer, "\r\n\r\nbody");
		cr_expect_not(strstr(peer.received, "chunked"));
		if (breaks)
			flow_break(exchange->reply);
		else
			flow_end(exchange->reply);
		char byte;
		struct pollfd ready = { .fd = peer.fd, .events = POLLIN };
		poll(&ready, 1, PEER_WAIT_MS);
		cr_expect_eq(recv(peer.fd, &byte, 1, 0), breaks ? -1 : 0);
		exchange_free(exchange);
		peer_close(&peer);
	}
	http_server_free(server);
}

Test(http_stream, two_hundred_idle_streams_do_not_slow_a_route_beside_them)
{
	enum { IDLE = 200 };
	struct http_server *server = start((struct http_server_options){ 0 });
	static struct peer peers[IDLE];
	static struct exchange *idle[IDLE];
	for (size_t i = 0; i < IDLE; i++) {
		peers[i] = connected(server);
		get(&peers[i], "/api/x");
		idle[i] = take_exchange();
		begin_reply(idle[i], 200, -1);
		say(idle[i], "hello");
	}
	struct peer peer = connected(server);
	uint64_t start_ms = clock_monotonic_ms();
	for (int i = 0; i < 200; i++) {
		post(&peer, "/whole", "x");
		cr_assert_eq(peer_reply(&peer).status, 200);
	}
	cr_expect_lt(clock_monotonic_ms() - start_ms, 5000);
	for (size_t i = 0; i < IDLE; i++) {
		say(idle[i], "event");
		expect_text(&peers[i], "event");
	}
	for (size_t i = 0; i < IDLE; i += 2)
		peer_close(&peers[i]);
	unsigned broken = 0;
	for (int tries = 0; broken < IDLE / 2 && tries < 1000; tries++) {
		struct pollfd ready = { .fd = http_server_departures(server), .events = POLLIN };
		poll(&ready, 1, 100);
		http_server_drop_departed(server);
		broken = 0;
		for (size_t i = 0; i < IDLE; i++)
			broken += flow_write(idle[i]->reply, "", 0) < 0;
	}
	cr_expect_eq(broken, IDLE / 2);
	http_server_free(server);
	for (size_t i = 0; i < IDLE; i++) {
		exchange_free(idle[i]);
		peer_close(&peers[i]);
	}
	cr_expect_eq(atomic_load(&freed), IDLE);
}

Test(http_stream, a_stop_leaves_open_streams_their_time_and_freeing_breaks_them)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer streaming = connected(server), sending = connected(server);
	get(&streaming, "/api/x");
	struct exchange *reply = take_exchange();
	begin_reply(reply, 200, -1);
	say(reply, "one");
	expect_text(&streaming, "one");
	peer_send_text(
		&sending, "POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nhalf");
	struct exchange *body = take_exchange();

	cr_expect_eq(http_server_stop(server, 50), 2);
	say(reply, "two");
	expect_text(&streaming, "two");
	http_reply(body->request, 503, NULL, bytes_of(""), NULL);
	http_server_free(server);
	char got;
	cr_expect_eq(flow_read(body->body, &got, 1), FLOW_BROKEN);
	cr_expect_lt(flow_write(reply->reply, "x", 1), 0);
	cr_expect(peer_is_closed(&streaming));
	cr_expect(peer_is_closed(&sending));
	exchange_free(reply);
	exchange_free(body);
	peer_close(&streaming);
	peer_close(&sending);
	cr_expect_eq(atomic_load(&freed), 2);
}

Test(http_stream, a_peer_that_does_nothing_when_it_is_its_turn_is_cut_off)
{
	struct http_server *server = start(
		(struct http_server_options){ .request_timeout_ms = 1, .idle_timeout_ms = 60000 });
	struct peer sender = connected(server), idle = connected(server);
	peer_send_text(&sender, "POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nhalf");
	struct exchange *silent = take_exchange();
	get(&idle, "/api/x");
	struct exchange *quiet = take_exchange();
	begin_reply(quiet, 200, -1);
	say(quiet, "one");
	expect_text(&idle, "one");
	char got[16];
	uint64_t start_ms = clock_monotonic_ms();
	ssize_t len;
	do {
		http_server_tick(server);
		usleep(50000);
		len = flow_read(silent->body, got, sizeof got);
	} while (len >= 0 && clock_monotonic_ms() - start_ms < PEER_WAIT_MS);
	cr_expect_eq(len, FLOW_BROKEN);
	http_reply(silent->request, 408, NULL, bytes_of(""), NULL);

	/* Nothing to send is not silence of the peer. */
	say(quiet, "two");
	expect_text(&idle, "two");
	flow_end(quiet->reply);
	exchange_free(silent);
	exchange_free(quiet);
	peer_close(&sender);
	peer_close(&idle);
	http_server_free(server);
}

Test(http_stream, without_memory_for_a_body_it_breaks_and_the_reply_still_comes)
{
	struct budget budget = { .limit_bytes = 100 };
	struct http_server *server = start((struct http_server_options){ .budget = &budget });
	struct peer peer = connected(server);
	post(&peer, "/api/x", "does not fit");
	struct exchange *exchange = take_exchange();
	char got;
	cr_expect_eq(await_body(exchange, &got, 1), FLOW_BROKEN);
	cr_expect_not(http_request_is_departed(exchange->request));
	http_reply(exchange->request, 503, NULL, bytes_of("full"), NULL);
	cr_expect_eq(peer_reply(&peer).status, 503);
	exchange_free(exchange);
	peer_close(&peer);
	http_server_free(server);
}

Test(http_stream, headers_of_a_reply_cannot_change_where_it_ends)
{
	static const struct http_header headers[] = {
		{ "X-Split", "a\r\nX-Evil: 1" },
		{ "X-Evil\r\nX", "1" },
		{ "Content-Length", "1" },
		{ "Set-Cookie", "a=1" },
		{ "Set-Cookie", "b=2" },
		{ "Date", "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ NULL, NULL },
	};
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	get(&peer, "/api/x");
	struct exchange *exchange = take_exchange();
	exchange->reply = flow_new(FLOW_BYTES, NULL);
	http_reply_stream(exchange->request, 200, headers, exchange->reply, 4);
	say(exchange, "body");
	flow_end(exchange->reply);
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_str_eq(reply.body, "body");
	cr_expect(reply_has(&reply, "Content-Length", "4"));
	cr_expect(reply_has(&reply, "Date", "Thu, 01 Jan 1970 00:00:00 GMT"));
	cr_expect(strstr(reply.head, "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), "%s", reply.head);
	cr_expect_not(strstr(reply.head, "Evil"), "%s", reply.head);
	exchange_free(exchange);
	peer_close(&peer);
	http_server_free(server);
}
