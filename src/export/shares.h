/*
 * Who waits for whom when the log is nearly full.
 *
 * A lane of a destination that answers is waited for, if need be with 503 at the doors. One that is missed, silent
 * for long while another answers or has everything, may fill its share of the disk; then it loses its oldest records
 * that another destination has too, so that the others go on. They share one log, so a share is all of it but an
 * eighth. Being away together is no fault of anybody: after an outage of all nothing is lost.
 *
 * A project's own trouble (its keys, its plan) must not close the doors for the others: one that is shut out while
 * its destination takes what others send loses its oldest records, whoever has them. What a project left
 * behind that was taken out of the configuration has an eighth of the log.
 */
#ifndef TG_EXPORT_SHARES_H
#define TG_EXPORT_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/exporter.h"

struct delivery;

/* One lane of one destination; the caller sets the first six and leaves the rest zero. */
struct share {
	struct exporter *exporter;
	size_t lane; /* of it, by its place */
	const char *name;
	struct delivery *delivery;
	unsigned signals;    /* that the destination takes, as in its configuration */
	bool is_left_behind; /* where nothing is sent any more */

	/* When it was looked at. */
	uint64_t looked_ms;
	uint64_t cursor; /* below it has everything */
	struct lane_health health;
	uint64_t heard_ns;    /* its last answer, */
	uint64_t siblings_ns; /* the last one of its destination to other lanes, */
	uint64_t others_ns;   /* and the last one of all others */
	uint64_t missed_ms;   /* how long another was well and it did not answer */
	uint64_t shut_out_ms; /* how long its own destination was, to other lanes */
};

struct shares {
	struct share *at; /* of all destinations */
	size_t count;
	struct spool *spool;
	uint64_t max_bytes;          /* of the log */
	uint64_t silence_timeout_ms; /* of missing a lane, until its share is enforced */
};

/* To be called each second. */
void shares_enforce(struct shares *shares, uint64_t now_ms);

#endif
