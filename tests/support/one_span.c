#include "support/one_span.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/otlp_trace.pb-c.h"

enum { MAX_ATTRIBUTES = 64, MAX_ITEMS = 8 };

static const uint64_t second_ns = UINT64_C(1000000000), start_s = 1794873600;

static ProtobufCBinaryData data(const char *text, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)text };
}

static void read_text(const char *text, size_t len, Otlp__AnyValue *value)
{
	otlp__any_value__init(value);
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = data(text, len);
}

/* A value with what it may need beside itself. */
struct cell {
	Otlp__KeyValue key_value;
	Otlp__AnyValue value, items[MAX_ITEMS], *pointers[MAX_ITEMS];
	Otlp__ArrayValue list;
};

static void read_list(const char *text, struct cell *cell)
{
	otlp__array_value__init(&cell->list);
	cell->list.values = cell->pointers;
	for (size_t len; *text; text += text[len] == ',' ? len + 1 : len) {
		size_t n = cell->list.n_values++;
		assert(n < MAX_ITEMS);
		len = strcspn(text, ",");
		read_text(text, len, &cell->items[n]);
		cell->pointers[n] = &cell->items[n];
	}
	cell->value.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	cell->value.array_value = &cell->list;
}

static void read_attribute(const char *text, struct cell *cell)
{
	const char *equals = strchr(text, '=');
	otlp__key_value__init(&cell->key_value);
	if (!equals) { /* no value */
		cell->key_value.key = data(text, strlen(text));
		return;
	}
	assert(equals > text);
	char sign = equals[-1];
	size_t key_len = (size_t)(equals - text) - (strchr(":~?@", sign) != NULL);
	Otlp__AnyValue *value = &cell->value;
	otlp__any_value__init(value);
	cell->key_value.key = data(text, key_len);
	cell->key_value.value = value;
	if (sign == ':') {
		value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
		value->int_value = strtoll(equals + 1, NULL, 10);
	} else if (sign == '~') {
		value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
		value->double_value = strtod(equals + 1, NULL);
	} else if (sign == '?') {
		value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		value->bool_value = strcmp(equals + 1, "true") == 0;
	} else if (sign == '@') {
		read_list(equals + 1, cell);
	} else {
		read_text(equals + 1, strlen(equals + 1), value);
	}
}

/* Attributes with their pointers, as the generated structures want them. */
struct list {
	struct cell cells[MAX_ATTRIBUTES];
	Otlp__KeyValue *pointers[MAX_ATTRIBUTES];
	size_t count;
};

static void read_attributes(const char *const *attributes, struct list *list)
{
	for (list->count = 0; attributes && attributes[list->count]; list->count++) {
		assert(list->count < MAX_ATTRIBUTES);
		read_attribute(attributes[list->count], &list->cells[list->count]);
		list->pointers[list->count] = &list->cells[list->count].key_value;
	}
}

static struct bytes pack(Otlp__ScopeSpans *scope, const char *service)
{
	Otlp__ScopeSpans *scopes[] = { scope };
	Otlp__ResourceSpans resource = OTLP__RESOURCE_SPANS__INIT, *resources[] = { &resource };
	Otlp__Resource from = OTLP__RESOURCE__INIT;
	Otlp__ExportTraceServiceRequest request = OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
	struct cell cell;
	char attribute[128];
	Otlp__KeyValue *attributes[] = { &cell.key_value };
	if (service) {
		snprintf(attribute, sizeof attribute, "service.name=%s", service);
		read_attribute(attribute, &cell);
		from.attributes = attributes;
		from.n_attributes = 1;
		resource.resource = &from;
	}
	resource.scope_spans = scopes;
	resource.n_scope_spans = 1;
	request.resource_spans = resources;
	request.n_resource_spans = 1;
	size_t len = otlp__export_trace_service_request__get_packed_size(&request);
	uint8_t *at = malloc(len);
	assert(at);
	otlp__export_trace_service_request__pack(&request, at);
	return (struct bytes){ at, len };
}

struct bytes sent_request(const struct sent *sent)
{
	static struct list own, of_events[SENT_EVENTS];
	Otlp__Span__Event events[SENT_EVENTS], *pointers[SENT_EVENTS];
	Otlp__Span span = OTLP__SPAN__INIT, *spans[] = { &span };
	Otlp__InstrumentationScope instrumentation = OTLP__INSTRUMENTATION_SCOPE__INIT;
	Otlp__ScopeSpans scope = OTLP__SCOPE_SPANS__INIT;

	read_attributes(sent->attributes, &own);
	span.attributes = own.pointers;
	span.n_attributes = own.count;
	span.name = data(sent->name, strlen(sent->name));
	span.trace_id = data("0123456789abcdef", 16);
	span.span_id = data("01234567", 8);
	span.start_time_unix_nano = start_s * second_ns;
	span.end_time_unix_nano = (start_s + 1) * second_ns;
	span.events = pointers;
	for (size_t i = 0; i < SENT_EVENTS && sent->events[i].name; i++) {
		otlp__span__event__init(&events[i]);
		read_attributes(sent->events[i].attributes, &of_events[i]);
		events[i].name = data(sent->events[i].name, strlen(sent->events[i].name));
		events[i].attributes = of_events[i].pointers;
		events[i].n_attributes = of_events[i].count;
		pointers[span.n_events++] = &events[i];
	}
	if (sent->scope) {
		instrumentation.name = data(sent->scope, strlen(sent->scope));
		scope.scope = &instrumentation;
	}
	scope.spans = spans;
	scope.n_spans = 1;
	return pack(&scope, sent->service);
}

struct bytes one_span_of(const char *scope, const char *name, const char *const *attributes)
{
	return sent_request(
		&(struct sent){ .scope = scope, .name = name, .attributes = attributes });
}

struct bytes one_span(const char *name, const char *const *attributes)
{
	return one_span_of(NULL, name, attributes);
}
