/*
 * The certificate that a TLS listener shows: read from files, and read again while it is in use. Connections that
 * are open keep what they began with.
 */
#ifndef TG_HTTP_CERTIFICATE_H
#define TG_HTTP_CERTIFICATE_H

#include <stdint.h>

#include "base/complaint.h"

struct http_certificate;

enum { HTTP_CERTIFICATE_OLD_S = 14 * 86400 }; /* with less to go somebody should know */

/*
 *   certificate_file  PEM: the server's own first, then those that vouch for it
 *   key_file          PEM, without a passphrase
 *
 * 0; -EINVAL with words: a file cannot be read, is no PEM of that kind, or the two do not belong together.
 */
int http_certificate_new(const char *certificate_file, const char *key_file,
	struct http_certificate **ret_certificate, struct complaint *complaint);
void http_certificate_free(struct http_certificate *certificate);

/* Reads both files again, for connections from now on. As above, and then nothing has changed. */
int http_certificate_reload(struct http_certificate *certificate, struct complaint *complaint);

/* Unix time when it ends, in seconds. */
int64_t http_certificate_ends(struct http_certificate *certificate);

#endif
