#include "proxy/copies.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "support/scratch.h"

static const uint64_t second_ns = 1000000000, start_ns = UINT64_C(1800000000000000000);

static char directory[SCRATCH_PATH_MAX];
static struct copies *copies;
static uint64_t max_bytes;
static uint64_t now_ns;

static int try_to_open(void)
{
	const struct copies_options options = { .directory = directory,
		.max_bytes = max_bytes,
		.max_age_ms = 3600000,
		.max_copy_bytes = 100000 };
	return copies_open(&options, &copies);
}

static void set_up(void)
{
	max_bytes = 1 << 20;
	now_ns = start_ns;
	cr_assert_eq(scratch_make(directory), 0);
	cr_assert_eq(try_to_open(), 0);
}

static void tear_down(void)
{
	copies_close(copies);
	scratch_remove(directory);
}

TestSuite(copies, .init = set_up, .fini = tear_down);

static void reopen(void)
{
	copies_close(copies);
	cr_assert_eq(try_to_open(), 0);
}

static const char *path_of(const char *name)
{
	static char path[SCRATCH_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void keep(const char *lane, const char *target, const char *body)
{
	copies_keep(copies, lane, target, "application/json", bytes_of(body), now_ns);
}

/*   wanted  the body; NULL: there is no copy */
static void assert_copy(const char *lane, const char *target, const char *wanted)
{
	struct copy copy;
	int error = copies_find(copies, lane, target, now_ns, &copy);
	cr_assert_eq(error, wanted ? 0 : -ENOENT, "%s", target);
	if (!wanted)
		return;
	cr_assert(bytes_are(buf_bytes(&copy.body), wanted), "%s", target);
	buf_done(&copy.body);
}

static bool has(const char *target)
{
	struct copy copy;
	if (copies_find(copies, "default", target, now_ns, &copy) < 0)
		return false;
	buf_done(&copy.body);
	return true;
}

Test(copies, a_copy_has_body_type_and_age_also_after_a_restart)
{
	struct copy copy;
	copies_keep(copies, "default", "/p?label=a%2Fb", "application/json; charset=utf-8",
		(struct bytes)BYTES("a\0b"), now_ns);
	reopen();
	now_ns += 90 * second_ns;
	cr_assert_eq(copies_find(copies, "default", "/p?label=a%2Fb", now_ns, &copy), 0);
	cr_assert(bytes_equal(buf_bytes(&copy.body), (struct bytes)BYTES("a\0b")));
	cr_assert_str_eq(copy.content_type, "application/json; charset=utf-8");
	cr_assert_eq(copy.age_ms, 90000);
	buf_done(&copy.body);
}

Test(copies, the_latest_answer_stands)
{
	keep("default", "/p", "one");
	keep("default", "/p", "two");
	assert_copy("default", "/p", "two");
	now_ns += second_ns / 2;
	keep("default", "/p", "");
	assert_copy("default", "/p", "");
}

Test(copies, an_answer_that_stays_the_same_grows_younger)
{
	struct copy copy;
	keep("default", "/p", "one");
	now_ns += 10 * second_ns;
	keep("default", "/p", "one");
	now_ns += 5 * second_ns;
	cr_assert_eq(copies_find(copies, "default", "/p", now_ns, &copy), 0);
	cr_assert_eq(copy.age_ms, 5000);
	buf_done(&copy.body);
}

Test(copies, nobody_sees_another_projects_copy)
{
	keep("default", "/p", "ours");
	keep("team-a", "/p", "theirs");
	assert_copy("default", "/p", "ours");
	assert_copy("team-a", "/p", "theirs");
	assert_copy("team-b", "/p", NULL);
	copies_forget(copies, "team-a", "/p");
	assert_copy("default", "/p", "ours");
	assert_copy("team-a", "/p", NULL);
}

Test(copies, a_target_is_what_was_asked_for_to_the_letter)
{
	keep("default", "/p/a%2Fb", "one");
	assert_copy("default", "/p/a%2fb", NULL);
	assert_copy("default", "/p/a/b", NULL);
	assert_copy("default", "/p/a%2Fb?version=1", NULL);
}

Test(copies, an_old_copy_is_none)
{
	keep("default", "/p", "one");
	now_ns += 3600 * second_ns;
	assert_copy("default", "/p", "one");
	now_ns += second_ns;
	assert_copy("default", "/p", NULL);
}

Test(copies, a_clock_that_was_set_back_makes_no_copy_old)
{
	struct copy copy;
	keep("default", "/p", "one");
	now_ns -= 86400 * second_ns;
	cr_assert_eq(copies_find(copies, "default", "/p", now_ns, &copy), 0);
	cr_assert_eq(copy.age_ms, 0);
	buf_done(&copy.body);
	keep("default", "/p", "one");
	now_ns += 2 * second_ns;
	cr_assert_eq(copies_find(copies, "default", "/p", now_ns, &copy), 0);
	cr_assert_eq(copy.age_ms, 2000);
	buf_done(&copy.body);
}

Test(copies, what_is_too_large_is_passed_over_and_leaves_the_one_before)
{
	char *large = calloc(1, 100002), type[200] = "";
	memset(large, 'x', 100001);
	memset(type, 't', sizeof type - 1);
	keep("default", "/p", "small");
	keep("default", "/p", large);
	assert_copy("default", "/p", "small");
	copies_keep(copies, "default", "/p", type, bytes_of("typed"), now_ns);
	assert_copy("default", "/p", "small");
	large[100000] = '\0';
	keep("default", "/p", large);
	assert_copy("default", "/p", large);
	free(large);
}

/* A second between them, because times of asking are no finer. */
static void keep_many(unsigned from, unsigned to, size_t bytes)
{
	char *body = calloc(1, bytes + 1), target[32];
	memset(body, 'x', bytes);
	for (unsigned n = from; n < to; n++) {
		now_ns += second_ns;
		snprintf(target, sizeof target, "/p%u", n);
		keep("default", target, body);
	}
	free(body);
}

Test(copies, the_ones_asked_for_longest_ago_go)
{
	keep_many(0, 9, 100000);
	now_ns += second_ns;
	cr_assert(has("/p0"));
	keep_many(9, 12, 100000);
	cr_assert(has("/p0"), "it was asked for");
	cr_assert_not(has("/p1"));
	cr_assert(has("/p11"));
}

static uint64_t held_bytes(void)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	copies_close(copies);
	copies = NULL;
	cr_assert_eq(sqlite3_open(path_of("copies.sqlite"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, "SELECT sum(length(body) + length(target)) FROM copy",
			     -1, &statement, NULL),
		SQLITE_OK);
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
	uint64_t bytes = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return bytes;
}

Test(copies, there_are_never_more_bytes_than_allowed)
{
	keep_many(0, 300, 5000);
	keep_many(100, 400, 7000);
	cr_assert(has("/p399"));
	uint64_t bytes = held_bytes();
	cr_assert_leq(bytes, max_bytes);
	cr_assert_geq(bytes, max_bytes / 4 * 3);
	cr_assert_leq(scratch_disk_bytes(directory), 8 << 20);
}

Test(copies, empty_answers_are_bounded_too)
{
	keep_many(0, 6000, 0);
	cr_assert_not(has("/p0"));
	cr_assert(has("/p5999"));
}

Test(copies, what_is_kept_again_and_again_pushes_nothing_out)
{
	keep_many(0, 1, 1000);
	for (unsigned round = 0; round < 50; round++)
		keep_many(1, 2, 90000);
	cr_assert(has("/p0"));
}

Test(copies, a_bound_that_was_lowered_holds)
{
	keep_many(0, 10, 90000);
	max_bytes = 200000;
	reopen();
	keep_many(10, 11, 90000);
	cr_assert(has("/p10"));
	cr_assert_leq(held_bytes(), max_bytes);
}

Test(copies, the_file_is_its_owners_alone)
{
	struct stat status;
	cr_assert_eq(stat(path_of("copies.sqlite"), &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
}

/* ---- damage ---- */

static void write_over(off_t offset, size_t len)
{
	char noise[4096];
	memset(noise, 0x5a, sizeof noise);
	int fd = open(path_of("copies.sqlite"), O_WRONLY);
	cr_assert_geq(fd, 0);
	for (size_t done = 0; done < len; done += sizeof noise)
		cr_assert_eq(pwrite(fd, noise, sizeof noise, offset + (off_t)done), sizeof noise);
	close(fd);
}

Test(copies, a_damaged_file_is_moved_aside)
{
	keep("default", "/p", "one");
	copies_close(copies);
	write_over(0, 8192);
	cr_assert_eq(try_to_open(), 0);
	assert_copy("default", "/p", NULL);
	cr_assert_eq(access(path_of("copies.sqlite.damaged"), F_OK), 0);
	keep("default", "/p", "two");
	reopen();
	assert_copy("default", "/p", "two");
}

Test(copies, a_file_of_something_else_is_moved_aside)
{
	sqlite3 *db;
	copies_close(copies);
	unlink(path_of("copies.sqlite"));
	cr_assert_eq(sqlite3_open(path_of("copies.sqlite"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "CREATE TABLE copy (a, b)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	cr_assert_eq(try_to_open(), 0);
	cr_assert_eq(access(path_of("copies.sqlite.damaged"), F_OK), 0);
}

/* While it is open: the pages that are not in memory are read from the disk. */
Test(copies, damage_under_way_costs_copies_and_nothing_else)
{
	keep_many(0, 10, 90000);
	reopen();
	write_over(8192, 800000);
	for (unsigned n = 0; n < 10; n++) {
		char target[32];
		snprintf(target, sizeof target, "/p%u", n);
		has(target);
	}
	keep_many(10, 20, 90000);
	keep("default", "/p", "one");
	keep("default", "/p", "one");
	assert_copy("default", "/p", "one");
}

Test(copies, a_body_with_a_flipped_bit_is_not_shown)
{
	sqlite3 *db;
	keep("default", "/p", "one");
	keep("default", "/q", "two");
	copies_close(copies);
	cr_assert_eq(sqlite3_open(path_of("copies.sqlite"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "UPDATE copy SET body = x'6f6e64' WHERE body = x'6f6e65'",
			     NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	cr_assert_eq(try_to_open(), 0);
	assert_copy("default", "/p", NULL);
	assert_copy("default", "/q", "two");
}

Test(copies, what_a_caller_wrote_into_a_query_is_not_in_the_file)
{
	static const char planted[] = "sk-lf-planted";
	struct buf file;
	keep("default", "/p?key=sk-lf-planted", "one");
	assert_copy("default", "/p?key=sk-lf-planted", "one");
	copies_close(copies);
	copies = NULL;
	buf_init(&file, 1 << 20, NULL);
	cr_assert_eq(file_read(path_of("copies.sqlite"), &file), 0);
	cr_expect_not_null(memmem(file.at, file.len, "application/json", 16));
	cr_expect_null(memmem(file.at, file.len, planted, sizeof planted - 1));
	buf_done(&file);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(copies, a_full_disk_costs_the_copies_that_it_does_not_take)
{
	signal(SIGXFSZ, SIG_IGN);
	keep("default", "/p", "one");
	limit_files(4096);
	keep_many(0, 5, 50000);
	assert_copy("default", "/p", "one");
	cr_assert_not(has("/p4"));
	copies_forget(copies, "default", "/p");
	limit_files(RLIM_INFINITY);
	keep("default", "/q", "two");
	reopen();
	assert_copy("default", "/q", "two");
}

Test(copies, a_directory_that_cannot_be_written_is_an_error)
{
	copies_close(copies);
	copies = NULL;
	unlink(path_of("copies.sqlite"));
	cr_assert_eq(chmod(directory, 0555), 0);
	if (geteuid() == 0)
		cr_assert_eq(seteuid(65534), 0);
	cr_assert_eq(try_to_open(), -EACCES);
	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
	chmod(directory, 0700);
	cr_assert_eq(try_to_open(), 0);
}
