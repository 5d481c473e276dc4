#include "bench/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/inflate.h"
#include "support/spans.h"

enum {
	MAX_EVENTS = 64,
	HEADER_MAX = 16384,
	BODY_MAX = 256 << 20,
	READ_BYTES = 1 << 18,
};

struct connection {
	int fd;
	struct buf input;
};

struct sink {
	const struct sink_job *job;
	int epoll;
	struct buf inflated;
};

struct sink_report *sink_report_new(void)
{
	struct sink_report *report = mmap(
		NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return report == MAP_FAILED ? NULL : report;
}

void sink_report_free(struct sink_report *report)
{
	if (report)
		munmap(report, sizeof(*report));
}

static void mark(struct bytes span_id, void *tally)
{
	tally_mark_id(tally, span_id);
}

static void ignore(struct bytes span_id, void *arg)
{
}

/* The status to answer; the spans are marked before the answer leaves. */
static int take_body(struct sink *sink, struct bytes body, bool is_gzip)
{
	struct sink_report *report = sink->job->report;
	struct tally *received = sink->job->received;
	struct bytes raw = body;
	int answer = report->answer;
	if (answer && answer != 200) {
		report->refused++;
		return answer;
	}
	if (is_gzip) {
		if (!inflate_all(body, &sink->inflated)) {
			report->malformed++;
			return 400;
		}
		raw = buf_bytes(&sink->inflated);
	}
	uint64_t before = received->distinct;
	/* First a walk that marks nothing, so that a malformed request leaves no trace. */
	if (!spans_each(raw, ignore, NULL)) {
		report->malformed++;
		return 400;
	}
	spans_each(raw, mark, received);
	if (received->distinct != before)
		received->newest_ns = monotonic_ns();
	report->requests++;
	report->body_bytes += body.len;
	report->raw_bytes += raw.len;
	return 200;
}

static void answer(int fd, int status)
{
	char reply[128];
	int len = snprintf(reply, sizeof(reply), "HTTP/1.1 %d %s\r\nContent-Length: 0\r\n\r\n",
		status, status == 200 ? "OK" : "No");
	/* Far below any socket buffer: it fits or the peer is gone, which the next read tells. */
	(void)!send(fd, reply, (size_t)len, MSG_NOSIGNAL);
}

static const char *find_header(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);
	return at ? at + strlen(name) : NULL;
}

/*
 * Takes one request off the front of the input. Its length once it is whole, 0 while it is not, -1
 * when it is none that we read.
 */
static ssize_t take_request(struct sink *sink, struct connection *c)
{
	const uint8_t *end = memmem(c->input.at, c->input.len, "\r\n\r\n", 4);
	if (!end)
		return c->input.len > HEADER_MAX ? -1 : 0;
	size_t head_bytes = (size_t)(end - c->input.at) + 4;
	if (head_bytes > HEADER_MAX)
		return -1;
	char head[HEADER_MAX + 1];
	memcpy(head, c->input.at, head_bytes);
	head[head_bytes] = '\0';
	const char *length = find_header(head, "\r\nContent-Length:");
	const char *encoding = find_header(head, "\r\nContent-Encoding:");
	if (!length)
		return -1;
	size_t body_bytes = strtoul(length, NULL, 10);
	if (body_bytes > BODY_MAX)
		return -1;
	if (c->input.len < head_bytes + body_bytes) {
		buf_reserve(&c->input, head_bytes + body_bytes - c->input.len);
		return 0;
	}
	bool is_gzip = encoding && strncasecmp(encoding + strspn(encoding, " "), "gzip", 4) == 0;
	answer(c->fd,
		take_body(sink, (struct bytes){ c->input.at + head_bytes, body_bytes }, is_gzip));
	return (ssize_t)(head_bytes + body_bytes);
}

static void drop(struct connection *c)
{
	close(c->fd);
	buf_done(&c->input);
	free(c);
}

static void receive(struct sink *sink, struct connection *c)
{
	uint8_t *at = buf_reserve(&c->input, READ_BYTES);
	ssize_t n = at ? recv(c->fd, at, c->input.capacity - c->input.len, 0) : 0;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->input.len += (size_t)n;
	ssize_t taken;
	while ((taken = take_request(sink, c)) > 0) {
		c->input.len -= (size_t)taken;
		memmove(c->input.at, c->input.at + taken, c->input.len);
	}
	if (taken < 0)
		drop(c);
}

static void accept_all(struct sink *sink)
{
	int fd;
	while ((fd = accept4(sink->job->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *c = calloc(1, sizeof(*c));
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
		if (!c || epoll_ctl(sink->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
			close(fd);
			free(c);
			continue;
		}
		c->fd = fd;
		buf_init(&c->input, BODY_MAX + HEADER_MAX + READ_BYTES, NULL);
	}
}

void sink_run(void *sink_job)
{
	struct sink sink = { .job = sink_job, .epoll = epoll_create1(EPOLL_CLOEXEC) };
	struct epoll_event events[MAX_EVENTS], listening = { .events = EPOLLIN, .data.ptr = NULL };
	buf_init(&sink.inflated, (size_t)BODY_MAX * 4, NULL);
	if (sink.epoll < 0 ||
		epoll_ctl(sink.epoll, EPOLL_CTL_ADD, sink.job->listener, &listening) < 0)
		return;
	for (;;) {
		int n = epoll_wait(sink.epoll, events, MAX_EVENTS, -1);
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				receive(&sink, events[i].data.ptr);
			else
				accept_all(&sink);
		}
	}
}
