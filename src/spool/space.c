#include <config.h>

#include "spool/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	GROW_BYTES = 4 << 20,        /* a file takes its blocks in such steps */
	FREE_FILES_MAX = 8,          /* kept to be written again, which is cheaper than new ones */
	SMALL_FILE_BYTES = 16 << 20, /* not worth to be given back */
	IDLE_MS = 30000,
	REFUSAL_MS = 1000,
};

uint64_t segment_bytes_from(const struct segment *segment, uint64_t sequence)
{
	if (sequence >= segment->end_sequence)
		return 0;
	double stored = (double)(segment->used_bytes - BLOCK_BYTES);
	if (sequence <= segment->first_sequence)
		return (uint64_t)stored;
	return (uint64_t)(stored * (double)(segment->end_sequence - sequence) /
		(double)(segment->end_sequence - segment->first_sequence));
}

uint64_t space_sequence_within(const struct spool *spool, uint64_t bytes)
{
	for (size_t i = spool->segment_count; i-- > 0;) {
		const struct segment *segment = spool->segments[i];
		uint64_t stored = segment_bytes_from(segment, 0);
		if (stored > bytes) {
			uint64_t records = segment->end_sequence - segment->first_sequence;
			uint64_t fit = (uint64_t)((double)records * (double)bytes / (double)stored);
			return segment->end_sequence - fit;
		}
		bytes -= stored;
	}
	return spool->segment_count ? spool->segments[0]->first_sequence : spool->next_sequence;
}

int space_push(struct spool *spool, struct segment *segment)
{
	if (spool->segment_count == spool->segment_capacity) {
		size_t capacity = spool->segment_capacity ? spool->segment_capacity * 2 : 16;
		struct segment **segments = realloc(spool->segments, capacity * sizeof *segments);
		if (!segments)
			return -ENOMEM;
		spool->segments = segments;
		spool->segment_capacity = capacity;
	}
	spool->segments[spool->segment_count++] = segment;
	return 0;
}

/* What a reader keeps, as far as it may. */
static uint64_t kept_from(const struct spool *spool, const struct spool_reader *reader)
{
	if (reader->max_bytes == UINT64_MAX)
		return reader->keep;
	uint64_t within = space_sequence_within(spool, reader->max_bytes);
	return within > reader->keep ? within : reader->keep;
}

void space_release(struct spool *spool)
{
	uint64_t floor = SPOOL_KEEP_NOTHING, counted = SPOOL_KEEP_NOTHING;
	for (struct spool_reader *reader = spool->readers; reader; reader = reader->next) {
		uint64_t from = kept_from(spool, reader);
		if (from < floor)
			floor = from;
		if (from < counted && !reader->is_uncounted)
			counted = from;
	}
	if (floor > spool->floor && floor != SPOOL_KEEP_NOTHING && spool->is_writing)
		spool->floor = floor;
	if (counted < spool->floor || counted == SPOOL_KEEP_NOTHING || !spool->is_writing)
		counted = spool->floor;

	size_t gone = 0;
	while (gone + 1 < spool->segment_count &&
		spool->segments[gone]->end_sequence <= spool->floor) {
		struct segment *segment = spool->segments[gone++];
		segment->next = spool->free;
		spool->free = segment;
	}
	spool->segment_count -= gone;
	uint64_t kept = 0;
	for (size_t i = 0; i < spool->segment_count; i++) {
		spool->segments[i] = spool->segments[i + gone];
		kept += segment_bytes_from(spool->segments[i], counted);
	}
	spool->counted_from = counted;
	atomic_store(&spool->kept_bytes, kept);
}

static void look_at_disk(struct spool *spool)
{
	struct statvfs disk;
	if (spool->options.min_free_bytes > 0 && fstatvfs(spool->directory, &disk) == 0)
		atomic_store(&spool->is_disk_low,
			(uint64_t)disk.f_bavail * disk.f_frsize < spool->options.min_free_bytes);
}

int spool_status(struct spool *spool)
{
	if (clock_monotonic_ms() < atomic_load(&spool->refusal_until_ms))
		return atomic_load(&spool->refusal);
	if (atomic_load(&spool->kept_bytes) >= spool->options.max_bytes ||
		atomic_load(&spool->is_disk_low))
		return -ENOSPC;
	return 0;
}

int space_check(struct spool *spool)
{
	look_at_disk(spool);
	return spool_status(spool);
}

void space_refuse(struct spool *spool, int error)
{
	atomic_store(&spool->refusal, error);
	atomic_store(&spool->refusal_until_ms, clock_monotonic_ms() + REFUSAL_MS);
}

static bool is_finished(const struct spool *spool, const struct segment *segment)
{
	return segment && !segment->is_suspect && segment->end_sequence <= spool->floor;
}

/* What may be written over, the one with the most blocks: a free file, or the last when it is finished. */
static struct segment *find_used(struct spool *spool)
{
	struct segment *best = is_finished(spool, spool_last(spool)) ? spool_last(spool) : NULL;
	for (struct segment *segment = spool->free; segment; segment = segment->next)
		if (!segment->is_suspect && (!best || segment->file_bytes > best->file_bytes))
			best = segment;
	return best;
}

static void leave_free_list(struct spool *spool, struct segment *segment)
{
	struct segment **at = &spool->free;
	while (*at && *at != segment)
		at = &(*at)->next;
	if (*at)
		*at = segment->next;
}

static int create(struct spool *spool, uint32_t *ret_id)
{
	int fd;
	do
		fd = segment_open(spool->directory, spool->next_id++, O_RDWR | O_CREAT | O_EXCL);
	while (fd == -EEXIST);
	if (fd >= 0)
		*ret_id = spool->next_id - 1;
	return fd;
}

static uint64_t next_generation(struct spool *spool)
{
	uint32_t chance = 0;
	while (getrandom(&chance, sizeof chance, 0) < 0 && errno == EINTR)
		;
	return (uint64_t)++spool->uses << 32 | chance;
}

/* Its header is on disk before any record, so that none is ever read under an older header. */
static int begin_file(struct spool *spool, struct segment *next, bool is_new)
{
	int fd = is_new ? create(spool, &next->id) :
			  segment_open(spool->directory, next->id, O_RDWR);
	if (fd < 0)
		return fd;
	int error = segment_write_header(fd, next);
	if (!error && fdatasync(fd) < 0)
		error = -errno;
	if (!error && is_new && fsync(spool->directory) < 0)
		error = -errno;
	if (error) {
		close(fd);
		if (is_new)
			segment_unlink(spool->directory, next->id);
		return error;
	}
	if (next->file_bytes < BLOCK_BYTES)
		next->file_bytes = BLOCK_BYTES;
	return fd;
}

static int start(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	struct segment *segment = find_used(spool);
	bool is_new = !segment, is_listed = segment && segment == spool_last(spool);
	leave_free_list(spool, segment);
	uint64_t first_sequence = spool->next_sequence;
	pthread_mutex_unlock(&spool->lock);
	if (is_new)
		segment = calloc(1, sizeof *segment);
	if (!segment)
		return -ENOMEM;

	struct segment next = {
		.id = segment->id,
		.generation = next_generation(spool),
		.first_sequence = first_sequence,
		.end_sequence = first_sequence,
		.used_bytes = BLOCK_BYTES,
		.file_bytes = segment->file_bytes,
	};
	int fd = begin_file(spool, &next, is_new);

	pthread_mutex_lock(&spool->lock);
	int error = fd < 0 ? fd : is_listed ? 0 : space_push(spool, segment);
	if (!error) {
		*segment = next;
		space_release(spool);
	} else if (!is_new) {
		segment->is_suspect = true;
		if (!is_listed) {
			segment->next = spool->free;
			spool->free = segment;
		}
	}
	pthread_mutex_unlock(&spool->lock);
	if (error) {
		if (fd >= 0)
			close(fd);
		if (fd >= 0 && is_new)
			segment_unlink(spool->directory, next.id);
		if (is_new)
			free(segment);
		return error;
	}
	spool->active = segment;
	spool->fd = fd;
	return 0;
}

void space_retire(struct spool *spool)
{
	if (spool->fd < 0)
		return;
	pthread_mutex_lock(&spool->lock);
	struct segment sealed = *spool->active;
	pthread_mutex_unlock(&spool->lock);
	segment_seal(spool->fd, &sealed);
	pthread_mutex_lock(&spool->lock);
	spool->active->is_sealed = true;
	spool->active->file_bytes = sealed.file_bytes;
	pthread_mutex_unlock(&spool->lock);
	close(spool->fd);
	spool->fd = -1;
	spool->active = NULL;
}

static int grow(struct spool *spool, uint64_t bytes)
{
	struct segment *active = spool->active;
	uint64_t end = active->used_bytes + bytes, limit = spool->options.segment_bytes;
	if (end <= active->file_bytes)
		return 0;
	if (limit < end) /* a group that no segment could hold gets one of its size */
		limit = end;
	uint64_t to = align_up(end, GROW_BYTES) < limit ? align_up(end, GROW_BYTES) : limit;
	int error = segment_grow(spool->fd, active->file_bytes, to);
	if (error)
		return error;
	pthread_mutex_lock(&spool->lock);
	active->file_bytes = to;
	pthread_mutex_unlock(&spool->lock);
	return 0;
}

/* Whether starting a segment would take no new block of the disk. */
static bool can_reuse(struct spool *spool, uint64_t bytes)
{
	pthread_mutex_lock(&spool->lock);
	const struct segment *used = find_used(spool);
	bool can = used && used->file_bytes >= BLOCK_BYTES + bytes;
	pthread_mutex_unlock(&spool->lock);
	return can;
}

int space_reserve(struct spool *spool, uint64_t bytes)
{
	pthread_mutex_lock(&spool->lock);
	uint64_t next_sequence = spool->next_sequence;
	pthread_mutex_unlock(&spool->lock);
	const struct segment *active = spool->active;
	bool is_full = active && active->used_bytes > BLOCK_BYTES &&
		active->used_bytes + bytes > spool->options.segment_bytes;
	if (is_full || (active && active->end_sequence != next_sequence))
		space_retire(spool);

	int error = spool->active ? 0 : start(spool);
	if (!error)
		error = grow(spool, bytes);
	if (error == -ENOSPC && can_reuse(spool, bytes)) {
		space_retire(spool);
		error = start(spool);
	}
	return error;
}

void space_shrink(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	bool can = is_finished(spool, spool_last(spool));
	pthread_mutex_unlock(&spool->lock);
	if (!can)
		return;
	space_retire(spool);
	if (start(spool) < 0 || ftruncate(spool->fd, BLOCK_BYTES) < 0)
		return;
	pthread_mutex_lock(&spool->lock);
	spool->active->file_bytes = BLOCK_BYTES;
	pthread_mutex_unlock(&spool->lock);
}

void spool_tick(struct spool *spool)
{
	look_at_disk(spool);
	struct segment *gone = NULL;
	pthread_mutex_lock(&spool->lock);
	space_release(spool);
	bool is_idle = clock_monotonic_ms() - spool->written_ms >= IDLE_MS;
	size_t count = 0;
	for (struct segment **at = &spool->free; *at;) {
		struct segment *segment = *at;
		if (segment->is_suspect || is_idle || ++count > FREE_FILES_MAX) {
			*at = segment->next;
			segment->next = gone;
			gone = segment;
		} else {
			at = &segment->next;
		}
	}
	struct segment *last = spool_last(spool);
	if (is_idle && is_finished(spool, last) && last->file_bytes > SMALL_FILE_BYTES) {
		spool->wants_shrink = true;
		pthread_cond_signal(&spool->work);
	}
	pthread_mutex_unlock(&spool->lock);

	while (gone) {
		struct segment *segment = gone;
		gone = segment->next;
		segment_unlink(spool->directory, segment->id);
		free(segment);
	}
}
