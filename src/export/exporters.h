/*
 * All destinations that are switched on: an exporter for each, its lanes, its thread, and the shares of the disk that
 * they have together.
 */
#ifndef TG_EXPORT_EXPORTERS_H
#define TG_EXPORT_EXPORTERS_H

#include <pthread.h>

#include "base/complaint.h"
#include "export/lanes.h"
#include "export/shares.h"

struct exporter_thread {
	const struct destination_config *config;
	struct lanes lanes;
	struct exporter *exporter;
	pthread_t thread;
	bool runs;
};

struct exporters {
	const struct config *config;
	struct exporter_thread *at; /* in the order of the configuration */
	size_t count;
	struct shares shares;
};

/*
 * Makes them; nothing is sent yet. Both config and what is given with it outlive the exporters, which
 * exporters_done ends, also after a failure. 0; -EINVAL with words; -ENOMEM.
 */
int exporters_make(const struct config *config, struct spool *spool, struct deliveries *deliveries,
	struct exporters *ret_exporters, struct complaint *complaint);

/* 0 or negative errno; some may run then. */
int exporters_start(struct exporters *exporters);

/* That of a destination; NULL when it is not switched on. */
struct exporter *exporters_find(
	const struct exporters *exporters, const struct destination_config *config);

/*
 * Keys and headers of another configuration, for requests from now on; a destination whose address is another waits
 * for a restart, and the log says so. 0, or as exporter_rekey, with some of them taken over.
 */
int exporters_rekey(const struct exporters *exporters, const struct config *config,
	struct complaint *complaint);

/* Asks them to come to an end until then, as exporter_stop. */
void exporters_stop(const struct exporters *exporters, uint64_t deadline_ms);

/* Waits for the threads that were asked, and frees all. */
void exporters_done(struct exporters *exporters);

#endif
