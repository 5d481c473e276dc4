#include "cli/commands.h"

#include <stdio.h>

#include "config/config.h"
#include "daemon.h"

extern char **environ;

enum { FLAG_CONFIG, FLAG_SET };
enum { SETS_MAX = 256 };

static const struct flag flags[] = {
	[FLAG_CONFIG] = { "--config", "FILE", "The JSON file with the settings." },
	[FLAG_SET] = { "--set", "NAME=VALUE",
		"One setting; wins over file and environment; may repeat." },
	{ NULL },
};

static void explain(void)
{
	printf("Later sources win: defaults, the file, the environment, flags. Langfuse is a\n"
	       "destination when its keys are in the environment, Tempo when\n"
	       "TOLLGATE_TEMPO_ENDPOINT is.\n\n");
	config_print_settings();
}

static void print_complaint(const struct complaint *complaint)
{
	fprintf(stderr, "tollgate: ");
	if (complaint->file[0] && complaint->line)
		fprintf(stderr, "%s:%d: ", complaint->file, complaint->line);
	else if (complaint->file[0])
		fprintf(stderr, "%s: ", complaint->file);
	fprintf(stderr, "%s\n", complaint->text);
}

static int run(struct arguments *arguments)
{
	const char *file = NULL, *value = NULL;
	char *sets[SETS_MAX + 1] = { NULL };
	size_t set_count = 0;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_CONFIG) {
			file = value;
		} else if (argument == FLAG_SET && set_count < SETS_MAX) {
			sets[set_count++] = (char *)value;
		} else {
			return argument == ARGUMENT_WRONG ? EXIT_USAGE :
							    refuse_operand(arguments, value);
		}
	}

	struct config *config;
	char **notes;
	struct complaint complaint;
	if (config_load(file, environ, sets, &config, &notes, &complaint) < 0) {
		print_complaint(&complaint);
		return EXIT_USAGE;
	}
	int status = daemon_run(config, notes);
	config_notes_free(notes);
	config_free(config);
	return status;
}

const struct command command_serve = {
	.name = "serve",
	.sentence = "Runs the daemon: receives OTLP, stores it, sends it on.",
	.operands = "",
	.flags = flags,
	.explain = explain,
	.run = run,
};
