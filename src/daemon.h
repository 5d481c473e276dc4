/* The daemon from its first listener to its last flushed batch. */
#ifndef TG_DAEMON_H
#define TG_DAEMON_H

struct startup;
struct startup_sources;
struct supervisor;

/*
 * Runs until SIGTERM or SIGINT and stops in order. At SIGHUP it reads the sources again and takes over
 * keys, headers, prices and log level. Returns an exit status: 0 after an orderly stop, 1 when
 * something could not start.
 *
 *   startup     what was read from the sources; only its prices are taken
 *   supervisor  is told how it stands; its socket is taken, where it has one, in place of the setting listen
 */
int daemon_run(const struct startup_sources *sources, struct startup *startup,
	struct supervisor *supervisor);

#endif
