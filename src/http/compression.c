#include "http/compression.h"

#include <errno.h>

#include "config.h"
#include "http/codecs.h"

#ifdef HAVE_ISAL
static const struct gzip_engine *const engine = &gzip_isal;
#else
static const struct gzip_engine *const engine = &gzip_zlib;
#endif

uint32_t codec_room(struct buf *out, size_t step)
{
	size_t left = out->max_bytes - out->len;
	if (left && out->len >= out->capacity)
		buf_reserve(out, left < step ? left : step);
	if (!left || out->error)
		return 0;
	size_t room = out->capacity - out->len;
	return room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;
}

int gzip_compress(struct bytes plain, struct buf *out)
{
	return plain.len > UINT32_MAX ? -E2BIG : engine->compress(plain, out);
}

int gzip_inflate(struct bytes body, struct buf *out)
{
	return body.len > UINT32_MAX ? -E2BIG : engine->inflate(body, out);
}

static int deflate_inflate(struct bytes body, struct buf *out)
{
	return body.len > UINT32_MAX ? -E2BIG : inflate_deflate(body, out);
}

const struct coding codings[] = {
	{ "gzip", gzip_inflate },
	{ "x-gzip", gzip_inflate },
	{ "deflate", deflate_inflate },
	{ "zstd", inflate_zstd },
	{ "identity", NULL },
	{ NULL, NULL },
};
