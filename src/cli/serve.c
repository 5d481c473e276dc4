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
	.manual =
		"`serve` receives OTLP over HTTP, adds attributes and cost to the spans of model "
		"calls, stores each batch before it acknowledges it, and sends it to every "
		"destination until that has it. Traces, logs and metrics go to `/v1/traces`, "
		"`/v1/logs` and `/v1/metrics`; what a coding CLI gives to its hooks, as one JSON "
		"object, to `/hooks/claude-code`, `/hooks/codex` or `/hooks/gemini`. A hook is "
		"answered `{}` once it is stored, which asks the CLI for nothing.\n\n"
		"Later sources win: defaults, the file, the environment, flags. The file is that of "
		"`--config`, else of TOLLGATE_CONFIG, else the first that is there of "
		"`tollgate/tollgate.json` in $XDG_CONFIG_HOME or ~/.config, and "
		"`/etc/tollgate/tollgate.json`. Langfuse is a destination when its keys are in the "
		"environment, Tempo when TOLLGATE_TEMPO_ENDPOINT is. Keys and headers cannot be set "
		"by `--set`, because every process can read flags. `tollgate config` shows and checks"
		" all of this.",
	.explain = config_print_settings,
	.run = run,
};
