/* What can be measured: Tollgate, and peers that are asked to do the same job. */
#ifndef TG_TESTS_BENCH_GATEWAY_H
#define TG_TESTS_BENCH_GATEWAY_H

#include <stdbool.h>

#include "support/daemon.h"

struct gateway_setup {
	const char *directory; /* for configuration, state and log; removed afterwards */
	int sink_ports[2]; /* both get everything: the first at Langfuse's path where it matters */
	bool is_gzip;      /* on the way to the sinks */
	const char *const *environment; /* further settings of Tollgate, NULL at the end */
};

struct gateway {
	const char *name;
	const char *variable; /* of the environment, names the program; NULL: this build's daemon */

	/* Returns when it accepts requests at daemon->port. 0 or negative errno. */
	int (*start)(const struct gateway_setup *setup, struct daemon *daemon);
};

/* Ends with a gateway without a name. */
extern const struct gateway gateways[];

/* Whether its program is known. */
bool gateway_is_present(const struct gateway *gateway);

#endif
