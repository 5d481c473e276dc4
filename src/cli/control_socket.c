#include "cli/control_socket.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/complaint.h"
#include "cli/glance.h"
#include "http/unix_socket.h"

enum { WAIT_MS = 5000 };

static const char service_socket[] = "/run/tollgate/control.sock";

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* In this person's own state directory, where nothing else is said. */
static void own_path(char path[PATH_MAX])
{
	const char *base = variable("XDG_STATE_HOME"), *home = variable("HOME");
	if (base && *base == '/')
		snprintf(path, PATH_MAX, "%s/tollgate/control.sock", base);
	else
		snprintf(path, PATH_MAX, "%s/.local/state/tollgate/control.sock", home ? home : "");
}

/* True when somebody said it; else it is only where the daemon would listen if nobody did. */
static bool find_path(const char *given, char path[PATH_MAX])
{
	struct complaint unread = { 0 }; /* then nobody says it there */
	json_t *config = NULL;
	if (!given)
		glance(NULL, &config, &unread);
	const char *socket = given ? given : glance_text(config, "control_socket");
	const char *state = glance_text(config, "state_directory");
	if (socket)
		snprintf(path, PATH_MAX, "%s", socket);
	else if (state)
		snprintf(path, PATH_MAX, "%s/control.sock", state);
	else
		own_path(path);
	json_decref(config);
	return socket != NULL;
}

static void complain_of_group(const char *path, const struct stat *status)
{
	const struct group *group = getgrgid(status->st_gid);
	const struct passwd *self = getpwuid(geteuid());
	char number[24];
	snprintf(number, sizeof number, "%u", (unsigned)status->st_gid);
	const char *name = group ? group->gr_name : number;
	fprintf(stderr,
		"tollgate: %s is for the group %s: become a member (usermod -aG %s %s) and log in again\n",
		path, name, name, self ? self->pw_name : "USER");
}

/* What stands in the way is the socket, or when that cannot be seen, its directory. */
static void complain_of_permission(const char *path)
{
	char directory[PATH_MAX];
	struct stat status;
	const char *slash = strrchr(path, '/');
	snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - path) : 1,
		slash ? path : ".");
	mode_t needed = S_IWGRP;
	int error = stat(path, &status);
	if (error) {
		needed = S_IXGRP;
		error = stat(directory, &status);
	}
	if (!error && status.st_mode & needed)
		complain_of_group(path, &status);
	else
		fprintf(stderr,
			"tollgate: %s is for its owner alone; the daemon's settings control_group and control_socket can let a group in\n",
			path);
}

static int complain_of(const char *path, int error)
{
	if (error == -ENOENT || error == -ENOTDIR)
		fprintf(stderr,
			"tollgate: the daemon is not running (there is no %s); start it with tollgate serve\n",
			path);
	else if (error == -ECONNREFUSED)
		fprintf(stderr,
			"tollgate: the daemon is not running (nobody listens at %s any more); start it with tollgate serve\n",
			path);
	else if (error == -EACCES || error == -EPERM)
		complain_of_permission(path);
	else if (error == -EAGAIN)
		fprintf(stderr,
			"tollgate: the daemon has too many questions to answer at %s; try again\n",
			path);
	else
		fprintf(stderr, "tollgate: the daemon cannot be reached at %s: %s\n", path,
			strerror(-error));
	return error;
}

static int open_place(const char *path, struct unix_place *ret_place)
{
	struct unix_place place;
	int error = unix_place_open(path, &place);
	if (error)
		return error;
	int fd = unix_place_connect(&place, WAIT_MS);
	if (fd < 0) {
		unix_place_close(&place);
		return fd;
	}
	close(fd);
	*ret_place = place;
	return 0;
}

int control_socket_open(const char *given, struct unix_place *ret_place)
{
	char found[PATH_MAX];
	if (find_path(given, found)) {
		int error = open_place(found, ret_place);
		return error ? complain_of(found, error) : 0;
	}
	int own = open_place(found, ret_place);
	int error = own ? open_place(service_socket, ret_place) : 0;
	if (own == -ENOENT && error == -ENOENT)
		fprintf(stderr,
			"tollgate: the daemon is not running (there is neither %s nor %s); start it with tollgate serve\n",
			found, service_socket);
	else if (error == -ENOENT)
		complain_of(found, own);
	else if (error)
		complain_of(service_socket, error);
	return error;
}
