/*
 * Reads JSON strictly: the members of an object are named once, as rows; what is missing, of another
 * type, or not named there is refused in words that say where it stands.
 */
#ifndef TG_PRICING_FIELDS_H
#define TG_PRICING_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/complaint.h"

/* Where a value stands, as a chain up to the document, which alone has complaint and text. */
struct place {
	const struct place *within;
	const char *key;  /* of an object; NULL for an item of an array */
	const char *item; /* what to call the item; NULL to call it by its index */
	size_t index;
	struct complaint *complaint;
	struct bytes text; /* of the document, for line numbers */
};

enum member_type { A_STRING, A_STRING_OR_NULL, AN_INTEGER, A_BOOLEAN, AN_OBJECT, AN_ARRAY };

struct member {
	const char *name; /* NULL ends the rows */
	enum member_type type;
	bool is_required;
};

/*
 * Both return -EINVAL with a complaint: "models[gpt-5].periods[1].prices: unknown key 'inptu'", and the
 * line of the innermost part of that path that the document has.
 */
int refuse_at(const struct place *place, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int check_members(const json_t *object, const struct member *members, const struct place *place);

/* "unknown key '...'" of the object at `place`. */
int refuse_key(const struct place *place, const char *key);

/* The start of a day that is written "2026-11-20". */
int read_date(const char *text, const struct place *place, uint64_t *ret_start_ns);

/* The same for a value that is no member of a row: an item, or the value of a free name. */
int check_type(const json_t *value, enum member_type type, const struct place *place);

/* A string member that has to hold one of `words`, which NULL ends. */
int check_word(
	const json_t *object, const char *key, const char *const *words, const struct place *place);

/* A string member that has to hold a day, if it is there. */
int check_date(const json_t *object, const char *key, const struct place *within);

/* A place one level deeper; for loops over what check_members has passed. */
static inline struct place place_key(const struct place *within, const char *key)
{
	return (struct place){ .within = within, .key = key };
}

static inline struct place place_item(const struct place *within, size_t index)
{
	return (struct place){ .within = within, .index = index };
}

#endif
