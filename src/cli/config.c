/* tollgate config: a file to begin with, what a file is worth, and what holds in the end. */
#include "config/config.h"

#include <stdbool.h>
#include <stdio.h>

#include "cli/commands.h"
#include "config/show.h"
#include "pricing/explain.h"
#include "startup.h"

extern char **environ;

enum { FLAG_EXAMPLE, FLAG_CHECK, FLAG_SHOW, FLAG_CONFIG, FLAG_SET, FLAG_JSON };
enum { SETS_MAX = 256 };

static const struct flag flags[] = {
	[FLAG_EXAMPLE] = { "--example", NULL, "Prints a file with every setting at its default." },
	[FLAG_CHECK] = { "--check", NULL, "Reads all that serve would, and starts nothing." },
	[FLAG_SHOW] = { "--show", NULL, "Prints each value and where it comes from." },
	[FLAG_CONFIG] = { "--config", "FILE", "The JSON file with the settings." },
	[FLAG_SET] = { "--set", "NAME=VALUE",
		"One setting; wins over file and environment; may repeat." },
	[FLAG_JSON] = { "--json", NULL, "For programs." },
	{ NULL },
};

static int print_json(json_t *json)
{
	int error = json ? json_dumpf(json, stdout, JSON_INDENT(2)) : -1;
	printf("\n");
	json_decref(json);
	return error ? EXIT_FAILED : EXIT_DONE;
}

static size_t count_enabled(const struct config *config)
{
	size_t count = 0;
	for (size_t i = 0; i < config->destination_count; i++)
		count += config->destinations[i].enabled;
	return count;
}

static int report_ok(const struct startup *startup, bool as_json)
{
	const char *file = startup->file[0] ? startup->file : NULL;
	size_t destinations = count_enabled(startup->config);
	size_t own = prices_figures(startup->prices, PRICES_OVERRIDES).records;
	for (char **note = startup->notes; *note; note++)
		fprintf(stderr, "tollgate: %s\n", *note);
	if (as_json)
		return print_json(json_pack("{s:b, s:s?, s:i, s:i, s:i, s:s}", "ok", 1, "file",
			file, "destinations", (int)destinations, "prices",
			(int)prices_count(startup->prices), "own_prices", (int)own, "prices_as_of",
			prices_as_of(startup->prices)));
	printf("ok: %s (%zu destinations, %zu prices as of %s", file ? file : "no file",
		destinations, prices_count(startup->prices), prices_as_of(startup->prices));
	if (own)
		printf(", %zu of them your own", own);
	printf(")\n");
	return EXIT_DONE;
}

static int report_mistake(const struct complaint *complaint, bool as_json)
{
	if (!as_json)
		return complaint_print(complaint);
	print_json(json_pack("{s:b, s:s?, s:i, s:s}", "ok", 0, "file",
		complaint->file[0] ? complaint->file : NULL, "line", complaint->line, "why",
		complaint->text));
	return EXIT_USAGE;
}

static int check(const struct startup_sources *sources, bool as_json)
{
	struct startup startup;
	struct complaint complaint = { 0 };
	if (startup_read(sources, &startup, &complaint) < 0)
		return report_mistake(&complaint, as_json);
	int status = startup_check(startup.config, &complaint) < 0 ?
		report_mistake(&complaint, as_json) :
		report_ok(&startup, as_json);
	startup_done(&startup);
	return status;
}

static int show(const struct startup_sources *sources, bool as_json)
{
	struct startup startup;
	struct complaint complaint = { 0 };
	int status = EXIT_DONE;
	if (startup_read(sources, &startup, &complaint) < 0)
		return complaint_print(&complaint);
	if (as_json)
		status = print_json(config_values(startup.config));
	else
		config_print_values(startup.config);
	startup_done(&startup);
	return status;
}

static int run(struct arguments *arguments)
{
	const char *value = NULL;
	char *sets[SETS_MAX + 1] = { NULL };
	size_t set_count = 0;
	bool as_json = false;
	unsigned wanted = 0;
	struct startup_sources sources = { .environment = environ, .flags = sets };
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_CONFIG)
			sources.file = value;
		else if (argument == FLAG_SET && set_count < SETS_MAX)
			sets[set_count++] = (char *)value;
		else if (argument == FLAG_JSON)
			as_json = true;
		else if (argument >= 0 && argument <= FLAG_SHOW)
			wanted |= 1u << argument;
		else
			return arguments_refuse(arguments, argument, value);
	}
	switch (wanted) {
	case 1u << FLAG_EXAMPLE:
		config_print_example();
		return EXIT_DONE;
	case 1u << FLAG_CHECK:
		return check(&sources, as_json);
	case 1u << FLAG_SHOW:
		return show(&sources, as_json);
	default:
		fprintf(stderr, "tollgate: config needs one of --example, --check and --show\n");
		return EXIT_USAGE;
	}
}

const struct command command_config = {
	.name = "config",
	.sentence = "Prints an example of the settings, checks them, shows what is in force.",
	.operands = "",
	.flags = flags,
	.manual =
		"`--example` prints a file with every setting at its default and destinations that "
		"are switched off. `--check` reads all that `serve` would (the file, keys, prices), "
		"starts nothing, and prints `ok` or what is wrong. `--show` prints each setting with "
		"its value and where it comes from: the default, a line of the file, a variable or a "
		"flag. Keys and what headers hold are masked.\n\n"
		"`tollgate serve --help` says what each setting is, and where the file is looked for.",
	.run = run,
};
