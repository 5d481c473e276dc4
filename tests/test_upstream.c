#include "http/upstream.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "support/tls_peer.h"

enum { LONG_MS = 20000, FLOW_BYTES = 64 << 10, TEXT_MAX = 128 << 10 };

/* The time that upstream.c sees: real time, and what a test adds. */
static uint64_t added_ms;
uint64_t __real_clock_monotonic_ms(void);
uint64_t __wrap_clock_monotonic_ms(void);
uint64_t __wrap_clock_monotonic_ms(void)
{
	return __real_clock_monotonic_ms() + added_ms;
}

/* In place of the C library's, for curl too: a socket that happens to be full when it comes to this. */
static const char *unsendable;
ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	if (unsendable && len == strlen(unsendable) && memcmp(bytes, unsendable, len) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return sendto(fd, bytes, len, flags, NULL, 0);
}

/* ---- both ends of the calls; the test moves them in turns ---- */

static struct upstream *upstream;
static int listener;
static char origin[64]; /* http://127.0.0.1:port */

/* What a call's owner was told. */
struct told {
	struct upstream_call *call;
	size_t flow_bytes; /* of the flow for the answer; 0: the answer is forgotten */
	struct flow *answer;
	unsigned heads, ends;
	struct upstream_head head;
	char headers[4096]; /* a line each */
	struct buf body;
	enum http_outcome outcome;
	const char *error;
};

static struct flow *on_head(void *owner, const struct upstream_head *head)
{
	struct told *told = owner;
	size_t len = 0;
	told->heads++;
	told->head = *head;
	for (const struct http_header *at = head->headers; at->name; at++)
		len += (size_t)snprintf(told->headers + len, sizeof told->headers - len, "%s: %s\n",
			at->name, at->value);
	told->answer = told->flow_bytes ? flow_new(told->flow_bytes, NULL) : NULL;
	return told->answer;
}

static void on_body(void *owner, struct bytes piece)
{
	struct told *told = owner;
	buf_append(&told->body, piece.at, piece.len);
}

static void on_end(void *owner, enum http_outcome outcome, const char *error)
{
	struct told *told = owner;
	told->call = NULL;
	told->ends++;
	told->outcome = outcome;
	told->error = error;
}

static const struct upstream_listener tell = { on_head, on_body, on_end };

static void open_upstream(const char *ca_file)
{
	const struct upstream_options options = {
		.ca_file = ca_file, .connections = 256, .connect_timeout_ms = LONG_MS
	};
	cr_assert(upstream_new(&options, &upstream) == 0);
}

static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert(bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 256) == 0);
	getsockname(listener, (struct sockaddr *)&at, &len);
	snprintf(origin, sizeof origin, "http://127.0.0.1:%u", ntohs(at.sin_port));
	open_upstream(NULL);
}

static void tear_down(void)
{
	upstream_free(upstream);
	close(listener);
}

TestSuite(upstream, .init = set_up, .fini = tear_down, .timeout = 120);

static void told_done(struct told *told)
{
	flow_release(told->answer);
	buf_done(&told->body);
}

/* A GET of the origin, unless the request says otherwise. */
static struct upstream_request complete(struct upstream_request request, struct told *told)
{
	static char url[128];
	snprintf(url, sizeof url, "%s/", origin);
	request.method = request.method ? request.method : "GET";
	request.url = request.url ? request.url : url;
	request.listener = &tell;
	request.owner = told;
	return request;
}

static void begin(struct told *told, size_t flow_bytes, struct upstream_request request)
{
	struct http_headers *none = http_headers_new();
	*told = (struct told){ .flow_bytes = flow_bytes };
	buf_init(&told->body, SIZE_MAX, NULL);
	request = complete(request, told);
	request.headers = request.headers ? request.headers : none;
	cr_assert(upstream_begin(upstream, &request, &told->call) == 0);
	http_headers_free(none);
}

/* Moves the calls on until `condition`, which may move the other side. */
#define UNTIL(condition) \
	for (uint64_t until_ = __real_clock_monotonic_ms() + LONG_MS; !(condition);) { \
		cr_assert(__real_clock_monotonic_ms() < until_, "in vain: %s", #condition); \
		upstream_run(upstream, 2, -1); \
	}

/* The peer's side of a connection. */
struct peer {
	int fd;
	size_t len;
	char heard[TEXT_MAX];
};

static struct peer *peer_take(void)
{
	struct peer *peer = calloc(1, sizeof *peer);
	UNTIL((peer->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
	return peer;
}

static void peer_leave(struct peer *peer)
{
	close(peer->fd);
	free(peer);
}

static void peer_reset(struct peer *peer)
{
	const struct linger at_once = { .l_onoff = 1 };
	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	peer_leave(peer);
}

/* All that came; the number of bytes that came now. */
static ssize_t peer_listen(struct peer *peer)
{
	ssize_t got = recv(peer->fd, peer->heard + peer->len, TEXT_MAX - 1 - peer->len, 0);
	if (got > 0)
		peer->len += (size_t)got;
	return got;
}

static bool peer_is_alone(struct peer *peer)
{
	ssize_t got = peer_listen(peer);
	return got == 0 || (got < 0 && errno == ECONNRESET);
}

static bool has_heard(struct peer *peer, const char *text)
{
	while (peer_listen(peer) > 0)
		;
	return strstr(peer->heard, text);
}

static void peer_forget(struct peer *peer)
{
	memset(peer->heard, 0, peer->len);
	peer->len = 0;
}

static void peer_say(struct peer *peer, const char *text)
{
	cr_assert(send(peer->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/* The whole answer to a call whose request is there. */
static void answer_shortly(struct peer *peer, struct told *told)
{
	UNTIL(has_heard(peer, "\r\n\r\n"));
	peer_forget(peer);
	peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	UNTIL(told->ends);
	cr_expect(told->outcome == HTTP_ANSWERED && told->body.len == 2);
}

/* ---- requests ---- */

Test(upstream, a_request_goes_out_as_it_came_and_nothing_is_added_but_its_host)
{
	struct http_headers *headers = http_headers_new();
	http_headers_add(headers, "x_langfuse_sdk_name", "python");
	http_headers_add(headers, "Accept-Encoding", "br");
	http_headers_add(headers, "X-Twice", "1");
	http_headers_add(headers, "x-empty", "");
	http_headers_add(headers, "X-Twice", "2");
	char url[128], expected[512];
	static const char target[] = "/a%2fb/%2e%2E/../c//./d%20?q=%2F&r=?/..&s?";
	snprintf(url, sizeof url, "%s%s", origin, target);
	snprintf(expected, sizeof expected,
		"GET %s HTTP/1.1\r\nHost: %s\r\nx_langfuse_sdk_name: python\r\n"
		"Accept-Encoding: br\r\nX-Twice: 1\r\nx-empty:\r\nX-Twice: 2\r\n\r\n",
		target, origin + strlen("http://"));
	struct told told;
	begin(&told, 0, (struct upstream_request){ .url = url, .headers = headers });
	http_headers_free(headers);
	struct peer *peer = peer_take();
	UNTIL(has_heard(peer, "\r\n\r\n"));
	cr_expect_str_eq(peer->heard, expected);
	peer_leave(peer);
}

static struct flow *flow_of(const char *text)
{
	struct flow *flow = flow_new(FLOW_BYTES, NULL);
	cr_assert(flow_write(flow, text, strlen(text)) == (ssize_t)strlen(text));
	flow_end(flow);
	return flow;
}

static const struct said_case {
	const char *method;
	const char *body;
	bool is_flow;
	int64_t length;
	const char *expected; /* behind the Host */
} said_cases[] = {
	{ "GET", NULL, false, 0, "\r\n" },
	{ "HEAD", NULL, false, 0, "\r\n" },
	{ "DELETE", NULL, false, 0, "\r\n" },
	{ "OPTIONS", NULL, false, 0, "\r\n" },
	{ "purge", NULL, false, 0, "\r\n" },
	{ "POST", NULL, false, 0, "Content-Length: 0\r\n\r\n" },
	{ "PUT", NULL, false, 0, "Content-Length: 0\r\n\r\n" },
	{ "PATCH", "body", false, 0, "Content-Length: 4\r\n\r\nbody" },
	{ "DELETE", "body", false, 0, "Content-Length: 4\r\n\r\nbody" },
	{ "POST", "body", true, 4, "Content-Length: 4\r\n\r\nbody" },
	{ "GET", "body", true, 4, "Content-Length: 4\r\n\r\nbody" },
	{ "PUT", "body", true, -1, "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n" },
};

Test(upstream, any_method_goes_out_with_any_body)
{
	for (size_t i = 0; i < sizeof said_cases / sizeof said_cases[0]; i++) {
		const struct said_case *row = &said_cases[i];
		struct flow *flow = row->is_flow ? flow_of(row->body) : NULL;
		char expected[256];
		snprintf(expected, sizeof expected, "%s / HTTP/1.1\r\nHost: %s\r\n%s", row->method,
			origin + strlen("http://"), row->expected);
		struct told told;
		begin(&told, 0,
			(struct upstream_request){ .method = row->method,
				.body = row->is_flow ? (struct bytes){ 0 } : bytes_of(row->body),
				.body_flow = flow,
				.length = row->length });
		struct peer *peer = peer_take();
		UNTIL(has_heard(peer, expected));
		cr_expect_str_eq(peer->heard, expected);
		peer_say(peer, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
		UNTIL(told.ends);
		cr_expect(told.outcome == HTTP_ANSWERED && told.head.status == 204);
		flow_release(flow);
		told_done(&told);
		peer_leave(peer);
	}
}

Test(upstream, what_would_begin_another_request_is_refused)
{
	struct http_headers *headers = http_headers_new();
	static const struct {
		const char *method, *url;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nX: y", "http://127.0.0.1/" },
		{ "", "http://127.0.0.1/" },
		{ "GET", "http://127.0.0.1/ HTTP/1.1" },
		{ "GET", "http://127.0.0.1/\r\nX: y" },
		{ "GET", "http://127.0.0.1/\x80" },
		{ "GET", "http://127.0.0.1/#part" },
		{ "GET", "file:///etc/passwd" },
	};
	struct told told = { 0 };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct upstream_request request = complete(
			(struct upstream_request){ .method = rows[i].method, .url = rows[i].url },
			&told);
		request.headers = headers;
		cr_expect(upstream_begin(upstream, &request, &told.call) == -EINVAL, "%zu", i);
	}
	struct upstream_request request = complete(
		(struct upstream_request){ .method = "HEAD", .body = BYTES("body") }, &told);
	request.headers = headers;
	cr_expect(upstream_begin(upstream, &request, &told.call) == -EINVAL);
	http_headers_free(headers);
}

/* ---- answers ---- */

Test(upstream, the_head_comes_before_the_body_with_every_header_in_its_order)
{
	struct told told;
	begin(&told, FLOW_BYTES, (struct upstream_request){ 0 });
	struct peer *peer = peer_take();
	UNTIL(has_heard(peer, "\r\n\r\n"));
	peer_say(peer,
		"HTTP/1.1 100 Continue\r\nX-Not: this\r\n\r\n"
		"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
		"HTTP/1.1 429 Slow Down\r\nSet-Cookie: a=1\r\nX_Under:  b \r\nset-cookie: c=2\r\n"
		"Retry-After: 17\r\nTransfer-Encoding: chunked\r\n\r\n");
	UNTIL(told.heads);
	cr_expect(told.head.status == 429 && told.head.length == -1);
	cr_expect_str_eq(told.head.retry_after, "17");
	cr_expect_str_eq(told.headers,
		"Set-Cookie: a=1\nX_Under: b\nset-cookie: c=2\n"
		"Retry-After: 17\nTransfer-Encoding: chunked\n");

	/* Events pass one by one, and trailers are not headers. */
	char piece[8];
	peer_say(peer, "3\r\none\r\n");
	UNTIL(told.body.len == 3);
	cr_expect(flow_read(told.answer, piece, sizeof piece) == 3);
	cr_expect(flow_read(told.answer, piece, sizeof piece) == FLOW_NOTHING_YET);
	peer_say(peer, "3\r\ntwo\r\n0\r\nX-Trailer: late\r\n\r\n");
	UNTIL(told.ends);
	cr_expect(told.heads == 1 && told.outcome == HTTP_ANSWERED && !told.error);
	cr_expect(flow_read(told.answer, piece, sizeof piece) == 3);
	cr_expect(flow_read(told.answer, piece, sizeof piece) == FLOW_ENDED);
	told_done(&told);
	peer_leave(peer);
}

Test(upstream, an_answer_to_head_has_a_length_and_no_body)
{
	struct told told;
	begin(&told, FLOW_BYTES, (struct upstream_request){ .method = "HEAD" });
	struct peer *peer = peer_take();
	UNTIL(has_heard(peer, "\r\n\r\n"));
	peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	UNTIL(told.ends);
	cr_expect(told.outcome == HTTP_ANSWERED && told.head.length == 1000 && !told.body.len);
	told_done(&told);
	peer_leave(peer);
}

Test(upstream, headers_without_end_are_not_kept)
{
	static const char *const lines[] = { "HTTP/1.1 200 OK\r\nX-0: a\r\n", "X: y\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" };
	for (size_t i = 1; i < 3; i++) {
		struct told told;
		begin(&told, 0, (struct upstream_request){ 0 });
		struct peer *peer = peer_take();
		UNTIL(has_heard(peer, "\r\n\r\n"));
		if (i == 1)
			peer_say(peer, lines[0]);
		UNTIL(told.ends ||
			(send(peer->fd, lines[i], strlen(lines[i]), MSG_NOSIGNAL) < 0 && false));
		cr_expect(told.outcome == HTTP_FAILED && !told.heads);
		cr_expect_str_eq(told.error, "the headers of the answer are too large");
		told_done(&told);
		peer_leave(peer);
	}
}

static void expect_failure(const char *answer, unsigned heads)
{
	struct told told;
	begin(&told, FLOW_BYTES, (struct upstream_request){ 0 });
	struct peer *peer = peer_take();
	UNTIL(has_heard(peer, "\r\n\r\n"));
	peer_say(peer, answer);
	shutdown(peer->fd, SHUT_WR);
	UNTIL(told.ends);
	char piece[8];
	cr_expect(told.outcome == HTTP_FAILED && told.error && told.heads == heads, "%s", answer);
	cr_expect(
		!heads || flow_read(told.answer, piece, sizeof piece) == FLOW_BROKEN, "%s", answer);
	told_done(&told);
	peer_leave(peer);
}

Test(upstream, an_answer_that_breaks_off_is_a_failure_and_its_flow_is_broken)
{
	expect_failure("", 0);
	expect_failure("HTTP/1.1 100 Continue\r\n\r\n", 0);
	expect_failure("HTTP/1.1 200 OK\r\nX: y", 0);
	expect_failure("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", 1);
	expect_failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", 1);
	expect_failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n", 1);
}

Test(upstream, a_peer_that_is_not_there_is_a_failure)
{
	struct told told;
	begin(&told, 0, (struct upstream_request){ .url = "http://127.0.0.1:1/" });
	UNTIL(told.ends);
	cr_expect(told.outcome == HTTP_FAILED && told.error && !told.heads);
	told_done(&told);
}

/* ---- flows ---- */

static uint8_t byte_at(size_t offset)
{
	return (uint8_t)(offset * 2654435761u >> 13);
}

static size_t resident_bytes(void)
{
	size_t pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	cr_assert(file && fscanf(file, "%*u %zu", &pages) == 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* What is freed is not to be kept for the sanitizer's sake where the process is measured. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=1";
}

/* What comes back of what was sent; nothing of it is kept. */
struct echo {
	struct upstream_call *call;
	struct flow *sent, *returned;
	size_t sent_bytes, returned_bytes, total_bytes;
	bool is_over, is_right;
	enum http_outcome outcome;
};

static struct flow *echo_head(void *owner, const struct upstream_head *head)
{
	struct echo *echo = owner;
	cr_expect(head->length == (int64_t)echo->total_bytes);
	return echo->returned;
}

static void echo_end(void *owner, enum http_outcome outcome, const char *error)
{
	struct echo *echo = owner;
	echo->is_over = true;
	echo->outcome = outcome;
}

static void echo_send(struct echo *echo)
{
	uint8_t bytes[4096];
	ssize_t put = 1;
	while (put > 0 && echo->sent_bytes < echo->total_bytes) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = byte_at(echo->sent_bytes + i);
		put = flow_write(echo->sent, bytes, sizeof bytes);
		echo->sent_bytes += put > 0 ? (size_t)put : 0;
	}
	if (echo->sent_bytes == echo->total_bytes)
		flow_end(echo->sent);
}

static void echo_receive(struct echo *echo)
{
	uint8_t bytes[4096];
	ssize_t got;
	while ((got = flow_read(echo->returned, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < got; i++)
			echo->is_right &= bytes[i] == byte_at(echo->returned_bytes++);
}

static void peer_echo(struct peer *peer)
{
	peer_listen(peer);
	ssize_t put = send(peer->fd, peer->heard, peer->len, MSG_NOSIGNAL);
	if (put > 0) {
		peer->len -= (size_t)put;
		memmove(peer->heard, peer->heard + put, peer->len);
	}
}

Test(upstream, large_bodies_pass_both_ways_at_once_in_little_memory)
{
	enum { TOTAL_BYTES = 96 << 20, GROWTH_MAX_BYTES = 24 << 20 };
	static const struct upstream_listener listen_to_echo = { echo_head, NULL, echo_end };
	struct echo echo = { .sent = flow_new(FLOW_BYTES, NULL),
		.returned = flow_new(10000, NULL), /* less than curl has at a time */
		.total_bytes = TOTAL_BYTES,
		.is_right = true };
	struct http_headers *headers = http_headers_new();
	struct upstream_request request = complete(
		(struct upstream_request){
			.method = "POST", .body_flow = echo.sent, .length = TOTAL_BYTES },
		NULL);
	request.headers = headers;
	request.listener = &listen_to_echo;
	request.owner = &echo;
	cr_assert(upstream_begin(upstream, &request, &echo.call) == 0);
	http_headers_free(headers);
	struct peer *peer = peer_take();
	UNTIL(has_heard(peer, "\r\n\r\n"));
	size_t head_bytes = (size_t)(strstr(peer->heard, "\r\n\r\n") + 4 - peer->heard);
	peer->len -= head_bytes;
	memmove(peer->heard, peer->heard + head_bytes, peer->len);
	char head[128];
	snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", TOTAL_BYTES);
	peer_say(peer, head);

	size_t before = resident_bytes();
	while (!echo.is_over) {
		echo_send(&echo);
		peer_echo(peer);
		echo_receive(&echo);
		upstream_moved(echo.call);
		upstream_run(upstream, 0, -1);
	}
	echo_receive(&echo);
	cr_expect(echo.outcome == HTTP_ANSWERED && echo.is_right);
	cr_expect(echo.returned_bytes == TOTAL_BYTES);
	cr_expect(resident_bytes() < before + GROWTH_MAX_BYTES);
	flow_release(echo.sent);
	flow_release(echo.returned);
	peer_leave(peer);
}

Test(upstream, a_client_that_does_not_read_holds_up_its_own_peer_alone)
{
	static char flood[TEXT_MAX];
	memset(flood, 'f', sizeof flood);
	struct told slow, quick;
	begin(&slow, 1000, (struct upstream_request){ 0 });
	struct peer *flooder = peer_take();
	UNTIL(has_heard(flooder, "\r\n\r\n"));
	peer_say(flooder, "HTTP/1.1 200 OK\r\n\r\n");
	size_t said = 0, before;
	do { /* until not even the sockets take any more */
		before = said;
		for (size_t i = 0; i < 10; i++) {
			ssize_t put = send(flooder->fd, flood, sizeof flood, MSG_NOSIGNAL);
			said += put > 0 ? (size_t)put : 0;
			upstream_run(upstream, 2, -1);
		}
	} while (said > before && said < 64 << 20);
	cr_expect(said < 64 << 20);
	cr_expect(slow.body.len == 1000, "%zu", slow.body.len);

	begin(&quick, FLOW_BYTES, (struct upstream_request){ 0 });
	struct peer *peer = peer_take();
	answer_shortly(peer, &quick);

	/* It goes on where it stood, and nothing comes twice. */
	shutdown(flooder->fd, SHUT_WR);
	size_t got = 0;
	char bytes[4096];
	for (ssize_t some; (some = flow_read(slow.answer, bytes, sizeof bytes)) != FLOW_ENDED;) {
		got += some > 0 ? (size_t)some : 0;
		if (slow.call)
			upstream_moved(slow.call);
		upstream_run(upstream, 0, -1);
	}
	cr_expect(got == said && slow.body.len == said && slow.outcome == HTTP_ANSWERED);
	told_done(&slow);
	told_done(&quick);
	peer_leave(peer);
	peer_leave(flooder);
}

Test(upstream, a_body_that_breaks_off_breaks_the_request)
{
	static const char *const bodies[] = { "half", "" };
	for (size_t i = 0; i < 4; i++) {
		struct flow *flow = flow_new(FLOW_BYTES, NULL);
		flow_write(flow, bodies[i % 2], strlen(bodies[i % 2]));
		struct told told;
		begin(&told, FLOW_BYTES,
			(struct upstream_request){
				.method = "POST", .body_flow = flow, .length = i < 2 ? 8 : -1 });
		struct peer *peer = peer_take();
		UNTIL(has_heard(peer, bodies[i % 2]) && has_heard(peer, "\r\n\r\n"));
		flow_break(flow);
		upstream_moved(told.call);
		UNTIL(told.ends);
		cr_expect(told.outcome == HTTP_UNWANTED && !told.heads);
		cr_expect_str_eq(told.error, "the body broke off on its way here");
		UNTIL(peer_is_alone(peer));
		cr_expect(!strstr(peer->heard, "0\r\n\r\n"), "the peer must not take it for whole");
		flow_release(flow);
		told_done(&told);
		peer_leave(peer);
	}
}

Test(upstream, a_body_never_has_another_length_than_was_announced)
{
	struct flow *flow = flow_of("shorter");
	struct told told;
	begin(&told, 0,
		(struct upstream_request){ .method = "POST", .body_flow = flow, .length = 8 });
	struct peer *peer = peer_take();
	UNTIL(told.ends);
	cr_expect(told.outcome == HTTP_UNWANTED);
	flow_release(flow);
	told_done(&told);
	peer_leave(peer);

	flow = flow_of("longerPOST / HTTP/1.1");
	begin(&told, 0,
		(struct upstream_request){ .method = "POST", .body_flow = flow, .length = 6 });
	peer = peer_take();
	UNTIL(has_heard(peer, "longer"));
	peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	UNTIL(told.ends);
	cr_expect(!has_heard(peer, "longerP"));
	flow_release(flow);
	told_done(&told);
	peer_leave(peer);
}

static void expect_unwanted(const char *before, const char *after)
{
	struct told told;
	begin(&told, 3, (struct upstream_request){ 0 });
	struct peer *peer = peer_take();
	UNTIL(has_heard(peer, "\r\n\r\n"));
	peer_say(peer, "HTTP/1.1 200 OK\r\n\r\n");
	peer_say(peer, before);
	UNTIL(told.heads && told.body.len == strlen(before) / 4 * 3);
	flow_break(told.answer);
	upstream_moved(told.call);
	peer_say(peer, after);
	UNTIL(told.ends);
	cr_expect(told.outcome == HTTP_UNWANTED && told.body.len <= 3);
	told_done(&told);
	peer_leave(peer);
}

Test(upstream, an_answer_that_nobody_wants_any_more_ends_the_call)
{
	expect_unwanted("", "more");
	expect_unwanted("full", "");
}

Test(upstream, an_early_refusal_is_the_answer_though_the_body_has_not_ended)
{
	for (int64_t length = -1; length <= 8; length += 9) {
		struct flow *flow = flow_new(FLOW_BYTES, NULL);
		flow_write(flow, "half", 4);
		struct told told;
		begin(&told, FLOW_BYTES,
			(struct upstream_request){
				.method = "POST", .body_flow = flow, .length = length });
		struct peer *peer = peer_take();
		UNTIL(has_heard(peer, "half"));
		peer_say(peer, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n");
		UNTIL(told.heads);
		peer_say(peer, "no");
		UNTIL(told.ends);
		cr_expect(told.outcome == HTTP_ANSWERED && told.head.status == 413);
		cr_expect(told.body.len == 2);
		cr_expect(flow_write(flow, "rest", 4) == -EPIPE, "nobody reads it any more");
		UNTIL(peer_is_alone(peer));
		flow_release(flow);
		told_done(&told);
		peer_leave(peer);
	}
}

/* ---- time ---- */

/* Lets time pass without the peer; whether the call lives on. */
static bool outlives(const struct told *told, uint64_t ms)
{
	added_ms += ms;
	for (uint64_t until = __real_clock_monotonic_ms() + 20;
		__real_clock_monotonic_ms() < until;)
		upstream_run(upstream, 1, -1);
	return told->call;
}

Test(upstream, a_peer_has_so_long_to_the_head_whatever_it_says_before)
{
	struct told told;
	begin(&told, FLOW_BYTES,
		(struct upstream_request){
			.head_timeout_ms = 1000000, .silence_timeout_ms = 900000 });
	struct peer *peer = peer_take();
	UNTIL(has_heard(peer, "\r\n\r\n"));
	cr_expect(outlives(&told, 600000));
	peer_say(peer, "HTTP/1.1 102 Processing\r\n\r\n");
	cr_expect(!outlives(&told, 600000));
	cr_expect(told.outcome == HTTP_LATE && told.error && !told.heads);
	told_done(&told);
	peer_leave(peer);
}

Test(upstream, a_silent_peer_is_left_and_one_that_drips_is_not)
{
	struct told told;
	begin(&told, FLOW_BYTES, (struct upstream_request){ .silence_timeout_ms = 900000 });
	struct peer *peer = peer_take();
	UNTIL(has_heard(peer, "\r\n\r\n"));
	cr_expect(outlives(&told, 600000));
	peer_say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	UNTIL(told.heads);
	for (size_t i = 1; i <= 3; i++) {
		cr_expect(outlives(&told, 600000));
		peer_say(peer, "1\r\nx\r\n");
		UNTIL(told.body.len == i);
	}
	upstream_allow_silence(told.call, 2000000);
	cr_expect(outlives(&told, 1800000), "what it turns out to be may change that");
	cr_expect(!outlives(&told, 400000));
	char piece[8];
	cr_expect(told.outcome == HTTP_LATE && told.heads);
	cr_expect(flow_read(told.answer, piece, sizeof piece) == FLOW_BROKEN);
	told_done(&told);
	peer_leave(peer);
}

Test(upstream, a_peer_is_not_blamed_for_a_slow_client)
{
	struct flow *flow = flow_new(FLOW_BYTES, NULL);
	flow_write(flow, "half", 4);
	struct told told;
	begin(&told, 4,
		(struct upstream_request){ .method = "POST",
			.body_flow = flow,
			.length = 8,
			.silence_timeout_ms = 900000 });
	struct peer *peer = peer_take();
	UNTIL(has_heard(peer, "half"));
	cr_expect(outlives(&told, 3000000), "the body is awaited from the client");
	flow_write(flow, "half", 4);
	flow_end(flow);
	upstream_moved(told.call);
	UNTIL(has_heard(peer, "halfhalf"));
	cr_expect(outlives(&told, 600000));
	peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer");
	UNTIL(told.body.len == 4);
	cr_expect(outlives(&told, 3000000), "the client does not read");
	char piece[8];
	cr_expect(flow_read(told.answer, piece, sizeof piece) == 4);
	upstream_moved(told.call);
	UNTIL(told.ends);
	cr_expect(told.outcome == HTTP_ANSWERED && told.body.len == 6);
	flow_release(flow);
	told_done(&told);
	peer_leave(peer);
}

Test(upstream, a_peer_that_takes_the_body_in_small_bites_is_not_silent)
{
	enum { BODY_BYTES = 32 << 20 };
	uint8_t *body = calloc(1, BODY_BYTES);
	struct told told;
	begin(&told, FLOW_BYTES,
		(struct upstream_request){ .method = "POST",
			.body = { body, BODY_BYTES },
			.silence_timeout_ms = 900000 });
	struct peer *peer = peer_take();
	for (size_t bite = 0; bite < 4; bite++) {
		for (size_t heard = 0; heard < BODY_BYTES / 8; heard += peer->len) {
			peer->len = 0;
			UNTIL(peer_listen(peer) > 0);
		}
		cr_assert(outlives(&told, 600000));
	}
	cr_expect(outlives(&told, 600000), "what the sockets hold counts as taken");
	/* They may take a little more by themselves, now and then, but not for ever. */
	unsigned moves = 0;
	while (moves < 100 && outlives(&told, 1000000))
		moves++;
	cr_expect(told.outcome == HTTP_LATE);
	told_done(&told);
	peer_leave(peer);
	free(body);
}

/* ---- connections ---- */

Test(upstream, a_connection_is_used_again_and_one_that_was_closed_is_not_missed)
{
	struct told told;
	begin(&told, 0, (struct upstream_request){ 0 });
	struct peer *peer = peer_take();
	answer_shortly(peer, &told);
	told_done(&told);
	begin(&told, 0, (struct upstream_request){ 0 });
	answer_shortly(peer, &told);
	told_done(&told);
	peer_leave(peer);

	begin(&told, 0, (struct upstream_request){ 0 });
	peer = peer_take();
	answer_shortly(peer, &told);
	told_done(&told);

	/* It closes while the request is on its way. */
	begin(&told, 0, (struct upstream_request){ .method = "PUT", .body = BYTES("body") });
	UNTIL(has_heard(peer, "body"));
	peer_leave(peer);
	peer = peer_take();
	UNTIL(has_heard(peer, "body"));
	answer_shortly(peer, &told);
	told_done(&told);
	peer_leave(peer);
}

static void expect_sent_once(const char *body, const char *rest, int64_t length, bool is_heard)
{
	struct told told;
	begin(&told, 0, (struct upstream_request){ 0 });
	struct peer *peer = peer_take();
	answer_shortly(peer, &told);
	told_done(&told);

	struct flow *flow = flow_new(FLOW_BYTES, NULL);
	flow_write(flow, body, strlen(body));
	begin(&told, 0,
		(struct upstream_request){ .method = "POST", .body_flow = flow, .length = length });
	UNTIL(has_heard(peer, "\r\n\r\n") && (!is_heard || has_heard(peer, body)));
	peer_reset(peer);
	flow_write(flow, rest, strlen(rest));
	flow_end(flow);
	upstream_moved(told.call);
	UNTIL(told.ends);
	cr_expect(told.outcome == HTTP_FAILED && told.error);

	/* curl may notice only after it has connected again. */
	static struct peer again;
	again.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	cr_expect(again.fd < 0 || (peer_is_alone(&again) && again.len == 0));
	if (again.fd >= 0)
		close(again.fd);
	flow_release(flow);
	told_done(&told);
}

Test(upstream, a_body_of_which_some_is_gone_is_not_sent_a_second_time)
{
	expect_sent_once("whole", "", 5, true);
	expect_sent_once("half", "half", 8, true);
	expect_sent_once("half", "half", -1, true);
	expect_sent_once("half", "", -1, true);
	unsendable = "4\r\nhalf\r\n"; /* taken from the flow, and never on its way */
	expect_sent_once("half", "", -1, false);
}

static bool is_broken(struct flow *flow)
{
	char piece[8];
	return flow_read(flow, piece, sizeof piece) == FLOW_BROKEN;
}

Test(upstream, a_call_can_be_left_at_any_time)
{
	enum { UNTOUCHED, CONNECTED, SENDING, ANSWERING, FULL, STATES };
	for (unsigned state = UNTOUCHED; state < STATES; state++) {
		struct flow *flow = flow_new(FLOW_BYTES, NULL);
		flow_write(flow, "half", 4);
		struct told told;
		begin(&told, 4,
			(struct upstream_request){
				.method = "POST", .body_flow = flow, .length = 8 });
		struct peer *peer = state >= CONNECTED ? peer_take() : NULL;
		if (state >= SENDING)
			UNTIL(has_heard(peer, "half"));
		if (state >= ANSWERING)
			peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
		if (state >= ANSWERING)
			UNTIL(told.heads);
		if (state >= FULL)
			peer_say(peer, "full up");
		if (state >= FULL)
			UNTIL(told.body.len == 4);
		upstream_cancel(told.call);
		cr_expect(is_broken(flow) && told.ends == 0, "%u", state);
		cr_expect(!told.answer || is_broken(told.answer), "%u", state);
		if (peer)
			UNTIL(peer_is_alone(peer));
		flow_release(flow);
		told_done(&told);
		if (peer)
			peer_leave(peer);
	}
}

Test(upstream, two_hundred_streams_run_side_by_side)
{
	enum { STREAMS = 200, EVENTS = 5 };
	static struct told told[STREAMS];
	static struct peer *peers[STREAMS];
	for (size_t i = 0; i < STREAMS; i++)
		begin(&told[i], FLOW_BYTES, (struct upstream_request){ 0 });
	for (size_t i = 0; i < STREAMS; i++) {
		peers[i] = peer_take();
		UNTIL(has_heard(peers[i], "\r\n\r\n"));
		peer_say(peers[i], "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
	}
	for (size_t event = 1; event <= EVENTS; event++) {
		for (size_t i = 0; i < STREAMS; i++)
			peer_say(peers[i], "data: x\n\n");
		for (size_t i = 0; i < STREAMS; i++)
			UNTIL(told[i].body.len == event * 9);
	}
	for (size_t i = 0; i < STREAMS / 2; i++)
		peer_leave(peers[i]);
	for (size_t i = 0, ended = 0; ended < STREAMS / 2; i = (i + 1) % STREAMS) {
		if (i == 0)
			upstream_run(upstream, 10, -1);
		ended = i == 0 ? 0 : ended;
		ended += told[i].ends;
	}
	upstream_free(upstream);
	open_upstream(NULL);
	size_t answered = 0;
	for (size_t i = 0; i < STREAMS; i++) {
		char events[EVENTS * 9];
		if (told[i].ends)
			answered += told[i].outcome == HTTP_ANSWERED &&
				flow_read(told[i].answer, events, sizeof events) == sizeof events;
		else
			cr_expect(is_broken(told[i].answer));
		told_done(&told[i]);
	}
	cr_expect(answered == STREAMS / 2);
	for (size_t i = STREAMS / 2; i < STREAMS; i++)
		peer_leave(peers[i]);
}

static void *wake(void *arg)
{
	upstream_wake(upstream);
	return NULL;
}

Test(upstream, waits_no_longer_than_for_a_wake_or_another_descriptor)
{
	int pipe_fds[2];
	cr_assert(pipe(pipe_fds) == 0 && write(pipe_fds[1], "", 1) == 1);
	uint64_t began = __real_clock_monotonic_ms();
	upstream_run(upstream, LONG_MS, pipe_fds[0]);
	upstream_wake(upstream);
	upstream_run(upstream, LONG_MS, -1);
	pthread_t thread;
	pthread_create(&thread, NULL, wake, NULL);
	upstream_run(upstream, LONG_MS, -1);
	pthread_join(thread, NULL);
	cr_expect(__real_clock_monotonic_ms() - began < LONG_MS / 2);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

Test(upstream, a_certificate_is_verified)
{
	struct tls_peer peer;
	tls_peer_start(&peer, TLS_ANSWERS);
	struct told told;
	begin(&told, FLOW_BYTES, (struct upstream_request){ .url = peer.url });
	UNTIL(told.ends);
	cr_expect(told.outcome == HTTP_UNTRUSTED && told.error && !told.heads);
	told_done(&told);

	upstream_free(upstream);
	open_upstream(peer.files.ca_file);
	begin(&told, FLOW_BYTES, (struct upstream_request){ .url = peer.url });
	UNTIL(told.ends);
	cr_expect(told.outcome == HTTP_ANSWERED && told.head.status == 200, "%s", told.error);
	told_done(&told);
	tls_peer_stop(&peer);
}

/* What curl has decrypted and not handed over yet is not to be seen at the socket. */
Test(upstream, a_long_answer_passes_through_tls_as_it_is_read)
{
	struct tls_peer peer;
	struct told told;
	static char answer[TLS_FLOOD_BYTES];
	size_t len = 0, right = 0;
	tls_peer_start(&peer, TLS_FLOODS);
	upstream_free(upstream);
	open_upstream(peer.files.ca_file);
	begin(&told, 5000, (struct upstream_request){ .url = peer.url });
	UNTIL(told.heads);
	for (ssize_t got;
		(got = flow_read(told.answer, answer + len, sizeof answer - len)) != FLOW_ENDED;) {
		len += got > 0 ? (size_t)got : 0;
		if (told.call && got > 0)
			upstream_moved(told.call);
		upstream_run(upstream, got > 0 ? 0 : LONG_MS, -1);
		cr_assert(got != FLOW_BROKEN);
	}
	for (size_t at = 0; at < len; at += TLS_PIECE_BYTES)
		right += strtoul(answer + at, NULL, 10) == at / TLS_PIECE_BYTES;
	cr_expect(len == sizeof answer && right == sizeof answer / TLS_PIECE_BYTES);
	cr_expect(told.outcome == HTTP_ANSWERED);
	told_done(&told);
	tls_peer_stop(&peer);
}
