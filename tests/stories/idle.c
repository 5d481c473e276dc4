/* Half a minute without work; a program of its own, because it waits beside the others. */
#include "stories/story.h"

#include <stdio.h>

#include "bench/load.h"

enum { SPANS = 60000 };

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

static uint64_t state_bytes(void)
{
	char state[SCRATCH_PATH_MAX + 8];
	snprintf(state, sizeof(state), "%s/state", story.directory);
	return scratch_disk_bytes(state);
}

Test(idle, the_disk_is_given_back_down_to_64_mb, .init = begin, .fini = end, .timeout = 180)
{
	/* The view's file is bounded by a limit of its own. */
	static const char *const settings[] = { "TOLLGATE_SPOOL_COMPRESSION=none",
		"TOLLGATE_LOCAL_MAX_BYTES=1MiB", NULL };
	const uint64_t most = UINT64_C(64) << 20;
	const struct fake_answer unavailable = { .status = 503 };
	struct tally *acknowledged = tally_new(SPANS);
	struct load_report *report = load_report_new();
	cr_assert(acknowledged && report);
	fake_destination_forget_bodies(story.langfuse);
	fake_destination_forget_bodies(story.tempo);
	fake_destination_script(story.tempo, &unavailable, 1);
	story_start(&story, settings);
	struct load_job job = { .port = story.daemon.port,
		.payload = PAYLOAD_SMALL,
		.connections = 8,
		.seed = 1,
		.spans = SPANS,
		.acknowledged = acknowledged,
		.report = report };
	cr_assert_eq(load_run(&job), 0);
	uint64_t peak = state_bytes();
	cr_expect_gt(peak, most, "only %llu bytes were ever used", (unsigned long long)peak);
	cr_assert(fake_destination_wait_spans(story.langfuse, SPANS, STORY_PATIENCE_MS));
	cr_assert(fake_destination_wait_spans(story.tempo, SPANS, STORY_PATIENCE_MS));

	for (unsigned waited = 0; state_bytes() > most && waited < 900; waited++)
		fake_destination_wait_spans(story.tempo, SIZE_MAX, 100);
	cr_expect_leq(state_bytes(), most);
	tally_free(acknowledged);
	load_report_free(report);
}
