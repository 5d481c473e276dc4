/*
 * Events as lines, so that a test compares what a dialect read to the letter:
 *
 *     +240.5 call session=~59bbe1b4 call=~d4svj2fhhz6 took=139 model="claude-opus-5-5" in=12 out=14
 *
 * Times and durations are milliseconds. Of a key longer than 16 bytes stand its last 8, behind "~"; of
 * a text longer than 80 its first 80 and how many bytes it has; a mark stands in angle brackets. What
 * was not said is not there.
 */
#ifndef TG_TESTS_SUPPORT_EVENTS_H
#define TG_TESTS_SUPPORT_EVENTS_H

#include <stdio.h>

#include "dialects/dialect.h"

/*
 *   zero_ns  where times count from; signals have none and begin with "-"
 */
void event_print(const struct event *event, uint64_t zero_ns, FILE *out);

/* All of them, a line each, counted from the earliest; to be freed. */
char *events_text(const struct events *events);

/*
 * A record of these attributes, as a dialect reads it.
 *
 *   said  "key=text", "key:=12" for an int, "key~=0.5" for a double, "key?=true" for a bool; up to NULL
 */
void events_of_log(const struct dialect *dialect, uint64_t time_ns, const char *const *said,
	struct events *events);
/* The same of a span of that name, of 20 ms, with a parent. */
void events_of_span(const struct dialect *dialect, const char *name, const char *const *said,
	struct events *events);

#endif
