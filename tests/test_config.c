/* Where settings come from, which source wins, and what is made of them. */
#include "config/config.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/environment.h"
#include "config/loader.h"
#include "config/settings.h"
#include "config/show.h"
#include "config/values.h"

enum { WORDS_MAX = 8 };

static char directory[] = "/tmp/tollgate-config-XXXXXX";
static struct config *config;
static char **notes;
static struct complaint complaint;

static void begin(void)
{
	cr_assert(mkdtemp(directory));
}

static void end(void)
{
	char command[64];
	config_free(config);
	config_notes_free(notes);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	cr_assert(system(command) == 0);
}

TestSuite(config, .init = begin, .fini = end);

static const char *path_of(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static const char *write_file(const char *name, const char *text, mode_t mode)
{
	const char *path = path_of(name);
	FILE *file = fopen(path, "w");
	cr_assert(file);
	fputs(text, file);
	fclose(file);
	cr_assert(chmod(path, mode) == 0);
	return path;
}

/* Every test has a HOME, as every process should. */
static int load(const char *json, char *const *environment, char *const *flags)
{
	char *all[WORDS_MAX + 2] = { "HOME=/home/nobody" };
	for (size_t i = 0; environment && environment[i] && i < WORDS_MAX; i++)
		all[i + 1] = environment[i];
	config_free(config);
	config_notes_free(notes);
	config = NULL;
	notes = NULL;
	return config_load(json ? write_file("tollgate.json", json, 0600) : NULL, all, flags,
		&config, &notes, &complaint);
}

static void load_well(const char *json, char *const *environment, char *const *flags)
{
	int error = load(json, environment, flags);
	cr_assert(error == 0, "%s", complaint.text);
}

#define ENV(...) ((char *[WORDS_MAX]){ __VA_ARGS__ })

#define LANGFUSE_KEYS "LANGFUSE_PUBLIC_KEY=pk-lf-1", "LANGFUSE_SECRET_KEY=sk-lf-1"

Test(config, a_missing_file_is_told_by_name)
{
	char *environment[] = { NULL };
	cr_assert(config_load("/no/such.json", environment, NULL, &config, &notes, &complaint) ==
		-EINVAL);
	cr_expect_str_eq(complaint.file, "/no/such.json");
	cr_expect_str_eq(
		complaint.text, "the configuration cannot be read: No such file or directory");
}

static unsigned signals_of(const char *members)
{
	char json[400];
	snprintf(json, sizeof json, "{\"destinations\":{\"d\":{\"type\":\"otlp\",%s}}}", members);
	load_well(json, NULL, NULL);
	return config_destination(config, "d")->signals;
}

#define ENDPOINT "\"endpoint\":\"http://127.0.0.1:4318\""
#define LOGS_ENDPOINT "\"logs_endpoint\":\"http://127.0.0.1:3100/otlp/v1/logs\""

Test(config, a_destination_takes_traces_and_what_it_is_told_to_take)
{
	enum { TRACES = 1, LOGS = 2, METRICS = 4 };
	cr_expect_eq(signals_of(ENDPOINT), TRACES);
	cr_expect_eq(signals_of(ENDPOINT "," LOGS_ENDPOINT), TRACES | LOGS);
	cr_expect_eq(signals_of(LOGS_ENDPOINT), LOGS);
	cr_expect_eq(
		signals_of(ENDPOINT ",\"signals\":[\"metrics\",\"traces\"]"), TRACES | METRICS);
	cr_expect_null(notes[0]);
	cr_expect_eq(signals_of(ENDPOINT "," LOGS_ENDPOINT ",\"signals\":[\"traces\"]"), TRACES);
	cr_assert_not_null(notes[0]);
	cr_expect_str_eq(notes[0],
		"an endpoint in destinations.d does not apply: destinations.d.signals does not name "
		"its signal");
	load_well(NULL, ENV("TOLLGATE_TEMPO_ENDPOINT=http://127.0.0.1:4318"),
		((char *[]){ "destinations.tempo.signals=logs, traces", NULL }));
	cr_expect_eq(config_destination(config, "tempo")->signals, TRACES | LOGS);
	load_well(NULL, ENV(LANGFUSE_KEYS), NULL);
	cr_expect_eq(config_destination(config, "langfuse")->signals, TRACES);
}

/* Nobody knows what of them is content. */
Test(config, where_content_is_withheld_logs_and_metrics_are_not_sent)
{
	cr_expect_eq(
		signals_of(ENDPOINT ",\"content\":\"none\",\"signals\":[\"traces\",\"logs\"]"), 1);
	cr_assert_not_null(notes[0]);
	cr_expect(strstr(notes[0], "destinations.d takes traces alone"), "%s", notes[0]);
	cr_expect_eq(signals_of(ENDPOINT "," LOGS_ENDPOINT ",\"content\":\"cut\""), 1);
	cr_expect_not_null(notes[0]);
}

Test(config, signals_that_cannot_be_sent_are_refused)
{
	static const struct {
		const char *type, *members, *why;
	} cases[] = {
		{ "otlp", ENDPOINT ",\"signals\":[\"spans\"]",
			"destinations.d.signals must be a list of some of traces, logs, metrics, not "
			"spans" },
		{ "otlp", ENDPOINT ",\"signals\":[]",
			"destinations.d.signals must be a list of some of traces, logs, metrics, not "
			"\"an empty list\"" },
		{ "otlp", ENDPOINT ",\"signals\":[7]",
			"destinations.d.signals must be a list of some of traces, logs, metrics" },
		{ "otlp", ENDPOINT ",\"signals\":\"logs\"",
			"destinations.d.signals must be a list of some of traces, logs, metrics, not "
			"the text logs" },
		{ "otlp", LOGS_ENDPOINT ",\"signals\":[\"logs\",\"traces\"]",
			"destinations.d.signals names what has no endpoint: write "
			"destinations.d.endpoint, or one for each" },
		{ "langfuse",
			ENDPOINT
			",\"public_key\":\"a\",\"secret_key\":\"b\",\"signals\":[\"logs\"]",
			"destinations.d.signals must be [\"traces\"]: Langfuse takes nothing else" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char json[400];
		snprintf(json, sizeof json, "{\"destinations\":{\"d\":{\"type\":\"%s\",%s}}}",
			cases[i].type, cases[i].members);
		cr_expect_eq(load(json, NULL, NULL), -EINVAL, "%s", json);
		cr_expect_str_eq(complaint.text, cases[i].why);
	}
}

Test(config, a_file_without_end_is_refused)
{
	char *environment[] = { NULL };
	cr_assert(config_load("/dev/zero", environment, NULL, &config, &notes, &complaint) ==
		-EINVAL);
	cr_expect_str_eq(
		complaint.text, "the configuration cannot be read: larger than 1048576 bytes");
}

Test(config, without_any_source_the_defaults_hold)
{
	load_well(NULL, NULL, NULL);
	cr_expect_str_eq(config->listen, "127.0.0.1:4318");
	cr_expect_str_eq(config->log_level, "info");
	cr_expect_str_eq(config->state_directory, "/home/nobody/.local/state/tollgate");
	cr_expect_eq(config->shutdown_timeout_ms, 10000);
	cr_expect_eq(config->limits.max_body_bytes, 64 << 20);
	cr_expect_eq(config->spool.max_bytes, UINT64_C(10) << 30);
	cr_expect_eq(config->spool.max_record_bytes, 4000000);
	cr_expect_eq(config->destination_count, 0);
	cr_expect_null(config->identity.user_id);
	cr_expect_eq(config->identity.user_from_count, 0);
	cr_assert_eq(config->identity.tags_from_resource_count, 5);
	cr_expect_str_eq(config->identity.tags_from_resource[1], "team.id");
	cr_expect_null(config->pricing.file);
	cr_expect_null(notes[0]);
}

Test(config, every_default_is_within_its_own_bounds)
{
	const struct setting *tables[] = { settings, sections[SECTION_DESTINATIONS].settings,
		sections[SECTION_PROJECTS].settings };
	size_t counts[] = { setting_count, sections[SECTION_DESTINATIONS].setting_count,
		sections[SECTION_PROJECTS].setting_count };
	for (size_t t = 0; t < 3; t++)
		for (size_t i = 0; i < counts[t]; i++) {
			const struct setting *row = &tables[t][i];
			union {
				struct config config;
				struct destination_config destination;
				struct project_config project;
			} base = { 0 };
			struct arena arena;
			arena_init(&arena, 1 << 16, NULL);
			complaint.text[0] = '\0';
			struct value_place place = { row->name, &arena, &complaint };
			const char *texts[] = { row->fallback, row->langfuse_fallback };
			for (size_t j = 0; j < 2; j++)
				cr_expect(!texts[j] ||
						value_set_text(row, &base, texts[j], &place) == 0,
					"%s", complaint.text);
			cr_expect(row->sentence && row->sentence[strlen(row->sentence) - 1] == '.',
				"%s", row->name);
			cr_expect(row->type != SETTING_COUNT || row->unit, "%s has no unit",
				row->name);
			cr_expect(row->min <= row->max, "%s", row->name);
			arena_done(&arena);
		}
}

Test(config, a_later_source_wins_over_an_earlier_one)
{
	const char *json =
		"{\"http\": {\"threads\": 3, \"max_connections\": 30, \"idle_timeout_ms\": 300}}";
	load_well(json,
		ENV("TOLLGATE_HTTP_MAX_CONNECTIONS=40", "TOLLGATE_HTTP_IDLE_TIMEOUT_MS=400"),
		ENV("http.idle_timeout_ms=500"));
	cr_expect_eq(config->http.request_timeout_ms, 30000);
	cr_expect_eq(config->http.threads, 3);
	cr_expect_eq(config->http.max_connections, 40);
	cr_expect_eq(config->http.idle_timeout_ms, 500);
}

Test(config, the_own_name_of_a_setting_wins_over_the_sdks)
{
	load_well(NULL,
		ENV("TOLLGATE_IDENTITY_USER_ID=own", "LANGFUSE_USER_ID=sdk", "LANGFUSE_RELEASE=r1"),
		NULL);
	cr_expect_str_eq(config->identity.user_id, "own");
	cr_expect_str_eq(config->identity.release, "r1");
}

Test(config, null_in_the_file_leaves_the_default)
{
	load_well(
		"{\"listen\": null, \"http\": null, \"destinations\": {\"a\": null}}", NULL, NULL);
	cr_expect_str_eq(config->listen, "127.0.0.1:4318");
	cr_expect_eq(config->destination_count, 0);
}

Test(config, sizes_may_have_units)
{
	static const struct {
		const char *written;
		uint64_t bytes;
	} sizes[] = {
		{ "67108864", 67108864 },
		{ "\"67108864\"", 67108864 },
		{ "\"64MiB\"", 67108864 },
		{ "\"64 mib\"", 67108864 },
		{ "\"70MB\"", 70000000 },
		{ "\"1GiB\"", 1 << 30 },
		{ "\"2000000kB\"", 2000000000 },
		{ "\"99999999B\"", 99999999 },
	};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char json[64];
		snprintf(json, sizeof json, "{\"spool\": {\"max_bytes\": %s}}", sizes[i].written);
		load_well(json, NULL, NULL);
		cr_expect_eq(config->spool.max_bytes, sizes[i].bytes, "%s", json);
	}
}

Test(config, the_state_directory_follows_systemd_then_xdg_then_home)
{
	static const struct {
		char *environment[WORDS_MAX];
		const char *path;
	} cases[] = {
		{ { "STATE_DIRECTORY=/var/lib/a:/var/lib/b", "XDG_STATE_HOME=/xdg" },
			"/var/lib/a" },
		{ { "XDG_STATE_HOME=/xdg" }, "/xdg/tollgate" },
		{ { "XDG_STATE_HOME=relative" }, "/home/nobody/.local/state/tollgate" },
		{ { "STATE_DIRECTORY=/var/lib/a", "TOLLGATE_STATE_DIRECTORY=/set" }, "/set" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		load_well(NULL, cases[i].environment, NULL);
		cr_expect_str_eq(config->state_directory, cases[i].path);
	}
	char *nothing[] = { NULL };
	struct config *none;
	char **no_notes;
	cr_assert(config_load(NULL, nothing, NULL, &none, &no_notes, &complaint) == -EINVAL);
	cr_expect_str_eq(
		complaint.text, "state_directory is not set, and there is no HOME to put it in");
}

static void expect_tags(const char *first, const char *second)
{
	cr_assert_eq(config->identity.tag_count, second ? 2 : 1);
	cr_expect_str_eq(config->identity.tags[0], first);
	if (second)
		cr_expect_str_eq(config->identity.tags[1], second);
}

Test(config, tags_are_a_json_array_or_a_comma_list)
{
	load_well("{\"identity\": {\"tags\": [\"a\", \"b,c\"]}}", NULL, NULL);
	expect_tags("a", "b,c");
	load_well(NULL, ENV("LANGFUSE_TAGS=[\"a\", \"b,c\"]"), NULL);
	expect_tags("a", "b,c");
	load_well(NULL, ENV("LANGFUSE_TAGS= a , b ,,"), NULL);
	expect_tags("a", "b");
	load_well(NULL, ENV("LANGFUSE_TAGS=alone"), NULL);
	expect_tags("alone", NULL);
	load_well("{\"identity\": {\"tags\": [\"a\"]}}", ENV("LANGFUSE_TAGS=[]"), NULL);
	cr_expect_eq(config->identity.tag_count, 0);
}

Test(config, where_user_release_and_tags_are_found_is_a_list_of_names)
{
	load_well("{\"identity\": {\"user_from\": [\"user.email\"], \"tags_from_resource\": []}}",
		ENV("TOLLGATE_IDENTITY_RELEASE_FROM=vcs.ref.head.revision, service.version"), NULL);
	cr_assert_eq(config->identity.user_from_count, 1);
	cr_expect_str_eq(config->identity.user_from[0], "user.email");
	cr_assert_eq(config->identity.release_from_count, 2);
	cr_expect_str_eq(config->identity.release_from[1], "service.version");
	cr_expect_eq(config->identity.tags_from_resource_count, 0);
}

Test(config, an_environment_is_lowered_as_langfuse_does)
{
	load_well(NULL, ENV("LANGFUSE_TRACING_ENVIRONMENT=Production_1"), NULL);
	cr_expect_str_eq(config->identity.environment, "production_1");
}

Test(config, a_destination_has_the_defaults_of_its_type)
{
	load_well(
		"{\"destinations\": {"
		"\"lf\": {\"type\": \"langfuse\", \"public_key\": \"pk\", \"secret_key\": \"sk\"},"
		"\"tempo\": {\"endpoint\": \"http://tempo:4318///\", \"type\": \"otlp\", \"in_flight\": 7,"
		"            \"traces_endpoint\": \"http://tempo/x/?y=z\","
		"            \"headers\": {\"X-Scope-OrgID\": \"a\"}},"
		"\"off\": {\"type\": \"langfuse\", \"enabled\": false}}}",
		NULL, NULL);
	cr_assert_eq(config->destination_count, 3);
	const struct destination_config *langfuse = &config->destinations[0],
					*tempo = &config->destinations[1];
	cr_expect_str_eq(langfuse->name, "lf");
	cr_expect_eq(langfuse->type, DESTINATION_LANGFUSE);
	cr_expect_str_eq(langfuse->endpoint, "https://cloud.langfuse.com");
	cr_expect_eq(langfuse->batch_timeout_ms, 1000);
	cr_expect_eq(langfuse->in_flight, 4);
	cr_expect(langfuse->enabled);
	cr_expect_eq(tempo->type, DESTINATION_OTLP);
	cr_expect_str_eq(tempo->endpoint, "http://tempo:4318");
	cr_expect_str_eq(tempo->traces_endpoint, "http://tempo/x/?y=z");
	cr_expect_eq(tempo->batch_timeout_ms, 200);
	cr_expect_eq(tempo->batch_size, 512);
	cr_expect_eq(tempo->in_flight, 7);
	cr_assert_eq(tempo->header_count, 1);
	cr_expect_str_eq(tempo->headers[0].name, "X-Scope-OrgID");
	cr_expect_str_eq(tempo->headers[0].value, "a");
	cr_expect_not(config->destinations[2].enabled);
}

Test(config, a_flag_reaches_into_a_destination)
{
	load_well(NULL, ENV("TOLLGATE_TEMPO_ENDPOINT=http://tempo:4318"),
		ENV("destinations.tempo.in_flight=9"));
	cr_expect_eq(config->destinations[0].in_flight, 9);
}

Test(config, a_destination_gets_all_content_unless_told_otherwise)
{
	load_well("{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://a\"},\n"
		  "\"b\": {\"type\": \"otlp\", \"endpoint\": \"http://b\", \"content\": \"cut\",\n"
		  "\"content_max_bytes\": \"16KiB\"}}}",
		ENV("TOLLGATE_TEMPO_ENDPOINT=http://tempo:4318", "TOLLGATE_TEMPO_CONTENT=none",
			LANGFUSE_KEYS, "TOLLGATE_LANGFUSE_CONTENT=cut"),
		ENV("destinations.a.content=cut"));
	const struct destination_config *a = config_destination(config, "a"),
					*b = config_destination(config, "b"),
					*tempo = config_destination(config, "tempo"),
					*langfuse = config_destination(config, "langfuse");
	cr_expect_eq(a->content, CONTENT_CUT);
	cr_expect_eq(a->content_max_bytes, 2048);
	cr_expect_eq(b->content, CONTENT_CUT);
	cr_expect_eq(b->content_max_bytes, 16384);
	cr_expect_eq(tempo->content, CONTENT_NONE);
	cr_expect_eq(langfuse->content, CONTENT_CUT);
	cr_expect_null(notes[0]);
}

Test(config, a_limit_on_content_that_is_not_cut_is_noted)
{
	load_well(NULL,
		ENV("TOLLGATE_TEMPO_ENDPOINT=http://x", "TOLLGATE_TEMPO_CONTENT_MAX_BYTES=100"),
		NULL);
	cr_expect_eq(config->destinations[0].content, CONTENT_FULL);
	cr_assert_not_null(notes[0]);
	cr_expect_str_eq(notes[0],
		"destinations.tempo.content_max_bytes does not apply: destinations.tempo.content "
		"is not \"cut\"");
}

Test(config, content_has_three_words)
{
	cr_assert_eq(
		load(NULL, ENV("TOLLGATE_TEMPO_ENDPOINT=http://x", "TOLLGATE_TEMPO_CONTENT=some"),
			NULL),
		-EINVAL);
	cr_expect_str_eq(
		complaint.text, "TOLLGATE_TEMPO_CONTENT must be one of full, cut, none, not some");
}

Test(config, the_seventeenth_destination_is_refused)
{
	char json[4096];
	int at = snprintf(json, sizeof json, "{\"destinations\": {");
	for (int i = 1; i <= 17; i++)
		at += snprintf(json + at, sizeof json - (size_t)at,
			"%s\n\"d%d\": {\"type\": \"otlp\", \"endpoint\": \"http://x\"}",
			i > 1 ? "," : "", i);
	snprintf(json + at, sizeof json - (size_t)at, "}}");
	cr_assert(load(json, NULL, NULL) == -EINVAL);
	cr_expect_str_eq(
		complaint.text, "destinations.d17 is one too many: there may be 16 destinations");
	cr_expect_eq(complaint.line, 18);
}

Test(config, the_variables_of_an_sdk_make_a_langfuse_destination)
{
	load_well(NULL,
		ENV(LANGFUSE_KEYS, "LANGFUSE_HOST=https://us.cloud.langfuse.com/",
			"LANGFUSE_FLUSH_AT=50", "LANGFUSE_FLUSH_INTERVAL=0.5",
			"LANGFUSE_TIMEOUT=20"),
		NULL);
	cr_assert_eq(config->destination_count, 1);
	const struct destination_config *langfuse = &config->destinations[0];
	cr_expect_str_eq(langfuse->name, "langfuse");
	cr_expect_str_eq(langfuse->public_key, "pk-lf-1");
	cr_expect_str_eq(langfuse->secret_key, "sk-lf-1");
	cr_expect_str_eq(langfuse->endpoint, "https://us.cloud.langfuse.com");
	cr_expect_eq(langfuse->batch_size, 50);
	cr_expect_eq(langfuse->batch_timeout_ms, 500);
	cr_expect_eq(langfuse->timeout_ms, 20000);
	cr_expect_null(notes[0]);
}

Test(config, seconds_become_milliseconds)
{
	static const struct {
		char *written;
		uint64_t ms;
	} cases[] = { { "LANGFUSE_TIMEOUT=5", 5000 }, { "LANGFUSE_TIMEOUT=.05", 50 },
		{ "LANGFUSE_TIMEOUT=1.2345", 1234 }, { "LANGFUSE_TIMEOUT=2.", 2000 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		load_well(NULL, ENV(LANGFUSE_KEYS, cases[i].written), NULL);
		cr_expect_eq(
			config->destinations[0].timeout_ms, cases[i].ms, "%s", cases[i].written);
	}
}

Test(config, base_url_wins_over_host_and_host_over_baseurl)
{
	load_well(NULL,
		ENV("LANGFUSE_BASE_URL=http://a", "LANGFUSE_HOST=http://b",
			"LANGFUSE_BASEURL=http://c", LANGFUSE_KEYS),
		NULL);
	cr_expect_str_eq(config->destinations[0].endpoint, "http://a");
	load_well(NULL, ENV("LANGFUSE_HOST=http://b", "LANGFUSE_BASEURL=http://c", LANGFUSE_KEYS),
		NULL);
	cr_expect_str_eq(config->destinations[0].endpoint, "http://b");
}

Test(config, langfuse_can_be_switched_off)
{
	static char *const off[] = { "LANGFUSE_ENABLED=0", "LANGFUSE_ENABLED=false",
		"LANGFUSE_TRACING_ENABLED=False" };
	static char *const on[] = { "LANGFUSE_ENABLED=1", "LANGFUSE_TRACING_ENABLED=true",
		"LANGFUSE_ENABLED=" };
	for (size_t i = 0; i < 3; i++) {
		load_well(NULL, ENV(LANGFUSE_KEYS, off[i]), NULL);
		cr_expect_not(config->destinations[0].enabled, "%s", off[i]);
		load_well(NULL, ENV(LANGFUSE_KEYS, on[i]), NULL);
		cr_expect(config->destinations[0].enabled, "%s", on[i]);
	}
}

Test(config, the_environment_completes_the_destination_of_the_file)
{
	load_well(
		"{\"destinations\": {\"langfuse\": {\"type\": \"langfuse\", \"public_key\": \"pk-file\","
		"\"endpoint\": \"http://file\"}}}",
		ENV("LANGFUSE_SECRET_KEY=sk-env"), NULL);
	cr_assert_eq(config->destination_count, 1);
	cr_expect_str_eq(config->destinations[0].public_key, "pk-file");
	cr_expect_str_eq(config->destinations[0].secret_key, "sk-env");
	cr_expect_str_eq(config->destinations[0].endpoint, "http://file");
}

Test(config, tempo_comes_from_its_variables_with_decoded_headers)
{
	load_well(NULL,
		ENV("TOLLGATE_TEMPO_ENDPOINT=http://tempo:4318",
			"TOLLGATE_TEMPO_HEADERS=authorization=Basic%20YTpi, X-Scope-OrgID = team%2Ca"),
		NULL);
	cr_assert_eq(config->destination_count, 1);
	const struct destination_config *tempo = &config->destinations[0];
	cr_expect_str_eq(tempo->name, "tempo");
	cr_expect_eq(tempo->type, DESTINATION_OTLP);
	cr_assert_eq(tempo->header_count, 2);
	cr_expect_str_eq(tempo->headers[0].name, "authorization");
	cr_expect_str_eq(tempo->headers[0].value, "Basic YTpi");
	cr_expect_str_eq(tempo->headers[1].name, "X-Scope-OrgID");
	cr_expect_str_eq(tempo->headers[1].value, "team,a");
}

Test(config, a_header_cannot_smuggle_another_one)
{
	cr_assert(load(NULL,
			  ENV("TOLLGATE_TEMPO_ENDPOINT=http://x",
				  "TOLLGATE_TEMPO_HEADERS=a=b%0d%0aEvil: 1"),
			  NULL) == -EINVAL);
	cr_expect_str_eq(complaint.text, "TOLLGATE_TEMPO_HEADERS.a must be one line");
}

Test(config, a_secret_comes_from_a_file_without_its_line_end)
{
	char environment[160];
	snprintf(environment, sizeof environment, "LANGFUSE_SECRET_KEY_FILE=%s",
		write_file("key", "sk-file\r\n", 0400));
	load_well(NULL, ENV("LANGFUSE_PUBLIC_KEY=pk", environment), NULL);
	cr_expect_str_eq(config->destinations[0].secret_key, "sk-file");
}

Test(config, a_secret_file_that_is_open_empty_or_long_is_refused)
{
	static const struct {
		const char *content;
		mode_t mode;
		const char *words;
	} cases[] = {
		{ "sk-file\n", 0644, "which everyone can read: chmod o= " },
		{ "sk-\xff\n", 0600, "which must hold one word and nothing else" },
		{ "\n", 0600, "which must hold one word and nothing else" },
		{ "sk one\nsk two\n", 0600, "which must hold one word and nothing else" },
		{ NULL, 0600, "which is larger than 500 bytes: a key is one short line" },
	};
	char large[8192];
	memset(large, 'k', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char environment[160], words[256];
		const char *path = write_file(
			"key", cases[i].content ? cases[i].content : large, cases[i].mode);
		snprintf(environment, sizeof environment, "LANGFUSE_SECRET_KEY_FILE=%s", path);
		snprintf(words, sizeof words, "LANGFUSE_SECRET_KEY_FILE names %s, %s%s", path,
			cases[i].words, cases[i].mode & 007 ? path : "");
		cr_expect(load(NULL, ENV("LANGFUSE_PUBLIC_KEY=pk", environment), NULL) == -EINVAL);
		cr_expect_str_eq(complaint.text, words);
		cr_assert(unlink(path) == 0);
	}
}

Test(config, what_the_service_manager_keeps_for_us_is_found_where_it_says)
{
	static const char json[] =
		"{\"access\": {\"keys_file\": \"$CREDENTIALS_DIRECTORY/keys\"},"
		" \"destinations\": {\"langfuse\": {\"type\": \"langfuse\","
		"  \"public_key_file\": \"$CREDENTIALS_DIRECTORY/key\", \"secret_key\": \"sk-lf\"}}}";
	char where[64], keys[64];
	snprintf(where, sizeof where, "CREDENTIALS_DIRECTORY=%s", directory);
	snprintf(keys, sizeof keys, "%s", write_file("keys", "", 0400));
	write_file("key", "pk-lf\n", 0400);
	load_well(json, ENV(where), NULL);
	cr_expect_str_eq(config->destinations[0].public_key, "pk-lf");
	cr_expect_str_eq(config->access.keys_file, keys);
	load_well(NULL,
		ENV(where, "LANGFUSE_SECRET_KEY_FILE=$CREDENTIALS_DIRECTORY/key",
			"LANGFUSE_PUBLIC_KEY=$CREDENTIALS_DIRECTORY/key"),
		NULL);
	cr_expect_str_eq(config->destinations[0].secret_key, "pk-lf");
	cr_expect_str_eq(config->destinations[0].public_key, "$CREDENTIALS_DIRECTORY/key",
		"a key is no path");
}

Test(config, without_a_service_manager_its_directory_is_a_mistake_in_words)
{
	char longest[CONFIG_PATH_MAX + 64] = "CREDENTIALS_DIRECTORY=";
	char *const flags[] = { "pricing.file=$CREDENTIALS_DIRECTORY/prices.json", NULL };
	cr_expect_eq(load(NULL, NULL, flags), -EINVAL);
	cr_expect_str_eq(complaint.text,
		"--set pricing.file names $CREDENTIALS_DIRECTORY/prices.json, but "
		"CREDENTIALS_DIRECTORY is not set: systemd sets it in a unit with LoadCredential=");
	cr_expect_eq(load(NULL, ENV("CREDENTIALS_DIRECTORY=/no/such"), flags), -EINVAL);
	cr_expect(strstr(complaint.text, "not /no/such/prices.json"), "%s", complaint.text);
	memset(longest + strlen(longest), 'x', CONFIG_PATH_MAX - 8);
	cr_expect_eq(load(NULL, ENV(longest), flags), -EINVAL);
	cr_expect_str_eq(complaint.text, "--set pricing.file names a path that is too long");
}

Test(config, what_is_no_secret_may_stand_in_an_open_file)
{
	char *environment[] = { "HOME=/home/nobody", NULL };
	char text[512];
	snprintf(text, sizeof text,
		"{\"destinations\": {"
		"\"lf\": {\"type\": \"langfuse\", \"public_key\": \"p\", \"secret_key\": null,"
		"         \"secret_key_file\": \"%s\"},"
		"\"tempo\": {\"type\": \"otlp\", \"endpoint\": \"http://x\","
		"            \"headers\": {\"X-Scope-OrgID\": \"team-a\"}}}}",
		write_file("key", "sk-file\n", 0440));
	const char *path = write_file("open.json", text, 0444);
	cr_assert(config_load(path, environment, NULL, &config, &notes, &complaint) == 0, "%s",
		complaint.text);
	cr_expect_str_eq(config->destinations[0].secret_key, "sk-file");
}

Test(config, the_file_is_the_named_one_then_the_persons_then_the_machines)
{
	char found[CONFIG_PATH_MAX], named[160], xdg[160], home[160], wanted[160];
	snprintf(named, sizeof named, "TOLLGATE_CONFIG=%s", "/no/such.json");
	snprintf(xdg, sizeof xdg, "XDG_CONFIG_HOME=%s", directory);
	snprintf(home, sizeof home, "HOME=%s", directory);
	const char *none = config_find_file(ENV(xdg, home), found);
	cr_assert(!none || strcmp(none, "/etc/tollgate/tollgate.json") == 0);

	cr_assert(mkdir(path_of(".config"), 0700) == 0);
	cr_assert(mkdir(path_of(".config/tollgate"), 0700) == 0);
	snprintf(wanted, sizeof wanted, "%s",
		write_file(".config/tollgate/tollgate.json", "", 0600));
	cr_expect_str_eq(config_find_file(ENV(home), found), wanted);
	cr_expect_str_eq(config_find_file(ENV(home, "XDG_CONFIG_HOME=relative"), found), wanted);

	cr_assert(mkdir(path_of("tollgate"), 0700) == 0);
	snprintf(wanted, sizeof wanted, "%s", write_file("tollgate/tollgate.json", "", 0600));
	cr_expect_str_eq(config_find_file(ENV(home, xdg), found), wanted);
	cr_expect_str_eq(config_find_file(ENV(home, xdg, named), found), "/no/such.json");
}

static const char *origin_of(const json_t *values, const char *name)
{
	const json_t *value = json_object_get(values, name);
	cr_assert(value, "%s", name);
	return json_string_value(json_object_get(value, "origin"));
}

static void expect_origin(const json_t *values, const char *name, const char *wanted)
{
	cr_expect_str_eq(origin_of(values, name), wanted, "%s", name);
}

Test(config, each_value_says_where_it_comes_from)
{
	char file[160];
	load_well(
		"{\"listen\": \"127.0.0.1:1\",\n\"http\": {\"threads\": null,\n\"idle_timeout_ms\": 100},\n"
		"\"destinations\": {\"langfuse\": {\"type\": \"langfuse\",\n\"public_key\": \"pk\","
		"\"secret_key\": \"sk\",\n\"headers\": {\"a\": \"b\"}}}}",
		ENV("LANGFUSE_SECRET_KEY=sk-2", "TOLLGATE_HTTP_IDLE_TIMEOUT_MS=200",
			"TOLLGATE_TEMPO_ENDPOINT=http://x", "RUNTIME_DIRECTORY=/run/t:/run/u"),
		ENV("http.max_connections=7", "destinations.tempo.in_flight=2"));
	json_t *values = config_values(config);
	snprintf(file, sizeof file, "%s:1", path_of("tollgate.json"));
	expect_origin(values, "listen", file);
	expect_origin(values, "http.threads", "default");
	expect_origin(values, "http.idle_timeout_ms", "environment TOLLGATE_HTTP_IDLE_TIMEOUT_MS");
	expect_origin(values, "http.max_connections", "flag --set");
	expect_origin(values, "state_directory", "environment HOME");
	expect_origin(values, "control_socket", "environment RUNTIME_DIRECTORY");
	file[strlen(file) - 1] = '5';
	expect_origin(values, "destinations.langfuse.public_key", file);
	expect_origin(
		values, "destinations.langfuse.secret_key", "environment LANGFUSE_SECRET_KEY");
	file[strlen(file) - 1] = '6';
	expect_origin(values, "destinations.langfuse.headers", file);
	expect_origin(values, "destinations.langfuse.endpoint", "default");
	expect_origin(values, "destinations.tempo.type", "environment TOLLGATE_TEMPO_ENDPOINT");
	expect_origin(values, "destinations.tempo.in_flight", "flag --set");
	cr_expect_null(json_object_get(values, "destinations.langfuse.secret_key_file"));
	json_decref(values);

	char environment[160];
	snprintf(environment, sizeof environment, "LANGFUSE_SECRET_KEY_FILE=%s",
		write_file("key", "sk-file\n", 0400));
	load_well(NULL, ENV("LANGFUSE_PUBLIC_KEY=pk", environment), NULL);
	values = config_values(config);
	expect_origin(
		values, "destinations.langfuse.secret_key", "environment LANGFUSE_SECRET_KEY_FILE");
	json_decref(values);
}

/* What may be seen of a configuration: everything but what lets somebody in. */
Test(config, secrets_are_masked_wherever_values_are_shown)
{
	load_well("{\"destinations\": {\"t\": {\"type\": \"otlp\", \"endpoint\": \"http://x\","
		  "\"traces_endpoint\": \"http://x/y?token=hidden\","
		  "\"headers\": {\"Authorization\": \"Bearer hidden\"}}}}",
		ENV("LANGFUSE_PUBLIC_KEY=pk-seen", "LANGFUSE_SECRET_KEY=sk-hidden"), NULL);
	json_t *values = config_values(config);
	char *json = json_dumps(values, JSON_COMPACT);
	static char text[32 << 10];
	cr_redirect_stdout();
	config_print_values(config);
	fflush(stdout);
	text[fread(text, 1, sizeof text - 1, cr_get_redirected_stdout())] = '\0';
	const char *shown[] = { json, text };
	for (size_t i = 0; i < 2; i++) {
		cr_expect_null(strstr(shown[i], "hidden"), "%s", shown[i]);
		cr_expect_not_null(strstr(shown[i], "pk-seen"));
		cr_expect_not_null(strstr(shown[i], "{\"Authorization\":\"********\"}"));
		cr_expect_not_null(strstr(shown[i], "http://x/y?********"));
	}
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		cr_expect_leq(strcspn(line, "\n"), 80, "%.*s", 90, line);
	free(json);
	json_decref(values);
}

Test(config, a_key_stands_directly_before_the_file_that_may_hold_it)
{
	for (size_t section = 0; section < SECTION_COUNT; section++)
		for (size_t i = 0; i < sections[section].setting_count; i++) {
			const struct setting *row = &sections[section].settings[i];
			cr_expect_eq(setting_of(row)->offset, row->offset, "%s", row->name);
		}
}

static void note_difference(const char *name, const struct setting *row, void *arg)
{
	char *names = arg;
	snprintf(names + strlen(names), 512 - strlen(names), "%s%s ", name,
		row && row->is_reloaded ? "!" : "");
}

Test(config, what_differs_is_told_by_name_and_whether_a_running_daemon_takes_it)
{
	static const char before[] =
		"{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://x\","
		" \"headers\": {\"k\": \"1\"}}, \"b\": {\"type\": \"langfuse\", \"enabled\": false}}}";
	static const char now[] =
		"{\"log_level\": \"debug\", \"identity\": {\"tags\": [\"t\"]}, \"http\": {\"threads\": 3},"
		" \"destinations\": {\"c\": {\"type\": \"langfuse\", \"enabled\": false},"
		" \"a\": {\"type\": \"otlp\", \"endpoint\": \"http://y\", \"headers\": {\"k\": \"2\"}}}}";
	char names[512] = "";
	struct config *first;
	load_well(before, NULL, NULL);
	first = config;
	config = NULL;
	load_well(before, NULL, NULL);
	config_compare(first, config, note_difference, names);
	cr_expect_str_eq(names, "");
	load_well(now, NULL, NULL);
	config_compare(first, config, note_difference, names);
	cr_expect_str_eq(names,
		"log_level! http.threads identity.tags destinations.c destinations.a.endpoint "
		"destinations.a.headers! destinations.b ");
	config_free(first);
}

/* ---- projects ---- */

#define PAIR(public, secret) "{\"public_key\": \"" public "\", \"secret_key\": \"" secret "\"}"
#define LF "\"lf\": {\"type\": \"langfuse\", \"public_key\": \"pk\", \"secret_key\": \"sk\"}"
#define DESTINATIONS(...) "{\"destinations\": {" __VA_ARGS__ "},\n"

Test(config, a_project_has_a_pair_and_gateway_keys)
{
	char text[512];
	snprintf(text, sizeof text,
		DESTINATIONS(LF) "\"projects\": {\"gone\": null, \"team-a\": " PAIR(
			"pk-a", "sk-a") ",\n\"team-b\": {\"public_key\": \"pk-b\", "
					"\"secret_key_file\": \"%s\","
					"\"gateway_keys_file\": \"/dev/null\"}}}",
		write_file("key", "sk-b\n", 0400));
	load_well(text, NULL, NULL);
	cr_assert_eq(config->project_count, 2);
	const struct project_config *a = &config->projects[0], *b = &config->projects[1];
	cr_expect_str_eq(a->name, "team-a");
	cr_expect_str_eq(a->public_key, "pk-a");
	cr_expect_str_eq(a->secret_key, "sk-a");
	cr_expect_null(a->gateway_keys_file);
	cr_expect_str_eq(b->secret_key, "sk-b");
	cr_expect_str_eq(b->gateway_keys_file, "/dev/null");
	cr_expect_str_eq(config_langfuse(config)->name, "lf");

	char file[160];
	json_t *values = config_values(config);
	snprintf(file, sizeof file, "%s:3", path_of("tollgate.json"));
	expect_origin(values, "projects.team-b.secret_key", file);
	expect_origin(values, "projects.team-a.gateway_keys_file", "default");
	char *shown = json_dumps(values, JSON_COMPACT);
	cr_expect_null(strstr(shown, "sk-"), "%s", shown);
	free(shown);
	json_decref(values);
	load_well(text, NULL, ENV("projects.team-a.public_key=pk-flag"));
	cr_expect_str_eq(config->projects[0].public_key, "pk-flag");
}

Test(config, a_wrong_project_is_told_with_its_line)
{
	static const struct {
		const char *projects, *why;
		int line;
	} cases[] = {
		{ "\n\"default\": " PAIR("p", "s"),
			"projects.default is the project whose keys the destination has: choose "
			"another name",
			3 },
		{ "\n\"Team A\": " PAIR("p", "s"),
			"the name of a project must be 1 to 32 of a-z, 0-9, - and _, not \"Team A\"",
			3 },
		{ "\n\"a\": \"sk\"",
			"projects.a must be an object such as {\"public_key_file\": "
			"\"/run/keys/public\", \"secret_key_file\": \"/run/keys/secret\"}",
			3 },
		{ "\n\"a\": {\"public_key\": \"p\"}",
			"projects.a needs public_key and secret_key (or secret_key_file)", 3 },
		{ "\n\"a\": {\"secret_key\": \"s\"}",
			"projects.a needs public_key and secret_key (or public_key_file)", 3 },
		{ "\n\"a\": {\"secret_key\": \"s\",\n\"secret_key_file\": \"/f\"}",
			"projects.a has both secret_key and secret_key_file: keep one", 3 },
		{ "\n\"a\": {\"public_key\": \"p\",\n\"secret\": \"s\"}",
			"projects.a.secret is no setting; the nearest is projects.a.secret_key",
			4 },
		{ "\n\"a\": {\"public_key\": \"p\",\n\"secret_key\": \"s:s\"}",
			"projects.a.secret_key must be one word without blanks and colons", 4 },
		{ "\n\"a\": {\"public_key\": \"p\",\n\"gateway_keys_file\": \"/no/such\"}",
			"projects.a.gateway_keys_file must be the path of a file that can be read, "
			"not /no/such",
			4 },
		{ "\"a\": " PAIR("pk-1", "s") ",\n\"b\": " PAIR("pk-1", "t"),
			"projects.b has the public_key of projects.a: each project has its own",
			3 },
		{ "\n\"a\": " PAIR("pk", "s"),
			"projects.a has the public_key of destinations.lf: each project has its own",
			3 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		snprintf(text, sizeof text, DESTINATIONS(LF) "\"projects\": {%s}}",
			cases[i].projects);
		cr_assert_eq(load(text, NULL, NULL), -EINVAL, "%s", cases[i].why);
		cr_expect_str_eq(complaint.text, cases[i].why);
		cr_expect_eq(complaint.line, cases[i].line, "%s: %d", cases[i].why, complaint.line);
	}
	cr_assert_eq(load("{\"projects\": 1}", NULL, NULL), -EINVAL);
	cr_expect_str_eq(complaint.text, "projects must be an object with settings in it");
	cr_assert_eq(load("{\"project\": {}}", NULL, NULL), -EINVAL);
	cr_expect_str_eq(complaint.text, "project is no setting; the nearest is projects");
	cr_assert_eq(load(NULL, NULL, ENV("projects.a.public_key=p")), -EINVAL);
	cr_expect_str_eq(complaint.text,
		"--set projects.a.public_key: neither file nor environment has this project");
	cr_assert_eq(load(NULL, NULL, ENV("projects.a.secret_key=p")), -EINVAL);
}

Test(config, a_project_needs_a_langfuse)
{
	static const char *const others[] = { "",
		"\"t\": {\"type\": \"otlp\", \"endpoint\": \"http://x\"}",
		"\"lf\": {\"type\": \"langfuse\", \"enabled\": false}" };
	for (size_t i = 0; i < 3; i++) {
		char text[512];
		snprintf(text, sizeof text, DESTINATIONS("%s") "\"projects\": {\"a\": %s}}",
			others[i], PAIR("p", "s"));
		cr_assert_eq(load(text, NULL, NULL), -EINVAL);
		cr_expect_str_eq(complaint.text,
			"projects.a needs an enabled destination of type langfuse for its traces");
		cr_expect_null(config);
	}
	load_well("{\"projects\": {\"a\": " PAIR("p", "s") "}}", ENV(LANGFUSE_KEYS), NULL);
	cr_expect_str_eq(config_langfuse(config)->name, "langfuse");
}

Test(config, the_proxy_stands_before_the_named_langfuse_or_the_first)
{
#define SECOND "\"two\": {\"type\": \"langfuse\", \"public_key\": \"p2\", \"secret_key\": \"s2\"}"
#define OTHER "\"t\": {\"type\": \"otlp\", \"endpoint\": \"http://x\"}"
	static const char all[] = DESTINATIONS(OTHER "," LF "," SECOND) "\"listen\": null}";
	load_well(all, NULL, NULL);
	cr_expect_str_eq(config_langfuse(config)->name, "lf");
	load_well(all, NULL, ENV("destinations.lf.enabled=false"));
	cr_expect_str_eq(config_langfuse(config)->name, "two");
	load_well(all, NULL, ENV("proxy.destination=two"));
	cr_expect_str_eq(config_langfuse(config)->name, "two");
	load_well(NULL, NULL, NULL);
	cr_expect_null(config_langfuse(config));
	static char *const wrong[] = { "proxy.destination=t", "proxy.destination=three" };
	for (size_t i = 0; i < 2; i++) {
		char wanted[128];
		snprintf(wanted, sizeof wanted,
			"proxy.destination must name an enabled destination of type langfuse, not %s",
			strchr(wrong[i], '=') + 1);
		cr_assert_eq(load(all, NULL, ENV(wrong[i])), -EINVAL);
		cr_expect_str_eq(complaint.text, wanted);
	}
}

Test(config, the_sixty_fifth_project_is_refused)
{
	static char json[16 << 10];
	int at = snprintf(json, sizeof json, DESTINATIONS(LF) "\"projects\": {");
	for (int i = 1; i <= 65; i++)
		at += snprintf(json + at, sizeof json - (size_t)at,
			"%s\n\"p%d\": {\"public_key\": \"pk-%d\", \"secret_key\": \"s\"}",
			i > 1 ? "," : "", i, i);
	snprintf(json + at, sizeof json - (size_t)at, "}}");
	cr_assert(load(json, NULL, NULL) == -EINVAL);
	cr_expect_str_eq(complaint.text, "projects.p65 is one too many: there may be 64 projects");
	cr_expect_eq(complaint.line, 67);
}

Test(config, a_projects_secret_does_not_stand_in_an_open_file)
{
	char *environment[] = { "HOME=/home/nobody", NULL };
	const char *path =
		write_file("open.json", "{\"projects\": {\"a\":\n" PAIR("p", "hidden") "}}", 0644);
	cr_assert(config_load(path, environment, NULL, &config, &notes, &complaint) == -EINVAL);
	cr_expect(
		strstr(complaint.text,
			"projects.a.secret_key stands in a file that everyone can read: chmod o="),
		"%s", complaint.text);
	cr_expect_null(strstr(complaint.text, "hidden"));
	cr_expect_eq(complaint.line, 2);
}

Test(config, a_projects_keys_are_taken_over_and_a_project_that_comes_or_goes_is_told)
{
	char names[512] = "";
	load_well(DESTINATIONS(LF) "\"projects\": {\"a\": " PAIR("p", "s") ",\"b\": " PAIR(
			  "p2", "s") "}}",
		NULL, NULL);
	struct config *first = config;
	config = NULL;
	load_well(DESTINATIONS(LF) "\"projects\": {\"c\": " PAIR("p2", "s") ",\"a\": " PAIR(
			  "p3", "s3") "}}",
		NULL, NULL);
	config_compare(first, config, note_difference, names);
	cr_expect_str_eq(
		names, "projects.c projects.a.public_key! projects.a.secret_key! projects.b ");
	config_free(first);
}

Test(config, what_is_set_but_does_not_apply_is_noted)
{
	load_well(NULL,
		ENV("LANGFUSE_SAMPLE_RATE=0.1", "LANGFUSE_HOSTT=http://x", "LANGFUSE_HOST=http://x",
			"LANGFUSE_MAX_RETRIES=3", "LANGFUSE_THREADS=",
			"TOLLGATE_URL=http://127.0.0.1:4318", "TOLLGATE_CONFIG=/x"),
		NULL);
	static const char *const wanted[] = {
		"LANGFUSE_HOST is set but does not apply here: there is no destination langfuse; set LANGFUSE_PUBLIC_KEY "
		"and LANGFUSE_SECRET_KEY",
		"LANGFUSE_SAMPLE_RATE is set but does not apply here: every span is kept; sample where spans are made",
		"LANGFUSE_MAX_RETRIES is set but does not apply here: a batch is kept and tried until the destination "
		"has it",
		"LANGFUSE_HOSTT is set but does not apply here: it is not known; the nearest is LANGFUSE_HOST",
	};
	for (size_t i = 0; i < 4; i++) {
		cr_assert_not_null(notes[i]);
		cr_expect_str_eq(notes[i], wanted[i]);
	}
	cr_expect_null(notes[4]);
}

Test(config, debug_of_the_sdk_is_the_log_level)
{
	load_well("{\"log_level\": \"warning\"}", ENV("LANGFUSE_DEBUG=True"), NULL);
	cr_expect_str_eq(config->log_level, "debug");
	load_well("{\"log_level\": \"warning\"}", ENV("LANGFUSE_DEBUG=false"), NULL);
	cr_expect_str_eq(config->log_level, "warning");
}

Test(config, each_setting_has_its_own_variable)
{
	for (size_t i = 0; i < setting_count; i++) {
		char a[SETTING_VARIABLE_MAX], b[SETTING_VARIABLE_MAX];
		setting_variable(&settings[i], a);
		cr_expect_lt(strlen(a), SETTING_VARIABLE_MAX - 1);
		for (size_t j = 0; j < variable_count; j++)
			cr_expect_str_neq(a, variables[j].name);
		for (size_t j = 0; j < i; j++) {
			setting_variable(&settings[j], b);
			cr_expect_str_neq(a, b);
		}
	}
}

Test(config, the_help_names_each_setting_within_80_columns)
{
	static char help[64 << 10];
	cr_redirect_stdout();
	config_print_settings();
	fflush(stdout);
	FILE *printed = cr_get_redirected_stdout();
	size_t len = fread(help, 1, sizeof help - 1, printed);
	help[len] = '\0';
	for (size_t i = 0; i < setting_count; i++) {
		char line[160];
		snprintf(line, sizeof line, "\n  %s = %s", settings[i].name,
			settings[i].fallback ? settings[i].fallback : "(unset)");
		cr_expect(strstr(help, line), "%s", line);
	}
	for (size_t section = 0; section < SECTION_COUNT; section++)
		for (size_t i = 0; i < sections[section].setting_count; i++) {
			char line[80];
			snprintf(line, sizeof line, "\n  %s.NAME.%s = ", sections[section].name,
				sections[section].settings[i].name);
			cr_expect(strstr(help, line), "%s", line);
		}
	for (const char *line = help; (line = strchr(line, '\n')); line++)
		cr_expect_leq(strcspn(line + 1, "\n"), 80, "%.*s", 90, line + 1);
}
