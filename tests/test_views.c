/* What the views say about a local view that the test has written: rows in, JSON out. */
#include "watch/local_questions.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/complaint.h"
#include "support/fixture.h"
#include "support/scratch.h"

static char directory[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 16];
static sqlite3 *db;
static struct complaint complaint;

static void sql(const char *text)
{
	char *error = NULL;
	cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, &error), SQLITE_OK, "%s: %s", text, error);
}

static void begin(void)
{
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(path, sizeof path, "%s/local.sqlite", directory);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	struct bytes schema = fixture("../../src/export/local_schema.sql");
	sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
	sql((const char *)schema.at);
	free((void *)schema.at);
}

static void end(void)
{
	sqlite3_close(db);
	scratch_remove(directory);
}

TestSuite(views, .init = begin, .fini = end);

/* What a test leaves out is NULL in the table, or as ordinary as can be. */
struct row {
	const char *trace, *span, *parent, *name, *kind, *level, *message, *session, *service;
	const char *provider, *model, *usage, *cost_fusd, *cost_status, *input, *output;
	int64_t start_ns, end_ns;
};

static void insert(struct row row)
{
	static const char statement_text[] =
		"INSERT INTO span (trace_id, span_id, parent_span_id, name, kind, level, status_message,"
		" session_id, service, provider, model, usage, cost_fusd, cost_status, input, output,"
		" lane, received_ns, start_ns, end_ns)"
		" VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'default',1,?,?)";
	const char *const texts[] = { row.trace, row.span, row.parent, row.name ? row.name : "a",
		row.kind, row.level ? row.level : "DEFAULT", row.message, row.session, row.service,
		row.provider, row.model, row.usage, row.cost_fusd, row.cost_status, row.input,
		row.output };
	int count = sizeof texts / sizeof *texts;
	sqlite3_stmt *statement;
	cr_assert_eq(sqlite3_prepare_v2(db, statement_text, -1, &statement, NULL), SQLITE_OK);
	for (int i = 0; i < count; i++)
		if (texts[i])
			sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, count + 1, row.start_ns);
	sqlite3_bind_int64(statement, count + 2, row.end_ns);
	cr_assert_eq(sqlite3_step(statement), SQLITE_DONE, "%s", sqlite3_errmsg(db));
	sqlite3_finalize(statement);
}

#define INSERT(...) insert((struct row){ __VA_ARGS__ })

static json_t *ask_spans(struct spans_question question)
{
	json_t *answer = NULL;
	cr_assert_eq(
		local_ask_spans(path, &question, &answer, &complaint), 0, "%s", complaint.text);
	return answer;
}

#define SPANS(...) ask_spans((struct spans_question){ __VA_ARGS__ })

static json_t *ask_sessions(struct sessions_question question)
{
	json_t *answer = NULL;
	cr_assert_eq(
		local_ask_sessions(path, &question, &answer, &complaint), 0, "%s", complaint.text);
	return answer;
}

#define SESSIONS(...) ask_sessions((struct sessions_question){ __VA_ARGS__ })

static json_t *ask_cost(struct cost_question question)
{
	json_t *answer = NULL;
	cr_assert_eq(local_ask_cost(path, &question, &answer, &complaint), 0, "%s", complaint.text);
	return answer;
}

#define COST(...) ask_cost((struct cost_question){ __VA_ARGS__ })

/* The answer, which is freed, is exactly this. Quotes in `wanted` are written as '. */
static void expect(json_t *answer, const char *wanted)
{
	char *text = strdup(wanted);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);
	cr_assert(json, "%s", error.text);
	char *dump = json_dumps(answer, JSON_INDENT(1));
	cr_expect(json_equal(answer, json), "%s", dump);
	free(dump);
	free(text);
	json_decref(json);
	json_decref(answer);
}

static void expect_refusal(const char *id, int error, const char *words)
{
	struct spans_question question = { .id = id };
	struct complaint refusal = { 0 };
	json_t *answer = NULL;
	cr_expect_eq(local_ask_spans(path, &question, &answer, &refusal), error, "%s", id);
	cr_expect_str_eq(refusal.text, words);
	cr_expect_null(answer);
}

/* The names of all spans in the answer, which is freed, in its order; "|" between traces. */
static const char *names(json_t *answer)
{
	static char text[1024];
	size_t i, k, len = 0;
	json_t *trace, *span;
	text[0] = '\0';
	json_array_foreach(json_object_get(answer, "traces"), i, trace) {
		len += (size_t)snprintf(text + len, sizeof text - len, "%s", i ? "|" : "");
		json_array_foreach(json_object_get(trace, "spans"), k, span)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", k ? " " : "",
				json_string_value(json_object_get(span, "name")));
	}
	json_decref(answer);
	return text;
}

#define TRACE_A "0af7651916cd43dd8448eb211c80319c"
#define TRACE_B "0af8888888888888888888888888888b"
#define TRACE_C "cccccccccccccccccccccccccccccccc"

static void insert_two_turns(void)
{
	INSERT(TRACE_A, "a1", .name = "turn", .kind = "AGENT", .session = "s-one", .service = "cli",
		.start_ns = 100, .end_ns = 900);
	INSERT(TRACE_A, "a2", "a1", "call", "LLM", .session = "s-one", .service = "cli",
		.provider = "anthropic", .model = "claude-opus-5-5",
		.usage = "{\"input\":12,\"output\":71,\"input_cached_tokens\":8192,\"total\":8275}",
		.cost_fusd = "13346400000000", .cost_status = "lower_bound", .start_ns = 200,
		.end_ns = 300, .input = "[1]", .output = "four");
	INSERT(TRACE_A, "a3", "a1", "tool", "TOOL", "ERROR", "it failed", "s-one", .start_ns = 300,
		.end_ns = 350);
	INSERT(TRACE_B, "b1", .name = "again", .kind = "AGENT", .session = "s-one",
		.start_ns = 1000, .end_ns = 1100);
	INSERT(TRACE_C, "c1", .name = "other", .session = "s-two", .start_ns = 500);
}

Test(views, an_empty_view_says_so)
{
	expect(SPANS(.last = 1), "{'traces': [], 'is_cut': false}");
	expect(SESSIONS(.limit = 20),
		"{'traces_without_session': 0, 'sessions': [], 'is_cut': false}");
	expect(COST("model"),
		"{'by': 'model', 'since_ns': 0, 'rows': [], 'unpriced': [], 'is_cut': false,"
		" 'total': {'calls': 0, 'unpriced': 0, 'lower_bounds': 0}}");
}

Test(views, a_trace_has_its_spans_in_order_of_time_with_all_that_is_known)
{
	insert_two_turns();
	expect(SPANS(.id = TRACE_A, .has_content = true),
		"{'begins_ns': 100, 'is_cut': false, 'traces': [{'trace_id': '" TRACE_A
		"', 'session_id': 's-one', 'service': 'cli', 'start_ns': 100, 'end_ns': 900,"
		" 'span_count': 3, 'spans': ["
		"{'span_id': 'a1', 'name': 'turn', 'kind': 'AGENT', 'level': 'DEFAULT',"
		" 'start_ns': 100, 'end_ns': 900, 'lane': 'default', 'service': 'cli'},"
		"{'span_id': 'a2', 'parent_span_id': 'a1', 'name': 'call', 'kind': 'LLM',"
		" 'level': 'DEFAULT', 'start_ns': 200, 'end_ns': 300, 'lane': 'default', 'service': 'cli',"
		" 'provider': 'anthropic', 'model': 'claude-opus-5-5',"
		" 'usage': {'input': 12, 'output': 71, 'input_cached_tokens': 8192, 'total': 8275},"
		" 'cost_fusd': 13346400000000, 'cost_status': 'lower_bound',"
		" 'input': '[1]', 'output': 'four'},"
		"{'span_id': 'a3', 'parent_span_id': 'a1', 'name': 'tool', 'kind': 'TOOL',"
		" 'level': 'ERROR', 'status_message': 'it failed', 'start_ns': 300, 'end_ns': 350,"
		" 'lane': 'default'}]}]}");
}

Test(views, content_is_given_only_to_those_who_ask)
{
	insert_two_turns();
	json_t *answer = SPANS(.id = TRACE_A);
	char *text = json_dumps(answer, 0);
	cr_expect_null(strstr(text, "four"));
	free(text);
	json_decref(answer);
}

Test(views, a_session_is_all_its_traces_in_order_of_time)
{
	insert_two_turns();
	cr_expect_str_eq(names(SPANS(.id = "s-one")), "turn call tool|again");
	cr_expect_str_eq(names(SPANS(.id = "s-two")), "other");
}

Test(views, a_span_without_a_session_is_shown_in_the_trace_that_has_one)
{
	INSERT(TRACE_A, "a1", .name = "root", .session = "session", .start_ns = 1);
	INSERT(TRACE_A, "a2", "a1", "child", .start_ns = 2);
	cr_expect_str_eq(names(SPANS(.id = "session")), "root child");
}

Test(views, the_newest_traces_are_those_that_arrived_last)
{
	INSERT(TRACE_C, "c1", .name = "of_tomorrow", .start_ns = 5000);
	INSERT(TRACE_A, "a1", .name = "second", .start_ns = 100);
	INSERT(TRACE_B, "b1", .name = "third", .start_ns = 50);
	cr_expect_str_eq(names(SPANS(.last = 1)), "third");
	cr_expect_str_eq(names(SPANS(.last = 2)), "second|third");
	cr_expect_str_eq(names(SPANS(.last = 100)), "of_tomorrow|second|third");
}

Test(views, the_beginning_of_an_id_is_enough)
{
	insert_two_turns();
	cr_expect_str_eq(names(SPANS(.id = "0af7")), "turn call tool");
	cr_expect_str_eq(names(SPANS(.id = "0AF765")), "turn call tool");
	cr_expect_str_eq(names(SPANS(.id = "s-tw")), "other");
}

Test(views, a_beginning_of_several_ids_names_them)
{
	insert_two_turns();
	INSERT("dddddddddddddddddddddddddddddddd", "d1", .session = "0af-\x1b[2J\xff",
		.start_ns = 1);
	expect_refusal("s-on\xff", -ENOENT, "no session or trace begins with s-on?");
	expect_refusal("s-o", -EINVAL, "an id needs at least its first four characters, not s-o");
	expect_refusal("", -EINVAL, "an id needs at least its first four characters, not ");
	INSERT("0af7ffffffffffffffffffffffffffff", "f1", .session = "0af7-\x1b[2J\xff",
		.start_ns = 1);
	expect_refusal("0af7", -EINVAL,
		"this is the beginning of more than one id: 0af7-?[2J???, " TRACE_A
		", 0af7ffffffffffffffffffffffffffff");
}

Test(views, very_many_candidates_are_not_all_named)
{
	for (int i = 0; i < 30; i++) {
		char span[16], session[512];
		snprintf(span, sizeof span, "%d", i);
		snprintf(session, sizeof session, "long%0200d", i);
		INSERT(TRACE_A, span, .session = session, .start_ns = 1);
	}
	struct spans_question question = { .id = "long" };
	json_t *answer = NULL;
	cr_expect_eq(local_ask_spans(path, &question, &answer, &complaint), -EINVAL);
	cr_expect_str_eq(complaint.text + strlen(complaint.text) - 10, "00000, ...");
}

Test(views, an_id_that_is_there_wins_over_longer_ones)
{
	INSERT(TRACE_A, "a1", .name = "short", .session = "s", .start_ns = 1);
	INSERT(TRACE_B, "b1", .name = "long", .session = "s1", .start_ns = 1);
	for (int i = 0; i < 20; i++) {
		char span[16], session[16];
		snprintf(span, sizeof span, "%d", i);
		snprintf(session, sizeof session, "s%d", i);
		INSERT(TRACE_C, span, .session = session, .start_ns = 1);
	}
	cr_expect_str_eq(names(SPANS(.id = "s")), "short");
}

Test(views, a_session_may_be_named_as_its_trace)
{
	INSERT(TRACE_A, "a1", .name = "first", .session = TRACE_A, .start_ns = 1);
	INSERT(TRACE_B, "b1", .name = "second", .session = TRACE_A, .start_ns = 2);
	cr_expect_str_eq(names(SPANS(.id = TRACE_A)), "first|second");
	cr_expect_str_eq(names(SPANS(.id = "0af765")), "first|second");
}

Test(views, what_is_not_text_is_repaired)
{
	INSERT(TRACE_A, "a1", .name = "\xff\xfe", .usage = "{\"input\"", .start_ns = 1);
	sql("UPDATE span SET status_message = CAST(x'610062' AS TEXT)");
	json_t *answer = SPANS(.last = 1);
	const json_t *span = json_array_get(
		json_object_get(json_array_get(json_object_get(answer, "traces"), 0), "spans"), 0);
	cr_expect_str_eq(
		json_string_value(json_object_get(span, "name")), "\xef\xbf\xbd\xef\xbf\xbd");
	cr_expect_str_eq(json_string_value(json_object_get(span, "usage")), "{\"input\"");
	cr_expect_eq(json_string_length(json_object_get(span, "status_message")), 3);
	json_decref(answer);
}

Test(views, of_too_many_spans_the_oldest_traces_are_missing)
{
	sql("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 7999)"
	    " INSERT INTO span (trace_id, span_id, lane, received_ns, start_ns, end_ns, name, level,"
	    " session_id) SELECT printf('%032x', i / 1000), printf('%016x', i), 'default', 1, i, i,"
	    " 'n', 'DEFAULT', 'session' FROM n");
	json_t *answer = SPANS(.id = "session");
	const json_t *traces = json_object_get(answer, "traces");
	cr_expect(json_is_true(json_object_get(answer, "is_cut")));
	size_t count = json_array_size(traces), spans = 0, i;
	const json_t *trace;
	json_array_foreach(traces, i, trace)
		spans += json_array_size(json_object_get(trace, "spans"));
	cr_expect_str_eq(
		json_string_value(json_object_get(json_array_get(traces, count - 1), "trace_id")),
		"00000000000000000000000000000007");
	cr_expect(spans > 4000 && spans <= 5000, "%zu", spans);
	json_decref(answer);
}

Test(views, of_too_much_content_the_rest_is_missing)
{
	INSERT(TRACE_A, "a1", .name = "first", .start_ns = 1);
	INSERT(TRACE_A, "a2", .name = "huge", .start_ns = 2);
	INSERT(TRACE_A, "a3", .name = "third", .start_ns = 3);
	sql("UPDATE span SET input = hex(zeroblob(10000000)) WHERE name = 'huge'");
	json_t *answer = SPANS(.id = TRACE_A, .has_content = true);
	cr_expect(json_is_true(json_object_get(answer, "is_cut")));
	cr_expect_str_eq(names(answer), "first");
	cr_expect_str_eq(names(SPANS(.id = TRACE_A)), "first huge third");
}

Test(views, a_session_is_one_line_of_figures)
{
	insert_two_turns();
	INSERT(TRACE_B, "b2", "b1", "unknown", "LLM", .session = "s-one", .model = "m",
		.usage = "{\"input\":3,\"output\":2,\"total\":99}", .start_ns = 1001);
	INSERT("dddddddddddddddddddddddddddddddd", "d1", .start_ns = 1);
	static const char one[] =
		"{'session_id': 's-one', 'service': 'cli', 'traces': 2, 'spans': 5, 'calls': 2,"
		" 'tools': 1, 'errors': 1, 'usage': {'input': 15, 'output': 73,"
		" 'input_cached_tokens': 8192, 'total': 8280}, 'cost_fusd': 13346400000000,"
		" 'unpriced': 1, 'lower_bounds': 1, 'first_ns': 100, 'last_ns': 1100}";
	static const char two[] =
		"{'session_id': 's-two', 'traces': 1, 'spans': 1, 'calls': 0,"
		" 'tools': 0, 'errors': 0, 'unpriced': 0, 'lower_bounds': 0, 'first_ns': 500,"
		" 'last_ns': 500}";
	char wanted[1024];
	snprintf(wanted, sizeof wanted,
		"{'begins_ns': 1, 'is_cut': false, 'traces_without_session': 1, 'sessions': [%s, %s]}",
		one, two);
	expect(SESSIONS(.limit = 20), wanted);
	snprintf(wanted, sizeof wanted,
		"{'begins_ns': 1, 'is_cut': true, 'traces_without_session': 1, 'sessions': [%s]}",
		one);
	expect(SESSIONS(.limit = 1), wanted);
	snprintf(wanted, sizeof wanted,
		"{'begins_ns': 1, 'is_cut': false, 'traces_without_session': 0, 'sessions': [%s]}",
		one);
	expect(SESSIONS(.since_ns = 1001, .limit = 20), wanted);
}

static void insert_calls(void)
{
	INSERT(TRACE_A, "1", .kind = "LLM", .model = "dear", .service = "x", .session = "s",
		.usage = "{\"input\":1,\"output\":2,\"total\":3}", .cost_fusd = "5000",
		.start_ns = 86399ll * 1000000000);
	INSERT(TRACE_A, "2", .kind = "EMBEDDING", .model = "cheap", .service = "y",
		.usage = "{\"input\":10,\"total\":10}", .cost_fusd = "7",
		.cost_status = "lower_bound", .start_ns = 86400ll * 1000000000);
	INSERT(TRACE_A, "3", .kind = "LLM", .model = "dear", .service = "x",
		.usage =
			"{\"input\":4,\"input_cached_tokens\":8,\"nested\":{\"input\":1},\"bad\":-5}",
		.cost_fusd = "5000", .start_ns = 86400ll * 1000000000);
	INSERT(TRACE_A, "4", .kind = "LLM", .model = "new", .provider = "p", .service = "x",
		.usage = "not json", .cost_status = "unknown_model",
		.start_ns = 86400ll * 1000000000);
	INSERT(TRACE_A, "5", .kind = "TOOL", .model = "dear", .usage = "{\"input\":1000}",
		.cost_fusd = "1000000", .start_ns = 86400ll * 1000000000);
}

#define COST_REST \
	"'begins_ns': 86399000000000, 'is_cut': false, 'unpriced': [{'model': 'new'," \
	" 'provider': 'p', 'cost_status': 'unknown_model', 'calls': 1}], 'since_ns': 0," \
	" 'total': {'calls': 4, 'usage': {'input': 15, 'output': 2, 'input_cached_tokens': 8," \
	" 'total': 25}, 'cost_fusd': 10007, 'unpriced': 1, 'lower_bounds': 1}"

Test(views, cost_by_model_counts_model_calls_alone)
{
	insert_calls();
	expect(COST("model"),
		"{'by': 'model', " COST_REST ", 'rows': ["
		"{'key': 'dear', 'calls': 2, 'usage': {'input': 5, 'output': 2,"
		" 'input_cached_tokens': 8, 'total': 15}, 'cost_fusd': 10000, 'unpriced': 0,"
		" 'lower_bounds': 0},"
		"{'key': 'cheap', 'calls': 1, 'usage': {'input': 10, 'total': 10}, 'cost_fusd': 7,"
		" 'unpriced': 0, 'lower_bounds': 1},"
		"{'key': 'new', 'calls': 1, 'unpriced': 1, 'lower_bounds': 0}]}");
}

/* Keys and costs of the rows, the answer is freed. */
static const char *rows(json_t *answer)
{
	static char text[1024];
	size_t i, len = 0;
	json_t *row;
	text[0] = '\0';
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		const char *key = json_string_value(json_object_get(row, "key"));
		char *cost = json_dumps(json_object_get(row, "cost_fusd"), JSON_ENCODE_ANY);
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %s", i ? ", " : "",
			key ? key : "-", cost ? cost : "-");
		free(cost);
	}
	json_decref(answer);
	return text;
}

Test(views, cost_by_cli_and_by_session)
{
	insert_calls();
	cr_expect_str_eq(rows(COST("cli")), "x 10000, y 7");
	cr_expect_str_eq(rows(COST("session")), "- 5007, s 5000");
}

Test(views, a_day_is_one_of_the_time_zone_of_those_who_ask)
{
	insert_calls();
	cr_expect_str_eq(rows(COST("day")), "1970-01-01 5000, 1970-01-02 5007");
	cr_expect_str_eq(rows(COST("day", .utc_offset_s = 3600)), "1970-01-02 10007");
	cr_expect_str_eq(rows(COST("day", .utc_offset_s = -3600)), "1970-01-01 10007");
	cr_expect_str_eq(rows(COST("day", .since_ns = 86400ll * 1000000000)), "1970-01-02 5007");
}

Test(views, sums_are_exact_where_64_bits_are_too_few)
{
	for (int i = 0; i < 3; i++)
		INSERT(TRACE_A, (const char *[]){ "1", "2", "3" }[i], .kind = "LLM", .model = "m",
			.usage = "{\"input\":9223372036854775807}",
			.cost_fusd = "9223372036854775807", .start_ns = 1);
	cr_expect_str_eq(rows(COST("model")), "m \"27670116110564327421\"");
	json_t *answer = COST("model");
	cr_expect_eq(json_integer_value(json_object_get(
			     json_object_get(json_object_get(answer, "total"), "usage"), "total")),
		INT64_MAX);
	json_decref(answer);
}

Test(views, kinds_of_tokens_are_bounded)
{
	char usage[2048] = "{\"input\":1";
	for (int i = 0; i < 100; i++)
		snprintf(usage + strlen(usage), sizeof usage - strlen(usage), ",\"k%d\":1", i);
	strcat(usage, "}");
	INSERT(TRACE_A, "1", .kind = "LLM", .usage = usage, .start_ns = 1);
	json_t *answer = COST("model");
	const json_t *sums = json_object_get(json_object_get(answer, "total"), "usage");
	cr_expect_eq(json_object_size(sums), 34); /* 32, "other" and "total" */
	cr_expect_eq(json_integer_value(json_object_get(sums, "other")), 69);
	cr_expect_eq(json_integer_value(json_object_get(sums, "total")), 101);
	json_decref(answer);
}

Test(views, cost_by_anything_else_is_refused)
{
	struct cost_question question = { .by = "moon" };
	json_t *answer = NULL;
	cr_expect_eq(local_ask_cost(path, &question, &answer, &complaint), -EINVAL);
	cr_expect_str_eq(complaint.text, "by must be model, cli, day or session");
}

Test(views, what_the_view_had_to_skip_is_said)
{
	INSERT(TRACE_A, "1", .start_ns = 120ll * 1000000000);
	sql("INSERT INTO skipped VALUES (1, 1000), (2, 30), (3, 4)");
	json_t *answer = COST("model");
	cr_expect_eq(json_integer_value(json_object_get(answer, "skipped_spans")), 34);
	json_decref(answer);
}

Test(views, a_file_that_is_missing_or_damaged_is_told)
{
	struct cost_question question = { .by = "model" };
	json_t *answer = NULL;
	cr_expect_eq(local_ask_cost("/no/such/file", &question, &answer, &complaint), -EIO);
	cr_expect_str_eq(
		complaint.text, "the local view cannot be read: unable to open database file");
	complaint = (struct complaint){ 0 };
	sqlite3_close(db);
	db = NULL;
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("no database ", file);
	fclose(file);
	cr_expect_eq(local_ask_cost(path, &question, &answer, &complaint), -EIO);
	cr_expect(strstr(complaint.text, "the local view cannot be read: "));
	cr_expect_null(answer);
}

Test(views, answers_while_another_writes)
{
	insert_two_turns();
	sql("BEGIN IMMEDIATE; DELETE FROM span");
	cr_expect_str_eq(names(SPANS(.id = TRACE_A)), "turn call tool");
	sql("COMMIT");
	expect_refusal(TRACE_A, -ENOENT, "no session or trace begins with " TRACE_A);
}

Test(views, a_hundred_thousand_spans_are_no_burden)
{
	sql("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)"
	    " INSERT INTO span (trace_id, span_id, lane, received_ns, start_ns, end_ns, name, kind,"
	    " level, session_id, model, usage, cost_fusd) SELECT printf('%032x', i / 10),"
	    " printf('%016x', i), 'default', 1, i, i, 'n', 'LLM', 'DEFAULT', 's' || (i / 100),"
	    " 'm' || (i % 7), '{\"input\":1,\"output\":2,\"total\":3}', 1000 + i FROM n");
	json_t *cost = COST("model"), *sessions = SESSIONS(.limit = 20), *spans = SPANS(.last = 3);
	const json_t *total = json_object_get(cost, "total");
	cr_expect_eq(json_integer_value(json_object_get(total, "cost_fusd")), 5099950000);
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(total, "usage"), "total")),
		300000);
	cr_expect_eq(json_array_size(json_object_get(sessions, "sessions")), 20);
	cr_expect_str_eq(
		json_string_value(json_object_get(
			json_array_get(json_object_get(sessions, "sessions"), 0), "session_id")),
		"s999");
	cr_expect_eq(json_array_size(json_object_get(spans, "traces")), 3);
	json_decref(cost);
	json_decref(sessions);
	json_decref(spans);
}
