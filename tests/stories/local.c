/* The local view beside the destinations: it shows what went through, and nobody notices it. */
#include "stories/story.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/load.h"

enum { ROUNDS = 4, ALIVE_MS = 800, SPANS_PER_SECOND = 6000, CAPACITY = 100000 };

static struct story story;
static char path[SCRATCH_PATH_MAX + 32];

static void begin(void)
{
	story_begin(&story);
	snprintf(path, sizeof(path), "%s/state/local.sqlite", story.directory);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(local, .init = begin, .fini = end, .timeout = 300);

static sqlite3 *open_view(int flags)
{
	sqlite3 *db = NULL;
	cr_assert_eq(sqlite3_open_v2(path, &db, flags, NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, STORY_PATIENCE_MS);
	return db;
}

/* The first column of the one row, to be freed. */
static char *ask(const char *sql)
{
	sqlite3 *db = open_view(SQLITE_OPEN_READONLY);
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	cr_assert_eq(result, SQLITE_ROW, "%s: %s", sql, sqlite3_errmsg(db));
	char *text = strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return text;
}

static uint64_t count_rows(void)
{
	char *text = ask("SELECT count(*) FROM span");
	uint64_t count = strtoull(text, NULL, 10);
	free(text);
	return count;
}

static void wait_for_rows(uint64_t rows)
{
	uint64_t count = count_rows(), before = 0;
	for (int tries = 0; count<rows; tries = count> before ? 0 : tries + 1) {
		cr_assert_lt(tries, 200, "%llu of %llu spans are shown", (unsigned long long)count,
			(unsigned long long)rows);
		usleep(100000);
		before = count;
		count = count_rows();
	}
}

static void mark_rows(struct tally *shown)
{
	sqlite3 *db = open_view(SQLITE_OPEN_READONLY);
	sqlite3_stmt *statement = NULL;
	cr_assert_eq(sqlite3_prepare_v2(db, "SELECT span_id FROM span", -1, &statement, NULL),
		SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		uint64_t number =
			strtoull((const char *)sqlite3_column_text(statement, 0), NULL, 16);
		uint8_t id[8];
		for (int i = 0; i < 8; i++)
			id[i] = (uint8_t)(number >> (56 - 8 * i));
		tally_mark_id(shown, (struct bytes){ id, sizeof(id) });
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void *run_load(void *job)
{
	cr_assert_eq(load_run(job), 0);
	return NULL;
}

/* A moment of load, ended by kill -9. */
static void run_round(struct load_job *job)
{
	pthread_t load;
	story_start(&story, NULL);
	job->port = story.daemon.port;
	job->first = job->report->next;
	cr_assert_eq(pthread_create(&load, NULL, run_load, job), 0);
	usleep(ALIVE_MS * 1000);
	daemon_kill(&story.daemon);
	pthread_join(load, NULL);

	char *verdict = ask("PRAGMA integrity_check");
	cr_expect_str_eq(verdict, "ok");
	free(verdict);
}

Test(local, kill_9_leaves_a_readable_file_and_a_restart_shows_all_that_was_acknowledged)
{
	struct tally *acknowledged = tally_new(CAPACITY), *shown = tally_new(CAPACITY);
	struct load_report *report = load_report_new();
	cr_assert(acknowledged && shown && report);
	struct load_job job = { .payload = PAYLOAD_SMALL,
		.connections = 8,
		.seed = 1,
		.spans = CAPACITY / ROUNDS,
		.spans_per_second = SPANS_PER_SECOND,
		.ends_with_server = true,
		.acknowledged = acknowledged,
		.report = report };
	fake_destination_forget_bodies(story.langfuse);
	fake_destination_forget_bodies(story.tempo);
	for (int round = 0; round < ROUNDS; round++)
		run_round(&job);
	cr_expect_geq(acknowledged->distinct, 1000);

	story_start(&story, NULL);
	wait_for_rows(acknowledged->distinct);
	story_stop(&story);
	mark_rows(shown);
	struct tally_difference difference = tally_compare(acknowledged, shown);
	cr_expect_eq(difference.lost, 0, "%llu of %llu", (unsigned long long)difference.lost,
		(unsigned long long)acknowledged->distinct);
	cr_expect_eq(difference.duplicated, 0);
	cr_expect_eq(shown->strangers, 0);
	tally_free(acknowledged);
	tally_free(shown);
	load_report_free(report);
}

Test(local, turned_off_it_makes_no_file)
{
	static const char *const settings[] = { "TOLLGATE_LOCAL_ENABLED=false", NULL };
	story_start(&story, settings);
	story_post_spans(&story, 0, 10);
	story_expect_each_once(story.tempo, 0, 10);
	story_stop(&story);
	cr_expect_neq(access(path, F_OK), 0);
}

Test(local, without_a_destination_spans_are_shown_and_the_log_says_so)
{
	char state[SCRATCH_PATH_MAX + 64];
	snprintf(state, sizeof(state), "TOLLGATE_STATE_DIRECTORY=%s/state", story.directory);
	const struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "serve", NULL },
		.environment = (const char *const[]){ state, "TOLLGATE_LISTEN=127.0.0.1:0", NULL },
		.directory = story.directory,
	};
	cr_assert_eq(daemon_start(&story.daemon, &start), 0);
	story_expect_log(&story, "event=no_destination why=\"spans are in the local view alone");
	story_post_spans(&story, 0, 10);
	wait_for_rows(10);
	story_stop(&story);
}

/* A log of a megabyte, and somebody who never lets the view write. */
Test(local, a_view_that_cannot_write_closes_no_door)
{
	static const char *const settings[] = { "TOLLGATE_SPOOL_MAX_BYTES=1MiB",
		"TOLLGATE_SPOOL_MAX_RECORD_BYTES=64KiB", "TOLLGATE_SPOOL_SEGMENT_BYTES=128KiB",
		"TOLLGATE_SPOOL_COMPRESSION=none", NULL };
	story_start(&story, settings);
	sqlite3 *other = open_view(SQLITE_OPEN_READWRITE);
	cr_assert_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (uint64_t first = 0; first < 2000; first += 100) {
		story_post_spans(&story, first, 100); /* each is answered 200 */
		story_expect_each_once(story.langfuse, first, 100);
		story_expect_each_once(story.tempo, first, 100);
	}
	story_expect_log(&story, "event=local_view_skipped");
	cr_assert_eq(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	wait_for_rows(1);
	story_stop(&story);
}
