/* Several projects behind one gateway: each one's spans reach its own place in Langfuse, and nobody's trouble is another's. */
#include "stories/story.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/claude_logs.h"

enum { SPANS = 20, MAX_TRIES = 150, TRY_AGAIN_US = 200000 };

#define OWN STORY_AUTHORIZATION
#define TEAM_A "Basic cGstYTpzay1h"         /* pk-a:sk-a */
#define TEAM_A_NEW "Basic cGstYTpzay1hMg==" /* pk-a:sk-a2 */
#define TEAM_B "Basic cGstYjpzay1i"         /* pk-b:sk-b */

/* Spans are numbered from here on. */
static const struct project {
	const char *name, *authorization;
	uint64_t first;
} all[] = { { "langfuse", OWN, 0 }, { "langfuse/team-a", TEAM_A, 1000 },
	{ "langfuse/team-b", TEAM_B, 2000 } };
enum { DEFAULT, A, B, ALL };

static struct story story;
static char settings[1024];
static _Atomic(const char *) refused; /* an Authorization that Langfuse answers 401 */
static _Atomic bool is_away;

/* ---- the stage ---- */

static struct fake_answer langfuse(const struct fake_request *request, void *arg)
{
	const char *shown = fake_request_header(request, "Authorization"), *bad = refused;
	if (is_away)
		return (struct fake_answer){ .status = 503 };
	if (!shown || (bad && strcmp(shown, bad) == 0))
		return (struct fake_answer){ .status = 401 };
	return fake_langfuse(request, arg);
}

static void write_key(const char *key)
{
	char path[SCRATCH_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/a.secret", story.directory);
	FILE *file = fopen(path, "we");
	cr_assert(file && fchmod(fileno(file), 0600) == 0 && fputs(key, file) >= 0);
	cr_assert_eq(fclose(file), 0);
}

#define PROJECT_B "\"team-b\": { \"public_key\": \"pk-b\", \"secret_key\": \"sk-b\" }"

/* The settings of team-a with its secret in a file, and of the others. */
static void set_projects(const char *others)
{
	snprintf(settings, sizeof settings,
		"\"projects\": { \"team-a\": { \"public_key\": \"pk-a\", \"secret_key_file\": "
		"\"%s/a.secret\" }%s%s },",
		story.directory, *others ? ", " : "", others);
	story.further = settings;
}

static void begin(void)
{
	story_begin(&story);
	fake_destination_rule(story.langfuse, langfuse, NULL);
	write_key("sk-a");
	set_projects(PROJECT_B);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(projects, .init = begin, .fini = end, .timeout = 180);

/* ---- what is sent and what arrives ---- */

static void post(size_t project, unsigned from, unsigned spans)
{
	story.authorization = all[project].authorization;
	story_post_spans(&story, all[project].first + from, spans);
	story.authorization = NULL;
}

static void post_all(unsigned from, unsigned spans)
{
	for (size_t i = 0; i < ALL; i++)
		post(i, from, spans);
}

static void expect_at(struct fake_destination *destination, size_t project, unsigned spans)
{
	story_expect_each_once(destination, all[project].first, spans);
}

static bool holds(const struct fake_request *request, uint64_t number)
{
	uint8_t id[8];
	span_number_to_id(number, id);
	return memmem(request->body.at, request->body.len, id, sizeof id);
}

/* No request to Langfuse shows other keys than those of the project whose spans are in it. */
static void expect_own_keys(unsigned spans)
{
	size_t count = fake_destination_request_count(story.langfuse);
	for (size_t n = 0; n < count; n++) {
		const struct fake_request *request = fake_destination_request(story.langfuse, n);
		const char *shown = fake_request_header(request, "Authorization");
		for (size_t i = 0; i < ALL * spans; i++) {
			const struct project *project = &all[i / spans];
			if (holds(request, project->first + i % spans))
				cr_expect_str_eq(
					shown, project->authorization, "%s", project->name);
		}
	}
}

static void expect_books(const char *name, int64_t accepted, int64_t waiting)
{
	struct story_books books = story_verify_sent(&story, name, waiting);
	cr_expect_eq(books.accepted, accepted, "%s: %lld", name, (long long)books.accepted);
	cr_expect_eq(books.waiting, waiting, "%s: %lld wait", name, (long long)books.waiting);
	cr_expect_eq(books.delivered, accepted - waiting, "%s: %lld delivered", name,
		(long long)books.delivered);
}

static void expect_said(const char *command, const char *words)
{
	char *said;
	cr_assert_eq(story_command(&story, &said, command, NULL), 0, "%s", said);
	cr_expect(strstr(said, words), "%s: %s", words, said);
	free(said);
}

static void expect_no_secret_in_the_log(void)
{
	char *log = daemon_log(&story.daemon);
	cr_expect_null(strstr(log, "sk-"), "%s", log);
	free(log);
}

/* ---- the stories ---- */

Test(projects, each_ones_spans_arrive_with_its_keys_and_nowhere_else)
{
	char *page;
	story_start(&story, NULL);
	post_all(0, SPANS);
	for (size_t i = 0; i < ALL; i++) {
		expect_at(story.langfuse, i, SPANS);
		expect_at(story.tempo, i, SPANS);
		expect_books(all[i].name, SPANS, 0);
	}
	expect_books("tempo/team-a", SPANS, 0);
	expect_books("local/team-b", SPANS, 0);
	expect_own_keys(SPANS);
	cr_expect_eq(fake_destination_duplicate_count(story.langfuse), 0);

	expect_said("spool", "langfuse/team-a");
	expect_said("verify", "langfuse/team-b: adds up\n");
	cr_assert_eq(story_get(&story, "/metrics", &page), 200);
	cr_expect(strstr(page,
			  "tollgate_lane_exported_spans_total{destination=\"langfuse\","
			  "lane=\"team-a\"} 20\n"),
		"%s", page);
	free(page);
	story_stop(&story);
	expect_no_secret_in_the_log();
}

/* What stands between two: a wrong half of a pair lets nobody in, and nothing of it goes anywhere. */
Test(projects, keys_that_belong_to_nobody_get_nothing_in)
{
	static const char *const wrong[] = { "Basic cGstYTpzay1i" /* pk-a:sk-b */,
		"Basic cGstYTo=" /* pk-a: */, "Basic cGstYTpzay0=" /* pk-a:sk- */,
		"Basic cGstYzpzay1j" /* pk-c:sk-c */, "Bearer pk-a" };
	struct payload payload;
	story_start(&story, NULL);
	cr_assert_eq(payload_init(&payload, PAYLOAD_TINY, 0), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		story.authorization = wrong[i];
		cr_expect_eq(story_post(&story, buf_bytes(&payload.request)).status, 401, "%s",
			wrong[i]);
	}
	payload_done(&payload);
	expect_books("langfuse/team-a", 0, 0);
	story_stop(&story);
	cr_expect_eq(fake_destination_request_count(story.langfuse), 0);
	cr_expect_eq(fake_destination_request_count(story.tempo), 0);
}

Test(projects, one_whose_keys_are_refused_is_held_alone_until_it_has_others)
{
	refused = TEAM_A;
	story_start(&story, NULL);
	post_all(0, SPANS);
	expect_at(story.langfuse, DEFAULT, SPANS);
	expect_at(story.langfuse, B, SPANS);
	for (size_t i = 0; i < ALL; i++)
		expect_at(story.tempo, i, SPANS);
	story_expect_log(&story, "event=export_held destination=langfuse lane=team-a ");
	expect_books("langfuse/team-a", SPANS, SPANS);
	expect_books("langfuse/team-b", SPANS, 0);
	expect_said("spool", "langfuse/team-a is held for ");
	post(B, SPANS, SPANS);
	expect_at(story.langfuse, B, 2 * SPANS);

	daemon_kill(&story.daemon);
	story_start(&story, NULL);
	story_expect_log(&story, "event=export_held destination=langfuse lane=team-a ");
	expect_books("langfuse/team-a", SPANS, SPANS);
	write_key("sk-a2");
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, "event=reloaded changed=projects.team-a.secret_key ");
	expect_at(story.langfuse, A, SPANS);
	size_t last = fake_destination_request_count(story.langfuse) - 1;
	cr_expect_str_eq(fake_request_header(
				 fake_destination_request(story.langfuse, last), "Authorization"),
		TEAM_A_NEW);
	expect_books("langfuse/team-a", SPANS, 0);
	story_stop(&story);
	expect_no_secret_in_the_log();
}

Test(projects, a_crash_loses_nothing_and_mixes_nothing)
{
	is_away = true;
	story_start(&story, NULL);
	for (unsigned round = 0; round < 3; round++) {
		post_all(round * SPANS, SPANS);
		daemon_kill(&story.daemon);
		story_start(&story, NULL);
	}
	for (size_t i = 0; i < ALL; i++)
		expect_books(all[i].name, 3 * SPANS, 3 * SPANS);
	is_away = false;
	for (size_t i = 0; i < ALL; i++) {
		expect_at(story.langfuse, i, 3 * SPANS);
		expect_books(all[i].name, 3 * SPANS, 0);
	}
	expect_own_keys(3 * SPANS);
	story_stop(&story);
}

Test(projects, one_that_is_taken_out_leaves_nothing_behind_in_silence)
{
	refused = TEAM_B;
	story_start(&story, NULL);
	post_all(0, SPANS);
	expect_at(story.langfuse, A, SPANS);
	story_expect_log(&story, "event=export_held destination=langfuse lane=team-b ");
	set_projects("");
	story_stop(&story);

	refused = NULL;
	story_start(&story, NULL);
	story_expect_log(
		&story, "event=lane_left_behind destination=langfuse lane=team-b spans=20 ");
	expect_said("spool", "its project is not configured any more");
	expect_books("langfuse/team-b", SPANS, SPANS);
	set_projects(
		PROJECT_B ", \"team-c\": { \"public_key\": \"pk-c\", \"secret_key\": \"sk-c\" }");
	story_stop(&story);

	story_start(&story, NULL);
	expect_at(story.langfuse, B, SPANS);
	expect_own_keys(SPANS);
	expect_books("langfuse/team-b", SPANS, 0);
	story_stop(&story);
}

/* Requests of five spans, each until there is room for it. */
static void press_in(size_t project, unsigned spans)
{
	struct payload payload;
	unsigned sent = 0;
	cr_assert_eq(payload_init(&payload, PAYLOAD_TINY, all[project].first), 0);
	story.authorization = all[project].authorization;
	for (unsigned tries = 0; sent < spans; tries++) {
		cr_assert_lt(tries, MAX_TRIES, "the doors stay closed");
		payload_stamp(&payload, payload.request.at, all[project].first + sent);
		if (story_post(&story, buf_bytes(&payload.request)).status == 200) {
			sent += payload.span_count;
			tries = 0;
		} else {
			usleep(TRY_AGAIN_US);
		}
	}
	story.authorization = NULL;
	payload_done(&payload);
}

/* Nobody else has them, and still: what one project's keys hold up must not close the doors for another. */
Test(projects, one_that_is_shut_out_gives_up_its_oldest_for_the_others)
{
	static const char *const small_log[] = { "TOLLGATE_SPOOL_MAX_BYTES=1MiB",
		"TOLLGATE_SPOOL_MAX_RECORD_BYTES=64KiB", "TOLLGATE_SPOOL_SEGMENT_BYTES=128KiB",
		"TOLLGATE_SPOOL_COMPRESSION=none", "TOLLGATE_SPOOL_SILENCE_TIMEOUT_MS=500", NULL };
	story.is_tempo_off = true;
	refused = TEAM_A;
	story_start(&story, small_log);
	post(A, 0, SPANS);
	press_in(B, 1000); /* twice too many for the log */
	expect_at(story.langfuse, B, 1000);
	story_expect_log(&story, "event=export_dropped destination=langfuse lane=team-a spans=20 ");
	struct story_books books = story_verify_sent(&story, "langfuse/team-a", 0);
	cr_expect_eq(books.dropped, SPANS);
	expect_books("langfuse/team-b", 1000, 0);
	story_stop(&story);
}

/* Which there are is settled at the start; what waits for one that goes still has its keys. */
Test(projects, one_that_comes_or_goes_while_the_daemon_runs_waits_for_a_restart)
{
	is_away = true;
	story_start(&story, NULL);
	post_all(0, SPANS);
	set_projects("\"team-c\": { \"public_key\": \"pk-c\", \"secret_key\": \"sk-c\" }");
	story_configure(&story);
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, "event=setting_needs_restart name=projects.team-c");
	story_expect_log(&story, "event=setting_needs_restart name=projects.team-b");
	is_away = false;
	for (size_t i = 0; i < ALL; i++)
		expect_at(story.langfuse, i, SPANS);
	expect_own_keys(SPANS);
	story_stop(&story);
}

/* One session, told to two projects. */
static void post_session(size_t project)
{
	const struct claude_turn turn = { .session = "1b2c3d4e-0000-4000-8000-000000000001",
		.prompt = "p1",
		.at_ns = UINT64_C(1790000000000000000),
		.calls = 3,
		.has_prompt = true };
	struct bytes logs = claude_turn_logs(&turn);
	story.authorization = all[project].authorization;
	cr_assert_eq(
		story_send(&story, "/v1/logs", "application/x-protobuf", NULL, logs).status, 200);
	story.authorization = NULL;
	free((void *)logs.at);
}

static size_t spans_with(const char *authorization)
{
	size_t spans = 0, count = fake_destination_request_count(story.langfuse);
	for (size_t n = 0; n < count; n++) {
		const struct fake_request *request = fake_destination_request(story.langfuse, n);
		if (strcmp(fake_request_header(request, "Authorization"), authorization) == 0)
			spans += request->span_count;
	}
	return spans;
}

Test(projects, the_same_session_in_two_of_them_is_two)
{
	static const char *const soon[] = { "TOLLGATE_SESSIONS_TURN_IDLE_MS=300",
		"TOLLGATE_SESSIONS_TURN_END=heuristic", NULL };
	story_start(&story, soon);
	post_session(A);
	post_session(B);
	for (unsigned tries = 0; tries < 200 && (spans_with(TEAM_A) < 6 || spans_with(TEAM_B) < 6);
		tries++)
		usleep(100 * 1000);
	cr_expect_eq(spans_with(TEAM_A), 6, "%zu", spans_with(TEAM_A));
	cr_expect_eq(spans_with(TEAM_B), 6, "%zu", spans_with(TEAM_B));
	cr_expect_eq(spans_with(OWN), 0);
	story_stop(&story);
}
