/*
 * What a resource, or the root of a trace, says for all spans that say nothing themselves: Langfuse inherits
 * nothing, so it has to stand on each of them. Because it is written that often it is bounded: no text is
 * longer than a name may be, and all of it is UTF-8.
 */
#ifndef TG_ENRICH_IDENTITY_H
#define TG_ENRICH_IDENTITY_H

#include "otlp/span.h"

struct subject;

/* One attribute named by identity.tags_from_resource. */
struct label {
	struct bytes tag;  /* "team:platform" */
	struct bytes key;  /* "langfuse.trace.metadata.team" */
	struct bytes text; /* "platform" */
};

struct identity {
	struct bytes session, user, trace_name, environment, release, version;
	struct bytes chosen_user; /* of a resource: by identity.user_from, which comes first */
	struct bytes root_name;   /* of a root: what its trace is called when nobody names it */
	const struct bytes *tags; /* as sent */
	size_t tag_count;
	const struct label *labels;
	size_t label_count;
};

/*
 * Reads a resource. Everything lies in the arena or the request.
 *
 *   subject  of no span: its configuration, arena, scratch and the facts of the resource
 */
void identity_of_resource(struct subject *subject, const struct attributes *attributes,
	struct identity *ret_identity);

/* Reads the root of a trace, with what its resource says where it is silent. */
void identity_of_root(struct subject *root, struct identity *ret_identity);

/* What `from` says where `into` is silent. */
void identity_fill(struct identity *into, const struct identity *from);

/* As it may stand on spans that did not say it: cut to the length of a name; nothing when it is no UTF-8. */
struct bytes identity_text(struct bytes text);

#endif
