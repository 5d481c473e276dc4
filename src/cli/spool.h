/* What `tollgate spool` prints, apart from the daemon. */
#ifndef TG_CLI_SPOOL_H
#define TG_CLI_SPOOL_H

#include <jansson.h>

#include "cli/terminal.h"

/*   answer  of GET /v1/spool
 * 0 or negative errno. */
int spool_print(const json_t *answer, const struct terminal *terminal, struct buf *out);

/* The part of it that says what waits for whom, and why. */
int spool_print_waiting(const json_t *answer, const struct terminal *terminal, struct buf *out);

#endif
