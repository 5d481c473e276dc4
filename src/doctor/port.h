/* Who listens at a port of this machine, as far as whoever asks may see it. */
#ifndef TG_DOCTOR_PORT_H
#define TG_DOCTOR_PORT_H

#include <sys/types.h>

struct port_owner {
	uid_t user;
	pid_t process; /* 0: one that only its owner or root may see */
	char program
		[32]; /* the name of its executable, as the kernel cuts it; empty without a process */
};

/* 0; -ENOENT: nobody. */
int port_owner_find(unsigned port, struct port_owner *ret_owner);

#endif
