/*
 * The sessions that are open, each with the events that it still needs. Events have memory of their own:
 * texts and all in one piece, freed when the turn that they belong to is over.
 *
 * A thread of its own is a session only until it is known whose it is; from then on it stands for that one.
 */
#ifndef TG_SYNTHESIZE_SESSION_H
#define TG_SYNTHESIZE_SESSION_H

#include "batch.h"
#include "dialects/dialect.h"
#include "synthesize/live.h"
#include "synthesize/plan.h"

struct memory;
struct sessions;

enum said_kind { SAID_LOGS, SAID_SPANS, SAID_HOOKS, SAID_KINDS };

/* A CLI in a lane, and since when it sends what. */
struct speaker {
	struct speaker *next;
	char lane[LANE_NAME_MAX + 1];
	const struct dialect *dialect;
	uint64_t since_ns[SAID_KINDS]; /* 0: never */
	/* The latest prompts of persons, for sessions that look like a helper's. */
	struct {
		uint64_t time_ns;
		struct session *session;
	} prompts[64];
	size_t prompt_count; /* of all times */
};

/* An event as a session keeps it; its texts stand behind it. */
struct kept {
	struct held held;    /* first, so that a plan is asked with it */
	uint8_t given_id[8]; /* of the span that it went out in; zeros: of none yet */
	uint64_t parcel;     /* the logs that it came in and that travel on, by number; NO_PARCEL */
	struct resource *resource;
	size_t bytes;
};
#define NO_PARCEL UINT64_MAX

/* Encoded, shared by the events that came with it. */
struct resource {
	size_t users;
	struct bytes message;
};

struct session {
	struct speaker *speaker;
	struct bytes key;       /* lane, CLI and id; behind the struct */
	struct bytes id;        /* in the key; empty: unknown */
	struct session *parent; /* whose events its own are; NULL: its own */
	size_t threads;         /* that stand for it */

	struct kept **kept; /* in the order of held_compare */
	size_t count, capacity;
	uint64_t floor; /* what came in records below is done with */
	uint64_t last_sequence;

	struct past_turn *past; /* by number; keys of their own */
	size_t past_count;
	unsigned last_number;
	size_t open_turns; /* by the last plan */

	char *project; /* NULL: unknown */
	uint64_t project_ns;

	/* A helper's, as far as its events say. */
	char side[32];    /* empty: it is none */
	bool may_be_side; /* see struct event */
	bool is_settled;  /* that was decided */
	uint64_t settle_ns;
	size_t prompts;
	uint64_t prompt_ns;
	bool prompt_is_withheld;

	bool has_hooks;
	uint64_t end_ns; /* when its end was heard of; 0: not yet */
	uint64_t last_received_ns;
	bool is_crowded; /* is to end at once, for want of room */

	uint64_t due_ns;
	uint64_t rested_ns; /* it is not planned before */
	size_t heap_at;

	struct live_session live;
	size_t live_at;           /* LIVE_NOWHERE while it is not shown */
	struct turn_figures done; /* of turns whose events are gone */
};

/* The memory outlives it. NULL: no memory. */
struct sessions *sessions_new(struct memory *memory, struct live *live);
void sessions_free(struct sessions *sessions);

/* Made when it is new. NULL: no memory. */
struct speaker *sessions_speaker(
	struct sessions *sessions, const char *lane, const struct dialect *dialect);
void sessions_note_speaker(
	struct sessions *sessions, struct speaker *speaker, enum said_kind kind, uint64_t at_ns);

/*
 * The session of an id, made or remembered when it is new; with an empty id the one of this turn key alone.
 * NULL: no memory.
 */
struct session *sessions_find(
	struct sessions *sessions, struct speaker *speaker, struct bytes id, struct bytes turn);

/* The one that it stands for. */
struct session *session_root(struct session *session);

/* From now on the events of the thread `id`, the past ones too, are `root`'s, done by the agent of that name. */
int sessions_adopt(struct sessions *sessions, struct bytes id, struct session *root);

/*
 * It is settled that the session is a helper's (session->side), of the host, or of nobody who is known with
 * NULL: its calls are side calls, and all else is nothing.
 */
int sessions_settle(struct sessions *sessions, struct session *helper, struct session *host);

/* What the event is to the session that its own stands for; false: nothing. */
bool session_event(
	const struct session *session, const struct event *event, struct event *ret_event);

/* A copy with memory of its own; NULL: no memory. */
struct kept *kept_new(const struct event *event, uint64_t received_ns, uint64_t sequence);
void kept_free(struct kept *kept);

struct resource *resource_new(struct bytes message);
struct resource *resource_hold(struct resource *resource);
void resource_release(struct resource *resource);

/* Owns `kept` from now on: 1; 0 when it is there already, and freed; -ENOMEM, and it is freed. */
int sessions_add(struct sessions *sessions, struct session *session, struct kept *kept);

/* Without them; by index, where `is_gone` says so. Below what is left, the inbox is done with for this session. */
void sessions_remove(struct sessions *sessions, struct session *session, const bool *is_gone);

/* Gives back the texts of an event that went out, which nothing asks for again. */
void sessions_shorten(struct sessions *sessions, struct session *session, size_t index);

void sessions_add_past(
	struct sessions *sessions, struct session *session, const struct planned_turn *turn);

void sessions_set_project(struct sessions *sessions, struct session *session, struct bytes place,
	uint64_t received_ns);

/* To be looked at, at this time at the latest; sessions_reschedule: at this time. */
void sessions_due(struct sessions *sessions, struct session *session, uint64_t at_ns);
void sessions_reschedule(struct sessions *sessions, struct session *session, uint64_t at_ns);

/* The one that is due first; NULL: there is none. */
struct session *sessions_first(const struct sessions *sessions);

/* It has no events, and no thread stands for it. */
void sessions_drop(struct sessions *sessions, struct session *session);

/* Of those with events the one that was silent longest, but for those that are to end; NULL: there is none. */
struct session *sessions_most_silent(const struct sessions *sessions);

struct sessions_figures {
	size_t sessions, events, bytes, open_turns;
};
struct sessions_figures sessions_figures(const struct sessions *sessions);
void sessions_set_open_turns(struct sessions *sessions, struct session *session, size_t open_turns);

/* The first record that an event is kept of; UINT64_MAX: none. */
uint64_t sessions_needed_from(const struct sessions *sessions);

#endif
