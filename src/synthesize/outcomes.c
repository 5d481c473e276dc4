/* What became of each call, tool call, agent and turn, when, and with how many tokens. */
#include "synthesize/names.h"
#include "synthesize/planning.h"
#include "synthesize/usd.h"

static const char interrupted[] = "interrupted";

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- one span ---- */

static bool is_rejected(const struct draft *draft)
{
	return draft->unit.kind == UNIT_TOOL && draft->unit.said.ending == ENDING_REJECTED;
}

/* A call that was cut off ended when the next one of its thread began. */
static void settle_begin(const struct planning *planning, struct draft *draft)
{
	struct unit *unit = &draft->unit;
	if (draft->has_end || !draft->has_begin)
		return;
	unit->start_ns = unit->end_ns = draft->begin_ns;
	if (draft->is_cut)
		unit->end_ns = event_start(event_at(planning, planning->cut_by[draft->first]));
	draft->has_end = draft->is_cut || is_rejected(draft);
	unit->is_open = !draft->has_end;
	if (unit->is_open || draft->is_cut)
		unit->said.ending = ENDING_INTERRUPTED;
}

static struct bytes words_of(struct planning *planning, const struct event *said)
{
	if (said->ending == ENDING_INTERRUPTED)
		return bytes_of(interrupted);
	if (said->ending == ENDING_REJECTED)
		return name_of(said->is_by_person ? "rejected by the user: " : "rejected: ",
			said->name, planning->arena);
	return said->error;
}

static void settle_ending(struct planning *planning, struct draft *draft)
{
	struct event *said = &draft->unit.said;
	bool has_failed = (draft->unit.kind == UNIT_CALL && said->status_code >= 400) ||
		(said->has_exit_code && said->exit_code != 0);
	if (has_failed && said->ending == ENDING_OK)
		said->ending = ENDING_FAILED;
	said->error = said->ending == ENDING_OK ? (struct bytes){ 0 } : words_of(planning, said);
}

static void settle_times(struct planning *planning, struct draft *draft)
{
	struct unit *unit = &draft->unit;
	struct event *said = &unit->said;
	unit->end_ns = later(unit->start_ns, unit->end_ns);
	if (said->first_token_ns && said->first_token_ns <= unit->end_ns - unit->start_ns)
		unit->first_token_ns = unit->start_ns + said->first_token_ns;
	if (said->wait_ns || !said->is_by_person || draft->asked_by == NONE)
		return;
	uint64_t asked_ns = planning->drafts[draft->asked_by].unit.end_ns, decided_ns = 0;
	if (draft->has_begin)
		decided_ns = draft->begin_ns;
	else if (said->ending == ENDING_REJECTED)
		decided_ns = unit->end_ns;
	if (decided_ns > asked_ns)
		said->wait_ns = decided_ns - asked_ns;
}

/* What the source sends otherwise for spans of this kind. */
static bool has_partners(const struct planning *planning, const struct draft *draft)
{
	const struct plan_question *question = planning->question;
	const struct unit *unit = &draft->unit;
	bool is_call_or_tool = unit->kind == UNIT_CALL || unit->kind == UNIT_TOOL;
	bool runs = unit->kind == UNIT_TOOL && !is_rejected(draft);
	return (!question->has_logs || unit->has_log || !is_call_or_tool) &&
		(!question->has_spans || unit->has_span || !is_call_or_tool) &&
		(!question->has_hooks || unit->has_hook || !runs);
}

static bool has_prompt(const struct planning *planning, size_t turn)
{
	const struct turn_draft *of = &planning->turns[turn];
	return turn == planning->orphans || of->turn.is_past || of->prompt != NONE;
}

/* ---- figures ---- */

static void count(
	struct planning *planning, struct turn_figures *figures, const struct draft *draft)
{
	const struct event *said = &draft->unit.said;
	struct tokens *sum = &figures->tokens;
	const struct tokens *more = &said->tokens;
	figures->errors += said->ending == ENDING_FAILED;
	figures->tools += draft->unit.kind == UNIT_TOOL;
	if (draft->unit.kind != UNIT_CALL)
		return;
	figures->calls++;
	if (!figures->first_call_ns || draft->unit.start_ns < figures->first_call_ns)
		figures->first_call_ns = draft->unit.start_ns;
	sum->are_said |= more->are_said;
	sum->input += more->input;
	sum->cache_read += more->cache_read;
	sum->cache_write += more->cache_write;
	sum->output += more->output;
	sum->reasoning += more->reasoning;
	figures->priced += more->are_said && said->has_cost;
	figures->unpriced += more->are_said && !said->has_cost;
	if (said->has_cost)
		figures->cost_fusd += usd_read(said->cost_usd, planning->arena);
}

static void take_work(struct planning *planning, size_t d)
{
	struct draft *draft = &planning->drafts[d];
	struct turn_draft *turn = &planning->turns[draft->unit.turn];
	bool is_main = draft->agent == NONE;
	if (draft->is_side || draft->unit.kind == UNIT_NATIVE)
		return;
	turn->has_work = true;
	turn->has_open |= draft->unit.is_open;
	if (turn->prompt == NONE && !turn->turn.is_past &&
		(!turn->turn.start_ns || draft->unit.start_ns < turn->turn.start_ns))
		turn->turn.start_ns = draft->unit.start_ns;
	if (!draft->unit.is_open)
		turn->turn.end_ns = later(turn->turn.end_ns, draft->unit.end_ns);
	if (draft->unit.kind == UNIT_AGENT) {
		turn->turn.figures.agents++;
		return;
	}
	count(planning, &turn->turn.figures, draft);
	if (is_main && draft->unit.kind == UNIT_CALL &&
		(turn->last_call == NONE ||
			draft->unit.start_ns >= planning->drafts[turn->last_call].unit.start_ns))
		turn->last_call = d;
	if (is_main || planning->agents[draft->agent].draft == NONE)
		return;
	struct unit *agent = &planning->drafts[planning->agents[draft->agent].draft].unit;
	count(planning, &agent->figures, draft);
	if (!draft->unit.is_open)
		agent->end_ns = later(agent->end_ns, draft->unit.end_ns);
}

/* ---- agents ---- */

static void settle_agent(struct planning *planning, struct agent *agent)
{
	struct draft *draft = &planning->drafts[agent->draft];
	const struct draft *tool = agent->tool == NONE ? NULL : &planning->drafts[agent->tool];
	struct unit *unit = &draft->unit;
	if (agent->end != NONE)
		unit->end_ns = event_at(planning, agent->end)->time_ns;
	unit->is_open = agent->end == NONE;
	if (unit->is_open && tool && tool->unit.said.ending == ENDING_INTERRUPTED) {
		unit->said.ending = ENDING_INTERRUPTED;
		unit->said.error = bytes_of(interrupted);
	}
	unit->end_ns = later(unit->start_ns, unit->end_ns);
	if (tool && !unit->said.name.len)
		unit->said.name = agent_of_input(tool->unit.said.input.text, planning->arena);
	if (tool && !unit->said.input.text.len) {
		unit->said.input = tool->unit.said.input;
		unit->said.input.text = task_of_input(tool->unit.said.input.text, planning->arena);
	}
	bool works_on = unit->is_open &&
		(unit->said.is_background ||
			(tool && tool->has_end && unit->end_ns > tool->unit.end_ns));
	planning->turns[unit->turn].has_running |= works_on;
	planning->turns[unit->turn].has_open |= unit->is_open;
}

/* What an agent said last, where its end does not say it. */
static void find_answers(struct planning *planning)
{
	for (size_t c = planning->calls.count; c-- > 0;) {
		const struct draft *call = &planning->drafts[planning->calls.at[c]];
		size_t draft = call->agent == NONE ? NONE : planning->agents[call->agent].draft;
		if (draft == NONE)
			continue;
		struct said *output = &planning->drafts[draft].unit.said.output;
		if (!output->text.len && !output->mark && !call->unit.said.is_wordless)
			*output = call->unit.said.output;
	}
}

/* ---- turns ---- */

static void take_event(struct planning *planning, size_t i)
{
	const struct held *held = planning->question->held[i];
	const struct event *event = &held->event;
	size_t t = planning->turn_of[i];
	if (t == NONE)
		return;
	struct turn_draft *turn = &planning->turns[t];
	turn->turn.received_ns = later(turn->turn.received_ns, held->received_ns);
	bool is_side =
		planning->draft_of[i] != NONE && planning->drafts[planning->draft_of[i]].is_side;
	if (!is_signal(event) && event->kind != EVENT_SPAN && !is_side)
		turn->turn.end_ns = later(turn->turn.end_ns, event->time_ns);
	if ((event->kind == EVENT_PROMPT_NAMED && planning->continued[i] == NOBODY) ||
		i == turn->prompt || i == turn->native) {
		if (event->text.text.len > turn->turn.input.text.len)
			turn->turn.input.text = event->text.text;
		if (!turn->turn.input.mark)
			turn->turn.input.mark = event->text.mark;
	}
}

/* The turn of each event: its span's, or what it says itself. */
static void place_events(struct planning *planning)
{
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		size_t d = planning->draft_of[i];
		if (d != NONE)
			planning->turn_of[i] = planning->drafts[d].unit.turn;
		else if (event->kind == EVENT_PLACE || event->kind == EVENT_SESSION_END ||
			event->kind == EVENT_SESSION || event->kind == EVENT_TOOL_SAID)
			planning->turn_of[i] = NONE;
		else
			planning->turn_of[i] = is_signal(event) ? turn_of_signal(planning, i) :
								  turn_of_event(planning, i);
		take_event(planning, i);
	}
}

static void find_segments(struct planning *planning)
{
	for (size_t s = 0; s < planning->segment_count; s++) {
		const struct segment *segment = &planning->segments[s];
		size_t t = segment->turn;
		if (segment->event != NONE && t == NONE)
			t = planning->turn_of[segment->event];
		if (t != NONE)
			planning->turns[t].last = s;
	}
}

/* Whether a stop signal is about the last prompt or continuation of its turn, as far as keys tell. */
static bool stops_last(
	const struct planning *planning, const struct turn_draft *turn, const struct event *signal)
{
	if (turn->last == NONE || planning->segments[turn->last].event == NONE)
		return true;
	struct bytes key = event_at(planning, planning->segments[turn->last].event)->turn;
	return !key.len || !signal->turn.len || bytes_equal(key, signal->turn);
}

static void find_stops(struct planning *planning)
{
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		size_t t = planning->turn_of[i];
		if (event->kind != EVENT_TURN_END || event->agent.len || t == NONE)
			continue;
		struct turn_draft *turn = &planning->turns[t];
		if (stops_last(planning, turn, event))
			turn->stop = i;
		else
			turn->other_stop = i;
	}
}

/* Whether the native span of the last prompt or continuation has come, and when; 0: not. */
static uint64_t native_stop(const struct planning *planning, const struct turn_draft *turn,
	const struct lookup *natives, struct planning *writable)
{
	size_t segment = turn->last, event = NONE;
	if (segment != NONE)
		event = planning->segments[segment].event;
	if (event == NONE || event == turn->prompt)
		return turn->native == NONE ? 0 :
					      planning->question->held[turn->native]->received_ns;
	const struct event *said = event_at(planning, event);
	size_t native =
		lookup_first(natives, native_place(writable, said->trace_id, said->span_id));
	return native == NONE ? 0 : planning->question->held[native]->received_ns;
}

/* The next prompt of a person, or NONE. */
static size_t prompt_after(const struct planning *planning, size_t t)
{
	size_t low = 0, high = planning->segment_count;
	uint64_t start_ns = planning->turns[t].turn.start_ns;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (planning->segments[middle].time_ns <= start_ns)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == planning->segment_count)
		return NONE;
	return planning->segments[low].next;
}

static void close_turn(struct turn_draft *turn, enum turn_end end, uint64_t received_ns)
{
	if (turn->turn.end != TURN_IS_OPEN)
		return;
	turn->turn.end = end;
	turn->turn.end_received_ns = received_ns;
}

/* The last ends of the session's processes; by the CLI's clock where it told. */
struct session_ends {
	const struct held *told, *heard;
};

static void note_session_end(struct session_ends *ends, const struct held *end)
{
	if (!end->event.said_ns && (!ends->heard || end->received_ns > ends->heard->received_ns))
		ends->heard = end;
	if (end->event.said_ns && (!ends->told || end->event.said_ns > ends->told->event.said_ns))
		ends->told = end;
}

/* The one that ended this turn, or NULL: a session goes on in another process. */
static const struct held *session_end_of(const struct planning *planning,
	const struct turn_draft *turn, const struct session_ends *ends)
{
	const struct held *prompt =
		turn->prompt == NONE ? NULL : planning->question->held[turn->prompt];
	if (ends->told && turn->turn.start_ns <= ends->told->event.said_ns)
		return ends->told;
	bool is_heard = ends->heard && (!prompt || prompt->received_ns <= ends->heard->received_ns);
	return is_heard ? ends->heard : NULL;
}

static void settle_end(struct planning *planning, size_t t, const struct lookup *natives,
	const struct session_ends *ends)
{
	const struct plan_question *question = planning->question;
	struct turn_draft *turn = &planning->turns[t];
	uint64_t native_ns = native_stop(planning, turn, natives, planning);
	size_t next = prompt_after(planning, t);
	const struct held *session_end = session_end_of(planning, turn, ends);
	if (!turn->has_running && turn->stop != NONE)
		close_turn(turn, TURN_STOPPED, question->held[turn->stop]->received_ns);
	if (!turn->has_running && native_ns)
		close_turn(turn, TURN_STOPPED, native_ns);
	if (!turn->has_running && next != NONE)
		close_turn(turn, TURN_NEXT_PROMPT,
			planning->segments[next].event == NONE ?
				0 :
				question->held[planning->segments[next].event]->received_ns);
	if (session_end)
		close_turn(turn, TURN_SESSION_END, session_end->received_ns);
	turn->turn.reason = turn->turn.end;
	if (session_end && turn->turn.reason == TURN_IS_OPEN)
		turn->turn.reason = TURN_SESSION_END;
	bool must_go_on = turn->last_call == NONE ?
		turn->prompt == NONE || !event_at(planning, turn->prompt)->name.len :
		turn->asked_tools && turn->rejected == NONE;
	turn->turn.is_busy = turn->has_running ||
		(turn->stop == NONE && !native_ns && (turn->has_open || must_go_on));
}

static void settle_turn_ending(struct planning *planning, struct turn_draft *turn)
{
	const struct event *call =
		turn->last_call == NONE ? NULL : &planning->drafts[turn->last_call].unit.said;
	const struct event *stop = turn->stop == NONE ? NULL : event_at(planning, turn->stop);
	struct planned_turn *planned = &turn->turn;
	if ((call && call->ending == ENDING_FAILED) || (stop && stop->ending == ENDING_FAILED)) {
		planned->ending = ENDING_FAILED;
		planned->why = call && call->ending == ENDING_FAILED && call->error.len ?
			call->error :
			stop ? stop->error :
			       (struct bytes){ 0 };
	} else if (turn->rejected != NONE) {
		planned->ending = ENDING_REJECTED;
		planned->why = planning->drafts[turn->rejected].unit.said.error;
	} else if (!stop && (turn->asked_tools || (call && call->ending == ENDING_INTERRUPTED))) {
		planned->ending = ENDING_INTERRUPTED;
		planned->why = bytes_of(interrupted);
	}
}

/* What the last calls asked for, and what was said last. */
static void look_at_last(struct planning *planning)
{
	for (size_t d = 0; d < planning->draft_count; d++) {
		const struct draft *tool = &planning->drafts[d];
		if (tool->unit.kind != UNIT_TOOL || tool->agent != NONE || tool->asked_by == NONE)
			continue;
		struct turn_draft *turn = &planning->turns[tool->unit.turn];
		if (tool->asked_by != turn->last_call)
			continue;
		turn->asked_tools = true;
		if (is_rejected(tool))
			turn->rejected = d;
	}
	for (size_t c = planning->calls.count; c-- > 0;) {
		const struct draft *call = &planning->drafts[planning->calls.at[c]];
		struct said *output = &planning->turns[call->unit.turn].turn.output;
		if (call->agent == NONE && !output->text.len && !output->mark &&
			!call->unit.said.is_wordless)
			*output = call->unit.said.output;
	}
	for (size_t t = 0; t < planning->turn_count; t++) {
		struct turn_draft *turn = &planning->turns[t];
		size_t stop = turn->stop;
		if (stop == NONE && !turn->turn.output.text.len)
			stop = turn->other_stop;
		if (stop != NONE && event_at(planning, stop)->output.text.len)
			turn->turn.output = event_at(planning, stop)->output;
	}
}

static bool is_hook(const struct event *event)
{
	return event->kind == EVENT_TURN_END || event->kind == EVENT_PROMPT_NAMED ||
		event->kind == EVENT_WAITING || event->kind == EVENT_SESSION_END;
}

/* What is open ends with its turn. */
static void end_open(struct planning *planning)
{
	for (size_t d = 0; d < planning->draft_count; d++) {
		struct draft *draft = &planning->drafts[d];
		struct unit *unit = &draft->unit;
		if (unit->kind == UNIT_SESSION || unit->kind == UNIT_TURN)
			continue;
		const struct planned_turn *turn = &planning->turns[unit->turn].turn;
		if (unit->is_open && unit->kind != UNIT_AGENT)
			unit->end_ns = later(unit->start_ns, turn->end_ns);
		unit->is_late = turn->is_past;
		unit->is_complete = (draft->has_end || unit->kind == UNIT_NATIVE) &&
			has_partners(planning, draft) &&
			(!planning->question->has_logs || has_prompt(planning, unit->turn));
	}
}

static void settle_turns(struct planning *planning)
{
	const struct plan_question *question = planning->question;
	struct lookup natives = { .arena = planning->arena };
	struct session_ends ends = { 0 };
	bool has_hooks = false;
	for (size_t i = 0; i < question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		has_hooks |= is_hook(event);
		if (event->kind == EVENT_SESSION_END && !event->agent.len)
			note_session_end(&ends, question->held[i]);
		if (event->kind == EVENT_SPAN && event->native.role == ROLE_TURN)
			lookup_add(&natives,
				native_place(
					planning, event->native.trace_id, event->native.span_id),
				i);
	}
	lookup_sort(&natives);
	for (size_t t = 0; t < planning->turn_count; t++) {
		struct turn_draft *turn = &planning->turns[t];
		turn->turn.has_hooks = has_hooks;
		turn->turn.end_ns = later(turn->turn.end_ns, turn->turn.start_ns);
		turn->turn.prompt = turn->prompt == NONE ? NULL : question->held[turn->prompt];
		settle_turn_ending(planning, turn);
		settle_end(planning, t, &natives, &ends);
		bool is_command =
			turn->prompt == NONE || event_at(planning, turn->prompt)->name.len;
		turn->turn.is_nothing |= !turn->has_work && is_command && !turn->turn.is_past;
	}
}

void plan_outcomes(struct planning *planning)
{
	for (size_t d = 0; d < planning->draft_count; d++) {
		struct draft *draft = &planning->drafts[d];
		if (draft->unit.kind != UNIT_CALL && draft->unit.kind != UNIT_TOOL)
			continue;
		settle_begin(planning, draft);
		settle_ending(planning, draft);
		settle_times(planning, draft);
	}
	for (size_t d = 0; d < planning->draft_count; d++)
		if (planning->drafts[d].unit.kind == UNIT_CALL ||
			planning->drafts[d].unit.kind == UNIT_TOOL ||
			planning->drafts[d].unit.kind == UNIT_AGENT)
			take_work(planning, d);
	find_answers(planning);
	for (size_t a = 0; a < planning->agent_count; a++)
		if (planning->agents[a].draft != NONE)
			settle_agent(planning, &planning->agents[a]);
	place_events(planning);
	find_segments(planning);
	find_stops(planning);
	look_at_last(planning);
	settle_turns(planning);
	end_open(planning);
}
