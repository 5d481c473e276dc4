#include "config.h" /* for memmem */

#include "support/http_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool peer_open(struct peer *peer, unsigned port)
{
	peer->len = 0;
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	/* Head and body are sent apart: without this each would wait for an acknowledgement. */
	const int on = 1;
	setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (peer->fd >= 0 && connect(peer->fd, (struct sockaddr *)&to, sizeof to) == 0)
		return true;
	peer_close(peer);
	return false;
}

bool peer_open_unix(struct peer *peer, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	peer->len = 0;
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if ((size_t)snprintf(to.sun_path, sizeof to.sun_path, "%s", path) < sizeof to.sun_path &&
		connect(peer->fd, (struct sockaddr *)&to, sizeof to) == 0)
		return true;
	peer_close(peer);
	return false;
}

void peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

bool peer_send(struct peer *peer, const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len) {
		ssize_t put = send(peer->fd, at, len, MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += put;
		len -= (size_t)put;
	}
	return true;
}

bool peer_send_text(struct peer *peer, const char *text)
{
	return peer_send(peer, text, strlen(text));
}

bool peer_printf(struct peer *peer, const char *format, ...)
{
	char text[4096];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return len >= 0 && (size_t)len < sizeof text && peer_send(peer, text, (size_t)len);
}

/* Bytes received, 0 at the end, negative on error or when nothing came in time. */
static ssize_t receive(struct peer *peer, int wait_ms)
{
	struct pollfd ready = { .fd = peer->fd, .events = POLLIN };
	if (peer->len == sizeof peer->received || poll(&ready, 1, wait_ms) <= 0)
		return -1;
	ssize_t got =
		recv(peer->fd, peer->received + peer->len, sizeof peer->received - peer->len, 0);
	if (got > 0)
		peer->len += (size_t)got;
	return got;
}

static void take(struct peer *peer, size_t len)
{
	memmove(peer->received, peer->received + len, peer->len - len);
	peer->len -= len;
}

static const char *find_header(const struct peer_reply *reply, const char *name)
{
	for (const char *line = strstr(reply->head, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		size_t len = strlen(name);
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " ");
	}
	return NULL;
}

struct peer_reply peer_reply_within(struct peer *peer, int wait_ms)
{
	struct peer_reply reply = { .status = -1 };
	char *end;
	while (!(end = memmem(peer->received, peer->len, "\r\n\r\n", 4)))
		if (receive(peer, wait_ms) <= 0)
			return reply;
	size_t head = (size_t)(end - peer->received) + 4;
	if (head >= sizeof reply.head)
		return reply;
	memcpy(reply.head, peer->received, head);
	const char *length = find_header(&reply, "Content-Length");
	size_t body = length ? strtoull(length, NULL, 10) : 0;
	if (body >= sizeof reply.body)
		return reply;
	while (peer->len < head + body)
		if (receive(peer, wait_ms) <= 0)
			return reply;
	memcpy(reply.body, peer->received + head, body);
	reply.body_len = body;
	take(peer, head + body);
	sscanf(reply.head, "HTTP/1.1 %d", &reply.status);
	return reply;
}

struct peer_reply peer_reply(struct peer *peer)
{
	return peer_reply_within(peer, PEER_WAIT_MS);
}

bool reply_has(const struct peer_reply *reply, const char *name, const char *value)
{
	const char *found = find_header(reply, name);
	size_t len = strlen(value);
	return found && strncmp(found, value, len) == 0 && found[len] == '\r';
}

bool peer_is_closed(struct peer *peer)
{
	ssize_t got;
	do {
		peer->len = 0;
		got = receive(peer, PEER_WAIT_MS);
	} while (got > 0);
	return got == 0 || errno == ECONNRESET;
}
