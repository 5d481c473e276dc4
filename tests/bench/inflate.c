#include "config.h"

#include "bench/inflate.h"

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>

bool inflate_all(struct bytes body, struct buf *out)
{
	struct inflate_state state;
	isal_inflate_init(&state);
	state.crc_flag = ISAL_GZIP;
	state.next_in = (uint8_t *)body.at;
	state.avail_in = (uint32_t)body.len;
	out->len = 0;
	for (;;) {
		state.next_out = buf_reserve(out, 1 << 18);
		if (!state.next_out)
			return false;
		state.avail_out = 1 << 18;
		if (isal_inflate(&state) != ISAL_DECOMP_OK)
			return false;
		out->len += (1 << 18) - state.avail_out;
		if (state.block_state == ISAL_BLOCK_FINISH) {
			if (state.avail_in == 0)
				return true;
			isal_inflate_reset(&state);
			state.crc_flag = ISAL_GZIP;
		} else if (state.avail_out > 0 && state.avail_in == 0) {
			return false;
		}
	}
}

#else

#include <zlib.h>

bool inflate_all(struct bytes body, struct buf *out)
{
	z_stream stream = { .next_in = (Bytef *)body.at, .avail_in = (uInt)body.len };
	bool is_whole = false;
	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return false;
	out->len = 0;
	for (;;) {
		stream.next_out = buf_reserve(out, 1 << 18);
		stream.avail_out = 1 << 18;
		int status = stream.next_out ? inflate(&stream, Z_NO_FLUSH) : Z_MEM_ERROR;
		out->len += (1 << 18) - stream.avail_out;
		if (status == Z_STREAM_END) {
			is_whole = stream.avail_in == 0;
			if (is_whole || inflateReset(&stream) != Z_OK)
				break;
		} else if (status != Z_OK) {
			break;
		}
	}
	inflateEnd(&stream);
	return is_whole;
}

#endif
