#include "spool/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

enum { BUFFER_MAX_BYTES = INT32_MAX };

int spool_open(const struct spool_options *options, struct spool **ret_spool)
{
	struct spool *spool = calloc(1, sizeof *spool);
	if (!spool)
		return -ENOMEM;
	spool->options = *options;
	spool->options.directory = NULL; /* the caller's; the descriptor is ours */
	spool->fd = -1;
	spool->next_sequence = 1;
	spool->waiting_end = &spool->waiting;
	spool->written_ms = clock_monotonic_ms();
	cache_init(&spool->cache, options->cache_bytes);
	buf_init(&spool->joined, BUFFER_MAX_BYTES, NULL);
	buf_init(&spool->packed, BUFFER_MAX_BYTES, NULL);
	pthread_mutex_init(&spool->lock, NULL);
	pthread_mutex_init(&spool->readers_lock, NULL);
	pthread_cond_init(&spool->work, NULL);

	spool->directory = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = spool->directory < 0 ? -errno : recover(spool);
	if (error) {
		spool_close(spool);
		return error;
	}
	space_release(spool);
	*ret_spool = spool;
	return 0;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	for (struct batch *batch = spool->waiting, *next; batch; batch = next) {
		next = batch->next;
		batch->committed(batch, -ESHUTDOWN);
	}
	space_retire(spool);
	for (struct spool_reader *reader = spool->readers, *next; reader; reader = next) {
		next = reader->next;
		walk_rest(&reader->walk);
		free(reader);
	}
	for (size_t i = 0; i < spool->segment_count; i++)
		free(spool->segments[i]);
	for (struct segment *segment = spool->free, *next; segment; segment = next) {
		next = segment->next;
		free(segment);
	}
	free(spool->segments);
	cache_done(&spool->cache);
	buf_done(&spool->joined);
	buf_done(&spool->packed);
	pthread_cond_destroy(&spool->work);
	pthread_mutex_destroy(&spool->readers_lock);
	pthread_mutex_destroy(&spool->lock);
	if (spool->directory >= 0)
		close(spool->directory);
	free(spool);
}

void spool_begin_at(struct spool *spool, uint64_t sequence)
{
	pthread_mutex_lock(&spool->lock);
	if (sequence > spool->next_sequence && sequence < BELIEVED_MAX)
		spool->next_sequence = sequence;
	pthread_mutex_unlock(&spool->lock);
}

uint64_t spool_sequence_within(struct spool *spool, uint64_t bytes)
{
	pthread_mutex_lock(&spool->lock);
	uint64_t sequence = space_sequence_within(spool, bytes);
	pthread_mutex_unlock(&spool->lock);
	return sequence;
}

struct spool_figures spool_figures(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	struct spool_figures figures = {
		.whole_from = spool->next_sequence,
		.next_sequence = spool->next_sequence,
		.kept_bytes = atomic_load(&spool->kept_bytes),
		.segments = spool->segment_count,
		.commits = spool->commits,
		.failure = atomic_load(&spool->refusal),
	};
	for (size_t i = spool->segment_count; i-- > 0;) {
		const struct segment *segment = spool->segments[i];
		figures.disk_bytes += segment->file_bytes;
		if (segment->end_sequence == figures.whole_from)
			figures.whole_from = segment->first_sequence;
	}
	if (figures.whole_from < spool->floor)
		figures.whole_from = spool->floor;
	for (const struct segment *segment = spool->free; segment; segment = segment->next)
		figures.disk_bytes += segment->file_bytes;
	pthread_mutex_unlock(&spool->lock);
	return figures;
}
