#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/complaint.h"
#include "base/nearest.h"

extern const struct command command_serve, command_setup, command_config, command_key, command_hook,
	command_send, command_status, command_show, command_sessions, command_cost, command_prices,
	command_spool, command_verify, command_doctor, command_env, command_manual, command_help,
	command_version;

const struct command *const commands[] = {
	&command_serve,
	&command_setup,
	&command_config,
	&command_key,
	&command_hook,
	&command_send,
	&command_status,
	&command_show,
	&command_sessions,
	&command_cost,
	&command_prices,
	&command_spool,
	&command_verify,
	&command_doctor,
	&command_env,
	&command_manual,
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

static bool is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static bool ends_flags(const char *argument)
{
	return strcmp(argument, "--") == 0;
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
	for (char **argument = argv + 2; *argument && !ends_flags(*argument); argument++)
		if (is_help(*argument)) {
			command_print_help(command);
			return EXIT_DONE;
		}
	struct arguments arguments = { .command = command, .next = argv + 2 };
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

/* The flag's own value, else the next argument. */
static int take_value(
	struct arguments *arguments, const struct flag *flag, char *own, const char **ret_value)
{
	if (!flag->value_name && !own)
		return 0;
	if (!flag->value_name) {
		fprintf(stderr, "tollgate: %s takes no value\n", flag->name);
		return -EINVAL;
	}
	if (!own && !*arguments->next) {
		fprintf(stderr, "tollgate: %s needs a value: %s %s\n", flag->name, flag->name,
			flag->value_name);
		return -EINVAL;
	}
	*ret_value = own ? own : *arguments->next++;
	return 0;
}

int arguments_next(struct arguments *arguments, const char **ret_value)
{
	const struct flag *flags = arguments->command->flags;
	if (*arguments->next && !arguments->is_past_flags && ends_flags(*arguments->next)) {
		arguments->is_past_flags = true;
		arguments->next++;
	}
	char *written = *arguments->next;
	if (!written)
		return ARGUMENT_END;
	arguments->next++;
	if (arguments->is_past_flags || written[0] != '-' || !written[1]) {
		*ret_value = written;
		return ARGUMENT_OPERAND;
	}
	size_t len = strcspn(written, "=");
	for (int i = 0; flags && flags[i].name; i++) {
		if (strlen(flags[i].name) != len || memcmp(flags[i].name, written, len) != 0)
			continue;
		char *own = written[len] ? written + len + 1 : NULL;
		return take_value(arguments, &flags[i], own, ret_value) ? ARGUMENT_WRONG : i;
	}
	return refuse_flag(arguments->command, written);
}

int word_find(const char *const *words, const char *written, const char *where)
{
	struct nearest nearest = { .wanted = written };
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], written) == 0)
			return i;
		nearest_offer(&nearest, words[i]);
	}
	fprintf(stderr, "tollgate: %s does not know %s; the nearest is %s\n", where, written,
		nearest.word);
	return -EINVAL;
}

int arguments_refuse(const struct arguments *arguments, int argument, const char *value)
{
	if (argument != ARGUMENT_WRONG)
		fprintf(stderr, "tollgate: %s does not take %s\n", arguments->command->name, value);
	return EXIT_USAGE;
}

int complaint_print(const struct complaint *complaint)
{
	fprintf(stderr, "tollgate: ");
	if (complaint->file[0] && complaint->line)
		fprintf(stderr, "%s:%d: ", complaint->file, complaint->line);
	else if (complaint->file[0])
		fprintf(stderr, "%s: ", complaint->file);
	fprintf(stderr, "%s\n", complaint->text);
	return EXIT_USAGE;
}
