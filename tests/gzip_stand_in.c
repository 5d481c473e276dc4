#include <errno.h>
#include <zlib.h>

#include "http/compression.h"

/* Until http/compression.c is in the library; weak, so that the real one wins. */
__attribute__((weak)) int gzip_compress(struct bytes plain, struct buf *out)
{
	z_stream stream = { .next_in = (Bytef *)(uintptr_t)plain.at, .avail_in = (uInt)plain.len };
	if (deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	size_t bound = deflateBound(&stream, plain.len);
	stream.next_out = buf_reserve(out, bound);
	stream.avail_out = (uInt)bound;
	if (stream.next_out && deflate(&stream, Z_FINISH) == Z_STREAM_END)
		out->len += stream.total_out;
	deflateEnd(&stream);
	return out->error;
}
