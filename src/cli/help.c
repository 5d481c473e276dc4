#include "cli/commands.h"

#include <stddef.h>

static int run(struct arguments *arguments)
{
	const char *name = NULL;
	int argument = arguments_next(arguments, &name);
	if (argument == ARGUMENT_END) {
		commands_print_help();
		return EXIT_DONE;
	}
	if (argument != ARGUMENT_OPERAND)
		return EXIT_USAGE;
	const char *more = NULL;
	if ((argument = arguments_next(arguments, &more)) != ARGUMENT_END)
		return arguments_refuse(arguments, argument, more);
	const struct command *command = command_find(name);
	if (!command)
		return EXIT_USAGE;
	command_print_help(command);
	return EXIT_DONE;
}

const struct command command_help = {
	.name = "help",
	.sentence = "Lists the commands, or says what one of them takes.",
	.operands = "[COMMAND]",
	.run = run,
};
