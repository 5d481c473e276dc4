#include "spool/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/counters.h"
#include "base/log.h"

/*
 * Walks through a segment that has no seal, to learn what it holds, and checks every checksum.
 *
 *   is_torn_cut  the process died while it was written: its last group counts whole or not at all,
 *                since it was never acknowledged when a part is missing
 */
static void examine(struct spool *spool, struct segment *segment, bool is_torn_cut)
{
	struct walk walk;
	walk_init(&walk, &spool->cache, spool->directory);
	walk_begin(&walk, segment);
	walk.end_bytes = segment->file_bytes;

	struct {
		uint64_t first, offset;
		uint32_t count, good;
	} group = { 0 };
	struct frame frame;
	while (walk_next(&walk, &frame) == 0 && frame.sequence < BELIEVED_MAX &&
		frame.generation < BELIEVED_MAX) {
		segment->generation = frame.generation;
		if (frame.sequence - frame.group_index != group.first) {
			group.first = frame.sequence - frame.group_index;
			group.offset = segment->used_bytes;
			group.count = frame.group_count;
			group.good = 0;
		}
		const uint8_t *body;
		group.good += walk_body(&walk, &frame, &body) == 0;
		if (!segment->first_sequence)
			segment->first_sequence = frame.sequence;
		if (!segment->oldest_ns)
			segment->oldest_ns = frame.received_ns;
		segment->lanes |= lane_bit(frame.lane);
		segment->end_sequence = frame.sequence + 1;
		segment->used_bytes = align_up(walk.offset, BLOCK_BYTES);
	}
	walk_rest(&walk);

	if (is_torn_cut && group.good < group.count) {
		counter_add(COUNTER_SPOOL_TAILS_CUT, 1);
		log_event(LOG_LEVEL_INFO, "spool_tail_cut", "segment=%08x offset=%llu", segment->id,
			(unsigned long long)group.offset);
		segment->end_sequence = group.first > segment->first_sequence ?
			group.first :
			segment->first_sequence;
		segment->used_bytes = group.offset;
	}
}

/* So that it is not examined again, and nothing behind its end is ever seen. */
static void seal(struct spool *spool, struct segment *segment)
{
	int fd = segment_open(spool->directory, segment->id, O_WRONLY);
	if (fd < 0)
		return;
	segment_seal(fd, segment);
	close(fd);
}

/* A segment without a valid header: what its records say. -EBADMSG: there are none. */
static int rebuild(struct spool *spool, struct segment *segment)
{
	segment->used_bytes = BLOCK_BYTES;
	examine(spool, segment, false);
	bool is_lost = segment->generation == 0;
	log_event(LOG_LEVEL_WARNING, is_lost ? "spool_segment_set_aside" : "spool_segment_rebuilt",
		"segment=%08x records=%llu", segment->id,
		(unsigned long long)(segment->end_sequence - segment->first_sequence));
	if (!is_lost) {
		seal(spool, segment);
		return 0;
	}
	counter_add(COUNTER_SPOOL_RECORDS_DAMAGED, 1);
	segment_set_aside(spool->directory, segment->id);
	return -EBADMSG;
}

static int take_file(struct spool *spool, uint32_t id)
{
	struct segment *segment = calloc(1, sizeof *segment);
	if (!segment)
		return -ENOMEM;
	segment->id = id;
	int fd = segment_open(spool->directory, id, O_RDONLY);
	int error = fd < 0 ? fd : segment_read_header(fd, segment);
	if (fd >= 0)
		close(fd);
	if (error == -EBADMSG)
		error = rebuild(spool, segment);
	if (error == -ENODATA)
		segment_unlink(spool->directory, id);
	if (!error)
		error = space_push(spool, segment);
	if (error)
		free(segment);
	return error == -ENODATA || error == -EBADMSG ? 0 : error;
}

static int by_generation(const void *a, const void *b)
{
	const struct segment *left = *(struct segment *const *)a,
			     *right = *(struct segment *const *)b;
	return left->generation < right->generation ? -1 : left->generation > right->generation;
}

/*
 * What a failed commit or a crash left at the end of a segment may have numbers that were given again
 * in the next one: there the next one's are the good ones. A copy that somebody made of a file hides the
 * other one in the same way.
 */
static void end_before(struct segment *segment, const struct segment *next)
{
	if (segment->end_sequence > next->first_sequence)
		segment->end_sequence = next->first_sequence > segment->first_sequence ?
			next->first_sequence :
			segment->first_sequence;
}

int recover(struct spool *spool)
{
	int fd = openat(spool->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	DIR *files = fdopendir(fd);
	if (!files) {
		close(fd);
		return -ENOMEM;
	}
	int error = 0;
	uint32_t id;
	for (struct dirent *file; !error && (file = readdir(files));)
		if (segment_parse_name(file->d_name, &id)) {
			error = take_file(spool, id);
			if (id >= spool->next_id)
				spool->next_id = id + 1;
		}
	closedir(files);
	if (error || spool->segment_count == 0)
		return error;

	qsort(spool->segments, spool->segment_count, sizeof *spool->segments, by_generation);
	for (size_t i = 0; i < spool->segment_count; i++) {
		struct segment *segment = spool->segments[i];
		bool is_last = i + 1 == spool->segment_count, is_sealed = segment->is_sealed;
		if (!is_sealed)
			examine(spool, segment, is_last);
		if (!is_last)
			end_before(segment, spool->segments[i + 1]);
		if (!is_sealed)
			seal(spool, segment);
		if (segment->end_sequence > spool->next_sequence)
			spool->next_sequence = segment->end_sequence;
	}
	spool->uses = (uint32_t)(spool_last(spool)->generation >> 32);
	return 0;
}
