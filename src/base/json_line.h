/* On which line of a JSON text a value starts. jansson keeps no positions, so the text is walked once more. */
#ifndef TG_BASE_JSON_LINE_H
#define TG_BASE_JSON_LINE_H

#include "base/bytes.h"

/* One level deeper: into an object by key, or into an array by index where the key is NULL. */
struct json_step {
	const char *key;
	size_t index;
};

/*
 * Counted from 1; of the innermost value on the way that the text has. The text is known to be JSON. Keys
 * that are written with escapes are not found.
 */
int json_line(struct bytes text, const struct json_step *steps, size_t count);

#endif
