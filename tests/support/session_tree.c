#include "support/session_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/fixture.h"

/* ---- a span as JSON ---- */

static json_t *hex(ProtobufCBinaryData id)
{
	char text[33] = "";
	for (size_t i = 0; i < id.len && i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", id.data[i]);
	return json_string(text);
}

static json_t *value_json(const Otlp__AnyValue *value)
{
	if (!value)
		return json_null();
	switch (value->value_case) {
	case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
		return json_stringn_nocheck(
			(const char *)value->string_value.data, value->string_value.len);
	case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
		return json_boolean(value->bool_value);
	case OTLP__ANY_VALUE__VALUE_INT_VALUE:
		return json_integer(value->int_value);
	case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
		return json_real(value->double_value);
	case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE: {
		json_t *list = json_array();
		for (size_t i = 0; i < value->array_value->n_values; i++)
			json_array_append_new(list, value_json(value->array_value->values[i]));
		return list;
	}
	default:
		return json_null();
	}
}

static json_t *attributes_json(Otlp__KeyValue **at, size_t count)
{
	json_t *all = json_object();
	for (size_t i = 0; i < count; i++)
		json_object_setn_new_nocheck(all, (const char *)at[i]->key.data, at[i]->key.len,
			value_json(at[i]->value));
	return all;
}

/* usage_details has what Langfuse calls it; here a bucket is what was counted, whatever its lifetime. */
static json_t *tokens_json(const char *details)
{
	static const struct {
		const char *key, *bucket;
	} buckets[] = {
		{ "input", "input" },
		{ "input_cached_tokens", "cache_read" },
		{ "input_cache_creation", "cache_write" },
		{ "input_cache_creation_5m", "cache_write" },
		{ "input_cache_creation_1h", "cache_write" },
		{ "output", "output" },
		{ "output_reasoning_tokens", "output" },
	};
	json_t *usage = details ? json_loads(details, 0, NULL) : NULL;
	json_t *tokens = usage ? json_object() : NULL;
	for (size_t i = 0; usage && i < sizeof buckets / sizeof *buckets; i++) {
		json_int_t before = json_integer_value(json_object_get(tokens, buckets[i].bucket));
		json_int_t more = json_integer_value(json_object_get(usage, buckets[i].key));
		json_object_set_new(tokens, buckets[i].bucket, json_integer(before + more));
	}
	json_decref(usage);
	return tokens;
}

/* "total" as it is written: no double may come between. */
static json_t *cost_json(const char *details)
{
	const char *total = details ? strstr(details, "\"total\":") : NULL;
	if (!total)
		return NULL;
	total += strlen("\"total\":");
	return json_stringn(total, strspn(total, "0123456789."));
}

static void put(json_t *object, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(object, key, value);
}

static void put_attribute(json_t *object, const char *key, json_t *attributes, const char *name)
{
	json_t *value = json_object_get(attributes, name);
	if (value)
		json_object_set(object, key, value);
}

static void put_figures(json_t *object, json_t *attributes)
{
	const char *key, *prefix = "tollgate.turn.";
	json_t *value, *figures = json_object();
	json_object_foreach(attributes, key, value)
		if (strncmp(key, prefix, strlen(prefix)) == 0)
			json_object_set(figures, key + strlen(prefix), value);
	if (json_object_size(figures))
		json_object_set(object, "figures", figures);
	json_decref(figures);
}

static json_t *links_json(const oracle_span *span)
{
	json_t *links = json_array();
	for (size_t i = 0; i < span->n_links; i++) {
		json_t *said =
			attributes_json(span->links[i]->attributes, span->links[i]->n_attributes);
		json_t *type = json_object_get(said, "link.type");
		json_t *link = json_array();
		json_array_append(link, type ? type : json_null());
		json_array_append_new(link, hex(span->links[i]->span_id));
		json_array_append_new(links, link);
		json_decref(said);
	}
	return links;
}

json_t *span_json(const oracle_span *span, const char *lane)
{
	static const struct {
		const char *key, *name;
	} members[] = {
		{ "kind", "openinference.span.kind" },
		{ "native_name", "tollgate.native_name" },
		{ "session", "session.id" },
		{ "turn", "turn.number" },
		{ "user", "langfuse.user.id" },
		{ "trace_name", "langfuse.trace.name" },
		{ "first_token", "langfuse.observation.completion_start_time" },
		{ "side", "tollgate.side_call" },
		{ "agent", "gen_ai.agent.id" },
		{ "tool", "gen_ai.tool.name" },
		{ "key", "gen_ai.tool.call.id" },
		{ "wait_ms", "tollgate.permission.wait_ms" },
		{ "exit_code", "tool.execution.exit_code" },
		{ "status_code", "http.response.status_code" },
		{ "level", "langfuse.observation.level" },
		{ "message", "langfuse.observation.status_message" },
		{ "input", "input.value" },
		{ "output", "output.value" },
		{ "usage", "langfuse.observation.usage_details" },
		{ "model", "langfuse.observation.model.name" },
	};
	json_t *object = json_object(),
	       *said = attributes_json(span->attributes, span->n_attributes);
	put(object, "lane", json_string(lane));
	put(object, "name", json_stringn_nocheck((const char *)span->name.data, span->name.len));
	put(object, "trace", hex(span->trace_id));
	put(object, "id", hex(span->span_id));
	if (span->parent_span_id.len)
		put(object, "parent", hex(span->parent_span_id));
	put(object, "span_kind", json_integer(span->kind));
	put(object, "start", json_integer((json_int_t)span->start_time_unix_nano));
	put(object, "end", json_integer((json_int_t)span->end_time_unix_nano));
	put(object, "status", json_integer(span->status ? span->status->code : 0));
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		put_attribute(object, members[i].key, said, members[i].name);
	put(object, "tokens", tokens_json(json_string_value(json_object_get(object, "usage"))));
	put(object, "cost",
		cost_json(json_string_value(
			json_object_get(said, "langfuse.observation.cost_details"))));
	put_figures(object, said);
	put(object, "links", links_json(span));
	put(object, "attributes", said);
	return object;
}

/* ---- what it has to be ---- */

json_t *expected_tree(const char *capture, const char *kind)
{
	char path[160];
	snprintf(path, sizeof path, "captures/%s/expected.json", capture);
	struct bytes text = fixture(path);
	json_t *trees = json_loadb((const char *)text.at, text.len, 0, NULL);
	if (!trees)
		abort();
	json_t *tree = json_incref(json_object_get(trees, kind));
	json_decref(trees);
	free((void *)text.at);
	return tree;
}

struct comparison {
	const json_t *expected, *spans;
	const json_t **found; /* by index of expected */
	bool has_session;
	FILE *out;
	unsigned differences;
};

static const char *text_of(const json_t *span, const char *key)
{
	const char *text = json_string_value(json_object_get(span, key));
	return text ? text : "";
}

static json_int_t number_of(const json_t *span, const char *key)
{
	return json_integer_value(json_object_get(span, key));
}

/* A member that is null is not looked at. */
static bool is_open(const json_t *span, const char *key)
{
	return json_is_null(json_object_get(span, key));
}

static void differ(struct comparison *comparison, const json_t *span, const char *key,
	const json_t *wanted, const json_t *got)
{
	char *wanted_text = wanted ? json_dumps(wanted, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
	char *got_text = got ? json_dumps(got, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
	fprintf(comparison->out, "  %s (%s): %s is %.300s, not %.300s\n", text_of(span, "name"),
		text_of(span, "id"), key, got_text ? got_text : "missing",
		wanted_text ? wanted_text : "missing");
	free(wanted_text);
	free(got_text);
	comparison->differences++;
}

/* A span is known by its kind and its times; of several, by its name and its tool's key as well. */
static unsigned likeness(const json_t *wanted, const json_t *span)
{
	bool is_kind = is_open(wanted, "kind") ||
		strcmp(text_of(wanted, "kind"), text_of(span, "kind")) == 0;
	bool are_times = number_of(wanted, "start") == number_of(span, "start") &&
		number_of(wanted, "end") == number_of(span, "end");
	bool is_name = strcmp(text_of(wanted, "name"), text_of(span, "name")) == 0;
	bool is_input = json_object_get(wanted, "input") &&
		json_equal(json_object_get(wanted, "input"), json_object_get(span, "input"));
	bool is_agent = strcmp(text_of(wanted, "agent"), text_of(span, "agent")) == 0;
	bool is_key = *text_of(wanted, "key") &&
		strcmp(text_of(wanted, "key"), text_of(span, "key")) == 0;
	bool is_native = *text_of(wanted, "native_id") &&
		strcmp(text_of(wanted, "native_id"), text_of(span, "id")) == 0;
	if (is_native)
		return 64;
	if (*text_of(wanted, "native_id") || !is_kind || (!are_times && !is_key && !is_name))
		return 0;
	return 1 + 16 * are_times + 8 * is_key + 4 * is_name + 2 * is_input + is_agent;
}

static bool is_taken(const struct comparison *comparison, const json_t *span)
{
	for (size_t i = 0; i < json_array_size(comparison->expected); i++)
		if (comparison->found[i] == span)
			return true;
	return false;
}

static void find_all(struct comparison *comparison, unsigned least)
{
	size_t i, k;
	json_t *wanted, *span;
	json_array_foreach(comparison->expected, i, wanted) {
		unsigned best = least - 1;
		if (comparison->found[i])
			continue;
		const json_t *found = NULL;
		json_array_foreach(comparison->spans, k, span) {
			unsigned like = likeness(wanted, span);
			if (like > best && !is_taken(comparison, span)) {
				best = like;
				found = span;
			}
		}
		comparison->found[i] = found;
	}
}

static bool is_session(const json_t *span)
{
	return strcmp(text_of(span, "kind"), "CHAIN") == 0 && !json_object_get(span, "parent") &&
		!json_object_get(span, "turn");
}

static void find_spans(struct comparison *comparison)
{
	size_t i;
	json_t *span;
	find_all(comparison, 17); /* first those that are surely meant */
	find_all(comparison, 1);
	json_array_foreach(comparison->expected, i, span)
		if (!comparison->found[i]) {
			fprintf(comparison->out, "  missing: %s %s (%s) at %lld\n",
				text_of(span, "kind"), text_of(span, "name"), text_of(span, "id"),
				(long long)number_of(span, "start"));
			comparison->differences++;
		}
	json_array_foreach(comparison->spans, i, span)
		if (!is_taken(comparison, span) && !(comparison->has_session && is_session(span))) {
			fprintf(comparison->out, "  not wanted: %s %s at %lld..%lld\n",
				text_of(span, "kind"), text_of(span, "name"),
				(long long)number_of(span, "start"),
				(long long)number_of(span, "end"));
			comparison->differences++;
		}
}

static const json_t *found_by_label(const struct comparison *comparison, const char *label)
{
	size_t i;
	json_t *wanted;
	json_array_foreach(comparison->expected, i, wanted)
		if (strcmp(text_of(wanted, "id"), label) == 0)
			return comparison->found[i];
	return NULL;
}

static bool same_text(const json_t *wanted, const json_t *got)
{
	const char *text = json_string_value(got);
	if (json_is_object(wanted)) {
		const char *title = json_string_value(json_object_get(wanted, "withheld"));
		const char *part = json_string_value(json_object_get(wanted, "contains"));
		char mark[64];
		snprintf(mark, sizeof mark, "redacted by %s, set ", title ? title : "");
		return text &&
			(title ? strncmp(text, mark, strlen(mark)) == 0 :
				 strstr(text, part) != NULL);
	}
	if (json_equal(wanted, got))
		return true;
	json_t *a = json_loads(text ? text : "", JSON_DECODE_ANY, NULL);
	json_t *b = json_is_string(wanted) ?
		json_loads(json_string_value(wanted), JSON_DECODE_ANY, NULL) :
		NULL;
	bool are_same = a && b && json_equal(a, b);
	json_decref(a);
	json_decref(b);
	return are_same;
}

/* 2026-11-20T20:22:09.094Z in whatever precision, as ns. */
static json_int_t moment(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	json_int_t ns = 0, unit = 100000000;
	if (!rest)
		return 0;
	for (rest += *rest == '.'; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
		ns += (*rest - '0') * unit;
	return (json_int_t)timegm(&tm) * 1000000000 + ns;
}

/* The attribute has milliseconds. */
static void compare_first_token(
	struct comparison *comparison, const json_t *wanted, const json_t *got)
{
	json_t *at = json_object_get(wanted, "first_token");
	const char *text = text_of(got, "first_token");
	if (json_is_null(at))
		return;
	if (!at ? *text != 0 : moment(text) / 1000000 != json_integer_value(at) / 1000000)
		differ(comparison, wanted, "first_token", at, json_object_get(got, "first_token"));
}

static void compare_tokens(struct comparison *comparison, const json_t *wanted, const json_t *got)
{
	static const char *const buckets[] = { "input", "cache_read", "cache_write", "output" };
	json_t *tokens = json_object_get(wanted, "tokens"), *ours = json_object_get(got, "tokens");
	for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++)
		if (number_of(tokens, buckets[i]) != number_of(ours, buckets[i]))
			differ(comparison, wanted, buckets[i], json_object_get(tokens, buckets[i]),
				json_object_get(ours, buckets[i]));
}

static void compare_links(struct comparison *comparison, const json_t *wanted, const json_t *got)
{
	json_t *theirs = json_object_get(wanted, "links"), *ours = json_object_get(got, "links");
	size_t i, k, matched = 0;
	json_t *link, *our;
	json_array_foreach(theirs, i, link) {
		const json_t *target =
			found_by_label(comparison, json_string_value(json_array_get(link, 1)));
		bool is_there = false;
		json_array_foreach(ours, k, our)
			is_there |= target &&
				json_equal(json_array_get(our, 0), json_array_get(link, 0)) &&
				json_equal(json_array_get(our, 1), json_object_get(target, "id"));
		matched += is_there;
		if (!is_there)
			differ(comparison, wanted, "link", link, ours);
	}
	if (json_array_size(ours) > matched)
		differ(comparison, wanted, "links", theirs, ours);
}

static void compare_parent(struct comparison *comparison, const json_t *wanted, const json_t *got)
{
	const char *parent = text_of(wanted, "parent"), *ours = text_of(got, "parent");
	const json_t *target = *parent ? found_by_label(comparison, parent) : NULL;
	size_t i;
	json_t *span;
	json_array_foreach(comparison->spans, i, span)
		if (!*parent && comparison->has_session && is_session(span))
			target = span;
	if (is_open(wanted, "parent"))
		return;
	if (target ? strcmp(text_of(target, "id"), ours) != 0 : *ours != 0)
		differ(comparison, wanted, "parent", json_object_get(wanted, "parent"),
			json_object_get(got, "parent"));
	if (target && strcmp(text_of(target, "trace"), text_of(got, "trace")) != 0)
		differ(comparison, wanted, "trace", json_object_get(target, "trace"),
			json_object_get(got, "trace"));
}

/* The name of a session's one trace is what each turn's begins with. */
static bool is_name_of_session(const json_t *wanted, const json_t *got)
{
	const char *name = json_string_value(wanted), *session = json_string_value(got);
	size_t len = session ? strlen(session) : 0;
	return len && name && strncmp(name, session, len) == 0 &&
		(strncmp(name + len, " #", 2) == 0 || strncmp(name + len, ": ", 2) == 0);
}

static void compare_span(struct comparison *comparison, const json_t *wanted, const json_t *got)
{
	static const char *const exact[] = { "kind", "name", "start", "end", "turn", "trace_name",
		"session", "user", "side", "agent", "tool", "key", "wait_ms", "exit_code",
		"status_code", "level", "cost" };
	for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
		json_t *theirs = json_object_get(wanted, exact[i]);
		json_t *ours = json_object_get(got, exact[i]);
		/* Whose a tool was is said by its parent. */
		if (strcmp(exact[i], "agent") == 0 && strcmp(text_of(wanted, "kind"), "TOOL") == 0)
			continue;
		if (strcmp(exact[i], "trace_name") == 0 && comparison->has_session &&
			is_name_of_session(theirs, ours))
			continue;
		if (!json_is_null(theirs) && (theirs ? !json_equal(theirs, ours) : ours != NULL))
			differ(comparison, wanted, exact[i], theirs, ours);
	}
	static const char *const texts[] = { "message", "input", "output" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		json_t *theirs = json_object_get(wanted, texts[i]);
		json_t *ours = json_object_get(got, texts[i]);
		if (!json_is_null(theirs) && (theirs ? !same_text(theirs, ours) : ours != NULL))
			differ(comparison, wanted, texts[i], theirs, ours);
	}
	const char *figure;
	json_t *value, *figures = json_object_get(got, "figures");
	json_object_foreach(json_object_get(wanted, "figures"), figure, value)
		if (!json_equal(value, json_object_get(figures, figure)))
			differ(comparison, wanted, figure, value, json_object_get(figures, figure));
	if (!*text_of(wanted, "native_id"))
		compare_first_token(comparison, wanted, got);
	compare_tokens(comparison, wanted, got);
	compare_parent(comparison, wanted, got);
	compare_links(comparison, wanted, got);
}

/* Spans of one expected trace are in one trace, and no other's. */
static void compare_traces(struct comparison *comparison)
{
	size_t count = json_array_size(comparison->expected);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++) {
			const json_t *a = comparison->found[i], *b = comparison->found[k];
			const json_t *wanted = json_array_get(comparison->expected, i);
			const json_t *other = json_array_get(comparison->expected, k);
			if (!a || !b)
				continue;
			bool is_one = comparison->has_session ||
				strcmp(text_of(wanted, "trace"), text_of(other, "trace")) == 0;
			if (is_one != (strcmp(text_of(a, "trace"), text_of(b, "trace")) == 0))
				differ(comparison, wanted,
					is_one ? "trace, not as of" : "trace, the one of",
					json_object_get(other, "id"), json_object_get(a, "trace"));
		}
}

unsigned tree_compare(const json_t *expected, const json_t *spans, bool has_session, FILE *out)
{
	size_t count = json_array_size(expected);
	struct comparison comparison = {
		.expected = expected,
		.spans = spans,
		.found = calloc(count + 1, sizeof *comparison.found),
		.has_session = has_session,
		.out = out,
	};
	find_spans(&comparison);
	for (size_t i = 0; i < count; i++)
		if (comparison.found[i])
			compare_span(&comparison, json_array_get(expected, i), comparison.found[i]);
	compare_traces(&comparison);
	free(comparison.found);
	return comparison.differences;
}

/* ---- sets of spans ---- */

static const json_t *span_with_id(const json_t *spans, const json_t *like)
{
	size_t i;
	json_t *span;
	json_array_foreach(spans, i, span)
		if (strcmp(text_of(span, "id"), text_of(like, "id")) == 0 &&
			strcmp(text_of(span, "trace"), text_of(like, "trace")) == 0)
			return span;
	return NULL;
}

static unsigned say_members(const json_t *wanted, const json_t *got, FILE *out)
{
	struct comparison comparison = { .out = out };
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)wanted, key, value)
		if (strcmp(key, "attributes") != 0 && !json_equal(value, json_object_get(got, key)))
			differ(&comparison, wanted, key, value, json_object_get(got, key));
	json_t *theirs = json_object_get(wanted, "attributes");
	json_t *ours = json_object_get(got, "attributes");
	json_object_foreach(theirs, key, value)
		if (!json_equal(value, json_object_get(ours, key)))
			differ(&comparison, wanted, key, value, json_object_get(ours, key));
	json_object_foreach(ours, key, value)
		if (!json_object_get(theirs, key))
			differ(&comparison, wanted, key, NULL, value);
	return comparison.differences;
}

unsigned spans_compare(const json_t *expected, const json_t *spans, FILE *out)
{
	unsigned differences = 0;
	size_t i;
	json_t *span;
	json_array_foreach(expected, i, span) {
		const json_t *got = span_with_id(spans, span);
		if (!got) {
			fprintf(out, "  missing: %s %s\n", text_of(span, "kind"),
				text_of(span, "name"));
			differences++;
		} else if (!json_equal(span, got)) {
			differences += say_members(span, got, out);
		}
	}
	json_array_foreach(spans, i, span) {
		if (span_with_id(expected, span))
			continue;
		fprintf(out, "  not wanted: %s %s\n", text_of(span, "kind"), text_of(span, "name"));
		differences++;
	}
	if (json_array_size(spans) > json_array_size(expected)) {
		fprintf(out, "  %zu spans, not %zu\n", json_array_size(spans),
			json_array_size(expected));
		differences++;
	}
	return differences;
}
