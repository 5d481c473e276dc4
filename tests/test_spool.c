#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/counters.h"
#include "spool/crc32c.h"
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

TestSuite(spool, .init = set_up, .fini = tear_down);

static void assert_next(struct spool_reader *reader, const char *expected)
{
	char *text = next_text(reader, NULL);
	cr_assert_str_eq(text ? text : "(end)", expected);
	free(text);
}

static void assert_end(struct spool_reader *reader)
{
	struct record *record;
	cr_assert_eq(spool_reader_next(reader, &record), -EAGAIN);
}

static void open_and_write(void)
{
	fixture_open(&fixture);
	fixture_start_writer(&fixture);
}

Test(spool, its_checksum_is_the_castagnoli_one)
{
	cr_assert_eq(crc32c("123456789", 9), 0xe3069283);
	cr_assert_eq(crc32c("", 0), 0);
}

Test(spool, records_are_numbered_from_one_in_the_order_of_commit)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	for (int i = 1; i <= 300; i++) {
		char text[32];
		snprintf(text, sizeof text, "record %d", i);
		cr_assert_eq(store(&fixture, "lane", text), 0);
	}
	for (uint64_t i = 1; i <= 300; i++) {
		char expected[32];
		snprintf(expected, sizeof expected, "record %d", (int)i);
		uint64_t sequence;
		char *text = next_text(reader, &sequence);
		cr_assert_str_eq(text, expected);
		cr_assert_eq(sequence, i);
		free(text);
	}
	assert_end(reader);
	cr_assert_eq(spool_reader_position(reader), 301);
	cr_assert_eq(spool_figures(fixture.spool).next_sequence, 301);
	spool_reader_free(reader);
}

Test(spool, a_record_comes_back_with_all_that_is_known_of_it)
{
	open_and_write();
	struct request *request = request_new("project-a", "spans", 5);
	request->batch.signal = SIGNAL_LOGS;
	request->batch.received_ns = 1234567890123456789;
	request->parts[0].span_count = 7;
	request->parts[0].shape = SHAPE_PLAIN;
	spool_append(fixture.spool, &request->batch);
	cr_assert_eq(request_wait(request), 0);

	struct spool_reader *reader = read_all(&fixture, 1);
	struct record *record;
	cr_assert_eq(spool_reader_next(reader, &record), 0);
	cr_assert_eq(record->sequence, 1);
	cr_assert_eq(record->received_ns, 1234567890123456789);
	cr_assert_str_eq(record->lane, "project-a");
	cr_assert_eq(record->signal, SIGNAL_LOGS);
	cr_assert_eq(record->stage, STAGE_OUT);
	cr_assert_eq(record->shape, SHAPE_PLAIN);
	cr_assert_eq(record->encoding, ENCODING_IDENTITY);
	cr_assert_eq(record->span_count, 7);
	cr_assert_eq(record->raw_bytes, 5);
	cr_assert(bytes_are(record->body, "spans"));
	spool_reader_free(reader);
	record_release(record); /* also after the reader's end */
}

Test(spool, requests_that_wait_together_become_one_record_when_they_are_alike)
{
	fixture_open(&fixture);
	struct request *alike[3], *other[4];
	const char *texts[] = { "one ", "two ", "three" };
	other[0] = request_new("other", "lane", 4);
	other[1] = request_new("lane", "logs", 4);
	other[1]->batch.signal = SIGNAL_LOGS;
	other[2] = request_new("lane", "in", 2);
	other[2]->parts[0].stage = STAGE_IN;
	other[3] = request_new("lane", "langfuse", 8);
	other[3]->parts[0].shape = SHAPE_LANGFUSE;
	for (int i = 0; i < 3; i++) {
		alike[i] = request_new("lane", texts[i], strlen(texts[i]));
		alike[i]->batch.received_ns = 500 - (uint64_t)i;
		spool_append(fixture.spool, &alike[i]->batch);
		spool_append(fixture.spool, &other[i]->batch);
	}
	spool_append(fixture.spool, &other[3]->batch);
	fixture_start_writer(&fixture);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(request_wait(alike[i]), 0);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(request_wait(other[i]), 0);
	cr_assert_eq(spool_figures(fixture.spool).commits, 1);
	cr_assert_eq(spool_figures(fixture.spool).next_sequence, 6);

	struct spool_reader *reader = read_all(&fixture, 1);
	struct record *record;
	cr_assert_eq(spool_reader_next(reader, &record), 0);
	cr_assert(bytes_are(record->body, "one two three"));
	cr_assert_eq(record->span_count, 3);
	cr_assert_eq(record->received_ns, 498, "the oldest request's time");
	record_release(record);
	assert_next(reader, "lane");
	assert_next(reader, "logs");
	assert_next(reader, "langfuse");
	assert_end(reader);
	spool_reader_free(reader);
}

Test(spool, no_merged_record_exceeds_its_limit_and_a_larger_request_is_a_record_alone)
{
	enum { LARGE = 100 << 10, HALF = 40 << 10 };
	char *text = calloc(1, LARGE);
	fixture_open(&fixture); /* the limit is 64 KB */
	const size_t sizes[] = { HALF, LARGE, HALF, 1000 };
	struct request *requests[4];
	for (int i = 0; i < 4; i++) {
		requests[i] = request_new("lane", text, sizes[i]);
		spool_append(fixture.spool, &requests[i]->batch);
	}
	fixture_start_writer(&fixture);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(request_wait(requests[i]), 0);
	struct spool_reader *reader = read_all(&fixture, 1);
	const uint32_t expected[] = { HALF, LARGE, HALF + 1000 };
	for (int i = 0; i < 3; i++) {
		struct record *record;
		cr_assert_eq(spool_reader_next(reader, &record), 0);
		cr_assert_eq(record->raw_bytes, expected[i]);
		cr_assert_eq(record->body.len, expected[i]);
		record_release(record);
	}
	assert_end(reader);
	spool_reader_free(reader);
	free(text);
}

Test(spool, what_is_alike_stays_in_its_order_though_an_earlier_record_has_room)
{
	enum { SMALL = 10 << 10, LARGE = 60 << 10 };
	static const size_t sizes[] = { SMALL, LARGE, SMALL };
	char *texts[3];
	struct request *requests[3];
	fixture_open(&fixture); /* the limit is 64 KB */
	for (int i = 0; i < 3; i++) {
		texts[i] = malloc(sizes[i]);
		memset(texts[i], 'a' + i, sizes[i]);
		requests[i] = request_new("lane", texts[i], sizes[i]);
		requests[i]->batch.signal = SIGNAL_INGESTION;
		spool_append(fixture.spool, &requests[i]->batch);
	}
	fixture_start_writer(&fixture);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(request_wait(requests[i]), 0);
	struct spool_reader *reader = read_all(&fixture, 1);
	struct record *record;
	char last = 'a';
	size_t bytes = 0;
	while (spool_reader_next(reader, &record) == 0) {
		cr_expect_eq(record->signal, SIGNAL_INGESTION);
		for (size_t i = 0; i < record->body.len; i++) {
			cr_assert(record->body.at[i] >= last, "%c behind %c", record->body.at[i],
				last);
			last = (char)record->body.at[i];
		}
		bytes += record->body.len;
		record_release(record);
	}
	cr_expect_eq(bytes, 2 * SMALL + LARGE);
	spool_reader_free(reader);
	for (int i = 0; i < 3; i++)
		free(texts[i]);
}

static void note_end(struct batch *batch, int error)
{
	uint64_t *end = batch->owner;
	*end = error ? UINT64_MAX : batch->stored_below;
}

Test(spool, a_request_knows_below_which_number_it_was_stored)
{
	struct part parts[] = { { BYTES("one"), 1, SHAPE_PLAIN, STAGE_OUT },
		{ BYTES("two"), 1, SHAPE_LANGFUSE, STAGE_OUT } };
	uint64_t ends[3] = { 0 };
	struct batch batches[] = {
		{ .lane = "a", .signal = SIGNAL_TRACES, .parts = parts, .part_count = 2 },
		{ .lane = "b", .signal = SIGNAL_TRACES, .parts = parts, .part_count = 1 },
		{ .lane = "b", .signal = SIGNAL_TRACES, .stored_below = 77 },
	};
	fixture_open(&fixture);
	for (int i = 0; i < 3; i++) {
		batches[i].committed = note_end;
		batches[i].owner = &ends[i];
		spool_append(fixture.spool, &batches[i]);
	}
	fixture_start_writer(&fixture);
	cr_assert_eq(store(&fixture, "lane", "last"), 0);
	cr_expect_geq(ends[0], 3);
	cr_expect_geq(ends[1], 4);
	cr_expect_eq(ends[2], 0, "none of it was stored");
	cr_expect_leq(ends[0], spool_figures(fixture.spool).next_sequence);
	cr_expect_leq(ends[1], spool_figures(fixture.spool).next_sequence);
}

Test(spool, a_request_larger_than_a_segment_is_stored_whole)
{
	size_t bytes = 3 * fixture.options.segment_bytes;
	char *text = malloc(bytes);
	memset(text, 'x', bytes);
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "before"), 0);
	cr_assert_eq(store_bytes(&fixture, "lane", text, bytes), 0);
	cr_assert_eq(store(&fixture, "lane", "after"), 0);
	struct spool_reader *reader = read_all(&fixture, 1);
	assert_next(reader, "before");
	struct record *record;
	cr_assert_eq(spool_reader_next(reader, &record), 0);
	cr_assert(bytes_equal(record->body, (struct bytes){ (uint8_t *)text, bytes }));
	record_release(record);
	assert_next(reader, "after");
	spool_reader_free(reader);
	free(text);
}

Test(spool, an_empty_request_is_acknowledged_and_leaves_no_record)
{
	open_and_write();
	struct request *request = request_new("lane", "", 0);
	request->batch.part_count = 0;
	spool_append(fixture.spool, &request->batch);
	cr_assert_eq(request_wait(request), 0);
	cr_assert_eq(spool_figures(fixture.spool).next_sequence, 1);
}

Test(spool, records_are_compressed_once_each)
{
	enum { BYTES = 10000 };
	fixture.options.compress = true;
	char text[BYTES];
	memset(text, 'a', sizeof text);
	fixture_open(&fixture);
	struct request *requests[] = { request_new("a", text, BYTES), request_new("a", text, 100),
		request_new("b", text, BYTES) };
	for (int i = 0; i < 3; i++)
		spool_append(fixture.spool, &requests[i]->batch);
	fixture_start_writer(&fixture);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(request_wait(requests[i]), 0);

	const uLong expected[] = { BYTES + 100, BYTES };
	struct spool_reader *reader = read_all(&fixture, 1);
	for (int i = 0; i < 2; i++) {
		struct record *record;
		cr_assert_eq(spool_reader_next(reader, &record), 0);
		cr_assert_eq(record->encoding, ENCODING_GZIP);
		cr_assert_eq(record->raw_bytes, expected[i]);
		cr_assert_lt(record->body.len, 1000);
		uint8_t plain[2 * BYTES];
		z_stream stream = { .next_in = (Bytef *)(uintptr_t)record->body.at,
			.avail_in = (uInt)record->body.len,
			.next_out = plain,
			.avail_out = sizeof plain };
		inflateInit2(&stream, 31);
		cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
		cr_assert_eq(stream.total_out, expected[i]);
		cr_assert_eq(stream.avail_in, 0);
		inflateEnd(&stream);
		record_release(record);
	}
	spool_reader_free(reader);
}

Test(spool, a_reader_sees_its_lane_stage_and_shapes_only)
{
	open_and_write();
	static const struct {
		const char *lane, *text;
		enum stage stage;
		enum shape shape;
	} rows[] = {
		{ "a", "any", STAGE_OUT, SHAPE_ANY },
		{ "a", "plain", STAGE_OUT, SHAPE_PLAIN },
		{ "a", "langfuse", STAGE_OUT, SHAPE_LANGFUSE },
		{ "a", "inbox", STAGE_IN, SHAPE_ANY },
		{ "b", "b any", STAGE_OUT, SHAPE_ANY },
		{ "ab", "ab any", STAGE_OUT, SHAPE_ANY },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request *request =
			request_new(rows[i].lane, rows[i].text, strlen(rows[i].text));
		request->parts[0].stage = rows[i].stage;
		request->parts[0].shape = rows[i].shape;
		spool_append(fixture.spool, &request->batch);
		cr_assert_eq(request_wait(request), 0);
	}
	struct spool *spool = fixture.spool;
	struct spool_reader *tempo =
		spool_reader_new(spool, "a", STAGE_OUT, SHAPE_ANY | SHAPE_PLAIN, 1, NULL, NULL);
	assert_next(tempo, "any");
	assert_next(tempo, "plain");
	assert_end(tempo);
	struct spool_reader *langfuse =
		spool_reader_new(spool, "a", STAGE_OUT, SHAPE_ANY | SHAPE_LANGFUSE, 1, NULL, NULL);
	assert_next(langfuse, "any");
	assert_next(langfuse, "langfuse");
	assert_end(langfuse);
	struct spool_reader *inbox =
		spool_reader_new(spool, NULL, STAGE_IN, SHAPE_ANY, 1, NULL, NULL);
	assert_next(inbox, "inbox");
	assert_end(inbox);
	struct spool_reader *nobody =
		spool_reader_new(spool, "c", STAGE_OUT, SHAPE_ANY, 1, NULL, NULL);
	assert_end(nobody);
	cr_assert_eq(spool_reader_position(nobody), 7, "what is not for it is passed over");
	spool_reader_free(tempo);
	spool_reader_free(langfuse);
	spool_reader_free(inbox);
	spool_reader_free(nobody);
}

Test(spool, parts_of_one_request_are_stored_in_one_commit)
{
	open_and_write();
	struct request *request = request_new("lane", "plain", 5);
	request->parts[0].shape = SHAPE_PLAIN;
	request->parts[1] = (struct part){ BYTES("langfuse"), 1, SHAPE_LANGFUSE, STAGE_OUT };
	request->parts[2] = (struct part){ BYTES("any"), 1, SHAPE_ANY, STAGE_OUT };
	request->batch.part_count = 3;
	spool_append(fixture.spool, &request->batch);
	cr_assert_eq(request_wait(request), 0);
	cr_assert_eq(spool_figures(fixture.spool).commits, 1);
	struct spool_reader *reader = read_all(&fixture, 1);
	assert_next(reader, "plain");
	assert_next(reader, "langfuse");
	assert_next(reader, "any");
	spool_reader_free(reader);
}

Test(spool, a_reader_can_go_back_to_what_it_keeps)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	const char *texts[] = { "one", "two", "three", "four" };
	for (int i = 0; i < 4; i++)
		cr_assert_eq(store(&fixture, "lane", texts[i]), 0);
	for (int i = 0; i < 4; i++)
		assert_next(reader, texts[i]);
	spool_reader_keep(reader, 3);
	spool_reader_seek(reader, 1);
	cr_assert_eq(spool_reader_position(reader), 3);
	assert_next(reader, "three");
	spool_reader_seek(reader, 4);
	assert_next(reader, "four");
	spool_reader_seek(reader, 99);
	cr_assert_eq(spool_reader_position(reader), 5, "not beyond the end");
	assert_end(reader);
	spool_reader_free(reader);
}

Test(spool, a_reader_that_lets_go_of_unread_records_goes_on_behind_them)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	cr_assert_eq(store(&fixture, "lane", "two"), 0);
	spool_reader_keep(reader, 2);
	assert_next(reader, "two");
	spool_reader_free(reader);
}

static void count_wake(void *arg)
{
	atomic_fetch_add((_Atomic int *)arg, 1);
}

Test(spool, each_commit_wakes_the_readers)
{
	_Atomic int wakes = 0;
	open_and_write();
	struct spool_reader *reader =
		spool_reader_new(fixture.spool, NULL, STAGE_OUT, SHAPE_ANY, 1, count_wake, &wakes);
	cr_assert_eq(store(&fixture, "lane", "one"), 0);
	cr_assert_eq(store(&fixture, "lane", "two"), 0);
	cr_assert_geq(wakes, 1); /* the second wake may follow its callback */
	spool_reader_free(reader);
	int before = wakes;
	cr_assert_geq(before, 1);
	cr_assert_eq(store(&fixture, "lane", "three"), 0);
	cr_assert_eq(store(&fixture, "lane", "four"), 0);
	cr_assert_leq(wakes, 2, "a freed reader is not woken");
}

Test(spool, finished_segments_are_written_again_and_their_old_records_never_reappear)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	char text[20000];
	uint64_t next = 1;
	for (int i = 0; i < 400; i++) { /* 8 MB through segments of 256 KB */
		memset(text, 'a' + i % 26, sizeof text);
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
		if (i % 5 < 4)
			continue;
		for (struct record *record; spool_reader_next(reader, &record) == 0; next++) {
			cr_assert_eq(record->sequence, next);
			cr_assert_eq(record->body.len, sizeof text);
			cr_assert_eq(record->body.at[0], 'a' + (next - 1) % 26);
			cr_assert_eq(record->body.at[sizeof text - 1], 'a' + (next - 1) % 26);
			record_release(record);
		}
		spool_reader_keep(reader, next);
	}
	cr_assert_eq(next, 401);
	cr_assert_leq(spool_figures(fixture.spool).disk_bytes, 4 * fixture.options.segment_bytes);
	spool_reader_free(reader);

	fixture_close(&fixture);
	fixture_open(&fixture);
	reader = read_all(&fixture, next);
	assert_end(reader);
	spool_reader_seek(reader, 1);
	assert_end(reader);
	spool_reader_free(reader);
}

Test(spool, the_slowest_reader_decides_what_is_kept)
{
	open_and_write();
	struct spool_reader *fast = read_all(&fixture, 1), *slow = read_all(&fixture, 1);
	char text[20000] = { 0 };
	for (int i = 0; i < 100; i++)
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
	spool_reader_keep(fast, 101);
	cr_assert_geq(spool_figures(fixture.spool).kept_bytes, 100 * sizeof text);
	cr_assert_eq(spool_reader_lag(fast).records, 0);
	cr_assert_eq(spool_reader_lag(slow).records, 100);
	spool_reader_keep(slow, 91);
	uint64_t kept = spool_figures(fixture.spool).kept_bytes;
	cr_assert_geq(kept, 10 * sizeof text);
	cr_assert_leq(kept, 11 * sizeof text + fixture.options.segment_bytes);
	spool_reader_free(slow);
	spool_reader_keep(fast, 101);
	cr_assert_eq(
		spool_figures(fixture.spool).kept_bytes, kept, "what a freed reader kept stays");
	spool_reader_free(fast);
}

Test(spool, a_reader_of_heads_reads_no_body_and_holds_up_nothing_after_its_end)
{
	struct record head;
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1), *heads = read_all(&fixture, 1);
	cr_assert_eq(store(&fixture, "a", "one"), 0);
	cr_assert_eq(store(&fixture, "b", "three"), 0);
	cr_assert_eq(spool_reader_next_head(heads, &head), 0);
	cr_assert_eq(spool_reader_next_head(heads, &head), 0);
	cr_expect_eq(head.sequence, 2);
	cr_expect_str_eq(head.lane, "b");
	cr_expect_eq(head.span_count, 1);
	cr_expect_eq(head.body.len, 5);
	cr_expect_null(head.body.at);
	cr_expect_eq(spool_reader_next_head(heads, &head), -EAGAIN);
	spool_reader_keep(reader, 3);
	cr_expect_gt(spool_figures(fixture.spool).kept_bytes, 0);
	spool_reader_keep(heads, SPOOL_KEEP_NOTHING);
	cr_expect_eq(spool_figures(fixture.spool).kept_bytes, 0);
	spool_reader_free(heads);
	cr_assert_eq(store(&fixture, "a", "more"), 0);
	spool_reader_keep(reader, 4);
	cr_expect_eq(spool_figures(fixture.spool).kept_bytes, 0);
	spool_reader_free(reader);
}

/* Bytes that this thread has read with system calls. */
static uint64_t bytes_read(void)
{
	unsigned long long bytes = 0;
	FILE *io = fopen("/proc/thread-self/io", "r");
	cr_assert(io);
	cr_assert_eq(fscanf(io, "rchar: %llu", &bytes), 1);
	fclose(io);
	return bytes;
}

Test(spool, heads_of_long_records_cost_no_reading_of_their_bodies)
{
	enum { PAIRS = 20, LONG_BYTES = 500 << 10 };
	char *text = malloc(LONG_BYTES);
	struct record head, *record;
	memset(text, 'x', LONG_BYTES);
	fixture.options.segment_bytes = 64 << 20;
	fixture.options.cache_bytes = 0;
	open_and_write();
	for (size_t i = 0; i < PAIRS; i++) {
		cr_assert_eq(store_bytes(&fixture, "lane", text, LONG_BYTES), 0);
		cr_assert_eq(store_bytes(&fixture, "lane", text, LONG_BYTES - i), 0);
		cr_assert_eq(store(&fixture, "lane", "short"), 0);
	}
	struct spool_reader *heads = read_all(&fixture, 1), *bodies = read_all(&fixture, 1);
	uint64_t before = bytes_read();
	for (uint64_t i = 1; i <= 3 * PAIRS; i++) {
		cr_assert_eq(spool_reader_next_head(heads, &head), 0);
		cr_expect_eq(head.sequence, i);
	}
	cr_expect_eq(spool_reader_next_head(heads, &head), -EAGAIN);
	cr_expect_lt(bytes_read() - before, 2 * PAIRS * LONG_BYTES / 4);
	for (uint64_t i = 1; i <= 3 * PAIRS; i++) {
		cr_assert_eq(spool_reader_next(bodies, &record), 0);
		cr_expect_eq(record->sequence, i);
		cr_expect_eq(record->body.at[record->body.len - 1], i % 3 ? 'x' : 't');
		record_release(record);
	}
	spool_reader_free(heads);
	spool_reader_free(bodies);
	free(text);
}

Test(spool, lag_tells_how_many_records_wait_and_since_when)
{
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	cr_assert_eq(spool_reader_lag(reader).oldest_ns, 0);
	for (uint64_t i = 1; i <= 5; i++) {
		struct request *request = request_new("lane", "12345678", 8);
		request->batch.received_ns = i * 100;
		spool_append(fixture.spool, &request->batch);
		cr_assert_eq(request_wait(request), 0);
	}
	struct spool_lag lag = spool_reader_lag(reader);
	cr_assert_eq(lag.records, 5);
	cr_assert_eq(lag.oldest_ns, 100);
	cr_assert_geq(lag.bytes, 5 * 8);
	for (int i = 0; i < 4; i++)
		free(next_text(reader, NULL));
	spool_reader_keep(reader, 3);
	lag = spool_reader_lag(reader);
	cr_assert_eq(lag.records, 3);
	cr_assert_eq(lag.oldest_ns, 300);
	spool_reader_keep(reader, 6);
	lag = spool_reader_lag(reader);
	cr_assert_eq(lag.records, 0);
	cr_assert_eq(lag.bytes, 0);
	cr_assert_eq(lag.oldest_ns, 0);
	spool_reader_free(reader);
}

Test(spool, a_share_of_bytes_begins_at_a_sequence)
{
	open_and_write();
	char text[20000] = { 0 };
	for (int i = 0; i < 100; i++)
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
	cr_assert_eq(spool_sequence_within(fixture.spool, UINT64_MAX), 1);
	cr_assert_eq(spool_sequence_within(fixture.spool, 0), 101);
	uint64_t half = spool_sequence_within(fixture.spool, 50 * sizeof text);
	cr_assert_geq(half, 50);
	cr_assert_leq(half, 65);
}

Test(spool, over_its_limit_it_refuses_until_readers_let_go)
{
	fixture.options.max_bytes = 600 << 10;
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	char text[20000] = { 0 };
	int stored = 0, error;
	while ((error = store_bytes(&fixture, "lane", text, sizeof text)) == 0)
		cr_assert_leq(++stored, 40);
	cr_assert_eq(error, -ENOSPC);
	cr_assert_geq(stored, 25);
	cr_assert_eq(spool_status(fixture.spool), -ENOSPC);
	for (int i = 0; i < stored; i++) {
		struct record *record;
		cr_assert_eq(spool_reader_next(reader, &record), 0, "a full spool can be drained");
		record_release(record);
	}
	spool_reader_keep(reader, spool_reader_position(reader));
	cr_assert_eq(spool_status(fixture.spool), 0);
	cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0);
	spool_reader_free(reader);
}

Test(spool, a_bounded_reader_is_not_waited_for_and_goes_on_where_the_log_begins)
{
	fixture.options.max_bytes = 600 << 10;
	fixture.options.segment_bytes = 128 << 10;
	open_and_write();
	struct spool_reader *slow = read_all(&fixture, 1);
	spool_reader_bound(slow, 200 << 10);
	char text[20000] = { 0 };
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(store_bytes(&fixture, "lane", text, sizeof text), 0, "%d", i);
		spool_tick(fixture.spool);
		cr_assert_leq(spool_figures(fixture.spool).kept_bytes, 200 << 10);
	}
	struct record *record;
	uint64_t next = 0;
	for (; spool_reader_next(slow, &record) == 0; record_release(record)) {
		cr_assert(next == 0 || record->sequence == next);
		cr_assert(next != 0 || record->sequence > 80);
		next = record->sequence + 1;
	}
	cr_assert_eq(next, 101);
	cr_assert_eq(counter_read(COUNTER_SPOOL_RECORDS_DAMAGED), 0);
	spool_reader_free(slow);
}

Test(spool, below_the_free_space_it_shall_leave_it_refuses)
{
	fixture.options.min_free_bytes = UINT64_MAX;
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "text"), -ENOSPC);
	cr_assert_eq(spool_status(fixture.spool), -ENOSPC);
}

Test(spool, a_fresh_installation_takes_little_disk)
{
	fixture.options.segment_bytes = 64 << 20;
	open_and_write();
	cr_assert_eq(store(&fixture, "lane", "text"), 0);
	cr_assert_leq(fixture_disk_bytes(&fixture), 5 << 20);
}

Test(spool, an_idle_installation_gives_its_disk_back)
{
	fixture.options.segment_bytes = 24 << 20;
	open_and_write();
	struct spool_reader *reader = read_all(&fixture, 1);
	size_t bytes = 1 << 20;
	char *text = calloc(1, bytes);
	for (int i = 0; i < 69; i++) /* three segments to the brim */
		cr_assert_eq(store_bytes(&fixture, "lane", text, bytes), 0);
	free(text);
	spool_reader_keep(reader, 70);
	spool_tick(fixture.spool);
	cr_assert_geq(fixture_disk_bytes(&fixture), 69 << 20, "kept for more, at first");
	clock_ahead_ms = 3600000;
	for (int i = 0; i < 1000 && spool_figures(fixture.spool).disk_bytes > 4096; i++) {
		spool_tick(fixture.spool);
		usleep(10000);
	}
	cr_assert_leq(fixture_disk_bytes(&fixture), 1 << 20);
	cr_assert_eq(spool_figures(fixture.spool).disk_bytes, 4096);

	cr_assert_eq(store(&fixture, "lane", "again"), 0);
	assert_next(reader, "again");
	cr_assert_eq(spool_reader_position(reader), 71, "numbers go on");
	spool_reader_free(reader);
}

Test(spool, after_stop_what_waited_is_stored_and_what_comes_is_refused)
{
	fixture_open(&fixture);
	struct request *waiting = request_new("lane", "text", 4);
	spool_append(fixture.spool, &waiting->batch);
	spool_stop(fixture.spool);
	struct request *late = request_new("lane", "late", 4);
	spool_append(fixture.spool, &late->batch);
	cr_assert_eq(request_wait(late), -ESHUTDOWN);
	fixture_start_writer(&fixture);
	cr_assert_eq(request_wait(waiting), 0);
}

Test(spool, closing_calls_back_what_no_writer_took)
{
	fixture_open(&fixture);
	struct request *request = request_new("lane", "text", 4);
	spool_append(fixture.spool, &request->batch);
	fixture_close(&fixture);
	cr_assert_eq(request_wait(request), -ESHUTDOWN);
}

enum { SENDERS = 4, PER_SENDER = 300 };

static void *send_many(void *arg)
{
	int sender = (int)(intptr_t)arg;
	struct request *requests[PER_SENDER];
	char texts[PER_SENDER][16];
	for (int i = 0; i < PER_SENDER; i++) {
		snprintf(texts[i], sizeof texts[i], "%d:%d;", sender, i);
		requests[i] = request_new("lane", texts[i], strlen(texts[i]));
		spool_append(fixture.spool, &requests[i]->batch);
		if (i % 20 == 19)
			for (int j = i - 19; j <= i; j++)
				cr_assert_eq(request_wait(requests[j]), 0);
	}
	return NULL;
}

Test(spool, many_senders_and_readers_at_once_lose_nothing)
{
	open_and_write();
	struct spool_reader *readers[] = { read_all(&fixture, 1), read_all(&fixture, 1) };
	pthread_t senders[SENDERS];
	for (int i = 0; i < SENDERS; i++)
		pthread_create(&senders[i], NULL, send_many, (void *)(intptr_t)i);
	for (int r = 0; r < 2; r++) {
		int expected[SENDERS] = { 0 }, total = 0;
		while (total < SENDERS * PER_SENDER) {
			char *text = next_text(readers[r], NULL);
			if (!text) {
				usleep(1000);
				continue;
			}
			int sender, number, used;
			for (const char *at = text;
				sscanf(at, "%d:%d;%n", &sender, &number, &used) == 2; at += used) {
				cr_assert_eq(
					number, expected[sender]++, "in the order of each sender");
				total++;
			}
			free(text);
			spool_reader_keep(readers[r], spool_reader_position(readers[r]));
		}
		assert_end(readers[r]);
	}
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
	spool_reader_free(readers[0]);
	spool_reader_free(readers[1]);
}
