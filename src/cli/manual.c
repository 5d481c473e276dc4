/* tollgate manual: the manual pages, the completion and the tables of the README, printed by what they are about. */
#include "cli/manual.h"

#include <stdio.h>

#include "cli/commands.h"

static const struct document {
	const char *name, *sentence;
	void (*print)(void);
} documents[] = {
	{ "tollgate.1", "The manual page of the commands.", manual_tollgate },
	{ "tollgate.json.5", "The manual page of the settings.", manual_tollgate_json },
	{ "tollgate.bash", "Completion for bash.", manual_completion },
	{ "settings.md", "The settings, as tables of markdown.", manual_settings },
	{ "doctor.md", "What doctor finds, as a table of markdown.", manual_findings },
};
enum { DOCUMENTS = sizeof documents / sizeof *documents };

static void list(void)
{
	for (size_t i = 0; i < DOCUMENTS; i++)
		printf("%-16s  %s\n", documents[i].name, documents[i].sentence);
}

static int print(const char *name)
{
	const char *names[DOCUMENTS + 1] = { NULL };
	for (size_t i = 0; i < DOCUMENTS; i++)
		names[i] = documents[i].name;
	int found = word_find(names, name, "manual");
	if (found < 0)
		return EXIT_USAGE;
	documents[found].print();
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_DONE : EXIT_FAILED;
}

static int run(struct arguments *arguments)
{
	const char *value = NULL, *name = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument != ARGUMENT_OPERAND || name)
			return arguments_refuse(arguments, argument, value);
		name = value;
	}
	if (name)
		return print(name);
	list();
	return EXIT_DONE;
}

const struct command command_manual = {
	.name = "manual",
	.sentence = "Prints the manual pages and what else is made of the program's tables.",
	.operands = "[PAGE]",
	.values = "tollgate.1 tollgate.json.5 tollgate.bash settings.md",
	.manual =
		"Without PAGE it lists the pages. `tollgate manual tollgate.1 | man -l -` shows one where "
		"none are installed, and `. <(tollgate manual tollgate.bash)` has bash complete commands, "
		"flags and their values.",
	.run = run,
};
