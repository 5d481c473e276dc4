#include "support/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note_error(struct tls_client *client, const char *what)
{
	unsigned long error = ERR_peek_error();
	snprintf(client->error, sizeof client->error, "%s: %s", what,
		error ? ERR_reason_error_string(error) : "no more is known");
	ERR_clear_error();
}

static int connect_to(unsigned port)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

static void read_name(struct tls_client *client)
{
	X509 *certificate = SSL_get1_peer_certificate(client->ssl);
	X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, client->name,
		sizeof client->name);
	X509_free(certificate);
}

bool tls_client_open(struct tls_client *client, unsigned port, const char *ca_file, int version)
{
	signal(SIGPIPE, SIG_IGN);
	*client = (struct tls_client){ .fd = connect_to(port),
		.context = SSL_CTX_new(TLS_client_method()) };
	SSL_CTX_set_min_proto_version(client->context, version ? version : TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(client->context, version);
	if (version && version < TLS1_2_VERSION)
		SSL_CTX_set_cipher_list(client->context, "ALL:@SECLEVEL=0");
	SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_load_verify_file(client->context, ca_file);
	client->ssl = SSL_new(client->context);
	X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(client->ssl), "127.0.0.1");
	SSL_set_fd(client->ssl, client->fd);
	bool is_open = client->fd >= 0 && SSL_connect(client->ssl) == 1;
	if (is_open)
		read_name(client);
	else
		note_error(client, "connect");
	return is_open;
}

void tls_client_close(struct tls_client *client)
{
	SSL_free(client->ssl);
	SSL_CTX_free(client->context);
	if (client->fd >= 0)
		close(client->fd);
}

bool tls_client_send(struct tls_client *client, const void *bytes, size_t len)
{
	bool is_sent = SSL_write(client->ssl, bytes, (int)len) == (int)len;
	if (!is_sent)
		note_error(client, "send");
	return is_sent;
}

int tls_client_receive(struct tls_client *client, void *to, size_t max)
{
	int got = SSL_read(client->ssl, to, (int)max);
	if (got > 0)
		return got;
	note_error(client, "receive");
	return SSL_get_shutdown(client->ssl) & SSL_RECEIVED_SHUTDOWN ? 0 : -1;
}

int tls_client_get(struct tls_client *client, const char *path)
{
	char text[16 << 10];
	size_t len = (size_t)snprintf(
		text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
	if (!tls_client_send(client, text, len))
		return -1;
	int status = -1, got;
	const char *end, *length;
	size_t whole = sizeof text;
	for (len = 0; len < whole; len += (size_t)got) {
		got = tls_client_receive(client, text + len, sizeof text - 1 - len);
		if (got <= 0)
			return -1;
		text[len + (size_t)got] = '\0';
		end = strstr(text, "\r\n\r\n");
		length = strstr(text, "Content-Length: ");
		if (end && length && length < end)
			whole = (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10);
	}
	sscanf(text, "HTTP/1.1 %d", &status);
	return status;
}
