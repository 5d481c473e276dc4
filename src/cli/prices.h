/*
 * What `tollgate prices` can do, a file each, and its pages apart from where their JSON comes from. In that
 * JSON money is exact decimals in USD as text, and a price is that of one token, as in a price table.
 */
#ifndef TG_CLI_PRICES_H
#define TG_CLI_PRICES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/terminal.h"
#include "pricing/price.h"

/* What was asked for on the command line; NULL for what was not said. */
struct prices_choice {
	const char *config, *socket;
	bool is_json, is_unknown;
	const char *provider, *tier, *region;
	uint64_t at_ns;
	bool has_counts;
	struct usage usage;
	uint64_t writes_of_unknown_life; /* in usage as those of five minutes */
	const char *operand;             /* behind the verb */
};

/* The table that the configuration names, else the one that was built in. An exit status. */
int prices_configured(const struct prices_choice *choice, struct prices **ret_prices);

/* Each returns an exit status. */
int prices_explain_run(const struct prices_choice *choice);
int prices_list_run(const struct prices_choice *choice);
int prices_unknown_run(const struct prices_choice *choice);

enum { PRICES_CONTEXTS_MAX = 8 }; /* lengths of input that have prices of their own */

/* Each 0 or negative errno. */
int prices_explain_print(const json_t *answer, const struct terminal *terminal, struct buf *out);
int prices_list_print(const json_t *answer, const struct terminal *terminal, struct buf *out);
/*   answer  of GET /v1/prices */
int prices_unknown_print(const json_t *answer, const struct terminal *terminal, struct buf *out);

/* A line when a table is as old as its "age_days" say; none while it is young. */
void prices_remark_age(const json_t *answer, const struct terminal *terminal, struct buf *out);

#endif
