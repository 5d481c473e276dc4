/* The other end of an HTTP connection, for tests: raw bytes out, one reply at a time in. */
#ifndef TG_TESTS_HTTP_PEER_H
#define TG_TESTS_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>

enum { PEER_WAIT_MS = 20000, PEER_BUFFER_BYTES = 64 << 10 };

struct peer {
	int fd;
	size_t len; /* received and not yet taken */
	char received[PEER_BUFFER_BYTES];
};

struct peer_reply {
	int status;      /* -1: closed or silent before a whole reply */
	char head[4096]; /* status line and headers */
	char body[8192];
	size_t body_len;
};

/* Connects to 127.0.0.1; false when refused. */
bool peer_open(struct peer *peer, unsigned port);

/* The same for a Unix socket. */
bool peer_open_unix(struct peer *peer, const char *path);
void peer_close(struct peer *peer);

/* False when the other side does not take all of it. */
bool peer_send(struct peer *peer, const void *bytes, size_t len);
bool peer_send_text(struct peer *peer, const char *text);
bool peer_printf(struct peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The next reply, 100 Continue included. Waits for it at most wait_ms. */
struct peer_reply peer_reply_within(struct peer *peer, int wait_ms);
struct peer_reply peer_reply(struct peer *peer);

/* Whether a reply has the header with exactly that value; the name in any letter case. */
bool reply_has(const struct peer_reply *reply, const char *name, const char *value);

/* Whether the other side has closed, after whatever else it sent; waits for it. */
bool peer_is_closed(struct peer *peer);

#endif
