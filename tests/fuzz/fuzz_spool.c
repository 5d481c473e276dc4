/*
 * Any bytes as a spool's only segment: it opens, what is delivered has a right checksum and comes in
 * order, and a new record goes in and comes out.
 *
 * A fuzzer never guesses a checksum. So the first byte says whether they are made right before: bit 0
 * the segment's header, bit 1 the headers and bit 2 the bodies of records, bit 3 their generation.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/crc32c.h"
#include "spool/frame.h"
#include "spool/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/tollgate-fuzz-XXXXXX";

static void require(int is_true)
{
	if (!is_true)
		abort();
}

static void empty_directory(void)
{
	static const char *const names[] = { "segment-00000000", "segment-00000000.damaged",
		"segment-00000001", "segment-00000002" };
	char path[64];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, names[i]);
		unlink(path);
	}
}

static void leave(void)
{
	empty_directory();
	rmdir(directory);
}

static void make_right(uint8_t *file, size_t size, uint8_t what)
{
	if (size >= 72 && what & 1) {
		uint32_t crc = crc32c(file + 16, 56);
		memcpy(file + 12, &crc, 4);
	}
	for (size_t at = BLOCK_BYTES; at + sizeof(struct frame) <= size; at += FRAME_ALIGN) {
		struct frame frame;
		memcpy(&frame, file + at, sizeof frame);
		if (frame.magic != FRAME_MAGIC)
			continue;
		if (what & 8)
			memcpy(&frame.generation, file + 16, 8);
		if (what & 4 && frame.stored_bytes <= size - at - sizeof frame)
			frame.body_crc = crc32c(file + at + sizeof frame, frame.stored_bytes);
		if (what & 2)
			frame_seal(&frame);
		memcpy(file + at, &frame, sizeof frame);
	}
}

static void *run_writer(void *spool)
{
	spool_write(spool);
	return NULL;
}

static void committed(struct batch *batch, int error)
{
	*(int *)batch->owner = error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int is_ready;
	if (!is_ready) {
		require(mkdtemp(directory) != NULL);
		atexit(leave);
		is_ready = 1;
	}
	if (size < 1 || size > 256 << 10)
		return 0;
	char path[64];
	snprintf(path, sizeof path, "%s/segment-00000000", directory);
	empty_directory();
	uint8_t *file = malloc(size);
	memcpy(file, data + 1, size - 1);
	make_right(file, size - 1, data[0]);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	require(fd >= 0 && write(fd, file, size - 1) == (ssize_t)size - 1);
	close(fd);
	free(file);

	struct spool_options options = {
		.directory = directory,
		.segment_bytes = 64 << 10,
		.max_bytes = UINT64_MAX,
		.max_record_bytes = 64 << 10,
		.cache_bytes = 64 << 10,
	};
	struct spool *spool;
	require(spool_open(&options, &spool) == 0);
	struct spool_reader *out = spool_reader_new(spool, NULL, STAGE_OUT, 7, 1, NULL, NULL);
	struct spool_reader *in = spool_reader_new(spool, "lane", STAGE_IN, 7, 1, NULL, NULL);
	struct record *record;
	uint64_t last = 0;
	while (spool_reader_next(out, &record) == 0) {
		require(record->sequence > last);
		require(strlen(record->lane) <= LANE_NAME_MAX);
		last = record->sequence;
		crc32c(record->body.at, record->body.len); /* all of it can be read */
		record_release(record);
	}
	while (spool_reader_next(in, &record) == 0)
		record_release(record);
	spool_reader_lag(out);
	spool_sequence_within(spool, 1000);

	int error = 1;
	struct part part = { BYTES("new"), 1, SHAPE_ANY, STAGE_OUT };
	struct batch batch = { .lane = "lane",
		.signal = SIGNAL_TRACES,
		.parts = &part,
		.part_count = 1,
		.committed = committed,
		.owner = &error };
	pthread_t writer;
	spool_append(spool, &batch);
	spool_stop(spool);
	require(pthread_create(&writer, NULL, run_writer, spool) == 0);
	pthread_join(writer, NULL);
	require(error == 0);
	require(spool_reader_next(out, &record) == 0 && record->sequence > last);
	require(bytes_are(record->body, "new"));
	record_release(record);
	spool_reader_free(out);
	spool_reader_free(in);
	spool_close(spool);
	return 0;
}
