/* The other end of a TLS connection, for tests: raw bytes out, one reply at a time in. */
#ifndef TG_TESTS_SUPPORT_TLS_CLIENT_H
#define TG_TESTS_SUPPORT_TLS_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_client {
	int fd;
	SSL_CTX *context;
	SSL *ssl;
	char name[64];   /* that the server's certificate has */
	char error[256]; /* why it is not open, or what was wrong last */
};

/*
 * Connects to 127.0.0.1 and verifies the certificate, which must be for that address.
 *
 *   version  the highest to offer, such as TLS1_2_VERSION; 0: any, but none below TLS 1.2
 */
bool tls_client_open(struct tls_client *client, unsigned port, const char *ca_file, int version);
void tls_client_close(struct tls_client *client);

bool tls_client_send(struct tls_client *client, const void *bytes, size_t len);

/* What comes next; 0: the server has ended the connection properly, -1: in another way. */
int tls_client_receive(struct tls_client *client, void *to, size_t max);

/* GET of a path, on the same connection as before; its status, -1: no reply. */
int tls_client_get(struct tls_client *client, const char *path);

#endif
