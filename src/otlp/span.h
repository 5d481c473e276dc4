/* One Span, and what surrounds it, read in place. */
#ifndef TG_OTLP_SPAN_H
#define TG_OTLP_SPAN_H

#include "base/arena.h"
#include "otlp/value.h"

enum { STATUS_CODE_UNSET = 0, STATUS_CODE_OK = 1, STATUS_CODE_ERROR = 2 };

/* A list of attributes that grows in an arena and is used again for the next span. */
struct attributes {
	struct attribute *at;
	size_t count, capacity;
};

int attributes_add(struct attributes *attributes, const struct field *key_value, unsigned depth,
	struct arena *arena);

/* The last attribute of this name that has a value, or NULL. */
const struct attribute *attribute_find(const struct attributes *attributes, const char *name);

struct span_event {
	struct field field; /* in its span */
	struct bytes name;
	bool has_valueless; /* an attribute without a value */
};

struct span {
	struct field field; /* in its ScopeSpans */
	struct bytes trace_id, span_id;
	struct field parent; /* .start NULL when there is none */
	struct bytes name;
	uint64_t start_ns, end_ns;
	uint64_t status_code;
	struct bytes status_message;
	struct attributes attributes;
	struct span_event *events;
	size_t event_count, event_capacity;
};

/*
 * Reads and checks all of a span: its events, links and status too. Reuses the lists of `span`.
 * 0, -EBADMSG, or the arena's error.
 */
int span_read(const struct field *field, unsigned depth, struct arena *arena, struct span *span);

/* A trace id of 16 and a span id of 8 bytes, neither all zero. */
bool span_has_ids(const struct span *span);

/* Whether it begins its trace: it has no parent, or one of zeros, as some senders write none. */
bool span_is_root(const struct span *span);

/* The same of a span's bytes, quickly: it reads on only to a parent. What is malformed may pass for a root. */
bool span_bytes_are_root(struct bytes span);

/* The attributes of an event of a span that was read. */
int span_event_attributes(
	const struct span_event *event, struct arena *arena, struct attributes *attributes);

/* Resource and InstrumentationScope: attributes are field 1 and 3 there. */
int resource_read(
	struct bytes resource, unsigned depth, struct arena *arena, struct attributes *attributes);

struct scope {
	struct bytes name, version; /* empty when it says none */
};
int scope_read(struct bytes message, unsigned depth, struct arena *arena, struct scope *ret_scope,
	struct attributes *attributes);

#endif
