/*
 * A program under test from outside: started with a clean environment, its log kept in a file, ended
 * by its own id. Nothing here knows what is inside the daemon but its log lines.
 */
#ifndef TG_TESTS_SUPPORT_DAEMON_H
#define TG_TESTS_SUPPORT_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "support/child.h"
#include "support/scratch.h"

enum { DAEMON_START_MS = 20000, DAEMON_STOP_MS = 60000 };

struct daemon {
	struct child child;
	int port; /* of the first "event=listening" line; 0 before */
	char log_path[SCRATCH_PATH_MAX + 16];
	off_t log_from; /* where the log of this start begins */
};

struct daemon_start {
	const char *const *arguments; /* the program first, NULL at the end */
	/*
	 * NAME=value, NULL at the end; nothing else but PATH and the sanitizers' options is handed on.
	 * XDG_CONFIG_HOME is the directory.
	 */
	const char *const *environment;
	const char *directory;           /* "log" is made in it, or written on when it is there */
	const struct identity *identity; /* NULL: that of the test */
	int socket; /* handed over as a service manager does, see sd_listen_fds(3); 0: none */
};

/* The daemon of this build: $builddir/tollgate, or ./tollgate. */
const char *daemon_program(void);

/* Only starts it. 0 or negative errno; a program that cannot be run ends with 127. */
int daemon_spawn(struct daemon *daemon, const struct daemon_start *start);

/* Starts it and waits until it accepts connections; ended again when that takes too long. */
int daemon_start(struct daemon *daemon, const struct daemon_start *start);

/*
 * Waits until the log of this start contains `text`.
 *
 *   ret_line  the line that does, to be freed; may be NULL
 *
 * 0; -ETIMEDOUT; -ESRCH when the program ended before it said so.
 */
int daemon_wait_log(struct daemon *daemon, const char *text, int timeout_ms, char **ret_line);

/* The whole log of this start, to be freed; for messages of failed tests too. */
char *daemon_log(const struct daemon *daemon);

/* The last lines of it to stderr, for runs that fail. */
void daemon_print_log(const struct daemon *daemon);

/* SIGTERM, then its exit status as child_wait; killed and -ETIMEDOUT when it does not end. */
int daemon_stop(struct daemon *daemon);

/* As a power cut for the process: nothing of it runs any more. */
void daemon_kill(struct daemon *daemon);

/* CPU seconds that it has used, user and system; negative when it is gone. */
double daemon_cpu_seconds(const struct daemon *daemon);

/* Its anonymous memory now, in bytes: what it really holds, without file pages. */
uint64_t daemon_anonymous_bytes(const struct daemon *daemon);

#endif
