/* The daemon from its first listener to its last flushed batch. */
#ifndef TG_DAEMON_H
#define TG_DAEMON_H

struct config;

/*
 * Runs until SIGTERM or SIGINT and stops in order. Notes are logged once at the start; both arguments
 * stay the caller's. Returns an exit status: 0 after an orderly stop, 1 when something could not start.
 */
int daemon_run(const struct config *config, char **notes);

#endif
