/*
 * Where each span stands: its ids, its parent and its trace.
 *
 * A native span has those of its own. What is synthesized beside native spans stands where its log record says
 * that it was written; all else under its turn, or the subagent that did it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "synthesize/planning.h"

enum { PARTS_MAX = 5 };

/* Parts of an id, without its kind. */
struct parts {
	struct bytes at[1 + PARTS_MAX];
	size_t count;
};

static void add(struct parts *parts, struct bytes part)
{
	parts->at[parts->count++] = part;
}

static void add_number(struct planning *planning, struct parts *parts, uint64_t number)
{
	char text[24];
	int len = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	const uint8_t *at = arena_copy(planning->arena, text, (size_t)len);
	add(parts, (struct bytes){ at, at ? (size_t)len : 0 });
}

static struct bytes bytes_at(const uint8_t *at, size_t len)
{
	return (struct bytes){ at, len };
}

/* ---- identity ---- */

static void add_call(struct planning *planning, const struct draft *draft, struct parts *parts)
{
	if (draft->unit.said.call.len) {
		add(parts, draft->unit.said.call);
		return;
	}
	add(parts, draft->unit.said.thread);
	add_number(planning, parts,
		draft->has_begin ? draft->begin_ns : event_at(planning, draft->first)->time_ns);
	if (draft->ordinal)
		add_number(planning, parts, draft->ordinal);
}

static void add_tool(struct planning *planning, const struct draft *draft, struct parts *parts)
{
	const struct event *said = &draft->unit.said;
	char digest[DIGEST_TEXT];
	if (said->tool.len) {
		add(parts, said->tool);
		return;
	}
	ids_digest(&planning->ids, said->input.text, digest);
	const uint8_t *copy = arena_copy(planning->arena, digest, sizeof digest);
	add(parts, said->thread);
	add(parts, said->name);
	add_number(planning, parts, event_at(planning, draft->first)->time_ns);
	add(parts, bytes_at(copy, copy ? sizeof digest : 0));
	add_number(planning, parts, draft->ordinal);
}

static void add_identity(struct planning *planning, size_t d, struct parts *parts)
{
	const struct draft *draft = &planning->drafts[d];
	if (draft->unit.kind == UNIT_CALL)
		add_call(planning, draft, parts);
	else if (draft->unit.kind == UNIT_TOOL)
		add_tool(planning, draft, parts);
	else if (draft->unit.kind == UNIT_AGENT)
		add(parts, draft->unit.said.agent);
	else if (draft->unit.kind == UNIT_TURN)
		add(parts, planning->turns[draft->unit.turn].turn.key);
}

/* Those without keys that are equal in all that makes their ids are told apart by their order. */
static void number_equals(struct planning *planning)
{
	struct lookup equals = { .arena = planning->arena };
	for (size_t d = 0; d < planning->draft_count; d++) {
		struct draft *draft = &planning->drafts[d];
		uint8_t *digest = NULL;
		struct parts parts = { 0 };
		bool is_call = draft->unit.kind == UNIT_CALL && !draft->unit.said.call.len;
		bool is_tool = draft->unit.kind == UNIT_TOOL && !draft->unit.said.tool.len;
		if (draft->unit.native || !(is_call || is_tool))
			continue;
		digest = arena_alloc(planning->arena, 16);
		if (!digest)
			return;
		add_identity(planning, d, &parts);
		ids_make(&planning->ids, is_call ? "call" : "tool", parts.at, parts.count, digest,
			16);
		lookup_add(&equals, bytes_at(digest, 16), d);
	}
	lookup_sort(&equals);
	for (size_t k = 1; k < equals.count; k++)
		if (bytes_equal(equals.at[k].key, equals.at[k - 1].key))
			planning->drafts[equals.at[k].value].ordinal =
				planning->drafts[equals.at[k - 1].value].ordinal + 1;
}

/* The log record whose ids are those of the native span that a turn would have; NULL where none are. */
static const struct event *log_of_turn(const struct planning *planning, size_t t)
{
	size_t logged = planning->question->has_spans ? planning->turns[t].logged : NONE;
	return logged == NONE ? NULL : event_at(planning, logged);
}

static void make_span_id(struct planning *planning, size_t d)
{
	static const char *const kinds[] = { [UNIT_SESSION] = "session",
		[UNIT_TURN] = "turn",
		[UNIT_CALL] = "call",
		[UNIT_TOOL] = "tool",
		[UNIT_AGENT] = "agent",
		[UNIT_NATIVE] = "" };
	struct unit *unit = &planning->drafts[d].unit;
	const struct event *log =
		unit->kind == UNIT_TURN ? log_of_turn(planning, unit->turn) : NULL;
	struct parts parts = { 0 };
	if (unit->native) {
		memcpy(unit->span_id, unit->native->native.span_id.at, sizeof unit->span_id);
	} else if (log) {
		memcpy(unit->span_id, log->span_id.at, sizeof unit->span_id);
	} else {
		add_identity(planning, d, &parts);
		ids_make(&planning->ids, kinds[unit->kind], parts.at, parts.count, unit->span_id,
			sizeof unit->span_id);
	}
}

/* Places that are a span's by themselves, and so no turn's that is made up. */
static void find_taken(struct planning *planning, struct lookup *taken)
{
	taken->arena = planning->arena;
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct native_span *span = &event_at(planning, i)->native;
		if (event_at(planning, i)->kind == EVENT_SPAN)
			lookup_add(taken, native_place(planning, span->trace_id, span->span_id), i);
	}
	lookup_sort(taken);
}

/* The first log record of the main agent with ids, in the span of the prompt itself and no continuation's. */
static void find_logs_of_turns(struct planning *planning)
{
	struct lookup taken = { 0 }, places = { .arena = planning->arena };
	find_taken(planning, &taken);
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		bool is_fit = event->kind == EVENT_PROMPT || event->kind == EVENT_CALL ||
			event->kind == EVENT_ANSWER || event->kind == EVENT_TOOL;
		size_t t = planning->turn_of[i];
		if (!is_fit || t == NONE || t == planning->orphans || event->agent.len ||
			planning->turns[t].logged != NONE || planning->continued[i] != NOBODY ||
			lookup_first(&planning->continuation_keys, event->turn) != NONE)
			continue;
		struct bytes place = native_place(planning, event->trace_id, event->span_id);
		if (!place.len || lookup_first(&taken, place) != NONE)
			continue;
		planning->turns[t].logged = i;
		lookup_add(&places, place, t);
	}
	lookup_sort(&places);
	for (size_t k = 1; k < places.count; k++)
		if (bytes_equal(places.at[k].key, places.at[k - 1].key))
			planning->turns[places.at[k].value].logged = NONE;
}

/* ---- parents ---- */

/* Some models call tools by a program that is a tool call itself. */
static const char inner_key[] = "exec-", outer_name[] = "exec";

static int compare_outers(const void *a, const void *b, void *arg)
{
	const struct planning *planning = arg;
	const struct draft *first = &planning->drafts[*(const size_t *)a],
			   *second = &planning->drafts[*(const size_t *)b];
	const uint64_t one[] = { first->unit.turn, first->agent, first->unit.start_ns,
		(uint64_t)(first - planning->drafts) };
	const uint64_t other[] = { second->unit.turn, second->agent, second->unit.start_ns,
		(uint64_t)(second - planning->drafts) };
	for (size_t i = 0; i < 4; i++)
		if (one[i] != other[i])
			return one[i] < other[i] ? -1 : 1;
	return 0;
}

static bool is_inner(const struct draft *draft)
{
	return draft->unit.kind == UNIT_TOOL && !draft->unit.native &&
		bytes_start_with(draft->unit.said.tool, inner_key);
}

/* By time: inner calls end before the outer one, whose end is the first word of it. */
static void find_outers(struct planning *planning)
{
	enum { SLACK_NS = 5 * 1000000 };
	size_t *order = plan_indices(planning, planning->draft_count), count = 0, outer = NONE;
	if (!order)
		return;
	for (size_t d = 0; d < planning->draft_count; d++) {
		const struct draft *draft = &planning->drafts[d];
		if (is_inner(draft) ||
			(draft->unit.kind == UNIT_TOOL &&
				bytes_are(draft->unit.said.name, outer_name)))
			order[count++] = d;
	}
	if (count)
		qsort_r(order, count, sizeof *order, compare_outers, planning);
	for (size_t k = 0; k < count; k++) {
		struct draft *draft = &planning->drafts[order[k]];
		const struct draft *around = outer == NONE ? NULL : &planning->drafts[outer];
		if (!is_inner(draft)) {
			outer = order[k];
			continue;
		}
		if (!around || around->unit.turn != draft->unit.turn ||
			around->agent != draft->agent)
			continue;
		draft->is_inner = around->unit.is_open ||
			draft->unit.end_ns <= around->unit.end_ns + SLACK_NS;
		if (draft->is_inner)
			draft->parent = outer;
	}
}

static size_t draft_of_turn(const struct planning *planning, size_t t)
{
	bool has_span = t != planning->orphans && !planning->turns[t].turn.is_nothing;
	return has_span ? planning->turns[t].draft : planning->session;
}

static size_t parent_of_agent(const struct planning *planning, const struct draft *draft)
{
	const struct agent *agent = &planning->agents[draft->agent];
	if (agent->tool != NONE && planning->drafts[agent->tool].execution != NONE)
		return planning->drafts[agent->tool].execution;
	if (agent->tool != NONE)
		return agent->tool;
	if (agent->parent != NONE && planning->agents[agent->parent].draft != NONE)
		return planning->agents[agent->parent].draft;
	return draft_of_turn(planning, draft->unit.turn);
}

static size_t parent_of(const struct planning *planning, const struct draft *draft)
{
	size_t turn = draft->unit.turn;
	if (draft->unit.kind == UNIT_SESSION)
		return NONE;
	if (draft->unit.kind == UNIT_TURN || draft->is_side)
		return planning->session;
	if (draft->unit.kind == UNIT_AGENT)
		return parent_of_agent(planning, draft);
	if (draft->parent != NONE)
		return draft->parent;
	if (draft->agent != NONE && planning->agents[draft->agent].draft != NONE)
		return planning->agents[draft->agent].draft;
	if (turn == planning->orphans && draft->unit.kind == UNIT_TOOL && draft->asked_by != NONE)
		return draft->asked_by;
	return draft_of_turn(planning, turn);
}

static void take_parent(struct planning *planning, struct draft *draft, const struct lookup *places,
	struct bytes trace, struct bytes parent)
{
	draft->unit.has_parent = parent.len == sizeof draft->unit.parent_id;
	if (draft->unit.has_parent)
		memcpy(draft->unit.parent_id, parent.at, parent.len);
	draft->parent = lookup_first(places, native_place(planning, trace, parent));
}

static void find_places(struct planning *planning, struct lookup *places)
{
	places->arena = planning->arena;
	for (size_t d = 0; d < planning->draft_count; d++) {
		const struct unit *unit = &planning->drafts[d].unit;
		const struct event *log =
			unit->kind == UNIT_TURN ? log_of_turn(planning, unit->turn) : NULL;
		struct bytes trace = unit->native ? unit->native->native.trace_id :
			log                       ? log->trace_id :
						    (struct bytes){ 0 };
		lookup_add(places,
			native_place(
				planning, trace, bytes_at(unit->span_id, sizeof unit->span_id)),
			d);
	}
	lookup_sort(places);
}

static void find_parent(struct planning *planning, struct draft *draft, const struct lookup *places)
{
	struct unit *unit = &draft->unit;
	const struct event *log = draft->logged == NONE ? NULL : event_at(planning, draft->logged);
	if (unit->native) {
		const struct native_span *span = &unit->native->native;
		memcpy(unit->trace_id, span->trace_id.at, sizeof unit->trace_id);
		draft->has_trace = true;
		take_parent(planning, draft, places, span->trace_id, span->parent_id);
	} else if (unit->kind == UNIT_TURN && log_of_turn(planning, unit->turn)) {
		memcpy(unit->trace_id, log_of_turn(planning, unit->turn)->trace_id.at,
			sizeof unit->trace_id);
		draft->has_trace = true;
		draft->parent = NONE;
	} else if (log && planning->question->has_spans && !draft->is_inner) {
		memcpy(unit->trace_id, log->trace_id.at, sizeof unit->trace_id);
		draft->has_trace = true;
		take_parent(planning, draft, places, log->trace_id, log->span_id);
	} else {
		draft->parent = parent_of(planning, draft);
		unit->has_parent = draft->parent != NONE;
	}
}

/* ---- traces ---- */

/* Of what has no parent: the session's, the turn's, or one of its own. */
static void make_trace(struct planning *planning, size_t d)
{
	struct unit *unit = &planning->drafts[d].unit;
	struct parts parts = { 0 };
	if (planning->question->scope == TRACE_PER_TURN || !planning->question->session.len) {
		if (unit->kind != UNIT_TURN)
			add(&parts, bytes_of("side"));
		add_identity(planning, d, &parts);
	}
	ids_make(&planning->ids, "trace", parts.at, parts.count, unit->trace_id,
		sizeof unit->trace_id);
}

static void settle(struct planning *planning, size_t d)
{
	struct draft *draft = &planning->drafts[d];
	const struct draft *parent =
		draft->parent == NONE ? NULL : &planning->drafts[draft->parent];
	draft->is_settled = true;
	draft->depth = parent ? parent->depth + 1 : 0;
	if (!draft->has_trace && parent)
		memcpy(draft->unit.trace_id, parent->unit.trace_id, sizeof draft->unit.trace_id);
	else if (!draft->has_trace)
		make_trace(planning, d);
	if (!draft->has_trace && parent)
		memcpy(draft->unit.parent_id, parent->unit.span_id, sizeof draft->unit.parent_id);
}

/* From the root down. Who is above himself, as only a lie can say, is a root. */
static void settle_all(struct planning *planning)
{
	size_t *path = plan_indices(planning, planning->draft_count);
	for (size_t start = 0; path && start < planning->draft_count; start++) {
		size_t length = 0, at = start;
		while (at != NONE && !planning->drafts[at].is_settled) {
			struct draft *draft = &planning->drafts[at];
			if (draft->is_on_path) {
				struct draft *last = &planning->drafts[path[length - 1]];
				last->parent = NONE;
				last->unit.has_parent &= last->has_trace;
				break;
			}
			draft->is_on_path = true;
			path[length++] = at;
			at = draft->parent;
		}
		while (length)
			settle(planning, path[--length]);
	}
}

void plan_tree(struct planning *planning)
{
	struct lookup places = { 0 };
	find_logs_of_turns(planning);
	number_equals(planning);
	find_outers(planning);
	if (planning->arena->error)
		return;
	for (size_t d = 0; d < planning->draft_count; d++)
		make_span_id(planning, d);
	find_places(planning, &places);
	if (planning->arena->error)
		return;
	for (size_t d = 0; d < planning->draft_count; d++)
		find_parent(planning, &planning->drafts[d], &places);
	settle_all(planning);
}
