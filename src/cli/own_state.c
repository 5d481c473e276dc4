#include "cli/own_state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

int own_state_directory(const char *home, char directory[PATH_MAX])
{
	const char *state = home ? NULL : getenv("XDG_STATE_HOME");
	bool is_named = state && *state == '/';
	const char *base = is_named ? state : home ? home : getenv("HOME");
	if (!base || *base != '/')
		return -ENOENT;
	int len = snprintf(
		directory, PATH_MAX, "%s%s/tollgate", base, is_named ? "" : "/.local/state");
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}
