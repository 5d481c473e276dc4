/* TLS on a listener: which files will do, what is shown to whom, and bodies through it. */
#include "http/certificate.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "http/flow.h"
#include "http/server.h"
#include "support/certificates.h"
#include "support/http_peer.h"
#include "support/tls_client.h"

enum { HOUR_S = 3600, MAX_BODY = 100000, FLOW_BYTES = 32 << 10, LONG_BYTES = 8 << 20 };

static struct certificate_files files;
static struct http_certificate *certificate;
static struct complaint complaint;

static void set_up(void)
{
	certificate_make(&files, "first", HOUR_S);
	cr_assert(http_certificate_new(
			  files.certificate_file, files.key_file, &certificate, &complaint) == 0,
		"%s", complaint.text);
}

static void tear_down(void)
{
	http_certificate_free(certificate);
	certificate_remove(&files);
}

TestSuite(certificate, .init = set_up, .fini = tear_down, .timeout = 120);

static void replace(const char *path, const char *text)
{
	cr_assert(file_replace(path, bytes_of(text), 0600) == 0);
}

/* ---- files ---- */

static void expect_refused(const char *why)
{
	complaint = (struct complaint){ 0 };
	cr_expect(http_certificate_reload(certificate, &complaint) == -EINVAL);
	cr_expect(strstr(complaint.text, why), "%s", complaint.text);
}

static void protect_key(void)
{
	FILE *file = fopen(files.key_file, "r+");
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	rewind(file);
	PEM_write_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL);
	fclose(file);
	EVP_PKEY_free(key);
}

Test(certificate, files_that_will_not_do_are_told_and_change_nothing)
{
	struct certificate_files others;
	int64_t ends_s = http_certificate_ends(certificate);
	certificate_make(&others, "others", 2 * HOUR_S);
	cr_assert(rename(others.key_file, files.key_file) == 0);
	expect_refused("is not the one that");
	replace(files.key_file, "no key");
	expect_refused("no private key");
	certificate_renew(&files, "again", 2 * HOUR_S);
	protect_key();
	expect_refused("without a passphrase");
	unlink(files.key_file);
	expect_refused("cannot be read: No such file");
	certificate_renew(&files, "again", 2 * HOUR_S);
	cr_assert(rename(files.key_file, files.certificate_file) == 0);
	expect_refused("no certificates");
	replace(files.certificate_file, "");
	expect_refused("no certificates");
	cr_expect(http_certificate_ends(certificate) == ends_s);
	certificate_remove(&others);

	struct http_certificate *none = NULL;
	cr_expect(http_certificate_new(files.certificate_file, files.key_file, &none, &complaint) ==
		-EINVAL);
	cr_expect(!none);
}

Test(certificate, says_when_it_ends)
{
	int64_t from_now = http_certificate_ends(certificate) - (int64_t)time(NULL);
	cr_expect(from_now > HOUR_S - 600 && from_now <= HOUR_S);
	certificate_renew(&files, "second", -600);
	cr_assert(http_certificate_reload(certificate, &complaint) == 0);
	from_now = http_certificate_ends(certificate) - (int64_t)time(NULL);
	cr_expect(from_now <= -600, "one that has ended is taken, and the caller can tell");
}

/* ---- connections ---- */

static struct http_server *server;
static unsigned port;

static void hello(struct http_request *request, struct bytes body, void *owner)
{
	http_reply(request, 200, "text/plain", bytes_of("hello"), NULL);
}

static void on_moved(void *moved)
{
	sem_post(moved);
}

static uint8_t byte_at(size_t offset)
{
	return (uint8_t)(offset * 2654435761u >> 13);
}

/* One stream at a time: its body is read, then as much is replied. */
static struct {
	struct http_request *request;
	struct flow *body;
	sem_t moved;
	pthread_t thread;
} stream;

static size_t read_body(void)
{
	uint8_t bytes[4096];
	size_t len = 0;
	ssize_t got;
	while ((got = flow_read(stream.body, bytes, sizeof bytes)) != FLOW_ENDED) {
		if (got < 0)
			break;
		for (ssize_t i = 0; i < got; i++)
			len += bytes[i] == byte_at(len);
		if (got == FLOW_NOTHING_YET)
			sem_wait(&stream.moved);
	}
	flow_watch(stream.body, FLOW_READER, NULL, NULL);
	flow_release(stream.body);
	return len;
}

static void *serve_stream(void *arg)
{
	size_t len = read_body(), sent = 0;
	struct flow *reply = flow_new(FLOW_BYTES, NULL);
	flow_watch(reply, FLOW_WRITER, on_moved, &stream.moved);
	http_reply_stream(stream.request, 200, NULL, reply, -1);
	while (sent < len) {
		uint8_t bytes[4096];
		size_t some = len - sent < sizeof bytes ? len - sent : sizeof bytes;
		for (size_t i = 0; i < some; i++)
			bytes[i] = byte_at(sent + i);
		ssize_t put = flow_write(reply, bytes, some);
		if (put < 0)
			break;
		sent += (size_t)put;
		if ((size_t)put < some)
			sem_wait(&stream.moved);
	}
	flow_watch(reply, FLOW_WRITER, NULL, NULL);
	flow_end(reply);
	flow_release(reply);
	return arg;
}

static void begin_stream(struct http_request *request, struct flow *body, void *owner)
{
	stream.request = request;
	stream.body = flow_hold(body);
	sem_init(&stream.moved, 0, 0);
	flow_watch(body, FLOW_READER, on_moved, &stream.moved);
	pthread_create(&stream.thread, NULL, serve_stream, NULL);
}

static void serve(void)
{
	static const struct http_route routes[] = {
		{ .method = "GET", .path = "/hello", .handle = hello },
		{ .method = "POST", .path = "/whole", .handle = hello },
		{ .method = "POST", .path = "/stream", .stream = begin_stream },
	};
	static struct budget budget = { .limit_bytes = 64 << 20 };
	const struct http_server_options options = {
		.listen = "127.0.0.1:0",
		.routes = routes,
		.route_count = sizeof routes / sizeof routes[0],
		.threads = 2,
		.max_connections = 256,
		.request_timeout_ms = 20000,
		.idle_timeout_ms = 60000,
		.max_body_bytes = MAX_BODY,
		.flow_bytes = FLOW_BYTES,
		.budget = &budget,
		.certificate = certificate,
	};
	cr_assert(http_server_start(&options, &server, &complaint) == 0, "%s", complaint.text);
	port = http_server_port(server);
}

static bool opens(struct tls_client *client, int version)
{
	return tls_client_open(client, port, files.ca_file, version);
}

Test(certificate, only_tls_1_2_and_1_3_are_spoken)
{
	static const int versions[] = { TLS1_3_VERSION, TLS1_2_VERSION };
	struct tls_client client;
	serve();
	for (size_t i = 0; i < 2; i++) {
		cr_assert(opens(&client, versions[i]), "%s", client.error);
		cr_expect(SSL_version(client.ssl) == versions[i]);
		cr_expect(tls_client_get(&client, "/hello") == 200, "%s", client.error);
		cr_expect(
			tls_client_get(&client, "/hello") == 200, "and is kept: %s", client.error);
		tls_client_close(&client);
	}
	cr_expect(!opens(&client, TLS1_1_VERSION));
	tls_client_close(&client);
	http_server_free(server);
}

Test(certificate, who_does_not_speak_tls_gets_nothing_and_does_no_harm)
{
	struct peer peer;
	struct tls_client client;
	serve();
	cr_assert(peer_open(&peer, port));
	cr_assert(peer_send_text(&peer, "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
	cr_expect(peer_is_closed(&peer));
	peer_close(&peer);
	cr_assert(peer_open(&peer, port));
	cr_assert(peer_send(&peer, "\x16\x03\x01\x40\x00\x01", 6)); /* and is silent */
	cr_assert(opens(&client, 0), "%s", client.error);
	cr_expect(tls_client_get(&client, "/hello") == 200, "%s", client.error);
	tls_client_close(&client);
	peer_close(&peer);
	http_server_free(server);
}

Test(certificate, a_reload_is_for_new_connections_and_open_ones_live_on)
{
	struct tls_client before, after, distrustful;
	serve();
	cr_assert(opens(&before, 0), "%s", before.error);
	cr_expect_str_eq(before.name, "first");
	struct certificate_files first = files;
	certificate_make(&files, "second", HOUR_S);
	cr_assert(rename(files.certificate_file, first.certificate_file) == 0 &&
		rename(files.key_file, first.key_file) == 0);
	cr_assert(http_certificate_reload(certificate, &complaint) == 0, "%s", complaint.text);

	cr_assert(opens(&after, 0), "%s", after.error);
	cr_expect_str_eq(after.name, "second");
	cr_expect(!tls_client_open(&distrustful, port, first.ca_file, 0));
	for (size_t i = 0; i < 2; i++) {
		cr_expect(tls_client_get(&before, "/hello") == 200, "%s", before.error);
		cr_expect(tls_client_get(&after, "/hello") == 200, "%s", after.error);
	}
	tls_client_close(&before);
	tls_client_close(&after);
	tls_client_close(&distrustful);
	http_server_free(server);
	certificate_remove(&first);
}

static void send_pattern(struct tls_client *client, size_t len)
{
	uint8_t bytes[16384];
	for (size_t sent = 0; sent < len;) {
		size_t some = len - sent < sizeof bytes ? len - sent : sizeof bytes;
		for (size_t i = 0; i < some; i++)
			bytes[i] = byte_at(sent + i);
		cr_assert(tls_client_send(client, bytes, some), "%s", client->error);
		sent += some;
	}
}

Test(certificate, long_bodies_pass_in_streams)
{
	struct tls_client client;
	char head[128];
	serve();
	cr_assert(opens(&client, 0), "%s", client.error);
	int head_len = snprintf(head, sizeof head,
		"POST /stream HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n",
		LONG_BYTES);
	cr_assert(tls_client_send(&client, head, (size_t)head_len));
	send_pattern(&client, LONG_BYTES);

	/* Without chunks, ended by the connection. */
	static uint8_t reply[LONG_BYTES + 4096];
	size_t len = 0, right = 0;
	int got;
	while ((got = tls_client_receive(&client, reply + len, sizeof reply - len)) > 0)
		len += (size_t)got;
	cr_expect(got == 0, "%s", client.error);
	const uint8_t *body = memmem(reply, len, "\r\n\r\n", 4);
	cr_assert(body && len - (size_t)(body + 4 - reply) == LONG_BYTES);
	while (right < LONG_BYTES && body[4 + right] == byte_at(right))
		right++;
	cr_expect(right == LONG_BYTES);
	pthread_join(stream.thread, NULL);
	tls_client_close(&client);
	http_server_free(server);
}

Test(certificate, a_refusal_in_the_middle_of_a_body_arrives)
{
	struct tls_client client;
	char chunk[16 << 10], reply[512] = "";
	serve();
	cr_assert(opens(&client, 0), "%s", client.error);
	static const char head[] = "POST /whole HTTP/1.1\r\nHost: 127.0.0.1\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	cr_assert(tls_client_send(&client, head, sizeof head - 1));
	memset(chunk, 'x', sizeof chunk);
	memcpy(chunk, "3ff8\r\n", 6);
	memcpy(chunk + sizeof chunk - 2, "\r\n", 2);
	size_t sent = 0;
	while (sent < 4 * MAX_BODY && tls_client_send(&client, chunk, sizeof chunk))
		sent += sizeof chunk;
	cr_expect(tls_client_receive(&client, reply, sizeof reply - 1) > 0, "%s", client.error);
	cr_expect(strncmp(reply, "HTTP/1.1 413", 12) == 0, "%s", reply);
	cr_expect(tls_client_receive(&client, reply, sizeof reply) == 0, "%s", client.error);
	tls_client_close(&client);
	http_server_free(server);
}

Test(certificate, a_hundred_connections_are_open_at_once)
{
	enum { CLIENTS = 100 };
	static struct tls_client clients[CLIENTS];
	serve();
	for (size_t i = 0; i < CLIENTS; i++)
		cr_assert(opens(&clients[i], 0), "%zu: %s", i, clients[i].error);
	for (size_t i = 0; i < CLIENTS; i++)
		cr_expect(tls_client_get(&clients[i], "/hello") == 200, "%zu: %s", i,
			clients[i].error);
	for (size_t i = 0; i < CLIENTS; i++)
		tls_client_close(&clients[i]);
	http_server_free(server);
}
