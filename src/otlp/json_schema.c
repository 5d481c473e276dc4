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
const struct json_message json_export_traces = { FIELDS(export_traces_fields) };
