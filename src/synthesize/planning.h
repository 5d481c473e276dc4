/* What the steps of planning share. plan.c takes them in the order in which they stand here. */
#ifndef TG_SYNTHESIZE_PLANNING_H
#define TG_SYNTHESIZE_PLANNING_H

#include "synthesize/ids.h"
#include "synthesize/lookup.h"
#include "synthesize/plan.h"

/* A subagent that some event names. Indices of events, agents, turns and drafts are NONE where there is none. */
struct agent {
	struct bytes id;
	size_t first;      /* its first event with a time; none: it is only spoken of */
	size_t begin, end; /* EVENT_AGENT_BEGIN, EVENT_AGENT */
	size_t keyed; /* the first of its events that has a key of a turn, those two before others */
	size_t logged;         /* the first of its log records that has ids */
	size_t teller;         /* the EVENT_TOOL that says that it started this one */
	struct bytes tool_key; /* the tool call that started it, where that was said */
	size_t parent;         /* who started it, where that was said */
	uint64_t begin_ns;
	size_t turn;
	size_t tool;  /* draft of the tool call that started it */
	size_t draft; /* its own */
};

/* A turn in the making; its place in the plan is found at the end. */
struct turn_draft {
	struct planned_turn turn;
	size_t prompt; /* event: EVENT_PROMPT, or the native span where there is no such log */
	size_t logged; /* the first log record of the main agent that has ids and is of the prompt's own key */
	size_t native;     /* event: the native span that is the turn */
	size_t last;       /* segment: its last prompt or continuation */
	size_t draft;      /* of its span */
	size_t last_call;  /* draft: the last of the main agent's */
	size_t stop;       /* event: EVENT_TURN_END of its last prompt or continuation */
	size_t other_stop; /* of an earlier one */
	bool has_running;  /* a subagent works on beside it */
	bool asked_tools;  /* the last call did */
	bool has_open;
	size_t rejected; /* draft: a tool call that the last call asked for */
	bool has_work;   /* a call that is no side call, a tool call, a subagent */
};

/* From one prompt or continuation to the next; what has no key belongs to it by time. */
struct segment {
	uint64_t time_ns;
	size_t event; /* NONE: a past turn's */
	size_t turn;  /* NONE: goes on with the turn of the agent */
	size_t agent;
	size_t before,
		next; /* segments of a person: the last up to here, the first from here on; NONE */
};

/* A span in the making. */
struct draft {
	struct unit unit;
	size_t agent;     /* that did it; of UNIT_AGENT: that it is */
	size_t first;     /* event that it was made for */
	size_t asked_by;  /* of a tool: draft of the call */
	size_t parent;    /* draft */
	size_t logged;    /* event: the log record of its end that has ids */
	size_t execution; /* of a tool: draft of the native span that it runs in */
	size_t depth;
	bool has_begin, has_end, is_cut, is_side, is_inner, has_trace, is_on_path, is_settled;
	uint64_t ordinal;  /* among those without keys that are equal in all that makes their ids */
	uint64_t begin_ns; /* of EVENT_CALL_BEGIN, EVENT_TOOL_BEGIN */
};

/* The calls of each agent in each turn, as they began; calls of no turn and side calls are in none. */
struct call_order {
	size_t *at; /* drafts, by turn, agent and begin */
	size_t count;
};

struct planning {
	const struct plan_question *question;
	struct arena *arena;
	struct ids ids;

	struct agent *agents; /* by id */
	size_t agent_count;
	struct lookup agent_ids;

	struct turn_draft *turns; /* those of the past first */
	size_t turn_count, turn_capacity;
	size_t orphans; /* the turn of what belongs to none, or NONE */
	struct lookup turn_keys, continuation_keys, alias_keys;
	struct segment *segments;
	size_t segment_count;
	size_t *continued; /* by event: the agent that a continuation belongs to; NOBODY: it is none */

	bool *is_repeated; /* by event */
	size_t *leader;    /* by event: the first event of its span */
	size_t *said_of;   /* by leader: the EVENT_TOOL_SAID without a key that is about it */
	size_t *cut_by; /* by leader: the beginning of the next call of its thread, which cut it off */
	struct draft *drafts;
	size_t draft_count;
	size_t session;             /* draft of the session's span, or NONE */
	size_t *draft_of, *turn_of; /* by event */
	struct call_order calls;
};

/* Beside NONE, which is a continuation of nobody knows whom. */
#define NOBODY (SIZE_MAX - 1)

static inline const struct event *event_at(const struct planning *planning, size_t i)
{
	return &planning->question->held[i]->event;
}

/* When something began that an event ended; a duration that does not fit is none. */
static inline uint64_t event_start(const struct event *event)
{
	bool fits = event->has_duration && event->duration_ns <= event->time_ns;
	return event->time_ns - (fits ? event->duration_ns : 0);
}

static inline bool is_signal(const struct event *event)
{
	return event->kind >= EVENT_PLACE;
}

/* Who did what an event says; empty: the main agent. */
static inline struct bytes doer_of(const struct event *event)
{
	bool is_about = event->kind == EVENT_CONTINUATION || event->kind == EVENT_PROMPT_NAMED;
	return is_about ? (struct bytes){ 0 } : event->agent;
}

/* The index of an agent of this id, or NONE. */
static inline size_t agent_of(const struct planning *planning, struct bytes id)
{
	return lookup_first(&planning->agent_ids, id);
}

/* NULL where the arena has no room; its error tells. */
void *plan_alloc(struct planning *planning, size_t count, size_t size);
/* The same, all of it NONE. */
size_t *plan_indices(struct planning *planning, size_t count);

/* Each returns with the arena's error set where it could not do its work, and the next must not be called. */
void plan_agents(struct planning *planning);
void plan_turns(struct planning *planning);
void plan_leaders(struct planning *planning);
void plan_drafts(struct planning *planning);
void plan_starters(struct planning *planning);
void plan_askers(struct planning *planning);
void plan_outcomes(struct planning *planning);
void plan_tree(struct planning *planning);
void plan_links(struct planning *planning);

/* Its index, or NONE. */
size_t plan_add_turn(struct planning *planning, const struct planned_turn *turn);

/* A trace and span id as one key; empty when one of them is. */
struct bytes native_place(struct planning *planning, struct bytes trace_id, struct bytes span_id);

/* The turn of an event by its agent, key or time, or NONE. After plan_turns. */
size_t turn_of_event(const struct planning *planning, size_t event);
/* The turn that a signal is about: by its key, by when that began, by the text of its prompt, else the last one. */
size_t turn_of_signal(const struct planning *planning, size_t event);

#endif
