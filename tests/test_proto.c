#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "otlp_logs.pb-c.h"
#include "otlp_metrics.pb-c.h"
#include "otlp_trace.pb-c.h"
#include "rpc_status.pb-c.h"

static struct buf read_fixture(const char *folder, const char *name, const char *suffix)
{
	char path[512];
	snprintf(path, sizeof path, "%s/tests/fixtures/%s/%s%s", getenv("srcdir"), folder, name,
		suffix);
	struct buf buf;
	buf_init(&buf, 1 << 20, NULL);
	cr_assert_eq(file_read(path, &buf), 0, "%s", path);
	return buf;
}

static ProtobufCMessage *decode(const ProtobufCMessageDescriptor *type, struct bytes from)
{
	return protobuf_c_message_unpack(type, NULL, from.len, from.at);
}

static void assert_encodes_to(
	const ProtobufCMessage *message, struct bytes expected, const char *what)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(len + 1);
	cr_assert_eq(protobuf_c_message_pack(message, bytes), len);
	cr_assert(bytes_equal((struct bytes){ bytes, len }, expected), "%s is encoded otherwise",
		what);
	free(bytes);
}

static size_t count_spans(const Otlp__ExportTraceServiceRequest *request)
{
	size_t count = 0;
	for (size_t r = 0; r < request->n_resource_spans; r++)
		for (size_t s = 0; s < request->resource_spans[r]->n_scope_spans; s++)
			count += request->resource_spans[r]->scope_spans[s]->n_spans;
	return count;
}

static size_t count_log_records(const Otlp__ExportLogsServiceRequest *request)
{
	size_t count = 0;
	for (size_t r = 0; r < request->n_resource_logs; r++)
		for (size_t s = 0; s < request->resource_logs[r]->n_scope_logs; s++)
			count += request->resource_logs[r]->scope_logs[s]->n_log_records;
	return count;
}

Test(proto, every_valid_request_is_read_whole_and_written_as_it_was)
{
	struct buf list = read_fixture("otlp/valid", "MANIFEST", ".json");
	json_t *cases = json_loadb((char *)list.at, list.len, 0, NULL);
	cr_assert_gt(json_array_size(cases), 30);
	size_t i;
	json_t *one;
	json_array_foreach(cases, i, one) {
		const char *id = json_string_value(json_object_get(one, "id"));
		struct buf pb = read_fixture("otlp/valid", id, ".pb");
		ProtobufCMessage *request =
			decode(&otlp__export_trace_service_request__descriptor, buf_bytes(&pb));
		cr_assert_not_null(request, "%s", id);
		cr_expect_eq(count_spans((Otlp__ExportTraceServiceRequest *)request),
			(size_t)json_integer_value(json_object_get(one, "spans")), "%s", id);
		assert_encodes_to(request, buf_bytes(&pb), id);
		protobuf_c_message_free_unpacked(request, NULL);
		buf_done(&pb);
	}
	json_decref(cases);
	buf_done(&list);
}

/* Its exporter writes zeros out, so a second encoding is shorter; protoc says how long it must be. */
Test(proto, a_claude_code_session_is_read_whole)
{
	static const struct {
		const char *name;
		const ProtobufCMessageDescriptor *type;
		size_t items; /* log records, spans or metrics, counted in protoc --decode */
		size_t canonical_bytes; /* of protoc --encode */
	} files[] = {
		{ "0001-logs", &otlp__export_logs_service_request__descriptor, 53, 31231 },
		{ "0002-logs", &otlp__export_logs_service_request__descriptor, 4, 3246 },
		{ "0003-traces", &otlp__export_trace_service_request__descriptor, 6, 4906 },
		{ "0004-metrics", &otlp__export_metrics_service_request__descriptor, 4, 2811 },
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct buf pb = read_fixture("captures/claude/b-tool", files[i].name, ".pb");
		ProtobufCMessage *message = decode(files[i].type, buf_bytes(&pb));
		cr_assert_not_null(message, "%s", files[i].name);
		size_t items;
		if (files[i].type == &otlp__export_logs_service_request__descriptor)
			items = count_log_records((Otlp__ExportLogsServiceRequest *)message);
		else if (files[i].type == &otlp__export_trace_service_request__descriptor)
			items = count_spans((Otlp__ExportTraceServiceRequest *)message);
		else
			items = ((Otlp__ExportMetricsServiceRequest *)message)
					->resource_metrics[0]
					->scope_metrics[0]
					->n_metrics;
		cr_expect_eq(items, files[i].items, "%s: %zu", files[i].name, items);
		cr_assert_eq(protobuf_c_message_get_packed_size(message), files[i].canonical_bytes);

		uint8_t *bytes = malloc(files[i].canonical_bytes);
		struct bytes canonical = { bytes, protobuf_c_message_pack(message, bytes) };
		ProtobufCMessage *again = decode(files[i].type, canonical);
		cr_assert_not_null(again, "%s", files[i].name);
		assert_encodes_to(again, canonical, files[i].name);
		protobuf_c_message_free_unpacked(again, NULL);
		free(bytes);
		protobuf_c_message_free_unpacked(message, NULL);
		buf_done(&pb);
	}
}

Test(proto, each_field_of_a_full_span_has_the_number_the_protocol_gives_it)
{
	struct buf pb = read_fixture("otlp/valid", "36-full-message", ".pb");
	Otlp__ExportTraceServiceRequest *request =
		otlp__export_trace_service_request__unpack(NULL, pb.len, pb.at);
	cr_assert_not_null(request);
	Otlp__ResourceSpans *resource_spans = request->resource_spans[0];
	cr_expect_eq(resource_spans->resource->dropped_attributes_count, 2);
	cr_expect_eq(resource_spans->resource->n_entity_refs, 1);
	cr_expect_eq(resource_spans->resource->entity_refs[0]->n_id_keys, 1);
	Otlp__ScopeSpans *scope_spans = resource_spans->scope_spans[0];
	cr_expect(scope_spans->scope->attributes[0]->value->bool_value);
	Otlp__Span *span = scope_spans->spans[0];
	cr_expect_eq(span->trace_id.len, 16);
	cr_expect_eq(span->parent_span_id.len, 8);
	cr_expect_eq(span->parent_span_id.data[7], 0x09);
	cr_expect_eq(span->kind, OTLP__SPAN_KIND__SPAN_KIND_CLIENT);
	cr_expect_eq(span->start_time_unix_nano, 1767225600001000000u);
	cr_expect_eq(span->end_time_unix_nano, 1767225600501000000u);
	cr_expect_eq(span->dropped_attributes_count, 4);
	cr_expect_eq(span->dropped_events_count, 5);
	cr_expect_eq(span->dropped_links_count, 6);
	cr_expect_eq(span->flags, 769);
	cr_expect_eq(span->events[0]->time_unix_nano, 1767225600000000007u);
	cr_expect_eq(span->events[0]->dropped_attributes_count, 3);
	cr_expect_eq(span->status->code, OTLP__STATUS_CODE__STATUS_CODE_OK);
	cr_expect_eq(span->links[0]->n_attributes, 1);
	otlp__export_trace_service_request__free_unpacked(request, NULL);
	buf_done(&pb);
}

Test(proto, a_text_with_nul_inside_stays_whole)
{
	static const uint8_t attribute[] = { 0x0a, 3, 'k', 0, 'y', 0x12, 5, 0x0a, 3, 'a', 0, 'b' };
	struct bytes wire = { attribute, sizeof attribute };
	Otlp__KeyValue *read = (Otlp__KeyValue *)decode(&otlp__key_value__descriptor, wire);
	cr_assert_not_null(read);
	cr_expect_eq(read->key.len, 3);
	cr_expect_eq(read->value->string_value.len, 3);
	cr_expect_arr_eq(read->value->string_value.data, "a\0b", 3);
	assert_encodes_to(&read->base, wire, "the attribute");
	otlp__key_value__free_unpacked(read, NULL);
}

Test(proto, a_sum_of_zero_differs_from_a_missing_sum)
{
	static const uint8_t zero[] = { 0x29, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct bytes wire = { zero, sizeof zero };
	Otlp__HistogramDataPoint *with =
		(Otlp__HistogramDataPoint *)decode(&otlp__histogram_data_point__descriptor, wire);
	cr_assert_not_null(with);
	cr_expect_eq(with->sum_presence_case, OTLP__HISTOGRAM_DATA_POINT__SUM_PRESENCE_SUM);
	cr_expect_eq(with->min_presence_case, OTLP__HISTOGRAM_DATA_POINT__MIN_PRESENCE__NOT_SET);
	assert_encodes_to(&with->base, wire, "a point with a sum of zero");
	otlp__histogram_data_point__free_unpacked(with, NULL);

	Otlp__HistogramDataPoint without = OTLP__HISTOGRAM_DATA_POINT__INIT;
	assert_encodes_to(&without.base, (struct bytes){ NULL, 0 }, "a point without sum");
}

Test(proto, bucket_counts_are_read_packed_and_unpacked_and_written_packed)
{
	static const uint8_t packed[] = { 0x12, 2, 7, 8 }, unpacked[] = { 0x10, 7, 0x10, 8 };
	const struct bytes forms[] = { { packed, sizeof packed }, { unpacked, sizeof unpacked } };
	for (size_t i = 0; i < 2; i++) {
		Otlp__ExponentialHistogramDataPoint__Buckets *read =
			(Otlp__ExponentialHistogramDataPoint__Buckets *)decode(
				&otlp__exponential_histogram_data_point__buckets__descriptor,
				forms[i]);
		cr_assert_not_null(read);
		cr_expect_eq(read->n_bucket_counts, 2);
		cr_expect_eq(read->bucket_counts[1], 8);
		assert_encodes_to(&read->base, forms[0], "the buckets");
		protobuf_c_message_free_unpacked(&read->base, NULL);
	}
}

Test(proto, a_field_from_the_future_travels_on)
{
	/* a span with flags, then field 100 = "new" */
	static const uint8_t span[] = { 0x85, 0x01, 1, 0, 0, 0, 0xa2, 0x06, 3, 'n', 'e', 'w' };
	struct bytes wire = { span, sizeof span };
	ProtobufCMessage *read = decode(&otlp__span__descriptor, wire);
	cr_assert_not_null(read);
	cr_expect_eq(read->n_unknown_fields, 1);
	assert_encodes_to(read, wire, "the span");
	protobuf_c_message_free_unpacked(read, NULL);
}

Test(proto, a_refusal_that_names_a_delay_has_the_bytes_of_google_rpc)
{
	Rpc__Duration delay = RPC__DURATION__INIT;
	delay.seconds = 5;
	Rpc__RetryInfo retry = RPC__RETRY_INFO__INIT;
	retry.retry_delay = &delay;
	static const uint8_t retry_wire[] = { 0x0a, 2, 0x08, 5 };
	assert_encodes_to(
		&retry.base, (struct bytes){ retry_wire, sizeof retry_wire }, "RetryInfo");

	Rpc__Any detail = RPC__ANY__INIT;
	detail.type_url = (ProtobufCBinaryData){ 3, (uint8_t *)"t/R" };
	detail.value = (ProtobufCBinaryData){ sizeof retry_wire, (uint8_t *)retry_wire };
	Rpc__Any *details[] = { &detail };
	Rpc__Status status = RPC__STATUS__INIT;
	status.code = 14;
	status.message = (ProtobufCBinaryData){ 4, (uint8_t *)"full" };
	status.n_details = 1;
	status.details = details;
	static const uint8_t wire[] = { 0x08, 14, 0x12, 4, 'f', 'u', 'l', 'l', 0x1a, 11, 0x0a, 3,
		't', '/', 'R', 0x12, 4, 0x0a, 2, 0x08, 5 };
	assert_encodes_to(&status.base, (struct bytes){ wire, sizeof wire }, "Status");
}
