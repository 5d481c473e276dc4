/*
 * What the standard output can show, and text that fits there.
 *
 * Names and prompts are what a sender wrote: on their way to a terminal they lose whatever it would obey
 * or could not count the columns of. Everything that is printed for people goes through terminal_put.
 */
#ifndef TG_CLI_TERMINAL_H
#define TG_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct terminal {
	size_t width; /* columns */
	bool has_colours;
	bool has_unicode; /* else nothing but ASCII is printed */
};

/* Of this process's output and environment; takes the locale's character type on. */
struct terminal terminal_of_stdout(void);

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_RED,
	STYLE_GREEN,
	STYLE_YELLOW,
	STYLE_BLUE,
	STYLE_MAGENTA,
	STYLE_CYAN,
};

/* How many columns the text takes on one line. */
size_t terminal_columns(const struct terminal *terminal, struct bytes text);

/* The beginning of the text that fits, up to the end of its line. */
struct bytes terminal_fit(const struct terminal *terminal, struct bytes text, size_t columns);

/* Appends the text, cut with "…" where it needs more columns. Returns how many it took. */
size_t terminal_put(const struct terminal *terminal, struct buf *out, enum style style,
	struct bytes text, size_t columns);

/*
 * Appends the text and a newline, in lines that are broken between words.
 *
 *   indent  blanks before all lines but the first
 */
void terminal_put_words(const struct terminal *terminal, struct buf *out, enum style style,
	struct bytes text, size_t indent);

/* "…", a dot between figures, and the sign of what is a least amount, or their likes in ASCII. */
const char *terminal_ellipsis(const struct terminal *terminal);
const char *terminal_separator(const struct terminal *terminal);
const char *terminal_at_least(const struct terminal *terminal);

#endif
