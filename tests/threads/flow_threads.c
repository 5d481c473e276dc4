/*
 * Streams between the server's threads and one that owns them all, as the proxy does, while clients send, read,
 * wait and leave in the middle of each; at last the server stops under load. A plain program, because Criterion
 * does not start under the thread sanitizer.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/flow.h"
#include "http/server.h"
#include "support/http_peer.h"

enum { CLIENTS = 8, ROUNDS = 30, FLOW_BYTES = 8 << 10, BODY_BYTES = 100000 };

struct exchange {
	struct exchange *next;
	struct http_request *request; /* NULL: replied to */
	struct flow *body, *reply;
	size_t left; /* to be written; SIZE_MAX: nothing, and no end either */
};

static struct {
	pthread_mutex_t lock;
	struct exchange *came; /* guarded by lock */
	atomic_bool ends;
	int bell;
	struct budget budget;
} owner = { .lock = PTHREAD_MUTEX_INITIALIZER, .budget = { .limit_bytes = 64 << 20 } };

static atomic_uint owned, completed;
static unsigned port;

static void ring(void *arg)
{
	(void)arg;
	eventfd_write(owner.bell, 1);
}

static void count_off(void *arg)
{
	(void)arg;
	atomic_fetch_sub(&owned, 1);
}

static void stream(struct http_request *request, struct flow *body, void *route_owner)
{
	(void)route_owner;
	struct exchange *exchange = calloc(1, sizeof *exchange);
	exchange->request = request;
	exchange->left = strcmp(http_request_path(request), "/s/idle") == 0 ? SIZE_MAX : BODY_BYTES;
	exchange->body = body ? flow_hold(body) : NULL;
	if (body)
		flow_watch(body, FLOW_READER, ring, NULL);
	atomic_fetch_add(&owned, 1);
	http_request_own(request, &owned, count_off);
	pthread_mutex_lock(&owner.lock);
	exchange->next = owner.came;
	owner.came = exchange;
	pthread_mutex_unlock(&owner.lock);
	ring(NULL);
}

static bool end_early(struct exchange *exchange, unsigned status)
{
	if (exchange->body)
		flow_break(exchange->body);
	http_reply(exchange->request, status, NULL, bytes_of("no"), NULL);
	return true;
}

/* Whether the body has been read to its end. */
static bool read_body(struct exchange *exchange, bool *ret_is_broken)
{
	char bytes[4096];
	ssize_t got = exchange->body ? 1 : FLOW_ENDED;
	while (got > 0)
		got = flow_read(exchange->body, bytes, sizeof bytes);
	*ret_is_broken = got == FLOW_BROKEN;
	return got == FLOW_ENDED;
}

/* Whether it is over. */
static bool go_on(struct exchange *exchange)
{
	static const char bytes[3000];
	if (exchange->request) {
		bool is_broken;
		bool is_read = read_body(exchange, &is_broken);
		if (is_broken || http_request_is_departed(exchange->request))
			return end_early(exchange, 499);
		if (atomic_load(&owner.ends))
			return end_early(exchange, 503);
		if (!is_read)
			return false;
		bool is_idle = exchange->left == SIZE_MAX;
		exchange->reply = flow_new(FLOW_BYTES, &owner.budget);
		flow_watch(exchange->reply, FLOW_WRITER, ring, NULL);
		http_reply_stream(
			exchange->request, 200, NULL, exchange->reply, is_idle ? -1 : BODY_BYTES);
		exchange->request = NULL;
	}
	/* Left alone in its middle: the server ends it when it is freed. */
	if (atomic_load(&owner.ends))
		return true;
	ssize_t put = 1;
	while (exchange->left && exchange->left != SIZE_MAX && put > 0) {
		size_t len = exchange->left < sizeof bytes ? exchange->left : sizeof bytes;
		put = flow_write(exchange->reply, bytes, len);
		exchange->left -= put > 0 ? (size_t)put : 0;
	}
	if (exchange->left)
		return flow_write(exchange->reply, bytes, 0) < 0;
	flow_end(exchange->reply);
	return true;
}

static void free_exchange(struct exchange *exchange)
{
	if (exchange->body)
		flow_watch(exchange->body, FLOW_READER, NULL, NULL);
	if (exchange->reply)
		flow_watch(exchange->reply, FLOW_WRITER, NULL, NULL);
	flow_release(exchange->body);
	flow_release(exchange->reply);
	free(exchange);
}

static struct exchange *take_new(struct exchange *behind)
{
	pthread_mutex_lock(&owner.lock);
	struct exchange *came = owner.came;
	owner.came = NULL;
	pthread_mutex_unlock(&owner.lock);
	struct exchange **end = &came;
	while (*end)
		end = &(*end)->next;
	*end = behind;
	return came;
}

static void *own_streams(void *server)
{
	struct exchange *open = NULL;
	struct pollfd ready[] = {
		{ .fd = owner.bell, .events = POLLIN },
		{ .fd = http_server_departures(server), .events = POLLIN },
	};
	while (!atomic_load(&owner.ends) || open) {
		poll(ready, 2, 100);
		eventfd_t rung;
		if (ready[0].revents)
			eventfd_read(owner.bell, &rung);
		if (ready[1].revents)
			http_server_drop_departed(server);
		open = take_new(open);
		for (struct exchange **link = &open, *exchange; (exchange = *link);) {
			if (!go_on(exchange)) {
				link = &exchange->next;
				continue;
			}
			*link = exchange->next;
			free_exchange(exchange);
		}
	}
	return NULL;
}

static bool send_body(struct peer *peer, size_t len)
{
	static const char bytes[5000];
	for (size_t part; len; len -= part) {
		part = len < sizeof bytes ? len : sizeof bytes;
		if (!peer_send(peer, bytes, part))
			return false;
	}
	return true;
}

/* Head and body of the reply, or as much of it as is asked for. */
static bool read_reply(struct peer *peer, size_t len)
{
	static _Thread_local char bytes[16 << 10];
	struct pollfd ready = { .fd = peer->fd, .events = POLLIN };
	size_t got = 0;
	while (got < len && poll(&ready, 1, PEER_WAIT_MS) > 0) {
		ssize_t part = recv(peer->fd, bytes, sizeof bytes, 0);
		if (part <= 0)
			return false;
		got += (size_t)part;
	}
	return got >= len;
}

static void *run_client(void *arg)
{
	const size_t kind = (size_t)arg % 4;
	for (int i = 0; i < ROUNDS; i++) {
		struct peer peer;
		if (!peer_open(&peer, port))
			break;
		if (kind == 0) {
			peer_send_text(&peer, "GET /s/idle HTTP/1.1\r\nHost: t\r\n\r\n");
			read_reply(&peer, 1); /* and leaves while nothing is sent */
		} else {
			peer_printf(&peer,
				"POST /s/x HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n",
				BODY_BYTES);
			send_body(&peer, kind == 1 ? (size_t)i * 1000 : BODY_BYTES);
			if (kind == 2)
				read_reply(&peer, (size_t)i * 2000); /* and leaves */
			if (kind == 3 && read_reply(&peer, BODY_BYTES))
				atomic_fetch_add(&completed, 1);
		}
		peer_close(&peer);
	}
	return NULL;
}

int main(void)
{
	static const struct http_route route = { .path = "/s/", .stream = stream };
	const struct http_server_options options = {
		.listen = "127.0.0.1:0",
		.routes = &route,
		.route_count = 1,
		.threads = 3,
		.max_connections = 64,
		.request_timeout_ms = 20000,
		.idle_timeout_ms = 60000,
		.max_body_bytes = BODY_BYTES,
		.flow_bytes = FLOW_BYTES,
		.budget = &owner.budget,
	};
	struct http_server *server;
	struct complaint complaint = { 0 };
	if (http_server_start(&options, &server, &complaint) < 0) {
		fprintf(stderr, "%s\n", complaint.text);
		return 1;
	}
	port = http_server_port(server);
	owner.bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	pthread_t streams, clients[CLIENTS];
	pthread_create(&streams, NULL, own_streams, server);
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_create(&clients[i], NULL, run_client, (void *)i);
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	http_server_tick(server);
	unsigned before_stop = atomic_load(&completed);

	for (size_t i = 0; i < CLIENTS; i++) /* cut off by the stop, wherever they stand then */
		pthread_create(&clients[i], NULL, run_client, (void *)i);
	http_server_stop(server, 20);
	atomic_store(&owner.ends, true);
	ring(NULL);
	pthread_join(streams, NULL);
	http_server_free(server);
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	close(owner.bell);

	printf("completed=%u owned=%u held=%zu\n", before_stop, atomic_load(&owned),
		atomic_load(&owner.budget.used_bytes));
	return before_stop != CLIENTS / 4 * ROUNDS || atomic_load(&owned) ||
		atomic_load(&owner.budget.used_bytes);
}
