#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "spool/dead_letter.h"

static char directory[] = "/tmp/tollgate-delivery-XXXXXX";
static struct deliveries *deliveries;
static uint64_t now_ns = UINT64_C(1700000000000000000);

uint64_t __wrap_clock_unix_ns(void);
uint64_t __wrap_clock_unix_ns(void)
{
	return now_ns;
}

static void set_up(void)
{
	cr_assert(mkdtemp(directory));
	cr_assert_eq(deliveries_open(directory, &deliveries), 0);
}

static void tear_down(void)
{
	char command[128];
	deliveries_close(deliveries);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

static void reopen(void)
{
	deliveries_close(deliveries);
	cr_assert_eq(deliveries_open(directory, &deliveries), 0);
}

TestSuite(delivery, .init = set_up, .fini = tear_down);

static int set_aside(struct delivery *delivery, uint64_t sequence, uint32_t span, const char *text)
{
	struct dead_letter letter = { .sequence = sequence,
		.span = span,
		.span_count = 1,
		.signal = SIGNAL_TRACES,
		.status = 413,
		.reason = "too large alone" };
	return delivery_set_aside(delivery, &letter, bytes_of(text));
}

static struct delivery *tempo(void)
{
	return delivery_of(deliveries, "tempo", "lane");
}

static void deliver(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to)
{
	delivery_mark(delivery, sequence, from, to, OUTCOME_DELIVERED);
}

Test(delivery, a_new_destination_begins_at_one)
{
	cr_assert_eq(delivery_cursor(tempo()), 1);
	cr_assert_eq(tempo(), tempo());
	cr_assert_neq(tempo(), delivery_of(deliveries, "tempo", "other"));
	cr_assert_neq(tempo(), delivery_of(deliveries, "langfuse", "lane"));
}

Test(delivery, the_cursor_moves_over_finished_records_only)
{
	struct delivery *delivery = tempo();
	for (uint64_t sequence = 5; sequence <= 8; sequence++)
		delivery_expect(delivery, sequence, 10);
	deliver(delivery, 6, 0, 10);
	deliver(delivery, 8, 0, 10);
	cr_assert_eq(delivery_cursor(delivery), 1, "record 5 is open");
	deliver(delivery, 5, 0, 4);
	cr_assert_eq(delivery_cursor(delivery), 1, "a part of record 5 is open");
	deliver(delivery, 5, 4, 10);
	cr_assert_eq(delivery_cursor(delivery), 7);
	deliver(delivery, 7, 0, 10);
	cr_assert_eq(delivery_cursor(delivery), 9);
}

Test(delivery, numbers_that_are_not_for_it_are_no_gap)
{
	struct delivery *delivery = tempo();
	delivery_expect(delivery, 3, 1);
	delivery_expect(delivery, 70, 1);
	deliver(delivery, 3, 0, 1);
	cr_assert_eq(delivery_cursor(delivery), 4);
	deliver(delivery, 70, 0, 1);
	cr_assert_eq(delivery_cursor(delivery), 71);
}

Test(delivery, advance_moves_up_never_down_and_never_over_an_open_record)
{
	struct delivery *delivery = tempo();
	delivery_advance(delivery, 50);
	cr_assert_eq(delivery_cursor(delivery), 50);
	delivery_advance(delivery, 40);
	cr_assert_eq(delivery_cursor(delivery), 50);
	delivery_expect(delivery, 60, 1);
	delivery_advance(delivery, 99);
	cr_assert_eq(delivery_cursor(delivery), 60);
	deliver(delivery, 60, 0, 1);
	delivery_advance(delivery, 99);
	cr_assert_eq(delivery_cursor(delivery), 99);
}

Test(delivery, it_tells_which_spans_of_a_record_are_open)
{
	struct delivery *delivery = tempo();
	uint32_t from, to;
	delivery_expect(delivery, 1, 100);
	cr_assert(delivery_open_range(delivery, 1, 100, 0, &from, &to));
	cr_assert(from == 0 && to == 100);
	deliver(delivery, 1, 20, 30);
	deliver(delivery, 1, 50, 60);
	deliver(delivery, 1, 30, 40);
	cr_assert(delivery_open_range(delivery, 1, 100, 0, &from, &to));
	cr_assert(from == 0 && to == 20);
	cr_assert(delivery_open_range(delivery, 1, 100, 20, &from, &to));
	cr_assert(from == 40 && to == 50);
	cr_assert(delivery_open_range(delivery, 1, 100, 45, &from, &to));
	cr_assert(from == 45 && to == 50);
	cr_assert(delivery_open_range(delivery, 1, 100, 50, &from, &to));
	cr_assert(from == 60 && to == 100);
	deliver(delivery, 1, 60, 100);
	cr_assert_not(delivery_open_range(delivery, 1, 100, 50, &from, &to));
	deliver(delivery, 1, 0, 55);
	cr_assert_not(delivery_open_range(delivery, 1, 100, 0, &from, &to));
	cr_assert_eq(delivery_cursor(delivery), 2);
}

Test(delivery, a_record_without_spans_is_finished_by_one_mark)
{
	uint32_t from, to;
	delivery_expect(tempo(), 1, 0);
	cr_assert(delivery_open_range(tempo(), 1, 0, 0, &from, &to));
	delivery_mark(tempo(), 1, 0, 0, OUTCOME_DELIVERED);
	cr_assert_not(delivery_open_range(tempo(), 1, 0, 0, &from, &to));
	cr_assert_eq(delivery_cursor(tempo()), 2);
}

/* The same as a table of booleans, which needs no proof. */
Test(delivery, any_order_of_marks_gives_the_same_as_a_plain_table)
{
	enum { RECORDS = 12, SPANS = 17 };
	unsigned state = 1;
	for (int trial = 0; trial < 200; trial++) {
		char lane[16];
		snprintf(lane, sizeof lane, "lane%d", trial);
		struct delivery *delivery = delivery_of(deliveries, "tempo", lane);
		bool done[RECORDS + 1][SPANS] = { 0 };
		for (uint64_t sequence = 1; sequence <= RECORDS; sequence++)
			delivery_expect(delivery, sequence, SPANS);
		for (int step = 0; step < 80; step++) {
			state = state * 1664525 + 1013904223;
			uint64_t sequence = 1 + (state >> 8) % RECORDS;
			uint32_t from = (state >> 16) % SPANS,
				 to = from + 1 + (state >> 24) % (SPANS - from);
			deliver(delivery, sequence, from, to);
			for (uint32_t i = from; i < to; i++)
				done[sequence][i] = true;
			uint64_t cursor = 1;
			while (cursor <= RECORDS && memchr(done[cursor], 0, SPANS) == NULL)
				cursor++;
			cr_assert_eq(delivery_cursor(delivery), cursor);
			for (uint64_t i = 1; i <= RECORDS; i++) {
				uint32_t at = 0, got_from, got_to, end;
				while (at < SPANS && done[i][at])
					at++;
				for (end = at; end < SPANS && !done[i][end];)
					end++;
				bool is_open = delivery_open_range(
					delivery, i, SPANS, 0, &got_from, &got_to);
				cr_assert_eq(is_open, at < SPANS);
				cr_assert(!is_open || (got_from == at && got_to == end));
			}
		}
	}
}

Test(delivery, it_survives_a_restart)
{
	uint32_t from, to;
	struct delivery *delivery = tempo();
	for (uint64_t sequence = 1; sequence <= 5; sequence++)
		delivery_expect(delivery, sequence, 10);
	deliver(delivery, 1, 0, 10);
	deliver(delivery, 3, 0, 10);
	deliver(delivery, 4, 2, 5);
	cr_assert_eq(deliveries_commit(deliveries), 0);
	reopen();
	delivery = tempo();
	cr_assert_eq(delivery_cursor(delivery), 2);
	for (uint64_t sequence = 2; sequence <= 5; sequence++)
		delivery_expect(delivery, sequence, 10);
	cr_assert_not(delivery_open_range(delivery, 3, 10, 0, &from, &to));
	cr_assert(delivery_open_range(delivery, 4, 10, 2, &from, &to));
	cr_assert(from == 5 && to == 10);
	deliver(delivery, 2, 0, 10);
	cr_assert_eq(delivery_cursor(delivery), 4);
}

Test(delivery, what_was_finished_ahead_of_a_lost_record_does_not_hold_the_cursor)
{
	struct delivery *delivery = tempo();
	delivery_expect(delivery, 1, 10);
	delivery_expect(delivery, 2, 10);
	deliver(delivery, 2, 0, 5);
	reopen();
	delivery = tempo();
	delivery_expect(delivery, 1, 10);
	deliver(delivery, 1, 0, 10);
	cr_assert_eq(delivery_cursor(delivery), 2);
	delivery_expect(delivery, 3, 10); /* record 2 was damaged on disk meanwhile */
	deliver(delivery, 3, 0, 10);
	cr_assert_eq(delivery_cursor(delivery), 4);
}

Test(delivery, its_end_is_above_all_that_any_destination_knows)
{
	cr_assert_eq(deliveries_end(deliveries), 1);
	delivery_advance(tempo(), 7);
	cr_assert_eq(deliveries_end(deliveries), 7);
	struct delivery *langfuse = delivery_of(deliveries, "langfuse", "lane");
	delivery_expect(langfuse, 8, 1);
	delivery_expect(langfuse, 12, 1);
	deliver(langfuse, 12, 0, 1);
	reopen();
	cr_assert_eq(deliveries_end(deliveries), 13);
}

static int64_t sum_of(const char *destination, enum outcome outcome)
{
	return delivery_sums(delivery_of(deliveries, destination, "lane")).finished[outcome];
}

Test(delivery, its_sums_count_each_span_once_whatever_is_said_again)
{
	delivery_expect(tempo(), 1, 100);
	delivery_mark(tempo(), 1, 0, 2, OUTCOME_REJECTED);
	delivery_mark(tempo(), 1, 2, 60, OUTCOME_DELIVERED);
	delivery_mark(tempo(), 1, 60, 61, OUTCOME_DEAD);
	delivery_mark(tempo(), 1, 50, 90, OUTCOME_DELIVERED);
	delivery_mark(tempo(), 1, 0, 95, OUTCOME_DAMAGED);
	delivery_mark(tempo(), 1, 95, 100, OUTCOME_DROPPED);
	delivery_mark(tempo(), 1, 0, 100, OUTCOME_DELIVERED);
	delivery_mark(tempo(), 7, 0, 100, OUTCOME_DELIVERED); /* never expected */
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(sum_of("tempo", OUTCOME_REJECTED), 2);
		cr_expect_eq(sum_of("tempo", OUTCOME_DELIVERED), 58 + 29);
		cr_expect_eq(sum_of("tempo", OUTCOME_DEAD), 1);
		cr_expect_eq(sum_of("tempo", OUTCOME_DAMAGED), 5);
		cr_expect_eq(sum_of("tempo", OUTCOME_DROPPED), 5);
		cr_expect_eq(sum_of("langfuse", OUTCOME_DELIVERED), 0);
		reopen();
	}
}

static int64_t ask(const char *sql)
{
	char path[96];
	sqlite3 *db;
	sqlite3_stmt *statement;
	snprintf(path, sizeof path, "%s/delivery.sqlite", directory);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
	int64_t answer = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return answer;
}

static void deliver_new(uint64_t sequence, uint32_t spans)
{
	delivery_expect(tempo(), sequence, spans);
	deliver(tempo(), sequence, 0, spans);
}

Test(delivery, the_ledger_is_kept_per_minute_for_90_days_and_its_sums_for_ever)
{
	uint64_t sequence = 1;
	for (int day = 0; day < 100; day++) {
		deliver_new(sequence++, 1);
		cr_assert_eq(deliveries_commit(deliveries), 0);
		deliver_new(sequence++, 2);
		cr_assert_eq(deliveries_commit(deliveries), 0);
		now_ns += UINT64_C(86400000000000);
	}
	deliver_new(sequence++, 1);
	cr_assert_eq(deliveries_commit(deliveries), 0);
	cr_assert_eq(ask("SELECT count(*) FROM ledger WHERE minute > 0"), 91);
	cr_assert_eq(ask("SELECT delivered FROM ledger WHERE minute = 0"), 10 * 3);
	cr_assert_eq(sum_of("tempo", OUTCOME_DELIVERED), 301);
	reopen();
	cr_assert_eq(sum_of("tempo", OUTCOME_DELIVERED), 301);
}

static void overwrite_file(const char *bytes, size_t count, long offset)
{
	char path[96];
	snprintf(path, sizeof path, "%s/delivery.sqlite", directory);
	FILE *file = fopen(path, offset < 0 ? "w" : "r+");
	cr_assert(file);
	fseek(file, offset < 0 ? 0 : offset, SEEK_SET);
	fwrite(bytes, 1, count, file);
	fclose(file);
}

static void change_file(const char *sql)
{
	sqlite3 *db;
	char path[96];
	snprintf(path, sizeof path, "%s/delivery.sqlite", directory);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

Test(delivery, a_damaged_file_is_moved_aside_and_replaced)
{
	struct stat status;
	char path[96], garbage[8192];
	delivery_advance(tempo(), 10);
	deliveries_close(deliveries);
	memset(garbage, 0x5a, sizeof garbage);
	overwrite_file(garbage, sizeof garbage, 0);
	cr_assert_eq(deliveries_open(directory, &deliveries), 0);
	cr_assert_eq(delivery_cursor(tempo()), 1);
	snprintf(path, sizeof path, "%s/delivery.sqlite.damaged", directory);
	cr_assert_eq(stat(path, &status), 0);
	delivery_advance(tempo(), 20);
	reopen();
	cr_assert_eq(delivery_cursor(tempo()), 20);
}

Test(delivery, a_file_that_is_not_ours_is_moved_aside_and_replaced)
{
	deliveries_close(deliveries);
	overwrite_file("", 0, -1);
	change_file("CREATE TABLE cursor (a, b); INSERT INTO cursor VALUES (1, 2)");
	cr_assert_eq(deliveries_open(directory, &deliveries), 0);
	cr_assert_eq(delivery_cursor(tempo()), 1);
	delivery_advance(tempo(), 20);
	cr_assert_eq(deliveries_commit(deliveries), 0);
}

Test(delivery, a_file_that_fails_at_work_costs_one_commit_and_no_state)
{
	deliver_new(10, 5);
	cr_assert_eq(deliveries_commit(deliveries), 0);
	change_file("DROP TABLE cursor");
	delivery_advance(tempo(), 11);
	deliver_new(11, 2);
	cr_assert_eq(deliveries_commit(deliveries), -EIO);
	cr_assert_eq(deliveries_commit(deliveries), 0);
	reopen();
	cr_assert_eq(delivery_cursor(tempo()), 12);
	cr_assert_eq(sum_of("tempo", OUTCOME_DELIVERED), 7);
}

Test(delivery, what_one_late_record_holds_up_is_one_row_of_the_file)
{
	uint32_t from, to;
	for (uint64_t sequence = 1; sequence <= 1000; sequence++)
		delivery_expect(tempo(), sequence, 4);
	for (uint64_t sequence = 1000; sequence > 1; sequence--) /* joined from either side */
		if (sequence != 500)
			deliver(tempo(), sequence, 0, 4);
	deliver(tempo(), 500, 1, 2);
	cr_assert_eq(deliveries_commit(deliveries), 0);
	cr_expect_eq(ask("SELECT count(*) FROM finished_run"), 2);
	cr_expect_eq(ask("SELECT count(*) FROM finished"), 1);
	reopen();
	cr_expect_eq(delivery_cursor(tempo()), 1);
	cr_expect_not(delivery_open_range(tempo(), 2, 4, 0, &from, &to));
	cr_expect_not(delivery_open_range(tempo(), 1000, 4, 0, &from, &to));
	cr_expect(delivery_open_range(tempo(), 500, 4, 1, &from, &to));
	cr_expect(from == 2 && to == 4);
	delivery_expect(tempo(), 1, 4);
	deliver(tempo(), 1, 0, 4);
	delivery_expect(tempo(), 500, 4);
	deliver(tempo(), 500, 2, 4);
	cr_expect_eq(delivery_cursor(tempo()), 500, "a part of 500 is open");
	deliver(tempo(), 500, 0, 1);
	delivery_expect(tempo(), 1001, 4);
	cr_expect_eq(delivery_cursor(tempo()), 1001);
	cr_expect_eq(sum_of("tempo", OUTCOME_DELIVERED), 4000);
	cr_assert_eq(deliveries_commit(deliveries), 0);
	cr_expect_eq(ask("SELECT count(*) FROM finished_run"), 0);
}

/* What the file tells is joined with what stands behind, or a record between would be lost. */
Test(delivery, a_record_not_read_again_yet_is_not_taken_for_finished)
{
	uint32_t from, to;
	for (uint64_t sequence = 1; sequence <= 9; sequence++)
		delivery_expect(tempo(), sequence, 1);
	for (uint64_t sequence = 5; sequence <= 9; sequence++)
		deliver(tempo(), sequence, 0, 1);
	reopen();
	delivery_expect(tempo(), 1, 1);
	delivery_expect(tempo(), 2, 1);
	deliver(tempo(), 2, 0, 1);
	cr_expect(delivery_open_range(tempo(), 3, 1, 0, &from, &to));
	delivery_expect(tempo(), 4, 1); /* 3 was for somebody else */
	deliver(tempo(), 4, 0, 1);
	deliver(tempo(), 1, 0, 1);
	delivery_expect(tempo(), 10, 1);
	cr_expect_eq(delivery_cursor(tempo()), 10);
}

Test(delivery, a_file_of_the_first_version_keeps_cursors_sums_and_dead_letters)
{
	delivery_advance(tempo(), 10);
	deliveries_close(deliveries);
	change_file(
		"DROP TABLE ledger; DROP TABLE dead_letter; DROP TABLE account; DROP TABLE finished_run;"
		"CREATE TABLE ledger (minute INTEGER, destination TEXT, accepted INTEGER,"
		" delivered INTEGER, rejected INTEGER, dead INTEGER, dropped INTEGER,"
		" PRIMARY KEY (minute, destination)) WITHOUT ROWID;"
		"CREATE TABLE dead_letter (destination TEXT, lane TEXT, sequence INTEGER, span INTEGER,"
		" status INTEGER, reason TEXT, time_ns INTEGER, bytes INTEGER,"
		" PRIMARY KEY (destination, sequence, span)) WITHOUT ROWID;"
		"INSERT INTO ledger VALUES (7, '', 100, 0, 0, 0, 0), (7, 'tempo', 0, 5, 4, 3, 2);"
		"INSERT INTO dead_letter VALUES ('tempo', 'default', 3, 2, 400, 'why', 9, 6);"
		"PRAGMA user_version = 0");
	cr_assert_eq(deliveries_open(directory, &deliveries), 0);
	cr_expect_eq(delivery_cursor(tempo()), 10);
	struct ledger_sums sums = delivery_sums(delivery_of(deliveries, "tempo", "default"));
	cr_expect_eq(sums.accepted, 0, "it was not known for whom");
	cr_expect_eq(sums.finished[OUTCOME_DELIVERED], 5);
	cr_expect_eq(sums.finished[OUTCOME_DROPPED], 2);
	struct dead_letter letter;
	cr_assert_eq(dead_letter_find(deliveries, "tempo/3-2", &letter), 0);
	cr_expect_eq(letter.span_count, 1);
	cr_expect_eq(letter.signal, SIGNAL_TRACES);
	cr_expect_str_eq(letter.reason, "why");
	cr_expect_eq(ask("SELECT user_version FROM pragma_user_version"), 1);
}

Test(delivery, a_changed_cursor_is_not_believed)
{
	delivery_advance(tempo(), 10);
	deliveries_close(deliveries);
	change_file("UPDATE cursor SET sequence = 1000");
	cr_assert_eq(deliveries_open(directory, &deliveries), 0);
	cr_assert_eq(delivery_cursor(tempo()), 1, "sent again rather than lost");
}

Test(delivery, its_file_is_for_its_owner_alone)
{
	struct stat status;
	char path[96];
	snprintf(path, sizeof path, "%s/delivery.sqlite", directory);
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
}

Test(delivery, a_dead_letter_is_a_private_file_and_one_row_however_often_it_is_set_aside)
{
	struct stat status;
	char path[128];
	struct buf content;
	for (int i = 0; i < 3; i++)
		cr_assert_eq(set_aside(tempo(), 12, 34, "poison"), 0);
	snprintf(path, sizeof path, "%s/dead/tempo/12-34.pb", directory);
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
	buf_init(&content, 100, NULL);
	cr_assert_eq(file_read(path, &content), 0);
	cr_assert(bytes_are(buf_bytes(&content), "poison"));
	buf_done(&content);
	cr_assert_eq(deliveries_commit(deliveries), 0);
	cr_assert_eq(
		ask("SELECT count(*) FROM dead_letter WHERE status = 413 AND bytes = 6"
		    " AND destination = 'tempo' AND lane = 'lane' AND sequence = 12 AND span = 34"),
		1);
}

Test(delivery, dead_letters_are_bounded_together_also_after_a_restart)
{
	deliveries_limit_dead(deliveries, 10);
	cr_assert_eq(set_aside(tempo(), 1, 0, "poison"), 0);
	cr_assert_eq(set_aside(tempo(), 2, 0, "poison"), -ENOSPC);
	cr_assert_eq(set_aside(tempo(), 3, 0, "mild"), 0);
	cr_assert_eq(set_aside(tempo(), 4, 0, ""), 0);
	reopen();
	deliveries_limit_dead(deliveries, 10);
	cr_assert_eq(set_aside(tempo(), 5, 0, "x"), -ENOSPC);
	deliveries_limit_dead(deliveries, 11);
	cr_assert_eq(set_aside(tempo(), 5, 0, "x"), 0);
}

Test(delivery, a_destination_name_cannot_leave_its_directory)
{
	struct delivery *delivery = delivery_of(deliveries, "../../etc", "lane");
	cr_assert_eq(set_aside(delivery, 1, 0, "x"), -EINVAL);
	delivery = delivery_of(deliveries, "..", "lane");
	cr_assert_eq(set_aside(delivery, 1, 0, "x"), -EINVAL);
}

static void *mark_many(void *arg)
{
	struct delivery *delivery = delivery_of(deliveries, arg, "lane");
	for (uint64_t sequence = 1; sequence <= 2000; sequence++) {
		delivery_expect(delivery, sequence, 2);
		deliver(delivery, sequence, 0, 1);
		deliver(delivery, sequence, 1, 2);
	}
	return NULL;
}

Test(delivery, many_threads_may_mark_while_it_is_written)
{
	pthread_t threads[3];
	const char *names[] = { "langfuse", "tempo", "tempo2" };
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, mark_many, (void *)(intptr_t)names[i]);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(deliveries_commit(deliveries), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	reopen();
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(delivery_cursor(delivery_of(deliveries, names[i], "lane")), 2001);
		cr_assert_eq(sum_of(names[i], OUTCOME_DELIVERED), 4000);
	}
}
