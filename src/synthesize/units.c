/*
 * Which spans there are: events of one call, one tool call or one native span come together under a leader,
 * the first of them, and what they say is merged.
 */
#include "dialects/saying.h"
#include "synthesize/planning.h"

enum {
	NEAR_NS = 100 *
		1000000, /* between a native span's end and its log record, neither of which has a key */
	NEAR_MAX = 64, /* records looked at for one */
};

static struct bytes two_keys(struct planning *planning, struct bytes first, struct bytes second)
{
	uint8_t *at = arena_alloc(planning->arena, first.len + 1 + second.len);
	if (!at)
		return (struct bytes){ 0 };
	if (first.len)
		memcpy(at, first.at, first.len);
	at[first.len] = 0;
	if (second.len)
		memcpy(at + first.len + 1, second.at, second.len);
	return (struct bytes){ at, first.len + 1 + second.len };
}

static bool is_role(const struct event *event, enum role role)
{
	return event->kind == EVENT_SPAN && event->native.role == role;
}

static bool is_of_call(const struct event *event)
{
	return event->kind == EVENT_CALL_BEGIN || event->kind == EVENT_CALL ||
		event->kind == EVENT_ANSWER || is_role(event, ROLE_CALL);
}

static bool is_of_tool(const struct event *event)
{
	return event->kind == EVENT_TOOL_BEGIN || event->kind == EVENT_TOOL ||
		is_role(event, ROLE_TOOL);
}

/* ---- by key ---- */

static void lead_keyed(struct planning *planning, bool (*is_meant)(const struct event *),
	struct bytes (*key_of)(const struct event *), struct lookup *keys)
{
	size_t count = planning->question->held_count;
	size_t *span_of = plan_indices(planning, count);
	keys->arena = planning->arena;
	for (size_t i = 0; i < count; i++)
		if (is_meant(event_at(planning, i)) && key_of(event_at(planning, i)).len &&
			!planning->is_repeated[i])
			lookup_add(keys, key_of(event_at(planning, i)), i);
	lookup_sort(keys);
	for (size_t i = 0; i < count && span_of; i++) {
		const struct event *event = event_at(planning, i);
		if (!is_meant(event) || !key_of(event).len || planning->is_repeated[i])
			continue;
		size_t leader = lookup_first(keys, key_of(event));
		/* One call has one native span; another one of its key is a span of its own. */
		if (event->kind == EVENT_SPAN && span_of[leader] == NONE)
			span_of[leader] = i;
		bool is_other = event->kind == EVENT_SPAN && span_of[leader] != i;
		planning->leader[i] = is_other ? i : leader;
	}
}

static struct bytes call_key(const struct event *event)
{
	return event->call;
}

static struct bytes tool_key(const struct event *event)
{
	return event->tool;
}

/* ---- calls without keys ---- */

/* What is going on in a thread. */
struct thread {
	size_t begun;   /* EVENT_CALL_BEGIN that has no end yet */
	size_t latest;  /* leader of the last call */
	bool was_fresh; /* at that beginning no prompt had come */
};

/* Some CLIs open their connection with a call of no tokens before there is a prompt. */
static bool is_warm_up(const struct event *event, bool was_fresh)
{
	const struct tokens *tokens = &event->tokens;
	return was_fresh && !event->call.len && event->ending == ENDING_OK && tokens->are_said &&
		!tokens->input && !tokens->cache_read && !tokens->cache_write && !tokens->output;
}

static void end_call(struct planning *planning, struct thread *thread, size_t i, bool is_fresh)
{
	const struct event *event = event_at(planning, i);
	bool has_begun = !event->has_duration && thread->begun != NONE;
	size_t begun = thread->begun;
	if (has_begun) {
		thread->begun = NONE;
		if (planning->leader[i] == NONE)
			planning->leader[i] = begun;
		else
			planning->leader[begun] = planning->leader[i];
	} else if (planning->leader[i] == NONE) {
		planning->leader[i] = i;
	}
	if (is_warm_up(event, has_begun ? thread->was_fresh : is_fresh)) {
		planning->leader[i] = NONE;
		if (has_begun)
			planning->leader[begun] = NONE;
		return;
	}
	thread->latest = planning->leader[i];
}

static void lead_calls(struct planning *planning)
{
	struct lookup ids = { .arena = planning->arena };
	size_t count = planning->question->held_count;
	for (size_t i = 0; i < count; i++) {
		const struct event *event = event_at(planning, i);
		if (is_of_call(event) && event->kind != EVENT_SPAN)
			lookup_add(&ids, two_keys(planning, event->agent, event->thread), i);
	}
	lookup_sort(&ids);
	struct thread *threads = plan_alloc(planning, ids.count, sizeof *threads);
	size_t *thread_of = plan_indices(planning, count);
	if (planning->arena->error)
		return;
	for (size_t k = 0, slot = 0; k < ids.count; k++) {
		if (k && !bytes_equal(ids.at[k].key, ids.at[k - 1].key))
			slot = k;
		threads[slot] = (struct thread){ NONE, NONE, false };
		thread_of[ids.at[k].value] = slot;
	}
	bool is_fresh = planning->question->past_count == 0;
	for (size_t i = 0; i < count; i++) {
		const struct event *event = event_at(planning, i);
		if (event->kind == EVENT_SESSION && !event->agent.len)
			is_fresh = true;
		else if (event->kind == EVENT_PROMPT && !event->agent.len)
			is_fresh = false;
		if (thread_of[i] == NONE)
			continue;
		struct thread *thread = &threads[thread_of[i]];
		if (event->kind == EVENT_CALL_BEGIN && planning->leader[i] == NONE) {
			if (thread->begun != NONE)
				planning->cut_by[thread->begun] = i;
			planning->leader[i] = thread->latest = thread->begun = i;
			thread->was_fresh = is_fresh || event->agent.len;
		} else if (event->kind == EVENT_CALL) {
			end_call(planning, thread, i, is_fresh || event->agent.len);
		} else if (event->kind == EVENT_ANSWER && planning->leader[i] == NONE) {
			planning->leader[i] = thread->latest;
		}
	}
}

/* ---- tool calls without keys ---- */

/* Those that began are ended in their order by those of the same agent and name. */
static void lead_tools(struct planning *planning)
{
	struct lookup begun = { .arena = planning->arena };
	size_t count = planning->question->held_count;
	for (size_t i = 0; i < count; i++) {
		const struct event *event = event_at(planning, i);
		if (event->kind != EVENT_TOOL_BEGIN || event->tool.len)
			continue;
		planning->leader[i] = i;
		lookup_add(&begun, two_keys(planning, event->agent, event->name), i);
	}
	lookup_sort(&begun);
	size_t *taken = plan_alloc(planning, begun.count, sizeof *taken);
	for (size_t i = 0; taken && i < count; i++) {
		const struct event *event = event_at(planning, i);
		size_t same = 0;
		if (event->kind != EVENT_TOOL || event->tool.len)
			continue;
		planning->leader[i] = i;
		if (!begun.count)
			continue;
		const struct lookup_entry *entries =
			lookup_all(&begun, two_keys(planning, event->agent, event->name), &same);
		if (!same)
			continue;
		size_t *next = &taken[entries - begun.at];
		if (*next < same && entries[*next].value < i)
			planning->leader[i] = entries[(*next)++].value;
	}
}

/* ---- what hooks say of tool calls without keys ---- */

static struct bytes input_key(struct planning *planning, const struct event *event, bool with_input)
{
	uint8_t *at = arena_alloc(planning->arena, 16);
	struct bytes parts[] = { event->name, { 0 } };
	if (with_input)
		parts[1] = canonical_json(event->input.text, planning->arena);
	if (at)
		ids_make(&planning->ids, "said", parts, 1 + with_input, at, 16);
	return (struct bytes){ at, at ? 16 : 0 };
}

static bool adds_something(const struct event *event)
{
	return event->output.text.len || event->output.mark || event->error.len ||
		event->ending != ENDING_OK;
}

/*
 * The last of the calls that had begun by then and of which nothing is said yet; none that had ended when another
 * of them began. The calls are in the order of their ends.
 */
static size_t call_at(const struct planning *planning, const struct lookup_entry *calls,
	size_t count, uint64_t said_ns)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (event_at(planning, calls[middle].value)->time_ns < said_ns)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = 0; i < NEAR_MAX && low < count; i++, low++)
		if (event_start(event_at(planning, calls[low].value)) > said_ns)
			break;
	uint64_t begun_ns = 0;
	for (size_t i = 0; i < NEAR_MAX && low > 0; i++, low--) {
		const struct event *call = event_at(planning, calls[low - 1].value);
		if (call->time_ns < begun_ns)
			break;
		if (planning->said_of[planning->leader[calls[low - 1].value]] == NONE)
			return calls[low - 1].value;
		if (begun_ns < event_start(call))
			begun_ns = event_start(call);
	}
	return NONE;
}

/* By name and input, and by time; a call whose input was withheld by name and time. */
static void match_said(struct planning *planning, bool with_input)
{
	struct lookup calls = { .arena = planning->arena }, said = { .arena = planning->arena };
	for (size_t i = 0; i < planning->question->held_count; i++) {
		const struct event *event = event_at(planning, i);
		bool is_call = event->kind == EVENT_TOOL && !event->tool.len &&
			(event->input.text.len > 0) == with_input;
		bool is_said =
			event->kind == EVENT_TOOL_SAID && !event->tool.len && adds_something(event);
		if (is_call)
			lookup_add(&calls, input_key(planning, event, with_input), i);
		else if (is_said)
			lookup_add(&said, input_key(planning, event, with_input), i);
	}
	lookup_sort(&calls);
	lookup_sort(&said);
	for (size_t s = 0; s < said.count; s++) {
		size_t count;
		const struct lookup_entry *same = lookup_all(&calls, said.at[s].key, &count);
		uint64_t said_ns = event_at(planning, said.at[s].value)->said_ns;
		if (!said_ns && count == 1)
			said_ns = UINT64_MAX;
		size_t call = call_at(planning, same, said_ns ? count : 0, said_ns);
		if (call != NONE)
			planning->said_of[planning->leader[call]] = said.at[s].value;
	}
}

/* ---- native spans ---- */

struct bytes native_place(struct planning *planning, struct bytes trace_id, struct bytes span_id)
{
	return trace_id.len && span_id.len ? two_keys(planning, trace_id, span_id) :
					     (struct bytes){ 0 };
}

/* A native call without a key and the log record that tells of the same. */
static void join_unkeyed(struct planning *planning)
{
	struct lookup logged = { .arena = planning->arena };
	size_t count = planning->question->held_count;
	for (size_t i = 0; i < count; i++) {
		const struct event *event = event_at(planning, i);
		if (event->kind == EVENT_CALL && !event->call.len && event->trace_id.len)
			lookup_add(&logged, two_keys(planning, event->trace_id, event->agent), i);
	}
	lookup_sort(&logged);
	bool *is_taken = plan_alloc(planning, count, sizeof *is_taken);
	for (size_t i = 0; is_taken && i < count && logged.count; i++) {
		const struct event *event = event_at(planning, i);
		size_t same = 0, low = 0;
		if (!is_role(event, ROLE_CALL) || event->call.len || planning->is_repeated[i])
			continue;
		const struct lookup_entry *entries = lookup_all(
			&logged, two_keys(planning, event->native.trace_id, event->agent), &same);
		uint64_t end_ns = event->native.end_ns;
		for (size_t high = same; low < high;) {
			size_t middle = low + (high - low) / 2;
			if (event_at(planning, entries[middle].value)->time_ns + NEAR_NS < end_ns)
				low = middle + 1;
			else
				high = middle;
		}
		for (size_t k = low; k < same && k < low + NEAR_MAX; k++) {
			size_t log = entries[k].value;
			if (event_at(planning, log)->time_ns > end_ns + NEAR_NS)
				break;
			if (is_taken[log] || planning->leader[log] == NONE)
				continue;
			is_taken[log] = true;
			planning->leader[i] = planning->leader[log];
			break;
		}
	}
}

static void lead_native(struct planning *planning)
{
	for (size_t i = 0; i < planning->question->held_count; i++)
		if (event_at(planning, i)->kind == EVENT_SPAN && planning->leader[i] == NONE &&
			!planning->is_repeated[i])
			planning->leader[i] = i;
	for (size_t t = 0; t < planning->turn_count; t++)
		if (planning->turns[t].native != NONE)
			planning->leader[planning->turns[t].native] = NONE;
}

void plan_leaders(struct planning *planning)
{
	struct lookup calls = { 0 }, tools = { 0 };
	size_t count = planning->question->held_count;
	planning->leader = plan_indices(planning, count);
	planning->said_of = plan_indices(planning, count);
	planning->cut_by = plan_indices(planning, count);
	if (planning->arena->error)
		return;
	lead_keyed(planning, is_of_call, call_key, &calls);
	lead_keyed(planning, is_of_tool, tool_key, &tools);
	lead_calls(planning);
	lead_tools(planning);
	for (size_t i = 0; i < count; i++)
		if (event_at(planning, i)->kind == EVENT_TOOL_SAID)
			planning->leader[i] = lookup_first(&tools, event_at(planning, i)->tool);
	match_said(planning, true);
	match_said(planning, false);
	join_unkeyed(planning);
	lead_native(planning);
}
