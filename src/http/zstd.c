#include "http/codecs.h"

#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
	STEP_BYTES = 64 << 10,
	WINDOW_LOG_MAX = 23, /* RFC 8878, 3.1.1.1.2: 8 MiB */
};

static int error_of(size_t result)
{
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		return -E2BIG;
	case ZSTD_error_memory_allocation:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

/* One frame, be it one that is skipped; there is at least a byte of it. */
static int inflate_frame(ZSTD_DCtx *context, ZSTD_inBuffer *body, struct buf *out)
{
	for (size_t left = 1; left;) {
		uint8_t beyond; /* a full buffer is no error as long as nothing more comes */
		uint32_t room = codec_room(out, STEP_BYTES);
		if (out->error)
			return out->error;
		ZSTD_outBuffer to = { &beyond, sizeof beyond, 0 };
		if (room)
			to = (ZSTD_outBuffer){ out->at + out->len, room, 0 };
		left = ZSTD_decompressStream(context, &to, body);
		if (ZSTD_isError(left))
			return error_of(left);
		if (room)
			out->len += to.pos;
		else if (to.pos)
			return out->error = -E2BIG;
		if (left && body->pos == body->size && to.pos < to.size)
			return -EBADMSG; /* room was left, so the input ended early */
	}
	return 0;
}

/* The window is not charged to a budget: it is bounded by the threads that inflate at once. */
int inflate_zstd(struct bytes body, struct buf *out)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	if (!context)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	ZSTD_inBuffer input = { body.at, body.len, 0 };
	int error = body.len ? 0 : -EBADMSG;
	while (!error && input.pos < input.size)
		error = inflate_frame(context, &input, out);
	ZSTD_freeDCtx(context);
	return error;
}
