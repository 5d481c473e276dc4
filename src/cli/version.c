#include "config.h"

#include <stdio.h>

#include "cli/commands.h"

static int run(struct arguments *arguments)
{
	const char *value;
	int argument = arguments_next(arguments, &value);
	if (argument != ARGUMENT_END)
		return argument == ARGUMENT_OPERAND ? refuse_operand(arguments, value) : EXIT_USAGE;
	printf("tollgate %s\n", PACKAGE_VERSION);
	return EXIT_DONE;
}

const struct command command_version = {
	.name = "version",
	.sentence = "Prints the version.",
	.operands = "",
	.run = run,
};
