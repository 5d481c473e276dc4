/*
 * The control socket from both of its ends, with views of the test's own: what peers may do to it,
 * where it is found, and in which words it is missed.
 */
#include "watch/control.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/control_socket.h"
#include "config/config.h"
#include "http/server.h"
#include "http/unix_socket.h"
#include "support/http_peer.h"
#include "support/scratch.h"
#include "watch/watch.h"

enum { CONNECTIONS_MAX = 32, MUCH_LATER_MS = 60 * 1000 };

static char directory[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 32], printed[8192];
static struct config config;
static struct watch watch = { .config = &config };
static struct control *control;

/* Time passes when the test says so. */
static atomic_uint_fast64_t ahead_ms;
uint64_t __real_clock_monotonic_ms(void);
uint64_t __wrap_clock_monotonic_ms(void);
uint64_t __wrap_clock_monotonic_ms(void)
{
	return __real_clock_monotonic_ms() + atomic_load(&ahead_ms);
}

/* The view at /slow answers when it may. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_asked, may_answer;
} slow = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void slow_await_asked(void)
{
	pthread_mutex_lock(&slow.lock);
	while (!slow.is_asked)
		pthread_cond_wait(&slow.changed, &slow.lock);
	pthread_mutex_unlock(&slow.lock);
}

static void slow_release(void)
{
	pthread_mutex_lock(&slow.lock);
	slow.may_answer = true;
	pthread_cond_broadcast(&slow.changed);
	pthread_mutex_unlock(&slow.lock);
}

static int answer_slow(const struct watch *watched, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	pthread_mutex_lock(&slow.lock);
	slow.is_asked = true;
	pthread_cond_broadcast(&slow.changed);
	while (!slow.may_answer)
		pthread_cond_wait(&slow.changed, &slow.lock);
	pthread_mutex_unlock(&slow.lock);
	*ret_answer = json_pack("{s:b}", "slow", 1);
	return 0;
}

static int answer_echo(const struct watch *watched, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	const char *text = http_request_argument(request, "text");
	*ret_answer = json_pack("{s:s?}", "text", text);
	return *ret_answer ? 0 : complain(complaint, "text is no UTF-8: %s", text);
}

/* "error" is a number; the sentence is "why". */
static int answer_fail(const struct watch *watched, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	const char *why = http_request_argument(request, "why");
	if (why)
		complain(complaint, "%s", why);
	return -atoi(http_request_argument(request, "error"));
}

static int answer_large(const struct watch *watched, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	size_t len = strtoull(http_request_argument(request, "bytes"), NULL, 10);
	char *text = malloc(len);
	memset(text, 'x', len);
	*ret_answer = json_pack("{s:o}", "text", json_stringn_nocheck(text, len));
	free(text);
	return 0;
}

static const char *const none[] = { NULL }, *const echo_arguments[] = { "text", "times", NULL };
static const struct view view_slow = { "GET", "/slow", answer_slow, none };
static const struct view view_echo = { "GET", "/echo", answer_echo, echo_arguments };
static const struct view view_fail = { "POST", "/fail", answer_fail };
static const struct view view_large = { "GET", "/large", answer_large };

const struct view *const views[] = { &view_slow, &view_echo, &view_fail, &view_large, NULL };

static void begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	cr_redirect_stderr();
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(path, sizeof path, "%s/control.sock", directory);
	config.control_socket = path;
	unsetenv("TOLLGATE_CONTROL_SOCKET");
	unsetenv("TOLLGATE_STATE_DIRECTORY");
	setenv("TOLLGATE_CONFIG", "/nonexistent", 1);
}

static void end(void)
{
	control_stop(control);
	scratch_remove(directory);
}

/* Criterion would leave the directory. */
static void skip(const char *why)
{
	end();
	cr_skip_test("%s", why);
}

TestSuite(control, .init = begin, .fini = end, .timeout = 120);

static void start(void)
{
	struct complaint complaint = { 0 };
	cr_assert_eq(control_start(&watch, &control, &complaint), 0, "%s", complaint.text);
}

static void expect_refused(const char *why)
{
	struct complaint complaint = { 0 };
	cr_assert_lt(control_start(&watch, &control, &complaint), 0);
	cr_expect(strstr(complaint.text, why), "\"%s\" is not \"%s\"", complaint.text, why);
}

static struct peer connected(void)
{
	struct peer peer;
	cr_assert(peer_open_unix(&peer, path));
	return peer;
}

static struct peer asked(const char *what)
{
	struct peer peer = connected();
	cr_assert(peer_printf(&peer, "%s HTTP/1.1\r\nHost: t\r\n\r\n", what));
	return peer;
}

static void expect_answer(const char *what, int status, const char *body)
{
	struct peer peer = asked(what);
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, status, "%s: %d", what, reply.status);
	cr_expect(reply_has(&reply, "Content-Type", "application/json"));
	cr_expect_str_eq(reply.body, body);
	peer_close(&peer);
}

static void expect_alive(void)
{
	expect_answer("GET /echo?text=hi", 200, "{\"text\":\"hi\"}");
}

static void time_passes(void)
{
	atomic_fetch_add(&ahead_ms, MUCH_LATER_MS);
	control_tick(control);
}

/* One question as the commands ask it; what they print is kept in `printed`. */
static int ask(const char *socket, const char *what)
{
	json_t *answer = NULL;
	fflush(stderr);
	int status = control_ask(socket, "GET", what, &answer);
	cr_expect_eq(status == EXIT_DONE, answer != NULL);
	json_decref(answer);
	fflush(stderr);
	FILE *file = cr_get_redirected_stderr();
	printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
	return status;
}

static void expect_failure(const char *socket, int exit_status, const char *line)
{
	cr_expect_eq(ask(socket, "/echo"), exit_status);
	cr_expect_str_eq(printed, line);
}

static int listen_at(const char *at)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_lt(strlen(at), sizeof address.sun_path);
	memcpy(address.sun_path, at, strlen(at));
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

/* As a killed process leaves it. */
static void leave_stale_socket(const char *at)
{
	close(listen_at(at));
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "we");
	cr_assert_not_null(file);
	fputs(text, file);
	cr_assert_eq(fclose(file), 0);
}

static unsigned mode_of(const char *file)
{
	struct stat status;
	cr_assert_eq(stat(file, &status), 0, "%s: %s", file, strerror(errno));
	return status.st_mode & 07777;
}

Test(control, a_question_is_answered)
{
	start();
	json_t *answer = NULL;
	char question[128] = "/echo";
	control_argument(question, sizeof question, "text", "50 % of \"a&b\" = \xc3\xa9?\n");
	control_argument(question, sizeof question, "times", NULL);
	cr_assert_eq(control_ask(path, "GET", question, &answer), EXIT_DONE);
	cr_expect_str_eq(json_string_value(json_object_get(answer, "text")),
		"50 % of \"a&b\" = \xc3\xa9?\n");
	json_decref(answer);
}

Test(control, wrong_questions_are_refused_in_json)
{
	start();
	expect_answer("GET /nothing", 404, "{\"error\":\"nothing is served at this path\"}");
	expect_answer("POST /echo", 405, "{\"error\":\"method not allowed here\"}");
	expect_answer("GET /echo?txt=1", 400,
		"{\"error\":\"/echo has no argument txt; the nearest is text\"}");
	expect_answer("GET /echo?text=1&tims=2&x=3", 400,
		"{\"error\":\"/echo has no argument tims; the nearest is times\"}");
	expect_answer("GET /slow?text=1", 400,
		"{\"error\":\"/slow takes no argument, and so not text\"}");
	expect_answer("GET /slow?%1b%ff=", 400,
		"{\"error\":\"/slow takes no argument, and so not \\u001b\xef\xbf\xbd\"}");
	expect_answer("GET /echo?text=%ff", 400, "{\"error\":\"text is no UTF-8: \xef\xbf\xbd\"}");
}

Test(control, a_view_that_fails_says_why)
{
	start();
	expect_answer("POST /fail?error=22&why=so", 400, "{\"error\":\"so\"}");
	expect_answer("POST /fail?error=2&why=gone", 404, "{\"error\":\"gone\"}");
	expect_answer("POST /fail?error=11&why=later", 503, "{\"error\":\"later\"}");
	expect_answer("POST /fail?error=5", 500, "{\"error\":\"Input/output error\"}");
	expect_answer("POST /fail?error=12", 503,
		"{\"error\":\"no memory for an answer now; ask again later\"}");
}

Test(control, an_answer_has_a_largest_size)
{
	start();
	cr_expect_eq(ask(path, "/large?bytes=60000000"), EXIT_DONE);
	cr_expect_eq(ask(path, "/large?bytes=67108864"), EXIT_FAILED);
	cr_expect_str_eq(
		printed, "tollgate: the answer is larger than 64 MiB: ask for less of it\n");
	expect_alive();
}

Test(control, answers_that_nobody_takes_are_bounded_too)
{
	start();
	struct peer hoarders[2] = { asked("GET /large?bytes=60000000"),
		asked("GET /large?bytes=60000000") };
	char first;
	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(recv(hoarders[i].fd, &first, 1, MSG_PEEK), 1);
	expect_answer("GET /large?bytes=60000000", 503,
		"{\"error\":\"no memory for an answer now; ask again later\"}");
	time_passes();
	/* Cut off, so that their memory is free again; a reader who waits sees the answer end early. */
	for (size_t i = 0; i < 2; i++)
		cr_expect(peer_is_closed(&hoarders[i]));
	cr_expect_eq(ask(path, "/large?bytes=60000000"), EXIT_DONE);
	for (size_t i = 0; i < 2; i++)
		peer_close(&hoarders[i]);
}

Test(control, garbage_and_floods_do_not_matter)
{
	static char headers[200 << 10];
	start();
	static const char *const garbage[] = { "\x16\x03\x01\x02\x00\x01", "\r\n\r\n\r\n\r\n",
		"GET", "GET /echo HTTP/9.9\r\n\r\n", "\n\n\n", "GET /echo HTTP/1.1\r\n: x\r\n\r\n",
		"POST /fail HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
		"POST /fail HTTP/1.1\r\nHost: t\r\nContent-Length: 999999999\r\n\r\n" };
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		struct peer peer = connected();
		peer_send_text(&peer, garbage[i]);
		shutdown(peer.fd, SHUT_WR);
		cr_expect(peer_is_closed(&peer), "%zu", i);
		peer_close(&peer);
		expect_alive();
	}
	struct peer peer = connected();
	memset(headers, 'h', sizeof headers);
	peer_send_text(&peer, "GET /echo HTTP/1.1\r\nHost: t\r\nX: ");
	peer_send(&peer, headers, sizeof headers);
	cr_expect_eq(peer_reply(&peer).status, 431);
	peer_close(&peer);
	expect_alive();
}

Test(control, whoever_is_slow_is_cut_off)
{
	start();
	struct peer silent = connected(), half = connected(), body = connected();
	peer_send_text(&half, "GET /echo?text=");
	peer_send_text(&body, "POST /fail HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nx");
	expect_alive(); /* they were accepted before */
	time_passes();
	cr_expect(peer_is_closed(&silent));
	cr_expect(peer_is_closed(&half));
	cr_expect(peer_is_closed(&body));
	peer_close(&silent);
	peer_close(&half);
	peer_close(&body);
}

Test(control, whoever_holds_all_connections_does_not_keep_them)
{
	start();
	struct peer many[CONNECTIONS_MAX];
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		many[i] = asked("GET /echo?text=held");
		cr_assert_eq(peer_reply(&many[i]).status, 200);
	}
	struct peer next = asked("GET /echo?text=next");
	cr_expect_eq(peer_reply_within(&next, 200).status, -1);
	time_passes();
	cr_expect_eq(peer_reply(&next).status, 200);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		peer_close(&many[i]);
	peer_close(&next);
}

Test(control, a_slow_answer_holds_up_no_other_and_is_not_cut_off)
{
	start();
	struct peer peer = asked("GET /slow");
	slow_await_asked();
	expect_alive();
	time_passes();
	expect_alive();
	slow_release();
	cr_expect_eq(peer_reply(&peer).status, 200);
	peer_close(&peer);
}

static void *stop_control(void *arg)
{
	control_stop(control);
	control = NULL;
	return arg;
}

Test(control, stopping_removes_the_socket_and_waits_for_the_answer_in_progress)
{
	start();
	struct peer peer = asked("GET /slow");
	slow_await_asked();
	pthread_t stopper;
	pthread_create(&stopper, NULL, stop_control, NULL);
	while (access(path, F_OK) == 0)
		usleep(1000);
	slow_release();
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 200);
	cr_expect(reply_has(&reply, "Connection", "close"));
	cr_expect(peer_is_closed(&peer));
	pthread_join(stopper, NULL);
	peer_close(&peer);
}

Test(control, stopping_leaves_the_socket_of_the_next_daemon)
{
	start();
	cr_assert_eq(unlink(path), 0);
	leave_stale_socket(path);
	control_stop(control);
	control = NULL;
	cr_expect_eq(access(path, F_OK), 0);
}

Test(control, the_socket_of_a_killed_daemon_is_replaced)
{
	leave_stale_socket(path);
	start();
	expect_alive();
	cr_expect_eq(mode_of(path), 0600);
}

Test(control, the_socket_of_a_living_daemon_is_not)
{
	start();
	struct control *first = control;
	expect_refused("another program answers at /");
	expect_alive();
	control = first;
}

Test(control, what_is_no_socket_is_left_alone)
{
	write_file(path, "precious");
	expect_refused("control_socket must be another path, where nothing is or a socket, not /");
	cr_expect_eq(access(path, F_OK), 0);
	unlink(path);

	cr_assert_eq(symlink("elsewhere", path), 0);
	expect_refused("where nothing is or a socket");
	unlink(path);

	cr_assert_eq(mkdir(path, 0700), 0);
	expect_refused("where nothing is or a socket");
}

Test(control, a_path_may_be_longer_than_an_address)
{
	char deep[700], part[101];
	memset(part, 'd', 100);
	part[100] = '\0';
	int len = snprintf(deep, sizeof deep, "%s", directory);
	for (int i = 0; i < 4; i++) {
		len += snprintf(deep + len, sizeof deep - (size_t)len, "/%s", part);
		cr_assert_eq(mkdir(deep, 0700), 0);
	}
	snprintf(deep + len, sizeof deep - (size_t)len, "/control.sock");
	leave_stale_socket(path);
	cr_assert_eq(rename(path, deep), 0);
	config.control_socket = deep;
	start();
	cr_expect_eq(ask(deep, "/echo?text=far"), EXIT_DONE);
	expect_refused("another program answers");
	control_stop(control);
	control = NULL;
	cr_expect_eq(access(deep, F_OK), -1);

	snprintf(deep + len, sizeof deep - (size_t)len, "/%s", part);
	expect_refused("File name too long");
	snprintf(deep + len, sizeof deep - (size_t)len, "/");
	expect_refused("Is a directory");
}

Test(control, a_missing_directory_is_made_for_the_owner_alone)
{
	char deeper[sizeof directory + 32];
	snprintf(deeper, sizeof deeper, "%s/run/control.sock", directory);
	config.control_socket = deeper;
	umask(0);
	start();
	cr_expect_eq(mode_of(deeper), 0600);
	*strrchr(deeper, '/') = '\0';
	cr_expect_eq(mode_of(deeper), 0700);
	strcat(deeper, "/control.sock");
	control_stop(control);
	control = NULL;

	snprintf(deeper, sizeof deeper, "%s/no/such/control.sock", directory);
	expect_refused("/no/such/control.sock: No such file or directory");
}

static char *own_group(void)
{
	const struct group *group = getgrgid(getegid());
	if (!group)
		skip("this process's group has no name");
	return group->gr_name;
}

Test(control, a_group_is_let_into_directory_and_socket)
{
	char deeper[sizeof directory + 32];
	snprintf(deeper, sizeof deeper, "%s/run/control.sock", directory);
	config.control_socket = deeper;
	config.control_group = own_group();
	umask(077);
	start();
	cr_expect_eq(mode_of(deeper), 0660);
	*strrchr(deeper, '/') = '\0';
	cr_expect_eq(mode_of(deeper), 0710);
	strcat(deeper, "/control.sock");
}

Test(control, a_group_that_would_not_come_as_far_as_the_socket_is_told_where_to_put_it)
{
	config.control_group = own_group();
	expect_refused(
		"whose directory is for its owner alone; set control_socket to a path "
		"outside of the state directory, such as /run/tollgate/control.sock, instead of /");
	cr_expect_eq(access(path, F_OK), -1);
}

Test(control, a_group_that_is_not_there_is_named)
{
	config.control_group = "no-such-group";
	expect_refused("control_group no-such-group: there is no such group");
}

Test(control, a_group_that_the_daemon_is_not_in_is_told_how_to_let_it_in)
{
	enum { NOBODY = 65534 };
	char deeper[sizeof directory + 32];
	snprintf(deeper, sizeof deeper, "%s/run/control.sock", directory);
	config.control_socket = deeper;
	if (geteuid() == 0) {
		config.control_group = own_group();
		cr_assert_eq(chmod(directory, 0777), 0);
		cr_assert_eq(setgroups(0, NULL) || setegid(NOBODY) || seteuid(NOBODY), 0);
	} else {
		const struct group *root = getgrgid(0);
		if (!root || group_member(0))
			skip("there is no group that this process is not in");
		config.control_group = root->gr_name;
	}
	expect_refused("the daemon's own user is no member, so it cannot let the group in; make it "
		       "one (usermod -aG ");
	cr_expect_eq(access(deeper, F_OK), -1);
	*strrchr(deeper, '/') = '\0';
	cr_expect_eq(access(deeper, F_OK), -1, "a directory is left behind");
	cr_expect_eq(seteuid(getuid()), 0);
}

Test(control, a_daemon_that_is_not_running_is_missed_in_one_line)
{
	char line[sizeof path + 128];
	snprintf(line, sizeof line,
		"tollgate: the daemon is not running (there is no %s); start it with tollgate serve\n",
		path);
	expect_failure(path, EXIT_FAILED, line);
	leave_stale_socket(path);
	snprintf(line, sizeof line,
		"tollgate: the daemon is not running (nobody listens at %s any more); start it with tollgate serve\n",
		path);
	expect_failure(path, EXIT_FAILED, line);
}

/* 0 or negative errno. */
static int look(const char *what, long timeout_ms)
{
	struct control_trouble trouble;
	struct unix_place place;
	json_t *answer = NULL;
	int error = control_socket_find(path, NULL, &place, &trouble);
	if (error)
		return error;
	error = control_look(&place, what, timeout_ms, &answer);
	cr_expect_eq(error == 0, answer != NULL);
	json_decref(answer);
	unix_place_close(&place);
	return error;
}

Test(control, who_only_looks_is_told_in_numbers)
{
	enum { LONG_MS = 60 * 1000 };
	cr_expect_eq(look("/echo", LONG_MS), -ENOENT);
	leave_stale_socket(path);
	cr_expect_eq(look("/echo", LONG_MS), -ECONNREFUSED);
	start();
	cr_expect_eq(look("/echo", LONG_MS), 0);
	cr_expect_eq(look("/nothing", LONG_MS), -ENOENT);
	cr_expect_eq(look("/echo?unknown=1", LONG_MS), -EIO);
	cr_expect_eq(look("/slow", 100), -ETIMEDOUT);
	slow_release();
	fflush(stderr);
	cr_expect_stderr_eq_str("");
}

Test(control, the_socket_is_found_by_variable_file_and_state_directory)
{
	char file[sizeof path + 16], text[3 * sizeof path];
	start();
	setenv("TOLLGATE_CONTROL_SOCKET", path, 1);
	cr_expect_eq(ask(NULL, "/echo"), EXIT_DONE);
	cr_expect_neq(ask("/nonexistent/control.sock", "/echo"), EXIT_DONE, "the flag wins");
	unsetenv("TOLLGATE_CONTROL_SOCKET");

	setenv("TOLLGATE_STATE_DIRECTORY", directory, 1);
	cr_expect_eq(ask(NULL, "/echo"), EXIT_DONE);
	unsetenv("TOLLGATE_STATE_DIRECTORY");

	/* Files that the daemon itself would refuse: this person cannot read the key, for one. */
	snprintf(file, sizeof file, "%s/config.json", directory);
	setenv("TOLLGATE_CONFIG", file, 1);
	snprintf(text, sizeof text,
		"{\"control_socket\": \"%s\", \"destinations\": {\"l\": {\"secret_key_file\": \"/key\"}}}",
		path);
	write_file(file, text);
	cr_expect_eq(ask(NULL, "/echo"), EXIT_DONE);
	snprintf(text, sizeof text, "{\"state_directory\": \"%s\"}", directory);
	write_file(file, text);
	cr_expect_eq(ask(NULL, "/echo"), EXIT_DONE);

	write_file(file, "{ not JSON");
	setenv("XDG_STATE_HOME", "/nonexistent", 1);
	cr_expect(access("/run/tollgate", F_OK) == 0 || ask(NULL, "/echo") == EXIT_FAILED);
	cr_expect(access("/run/tollgate", F_OK) == 0 ||
		strstr(printed,
			"(there is neither /nonexistent/tollgate/control.sock nor "
			"/run/tollgate/control.sock)"));
	setenv("XDG_STATE_HOME", directory, 1);
	snprintf(text, sizeof text, "%s/tollgate", directory);
	cr_assert_eq(symlink(".", text), 0);
	cr_expect_eq(ask(NULL, "/echo"), EXIT_DONE);
}

struct script {
	int listener;
	const char *answer;
};

/* The first connection only looks whether somebody listens. */
static void *play(void *arg)
{
	const struct script *script = arg;
	char question[4096];
	close(accept(script->listener, NULL, NULL));
	int fd = accept(script->listener, NULL, NULL);
	if (recv(fd, question, sizeof question, 0) > 0)
		send(fd, script->answer, strlen(script->answer), MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

Test(control, an_answer_that_is_none_is_told)
{
	static const struct {
		const char *answer, *line;
		int exit_status;
	} cases[] = {
		{ "", "tollgate: the daemon hung up without an answer (Server returned nothing (no headers, no data)); is it stopping?\n",
			EXIT_FAILED },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{",
			"tollgate: the daemon hung up without an answer (Transferred a partial file); is it stopping?\n",
			EXIT_FAILED },
		{ "HTTP/1.1 414 URI Too Long\r\nContent-Length: 3\r\n\r\n<p>",
			"tollgate: the daemon's answer cannot be read (HTTP status 414)\n",
			EXIT_FAILED },
		{ "HTTP/1.1 400 Bad\r\nContent-Length: 35\r\n\r\n{\"error\":\"\\u001b[31m no \\n such x\"}",
			"tollgate:  [31m no   such x\n", EXIT_USAGE },
	};
	struct script script = { .listener = listen_at(path) };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		pthread_t thread;
		script.answer = cases[i].answer;
		pthread_create(&thread, NULL, play, &script);
		expect_failure(path, cases[i].exit_status, cases[i].line);
		pthread_join(thread, NULL);
	}
	close(script.listener);
}

Test(control, a_question_that_is_too_long_is_not_asked_half)
{
	start();
	char question[32] = "/echo";
	control_argument(question, sizeof question, "text", "more than there is room for");
	control_argument(question, sizeof question, "times", "1");
	cr_expect_eq(ask(path, question), EXIT_USAGE);
	cr_expect_str_eq(printed, "tollgate: the question is too long for the daemon\n");
}
