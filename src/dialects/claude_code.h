/* What the logs, hooks and spans of Claude Code have in common. */
#ifndef TG_DIALECTS_CLAUDE_CODE_H
#define TG_DIALECTS_CLAUDE_CODE_H

#include "dialects/dialect.h"

void claude_code_read_hook(const json_t *payload, struct events *events);
void claude_code_read_span(
	const struct span *span, const struct source *source, struct events *events);

/* The prompt as it was sent, or the mark for "<REDACTED>". */
struct said claude_code_prompt(struct bytes prompt);

/*
 * Whether a prompt is how a background task reports: no person's words.
 *
 *   ret_agent  the task: a subagent, or a command that runs in the background
 *   ret_tool   the tool call that started it; empty when it does not say
 */
bool claude_code_is_notification(
	struct bytes prompt, struct bytes *ret_agent, struct bytes *ret_tool);

/* Of the reason for a call: empty in the main loop and in subagents. */
struct bytes claude_code_side(struct bytes query_source);

struct tokens claude_code_tokens(const struct attributes *attributes);

/* Anything but the normal one. */
struct bytes claude_code_tier(struct bytes speed);

/* Whether the source of a decision was a person's answer, and no rule or hook. */
bool claude_code_is_by_person(struct bytes source);

#endif
