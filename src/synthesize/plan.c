/* The plan as it is given: turns by number, spans from the root down. */
#include "synthesize/plan.h"

#include <stdlib.h>

#include "synthesize/names.h"
#include "synthesize/planning.h"

/* ---- turns ---- */

/* What belongs to none first, then as they began. */
static int compare_turns(const void *a, const void *b, void *arg)
{
	const struct planning *planning = arg;
	size_t first = *(const size_t *)a, second = *(const size_t *)b;
	const struct planned_turn *one = &planning->turns[first].turn,
				  *other = &planning->turns[second].turn;
	if (first == planning->orphans || second == planning->orphans)
		return (second == planning->orphans) - (first == planning->orphans);
	if (one->start_ns != other->start_ns)
		return one->start_ns < other->start_ns ? -1 : 1;
	return bytes_compare(one->key, other->key);
}

static size_t *order_turns(struct planning *planning)
{
	size_t *order = plan_indices(planning, planning->turn_count);
	for (size_t t = 0; order && t < planning->turn_count; t++)
		order[t] = t;
	if (order && planning->turn_count)
		qsort_r(order, planning->turn_count, sizeof *order, compare_turns, planning);
	unsigned number = planning->question->last_number;
	for (size_t k = 0; order && k < planning->turn_count; k++) {
		struct planned_turn *turn = &planning->turns[order[k]].turn;
		if (!turn->is_past)
			turn->number = turn->is_nothing ? 0 : ++number;
	}
	return order;
}

/* ---- names ---- */

#define JOINED(planning, ...) \
	name_join((const struct bytes[]){ __VA_ARGS__ }, \
		sizeof((const struct bytes[]){ __VA_ARGS__ }) / sizeof(struct bytes), \
		(planning)->arena)

/* What a trace is of: the project, else the CLI and the beginning of the session's id. */
static struct bytes subject_of(struct planning *planning)
{
	enum { ID_BYTES = 8 };
	const struct plan_question *question = planning->question;
	struct bytes id = question->session;
	if (question->project.len)
		return name_preview(question->project, SIZE_MAX, planning->arena);
	id.len = id.len < ID_BYTES ? id.len : ID_BYTES;
	return JOINED(planning, bytes_of(question->cli->title), bytes_of(id.len ? " " : ""),
		name_preview(id, ID_BYTES, planning->arena));
}

static struct bytes subject_and(struct planning *planning, struct bytes subject, struct bytes what)
{
	return JOINED(planning, subject, bytes_of(what.len ? ": " : ""), what);
}

static void name_turn(struct planning *planning, struct turn_draft *draft, struct bytes subject)
{
	struct planned_turn *turn = &draft->turn;
	struct bytes preview =
		name_preview(turn->input.text, planning->question->preview_chars, planning->arena);
	struct bytes command = draft->prompt == NONE ? (struct bytes){ 0 } :
						       event_at(planning, draft->prompt)->name;
	if (turn->number || turn->is_past) {
		turn->name = name_of_turn(turn->number, preview, planning->arena);
		turn->trace_name = name_of_trace(subject, turn->number, preview, planning->arena);
	} else {
		turn->name = name_of(
			command.len && command.at[0] != '/' ? "Command: /" : "Command: ", command,
			planning->arena);
		turn->trace_name = subject_and(planning, subject, command);
	}
}

/* Of native spans that are no turn by themselves, though they look like one. */
static struct bytes name_of_native(struct planning *planning, const struct draft *draft)
{
	const struct event *native = draft->unit.native;
	const struct planned_turn *turn = &planning->turns[draft->unit.turn].turn;
	if (native->native.role != ROLE_TURN || !turn->number)
		return native->native.name;
	return JOINED(planning, name_of_turn(turn->number, (struct bytes){ 0 }, planning->arena),
		bytes_of(" (continued)"));
}

static struct bytes name_of_draft(struct planning *planning, const struct draft *draft)
{
	const struct event *said = &draft->unit.said;
	switch (draft->unit.kind) {
	case UNIT_CALL:
		return name_of_call(said, planning->arena);
	case UNIT_TOOL:
		return name_of_tool(said->name, said->input.text, planning->arena);
	case UNIT_AGENT:
		return name_of(
			said->name.len ? "Subagent: " : "Subagent", said->name, planning->arena);
	case UNIT_TURN:
		return planning->turns[draft->unit.turn].turn.name;
	default:
		return name_of_native(planning, draft);
	}
}

static void name_draft(struct planning *planning, struct draft *draft, struct bytes subject)
{
	struct unit *unit = &draft->unit;
	bool is_own = planning->question->scope == TRACE_PER_TURN && !unit->native;
	if (unit->kind == UNIT_SESSION) {
		unit->name = JOINED(
			planning, bytes_of(planning->question->cli->title), bytes_of(" Session"));
		unit->trace_name = subject;
		return;
	}
	unit->name = name_of_draft(planning, draft);
	unit->trace_name = planning->turns[unit->turn].turn.trace_name;
	if (planning->session != NONE || unit->turn == planning->orphans)
		unit->trace_name = subject;
	if (draft->is_side && is_own)
		unit->trace_name = subject_and(planning, subject, unit->said.side);
}

/* ---- what is given ---- */

static void finish_turn(struct planning *planning, size_t t)
{
	struct turn_draft *turn = &planning->turns[t];
	struct unit *unit = &planning->drafts[turn->draft].unit;
	memcpy(turn->turn.trace_id, unit->trace_id, sizeof turn->turn.trace_id);
	unit->figures = turn->turn.figures;
	unit->is_late = turn->turn.is_past;
	unit->is_complete = turn->turn.end != TURN_IS_OPEN;
	unit->is_open = !unit->native;
	unit->start_ns = unit->native ? unit->native->native.start_ns : turn->turn.start_ns;
	unit->end_ns = unit->native ? unit->native->native.end_ns : turn->turn.end_ns;
	if (unit->end_ns < unit->start_ns)
		unit->end_ns = unit->start_ns;
	unit->has_span = unit->native;
	unit->has_log =
		turn->prompt != NONE && event_at(planning, turn->prompt)->kind == EVENT_PROMPT;
	unit->has_hook = turn->stop != NONE;
}

static void note_arrival(struct unit *unit, const struct held *held)
{
	if (held->received_ns > unit->received_ns)
		unit->received_ns = held->received_ns;
	if (held->sequence < unit->sequence)
		unit->sequence = held->sequence;
}

static void finish_session(struct planning *planning)
{
	struct unit *unit = &planning->drafts[planning->session].unit;
	const struct plan_question *question = planning->question;
	unit->start_ns = question->past_count ? question->past[0].start_ns : UINT64_MAX;
	for (size_t t = 0; t < planning->turn_count; t++) {
		const struct planned_turn *turn = &planning->turns[t].turn;
		if (t == planning->orphans)
			continue;
		if (turn->start_ns < unit->start_ns)
			unit->start_ns = turn->start_ns;
		if (turn->end_ns > unit->end_ns)
			unit->end_ns = turn->end_ns;
	}
	for (size_t i = 0; i < question->held_count; i++) {
		const struct held *held = question->held[i];
		if (held->event.time_ns && held->event.time_ns < unit->start_ns)
			unit->start_ns = held->event.time_ns;
		if (held->event.time_ns > unit->end_ns)
			unit->end_ns = held->event.time_ns;
		note_arrival(unit, held);
	}
	if (unit->start_ns > unit->end_ns)
		unit->start_ns = unit->end_ns;
}

/* Arrivals of what the spans of turns and agents are made from. */
static void note_arrivals(struct planning *planning)
{
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct held *held = planning->question->held[i];
		size_t agent = agent_of(planning, doer_of(&held->event));
		if (agent != NONE && planning->agents[agent].draft != NONE)
			note_arrival(&planning->drafts[planning->agents[agent].draft].unit, held);
		if (planning->turn_of[i] == NONE || planning->turn_of[i] == planning->orphans)
			continue;
		struct turn_draft *turn = &planning->turns[planning->turn_of[i]];
		note_arrival(&planning->drafts[turn->draft].unit, held);
		if (i == turn->prompt || i == turn->native)
			planning->draft_of[i] = turn->draft;
	}
}

/* A span for each but turns that are none, or that were given before. */
static bool is_given(const struct planning *planning, const struct draft *draft)
{
	const struct unit *unit = &draft->unit;
	if (unit->kind != UNIT_TURN)
		return true;
	const struct planned_turn *turn = &planning->turns[unit->turn].turn;
	return unit->turn != planning->orphans &&
		(unit->native || !(turn->is_nothing || turn->is_past));
}

static int compare_drafts(const void *a, const void *b, void *arg)
{
	const struct planning *planning = arg;
	const struct draft *first = &planning->drafts[*(const size_t *)a],
			   *second = &planning->drafts[*(const size_t *)b];
	const uint64_t one[] = { first->unit.turn + 1, first->depth, first->unit.start_ns,
		first->unit.kind };
	const uint64_t other[] = { second->unit.turn + 1, second->depth, second->unit.start_ns,
		second->unit.kind };
	for (size_t i = 0; i < sizeof one / sizeof *one; i++)
		if (one[i] != other[i])
			return one[i] < other[i] ? -1 : 1;
	int order = memcmp(first->unit.span_id, second->unit.span_id, sizeof first->unit.span_id);
	return order ?
		order :
		memcmp(first->unit.trace_id, second->unit.trace_id, sizeof first->unit.trace_id);
}

/* Where each went; NONE where it was not given. */
static size_t *give_turns(struct planning *planning, const size_t *order, struct plan *plan)
{
	size_t *place_of = plan_indices(planning, planning->turn_count);
	bool *is_used = plan_alloc(planning, planning->turn_count, sizeof *is_used);
	plan->turns = plan_alloc(planning, planning->turn_count, sizeof *plan->turns);
	if (planning->arena->error)
		return NULL;
	for (size_t d = 0; d < planning->draft_count; d++)
		if (planning->drafts[d].unit.turn != NONE &&
			planning->drafts[d].unit.kind != UNIT_TURN)
			is_used[planning->drafts[d].unit.turn] = true;
	for (size_t i = 0; i < planning->question->held_count; i++)
		if (planning->turn_of[i] != NONE)
			is_used[planning->turn_of[i]] = true;
	for (size_t k = 0; k < planning->turn_count; k++) {
		const struct planned_turn *turn = &planning->turns[order[k]].turn;
		if (turn->is_past && !is_used[order[k]])
			continue;
		place_of[order[k]] = plan->turn_count;
		plan->turns[plan->turn_count++] = *turn;
	}
	return place_of;
}

static void give_units(struct planning *planning, const size_t *turn_place, struct plan *plan)
{
	size_t *order = plan_indices(planning, planning->draft_count);
	size_t *place_of = plan_indices(planning, planning->draft_count);
	plan->units = plan_alloc(planning, planning->draft_count, sizeof *plan->units);
	if (planning->arena->error)
		return;
	for (size_t d = 0; d < planning->draft_count; d++) {
		struct unit *unit = &planning->drafts[d].unit;
		if (!is_given(planning, &planning->drafts[d]))
			continue;
		if (unit->turn != NONE)
			unit->turn = turn_place[unit->turn];
		order[plan->unit_count++] = d;
	}
	if (plan->unit_count)
		qsort_r(order, plan->unit_count, sizeof *order, compare_drafts, planning);
	for (size_t k = 0; k < plan->unit_count; k++) {
		plan->units[k] = planning->drafts[order[k]].unit;
		place_of[order[k]] = k;
	}
	plan->unit_of = plan_indices(planning, planning->question->held_count);
	plan->turn_of = plan_indices(planning, planning->question->held_count);
	for (size_t i = 0; !planning->arena->error && i < planning->question->held_count; i++) {
		if (planning->draft_of[i] != NONE)
			plan->unit_of[i] = place_of[planning->draft_of[i]];
		if (planning->turn_of[i] != NONE)
			plan->turn_of[i] = turn_place[planning->turn_of[i]];
	}
}

static void give(struct planning *planning, struct plan *plan)
{
	size_t *order = order_turns(planning);
	struct bytes subject = subject_of(planning);
	if (planning->arena->error)
		return;
	for (size_t t = 0; t < planning->turn_count; t++)
		if (t != planning->orphans)
			name_turn(planning, &planning->turns[t], subject);
	for (size_t d = 0; d < planning->draft_count; d++)
		name_draft(planning, &planning->drafts[d], subject);
	note_arrivals(planning);
	for (size_t t = 0; t < planning->turn_count; t++)
		if (t != planning->orphans)
			finish_turn(planning, t);
	if (planning->session != NONE)
		finish_session(planning);
	size_t *turn_place = give_turns(planning, order, plan);
	if (turn_place)
		give_units(planning, turn_place, plan);
}

int plan_make(const struct plan_question *question, struct arena *arena, struct plan *ret_plan)
{
	static void (*const steps[])(struct planning *) = { plan_agents, plan_turns, plan_leaders,
		plan_drafts, plan_starters, plan_askers, plan_outcomes, plan_tree, plan_links };
	struct planning planning = { .question = question, .arena = arena };
	struct plan plan = { 0 };
	ids_init(&planning.ids, bytes_of(question->cli->name), question->session);
	for (size_t i = 0; i < sizeof steps / sizeof *steps && !arena->error; i++)
		steps[i](&planning);
	if (!arena->error)
		give(&planning, &plan);
	int error = arena->error ? arena->error : planning.ids.error;
	ids_done(&planning.ids);
	if (!error)
		*ret_plan = plan;
	return error;
}
