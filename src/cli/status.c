/* tollgate status: one page on the whole of it, once or again and again. */
#include "cli/status.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/page.h"

enum { FLAG_WATCH, FLAG_INTERVAL, FLAG_JSON, FLAG_SOCKET };
enum { INTERVAL_S = 2, INTERVAL_MAX_S = 3600, ROWS_DEFAULT = 24 };

static const struct flag flags[] = {
	[FLAG_WATCH] = { "--watch", NULL,
		"Again and again, every 2 seconds, until it is interrupted." },
	[FLAG_INTERVAL] = { "--interval", "SECONDS", "The same every so many seconds, 1 to 3600." },
	[FLAG_JSON] = { "--json", NULL,
		"The daemon's answers as they are, by the names of its views." },
	[FLAG_SOCKET] = { "--socket", "PATH", "The daemon's control socket." },
	{ NULL },
};

/* In this order: what the first one says is switched off is not asked for. */
static const struct {
	const char *name, *path;
	const char *part; /* NULL: is always there */
	bool is_of_today;
} views[] = {
	{ "status", "/v1/status", NULL, false },
	{ "sources", "/v1/sources", NULL, false },
	{ "live", "/v1/live", "sessions", false },
	{ "spool", "/v1/spool", NULL, false },
	{ "cost_by_cli", "/v1/cost?by=cli", "local_view", true },
	{ "cost_by_model", "/v1/cost?by=model", "local_view", true },
	{ "prices", "/v1/prices", NULL, false },
};

/* ---- asking ---- */

/* Where this person's day began. */
static void add_midnight(char *path, size_t size)
{
	time_t now = time(NULL);
	struct tm day;
	char since_ns[24];
	if (!localtime_r(&now, &day))
		return;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_isdst = -1;
	snprintf(since_ns, sizeof since_ns, "%lld000000000", (long long)mktime(&day));
	control_argument(path, size, "since_ns", since_ns);
}

static int ask(const struct page *page, json_t **ret_answers)
{
	json_t *answers = json_object(), *answer;
	int exit_status = EXIT_DONE;
	for (size_t i = 0; i < sizeof views / sizeof *views && exit_status == EXIT_DONE; i++) {
		const json_t *status = json_object_get(answers, "status");
		char path[PAGE_PATH_MAX];
		if (views[i].part && !json_is_true(json_object_get(status, views[i].part)))
			continue;
		snprintf(path, sizeof path, "%s", views[i].path);
		if (views[i].is_of_today)
			add_midnight(path, sizeof path);
		exit_status = control_ask(page->socket, "GET", path, &answer);
		if (exit_status == EXIT_DONE &&
			json_object_set_new(answers, views[i].name, answer) < 0)
			exit_status = EXIT_FAILED;
	}
	if (exit_status == EXIT_DONE)
		*ret_answers = answers;
	else
		json_decref(answers);
	return exit_status;
}

/* ---- again and again ---- */

static volatile sig_atomic_t has_screen;

/* A screen of its own, which leaves what stood on the terminal as it was. */
static const char enter[] = "\033[?1049h\033[?25l", leave[] = "\033[?25h\033[?1049l";
static const char clear[] = "\033[H\033[J", mark_end[] = "\0337", clear_behind[] = "\0338\033[J";

static void leave_screen(void)
{
	if (has_screen)
		(void)!write(STDOUT_FILENO, leave, sizeof leave - 1);
}

static void end(int signal)
{
	(void)signal;
	leave_screen();
	_exit(EXIT_DONE);
}

static void cut_lines(struct buf *out, size_t rows)
{
	const uint8_t *at = out->at;
	while (at && rows-- && (at = memchr(at, '\n', (size_t)(out->at + out->len - at))))
		at++;
	if (at)
		out->len = (size_t)(at - out->at);
}

static size_t find_rows(void)
{
	struct winsize size;
	bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
	return is_known ? size.ws_row : ROWS_DEFAULT;
}

/* Below it a line is left for what stderr has to say. */
static int print_screen(const json_t *answers, const struct terminal *terminal, struct buf *out)
{
	size_t rows = find_rows();
	buf_text(out, clear);
	int error = status_print(answers, terminal, out);
	cut_lines(out, rows > 2 ? rows - 2 : 1);
	buf_text(out, mark_end);
	return error ? error : out->error;
}

static void begin(const struct page *page)
{
	const struct sigaction action = { .sa_handler = end };
	has_screen = !page->is_json && isatty(STDOUT_FILENO);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (has_screen)
		printf("%s", enter);
}

/* A daemon that is away for a while is waited for, below what it said last. */
static int watch(const struct page *page, unsigned interval_s)
{
	json_t *answers;
	int exit_status = ask(page, &answers);
	if (exit_status != EXIT_DONE)
		return exit_status;
	begin(page);
	for (bool is_there = true;; is_there = ask(page, &answers) == EXIT_DONE) {
		if (is_there) {
			exit_status =
				page_print(page, answers, has_screen ? print_screen : status_print);
			json_decref(answers);
		}
		if (exit_status != EXIT_DONE)
			break;
		sleep(interval_s);
		printf("%s", has_screen ? clear_behind : page->is_json ? "" : "\n");
		fflush(stdout);
	}
	leave_screen();
	return exit_status;
}

/* ---- the command ---- */

static int show(const struct page *page)
{
	json_t *answers;
	int exit_status = ask(page, &answers);
	if (exit_status != EXIT_DONE)
		return exit_status;
	exit_status = page_print(page, answers, status_print);
	json_decref(answers);
	return exit_status;
}

/* 0 after words to stderr. */
static unsigned read_interval(const char *value)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);
	if (*value >= '0' && *value <= '9' && !*end && seconds >= 1 && seconds <= INTERVAL_MAX_S)
		return (unsigned)seconds;
	fprintf(stderr, "tollgate: --interval %.40s is no number of seconds from 1 to %d\n", value,
		INTERVAL_MAX_S);
	return 0;
}

static int run(struct arguments *arguments)
{
	struct page page = { 0 };
	const char *value = NULL;
	unsigned interval_s = 0;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_WATCH) {
			interval_s = interval_s ? interval_s : INTERVAL_S;
		} else if (argument == FLAG_INTERVAL) {
			interval_s = read_interval(value);
			if (!interval_s)
				return EXIT_USAGE;
		} else if (argument == FLAG_JSON) {
			page.is_json = true;
		} else if (argument == FLAG_SOCKET) {
			page.socket = value;
		} else {
			return arguments_refuse(arguments, argument, value);
		}
	}
	return interval_s ? watch(&page, interval_s) : show(&page);
}

const struct command command_status = {
	.name = "status",
	.sentence = "Shows on one page who sends, what is open, what waits and what it cost.",
	.operands = "",
	.flags = flags,
	.manual =
		"Asks the running daemon for its sources (who sends, which signals, when last and how much "
		"in the last five minutes), the sessions of coding CLIs that are open, each destination with "
		"what waits for it and why, tokens and cost since midnight by CLI and by model, and what is "
		"wrong: models without a price, spans that were dropped, requests that were refused.\n\n"
		"With `--watch` the page is drawn anew until SIGINT, on a terminal in a screen of its own; "
		"anywhere else one page follows the other. A daemon that restarts meanwhile is waited for. "
		"`--json` prints one object with the answers of the daemon's views as members: `status`, "
		"`sources`, `live`, `spool`, `cost_by_cli`, `cost_by_model` and `prices`; those are missing "
		"that are switched off.",
	.run = run,
};
