#include "http/client.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/fake_destination.h"
#include "support/tls_peer.h"

enum { LONG_MS = 20000 };

static const struct bytes one_piece = BYTES("body");

/* Sends one request and waits for its end. The answer's body lives as long as the client. */
static struct http_answer post(
	struct http_client *client, const char *url, const struct bytes *pieces, size_t count)
{
	struct http_headers *headers = http_headers_new();
	struct http_post post = { .url = url,
		.headers = headers,
		.pieces = pieces,
		.piece_count = count,
		.owner = headers };
	struct http_answer answer = { 0 };
	void *owner = NULL;
	uint64_t until = clock_monotonic_ms() + LONG_MS;
	cr_assert(http_client_post(client, &post) == 0);
	while (!http_client_next(client, &owner, &answer) && clock_monotonic_ms() < until)
		http_client_run(client, 1000);
	cr_assert(owner == headers, "no answer");
	http_headers_free(headers);
	return answer;
}

static struct http_client *make_client(const char *ca_file, uint64_t timeout_ms)
{
	struct http_client_options options = {
		.ca_file = ca_file, .timeout_ms = timeout_ms, .connections = 2
	};
	struct http_client *client;
	cr_assert(http_client_new(&options, &client) == 0);
	return client;
}

Test(http_client, sends_pieces_end_to_end_and_keeps_the_start_of_a_long_answer)
{
	static uint8_t page[1 << 20], large[300 * 1000];
	memset(page, 'p', sizeof page);
	memset(large, 'l', sizeof large);
	struct fake_destination *fake = fake_destination_start(0);
	struct http_client *client = make_client(NULL, LONG_MS);
	fake_destination_script(fake,
		&(struct fake_answer){
			.status = 503, .retry_after = "17", .body = { page, sizeof page } },
		1);
	const struct bytes pieces[] = { BYTES("first,"), BYTES(""), { large, sizeof large },
		BYTES(",last") };
	struct http_answer answer = post(client, fake_destination_url(fake), pieces, 4);
	cr_expect(answer.outcome == HTTP_ANSWERED && answer.status == 503);
	cr_expect_str_eq(answer.retry_after, "17");
	cr_expect(answer.body.len == HTTP_ANSWER_MAX_BYTES && answer.body.at[0] == 'p');
	const struct fake_request *request = fake_destination_request(fake, 0);
	cr_assert(request->body.len == 6 + sizeof large + 5);
	cr_expect(memcmp(request->body.at, "first,l", 7) == 0);
	cr_expect(memcmp(request->body.at + request->body.len - 6, "l,last", 6) == 0);

	/* Nothing of it stays for the next one. */
	answer = post(client, fake_destination_url(fake), &one_piece, 1);
	cr_expect(answer.status == 200 && answer.retry_after[0] == '\0' && answer.body.len == 0);
	http_client_free(client);
	fake_destination_stop(fake);
}

Test(http_client, asks_between_posts_and_reads_the_clock_of_the_other_one)
{
	struct fake_destination *fake = fake_destination_start(0);
	struct http_client *client = make_client(NULL, LONG_MS);
	struct http_headers *headers = http_headers_new();
	struct http_answer answer = { 0 };
	void *owner = NULL;
	post(client, fake_destination_url(fake), &one_piece, 1);
	cr_assert_eq(http_client_get(client, fake_destination_url(fake), headers, &answer), 0);
	while (!http_client_next(client, &owner, &answer))
		http_client_run(client, 1000);
	cr_expect(owner == &answer && answer.status == 200);
	cr_expect_lt(llabs(answer.date_s - (int64_t)time(NULL)), 60);
	http_headers_free(headers);

	answer = post(client, fake_destination_url(fake), &one_piece, 1);
	static const char *const methods[] = { "POST", "GET", "POST" };
	for (size_t i = 0; i < 3; i++) {
		const struct fake_request *request = fake_destination_request(fake, i);
		cr_expect_str_eq(request->method, methods[i]);
		cr_expect_eq(request->body.len, i == 1 ? 0 : one_piece.len);
	}
	fake_destination_script(fake,
		&(struct fake_answer){ .status = 200, .date = "Sun, 06 Nov 1994 08:49:37 GMT" }, 1);
	answer = post(client, fake_destination_url(fake), &one_piece, 1);
	cr_expect_eq(answer.date_s, 784111777);
	http_client_free(client);
	fake_destination_stop(fake);
}

Test(http_client, uses_no_proxy_for_loopback)
{
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	struct fake_destination *fake = fake_destination_start(0);
	struct http_client *client = make_client(NULL, LONG_MS);
	cr_expect(post(client, fake_destination_url(fake), &one_piece, 1).status == 200);
	struct http_answer answer = post(client, "http://192.0.2.1/", &one_piece, 1);
	cr_expect(answer.outcome == HTTP_FAILED, "others go through it, and nobody is there");
	http_client_free(client);
	setenv("no_proxy", "192.0.2.0/24", 1);
	client = make_client(NULL, LONG_MS);
	cr_expect(post(client, fake_destination_url(fake), &one_piece, 1).status == 200,
		"beside what no_proxy names");
	http_client_free(client);
	fake_destination_stop(fake);
}

Test(http_client, a_request_that_cannot_be_tried_says_so)
{
	struct http_client *client = make_client("/no/such/file", LONG_MS);
	struct http_answer answer = post(client, "ftp://127.0.0.1/", &one_piece, 1);
	cr_expect(answer.outcome == HTTP_UNUSABLE && answer.status == 0 && answer.error);
	http_client_free(client);
}

static void *wake(void *client)
{
	http_client_wake(client);
	return NULL;
}

Test(http_client, wakes_from_another_thread_and_also_beforehand)
{
	struct http_client *client = make_client(NULL, LONG_MS);
	uint64_t began = clock_monotonic_ms();
	http_client_wake(client);
	http_client_run(client, LONG_MS);
	pthread_t thread;
	pthread_create(&thread, NULL, wake, client);
	http_client_run(client, LONG_MS);
	pthread_join(thread, NULL);
	cr_expect(clock_monotonic_ms() - began < LONG_MS / 2);
	http_client_free(client);
}

Test(http_client, a_certificate_is_verified_against_the_system_or_the_own_ca_file)
{
	struct tls_peer peer;
	tls_peer_start(&peer, TLS_ANSWERS);
	struct http_client *stranger = make_client(NULL, LONG_MS),
			   *friend = make_client(peer.files.ca_file, LONG_MS),
			   *misled = make_client("/no/such/file", LONG_MS);
	struct http_answer answer = post(stranger, peer.url, &one_piece, 1);
	cr_expect(answer.outcome == HTTP_UNTRUSTED && strstr(answer.error, "issuer"), "%d %s",
		answer.outcome, answer.error);
	answer = post(friend, peer.url, &one_piece, 1);
	cr_expect(answer.outcome == HTTP_ANSWERED && answer.status == 200, "%d %s", answer.outcome,
		answer.error);
	answer = post(misled, peer.url, &one_piece, 1);
	cr_expect(answer.outcome == HTTP_UNUSABLE, "%d %s", answer.outcome, answer.error);
	http_client_free(stranger);
	http_client_free(friend);
	http_client_free(misled);
	tls_peer_stop(&peer);
}

Test(http_client, a_handshake_that_hangs_times_out)
{
	struct tls_peer peer;
	tls_peer_start(&peer, TLS_SILENT);
	struct http_client *client = make_client(NULL, 200);
	struct http_answer answer = post(client, peer.url, &one_piece, 1);
	cr_expect(answer.outcome == HTTP_LATE && answer.status == 0, "%d %s", answer.outcome,
		answer.error);
	http_client_free(client);
	tls_peer_stop(&peer);
}

/* A final status is an answer, whatever breaks behind it: the destination has done its part. */
static void *answer_and_break_off(void *arg)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort";
	char bytes[4096];
	int fd = accept(*(int *)arg, NULL, NULL);
	if (read(fd, bytes, sizeof bytes) > 0 && write(fd, answer, sizeof answer - 1) > 0)
		shutdown(fd, SHUT_WR);
	while (read(fd, bytes, sizeof bytes) > 0)
		;
	close(fd);
	return NULL;
}

Test(http_client, a_body_that_breaks_off_does_not_undo_its_status)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert(bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, 1) == 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	char url[64];
	snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(at.sin_port));
	pthread_t thread;
	pthread_create(&thread, NULL, answer_and_break_off, &fd);
	struct http_client *client = make_client(NULL, LONG_MS);
	struct http_answer answer = post(client, url, &one_piece, 1);
	cr_expect(answer.outcome == HTTP_ANSWERED && answer.status == 200 && answer.body.len == 5);
	http_client_free(client);
	pthread_join(thread, NULL);
	close(fd);
}

Test(http_headers, take_tokens_and_printable_values_only)
{
	struct http_headers *headers = http_headers_new();
	cr_expect(http_headers_add(headers, "X-Scope-OrgID", "a b") == 0);
	cr_expect(http_headers_add(headers, "X-Empty", "") == 0);
	cr_expect(http_headers_add(headers, "", "x") == -EINVAL);
	cr_expect(http_headers_add(headers, "A:B", "x") == -EINVAL);
	cr_expect(http_headers_add(headers, "A", "x\ny") == -EINVAL);
	http_headers_free(headers);
}
