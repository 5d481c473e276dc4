/* Who sends, what came of it, and what is missing in it. */
#include "sources.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "dialects/dialect.h"
#include "otlp/json.h"
#include "support/scratch.h"

#define S UINT64_C(1000000000)
#define NOON (UINT64_C(29905200) * 60 * S) /* of 2026-11-10 */

#define CLAUDE_LOGS "com.anthropic.claude_code.events"
#define CODEX_LOGS "codex_otel.log_only"

enum { REQUEST_MAX = 1 << 20, MAX_DEPTH = 32 };

static uint64_t now_ms = 1000;

uint64_t __wrap_clock_monotonic_ms(void);

uint64_t __wrap_clock_monotonic_ms(void)
{
	return now_ms;
}

static char directory[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 16];
static struct sources *sources;

static void begin(void)
{
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(path, sizeof path, "%s/sources.json", directory);
	cr_assert_eq(sources_open(directory, &sources), 0);
}

static void end(void)
{
	sources_close(sources);
	scratch_remove(directory);
}

TestSuite(sources, .init = begin, .fini = end);

/* ---- what is sent ---- */

static struct buf request_of(enum signal signal, const char *json)
{
	struct complaint complaint = { 0 };
	struct buf request;
	buf_init(&request, REQUEST_MAX, NULL);
	cr_assert_eq(json_to_request(bytes_of(json), signal, MAX_DEPTH, &request, &complaint), 0,
		"%s", complaint.text);
	return request;
}

static void note(enum signal signal, const char *json, uint32_t items, uint64_t now_ns)
{
	struct buf request = request_of(signal, json);
	sources_note(sources, signal, buf_bytes(&request), items, now_ns);
	buf_done(&request);
}

#define TEXT(key, value) "{\"key\": \"" key "\", \"value\": {\"stringValue\": \"" value "\"}}"
#define RESOURCE(name, version) \
	"\"resource\": {\"attributes\": [" TEXT("host.name", "h") "," TEXT( \
		"service.name", name) "," TEXT("service.version", version) "]}"
#define LOGS(name, version, scope, records) \
	"{" RESOURCE(name, version) ", \"scopeLogs\": [{\"scope\": {\"name\": \"other\"}}," \
				    "{\"scope\": {\"name\": \"" scope \
				    "\"}, \"logRecords\": [" records "]}]}"
#define ONE_LOGS(name, version, scope) "{\"resourceLogs\": [" LOGS(name, version, scope, "{}") "]}"
#define METRICS(name, version, scope) \
	"{\"resourceMetrics\": [{" RESOURCE(name, version) ", \"scopeMetrics\": [{\"scope\": " \
							   "{\"name\": \"" scope \
							   "\"}, \"metrics\": [{}]}]}]}"
#define SPANS(name, version) \
	"{\"resourceSpans\": [{" RESOURCE( \
		name, version) ", \"scopeSpans\": [{\"scope\": " \
			       "{\"name\": \"app\"}, \"spans\": [{}, {}]}]}]}"

static void note_logs_of(const char *name, uint64_t now_ns)
{
	char json[8192];
	snprintf(json, sizeof json,
		"{\"resourceLogs\": [{\"resource\": {\"attributes\": [{\"key\": \"service.name\","
		" \"value\": {\"stringValue\": \"%s\"}}]}, \"scopeLogs\": [{\"logRecords\": [{}]}]}]}",
		name);
	note(SIGNAL_LOGS, json, 1, now_ns);
}

/* ---- what is told ---- */

static json_t *answer_at(uint64_t now_ns)
{
	json_t *answer = sources_json(sources, now_ns);
	cr_assert(answer);
	return answer;
}

static char *text_of(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9));
	cr_assert(text);
	return text;
}

/* Quotes in `wanted` are written as '. */
static void expect_told(uint64_t now_ns, const char *wanted)
{
	json_t *answer = answer_at(now_ns);
	char *text = text_of(json_object_get(answer, "sources"));
	for (char *at = text; *at; at++)
		*at = *at == '"' ? '\'' : *at;
	cr_expect_str_eq(text, wanted);
	free(text);
	json_decref(answer);
}

static size_t count_told(void)
{
	json_t *answer = answer_at(NOON);
	size_t count = json_array_size(json_object_get(answer, "sources"));
	json_decref(answer);
	return count;
}

/* A number of the first source; -1: there is none. Ends with NULL. */
static double number_at(uint64_t now_ns, ...)
{
	json_t *answer = answer_at(now_ns);
	const json_t *at = json_array_get(json_object_get(answer, "sources"), 0);
	va_list names;
	va_start(names, now_ns);
	for (const char *name; (name = va_arg(names, const char *));)
		at = json_object_get(at, name);
	va_end(names);
	double number = at ? json_number_value(at) : -1;
	json_decref(answer);
	return number;
}

static bool is_known(const char *name)
{
	json_t *answer = answer_at(NOON), *row;
	size_t i;
	bool is_there = false;
	json_array_foreach(json_object_get(answer, "sources"), i, row)
		is_there |= strcmp(json_string_value(json_object_get(row, "name")), name) == 0;
	json_decref(answer);
	return is_there;
}

static void start_again(void)
{
	sources_close(sources);
	cr_assert_eq(sources_open(directory, &sources), 0);
}

/* ---- tests ---- */

Test(sources, what_came_is_counted_for_each_signal)
{
	note(SIGNAL_TRACES, SPANS("shop", "1.2"), 2, NOON);
	note(SIGNAL_TRACES, SPANS("shop", "1.2"), 2, NOON + S);
	note(SIGNAL_LOGS, ONE_LOGS("shop", "1.2", "app"), 1, NOON + 2 * S);
	expect_told(NOON + 3 * S,
		"[{'name':'shop','cli':null,'version':'1.2','first_ns':1794312000000000000,"
		"'last_ns':1794312002000000000,'signals':{"
		"'traces':{'items':4,'requests':2,'first_ns':1794312000000000000,"
		"'last_ns':1794312001000000000,'per_minute':0.8},"
		"'logs':{'items':1,'requests':1,'first_ns':1794312002000000000,"
		"'last_ns':1794312002000000000,'per_minute':0.2}},'lacks':{}}]");
}

Test(sources, nothing_came_and_nothing_is_told)
{
	expect_told(NOON, "[]");
	sources_note(NULL, SIGNAL_LOGS, (struct bytes){ 0 }, 1, NOON);
	sources_note_hook(NULL, &dialect_codex, NOON);
	sources_note_lacks(
		NULL, &dialect_codex.cli, (struct bytes){ 0 }, &(struct lacks){ 0 }, NOON);
}

Test(sources, the_one_that_spoke_last_comes_first)
{
	note_logs_of("first", NOON);
	note_logs_of("second", NOON + S);
	cr_expect_eq(number_at(NOON, "last_ns", NULL), (double)(NOON + S));
	note_logs_of("first", NOON + 2 * S);
	cr_expect_eq(number_at(NOON, "last_ns", NULL), (double)(NOON + 2 * S));
	cr_expect_eq(number_at(NOON, "first_ns", NULL), (double)NOON);
}

Test(sources, a_new_version_is_the_same_source)
{
	note(SIGNAL_LOGS, ONE_LOGS("shop", "1.2", "app"), 1, NOON);
	note(SIGNAL_LOGS, ONE_LOGS("shop", "1.3", "app"), 1, NOON);
	json_t *answer = answer_at(NOON);
	const json_t *rows = json_object_get(answer, "sources");
	cr_expect_eq(json_array_size(rows), 1);
	cr_expect_str_eq(
		json_string_value(json_object_get(json_array_get(rows, 0), "version")), "1.3");
	json_decref(answer);
}

Test(sources, each_resource_of_a_request_is_a_source_with_its_items)
{
	note(SIGNAL_LOGS,
		"{\"resourceLogs\": [" LOGS("one", "1", "app", "{},{},{}") "," LOGS(
			"none", "1", "app", "") "," LOGS("two", "1", "app", "{}") "]}",
		4, NOON);
	cr_expect_eq(count_told(), 2);
	cr_expect(is_known("one") && is_known("two"));
	note_logs_of("one", NOON + S);
	cr_expect_eq(number_at(NOON, "signals", "logs", "items", NULL), 4);
}

Test(sources, a_cli_is_known_by_its_scopes_and_stays_known)
{
	note(SIGNAL_METRICS, METRICS("codex_exec", "0.169.0", "other"), 1, NOON);
	note(SIGNAL_LOGS, ONE_LOGS("codex_exec", "0.169.0", CODEX_LOGS), 1, NOON);
	note(SIGNAL_METRICS, METRICS("codex_exec", "0.169.0", "other"), 1, NOON);
	expect_told(NOON,
		"[{'name':'codex_exec','cli':'codex','version':'0.169.0',"
		"'first_ns':1794312000000000000,'last_ns':1794312000000000000,'signals':{"
		"'logs':{'items':1,'requests':1,'first_ns':1794312000000000000,"
		"'last_ns':1794312000000000000,'per_minute':0.2},"
		"'metrics':{'items':2,'requests':2,'first_ns':1794312000000000000,"
		"'last_ns':1794312000000000000,'per_minute':0.4}},'lacks':{}}]");
}

static void expect_cli_of_metrics(const char *request, const char *cli, uint64_t now_ns)
{
	note(SIGNAL_METRICS, request, 1, now_ns);
	json_t *answer = answer_at(NOON);
	const json_t *row = json_array_get(json_object_get(answer, "sources"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(row, "cli")), cli);
	json_decref(answer);
}

Test(sources, a_cli_that_sends_metrics_alone_is_known_too)
{
	expect_cli_of_metrics(METRICS("claude-code", "2.1.329", "com.anthropic.claude_code"),
		"claude-code", NOON);
	sources_note_hook(sources, &dialect_codex, NOON + S);
	expect_cli_of_metrics(METRICS("codex_exec", "0.169.0", "codex"), "codex", NOON + 2 * S);
	cr_expect_eq(count_told(), 2);
}

Test(sources, two_clis_that_are_called_alike_are_two)
{
	note(SIGNAL_LOGS, ONE_LOGS("dev", "1", CODEX_LOGS), 1, NOON);
	note(SIGNAL_LOGS, ONE_LOGS("dev", "1", CLAUDE_LOGS), 1, NOON);
	cr_expect_eq(count_told(), 2);
}

Test(sources, hooks_are_those_of_the_source_of_their_cli_that_spoke_last)
{
	note(SIGNAL_LOGS, ONE_LOGS("codex_exec", "1", CODEX_LOGS), 1, NOON);
	note(SIGNAL_LOGS, ONE_LOGS("codex_cli_rs", "1", CODEX_LOGS), 1, NOON + S);
	note(SIGNAL_LOGS, ONE_LOGS("codex_exec", "1", CODEX_LOGS), 1, NOON + 2 * S);
	note(SIGNAL_LOGS, ONE_LOGS("claude-code", "1", CLAUDE_LOGS), 1, NOON + 3 * S);
	sources_note_hook(sources, &dialect_codex, NOON + 4 * S);
	json_t *answer = answer_at(NOON);
	const json_t *first = json_array_get(json_object_get(answer, "sources"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(first, "name")), "codex_exec");
	cr_expect(json_object_get(json_object_get(first, "signals"), "hooks"));
	json_decref(answer);
	cr_expect_eq(count_told(), 3);
}

Test(sources, what_said_hooks_alone_gets_its_name_when_telemetry_comes)
{
	sources_note_hook(sources, &dialect_codex, NOON);
	cr_expect(is_known("codex"));
	note(SIGNAL_LOGS, ONE_LOGS("codex_exec", "1", CODEX_LOGS), 1, NOON + S);
	cr_expect(is_known("codex_exec") && !is_known("codex"));
	cr_expect_eq(number_at(NOON, "signals", "hooks", "items", NULL), 1);
	cr_expect_eq(number_at(NOON, "first_ns", NULL), (double)NOON);
	note(SIGNAL_LOGS, ONE_LOGS("codex_cli_rs", "1", CODEX_LOGS), 1, NOON + 2 * S);
	cr_expect_eq(count_told(), 2, "one with telemetry keeps its name");
}

static double rate_at(uint64_t now_ns)
{
	return number_at(now_ns, "signals", "logs", "per_minute", NULL);
}

Test(sources, a_rate_is_of_the_last_five_minutes)
{
	for (uint64_t minute = 0; minute < 7; minute++)
		note(SIGNAL_LOGS, ONE_LOGS("shop", "1", "app"), minute < 6 ? 100 : 40,
			NOON + minute * 60 * S);
	/* 30 s into the seventh minute: the half of the second one, four whole, and 40. */
	cr_expect_float_eq(rate_at(NOON + 390 * S), (50 + 400 + 40) / 5.0, 1e-9);
	cr_expect_float_eq(rate_at(NOON + 11 * 60 * S), 40 / 5.0, 1e-9);
	cr_expect_float_eq(rate_at(NOON + (11 * 60 + 45) * S), 10 / 5.0, 1e-9);
	cr_expect_eq(rate_at(NOON + 12 * 60 * S), 0);
	cr_expect_eq(rate_at(NOON - 3600 * S), 0, "a clock that was set back");
}

Test(sources, of_too_many_the_one_that_was_silent_longest_is_forgotten)
{
	char name[32];
	for (unsigned i = 0; i < SOURCES_MAX; i++) {
		snprintf(name, sizeof name, "s%u", i);
		note_logs_of(name, NOON + i * S);
	}
	note_logs_of("s0", NOON + 100 * S);
	note_logs_of("new", NOON + 101 * S);
	cr_expect_eq(count_told(), SOURCES_MAX);
	cr_expect(is_known("new") && is_known("s0") && is_known("s2") && !is_known("s1"));
	json_t *answer = answer_at(NOON);
	cr_expect_eq(json_integer_value(json_object_get(answer, "forgotten")), 1);
	json_decref(answer);
	start_again();
	answer = answer_at(NOON);
	cr_expect_eq(json_integer_value(json_object_get(answer, "forgotten")), 1);
	json_decref(answer);
	cr_expect_eq(count_told(), SOURCES_MAX);
}

/* ---- names ---- */

Test(sources, who_says_no_name_is_called_by_what_is_known)
{
	note(SIGNAL_TRACES, "{\"resourceSpans\": [{\"scopeSpans\": [{\"spans\": [{}]}]}]}", 1,
		NOON);
	cr_expect(is_known("unknown_service"));
	note(SIGNAL_LOGS,
		"{\"resourceLogs\": [{\"scopeLogs\": [{\"scope\": {\"name\": \"" CLAUDE_LOGS
		"\"}, \"logRecords\": [{}]}]}]}",
		1, NOON);
	cr_expect(is_known("claude-code"));
	note_logs_of("", NOON);
	cr_expect_eq(count_told(), 2);
}

Test(sources, a_long_name_is_cut_between_characters)
{
	char name[4 * SOURCE_NAME_MAX] = "", cut[SOURCE_NAME_MAX + 1];
	for (size_t i = 0; i < SOURCE_NAME_MAX - 1; i++)
		name[i] = 'a';
	memcpy(cut, name, sizeof cut);
	strcat(name, "\u00fc and more");
	note_logs_of(name, NOON);
	note_logs_of(name, NOON);
	cr_expect(is_known(cut));
	cr_expect_eq(count_told(), 1);
}

Test(sources, a_name_that_is_no_text_is_taken_as_far_as_it_is)
{
	struct buf request = request_of(SIGNAL_LOGS, ONE_LOGS("shop#rest", "1\\u00002", "app"));
	uint8_t *mark = memchr(request.at, '#', request.len);
	cr_assert(mark);
	*mark = 0xff;
	for (int i = 0; i < 2; i++)
		sources_note(sources, SIGNAL_LOGS, buf_bytes(&request), 1, NOON);
	buf_done(&request);
	expect_told(NOON,
		"[{'name':'shop','cli':null,'version':'1','first_ns':1794312000000000000,"
		"'last_ns':1794312000000000000,'signals':{'logs':{'items':2,'requests':2,"
		"'first_ns':1794312000000000000,'last_ns':1794312000000000000,'per_minute':0.4}},"
		"'lacks':{}}]");
}

Test(sources, a_name_that_is_no_string_is_none)
{
	note(SIGNAL_LOGS,
		"{\"resourceLogs\": [{\"resource\": {\"attributes\": [{\"key\": \"service.name\","
		" \"value\": {\"intValue\": 7}}]}, \"scopeLogs\": [{\"logRecords\": [{}]}]}]}",
		1, NOON);
	cr_expect(is_known("unknown_service"));
}

/* ---- what is missing ---- */

static void note_lacks(const char *resource_logs, struct lacks lacks, uint64_t now_ns)
{
	struct buf request = request_of(SIGNAL_LOGS, resource_logs);
	struct bytes resource = wire_member(wire_member(buf_bytes(&request), 1), 1);
	sources_note_lacks(sources, &dialect_codex.cli, resource, &lacks, now_ns);
	buf_done(&request);
}

Test(sources, what_is_lacked_and_what_is_there_is_told_with_its_time)
{
	static const char logs[] = ONE_LOGS("codex_exec", "1", CODEX_LOGS);
	struct lacks lacking = { .lacking = { [LACK_PROMPTS] = 2 },
		.there = { [LACK_SESSION] = 3 } };
	struct lacks there = { .there = { [LACK_PROMPTS] = 1 } };
	note_lacks(logs, lacking, NOON);
	cr_expect_eq(count_told(), 0, "who never sent anything");
	note(SIGNAL_LOGS, logs, 1, NOON);
	note(SIGNAL_LOGS, ONE_LOGS("other", "1", CODEX_LOGS), 1, NOON - S);
	note_lacks(logs, lacking, NOON + S);
	note_lacks(logs, lacking, NOON + 2 * S);
	note_lacks(logs, there, NOON + 3 * S);
	cr_expect_eq(number_at(NOON, "lacks", "prompts", "items", NULL), 4);
	cr_expect_eq(number_at(NOON, "lacks", "prompts", "last_ns", NULL), (double)(NOON + 2 * S));
	cr_expect_eq(
		number_at(NOON, "lacks", "prompts", "there_last_ns", NULL), (double)(NOON + 3 * S));
	cr_expect_eq(number_at(NOON, "lacks", "session", "last_ns", NULL), 0);
	cr_expect_eq(
		number_at(NOON, "lacks", "session", "there_last_ns", NULL), (double)(NOON + 2 * S));
	cr_expect_eq(number_at(NOON, "lacks", "tool_details", NULL), -1, "never spoken of");
}

/* ---- on disk ---- */

static char *file(void)
{
	struct buf text;
	buf_init(&text, REQUEST_MAX, NULL);
	if (file_read(path, &text) < 0)
		return NULL;
	buf_append(&text, "", 1);
	return (char *)text.at;
}

static void write_file(const char *text)
{
	cr_assert_eq(file_replace(path, bytes_of(text), 0600), 0);
}

Test(sources, everything_but_rates_is_remembered)
{
	note(SIGNAL_LOGS, ONE_LOGS("codex_exec", "0.169.0", CODEX_LOGS), 7, NOON);
	note(SIGNAL_TRACES, SPANS("shop", "1.2"), 2, NOON + S);
	sources_note_hook(sources, &dialect_codex, NOON + 2 * S);
	note_lacks(ONE_LOGS("codex_exec", "1", CODEX_LOGS),
		(struct lacks){
			.lacking = { [LACK_PROMPTS] = 2 }, .there = { [LACK_SESSION] = 3 } },
		NOON);
	json_t *before = answer_at(NOON + 3600 * S); /* when rates are 0 */
	start_again();
	json_t *after = answer_at(NOON + 3600 * S);
	cr_expect(json_equal(before, after), "%s", text_of(after));
	json_decref(before);
	json_decref(after);
}

Test(sources, what_is_new_is_written_at_once_and_figures_each_minute)
{
	cr_expect_eq(sources_save(sources), 0);
	cr_expect_null(file(), "there is nothing to write");
	note_logs_of("shop", NOON);
	cr_expect_eq(sources_save(sources), 0);
	char *first = file();
	cr_assert(first && strstr(first, "\"shop\""), "a new source");
	note_logs_of("shop", NOON + S);
	cr_expect_eq(sources_save(sources), 0);
	char *second = file();
	cr_expect_str_eq(second, first, "more of the same");
	now_ms += 60000;
	cr_expect_eq(sources_save(sources), 0);
	char *later = file();
	cr_expect(strstr(later, "\"requests\":2"), "a minute later");
	note(SIGNAL_TRACES, SPANS("shop", "1.2"), 2, NOON + 2 * S);
	cr_expect_eq(sources_save(sources), 0);
	char *third = file();
	cr_expect(strstr(third, "\"traces\""), "a new signal");
	free(first);
	free(second);
	free(later);
	free(third);
}

Test(sources, a_lack_is_written_at_once)
{
	static const char logs[] = ONE_LOGS("codex_exec", "1", CODEX_LOGS);
	note(SIGNAL_LOGS, logs, 1, NOON);
	cr_expect_eq(sources_save(sources), 0);
	note_lacks(logs, (struct lacks){ .lacking = { [LACK_PROMPTS] = 1 } }, NOON);
	cr_expect_eq(sources_save(sources), 0);
	char *text = file();
	cr_expect(strstr(text, "\"prompts\""));
	free(text);
}

Test(sources, the_file_is_its_owners_alone)
{
	note_logs_of("shop", NOON);
	cr_expect_eq(sources_save(sources), 0);
	struct stat status;
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
}

Test(sources, a_directory_that_cannot_be_written_is_said)
{
	scratch_remove(directory);
	note_logs_of("shop", NOON);
	cr_expect_lt(sources_save(sources), 0);
	cr_expect_eq(sources_save(sources), 0, "tried again later");
	now_ms += 60000;
	cr_expect_lt(sources_save(sources), 0);
	cr_expect(is_known("shop"));
}

Test(sources, a_damaged_file_is_begun_anew)
{
	static const char *const damaged[] = { "", "{", "[]", "7", "{\"sources\": 7}",
		"{\"sources\": [7, {}, {\"name\": 7}, {\"name\": \"\"}]}" };
	for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
		write_file(damaged[i]);
		start_again();
		cr_expect_eq(count_told(), 0, "%s", damaged[i]);
	}
}

Test(sources, of_a_file_only_what_can_be_is_taken)
{
	write_file("{\"forgotten\": -3, \"sources\": [{\"name\": \"shop\", \"cli\": \"nobody's\","
		   " \"version\": 7, \"first_ns\": -1, \"last_ns\": 1e9, \"signals\": {\"logs\":"
		   " {\"items\": -1, \"requests\": 2}, \"odd\": {}}, \"lacks\": []}]}");
	start_again();
	expect_told(NOON,
		"[{'name':'shop','cli':null,'version':null,'first_ns':0,'last_ns':0,'signals':{"
		"'logs':{'items':0,'requests':2,'first_ns':0,'last_ns':0,'per_minute':0.0}},"
		"'lacks':{}}]");
}

Test(sources, a_file_with_too_many_is_taken_in_part)
{
	struct buf text;
	buf_init(&text, REQUEST_MAX, NULL);
	buf_text(&text, "{\"sources\": [");
	for (unsigned i = 0; i < 2 * SOURCES_MAX; i++)
		buf_printf(&text, "%s{\"name\": \"s%u\"}", i ? "," : "", i);
	buf_text(&text, "]}");
	buf_append(&text, "", 1);
	write_file((const char *)text.at);
	buf_done(&text);
	start_again();
	cr_expect_eq(count_told(), SOURCES_MAX);
}
