/*
 * A certificate is read again, over and over, while clients come and go that are shown it. A plain program,
 * because Criterion does not start under the thread sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "http/certificate.h"
#include "http/server.h"
#include "support/certificates.h"
#include "support/tls_client.h"

enum { CLIENTS = 4, CONNECTIONS = 25 };

static struct certificate_files files;
static unsigned port;
static atomic_uint answered, left = CLIENTS;

static void hello(struct http_request *request, struct bytes body, void *owner)
{
	http_reply(request, 200, "text/plain", bytes_of("hello"), NULL);
}

static void *ask(void *arg)
{
	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct tls_client client;
		if (tls_client_open(&client, port, files.ca_file, 0) &&
			tls_client_get(&client, "/hello") == 200)
			atomic_fetch_add(&answered, 1);
		tls_client_close(&client);
	}
	atomic_fetch_sub(&left, 1);
	return arg;
}

int main(void)
{
	static const struct http_route route = {
		.method = "GET", .path = "/hello", .handle = hello
	};
	struct complaint complaint = { 0 };
	struct http_certificate *certificate;
	struct http_server *server;
	certificate_make(&files, "server", 3600);
	if (http_certificate_new(files.certificate_file, files.key_file, &certificate, &complaint) <
		0) {
		fprintf(stderr, "%s\n", complaint.text);
		return 1;
	}
	const struct http_server_options options = {
		.listen = "127.0.0.1:0",
		.routes = &route,
		.route_count = 1,
		.threads = 3,
		.max_connections = 64,
		.request_timeout_ms = 20000,
		.idle_timeout_ms = 60000,
		.max_body_bytes = 100,
		.certificate = certificate,
	};
	if (http_server_start(&options, &server, &complaint) < 0) {
		fprintf(stderr, "%s\n", complaint.text);
		return 1;
	}
	port = http_server_port(server);

	pthread_t clients[CLIENTS];
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_create(&clients[i], NULL, ask, NULL);
	unsigned reloads = 0, failures = 0;
	for (; atomic_load(&left); reloads++)
		failures += http_certificate_reload(certificate, &complaint) < 0;
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	http_server_free(server);
	http_certificate_free(certificate);
	certificate_remove(&files);
	printf("answered=%u reloads=%u failures=%u\n", atomic_load(&answered), reloads, failures);
	return atomic_load(&answered) != CLIENTS * CONNECTIONS || failures;
}
