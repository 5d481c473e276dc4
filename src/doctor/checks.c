#include "doctor/doctor.h"

#include <errno.h>

const struct check checks[] = {
	{ "keys", check_keys },
	{ "configuration", check_configuration },
	{ "doors", check_doors },
	{ "disk", check_disk },
	{ "prices", check_prices },
	{ "destinations", check_destinations },
	{ NULL, NULL },
};

bool daemon_runs(const struct patient *patient)
{
	int error = patient->control_error;
	return error != -ENOENT && error != -ENOTDIR && error != -ECONNREFUSED;
}
