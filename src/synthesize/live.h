/* What sessions are doing now, for whoever asks: a table that one thread writes and any may copy. */
#ifndef TG_SYNTHESIZE_LIVE_H
#define TG_SYNTHESIZE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"

enum live_state {
	LIVE_UNKNOWN,
	LIVE_WORKING,
	LIVE_WAITING_PERMISSION,
	LIVE_WAITING_USER,
	LIVE_FINISHED
};
/* "working", "waiting_for_permission", "waiting_for_user", "finished", "unknown" */
const char *live_state_name(enum live_state state);

struct live_session {
	char cli[16], lane[LANE_NAME_MAX + 1];
	char id[128], project[128], turn_name[128]; /* cut; may be anything that a sender wrote */
	enum live_state state;
	char waits_for[64]; /* the tool that wants a permission */
	unsigned turn_number;
	uint64_t first_ns, last_ns; /* times of events */
	uint64_t calls, tools, errors, tokens;
	bool is_session_unknown; /* the CLI withholds session ids */
	uint64_t received_ns;    /* when it was last heard of */
	uint64_t state_ns;       /* since when it is in this state */
};

struct live_view {
	struct live_session *at; /* the latest first */
	size_t count;
	size_t open_sessions, open_turns;
	uint64_t held_events, held_bytes;
};
void live_view_free(struct live_view *view);

struct live;

/*
 *   idle_ns  silence after which nothing is known of what a session does
 *
 * NULL: no memory.
 */
struct live *live_new(uint64_t idle_ns);
void live_free(struct live *live);

/*
 * Shows the session; `at` is LIVE_NOWHERE the first time, then what the table made of it. Moves that of another
 * session never.
 */
#define LIVE_NOWHERE SIZE_MAX
void live_put(struct live *live, size_t *at, const struct live_session *session);
void live_remove(struct live *live, size_t *at);

/* The figures beside the sessions, and what time it is. */
void live_set_figures(struct live *live, const struct live_view *figures, uint64_t now_ns);

struct live_view live_figures(struct live *live);

/* A copy; from any thread. 0 or -ENOMEM. */
int live_copy(struct live *live, struct live_view *ret_view);

#endif
