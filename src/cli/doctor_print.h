/* What `tollgate doctor` prints, for its tests. */
#ifndef TG_CLI_DOCTOR_PRINT_H
#define TG_CLI_DOCTOR_PRINT_H

#include <jansson.h>

#include "cli/terminal.h"
#include "findings.h"

/*   findings  sorted */
void doctor_print(
	const struct findings *findings, const struct terminal *terminal, struct buf *out);

/*
 * {"first_broken": NAME or null, "findings": [{"name", "hop", "severity", "about", "what", "shows", "mend"}],
 * "checked": [NAME of each check]}, a new reference; NULL without memory.
 */
json_t *doctor_json(const struct findings *findings);

/* The table of all that there may be. */
void doctor_print_list(const struct terminal *terminal, struct buf *out);

#endif
