/* Dead letters in the hands of a person: seen, sent again, written to files, given up. */
#include "stories/story.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPANS = 20 };

static struct story story;
static uint64_t poison[2] = { 7, 13 };

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(dead, .init = begin, .fini = end, .timeout = 120);

static struct fake_answer without_poison(const struct fake_request *request, void *unused)
{
	bool is_in = false;
	for (size_t i = 0; i < sizeof poison / sizeof *poison; i++) {
		uint8_t id[8];
		span_number_to_id(poison[i], id);
		is_in = is_in || memmem(request->body.at, request->body.len, id, 8);
	}
	return (struct fake_answer){ .status = is_in ? 400 : 200 };
}

static struct fake_answer always(const struct fake_request *request, void *answer)
{
	return *(const struct fake_answer *)answer;
}

/* Two spans are refused by tempo, and known to be. */
static void refuse_two(void)
{
	fake_destination_rule(story.tempo, without_poison, NULL);
	story_start(&story, NULL);
	story_post_spans(&story, 0, SPANS);
	for (unsigned tries = 0; story_verify(&story, "tempo").dead < 2; tries++) {
		cr_assert_lt(tries, 100);
		usleep(100 * 1000);
	}
}

/* The id of the nth letter of the list. */
static char *letter(size_t n)
{
	char *said;
	cr_assert_eq(story_command(&story, &said, "spool", "dead", "list", "--json", NULL), 0);
	json_t *answer = json_loads(said, 0, NULL);
	const char *id = json_string_value(
		json_object_get(json_array_get(json_object_get(answer, "letters"), n), "id"));
	cr_assert(id, "%s", said);
	char *copy = strdup(id);
	json_decref(answer);
	free(said);
	return copy;
}

static void expect_dead(int64_t dead, int64_t delivered, int64_t dropped)
{
	struct story_books books = story_verify(&story, "tempo");
	cr_expect_eq(books.dead, dead, "%lld dead", (long long)books.dead);
	cr_expect_eq(books.delivered, delivered, "%lld delivered", (long long)books.delivered);
	cr_expect_eq(books.dropped, dropped, "%lld dropped", (long long)books.dropped);
}

static void expect_said(const char *said, const char *wanted)
{
	cr_expect(strstr(said, wanted), "'%s' is not in:\n%s", wanted, said);
}

static void expect_narrow(const char *said)
{
	size_t columns = 0;
	for (const char *at = said; *at; at++) {
		columns = *at == '\n' ? 0 : columns + ((*at & 0xc0) != 0x80);
		cr_expect_leq(columns, 80, "%s", said);
	}
}

Test(dead, they_are_listed_and_shown)
{
	char *said, *id;
	uint8_t span[8];
	char hex[17];
	refuse_two();
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "list", NULL), 0);
	expect_narrow(said);
	expect_said(said, "letter");
	expect_said(said, "refused as malformed");
	expect_said(said, "400");
	free(said);

	id = letter(0);
	cr_expect_eq(strncmp(id, "tempo/", 6), 0);
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "show", id, NULL), 0);
	span_number_to_id(poison[0], span);
	for (size_t i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", span[i]);
	expect_narrow(said);
	expect_said(said, id);
	expect_said(said, "400, refused as malformed");
	expect_said(said, hex);
	cr_expect_null(strstr(said, "gen_ai"));
	free(said);
	cr_expect_eq(
		story_command(&story, &said, "spool", "dead", "show", id, "--content", NULL), 0);
	expect_narrow(said);
	expect_said(said, "gen_ai");
	free(said);
	free(id);

	cr_expect_eq(story_command(&story, &said, "spool", NULL), 0);
	expect_narrow(said);
	expect_said(said, "tempo");
	free(said);
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "list", "--destination",
			     "langfuse", NULL),
		0);
	cr_expect_str_eq(said, "No dead letters.\n");
	free(said);
}

Test(dead, what_is_sent_again_is_delivered_or_stays)
{
	char *said, *id;
	refuse_two();
	id = letter(0);
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "retry", id, NULL), 1);
	expect_said(said, "kept: 400, refused as malformed");
	expect_said(said, "1 letter: 0 delivered, 1 kept");
	free(said);
	expect_dead(2, SPANS - 2, 0);

	fake_destination_rule(story.tempo, NULL, NULL); /* mended */
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "retry", id, NULL), 0);
	expect_said(said, "1 letter delivered");
	free(said);
	expect_dead(1, SPANS - 1, 0);
	cr_expect_eq(story_times(story.tempo, poison[0]), 1);
	cr_expect_eq(story_times(story.tempo, poison[1]), 0);
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "retry", id, NULL), 1);
	expect_said(said, "there is no dead letter");
	free(said);

	cr_expect_eq(story_command(&story, &said, "spool", "dead", "retry", "--destination",
			     "tempo", "--reason", "malformed", NULL),
		0);
	free(said);
	expect_dead(0, SPANS, 0);
	cr_expect_eq(story_times(story.tempo, poison[1]), 1);
	free(id);
	story_stop(&story);
	story_start(&story, NULL);
	expect_dead(0, SPANS, 0);
}

Test(dead, nothing_is_tried_on_and_on_where_nobody_takes_anything)
{
	static const struct fake_answer unavailable = { .status = 503 };
	char *said;
	refuse_two();
	poison[0] = SPANS + 7; /* two more */
	poison[1] = SPANS + 13;
	story_post_spans(&story, SPANS, SPANS);
	for (unsigned tries = 0; story_verify(&story, "tempo").dead < 4; tries++) {
		cr_assert_lt(tries, 100);
		usleep(100 * 1000);
	}
	fake_destination_rule(story.tempo, always, (void *)&unavailable);
	size_t before = fake_destination_request_count(story.tempo);
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "retry", "--all", NULL), 1);
	expect_said(said, "stopped; 1 more were not tried");
	expect_said(said, "3 letters: 0 delivered, 3 kept");
	free(said);
	cr_expect_eq(fake_destination_request_count(story.tempo) - before, 3);
	cr_expect_eq(story_verify(&story, "tempo").dead, 4);
}

Test(dead, what_is_dropped_is_gone_and_booked)
{
	char *said, *id;
	refuse_two();
	id = letter(1);
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "drop", id, NULL), 2);
	expect_said(said, "say --yes");
	free(said);
	expect_dead(2, SPANS - 2, 0);
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "drop", id, "--yes", NULL), 0);
	expect_said(said, "1 letter dropped");
	free(said);
	expect_dead(1, SPANS - 2, 1);
	cr_expect_eq(
		story_command(&story, &said, "spool", "dead", "drop", "--all", "--yes", NULL), 0);
	free(said);
	expect_dead(0, SPANS - 2, 2);
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "list", NULL), 0);
	cr_expect_str_eq(said, "No dead letters.\n");
	free(said);
	free(id);
}

Test(dead, exported_letters_can_be_sent_once_more)
{
	char *said, folder[SCRATCH_PATH_MAX + 16], url[64];
	refuse_two();
	snprintf(folder, sizeof folder, "%s/letters", story.directory);
	snprintf(url, sizeof url, "http://127.0.0.1:%d", story.daemon.port);
	cr_expect_eq(
		story_command(&story, &said, "spool", "dead", "export", folder, "--all", NULL), 0);
	expect_said(said, "2 letters written to");
	free(said);
	cr_expect_eq(story_command(&story, &said, "spool", "dead", "export", folder, "--all", NULL),
		1, "nothing is written over");
	free(said);
	expect_dead(2, SPANS - 2, 0);

	fake_destination_rule(story.tempo, NULL, NULL);
	cr_expect_eq(
		story_command(&story, &said, "send", folder, "--to", url, NULL), 0, "%s", said);
	expect_said(said, "2 taken");
	free(said);
	cr_assert(fake_destination_wait_spans(story.tempo, SPANS, STORY_PATIENCE_MS));
	cr_expect_eq(story_times(story.tempo, poison[0]), 1);
	cr_expect_eq(story_times(story.tempo, poison[1]), 1);
}

Test(dead, mistakes_are_told_in_one_line)
{
	static const struct {
		const char *arguments[3], *wanted;
		int status;
	} cases[] = {
		{ { "dead" }, "spool dead needs list, show, retry, drop or export", 2 },
		{ { "ded" }, "spool does not know ded; the nearest is dead", 2 },
		{ { "dead", "lst" }, "spool dead does not know lst; the nearest is list", 2 },
		{ { "dead", "show" }, "spool dead show needs one LETTER", 2 },
		{ { "dead", "show", "nonsense" }, "nonsense is no id of a dead letter", 2 },
		{ { "dead", "show", "tempo/1-0" }, "there is no dead letter tempo/1-0", 1 },
		{ { "dead", "retry" }, "name dead letters, or choose them by", 2 },
		{ { "dead", "export" }, "spool dead export needs a DIR", 2 },
		{ { "dead", "list", "tempo/1-0" }, "spool dead list does not take tempo/1-0", 2 },
	};
	story_start(&story, NULL);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *said;
		const char *const *arguments = cases[i].arguments;
		cr_expect_eq(story_command(&story, &said, "spool", arguments[0], arguments[1],
				     arguments[1] ? arguments[2] : NULL, NULL),
			cases[i].status);
		expect_said(said, cases[i].wanted);
		cr_expect_eq(strchr(said, '\n'), said + strlen(said) - 1, "%s", said);
		free(said);
	}
}
