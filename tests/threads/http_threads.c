/*
 * Requests are replied to from another thread while their own thread is still handing them out, clients
 * leave in between, and at last the server stops under load. A plain program, because Criterion does
 * not start under the thread sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/http_peer.h"
#include "base/clock.h"
#include "http/listen.h"
#include "http/server.h"

enum { CLIENTS = 8, REQUESTS = 150, QUEUE_MAX = 64 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_request *waiting[QUEUE_MAX];
	size_t count;
	bool done;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static atomic_uint owned, answered;
static unsigned port;

static void free_owned(void *memory)
{
	free(memory);
	atomic_fetch_sub(&owned, 1);
}

static void enqueue(struct http_request *request, struct bytes body, void *owner)
{
	(void)body;
	(void)owner;
	atomic_fetch_add(&owned, 1);
	http_request_own(request, malloc(16), free_owned);
	pthread_mutex_lock(&queue.lock);
	queue.waiting[queue.count++] = request;
	pthread_cond_signal(&queue.changed);
	pthread_mutex_unlock(&queue.lock);
}

static void *reply_all(void *arg)
{
	pthread_mutex_lock(&queue.lock);
	while (!queue.done || queue.count) {
		if (!queue.count) {
			pthread_cond_wait(&queue.changed, &queue.lock);
			continue;
		}
		struct http_request *request = queue.waiting[--queue.count];
		pthread_mutex_unlock(&queue.lock);
		http_reply(request, 200, "text/plain", bytes_of("ok"), NULL);
		pthread_mutex_lock(&queue.lock);
	}
	pthread_mutex_unlock(&queue.lock);
	return arg;
}

static void *send_requests(void *arg)
{
	struct peer peer = { .fd = -1 };
	for (size_t i = 0; i < REQUESTS; i++) {
		if (peer.fd < 0 && !peer_open(&peer, port))
			break;
		if (!peer_send_text(
			    &peer, "POST /q HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody"))
			break;
		if (i % 16 == 15)
			peer_close(&peer); /* without waiting for the reply */
		else if (peer_reply(&peer).status != 200)
			break;
		else
			atomic_fetch_add(&answered, 1);
	}
	peer_close(&peer);
	return arg;
}

/* True when all was answered and nothing is left. */
static bool serve(const struct http_server_options *options, unsigned stop_ms)
{
	struct http_server *server;
	struct complaint complaint = { 0 };
	int manager = options->is_inherited ? dup(options->listen_fd) : -1;
	queue.done = false;
	atomic_store(&answered, 0);
	if (http_server_start(options, &server, &complaint) < 0) {
		fprintf(stderr, "%s\n", complaint.text);
		return false;
	}
	port = http_server_port(server);

	pthread_t repliers[2], clients[CLIENTS];
	for (size_t i = 0; i < 2; i++)
		pthread_create(&repliers[i], NULL, reply_all, NULL);
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_create(&clients[i], NULL, send_requests, NULL);
	for (size_t i = 1; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	http_server_tick(server);
	unsigned before_stop = atomic_load(&answered);

	pthread_t late; /* is cut off by the stop, wherever it stands then */
	pthread_create(&late, NULL, send_requests, NULL);
	http_server_stop(server, stop_ms);
	http_server_free(server);
	if (manager >= 0)
		close(manager); /* with who waits there */
	pthread_join(late, NULL);
	pthread_join(clients[0], NULL);

	pthread_mutex_lock(&queue.lock);
	queue.done = true;
	pthread_cond_broadcast(&queue.changed);
	pthread_mutex_unlock(&queue.lock);
	for (size_t i = 0; i < 2; i++)
		pthread_join(repliers[i], NULL);

	unsigned expected = (CLIENTS - 1) * (REQUESTS - REQUESTS / 16);
	size_t held = atomic_load(&options->budget->used_bytes);
	printf("answered=%u owned=%u held=%zu\n", before_stop, atomic_load(&owned), held);
	return before_stop >= expected && !atomic_load(&owned) && !held;
}

int main(void)
{
	static const struct http_route route = { "POST", "/q", NULL, enqueue, NULL };
	struct budget budget = { .limit_bytes = 1 << 20 };
	struct complaint complaint = { 0 };
	struct http_server_options options = {
		.listen = "127.0.0.1:0",
		.routes = &route,
		.route_count = 1,
		.threads = 3,
		.max_connections = 64,
		.request_timeout_ms = 20000,
		.idle_timeout_ms = 60000,
		.max_body_bytes = 100,
		.budget = &budget,
	};
	bool is_well = serve(&options, 5);
	if (http_listen(options.listen, &options.listen_fd, &complaint) < 0)
		return 1;
	options.listen = NULL;
	options.is_inherited = true;
	return !(serve(&options, 2000) && is_well);
}
