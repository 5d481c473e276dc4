/*
 * From an enriched request to rows of the local view. The columns and what they mean are in
 * local_schema.sql.
 */
#ifndef TG_EXPORT_LOCAL_ROW_H
#define TG_EXPORT_LOCAL_ROW_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"

/* Texts are UTF-8 without NUL and of bounded length; .at NULL: not said. */
struct local_row {
	char trace_id[33], span_id[17], parent_span_id[17]; /* hex; a root's parent is empty */
	uint64_t start_ns, end_ns;
	struct bytes name, kind, level, status_message;
	struct bytes session_id, user_id, environment, service, scope;
	struct bytes provider, model, usage;
	int64_t cost_fusd; /* -1: not known */
	struct bytes cost_source, cost_status;
	struct bytes input, output;
	uint64_t input_bytes, output_bytes; /* before they were cut */
};

/*
 * Reads every span of a request that went through enrich.
 *
 *   content_max_bytes  of one input or output
 *   arena              for what has to be made on the way
 *   take               called for each, in document order; what it points to lives as long as the call.
 *                      Not 0: nothing more is read, and that is returned
 *
 * 0, -EBADMSG, or the arena's error.
 */
int local_rows(struct bytes request, size_t content_max_bytes, struct arena *arena,
	int (*take)(void *arg, const struct local_row *row), void *arg);

#endif
