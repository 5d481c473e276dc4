/* What the stand-in Langfuse answers to one request, and what it keeps of it: JSON in, JSON out. */
#ifndef TG_TESTS_SUPPORT_FAKE_LANGFUSE_API_H
#define TG_TESTS_SUPPORT_FAKE_LANGFUSE_API_H

#include <jansson.h>

#include "support/fake_langfuse.h"

struct fake_visit {
	const char *method;
	const char *path; /* raw, behind "/api/public/" */
	json_t *query;    /* {name: value}, decoded */
	const struct fake_arrival *arrival;
	const char *url; /* of the stand-in */
	const struct fake_project *project;
	json_t *refused;   /* {event id: status} */
	json_t *things;    /* of the project: {"prompts": [], …} */
	json_t *taken;     /* of the project: [{"times": {id: n}, "order": [id]}] by kind */
	char segment[512]; /* the first that the route leaves open, decoded */

	/* The answer. */
	int status;
	json_t *json;     /* owned; NULL: without a body, or: */
	const char *text; /* static */
};

/* Without any project. */
json_t *fake_taken_new(void);

void fake_langfuse_answer(struct fake_visit *visit);

#endif
