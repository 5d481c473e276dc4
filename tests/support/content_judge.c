#include "support/content_judge.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "export/content.h"
#include "support/oracle.h"
#include "synthesize/names.h"
#include "vocabularies/content_names.h"

struct judge {
	const struct destination_config *config;
	const char *why; /* NULL as long as all is well */
	bool is_event_said;
	bool is_name_said; /* names of spans are content: of a coding session, and no content is let through */
};

static struct bytes bytes_from(ProtobufCBinaryData data)
{
	return (struct bytes){ data.data, data.len };
}

static struct bytes key_of(const oracle_attribute *attribute)
{
	return bytes_from(attribute->key);
}

static bool is_string(const oracle_attribute *attribute)
{
	return attribute->value &&
		attribute->value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE;
}

/* Empty when it is none. */
static struct bytes text_of(const oracle_attribute *attribute)
{
	return is_string(attribute) ? bytes_from(attribute->value->string_value) :
				      (struct bytes){ 0 };
}

static bool is_named(const oracle_attribute *attribute, const char *const *names)
{
	while (*names && !bytes_are(key_of(attribute), *names))
		names++;
	return *names;
}

static bool is_content(const struct judge *judge, const oracle_attribute *attribute)
{
	return judge->is_event_said ? name_is_content_of_event(key_of(attribute)) :
				      name_is_content(key_of(attribute));
}

static bool is_shown(const oracle_attribute *attribute)
{
	static const char *const shown[] = { "input.value", "output.value",
		"langfuse.observation.input", "langfuse.observation.output", "langfuse.trace.input",
		"langfuse.trace.output", NULL };
	return is_named(attribute, shown);
}

static bool is_well_cut(
	const struct judge *judge, const oracle_attribute *in, const oracle_attribute *out)
{
	static const char end[] = " bytes]", begin[] = "… [cut from ";
	struct bytes before = text_of(in), after = text_of(out);
	if (oracle_same_attribute(in, out))
		return before.len <= judge->config->content_max_bytes;
	const uint8_t *mark = memmem(after.at, after.len, begin, sizeof begin - 1);
	if (!mark || after.len > judge->config->content_max_bytes ||
		memcmp(bytes_end(after) - sizeof end + 1, end, sizeof end - 1) != 0)
		return false;
	if (!is_string(in))
		return true;
	/* The text may hold a mark of its own. */
	struct bytes head = { after.at, (size_t)(mark - after.at) };
	return before.len > judge->config->content_max_bytes &&
		memcmp(before.at, head.at, head.len) == 0 &&
		(utf8_valid_bytes(before) < before.len || utf8_valid_bytes(after) == after.len);
}

static bool is_shortened(
	const struct judge *judge, const oracle_attribute *in, const oracle_attribute *out)
{
	static const char *const names[] = { "langfuse.trace.name", "langfuse.observation.name",
		NULL };
	return judge->is_name_said && is_named(in, names) && is_string(in) &&
		bytes_equal(key_of(in), key_of(out)) &&
		bytes_equal(name_without_content(text_of(in)), text_of(out));
}

/* Whether `out` is what may be in the place of an attribute that is not content. */
static bool is_kept(
	const struct judge *judge, const oracle_attribute *in, const oracle_attribute *out)
{
	static const char *const mime_types[] = { "input.mime_type", "output.mime_type", NULL };
	return is_shortened(judge, in, out) || oracle_same_attribute(in, out) ||
		(is_named(in, mime_types) && bytes_equal(key_of(in), key_of(out)) &&
			bytes_are(text_of(out), "text/plain"));
}

/*
 * Whether the next of the output is what becomes of it; *ret_is_gone when nothing may. What is empty stays;
 * the generated code cannot tell it from what hides behind emptiness, though, which is withheld.
 */
static bool is_right(struct judge *judge, const oracle_attribute *in, const oracle_attribute *out,
	bool *ret_is_gone)
{
	*ret_is_gone = false;
	if (!is_content(judge, in))
		return out && is_kept(judge, in, out);
	if (oracle_is_empty(in) && out && oracle_same_attribute(in, out))
		return true;
	if (judge->config->content == CONTENT_NONE && !is_shown(in))
		return *ret_is_gone = true;
	if (!out || !bytes_equal(key_of(in), key_of(out)))
		return false;
	return judge->config->content == CONTENT_NONE ? bytes_are(text_of(out), CONTENT_MARK) :
							is_well_cut(judge, in, out);
}

static void clear(oracle_attribute **attributes, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		otlp__key_value__free_unpacked(attributes[i], NULL);
	*count = 0;
}

/* Compares two lists, and empties them, so that what is left can be compared to the byte. */
static void compare(struct judge *judge, oracle_attribute **in, size_t *in_count,
	oracle_attribute **out, size_t *out_count)
{
	size_t o = 0;
	for (size_t i = 0; i < *in_count && !judge->why; i++) {
		bool is_gone;
		if (!is_right(judge, in[i], o < *out_count ? out[o] : NULL, &is_gone))
			judge->why = "an attribute is not what it should have become";
		o += !is_gone;
	}
	if (!judge->why && o != *out_count)
		judge->why = "there are more attributes than there should be";
	clear(in, in_count);
	clear(out, out_count);
}

#define COMPARE(judge, in, out) \
	compare(judge, (in)->attributes, &(in)->n_attributes, (out)->attributes, \
		&(out)->n_attributes)

static void compare_names(struct judge *judge, const oracle_span *in, oracle_span *out)
{
	judge->is_name_said = false;
	for (size_t i = 0; i < in->n_attributes; i++)
		judge->is_name_said |= judge->config->content == CONTENT_NONE &&
			bytes_are(key_of(in->attributes[i]), "turn.number");
	if (!judge->is_name_said)
		return;
	struct bytes wanted = name_without_content(bytes_from(in->name));
	if (!bytes_equal(wanted, bytes_from(out->name)))
		judge->why = "a span's name is not what it should have become";
	free(out->name.data);
	out->name.data = malloc(in->name.len + 1);
	out->name.len = in->name.len;
	if (in->name.len)
		memcpy(out->name.data, in->name.data, in->name.len);
}

static void compare_spans(struct judge *judge, oracle_span *in, oracle_span *out)
{
	compare_names(judge, in, out);
	COMPARE(judge, in, out);
	if (in->n_events != out->n_events || in->n_links != out->n_links) {
		judge->why = "another number of events or links";
		return;
	}
	for (size_t i = 0; i < in->n_events; i++) {
		judge->is_event_said = event_is_content(bytes_from(in->events[i]->name));
		COMPARE(judge, in->events[i], out->events[i]);
	}
	judge->is_event_said = false;
	for (size_t i = 0; i < in->n_links; i++)
		COMPARE(judge, in->links[i], out->links[i]);
}

static void compare_scopes(struct judge *judge, Otlp__ScopeSpans *in, Otlp__ScopeSpans *out)
{
	if (!in->scope != !out->scope || in->n_spans != out->n_spans) {
		judge->why = "another scope or number of spans";
		return;
	}
	if (in->scope)
		COMPARE(judge, in->scope, out->scope);
	for (size_t i = 0; i < in->n_spans && !judge->why; i++)
		compare_spans(judge, in->spans[i], out->spans[i]);
}

static void compare_resources(
	struct judge *judge, Otlp__ResourceSpans *in, Otlp__ResourceSpans *out)
{
	if (!in->resource != !out->resource || in->n_scope_spans != out->n_scope_spans) {
		judge->why = "another resource or number of scopes";
		return;
	}
	if (in->resource)
		COMPARE(judge, in->resource, out->resource);
	for (size_t i = 0; i < in->n_scope_spans && !judge->why; i++)
		compare_scopes(judge, in->scope_spans[i], out->scope_spans[i]);
}

static void compare_requests(struct judge *judge, oracle_request *in, oracle_request *out)
{
	if (in->n_resource_spans != out->n_resource_spans) {
		judge->why = "another number of resources";
		return;
	}
	for (size_t i = 0; i < in->n_resource_spans && !judge->why; i++)
		compare_resources(judge, in->resource_spans[i], out->resource_spans[i]);
	if (!judge->why && !oracle_same_request(in, out))
		judge->why = "something beside the attributes changed";
}

bool content_judge(const struct destination_config *config, struct bytes input, struct bytes output,
	const char **ret_why)
{
	struct judge judge = { .config = config };
	oracle_request *in = oracle_decode(input), *out = oracle_decode(output);
	if (in && out)
		compare_requests(&judge, in, out);
	else if (in)
		judge.why = "the output cannot be decoded";
	oracle_free(in);
	oracle_free(out);
	*ret_why = judge.why;
	return !judge.why;
}
