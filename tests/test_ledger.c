/* The books, between a real log and destinations that this program plays. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/counters.h"
#include "spool/dead_letter.h"
#include "spool/ledger.h"
#include "support/spool_fixture.h"

enum { PARTIES_MAX = 3, OPEN_MAX = 4096, TEXT_BYTES = 3000 };

/* Spans [from, to) of a record that a destination has not answered. */
struct piece {
	uint64_t sequence;
	uint32_t from, to;
};

/* A destination. */
struct party {
	const char *name;
	unsigned shapes;
	struct delivery *delivery; /* NULL: not configured */
	struct spool_reader *reader;
	struct piece open[OPEN_MAX];
	size_t open_count;
};

static struct fixture fixture;
static struct deliveries *deliveries;
static struct ledger *ledger;
static struct party parties[PARTIES_MAX] = {
	{ .name = "tempo", .shapes = SHAPE_ANY | SHAPE_PLAIN },
	{ .name = "langfuse", .shapes = SHAPE_ANY | SHAPE_LANGFUSE },
	{ .name = "later", .shapes = SHAPE_ANY | SHAPE_PLAIN },
};
static char text[TEXT_BYTES];
static uint64_t now_ns = UINT64_C(1700000000000000000);
static unsigned chance_state = 1;

uint64_t __wrap_clock_unix_ns(void);
uint64_t __wrap_clock_unix_ns(void)
{
	return now_ns;
}

/* So many requests come while somebody reads the log, one before each head. */
static unsigned coming;
static void post(uint32_t spans, bool has_two_shapes);

int __real_spool_reader_next_head(struct spool_reader *reader, struct record *ret_head);
int __wrap_spool_reader_next_head(struct spool_reader *reader, struct record *ret_head);
int __wrap_spool_reader_next_head(struct spool_reader *reader, struct record *ret_head)
{
	if (coming) {
		coming--;
		post(2, false);
	}
	return __real_spool_reader_next_head(reader, ret_head);
}

static unsigned chance(unsigned below)
{
	chance_state = chance_state * 1664525 + 1013904223;
	return (chance_state >> 8) % below;
}

/* ---- the parties ---- */

static void lose(void *arg, const struct record *head)
{
	struct party *party = arg;
	delivery_give_up(party->delivery, head->sequence, head->span_count, OUTCOME_DAMAGED);
}

static void join(struct party *party)
{
	party->delivery = delivery_of(deliveries, party->name, "default");
	delivery_begin(party->delivery, party->shapes, 1U << SIGNAL_TRACES);
	party->reader = spool_reader_new(fixture.spool, "default", STAGE_OUT, party->shapes,
		delivery_cursor(party->delivery), NULL, NULL);
	spool_reader_report_loss(party->reader, lose, party);
	party->open_count = 0;
}

/* Reads one record, in pieces of up to three spans. False at the end. */
static bool read_one(struct party *party)
{
	struct record *record;
	if (party->open_count + 64 > OPEN_MAX || spool_reader_next(party->reader, &record) < 0)
		return false;
	uint32_t from, to = 0;
	while (delivery_open_range(
		party->delivery, record->sequence, record->span_count, to, &from, &to)) {
		delivery_expect(party->delivery, record->sequence, record->span_count);
		to = to - from > 3 ? from + 3 : to;
		party->open[party->open_count++] = (struct piece){ record->sequence, from, to };
	}
	record_release(record);
	return true;
}

static void finish_one(struct party *party, size_t i, enum outcome outcome)
{
	struct piece piece = party->open[i];
	party->open[i] = party->open[--party->open_count];
	if (outcome == OUTCOME_DEAD) {
		struct dead_letter letter = { .sequence = piece.sequence,
			.span = piece.from,
			.span_count = piece.to - piece.from,
			.signal = SIGNAL_TRACES };
		cr_assert_eq(delivery_set_aside(party->delivery, &letter, bytes_of("letter")), 0);
		return;
	}
	delivery_mark(party->delivery, piece.sequence, piece.from, piece.to, outcome);
}

static void keep(struct party *party)
{
	if (!party->open_count)
		delivery_advance(party->delivery, spool_reader_position(party->reader));
	spool_reader_keep(party->reader, delivery_cursor(party->delivery));
}

static void finish_all(struct party *party, enum outcome outcome)
{
	do
		while (party->open_count)
			finish_one(party, 0, outcome);
	while (read_one(party));
	keep(party);
}

/* ---- the daemon ---- */

static void start(unsigned party_count)
{
	fixture_open(&fixture);
	cr_assert_eq(deliveries_open(fixture.directory, &deliveries), 0);
	spool_begin_at(fixture.spool, deliveries_end(deliveries));
	cr_assert_eq(ledger_open(fixture.spool, deliveries, &ledger), 0);
	for (unsigned i = 0; i < PARTIES_MAX; i++)
		if (party_count & 1U << i)
			join(&parties[i]);
	cr_assert_eq(ledger_begin(ledger), 0);
	fixture_start_writer(&fixture);
}

static void stop(void)
{
	for (size_t i = 0; i < PARTIES_MAX; i++) {
		spool_reader_free(parties[i].reader);
		parties[i].reader = NULL;
		parties[i].delivery = NULL;
	}
	spool_stop(fixture.spool);
	pthread_join(fixture.writer, NULL);
	fixture.is_writing = false;
	ledger_free(ledger);
	fixture_close(&fixture);
}

static void stop_well(void)
{
	ledger_commit(ledger);
	stop();
	deliveries_close(deliveries);
}

/* In the directory. */
static void shell(const char *what, const char *more)
{
	char command[512];
	snprintf(command, sizeof command, "cd %s && %s%s", fixture.directory, what, more);
	cr_assert_eq(system(command), 0);
}

/* What kill -9 leaves at this moment. */
static void kill_it(void)
{
	char left[] = "/tmp/tollgate-spool-XXXXXX";
	cr_assert(mkdtemp(left));
	shell("cp -a . ", left);
	stop();
	deliveries_close(deliveries);
	shell("rm -rf ", fixture.directory);
	strcpy(fixture.directory, left);
}

static void set_up(void)
{
	memset(text, 'x', sizeof text);
	fixture_init(&fixture);
	fixture.options.segment_bytes = 64 << 10;
	fixture.options.cache_bytes = 16 << 10;
}

static void tear_down(void)
{
	shell("rm -rf ", fixture.directory);
}

TestSuite(ledger, .init = set_up, .fini = tear_down, .timeout = 120);

/* One request; with two shapes when told so. */
static void post(uint32_t spans, bool has_two_shapes)
{
	struct request *request = request_new("default", text, sizeof text);
	request->parts[0].span_count = request->batch.span_count = spans;
	if (has_two_shapes) {
		request->parts[0].shape = SHAPE_PLAIN;
		request->parts[1] = request->parts[0];
		request->parts[1].shape = SHAPE_LANGFUSE;
		request->batch.part_count = 2;
	}
	spool_append(fixture.spool, &request->batch);
	cr_assert_eq(request_wait(request), 0);
}

static struct balance balance_of(const char *destination, uint64_t since_ns)
{
	struct balance *balances, found = { 0 };
	size_t count;
	cr_assert_eq(ledger_read(ledger, since_ns, true, &balances, &count), 0);
	for (size_t i = 0; i < count; i++)
		if (strcmp(balances[i].destination, destination) == 0)
			found = balances[i];
	free(balances);
	cr_assert_str_eq(found.destination, destination);
	return found;
}

/* The files that nobody needs are not only free, but gone. */
static void remove_free_files(void)
{
	cr_assert_eq(ledger_commit(ledger), 0);
	clock_ahead_ms = 60000;
	spool_tick(fixture.spool);
	clock_ahead_ms = 0;
}

static int64_t sum_of_all(const struct balance *balance)
{
	int64_t sum = balance->measured;
	for (int i = 0; i < OUTCOME_COUNT; i++)
		sum += balance->sums.finished[i];
	return sum - balance->waiting_before;
}

static void expect_balance(const char *destination, int64_t accepted, int64_t waiting)
{
	struct balance balance = balance_of(destination, 0);
	cr_expect_eq(balance.sums.accepted, accepted, "%s accepted %lld, not %lld", destination,
		(long long)balance.sums.accepted, (long long)accepted);
	cr_expect_eq(balance.measured, waiting, "%s waits for %lld, not %lld", destination,
		(long long)balance.measured, (long long)waiting);
	cr_expect_eq(balance.waiting, balance.measured, "%s differs by %lld", destination,
		(long long)(balance.waiting - balance.measured));
	cr_expect_eq(sum_of_all(&balance), accepted);
}

/* ---- one thing at a time ---- */

Test(ledger, what_is_accepted_waits_until_it_is_finished)
{
	start(3);
	expect_balance("tempo", 0, 0);
	post(5, false);
	post(7, true);
	expect_balance("tempo", 12, 12);
	expect_balance("langfuse", 12, 12);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	expect_balance("tempo", 12, 0);
	expect_balance("langfuse", 12, 12);
	struct balance balance = balance_of("langfuse", 0);
	cr_expect_eq(balance.records, 2);
	cr_expect_eq(balance.bytes, 2 * TEXT_BYTES);
	cr_expect_eq(balance.oldest_ns, 1000);
	cr_expect_eq(balance_of("tempo", 0).records, 0);
	stop_well();
}

Test(ledger, a_part_of_a_record_waits)
{
	start(1);
	post(10, false);
	cr_assert(read_one(&parties[0]));
	finish_one(&parties[0], 1, OUTCOME_DELIVERED);
	finish_one(&parties[0], 0, OUTCOME_REJECTED);
	expect_balance("tempo", 10, 4);
	stop_well();
	start(1);
	expect_balance("tempo", 10, 4);
	finish_all(&parties[0], OUTCOME_DROPPED);
	expect_balance("tempo", 10, 0);
	stop_well();
}

Test(ledger, it_comes_to_an_end_however_fast_data_flows)
{
	enum { THERE = 10, MORE = 200 };
	start(1);
	for (int i = 0; i < THERE; i++)
		post(2, false);
	coming = MORE;
	struct balance balance = balance_of("tempo", 0);
	cr_expect_gt(coming, 0, "measured as long as there was more");
	cr_expect_geq(balance.measured, 2 * THERE);
	cr_expect_eq(balance.waiting, balance.measured);
	coming = MORE;
	cr_expect_eq(ledger_commit(ledger), 0);
	cr_expect_gt(coming, 0, "counted as long as there was more");
	finish_all(&parties[0], OUTCOME_DELIVERED);
	balance = balance_of("tempo", 0);
	cr_expect_eq(balance.waiting, balance.measured);
	coming = 0;
	stop_well();
}

Test(ledger, what_was_not_committed_before_a_kill_is_counted_after_it)
{
	start(1);
	for (int i = 0; i < 50; i++)
		post(3, false);
	cr_assert_eq(ledger_commit(ledger), 0);
	for (int i = 0; i < 50; i++)
		post(3, false);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	expect_balance("tempo", 300, 0);
	kill_it();
	start(1);
	/* Nothing of what was delivered is known, so it waits again. */
	expect_balance("tempo", 300, 300);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	expect_balance("tempo", 300, 0);
	stop_well();
}

Test(ledger, the_log_keeps_what_is_finished_until_that_is_committed)
{
	start(1);
	for (int i = 0; i < 200; i++) /* many segments */
		post(1, false);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	spool_tick(fixture.spool);
	cr_expect_eq(spool_figures(fixture.spool).whole_from, 1);
	cr_assert_eq(ledger_commit(ledger), 0);
	cr_expect_gt(spool_figures(fixture.spool).whole_from, 100);
	stop_well();
}

Test(ledger, a_log_whose_books_cannot_be_written_is_let_go_all_the_same)
{
	start(1);
	for (int i = 0; i < 200; i++)
		post(1, false);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	char path[96];
	snprintf(path, sizeof path, "%s/delivery.sqlite", fixture.directory);
	sqlite3 *other;
	cr_assert_eq(sqlite3_open(path, &other), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	cr_expect_lt(ledger_commit(ledger), 0);
	cr_expect_gt(spool_figures(fixture.spool).whole_from, 100);
	sqlite3_close(other);
	expect_balance("tempo", 200, 0);
	cr_expect_eq(ledger_commit(ledger), 0);
	stop_well();
	start(1);
	expect_balance("tempo", 200, 0);
	stop_well();
}

Test(ledger, a_destination_that_comes_later_begins_with_what_is_there)
{
	start(1);
	for (int i = 0; i < 100; i++)
		post(2, false);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	remove_free_files();
	stop_well();
	start(5);
	struct balance later = balance_of("later", 0);
	cr_expect_lt(later.sums.accepted, 200, "the first segments are gone");
	cr_expect_gt(later.sums.accepted, 0);
	expect_balance("later", later.sums.accepted, later.sums.accepted);
	post(2, false);
	finish_all(&parties[2], OUTCOME_DELIVERED);
	expect_balance("later", later.sums.accepted + 2, 0);
	expect_balance("tempo", 202, 2);
	stop_well();
}

Test(ledger, what_went_while_a_destination_was_away_is_dropped_for_it)
{
	start(3);
	post(10, false);
	cr_assert(read_one(&parties[1]));
	finish_one(&parties[1], 0, OUTCOME_DELIVERED);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	stop_well();
	start(1);
	cr_expect_not(balance_of("langfuse", 0).is_live);
	for (int i = 0; i < 100; i++)
		post(2, false);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	remove_free_files();
	stop_well();
	start(3);
	struct balance back = balance_of("langfuse", 0);
	cr_expect_eq(back.sums.finished[OUTCOME_DELIVERED], 3);
	cr_expect_eq(back.sums.finished[OUTCOME_DROPPED], 7);
	expect_balance("langfuse", 10 + back.measured, back.measured);
	finish_all(&parties[1], OUTCOME_DELIVERED);
	expect_balance("langfuse", 10 + back.measured, 0);
	expect_balance("tempo", 210, 0);
	stop_well();
}

Test(ledger, one_that_is_back_before_anything_went_has_missed_nothing)
{
	start(3);
	post(10, true);
	stop_well();
	start(1);
	post(5, true);
	stop_well();
	start(3);
	expect_balance("langfuse", 15, 15);
	stop_well();
}

Test(ledger, what_it_takes_may_change)
{
	start(1);
	post(10, true);
	post(3, false);
	stop_well();
	parties[0].shapes = SHAPE_ANY | SHAPE_LANGFUSE;
	start(1);
	expect_balance("tempo", 13, 13);
	stop_well();
	parties[0].shapes = SHAPE_ANY;
	start(1);
	expect_balance("tempo", 13, 3);
	cr_expect_eq(balance_of("tempo", 0).sums.finished[OUTCOME_DROPPED], 10);
	stop_well();
	parties[0].shapes = SHAPE_ANY | SHAPE_PLAIN;
}

Test(ledger, a_record_without_spans_counts_as_one)
{
	start(1);
	post(0, false);
	expect_balance("tempo", 1, 1);
	cr_assert(read_one(&parties[0]));
	delivery_mark(parties[0].delivery, 1, 0, 1, OUTCOME_DELIVERED);
	expect_balance("tempo", 1, 0);
	stop_well();
}

Test(ledger, files_that_were_lost_are_counted_as_dropped)
{
	start(1);
	for (int i = 0; i < 10; i++)
		post(4, false);
	cr_assert_eq(ledger_commit(ledger), 0);
	stop_well();
	shell("rm segment-*", "");
	start(1);
	expect_balance("tempo", 40, 0);
	cr_expect_eq(balance_of("tempo", 0).sums.finished[OUTCOME_DROPPED], 40);
	post(4, false);
	expect_balance("tempo", 44, 4);
	stop_well();
}

Test(ledger, books_that_were_lost_begin_anew)
{
	start(1);
	post(4, false);
	stop_well();
	shell("rm delivery.sqlite*", "");
	start(1);
	expect_balance("tempo", 4, 4);
	stop_well();
}

/* ---- damage ---- */

static void flip_byte(uint64_t offset)
{
	char path[96];
	uint8_t byte;
	snprintf(path, sizeof path, "%s/segment-00000000", fixture.directory);
	int fd = open(path, O_RDWR);
	cr_assert(fd >= 0 && pread(fd, &byte, 1, (off_t)offset) == 1);
	byte ^= 0x10;
	cr_assert_eq(pwrite(fd, &byte, 1, (off_t)offset), 1);
	close(fd);
}

/* The nth record when each was committed alone: the header block, then a block for each. */
static uint64_t offset_of(unsigned record)
{
	return 4096 * (uint64_t)(1 + record);
}

Test(ledger, a_record_with_a_damaged_body_is_damaged_for_who_comes_late)
{
	fixture.options.cache_bytes = 0;
	start(3);
	for (int i = 0; i < 3; i++)
		post(4, false);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	flip_byte(offset_of(1) + 500);
	expect_balance("langfuse", 12, 12);
	finish_all(&parties[1], OUTCOME_DELIVERED);
	expect_balance("langfuse", 12, 0);
	cr_expect_eq(balance_of("langfuse", 0).sums.finished[OUTCOME_DAMAGED], 4);
	cr_expect_eq(balance_of("tempo", 0).sums.finished[OUTCOME_DAMAGED], 0);
	stop_well();
}

Test(ledger, a_record_with_a_damaged_head_is_found_missing_and_booked)
{
	fixture.options.cache_bytes = 0;
	start(3);
	for (int i = 0; i < 3; i++)
		post(4, false);
	finish_all(&parties[0], OUTCOME_DELIVERED);
	cr_assert_eq(ledger_commit(ledger), 0);
	flip_byte(offset_of(1) + 20);
	struct balance balance = balance_of("langfuse", 0);
	cr_expect_eq(balance.waiting - balance.measured, 4, "it differs until it is settled");
	cr_assert_eq(ledger_commit(ledger), 0);
	expect_balance("langfuse", 12, 8);
	finish_all(&parties[1], OUTCOME_DELIVERED);
	cr_assert_eq(ledger_commit(ledger), 0);
	expect_balance("langfuse", 12, 0);
	cr_expect_eq(balance_of("langfuse", 0).sums.finished[OUTCOME_DAMAGED], 4);
	expect_balance("tempo", 12, 0);
	stop_well();
}

/* Nothing but what is known to be gone is ever settled: a fault in the books stays visible. */
Test(ledger, a_wrong_sum_is_found_and_not_settled)
{
	start(1);
	post(10, false);
	cr_assert(read_one(&parties[0]));
	finish_one(&parties[0], 0, OUTCOME_DELIVERED);
	stop_well();
	char path[96];
	snprintf(path, sizeof path, "%s/delivery.sqlite", fixture.directory);
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(
		sqlite3_exec(db, "UPDATE ledger SET delivered = delivered - 1", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	start(1);
	for (int i = 0; i < 2; i++) {
		struct balance balance = balance_of("tempo", 0);
		cr_expect_eq(balance.waiting, 8);
		cr_expect_eq(balance.measured, 7);
		cr_assert_eq(ledger_commit(ledger), 0);
	}
	stop_well();
}

/* ---- since ---- */

Test(ledger, a_part_of_the_time_adds_up_with_what_waited_at_its_begin)
{
	const uint64_t minute = UINT64_C(60000000000);
	start(1);
	post(10, false);
	cr_assert(read_one(&parties[0]));
	finish_one(&parties[0], 0, OUTCOME_DELIVERED);
	cr_assert_eq(ledger_commit(ledger), 0);
	now_ns += 10 * minute;
	uint64_t since = ledger_since(now_ns - 5 * minute);
	post(20, false);
	finish_one(&parties[0], 0, OUTCOME_DEAD);
	cr_assert_eq(ledger_commit(ledger), 0);
	post(1, false);
	struct balance balance = balance_of("tempo", since);
	cr_expect_eq(balance.waiting_before, 7);
	cr_expect_eq(balance.sums.accepted, 21);
	cr_expect_eq(balance.sums.finished[OUTCOME_DELIVERED], 0);
	cr_expect_gt(balance.sums.finished[OUTCOME_DEAD], 0);
	cr_expect_eq(sum_of_all(&balance), balance.sums.accepted);
	cr_expect_eq(balance.waiting, balance.measured);
	balance = balance_of("tempo", ledger_since(now_ns + minute));
	cr_expect_eq(balance.sums.accepted, 1, "what is not committed yet is of this minute");
	stop_well();
}

Test(ledger, times_before_the_minutes_that_are_kept_mean_the_first_of_them)
{
	uint64_t first = ledger_since(1);
	cr_expect_eq(first % UINT64_C(60000000000), 0);
	cr_expect_lt(now_ns - first, UINT64_C(90) * 86400 * 1000000000);
	cr_expect_gt(now_ns - first, UINT64_C(89) * 86400 * 1000000000);
	cr_expect_eq(ledger_since(first + 1), first);
}

/* ---- dead letters ---- */

struct letters {
	char ids[64][DEAD_ID_MAX];
	size_t count, limit;
};

static int note_letter(void *arg, const struct dead_letter *letter)
{
	struct letters *letters = arg;
	dead_letter_id(letter, letters->ids[letters->count++]);
	return letters->count == letters->limit;
}

static struct letters list(const char *after, size_t limit)
{
	struct letters letters = { .limit = limit };
	int result = dead_letters_list(deliveries, after, note_letter, &letters);
	cr_assert_eq(result, letters.count == limit);
	return letters;
}

Test(ledger, dead_letters_are_listed_in_order_written_or_not)
{
	start(3);
	post(9, false);
	post(9, false);
	cr_assert(read_one(&parties[0]) && read_one(&parties[0]) && read_one(&parties[1]));
	finish_one(&parties[0], 5, OUTCOME_DEAD); /* 2-6 */
	finish_one(&parties[0], 1, OUTCOME_DEAD); /* 1-3 */
	cr_assert_eq(ledger_commit(ledger), 0);
	finish_one(&parties[0], 0, OUTCOME_DEAD); /* 1-0 */
	finish_one(&parties[1], 0, OUTCOME_DEAD);
	struct letters letters = list(NULL, 64);
	cr_assert_eq(letters.count, 4);
	cr_expect_str_eq(letters.ids[0], "langfuse/1-0");
	cr_expect_str_eq(letters.ids[1], "tempo/1-0");
	cr_expect_str_eq(letters.ids[2], "tempo/1-3");
	cr_expect_str_eq(letters.ids[3], "tempo/2-6");
	letters = list("tempo/1-0", 1);
	cr_assert_eq(letters.count, 1);
	cr_expect_str_eq(letters.ids[0], "tempo/1-3");
	cr_expect_eq(dead_letters_list(deliveries, "nonsense", note_letter, &letters), -EINVAL);
	stop_well();
}

static void expect_moved(enum outcome outcome)
{
	for (int i = 0; i < 2; i++) {
		struct balance balance = balance_of("tempo", 0);
		cr_expect_eq(balance.sums.finished[OUTCOME_DEAD], 3);
		cr_expect_eq(balance.sums.finished[outcome], 3);
		expect_balance("tempo", 9, 3);
		cr_expect_eq(list(NULL, 64).count, 1);
		cr_assert_eq(ledger_commit(ledger), 0);
	}
}

Test(ledger, a_letter_that_is_ended_moves_in_the_books_and_its_file_goes)
{
	struct dead_letter letter;
	struct buf request;
	buf_init(&request, 100, NULL);
	start(1);
	post(9, false);
	cr_assert(read_one(&parties[0]));
	finish_one(&parties[0], 0, OUTCOME_DEAD);
	finish_one(&parties[0], 1, OUTCOME_DEAD);
	cr_assert_eq(dead_letter_hold(deliveries, "tempo/1-0", &letter), 0);
	cr_expect_eq(letter.span_count, 3);
	cr_expect_eq(dead_letter_hold(deliveries, "tempo/1-0", &letter), -EBUSY);
	cr_assert_eq(ledger_commit(ledger), 0, "held across a commit");
	cr_expect_eq(dead_letter_read(deliveries, &letter, &request), 0);
	cr_expect(bytes_are(buf_bytes(&request), "letter"));
	dead_letter_end(deliveries, &letter, OUTCOME_DELIVERED);
	cr_expect_eq(dead_letter_find(deliveries, "tempo/1-0", &letter), -ENOENT);
	cr_expect_eq(dead_letter_hold(deliveries, "tempo/1-0", &letter), -ENOENT);
	expect_moved(OUTCOME_DELIVERED);
	letter = (struct dead_letter){ .destination = "tempo", .sequence = 1 };
	cr_expect_eq(dead_letter_read(deliveries, &letter, &request), -ENOENT);
	cr_expect_eq(dead_letter_hold(deliveries, "tempo/1-0", &letter), -ENOENT);
	stop_well();
	buf_done(&request);
}

Test(ledger, a_letter_that_was_ended_but_not_committed_outlives_a_kill)
{
	struct dead_letter letter;
	start(1);
	post(9, false);
	cr_assert(read_one(&parties[0]));
	finish_one(&parties[0], 0, OUTCOME_DEAD);
	finish_one(&parties[0], 1, OUTCOME_DEAD);
	cr_assert_eq(ledger_commit(ledger), 0);
	cr_assert_eq(dead_letter_hold(deliveries, "tempo/1-0", &letter), 0);
	dead_letter_end(deliveries, &letter, OUTCOME_DROPPED);
	kill_it();
	start(1);
	expect_balance("tempo", 9, 3);
	cr_expect_eq(balance_of("tempo", 0).sums.finished[OUTCOME_DEAD], 6);
	cr_assert_eq(dead_letter_hold(deliveries, "tempo/1-0", &letter), 0);
	dead_letter_end(deliveries, &letter, OUTCOME_DROPPED);
	expect_moved(OUTCOME_DROPPED);
	stop_well();
}

Test(ledger, a_letter_that_stays_has_its_new_story)
{
	struct dead_letter letter;
	start(1);
	post(3, false);
	cr_assert(read_one(&parties[0]));
	finish_one(&parties[0], 0, OUTCOME_DEAD);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(dead_letter_hold(deliveries, "tempo/1-0", &letter), 0);
		letter.status = 503 + i;
		snprintf(letter.reason, sizeof letter.reason, "try %d", i);
		dead_letter_keep(deliveries, &letter);
		cr_assert_eq(dead_letter_find(deliveries, "tempo/1-0", &letter), 0);
		cr_expect_eq(letter.status, 503 + i);
		cr_assert_eq(ledger_commit(ledger), 0);
		cr_assert_eq(dead_letter_find(deliveries, "tempo/1-0", &letter), 0);
		cr_expect_str_eq(letter.reason, i ? "try 1" : "try 0");
	}
	cr_expect_eq(balance_of("tempo", 0).sums.finished[OUTCOME_DEAD], 3);
	stop_well();
}

Test(ledger, ids_that_are_none_are_refused)
{
	static const char *const ids[] = { "", "tempo", "tempo/", "tempo/1", "tempo/1-", "/1-0",
		"tempo/1-0x", "tempo/01-0", "tempo/-1-0", "tempo/1--1", "tempo/1-99999999999",
		"a/b/1-0", "0123456789012345678901234567890123456789012345678901234567890123/1-0" };
	struct dead_letter letter;
	start(1);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		cr_expect_eq(dead_letter_find(deliveries, ids[i], &letter), -EINVAL, "%s", ids[i]);
	cr_expect_eq(dead_letter_find(deliveries, "tempo/1-0", &letter), -ENOENT);
	cr_expect_eq(dead_letter_hold(deliveries, "tempo/1-0", &letter), -ENOENT);
	stop_well();
}

/* ---- everything at once ---- */

static void end_a_letter(void)
{
	struct letters letters = list(NULL, 64);
	struct dead_letter letter;
	if (!letters.count)
		return;
	const char *id = letters.ids[chance((unsigned)letters.count)];
	cr_assert_eq(dead_letter_hold(deliveries, id, &letter), 0);
	if (chance(3) == 0)
		dead_letter_keep(deliveries, &letter);
	else
		dead_letter_end(
			deliveries, &letter, chance(2) ? OUTCOME_DELIVERED : OUTCOME_DROPPED);
}

static void play(struct party *party)
{
	for (unsigned i = chance(8); i > 0; i--)
		read_one(party);
	for (unsigned i = chance(30); i > 0 && party->open_count; i--) {
		enum outcome outcome = chance(20) ? OUTCOME_DELIVERED : chance(OUTCOME_DAMAGED);
		finish_one(party, chance((unsigned)party->open_count), outcome);
	}
	keep(party);
}

static void expect_that_all_adds_up(unsigned step)
{
	struct balance *balances;
	size_t count;
	cr_assert_eq(ledger_read(ledger, 0, true, &balances, &count), 0);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(balances[i].waiting, balances[i].measured,
			"step %u: %s has %lld waiting by the books, %lld in the log", step,
			balances[i].destination, (long long)balances[i].waiting,
			(long long)balances[i].measured);
	free(balances);
}

Test(ledger, any_history_adds_up_at_every_moment)
{
	enum { STEPS = 3000 };
	int64_t posted = 0;
	unsigned configured = 3;
	start(configured);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned what = chance(100);
		if (what < 40) {
			uint32_t spans = 1 + chance(20);
			post(spans, chance(3) == 0);
			posted += spans;
		} else if (what < 80) {
			struct party *party = &parties[chance(PARTIES_MAX)];
			if (party->delivery)
				play(party);
		} else if (what < 90) {
			cr_assert_eq(ledger_commit(ledger), 0);
			spool_tick(fixture.spool);
		} else if (what < 94) {
			end_a_letter();
		} else if (what < 97) {
			if (chance(2))
				kill_it();
			else
				stop_well();
			if (chance(3) == 0)
				configured = 1 | chance(4) << 1; /* tempo always is */
			start(configured);
		}
		now_ns += UINT64_C(7000000000);
		if (step % 3 == 0)
			expect_that_all_adds_up(step);
	}
	for (size_t i = 0; i < PARTIES_MAX; i++)
		if (parties[i].delivery)
			finish_all(&parties[i], OUTCOME_DELIVERED);
	expect_balance("tempo", posted, 0);
	stop_well();
}
