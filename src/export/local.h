/*
 * The local view: a destination on this machine, one SQLite file that shows what went through lately.
 *
 * It must slow nothing: its thread runs at the lowest priority and reads the spool as destinations do, but
 * never keeps more than max_lag_bytes there; further behind it skips what is oldest, and counts that. A
 * file that cannot be written is tried again each second, and waited for no longer than that. Its tables
 * are in local_schema.sql, for other programs too.
 *
 * Each request is there once: where it is stored in two shapes, in Langfuse's.
 */
#ifndef TG_EXPORT_LOCAL_H
#define TG_EXPORT_LOCAL_H

#include <stddef.h>
#include <stdint.h>

struct deliveries;
struct local;
struct spool;

enum { LOCAL_PATH_MAX = 4200 };

/* The name under which it stands in the ledger; no configured destination may have it. */
#define LOCAL_NAME "local"

/* All outlive it. */
struct local_options {
	const char *directory; /* the file is local.sqlite in it */
	uint64_t max_bytes;
	uint64_t max_age_days; /* 0: no limit */
	uint64_t content_max_bytes;
	uint64_t max_lag_bytes;
	uint64_t min_free_bytes; /* nothing is written with less free disk */
	struct spool *spool;
	struct deliveries *deliveries;
	const char *const *lanes;
	size_t lane_count;
};

/*
 * Opens or makes the file; one that is damaged is moved aside, and one that cannot be opened for another
 * reason is tried again later. Keeps what it has not shown from here on. 0 or -ENOMEM.
 */
int local_open(const struct local_options *options, struct local **ret_local);
void local_free(struct local *local);

/* The thread's body; returns after local_stop, at the latest at `deadline_ms` (clock_monotonic_ms). */
void local_run(struct local *local);
void local_stop(struct local *local, uint64_t deadline_ms);

struct local_figures {
	uint64_t stored;  /* spans since the start, also the next */
	uint64_t skipped; /* too far behind, or the file could not be written */
	uint64_t file_bytes;
	uint64_t last_write_ns; /* Unix time; 0 never */
};
struct local_figures local_figures(const struct local *local);

/* The path of the file, for those who only read it: a connection of their own, read-only. */
const char *local_path(const struct local *local);

#endif
