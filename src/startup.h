/* What a start reads, and SIGHUP reads again: settings, keys, prices. Nothing is made or started here. */
#ifndef TG_STARTUP_H
#define TG_STARTUP_H

#include "base/complaint.h"
#include "config/config.h"

struct prices;

/* Where to read; the first three as config_load takes them. */
struct startup_sources {
	const char *file; /* NULL: config_find_file looks for one */
	char *const *environment;
	char *const *flags;
	char *listen; /* where the service manager listens for us, whatever is set; NULL: it does not */
};

struct startup {
	char file[CONFIG_PATH_MAX]; /* that was read; empty for none */
	struct config *config;
	char **notes;
	struct prices *prices; /* whoever takes it leaves NULL */
};

/* 0, or -EINVAL with the first mistake, or -ENOMEM with words too. */
int startup_read(const struct startup_sources *sources, struct startup *ret_setup,
	struct complaint *complaint);
void startup_done(struct startup *startup);

/*
 * What else would keep a daemon from starting, as far as it can be known before: a destination that is
 * our own door, a state directory that cannot be made or written, a mistake in a file of keys or of the
 * certificate, listening to others without any key. 0, or -EINVAL with words.
 */
int startup_check(const struct config *config, struct complaint *complaint);

/* One line in the log when the price table is so old that somebody should look. */
void startup_warn_old_prices(const struct prices *prices);

/* What a reload says in the log: why it left everything as it was, ... */
void startup_log_failure(const struct complaint *complaint);

/*
 * ... or one line with the settings that are taken over, and one for each that waits for a restart.
 *
 *   first   of the start
 *   before  of the last reload; empty when this is the first
 */
void startup_log_changes(
	const struct config *first, const struct startup *before, const struct startup *now);

#endif
