#include "synthesize/round.h"

#include <errno.h>
#include <stdlib.h>

#include "base/counters.h"
#include "config/config.h"
#include "synthesize/ids.h"
#include "synthesize/memory.h"
#include "synthesize/span.h"
#include "synthesize/synthesis.h"
#include "synthesize/timing.h"

enum {
	ROUND_BYTES = 1 << 20,
	ROUND_SPANS = 2000,
	PLAN_BYTES_MAX = 1 << 30,
	/* A plan takes some microseconds for each event: twenty times that, and it is a twentieth of the time. */
	REST_NS_PER_EVENT = 40 * 1000,
};
#define YOUTH_NS (UINT64_C(60) * 1000000000)
#define RETRY_NS (UINT64_C(200) * 1000000)

enum fate { FATE_WAITS, FATE_GOES, FATE_WENT };

/* What is decided of a turn. */
struct verdict {
	bool is_loose; /* no turn at all, or one that is over: each of its events is for itself */
	uint64_t closes_ns; /* its span goes, and all of it */
	size_t unit;        /* of its span; SIZE_MAX: it has none */
	struct bytes resource;
};

struct planned {
	struct session *session;
	struct arena arena;
	struct timing timing;
	struct plan_question question;
	struct plan plan;
	enum fate *fates;         /* of units */
	struct verdict *verdicts; /* of turns */
	struct bytes *resources;  /* of units */
	uint64_t over_ns;         /* the session */
	uint64_t next_ns;         /* when something is to be done, if nothing comes */
};

static void planned_free(struct planned *planned)
{
	arena_done(&planned->arena);
	free(planned);
}

static void look_again(struct planned *planned, uint64_t at_ns)
{
	if (at_ns < planned->next_ns)
		planned->next_ns = at_ns;
}

/* ---- planning ---- */

static bool is_young(const struct speaker *speaker, uint64_t now_ns)
{
	uint64_t first_ns = UINT64_MAX;
	for (enum said_kind kind = 0; kind < SAID_KINDS; kind++)
		if (speaker->since_ns[kind] && speaker->since_ns[kind] < first_ns)
			first_ns = speaker->since_ns[kind];
	return first_ns == UINT64_MAX || now_ns < first_ns + YOUTH_NS;
}

static void ask(struct planned *planned, const struct config *config)
{
	const struct session *session = planned->session;
	const struct speaker *speaker = session->speaker;
	bool has_native = speaker->dialect->native == NATIVE_COMPLETE;
	const struct held **held =
		arena_alloc(&planned->arena, (session->count + 1) * sizeof(struct held *));
	for (size_t i = 0; held && i < session->count; i++)
		held[i] = &session->kept[i]->held;
	planned->question = (struct plan_question){
		.cli = &speaker->dialect->cli,
		.session = session->id,
		.project = bytes_of(session->project),
		.held = held,
		.held_count = held ? session->count : 0,
		.past = session->past,
		.past_count = session->past_count,
		.last_number = session->last_number,
		.scope = config->sessions.trace_scope == SCOPE_SESSION ? TRACE_PER_SESSION :
									 TRACE_PER_TURN,
		.preview_chars = config->sessions.preview_chars,
		.has_logs = speaker->since_ns[SAID_LOGS],
		.has_spans = has_native && speaker->since_ns[SAID_SPANS],
		.has_hooks = speaker->since_ns[SAID_HOOKS],
	};
}

/* Cleared; NULL with the arena's error. */
static void *room_for(struct arena *arena, size_t count, size_t size)
{
	void *room = arena_alloc(arena, count * size);
	if (room)
		memset(room, 0, count * size);
	return room;
}

static int make_plan(const struct round *round, struct planned *planned)
{
	struct arena *arena = &planned->arena;
	ask(planned, round->config);
	planned->timing = (struct timing){ round->config, planned->session->has_hooks,
		is_young(planned->session->speaker, round->now_ns) };
	int error =
		arena->error ? arena->error : plan_make(&planned->question, arena, &planned->plan);
	if (error)
		return error;
	planned->fates = room_for(arena, planned->plan.unit_count + 1, sizeof *planned->fates);
	planned->verdicts =
		room_for(arena, planned->plan.turn_count + 1, sizeof *planned->verdicts);
	planned->resources =
		room_for(arena, planned->plan.unit_count + 1, sizeof *planned->resources);
	planned->next_ns = UINT64_MAX;
	return arena->error;
}

/* ---- what is to be done now ---- */

static void judge_turns(const struct round *round, struct planned *planned)
{
	const struct plan *plan = &planned->plan;
	for (size_t t = 0; t < plan->turn_count; t++) {
		const struct planned_turn *turn = &plan->turns[t];
		struct verdict *verdict = &planned->verdicts[t];
		verdict->is_loose = turn->is_past || (!turn->number && !turn->prompt);
		verdict->closes_ns = planned->session->is_crowded ?
			round->now_ns :
			timing_turn_closes_ns(&planned->timing, turn);
		verdict->unit = SIZE_MAX;
	}
	for (size_t u = 0; u < plan->unit_count; u++) {
		const struct unit *unit = &plan->units[u];
		if (unit->kind == UNIT_TURN && unit->turn < plan->turn_count)
			planned->verdicts[unit->turn].unit = u;
	}
}

/* A session that was ended is over with its last turn. */
static void judge_session(struct planned *planned)
{
	const struct session *session = planned->session;
	uint64_t over_ns = timing_session_idle_ns(&planned->timing, session->last_received_ns);
	if (session->end_ns) {
		uint64_t ended_ns = timing_settled_ns(&planned->timing, session->end_ns);
		for (size_t t = 0; t < planned->plan.turn_count; t++)
			if (!planned->verdicts[t].is_loose &&
				planned->verdicts[t].closes_ns > ended_ns)
				ended_ns = planned->verdicts[t].closes_ns;
		if (ended_ns < over_ns)
			over_ns = ended_ns;
	}
	planned->over_ns = over_ns;
}

/* Of a unit that is only spoken of by others, when its turn was last. */
static uint64_t received_ns(const struct planned *planned, const struct unit *unit)
{
	bool has_turn = unit->turn < planned->plan.turn_count;
	return unit->received_ns || !has_turn ? unit->received_ns :
						planned->plan.turns[unit->turn].received_ns;
}

static uint64_t goes_ns(
	const struct round *round, const struct planned *planned, const struct unit *unit)
{
	const struct timing *timing = &planned->timing;
	uint64_t heard_ns = received_ns(planned, unit);
	uint64_t joined_ns = timing_unit_goes_ns(timing, unit->is_complete, heard_ns);
	if (unit->kind == UNIT_SESSION)
		return planned->over_ns;
	if (planned->session->is_crowded)
		return round->now_ns;
	if (unit->turn >= planned->plan.turn_count)
		return joined_ns;
	const struct verdict *verdict = &planned->verdicts[unit->turn];
	if (verdict->is_loose)
		return unit->is_open ? timing_session_idle_ns(timing, heard_ns) : joined_ns;
	if (unit->kind == UNIT_TURN || unit->is_open)
		return verdict->closes_ns;
	return joined_ns < verdict->closes_ns ? joined_ns : verdict->closes_ns;
}

/* What the events remember, so that the memory is asked once for each span. */
static void recall_events(struct planned *planned)
{
	const struct plan *plan = &planned->plan;
	for (size_t i = 0; i < planned->session->count; i++) {
		const struct kept *kept = planned->session->kept[i];
		size_t u = plan->unit_of[i], t = plan->turn_of[i];
		struct bytes resource =
			kept->resource ? kept->resource->message : (struct bytes){ 0 };
		if (t < plan->turn_count && !planned->verdicts[t].resource.len)
			planned->verdicts[t].resource = resource;
		if (u >= plan->unit_count)
			continue;
		if (!planned->resources[u].len)
			planned->resources[u] = resource;
		if (memcmp(kept->given_id, plan->units[u].span_id, sizeof kept->given_id) == 0)
			planned->fates[u] = FATE_WENT;
	}
}

/*
 * What a span of the CLI's would be called if it were made of logs, in the same trace: either may come when the
 * other went. False: of no call or tool with a key.
 */
static bool twin_of(const struct planned *planned, const struct unit *unit, uint8_t ret_id[8])
{
	bool is_call = unit->kind == UNIT_CALL;
	struct bytes key = is_call ? unit->said.call : unit->said.tool;
	struct ids ids;
	if (!unit->native || !key.len || (!is_call && unit->kind != UNIT_TOOL))
		return false;
	ids_init(&ids, bytes_of(planned->question.cli->name), planned->question.session);
	ids_make(&ids, is_call ? "call" : "tool", &key, 1, ret_id, 8);
	bool is_made = !ids.error;
	ids_done(&ids);
	return is_made;
}

/* A tool's span goes all the same: others stand under it. */
static bool went_before(
	const struct round *round, const struct planned *planned, const struct unit *unit)
{
	const char *lane = planned->session->speaker->lane;
	uint8_t twin[8];
	if (memory_has_span(round->memory, lane, unit->trace_id, unit->span_id))
		return true;
	return unit->kind == UNIT_CALL && twin_of(planned, unit, twin) &&
		memory_has_span(round->memory, lane, unit->trace_id, twin);
}

static void judge_units(const struct round *round, struct planned *planned)
{
	const struct plan *plan = &planned->plan;
	for (size_t u = 0; u < plan->unit_count; u++) {
		const struct unit *unit = &plan->units[u];
		uint64_t at_ns = goes_ns(round, planned, unit);
		if (planned->fates[u] == FATE_WENT)
			continue;
		if (at_ns > round->now_ns)
			look_again(planned, at_ns);
		else if (went_before(round, planned, unit))
			planned->fates[u] = FATE_WENT;
		else
			planned->fates[u] = FATE_GOES;
	}
}

/* Logs that travel on with the ids of what they are told of. */
static void join_logs(const struct round *round, const struct planned *planned)
{
	const struct plan *plan = &planned->plan;
	for (size_t i = 0; i < planned->session->count; i++) {
		const struct kept *kept = planned->session->kept[i];
		size_t u = plan->unit_of[i];
		if (kept->parcel == NO_PARCEL)
			continue;
		if (u >= plan->unit_count && plan->turn_of[i] < plan->turn_count)
			u = planned->verdicts[plan->turn_of[i]].unit;
		if (u < plan->unit_count)
			parcels_join(round->parcels, kept->parcel, kept->held.event.item,
				plan->units[u].trace_id, plan->units[u].span_id);
	}
}

/* ---- giving ---- */

static struct bytes resource_of(const struct planned *planned, size_t u)
{
	size_t t = planned->plan.units[u].turn;
	if (planned->resources[u].len || t >= planned->plan.turn_count)
		return planned->resources[u];
	return planned->verdicts[t].resource;
}

static int write_units(struct round *round, struct planned *planned)
{
	struct arena spans;
	arena_init(&spans, PLAN_BYTES_MAX, NULL);
	for (size_t u = 0; u < planned->plan.unit_count; u++) {
		const struct span_options options = {
			.readable_names = round->config->sessions.readable_names,
			.resource = resource_of(planned, u),
		};
		if (planned->fates[u] != FATE_GOES)
			continue;
		struct bytes span = span_of_unit(&planned->question, &planned->plan,
			&planned->plan.units[u], &options, &spans);
		buf_append(&round->request, span.at, span.len);
		round->span_count++;
	}
	int error = spans.error ? spans.error : round->request.error;
	arena_done(&spans);
	return error;
}

static void count_unit(const struct unit *unit)
{
	counter_add(unit->native ? COUNTER_NATIVE_COMPLETED : COUNTER_SPANS_SYNTHESIZED, 1);
	if (unit->kind == UNIT_TURN)
		counter_add(COUNTER_TURNS_ENDED, 1);
	else if (!unit->is_complete && !unit->is_open)
		counter_add(COUNTER_EVENTS_ALONE, 1);
	if (unit->is_late)
		counter_add(COUNTER_EVENTS_LATE, 1);
}

static void remember_units(const struct round *round, struct planned *planned)
{
	const char *lane = planned->session->speaker->lane;
	for (size_t u = 0; u < planned->plan.unit_count; u++) {
		const struct unit *unit = &planned->plan.units[u];
		uint8_t twin[8];
		if (planned->fates[u] != FATE_GOES)
			continue;
		memory_add_span(round->memory, lane, unit->trace_id, unit->span_id);
		if (twin_of(planned, unit, twin))
			memory_add_span(round->memory, lane, unit->trace_id, twin);
		count_unit(unit);
		planned->fates[u] = FATE_WENT;
	}
}

/* What went out and stays needs fewer texts; from here on the plan's may be gone. */
static void mark_events(const struct round *round, struct planned *planned, const bool *is_gone)
{
	struct session *session = planned->session;
	for (size_t i = 0; i < session->count; i++) {
		size_t u = planned->plan.unit_of[i];
		if (is_gone[i] || u >= planned->plan.unit_count || planned->fates[u] != FATE_WENT)
			continue;
		struct kept *kept = session->kept[i];
		const uint8_t *id = planned->plan.units[u].span_id;
		if (memcmp(kept->given_id, id, sizeof kept->given_id) == 0)
			continue;
		memcpy(kept->given_id, id, sizeof kept->given_id);
		sessions_shorten(round->sessions, session, i);
	}
}

/* ---- what is over ---- */

/* With one trace for a session its last turn stays, for the session's own span. */
static bool is_last_turn(const struct round *round, const struct planned *planned, size_t t)
{
	unsigned last = 0;
	if (round->config->sessions.trace_scope != SCOPE_SESSION ||
		planned->over_ns <= round->now_ns)
		return false;
	for (size_t i = 0; i < planned->plan.turn_count; i++)
		if (planned->plan.turns[i].number > last)
			last = planned->plan.turns[i].number;
	return planned->plan.turns[t].number == last;
}

static bool is_done(const struct round *round, const struct planned *planned, size_t t)
{
	const struct verdict *verdict = &planned->verdicts[t];
	return !verdict->is_loose && verdict->closes_ns <= round->now_ns &&
		(planned->session->is_crowded || !is_last_turn(round, planned, t));
}

static void sum(struct turn_figures *to, const struct turn_figures *more)
{
	to->calls += more->calls;
	to->tools += more->tools;
	to->errors += more->errors;
	to->tokens.input += more->tokens.input + more->tokens.cache_read + more->tokens.cache_write;
	to->tokens.output += more->tokens.output;
}

/*
 * Returns how many are still open. What is planned counts on from what is over, so that no turn is over before
 * those that began earlier.
 */
static size_t end_turns(const struct round *round, struct planned *planned, bool *is_turn_done)
{
	size_t open = 0, waiting = 0;
	for (size_t t = 0; t < planned->plan.turn_count; t++) {
		const struct planned_turn *turn = &planned->plan.turns[t];
		uint64_t closes_ns = planned->verdicts[t].closes_ns;
		if (planned->verdicts[t].is_loose)
			continue;
		open += closes_ns > round->now_ns;
		is_turn_done[t] = is_done(round, planned, t) && !(turn->number && waiting);
		if (!is_turn_done[t]) {
			waiting += turn->number > 0;
			look_again(
				planned, closes_ns > round->now_ns ? closes_ns : planned->over_ns);
		} else if (turn->number) {
			sessions_add_past(round->sessions, planned->session, turn);
			sum(&planned->session->done, &turn->figures);
		}
	}
	return open;
}

static bool is_event_gone(const struct round *round, struct planned *planned, size_t i,
	const bool *is_turn_done, size_t open_turns)
{
	const struct held *held = &planned->session->kept[i]->held;
	size_t u = planned->plan.unit_of[i], t = planned->plan.turn_of[i];
	if (planned->session->is_crowded)
		return true;
	if (t < planned->plan.turn_count && !planned->verdicts[t].is_loose)
		return is_turn_done[t];
	if (u < planned->plan.unit_count && planned->fates[u] != FATE_WENT)
		return false;
	if (held->event.kind == EVENT_SESSION_END && open_turns)
		return false;
	/* Together, because what is left alone might look like something else. */
	uint64_t last_ns = t < planned->plan.turn_count ? planned->plan.turns[t].received_ns :
							  held->received_ns;
	uint64_t at_ns = timing_settled_ns(&planned->timing, last_ns);
	if (at_ns > round->now_ns)
		look_again(planned, at_ns);
	return at_ns <= round->now_ns;
}

static int remove_events(struct round *round, struct planned *planned)
{
	struct session *session = planned->session;
	bool *is_turn_done =
		room_for(&planned->arena, planned->plan.turn_count + 1, sizeof *is_turn_done);
	bool *is_gone = room_for(&planned->arena, session->count + 1, sizeof *is_gone);
	if (!is_turn_done || !is_gone)
		return planned->arena.error;
	size_t open = end_turns(round, planned, is_turn_done);
	for (size_t i = 0; i < session->count; i++)
		is_gone[i] = is_event_gone(round, planned, i, is_turn_done, open);
	if (session->is_crowded)
		counter_add(COUNTER_EVENTS_CROWDED_OUT, session->count);
	mark_events(round, planned, is_gone);
	sessions_remove(round->sessions, session, is_gone);
	sessions_set_open_turns(round->sessions, session, open);
	session->is_crowded = false;
	return 0;
}

/* ---- what people see ---- */

static void cut_text(char *to, size_t size, struct bytes text)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;
	if (len)
		memcpy(to, text.at, len);
	to[len] = '\0';
}

static void show(const struct round *round, struct planned *planned)
{
	struct session *session = planned->session;
	struct live_session *live = &session->live;
	struct turn_figures figures = session->done;
	bool is_open = false;
	for (size_t t = 0; t < planned->plan.turn_count; t++) {
		const struct planned_turn *turn = &planned->plan.turns[t];
		if (planned->verdicts[t].is_loose || !turn->number)
			continue;
		is_open |= planned->verdicts[t].closes_ns > round->now_ns;
		sum(&figures, &turn->figures);
		if (turn->number >= live->turn_number) {
			live->turn_number = turn->number;
			cut_text(live->turn_name, sizeof live->turn_name, turn->name);
		}
	}
	if (live->state == LIVE_WORKING && !is_open && live->turn_number)
		live->state = LIVE_WAITING_USER;
	live->calls = figures.calls;
	live->tools = figures.tools;
	live->errors = figures.errors;
	live->tokens = figures.tokens.input + figures.tokens.output;
	if (session->live_at != LIVE_NOWHERE)
		live_put(round->live, &session->live_at, live);
}

/* ---- one round ---- */

/* A session of many events rests longer; one without any is looked after by whoever asked. */
static void reschedule(const struct round *round, struct planned *planned)
{
	struct session *session = planned->session;
	session->rested_ns = round->now_ns + session->count * REST_NS_PER_EVENT + 1;
	if (planned->over_ns > round->now_ns)
		look_again(planned, planned->over_ns);
	if (!session->count || planned->next_ns < session->rested_ns)
		planned->next_ns = session->rested_ns;
	sessions_reschedule(round->sessions, session, planned->next_ns);
}

static void conclude(struct round *round, struct planned *planned)
{
	remember_units(round, planned);
	show(round, planned);
	if (remove_events(round, planned) == 0)
		reschedule(round, planned);
	else
		sessions_reschedule(round->sessions, planned->session, round->now_ns + RETRY_NS);
}

int round_flush(struct round *round)
{
	int error = 0;
	if (round->span_count)
		error = round->sink->spans(round->sink->arg,
			round->planned[0]->session->speaker->lane, buf_bytes(&round->request),
			round->span_count);
	for (size_t i = 0; i < round->count; i++) {
		if (!error)
			conclude(round, round->planned[i]);
		else
			sessions_reschedule(round->sessions, round->planned[i]->session,
				round->now_ns + RETRY_NS);
		planned_free(round->planned[i]);
	}
	round->count = 0;
	round->span_count = 0;
	buf_done(&round->request);
	return error;
}

static int plan_session(struct round *round, struct planned *planned)
{
	int error = make_plan(round, planned);
	if (error)
		return error;
	judge_turns(round, planned);
	judge_session(planned);
	recall_events(planned);
	judge_units(round, planned);
	join_logs(round, planned);
	return write_units(round, planned);
}

int round_add(struct round *round, struct session *session)
{
	bool is_other_lane = round->count &&
		strcmp(round->planned[0]->session->speaker->lane, session->speaker->lane) != 0;
	int error = is_other_lane ? round_flush(round) : 0;
	struct planned *planned = error ? NULL : calloc(1, sizeof *planned);
	if (!planned)
		return error ? error : -ENOMEM;
	planned->session = session;
	arena_init(&planned->arena, PLAN_BYTES_MAX, NULL);
	if (!round->count)
		buf_init(&round->request, SIZE_MAX / 2, NULL);
	size_t len = round->request.len;
	uint32_t span_count = round->span_count;
	error = plan_session(round, planned);
	if (error) { /* nothing of it goes */
		round->request.len = len;
		round->span_count = span_count;
		sessions_reschedule(round->sessions, session, round->now_ns + RETRY_NS);
		planned_free(planned);
		return error;
	}
	/* So that it is not found again before it is concluded. */
	sessions_reschedule(round->sessions, session, UINT64_MAX);
	round->planned[round->count++] = planned;
	bool is_full = round->count == ROUND_SESSIONS || round->request.len >= ROUND_BYTES ||
		round->span_count >= ROUND_SPANS;
	return is_full ? round_flush(round) : 0;
}
