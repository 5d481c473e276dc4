/* Whose a request is, hooks as logs, and what hostile senders get out of reading. */
#include "dialects/dialect.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "dialects/saying.h"
#include "otlp_logs.pb-c.h"
#include "support/events.h"

enum { ARENA_BYTES = 64 << 20, MAX_DEPTH = 100 };

static struct arena arena;
static struct events events;

static void begin(void)
{
	arena_init(&arena, ARENA_BYTES, NULL);
	events = (struct events){ .arena = &arena };
}

static void end(void)
{
	arena_done(&arena);
}

TestSuite(dialects, .init = begin, .fini = end);

static ProtobufCBinaryData data(const char *text)
{
	return (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
}

static struct bytes joined(struct bytes a, struct bytes b)
{
	uint8_t *at = arena_alloc(&arena, a.len + b.len + 1);
	memcpy(at, a.at, a.len);
	if (b.len)
		memcpy(at + a.len, b.at, b.len);
	return (struct bytes){ at, a.len + b.len };
}

/* One resource with these scopes, up to NULL; each has one record, which is a prompt to Claude Code. */
static struct bytes resource_of(const char *const *scope_names)
{
	enum { MOST = 4 };
	Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;
	Otlp__KeyValue attribute = OTLP__KEY_VALUE__INIT, *attributes[] = { &attribute };
	Otlp__LogRecord record = OTLP__LOG_RECORD__INIT, *records[] = { &record };
	Otlp__InstrumentationScope scopes[MOST];
	Otlp__ScopeLogs logs[MOST], *all_logs[MOST];
	Otlp__ResourceLogs resource = OTLP__RESOURCE_LOGS__INIT, *resources[] = { &resource };
	Otlp__ExportLogsServiceRequest request = OTLP__EXPORT_LOGS_SERVICE_REQUEST__INIT;
	value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value.string_value = data("user_prompt");
	attribute.key = data("event.name");
	attribute.value = &value;
	record.attributes = attributes;
	record.n_attributes = 1;
	record.time_unix_nano = 1;
	for (; scope_names[resource.n_scope_logs]; resource.n_scope_logs++) {
		size_t i = resource.n_scope_logs;
		otlp__instrumentation_scope__init(&scopes[i]);
		otlp__scope_logs__init(&logs[i]);
		scopes[i].name = data(scope_names[i]);
		logs[i].scope = &scopes[i];
		logs[i].log_records = records;
		logs[i].n_log_records = 1;
		all_logs[i] = &logs[i];
	}
	resource.scope_logs = all_logs;
	request.resource_logs = resources;
	request.n_resource_logs = 1;
	size_t len = otlp__export_logs_service_request__get_packed_size(&request);
	uint8_t *at = arena_alloc(&arena, len);
	otlp__export_logs_service_request__pack(&request, at);
	return (struct bytes){ at, len };
}

#define RESOURCE(...) resource_of((const char *const[]){ __VA_ARGS__, NULL })
#define CLAUDE "com.anthropic.claude_code.events"
#define CODEX "codex_otel.log_only"

/* ---- whose ---- */

Test(dialects, scopes_say_whose_words_they_are)
{
	static const struct {
		const char *scope, *name;
	} cases[] = {
		{ CLAUDE, "claude-code" },
		{ "com.anthropic.claude_code.tracing", "claude-code" },
		{ "com.anthropic.claude_code", "claude-code" }, /* of its metrics */
		{ "com.anthropic.claude_codex", NULL },
		{ CODEX, "codex" },
		{ "codex_exec", "codex" },
		{ "codex", "codex" }, /* of its metrics */
		{ "codexes", NULL },
		{ "gemini-cli", "gemini" },
		{ HOOK_SCOPE, NULL },
		{ "", NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct dialect *dialect = dialect_of_scope(bytes_of(cases[i].scope));
		cr_expect_eq(dialect, cases[i].name ? dialect_named(bytes_of(cases[i].name)) : NULL,
			"%s", cases[i].scope);
	}
	cr_expect_null(dialect_named(bytes_of("claude")));
}

static void expect_split(struct bytes request, struct bytes theirs, struct bytes others)
{
	struct bytes ret_theirs, ret_others;
	cr_assert_eq(dialects_split(request, true, &arena, &ret_theirs, &ret_others), 0);
	cr_expect(bytes_equal(ret_theirs, theirs));
	cr_expect(bytes_equal(ret_others, others));
}

Test(dialects, what_is_of_one_kind_is_handed_on_as_it_is)
{
	struct bytes theirs, others, nothing = { 0 };
	struct bytes claude = RESOURCE(CLAUDE), app = RESOURCE("my.app");
	cr_assert_eq(dialects_split(claude, true, &arena, &theirs, &others), 0);
	cr_expect_eq(theirs.at, claude.at);
	cr_expect_eq(others.len, 0);
	cr_assert_eq(dialects_split(app, true, &arena, &theirs, &others), 0);
	cr_expect_eq(others.at, app.at);
	cr_expect_eq(theirs.len, 0);
	expect_split(nothing, nothing, nothing);
}

Test(dialects, what_is_mixed_is_split_and_what_is_unknown_goes_both_ways)
{
	static const struct bytes unknown = BYTES("\x7a\x02hi"); /* field 15 */
	struct bytes claude = RESOURCE(CLAUDE), app = RESOURCE("my.app"), codex = RESOURCE(CODEX);
	struct bytes request = joined(joined(app, claude), joined(unknown, codex));
	expect_split(request, joined(claude, joined(unknown, codex)), joined(app, unknown));
}

Test(dialects, a_process_speaks_for_itself)
{
	struct bytes request = RESOURCE("http.client", CLAUDE);
	expect_split(request, request, (struct bytes){ 0 });
}

Test(dialects, spans_that_are_only_replaced_may_pass_as_those_of_others)
{
	struct bytes theirs, others, codex = RESOURCE(CODEX), claude = RESOURCE(CLAUDE);
	cr_assert_eq(dialects_split(joined(codex, claude), false, &arena, &theirs, &others), 0);
	cr_expect(bytes_equal(theirs, claude));
	cr_expect(bytes_equal(others, codex));
}

Test(dialects, what_cannot_be_split_is_refused_and_nothing_is_given)
{
	struct arena small;
	struct bytes theirs = { 0 }, others = { 0 };
	struct bytes request = joined(RESOURCE(CLAUDE), RESOURCE("my.app"));
	struct bytes cut = { request.at, request.len - 1 };
	cr_expect_eq(dialects_split(cut, true, &arena, &theirs, &others), -EBADMSG);
	arena_init(&small, 0, NULL);
	cr_expect_eq(dialects_split(request, true, &small, &theirs, &others), -E2BIG);
	cr_expect(!theirs.at && !others.at);
	arena_done(&small);
}

/* ---- hooks ---- */

Test(dialects, a_hook_is_a_log_record)
{
	static const size_t sizes[] = { 0, 1, 127, 128, 16383, 16384, 2097151, 2097152 };
	char *text = malloc(2097152);
	memset(text, ' ', 2097152);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct bytes payload = { (const uint8_t *)text, sizes[i] };
		struct bytes request = hook_as_logs(&dialect_gemini, payload, 77, &arena);
		Otlp__ExportLogsServiceRequest *logs =
			otlp__export_logs_service_request__unpack(NULL, request.len, request.at);
		cr_assert(logs && logs->n_resource_logs == 1);
		cr_assert_eq(logs->resource_logs[0]->n_scope_logs, 1);
		const Otlp__ScopeLogs *scope = logs->resource_logs[0]->scope_logs[0];
		cr_assert_eq(scope->n_log_records, 1);
		const Otlp__LogRecord *record = scope->log_records[0];
		cr_expect_eq(scope->scope->name.len, strlen(HOOK_SCOPE));
		cr_expect_eq(memcmp(scope->scope->name.data, HOOK_SCOPE, strlen(HOOK_SCOPE)), 0);
		cr_expect_eq(record->observed_time_unix_nano, 77);
		cr_expect_eq(record->time_unix_nano, 0);
		cr_expect_eq(record->event_name.len, strlen("gemini"));
		cr_expect_eq(memcmp(record->event_name.data, "gemini", strlen("gemini")), 0);
		cr_expect_eq(record->body->string_value.len, sizes[i]);
		cr_expect_eq(otlp__export_logs_service_request__get_packed_size(logs), request.len);
		otlp__export_logs_service_request__free_unpacked(logs, NULL);
	}
	free(text);
}

static int read_hook(const char *payload)
{
	struct bytes request = hook_as_logs(&dialect_claude_code, bytes_of(payload), 77, &arena);
	return dialects_read(request, SIGNAL_LOGS, MAX_DEPTH, &events);
}

static void expect_lines(const char *expected)
{
	char *actual = events_text(&events);
	cr_expect_str_eq(actual, expected);
	free(actual);
	events.count = 0;
}

Test(dialects, hooks_are_read_by_the_dialect_that_they_were_sent_to)
{
	cr_expect_eq(read_hook("{\"hook_event_name\":\"Stop\",\"session_id\":\"s\"}"), 0);
	expect_lines("- turn_end session=s\n");
}

Test(dialects, a_text_that_was_cut_in_a_character_is_read)
{
	read_hook("{\"hook_event_name\":\"Stop\",\"session_id\":\"\\\\ud83d\","
		  "\"last_assistant_message\":\"\\uD83D\\uDE00 \\ud83d\\ud83d\\ude00\\ude00\"}");
	expect_lines("- turn_end session=\\\\ud83d output=\"\xf0\x9f\x98\x80 \xef\xbf\xbd"
		     "\xf0\x9f\x98\x80\xef\xbf\xbd\"\n");
	read_hook("{\"hook_event_name\":\"Stop\",\"session_id\":\"\\u00zz\\ud83d\"}");
	expect_lines("");
}

static char *nested(size_t depth)
{
	char *text = malloc(2 * depth + 128);
	char *at = text + sprintf(text, "{\"hook_event_name\":\"Stop\",\"x\":");
	memset(at, '[', depth);
	memset(at + depth, ']', depth);
	strcpy(at + 2 * depth, "}");
	return text;
}

Test(dialects, a_hook_that_is_too_deep_or_too_wide_is_passed_over)
{
	char *deep = nested(1 << 20), *allowed = nested(50), *wide = malloc(4 << 20);
	cr_expect_eq(read_hook(deep), 0);
	expect_lines("");
	cr_expect_eq(read_hook(allowed), 0);
	expect_lines("- turn_end\n");
	char *at = wide + sprintf(wide, "{\"hook_event_name\":\"Stop\",\"x\":[0");
	for (size_t i = 0; i < 1 << 20; i++)
		at += sprintf(at, ",0");
	strcpy(at, "]}");
	cr_expect_eq(read_hook(wide), 0);
	expect_lines("");
	free(deep);
	free(allowed);
	free(wide);
}

Test(dialects, a_span_that_calls_itself_a_hook_is_nobody_s)
{
	struct bytes payload = BYTES("{\"hook_event_name\":\"Stop\"}");
	struct bytes request = hook_as_logs(&dialect_claude_code, payload, 77, &arena);
	dialects_read(request, SIGNAL_TRACES, MAX_DEPTH, &events);
	expect_lines("");
}

/* ---- reading ---- */

Test(dialects, events_know_which_item_said_them)
{
	struct bytes request = joined(RESOURCE("my.app", CLAUDE), RESOURCE("my.app", CLAUDE));
	cr_assert_eq(dialects_read(request, SIGNAL_LOGS, MAX_DEPTH, &events), 0);
	cr_assert_eq(events.count, 2);
	cr_expect_eq(events.at[0].item, 1);
	cr_expect_eq(events.at[1].item, 3);
}

Test(dialects, many_events_keep_their_order)
{
	struct bytes one = RESOURCE(CLAUDE), request = { 0 };
	for (int i = 0; i < 100; i++)
		request = joined(one, request);
	cr_assert_eq(dialects_read(request, SIGNAL_LOGS, MAX_DEPTH, &events), 0);
	cr_assert_eq(events.count, 100);
	for (size_t i = 0; i < events.count; i++)
		cr_expect_eq(events.at[i].item, i);
}

Test(dialects, what_is_malformed_is_refused_wherever_it_is)
{
	struct bytes request = RESOURCE(CLAUDE);
	for (size_t len = 1; len < request.len; len++) {
		struct bytes cut = { request.at, len };
		cr_expect_eq(dialects_read(cut, SIGNAL_LOGS, MAX_DEPTH, &events), -EBADMSG);
	}
	cr_expect_eq(events.count, 0);
	/* Levels: request, resource, scope, record, attribute, value. */
	cr_expect_eq(dialects_read(request, SIGNAL_LOGS, 6, &events), 0);
	cr_expect_eq(dialects_read(request, SIGNAL_LOGS, 5, &events), -EBADMSG);
}

Test(dialects, memory_that_is_refused_is_told)
{
	struct arena small;
	struct bytes request = RESOURCE(CLAUDE);
	for (size_t limit = 0; limit < 1 << 12; limit += 1 << 10) {
		arena_init(&small, limit, NULL);
		struct events few = { .arena = &small };
		cr_expect_eq(dialects_read(request, SIGNAL_LOGS, MAX_DEPTH, &few), -E2BIG);
		arena_done(&small);
	}
}

/* ---- words ---- */

Test(dialects, members_are_texts_in_the_sender_s_order_or_in_one_order)
{
	json_t *hook = json_loads("{\"x\":{\"b\":1,\"a\":[0.1,\"\\u00e9\"]},\"s\":\"t\\u0000u\","
				  "\"n\":null,\"e\":\"\"}",
		JSON_ALLOW_NUL, NULL);
	static const struct bytes with_nul = BYTES("t\0u");
	cr_expect(
		bytes_are(member_as_sent(hook, "x", &arena), "{\"b\":1,\"a\":[0.1,\"\xc3\xa9\"]}"));
	cr_expect(
		bytes_are(member_as_text(hook, "x", &arena), "{\"a\":[0.1,\"\xc3\xa9\"],\"b\":1}"));
	cr_expect(bytes_equal(member_as_text(hook, "s", &arena), with_nul));
	cr_expect_eq(member_as_text(hook, "n", &arena).len, 0);
	cr_expect_eq(member_as_text(hook, "e", &arena).len, 0);
	cr_expect_eq(member_as_text(hook, "missing", &arena).len, 0);
	json_decref(hook);
}

Test(dialects, equal_inputs_are_equal_texts)
{
	struct bytes a = canonical_json(bytes_of("{ \"b\": 1, \"a\": 2 }"), &arena);
	struct bytes b = canonical_json(bytes_of("{\"a\":2,\"b\":1}"), &arena);
	cr_expect(bytes_equal(a, b));
	cr_expect(bytes_are(canonical_json(bytes_of("{not json"), &arena), "{not json"));
	cr_expect_eq(canonical_json((struct bytes){ 0 }, &arena).len, 0);
}

static uint64_t ms_of(const struct attribute *attribute)
{
	const struct attributes attributes = { (struct attribute *)attribute, 1, 1 };
	uint64_t ns = 1;
	return said_ms(&attributes, "d", &ns) ? ns : UINT64_MAX;
}

Test(dialects, durations_come_as_numbers_or_as_words)
{
	struct attribute attribute = { .key = BYTES("d"), .has_value = true };
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{ "12", 12000000 },
		{ "0", 0 },
		{ "0.5", 500000 },
		{ "1e3", 1000000000 },
		{ "-1", UINT64_MAX },
		{ "nan", UINT64_MAX },
		{ "inf", UINT64_MAX },
		{ "1e13", UINT64_MAX },
		{ "", UINT64_MAX },
		{ "12 ms", UINT64_MAX },
		{ "00000000000000000000000000000000000000000000000012", UINT64_MAX },
	};
	attribute.value.type = VALUE_STRING;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		attribute.value.bytes = bytes_of(cases[i].text);
		cr_expect_eq(ms_of(&attribute), cases[i].ns, "%s", cases[i].text);
	}
	attribute.value = (struct value){ .type = VALUE_INT, .integer = 12 };
	cr_expect_eq(ms_of(&attribute), 12000000);
	attribute.value = (struct value){ .type = VALUE_DOUBLE, .number = 1.5 };
	cr_expect_eq(ms_of(&attribute), 1500000);
	attribute.value = (struct value){ .type = VALUE_BOOL, .integer = 1 };
	cr_expect_eq(ms_of(&attribute), UINT64_MAX);
}
