/*
 * A JSON settings file that is edited as text, because it belongs to a person: all that is not edited keeps
 * every byte, and what is new is laid out as its neighbours are, with their indentation and line ends. Comments
 * and a byte order mark are allowed, as the CLIs allow them.
 *
 * What json_text_remove takes out leaves the text as it was before json_text_set or json_text_append put it in.
 */
#ifndef TG_TOOLS_JSON_TEXT_H
#define TG_TOOLS_JSON_TEXT_H

#include <jansson.h>

#include "base/buf.h"
#include "base/complaint.h"
#include "base/json_line.h"

enum { JSON_TEXT_MAX_BYTES = 1 << 20 };

/* A way into it is a row of steps, as json_line takes them; of several members of a name the last is meant. */
struct json_text {
	struct bytes given;
	struct buf text;
	struct buf plain; /* the same, with blanks in place of comments and the mark */
	struct complaint *complaint;
	int error; /* -EINVAL after the first complaint: later edits do nothing */
};

/*
 * Nothing but blanks is a text without a value: the first edit makes an object in it.
 *
 *   text       has to stay until it is closed
 *   complaint  gets what is wrong with the text now, and with edits later
 *
 * 0, or -EINVAL: not well formed, too long, or nested more than 512 deep.
 */
int json_text_open(struct json_text *json, struct bytes text, struct complaint *complaint);
void json_text_close(struct json_text *json);

/* The value as it is written; false when there is none. Valid until the next edit. */
bool json_text_find(const struct json_text *json, const struct json_step *steps, size_t count,
	struct bytes *ret_value);

/* All of it as a tree, a new reference; NULL without a value, and without memory. */
json_t *json_text_tree(const struct json_text *json);

/*
 * Puts a value in the place of the one that is there, or makes the member, with objects around it where there are none.
 *
 *   value  JSON without blanks, which are put where its neighbours have them
 */
void json_text_set(
	struct json_text *json, const struct json_step *steps, size_t count, const char *value);

/* Puts a value in the place of the one that is there, as it is written. */
void json_text_replace(
	struct json_text *json, const struct json_step *steps, size_t count, struct bytes value);

/* Puts a value behind the last of an array, which is made when it is not there. */
void json_text_append(
	struct json_text *json, const struct json_step *steps, size_t count, const char *value);

/*
 * Takes out the value, and what it leaves empty around it unless that was there before; an object or array
 * that was empty before is written as it was then.
 */
void json_text_remove(struct json_text *json, const struct json_step *steps, size_t count,
	const struct json_text *before);

#endif
