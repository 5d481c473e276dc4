/* What a dialect makes of a captured scenario, beside what it has to make of it. */
#ifndef TG_TESTS_SUPPORT_CAPTURED_EVENTS_H
#define TG_TESTS_SUPPORT_CAPTURED_EVENTS_H

#include "support/events.h"

/*
 * All that was captured, in the order of its arrival, as lines; to be freed.
 *
 *   name        "claude/b-tool"
 *   with_spans  the CLI's own spans too
 */
char *captured_events(const char *name, bool with_spans);

/* Those lines are the ones of fixtures/events/NAME.txt, else the test fails with the first that differs. */
void expect_captured_events(const char *name, bool with_spans);

#endif
