/* Prometheus' text format 0.0.4, read as strictly as a scraper may. */
#ifndef TG_TESTS_SUPPORT_EXPOSITION_H
#define TG_TESTS_SUPPORT_EXPOSITION_H

#include <stdbool.h>

/*
 * Whether a page is well formed: each family has one HELP and one TYPE before its samples, which stand
 * together; names, labels, escapes and values are legal; no series comes twice; counters, and they alone,
 * end in _total. Otherwise false, with the fault and its line in `ret_why`.
 */
bool exposition_check(const char *page, char ret_why[256]);

/* The value of a series, written as on the page: name{label="value"}. NAN when it is not there. */
double exposition_value(const char *page, const char *series);

#endif
