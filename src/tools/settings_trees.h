/*
 * What a CLI reads its settings from, as trees: the files of a project in the working directory, which win, then the
 * person's own. For those who look.
 */
#ifndef TG_TOOLS_SETTINGS_TREES_H
#define TG_TOOLS_SETTINGS_TREES_H

#include <jansson.h>

#include "tools/tool.h"

enum { SETTINGS_TREES_MAX = 3 };

struct settings_trees {
	json_t *at[SETTINGS_TREES_MAX]; /* the one that wins first */
	char paths[SETTINGS_TREES_MAX][TOOL_PATH_MAX];
	size_t count;
};

/*
 *   local  names of files in the directory of the same name in the working directory; ends with NULL
 *
 * False: one of them cannot be read, which is a finding now. settings_trees_done is right after both.
 */
bool settings_trees_read(struct settings_trees *trees, const struct tool *tool,
	const struct home *home, const char *const *local, struct findings *findings);
void settings_trees_done(struct settings_trees *trees);

/*
 * The member of a member, of the first tree that has it; NULL: none has.
 *
 *   ret_path  of its file; may be NULL
 */
const json_t *settings_trees_find(const struct settings_trees *trees, const char *object,
	const char *name, const char **ret_path);

/* Adds what is missing of hooks at these events, and a command of one that cannot be run. */
void settings_trees_inspect_hooks(const struct settings_trees *trees, const struct tool *tool,
	const struct home *home, const char *const *events, struct findings *findings);

#endif
