/* The local view: what a span becomes there, what is kept of it, and that nobody waits for it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "enrich/enrich.h"
#include "export/local.h"
#include "otlp/request.h"
#include "pricing/price.h"
#include "proto/otlp_trace.pb-c.h"
#include "spool/ledger.h"
#include "support/fixture.h"
#include "support/spool_fixture.h"

enum { PATIENCE_MS = 20000, RECORD_BYTES = 4096 /* of one small span in the log */ };

static const char *const lanes[] = { "default" };
static struct fixture disk;
static struct deliveries *deliveries;
static struct ledger *ledger;
static struct local_options options;
static struct local *local;
static char path[128];

static void open_all(void)
{
	fixture_open(&disk);
	cr_assert_eq(deliveries_open(disk.directory, &deliveries), 0);
	options.spool = disk.spool;
	options.deliveries = deliveries;
	cr_assert_eq(ledger_open(disk.spool, deliveries, &ledger), 0);
	cr_assert_eq(local_open(&options, &local), 0);
	cr_assert_eq(ledger_begin(ledger), 0);
	fixture_start_writer(&disk);
}

static void set_up(void)
{
	fixture_init(&disk);
	disk.options.max_bytes = 64 << 20;
	snprintf(path, sizeof path, "%s/local.sqlite", disk.directory);
	options = (struct local_options){
		.directory = disk.directory,
		.max_bytes = 64 << 20,
		.content_max_bytes = 1024,
		.max_lag_bytes = 32 << 20,
		.lanes = lanes,
		.lane_count = 1,
	};
}

static void close_all(void)
{
	spool_stop(disk.spool);
	pthread_join(disk.writer, NULL);
	disk.is_writing = false;
	local_free(local);
	ledger_free(ledger);
	deliveries_close(deliveries);
	fixture_close(&disk);
}

static void tear_down(void)
{
	fixture_done(&disk);
}

TestSuite(local, .init = set_up, .fini = tear_down, .timeout = 60);

/* Lets it do all that there is, as before a stop. */
static void work(void)
{
	local_stop(local, clock_monotonic_ms() + PATIENCE_MS);
	local_run(local);
	ledger_commit(ledger);
}

static void append(struct part *parts, size_t count, uint64_t received_ns)
{
	struct request *request = request_new("default", "", 0);
	memcpy(request->parts, parts, count * sizeof *parts);
	request->batch.part_count = count;
	request->batch.span_count = parts[0].span_count;
	request->batch.received_ns = received_ns;
	spool_append(disk.spool, &request->batch);
	cr_assert_eq(request_wait(request), 0);
	static unsigned appended; /* the books are written now and then, as each second */
	if (++appended % 50 == 0)
		ledger_commit(ledger);
}

/* ---- spans ---- */

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint;
	if (!table)
		cr_assert_eq(prices_builtin(&table, &complaint), 0);
	return table;
}

/* Stored as the pipeline does when Langfuse and others are there. */
static void append_request(struct bytes request)
{
	struct config config = fixture_config();
	struct enriched enriched;
	struct arena arena;
	arena_init(&arena, 64 << 20, NULL);
	cr_assert_eq(enrich(request, &config, prices(), &arena, &enriched), 0);
	struct part parts[] = {
		{ enriched.plain, enriched.span_count,
			enriched.langfuse.at ? SHAPE_PLAIN : SHAPE_ANY, STAGE_OUT },
		{ enriched.langfuse, enriched.span_count, SHAPE_LANGFUSE, STAGE_OUT },
	};
	append(parts, enriched.langfuse.at ? 2 : 1, 1000);
	arena_done(&arena);
}

static void append_fixture(const char *name)
{
	struct bytes request = fixture(name);
	append_request(request);
	free((void *)request.at);
}

struct made {
	const char *name, *session;
	struct bytes input;
};

static ProtobufCBinaryData data(struct bytes bytes)
{
	return (ProtobufCBinaryData){ bytes.len, (uint8_t *)bytes.at };
}

static void add_string(
	Otlp__KeyValue *attribute, Otlp__AnyValue *value, const char *key, struct bytes text)
{
	otlp__key_value__init(attribute);
	otlp__any_value__init(value);
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = data(text);
	attribute->key = data(bytes_of(key));
	attribute->value = value;
}

/* One span, as it leaves enrichment; to be freed. */
static struct bytes make_span(uint64_t number, const struct made *made)
{
	uint8_t id[16] = { 1 };
	for (int i = 0; i < 8; i++)
		id[8 + i] = (uint8_t)(number >> (56 - 8 * i));
	Otlp__KeyValue attributes[2], *list[2] = { &attributes[0], &attributes[1] };
	Otlp__AnyValue values[2];
	Otlp__Span span = OTLP__SPAN__INIT, *spans[] = { &span };
	span.trace_id = (ProtobufCBinaryData){ 16, id };
	span.span_id = (ProtobufCBinaryData){ 8, id + 8 };
	span.name = data(bytes_of(made->name));
	span.start_time_unix_nano = 5;
	add_string(&attributes[span.n_attributes++], &values[0], "input.value", made->input);
	if (made->session)
		add_string(&attributes[span.n_attributes++], &values[1], "session.id",
			bytes_of(made->session));
	span.attributes = list;
	Otlp__ScopeSpans scope = OTLP__SCOPE_SPANS__INIT, *scopes[] = { &scope };
	scope.n_spans = 1;
	scope.spans = spans;
	Otlp__ResourceSpans resource = OTLP__RESOURCE_SPANS__INIT, *resources[] = { &resource };
	resource.n_scope_spans = 1;
	resource.scope_spans = scopes;
	Otlp__ExportTraceServiceRequest request = OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
	request.n_resource_spans = 1;
	request.resource_spans = resources;
	size_t len = otlp__export_trace_service_request__get_packed_size(&request);
	uint8_t *at = malloc(len);
	otlp__export_trace_service_request__pack(&request, at);
	return (struct bytes){ at, len };
}

static void append_span(uint64_t number, const struct made *made, uint64_t received_ns)
{
	struct bytes request = make_span(number, made);
	struct part part = { request, 1, SHAPE_ANY, STAGE_OUT };
	append(&part, 1, received_ns);
	free((void *)request.at);
}

/* So many, each with an input of so many bytes. */
static void append_spans(uint64_t first, unsigned count, size_t bytes)
{
	char *text = malloc(bytes + 1);
	memset(text, 'x', bytes);
	for (unsigned i = 0; i < count; i++)
		append_span(first + i, &(struct made){ "span", NULL, { (uint8_t *)text, bytes } },
			1000);
	free(text);
}

/* ---- questions ---- */

static sqlite3 *open_db(int flags)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open_v2(path, &db, flags, NULL), SQLITE_OK);
	return db;
}

static void run(sqlite3 *db, const char *sql)
{
	char *why = NULL;
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &why), SQLITE_OK, "%s: %s", sql, why);
}

/* The rows of a query, one a line, columns apart by a bar; in a static buffer. */
static const char *ask(const char *sql)
{
	static char answer[16 << 10];
	size_t len = 0;
	sqlite3 *db = open_db(SQLITE_OPEN_READONLY);
	sqlite3_stmt *statement;
	answer[0] = '\0';
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK, "%s: %s", sql,
		sqlite3_errmsg(db));
	while (sqlite3_step(statement) == SQLITE_ROW) {
		if (len > 0)
			len += (size_t)snprintf(answer + len, sizeof answer - len, "\n");
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const unsigned char *text = sqlite3_column_text(statement, i);
			len += (size_t)snprintf(answer + len, sizeof answer - len, "%s%s",
				i ? "|" : "", text ? (const char *)text : "-");
		}
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return answer;
}

static uint64_t count_rows(void)
{
	return strtoull(ask("SELECT count(*) FROM span"), NULL, 10);
}

/* The ledger: what was expected of it is all there, one way or the other. */
static void expect_ledger(int64_t delivered, int64_t dropped)
{
	struct local_figures figures = local_figures(local);
	struct balance *balance;
	size_t count;
	ledger_commit(ledger);
	cr_assert_eq(ledger_read(ledger, 0, true, &balance, &count), 0);
	cr_assert_eq(count, 1);
	cr_expect_eq(balance->sums.finished[OUTCOME_DELIVERED], delivered, "%lld",
		(long long)balance->sums.finished[OUTCOME_DELIVERED]);
	cr_expect_eq(balance->sums.finished[OUTCOME_DROPPED], dropped, "%lld",
		(long long)balance->sums.finished[OUTCOME_DROPPED]);
	cr_expect_eq(balance->waiting, balance->measured, "it adds up");
	free(balance);
	cr_expect_eq(figures.stored, (uint64_t)delivered);
	cr_expect_eq(figures.skipped, (uint64_t)dropped);
}

/* ---- rows ---- */

Test(local, a_session_of_claude_code_is_there_as_langfuse_gets_it)
{
	open_all();
	append_fixture("captures/claude/b-tool/0003-traces.pb");
	work();
	cr_expect_str_eq(ask("SELECT name, kind, span_id, parent_span_id, model, provider, usage,"
			     " cost_fusd, cost_status, input FROM span ORDER BY arrival"),
		"claude_code.tool.blocked_on_user|CHAIN|81aef470b7c71db2|4e8d67c4363db0d3|-|anthropic|-|-|-|-\n"
		"claude_code.llm_request|LLM|06bcda30775983fb|1ccdeea95f6807f9|claude-opus-5-5|anthropic"
		"|{\"input\":12,\"output\":71,\"input_cached_tokens\":8192,\"input_cache_creation\":2048,"
		"\"total\":10323}|13346400000000|lower_bound|-\n"
		"claude_code.tool.execution|CHAIN|6ad361e18a6dd4c6|4e8d67c4363db0d3|-|anthropic|-|-|-|-\n"
		"Bash|TOOL|4e8d67c4363db0d3|1ccdeea95f6807f9|-|anthropic|-|-|-"
		"|{\"full_command\":\"echo hi\"}\n"
		"claude_code.llm_request|LLM|a8de480c0e729148|1ccdeea95f6807f9|claude-opus-5-5|anthropic"
		"|{\"input\":13,\"output\":17,\"input_cached_tokens\":10240,\"input_cache_creation\":256,"
		"\"total\":10526}|3720000000000|lower_bound|-\n"
		"claude_code.interaction|AGENT|1ccdeea95f6807f9|-|-|anthropic|-|-|-|Please run echo hi");
	cr_expect_str_eq(ask("SELECT DISTINCT trace_id, session_id, service, scope, level, lane,"
			     " received_ns, environment, output_bytes FROM span"),
		"7420824641bb65fe3515d0b9f3acc595|ec2b56f7-18c0-423c-9d00-7c992f425d30|claude-code"
		"|com.anthropic.claude_code.tracing|DEFAULT|default|1000|-|0");
	cr_expect_str_eq(ask("SELECT start_ns, end_ns FROM span WHERE parent_span_id IS NULL"),
		"1795206130692000000|1795206131250895556");
	expect_ledger(6, 0);
	close_all();
}

Test(local, spans_of_the_vocabularies_have_model_tokens_and_cost)
{
	static const struct {
		const char *fixture, *row;
	} cases[] = {
		{ "otlp/valid/02-openinference-llm.pb",
			"ChatCompletion|LLM|DEFAULT|-|sess-oi|u-1|app|azure.ai.openai|gpt-4o-2024-11-20"
			"|{\"input\":20,\"output\":30,\"input_cached_tokens\":100,\"total\":150}|475000000000" },
		{ "otlp/valid/35-error-status.pb", "GET /|-|ERROR|x|-|-|app|-|-|-|-" },
		{ "otlp/valid/08-genai-embeddings.pb",
			"embeddings text-embedding-3-small|EMBEDDING|DEFAULT|-|-|-|app|openai"
			"|text-embedding-3-small|{\"input\":33}|660000000" },
		{ "otlp/valid/42-explicit-langfuse.pb",
			"chat|AGENT|WARNING|bad|lf-s|lf-u|app|-|gpt-4o|{\"input\":1}|-" },
		{ "otlp/valid/01-no-attributes.pb", "GET /|-|DEFAULT|-|-|-|app|-|-|-|-" },
	};
	open_all();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char sql[512];
		append_fixture(cases[i].fixture);
		work();
		snprintf(sql, sizeof sql,
			"SELECT name, kind, level, status_message, session_id, user_id, service,"
			" provider, model, usage, cost_fusd FROM span"
			" ORDER BY arrival DESC LIMIT 1");
		cr_expect_str_eq(ask(sql), cases[i].row, "%s: %s", cases[i].fixture, ask(sql));
	}
	close_all();
}

Test(local, a_request_that_is_stored_in_two_shapes_is_there_once_and_repaired)
{
	open_all();
	append_fixture("otlp/valid/31-kvlist-bytes.pb");
	cr_expect_eq(spool_figures(disk.spool).next_sequence, 3);
	work();
	cr_expect_str_eq(ask("SELECT kind, input FROM span"),
		"TOOL|{\"path\":\"/a\",\"n\":3,\"deep\":{\"on\":true,\"l\":[1,1.5,\"x\"]},"
		"\"bin\":\"AMO/\"}");
	expect_ledger(1, 0);
	close_all();
}

Test(local, content_is_cut_between_characters_and_what_is_no_text_is_marked)
{
	static const struct {
		struct bytes input;
		const char *shown;
	} cases[] = {
		{ BYTES("12345678"), "12345678" },
		{ BYTES("123456789"), "12345678" },
		{ BYTES("1234567\xc3\xa9"), "1234567" },
		{ BYTES("12345\xf0\x9f\x98\x80"), "12345" },
		{ BYTES("\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0"),
			"\xf0\x9f\x98\x80\xf0\x9f\x98\x80" },
		{ BYTES("a\xff\0b"),
			"a\xef\xbf\xbd\xef\xbf\xbd"
			"b" },
		{ BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
			"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
			"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	options.content_max_bytes = 8;
	open_all();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		append_span(i + 1, &(struct made){ "x", NULL, cases[i].input }, 1000);
	work();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char sql[128], wanted[128];
		snprintf(sql, sizeof sql, "SELECT input, input_bytes FROM span WHERE arrival = %zu",
			i + 1);
		snprintf(wanted, sizeof wanted, "%s|%zu", cases[i].shown, cases[i].input.len);
		cr_expect_str_eq(ask(sql), wanted, "%zu: %s", i, ask(sql));
	}
	close_all();
}

Test(local, content_of_no_bytes_is_none)
{
	options.content_max_bytes = 0;
	open_all();
	append_span(1, &(struct made){ "x", NULL, BYTES("12345678") }, 1000);
	work();
	cr_expect_str_eq(ask("SELECT input IS NULL, input_bytes FROM span"), "1|8");
	close_all();
}

Test(local, a_span_that_comes_again_replaces_what_it_said_and_keeps_its_place)
{
	open_all();
	append_span(1, &(struct made){ "early", NULL, BYTES("a") }, 1000);
	append_span(2, &(struct made){ "other", NULL, BYTES("b") }, 2000);
	append_span(1, &(struct made){ "late", "s", BYTES("c") }, 3000);
	work();
	cr_expect_str_eq(
		ask("SELECT arrival, name, session_id, input, received_ns FROM span ORDER BY arrival"),
		"1|late|s|c|1000\n2|other|-|b|2000");
	expect_ledger(3, 0);
	close_all();
}

/* ---- the file ---- */

Test(local, the_file_is_its_owners_and_says_what_it_is)
{
	struct stat status;
	open_all();
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	cr_expect_str_eq(local_path(local), path);
	cr_expect_str_eq(ask("SELECT application_id, user_version, journal_mode, auto_vacuum"
			     " FROM pragma_application_id, pragma_user_version,"
			     " pragma_journal_mode, pragma_auto_vacuum"),
		"1413958742|1|wal|2");
	close_all();
}

Test(local, the_oldest_rows_go_when_the_file_is_full)
{
	enum { SPANS = 3000 };
	options.max_bytes = 1 << 20;
	open_all();
	append_spans(1, SPANS, 1024);
	work();
	uint64_t rows = count_rows();
	cr_expect_gt(rows, 300);
	cr_expect_lt(rows, 900);
	cr_expect_str_eq(ask("SELECT max(arrival) FROM span"), "3000");
	cr_expect_eq(strtoull(ask("SELECT min(arrival) FROM span"), NULL, 10), SPANS + 1 - rows);
	cr_expect_leq(strtoull(ask("SELECT page_count * page_size FROM pragma_page_count,"
				   " pragma_page_size"),
			      NULL, 10),
		options.max_bytes);
	cr_expect_leq(local_figures(local).file_bytes, options.max_bytes);
	expect_ledger(SPANS, 0);
	close_all();
}

Test(local, rows_that_are_too_old_go)
{
	const uint64_t hour_ns = UINT64_C(3600) * 1000000000, now_ns = clock_unix_ns();
	options.max_age_days = 2;
	open_all();
	append_span(1, &(struct made){ "old", NULL, BYTES("a") }, now_ns - 49 * hour_ns);
	append_span(2, &(struct made){ "young", NULL, BYTES("b") }, now_ns - 47 * hour_ns);
	work();
	clock_ahead_ms += 11000; /* it looks every ten seconds */
	work();
	cr_expect_str_eq(ask("SELECT name FROM span"), "young");
	close_all();
}

static void overwrite(long from, const char *text)
{
	FILE *file = fopen(path, "r+b");
	cr_assert(file && fseek(file, from, SEEK_SET) == 0);
	for (int i = 0; i < 4096; i++)
		fputc(text[i % (int)strlen(text)], file);
	cr_assert_eq(fclose(file), 0);
}

static void expect_a_new_one(uint64_t rows)
{
	char aside[160];
	snprintf(aside, sizeof aside, "%s.damaged", path);
	cr_expect_eq(count_rows(), rows);
	cr_expect_eq(access(aside, F_OK), 0);
}

Test(local, a_file_that_is_none_of_ours_is_moved_aside)
{
	sqlite3 *db = open_db(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	run(db, "CREATE TABLE span (mine INTEGER)");
	sqlite3_close(db);
	open_all();
	append_spans(1, 3, 10);
	work();
	expect_a_new_one(3);
	close_all();
}

Test(local, a_file_of_another_version_is_moved_aside)
{
	open_all();
	close_all();
	sqlite3 *db = open_db(SQLITE_OPEN_READWRITE);
	run(db, "PRAGMA user_version = 2");
	sqlite3_close(db);
	open_all();
	append_spans(1, 3, 10);
	work();
	expect_a_new_one(3);
	close_all();
}

Test(local, a_damaged_file_is_moved_aside_and_a_new_one_begun)
{
	const long places[] = { 0, 4096 * 20 };
	for (size_t i = 0; i < 2; i++) {
		open_all();
		append_spans(1000 * i + 1, 300, 500);
		work();
		close_all();
		overwrite(places[i], "nonsense");
		open_all();
		append_spans(1000 * i + 501, 2, 10);
		work();
		expect_a_new_one(2);
		close_all();
	}
}

Test(local, a_file_that_was_removed_is_made_again)
{
	open_all();
	append_spans(1, 3, 10);
	work();
	cr_assert_eq(unlink(path), 0);
	append_spans(4, 3, 10);
	work(); /* notices */
	clock_ahead_ms += 1000;
	work();
	cr_expect_eq(count_rows(), 3);
	expect_ledger(6, 0);
	close_all();
}

/* ---- what cannot be kept up with ---- */

Test(local, further_behind_than_it_may_be_it_skips_the_oldest_and_counts_them)
{
	enum { SPANS = 300 };
	options.max_lag_bytes = 100 * RECORD_BYTES;
	disk.options.segment_bytes = 64 << 10;
	open_all();
	append_spans(1, SPANS, 1000);
	work();
	uint64_t rows = count_rows();
	cr_expect_geq(rows, 40, "%llu", (unsigned long long)rows);
	cr_expect_leq(rows, 100, "%llu", (unsigned long long)rows);
	cr_expect_eq(strtoull(ask("SELECT min(span_id) FROM span"), NULL, 16), SPANS + 1 - rows);
	cr_expect_eq(strtoull(ask("SELECT sum(spans) FROM skipped"), NULL, 10), SPANS - rows);
	expect_ledger(rows, SPANS - rows);
	close_all();
}

Test(local, whatever_it_is_doing_no_door_is_closed_for_it)
{
	options.max_lag_bytes = 32 * RECORD_BYTES;
	disk.options.segment_bytes = 64 << 10;
	disk.options.max_bytes = 1 << 20;
	open_all();
	append_spans(1, 1000, 1000); /* each is accepted, though the view does nothing at all */
	ledger_commit(ledger);
	cr_expect_leq(spool_figures(disk.spool).kept_bytes, disk.options.max_bytes / 2);
	work();
	cr_expect_geq(count_rows(), 10);
	struct ledger_sums sums = delivery_sums(delivery_of(deliveries, LOCAL_NAME, lanes[0]));
	cr_expect_eq(sums.accepted, 1000);
	cr_expect_eq(sums.finished[OUTCOME_DELIVERED] + sums.finished[OUTCOME_DROPPED], 1000,
		"what went before it came there is booked");
	close_all();
}

Test(local, while_another_program_writes_it_waits_and_then_has_everything)
{
	open_all();
	sqlite3 *other = open_db(SQLITE_OPEN_READWRITE);
	run(other, "BEGIN IMMEDIATE");
	append_spans(1, 10, 100);
	work();
	expect_ledger(0, 0);
	run(other, "COMMIT");
	sqlite3_close(other);
	work();
	cr_expect_eq(count_rows(), 10);
	expect_ledger(10, 0);
	close_all();
}

Test(local, a_file_that_cannot_grow_holds_nobody_up_and_goes_on_when_it_can)
{
	struct rlimit limit;
	signal(SIGXFSZ, SIG_IGN);
	options.max_lag_bytes = 100 * RECORD_BYTES;
	disk.options.segment_bytes = 64 << 10;
	disk.options.max_bytes = 8 * options.max_lag_bytes;
	open_all();
	getrlimit(RLIMIT_FSIZE, &limit);
	rlim_t most = limit.rlim_cur;
	limit.rlim_cur = 100 << 10;
	setrlimit(RLIMIT_FSIZE, &limit);
	for (uint64_t first = 1; first <= 1000; first += 200) {
		append_spans(first, 200, 1000);
		work();
		cr_expect_leq(spool_figures(disk.spool).kept_bytes, options.max_lag_bytes);
	}
	cr_expect_gt(local_figures(local).skipped, 0);
	cr_expect_lt(local_figures(local).stored, 200);

	limit.rlim_cur = most;
	setrlimit(RLIMIT_FSIZE, &limit);
	append_spans(1001, 10, 1000);
	work();
	cr_expect_str_eq(ask("SELECT count(*) FROM span WHERE span_id > '00000000000003e8'"), "10");
	struct local_figures figures = local_figures(local);
	cr_expect_eq(figures.stored + figures.skipped, 1010);
	expect_ledger(figures.stored, figures.skipped);
	close_all();
}

Test(local, it_leaves_the_disk_the_room_that_doors_need)
{
	options.min_free_bytes = UINT64_C(1) << 60;
	open_all();
	append_spans(1, 10, 100);
	work();
	cr_expect_eq(count_rows(), 0);
	expect_ledger(0, 10);
	cr_expect_leq(spool_figures(disk.spool).kept_bytes, 8192, "nothing is kept for it");
	close_all();
}

Test(local, what_cannot_be_read_is_counted_and_the_rest_is_there)
{
	struct bytes good = make_span(1, &(struct made){ "good", NULL, BYTES("a") });
	struct buf half;
	buf_init(&half, 1 << 20, NULL);
	buf_append(&half, good.at, good.len);
	buf_text(&half, "\x0a\xff no protobuf");
	struct part parts[] = { { buf_bytes(&half), 3, SHAPE_ANY, STAGE_OUT },
		{ bytes_of("no protobuf either"), 2, SHAPE_ANY, STAGE_OUT } };
	open_all();
	append(&parts[0], 1, 1000);
	append(&parts[1], 1, 1000);
	append_spans(2, 1, 10);
	work();
	cr_expect_eq(count_rows(), 2);
	expect_ledger(2, 4);
	close_all();
	buf_done(&half);
	free((void *)good.at);
}

Test(local, events_of_langfuses_own_api_are_not_for_it)
{
	static const char lines[] = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n";
	struct request *request = request_new("default", lines, sizeof lines - 1);
	open_all();
	append_spans(1, 1, 10);
	request->batch.signal = SIGNAL_INGESTION;
	request->parts[0].shape = SHAPE_LANGFUSE;
	request->parts[0].span_count = 2;
	spool_append(disk.spool, &request->batch);
	cr_assert_eq(request_wait(request), 0);
	append_spans(2, 1, 10);
	work();
	expect_ledger(2, 0);
}

Test(local, after_a_restart_it_goes_on_where_it_was)
{
	open_all();
	append_spans(1, 10, 100);
	work();
	close_all();
	open_all();
	append_spans(11, 5, 100);
	work();
	cr_expect_eq(count_rows(), 15);
	cr_expect_eq(local_figures(local).stored, 5);
	cr_expect_eq(delivery_sums(delivery_of(deliveries, LOCAL_NAME, lanes[0]))
			     .finished[OUTCOME_DELIVERED],
		15);
	close_all();
}

static void *run_local(void *unused)
{
	local_run(local);
	return NULL;
}

Test(local, its_thread_shows_what_comes_and_ends_when_told)
{
	pthread_t thread;
	open_all();
	cr_assert_eq(pthread_create(&thread, NULL, run_local, NULL), 0);
	for (uint64_t i = 0; i < 3; i++) {
		append_spans(i * 10 + 1, 10, 100);
		for (int tries = 0; local_figures(local).stored < i * 10 + 10; tries++) {
			cr_assert_lt(tries, 2000, "nothing comes");
			usleep(10000);
		}
	}
	uint64_t before_ms = clock_monotonic_ms();
	local_stop(local, before_ms + PATIENCE_MS);
	pthread_join(thread, NULL);
	cr_expect_lt(clock_monotonic_ms(), before_ms + PATIENCE_MS);
	cr_expect_eq(count_rows(), 30);
	cr_expect_gt(local_figures(local).last_write_ns, 0);
	close_all();
}
