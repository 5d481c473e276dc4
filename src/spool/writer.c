#include "spool/log.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "http/compression.h"
#include "spool/crc32c.h"

enum {
	GROUP_BYTES =
		1 << 20, /* raw, of one commit: bounds memory, and how long an early one waits */
	SCRATCH_BYTES = 4 << 20,
};

/* A record in the making. */
struct draft {
	const struct batch *like; /* the first of them */
	enum shape shape;
	enum stage stage;
	uint64_t received_ns;
	uint64_t span_count;
	uint64_t raw_bytes;
	struct piece {
		struct bytes bytes;
		struct piece *next;
	} * pieces, **pieces_end;
	size_t packed_at; /* in spool->packed */
	size_t stored_bytes;
};

/* What one commit writes. */
struct group {
	struct arena scratch;
	struct draft *drafts;
	size_t count;
	uint64_t bytes; /* on disk */
};

void spool_append(struct spool *spool, struct batch *batch)
{
	assert(strlen(batch->lane) <= LANE_NAME_MAX);
	batch->next = NULL;
	pthread_mutex_lock(&spool->lock);
	bool is_stopping = spool->is_stopping;
	if (!is_stopping) {
		*spool->waiting_end = batch;
		spool->waiting_end = &batch->next;
		pthread_cond_signal(&spool->work);
	}
	pthread_mutex_unlock(&spool->lock);
	if (is_stopping)
		batch->committed(batch, -ESHUTDOWN);
}

void spool_stop(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	spool->is_stopping = true;
	pthread_cond_signal(&spool->work);
	pthread_mutex_unlock(&spool->lock);
}

static uint64_t raw_bytes(const struct batch *batch)
{
	uint64_t bytes = batch->part_count * sizeof(struct frame);
	for (size_t i = 0; i < batch->part_count; i++)
		bytes += batch->parts[i].bytes.len;
	return bytes;
}

/* The longest row of waiting batches that makes a group; with lock held. */
static struct batch *take_waiting(struct spool *spool)
{
	struct batch *first = spool->waiting, *last = first;
	if (!first)
		return NULL;
	uint64_t bytes = raw_bytes(first);
	while (last->next && (bytes += raw_bytes(last->next)) <= GROUP_BYTES)
		last = last->next;
	spool->waiting = last->next;
	if (!spool->waiting)
		spool->waiting_end = &spool->waiting;
	last->next = NULL;
	return first;
}

static bool is_alike(const struct draft *draft, const struct batch *batch, const struct part *part)
{
	const struct batch *like = draft->like;
	return draft->shape == part->shape && draft->stage == part->stage &&
		like->signal == batch->signal && strcmp(like->lane, batch->lane) == 0;
}

static bool has_room(const struct draft *draft, const struct part *part, uint64_t max_record_bytes)
{
	return draft->raw_bytes + part->bytes.len <= max_record_bytes &&
		draft->span_count + part->span_count <= UINT32_MAX;
}

static int draft_part(struct group *group, const struct batch *batch, const struct part *part,
	uint64_t max_record_bytes)
{
	assert(part->bytes.len <= INT32_MAX);
	/* The last one of its kind or a new one: what is alike stays in its order. */
	struct draft *draft = group->drafts + group->count;
	while (draft > group->drafts && !is_alike(draft - 1, batch, part))
		draft--;
	if (draft > group->drafts && has_room(draft - 1, part, max_record_bytes)) {
		draft--;
	} else {
		draft = &group->drafts[group->count++];
		*draft =
			(struct draft){ .like = batch, .shape = part->shape, .stage = part->stage };
		draft->received_ns = batch->received_ns;
		draft->pieces_end = &draft->pieces;
	}
	struct piece *piece = arena_alloc(&group->scratch, sizeof *piece);
	if (!piece)
		return -ENOMEM;
	*piece = (struct piece){ .bytes = part->bytes };
	*draft->pieces_end = piece;
	draft->pieces_end = &piece->next;
	draft->raw_bytes += part->bytes.len;
	draft->span_count += part->span_count;
	if (batch->received_ns < draft->received_ns)
		draft->received_ns = batch->received_ns;
	return 0;
}

/* Which part goes into which record. */
static int draft_records(
	struct group *group, const struct batch *batches, uint64_t max_record_bytes)
{
	size_t parts = 0;
	for (const struct batch *batch = batches; batch; batch = batch->next)
		parts += batch->part_count;
	group->drafts = arena_alloc(&group->scratch, parts * sizeof *group->drafts);
	int error = group->drafts ? 0 : -ENOMEM;
	for (const struct batch *batch = batches; batch && !error; batch = batch->next)
		for (size_t i = 0; i < batch->part_count && !error; i++)
			error = draft_part(group, batch, &batch->parts[i], max_record_bytes);
	return error;
}

static int pack_draft(struct spool *spool, struct draft *draft)
{
	draft->stored_bytes = draft->raw_bytes;
	if (!spool->options.compress)
		return 0;
	struct bytes plain = draft->pieces->bytes;
	if (draft->pieces->next) {
		spool->joined.len = 0;
		for (const struct piece *piece = draft->pieces; piece; piece = piece->next)
			buf_append(&spool->joined, piece->bytes.at, piece->bytes.len);
		if (spool->joined.error)
			return spool->joined.error;
		plain = buf_bytes(&spool->joined);
	}
	draft->packed_at = spool->packed.len;
	int error = gzip_compress(plain, &spool->packed);
	draft->stored_bytes = spool->packed.len - draft->packed_at;
	return error;
}

/* Compresses each record, and so learns how long the group is. */
static int pack_group(struct spool *spool, struct group *group)
{
	spool->packed.len = 0;
	for (size_t i = 0; i < group->count; i++) {
		int error = pack_draft(spool, &group->drafts[i]);
		if (error)
			return error;
		group->bytes = align_up(group->bytes, FRAME_ALIGN) + sizeof(struct frame) +
			group->drafts[i].stored_bytes;
	}
	group->bytes = align_up(group->bytes, BLOCK_BYTES);
	return 0;
}

static void write_body(const struct spool *spool, const struct draft *draft, uint8_t *to)
{
	if (spool->options.compress) {
		memcpy(to, spool->packed.at + draft->packed_at, draft->stored_bytes);
		return;
	}
	for (const struct piece *piece = draft->pieces; piece; piece = piece->next) {
		if (piece->bytes.len > 0)
			memcpy(to, piece->bytes.at, piece->bytes.len);
		to += piece->bytes.len;
	}
}

/* The group as it will lie in the active segment. NULL: no memory. */
static struct block *lay_out(const struct spool *spool, const struct group *group)
{
	const struct segment *active = spool->active;
	struct block *block = block_new(active->generation, active->used_bytes, group->bytes);
	if (!block)
		return NULL;
	block->is_own = true;
	uint64_t offset = 0;
	for (size_t i = 0; i < group->count; i++) {
		const struct draft *draft = &group->drafts[i];
		uint8_t *body = block->at + offset + sizeof(struct frame);
		write_body(spool, draft, body);
		struct frame frame = {
			.generation = active->generation,
			.sequence = active->end_sequence + i,
			.received_ns = draft->received_ns,
			.stored_bytes = (uint32_t)draft->stored_bytes,
			.raw_bytes = (uint32_t)draft->raw_bytes,
			.body_crc = crc32c(body, draft->stored_bytes),
			.span_count = (uint32_t)draft->span_count,
			.group_index = (uint32_t)i,
			.group_count = (uint32_t)group->count,
			.stage = draft->stage,
			.signal = draft->like->signal,
			.shape = draft->shape,
			.encoding = spool->options.compress ? ENCODING_GZIP : ENCODING_IDENTITY,
		};
		memcpy(frame.lane, draft->like->lane, strlen(draft->like->lane));
		frame_seal(&frame);
		memcpy(block->at + offset, &frame, sizeof frame);
		uint64_t end = offset + sizeof frame + draft->stored_bytes;
		offset = frame_end(&frame, offset);
		memset(block->at + end, 0, offset - end);
	}
	return block;
}

/* The group is part of the log from here on: readers see it, limits count it. */
static void publish(struct spool *spool, const struct group *group, struct block *block)
{
	cache_add(&spool->cache, block);
	uint64_t lanes = 0;
	for (size_t i = 0; i < group->count; i++)
		lanes |= lane_bit(group->drafts[i].like->lane);
	pthread_mutex_lock(&spool->lock);
	struct segment *active = spool->active;
	if (active->end_sequence == active->first_sequence)
		active->oldest_ns = group->drafts[0].received_ns;
	active->lanes |= lanes;
	active->used_bytes += block->bytes;
	active->end_sequence += group->count;
	if (spool->next_sequence < active->end_sequence)
		spool->next_sequence = active->end_sequence;
	spool->commits++;
	spool->written_ms = clock_monotonic_ms();
	space_release(spool);
	pthread_mutex_unlock(&spool->lock);
	atomic_store(&spool->refusal, 0);
}

/*
 * After a failure nobody knows what of the group is on disk, nor what a second sync would prove. So the
 * segment ends before it, and the numbers are given again in another segment, whose header must reach
 * the disk first: the first number of the next segment is where a segment ends, whatever it holds.
 */
static int put(struct spool *spool, const struct block *block)
{
	int error = segment_write(spool->fd, block->at, block->bytes, block->offset);
	if (!error && fdatasync(spool->fd) < 0)
		error = -errno;
	if (error) {
		counter_add(COUNTER_SPOOL_SYNC_FAILURES, 1);
		pthread_mutex_lock(&spool->lock);
		spool->active->is_suspect = true;
		pthread_mutex_unlock(&spool->lock);
		space_retire(spool);
	}
	return error;
}

static int passing_error(int error)
{
	if (error == -ENOSPC || error == -EDQUOT)
		return -ENOSPC;
	return error == -ENOMEM ? -ENOMEM : -EIO;
}

static void tell_end(struct batch *batches, uint64_t end)
{
	for (struct batch *batch = batches; batch; batch = batch->next)
		batch->stored_below = batch->part_count > 0 ? end : 0;
}

static int commit(struct spool *spool, struct batch *batches)
{
	struct group group = { 0 };
	struct block *block = NULL;
	arena_init(&group.scratch, SCRATCH_BYTES, NULL);
	int error = space_check(spool);
	if (error)
		goto out;
	error = draft_records(&group, batches, spool->options.max_record_bytes);
	if (!error)
		error = pack_group(spool, &group);
	if (!error && group.count == 0)
		goto out;
	if (!error)
		error = space_reserve(spool, group.bytes);
	if (!error)
		error = (block = lay_out(spool, &group)) ? put(spool, block) : -ENOMEM;
	if (!error) {
		publish(spool, &group, block);
		tell_end(batches, spool->active->end_sequence);
	} else {
		error = passing_error(error);
		if (error != -ENOMEM)
			space_refuse(spool, error);
	}
out:
	block_unref(block);
	arena_done(&group.scratch);
	return error;
}

/* A large group's memory is not held for the small ones that follow. */
static void give_back(struct buf *buf)
{
	if (buf->error || buf->capacity > 4 * GROUP_BYTES) {
		size_t max_bytes = buf->max_bytes;
		buf_done(buf);
		buf_init(buf, max_bytes, NULL);
	}
}

static const char *name_error(int error)
{
	if (error == -ENOSPC)
		return "no_space";
	return error == -ENOMEM ? "no_memory" : "disk_error";
}

static void report(struct spool *spool, struct batch *batches, int error)
{
	static struct log_gate gate;
	uint64_t held;
	if (error && log_gate_open(&gate, 10000, &held))
		log_event(LOG_LEVEL_ERROR, "spool_commit_failed", "reason=%s lines_held=%llu",
			name_error(error), (unsigned long long)held);
	for (struct batch *batch = batches, *next; batch; batch = next) {
		next = batch->next;
		batch->committed(batch, error);
	}
	if (error)
		return;
	pthread_mutex_lock(&spool->readers_lock);
	for (struct spool_reader *reader = spool->readers; reader; reader = reader->next)
		if (!reader->is_freed && reader->wake)
			reader->wake(reader->wake_arg);
	pthread_mutex_unlock(&spool->readers_lock);
}

void spool_write(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	spool->is_writing = true;
	space_release(spool);
	for (;;) {
		while (!spool->waiting && !spool->is_stopping && !spool->wants_shrink)
			pthread_cond_wait(&spool->work, &spool->lock);
		struct batch *batches = take_waiting(spool);
		bool is_last = !batches && spool->is_stopping;
		spool->wants_shrink = spool->wants_shrink && batches;
		pthread_mutex_unlock(&spool->lock);
		if (is_last)
			return;
		if (batches) {
			report(spool, batches, commit(spool, batches));
			give_back(&spool->joined);
			give_back(&spool->packed);
		} else {
			space_shrink(spool);
		}
		pthread_mutex_lock(&spool->lock);
	}
}
