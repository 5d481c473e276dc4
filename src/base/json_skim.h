/*
 * Whether a text is JSON, without building anything from it.
 *
 * Enrichment has to say for every prompt and answer whether it is JSON; parsing each into a tree for that
 * would cost more than all the rest of the way. Whoever wants the values uses jansson.
 */
#ifndef TG_BASE_JSON_SKIM_H
#define TG_BASE_JSON_SKIM_H

#include "base/bytes.h"

/* One well-formed object or array, at most 512 levels deep, with nothing but blanks around it. */
bool json_is_container(struct bytes text);
/* The same, and an array or an object. */
bool json_is_array(struct bytes text);
bool json_is_object(struct bytes text);

/*
 * The number that a member of an object has, as it is written; of several of that name the last. The text
 * has to be well formed to its end. Names written with escapes are not found.
 */
bool json_find_number(struct bytes text, const char *name, struct bytes *ret_number);

#endif
