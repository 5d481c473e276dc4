/* tollgate setup: points a tool at the gateway in that tool's own settings, or takes that out again. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/diff.h"
#include "cli/gateway.h"
#include "cli/setup_edit.h"
#include "cli/setup_wait.h"

enum {
	FLAG_APPLY,
	FLAG_REMOVE,
	FLAG_WAIT,
	FLAG_TIMEOUT,
	FLAG_URL,
	FLAG_WITHOUT_CONTENT,
	FLAG_WITHOUT_SPANS,
	FLAG_WITHOUT_HOOKS,
	FLAG_HOME,
	FLAG_SOCKET,
};
enum { OUTPUT_MAX_BYTES = 32 << 20, TIMEOUT_S = 300, TIMEOUT_MAX_S = 86400 };

static const struct flag flags[] = {
	[FLAG_APPLY] = { "--apply", NULL, "Writes the change; else it is only shown." },
	[FLAG_REMOVE] = { "--remove", NULL, "Puts back what the files said before." },
	[FLAG_WAIT] = { "--wait", NULL,
		"Then waits until something comes from the tool, and says what." },
	[FLAG_TIMEOUT] = { "--timeout", "SECONDS", "How long --wait waits; else 300." },
	[FLAG_URL] = { "--url", "URL",
		"Of the gateway; else $TOLLGATE_URL, else where the configuration listens." },
	[FLAG_WITHOUT_CONTENT] = { "--without-content", NULL,
		"No prompts, answers, inputs and outputs of tools." },
	[FLAG_WITHOUT_SPANS] = { "--without-spans", NULL, "Not the spans of Claude Code's beta." },
	[FLAG_WITHOUT_HOOKS] = { "--without-hooks", NULL, "No hooks and no notify." },
	[FLAG_HOME] = { "--home", "DIR", "In place of $HOME." },
	[FLAG_SOCKET] = { "--socket", "PATH", "The daemon's control socket, for --wait." },
	{ NULL },
};

enum deed { SHOW, APPLY, REMOVE };

struct wanted {
	const struct tool *tool;
	enum deed deed;
	bool is_wait;
	unsigned timeout_s;
	const char *home; /* NULL: $HOME */
	const char *url;  /* NULL: found */
	const char *socket;
	struct wish wish;
};

/* All files of the tool, and where they are. */
struct work {
	const struct wanted *wanted;
	struct home home;
	struct setup_record record;
	struct setup_edit edits[TOOL_FILES_MAX];
	size_t count;
};

static int fail(const struct complaint *complaint)
{
	complaint_print(complaint);
	return EXIT_FAILED;
}

/* ---- what is wanted ---- */

static const struct tool *find_tool(const char *written)
{
	const char *names[16] = { NULL };
	for (size_t i = 0; tools[i] && i + 1 < sizeof names / sizeof *names; i++)
		names[i] = tools[i]->name;
	int found = word_find(names, written, "setup");
	return found < 0 ? NULL : tools[found];
}

static int take_timeout(const char *written, unsigned *ret_timeout_s)
{
	char *end;
	unsigned long seconds = strtoul(written, &end, 10);
	if (*written < '0' || *written > '9' || *end || seconds > TIMEOUT_MAX_S) {
		fprintf(stderr, "tollgate: --timeout must be from 0 to %d seconds, not %s\n",
			TIMEOUT_MAX_S, written);
		return -EINVAL;
	}
	*ret_timeout_s = (unsigned)seconds;
	return 0;
}

static int take_argument(struct wanted *wanted, int argument, const char *value)
{
	switch (argument) {
	case FLAG_APPLY:
	case FLAG_REMOVE:
		if (wanted->deed != SHOW) {
			fprintf(stderr, "tollgate: setup takes one of --apply and --remove\n");
			return -EINVAL;
		}
		wanted->deed = argument == FLAG_APPLY ? APPLY : REMOVE;
		return 0;
	case FLAG_WAIT:
		wanted->is_wait = true;
		return 0;
	case FLAG_TIMEOUT:
		return take_timeout(value, &wanted->timeout_s);
	case FLAG_URL:
		wanted->url = value;
		return 0;
	case FLAG_WITHOUT_CONTENT:
		wanted->wish.has_content = false;
		return 0;
	case FLAG_WITHOUT_SPANS:
		wanted->wish.has_spans = false;
		return 0;
	case FLAG_WITHOUT_HOOKS:
		wanted->wish.has_hooks = false;
		return 0;
	case FLAG_HOME:
		wanted->home = value;
		return 0;
	case FLAG_SOCKET:
		wanted->socket = value;
		return 0;
	default:
		return -ENOENT;
	}
}

static int read_arguments(struct arguments *arguments, struct wanted *wanted)
{
	const char *value = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		int error = argument == ARGUMENT_OPERAND && !wanted->tool ?
			0 :
			take_argument(wanted, argument, value);
		if (error == -ENOENT)
			return arguments_refuse(arguments, argument, value);
		if (!error && argument == ARGUMENT_OPERAND)
			error = (wanted->tool = find_tool(value)) ? 0 : -EINVAL;
		if (error)
			return EXIT_USAGE;
	}
	if (!wanted->tool)
		fprintf(stderr,
			"tollgate: setup needs a tool: claude-code, codex, gemini or langfuse-sdk\n");
	else if (wanted->is_wait && wanted->deed == REMOVE)
		fprintf(stderr, "tollgate: there is nothing to wait for after --remove\n");
	else
		return EXIT_DONE;
	return EXIT_USAGE;
}

/* What root writes there its owner could not change. */
static int check_owner(const struct home *home)
{
	struct stat status;
	if (stat(home->path, &status) < 0) {
		fprintf(stderr, "tollgate: the home %s: %s\n", home->path, strerror(errno));
		return -EINVAL;
	}
	const struct passwd *owner = getpwuid(status.st_uid);
	if (status.st_uid == geteuid())
		return 0;
	fprintf(stderr, "tollgate: %s is the home of %s, who has to do this\n", home->path,
		owner ? owner->pw_name : "somebody else");
	return -EINVAL;
}

/* ---- files ---- */

static int open_files(struct work *work, struct complaint *complaint)
{
	const struct tool *tool = work->wanted->tool;
	int error = 0;
	for (size_t i = 0; i < TOOL_FILES_MAX && tool->files[i].path && !error; i++) {
		struct setup_edit *edit = &work->edits[work->count++];
		error = setup_edit_open(
			edit, tool, &work->home, &tool->files[i], &work->record, complaint);
		if (!error)
			error = work->wanted->deed == REMOVE ?
				setup_edit_plan_removal(edit, complaint) :
				setup_edit_plan(edit, &work->wanted->wish, complaint);
	}
	return error;
}

static bool has_change(const struct work *work)
{
	for (size_t i = 0; i < work->count; i++)
		if (setup_edit_has_change(&work->edits[i]))
			return true;
	return false;
}

/* A terminal gets nothing that it would obey, a program the lines as they are. */
static int print_changes(const struct work *work)
{
	struct terminal terminal = terminal_of_stdout();
	struct buf out;
	buf_init(&out, OUTPUT_MAX_BYTES, NULL);
	for (size_t i = 0; i < work->count; i++) {
		const struct setup_edit *edit = &work->edits[i];
		diff_put(isatty(STDOUT_FILENO) ? &terminal : NULL, &out,
			edit->is_there ? edit->path : "/dev/null", buf_bytes(&edit->before),
			edit->is_deletion ? "/dev/null" : edit->path, buf_bytes(&edit->after));
	}
	if (out.len)
		fwrite(out.at, 1, out.len, stdout);
	bool is_said = !out.error && fflush(stdout) == 0 && !ferror(stdout);
	buf_done(&out);
	return is_said ? 0 : -EIO;
}

static int check_files(const struct work *work, struct complaint *complaint)
{
	int error = 0;
	for (size_t i = 0; i < work->count && !error; i++)
		if (setup_edit_has_change(&work->edits[i]))
			error = setup_edit_check(&work->edits[i], complaint);
	return error;
}

static void print_written(const struct work *work, const struct setup_edit *edit)
{
	bool is_link = strcmp(edit->path, edit->target) != 0;
	bool is_removal = work->wanted->deed == REMOVE;
	const char *done = edit->is_deletion ? "Deleted" : is_removal ? "Put back" : "Written";
	printf("%s: %s%s%s", done, edit->path, is_link ? ", which is " : "",
		is_link ? edit->target : "");
	if (access(edit->backup, F_OK) == 0)
		printf("; what it said before is kept in %s", edit->backup);
	printf("\n");
}

static int write_file(struct work *work, struct setup_edit *edit, struct complaint *complaint)
{
	bool is_changed = setup_edit_has_change(edit);
	int error = 0;
	if (work->wanted->deed == REMOVE)
		error = setup_edit_undo(edit, &work->record, complaint);
	else if (is_changed)
		error = setup_edit_apply(edit, &work->record, work->wanted->wish.url, complaint);
	if (!error && is_changed)
		print_written(work, edit);
	return error;
}

/* What came first goes last: it made the directory. */
static int write_files(struct work *work, struct complaint *complaint)
{
	bool is_removal = work->wanted->deed == REMOVE;
	int error = 0;
	for (size_t i = 0; i < work->count && !error; i++)
		error = write_file(
			work, &work->edits[is_removal ? work->count - 1 - i : i], complaint);
	return error;
}

/* ---- what is left to do ---- */

static void print_command(const struct wanted *wanted)
{
	printf("\nNothing is written yet. This does it:\n\n    tollgate setup %s --apply",
		wanted->tool->name);
	if (wanted->url)
		printf(" --url %s", wanted->url);
	if (wanted->home)
		printf(" --home %s", wanted->home);
	printf("%s%s%s\n", wanted->wish.has_content ? "" : " --without-content",
		wanted->wish.has_spans ? "" : " --without-spans",
		wanted->wish.has_hooks ? "" : " --without-hooks");
}

static void put_finding(
	const struct finding *finding, const struct terminal *terminal, struct buf *out)
{
	static const char label[] = "Note: ";
	const size_t indent = sizeof label - 1;
	struct buf line;
	buf_init(&line, OUTPUT_MAX_BYTES, NULL);
	buf_printf(&line, "%s%s", label, finding->what);
	terminal_put_words(terminal, out, STYLE_PLAIN, buf_bytes(&line), indent);
	line.len = 0;
	buf_printf(&line, "%*s%s", (int)indent, "", finding->mend);
	terminal_put_words(terminal, out, STYLE_PLAIN, buf_bytes(&line), indent);
	buf_done(&line);
}

/* What is in the way beside what was written; settings of a project may be a stranger's. */
static void print_findings(const struct work *work)
{
	struct terminal terminal = terminal_of_stdout();
	struct findings findings = { 0 };
	struct buf out;
	bool is_on;
	buf_init(&out, OUTPUT_MAX_BYTES, NULL);
	work->wanted->tool->inspect(&work->home, work->wanted->wish.url, &findings, &is_on);
	for (size_t i = 0; i < findings.count; i++)
		put_finding(&findings.at[i], &terminal, &out);
	if (out.len)
		fwrite(out.at, 1, out.len, stdout);
	buf_done(&out);
	findings_done(&findings);
}

static void print_end(const struct work *work, bool is_changed)
{
	const struct wanted *wanted = work->wanted;
	if (!is_changed)
		printf("Nothing to do: %s%s\n", wanted->tool->title,
			wanted->deed == REMOVE ? " has nothing that was written here." :
						 " has all that in its settings.");
	else if (wanted->deed == SHOW)
		print_command(wanted);
	else if (wanted->deed == APPLY && wanted->tool->after)
		printf("%s\n", wanted->tool->after);
	if (wanted->deed == APPLY || (wanted->deed == SHOW && !is_changed))
		print_findings(work);
}

static int do_work(struct work *work)
{
	struct complaint complaint = { 0 };
	if (open_files(work, &complaint) < 0)
		return fail(&complaint);
	bool is_changed = has_change(work);
	if (print_changes(work) < 0) {
		fprintf(stderr, "tollgate: the change cannot be printed\n");
		return EXIT_FAILED;
	}
	if (work->wanted->deed != SHOW &&
		(check_files(work, &complaint) < 0 || write_files(work, &complaint) < 0))
		return fail(&complaint);
	print_end(work, is_changed);
	return EXIT_DONE;
}

static int begin_work(const struct wanted *wanted, const char *place)
{
	const char *home = wanted->home ? wanted->home : getenv("HOME");
	struct work work = { .wanted = wanted,
		.home = { .path = home, .environment = environ, .place = place } };
	if (!home || *home != '/') {
		fprintf(stderr, "tollgate: the home has to be a path that begins with /\n");
		return EXIT_USAGE;
	}
	if (check_owner(&work.home) < 0)
		return EXIT_FAILED;
	int error = setup_record_open(wanted->home, &work.record);
	if (error) {
		fprintf(stderr, "tollgate: the record of what was written cannot be read: %s\n",
			strerror(-error));
		return EXIT_FAILED;
	}
	int exit_status = do_work(&work);
	for (size_t i = 0; i < work.count; i++)
		setup_edit_close(&work.edits[i]);
	setup_record_close(&work.record);
	return exit_status;
}

/* Where this shell finds it; false: nowhere. */
static bool find_in_path(char found[TOOL_PATH_MAX])
{
	const char *path = getenv("PATH");
	for (size_t len; path; path = path[len] ? path + len + 1 : NULL) {
		len = strcspn(path, ":");
		int written = snprintf(found, TOOL_PATH_MAX, "%.*s/tollgate", (int)len, path);
		if (*path == '/' && written < TOOL_PATH_MAX && access(found, X_OK) == 0)
			return true;
	}
	return false;
}

/* By its name where every shell finds it; a tool is started with another PATH than this one. */
static const char *find_program(char own[TOOL_PATH_MAX])
{
	static const char *const everywhere[] = { "/usr/local/bin/tollgate", "/usr/bin/tollgate",
		"/bin/tollgate" };
	ssize_t len = find_in_path(own) ? (ssize_t)strlen(own) :
					  readlink("/proc/self/exe", own, TOOL_PATH_MAX - 1);
	if (len < 0)
		return "tollgate";
	own[len] = '\0';
	for (size_t i = 0; i < sizeof everywhere / sizeof *everywhere; i++)
		if (strcmp(own, everywhere[i]) == 0)
			return "tollgate";
	return own;
}

static int run(struct arguments *arguments)
{
	char url[GATEWAY_URL_MAX], configured[GATEWAY_URL_MAX], own[TOOL_PATH_MAX];
	struct wanted wanted = {
		.timeout_s = TIMEOUT_S,
		.wish = { .has_content = true, .has_spans = true, .has_hooks = true },
	};
	int exit_status = read_arguments(arguments, &wanted);
	if (exit_status != EXIT_DONE)
		return exit_status;
	if (gateway_find(wanted.url, url) < 0)
		return EXIT_USAGE;
	gateway_configured(configured);
	wanted.wish.url = url;
	wanted.wish.hook_url = strcmp(url, configured) == 0 ? NULL : url;
	wanted.wish.program = find_program(own);
	char *place = getcwd(NULL, 0);
	exit_status = begin_work(&wanted, place ? place : "/");
	free(place);
	if (exit_status == EXIT_DONE && wanted.is_wait)
		exit_status = setup_wait(wanted.tool, wanted.socket, wanted.timeout_s);
	return exit_status;
}

const struct command command_setup = {
	.name = "setup",
	.sentence = "Points a tool at the gateway in its own settings, or takes that out again.",
	.operands = "TOOL",
	.values = "claude-code codex gemini langfuse-sdk",
	.flags = flags,
	.manual =
		"Prints the change to the tool's own files as `diff -u` does, and writes it with "
		"`--apply`: other settings, comments and layout stay, hooks of others come first, "
		"and doing it twice does nothing. `claude-code` is `~/.claude/settings.json` "
		"(`$CLAUDE_CONFIG_DIR`), `codex` is `config.toml` and `hooks.json` in `~/.codex` "
		"(`$CODEX_HOME`), `gemini` is `~/.gemini/settings.json`, `langfuse-sdk` is `.env` "
		"in the working directory.\n\n"
		"What a file said before the first change is kept beside it, as "
		"`FILE.before-tollgate`. With `--remove` a file that nobody changed since is put "
		"back byte for byte; else what was written is taken out, and what it replaced put "
		"back. A symbolic link is followed; a file that is read-only is managed elsewhere "
		"and left alone. What was written where is noted in "
		"`$XDG_STATE_HOME/tollgate/setup.json` (below `~/.local/state` where that is "
		"unset).",
	.run = run,
};
