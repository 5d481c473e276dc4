#include "config.h"

#include <stdio.h>

#include "cli/commands.h"

static int run(struct arguments *arguments)
{
	const char *value = NULL;
	int argument = arguments_next(arguments, &value);
	if (argument != ARGUMENT_END)
		return arguments_refuse(arguments, argument, value);
	printf("tollgate %s\n", PACKAGE_VERSION);
	return EXIT_DONE;
}

const struct command command_version = {
	.name = "version",
	.sentence = "Prints the version.",
	.operands = "",
	.run = run,
};
