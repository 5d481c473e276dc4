/* What a log record or a span says, by attribute name: dialects read through these. */
#ifndef TG_DIALECTS_SAYING_H
#define TG_DIALECTS_SAYING_H

#include <jansson.h>

#include "otlp/span.h"

/* The text, or empty: not there, or no string. */
struct bytes said_text(const struct attributes *attributes, const char *name);

/* Whether the attribute is there with a value, of whatever type. */
bool is_there(const struct attributes *attributes, const char *name);

/* A count, also one that was sent as text or as a double. False when it is none. */
bool said_count(const struct attributes *attributes, const char *name, uint64_t *ret_count);

/* As said_count; 0 when it is none. */
uint64_t said_count_or_0(const struct attributes *attributes, const char *name);

/* Milliseconds, with a fraction or not, as a number or as text, in ns. False when it is none. */
bool said_ms(const struct attributes *attributes, const char *name, uint64_t *ret_ns);

/* A number of any kind, not NaN and not infinite. */
bool said_number(const struct attributes *attributes, const char *name, double *ret_number);

/* true, "true": 1; false, "false": 0; else -1. */
int said_flag(const struct attributes *attributes, const char *name);

/*
 * JSON from a sender as a tree, to be given back with json_decref. Half a surrogate pair, which a text
 * cut in JavaScript ends with, is U+FFFD. NULL: it is none, or deeper than max_depth, or of so many
 * values that its tree would take more than some fifty megabytes.
 */
json_t *json_of_text(struct bytes text, unsigned max_depth, struct arena *arena);

/* A member of a hook's payload: its text, or empty. It lives as long as the payload. */
struct bytes member_text(const json_t *object, const char *name);

/* A member as text in the arena: a string as it is, else its JSON with keys in order. */
struct bytes member_as_text(const json_t *object, const char *name, struct arena *arena);

/* The same with keys as they were sent: what people read. */
struct bytes member_as_sent(const json_t *object, const char *name, struct arena *arena);

/* Equal inputs as equal texts: keys in order and no blanks; what is no JSON as it is. */
struct bytes canonical_json(struct bytes text, struct arena *arena);

/* A text of the payload, copied to the arena. */
struct bytes kept_text(struct bytes text, struct arena *arena);

#endif
