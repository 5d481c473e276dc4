/*
 * How one record lies in a segment: a fixed header, then the body.
 *
 *   offset  bytes
 *        0      4  magic
 *        4      4  CRC-32C of the 120 bytes that follow
 *        8      8  generation of the segment: a recycled file's old records do not have it
 *       16      8  sequence
 *       24      8  received_ns
 *       32      4  stored bytes: length of the body
 *       36      4  raw bytes
 *       40      4  CRC-32C of the body
 *       44      4  span count
 *       48      4  place in its group (what one commit wrote), from 0
 *       52      4  records in the group
 *       56      4  stage, signal, shape, encoding: a byte each
 *       60      4  zero
 *       64     64  lane, padded with NUL
 *
 * Frames begin at multiples of 128 and groups at multiples of 4096, so that a header never crosses a
 * block and a search after damage need look at few places. Integers are in the machine's order: a
 * spool does not move to another kind of machine, and there its magic would not be known.
 */
#ifndef TG_SPOOL_FRAME_H
#define TG_SPOOL_FRAME_H

#include "batch.h"

enum {
	BLOCK_BYTES = 4096, /* what O_DIRECT wants address, offset and length to be multiples of */
	FRAME_ALIGN = 128,
	FRAME_MAGIC = 0x67524754, /* "TGRg" */
};

/*
 * Numbers are far below where sums could overflow; and what a file or a cursor says at start is believed
 * to half of that only, so that there is always room to go on from.
 */
#define SEQUENCE_MAX (UINT64_C(1) << 62)
#define BELIEVED_MAX (SEQUENCE_MAX / 2)

struct frame {
	uint32_t magic;
	uint32_t crc;
	uint64_t generation;
	uint64_t sequence;
	uint64_t received_ns;
	uint32_t stored_bytes;
	uint32_t raw_bytes;
	uint32_t body_crc;
	uint32_t span_count;
	uint32_t group_index;
	uint32_t group_count;
	uint8_t stage;
	uint8_t signal;
	uint8_t shape;
	uint8_t encoding;
	uint8_t zero[4];
	char lane[LANE_NAME_MAX + 1];
};
_Static_assert(sizeof(struct frame) == FRAME_ALIGN, "the layout above");

static inline uint64_t align_up(uint64_t bytes, uint64_t alignment)
{
	return (bytes + alignment - 1) & ~(alignment - 1);
}

/* Sets magic and CRC; all else is there already. */
void frame_seal(struct frame *frame);

/*
 * Whether a record of this generation begins at `at`, where `room` bytes are left.
 *   generation  0 for any
 */
bool frame_is_valid(const void *at, uint64_t room, uint64_t generation);

/* Where the frame after this one begins, which begins at `offset`. */
uint64_t frame_end(const struct frame *frame, uint64_t offset);

#endif
