/*
 * Which tool call started which subagent. Best is what was said; then the native span that it ran in; then that
 * both began at one time; their order is the last resort.
 */
#include <stdlib.h>

#include "synthesize/names.h"
#include "synthesize/planning.h"

enum {
	BEGIN_NS = 5 * 1000000000L,  /* between a tool call's begin and the subagent's */
	BEFORE_NS = 1 * 1000000000L, /* that an agent may seem to begin before its tool call */
	NEIGHBOURS = 8,              /* tool calls compared, on each side of an agent's begin */
};

/* ---- what was said ---- */

static void take_said(struct planning *planning)
{
	struct lookup tools = { .arena = planning->arena }, places = { .arena = planning->arena };
	for (size_t d = 0; d < planning->draft_count; d++) {
		const struct draft *draft = &planning->drafts[d];
		if (draft->unit.kind != UNIT_TOOL)
			continue;
		if (draft->unit.said.tool.len)
			lookup_add(&tools, draft->unit.said.tool, d);
		if (draft->execution == NONE)
			continue;
		const struct native_span *span =
			&planning->drafts[draft->execution].unit.native->native;
		lookup_add(&places, native_place(planning, span->trace_id, span->span_id), d);
	}
	lookup_sort(&tools);
	lookup_sort(&places);
	for (size_t a = 0; a < planning->agent_count; a++) {
		struct agent *agent = &planning->agents[a];
		agent->tool = lookup_first(&tools, agent->tool_key);
		if (agent->tool == NONE && agent->teller != NONE)
			agent->tool = planning->draft_of[agent->teller];
		if (agent->tool != NONE || agent->logged == NONE)
			continue;
		const struct event *log = event_at(planning, agent->logged);
		agent->tool =
			lookup_first(&places, native_place(planning, log->trace_id, log->span_id));
	}
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		size_t a = event->kind == EVENT_SPAN ? agent_of(planning, event->agent) : NONE;
		if (a == NONE || planning->agents[a].tool != NONE)
			continue;
		size_t tool = lookup_first(&places,
			native_place(planning, event->native.trace_id, event->native.parent_id));
		if (tool != NONE && planning->drafts[tool].agent != a)
			planning->agents[a].tool = tool;
	}
}

/* ---- by time ---- */

struct start {
	size_t index, turn; /* of an agent or a draft */
	uint64_t time_ns;
};

static int compare_starts(const void *a, const void *b)
{
	const struct start *first = a, *second = b;
	if (first->turn != second->turn)
		return first->turn < second->turn ? -1 : 1;
	if (first->time_ns != second->time_ns)
		return first->time_ns < second->time_ns ? -1 : 1;
	return (first->index > second->index) - (first->index < second->index);
}

struct starts {
	struct start *at;
	size_t count;
};

static struct starts open_agents(struct planning *planning)
{
	struct starts starts = { 0 };
	starts.at = plan_alloc(planning, planning->agent_count, sizeof *starts.at);
	for (size_t a = 0; starts.at && a < planning->agent_count; a++) {
		const struct agent *agent = &planning->agents[a];
		if (agent->draft != NONE && agent->tool == NONE)
			starts.at[starts.count++] =
				(struct start){ a, agent->turn, agent->begin_ns };
	}
	if (starts.count)
		qsort(starts.at, starts.count, sizeof *starts.at, compare_starts);
	return starts;
}

static struct starts open_tools(struct planning *planning, const bool *is_taken)
{
	struct starts starts = { 0 };
	starts.at = plan_alloc(planning, planning->draft_count, sizeof *starts.at);
	for (size_t d = 0; starts.at && d < planning->draft_count; d++) {
		const struct draft *draft = &planning->drafts[d];
		if (draft->unit.kind == UNIT_TOOL && !is_taken[d] &&
			draft->unit.said.ending != ENDING_REJECTED &&
			tool_starts_agents(draft->unit.said.name))
			starts.at[starts.count++] =
				(struct start){ d, draft->unit.turn, draft->unit.start_ns };
	}
	if (starts.count)
		qsort(starts.at, starts.count, sizeof *starts.at, compare_starts);
	return starts;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* An agent starts none but others, and where its starter is said, that one started it. */
static bool may_start(const struct planning *planning, size_t tool, size_t a)
{
	const struct agent *agent = &planning->agents[a];
	size_t starter = planning->drafts[tool].agent;
	return starter != a && (agent->parent == NONE || agent->parent == starter);
}

struct pair {
	uint64_t apart_ns;
	size_t agent, tool;
};

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *first = a, *second = b;
	if (first->apart_ns != second->apart_ns)
		return first->apart_ns < second->apart_ns ? -1 : 1;
	if (first->agent != second->agent)
		return first->agent < second->agent ? -1 : 1;
	return (first->tool > second->tool) - (first->tool < second->tool);
}

static size_t position_of(const struct starts *tools, const struct start *agent)
{
	size_t low = 0, high = tools->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct start at = tools->at[middle];
		at.index = agent->index;
		if (compare_starts(&at, agent) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t add_pairs(const struct planning *planning, const struct starts *tools,
	const struct start *agent, struct pair *pairs)
{
	size_t middle = position_of(tools, agent), count = 0;
	size_t first = middle > NEIGHBOURS ? middle - NEIGHBOURS : 0;
	for (size_t t = first; t < tools->count && t < middle + NEIGHBOURS; t++) {
		const struct draft *tool = &planning->drafts[tools->at[t].index];
		uint64_t away = apart(tools->at[t].time_ns, agent->time_ns);
		if (tool->has_begin && apart(tool->begin_ns, agent->time_ns) < away)
			away = apart(tool->begin_ns, agent->time_ns);
		if (tools->at[t].turn == agent->turn && away <= BEGIN_NS &&
			may_start(planning, tools->at[t].index, agent->index))
			pairs[count++] = (struct pair){ away, agent->index, tools->at[t].index };
	}
	return count;
}

static void match_times(struct planning *planning, bool *is_taken)
{
	struct starts agents = open_agents(planning), tools = open_tools(planning, is_taken);
	struct pair *pairs = plan_alloc(planning, agents.count * 2 * NEIGHBOURS, sizeof *pairs);
	size_t count = 0;
	if (planning->arena->error)
		return;
	for (size_t a = 0; a < agents.count; a++)
		count += add_pairs(planning, &tools, &agents.at[a], pairs + count);
	if (count)
		qsort(pairs, count, sizeof *pairs, compare_pairs);
	for (size_t p = 0; p < count; p++) {
		if (planning->agents[pairs[p].agent].tool != NONE || is_taken[pairs[p].tool])
			continue;
		planning->agents[pairs[p].agent].tool = pairs[p].tool;
		is_taken[pairs[p].tool] = true;
	}
}

/* ---- by order ---- */

static void match_order(struct planning *planning, bool *is_taken)
{
	struct starts agents = open_agents(planning), tools = open_tools(planning, is_taken);
	if (planning->arena->error)
		return;
	for (size_t a = 0, t = 0; a < agents.count && t < tools.count; a++) {
		while (t < tools.count && tools.at[t].turn < agents.at[a].turn)
			t++;
		if (t == tools.count || tools.at[t].turn != agents.at[a].turn ||
			tools.at[t].time_ns > agents.at[a].time_ns + BEFORE_NS ||
			!may_start(planning, tools.at[t].index, agents.at[a].index))
			continue;
		planning->agents[agents.at[a].index].tool = tools.at[t].index;
		is_taken[tools.at[t++].index] = true;
	}
}

/* ---- circles ---- */

static size_t starter_of(const struct planning *planning, size_t a)
{
	const struct agent *agent = &planning->agents[a];
	return agent->tool != NONE ? planning->drafts[agent->tool].agent : agent->parent;
}

/* Who started each other, as only a lie can say, were started by the main agent. */
static void break_circles(struct planning *planning)
{
	size_t *walk = plan_indices(planning, planning->agent_count);
	for (size_t start = 0; walk && start < planning->agent_count; start++) {
		size_t at = start;
		while (at != NONE && walk[at] == NONE) {
			walk[at] = start;
			at = starter_of(planning, at);
		}
		if (at == NONE || walk[at] != start)
			continue;
		planning->agents[at].tool = planning->agents[at].parent = NONE;
	}
}

void plan_starters(struct planning *planning)
{
	take_said(planning);
	bool *is_taken = plan_alloc(planning, planning->draft_count, sizeof *is_taken);
	if (planning->arena->error)
		return;
	for (size_t a = 0; a < planning->agent_count; a++) {
		struct agent *agent = &planning->agents[a];
		if (agent->tool != NONE && planning->drafts[agent->tool].agent == a)
			agent->tool = NONE;
		if (agent->tool != NONE)
			is_taken[agent->tool] = true;
	}
	match_times(planning, is_taken);
	match_order(planning, is_taken);
	if (!planning->arena->error)
		break_circles(planning);
}
