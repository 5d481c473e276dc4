#include "http/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BACKLOG = 128,
	PROBE_MS = 100,
};

#define NO_GROUP ((gid_t)-1)

static int split(const char *path, char directory[PATH_MAX], const char **ret_name)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = slash ? (size_t)(slash - path) : 0;
	if (!*name)
		return -EISDIR;
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(directory, PATH_MAX, "%.*s", (int)(len ? len : 1), slash ? path : ".");
	*ret_name = name;
	return 0;
}

int unix_place_open(const char *path, struct unix_place *ret_place)
{
	struct unix_place place = { .address.sun_family = AF_UNIX };
	const size_t size = sizeof place.address.sun_path;
	char directory[PATH_MAX];
	const char *name;
	int error = split(path, directory, &name);
	if (error)
		return error;
	place.directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place.directory < 0)
		return -errno;
	int len = snprintf(
		place.address.sun_path, size, "/proc/self/fd/%d/%s", place.directory, name);
	if ((size_t)len >= size) {
		close(place.directory);
		return -ENAMETOOLONG;
	}
	*ret_place = place;
	return 0;
}

void unix_place_close(struct unix_place *place)
{
	close(place->directory);
}

int unix_place_connect(const struct unix_place *place, int wait_ms)
{
	const struct timeval wait = { .tv_sec = wait_ms / 1000,
		.tv_usec = (wait_ms % 1000) * 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
		connect(fd, (const struct sockaddr *)&place->address, sizeof place->address) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

static int find_group(const char *name, gid_t *ret_group, struct complaint *complaint)
{
	const struct group *found = name ? getgrnam(name) : NULL;
	if (name && !found)
		return complain(complaint, "control_group %s: there is no such group", name);
	*ret_group = found ? found->gr_gid : NO_GROUP;
	return 0;
}

static int make_directory(const char *path, gid_t group)
{
	char directory[PATH_MAX];
	const char *name;
	int error = split(path, directory, &name);
	if (error)
		return error;
	if (mkdir(directory, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (group == NO_GROUP ||
		(chown(directory, (uid_t)-1, group) == 0 && chmod(directory, 0710) == 0))
		return 0;
	error = -errno;
	rmdir(directory);
	return error;
}

/* Whether a group can come as far as the socket; an ACL that lets it in shows as a bit of the group. */
static int check_directory(const struct unix_place *place, const char *path, const char *group,
	struct complaint *complaint)
{
	struct stat status;
	if (!group)
		return 0;
	if (fstat(place->directory, &status) < 0)
		return -errno;
	if (status.st_mode & (S_IXGRP | S_IXOTH))
		return 0;
	return complain(complaint,
		"control_group %s does not come as far as the socket, whose directory is for its owner alone; "
		"set control_socket to a path outside of the state directory, such as "
		"/run/tollgate/control.sock, instead of %s",
		group, path);
}

/* Takes a socket away that a killed process has left. */
static int make_room(const struct unix_place *place, const char *path, struct complaint *complaint)
{
	struct stat status;
	if (lstat(place->address.sun_path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return complain(complaint,
			"control_socket must be another path, where nothing is or a socket, not %s",
			path);
	int fd = unix_place_connect(place, PROBE_MS);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || fd == -EAGAIN)
		return complain(complaint, "another program answers at %s", path);
	if (fd != -ECONNREFUSED)
		return fd;
	return unlink(place->address.sun_path) < 0 ? -errno : 0;
}

/*
 * The umask may have bound it open to all, which lets nobody in: connecting is refused until it
 * listens, and then group and mode are right.
 */
static int open_socket(const struct unix_place *place, gid_t group)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	const struct sockaddr *address = (const struct sockaddr *)&place->address;
	const char *path = place->address.sun_path;
	bool is_bound = bind(fd, address, sizeof place->address) == 0;
	if (is_bound && (group == NO_GROUP || lchown(path, (uid_t)-1, group) == 0) &&
		chmod(path, group == NO_GROUP ? 0600 : 0660) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int error = -errno;
	if (is_bound)
		unlink(path);
	close(fd);
	return error;
}

static int listen_at(const struct unix_place *place, const char *path, const char *group, gid_t id,
	struct complaint *complaint)
{
	int error = check_directory(place, path, group, complaint);
	if (!error)
		error = make_room(place, path, complaint);
	return error ? error : open_socket(place, id);
}

int unix_socket_listen(
	const char *path, const char *group, int *ret_fd, struct complaint *complaint)
{
	struct unix_place place;
	gid_t id = NO_GROUP;
	int result = find_group(group, &id, complaint);
	if (!result)
		result = make_directory(path, id);
	if (!result)
		result = unix_place_open(path, &place);
	if (!result) {
		result = listen_at(&place, path, group, id, complaint);
		unix_place_close(&place);
	}
	if (result >= 0) {
		*ret_fd = result;
		return 0;
	}
	if (result == -EPERM && group)
		complain(complaint,
			"control_group %s: the daemon's own user is no member, so it cannot let the group in; "
			"make it one (usermod -aG %s USER, or SupplementaryGroups=%s in the unit)",
			group, group, group);
	complain(complaint, "cannot listen on %.300s: %s", path, strerror(-result));
	return result;
}
