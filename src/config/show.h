/* A configuration that was read, looked at: each value with its origin, and what differs from another. */
#ifndef TG_CONFIG_SHOW_H
#define TG_CONFIG_SHOW_H

#include <jansson.h>

struct config;
struct setting;

/* One line per setting, in columns; keys and what headers hold are masked. */
void config_print_values(const struct config *config);

/* The same as {NAME: {"value": ..., "origin": ...}}, a new reference; NULL without memory. */
json_t *config_values(const struct config *config);

/*
 * Tells each setting of `now` that is another than in `before`, by its name and row; a destination or
 * project that only one of them has is told as a whole, with NULL for the row.
 */
void config_compare(const struct config *before, const struct config *now,
	void (*tell)(const char *name, const struct setting *row, void *arg), void *arg);

#endif
