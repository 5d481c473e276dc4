#include "config.h"

#include <stdio.h>

#include "cli/commands.h"

static int run(struct arguments *arguments)
{
	const char *value;
	if (arguments_next(arguments, &value) != ARGUMENT_END) {
		fprintf(stderr, "tollgate: version takes nothing\n");
		return EXIT_USAGE;
	}
	printf("tollgate %s\n", PACKAGE_VERSION);
	return EXIT_DONE;
}

const struct command command_version = {
	.name = "version",
	.sentence = "Prints the version.",
	.operands = "",
	.run = run,
};
