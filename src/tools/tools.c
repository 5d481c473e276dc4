#include "tools/tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/environment.h"

const struct tool *const tools[] = {
	&tool_claude_code,
	&tool_codex,
	&tool_gemini,
	&tool_langfuse_sdk,
	NULL,
};

const struct tool *tool_named(const char *name)
{
	for (const struct tool *const *tool = tools; *tool; tool++)
		if (strcmp((*tool)->name, name) == 0)
			return *tool;
	return NULL;
}

int tool_directory(const struct tool *tool, const struct home *home, char path[TOOL_PATH_MAX])
{
	const char *named = tool->directory_variable ?
		environment_value(home->environment, tool->directory_variable) :
		NULL;
	int len = named ? snprintf(path, TOOL_PATH_MAX, "%s", named) :
		!tool->directory[0] ?
			  snprintf(path, TOOL_PATH_MAX, "%s", home->place) :
			  snprintf(path, TOOL_PATH_MAX, "%s/%s", home->path, tool->directory);
	return len < TOOL_PATH_MAX ? 0 : -ENAMETOOLONG;
}

int tool_path(const struct tool *tool, const struct home *home, const struct tool_file *file,
	char path[TOOL_PATH_MAX])
{
	if (tool_directory(tool, home, path) < 0)
		return -ENAMETOOLONG;
	size_t len = strlen(path), room = TOOL_PATH_MAX - len;
	return snprintf(path + len, room, "/%s", file->path) < (int)room ? 0 : -ENAMETOOLONG;
}

bool tool_is_used(const struct tool *tool, const struct home *home)
{
	char path[TOOL_PATH_MAX];
	int error = tool->directory[0] ? tool_directory(tool, home, path) :
					 tool_path(tool, home, &tool->files[0], path);
	return !error && access(path, F_OK) == 0;
}
