/*
 * The service manager that started this process, where one did: the socket that it holds for us, and what it wants
 * to hear. systemd's protocol without its library, as sd_listen_fds(3) and sd_notify(3) tell it.
 *
 * What cannot be told is not told: a manager that is gone stops nobody.
 */
#ifndef TG_BASE_SUPERVISOR_H
#define TG_BASE_SUPERVISOR_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/complaint.h"

struct supervisor {
	int socket; /* that it opened for us; whoever takes it leaves -1: none */
	int ear;    /* what it is told goes through this to the address; -1: it does not listen */
	struct sockaddr_un address;
	socklen_t address_len;
	uint64_t sign_ms; /* between two signs of life; 0: nobody waits for one */
	uint64_t due_ms;  /* of the next */
};

/*
 * Reads what the manager left in the environment, and takes it out, so that nobody whom we start takes it for
 * his own. To be called before there are threads; supervisor_leave ends it, also after a failure.
 *
 * 0, or -EINVAL with words when it hands over anything but one descriptor. Whether that is a socket that listens
 * is left to whoever takes it.
 */
int supervisor_meet(struct supervisor *ret_supervisor, struct complaint *complaint);
void supervisor_leave(struct supervisor *supervisor);

/* Everything is there, also again after a reload; `status` is one line for a person. */
void supervisor_say_ready(const struct supervisor *supervisor, const char *status);
void supervisor_say_reloading(const struct supervisor *supervisor);

/* From here on it takes at most so long. */
void supervisor_say_stopping(const struct supervisor *supervisor, uint64_t within_ms);

/* Gives a sign of life when one is due; returns when to come again (clock_monotonic_ms), UINT64_MAX for never. */
uint64_t supervisor_tick(struct supervisor *supervisor, uint64_t now_ms);

#endif
