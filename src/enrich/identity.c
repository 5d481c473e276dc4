/*
 * Whose span it is: R2, R3 and tags of the mapping on every span, and on AI spans trace name, environment,
 * release, version and a name to read as well. What a span leaves open its resource says, then the root of
 * its trace when that came in the same request, then the configuration. Only an AI span takes from the root.
 */
#include "enrich/identity.h"

#include <jansson.h>

#include "base/counters.h"
#include "base/utf8.h"
#include "enrich/roots.h"
#include "enrich/subject.h"

enum {
	NAME_BYTES = 200, /* of what is handed on: the Langfuse SDKs drop longer ones */
	MAX_TAGS = 128,
	HANDED_ON_TAGS_BYTES = 2048, /* together: they are written on every span */
};

static bool is_ai(const struct subject *subject)
{
	return subject->facts.kind != KIND_NONE;
}

static struct bytes first_of(struct bytes first, struct bytes second)
{
	return first.len ? first : second;
}

/* As it may stand on spans that did not say it; an id that is too long would be another id if cut. */
static struct bytes handed_on_id(struct bytes id)
{
	return id.len <= NAME_BYTES && utf8_span(id) == id.len ? id : (struct bytes){ 0 };
}

struct bytes identity_text(struct bytes text)
{
	return handed_on_id(utf8_cut(text, NAME_BYTES));
}

/* The text of the first attribute of these names; of several with one name the last counts. */
static struct bytes text_named(struct subject *subject, const struct attributes *attributes,
	char *const *names, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		struct bytes name = bytes_of(names[n]);
		for (size_t i = attributes->count; i-- > 0;)
			if (bytes_equal(attributes->at[i].key, name) &&
				!value_is_empty(&attributes->at[i].value))
				return text_of(subject, &attributes->at[i].value);
	}
	return (struct bytes){ 0 };
}

static struct bytes chosen_user(struct subject *subject, const struct attributes *attributes)
{
	return text_named(subject, attributes, subject->config->identity.user_from,
		subject->config->identity.user_from_count);
}

static struct bytes chosen_release(struct subject *subject, const struct attributes *attributes)
{
	return text_named(subject, attributes, subject->config->identity.release_from,
		subject->config->identity.release_from_count);
}

/* ---- tags ---- */

struct tags {
	struct bytes at[MAX_TAGS];
	size_t count;
};

static void add_tag(struct tags *tags, struct bytes tag)
{
	while (tag.len && tag.at[0] == ' ')
		tag = (struct bytes){ tag.at + 1, tag.len - 1 };
	while (tag.len && tag.at[tag.len - 1] == ' ')
		tag.len--;
	if (tag.len && tags->count < MAX_TAGS)
		tags->at[tags->count++] = tag;
}

static void tags_of_array(struct subject *subject, struct bytes array, struct tags *tags)
{
	struct wire list = wire_of(array);
	struct value item;
	while (value_next_item(&list, &item))
		add_tag(tags, text_of(subject, &item));
}

static bool tags_of_json(struct subject *subject, struct bytes text, struct tags *tags)
{
	if (!bytes_start_with(text, "["))
		return false;
	json_t *list = json_loadb((const char *)text.at, text.len, JSON_ALLOW_NUL, NULL), *item;
	size_t i;
	if (!list)
		return false;
	json_array_foreach(list, i, item) {
		if (json_is_string(item)) {
			buf_append(subject->scratch, json_string_value(item),
				json_string_length(item));
		} else {
			char *dump = json_dumps(item, JSON_ENCODE_ANY | JSON_COMPACT);
			buf_text(subject->scratch, dump ? dump : "");
			free(dump);
		}
		add_tag(tags, take_scratch(subject));
	}
	json_decref(list);
	return true;
}

static void tags_of_text(struct bytes text, struct tags *tags)
{
	const uint8_t *at = text.at, *end = bytes_end(text);
	while (at < end) {
		const uint8_t *comma = memchr(at, ',', (size_t)(end - at));
		const uint8_t *stop = comma ? comma : end;
		add_tag(tags, (struct bytes){ at, (size_t)(stop - at) });
		at = stop + 1;
	}
}

static void read_tags(struct subject *subject, const struct value *said, struct tags *ret_tags)
{
	ret_tags->count = 0;
	if (said->type == VALUE_ARRAY)
		tags_of_array(subject, said->bytes, ret_tags);
	else if (said->type == VALUE_STRING && !tags_of_json(subject, said->bytes, ret_tags))
		tags_of_text(said->bytes, ret_tags);
}

static void hand_on_tags(
	struct subject *subject, const struct value *said, struct identity *identity)
{
	struct tags tags;
	read_tags(subject, said, &tags);
	if (tags.count == 0)
		return;
	struct bytes *kept = arena_alloc(subject->arena, tags.count * sizeof *kept);
	size_t room = HANDED_ON_TAGS_BYTES;
	for (size_t i = 0; kept && i < tags.count; i++) {
		struct bytes tag = identity_text(tags.at[i]);
		if (tag.len == 0 || tag.len > room)
			continue;
		room -= tag.len;
		kept[identity->tag_count++] = tag;
	}
	identity->tags = kept;
}

static struct bytes joined(
	struct subject *subject, const char *first, const char *second, struct bytes third)
{
	buf_text(subject->scratch, first);
	buf_text(subject->scratch, second);
	buf_append(subject->scratch, third.at, third.len);
	return take_scratch(subject);
}

static void read_labels(
	struct subject *subject, const struct attributes *attributes, struct identity *identity)
{
	char *const *names = subject->config->identity.tags_from_resource;
	size_t count = subject->config->identity.tags_from_resource_count;
	struct label *labels = NULL;
	for (size_t i = 0; i < count; i++) {
		struct bytes text = identity_text(text_named(subject, attributes, &names[i], 1));
		if (text.len && !labels)
			identity->labels = labels =
				arena_alloc(subject->arena, count * sizeof *labels);
		if (!text.len || !labels)
			continue;
		labels[identity->label_count++] = (struct label){
			.tag = identity_text(joined(subject, names[i], ":", text)),
			.key = joined(
				subject, "langfuse.trace.metadata.", names[i], (struct bytes){ 0 }),
			.text = text,
		};
	}
}

/* ---- what a resource says ---- */

void identity_of_resource(
	struct subject *subject, const struct attributes *attributes, struct identity *ret_identity)
{
	const struct value *said = subject->resource->said;
	*ret_identity = (struct identity){
		.session = handed_on_id(text_of(subject, &said[FACT_SESSION])),
		.user = handed_on_id(text_of(subject, &said[FACT_USER])),
		.chosen_user = handed_on_id(chosen_user(subject, attributes)),
		.trace_name = identity_text(text_of(subject, &said[FACT_TRACE_NAME])),
		.environment = handed_on_id(text_of(subject, &said[FACT_ENVIRONMENT])),
		.release = handed_on_id(text_of(subject, &said[FACT_RELEASE])),
		.version = handed_on_id(text_of(subject,
			said_first(subject->resource, FACT_VERSION, FACT_SERVICE_VERSION))),
	};
	if (!is_said(subject->resource, FACT_RELEASE))
		ret_identity->release = handed_on_id(chosen_release(subject, attributes));
	if (is_said(subject->resource, FACT_TAGS))
		hand_on_tags(subject, &said[FACT_TAGS], ret_identity);
	read_labels(subject, attributes, ret_identity);
}

/* ---- what a span says with its resource, and a root ---- */

static struct bytes session_of(struct subject *subject)
{
	return first_of(fact_text(subject, FACT_SESSION), subject->of_resource->session);
}

static struct bytes user_of(struct subject *subject)
{
	const struct identity *resource = subject->of_resource;
	struct bytes chosen =
		first_of(chosen_user(subject, &subject->span->attributes), resource->chosen_user);
	return chosen.len ? chosen : first_of(fact_text(subject, FACT_USER), resource->user);
}

/* As Langfuse finds it, which does not look at langfuse.observation.name. */
static struct bytes observation_name(struct subject *subject)
{
	struct bytes name = { 0 };
	if (subject->facts.kind == KIND_TOOL && !is_tool_with_name(subject))
		name = fact_text(subject, FACT_TOOL_NAME);
	name = first_of(name, fact_text(subject, FACT_SPAN_NAME));
	return first_of(name, subject->span->name);
}

static struct bytes trace_name_of(struct subject *subject)
{
	return first_of(fact_text(subject, FACT_TRACE_NAME), subject->of_resource->trace_name);
}

static struct bytes environment_of(struct subject *subject)
{
	return first_of(fact_text(subject, FACT_ENVIRONMENT), subject->of_resource->environment);
}

static struct bytes release_of(struct subject *subject)
{
	struct bytes release = fact_text(subject, FACT_RELEASE);
	if (!release.len && !is_said(subject->resource, FACT_RELEASE))
		release = chosen_release(subject, &subject->span->attributes);
	return first_of(release, subject->of_resource->release);
}

static struct bytes version_of(struct subject *subject)
{
	return first_of(fact_text(subject, FACT_VERSION), subject->of_resource->version);
}

void identity_of_root(struct subject *root, struct identity *ret_identity)
{
	const struct identity *resource = root->of_resource;
	*ret_identity = (struct identity){
		.session = handed_on_id(session_of(root)),
		.user = handed_on_id(user_of(root)),
		.trace_name = identity_text(trace_name_of(root)),
		.root_name = identity_text(observation_name(root)),
		.environment = handed_on_id(environment_of(root)),
		.release = handed_on_id(release_of(root)),
		.version = handed_on_id(version_of(root)),
		.tags = resource->tags,
		.tag_count = resource->tag_count,
		.labels = resource->labels,
		.label_count = resource->label_count,
	};
	if (!is_said(&root->facts, FACT_TAGS))
		return;
	ret_identity->tag_count = 0;
	hand_on_tags(root, &root->facts.said[FACT_TAGS], ret_identity);
}

static void fill(struct bytes *gap, struct bytes text)
{
	if (!gap->len)
		*gap = text;
}

void identity_fill(struct identity *into, const struct identity *from)
{
	fill(&into->session, from->session);
	fill(&into->user, from->user);
	fill(&into->trace_name, from->trace_name);
	fill(&into->environment, from->environment);
	fill(&into->release, from->release);
	fill(&into->version, from->version);
	fill(&into->root_name, from->root_name);
	if (!into->tag_count) {
		into->tags = from->tags;
		into->tag_count = from->tag_count;
	}
	if (!into->label_count) {
		into->labels = from->labels;
		into->label_count = from->label_count;
	}
}

/* ---- what is written ---- */

/* An AI span's: whether what it needs is there, or has to be counted as lacking. */
static void note(struct subject *subject, enum counter counter, bool is_there)
{
	if (!is_there && is_ai(subject))
		subject->lacking[counter - COUNTER_LACKING_SESSION]++;
}

static void add_session(struct subject *subject, const struct identity *root)
{
	struct bytes session = first_of(session_of(subject), root->session);
	add_text(subject, TARGET_SESSION_ID, session);
	add_text(subject, TARGET_LANGFUSE_SESSION_ID, session);
	if (is_ai(subject))
		add_text(subject, TARGET_CONVERSATION_ID, session);
	note(subject, COUNTER_LACKING_SESSION, session.len);
}

static void add_user(struct subject *subject, const struct identity *root)
{
	struct bytes user = first_of(user_of(subject), root->user);
	user = first_of(user, bytes_of(subject->config->identity.user_id));
	add_text(subject, TARGET_USER_ID, user);
	add_text(subject, TARGET_LANGFUSE_USER_ID, user);
	note(subject, COUNTER_LACKING_USER, user.len);
}

static void append_tags(struct tags *tags, const struct bytes *more, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_tag(tags, more[i]);
}

static void append_labels(struct tags *tags, const struct identity *labelled)
{
	size_t before = tags->count;
	for (size_t i = 0; i < labelled->label_count; i++) {
		size_t same = 0;
		while (same < before && !bytes_equal(tags->at[same], labelled->labels[i].tag))
			same++;
		if (same == before)
			add_tag(tags, labelled->labels[i].tag);
	}
}

/* A list that was sent for Langfuse stays as it is, and is what tag.tags gets. */
static void add_tags(
	struct subject *subject, const struct identity *root, const struct identity *labelled)
{
	const struct config *config = subject->config;
	struct tags tags;
	read_tags(subject, &subject->facts.said[FACT_TAGS], &tags);
	if (tags.count == 0)
		append_tags(&tags, subject->of_resource->tags, subject->of_resource->tag_count);
	if (tags.count == 0)
		append_tags(&tags, root->tags, root->tag_count);
	if (tags.count == 0)
		for (size_t i = 0; i < config->identity.tag_count; i++)
			add_tag(&tags, bytes_of(config->identity.tags[i]));
	if (is_open(subject, TARGET_TRACE_TAGS))
		append_labels(&tags, labelled);
	add_texts(subject, TARGET_TRACE_TAGS, tags.at, tags.count);
	add_texts(subject, TARGET_TAG_TAGS, tags.at, tags.count);
	note(subject, COUNTER_LACKING_TAGS, tags.count);
}

static bool has_attribute(const struct span *span, struct bytes key)
{
	for (size_t i = 0; i < span->attributes.count; i++)
		if (bytes_equal(span->attributes.at[i].key, key))
			return true;
	return false;
}

static void add_metadata(struct subject *subject, const struct identity *labelled)
{
	for (size_t i = 0; i < labelled->label_count; i++)
		if (!has_attribute(subject->span, labelled->labels[i].key))
			add_named(subject, labelled->labels[i].key, labelled->labels[i].text);
}

/* Langfuse reads all forms of it, on the span and on the resource. */
static void add_environment(struct subject *subject, const struct identity *root)
{
	if (is_said(&subject->facts, FACT_ENVIRONMENT) ||
		is_said(subject->resource, FACT_ENVIRONMENT))
		return;
	struct bytes environment =
		first_of(root->environment, bytes_of(subject->config->identity.environment));
	add_text(subject, TARGET_ENVIRONMENT, environment);
	note(subject, COUNTER_LACKING_ENVIRONMENT, environment.len);
}

/* langfuse.release it reads on both. */
static void add_release(struct subject *subject, const struct identity *root)
{
	if (is_said(subject->resource, FACT_RELEASE))
		return;
	struct bytes release = first_of(release_of(subject), root->release);
	release = first_of(release, bytes_of(subject->config->identity.release));
	add_text(subject, TARGET_RELEASE, release);
	note(subject, COUNTER_LACKING_RELEASE, release.len);
}

/* langfuse.version it reads on the span alone, service.version on the resource alone. */
static void add_version(struct subject *subject, const struct identity *root)
{
	if (is_said(subject->resource, FACT_SERVICE_VERSION) &&
		!is_said(subject->resource, FACT_VERSION))
		return;
	struct bytes version = first_of(version_of(subject), root->version);
	add_text(subject, TARGET_VERSION, version);
	note(subject, COUNTER_LACKING_VERSION, version.len);
}

/* Unless somebody names it, a trace is called as its root, and not as any other span. */
static void add_trace_name(struct subject *subject, const struct identity *root)
{
	struct bytes name = first_of(trace_name_of(subject), root->trace_name);
	if (!name.len)
		name = span_is_root(subject->span) ? identity_text(observation_name(subject)) :
						     root->root_name;
	add_text(subject, TARGET_TRACE_NAME, name);
	note(subject, COUNTER_LACKING_TRACE_NAME, name.len);
}

void enrich_identity(struct subject *subject)
{
	static const struct identity nothing;
	const struct identity *root = &nothing, *labelled = &nothing;
	if (is_ai(subject)) {
		if (!span_is_root(subject->span) || roots_may_be_below(&subject->around->scope))
			root = roots_find(subject->roots, subject->span->trace_id);
		labelled = subject->of_resource->label_count ? subject->of_resource : root;
	}
	add_session(subject, root);
	add_user(subject, root);
	add_tags(subject, root, labelled);
	add_environment(subject, root);
	add_release(subject, root);
	if (!is_ai(subject))
		return;
	add_version(subject, root);
	add_trace_name(subject, root);
	add_metadata(subject, labelled);
	add_text(subject, TARGET_OBSERVATION_NAME, observation_name(subject));
}
