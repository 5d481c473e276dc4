#include "support/langfuse_row.h"

#include <math.h>
#include <stdlib.h>

char *row_clean(ProtobufCBinaryData bytes)
{
	char *text = malloc(bytes.len + 1);
	if (bytes.len)
		memcpy(text, bytes.data, bytes.len);
	text[bytes.len] = '\0';
	json_t *probe = json_stringn(text, bytes.len);
	for (size_t i = 0; i < bytes.len; i++)
		if (text[i] == '\0' || (!probe && (unsigned char)text[i] >= 0x80))
			text[i] = '?';
	json_decref(probe);
	return text;
}

json_t *row_json_text(ProtobufCBinaryData bytes)
{
	char *text = row_clean(bytes);
	json_t *json = json_string(text);
	free(text);
	return json;
}

static json_t *json_of_value(const Otlp__AnyValue *value)
{
	switch (value->value_case) {
	case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
		return row_json_text(value->string_value);
	case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
		return json_boolean(value->bool_value);
	case OTLP__ANY_VALUE__VALUE_INT_VALUE:
		return json_integer(value->int_value);
	case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
		return isfinite(value->double_value) ? json_real(value->double_value) : json_null();
	case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE: {
		if (value->array_value->n_values == 0)
			return json_string("{\"arrayValue\":{}}");
		json_t *list = json_array();
		for (size_t i = 0; i < value->array_value->n_values; i++)
			json_array_append_new(list, json_of_value(value->array_value->values[i]));
		return list;
	}
	case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
		return json_string("{\"kvlistValue\":...}");
	case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
		return json_string("{\"bytesValue\":...}");
	default:
		return json_string("{}");
	}
}

json_t *row_json_attributes(Otlp__KeyValue *const *attributes, size_t count)
{
	json_t *object = json_object();
	for (size_t i = 0; i < count; i++) {
		char *key = row_clean(attributes[i]->key);
		json_object_set_new(object, key, json_of_value(attributes[i]->value));
		free(key);
	}
	return object;
}

bool row_is_empty(const json_t *value)
{
	return !value || json_is_null(value) ||
		(json_is_string(value) && json_string_length(value) == 0);
}

const json_t *row_first(const json_t *from, const char *const *names)
{
	for (; *names; names++) {
		const json_t *value = json_object_get(from, *names);
		if (!row_is_empty(value))
			return value;
	}
	return NULL;
}

const char *row_first_text(const json_t *from, const char *const *names)
{
	return json_string_value(row_first(from, names));
}

json_t *row_as_text(const json_t *value)
{
	if (!value || json_is_null(value))
		return json_null();
	if (json_is_string(value))
		return json_copy((json_t *)value);
	char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	json_t *text = json_string(dump);
	free(dump);
	return text;
}

json_t *row_parsed(const json_t *text)
{
	return json_is_string(text) ?
		json_loadb(json_string_value(text), json_string_length(text), 0, NULL) :
		NULL;
}

bool row_is_one_of(const char *key, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, key) == 0)
			return true;
	return false;
}

void row_add_units(json_t *counts, const char *key, const json_t *units)
{
	json_int_t sum;
	if (__builtin_add_overflow(json_integer_value(json_object_get(counts, key)),
		    json_integer_value(units), &sum))
		sum = INT64_MAX;
	json_object_set_new(counts, key, json_integer(sum));
}
