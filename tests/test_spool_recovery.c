#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/counters.h"
#include "spool/frame.h"
#include "support/spool_fixture.h"

static struct fixture fixture;

static void set_up(void)
{
	fixture_init(&fixture);
}

static void tear_down(void)
{
	fixture_done(&fixture);
}

TestSuite(spool_recovery, .init = set_up, .fini = tear_down);

static void reopen(void)
{
	fixture_close(&fixture);
	fixture_open(&fixture);
}

/* The directory as a crash now would leave it, in place of the fixture's. */
static void crash(void)
{
	struct fixture copy;
	fixture_copy(&copy, &fixture);
	fixture_done(&fixture);
	fixture = copy;
}

static void open_and_write(void)
{
	fixture_open(&fixture);
	fixture_start_writer(&fixture);
}

static void assert_next(
	struct spool_reader *reader, uint64_t expected_sequence, const char *expected)
{
	uint64_t sequence = 0;
	char *text = next_text(reader, &sequence);
	cr_assert_str_eq(text ? text : "(end)", expected);
	cr_assert_eq(sequence, expected_sequence);
	free(text);
}

static void assert_end(struct spool_reader *reader)
{
	struct record *record;
	cr_assert_eq(spool_reader_next(reader, &record), -EAGAIN);
}

/* Where each record lies on disk, found without the spool's help. */
struct place {
	uint32_t file;
	uint64_t sequence, offset, bytes;
};

static void file_path(char path[96], const struct fixture *in, uint32_t file)
{
	snprintf(path, 96, "%s/segment-%08x", in->directory, file);
}

static size_t find_places(
	const struct fixture *in, uint32_t files, struct place *places, size_t max)
{
	size_t count = 0;
	for (uint32_t file = 0; file < files; file++) {
		char path[96];
		struct stat status;
		file_path(path, in, file);
		int fd = open(path, O_RDONLY);
		cr_assert(fd >= 0 && fstat(fd, &status) == 0);
		uint8_t *bytes = malloc((size_t)status.st_size);
		cr_assert_eq(read(fd, bytes, (size_t)status.st_size), status.st_size);
		close(fd);
		for (uint64_t at = BLOCK_BYTES; at < (uint64_t)status.st_size;) {
			struct frame frame;
			memcpy(&frame, bytes + at, sizeof frame);
			if (!frame_is_valid(&frame, (uint64_t)status.st_size - at, 0))
				break;
			cr_assert_lt(count, max);
			places[count++] = (struct place){ file, frame.sequence, at,
				sizeof frame + frame.stored_bytes };
			at = frame_end(&frame, at);
		}
		free(bytes);
	}
	return count;
}

static void change_byte(const struct fixture *in, uint32_t file, uint64_t offset, uint8_t change)
{
	char path[96];
	uint8_t byte;
	file_path(path, in, file);
	int fd = open(path, O_RDWR);
	cr_assert(fd >= 0);
	cr_assert_eq(pread(fd, &byte, 1, (off_t)offset), 1);
	byte ^= change;
	cr_assert_eq(pwrite(fd, &byte, 1, (off_t)offset), 1);
	close(fd);
}

Test(spool_recovery, a_batch_survives_a_crash_after_append)
{
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	cr_assert_eq(store(&fixture, "lane", "two"), 0);
	crash();
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	assert_next(reader, 1, "one");
	assert_next(reader, 2, "two");
	assert_end(reader);
	cr_assert_eq(store(&fixture, "lane", "three"), 0);
	assert_next(reader, 3, "three");
	spool_reader_free(reader);
	cr_assert_eq(counter_read(COUNTER_SPOOL_TAILS_CUT), 0);
	cr_assert_eq(counter_read(COUNTER_SPOOL_RECORDS_DAMAGED), 0);
}

Test(spool_recovery, many_short_runs_do_not_fill_the_disk)
{
	fixture.options.segment_bytes = 64 << 20;
	for (int i = 0; i < 20; i++) {
		open_and_write();
		struct spool_reader *reader = read_all(&fixture, 1);
		cr_assert_eq(store(&fixture, "lane", "text"), 0);
		spool_reader_free(reader);
		if (i % 2)
			crash();
		else
			fixture_close(&fixture);
	}
	fixture_open(&fixture);
	cr_assert_leq(fixture_disk_bytes(&fixture), 1 << 20);
	struct spool_reader *reader = read_all(&fixture, 1);
	for (uint64_t i = 1; i <= 20; i++)
		assert_next(reader, i, "text");
	assert_end(reader);
	spool_reader_free(reader);
}

Test(spool_recovery, numbers_go_on_after_everything_was_delivered)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	cr_assert_eq(store(&fixture, "lane", "two"), 0);
	spool_reader_keep(reader, 3);
	spool_reader_free(reader);
	for (int i = 0; i < 5; i++)
		reopen();
	fixture_start_writer(&fixture);
	cr_assert_eq(store(&fixture, "lane", "three"), 0);
	reader = read_all(&fixture, 3);
	assert_next(reader, 3, "three");
	spool_reader_free(reader);
}

Test(spool_recovery, readers_made_before_the_writer_runs_all_find_their_backlog)
{
	open_and_write();
	char text[30000] = { 0 };
	for (int i = 0; i < 30; i++)
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
	reopen();
	struct spool_reader *ahead = read_all(&fixture, 31);
	spool_reader_keep(ahead, 31);
	spool_tick(fixture.spool);
	struct spool_reader *behind = read_all(&fixture, 1);
	fixture_start_writer(&fixture);
	cr_assert_eq(store(&fixture, "lane", "more"), 0);
	for (uint64_t i = 1; i <= 31; i++) {
		struct record *record;
		cr_assert_eq(spool_reader_next(behind, &record), 0);
		cr_assert_eq(record->sequence, i);
		record_release(record);
	}
	spool_reader_free(ahead);
	spool_reader_free(behind);
}

Test(spool_recovery, a_number_that_a_reader_has_passed_is_not_given_again)
{
	open_and_write(); /* as after the loss of all segments */
	struct spool_reader *reader = read_all(&fixture, 1000);
	cr_assert_eq(store(&fixture, "lane", "text"), 0);
	assert_next(reader, 1000, "text");
	spool_reader_free(reader);
	reopen();
	reader = read_all(&fixture, 1);
	assert_next(reader, 1000, "text");
	spool_reader_free(reader);
}

Test(spool_recovery, a_torn_tail_is_cut)
{
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "good"), 0);
	cr_assert_eq(store(&fixture, "lane", "torn"), 0);
	crash();
	struct place places[2];
	cr_assert_eq(find_places(&fixture, 1, places, 2), 2);
	change_byte(&fixture, 0, places[1].offset + places[1].bytes - 1, 1);
	open_and_write();
	cr_assert_eq(counter_read(COUNTER_SPOOL_TAILS_CUT), 1);
	struct spool_reader *reader = read_all(&fixture, 1);
	assert_next(reader, 1, "good");
	assert_end(reader);
	cr_assert_eq(store(&fixture, "lane", "next"), 0);
	assert_next(reader, 2, "next");
	spool_reader_free(reader);
	cr_assert_eq(counter_read(COUNTER_SPOOL_RECORDS_DAMAGED), 0);
}

Test(spool_recovery, of_a_torn_group_nothing_is_delivered)
{
	for (int torn = 0; torn < 3; torn++) {
		open_and_write();
		cr_assert_eq(store(&fixture, "lane", "good"), 0);
		struct request *request = request_new("lane", "plain", 5);
		request->parts[0].shape = SHAPE_PLAIN;
		request->parts[1] =
			(struct part){ BYTES("langfuse"), 1, SHAPE_LANGFUSE, STAGE_OUT };
		request->parts[2] = (struct part){ BYTES("any"), 1, SHAPE_ANY, STAGE_OUT };
		request->batch.part_count = 3;
		spool_append(fixture.spool, &request->batch);
		cr_assert_eq(request_wait(request), 0);
		crash();
		struct place places[4];
		cr_assert_eq(find_places(&fixture, 1, places, 4), 4);
		change_byte(&fixture, 0, places[1 + torn].offset + (torn == 1 ? 8 : 128), 1);
		fixture_open(&fixture);
		struct spool_reader *reader = read_all(&fixture, 1);
		assert_next(reader, 1, "good");
		assert_end(reader);
		spool_reader_free(reader);
		fixture_done(&fixture);
		fixture_init(&fixture);
	}
}

Test(spool_recovery, a_torn_record_never_hides_the_good_one_of_the_same_number)
{
	/* A torn, never acknowledged record 2 that looks whole at the end of segment A ... */
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	struct fixture before;
	fixture_copy(&before, &fixture);
	cr_assert_eq(store(&fixture, "lane", "never acknowledged"), 0);
	char from[96], to[96], move[256];
	file_path(from, &fixture, 0);
	file_path(to, &before, 0);
	snprintf(move, sizeof move, "cp %s %s.tail", from, to);
	cr_assert_eq(system(move), 0);
	fixture_done(&fixture);
	fixture = before;

	/* ... comes to light after the good record 2 was acknowledged in segment B. */
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "two"), 0);
	crash();
	file_path(to, &fixture, 0);
	snprintf(move, sizeof move, "mv %s.tail %s", to, to);
	cr_assert_eq(system(move), 0);
	fixture_open(&fixture);
	struct spool_reader *reader = read_all(&fixture, 1);
	assert_next(reader, 1, "one");
	assert_next(reader, 2, "two");
	assert_end(reader);
	spool_reader_free(reader);
}

Test(spool_recovery, damage_costs_the_record_it_hits_and_is_counted_once)
{
	open_and_write();
	const char *texts[] = { "one", "two", "three", "four", "five" };
	for (int i = 0; i < 5; i++)
		cr_assert_eq(store(&fixture, "lane", texts[i]), 0);
	fixture_close(&fixture);
	struct place places[5];
	cr_assert_eq(find_places(&fixture, 1, places, 5), 5);
	change_byte(&fixture, 0, places[1].offset + 128, 1); /* body of two */
	change_byte(&fixture, 0, places[3].offset + 3, 1);   /* header of four */
	fixture_open(&fixture);
	for (int reading = 0; reading < 2; reading++) {
		struct spool_reader *reader = read_all(&fixture, 1);
		assert_next(reader, 1, "one");
		assert_next(reader, 3, "three");
		assert_next(reader, 5, "five");
		assert_end(reader);
		spool_reader_free(reader);
	}
	cr_assert_eq(counter_read(COUNTER_SPOOL_RECORDS_DAMAGED), 2);
}

Test(spool_recovery, a_segment_with_a_damaged_header_is_rebuilt_from_its_records)
{
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	cr_assert_eq(store(&fixture, "lane", "two"), 0);
	fixture_close(&fixture);
	for (uint64_t at = 0; at < 72; at += 8) {
		change_byte(&fixture, 0, at, 0x10);
		open_and_write();
		struct spool_reader *reader = read_all(&fixture, 1);
		assert_next(reader, 1, "one");
		assert_next(reader, 2, "two");
		assert_end(reader);
		spool_reader_free(reader);
		fixture_close(&fixture);
	}
	cr_assert_eq(counter_read(COUNTER_SPOOL_RECORDS_DAMAGED), 0);
}

Test(spool_recovery, what_a_payload_holds_never_passes_for_a_record)
{
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "model"), 0);
	uint8_t payload[8][2 * FRAME_ALIGN] = { 0 };
	struct place places[2];
	char path[96];
	cr_assert_eq(find_places(&fixture, 1, places, 2), 1);
	file_path(path, &fixture, 0);
	int fd = open(path, O_RDONLY);
	struct frame frame;
	cr_assert_eq(pread(fd, &frame, sizeof frame, (off_t)places[0].offset), sizeof frame);
	close(fd);
	frame.sequence = 2;
	frame.generation++; /* the one thing that no sender can know */
	frame_seal(&frame);
	for (int i = 0; i < 8; i++) {
		memcpy(payload[i], &frame, sizeof frame);
		memcpy(payload[i] + sizeof frame, "model", 5);
	}
	cr_assert_eq(store_bytes(&fixture, "lane", payload, sizeof payload), 0);
	cr_assert_eq(store(&fixture, "lane", "after"), 0);
	fixture_close(&fixture);
	change_byte(&fixture, 0, places[0].offset + BLOCK_BYTES, 1); /* the payload's own header */
	fixture_open(&fixture);
	struct spool_reader *reader = read_all(&fixture, 1);
	assert_next(reader, 1, "model");
	assert_next(reader, 3, "after");
	assert_end(reader);
	spool_reader_free(reader);
}

Test(spool_recovery, files_that_are_none_of_its_own_are_set_aside_or_left_alone)
{
	char path[96], command[512];
	file_path(path, &fixture, 7);
	snprintf(command, sizeof command,
		"echo this is no segment > %s; : > %s/segment-00000008; echo mine > %s/segment-9x",
		path, fixture.directory, fixture.directory);
	cr_assert_eq(system(command), 0);
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "text"), 0);
	struct spool_reader *reader = read_all(&fixture, 1);
	assert_next(reader, 1, "text");
	spool_reader_free(reader);
	snprintf(command, sizeof command,
		"cd %s && test -e segment-00000007.damaged && ! test -e segment-00000008 && test -e segment-9x",
		fixture.directory);
	cr_assert_eq(system(command), 0);
}

Test(spool_recovery, a_copy_of_a_segment_does_not_send_its_records_twice)
{
	char path[96], command[256];
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "text"), 0);
	fixture_close(&fixture);
	file_path(path, &fixture, 0);
	snprintf(command, sizeof command, "cp %s %s/segment-0000001f", path, fixture.directory);
	cr_assert_eq(system(command), 0);
	fixture_open(&fixture);
	struct spool_reader *reader = read_all(&fixture, 1);
	assert_next(reader, 1, "text");
	assert_end(reader);
	spool_reader_free(reader);
}

/* Small deterministic chance (xorshift): the trials are the same in each run. */
static uint64_t chance_state = 88172645463325252;
static uint64_t chance(uint64_t below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return chance_state % below;
}

enum { FLIP_RECORDS = 150, FLIP_TRIALS = 250, FLIPS_PER_TRIAL = 4, BODY_MAX = 12000 };

/* What record `sequence` holds, which is told by its number. */
static size_t make_body(uint64_t sequence, uint8_t body[BODY_MAX])
{
	size_t bytes = 20 + sequence * 7919 % (BODY_MAX - 20);
	for (size_t i = 0; i < bytes; i++)
		body[i] = (uint8_t)(sequence * 31 + i * i % 251);
	return bytes;
}

static void fill_for_flips(void)
{
	static const enum shape shapes[] = { SHAPE_ANY, SHAPE_PLAIN, SHAPE_LANGFUSE };
	uint8_t bodies[3][BODY_MAX];
	open_and_write();
	for (uint64_t first = 1; first < FLIP_RECORDS; first += 3) { /* three records in a group */
		struct request *request = request_new("lane", NULL, 0);
		request->batch.part_count = 3;
		for (uint64_t i = 0; i < 3; i++) {
			size_t bytes = make_body(first + i, bodies[i]);
			request->parts[i] =
				(struct part){ { bodies[i], bytes }, 1, shapes[i], STAGE_OUT };
		}
		spool_append(fixture.spool, &request->batch);
		cr_assert_eq(request_wait(request), 0);
	}
	fixture_close(&fixture);
}

static void check_trial(struct fixture *trial, const bool *is_hit, bool is_header_hit)
{
	uint64_t damaged = counter_read(COUNTER_SPOOL_RECORDS_DAMAGED), hits = 0;
	fixture_open(trial);
	struct spool_reader *reader = read_all(trial, 1);
	fixture_start_writer(trial);
	uint8_t body[BODY_MAX];
	uint64_t next = 1;
	for (struct record *record; spool_reader_next(reader, &record) == 0; next++) {
		while (next < record->sequence) {
			cr_assert(
				is_hit[next], "record %d is lost though nothing hit it", (int)next);
			next++;
		}
		cr_assert(!is_hit[next]);
		cr_assert_eq(record->sequence, next);
		size_t bytes = make_body(next, body);
		cr_assert(bytes_equal(record->body, (struct bytes){ body, bytes }));
		cr_assert_eq((int)record->shape, 1 << (next - 1) % 3);
		record_release(record);
	}
	while (next <= FLIP_RECORDS) {
		cr_assert(is_hit[next]);
		next++;
	}
	for (int i = 1; i <= FLIP_RECORDS; i++)
		hits += is_hit[i];
	damaged = counter_read(COUNTER_SPOOL_RECORDS_DAMAGED) - damaged;
	if (!is_header_hit)
		cr_assert_eq(damaged, hits);
	cr_assert_leq(damaged, hits);
	cr_assert_eq(store(trial, "lane", "new"), 0);
	struct record *record;
	cr_assert_eq(spool_reader_next(reader, &record), 0);
	cr_assert(bytes_are(record->body, "new"));
	record_release(record);
	spool_reader_free(reader);
}

Test(spool_recovery, a_thousand_flipped_bytes_cost_only_the_records_they_hit, .timeout = 120)
{
	fixture.options.segment_bytes = 128 << 10;
	fixture.options.max_record_bytes = 16 << 10;
	fill_for_flips();
	uint32_t files = 0;
	for (char path[96]; file_path(path, &fixture, files), access(path, F_OK) == 0; files++)
		;
	static struct place places[FLIP_RECORDS];
	cr_assert_eq(find_places(&fixture, files, places, FLIP_RECORDS), FLIP_RECORDS);

	for (int i = 0; i < FLIP_TRIALS; i++) {
		struct fixture trial;
		fixture_copy(&trial, &fixture);
		bool is_hit[FLIP_RECORDS + 1] = { 0 }, is_header_hit = false;
		for (int flip = 0; flip < FLIPS_PER_TRIAL; flip++) {
			/* half of them where it hurts most: in headers */
			const struct place *place = &places[chance(FLIP_RECORDS)];
			uint64_t kind = chance(4),
				 at = kind == 0 ? chance(72) :
				kind == 1       ? place->offset + chance(128) :
						  place->offset + chance(place->bytes + 64);
			change_byte(&trial, place->file, at, (uint8_t)(1 + chance(255)));
			is_header_hit |= kind == 0;
			for (int r = 0; r < FLIP_RECORDS; r++)
				is_hit[places[r].sequence] |= places[r].file == place->file &&
					at >= places[r].offset &&
					at < places[r].offset + places[r].bytes;
		}
		check_trial(&trial, is_hit, is_header_hit);
		fixture_done(&trial);
	}
}

/* Stores numbered records without end and writes each number that was acknowledged to `out`. */
static void run_until_killed(int out)
{
	open_and_write();
	for (uint32_t i = 1;; i++) {
		char text[8192];
		memset(text, 'x', sizeof text);
		snprintf(text, sizeof text, "%u", i);
		if (store_bytes(&fixture, i % 2 ? "odd" : "even", text, 32 + i % 8000) != 0)
			_exit(1);
		if (write(out, &i, sizeof i) != sizeof i)
			_exit(1);
	}
}

Test(spool_recovery, a_killed_process_loses_nothing_that_was_acknowledged, .timeout = 60)
{
	for (int round = 0; round < 10; round++) {
		int ends[2];
		cr_assert_eq(pipe(ends), 0);
		pid_t child = fork();
		if (child == 0)
			run_until_killed(ends[1]);
		close(ends[1]);
		uint32_t acknowledged = 0, number;
		for (int i = 0; i < 50 + 17 * round &&
			read(ends[0], &number, sizeof number) == sizeof number;
			i++)
			acknowledged = number;
		kill(child, SIGKILL);
		while (read(ends[0], &number, sizeof number) == sizeof number)
			acknowledged = number;
		close(ends[0]);
		waitpid(child, NULL, 0);
		cr_assert_geq(acknowledged, 50);

		fixture_open(&fixture);
		struct spool_reader *reader = read_all(&fixture, 1);
		uint32_t expected = 1;
		for (char *text; (text = next_text(reader, NULL)); expected++) {
			cr_assert_eq((uint32_t)atoi(text), expected);
			free(text);
		}
		cr_assert_geq(expected - 1, acknowledged);
		cr_assert_leq(expected - 1, acknowledged + 1);
		spool_reader_free(reader);
		fixture_done(&fixture);
		fixture_init(&fixture);
	}
}
