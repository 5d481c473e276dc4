/* tollgate doctor: which hop between a tool and its traces is broken, and what mends it. */
#include "doctor/doctor.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/control_socket.h"
#include "cli/doctor_print.h"
#include "cli/gateway.h"
#include "config/checks.h"
#include "http/unix_socket.h"

extern char **environ;

enum { FLAG_CONFIG, FLAG_SOCKET, FLAG_HOME, FLAG_OFFLINE, FLAG_LIST, FLAG_JSON };
enum { ANSWER_TIMEOUT_MS = 10 * 1000, OUTPUT_MAX_BYTES = 16 << 20 };

static const struct flag flags[] = {
	[FLAG_CONFIG] = { "--config", "FILE", "The JSON file with the settings." },
	[FLAG_SOCKET] = { "--socket", "PATH", "The daemon's control socket." },
	[FLAG_HOME] = { "--home", "DIR", "Whose tools: another person's home ($HOME)." },
	[FLAG_OFFLINE] = { "--offline", NULL, "Asks no destination." },
	[FLAG_LIST] = { "--list", NULL, "Prints all that it may find." },
	[FLAG_JSON] = { "--json", NULL, "For programs." },
	{ NULL },
};

struct wanted {
	const char *socket, *config, *home;
	bool is_offline, is_list, is_json;
};

/* ---- what is looked at ---- */

/* The status first: who does not answer that is not asked again. */
static const struct {
	const char *path;
	size_t offset; /* in struct patient */
} views[] = {
	{ "/v1/status", offsetof(struct patient, status) },
	{ "/v1/spool", offsetof(struct patient, spool) },
	{ "/v1/sources", offsetof(struct patient, came) },
	{ "/v1/prices", offsetof(struct patient, prices) },
	{ "/v1/live", offsetof(struct patient, live) },
	{ "/v1/dead", offsetof(struct patient, dead) },
};
enum { VIEW_COUNT = sizeof views / sizeof *views };

static json_t **answer_of(struct patient *patient, size_t view)
{
	return (json_t **)((char *)patient + views[view].offset);
}

static void ask(
	const struct wanted *wanted, struct patient *patient, struct control_trouble *trouble)
{
	struct unix_place daemon;
	int error = control_socket_find(wanted->socket, wanted->config, &daemon, trouble);
	if (!error) {
		error = control_look(&daemon, views[0].path, ANSWER_TIMEOUT_MS, &patient->status);
		if (error)
			snprintf(trouble->what, sizeof trouble->what,
				"the daemon listens at its control socket, but does not answer: %s",
				strerror(-error));
		for (size_t i = 1; i < VIEW_COUNT && !error; i++)
			control_look(
				&daemon, views[i].path, ANSWER_TIMEOUT_MS, answer_of(patient, i));
		unix_place_close(&daemon);
	}
	patient->control_error = error;
	patient->control_what = trouble->what;
	patient->control_mend = *trouble->mend ? trouble->mend : NULL;
}

/* What stands before the host lets somebody in, and no tool's settings have it. */
static void drop_credentials(char *url)
{
	char *host = strstr(url, "://");
	char *at = host ? memrchr(host + 3, '@', strcspn(host + 3, "/?#")) : NULL;
	if (at)
		memmove(host + 3, at + 1, strlen(at));
}

/* Where tools should send: what is said for them, else where the daemon is, else where it would be. */
static void find_url(const struct patient *patient, char url[GATEWAY_URL_MAX])
{
	const struct config *config = patient->startup.config;
	const json_t *status = patient->status;
	const char *given = getenv("TOLLGATE_URL");
	if (given && *given) {
		snprintf(url, GATEWAY_URL_MAX, "%s", given);
		drop_credentials(url);
		check_base_url(url); /* what is wrong with it shows by what it is compared with */
	} else if (status) {
		gateway_url(json_string_value(json_object_get(status, "listen")),
			json_is_integer(json_object_get(status, "certificate_ends_ns")), url);
	} else {
		gateway_url(config ? config->listen : NULL, config && config->tls.certificate_file,
			url);
	}
}

/* ---- what is said ---- */

static void say_what_is_looked_at(const char *name)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s%s", name, *name ? " ..." : "");
}

static int print_json(const struct findings *findings)
{
	json_t *answer = doctor_json(findings);
	size_t form = JSON_INDENT(2) | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0);
	int error = answer ? json_dumpf(answer, stdout, form) : -1;
	json_decref(answer);
	return error < 0 || putchar('\n') == EOF ? -EIO : 0;
}

static int print_text(const struct findings *findings)
{
	struct terminal terminal = terminal_of_stdout();
	struct buf out;
	buf_init(&out, OUTPUT_MAX_BYTES, NULL);
	if (findings)
		doctor_print(findings, &terminal, &out);
	else
		doctor_print_list(&terminal, &out);
	int error = out.error ? out.error : fwrite(out.at, 1, out.len, stdout) < out.len ? -EIO : 0;
	buf_done(&out);
	return error;
}

static int finish(int error)
{
	if (!error && fflush(stdout) == 0)
		return EXIT_DONE;
	fprintf(stderr, "tollgate: the answer cannot be printed\n");
	return EXIT_FAILED;
}

static int report(struct findings *findings, bool is_json)
{
	static const int statuses[] = {
		[SEVERITY_NOTE] = 0,
		[SEVERITY_WARNING] = 1,
		[SEVERITY_BROKEN] = 2,
	};
	findings_sort(findings);
	int failed = finish(is_json ? print_json(findings) : print_text(findings));
	if (findings->is_incomplete)
		fprintf(stderr, "tollgate: there was no memory for all that was found\n");
	return failed || findings->is_incomplete ? EXIT_FAILED : statuses[findings_worst(findings)];
}

static int examine(const struct wanted *wanted)
{
	struct control_trouble trouble = { 0 };
	struct findings findings = { 0 };
	char url[GATEWAY_URL_MAX];
	const struct startup_sources sources = { .file = wanted->config, .environment = environ };
	const char *own = getenv("HOME");
	const struct home home = {
		.path = wanted->home ? wanted->home :
			own          ? own :
				       "/",
		.environment = environ,
		.place = ".",
	};
	struct patient patient = {
		.home = &home, .sources = &sources, .url = url, .is_offline = wanted->is_offline
	};
	sighandler_t before = signal(SIGPIPE, SIG_IGN); /* who hangs up is a finding, no end */
	startup_read(&sources, &patient.startup, &patient.unread);
	ask(wanted, &patient, &trouble);
	find_url(&patient, url);
	for (const struct check *check = checks; check->name; check++) {
		say_what_is_looked_at(check->name);
		check->run(&patient, &findings);
	}
	say_what_is_looked_at("");
	signal(SIGPIPE, before);
	int status = report(&findings, wanted->is_json);
	findings_done(&findings);
	for (size_t i = 0; i < VIEW_COUNT; i++)
		json_decref(*answer_of(&patient, i));
	startup_done(&patient.startup);
	return status;
}

static int run(struct arguments *arguments)
{
	struct wanted wanted = { 0 };
	const char *value = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_CONFIG)
			wanted.config = value;
		else if (argument == FLAG_SOCKET)
			wanted.socket = value;
		else if (argument == FLAG_HOME)
			wanted.home = value;
		else if (argument == FLAG_OFFLINE)
			wanted.is_offline = true;
		else if (argument == FLAG_LIST)
			wanted.is_list = true;
		else if (argument == FLAG_JSON)
			wanted.is_json = true;
		else
			return arguments_refuse(arguments, argument, value);
	}
	return wanted.is_list ? finish(print_text(NULL)) : examine(&wanted);
}

const struct command command_doctor = {
	.name = "doctor",
	.sentence = "Names the hop that is broken, and what mends it.",
	.operands = "",
	.flags = flags,
	.manual =
		"Looks at the settings of tools, at doors, daemon, disk, prices and destinations, "
		"with the daemon down as well, and says of each finding what it is, how it shows "
		"and what mends it. What follows from a finding is not told beside it. Nothing is "
		"changed; destinations are asked with the keys of the configuration, unless "
		"`--offline` is given.\n\n"
		"With `--json`, findings have a name that stays, and `first_broken` is the name of "
		"the first one in the order of the road where data does not pass, or `null`.",
	.exits = "0 for nothing or notes, 1 for warnings, 2 where data does not pass",
	.run = run,
};
