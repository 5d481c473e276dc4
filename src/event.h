/*
 * What a coding agent did, in no CLI's words. A dialect makes events of log records, hooks and native
 * spans; the synthesizer makes spans of events and knows no CLI.
 *
 * All texts are ranges that somebody else owns; an empty one was not said.
 */
#ifndef TG_EVENT_H
#define TG_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Whose words they were. */
struct cli {
	const char *name;     /* "claude-code": in paths, ids and JSON */
	const char *title;    /* "Claude Code": in the names of spans */
	const char *system;   /* gen_ai.system: "anthropic" */
	const char *provider; /* gen_ai.provider.name: "anthropic" */
};

enum event_kind {
	/* What has a time, from the CLI's own clock. */
	EVENT_SESSION, /* a session or a thread begins, or goes on in another process */
	EVENT_PROMPT,  /* a person's words; a turn begins */
	/* A prompt that no person wrote: goes on with the turn of `agent`, or of `tool` if that is none. */
	EVENT_CONTINUATION,
	EVENT_CALL_BEGIN, /* a model call began; the next EVENT_CALL of its thread without a duration ends it */
	EVENT_CALL, /* a model call ended */
	EVENT_ANSWER, /* what the call `call` answered; without that, the last of its thread before it */
	EVENT_TOOL_BEGIN,  /* a tool call was allowed or denied, and runs if it was allowed */
	EVENT_TOOL,        /* a tool call ended */
	EVENT_AGENT_BEGIN, /* a subagent began */
	EVENT_AGENT,       /* a subagent ended */
	EVENT_COMPACTION,
	EVENT_SPAN, /* a span that the CLI wrote itself */

	/* Signals: they say that something is so, and never when. time_ns is 0. */
	EVENT_PLACE, /* where a session works: `text` is the directory */
	/* `turn` is that of the prompt `text`; with `agent` no person's: it goes on with that one's turn */
	EVENT_PROMPT_NAMED,
	/*
	 * Input or output of the tool call `tool`; without that, of the last one with this name and input that began
	 * before said_ns, or of the only one.
	 */
	EVENT_TOOL_SAID,
	EVENT_AGENT_NAMED, /* `agent` was started by the tool call `tool`; or `output` is what it answered */
	/* The turn `turn` is over, or the one of the prompt `text`; `output` is the last answer. Of an agent: its alone. */
	EVENT_TURN_END,
	EVENT_WAITING, /* for a person's permission (`name` is the tool), or for their next words (no name) */
	EVENT_SESSION_END,
};

/* What became of a call, a tool, an agent or a turn. */
enum ending { ENDING_OK, ENDING_FAILED, ENDING_REJECTED, ENDING_INTERRUPTED };

/* What a text is when it is not simply there. */
struct said {
	struct bytes text;
	const char *
		mark; /* it was withheld: "redacted by Claude Code, set OTEL_LOG_USER_PROMPTS=1"; else NULL */
};

/* Tokens of one model call, disjoint but for the two that are marked. What is not said is 0. */
struct tokens {
	bool are_said;
	uint64_t input; /* neither read from a cache nor written to one */
	uint64_t cache_read;
	uint64_t cache_write; /* all of it; the next two are parts of it, where the CLI says them */
	uint64_t cache_write_5m, cache_write_1h;
	bool has_cache_lives;
	uint64_t output;    /* all of it */
	uint64_t reasoning; /* a part of output */
};

/* What role a native span plays. */
enum role { ROLE_OTHER, ROLE_TURN, ROLE_CALL, ROLE_TOOL, ROLE_EXECUTION, ROLE_WAIT };

struct native_span {
	enum role role;
	struct bytes resource, scope; /* encoded messages; empty when there is none */
	struct bytes span;            /* the encoded Span */
	struct bytes name;
	struct bytes trace_id, span_id, parent_id; /* 16, 8 and 8 or 0 bytes */
	uint64_t start_ns, end_ns;
};

struct event {
	enum event_kind kind;
	const struct cli *cli;

	struct bytes
		session; /* or thread: EVENT_AGENT_BEGIN says which thread belongs to which session */
	struct bytes turn; /* the CLI's own key of the turn; empty where it has none */
	struct bytes
		agent; /* the subagent that did it, or that it is about; empty: the main agent */
	struct bytes
		parent_agent; /* of EVENT_AGENT_BEGIN and EVENT_AGENT: who started it, where that is said */
	struct bytes
		started_agent; /* of EVENT_TOOL: the subagent that it started, where that is said */
	struct bytes
		thread; /* calls of one thread follow each other; pairs EVENT_CALL_BEGIN and EVENT_CALL */
	struct bytes call; /* key of the model call; of a tool: the call that asked for it */
	struct bytes tool; /* key of the tool call */
	struct bytes user; /* who works, where that is said */
	struct bytes trace_id, span_id; /* of the log record; empty when it has none */

	uint64_t time_ns; /* when; of what ends, its end */
	uint64_t turn_ns; /* a signal's: when `turn` began, where its key says so; 0: not said */
	uint64_t said_ns; /* a signal's: when the CLI said it, by its own clock; 0: not told */
	uint64_t duration_ns; /* of what ends; 0 with has_duration false: not said */
	bool has_duration;
	/* From the start of the call; of one that ends an EVENT_CALL_BEGIN, to be added to what that said. 0: not said. */
	uint64_t first_token_ns;
	uint64_t wait_ns;  /* for a permission; 0: not said */
	bool is_by_person; /* a person allowed or denied the tool call, no rule */

	struct bytes model;
	struct bytes
		name; /* of the tool, the agent's type, or the command that a prompt is ("compact") */
	struct bytes
		side; /* "title", "summary", "compact": a call or a session that belongs to no turn */
	bool may_be_side; /* a session that looks like one; its time beside another session's prompt tells */
	struct said text;     /* the prompt */
	uint64_t text_length; /* of the prompt as the CLI counts it, withheld or not; 0: not said */
	struct said input;    /* of a call or a tool */
	struct said output;   /* of a call, a tool, an agent or a turn */
	bool is_wordless; /* the output of a call is which functions it calls: nobody's answer */
	/* An agent that works beside who started it; of EVENT_TURN_END: there are such, or commands. */
	bool is_background;

	struct tokens tokens;
	double cost_usd; /* the CLI's own figure */
	bool has_cost;
	struct bytes tier; /* service tier or speed, as sent; empty for the normal one */
	enum ending ending;
	struct bytes error;      /* words on an ending that is not OK */
	struct bytes error_type; /* the CLI's short word for it: "ShellError" */
	uint64_t status_code;    /* HTTP; 0: not said */
	uint64_t attempts;       /* that the call took; 0: not said */
	bool has_exit_code;
	int64_t exit_code;

	struct native_span native; /* of EVENT_SPAN */

	size_t item; /* of its request: which log record or span said it, from 0 */
};

#endif
