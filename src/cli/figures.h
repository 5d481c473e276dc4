/* Figures as people read them. Each writes into `out` and returns it. */
#ifndef TG_CLI_FIGURES_H
#define TG_CLI_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/terminal.h"
#include "pricing/price.h"

enum { FIGURE_MAX = 80 };

/* "12,345" */
char *figure_count(char out[FIGURE_MAX], int64_t count);

/* "812 B", "1.2 KiB", "64.0 MiB" */
char *figure_bytes(char out[FIGURE_MAX], uint64_t bytes);

/* "$0.0133464": exact, and at least cents. */
char *figure_cost(char out[FIGURE_MAX], fusd amount);

/*
 * Of a row of the daemon's figures about calls: "-" when none has a known cost, "≥$0.01" when some have
 * none or no more than a lower bound; empty when there are no calls.
 */
char *figure_cost_of(char out[FIGURE_MAX], const json_t *row, const struct terminal *terminal);

/* "0.3 ms", "340 ms", "1.2 s", "2 m 05 s", "1 h 02 m", "3 d 04 h" */
char *figure_duration(char out[FIGURE_MAX], uint64_t ns);

/* How long ago, in one unit: "12 s", "3 m", "2 h", "5 d"; "now" for what is to come. */
char *figure_age(char out[FIGURE_MAX], uint64_t then_ns, uint64_t now_ns);

/* "2026-11-21 11:52:05" in the local time zone. */
char *figure_time(char out[FIGURE_MAX], uint64_t unix_ns);

/* Members of the daemon's answers: 0, "" or false when they are missing or something else. */
uint64_t json_uint(const json_t *object, const char *key);
const char *json_text(const json_t *object, const char *key);
/* "cost_fusd" is an integer, or text where 64 bits are too few; none is unknown, which is not zero. */
bool json_cost(const json_t *object, fusd *ret_amount);

#endif
