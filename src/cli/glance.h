/*
 * A setting or two for commands that need no more of them. The configuration is not checked as the daemon
 * does it, because whoever asks may not be able to read the keys that it names.
 */
#ifndef TG_CLI_GLANCE_H
#define TG_CLI_GLANCE_H

#include <jansson.h>

struct complaint;

/*
 * Reads the configuration file as it is.
 *
 *   file        NULL: the one that config_find_file finds
 *   ret_config  a new reference; NULL where there is no file
 *
 * 0, or -EINVAL with a complaint: it cannot be read, or is no JSON.
 */
int glance(const char *file, json_t **ret_config, struct complaint *complaint);

/* A setting that is a text, by its dotted name: its variable wins over the file. NULL: nobody says it. */
const char *glance_text(const json_t *config, const char *name);

#endif
