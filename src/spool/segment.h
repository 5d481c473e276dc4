/*
 * One file of the log: a header block, then groups of records, each group what one commit wrote.
 *
 * A segment that is written no more is sealed: its header then says where it ends and what it holds,
 * so that a start reads headers only. One without a seal was written when the process died; it is
 * walked through and every checksum checked. Files are reused: a new header with a new generation
 * makes all that lies behind it nobody's.
 *
 *   offset  bytes
 *        0      8  magic
 *        8      4  format version
 *       12      4  CRC-32C of the 56 bytes that follow
 *       16      8  generation: upper half counts uses of segments, lower half is random, so that no
 *                  payload can hold what passes for a record of ours
 *       24      8  first sequence
 *       32      8  sequence after the last; this and the rest are 0 until it is sealed
 *       40      8  bytes in use, this block included
 *       48      8  received_ns of the first record
 *       56      8  lanes
 *       64      8  1 when sealed
 */
#ifndef TG_SPOOL_SEGMENT_H
#define TG_SPOOL_SEGMENT_H

#include "spool/block.h"
#include "spool/frame.h"

struct segment {
	struct segment *next; /* in the list of free ones */
	uint32_t id;          /* names the file */
	bool is_sealed;
	bool is_suspect; /* the disk failed here: never to be written again */
	uint64_t generation;
	uint64_t first_sequence;
	uint64_t end_sequence; /* after the last that is committed; numbers between have no gap */
	uint64_t used_bytes;   /* header and committed groups */
	uint64_t file_bytes;
	uint64_t oldest_ns;    /* received_ns of the first record */
	uint64_t lanes;        /* lane_bit of every lane that has a record here */
	uint64_t damage_bytes; /* up to here damage is counted already */
};

/* One bit by hash: a lane without its bit has no record there, one with it may have. */
uint64_t lane_bit(const char *lane);

/* Whether this is the name of a segment's file. */
bool segment_parse_name(const char *name, uint32_t *ret_id);

/*
 * Opens with O_DIRECT, or without where the file system refuses it.
 *   flags  of open(2)
 * The descriptor or negative errno.
 */
int segment_open(int directory, uint32_t id, int flags);
void segment_unlink(int directory, uint32_t id);
/* Out of the way, for a person to look at: never read again. */
void segment_set_aside(int directory, uint32_t id);

/* All `bytes`, from aligned memory to an aligned offset. 0 or negative errno. */
int segment_write(int fd, const void *from, size_t bytes, uint64_t offset);

/* Makes the file this long, its blocks allocated. -ENOSPC when the disk is full. */
int segment_grow(int fd, uint64_t from_bytes, uint64_t to_bytes);

/* Not synced. */
int segment_write_header(int fd, const struct segment *segment);

/*
 * Marks the end of a segment, on disk too, and gives back what is allocated far behind it. Best effort:
 * without it a start walks through the segment, which is slower, nothing else.
 */
void segment_seal(int fd, struct segment *segment);

/*
 * Fills `segment` (id set already) from the file.
 * 0; -ENODATA: never written; -EBADMSG: damaged, `file_bytes` alone is set; else negative errno.
 */
int segment_read_header(int fd, struct segment *segment);

/*
 * Reads a stretch; what the disk cannot read, or the file no longer has, is zeros, which no checksum
 * accepts. -ENOMEM only.
 */
int segment_read(
	int fd, uint64_t generation, uint64_t offset, size_t bytes, struct block **ret_block);

#endif
