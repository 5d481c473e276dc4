/* What doctor makes of destinations and tools that no whole daemon is easily found with. */
#include "doctor/destinations.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/files.h"
#include "doctor/doctor.h"
#include "support/fake_destination.h"
#include "support/scratch.h"

#define PUBLIC_KEY "pk-lf-story"
#define SECRET_KEY "sk-lf-story"
#define AUTHORIZATION "Basic cGstbGYtc3Rvcnk6c2stbGYtc3Rvcnk="
#define S *(json_int_t)1000000000

static const char *const nowhere[] = { NULL };
static char directory[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32];
static char own_home[] = "HOME=/nonexistent", *environment[] = { own_home, NULL };
static struct startup_sources sources = { .file = file, .environment = environment };
static struct home home = { .path = directory, .environment = environment, .place = directory };
static struct patient patient;
static struct findings findings;

static void begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(file, sizeof file, "%s/own.json", directory);
	patient = (struct patient){
		.home = &home, .sources = &sources, .url = "http://127.0.0.1:4318"
	};
	findings = (struct findings){ 0 };
}

static void end(void)
{
	json_decref(patient.status);
	json_decref(patient.spool);
	json_decref(patient.came);
	json_decref(patient.dead);
	startup_done(&patient.startup);
	findings_done(&findings);
	scratch_remove(directory);
}

TestSuite(doctor_units, .init = begin, .fini = end, .timeout = 60);

static void write_text(const char *path, const char *text)
{
	char whole[SCRATCH_PATH_MAX + 64];
	snprintf(whole, sizeof whole, "%s/%s", directory, path);
	cr_assert_eq(file_replace(whole, bytes_of(text), 0600), 0);
}

/*   further  members of the destination, a comma behind each */
static void configure(const char *endpoint, const char *further)
{
	struct complaint complaint = { 0 };
	char text[1024];
	snprintf(text, sizeof text,
		"{\"destinations\": {\"langfuse\": {%s \"type\": \"langfuse\", \"endpoint\": \"%s\",\n"
		"\"public_key\": \"" PUBLIC_KEY "\", \"secret_key\": \"" SECRET_KEY "\"}}}",
		further, endpoint);
	write_text("own.json", text);
	cr_assert_eq(startup_read(&sources, &patient.startup, &complaint), 0, "%s", complaint.text);
}

static void expect(enum finding_kind kind, const char *about, const char *what, const char *mend)
{
	const struct finding *finding = findings.at;
	cr_assert_eq(findings.count, 1, "%zu found, the first: %s", findings.count,
		findings.count ? finding->what : "-");
	cr_expect_str_eq(
		finding_rows[finding->kind].name, finding_rows[kind].name, "%s", finding->what);
	cr_expect_str_eq(finding->about, about);
	cr_expect(strstr(finding->what, what), "%s", finding->what);
	cr_expect(strstr(finding->mend, mend), "%s", finding->mend);
}

/* ---- regions ---- */

static struct fake_destination *regions[2];
static const char *region_urls[3];

static void begin_regions(const char *known_in_second)
{
	for (size_t i = 0; i < 2; i++) {
		regions[i] = fake_destination_start(0);
		region_urls[i] = fake_destination_url(regions[i]);
	}
	fake_destination_rule(regions[0], fake_langfuse, "Basic b3RoZXI=");
	fake_destination_rule(regions[1], fake_langfuse, (void *)known_in_second);
}

static void end_regions(void)
{
	fake_destination_stop(regions[0]);
	fake_destination_stop(regions[1]);
}

Test(doctor_units, a_pair_of_another_region_is_found_there)
{
	char mend[128];
	begin_regions(AUTHORIZATION);
	configure(region_urls[0], "\"headers\": {\"x-own\": \"secret\"},");
	destinations_examine(&patient, region_urls, &findings);
	snprintf(mend, sizeof mend, "own.json:1) to \"%s\"", region_urls[1]);
	expect(FINDING_WRONG_REGION, "langfuse", region_urls[1], mend);
	cr_expect_str_eq(
		fake_request_header(fake_destination_request(regions[0], 0), "x-own"), "secret");
	cr_expect_null(fake_request_header(fake_destination_request(regions[1], 0), "x-own"),
		"what is sent to one address goes to no other");
	end_regions();
}

Test(doctor_units, a_pair_that_no_region_knows_is_wrong)
{
	begin_regions("Basic YW5vdGhlcg==");
	configure(region_urls[0], "");
	destinations_examine(&patient, region_urls, &findings);
	expect(FINDING_UNAUTHORIZED, "langfuse", "401", "own.json");
	end_regions();
}

Test(doctor_units, the_pair_of_an_own_langfuse_is_shown_to_no_region)
{
	begin_regions(AUTHORIZATION);
	configure(region_urls[0], "");
	destinations_examine(&patient, region_urls + 1, &findings);
	expect(FINDING_UNAUTHORIZED, "langfuse", "401", "own.json");
	cr_expect_eq(fake_destination_request_count(regions[1]), 0);
	end_regions();
}

/* ---- what the daemon remembers ---- */

static void remember(json_t *row)
{
	json_t *whole = json_pack(
		"{s:s, s:s, s:s}", "destination", "tempo", "lane", "default", "type", "otlp");
	json_object_update(whole, row);
	json_decref(row);
	patient.spool = json_pack("{s:[o]}", "destinations", whole);
	destinations_examine(&patient, nowhere, &findings);
}

static json_int_t now(void)
{
	return (json_int_t)clock_unix_ns();
}

static json_t *failing(int status, const char *why, bool is_held)
{
	return json_pack("{s:i, s:s, s:I, s:I}", "failure_status", status, "failure_why", why,
		"failing_since_ns", now() - 5 S, "held_since_ns", is_held ? now() - 3 S : 0);
}

Test(doctor_units, each_status_that_the_daemon_met_has_its_name)
{
	static const struct {
		int status;
		enum finding_kind kind;
	} cases[] = { { 301, FINDING_BASE_URL_PATH }, { 400, FINDING_REFUSES },
		{ 401, FINDING_UNAUTHORIZED }, { 403, FINDING_FORBIDDEN },
		{ 404, FINDING_BASE_URL_PATH }, { 405, FINDING_BASE_URL_PATH },
		{ 415, FINDING_REFUSES }, { 429, FINDING_RATE_LIMITED }, { 500, FINDING_REFUSES },
		{ 508, FINDING_OURSELVES } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char status[8];
		snprintf(status, sizeof status, "%d", cases[i].status);
		remember(failing(cases[i].status, "refused", false));
		expect(cases[i].kind, "tempo", status, "");
		json_decref(patient.spool);
		findings_done(&findings);
	}
	patient.spool = NULL;
}

Test(doctor_units, what_fails_without_an_answer_is_away)
{
	remember(failing(0, "Timeout was reached", false));
	expect(FINDING_UNREACHABLE, "tempo", "Timeout was reached", "See that it runs");
}

Test(doctor_units, what_holds_without_an_answer_is_a_certificate)
{
	remember(failing(0, "certificate has expired", true));
	expect(FINDING_CERTIFICATE, "tempo", "certificate has expired", "Renew it");
}

Test(doctor_units, what_waits_for_long_without_a_failure_is_behind)
{
	remember(json_pack("{s:I}", "oldest_ns", now() - 3700 S));
	expect(FINDING_LAG, "tempo", "61 min ago", "tollgate spool");
}

Test(doctor_units, what_waits_for_a_moment_is_on_its_way)
{
	remember(json_pack("{s:I, s:I}", "oldest_ns", now() - 3 S, "failure_status", 503));
	cr_expect_eq(findings.count, 0);
}

Test(doctor_units, the_local_view_is_no_destination)
{
	patient.spool = json_pack("{s:[{s:s, s:s, s:I}]}", "destinations", "destination", "local",
		"lane", "default", "oldest_ns", now() - 3600 S);
	destinations_examine(&patient, nowhere, &findings);
	cr_expect_eq(findings.count, 0);
}

Test(doctor_units, dead_letters_are_counted_for_each_destination)
{
	patient.dead = json_pack("{s:b, s:[{s:s, s:i, s:I, s:s}, {s:s, s:i, s:I, s:s},"
				 " {s:s, s:i, s:I, s:s}]}",
		"is_cut", 1, "letters", "destination", "tempo", "spans", 3, "time_ns", 10 S,
		"reason", "too large", "destination", "langfuse", "spans", 1, "time_ns", 11 S,
		"reason", "refused", "destination", "tempo", "spans", 2, "time_ns", 9 S, "reason",
		"rejected");
	destinations_examine(&patient, nowhere, &findings);
	cr_assert_eq(findings.count, 2);
	cr_expect_str_eq(findings.at[0].about, "tempo");
	cr_expect_str_eq(
		findings.at[0].what, "at least 5 spans in 2 dead letters; the last: too large");
	cr_expect_str_eq(findings.at[1].about, "langfuse");
}

Test(doctor_units, hostile_answers_of_a_daemon_are_survived)
{
	static const char *const spools[] = {
		"{\"destinations\": 7}",
		"{\"destinations\": [null, 3, [], {\"destination\": 5, \"lane\": {}}]}",
		"{\"destinations\": [{\"type\": \"otlp\"}, {\"type\": \"langfuse\", \"lane\": 1}]}"
	};
	for (size_t i = 0; i < sizeof spools / sizeof *spools; i++) {
		patient.spool = json_loads(spools[i], 0, NULL);
		patient.came =
			json_loads("{\"sources\": [1, {\"cli\": 2}, {\"lacks\": []}]}", 0, NULL);
		patient.dead = json_loads("{\"letters\": [{}, 1]}", 0, NULL);
		destinations_examine(&patient, nowhere, &findings);
		check_tools(&patient, &findings);
		json_decref(patient.spool);
		json_decref(patient.came);
		json_decref(patient.dead);
		findings_done(&findings);
	}
	patient.spool = patient.came = patient.dead = NULL;
}

/* ---- sources ---- */

/* A Claude Code somewhere, which spoke until a moment ago. */
static void let_come(const char *members)
{
	char text[1024];
	snprintf(text, sizeof text,
		"{\"sources\": [{\"name\": \"claude-code\", \"cli\": \"claude-code\",\n"
		"\"last_ns\": %lld, %s}]}",
		(long long)(now() - 60 S), members);
	patient.came = json_loads(text, 0, NULL);
	cr_assert(patient.came, "%s", text);
	check_tools(&patient, &findings);
}

#define EMPTY "\"signals\": {}, \"lacks\": {}"

Test(doctor_units, a_source_from_elsewhere_says_what_it_lacks)
{
	let_come("\"signals\": {}, \"lacks\": {\"tool_details\":"
		 " {\"last_ns\": 1763596800000000000, \"items\": 12, \"there_last_ns\": 0}}");
	expect(FINDING_TOOL_DETAILS_OFF, "claude-code", "12 events", "tollgate setup");
}

Test(doctor_units, what_a_source_lacked_and_has_again_is_no_finding)
{
	let_come("\"signals\": {}, \"lacks\": {\"prompts\": {\"last_ns\": 1763596800000000000,"
		 " \"items\": 12, \"there_last_ns\": 1763596900000000000}}");
	cr_expect_eq(findings.count, 0);
}

static void set_up(void)
{
	const struct wish wish = { "http://127.0.0.1:4318", "/bin/true/tollgate", true, true,
		true };
	struct complaint complaint = { 0 };
	struct buf text;
	char path[SCRATCH_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/.claude", directory);
	cr_assert_eq(mkdir(path, 0700), 0);
	buf_init(&text, 1 << 20, NULL);
	cr_assert_eq(
		tool_claude_code.files[0].add(&wish, (struct bytes){ 0 }, &text, &complaint), 0);
	buf_append(&text, "", 1);
	write_text(".claude/settings.json", (const char *)text.at);
	buf_done(&text);
}

/* Its program is not there, which is known of nothing else. */
static void expect_beside_hook(enum finding_kind kind)
{
	cr_assert_geq(findings.count, 1);
	cr_expect_eq(findings.at[0].kind, FINDING_HOOK_NOT_FOUND);
	cr_assert_eq(findings.count, 2);
	cr_expect_eq(findings.at[1].kind, kind, "%s", findings.at[1].what);
}

Test(doctor_units, what_setup_writes_is_what_doctor_wants)
{
	set_up();
	let_come(EMPTY);
	cr_assert_eq(findings.count, 1);
	cr_expect_eq(findings.at[0].kind, FINDING_HOOK_NOT_FOUND, "%s", findings.at[0].what);
}

Test(doctor_units, settings_that_were_mended_since_are_believed)
{
	set_up();
	let_come("\"signals\": {}, \"lacks\": {\"prompts\":"
		 " {\"last_ns\": 1763596800000000000, \"items\": 12, \"there_last_ns\": 0}}");
	cr_assert_eq(findings.count, 1);
	cr_expect_eq(findings.at[0].kind, FINDING_HOOK_NOT_FOUND);
}

/* The file in which the session writes what was said is younger than all that came. */
static void begin_session(time_t at)
{
	char path[SCRATCH_PATH_MAX + 64];
	const struct timespec times[2] = { { .tv_sec = at }, { .tv_sec = at } };
	snprintf(path, sizeof path, "%s/.claude/projects", directory);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/.claude/projects/-home-dev", directory);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

Test(doctor_units, a_session_after_the_last_sign_of_life_is_silence)
{
	set_up();
	begin_session(time(NULL) + 3600);
	let_come(EMPTY);
	expect_beside_hook(FINDING_SILENT);
}

Test(doctor_units, a_session_before_the_last_sign_of_life_is_none)
{
	set_up();
	begin_session(time(NULL) - 3600);
	let_come(EMPTY);
	cr_expect_eq(findings.count, 1);
}

Test(doctor_units, log_events_for_long_and_never_a_span)
{
	let_come("\"signals\": {\"logs\": {\"items\": 900, \"first_ns\": 1763596800000000000,"
		 " \"last_ns\": 1763600400000000000}}, \"lacks\": {}");
	expect(FINDING_TRACES_OFF, "claude-code", "never a span", "tollgate setup");
}

Test(doctor_units, spans_for_long_and_never_a_log_event)
{
	let_come("\"signals\": {\"traces\": {\"items\": 900, \"first_ns\": 1763596800000000000,"
		 " \"last_ns\": 1763600400000000000}}, \"lacks\": {}");
	expect(FINDING_LOGS_OFF, "claude-code", "never a log event", "tollgate setup");
}

Test(doctor_units, what_has_spoken_for_a_minute_may_speak_of_more)
{
	let_come("\"signals\": {\"logs\": {\"items\": 9, \"first_ns\": 1763596800000000000,"
		 " \"last_ns\": 1763596860000000000}}, \"lacks\": {}");
	cr_expect_eq(findings.count, 0);
}
