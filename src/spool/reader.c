#include "spool/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/counters.h"
#include "base/log.h"

/* A record as handed out: its body lies in the block, or in `copy` when that would hold much for little. */
struct stored_record {
	struct record record;
	struct block *block;
	uint8_t copy[];
};

enum { BLOCK_PER_BODY_MAX = 4, REPEAT_LOG_MS = 60 * 1000 };

struct spool_reader *spool_reader_new(struct spool *spool, const char *lane, enum stage stage,
	unsigned shapes, uint64_t from, void (*wake)(void *arg), void *wake_arg)
{
	struct spool_reader *reader = calloc(1, sizeof *reader);
	if (!reader)
		return NULL;
	reader->spool = spool;
	reader->stage = stage;
	reader->shapes = shapes;
	reader->wake = wake;
	reader->wake_arg = wake_arg;
	reader->max_bytes = UINT64_MAX;
	if (lane) {
		assert(strlen(lane) <= LANE_NAME_MAX);
		reader->has_lane = true;
		memcpy(reader->lane, lane, strlen(lane));
		reader->lane_bit = lane_bit(lane);
	}
	walk_init(&reader->walk, &spool->cache, spool->directory);

	spool_begin_at(spool, from);
	pthread_mutex_lock(&spool->readers_lock);
	pthread_mutex_lock(&spool->lock);
	if (from < spool->floor)
		from = spool->floor;
	if (from > spool->next_sequence)
		from = spool->next_sequence;
	reader->keep = from;
	atomic_init(&reader->position, from);
	reader->next = spool->readers;
	spool->readers = reader;
	pthread_mutex_unlock(&spool->lock);
	pthread_mutex_unlock(&spool->readers_lock);
	return reader;
}

static void unlink_reader(struct spool *spool, const struct spool_reader *reader)
{
	struct spool_reader **at = &spool->readers;
	while (*at != reader)
		at = &(*at)->next;
	*at = reader->next;
}

void spool_reader_free(struct spool_reader *reader)
{
	if (!reader)
		return;
	walk_rest(&reader->walk);
	struct spool *spool = reader->spool;
	pthread_mutex_lock(&spool->readers_lock);
	pthread_mutex_lock(&spool->lock);
	reader->is_freed = true;
	bool keeps_nothing = reader->keep == SPOOL_KEEP_NOTHING;
	if (keeps_nothing)
		unlink_reader(spool, reader);
	pthread_mutex_unlock(&spool->lock);
	pthread_mutex_unlock(&spool->readers_lock);
	if (keeps_nothing)
		free(reader);
}

/* The segment that holds what comes next for the reader; false at the end of the log. */
static bool find_segment(struct spool_reader *reader, struct segment *ret_segment)
{
	struct spool *spool = reader->spool;
	pthread_mutex_lock(&spool->lock);
	uint64_t position = atomic_load(&reader->position);
	if (position < spool->floor) { /* let go, though the reader is not there: it is bounded */
		position = spool->floor;
		atomic_store(&reader->position, position);
	}
	size_t low = 0, high = spool->segment_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (spool->segments[middle]->end_sequence <= position)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < spool->segment_count;
	if (found)
		*ret_segment = *spool->segments[low];
	pthread_mutex_unlock(&spool->lock);
	if (found && ret_segment->first_sequence > position)
		atomic_store(&reader->position, ret_segment->first_sequence);
	return found;
}

/* Counts lost records once, whichever reader comes by first. */
static void count_damage(
	struct spool_reader *reader, const struct segment *segment, uint64_t records)
{
	if (records == 0)
		return;
	struct spool *spool = reader->spool;
	uint64_t offset = reader->walk.offset, held;
	bool is_news = false;
	pthread_mutex_lock(&spool->lock);
	for (size_t i = 0; i < spool->segment_count; i++) {
		struct segment *at = spool->segments[i];
		if (at->generation == segment->generation && at->damage_bytes < offset) {
			at->damage_bytes = offset;
			is_news = true;
		}
	}
	pthread_mutex_unlock(&spool->lock);
	if (!is_news)
		return;
	counter_add(COUNTER_SPOOL_RECORDS_DAMAGED, records);
	static struct log_gate gate;
	if (log_gate_open(&gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_ERROR, "spool_records_damaged",
			"segment=%08x records=%llu lines_held=%llu", segment->id,
			(unsigned long long)records, (unsigned long long)held);
}

static bool is_for(const struct frame *frame, const struct spool_reader *reader)
{
	return frame->stage == reader->stage && frame->shape & reader->shapes &&
		(!reader->has_lane || strcmp(frame->lane, reader->lane) == 0);
}

static struct record head_of(const struct frame *frame)
{
	struct record head = {
		.sequence = frame->sequence,
		.received_ns = frame->received_ns,
		.signal = frame->signal,
		.stage = frame->stage,
		.shape = frame->shape,
		.encoding = frame->encoding,
		.span_count = frame->span_count,
		.raw_bytes = frame->raw_bytes,
		.body = { NULL, frame->stored_bytes },
	};
	memcpy(head.lane, frame->lane, sizeof frame->lane);
	return head;
}

/* -EBADMSG: the body is damaged. */
static int make_record(struct walk *walk, const struct frame *frame, struct record **ret_record)
{
	const uint8_t *body;
	int error = walk_body(walk, frame, &body);
	if (error)
		return error;
	bool is_copy = walk->window->bytes / BLOCK_PER_BODY_MAX > frame->stored_bytes;
	struct stored_record *stored = malloc(sizeof *stored + (is_copy ? frame->stored_bytes : 0));
	if (!stored)
		return -ENOMEM;
	if (is_copy)
		memcpy(stored->copy, body, frame->stored_bytes);
	stored->block = is_copy ? NULL : block_ref(walk->window);
	stored->record = head_of(frame);
	stored->record.body.at = is_copy ? stored->copy : body;
	*ret_record = &stored->record;
	return 0;
}

void record_release(struct record *record)
{
	if (!record)
		return;
	struct stored_record *stored =
		(struct stored_record *)((char *)record - offsetof(struct stored_record, record));
	block_unref(stored->block);
	free(stored);
}

/* The next header for the reader. -ENODATA: no more in this segment. */
static int next_in_segment(
	struct spool_reader *reader, const struct segment *segment, struct frame *ret_frame)
{
	struct walk *walk = &reader->walk;
	uint64_t position = atomic_load(&reader->position);
	if (walk->generation != segment->generation || walk->sequence > position)
		walk_begin(walk, segment);
	walk->end_bytes = segment->used_bytes;

	while (walk->sequence < segment->end_sequence) {
		uint64_t expected = walk->sequence;
		int error = walk_next(walk, ret_frame);
		if (error == -ENODATA || (!error && ret_frame->sequence >= segment->end_sequence)) {
			count_damage(reader, segment, segment->end_sequence - expected);
			walk->sequence = segment->end_sequence;
			break;
		}
		if (error)
			return error;
		count_damage(reader, segment, ret_frame->sequence - expected);
		if (ret_frame->sequence >= position && is_for(ret_frame, reader))
			return 0;
	}
	return -ENODATA;
}

/* The same through all segments. -EAGAIN at the end of the log, -ENOMEM. */
static int next_frame(
	struct spool_reader *reader, struct segment *ret_segment, struct frame *ret_frame)
{
	while (find_segment(reader, ret_segment)) {
		int error = -ENODATA;
		if (!reader->has_lane || ret_segment->lanes & reader->lane_bit)
			error = next_in_segment(reader, ret_segment, ret_frame);
		if (!error)
			return 0;
		if (error != -ENODATA) {
			walk_rest(&reader->walk);
			return -ENOMEM;
		}
		atomic_store(&reader->position, ret_segment->end_sequence);
	}
	walk_rest(&reader->walk);
	return -EAGAIN;
}

static void note_seen(struct spool_reader *reader, const struct record *record)
{
	pthread_mutex_lock(&reader->spool->lock);
	if (reader->seen_count < SEEN_COUNT) {
		size_t at = (reader->seen_first + reader->seen_count++) % SEEN_COUNT;
		reader->seen[at].sequence = record->sequence;
		reader->seen[at].received_ns = record->received_ns;
	}
	pthread_mutex_unlock(&reader->spool->lock);
	atomic_store(&reader->position, record->sequence + 1);
}

/* With lock held. */
static void forget_seen(struct spool_reader *reader, uint64_t below)
{
	while (reader->seen_count > 0 && reader->seen[reader->seen_first].sequence < below) {
		reader->finished_ns = reader->seen[reader->seen_first].received_ns;
		reader->seen_first = (reader->seen_first + 1) % SEEN_COUNT;
		reader->seen_count--;
	}
}

/* The frame that was given last comes again. */
static void step_back(struct walk *walk, const struct frame *frame)
{
	walk->offset = walk->frame_offset;
	walk->sequence = frame->sequence;
	walk_rest(walk);
}

static void skip_damaged(
	struct spool_reader *reader, const struct segment *segment, const struct frame *frame)
{
	struct record head = head_of(frame);
	count_damage(reader, segment, 1);
	atomic_store(&reader->position, frame->sequence + 1);
	if (reader->lost)
		reader->lost(reader->lost_arg, &head);
}

int spool_reader_next(struct spool_reader *reader, struct record **ret_record)
{
	struct segment segment;
	struct frame frame;
	int error;
	while (!(error = next_frame(reader, &segment, &frame))) {
		struct record *record;
		error = make_record(&reader->walk, &frame, &record);
		if (!error) {
			note_seen(reader, record);
			*ret_record = record;
			return 0;
		}
		if (error != -EBADMSG) {
			step_back(&reader->walk, &frame);
			return -ENOMEM;
		}
		skip_damaged(reader, &segment, &frame);
	}
	return error;
}

int spool_reader_next_head(struct spool_reader *reader, struct record *ret_head)
{
	struct segment segment;
	struct frame frame;
	int error = next_frame(reader, &segment, &frame);
	if (error)
		return error;
	*ret_head = head_of(&frame);
	atomic_store(&reader->position, frame.sequence + 1);
	return 0;
}

void spool_reader_report_loss(
	struct spool_reader *reader, void (*lost)(void *arg, const struct record *head), void *arg)
{
	reader->lost = lost;
	reader->lost_arg = arg;
}

uint64_t spool_reader_position(const struct spool_reader *reader)
{
	return atomic_load(&reader->position);
}

void spool_reader_seek(struct spool_reader *reader, uint64_t sequence)
{
	pthread_mutex_lock(&reader->spool->lock);
	if (sequence > reader->spool->next_sequence)
		sequence = reader->spool->next_sequence;
	if (sequence < reader->keep)
		sequence = reader->keep;
	if (sequence < atomic_load(&reader->position))
		reader->seen_count = 0; /* they come again */
	pthread_mutex_unlock(&reader->spool->lock);
	atomic_store(&reader->position, sequence);
}

void spool_reader_keep(struct spool_reader *reader, uint64_t sequence)
{
	struct spool *spool = reader->spool;
	pthread_mutex_lock(&spool->lock);
	if (sequence > spool->next_sequence && sequence != SPOOL_KEEP_NOTHING)
		sequence = spool->next_sequence;
	if (sequence > reader->keep) {
		/* Others have less: nothing changes for the log, however many readers follow it. */
		bool is_last = reader->keep <= spool->floor || reader->keep <= spool->counted_from;
		reader->keep = sequence;
		forget_seen(reader, sequence);
		if (is_last)
			space_release(spool);
	}
	pthread_mutex_unlock(&spool->lock);
	if (atomic_load(&reader->position) < sequence)
		atomic_store(&reader->position, sequence);
}

void spool_reader_bound(struct spool_reader *reader, uint64_t max_bytes)
{
	pthread_mutex_lock(&reader->spool->lock);
	reader->max_bytes = max_bytes;
	pthread_mutex_unlock(&reader->spool->lock);
}

void spool_reader_uncounted(struct spool_reader *reader)
{
	pthread_mutex_lock(&reader->spool->lock);
	reader->is_uncounted = true;
	pthread_mutex_unlock(&reader->spool->lock);
}

/* When the oldest kept record came; when it was not read yet, when one shortly before it did. */
static uint64_t oldest_kept(const struct spool_reader *reader, const struct segment *segment)
{
	if (reader->seen_count > 0)
		return reader->seen[reader->seen_first].received_ns;
	return reader->finished_ns > segment->oldest_ns ? reader->finished_ns : segment->oldest_ns;
}

struct spool_lag spool_reader_lag(struct spool_reader *reader)
{
	struct spool *spool = reader->spool;
	struct spool_lag lag = { 0 };
	pthread_mutex_lock(&spool->lock);
	for (size_t i = 0; i < spool->segment_count; i++) {
		const struct segment *segment = spool->segments[i];
		if (segment->end_sequence <= reader->keep)
			continue;
		if (lag.records == 0)
			lag.oldest_ns = oldest_kept(reader, segment);
		uint64_t from = segment->first_sequence > reader->keep ? segment->first_sequence :
									 reader->keep;
		lag.records += segment->end_sequence - from;
		lag.bytes += segment_bytes_from(segment, from);
	}
	pthread_mutex_unlock(&spool->lock);
	return lag;
}
