/*
 * Clients in threads of their own write bodies and read answers while one thread moves all the calls; some
 * leave in the middle. A plain program, because Criterion does not start under the thread sanitizer.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/upstream.h"

enum { CLIENTS = 6, ROUNDS = 12, BODY_BYTES = 300000, FLOW_BYTES = 8192 };

static struct upstream *upstream;
static char url[64];

/* One request of a client; both threads know it until the client has taken it back. */
static struct job {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool has_changed; /* something below, or one of the flows; guarded by lock, as what follows */
	bool is_asked, is_left, is_over;
	enum http_outcome outcome;
	struct flow *body, *answer;

	atomic_bool has_moved;
	struct upstream_call *call; /* the calls' thread alone */
} jobs[CLIENTS];
static atomic_bool is_done;

/* ---- the peer: says what it hears ---- */

static void *echo(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char bytes[FLOW_BYTES], head[128];
	char *end = NULL;
	ssize_t got = 1;
	size_t len = 0;
	while (!end && (got = read(fd, bytes + len, sizeof bytes - len)) > 0) {
		len += (size_t)got;
		end = memmem(bytes, len, "\r\n\r\n", 4);
	}
	snprintf(head, sizeof head,
		"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", BODY_BYTES);
	bool is_open = end && write(fd, head, strlen(head)) > 0;
	if (is_open) {
		len -= (size_t)(end + 4 - bytes);
		is_open = write(fd, end + 4, len) == (ssize_t)len;
	}
	while (is_open && (got = read(fd, bytes, sizeof bytes)) > 0)
		is_open = write(fd, bytes, (size_t)got) == got;
	close(fd);
	return NULL;
}

static void *serve(void *arg)
{
	int fd;
	while ((fd = accept(*(int *)arg, NULL, NULL)) >= 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, echo, (void *)(intptr_t)fd);
		pthread_detach(thread);
	}
	return NULL;
}

/* ---- the calls' thread ---- */

static void unlock_and_tell(struct job *job)
{
	job->has_changed = true;
	pthread_cond_signal(&job->changed);
	pthread_mutex_unlock(&job->lock);
}

static void tell_client(void *arg)
{
	struct job *job = arg;
	pthread_mutex_lock(&job->lock);
	unlock_and_tell(job);
}

static void tell_call(void *arg)
{
	struct job *job = arg;
	atomic_store(&job->has_moved, true);
	upstream_wake(upstream);
}

static struct flow *on_head(void *owner, const struct upstream_head *head)
{
	struct job *job = owner;
	struct flow *answer = flow_new(FLOW_BYTES, NULL);
	flow_watch(answer, FLOW_WRITER, tell_call, job);
	flow_watch(answer, FLOW_READER, tell_client, job);
	pthread_mutex_lock(&job->lock);
	job->answer = answer;
	unlock_and_tell(job);
	return answer;
}

static void finish(struct job *job, enum http_outcome outcome)
{
	pthread_mutex_lock(&job->lock);
	job->call = NULL;
	job->outcome = outcome;
	job->is_over = true;
	unlock_and_tell(job);
}

static void on_end(void *owner, enum http_outcome outcome, const char *error)
{
	finish(owner, outcome);
}

static void attend(struct job *job)
{
	static const struct upstream_listener listener = { on_head, NULL, on_end };
	pthread_mutex_lock(&job->lock);
	bool is_asked = job->is_asked, is_left = job->is_left && job->call;
	job->is_asked = false;
	pthread_mutex_unlock(&job->lock);
	if (is_asked) {
		struct http_headers *headers = http_headers_new();
		const struct upstream_request request = { .method = "POST",
			.url = url,
			.headers = headers,
			.body_flow = job->body,
			.length = BODY_BYTES,
			.listener = &listener,
			.owner = job };
		if (upstream_begin(upstream, &request, &job->call) < 0)
			abort();
		http_headers_free(headers);
	}
	if (is_left) {
		upstream_cancel(job->call);
		finish(job, HTTP_FAILED);
	}
	if (atomic_exchange(&job->has_moved, false) && job->call)
		upstream_moved(job->call);
}

static void *run_calls(void *arg)
{
	while (!atomic_load(&is_done)) {
		for (size_t i = 0; i < CLIENTS; i++)
			attend(&jobs[i]);
		upstream_run(upstream, 1000, -1);
	}
	return arg;
}

/* ---- clients ---- */

static void let_go(struct flow *flow)
{
	flow_watch(flow, FLOW_READER, NULL, NULL);
	flow_watch(flow, FLOW_WRITER, NULL, NULL);
	flow_release(flow);
}

/* The next look at the job, once something about it is new. */
static bool await(struct job *job, struct flow **ret_answer)
{
	pthread_mutex_lock(&job->lock);
	while (!job->has_changed)
		pthread_cond_wait(&job->changed, &job->lock);
	job->has_changed = false;
	*ret_answer = job->answer;
	bool is_over = job->is_over;
	pthread_mutex_unlock(&job->lock);
	return is_over;
}

static void leave(struct job *job)
{
	pthread_mutex_lock(&job->lock);
	job->is_left = true;
	pthread_mutex_unlock(&job->lock);
	upstream_wake(upstream);
}

/* Writes and reads what can be; what came back. */
static size_t pass_bytes(struct job *job, bool leaves)
{
	static const uint8_t bytes[FLOW_BYTES];
	uint8_t back[FLOW_BYTES];
	size_t sent = 0, returned = 0;
	struct flow *answer;
	for (bool is_over = false; !is_over;) {
		is_over = await(job, &answer);
		ssize_t put = 1, got = 1;
		while (put > 0 && sent < BODY_BYTES) {
			size_t left = BODY_BYTES - sent;
			put = flow_write(job->body, bytes, left < FLOW_BYTES ? left : FLOW_BYTES);
			sent += put > 0 ? (size_t)put : 0;
			if (sent == BODY_BYTES)
				flow_end(job->body);
		}
		while (answer && (got = flow_read(answer, back, sizeof back)) > 0)
			returned += (size_t)got;
		if (leaves && returned > BODY_BYTES / 2)
			leave(job);
	}
	if (answer)
		let_go(answer);
	return returned;
}

static void *send_requests(void *arg)
{
	struct job *job = arg;
	size_t wrong = 0;
	for (size_t i = 0; i < ROUNDS; i++) {
		bool leaves = i % 4 == 3;
		job->answer = NULL;
		job->body = flow_new(FLOW_BYTES, NULL);
		flow_watch(job->body, FLOW_READER, tell_call, job);
		flow_watch(job->body, FLOW_WRITER, tell_client, job);
		pthread_mutex_lock(&job->lock);
		job->is_left = job->is_over = false;
		job->is_asked = true;
		unlock_and_tell(job);
		upstream_wake(upstream);
		size_t returned = pass_bytes(job, leaves);
		if (!leaves)
			wrong += returned != BODY_BYTES || job->outcome != HTTP_ANSWERED;
		let_go(job->body);
	}
	return (void *)wrong;
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const struct upstream_options options = { .connections = CLIENTS,
		.connect_timeout_ms = 20000 };
	if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 64) < 0 ||
		upstream_new(&options, &upstream) < 0)
		return 1;
	getsockname(fd, (struct sockaddr *)&at, &len);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(at.sin_port));

	pthread_t server, calls, clients[CLIENTS];
	pthread_create(&server, NULL, serve, &fd);
	for (size_t i = 0; i < CLIENTS; i++) {
		pthread_mutex_init(&jobs[i].lock, NULL);
		pthread_cond_init(&jobs[i].changed, NULL);
	}
	pthread_create(&calls, NULL, run_calls, NULL);
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_create(&clients[i], NULL, send_requests, &jobs[i]);
	size_t wrong = 0;
	for (size_t i = 0; i < CLIENTS; i++) {
		void *some;
		pthread_join(clients[i], &some);
		wrong += (size_t)some;
	}
	atomic_store(&is_done, true);
	upstream_wake(upstream);
	pthread_join(calls, NULL);
	shutdown(fd, SHUT_RDWR);
	pthread_join(server, NULL);
	close(fd);
	upstream_free(upstream);
	printf("wrong=%zu\n", wrong);
	return wrong > 0;
}
