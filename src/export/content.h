/*
 * What a destination gets of what people, models and tools said: requests rewritten where its `content` is
 * not full. The spans stay the same spans with the same figures.
 *
 * Where content is cut, a value that is longer than content_max_bytes becomes text of at most that length,
 * which ends in a mark. Where there is to be none, input and output as destinations show them become a mark,
 * so that withheld looks different from absent, and other content is left out.
 *
 * What was rewritten once is not changed by a second time.
 */
#ifndef TG_EXPORT_CONTENT_H
#define TG_EXPORT_CONTENT_H

#include "base/arena.h"
#include "batch.h"
#include "config/config.h"

/* Stands where content was withheld. */
#define CONTENT_MARK "[content withheld by tollgate]"

/*
 * Whether a signal may be sent: not, where content is to be withheld and nobody knows it from the rest. Events
 * were on their way to Langfuse by themselves; they go on as they are, stored or not.
 */
static inline bool content_lets_pass(const struct destination_config *config, enum signal signal)
{
	return config->content == CONTENT_FULL || signal == SIGNAL_TRACES ||
		signal == SIGNAL_INGESTION;
}

/*
 * A request of traces as the destination may have it: in the arena, or `request` itself when there is
 * nothing to change. -EBADMSG, or the arena's error.
 */
int content_rewrite(const struct destination_config *config, struct bytes request,
	struct arena *arena, struct bytes *ret_request);

/* Of memory: what rewriting takes of the arena per byte of request, and beside that, at the worst. */
enum { CONTENT_WORK_FACTOR = 40, CONTENT_WORK_BYTES = 1 << 20 };

#endif
