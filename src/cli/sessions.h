/* The table that tollgate sessions prints, apart from the daemon. */
#ifndef TG_CLI_SESSIONS_H
#define TG_CLI_SESSIONS_H

#include <jansson.h>
#include <stdint.h>

#include "cli/terminal.h"

/*   answer  of /v1/sessions
 *   now_ns  Unix time, which ages are counted from
 * 0 or negative errno. */
int sessions_print(
	const json_t *answer, uint64_t now_ns, const struct terminal *terminal, struct buf *out);

/*   answer  of /v1/live
 * 0 or negative errno. */
int sessions_print_live(const json_t *answer, const struct terminal *terminal, struct buf *out);

/* How many are in which state, and the `most` that spoke last. */
int sessions_print_newest(
	const json_t *answer, size_t most, const struct terminal *terminal, struct buf *out);

#endif
