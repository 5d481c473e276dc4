/*
 * logfmt to stderr; the journal adds the time. One line per fact, stable event names, values quoted
 * where needed. Prompts, tool output and keys are never passed here, at any level.
 */
#ifndef TG_BASE_LOG_H
#define TG_BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);

/*
 *   event   stable snake_case name
 *   fields  printf format of the further key=value pairs, "" for none; text values through log_text
 */
void log_event(enum log_level level, const char *event, const char *fields, ...)
	__attribute__((format(printf, 3, 4)));

enum { LOG_TEXT_MAX = 256 };

/*
 * A value that may hold anything, made safe for one logfmt field: quoted when it has blanks, quotes or
 * equals signs, control bytes escaped, cut with "..." to fit. Returns `out`.
 */
const char *log_text(char out[LOG_TEXT_MAX], const char *text);

/*
 * Lets one line through per interval, so that an outage does not flood the journal.
 *   ret_held  lines held back since the last one that passed; set when true is returned
 */
struct log_gate {
	_Atomic uint64_t passed_ms;
	_Atomic uint64_t held;
};
bool log_gate_open(struct log_gate *gate, uint64_t interval_ms, uint64_t *ret_held);

#endif
