/*
 * Which turns there are, and whose each event is.
 *
 * A turn is a person's prompt and what follows from it. Where the CLI has keys for turns they decide; without
 * them the time does, and what a subagent did belongs to the turn in which it was started, whenever that was.
 */
#include <stdio.h>
#include <stdlib.h>

#include "synthesize/planning.h"

enum {
	NOTICE_NS = 1000000000,     /* a background agent's end and the prompt that reports it */
	NAMED_NS = 5 * 1000000000L, /* the time in a turn's key and its prompt */
};

static bool is_prompt(const struct planning *planning, size_t i)
{
	const struct event *event = event_at(planning, i);
	return event->kind == EVENT_PROMPT && !event->agent.len && planning->continued[i] == NOBODY;
}

/* ---- continuations ---- */

static bool is_withheld(const struct said *said)
{
	return said->mark && !said->text.len;
}

/*
 * A prompt that was withheld, right behind the end of a background agent or behind another such prompt, is the
 * CLI's own report of it.
 */
static void find_reports(struct planning *planning)
{
	size_t reported = NOBODY;
	uint64_t at_ns = 0;
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		if (is_signal(event) || event->kind == EVENT_SPAN)
			continue;
		bool is_near = reported != NOBODY && event->time_ns - at_ns <= NOTICE_NS;
		if (is_near && is_prompt(planning, i) && is_withheld(&event->text) &&
			!event->name.len) {
			planning->continued[i] = reported;
			lookup_add(&planning->continuation_keys, event->turn, i);
		} else if (event->kind == EVENT_AGENT && event->is_background) {
			reported = agent_of(planning, event->agent);
		} else {
			reported = planning->continued[i];
		}
		at_ns = event->time_ns;
	}
}

static void find_continuations(struct planning *planning)
{
	struct lookup *keys = &planning->continuation_keys;
	size_t count = planning->question->held_count;
	for (size_t i = 0; i < count; i++) {
		const struct event *event = event_at(planning, i);
		planning->continued[i] = NOBODY;
		if (event->kind != EVENT_CONTINUATION &&
			(event->kind != EVENT_PROMPT_NAMED || !event->agent.len))
			continue;
		planning->continued[i] = agent_of(planning, event->agent);
		lookup_add(keys, event->turn, i);
	}
	lookup_sort(keys);
	for (size_t i = 0; i < count; i++) {
		const struct event *event = event_at(planning, i);
		size_t teller = lookup_first(keys, event->turn);
		if (event->kind == EVENT_PROMPT && teller != NONE)
			planning->continued[i] = planning->continued[teller];
	}
	find_reports(planning);
	lookup_sort(keys);
}

/* ---- the turns of prompts ---- */

size_t plan_add_turn(struct planning *planning, const struct planned_turn *turn)
{
	if (planning->turn_count == planning->turn_capacity) {
		size_t capacity = planning->turn_capacity * 2 + 16;
		struct turn_draft *at = plan_alloc(planning, capacity, sizeof *at);
		if (!at)
			return NONE;
		if (planning->turn_count)
			memcpy(at, planning->turns, planning->turn_count * sizeof *at);
		planning->turns = at;
		planning->turn_capacity = capacity;
	}
	planning->turns[planning->turn_count] = (struct turn_draft){
		.turn = *turn,
		.prompt = NONE,
		.logged = NONE,
		.native = NONE,
		.last = NONE,
		.draft = NONE,
		.last_call = NONE,
		.rejected = NONE,
		.stop = NONE,
		.other_stop = NONE,
	};
	return planning->turn_count++;
}

static struct bytes key_at(struct planning *planning, struct bytes before, uint64_t time_ns)
{
	char text[32];
	size_t len = (size_t)snprintf(text, sizeof text, "@%llu", (unsigned long long)time_ns);
	uint8_t *at = arena_alloc(planning->arena, before.len + len);
	if (!at)
		return (struct bytes){ 0 };
	if (before.len)
		memcpy(at, before.at, before.len);
	memcpy(at + before.len, text, len);
	return (struct bytes){ at, before.len + len };
}

static void add_past(struct planning *planning, struct lookup *past)
{
	const struct plan_question *question = planning->question;
	for (size_t i = 0; i < question->past_count; i++) {
		const struct past_turn *turn = &question->past[i];
		size_t index = plan_add_turn(planning,
			&(struct planned_turn){ .key = turn->key,
				.number = turn->number,
				.start_ns = turn->start_ns,
				.is_past = true });
		lookup_add(past, turn->key, index);
		lookup_add(&planning->turn_keys, turn->key, index);
	}
	lookup_sort(past);
}

static size_t turn_of_prompt(struct planning *planning, const struct lookup *past, struct bytes key,
	size_t before, const struct event *prompt)
{
	size_t known = lookup_first(past, key);
	if (before == NONE && known == NONE)
		return plan_add_turn(planning,
			&(struct planned_turn){ .key = key, .start_ns = prompt->time_ns });
	if (before == NONE && prompt->time_ns <= planning->turns[known].turn.start_ns)
		return known;
	/* A key that was used before, as by a CLI that counts anew in each process. */
	key = key_at(planning, prompt->turn, prompt->time_ns);
	known = lookup_first(past, key);
	return known != NONE ?
		known :
		plan_add_turn(planning,
			&(struct planned_turn){ .key = key, .start_ns = prompt->time_ns });
}

/* Prompts by key, and of one key by time; each that has a time of its own begins a turn. */
static void add_prompts(struct planning *planning, const struct lookup *past, struct lookup *keys)
{
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		if (is_prompt(planning, i))
			lookup_add(keys,
				event->turn.len ? event->turn :
						  key_at(planning, event->turn, event->time_ns),
				i);
	}
	lookup_sort(keys);
	size_t before = NONE;
	for (size_t k = 0; k < keys->count; k++) {
		const struct event *prompt = event_at(planning, keys->at[k].value);
		if (k && !bytes_equal(keys->at[k].key, keys->at[k - 1].key))
			before = NONE;
		bool is_same = before != NONE &&
			prompt->time_ns == event_at(planning, keys->at[k - 1].value)->time_ns;
		if (!is_same)
			before = turn_of_prompt(planning, past, keys->at[k].key, before, prompt);
		if (before == NONE)
			return;
		planning->turn_of[keys->at[k].value] = before;
		if (planning->turns[before].prompt == NONE)
			planning->turns[before].prompt = keys->at[k].value;
		if (!is_same)
			lookup_add(&planning->turn_keys, keys->at[k].key, before);
	}
}

/* ---- turns whose prompt is not known ---- */

/* Where prompts have no keys, a key that comes with something else is no turn by itself. */
static bool prompts_lack_keys(const struct planning *planning)
{
	for (size_t t = 0; t < planning->turn_count; t++)
		if (bytes_start_with(planning->turns[t].turn.key, "@"))
			return true;
	return false;
}

static void add_keyed(struct planning *planning)
{
	struct lookup keys = { .arena = planning->arena };
	if (prompts_lack_keys(planning))
		return;
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		if (event->turn.len && !is_signal(event) && event->kind != EVENT_SESSION &&
			planning->continued[i] == NOBODY &&
			lookup_first(&planning->continuation_keys, event->turn) == NONE &&
			lookup_first(&planning->turn_keys, event->turn) == NONE)
			lookup_add(&keys, event->turn, i);
	}
	lookup_sort(&keys);
	for (size_t k = 0; k < keys.count; k++) {
		if (k && bytes_equal(keys.at[k].key, keys.at[k - 1].key))
			continue;
		struct planned_turn turn = { .key = keys.at[k].key,
			.start_ns = event_start(event_at(planning, keys.at[k].value)) };
		lookup_add(&planning->turn_keys, turn.key, plan_add_turn(planning, &turn));
	}
	lookup_sort(&planning->turn_keys);
}

/* ---- segments ---- */

static int compare_segments(const void *a, const void *b)
{
	const struct segment *first = a, *second = b;
	if (first->time_ns != second->time_ns)
		return first->time_ns < second->time_ns ? -1 : 1;
	return (first->event > second->event) - (first->event < second->event);
}

static void make_segments(struct planning *planning)
{
	size_t count = planning->question->held_count;
	planning->segments =
		plan_alloc(planning, planning->turn_count + count, sizeof *planning->segments);
	if (!planning->segments)
		return;
	for (size_t t = 0; t < planning->turn_count; t++)
		if (planning->turns[t].turn.is_past)
			planning->segments[planning->segment_count++] =
				(struct segment){ .time_ns = planning->turns[t].turn.start_ns,
					.event = NONE,
					.turn = t,
					.agent = NONE };
	for (size_t i = 0; i < count; i++) {
		const struct event *event = event_at(planning, i);
		bool is_own = planning->turn_of[i] != NONE && event->kind == EVENT_PROMPT;
		bool goes_on = planning->continued[i] != NOBODY && !is_signal(event) &&
			event->kind != EVENT_SPAN;
		if (is_own || goes_on)
			planning->segments[planning->segment_count++] =
				(struct segment){ .time_ns = event->time_ns,
					.event = i,
					.turn = is_own ? planning->turn_of[i] : NONE,
					.agent = is_own ? NONE : planning->continued[i] };
	}
	if (planning->segment_count)
		qsort(planning->segments, planning->segment_count, sizeof *planning->segments,
			compare_segments);
	for (size_t s = 0, before = NONE; s < planning->segment_count; s++) {
		if (planning->segments[s].turn != NONE)
			before = s;
		planning->segments[s].before = before;
	}
	for (size_t s = planning->segment_count, next = NONE; s-- > 0;) {
		if (planning->segments[s].turn != NONE)
			next = s;
		planning->segments[s].next = next;
	}
}

/* The last segment that began by then, or NONE. */
static size_t segment_at(const struct planning *planning, uint64_t time_ns)
{
	size_t low = 0, high = planning->segment_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (planning->segments[middle].time_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : NONE;
}

/* ---- where an event belongs ---- */

/* A turn, or that of an agent, or neither. */
struct place {
	size_t turn, agent;
};

static const struct place nowhere = { NONE, NONE };

static struct place place_at(const struct planning *planning, uint64_t time_ns)
{
	size_t segment = segment_at(planning, time_ns);
	if (segment == NONE)
		return nowhere;
	return (struct place){ planning->segments[segment].turn,
		planning->segments[segment].agent };
}

/* Of several turns with one key the last that had begun, else the first. */
static size_t turn_keyed(const struct planning *planning, struct bytes key, uint64_t time_ns)
{
	size_t count, low = 0;
	const struct lookup_entry *entries = lookup_all(&planning->turn_keys, key, &count);
	for (size_t high = count; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (planning->turns[entries[middle].value].turn.start_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return count ? entries[low ? low - 1 : 0].value : NONE;
}

/* The turn that was going on: the last prompt of a person by then. */
static size_t turn_before(const struct planning *planning, uint64_t time_ns)
{
	size_t segment = segment_at(planning, time_ns);
	size_t before = segment == NONE ? NONE : planning->segments[segment].before;
	return before == NONE ? NONE : planning->segments[before].turn;
}

static struct place place_of_key(
	const struct planning *planning, struct bytes key, uint64_t time_ns)
{
	size_t teller = lookup_first(&planning->continuation_keys, key);
	if (teller != NONE) {
		size_t agent = planning->continued[teller];
		const struct event *event = event_at(planning, teller);
		if (agent == NONE && !is_signal(event))
			return (struct place){ turn_before(planning, event->time_ns), NONE };
		return (struct place){ NONE, agent };
	}
	size_t turn = key.len ? turn_keyed(planning, key, time_ns) : NONE;
	if (turn == NONE)
		turn = lookup_first(&planning->alias_keys, key);
	return (struct place){ turn, NONE };
}

static bool is_found(struct place place)
{
	return place.turn != NONE || place.agent != NONE;
}

static uint64_t time_of(const struct event *event)
{
	return event->kind == EVENT_SPAN ? event->native.start_ns : event_start(event);
}

static struct place place_of(const struct planning *planning, size_t i)
{
	const struct event *event = event_at(planning, i);
	size_t doer = agent_of(planning, doer_of(event));
	if (planning->turn_of[i] != NONE)
		return (struct place){ planning->turn_of[i], NONE };
	if (doer != NONE)
		return (struct place){ NONE, doer };
	if (planning->continued[i] != NOBODY && planning->continued[i] != NONE)
		return (struct place){ NONE, planning->continued[i] };
	struct place place = place_of_key(planning, event->turn, time_of(event));
	bool has_time = !is_signal(event) && event->kind != EVENT_SPAN;
	return is_found(place) || !has_time ? place : place_at(planning, time_of(event));
}

/* ---- native spans of turns ---- */

/* Log records by the span that they were written in, prompts before all else, and by trace. */
struct logged {
	struct lookup prompts, spans, traces;
};

static void find_logged(struct planning *planning, struct logged *logged)
{
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		if (is_signal(event) || event->kind == EVENT_SPAN || !event->trace_id.len)
			continue;
		struct bytes place = native_place(planning, event->trace_id, event->span_id);
		bool begins = event->kind == EVENT_PROMPT || event->kind == EVENT_CONTINUATION;
		if (place.len && begins)
			lookup_add(&logged->prompts, place, i);
		if (place.len && !doer_of(event).len)
			lookup_add(&logged->spans, place, i);
		lookup_add(&logged->traces, event->trace_id, i);
	}
	lookup_sort(&logged->prompts);
	lookup_sort(&logged->spans);
	lookup_sort(&logged->traces);
}

/* The log record that tells which turn a native span is, or NONE. */
static size_t teller_of(struct planning *planning, const struct logged *logged,
	const struct lookup *native_traces, const struct event *span)
{
	struct bytes place = native_place(planning, span->native.trace_id, span->native.span_id);
	size_t count, teller = lookup_first(&logged->prompts, place);
	if (teller == NONE)
		teller = lookup_first(&logged->spans, place);
	lookup_all(native_traces, span->native.trace_id, &count);
	if (teller == NONE && count == 1)
		teller = lookup_first(&logged->traces, span->native.trace_id);
	return teller;
}

static size_t own_turn(struct planning *planning, size_t i)
{
	const struct event *span = event_at(planning, i);
	struct bytes key = span->turn.len ?
		span->turn :
		key_at(planning, (struct bytes){ 0 }, span->native.start_ns);
	size_t turn = lookup_first(&planning->turn_keys, key);
	if (turn != NONE)
		return turn;
	turn = plan_add_turn(
		planning, &(struct planned_turn){ .key = key, .start_ns = span->native.start_ns });
	if (turn != NONE)
		planning->turns[turn].prompt = i;
	return turn;
}

/* A span whose ids came before is nothing by itself, whatever else it says. */
static void find_repeated(struct planning *planning)
{
	struct lookup places = { .arena = planning->arena };
	size_t count = planning->question->held_count;
	planning->is_repeated = plan_alloc(planning, count, sizeof *planning->is_repeated);
	for (size_t i = 0; i < count; i++) {
		const struct native_span *span = &event_at(planning, i)->native;
		if (event_at(planning, i)->kind == EVENT_SPAN)
			lookup_add(
				&places, native_place(planning, span->trace_id, span->span_id), i);
	}
	lookup_sort(&places);
	for (size_t k = 1; planning->is_repeated && k < places.count; k++)
		if (bytes_equal(places.at[k].key, places.at[k - 1].key))
			planning->is_repeated[places.at[k].value] = true;
}

/* By a log record: its turn, or that it goes on with an agent's. */
static size_t turn_told(struct planning *planning, size_t i, size_t teller)
{
	const struct event *told = event_at(planning, teller);
	size_t continuation = planning->continued[teller] != NOBODY ?
		teller :
		lookup_first(&planning->continuation_keys, told->turn);
	if (continuation != NONE) {
		planning->continued[i] = planning->continued[continuation];
		return NONE;
	}
	size_t turn = planning->turn_of[teller];
	if (turn == NONE)
		turn = place_of_key(planning, told->turn, told->time_ns).turn;
	return turn == NONE && !doer_of(told).len ? turn_of_event(planning, teller) : turn;
}

/* A span of a continuation stays one of its own; what no log tells of is a turn by itself. */
static void add_native(struct planning *planning)
{
	struct logged logged = { { .arena = planning->arena }, { .arena = planning->arena },
		{ .arena = planning->arena } };
	struct lookup traces = { .arena = planning->arena };
	find_logged(planning, &logged);
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		if (event->kind == EVENT_SPAN && event->native.role == ROLE_TURN &&
			!planning->is_repeated[i])
			lookup_add(&traces, event->native.trace_id, i);
	}
	lookup_sort(&traces);
	for (size_t k = 0; k < traces.count && !planning->arena->error; k++) {
		size_t i = traces.at[k].value;
		size_t teller = teller_of(planning, &logged, &traces, event_at(planning, i));
		bool is_told = teller != NONE && !event_at(planning, i)->turn.len;
		size_t turn = is_told ? turn_told(planning, i, teller) : own_turn(planning, i);
		planning->turn_of[i] = turn;
		if (turn != NONE && planning->turns[turn].native == NONE)
			planning->turns[turn].native = i;
	}
}

/* ---- the turns of agents ---- */

/* The first event of each tool call, by key. */
static void find_tools(struct planning *planning, struct lookup *tools)
{
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		if (event->tool.len &&
			(event->kind == EVENT_TOOL || event->kind == EVENT_TOOL_BEGIN))
			lookup_add(tools, event->tool, i);
	}
	lookup_sort(tools);
}

/* Where it was started, the best that is said of it. */
static struct place origin_of(
	const struct planning *planning, const struct lookup *tools, const struct agent *agent)
{
	struct place place = nowhere;
	if (agent->keyed != NONE) {
		const struct event *event = event_at(planning, agent->keyed);
		place = place_of_key(planning, event->turn, time_of(event));
	}
	size_t tool = agent->teller != NONE ? agent->teller : lookup_first(tools, agent->tool_key);
	if (!is_found(place) && tool != NONE)
		place = place_of(planning, tool);
	if (!is_found(place) && agent->parent != NONE)
		place.agent = agent->parent;
	if (!is_found(place) && agent->begin_ns)
		place = place_at(planning, agent->begin_ns);
	return place;
}

/* Follows who started whom to one whose turn is known. In a circle nobody's is: then the time tells. */
static void resolve_agents(struct planning *planning)
{
	struct lookup tools = { .arena = planning->arena };
	size_t *path = plan_indices(planning, planning->agent_count);
	size_t *walk = plan_indices(planning, planning->agent_count);
	bool *is_done = plan_alloc(planning, planning->agent_count, sizeof *is_done);
	find_tools(planning, &tools);
	if (planning->arena->error)
		return;
	for (size_t start = 0; start < planning->agent_count; start++) {
		size_t at = start, length = 0, turn = NONE;
		while (at != NONE && !is_done[at] && walk[at] != start) {
			struct place place = origin_of(planning, &tools, &planning->agents[at]);
			walk[at] = start;
			path[length++] = at;
			turn = place.turn;
			at = place.agent;
		}
		if (at != NONE && is_done[at])
			turn = planning->agents[at].turn;
		if (turn == NONE && length)
			turn = turn_before(planning, planning->agents[start].begin_ns);
		for (size_t i = 0; i < length; i++) {
			planning->agents[path[i]].turn = turn;
			is_done[path[i]] = true;
		}
	}
}

size_t turn_of_event(const struct planning *planning, size_t i)
{
	struct place place = place_of(planning, i);
	if (place.turn == NONE && place.agent != NONE) {
		place.turn = planning->agents[place.agent].turn;
		/* An agent that nothing is known of. */
		if (place.turn == NONE && !is_signal(event_at(planning, i)))
			place.turn = turn_before(planning, time_of(event_at(planning, i)));
	}
	return place.turn;
}

/* ---- signals ---- */

/* The prompt that is nearest to when a turn began by its key, or NONE. */
static size_t turn_near(const struct planning *planning, uint64_t time_ns)
{
	size_t segment = segment_at(planning, time_ns), best = NONE;
	uint64_t nearest = NAMED_NS;
	for (size_t s = segment == NONE ? 0 : segment; s < planning->segment_count; s++) {
		const struct segment *at = &planning->segments[s];
		uint64_t apart =
			at->time_ns > time_ns ? at->time_ns - time_ns : time_ns - at->time_ns;
		if (at->turn != NONE && apart <= nearest) {
			nearest = apart;
			best = at->turn;
		}
		if (at->time_ns > time_ns)
			break;
	}
	return best;
}

/* A prompt is named at once; whatever else is said may come long after it. */
static size_t turn_when_said(const struct planning *planning, const struct event *signal)
{
	return signal->kind == EVENT_PROMPT_NAMED ? turn_near(planning, signal->said_ns) :
						    turn_before(planning, signal->said_ns);
}

static void find_texts(struct planning *planning, enum event_kind kind, struct lookup *texts)
{
	texts->arena = planning->arena;
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		bool is_meant = kind == EVENT_PROMPT ? is_prompt(planning, i) : event->kind == kind;
		if (is_meant && event->text.text.len && !(is_signal(event) && event->agent.len))
			lookup_add(texts, event->text.text, i);
	}
	lookup_sort(texts);
}

/* Signals of a text to the prompts of that text, one to one in their order. */
static void match_texts(
	struct planning *planning, const struct lookup *prompts, enum event_kind kind)
{
	struct lookup signals = { 0 };
	size_t first = 0, count;
	find_texts(planning, kind, &signals);
	for (size_t s = 0; s < signals.count; s++) {
		size_t signal = signals.at[s].value;
		if (s && !bytes_equal(signals.at[s].key, signals.at[s - 1].key))
			first = s;
		const struct lookup_entry *same = lookup_all(prompts, signals.at[s].key, &count);
		if (s - first < count && planning->turn_of[signal] == NONE)
			planning->turn_of[signal] = planning->turn_of[same[s - first].value];
	}
}

/* What the keys are of turns whose prompts have none. */
static void find_aliases(struct planning *planning)
{
	struct lookup prompts = { 0 };
	size_t count = planning->question->held_count;
	for (size_t i = 0; i < count; i++) {
		const struct event *event = event_at(planning, i);
		if (!is_signal(event) || event->agent.len)
			continue;
		planning->turn_of[i] = place_of_key(planning, event->turn, event->turn_ns).turn;
		if (planning->turn_of[i] == NONE && event->turn_ns)
			planning->turn_of[i] = turn_near(planning, event->turn_ns);
		if (planning->turn_of[i] == NONE && event->said_ns)
			planning->turn_of[i] = turn_when_said(planning, event);
	}
	find_texts(planning, EVENT_PROMPT, &prompts);
	match_texts(planning, &prompts, EVENT_PROMPT_NAMED);
	for (size_t i = 0; i < count; i++) {
		const struct event *event = event_at(planning, i);
		if (event->turn.len && is_signal(event) && planning->turn_of[i] != NONE)
			lookup_add(&planning->alias_keys, event->turn, planning->turn_of[i]);
	}
	lookup_sort(&planning->alias_keys);
	match_texts(planning, &prompts, EVENT_TURN_END);
}

size_t turn_of_signal(const struct planning *planning, size_t i)
{
	const struct event *event = event_at(planning, i);
	size_t turn = planning->turn_of[i];
	if (turn == NONE)
		turn = turn_of_event(planning, i);
	if (turn == NONE && !event->turn.len && !event->text.text.len)
		turn = turn_before(planning, UINT64_MAX);
	return turn;
}

void plan_turns(struct planning *planning)
{
	struct lookup past = { .arena = planning->arena }, keys = { .arena = planning->arena };
	planning->turn_keys.arena = planning->continuation_keys.arena = planning->alias_keys.arena =
		planning->arena;
	planning->continued = plan_indices(planning, planning->question->held_count);
	planning->turn_of = plan_indices(planning, planning->question->held_count);
	if (planning->arena->error)
		return;
	find_repeated(planning);
	find_continuations(planning);
	add_past(planning, &past);
	if (planning->arena->error)
		return;
	add_prompts(planning, &past, &keys);
	lookup_sort(&planning->turn_keys);
	add_keyed(planning);
	make_segments(planning);
	if (planning->arena->error)
		return;
	add_native(planning);
	if (planning->arena->error)
		return;
	find_aliases(planning);
	resolve_agents(planning);
}
