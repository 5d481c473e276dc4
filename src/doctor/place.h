/* A destination with the keys of one project: what is asked of it, what the daemon knows of it, what is wrong there. */
#ifndef TG_DOCTOR_PLACE_H
#define TG_DOCTOR_PLACE_H

#include <jansson.h>

#include "doctor/probe.h"
#include "export/destination.h"
#include "findings.h"

enum { PLACE_NAME_MAX = 80, PLACE_SERVER_MAX = HTTP_HOST_MAX + 24 };

struct place {
	char about[PLACE_NAME_MAX]; /* "langfuse"; "langfuse/team" with the keys of that project */
	const char *name, *lane;
	enum destination_type type;
	const json_t *row; /* of GET /v1/spool; NULL: the daemon says nothing of it */

	/* As the lane has it, and what that leads to; all empty where only the daemon knows of it. */
	bool is_configured;
	struct destination_config config;
	struct endpoint endpoints[SIGNAL_COUNT];
	char *projects_url; /* of a Langfuse: names the project that a pair is of */
	char server
		[PLACE_SERVER_MAX]; /* "https://cloud.langfuse.com", without what else is in the URL */
	struct probes probes;
};

/*
 * Of the configuration.
 *
 *   config  as destination_in_lane has it; what it points to outlives the place
 *
 * 0, -EINVAL with words, or -ENOMEM; place_done is right after all.
 */
int place_init(struct place *place, const struct destination_config *config, const char *lane,
	struct complaint *complaint);

/* Of what the daemon says alone; the row has destination, lane and type. */
void place_init_remembered(struct place *place, const json_t *row);
void place_done(struct place *place);

/* Begins the requests; place->probes moves them on. 0 or -ENOMEM. */
int place_ask(struct place *place);

/*
 * Adds the one finding that explains the most, after the probes are over or were never begun.
 *
 *   regions  base URLs of Langfuse Cloud, ends with NULL; when one of them refuses a pair the others are asked
 */
void place_diagnose(
	const struct place *place, const char *const *regions, struct findings *findings);

/* The base URL among `regions` where Langfuse knows the pair; NULL: none does, or the place is not among them. */
const char *region_find(const struct place *place, const char *const *regions);

#endif
