/* Tokens by bucket, as the daemon's answers count them in "usage", in words for people. */
#ifndef TG_CLI_TOKENS_H
#define TG_CLI_TOKENS_H

#include <jansson.h>

#include "cli/terminal.h"

/* The buckets with words of their own, in the order in which they are shown; ends with a NULL key. */
struct bucket {
	const char *key;
	const char *words;
};
extern const struct bucket buckets[];

/* Whether a key of "usage" is one of those, or "total". */
bool tokens_are_named(const char *key);

/* Appends "in 1,234 · cache read 5,000 · out 300"; nothing when there are none. */
void tokens_append(const struct terminal *terminal, struct buf *text, const json_t *usage);

/* All buckets together, also where "usage" says no total. */
uint64_t tokens_total(const json_t *usage);

/* Adds each bucket of `usage` to `sums`, which is an object. */
void tokens_add(json_t *sums, const json_t *usage);

#endif
