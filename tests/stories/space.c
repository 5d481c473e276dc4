/* The log is full: who waits for whom, and what is given up for whom. */
#include "stories/story.h"

#include <stdlib.h>
#include <unistd.h>

enum { SPANS = 1000, MAX_TRIES = 150, TRY_AGAIN_US = 200000 };

static struct story story;
static uint64_t next;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(space, .init = begin, .fini = end, .timeout = 180);

/* A log of a megabyte in small pieces: two hundred requests are twice too many for it. */
static const char *const small_log[] = { "TOLLGATE_SPOOL_MAX_BYTES=1MiB",
	"TOLLGATE_SPOOL_MAX_RECORD_BYTES=64KiB", "TOLLGATE_SPOOL_SEGMENT_BYTES=128KiB",
	"TOLLGATE_SPOOL_COMPRESSION=none", "TOLLGATE_SPOOL_SILENCE_TIMEOUT_MS=500", NULL };

static const struct fake_answer unavailable = { .status = 503 };

static struct fake_answer always(const struct fake_request *request, void *answer)
{
	return *(const struct fake_answer *)answer;
}

/* The next five spans; false when the daemon has no room for them. */
static bool post_next(void)
{
	struct payload payload;
	cr_assert_eq(payload_init(&payload, PAYLOAD_TINY, next), 0);
	payload_stamp(&payload, payload.request.at, next);
	struct story_answer answer = story_post(&story, buf_bytes(&payload.request));
	cr_assert(answer.status == 200 || answer.status == 503, "%d", answer.status);
	cr_expect(answer.status == 200 || answer.retry_after_s > 0);
	next += answer.status == 200 ? payload.span_count : 0;
	payload_done(&payload);
	return answer.status == 200;
}

static void post_until(unsigned spans)
{
	for (unsigned tries = 0; next < spans; tries++) {
		if (post_next())
			tries = 0;
		else
			usleep(TRY_AGAIN_US);
		cr_assert_lt(tries, MAX_TRIES, "the doors stay closed");
	}
}

Test(space, a_destination_that_is_gone_gives_up_its_oldest_for_the_one_that_is_there)
{
	fake_destination_rule(story.tempo, always, (void *)&unavailable);
	story_start(&story, small_log);
	post_until(SPANS);
	story_expect_each_once(story.langfuse, 0, SPANS);
	story_expect_log(&story, "event=export_dropped destination=tempo");

	fake_destination_rule(story.tempo, NULL, NULL);
	/* The newest are still there for it. */
	story_expect_each_once(story.tempo, SPANS - 50, 50);
	cr_expect_lt(fake_destination_span_count(story.tempo), SPANS);
	story_stop(&story);
}

Test(space, destinations_that_were_gone_together_lose_nothing)
{
	fake_destination_rule(story.langfuse, always, (void *)&unavailable);
	fake_destination_rule(story.tempo, always, (void *)&unavailable);
	story_start(&story, small_log);
	while (post_next())
		cr_assert_lt(next, SPANS, "the log never fills");
	sleep(2); /* longer than the time after which a silent one would be missed */
	cr_expect_not(post_next(), "nothing was given up");

	fake_destination_rule(story.langfuse, fake_langfuse, STORY_AUTHORIZATION);
	fake_destination_rule(story.tempo, NULL, NULL);
	story_expect_each_once(story.langfuse, 0, (unsigned)next);
	story_expect_each_once(story.tempo, 0, (unsigned)next);
	story_stop(&story);
}
