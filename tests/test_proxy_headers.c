#include "proxy/headers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { LINES_MAX = 32, TEXT_MAX = 1024 };

/* Both lists as lines "Name: value", each ended with a line feed. */
static void expect(void (*go)(const struct http_header *came, struct http_header *ret_going),
	const struct http_header *came, const char *expected)
{
	struct http_header going[LINES_MAX];
	char text[TEXT_MAX] = "";
	cr_assert_lt(headers_count(came), LINES_MAX);
	go(came, going);
	for (const struct http_header *header = going; header->name; header++) {
		size_t len = strlen(text);
		snprintf(text + len, sizeof text - len, "%s: %s\n", header->name, header->value);
	}
	cr_expect_str_eq(text, expected);
}

#define CAME(...) ((const struct http_header[]){ __VA_ARGS__, { NULL, NULL } })

Test(proxy_headers, names_values_order_and_duplicates_go_on_as_they_came)
{
	const struct http_header *came =
		CAME({ "x_langfuse_sdk_name", "python" }, { "X-Odd", "a" }, { "accept", "*/*" },
			{ "X-Odd", "" }, { "x-odd", "b" }, { "Content-Encoding", "br" },
			{ "Via", "1.1 other" }, { "Forwarded", "for=10.0.0.1" });
	static const char all[] = "x_langfuse_sdk_name: python\nX-Odd: a\naccept: */*\nX-Odd: \n"
				  "x-odd: b\nContent-Encoding: br\nVia: 1.1 other\n"
				  "Forwarded: for=10.0.0.1\n";
	expect(headers_go_upstream, came, all);
	expect(headers_go_back, came, all);
}

Test(proxy_headers, what_neighbours_say_to_each_other_stays_behind)
{
	const struct http_header *came = CAME({ "connection", "keep-alive" },
		{ "Keep-Alive", "timeout=5" }, { "Proxy-Authenticate", "Basic" },
		{ "proxy-authorization", "Basic x" }, { "Proxy-Connection", "close" },
		{ "TE", "trailers" }, { "Trailer", "X-Sum" }, { "Transfer-Encoding", "chunked" },
		{ "UPGRADE", "websocket" }, { "Content-Length", "5" }, { "A", "b" });
	expect(headers_go_upstream, came, "A: b\n");
	expect(headers_go_back, came, "A: b\n");
}

Test(proxy_headers, what_any_connection_line_names_stays_behind)
{
	const struct http_header *came =
		CAME({ "X-One", "1" }, { "Connection", "x-one , X-Two,close" }, { "X-Two", "2" },
			{ "X-Three", "3" }, { "Connection", "x-three" }, { "X-On", "4" });
	expect(headers_go_upstream, came, "X-On: 4\n");
	expect(headers_go_back, came, "X-On: 4\n");
}

Test(proxy_headers, a_callers_host_and_key_do_not_go_upstream)
{
	const struct http_header *came = CAME({ "host", "localhost:4318" },
		{ "authorization", "Bearer tg-secret" }, { "Authorization", "Basic eA==" },
		{ "Expect", "100-continue" }, { "X-Authorization", "a" });
	expect(headers_go_upstream, came, "X-Authorization: a\n");
}

Test(proxy_headers, a_header_is_found_in_any_letter_case)
{
	const struct http_header *came = CAME({ "X-One", "1" }, { "x-one", "2" });
	cr_expect_str_eq(headers_find(came, "x-ONE"), "1");
	cr_expect_null(headers_find(came, "x-on"));
}
