/* The command line as a person meets it. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"

static char printed[64 << 10];

static char directory[] = "/tmp/tollgate-cli-XXXXXX", config[64];

/* Nobody's own settings: an empty file. */
static void begin(void)
{
	cr_assert(mkdtemp(directory));
	snprintf(config, sizeof config, "%s/tollgate.json", directory);
	FILE *file = fopen(config, "w");
	cr_assert(file && fputs("{}\n", file) >= 0 && fclose(file) == 0);
	clearenv();
	setenv("TOLLGATE_CONFIG", config, 1);
	setenv("TOLLGATE_STATE_DIRECTORY", directory, 1);
	cr_redirect_stdout();
	cr_redirect_stderr();
}

static void end(void)
{
	unlink(config);
	rmdir(directory);
}

TestSuite(cli, .init = begin, .fini = end);

static const char *read_stdout(void)
{
	fflush(stdout);
	FILE *file = cr_get_redirected_stdout();
	printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
	return printed;
}

#define RUN(...) commands_run((char *[]){ "tollgate", __VA_ARGS__, NULL })

Test(cli, a_wrong_configuration_is_told_in_one_line_with_its_place)
{
	char path[] = "/tmp/tollgate-cli-XXXXXX", wanted[128];
	static const char text[] = "{\n  \"http\": {\"thread\": 4}\n}";
	int fd = mkstemp(path);
	cr_assert(write(fd, text, sizeof text - 1) == sizeof text - 1);
	close(fd);
	int status = RUN("serve", "--config", path);
	unlink(path);
	cr_expect_eq(status, EXIT_USAGE);
	snprintf(wanted, sizeof wanted,
		"tollgate: %s:2: http.thread is no setting; the nearest is http.threads\n", path);
	fflush(stderr);
	cr_expect_stderr_eq_str(wanted);
}

Test(cli, a_wrong_setting_on_the_command_line_has_no_file)
{
	cr_expect_eq(RUN("serve", "--set", "listen=here"), EXIT_USAGE);
	cr_expect_eq(RUN("serve", "--config=/no/such.json"), EXIT_USAGE);
	cr_expect_eq(RUN("serve", "--config"), EXIT_USAGE);
	cr_expect_eq(RUN("serve", "now"), EXIT_USAGE);
	cr_expect_eq(RUN("serve", "--confg", "x"), EXIT_USAGE);
	fflush(stderr);
	cr_expect_stderr_eq_str(
		"tollgate: --set listen must be host:port such as 127.0.0.1:4318 or [::1]:4318, not here\n"
		"tollgate: /no/such.json: the configuration cannot be read: No such file or directory\n"
		"tollgate: --config needs a value: --config FILE\n"
		"tollgate: serve does not take now\n"
		"tollgate: serve has no flag --confg; the nearest is --config\n");
}

Test(cli, help_lists_every_command)
{
	cr_expect_eq(RUN("help"), EXIT_DONE);
	const char *help = read_stdout();
	for (const struct command *const *command = commands; *command; command++) {
		char line[128];
		snprintf(
			line, sizeof line, "\n  %-8s %s\n", (*command)->name, (*command)->sentence);
		cr_expect(strstr(help, line), "%s", line);
	}
	cr_expect(strstr(help, "Exit status: 0 done, 1 failed, 2 wrong usage or configuration."));
}

Test(cli, every_command_explains_itself)
{
	for (const struct command *const *command = commands; *command; command++) {
		cr_expect_eq(RUN((char *)(*command)->name, "--help"), EXIT_DONE);
		cr_expect_eq(RUN("help", (char *)(*command)->name), EXIT_DONE);
	}
	const char *help = read_stdout();
	for (const struct command *const *command = commands; *command; command++) {
		char usage[64];
		snprintf(usage, sizeof usage, "\nUsage: tollgate %s", (*command)->name);
		const char *first = strstr(help, usage);
		cr_expect(first && strstr(first + 1, usage), "%s", usage);
		for (const struct flag *flag = (*command)->flags; flag && flag->name; flag++)
			cr_expect(strstr(help, flag->sentence), "%s", flag->name);
	}
}

Test(cli, dashes_before_help_and_version_are_understood)
{
	cr_expect_eq(RUN("--help"), EXIT_DONE);
	cr_expect_eq(RUN("-h"), EXIT_DONE);
	cr_expect_eq(RUN("--version"), EXIT_DONE);
	cr_expect(strstr(read_stdout(), "\ntollgate "));
}

Test(cli, help_of_an_unknown_command_names_the_nearest)
{
	cr_expect_eq(RUN("help", "serv"), EXIT_USAGE);
	fflush(stderr);
	cr_expect_stderr_eq_str("tollgate: there is no command serv; the nearest is serve\n");
}

Test(cli, what_a_command_does_not_take_is_named)
{
	cr_expect_eq(RUN("version", "now"), EXIT_USAGE);
	cr_expect_eq(RUN("version", "--jsn"), EXIT_USAGE);
	cr_expect_eq(RUN("help", "serve", "now"), EXIT_USAGE);
	cr_expect_eq(RUN("help", "--hlep"), EXIT_USAGE);
	cr_expect_eq(RUN("send"), EXIT_USAGE);
	cr_expect_eq(RUN("send", "--too", "http://x"), EXIT_USAGE);
	cr_expect_eq(RUN("send", "--signal", "spans", "x.pb"), EXIT_USAGE);
	cr_expect_eq(RUN("config"), EXIT_USAGE);
	cr_expect_eq(RUN("config", "--check", "--show"), EXIT_USAGE);
	cr_expect_eq(RUN("config", "--check", "x.json"), EXIT_USAGE);
	cr_expect_eq(RUN("config", "--exampel"), EXIT_USAGE);
	cr_expect_eq(RUN("serve", "--set"), EXIT_USAGE);
	cr_expect_eq(RUN("confi"), EXIT_USAGE);
	cr_expect_eq(commands_run((char *[]){ "tollgate", NULL }), EXIT_USAGE);
	fflush(stderr);
	cr_expect_stderr_eq_str("tollgate: version does not take now\n"
				"tollgate: version has no flag --jsn; the nearest is --help\n"
				"tollgate: help does not take now\n"
				"tollgate: help has no flag --hlep; the nearest is --help\n"
				"tollgate: send needs a file or a folder\n"
				"tollgate: send has no flag --too; the nearest is --to\n"
				"tollgate: --signal must be traces, logs or metrics, not spans\n"
				"tollgate: config needs one of --example, --check and --show\n"
				"tollgate: config needs one of --example, --check and --show\n"
				"tollgate: config does not take x.json\n"
				"tollgate: config has no flag --exampel; the nearest is --example\n"
				"tollgate: --set needs a value: --set NAME=VALUE\n"
				"tollgate: there is no command confi; the nearest is config\n"
				"tollgate: which command? \"tollgate help\" lists them\n");
}

Test(cli, a_check_says_ok_or_what_is_wrong_for_people_and_programs)
{
	cr_expect_eq(RUN("config", "--check"), EXIT_DONE);
	cr_expect_eq(RUN("config", "--check", "--json"), EXIT_DONE);
	cr_expect_eq(RUN("config", "--check", "--set", "listen=here"), EXIT_USAGE);
	cr_expect_eq(RUN("config", "--check", "--json", "--set", "listen=here"), EXIT_USAGE);
	cr_expect_eq(RUN("config", "--check", "--set", "state_directory=/dev/null/x"), EXIT_USAGE);
	const char *out = read_stdout();
	char ok[128];
	snprintf(ok, sizeof ok, "ok: %s (0 destinations, ", config);
	cr_expect_eq(strncmp(out, ok, strlen(ok)), 0, "%s", out);
	snprintf(ok, sizeof ok, "{\n  \"ok\": true,\n  \"file\": \"%s\",\n", config);
	cr_expect(strstr(out, ok), "%s", out);
	cr_expect(strstr(out,
			  "{\n  \"ok\": false,\n  \"file\": null,\n  \"line\": 0,\n"
			  "  \"why\": \"--set listen must be host:port"),
		"%s", out);
	fflush(stderr);
	cr_expect_stderr_eq_str(
		"tollgate: --set listen must be host:port such as 127.0.0.1:4318 or [::1]:4318, not here\n"
		"tollgate: state_directory /dev/null/x cannot be made or written: Not a directory\n");
}

Test(cli, show_prints_each_setting_for_people_and_programs)
{
	cr_expect_eq(RUN("config", "--show", "--set", "log_level=debug"), EXIT_DONE);
	cr_expect_eq(RUN("config", "--show", "--json", "--set", "http.threads=3"), EXIT_DONE);
	const char *out = read_stdout();
	cr_expect(strstr(out, "\nlog_level                        debug             flag --set\n"),
		"%s", out);
	cr_expect(
		strstr(out,
			"\"http.threads\": {\n    \"value\": 3,\n    \"origin\": \"flag --set\"\n"),
		"%s", out);
}
