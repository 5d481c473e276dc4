/*
 * From the spool to requests of a good size: reads the records of one lane in order, passes over what
 * is finished already or of another signal, joins small ones and cuts large ones.
 *
 * The intakes of one destination and lane share its delivery state. Each tells it of whatever the destination
 * takes, so that the cursor does not pass what another of them has yet to read.
 */
#ifndef TG_EXPORT_INTAKE_H
#define TG_EXPORT_INTAKE_H

#include "export/job.h"
#include "spool/delivery.h"

struct intake {
	struct spool_reader *reader;
	struct delivery *delivery;
	enum signal signal; /* its own */
	const bool *takes;  /* by enum signal: what the destination takes */
	uint64_t batch_size, batch_timeout_ms, max_request_bytes;
	uint32_t max_units; /* spans of one request */
	bool in_hurry;      /* nothing waits to be joined any more */

	/* Its own. */
	struct job *ready;    /* in order, to go before `filling` */
	struct job *filling;  /* may still be joined by others */
	uint64_t due_ms;      /* when it goes as it is */
	uint64_t taken_below; /* records that were read in order */
};

/* The next request in order, or NULL: at the end of the log, or waiting for more until intake->due_ms. */
struct job *intake_next(struct intake *intake, uint64_t now_ms);

/* Every record below was handed out, or was not for it. */
uint64_t intake_handed_below(const struct intake *intake);

/* Nothing has been read that was not handed out. */
bool intake_is_empty(const struct intake *intake);

void intake_done(struct intake *intake);

/*
 * Gives up records below `sequence` that were not handed out, as OUTCOME_DROPPED; a good part of them
 * when there are many. Returns the spans given up.
 */
uint64_t intake_drop(struct intake *intake, uint64_t sequence);

/* Gives up the spans of a job. Returns their number. */
uint64_t intake_drop_job(struct intake *intake, const struct job *job, enum outcome outcome);

/*
 * Books what is open of a record that the reader could not read, as OUTCOME_DAMAGED. Of one that was taken
 * before nothing: its jobs find that out, each for its own spans.
 */
void intake_lose(struct intake *intake, const struct record *head);

#endif
