/* The page that tollgate show prints, apart from the daemon. */
#ifndef TG_CLI_SHOW_H
#define TG_CLI_SHOW_H

#include <jansson.h>

#include "cli/terminal.h"

/*   answer  of /v1/spans; inputs and outputs are printed where it has them
 * 0 or negative errno. */
int show_print(const json_t *answer, const struct terminal *terminal, struct buf *out);

#endif
