/*
 * What is written into a settings file that is JSON: values of members, and our command at events of its
 * hooks, which Claude Code, Codex and Gemini write alike:
 *
 *   {"hooks": {EVENT: [{"hooks": [{"type": "command", "command": "tollgate hook CLI"}]}]}}
 */
#ifndef TG_TOOLS_JSON_SETTINGS_H
#define TG_TOOLS_JSON_SETTINGS_H

#include "tools/tool.h"

/* When a member gets its value; what is not wished gets `off`, where anything else is said. */
enum part {
	PART_ALWAYS,
	PART_DEFAULT, /* unless a person said something else */
	PART_CONTENT, /* wish->has_content */
	PART_SPANS,   /* wish->has_spans */
	PART_NEVER,
};

struct json_setting {
	const char *object, *name; /* {"env": {"OTEL_LOGS_EXPORTER": ...}} */
	enum part part;
	const char *value;     /* JSON; NULL: the URL */
	const char *off;       /* JSON; NULL where it is always wished */
	bool is_on_by_default; /* so `off` has to be said where nothing is */
};

struct json_settings {
	const struct json_setting *rows; /* ends with a row without name; NULL: none */
	const char *const *events;       /* ends with NULL */
	const char *cli;                 /* "claude-code" */
};

/* As `add` and `remove` of struct tool_file. Comments are kept. */
int json_settings_add(const struct json_settings *settings, const struct wish *wish,
	struct bytes text, struct buf *out, struct complaint *complaint);
int json_settings_remove(const struct json_settings *settings, const char *url, struct bytes text,
	struct bytes before, struct buf *out, struct complaint *complaint);

/* Whether a hook's command is ours, however it is written: for those who look. */
bool json_settings_is_hook(const char *command, const char *cli);

#endif
