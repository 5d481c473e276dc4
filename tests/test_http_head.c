/* Requests that are meant to be read in two ways, and what is told of those that are not. */
#include "http/head.h"
#include "http/server.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "support/http_peer.h"

TestSuite(http_head, .timeout = 60);

Test(http_head, a_path_is_what_was_sent_without_needless_escapes)
{
	static const struct {
		const char *target, *path; /* NULL: refused */
	} cases[] = {
		{ "/", "/" },
		{ "/a/b", "/a/b" },
		{ "/a/", "/a/" },
		{ "/a?b=//../c", "/a" },
		{ "/?", "/" },
		{ "/%61%2D%2e%5F%7e%41", "/a-._~A" },
		{ "/a%2Fb%20c", "/a%2Fb%20c" },
		{ "/a%2f%2fb", "/a%2f%2fb" },
		{ "/...", "/..." },
		{ "/.a/a./..a", "/.a/a./..a" },
		{ "/%C3%A9", "/%C3%A9" },
		{ "/{\"a\":[1|2]}", "/{\"a\":[1|2]}" },
		{ "/%252e%252e/", "/%252e%252e/" },
		{ "", NULL },
		{ "*", NULL },
		{ "a/b", NULL },
		{ "http://localhost/a", NULL },
		{ "localhost:443", NULL },
		{ "//", NULL },
		{ "//a", NULL },
		{ "/a//b", NULL },
		{ "/a//", NULL },
		{ "/.", NULL },
		{ "/./a", NULL },
		{ "/a/..", NULL },
		{ "/a/../b", NULL },
		{ "/a/%2e%2E/b", NULL },
		{ "/a/.%2e", NULL },
		{ "/%2e", NULL },
		{ "/a%2F..%2Fb", NULL },
		{ "/a/..%2fb", NULL },
		{ "/a%5c..%5Cb", NULL },
		{ "/a\\..\\b", NULL },
		{ "/a#b", NULL },
		{ "/a b", NULL },
		{ "/a\tb", NULL },
		{ "/a\x7f", NULL },
		{ "/\xc3\xa9", NULL },
		{ "/a%00b", NULL },
		{ "/a?b=%00", NULL },
		{ "/a?b=%", NULL },
		{ "/a?b=\x01", NULL },
		{ "/%", NULL },
		{ "/%4", NULL },
		{ "/%4g", NULL },
		{ "/%g4", NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf path;
		buf_init(&path, 1000, NULL);
		const char *why = http_target_path(cases[i].target, &path);
		cr_expect_eq(why == NULL, cases[i].path != NULL, "%s: %s", cases[i].target, why);
		if (!why && cases[i].path)
			cr_expect_str_eq((char *)path.at, cases[i].path);
		buf_done(&path);
	}
}

static bool add_line(void *text, const char *name, const char *value)
{
	buf_printf(text, "%s=%s;", name, value);
	return true;
}

/* Says what it was asked. */
static void tell(struct http_request *request, struct bytes body, void *owner)
{
	struct buf text;
	buf_init(&text, 4000, NULL);
	buf_printf(&text, "%s %s %s %s %lld ", (const char *)owner, http_request_method(request),
		http_request_target(request), http_request_path(request),
		(long long)http_request_length(request));
	http_request_each_header(request, add_line, &text);
	buf_printf(&text, " %s %s ", http_request_is_local(request) ? "local" : "remote",
		(const char *)http_request_caller(request));
	buf_append(&text, body.at, body.len);
	http_reply(request, 200, "text/plain", buf_bytes(&text), NULL);
	buf_done(&text);
}

static const struct http_route routes[] = {
	{ .method = "POST", .path = "/only", .handle = tell, .owner = "only" },
	{ .method = "POST", .path = "/api/own", .handle = tell, .owner = "own" },
	{ .method = NULL, .path = "/api/", .handle = tell, .owner = "api" },
	{ .method = "GET", .path = "/page/", .handle = tell, .owner = "page" },
	{ .method = "POST", .path = "/", .handle = tell, .owner = "root" },
};

static unsigned admit(struct http_request *request, void *owner, const char **ret_why,
	const struct http_header **ret_headers)
{
	static const struct http_header challenge[] = { { "WWW-Authenticate", "Basic" },
		{ NULL, NULL } };
	const char *key = http_request_header(request, "Key");
	if (key && strcmp(key, "wrong") == 0) {
		*ret_why = "who?";
		*ret_headers = challenge;
		return 401;
	}
	http_request_set_caller(request, key ? owner : "nobody");
	return 0;
}

static struct http_server *start(void)
{
	struct http_server_options options = {
		.listen = "127.0.0.1:0",
		.routes = routes,
		.route_count = sizeof routes / sizeof routes[0],
		.threads = 1,
		.max_connections = 16,
		.request_timeout_ms = 20000,
		.idle_timeout_ms = 20000,
		.max_body_bytes = 1000,
		.admit = admit,
		.admit_owner = "somebody",
	};
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

Test(http_head, what_stands_in_a_request_is_known_as_it_came)
{
	struct http_server *server = start();
	struct peer peer = connected(server);
	peer_send_text(&peer,
		"BREW /api/v2/%7Eme%2Fyou?a=%2F+b&c HTTP/1.1\r\nHost: t\r\nx_under: 1\r\n"
		"Key: k\r\nX-Twice: a\r\nX-Twice:\t b \r\nX-Empty:\r\nContent-Length: 4\r\n\r\nbody");
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply.body,
		"api BREW /api/v2/%7Eme%2Fyou?a=%2F+b&c /api/v2/~me%2Fyou 4 Host=t;x_under=1;Key=k;"
		"X-Twice=a;X-Twice=b ;X-Empty=;Content-Length=4; local somebody body");
	peer_send_text(&peer,
		"PUT /api HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 127.0.0.1\r\n"
		"Transfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: y\r\n\r\n");
	reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply.body,
		"api PUT /api /api -1 Host=t;X-Forwarded-For=127.0.0.1;Transfer-Encoding=Chunked; "
		"remote nobody x");
	peer_close(&peer);
	http_server_free(server);
}

Test(http_head, the_first_route_that_fits_is_taken)
{
	static const struct {
		const char *line;
		int status;
		const char *route; /* or the methods allowed */
	} cases[] = {
		{ "POST /api/own", 200, "own" },
		{ "POST /api/own/", 200, "own" },
		{ "GET /api/own", 200, "api" },
		{ "POST /api/own/x", 200, "api" },
		{ "DELETE /api", 200, "api" },
		{ "OPTIONS /api/", 200, "api" },
		{ "GET /api/a/b/", 200, "api" },
		{ "GET /api%2Fa", 404, NULL },
		{ "GET /apis", 404, NULL },
		{ "GET /ap", 404, NULL },
		{ "POST /only", 200, "only" },
		{ "POST /%6fnly", 200, "only" },
		{ "POST /ONLY", 404, NULL },
		{ "post /only", 405, "POST" },
		{ "POST /only/x", 404, NULL },
		{ "GET /only", 405, "POST" },
		{ "GET /page", 200, "page" },
		{ "GET /page/x?y", 200, "page" },
		{ "PUT /page/x", 405, "GET" },
		{ "POST /", 200, "root" },
		{ "POST /?x", 200, "root" },
		{ "GET /", 405, "POST" },
		{ "POST /x", 404, NULL },
	};
	struct http_server *server = start();
	struct peer peer = connected(server);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *line = cases[i].line;
		peer_printf(&peer, "%s HTTP/1.1\r\nHost: t\r\n\r\n", line);
		struct peer_reply reply = peer_reply(&peer);
		cr_expect_eq(reply.status, cases[i].status, "%s: %d", line, reply.status);
		if (reply.status == 200)
			cr_expect_eq(strncmp(reply.body, cases[i].route, strlen(cases[i].route)), 0,
				"%s: %s", line, reply.body);
		if (reply.status == 405)
			cr_expect(reply_has(&reply, "Allow", cases[i].route), "%s", line);
	}
	peer_close(&peer);
	http_server_free(server);
}

Test(http_head, who_is_not_admitted_does_not_learn_what_is_there)
{
	static const char *const paths[] = { "/only", "/nowhere", "/api/x" };
	struct http_server *server = start();
	struct peer peer = connected(server);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		peer_printf(&peer, "POST %s HTTP/1.1\r\nHost: t\r\nKey: wrong\r\n\r\n", paths[i]);
		struct peer_reply reply = peer_reply(&peer);
		cr_expect_eq(reply.status, 401);
		cr_expect_str_eq(reply.body, "who?");
		cr_expect(reply_has(&reply, "WWW-Authenticate", "Basic"));
	}
	peer_close(&peer);
	http_server_free(server);
}

#define ONLY "POST /only HTTP/1.1\r\nHost: t\r\n"
#define NO_CHUNKS "\r\n\r\n0\r\n\r\n"

/* Follows each attempt, and must never be taken for a request. */
#define HIDDEN ONLY "X-Hidden: 1\r\n\r\n"

Test(http_head,
	a_request_that_others_could_read_differently_is_refused_and_nothing_behind_it_is_read)
{
	static const struct {
		const char *what;
		struct bytes bytes;
	} attempts[] = {
		{ "two lengths", BYTES(ONLY "Content-Length: 0\r\nContent-Length: 5\r\n\r\n") },
		{ "the same length twice",
			BYTES(ONLY "Content-Length: 0\r\nContent-Length: 0\r\n\r\n") },
		{ "a list of lengths", BYTES(ONLY "Content-Length: 0, 0\r\n\r\n") },
		{ "a length with a sign", BYTES(ONLY "Content-Length: +0\r\n\r\n") },
		{ "a length in hexadecimal", BYTES(ONLY "Content-Length: 0x0\r\n\r\n") },
		{ "no length", BYTES(ONLY "Content-Length:\r\n\r\n") },
		{ "length and chunks",
			BYTES(ONLY "Content-Length: 5\r\nTransfer-Encoding: chunked" NO_CHUNKS) },
		{ "chunks and length",
			BYTES(ONLY "Transfer-Encoding: chunked\r\nContent-Length: 5" NO_CHUNKS) },
		{ "chunks twice",
			BYTES(ONLY
				"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked" NO_CHUNKS) },
		{ "chunks and identity",
			BYTES(ONLY
				"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity" NO_CHUNKS) },
		{ "xchunked", BYTES(ONLY "Transfer-Encoding: xchunked" NO_CHUNKS) },
		{ "chunked, chunked", BYTES(ONLY "Transfer-Encoding: chunked, chunked" NO_CHUNKS) },
		{ "gzip, chunked", BYTES(ONLY "Transfer-Encoding: gzip, chunked" NO_CHUNKS) },
		{ "identity", BYTES(ONLY "Transfer-Encoding: identity\r\n\r\n") },
		{ "a vertical tab before chunked",
			BYTES(ONLY "Transfer-Encoding: \x0b"
				   "chunked" NO_CHUNKS) },
		{ "a blank behind chunked", BYTES(ONLY "Transfer-Encoding: chunked " NO_CHUNKS) },
		{ "chunks in HTTP/1.0",
			BYTES("POST /only HTTP/1.0\r\nHost: t\r\nTransfer-Encoding: chunked" NO_CHUNKS) },
		{ "a blank before the colon", BYTES(ONLY "Content-Length : 5\r\n\r\n") },
		{ "a tab before the colon", BYTES(ONLY "Transfer-Encoding\t: chunked\r\n\r\n") },
		{ "a folded line", BYTES(ONLY "X: y\r\n z\r\n\r\n") },
		{ "a line folded into another's name",
			BYTES(ONLY "Transfer: chunked\r\n -Encoding" NO_CHUNKS) },
		{ "a folded last line", BYTES(ONLY "Content: 5\r\n\t-Length\r\n\r\n") },
		{ "a first line that is folded",
			BYTES("POST /only HTTP/1.1\r\n X: y\r\nHost: t\r\n\r\n") },
		{ "a line feed alone behind a value",
			BYTES(ONLY "X: y\nContent-Length: 5\r\n\r\n") },
		{ "a line feed alone behind the target",
			BYTES("POST /only HTTP/1.1\nHost: t\r\n\r\n") },
		{ "a line feed alone at the end", BYTES(ONLY "\n") },
		{ "line feeds alone", BYTES("POST /only HTTP/1.1\nHost: t\n\n") },
		{ "a line feed alone before the end", BYTES(ONLY "X: y\n\r\n") },
		{ "a carriage return in a value", BYTES(ONLY "X: y\rContent-Length: 5\r\n\r\n") },
		{ "a carriage return in a name", BYTES(ONLY "X\r: y\r\n\r\n") },
		{ "a NUL in a value", BYTES(ONLY "X: y\0z\r\n\r\n") },
		{ "a NUL in a name", BYTES(ONLY "X\0: y\r\n\r\n") },
		{ "a NUL in the target", BYTES("POST /only\0/x HTTP/1.1\r\nHost: t\r\n\r\n") },
		{ "a NUL in the method", BYTES("POST\0X /only HTTP/1.1\r\nHost: t\r\n\r\n") },
		{ "a name with a bracket", BYTES(ONLY "Content-Length[: 5\r\n\r\n") },
		{ "a line without a name", BYTES(ONLY ": x\r\n\r\n") },
		{ "a line without a colon", BYTES(ONLY "X\r\n\r\n") },
		{ "two hosts", BYTES(ONLY "Host: u\r\n\r\n") },
		{ "two blanks before the target",
			BYTES("POST  /only HTTP/1.1\r\nHost: t\r\n\r\n") },
		{ "a blank behind the version", BYTES("POST /only HTTP/1.1 \r\nHost: t\r\n\r\n") },
		{ "a blank before the method", BYTES(" POST /only HTTP/1.1\r\nHost: t\r\n\r\n") },
		{ "no version", BYTES("POST /only\r\nHost: t\r\n\r\n") },
		{ "another version", BYTES("POST /only HTTP/2.0\r\nHost: t\r\n\r\n") },
		{ "a version in small letters", BYTES("POST /only http/1.1\r\nHost: t\r\n\r\n") },
	};
	struct http_server *server = start();
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
		struct peer peer = connected(server);
		cr_assert(peer_send(&peer, attempts[i].bytes.at, attempts[i].bytes.len));
		peer_send_text(&peer, HIDDEN);
		struct peer_reply reply = peer_reply(&peer);
		cr_expect(reply.status == 400 || reply.status == 505 || reply.status == -1,
			"%s: %d %s", attempts[i].what, reply.status, reply.body);
		reply = peer_reply_within(&peer, 1000);
		cr_expect_eq(reply.status, -1, "%s: then %d %s", attempts[i].what, reply.status,
			reply.body);
		cr_expect(peer_is_closed(&peer), "%s", attempts[i].what);
		peer_close(&peer);
	}
	http_server_free(server);
}

Test(http_head, a_target_that_is_refused_costs_the_request_alone)
{
	struct http_server *server = start();
	struct peer peer = connected(server);
	static const char *const targets[] = { "//only", "/api/../only", "/api/%2e%2e/only",
		"/only%00", "http://t/only", "*", "/only#x", "/only\\", "/only ", "/only x" };
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		peer_printf(&peer, "POST %s HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody",
			targets[i]);
		cr_expect_eq(peer_reply(&peer).status, 400, "%s", targets[i]);
	}
	peer_send_text(&peer, "POST /only HTTP/1.1\r\nHost: t\r\n\r\n");
	cr_expect_eq(peer_reply(&peer).status, 200);
	peer_close(&peer);
	http_server_free(server);
}
