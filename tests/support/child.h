/*
 * Processes that a test or the benchmark forks, each ended by its own id. They die with their
 * parent, so that an aborted run leaves nothing behind.
 */
#ifndef TG_TESTS_SUPPORT_CHILD_H
#define TG_TESTS_SUPPORT_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int pidfd;
};

/* Somebody else than the one who runs the test; only root can be that. */
struct identity {
	uid_t user;
	gid_t group;
	gid_t member_of; /* a further group; the same again for none */
};

/* Becomes that, for good, in a child. 0 or negative errno. */
int identity_take(const struct identity *identity);

/*
 * Runs role(arg) in a process of its own, which ends with 0 when the role returns. 0 or negative errno.
 *
 * While other threads are at work the role calls only what is safe in a signal handler: they may hold locks
 * at the fork, those of a sanitizer's allocator above all, and nobody in the child gives them back.
 */
int child_start(struct child *child, void (*role)(void *arg), void *arg);

/*
 * Waits until it has ended: its exit status, 128 + the signal that ended it, or -ETIMEDOUT (then it
 * still runs). The child is gone afterwards.
 */
int child_wait(struct child *child, int timeout_ms);

bool child_has_ended(const struct child *child);

void child_signal(const struct child *child, int signal);

/* What each thread of it waits for, to stderr, for tests that fail since it does not end. */
void child_print_threads(const struct child *child);

/* SIGKILL and wait; nothing when it is gone already. */
void child_kill(struct child *child);

/* A listening socket on 127.0.0.1, any free port. The descriptor, or negative errno. */
int listener_open(int *ret_port);

/* A port that was free a moment ago, for programs that cannot choose one themselves. */
int port_reserve(void);

#endif
