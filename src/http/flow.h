/*
 * Bytes on their way from one thread to another, at most so many at a time: one direction of a stream
 * between a client's connection and its request upstream.
 *
 * One side writes, the other reads, each in a thread of its own. Whoever finds it full or empty is told
 * once, by `moved`, when that has changed; so a slow reader slows its writer, and nobody waits in a call.
 */
#ifndef TG_HTTP_FLOW_H
#define TG_HTTP_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"

struct flow;

/*
 * Nothing is in it, and one holder has it.
 *
 *   capacity  bytes that may be in it; memory is taken when they come
 *   budget    charged with that memory; NULL for none
 *
 * NULL: no memory.
 */
struct flow *flow_new(size_t capacity, struct budget *budget);
struct flow *flow_hold(struct flow *flow); /* one holder more */
void flow_release(struct flow *flow);      /* NULL is fine */

enum flow_side { FLOW_WRITER, FLOW_READER };

/*
 * Who is told that a write that was short has room now, that an empty flow has something, or that it was ended
 * or broken. `moved` is called from another thread, may come without need, calls nothing of the flow and waits for
 * nobody who does. After a call with NULL it is not running and does not come any more.
 */
void flow_watch(struct flow *flow, enum flow_side side, void (*moved)(void *arg), void *arg);

/* Takes what fits, and returns how much that is; -EPIPE: it is broken; -ENOMEM: no memory, and nothing in it. */
ssize_t flow_write(struct flow *flow, const void *bytes, size_t len);

/* The writer's last word: what is in it can still be read. */
void flow_end(struct flow *flow);

enum { FLOW_NOTHING_YET = 0, FLOW_ENDED = -1, FLOW_BROKEN = -2 };

/* Up to `max` bytes, or one of the three above. */
ssize_t flow_read(struct flow *flow, void *to, size_t max);

/* From either side: it did not end well. What is in it is gone. */
void flow_break(struct flow *flow);

#endif
