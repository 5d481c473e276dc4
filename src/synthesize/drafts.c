/* What the events of one span say together. */
#include "synthesize/planning.h"

static void fill(struct bytes *gap, struct bytes text)
{
	if (!gap->len)
		*gap = text;
}

static void fill_number(uint64_t *gap, uint64_t number)
{
	if (!*gap)
		*gap = number;
}

/* Of two the fuller one, since logs and hooks cut what they say; a mark only where nothing is said. */
static void fill_said(struct said *into, const struct said *said)
{
	if (said->text.len > into->text.len)
		into->text = said->text;
	if (!into->mark)
		into->mark = said->mark;
}

/* What was rejected never ran, and what was interrupted did not fail by itself. */
static enum ending worse(enum ending a, enum ending b)
{
	static const int weight[] = { [ENDING_OK] = 0,
		[ENDING_FAILED] = 1,
		[ENDING_INTERRUPTED] = 2,
		[ENDING_REJECTED] = 3 };
	return weight[a] >= weight[b] ? a : b;
}

static void merge_ending(struct event *into, const struct event *event)
{
	if (event->kind != EVENT_CALL_BEGIN)
		into->ending = worse(into->ending, event->ending);
	fill(&into->error, event->error);
	fill(&into->error_type, event->error_type);
	if (event->has_exit_code && !into->has_exit_code) {
		into->has_exit_code = true;
		into->exit_code = event->exit_code;
	}
}

/* A log record knows tokens and cost better than a span. */
static void merge_figures(struct event *into, const struct event *event)
{
	bool is_log = event->kind != EVENT_SPAN;
	if (event->tokens.are_said && (is_log || !into->tokens.are_said))
		into->tokens = event->tokens;
	if (event->has_cost && (is_log || !into->has_cost)) {
		into->has_cost = true;
		into->cost_usd = event->cost_usd;
	}
}

static void merge_texts(struct event *into, const struct event *event)
{
	fill(&into->session, event->session);
	fill(&into->agent, event->agent);
	fill(&into->thread, event->thread);
	fill(&into->call, event->call);
	fill(&into->tool, event->tool);
	if (!is_signal(event)) {
		fill(&into->name, event->name);
		fill(&into->turn, event->turn);
	}
	fill(&into->model, event->model);
	fill(&into->side, event->side);
	fill(&into->tier, event->tier);
	fill(&into->user, event->user);
	fill_said(&into->input, &event->input);
	fill_said(&into->output, &event->output);
}

static void merge(struct event *into, const struct event *event)
{
	merge_texts(into, event);
	merge_figures(into, event);
	merge_ending(into, event);
	fill_number(&into->wait_ns, event->wait_ns);
	fill_number(&into->status_code, event->status_code);
	fill_number(&into->attempts, event->attempts);
	into->is_by_person |= event->is_by_person;
	into->is_background |= event->is_background;
	into->is_wordless |= event->is_wordless;
}

static bool ends(const struct event *event)
{
	return event->kind == EVENT_CALL || event->kind == EVENT_TOOL || event->kind == EVENT_AGENT;
}

/* ---- when ---- */

/* Times of the span itself count before those of log records. */
static void take_times(struct draft *draft, const struct event *event)
{
	struct unit *unit = &draft->unit;
	if (event->kind == EVENT_SPAN && !unit->native) {
		unit->native = event;
		unit->start_ns = event->native.start_ns;
		unit->end_ns = event->native.end_ns;
		if (unit->end_ns < unit->start_ns)
			unit->end_ns = unit->start_ns;
		draft->has_end = true;
	} else if (ends(event)) {
		draft->has_end = true;
		if (!unit->native) {
			unit->end_ns = event->time_ns;
			unit->start_ns = event->has_duration || !draft->has_begin ?
				event_start(event) :
				draft->begin_ns;
		}
	} else if (event->kind == EVENT_CALL_BEGIN || event->kind == EVENT_TOOL_BEGIN) {
		if (!draft->has_begin)
			draft->begin_ns = event_start(event);
		draft->has_begin = true;
	}
	if (!draft->has_end && !is_signal(event) && !unit->start_ns)
		unit->start_ns = unit->end_ns = event_start(event);
}

static void take_first_token(struct draft *draft, const struct event *event)
{
	if (event->kind == EVENT_CALL_BEGIN)
		draft->unit.said.first_token_ns = event->first_token_ns;
	else if (event->kind == EVENT_CALL && !event->has_duration && event->first_token_ns)
		draft->unit.said.first_token_ns += event->first_token_ns;
	else
		fill_number(&draft->unit.said.first_token_ns, event->first_token_ns);
}

/* ---- drafts ---- */

static void note_arrival(struct draft *draft, const struct held *held)
{
	struct unit *unit = &draft->unit;
	if (held->received_ns > unit->received_ns)
		unit->received_ns = held->received_ns;
	if (held->sequence < unit->sequence)
		unit->sequence = held->sequence;
	unit->has_span |= held->event.kind == EVENT_SPAN;
	unit->has_hook |= is_signal(&held->event);
	unit->has_log |= held->event.kind != EVENT_SPAN && !is_signal(&held->event);
}

static void take_event(struct planning *planning, struct draft *draft, size_t i)
{
	const struct event *event = event_at(planning, i);
	merge(&draft->unit.said, event);
	draft->is_side = draft->unit.said.side.len;
	take_times(draft, event);
	take_first_token(draft, event);
	note_arrival(draft, planning->question->held[i]);
	if (draft->agent == NONE)
		draft->agent = agent_of(planning, doer_of(event));
	if (draft->unit.turn == NONE && !is_signal(event) && event->kind != EVENT_SPAN)
		draft->unit.turn = turn_of_event(planning, i);
	if (draft->logged == NONE && (ends(event) || event->kind == EVENT_ANSWER) &&
		event->span_id.len && event->trace_id.len)
		draft->logged = i;
}

static enum unit_kind kind_of(const struct event *event)
{
	if (event->kind == EVENT_SPAN && event->native.role != ROLE_CALL &&
		event->native.role != ROLE_TOOL)
		return UNIT_NATIVE;
	bool is_call = event->kind == EVENT_CALL_BEGIN || event->kind == EVENT_CALL ||
		event->kind == EVENT_ANSWER || event->native.role == ROLE_CALL;
	return is_call ? UNIT_CALL : UNIT_TOOL;
}

static size_t add_draft(struct planning *planning, enum unit_kind kind, size_t first)
{
	struct draft *draft = &planning->drafts[planning->draft_count];
	*draft = (struct draft){ .unit = { .kind = kind, .turn = NONE, .sequence = UINT64_MAX },
		.agent = NONE,
		.first = first,
		.asked_by = NONE,
		.parent = NONE,
		.logged = NONE,
		.execution = NONE };
	draft->unit.said.cli = planning->question->cli;
	return planning->draft_count++;
}

static void make_calls_and_tools(struct planning *planning)
{
	for (size_t i = 0; i < planning->question->held_count; i++) {
		size_t leader = planning->leader[i];
		if (leader == NONE)
			continue;
		if (planning->draft_of[leader] == NONE)
			planning->draft_of[leader] =
				add_draft(planning, kind_of(event_at(planning, leader)), leader);
		planning->draft_of[i] = planning->draft_of[leader];
		take_event(planning, &planning->drafts[planning->draft_of[i]], i);
	}
	for (size_t d = 0; d < planning->draft_count; d++) {
		struct draft *draft = &planning->drafts[d];
		draft->is_cut = !draft->has_end && planning->cut_by[draft->first] != NONE;
	}
	for (size_t i = 0; i < planning->question->held_count; i++) {
		size_t said = planning->said_of[i];
		if (said == NONE || planning->draft_of[i] == NONE)
			continue;
		take_event(planning, &planning->drafts[planning->draft_of[i]], said);
		planning->draft_of[said] = planning->draft_of[i];
	}
}

/* ---- what native spans tell of others ---- */

/* The spans that a tool call runs in and waited in say how it ended and whether a person was asked. */
static void tell_tool(struct draft *tool, const struct event *event)
{
	struct event *said = &tool->unit.said;
	if (event->native.role == ROLE_WAIT && event->is_by_person &&
		event->native.end_ns > event->native.start_ns) {
		said->wait_ns = event->native.end_ns - event->native.start_ns;
		said->is_by_person = true;
	}
	merge_ending(said, event);
	fill_said(&said->input, &event->input);
	fill_said(&said->output, &event->output);
}

struct natives {
	struct lookup spans; /* native spans by place: events */
	struct lookup tools; /* drafts of tools by key */
	struct lookup logs, traces;
	size_t *next;   /* by event: the one that its turn is taken from */
	uint8_t *state; /* by event: 0 untouched, 1 on the way, 2 done */
};

static void find_natives(struct planning *planning, struct natives *natives)
{
	natives->spans.arena = natives->tools.arena = natives->logs.arena = natives->traces.arena =
		planning->arena;
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		bool is_span = event->kind == EVENT_SPAN;
		const struct bytes trace = is_span ? event->native.trace_id : event->trace_id;
		const struct bytes span = is_span ? event->native.span_id : event->span_id;
		if (is_signal(event) || !trace.len)
			continue;
		lookup_add(is_span ? &natives->spans : &natives->logs,
			native_place(planning, trace, span), i);
		if (!is_span || event->native.role == ROLE_TURN)
			lookup_add(&natives->traces, trace, i);
	}
	for (size_t d = 0; d < planning->draft_count; d++)
		if (planning->drafts[d].unit.kind == UNIT_TOOL &&
			planning->drafts[d].unit.said.tool.len)
			lookup_add(&natives->tools, planning->drafts[d].unit.said.tool, d);
	lookup_sort(&natives->spans);
	lookup_sort(&natives->logs);
	lookup_sort(&natives->traces);
	lookup_sort(&natives->tools);
}

static void set_executions(struct planning *planning, struct natives *natives)
{
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		if (event->kind != EVENT_SPAN || planning->draft_of[i] == NONE ||
			(event->native.role != ROLE_EXECUTION && event->native.role != ROLE_WAIT))
			continue;
		size_t tool = lookup_first(&natives->tools, event->tool);
		size_t parent = lookup_first(&natives->spans,
			native_place(planning, event->native.trace_id, event->native.parent_id));
		if (tool == NONE && parent != NONE)
			tool = planning->draft_of[parent];
		if (tool == NONE || planning->drafts[tool].unit.kind != UNIT_TOOL)
			continue;
		if (event->native.role == ROLE_EXECUTION &&
			planning->drafts[tool].execution == NONE)
			planning->drafts[tool].execution = planning->draft_of[i];
		tell_tool(&planning->drafts[tool], event);
	}
}

static size_t turn_known(struct planning *planning, size_t i)
{
	if (planning->draft_of[i] != NONE &&
		planning->drafts[planning->draft_of[i]].unit.turn != NONE)
		return planning->drafts[planning->draft_of[i]].unit.turn;
	return turn_of_event(planning, i);
}

/* Up the parents to one whose turn is known, then by the log records of the span or of the trace. */
static size_t turn_of_native(struct planning *planning, struct natives *natives, size_t i)
{
	const struct event *span = event_at(planning, i);
	struct bytes parent = native_place(planning, span->native.trace_id, span->native.parent_id);
	size_t log = lookup_first(&natives->logs, parent);
	if (log == NONE)
		log = lookup_first(&natives->traces, span->native.trace_id);
	return log == NONE || log == i ? NONE : turn_known(planning, log);
}

static void place_native(struct planning *planning, struct natives *natives, size_t start)
{
	size_t at = start, last = start, turn = NONE;
	while (at != NONE && natives->state[at] == 0) {
		natives->state[at] = 1;
		turn = turn_known(planning, at);
		last = at;
		if (turn != NONE)
			break;
		const struct event *span = event_at(planning, at);
		natives->next[at] = lookup_first(&natives->spans,
			native_place(planning, span->native.trace_id, span->native.parent_id));
		at = natives->next[at];
	}
	if (turn == NONE && at != NONE && natives->state[at] == 2)
		turn = turn_known(planning, at);
	if (turn == NONE)
		turn = turn_of_native(planning, natives, last);
	for (at = start; at != NONE && natives->state[at] == 1; at = natives->next[at]) {
		natives->state[at] = 2;
		if (planning->draft_of[at] != NONE &&
			planning->drafts[planning->draft_of[at]].unit.turn == NONE)
			planning->drafts[planning->draft_of[at]].unit.turn = turn;
	}
}

static void place_natives(struct planning *planning)
{
	struct natives natives = { 0 };
	size_t count = planning->question->held_count;
	natives.next = plan_indices(planning, count);
	natives.state = plan_alloc(planning, count, sizeof *natives.state);
	find_natives(planning, &natives);
	if (planning->arena->error)
		return;
	set_executions(planning, &natives);
	for (size_t i = 0; i < count; i++)
		if (event_at(planning, i)->kind == EVENT_SPAN)
			place_native(planning, &natives, i);
}

/* ---- turns, agents, the session ---- */

static void make_agents(struct planning *planning)
{
	for (size_t a = 0; a < planning->agent_count; a++) {
		struct agent *agent = &planning->agents[a];
		if (agent->first == NONE)
			continue;
		agent->draft = add_draft(planning, UNIT_AGENT, agent->first);
		struct draft *draft = &planning->drafts[agent->draft];
		draft->agent = a;
		draft->unit.turn = agent->turn;
		draft->unit.said.agent = agent->id;
		draft->unit.start_ns = draft->unit.end_ns = agent->begin_ns;
		draft->has_end = agent->end != NONE;
		draft->logged = agent->logged;
	}
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		bool is_about = event->kind == EVENT_AGENT || event->kind == EVENT_AGENT_BEGIN ||
			event->kind == EVENT_AGENT_NAMED || event->kind == EVENT_TURN_END;
		size_t a = is_about ? agent_of(planning, event->agent) : NONE;
		if (a == NONE || planning->agents[a].draft == NONE)
			continue;
		struct draft *draft = &planning->drafts[planning->agents[a].draft];
		struct event *said = &draft->unit.said;
		planning->draft_of[i] = planning->agents[a].draft;
		fill(&said->name, event->name);
		fill(&said->model, event->model);
		fill_said(&said->input, &event->input);
		fill_said(&said->output, &event->output);
		said->is_background |= event->is_background;
		if (!is_signal(event))
			merge_ending(said, event);
		note_arrival(draft, planning->question->held[i]);
	}
}

/* What no turn is known for goes to one that is none. */
static void place_orphans(struct planning *planning)
{
	for (size_t d = 0; d < planning->draft_count; d++) {
		struct draft *draft = &planning->drafts[d];
		if (draft->unit.turn != NONE)
			continue;
		if (planning->orphans == NONE)
			planning->orphans = plan_add_turn(
				planning, &(struct planned_turn){ .is_nothing = true });
		draft->unit.turn = planning->orphans;
	}
}

void plan_drafts(struct planning *planning)
{
	size_t count = planning->question->held_count;
	planning->orphans = planning->session = NONE;
	planning->draft_of = plan_indices(planning, count);
	bool *leads = plan_alloc(planning, count, sizeof *leads);
	/* The session's span and the turn of orphans come to those that are counted. */
	size_t most = 2 + planning->turn_count + planning->agent_count;
	for (size_t i = 0; leads && i < count; i++) {
		size_t leader = planning->leader[i];
		most += leader != NONE && !leads[leader];
		if (leader != NONE)
			leads[leader] = true;
	}
	planning->drafts = plan_alloc(planning, most, sizeof *planning->drafts);
	if (planning->arena->error)
		return;
	make_calls_and_tools(planning);
	place_natives(planning);
	if (planning->arena->error)
		return;
	make_agents(planning);
	place_orphans(planning);
	if (planning->arena->error)
		return;
	for (size_t t = 0; t < planning->turn_count; t++) {
		size_t d = add_draft(planning, UNIT_TURN, planning->turns[t].prompt);
		planning->turns[t].draft = d;
		planning->drafts[d].unit.turn = t;
		if (planning->turns[t].native != NONE)
			planning->drafts[d].unit.native =
				event_at(planning, planning->turns[t].native);
	}
	if (planning->question->scope == TRACE_PER_SESSION && planning->question->session.len &&
		!planning->question->has_spans)
		planning->session = add_draft(planning, UNIT_SESSION, NONE);
}
