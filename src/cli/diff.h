/* What `diff -u` prints: how a file would change, for people and for `patch`. */
#ifndef TG_CLI_DIFF_H
#define TG_CLI_DIFF_H

#include "cli/terminal.h"

/*
 * Appends the change from one text to another, three lines of context around each; nothing when they are equal.
 * Of texts that have very little in common all of one is replaced by all of the other.
 *
 *   terminal  makes the lines fit to be shown; NULL: they stay as they are
 *   before    "/dev/null" with an empty text: a new file
 */
void diff_put(const struct terminal *terminal, struct buf *out, const char *before_name,
	struct bytes before, const char *after_name, struct bytes after);

#endif
