/*
 * The settings of the tools that are pointed at Tollgate: what is written there, what is taken out again, and what
 * they say now. One file and one line in tools.c for each tool.
 *
 * Everything works on the text of a settings file, so that what is not ours keeps every byte.
 *
 * Source of names: the settings of Claude Code 2.1.329, Codex 0.169.0, Gemini CLI 0.61.0, exercised or read there;
 * Langfuse's SDKs' environment variables.
 */
#ifndef TG_TOOLS_TOOL_H
#define TG_TOOLS_TOOL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/complaint.h"
#include "findings.h"

enum { TOOL_FILES_MAX = 2, TOOL_PATH_MAX = 4096 };

/* Whose settings: what a shell of that person knows. */
struct home {
	const char *path;         /* $HOME */
	char *const *environment; /* NAME=value, ends with NULL */
	const char *place; /* the working directory, where a tool's settings belong to a project */
};

/* What a person wants. */
struct wish {
	const char *url;     /* of the gateway, without a slash at its end */
	const char *program; /* of hooks: "tollgate" where every shell finds it, else its path */
	bool has_content;    /* prompts, answers, inputs and outputs of tools */
	bool has_spans;      /* the CLI's own spans, where they are of use */
	bool has_hooks;
	const char *hook_url; /* that hooks are told; NULL: they find it by the configuration */
};

struct tool_file {
	const char *path; /* below the tool's directory */

	/*
	 * Appends the text with what is wished. A text that says all that already comes out byte for byte. What a
	 * person's own value is replaced by must be told by comparing the two texts. An empty text is a new file.
	 *
	 * 0, or -EINVAL with a line and words: not well formed, or a value where an object has to be.
	 */
	int (*add)(const struct wish *wish, struct bytes text, struct buf *out,
		struct complaint *complaint);

	/*
	 * Appends the text without what `add` writes, whatever the wish was; what stood at such places before is
	 * put back. Of a person's own, nothing goes. An empty output: the file was ours alone.
	 *
	 *   url     that `add` wrote; NULL when that is not known: whatever looks like one
	 *   before  the text that `add` was given; empty when that is not known
	 */
	int (*remove)(const char *url, struct bytes text, struct bytes before, struct buf *out,
		struct complaint *complaint);
};

struct tool {
	const char *name;               /* "claude-code": on the command line, and of its dialect */
	const char *title;              /* "Claude Code" */
	const char *directory;          /* below the home: ".claude"; empty: home->place */
	const char *directory_variable; /* names another one: "CLAUDE_CONFIG_DIR"; NULL: none */
	/* Directories below that, a pattern, in which each session begins a file; NULL: there are none. */
	const char *sessions;
	struct tool_file files[TOOL_FILES_MAX]; /* ends with a NULL path, or is full */
	const char *after; /* what else to do, a sentence: "Restart ..."; NULL: nothing */

	/*
	 * Adds what its settings and the environment have wrong; nothing when the tool is not used here.
	 *
	 *   url       of the gateway
	 *   ret_is_on whether telemetry is switched on at all
	 */
	void (*inspect)(const struct home *home, const char *url, struct findings *findings,
		bool *ret_is_on);
};

extern const struct tool tool_claude_code, tool_codex, tool_gemini, tool_langfuse_sdk;

/* The table; ends with NULL. */
extern const struct tool *const tools[];

/* NULL: there is none of that name. */
const struct tool *tool_named(const char *name);

/* Where its settings are, and one of the files there. 0, or -ENAMETOOLONG. */
int tool_directory(const struct tool *tool, const struct home *home, char path[TOOL_PATH_MAX]);
int tool_path(const struct tool *tool, const struct home *home, const struct tool_file *file,
	char path[TOOL_PATH_MAX]);

/* Whether the tool's directory is there, or the first of its files where it has no directory of its own. */
bool tool_is_used(const struct tool *tool, const struct home *home);

#endif
