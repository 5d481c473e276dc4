#include "doctor/doctor.h"

const struct check checks[] = {
	{ "keys", check_keys },
	{ "configuration", check_configuration },
	{ "doors", check_doors },
	{ "disk", check_disk },
	{ "prices", check_prices },
	{ NULL, NULL },
};
