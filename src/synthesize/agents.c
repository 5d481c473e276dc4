/* Which subagents there are, and what is said of each. */
#include "synthesize/planning.h"

void *plan_alloc(struct planning *planning, size_t count, size_t size)
{
	void *at = arena_alloc(planning->arena, (count + 1) * size);
	if (at)
		memset(at, 0, (count + 1) * size);
	return at;
}

size_t *plan_indices(struct planning *planning, size_t count)
{
	size_t *at = plan_alloc(planning, count, sizeof *at);
	for (size_t i = 0; at && i <= count; i++)
		at[i] = NONE;
	return at;
}

static void add_id(struct lookup *ids, struct bytes id)
{
	if (id.len)
		lookup_add(ids, id, 0);
}

static void make_agents(struct planning *planning)
{
	struct lookup *ids = &planning->agent_ids;
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		add_id(ids, event->agent);
		add_id(ids, event->parent_agent);
		add_id(ids, event->started_agent);
	}
	lookup_sort(ids);
	size_t count = 0;
	for (size_t i = 0; i < ids->count; i++) {
		struct bytes id = ids->at[i].key;
		if (i && bytes_equal(id, ids->at[count - 1].key))
			continue;
		ids->at[count] = (struct lookup_entry){ id, count };
		count++;
	}
	ids->count = planning->agent_count = count;
	planning->agents = plan_alloc(planning, count, sizeof *planning->agents);
	for (size_t a = 0; planning->agents && a < count; a++)
		planning->agents[a] = (struct agent){ .id = ids->at[a].key,
			.first = NONE,
			.begin = NONE,
			.end = NONE,
			.keyed = NONE,
			.logged = NONE,
			.teller = NONE,
			.parent = NONE,
			.turn = NONE,
			.tool = NONE,
			.draft = NONE };
}

static void set_once(size_t *index, size_t value)
{
	if (*index == NONE)
		*index = value;
}

/* Those of the events that are about the agent itself speak of the tool call that started it. */
static bool tells_tool(const struct event *event)
{
	return event->kind == EVENT_AGENT_BEGIN || event->kind == EVENT_AGENT ||
		event->kind == EVENT_AGENT_NAMED || event->kind == EVENT_CONTINUATION ||
		event->kind == EVENT_PROMPT_NAMED;
}

static void read_event(struct planning *planning, size_t i)
{
	const struct event *event = event_at(planning, i);
	size_t started = agent_of(planning, event->started_agent);
	size_t index = agent_of(planning, event->agent);
	if (event->kind == EVENT_TOOL && started != NONE)
		set_once(&planning->agents[started].teller, i);
	if (index == NONE)
		return;
	struct agent *agent = &planning->agents[index];
	bool is_about = event->kind == EVENT_AGENT_BEGIN || event->kind == EVENT_AGENT;
	if (tells_tool(event) && event->tool.len && !agent->tool_key.len)
		agent->tool_key = event->tool;
	if (is_about && event->parent_agent.len && agent->parent == NONE)
		agent->parent = agent_of(planning, event->parent_agent);
	if (!doer_of(event).len || is_signal(event))
		return;
	set_once(&agent->first, i);
	if (event->kind == EVENT_AGENT_BEGIN)
		set_once(&agent->begin, i);
	if (event->kind == EVENT_AGENT)
		agent->end = i;
	if (event->turn.len && (agent->keyed == NONE || (is_about && agent->keyed != agent->begin)))
		agent->keyed = i;
	if (event->kind != EVENT_SPAN && event->kind != EVENT_TOOL_BEGIN && event->span_id.len)
		set_once(&agent->logged, i);
}

static uint64_t begin_of(const struct planning *planning, const struct agent *agent)
{
	size_t teller = agent->begin != NONE ? agent->begin : agent->end;
	if (teller == NONE)
		teller = agent->first;
	if (teller == NONE)
		return 0;
	const struct event *event = event_at(planning, teller);
	return event->kind == EVENT_SPAN ? event->native.start_ns : event_start(event);
}

void plan_agents(struct planning *planning)
{
	planning->agent_ids.arena = planning->arena;
	make_agents(planning);
	if (planning->arena->error)
		return;
	for (size_t i = 0; i < planning->question->held_count; i++)
		read_event(planning, i);
	for (size_t a = 0; a < planning->agent_count; a++)
		planning->agents[a].begin_ns = begin_of(planning, &planning->agents[a]);
}
