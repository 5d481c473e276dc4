/* What `tollgate spool` prints, for its test. */
#ifndef TG_CLI_SPOOL_H
#define TG_CLI_SPOOL_H

#include <jansson.h>

#include "cli/terminal.h"

/*   answer  of GET /v1/spool
 * 0 or negative errno. */
int spool_print(const json_t *answer, const struct terminal *terminal, struct buf *out);

#endif
