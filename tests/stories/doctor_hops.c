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

#include "support/http_peer.h"
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
	char state[SCRATCH_PATH_MAX + 48], directory[SCRATCH_PATH_MAX], path[PROGRAM_PATH_MAX];
	struct daemon child;
	cr_assert_eq(scratch_make(directory), 0); /* for its log */
	snprintf(path, sizeof path, "PATH=%s:/usr/bin:/bin", getenv("builddir"));
	snprintf(state, sizeof state, "TOLLGATE_STATE_DIRECTORY=%s/state", story.directory);
	const struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "doctor", "--json",
			"--config", config_path(config), "--home", home, flag, NULL },
		.environment =
			(const char *const[]){ state, path, "LC_ALL=C.UTF-8", variable, NULL },
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

static struct fake_answer takes_traces(const struct fake_request *request, void *unused)
{
	bool is_known = strcmp(request->path, "/v1/traces") == 0;
	return (struct fake_answer){ .status = is_known ? 200 : 404 };
}

Test(doctor_hops, tempo_is_sent_what_it_has_no_place_for)
{
	fake_destination_rule(story.tempo, takes_traces, NULL);
	configure_tempo(fake_destination_url(story.tempo), "\"signals\": [\"traces\", \"logs\"],");
	start();
	expect("base-url-path", "tempo", "404 to an empty export of logs",
		"destinations.tempo.signals (");
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
	bool is_in = request->body.len && memmem(request->body.at, request->body.len, id, 8);
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

/* ---- tools ---- */

static const char claude[] =
	"{\n"
	"  \"model\": \"opus\",\n"
	"  \"permissions\": { \"allow\": [\"Bash(make:*)\", \"Read(~/src/**)\"], \"deny\": [] },\n"
	"  \"env\": {\n"
	"    \"EDITOR\": \"vi\",\n"
	"    \"CLAUDE_CODE_ENABLE_TELEMETRY\": \"1\",\n"
	"    \"OTEL_METRICS_EXPORTER\": \"otlp\",\n"
	"    \"OTEL_LOGS_EXPORTER\": \"otlp\",\n"
	"    \"OTEL_TRACES_EXPORTER\": \"otlp\",\n"
	"    \"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA\": \"1\",\n"
	"    \"OTEL_EXPORTER_OTLP_PROTOCOL\": \"http/protobuf\",\n"
	"    \"OTEL_EXPORTER_OTLP_ENDPOINT\": \"http://localhost:$PORT\",\n"
	"    \"OTEL_LOG_USER_PROMPTS\": \"1\",\n"
	"    \"OTEL_LOG_TOOL_DETAILS\": \"1\"\n"
	"  },\n"
	"  \"hooks\": {\n"
	"    \"SessionStart\": [$HOOK], \"UserPromptSubmit\": [$HOOK],\n"
	"    \"PreToolUse\": [\n"
	"      { \"matcher\": \"Bash\", \"hooks\": [{ \"type\": \"command\", \"command\": \"~/bin/guard\" }] },\n"
	"      $HOOK\n"
	"    ],\n"
	"    \"PostToolUse\": [$HOOK], \"PostToolUseFailure\": [$HOOK], \"PermissionRequest\": [$HOOK],\n"
	"    \"Notification\": [$HOOK], \"SubagentStop\": [$HOOK], \"Stop\": [$HOOK],\n"
	"    \"StopFailure\": [$HOOK], \"SessionEnd\": [$HOOK]\n"
	"  }\n"
	"}\n";

static const char gemini[] =
	"{\n"
	"  // chosen in a hurry\n"
	"  \"ui\": { \"theme\": \"GitHub\" },\n"
	"  \"telemetry\": {\n"
	"    \"enabled\": true,\n"
	"    \"target\": \"local\",\n"
	"    \"otlpProtocol\": \"http\",\n"
	"    \"otlpEndpoint\": \"http://127.0.0.1:$PORT\",\n"
	"    \"logPrompts\": true\n"
	"  },\n"
	"  \"hooks\": {\n"
	"    \"SessionStart\": [$HOOK], \"BeforeAgent\": [$HOOK], \"AfterAgent\": [$HOOK],\n"
	"    \"Notification\": [$HOOK], \"SessionEnd\": [$HOOK]\n"
	"  }\n"
	"}\n";

static const char codex[] =
	"model = \"gpt-5.3-codex\"\n"
	"notify = [\"tollgate\", \"hook\", \"codex\"]\n"
	"\n"
	"[otel]\n"
	"environment = \"dev\"\n"
	"log_user_prompt = true\n"
	"log_agent_responses = true\n"
	"exporter = { otlp-http = { endpoint = \"http://127.0.0.1:$PORT/v1/logs\", protocol = \"binary\" } }\n"
	"metrics_exporter = { otlp-http = { endpoint = \"http://127.0.0.1:$PORT/v1/metrics\", protocol = \"binary\" } }\n";

/* Everywhere in the text; to be freed. */
static char *replace(const char *text, const char *from, const char *to)
{
	char *out;
	size_t size;
	FILE *stream = open_memstream(&out, &size);
	const char *found;
	cr_assert(strstr(text, from), "%s", from);
	for (; (found = strstr(text, from)); text = found + strlen(from))
		fprintf(stream, "%.*s%s", (int)(found - text), text, to);
	fputs(text, stream);
	cr_assert_eq(fclose(stream), 0);
	return out;
}

/* The settings of one tool, with something in place of what is right; NULL: all is right. */
static void write_settings(const char *directory, const char *file, const char *settings,
	const char *hook, const char *from, const char *to)
{
	char path[SCRATCH_PATH_MAX + 64], port[16], group[256];
	char *changed = from ? replace(settings, from, to) : strdup(settings);
	snprintf(port, sizeof port, "%d", story.daemon.port);
	snprintf(group, sizeof group,
		"{ \"hooks\": [{ \"type\": \"command\", \"command\": \"%s\" }] }", hook);
	char *reached =
		strstr(changed, "$PORT") ? replace(changed, "$PORT", port) : strdup(changed);
	char *whole = strstr(reached, "$HOOK") ? replace(reached, "$HOOK", group) : strdup(reached);
	snprintf(path, sizeof path, "%s/%s", home, directory);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/%s/%s", home, directory, file);
	write_file(path, whole);
	free(whole);
	free(reached);
	free(changed);
}

static void write_claude(const char *from, const char *to)
{
	write_settings(".claude", "settings.json", claude, "tollgate hook claude-code", from, to);
}

static void write_gemini(const char *from, const char *to)
{
	write_settings(".gemini", "settings.json", gemini, "tollgate hook gemini", from, to);
}

static void write_codex(const char *from, const char *to)
{
	write_settings(".codex", "config.toml", codex, "", from, to);
}

/* A sign of life, so that its silence is no finding. */
static void let_speak(const char *cli)
{
	static const struct bytes payload =
		BYTES("{\"session_id\":\"7c8b3f8e-0001-4000-8000-000000000001\","
		      "\"hook_event_name\":\"SessionStart\",\"source\":\"startup\"}");
	char path[64];
	snprintf(path, sizeof path, "/hooks/%s", cli);
	cr_assert_eq(story_send(&story, path, "application/json", NULL, payload).status, 200);
}

static void start_with(const char *cli)
{
	configure_both("");
	start();
	if (cli)
		let_speak(cli);
}

/* Claude Code's settings are right but for one thing. */
static void provoke_claude(
	const char *from, const char *to, const char *name, const char *what, const char *mend)
{
	start_with("claude-code");
	write_claude(from, to);
	expect(name, "claude-code", what, mend);
}

Test(doctor_hops, tools_that_are_set_up_as_they_should)
{
	start_with("claude-code");
	let_speak("codex");
	let_speak("gemini");
	write_claude(NULL, NULL);
	write_codex(NULL, NULL);
	write_gemini(NULL, NULL);
	expect_nothing();
}

Test(doctor_hops, no_tool_has_its_telemetry_switched_on)
{
	start_with(NULL);
	write_claude("\"CLAUDE_CODE_ENABLE_TELEMETRY\": \"1\"",
		"\"CLAUDE_CODE_ENABLE_TELEMETRY\": \"0\"");
	write_gemini("\"enabled\": true", "\"enabled\": false");
	expect("telemetry-off", "claude-code, gemini", "not switched on",
		"tollgate setup claude-code --apply");
}

Test(doctor_hops, settings_that_are_no_json)
{
	provoke_claude("\"OTEL_LOG_TOOL_DETAILS\": \"1\"", "\"OTEL_LOG_TOOL_DETAILS\": \"1\",",
		"settings-unreadable", "settings.json:", "Mend the file");
}

Test(doctor_hops, an_endpoint_at_another_port)
{
	provoke_claude("localhost:$PORT", "localhost:4320", "endpoint-elsewhere", "port 4320",
		"tollgate setup claude-code --apply");
}

Test(doctor_hops, an_endpoint_of_one_signal_at_another_host)
{
	provoke_claude("\"EDITOR\": \"vi\"",
		"\"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT\": \"https://collector.invalid/v1/traces\"",
		"endpoint-elsewhere", "port 443 of collector.invalid",
		"Take OTEL_EXPORTER_OTLP_TRACES_ENDPOINT out of /");
}

Test(doctor_hops, an_endpoint_of_one_signal_without_its_path)
{
	provoke_claude("\"EDITOR\": \"vi\"",
		"\"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT\": \"http://127.0.0.1:$PORT\"",
		"signal-path-missing", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT has to be http",
		"/v1/logs");
}

Test(doctor_hops, codex_posts_to_no_path)
{
	start_with("codex");
	write_codex("$PORT/v1/logs", "$PORT");
	expect("signal-path-missing", "codex", "/v1/logs", "tollgate setup codex --apply");
}

Test(doctor_hops, a_project_of_its_own_leads_elsewhere)
{
	char path[SCRATCH_PATH_MAX + 64];
	start_with("claude-code");
	write_claude(NULL, NULL);
	snprintf(path, sizeof path, "%s/.claude", story.directory);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/.claude/settings.local.json", story.directory);
	write_file(
		path, "{ \"env\": { \"OTEL_EXPORTER_OTLP_ENDPOINT\": \"http://127.0.0.1:9\" } }");
	cr_assert_eq(chdir(story.directory), 0);
	expect("endpoint-elsewhere", "claude-code", "port 9 of 127.0.0.1",
		"out of ./.claude/settings.local.json");
}

Test(doctor_hops, claude_code_speaks_grpc)
{
	provoke_claude("http/protobuf", "grpc", "protocol-grpc", "OTEL_EXPORTER_OTLP_PROTOCOL",
		"tollgate setup claude-code --apply");
}

Test(doctor_hops, claude_code_withholds_prompts)
{
	provoke_claude("\"OTEL_LOG_USER_PROMPTS\": \"1\",", "", "prompts-redacted",
		"OTEL_LOG_USER_PROMPTS", "tollgate setup claude-code --apply");
}

Test(doctor_hops, claude_code_withholds_what_tools_are_given)
{
	provoke_claude("\"OTEL_LOG_TOOL_DETAILS\": \"1\"", "\"OTEL_LOG_TOOL_DETAILS\": \"false\"",
		"tool-details-off", "OTEL_LOG_TOOL_DETAILS", "tollgate setup claude-code --apply");
}

Test(doctor_hops, claude_code_has_its_beta_off)
{
	provoke_claude("\"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA\": \"1\",", "", "traces-off",
		"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "tollgate setup claude-code --apply");
}

Test(doctor_hops, claude_code_has_its_log_events_off)
{
	provoke_claude("\"OTEL_LOGS_EXPORTER\": \"otlp\"", "\"OTEL_LOGS_EXPORTER\": \"console\"",
		"logs-off", "OTEL_LOGS_EXPORTER", "tollgate setup claude-code --apply");
}

Test(doctor_hops, claude_code_has_its_session_id_off)
{
	provoke_claude("\"EDITOR\": \"vi\"", "\"OTEL_METRICS_INCLUDE_SESSION_ID\": \"false\"",
		"session-id-off", "OTEL_METRICS_INCLUDE_SESSION_ID",
		"OTEL_METRICS_INCLUDE_SESSION_ID=true");
}

Test(doctor_hops, some_hooks_are_missing)
{
	provoke_claude("\"Stop\": [$HOOK],", "\"Stop\": [],", "hooks-missing",
		"No hook runs Tollgate at Stop.", "tollgate setup claude-code --apply");
}

Test(doctor_hops, the_program_of_hooks_is_gone)
{
	start_with("claude-code");
	write_settings(".claude", "settings.json", claude,
		"/opt/tollgate-0.0.9/bin/tollgate hook claude-code", NULL, NULL);
	expect("hook-not-found", "claude-code", "/opt/tollgate-0.0.9/bin/tollgate", "PATH");
}

Test(doctor_hops, a_tool_that_is_set_up_and_says_nothing)
{
	start_with(NULL);
	write_claude(NULL, NULL);
	expect("silent", "claude-code", "nothing ever came", "new session");
}

Test(doctor_hops, gemini_is_overridden_by_the_environment)
{
	start_with("gemini");
	write_gemini(NULL, NULL);
	expect_of(ask_doctor(
			  "config.json", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4320", NULL),
		&(struct expected){ "environment-wins", "gemini", "OTEL_EXPORTER_OTLP_ENDPOINT",
			"unset OTEL_EXPORTER_OTLP_ENDPOINT" });
}

Test(doctor_hops, gemini_speaks_grpc)
{
	start_with("gemini");
	write_gemini("\"otlpProtocol\": \"http\",", "");
	expect("protocol-grpc", "gemini", "otlpProtocol", "tollgate setup gemini --apply");
}

Test(doctor_hops, gemini_writes_to_a_file)
{
	start_with("gemini");
	write_gemini("\"target\": \"local\",", "\"outfile\": \"telemetry.log\",");
	expect("endpoint-elsewhere", "gemini", "a file", "tollgate setup gemini --apply");
}

Test(doctor_hops, gemini_withholds_prompts)
{
	start_with("gemini");
	write_gemini("\"logPrompts\": true", "\"logPrompts\": false");
	expect("prompts-redacted", "gemini", "logPrompts", "tollgate setup gemini --apply");
}

Test(doctor_hops, an_sdk_leads_to_langfuse_itself)
{
	char path[SCRATCH_PATH_MAX + 16];
	start_with(NULL);
	snprintf(path, sizeof path, "%s/.env", story.directory);
	cr_assert_eq(chdir(story.directory), 0);
	write_file(path,
		"LANGFUSE_PUBLIC_KEY=pk-lf-1\nLANGFUSE_SECRET_KEY=sk-lf-1\n"
		"LANGFUSE_BASE_URL=\"https://us.cloud.langfuse.com\"\n");
	expect("endpoint-elsewhere", "langfuse-sdk", "LANGFUSE_BASE_URL in .env leads to port 443",
		"tollgate setup langfuse-sdk --apply");
	write_file(path, "LANGFUSE_PUBLIC_KEY=pk-lf-1\nLANGFUSE_SECRET_KEY=sk-lf-1\n");
	expect("endpoint-elsewhere", "langfuse-sdk", "https://cloud.langfuse.com",
		"tollgate setup langfuse-sdk --apply");
}

Test(doctor_hops, an_old_sdk_sends_traces_over_the_ingestion_api)
{
	static const char batch[] =
		"{\"batch\":[{\"id\":\"e1\",\"type\":\"trace-create\",\"timestamp\":"
		"\"2026-11-20T10:00:00.000Z\",\"body\":{\"id\":\"t1\"}}],\"metadata\":{}}";
	struct peer peer;
	start_with(NULL);
	cr_assert(peer_open(&peer, (unsigned)story.daemon.port));
	cr_assert(peer_printf(&peer,
		"POST /api/public/ingestion HTTP/1.1\r\nHost: localhost\r\n"
		"Authorization: " STORY_AUTHORIZATION "\r\nContent-Type: application/json\r\n"
		"x-langfuse-sdk-name: python\r\nx-langfuse-sdk-version: 2.60.3\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		strlen(batch), batch));
	peer_reply(&peer);
	peer_close(&peer);
	expect("sdk-on-ingestion", "python 2.60.3", "ingestion API", "Update the SDK");
}
