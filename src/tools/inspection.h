/* What inspections of several tools ask. */
#ifndef TG_TOOLS_INSPECTION_H
#define TG_TOOLS_INSPECTION_H

#include <jansson.h>

#include "tools/tool.h"

/*
 * The text of one of a tool's files; a file that is not there is empty.
 *
 *   ret_path  also when it cannot be read
 */
int inspection_read(const struct tool *tool, const struct home *home, const struct tool_file *file,
	char ret_path[TOOL_PATH_MAX], struct buf *text);

/* Whether two URLs lead to the same door, whatever their paths are. All names of loopback are one. */
bool inspection_meets(const char *url, const char *other);

/* Adds FINDING_ENDPOINT_ELSEWHERE, without what an endpoint may have in it beside host and port. */
void inspection_add_elsewhere(struct findings *findings, const char *about, const char *what,
	const char *endpoint, const char *url);

/* The first command of a CLI's hooks (json_settings.h) that is ours; NULL: none is. It lives as long as the tree. */
const char *inspection_find_hook(const json_t *settings, const char *cli);

/* Whether the first word of a command can be run by whoever lives in this home; quotes around it are none of it. */
bool inspection_can_run(const struct home *home, const char *command);

#endif
