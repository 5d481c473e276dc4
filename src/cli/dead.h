/* The dead letters of `tollgate spool dead`. */
#ifndef TG_CLI_DEAD_H
#define TG_CLI_DEAD_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/terminal.h"

/* What was asked for on the command line; NULL for what was not said. */
struct dead_choice {
	const char *socket;
	bool is_json;
	const char *destination, *reason, *limit;
	bool is_all, has_content, is_sure;
	char **operands; /* behind "dead"; ends with NULL */
};

/* An exit status. */
int dead_run(const struct dead_choice *choice);

/*   answer  of GET /v1/dead
 * 0 or negative errno. */
int dead_list_print(const json_t *answer, const struct terminal *terminal, struct buf *out);

/*
 *   answer       of GET /v1/dead/letter
 *   has_content  attributes as well
 * 0 or negative errno.
 */
int dead_letter_print(const json_t *answer, bool has_content, uint64_t now_ns,
	const struct terminal *terminal, struct buf *out);

#endif
