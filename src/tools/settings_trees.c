#include "tools/settings_trees.h"

#include <stdio.h>
#include <string.h>

#include "tools/inspection.h"

enum { MEND_MAX = 128, LACKS_MAX = 256, LAME_MAX = 256 };

/* A file that is not there is none. */
static bool add(struct settings_trees *trees, const struct tool *tool, struct findings *findings)
{
	json_t **tree = &trees->at[trees->count];
	*tree = NULL;
	if (!inspection_read_json(tool, trees->paths[trees->count], findings, tree))
		return false;
	trees->count += *tree != NULL;
	return true;
}

bool settings_trees_read(struct settings_trees *trees, const struct tool *tool,
	const struct home *home, const char *const *local, struct findings *findings)
{
	trees->count = 0;
	for (; *local; local++) {
		int len = snprintf(trees->paths[trees->count], TOOL_PATH_MAX, "%s/%s/%s",
			home->place, tool->directory, *local);
		if (len < TOOL_PATH_MAX && !add(trees, tool, findings))
			return false;
	}
	return tool_path(tool, home, &tool->files[0], trees->paths[trees->count]) < 0 ||
		add(trees, tool, findings);
}

void settings_trees_done(struct settings_trees *trees)
{
	while (trees->count)
		json_decref(trees->at[--trees->count]);
}

const json_t *settings_trees_find(const struct settings_trees *trees, const char *object,
	const char *name, const char **ret_path)
{
	for (size_t i = 0; i < trees->count; i++) {
		const json_t *value = json_object_get(json_object_get(trees->at[i], object), name);
		if (value && ret_path)
			*ret_path = trees->paths[i];
		if (value)
			return value;
	}
	return NULL;
}

/* Hooks of all files run. */
static bool find_hook(const struct settings_trees *trees, const char *event,
	const struct tool *tool, struct buf *program)
{
	for (size_t i = 0; i < trees->count; i++)
		if (inspection_hook_at(trees->at[i], event, tool->name, program))
			return true;
	return false;
}

void settings_trees_inspect_hooks(const struct settings_trees *trees, const struct tool *tool,
	const struct home *home, const char *const *events, struct findings *findings)
{
	char lacks[LACKS_MAX] = "", mend[MEND_MAX], lame[LAME_MAX] = "";
	size_t len = 0;
	for (; *events; events++) {
		struct buf program;
		buf_init(&program, TOOL_PATH_MAX, NULL);
		bool is_there = find_hook(trees, *events, tool, &program);
		if (!is_there && len < sizeof lacks)
			len += (size_t)snprintf(
				lacks + len, sizeof lacks - len, "%s%s", len ? ", " : "", *events);
		if (program.len && !inspection_can_run(home, buf_bytes(&program)))
			snprintf(lame, sizeof lame, "%.*s", (int)program.len,
				(const char *)program.at);
		buf_done(&program);
	}
	snprintf(mend, sizeof mend, "tollgate setup %s --apply", tool->name);
	if (len)
		findings_add(findings, FINDING_HOOKS_MISSING, tool->name, mend,
			"No hook runs Tollgate at %s.", lacks);
	if (*lame)
		findings_add(findings, FINDING_HOOK_NOT_FOUND, tool->name, NULL,
			"The program of its hooks, %s, is not there, or not in PATH.", lame);
}
