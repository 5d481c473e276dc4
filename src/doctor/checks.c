#include "doctor/doctor.h"

const struct check checks[] = {
	{ "configuration", check_configuration },
	{ "destinations", check_destinations },
	{ NULL, NULL },
};
