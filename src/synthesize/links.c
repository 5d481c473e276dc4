/* Which call asked for which tool call, and which call took in its result. */
#include <stdlib.h>

#include "synthesize/planning.h"

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_calls(const void *a, const void *b, void *arg)
{
	const struct planning *planning = arg;
	size_t first = *(const size_t *)a, second = *(const size_t *)b;
	const struct draft *one = &planning->drafts[first], *other = &planning->drafts[second];
	int order = compare_numbers(one->unit.turn, other->unit.turn);
	if (!order)
		order = compare_numbers(one->agent, other->agent);
	if (!order)
		order = compare_numbers(one->unit.start_ns, other->unit.start_ns);
	if (!order)
		order = compare_numbers(one->unit.end_ns, other->unit.end_ns);
	return order ? order : compare_numbers(first, second);
}

static void order_calls(struct planning *planning)
{
	struct call_order *calls = &planning->calls;
	calls->at = plan_indices(planning, planning->draft_count);
	for (size_t d = 0; calls->at && d < planning->draft_count; d++)
		if (planning->drafts[d].unit.kind == UNIT_CALL && !planning->drafts[d].is_side)
			calls->at[calls->count++] = d;
	if (calls->count)
		qsort_r(calls->at, calls->count, sizeof *calls->at, compare_calls, planning);
}

static bool are_together(const struct draft *a, const struct draft *b)
{
	return a->unit.turn == b->unit.turn && a->agent == b->agent;
}

static bool is_attempt(const struct draft *call)
{
	return call->unit.said.ending == ENDING_FAILED || call->is_cut;
}

/* The last call of the same agent and turn that had begun and was no mere attempt. */
static size_t call_before(
	const struct planning *planning, const size_t *answered, const struct draft *tool)
{
	const struct call_order *calls = &planning->calls;
	uint64_t time_ns = tool->has_begin && tool->begin_ns < tool->unit.start_ns ?
		tool->begin_ns :
		tool->unit.start_ns;
	size_t low = 0, high = calls->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct draft *call = &planning->drafts[calls->at[middle]];
		int order = compare_numbers(call->unit.turn, tool->unit.turn);
		if (!order)
			order = compare_numbers(call->agent, tool->agent);
		if (order < 0 || (!order && call->unit.start_ns <= time_ns))
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || answered[low - 1] == NONE)
		return NONE;
	size_t found = calls->at[answered[low - 1]];
	return are_together(&planning->drafts[found], tool) ? found : NONE;
}

void plan_askers(struct planning *planning)
{
	struct lookup keys = { .arena = planning->arena };
	order_calls(planning);
	/* By position in that order: of the calls up to there the last that was no mere attempt. */
	size_t *answered = plan_indices(planning, planning->calls.count);
	for (size_t d = 0; d < planning->draft_count; d++)
		if (planning->drafts[d].unit.kind == UNIT_CALL &&
			planning->drafts[d].unit.said.call.len)
			lookup_add(&keys, planning->drafts[d].unit.said.call, d);
	lookup_sort(&keys);
	if (planning->arena->error)
		return;
	for (size_t c = 0; c < planning->calls.count; c++) {
		const struct draft *call = &planning->drafts[planning->calls.at[c]];
		answered[c] = !is_attempt(call) ? c : c ? answered[c - 1] : NONE;
	}
	for (size_t d = 0; d < planning->draft_count; d++) {
		struct draft *tool = &planning->drafts[d];
		if (tool->unit.kind != UNIT_TOOL)
			continue;
		tool->asked_by = lookup_first(&keys, tool->unit.said.call);
		if (tool->asked_by == NONE && !tool->unit.said.call.len)
			tool->asked_by = call_before(planning, answered, tool);
	}
}

/* ---- links ---- */

static struct unit_link link_to(const char *type, const struct unit *unit, struct bytes tool)
{
	struct unit_link link = { .type = type, .tool = tool };
	memcpy(link.trace_id, unit->trace_id, sizeof link.trace_id);
	memcpy(link.span_id, unit->span_id, sizeof link.span_id);
	return link;
}

static void link_one(struct planning *planning, struct draft *from, const char *type, size_t to)
{
	if (to == NONE)
		return;
	from->unit.links = plan_alloc(planning, 1, sizeof *from->unit.links);
	if (!from->unit.links)
		return;
	from->unit.links[0] = link_to(type, &planning->drafts[to].unit, (struct bytes){ 0 });
	from->unit.link_count = 1;
}

/* The tool calls by who asked for them. */
struct asked {
	size_t *first; /* by draft of a call: position in `tools` */
	size_t *count;
	size_t *tools; /* drafts, in their order */
};

static void find_asked(struct planning *planning, struct asked *asked)
{
	size_t count = planning->draft_count, next = 0;
	asked->first = plan_alloc(planning, count, sizeof *asked->first);
	asked->count = plan_alloc(planning, count, sizeof *asked->count);
	asked->tools = plan_alloc(planning, count, sizeof *asked->tools);
	if (planning->arena->error)
		return;
	for (size_t d = 0; d < count; d++)
		if (planning->drafts[d].asked_by != NONE && !planning->drafts[d].is_inner)
			asked->count[planning->drafts[d].asked_by]++;
	for (size_t d = 0; d < count; d++) {
		asked->first[d] = next;
		next += asked->count[d];
		asked->count[d] = 0;
	}
	for (size_t d = 0; d < count; d++) {
		size_t by = planning->drafts[d].asked_by;
		if (by != NONE && !planning->drafts[d].is_inner)
			asked->tools[asked->first[by] + asked->count[by]++] = d;
	}
}

static void link_results(
	struct planning *planning, const struct asked *asked, size_t asker, struct draft *call)
{
	size_t count = asked->count[asker];
	if (!count)
		return;
	call->unit.links = plan_alloc(planning, count, sizeof *call->unit.links);
	for (size_t i = 0; call->unit.links && i < count; i++) {
		const struct draft *tool = &planning->drafts[asked->tools[asked->first[asker] + i]];
		if (tool->has_end)
			call->unit.links[call->unit.link_count++] =
				link_to("consumes_tool_result", &tool->unit, tool->unit.said.tool);
	}
}

/* A call takes in what the one before it asked for; after a failed attempt so does the next that succeeds. */
void plan_links(struct planning *planning)
{
	struct asked asked;
	size_t before = NONE, last = NONE;
	find_asked(planning, &asked);
	for (size_t c = 0; c < planning->calls.count && !planning->arena->error; c++) {
		size_t d = planning->calls.at[c];
		struct draft *call = &planning->drafts[d];
		if (last == NONE || !are_together(&planning->drafts[last], call))
			before = last = NONE;
		bool failed = is_attempt(call);
		if (before != NONE && (!failed || before == last))
			link_results(planning, &asked, before, call);
		last = d;
		before = failed ? before : d;
	}
	for (size_t d = 0; d < planning->draft_count && !planning->arena->error; d++) {
		struct draft *draft = &planning->drafts[d];
		if (draft->unit.kind == UNIT_TOOL && !draft->is_inner)
			link_one(planning, draft, "produced_by_llm", draft->asked_by);
		else if (draft->unit.kind == UNIT_AGENT)
			link_one(planning, draft, "parent_task",
				planning->agents[draft->agent].tool);
	}
}
