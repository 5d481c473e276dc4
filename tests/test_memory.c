#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/scratch.h"
#include "synthesize/memory.h"

static char directory[SCRATCH_PATH_MAX];
static struct memory *memory;
static uint64_t now_ns;
static uint64_t max_spans;

uint64_t __wrap_clock_unix_ns(void);
uint64_t __wrap_clock_unix_ns(void)
{
	return now_ns;
}

static const struct bytes session = BYTES("default\0claude-code\0one");

static void open_memory(void)
{
	const struct memory_options options = {
		.directory = directory, .max_age_days = 30, .max_spans = max_spans
	};
	cr_assert_eq(memory_open(&options, &memory), 0);
}

static void set_up(void)
{
	now_ns = UINT64_C(1700000000000000000);
	max_spans = 1000;
	cr_assert_eq(scratch_make(directory), 0);
	open_memory();
}

static void tear_down(void)
{
	memory_close(memory);
	scratch_remove(directory);
}

TestSuite(memory, .init = set_up, .fini = tear_down);

static void reopen(void)
{
	memory_close(memory);
	open_memory();
}

static void commit_and_reopen(void)
{
	cr_assert_eq(memory_commit(memory), 0);
	reopen();
}

static const char *path_of(const char *name)
{
	static char path[SCRATCH_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

/* Span number `n`, of a trace of its own. */
static void add(unsigned n)
{
	uint8_t trace_id[16] = { 1 }, span_id[8] = { 2 };
	memcpy(trace_id + 1, &n, sizeof n);
	memory_add_span(memory, "default", trace_id, span_id);
}

static bool has(unsigned n)
{
	uint8_t trace_id[16] = { 1 }, span_id[8] = { 2 };
	memcpy(trace_id + 1, &n, sizeof n);
	return memory_has_span(memory, "default", trace_id, span_id);
}

Test(memory, a_span_is_known_at_once_and_after_a_commit_for_good)
{
	add(1);
	cr_assert(has(1));
	cr_assert_not(has(2));
	commit_and_reopen();
	cr_assert(has(1));
	cr_assert_not(has(2));
}

Test(memory, a_span_is_known_to_its_own_lane_alone)
{
	static const uint8_t trace_id[16] = { 1 }, span_id[8] = { 2 };
	static const char *const lanes[] = { "default", "a", "ab" };
	for (size_t n = 0; n < 3; n++) {
		memory_add_span(memory, lanes[n], trace_id, span_id);
		commit_and_reopen();
		for (size_t i = 0; i < 3; i++)
			cr_expect_eq(memory_has_span(memory, lanes[i], trace_id, span_id), i <= n);
	}
}

Test(memory, what_was_not_committed_is_gone_as_a_whole)
{
	const struct remembered_turn turn = { BYTES("key"), 1, 7 };
	struct remembered_turn *turns;
	size_t count;
	add(1);
	cr_assert_eq(memory_commit(memory), 0);
	add(2);
	memory_add_turn(memory, session, &turn);
	memory_set_position(memory, (struct memory_position){ 5, 6, 7 });
	reopen();
	cr_assert(has(1));
	cr_assert_not(has(2));
	cr_assert_eq(memory_position(memory).inbox, 0);
	cr_assert_eq(memory_turns(memory, session, &turns, &count), 0);
	cr_assert_eq(count, 0);
	free(turns);
}

Test(memory, turns_come_back_by_number_with_keys_of_any_bytes)
{
	static const struct remembered_turn later = { BYTES("b\0b"), 2, 20 };
	static const struct remembered_turn earlier = { BYTES("a"), 1, 10 };
	static const struct bytes other = BYTES("default\0claude-code\0two");
	struct remembered_turn *turns;
	size_t count;
	memory_add_turn(memory, session, &later);
	memory_add_turn(memory, session, &earlier);
	memory_add_turn(memory, session, &later);
	memory_add_turn(memory, other, &later);
	commit_and_reopen();
	cr_assert_eq(memory_turns(memory, session, &turns, &count), 0);
	cr_assert_eq(count, 2);
	cr_assert_eq(turns[0].number, 1);
	cr_assert(bytes_equal(turns[0].key, earlier.key));
	cr_assert_eq(turns[1].start_ns, 20);
	cr_assert(bytes_equal(turns[1].key, later.key));
	free(turns);
}

static void assert_fact(const char *name, const char *wanted)
{
	struct buf value;
	buf_init(&value, 1000, NULL);
	cr_assert_eq(memory_fact(memory, session, name, &value), wanted != NULL);
	if (wanted)
		cr_assert(bytes_are(buf_bytes(&value), wanted));
	buf_done(&value);
}

Test(memory, of_a_fact_the_latest_stands)
{
	memory_add_fact(memory, session, "project", bytes_of("one"));
	memory_add_fact(memory, session, "project", bytes_of("two"));
	assert_fact("project", "two");
	commit_and_reopen();
	assert_fact("project", "two");
	assert_fact("parent", NULL);
}

Test(memory, a_source_is_known_since_the_first_time)
{
	static const struct bytes source = BYTES("default\0codex");
	cr_assert_eq(memory_source_since(memory, source, "logs"), 0);
	memory_note_source(memory, source, "logs", 100);
	memory_note_source(memory, source, "logs", 200);
	commit_and_reopen();
	cr_assert_eq(memory_source_since(memory, source, "logs"), 100);
	cr_assert_eq(memory_source_since(memory, source, "hooks"), 0);
}

Test(memory, a_position_comes_back_and_one_with_a_flipped_bit_does_not)
{
	sqlite3 *db;
	memory_set_position(memory, (struct memory_position){ 5, 6, 7 });
	commit_and_reopen();
	cr_assert_eq(memory_position(memory).inbox, 5);
	cr_assert_eq(memory_position(memory).outbox, 6);
	cr_assert_eq(memory_position(memory).travelled, 7);
	cr_assert_eq(sqlite3_open(path_of("sessions.sqlite"), &db), SQLITE_OK);
	cr_assert_eq(
		sqlite3_exec(db, "UPDATE position SET inbox = 13", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	reopen();
	cr_assert_eq(memory_position(memory).inbox, 0);
}

Test(memory, the_oldest_spans_go_beyond_the_bound)
{
	for (unsigned n = 0; n < 1500; n++)
		add(n);
	commit_and_reopen();
	cr_assert_not(has(499));
	cr_assert(has(500));
	cr_assert(has(1499));
}

Test(memory, spans_are_forgotten_after_their_days)
{
	const uint64_t day_ns = UINT64_C(86400) * 1000000000;
	add(1);
	cr_assert_eq(memory_commit(memory), 0);
	now_ns += 20 * day_ns;
	add(2);
	cr_assert_eq(memory_commit(memory), 0);
	now_ns += 20 * day_ns;
	add(3);
	cr_assert_eq(memory_commit(memory), 0);
	cr_assert_not(has(1));
	cr_assert(has(2));
	cr_assert(has(3));
}

static void write_over(const char *name, off_t offset, size_t len)
{
	char noise[4096];
	memset(noise, 0x5a, sizeof noise);
	int fd = open(path_of(name), O_WRONLY | O_CREAT, 0600);
	cr_assert_geq(fd, 0);
	for (size_t done = 0; done < len; done += sizeof noise)
		cr_assert_eq(pwrite(fd, noise, sizeof noise, offset + (off_t)done), sizeof noise);
	close(fd);
}

Test(memory, a_damaged_file_is_moved_aside)
{
	add(1);
	cr_assert_eq(memory_commit(memory), 0);
	memory_close(memory);
	write_over("sessions.sqlite", 0, 8192);
	open_memory();
	cr_assert_not(has(1));
	cr_assert_eq(access(path_of("sessions.sqlite.damaged"), F_OK), 0);
	add(2);
	commit_and_reopen();
	cr_assert(has(2));
}

Test(memory, a_file_of_something_else_is_moved_aside)
{
	sqlite3 *db;
	memory_close(memory);
	unlink(path_of("sessions.sqlite"));
	cr_assert_eq(sqlite3_open(path_of("sessions.sqlite"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "CREATE TABLE span (a, b)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	open_memory();
	add(1);
	cr_assert(has(1));
	cr_assert_eq(access(path_of("sessions.sqlite.damaged"), F_OK), 0);
}

/* Another connection holds the file, so that nothing can be written. */
Test(memory, what_could_not_be_written_is_known_and_written_later)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(path_of("sessions.sqlite"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	add(1);
	cr_assert(has(1));
	cr_assert_lt(memory_commit(memory), 0);
	add(2);
	cr_assert(has(1));
	cr_assert(has(2));
	cr_assert_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	commit_and_reopen();
	cr_assert(has(1));
	cr_assert(has(2));
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that is full takes the whole transaction along. */
Test(memory, what_a_full_disk_did_not_take_is_written_when_there_is_room)
{
	signal(SIGXFSZ, SIG_IGN);
	add(1);
	cr_assert_eq(memory_commit(memory), 0);
	limit_files(4096);
	for (unsigned n = 2; n < 900; n++)
		add(n);
	cr_assert_lt(memory_commit(memory), 0);
	add(900);
	cr_assert(has(2));
	cr_assert(has(900));
	limit_files(RLIM_INFINITY);
	commit_and_reopen();
	cr_assert(has(1));
	cr_assert(has(2));
	cr_assert(has(900));
}
