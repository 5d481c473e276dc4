/*
 * Projects as lanes: which of them a destination has, and with whose keys. Every destination gets all
 * projects, but a Langfuse gets only those that it has keys of: config_langfuse() all, others the default one.
 *
 * A project that was taken out of the configuration leaves lanes behind when something waits in them. They
 * are there until a start finds them empty: the other destinations get what waits, and Langfuse, without
 * the project's keys, keeps what it has room for.
 */
#ifndef TG_EXPORT_LANES_H
#define TG_EXPORT_LANES_H

#include <stddef.h>

#include "config/config.h"

struct deliveries;
struct spool;

struct lanes {
	const char **names; /* the default project's first; what they point to is their owners' */
	size_t count;
	size_t configured; /* of them; those behind were left behind */
};

/*
 *   destination  NULL: the local view
 *
 * Both config and deliveries outlive the lanes. Before spool_write. 0 or -ENOMEM; a log line tells of each
 * lane that was left behind, and how much waits there.
 */
int lanes_find(const struct config *config, const struct destination_config *destination,
	struct spool *spool, struct deliveries *deliveries, struct lanes *ret_lanes);
void lanes_done(struct lanes *lanes);

#endif
