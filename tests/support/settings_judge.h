/* What has to hold for every text of a tool's settings file, whatever it is. */
#ifndef TG_TESTS_SUPPORT_SETTINGS_JUDGE_H
#define TG_TESTS_SUPPORT_SETTINGS_JUDGE_H

#include "tools/tool.h"

/*
 * Adding twice is adding once; removing what was added gives the text before it, if that had nothing of ours;
 * whoever refuses says why and writes nothing.
 *
 *   ret_was_taken  whether the file was understood; may be NULL
 *
 * NULL, or which of these is broken.
 */
const char *settings_judge(const struct tool_file *file, const struct wish *wish, struct bytes text,
	bool *ret_was_taken);

#endif
