#include "cli/commands.h"

#include <stdio.h>

#include "base/supervisor.h"
#include "config/config.h"
#include "daemon.h"
#include "http/listen.h"
#include "startup.h"

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
	printf("Later sources win: defaults, the file, the environment, flags. The file is that\n"
	       "of --config, else of TOLLGATE_CONFIG, else the first that is there of\n"
	       "tollgate/tollgate.json in $XDG_CONFIG_HOME or ~/.config, and\n"
	       "/etc/tollgate/tollgate.json. Langfuse is a destination when its keys are in the\n"
	       "environment, Tempo when TOLLGATE_TEMPO_ENDPOINT is. SIGHUP reads keys, headers,\n"
	       "prices and log level again. \"tollgate config\" shows and checks all of this.\n\n");
	config_print_settings();
}

static int serve(const struct startup_sources *sources, struct supervisor *supervisor)
{
	struct startup startup;
	struct complaint complaint = { 0 };
	if (startup_read(sources, &startup, &complaint) < 0)
		return complaint_print(&complaint);
	int status = startup_check(startup.config, &complaint) < 0 ?
		complaint_print(&complaint) :
		daemon_run(sources, &startup, supervisor);
	startup_done(&startup);
	return status;
}

static int serve_supervised(struct startup_sources *sources)
{
	struct supervisor supervisor;
	struct complaint complaint = { 0 };
	char listen[HTTP_ADDRESS_MAX];
	int error = supervisor_meet(&supervisor, &complaint);
	if (!error && supervisor.socket >= 0) {
		error = http_listen_address(supervisor.socket, listen, &complaint);
		sources->listen = listen;
	}
	int status = error ? complaint_print(&complaint) : serve(sources, &supervisor);
	supervisor_leave(&supervisor);
	return status;
}

static int run(struct arguments *arguments)
{
	const char *value = NULL;
	char *sets[SETS_MAX + 1] = { NULL };
	size_t set_count = 0;
	struct startup_sources sources = { .environment = environ, .flags = sets };
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_CONFIG)
			sources.file = value;
		else if (argument == FLAG_SET && set_count < SETS_MAX)
			sets[set_count++] = (char *)value;
		else
			return arguments_refuse(arguments, argument, value);
	}
	return serve_supervised(&sources);
}

const struct command command_serve = {
	.name = "serve",
	.sentence = "Runs the daemon: receives OTLP, stores it, sends it on.",
	.operands = "",
	.flags = flags,
	.explain = explain,
	.run = run,
};
