/*
 * What the spans of one session are: a pure function of the events that are known of it.
 *
 * Nothing here depends on the order in which events came, on the clock or on chance, so that any order, a
 * replay and a restart lead to the same spans. When something is sent is not decided here (session.h).
 */
#ifndef TG_SYNTHESIZE_PLAN_H
#define TG_SYNTHESIZE_PLAN_H

#include "base/arena.h"
#include "event.h"

enum trace_scope { TRACE_PER_TURN, TRACE_PER_SESSION };

/* One event as a session holds it: the texts are its own. */
struct held {
	struct event event;
	uint64_t received_ns; /* when it came to the door, Unix time */
	uint64_t sequence;    /* of the stored record that it came in */
};

/*
 * The order of events: by time, then so that equal times have one order as well, whatever came first (kind,
 * keys, texts). Events that are equal in all of it are one event that came twice. As for qsort, of two held.
 */
int held_compare(const struct held *a, const struct held *b);

/* A turn that is over and whose events are gone. */
struct past_turn {
	struct bytes key; /* as of struct planned_turn */
	unsigned number;
	uint64_t start_ns;
};

struct plan_question {
	const struct cli *cli;
	struct bytes session; /* empty: unknown, and then the events are of one turn key */
	struct bytes project; /* last part of the directory that it works in; empty: unknown */
	const struct held *const *held; /* in order, each once */
	size_t held_count;
	const struct past_turn *past; /* by number */
	size_t past_count;
	unsigned last_number; /* of the turns that are over, 0 before the first */
	enum trace_scope scope;
	size_t preview_chars; /* of a prompt in names */
	/*
	 * What the source of the session is known to send: nothing else is missed by a unit. Spans are those that
	 * are the trace (NATIVE_COMPLETE): with them, ids of logs name spans of the CLI.
	 */
	bool has_logs, has_spans, has_hooks;
};

/* Why a turn is over, the first that holds. */
enum turn_end {
	TURN_IS_OPEN,
	TURN_STOPPED,     /* its stop hook, notify or AfterAgent came, or its native span */
	TURN_NEXT_PROMPT, /* the next prompt came */
	TURN_SESSION_END,
};

/* Sums over a turn's calls and tools, its subagents' too. */
struct turn_figures {
	uint64_t calls, tools, errors, agents;
	struct tokens tokens;
	uint64_t priced,
		unpriced;   /* calls that used tokens, with and without a cost of the CLI's own */
	__int128 cost_fusd; /* those together; usd.h */
	uint64_t first_call_ns;
};

struct planned_turn {
	struct bytes key; /* the CLI's own, or "@" and the prompt's time in ns: identity */
	unsigned number;  /* from 1; 0: no turn (what came before the first prompt, a command) */
	bool is_past;     /* known as past_turn: this is what came late */
	bool is_nothing; /* a command without a call (/exit), or what came before the first prompt: no span */
	uint64_t start_ns, end_ns;
	uint64_t received_ns; /* the latest arrival of what belongs to it, signals too */
	enum turn_end end;    /* what closes it by the events that are known and when they came */
	enum turn_end reason; /* what is told of that, whatever came first */
	uint64_t end_received_ns; /* when that came */
	bool is_busy;       /* a call, a tool or an agent is open, or another call must follow */
	bool has_hooks;     /* signals of this session have come */
	enum ending ending; /* with `why`: a turn that failed, was rejected or interrupted */
	struct bytes why;
	struct bytes name;       /* "Turn #2: Please run echo hi" */
	struct bytes trace_name; /* "project #2: Please run echo hi" */
	const struct held *prompt;
	struct said input, output;
	struct turn_figures figures;
	uint8_t trace_id[16];
};

enum unit_kind { UNIT_SESSION, UNIT_TURN, UNIT_CALL, UNIT_TOOL, UNIT_AGENT, UNIT_NATIVE };

struct unit_link {
	const char *type; /* "produced_by_llm", "consumes_tool_result", "parent_task" */
	uint8_t trace_id[16], span_id[8];
	struct bytes tool; /* gen_ai.tool.call.id of the link; may be empty */
};

/* One span to be. */
struct unit {
	enum unit_kind kind;
	size_t turn; /* index in plan->turns, of a side call too; SIZE_MAX of the session's */
	uint8_t trace_id[16], span_id[8], parent_id[8];
	bool has_parent;
	uint64_t start_ns, end_ns;
	uint64_t first_token_ns; /* Unix time; 0: unknown */
	struct bytes name;
	struct bytes trace_name;
	const struct event *native; /* the span that is completed; NULL: it is synthesized */
	/* What is known of it, merged from all of its events; for UNIT_TURN and UNIT_SESSION see the turn. */
	struct event said;
	struct unit_link *links;
	size_t link_count;
	bool has_log, has_span, has_hook; /* which kinds of events said something of it */
	bool is_complete; /* nothing is missing that the same source sends for others of its kind */
	bool is_open; /* began and has not ended: goes out when its turn is over, as it is planned here */
	uint64_t received_ns;        /* the latest arrival of its events */
	uint64_t sequence;           /* the first record that it needs */
	struct turn_figures figures; /* of UNIT_AGENT: of what it did */
	bool is_late;                /* of a past turn */
};

struct plan {
	struct planned_turn *turns; /* by start; number 0, if there, first */
	size_t turn_count;
	struct unit *units; /* parents before children where both are here */
	size_t unit_count;
	/* By index of plan_question.held: the unit each event went into, SIZE_MAX for none; for logs that travel on. */
	size_t *unit_of;
	size_t *turn_of;
};

/* In the arena. 0, or the arena's error. */
int plan_make(const struct plan_question *question, struct arena *arena, struct plan *ret_plan);

#endif
