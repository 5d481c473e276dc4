/* The life of a batch between a door and the spool, which is played by this program. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/counters.h"
#include "dialects/dialect.h"
#include "otlp/request.h"
#include "pipeline.h"
#include "pricing/price.h"
#include "pricing/tariff.h"
#include "spool/spool.h"
#include "support/capture.h"
#include "support/fixture.h"

/* What the spool was handed, and what it answers. */
static struct {
	unsigned appended;
	int answer;
} spool;

enum { ALL_SIGNALS = 7 };

void spool_append(struct spool *unused, struct batch *batch)
{
	(void)unused;
	spool.appended++;
	batch->committed(batch, spool.answer);
}

struct door {
	struct batch batch;
	unsigned calls;
	int error;
};

static void committed(struct batch *batch, int error)
{
	struct door *door = batch->owner;
	door->calls++;
	door->error = error;
}

struct house {
	struct config config;
	struct destination_config destinations[2];
	struct tariff *tariff;
	struct pipeline *pipeline;
	struct door door;
};

static void house_open(struct house *house, bool has_langfuse, bool has_otlp)
{
	struct complaint complaint = { 0 };
	house->config = fixture_config();
	house->destinations[0] = (struct destination_config){ .type = DESTINATION_LANGFUSE,
		.enabled = has_langfuse };
	house->destinations[1] =
		(struct destination_config){ .type = DESTINATION_OTLP, .enabled = has_otlp };
	house->config.destinations = house->destinations;
	house->config.destination_count = 2;
	struct prices *prices;
	cr_assert_eq(prices_builtin(&prices, &complaint), 0);
	house->tariff = tariff_new(prices);
	house->pipeline = pipeline_new(&house->config, house->tariff, NULL, NULL);
	house->door = (struct door){ .batch = { .lane = "default", .signal = SIGNAL_TRACES } };
	house->door.batch.committed = committed;
	house->door.batch.owner = &house->door;
	arena_init(&house->door.batch.arena, 64 << 20, NULL);
}

static void house_close(struct house *house)
{
	arena_done(&house->door.batch.arena);
	pipeline_free(house->pipeline);
	tariff_free(house->tariff);
}

static uint32_t spans_in(const struct part *part)
{
	uint32_t count = 0;
	cr_expect_eq(request_count_items(part->bytes, &count), 0);
	return count;
}

Test(pipeline, a_request_that_suits_all_is_stored_once)
{
	struct house house;
	struct bytes request = fixture("captures/claude/b-tool/0003-traces.pb");
	house_open(&house, true, true);
	cr_assert_eq(pipeline_accept(house.pipeline, &house.door.batch, request), 0);
	cr_expect_eq(spool.appended, 1);
	cr_expect_eq(house.door.calls, 1);
	cr_assert_eq(house.door.batch.part_count, 1);
	cr_expect_eq(house.door.batch.parts[0].shape, SHAPE_ANY);
	cr_expect_eq(spans_in(&house.door.batch.parts[0]), house.door.batch.span_count);
	cr_expect_eq(counter_read(COUNTER_SPANS_STORED), house.door.batch.span_count);
	house_close(&house);
	free((void *)request.at);
}

Test(pipeline, a_repaired_request_is_stored_in_two_shapes_where_both_are_wanted)
{
	static const struct {
		bool has_langfuse, has_otlp;
		size_t parts;
		enum shape first;
	} cases[] = {
		{ true, true, 2, SHAPE_PLAIN },
		{ true, false, 1, SHAPE_ANY },
		{ false, true, 1, SHAPE_ANY },
		{ false, false, 1, SHAPE_ANY },
	};
	struct bytes request = fixture("otlp/valid/31-kvlist-bytes.pb");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct house house;
		house_open(&house, cases[i].has_langfuse, cases[i].has_otlp);
		cr_assert_eq(pipeline_accept(house.pipeline, &house.door.batch, request), 0);
		cr_assert_eq(house.door.batch.part_count, cases[i].parts, "case %zu", i);
		cr_expect_eq(house.door.batch.parts[0].shape, cases[i].first, "case %zu", i);
		house_close(&house);
	}
	free((void *)request.at);
}

Test(pipeline, a_request_longer_than_a_record_is_cut_between_spans)
{
	struct house house;
	struct bytes request = fixture("captures/claude/b-tool/0003-traces.pb");
	house_open(&house, true, true);
	house.config.spool.max_record_bytes = 3000;
	cr_assert_eq(pipeline_accept(house.pipeline, &house.door.batch, request), 0);
	cr_expect_eq(spool.appended, 1, "all parts in one batch");
	cr_assert(house.door.batch.part_count > 1);
	uint32_t spans = 0;
	for (size_t i = 0; i < house.door.batch.part_count; i++) {
		const struct part *part = &house.door.batch.parts[i];
		cr_expect_eq(spans_in(part), part->span_count);
		cr_expect(part->bytes.len <= 3000 || part->span_count == 1);
		spans += part->span_count;
	}
	cr_expect_eq(spans, house.door.batch.span_count);
	house_close(&house);
	free((void *)request.at);
}

Test(pipeline, what_is_not_on_disk_does_not_count_as_stored)
{
	struct house house;
	struct bytes request = fixture("captures/claude/b-tool/0003-traces.pb");
	house_open(&house, true, true);
	spool.answer = -EIO;
	cr_assert_eq(pipeline_accept(house.pipeline, &house.door.batch, request), 0);
	cr_expect_eq(house.door.error, -EIO);
	cr_expect_eq(counter_read(COUNTER_SPANS_STORED), 0);
	house_close(&house);
	free((void *)request.at);
}

Test(pipeline, a_request_without_spans_is_done_at_once)
{
	struct house house;
	house_open(&house, true, true);
	cr_assert_eq(pipeline_accept(house.pipeline, &house.door.batch, (struct bytes){ 0 }), 0);
	cr_expect_eq(spool.appended, 0);
	cr_expect_eq(house.door.calls, 1);
	cr_expect_eq(house.door.error, 0);
	house_close(&house);
}

Test(pipeline, rejected_spans_are_counted_and_explained)
{
	struct house house;
	struct bytes request = fixture("otlp/valid/33-missing-ids.pb");
	house_open(&house, true, true);
	cr_assert_eq(pipeline_accept(house.pipeline, &house.door.batch, request), 0);
	cr_expect_eq(house.door.batch.span_count, 2);
	cr_expect_eq(house.door.batch.rejected_count, 4);
	cr_expect_not_null(strstr(house.door.batch.rejected_why, "trace_id"));
	house_close(&house);
	free((void *)request.at);

	request = fixture("otlp/raw-pb/p33-logs-as-traces.pb");
	house_open(&house, true, true);
	cr_assert_eq(pipeline_accept(house.pipeline, &house.door.batch, request), 0);
	cr_expect_not_null(strstr(house.door.batch.rejected_why, "/v1/logs"));
	house_close(&house);
	free((void *)request.at);
}

Test(pipeline, a_malformed_request_is_not_taken)
{
	struct house house;
	house_open(&house, true, true);
	cr_expect_eq(
		pipeline_accept(house.pipeline, &house.door.batch, (struct bytes)BYTES("\x0a\x05")),
		-EBADMSG);
	cr_expect_eq(house.door.calls, 0);
	house_close(&house);
}

/* ---- whose it is ---- */

/* Sessions are on; everything is taken somewhere. */
static void house_open_for(struct house *house, enum signal signal)
{
	house_open(house, true, true);
	pipeline_free(house->pipeline);
	house->config.sessions.enabled = true;
	house->destinations[1].signals = ALL_SIGNALS;
	house->pipeline = pipeline_new(&house->config, house->tariff, NULL, NULL);
	house->door.batch.signal = signal;
}

static int accept(struct house *house, struct bytes request)
{
	return pipeline_accept(house->pipeline, &house->door.batch, request);
}

static void expect_part(
	const struct house *house, size_t i, enum stage stage, enum shape shape, uint32_t count)
{
	cr_assert_lt(i, house->door.batch.part_count);
	const struct part *part = &house->door.batch.parts[i];
	cr_expect_eq(part->stage, stage);
	cr_expect_eq(part->shape, shape);
	cr_expect_eq(part->span_count, count);
	cr_expect_eq(spans_in(part), count);
}

/* One request of two, as a Collector in between would make. */
static struct bytes joined(const char *one, const char *other)
{
	struct bytes a = fixture(one), b = fixture(other);
	uint8_t *at = malloc(a.len + b.len);
	memcpy(at, a.at, a.len);
	memcpy(at + a.len, b.at, b.len);
	free((void *)a.at);
	free((void *)b.at);
	return (struct bytes){ at, a.len + b.len };
}

static const char claude_spans[] = "captures/claude/b-tool/0003-traces.pb";
static const char claude_logs[] = "captures/claude/b-tool/0001-logs.pb";
static const char plain_spans[] = "otlp/valid/02-openinference-llm.pb";

/* ExportLogsServiceRequest with so many records of one scope, each with a body of so many bytes. */
static struct bytes logs_of(const char *scope, unsigned records, unsigned body_bytes)
{
	struct buf request, logs, record;
	buf_init(&request, 1 << 20, NULL);
	buf_init(&logs, 1 << 20, NULL);
	buf_init(&record, 1 << 20, NULL);
	cr_assert_lt(body_bytes, 120);
	buf_printf(&record, "\x2a%c\x0a%c%*s", (int)body_bytes + 2, (int)body_bytes,
		(int)body_bytes, "");
	buf_printf(&logs, "\x0a%c\x0a%c%s", (int)strlen(scope) + 2, (int)strlen(scope), scope);
	for (unsigned i = 0; i < records; i++) {
		buf_printf(&logs, "\x12%c", (int)record.len);
		buf_append(&logs, record.at, record.len);
	}
	uint8_t head[16], *at = head;
	*at++ = 0x0a; /* ResourceLogs, with room for a longer length of what is in it */
	size_t inner = logs.len + 4;
	*at++ = (uint8_t)(inner | 0x80);
	*at++ = (uint8_t)(inner >> 7 | 0x80);
	*at++ = (uint8_t)(inner >> 14);
	*at++ = 0x12;
	*at++ = (uint8_t)(logs.len | 0x80);
	*at++ = (uint8_t)(logs.len >> 7 | 0x80);
	*at++ = (uint8_t)(logs.len >> 14);
	buf_append(&request, head, (size_t)(at - head));
	buf_append(&request, logs.at, logs.len);
	buf_done(&logs);
	buf_done(&record);
	return buf_bytes(&request);
}

Test(pipeline, spans_of_a_coding_cli_wait_in_the_inbox_as_they_came)
{
	struct house house;
	struct bytes request = fixture(claude_spans);
	house_open_for(&house, SIGNAL_TRACES);
	cr_assert_eq(accept(&house, request), 0);
	cr_assert_eq(house.door.batch.part_count, 1);
	expect_part(&house, 0, STAGE_IN, SHAPE_ANY, house.door.batch.span_count);
	cr_expect(bytes_equal(house.door.batch.parts[0].bytes, request));
	cr_expect_eq(counter_read(COUNTER_SPANS_RECEIVED), house.door.batch.span_count);
	cr_expect_eq(counter_read(COUNTER_SPANS_STORED), house.door.batch.span_count);
	house_close(&house);
	free((void *)request.at);
}

Test(pipeline, a_request_of_both_is_stored_in_both_stages_at_once)
{
	struct house house;
	struct bytes request = joined(claude_spans, plain_spans);
	house_open_for(&house, SIGNAL_TRACES);
	cr_assert_eq(accept(&house, request), 0);
	cr_expect_eq(spool.appended, 1, "together or not at all");
	cr_assert_eq(house.door.batch.part_count, 2);
	uint32_t theirs = house.door.batch.parts[0].span_count;
	expect_part(&house, 0, STAGE_IN, SHAPE_ANY, theirs);
	expect_part(&house, 1, STAGE_OUT, SHAPE_ANY, house.door.batch.span_count - theirs);
	cr_expect_gt(theirs, 0);
	cr_expect_gt(house.door.batch.span_count, theirs);
	house_close(&house);

	house_open_for(&house, SIGNAL_TRACES);
	house.config.limits.max_spans = theirs;
	cr_expect_eq(accept(&house, request), -E2BIG, "both count");
	house_close(&house);
	free((void *)request.at);
}

Test(pipeline, spans_of_a_cli_without_ids_are_rejected_too)
{
	/* One ScopeSpans of Claude Code's with two spans; the first has ids. */
	static const char request[] = "\x0a\x4d\x12\x4b\x0a\x25\x0a\x23"
				      "com.anthropic.claude_code.tracing.x"
				      "\x12\x1c\x0a\x10"
				      "tttttttttttttttt"
				      "\x12\x08"
				      "ssssssss"
				      "\x12\x04\x2a\x02no";
	struct house house;
	house_open_for(&house, SIGNAL_TRACES);
	cr_assert_eq(accept(&house, (struct bytes){ (const uint8_t *)request, 79 }), 0);
	cr_expect_eq(house.door.batch.span_count, 1);
	cr_expect_eq(house.door.batch.rejected_count, 1);
	cr_expect_not_null(strstr(house.door.batch.rejected_why, "trace_id"));
	cr_expect_eq(counter_read(COUNTER_REJECTED_WITHOUT_IDS), 1);
	house_close(&house);
}

/* The first spans that a capture has. */
static struct bytes first_spans(const struct capture *capture)
{
	size_t i = 0;
	while (capture->deliveries[i].signal != SIGNAL_TRACES)
		i++;
	return capture->deliveries[i].body;
}

Test(pipeline, native_spans_that_are_kept_pass_as_those_of_others_but_claude_codes)
{
	static const struct {
		const char *name;
		enum native_spans_setting setting;
		enum stage stage;
	} cases[] = {
		{ "codex/b-tool", NATIVE_SPANS_AUTO, STAGE_IN },
		{ "codex/b-tool", NATIVE_SPANS_DROP, STAGE_IN },
		{ "codex/b-tool", NATIVE_SPANS_KEEP, STAGE_OUT },
		{ "gemini/b-tool", NATIVE_SPANS_AUTO, STAGE_IN },
		{ "gemini/b-tool", NATIVE_SPANS_KEEP, STAGE_OUT },
		{ "claude/b-tool", NATIVE_SPANS_KEEP, STAGE_IN },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct house house;
		struct capture capture = capture_open(cases[i].name);
		house_open_for(&house, SIGNAL_TRACES);
		house.config.sessions.native_spans = cases[i].setting;
		cr_assert_eq(accept(&house, first_spans(&capture)), 0, "case %zu", i);
		for (size_t p = 0; p < house.door.batch.part_count; p++)
			cr_expect_eq(
				house.door.batch.parts[p].stage, cases[i].stage, "case %zu", i);
		cr_expect_gt(house.door.batch.part_count, 0);
		house_close(&house);
		capture_close(&capture);
	}
}

Test(pipeline, without_sessions_the_clis_are_senders_as_others)
{
	struct house house;
	struct bytes spans = fixture(claude_spans), logs = fixture(claude_logs);
	house_open_for(&house, SIGNAL_TRACES);
	house.config.sessions.enabled = false;
	cr_assert_eq(accept(&house, spans), 0);
	expect_part(&house, 0, STAGE_OUT, SHAPE_ANY, house.door.batch.span_count);
	house_close(&house);

	house_open_for(&house, SIGNAL_LOGS);
	house.config.sessions.enabled = false;
	cr_assert_eq(accept(&house, logs), 0);
	cr_assert_eq(house.door.batch.part_count, 1);
	expect_part(&house, 0, STAGE_OUT, SHAPE_PLAIN, house.door.batch.span_count);
	cr_expect(bytes_equal(house.door.batch.parts[0].bytes, logs));
	house_close(&house);
	free((void *)spans.at);
	free((void *)logs.at);
}

Test(pipeline, logs_of_a_cli_wait_and_those_of_others_travel_on)
{
	struct house house;
	struct bytes theirs = fixture(claude_logs), others = logs_of("app", 3, 5);
	uint8_t *both = malloc(theirs.len + others.len);
	memcpy(both, others.at, others.len);
	memcpy(both + others.len, theirs.at, theirs.len);
	house_open_for(&house, SIGNAL_LOGS);
	cr_assert_eq(accept(&house, (struct bytes){ both, theirs.len + others.len }), 0);
	cr_expect_eq(spool.appended, 1);
	cr_assert_eq(house.door.batch.part_count, 2);
	expect_part(&house, 0, STAGE_IN, SHAPE_ANY, house.door.batch.span_count - 3);
	cr_expect(bytes_equal(house.door.batch.parts[0].bytes, theirs));
	expect_part(&house, 1, STAGE_OUT, SHAPE_PLAIN, 3);
	cr_expect(bytes_equal(house.door.batch.parts[1].bytes, others));
	cr_expect_eq(counter_read(COUNTER_LOGS_RECEIVED), house.door.batch.span_count);
	cr_expect_eq(counter_read(COUNTER_UNWANTED_LOGS), 0);
	cr_expect_eq(counter_read(COUNTER_SPANS_STORED), 0, "they are no spans");
	house_close(&house);
	free(both);
	free((void *)theirs.at);
	free((void *)others.at);
}

Test(pipeline, what_no_destination_takes_is_acknowledged_and_counted)
{
	struct house house;
	struct bytes theirs = fixture(claude_logs), others = logs_of("app", 3, 5);
	struct bytes metrics = fixture("captures/claude/b-tool/0004-metrics.pb");
	static const struct bytes nothing;
	house_open_for(&house, SIGNAL_LOGS);
	house.destinations[1].enabled = false;
	pipeline_free(house.pipeline);
	house.pipeline = pipeline_new(&house.config, house.tariff, NULL, NULL);
	cr_expect_not(pipeline_wants(house.pipeline, SIGNAL_LOGS));
	cr_assert_eq(accept(&house, others), 0);
	cr_expect_eq(spool.appended, 0);
	cr_expect_eq(house.door.calls, 1);
	cr_expect_eq(counter_read(COUNTER_UNWANTED_LOGS), 3);

	cr_assert_eq(accept(&house, theirs), 0);
	cr_expect_eq(spool.appended, 1, "they feed sessions all the same");
	cr_expect_eq(counter_read(COUNTER_UNWANTED_LOGS), 3);

	house.door.batch.part_count = 0;
	house.door.batch.signal = SIGNAL_METRICS;
	cr_assert_eq(accept(&house, metrics), 0);
	cr_assert_eq(accept(&house, nothing), 0);
	cr_expect_eq(spool.appended, 1);
	cr_expect_gt(counter_read(COUNTER_UNWANTED_METRICS), 0);
	cr_expect_eq(
		counter_read(COUNTER_UNWANTED_METRICS), counter_read(COUNTER_METRICS_RECEIVED));
	house_close(&house);
	free((void *)theirs.at);
	free((void *)others.at);
	free((void *)metrics.at);
}

Test(pipeline, metrics_travel_on_as_they_came)
{
	struct house house;
	struct bytes metrics = fixture("captures/claude/b-tool/0004-metrics.pb");
	house_open_for(&house, SIGNAL_METRICS);
	cr_assert_eq(accept(&house, metrics), 0);
	cr_assert_eq(house.door.batch.part_count, 1);
	expect_part(&house, 0, STAGE_OUT, SHAPE_PLAIN, house.door.batch.span_count);
	cr_expect(bytes_equal(house.door.batch.parts[0].bytes, metrics));
	house_close(&house);
	free((void *)metrics.at);
}

Test(pipeline, long_logs_are_cut_between_records_in_both_stages)
{
	for (int is_theirs = 0; is_theirs < 2; is_theirs++) {
		struct house house;
		struct bytes request =
			logs_of(is_theirs ? "com.anthropic.claude_code.events" : "app", 40, 100);
		house_open_for(&house, SIGNAL_LOGS);
		house.config.spool.max_record_bytes = 1000;
		cr_assert_eq(accept(&house, request), 0);
		cr_assert_gt(house.door.batch.part_count, 4);
		uint32_t count = 0;
		for (size_t i = 0; i < house.door.batch.part_count; i++) {
			const struct part *part = &house.door.batch.parts[i];
			cr_expect_eq(part->stage, is_theirs ? STAGE_IN : STAGE_OUT);
			cr_expect_leq(part->bytes.len, 1000);
			cr_expect_eq(spans_in(part), part->span_count);
			count += part->span_count;
		}
		cr_expect_eq(count, 40);
		house_close(&house);
		free((void *)request.at);
	}
}

Test(pipeline, logs_and_metrics_have_the_limits_of_spans)
{
	struct house house;
	struct bytes logs = logs_of("app", 3, 5);
	house_open_for(&house, SIGNAL_LOGS);
	cr_expect_eq(accept(&house, (struct bytes){ logs.at, logs.len - 1 }), -EBADMSG);
	house.config.limits.max_spans = 2;
	cr_expect_eq(accept(&house, logs), -E2BIG);
	house.config.limits.max_spans = 3;
	house.config.limits.max_depth = 4;
	cr_expect_eq(accept(&house, logs), -EBADMSG, "the body is a fifth level");
	house.config.limits.max_depth = 5;
	cr_expect_eq(accept(&house, logs), 0);
	cr_expect_eq(counter_read(COUNTER_LOGS_RECEIVED), 3);
	house_close(&house);
	free((void *)logs.at);

	/* A histogram whose packed counts are cut short. */
	static const char histogram[] = "\x0a\x0f\x12\x0d\x12\x0b\x4a\x09\x0a\x07\x32\x05"
					"12345";
	house_open_for(&house, SIGNAL_METRICS);
	cr_expect_eq(accept(&house, (struct bytes){ (const uint8_t *)histogram, 17 }), -EBADMSG);
	house_close(&house);
}

Test(pipeline, a_hook_is_a_log_record_in_the_inbox)
{
	struct house house;
	static const struct bytes payload = BYTES("{\"hook_event_name\":\"Stop\"}");
	house_open_for(&house, SIGNAL_LOGS);
	house.door.batch.received_ns = 77;
	cr_assert_eq(pipeline_accept_hook(house.pipeline, &house.door.batch,
			     dialect_named(bytes_of("codex")), payload),
		0);
	cr_assert_eq(house.door.batch.part_count, 1);
	expect_part(&house, 0, STAGE_IN, SHAPE_ANY, 1);
	struct bytes stored = house.door.batch.parts[0].bytes;
	cr_expect_not_null(memmem(stored.at, stored.len, payload.at, payload.len));
	cr_expect_not_null(memmem(stored.at, stored.len, HOOK_SCOPE, strlen(HOOK_SCOPE)));
	cr_expect_eq(counter_read(COUNTER_HOOKS_RECEIVED), 1);
	cr_expect_eq(counter_read(COUNTER_LOGS_RECEIVED), 0);
	house_close(&house);
}

/* ---- the synthesizer's way in ---- */

Test(pipeline, what_the_synthesizer_makes_goes_to_the_destinations)
{
	struct house house;
	struct bytes request = fixture(claude_spans);
	house_open_for(&house, SIGNAL_TRACES);
	cr_assert_eq(pipeline_emit(house.pipeline, &house.door.batch, request), 0);
	expect_part(&house, 0, STAGE_OUT, SHAPE_ANY, house.door.batch.span_count);
	cr_expect_gt(house.door.batch.parts[0].bytes.len, request.len, "it is enriched");
	cr_expect_eq(counter_read(COUNTER_SPANS_RECEIVED), 0, "nobody sent it");
	cr_expect_eq(counter_read(COUNTER_SPANS_STORED), 0);
	cr_expect_eq(house.door.calls, 1);
	house_close(&house);
	free((void *)request.at);
}

Test(pipeline, what_is_forwarded_goes_where_it_is_taken)
{
	struct house house;
	struct bytes logs = fixture(claude_logs);
	uint32_t count;
	cr_assert_eq(request_count_items(logs, &count), 0);
	house_open_for(&house, SIGNAL_LOGS);
	cr_expect(pipeline_wants(house.pipeline, SIGNAL_LOGS));
	cr_assert_eq(pipeline_forward(house.pipeline, &house.door.batch, logs, count), 0);
	cr_assert_eq(house.door.batch.part_count, 1);
	expect_part(&house, 0, STAGE_OUT, SHAPE_PLAIN, count);
	cr_expect(bytes_equal(house.door.batch.parts[0].bytes, logs));
	cr_expect_eq(counter_read(COUNTER_LOGS_RECEIVED), 0);
	house_close(&house);
	free((void *)logs.at);
}

/* ---- events of Langfuse's own API ---- */

static int accept_events(struct house *house, const char *lines, uint32_t count)
{
	return pipeline_accept_events(house->pipeline, &house->door.batch, bytes_of(lines), count);
}

static void expect_events(const struct house *house, size_t n, const char *lines, uint32_t count)
{
	const struct part *part = &house->door.batch.parts[n];
	cr_expect(bytes_are(part->bytes, lines), "part %zu", n);
	cr_expect_eq(part->span_count, count);
	cr_expect(part->stage == STAGE_OUT && part->shape == SHAPE_LANGFUSE);
}

static void house_open_for_events(struct house *house, uint64_t max_record_bytes)
{
	house_open(house, true, true);
	house->config.spool.max_record_bytes = max_record_bytes;
	house->door.batch.signal = SIGNAL_INGESTION;
}

Test(pipeline, events_are_for_langfuse_as_they_came)
{
	struct house house;
	static const char lines[] = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n";
	house_open_for_events(&house, 4096);
	cr_assert_eq(accept_events(&house, lines, 2), 0);
	cr_assert_eq(house.door.batch.part_count, 1);
	expect_events(&house, 0, lines, 2);
	cr_expect_eq(house.door.batch.span_count, 2);
	cr_expect_eq(counter_read(COUNTER_INGESTION_STORED), 2);
	cr_expect_eq(counter_read(COUNTER_SPANS_STORED), 0);
	cr_expect_eq(house.door.calls, 1);
	house_close(&house);
}

Test(pipeline, events_are_cut_between_lines)
{
	static const char *const parts[] = { "1\n22\n", "333333333\n", "4\n5\n", "666666\n" };
	static const uint32_t counts[] = { 2, 1, 2, 1 };
	struct house house;
	house_open_for_events(&house, 6);
	cr_assert_eq(accept_events(&house, "1\n22\n333333333\n4\n5\n666666\n", 6), 0);
	cr_assert_eq(house.door.batch.part_count, 4, "none is cut within");
	for (size_t i = 0; i < 4; i++)
		expect_events(&house, i, parts[i], counts[i]);
	cr_expect_eq(house.door.batch.span_count, 6);
	cr_expect_eq(spool.appended, 1, "together or not at all");
	house_close(&house);
}

Test(pipeline, events_that_are_not_on_disk_are_not_counted)
{
	struct house house;
	spool.answer = -ENOSPC;
	house_open_for_events(&house, 4096);
	cr_assert_eq(accept_events(&house, "{}\n", 1), 0);
	cr_expect_eq(house.door.error, -ENOSPC);
	cr_expect_eq(counter_read(COUNTER_INGESTION_STORED), 0);
	house_close(&house);
}

Test(pipeline, no_events_are_called_back_at_once)
{
	struct house house;
	house_open_for_events(&house, 4096);
	cr_assert_eq(accept_events(&house, "", 0), 0);
	cr_expect(house.door.calls == 1 && house.door.error == 0 && spool.appended == 0);
	cr_expect_eq(house.door.batch.stored_below, 0);
	house_close(&house);
}
