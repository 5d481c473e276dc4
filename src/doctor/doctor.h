/*
 * Looks at every hop between a tool and the places where people look, and says what is wrong and what mends it.
 * Works with the daemon down. One file for each hop, one line in checks.c for each check.
 *
 * A check adds nothing that a finding before it explains: who is unreachable has lag, and only the first is news.
 */
#ifndef TG_DOCTOR_DOCTOR_H
#define TG_DOCTOR_DOCTOR_H

#include <jansson.h>

#include "findings.h"
#include "startup.h"
#include "tools/tool.h"

/* What checks look at. */
struct patient {
	const struct home *home;
	const struct startup_sources *sources;
	struct startup startup; /* empty when it could not be read; then `unread` says why */
	struct complaint unread;
	const char *url; /* where the gateway is, or should be */
	bool is_offline; /* no destination is asked */

	/* What the daemon answered; NULL without. */
	json_t *status, *spool, *came, *prices, *live, *dead; /* came: GET /v1/sources */
	int control_error; /* 0, or why it could not be asked: -ECONNREFUSED, -EACCES, ... */
	const char *control_what, *control_mend; /* the same in words, and what mends it */
};

struct check {
	const char *name; /* for people who wait: "Langfuse" */
	void (*run)(const struct patient *patient, struct findings *findings);
};

/* The table: what explains others comes first. Ends with a NULL name. */
extern const struct check checks[];

/* Each check of the road. */
void check_keys(const struct patient *patient, struct findings *findings);
void check_configuration(const struct patient *patient, struct findings *findings);
void check_doors(const struct patient *patient, struct findings *findings);
void check_disk(const struct patient *patient, struct findings *findings);
void check_tools(const struct patient *patient, struct findings *findings);
void check_prices(const struct patient *patient, struct findings *findings);
void check_destinations(const struct patient *patient, struct findings *findings);

/* As far as can be told; one that may not be asked does. */
bool daemon_runs(const struct patient *patient);

/* The configuration cannot be read here because systemd hands some of it to the daemon's process alone. */
bool is_for_the_service(const struct patient *patient);

/* Whether a complaint is about a file of keys that check_keys tells of, or that only the daemon may see. */
bool keys_explain(const struct patient *patient, const struct complaint *complaint);

#endif
