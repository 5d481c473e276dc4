/*
 * TOML, read where it stands: a text is walked item by item, and each item is the lines that it takes. Nothing is
 * copied or allocated, so an editor can pass on what it does not know byte for byte.
 *
 * Checked is all that tells where a key, a value or a comment begins and ends. Whether a key is said twice, or a
 * number is one, is for the program that the file belongs to.
 *
 * Source: TOML 1.0.0; line ends, comments and a last comma in inline tables, \e and \xHH of TOML 1.1.0.
 */
#ifndef TG_TOOLS_TOML_H
#define TG_TOOLS_TOML_H

#include "base/buf.h"
#include "base/complaint.h"

enum {
	TOML_MAX_BYTES = 1 << 20,
	TOML_MAX_DEPTH = 64, /* of values in values */
	TOML_PATH_MAX = 256, /* longer paths are cut */
};

enum toml_kind { TOML_BLANK, TOML_COMMENT, TOML_TABLE, TOML_TABLE_ARRAY, TOML_PAIR };

/*
 * Paths are keys without quotes and escapes, with dots between; a key that needs its quotes is "?" there, which is
 * no key.
 */
struct toml_item {
	enum toml_kind kind;
	struct bytes text;    /* whole lines, with the last one's end if it has one */
	struct bytes value;   /* of a pair, as written */
	struct bytes comment; /* from its # on; or empty */
	char table
		[TOML_PATH_MAX];  /* in which a pair stands; a head's own; empty before the first */
	char path[TOML_PATH_MAX]; /* of a pair or a head */
};

struct toml_walk {
	const uint8_t *at, *end;
	char table[TOML_PATH_MAX];
};

/* 0, or -EINVAL with a line and words. All that follows takes texts that this took. */
int toml_check(struct bytes text, struct complaint *complaint);

/* The byte order mark that the text begins with, which belongs to no item; or nothing. */
struct bytes toml_mark(struct bytes text);

struct toml_walk toml_begin(struct bytes text);
/* False at the end. The items' texts, end to end, are the text behind its mark. */
bool toml_next(struct toml_walk *walk, struct toml_item *ret_item);

/* Sets the complaint's line to that of `at`, and returns -EINVAL with it. */
int toml_complain(struct complaint *complaint, struct bytes text, const uint8_t *at,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What of a path stands below `top`: empty when they are equal, NULL when it is not below it. */
const char *toml_below(const char *path, const char *top);

/* The value that has this path, in whichever way the tables around it are written. */
bool toml_find(struct bytes text, const char *path, struct bytes *ret_value);

/* Appends what a string means. False: the value is none. */
bool toml_string(struct bytes value, struct buf *out);

/* What is left of an array. */
struct toml_list {
	const uint8_t *at, *end;
};

/* False: the value is no array. */
bool toml_list_begin(struct bytes value, struct toml_list *ret_list);
/* The next value, as written. False at the end. */
bool toml_list_next(struct toml_list *list, struct bytes *ret_value);

#endif
