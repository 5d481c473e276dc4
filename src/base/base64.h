/* Bytes as text and back, with padding and without line breaks (RFC 4648, 4). */
#ifndef TG_BASE_BASE64_H
#define TG_BASE_BASE64_H

#include "base/buf.h"

void base64_encode(struct bytes bytes, struct buf *out);

/* Appends what the text stands for. -EBADMSG: it is none. */
int base64_decode(struct bytes text, struct buf *out);

#endif
