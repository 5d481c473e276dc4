/* The life of a batch between a door and the spool, which is played by this program. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "base/counters.h"
#include "otlp/request.h"
#include "pipeline.h"
#include "pricing/price.h"
#include "pricing/tariff.h"
#include "spool/spool.h"
#include "support/fixture.h"

/* What the spool was handed, and what it answers. */
static struct {
	unsigned appended;
	int answer;
} spool;

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
	house->pipeline = pipeline_new(&house->config, house->tariff, NULL);
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
