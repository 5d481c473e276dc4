#include "support/langfuse_row.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what poisons a request ---- */

static bool has_valueless(Otlp__KeyValue *const *attributes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!attributes[i]->value)
			return true;
	return false;
}

static bool span_is_poison(const Otlp__Span *span)
{
	bool is_poison = has_valueless(span->attributes, span->n_attributes);
	for (size_t i = 0; i < span->n_events; i++)
		is_poison |=
			has_valueless(span->events[i]->attributes, span->events[i]->n_attributes);
	return is_poison;
}

/* Why the whole request is refused with 400, or lost after a 200. */
struct poison {
	const char *refused, *lost;
};

static void examine_scope(const Otlp__ScopeSpans *scope, struct poison *poison)
{
	if (scope->scope && has_valueless(scope->scope->attributes, scope->scope->n_attributes))
		poison->lost = "a scope attribute has no value";
	for (size_t i = 0; i < scope->n_spans; i++) {
		const Otlp__Span *span = scope->spans[i];
		if (span_is_poison(span))
			poison->lost = "a span or event attribute has no value";
		if (span->trace_id.len == 0 || span->span_id.len == 0)
			poison->refused = "a span has no trace id or span id";
	}
}

static struct poison examine(const oracle_request *request)
{
	struct poison poison = { 0 };
	for (size_t r = 0; r < request->n_resource_spans; r++) {
		const Otlp__ResourceSpans *spans = request->resource_spans[r];
		const Otlp__Resource *resource = spans->resource;
		if (resource && has_valueless(resource->attributes, resource->n_attributes))
			poison.lost = "a resource attribute has no value";
		for (size_t s = 0; s < spans->n_scope_spans; s++)
			examine_scope(spans->scope_spans[s], &poison);
	}
	return poison;
}

/* ---- rows ---- */

static json_t *observe(
	const Otlp__Span *span, const Otlp__InstrumentationScope *scope, const json_t *resource)
{
	json_t *own = row_json_attributes(span->attributes, span->n_attributes);
	struct row row = { span, own, resource, scope, json_object() };
	row_add_columns(&row);
	row_add_figures(&row);
	json_decref(own);
	return row.made;
}

static void observe_resource(const Otlp__ResourceSpans *spans, json_t *observations)
{
	json_t *resource = spans->resource ?
		row_json_attributes(spans->resource->attributes, spans->resource->n_attributes) :
		json_object();
	for (size_t s = 0; s < spans->n_scope_spans; s++) {
		const Otlp__ScopeSpans *scope = spans->scope_spans[s];
		for (size_t i = 0; i < scope->n_spans; i++)
			json_array_append_new(
				observations, observe(scope->spans[i], scope->scope, resource));
	}
	json_decref(resource);
}

json_t *langfuse_ingest(const oracle_request *request)
{
	struct poison poison = examine(request);
	const char *why = poison.refused ? poison.refused : poison.lost;
	json_t *observations = json_array();
	for (size_t r = 0; !why && r < request->n_resource_spans; r++)
		observe_resource(request->resource_spans[r], observations);
	return json_pack("{s:s, s:s?, s:o}", "fate",
		poison.refused      ? "refused" :
			poison.lost ? "lost" :
				      "taken",
		"why", why, "observations", observations);
}

/* ---- traces ---- */

static json_t *new_trace(void)
{
	return json_pack("{s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:{}, s:n}", "root_id",
		"name", "user_id", "session_id", "tags", "release", "version", "environment",
		"input", "output", "usage", "total_cost");
}

/* Rows come by start, so that the newest that says something stays. */
static void add_row(json_t *trace, const json_t *row)
{
	static const char *const columns[] = { "user_id", "session_id", "tags", "release",
		"version", "environment" };
	const char *key;
	json_t *units;
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		if (!row_is_empty(json_object_get(row, columns[i])))
			json_object_set(trace, columns[i], json_object_get(row, columns[i]));
	if (!row_is_empty(json_object_get(row, "trace_name")))
		json_object_set(trace, "name", json_object_get(row, "trace_name"));
	if (json_is_null(json_object_get(row, "parent_id"))) {
		json_object_set(trace, "root_id", json_object_get(row, "id"));
		json_object_set(trace, "root_name", json_object_get(row, "name"));
		json_object_set(trace, "input", json_object_get(row, "input"));
		json_object_set(trace, "output", json_object_get(row, "output"));
	}
	json_t *usage = json_object_get(trace, "usage");
	json_object_foreach(json_object_get(row, "usage"), key, units)
		row_add_units(usage, key, units);
	if (json_is_string(json_object_get(row, "total_cost")))
		json_object_set_new(trace, "total_cost",
			decimal_json(
				decimal_at(trace, "total_cost") + decimal_at(row, "total_cost")));
}

static int by_start(const void *a, const void *b)
{
	json_int_t left = json_integer_value(json_object_get(*(json_t *const *)a, "start_ns")),
		   right = json_integer_value(json_object_get(*(json_t *const *)b, "start_ns"));
	return (left > right) - (left < right);
}

json_t *langfuse_traces(const json_t *observations)
{
	size_t count = json_array_size(observations);
	const json_t **rows = calloc(count + 1, sizeof *rows);
	json_t *traces = json_object(), *trace;
	const char *id;
	for (size_t i = 0; i < count; i++)
		rows[i] = json_array_get(observations, i);
	qsort(rows, count, sizeof *rows, by_start);
	for (size_t i = 0; i < count; i++) {
		id = json_string_value(json_object_get(rows[i], "trace_id"));
		if (!json_object_get(traces, id))
			json_object_set_new(traces, id, new_trace());
		add_row(json_object_get(traces, id), rows[i]);
	}
	json_object_foreach(traces, id, trace) {
		if (row_is_empty(json_object_get(trace, "name")) &&
			json_object_get(trace, "root_name"))
			json_object_set(trace, "name", json_object_get(trace, "root_name"));
		json_object_del(trace, "root_name");
	}
	free(rows);
	return traces;
}
