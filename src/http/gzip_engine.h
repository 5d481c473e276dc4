/*
 * What does the work behind compression.h: ISA-L, or zlib where it is missing. Both are built where
 * both exist, so that tests hold one against the other.
 */
#ifndef TG_HTTP_GZIP_ENGINE_H
#define TG_HTTP_GZIP_ENGINE_H

#include "base/buf.h"

/* Promises as in compression.h; neither is given more than UINT32_MAX bytes. */
struct gzip_engine {
	const char *name;
	int (*compress)(struct bytes plain, struct buf *out);
	int (*inflate)(struct bytes body, struct buf *out);
};

extern const struct gzip_engine gzip_zlib;
extern const struct gzip_engine gzip_isal; /* HAVE_ISAL only */

/*
 * How many bytes can be written behind out->len; makes room for `step` when there is none. 0 when the
 * buffer is at its maximum, or on out->error.
 */
uint32_t gzip_room(struct buf *out, size_t step);

#endif
