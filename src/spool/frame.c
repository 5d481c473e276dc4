#include "spool/frame.h"

#include "spool/crc32c.h"
#include "spool/spool.h"

static const size_t checked_from = offsetof(struct frame, generation);

static uint32_t checksum(const struct frame *frame)
{
	return crc32c((const uint8_t *)frame + checked_from, sizeof *frame - checked_from);
}

void frame_seal(struct frame *frame)
{
	frame->magic = FRAME_MAGIC;
	frame->crc = checksum(frame);
}

bool frame_is_valid(const void *at, uint64_t room, uint64_t generation)
{
	const struct frame *frame = at;
	if (room < sizeof *frame || frame->magic != FRAME_MAGIC ||
		(generation && frame->generation != generation) || frame->crc != checksum(frame))
		return false;
	/* A checksum proves that we wrote it, or somebody who can write here: so trust no number yet. */
	return frame->stored_bytes <= room - sizeof *frame && frame->generation > 0 &&
		frame->generation < SEQUENCE_MAX && frame->sequence > 0 &&
		frame->sequence < SEQUENCE_MAX && frame->group_index < frame->group_count &&
		frame->group_index < frame->sequence &&
		(frame->stage == STAGE_OUT || frame->stage == STAGE_IN) &&
		frame->signal >= SIGNAL_TRACES && frame->signal < SIGNAL_COUNT &&
		(frame->shape == SHAPE_ANY || frame->shape == SHAPE_PLAIN ||
			frame->shape == SHAPE_LANGFUSE) &&
		frame->encoding <= ENCODING_GZIP && frame->lane[LANE_NAME_MAX] == '\0';
}

uint64_t frame_end(const struct frame *frame, uint64_t offset)
{
	bool is_last = frame->group_index + 1 == frame->group_count;
	return align_up(
		offset + sizeof *frame + frame->stored_bytes, is_last ? BLOCK_BYTES : FRAME_ALIGN);
}
