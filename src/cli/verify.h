/* What `tollgate verify` prints, for its test. */
#ifndef TG_CLI_VERIFY_H
#define TG_CLI_VERIFY_H

#include <jansson.h>

#include "cli/terminal.h"

/*   answer  of GET /v1/verify
 * 0 or negative errno. */
int verify_print(const json_t *answer, const struct terminal *terminal, struct buf *out);

#endif
