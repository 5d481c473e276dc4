/*
 * gzip both ways, with ISA-L where it was found at build time and zlib elsewhere, and what else a request
 * may be encoded with. Inflating is bounded by the buffer's maximum and never trusts a size that the data
 * states.
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

/*
 * A Content-Encoding of requests. `inflate` promises what gzip_inflate does, and -E2BIG for a zstd frame
 * that asks for more than the 8 MiB of window which RFC 8878 recommends. deflate is the zlib format (RFC
 * 9110); a body that cannot begin a zlib stream is read as raw deflate, which some senders mean by it.
 */
struct coding {
	const char *name;
	int (*inflate)(struct bytes body, struct buf *out); /* NULL: the body is what it is */
};

/* Ended by a row without a name. */
extern const struct coding codings[];

#endif
