/* The disk fails while the daemon runs: it says 503, never a false 200, and recovers by itself. */
#include "stories/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#define IS_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define IS_SANITIZED 0
#endif

enum { SPANS = 1000 };

static const char cannot_write[] = "the disk buffer cannot be written\n";

static struct story story;
static char control[SCRATCH_PATH_MAX + 16]; /* what tests/faults/failing_disk.c reads */
static bool is_acknowledged[SPANS];
static uint64_t next;

static void begin(void)
{
	if (IS_SANITIZED)
		cr_skip_test("the failing disk is preloaded; a sanitizer wants to be first");
	story_begin(&story);
	snprintf(control, sizeof(control), "%s/failure", story.directory);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(disk, .init = begin, .fini = end, .timeout = 120);

static void start_on_failing_disk(void)
{
	char preload[4096], variable[SCRATCH_PATH_MAX + 64];
	char *build = realpath(getenv("builddir") ? getenv("builddir") : ".", NULL);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s/tests/faults/failing_disk.so", build);
	snprintf(variable, sizeof(variable), "FAILING_DISK=%s", control);
	story_start(&story, (const char *const[]){ preload, variable, NULL });
	free(build);
}

/* Five new spans; their status. */
static struct story_answer post(void)
{
	struct payload payload;
	cr_assert_leq(next + 5, SPANS);
	cr_assert_eq(payload_init(&payload, PAYLOAD_TINY, next), 0);
	payload_stamp(&payload, payload.request.at, next);
	struct story_answer answer = story_post(&story, buf_bytes(&payload.request));
	for (unsigned i = 0; i < payload.span_count; i++)
		is_acknowledged[next + i] = answer.status == 200;
	next += payload.span_count;
	payload_done(&payload);
	return answer;
}

static void expect_acknowledged_once(struct fake_destination *destination)
{
	for (uint64_t i = 0; i < next; i++)
		if (is_acknowledged[i])
			story_expect_each_once(destination, i, 1);
}

/* Right after a request, while its failure is remembered. */
static void expect_readiness(int status, const char *why)
{
	char *line = NULL;
	cr_expect_eq(story_get(&story, "/readyz", &line), status);
	cr_expect_str_eq(line, why);
	free(line);
}

/*   why  what /readyz says meanwhile */
static void fail_and_recover(const char *failure, const char *why)
{
	start_on_failing_disk();
	for (int i = 0; i < 4; i++)
		cr_assert_eq(post().status, 200);
	expect_readiness(200, "ok\n");

	FILE *file = fopen(control, "we");
	cr_assert_not_null(file);
	fprintf(file, "%s\n", failure);
	fclose(file);
	for (int i = 0; i < 10; i++) {
		struct story_answer answer = post();
		cr_expect_eq(answer.status, 503);
		cr_expect_geq(answer.retry_after_s, 1);
		expect_readiness(503, why);
	}

	cr_assert_eq(unlink(control), 0);
	bool is_well = false;
	for (int i = 0; i < 100 && !is_well; i++) {
		is_well = post().status == 200;
		if (!is_well)
			usleep(100000);
	}
	cr_expect(is_well, "the daemon does not recover");
	expect_readiness(200, "ok\n");
	expect_acknowledged_once(story.langfuse);
	expect_acknowledged_once(story.tempo);
	/* A write that failed may be on the disk, so what was accepted is at least what was acknowledged. */
	cr_expect_geq(story_verify_sent(&story, "tempo", 0).delivered, 4 * 5);
	story_stop(&story);
}

Test(disk, a_write_fails)
{
	fail_and_recover("write 5", cannot_write);
}

Test(disk, a_write_stores_half_and_fails)
{
	fail_and_recover("torn 5", cannot_write);
}

Test(disk, a_sync_fails)
{
	fail_and_recover("sync 5", cannot_write);
}

Test(disk, the_disk_is_full)
{
	fail_and_recover("write 28", "the disk buffer is full\n");
}

Test(disk, what_is_acknowledged_after_a_failed_sync_outlives_kill_9)
{
	const struct fake_answer *unavailable = &(const struct fake_answer){ .status = 503 };
	start_on_failing_disk();
	for (int i = 0; i < 4; i++)
		cr_assert_eq(post().status, 200);
	/* Until the end nothing may leave but by way of the disk. */
	fake_destination_script(story.tempo, unavailable, 1);
	FILE *file = fopen(control, "we");
	cr_assert_not_null(file);
	fputs("sync 5\n", file);
	fclose(file);
	cr_expect_eq(post().status, 503);
	cr_assert_eq(unlink(control), 0);
	for (int i = 0; i < 50; i++) {
		post();
		usleep(20000);
	}
	daemon_kill(&story.daemon);

	story_start(&story, NULL);
	for (uint64_t i = 0; i < next; i++)
		for (unsigned waited = 0; is_acknowledged[i] && story_times(story.tempo, i) == 0;
			waited++) {
			cr_assert_lt(waited, 100, "span %llu is lost", (unsigned long long)i);
			fake_destination_wait_spans(story.tempo, SIZE_MAX, 100);
		}
}
