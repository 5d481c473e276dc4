/* The page that tollgate status prints, apart from the daemon. */
#ifndef TG_CLI_STATUS_H
#define TG_CLI_STATUS_H

#include <jansson.h>

#include "cli/terminal.h"

/*
 *   views  what the daemon's views answered, by name: status, sources, spool, prices; live without which sessions
 *          are off; cost_by_cli and cost_by_model, without which the local view is
 *
 * 0 or negative errno.
 */
int status_print(const json_t *views, const struct terminal *terminal, struct buf *out);

#endif
