/*
 * Which attributes are content: what people, models and tools said to each other, as opposed to facts about
 * it, such as tokens, models, names and ids.
 *
 * By the name alone, whoever speaks: where a prompt must not go, it must not go in any vocabulary. What
 * states content to enrichment is content here; the rest is a list. A name that stands in neither is not
 * guessed at. Errors, status and metadata are not content. Source: facts of the mapping, R10.
 */
#ifndef TG_VOCABULARIES_CONTENT_NAMES_H
#define TG_VOCABULARIES_CONTENT_NAMES_H

#include "base/bytes.h"

/* Of a span, its resource, scope, links or any event of it. */
bool name_is_content(struct bytes name);

/* Whether an event is itself something said ("gen_ai.user.message"), and what of its attributes is. */
bool event_is_content(struct bytes event);
bool name_is_content_of_event(struct bytes name);

/* Further names for the index of vocabularies.c, up to NULL. */
extern const char *const content_names[];

#endif
