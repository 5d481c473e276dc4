#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MAX_EVENTS = 64,
	REPLY_MAX = 16384,
	COME_AGAIN_MS = 50,
	RECONNECT_MS = 20,
};

enum state {
	CLOSED, /* opens again at wake_ns */
	GONE,   /* stays closed */
	IDLE,
	PAUSED,  /* refused; sends the same again at wake_ns */
	WAITING, /* sends, then reads the answer */
};

struct connection {
	int fd;
	enum state state;
	bool has_request; /* stamped and not yet answered for good */
	uint8_t *message; /* HTTP header and body */
	size_t header_bytes;
	size_t message_bytes;
	size_t sent;
	uint64_t first; /* number of the first span */
	uint64_t due_ns;
	uint64_t wake_ns;
	struct payload payload;
	char reply[REPLY_MAX + 1];
	size_t reply_bytes;
};

struct load {
	const struct load_job *job;
	struct load_report *report;
	int epoll;
	struct connection *connections;
	uint64_t next; /* span number of the next request */
	uint64_t end;
	uint64_t requests_begun;
	double request_interval_ns;
	unsigned rotation; /* a paced generator uses its connections in turn */
};

struct load_report *load_report_new(void)
{
	struct load_report *report = mmap(
		NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return report == MAP_FAILED ? NULL : report;
}

void load_report_free(struct load_report *report)
{
	if (report)
		munmap(report, sizeof(*report));
}

static void close_connection(struct load *load, struct connection *c)
{
	close(c->fd);
	c->fd = -1;
	c->state = load->job->ends_with_server ? GONE : CLOSED;
	c->wake_ns = monotonic_ns() + RECONNECT_MS * UINT64_C(1000000);
}

static void lose_connection(struct load *load, struct connection *c)
{
	if (c->state == WAITING)
		load->report->broken++;
	close_connection(load, c);
}

static void send_more(struct load *load, struct connection *c)
{
	while (c->sent < c->message_bytes) {
		ssize_t n =
			send(c->fd, c->message + c->sent, c->message_bytes - c->sent, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			lose_connection(load, c);
			return;
		}
		c->sent += (size_t)n;
	}
}

static void send_request(struct load *load, struct connection *c)
{
	c->state = WAITING;
	c->sent = 0;
	c->reply_bytes = 0;
	send_more(load, c);
}

static bool begin_request(struct load *load, struct connection *c, uint64_t now_ns)
{
	uint64_t due_ns = now_ns;
	if (load->next >= load->end)
		return false;
	if (load->request_interval_ns > 0) {
		double at_ns = (double)load->requests_begun * load->request_interval_ns;
		due_ns = load->report->began_ns + (uint64_t)at_ns;
		if (due_ns > now_ns)
			return false;
	}
	c->first = load->next;
	c->due_ns = due_ns;
	c->has_request = true;
	load->next += c->payload.span_count;
	load->report->next = load->next;
	load->requests_begun++;
	payload_stamp(&c->payload, c->message + c->header_bytes, c->first);
	send_request(load, c);
	return true;
}

static void open_connection(struct load *load, struct connection *c)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)load->job->port),
	};
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = c };
	int on = 1;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0 ||
		(connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)) {
		close_connection(load, c);
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->state = IDLE;
	if (c->has_request)
		send_request(load, c);
}

static bool asks_to_come_again(int status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

static void take_answer(struct load *load, struct connection *c, int status)
{
	uint64_t now_ns = monotonic_ns();
	c->state = IDLE;
	if (asks_to_come_again(status)) {
		load->report->refused++;
		c->state = PAUSED;
		c->wake_ns = now_ns + COME_AGAIN_MS * UINT64_C(1000000);
		return;
	}
	c->has_request = false;
	if (status < 200 || status > 299) {
		load->report->failed++;
		return;
	}
	for (unsigned i = 0; i < c->payload.span_count; i++)
		tally_mark(load->job->acknowledged, c->first + i);
	latency_add(&load->report->latency, now_ns - c->due_ns);
	load->report->ended_ns = now_ns;
	load->report->requests++;
}

/* Whether the reply is complete: header and as much body as it states. */
static bool is_complete(const struct connection *c)
{
	const char *end = strstr(c->reply, "\r\n\r\n");
	if (!end)
		return false;
	const char *length = strcasestr(c->reply, "\r\nContent-Length:");
	size_t body_bytes = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
	return c->reply_bytes >= (size_t)(end + 4 - c->reply) + body_bytes;
}

static void receive(struct load *load, struct connection *c)
{
	for (;;) {
		ssize_t n = recv(c->fd, c->reply + c->reply_bytes, REPLY_MAX - c->reply_bytes, 0);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			lose_connection(load, c);
			return;
		}
		c->reply_bytes += (size_t)n;
		c->reply[c->reply_bytes] = '\0';
		if (!is_complete(c))
			continue;
		if (c->state != WAITING)
			return;
		take_answer(load, c, atoi(c->reply + strlen("HTTP/1.1 ")));
		/* Answered before the body was read: what remains of it cannot follow. */
		if (c->sent < c->message_bytes || strcasestr(c->reply, "\r\nConnection: close")) {
			close_connection(load, c);
			return;
		}
		if (c->state == IDLE && load->request_interval_ns == 0)
			begin_request(load, c, monotonic_ns());
	}
}

/* Everything that is due; returns when the next thing will be. */
static uint64_t advance(struct load *load)
{
	uint64_t now_ns = monotonic_ns(), wake_ns = now_ns + UINT64_C(1000000000);
	unsigned n = load->job->connections;
	bool is_any_idle = false;
	for (unsigned i = 0; i < n; i++) {
		struct connection *c = &load->connections[(load->rotation + i) % n];
		if ((c->state == CLOSED || c->state == PAUSED) && c->wake_ns <= now_ns) {
			if (c->state == CLOSED)
				open_connection(load, c);
			else
				send_request(load, c);
		}
		if (c->state == IDLE && begin_request(load, c, now_ns))
			load->rotation++;
		if ((c->state == CLOSED || c->state == PAUSED) && c->wake_ns < wake_ns)
			wake_ns = c->wake_ns;
		is_any_idle = is_any_idle || c->state == IDLE;
	}
	if (is_any_idle && load->next < load->end && load->request_interval_ns > 0) {
		double at_ns = (double)load->requests_begun * load->request_interval_ns;
		uint64_t due_ns = load->report->began_ns + (uint64_t)at_ns;
		wake_ns = due_ns < wake_ns ? due_ns : wake_ns;
	}
	return wake_ns;
}

static bool is_over(const struct load *load)
{
	bool is_any_alive = false;
	for (unsigned i = 0; i < load->job->connections; i++) {
		const struct connection *c = &load->connections[i];
		if (c->state == GONE)
			continue;
		is_any_alive = true;
		if (c->has_request)
			return false;
	}
	return !is_any_alive || load->next >= load->end;
}

static int prepare_connection(const struct load_job *job, struct connection *c, uint64_t seed)
{
	char header[256];
	c->fd = -1;
	c->state = CLOSED;
	int error = payload_init(&c->payload, job->payload, seed);
	if (error == 0 && job->is_json)
		error = payload_to_json(&c->payload);
	if (error < 0)
		return error;
	c->header_bytes = (size_t)snprintf(header, sizeof(header),
		"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
		"Content-Type: application/%s\r\nContent-Length: %zu\r\n\r\n",
		payload_case_path(job->payload), job->port, job->is_json ? "json" : "x-protobuf",
		c->payload.request.len);
	c->message_bytes = c->header_bytes + c->payload.request.len;
	c->message = malloc(c->message_bytes);
	if (!c->message)
		return -ENOMEM;
	memcpy(c->message, header, c->header_bytes);
	memcpy(c->message + c->header_bytes, c->payload.request.at, c->payload.request.len);
	return 0;
}

static void work(struct load *load)
{
	struct epoll_event events[MAX_EVENTS];
	while (!is_over(load)) {
		uint64_t wake_ns = advance(load), now_ns = monotonic_ns();
		uint64_t left_ns = wake_ns > now_ns ? wake_ns - now_ns : 0;
		struct timespec timeout = { (time_t)(left_ns / 1000000000),
			(long)(left_ns % 1000000000) };
		int n = epoll_pwait2(load->epoll, events, MAX_EVENTS, &timeout, NULL);
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (c->fd >= 0 && c->state == WAITING)
				send_more(load, c);
			if (c->fd >= 0)
				receive(load, c);
		}
	}
}

int load_run(const struct load_job *job)
{
	struct load load = {
		.job = job,
		.report = job->report,
		.next = job->first,
		.end = job->first + job->spans,
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.connections = calloc(job->connections, sizeof(*load.connections)),
	};
	int error = load.epoll < 0 || !load.connections ? -ENOMEM : 0;
	for (unsigned i = 0; i < job->connections && !error; i++)
		error = prepare_connection(job, &load.connections[i], job->seed + i);
	if (error < 0)
		goto out;
	if (job->spans_per_second > 0)
		load.request_interval_ns =
			1e9 * payload_case_spans(job->payload) / job->spans_per_second;
	load.report->next = load.next;
	load.report->began_ns = load.report->ended_ns = monotonic_ns();
	work(&load);
out:
	for (unsigned i = 0; i < job->connections && load.connections; i++) {
		struct connection *c = &load.connections[i];
		if (c->fd >= 0)
			close(c->fd);
		free(c->message);
		payload_done(&c->payload);
	}
	free(load.connections);
	if (load.epoll >= 0)
		close(load.epoll);
	return error;
}

void load_child(void *load_job)
{
	if (load_run(load_job) < 0)
		_exit(1);
}
