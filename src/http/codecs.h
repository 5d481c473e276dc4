/*
 * What does the work behind compression.h. For gzip that is ISA-L, or zlib where it is missing; both are
 * built where both exist, so that tests hold one against the other. Promises as in compression.h; none is
 * given more than UINT32_MAX bytes.
 */
#ifndef TG_HTTP_CODECS_H
#define TG_HTTP_CODECS_H

#include "base/buf.h"

struct gzip_engine {
	const char *name;
	int (*compress)(struct bytes plain, struct buf *out);
	int (*inflate)(struct bytes body, struct buf *out);
};

extern const struct gzip_engine gzip_zlib;
extern const struct gzip_engine gzip_isal; /* HAVE_ISAL only */

int inflate_deflate(struct bytes body, struct buf *out);
int inflate_zstd(struct bytes body, struct buf *out);

/*
 * How many bytes can be written behind out->len; makes room for `step` when there is none. 0 when the
 * buffer is at its maximum, or on out->error.
 */
uint32_t codec_room(struct buf *out, size_t step);

#endif
