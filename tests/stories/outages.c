/* Destinations fail in every way they know: the other one is not held up, and both end with everything. */
#include "stories/story.h"

#include <stdlib.h>
#include <string.h>

enum { SPANS = 100 };

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(outages, .init = begin, .fini = end, .timeout = 180);

static struct fake_answer always(const struct fake_request *request, void *answer)
{
	return *(const struct fake_answer *)answer;
}

/*
 * Tempo answers in one way while a hundred spans come, then takes everything.
 */
static void live_through(const struct fake_answer *trouble)
{
	fake_destination_rule(story.tempo, always, (void *)trouble);
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	story_expect_each_once(story.langfuse, 0, SPANS);
	cr_assert(fake_destination_wait_requests(story.tempo, 1, STORY_PATIENCE_MS));
	cr_expect_eq(fake_destination_span_count(story.tempo), 0);

	fake_destination_rule(story.tempo, NULL, NULL);
	story_expect_each_once(story.tempo, 0, SPANS);
	story_stop(&story);
	cr_expect_eq(fake_destination_duplicate_count(story.langfuse), 0);
}

Test(outages, tempo_answers_503)
{
	live_through(&(struct fake_answer){ .status = 503 });
}

Test(outages, tempo_answers_500)
{
	live_through(&(struct fake_answer){ .status = 500 });
}

Test(outages, tempo_answers_429)
{
	live_through(&(struct fake_answer){ .status = 429, .retry_after = "1" });
}

Test(outages, tempo_closes_the_connection_instead_of_answering)
{
	live_through(&(struct fake_answer){ .status = 503, .is_cut = true });
}

/* A person has to mend the key and to restart; until then nothing is given up, and it is said. */
Test(outages, tempo_wants_another_key)
{
	const struct fake_answer refusal = { .status = 401 };
	fake_destination_rule(story.tempo, always, (void *)&refusal);
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	story_expect_each_once(story.langfuse, 0, SPANS);
	story_expect_log(&story, "event=export_held destination=tempo");
	story_stop(&story);
	cr_expect_eq(fake_destination_span_count(story.tempo), 0);

	fake_destination_rule(story.tempo, NULL, NULL);
	story_start(&story, NULL);
	story_expect_each_once(story.tempo, 0, SPANS);
	cr_expect_eq(fake_destination_duplicate_count(story.langfuse), 0);
}

Test(outages, nothing_listens_at_tempo)
{
	uint16_t port = fake_destination_port(story.tempo);
	story_start(&story, NULL);
	fake_destination_stop(story.tempo);
	story_post_spans(&story, 0, SPANS);
	story_expect_each_once(story.langfuse, 0, SPANS);
	story.tempo = fake_destination_start(port);
	story_expect_each_once(story.tempo, 0, SPANS);
}

static struct fake_answer small_ones_only(const struct fake_request *request, void *unused)
{
	return (struct fake_answer){ .status = request->span_count > 3 ? 413 : 200 };
}

Test(outages, what_is_too_large_is_split_until_it_fits)
{
	fake_destination_rule(story.tempo, small_ones_only, NULL);
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	story_expect_each_once(story.langfuse, 0, SPANS);
	story_expect_each_once(story.tempo, 0, SPANS);
}

static struct fake_answer all_but_one(const struct fake_request *request, void *id)
{
	bool is_in = memmem(request->body.at, request->body.len, id, 8) != NULL;
	return (struct fake_answer){ .status = is_in ? 400 : 200 };
}

Test(outages, one_span_that_is_refused_for_ever_is_set_aside_alone)
{
	uint8_t id[8];
	/* Not the first of its request, whose id the others name as their parent. */
	span_number_to_id(42, id);
	fake_destination_rule(story.tempo, all_but_one, id);
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	story_expect_each_once(story.langfuse, 0, SPANS);
	story_expect_each_once(story.tempo, 0, 42);
	story_expect_each_once(story.tempo, 43, SPANS - 43);
	cr_expect_eq(story_times(story.tempo, 42), 0);
	story_stop(&story);
}

Test(outages, a_backlog_outlives_a_restart)
{
	const struct fake_answer unavailable = { .status = 503 };
	fake_destination_rule(story.langfuse, always, (void *)&unavailable);
	fake_destination_rule(story.tempo, always, (void *)&unavailable);
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	story_stop(&story);

	fake_destination_rule(story.langfuse, fake_langfuse, STORY_AUTHORIZATION);
	fake_destination_rule(story.tempo, NULL, NULL);
	story_start(&story, NULL);
	story_post_spans(&story, SPANS, 5);
	story_expect_each_once(story.langfuse, 0, SPANS + 5);
	story_expect_each_once(story.tempo, 0, SPANS + 5);
}

Test(outages, what_was_delivered_is_not_sent_again_after_a_restart)
{
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	story_expect_each_once(story.langfuse, 0, SPANS);
	story_expect_each_once(story.tempo, 0, SPANS);
	story_stop(&story);
	story_start(&story, NULL);
	story_post_spans(&story, SPANS, 5);
	story_expect_each_once(story.langfuse, 0, SPANS + 5);
	story_expect_each_once(story.tempo, 0, SPANS + 5);
}
