/* The command line as a person meets it. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"

static char printed[64 << 10];

static void begin(void)
{
	cr_redirect_stdout();
	cr_redirect_stderr();
}

TestSuite(cli, .init = begin);

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
