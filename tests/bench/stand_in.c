#include "bench/stand_in.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/tally.h"

enum {
	MAX_EVENTS = 64,
	HEAD_MAX = 16384,
	FILLER_BYTES = 1 << 18,
	SMALL_BYTES = 300,
	PROMPT_BYTES = 2048,
	TICK_MS = 2, /* while there are streams */
};

struct connection {
	int fd;
	char head[HEAD_MAX + 1]; /* of the request */
	size_t head_bytes;
	bool has_head;
	uint64_t body_left;                 /* of the request, to be read */
	uint64_t sending;                   /* filler, to be written */
	struct connection *previous, *next; /* among the streams; NULL when it is none */
};

struct stand_in {
	const struct stand_in_job *job;
	int epoll;
	struct connection streams; /* the ring's head */
	uint64_t events;           /* that they have had */
	char filler[FILLER_BYTES];
};

struct stand_in_report *stand_in_report_new(void)
{
	struct stand_in_report *report = mmap(
		NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return report == MAP_FAILED ? NULL : report;
}

void stand_in_report_free(struct stand_in_report *report)
{
	if (report)
		munmap(report, sizeof(*report));
}

/* Far below any socket buffer: it fits or the peer is gone, which the next read tells. */
static void send_text(struct connection *c, const char *text, size_t len)
{
	(void)!send(c->fd, text, len, MSG_NOSIGNAL);
}

static void send_event(struct connection *c)
{
	char chunk[64];
	int len = snprintf(chunk, sizeof(chunk), "%x\r\n" STAND_IN_EVENT "\r\n",
		STAND_IN_EVENT_BYTES, (unsigned long long)monotonic_ns());
	send_text(c, chunk, (size_t)len);
}

static void begin_stream(struct stand_in *stand_in, struct connection *c)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	send_text(c, head, sizeof(head) - 1);
	send_event(c);
	c->previous = stand_in->streams.previous;
	c->next = &stand_in->streams;
	c->previous->next = c->next->previous = c;
}

/* One string that is as long as it shall be. */
static void send_json(struct connection *c, size_t bytes)
{
	char reply[PROMPT_BYTES + 256];
	int len = snprintf(reply, sizeof(reply),
		"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
		"ETag: \"0123456789abcdef\"\r\nContent-Length: %zu\r\n\r\n{\"text\":\"%0*d\"}",
		bytes, (int)bytes - 11, 0);
	send_text(c, reply, (size_t)len);
}

/* False when the connection is gone. */
static bool send_more(struct stand_in *stand_in, struct connection *c)
{
	while (c->sending) {
		size_t piece = c->sending < FILLER_BYTES ? (size_t)c->sending : FILLER_BYTES;
		ssize_t n = send(c->fd, stand_in->filler, piece, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		c->sending -= (size_t)n;
	}
	return true;
}

static bool answer(struct stand_in *stand_in, struct connection *c)
{
	const char *bytes = strstr(c->head, "?bytes=");
	c->has_head = false;
	c->head_bytes = 0;
	if (strncmp(c->head, "GET /api/public/mcp", 19) == 0) {
		begin_stream(stand_in, c);
	} else if (bytes) {
		char head[128];
		c->sending = strtoull(bytes + 7, NULL, 10);
		int len = snprintf(head, sizeof(head),
			"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
			"Content-Length: %llu\r\n\r\n",
			(unsigned long long)c->sending);
		send_text(c, head, (size_t)len);
		return send_more(stand_in, c);
	} else {
		bool is_prompt = strncmp(c->head, "GET /api/public/v2/prompts/", 27) == 0;
		send_json(c, is_prompt ? PROMPT_BYTES : SMALL_BYTES);
	}
	return true;
}

/* The length of what was received of the request's head when that is whole, with the bytes behind it; else 0. */
static size_t whole_head(struct connection *c)
{
	c->head[c->head_bytes] = '\0';
	const char *end = strstr(c->head, "\r\n\r\n");
	return end ? (size_t)(end - c->head) + 4 : 0;
}

/* Nobody pipelines, so what follows the head is its body. False when this is no request that we read. */
static bool take_head(struct stand_in *stand_in, struct connection *c)
{
	size_t head_bytes = whole_head(c);
	if (!head_bytes)
		return c->head_bytes < HEAD_MAX;
	uint64_t behind = c->head_bytes - head_bytes;
	c->head[head_bytes] = '\0';
	const char *length = strcasestr(c->head, "\r\nContent-Length:");
	c->body_left = length ? strtoull(length + 17, NULL, 10) : 0;
	if (behind > c->body_left)
		return false;
	c->body_left -= behind;
	stand_in->job->report->body_bytes += behind;
	c->has_head = true;
	return true;
}

/* What is there is read; false at the end of the connection. */
static bool receive(struct stand_in *stand_in, struct connection *c)
{
	for (;;) {
		/* A body is dropped in the kernel. */
		ssize_t n = c->body_left ?
			recv(c->fd, NULL, c->body_left < FILLER_BYTES ? c->body_left : FILLER_BYTES,
				MSG_TRUNC) :
			recv(c->fd, c->head + c->head_bytes, HEAD_MAX - c->head_bytes, 0);
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		if (c->has_head) {
			c->body_left -= (uint64_t)n;
			stand_in->job->report->body_bytes += (uint64_t)n;
		} else {
			c->head_bytes += (size_t)n;
			if (!take_head(stand_in, c))
				return false;
		}
		if (c->has_head && !c->body_left && !answer(stand_in, c))
			return false;
	}
}

static void drop(struct connection *c)
{
	if (c->next) {
		c->previous->next = c->next;
		c->next->previous = c->previous;
	}
	close(c->fd);
	free(c);
}

static void accept_all(struct stand_in *stand_in)
{
	const int on = 1;
	int fd;
	while ((fd = accept4(stand_in->job->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
		0) {
		struct connection *c = calloc(1, sizeof(*c));
		struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
			.data.ptr = c };
		if (!c || epoll_ctl(stand_in->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
			close(fd);
			free(c);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		c->fd = fd;
	}
}

static void tick(struct stand_in *stand_in)
{
	for (; stand_in->events < stand_in->job->report->events; stand_in->events++)
		for (struct connection *c = stand_in->streams.next; c != &stand_in->streams;
			c = c->next)
			send_event(c);
}

static void serve(struct stand_in *stand_in)
{
	struct epoll_event events[MAX_EVENTS];
	for (;;) {
		bool has_streams = stand_in->streams.next != &stand_in->streams;
		int n = epoll_wait(stand_in->epoll, events, MAX_EVENTS, has_streams ? TICK_MS : -1);
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (!c)
				accept_all(stand_in);
			else if (!send_more(stand_in, c) || !receive(stand_in, c))
				drop(c);
		}
		tick(stand_in);
	}
}

void stand_in_run(void *stand_in_job)
{
	struct epoll_event listening = { .events = EPOLLIN, .data.ptr = NULL };
	struct stand_in *stand_in = calloc(1, sizeof(*stand_in));
	if (!stand_in)
		return;
	stand_in->job = stand_in_job;
	stand_in->streams.previous = stand_in->streams.next = &stand_in->streams;
	stand_in->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (stand_in->epoll >= 0 &&
		epoll_ctl(stand_in->epoll, EPOLL_CTL_ADD, stand_in->job->listener, &listening) == 0)
		serve(stand_in);
}
