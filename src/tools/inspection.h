/* What inspections of several tools ask. */
#ifndef TG_TOOLS_INSPECTION_H
#define TG_TOOLS_INSPECTION_H

#include <jansson.h>

#include "tools/tool.h"

/*
 * The text of the file of that index of a tool's; a file that is not there is empty. 0 or negative errno.
 *
 *   ret_path  also when it cannot be read
 */
int inspection_read(const struct tool *tool, size_t file, const struct home *home,
	char ret_path[TOOL_PATH_MAX], struct buf *text);

/*
 * A file of a tool's settings as a tree. False: it cannot be read, which is added to the findings.
 *
 *   ret_tree  a new reference; NULL where there is no file
 */
bool inspection_read_json(
	const struct tool *tool, const char *path, struct findings *findings, json_t **ret_tree);

/*   complaint  without words: the error says it */
void inspection_add_unreadable(struct findings *findings, const char *about, const char *path,
	int error, const struct complaint *complaint);

/* Whether two URLs lead to the same door, whatever their paths are. All names of loopback are one. */
bool inspection_meets(const char *url, const char *other);

/* Adds FINDING_ENDPOINT_ELSEWHERE, without what an endpoint may have in it beside host and port. */
void inspection_add_elsewhere(struct findings *findings, const char *about, const char *what,
	const char *endpoint, const char *url, const char *mend);

/*
 * Appends the program that a CLI's hooks at an event run for us, of a hook that posts by itself nothing. False: none is
 * ours.
 */
bool inspection_hook_at(
	const json_t *settings, const char *event, const char *cli, struct buf *program);

/* Appends the program of the first command of a CLI's hooks (json_settings.h) that is ours. False: none is. */
bool inspection_find_hook(const json_t *settings, const char *cli, struct buf *program);

/* Whether there is that program; also where only a shell could tell, and when there is no need of one. */
bool inspection_can_run(const struct home *home, struct bytes program);

/* `inspect` of those whose settings take more than a page, and the events that their hooks are for; these end with NULL. */
void claude_code_inspect(
	const struct home *home, const char *url, struct findings *findings, bool *ret_is_on);
void gemini_inspect(
	const struct home *home, const char *url, struct findings *findings, bool *ret_is_on);
extern const char *const claude_code_events[], *const gemini_events[];

#endif
