/* What a start would read, and whether it would do. */
#include "doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/files.h"
#include "export/destination.h"

/* One that runs has read it; whoever asks may not be let to. */
static bool is_hidden(const struct patient *patient, const struct complaint *complaint)
{
	return daemon_runs(patient) && complaint->file[0] && access(complaint->file, R_OK) < 0 &&
		errno == EACCES;
}

/* By check_disk and check_destinations. */
static bool is_said_elsewhere(const struct config *config)
{
	struct complaint complaint = { 0 };
	int error = directory_check(config->state_directory);
	for (size_t i = 0; i < config->destination_count && !error; i++)
		if (config->destinations[i].enabled)
			error = destination_check_not_ours(
				&config->destinations[i], config->listen, &complaint);
	return error < 0;
}

/* What a start would stumble over; of one that runs, what is read again. */
static bool has_mistake(const struct patient *patient, struct complaint *ret_complaint)
{
	const struct config *config = patient->startup.config;
	if (!config) {
		*ret_complaint = patient->unread;
		return !is_hidden(patient, ret_complaint) && !is_for_the_service(patient);
	}
	return !daemon_runs(patient) && startup_check(config, ret_complaint) < 0 &&
		!is_said_elsewhere(config);
}

void check_configuration(const struct patient *patient, struct findings *findings)
{
	struct complaint complaint = { 0 };
	char line[16] = "";
	if (!has_mistake(patient, &complaint) || keys_explain(patient, &complaint))
		return;
	if (complaint.line)
		snprintf(line, sizeof line, ":%d", complaint.line);
	const char *file = complaint.file[0] ? complaint.file :
		patient->startup.file[0]     ? patient->startup.file :
					       "environment";
	findings_add(findings, FINDING_CONFIGURATION, file, NULL, "%s%s%s%s", complaint.file, line,
		complaint.file[0] ? ": " : "", complaint.text);
}
