/*
 * What people read: names of spans and traces. They say what was done and are no identity.
 *
 * All are in the arena, or empty on its error. Characters that end a line, or that no line has, are blanks in them.
 */
#ifndef TG_SYNTHESIZE_NAMES_H
#define TG_SYNTHESIZE_NAMES_H

#include "base/arena.h"
#include "event.h"

/* The first characters of a text on one line, with "…" behind them when there are more. */
struct bytes name_preview(struct bytes text, size_t max_chars, struct arena *arena);

/* "Turn #2: Please run echo hi"; "Turn #2" without a preview. */
struct bytes name_of_turn(unsigned number, struct bytes preview, struct arena *arena);

/* "project #2: Please run echo hi" */
struct bytes name_of_trace(
	struct bytes project, unsigned number, struct bytes preview, struct arena *arena);

/* "<before><text>" of one of the two kinds that are but a prefix: "Subagent: Explore", "Command: /exit". */
struct bytes name_of(const char *before, struct bytes text, struct arena *arena);

/* "LLM Call: claude-opus-5-5 (10252→126 tokens)", "LLM Call: gpt-5.5 (error 529)" */
struct bytes name_of_call(const struct event *said, struct arena *arena);

/* "Read file: notes.txt", "Execute command: git", "Tool: calendar": by the names that the CLIs' tools have. */
struct bytes name_of_tool(struct bytes tool, struct bytes input, struct arena *arena);

/* Whether a tool of this name starts a subagent. */
bool tool_starts_agents(struct bytes tool);

/* The task of a subagent, from the input of the tool that starts it; all of that when it names none. */
struct bytes task_of_input(struct bytes input, struct arena *arena);

/* What it calls the subagent; empty: nothing. */
struct bytes agent_of_input(struct bytes input, struct arena *arena);

/*
 * What of one of these names is nobody's words: "Turn #2", "project #2", "Execute command", and all of what
 * names a model, a tool, a kind of agent or a command.
 */
struct bytes name_without_content(struct bytes name);

/* The parts one behind the other. */
struct bytes name_join(const struct bytes *parts, size_t count, struct arena *arena);

/* The last part of a path. */
struct bytes last_part(struct bytes path);

#endif
