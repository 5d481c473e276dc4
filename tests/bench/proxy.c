#include "bench/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/rig.h"
#include "bench/stand_in.h"

enum { PATIENCE_S = 30, REPLY_MAX = 8192, PIECE_BYTES = 1 << 18, SAMPLE_MS = 20 };

static const char *const as_shipped[] = { NULL };
static const char small_target[] = "/api/public/projects";

/* ---- the gateway in front of a stand-in ---- */

struct front {
	struct rig rig;
	struct child stand_in;
	struct stand_in_report *report;
	int stand_in_port;
};

/* It takes the spans of the gateway's Langfuse too, and forgets them. */
static int open_front(struct front *front, uint64_t spans)
{
	*front = (struct front){ .report = stand_in_report_new() };
	struct stand_in_job job = { .listener = listener_open(&front->stand_in_port),
		.report = front->report };
	int error = rig_open(&front->rig, &gateways[0], true, as_shipped, spans + 1000);
	if (!error && !front->report)
		error = -ENOMEM;
	if (!error)
		error = job.listener < 0 ? job.listener :
					   child_start(&front->stand_in, stand_in_run, &job);
	if (job.listener >= 0)
		close(job.listener);
	if (error)
		return error;
	front->rig.setup.sink_ports[0] = front->stand_in_port;
	return rig_start(&front->rig);
}

/* Returns what happened, which it tells. */
static int close_front(struct front *front, const char *name, int error)
{
	if (error) {
		fprintf(stderr, "bench: %s: %s\n", name, strerror(-error));
		if (front->rig.daemon.child.pid > 0)
			daemon_print_log(&front->rig.daemon);
	}
	rig_close(&front->rig);
	child_kill(&front->stand_in);
	stand_in_report_free(front->report);
	return error;
}

/* ---- a client ---- */

/* A connection that waits, but not without end. The descriptor, or negative errno. */
static int open_connection(int port)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const int on = 1;
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

static int send_all(int fd, const void *bytes, size_t len)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(fd, (const char *)bytes + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0)
			return -errno;
		sent += (size_t)n;
	}
	return 0;
}

static int send_head(int fd, const char *method, const char *target, uint64_t body_bytes)
{
	char head[512];
	int len = snprintf(head, sizeof(head),
		"%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nUser-Agent: bench\r\n", method,
		target);
	len += body_bytes ? snprintf(head + len, sizeof(head) - (size_t)len,
				    "Content-Type: application/octet-stream\r\n"
				    "Content-Length: %llu\r\n\r\n",
				    (unsigned long long)body_bytes) :
			    snprintf(head + len, sizeof(head) - (size_t)len, "\r\n");
	return send_all(fd, head, (size_t)len);
}

/* The status has to be 200, and the length has to be said. *ret_left of the body are still to come. */
static int receive_head(int fd, uint64_t *ret_left)
{
	char reply[REPLY_MAX + 1];
	size_t len = 0;
	const char *end = NULL;
	while (!end && len < REPLY_MAX) {
		ssize_t n = recv(fd, reply + len, REPLY_MAX - len, 0);
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		len += (size_t)n;
		reply[len] = '\0';
		end = strstr(reply, "\r\n\r\n");
	}
	const char *length = end ? strcasestr(reply, "\r\nContent-Length:") : NULL;
	if (strncmp(reply, "HTTP/1.1 200 ", 13) != 0 || !length || length > end)
		return -EPROTO;
	*ret_left = strtoull(length + 17, NULL, 10) - (len - (size_t)(end + 4 - reply));
	return 0;
}

/* Some of a body, dropped in the kernel. */
static int receive_some(int fd, uint64_t *left)
{
	ssize_t n = recv(fd, NULL, *left < PIECE_BYTES ? *left : PIECE_BYTES, MSG_TRUNC);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	*left -= (uint64_t)n;
	return 0;
}

static int exchange(int fd, const char *target)
{
	uint64_t left = 0;
	int error = send_head(fd, "GET", target, 0);
	if (!error)
		error = receive_head(fd, &left);
	while (!error && left)
		error = receive_some(fd, &left);
	return error;
}

/* ---- latency ---- */

static int time_exchanges(int fd, const char *target, uint64_t count, struct latency *latency)
{
	int error = 0;
	for (uint64_t i = 0; i < count && !error; i++) {
		uint64_t began_ns = monotonic_ns();
		error = exchange(fd, target);
		latency_add(latency, monotonic_ns() - began_ns);
		if (rig_is_interrupted)
			error = -EINTR;
	}
	return error;
}

/* In turns, so that what else the machine does falls on both. */
static int compare_latency(
	const struct front *front, const char *name, const char *target, uint64_t requests)
{
	enum { TURN = 50 };
	struct latency direct = { 0 }, through = { 0 }, warming = { 0 };
	int near = open_connection(front->stand_in_port);
	int far = open_connection(front->rig.daemon.port);
	int error = near < 0 ? near : far < 0 ? far : 0;
	if (!error)
		error = time_exchanges(far, target, TURN, &warming);
	for (uint64_t done = 0; done < requests && !error; done += TURN) {
		error = time_exchanges(near, target, TURN, &direct);
		if (!error)
			error = time_exchanges(far, target, TURN, &through);
	}
	if (near >= 0)
		close(near);
	if (far >= 0)
		close(far);
	if (error)
		return error;
	double p50 = latency_ms(&direct, 0.5), p99 = latency_ms(&direct, 0.99);
	double far_p50 = latency_ms(&through, 0.5), far_p99 = latency_ms(&through, 0.99);
	printf("%-22s direct p50 %.3f ms, p99 %.3f; through %.3f, %.3f; added %.3f, %.3f\n", name,
		p50, p99, far_p50, far_p99, far_p50 - p50, far_p99 - p99);
	fflush(stdout);
	return 0;
}

int proxy_measure_latency(const struct proxy_load *load)
{
	struct front front;
	int error = open_front(&front, 0);
	if (!error)
		error = compare_latency(&front, "GET 300 B", small_target, load->requests);
	if (!error)
		error = compare_latency(&front, "GET prompt 2 KB",
			"/api/public/v2/prompts/folder%2Fname", load->requests);
	return close_front(&front, "latency in front of Langfuse", error);
}

/* ---- streams ---- */

struct stream {
	int fd;
	uint64_t asked_ns;
	unsigned events;
	size_t len;
	char received[REPLY_MAX + 1]; /* and not yet looked through */
};

struct streams {
	struct stream *each;
	struct pollfd *polled;
	unsigned count;
};

static int open_streams(struct streams *streams, int port, unsigned count)
{
	streams->each = calloc(count, sizeof(*streams->each));
	streams->polled = calloc(count, sizeof(*streams->polled));
	if (!streams->each || !streams->polled)
		return -ENOMEM;
	for (; streams->count < count; streams->count++) {
		struct stream *stream = &streams->each[streams->count];
		stream->fd = open_connection(port);
		if (stream->fd < 0)
			return stream->fd;
		streams->polled[streams->count] =
			(struct pollfd){ .fd = stream->fd, .events = POLLIN };
	}
	for (unsigned i = 0; i < count; i++) {
		struct stream *stream = &streams->each[i];
		stream->asked_ns = monotonic_ns();
		int error = send_head(stream->fd, "GET", "/api/public/mcp", 0);
		if (error)
			return error;
	}
	return 0;
}

static void close_streams(struct streams *streams)
{
	for (unsigned i = 0; i < streams->count; i++)
		close(streams->each[i].fd);
	free(streams->each);
	free(streams->polled);
}

/* The first event's latency is that of the request; a later one's is its own on the way. */
static void take_events(struct stream *stream, struct latency *latency)
{
	char *at;
	stream->received[stream->len] = '\0';
	while ((at = strstr(stream->received, "data: ")) && strstr(at, "\n\n")) {
		uint64_t sent_ns = strtoull(at + 6, NULL, 10);
		latency_add(
			latency, monotonic_ns() - (stream->events ? sent_ns : stream->asked_ns));
		stream->events++;
		stream->len -= (size_t)(at + STAND_IN_EVENT_BYTES - stream->received);
		memmove(stream->received, at + STAND_IN_EVENT_BYTES, stream->len + 1);
	}
}

static int receive_events(struct stream *stream, struct latency *latency)
{
	ssize_t n = recv(stream->fd, stream->received + stream->len, REPLY_MAX - stream->len, 0);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	stream->len += (size_t)n;
	take_events(stream, latency);
	return 0;
}

/* Until every stream has had so many events. */
static int await_events(struct streams *streams, unsigned events, struct latency *latency)
{
	for (;;) {
		unsigned waiting = 0;
		for (unsigned i = 0; i < streams->count; i++)
			waiting += streams->each[i].events < events;
		if (!waiting)
			return 0;
		int n = poll(streams->polled, streams->count, PATIENCE_S * 1000);
		if (n <= 0)
			return n < 0 ? -errno : -ETIMEDOUT;
		for (unsigned i = 0; i < streams->count; i++) {
			int error = streams->polled[i].revents ?
				receive_events(&streams->each[i], latency) :
				0;
			if (error)
				return error;
		}
	}
}

static int run_beside(
	struct front *front, const struct proxy_load *load, struct figures *ret_figures)
{
	const struct phase phase = {
		.payload = PAYLOAD_SMALL,
		.connections = load->connections,
		.spans = (uint64_t)(load->seconds * load->spans_per_second),
		.spans_per_second = load->spans_per_second,
	};
	return rig_run(&front->rig, &phase, ret_figures);
}

static void print_acknowledged(const char *name, const struct figures *figures)
{
	printf("%-22s ack p50 %.2f ms, p99 %.2f; %.1f MB anonymous\n", name, figures->p50_ms,
		figures->p99_ms, (double)figures->anonymous_peak_bytes / 1e6);
	fflush(stdout);
}

static int hold_streams(struct front *front, struct streams *streams, const struct proxy_load *load)
{
	struct latency first = { 0 }, later = { 0 };
	struct figures beside;
	uint64_t began_ns = monotonic_ns();
	int error = open_streams(streams, front->rig.daemon.port, load->streams);
	if (!error)
		error = await_events(streams, 1, &first);
	uint64_t opened_ns = monotonic_ns() - began_ns;
	if (!error)
		error = run_beside(front, load, &beside);
	if (!error) {
		print_acknowledged("  the same beside them", &beside);
		error = compare_latency(
			front, "  GET beside them", small_target, load->requests / 4 + 1);
	}
	if (!error) {
		front->report->events = 1;
		error = await_events(streams, 2, &later);
	}
	if (!error)
		printf("%-22s all had an event after %.1f ms; one more to each: p50 %.1f ms, p99 %.1f\n",
			"  events", (double)opened_ns / 1e6, latency_ms(&later, 0.5),
			latency_ms(&later, 0.99));
	return error;
}

int proxy_measure_streams(const struct proxy_load *load)
{
	struct front front;
	struct streams streams = { 0 };
	struct figures without;
	char name[40];
	int error =
		open_front(&front, (uint64_t)(2 * load->seconds * load->spans_per_second) + 1000);
	if (!error)
		error = run_beside(&front, load, &without);
	if (!error) {
		snprintf(name, sizeof(name), "OTLP %.0f/s", load->spans_per_second);
		print_acknowledged(name, &without);
		printf("%u streams\n", load->streams);
		error = hold_streams(&front, &streams, load);
	}
	close_streams(&streams);
	return close_front(&front, "streams", error);
}

/* ---- bodies ---- */

/* What the gateway takes while a body passes. */
struct gauge {
	const struct daemon *daemon;
	uint64_t began_ns, sampled_ns;
	double cpu_seconds;
	uint64_t before_bytes, peak_bytes; /* anonymous */
};

static struct gauge begin_gauge(const struct daemon *daemon)
{
	uint64_t bytes = daemon_anonymous_bytes(daemon), now_ns = monotonic_ns();
	return (struct gauge){ daemon, now_ns, now_ns, daemon_cpu_seconds(daemon), bytes, bytes };
}

static int look(struct gauge *gauge)
{
	uint64_t now_ns = monotonic_ns();
	if (rig_is_interrupted)
		return -EINTR;
	if (now_ns - gauge->sampled_ns < SAMPLE_MS * UINT64_C(1000000))
		return 0;
	gauge->sampled_ns = now_ns;
	uint64_t bytes = daemon_anonymous_bytes(gauge->daemon);
	if (bytes > gauge->peak_bytes)
		gauge->peak_bytes = bytes;
	return 0;
}

static void print_gauge(const struct gauge *gauge, const char *direction, uint64_t body_bytes)
{
	double seconds = (double)(monotonic_ns() - gauge->began_ns) / 1e9;
	double gigabytes = (double)body_bytes / 1e9;
	double cpu_seconds = daemon_cpu_seconds(gauge->daemon) - gauge->cpu_seconds;
	printf("%.2f GB %-4s %6.0f MB/s, %.2f CPU s/GB, %.1f MB anonymous before, %.1f MB at most\n",
		gigabytes, direction, gigabytes * 1000 / seconds, cpu_seconds / gigabytes,
		(double)gauge->before_bytes / 1e6, (double)gauge->peak_bytes / 1e6);
	fflush(stdout);
}

static int pull_body(int fd, struct gauge *gauge, uint64_t body_bytes)
{
	char target[128];
	uint64_t left = 0;
	snprintf(target, sizeof(target), "/api/public/media/x?bytes=%llu",
		(unsigned long long)body_bytes);
	int error = send_head(fd, "GET", target, 0);
	if (!error)
		error = receive_head(fd, &left);
	while (!error && left) {
		error = receive_some(fd, &left);
		if (!error)
			error = look(gauge);
	}
	return error;
}

static int push_body(int fd, struct gauge *gauge, uint64_t body_bytes)
{
	static const char filler[PIECE_BYTES];
	uint64_t left = 0;
	int error = send_head(fd, "POST", "/api/public/media", body_bytes);
	for (uint64_t sent = 0; sent < body_bytes && !error;) {
		uint64_t rest = body_bytes - sent;
		size_t piece = rest < PIECE_BYTES ? (size_t)rest : PIECE_BYTES;
		error = send_all(fd, filler, piece);
		sent += piece;
		if (!error)
			error = look(gauge);
	}
	if (!error)
		error = receive_head(fd, &left);
	while (!error && left)
		error = receive_some(fd, &left);
	return error;
}

int proxy_measure_bodies(const struct proxy_load *load)
{
	struct front front;
	int error = open_front(&front, 0);
	int fd = error ? error : open_connection(front.rig.daemon.port);
	error = fd < 0 ? fd : exchange(fd, small_target);
	if (!error) {
		struct gauge gauge = begin_gauge(&front.rig.daemon);
		error = pull_body(fd, &gauge, load->body_bytes);
		if (!error)
			print_gauge(&gauge, "down", load->body_bytes);
	}
	if (!error) {
		struct gauge gauge = begin_gauge(&front.rig.daemon);
		error = push_body(fd, &gauge, load->body_bytes);
		if (!error && front.report->body_bytes != load->body_bytes)
			error = -EBADMSG;
		if (!error)
			print_gauge(&gauge, "up", load->body_bytes);
	}
	if (fd >= 0)
		close(fd);
	return close_front(&front, "bodies", error);
}
