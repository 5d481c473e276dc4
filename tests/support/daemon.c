#include "support/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ENVIRONMENT = 64, LISTEN_FDS_START = 3 };

const char *daemon_program(void)
{
	static char path[4096];
	const char *build = getenv("builddir");
	snprintf(path, sizeof(path), "%s/tollgate", build ? build : ".");
	return path;
}

/* All that the child needs, so that it takes no memory. */
struct launch {
	const struct daemon_start *start;
	const char *environment[MAX_ENVIRONMENT];
	char config_home[SCRATCH_PATH_MAX + 32];
	char listen_pid[32];
	int log;
};

static bool is_handed_on(const char *variable)
{
	static const char *const begins[] = {
		"PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS="
	};
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (strncmp(variable, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* Nobody's own settings; what the test says stands before them and wins. */
static void fill_environment(struct launch *launch)
{
	size_t n = 0;
	for (const char *const *given = launch->start->environment; *given; given++)
		if (n < MAX_ENVIRONMENT - 4)
			launch->environment[n++] = *given;
	for (char **own = environ; *own; own++)
		if (n < MAX_ENVIRONMENT - 4 && is_handed_on(*own))
			launch->environment[n++] = *own;
	snprintf(launch->config_home, sizeof(launch->config_home), "XDG_CONFIG_HOME=%s",
		launch->start->directory);
	launch->environment[n++] = launch->config_home;
	if (launch->start->socket) {
		launch->environment[n++] = "LISTEN_FDS=1";
		launch->environment[n++] = launch->listen_pid;
	}
	launch->environment[n] = NULL;
}

/* Its id is only known to the child itself. */
static void hand_over(struct launch *launch)
{
	static const char name[] = "LISTEN_PID=";
	char digits[16], *out = stpcpy(launch->listen_pid, name);
	int count = 0;
	for (pid_t pid = getpid(); pid; pid /= 10)
		digits[count++] = (char)('0' + pid % 10);
	while (count)
		*out++ = digits[--count];
	if (dup2(launch->start->socket, LISTEN_FDS_START) == launch->start->socket)
		fcntl(LISTEN_FDS_START, F_SETFD, 0);
}

/* Opened before: another user may not come as far as the build directory. */
static void run_as(
	const struct identity *identity, char *const *arguments, char *const *environment)
{
	int program = open(arguments[0], O_PATH | O_CLOEXEC);
	if (identity_take(identity) == 0)
		fexecve(program, arguments, environment);
}

static void run_program(void *arg)
{
	struct launch *launch = arg;
	char *const *arguments = (char *const *)launch->start->arguments;
	char *const *environment = (char *const *)launch->environment;
	dup2(launch->log, STDOUT_FILENO);
	dup2(launch->log, STDERR_FILENO);
	signal(SIGPIPE, SIG_DFL);
	if (launch->start->socket)
		hand_over(launch);
	if (launch->start->identity)
		run_as(launch->start->identity, arguments, environment);
	else
		execvpe(arguments[0], arguments, environment);
	_exit(127);
}

int daemon_spawn(struct daemon *daemon, const struct daemon_start *start)
{
	struct stat status;
	*daemon = (struct daemon){ .child = { .pidfd = -1 } };
	snprintf(daemon->log_path, sizeof(daemon->log_path), "%s/log", start->directory);
	int log = open(daemon->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0)
		return -errno;
	daemon->log_from = fstat(log, &status) == 0 ? status.st_size : 0;
	struct launch launch = { .start = start, .log = log };
	fill_environment(&launch);
	int error = child_start(&daemon->child, run_program, &launch);
	close(log);
	return error;
}

int daemon_start(struct daemon *daemon, const struct daemon_start *start)
{
	char *line = NULL;
	int error = daemon_spawn(daemon, start);
	if (error < 0)
		return error;
	error = daemon_wait_log(daemon, "event=listening", DAEMON_START_MS, &line);
	const char *colon = line ? strrchr(line, ':') : NULL;
	daemon->port = colon ? atoi(colon + 1) : 0;
	free(line);
	if (!error && !daemon->port)
		error = -EPROTO;
	if (error < 0)
		child_kill(&daemon->child);
	return error;
}

char *daemon_log(const struct daemon *daemon)
{
	struct stat status;
	int fd = open(daemon->log_path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size >= daemon->log_from) {
		size_t size = (size_t)(status.st_size - daemon->log_from);
		text = calloc(1, size + 1);
		if (text && pread(fd, text, size, daemon->log_from) < 0)
			*text = '\0';
	}
	if (fd >= 0)
		close(fd);
	return text ? text : strdup("");
}

void daemon_print_log(const struct daemon *daemon)
{
	enum { LINES = 20 };
	char *log = daemon_log(daemon);
	char *from = log ? log + strlen(log) : NULL;
	for (int lines = 0; from && from > log && lines <= LINES; from--)
		lines += from[-1] == '\n';
	if (from)
		fprintf(stderr, "--- the log ends with\n%s---\n", from);
	free(log);
}

/* The line around a text, as a copy. */
static char *line_around(const char *log, const char *at)
{
	const char *begin = at;
	while (begin > log && begin[-1] != '\n')
		begin--;
	return strndup(begin, (size_t)(at - begin) + strcspn(at, "\n"));
}

/* Only whole lines count: one may be half written while we read. */
static bool find_line(const struct daemon *daemon, const char *text, char **ret_line)
{
	char *log = daemon_log(daemon);
	char *at = log ? strstr(log, text) : NULL;
	bool is_found = at && strchr(at, '\n');
	if (is_found && ret_line)
		*ret_line = line_around(log, at);
	free(log);
	return is_found;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int daemon_wait_log(struct daemon *daemon, const char *text, int timeout_ms, char **ret_line)
{
	char events[4096];
	int64_t end_ms = now_ms() + timeout_ms;
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int error = -ETIMEDOUT;
	if (watch < 0 || inotify_add_watch(watch, daemon->log_path, IN_MODIFY) < 0) {
		error = -errno;
		goto out;
	}
	for (;;) {
		struct pollfd polled[] = {
			{ .fd = watch, .events = POLLIN },
			{ .fd = daemon->child.pidfd, .events = POLLIN },
		};
		/* Looked at before reading the log, so that last words are not missed. */
		bool has_ended = poll(&polled[1], 1, 0) == 1;
		if (find_line(daemon, text, ret_line)) {
			error = 0;
			break;
		}
		if (has_ended) {
			error = -ESRCH;
			break;
		}
		int64_t left_ms = end_ms - now_ms();
		if (left_ms <= 0)
			break;
		poll(polled, 2, (int)left_ms);
		while (read(watch, events, sizeof(events)) > 0)
			;
	}
out:
	if (watch >= 0)
		close(watch);
	return error;
}

int daemon_stop(struct daemon *daemon)
{
	if (daemon->child.pid <= 0)
		return -ESRCH;
	child_signal(&daemon->child, SIGTERM);
	int status = child_wait(&daemon->child, DAEMON_STOP_MS);
	if (status == -ETIMEDOUT)
		child_kill(&daemon->child);
	return status;
}

void daemon_kill(struct daemon *daemon)
{
	child_kill(&daemon->child);
}

double daemon_cpu_seconds(const struct daemon *daemon)
{
	char path[64], line[1024];
	unsigned long user = 0, system = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)daemon->child.pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return -1;
	/* The name in parentheses may hold anything; the 14th and 15th fields are counted behind it. */
	const char *rest = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	int n = rest ? sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			       &system) :
		       0;
	fclose(file);
	return n == 2 ? (double)(user + system) / (double)sysconf(_SC_CLK_TCK) : -1;
}

uint64_t daemon_anonymous_bytes(const struct daemon *daemon)
{
	char path[64], line[256];
	unsigned long long kilobytes = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)daemon->child.pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Anonymous: %llu kB", &kilobytes) == 1)
			break;
	if (file)
		fclose(file);
	return kilobytes * 1024;
}
