/*
 * What is remembered of what was done, in sessions.sqlite: which spans went out, which turns are over,
 * what is known of sessions whose events are gone, which signals each source sends, and from which record
 * on the inbox is still needed.
 *
 * Derived state: losing it costs spans that are sent again, under the same ids. Bounded by age and number.
 * All functions belong to one thread. What is said stands for the next questions at once and is on disk
 * after memory_commit, all of it together or nothing.
 */
#ifndef TG_SYNTHESIZE_MEMORY_H
#define TG_SYNTHESIZE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct memory;

struct memory_options {
	const char *directory;
	uint64_t max_age_days;
	uint64_t max_spans; /* remembered at most; the oldest go */
};

/* Opens, makes, or replaces a damaged file (a log line). 0 or negative errno. */
int memory_open(const struct memory_options *options, struct memory **ret_memory);
/* Does not commit. */
void memory_close(struct memory *memory);
/* 0 or negative errno: what was said is kept, and written by a later commit. */
int memory_commit(struct memory *memory);

/* Spans by trace and span id, of each lane by itself: the same may go out for two projects. */
bool memory_has_span(struct memory *memory, const char *lane, const uint8_t trace_id[16],
	const uint8_t span_id[8]);
void memory_add_span(struct memory *memory, const char *lane, const uint8_t trace_id[16],
	const uint8_t span_id[8]);

/* Turns of a session that are over, by number; `session` is the whole key (lane, CLI, id). */
struct remembered_turn {
	struct bytes key; /* behind the array */
	unsigned number;
	uint64_t start_ns;
};
/* An array to be freed with free, of what there is when memory ends. 0 or -ENOMEM. */
int memory_turns(struct memory *memory, struct bytes session, struct remembered_turn **ret_turns,
	size_t *ret_count);
void memory_add_turn(
	struct memory *memory, struct bytes session, const struct remembered_turn *turn);

/* A fact about a session, by name; the latest stands. Appended to `value`; false: none was said. */
bool memory_fact(struct memory *memory, struct bytes session, const char *name, struct buf *value);
void memory_add_fact(
	struct memory *memory, struct bytes session, const char *name, struct bytes value);

/* Since when a source (a CLI in a lane) sends a kind of thing ("logs", "spans", "hooks"); 0: never. */
uint64_t memory_source_since(struct memory *memory, struct bytes source, const char *kind);
/* The first time stands. */
void memory_note_source(
	struct memory *memory, struct bytes source, const char *kind, uint64_t at_ns);

/* Sequences in the spool; 0: from the beginning. */
struct memory_position {
	uint64_t inbox;     /* the first record that is still needed */
	uint64_t outbox;    /* the first record that this state may not know */
	uint64_t travelled; /* logs of the inbox's records below have gone on */
};
struct memory_position memory_position(const struct memory *memory);
void memory_set_position(struct memory *memory, struct memory_position position);

#endif
