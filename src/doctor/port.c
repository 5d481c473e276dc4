/* Source of forms: proc_pid_net(5) (tcp, tcp6) and proc_pid_fd(5). */
#include "doctor/port.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TCP_LISTEN = 10, PATH_BYTES = 320, LINK_BYTES = 64 };

/* 0 when there is none. */
static unsigned long find_socket(const char *table, unsigned port, uid_t *ret_user)
{
	char line[512];
	unsigned long found = 0;
	FILE *file = fopen(table, "re");
	while (file && !found && fgets(line, sizeof line, file)) {
		unsigned local, state, user;
		unsigned long inode;
		if (sscanf(line, " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %u %*u %lu",
			    &local, &state, &user, &inode) == 4 &&
			local == port && state == TCP_LISTEN) {
			found = inode;
			*ret_user = (uid_t)user;
		}
	}
	if (file)
		fclose(file);
	return found;
}

static bool has_socket(const char *process, const char *socket)
{
	char path[PATH_BYTES], link[LINK_BYTES];
	bool is_found = false;
	snprintf(path, sizeof path, "/proc/%s/fd", process);
	DIR *directory = opendir(path);
	for (struct dirent *entry; directory && !is_found && (entry = readdir(directory));) {
		ssize_t len = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);
		link[len > 0 ? len : 0] = '\0';
		is_found = strcmp(link, socket) == 0;
	}
	if (directory)
		closedir(directory);
	return is_found;
}

static void read_name(const char *process, char *out, size_t size)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "/proc/%s/comm", process);
	FILE *file = fopen(path, "re");
	if (file && fgets(out, (int)size, file))
		out[strcspn(out, "\n")] = '\0';
	if (file)
		fclose(file);
}

int port_owner_find(unsigned port, struct port_owner *ret_owner)
{
	struct port_owner owner = { 0 };
	char socket[LINK_BYTES];
	unsigned long inode = find_socket("/proc/net/tcp", port, &owner.user);
	if (!inode)
		inode = find_socket("/proc/net/tcp6", port, &owner.user);
	if (!inode)
		return -ENOENT;
	snprintf(socket, sizeof socket, "socket:[%lu]", inode);
	DIR *processes = opendir("/proc");
	for (struct dirent *entry; processes && !owner.process && (entry = readdir(processes));) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, socket))
			continue;
		owner.process = (pid_t)strtol(entry->d_name, NULL, 10);
		read_name(entry->d_name, owner.program, sizeof owner.program);
	}
	if (processes)
		closedir(processes);
	*ret_owner = owner;
	return 0;
}
