/* What check_destinations does, with the regions of Langfuse Cloud as an argument: for tests. */
#ifndef TG_DOCTOR_DESTINATIONS_H
#define TG_DOCTOR_DESTINATIONS_H

struct findings;
struct patient;

/*   regions  base URLs, ends with NULL */
void destinations_examine(
	const struct patient *patient, const char *const *regions, struct findings *findings);

#endif
