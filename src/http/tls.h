/*
 * Between server.c and request.c, which know connections, and certificate.c, which alone knows GnuTLS:
 * what libmicrohttpd leaves to us of TLS. Nobody else includes this.
 */
#ifndef TG_HTTP_TLS_H
#define TG_HTTP_TLS_H

#include <microhttpd.h>

#include "base/bytes.h"

struct http_certificate;
struct http_identity;

/* For MHD_OPTION_ARRAY, beside MHD_USE_TLS. */
extern struct MHD_OptionItem http_tls_options[];

/*
 * What a new connection shows: what the certificate holds now, until it is released; NULL shows nothing, and
 * no handshake succeeds. To be called for each connection before anything else happens on it.
 */
struct http_identity *http_tls_begin(
	struct MHD_Connection *connection, struct http_certificate *certificate);
void http_identity_release(struct http_identity *identity);

/* Sends past libmicrohttpd, and that nothing follows. False: the socket does not take all of it at once. */
bool http_tls_send_last(struct MHD_Connection *connection, struct bytes bytes);

#endif
