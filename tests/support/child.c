#include "support/child.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int identity_take(const struct identity *identity)
{
	if (setgroups(1, &identity->member_of) < 0 ||
		setresgid(identity->group, identity->group, identity->group) < 0 ||
		setresuid(identity->user, identity->user, identity->user) < 0)
		return -errno;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user has cleared it */
	return 0;
}

int child_start(struct child *child, void (*role)(void *arg), void *arg)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			role(arg);
		_exit(0);
	}
	int pidfd = pidfd_open(pid, 0);
	if (pidfd < 0) {
		int error = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return error;
	}
	*child = (struct child){ .pid = pid, .pidfd = pidfd };
	return 0;
}

int child_wait(struct child *child, int timeout_ms)
{
	struct pollfd ended = { .fd = child->pidfd, .events = POLLIN };
	siginfo_t info = { 0 };
	int n;
	do
		n = poll(&ended, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0 || waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED) < 0)
		return -errno;
	close(child->pidfd);
	*child = (struct child){ .pid = 0, .pidfd = -1 };
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

bool child_has_ended(const struct child *child)
{
	struct pollfd ended = { .fd = child->pidfd, .events = POLLIN };
	return child->pid <= 0 || poll(&ended, 1, 0) == 1;
}

void child_signal(const struct child *child, int signal)
{
	if (child->pid > 0)
		pidfd_send_signal(child->pidfd, signal, NULL, 0);
}

/* One line of a file in /proc; empty when it cannot be read. */
static void read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	if (!file || !fgets(line, size, file))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
}

void child_print_threads(const struct child *child)
{
	char path[64], file[340], name[64], place[64];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)child->pid);
	DIR *threads = opendir(path);
	for (const struct dirent *at; threads && (at = readdir(threads));) {
		if (at->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s/comm", path, at->d_name);
		read_line(file, name, sizeof(name));
		snprintf(file, sizeof(file), "%s/%s/wchan", path, at->d_name);
		read_line(file, place, sizeof(place));
		fprintf(stderr, "process %d thread %s (%s): %s\n", (int)child->pid, at->d_name,
			name, place);
	}
	if (threads)
		closedir(threads);
}

void child_kill(struct child *child)
{
	if (child->pid <= 0)
		return;
	child_signal(child, SIGKILL);
	child_wait(child, -1);
}

int listener_open(int *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 1024) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	*ret_port = ntohs(address.sin_port);
	return fd;
}

int port_reserve(void)
{
	int port = 0;
	int fd = listener_open(&port);
	if (fd < 0)
		return fd;
	close(fd);
	return port;
}
