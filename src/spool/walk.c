#include "spool/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "spool/crc32c.h"

/* One read takes a usual record whole, or many small ones, or is cheap to have read in vain. */
enum { WINDOW_BYTES = 128 << 10 };

void walk_init(struct walk *walk, struct cache *cache, int directory)
{
	*walk = (struct walk){ .cache = cache, .directory = directory, .fd = -1 };
}

static void drop_window(struct walk *walk)
{
	block_unref(walk->window);
	walk->window = NULL;
}

static void close_file(struct walk *walk)
{
	if (walk->fd >= 0)
		close(walk->fd);
	walk->fd = -1;
}

void walk_rest(struct walk *walk)
{
	drop_window(walk);
	close_file(walk);
}

void walk_begin(struct walk *walk, const struct segment *segment)
{
	if (walk->id != segment->id)
		close_file(walk);
	walk->id = segment->id;
	walk->generation = segment->generation;
	walk->sequence = segment->first_sequence;
	walk->offset = BLOCK_BYTES;
	walk->frame_bytes = 0;
	walk->end_bytes = segment->used_bytes;
}

/*
 * Makes the window hold `bytes` from `offset` on, which are all before end_bytes.
 *
 *   ahead  so many are read when the disk has to be asked
 */
static int cover(struct walk *walk, uint64_t offset, uint64_t bytes, uint64_t ahead)
{
	if (walk->window && block_covers(walk->window, walk->generation, offset, bytes))
		return 0;
	drop_window(walk);
	walk->window = cache_find(walk->cache, walk->generation, offset, bytes);
	if (walk->window)
		return 0;

	if (walk->fd < 0) {
		int fd = segment_open(walk->directory, walk->id, O_RDONLY);
		if (fd < 0)
			return fd == -ENOENT ? -ENODATA : fd;
		walk->fd = fd;
	}
	uint64_t from = offset & ~(uint64_t)(BLOCK_BYTES - 1);
	uint64_t to = from + ahead < walk->end_bytes ? from + ahead : walk->end_bytes;
	if (to < offset + bytes)
		to = offset + bytes;
	return segment_read(
		walk->fd, walk->generation, from, align_up(to - from, BLOCK_BYTES), &walk->window);
}

/* Behind a long record another one is likely, whose body not everyone wants: the header alone is read. */
static uint64_t bytes_ahead(const struct walk *walk)
{
	return walk->frame_bytes > WINDOW_BYTES / 2 ? BLOCK_BYTES : WINDOW_BYTES;
}

int walk_next(struct walk *walk, struct frame *ret_frame)
{
	for (; walk->offset + sizeof *ret_frame <= walk->end_bytes; walk->offset += FRAME_ALIGN) {
		int error = cover(walk, walk->offset, sizeof *ret_frame, bytes_ahead(walk));
		if (error)
			return error;
		struct frame frame;
		memcpy(&frame, walk->window->at + (walk->offset - walk->window->offset),
			sizeof frame);
		if (!frame_is_valid(&frame, walk->end_bytes - walk->offset, walk->generation) ||
			frame.sequence < walk->sequence) {
			walk->frame_bytes = 0;
			continue;
		}
		if (!walk->generation)
			walk->generation = walk->window->generation = frame.generation;
		walk->sequence = frame.sequence + 1;
		walk->frame_offset = walk->offset;
		walk->offset = frame_end(&frame, walk->offset);
		walk->frame_bytes = walk->offset - walk->frame_offset;
		*ret_frame = frame;
		return 0;
	}
	return -ENODATA;
}

int walk_body(struct walk *walk, const struct frame *frame, const uint8_t **ret_body)
{
	int error =
		cover(walk, walk->frame_offset, sizeof *frame + frame->stored_bytes, WINDOW_BYTES);
	if (error)
		return error;
	const uint8_t *body =
		walk->window->at + (walk->frame_offset - walk->window->offset) + sizeof *frame;
	if (!walk->window->is_own && crc32c(body, frame->stored_bytes) != frame->body_crc)
		return -EBADMSG;
	*ret_body = body;
	return 0;
}
