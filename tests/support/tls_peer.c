#include "support/tls_peer.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void answer(SSL *ssl, unsigned pieces)
{
	char bytes[TLS_PIECE_BYTES] = "";
	int len = snprintf(bytes, sizeof bytes,
		"HTTP/1.1 200 OK\r\nContent-Length: %u\r\nConnection: close\r\n\r\n",
		pieces * TLS_PIECE_BYTES);
	SSL_write(ssl, bytes, len);
	for (unsigned i = 0; i < pieces; i++) {
		snprintf(bytes, sizeof bytes, "%u", i);
		SSL_write(ssl, bytes, sizeof bytes);
	}
}

static void *serve(void *arg)
{
	struct tls_peer *peer = arg;
	char bytes[4096];
	int fd;
	while ((fd = accept(peer->fd, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(peer->context);
		SSL_set_fd(ssl, fd);
		if (peer->kind == TLS_SILENT)
			while (read(fd, bytes, sizeof bytes) > 0)
				;
		else if (SSL_accept(ssl) == 1 && SSL_read(ssl, bytes, sizeof bytes) > 0)
			answer(ssl,
				peer->kind == TLS_FLOODS ? TLS_FLOOD_BYTES / TLS_PIECE_BYTES : 0);
		SSL_shutdown(ssl);
		/* Closing before all was read would send a reset, which can overtake the answer. */
		shutdown(fd, SHUT_WR);
		while (read(fd, bytes, sizeof bytes) > 0)
			;
		SSL_free(ssl);
		close(fd);
	}
	return NULL;
}

void tls_peer_start(struct tls_peer *peer, enum tls_peer_kind kind)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	/* As the daemon does: a peer that leaves in the middle is an error, not the end. */
	signal(SIGPIPE, SIG_IGN);
	*peer = (struct tls_peer){ .kind = kind, .fd = socket(AF_INET, SOCK_STREAM, 0) };
	certificate_make(&peer->files, "peer", 3600);
	peer->context = SSL_CTX_new(TLS_server_method());
	if (bind(peer->fd, (struct sockaddr *)&at, len) != 0 || listen(peer->fd, 8) != 0 ||
		SSL_CTX_use_certificate_chain_file(peer->context, peer->files.certificate_file) !=
			1 ||
		SSL_CTX_use_PrivateKey_file(
			peer->context, peer->files.key_file, SSL_FILETYPE_PEM) != 1)
		abort();
	getsockname(peer->fd, (struct sockaddr *)&at, &len);
	snprintf(peer->url, sizeof peer->url, "https://127.0.0.1:%u/", ntohs(at.sin_port));
	pthread_create(&peer->thread, NULL, serve, peer);
}

void tls_peer_stop(struct tls_peer *peer)
{
	shutdown(peer->fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
	SSL_CTX_free(peer->context);
	certificate_remove(&peer->files);
}
