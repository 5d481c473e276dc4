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
	clearerr(file); /* of the end that was met before */
	printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
	return printed;
}

static void expect_narrow(const char *text)
{
	size_t columns = 0;
	for (const char *line = text, *c = text; *c; c++) {
		columns += ((unsigned char)*c & 0xc0) != 0x80;
		if (*c != '\n')
			continue;
		cr_expect_leq(columns, 80 + 1, "%.*s", (int)(c - line), line);
		columns = 0;
		line = c + 1;
	}
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

/* Words of any length, for a help that nobody's real command needs today. */
static const struct flag long_flags[] = {
	{ "--max-content-bytes", "BYTES",
		"A sentence that has more to say than the rest of this line has room for, so it goes on." },
	{ "--by", "[model|cli|day|session]", "Short." },
	{ "--json", NULL, "Without a value." },
	{ NULL },
};

static int last_argument, last_sub_word;

static int read_all(struct arguments *arguments)
{
	static const char *const words[] = { "list", "show", "retry", NULL };
	const char *value = NULL;
	while ((last_argument = arguments_next(arguments, &value)) >= 0)
		;
	if (last_argument == ARGUMENT_OPERAND)
		last_sub_word = word_find(words, value, "long-winded");
	return EXIT_DONE;
}

static const struct command long_winded = {
	.name = "long-winded",
	.sentence = "Says much.",
	.operands = "[list|show [ID]|retry ID...] [PATH...]",
	.flags = long_flags,
	.run = read_all,
};

static int run_long_winded(char **argv)
{
	struct arguments arguments = { .command = &long_winded, .next = argv };
	return long_winded.run(&arguments);
}

#define RUN_LONG_WINDED(...) run_long_winded((char *[]){ __VA_ARGS__, NULL })

Test(cli, help_breaks_its_lines_between_words_and_aligns_its_columns)
{
	command_print_help(&long_winded);
	cr_expect_str_eq(read_stdout(),
		"Says much.\n\n"
		"Usage: tollgate long-winded [--max-content-bytes BYTES]\n"
		"                            [--by [model|cli|day|session]] [--json]\n"
		"                            [list|show [ID]|retry ID...] [PATH...]\n\n"
		"  --max-content-bytes BYTES     A sentence that has more to say than the rest of\n"
		"                                this line has room for, so it goes on.\n"
		"  --by [model|cli|day|session]  Short.\n"
		"  --json                        Without a value.\n\n"
		"Exit status: 0 done, 1 failed, 2 wrong usage or configuration.\n");
}

Test(cli, what_follows_two_dashes_is_an_operand)
{
	RUN_LONG_WINDED("--json", "--", "--help");
	cr_expect_eq(last_argument, ARGUMENT_OPERAND);
	RUN_LONG_WINDED("--json", "--");
	cr_expect_eq(last_argument, ARGUMENT_END);
	cr_expect_eq(RUN("serve", "--", "--help"), EXIT_USAGE);
	cr_expect_eq(RUN("version", "--", "--"), EXIT_USAGE);
	cr_expect_eq(RUN("help", "--", "version"), EXIT_DONE);
	fflush(stderr);
	cr_expect_stderr_eq_str("tollgate: long-winded does not know --help; the nearest is show\n"
				"tollgate: serve does not take --help\n"
				"tollgate: version does not take --\n");
}

Test(cli, a_wrong_word_names_the_nearest)
{
	RUN_LONG_WINDED("--json", "show");
	cr_expect_eq(last_sub_word, 1);
	RUN_LONG_WINDED("sow");
	cr_expect_lt(last_sub_word, 0);
	RUN_LONG_WINDED("--max-content-byte=1");
	RUN_LONG_WINDED("--json=yes");
	RUN_LONG_WINDED("--by");
	cr_expect_eq(last_argument, ARGUMENT_WRONG);
	RUN_LONG_WINDED("--by=");
	cr_expect_eq(last_argument, ARGUMENT_END);
	cr_expect_eq(RUN("srve"), EXIT_USAGE);
	cr_expect_eq(RUN("version", "please"), EXIT_USAGE);
	cr_expect_eq(RUN("version", "--loud"), EXIT_USAGE);
	cr_expect_eq(RUN("help", "serve", "send"), EXIT_USAGE);
	fflush(stderr);
	cr_expect_stderr_eq_str(
		"tollgate: long-winded does not know sow; the nearest is show\n"
		"tollgate: long-winded has no flag --max-content-byte=1; the nearest is --max-content-bytes\n"
		"tollgate: --json takes no value\n"
		"tollgate: --by needs a value: --by [model|cli|day|session]\n"
		"tollgate: there is no command srve; the nearest is serve\n"
		"tollgate: version does not take please\n"
		"tollgate: version has no flag --loud; the nearest is --help\n"
		"tollgate: help does not take send\n");
}

Test(cli, help_lists_every_command)
{
	cr_expect_eq(RUN("help"), EXIT_DONE);
	const char *help = read_stdout();
	for (const struct command *const *command = commands; *command; command++) {
		char line[128];
		snprintf(line, sizeof line, "\n  %s ", (*command)->name);
		cr_expect(strstr(help, line), "%s", line);
	}
	expect_narrow(help);
	cr_expect(strstr(help, "Exit status: 0 done, 1 failed, 2 wrong usage or configuration."));
}

static void expect_explained(const struct command *command)
{
	char usage[64], row[64];
	const char *help = read_stdout();
	snprintf(usage, sizeof usage, "\nUsage: tollgate %s", command->name);
	cr_expect(strstr(help, usage), "%s", usage);
	for (const struct flag *flag = command->flags; flag && flag->name; flag++) {
		snprintf(row, sizeof row, "\n  %s ", flag->name);
		cr_expect(strstr(help, row), "%s", flag->name);
	}
	expect_narrow(help);
}

Test(cli, every_command_explains_itself)
{
	for (const struct command *const *command = commands; *command; command++) {
		cr_expect_eq(RUN((char *)(*command)->name, "--help"), EXIT_DONE);
		expect_explained(*command);
		cr_expect_eq(RUN("help", (char *)(*command)->name), EXIT_DONE);
		expect_explained(*command);
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

Test(cli, env_is_for_all_that_may_share_an_environment)
{
	cr_expect_eq(RUN("env", "--url", "https://gw.lan:4318/"), EXIT_DONE);
	cr_expect_str_eq(read_stdout(),
		"# Any SDK of OpenTelemetry.\n"
		"export OTEL_EXPORTER_OTLP_ENDPOINT=https://gw.lan:4318\n"
		"export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
		"# Claude Code.\n"
		"export CLAUDE_CODE_ENABLE_TELEMETRY=1\n"
		"export OTEL_METRICS_EXPORTER=otlp\n"
		"export OTEL_LOGS_EXPORTER=otlp\n"
		"export OTEL_TRACES_EXPORTER=otlp\n"
		"export CLAUDE_CODE_ENHANCED_TELEMETRY_BETA=1\n"
		"export OTEL_LOG_USER_PROMPTS=1\n"
		"export OTEL_LOG_TOOL_DETAILS=1\n"
		"export OTEL_METRIC_EXPORT_INTERVAL=10000\n"
		"export OTEL_LOGS_EXPORT_INTERVAL=2000\n"
		"export OTEL_TRACES_EXPORT_INTERVAL=2000\n"
		"# Codex reads no variables: tollgate setup codex.\n"
		"# Langfuse's SDKs; the keys are a project's own, or a gateway key.\n"
		"export LANGFUSE_BASE_URL=https://gw.lan:4318\n"
		"export LANGFUSE_HOST=https://gw.lan:4318\n"
		"export LANGFUSE_BASEURL=https://gw.lan:4318\n");
}

Test(cli, env_of_gemini_takes_away_what_would_win_over_it)
{
	setenv("TOLLGATE_URL", "http://[::1]:9", 1);
	cr_expect_eq(RUN("env", "gemini", "--without-content"), EXIT_DONE);
	cr_expect_str_eq(read_stdout(),
		"# Gemini CLI.\n"
		"export GEMINI_TELEMETRY_ENABLED=true\n"
		"export GEMINI_TELEMETRY_TARGET=local\n"
		"export GEMINI_TELEMETRY_OTLP_PROTOCOL=http\n"
		"export GEMINI_TELEMETRY_OTLP_ENDPOINT='http://[::1]:9'\n"
		"export GEMINI_TELEMETRY_LOG_PROMPTS=false\n"
		"unset OTEL_EXPORTER_OTLP_ENDPOINT\n"
		"unset OTEL_EXPORTER_OTLP_TRACES_ENDPOINT\n"
		"unset OTEL_EXPORTER_OTLP_LOGS_ENDPOINT\n"
		"unset OTEL_EXPORTER_OTLP_METRICS_ENDPOINT\n");
}

Test(cli, env_has_a_form_for_each_reader)
{
	RUN("env", "langfuse-sdk", "--url", "http://a/it's", "--format", "sh");
	RUN("env", "langfuse-sdk", "--url", "http://a", "--format", "dotenv");
	RUN("env", "langfuse-sdk", "--url", "http://a", "--format", "github");
	RUN("env", "langfuse-sdk", "claude-code", "--url", "http://a", "--format", "json",
		"--without-content");
	const char *out = read_stdout();
	cr_expect(strstr(out, "\nexport LANGFUSE_HOST='http://a/it'\\''s'\n"), "%s", out);
	cr_expect(strstr(out,
			  "# Langfuse's SDKs; the keys are a project's own, or a gateway key.\n"
			  "LANGFUSE_BASE_URL=http://a\n"
			  "LANGFUSE_HOST=http://a\n"
			  "LANGFUSE_BASEURL=http://a\n"
			  "LANGFUSE_BASE_URL=http://a\n"
			  "LANGFUSE_HOST=http://a\n"
			  "LANGFUSE_BASEURL=http://a\n"
			  "{\n  \"CLAUDE_CODE_ENABLE_TELEMETRY\": \"1\",\n"),
		"%s", out);
	cr_expect(strstr(out, "  \"LANGFUSE_BASEURL\": \"http://a\"\n}\n"), "%s", out);
	cr_expect_not(strstr(out, "OTEL_LOG_USER_PROMPTS"), "%s", out);
}

Test(cli, env_refuses_what_does_not_go_together_and_prints_nothing_then)
{
	cr_expect_eq(RUN("env", "otlp", "gemini"), EXIT_USAGE);
	cr_expect_eq(RUN("env", "--url", "gw.lan"), EXIT_USAGE);
	cr_expect_eq(RUN("env", "--url", "http://any:key@gw.lan"), EXIT_USAGE);
	cr_expect_eq(RUN("env", "--format", "fish"), EXIT_USAGE);
	cr_expect_str_eq(read_stdout(), "");
	fflush(stderr);
	cr_expect_stderr_eq_str(
		"tollgate: gemini needs an environment of its own: OTEL_EXPORTER_OTLP_ENDPOINT would "
		"win over its settings, and the others need it\n"
		"tollgate: --url must be a URL such as http://127.0.0.1:4318\n"
		"tollgate: --url must be a URL without user and password (use keys or headers)\n"
		"tollgate: --format does not know fish; the nearest is sh\n");
}

Test(cli, manual_lists_its_pages_and_prints_each)
{
	cr_expect_eq(RUN("manual"), EXIT_DONE);
	char list[4096], pages[256];
	snprintf(list, sizeof list, "%s", read_stdout());
	snprintf(pages, sizeof pages, "%s ", command_find("manual")->values);
	for (char *page = pages, *blank; (blank = strchr(page, ' ')); page = blank + 1) {
		*blank = '\0';
		cr_expect(strstr(list, page), "%s", page);
		cr_expect_eq(RUN("manual", page), EXIT_DONE, "%s", page);
		cr_expect_gt(strlen(read_stdout()), 1000, "%s", page);
	}
	cr_expect_eq(RUN("manual", "tollgate.2"), EXIT_USAGE);
	fflush(stderr);
	cr_expect_stderr_eq_str(
		"tollgate: manual does not know tollgate.2; the nearest is tollgate.1\n");
}

static const struct verb verbs[] = {
	{ "", "", "", 1u << 2 },
	{ "dead list", "", "Lists.", 1u << 1 | 1u << 2 },
	{ "dead list --json", "[PATH]", "Lists `all` of it.", 1u << 2 },
	{ NULL },
};

static const struct command many_sided = {
	.name = "many-sided",
	.sentence = "Does much.",
	.flags = long_flags,
	.verbs = verbs,
	.manual = "With `dead` words.\n\n- `TERM`: is explained\nhere.\n\n\tas it\n\t  is",
	.exits = "0 always",
	.run = read_all,
};

Test(cli, help_has_a_line_for_each_verb_and_what_the_manual_says)
{
	command_print_help(&many_sided);
	cr_expect_str_eq(read_stdout(),
		"Does much.\n\n"
		"Usage: tollgate many-sided [--json]\n"
		"       tollgate many-sided dead list [--by [model|cli|day|session]] [--json]\n"
		"       tollgate many-sided dead list --json [PATH]\n\n"
		"  dead list                Lists.\n"
		"  dead list --json [PATH]  Lists all of it.\n\n"
		"  --max-content-bytes BYTES     A sentence that has more to say than the rest of\n"
		"                                this line has room for, so it goes on.\n"
		"  --by [model|cli|day|session]  Short.\n"
		"  --json                        Without a value.\n\n"
		"With dead words.\n\n"
		"  TERM\n"
		"    is explained here.\n\n"
		"    as it\n"
		"      is\n\n"
		"Exit status: 0 always.\n");
}
