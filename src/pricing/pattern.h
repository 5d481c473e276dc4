/*
 * An anchored POSIX extended regular expression over a whole model name. A literal part is looked for
 * first, which spares nearly every run of the expression.
 */
#ifndef TG_PRICING_PATTERN_H
#define TG_PRICING_PATTERN_H

#include <regex.h>
#include <stdbool.h>

#include "pricing/fields.h"

enum { PATTERN_MAX = 255 };

struct pattern {
	regex_t regex;
	char literal[PATTERN_MAX + 1]; /* in each name that matches; empty when there is none */
};

/*
 * -EINVAL with a complaint when the expression is no valid one, is not anchored at both ends, or has
 * alternatives outside of parentheses (an anchor would hold for one of them only), or when it repeats
 * groups or counts so far that compiling it could take all memory.
 */
int pattern_compile(struct pattern *pattern, const char *expression, const struct place *place);
void pattern_done(struct pattern *pattern);

bool pattern_matches(const struct pattern *pattern, const char *name);

#endif
