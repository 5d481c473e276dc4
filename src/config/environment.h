/* Which environment variables mean something, beside the one that each setting has. */
#ifndef TG_CONFIG_ENVIRONMENT_H
#define TG_CONFIG_ENVIRONMENT_H

#include <stddef.h>

enum variable_form {
	VARIABLE_AS_SETTING,   /* written as the setting is */
	VARIABLE_SECONDS,      /* may be fractional; the setting is in milliseconds */
	VARIABLE_SWITCH,       /* true sets `on`, false sets `off`; NULL: nothing */
	VARIABLE_OF_A_COMMAND, /* read elsewhere */
};

struct variable {
	const char *name;
	const char *setting; /* NULL: it does not apply here, `why` */
	enum variable_form form;
	const char *on, *off;
	const char *why;
};
extern const struct variable variables[];
extern const size_t variable_count;

/* The value among NAME=value strings; NULL when unset or empty. */
const char *environment_value(char *const *environment, const char *name);

#endif
