/*
 * One settings file on its way from what it says to what it shall say. What it said before the first change is kept
 * beside it (".before-tollgate"), and is what comes back.
 */
#ifndef TG_CLI_SETUP_EDIT_H
#define TG_CLI_SETUP_EDIT_H

#include <sys/types.h>

#include "cli/setup_record.h"
#include "tools/tool.h"

struct setup_edit {
	const struct tool *tool;
	const struct tool_file *file;
	char path[TOOL_PATH_MAX];
	char target[TOOL_PATH_MAX]; /* where symbolic links lead */
	char backup[TOOL_PATH_MAX];
	mode_t mode;
	bool is_there;
	bool is_known; /* with `mark` */
	bool has_backup;
	struct setup_mark mark;
	struct buf before, after;
	bool is_deletion; /* there shall be no file */
};

/* Reads the file as it is. 0, or -EINVAL with words. */
int setup_edit_open(struct setup_edit *edit, const struct tool *tool, const struct home *home,
	const struct tool_file *file, const struct setup_record *record,
	struct complaint *complaint);
void setup_edit_close(struct setup_edit *edit);

/* What it shall say: with what is wished, or without what is ours. 0, or -EINVAL with words. */
int setup_edit_plan(struct setup_edit *edit, const struct wish *wish, struct complaint *complaint);
int setup_edit_plan_removal(struct setup_edit *edit, struct complaint *complaint);

/* Whether that differs from what it says. */
bool setup_edit_has_change(const struct setup_edit *edit);

/* Whether it can be written here. 0, or -EINVAL with words. */
int setup_edit_check(const struct setup_edit *edit, struct complaint *complaint);

/* Writes it. 0, or -EINVAL with words. */
int setup_edit_apply(struct setup_edit *edit, struct setup_record *record, const char *url,
	struct complaint *complaint);
/* The same, and forgets that anything was written; also when there is nothing to write. */
int setup_edit_undo(
	struct setup_edit *edit, struct setup_record *record, struct complaint *complaint);

#endif
