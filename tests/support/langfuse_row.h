/* Inside of langfuse_rules: one span on its way to becoming a row, and how its attributes are asked. */
#ifndef TG_TESTS_SUPPORT_LANGFUSE_ROW_H
#define TG_TESTS_SUPPORT_LANGFUSE_ROW_H

#include "support/langfuse_rules.h"

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* A span and what it stands in, its attributes as a JSON object: the last of a name wins. */
struct row {
	const Otlp__Span *span;
	const json_t *own, *resource;
	const Otlp__InstrumentationScope *scope; /* or NULL */
	json_t *made;                            /* the observation */
};

/* Takes the reference to the value. */
static inline void row_set(struct row *row, const char *column, json_t *value)
{
	json_object_set_new(row->made, column, value);
}

/* What it is called, whose it is, how it ended and what it read and wrote. */
void row_add_columns(struct row *row);
/* Model, usage and cost; after the columns, for where there is text Langfuse counts it. */
void row_add_figures(struct row *row);

/*
 * Invalid UTF-8 is replaced, as the decoder there does; so is NUL, which a key here cannot hold. To be
 * freed.
 */
char *row_clean(ProtobufCBinaryData bytes);
json_t *row_json_text(ProtobufCBinaryData bytes);
json_t *row_json_attributes(Otlp__KeyValue *const *attributes, size_t count);

/* Missing, null or an empty text. */
bool row_is_empty(const json_t *value);

/* The first of the names that has a value; NULL when none has. */
const json_t *row_first(const json_t *from, const char *const *names);
/* The same where that value is text. */
const char *row_first_text(const json_t *from, const char *const *names);

/* Adds to a count in an object, which begins at 0 and stays below all bounds. */
void row_add_units(json_t *counts, const char *key, const json_t *units);

bool row_is_one_of(const char *key, const char *const *names);

/* Any value as the text that a column holds; a new reference, null for NULL. */
json_t *row_as_text(const json_t *value);

/* What a text says as JSON; NULL when it is none. */
json_t *row_parsed(const json_t *text);

#endif
