#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/counters.h"
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

TestSuite(spool_faults, .init = set_up, .fini = tear_down);

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

Test(spool_faults, after_a_failed_sync_nothing_is_acknowledged_until_another_segment_is_proven)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	fail_sync = EIO;
	cr_assert_eq(store(&fixture, "lane", "lost"), -EIO);
	cr_assert_eq(spool_status(fixture.spool), -EIO);
	clock_ahead_ms += 2000;
	cr_assert_eq(
		store(&fixture, "lane", "lost again"), -EIO, "its header cannot be synced either");
	spool_tick(fixture.spool); /* which takes the failed files away, and those alone */
	fail_sync = 0;
	cr_assert_eq(store(&fixture, "lane", "too early"), -EIO, "a moment's rest");
	clock_ahead_ms += 2000;
	cr_assert_eq(spool_status(fixture.spool), 0);
	cr_assert_eq(store(&fixture, "lane", "two"), 0);
	assert_next(reader, 1, "one");
	assert_next(reader, 2, "two");
	assert_end(reader);
	spool_reader_free(reader);
	cr_assert_eq(counter_read(COUNTER_SPOOL_SYNC_FAILURES), 1);

	fixture_close(&fixture);
	fixture_open(&fixture);
	reader = read_all(&fixture, 1);
	assert_next(reader, 1, "one");
	assert_next(reader, 2, "two");
	assert_end(reader);
	spool_reader_free(reader);
}

Test(spool_faults, a_torn_write_is_refused_and_its_number_given_again)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	char text[20000];
	memset(text, 'x', sizeof text);
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	tear_write = true;
	cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), -EIO);
	tear_write = false;
	clock_ahead_ms += 2000;
	cr_assert_eq(store(&fixture, "lane", "two"), 0);
	assert_next(reader, 1, "one");
	assert_next(reader, 2, "two");
	assert_end(reader);
	spool_reader_free(reader);

	struct fixture copy; /* and nothing of it comes back after a crash */
	fixture_copy(&copy, &fixture);
	fixture_open(&copy);
	reader = read_all(&copy, 1);
	assert_next(reader, 1, "one");
	assert_next(reader, 2, "two");
	assert_end(reader);
	spool_reader_free(reader);
	fixture_done(&copy);
}

Test(spool_faults, what_was_written_but_not_synced_is_not_sent_after_a_crash)
{
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	fail_sync = EIO;
	cr_assert_eq(store(&fixture, "lane", "refused"), -EIO);
	struct fixture copy;
	fixture_copy(&copy, &fixture);
	fail_sync = 0;
	fixture_open(&copy);
	struct spool_reader *reader = read_all(&copy, 1);
	assert_next(reader, 1, "one");
	assert_end(reader);
	spool_reader_free(reader);
	fixture_done(&copy);
}

Test(spool_faults, a_full_disk_refuses_for_a_moment_and_then_is_tried_again)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	fail_allocate = ENOSPC;
	cr_assert_eq(store(&fixture, "lane", "no room"), -ENOSPC);
	cr_assert_eq(spool_status(fixture.spool), -ENOSPC);
	fail_allocate = 0;
	cr_assert_eq(store(&fixture, "lane", "remembered"), -ENOSPC);
	clock_ahead_ms += 2000;
	cr_assert_eq(spool_status(fixture.spool), 0);
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	assert_next(reader, 1, "one");
	cr_assert_eq(counter_read(COUNTER_SPOOL_SYNC_FAILURES), 0);
	spool_reader_free(reader);
}

Test(spool_faults, on_a_full_disk_finished_segments_make_room)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	char text[30000] = { 0 };
	for (int i = 0; i < 30; i++)
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
	fail_allocate = ENOSPC;
	int more = 0, error;
	while ((error = store_bytes(&fixture, "lane", text, sizeof text)) == 0)
		cr_assert_leq(++more, 10);
	cr_assert_eq(error, -ENOSPC);
	int total = 0;
	for (struct record *record; spool_reader_next(reader, &record) == 0; total++)
		record_release(record);
	cr_assert_eq(total, 30 + more);
	spool_reader_keep(reader, spool_reader_position(reader));
	clock_ahead_ms += 2000;
	for (int i = 0; i < 30; i++) {
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
		spool_reader_keep(reader, UINT64_MAX);
	}
	spool_reader_free(reader);
}

Test(spool_faults, where_o_direct_is_refused_it_works_without)
{
	refuse_direct = true;
	fixture.options.cache_bytes = 0;
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	char text[30000];
	for (int i = 0; i < 40; i++) {
		memset(text, 'a' + i % 26, sizeof text);
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
	}
	for (int i = 0; i < 40; i++) {
		struct record *record;
		cr_assert_eq(spool_reader_next(reader, &record), 0);
		cr_assert_eq(record->body.len, sizeof text);
		cr_assert_eq(record->body.at[29999], 'a' + i % 26);
		record_release(record);
	}
	assert_end(reader);
	spool_reader_free(reader);
}

Test(spool_faults, a_lost_segment_file_costs_its_records_and_holds_nobody_up)
{
	fixture.options.cache_bytes = 0;
	open_and_write();
	char text[30000] = { 0 }, command[128];
	for (int i = 0; i < 30; i++)
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
	snprintf(command, sizeof command, "rm %s/segment-00000001", fixture.directory);
	cr_assert_eq(system(command), 0);
	struct spool_reader *reader = read_all(&fixture, 1);
	uint64_t read = 0;
	for (struct record *record; spool_reader_next(reader, &record) == 0; read++)
		record_release(record);
	cr_assert_eq(spool_reader_position(reader), 31);
	cr_assert_gt(read, 10);
	cr_assert_eq(counter_read(COUNTER_SPOOL_RECORDS_DAMAGED), 30 - read);
	spool_reader_free(reader);
}

Test(spool_faults, a_file_that_failed_is_never_written_again)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	fail_sync = EIO;
	cr_assert_eq(store(&fixture, "lane", "refused"), -EIO);
	fail_sync = 0;
	spool_reader_keep(reader, 2); /* it is free now, and would be next */
	clock_ahead_ms += 2000;
	cr_assert_eq(store(&fixture, "lane", "two"), 0);
	spool_tick(fixture.spool);
	char path[96];
	snprintf(path, sizeof path, "%s/segment-00000000", fixture.directory);
	cr_assert_neq(access(path, F_OK), 0);
	assert_next(reader, 2, "two");
	spool_reader_free(reader);
}

Test(spool_faults, a_failed_new_file_takes_no_other_with_it)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	char text[30000] = { 0 };
	for (int i = 0; i < 20; i++)
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
	for (int i = 0; i < 5; i++) {
		fail_sync = EIO;
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), -EIO);
		fail_sync = 0;
		clock_ahead_ms += 3600000;
		spool_tick(fixture.spool);
	}
	fixture.options.cache_bytes = 0;
	spool_reader_free(reader);
	fixture_close(&fixture);
	fixture_open(&fixture);
	reader = read_all(&fixture, 1);
	for (uint64_t i = 1; i <= 20; i++) {
		struct record *record;
		cr_assert_eq(spool_reader_next(reader, &record), 0);
		cr_assert_eq(record->sequence, i);
		record_release(record);
	}
	assert_end(reader);
	spool_reader_free(reader);
}
