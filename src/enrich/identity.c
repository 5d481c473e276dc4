/*
 * Whose session it is: R2, R3 and tags of the mapping, on every span, because Langfuse inherits nothing from
 * resource or parent. What a span and its resource leave open, the configuration fills.
 */
#include <jansson.h>

#include "enrich/subject.h"

enum { MAX_TAGS = 64 };

static struct bytes own_or_resource(struct subject *subject, enum fact fact)
{
	struct bytes own = said_text(subject, fact);
	return own.len ? own : text_of(subject, &subject->resource->said[fact]);
}

static void add_session(struct subject *subject)
{
	struct bytes session = own_or_resource(subject, FACT_SESSION);
	add_text(subject, TARGET_SESSION_ID, session);
	add_text(subject, TARGET_LANGFUSE_SESSION_ID, session);
	if (subject->facts.kind != KIND_NONE)
		add_text(subject, TARGET_CONVERSATION_ID, session);
}

static void add_user(struct subject *subject)
{
	struct bytes user = own_or_resource(subject, FACT_USER);
	if (!user.len)
		user = bytes_of(subject->config->identity.user_id);
	add_text(subject, TARGET_USER_ID, user);
	add_text(subject, TARGET_LANGFUSE_USER_ID, user);
}

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

static void add_tags(struct subject *subject)
{
	const struct value *said = &subject->facts.said[FACT_TAGS];
	if (said->type == VALUE_NONE)
		said = &subject->resource->said[FACT_TAGS];
	struct tags tags;
	tags.count = 0;
	if (said->type == VALUE_ARRAY)
		tags_of_array(subject, said->bytes, &tags);
	else if (said->type == VALUE_STRING && !tags_of_json(subject, said->bytes, &tags))
		tags_of_text(said->bytes, &tags);
	if (tags.count == 0)
		for (size_t i = 0; i < subject->config->identity.tag_count; i++)
			add_tag(&tags, bytes_of(subject->config->identity.tags[i]));
	add_texts(subject, TARGET_TRACE_TAGS, tags.at, tags.count);
	add_texts(subject, TARGET_TAG_TAGS, tags.at, tags.count);
}

/* Langfuse finds the sender's own in several forms, on span and resource; only a gap is filled. */
static void add_default(
	struct subject *subject, enum fact fact, enum target target, const char *configured)
{
	if (configured && !is_said(&subject->facts, fact) && !is_said(subject->resource, fact))
		add_text(subject, target, bytes_of(configured));
}

void enrich_identity(struct subject *subject)
{
	add_session(subject);
	add_user(subject);
	add_tags(subject);
	add_default(subject, FACT_ENVIRONMENT, TARGET_ENVIRONMENT,
		subject->config->identity.environment);
	add_default(subject, FACT_RELEASE, TARGET_RELEASE, subject->config->identity.release);
}
