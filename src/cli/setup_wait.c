#include "cli/setup_wait.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/control_socket.h"
#include "cli/terminal.h"
#include "dialects/dialect.h"
#include "http/unix_socket.h"
#include "sources.h"

enum {
	PAUSE_MS = 500,
	ANSWER_TIMEOUT_MS = 10 * 1000,
	QUIET_MS = 3000, /* each signal has an interval of its own */
	OUTPUT_MAX_BYTES = 64 << 10,
};

static const char *const ways[] = { "logs", "traces", "metrics", "hooks" };
enum { WAY_COUNT = sizeof ways / sizeof *ways };

/* What came since the waiting began; the texts belong to the last answer. */
struct heard {
	const char *name, *version;
	bool ways[WAY_COUNT];
	unsigned way_count;
	bool lacks[LACK_COUNT], has[LACK_COUNT];
};

static json_int_t ns_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* A tool that is no coding CLI is heard as whoever is none. */
static bool is_from(const struct tool *tool, const json_t *source)
{
	const char *cli = json_string_value(json_object_get(source, "cli"));
	bool is_cli = dialect_named(bytes_of(tool->name)) != NULL;
	return is_cli ? cli && strcmp(cli, tool->name) == 0 : !cli;
}

static void note_source(const json_t *source, json_int_t since_ns, struct heard *heard)
{
	const json_t *came = json_object_get(source, "signals");
	const json_t *lacks = json_object_get(source, "lacks");
	for (size_t i = 0; i < WAY_COUNT; i++)
		if (!heard->ways[i] &&
			ns_of(json_object_get(came, ways[i]), "last_ns") > since_ns) {
			heard->ways[i] = true;
			heard->way_count++;
		}
	for (int i = 0; i < LACK_COUNT; i++) {
		const json_t *lack = json_object_get(lacks, lack_name(i));
		heard->lacks[i] |= ns_of(lack, "last_ns") > since_ns;
		heard->has[i] |= ns_of(lack, "there_last_ns") > since_ns;
	}
	if (!heard->version)
		heard->version = json_string_value(json_object_get(source, "version"));
	heard->name = json_string_value(json_object_get(source, "name"));
}

static struct heard hear(const struct tool *tool, const json_t *answer, json_int_t since_ns)
{
	struct heard heard = { 0 };
	size_t i;
	const json_t *source;
	json_array_foreach(json_object_get(answer, "sources"), i, source)
		if (is_from(tool, source) && ns_of(source, "last_ns") > since_ns)
			note_source(source, since_ns, &heard);
	return heard;
}

/* ---- what is said ---- */

/* The open session that said something last; its id belongs to the answer. */
static const char *newest_session(const struct tool *tool, const json_t *live)
{
	const char *id = NULL;
	json_int_t newest_ns = 0;
	size_t i;
	const json_t *session;
	json_array_foreach(json_object_get(live, "sessions"), i, session) {
		const char *cli = json_string_value(json_object_get(session, "cli"));
		if (cli && strcmp(cli, tool->name) == 0 && ns_of(session, "last_ns") > newest_ns) {
			newest_ns = ns_of(session, "last_ns");
			id = json_string_value(json_object_get(session, "session_id"));
		}
	}
	return id && *id ? id : NULL;
}

static void put(const struct terminal *terminal, struct buf *out, const char *text)
{
	terminal_put(terminal, out, STYLE_PLAIN, bytes_of(text), SIZE_MAX);
}

/* "logs, hooks" */
static void put_ways(struct buf *out, const bool *chosen)
{
	const char *between = "";
	for (size_t i = 0; i < WAY_COUNT; i++)
		if (chosen[i]) {
			buf_printf(out, "%s%s", between, ways[i]);
			between = ", ";
		}
}

/* A CLI says what it does in logs, hooks say it first; everybody else speaks in traces. */
static bool find_missing(const struct tool *tool, const struct heard *heard, bool *missing)
{
	bool is_cli = dialect_named(bytes_of(tool->name)) != NULL, is_any = false;
	for (size_t i = 0; i < WAY_COUNT; i++) {
		bool is_expected = strcmp(ways[i], "traces") == 0 ?
			!is_cli :
			strcmp(ways[i], "metrics") != 0 && is_cli;
		missing[i] = is_expected && !heard->ways[i];
		is_any |= missing[i];
	}
	return is_any;
}

static void put_heard(const struct tool *tool, const struct heard *heard, const char *session,
	const struct terminal *terminal, struct buf *out)
{
	bool missing[WAY_COUNT];
	buf_printf(out, "Heard: %s", tool->title);
	if (heard->version) {
		buf_text(out, " ");
		put(terminal, out, heard->version);
	}
	buf_text(out, " as ");
	put(terminal, out, heard->name ? heard->name : tool->name);
	buf_text(out, ", by its ");
	put_ways(out, heard->ways);
	buf_text(out, ".\n");
	if (session) {
		buf_text(out, "Session: ");
		put(terminal, out, session);
		buf_text(out, " (tollgate show prints it once its turn is over).\n");
	}
	if (heard->has[LACK_PROMPTS])
		buf_text(out, "Prompts can be read.\n");
	else if (heard->lacks[LACK_PROMPTS])
		buf_text(out, "Prompts are withheld.\n");
	if (heard->lacks[LACK_TOOL_DETAILS] && !heard->has[LACK_TOOL_DETAILS])
		buf_text(out, "Inputs of tools are withheld.\n");
	if (heard->lacks[LACK_SESSION])
		buf_text(out,
			"What it says has no session id: tollgate doctor names the setting.\n");
	if (find_missing(tool, heard, missing)) {
		buf_text(out, "Not heard so far: ");
		put_ways(out, missing);
		buf_text(out, ".\n");
	}
}

static int print_heard(const struct tool *tool, const struct heard *heard, const char *session)
{
	struct terminal terminal = terminal_of_stdout();
	struct buf out;
	buf_init(&out, OUTPUT_MAX_BYTES, NULL);
	put_heard(tool, heard, session, &terminal, &out);
	bool is_said =
		!out.error && fwrite(out.at, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
	buf_done(&out);
	return is_said ? EXIT_DONE : EXIT_FAILED;
}

/* ---- waiting ---- */

static int tell(const struct tool *tool, const struct unix_place *daemon, const struct heard *heard)
{
	json_t *live = NULL; /* none where sessions are switched off */
	control_look(daemon, "/v1/live", ANSWER_TIMEOUT_MS, &live);
	int exit_status = print_heard(tool, heard, newest_session(tool, live));
	json_decref(live);
	return exit_status;
}

static void pause_ms(unsigned ms)
{
	const struct timespec pause = { ms / 1000, (long)(ms % 1000) * 1000000 };
	nanosleep(&pause, NULL);
}

static int complain_of_silence(const struct tool *tool, unsigned timeout_s)
{
	fprintf(stderr,
		"tollgate: nothing came from %s within %u s; tollgate doctor says what to look at first\n",
		tool->title, timeout_s);
	return EXIT_FAILED;
}

/* Until it was quiet for a while after something came. */
static int wait_for(const struct tool *tool, const struct unix_place *daemon, unsigned timeout_s)
{
	uint64_t begun_ms = clock_monotonic_ms(), last_ms = begun_ms;
	json_int_t since_ns = 0;
	unsigned way_count = 0;
	for (;;) {
		json_t *answer = NULL;
		if (control_look(daemon, "/v1/sources", ANSWER_TIMEOUT_MS, &answer) < 0) {
			fprintf(stderr, "tollgate: the daemon does not answer any more\n");
			return EXIT_FAILED;
		}
		uint64_t now_ms = clock_monotonic_ms();
		since_ns = since_ns ? since_ns : ns_of(answer, "now_ns");
		struct heard heard = hear(tool, answer, since_ns);
		if (heard.way_count > way_count) {
			way_count = heard.way_count;
			last_ms = now_ms;
		}
		bool is_quiet = way_count && now_ms - last_ms >= QUIET_MS;
		int exit_status = is_quiet ? tell(tool, daemon, &heard) : -1;
		json_decref(answer);
		if (exit_status >= 0)
			return exit_status;
		if (!way_count && now_ms - begun_ms >= timeout_s * UINT64_C(1000))
			return complain_of_silence(tool, timeout_s);
		pause_ms(PAUSE_MS);
	}
}

int setup_wait(const struct tool *tool, const char *socket, unsigned timeout_s)
{
	struct unix_place daemon;
	if (control_socket_open(socket, &daemon) < 0)
		return EXIT_FAILED;
	printf("Waiting for %s, at most %u s: start it and ask it something.\n", tool->title,
		timeout_s);
	fflush(stdout);
	int exit_status = wait_for(tool, &daemon, timeout_s);
	unix_place_close(&daemon);
	return exit_status;
}
