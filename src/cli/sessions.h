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

#endif
