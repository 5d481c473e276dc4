/*
 * Who waits for whom when the log is nearly full.
 *
 * A destination that answers is waited for, if need be with 503 at the doors. One that is missed, silent
 * for long while another answers or has everything, may fill its share of the disk; then it loses its oldest records
 * that another one has, so that the others go on. They share one log, so a share is all of it but an eighth.
 * Being away together is no fault of anybody: after an outage of all nothing is lost.
 */
#ifndef TG_EXPORT_SHARES_H
#define TG_EXPORT_SHARES_H

#include <stddef.h>
#include <stdint.h>

struct deliveries;
struct exporter;
struct spool;

/* One destination; the caller sets the first three and leaves the rest zero. */
struct share {
	struct exporter *exporter;
	const char *destination;
	unsigned signals;             /* that it takes, as in its configuration */
	uint64_t heard_ns, others_ns; /* its last answer and the others', when it was looked at */
	uint64_t looked_ms;
	uint64_t missed_ms; /* how long another was well and it did not answer */
};

struct shares {
	struct share *at; /* all destinations */
	size_t count;
	const char *const *lanes;
	size_t lane_count;
	struct deliveries *deliveries;
	struct spool *spool;
	uint64_t max_bytes;          /* of the log */
	uint64_t silence_timeout_ms; /* of missing a destination, until its share is enforced */
};

/* To be called each second. */
void shares_enforce(struct shares *shares, uint64_t now_ms);

#endif
