/*
 * What the head of a request must be before anything is decided by it: a target and header lines that nobody
 * on the way can read in another way than we do. What is open to opinion is refused, never mended.
 */
#ifndef TG_HTTP_HEAD_H
#define TG_HTTP_HEAD_H

#include <microhttpd.h>

#include "base/buf.h"

/*
 * Appends the path of a target, ended by NUL, in which unreserved characters are not escaped. NULL, or why the
 * target is refused.
 */
const char *http_target_path(const char *target, struct buf *path);

struct http_framing {
	int64_t length;  /* of the body; -1: chunked; 0 without a body */
	bool is_unclear; /* where the body ends is open to opinion: request smuggling */
};

/*
 * Reads the header lines of a connection whose request line was `method`, a target of so many bytes and
 * `version`. NULL, or why they are refused; the framing is then unclear.
 */
const char *http_head_check(struct MHD_Connection *connection, const char *method,
	size_t target_len, const char *version, struct http_framing *ret_framing);

#endif
