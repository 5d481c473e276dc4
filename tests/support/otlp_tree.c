#include "support/otlp_tree.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/otlp_trace.pb-c.h"

typedef ProtobufCBinaryData octets;

static json_t *base64(octets bytes)
{
	char *text = malloc(bytes.len / 3 * 4 + 5);
	EVP_EncodeBlock((unsigned char *)text, bytes.data, (int)bytes.len);
	json_t *json = json_string(text);
	free(text);
	return json;
}

static json_t *text_of(octets bytes)
{
	json_t *json = json_stringn(bytes.len ? (const char *)bytes.data : "", bytes.len);
	return json ? json : json_pack("{s:o}", "bytes", base64(bytes));
}

static json_t *hex(octets bytes)
{
	char text[65] = "";
	for (size_t i = 0; i < bytes.len && i < sizeof text / 2; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
	return json_string(text);
}

static json_t *decimal(uint64_t number)
{
	return json_sprintf("%" PRIu64, number);
}

/* What is not set is not written, as JSON does it. */
static void set_text(json_t *object, const char *name, octets bytes)
{
	if (bytes.len)
		json_object_set_new(object, name, text_of(bytes));
}

static void set_id(json_t *object, const char *name, octets bytes)
{
	if (bytes.len)
		json_object_set_new(object, name, hex(bytes));
}

static void set_number(json_t *object, const char *name, uint64_t number)
{
	if (number)
		json_object_set_new(object, name, json_integer((json_int_t)number));
}

static json_t *attributes_of(Otlp__KeyValue *const *attributes, size_t count);

static json_t *value_of(const Otlp__AnyValue *value)
{
	json_t *values;
	if (!value)
		return json_object();
	switch (value->value_case) {
	case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
		return json_pack("{s:o}", "stringValue", text_of(value->string_value));
	case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
		return json_pack("{s:b}", "boolValue", value->bool_value);
	case OTLP__ANY_VALUE__VALUE_INT_VALUE:
		return json_pack("{s:o}", "intValue", json_sprintf("%" PRId64, value->int_value));
	case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
		return json_pack("{s:f}", "doubleValue", value->double_value);
	case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
		return json_pack("{s:o}", "bytesValue", base64(value->bytes_value));
	case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
		return json_pack("{s:{s:o}}", "kvlistValue", "values",
			attributes_of(value->kvlist_value->values, value->kvlist_value->n_values));
	case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
		values = json_array();
		for (size_t i = 0; i < value->array_value->n_values; i++)
			json_array_append_new(values, value_of(value->array_value->values[i]));
		return json_pack("{s:{s:o}}", "arrayValue", "values", values);
	default:
		return json_object();
	}
}

static json_t *attributes_of(Otlp__KeyValue *const *attributes, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array,
			json_pack("{s:o, s:o}", "key", text_of(attributes[i]->key), "value",
				value_of(attributes[i]->value)));
	return array;
}

static json_t *event_of(const Otlp__Span__Event *event)
{
	json_t *json = json_pack("{s:o, s:o}", "timeUnixNano", decimal(event->time_unix_nano),
		"attributes", attributes_of(event->attributes, event->n_attributes));
	set_text(json, "name", event->name);
	set_number(json, "droppedAttributesCount", event->dropped_attributes_count);
	return json;
}

static json_t *link_of(const Otlp__Span__Link *link)
{
	json_t *json = json_pack(
		"{s:o}", "attributes", attributes_of(link->attributes, link->n_attributes));
	set_id(json, "traceId", link->trace_id);
	set_id(json, "spanId", link->span_id);
	set_text(json, "traceState", link->trace_state);
	set_number(json, "droppedAttributesCount", link->dropped_attributes_count);
	set_number(json, "flags", link->flags);
	return json;
}

static json_t *span_of(const Otlp__Span *span)
{
	json_t *events = json_array(), *links = json_array(), *status = json_object();
	for (size_t i = 0; i < span->n_events; i++)
		json_array_append_new(events, event_of(span->events[i]));
	for (size_t i = 0; i < span->n_links; i++)
		json_array_append_new(links, link_of(span->links[i]));
	if (span->status) {
		set_number(status, "code", (uint64_t)span->status->code);
		set_text(status, "message", span->status->message);
	}
	json_t *json = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", (int)span->kind,
		"startTimeUnixNano", decimal(span->start_time_unix_nano), "endTimeUnixNano",
		decimal(span->end_time_unix_nano), "attributes",
		attributes_of(span->attributes, span->n_attributes), "events", events, "links",
		links, "status", status);
	set_id(json, "traceId", span->trace_id);
	set_id(json, "spanId", span->span_id);
	set_id(json, "parentSpanId", span->parent_span_id);
	set_text(json, "traceState", span->trace_state);
	set_text(json, "name", span->name);
	set_number(json, "flags", span->flags);
	set_number(json, "droppedAttributesCount", span->dropped_attributes_count);
	set_number(json, "droppedEventsCount", span->dropped_events_count);
	set_number(json, "droppedLinksCount", span->dropped_links_count);
	return json;
}

static json_t *scope_of(const Otlp__ScopeSpans *spans)
{
	json_t *json = json_object(), *array = json_array(), *scope = json_object();
	if (spans->scope) {
		set_text(scope, "name", spans->scope->name);
		set_text(scope, "version", spans->scope->version);
		json_object_set_new(scope, "attributes",
			attributes_of(spans->scope->attributes, spans->scope->n_attributes));
		json_object_set(json, "scope", scope);
	}
	json_decref(scope);
	for (size_t i = 0; i < spans->n_spans; i++)
		json_array_append_new(array, span_of(spans->spans[i]));
	json_object_set_new(json, "spans", array);
	set_text(json, "schemaUrl", spans->schema_url);
	return json;
}

static json_t *resource_of(const Otlp__ResourceSpans *spans)
{
	json_t *json = json_object(), *array = json_array();
	if (spans->resource)
		json_object_set_new(json, "resource",
			json_pack("{s:o}", "attributes",
				attributes_of(spans->resource->attributes,
					spans->resource->n_attributes)));
	for (size_t i = 0; i < spans->n_scope_spans; i++)
		json_array_append_new(array, scope_of(spans->scope_spans[i]));
	json_object_set_new(json, "scopeSpans", array);
	set_text(json, "schemaUrl", spans->schema_url);
	return json;
}

json_t *otlp_tree(struct bytes protobuf)
{
	Otlp__ExportTraceServiceRequest *request = otlp__export_trace_service_request__unpack(
		NULL, protobuf.len, protobuf.at ? protobuf.at : (const uint8_t *)"");
	if (!request)
		return NULL;
	json_t *array = json_array();
	for (size_t i = 0; i < request->n_resource_spans; i++)
		json_array_append_new(array, resource_of(request->resource_spans[i]));
	otlp__export_trace_service_request__free_unpacked(request, NULL);
	return json_pack("{s:o}", "resourceSpans", array);
}
