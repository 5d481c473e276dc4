/* The door under load, at the end of its life, and with many clients at once. */
#include "stories/story.h"

#include <errno.h>

#include "bench/load.h"

static struct story story;
static struct tally *acknowledged;
static struct load_report *report;

enum { CAPACITY = 1000000 };

static void begin(void)
{
	story_begin(&story);
	acknowledged = tally_new(CAPACITY);
	report = load_report_new();
	cr_assert(acknowledged && report);
}

static void end(void)
{
	story_end(&story);
	tally_free(acknowledged);
	load_report_free(report);
}

TestSuite(doors, .init = begin, .fini = end, .timeout = 120);

static struct load_job job_of(unsigned connections, uint64_t spans)
{
	return (struct load_job){ .port = story.daemon.port,
		.payload = PAYLOAD_TINY,
		.connections = connections,
		.seed = 1,
		.spans = spans,
		.acknowledged = acknowledged,
		.report = report };
}

/* Every span that was acknowledged is there, once. */
static void expect_acknowledged_once(struct fake_destination *destination)
{
	cr_assert(fake_destination_wait_spans(
		destination, acknowledged->distinct, STORY_PATIENCE_MS));
	for (uint64_t i = 0; i < report->next; i++) {
		if (!acknowledged->times[i])
			continue;
		for (unsigned waited = 0; story_times(destination, i) == 0 && waited < 100;
			waited++)
			fake_destination_wait_spans(destination, SIZE_MAX, 100);
		cr_assert_eq(story_times(destination, i), 1, "span %llu arrived %zu times",
			(unsigned long long)i, story_times(destination, i));
	}
}

Test(doors, what_was_acknowledged_before_sigterm_is_delivered_once)
{
	struct child load;
	story_start(&story, NULL);
	struct load_job job = job_of(16, CAPACITY);
	job.ends_with_server = true;
	cr_assert_eq(child_start(&load, load_child, &job), 0);
	while (report->requests < 200)
		cr_assert_eq(child_wait(&load, 5), -ETIMEDOUT);
	story_stop(&story);
	cr_assert_eq(child_wait(&load, STORY_PATIENCE_MS), 0);
	cr_expect_eq(report->failed, 0);

	story_start(&story, NULL);
	expect_acknowledged_once(story.langfuse);
	expect_acknowledged_once(story.tempo);
}

/* libmicrohttpd's epoll mode hangs when a multiple of 128 connections become ready at once. */
static void post_at_once(unsigned connections)
{
	story_start(&story, NULL);
	struct load_job job = job_of(connections, connections * 5);
	cr_assert_eq(load_run(&job), 0);
	cr_expect_eq(acknowledged->distinct, connections * 5);
	cr_expect_eq(report->failed, 0);
	expect_acknowledged_once(story.tempo);
}

Test(doors, a_hundred_and_twenty_eight_clients_at_once)
{
	post_at_once(128);
}

Test(doors, two_hundred_and_fifty_six_clients_at_once)
{
	post_at_once(256);
}

Test(doors, five_hundred_and_twelve_clients_at_once)
{
	post_at_once(512);
}
