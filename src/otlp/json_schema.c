#include "otlp/json_schema.h"

#define FIELDS(rows) .fields = rows, .field_count = sizeof(rows) / sizeof(rows)[0]

enum { TRACE_ID_BYTES = 16, SPAN_ID_BYTES = 8 };

/* ---- common ---- */

static const struct json_message any_value;
static const struct json_message key_value;

static const struct json_field array_value_fields[] = {
	{ BYTES("values"), 1, TYPE_MESSAGE, .is_repeated = true, .message = &any_value },
};
static const struct json_message array_value = { FIELDS(array_value_fields), .length_bytes = 1 };

static const struct json_field key_value_list_fields[] = {
	{ BYTES("values"), 1, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
};
static const struct json_message key_value_list = {
	FIELDS(key_value_list_fields),
	.length_bytes = 1,
};

static const struct json_field any_value_fields[] = {
	{ BYTES("stringValue"), 1, TYPE_STRING, .is_member = true },
	{ BYTES("intValue"), 3, TYPE_INT64, .is_member = true },
	{ BYTES("boolValue"), 2, TYPE_BOOL, .is_member = true },
	{ BYTES("doubleValue"), 4, TYPE_DOUBLE, .is_member = true },
	{ BYTES("arrayValue"), 5, TYPE_MESSAGE, .is_member = true, .message = &array_value },
	{ BYTES("kvlistValue"), 6, TYPE_MESSAGE, .is_member = true, .message = &key_value_list },
	{ BYTES("bytesValue"), 7, TYPE_BASE64, .is_member = true },
	{ BYTES("stringValueStrindex"), 8, TYPE_INT32, .is_member = true },
};
static const struct json_message any_value = {
	FIELDS(any_value_fields),
	.length_bytes = 1,
	.example = "{\"stringValue\":\"...\"}",
};

static const struct json_field key_value_fields[] = {
	{ BYTES("key"), 1, TYPE_STRING },
	{ BYTES("value"), 2, TYPE_MESSAGE, .message = &any_value },
	{ BYTES("keyStrindex"), 3, TYPE_INT32 },
};
static const struct json_message key_value = {
	FIELDS(key_value_fields),
	.length_bytes = 1,
	.example = "{\"key\":\"...\",\"value\":{\"stringValue\":\"...\"}}",
};

static const struct json_field entity_ref_fields[] = {
	{ BYTES("schemaUrl"), 1, TYPE_STRING },
	{ BYTES("type"), 2, TYPE_STRING },
	{ BYTES("idKeys"), 3, TYPE_STRING, .is_repeated = true },
	{ BYTES("descriptionKeys"), 4, TYPE_STRING, .is_repeated = true },
};
static const struct json_message entity_ref = { FIELDS(entity_ref_fields), .length_bytes = 1 };

static const struct json_field resource_fields[] = {
	{ BYTES("attributes"), 1, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("droppedAttributesCount"), 2, TYPE_UINT32 },
	{ BYTES("entityRefs"), 3, TYPE_MESSAGE, .is_repeated = true, .message = &entity_ref },
};
static const struct json_message resource = { FIELDS(resource_fields), .length_bytes = 2 };

static const struct json_field scope_fields[] = {
	{ BYTES("name"), 1, TYPE_STRING },
	{ BYTES("version"), 2, TYPE_STRING },
	{ BYTES("attributes"), 3, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("droppedAttributesCount"), 4, TYPE_UINT32 },
};
static const struct json_message scope = { FIELDS(scope_fields), .length_bytes = 1 };

/* ---- traces ---- */

static const char *const span_kinds[] = { "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
	"SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER", NULL };

static const char *const status_codes[] = { "STATUS_CODE_UNSET", "STATUS_CODE_OK",
	"STATUS_CODE_ERROR", NULL };

static const struct json_field status_fields[] = {
	{ BYTES("message"), 2, TYPE_STRING },
	{ BYTES("code"), 3, TYPE_ENUM, .names = status_codes },
};
static const struct json_message status = { FIELDS(status_fields), .length_bytes = 1 };

static const struct json_field event_fields[] = {
	{ BYTES("attributes"), 3, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("name"), 2, TYPE_STRING },
	{ BYTES("timeUnixNano"), 1, TYPE_FIXED64 },
	{ BYTES("droppedAttributesCount"), 4, TYPE_UINT32 },
};
static const struct json_message event = { FIELDS(event_fields), .length_bytes = 1 };

static const struct json_field link_fields[] = {
	{ BYTES("traceId"), 1, TYPE_ID, .id_bytes = TRACE_ID_BYTES },
	{ BYTES("spanId"), 2, TYPE_ID, .id_bytes = SPAN_ID_BYTES },
	{ BYTES("traceState"), 3, TYPE_STRING },
	{ BYTES("attributes"), 4, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("droppedAttributesCount"), 5, TYPE_UINT32 },
	{ BYTES("flags"), 6, TYPE_FIXED32 },
};
static const struct json_message link = { FIELDS(link_fields), .length_bytes = 1 };

static const struct json_field span_fields[] = {
	{ BYTES("traceId"), 1, TYPE_ID, .id_bytes = TRACE_ID_BYTES },
	{ BYTES("spanId"), 2, TYPE_ID, .id_bytes = SPAN_ID_BYTES },
	{ BYTES("traceState"), 3, TYPE_STRING },
	{ BYTES("parentSpanId"), 4, TYPE_ID, .id_bytes = SPAN_ID_BYTES },
	{ BYTES("name"), 5, TYPE_STRING },
	{ BYTES("kind"), 6, TYPE_ENUM, .names = span_kinds },
	{ BYTES("startTimeUnixNano"), 7, TYPE_FIXED64 },
	{ BYTES("endTimeUnixNano"), 8, TYPE_FIXED64 },
	{ BYTES("attributes"), 9, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("droppedAttributesCount"), 10, TYPE_UINT32 },
	{ BYTES("events"), 11, TYPE_MESSAGE, .is_repeated = true, .message = &event },
	{ BYTES("droppedEventsCount"), 12, TYPE_UINT32 },
	{ BYTES("links"), 13, TYPE_MESSAGE, .is_repeated = true, .message = &link },
	{ BYTES("droppedLinksCount"), 14, TYPE_UINT32 },
	{ BYTES("status"), 15, TYPE_MESSAGE, .message = &status },
	{ BYTES("flags"), 16, TYPE_FIXED32 },
};
static const struct json_message span = { FIELDS(span_fields), .length_bytes = 2 };

static const struct json_field scope_spans_fields[] = {
	{ BYTES("scope"), 1, TYPE_MESSAGE, .message = &scope },
	{ BYTES("spans"), 2, TYPE_MESSAGE, .is_repeated = true, .message = &span },
	{ BYTES("schemaUrl"), 3, TYPE_STRING },
};
static const struct json_message scope_spans = { FIELDS(scope_spans_fields), .length_bytes = 3 };

static const struct json_field resource_spans_fields[] = {
	{ BYTES("resource"), 1, TYPE_MESSAGE, .message = &resource },
	{ BYTES("scopeSpans"), 2, TYPE_MESSAGE, .is_repeated = true, .message = &scope_spans },
	{ BYTES("schemaUrl"), 3, TYPE_STRING },
};
static const struct json_message resource_spans = {
	FIELDS(resource_spans_fields),
	.length_bytes = 3,
};

static const struct json_field export_traces_fields[] = {
	{ BYTES("resourceSpans"), 1, TYPE_MESSAGE, .is_repeated = true,
		.message = &resource_spans },
};
static const struct json_message export_traces = { FIELDS(export_traces_fields) };

/* ---- logs ---- */

static const char *const severities[] = { "SEVERITY_NUMBER_UNSPECIFIED", "SEVERITY_NUMBER_TRACE",
	"SEVERITY_NUMBER_TRACE2", "SEVERITY_NUMBER_TRACE3", "SEVERITY_NUMBER_TRACE4",
	"SEVERITY_NUMBER_DEBUG", "SEVERITY_NUMBER_DEBUG2", "SEVERITY_NUMBER_DEBUG3",
	"SEVERITY_NUMBER_DEBUG4", "SEVERITY_NUMBER_INFO", "SEVERITY_NUMBER_INFO2",
	"SEVERITY_NUMBER_INFO3", "SEVERITY_NUMBER_INFO4", "SEVERITY_NUMBER_WARN",
	"SEVERITY_NUMBER_WARN2", "SEVERITY_NUMBER_WARN3", "SEVERITY_NUMBER_WARN4",
	"SEVERITY_NUMBER_ERROR", "SEVERITY_NUMBER_ERROR2", "SEVERITY_NUMBER_ERROR3",
	"SEVERITY_NUMBER_ERROR4", "SEVERITY_NUMBER_FATAL", "SEVERITY_NUMBER_FATAL2",
	"SEVERITY_NUMBER_FATAL3", "SEVERITY_NUMBER_FATAL4", NULL };

static const struct json_field log_record_fields[] = {
	{ BYTES("timeUnixNano"), 1, TYPE_FIXED64 },
	{ BYTES("observedTimeUnixNano"), 11, TYPE_FIXED64 },
	{ BYTES("severityNumber"), 2, TYPE_ENUM, .names = severities },
	{ BYTES("severityText"), 3, TYPE_STRING },
	{ BYTES("body"), 5, TYPE_MESSAGE, .message = &any_value },
	{ BYTES("eventName"), 12, TYPE_STRING },
	{ BYTES("attributes"), 6, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("droppedAttributesCount"), 7, TYPE_UINT32 },
	{ BYTES("flags"), 8, TYPE_FIXED32 },
	{ BYTES("traceId"), 9, TYPE_ID, .id_bytes = TRACE_ID_BYTES },
	{ BYTES("spanId"), 10, TYPE_ID, .id_bytes = SPAN_ID_BYTES },
};
static const struct json_message log_record = { FIELDS(log_record_fields), .length_bytes = 2 };

static const struct json_field scope_logs_fields[] = {
	{ BYTES("scope"), 1, TYPE_MESSAGE, .message = &scope },
	{ BYTES("logRecords"), 2, TYPE_MESSAGE, .is_repeated = true, .message = &log_record },
	{ BYTES("schemaUrl"), 3, TYPE_STRING },
};
static const struct json_message scope_logs = { FIELDS(scope_logs_fields), .length_bytes = 3 };

static const struct json_field resource_logs_fields[] = {
	{ BYTES("resource"), 1, TYPE_MESSAGE, .message = &resource },
	{ BYTES("scopeLogs"), 2, TYPE_MESSAGE, .is_repeated = true, .message = &scope_logs },
	{ BYTES("schemaUrl"), 3, TYPE_STRING },
};
static const struct json_message resource_logs = {
	FIELDS(resource_logs_fields),
	.length_bytes = 3,
};

static const struct json_field export_logs_fields[] = {
	{ BYTES("resourceLogs"), 1, TYPE_MESSAGE, .is_repeated = true, .message = &resource_logs },
};
static const struct json_message export_logs = { FIELDS(export_logs_fields) };

/* ---- metrics ---- */

static const char *const temporalities[] = { "AGGREGATION_TEMPORALITY_UNSPECIFIED",
	"AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE", NULL };

static const struct json_field exemplar_fields[] = {
	{ BYTES("filteredAttributes"), 7, TYPE_MESSAGE, .is_repeated = true,
		.message = &key_value },
	{ BYTES("timeUnixNano"), 2, TYPE_FIXED64 },
	{ BYTES("asDouble"), 3, TYPE_DOUBLE, .is_member = true },
	{ BYTES("asInt"), 6, TYPE_SFIXED64, .is_member = true },
	{ BYTES("spanId"), 4, TYPE_ID, .id_bytes = SPAN_ID_BYTES },
	{ BYTES("traceId"), 5, TYPE_ID, .id_bytes = TRACE_ID_BYTES },
};
static const struct json_message exemplar = { FIELDS(exemplar_fields), .length_bytes = 1 };

static const struct json_field number_point_fields[] = {
	{ BYTES("attributes"), 7, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("startTimeUnixNano"), 2, TYPE_FIXED64 },
	{ BYTES("timeUnixNano"), 3, TYPE_FIXED64 },
	{ BYTES("asDouble"), 4, TYPE_DOUBLE, .is_member = true },
	{ BYTES("asInt"), 6, TYPE_SFIXED64, .is_member = true },
	{ BYTES("exemplars"), 5, TYPE_MESSAGE, .is_repeated = true, .message = &exemplar },
	{ BYTES("flags"), 8, TYPE_UINT32 },
};
static const struct json_message number_point = { FIELDS(number_point_fields), .length_bytes = 2 };

static const struct json_field gauge_fields[] = {
	{ BYTES("dataPoints"), 1, TYPE_MESSAGE, .is_repeated = true, .message = &number_point },
};
static const struct json_message gauge = { FIELDS(gauge_fields), .length_bytes = 2 };

static const struct json_field sum_fields[] = {
	{ BYTES("dataPoints"), 1, TYPE_MESSAGE, .is_repeated = true, .message = &number_point },
	{ BYTES("aggregationTemporality"), 2, TYPE_ENUM, .names = temporalities },
	{ BYTES("isMonotonic"), 3, TYPE_BOOL },
};
static const struct json_message sum = { FIELDS(sum_fields), .length_bytes = 2 };

static const struct json_field histogram_point_fields[] = {
	{ BYTES("attributes"), 9, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("startTimeUnixNano"), 2, TYPE_FIXED64 },
	{ BYTES("timeUnixNano"), 3, TYPE_FIXED64 },
	{ BYTES("count"), 4, TYPE_FIXED64 },
	{ BYTES("sum"), 5, TYPE_DOUBLE, .has_presence = true },
	{ BYTES("bucketCounts"), 6, TYPE_FIXED64, .is_repeated = true, .is_packed = true },
	{ BYTES("explicitBounds"), 7, TYPE_DOUBLE, .is_repeated = true, .is_packed = true },
	{ BYTES("exemplars"), 8, TYPE_MESSAGE, .is_repeated = true, .message = &exemplar },
	{ BYTES("flags"), 10, TYPE_UINT32 },
	{ BYTES("min"), 11, TYPE_DOUBLE, .has_presence = true },
	{ BYTES("max"), 12, TYPE_DOUBLE, .has_presence = true },
};
static const struct json_message histogram_point = {
	FIELDS(histogram_point_fields),
	.length_bytes = 2,
};

static const struct json_field histogram_fields[] = {
	{ BYTES("dataPoints"), 1, TYPE_MESSAGE, .is_repeated = true, .message = &histogram_point },
	{ BYTES("aggregationTemporality"), 2, TYPE_ENUM, .names = temporalities },
};
static const struct json_message histogram = { FIELDS(histogram_fields), .length_bytes = 2 };

static const struct json_field buckets_fields[] = {
	{ BYTES("offset"), 1, TYPE_SINT32 },
	{ BYTES("bucketCounts"), 2, TYPE_UINT64, .is_repeated = true, .is_packed = true },
};
static const struct json_message buckets = { FIELDS(buckets_fields), .length_bytes = 1 };

static const struct json_field exponential_point_fields[] = {
	{ BYTES("attributes"), 1, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("startTimeUnixNano"), 2, TYPE_FIXED64 },
	{ BYTES("timeUnixNano"), 3, TYPE_FIXED64 },
	{ BYTES("count"), 4, TYPE_FIXED64 },
	{ BYTES("sum"), 5, TYPE_DOUBLE, .has_presence = true },
	{ BYTES("scale"), 6, TYPE_SINT32 },
	{ BYTES("zeroCount"), 7, TYPE_FIXED64 },
	{ BYTES("positive"), 8, TYPE_MESSAGE, .message = &buckets },
	{ BYTES("negative"), 9, TYPE_MESSAGE, .message = &buckets },
	{ BYTES("flags"), 10, TYPE_UINT32 },
	{ BYTES("exemplars"), 11, TYPE_MESSAGE, .is_repeated = true, .message = &exemplar },
	{ BYTES("min"), 12, TYPE_DOUBLE, .has_presence = true },
	{ BYTES("max"), 13, TYPE_DOUBLE, .has_presence = true },
	{ BYTES("zeroThreshold"), 14, TYPE_DOUBLE },
};
static const struct json_message exponential_point = {
	FIELDS(exponential_point_fields),
	.length_bytes = 2,
};

static const struct json_field exponential_fields[] = {
	{ BYTES("dataPoints"), 1, TYPE_MESSAGE, .is_repeated = true,
		.message = &exponential_point },
	{ BYTES("aggregationTemporality"), 2, TYPE_ENUM, .names = temporalities },
};
static const struct json_message exponential = { FIELDS(exponential_fields), .length_bytes = 2 };

static const struct json_field quantile_fields[] = {
	{ BYTES("quantile"), 1, TYPE_DOUBLE },
	{ BYTES("value"), 2, TYPE_DOUBLE },
};
static const struct json_message quantile = { FIELDS(quantile_fields), .length_bytes = 1 };

static const struct json_field summary_point_fields[] = {
	{ BYTES("attributes"), 7, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
	{ BYTES("startTimeUnixNano"), 2, TYPE_FIXED64 },
	{ BYTES("timeUnixNano"), 3, TYPE_FIXED64 },
	{ BYTES("count"), 4, TYPE_FIXED64 },
	{ BYTES("sum"), 5, TYPE_DOUBLE },
	{ BYTES("quantileValues"), 6, TYPE_MESSAGE, .is_repeated = true, .message = &quantile },
	{ BYTES("flags"), 8, TYPE_UINT32 },
};
static const struct json_message summary_point = {
	FIELDS(summary_point_fields),
	.length_bytes = 2,
};

static const struct json_field summary_fields[] = {
	{ BYTES("dataPoints"), 1, TYPE_MESSAGE, .is_repeated = true, .message = &summary_point },
};
static const struct json_message summary = { FIELDS(summary_fields), .length_bytes = 2 };

static const struct json_field metric_fields[] = {
	{ BYTES("name"), 1, TYPE_STRING },
	{ BYTES("description"), 2, TYPE_STRING },
	{ BYTES("unit"), 3, TYPE_STRING },
	{ BYTES("sum"), 7, TYPE_MESSAGE, .is_member = true, .message = &sum },
	{ BYTES("gauge"), 5, TYPE_MESSAGE, .is_member = true, .message = &gauge },
	{ BYTES("histogram"), 9, TYPE_MESSAGE, .is_member = true, .message = &histogram },
	{ BYTES("exponentialHistogram"), 10, TYPE_MESSAGE, .is_member = true,
		.message = &exponential },
	{ BYTES("summary"), 11, TYPE_MESSAGE, .is_member = true, .message = &summary },
	{ BYTES("metadata"), 12, TYPE_MESSAGE, .is_repeated = true, .message = &key_value },
};
static const struct json_message metric = { FIELDS(metric_fields), .length_bytes = 2 };

static const struct json_field scope_metrics_fields[] = {
	{ BYTES("scope"), 1, TYPE_MESSAGE, .message = &scope },
	{ BYTES("metrics"), 2, TYPE_MESSAGE, .is_repeated = true, .message = &metric },
	{ BYTES("schemaUrl"), 3, TYPE_STRING },
};
static const struct json_message scope_metrics = {
	FIELDS(scope_metrics_fields),
	.length_bytes = 3,
};

static const struct json_field resource_metrics_fields[] = {
	{ BYTES("resource"), 1, TYPE_MESSAGE, .message = &resource },
	{ BYTES("scopeMetrics"), 2, TYPE_MESSAGE, .is_repeated = true, .message = &scope_metrics },
	{ BYTES("schemaUrl"), 3, TYPE_STRING },
};
static const struct json_message resource_metrics = {
	FIELDS(resource_metrics_fields),
	.length_bytes = 3,
};

static const struct json_field export_metrics_fields[] = {
	{ BYTES("resourceMetrics"), 1, TYPE_MESSAGE, .is_repeated = true,
		.message = &resource_metrics },
};
static const struct json_message export_metrics = { FIELDS(export_metrics_fields) };

const struct json_message *json_request(enum signal signal)
{
	static const struct json_message *const requests[] = {
		[SIGNAL_TRACES] = &export_traces,
		[SIGNAL_LOGS] = &export_logs,
		[SIGNAL_METRICS] = &export_metrics,
	};
	return requests[signal];
}
