#include "doctor/doctor.h"

const struct check checks[] = {
	{ "configuration", check_configuration },
	{ NULL, NULL },
};
