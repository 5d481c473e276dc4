#include "support/oracle.h"

#include <stdio.h>
#include <stdlib.h>

oracle_request *oracle_decode(struct bytes request)
{
	return otlp__export_trace_service_request__unpack(
		NULL, request.len, request.at ? request.at : (const uint8_t *)"");
}

void oracle_free(oracle_request *request)
{
	if (request)
		otlp__export_trace_service_request__free_unpacked(request, NULL);
}

static bool has_ids(const oracle_span *span)
{
	static const uint8_t zero[16];
	return span->trace_id.len == 16 && memcmp(span->trace_id.data, zero, 16) != 0 &&
		span->span_id.len == 8 && memcmp(span->span_id.data, zero, 8) != 0;
}

/* Calls for every span; `visit` returns false to end. */
static void each_span(
	const oracle_request *request, bool (*visit)(oracle_span *span, void *arg), void *arg)
{
	for (size_t r = 0; r < request->n_resource_spans; r++)
		for (size_t s = 0; s < request->resource_spans[r]->n_scope_spans; s++) {
			Otlp__ScopeSpans *scope = request->resource_spans[r]->scope_spans[s];
			for (size_t i = 0; i < scope->n_spans; i++)
				if (!visit(scope->spans[i], arg))
					return;
		}
}

static bool count(oracle_span *span, void *arg)
{
	++*(size_t *)arg;
	return true;
}

size_t oracle_span_count(const oracle_request *request)
{
	size_t n = 0;
	each_span(request, count, &n);
	return n;
}

struct search {
	size_t left;
	oracle_span *found;
};

static bool seek(oracle_span *span, void *arg)
{
	struct search *search = arg;
	search->found = span;
	return search->left-- > 0;
}

oracle_span *oracle_span_at(const oracle_request *request, size_t n)
{
	struct search search = { .left = n };
	each_span(request, seek, &search);
	return search.found;
}

const oracle_attribute *oracle_find(const oracle_span *span, const char *key)
{
	const oracle_attribute *found = NULL;
	for (size_t i = 0; i < span->n_attributes; i++)
		if (span->attributes[i]->key.len == strlen(key) &&
			memcmp(span->attributes[i]->key.data, key, strlen(key)) == 0)
			found = span->attributes[i];
	return found;
}

const char *oracle_text(const oracle_span *span, const char *key)
{
	static char texts[8][4096];
	static unsigned next;
	const oracle_attribute *found = oracle_find(span, key);
	if (!found || !found->value ||
		found->value->value_case != OTLP__ANY_VALUE__VALUE_STRING_VALUE)
		return NULL;
	char *text = texts[next++ % 8];
	snprintf(text, sizeof texts[0], "%.*s", (int)found->value->string_value.len,
		(const char *)found->value->string_value.data);
	return text;
}

bool oracle_is_empty(const oracle_attribute *attribute)
{
	const Otlp__AnyValue *value = attribute->value;
	if (attribute->base.n_unknown_fields || attribute->key_strindex)
		return false;
	if (value && value->base.n_unknown_fields)
		return false;
	return !value || value->value_case == OTLP__ANY_VALUE__VALUE__NOT_SET ||
		(value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE &&
			value->string_value.len == 0);
}

bool oracle_same_attribute(const oracle_attribute *a, const oracle_attribute *b)
{
	size_t len = otlp__key_value__get_packed_size(a);
	if (len != otlp__key_value__get_packed_size(b))
		return false;
	uint8_t *bytes = malloc(2 * len + 1);
	otlp__key_value__pack(a, bytes);
	otlp__key_value__pack(b, bytes + len);
	bool same = memcmp(bytes, bytes + len, len) == 0;
	free(bytes);
	return same;
}

static bool may_be_replaced(const oracle_attribute *attribute)
{
	static const char kind[] = "openinference.span.kind";
	return oracle_is_empty(attribute) ||
		(attribute->key.len == sizeof kind - 1 &&
			memcmp(attribute->key.data, kind, sizeof kind - 1) == 0);
}

/* Takes the additions off again, in place; what is left over of `out` is freed with it. */
static const char *undo(oracle_span *in, oracle_span *out)
{
	if (out->n_attributes < in->n_attributes)
		return "an attribute is missing";
	for (size_t i = 0; i < in->n_attributes; i++) {
		if (oracle_same_attribute(in->attributes[i], out->attributes[i]))
			continue;
		if (!may_be_replaced(in->attributes[i]))
			return "an attribute with a value was changed";
		oracle_attribute *back = in->attributes[i];
		uint8_t *bytes = malloc(otlp__key_value__get_packed_size(back) + 1);
		size_t len = otlp__key_value__pack(back, bytes);
		otlp__key_value__free_unpacked(out->attributes[i], NULL);
		out->attributes[i] = otlp__key_value__unpack(NULL, len, bytes);
		free(bytes);
	}
	for (size_t i = in->n_attributes; i < out->n_attributes; i++)
		otlp__key_value__free_unpacked(out->attributes[i], NULL);
	out->n_attributes = in->n_attributes;
	return NULL;
}

void oracle_drop_rejected(oracle_request *request)
{
	for (size_t r = 0; r < request->n_resource_spans; r++)
		for (size_t s = 0; s < request->resource_spans[r]->n_scope_spans; s++) {
			Otlp__ScopeSpans *scope = request->resource_spans[r]->scope_spans[s];
			size_t kept = 0;
			for (size_t i = 0; i < scope->n_spans; i++) {
				if (has_ids(scope->spans[i]))
					scope->spans[kept++] = scope->spans[i];
				else
					otlp__span__free_unpacked(scope->spans[i], NULL);
			}
			scope->n_spans = kept;
		}
}

bool oracle_same_request(const oracle_request *a, const oracle_request *b)
{
	size_t len = otlp__export_trace_service_request__get_packed_size(a);
	if (len != otlp__export_trace_service_request__get_packed_size(b))
		return false;
	uint8_t *bytes = malloc(2 * len + 1);
	otlp__export_trace_service_request__pack(a, bytes);
	otlp__export_trace_service_request__pack(b, bytes + len);
	bool same = memcmp(bytes, bytes + len, len) == 0;
	free(bytes);
	return same;
}

static const char *compare(oracle_request *in, oracle_request *out)
{
	size_t spans = oracle_span_count(in);
	if (spans != oracle_span_count(out))
		return "another number of spans";
	for (size_t i = 0; i < spans; i++) {
		const char *why = undo(oracle_span_at(in, i), oracle_span_at(out, i));
		if (why)
			return why;
	}
	return oracle_same_request(in, out) ? NULL : "something outside of the attributes changed";
}

bool oracle_only_added(struct bytes input, struct bytes output, const char **ret_why)
{
	oracle_request *in = oracle_decode(input), *out = oracle_decode(output);
	*ret_why = NULL;
	if (in && !out)
		*ret_why = "the output cannot be decoded";
	if (in && out) {
		oracle_drop_rejected(in);
		*ret_why = compare(in, out);
	}
	oracle_free(in);
	oracle_free(out);
	return !*ret_why;
}
