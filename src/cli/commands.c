#include "cli/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

extern const struct command command_serve, command_send, command_show, command_sessions,
	command_cost, command_help, command_version;

const struct command *const commands[] = {
	&command_serve,
	&command_send,
	&command_show,
	&command_sessions,
	&command_cost,
	&command_help,
	&command_version,
	NULL,
};

const struct command *command_find(const char *name)
{
	struct nearest nearest = { .wanted = name };
	for (const struct command *const *command = commands; *command; command++) {
		if (strcmp((*command)->name, name) == 0)
			return *command;
		nearest_offer(&nearest, (*command)->name);
	}
	fprintf(stderr, "tollgate: there is no command %s; the nearest is %s\n", name,
		nearest.word);
	return NULL;
}

void command_print_help(const struct command *command)
{
	printf("%s\n\nUsage: tollgate %s", command->sentence, command->name);
	for (const struct flag *flag = command->flags; flag && flag->name; flag++)
		printf(" [%s%s%s]", flag->name, flag->value_name ? " " : "",
			flag->value_name ? flag->value_name : "");
	printf("%s%s\n", *command->operands ? " " : "", command->operands);
	for (const struct flag *flag = command->flags; flag && flag->name; flag++)
		printf("%s  %-8s %-12s %s\n", flag == command->flags ? "\n" : "", flag->name,
			flag->value_name ? flag->value_name : "", flag->sentence);
	if (command->explain) {
		printf("\n");
		command->explain();
	}
	printf("\nExit status: 0 done, 1 failed, 2 wrong usage or configuration.\n");
}

void commands_print_help(void)
{
	printf("Stands between AI coding agents and the places where their telemetry is looked at.\n\n"
	       "Usage: tollgate COMMAND [ARGUMENT...]\n\n");
	for (const struct command *const *command = commands; *command; command++)
		printf("  %-8s %s\n", (*command)->name, (*command)->sentence);
	printf("\n\"tollgate COMMAND --help\" says more of each.\n"
	       "Exit status: 0 done, 1 failed, 2 wrong usage or configuration.\n");
}

static bool is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

int commands_run(char **argv)
{
	const char *name = argv[0] && argv[1] ? argv[1] : NULL;
	if (!name) {
		fprintf(stderr, "tollgate: which command? \"tollgate help\" lists them\n");
		return EXIT_USAGE;
	}
	if (is_help(name))
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	const struct command *command = command_find(name);
	if (!command)
		return EXIT_USAGE;
	for (char **argument = argv + 2; *argument; argument++)
		if (is_help(*argument)) {
			command_print_help(command);
			return EXIT_DONE;
		}
	struct arguments arguments = { command, argv + 2 };
	return command->run(&arguments);
}

static int refuse_flag(const struct command *command, const char *written)
{
	struct nearest nearest = { .wanted = written };
	for (const struct flag *flag = command->flags; flag && flag->name; flag++)
		nearest_offer(&nearest, flag->name);
	nearest_offer(&nearest, "--help");
	fprintf(stderr, "tollgate: %s has no flag %s; the nearest is %s\n", command->name, written,
		nearest.word);
	return ARGUMENT_WRONG;
}

int arguments_next(struct arguments *arguments, const char **ret_value)
{
	const struct flag *flags = arguments->command->flags;
	char *written = *arguments->next;
	if (!written)
		return ARGUMENT_END;
	arguments->next++;
	if (written[0] != '-' || !written[1]) {
		*ret_value = written;
		return ARGUMENT_OPERAND;
	}
	size_t len = strcspn(written, "=");
	for (int i = 0; flags && flags[i].name; i++) {
		if (strlen(flags[i].name) != len || memcmp(flags[i].name, written, len) != 0)
			continue;
		if (!flags[i].value_name && written[len])
			break;
		if (flags[i].value_name)
			*ret_value = written[len] ? written + len + 1 : *arguments->next++;
		if (flags[i].value_name && !*ret_value) {
			fprintf(stderr, "tollgate: %s needs a value: %s %s\n", written, written,
				flags[i].value_name);
			arguments->next--;
			return ARGUMENT_WRONG;
		}
		return i;
	}
	return refuse_flag(arguments->command, written);
}
