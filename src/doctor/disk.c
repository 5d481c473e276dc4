/* Whether the daemon's log can be written. */
#include "doctor/doctor.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/files.h"

enum { MIB = 1 << 20 };

static uint64_t number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));
	return value > 0 ? (uint64_t)value : 0;
}

static void tell_floor(
	const char *directory, uint64_t free_bytes, uint64_t floor, struct findings *findings)
{
	findings_add(findings, FINDING_DISK_FLOOR, directory, NULL,
		"the disk has %llu MiB free, and doors close below %llu MiB",
		(unsigned long long)free_bytes / MIB, (unsigned long long)floor / MIB);
}

static void check_running(const json_t *disk, struct findings *findings)
{
	const char *directory = json_string_value(json_object_get(disk, "directory"));
	const char *refusing = json_string_value(json_object_get(disk, "refusing"));
	const char *failed = json_string_value(json_object_get(disk, "last_write_failed"));
	uint64_t free_bytes = number(disk, "free_bytes"), floor = number(disk, "min_free_bytes");
	const char *why = refusing ? refusing : failed;
	if (!directory || !why)
		return;
	if (free_bytes < floor)
		tell_floor(directory, free_bytes, floor, findings);
	else if (number(disk, "kept_bytes") >= number(disk, "max_bytes"))
		findings_add(findings, FINDING_DISK_FLOOR, directory,
			"Mend the destinations that take nothing, or raise spool.max_bytes.",
			"what waits for destinations fills all that spool.max_bytes allows, %llu "
			"MiB",
			(unsigned long long)number(disk, "max_bytes") / MIB);
	else if (strcmp(why, "no space") == 0)
		findings_add(findings, FINDING_DISK_FLOOR, directory, NULL,
			"the last write failed: the disk or its user's quota is full");
	else
		findings_add(findings, FINDING_DISK_FAILS, directory, NULL,
			"the last write failed; the next one is tried as soon as something comes");
}

/* Before a start: where the directory is, or would be made. */
static void check_at_rest(const struct config *config, struct findings *findings)
{
	char part[CONFIG_PATH_MAX];
	struct statvfs disk;
	int error = directory_check(config->state_directory);
	if (error) {
		findings_add(findings, FINDING_STATE_NOT_WRITABLE, config->state_directory, NULL,
			"%s cannot be made or written: %s", config->state_directory,
			strerror(-error));
		return;
	}
	snprintf(part, sizeof part, "%s", config->state_directory);
	for (char *slash; statvfs(part, &disk) < 0; *slash = '\0')
		if (!(slash = strrchr(part + 1, '/')))
			return;
	uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (free_bytes < config->spool.min_free_bytes)
		tell_floor(config->state_directory, free_bytes, config->spool.min_free_bytes,
			findings);
}

void check_disk(const struct patient *patient, struct findings *findings)
{
	const json_t *disk = json_object_get(patient->spool, "spool");
	if (disk)
		check_running(disk, findings);
	else if (!daemon_runs(patient) && patient->startup.config)
		check_at_rest(patient->startup.config, findings);
}
