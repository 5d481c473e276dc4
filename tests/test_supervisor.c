/* What a service manager leaves for a process, and what it is told; the manager is the test. */
#include "base/supervisor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "http/listen.h"
#include "startup.h"
#include "support/child.h"
#include "support/scratch.h"

enum { FIRST_SOCKET = 3, WAIT_MS = 20000 };

TestSuite(supervisor, .timeout = 60);

/* ---- sockets: in a child, because descriptor 3 of this process is somebody else's ---- */

/* One start: what the manager leaves, and what the process made of it, shared with the child. */
struct start {
	int descriptor;      /* becomes the third; -1: none is open there */
	const char *count;   /* LISTEN_FDS; NULL: unset */
	const char *pid;     /* LISTEN_PID; NULL: the process's own */
	bool is_without_pid; /* it is unset */

	int error, socket;
	bool is_for_children;
	char address[HTTP_ADDRESS_MAX];
	struct complaint complaint;
};

static void run_start(void *arg)
{
	struct start *start = arg;
	struct supervisor supervisor;
	char pid[32];
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	if (start->descriptor < 0)
		close(FIRST_SOCKET);
	else if (start->descriptor != FIRST_SOCKET)
		dup2(start->descriptor, FIRST_SOCKET);
	if (!start->is_without_pid)
		setenv("LISTEN_PID", start->pid ? start->pid : pid, 1);
	if (start->count)
		setenv("LISTEN_FDS", start->count, 1);
	setenv("LISTEN_FDNAMES", "tollgate.socket", 1);

	start->error = supervisor_meet(&supervisor, &start->complaint);
	start->socket = supervisor.socket;
	start->is_for_children = getenv("LISTEN_PID") || getenv("LISTEN_FDS") ||
		getenv("LISTEN_FDNAMES") ||
		(supervisor.socket >= 0 && fcntl(supervisor.socket, F_GETFD) != FD_CLOEXEC);
	if (supervisor.socket >= 0)
		start->error =
			http_listen_address(supervisor.socket, start->address, &start->complaint);
	supervisor_leave(&supervisor);
}

static struct start begin(struct start start)
{
	struct child child;
	struct start *shared =
		mmap(NULL, sizeof start, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(shared, MAP_FAILED);
	*shared = start;
	shared->error = 1;
	cr_assert_eq(child_start(&child, run_start, shared), 0);
	cr_assert_eq(child_wait(&child, WAIT_MS), 0);
	start = *shared;
	munmap(shared, sizeof start);
	cr_expect_not(start.is_for_children);
	return start;
}

static int listen_on(const char *address)
{
	struct complaint complaint = { 0 };
	int fd;
	return http_listen(address, &fd, &complaint) < 0 ? -1 : fd;
}

static void expect_taken(const char *host)
{
	char wanted[HTTP_ADDRESS_MAX];
	snprintf(wanted, sizeof wanted, "%s:0", host);
	int fd = listen_on(wanted);
	if (fd < 0)
		return; /* a machine without IPv6 */
	struct start start = begin((struct start){ .descriptor = fd, .count = "1" });
	cr_expect_eq(start.error, 0, "%s", start.complaint.text);
	cr_expect_eq(start.socket, FIRST_SOCKET);
	snprintf(wanted, sizeof wanted, "%s:%u", host, http_listen_port(fd));
	cr_expect_str_eq(start.address, wanted);
	close(fd);
}

Test(supervisor, one_socket_that_listens_is_taken_and_known_by_its_address)
{
	expect_taken("127.0.0.1");
	expect_taken("[::1]");
}

Test(supervisor, what_is_meant_for_another_process_is_left_alone)
{
	const struct start starts[] = {
		{ .count = "1", .pid = "1" },
		{ .count = "1", .pid = "" },
		{ .count = "1", .pid = "-1" },
		{ .count = "1", .pid = "18446744073709551616" },
		{ .count = "1", .is_without_pid = true },
		{ .count = NULL },
	};
	int fd = listen_on("127.0.0.1:0");
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		struct start start = starts[i];
		start.descriptor = fd;
		start = begin(start);
		cr_expect_eq(start.error, 0, "%zu: %s", i, start.complaint.text);
		cr_expect_eq(start.socket, -1, "%zu", i);
	}
	close(fd);
}

Test(supervisor, anything_but_one_socket_is_refused_in_words)
{
	static const char *const counts[] = { "0", "2", "99999", "-1", "", "1x", " 1",
		"18446744073709551617" };
	int fd = listen_on("127.0.0.1:0");
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct start start = begin((struct start){ .descriptor = fd, .count = counts[i] });
		cr_expect_eq(start.error, -EINVAL, "%s", counts[i]);
		cr_expect_eq(start.socket, -1);
		cr_expect(strstr(start.complaint.text, "one socket"), "%s", start.complaint.text);
	}
	close(fd);
	struct start start = begin((struct start){ .descriptor = -1, .count = "1" });
	cr_expect_eq(start.error, -EINVAL);
	cr_expect(strstr(start.complaint.text, "descriptor 3 is not open"), "%s",
		start.complaint.text);
}

Test(supervisor, what_does_not_listen_for_tcp_is_refused_in_words)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un unnamed = { .sun_family = AF_UNIX };
	int bound = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0),
	    local = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(bound, (struct sockaddr *)&loopback, sizeof loopback), 0);
	cr_assert_eq(bind(datagrams, (struct sockaddr *)&loopback, sizeof loopback), 0);
	cr_assert_eq(bind(local, (struct sockaddr *)&unnamed, sizeof unnamed.sun_family), 0);
	cr_assert_eq(listen(local, 1), 0);
	const int descriptors[] = { open("/dev/null", O_RDWR), bound, datagrams, local };
	for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++) {
		struct start start =
			begin((struct start){ .descriptor = descriptors[i], .count = "1" });
		cr_expect_eq(start.error, -EINVAL, "%zu", i);
		cr_expect(strstr(start.complaint.text, "none that listens for TCP"), "%zu: %s", i,
			start.complaint.text);
		close(descriptors[i]);
	}
}

Test(supervisor, where_its_socket_is_bound_decides_who_may_come)
{
	char directory[SCRATCH_PATH_MAX], state[SCRATCH_PATH_MAX + 32],
		any[] = "0.0.0.0:4318", loopback[] = "127.0.0.1:4318";
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(state, sizeof state, "TOLLGATE_STATE_DIRECTORY=%s", directory);
	char *environment[] = { state, NULL, NULL }, *flags[] = { NULL };
	struct startup_sources sources = { .environment = environment, .flags = flags };
	struct startup startup;
	struct complaint complaint = { 0 };

	sources.listen = any;
	cr_assert_eq(startup_read(&sources, &startup, &complaint), 0, "%s", complaint.text);
	cr_expect_eq(startup_check(startup.config, &complaint), -EINVAL);
	cr_expect(strstr(complaint.text, "listen is 0.0.0.0:4318, which others reach"), "%s",
		complaint.text);
	startup_done(&startup);

	environment[1] = (char *)"TOLLGATE_LISTEN=0.0.0.0:4318";
	sources.listen = loopback;
	cr_assert_eq(startup_read(&sources, &startup, &complaint), 0);
	cr_expect_str_eq(startup.config->listen, "127.0.0.1:4318");
	complaint = (struct complaint){ 0 };
	cr_expect_eq(startup_check(startup.config, &complaint), 0, "%s", complaint.text);
	startup_done(&startup);
	scratch_remove(directory);
}

/* ---- what it is told ---- */

/* The manager's own end, at a path or, where that begins with @, at a name without a file. */
static int open_ear(const char *path)
{
	const struct timeval patience = { .tv_sec = WAIT_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_lt(len, sizeof address.sun_path);
	memcpy(address.sun_path, path, len);
	if (*path == '@')
		*address.sun_path = '\0';
	cr_assert_eq(bind(fd, (struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	cr_assert_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
	return fd;
}

static const char *heard(int ear)
{
	static char message[1024];
	ssize_t len = recv(ear, message, sizeof message - 1, 0);
	message[len < 0 ? 0 : len] = '\0';
	return message;
}

static bool is_silent(int ear)
{
	char byte;
	return recv(ear, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static struct supervisor meet(void)
{
	struct supervisor supervisor;
	struct complaint complaint = { 0 };
	cr_assert_eq(supervisor_meet(&supervisor, &complaint), 0, "%s", complaint.text);
	cr_expect_null(getenv("NOTIFY_SOCKET"));
	cr_expect_null(getenv("WATCHDOG_USEC"));
	cr_expect_null(getenv("WATCHDOG_PID"));
	return supervisor;
}

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void expect_told(int ear)
{
	struct supervisor supervisor = meet();
	long long said_us = 0;
	supervisor_say_ready(&supervisor, "Listening on 127.0.0.1:4318");
	cr_expect_str_eq(heard(ear), "READY=1\nSTATUS=Listening on 127.0.0.1:4318");
	int64_t before_us = now_us();
	supervisor_say_reloading(&supervisor);
	cr_expect_eq(sscanf(heard(ear), "RELOADING=1\nMONOTONIC_USEC=%lld", &said_us), 1);
	cr_expect_geq(said_us, before_us);
	cr_expect_leq(said_us, now_us());
	supervisor_say_stopping(&supervisor, 30000);
	cr_expect_str_eq(heard(ear), "STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000\nSTATUS=Stopping");
	cr_expect(is_silent(ear));
	supervisor_leave(&supervisor);
	close(ear);
}

Test(supervisor, it_hears_how_the_process_stands)
{
	char directory[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 16];
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(path, sizeof path, "%s/notify", directory);
	expect_told(open_ear(path));
	snprintf(path, sizeof path, "@tollgate-test-%d", (int)getpid());
	expect_told(open_ear(path));
	scratch_remove(directory);
}

Test(supervisor, one_that_is_gone_or_cannot_be_understood_stops_nobody)
{
	char longest[256] = "/";
	memset(longest + 1, 'x', sizeof longest - 2);
	const char *const paths[] = { "/no/such/socket", "@tollgate-test-nobody", "relative", "/",
		"vsock:2:1", "", longest };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		cr_assert_eq(setenv("NOTIFY_SOCKET", paths[i], 1), 0);
		struct supervisor supervisor = meet();
		supervisor_say_ready(&supervisor, "");
		supervisor_leave(&supervisor);
	}
}

Test(supervisor, it_gets_a_sign_of_life_twice_as_often_as_it_waits_for_one)
{
	char name[64], pid[32];
	snprintf(name, sizeof name, "@tollgate-test-%d", (int)getpid());
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	int ear = open_ear(name);
	cr_assert_eq(setenv("WATCHDOG_USEC", "3000000", 1), 0);
	cr_assert_eq(setenv("WATCHDOG_PID", pid, 1), 0);
	struct supervisor supervisor = meet();
	cr_expect_eq(supervisor_tick(&supervisor, 1000), 2500);
	cr_expect_str_eq(heard(ear), "WATCHDOG=1");
	cr_expect_eq(supervisor_tick(&supervisor, 2499), 2500);
	cr_expect(is_silent(ear), "not before it is due");
	cr_expect_eq(supervisor_tick(&supervisor, 2510), 4010);
	cr_expect_str_eq(heard(ear), "WATCHDOG=1");
	supervisor_leave(&supervisor);
	close(ear);
}

Test(supervisor, a_watchdog_of_another_process_or_none_gets_none)
{
	static const char *const timeouts[] = { "30000000", "0", "", "soon", "-1",
		"99999999999999999999" };
	for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
		cr_assert_eq(setenv("WATCHDOG_USEC", timeouts[i], 1), 0);
		if (i == 0)
			cr_assert_eq(setenv("WATCHDOG_PID", "1", 1), 0);
		struct supervisor supervisor = meet();
		cr_expect_eq(supervisor_tick(&supervisor, 1000), UINT64_MAX, "%s", timeouts[i]);
		supervisor_leave(&supervisor);
	}
	cr_assert_eq(setenv("WATCHDOG_USEC", "1", 1), 0);
	struct supervisor supervisor = meet();
	cr_expect_eq(supervisor_tick(&supervisor, 1000), 1001, "time goes on");
	supervisor_leave(&supervisor);
}
