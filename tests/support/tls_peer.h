/* A server with a certificate of its own for 127.0.0.1, one connection after the other. */
#ifndef TG_TESTS_SUPPORT_TLS_PEER_H
#define TG_TESTS_SUPPORT_TLS_PEER_H

#include <openssl/ssl.h>
#include <pthread.h>

#include "support/certificates.h"

enum { TLS_FLOOD_BYTES = 8 << 20, TLS_PIECE_BYTES = 8 << 10 };

enum tls_peer_kind {
	TLS_ANSWERS, /* 200 to every request */
	TLS_FLOODS,  /* the same with a long body, each piece of which begins with its number */
	TLS_SILENT,  /* accepts and says nothing */
};

struct tls_peer {
	struct certificate_files files;
	char url[64]; /* https://127.0.0.1:port/ */
	enum tls_peer_kind kind;
	SSL_CTX *context;
	int fd;
	pthread_t thread;
};

void tls_peer_start(struct tls_peer *peer, enum tls_peer_kind kind);
void tls_peer_stop(struct tls_peer *peer);

#endif
