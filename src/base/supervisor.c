#include "base/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum {
	FIRST_SOCKET = 3, /* SD_LISTEN_FDS_START */
	MESSAGE_MAX = 512,
	PATIENCE_S = 5, /* with a manager that does not take what it is told */
};

/* A variable that holds digits alone; 0 for all else. */
static uint64_t read_number(const char *name)
{
	const char *text = getenv(name);
	size_t digits = text ? strspn(text, "0123456789") : 0;
	errno = 0;
	uint64_t number = digits && !text[digits] ? strtoull(text, NULL, 10) : 0;
	return errno ? 0 : number;
}

static bool is_ours(const char *pid_name)
{
	return read_number(pid_name) == (uint64_t)getpid();
}

static int take_socket(struct supervisor *supervisor, struct complaint *complaint)
{
	char shown[LOG_TEXT_MAX];
	const char *count = getenv("LISTEN_FDS");
	if (!count || !is_ours("LISTEN_PID"))
		return 0;
	if (read_number("LISTEN_FDS") != 1)
		return complain(complaint,
			"the service manager hands over one socket, not %s (LISTEN_FDS): write one "
			"ListenStream= in its socket unit",
			log_text(shown, count));
	if (fcntl(FIRST_SOCKET, F_SETFD, FD_CLOEXEC) < 0)
		return complain(complaint,
			"the service manager's socket is not there: descriptor %d is not open",
			FIRST_SOCKET);
	supervisor->socket = FIRST_SOCKET;
	return 0;
}

/* A path, or with @ in place of its first byte a name without a file. */
static void find_ear(struct supervisor *supervisor)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un *address = &supervisor->address;
	size_t len = path ? strlen(path) : 0;
	if (len < 2 || len >= sizeof address->sun_path || !strchr("/@", *path))
		return;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, len);
	if (*path == '@')
		address->sun_path[0] = '\0';
	supervisor->address_len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*path == '/'));
	supervisor->ear = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (supervisor->ear >= 0)
		setsockopt(supervisor->ear, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/* Twice as often as it is waited for. */
static void find_watchdog(struct supervisor *supervisor)
{
	uint64_t timeout_us = read_number("WATCHDOG_USEC");
	if (timeout_us && (!getenv("WATCHDOG_PID") || is_ours("WATCHDOG_PID")))
		supervisor->sign_ms = timeout_us < 2000 ? 1 : timeout_us / 2000;
}

int supervisor_meet(struct supervisor *ret_supervisor, struct complaint *complaint)
{
	static const char *const names[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
		"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC" };
	*ret_supervisor = (struct supervisor){ .socket = -1, .ear = -1 };
	int error = take_socket(ret_supervisor, complaint);
	find_ear(ret_supervisor);
	find_watchdog(ret_supervisor);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	return error;
}

void supervisor_leave(struct supervisor *supervisor)
{
	if (supervisor->socket >= 0)
		close(supervisor->socket);
	if (supervisor->ear >= 0)
		close(supervisor->ear);
}

static void say(const struct supervisor *supervisor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct supervisor *supervisor, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list args;
	if (supervisor->ear < 0)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	sendto(supervisor->ear, message, strlen(message), MSG_NOSIGNAL,
		(const struct sockaddr *)&supervisor->address, supervisor->address_len);
}

void supervisor_say_ready(const struct supervisor *supervisor, const char *status)
{
	say(supervisor, "READY=1\nSTATUS=%s", status);
}

/* With the time, so that a manager knows which of its questions this answers. */
void supervisor_say_reloading(const struct supervisor *supervisor)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	say(supervisor, "RELOADING=1\nMONOTONIC_USEC=%lld",
		(long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void supervisor_say_stopping(const struct supervisor *supervisor, uint64_t within_ms)
{
	say(supervisor, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu\nSTATUS=Stopping",
		(unsigned long long)within_ms * 1000);
}

uint64_t supervisor_tick(struct supervisor *supervisor, uint64_t now_ms)
{
	if (!supervisor->sign_ms)
		return UINT64_MAX;
	if (now_ms >= supervisor->due_ms) {
		say(supervisor, "WATCHDOG=1");
		supervisor->due_ms = now_ms + supervisor->sign_ms;
	}
	return supervisor->due_ms;
}
