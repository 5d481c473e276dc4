#include "http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	HOST_MAX = 256,
	BACKLOG = 1024, /* the kernel cuts it to net.core.somaxconn */
};

/* Cuts the address at its last colon; the brackets around an IPv6 host go. */
static int split(const char *address, char host[HOST_MAX], const char **ret_port)
{
	const char *colon = strrchr(address, ':');
	if (!colon || !colon[1])
		return -EINVAL;
	size_t len = (size_t)(colon - address);
	if (len && address[0] == '[') {
		if (len < 2 || address[len - 1] != ']')
			return -EINVAL;
		address++;
		len -= 2;
	} else if (memchr(address, ':', len)) {
		return -EINVAL;
	}
	if (len >= HOST_MAX)
		return -EINVAL;
	memcpy(host, address, len);
	host[len] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static int open_socket(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		info->ai_protocol);
	if (fd < 0)
		return -errno;
	const int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int http_listen(const char *address, int *ret_fd, struct complaint *complaint)
{
	char host[HOST_MAX];
	const char *port;
	if (split(address, host, &port) < 0)
		return complain(complaint,
			"listen address \"%s\" is not host:port or [IPv6 address]:port", address);

	/* Without a name: any address when passive, else loopback, for which no resolver is needed. */
	bool is_localhost = strcasecmp(host, "localhost") == 0;
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = (is_localhost ? 0 : AI_PASSIVE) | AI_NUMERICSERV,
	};
	struct addrinfo *found;
	int status = getaddrinfo(host[0] && !is_localhost ? host : NULL, port, &hints, &found);
	if (status != 0)
		return complain(
			complaint, "listen address \"%s\": %s", address, gai_strerror(status));

	int fd = -EADDRNOTAVAIL;
	for (const struct addrinfo *info = found; info && fd < 0; info = info->ai_next)
		fd = open_socket(info);
	freeaddrinfo(found);
	if (fd < 0) {
		complain(complaint, "cannot listen on %s: %s", address, strerror(-fd));
		return fd;
	}
	*ret_fd = fd;
	return 0;
}

/* The directory of a path, made when it is missing; opened, so that a long path does not matter. */
static int open_directory(const char *path, gid_t group, char name[NAME_MAX + 1])
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int len = slash ? (int)(slash - path) : 0;
	snprintf(directory, sizeof directory, "%.*s", slash ? (len ? len : 1) : 1,
		slash ? path : ".");
	snprintf(name, NAME_MAX + 1, "%s", slash ? slash + 1 : path);
	bool is_made = mkdir(directory, 0700) == 0;
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (is_made && group != (gid_t)-1 &&
		(chown(directory, (uid_t)-1, group) < 0 || chmod(directory, 0710) < 0)) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* A socket's address has room for 107 bytes, so it is reached through the directory's descriptor. */
static void name_socket(struct sockaddr_un *address, int directory, const char *name)
{
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", directory,
		name);
}

static bool answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool does = fd >= 0 &&
		(connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
			errno == EAGAIN);
	if (fd >= 0)
		close(fd);
	return does;
}

/* Bound but deaf until its mode and group are right. */
static int bind_unix(const struct sockaddr_un *address, gid_t group)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	const struct sockaddr *name = (const struct sockaddr *)address;
	bool has_group = group != (gid_t)-1;
	if (bind(fd, name, sizeof *address) < 0 ||
		(has_group && chown(address->sun_path, (uid_t)-1, group) < 0) ||
		chmod(address->sun_path, has_group ? 0660 : 0600) < 0 || listen(fd, BACKLOG) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int http_listen_unix(const char *path, const char *group, int *ret_fd, struct complaint *complaint)
{
	char name[NAME_MAX + 1];
	const struct group *found = group ? getgrnam(group) : NULL;
	if (group && !found)
		return complain(complaint, "control_group %s: there is no such group", group);
	gid_t id = found ? found->gr_gid : (gid_t)-1;
	int directory = open_directory(path, id, name), fd = directory;
	if (directory >= 0) {
		struct sockaddr_un address = { 0 };
		name_socket(&address, directory, name);
		fd = answers(&address) ? -EADDRINUSE : 0;
		if (!fd) {
			unlink(address.sun_path);
			fd = bind_unix(&address, id);
		}
		close(directory);
	}
	if (fd < 0) {
		complain(complaint, "cannot listen on %s: %s", path, strerror(-fd));
		return fd;
	}
	*ret_fd = fd;
	return 0;
}

unsigned http_listen_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = { 0 };
	socklen_t len = sizeof name;
	if (getsockname(fd, &name.any, &len) < 0 || name.any.sa_family == AF_UNIX)
		return 0;
	return ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
}
