/* tollgate hook against a small server: it hands over, keeps what cannot go, and never disturbs. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/kept_hooks.h"
#include "support/daemon.h"
#include "support/scratch.h"

enum { REQUESTS_MAX = 64, PATIENCE_MS = 300, WAIT_MS = 20 * PATIENCE_MS };

static struct seen {
	char path[64], type[64], body[256];
} seen[REQUESTS_MAX];
static size_t seen_count;
static _Atomic size_t answered_count;
static unsigned status;
static struct MHD_Daemon *server;
static uint16_t port;
static char directory[SCRATCH_PATH_MAX], kept[SCRATCH_PATH_MAX + 64];
static char written[SCRATCH_PATH_MAX + 64];

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data, size_t *size, void **state)
{
	struct seen *request = *state;
	if (!request) {
		const char *type =
			MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
		if (seen_count == REQUESTS_MAX || strcmp(method, "POST") != 0)
			return MHD_NO;
		*state = request = &seen[seen_count++];
		snprintf(request->path, sizeof request->path, "%s", path);
		snprintf(request->type, sizeof request->type, "%s", type ? type : "-");
		return MHD_YES;
	}
	if (*size) {
		strncat(request->body, data,
			*size < sizeof request->body - 1 - strlen(request->body) ?
				*size :
				sizeof request->body - 1 - strlen(request->body));
		*size = 0;
		return MHD_YES;
	}
	struct MHD_Response *response =
		MHD_create_response_from_buffer(2, (void *)"{}", MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	answered_count++;
	return result;
}

static void start_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	server = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, port, NULL, NULL, handle, NULL,
		MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
	cr_assert(server);
	port = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void stop_server(void)
{
	MHD_stop_daemon(server);
	server = NULL;
}

static void begin(void)
{
	char url[64];
	status = 200;
	start_server();
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(kept, sizeof kept, "%s/tollgate/hooks.jsonl", directory);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
	setenv("TOLLGATE_URL", url, 1);
	setenv("XDG_STATE_HOME", directory, 1);
	cr_redirect_stdout();
	cr_redirect_stderr();
}

static void end(void)
{
	if (server)
		stop_server();
	scratch_remove(directory);
}

TestSuite(hook, .init = begin, .fini = end);

/* With `input` on the standard input, of which the other side stays open when `is_left_open`. */
static int run_hook(const char *cli, const char *argument, const char *input, bool is_left_open)
{
	int ends[2];
	char *argv[] = { "tollgate", "hook", (char *)cli, (char *)argument, NULL };
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], input, strlen(input)), (ssize_t)strlen(input));
	if (!is_left_open)
		close(ends[1]);
	cr_assert_geq(dup2(ends[0], STDIN_FILENO), 0);
	close(ends[0]);
	int exit_status = commands_run(argv);
	if (is_left_open)
		close(ends[1]);
	return exit_status;
}

static off_t kept_bytes(void)
{
	struct stat file;
	return stat(kept, &file) == 0 ? file.st_size : -1;
}

static void expect_seen(size_t index, const char *path, const char *body)
{
	cr_assert_lt(index, seen_count, "only %zu requests came", seen_count);
	cr_expect_str_eq(seen[index].path, path);
	cr_expect_str_eq(seen[index].type, "application/json");
	cr_expect_str_eq(seen[index].body, body);
}

static void expect_nothing_printed(void)
{
	fflush(stdout);
	fflush(stderr);
	cr_expect_eq(fgetc(cr_get_redirected_stdout()), EOF);
	cr_expect_eq(fgetc(cr_get_redirected_stderr()), EOF);
}

Test(hook, the_payload_of_the_standard_input_is_posted_as_it_is)
{
	cr_expect_eq(run_hook("claude-code", NULL, "{\"a\": 1}\n", false), 0);
	expect_seen(0, "/hooks/claude-code", "{\"a\": 1}\n");
	cr_expect_eq(kept_bytes(), -1, "nothing is kept");
	expect_nothing_printed();
}

Test(hook, codex_gives_its_payload_as_an_argument)
{
	cr_expect_eq(run_hook("codex", "{\"type\":\"agent-turn-complete\"}", "", true), 0);
	expect_seen(0, "/hooks/codex", "{\"type\":\"agent-turn-complete\"}");
}

Test(hook, what_cannot_go_is_kept_and_goes_with_a_later_one)
{
	stop_server();
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":1}", false), 0);
	cr_expect_eq(run_hook("codex", "{\"n\":\"\\u0000\\n2\"}", "", false), 0);
	struct stat file;
	cr_assert_eq(stat(kept, &file), 0);
	cr_expect_eq(file.st_mode & 0777, 0600);
	start_server();
	cr_expect_eq(run_hook("claude-code", NULL, "{\"n\":3}", false), 0);
	expect_seen(0, "/hooks/claude-code", "{\"n\":3}");
	expect_seen(1, "/hooks/gemini", "{\"n\":1}");
	expect_seen(2, "/hooks/codex", "{\"n\":\"\\u0000\\n2\"}");
	cr_expect_eq(kept_bytes(), 0);
	cr_expect_eq(run_hook("claude-code", NULL, "{\"n\":4}", false), 0);
	cr_expect_eq(seen_count, 4, "what went once is not kept");
	expect_nothing_printed();
}

Test(hook, an_overloaded_daemon_is_asked_again_and_a_refusal_is_final)
{
	status = 503;
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":1}", false), 0);
	cr_expect_gt(kept_bytes(), 0);
	status = 400;
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":2}", false), 0);
	cr_expect_eq(kept_bytes(), 0);
	cr_expect_eq(seen_count, 3);
}

Test(hook, what_a_wrong_key_keeps_out_goes_once_the_key_is_right)
{
	static const unsigned refusals[] = { 401, 403 };
	for (size_t i = 0; i < 2; i++) {
		seen_count = 0;
		status = refusals[i];
		cr_expect_eq(run_hook("gemini", NULL, "{\"n\":1}", false), 0);
		cr_expect_gt(kept_bytes(), 0);
		status = 200;
		cr_expect_eq(run_hook("gemini", NULL, "{\"n\":2}", false), 0);
		cr_expect_eq(kept_bytes(), 0);
		cr_expect_eq(seen_count, 3);
	}
}

Test(hook, a_line_that_is_no_hook_does_not_stand_in_the_way)
{
	stop_server();
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":1}", false), 0);
	FILE *file = fopen(kept, "a");
	fputs("half a li\n", file);
	fclose(file);
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":2}", false), 0);
	start_server();
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":3}", false), 0);
	cr_expect_eq(seen_count, 3);
	expect_seen(2, "/hooks/gemini", "{\"n\":2}");
	cr_expect_eq(kept_bytes(), 0);
}

Test(hook, the_file_stays_small)
{
	stop_server();
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":1}", false), 0);
	off_t one = kept_bytes();
	cr_assert_eq(truncate(kept, KEPT_HOOKS_MAX_BYTES - one + 1), 0);
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":2}", false), 0);
	cr_expect_eq(kept_bytes(), KEPT_HOOKS_MAX_BYTES - one + 1);
}

/* Tenfold slack: what is tested is that it ends. */
Test(hook, it_does_not_wait_for_an_input_that_does_not_end)
{
	uint64_t began = clock_monotonic_ms();
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":1", true), 0);
	cr_expect_lt(clock_monotonic_ms() - began, 10 * PATIENCE_MS);
	cr_expect_eq(seen_count, 0);
	expect_nothing_printed();
}

Test(hook, it_does_not_wait_for_a_daemon_that_does_not_answer)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof any;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char url[64];
	cr_assert_eq(bind(fd, (struct sockaddr *)&any, len), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&any, &len), 0);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(any.sin_port));
	setenv("TOLLGATE_URL", url, 1);
	uint64_t began = clock_monotonic_ms();
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":1}", false), 0);
	cr_expect_lt(clock_monotonic_ms() - began, 10 * PATIENCE_MS);
	cr_expect_gt(kept_bytes(), 0);
	close(fd);
	expect_nothing_printed();
}

Test(hook, nothing_disturbs_the_cli)
{
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	stop_server();
	cr_expect_eq(run_hook("gemini", NULL, "{\"n\":1}", false), 0);
	cr_expect_eq(run_hook("cursor", NULL, "{\"n\":1}", false), 0);
	cr_expect_eq(run_hook("codex", "{}", "", false), 0);
	cr_expect_eq(run_hook("codex", NULL, "", false), 0);
	expect_nothing_printed();
}

/* ---- a program of the person's own, behind "--" ---- */

/* With the payload as Codex gives it. The exit status; the process is the program's by then. */
static int run_chained(const char *cli, char *const *program)
{
	char *argv[16] = { (char *)daemon_program(), "hook", (char *)cli, "--" };
	pid_t pid;
	int child_status = 0;
	size_t count = 4;
	while (*program)
		argv[count++] = *program++;
	argv[count] = "{\"n\":1}";
	cr_assert_eq(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), 0);
	cr_assert_eq(waitpid(pid, &child_status, 0), pid);
	return WIFEXITED(child_status) ? WEXITSTATUS(child_status) : -1;
}

/* It is posted beside the program, so it may come later. */
static bool comes(bool (*is_there)(void))
{
	for (uint64_t began = clock_monotonic_ms(); clock_monotonic_ms() - began < WAIT_MS;) {
		if (is_there())
			return true;
		usleep(1000);
	}
	return false;
}

static bool is_answered(void)
{
	return answered_count == 1;
}

static bool is_kept(void)
{
	return kept_bytes() > 0;
}

/* A program that writes its arguments and ends with 7. */
static int run_script(const char *cli)
{
	char script[] = "printf '%s\n' \"$@\" >\"$0\"; exit 7";
	snprintf(written, sizeof written, "%s/written", directory);
	return run_chained(cli, (char *[]){ "sh", "-c", script, written, "a b", NULL });
}

static void expect_written(const char *text)
{
	char found[256] = "";
	FILE *file = fopen(written, "r");
	cr_assert(file);
	size_t len = fread(found, 1, sizeof found - 1, file);
	fclose(file);
	found[len] = '\0';
	cr_expect_str_eq(found, text);
}

Test(hook, a_chained_program_is_run_as_codex_would)
{
	cr_expect_eq(run_script("codex"), 7);
	expect_written("a b\n{\"n\":1}\n");
	cr_assert(comes(is_answered));
	expect_seen(0, "/hooks/codex", "{\"n\":1}");
}

Test(hook, a_chained_program_runs_without_a_daemon)
{
	stop_server();
	cr_expect_eq(run_script("codex"), 7);
	expect_written("a b\n{\"n\":1}\n");
	cr_expect(comes(is_kept));
}

Test(hook, a_chained_program_runs_for_a_cli_that_nobody_knows)
{
	cr_expect_eq(run_script("cursor"), 7);
	expect_written("a b\n{\"n\":1}\n");
}

Test(hook, a_chained_program_that_is_not_there_says_so)
{
	cr_expect_eq(run_chained("codex", (char *[]){ "/nowhere/notify", NULL }), 127);
	cr_expect_eq(run_chained("codex", (char *[]){ "/", NULL }), 126);
}

Test(hook, a_payload_alone_behind_the_dashes_is_no_program)
{
	cr_expect_eq(run_chained("codex", (char *[]){ NULL }), 0);
	cr_assert(comes(is_answered));
	expect_seen(0, "/hooks/codex", "{\"n\":1}");
}
