/* What a start would read, and whether it would do. */
#include "doctor/doctor.h"

#include <stdio.h>

void check_configuration(const struct patient *patient, struct findings *findings)
{
	const struct complaint *unread = &patient->unread;
	char line[16] = "";
	if (unread->line)
		snprintf(line, sizeof line, ":%d", unread->line);
	if (unread->text[0])
		findings_add(findings, FINDING_CONFIGURATION,
			unread->file[0] ? unread->file : "environment", NULL, "%s%s%s%s",
			unread->file, line, unread->file[0] ? ": " : "", unread->text);
}
