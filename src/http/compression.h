/*
 * gzip both ways, with ISA-L where it was found at build time and zlib elsewhere. Inflating is bounded
 * by the buffer's maximum and never trusts a size that the data states.
 */
#ifndef TG_HTTP_COMPRESSION_H
#define TG_HTTP_COMPRESSION_H

#include "base/buf.h"

/* Appends one gzip member. 0 or the buffer's error. Level 1, where ISA-L is five times cheaper. */
int gzip_compress(struct bytes plain, struct buf *out);

/*
 * Appends what all members of a gzip body hold.
 * -EBADMSG: not gzip, cut short, wrong checksum, or bytes after the last member.
 * -E2BIG at the first byte over out->max_bytes; -ENOMEM by its budget.
 */
int gzip_inflate(struct bytes body, struct buf *out);

#endif
