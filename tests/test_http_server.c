#include "http/server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/listen.h"
#include "support/http_peer.h"

enum { MAX_BODY = 100000, LATER_MAX = 1024 };

/* Requests that were handed out at /later and wait for the test to reply. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct http_request *waiting[LATER_MAX];
	size_t count;
} later = { .lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER };

static atomic_int freed;

TestSuite(http_server, .timeout = 120);

static void free_owned(void *owned)
{
	free(owned);
	atomic_fetch_add(&freed, 1);
}

static void echo(struct http_request *request, struct bytes body, void *owner)
{
	http_reply(request, 200, owner, body, NULL);
}

static void keep(struct http_request *request, struct bytes body, void *owner)
{
	(void)body;
	(void)owner;
	http_request_own(request, malloc(1), free_owned);
	pthread_mutex_lock(&later.lock);
	later.waiting[later.count++] = request;
	pthread_cond_signal(&later.came);
	pthread_mutex_unlock(&later.lock);
}

static void await_request(void)
{
	pthread_mutex_lock(&later.lock);
	while (!later.count)
		pthread_cond_wait(&later.came, &later.lock);
	pthread_mutex_unlock(&later.lock);
}

/* Waits for a request at /later and takes it; by one thread at a time. */
static struct http_request *take_request(void)
{
	await_request();
	pthread_mutex_lock(&later.lock);
	struct http_request *request = later.waiting[--later.count];
	pthread_mutex_unlock(&later.lock);
	return request;
}

static void reply_text(struct http_request *request, const char *text)
{
	http_reply(request, 200, "text/plain", bytes_of(text), NULL);
}

static void *reply_to_all(void *count)
{
	for (size_t i = *(size_t *)count; i; i--)
		reply_text(take_request(), "late");
	return NULL;
}

static void demand_key(struct http_request *request, void *owner)
{
	(void)owner;
	static const struct http_header challenge[] = { { "WWW-Authenticate", "Basic" },
		{ NULL, NULL } };
	if (!http_request_header(request, "authorization"))
		http_reply(request, 401, NULL, bytes_of("who?"), challenge);
}

static void has_word(struct http_request *request, struct bytes body, void *owner)
{
	(void)owner;
	char word[64] = "";
	memcpy(word, body.at, body.len < sizeof word ? body.len : sizeof word - 1);
	reply_text(request, http_request_has_word(request, "Via", word) ? "yes" : "no");
}

static const struct http_route routes[] = {
	{ "POST", "/echo", NULL, echo, (void *)"text/echo" },
	{ "PUT", "/echo", NULL, echo, (void *)"text/put" },
	{ "POST", "/later", NULL, keep, NULL },
	{ "POST", "/key", demand_key, echo, (void *)"text/key" },
	{ "POST", "/word", NULL, has_word, NULL },
};

static struct http_server *start(struct http_server_options options)
{
	if (!options.listen && !options.is_inherited)
		options.listen = "127.0.0.1:0";
	options.routes = routes;
	options.route_count = sizeof routes / sizeof routes[0];
	if (!options.threads)
		options.threads = 2;
	if (!options.max_connections)
		options.max_connections = 1024;
	if (!options.request_timeout_ms)
		options.request_timeout_ms = 20000;
	if (!options.idle_timeout_ms)
		options.idle_timeout_ms = 60000;
	if (!options.max_body_bytes)
		options.max_body_bytes = MAX_BODY;
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

static void expect_reply(struct peer *peer, int status, const char *body)
{
	struct peer_reply reply = peer_reply(peer);
	cr_expect_eq(reply.status, status, "%d instead of %d", reply.status, status);
	if (body)
		cr_expect_str_eq(reply.body, body);
}

static void send_zeros(struct peer *peer, size_t len)
{
	static const char zeros[16384];
	for (size_t piece; len; len -= piece) {
		piece = len < sizeof zeros ? len : sizeof zeros;
		if (!peer_send(peer, zeros, piece))
			return;
	}
}

static void send_chunk(struct peer *peer, size_t len)
{
	peer_printf(peer, "%zx\r\n", len);
	send_zeros(peer, len);
	peer_send_text(peer, "\r\n");
}

Test(http_server, a_body_arrives_whole_whether_sized_or_chunked)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	post(&peer, "/echo", "hello");
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply.body, "hello");
	cr_expect(reply_has(&reply, "Content-Type", "text/echo"));

	peer_send_text(&peer,
		"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nhel\r\n");
	peer_send_text(&peer, "6;x=y\r\nlo, yo\r\n0\r\n\r\n");
	expect_reply(&peer, 200, "hello, yo");

	post(&peer, "/echo", "");
	expect_reply(&peer, 200, "");
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, the_method_belongs_to_the_route_and_one_trailing_slash_does_not_matter)
{
	struct http_server *server = start((struct http_server_options){ .threads = 1 });
	struct peer peer = connected(server);
	post(&peer, "/echo/", "slash");
	expect_reply(&peer, 200, "slash");
	post(&peer, "/echo?x=/nowhere", "query");
	expect_reply(&peer, 200, "query");
	post(&peer, "/echo//", "");
	expect_reply(&peer, 400, NULL);
	post(&peer, "/ech", "");
	expect_reply(&peer, 404, NULL);
	peer_send_text(&peer, "GET / HTTP/1.1\r\nHost: t\r\n\r\n");
	expect_reply(&peer, 404, NULL);
	peer_send_text(&peer, "GET /echo HTTP/1.1\r\nHost: t\r\n\r\n");
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 405);
	cr_expect(reply_has(&reply, "Allow", "POST, PUT"));
	peer_send_text(&peer, "HEAD /later HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
	cr_expect(peer_is_closed(&peer));
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, a_route_can_refuse_by_headers_and_the_connection_stays_usable)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	post(&peer, "/key", "no key");
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 401);
	cr_expect_str_eq(reply.body, "who?");
	cr_expect(reply_has(&reply, "WWW-Authenticate", "Basic"));
	peer_send_text(&peer,
		"POST /key HTTP/1.1\r\nHost: t\r\nAuthorization: k\r\nContent-Length: 2\r\n\r\nhi");
	expect_reply(&peer, 200, "hi");
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, a_length_that_cannot_be_taken_is_refused_before_the_body_is_sent)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	peer_send_text(
		&peer, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 123456789012\r\n\r\n");
	expect_reply(&peer, 413, NULL);
	cr_expect(peer_is_closed(&peer));
	peer_close(&peer);
	http_server_free(server);
}

/* Many clients look for a reply only when they have sent everything. */
Test(http_server, a_sender_of_a_body_that_is_too_long_still_gets_to_see_the_refusal)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	peer_printf(&peer, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n",
		MAX_BODY + 1);
	send_zeros(&peer, MAX_BODY + 1);
	expect_reply(&peer, 413, NULL);
	peer_send_text(
		&peer, "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 3; i++)
		send_chunk(&peer, MAX_BODY / 2);
	peer_send_text(&peer, "0\r\n\r\n");
	expect_reply(&peer, 413, NULL);
	post(&peer, "/echo", "still here");
	expect_reply(&peer, 200, "still here");
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, a_chunked_body_without_end_is_answered_in_its_middle)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	peer_send_text(
		&peer, "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 5; i++)
		send_chunk(&peer, MAX_BODY);
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 413);
	cr_expect(reply_has(&reply, "Connection", "close"));
	cr_expect(reply_has(&reply, "Content-Type", "text/plain"));
	cr_expect_gt(reply.body_len, 0);
	cr_expect(peer_is_closed(&peer));
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, expect_100_continue_is_answered_with_100_or_with_the_refusal)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	peer_send_text(&peer,
		"POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	expect_reply(&peer, 100, NULL);
	peer_send_text(&peer, "ok");
	expect_reply(&peer, 200, "ok");
	peer_printf(&peer,
		"POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-Continue\r\nContent-Length: %d\r\n\r\n",
		MAX_BODY + 1);
	expect_reply(&peer, 413, NULL);
	cr_expect(peer_is_closed(&peer));
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, a_body_whose_end_is_open_to_opinion_is_refused)
{
	static const char *const heads[] = {
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"Content-Length: 4x\r\n\r\nabcd",
		"Content-Length: -4\r\n\r\nabcd",
	};
	struct http_server *server = start((struct http_server_options){ 0 });
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		struct peer peer = connected(server);
		peer_printf(&peer, "POST /echo HTTP/1.1\r\nHost: t\r\n%s", heads[i]);
		expect_reply(&peer, 400, NULL);
		cr_expect(peer_is_closed(&peer));
		peer_close(&peer);
	}
	http_server_free(server);
}

Test(http_server, headers_beyond_the_memory_of_a_connection_are_431)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	peer_send_text(&peer, "POST /echo HTTP/1.1\r\nHost: t\r\nX: ");
	char *long_value = malloc(100000);
	memset(long_value, 'x', 100000);
	peer_send(&peer, long_value, 100000);
	free(long_value);
	expect_reply(&peer, 431, NULL);
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, a_body_that_drips_is_408_after_the_request_timeout)
{
	struct http_server *server =
		start((struct http_server_options){ .request_timeout_ms = 100 });
	struct peer peer = connected(server);
	peer_send_text(&peer, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n");
	struct peer_reply reply = { .status = -1 };
	for (int i = 0; i < 900 && reply.status < 0; i++) {
		peer_send_text(&peer, "x");
		reply = peer_reply_within(&peer, 20);
	}
	cr_expect_eq(reply.status, 408);
	cr_expect(reply_has(&reply, "Connection", "close"));
	cr_expect(peer_is_closed(&peer));
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, the_tick_closes_connections_whose_headers_or_body_never_end)
{
	struct http_server *server = start(
		(struct http_server_options){ .request_timeout_ms = 1, .idle_timeout_ms = 1000 });
	struct peer headers = connected(server), body = connected(server);
	peer_send_text(&headers, "POST /echo HTTP/1.1\r\n");
	peer_send_text(&body, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n");
	struct peer_reply reply = { .status = -1 };
	uint64_t start_ms = clock_monotonic_ms();
	/* Dripping keeps libmicrohttpd's own timeout, which knows only silence, from closing it. */
	while (peer_send_text(&headers, "X: y\r\n") &&
		clock_monotonic_ms() - start_ms < PEER_WAIT_MS) {
		http_server_tick(server);
		reply = peer_reply_within(&headers, 100);
	}
	cr_expect_lt(clock_monotonic_ms() - start_ms, PEER_WAIT_MS);
	cr_expect_eq(reply.status, -1);
	cr_expect(peer_is_closed(&body));
	peer_close(&headers);
	peer_close(&body);
	http_server_free(server);
}

Test(http_server, requests_sent_ahead_are_answered_in_their_order)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	peer_send_text(&peer,
		"POST /later HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\none"
		"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\ntwo"
		"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nthree"
		"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n");
	struct http_request *first = take_request();
	cr_expect_eq(peer_reply_within(&peer, 50).status, -1);
	reply_text(first, "first");
	expect_reply(&peer, 200, "first");
	expect_reply(&peer, 200, "two");
	expect_reply(&peer, 404, NULL);
	expect_reply(&peer, 200, "four");
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, a_client_that_leaves_before_its_reply_does_no_harm)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer gone = connected(server), other = connected(server);
	post(&gone, "/later", "x");
	struct http_request *request = take_request();
	peer_close(&gone);
	post(&other, "/echo", "other");
	expect_reply(&other, 200, "other");
	reply_text(request, "nobody reads this");
	post(&other, "/echo", "again");
	expect_reply(&other, 200, "again");
	peer_close(&other);
	http_server_free(server);
	cr_expect_eq(atomic_load(&freed), 1);
}

/* libmicrohttpd 0.9.75 hangs here in its epoll mode. */
Test(http_server, any_multiple_of_128_connections_at_once_is_served)
{
	static const size_t counts[] = { 128, 256, 512 };
	struct rlimit files;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	if (files.rlim_cur < 2048) {
		files.rlim_cur = files.rlim_max < 2048 ? files.rlim_max : 2048;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (files.rlim_cur < 1100)
		cr_skip("both ends of 512 connections do not fit into the limit of open files");
	for (size_t n = 0; n < sizeof counts / sizeof counts[0]; n++) {
		size_t count = counts[n];
		struct http_server *server = start((struct http_server_options){ 0 });
		struct peer *peers = calloc(count, sizeof *peers);
		cr_assert(peers);
		for (size_t i = 0; i < count; i++)
			peers[i] = connected(server);
		for (int round = 0; round < 2; round++) {
			for (size_t i = 0; i < count; i++)
				post(&peers[i], i % 2 ? "/echo" : "/later", "at once");
			size_t waiting = count / 2;
			pthread_t replier;
			pthread_create(&replier, NULL, reply_to_all, &waiting);
			size_t served = 0;
			for (size_t i = 0; i < count; i++)
				served += peer_reply(&peers[i]).status == 200;
			pthread_join(replier, NULL);
			cr_expect_eq(served, count, "%zu of %zu", served, count);
		}
		for (size_t i = 0; i < count; i++)
			peer_close(&peers[i]);
		free(peers);
		http_server_free(server);
	}
}

Test(http_server, bodies_that_wait_are_charged_and_without_budget_it_is_503_until_they_are_gone)
{
	struct budget budget = { .limit_bytes = 40000 };
	struct http_server *server = start((struct http_server_options){ .budget = &budget });
	struct peer holder = connected(server), other = connected(server);
	peer_send_text(&holder, "POST /later HTTP/1.1\r\nHost: t\r\nContent-Length: 30000\r\n\r\n");
	send_zeros(&holder, 30000);
	struct http_request *held = take_request();
	cr_expect_geq(budget.used_bytes, 30000);

	for (int chunked = 0; chunked < 2; chunked++) {
		peer_printf(&other, "POST /echo HTTP/1.1\r\nHost: t\r\n%s\r\n\r\n",
			chunked ? "Transfer-Encoding: chunked" : "Content-Length: 30000");
		if (chunked) {
			send_chunk(&other, 30000);
			peer_send_text(&other, "0\r\n\r\n");
		} else {
			send_zeros(&other, 30000);
		}
		struct peer_reply reply = peer_reply(&other);
		cr_expect_eq(reply.status, 503);
		cr_expect(reply_has(&reply, "Retry-After", "5"));
	}
	reply_text(held, "done");
	expect_reply(&holder, 200, "done");
	post(&holder, "/echo", ""); /* its reply says that the request before it is over */
	expect_reply(&holder, 200, "");
	peer_send_text(&other, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3000\r\n\r\n");
	send_zeros(&other, 3000);
	expect_reply(&other, 200, NULL);
	peer_close(&holder);
	peer_close(&other);
	http_server_free(server);
	cr_expect_eq(budget.used_bytes, 0);
}

Test(http_server, a_stop_answers_what_is_in_progress_and_takes_nothing_new)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	unsigned port = http_server_port(server);
	struct peer peer = connected(server), idle = connected(server);
	post(&idle, "/echo", "x");
	expect_reply(&idle, 200, "x");
	post(&peer, "/later", "x");
	struct http_request *request = take_request();

	cr_expect_eq(http_server_stop(server, 1), 1, "the bound holds");
	struct peer late;
	cr_expect_not(peer_open(&late, port));
	post(&idle, "/echo", "after the stop");
	struct peer_reply refused = peer_reply(&idle);
	cr_expect_eq(refused.status, 503);
	cr_expect(reply_has(&refused, "Connection", "close"));

	reply_text(request, "kept");
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply.body, "kept");
	cr_expect(reply_has(&reply, "Connection", "close"));
	cr_expect_eq(http_server_stop(server, PEER_WAIT_MS), 0);
	peer_close(&peer);
	peer_close(&idle);
	http_server_free(server);
}

static void *reply_when_it_stops(void *port)
{
	struct peer peer;
	/* The listening socket is closed before requests are waited for. */
	while (peer_open(&peer, *(unsigned *)port))
		peer_close(&peer);
	reply_text(take_request(), "in time");
	return NULL;
}

Test(http_server, a_stop_waits_for_a_reply_that_comes_in_time)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	unsigned port = http_server_port(server);
	struct peer peer = connected(server);
	post(&peer, "/later", "x");
	await_request();
	pthread_t replier;
	pthread_create(&replier, NULL, reply_when_it_stops, &port);
	cr_expect_eq(http_server_stop(server, PEER_WAIT_MS), 0);
	cr_expect_eq(atomic_load(&freed), 1);
	expect_reply(&peer, 200, "in time");
	pthread_join(replier, NULL);
	peer_close(&peer);
	http_server_free(server);
}

/* The service manager's socket, and a server on it. */
static struct http_server *start_on(int socket)
{
	return start(
		(struct http_server_options){ .listen_fd = dup(socket), .is_inherited = true });
}

static int open_inherited(void)
{
	struct complaint complaint = { 0 };
	int socket;
	cr_assert_eq(http_listen("127.0.0.1:0", &socket, &complaint), 0, "%s", complaint.text);
	return socket;
}

Test(http_server, who_connects_to_an_inherited_socket_waits_for_the_next_server)
{
	int socket = open_inherited();
	struct http_server *server = start_on(socket);
	struct peer peer = connected(server), late;
	post(&peer, "/echo", "before");
	expect_reply(&peer, 200, "before");
	cr_expect_eq(http_server_stop(server, PEER_WAIT_MS), 0);
	cr_assert(peer_open(&late, http_server_port(server)));
	post(&late, "/echo", "after");
	http_server_free(server);

	server = start_on(socket);
	expect_reply(&late, 200, "after");
	peer_close(&peer);
	peer_close(&late);
	http_server_free(server);
	close(socket);
}

static void *stop(void *server)
{
	cr_expect_eq(http_server_stop(server, PEER_WAIT_MS), 0);
	return NULL;
}

static void expect_last_reply(struct peer *peer, const char *body)
{
	post(peer, "/echo", body);
	struct peer_reply reply = peer_reply(peer);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply.body, body);
	cr_expect(reply_has(&reply, "Connection", "close"));
	cr_expect(peer_is_closed(peer));
	peer_close(peer);
}

Test(http_server, a_stop_leads_everybody_away_from_an_inherited_socket_without_cutting_him_off)
{
	int socket = open_inherited();
	struct http_server *server = start_on(socket);
	struct peer holder = connected(server), fresh = connected(server), busy = connected(server),
		    idle = connected(server), probe = connected(server);
	struct peer_reply reply;
	post(&busy, "/echo", "one");
	expect_reply(&busy, 200, "one");
	post(&idle, "/echo", "one");
	expect_reply(&idle, 200, "one");
	post(&holder, "/later", "x");
	struct http_request *held = take_request();
	pthread_t stopper;
	pthread_create(&stopper, NULL, stop, server);
	do {
		post(&probe, "/echo", "is it stopping?");
		reply = peer_reply(&probe);
		cr_assert_eq(reply.status, 200);
	} while (!reply_has(&reply, "Connection", "close"));
	expect_last_reply(&fresh, "first");
	expect_last_reply(&busy, "two");
	reply_text(held, "kept");
	expect_reply(&holder, 200, "kept");
	pthread_join(stopper, NULL);
	char byte;
	cr_expect_eq(recv(idle.fd, &byte, 1, 0), 0, "an end, and no reset");
	peer_close(&idle);
	peer_close(&holder);
	peer_close(&probe);
	http_server_free(server);
	close(socket);
}

Test(http_server, a_stop_hears_who_has_just_come_to_an_inherited_socket)
{
	int socket = open_inherited();
	struct http_server *server = start_on(socket);
	struct peer peer = connected(server);
	post(&peer, "/echo", "one"); /* its reply says that it was accepted */
	expect_reply(&peer, 200, "one");
	pthread_t stopper;
	pthread_create(&stopper, NULL, stop, server);
	usleep(20000); /* a stop that does not listen is over by then */
	expect_last_reply(&peer, "two");
	pthread_join(stopper, NULL);
	http_server_free(server);
	close(socket);
}

Test(http_server, freeing_waits_for_the_reply_to_whatever_was_handed_out)
{
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	post(&peer, "/later", "x");
	await_request();
	pthread_t replier;
	size_t one = 1;
	pthread_create(&replier, NULL, reply_to_all, &one);
	http_server_free(server);
	cr_expect_eq(atomic_load(&freed), 1);
	pthread_join(replier, NULL);
	peer_close(&peer);
}

Test(http_server, words_are_found_in_every_line_of_a_header_and_only_whole)
{
	static const struct {
		char lines[80], word[16], answer[4];
	} cases[] = {
		{ "Via: 1.1 tollgate\r\n", "tollgate", "yes" },
		{ "via: 1.0 a, 1.1 TollGate (x)\r\n", "tollgate", "yes" },
		{ "Via: 1.1 a\r\nVIA: 1.1 tollgate;q=1\r\n", "tollgate", "yes" },
		{ "Via: 1.1 tollgates\r\n", "tollgate", "no" },
		{ "Via: 1.1 my-tollgate\r\n", "tollgate", "no" },
		{ "X-Via: 1.1 tollgate\r\n", "tollgate", "no" },
		{ "Via:\r\n", "tollgate", "no" },
		{ "", "tollgate", "no" },
	};
	struct http_server *server = start((struct http_server_options){ 0 });
	struct peer peer = connected(server);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		peer_printf(&peer,
			"POST /word HTTP/1.1\r\nHost: t\r\n%sContent-Length: %zu\r\n\r\n%s",
			cases[i].lines, strlen(cases[i].word), cases[i].word);
		expect_reply(&peer, 200, cases[i].answer);
	}
	peer_close(&peer);
	http_server_free(server);
}

Test(http_server, an_address_that_cannot_be_listened_on_is_explained)
{
	static const char *const wrong[] = { "4318", "127.0.0.1", "127.0.0.1:", "::1:4318",
		"[::1:4318", "127.0.0.1:notaport", "256.1.1.1.1:80" };
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct http_server *server = NULL;
		struct complaint complaint = { 0 };
		struct http_server_options options = { .listen = wrong[i] };
		cr_expect_eq(
			http_server_start(&options, &server, &complaint), -EINVAL, "%s", wrong[i]);
		cr_expect(strstr(complaint.text, wrong[i]), "%s", complaint.text);
		cr_expect_null(server);
	}
	struct http_server *first = start((struct http_server_options){ 0 }), *second = NULL;
	char taken[64];
	snprintf(taken, sizeof taken, "127.0.0.1:%u", http_server_port(first));
	struct http_server_options options = { .listen = taken, .max_connections = 1 };
	struct complaint complaint = { 0 };
	cr_expect_eq(http_server_start(&options, &second, &complaint), -EADDRINUSE);
	cr_expect(strstr(complaint.text, "in use"), "%s", complaint.text);
	http_server_free(first);
}

Test(http_server, it_listens_on_ipv6_in_brackets)
{
	struct http_server_options options = {
		.listen = "[::1]:0", .max_connections = 4, .idle_timeout_ms = 1000
	};
	struct http_server *server = NULL;
	struct complaint complaint = { 0 };
	int error = http_server_start(&options, &server, &complaint);
	if (error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT)
		cr_skip("no IPv6 on this machine");
	cr_assert_eq(error, 0, "%s", complaint.text);
	cr_expect_gt(http_server_port(server), 0);
	http_server_free(server);
}
