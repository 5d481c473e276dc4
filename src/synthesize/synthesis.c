#include "synthesize/synthesis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/counters.h"
#include "base/names.h"
#include "config/config.h"
#include "otlp/request.h"
#include "sources.h"
#include "synthesize/parcel.h"
#include "synthesize/round.h"
#include "synthesize/session.h"
#include "synthesize/span.h"
#include "synthesize/timing.h"

enum {
	ARENA_FACTOR = 64, /* bytes of working memory per byte of a request */
	ARENA_BYTES = 4 << 20,
};
#define SHOWN_AFTER_NS UINT64_C(1000000000)  /* that something came */
#define HELPER_AFTER_NS UINT64_C(1000000000) /* a prompt, at most, a helper's comes */

struct synthesis {
	const struct config *config;
	struct memory *memory;
	bool wants_logs;
	struct sources *told; /* NULL: nobody asks */
	struct sessions *sessions;
	struct parcels parcels;
	struct live *live;
	uint64_t taken_below; /* records */
	uint64_t travelled;   /* before this start */
};

int synthesis_new(const struct config *config, struct memory *memory, bool wants_logs,
	struct sources *sources, struct synthesis **ret_synthesis)
{
	struct synthesis *synthesis = calloc(1, sizeof *synthesis);
	if (!synthesis)
		return -ENOMEM;
	*synthesis = (struct synthesis){
		.config = config,
		.memory = memory,
		.wants_logs = wants_logs,
		.told = sources,
		.live = live_new(config->sessions.session_idle_ms * 1000000),
		.travelled = memory_position(memory).travelled,
	};
	if (synthesis->live)
		synthesis->sessions = sessions_new(memory, synthesis->live);
	if (!synthesis->sessions) {
		synthesis_free(synthesis);
		return -ENOMEM;
	}
	*ret_synthesis = synthesis;
	return 0;
}

void synthesis_free(struct synthesis *synthesis)
{
	if (!synthesis)
		return;
	sessions_free(synthesis->sessions);
	parcels_done(&synthesis->parcels);
	live_free(synthesis->live);
	free(synthesis);
}

/* ---- what is seen of a session ---- */

static void cut_text(char *to, size_t size, struct bytes text)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;
	if (len)
		memcpy(to, text.at, len);
	to[len] = '\0';
}

static enum live_state state_after(enum event_kind kind, bool has_name)
{
	switch (kind) {
	case EVENT_TURN_END:
		return LIVE_WAITING_USER;
	case EVENT_WAITING:
		return has_name ? LIVE_WAITING_PERMISSION : LIVE_WAITING_USER;
	case EVENT_SESSION_END:
		return LIVE_FINISHED;
	case EVENT_SESSION:
	case EVENT_PLACE:
		return LIVE_UNKNOWN; /* whatever it was */
	default:
		return LIVE_WORKING;
	}
}

/* Logs come later than hooks: what happened before the state was told of does not change it. */
static void note_state(struct live_session *live, const struct event *event, uint64_t received_ns)
{
	uint64_t at_ns = event->time_ns ? event->time_ns : received_ns;
	enum live_state state = state_after(event->kind, event->name.len);
	if (state == LIVE_UNKNOWN || at_ns < live->state_ns ||
		(event->agent.len && state == LIVE_WAITING_USER))
		return;
	live->state = state;
	live->state_ns = at_ns;
	cut_text(live->waits_for, sizeof live->waits_for,
		state == LIVE_WAITING_PERMISSION ? event->name : (struct bytes){ 0 });
}

static bool is_shown(const struct session *session)
{
	return !session->parent && !session->side[0] &&
		(!session->may_be_side || session->is_settled);
}

static void show(struct synthesis *synthesis, struct session *session, const struct event *event,
	uint64_t received_ns)
{
	struct live_session *live = &session->live;
	if (!live->cli[0]) {
		cut_text(live->cli, sizeof live->cli, bytes_of(event->cli->name));
		cut_text(live->lane, sizeof live->lane, bytes_of(session->speaker->lane));
		cut_text(live->id, sizeof live->id, session->id);
		live->is_session_unknown = !session->id.len;
	}
	cut_text(live->project, sizeof live->project, bytes_of(session->project));
	if (event->time_ns && (!live->first_ns || event->time_ns < live->first_ns))
		live->first_ns = event->time_ns;
	if (event->time_ns > live->last_ns)
		live->last_ns = event->time_ns;
	live->received_ns = received_ns;
	note_state(live, event, received_ns);
	if (is_shown(session))
		live_put(synthesis->live, &session->live_at, live);
}

/* ---- one event ---- */

static void note_prompt(struct session *session, const struct event *event)
{
	struct speaker *speaker = session->speaker;
	size_t room = sizeof speaker->prompts / sizeof speaker->prompts[0];
	if (event->agent.len)
		return;
	if (!session->prompts++)
		session->prompt_ns = event->time_ns;
	session->prompt_is_withheld = event->text.mark != NULL;
	speaker->prompts[speaker->prompt_count % room].time_ns = event->time_ns;
	speaker->prompts[speaker->prompt_count % room].session = session;
	speaker->prompt_count++;
}

static bool is_told_of_side(const struct event *event)
{
	return event->side.len &&
		(event->kind == EVENT_SESSION || event->kind == EVENT_PROMPT ||
			event->kind == EVENT_TURN_END);
}

/* What tells whether the session is a helper's. */
static void note_helper(struct synthesis *synthesis, struct session *session,
	const struct event *event, uint64_t received_ns)
{
	uint64_t wait_ns = synthesis->config->sessions.join_wait_ms * 1000000;
	if (session->is_settled)
		return;
	if (event->kind == EVENT_PROMPT)
		note_prompt(session, event);
	if (is_told_of_side(event))
		cut_text(session->side, sizeof session->side, event->side);
	session->may_be_side |= event->may_be_side;
	if (!session->side[0] && !(session->may_be_side && session->prompts))
		return;
	if (received_ns + wait_ns > session->settle_ns)
		session->settle_ns = received_ns + wait_ns;
	sessions_due(synthesis->sessions, session, session->settle_ns);
	live_remove(synthesis->live, &session->live_at);
}

static void note_end(struct session *session, const struct event *event, uint64_t received_ns)
{
	if (event->kind == EVENT_SESSION_END)
		session->end_ns = received_ns;
	else if (event->kind == EVENT_PROMPT && event->time_ns > session->end_ns)
		session->end_ns = 0; /* it goes on in another process */
}

/* What one process said: a request of one resource. */
struct piece {
	const struct stored_request *request;
	struct bytes body;     /* a request itself */
	struct bytes resource; /* empty when there is none */
	bool is_hook;
	struct events events;
	struct speaker *speaker; /* NULL: no CLI's */
	struct resource *shared;
	uint64_t parcel; /* of its logs, by number; NO_PARCEL */
};

static int keep_event(struct synthesis *synthesis, struct session *session,
	const struct event *event, const struct piece *piece)
{
	uint64_t received_ns = piece->request->received_ns;
	if (event->kind == EVENT_PLACE) {
		if (!event->agent.len)
			sessions_set_project(
				synthesis->sessions, session, event->text.text, received_ns);
		return 1;
	}
	struct kept *kept = kept_new(event, received_ns, piece->request->sequence);
	if (!kept)
		return -ENOMEM;
	kept->parcel = piece->parcel;
	kept->resource = resource_hold(piece->shared);
	return sessions_add(synthesis->sessions, session, kept);
}

static void heard_of(struct session *session, uint64_t received_ns)
{
	if (received_ns > session->last_received_ns)
		session->last_received_ns = received_ns;
}

/* 1, 0 when it was taken before, or -ENOMEM. */
static int add_event(struct synthesis *synthesis, struct session *own, struct session *session,
	const struct event *event, const struct piece *piece)
{
	struct event theirs;
	if (piece->request->sequence < session->floor)
		return 0;
	if (!session_event(own, event, &theirs))
		return 1;
	int added = keep_event(synthesis, session, &theirs, piece);
	if (added > 0)
		show(synthesis, session, &theirs, piece->request->received_ns);
	return added;
}

static int take_event(
	struct synthesis *synthesis, const struct event *event, const struct piece *piece)
{
	uint64_t received_ns = piece->request->received_ns;
	struct session *own =
		sessions_find(synthesis->sessions, piece->speaker, event->session, event->turn);
	if (!own)
		return -ENOMEM;
	struct session *session = session_root(own);
	int added = add_event(synthesis, own, session, event, piece);
	if (added < 0)
		return added;
	counter_add(added ? COUNTER_EVENTS_TAKEN : COUNTER_EVENTS_REPEATED, 1);
	heard_of(own, received_ns);
	heard_of(session, received_ns);
	if (own != session) /* a thread has nothing to give, and is to be forgotten all the same */
		sessions_due(synthesis->sessions, own, received_ns + SHOWN_AFTER_NS);
	if (!added)
		return 0;
	session->has_hooks |= piece->is_hook;
	note_end(session, event, received_ns);
	note_helper(synthesis, own, event, received_ns);
	sessions_due(synthesis->sessions, session,
		received_ns > session->rested_ns ? received_ns : session->rested_ns);
	if (event->kind == EVENT_AGENT_BEGIN && event->agent.len &&
		!bytes_equal(event->agent, event->session))
		return sessions_adopt(synthesis->sessions, event->agent, session);
	return 0;
}

/* ---- what travels on as it came ---- */

static int add_parcel(struct synthesis *synthesis, const struct stored_request *request,
	struct bytes body, uint32_t item_count, struct parcel **ret_parcel)
{
	struct parcel *parcel = parcel_new(body, request->signal, request->lane);
	if (!parcel)
		return -ENOMEM;
	parcel->sequence = request->sequence;
	parcel->item_count = item_count;
	parcel->due_ns = request->received_ns;
	int error = parcels_add(&synthesis->parcels, parcel);
	if (!error && ret_parcel)
		*ret_parcel = parcel;
	return error;
}

static int pass_spans(
	struct synthesis *synthesis, const struct stored_request *request, struct bytes body)
{
	uint32_t count;
	if (!body.len || request_count_items(body, &count) < 0 || !count)
		return 0;
	return add_parcel(synthesis, request, body, count, NULL);
}

static void count_dropped(const struct events *events)
{
	for (size_t i = 0; i < events->count; i++)
		if (events->at[i].kind == EVENT_SPAN) {
			counter_add(COUNTER_NATIVE_DROPPED, 1);
			names_add(NAMES_DROPPED_SPANS, events->at[i].native.name);
		}
}

static bool is_replaced(const struct piece *piece)
{
	return piece->speaker->dialect->native == NATIVE_REPLACE;
}

/* Spans of a CLI's insides: given, dropped, or held until it is known which. */
static int take_insides(struct synthesis *synthesis, struct piece *piece)
{
	enum native_spans_setting setting = synthesis->config->sessions.native_spans;
	bool has_logs = piece->speaker->since_ns[SAID_LOGS];
	struct arena *arena = piece->events.arena;
	uint32_t count;
	struct parcel *parcel;
	if (setting == NATIVE_SPANS_DROP || (setting == NATIVE_SPANS_AUTO && has_logs)) {
		count_dropped(&piece->events);
		return 0;
	}
	struct bytes theirs = request_of_dialects(piece->body, true, arena);
	if (arena->error || request_count_items(theirs, &count) < 0 || !count)
		return arena->error;
	int error = add_parcel(synthesis, piece->request, theirs, count, &parcel);
	if (error)
		return error;
	parcel->speaker = piece->speaker;
	parcel->is_insides = true;
	if (setting == NATIVE_SPANS_AUTO)
		parcel->due_ns += synthesis->config->sessions.join_wait_ms * 1000000;
	return 0;
}

/* Logs travel when it is known which spans their events went into. */
static int add_logs(struct synthesis *synthesis, const struct piece *piece)
{
	struct parcel *parcel;
	int error = add_parcel(
		synthesis, piece->request, piece->body, (uint32_t)piece->events.item, &parcel);
	if (!error)
		parcel->due_ns += synthesis->config->sessions.join_wait_ms * 1000000;
	return error;
}

/* ---- one request ---- */

enum { RESOURCES = 1, RESOURCE = 1, SCOPES = 2, SCOPE = 1, SCOPE_NAME = 1 };

/* Hooks have a resource to themselves. */
static bool is_hooks(struct bytes resource_items)
{
	struct bytes scope = wire_member(wire_member(resource_items, SCOPES), SCOPE);
	return bytes_are(wire_member(scope, SCOPE_NAME), HOOK_SCOPE);
}

static bool logs_travel(const struct synthesis *synthesis, const struct piece *piece)
{
	return piece->request->signal == SIGNAL_LOGS && !piece->is_hook && synthesis->wants_logs &&
		piece->request->sequence >= synthesis->travelled;
}

/* Without a session and a turn nothing belongs together; a span stands for itself. */
static int take_stray(
	struct synthesis *synthesis, const struct event *event, const struct piece *piece)
{
	if (event->kind != EVENT_SPAN)
		return 0;
	counter_add(COUNTER_NATIVE_KEPT, 1);
	return pass_spans(
		synthesis, piece->request, span_as_it_came(&event->native, piece->events.arena));
}

/* What it withholds, and what is there: of what it records, never of hooks, which withhold nothing. */
static void note_lacks(const struct event *event, struct lacks *lacks)
{
	bool is_prompt = event->kind == EVENT_PROMPT || event->native.role == ROLE_TURN;
	bool is_tool = event->kind == EVENT_TOOL;
	lacks->lacking[LACK_PROMPTS] += is_prompt && event->text.mark;
	lacks->there[LACK_PROMPTS] += is_prompt && event->text.text.len;
	lacks->lacking[LACK_TOOL_DETAILS] += is_tool && event->input.mark;
	lacks->there[LACK_TOOL_DETAILS] += is_tool && event->input.text.len;
	lacks->lacking[LACK_SESSION] += !event->session.len;
	lacks->there[LACK_SESSION] += event->session.len != 0;
}

static int take_events(struct synthesis *synthesis, const struct piece *piece)
{
	bool is_native_kept =
		is_replaced(piece) && synthesis->config->sessions.native_spans == NATIVE_SPANS_KEEP;
	struct lacks lacks = { 0 };
	int error = 0;
	for (size_t i = 0; i < piece->events.count && !is_native_kept && !error; i++) {
		const struct event *event = &piece->events.at[i];
		if (event->kind == EVENT_SPAN && is_replaced(piece))
			continue;
		note_lacks(event, &lacks);
		if (!event->session.len)
			counter_add(COUNTER_EVENTS_SESSIONLESS, 1);
		error = event->session.len || event->turn.len ?
			take_event(synthesis, event, piece) :
			take_stray(synthesis, event, piece);
	}
	if (!error && !piece->is_hook)
		sources_note_lacks(synthesis->told, &piece->speaker->dialect->cli, piece->resource,
			&lacks, piece->request->received_ns);
	return error;
}

static enum said_kind kind_of(const struct piece *piece)
{
	if (piece->is_hook)
		return SAID_HOOKS;
	return piece->request->signal == SIGNAL_TRACES ? SAID_SPANS : SAID_LOGS;
}

/* What a CLI said. */
static int take_theirs(struct synthesis *synthesis, struct piece *piece)
{
	const struct cli *cli = piece->events.at[0].cli;
	piece->speaker = sessions_speaker(
		synthesis->sessions, piece->request->lane, dialect_named(bytes_of(cli->name)));
	if (!piece->speaker)
		return -ENOMEM;
	sessions_note_speaker(
		synthesis->sessions, piece->speaker, kind_of(piece), piece->request->received_ns);
	piece->shared = piece->resource.len ? resource_new(piece->resource) : NULL;
	int error = take_events(synthesis, piece);
	resource_release(piece->shared);
	if (!error && piece->request->signal == SIGNAL_TRACES && is_replaced(piece))
		error = take_insides(synthesis, piece);
	return error;
}

static int take_piece(struct synthesis *synthesis, struct piece *piece)
{
	struct events *events = &piece->events;
	int error = dialects_read(piece->body, piece->request->signal,
		(unsigned)synthesis->config->limits.max_depth, events);
	if (error == -ENOMEM)
		return error;
	if (error)
		counter_add(COUNTER_EVENTS_UNREADABLE, 1);
	bool travels = logs_travel(synthesis, piece);
	piece->parcel = travels ? parcels_next_number(&synthesis->parcels) : NO_PARCEL;
	error = events->count ? take_theirs(synthesis, piece) : 0;
	if (!error && piece->request->signal == SIGNAL_TRACES)
		error = pass_spans(synthesis, piece->request,
			request_of_dialects(piece->body, false, events->arena));
	return !error && travels ? add_logs(synthesis, piece) : error;
}

int synthesis_take(struct synthesis *synthesis, const struct stored_request *request)
{
	struct wire wire = wire_of(request->body);
	struct field field;
	int error = 0;
	while (!error && wire_next(&wire, &field) > 0) {
		struct arena arena;
		size_t bytes = (size_t)(field.end - field.start);
		if (!field_is(&field, RESOURCES, WIRE_BYTES))
			continue;
		arena_init(&arena, bytes * ARENA_FACTOR + ARENA_BYTES, NULL);
		struct piece piece = {
			.request = request,
			.body = { field.start, bytes },
			.resource = wire_member(field.body, RESOURCE),
			.is_hook = request->signal == SIGNAL_LOGS && is_hooks(field.body),
			.events = { .arena = &arena },
		};
		error = take_piece(synthesis, &piece);
		arena_done(&arena);
	}
	if (!error && request->sequence >= synthesis->taken_below)
		synthesis->taken_below = request->sequence + 1;
	return error;
}

/* ---- helpers' sessions ---- */

/* Whose prompt this one's followed at once: the latest before it. */
static struct session *host_of(const struct session *helper)
{
	const struct speaker *speaker = helper->speaker;
	struct session *host = NULL;
	uint64_t best_ns = 0;
	for (size_t i = 0; i < sizeof speaker->prompts / sizeof speaker->prompts[0]; i++) {
		struct session *session = speaker->prompts[i].session;
		uint64_t time_ns = speaker->prompts[i].time_ns;
		bool is_near = time_ns <= helper->prompt_ns &&
			helper->prompt_ns - time_ns <= HELPER_AFTER_NS;
		if (session && session != helper && !session->side[0] && is_near &&
			time_ns >= best_ns) {
			host = session_root(session);
			best_ns = time_ns;
		}
	}
	return host;
}

/* A helper's work is its host's. What is planned in this round is not touched. */
static int settle(struct synthesis *synthesis, struct round *round, struct session *session)
{
	static const char unsaid[] = "title";
	struct session *host = host_of(session);
	bool looks_so = session->may_be_side && host && session->prompts == 1 &&
		session->prompt_is_withheld;
	if (!session->side[0] && !looks_so) {
		session->is_settled = true;
		return 0;
	}
	int error = round_flush(round);
	if (error)
		return error;
	if (!session->side[0])
		cut_text(session->side, sizeof session->side, bytes_of(unsaid));
	error = sessions_settle(synthesis->sessions, session, host);
	if (host)
		sessions_due(synthesis->sessions, host, round->now_ns);
	return error;
}

/* ---- giving ---- */

/*
 * A session without events is kept for a while, for people, as long as there are not too many; and as long as
 * threads stand for it.
 */
static void let_rest(struct synthesis *synthesis, struct session *session, uint64_t now_ns)
{
	const struct timing timing = { .config = synthesis->config };
	bool are_many = sessions_figures(synthesis->sessions).sessions >
		synthesis->config->sessions.max_open_turns;
	uint64_t at_ns = timing_session_forgotten_ns(&timing, session->last_received_ns);
	if (session->threads && at_ns <= now_ns)
		at_ns = timing_session_forgotten_ns(&timing, now_ns);
	if (!session->threads && (are_many || at_ns <= now_ns))
		sessions_drop(synthesis->sessions, session);
	else
		sessions_reschedule(synthesis->sessions, session, at_ns);
}

static int look_after(struct synthesis *synthesis, struct round *round, struct session *session)
{
	bool is_unsettled = session->settle_ns && !session->is_settled;
	if (is_unsettled && round->now_ns < session->settle_ns) {
		sessions_reschedule(synthesis->sessions, session, session->settle_ns);
		return 0;
	}
	int error = is_unsettled ? settle(synthesis, round, session) : 0;
	if (error)
		return error;
	if (session->count)
		return round_add(round, session);
	let_rest(synthesis, session, round->now_ns);
	return 0;
}

static int give_sessions(struct synthesis *synthesis, struct round *round)
{
	struct session *session;
	int error = 0;
	while (!error && (session = sessions_first(synthesis->sessions)) &&
		session->due_ns <= round->now_ns)
		error = look_after(synthesis, round, session);
	int flush_error = round_flush(round);
	return error ? error : flush_error;
}

/* Beyond its bounds the ones that were silent longest end. */
static int give_room(struct synthesis *synthesis, struct round *round)
{
	int error = 0;
	while (!error && synthesis_is_full(synthesis)) {
		struct session *session = sessions_most_silent(synthesis->sessions);
		if (!session)
			break;
		session->is_crowded = true;
		error = round_add(round, session);
		if (!error)
			error = round_flush(round);
	}
	return error;
}

/* ---- parcels ---- */

/* The spans of a parcel beside what is remembered. */
struct asked {
	struct memory *memory;
	const char *lane;
	bool is_known; /* one of them */
};

static void remember_span(void *arg, struct bytes trace_id, struct bytes span_id)
{
	const struct asked *asked = arg;
	memory_add_span(asked->memory, asked->lane, trace_id.at, span_id.at);
}

static void ask_span(void *arg, struct bytes trace_id, struct bytes span_id)
{
	struct asked *asked = arg;
	if (!asked->is_known)
		asked->is_known =
			memory_has_span(asked->memory, asked->lane, trace_id.at, span_id.at);
}

/* Spans go together, so one that is known tells of all. */
static bool went_before(struct synthesis *synthesis, const struct parcel *parcel)
{
	struct asked asked = { synthesis->memory, parcel->lane, false };
	if (parcel->signal == SIGNAL_TRACES)
		request_each_span(parcel->body, ask_span, &asked);
	return asked.is_known;
}

static void drop_insides(struct synthesis *synthesis, const struct parcel *parcel)
{
	struct arena arena;
	arena_init(&arena, parcel->body.len * ARENA_FACTOR + ARENA_BYTES, NULL);
	struct events events = { .arena = &arena };
	dialects_read(parcel->body, parcel->signal, (unsigned)synthesis->config->limits.max_depth,
		&events);
	count_dropped(&events);
	arena_done(&arena);
}

static bool is_dropped(const struct synthesis *synthesis, const struct parcel *parcel)
{
	return parcel->is_insides &&
		synthesis->config->sessions.native_spans == NATIVE_SPANS_AUTO &&
		parcel->speaker->since_ns[SAID_LOGS];
}

static int give_parcel(
	struct synthesis *synthesis, const struct parcel *parcel, const struct synthesis_sink *sink)
{
	struct arena arena;
	int error;
	if (parcel->signal == SIGNAL_TRACES) {
		error = sink->spans(sink->arg, parcel->lane, parcel->body, parcel->item_count);
		if (error)
			return error;
		struct asked given = { synthesis->memory, parcel->lane, true };
		request_each_span(parcel->body, remember_span, &given);
		counter_add(COUNTER_NATIVE_KEPT, parcel->is_insides ? parcel->item_count : 0);
		return 0;
	}
	arena_init(&arena, parcel->body.len * ARENA_FACTOR + ARENA_BYTES, NULL);
	struct bytes logs =
		parcel_logs(parcel, (unsigned)synthesis->config->limits.max_depth, &arena);
	error = arena.error ? arena.error :
			      sink->logs(sink->arg, parcel->lane, logs, parcel->item_count);
	arena_done(&arena);
	return error;
}

static int give_parcels(
	struct synthesis *synthesis, uint64_t now_ns, const struct synthesis_sink *sink)
{
	struct parcel *parcel;
	int error = 0;
	while (!error && (parcel = parcels_first(&synthesis->parcels)) &&
		(parcel->due_ns <= now_ns || synthesis_is_full(synthesis))) {
		if (is_dropped(synthesis, parcel))
			drop_insides(synthesis, parcel);
		else if (!went_before(synthesis, parcel))
			error = give_parcel(synthesis, parcel, sink);
		if (!error)
			parcels_remove_first(&synthesis->parcels);
	}
	return error;
}

/* ---- the whole ---- */

static void show_figures(const struct synthesis *synthesis, uint64_t now_ns)
{
	struct sessions_figures figures = sessions_figures(synthesis->sessions);
	const struct live_view view = {
		.open_sessions = figures.sessions,
		.open_turns = figures.open_turns,
		.held_events = figures.events,
		.held_bytes = figures.bytes + synthesis->parcels.bytes,
	};
	live_set_figures(synthesis->live, &view, now_ns);
}

int synthesis_advance(
	struct synthesis *synthesis, uint64_t now_ns, const struct synthesis_sink *sink)
{
	struct round round = {
		.config = synthesis->config,
		.memory = synthesis->memory,
		.sessions = synthesis->sessions,
		.parcels = &synthesis->parcels,
		.live = synthesis->live,
		.sink = sink,
		.now_ns = now_ns,
	};
	int error = give_sessions(synthesis, &round);
	if (!error)
		error = give_parcels(synthesis, now_ns, sink);
	if (!error)
		error = give_room(synthesis, &round);
	show_figures(synthesis, now_ns);
	return error;
}

uint64_t synthesis_due(const struct synthesis *synthesis)
{
	const struct session *session = sessions_first(synthesis->sessions);
	const struct parcel *parcel = parcels_first(&synthesis->parcels);
	uint64_t session_ns = session ? session->due_ns : UINT64_MAX;
	uint64_t parcel_ns = parcel ? parcel->due_ns : UINT64_MAX;
	return session_ns < parcel_ns ? session_ns : parcel_ns;
}

bool synthesis_is_full(const struct synthesis *synthesis)
{
	struct sessions_figures figures = sessions_figures(synthesis->sessions);
	return figures.open_turns > synthesis->config->sessions.max_open_turns ||
		figures.bytes + synthesis->parcels.bytes >
		synthesis->config->sessions.max_held_bytes;
}

uint64_t synthesis_needed_from(const struct synthesis *synthesis)
{
	uint64_t sessions = sessions_needed_from(synthesis->sessions);
	const struct parcel *parcel = parcels_first(&synthesis->parcels);
	return parcel && parcel->sequence < sessions ? parcel->sequence : sessions;
}

uint64_t synthesis_travelled(const struct synthesis *synthesis)
{
	const struct parcel *parcel = parcels_first(&synthesis->parcels);
	uint64_t below = parcel ? parcel->sequence : synthesis->taken_below;
	return below > synthesis->travelled ? below : synthesis->travelled;
}

int synthesis_live(struct synthesis *synthesis, struct live_view *ret_view)
{
	return live_copy(synthesis->live, ret_view);
}

struct live_view synthesis_figures(struct synthesis *synthesis)
{
	return live_figures(synthesis->live);
}
