/* The table that tollgate cost prints, apart from the daemon. */
#ifndef TG_CLI_COST_H
#define TG_CLI_COST_H

#include <jansson.h>

#include "cli/terminal.h"

/*   answer  of /v1/cost
 * 0 or negative errno. */
int cost_print(const json_t *answer, const struct terminal *terminal, struct buf *out);

#endif
