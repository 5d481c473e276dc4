/*
 * Each hop at tools and destinations, broken in a whole daemon's surroundings: doctor names it, with what mends it, and
 * nothing else.
 */
#include "stories/story.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/tls_peer.h"

enum { TEXT_MAX = 4096, PROGRAM_PATH_MAX = PATH_MAX + 16, FINDINGS_MAX = 8 };

static struct story story;
static char home[SCRATCH_PATH_MAX];

static void begin(void)
{
	/* Doctor is run in other directories. */
	char builddir[PATH_MAX];
	const char *given = getenv("builddir");
	cr_assert_not_null(realpath(given ? given : ".", builddir));
	setenv("builddir", builddir, 1);
	story_begin(&story);
	cr_assert_eq(scratch_make(home), 0);
}

static void end(void)
{
	story_end(&story);
	scratch_remove(home);
}

TestSuite(doctor_hops, .init = begin, .fini = end, .timeout = 120);

/* ---- the daemon ---- */

static const char *config_path(const char *name)
{
	static char path[SCRATCH_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", story.directory, name);
	return path;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	cr_assert(file, "%s", path);
	cr_assert_eq(fchmod(fileno(file), 0600), 0);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
}

__attribute__((format(printf, 2, 3))) static void configure(
	const char *name, const char *destinations, ...)
{
	char text[TEXT_MAX], whole[2 * TEXT_MAX];
	va_list list;
	va_start(list, destinations);
	vsnprintf(text, sizeof text, destinations, list);
	va_end(list);
	snprintf(whole, sizeof whole,
		"{ \"listen\": \"127.0.0.1:0\", \"state_directory\": \"%s/state\",\n"
		"  \"shutdown_timeout_ms\": 2000, \"sessions\": { \"join_wait_ms\": 200 },\n%s }\n",
		story.directory, text);
	write_file(config_path(name), whole);
}

#define LANGFUSE \
	"\"langfuse\": { \"type\": \"langfuse\", \"endpoint\": \"%s%s\",\n" \
	"  \"public_key\": \"" STORY_PUBLIC_KEY "\", \"secret_key\": \"" STORY_SECRET_KEY "\",\n" \
	"  \"batch_timeout_ms\": 10, \"retry_initial_ms\": 20, \"retry_max_ms\": 200 }"
#define TEMPO \
	"\"tempo\": { \"type\": \"otlp\", \"endpoint\": \"%s\", \"batch_timeout_ms\": 10,\n" \
	"  \"retry_initial_ms\": 20, \"retry_max_ms\": 200, %s \"enabled\": true }"

/* Both, of which the first has so much behind its address. */
static void configure_both(const char *path)
{
	configure("config.json", "\"destinations\": { " LANGFUSE ",\n " TEMPO " }",
		fake_destination_url(story.langfuse), path, fake_destination_url(story.tempo), "");
}

static void configure_tempo(const char *url, const char *further)
{
	configure("config.json", "\"destinations\": { " TEMPO " }", url, further);
}

static void start(void)
{
	const struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "serve", "--config",
			config_path("config.json"), NULL },
		.environment = (const char *const[]){ NULL },
		.directory = story.directory,
	};
	cr_assert_eq(daemon_start(&story.daemon, &start), 0, "%s", daemon_log(&story.daemon));
}

/* ---- what doctor says ---- */

struct diagnosis {
	int status; /* of the exit */
	json_t *answer, *findings;
};

/*   variable  one more for its environment; NULL: none */
static struct diagnosis ask_doctor(const char *config, const char *variable, const char *flag)
{
	char state[SCRATCH_PATH_MAX + 48], directory[SCRATCH_PATH_MAX];
	struct daemon child;
	cr_assert_eq(scratch_make(directory), 0); /* for its log */
	snprintf(state, sizeof state, "TOLLGATE_STATE_DIRECTORY=%s/state", story.directory);
	const struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "doctor", "--json",
			"--config", config_path(config), "--home", home, flag, NULL },
		.environment = (const char *const[]){ state, "LC_ALL=C.UTF-8", variable, NULL },
		.directory = directory,
	};
	cr_assert_eq(daemon_spawn(&child, &start), 0);
	struct diagnosis diagnosis = { .status = child_wait(&child.child, DAEMON_START_MS) };
	char *said = daemon_log(&child);
	diagnosis.answer = json_loads(said, 0, NULL);
	cr_assert(diagnosis.answer, "doctor ends with %d: %s", diagnosis.status, said);
	diagnosis.findings = json_object_get(diagnosis.answer, "findings");
	free(said);
	child_kill(&child.child);
	scratch_remove(directory);
	return diagnosis;
}

static const char *text_of(const json_t *finding, const char *key)
{
	return json_string_value(json_object_get(finding, key));
}

/* One finding, and what has to be in its words. */
struct expected {
	const char *name, *about, *what, *mend;
};

static void expect_of(struct diagnosis diagnosis, const struct expected *expected)
{
	char *all = json_dumps(diagnosis.findings, JSON_INDENT(2));
	const json_t *finding = json_array_get(diagnosis.findings, 0);
	if (!expected) {
		cr_expect_eq(json_array_size(diagnosis.findings), 0, "%s", all);
		cr_expect_eq(diagnosis.status, 0);
	} else {
		cr_assert_eq(json_array_size(diagnosis.findings), 1, "%s is not alone: %s",
			expected->name, all);
		cr_expect_str_eq(text_of(finding, "name"), expected->name, "%s", all);
		cr_expect_str_eq(text_of(finding, "about"), expected->about, "%s", all);
		cr_expect(strstr(text_of(finding, "what"), expected->what), "%s", all);
		cr_expect(strstr(text_of(finding, "mend"), expected->mend), "%s", all);
		cr_expect(!strstr(all, STORY_SECRET_KEY), "%s", all);
	}
	free(all);
	json_decref(diagnosis.answer);
}

static void expect(const char *name, const char *about, const char *what, const char *mend)
{
	expect_of(ask_doctor("config.json", NULL, NULL),
		&(struct expected){ name, about, what, mend });
}

static void expect_nothing(void)
{
	expect_of(ask_doctor("config.json", NULL, NULL), NULL);
}

/* Until the daemon has met what doctor shall see. */
static void expect_soon(const char *name, const char *about, const char *what, const char *mend)
{
	for (unsigned tries = 0; tries < 200; tries++) {
		struct diagnosis diagnosis = ask_doctor("config.json", NULL, NULL);
		size_t count = json_array_size(diagnosis.findings);
		json_decref(diagnosis.answer);
		if (count > 0)
			break;
		usleep(50 * 1000);
	}
	expect(name, about, what, mend);
}

static struct fake_answer always(const struct fake_request *request, void *answer)
{
	return *(const struct fake_answer *)answer;
}

/* ---- destinations ---- */

Test(doctor_hops, where_all_is_well_nothing_is_found)
{
	configure_both("");
	start();
	story_post_spans(&story, 0, 10);
	story_expect_each_once(story.langfuse, 0, 10);
	story_expect_each_once(story.tempo, 0, 10);
	expect_nothing();
}

Test(doctor_hops, without_a_destination_there_is_the_local_view_alone)
{
	configure("config.json", "\"destinations\": { }");
	start();
	expect("no-destination", "destinations", "destination", "LANGFUSE_PUBLIC_KEY");
}

Test(doctor_hops, a_destination_that_is_the_daemons_own_door)
{
	char own[64];
	configure_both("");
	start();
	snprintf(own, sizeof own, "http://127.0.0.1:%d", story.daemon.port);
	configure_tempo(own, "");
	struct diagnosis diagnosis = ask_doctor("config.json", NULL, NULL);
	expect_of(diagnosis,
		&(struct expected){ "ourselves", "tempo", own, "Set the destination's endpoint" });
}

Test(doctor_hops, a_base_url_with_more_than_the_host)
{
	char mend[128];
	configure_both("/project/clx/traces");
	start();
	snprintf(mend, sizeof mend, "config.json:3) to \"%s\"",
		fake_destination_url(story.langfuse));
	expect("base-url-path", "langfuse", "404", mend);
}

Test(doctor_hops, a_base_url_where_a_page_answers)
{
	const struct fake_answer page = { .status = 200,
		.content_type = "text/html",
		.body = BYTES("\n<!DOCTYPE html><title>Grafana</title>") };
	fake_destination_rule(story.langfuse, always, (void *)&page);
	configure_both("");
	start();
	expect("base-url-path", "langfuse", "200 with a page", "Langfuse's own page");
}

Test(doctor_hops, keys_that_langfuse_does_not_know)
{
	fake_destination_rule(story.langfuse, fake_langfuse, "Basic b3RoZXI6a2V5cw==");
	configure_both("");
	start();
	story_post_spans(&story, 0, 5);
	story_expect_log(&story, "event=export_held destination=langfuse");
	expect("unauthorized", "langfuse", "401", "destinations.langfuse.public_key (");
}

Test(doctor_hops, keys_of_one_project_among_others)
{
	configure("config.json",
		"\"destinations\": { " LANGFUSE " },\n \"projects\": { \"team\": {\n"
		"  \"public_key\": \"pk-lf-team\", \"secret_key\": \"sk-lf-team\" } }",
		fake_destination_url(story.langfuse), "");
	start();
	expect("unauthorized", "langfuse/team", "401", "projects.team.secret_key");
}

static struct fake_answer suspends(const struct fake_request *request, void *unused)
{
	if (strcmp(request->method, "GET") == 0)
		return (struct fake_answer){ .status = 200, .body = BYTES("{\"data\":[]}") };
	return (struct fake_answer){ .status = 403,
		.content_type = "application/json",
		.body = BYTES(
			"{\"message\":\"Ingestion suspended: Usage threshold exceeded. Please "
			"upgrade your plan.\",\"error\":\"ForbiddenError\"}") };
}

Test(doctor_hops, a_plan_that_is_used_up)
{
	fake_destination_rule(story.langfuse, suspends, NULL);
	configure_both("");
	start();
	story_post_spans(&story, 0, 5);
	story_expect_log(&story, "event=export_held destination=langfuse");
	expect("plan-used-up", "langfuse", "suspended", "plan");
}

Test(doctor_hops, keys_that_may_not_write)
{
	const struct fake_answer refusal = { .status = 403 };
	fake_destination_rule(story.langfuse, always, (void *)&refusal);
	configure_both("");
	start();
	expect("forbidden", "langfuse", "403", "keys of a project");
}

Test(doctor_hops, a_destination_that_wants_fewer_requests)
{
	const struct fake_answer refusal = { .status = 429, .retry_after = "60" };
	fake_destination_rule(story.tempo, always, (void *)&refusal);
	configure_both("");
	start();
	story_post_spans(&story, 0, 5);
	cr_assert(fake_destination_wait_requests(story.tempo, 1, STORY_PATIENCE_MS));
	expect("rate-limited", "tempo", "429", "batch_timeout_ms");
}

Test(doctor_hops, nobody_listens_where_langfuse_should)
{
	configure_both("");
	start();
	fake_destination_stop(story.langfuse);
	story.langfuse = NULL;
	story_post_spans(&story, 0, 5);
	story_expect_log(&story, "event=export_retried destination=langfuse");
	expect("unreachable", "langfuse", "connect", "curl -v http://127.0.0.1:");
}

Test(doctor_hops, nobody_listens_where_tempo_should)
{
	configure_both("");
	start();
	fake_destination_stop(story.tempo);
	story.tempo = NULL;
	expect("unreachable", "tempo", "connect", "destinations.tempo.endpoint");
}

/* No name server is asked for a label that is too long. */
Test(doctor_hops, a_name_that_nobody_has)
{
	configure_tempo(
		"http://"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid",
		"");
	start();
	expect("unreachable", "tempo", "resolve", "destinations.tempo.endpoint");
}

Test(doctor_hops, a_destination_that_does_not_answer_in_time)
{
	const struct fake_answer late = { .status = 200, .delay_ms = 60000 };
	fake_destination_rule(story.tempo, always, (void *)&late);
	configure_both("");
	start();
	expect("unreachable", "tempo", "Timeout", "curl -v");
}

Test(doctor_hops, a_certificate_of_an_unknown_authority)
{
	struct tls_peer peer;
	tls_peer_start(&peer, TLS_ANSWERS);
	configure_tempo(peer.url, "");
	start();
	expect("certificate", "tempo", "issuer certificate", "destinations.tempo.ca_file");
	tls_peer_stop(&peer);
}

Test(doctor_hops, a_certificate_that_has_ended)
{
	char ca_file[CERTIFICATE_PATH_MAX + 32];
	struct tls_peer peer;
	tls_peer_start(&peer, TLS_ANSWERS);
	certificate_renew(&peer.files, "peer", -60);
	cr_assert_eq(
		SSL_CTX_use_certificate_chain_file(peer.context, peer.files.certificate_file), 1);
	cr_assert_eq(
		SSL_CTX_use_PrivateKey_file(peer.context, peer.files.key_file, SSL_FILETYPE_PEM),
		1);
	snprintf(ca_file, sizeof ca_file, "\"ca_file\": \"%s\",", peer.files.ca_file);
	configure_tempo(peer.url, ca_file);
	start();
	expect("certificate", "tempo", "expired", "Renew the certificate");
	tls_peer_stop(&peer);
}

Test(doctor_hops, tempo_refuses)
{
	const struct fake_answer refusal = { .status = 415 };
	fake_destination_rule(story.tempo, always, (void *)&refusal);
	configure_both("");
	start();
	story_post_spans(&story, 0, 5);
	story_expect_log(&story, "event=export_held destination=tempo");
	expect("refuses", "tempo", "415", "log");
}

Test(doctor_hops, something_else_listens_where_tempo_should)
{
	const struct fake_answer refusal = { .status = 404 };
	fake_destination_rule(story.tempo, always, (void *)&refusal);
	configure_both("");
	start();
	expect("base-url-path", "tempo", "404", "4318");
}

/* The keys were mended over there: the daemon finds out by itself, but not at once. */
Test(doctor_hops, deliveries_that_are_on_hold)
{
	fake_destination_rule(story.langfuse, fake_langfuse, "Basic b3RoZXI6a2V5cw==");
	configure_both("");
	start();
	story_post_spans(&story, 0, 5);
	story_expect_log(&story, "event=export_held destination=langfuse");
	fake_destination_rule(story.langfuse, fake_langfuse, STORY_AUTHORIZATION);
	expect("held", "langfuse", "the key is not accepted", "SIGHUP");
}

/* Nothing is asked: what the daemon remembers is enough. */
Test(doctor_hops, what_the_daemon_remembers_counts_where_nobody_asks)
{
	const struct fake_answer unknown = { .status = 401 };
	fake_destination_rule(story.langfuse, always, (void *)&unknown);
	configure_both("");
	start();
	story_post_spans(&story, 0, 5);
	story_expect_log(&story, "event=export_held destination=langfuse");
	size_t before = fake_destination_request_count(story.langfuse);
	expect_of(ask_doctor("config.json", NULL, "--offline"),
		&(struct expected){
			"unauthorized", "langfuse", "401", "destinations.langfuse.secret_key (" });
	/* The same where this person has no configuration. */
	configure("other.json", "\"destinations\": { }");
	expect_of(ask_doctor("other.json", NULL, NULL),
		&(struct expected){ "unauthorized", "langfuse", "401", "SIGHUP" });
	cr_expect_eq(fake_destination_request_count(story.langfuse), before);
}

static struct fake_answer refuses_one(const struct fake_request *request, void *unused)
{
	uint8_t id[8];
	span_number_to_id(7, id);
	bool is_in = memmem(request->body.at, request->body.len, id, 8);
	return (struct fake_answer){ .status = is_in ? 400 : 200 };
}

Test(doctor_hops, dead_letters_wait)
{
	fake_destination_rule(story.tempo, refuses_one, NULL);
	configure_both("");
	start();
	story_post_spans(&story, 0, 20);
	expect_soon("dead-letters", "tempo", "1 span in 1 dead letter", "tollgate spool dead");
}

static struct fake_answer hangs_with_spans(const struct fake_request *request, void *unused)
{
	return (struct fake_answer){ .status = 200, .delay_ms = request->body.len ? 60000 : 0 };
}

Test(doctor_hops, what_waits_grows_old)
{
	fake_destination_rule(story.tempo, hangs_with_spans, NULL);
	configure("config.json", "\"destinations\": { " LANGFUSE ",\n " TEMPO " }",
		fake_destination_url(story.langfuse), "", fake_destination_url(story.tempo),
		"\"timeout_ms\": 100,");
	start();
	story_post_spans(&story, 0, 5);
	expect_soon("lag", "tempo", "the oldest of what waits", "tollgate spool");
}

static struct fake_answer lives_elsewhen(const struct fake_request *request, void *date)
{
	struct fake_answer answer = request->path[1] == 'a' ?
		fake_langfuse(request, STORY_AUTHORIZATION) :
		(struct fake_answer){ .status = 200 };
	answer.date = date;
	return answer;
}

Test(doctor_hops, a_clock_that_is_wrong)
{
	char date[64];
	const time_t later = time(NULL) + 600;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&later));
	fake_destination_rule(story.langfuse, lives_elsewhen, date);
	fake_destination_rule(story.tempo, lives_elsewhen, date);
	configure_both("");
	start();
	expect("clock-skew", "this machine", "behind", "timedatectl");

	/* It is the other one's when somebody else has ours. */
	fake_destination_rule(story.tempo, NULL, NULL);
	expect_nothing();
}
