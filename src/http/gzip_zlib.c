#include "http/codecs.h"

#include <errno.h>
#include <zlib.h>

enum {
	STEP_BYTES = 64 << 10,
	/* windowBits: the largest window, and which framing is around the data. */
	GZIP_WINDOW = 15 + 16,
	ZLIB_WINDOW = 15,
	RAW_WINDOW = -15,
};

static int compress_all(z_stream *stream, struct buf *out)
{
	int status = Z_OK;
	while (status != Z_STREAM_END) {
		uint32_t room = codec_room(out, STEP_BYTES);
		if (!room)
			return out->error ? out->error : (out->error = -E2BIG);
		stream->next_out = out->at + out->len;
		stream->avail_out = room;
		status = deflate(stream, Z_FINISH);
		if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
			return -EINVAL;
		out->len += room - stream->avail_out;
	}
	return 0;
}

static int compress_member(struct bytes plain, struct buf *out)
{
	z_stream stream = { .next_in = (Bytef *)plain.at, .avail_in = (uInt)plain.len };
	if (deflateInit2(&stream, 1, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	int error = compress_all(&stream, out);
	deflateEnd(&stream);
	return error;
}

/* One member, or all of a stream that has none. */
static int inflate_member(z_stream *stream, struct buf *out)
{
	int status = Z_OK;
	while (status != Z_STREAM_END) {
		uint8_t beyond; /* a full buffer is no error as long as nothing more comes */
		uint32_t room = codec_room(out, STEP_BYTES);
		if (out->error)
			return out->error;
		stream->next_out = room ? out->at + out->len : &beyond;
		stream->avail_out = room ? room : sizeof beyond;
		status = inflate(stream, Z_NO_FLUSH);
		if (status == Z_MEM_ERROR)
			return -ENOMEM;
		if (status != Z_OK && status != Z_STREAM_END)
			return -EBADMSG;
		if (room)
			out->len += room - stream->avail_out;
		else if (!stream->avail_out)
			return out->error = -E2BIG;
		if (stream->avail_out && status != Z_STREAM_END)
			return -EBADMSG; /* room was left, so the input ended early */
	}
	return 0;
}

static int inflate_members(struct bytes body, struct buf *out)
{
	z_stream stream = { .next_in = (Bytef *)body.at, .avail_in = (uInt)body.len };
	if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	int error;
	do
		error = inflate_member(&stream, out);
	while (!error && stream.avail_in && inflateReset(&stream) == Z_OK);
	inflateEnd(&stream);
	return error;
}

/* RFC 1950: deflate in the low half of the first byte, and a check in the second. */
static bool is_zlib(struct bytes body)
{
	return body.len >= 2 && (body.at[0] & 0xf) == Z_DEFLATED &&
		(body.at[0] << 8 | body.at[1]) % 31 == 0;
}

int inflate_deflate(struct bytes body, struct buf *out)
{
	z_stream stream = { .next_in = (Bytef *)body.at, .avail_in = (uInt)body.len };
	if (inflateInit2(&stream, is_zlib(body) ? ZLIB_WINDOW : RAW_WINDOW) != Z_OK)
		return -ENOMEM;
	int error = inflate_member(&stream, out);
	if (!error && stream.avail_in)
		error = -EBADMSG;
	inflateEnd(&stream);
	return error;
}

const struct gzip_engine gzip_zlib = {
	.name = "zlib",
	.compress = compress_member,
	.inflate = inflate_members,
};
