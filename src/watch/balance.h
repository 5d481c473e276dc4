/* The books of one destination and lane, as every view tells them. */
#ifndef TG_WATCH_BALANCE_H
#define TG_WATCH_BALANCE_H

#include <jansson.h>

struct balance;

/*
 * "destination", "lane", "configured", "accepted", what became of them by the words of outcome_name, and
 * "waiting" by the books. A new reference; NULL: no memory.
 */
json_t *balance_json(const struct balance *balance);

#endif
