#include "doctor/doctor.h"

#include <errno.h>
#include <string.h>

#include "config/environment.h"

const struct check checks[] = {
	{ "keys", check_keys },
	{ "configuration", check_configuration },
	{ "doors", check_doors },
	{ "disk", check_disk },
	{ "prices", check_prices },
	{ "destinations", check_destinations },
	{ "tools", check_tools },
	{ NULL, NULL },
};

bool daemon_runs(const struct patient *patient)
{
	int error = patient->control_error;
	return error != -ENOENT && error != -ENOTDIR && error != -ECONNREFUSED;
}

bool is_for_the_service(const struct patient *patient)
{
	return !patient->startup.config &&
		strstr(patient->unread.text, "$CREDENTIALS_DIRECTORY/") &&
		!environment_value(patient->sources->environment, "CREDENTIALS_DIRECTORY");
}
